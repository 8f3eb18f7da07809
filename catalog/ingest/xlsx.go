package ingest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"taihu/catalog"
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
	in     Input
	zip    *archive
	book   *workbook
	sheets []workSheet // still to read
	tables int

	name   string        // of the current sheet
	scan   *sheetScanner // of the current sheet
	facts  sheetFacts
	known  bool       // facts holds for the whole sheet, not only for what was read
	ahead  []aheadRow // rows read while the header, or the next row with a value, was looked for
	row    sheetRow
	names  []string // of the columns, for findings
	number int      // of the next row to give
	ended  bool     // the scanner is at the end
	held   bool     // s.row waits to be given
}

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
		if sheet.hidden {
			f := found("hidden_sheet", "", "")
			if chosen {
				f = found("hidden_sheet", "工作表 %q 是隐藏的，已按要求读入。", "The sheet %q is hidden; it was read because it was asked for.", shorten(sheet.name))
			}
			f.Table, f.Value = sheet.name, sheet.name
			s.in.Findings.Add(f)
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

// tellContent reports what a workbook carries besides cells.
func (s *xlsxSource) tellContent() {
	kinds := []struct{ part, zh, en string }{
		{"xl/vbaproject.bin", "宏", "macros"}, {"xl/externallinks/", "外部链接", "links to other files"}, {"xl/comments", "批注", "comments"},
		{"xl/threadedcomments/", "批注", "comments"}, {"xl/pivotcache/", "数据透视表缓存", "pivot caches"}, {"xl/embeddings/", "嵌入的文件", "embedded files"},
		{"xl/connections.xml", "数据连接", "data connections"}, {"customxml/", "自定义 XML", "custom XML"},
	}
	var zh, en []string
	for _, k := range kinds {
		for name := range s.zip.parts {
			if strings.HasPrefix(name, k.part) && !slices.Contains(en, k.en) {
				zh, en = append(zh, k.zh), append(en, k.en)
			}
		}
	}
	if len(s.zip.nested) > 0 && !slices.Contains(en, "embedded files") {
		zh, en = append(zh, "嵌入的文件"), append(en, "embedded files")
	}
	if len(en) > 0 {
		f := found("hidden_content", "", "")
		f.Message = catalog.Text{Zh: "文件带有" + strings.Join(zh, "、") + "：未读入，但仍在原始文件中。",
			En: "The file carries " + strings.Join(en, ", ") + ": not read, but in the original file."}
		s.in.Findings.Add(f)
	}
}

// Next opens the next sheet that holds values.
func (s *xlsxSource) Next() (*Header, error) {
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

// openTable opens a sheet and finds its header; nil where it holds nothing.
//
// How wide the table is must be known before its first row is given. That is
// plain where the rows looked at for the header fill just what the sheet states
// as its range; otherwise the sheet is passed over once more.
func (s *xlsxSource) openTable(sheet workSheet) (*Header, error) {
	var err error
	if s.scan, err = openSheet(s.book, sheet.part, s.in.Limits.Cell); err != nil {
		return nil, err
	}
	s.name, s.facts, s.known, s.ended, s.ahead, s.held = sheet.name, sheetFacts{}, false, false, nil, false
	if err := s.lookAhead(); err != nil {
		return nil, err
	}
	if !s.ended && s.scan.extent != [2]int{s.facts.firstCol, s.facts.lastCol} {
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
	if s.known {
		if err := s.checkArea(s.facts.lastRow); err != nil {
			return nil, err
		}
	}
	return s.header()
}

// lookAhead reads the rows among which the header is looked for. Rows before a
// stated header are counted only.
func (s *xlsxSource) lookAhead() error {
	stated := s.in.Options.HeaderRow
	for filled := 0; filled < headerLook; {
		err := s.scanRow()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		full := s.facts.take(&s.row)
		if s.row.number < stated {
			continue
		}
		if full {
			filled++
		}
		if full || len(s.row.cells) > 0 {
			s.keepRow()
		}
	}
	return nil
}

// scanRow reads the next row of the part into s.row; io.EOF sets ended.
func (s *xlsxSource) scanRow() error {
	err := s.scan.next(&s.row)
	if err == io.EOF {
		s.ended = true
		if !s.known {
			s.known = true
			s.tellSheet(s.scan)
		}
	}
	return err
}

// keepRow copies s.row to the rows read ahead.
func (s *xlsxSource) keepRow() {
	s.ahead = append(s.ahead, aheadRow{sheetRow{number: s.row.number, cells: slices.Clone(s.row.cells), text: slices.Clone(s.row.text)}})
}

// measure passes over the whole sheet to learn where values stand.
func (s *xlsxSource) measure() error {
	scan, err := openSheet(s.book, s.scan.part, s.in.Limits.Cell)
	if err != nil {
		return err
	}
	defer scan.close()
	scan.measure = true
	var row sheetRow
	s.facts = sheetFacts{}
	for err = scan.next(&row); err == nil; err = scan.next(&row) {
		s.facts.take(&row)
	}
	if err != io.EOF {
		return err
	}
	s.known = true
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

// tellSheet reports what is hidden or merged in the area of the table.
func (s *xlsxSource) tellSheet(scan *sheetScanner) {
	hidden := 0
	for _, c := range scan.hiddenColumns {
		hidden += max(0, min(c[1], s.facts.lastCol)-max(c[0], s.facts.firstCol)+1)
	}
	if hidden > 0 || s.facts.hiddenRows > 0 {
		f := found("hidden_cells", "有 %d 行和 %d 列是隐藏的，已作为数据读入。", "%d rows and %d columns are hidden; they were read as data.", s.facts.hiddenRows, hidden)
		f.Table, f.Count = s.name, int64(hidden+s.facts.hiddenRows)
		s.in.Findings.Add(f)
	}
	if scan.merged > 0 {
		f := found("merged_cells", "", "")
		f.Table, f.Value, f.Count = s.name, scan.firstMerged, int64(scan.merged)
		s.in.Findings.Add(f)
	}
}

// header finds the header among the rows read ahead and leaves the rows after it
// to Read.
func (s *xlsxSource) header() (*Header, error) {
	stated := s.in.Options.HeaderRow
	if s.known && stated > s.facts.lastRow {
		return nil, refuse("header_row_missing", "指定的表头是第 %d 行，但数据只到第 %d 行。", "Row %d was stated as the header, but the sheet ends at row %d.", stated, s.facts.lastRow).at(int64(stated), "", "")
	}
	h := &Header{Sheet: s.name, Columns: make([]string, s.facts.lastCol-s.facts.firstCol+1)}
	at := 0
	switch {
	case stated > 0:
		if len(s.ahead) == 0 || s.ahead[0].number != stated { // the stated row holds nothing
			at = -1
		}
		h.Row, s.number = int64(stated), stated+1
		h.Why = catalog.Text{Zh: "表头行由用户指定", En: "the header row was stated"}
	case stated < 0:
		at, s.number = -1, s.facts.firstRow
		h.Why = catalog.Text{Zh: "用户指明没有表头", En: "it was stated that there is no header"}
	default:
		at = s.findHeader(h)
	}
	if at >= 0 {
		row := &s.ahead[at].sheetRow
		for i := range row.cells {
			c := &row.cells[i]
			if n := c.col - s.facts.firstCol; n >= 0 && n < len(h.Columns) {
				h.Columns[n] = string(row.cellText(c))
			}
		}
		s.ahead = s.ahead[at+1:]
	}
	s.names = slices.Clone(h.Columns)
	for i, n := range s.names {
		if n == "" {
			s.names[i] = columnLetters(s.facts.firstCol + i)
		}
	}
	return h, nil
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

// findHeader decides which of the rows read ahead is the header: the first that
// fills more than half of what the fullest of them fills. Rows above it, up to
// ten, are titles; where there are more, the first row is the header. Where no cell of it is text, the sheet has no header. It returns the
// header's index in s.ahead, or -1.
func (s *xlsxSource) findHeader(h *Header) int {
	widest := 0
	for i := range s.ahead {
		widest = max(widest, filledCells(&s.ahead[i].sheetRow))
	}
	at := 0
	titles, first := 0, -1
	for ; 2*filledCells(&s.ahead[at].sheetRow) <= widest; at++ {
		if filledCells(&s.ahead[at].sheetRow) > 0 {
			titles++
			if first < 0 {
				first = at
			}
		}
	}
	if titles > maxTitles { // rather a text than a table with a title
		at = first
	}
	for _, title := range s.ahead[:at] {
		if filledCells(&title.sheetRow) == 0 {
			continue
		}
		f := found("title_lines", "", "")
		f.Table, f.Row, f.Value = s.name, int64(title.number), rowText(&title.sheetRow)
		s.in.Findings.Add(f)
	}
	row := &s.ahead[at].sheetRow
	if !slices.ContainsFunc(row.cells, func(c sheetCell) bool {
		return (c.kind == cellText || c.kind == cellResult) && c.to > c.from
	}) {
		s.ahead = s.ahead[at:]
		s.number = row.number
		f := found("no_header", "", "")
		f.Table, f.Row, f.Value = s.name, int64(row.number), rowText(row)
		s.in.Findings.Add(f)
		h.Why = catalog.Text{Zh: fmt.Sprintf("第 %d 行没有文字单元格，看作数据", row.number),
			En: fmt.Sprintf("row %d has no text cell and was taken as data", row.number)}
		return -1
	}
	h.Row, s.number = int64(row.number), row.number+1
	h.Why = catalog.Text{Zh: fmt.Sprintf("第 %d 行是第一个填满半数以上列的行", row.number),
		En: fmt.Sprintf("row %d is the first that fills more than half of the columns", row.number)}
	return at
}

// rowText joins the cells of a row for a report.
func rowText(r *sheetRow) string {
	var parts []string
	for i := range r.cells {
		if t := r.cellText(&r.cells[i]); len(t) > 0 {
			parts = append(parts, string(t))
		}
	}
	return strings.Join(parts, " | ")
}

// Read gives the following rows of the sheet.
func (s *xlsxSource) Read(c *Chunk) error {
	size := 0
	for !c.Full(size) {
		row, err := s.peek()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		// Rows that are not there, up to the next one, are rows of nulls.
		for s.number < row.number && !c.Full(size) {
			n, err := s.give(c, nil)
			if err != nil {
				return err
			}
			size += n
		}
		if c.Full(size) {
			break
		}
		n, err := s.give(c, row)
		if err != nil {
			return err
		}
		size += n
		s.drop()
	}
	if c.Len == 0 {
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
		if err := s.scanRow(); err == io.EOF {
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
