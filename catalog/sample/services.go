package sample

import (
	"time"

	"taihu/catalog"
)

func services() []Dataset { return []Dataset{hotline(), livelihood(), serviceItems()} }

var hotlineSubjects = []struct {
	zh, en, office string
	days           int
}{
	{"噪声扰民", "Noise", "生态环境部门", 5}, {"停车管理", "Parking", "城市管理部门", 3}, {"物业服务", "Housing management", "住房建设部门", 7}, {"供水供气", "Water and gas", "公用事业单位", 2},
	{"道路破损", "Damaged roads", "交通部门", 5}, {"公交出行", "Buses", "交通部门", 5}, {"教育咨询", "Schools", "教育部门", 3}, {"医保社保", "Social insurance", "医保部门", 3}, {"消费维权", "Consumer complaints", "市场监管部门", 10}, {"园林绿化", "Greenery", "城市管理部门", 5},
}

func hotline() Dataset {
	s := sheet{
		file: "orders.csv", form: csvPlain, title: catalog.Text{Zh: "热线工单", En: "Requests"},
		columns: []column{
			text("工单号", "Request", "工单号，脱敏后重新编号", "Number, given anew"),
			datetime("受理时间", "Received at", "受理时间，归并到整点", "When received, to the hour"),
			text("诉求类型", "Kind", "诉求类型", "Kind").coded(words("投诉", "Complaint", "求助", "Call for help", "咨询", "Question", "建议", "Suggestion", "表扬", "Praise")...),
			text("一级分类", "Subject", "诉求事项分类", "Subject"),
			colArea,
			text("承办单位", "Handled by", "承办单位类别", "Kind of office that handled it"),
			whole("办理时限", "Limit", "d", "办理时限，工作日", "Working days allowed"),
			date("办结日期", "Closed on", "办结日期；空为在办", "Day when closed; empty while open"),
			text("是否满意", "Satisfied", "回访结果；空为未回访", "Answer when asked; empty where not asked").coded(words("满意", "yes", "不满意", "no")...),
		},
		rows: func(put func(...string)) {
			r := stream("hotline")
			const count = 42000
			for n := range count {
				hour := n * 92 * 24 / count
				at := day(2025, 7, 1).AddDate(0, 0, hour/24).Add(time.Duration(clamp(13+r.noise(4), 0, 23)) * time.Hour)
				k := hotlineSubjects[r.weighted([]int{14, 19, 15, 8, 7, 6, 8, 9, 10, 4})]
				closed, happy := "", ""
				if r.chance(968) {
					closed = at.AddDate(0, 0, 1+r.below(k.days+2)).Format(isoDate)
					if r.chance(610) {
						happy = []string{"满意", "不满意"}[r.weighted([]int{94, 6})]
					}
				}
				put("GD2025"+padded(n+1, 6), at.Format(isoMinute), []string{"投诉", "求助", "咨询", "建议", "表扬"}[r.weighted([]int{34, 26, 31, 7, 2})], k.zh, anArea(r).name, k.office, itoa(k.days), closed, happy)
			}
		},
	}
	for _, k := range hotlineSubjects {
		s.columns[3].words.Codes = append(s.columns[3].words.Codes, code(k.zh, k.zh, k.en))
	}
	return simulated("sjj", catalog.Dataset{
		Slug:  "hotline-requests",
		Title: catalog.Text{Zh: "政务热线工单（脱敏）", En: "Requests to the service hotline, without persons"},
		Description: catalog.Text{
			Zh: "2025年第三季度政务热线工单：受理时间、诉求类型和分类、区县、承办单位类别、时限、办结日期和回访结果。没有诉求人、电话和内容文本，时间归并到整点。\n\n可用来观察各类诉求的办理时长和满意度。回访只覆盖约六成工单。",
			En: "Requests to the service hotline in the third quarter of 2025: when received, kind, subject, district, kind of office, limit, when closed, and satisfaction. There are no callers, numbers or texts, and times are to the hour.\n\nGood for looking at how long requests take. Only about six in ten callers were asked about satisfaction.",
		},
		Themes: []string{"living", "other"}, Keywords: []string{"12345", "热线", "工单", "诉求", "满意度"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "quarterly", TemporalStart: "2025-07-01", TemporalEnd: "2025-09-30", Identifiers: []string{"320200-SJJ-0008"}, SecurityLevel: "L2",
	}, release("2025-09-30", "2025年第三季度。", "Third quarter of 2025.", s))
}

func livelihood() Dataset {
	s := sheet{
		file: "matters.xlsx", form: xlsx, title: catalog.Text{Zh: "微幸福民生事项", En: "Livelihood matters"},
		columns: []column{
			text("事项编号", "Matter", "事项编号", "Number of the matter"),
			text("来源", "Source", "征集渠道", "How it came in").coded(words("线上征集", "Online", "社区走访", "Visits", "热线", "Hotline", "代表建议", "Deputies")...),
			text("诉求类别", "Subject", "诉求类别", "Subject"),
			colArea,
			colStreet,
			date("受理日期", "Received on", "受理日期", "Day when received"),
			date("办结日期", "Closed on", "办结日期；空为在办", "Day when closed; empty while open"),
			text("状态", "State", "办理状态", "State").coded(words("已办结", "Closed", "在办", "Open")...),
			whole("满意度", "Rating", "星", "回访评分，1至5星；空为未评", "Stars from 1 to 5; empty where not rated"),
		},
		rows: func(put func(...string)) {
			r := stream("livelihood")
			for n := range 1291 {
				a, at := anArea(r), day(2021, 3, 1).AddDate(0, 0, n*290/1291)
				closed, state, stars := "", "在办", ""
				if n%24 != 11 { // 95.8 % are closed
					closed, state, stars = at.AddDate(0, 0, r.between(6, 75)).Format(isoDate), "已办结", r.orEmpty(300, []string{"5", "4"}[r.weighted([]int{8, 2})])
				}
				put("WXF"+padded(n+1, 5), pick(r, []string{"线上征集", "线上征集", "社区走访", "热线", "代表建议"}), pick(r, []string{"加装扶手", "路灯补亮", "停车泊位", "垃圾投放点", "健身设施", "公交站亭", "积水点整治", "晾衣设施"}), a.name, pick(r, a.streets), at.Format(isoDate), closed, state, stars)
			}
		},
	}
	return simulated("sjj", catalog.Dataset{
		Slug:  "livelihood-matters",
		Title: catalog.Text{Zh: "微幸福民生事项", En: "Small livelihood matters"},
		Description: catalog.Text{
			Zh: "“微幸福”民生事项的征集和办理情况，共1291件，件数与公开报道一致，各件内容为模拟。含来源、类别、区县街道、受理和办结日期、状态和评分。评分只由已办结并回访的事项给出，请连同评分人数一起看。",
			En: "Small matters that residents asked for and what became of them: 1,291, the number reported in public, each of them simulated. Source, subject, street, dates, state and rating. Only closed matters were rated, and not all: look at the number of raters too.",
		},
		Themes: []string{"living", "relief"}, Keywords: []string{"微幸福", "民生", "办结率", "满意度"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "monthly", TemporalStart: "2021-03", TemporalEnd: "2021-12", Identifiers: []string{"320200-SJJ-0011"},
	}, release("2021-12", "首次发布。", "First release.", s))
}

func serviceItems() Dataset {
	subjects := []string{"户籍", "社保", "企业开办", "不动产", "就医", "入学", "公积金", "车辆", "婚姻", "养老", "工程建设", "食品经营"}
	items := func(count int, online int) sheet {
		return sheet{
			file: "items.ndjson", form: jsonLines, title: catalog.Text{Zh: "政务服务事项", En: "Government services"},
			columns: []column{
				text("事项编码", "Item", "事项编码", "Code of the item"),
				text("事项名称", "Name", "事项名称", "Name of the item"),
				text("类型", "Kind", "事项类型", "Kind").coded(words("行政许可", "Permit", "行政确认", "Confirmation", "公共服务", "Public service", "行政给付", "Benefit")...),
				text("实施主体", "Office", "实施主体", "Office that does it"),
				whole("法定时限", "Legal limit", "d", "法定办结时限，工作日；空为即办", "Working days by law; empty where done at once"),
				whole("承诺时限", "Promised limit", "d", "承诺办结时限，工作日", "Working days promised"),
				newColumn(catalog.Boolean, "网上可办", "Online", "", "是否可网上办理", "Whether it can be done online"),
				text("一件事代码", "Bundle", "所属“一件事”的代码；空为不属于任何一件事", "Code of the bundle it belongs to; empty where none"),
			},
			rows: func(put func(...string)) {
				r := stream("service-items")
				for n := range count {
					subject, legal, isOnline, bundle := pick(r, subjects), r.between(1, 12)*5, "true", ""
					if r.below(1000) >= online {
						isOnline = "false"
					}
					if r.chance(210) {
						bundle = "YJS" + padded(r.between(1, 59), 3)
					}
					limit := itoa(legal)
					if r.chance(190) {
						limit, legal = "", 1
					}
					put("32020"+padded(n+1, 7), subject+pick(r, []string{"登记", "变更", "查询", "申领", "注销", "备案", "信息核验"})+"（示例"+padded(n+1, 4)+"）", []string{"行政许可", "行政确认", "公共服务", "行政给付"}[r.weighted([]int{22, 20, 48, 10})], pick(r, publishers[1:18]).zh, limit, itoa(max(legal*r.between(10, 50)/100, 1)), isOnline, bundle)
				}
			},
		}
	}
	return simulated("spj", catalog.Dataset{
		Slug:  "government-services",
		Title: catalog.Text{Zh: "政务服务事项目录", En: "Catalogue of government services"},
		Description: catalog.Text{
			Zh: "政务服务事项的编码、名称、类型、实施主体、法定和承诺时限、是否网上可办，以及所属“一件事”的代码（共59件）。事项名称为示例。新版有更多事项可以网上办理。",
			En: "Government services with code, name, kind, office, legal and promised limits, whether they can be done online, and the bundle they belong to (59 in all). Names are samples. In the newer release more can be done online.",
		},
		Themes: []string{"legal", "living"}, Keywords: []string{"政务服务", "一件事", "网上办理", "承诺时限"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "weekly", TemporalStart: "2025-06", TemporalEnd: "2025-12", Identifiers: []string{"320200-SPJ-0001"},
	}, release("2025-06", "首次发布。", "First release.", items(2340, 936)), release("2025-12", "新增72项；网上可办率提高到97.8%左右。", "72 new items; about 97.8 % can now be done online.", items(2412, 978)))
}
