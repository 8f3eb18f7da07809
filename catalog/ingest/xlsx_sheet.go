package ingest

import (
	"bytes"
	"io"
	"math"
	"strconv"

	"taihu/catalog"
)

const (
	sheetRows    = 1_048_576
	sheetColumns = 16_384
)

// cellKind says what a cell of a sheet holds.
type cellKind uint8

const (
	cellValue   cellKind = iota // a number, a date or time, a boolean
	cellText                    // text written into the cell
	cellResult                  // text a formula gave
	cellError                   // #N/A and the like
	cellPending                 // a formula without a cached value
)

// sheetCell is a cell that holds something.
type sheetCell struct {
	col      int // 1-based
	kind     cellKind
	odd      bool // formatted as a date or time but not one
	from, to int  // its text in sheetRow.text
}

// sheetRow is one row with the cells that hold something, in order.
type sheetRow struct {
	number int // 1-based
	hidden bool
	cells  []sheetCell
	text   []byte
}

// cellText returns the text of a cell.
func (r *sheetRow) cellText(c *sheetCell) []byte { return r.text[c.from:c.to] }

// blank reports whether a cell counts as empty when the end of a table is looked
// for: formulas filled down below the data give "" there.
func (c *sheetCell) blank() bool {
	return c.kind == cellPending || c.kind == cellResult && c.from == c.to
}

// sheetScanner reads a worksheet part row by row in bounded memory. Values come
// as the text Taihu keeps: dates as ISO, numbers as the shortest digits that read
// back, booleans as true and false.
type sheetScanner struct {
	tok     *xmlTokens
	close   func() error
	book    *workbook
	part    string
	maxCell int
	// measure leaves the texts out: only where cells stand is told.
	measure bool

	row     int // number of the last row
	inRow   bool
	inData  bool
	scratch []byte
	rich    []byte

	// Seen on the way.
	extent        [2]int   // first and last column of the range the sheet states
	hiddenColumns [][2]int // from, to
	merged        int
	firstMerged   string
}

func openSheet(b *workbook, part string, maxCell int) (*sheetScanner, error) {
	r, err := b.zip.open(part)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, refuse("malformed_xlsx", "缺少 %q", "%q is missing", shorten(part))
	}
	return &sheetScanner{tok: newXMLTokens(r), close: r.Close, book: b, part: part, maxCell: maxCell}, nil
}

// malformed refuses the sheet at a place.
func (s *sheetScanner) malformed(col int, value []byte, zh, en string, args ...any) error {
	place := ""
	if col > 0 {
		place = columnLetters(col)
	}
	return refuse("malformed_xlsx", zh, en, args...).at(int64(s.row), place, string(value))
}

// next reads the next row that has a <row> element; io.EOF after the last, when
// the part has been read to its end.
func (s *sheetScanner) next(row *sheetRow) error {
	for {
		kind, err := s.tok.next()
		if err == io.EOF {
			return io.EOF
		}
		if err != nil {
			return s.refuse(err)
		}
		if kind != startTag {
			if kind == endTag && string(s.tok.name) == "sheetData" {
				s.inData = false
			}
			continue
		}
		switch string(s.tok.name) {
		case "row":
			if s.inData {
				return s.readRow(row)
			}
		case "sheetData":
			s.inData = true
		case "worksheet":
		case "dimension":
			s.dimension()
		case "cols", "mergeCells":
		case "col":
			if err := s.column(); err != nil {
				return err
			}
		case "mergeCell":
			if err := s.merge(); err != nil {
				return err
			}
		default:
			if s.tok.depth() == 1 {
				return s.malformed(0, s.tok.name, "这不是工作表", "this is no worksheet")
			}
			if err := s.tok.skip(); err != nil {
				return s.refuse(err)
			}
		}
	}
}

// refuse places an error of the tokenizer.
func (s *sheetScanner) refuse(err error) error {
	if err == io.EOF {
		err = syntaxf("the part ends inside a row")
	}
	err = refusePart(s.part, err)
	if r, ok := err.(*Refusal); ok && r.Finding.Row == 0 {
		r.Finding.Row = int64(s.row)
	}
	return err
}

// dimension takes the range the sheet states; it is only a hint.
func (s *sheetScanner) dimension() {
	ref, _ := s.tok.attr("ref")
	first, last, ok := bytes.Cut(ref, []byte{':'})
	if !ok {
		last = first
	}
	from, _, ok1 := cellPlace(first)
	to, _, ok2 := cellPlace(last)
	if ok1 && ok2 {
		s.extent = [2]int{from, to}
	}
}

func (s *sheetScanner) column() error {
	from, ok1 := attrInt(s.tok, "min")
	to, ok2 := attrInt(s.tok, "max")
	if !ok1 || !ok2 || from < 1 || to < from || to > sheetColumns {
		return s.malformed(0, s.tok.attrs, "列定义超出范围", "a column definition is out of range")
	}
	if h, _ := s.tok.attr("hidden"); isTrue(h) && len(s.hiddenColumns) < sheetColumns {
		s.hiddenColumns = append(s.hiddenColumns, [2]int{from, to})
	}
	return nil
}

func (s *sheetScanner) merge() error {
	ref, _ := s.tok.attr("ref")
	first, last, _ := bytes.Cut(ref, []byte{':'})
	_, _, ok := cellPlace(first)
	if ok && last != nil {
		_, _, ok = cellPlace(last)
	}
	if !ok {
		return s.malformed(0, ref, "合并单元格的范围不对", "the range of a merged cell is wrong")
	}
	if s.merged++; s.merged == 1 {
		s.firstMerged = string(ref)
	}
	return nil
}

func attrInt(t *xmlTokens, name string) (int, bool) {
	v, ok := t.attr(name)
	if !ok {
		return 0, false
	}
	return smallInt(v)
}

// smallInt reads an unsigned whole number of at most nine digits.
func smallInt(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func isTrue(b []byte) bool { return string(b) == "1" || string(b) == "true" }

// readRow reads the row whose start tag was just read.
func (s *sheetScanner) readRow(row *sheetRow) error {
	number, given := s.row+1, false
	row.hidden = false
	for rest := s.tok.attrs; ; {
		key, value, ok := nextAttr(&rest)
		if !ok {
			break
		}
		switch string(key) {
		case "r":
			n, ok := smallInt(value)
			if !ok || n < 1 || n > sheetRows {
				return s.malformed(0, value, "行号 %q 超出范围", "the row number %q is out of range", shorten(string(value)))
			}
			number, given = n, true
		case "hidden":
			row.hidden = isTrue(value)
		}
	}
	if number <= s.row {
		return s.malformed(0, nil, "第 %d 行排在第 %d 行之后", "row %d stands after row %d", number, s.row)
	}
	if !given && number > sheetRows {
		return s.malformed(0, nil, "超过 %d 行", "more than %d rows", sheetRows)
	}
	s.row = number
	row.number, row.cells, row.text = number, row.cells[:0], row.text[:0]
	last := 0
	for {
		kind, err := s.tok.next()
		if err != nil {
			return s.refuse(err)
		}
		switch kind {
		case endTag:
			return nil
		case startTag:
			if string(s.tok.name) != "c" {
				if err := s.tok.skip(); err != nil {
					return s.refuse(err)
				}
				continue
			}
			if last, err = s.readCell(row, last); err != nil {
				return err
			}
		}
	}
}

// rawCell is a <c> element before its value is understood.
type rawCell struct {
	col     int
	style   int
	kind    string // the t attribute
	formula bool
	value   bool // has <v> or <is>
}

// readCell reads the cell whose start tag was just read, which must stand right
// of column last, and adds it to row where it holds something.
func (s *sheetScanner) readCell(row *sheetRow, last int) (int, error) {
	c, err := s.cellHead(last)
	if err != nil {
		return 0, err
	}
	s.scratch = s.scratch[:0]
	if text, ok := s.tok.simple("<v>", "</v></c>"); ok {
		if len(text) > s.maxCell {
			return 0, s.tooLong(c.col)
		}
		c.value = true
		if s.scratch, err = appendText(s.scratch, text, true); err != nil {
			return 0, s.refuse(err)
		}
		return c.col, s.addCell(row, c)
	}
	if text, ok := s.tok.simple("<is><t>", "</t></is></c>"); ok {
		if len(text) > s.maxCell {
			return 0, s.tooLong(c.col)
		}
		c.value = true
		if s.rich, err = appendText(s.rich[:0], text, true); err != nil {
			return 0, s.refuse(err)
		}
		s.scratch = appendUnescaped(s.scratch, s.rich)
		return c.col, s.addCell(row, c)
	}
	inValue := false
	for depth := s.tok.depth(); ; {
		kind, err := s.tok.next()
		if err != nil {
			return 0, s.refuse(err)
		}
		switch kind {
		case startTag:
			switch string(s.tok.name) {
			case "v":
				inValue, c.value = true, true
				s.scratch = s.scratch[:0]
			case "is":
				c.value = true
				if s.scratch, s.rich, err = richText(s.tok, s.scratch[:0], s.rich, s.maxCell); err != nil {
					return 0, s.refuse(err)
				}
			default:
				c.formula = c.formula || string(s.tok.name) == "f"
				if err := s.tok.skip(); err != nil {
					return 0, s.refuse(err)
				}
			}
		case endTag:
			inValue = false
			if s.tok.depth() < depth {
				return c.col, s.addCell(row, c)
			}
		case charData:
			if !inValue {
				continue
			}
			if s.scratch, err = appendText(s.scratch, s.tok.text, s.tok.raw); err != nil {
				return 0, s.refuse(err)
			}
			if len(s.scratch) > s.maxCell {
				return 0, s.tooLong(c.col)
			}
		}
	}
}

func (s *sheetScanner) tooLong(col int) error {
	return refuse("cell_too_long", "单元格超过 %d 字节。", "A cell of more than %d bytes.", s.maxCell).at(int64(s.row), columnLetters(col), "")
}

// cellHead reads the attributes of a cell.
func (s *sheetScanner) cellHead(last int) (rawCell, error) {
	c := rawCell{col: last + 1}
	for rest := s.tok.attrs; ; {
		key, value, ok := nextAttr(&rest)
		if !ok {
			break
		}
		switch string(key) {
		case "r":
			col, row, ok := cellPlace(value)
			if !ok || row != s.row {
				return c, s.malformed(0, value, "单元格位置 %q 不对", "the cell reference %q is wrong", shorten(string(value)))
			}
			c.col = col
		case "s":
			if c.style, ok = smallInt(value); !ok {
				return c, s.malformed(c.col, value, "单元格样式 %q 不对", "the cell style %q is wrong", shorten(string(value)))
			}
		case "t":
			c.kind = knownCellType(value)
		}
	}
	switch {
	case c.col <= last:
		return c, s.malformed(c.col, nil, "单元格次序不对：%s 列排在 %s 列之后", "cells out of order: column %s stands after column %s", columnLetters(c.col), columnLetters(last))
	case c.col > sheetColumns:
		return c, s.malformed(0, nil, "一行超过 %d 个单元格", "a row of more than %d cells", sheetColumns)
	case c.style >= len(s.book.forms) && len(s.book.forms) > 0:
		return c, s.malformed(c.col, nil, "单元格样式 %d 不存在", "there is no cell style %d", c.style)
	}
	return c, nil
}

// knownCellType returns the t attribute without allocating.
func knownCellType(b []byte) string {
	switch string(b) {
	case "n":
		return "n"
	case "s":
		return "s"
	case "str":
		return "str"
	case "inlineStr":
		return "inlineStr"
	case "b":
		return "b"
	case "e":
		return "e"
	case "d":
		return "d"
	}
	return "?"
}

// addCell understands the value in s.scratch and adds the cell to row.
func (s *sheetScanner) addCell(row *sheetRow, c rawCell) error {
	out := sheetCell{col: c.col, from: len(row.text)}
	if !c.value {
		if c.formula {
			out.kind, out.to = cellPending, out.from
			row.cells = append(row.cells, out)
		}
		return nil
	}
	var err error
	switch c.kind {
	case "inlineStr":
		out.kind = cellText
		row.text = append(row.text, s.scratch...) // decoded by richText
	case "str":
		out.kind = cellResult
		if !c.formula {
			out.kind = cellText
		}
		row.text = appendUnescaped(row.text, s.scratch)
	case "s":
		if len(s.scratch) == 0 {
			return nil
		}
		out.kind = cellText
		if s.measure {
			break
		}
		if err = s.sharedCell(row, c.col); err != nil {
			return err
		}
	default:
		s.scratch = bytes.TrimSpace(s.scratch)
		if len(s.scratch) == 0 {
			return nil
		}
		if s.measure {
			break
		}
		if out.kind, out.odd, err = s.plainCell(row, c); err != nil {
			return err
		}
	}
	out.to = len(row.text)
	row.cells = append(row.cells, out)
	return nil
}

func (s *sheetScanner) sharedCell(row *sheetRow, col int) error {
	n, ok := smallInt(bytes.TrimSpace(s.scratch))
	if !ok {
		return s.malformed(col, s.scratch, "共享字符串编号 %q 不对", "the shared string index %q is wrong", shorten(string(s.scratch)))
	}
	text, ok, err := s.book.strings.get(n)
	if err != nil {
		return err
	}
	if !ok {
		return s.malformed(col, s.scratch, "共享字符串 %d 不存在（共 %d 个）", "there is no shared string %d (of %d)", n, len(s.book.strings.ends))
	}
	row.text = append(row.text, text...)
	return nil
}

// plainCell appends a number, date, boolean or error.
func (s *sheetScanner) plainCell(row *sheetRow, c rawCell) (kind cellKind, odd bool, err error) {
	switch c.kind {
	case "b":
		switch string(s.scratch) {
		case "1", "true":
			row.text = append(row.text, "true"...)
		case "0", "false":
			row.text = append(row.text, "false"...)
		default:
			return 0, false, s.malformed(c.col, s.scratch, "布尔值 %q 不对", "the boolean %q is wrong", shorten(string(s.scratch)))
		}
		return cellValue, false, nil
	case "e":
		row.text = append(row.text, s.scratch...)
		return cellError, false, nil
	case "d":
		row.text = append(row.text, s.scratch...)
		return cellValue, false, nil
	case "", "n":
	default:
		return 0, false, s.malformed(c.col, nil, "未知的单元格类型", "an unknown cell type")
	}
	form := showsNumber
	if c.style < len(s.book.forms) {
		form = s.book.forms[c.style]
	}
	if form == showsNumber && shortestNumber(s.scratch) {
		row.text = append(row.text, s.scratch...)
		return cellValue, false, nil
	}
	f, ok := parseNumber(s.scratch)
	if !ok {
		return 0, false, s.malformed(c.col, s.scratch, "数值 %q 不对", "the number %q is wrong", shorten(string(s.scratch)))
	}
	if form != showsNumber {
		if row.text, ok = appendSerial(row.text, f, form, s.book.date1904); ok {
			return cellValue, false, nil
		}
		odd = true
	}
	row.text = catalog.AppendNumber(row.text, f)
	return cellValue, odd, nil
}

// shortestNumber reports whether b is already the shortest text of its double:
// plain digits, at most 15 of them, no zeros to spare.
func shortestNumber(b []byte) bool {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 16 {
		return false
	}
	if string(b) == "0" {
		return !negative
	}
	digits, point := 0, -1
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && point < 0 && i > 0:
			point = i
		default:
			return false
		}
	}
	switch {
	case digits > 15 || b[0] == '0' && point != 1:
		return false
	case point < 0:
		return true
	case b[len(b)-1] == '0' || b[len(b)-1] == '.':
		return false
	case b[0] != '0':
		return true
	}
	for _, c := range b[2:min(len(b), 8)] { // below 0.000001 the exponent is shorter
		if c != '0' {
			return true
		}
	}
	return false
}

// parseNumber reads a decimal number as the double it stands for; words, signs of
// other bases and numbers too large for a double are none.
func parseNumber(b []byte) (float64, bool) {
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, false
	}
	if f == 0 {
		f = 0 // a sheet shows -0 as 0
	}
	return f, true
}

// cellPlace reads a reference such as AB12 (or $AB$12).
func cellPlace(ref []byte) (col, row int, ok bool) {
	i := 0
	for i < len(ref) && i < 5 {
		c := ref[i]
		if c == '$' {
			i++
			continue
		}
		c |= 0x20
		if c < 'a' || c > 'z' {
			break
		}
		col = col*26 + int(c-'a') + 1
		i++
	}
	if i < len(ref) && ref[i] == '$' {
		i++
	}
	row, ok = smallInt(ref[i:])
	return col, row, ok && col >= 1 && col <= sheetColumns && row >= 1 && row <= sheetRows
}

// columnLetters is the name of a column of a sheet: 1 is A, 28 is AB.
func columnLetters(col int) string {
	var b []byte
	for ; col > 0; col = (col - 1) / 26 {
		b = append([]byte{byte('A' + (col-1)%26)}, b...)
	}
	return string(b)
}
