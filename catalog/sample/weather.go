package sample

import (
	"time"

	"taihu/catalog"
)

var weatherStations = []struct {
	code, name string
	add        int // 0.1 ℃ against the mean
}{{"M8301", "锡山站", 0}, {"M8302", "惠山站", -2}, {"M8303", "湖滨站", -5}, {"M8304", "古城站", 9}, {"M8305", "江阴站", -4}, {"M8306", "宜兴站", 2}, {"M8307", "阳羡山站", -21}, {"M8308", "空港站", 4}}

// Mid-month values: temperature in 0.1 ℃, chance of rain per mille.
var (
	weatherMean  = [12]int{36, 58, 102, 162, 214, 252, 290, 286, 242, 186, 122, 58}
	weatherRange = [12]int{74, 80, 88, 94, 92, 74, 76, 74, 76, 84, 86, 82}
	weatherRain  = [12]int{300, 330, 380, 370, 370, 450, 400, 400, 310, 230, 250, 240}
	weatherHours = [24]int{-30, -34, -38, -42, -46, -48, -44, -32, -14, 8, 26, 38, 46, 50, 50, 44, 34, 20, 8, -2, -10, -16, -22, -26}
)

func weather() []Dataset { return []Dataset{weatherDaily(), weatherHourly()} }

func weatherDaily() Dataset {
	s := sheet{
		file: "daily.tsv", form: tsvUTF16, title: catalog.Text{Zh: "气象日值", En: "Daily weather"},
		columns: []column{
			text("站号", "Station code", "站号（虚构）", "Code of the station (invented)"),
			text("站名", "Station", "站名（虚构）", "Name of the station (invented)"),
			date("日期", "Date", "观测日", "Day of observation"),
			fraction("平均气温", "Mean temperature", "℃", "日平均气温", "Mean of the day"),
			fraction("最高气温", "Highest", "℃", "日最高气温", "Highest of the day"),
			fraction("最低气温", "Lowest", "℃", "日最低气温", "Lowest of the day"),
			fraction("降水量", "Precipitation", "mm", "20时至次日20时的降水量；无降水为0", "From 20 to 20 h; 0 where none fell"),
			whole("相对湿度", "Humidity", "%", "日平均相对湿度", "Mean humidity"),
			fraction("日照时数", "Sunshine", "h", "日照时数", "Hours of sunshine"),
		},
		rows: func(put func(...string)) {
			r := stream("weather-daily")
			wave := 0
			for d := range 365 {
				at := day(2025, 1, 1).AddDate(0, 0, d)
				wave = clamp(wave*8/10+r.noise(14), -75, 75)
				rain := 0
				if r.chance(seasonal(at, &weatherRain)) {
					rain = 1 + r.below(60) + r.below(120)*r.below(6)/2
				}
				for _, s := range weatherStations {
					mean := seasonal(at, &weatherMean) + wave + s.add + r.noise(4)
					span := seasonal(at, &weatherRange)
					if rain > 0 {
						span /= 2
					}
					here := rain * (100 + r.noise(20)) / 100
					put(s.code, s.name, at.Format(isoDate), fixed(mean, 1), fixed(mean+span/2+r.between(0, 9), 1), fixed(mean-span/2-r.between(0, 9), 1), r.orEmpty(4, fixed(max(here, 0), 1)), itoa(clamp(72+min(rain, 60)/4+r.noise(5), 28, 100)), r.orEmpty(9, fixed(clamp(88-rain+r.noise(18), 0, 128), 1)))
				}
			}
		},
	}
	return simulated("qxj", catalog.Dataset{
		Slug:  "weather-daily",
		Title: catalog.Text{Zh: "气象站日值观测", En: "Daily weather by station"},
		Description: catalog.Text{
			Zh: "8个气象站2025年逐日的气温、降水、湿度和日照。山上的站偏凉，老城的站偏暖。原始文件是UTF-16编码、制表符分隔的文本，平台自动识别。",
			En: "Temperature, precipitation, humidity and sunshine at 8 stations on each day of 2025. The station on the hill is cooler, that of the old town warmer. The upload is tab-separated text in UTF-16, which the portal recognizes.",
		},
		Themes: []string{"weather"}, Keywords: []string{"气温", "降水", "气象", "日值"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "daily", TemporalStart: "2025-01-01", TemporalEnd: "2025-12-31", Identifiers: []string{"320200-QXJ-0001"},
	}, release("2025-12-31", "2025年全年。", "The whole of 2025.", s))
}

func weatherHourly() Dataset {
	s := func(months int) sheet {
		return sheet{
			file: "hourly.csv", form: csvPlain, title: catalog.Text{Zh: "气象自动站小时观测", En: "Hourly observations"},
			columns: []column{
				text("站号", "Station code", "站号（虚构）", "Code of the station (invented)"),
				datetime("观测时间", "Observed at", "观测时间，北京时间", "When observed, Beijing time"),
				fraction("气温", "Temperature", "℃", "气温", "Air temperature"),
				fraction("降水量", "Precipitation", "mm", "前一小时降水量", "Of the hour before"),
				fraction("风速", "Wind speed", "m/s", "十分钟平均风速", "Mean of ten minutes"),
				whole("风向", "Wind direction", "°", "风的来向；静风为空", "Where the wind comes from; empty when calm"),
				whole("相对湿度", "Humidity", "%", "相对湿度", "Relative humidity"),
				fraction("气压", "Pressure", "hPa", "本站气压", "Pressure at the station"),
			},
			rows: func(put func(...string)) {
				r := stream("weather-hourly")
				wave, rain, pressure := 0, 0, 0
				for at := day(2025, 6, 1); at.Before(day(2025, 6+months, 1)); at = at.Add(time.Hour) {
					wave = clamp(wave*99/100+r.noise(3), -50, 50)
					pressure = clamp(pressure*995/1000+r.noise(3), -90, 90)
					if rain = rain * 6 / 10; r.chance(40) {
						rain = r.between(3, 160)
					}
					for _, s := range weatherStations[:6] {
						wind, direction := max(24+r.noise(14), 0), ""
						if wind > 2 {
							direction = itoa((135 + wave*2 + r.noise(30) + 720) % 360)
						}
						put(s.code, at.Format(isoMinute), r.orEmpty(5, fixed(seasonal(at, &weatherMean)+weatherHours[at.Hour()]*8/10+wave+s.add-min(rain, 30)+r.noise(4), 1)), fixed(max(rain*(100+r.noise(25))/100, 0), 1), fixed(wind, 1), direction, itoa(clamp(78-weatherHours[at.Hour()]/3+min(rain, 40)/3+r.noise(3), 30, 100)), fixed(10052+pressure+r.noise(2), 1))
					}
				}
			},
		}
	}
	return simulated("qxj", catalog.Dataset{
		Slug:  "weather-hourly",
		Title: catalog.Text{Zh: "气象自动站小时观测", En: "Hourly observations of automatic weather stations"},
		Description: catalog.Text{
			Zh: "6个自动站2025年夏季的小时观测：气温、降水、风、湿度和气压。与“空气质量监测站小时数据”“水位雨量站汛期水情”时间上可以对照，但三者各自模拟，彼此没有真实关联。",
			En: "Hourly temperature, precipitation, wind, humidity and pressure at 6 automatic stations in the summer of 2025. The times match the hourly air quality and the water levels, but each is simulated on its own and they are not truly related.",
		},
		Themes: []string{"weather"}, Keywords: []string{"气象", "自动站", "小时观测", "风速"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "hourly", TemporalStart: "2025-06-01", TemporalEnd: "2025-08-31", Identifiers: []string{"320200-QXJ-0002"},
	}, release("2025-07-31", "6月、7月。", "June and July.", s(2)), release("2025-08-31", "增加8月。", "Adds August.", s(3)))
}
