package sample

import (
	"time"

	"taihu/catalog"
)

// bikeTrips is how many rows the table of bike trips has.
const bikeTrips = 212480

func transport() []Dataset {
	return []Dataset{sharedBikes(), busRoutes(), busPositions(), metroRidership()}
}

// bikeHours is how trips of a working day spread over the hours, per mille.
var bikeHours = []int{4, 2, 1, 1, 2, 8, 32, 98, 104, 52, 38, 44, 48, 42, 36, 38, 52, 96, 102, 66, 52, 42, 26, 14}

func sharedBikes() Dataset {
	s := sheet{
		file: "trips.csv", form: csvPlain, title: catalog.Text{Zh: "骑行记录", En: "Trips"},
		columns: []column{
			datetime("开锁时间", "Unlocked at", "开锁时间，精确到分钟，北京时间", "When unlocked, to the minute, Beijing time"),
			fraction("起点经度", "Start longitude", "°", "起点经度，归并到约百米的格网", "Longitude of the start, on a grid of about 100 m"),
			fraction("起点纬度", "Start latitude", "°", "起点纬度，归并到约百米的格网", "Latitude of the start, on a grid of about 100 m"),
			datetime("关锁时间", "Locked at", "关锁时间；空为异常关锁", "When locked; empty where the lock failed"),
			fraction("终点经度", "End longitude", "°", "终点经度，归并到约百米的格网", "Longitude of the end, on a grid of about 100 m"),
			fraction("终点纬度", "End latitude", "°", "终点纬度，归并到约百米的格网", "Latitude of the end, on a grid of about 100 m"),
			text("企业", "Operator", "运营企业的代号", "Operator, as a letter").coded(words("甲", "A", "乙", "B", "丙", "C")...),
			text("起点区县", "District of the start", "起点所在的区", "District of the start"),
		},
		rows: func(put func(...string)) {
			r := stream("bike-trips")
			town := []*area{byName("梁溪区"), byName("滨湖区"), byName("新吴区"), byName("锡山区"), byName("经开区"), byName("惠山区")}
			for n := range bikeTrips {
				d := n * 14 / bikeTrips
				at := day(2025, 10, 13+d).Add(time.Hour*time.Duration(r.weighted(bikeHours)) + time.Minute*time.Duration(r.below(60)))
				a := town[r.weighted([]int{34, 20, 18, 11, 9, 8})]
				lon, lat := a.point(r)
				minutes := 2 + r.below(9) + r.below(9) + r.below(14)*r.below(3)
				reach := minutes * 95
				until, lon2, lat2 := at.Add(time.Minute*time.Duration(minutes)).Format(isoMinute), fixed((lon+r.between(-reach, reach))/100, 3), fixed((lat+r.between(-reach, reach)*4/5)/100, 3)
				if r.chance(4) {
					until, lon2, lat2 = "", "", ""
				}
				put(at.Format(isoMinute), fixed(lon/100, 3), fixed(lat/100, 3), until, lon2, lat2, []string{"甲", "乙", "丙"}[r.weighted([]int{48, 36, 16})], a.name)
			}
		},
	}
	return simulated("jtj", catalog.Dataset{
		Slug:  "shared-bike-trips",
		Title: catalog.Text{Zh: "共享单车骑行记录（脱敏）", En: "Shared bike trips, without persons"},
		Description: catalog.Text{
			Zh: "2025年10月两周内城区的共享单车骑行，每行一次，含开关锁时间和起终点，共21万余次。没有用户和车辆编号，起终点归并到约百米的格网，时间精确到分钟，无法追踪任何人。\n\n早晚高峰明显，多数骑行在10分钟左右。终点为空是车锁异常。",
			En: "Shared bike trips in town over two weeks of October 2025, one per row, with times and ends: over 210,000. There are no users or bikes, ends are on a grid of about 100 metres and times to the minute, so nobody can be followed.\n\nRush hours show clearly; most trips take about ten minutes. An empty end means that the lock failed.",
		},
		Themes: []string{"transport"}, Keywords: []string{"共享单车", "骑行", "出行", "起讫点", "慢行交通"},
		Licence: "ODbL-1.0", OpenAttribute: catalog.Unconditional, Frequency: "irregular", Spatial: "无锡市区（模拟）", TemporalStart: "2025-10-13", TemporalEnd: "2025-10-26", Identifiers: []string{"320200-JTJ-0009"}, SecurityLevel: "L2",
	}, release("2025-10-26", "两周的骑行记录。", "Two weeks of trips.", s))
}

// busLine is a simulated bus line with its stops.
type busLine struct {
	number, name, first, last, fare string
	minutes                         int
	stops                           []busStop
}

type busStop struct {
	name     string
	area     *area
	lon, lat int
}

// busLines makes so many lines; the first ones are the same however many.
func busLines(count int) []busLine {
	list := make([]busLine, count)
	for n := range list {
		r := stream("bus-line-" + itoa(n))
		a, b := anArea(r), anArea(r)
		lon, lat := a.point(r)
		lon2, lat2 := b.point(r)
		l := busLine{number: padded(n+1, 3), first: padded(r.between(5, 6), 2) + ":" + pick(r, []string{"00", "15", "30", "45"}), last: padded(r.between(19, 22), 2) + ":" + pick(r, []string{"00", "20", "30", "40"}), fare: pick(r, []string{"1", "2", "2", "2"}), minutes: r.between(6, 25)}
		count := r.between(12, 26)
		for i := range count {
			at := a
			if i > count/2 {
				at = b
			}
			l.stops = append(l.stops, busStop{pick(r, at.cityRoads) + pick(r, []string{"口", "东", "西", "南站", "北站"}) + "·" + pick(r, lotNames), at, lon + (lon2-lon)*i/count + r.between(-250, 250), lat + (lat2-lat)*i/count + r.between(-250, 250)})
		}
		l.name = l.stops[0].name + "—" + l.stops[count-1].name
		list[n] = l
	}
	return list
}

func busRoutes() Dataset {
	sheets := func(count int, express bool) []sheet {
		lines := sheet{
			file: "lines.csv", form: csvGB18030, title: catalog.Text{Zh: "公交线路", En: "Bus lines"},
			columns: []column{
				text("线路编号", "Line", "线路编号，三位", "Number of the line, three digits"),
				text("线路名称", "Name", "起点站—终点站（虚构）", "From and to (invented)"),
				newColumn(catalog.Time, "首班", "First bus", "", "首班车时刻", "First departure"),
				newColumn(catalog.Time, "末班", "Last bus", "", "末班车时刻", "Last departure"),
				whole("票价", "Fare", "元", "全程票价", "Fare for the whole way"),
				whole("发车间隔", "Interval", "min", "高峰发车间隔；空为按时刻表", "Interval in rush hours; empty where by timetable"),
				whole("站数", "Stops", "站", "单程站数", "Stops one way"),
			},
			rows: func(put func(...string)) {
				r := stream("bus-intervals")
				for i, l := range busLines(count) {
					interval := l.minutes
					if express && i%11 == 3 {
						interval = max(interval-3, 5)
					}
					put(l.number, l.name, l.first, l.last, l.fare, r.orEmpty(50, itoa(interval)), itoa(len(l.stops)))
				}
			},
		}
		stops := sheet{
			file: "stops.csv", form: csvGB18030, title: catalog.Text{Zh: "公交站点", En: "Bus stops"},
			columns: []column{
				text("线路编号", "Line", "线路编号", "Number of the line"),
				text("方向", "Direction", "行驶方向", "Direction").coded(words("上行", "outbound", "下行", "inbound")...),
				whole("站序", "Position", "", "该方向上的站序，从1起", "Position of the stop on that way, from 1"),
				text("站点名称", "Stop", "站点名称（虚构）", "Name of the stop (invented)"),
				colArea,
				colLon,
				colLat,
			},
			rows: func(put func(...string)) {
				for _, l := range busLines(count) {
					for d, way := range []string{"上行", "下行"} {
						for i := range l.stops {
							s := l.stops[i]
							if d == 1 {
								s = l.stops[len(l.stops)-1-i]
							}
							put(l.number, way, itoa(i+1), s.name, s.area.name, fixed(s.lon+d*12, 5), fixed(s.lat-d*9, 5))
						}
					}
				}
			},
		}
		return []sheet{lines, stops}
	}
	return simulated("jtj", catalog.Dataset{
		Slug:  "bus-routes-stops",
		Title: catalog.Text{Zh: "公交线路与站点", En: "Bus lines and stops"},
		Description: catalog.Text{
			Zh: "公交线路表和站点表：线路的起讫、首末班、票价和发车间隔，以及每条线路上下行的站序和坐标。两表用线路编号关联。\n\n原始文件为GB18030编码的CSV，平台自动识别。",
			En: "A table of bus lines and one of their stops: ends, first and last bus, fare and interval, and the order and coordinates of stops both ways. They join by the number of the line.\n\nThe uploaded files are CSV in GB18030, which the portal recognizes.",
		},
		Themes: []string{"transport", "living"}, Keywords: []string{"公交", "线路", "站点", "首末班"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "monthly", TemporalStart: "2025-05", TemporalEnd: "2025-11", Identifiers: []string{"320200-JTJ-0001"},
	}, release("2025-05", "首次发布，96条线路。", "First release with 96 lines.", sheets(96, false)...),
		release("2025-11", "新开8条线路；9条线路高峰加密。", "Eight new lines; shorter intervals on nine.", sheets(104, true)...))
}

func busPositions() Dataset {
	s := sheet{
		file: "positions.csv", form: csvPlain, title: catalog.Text{Zh: "车辆位置", En: "Positions"}, sample: true,
		columns: []column{
			text("车辆编号", "Bus", "车辆假名，每日更换", "Pseudonym of the bus, changed daily"),
			text("线路号", "Line", "线路编号", "Number of the line").coded(),
			datetime("上报时间", "Reported at", "上报时间，北京时间", "When reported, Beijing time"),
			colLon,
			colLat,
			whole("速度", "Speed", "km/h", "瞬时速度", "Speed"),
			whole("方向角", "Heading", "°", "正北为0，顺时针", "Clockwise from north"),
			whole("站序", "Position", "", "最近站的站序；空为场外", "Position of the nearest stop; empty off the line"),
		},
		rows: func(put func(...string)) {
			r := stream("bus-positions")
			for n, l := range busLines(30) {
				for q := range 720 { // two hours, every ten seconds
					i, part := q/30%(len(l.stops)-1), q%30
					a, b := l.stops[i], l.stops[i+1]
					metres, heading := course(b.lon-a.lon, b.lat-a.lat)
					speed := 0 // while it stands at the stop
					if part > 0 {
						speed = clamp(metres*12/1000*(100+r.noise(12))/100, 0, 80)
					}
					position := itoa(i + 1)
					put("B"+padded(n*37%997+100, 4), "L"+l.number, day(2025, 11, 5).Add(7*time.Hour+10*time.Second*time.Duration(q)).Format(isoSecond), fixed(a.lon+(b.lon-a.lon)*part/30+r.between(-6, 6), 5), fixed(a.lat+(b.lat-a.lat)*part/30+r.between(-6, 6), 5), itoa(speed), itoa((heading+r.noise(4)+360)%360), r.orEmpty(20, position))
				}
			}
		},
	}
	return simulated("jtj", catalog.Dataset{
		Slug:  "bus-positions",
		Title: catalog.Text{Zh: "公交车辆GPS轨迹", En: "GPS tracks of buses"},
		Description: catalog.Text{
			Zh: "30条线路在一个早高峰的车辆位置，每10秒一次，含速度、方向角和最近站序。车辆编号为每日更换的假名。\n\n轨迹数据须申请使用；结构、字段说明和样例公开。",
			En: "Positions of buses on 30 lines in one morning rush, every ten seconds, with speed, heading and nearest stop. Buses have pseudonyms that change daily.\n\nTracks are given on application; structure, dictionary and a sample are public.",
		},
		Themes: []string{"transport"}, Keywords: []string{"公交", "GPS", "轨迹", "实时"},
		Licence: "taihu-open-1.0", OpenAttribute: catalog.Conditional, Frequency: "realtime", TemporalStart: "2025-11-05", TemporalEnd: "2025-11-05", Identifiers: []string{"320200-JTJ-0004"}, SecurityLevel: "L3",
		Conditions: catalog.Text{Zh: "面向高校、科研机构和出行服务企业。请写明用途和保护措施，向交通运输局数据管理岗提出申请，五个工作日内答复。", En: "For universities, institutes and travel services. Write to the data desk of the Transport Bureau with purpose and safeguards; it answers within five working days."},
	}, release("2025-11-05", "一个早高峰的快照。", "Snapshot of one morning rush.", s))
}

// course is about how many metres a way is long and where it leads, in degrees
// clockwise from north and within 23 of the true direction.
func course(lon, lat int) (metres, heading int) {
	east, north := lon*95/100, lat*111/100
	x, y := max(east, -east), max(north, -north)
	metres = max(x, y) + min(x, y)*2/5
	switch {
	case y*5 < x*2:
		heading = 90
	case x*5 < y*2:
		heading = 0
	default:
		heading = 45
	}
	if north < 0 {
		heading = 180 - heading
	}
	if east < 0 {
		heading = (360 - heading) % 360
	}
	return metres, heading
}

func metroRidership() Dataset {
	s := sheet{
		file: "ridership.csv", form: csvPlain, title: catalog.Text{Zh: "分站日客流", En: "Daily ridership by station"},
		columns: []column{
			date("日期", "Date", "运营日", "Day of operation"),
			text("线路", "Line", "线路", "Line"),
			text("站点", "Station", "车站（虚构）", "Station (invented)"),
			whole("进站", "Entries", "人次", "进站量", "Entries"),
			whole("出站", "Exits", "人次", "出站量", "Exits"),
			text("日类型", "Kind of day", "周末和法定节假日为休息日，未计调休上班", "Weekends and public holidays are days off; make-up working days are not counted").coded(words("工作日", "Working day", "休息日", "Day off")...),
		},
		rows: func(put func(...string)) {
			r := stream("metro")
			type station struct {
				line, name string
				size       int
			}
			var stations []station
			taken := map[string]bool{}
			for len(stations) < 48 {
				n := len(stations)
				name := pick(r, areas[n%5].cityRoads) + pick(r, lotNames) + "站"
				if !taken[name] {
					taken[name] = true
					stations = append(stations, station{itoa(n/12+1) + "号线", name, r.between(1800, 17000)})
				}
			}
			for d := range 365 {
				at := day(2025, 1, 1).AddDate(0, 0, d)
				kind, share := "工作日", 100
				if resting(at) {
					kind, share = "休息日", 84
				}
				for _, s := range stations {
					in := s.size * share / 100 * (100 + d*12/365) / 100 * (100 + r.noise(4)) / 100
					put(at.Format(isoDate), s.line, s.name, r.orEmpty(3, itoa(in)), r.orEmpty(3, itoa(in*(100+r.noise(2))/100)), kind)
				}
			}
		},
	}
	return simulated("jtj", catalog.Dataset{
		Slug:  "metro-ridership",
		Title: catalog.Text{Zh: "地铁分站日客流", En: "Daily metro ridership by station"},
		Description: catalog.Text{
			Zh: "四条地铁线路48个车站2025年每天的进出站人次，按运营日汇总，没有任何刷卡明细。休息日客流约为工作日的八成半，全年缓慢上升。",
			En: "Entries and exits at 48 stations of four metro lines on each day of 2025, summed by day, without any card records. Days off carry about 84 % of a working day; there is a slow rise over the year.",
		},
		Themes: []string{"transport"}, Keywords: []string{"地铁", "客流", "轨道交通", "进出站"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "monthly", TemporalStart: "2025-01-01", TemporalEnd: "2025-12-31", Identifiers: []string{"320200-JTJ-0006"},
	}, release("2025-12-31", "2025年全年。", "The whole of 2025.", s))
}
