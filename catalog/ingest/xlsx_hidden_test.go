package ingest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"taihu/catalog"
)

// hiddenBook has one of everything that can hide in a workbook.
func hiddenBook() rawBook {
	row := func(n int, attrs, a, b, c string) string {
		return fmt.Sprintf(`<row r="%d"%s>%s%s%s</row>`, n, attrs, text(fmt.Sprintf("A%d", n), a), text(fmt.Sprintf("B%d", n), b), text(fmt.Sprintf("C%d", n), c))
	}
	return rawBook{
		sheets: []rawSheet{
			{name: "公开", before: `<cols><col min="2" max="2" width="9" hidden="1"/></cols>`,
				data: row(1, "", "站点", "密", "值") + row(2, "", "甲", "x", "1") + row(3, ` hidden="1"`, "乙", "y", "2") + row(4, ` ht="0" customHeight="1"`, "丙", "z", "3") + row(5, "", "丁", "w", "4")},
			{name: "底稿", data: row(1, "", "a", "b", "c"), state: "hidden"},
		},
		parts: map[string]string{
			"xl/comments1.xml":     `<comments><authors><author>张三</author></authors><commentList><comment ref="A2" authorId="0"><text><t>待核</t></text></comment><comment ref="C5" authorId="0"><text><t>x</t></text></comment></commentList></comments>`,
			"xl/vbaProject.bin":    "x",
			"docProps/core.xml":    `<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:creator>张三</dc:creator><cp:lastModifiedBy>openpyxl</cp:lastModifiedBy></cp:coreProperties>`,
			"docProps/app.xml":     `<Properties><Company>无锡&amp;某局</Company><Application>Excel</Application></Properties>`,
			"docProps/custom.xml":  `<Properties><property name="密级"><vt:lpwstr>内部</vt:lpwstr></property></Properties>`,
			"docProps/broken1.xml": `<`,
		},
	}
}

func ingestBook(t *testing.T, b rawBook, o catalog.IngestOptions) Result {
	t.Helper()
	return ingestFile(t, b.write(t), "book.xlsx", o)
}

func TestHiddenContentIsToBeSettled(t *testing.T) {
	r := ingestBook(t, hiddenBook(), catalog.IngestOptions{})
	for code, want := range map[string]string{
		"hidden_sheet": "底稿 0", "hidden_rows": "公开 2", "hidden_columns": "公开 1", "comments": "A2 C5 2", "hidden_content": " 0",
		"document_properties": "creator=张三; Company=无锡&某局; 密级 3",
	} {
		f := findingOf(r, code)
		if f == nil || f.Severity != catalog.ToSettle || len(f.Measures) != 2 {
			t.Errorf("%s: %+v", code, f)
			continue
		}
		place := f.Value
		if place == "" {
			place = f.Table
		}
		if got := fmt.Sprintf("%s %d", place, f.Count); got != want && code != "hidden_content" {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := fmt.Sprint(cells(t, r.Tables[0].TypedPath)); got != "[[1 甲 x 1] [2 乙 y 2] [3 丙 z 3] [4 丁 w 4]]" {
		t.Errorf("read as data: %s", got)
	}
}

func TestHiddenContentIsLeftOut(t *testing.T) {
	var all []catalog.Settlement
	for _, code := range []string{"hidden_sheet", "hidden_rows", "hidden_columns", "comments", "hidden_content", "document_properties"} {
		all = append(all, catalog.Settlement{Code: code, Measure: catalog.Drop})
	}
	r := ingestBook(t, hiddenBook(), settled(all...))
	for _, f := range r.Report.Findings {
		if f.Severity == catalog.ToSettle {
			t.Errorf("still to settle: %s", f.Code)
		}
	}
	for _, path := range []string{r.Tables[0].TextPath, r.Tables[0].TypedPath} {
		if got := fmt.Sprint(cells(t, path)); got != "[[1 甲 1] [2 丁 4]]" {
			t.Errorf("left out: %s", got)
		}
		b, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(b), "密") {
			t.Errorf("the file names the hidden column (%v)", err)
		}
	}
	if names := r.Tables[0].Table.Schema.Names(); fmt.Sprint(names) != "[站点 值]" {
		t.Errorf("columns %v", names)
	}
}

// What cannot be read may hold anything.
func TestDamagedPropertiesAreToBeSettled(t *testing.T) {
	b := hiddenBook()
	b.parts["docProps/core.xml"], b.parts["xl/comments1.xml"] = "<a><b", "<comments><comment"
	r := ingestBook(t, b, catalog.IngestOptions{})
	if f := findingOf(r, "comments"); f == nil || f.Count != 1 {
		t.Errorf("comments: %+v", f)
	}
	if f := findingOf(r, "document_properties"); f == nil || !strings.Contains(f.Value, "docProps/core.xml") {
		t.Errorf("properties: %+v", f)
	}
}

// Files as programs write them give no cause.
func TestNamesOfProgramsAreNoNames(t *testing.T) {
	b := oneSheet(`<row r="1">` + text("A1", "a") + `</row><row r="2">` + text("A2", "b") + `</row>`)
	b.parts = map[string]string{"docProps/core.xml": `<cp:coreProperties><dc:creator>openpyxl</dc:creator><cp:lastModifiedBy></cp:lastModifiedBy></cp:coreProperties>`, "docProps/app.xml": `<Properties><Company></Company></Properties>`}
	if r := ingestBook(t, b, catalog.IngestOptions{}); findingOf(r, "document_properties") != nil {
		t.Error(summary(r))
	}
}
