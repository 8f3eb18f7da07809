package sample

import (
	"time"

	"taihu/catalog"
)

func water() []Dataset { return []Dataset{lakeWater(), waterLevels()} }

var lakeSections = []struct {
	name  string
	dirty int // per cent of the mean
}{{"梅梁湖心", 128}, {"竺山湖", 155}, {"贡湖湾", 92}, {"湖心区", 96}, {"胥湖口", 74}, {"五里湖", 88}, {"大浦口", 118}}

var (
	lakeTemperature = [12]int{52, 66, 108, 168, 222, 262, 298, 301, 258, 202, 140, 80}
	lakeOxygen      = [12]int{112, 108, 100, 92, 84, 76, 70, 70, 77, 86, 96, 106}
	lakePhosphorus  = [12]int{58, 56, 60, 66, 74, 82, 92, 96, 88, 74, 64, 60}
	lakeNitrogen    = [12]int{205, 215, 225, 205, 170, 135, 105, 92, 95, 115, 145, 180}
)

// lakeRows writes six readings a day from the start of 2025 through so many days.
func lakeRows(days int) rows {
	return func(put func(...string)) {
		r := stream("lake-water")
		for n := range days * 6 {
			at := day(2025, 1, 1).Add(4 * time.Hour * time.Duration(n))
			for _, s := range lakeSections {
				vary := func(v, sd int) int { return max(v*(100+r.noise(sd))/100, 1) }
				ph, t := clamp(80+seasonal(at, &lakeTemperature)/60+r.noise(2), 68, 95), seasonal(at, &lakeTemperature)+r.noise(8)
				oxygen := vary(seasonal(at, &lakeOxygen)*(130-s.dirty/4)/105, 6)
				organic := vary(42*s.dirty/100, 9)
				ammonia := vary(21*s.dirty/100, 22)
				p := vary(seasonal(at, &lakePhosphorus)*s.dirty/100, 10)
				nitrogen := vary(seasonal(at, &lakeNitrogen)*s.dirty/100, 8)
				put(s.name, at.Format(isoSecond), r.orEmpty(8, fixed(t, 1)), r.orEmpty(8, fixed(ph, 1)), r.orEmpty(15, fixed(oxygen, 1)), r.orEmpty(20, fixed(organic, 1)),
					r.orEmpty(20, fixed(ammonia, 2)), r.orEmpty(28, fixed(p, 3)), r.orEmpty(28, fixed(nitrogen, 2)), lakeClass(p))
			}
		}
	}
}

// lakeClass grades a lake by total phosphorus, in 0.001 mg/L (the shape of GB 3838).
func lakeClass(p int) string {
	for i, limit := range []int{10, 25, 50, 100, 200} {
		if p <= limit {
			return []string{"Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ"}[i]
		}
	}
	return "劣Ⅴ"
}

func lakeWater() Dataset {
	readings := func(days int) sheet {
		return sheet{
			file: "lake.csv", form: csvPlain, title: catalog.Text{Zh: "太湖水质", En: "Water quality of the lake"},
			columns: []column{
				text("断面名称", "Section", "监测断面或点位名称", "Name of the section or buoy"),
				datetime("监测时间", "Time", "采样时间，北京时间", "When sampled, Beijing time"),
				fraction("水温", "Water temperature", "℃", "表层水温", "Temperature of the surface"),
				fraction("pH", "pH", "", "酸碱度", "Acidity"),
				fraction("溶解氧", "Dissolved oxygen", "mg/L", "溶解氧", "Dissolved oxygen"),
				fraction("高锰酸盐指数", "Permanganate index", "mg/L", "高锰酸盐指数", "Permanganate index"),
				fraction("氨氮", "Ammonia nitrogen", "mg/L", "氨氮", "Ammonia nitrogen"),
				fraction("总磷", "Total phosphorus", "mg/L", "总磷", "Total phosphorus"),
				fraction("总氮", "Total nitrogen", "mg/L", "总氮，不参与评价", "Total nitrogen; not graded"),
				text("水质类别", "Class", "按总磷评价的类别", "Class by total phosphorus").coded(code("Ⅰ", "Ⅰ类", "Class I"), code("Ⅱ", "Ⅱ类", "Class II"), code("Ⅲ", "Ⅲ类", "Class III"), code("Ⅳ", "Ⅳ类", "Class IV"), code("Ⅴ", "Ⅴ类", "Class V"), code("劣Ⅴ", "劣Ⅴ类", "Worse than class V")),
			},
			rows: lakeRows(days),
		}
	}
	return simulated("sthj", catalog.Dataset{
		Slug:  "lake-water-quality",
		Title: catalog.Text{Zh: "太湖水质自动监测", En: "Automatic water quality monitoring of Lake Taihu"},
		Description: catalog.Text{
			Zh: "太湖7个断面2025年每4小时一次的水质自动监测结果，含水温、pH、溶解氧、高锰酸盐指数、氨氮、总磷、总氮和水质类别。夏季总磷升高、总氮下降，是蓝藻季的典型变化。\n\n仪器维护时的值为空。水质类别只按总磷给出，不是正式评价。",
			En: "Readings every four hours in 2025 at 7 sections of the lake: temperature, pH, oxygen, permanganate index, ammonia, phosphorus, nitrogen and class. In summer phosphorus rises and nitrogen falls, as is typical of the season of blue-green algae.\n\nValues missed during service are empty. The class is by phosphorus alone and no official grade.",
		},
		Themes: []string{"environment", "energy"}, Keywords: []string{"太湖", "水质", "总磷", "蓝藻", "自动监测"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "daily", Spatial: "太湖无锡水域（模拟）", TemporalStart: "2025-01-01", TemporalEnd: "2025-12-31", Identifiers: []string{"320200-STHJ-0002"},
	}, release("2025-09-30", "2025年1月至9月。", "January to September 2025.", readings(273)), release("2025-12-31", "补齐至12月底。", "Completed to the end of December.", readings(365)))
}

var gauges = []struct {
	code, name, river string
	level, warn       int // cm
}{
	{"63200101", "南门闸站", "京杭运河", 338, 390}, {"63200102", "洛社桥站", "京杭运河", 342, 400}, {"63200103", "望亭北站", "望虞河", 331, 380}, {"63200104", "大渲口站", "梁溪河", 329, 380},
	{"63200105", "陈墅站", "锡澄运河", 335, 390}, {"63200106", "青阳站", "锡澄运河", 337, 400}, {"63200107", "肖山站", "长江", 286, 540}, {"63200108", "大浦港站", "太湖", 324, 370},
	{"63200109", "西氿站", "南溪河", 333, 390}, {"63200110", "坊前站", "伯渎河", 330, 385}, {"63200111", "甘露站", "望虞河", 328, 380}, {"63200112", "鸟窠站", "直湖港", 332, 390},
}

func waterLevels() Dataset {
	s := sheet{
		file: "levels.csv", form: csvPlain, title: catalog.Text{Zh: "汛期水情", En: "Water levels in the wet season"},
		columns: []column{
			text("测站编码", "Gauge code", "测站编码（虚构）", "Code of the gauge (invented)"),
			text("站名", "Gauge", "测站名称（虚构）", "Name of the gauge (invented)"),
			text("河流", "River", "所在河流或湖泊", "River or lake"),
			datetime("时间", "Time", "观测时间，北京时间", "When observed, Beijing time"),
			fraction("水位", "Level", "m", "水位，吴淞基面", "Level above the Wusong datum"),
			fraction("警戒水位", "Warning level", "m", "警戒水位", "Warning level"),
			fraction("时段雨量", "Rain", "mm", "前一小时的降雨量；无雨为0", "Rain of the hour before; 0 where none fell"),
		},
		rows: func(put func(...string)) {
			r := stream("water-levels")
			rain, swell := 0, make([]int, len(gauges))
			for n := range 61 * 24 {
				at := day(2025, 6, 10).Add(time.Hour * time.Duration(n))
				if rain = rain * 70 / 100; r.chance(45) { // a storm begins
					rain = r.between(20, 380)
				}
				for i, g := range gauges {
					here := max(rain*(100+r.noise(30))/100, 0)
					if here < 4 {
						here = 0
					}
					swell[i] = clamp(swell[i]*994/1000+here/28, 0, 160)
					put(g.code, g.name, g.river, at.Format(isoMinute), r.orEmpty(5, fixed(g.level+swell[i]+r.noise(1), 2)), fixed(g.warn, 2), r.orEmpty(7, fixed(here, 1)))
				}
			}
		},
	}
	return simulated("slj", catalog.Dataset{
		Slug:  "water-levels",
		Title: catalog.Text{Zh: "水位雨量站汛期水情", En: "Water levels and rain in the wet season"},
		Description: catalog.Text{
			Zh: "12个水位雨量站2025年梅雨期及前后61天的逐小时水位和降雨量，附各站警戒水位。可以看出暴雨之后水位上涨和缓慢回落的过程。\n\n站名和编码均为虚构，水位采用吴淞基面。",
			En: "Hourly levels and rain at 12 gauges over 61 days around the plum rains of 2025, with each gauge's warning level. Levels can be seen to rise after storms and to fall slowly.\n\nNames and codes of the gauges are invented; levels are above the Wusong datum.",
		},
		Themes: []string{"weather", "safety"}, Keywords: []string{"水位", "雨量", "汛期", "梅雨", "警戒水位"},
		Licence: "ODC-By-1.0", OpenAttribute: catalog.Unconditional, Frequency: "minutely", TemporalStart: "2025-06-10", TemporalEnd: "2025-08-09", Identifiers: []string{"320200-SLJ-0003"},
	}, release("2025-08-09", "2025年汛期。", "Wet season of 2025.", s))
}
