package ingest

import (
	"bytes"
	"math"
	"strconv"

	"taihu/catalog"
)

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
		if out.kind, err = s.plainCell(row, c, &out); err != nil {
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

// plainCell appends a number, date, boolean or error, and marks in out what is
// odd about it.
func (s *sheetScanner) plainCell(row *sheetRow, c rawCell, out *sheetCell) (cellKind, error) {
	switch c.kind {
	case "b":
		switch string(s.scratch) {
		case "1", "true":
			row.text = append(row.text, "true"...)
		case "0", "false":
			row.text = append(row.text, "false"...)
		default:
			return 0, s.malformed(c.col, s.scratch, "布尔值 %q 不对", "the boolean %q is wrong", shorten(string(s.scratch)))
		}
		return cellValue, nil
	case "e":
		row.text = append(row.text, s.scratch...)
		return cellError, nil
	case "d":
		row.text = append(row.text, s.scratch...)
		return cellValue, nil
	case "", "n":
	default:
		return 0, s.malformed(c.col, nil, "未知的单元格类型", "an unknown cell type")
	}
	form := showsNumber
	if c.style < len(s.book.forms) {
		form = s.book.forms[c.style]
	}
	if form == showsNumber && shortestNumber(s.scratch) {
		row.text = append(row.text, s.scratch...)
		return cellValue, nil
	}
	f, ok := parseNumber(s.scratch)
	if !ok {
		return 0, s.malformed(c.col, s.scratch, "数值 %q 不对", "the number %q is wrong", shorten(string(s.scratch)))
	}
	if form != showsNumber {
		if row.text, ok = appendSerial(row.text, f, form, s.book.date1904); ok {
			return cellValue, nil
		}
		out.odd = true
	}
	out.long = !out.odd && math.Abs(f) >= 1e15 && math.Abs(f) < 1e20 && f == math.Trunc(f) // as long as identifiers are
	row.text = catalog.AppendNumber(row.text, f)
	return cellValue, nil
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
