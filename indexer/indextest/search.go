package indextest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/indexer"
)

// odd are documents whose text is out of the ordinary.
func odd() []indexer.Document {
	hostile := indexer.Document{
		ID: ID(900), Slug: "odd-hostile", Version: 1, Year: 2020,
		Title:         catalog.Text{Zh: `<em>梯队</em><script>alert("梯队")</script>&amp;`, En: `<img src=x onerror=alert(1)>`},
		Description:   catalog.Text{Zh: "\u0001\u0002梯队\u0002\u0001说明\ue000"},
		Organization:  "odd",
		Organizations: []string{"odd"},
		OpenAttribute: catalog.Unconditional, Frequency: "never",
	}
	signs := hostile
	signs.ID, signs.Slug = ID(901), "odd-signs"
	signs.Title = catalog.Text{Zh: "ＡＢＣ—Ｄ１２３ 面积㎡ Ⅷ ﬁnance", En: "Café Zürich naïve"}
	signs.Description = catalog.Text{Zh: "𠮷野家🍜拉面 𡈽", En: "e\u0301clair station_id camelCase"}
	bare := indexer.Document{
		ID: ID(902), Slug: "odd-bare", Version: 1, Title: catalog.Text{En: "Bare"},
		OpenAttribute: catalog.Unconditional, Frequency: "never",
	}
	return []indexer.Document{hostile, signs, bare}
}

func runSearch(t *testing.T, idx indexer.Index) {
	defer idx.Close()
	rebuild(t, idx, append(Documents(), odd()...)...)
	for _, test := range []struct {
		name string
		run  func(*testing.T, indexer.Index)
	}{
		{"relevance", testRelevance}, {"found", testFound}, {"every term", testEveryTerm}, {"everything", testEverything}, {"filters", testFilters},
		{"facets", testFacets}, {"sorts", testSorts}, {"paging", testPaging}, {"highlights", testHighlights}, {"hostile text", testHostileText}, {"refused", testRefused},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, idx) })
	}
}

func testRelevance(t *testing.T, idx indexer.Index) {
	for _, line := range strings.Split(relevanceText, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		query, expected, _ := strings.Cut(line, " = ")
		got := slugs(search(t, idx, indexer.Query{Text: query}))
		at := 0
		for _, place := range strings.Split(expected, " > ") {
			want := strings.Fields(place)
			end := min(at+len(want), len(got))
			have := slices.Clone(got[min(at, end):end])
			slices.Sort(have)
			slices.Sort(want)
			if !slices.Equal(have, want) {
				t.Errorf("%s: got %s, want %s", query, strings.Join(got[:min(6, len(got))], " "), expected)
				break
			}
			at = end
		}
	}
}

// testFound states for each query exactly what is found.
func testFound(t *testing.T, idx indexer.Index) {
	checkFound(t, idx, map[string]string{
		"微幸福":              "small-wishes",
		"幸福":               "small-wishes",
		"藻":                "taihu-water",
		"蓝藻":               "taihu-water",
		"高锰酸盐":             "taihu-water",
		"盐指数":              "taihu-water",
		"江溪街道":             "xinwu-public-toilets",
		"新吴区城市管理局":         "xinwu-public-toilets",
		"ＧＰＳ":              "bus-gps",
		"gps":              "bus-gps",
		"Gps":              "bus-gps",
		"bollards":         "street-furniture",
		"bolla":            "street-furniture",
		"BOLLARDS":         "street-furniture",
		"wx-cg-0107":       "parking-vacancy",
		"WX－ＣＧ－０１０７":       "parking-vacancy",
		"etc-inbound":      "etc-inbound",
		"黑碳气溶胶":            "air-hourly",
		"Meteorological":   "weather-stations",
		"abc":              "odd-signs",
		"d123":             "odd-signs",
		"cafe":             "odd-signs",
		"CAFÉ":             "odd-signs",
		"cafe\u0301":       "odd-signs",
		"zurich":           "odd-signs",
		"eclair":           "odd-signs",
		"finance zurich":   "odd-signs",
		"𠮷野":               "odd-signs",
		"野家":               "odd-signs",
		"station_id":       "odd-signs",
		"station_id 𡈽":     "odd-signs",
		"！？":               "",
		"🍜":                "",
		"不存在的词语":           "",
		"qqqqqzzz":         "",
		"\"蓝藻\"":           "taihu-water",
		"蓝藻\u0000\u0001\n": "taihu-water",
		" 蓝藻　":             "taihu-water",
	})
}

// checkFound searches each query and compares all slugs that are found.
func checkFound(t *testing.T, idx indexer.Index, queries map[string]string) {
	t.Helper()
	for _, query := range slices.Sorted(maps.Keys(queries)) {
		equal(t, query, found(t, idx, query), strings.Fields(queries[query]))
	}
}

func testEveryTerm(t *testing.T, idx indexer.Index) {
	checkFound(t, idx, map[string]string{
		"太湖 溶解氧":         "taihu-water",
		"蓝藻 停车":          "",
		"parking vacant": "parking-vacancy",
		"医院 bed":         "",
		"经度 交通运输局 票价":    "bus-lines",
		"蓝藻 qqqqqzzz":    "",
	})
}

func testEverything(t *testing.T, idx indexer.Index) {
	all := append(Documents(), odd()...)
	r := search(t, idx, indexer.Query{Limit: 100})
	equal(t, "total", r.Total, len(all))
	equal(t, "newest first", slugs(r), sorted(all, func(a, b indexer.Document) int { return b.Updated.Compare(a.Updated) }))
	equal(t, "default limit", len(search(t, idx, indexer.Query{Text: "  "}).Hits), indexer.DefaultLimit)
	counts := search(t, idx, indexer.Query{Limit: -1})
	equal(t, "no hits asked for", counts.Hits, []indexer.Hit{})
	equal(t, "but counted", counts.Total, len(all))
}

// matching returns the documents that pass the filters, without those of skip.
func matching(docs []indexer.Document, filter map[string][]string, skip string) []indexer.Document {
	return slices.DeleteFunc(slices.Clone(docs), func(d indexer.Document) bool {
		for facet, values := range filter {
			if facet == skip || len(values) == 0 {
				continue
			}
			if !slices.ContainsFunc(d.FacetValues(facet), func(v string) bool { return slices.Contains(values, v) }) {
				return true
			}
		}
		return false
	})
}

var filters = []map[string][]string{
	{"theme": {"transport"}},
	{"theme": {"transport", "health"}},
	{"organization": {"wuxi"}},
	{"organization": {"xinwu"}},
	{"organization": {"cgj", "xinwu"}, "frequency": {"monthly", "annual"}},
	{"format": {"pdf"}},
	{"open": {"conditional"}, "theme": {"transport", "safety"}},
	{"year": {"2025", "2024"}, "theme": {"housing", "living"}, "open": {"unconditional"}},
	{"year": {"1999"}},
	{"theme": {"no-such-theme"}},
	{"theme": {}},
	{"format": {`a" OR "b`, `\`, `"`, "'"}},
}

func testFilters(t *testing.T, idx indexer.Index) {
	all := append(Documents(), odd()...)
	for _, f := range filters {
		want := sorted(matching(all, f, ""), func(a, b indexer.Document) int { return b.Updated.Compare(a.Updated) })
		r := search(t, idx, indexer.Query{Filter: f, Limit: 100})
		equal(t, "filtered", slugs(r), want)
		equal(t, "total", r.Total, len(want))
	}
	equal(t, "text and filter", slugs(search(t, idx, indexer.Query{Text: "公交", Filter: map[string][]string{"frequency": {"monthly"}}})), []string{"bus-lines"})
}

// countFacets counts as the contract says: each facet under the other filters.
func countFacets(docs []indexer.Document, filter map[string][]string) map[string][]indexer.FacetCount {
	all := map[string][]indexer.FacetCount{}
	for _, facet := range indexer.Facets {
		counts := map[string]int{}
		for _, d := range matching(docs, filter, facet) {
			for _, v := range d.FacetValues(facet) {
				counts[v]++
			}
		}
		list := []indexer.FacetCount{}
		for v, n := range counts {
			list = append(list, indexer.FacetCount{Value: v, Count: n})
		}
		all[facet] = indexer.SortCounts(list)
	}
	return all
}

func testFacets(t *testing.T, idx indexer.Index) {
	all := append(Documents(), odd()...)
	equal(t, "all", search(t, idx, indexer.Query{Facets: true}).Facets, countFacets(all, nil))
	for _, f := range filters {
		equal(t, "filtered", search(t, idx, indexer.Query{Filter: f, Facets: true, Limit: -1}).Facets, countFacets(all, f))
	}
	bus := []indexer.Document{bySlug("bus-gps"), bySlug("bus-lines")}
	monthly := map[string][]string{"frequency": {"monthly"}}
	equal(t, "text and filter", search(t, idx, indexer.Query{Text: "公交", Filter: monthly, Facets: true}).Facets, countFacets(bus, monthly))
	if f := search(t, idx, indexer.Query{Text: "公交"}).Facets; len(f) != 0 {
		t.Errorf("facets not asked for: %v", f)
	}
	equal(t, "nothing found", search(t, idx, indexer.Query{Text: "！", Facets: true}).Facets, countFacets(nil, nil))
}

func testSorts(t *testing.T, idx indexer.Index) {
	by := map[string]func(a, b indexer.Document) int{
		"updated":   func(a, b indexer.Document) int { return a.Updated.Compare(b.Updated) },
		"rows":      func(a, b indexer.Document) int { return cmp.Compare(a.Rows, b.Rows) },
		"size":      func(a, b indexer.Document) int { return cmp.Compare(a.Cells, b.Cells) },
		"downloads": func(a, b indexer.Document) int { return cmp.Compare(a.Downloads, b.Downloads) },
		"title": func(a, b indexer.Document) int {
			return strings.Compare(indexer.SortKey(a.Title.In("zh")), indexer.SortKey(b.Title.In("zh")))
		},
	}
	for _, order := range indexer.Sorts {
		field, descending := strings.CutPrefix(order, "-")
		if field == "relevance" {
			continue
		}
		want := sorted(append(Documents(), odd()...), func(a, b indexer.Document) int {
			if descending {
				return by[field](b, a)
			}
			return by[field](a, b)
		})
		equal(t, order, slugs(search(t, idx, indexer.Query{Sort: order, Limit: 100})), want)
	}
	equal(t, "text by rows", slugs(search(t, idx, indexer.Query{Text: "停车场", Sort: "rows"})), []string{"parking-spaces", "parking-vacancy"})
	equal(t, "text by -rows", slugs(search(t, idx, indexer.Query{Text: "停车场", Sort: "-rows"})), []string{"parking-vacancy", "parking-spaces"})
	english := sorted(append(Documents(), odd()...), func(a, b indexer.Document) int {
		return strings.Compare(indexer.SortKey(a.Title.In("en")), indexer.SortKey(b.Title.In("en")))
	})
	equal(t, "English titles", slugs(search(t, idx, indexer.Query{Sort: "title", Lang: "en", Limit: 100})), english)
}

func testPaging(t *testing.T, idx indexer.Index) {
	for _, q := range []indexer.Query{{}, {Text: "时间"}, {Text: "名称"}, {Sort: "title"}, {Text: "数", Sort: "-rows"}} {
		q.Limit = 100
		whole := search(t, idx, q)
		var pages []string
		for q.Limit = 7; len(pages) < whole.Total; q.Offset += q.Limit {
			r := search(t, idx, q)
			if len(r.Hits) == 0 {
				break
			}
			equal(t, "total on each page", r.Total, whole.Total)
			pages = append(pages, slugs(r)...)
		}
		equal(t, "pages of "+q.Text+q.Sort, pages, slugs(whole))
	}
	beyond := search(t, idx, indexer.Query{Offset: 5000})
	equal(t, "beyond the end", len(beyond.Hits), 0)
	equal(t, "total beyond the end", beyond.Total, len(Documents())+len(odd()))
}

func testHighlights(t *testing.T, idx indexer.Index) {
	first := func(q indexer.Query) indexer.Hit {
		r := search(t, idx, q)
		if len(r.Hits) == 0 {
			t.Fatalf("%q finds nothing", q.Text)
		}
		return r.Hits[0]
	}
	equal(t, "word", marked(first(indexer.Query{Text: "太湖 水质"}).Title), "[太湖水质]自动监测")
	equal(t, "part of a word", marked(first(indexer.Query{Text: "车场"}).Title), "停[车场]实时空余泊位")
	equal(t, "one character", marked(first(indexer.Query{Text: "藻 湖"}).Title), "太[湖]水质自动监测")
	equal(t, "English", marked(first(indexer.Query{Text: "bollards", Lang: "en"}).Title), "Street furniture: manhole covers, [bollards], lamps")
	equal(t, "beginning of a word", marked(first(indexer.Query{Text: "bolla", Lang: "en"}).Title), "Street furniture: manhole covers, [bolla]rds, lamps")
	equal(t, "other language", marked(first(indexer.Query{Text: "bollards"}).Description), "Position and keeper of manhole covers, [bollards] and lamps.")
	equal(t, "width", marked(first(indexer.Query{Text: "abc"}).Title), "[ＡＢＣ]—Ｄ１２３ 面积㎡ Ⅷ ﬁnance")
	equal(t, "accent", marked(first(indexer.Query{Text: "cafe", Lang: "en"}).Title), "[Café] Zürich naïve")
	equal(t, "columns", first(indexer.Query{Text: "溶解氧"}).Columns, []string{"溶解氧"})
	equal(t, "more columns", first(indexer.Query{Text: "太湖 总"}).Columns, []string{"总磷", "总氮"})

	long := first(indexer.Query{Text: "黑碳气溶胶"})
	passage := indexer.Plain(long.Description)
	if whole := bySlug("air-hourly").Description.Zh; !strings.Contains(whole, passage) || len([]rune(passage)) > indexer.PassageLength {
		t.Errorf("the passage is not a part of the description: %s", passage)
	}
	if !strings.Contains(marked(long.Description), "[黑碳气溶胶]") {
		t.Errorf("the passage does not show the match: %s", marked(long.Description))
	}
	unasked := search(t, idx, indexer.Query{Limit: 1, Sort: "-rows"}).Hits[0]
	equal(t, "nothing to mark", unasked.Title, []indexer.Segment{{Text: "共享单车订单"}})
}

// testHostileText holds that text stays text: an engine's own marks must not be
// mistaken for it, nor the other way round.
func testHostileText(t *testing.T, idx indexer.Index) {
	want := odd()[0]
	r := search(t, idx, indexer.Query{Text: "梯队"})
	if len(r.Hits) != 1 {
		t.Fatalf("%d hits", len(r.Hits))
	}
	equal(t, "title", indexer.Plain(r.Hits[0].Title), want.Title.Zh)
	equal(t, "marks", marked(r.Hits[0].Title), `<em>[梯队]</em><script>alert("[梯队]")</script>&amp;`)
	if got := marked(r.Hits[0].Description); !strings.Contains(got, "[梯队]") || strings.Count(got, "[") != 1 {
		t.Errorf("description: %q", got)
	}
}

func testRefused(t *testing.T, idx indexer.Index) {
	for code, q := range map[string]indexer.Query{
		"unknown_facet":  {Filter: map[string][]string{"colour": {"red"}}},
		"unknown_sort":   {Sort: "colour"},
		"bad_limit":      {Limit: 101},
		"bad_offset":     {Offset: -1},
		"query_too_long": {Text: strings.Repeat("水", 400)},
	} {
		_, err := idx.Search(t.Context(), q)
		wantKind(t, code, err, catalog.Invalid, code)
	}
	_, err := idx.Search(t.Context(), indexer.Query{Offset: indexer.MaxOffset})
	wantKind(t, "last page", err, catalog.Invalid, "bad_offset")
}
