package sample

import (
	"strings"

	"taihu/catalog"
)

func market() []Dataset { return []Dataset{registrations(), foodChecks(), permits()} }

// firm makes an obviously invented firm. Its code cannot be a real one: real
// ones have neither the letter I nor the letter S.
func firm(r *random, n int, trade string) (name, creditCode string) {
	return "示例" + pick(r, []string{"云帆", "青禾", "远山", "星渡", "白鹭", "松涛", "鲸浪", "晨曦", "锦程", "沐风"}) + padded(n, 5) + trade + pick(r, []string{"有限公司", "有限公司", "有限公司", "有限责任公司", "有限责任公司", "股份有限公司"}), "913202SIM" + padded(n, 9)
}

var trades = []struct{ code, zh, en, word string }{
	{"C", "制造业", "Manufacturing", "精密机械"}, {"E", "建筑业", "Construction", "建设工程"}, {"F", "批发和零售业", "Trade", "商贸"}, {"G", "交通运输、仓储和邮政业", "Transport and storage", "物流"},
	{"H", "住宿和餐饮业", "Hotels and restaurants", "餐饮管理"}, {"I", "信息传输、软件和信息技术服务业", "Information technology", "信息技术"}, {"L", "租赁和商务服务业", "Business services", "商务服务"}, {"M", "科学研究和技术服务业", "Research and technical services", "科技"},
}

func tradeCodes() (list []catalog.Code) {
	for _, t := range trades {
		list = append(list, code(t.code, t.zh, t.en))
	}
	return list
}

func registrations() Dataset {
	s := sheet{
		file: "enterprises.csv", form: csvGB18030, title: catalog.Text{Zh: "企业登记", En: "Registered firms"},
		columns: []column{
			text("统一社会信用代码", "Credit code", "虚构代码，含真实代码不用的字母", "Invented code with letters that real ones never have"),
			text("企业名称", "Firm", "企业名称（虚构）", "Name (invented)"),
			text("企业类型", "Kind", "企业类型", "Kind of firm").coded(words("有限责任公司", "Limited company", "股份有限公司", "Company limited by shares")...),
			fraction("注册资本", "Capital", "万元", "注册资本", "Registered capital"),
			date("成立日期", "Founded on", "成立日期", "Day of foundation"),
			text("登记机关", "Registered at", "登记机关", "Registry"),
			text("行业门类代码", "Section", "国民经济行业门类（GB/T 4754）", "Section of the economy (GB/T 4754)").coded(tradeCodes()...),
			text("经营范围", "Business", "经营范围摘要", "Summary of the business"),
			text("登记状态", "State", "登记状态", "State").coded(words("在业", "Active", "注销", "Dissolved", "吊销", "Revoked")...),
		},
		rows: func(put func(...string)) {
			r := stream("registrations")
			for n := range 12000 {
				t := trades[r.weighted([]int{24, 8, 30, 5, 7, 10, 9, 7})]
				name, id := firm(r, n+1, t.word)
				kind := "有限责任公司"
				if strings.HasSuffix(name, "股份有限公司") {
					kind = "股份有限公司"
				}
				put(id, name, kind, r.orEmpty(9, fixed(r.between(1, 40)*r.between(1, 60)*2500, 2)), day(2001, 1, 1).AddDate(0, 0, 9100-r.below(96)*r.below(96)).Format(isoDate), anArea(r).name+"市场监督管理部门", t.code,
					"一般项目："+t.zh+"相关业务；技术咨询；货物进出口，依法自主开展经营活动", []string{"在业", "注销", "吊销"}[r.weighted([]int{86, 12, 2})])
			}
		},
	}
	return simulated("scjg", catalog.Dataset{
		Slug:  "enterprise-registrations",
		Title: catalog.Text{Zh: "企业注册登记信息", En: "Registered firms"},
		Description: catalog.Text{
			Zh: "企业注册登记信息：名称、类型、注册资本、成立日期、登记机关、行业门类、经营范围和登记状态。企业全部虚构，信用代码含真实代码不用的字母I和S，不会与任何企业重合；不含法定代表人等个人信息。",
			En: "Registered firms: name, kind, capital, foundation, registry, section, business and state. All firms are invented; their codes have the letters I and S, which real ones never have. No persons are named.",
		},
		Themes: []string{"market", "credit"}, Keywords: []string{"企业", "注册登记", "市场主体", "注册资本"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "daily", TemporalStart: "2001", TemporalEnd: "2025-11-30", Identifiers: []string{"320200-SCJG-0001"},
	}, release("2025-11-30", "首次发布。", "First release.", s))
}

func foodChecks() Dataset {
	s := sheet{
		file: "checks.csv", form: csvPlain, title: catalog.Text{Zh: "食品抽检", En: "Food checks"},
		columns: []column{
			text("抽样编号", "Sample", "抽样单编号", "Number of the sample"),
			text("食品大类", "Food", "食品大类", "Class of food").coded(words("粮食加工品", "Grain", "乳制品", "Dairy", "肉制品", "Meat", "蔬菜", "Vegetables", "水产", "Fish", "糕点", "Pastry", "豆制品", "Bean products", "餐饮食品", "Meals")...),
			text("抽样环节", "Taken at", "抽样环节", "Where it was taken").coded(words("生产", "Producer", "流通", "Shop", "餐饮", "Restaurant")...),
			colArea,
			date("抽样日期", "Taken on", "抽样日期", "Day when taken"),
			text("结论", "Result", "检验结论", "Result").coded(words("合格", "Passed", "不合格", "Failed")...),
			text("不合格项目", "Failed in", "不合格项目；合格为空", "What it failed in; empty where it passed"),
			text("备注", "Remark", "备注", "Remark"),
		},
		rows: func(put func(...string)) {
			r := stream("food")
			for n := range 5200 {
				result, why, remark := "合格", "", ""
				if r.chance(21) {
					result, why = "不合格", pick(r, []string{"菌落总数", "农药残留量", "食品添加剂", "水分", "过氧化值（以脂肪计）"})
					remark = r.orEmpty(300, "已立案，复检申请\"未提出\"")
				}
				put("SP25"+padded(n+1, 6), pick(r, []string{"粮食加工品", "乳制品", "肉制品", "蔬菜", "水产", "糕点", "豆制品", "餐饮食品"}), []string{"生产", "流通", "餐饮"}[r.weighted([]int{2, 5, 3})], anArea(r).name, day(2025, 1, 2).AddDate(0, 0, n*330/5200).Format("2006/1/2"), result, why, remark)
			}
		},
	}
	return simulated("scjg", catalog.Dataset{
		Slug:  "food-checks",
		Title: catalog.Text{Zh: "食品安全监督抽检结果", En: "Results of food safety checks"},
		Description: catalog.Text{
			Zh: "2025年食品安全监督抽检的结果：食品大类、抽样环节、区县、日期、结论和不合格项目。不含被抽样单位。不合格率约2%。",
			En: "Results of food safety checks in 2025: class of food, where and when taken, result, and what failed. The businesses are not named. About 2 % failed.",
		},
		Themes: []string{"market", "health"}, Keywords: []string{"食品安全", "抽检", "不合格"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "weekly", TemporalStart: "2025-01-02", TemporalEnd: "2025-11-30", Identifiers: []string{"320200-SCJG-0006"},
	}, release("2025-11-30", "2025年1月至11月。", "January to November 2025.", s))
}

func permits() Dataset {
	s := sheet{
		file: "permits.csv", form: csvPlain, title: catalog.Text{Zh: "行政许可", En: "Permits"},
		columns: []column{
			text("许可文书号", "Document", "许可决定文书号（虚构）", "Number of the decision (invented)"),
			text("行政相对人名称", "Holder", "取得许可的企业（虚构）", "Firm that holds it (invented)"),
			text("统一社会信用代码", "Credit code", "虚构代码", "Invented code"),
			text("许可类别", "Kind", "许可类别", "Kind").coded(words("普通", "Ordinary", "核准", "Approval", "登记", "Registration", "特许", "Concession")...),
			text("许可内容", "What for", "许可内容", "What it permits"),
			date("决定日期", "Decided on", "决定日期", "Day of decision"),
			date("有效期至", "Valid to", "有效期截止日；空为长期", "End; empty where it has none"),
			text("许可机关", "Authority", "许可机关", "Authority"),
		},
		rows: func(put func(...string)) {
			r := stream("permits")
			for n := range 6800 {
				t := pick(r, trades)
				name, id := firm(r, r.between(1, 12000), t.word)
				at := day(2024, 1, 2).AddDate(0, 0, n*700/6800)
				put("锡审（示例）〔"+itoa(at.Year())+"〕"+itoa(n+1)+"号", name, id, []string{"普通", "核准", "登记", "特许"}[r.weighted([]int{60, 22, 16, 2})], pick(r, []string{"食品经营许可", "公共场所卫生许可", "道路运输经营许可", "城市建筑垃圾处置核准", "户外广告设置许可", "特种设备使用登记"}), at.Format(isoDate), r.orEmpty(260, at.AddDate(r.between(1, 5), 0, -1).Format(isoDate)), "行政审批局")
			}
		},
	}
	return simulated("spj", catalog.Dataset{
		Slug:  "administrative-permits",
		Title: catalog.Text{Zh: "行政许可信息公示", En: "Permits granted"},
		Description: catalog.Text{
			Zh: "2024年以来作出的行政许可决定：文书号、相对人、许可类别和内容、决定日期和有效期。相对人均为虚构企业，没有自然人。",
			En: "Permits granted since 2024: document, holder, kind and content, day of decision and validity. All holders are invented firms; there are no persons.",
		},
		Themes: []string{"credit", "legal"}, Keywords: []string{"行政许可", "双公示", "审批"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "daily", TemporalStart: "2024-01-02", TemporalEnd: "2025-12-01", Identifiers: []string{"320200-SPJ-0004"},
	}, release("2025-12-01", "首次发布。", "First release.", s))
}
