package main

import (
	"fmt"
	"strings"
	"testing"

	"taihu/api"
	"taihu/catalog"
)

// TestJoins: which columns share values, estimated and counted, as JSON and as a page,
// and that nothing of a conditional or closed dataset is among them.
func TestJoins(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	var many strings.Builder
	many.WriteString("编号,序号,区名\n")
	for i := range 3000 {
		fmt.Fprintf(&many, "%03d,%d,第%d区\n", i+1, i+1, i%40)
	}
	for slug, content := range map[string]string{"charging": "车场编号,桩数\n003,4\n004,9\n900,33\n901,417\n", "registry": many.String()} {
		e := api.DatasetEdit{Slug: slug, Organization: "sthj", Title: catalog.Text{Zh: "数据 " + slug}, Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional}
		if _, err := p.client.CreateDataset(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		p.release(slug, "main.csv", content, "readme.txt", "an attachment")
	}
	p.idle()
	const base = "/api/v1/datasets/open-lots/releases/latest/tables/lots/joins"
	const page = "/datasets/open-lots/tables/lots/joins"
	hidden := []string{"conditional-lots", "closed-lots", "hashes"}
	pair := "?column=编号&with=registry/main&other=编号"
	p.play(t, []scenario{
		{name: "a column of codes", path: base + "?column=编号", status: 200, has: map[string]string{"Cache-Control": "public, no-cache"}, lacks: append([]string{`"exact"`}, hidden...),
			parts: []string{`"dataset":"open-lots","release":2,"table":"lots","column":"编号","type":"text","compared":true,"distinct":6`, `"dataset":"registry"`,
				`"dataset":"charging","title":{"zh":"数据 charging"},"release":1,"table":"main","rows":4,"column":"车场编号","type":"text","distinct":4,"same_name":false,"shared":2,"of":0.3333333333333333,"in":0.5,"counted":true,"sampled":4`,
				`JOIN read_parquet('` + p.URL + `/data/charging/1/main.parquet') AS b\n  ON a.\"编号\" = b.\"车场编号\";`}},
		{name: "counted value by value", path: base + pair, status: 200, parts: []string{`"counted":false`, `"exact":{"shared":6,"of":1,"in":0.002,"distinct":6,"other_distinct":3000}`}, lacks: append([]string{"charging"}, hidden...)},
		{name: "integers", path: base + "?column=泊位数", status: 200, parts: []string{`"column":"桩数","type":"integer"`, `"shared":2`}},
		{name: "too few values", path: base + "?column=区县", status: 200, parts: []string{`"compared":false`, `"joins":[]`}},
		{name: "no column", path: base, status: 400, parts: []string{"query.column"}},
		{name: "an unknown column", path: base + "?column=编码", status: 400, parts: []string{`"unknown_column"`}},
		{name: "an unknown parameter", path: base + "?column=编号&colum=1", status: 400, parts: []string{`"nearest":"column"`}},
		{name: "an older release", path: strings.Replace(base, "latest", "1", 1) + "?column=编号", status: 422, parts: []string{`"not_compared"`}},
		{name: "the newest by its number", path: strings.Replace(base, "latest", "2", 1) + "?column=编号", status: 200, parts: []string{"charging"}},
		{name: "an unknown other", path: base + "?column=编号&with=nothing/main&other=x", status: 404, parts: []string{`"unknown_dataset"`}},
		{name: "other without with", path: base + "?column=编号&other=x", status: 404},
		{name: "of a conditional one, for nobody", path: strings.Replace(base, "open", "conditional", 1) + "?column=编号", status: 403},
		{name: "of a conditional one, for its people", path: strings.Replace(base, "open", "conditional", 1) + "?column=编号", headers: bearerOf(p.own), status: 200, parts: []string{`"compared":false`, `"joins":[]`}},
		{name: "with a conditional one, for its people", path: base + "?column=编号&with=conditional-lots/lots&other=编号", headers: bearerOf(p.own), status: 422, parts: []string{`"not_compared"`}},
		{name: "with a closed one, for nobody", path: base + "?column=编号&with=closed-lots/lots&other=编号", status: 404, parts: []string{`"unknown_dataset"`}},
		{name: "no sketch in the profile", path: strings.Replace(base, "joins", "profile", 1), status: 200, lacks: []string{"hashes", "sketch"}},
		{name: "no sketch in the release", path: "/api/v1/datasets/open-lots/releases/latest", status: 200, lacks: []string{"hashes", "sketch"}},
		{name: "the page", path: page + "?column=编号", headers: []string{"Accept", "text/html"}, status: 200, parts: []string{"与“编号”同值的列", "数据 charging", "33%", "50%", "约6", "逐个数", "/datasets?q=column", "a.&#34;编号&#34; = b.&#34;车场编号&#34;"}, lacks: hidden},
		{name: "the page in English", path: "/en" + page + "?column=编号", headers: []string{"Accept", "text/html"}, status: 200, parts: []string{"Columns that share values with “编号”", "about 6"}, lacks: hidden},
		{name: "the page, counted", path: page + pair, headers: []string{"Accept", "text/html"}, status: 200, parts: []string{"<b>实数 6</b>", "<b>100%</b>"}, lacks: hidden},
		{name: "the page, not counted", path: page + "?column=编号&with=conditional-lots/lots&other=编号", headers: append(bearerOf(p.own), "Accept", "text/html"), status: 422, parts: []string{"没有数成", "数据 charging"}},
		{name: "the page of what is not compared", path: page + "?column=区县", headers: []string{"Accept", "text/html"}, status: 200, parts: []string{"这一列不参与比较"}},
		{name: "the page without a column", path: page, headers: []string{"Accept", "text/html"}, status: 303, has: map[string]string{"Location": "/datasets/open-lots?table=lots#fields"}},
		{name: "the dataset's page leads there", path: "/datasets/open-lots", headers: []string{"Accept", "text/html"}, status: 200, parts: []string{`href="/datasets/open-lots/tables/lots/joins?column=%E7%BC%96%E5%8F%B7"`}},
		{name: "an older release's page does not", path: "/datasets/open-lots/releases/1", headers: []string{"Accept", "text/html"}, status: 200, lacks: []string{"/joins"}},
	})
}
