package indextest

import (
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/indexer"
)

// runAsked holds an engine to what a search text can say: indexer.Ask.
func runAsked(t *testing.T, open Opener) {
	idx := open(t, "asked")
	defer idx.Close()
	rebuild(t, idx, Documents()...)
	for _, test := range []struct {
		name string
		run  func(*testing.T, indexer.Index)
	}{
		{"parts", testParts}, {"phrases", testPhrases}, {"minus", testMinus}, {"conditions", testConditions}, {"traditional", testTraditional},
		{"pinyin", testPinyin}, {"typos", testTypos}, {"any", testAny}, {"synonyms", testSynonyms}, {"suggest", testSuggest}, {"relax", testRelax}, {"boost", testBoost},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, idx) })
	}
}

// all is every sample document but those of slugs, in alphabetical order.
func all(but ...string) string {
	var list []string
	for _, d := range Documents() {
		if !slices.Contains(but, d.Slug) {
			list = append(list, d.Slug)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// testParts: every part of a document is searched.
func testParts(t *testing.T, idx indexer.Index) {
	equal(t, "values shown", search(t, idx, indexer.Query{Text: "梅村"}).Hits[0].Values, []string{"梅村街道"})
	checkFound(t, idx, map[string]string{
		"噪音扰民":         "hotline-12345", // a value
		"梅村街道":         "hotline-12345 xinwu-public-toilets",
		"春潮花园":         "xinwu-public-toilets",
		"黄巷站":          "air-hourly", // a release's note
		"satisfaction": "hotline-12345",
		"无锡市 蓝藻":       "taihu-water", // an organization above
	})
}

func testPhrases(t *testing.T, idx indexer.Index) {
	checkFound(t, idx, map[string]string{
		`"air quality"`:      "air-hourly",
		`"quality air"`:      "",
		`"水质自动"`:             "taihu-water",
		`"自动水质"`:             "",
		`“停车场实时空余”`:          "parking-vacancy",
		`"停车场空余泊位"`:          "",
		`"公交线路" 票价`:          "bus-lines",
		`"cases anonymised"`: "hotline-12345", // signs between them do not matter
		`"停车场`:               "parking-spaces parking-vacancy",
		`""`:                 "",
	})
}

func testMinus(t *testing.T, idx indexer.Index) {
	checkFound(t, idx, map[string]string{
		"公交 -轨迹":      "bus-lines",
		"停车场 -空余":     "parking-spaces",
		"bus -GPS":    "bus-lines",
		`公交 -"线路与站点"`: "bus-gps",
		"停车场 - 空余":    "parking-vacancy", // a minus that stands alone is none
		"-停车":         all("parking-spaces", "parking-vacancy"),
		"公交 -公交":      "",
	})
}

func testConditions(t *testing.T, idx indexer.Index) {
	checkFound(t, idx, map[string]string{
		"column:溶解氧":               "taihu-water",
		"列：溶解氧":                    "taihu-water",
		"column:信用代码":              "companies credit-ratings high-tech permits",
		`column:"统一社会信用代码"`:        "companies credit-ratings high-tech permits",
		"column:统一社会信用代码 许可":       "permits",
		"column:PM2.5":             "air-hourly",
		"column:蓝藻":                "", // a keyword, no column
		"org:sthj":                 "air-hourly taihu-water",
		"org:生态环境":                 "air-hourly taihu-water",
		"机构:生态环境局 水质":              "taihu-water",
		"org:xinwu":                "xinwu-public-toilets",
		"行政 公示 -org:xzsp":          "",
		"公共厕所 -org:xinwu":          "public-toilets",
		"keyword:双公示 -处罚":          "permits",
		"updated:2026-01-03":       Documents()[2].Slug,
		"updated:<2026-01-03":      strings.Join(sortedSlugs(Documents()[:2]), " "),
		"updated:<=2026-01-02 物联网": strings.Join(sortedSlugs(Documents()[:2]), " "),
		"updated:>2026":            "",
		"updated:2025":             "",
		"format:csv 太湖":            "taihu-water",
		"format:exe":               "",
		"unknown:太湖":               "",
	})
	conditional := search(t, idx, indexer.Query{Text: "updated:>=2026-01-05 updated:<2026-02", Facets: true, Limit: 100})
	equal(t, "between", conditional.Total, 27)
	counts := conditional.Facets["updated"]
	equal(t, "months", counts, []indexer.FacetCount{{Value: "2026-01", Count: 27}})
}

func sortedSlugs(docs []indexer.Document) []string {
	var list []string
	for _, d := range docs {
		list = append(list, d.Slug)
	}
	slices.Sort(list)
	return list
}

// testTraditional: the characters of both scripts are the same.
func testTraditional(t *testing.T, idx indexer.Index) {
	checkFound(t, idx, map[string]string{
		"停車場":        "parking-spaces parking-vacancy",
		"藍藻":         "taihu-water",
		"統一社會信用代碼":   "companies credit-ratings high-tech permits",
		"column:溶解氧": "taihu-water",
	})
	hit := search(t, idx, indexer.Query{Text: "太湖水質"}).Hits[0]
	equal(t, "marked", marked(hit.Title), "[太湖水质]自动监测")
}

// first searches text and returns the first n slugs.
func first(t *testing.T, idx indexer.Index, text string, n int) []string {
	t.Helper()
	list := slugs(search(t, idx, indexer.Query{Text: text, Limit: n}))
	slices.Sort(list)
	return list
}

// testPinyin: the last word of a query is also the beginning of syllables or of
// initials in a title or keyword. Other words need not be.
func testPinyin(t *testing.T, idx indexer.Index) {
	for text, want := range map[string]string{
		"tcc":            "parking-vacancy",
		"tingchechang":   "parking-vacancy",
		"tingch":         "parking-spaces parking-vacancy",
		"gjxl":           "bus-lines",
		"kongqizhiliang": "air-hourly",
		"lanzao":         "taihu-water",
		"changjiang":     "water-levels", // 长 is read zhang more often
		"ggcs":           "public-toilets xinwu-public-toilets",
		"TCC":            "parking-vacancy",
	} {
		list := strings.Fields(want)
		equal(t, text, first(t, idx, text, len(list)), list)
	}
}

// testTypos: words of five letters and more are found with one letter wrong, of
// nine and more with two; never the first one, never digits, never Chinese.
func testTypos(t *testing.T, idx indexer.Index) {
	for text, want := range map[string]string{
		"bolards":        "street-furniture",
		"bollrads":       "street-furniture",
		"meteorolgical":  "weather-stations",
		"kindergaretn":   "schools",
		"qualitty water": "taihu-water",
	} {
		equal(t, text, first(t, idx, text, 1), []string{want})
	}
	equal(t, "spelling", search(t, idx, indexer.Query{Text: "bolards"}).Spelling, "bollards")
	equal(t, "nothing to correct", search(t, idx, indexer.Query{Text: "bollards"}).Spelling, "")
	checkFound(t, idx, map[string]string{"xollards": "", "WX-CG-0177": "", "溶蟹氧": ""})
}

func testAny(t *testing.T, idx indexer.Index) {
	equal(t, "none has both", search(t, idx, indexer.Query{Text: "蓝藻 预算"}).Total, 0)
	r := search(t, idx, indexer.Query{Text: "蓝藻 预算", Any: true})
	got := slugs(r)
	slices.Sort(got)
	equal(t, "either", got, []string{"budget", "taihu-water"})
	equal(t, "most first", slugs(search(t, idx, indexer.Query{Text: "统一社会信用代码 法定代表人 蓝藻", Any: true}))[0], "companies")
	equal(t, "filters hold", search(t, idx, indexer.Query{Text: "蓝藻 预算", Any: true, Filter: map[string][]string{"organization": {"czj"}}}).Total, 1)
	equal(t, "nothing at all", search(t, idx, indexer.Query{Text: "不存在的词语 qqqqqzzz", Any: true}).Total, 0)
}

func testSynonyms(t *testing.T, idx indexer.Index) {
	checkFound(t, idx, map[string]string{"泊车": "", "卫生间": "public-toilets", "garage": ""})
	set := func(s indexer.Synonyms) {
		t.Helper()
		if err := idx.SetSynonyms(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	set(indexer.Synonyms{{"泊车", "停车场"}, {"garage", "停车场"}, {"lavatory", "公厕", "卫生间"}})
	checkFound(t, idx, map[string]string{
		"泊车":       "parking-spaces parking-vacancy",
		"garage":   "parking-spaces parking-vacancy",
		"泊车 空余":    "parking-vacancy",
		"lavatory": "public-toilets xinwu-public-toilets",
	})
	rebuild(t, idx, Documents()...)
	checkFound(t, idx, map[string]string{"泊车": "parking-spaces parking-vacancy"})
	set(nil)
	checkFound(t, idx, map[string]string{"泊车": "", "lavatory": ""})
}

// testSuggest: what is suggested while typing. Meilisearch finds fewer of them:
// values from the beginning of a word or run only, columns and values not by
// pinyin, organizations by the pinyin of their whole name only, and of those the
// ones that published a dataset themselves.
func testSuggest(t *testing.T, idx indexer.Index) {
	suggest := func(text, lang string) map[string][]string {
		t.Helper()
		list, err := idx.Suggest(t.Context(), text, lang, 5)
		if err != nil {
			t.Fatal(err)
		}
		by := map[string][]string{}
		at := 0
		for _, s := range list {
			if place := slices.Index(indexer.SuggestionKinds, s.Kind); place < at {
				t.Errorf("%q: %s out of order", text, s.Kind)
			} else {
				at = place
			}
			shown := indexer.Plain(s.Text)
			if s.Slug != "" {
				shown = s.Slug
			}
			by[s.Kind] = append(by[s.Kind], shown)
			if s.Kind != "dataset" && s.Count < 1 {
				t.Errorf("%q: %s %s of %d datasets", text, s.Kind, shown, s.Count)
			}
		}
		return by
	}
	has := func(text, lang, kind, want string) {
		t.Helper()
		if got := suggest(text, lang)[kind]; !slices.Contains(got, want) {
			t.Errorf("%q suggests as %s %q, not %s", text, kind, got, want)
		}
	}
	has("停车", "zh", "dataset", "parking-vacancy")
	has("车场", "zh", "dataset", "parking-vacancy")
	has("tcc", "zh", "dataset", "parking-vacancy")
	has("park", "en", "dataset", "parking-spaces")
	has("无锡市生态", "zh", "organization", "sthj")
	has("溶解", "zh", "column", "溶解氧")
	has("统一社会", "zh", "column", "统一社会信用代码")
	has("pm2", "zh", "column", "PM2.5")
	has("梅村", "zh", "value", "梅村街道")
	has("噪音", "zh", "value", "噪音扰民")
	equal(t, "bounded", len(suggest("信息", "zh")["dataset"]) <= 5, true)
	equal(t, "nothing typed", len(suggest("  ", "zh")), 0)
	equal(t, "nothing like it", len(suggest("qqqqqzzz", "zh")), 0)
}

// testBoost: of two that match alike the better described, more used one is first.
func testBoost(t *testing.T, idx indexer.Index) {
	a := bySlug("sister-cities")
	a.Title, a.Keywords, a.Description = catalog.Text{Zh: "甲乙丙丁"}, nil, catalog.Text{}
	b := a
	a.ID, a.Slug, a.Quality, a.Downloads = ID(950), "boost-plain", 10, 0
	b.ID, b.Slug, b.Quality, b.Downloads = ID(951), "boost-good", 100, 90000
	put(t, idx, a, b)
	equal(t, "better first", slugs(search(t, idx, indexer.Query{Text: "甲乙丙丁"})), []string{"boost-good", "boost-plain"})
	if err := idx.Delete(t.Context(), a.ID, b.ID); err != nil {
		t.Fatal(err)
	}
}

// testRelax: whoever finds nothing is shown what comes near.
func testRelax(t *testing.T, idx indexer.Index) {
	for _, test := range []struct {
		q               indexer.Query
		how, first, say string // say: another spelling
	}{
		{indexer.Query{Text: "蓝藻", Filter: map[string][]string{"organization": {"czj"}}}, indexer.RelaxedFilters, "taihu-water", ""},
		{indexer.Query{Text: "停车厂"}, indexer.RelaxedSound, "parking-vacancy", "停车场"},
		{indexer.Query{Text: "蓝藻 预算"}, indexer.RelaxedWords, "", ""},
		{indexer.Query{Text: "停车场收费标准查询"}, indexer.RelaxedParts, "parking-spaces", ""},
		{indexer.Query{Text: "不存 qqqqqzzz"}, "", "", ""},
	} {
		nothing := search(t, idx, test.q)
		if nothing.Total != 0 {
			t.Errorf("%+v finds %v", test.q, slugs(nothing))
			continue
		}
		got, err := indexer.Relax(t.Context(), idx, test.q, nothing)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, test.q.Text, got.How, test.how)
		equal(t, test.q.Text+": spelling", got.Spelling, test.say)
		if test.first != "" {
			equal(t, test.q.Text+": first", slugs(got.Result)[0], test.first)
		}
		if len(got.Themes) == 0 || got.How == "" && len(got.Hits) > 0 {
			t.Errorf("%s: %d themes, %d hits", test.q.Text, len(got.Themes), len(got.Hits))
		}
	}
}
