package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

const (
	lotsAPI     = "/datasets/open-lots/tables/lots/api"
	lotsOpenAPI = "/api/v1/datasets/open-lots/releases/latest/tables/lots/openapi.json"
)

// TestTableAPIPage: who may read a table finds all about its API and can try it;
// others find what they find on the other pages.
func TestTableAPIPage(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	asked := []string{"Accept", "text/html"}
	secret := strings.Replace(lotsAPI, "open-", "conditional-", 1)
	closed := strings.Replace(lotsAPI, "open-", "closed-", 1)
	p.play(t, []scenario{
		{name: "page", path: lotsAPI, status: 200, parts: []string{p.URL + "/data/open-lots/2/lots.parquet", "median · quantile", "泊位数", "/tables/lots/openapi.json", "no_such_column"}, lacks: []string{"tried-body"}},
		{name: "in English, an older release", path: "/en" + lotsAPI + "?release=1", status: 200, parts: []string{"/data/open-lots/1/lots.csv", `name="release" value="1"`, "Power Query"}, lacks: []string{"/data/open-lots/2/"}},
		{name: "from the dataset", path: "/datasets/open-lots", status: 200, parts: []string{`href="` + lotsAPI + `"`}},
		{name: "from an older release", path: "/en/datasets/open-lots/releases/1", status: 200, parts: []string{`href="/en` + lotsAPI + `?release=1"`}},
		{name: "from the explorer, with its query", path: "/datasets/open-lots/tables/lots?where=泊位数 > 100&release=1", status: 200, parts: []string{lotsAPI + "?release=1&amp;where=%E6%B3%8A%E4%BD%8D%E6%95%B0&#43;%3E&#43;100"}},
		{name: "tried", path: lotsAPI + "?where=泊位数 > 100&format=csv&select=编号,名称", status: 200,
			parts: []string{"200 OK", "001,三阳广场\n003,蠡湖公园", "Etag: &#34;", "/data/open-lots/2/lots.csv?limit=10&amp;", `--data-urlencode &#34;where=泊位数 &gt; 100&#34;`}, lacks: []string{"崇安寺"}},
		{name: "tried rows", path: lotsAPI + "?sort=-编号&limit=1", status: 200, parts: []string{"200 OK", "&#34;编号&#34;: &#34;006&#34;", "&#34;next&#34;: &#34;", "limit=1"}},
		{name: "tried and wrong", path: lotsAPI + "?where=泊位 > 100&format=csv", status: 200, parts: []string{"400 Bad Request", "unknown_column", "application/problem&#43;json", "泊位数"}},
		{name: "tried with a limit too large", path: lotsAPI + "?limit=100000", status: 200, parts: []string{"200 OK", "limit=100&", `data-urlencode &#34;limit=100000&#34;`}},
		{name: "tried with no number", path: lotsAPI + "?limit=x", status: 200, parts: []string{"400 Bad Request", "bad_limit"}},
		{name: "no such format is the page of rows", path: lotsAPI + "?format=../../x", status: 200, parts: []string{"200 OK", "/tables/lots/rows?limit=10"}},
		{name: "unknown table", path: "/datasets/open-lots/tables/none/api", headers: asked, status: 404},
		{name: "unknown release", path: lotsAPI + "?release=9", headers: asked, status: 404},
		{name: "conditional, for nobody", path: secret + "?format=csv", headers: asked, status: 403, lacks: []string{canary}},
		{name: "conditional, for another", path: secret + "?format=csv", headers: with(asked, bearerOf(p.other)...), status: 403, lacks: []string{canary}},
		{name: "conditional, for its own", path: secret + "?format=csv", headers: with(asked, bearerOf(p.own)...), status: 200, parts: []string{canary, "Bearer $TAIHU_TOKEN", "BEARER_TOKEN"}},
		{name: "closed", path: closed + "?format=csv", headers: asked, status: 404, lacks: []string{canary}},
	})
	_, _, page := p.get(lotsAPI + "?where=泊位数 < 100&format=xml")
	_, _, body := p.get("/data/open-lots/2/lots.xml?where=泊位数 < 100&limit=10")
	if got := preTexts(t, string(page))["tried-body"]; got != string(body) {
		t.Errorf("the page shows\n%s\nand the address gives\n%s", got, body)
	}

	p.release("open-lots", "lots.csv", "编号,说明\n"+strings.Repeat("001,"+strings.Repeat("长", 3000)+"\n", 20))
	p.play(t, []scenario{{name: "a long answer is cut", path: "/en" + lotsAPI + "?format=csv&limit=20", status: 200, parts: []string{"200 OK", "and more"}}})
	_, _, page = p.get("/en" + lotsAPI + "?format=csv&limit=20")
	if n := len(preTexts(t, string(page))["tried-body"]); n > 16<<10 || n < 9000 {
		t.Errorf("%d bytes of it are shown", n)
	}
	p.rename("open-lots", "lots-renamed")
	p.play(t, []scenario{
		{name: "renamed", path: "/en" + lotsAPI + "?release=1", status: 301, has: map[string]string{"Location": "/en/datasets/lots-renamed/tables/lots/api?release=1"}},
		{name: "description of a renamed one", path: lotsOpenAPI, status: 301, has: map[string]string{"Location": strings.Replace(lotsOpenAPI, "open-lots", "lots-renamed", 1)}},
	})
}

// TestTriedRequestsCountLikeOthers: the form is no way around the budget, and the
// page itself costs nothing.
func TestTriedRequestsCountLikeOthers(t *testing.T) {
	p := startLots(t, "--anonymous-queries=3")
	for range 5 {
		p.play(t, []scenario{{name: "the page", path: lotsAPI, status: 200, lacks: []string{"tried-body"}}})
	}
	spent := false
	for i := range 6 {
		_, _, page := p.get(fmt.Sprintf("%s?where=泊位数 > %d&format=csv", lotsAPI, i))
		spent = spent || strings.Contains(string(page), "429 Too Many Requests") && strings.Contains(string(page), "rate_limited")
	}
	if status, _, _ := p.get(lotRows); !spent || status != 429 {
		t.Errorf("after six tries: refused %t, and rows answer %d", spent, status)
	}
}

// TestTableOpenAPI: open where the schema is, without a value where the data are
// not; with the addresses, formats and examples of this table alone.
func TestTableOpenAPI(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	secret := strings.Replace(lotsOpenAPI, "open-", "conditional-", 1)
	closed := strings.Replace(lotsOpenAPI, "open-", "closed-", 1)
	p.play(t, []scenario{
		{name: "open", path: lotsOpenAPI, status: 200, has: map[string]string{"Content-Type": "application/openapi+json", "Access-Control-Allow-Origin": "*", "Content-Location": p.URL + strings.Replace(lotsOpenAPI, "latest", "2", 1)},
			parts: []string{`"openapi":"3.1.0"`, `"/data/open-lots/2/lots.{format}"`, `"泊位数":{`, `"application/vnd.apache.parquet"`, "application/problem+json", `"x-columns":["编号","名称","区县","泊位数"]`}, lacks: []string{"geojson", `"name":"bbox"`, "aqi"}},
		{name: "conditional, for nobody", path: secret, status: 200, parts: []string{"泊位数", `"security":[{"token":[]}]`}, lacks: []string{canary, "梁溪区", "417", `"examples":["001"`}},
		{name: "conditional, for its own", path: secret, headers: bearerOf(p.own), status: 200, parts: []string{"梁溪区"}},
		{name: "closed", path: closed, status: 404},
		{name: "its head", method: http.MethodHead, path: lotsOpenAPI, status: 200},
		{name: "unknown table", path: strings.Replace(lotsOpenAPI, "/lots/", "/lot/", 1), status: 404, parts: []string{"lots"}},
		{name: "unknown parameter", path: lotsOpenAPI + "?pretty=1", status: 400},
		{name: "named by the portal's", path: "/openapi.json", status: 200, parts: []string{"/tables/{table}/openapi.json"}},
	})
	p.checkDescribed(t)
	p.play(t, []scenario{
		{name: "withdraw", method: http.MethodPost, path: "/api/v1/datasets/open-lots/releases/2/withdraw", headers: with(bearerOf(p.admin), "Content-Type", "application/json"), body: `{"reason":"wrong"}`, status: 200},
		{name: "withdrawn", path: strings.Replace(lotsOpenAPI, "latest", "2", 1), status: 410},
		{name: "page of a withdrawn one", path: lotsAPI + "?release=2", status: 303, has: map[string]string{"Location": "/datasets/open-lots/releases/2"}},
	})
}

// checkDescribed holds a document to itself and to the portal, also where no
// validator is installed: references lead somewhere, each part of a path in
// braces is a parameter, and a page of rows has the members and types of Row.
func (p *lotPortal) checkDescribed(t *testing.T) {
	t.Helper()
	var doc struct {
		Paths map[string]struct {
			Get struct {
				OperationID string
				Parameters  []struct{ Name, In string }
			}
		}
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Type any }
			}
		}
	}
	_, _, body := p.get(lotsOpenAPI)
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"\$ref":"([^"]*)"`).FindAllStringSubmatch(string(body), -1) {
		name, ok := strings.CutPrefix(m[1], "#/components/schemas/")
		if _, there := doc.Components.Schemas[name]; !ok || !there {
			t.Errorf("%s leads nowhere", m[0])
		}
	}
	asked := ""
	for path, item := range doc.Paths {
		ids, declared := regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1), map[string]bool{}
		for _, q := range item.Get.Parameters {
			if q.In == "path" {
				declared[q.Name] = true
			}
		}
		for _, m := range ids {
			if !declared[m[1]] {
				t.Errorf("%s: %s is no parameter", path, m[1])
			}
		}
		if len(ids) != len(declared) {
			t.Errorf("%s declares %v", path, declared)
		}
		if item.Get.OperationID == "get-rows" {
			asked = path
		}
	}
	var page struct{ Rows []map[string]any }
	if _, _, body := p.get(asked); json.Unmarshal(body, &page) != nil || len(page.Rows) == 0 {
		t.Fatalf("%q answers %.200s", asked, body)
	}
	row := doc.Components.Schemas["Row"].Properties
	for _, r := range page.Rows {
		for name, v := range r {
			if want := map[bool]string{true: "string", false: "integer"}[fmt.Sprintf("%T", v) == "string"]; row[name].Type != want {
				t.Errorf("%s is %T, described as %v", name, v, row[name].Type)
			}
		}
		if len(r) != len(row) {
			t.Errorf("a row has %d members, %d are described", len(r), len(row))
		}
	}
}
