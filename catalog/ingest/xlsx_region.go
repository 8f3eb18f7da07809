package ingest

import (
	"slices"
	"strings"
)

// A sheet that people made may hold several tables, one below or beside the
// other. Small sheets are read whole before their first row is given, and divided
// where empty rows or columns lie between what are clearly tables of their own;
// what may be one table with gaps stays one, and the report says so. Large sheets
// are one table and are never held.
const (
	smallRows  = 2000
	smallCells = 100_000
	smallText  = 8 << 20
)

// region is a part of a sheet that is a table of its own, or the words above one.
type region struct {
	rows  []aheadRow // with a value, clipped to the columns of the region
	facts sheetFacts
}

// area is where it stands.
func (b *region) area() area {
	return area{b.facts.firstRow, b.facts.firstCol, b.facts.lastRow, b.facts.lastCol}
}

// newRegion is the part of rows between two columns; nil where it holds nothing.
func newRegion(rows []aheadRow, from, to int) *region {
	b := &region{}
	for i := range rows {
		r := aheadRow{sheetRow{number: rows[i].number, hidden: rows[i].hidden, text: rows[i].text}}
		for _, c := range rows[i].cells {
			if from <= c.col && c.col <= to {
				r.cells = append(r.cells, c)
			}
		}
		if b.facts.take(&r.sheetRow) {
			b.rows = append(b.rows, r)
		}
	}
	if len(b.rows) == 0 {
		return nil
	}
	return b
}

// divide finds the tables of a sheet that has been read whole; nil where it is one.
func (s *xlsxSource) divide() []*region {
	whole := newRegion(s.ahead, s.facts.firstCol, s.facts.lastCol)
	if whole == nil {
		return nil
	}
	var tables []*region
	var current, words []aheadRow // rows of the table being put together; words that may be its title or the next one's
	unclear := area{}
	end := func() {
		if current != nil {
			tables = append(tables, newRegion(current, s.facts.firstCol, s.facts.lastCol))
		}
		current = nil
	}
	for _, part := range whole.byRows() {
		if beside := s.beside(part, &unclear); beside != nil {
			end()
			for i, b := range beside {
				if i == 0 { // what stands above them all
					b = newRegion(append(words, b.rows...), b.facts.firstCol, b.facts.lastCol)
				}
				tables = append(tables, b)
			}
			words = nil
			continue
		}
		switch look := s.lookOf(part); {
		case look.words && current != nil && !isNote(rowTexts(&part.rows[0].sheetRow)):
			words = append(words, part.rows...)
		case look.words:
			current = append(append(current, words...), part.rows...)
			words = nil
		case look.header && s.isTable(current) && (look.values || look.titled || look.same(s.headerOf(current)) || len(words) > 0):
			end()
			current, words = append(words, part.rows...), nil
		default:
			if was := newRegion(current, s.facts.firstCol, s.facts.lastCol); look.header && unclear.top == 0 && s.isTable(current) &&
				(part.facts.firstCol != was.facts.firstCol || part.facts.lastCol != was.facts.lastCol) {
				unclear = part.area()
			}
			current = append(append(current, words...), part.rows...)
			words = nil
		}
	}
	current = append(current, words...)
	end()
	if len(tables) < 2 {
		s.tellUnclear(unclear)
		return nil
	}
	var places []string
	for _, b := range tables {
		places = append(places, b.area().String())
	}
	f := found("tables_divided", "工作表上有%[1]d张表，按空行、空列分开，各作一张表。", "The sheet holds %[1]d tables, divided by empty rows and columns; each became a table.", len(tables))
	f.Table, f.Count, f.Value = s.name, int64(len(tables)), strings.Join(places, ", ")
	s.in.Findings.Add(f)
	s.tellUnclear(unclear)
	return tables
}

func (s *xlsxSource) tellUnclear(a area) {
	if a.top == 0 {
		return
	}
	f := found("several_tables", "", "")
	f.Table, f.Row, f.Value = s.name, int64(a.top), a.String()
	s.in.Findings.Add(f)
}

// byRows divides a region where rows are empty.
func (b *region) byRows() []*region {
	var parts []*region
	from := 0
	for i := 1; i <= len(b.rows); i++ {
		if i == len(b.rows) || b.rows[i].number > b.rows[i-1].number+1 {
			parts = append(parts, newRegion(b.rows[from:i], b.facts.firstCol, b.facts.lastCol))
			from = i
		}
	}
	return parts
}

// byColumns divides a region where columns are empty.
func (s *xlsxSource) byColumns(b *region) []*region {
	used := make([]bool, b.facts.lastCol+2)
	for i := range b.rows {
		for _, c := range b.rows[i].cells {
			if !c.blank() {
				used[c.col] = true
			}
		}
	}
	for _, a := range s.merged { // a merged cell holds its columns together
		if a.bottom >= b.facts.firstRow && a.top <= b.facts.lastRow {
			for col := a.left; col <= min(a.right, b.facts.lastCol); col++ {
				used[col] = true
			}
		}
	}
	var parts []*region
	from := b.facts.firstCol
	for col := from; col <= b.facts.lastCol+1; col++ {
		switch {
		case !used[col] && from > 0:
			parts = append(parts, newRegion(b.rows, from, col-1))
			from = 0
		case used[col] && from == 0:
			from = col
		}
	}
	return slices.DeleteFunc(parts, func(p *region) bool { return p == nil })
}

// beside returns the tables that stand beside each other in a region; nil where it
// is one table. Where it may be either, unclear says where.
func (s *xlsxSource) beside(b *region, unclear *area) []*region {
	parts := s.byColumns(b)
	if len(parts) < 2 {
		return nil
	}
	clear := false
	seen := map[string]bool{}
	for _, p := range parts {
		look := s.lookOf(p)
		if !look.header || p.facts.firstCol == p.facts.lastCol {
			return nil
		}
		clear = clear || p.facts.lastRow != b.facts.lastRow || look.titled
		for _, name := range look.names {
			clear = clear || seen[name]
		}
		for _, name := range look.names {
			seen[name] = true
		}
		if !look.values && !clear {
			return nil
		}
	}
	if !clear {
		if unclear.top == 0 {
			*unclear = b.area()
		}
		return nil
	}
	return parts
}

// regionLook is what a region looks like.
type regionLook struct {
	words  bool     // lines of words, one cell each
	header bool     // it begins, perhaps under a title, with a row of words over others
	titled bool     // there are words above its header
	values bool     // below a word of its header are numbers, dates or the like
	names  []string // of its header
}

func (l regionLook) same(names []string) bool {
	return len(names) > 0 && slices.Equal(l.names, names)
}

func (s *xlsxSource) lookOf(b *region) regionLook {
	l := regionLook{words: true}
	for i := range b.rows {
		texts := rowTexts(&b.rows[i].sheetRow)
		l.words = l.words && (len(texts) == 1 && onlyWords(texts[0]) || isUnitLine(texts))
	}
	if l.words && len(b.rows) <= maxTitles {
		return l
	}
	l.words = false
	at := 0
	for ; at < len(b.rows); at++ {
		texts := rowTexts(&b.rows[at].sheetRow)
		if len(texts) > 1 && !isUnitLine(texts) {
			break
		}
	}
	l.titled = at > 0
	if at+1 >= len(b.rows) {
		return l
	}
	row := &b.rows[at].sheetRow
	cells, columns := s.spread(row)
	if width := b.facts.lastCol - b.facts.firstCol + 1; cells < 2 || 2*columns <= width {
		return l
	}
	typed, filled := make([]int32, b.facts.lastCol+1), make([]int32, b.facts.lastCol+1)
	for i := at + 1; i < len(b.rows); i++ {
		for j := range b.rows[i].cells {
			c := &b.rows[i].cells[j]
			if c.blank() {
				continue
			}
			filled[c.col]++
			if class, _ := classify(b.rows[i].cellText(c)); c.kind == cellValue || class != classText && class != classNullWord {
				typed[c.col]++
			}
		}
	}
	for i := range row.cells {
		c := &row.cells[i]
		if c.blank() {
			continue
		}
		text := strings.TrimSpace(string(row.cellText(c)))
		if (c.kind == cellValue || !onlyWords(text)) && !looksYear(text) {
			return regionLook{titled: l.titled}
		}
		l.values = l.values || filled[c.col] > 0 && 2*typed[c.col] >= filled[c.col]
		l.names = append(l.names, text)
	}
	l.header = true
	return l
}

func isUnitLine(texts []string) bool {
	_, ok := unitLine(texts)
	return ok
}

// isTable reports whether rows that were put together begin with a header.
func (s *xlsxSource) isTable(rows []aheadRow) bool { return len(s.headerOf(rows)) > 0 }

// headerOf returns the names in the header with which rows begin.
func (s *xlsxSource) headerOf(rows []aheadRow) []string {
	if b := newRegion(rows, s.facts.firstCol, s.facts.lastCol); b != nil {
		return s.lookOf(b).names
	}
	return nil
}

// openRegion makes the next region the table to be read.
func (s *xlsxSource) openRegion() (*Header, error) {
	b := s.regions[0]
	s.regions = s.regions[1:]
	s.facts, s.ahead, s.held = b.facts, b.rows, false
	return s.header()
}
