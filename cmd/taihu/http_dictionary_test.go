package main

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"taihu/api"
)

var baseField = regexp.MustCompile(`name="base" value="(\w+)"`)

// formFile is a form with one file as a browser sends it, and its headers.
func (s *server) formFile(t *testing.T, name string, content []byte, more ...string) (string, []string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	w, err := m.CreateFormFile("file", name)
	if err == nil {
		_, err = w.Write(content)
	}
	if err != nil || m.Close() != nil {
		t.Fatal(err)
	}
	return b.String(), append([]string{"Content-Type", m.FormDataContentType(), "Accept", "text/html", "Origin", s.URL}, more...)
}

// TestDictionary: the columns of a draft are described in a grid and in files; two tabs, or a
// tab and a file, cannot overwrite each other, and nothing that was typed is lost.
func TestDictionary(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	draft := p.draft("open-lots", "lots.csv", strings.Replace(lots, "名称", "=1+1", 1))
	own, form := with([]string{"Accept", "text/html"}, bearerOf(p.own)...), p.formOf(bearerOf(p.own)...)
	page := "/steward/drafts/" + draft.ID + "/tables/lots"
	p.play(t, []scenario{
		{name: "the draft leads there", path: "/steward/drafts/" + draft.ID, headers: own, status: 200, parts: []string{`href="` + page + `"`}},
		{name: "another steward", path: page, headers: with([]string{"Accept", "text/html"}, bearerOf(p.other)...), status: 404},
		{name: "nobody", path: page, headers: []string{"Accept", "text/html"}, status: 303},
		{name: "no such table", path: page + "x", headers: own, status: 404},
		{name: "another may not write", method: "POST", path: page, headers: p.formOf(bearerOf(p.other)...), body: "column=泊位数&unit=个", status: 404},
	})
	open := func() string {
		t.Helper()
		_, _, body := p.send(t, scenario{path: page, headers: own})
		m := baseField.FindStringSubmatch(body)
		if m == nil {
			t.Fatalf("no base in %s", body)
		}
		return m[1]
	}
	words := func(base, unit, label string) string {
		return url.Values{"base": {base}, "title_zh": {"停车场"}, "title_en": {""}, "column": {"编号", "泊位数"}, "key": {"编号"}, "label_zh": {"", label}, "label_en": {"", ""}, "unit": {"", unit}, "about_zh": {"", ""}, "about_en": {"", ""}}.Encode()
	}
	tab1, tab2 := open(), open()
	p.play(t, []scenario{
		{name: "the first tab saves", method: "POST", path: page, headers: form, body: words(tab1, "个", "泊位"), status: 303},
		{name: "the second is told, with both words", method: "POST", path: page, headers: form, body: words(tab2, "辆", "车位<b>"), status: 409,
			parts: []string{`value="辆"`, "现在：个", `value="车位&lt;b&gt;"`, "现在：泊位", "2处不同", "以格子里的为准"}},
		{name: "nothing of it is saved", path: page, headers: own, status: 200, parts: []string{`value="个"`, `value="泊位"`}, lacks: []string{"辆"}},
		{name: "the same words again are no conflict", method: "POST", path: page, headers: form, body: words(tab2, "个", "泊位"), status: 303},
	})
	p.play(t, []scenario{
		{name: "a book in a cell", method: "POST", path: page, headers: form, body: words(open(), strings.Repeat("长", 101), "泊位"), status: 400, parts: []string{"太长", strings.Repeat("长", 101)}},
	})
	_, _, body := p.send(t, scenario{method: "POST", path: page, headers: form, body: words(tab2, "辆", "车位")})
	p.play(t, []scenario{{name: "after looking, the second saves", method: "POST", path: page, headers: form, body: words(baseField.FindStringSubmatch(body)[1], "辆", "车位"), status: 303}})

	// A file checked meanwhile, or the draft's notes, stop nobody.
	tab3 := open()
	var d api.Draft
	if err := p.client.Do(t.Context(), http.MethodGet, "/api/v1/drafts/"+draft.ID, nil, &d); err != nil {
		t.Fatal(err)
	}
	if _, err := p.client.PutFile(t.Context(), draft.ID, "readme.txt", url.Values{}, strings.NewReader("an attachment"), 13); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is checked", func() bool {
		now, err := p.client.Draft(t.Context(), draft.ID)
		return err == nil && now.State == "ready"
	})
	p.play(t, []scenario{
		{name: "another file is no conflict", method: "POST", path: page, headers: form, body: words(tab3, "辆", "车位数"), status: 303},
		{name: "through the API the draft as a whole is compared", method: "PUT", path: "/api/v1/drafts/" + draft.ID + "/tables/lots", headers: with(bearerOf(p.own), "Content-Type", "application/json", "If-Match", `"v1"`), body: `{"fields":{}}`, status: 412, parts: []string{"stale_row_version"}},
	})

	// As files.
	fetch := func(ext string) []byte {
		t.Helper()
		status, header, body := p.send(t, scenario{path: page + "/dictionary." + ext + "?lang=zh", headers: own})
		if status != 200 || !strings.Contains(header.Get("Content-Disposition"), "lots-dictionary."+ext) {
			t.Fatalf("%d %v", status, header)
		}
		return []byte(body)
	}
	upload := func(name string, content []byte) (int, string) {
		t.Helper()
		body, headers := p.formFile(t, name, content, bearerOf(p.own)...)
		status, _, page := p.send(t, scenario{method: "POST", path: page + "/upload", headers: headers, body: body})
		return status, page
	}
	csv, xlsx := fetch("csv"), fetch("xlsx")
	if !strings.Contains(string(csv), "'=1+1") || !strings.HasPrefix(string(csv), "\ufeff字段,类型,标签") {
		t.Errorf("the file is %s", csv)
	}
	for name, content := range map[string][]byte{"d.csv": csv, "d.xlsx": xlsx} {
		if status, page := upload(name, content); status != 200 || !strings.Contains(page, "没有不同") {
			t.Errorf("%s unchanged: %d %s", name, status, page)
		}
	}
	edited := []byte(strings.Replace(string(csv), "车位数", "泊位总数", 1))
	status, body := upload("改好的.csv", edited)
	if status != 200 || !strings.Contains(body, `value="泊位总数"`) || !strings.Contains(body, "现在：车位数") || !strings.Contains(body, "1处与现在存着的不同") {
		t.Fatalf("%d %s", status, body)
	}
	p.play(t, []scenario{
		{name: "shown is not saved", path: page, headers: own, status: 200, parts: []string{`value="车位数"`}},
		{name: "somebody saves meanwhile", method: "POST", path: page, headers: form, body: words(open(), "个", "车位数"), status: 303},
	})
	if status, body = upload("改好的.csv", edited); status != 409 || !strings.Contains(body, "文件下载之后") || !strings.Contains(body, "现在：个") || !strings.Contains(body, `value="泊位总数"`) {
		t.Errorf("an old file: %d %s", status, body)
	}
	for name, test := range map[string]struct {
		name, content string
		status        int
		says          string
	}{
		"no dictionary":        {"a.csv", "a,b\n1,2\n", 400, "没有“字段”这一列"},
		"an unknown column":    {"a.csv", "column,unit\n没有,个\n", 400, "没有名为“没有”的列"},
		"twice":                {"a.csv", "column,unit\n编号,个\n编号,只\n", 400, "写了两次"},
		"a strange key":        {"a.csv", "字段,主键\n编号,也许\n", 400, "也许"},
		"no table":             {"a.xlsx", "PK\x03\x04 this is no workbook", 422, "读不了"},
		"a bomb of rows":       {"a.csv", "column\n" + strings.Repeat("编号\n", 20_001), 422, "行数超过20000"},
		"an image":             {"a.csv", "\x89PNG\r\n\x1a\n\x00\x00", 422, ""},
		"too large":            {"a.csv", "column\n" + strings.Repeat("x", 17<<20), 413, "16 MB"},
		"only what it says":    {"a.csv", "column,unit\n泊位数,间\n", 200, "现在：个"},
		"words of an old file": {"a.csv", "字段,标签,版本\n泊位数,旧话,0123456789ab\n", 409, "现在：车位数"},
	} {
		if status, body := upload(test.name, []byte(test.content)); status != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s: %d, want %d with %q\n%.3000s", name, status, test.status, test.says, body)
		}
	}
	if left, err := filepath.Glob(filepath.Join(p.Data, "tmp", "*", "cells-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	// Edited by a spreadsheet's library and back.
	if out, err := exec.Command(python(), "-c", "import openpyxl").CombinedOutput(); err != nil {
		t.Skipf("no Python with openpyxl (TAIHU_PYTHON): %s", out)
	}
	path := filepath.Join(t.TempDir(), "d.xlsx")
	if err := os.WriteFile(path, fetch("xlsx"), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
import sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
sheet = book.worksheets[0]
head = [c.value for c in sheet[1]]
for row in sheet.iter_rows(min_row=2):
    if row[0].value == "区县":
        row[head.index("说明")].value = "所在的区县\n按2026年区划"
book.save(sys.argv[1])
`
	if out, err := exec.Command(python(), "-c", script, path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := upload("d.xlsx", content); status != 200 || !strings.Contains(body, "所在的区县") || !strings.Contains(body, "1处与现在存着的不同") {
		t.Errorf("edited with openpyxl: %d %s", status, body)
	}
}
