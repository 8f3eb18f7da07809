package ingest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"taihu/catalog"
)

// sheetFacts is where values stand in a sheet.
type sheetFacts struct {
	firstRow, lastRow int
	firstCol, lastCol int
	cells             int64
	hiddenRows        int
}

// take counts a row and reports whether it holds a value.
func (f *sheetFacts) take(row *sheetRow) bool {
	first, last := 0, 0
	for i := range row.cells {
		if c := &row.cells[i]; !c.blank() {
			if first == 0 {
				first = c.col
			}
			last = c.col
			f.cells++
		}
	}
	if last == 0 {
		return false
	}
	if f.firstRow == 0 {
		f.firstRow, f.firstCol = row.number, first
	}
	f.lastRow, f.firstCol, f.lastCol = row.number, min(f.firstCol, first), max(f.lastCol, last)
	if row.hidden {
		f.hiddenRows++
	}
	return true
}

// aheadRow is a copy of a row.
type aheadRow struct{ sheetRow }

// openTable opens a sheet and finds its header; nil where it holds nothing.
//
// How wide the table is must be known before its first row is given. That is
// plain where the rows looked at for the header fill just what the sheet states
// as its range; otherwise the sheet is passed over once more. So it is where it
// has merged cells, of which it speaks behind its rows.
func (s *xlsxSource) openTable(sheet workSheet) (*Header, error) {
	var err error
	if s.scan, err = openSheet(s.book, sheet.part, s.in.Limits.Cell); err != nil {
		return nil, err
	}
	s.name, s.facts, s.known, s.ended, s.ahead, s.held, s.merged, s.names = sheet.name, sheetFacts{}, false, false, nil, false, nil, nil
	s.skipHidden = decided(s.in.Options.Settled, "hidden_rows", sheet.name, "") == catalog.Drop
	if err := s.lookAhead(); err != nil {
		return nil, err
	}
	if !s.ended && (s.zip.merging[strings.ToLower(strings.TrimPrefix(sheet.part, "/"))] || s.scan.extent != [2]int{s.facts.firstCol, s.facts.lastCol}) {
		if err := s.measure(); err != nil {
			return nil, err
		}
	}
	if s.ended || s.known {
		s.known = true
		if s.facts.cells == 0 {
			return nil, nil
		}
	}
	if width := s.facts.lastCol - s.facts.firstCol + 1; width > s.in.Limits.Columns {
		return nil, refuse("too_many_columns", "有 %d 列，最多 %d 列。", "There are %d columns; at most %d are allowed.", width, s.in.Limits.Columns)
	}
	if s.ended && s.in.Options.HeaderRow == 0 {
		if s.regions = s.divide(); s.regions != nil {
			return s.openRegion()
		}
	}
	if s.known {
		if err := s.checkArea(s.facts.lastRow); err != nil {
			return nil, err
		}
	}
	return s.header()
}

// lookAhead reads the rows among which the header is looked for, from a stated
// one on; the last above it are kept for their words. A small sheet is read whole.
func (s *xlsxSource) lookAhead() error {
	stated := s.in.Options.HeaderRow
	for filled, size := 0, 0; filled < headerLook || filled < smallRows && s.facts.cells < smallCells && size < smallText; {
		err := s.scanRow()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		full := s.facts.take(&s.row)
		if full && s.row.number >= stated {
			filled++
		}
		if full || len(s.row.cells) > 0 {
			s.keepRow()
			size += len(s.row.text)
		}
		if n := len(s.ahead); n > maxTitles && s.row.number < stated {
			s.ahead = s.ahead[n-maxTitles:]
		}
	}
	return nil
}

// scanRow reads the next row of the part into s.row; io.EOF sets ended.
func (s *xlsxSource) scanRow() error {
	err := s.scan.next(&s.row)
	if errors.Is(err, io.EOF) {
		s.ended = true
		if !s.known {
			s.known = true
			if s.tellSheet(s.scan); s.names == nil {
				s.merged = s.scan.merged
			} else { // known too late to heed them
				s.tellLeft(s.scan.merged)
			}
		}
	}
	return err
}

// keepRow copies s.row to the rows read ahead.
func (s *xlsxSource) keepRow() {
	s.ahead = append(s.ahead, aheadRow{sheetRow{number: s.row.number, hidden: s.row.hidden, cells: slices.Clone(s.row.cells), text: slices.Clone(s.row.text)}})
}

// measure passes over the whole sheet to learn where values stand.
func (s *xlsxSource) measure() error {
	scan, err := openSheet(s.book, s.scan.part, s.in.Limits.Cell)
	if err != nil {
		return err
	}
	scan.measure = true
	var row sheetRow
	s.facts = sheetFacts{}
	for err = scan.next(&row); err == nil; err = scan.next(&row) {
		s.facts.take(&row)
	}
	if !errors.Is(err, io.EOF) {
		return errors.Join(err, scan.close())
	}
	if err := scan.close(); err != nil {
		return fmt.Errorf("close sheet: %w", err)
	}
	s.known, s.merged = true, scan.merged
	s.tellSheet(scan)
	return nil
}

// checkArea refuses a table up to that row that is too large, or so sparse that
// a few cells would make millions of nulls.
func (s *xlsxSource) checkArea(lastRow int) error {
	area := int64(lastRow-s.facts.firstRow+1) * int64(s.facts.lastCol-s.facts.firstCol+1)
	if area <= s.in.Limits.Cells && (area <= sparseCells || s.facts.cells*100 >= area) {
		return nil
	}
	return refuse("too_many_cells", "工作表的范围有 %d 个单元格，其中只有 %d 个有值。", "The sheet spans %d cells, of which %d hold a value.", area, s.facts.cells).
		at(int64(lastRow), columnLetters(s.facts.lastCol), "")
}

// tellSheet reports what is hidden in the area of the table.
func (s *xlsxSource) tellSheet(scan *sheetScanner) {
	if n := len(s.hiddenColumns(scan)); n > 0 {
		f := found("hidden_columns", "有 %d 列是隐藏的，已作为数据读入。", "%d columns are hidden; they were read as data.", n)
		f.Table, f.Count = s.name, int64(n)
		s.in.tellHidden(f)
	}
	if n := s.facts.hiddenRows; n > 0 {
		f := found("hidden_rows", "有 %d 行是隐藏的，已作为数据读入。", "%d rows are hidden; they were read as data.", n)
		f.Table, f.Count = s.name, int64(n)
		s.in.tellHidden(f)
	}
}

// hiddenColumns are the hidden columns in the area of the table, counted from 0.
func (s *xlsxSource) hiddenColumns(scan *sheetScanner) []int {
	var list []int
	for _, c := range scan.hiddenColumns {
		for col := max(c[0], s.facts.firstCol); col <= min(c[1], s.facts.lastCol); col++ {
			list = append(list, col-s.facts.firstCol)
		}
	}
	return list
}

// header finds the header among the rows read ahead and leaves the rows after it
// to Read.
func (s *xlsxSource) header() (*Header, error) {
	stated := s.in.Options.HeaderRow
	if s.known && stated > s.facts.lastRow {
		return nil, refuse("header_row_missing", "指定的表头是第 %d 行，但数据只到第 %d 行。", "Row %d was stated as the header, but the sheet ends at row %d.", stated, s.facts.lastRow).at(int64(stated), "", "")
	}
	h := &Header{Sheet: s.name, Columns: make([]string, s.facts.lastCol-s.facts.firstCol+1)}
	switch {
	case stated > 0:
		at := slices.IndexFunc(s.ahead, func(r aheadRow) bool { return r.number >= stated })
		if at < 0 {
			at = len(s.ahead)
		}
		s.above(h, s.ahead[:at])
		h.Row = int64(stated)
		h.Why = catalog.Text{Zh: "表头行由用户指定", En: "the header row was stated"}
	case stated < 0:
		s.number = s.facts.firstRow
		h.Why = catalog.Text{Zh: "用户指明没有表头", En: "it was stated that there is no header"}
	default:
		s.findHeader(h)
	}
	if h.Row > 0 {
		if err := s.nameHeader(h); err != nil {
			return nil, err
		}
	}
	s.planMerged()
	if decided(s.in.Options.Settled, "hidden_columns", s.name, "") == catalog.Drop {
		h.LeftOut = s.hiddenColumns(s.scan)
	}
	s.names = slices.Clone(h.Columns)
	for i, n := range s.names {
		if n == "" {
			s.names[i] = columnLetters(s.facts.firstCol + i)
		}
	}
	return h, nil
}

// headFrom is the rows of the sheet from one on, as the shape of a header is
// looked for in them.
func (s *xlsxSource) headFrom(number int) *head {
	h := &head{rows: make([][]headCell, statedHeaderRows+shapeRows)}
	width := s.facts.lastCol - s.facts.firstCol + 1
	for i := range h.rows {
		h.rows[i] = make([]headCell, width)
	}
	last := 0
	for i := range s.ahead {
		row := &s.ahead[i].sheetRow
		at := row.number - number
		if at < 0 || at >= len(h.rows) {
			continue
		}
		last = at
		for j := range row.cells {
			c := &row.cells[j]
			if col := c.col - s.facts.firstCol; col >= 0 && col < width {
				text := row.cellText(c)
				class, _ := classify(text)
				h.rows[at][col] = headCell{string(text), c.kind == cellValue || class != classText && class != classNullWord}
			}
		}
	}
	h.rows = h.rows[:last+1]
	for _, a := range s.merged {
		if a.bottom >= number && a.top < number+len(h.rows) {
			h.merge(area{a.top - number, a.left - s.facts.firstCol, a.bottom - number, a.right - s.facts.firstCol})
		}
	}
	return h
}

// nameHeader names the columns by the rows of the header, the first of which is
// h.Row.
func (s *xlsxSource) nameHeader(h *Header) error {
	first := s.headFrom(int(h.Row))
	h.Depth = first.depth()
	if n := s.in.Options.HeaderRows; n > 0 {
		if h.Depth = n; n > len(first.rows) {
			return refuse("header_row_missing", "指定表头占 %d 行，但从第 %d 行起没有这么多行。", "The header was stated to take %d rows, but there are not so many from row %d on.", n, h.Row).at(h.Row, "", "")
		}
	}
	h.Columns = first.names(h.Depth)
	s.number = int(h.Row) + h.Depth
	if h.Depth > 1 {
		last := int64(s.number - 1)
		h.Why = whyHeader(h.Row, last)
		tellHeader(s.in.Findings, s.name, h.Row, last, h)
	}
	return nil
}

// above takes the words of the rows above a header.
func (s *xlsxSource) above(h *Header, rows []aheadRow) {
	var said above
	for i := range rows {
		if cells := rowTexts(&rows[i].sheetRow); len(cells) > 0 {
			said.add(cells)
		}
	}
	h.Title, h.Unit = said.title, said.unit
}

// filledCells counts the cells of a row that are not blank.
func filledCells(r *sheetRow) int {
	n := 0
	for i := range r.cells {
		if !r.cells[i].blank() {
			n++
		}
	}
	return n
}

// spread tells how many cells of a row hold something, and how many columns they
// take with what is merged into them.
func (s *xlsxSource) spread(r *sheetRow) (cells, columns int) {
	cells = filledCells(r)
	columns = cells
	if cells < 2 {
		return cells, columns
	}
	for _, a := range s.merged {
		if a.top <= r.number && r.number <= a.bottom && a.right > a.left {
			for i := range r.cells {
				if c := &r.cells[i]; c.col == a.left && a.top == r.number && !c.blank() {
					columns += min(a.right, s.facts.lastCol) - a.left
				}
			}
		}
	}
	return cells, columns
}

// findHeader decides which of the rows read ahead is the header: the first that
// fills more than half of what the fullest of them fills, or names what the next
// divides. Rows above it, up to ten, are titles; where there are more, the first
// row is the header. Where no cell of it is text, the sheet has no header, and
// h.Row stays 0.
func (s *xlsxSource) findHeader(h *Header) {
	rows := s.ahead
	for n, i := 0, 0; i < len(rows); i++ { // of a long look ahead, the first rows decide
		if filledCells(&rows[i].sheetRow) > 0 {
			if n++; n == headerLook {
				rows = rows[:i+1]
			}
		}
	}
	widest := 0
	for i := range rows {
		widest = max(widest, filledCells(&rows[i].sheetRow))
	}
	at := 0
	titles, first := 0, -1
	for ; at < len(rows)-1; at++ {
		row := &rows[at].sheetRow
		cells, columns := s.spread(row)
		_, unit := unitLine(rowTexts(row))
		if 2*columns > widest && !(unit && cells < widest) {
			break
		}
		if cells > 1 && !unit && s.headFrom(row.number).depth() > 1 {
			break
		}
		if cells > 0 {
			titles++
			if first < 0 {
				first = at
			}
		}
	}
	if titles > maxTitles { // rather a text than a table with a title
		at = first
	}
	s.above(h, rows[:at])
	for i := range rows[:at] {
		title := &rows[i].sheetRow
		if filledCells(title) == 0 {
			continue
		}
		f := found("title_lines", "", "")
		f.Table, f.Row, f.Value = s.name, int64(title.number), rowText(title)
		s.in.Findings.Add(f)
	}
	row := &rows[at].sheetRow
	if !slices.ContainsFunc(row.cells, func(c sheetCell) bool {
		return (c.kind == cellText || c.kind == cellResult) && c.to > c.from
	}) {
		s.number = row.number
		f := found("no_header", "", "")
		f.Table, f.Row, f.Value = s.name, int64(row.number), rowText(row)
		s.in.Findings.Add(f)
		h.Why = catalog.Text{Zh: fmt.Sprintf("第 %d 行没有文字单元格，看作数据", row.number),
			En: fmt.Sprintf("row %d has no text cell and was taken as data", row.number)}
		return
	}
	h.Row = int64(row.number)
	h.Why = catalog.Text{Zh: fmt.Sprintf("第 %d 行是第一个填满半数以上列的行", row.number),
		En: fmt.Sprintf("row %d is the first that fills more than half of the columns", row.number)}
}

// rowTexts lists the cells of a row that hold something.
func rowTexts(r *sheetRow) []string {
	var parts []string
	for i := range r.cells {
		if t := strings.TrimSpace(string(r.cellText(&r.cells[i]))); t != "" {
			parts = append(parts, t)
		}
	}
	return parts
}

// rowText joins the cells of a row for a report.
func rowText(r *sheetRow) string { return strings.Join(rowTexts(r), " | ") }

// measureRest measures a sheet of which rows have been given already.
func (s *xlsxSource) measureRest() error {
	before := s.facts
	if err := s.measure(); err != nil {
		return err
	}
	if s.facts.firstCol != before.firstCol || s.facts.lastCol != before.lastCol {
		return refuse("malformed_xlsx", "工作表的单元格超出它自己写明的范围。", "Cells lie outside the range that the sheet itself states.").at(int64(s.row.number), "", "")
	}
	return nil
}
