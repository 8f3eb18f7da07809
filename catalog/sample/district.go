package sample

import (
	"time"

	"taihu/catalog"
)

func district() []Dataset { return []Dataset{parks(), activities(), scenicVisitors()} }

func parks() Dataset {
	s := sheet{
		file: "parks.csv", form: csvPlain, title: catalog.Text{Zh: "公园绿地", En: "Parks"},
		columns: []column{
			text("编号", "Number", "公园编号", "Number of the park"),
			text("名称", "Name", "公园名称（虚构）", "Name (invented)"),
			text("类别", "Kind", "公园类别", "Kind").coded(words("综合公园", "Park", "社区公园", "Community park", "专类公园", "Special park", "游园", "Pocket park")...),
			colStreet,
			fraction("面积", "Area", "hm²", "公园面积", "Area"),
			whole("建成年份", "Opened in", "年", "建成年份；空为待考", "Year when opened; empty where unknown"),
			newColumn(catalog.Time, "开园时间", "Opens at", "", "开园时刻；空为全天开放", "When it opens; empty where always open"),
			newColumn(catalog.Time, "闭园时间", "Closes at", "", "闭园时刻；空为全天开放", "When it closes; empty where always open"),
			text("宠物", "Pets", "可否携带宠物", "Whether pets may come").coded(words("可以", "yes", "不可以", "no", "限时段", "at times")...),
			colLon,
			colLat,
		},
		rows: func(put func(...string)) {
			r, a := stream("parks"), byName("滨湖区")
			for n := range 168 {
				k := r.weighted([]int{8, 34, 10, 48})
				lon, lat := a.point(r)
				opens, closes := "", ""
				if k != 3 && r.chance(450) {
					opens, closes = pick(r, []string{"05:30", "06:00"}), pick(r, []string{"21:00", "21:30", "22:00"})
				}
				put("GY"+padded(n+1, 4), pick(r, lotNames)+[]string{"公园", "社区公园", "植物园", "游园"}[k], []string{"综合公园", "社区公园", "专类公园", "游园"}[k], pick(r, a.streets), fixed(r.between([]int{1200, 100, 500, 12}[k], []int{9800, 980, 6400, 95}[k]), 2), r.orEmpty(70, itoa(r.between(1982, 2025))), opens, closes, r.orEmpty(60, []string{"可以", "不可以", "限时段"}[r.weighted([]int{5, 3, 2})]), fixed(lon, 5), fixed(lat, 5))
			}
		},
	}
	return simulated("binhu", catalog.Dataset{
		Slug:  "binhu-parks",
		Title: catalog.Text{Zh: "滨湖区公园绿地", En: "Parks of Binhu District"},
		Description: catalog.Text{
			Zh: "滨湖区综合公园、社区公园、专类公园和游园的名称、面积、建成年份、开放时间、宠物规定和坐标。开闭园时间为空的公园全天开放。",
			En: "Parks of Binhu District with area, year, hours, rules for pets and coordinates. Parks without hours are always open.",
		},
		Themes: []string{"housing", "environment", "living"}, Keywords: []string{"公园", "绿地", "开放时间", "宠物", "滨湖区"},
		Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional, Frequency: "semiannual", Spatial: "滨湖区（模拟）", TemporalStart: "2025-07", TemporalEnd: "2025-07", Identifiers: []string{"320211-ZJ-0002"},
	}, release("2025-07", "首次发布。", "First release.", s))
}

const activitiesReadme = `蠡湖街道社区活动安排（示例数据）
================================

activities.csv  社区活动安排，每行一场
说明：活动、场地均为虚构；“名额”为空表示不限人数；时间为北京时间。
联系：蠡湖街道数据管理岗（示例），0510-0000 0021

Activities of communities in Lihu Street (simulated)
activities.csv has one activity a row. All are invented; an empty number of
places means that there is no limit; times are Beijing time.
`

func activities() Dataset {
	s := sheet{
		file: "activities.csv", form: csvBOM, title: catalog.Text{Zh: "社区活动", En: "Activities"},
		columns: []column{
			text("活动名称", "Activity", "活动名称", "Name of the activity"),
			text("社区", "Community", "社区（虚构）", "Community (invented)"),
			text("地点", "Place", "活动地点", "Place"),
			datetime("开始时间", "Begins at", "开始时间，北京时间", "Begin, Beijing time"),
			datetime("结束时间", "Ends at", "结束时间，北京时间", "End, Beijing time"),
			whole("名额", "Places", "人", "名额；空为不限", "Places; empty where there is no limit"),
			text("对象", "For", "面向人群", "For whom").coded(words("全体居民", "All", "老年人", "The old", "亲子", "Families", "青少年", "The young")...),
			text("备注", "Remark", "备注，可含逗号和引号", "Remark; may hold commas and quotes"),
		},
		rows: func(put func(...string)) {
			r := stream("activities")
			for n := range 264 {
				at := day(2025, 9, 1).AddDate(0, 0, n*120/264).Add(time.Duration(pick(r, []int{9, 10, 14, 15, 19})) * time.Hour)
				put(pick(r, []string{"防诈骗讲座", "太极晨练", "绘本共读", "旧物交换集市", "智能手机课堂", "垃圾分类小课堂", "桂花节游园", "义诊"}), pick(r, []string{"望湖", "听松", "鸥鹭", "芳草", "渔庄"})+"社区", pick(r, []string{"党群服务中心二楼", "社区广场", "图书角", "多功能厅"}), at.Format(isoMinute), at.Add(quarter*time.Duration(r.between(4, 10))).Format(isoMinute), r.orEmpty(350, itoa(r.between(2, 12)*5)), pick(r, []string{"全体居民", "老年人", "亲子", "青少年"}), r.orEmpty(700, pick(r, []string{"请自带水杯,雨天改到室内", "需提前在\"街道服务台\"登记", "场地有限，先到先得"})))
			}
		},
	}
	return simulated("binhu-lihu", catalog.Dataset{
		Slug:  "lihu-community-activities",
		Title: catalog.Text{Zh: "蠡湖街道社区活动安排", En: "Activities of communities in Lihu Street"},
		Description: catalog.Text{
			Zh: "蠡湖街道各社区2025年9月至12月的活动安排：名称、地点、起止时间、名额和面向人群。另附一份说明文件（README.txt）。",
			En: "Activities of the communities in Lihu Street from September to December 2025: name, place, time, places and for whom. A note (README.txt) is attached.",
		},
		Themes: []string{"living", "education", "institutions"}, Keywords: []string{"社区", "活动", "街道", "居民"},
		Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional, Frequency: "irregular", Spatial: "蠡湖街道（模拟）", TemporalStart: "2025-09-01", TemporalEnd: "2025-12-31", Identifiers: []string{"320211-LH-0001"},
	}, release("2025-09", "9月至12月的安排，附说明文件。", "September to December, with a note attached.", s).with("README.txt", activitiesReadme))
}

func scenicVisitors() Dataset {
	s := sheet{
		file: "visitors.xlsx", form: xlsx, title: catalog.Text{Zh: "景区日客流", En: "Visitors a day"},
		columns: []column{
			date("日期", "Date", "日期", "Date"),
			text("景区", "Place", "景区（虚构）", "Scenic place (invented)"),
			text("等级", "Grade", "景区等级", "Grade").coded(words("5A", "5A", "4A", "4A", "3A", "3A")...),
			whole("入园人数", "Visitors", "人次", "入园人次；空为闭园", "Visitors; empty where closed"),
			whole("最大承载量", "Limit", "人", "日最大承载量", "Most visitors allowed a day"),
		},
		rows: func(put func(...string)) {
			months := [12]int{62, 86, 148, 152, 120, 84, 92, 98, 96, 158, 104, 60}
			r := stream("scenic")
			for d := range 365 {
				at := day(2025, 1, 1).AddDate(0, 0, d)
				share := seasonal(at, &months)
				if resting(at) {
					share = share * 19 / 10
				}
				if at.Month() == time.October && at.Day() <= 8 || at.Month() == time.May && at.Day() <= 5 {
					share = share * 3 / 2
				}
				for n, name := range []string{"云汀湖景区", "听涛山景区", "古运河水弄堂示例段", "紫砂谷景区", "竹海云台景区", "江尾湿地", "桃源里景区", "鹅鼻嘴示例公园", "雪浪花谷", "梅园里景区"} {
					limit := []int{60000, 50000, 40000, 22000, 26000, 18000, 15000, 16000, 12000, 20000}[n]
					visitors := itoa(min(limit*share/1000*(100+r.noise(9))/100, limit))
					if n == 8 && at.Month() <= time.February {
						visitors = ""
					}
					put(at.Format(isoDate), name, []string{"5A", "5A", "4A", "4A", "4A", "4A", "3A", "3A", "3A", "4A"}[n], visitors, itoa(limit))
				}
			}
		},
	}
	return simulated("wlj", catalog.Dataset{
		Slug:  "scenic-visitors",
		Title: catalog.Text{Zh: "旅游景区日客流", En: "Visitors of scenic places, by day"},
		Description: catalog.Text{
			Zh: "10个景区2025年每天的入园人次和日最大承载量。赏花季、秋季、周末和长假为高峰。景区均为虚构，其中一处冬季闭园，入园人数为空。",
			En: "Visitors of 10 scenic places on each day of 2025 and the most they may take. Blossom time, autumn, weekends and long holidays are the peaks. The places are invented; one is closed in winter and has no number then.",
		},
		Themes: []string{"education", "commerce"}, Keywords: []string{"旅游", "景区", "客流", "假日"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "never", TemporalStart: "2025-01-01", TemporalEnd: "2025-12-31", Identifiers: []string{"320200-WLJ-0003"},
	}, release("2025-12-31", "2025年全年。", "The whole of 2025.", s))
}
