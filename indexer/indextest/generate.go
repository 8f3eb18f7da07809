package indextest

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"taihu/catalog"
	"taihu/indexer"
)

// The parts of generated documents. Subjects and columns come from documents.txt.
var (
	places = strings.Fields(`全市 梁溪区 滨湖区 新吴区 锡山区 惠山区 江阴市 宜兴市 经开区 江溪街道 旺庄街道 硕放街道 梅村街道 鸿山街道 新安街道
		太湖街道 华庄街道 雪浪街道 荣巷街道 蠡园街道 河埒街道 马山街道 胡埭镇 东亭街道 安镇街道 羊尖镇 鹅湖镇 锡北镇 东港镇 堰桥街道 长安街道
		钱桥街道 前洲街道 玉祁街道 洛社镇 阳山镇 澄江街道 南闸街道 云亭街道 璜土镇 利港街道 月城镇 青阳镇 徐霞客镇 华士镇 周庄镇 新桥镇
		长泾镇 顾山镇 祝塘镇 宜城街道 屺亭街道 新庄街道 张渚镇 西渚镇 太华镇 徐舍镇 官林镇 杨巷镇 新建镇 和桥镇 高塍镇 万石镇 周铁镇 芳桥街道 丁蜀镇 湖㳇镇`)
	endings = strings.Fields(`信息 名录 清单 统计 情况 明细 台账 目录 数据 汇总 月报 年报 分布 一览表 基本信息 监测数据 登记信息 公示 结果 指标`)
	words   = strings.Fields(`数据 信息 服务 管理 城市 建设 发展 企业 项目 工作 部门 单位 统计 指标 年度 季度 人口 经济 社会 环境 保护 监测 质量 安全 生产 监督
		检查 执法 处罚 许可 审批 登记 备案 公示 公开 政务 便民 热线 投诉 办理 时限 窗口 材料 证书 资质 资格 人员 培训 考试 招聘 就业 失业 保险 养老 医疗
		卫生 健康 医院 疾病 疫苗 接种 药品 食品 餐饮 超市 商场 市场 价格 消费 投资 贸易 出口 进口 税收 财政 预算 决算 收入 支出 补贴 资金 基金 债券 银行
		金融 信用 评价 等级 名单 荣誉 表彰 教育 学校 学生 教师 课程 招生 毕业 图书 文化 文物 博物馆 旅游 景区 酒店 民宿 体育 场馆 健身 公园 绿地 湿地 林地
		耕地 土地 规划 测绘 地图 地理 坐标 道路 桥梁 隧道 公交 地铁 出租 货运 客运 港口 航道 船舶 机场 航班 铁路 停车 充电 能源 电力 燃气 供水 排水 污水
		垃圾 分类 处理 回收 河流 湖泊 水库 水位 水质 降雨 气温 风速 台风 预警 应急 消防 救援 避难 物资 储备 农业 粮食 蔬菜 水果 畜牧 渔业 种子 化肥 农药
		农机 合作社 工业 制造 集成电路 物联网 软件 专利 商标 标准 科技 创新 平台 园区 孵化 人才 专家 实验室 仪器 设备 传感器 视频 网络 基站 频率 邮政 快递
		社区 街道 居民 村庄 户籍 婚姻 殡葬 福利 慈善 志愿者 残疾人 儿童 妇女 老年人 退役军人 司法 律师 公证 仲裁 调解 法院 档案 史志 民族 宗教 侨务 外事`)
	openings = strings.Fields(`本数据集包括 提供 收录 汇总了 反映 记录了 公布 该目录列出 主要内容为 数据来源于`)
	englishs = strings.Fields(`register list survey statistics monthly annual district street water traffic school hospital company permit price quality station
		population budget energy market culture sport tourism housing land road bridge park waste weather emergency`)
)

// Generate yields n documents that look like a large portal's, the same for the
// same seed: titles in the manner of documents.txt, descriptions of 60 to 250
// characters whose words follow Zipf's law.
func Generate(n int, seed uint64) iter.Seq2[indexer.Document, error] {
	return func(yield func(indexer.Document, error) bool) {
		g := generator{random: rand.New(rand.NewPCG(seed, 1)), samples: Documents()}
		g.zipf = rand.NewZipf(g.random, 1.1, 8, uint64(len(words)-1))
		for i := range n {
			if !yield(g.document(i), nil) {
				return
			}
		}
	}
}

type generator struct {
	random  *rand.Rand
	zipf    *rand.Zipf
	samples []indexer.Document
}

func one[T any](g *generator, list []T) T { return list[g.random.IntN(len(list))] }

func (g *generator) word() string { return words[g.zipf.Uint64()] }

func (g *generator) document(i int) indexer.Document {
	d := one(g, g.samples)
	title := d.Title.Zh
	if g.random.IntN(3) > 0 {
		title = g.word() + g.word() + one(g, endings)
	}
	d.ID, d.Slug = ID(i), fmt.Sprintf("dataset-%06d", i)
	place := one(g, places)
	d.Title = catalog.Text{Zh: place + title}
	if g.random.IntN(3) == 0 {
		d.Title.En = one(g, englishs) + " " + one(g, englishs) + " of " + one(g, englishs)
	}
	d.Description = catalog.Text{Zh: g.description(place)}
	d.Organizations = []string{"city", fmt.Sprintf("bureau-%02d", g.random.IntN(60)), fmt.Sprintf("office-%03d", g.random.IntN(400))}
	d.Organization = d.Organizations[2]
	d.Publisher = catalog.Text{Zh: d.Organization[len("office-"):] + "号" + words[len(d.Organization)*7%len(words)] + "局"}
	d.PathNames = []string{"无锡市", d.Organizations[1] + "局", d.Publisher.Zh}
	d.Themes = []string{catalog.Themes[g.random.IntN(len(catalog.Themes))].Code}
	d.ThemeNames = []string{catalog.ThemeName(d.Themes[0]).Zh, catalog.ThemeName(d.Themes[0]).En}
	d.Keywords = []string{g.word(), g.word(), g.word()}
	d.Columns = append([]string{g.word() + "编号", g.word() + "名称"}, one(g, g.samples).Columns...)
	for range 5 + g.random.IntN(40) { // most are seen elsewhere too, as the names of places and kinds are
		switch g.random.IntN(4) {
		case 0:
			d.Values = append(d.Values, place+fmt.Sprintf("%s%d号", g.word(), g.random.IntN(500)))
		case 1:
			d.Values = append(d.Values, one(g, places))
		default:
			d.Values = append(d.Values, g.word()+g.word())
		}
	}
	slices.Sort(d.Values)
	d.Values = slices.Compact(d.Values)
	if g.random.IntN(3) == 0 {
		d.Notes = []string{"补充了" + g.word() + "和" + g.word()}
	}
	d.Quality, d.Downloads = g.random.IntN(101), int64(g.zipf.Uint64())*37
	d.Identifiers = []string{fmt.Sprintf("WX-%06d", i)}
	d.Year = 2015 + g.random.IntN(12)
	d.Updated = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(g.random.IntN(200000000)) * time.Second)
	d.Rows = int64(g.random.IntN(1000000))
	d.Cells = d.Rows * int64(len(d.Columns))
	d.Frequency = one(g, catalog.Frequencies)
	d.Version = 1
	return d
}

func (g *generator) description(place string) string {
	var b strings.Builder
	for sentences := 2 + g.random.IntN(5); sentences > 0; sentences-- {
		b.WriteString(one(g, openings))
		if g.random.IntN(2) == 0 {
			b.WriteString(place)
		}
		for i := 4 + g.random.IntN(8); i > 0; i-- {
			b.WriteString(g.word())
			switch g.random.IntN(6) {
			case 0:
				b.WriteString("、")
			case 1:
				b.WriteString("的")
			}
		}
		b.WriteString("。")
	}
	return b.String()
}

// BenchmarkQueries are what people type: words, parts, columns, several terms,
// phrases, conditions, pinyin, typing mistakes, nothing but filters.
func BenchmarkQueries() []indexer.Query {
	var queries []indexer.Query
	texts := []string{
		"停车场", "停车", "水质监测", "数据", "新吴区 企业", "公共厕所", "水", "统一社会信用代码", "医疗机构名录", "江溪街道", "空气质量监测站小时数据",
		"车场", "water quality", "school", "WX-0123", "学校 名称 地址", "行政处罚信息公示", "预算执行", "物联网设备", "公交线路与站点", "污水处理", "传感器 数据",
		`"停车场"`, `"统一社会信用代码"`, `"公交线路与站点" 名称`, "tcc", "kongqizhiliang", "shuizhi 数据", "column:信用代码 企业", "org:局 停车", "updated:>=2024 水质",
		"企业 -处罚", "qualitty water", "statstics", "停車場", "太华镇环境",
	}
	for i, text := range texts {
		q := indexer.Query{Text: text, Facets: true, Limit: 20}
		switch i % 4 {
		case 1:
			q.Filter = map[string][]string{"theme": {"transport", "health"}}
		case 2:
			q.Filter = map[string][]string{"year": {"2024", "2025"}, "organization": {"bureau-07", "bureau-08", "bureau-09"}}
		case 3:
			q.Sort = "-updated"
		}
		queries = append(queries, q)
	}
	queries = append(queries, indexer.Query{Text: "停车场收费标准 水质 企业", Any: true, Facets: true, Limit: 20})
	return append(queries, indexer.Query{Facets: true, Limit: 20}, indexer.Query{Facets: true, Limit: 20, Filter: map[string][]string{"format": {"csv"}}})
}

// BenchmarkTyping are beginnings of what people type.
func BenchmarkTyping() []string {
	return []string{
		"停", "停车", "停车场", "t", "tc", "tcc", "ting", "tingche", "水", "水质", "数据", "江溪", "江溪街", "环境", "信用", "统一社会", "wa", "water", "water q",
		"WX-01", "office", "号", "学校 名", "shuizhi", "公交线路", "s", "太华镇", "12",
	}
}
