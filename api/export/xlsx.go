package export

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"taihu/catalog"
	"taihu/catalog/table"
)

// The limits of a sheet.
const (
	sheetRows    = 1_048_576 // the header row included
	sheetColumns = 16_384
	cellUnits    = 32_767 // UTF-16 code units of a cell's text
)

// sampleRows are gathered before the first sheet begins, to find the widths of
// its columns.
const sampleRows = 1000

// xlsxEncoder writes a workbook: data sheets of at most 1,048,575 rows written by
// the encoder itself as rows arrive, then the parts that excelize builds (styles,
// the dictionary sheet, the workbook), which depend on how many sheets there are.
// The order of parts in a ZIP file is free.
type xlsxEncoder struct {
	zip     *archive
	meta    Meta
	style   styles
	columns []sheetColumn
	plain   []column // the same columns, for match
	buf     []byte   // rows not yet handed to zip
	begun   bool     // the first sheet's head is written
	sheets  int      // begun so far
	row     int      // last row written in the sheet, counted from 1; the header is 1
	limit   int      // sheetRows but in tests
	err     error
}

// sheetColumn is a column and the parts of its cells that never change. A row in
// which every cell has a value names none of their places, as the first stands in
// the first column and each beside the one before; a row with nulls names all, so
// that readers that only count, and those that only look, are both right. Places
// and inline texts left out are a third less to deflate.
type sheetColumn struct {
	column
	open   []byte // <c r="AB
	number []byte //  s="3"><v>
	exact  []byte // the same in the style with milliseconds
	plain  []byte //  s="2" t="str"><v>
	text   []byte //  s="2" t="inlineStr"><is><t
	width  int    // of the widest value of the sample
}

func newXLSX(w io.Writer, m Meta) (*xlsxEncoder, error) {
	if n := len(m.Fields); n > sheetColumns {
		return nil, xlsxLimit(catalog.Errorf(catalog.Unprocessable, "xlsx_limit", "The table has %d columns; an XLSX sheet holds at most %d. Take CSV or Parquet.", n, sheetColumns).
			InChinese("该表有%d列，而XLSX工作表最多%d列。请下载CSV或Parquet格式。", n, sheetColumns))
	}
	if err := dictionaryFits(m); err != nil {
		return nil, err
	}
	e := &xlsxEncoder{zip: newArchive(w), meta: m, limit: sheetRows, row: 1, plain: columnsOf(m.Fields)}
	book := excelize.NewFile()
	var err error
	if e.style, err = newStyles(book, m.Fields); err != nil {
		return nil, err
	}
	for i, c := range columnsOf(m.Fields) {
		name, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return nil, fmt.Errorf("export: xlsx: %w", err)
		}
		s := sheetColumn{column: c, open: []byte(`<c r="` + name), width: textWidth(c.name) + 3} // room for the filter button
		s.number = fmt.Appendf(nil, ` s="%d"><v>`, e.style.columns[i])
		s.exact = fmt.Appendf(nil, ` s="%d"><v>`, e.style.exact(c.kind))
		s.plain = fmt.Appendf(nil, ` s="%d" t="str"><v>`, e.style.text)
		s.text = fmt.Appendf(nil, ` s="%d" t="inlineStr"><is><t`, e.style.text)
		if c.kind == kindBoolean {
			s.number = []byte(` t="b"><v>`)
		}
		e.columns = append(e.columns, s)
	}
	return e, nil
}

// xlsxLimit adds what a machine can act on.
func xlsxLimit(err *catalog.Error) error { return err.With("formats", []string{"csv", "parquet"}) }

func (e *xlsxEncoder) Write(b *table.Batch) error {
	if e.err == nil {
		e.err = e.write(b)
	}
	return e.err
}

func (e *xlsxEncoder) write(b *table.Batch) error {
	if err := match(e.plain, b); err != nil {
		return err
	}
	for i := range b.Len {
		if e.row == e.limit {
			if err := e.nextSheet(); err != nil {
				return err
			}
		}
		if err := e.appendRow(b, i); err != nil {
			return err
		}
		if !e.begun && e.row > sampleRows {
			if err := e.begin(); err != nil {
				return err
			}
		}
		if len(e.buf) >= chunkBytes && e.begun {
			if err := e.send(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *xlsxEncoder) appendRow(b *table.Batch, i int) error {
	e.row++
	var digits [8]byte
	number := strconv.AppendInt(digits[:0], int64(e.row), 10)
	buf := append(e.buf, `<row r="`...)
	buf = append(buf, number...)
	buf = append(buf, '"', '>')
	placed := false
	for j := range b.Columns {
		placed = placed || b.Columns[j].IsNull(i)
	}
	for j := range e.columns {
		c, v := &e.columns[j], &b.Columns[j]
		if v.Null != nil && v.Null[i] {
			continue
		}
		if c.kind >= kindText {
			if s := v.Text[i]; len(s) > cellUnits && units(s) > cellUnits {
				return e.tooLong(c.name)
			}
		}
		if placed {
			buf = append(buf, c.open...)
			buf = append(buf, number...)
			buf = append(buf, '"')
		} else {
			buf = append(buf, "<c"...)
		}
		before := len(buf)
		buf = c.appendCell(buf, v, i)
		if !e.begun {
			c.measure(v, i, len(buf)-before)
		}
	}
	e.buf = append(buf, "</row>"...)
	return nil
}

func (e *xlsxEncoder) tooLong(column string) error {
	return xlsxLimit(catalog.Errorf(catalog.Unprocessable, "xlsx_limit", "Column %q, sheet row %d: the text is longer than the %d characters an XLSX cell holds. Take CSV or Parquet.", column, e.row, cellUnits).
		InChinese("“%s”列第%d行的文本超过XLSX单元格上限%d个字符。请下载CSV或Parquet格式。", column, e.row, cellUnits))
}

// units counts the UTF-16 code units of s.
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// begin writes what stands before the rows gathered so far: the first sheet.
func (e *xlsxEncoder) begin() error {
	e.begun = true
	for _, p := range firstParts {
		if err := e.zip.whole(p.name, bytes.Clone(p.content)); err != nil { // the archive reuses what it is given
			return err
		}
	}
	rows := e.buf
	e.buf = nil
	if err := e.openSheet(); err != nil {
		return err
	}
	e.buf = append(e.buf, rows...)
	return e.send()
}

// openSheet begins a sheet's part and gathers everything before its data rows.
func (e *xlsxEncoder) openSheet() error {
	e.sheets++
	if err := e.zip.begin(sheetPart(e.sheets)); err != nil {
		return err
	}
	e.buf = append(e.buf, sheetHead...)
	if e.sheets == 1 {
		e.buf = append(e.buf, ` tabSelected="1"`...)
	}
	e.buf = append(e.buf, sheetPane...)
	for i := range e.columns {
		e.buf = fmt.Appendf(e.buf, `<col min="%d" max="%d" width="%d" customWidth="1"/>`, i+1, i+1, min(max(e.columns[i].width, 8), 60)+1)
	}
	e.buf = append(e.buf, `</cols><sheetData><row r="1">`...)
	for i := range e.columns {
		e.buf = append(e.buf, e.columns[i].open...)
		e.buf = fmt.Appendf(e.buf, `1" s="%d" t="inlineStr"><is><t`, e.style.header)
		e.buf = appendXMLText(e.buf, e.columns[i].name)
		e.buf = append(e.buf, "</t></is></c>"...)
	}
	e.buf = append(e.buf, "</row>"...)
	return nil
}

// closeSheet ends the sheet's part.
func (e *xlsxEncoder) closeSheet() error {
	last := e.columns[len(e.columns)-1].open[len(`<c r="`):]
	e.buf = fmt.Appendf(e.buf, `</sheetData><autoFilter ref="A1:%s%d"/></worksheet>`, last, e.row)
	if err := e.send(); err != nil {
		return err
	}
	return e.zip.end()
}

func (e *xlsxEncoder) nextSheet() error {
	if !e.begun {
		if err := e.begin(); err != nil {
			return err
		}
	}
	if err := e.closeSheet(); err != nil {
		return err
	}
	e.row = 1
	return e.openSheet()
}

// send hands the gathered rows to the archive.
func (e *xlsxEncoder) send() error {
	next, err := e.zip.add(e.buf)
	e.buf = next
	return err
}

// Close ends the last sheet and adds the rest of the workbook.
func (e *xlsxEncoder) Close() error {
	if e.err == nil {
		e.err = e.close()
		if e.err == nil {
			e.err = errClosed
			return nil
		}
	}
	return e.err
}

func (e *xlsxEncoder) close() error {
	if !e.begun {
		if err := e.begin(); err != nil {
			return err
		}
	}
	if err := e.closeSheet(); err != nil {
		return err
	}
	parts, err := bookParts(e.meta, e.sheets)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := e.zip.whole(p.name, p.content); err != nil {
			return err
		}
	}
	return e.zip.close()
}

// measure notes how wide a value of the sample is shown; cell is the length of
// its XML.
func (c *sheetColumn) measure(v *table.Vector, i, cell int) {
	switch c.kind {
	case kindBoolean:
		c.width = max(c.width, 6)
	case kindDate, kindTime:
		c.width = max(c.width, 11)
	case kindDatetime:
		c.width = max(c.width, 20)
	case kindText, kindJSON:
		c.width = max(c.width, textWidth(v.Text[i]))
	default:
		c.width = max(c.width, cell-len(c.number)-len("</v></c>"))
	}
}

// textWidth is how many columns of a fixed-width font a text takes, up to 60.
func textWidth(s string) int {
	n := 0
	for _, r := range s {
		if n++; r >= 0x1100 {
			n++
		}
		if n >= 60 || r == utf8.RuneError {
			break
		}
	}
	return n
}
