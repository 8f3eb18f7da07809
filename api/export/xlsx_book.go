package export

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"taihu/catalog"
)

// The parts that never change, and those of a data sheet.
const (
	rootRelations = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" +
		`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/>` +
		`<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/extended-properties" Target="docProps/app.xml"/>` +
		`</Relationships>`
	appProperties = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" +
		`<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"><Application>Taihu</Application></Properties>`
	sheetHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" +
		`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"`
	sheetPane = `><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>`
)

// The names of sheets.
const (
	dataSheet       = "数据 Data"
	dictionarySheet = "字段说明 Dictionary"
)

func sheetName(n int) string {
	if n == 1 {
		return dataSheet
	}
	return dataSheet + " " + strconv.Itoa(n)
}

func sheetPart(n int) string { return fmt.Sprintf("xl/worksheets/sheet%d.xml", n) }

// styles are the workbook's cell styles. excelize numbers them in the order they
// are made, which is always the same.
type styles struct {
	header, text   int
	time, datetime int // with milliseconds
	columns        []int
	made           map[string]int
}

func (s styles) exact(k kind) int {
	if k == kindTime {
		return s.time
	}
	return s.datetime
}

// newStyles makes the styles of a table's columns in book.
func newStyles(book *excelize.File, fields []catalog.Field) (styles, error) {
	s := styles{made: map[string]int{}}
	var err error
	heading := &excelize.Style{
		Font:   &excelize.Font{Bold: true},
		Fill:   excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E8EEF2"}},
		Border: []excelize.Border{{Type: "bottom", Style: 1, Color: "5B7083"}},
	}
	if s.header, err = book.NewStyle(heading); err != nil {
		return s, fmt.Errorf("export: xlsx style: %w", err)
	}
	for _, made := range []struct {
		id     *int
		format string
	}{{&s.text, "@"}, {&s.time, "hh:mm:ss.000"}, {&s.datetime, "yyyy-mm-dd hh:mm:ss.000"}} {
		if *made.id, err = s.format(book, made.format); err != nil {
			return s, err
		}
	}
	for _, f := range fields {
		id := 0
		if format := numberFormat(f); format != "" {
			if id, err = s.format(book, format); err != nil {
				return s, err
			}
		}
		s.columns = append(s.columns, id)
	}
	return s, nil
}

func (s styles) format(book *excelize.File, format string) (int, error) {
	if id, ok := s.made[format]; ok {
		return id, nil
	}
	id, err := book.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err != nil {
		return 0, fmt.Errorf("export: xlsx style: %w", err)
	}
	s.made[format] = id
	return id, nil
}

// numberFormat is how a column's numbers are shown; empty: as the program likes.
func numberFormat(f catalog.Field) string {
	switch f.Type {
	case catalog.Integer:
		return "0"
	case catalog.Decimal:
		if f.Scale == 0 {
			return "0"
		}
		if f.Scale <= 30 { // Excel shows no more
			return "0." + strings.Repeat("0", f.Scale)
		}
	case catalog.Date:
		return "yyyy-mm-dd"
	case catalog.Time:
		return "hh:mm:ss"
	case catalog.Datetime:
		return "yyyy-mm-dd hh:mm:ss"
	}
	return ""
}

// part is one part of the package.
type part struct {
	name    string
	content []byte
}

// firstParts stand before the data sheets: tools that tell a file's type by its
// first bytes (file, browsers) want to see the relations first, and a third part
// below xl/ soon after.
var firstParts = []part{{"_rels/.rels", []byte(rootRelations)}, {"docProps/app.xml", []byte(appProperties)}}

// bookParts returns every part but the data sheets and firstParts, in order of their names, for a workbook of so many data sheets.
func bookParts(m Meta, sheets int) ([]part, error) {
	book := excelize.NewFile()
	style, err := newStyles(book, m.Fields)
	if err != nil {
		return nil, err
	}
	if err := book.SetSheetName("Sheet1", sheetName(1)); err != nil {
		return nil, fmt.Errorf("export: xlsx: %w", err)
	}
	for n := 2; n <= sheets; n++ {
		if _, err := book.NewSheet(sheetName(n)); err != nil {
			return nil, fmt.Errorf("export: xlsx: %w", err)
		}
	}
	if err := writeDictionary(book, style, m); err != nil {
		return nil, err
	}
	if err := book.SetDocProps(&excelize.DocProperties{
		Title: m.Title.In(m.Lang), Creator: m.Organization.In(m.Lang), Description: m.Citation.In(m.Lang),
		Created: "2000-01-01T00:00:00Z", Modified: "2000-01-01T00:00:00Z",
	}); err != nil {
		return nil, fmt.Errorf("export: xlsx: %w", err)
	}
	buf, err := book.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("export: xlsx: %w", err)
	}
	return partsOf(buf.Bytes(), sheets)
}

func partsOf(data []byte, sheets int) ([]part, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("export: xlsx: %w", err)
	}
	own := map[string]bool{}
	for _, p := range firstParts {
		own[p.name] = true
	}
	for n := range sheets {
		own[sheetPart(n+1)] = true
	}
	var parts []part
	for _, f := range r.File {
		if own[f.Name] {
			delete(own, f.Name)
			continue
		}
		in, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("export: xlsx: %w", err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("export: xlsx: %w", err)
		}
		parts = append(parts, part{f.Name, content})
	}
	if len(own) > 0 {
		return nil, fmt.Errorf("export: xlsx: the workbook lacks %v", own)
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.name, b.name) })
	return parts, nil
}
