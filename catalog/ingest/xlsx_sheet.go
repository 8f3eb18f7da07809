package ingest

import (
	"bytes"
	"errors"
	"io"
)

const (
	sheetRows    = 1_048_576
	sheetColumns = 16_384
	maxMerged    = 200_000 // merged cells of a sheet that are heeded
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
	long     bool // a whole number of more digits than a spreadsheet keeps
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
	inData  bool
	scratch []byte
	rich    []byte

	// Seen on the way.
	extent        [2]int   // first and last column of the range the sheet states
	hiddenColumns [][2]int // from, to
	merged        []area   // 1-based; the first maxMerged
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
		if errors.Is(err, io.EOF) {
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
	if errors.Is(err, io.EOF) {
		err = syntaxf("the part ends inside a row")
	}
	err = refusePart(s.part, err)
	var r *Refusal
	if errors.As(err, &r) && r.Finding.Row == 0 {
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
	h, _ := s.tok.attr("hidden")
	w, _ := s.tok.attr("width")
	if (isTrue(h) || string(w) == "0") && len(s.hiddenColumns) < sheetColumns {
		s.hiddenColumns = append(s.hiddenColumns, [2]int{from, to})
	}
	return nil
}

func (s *sheetScanner) merge() error {
	ref, _ := s.tok.attr("ref")
	first, last, _ := bytes.Cut(ref, []byte{':'})
	left, top, ok := cellPlace(first)
	right, bottom := left, top
	if ok && last != nil {
		right, bottom, ok = cellPlace(last)
	}
	if !ok {
		return s.malformed(0, ref, "合并单元格的范围不对", "the range of a merged cell is wrong")
	}
	if len(s.merged) < maxMerged && bottom >= top && right >= left && (bottom > top || right > left) {
		s.merged = append(s.merged, area{top, left, bottom, right})
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
			row.hidden = row.hidden || isTrue(value)
		case "ht":
			row.hidden = row.hidden || string(value) == "0"
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
