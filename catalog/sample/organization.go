package sample

import (
	"fmt"

	"taihu/catalog"
)

// Organizations lists the publishers, parents first. The administration is
// imagined: phones and mail addresses lead nowhere.
func Organizations() []Organization {
	list := make([]Organization, len(publishers))
	for i, p := range publishers {
		region := "320200"
		if p.region != "" {
			region = p.region
		}
		about := catalog.Text{
			Zh: p.aboutZh + "本机构为示例机构，发布的数据均为模拟。",
			En: p.aboutEn + " This is a sample organization; what it publishes is simulated.",
		}
		if p.slug == editors {
			about = catalog.Text{Zh: p.aboutZh, En: p.aboutEn}
		}
		list[i] = Organization{Parent: p.parent, Organization: catalog.Organization{
			Slug: p.slug, Name: catalog.Text{Zh: p.zh, En: p.en}, Code: "SAMPLE-" + padded(i+1, 3), Region: region,
			Phone: fmt.Sprintf("0510-0000 %04d", i+1), Mail: p.slug + "@sample.invalid",
			Description: about,
		}}
	}
	return list
}

// editors publish the one real dataset.
const editors = "editors"

var publishers = []struct{ slug, parent, region, zh, en, aboutZh, aboutEn string }{
	{"city", "", "", "市级机关", "City administration", "市级各部门。", "The departments of the city."},
	{"cgj", "city", "", "城市管理局", "Urban Management Bureau", "停车、市容、环卫、城市部件。", "Parking, street scene, sanitation and street furniture."},
	{"sthj", "city", "", "生态环境局", "Ecology and Environment Bureau", "空气、水和噪声的监测。", "Monitoring of air, water and noise."},
	{"jtj", "city", "", "交通运输局", "Transport Bureau", "公交、轨道、共享单车和道路运输。", "Buses, metro, shared bikes and road transport."},
	{"jyj", "city", "", "教育局", "Education Bureau", "学校和幼儿园。", "Schools and kindergartens."},
	{"wjw", "city", "", "卫生健康委员会", "Health Commission", "医疗卫生机构。", "Health care institutions."},
	{"ybj", "city", "", "医疗保障局", "Healthcare Security Bureau", "医保定点机构。", "Institutions that take the public health insurance."},
	{"scjg", "city", "", "市场监督管理局", "Market Supervision Bureau", "市场主体登记、食品和产品质量。", "Registration of businesses, food and product quality."},
	{"qxj", "city", "", "气象局", "Weather Bureau", "地面观测、预报和预警。", "Observations, forecasts and warnings."},
	{"slj", "city", "", "水利局", "Water Resources Bureau", "水情、雨情和水利工程。", "Water levels, rainfall and waterworks."},
	{"tjj", "city", "", "统计局", "Statistics Bureau", "综合统计。", "General statistics."},
	{"czj", "city", "", "财政局", "Finance Bureau", "预算与执行。", "The budget and how it is carried out."},
	{"kjj", "city", "", "科技局", "Science and Technology Bureau", "高新技术企业和科技计划。", "High-tech firms and research programmes."},
	{"sjj", "city", "", "数据局", "Data Bureau", "公共数据、城市运行和政务热线。", "Public data, city operations and the service hotline."},
	{"spj", "city", "", "行政审批局", "Administrative Approval Bureau", "政务服务事项和行政许可。", "Government services and permits."},
	{"zjj", "city", "", "住房和城乡建设局", "Housing and Construction Bureau", "房屋、工程和地下管线。", "Housing, building works and pipes under ground."},
	{"wlj", "city", "", "文化广电和旅游局", "Culture and Tourism Bureau", "景区、场馆和文化活动。", "Scenic places, venues and culture."},
	{"gaj", "city", "", "公安局", "Public Security Bureau", "公共安全设施。", "Facilities of public safety."},
	{editors, "", "", "本站编辑", "Editors of this portal", "整理少量公开的真实数据，与示例机构的模拟数据分开。不是政府部门。", "They arrange a few real, public figures, kept apart from the simulated data of the sample organizations. They are no government body."},
	{"districts", "", "", "区（市）", "Districts", "各区、县级市的机关。", "The administrations of the districts."},
	{"binhu", "districts", "320211", "滨湖区", "Binhu District", "滨湖区各部门。", "The departments of Binhu District."},
	{"binhu-lihu", "binhu", "320211", "蠡湖街道", "Lihu Street Office", "街道的公共服务。", "Public services of the street."},
	{"liangxi", "districts", "320213", "梁溪区", "Liangxi District", "梁溪区各部门。", "The departments of Liangxi District."},
}
