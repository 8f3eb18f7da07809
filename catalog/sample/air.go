package sample

import (
	"time"

	"taihu/catalog"
)

var airStations = []struct {
	code, name string
	area       string
	add        int // how much dirtier than the mean, per cent
}{
	{"A01", "雪浪测点", "滨湖区", -8}, {"A02", "漆塘测点", "滨湖区", -14}, {"A03", "荣巷测点", "滨湖区", 2}, {"A04", "旺庄测点", "新吴区", 9},
	{"A05", "东亭测点", "锡山区", 5}, {"A06", "堰桥测点", "惠山区", 10}, {"A07", "黄巷测点", "梁溪区", 12}, {"A08", "太湖新城测点", "经开区", -3},
}

// Mid-month means of the eastern plain, in 0.1 µg/m³ (CO in 0.01 mg/m³).
var (
	airPM25  = [12]int{560, 480, 400, 340, 290, 230, 190, 180, 230, 310, 400, 520}
	airPM10  = [12]int{860, 780, 720, 640, 560, 420, 360, 350, 420, 560, 680, 800}
	airSO2   = [12]int{90, 84, 80, 76, 72, 66, 60, 60, 66, 72, 80, 88}
	airNO2   = [12]int{480, 380, 390, 350, 300, 240, 190, 200, 270, 340, 420, 470}
	airCO    = [12]int{86, 78, 70, 64, 60, 58, 56, 56, 60, 64, 72, 82}
	airO3    = [12]int{480, 620, 800, 980, 1160, 1120, 980, 1020, 1000, 820, 600, 450}
	airHours = [24]int{102, 100, 97, 95, 96, 100, 108, 116, 118, 112, 104, 98, 93, 90, 88, 89, 93, 100, 107, 111, 112, 110, 107, 104}
	o3Hours  = [24]int{62, 58, 54, 52, 50, 48, 50, 58, 72, 92, 114, 134, 150, 160, 162, 156, 142, 122, 104, 92, 84, 78, 72, 66}
)

func air() []Dataset {
	return []Dataset{airHourly(), noiseDaily()}
}

// airRows writes hours from the start of 2025 to the end of a month. Each hour
// has a stream of its own, so that releases agree on what they share; revised
// ones correct the SO2 of one station in February.
func airRows(months int, revised, pollutant bool) rows {
	return func(put func(...string)) {
		end := day(2025, months+1, 1)
		r := stream("air-hourly")
		weather := 0 // a slow wave of still and windy days, per cent
		for at := day(2025, 1, 1); at.Before(end); at = at.Add(time.Hour) {
			weather = clamp(weather*97/100+r.noise(9), -60, 160)
			for i, s := range airStations {
				level := func(months *[12]int, hours *[24]int, sd int) int {
					v := seasonal(at, months) * hours[at.Hour()] / 100 * (100 + weather + s.add) / 100
					return max(v*(100+r.noise(sd))/100, 10)
				}
				pm25 := level(&airPM25, &airHours, 7)
				pm10 := max(level(&airPM10, &airHours, 8), pm25*11/10)
				so2, no2, co := level(&airSO2, &airHours, 9), level(&airNO2, &airHours, 9), level(&airCO, &airHours, 5)
				o3 := max(seasonal(at, &airO3)*o3Hours[at.Hour()]/100*(100-weather/3)/100*(100+r.noise(7))/100, 20)
				if revised && i == 3 && at.Month() == time.February {
					so2 = so2 * 9 / 10
				}
				aqi, main := airIndex(pm25, pm10, so2, no2, o3)
				down := r.chance(6)
				cells := []string{s.code, s.name, s.area, at.Format(isoMinute), itoa(aqi), itoa(round10(pm25)), itoa(round10(pm10)), itoa(round10(so2)), itoa(round10(no2)), fixed(co, 2), itoa(round10(o3))}
				for c := 4; down && c < len(cells); c++ {
					cells[c] = ""
				}
				if o := r.below(11); o > 4 && r.chance(10) { // a single instrument is serviced
					cells[o] = ""
				}
				if pollutant {
					if aqi <= 50 || down {
						main = ""
					}
					cells = append(cells, main)
				}
				put(cells...)
			}
		}
	}
}

func round10(v int) int { return (v + 5) / 10 }

// airIndex follows the shape of HJ 633: the highest of the pollutants' own
// indices, and which one that is.
func airIndex(pm25, pm10, so2, no2, o3 int) (int, string) {
	steps := []int{0, 50, 100, 150, 200, 300, 400, 500}
	best, main := 0, ""
	for _, p := range []struct {
		name   string
		value  int
		limits []int
	}{
		{"PM2.5", pm25, []int{0, 350, 750, 1150, 1500, 2500, 3500, 5000}}, {"PM10", pm10, []int{0, 500, 1500, 2500, 3500, 4200, 5000, 6000}},
		{"SO2", so2, []int{0, 1500, 5000, 6500, 8000, 16000, 21000, 26200}}, {"NO2", no2, []int{0, 1000, 2000, 7000, 12000, 23400, 30900, 38400}},
		{"O3", o3, []int{0, 1600, 2000, 3000, 4000, 8000, 10000, 12000}},
	} {
		i := 1
		for i < len(p.limits)-1 && p.value > p.limits[i] {
			i++
		}
		lo, hi := p.limits[i-1], p.limits[i]
		index := steps[i-1] + ((min(p.value, hi)-lo)*(steps[i]-steps[i-1])+hi-lo-1)/(hi-lo)
		if index > best {
			best, main = index, p.name
		}
	}
	return best, main
}

func airHourly() Dataset {
	columns := []column{
		text("站点编码", "Station code", "监测站编码", "Code of the station"),
		text("站点名称", "Station", "监测站名称", "Name of the station"),
		colArea,
		datetime("时间", "Time", "该小时的开始，北京时间", "Start of the hour, Beijing time"),
		whole("AQI", "AQI", "", "空气质量指数，按小时值计算", "Air quality index from the hour's values"),
		whole("PM2.5", "PM2.5", "μg/m³", "细颗粒物小时平均浓度", "Hourly mean of fine particles"),
		whole("PM10", "PM10", "μg/m³", "可吸入颗粒物小时平均浓度", "Hourly mean of inhalable particles"),
		whole("SO2", "SO₂", "μg/m³", "二氧化硫小时平均浓度", "Hourly mean of sulphur dioxide"),
		whole("NO2", "NO₂", "μg/m³", "二氧化氮小时平均浓度", "Hourly mean of nitrogen dioxide"),
		fraction("CO", "CO", "mg/m³", "一氧化碳小时平均浓度", "Hourly mean of carbon monoxide"),
		whole("O3", "O₃", "μg/m³", "臭氧小时平均浓度", "Hourly mean of ozone"),
	}
	pollutant := text("首要污染物", "Main pollutant", "AQI大于50时指数最高的污染物，否则为空", "The pollutant with the highest index where AQI is above 50, else empty").
		coded(words("PM2.5", "fine particles", "PM10", "inhalable particles", "SO2", "sulphur dioxide", "NO2", "nitrogen dioxide", "O3", "ozone")...)
	title := catalog.Text{Zh: "小时监测值", En: "Hourly readings"}
	readings := func(months int, revised, more bool) sheet {
		s := sheet{file: "readings.csv", form: csvPlain, title: title, columns: columns, rows: airRows(months, revised, more)}
		if more {
			s.columns = append(columns[:len(columns):len(columns)], pollutant)
		}
		return s
	}
	return simulated("sthj", catalog.Dataset{
		Slug:  "air-hourly",
		Title: catalog.Text{Zh: "空气质量监测站小时数据", En: "Hourly air quality by station"},
		Description: catalog.Text{
			Zh: "8个空气质量监测站2025年的小时平均浓度和空气质量指数（AQI）：细颗粒物、可吸入颗粒物、二氧化硫、二氧化氮、一氧化碳和臭氧。冬季颗粒物高，春夏午后臭氧高。\n\n停机和校准期间的值为空，不补值。每季度发布新版，历史值如有更正，在版本说明中写明。",
			En: "Hourly means and the air quality index (AQI) of 8 stations in 2025: fine and inhalable particles, sulphur dioxide, nitrogen dioxide, carbon monoxide and ozone. Particles peak in winter, ozone in the afternoons of spring and summer.\n\nValues missed during service are empty and never filled in. A release comes each quarter; corrections are told in its notes.",
		},
		Themes: []string{"environment"}, Keywords: []string{"空气质量", "AQI", "PM2.5", "臭氧", "环境监测"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "hourly", TemporalStart: "2025-01-01", TemporalEnd: "2025-06-30", Identifiers: []string{"320200-STHJ-0001", "GJ-AIR-HOUR"},
	},
		release("2025-03-31", "2025年第一季度。", "First quarter of 2025.", readings(3, false, false)),
		release("2025-05-31", "增加4、5月；更正旺庄测点2月的二氧化硫（仪器零点漂移）。", "Adds April and May; corrects February's SO₂ at Wangzhuang (the instrument's zero had drifted).", readings(5, true, false)),
		release("2025-06-30", "增加6月；新增“首要污染物”一列。", "Adds June and the new column for the main pollutant.", readings(6, true, true)))
}

func noiseDaily() Dataset {
	s := sheet{
		file: "noise.csv", form: csvPlain, title: catalog.Text{Zh: "功能区声环境", En: "Noise by zone"},
		columns: []column{
			text("点位编码", "Site code", "监测点位编码", "Code of the site"),
			colArea,
			text("功能区类别", "Zone class", "声环境功能区类别", "Class of the zone").coded(code("1", "居住文教区", "Housing and schools"), code("2", "混合区", "Mixed"), code("3", "工业区", "Industry"), code("4a", "交通干线两侧", "Along main roads")),
			date("日期", "Date", "监测日期", "Day of measurement"),
			fraction("昼间等效声级", "Day level", "dB(A)", "6时至22时的等效声级", "Equivalent level from 6 to 22 h"),
			fraction("夜间等效声级", "Night level", "dB(A)", "22时至次日6时的等效声级", "Equivalent level from 22 to 6 h"),
		},
		rows: func(put func(...string)) {
			r := stream("noise")
			class := []string{"1", "2", "3", "4a"}
			level := [][2]int{{505, 412}, {548, 455}, {602, 520}, {668, 561}}
			for d := range 365 {
				at := day(2025, 1, 1).AddDate(0, 0, d)
				for n := range 16 {
					a, c := &areas[n%8], (n*5+n/8)%4
					put("N"+padded(n+1, 2), a.name, class[c], at.Format(isoDate), r.orEmpty(9, fixed(level[c][0]+r.noise(12), 1)), r.orEmpty(9, fixed(level[c][1]+r.noise(14), 1)))
				}
			}
		},
	}
	return simulated("sthj", catalog.Dataset{
		Slug:  "noise-daily",
		Title: catalog.Text{Zh: "功能区声环境自动监测日均值", En: "Daily noise levels by zone"},
		Description: catalog.Text{
			Zh: "16个自动监测点2025年每日的昼间和夜间等效声级，覆盖居住文教、混合、工业和交通干线四类功能区。可用来比较不同功能区的昼夜差异。",
			En: "Equivalent noise levels by day and by night at 16 sites through 2025, in four classes of zones: housing and schools, mixed, industry, main roads. Good for comparing days and nights between classes.",
		},
		Themes: []string{"environment"}, Keywords: []string{"噪声", "声环境", "监测"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "annual", TemporalStart: "2025-01-01", TemporalEnd: "2025-12-31", Identifiers: []string{"320200-STHJ-0007"},
	}, release("2025-12-31", "2025年全年。", "The whole of 2025.", s))
}
