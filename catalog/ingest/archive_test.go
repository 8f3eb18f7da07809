package ingest

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"taihu/catalog"
)

// TestXLSXHostile reads workbooks made to break readers: each is refused with a
// code, at its place where it has one, without a panic or a large allocation.
func TestXLSXHostile(t *testing.T) {
	head := `<row r="1">` + text("A1", "h") + `</row>`
	cell := func(c string) rawBook { return oneSheet(head + `<row r="2">` + c + `</row>`) }
	with := func(name, body string) rawBook {
		b := cell(`<c r="A2"><v>1</v></c>`)
		b.parts = map[string]string{name: body}
		return b
	}
	tests := []struct {
		name, code string
		book       rawBook
		place      string
	}{
		{"row 2^31-1", "malformed_xlsx", oneSheet(head + `<row r="2147483647"><c><v>1</v></c></row>`), "1"},
		{"row -1", "malformed_xlsx", oneSheet(head + `<row r="-1"><c><v>1</v></c></row>`), "1"},
		{"row 0", "malformed_xlsx", oneSheet(`<row r="0"/>`), ""},
		{"row 1048577", "malformed_xlsx", oneSheet(head + `<row r="1048577"/>`), "1"},
		{"one row after the last", "malformed_xlsx", oneSheet(head + `<row r="1048576"/><row/>`), "1048576"},
		{"rows out of order", "malformed_xlsx", oneSheet(head + `<row r="3"/><row r="2"/>`), "3"},
		{"a row twice", "malformed_xlsx", oneSheet(head + `<row r="1"/>`), "1"},
		{"huge column name", "malformed_xlsx", cell(`<c r="VGWQHXLSDVIKWV1"><v>1</v></c>`), "2"},
		{"column XFE", "malformed_xlsx", cell(`<c r="XFE2"><v>1</v></c>`), "2"},
		{"cell of another row", "malformed_xlsx", cell(`<c r="A3"><v>1</v></c>`), "2"},
		{"cells out of order", "malformed_xlsx", cell(`<c r="B2"><v>1</v></c><c r="A2"><v>1</v></c>`), "2A"},
		{"a cell twice", "malformed_xlsx", cell(`<c r="B2"><v>1</v></c><c r="B2"><v>1</v></c>`), "2B"},
		{"too many cells", "malformed_xlsx", cell(`<c r="XFD2"><v>1</v></c><c><v>1</v></c>`), "2"},
		{"shared string -1", "malformed_xlsx", cell(`<c r="A2" t="s"><v>-1</v></c>`), "2A"},
		{"shared string 9999999999", "malformed_xlsx", cell(`<c r="A2" t="s"><v>9999999999</v></c>`), "2A"},
		{"shared string that is not there", "malformed_xlsx", cell(`<c r="A2" t="s"><v>0</v></c>`), "2A"},
		{"style that is not there", "malformed_xlsx", cell(`<c r="A2" s="7"><v>1</v></c>`), "2A"},
		{"style -1", "malformed_xlsx", cell(`<c r="A2" s="-1"><v>1</v></c>`), "2A"},
		{"unknown cell type", "malformed_xlsx", cell(`<c r="A2" t="zz"><v>1</v></c>`), "2A"},
		{"word as a number", "malformed_xlsx", cell(`<c r="A2"><v>abc</v></c>`), "2A"},
		{"NaN", "malformed_xlsx", cell(`<c r="A2"><v>NaN</v></c>`), "2A"},
		{"number beyond a double", "malformed_xlsx", cell(`<c r="A2"><v>1e999</v></c>`), "2A"},
		{"boolean 2", "malformed_xlsx", cell(`<c r="A2" t="b"><v>2</v></c>`), "2A"},
		{"empty merged cell", "malformed_xlsx", rawBook{sheets: []rawSheet{{name: "a", data: head, after: `<mergeCells><mergeCell/></mergeCells>`}}}, "1"},
		{"merged cell of words", "malformed_xlsx", rawBook{sheets: []rawSheet{{name: "a", data: head, after: `<mergeCells><mergeCell ref="A1:"/></mergeCells>`}}}, "1"},
		{"column definition to 2^31", "malformed_xlsx", rawBook{sheets: []rawSheet{{name: "a", data: head, before: `<cols><col min="1" max="2147483648"/></cols>`}}}, ""},
		{"a value far away", "too_many_cells", oneSheet(head + `<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>`), "1048576XFD"},
		{"text that is not UTF-8", "malformed_xlsx", cell(text("A2", "\xff\xfe")), "2"},
		{"unknown entity", "malformed_xlsx", cell(text("A2", "&xxe;")), "2"},
		{"reference beyond Unicode", "malformed_xlsx", cell(text("A2", "&#x110000;")), "2"},
		{"tags that do not match", "malformed_xlsx", cell(`<c r="A2"><v>1</c></v>`), "2"},
		{"part cut off", "malformed_xlsx", with("xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="1"><c r="A1"><v>1`), "1"},
		{"deep XML", "malformed_xlsx", cell(`<c r="A2">` + strings.Repeat("<a>", 1_000_000) + `</c>`), "2"},
		{"endless tag", "malformed_xlsx", cell(`<c r="` + strings.Repeat("A", 3<<20) + `"/>`), "2"},
		{"not a worksheet", "malformed_xlsx", with("xl/worksheets/sheet1.xml", `<html/>`), ""},
		{"empty worksheet part", "malformed_xlsx", with("xl/worksheets/sheet1.xml", ``), ""},
		{"billion laughs", "malformed_xlsx", with("xl/sharedStrings.xml", `<!DOCTYPE lolz [<!ENTITY lol "lol">]><sst/>`), ""},
		{"external document type", "malformed_xlsx", with("docProps/core.xml", `<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1/x"><a/>`), ""},
		{"document type in UTF-16", "malformed_xlsx", with("xl/workbook.xml", utf16Part(`<!DOCTYPE a><workbook/>`)), ""},
		{"no workbook", "malformed_xlsx", rawBook{}, ""},
		{"workbook of nonsense", "malformed_xlsx", with("xl/workbook.xml", `{"sheets":[]}`), ""},
		{"styles of nonsense", "malformed_xlsx", with("xl/styles.xml", `<styleSheet`), ""},
		{"relations cut off", "malformed_xlsx", with("xl/_rels/workbook.xml.rels", `<Relationships>`), ""},
		{"sheet that is not there", "malformed_xlsx", with("xl/_rels/workbook.xml.rels", `<Relationships/>`), ""},
		{"unsafe path", "malformed_xlsx", with("../../etc/passwd", `x`), ""},
		{"nothing on it", "no_tables", oneSheet(``), ""},
		{"all sheets hidden", "no_tables", rawBook{sheets: []rawSheet{{name: "a", data: head, state: "hidden"}}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			book := test.book
			if len(book.sheets) == 0 {
				book.parts = map[string]string{"_rels/.rels": "<Relationships/>", "xl/workbook.xml": ""}
			}
			path := book.write(t)
			_, _, err := readFile(t, path, "book.xlsx", catalog.IngestOptions{}, openXLSX)
			f := refusalOf(t, err)
			place := f.Column
			if f.Row > 0 {
				place = fmt.Sprint(f.Row) + f.Column
			}
			if f.Code != test.code || place != test.place {
				t.Errorf("got %s at %q (%s), want %s at %q", f.Code, place, f.Message.En, test.code, test.place)
			}
		})
	}
}

// TestArchive weighs ZIP files made to look small, hide or collide.
func TestArchive(t *testing.T) {
	good := oneSheet(`<row r="1">` + text("A1", "h") + `</row>`).entries()
	clean := zipParts(t, good)
	bomb := func() []byte {
		parts := map[string]string{"xl/media/a.bin": strings.Repeat("\x00", 40<<20)}
		for k, v := range good {
			parts[k] = v
		}
		return deflated(t, parts)
	}
	tests := []struct {
		name, code string
		content    []byte
	}{
		{"inflates beyond the budget", "archive_too_large", bomb()},
		{"lies about the inflated size", "malformed_xlsx", lying(t, good)},
		{"cut off", "cut_archive", clean[:len(clean)-30]},
		{"not a ZIP at all", "malformed_xlsx", []byte("hello, this is text")},
		{"entries that overlap", "malformed_xlsx", overlapping(t)},
		{"encrypted entry", "encrypted", flagged(clean)},
		{"too many entries", "archive_too_large", crowded(t)},
		{"a name twice", "malformed_xlsx", twice(t)},
		{"damaged content", "malformed_xlsx", damaged(t, good)},
		{"old workbook", "unsupported", append(bytes.Clone(oleMagic), make([]byte, 4096)...)},
		{"workbook under a password", "encrypted", passworded(t)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, "book.xlsx", test.content)
			_, err := openXLSX(Input{Path: path, Name: "book.xlsx", Limits: Limits{Inflate: 32 << 20}.orDefault(), TempDir: t.TempDir(), Report: &catalog.Report{}, Findings: &Findings{}})
			if codeOf(err) != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
}

func deflated(t *testing.T, parts map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, body := range parts {
		e, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(e, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// lying states in the directory that an entry of 1,000,000 bytes has ten.
func lying(t *testing.T, good map[string]string) []byte {
	parts := map[string]string{"zz": strings.Repeat("a", 1_000_000)}
	for k, v := range good {
		parts[k] = v
	}
	b := deflated(t, parts)
	return patchDirectory(b, "zz", 24, 10)
}

// patchDirectory writes a 32-bit number at an offset of an entry's header in the
// central directory.
func patchDirectory(b []byte, name string, offset int, value uint32) []byte {
	for i := 0; i+46 < len(b); i++ {
		if string(b[i:i+4]) == "PK\x01\x02" && strings.HasPrefix(string(b[i+46:]), name) && int(binary.LittleEndian.Uint16(b[i+28:])) == len(name) {
			binary.LittleEndian.PutUint32(b[i+offset:], value)
		}
	}
	return b
}

// overlapping has two directory entries for the same bytes.
func overlapping(t *testing.T) []byte {
	b := zipParts(t, map[string]string{"aa": strings.Repeat("x", 500)})
	second := zipParts(t, map[string]string{"bb": strings.Repeat("x", 500)})
	dir := bytes.Index(b, []byte("PK\x01\x02"))
	end := bytes.Index(b, []byte("PK\x05\x06"))
	dir2 := bytes.Index(second, []byte("PK\x01\x02"))
	end2 := bytes.Index(second, []byte("PK\x05\x06"))
	out := append(bytes.Clone(b[:end]), second[dir2:end2]...)
	tail := bytes.Clone(b[end:])
	binary.LittleEndian.PutUint16(tail[8:], 2)
	binary.LittleEndian.PutUint16(tail[10:], 2)
	binary.LittleEndian.PutUint32(tail[12:], uint32(end-dir+end2-dir2))
	return append(out, tail...)
}

// flagged sets the encryption flag of every entry.
func flagged(clean []byte) []byte {
	b := bytes.Clone(clean)
	for i := 0; i+10 < len(b); i++ {
		if string(b[i:i+4]) == "PK\x01\x02" {
			b[i+8] |= 1
		}
	}
	return b
}

func crowded(t *testing.T) []byte {
	parts := map[string]string{}
	for i := range maxArchiveEntries + 1 {
		parts[fmt.Sprintf("p%d.xml", i)] = ""
	}
	return zipParts(t, parts)
}

func twice(t *testing.T) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range []string{"xl/workbook.xml", "XL/Workbook.xml"} {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// damaged turns a byte inside the sheet, so that its sum is wrong.
func damaged(t *testing.T, good map[string]string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, body := range good {
		e, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(e, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b := out.Bytes()
	b[bytes.Index(b, []byte("<t>h</t>"))+3] = 'j'
	return b
}

func passworded(t *testing.T) []byte {
	f := excelize.NewFile()
	defer f.Close()
	path := t.TempDir() + "/p.xlsx"
	if err := f.SaveAs(path, excelize.Options{Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestXLSXOptions asks for sheets and rows that are not there.
func TestXLSXOptions(t *testing.T) {
	path := oneSheet(`<row r="1">` + text("A1", "h") + `</row>`).write(t)
	_, _, err := readFile(t, path, "book.xlsx", catalog.IngestOptions{Sheet: "别的"}, openXLSX)
	if f := refusalOf(t, err); f.Code != "unknown_sheet" || !strings.Contains(f.Message.En, "Sheet1") {
		t.Errorf("got %+v", f)
	}
	_, _, err = readFile(t, path, "book.xlsx", catalog.IngestOptions{HeaderRow: 9}, openXLSX)
	if f := refusalOf(t, err); f.Code != "header_row_missing" {
		t.Errorf("got %+v", f)
	}
}

// FuzzXLSXSheet gives any bytes as the worksheet of a workbook.
func FuzzXLSXSheet(f *testing.F) {
	f.Add([]byte(`<worksheet><dimension ref="A1:B2"/><cols><col min="1" max="2" hidden="1"/></cols><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>h</t></is></c></row><row r="2"><c r="A2" s="1"><v>45351.5</v></c><c r="B2" t="s"><v>0</v></c></row></sheetData><mergeCells><mergeCell ref="A1:B1"/></mergeCells></worksheet>`))
	f.Add([]byte(`<worksheet><sheetData><row><c t="e"><v>#N/A</v></c><c><f>1</f></c><c t="b"><v>1</v></c></row></sheetData></worksheet>`))
	f.Add([]byte(`<worksheet><sheetData><row r="9"><c r="C9"><v><![CDATA[1]]></v></c></row><row r="5000"><c r="A5000"><v>&#49;</v></c></row></sheetData></worksheet>`))
	f.Fuzz(func(t *testing.T, sheet []byte) {
		b := oneSheet("")
		b.formats = []string{"yyyy-mm-dd"}
		b.strings = `<si><t>s</t></si>`
		b.parts = map[string]string{"xl/worksheets/sheet1.xml": string(sheet)}
		path := b.write(t)
		src, err := openXLSX(Input{Path: path, Name: "book.xlsx", Limits: Limits{Cells: 50_000, Inflate: 1 << 20}.orDefault(), TempDir: t.TempDir(), Report: &catalog.Report{}, Findings: &Findings{}})
		if err == nil {
			_, err = readSource(src)
			if cerr := src.Close(); cerr != nil {
				t.Error(cerr)
			}
		}
		if err != nil {
			refusalOf(t, err)
		}
	})
}
