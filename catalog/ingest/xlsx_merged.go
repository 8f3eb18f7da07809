package ingest

import (
	"fmt"
	"slices"
)

// filling is a merged cell of the body that goes on below its first row: the
// cells below hold nothing in the file and mean what the first one says.
type filling struct {
	area
	cell sheetCell
	text []byte
}

// planMerged splits the merged cells among the rows of data: those of several rows
// are filled downwards, the others are told, as they leave cells empty.
func (s *xlsxSource) planMerged() {
	s.fills, s.filling, s.filled, s.firstFilled = nil, nil, 0, area{}
	var left []area
	for _, a := range s.merged {
		if a.top < s.number || a.top > s.facts.lastRow || a.left > s.facts.lastCol || a.right < s.facts.firstCol {
			continue
		}
		down := a.bottom > a.top && s.in.Options.Merged != mergedEmpty
		if down && a.left >= s.facts.firstCol {
			s.fills = append(s.fills, a)
		}
		if (!down || a.right > a.left) && !s.lone(a) {
			left = append(left, a)
		}
	}
	slices.SortStableFunc(s.fills, func(a, b area) int { return a.top - b.top })
	s.tellLeft(left)
}

// lone reports whether a merged cell is the only one of its row: a note or the
// heading of a section, not cells that were left empty.
func (s *xlsxSource) lone(a area) bool {
	i := slices.IndexFunc(s.ahead, func(r aheadRow) bool { return r.number == a.top })
	return i >= 0 && a.top == a.bottom && filledCells(&s.ahead[i].sheetRow) <= 1
}

// tellLeft reports merged cells of which only the first has the value.
func (s *xlsxSource) tellLeft(list []area) {
	if len(list) == 0 {
		return
	}
	f := found("merged_cells", "", "")
	f.Table, f.Count, f.Row, f.Value = s.name, int64(len(list)), int64(list[0].top), list[0].String()
	s.in.Findings.Add(f)
}

// String writes an area of a sheet as a spreadsheet does.
func (a area) String() string {
	return fmt.Sprintf("%s%d:%s%d", columnLetters(a.left), a.top, columnLetters(a.right), a.bottom)
}

// fillDown returns the row to give, which may be nil, with what merged cells that
// began above say in it. The result is valid until the next call.
func (s *xlsxSource) fillDown(row *sheetRow) *sheetRow {
	if len(s.fills) == 0 && len(s.filling) == 0 {
		return row
	}
	n := s.number
	s.filling = slices.DeleteFunc(s.filling, func(f filling) bool { return f.bottom < n })
	out := row
	for i := range s.filling {
		f := &s.filling[i]
		if row != nil && slices.ContainsFunc(row.cells, func(c sheetCell) bool { return c.col == f.left }) {
			continue
		}
		if out == row { // begin a copy
			s.copied.number, s.copied.cells, s.copied.text = n, s.copied.cells[:0], s.copied.text[:0]
			if row != nil {
				s.copied.hidden = row.hidden
				s.copied.cells, s.copied.text = append(s.copied.cells, row.cells...), append(s.copied.text, row.text...)
			}
			out = &s.copied
		}
		c := f.cell
		c.from = len(out.text)
		out.text = append(out.text, f.text...)
		c.to = len(out.text)
		out.cells = append(out.cells, c)
		if s.filled++; s.filled == 1 {
			s.firstFilled = f.area
		}
	}
	if out != row {
		slices.SortFunc(out.cells, func(a, b sheetCell) int { return a.col - b.col })
	}
	for len(s.fills) > 0 && s.fills[0].top <= n {
		a := s.fills[0]
		s.fills = s.fills[1:]
		if row == nil || a.top != n {
			continue
		}
		for i := range row.cells {
			if c := &row.cells[i]; c.col == a.left && !c.blank() {
				s.filling = append(s.filling, filling{a, *c, slices.Clone(row.cellText(c))})
			}
		}
	}
	return out
}

// tellFilled reports, at the end of a table, how many cells were filled.
func (s *xlsxSource) tellFilled() {
	if s.filled == 0 {
		return
	}
	f := found("merged_filled", "", "")
	f.Row, f.Count, f.Value = int64(s.firstFilled.top), s.filled, s.firstFilled.String()
	s.in.Findings.Add(f)
	s.filled = 0
}
