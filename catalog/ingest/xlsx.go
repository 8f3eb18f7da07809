package ingest

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	maxTitles    = 10          // rows above a header
	headerLook   = 50          // rows with values that are looked at to find the header
	pendingCells = 100_000     // of rows without values that are kept until one with a value follows
	sparseCells  = 100_000_000 // from this area on, a sheet must hold more than one value in a hundred
)

// xlsxSource reads the worksheets of a workbook: the visible ones in the order of
// their tabs, or the one that was asked for. A table is the area of the sheet
// that holds values: empty rows and columns around it are left out, those within
// stay.
type xlsxSource struct {
	in      Input
	zip     *archive
	book    *workbook
	sheets  []workSheet // still to read
	tables  int
	regions []*region // further tables of the current sheet

	name   string        // of the current sheet
	scan   *sheetScanner // of the current sheet
	facts  sheetFacts
	known  bool       // facts holds for the whole sheet, not only for what was read
	ahead  []aheadRow // rows read while the header, or the next row with a value, was looked for
	row    sheetRow
	names  []string // of the columns, for findings
	number int      // of the next row to give
	ended  bool     // the scanner is at the end
	merged []area   // of the sheet, where known before its rows are given
	held   bool     // s.row waits to be given

	fills       []area    // merged cells of the body that are still to come
	filling     []filling // those that reach into the rows given now
	copied      sheetRow  // a row with what they say in it
	filled      int64     // cells
	firstFilled area

	skipHidden bool // hidden rows are left out
}

// openXLSX opens the workbook at in.Path: weighed first, then its parts, no cell
// yet.
func openXLSX(in Input) (Source, error) {
	in.Report.Format = "xlsx"
	zip, err := openArchive(&in)
	if err != nil {
		return nil, err
	}
	s := &xlsxSource{in: in, zip: zip}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *xlsxSource) open() error {
	book, err := openWorkbook(s.zip)
	if err != nil {
		return err
	}
	s.book = book
	s.tellContent()
	if err := s.choose(); err != nil {
		return err
	}
	book.strings = &sharedStrings{}
	if book.stringsN != "" {
		book.strings, err = loadStrings(s.zip, book.stringsN, s.in.TempDir, s.in.Limits.Cell)
	}
	return err
}

// choose keeps the sheets to read.
func (s *xlsxSource) choose() error {
	want := s.in.Options.Sheet
	var names []string
	for _, sheet := range s.book.sheets {
		names = append(names, sheet.name)
		chosen := want == "" && !sheet.hidden || want != "" && sheet.name == want
		if chosen {
			s.sheets = append(s.sheets, sheet)
		}
		if !chosen && !sheet.hidden {
			f := found("unread_sheet", "", "")
			f.Table, f.Value = sheet.name, sheet.name
			s.in.tellHidden(f)
		}
		if sheet.hidden {
			f := found("hidden_sheet", "", "")
			if chosen {
				f = found("hidden_sheet", "工作表 %q 是隐藏的，已按要求读入。", "The sheet %q is hidden; it was read because it was asked for.", shorten(sheet.name))
			}
			f.Table, f.Value = sheet.name, sheet.name
			s.in.tellHidden(f)
		}
	}
	if want != "" && len(s.sheets) == 0 {
		return refuse("unknown_sheet", "没有工作表 %[1]q；现有 %[2]s。", "There is no sheet %[1]q; there is %[2]s.", want, strings.Join(names, ", ")).at(0, "", want)
	}
	if len(s.sheets) > s.in.Limits.Tables {
		return refuse("too_many_tables", "有 %d 个工作表，最多 %d 个。", "There are %d sheets; at most %d are allowed.", len(s.sheets), s.in.Limits.Tables)
	}
	return nil
}

// Next opens the next sheet that holds values.
func (s *xlsxSource) Next() (*Header, error) {
	if len(s.regions) > 0 {
		s.tables++
		return s.openRegion()
	}
	if err := s.closeSheet(); err != nil {
		return nil, err
	}
	for len(s.sheets) > 0 {
		sheet := s.sheets[0]
		s.sheets = s.sheets[1:]
		header, err := s.openTable(sheet)
		if err != nil {
			var r *Refusal
			if errors.As(err, &r) && r.Finding.Table == "" {
				r.Finding.Table = sheet.name
			}
			return nil, err
		}
		if header != nil {
			s.tables++
			return header, nil
		}
		f := found("empty_sheet", "", "")
		f.Table, f.Value = sheet.name, sheet.name
		s.in.Findings.Add(f)
	}
	if s.tables == 0 {
		return nil, refuse("no_tables", "", "")
	}
	return nil, io.EOF
}

// Read gives the following rows of the sheet.
func (s *xlsxSource) Read(c *Chunk) error {
	size := 0
	for !c.Full(size) {
		row, err := s.peek()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		// Rows that are not there, up to the next one, are rows of nulls.
		for s.number < row.number && !c.Full(size) {
			n, err := s.give(c, s.fillDown(nil))
			if err != nil {
				return err
			}
			size += n
		}
		if c.Full(size) {
			break
		}
		row = s.fillDown(row)
		if row.hidden && s.skipHidden {
			s.number++
			s.drop()
			continue
		}
		n, err := s.give(c, row)
		if err != nil {
			return err
		}
		size += n
		s.drop()
	}
	if c.Len == 0 {
		s.tellFilled()
		return io.EOF
	}
	return nil
}

// peek returns the next row to give and keeps it until drop; io.EOF after the
// last that holds a value.
func (s *xlsxSource) peek() (*sheetRow, error) {
	for len(s.ahead) > 0 && s.ahead[0].number < s.number {
		s.drop()
	}
	if len(s.ahead) == 0 {
		if s.held {
			return &s.row, nil
		}
		if err := s.advance(); err != nil {
			return nil, err
		}
		if len(s.ahead) == 0 {
			return &s.row, nil
		}
	}
	if s.known && s.ahead[0].number > s.facts.lastRow {
		return nil, io.EOF
	}
	return &s.ahead[0].sheetRow, nil
}

// advance reads on to the next row that may be given: it is in s.row, or, behind
// rows without values that only count if it comes, in s.ahead.
func (s *xlsxSource) advance() error {
	cells := 0
	for !s.ended {
		if err := s.scanRow(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if s.row.number < s.number {
			continue
		}
		if s.known {
			if s.row.number > s.facts.lastRow {
				return s.finish()
			}
			s.held = true
			return nil
		}
		if s.facts.take(&s.row) {
			if err := s.checkArea(s.row.number); err != nil {
				return err
			}
			if len(s.ahead) > 0 {
				s.keepRow()
			} else {
				s.held = true
			}
			return nil
		}
		if len(s.row.cells) == 0 {
			continue
		}
		s.keepRow()
		if cells += len(s.row.cells); cells > pendingCells {
			return s.measureRest()
		}
	}
	s.ahead = nil
	return io.EOF
}

// finish reads a measured sheet to its end, so that a damaged one is refused.
func (s *xlsxSource) finish() error {
	s.ahead = nil
	for !s.ended {
		if err := s.scanRow(); err != nil {
			return err
		}
	}
	return io.EOF
}

func (s *xlsxSource) drop() {
	if len(s.ahead) > 0 {
		s.ahead = s.ahead[1:]
		return
	}
	s.held = false
}

// give appends row s.number to the chunk; a nil row is one of nulls. It returns
// how many bytes that took.
func (s *xlsxSource) give(c *Chunk, row *sheetRow) (int, error) {
	next := 0 // column to fill
	size := 8
	if row != nil {
		for i := range row.cells {
			cell := &row.cells[i]
			col := cell.col - s.facts.firstCol
			if col < 0 || col >= len(c.Columns) {
				if cell.blank() {
					continue
				}
				return 0, refuse("malformed_xlsx", "单元格在工作表自己写明的范围之外。", "The cell lies outside the range that the sheet itself states.").
					at(int64(row.number), columnLetters(cell.col), string(row.cellText(cell)))
			}
			for ; next < col; next++ {
				c.Columns[next].AppendNull()
			}
			size += s.giveCell(&c.Columns[col], col, row, cell)
			next++
		}
	}
	for ; next < len(c.Columns); next++ {
		c.Columns[next].AppendNull()
	}
	c.EndRow(int64(s.number))
	s.number++
	return size, nil
}

func (s *xlsxSource) giveCell(k *Column, col int, row *sheetRow, cell *sheetCell) int {
	text := row.cellText(cell)
	switch cell.kind {
	case cellPending:
		s.tell("formula_without_value", row, col, "")
		k.AppendNull()
		return 0
	case cellError:
		s.tell("error_cells", row, col, string(text))
		k.AppendKind(text, Textual)
	case cellText, cellResult:
		k.AppendKind(text, Textual)
	default:
		if cell.odd {
			s.tell("date_out_of_range", row, col, string(text))
		}
		if cell.long {
			s.tell("digits_lost", row, col, string(text))
		}
		k.Append(text)
	}
	return len(text)
}

func (s *xlsxSource) tell(code string, row *sheetRow, col int, value string) {
	f := found(code, "", "")
	f.Row, f.Column, f.Value = int64(row.number), s.names[col], value
	s.in.Findings.Add(f)
}

func (s *xlsxSource) closeSheet() error {
	if s.scan == nil {
		return nil
	}
	scan := s.scan
	s.scan = nil
	if err := scan.close(); err != nil {
		return fmt.Errorf("close sheet: %w", err)
	}
	return nil
}

// Close lets go of the file and the temporary ones.
func (s *xlsxSource) Close() error {
	err := s.closeSheet()
	if s.book != nil {
		err = errors.Join(err, s.book.strings.close())
	}
	return errors.Join(err, s.zip.close())
}
