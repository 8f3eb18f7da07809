package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"taihu/api"
	"taihu/catalog"
	"taihu/indexer"
	"taihu/indexer/embedded"
	"taihu/indexer/golden"
	"taihu/indexer/indextest"
	"taihu/indexer/meili"
)

var update = flag.Bool("update", false, "write the documents of the sample portal and the reports of the golden queries anew")

// compareText holds text to a file of the project, or writes it there with -update.
func compareText(t *testing.T, path, text string) {
	t.Helper()
	path = filepath.Join(moduleRoot(t), path)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != text {
		t.Errorf("%s is not what the program makes now, %v; look at the difference after: go test ./cmd/taihu -run %s -update", path, err, t.Name())
	}
}

// checkSampleDocuments holds the documents that both engines' golden queries run
// over to those of the sample portal.
func (p *portal) checkSampleDocuments(t *testing.T) {
	var docs []indexer.Document
	for d, err := range (documentSource{p.store}).Documents(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	slices.SortFunc(docs, func(a, b indexer.Document) int { return cmp.Compare(a.Slug, b.Slug) })
	text, err := indextest.WriteDocuments(docs)
	if err != nil {
		t.Fatal(err)
	}
	compareText(t, "indexer/indextest/portal.txt", text)
}

// catalogueDocuments are the documents of the catalogues as an import makes them,
// read in seconds and not through a server: a column is text where a cell of it is
// neither empty nor a number.
func catalogueDocuments(t *testing.T) []indexer.Document {
	t.Helper()
	published := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	var docs []indexer.Document
	for _, name := range []string{"owid", "rdatasets"} {
		items, err := findItems(sharedData(t, "catalogues", name), "", name+"-")
		if err != nil {
			t.Fatal(err)
		}
		path := []catalog.Organization{{Slug: name, Name: catalog.Text{Zh: name}}}
		for _, it := range items {
			d := catalog.Dataset{ID: indextest.ID(len(docs)), Slug: it.Edit.Slug, Title: it.Edit.Title, Description: it.Edit.Description, Keywords: it.Edit.Keywords,
				OpenAttribute: it.Edit.OpenAttribute, Frequency: it.Edit.Frequency, Licence: cmp.Or(it.Edit.Licence, "source-terms")}
			r := catalog.Release{State: catalog.Published, PublishedAt: &published}
			for _, file := range it.Files {
				if table, ok := readTable(t, file, it.Words); ok {
					r.Tables = append(r.Tables, table)
				}
			}
			if len(r.Tables) == 0 { // refused by an import too
				continue
			}
			notes := []catalog.Text{{Zh: "从来源导入。", En: "Imported from its source."}}
			docs = append(docs, indexer.NewDocument(indexer.Entry{Dataset: &d, Path: path, Release: &r, Notes: notes, Version: 1}))
		}
	}
	return docs
}

func readTable(t *testing.T, file string, words api.TableEdit) (table catalog.Table, ok bool) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(body) {
		if body, err = charmap.Windows1252.NewDecoder().Bytes(body); err != nil {
			t.Fatal(err)
		}
	}
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	reader.LazyQuotes, reader.FieldsPerRecord, reader.ReuseRecord = true, -1, true
	header, err := reader.Read()
	if err != nil {
		return table, false
	}
	header = slices.Clone(header)
	profile := catalog.Profile{}
	text := make([]bool, len(header))
	counts := make([]map[string]int64, len(header))
	for i := range counts {
		counts[i] = map[string]int64{}
	}
	for {
		row, err := reader.Read()
		if err != nil {
			break
		}
		profile.Rows++
		for i, cell := range row[:min(len(row), len(header))] {
			if cell == "" || cell == "NA" {
				continue
			}
			if _, err := strconv.ParseFloat(cell, 64); err != nil {
				text[i] = true
			}
			counts[i][strings.Clone(cell)]++
		}
	}
	table.Rows, table.Profile = profile.Rows, &profile
	for i, name := range header {
		field := catalog.Field{Name: strings.TrimSpace(name), Type: catalog.Number}
		if w, ok := words.Fields[name]; ok {
			field.Label, field.Unit, field.Description = w.Label, w.Unit, w.Description
		}
		column := catalog.ColumnProfile{Name: field.Name}
		if text[i] {
			field.Type = catalog.String
			for value, n := range counts[i] {
				column.Top = append(column.Top, catalog.Count{Value: value, Rows: n})
			}
			slices.SortFunc(column.Top, func(a, b catalog.Count) int {
				return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Value, b.Value))
			})
			column.Top = column.Top[:min(len(column.Top), 10)]
		}
		table.Schema.Fields = append(table.Schema.Fields, field)
		profile.Columns = append(profile.Columns, column)
	}
	return table, profile.Rows > 0
}

// TestGoldenCatalogues runs the golden queries of the imported catalogues on both
// engines; on Meilisearch where a server can be started.
func TestGoldenCatalogues(t *testing.T) {
	set, err := golden.Load(golden.Catalogues)
	if err != nil {
		t.Fatal(err)
	}
	docs := catalogueDocuments(t)
	run := func(t *testing.T, idx indexer.Index, name string) {
		defer idx.Close()
		sequence := func(yield func(indexer.Document, error) bool) {
			for _, d := range docs {
				if !yield(d, nil) {
					return
				}
			}
		}
		if err := idx.Rebuild(t.Context(), sequence, nil); err != nil {
			t.Fatal(err)
		}
		indextest.HoldReport(t, idx, set, filepath.Join("testdata", "golden", name+".txt"), *update)
	}
	t.Run("embedded", func(t *testing.T) {
		x, err := embedded.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		run(t, x, "catalogues-embedded")
	})
	t.Run("meilisearch", func(t *testing.T) {
		server := startMeilisearch(t)
		run(t, meili.Open(meili.Config{URL: server.URL, Key: server.Key, Index: "golden", SearchTimeout: 30 * time.Second}), "catalogues-meilisearch")
	})
}

// TestBothEnginesFindAlike: the embedded engine is no more than 0.03 behind
// Meilisearch in either set, by the reports that the engines' own tests hold.
func TestBothEnginesFindAlike(t *testing.T) {
	mean := func(file string) float64 {
		t.Helper()
		head, _, _ := strings.Cut(readDoc(t, file), "\n")
		_, after, _ := strings.Cut(head, "nDCG@10 ")
		figure, _, _ := strings.Cut(after, ",")
		n, err := strconv.ParseFloat(figure, 64)
		if err != nil {
			t.Fatalf("%s begins with %q: %v", file, head, err)
		}
		return n
	}
	for _, pair := range [][2]string{
		{"indexer/embedded/testdata/golden-portal.txt", "indexer/meili/testdata/golden-portal.txt"},
		{"cmd/taihu/testdata/golden/catalogues-embedded.txt", "cmd/taihu/testdata/golden/catalogues-meilisearch.txt"},
	} {
		if own, other := mean(pair[0]), mean(pair[1]); own < other-0.03 {
			t.Errorf("nDCG@10 is %.3f in %s, and %.3f in %s", own, pair[0], other, pair[1])
		}
	}
}
