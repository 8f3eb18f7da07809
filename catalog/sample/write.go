package sample

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"

	"taihu/catalog"
)

// form is how a sheet is written.
type form string

const (
	csvPlain   form = "csv"
	csvBOM     form = "csv, UTF-8 with byte order mark"
	csvGB18030 form = "csv, GB18030"
	tsvUTF16   form = "tsv, UTF-16 little-endian with byte order mark"
	jsonArray  form = "json"
	jsonLines  form = "ndjson"
	xlsx       form = "xlsx"
)

func baseName(file string) string {
	name, _, _ := strings.Cut(file, ".")
	return name
}

// write writes the sheet as its file.
func (s *sheet) write(w io.Writer) error {
	b := bufio.NewWriterSize(w, 64<<10)
	var err error
	switch s.form {
	case csvPlain:
		s.writeSeparated(b, ',')
	case csvBOM:
		_, _ = b.WriteString("\ufeff")
		s.writeSeparated(b, ',')
	case csvGB18030:
		t := simplifiedchinese.GB18030.NewEncoder().Writer(b)
		inner := bufio.NewWriter(t)
		s.writeSeparated(inner, ',')
		err = inner.Flush()
	case tsvUTF16:
		var plain bytes.Buffer
		inner := bufio.NewWriter(&plain)
		_, _ = inner.WriteString("\ufeff")
		s.writeSeparated(inner, '\t')
		_ = inner.Flush()
		for _, u := range utf16.Encode([]rune(plain.String())) {
			_, _ = b.Write([]byte{byte(u), byte(u >> 8)})
		}
	case jsonArray, jsonLines:
		s.writeJSON(b)
	case xlsx:
		err = s.writeXLSX(b)
	default:
		err = fmt.Errorf("sample: %s has no form %q", s.file, s.form)
	}
	if err != nil {
		return err
	}
	return b.Flush() // bufio keeps the first error of any write
}

// writeSeparated writes a header and the rows; a cell is quoted where it must be.
func (s *sheet) writeSeparated(b *bufio.Writer, separator byte) {
	special := string(separator) + "\"\r\n"
	line := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				_ = b.WriteByte(separator)
			}
			if strings.ContainsAny(c, special) {
				c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			_, _ = b.WriteString(c)
		}
		_, _ = b.WriteString("\r\n")
	}
	line(s.names())
	s.each(line)
}

func (s *sheet) names() []string {
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = c.name
	}
	return names
}

// each runs the rows and holds each to the number of columns.
func (s *sheet) each(line func([]string)) {
	s.rows(func(cells ...string) {
		if len(cells) != len(s.columns) {
			panic(fmt.Sprintf("sample: %s: a row of %d cells for %d columns", s.file, len(cells), len(s.columns)))
		}
		line(cells)
	})
}

func (s *sheet) writeJSON(b *bufio.Writer) {
	n := 0
	s.each(func(cells []string) {
		switch {
		case s.form == jsonArray && n == 0:
			_, _ = b.WriteString("[\n")
		case s.form == jsonArray:
			_, _ = b.WriteString(",\n")
		}
		_, _ = b.Write(s.object(cells, false))
		if s.form == jsonLines {
			_ = b.WriteByte('\n')
		}
		n++
	})
	if s.form == jsonArray {
		_, _ = b.WriteString("\n]\n")
	}
}

// object writes a row as a JSON object with its members in the order of the
// columns; canonical gives datetimes the form of /rows.
func (s *sheet) object(cells []string, canonical bool) []byte {
	out := []byte{'{'}
	for i, cell := range cells {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, quote(s.columns[i].name)...), ':')
		switch t := s.columns[i].words.Type; {
		case cell == "":
			out = append(out, "null"...)
		case t == catalog.Integer || t == catalog.Number || t == catalog.Boolean:
			out = append(out, cell...)
		case t == catalog.Datetime && canonical:
			if len(cell) == len(isoMinute) {
				cell += ":00"
			}
			out = append(out, quote(strings.Replace(cell, " ", "T", 1)+catalog.DefaultZone)...)
		default:
			out = append(out, quote(cell)...)
		}
	}
	return append(out, '}')
}

func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string cannot fail
	return bytes.TrimRight(b.Bytes(), "\n")
}

// sampleOf returns the first ten rows as a steward would show them.
func sampleOf(s sheet) []byte {
	var list [][]byte
	s.each(func(cells []string) {
		if len(list) < 10 {
			list = append(list, s.object(cells, true))
		}
	})
	return append(append([]byte{'['}, bytes.Join(list, []byte(","))...), ']')
}

// writeXLSX writes the least workbook there is: one sheet, texts inline, stored
// without compression so that the bytes do not hang on a compressor's version.
func (s *sheet) writeXLSX(w io.Writer) error {
	z := zip.NewWriter(w)
	for _, part := range workbookParts {
		f, err := z.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Store})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(f, xmlHead+strings.ReplaceAll(part.body, "{sheet}", escapeXML(s.title.Zh))); err != nil {
			return err
		}
	}
	f, err := z.CreateHeader(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: zip.Store})
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 64<<10)
	fmt.Fprintf(b, `%s<worksheet xmlns="%s"><sheetData>`, xmlHead, spreadsheetML)
	n := 0
	line := func(cells []string, typed bool) {
		n++
		fmt.Fprintf(b, `<row r="%d">`, n)
		for i, c := range cells {
			switch t := s.columns[i].words.Type; {
			case c == "":
			case typed && (t == catalog.Integer || t == catalog.Number):
				fmt.Fprintf(b, `<c r="%s%d"><v>%s</v></c>`, letters(i), n, c)
			default:
				fmt.Fprintf(b, `<c r="%s%d" t="inlineStr"><is><t>%s</t></is></c>`, letters(i), n, escapeXML(c))
			}
		}
		_, _ = b.WriteString(`</row>`)
	}
	for _, above := range s.above {
		line([]string{above}, false)
	}
	line(s.names(), false)
	s.each(func(cells []string) { line(cells, true) })
	_, _ = b.WriteString(`</sheetData></worksheet>`)
	if err := b.Flush(); err != nil {
		return err
	}
	return z.Close()
}

func letters(i int) string {
	if i >= 26 {
		return letters(i/26-1) + letters(i%26)
	}
	return string(rune('A' + i))
}

func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

const (
	xmlHead       = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	spreadsheetML = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	officeRels    = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageRels   = "http://schemas.openxmlformats.org/package/2006/relationships"
	mainType      = "application/vnd.openxmlformats-officedocument.spreadsheetml"
)

var workbookParts = []struct{ name, body string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="` + mainType + `.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + mainType + `.worksheet+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="` + packageRels + `"><Relationship Id="rId1" Type="` + officeRels + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="` + spreadsheetML + `" xmlns:r="` + officeRels + `"><sheets><sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="` + packageRels + `"><Relationship Id="rId1" Type="` + officeRels + `/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
}
