package sample

import "taihu/catalog"

// article is the one real dataset: figures as a newspaper printed them.
func article() []Dataset {
	figures := sheet{
		file: "figures.csv", form: csvPlain,
		title: catalog.Text{Zh: "报道中的数字", En: "Figures in the article"},
		columns: []column{
			whole("序号", "No.", "", "行的序号", "Number of the row"),
			text("系统", "System", "该数字所说的系统、平台或行动", "System, platform or campaign the figure is about"),
			text("指标", "Indicator", "数字说明的事情", "What the figure counts"),
			text("限定", "Qualifier", "报道所用的限定词；空为原数", "Word the article puts with the figure; empty where it states it plainly").
				coded(words("超过", "more than", "约", "about")...),
			fraction("数值", "Value", "", "报道中的数，“万”“亿”已展开", "The figure as printed, with 万 and 亿 written out"),
			text("单位", "Unit", "数值的单位", "Unit of the value"),
			text("英文说明", "In English", "指标的英文说明", "The indicator in English"),
		},
		rows: func(put func(...string)) {
			for i, f := range articleFigures {
				put(itoa(i+1), f.system, f.indicator, f.qualifier, f.value, f.unit, f.english)
			}
		},
	}
	return []Dataset{{Organization: editors, Meta: catalog.Dataset{
		Slug:  "wuxi-smart-city-figures-2022",
		Title: catalog.Text{Zh: "无锡城市治理数字化报道中的数字（2022年1月）", En: "Figures of a newspaper article on Wuxi's digital government (January 2022)"},
		Description: catalog.Text{
			Zh: "2022年1月一篇报纸报道介绍了无锡的城运中心、微幸福、锡心办、灵锡、一件事等系统。本数据集逐条收录其中的数字，每行一个，连同“超过”“约”等限定词。\n\n**数字照报道抄录，未向有关部门核实**；统计口径和时点以报道为准，多为2021年底前后。样本极小，不宜用于推断，适合用来了解本平台。",
			En: "A newspaper article of January 2022 described systems of Wuxi's administration: the city operations centre, the livelihood programme, the office platform, the city app and others. This dataset lists its figures one by one, with the qualifiers it used (“more than”, “about”).\n\n**The figures are copied from the article and were not checked with the departments**; what and when they count is as the article has it, mostly about the end of 2021. It is tiny and no base for inference, but a good way to get to know the portal.",
		},
		Themes: []string{"other", "science"}, Keywords: []string{"城市治理", "数字政府", "一件事", "灵锡", "城运中心"},
		Region: "320200", Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional, Frequency: "never", Spatial: "无锡市", TemporalStart: "2021", TemporalEnd: "2022-01",
		Language: "zh-CN", Contact: catalog.Contact{Unit: "本站编辑", Phone: "0510-0000 0019", Mail: "editors@sample.invalid"}, SecurityLevel: "L1",
		SourceNote: catalog.Text{
			Zh: "数字摘自2022年1月的一篇报纸报道，为事实性数据，未经核实；整理和英文说明由太湖平台完成。",
			En: "Figures taken from a newspaper article of January 2022: facts as printed, not verified. Arranged and put into English by Taihu.",
		},
		Identifiers: []string{"TAIHU-ARTICLE-2022-01"},
	}, Releases: []Release{release("2022-01", "首次发布。", "First release.", figures)}}}
}

var articleFigures = []struct{ system, indicator, qualifier, value, unit, english string }{
	{"城运中心", "接入部门", "", "14", "个", "departments connected to the city operations centre"},
	{"城运中心", "感知设备", "超过", "2000", "台", "sensing devices"},
	{"城运中心", "监测项", "超过", "6000", "项", "monitored items"},
	{"城运中心", "视频监控", "超过", "220000", "路", "video feeds"},
	{"微幸福", "征集民生事项", "", "1291", "件", "livelihood requests collected"},
	{"微幸福", "办结率", "超过", "95", "%", "share of requests closed"},
	{"微幸福", "满意率", "", "100", "%", "satisfaction with closed requests"},
	{"锡心办", "覆盖市级机关", "", "80", "家", "city organs covered by the office platform"},
	{"锡心办", "覆盖区级机关", "", "267", "家", "district organs covered"},
	{"锡心办", "覆盖街道", "", "41", "个", "streets covered"},
	{"锡心办", "覆盖社区", "", "123", "个", "communities covered"},
	{"灵锡", "注册用户", "超过", "5780000", "人", "users of the city app"},
	{"灵锡", "日活峰值", "", "1350000", "人", "peak of daily active users"},
	{"灵锡", "服务事项", "超过", "700", "项", "services in the app"},
	{"一件事", "一件事事项", "", "59", "件", "bundles of services, each with a code"},
	{"一件事", "政务服务网上可办率", "", "97.8", "%", "share of government services that can be done online"},
	{"一件事", "不见面办理率", "", "91.9", "%", "share of services done without a visit"},
	{"公共数据开放平台", "开放能力全国排名", "", "6", "位", "rank of the open data platform in the country, as the article has it"},
	{"公共数据开放平台", "开放能力全省排名", "", "1", "位", "rank in the province, as the article has it"},
	{"智慧停车", "联网停车泊位", "", "240000", "个", "parking spaces connected"},
	{"智慧停车", "新增停车泊位", "", "24000", "个", "new parking spaces"},
	{"精细化管理", "整治背街小巷", "", "250", "条", "back streets improved"},
	{"精细化管理", "背街小巷整治投资", "", "870000000", "元", "money spent on back streets"},
	{"精细化管理", "城市公厕", "", "148", "座", "public toilets in the city"},
	{"精细化管理", "农村公厕", "", "337", "座", "public toilets in the country"},
	{"精细化管理", "公厕联盟", "", "300", "座", "toilets of others opened to the public"},
	{"精细化管理", "路灯", "", "94", "盏", "street lamps"},
	{"产业", "高新技术企业", "约", "4600", "家", "high-tech firms"},
	{"产业", "规模以上数字经济企业", "", "1482", "家", "larger firms of the digital economy"},
	{"产业", "规模以上数字经济企业营业收入", "", "537170000000", "元", "revenue of these firms"},
	{"产业", "规模以上数字经济企业营业收入增长", "", "23.3", "%", "growth of that revenue"},
	{"城市", "常住人口", "", "7460000", "人", "residents"},
}
