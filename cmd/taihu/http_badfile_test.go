package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"taihu/api"
	"taihu/catalog"
)

// badFile is a file of design/reliability.md, section F, and what must be said of
// it: accepted, attachment or the code of the refusal, then codes of findings that
// must be there.
type badFile struct {
	id, name string
	content  []byte
	options  url.Values // as the API has them
	verdict  string
	codes    string
}

// badFiles are the cases F01 to F20. F21 (many uploads) is about the server, not a
// file: TestTusProtocol, TestSweep and TestFairLimits. F22 (a virus scanner): the
// portal has no hook for one.
func badFiles(t *testing.T) []badFile {
	long := strings.Repeat("x", 17<<20)
	text := func(s string) []byte { return []byte(s) }
	sheet := func(rows string) []byte { return rawWorkbook(t, map[string]string{"xl/worksheets/sheet1.xml": rows}) }
	row := func(n int, cells ...string) string {
		var b strings.Builder
		for i, c := range cells {
			fmt.Fprintf(&b, `<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+i, n, c)
		}
		return fmt.Sprintf(`<row r="%d">%s</row>`, n, b.String())
	}
	utf16le := func(s string) []byte {
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return b
	}
	gb, _ := simplifiedchinese.GB18030.NewEncoder().String("名称,数量\n" + strings.Repeat("无锡市滨湖区蠡湖街道,1\n", 50) + "滨湖区㛃,1\n梁溪区𣲗,2\n")
	big5, _ := traditionalchinese.Big5.NewEncoder().String("名稱,數量\n濱湖區,1\n")
	latin := "name;city\nM\xfcller;Z\xfcrich\n"
	late := strings.Repeat("abc,123\n", 300_000)
	zipped := func(name string, content []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(content)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	crowd := map[string]string{}
	for i := range 10_001 {
		crowd[fmt.Sprintf("xl/x%d", i)] = ""
	}
	type flat struct {
		N int64  `parquet:"n"`
		S string `parquet:"s"`
	}
	type nested struct {
		L []int64 `parquet:"l,list"`
	}
	var good, lists, brotli bytes.Buffer
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(parquet.Write(&good, []flat{{1, "a"}, {2, "b"}}))
	must(parquet.Write(&lists, []nested{{[]int64{1}}}))
	must(parquet.Write(&brotli, []flat{{1, "a"}}, parquet.Compression(&parquet.Brotli)))
	footer := slices.Clone(good.Bytes())
	copy(footer[len(footer)-8:], "\xff\xff\xff\x7f")
	ole := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 4096)...)
	locked := slices.Clone(ole)
	for i, c := range "EncryptedPackage" {
		locked[600+2*i] = byte(c)
	}
	ods := zipOf(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<a/>"})
	var ragged strings.Builder
	ragged.WriteString("a,b,c\n")
	for range 150 {
		ragged.WriteString("1,2\n")
	}
	deep := func(open, shut string, n int) string { return strings.Repeat(open, n) + strings.Repeat(shut, n) }
	table := row(1, "甲", "乙") + `<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>`
	return []badFile{
		{"F01", "one-line.csv", text(long), nil, "record_too_long", ""},
		{"F02", "wide.csv", text(strings.Repeat("a,", 20_000) + "\n"), nil, "too_many_columns", ""},
		{"F03", "empty-lines.csv", text(strings.Repeat("\n", 500_000)), nil, "empty_file", ""},
		{"F03", "only-commas.csv", text(strings.Repeat(",,\n", 100_000)), nil, "accepted", "empty_rows nearly_empty"},
		{"F04", "nul.csv", text("a,b\n1,\x002\n"), nil, "binary_content", ""},
		{"F04", "utf16.csv", utf16le("名称,数量\n滨湖区,1\n"), nil, "accepted", ""},
		{"F05", "late.csv", text("a,b\n" + late + "x\xff,1\n"), nil, "encoding_ambiguous", ""},
		{"F05", "late-utf8.csv", text("\xef\xbb\xbfa,b\n" + late + "x\xff,1\n"), nil, "invalid_encoding", ""},
		{"F06", "gb18030.csv", text(gb), nil, "accepted", ""},
		{"F06", "big5.csv", text(big5), nil, "encoding_ambiguous", ""},
		{"F06", "big5-stated.csv", text(big5), url.Values{"encoding": {"big5"}}, "accepted", ""},
		{"F06", "latin.csv", text(latin), nil, "encoding_ambiguous", ""},
		{"F06", "latin-stated.csv", text(latin), url.Values{"encoding": {"windows-1252"}}, "accepted", ""},
		{"F07", "bom.csv", text("\xef\xbb\xbfa,b\n1,\xef\xbb\xbf2\n"), nil, "accepted", ""},
		{"F07", "utf32.csv", text("\xff\xfe\x00\x00a\x00\x00\x00,\x00\x00\x00b\x00\x00\x00\n\x00\x00\x00"), nil, "encoding_ambiguous", ""},
		{"F08", "ragged.csv", text(ragged.String()), nil, "ragged_rows", ""},
		{"F09", "headers.csv", text("名称,名称,,_row,__proto__,select,\u202ex,A,a\n1,2,3,4,5,6,7,8,9\n"), nil, "accepted", "duplicate_header empty_header reserved_header"},
		{"F09", "long-header.csv", text(strings.Repeat("名", 22_000) + ",b\n1,2\n"), nil, "long_header", ""},
		{"F10", "unclosed.csv", text("a,b\n1,\"x\n2,y\n"), nil, "unclosed_quote", ""},
		{"F10", "bare-quote.csv", text("a,b\n1,5\" disk\n2,y\n"), nil, "accepted", "quote_in_value"},
		{"F10", "line-ends.csv", text("a,b\r1,2\r\n3,4\n"), nil, "accepted", ""},
		{"F11", "header-only.csv", text("a,b\n"), nil, "accepted", "header_only"},
		{"F11", "only-bom.csv", text("\xef\xbb\xbf"), nil, "empty_file", ""},
		{"F11", "spaces.csv", text("   \n  "), nil, "empty_file", ""},
		{"F12", "crowded.xlsx", zipOf(t, crowd), nil, "wrong_extension", ""},
		{"F12", "crowded-book.xlsx", rawWorkbook(t, crowd), nil, "archive_too_large", ""},
		{"F12", "cut.xlsx", sheet(sheetXML(table))[:400], nil, "cut_archive", ""},
		{"F12", "nested.csv.gz", zipped("a", zipped("b", text("a,b\n1,2\n"))), nil, "nested_archive", ""},
		{"F13", "row-number.xlsx", sheet(sheetXML(`<row r="2147483647"/>`)), nil, "malformed_xlsx", ""},
		{"F13", "row-minus.xlsx", sheet(sheetXML(`<row r="-1"/>`)), nil, "malformed_xlsx", ""},
		{"F13", "cell-name.xlsx", sheet(sheetXML(`<row r="1"><c r="VGWQHXLSDVIKWV1"><v>1</v></c></row>`)), nil, "malformed_xlsx", ""},
		{"F13", "shared-string.xlsx", sheet(sheetXML(`<row r="1"><c r="A1" t="s"><v>-1</v></c></row>`)), nil, "malformed_xlsx", ""},
		{"F13", "order.xlsx", sheet(sheetXML(`<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>`)), nil, "malformed_xlsx", ""},
		{"F13", "merge.xlsx", sheet(`<worksheet ` + mainNS + `><sheetData>` + table + `</sheetData><mergeCells><mergeCell ref=""/></mergeCells></worksheet>`), nil, "malformed_xlsx", ""},
		{"F13", "col.xlsx", sheet(`<worksheet ` + mainNS + `><cols><col min="1" max="2147483648"/></cols><sheetData>` + table + `</sheetData></worksheet>`), nil, "malformed_xlsx", ""},
		{"F14", "laughs.xlsx", sheet(`<!DOCTYPE a [<!ENTITY b "lol">]>` + sheetXML(table)), nil, "malformed_xlsx", ""},
		{"F14", "deep.xlsx", sheet(sheetXML(deep("<a>", "</a>", 100_000))), nil, "malformed_xlsx", ""},
		{"F15", "locked.xlsx", locked, nil, "encrypted", ""},
		{"F15", "old.xlsx", ole, nil, "wrong_extension", ""},
		{"F15", "old.xls", ole, nil, "office_missing", ""},
		{"F15", "sheet.ods", ods, nil, "office_missing", ""},
		{"F15", "macro.xlsm", rawWorkbook(t, map[string]string{"xl/worksheets/sheet1.xml": sheetXML(table), "xl/vbaProject.bin": "x", "xl/externalLinks/externalLink1.xml": "<a/>"}), nil, "accepted", "hidden_content"},
		{"F16", "cells.xlsx", sheet(sheetXML(row(1, "编号", "值") + `<row r="2"><c r="A2"><v>3.20205199001011E+17</v></c><c r="B2" t="e"><v>#N/A</v></c></row><row r="3"><c r="A3"><f>1+1</f></c><c r="B3" t="inlineStr"><is><t>1E5</t></is></c></row>`)), nil, "accepted", "digits_lost error_cells formula_without_value"},
		{"F16", "merged.xlsx", sheet(`<worksheet ` + mainNS + `><sheetData>` + row(1, "地区", "预算", "") + `<row r="2"><c r="B2" t="inlineStr"><is><t>基本</t></is></c><c r="C2" t="inlineStr"><is><t>项目</t></is></c></row><row r="3"><c r="A3" t="inlineStr"><is><t>滨湖区</t></is></c><c r="B3"><v>1</v></c><c r="C3"><v>2</v></c></row></sheetData><mergeCells><mergeCell ref="A1:A2"/><mergeCell ref="B1:C1"/></mergeCells></worksheet>`), nil, "accepted", "header_rows"},
		{"F16", "two-tables.xlsx", sheet(sheetXML(table + row(4, "行业", "企业") + `<row r="5"><c r="A5" t="inlineStr"><is><t>制造</t></is></c><c r="B5"><v>3</v></c></row>`)), nil, "accepted", "tables_divided"},
		{"F17", "hidden.xlsx", rawWorkbook(t, map[string]string{"xl/worksheets/sheet1.xml": `<worksheet ` + mainNS + `><cols><col min="2" max="2" hidden="1"/></cols><sheetData>` + strings.Replace(table, `<row r="2"`, `<row r="2" hidden="1"`, 1) + `</sheetData></worksheet>`,
			"xl/comments1.xml": `<comments ` + mainNS + `><commentList><comment ref="A1"/></commentList></comments>`, "docProps/core.xml": `<cp:coreProperties xmlns:cp="a" xmlns:dc="b"><dc:creator>张三</dc:creator></cp:coreProperties>`}), nil, "accepted", "hidden_rows hidden_columns comments document_properties"},
		{"F17", "people.csv", text("姓名,证件\n张三,11010519491231002X\n"), nil, "accepted", "personal_id"},
		{"F18", "deep.json", text(`[{"a":` + deep("[", "]", 100_000) + `}]`), nil, "json_too_deep", ""},
		{"F18", "long.json", text(`[{"a":"` + long + `"}]`), nil, "cell_too_long", ""},
		{"F18", "twice.json", text(`[{"a":1,"a":2}]`), nil, "duplicate_key", ""},
		{"F18", "nan.json", text(`[{"a":NaN}]`), nil, "malformed_json", ""},
		{"F18", "large-numbers.json", text(`[{"a":9223372036854775809},{"a":0.1}]`), nil, "accepted", ""},
		{"F18", "bad-line.ndjson", text("{\"a\":1}\n{\"a\":\n{\"a\":3}\n"), nil, "malformed_json", ""},
		{"F18", "scalar.json", text("5"), nil, "malformed_json", ""},
		{"F19", "no-magic.parquet", good.Bytes()[4:], nil, "wrong_extension", ""},
		{"F19", "footer.parquet", footer, nil, "malformed_parquet", ""},
		{"F19", "cut.parquet", good.Bytes()[:good.Len()/2], nil, "cut_archive", ""},
		{"F19", "lists.parquet", lists.Bytes(), nil, "unsupported_parquet", ""},
		{"F19", "brotli.parquet", brotli.Bytes(), nil, "unsupported_parquet", ""},
		{"F20", "html.csv", text("<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>"), nil, "wrong_extension", ""},
		{"F20", "svg.csv", text(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`), nil, "wrong_extension", ""},
		{"F20", "pdf.csv", text("%PDF-1.4\n1 0 obj\n"), nil, "wrong_extension", ""},
		{"F20", "zip.csv", zipOf(t, map[string]string{"a.csv": "a,b\n1,2\n"}), nil, "wrong_extension", ""},
		{"F20", "html.xls", text("<html><table><tr><td>1</td></tr></table></html>"), nil, "wrong_extension", ""},
		{"F16", "merged-body.xlsx", sheet(`<worksheet ` + mainNS + `><sheetData>` + row(1, "区县", "街道") + row(2, "滨湖区", "河埒") + `<row r="3"><c r="B3" t="inlineStr"><is><t>荣巷</t></is></c></row></sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells></worksheet>`), url.Values{"merged": {"empty"}}, "accepted", "merged_cells"},
		{"F16", "header.csv", text("地区,street\ndistrict,街道\n滨湖区,河埒\n"), url.Values{"header_rows": {"2"}}, "accepted", "header_rows"},
		{"F16", "subtotals.csv", text("区县,街道,数量\n滨湖区,河埒,3\n,小计,3\n梁溪区,崇安,4\n,小计,4\n"), url.Values{"totals": {"drop"}}, "accepted", "totals_left_out"},
		{"F18", "records.json", text(`{"x":{"a":[{"n":1}],"b":[{"n":2}]}}`), url.Values{"path": {"x.b"}}, "accepted", "records_found"},
		{"F18", "no-records.json", text(`{"x":{"a":[{"n":1}],"b":[{"n":2}]}}`), url.Values{"path": {"x.c"}}, "unknown_path", ""},
		{"F20", "twice.csv.xlsx", text("a,b\n1,2\n"), nil, "wrong_extension", ""},
	}
}

const (
	mainNS = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	relNS  = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
)

func sheetXML(rows string) string {
	return `<worksheet ` + mainNS + `><sheetData>` + rows + `</sheetData></worksheet>`
}

// rawWorkbook is a workbook of one sheet, written part by part.
func rawWorkbook(t *testing.T, more map[string]string) []byte {
	parts := map[string]string{
		"[Content_Types].xml":        `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"_rels/.rels":                `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + relNS + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook ` + mainNS + ` xmlns:r="` + relNS + `"><sheets><sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + relNS + `/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
	}
	for name, body := range more {
		parts[name] = body
	}
	return zipOf(t, parts)
}

func zipOf(t *testing.T, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, parts[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBadFilesThreeWays sends every bad file through the command line, the API and
// the upload page: each way it is the same verdict with the same findings, and the
// one that reliability.md wants. Afterwards the portal is as it was.
func TestBadFilesThreeWays(t *testing.T) {
	t.Parallel()
	p := startLots(t, "--libreoffice=off")
	cookie := p.signIn(t)
	files := badFiles(t)
	groups := map[string][]badFile{} // files read in one way go into one draft
	for _, f := range files {
		groups[f.options.Encode()] = append(groups[f.options.Encode()], f)
	}
	byAPI, byPage := map[string]*catalog.Report{}, map[string]*catalog.Report{}
	for _, group := range groups {
		reports(t, byAPI, p.draftOf(t, group))
		reports(t, byPage, p.checked(t, p.uploadPage(t, cookie, group)))
	}
	dir := t.TempDir()
	for _, f := range files {
		t.Run(f.id+" "+f.name, func(t *testing.T) {
			path := filepath.Join(dir, f.name)
			if err := os.WriteFile(path, f.content, 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"check", path, "--json", "--libreoffice=off"}
			for k, v := range f.options {
				args = append(args, "--"+strings.ReplaceAll(k, "_", "-")+"="+v[0])
			}
			out, code := p.command(args...)
			var byCommand catalog.Report
			if err := json.Unmarshal([]byte(out), &byCommand); err != nil {
				t.Fatalf("check ends with %d: %v\n%s", code, err, out)
			}
			want := verdictOf(&byCommand)
			if verdict, _, _ := strings.Cut(want, " "); verdict != f.verdict || (code == exitRefused) != !byCommand.Accepted {
				t.Errorf("check ends with %d: %s, want %s", code, want, f.verdict)
			}
			for code := range strings.FieldsSeq(f.codes) {
				if !strings.Contains(want+" ", " "+code+" ") {
					t.Errorf("%s lacks %s", want, code)
				}
			}
			for way, got := range map[string]*catalog.Report{"the API": byAPI[f.name], "the page": byPage[f.name]} {
				if got == nil {
					t.Errorf("there is no report by %s", way)
				} else if verdict := verdictOf(got); verdict != want {
					t.Errorf("by %s: %s, by check: %s", way, verdict, want)
				}
			}
			if first := byCommand.FirstError(); first != nil && (first.Hint.Zh == "" || first.Hint.En == "" || strings.Contains(out, dir)) {
				t.Errorf("no hint, or a path of the machine: %s", out)
			}
		})
	}
	p.play(t, []scenario{{name: "ready", path: "/readyz", status: 200}, {name: "nothing is visible", path: "/api/v1/datasets/open-lots/releases", status: 200, lacks: []string{"one-line", "people"}}})
}

// verdictOf writes a verdict and the codes of all findings that a file gives by
// itself: what other files of the portal say of it is left out.
func verdictOf(r *catalog.Report) string {
	verdict := "accepted"
	switch {
	case r.FirstError() != nil:
		verdict = r.FirstError().Code
	case r.Format == "attachment":
		verdict = "attachment"
	}
	var codes []string
	for _, f := range r.Findings {
		if !slices.Contains([]string{"duplicate_content", "fragment", "title_at_odds"}, f.Code) && !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	slices.Sort(codes)
	return verdict + " " + strings.Join(codes, " ")
}

func reports(t *testing.T, into map[string]*catalog.Report, d *api.Draft) {
	t.Helper()
	for i := range d.Files {
		into[d.Files[i].Name] = d.Files[i].Report
	}
}

// draftOf sends files by the API.
func (p *lotPortal) draftOf(t *testing.T, files []badFile) *api.Draft {
	t.Helper()
	draft, err := p.client.CreateDraft(t.Context(), "open-lots", api.DraftEdit{Notes: catalog.Text{Zh: "坏文件"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if draft, err = p.client.PutFile(t.Context(), draft.ID, f.name, f.options, bytes.NewReader(f.content), int64(len(f.content))); err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
	}
	return p.checked(t, draft.ID)
}

// uploadPage sends files by the upload page and returns the draft's id.
func (p *lotPortal) uploadPage(t *testing.T, cookie *http.Cookie, files []badFile) string {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	fields := map[string]string{"notes_zh": "坏文件"}
	for k, v := range files[0].options {
		fields[k] = v[0]
	}
	for k, v := range fields {
		if err := m.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		w, err := m.CreateFormFile("file", f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	status, header, body := p.send(t, scenario{method: http.MethodPost, path: "/steward/datasets/open-lots/upload", headers: []string{"Content-Type", m.FormDataContentType(), "Cookie", cookie.Name + "=" + cookie.Value, "Origin", p.URL}, body: b.String()})
	id, _, _ := strings.Cut(strings.TrimPrefix(header.Get("Location"), "/steward/drafts/"), "?")
	if status != http.StatusSeeOther || id == "" {
		t.Fatalf("the upload page says %d %s: %.400s", status, header.Get("Location"), body)
	}
	return id
}

// checked waits until every file of a draft was read.
func (p *lotPortal) checked(t *testing.T, id string) *api.Draft {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		draft, err := p.client.Draft(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if draft.State != catalog.Checking {
			return draft
		}
		if time.Now().After(deadline) {
			t.Fatal("the files are still being read")
		}
	}
}
