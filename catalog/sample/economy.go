package sample

import "taihu/catalog"

func economy() []Dataset {
	return []Dataset{highTech(), digitalEconomy(), budget(), population()}
}

func highTech() Dataset {
	list := func(years int) sheet {
		return sheet{
			file: "firms.csv", form: csvPlain, title: catalog.Text{Zh: "高新技术企业", En: "High-tech firms"},
			columns: []column{
				text("企业名称", "Firm", "企业名称（虚构）", "Name (invented)"),
				text("统一社会信用代码", "Credit code", "虚构代码", "Invented code"),
				text("证书编号", "Certificate", "高新技术企业证书编号（虚构）", "Number of the certificate (invented)"),
				date("发证日期", "Issued on", "发证日期", "Day of issue"),
				whole("有效期", "Valid for", "年", "证书有效期", "How long the certificate holds"),
				colArea,
				text("技术领域", "Field", "技术领域", "Field of technology").coded(words("电子信息", "Electronics", "生物与新医药", "Biology and medicine", "新材料", "New materials", "先进制造", "Advanced manufacturing", "新能源与节能", "New energy", "资源与环境", "Environment")...),
			},
			rows: func(put func(...string)) {
				n := 0
				for y := range years {
					r := stream("high-tech-" + itoa(y))
					for range []int{1490, 1520, 1590}[y] {
						n++
						name, id := firm(r, 20000+n, pick(r, []string{"智能装备", "生物科技", "新材料", "微电子", "环境科技", "新能源"}))
						put(name, id, "GRSIM"+itoa(2022+y)+padded(n, 5), day(2022+y, 10, 12).AddDate(0, 0, r.below(62)).Format(isoDate), "3", anArea(r).name, []string{"电子信息", "生物与新医药", "新材料", "先进制造", "新能源与节能", "资源与环境"}[r.weighted([]int{24, 9, 17, 36, 9, 5})])
					}
				}
			},
		}
	}
	return simulated("kjj", catalog.Dataset{
		Slug:  "high-tech-firms",
		Title: catalog.Text{Zh: "高新技术企业名单", En: "High-tech firms"},
		Description: catalog.Text{
			Zh: "有效期内的高新技术企业名单：企业、证书编号、发证日期、区县和技术领域。最新一版共4600家，数量与公开报道相近，企业全部虚构。",
			En: "High-tech firms with a valid certificate: firm, certificate, day of issue, district and field. The newest release has 4,600, about the number reported in public; all firms are invented.",
		},
		Themes: []string{"science"}, Keywords: []string{"高新技术企业", "科技", "证书", "创新"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "annual", TemporalStart: "2022", TemporalEnd: "2024", Identifiers: []string{"320200-KJJ-0001"},
	}, release("2023", "2022、2023年发证的企业。", "Firms certified in 2022 and 2023.", list(2)), release("2024", "增加2024年发证的1590家。", "Adds the 1,590 firms certified in 2024.", list(3)))
}

func digitalEconomy() Dataset {
	sectors := []struct {
		zh, en                 string
		firms, revenue, growth int // revenue in 0.01 × 100 million yuan a quarter, growth in 0.1 %
	}{{"集成电路", "Integrated circuits", 286, 38200, 182}, {"物联网", "Internet of things", 412, 29800, 205}, {"软件和信息服务", "Software and services", 358, 16400, 168}, {"电子元器件", "Electronic components", 264, 31500, 94}, {"智能装备", "Smart machinery", 118, 12700, 121}, {"云计算和大数据", "Cloud and big data", 44, 5700, 233}}
	s := sheet{
		file: "quarters.csv", form: csvPlain, title: catalog.Text{Zh: "季度指标", En: "Quarterly figures"},
		columns: []column{
			text("季度", "Quarter", "季度，如2025Q1", "Quarter, such as 2025Q1"),
			text("行业", "Sector", "行业", "Sector"),
			whole("企业数", "Firms", "家", "规模以上企业数", "Number of larger firms"),
			fraction("营业收入", "Revenue", "亿元", "当季营业收入", "Revenue of the quarter"),
			fraction("同比", "Growth", "%", "营业收入同比增长", "Growth against a year before"),
			fraction("研发投入占比", "R&D share", "%", "研发投入占营业收入的比重；空为未调查", "Share of research in revenue; empty where not asked"),
		},
		rows: func(put func(...string)) {
			r := stream("digital-economy")
			for q := range 16 {
				for _, x := range sectors {
					research := fixed(r.between(38, 121), 1)
					if q%4 != 3 {
						research = "" // asked in the fourth quarter only
					}
					put(itoa(2022+q/4)+"Q"+itoa(q%4+1), x.zh, itoa(x.firms*(94+q/2)/100), fixed(x.revenue*(100+q*3)/100*[]int{90, 99, 102, 109}[q%4]/100*(100+r.noise(2))/100, 2), fixed(x.growth-q*4+r.noise(22), 1), research)
				}
			}
		},
	}
	for _, x := range sectors {
		s.columns[1].words.Codes = append(s.columns[1].words.Codes, code(x.zh, x.zh, x.en))
	}
	return simulated("tjj", catalog.Dataset{
		Slug:  "digital-economy-quarterly",
		Title: catalog.Text{Zh: "规模以上数字经济企业季度指标", En: "Larger firms of the digital economy, by quarter"},
		Description: catalog.Text{
			Zh: "2022年至2025年规模以上数字经济企业分行业的季度指标：企业数、营业收入、同比和研发投入占比。均为汇总数，不涉及单个企业。研发投入占比只在第四季度调查。",
			En: "Quarterly figures of larger firms of the digital economy by sector from 2022 to 2025: firms, revenue, growth and share of research. Sums only, no single firms. The share of research is asked in the fourth quarter only.",
		},
		Themes: []string{"industry", "science"}, Keywords: []string{"数字经济", "营业收入", "季度", "统计"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "quarterly", TemporalStart: "2022", TemporalEnd: "2025", Identifiers: []string{"320200-TJJ-0005"},
	}, release("2025", "2022年至2025年。", "From 2022 to 2025.", s))
}

func budget() Dataset {
	subjects := []struct {
		code, name string
		sum        int // 10,000 yuan
	}{
		{"201", "一般公共服务支出", 812400}, {"204", "公共安全支出", 604300}, {"205", "教育支出", 1684000}, {"206", "科学技术支出", 612800}, {"207", "文化旅游体育与传媒支出", 168500}, {"208", "社会保障和就业支出", 1395600}, {"210", "卫生健康支出", 842100},
		{"211", "节能环保支出", 251700}, {"212", "城乡社区支出", 1522300}, {"213", "农林水支出", 392600}, {"214", "交通运输支出", 284100}, {"221", "住房保障支出", 547900}, {"224", "灾害防治及应急管理支出", 96400},
	}
	through := func(months int) sheet {
		return sheet{
			file: "budget.xlsx", form: xlsx, title: catalog.Text{Zh: "预算执行", En: "Budget"}, above: []string{"2025年一般公共预算支出执行情况表（示例）", "单位：万元"},
			columns: []column{
				text("科目编码", "Item", "政府收支分类科目编码，三位为类，五位为款", "Code of the item: three digits a class, five a division"),
				text("科目名称", "Name", "科目名称", "Name of the item"),
				whole("月份", "Month", "月", "累计至该月", "Through this month"),
				whole("预算数", "Budget", "万元", "全年预算数", "Budget of the year"),
				whole("执行数", "Spent", "万元", "累计执行数", "Spent so far"),
				fraction("完成率", "Done", "%", "累计执行数占预算数的比重", "Share of the budget spent"),
				fraction("同比", "Growth", "%", "比上年同期增长；空为上年无此科目", "Against a year before; empty where it is new"),
			},
			rows: func(put func(...string)) {
				r := stream("budget")
				for m := range months {
					for _, s := range subjects {
						for d := range 4 {
							id, name, sum := s.code, s.name, s.sum
							if d > 0 {
								id, name, sum = s.code+padded(d, 2), s.name[:len(s.name)-len("支出")]+"款"+itoa(d), s.sum*[]int{0, 46, 31, 23}[d]/100
							}
							share := clamp((m+1)*1000/12+r.noise(14)-12, 20, 1000)
							put(id, name, itoa(m+1), itoa(sum), itoa(sum*share/1000), fixed(share, 1), r.orEmpty(15, fixed(r.between(-60, 130), 1)))
						}
					}
				}
			},
		}
	}
	return simulated("czj", catalog.Dataset{
		Slug:  "budget-execution",
		Title: catalog.Text{Zh: "一般公共预算支出执行情况", En: "Public budget: spending so far"},
		Description: catalog.Text{
			Zh: "2025年一般公共预算支出各科目按月累计的执行数，与全年预算数和上年同期比较，单位为万元。原始文件是机关常用的样式：表头上方有标题和“单位：万元”两行。",
			En: "Spending by item of the public budget of 2025, summed from the start of the year, against the budget and a year before, in 10,000 yuan. The upload is a workbook as offices make them, with a title and the unit above the header.",
		},
		Themes: []string{"finance"}, Keywords: []string{"预算", "财政支出", "预算执行", "科目"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "monthly", TemporalStart: "2025-01", TemporalEnd: "2025-09", Identifiers: []string{"320200-CZJ-0001"},
	}, release("2025-06", "1至6月。", "January to June.", through(6)), release("2025-09", "增加7至9月。", "Adds July to September.", through(9)))
}

func population() Dataset {
	s := sheet{
		file: "population.csv", form: csvPlain, title: catalog.Text{Zh: "街道常住人口", En: "Residents by street"},
		columns: []column{
			whole("年份", "Year", "", "年末数", "End of the year"),
			colAreaCode,
			colArea,
			colStreet,
			whole("常住人口", "Residents", "人", "年末常住人口，取整到百", "Residents at the end of the year, rounded to hundreds"),
			fraction("面积", "Area", "km²", "街道面积", "Area of the street"),
			fraction("60岁以上占比", "Aged 60 and over", "%", "60岁及以上人口占比；空为未推算", "Share of residents aged 60 or more; empty where not estimated"),
		},
		rows: func(put func(...string)) {
			for _, a := range areas {
				for _, street := range a.streets {
					r := stream("population-" + street)
					people, size, old := 7460000*a.weight/1000/len(a.streets)*r.between(70, 135)/100, r.between(600, 7600), r.between(190, 310)
					for y := range 6 {
						people = people * (1000 + r.between(-4, 11)) / 1000
						put(itoa(2020+y), a.code, a.name, street, itoa(people/100*100), fixed(size, 2), r.orEmpty(35, fixed(old+y*7, 1)))
					}
				}
			}
		},
	}
	return simulated("tjj", catalog.Dataset{
		Slug:  "population-by-street",
		Title: catalog.Text{Zh: "分街道常住人口", En: "Residents by street office"},
		Description: catalog.Text{
			Zh: "2020年至2025年各街道和镇的年末常住人口、面积和老年人口占比。人口取整到百，各街道的数字为模拟，全市合计大致与公开数相当。",
			En: "Residents, area and share of the old in each street office and town from 2020 to 2025. Numbers are rounded to hundreds; each is simulated, the sum is about the published one.",
		},
		Themes: []string{"employment", "geography"}, Keywords: []string{"常住人口", "街道", "人口密度", "老龄化"},
		Licence: "CC-BY-SA-4.0", OpenAttribute: catalog.Unconditional, Frequency: "annual", TemporalStart: "2020", TemporalEnd: "2025", Identifiers: []string{"320200-TJJ-0002"},
	}, release("2025", "2020年至2025年。", "From 2020 to 2025.", s))
}
