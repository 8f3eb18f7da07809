package sample

import (
	"time"

	"taihu/catalog"
)

// parkingSpaces is how many rows the largest sample table has.
const parkingSpaces = 240016

// lot is a car park of the simulated city.
type lot struct {
	code, name, kind, kindCode, fee string
	area                            *area
	address                         string
	lon, lat, spaces                int
}

var lotKinds = []catalog.Code{
	code("01", "公共停车场", "Public car park"), code("02", "路内泊位", "Kerbside"), code("03", "商业配建", "Shops"),
	code("04", "住宅配建", "Housing"), code("05", "单位内部（错时开放）", "Offices, open out of hours"), code("06", "换乘停车场", "Park and ride"),
}

var lotNames = []string{"云帆广场", "望湖里", "栖霞坊", "锦绣里", "清风苑", "听松园", "梧桐里", "明月坊", "知春里", "白鹭洲", "南禾里", "芳草汀", "长虹里", "晓园", "归燕里", "松风苑"}

// lots makes the car parks until they hold all the spaces.
func lots() []lot {
	r := stream("lots")
	var list []lot
	for left := parkingSpaces; left > 0; {
		a := anArea(r)
		k := r.weighted([]int{16, 30, 18, 26, 8, 2})
		size := [][2]int{{60, 420}, {6, 48}, {120, 900}, {150, 1100}, {20, 160}, {200, 700}}[k]
		n := min(r.between(size[0], size[1]), left)
		left -= n
		lon, lat := a.point(r)
		fee := []string{"首小时4元，以后每小时2元", "首半小时免费，以后每半小时2.5元", "每小时5元，24小时封顶40元", "每月300元", "夜间及休息日每次5元", "换乘优惠每日5元"}[k]
		suffix := []string{"停车场", "路内停车点", "地下停车场", "小区停车场", "错时停车场", "换乘停车场"}[k]
		list = append(list, lot{code: "P" + a.code[4:] + padded(len(list)+1, 5), name: pick(r, lotNames) + padded(r.between(1, 99), 2) + "号" + suffix,
			kind: lotKinds[k].Label.Zh, kindCode: lotKinds[k].Value, fee: fee, area: a, address: a.address(r), lon: lon, lat: lat, spaces: n})
	}
	return list
}

func parking() []Dataset {
	spaces := sheet{
		file: "spaces.csv", form: csvPlain, title: catalog.Text{Zh: "停车泊位", En: "Parking spaces"},
		columns: []column{
			text("泊位编号", "Space number", "泊位的唯一编号：停车场编号加四位序号", "Unique number of the space: its car park's number and four digits"),
			text("停车场名称", "Car park", "停车场名称", "Name of the car park"),
			text("类型", "Kind", "停车场类型", "Kind of car park").coded(words("公共停车场", "Public car park", "路内泊位", "Kerbside", "商业配建", "Shops", "住宅配建", "Housing", "单位内部（错时开放）", "Offices, open out of hours", "换乘停车场", "Park and ride")...),
			colArea,
			colAddress,
			colLon,
			colLat,
			text("收费标准", "Fee", "收费标准；空为未备案", "Fee; empty where none was filed"),
			text("是否充电", "Charging", "是否为充电泊位", "Whether the space has a charger").coded(words("是", "yes", "否", "no")...),
		},
		rows: func(put func(...string)) {
			r := stream("parking-spaces")
			for _, l := range lots() {
				for n := range l.spaces {
					charge := "否"
					if r.chance(92) {
						charge = "是"
					}
					put(l.code+padded(n+1, 4), l.name, l.kind, l.area.name, l.address,
						fixed(l.lon+r.between(-40, 40), 5), fixed(l.lat+r.between(-40, 40), 5), r.orEmpty(25, l.fee), charge)
				}
			}
		},
	}
	return []Dataset{
		simulated("cgj", catalog.Dataset{
			Slug:  "parking-spaces",
			Title: catalog.Text{Zh: "停车泊位联网信息", En: "Connected parking spaces"},
			Description: catalog.Text{
				Zh: "全市已接入停车管理平台的**24万个停车泊位**，每行一个泊位，含所属停车场、类型、位置、收费标准和是否可充电。路内泊位和公共停车场由城市管理部门登记，配建停车场由经营单位备案。\n\n坐标为泊位所在停车场附近的点，精度约40米。收费标准为空表示未备案，不表示免费。",
				En: "All **240,000 parking spaces** connected to the city's parking platform, one per row, with car park, kind, place, fee and whether there is a charger. Kerbside spaces and public car parks are registered by the bureau, others are filed by their operators.\n\nCoordinates are good to about 40 metres. An empty fee means that none was filed, not that parking is free.",
			},
			Themes: []string{"transport", "living"}, Keywords: []string{"停车", "泊位", "停车场", "充电", "收费标准"},
			Licence: "taihu-open-1.0", OpenAttribute: catalog.Unconditional, Frequency: "daily", TemporalStart: "2025-12-31", TemporalEnd: "2025-12-31",
			Identifiers: []string{"320200-CGJ-0001"},
		}, release("2025-12-31", "首次发布，含全部联网泊位。", "First release, with all connected spaces.", spaces)),
		parkingFree(), publicToilets(), redBlackList(), backStreets(),
	}
}

// parkingFree is how full sixty car parks are, every quarter of an hour for two days.
func parkingFree() Dataset {
	busy := [24]int{22, 18, 16, 15, 15, 18, 30, 48, 66, 78, 82, 84, 80, 78, 80, 82, 80, 76, 78, 74, 64, 52, 40, 28}
	sheet := sheet{
		file: "free.ndjson", form: jsonLines, title: catalog.Text{Zh: "空余泊位", En: "Free spaces"},
		columns: []column{
			text("停车场编号", "Car park number", "停车场编号，同“停车泊位联网信息”泊位编号的前八位", "Number of the car park: the first eight characters of its spaces' numbers"),
			text("停车场名称", "Car park", "停车场名称", "Name of the car park"),
			colArea,
			datetime("采集时间", "Collected at", "设备上报的时间，北京时间", "When the device reported, Beijing time"),
			whole("总泊位", "Spaces", "个", "泊位总数", "Number of spaces"),
			whole("空余泊位", "Free", "个", "空余泊位数；空为设备离线", "Free spaces; empty while the device was offline"),
		},
		rows: func(put func(...string)) {
			r := stream("parking-free")
			var chosen []lot
			for _, l := range lots() {
				if (l.kindCode == "01" || l.kindCode == "03") && l.area.code < "320215" && len(chosen) < 60 {
					chosen = append(chosen, l)
				}
			}
			for q := range 2 * 96 {
				at := day(2025, 12, 26+q/96).Add(quarter * time.Duration(q%96))
				for _, l := range chosen {
					full := clamp(busy[at.Hour()]*10+r.noise(45), 40, 1000)
					put(l.code, l.name, l.area.name, at.Format(isoSecond), itoa(l.spaces), r.orEmpty(12, itoa(l.spaces-l.spaces*full/1000)))
				}
			}
		},
	}
	return simulated("cgj", catalog.Dataset{
		Slug:  "parking-free",
		Title: catalog.Text{Zh: "停车场实时空余泊位", En: "Free spaces of car parks, every quarter of an hour"},
		Description: catalog.Text{
			Zh: "城区60个公共和商业停车场每15分钟上报一次的空余泊位数，本版为两天的快照：一个星期五和一个星期六。可与“停车泊位联网信息”按停车场编号关联。\n\n设备离线时空余泊位为空，约占1%。",
			En: "Free spaces of 60 public and shop car parks in town, reported every 15 minutes; this release is a snapshot of two days, a Friday and a Saturday. It joins the parking spaces by the number of the car park.\n\nWhile a device is offline, in about 1 % of the rows, the number is empty.",
		},
		Themes: []string{"transport"}, Keywords: []string{"停车", "空余泊位", "实时", "停车场"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "realtime", TemporalStart: "2025-12-26", TemporalEnd: "2025-12-27", Spatial: "无锡市区（模拟）",
		Identifiers: []string{"320200-CGJ-0002"},
	}, release("2025-12-27", "12月26日至27日的快照。", "Snapshot of 26 and 27 December.", sheet))
}
