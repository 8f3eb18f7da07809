package sample

import "taihu/catalog"

func city() []Dataset {
	return []Dataset{sensingDevices(), cityParts(), cameraPoints(), pipeInspections(), presalePermits()}
}

func publicToilets() Dataset {
	kinds := []string{"城市", "农村", "联盟"}
	toilets := func(count [3]int, renovated bool) sheet {
		s := sheet{
			file: "toilets.json", form: jsonArray, title: catalog.Text{Zh: "公共厕所", En: "Public toilets"},
			columns: []column{
				text("编号", "Number", "公厕编号", "Number of the toilet"),
				text("名称", "Name", "公厕名称（虚构）", "Name (invented)"),
				text("类型", "Kind", "城市公厕、农村公厕，或向公众开放的联盟单位厕所", "In the city, in the country, or one that a shop or office opens to all").coded(words("城市", "City", "农村", "Country", "联盟", "Opened by others")...),
				colArea,
				colAddress,
				colLon,
				colLat,
				whole("厕位数", "Places", "个", "厕位总数", "Number of places"),
				text("无障碍设施", "Accessible", "是否有无障碍设施", "Whether it is accessible").coded(words("有", "yes", "无", "no")...),
				text("开放时间", "Open", "开放时间", "Opening hours"),
			},
			rows: func(put func(...string)) {
				for k, kind := range kinds {
					r := stream("toilets-" + kind)
					for n := range count[k] {
						a := &areas[[][]int{{2, 3, 3, 4, 7}, {0, 1, 5, 6, 6}, {2, 3, 4, 5, 6}}[k][r.below(5)]]
						lon, lat := a.point(r)
						access, open := "无", []string{"全天", "5:30–22:30", "营业时间"}[r.weighted([][]int{{6, 4, 0}, {3, 7, 0}, {0, 1, 9}}[k])]
						places, has := r.between([]int{8, 4, 2}[k], []int{32, 14, 10}[k]), r.chance([]int{860, 520, 610}[k])
						if has || renovated && n%9 == 4 {
							access = "有"
						}
						road := pick(r, a.cityRoads)
						put("WC"+itoa(k+1)+padded(n+1, 4), road+pick(r, lotNames)+"公厕", kind, a.name, a.name+road+itoa(r.between(1, 399))+"号", fixed(lon, 5), fixed(lat, 5), itoa(places), r.orEmpty(18, access), r.orEmpty(30, open))
					}
				}
			},
		}
		return s
	}
	return simulated("cgj", catalog.Dataset{
		Slug:  "public-toilets",
		Title: catalog.Text{Zh: "公共厕所", En: "Public toilets"},
		Description: catalog.Text{
			Zh: "城市公厕、农村公厕和“公厕联盟”单位的位置、厕位数、无障碍设施和开放时间。联盟单位是把内部厕所向公众开放的商店和机关，开放时间随其营业时间。",
			En: "Places, sizes, accessibility and opening hours of public toilets in the city and in the country, and of those that shops and offices open to the public in their own hours.",
		},
		Themes: []string{"living", "housing"}, Keywords: []string{"公厕", "无障碍", "公厕联盟", "便民"},
		Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional, Frequency: "monthly", TemporalStart: "2025-06", TemporalEnd: "2025-11", Identifiers: []string{"320200-CGJ-0005"},
	}, release("2025-06", "首次发布。", "First release.", toilets([3]int{148, 337, 260}, false)),
		release("2025-11", "联盟单位增加40家；部分公厕增设无障碍设施。", "Forty more toilets opened by others; some were made accessible.", toilets([3]int{148, 337, 300}, true)))
}

func redBlackList() Dataset {
	batches := []string{"2025年第一批", "2025年第二批", "2025年第三批"}
	list := func(n int) sheet {
		return sheet{
			file: "list.csv", form: csvPlain, title: catalog.Text{Zh: "红黑榜", En: "Red and black list"},
			columns: []column{
				text("批次", "Batch", "公布批次", "Batch"),
				text("榜单类型", "List", "红榜为先进，黑榜为待改进", "Red: good; black: to be improved").coded(words("红榜", "Red", "黑榜", "Black")...),
				colArea,
				colStreet,
				text("点位名称", "Place", "被检查的路段或小区（虚构）", "Street or estate that was inspected (invented)"),
				text("项目类别", "Subject", "检查项目", "What was inspected").coded(words("市容环卫", "Cleanliness", "停车秩序", "Parking", "占道经营", "Street trading", "垃圾分类", "Waste sorting", "园林绿化", "Greenery")...),
				fraction("得分", "Score", "分", "满分100", "Out of 100"),
				date("检查日期", "Inspected on", "检查日期", "Day of inspection"),
			},
			rows: func(put func(...string)) {
				for b := range n {
					r := stream("red-black-" + itoa(b))
					for i := range 80 {
						a := anArea(r)
						kind, score := "红榜", r.between(915, 990)
						if i%2 == 1 {
							kind, score = "黑榜", r.between(480, 745)
						}
						put(batches[b], kind, a.name, pick(r, a.streets), pick(r, a.cityRoads)+pick(r, lotNames)+"段", pick(r, []string{"市容环卫", "停车秩序", "占道经营", "垃圾分类", "园林绿化"}),
							fixed(score, 1), day(2025, 1+3*b, 1).AddDate(0, 0, r.below(85)).Format(isoDate))
					}
				}
			},
		}
	}
	var releases []Release
	for n, date := range []string{"2025-03", "2025-06", "2025-09"} {
		releases = append(releases, release(date, "增加"+batches[n]+"。", "Adds batch "+itoa(n+1)+" of 2025.", list(n+1)))
	}
	return simulated("cgj", catalog.Dataset{
		Slug:  "red-black-list",
		Title: catalog.Text{Zh: "城市精细化管理红黑榜", En: "Red and black list of street management"},
		Description: catalog.Text{
			Zh: "每季度公布一批的红黑榜：检查人员按市容环卫、停车秩序、占道经营、垃圾分类和园林绿化打分，得分高的列入红榜，低的列入黑榜。每一版都含以往批次，便于比较。",
			En: "A red and black list published each quarter: inspectors score cleanliness, parking, street trading, waste sorting and greenery; the best are on the red list, the worst on the black one. Each release holds the earlier batches too.",
		},
		Themes: []string{"housing"}, Keywords: []string{"红黑榜", "精细化管理", "考核", "市容"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "quarterly", TemporalStart: "2025-01", TemporalEnd: "2025-09", Identifiers: []string{"320200-CGJ-0012"},
	}, releases...)
}

func backStreets() Dataset {
	s := sheet{
		file: "projects.xlsx", form: xlsx, title: catalog.Text{Zh: "背街小巷整治项目", En: "Back street projects"},
		columns: []column{
			text("项目编号", "Project", "项目编号", "Number of the project"),
			text("道路名称", "Street", "街巷名称（虚构）", "Name of the street (invented)"),
			colArea,
			colStreet,
			date("开工日期", "Begun on", "开工日期", "Begin of works"),
			date("完工日期", "Finished on", "完工日期；未完工为空", "End of works; empty while they go on"),
			fraction("投资额", "Cost", "万元", "投资额", "Cost"),
			fraction("验收得分", "Score", "分", "验收得分，满分100；未验收为空", "Score at acceptance, out of 100; empty before it"),
		},
		rows: func(put func(...string)) {
			r := stream("back-streets")
			left := 8700000 // 870 million yuan, in 0.01 × 10,000 yuan
			for n := range 250 {
				a := anArea(r)
				begun := day(2023, 2, 1).AddDate(0, 0, n*3+r.below(20))
				cost := min(r.between(15000, 54000), left-(249-n)*15000)
				if n == 249 {
					cost = left
				}
				left -= cost
				finished, score := "", ""
				if n < 232 {
					finished, score = begun.AddDate(0, 0, r.between(60, 260)).Format(isoDate), r.orEmpty(40, fixed(r.between(810, 985), 1))
				}
				put("BJ"+padded(n+1, 4), pick(r, a.cityRoads)+pick(r, []string{"一弄", "二弄", "北巷", "南巷", "后街", "支路"}), a.name, pick(r, a.streets), begun.Format(isoDate), finished, fixed(cost, 2), score)
			}
		},
	}
	return simulated("cgj", catalog.Dataset{
		Slug:  "back-street-projects",
		Title: catalog.Text{Zh: "背街小巷整治项目", En: "Projects to improve back streets"},
		Description: catalog.Text{
			Zh: "250条背街小巷的整治项目：街巷名称、所在街道、开工和完工日期、投资额和验收得分。投资额合计8.7亿元，与公开报道的总数一致，各项目的分配为模拟。",
			En: "The 250 projects to improve back streets: name, street office, begin and end, cost and score at acceptance. The costs add up to 870 million yuan, the total reported in public; how they are spread is simulated.",
		},
		Themes: []string{"housing"}, Keywords: []string{"背街小巷", "整治", "工程", "投资"},
		Licence: "CC-BY-SA-4.0", OpenAttribute: catalog.Unconditional, Frequency: "monthly", TemporalStart: "2023-02", TemporalEnd: "2025-12", Identifiers: []string{"320200-CGJ-0015"},
	}, release("2025-12", "首次发布。", "First release.", s))
}

var deviceKinds = []struct{ code, zh, en, owner string }{
	{"WL", "液位计", "Level gauge", "水利局"}, {"SM", "烟感", "Smoke detector", "应急管理局"}, {"MH", "井盖监测", "Manhole sensor", "城市管理局"},
	{"AQ", "空气微站", "Air sensor", "生态环境局"}, {"BR", "桥梁应变计", "Strain gauge of a bridge", "交通运输局"}, {"GS", "燃气探测器", "Gas detector", "住房和城乡建设局"},
}

func sensingDevices() Dataset {
	s := sheet{
		file: "devices.ndjson", form: jsonLines, title: catalog.Text{Zh: "感知设备", En: "Sensing devices"},
		columns: []column{
			text("设备编码", "Device", "设备编码", "Number of the device"),
			text("设备名称", "Name", "设备名称", "Name of the device"),
			text("类型代码", "Kind", "设备类型代码", "Code of the kind"),
			text("主管部门", "Owner", "主管部门", "Department in charge"),
			colAreaCode,
			colLon,
			colLat,
			text("坐标系", "CRS", "坐标参考系", "Coordinate reference system"),
			date("安装日期", "Installed on", "安装日期", "Day of installation"),
			newColumn(catalog.Boolean, "在线", "Online", "", "最近一小时是否上报", "Whether it reported in the last hour"),
		},
		rows: func(put func(...string)) {
			r := stream("devices")
			for n := range 2000 {
				a, k := anArea(r), deviceKinds[r.weighted([]int{18, 30, 22, 12, 8, 10})]
				lon, lat := a.point(r)
				online := "true"
				if r.chance(38) {
					online = "false"
				}
				put("D"+k.code+padded(n+1, 5), pick(r, a.cityRoads)+k.zh, k.code, k.owner, a.code, fixed(lon, 5), fixed(lat, 5), "CGCS2000", r.orEmpty(45, day(2019, 1, 1).AddDate(0, 0, r.below(2500)).Format(isoDate)), online)
			}
		},
	}
	for _, k := range deviceKinds {
		s.columns[2].words.Codes = append(s.columns[2].words.Codes, code(k.code, k.zh, k.en))
	}
	return simulated("sjj", catalog.Dataset{
		Slug:  "sensing-devices",
		Title: catalog.Text{Zh: "城市感知设备信息", En: "Sensing devices of the city"},
		Description: catalog.Text{
			Zh: "接入城市运行中心的2000台感知设备的登记信息：类型、主管部门、位置、安装日期和在线状态。类型有液位计、烟感、井盖监测、空气微站、桥梁应变计和燃气探测器。\n\n只含设备登记，不含读数。",
			En: "The register of 2,000 sensing devices connected to the city operations centre: kind, department, place, day of installation and whether online. There are level gauges, smoke, manhole, air and gas sensors and strain gauges of bridges.\n\nIt holds the register only, no readings.",
		},
		Themes: []string{"safety", "geography"}, Keywords: []string{"感知设备", "物联网", "城市运行", "传感器"},
		Licence: "PDDL-1.0", OpenAttribute: catalog.Unconditional, Frequency: "daily", TemporalStart: "2019-01-01", TemporalEnd: "2025-12-01", Identifiers: []string{"320200-SJJ-0002"}, SecurityLevel: "L2",
	}, release("2025-12-01", "首次发布。", "First release.", s))
}

func cityParts() Dataset {
	kinds := []catalog.Code{code("0101", "上水井盖", "Water manhole"), code("0102", "污水井盖", "Sewer manhole"), code("0108", "电力井盖", "Power manhole"), code("0119", "路灯", "Street lamp"), code("0204", "止车桩", "Bollard"), code("0306", "果皮箱", "Litter bin"), code("0401", "行道树", "Street tree")}
	s := sheet{
		file: "parts.csv", form: csvPlain, title: catalog.Text{Zh: "城市部件", En: "Street furniture"},
		columns: []column{
			text("部件标识码", "Part", "部件标识码", "Number of the part"),
			text("部件分类代码", "Class", "部件分类代码", "Code of the class").coded(kinds...),
			text("部件名称", "Name", "部件名称", "Name of the class"),
			text("责任网格", "Grid cell", "责任网格编码", "Code of the grid cell in charge"),
			text("所在道路", "Road", "所在道路（虚构）", "Road (invented)"),
			colLon,
			colLat,
			text("状态", "State", "部件状态", "State").coded(words("完好", "Sound", "破损", "Damaged", "丢失", "Missing", "占用", "Blocked")...),
			date("初始时间", "Entered on", "普查登记日期", "Day of the survey"),
			date("变更时间", "Changed on", "最近变更日期；未变更为空", "Last change; empty where none"),
		},
		rows: func(put func(...string)) {
			r, a := stream("city-parts"), byName("梁溪区")
			for n := range 18600 {
				k := kinds[r.weighted([]int{14, 20, 9, 22, 10, 11, 14})]
				lon, lat := a.point(r)
				entered, changed := day(2024, 3, 1).AddDate(0, 0, r.below(200)), ""
				if r.chance(140) {
					changed = entered.AddDate(0, 0, r.between(30, 400)).Format(isoDate)
				}
				put("320213"+k.Value+padded(n+1, 6), k.Value, k.Label.Zh, "LX"+padded(r.between(1, 186), 3), r.orEmpty(22, pick(r, a.cityRoads)), fixed(lon, 5), fixed(lat, 5), []string{"完好", "破损", "丢失", "占用"}[r.weighted([]int{955, 31, 6, 8})], entered.Format(isoDate), changed)
			}
		},
	}
	return simulated("liangxi", catalog.Dataset{
		Slug:  "liangxi-street-furniture",
		Title: catalog.Text{Zh: "梁溪区城市部件普查", En: "Survey of street furniture in Liangxi"},
		Description: catalog.Text{
			Zh: "梁溪区井盖、路灯、止车桩、果皮箱和行道树等城市部件的普查结果，每行一个部件，含分类、责任网格、位置和状态。部件分类代码采用数字化城管的分类方式。",
			En: "A survey of manholes, lamps, bollards, litter bins and street trees in Liangxi District, one part per row, with class, grid cell, place and state. The codes follow the classes used in digital city management.",
		},
		Themes: []string{"housing", "geography"}, Keywords: []string{"城市部件", "井盖", "路灯", "普查", "梁溪区"},
		Licence: "ODbL-1.0", OpenAttribute: catalog.Unconditional, Frequency: "biennial", Spatial: "梁溪区（模拟）", TemporalStart: "2024-03", TemporalEnd: "2025-10", Identifiers: []string{"320213-CGJ-0001"},
	}, release("2025-10", "首次发布。", "First release.", s))
}

func cameraPoints() Dataset {
	s := sheet{
		file: "points.csv", form: csvPlain, title: catalog.Text{Zh: "视频点位", En: "Camera points"}, sample: true,
		columns: []column{
			text("点位编码", "Point", "点位编码", "Number of the point"),
			text("名称", "Name", "点位名称（虚构）", "Name (invented)"),
			colArea,
			colStreet,
			colLon,
			colLat,
			text("建设类别", "Built by", "建设类别", "Who built it").coded(words("一类", "Class 1", "二类", "Class 2", "三类", "Class 3")...),
		},
		rows: func(put func(...string)) {
			r := stream("cameras")
			for n := range 8000 {
				a := anArea(r)
				lon, lat := a.point(r)
				put("V"+a.code+padded(n+1, 5), pick(r, a.cityRoads)+itoa(r.between(1, 60))+"号杆", a.name, pick(r, a.streets), fixed(lon/100*100, 5), fixed(lat/100*100, 5), []string{"一类", "二类", "三类"}[r.weighted([]int{2, 5, 3})])
			}
		},
	}
	return simulated("gaj", catalog.Dataset{
		Slug:  "camera-points",
		Title: catalog.Text{Zh: "公共区域视频监控点位名录", En: "Register of cameras in public places"},
		Description: catalog.Text{
			Zh: "公共区域视频监控点位的名录，只有点位，没有图像。坐标精确到约百米。因涉及公共安全，须申请后使用；页面上的样例可供判断是否需要。",
			En: "A register of cameras in public places: points only, no pictures, good to about a hundred metres. As it touches public safety it is given on application; the sample on the page helps to judge whether it is needed.",
		},
		Themes: []string{"safety"}, Keywords: []string{"视频监控", "点位", "公共安全"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Conditional, Frequency: "monthly", TemporalStart: "2025-11", TemporalEnd: "2025-11", Identifiers: []string{"320200-GAJ-0004"}, SecurityLevel: "L3",
		Conditions: catalog.Text{Zh: "限高校、科研机构和承担公共安全研究的单位申请。须说明用途，签订数据使用承诺书，不得转让，不得与个人信息关联。", En: "For universities, research institutes and those working on public safety. State the purpose and sign the undertaking; do not pass it on or join it with personal data."},
	}, release("2025-11", "首次发布。", "First release.", s))
}

func pipeInspections() Dataset {
	s := sheet{
		file: "inspections.csv", form: csvPlain, title: catalog.Text{Zh: "巡检记录", En: "Inspections"},
		columns: []column{text("管段编号", "Pipe", "管段编号", "Number of the pipe"), colArea, text("管径", "Diameter", "公称直径", "Nominal diameter"), whole("敷设年份", "Laid in", "年", "敷设年份", "Year when laid"), date("巡检日期", "Inspected on", "巡检日期", "Day of inspection"),
			fraction("压力", "Pressure", "MPa", "运行压力", "Pressure in operation"), text("结论", "Finding", "巡检结论", "Finding").coded(words("正常", "Normal", "待复查", "To be checked again", "已整改", "Mended")...)},
		rows: func(put func(...string)) {
			r := stream("pipes")
			for n := range 1200 {
				put("G"+padded(n+1, 5), anArea(r).name, pick(r, []string{"DN100", "DN160", "DN200", "DN315"}), r.orEmpty(30, itoa(r.between(1996, 2024))), day(2025, 1, 1).AddDate(0, 0, n*365/1200).Format(isoDate), fixed(r.between(180, 400), 3), []string{"正常", "待复查", "已整改"}[r.weighted([]int{93, 4, 3})])
			}
		},
	}
	return simulated("zjj", catalog.Dataset{
		Slug:  "pipe-inspections",
		Title: catalog.Text{Zh: "地下管线巡检记录", En: "Inspections of pipes under ground"},
		Description: catalog.Text{
			Zh: "地下管线的巡检记录，涉及重要基础设施，不予开放，只在本机构内列出，用来展示“不予开放”的效果。",
			En: "Inspections of pipes under ground. As they concern vital infrastructure they are closed and listed for the organization only; they show what “closed” does.",
		},
		Themes: []string{"production-safety", "energy"}, Keywords: []string{"地下管线", "巡检"},
		Licence: "source-terms", OpenAttribute: catalog.Closed, Frequency: "irregular", TemporalStart: "2025-01-01", TemporalEnd: "2025-12-31", Identifiers: []string{"320200-ZJJ-0011"}, SecurityLevel: "L4",
	}, release("2025-12-31", "内部留存。", "Kept inside.", s))
}

func presalePermits() Dataset {
	s := sheet{
		file: "permits.csv", form: csvPlain, title: catalog.Text{Zh: "预售许可", En: "Presale permits"},
		columns: []column{text("许可证号", "Permit", "预售许可证号（虚构）", "Number of the permit (invented)"), text("项目名称", "Project", "项目名称（虚构）", "Name of the project (invented)"), text("开发企业", "Developer", "开发企业（虚构）", "Developer (invented)"), text("坐落", "Place", "坐落", "Address"), colArea,
			fraction("预售面积", "Area", "m²", "批准预售面积", "Area permitted"), whole("套数", "Homes", "套", "批准预售套数", "Homes permitted"), date("发证日期", "Issued on", "发证日期", "Day of issue")},
		rows: func(put func(...string)) {
			r := stream("presale")
			for n := range 620 {
				a, homes := anArea(r), r.between(24, 380)
				put("（示例）锡房预许（"+itoa(2022+n/155)+"）第"+padded(n%155+1, 3)+"号", pick(r, lotNames)+pick(r, []string{"雅苑", "花园", "府", "名邸"})+"示例"+itoa(r.between(1, 6))+"期", "示例"+pick(r, lotNames)+"置业有限公司", a.address(r), a.name,
					fixed(homes*r.between(9200, 14800), 2), itoa(homes), day(2022+n/155, 1, 1).AddDate(0, 0, n%155*365/155).Format("2006年1月2日"))
			}
		},
	}
	return simulated("zjj", catalog.Dataset{
		Slug:  "presale-permits",
		Title: catalog.Text{Zh: "商品房预售许可", En: "Permits to sell homes before they are built"},
		Description: catalog.Text{
			Zh: "2022年至2025年核发的商品房预售许可：项目、坐落、预售面积、套数和发证日期。项目和企业名称均为虚构。发证日期按原件写作“2025年3月8日”，平台识别为日期。",
			En: "Permits of 2022 to 2025 to sell homes before they are built: project, place, area, homes and day of issue. Projects and firms are invented. The day is written as in the paper, 2025年3月8日, and read as a date.",
		},
		Themes: []string{"housing"}, Keywords: []string{"预售许可", "商品房", "房地产"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "weekly", TemporalStart: "2022-01-01", TemporalEnd: "2025-12-31", Identifiers: []string{"320200-ZJJ-0003"},
	}, release("2025-12-31", "首次发布。", "First release.", s))
}
