package main

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// catalogueAddresses are those that speak of the whole catalogue to everybody.
var catalogueAddresses = []string{
	"/catalog.csv", "/catalog.json", "/catalog.ndjson", "/catalog.xlsx", "/catalog.parquet", "/catalog.ttl", "/catalog.jsonld", "/catalog.jsonld?page=1",
	"/portal.sql", "/sitemap.xml", "/sitemap.xml?page=1", "/feed.atom", "/en/feed.atom",
}

// TestCatalogue: every writing of the catalogue names what anybody may see, tells
// whether it changed, and can be read across origins.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	p.draft("open-lots", "秘密.csv", lots+"777,秘密车场,滨湖区,1\n")
	for _, address := range catalogueAddresses {
		_, header, body := p.send(t, scenario{path: address})
		tag := header.Get("ETag")
		secret := []string{"closed-lots", "秘密车场", canary, "/data/conditional-lots"}
		plain := !strings.Contains(address, "xlsx") && !strings.Contains(address, "parquet")
		var parts []string
		if plain && address != "/sitemap.xml" {
			parts = append(parts, "open-lots")
			if address != "/portal.sql" {
				parts = append(parts, "conditional-lots")
			}
		}
		origin := "*"
		if strings.HasPrefix(address, "/sitemap") {
			origin = ""
		}
		p.play(t, []scenario{
			{name: address, path: address, status: 200, has: map[string]string{"Access-Control-Allow-Origin": origin, "Cache-Control": "public, no-cache", "ETag": tag, "Content-Encoding": ""}, parts: parts, lacks: secret},
			{name: "for a steward " + address, path: address, headers: bearerOf(p.own), status: 200, parts: parts, lacks: secret},
			{name: "unchanged " + address, path: address, headers: []string{"If-None-Match", tag}, status: 304, has: map[string]string{"ETag": tag}},
			{name: "HEAD " + address, method: http.MethodHead, path: address, status: 200, has: map[string]string{"ETag": tag, "Content-Type": header.Get("Content-Type")}},
			{name: "unknown parameter " + address, path: address + map[bool]string{true: "&", false: "?"}[strings.Contains(address, "?")] + "wher=1", status: 400},
		})
		if !strings.HasPrefix(tag, `W/"`) || body == "" {
			t.Errorf("%s: ETag %s, %d bytes", address, tag, len(body))
		}
	}
	for _, address := range []string{"/datasets/%s/feed.atom", "/en/datasets/%s/feed.atom", "/datasets/%s/dcat.ttl", "/datasets/%s/dcat.jsonld"} {
		at := func(slug string) string { return strings.Replace(address, "%s", slug, 1) }
		p.play(t, []scenario{
			{name: at("open-lots"), path: at("open-lots"), status: 200, has: map[string]string{"Access-Control-Allow-Origin": "*", "ETag": "*"}, parts: []string{"/data/open-lots/2.zip"}, lacks: []string{canary}},
			{name: at("conditional-lots"), path: at("conditional-lots"), status: 200, parts: []string{"conditional-lots"}, lacks: []string{canary, "/data/"}},
			{name: at("closed-lots"), path: at("closed-lots"), headers: bearerOf(p.own), status: 404, parts: []string{`"unknown_dataset"`}},
			{name: at("no-lots"), path: at("no-lots"), status: 404},
		})
	}
	p.play(t, []scenario{
		{name: "conditions are told", path: "/catalog.csv", status: 200, parts: []string{"向城管局申请"}},
		{name: "a page that is not there", path: "/catalog.ttl?page=2", status: 400, parts: []string{`"bad_parameter"`}},
		{name: "no page", path: "/sitemap.xml?page=x", status: 400},
		{name: "one dataset's views", path: "/portal.sql?dataset=open-lots", status: 200, parts: []string{`CREATE OR REPLACE VIEW "open-lots"."lots"`}},
		{name: "views of what is not there", path: "/portal.sql?dataset=open-lot", status: 404, parts: []string{"open-lots"}},
		{name: "robots", path: "/robots.txt", status: 200, parts: []string{"Disallow: /steward\n", "Sitemap: " + p.URL + "/sitemap.xml", "/catalog.csv"}},
		{name: "feed has both releases", path: "/datasets/open-lots/feed.atom", status: 200, parts: []string{"/releases/1\"", "/releases/2\""}},
		{name: "withdraw", method: "POST", path: "/api/v1/datasets/open-lots/releases/2/withdraw", headers: with(bearerOf(p.admin), "Content-Type", "application/json"), body: `{"reason":"wrong"}`, status: 200},
		{name: "the feed knows it at once", path: "/datasets/open-lots/feed.atom", status: 200, parts: []string{"/releases/1\""}, lacks: []string{"/releases/2\""}},
		{name: "so does the catalogue", path: "/catalog.csv", status: 200, parts: []string{"/data/open-lots/1.zip"}, lacks: []string{"/open-lots/2", "releases/2"}},
		{name: "and DCAT", path: "/catalog.ttl", status: 200, parts: []string{"/data/open-lots/1/lots.csv"}, lacks: []string{"/data/open-lots/2/"}},
		{name: "withdraw the other", method: "POST", path: "/api/v1/datasets/open-lots/releases/1/withdraw", headers: with(bearerOf(p.admin), "Content-Type", "application/json"), body: `{"reason":"wrong"}`, status: 200},
		{name: "nothing stands", path: "/datasets/open-lots/feed.atom", status: 410},
		{name: "nothing in DCAT", path: "/datasets/open-lots/dcat.ttl", status: 410},
		{name: "nothing in the catalogue", path: "/catalog.csv", status: 200, lacks: []string{"open-lots"}},
		{name: "nothing in the sitemap", path: "/sitemap.xml?page=1", status: 200, lacks: []string{"open-lots"}},
		{name: "nothing in the portal's feed", path: "/feed.atom", status: 200, lacks: []string{"open-lots"}},
		{name: "no views", path: "/portal.sql", status: 200, lacks: []string{"open-lots"}},
	})
	p.rename("conditional-lots", "asked-lots")
	p.play(t, []scenario{
		{name: "renamed feed", path: "/en/datasets/conditional-lots/feed.atom", status: 301, has: map[string]string{"Location": "/en/datasets/asked-lots/feed.atom"}},
		{name: "renamed DCAT", path: "/datasets/conditional-lots/dcat.ttl", status: 301, has: map[string]string{"Location": "/datasets/asked-lots/dcat.ttl"}},
	})
}

// TestCatalogueIsWellFormed in each of its writings.
func TestCatalogueIsWellFormed(t *testing.T) {
	p := startLots(t)
	body := func(path string) string {
		t.Helper()
		status, _, body := p.send(t, scenario{path: path})
		if status != 200 {
			t.Fatalf("%s: %d %s", path, status, body)
		}
		return body
	}
	rows, err := csv.NewReader(strings.NewReader(body("/catalog.csv"))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Errorf("csv: %d rows, %v", len(rows), err)
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(body("/catalog.json")), &list); err != nil || len(list) != 2 || len(list[0]) != len(rows[0]) {
		t.Fatalf("json: %v %v", list, err)
	}
	for _, d := range list {
		open := d["dataset"] == "open-lots"
		formats, _ := d["formats"].([]any)
		if d["rows"] != map[bool]float64{true: 6, false: 5}[open] || d["columns"] != 4.0 || (d["download_url"] != nil) != open || (len(formats) == 5) != open || d["simulated"] != false {
			t.Errorf("%v", d)
		}
	}
	for _, path := range []string{"/feed.atom", "/en/datasets/open-lots/feed.atom", "/sitemap.xml", "/sitemap.xml?page=1"} {
		var x struct {
			XMLName xml.Name
			Entry   []struct {
				Title string `xml:"title"`
			} `xml:"entry"`
			URL []struct{ Loc, Lastmod string } `xml:"url"`
		}
		if err := xml.Unmarshal([]byte(body(path)), &x); err != nil || strings.Contains(path, "atom") && len(x.Entry) != 2 || strings.Contains(path, "page") && len(x.URL) < 10 {
			t.Errorf("%s: %v %+v", path, err, x)
		}
	}
	if err := json.Unmarshal([]byte(body("/catalog.jsonld")), &struct{}{}); err != nil {
		t.Errorf("jsonld: %v", err)
	}
}

// TestViewsRunInDuckDB: with files in the place of addresses the statements run
// and the views give the rows.
func TestViewsRunInDuckDB(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	folder := t.TempDir()
	_, _, script := p.send(t, scenario{path: "/portal.sql"})
	addresses := regexp.MustCompile(regexp.QuoteMeta(p.URL) + `(/data/[^']+\.parquet)`)
	script = addresses.ReplaceAllStringFunc(script, func(address string) string {
		_, _, bytes := p.send(t, scenario{path: strings.TrimPrefix(address, p.URL)})
		file := filepath.Join(folder, "it's.parquet")
		if err := os.WriteFile(file, []byte(bytes), 0o600); err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(file, "'", "''")
	})
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), script); err != nil {
		t.Fatalf("%v in\n%s", err, script)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM "open-lots"."lots" WHERE "泊位数" > 0`).Scan(&n); err != nil || n != 6 {
		t.Errorf("%d rows, %v", n, err)
	}
}
