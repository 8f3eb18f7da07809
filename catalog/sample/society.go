package sample

import "taihu/catalog"

func society() []Dataset { return []Dataset{schools(), clinics(), pharmacies()} }

func schools() Dataset {
	stages := words("幼儿园", "Kindergarten", "小学", "Primary school", "初中", "Junior secondary school", "高中", "Senior secondary school", "九年一贯制", "Nine-year school", "中等职业学校", "Vocational school")
	list := func(count int, year int) sheet {
		return sheet{
			file: "schools.csv", form: csvPlain, title: catalog.Text{Zh: "学校名录", En: "Schools"},
			columns: []column{
				text("学校代码", "School code", "学校代码（虚构）", "Code of the school (invented)"),
				text("学校名称", "School", "学校名称（虚构）", "Name of the school (invented)"),
				text("学段", "Stage", "办学类型", "Kind of school").coded(stages...),
				text("办学性质", "Run by", "办学性质", "Who runs it").coded(words("公办", "The state", "民办", "Others")...),
				colArea,
				colAddress,
				whole("班级数", "Classes", "个", "班级数", "Number of classes"),
				whole("学生数", "Pupils", "人", "在校学生数；空为未上报", "Number of pupils; empty where not reported"),
				text("联系电话", "Phone", "学校总机（虚构号码）", "Switchboard (invented number)"),
			},
			rows: func(put func(...string)) {
				r, later := stream("schools"), stream("schools-"+itoa(year))
				for n := range count {
					a, k := anArea(r), r.weighted([]int{48, 26, 12, 5, 6, 3})
					classes := r.between([]int{6, 18, 18, 24, 30, 26}[k], []int{18, 48, 42, 54, 72, 90}[k])
					size, run := r.between(26, 46), "公办"
					if r.chance([]int{380, 60, 90, 120, 200, 240}[k]) {
						run = "民办"
					}
					name := pick(r, lotNames) + pick(r, []string{"第一", "第二", "实验", "中心", "外国语", ""}) + []string{"幼儿园", "小学", "初级中学", "高级中学", "学校", "中等专业学校"}[k]
					if year > 2024 && k == 0 {
						classes = max(classes-later.below(3), 3) // fewer children
					}
					put("S"+a.code[4:]+padded(n+1, 5), a.name+name, stages[k].Value, run, a.name, a.address(r), itoa(classes), r.orEmpty(21, itoa(classes*size)), r.orEmpty(60, "0510-0000 "+padded(r.below(10000), 4)))
				}
			},
		}
	}
	return simulated("jyj", catalog.Dataset{
		Slug:  "schools",
		Title: catalog.Text{Zh: "中小学幼儿园名录", En: "Schools and kindergartens"},
		Description: catalog.Text{
			Zh: "中小学、幼儿园和中等职业学校的名录：学段、办学性质、地址、班级数和学生数，每学年一版。没有师生的个人信息。2025学年起部分幼儿园班级减少，可用两版对比。",
			En: "A register of schools and kindergartens with stage, who runs them, address, classes and pupils, one release a school year, without any personal data. In 2025 some kindergartens have fewer classes, as comparing the releases shows.",
		},
		Themes: []string{"education"}, Keywords: []string{"学校", "幼儿园", "教育", "名录"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "annual", TemporalStart: "2024-09", TemporalEnd: "2025-09", Identifiers: []string{"320200-JYJ-0001"},
	}, release("2024-09", "2024学年。", "School year 2024.", list(1160, 2024)), release("2025-09", "2025学年，新增24所。", "School year 2025, with 24 more.", list(1184, 2025)))
}

func clinics() Dataset {
	kinds := words("综合医院", "General hospital", "专科医院", "Special hospital", "中医医院", "Hospital of Chinese medicine", "社区卫生服务中心", "Community health centre", "社区卫生服务站", "Community health station", "门诊部", "Outpatient clinic", "诊所", "Surgery")
	s := sheet{
		file: "institutions.csv", form: csvBOM, title: catalog.Text{Zh: "医疗机构", En: "Health care institutions"},
		columns: []column{
			text("登记号", "Registration", "执业登记号（虚构，含字母SIM）", "Registration number (invented, with the letters SIM)"),
			text("机构名称", "Name", "机构名称（虚构）", "Name (invented)"),
			text("类别", "Kind", "机构类别", "Kind").coded(kinds...),
			text("等级", "Grade", "医院等级；基层机构为空", "Grade of a hospital; empty for others").coded(words("三级甲等", "3A", "三级乙等", "3B", "二级甲等", "2A", "二级乙等", "2B", "一级", "1")...),
			colArea,
			colAddress,
			text("电话", "Phone", "总机（虚构号码）", "Switchboard (invented number)"),
			whole("床位数", "Beds", "张", "编制床位数；没有病床的机构为0", "Beds; 0 where there are none"),
			colLon,
			colLat,
		},
		rows: func(put func(...string)) {
			r := stream("clinics")
			for n := range 1430 {
				a, k := anArea(r), r.weighted([]int{3, 4, 2, 9, 24, 20, 38})
				beds, grade := 0, ""
				if k < 3 {
					g := r.weighted([]int{1, 2, 4, 4, 5})
					grade, beds = []string{"三级甲等", "三级乙等", "二级甲等", "二级乙等", "一级"}[g], r.between([]int{900, 500, 260, 120, 40}[g], []int{2200, 1000, 620, 320, 120}[g])
				} else if k == 3 {
					beds = r.between(0, 6) * 10
				}
				lon, lat := a.point(r)
				put("PDYSIM"+a.code+padded(n+1, 5), pick(r, lotNames)+pick(r, []string{"康宁", "仁和", "惠民", "安泰", ""})+kinds[k].Value, kinds[k].Value, grade, a.name, a.address(r), r.orEmpty(45, "0510-0000 "+padded(r.below(10000), 4)), itoa(beds), r.orEmpty(14, fixed(lon, 5)), r.orEmpty(14, fixed(lat, 5)))
			}
		},
	}
	return simulated("wjw", catalog.Dataset{
		Slug:  "medical-institutions",
		Title: catalog.Text{Zh: "医疗机构名录", En: "Health care institutions"},
		Description: catalog.Text{
			Zh: "医院、社区卫生服务机构、门诊部和诊所的名录，含类别、等级、床位数、地址和坐标。名称、登记号和电话均为虚构。少数机构没有坐标。",
			En: "A register of hospitals, community health centres, clinics and surgeries with kind, grade, beds, address and coordinates. Names, numbers and phones are invented; a few lack coordinates.",
		},
		Themes: []string{"health"}, Keywords: []string{"医疗机构", "医院", "社区卫生", "床位", "诊所"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "monthly", TemporalStart: "2025-11", TemporalEnd: "2025-11", Identifiers: []string{"320200-WJW-0001"},
	}, release("2025-11", "首次发布。", "First release.", s))
}

func pharmacies() Dataset {
	s := sheet{
		file: "pharmacies.json", form: jsonArray, title: catalog.Text{Zh: "定点药店", En: "Pharmacies"},
		columns: []column{
			text("药店编码", "Pharmacy", "药店编码", "Number of the pharmacy"),
			text("名称", "Name", "药店名称（虚构）", "Name (invented)"),
			colArea,
			colStreet,
			colAddress,
			text("电话", "Phone", "电话（虚构号码）", "Phone (invented number)"),
			newColumn(catalog.Boolean, "24小时营业", "Open all day", "", "是否24小时营业", "Whether open day and night"),
			date("定点日期", "Since", "纳入医保定点的日期", "Since when it takes the insurance"),
		},
		rows: func(put func(...string)) {
			r := stream("pharmacies")
			for n := range 2360 {
				a, all := anArea(r), "false"
				if r.chance(70) {
					all = "true"
				}
				put("YD"+padded(n+1, 5), "示例"+pick(r, []string{"春和", "百草", "杏林", "同安", "润康"})+"药房"+pick(r, lotNames)+"店", a.name, pick(r, a.streets), a.address(r), r.orEmpty(80, "0510-0000 "+padded(r.below(10000), 4)), all, r.orEmpty(12, day(2012, 1, 1).AddDate(0, 0, r.below(5000)).Format(isoDate)))
			}
		},
	}
	return simulated("ybj", catalog.Dataset{
		Slug:  "insured-pharmacies",
		Title: catalog.Text{Zh: "医保定点药店", En: "Pharmacies that take the public health insurance"},
		Description: catalog.Text{
			Zh: "医保定点零售药店的名称、地址、电话、是否24小时营业和定点日期。药店和号码均为虚构。原始文件为JSON数组。",
			En: "Pharmacies that take the public health insurance: name, address, phone, whether open day and night, and since when. Shops and numbers are invented. The upload is a JSON array.",
		},
		Themes: []string{"health", "employment"}, Keywords: []string{"药店", "医保", "定点", "便民"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "semiannual", TemporalStart: "2012", TemporalEnd: "2025-10", Identifiers: []string{"320200-YBJ-0002"},
	}, release("2025-10", "首次发布。", "First release.", s))
}
