package sample

import "taihu/catalog"

// area is one of the eight districts and cities: its code (GB/T 2260; the
// economic development zone has none there and carries a local one), a centre in
// units of 0.00001° and how far its places lie around it.
type area struct {
	name, en, code   string
	lon, lat         int
	spreadX, spreadY int
	weight           int // share of the people, per mille
	streets          []string
	cityRoads        []string
}

var areas = []area{
	{"锡山区", "Xishan", "320205", 12038000, 3160000, 5000, 4500, 115, []string{"东亭街道", "安镇街道", "东北塘街道", "云林街道", "东港镇", "锡北镇", "羊尖镇", "鹅湖镇"}, []string{"云湖路", "锡东大道", "柏桥路", "春象路", "迎宾北路"}},
	{"惠山区", "Huishan", "320206", 12026000, 3168000, 6000, 4500, 122, []string{"堰桥街道", "长安街道", "钱桥街道", "前洲街道", "玉祁街道", "洛社镇", "阳山镇"}, []string{"政和路", "惠畅路", "桃源路", "洛城大道", "石新路"}},
	{"滨湖区", "Binhu", "320211", 12023000, 3151000, 5000, 4000, 96, []string{"河埒街道", "荣巷街道", "蠡湖街道", "蠡园街道", "雪浪街道", "马山街道", "胡埭镇"}, []string{"望湖路", "梁清里路", "蠡溪北路", "鸿桥东路", "山水中路"}},
	{"梁溪区", "Liangxi", "320213", 12030500, 3157500, 2600, 2400, 132, []string{"崇安寺街道", "江海街道", "通江街道", "迎龙桥街道", "扬名街道", "黄巷街道", "北大街街道", "惠山街道"}, []string{"运河西巷", "槐树里路", "学宫前街", "广和路", "五河东路", "塘南里路"}},
	{"新吴区", "Xinwu", "320214", 12040000, 3150000, 4500, 3500, 98, []string{"旺庄街道", "江溪街道", "硕放街道", "梅村街道", "鸿山街道", "新安街道"}, []string{"长江东里路", "旺达路", "锡梅新路", "新华里路", "净慧东道"}},
	{"江阴市", "Jiangyin", "320281", 12030000, 3186000, 14000, 6500, 238, []string{"澄江街道", "南闸街道", "云亭街道", "利港街道", "璜土镇", "周庄镇", "华士镇", "新桥镇", "长泾镇", "徐霞客镇", "祝塘镇"}, []string{"澄云大道", "长山里路", "花北路", "芙蓉西道", "锡澄南路"}},
	{"宜兴市", "Yixing", "320282", 11982000, 3136000, 15000, 11000, 171, []string{"宜城街道", "屺亭街道", "丁蜀镇", "张渚镇", "和桥镇", "官林镇", "周铁镇", "湖㳇镇", "西渚镇"}, []string{"荆溪里路", "阳羡东道", "陶都新路", "龙池路", "茶局巷"}},
	{"经开区", "Economic Development Zone", "3202JK", 12031000, 3148500, 2000, 2000, 28, []string{"太湖街道", "华庄街道"}, []string{"观湖道", "和风里路", "清源新路", "尚贤西道"}},
}

// byName returns the area of that name.
func byName(name string) *area {
	for i := range areas {
		if areas[i].name == name {
			return &areas[i]
		}
	}
	panic("sample: no area " + name)
}

var areaWeights = func() (w []int) {
	for _, a := range areas {
		w = append(w, a.weight)
	}
	return w
}()

// anArea returns an area with a chance in proportion to its people.
func anArea(r *random) *area { return &areas[r.weighted(areaWeights)] }

// point returns a longitude and latitude in the area, in units of 0.00001°.
func (a *area) point(r *random) (lon, lat int) {
	return a.lon + clamp(r.noise(a.spreadX/2), -a.spreadX, a.spreadX), a.lat + clamp(r.noise(a.spreadY/2), -a.spreadY, a.spreadY)
}

// address returns a road and number.
func (a *area) address(r *random) string {
	return a.name + pick(r, a.cityRoads) + itoa(r.between(1, 399)) + "号"
}

var areaCodes = func() (list []catalog.Code) {
	for _, a := range areas {
		list = append(list, catalog.Code{Value: a.code, Label: catalog.Text{Zh: a.name, En: a.en}})
	}
	return list
}()

// Columns that many tables have.
var (
	colArea     = text("区县", "District", "所在的区、县级市或开发区", "District, county-level city or zone")
	colAreaCode = text("区县代码", "District code", "行政区划代码（GB/T 2260）；经开区没有国家代码，用本地代码3202JK", "Division code (GB/T 2260); the development zone has none there and carries the local code 3202JK").coded(areaCodes...)
	colStreet   = text("街道", "Street", "所在的街道或镇", "Street office or town")
	colAddress  = text("地址", "Address", "虚构的门牌地址", "Invented street address")
	colLon      = fraction("经度", "Longitude", "°", "经度，CGCS2000坐标系，五位小数", "Longitude in CGCS2000, five decimals")
	colLat      = fraction("纬度", "Latitude", "°", "纬度，CGCS2000坐标系，五位小数", "Latitude in CGCS2000, five decimals")
)
