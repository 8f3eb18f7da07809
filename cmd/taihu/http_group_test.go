package main

import (
	"strings"
	"testing"

	"taihu/api/client"
)

// TestGroupsOverHTTP: groups are rows like any others, on pages and in files.
func TestGroupsOverHTTP(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	rows, csv := "/api/v1/datasets/open-lots/releases/2/tables/lots/rows", "/data/open-lots/2/lots.csv"
	p.play(t, []scenario{
		{name: "groups with their counts", path: rows + "?group=区县", status: 200,
			parts: []string{`{"rows":[{"区县":"梁溪区","count":3},{"区县":"滨湖区","count":3}],"next":null}`}},
		{name: "aggregates, having and sort", path: csv + "?group=区县&select=区县,sum(泊位数) as 总数,max(名称)&having=总数 > 100&sort=-总数", status: 200,
			has: map[string]string{"Content-Type": "text/csv; charset=utf-8"}, parts: []string{"区县,总数,max_名称\n梁溪区,429,崇安寺\n滨湖区,154,蠡湖公园\n"}},
		{name: "one row without group", path: csv + "?select=count(*),avg(泊位数) as 平均&where=泊位数 < 100", status: 200, parts: []string{"count,平均\n4,11.5\n"}},
		{name: "no row is one group", path: csv + "?select=count(*),sum(泊位数)&where=泊位数 > 9999", status: 200, parts: []string{"count,sum_泊位数\n0,\n"}},
		{name: "bins", path: rows + "?group=bin(泊位数, 100)&sort=-count&count=1", status: 200,
			parts: []string{`"rows":[{"bin_泊位数":0,"count":4},{"bin_泊位数":100,"count":1},{"bin_泊位数":400,"count":1}]`, `"count":3}`}},
		{name: "words in any column", path: csv + "?q=公园 滨湖&select=编号", status: 200, parts: []string{"编号\n003\n"}},
		{name: "the same by POST", method: "POST", path: strings.Replace(rows, "/rows", "/query", 1), headers: []string{"Content-Type", "application/json"},
			body: `{"group":"区县","select":"count(*)","having":"count > 2"}`, status: 200, parts: []string{`"rows":[{"count":3},{"count":3}]`}},
		{name: "facets", path: strings.Replace(rows, "/rows", "/facets", 1) + "?columns=区县,泊位数&where=泊位数 < 300&limit=2", status: 200,
			parts: []string{`"rows":5`, `{"column":"区县","distinct":2,"nulls":0,"values":[{"value":"滨湖区","count":3},{"value":"梁溪区","count":2}]}`, `"column":"泊位数","distinct":4,"nulls":0,"values":[{"value":6,"count":2},`}},
		{name: "facets of what is no column", path: strings.Replace(rows, "/rows", "/facets", 1) + "?columns=区", status: 400, parts: []string{`"unknown_column"`}},
		{name: "facets of an aggregate", path: strings.Replace(rows, "/rows", "/facets", 1) + "?columns=count(*)", status: 400, parts: []string{`"bad_parameter"`}},
		{name: "a column that is not grouped", path: rows + "?group=区县&select=名称", status: 400, parts: []string{`"bad_select"`, `differs within a group`}},
		{name: "an aggregate of texts", path: rows + "?select=avg(名称)", status: 400, parts: []string{`"bad_select"`, `takes a column of numbers`}},
		{name: "an unknown function", path: rows + "?select=mean(泊位数)", status: 400, parts: []string{`"bad_select"`, `avg`}},
		{name: "having without groups", path: rows + "?having=泊位数 > 3", status: 400, parts: []string{`"bad_having"`}},
		{name: "places in a table without any", path: rows + "?near=120.3,31.5,100", status: 400, parts: []string{`"no_coordinates"`}},
		{name: "a box that is none", path: rows + "?bbox=1,2,3", status: 400, parts: []string{`"bad_bbox"`}},
	})
	// A walk through groups gives each once.
	c := client.New(p.URL, "")
	var seen []string
	for address := rows + "?group=名称&limit=2"; address != ""; {
		var page struct {
			Rows []map[string]any
			Next *string
		}
		if err := c.Do(t.Context(), "GET", encodeQuery(address), nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			seen = append(seen, r["名称"].(string))
		}
		address = ""
		if page.Next != nil {
			address = rows + "?group=名称&limit=2&cursor=" + *page.Next
		}
	}
	if got := strings.Join(seen, " "); got != "三阳广场 太湖广场 崇安寺 新的 甲;乙 蠡湖公园" {
		t.Errorf("walked through %q", got)
	}
}
