package standards

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"taihu/api/export"
	"taihu/catalog"
)

const hostile = "</script><script>alert(1)</script>\"'\\ \n\r\t\x01 'a''b' ]]> &amp; <b> 太湖 𠮷"

var portal = Portal{BaseURL: "https://data.example", Name: catalog.Text{Zh: "太湖", En: "Taihu"}}

// entry is a dataset with every field filled with what breaks writers.
func entry(open catalog.OpenAttribute) *Entry {
	at := time.Date(2026, 11, 23, 8, 30, 7, 0, time.UTC)
	text := catalog.Text{Zh: hostile, En: "en " + hostile}
	d := &catalog.Dataset{ID: "01a2", Slug: "parking", Title: text, Description: text, Themes: []string{"transport"}, Keywords: []string{hostile, "停车"}, Licence: "taihu-open-1.0",
		OpenAttribute: open, Conditions: text, Frequency: "daily", Spatial: hostile, TemporalStart: "2025", TemporalEnd: "2025-06", Language: "zh-CN", Contact: catalog.Contact{Unit: hostile, Phone: "0510 1", Mail: `a b<>"@x`},
		SourceNote: text, Identifiers: []string{hostile}, CatalogueAt: at, LatestNumber: 3}
	fields := []catalog.Field{{Name: "编号", Type: catalog.String}, {Name: hostile, Type: catalog.Decimal, Precision: 5, Scale: 2, Unit: hostile, Label: text, Description: text, Codes: []catalog.Code{{Value: hostile, Label: text}}}}
	r := &catalog.Release{ID: "01a3", Number: 3, State: catalog.Published, Version: hostile, Notes: text, PublishedAt: &at,
		Tables: []catalog.Table{{Name: "lots", Title: text, Rows: 7, Schema: catalog.Schema{Fields: fields}}},
		Files:  []catalog.File{{Name: "a.csv", Role: catalog.Source, MediaType: "text/csv"}, {Name: `说明 a";x=.html`, Role: catalog.Attachment, MediaType: "text/html; charset=utf-8"}}}
	return &Entry{Dataset: d, Publisher: &catalog.Organization{Slug: "cgj", Name: text}, Release: r, Columns: 2}
}

func bundle(format string) *Bundle {
	e := entry(catalog.Unconditional)
	f, _ := export.FormatByName(format)
	return &Bundle{Portal: portal, Dataset: e.Dataset, Publisher: e.Publisher, Release: e.Release, Format: f, Terms: catalog.Text{Zh: "许可全文", En: "the full terms"}}
}

func TestDocumentsOfAnArchive(t *testing.T) {
	kept := []Kept{{"data/lots.csv", catalog.Blob{SHA256: strings.Repeat("a", 64), Size: 7}}, {"files/a.csv", catalog.Blob{SHA256: strings.Repeat("b", 64), Size: 8}}, {`files/说明 a";x=.html`, catalog.Blob{SHA256: strings.Repeat("c", 64), Size: 9}}}
	docs := bundle("csv").Documents(kept)
	if again := bundle("csv").Documents(kept); !reflect.DeepEqual(docs, again) {
		t.Error("the same release gives other documents")
	}
	byName := map[string][]byte{}
	for _, d := range docs {
		byName[d.Name] = d.Bytes
		if !utf8.Valid(d.Bytes) {
			t.Errorf("%s is not UTF-8", d.Name)
		}
	}
	var p dataPackage
	if err := json.Unmarshal(byName["datapackage.json"], &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Resources) != 2 || p.Resources[0].Path != "data/lots.csv" || p.Resources[0].Schema.Fields[1].Name != hostile || p.Resources[0].Schema.Fields[1].Type != "number" ||
		p.Resources[1].Name != "file-2" || p.Resources[1].MediaType != "text/html" || len(p.Sources) != 2 || p.Sources[1].Path != "files/a.csv" {
		t.Errorf("datapackage.json: %s", byName["datapackage.json"])
	}
	rows, err := csv.NewReader(bytes.NewReader(byName["dictionary.csv"])).ReadAll()
	if err != nil || len(rows) != 3 || strings.ReplaceAll(rows[2][2], "\r", "") != strings.ReplaceAll(hostile, "\r", "") || rows[2][7] != "2" {
		t.Errorf("dictionary: %q %v", rows, err)
	}
	if !strings.Contains(string(byName["LICENSE.txt"]), "许可全文") || !strings.Contains(string(byName["README.md"]), "https://data.example/datasets/parking/releases/3") {
		t.Errorf("README or licence: %s%s", byName["README.md"], byName["LICENSE.txt"])
	}
	if n := strings.Count(string(byName["SHA256SUMS"]), "\n"); n != len(docs)-1+len(kept) {
		t.Errorf("%d sums", n)
	}
}

// TestEveryTypeHasATableSchemaName: and every format and frequency its word, or
// none on purpose.
func TestEveryTypeHasATableSchemaName(t *testing.T) {
	for _, x := range catalog.Types {
		if schemaTypes[x] == "" {
			t.Errorf("type %s has no name in Table Schema", x)
		}
	}
	for _, f := range catalog.Frequencies {
		if frequencies[f] == "" {
			t.Errorf("frequency %s has no word in DCAT", f)
		}
	}
	for _, f := range export.Usual {
		if mediaTypes[f.Name] == "" && f.Name != "ndjson" { // not registered
			t.Errorf("format %s has no media type in DCAT", f.Name)
		}
	}
}

func TestCatalogueRows(t *testing.T) {
	e := entry(catalog.Unconditional)
	e.Dataset.Description.Zh = strings.Repeat("长", 40_000)
	conditional := entry(catalog.Conditional)
	conditional.Dataset.Description, conditional.Dataset.Keywords = catalog.Text{}, nil
	for _, f := range export.Usual {
		var out bytes.Buffer
		enc, err := export.New(f.Name, &out, CatalogueMeta(portal))
		if err != nil {
			t.Fatal(err)
		}
		if err := enc.Write(CatalogueRows(portal, []Entry{*e, *conditional}, f.Name == "xlsx")); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if err := enc.Close(); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if f.Name != "json" {
			continue
		}
		var rows []map[string]any
		if err := json.Unmarshal(out.Bytes(), &rows); err != nil || len(rows) != 2 {
			t.Fatalf("%v in %s", err, out.Bytes())
		}
		want := map[string]any{"dataset": "parking", "title_en": "en " + hostile, "themes": []any{"transport"}, "keywords": []any{hostile, "停车"}, "release": 3.0, "rows": 7.0, "columns": 2.0,
			"published_at": "2026-11-23T16:30:07+08:00", "simulated": false, "data_date": nil, "download_url": "https://data.example/data/parking/3.zip", "licence_url": "https://data.example/docs/licence", "tables": []any{"lots"}}
		for k, v := range want {
			if !reflect.DeepEqual(rows[0][k], v) {
				t.Errorf("%s: %v, want %v", k, rows[0][k], v)
			}
		}
		if rows[1]["download_url"] != nil || len(rows[1]["formats"].([]any)) != 0 || rows[1]["description_zh"] != nil || len(rows[1]["keywords"].([]any)) != 0 {
			t.Errorf("conditional: %v", rows[1])
		}
	}
	for _, s := range []string{strings.Repeat("a", cellUnits), strings.Repeat("长", cellUnits), strings.Repeat("𠮷", cellUnits/2)} {
		if fit(s) != s {
			t.Errorf("%d bytes fit and were cut", len(s))
		}
		if cut := fit(s + "𠮷"); !utf8.ValidString(cut) || !strings.HasSuffix(cut, "…") {
			t.Errorf("cut wrongly: …%q", cut[len(cut)-12:])
		}
	}
}

func TestTurtleAndJSONLDAreEscaped(t *testing.T) {
	g := DatasetGraph(portal, entry(catalog.Unconditional))
	turtle := string(g.Turtle())
	const written = `"</script><script>alert(1)</script>\"'\\ \n\r\t\u0001 'a''b' ]]> &amp; <b> 太湖 𠮷"`
	for _, want := range []string{"dct:title " + written + "@zh", "vcard:hasEmail <mailto:a%20b%3C%3E%22@x>", "dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/DAILY>",
		`dcat:startDate "2025"^^xsd:gYear`, `dcat:endDate "2025-06"^^xsd:gYearMonth`, "<https://data.example/data/parking/3.zip#distribution>"} {
		if !strings.Contains(turtle, want) {
			t.Errorf("Turtle lacks %s", want)
		}
	}
	for line := range strings.SplitSeq(turtle, "\n") {
		for part := range strings.SplitSeq(strings.ReplaceAll(line, `\"`, ""), " ") {
			if strings.HasPrefix(part, "<http") && !strings.ContainsAny(part, "@\"") && strings.Count(part, "<") != strings.Count(part, ">") {
				t.Errorf("an address is broken: %s", part)
			}
		}
	}
	var doc struct {
		Graph []map[string]any `json:"@graph"`
	}
	if err := json.Unmarshal(g.JSONLD(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Graph) != len(g.subjects) || !reflect.DeepEqual(doc.Graph[0]["dct:title"], []any{map[string]any{"@value": hostile, "@language": "zh"}, map[string]any{"@value": "en " + hostile, "@language": "en"}}) {
		t.Errorf("JSON-LD: %v", doc.Graph[0])
	}
	for _, text := range []string{string(DatasetGraph(portal, entry(catalog.Conditional)).Turtle()), string(DatasetGraph(portal, entry(catalog.Conditional)).JSONLD())} {
		if strings.Contains(text, "/data/") || !strings.Contains(text, "access-right/RESTRICTED") {
			t.Errorf("a conditional dataset: %s", text)
		}
	}
}

func TestPagesOfTheCatalogue(t *testing.T) {
	for _, c := range []struct{ datasets, number, last int }{{0, 1, 1}, {100, 1, 1}, {101, 1, 2}, {101, 2, 2}, {100_000, 500, 1000}} {
		page := CataloguePage{Portal: portal, Path: "/catalog.ttl", Number: c.number, Size: 100, Datasets: c.datasets}
		text := string(page.Graph().Turtle())
		for _, want := range []string{fmt.Sprintf(`hydra:totalItems "%d"^^xsd:integer`, c.datasets), fmt.Sprintf("hydra:lastPage <https://data.example/catalog.ttl?page=%d>", c.last)} {
			if !strings.Contains(text, want) {
				t.Errorf("%+v lacks %s", c, want)
			}
		}
		if got := strings.Contains(text, fmt.Sprintf("hydra:nextPage <https://data.example/catalog.ttl?page=%d>", c.number+1)); got != (c.number < c.last) {
			t.Errorf("%+v: next page %t", c, got)
		}
	}
}

func TestViewsAreQuoted(t *testing.T) {
	e := entry(catalog.Unconditional)
	text := string(Views(portal, e))
	if want := `CREATE OR REPLACE VIEW "parking"."lots" AS SELECT * FROM read_parquet('https://data.example/data/parking/3/lots.parquet');`; !strings.Contains(text, want) {
		t.Errorf("%s\nlacks %s", text, want)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if !strings.HasPrefix(line, "-- ") && !strings.HasPrefix(line, "CREATE ") {
			t.Errorf("a title left its comment: %s", line)
		}
	}
	for _, slug := range databases {
		e.Dataset.Slug = slug
		if text := string(Views(portal, e)); !strings.Contains(text, `SCHEMA IF NOT EXISTS "`+slug+`_";`) {
			t.Errorf("DuckDB takes %s for a database: %s", slug, text)
		}
	}
	if text := Views(portal, entry(catalog.Conditional)); text != nil {
		t.Errorf("conditional: %s", text)
	}
	if got := sqlText("it's") + sqlName(`a"b`); got != `'it''s'"a""b"` {
		t.Error(got)
	}
}

func TestSitemap(t *testing.T) {
	for datasets, pages := range map[int]int{0: 1, SitemapDatasets: 1, SitemapDatasets + 1: 2, 100_000: 10} {
		var index struct {
			Sitemap []struct{ Loc string } `xml:"sitemap"`
		}
		if err := xml.Unmarshal(SitemapIndex(portal, datasets), &index); err != nil || len(index.Sitemap) != pages {
			t.Errorf("%d datasets: %d pages, %v", datasets, len(index.Sitemap), err)
		}
	}
	e := entry(catalog.Unconditional)
	e.Dataset.Slug = strings.Repeat("a", 80)
	one := SitemapEntry(Portal{BaseURL: "https://" + strings.Repeat("x", 100)}, e)
	if n := len(one) * SitemapDatasets; n > 50_000_000 || SitemapDatasets*2 > 49_000 {
		t.Errorf("a page may have %d bytes", n)
	}
	var page struct {
		URL []struct {
			Loc     string `xml:"loc"`
			Lastmod string `xml:"lastmod"`
		} `xml:"url"`
	}
	text := append(append(SitemapHead(), append(SitemapPath(portal, "/", time.Time{}), one...)...), SitemapEnd()...)
	if err := xml.Unmarshal(text, &page); err != nil || len(page.URL) != 4 || page.URL[1].Loc != "https://data.example/en" || page.URL[2].Lastmod != "2026-11-23T16:30:07+08:00" || page.URL[0].Lastmod != "" {
		t.Errorf("%v %+v", err, page)
	}
}

func TestAtom(t *testing.T) {
	f := Feed{Portal: portal, Lang: "en", ID: "x", Title: hostile, Self: "/feed.atom", Page: "/datasets", Entries: []Entry{*entry(catalog.Unconditional), *entry(catalog.Conditional)}}
	var feed atomFeed
	if err := xml.Unmarshal(f.Atom(), &feed); err != nil {
		t.Fatal(err)
	}
	clean := strings.ReplaceAll(hostile, "\x01", "")
	if feed.Title != clean || feed.Updated != "2026-11-23T16:30:07+08:00" || len(feed.Entries) != 2 || !strings.HasPrefix(feed.Entries[0].Title, "en "+clean) || feed.Links[0].Href != "https://data.example/en/feed.atom" {
		t.Errorf("%+v", feed)
	}
	if len(feed.Entries[0].Links) != 2 || len(feed.Entries[1].Links) != 1 {
		t.Error("an open release has its archive as enclosure, a conditional one has none")
	}
}

// The shapes of DCAT-AP ask for the class of what our properties point to.
func TestWordsOfOthersHaveAClass(t *testing.T) {
	e := entry(catalog.Unconditional)
	e.Dataset.Frequency, e.Dataset.Language = "daily", "zh"
	g := (&CataloguePage{Portal: Portal{BaseURL: "http://x"}, Number: 1, Size: 100, Datasets: 1, Entries: []Entry{*e}}).Graph()
	words := map[string]bool{}
	for _, s := range g.subjects {
		for _, p := range s.properties {
			for _, v := range p.values {
				x, ok := v.(iri)
				if !ok || p.name == "skos:inScheme" || !strings.HasPrefix(string(x), authority) && !strings.Contains(string(x), "iana.org") {
					continue
				}
				words[p.name] = true
				if s := g.byIRI[string(x)]; s == nil || s.properties[0].name != "rdf:type" {
					t.Errorf("%s %s has no class", p.name, x)
				}
			}
		}
	}
	if len(words) != 5 {
		t.Errorf("only %v", words)
	}
}

func TestLinkedDescriptions(t *testing.T) {
	for _, text := range []string{"", "短", strings.Repeat("长", 6000), strings.Repeat("a", 50)} {
		for _, lang := range []string{"zh", "en"} {
			e := entry(catalog.Unconditional)
			e.Dataset.Description = catalog.Text{Zh: text, En: text}
			e.Dataset.Title, e.Publisher.Name = catalog.Text{Zh: "甲"}, catalog.Text{Zh: "乙"}
			x := Linked(Portal{BaseURL: "http://x", Name: catalog.Text{Zh: "丙"}}, e, lang)
			if n := utf8.RuneCountInString(x.Description); n < leastDescription || n > mostDescription {
				t.Errorf("%s: %d characters of %.20s", lang, n, text)
			}
		}
	}
}
