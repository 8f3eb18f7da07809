package parts

import (
	"context"
	"fmt"
	"slices"

	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// pieceRows is how many rows are looked at in a piece, a multiple of a page's.
const pieceRows = 8192

// scan reads the pieces of one plan's answer. Rows are counted from 0 in it.
type scan struct {
	table  *partsTable
	plan   *table.Plan
	filter table.Node // what is left of the condition beside _row; nil: nothing
	tested []int      // columns of the schema that filter looks at
	begin  int64      // the rows that _row, cursor and limit leave: begin … end
	end    int64

	file   int    // that the cursors are of; -1: none yet
	first  cursor // over tested
	answer cursor // over the plan's columns
	tester tester
	group  int  // row group of the file that was last asked whether it can hold a hit
	barren bool // it cannot
	// hopeless says of a row group that its rows are not wanted; nil: all are.
	hopeless func(f *part, group int) bool
	hit      []bool      // which rows of a block fulfil filter
	picked   table.Batch // these
}

func (t *partsTable) scan(p *table.Plan) *scan {
	s := &scan{table: t, plan: p, end: t.source.Rows, file: -1}
	if p.After != nil {
		s.begin = max(s.begin, p.After.Row)
	}
	s.filter = s.bound(p.Condition())
	s.begin, s.end = min(s.begin, t.source.Rows), min(s.end, t.source.Rows)
	if s.filter == nil && p.Limit > 0 {
		s.end = min(s.end, s.begin+min(p.Limit, t.source.Rows))
	}
	if s.filter != nil {
		s.tested = columnsOf(nil, s.filter)
		s.tester.columns = s.tested
	}
	return s
}

// bound takes what a condition says of _row alone into begin and end, and returns
// the rest of it.
func (s *scan) bound(n table.Node) table.Node {
	switch n := n.(type) {
	case table.And:
		var rest []table.Node
		for _, term := range n.Terms {
			if term = s.bound(term); term != nil {
				rest = append(rest, term)
			}
		}
		switch len(rest) {
		case 0:
			return nil
		case 1:
			return rest[0]
		}
		return table.And{Terms: rest}
	case table.Compare:
		if n.Column != table.RowColumn {
			return n
		}
		row := n.Value.Int // counted from 1, so that of the row behind it from 0
		switch n.Op {
		case table.Equal:
			s.begin, s.end = max(s.begin, row-1), min(s.end, row)
		case table.Less:
			s.end = min(s.end, row-1)
		case table.LessEqual:
			s.end = min(s.end, row)
		case table.Greater:
			s.begin = max(s.begin, row)
		case table.GreaterEqual:
			s.begin = max(s.begin, row-1)
		default:
			return n
		}
		return nil
	}
	return n
}

// pieces returns how many pieces there are.
func (s *scan) pieces() int {
	if s.end <= s.begin {
		return 0
	}
	return int((s.end-1)/s.table.piece - s.begin/s.table.piece + 1)
}

// Piece implements table.Scan.
func (s *scan) Piece(ctx context.Context, i int, yield func(*table.Batch) error) error {
	size := s.table.piece
	start := s.begin/size + int64(i)
	row, end := max(s.begin, start*size), min(s.end, (start+1)*size)
	for row < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := s.at(row)
		if err != nil {
			return err
		}
		n, err := s.block(f, row, int(min(end, f.before+f.Rows())-row), yield)
		if err != nil {
			return err
		}
		row += int64(n)
	}
	return nil
}

// at makes the cursors those of the part that holds a row.
func (s *scan) at(row int64) (*part, error) {
	i := s.file
	if i < 0 || row < s.table.files[i].before || row >= s.table.files[i].before+s.table.files[i].Rows() {
		i = slices.IndexFunc(s.table.files, func(f part) bool { return row < f.before+f.Rows() })
		if i < 0 {
			return nil, fmt.Errorf("no part has row %d", row+1)
		}
		s.Close()
		f := &s.table.files[i]
		s.answer = s.table.cursor(i, f.fileColumns(s.plan.Columns))
		if s.filter != nil {
			s.first = s.table.cursor(i, f.fileColumns(s.tested))
		}
		s.file, s.group = i, -1
	}
	return &s.table.files[i], nil
}

func (p *part) fileColumns(columns []int) []int {
	in := make([]int, len(columns))
	for i, c := range columns {
		in[i] = table.RowColumn
		if c != table.RowColumn {
			in[i] = p.columns[c]
		}
	}
	return in
}

// block hands out the chosen ones of at most n rows from row on, and returns how
// many it looked at.
func (s *scan) block(f *part, row int64, n int, yield func(*table.Batch) error) (int, error) {
	group, end := f.Group(row - f.before)
	if s.hopeless != nil && s.hopeless(f, group) {
		return int(min(int64(n), f.before+end-row)), nil
	}
	if s.filter == nil {
		b, err := s.read(f, s.answer, s.plan.Columns, row, n)
		if err != nil {
			return 0, err
		}
		n = b.Len // yield may shorten it
		return n, yield(b)
	}
	if s.empty(f, group) {
		return int(min(int64(n), f.before+end-row)), nil
	}
	tested, err := s.read(f, s.first, s.tested, row, n)
	if err != nil {
		return 0, err
	}
	n = tested.Len
	s.hit = slices.Grow(s.hit[:0], n)[:n]
	s.tester.test(s.filter, tested, s.hit)
	if !slices.Contains(s.hit, true) {
		return n, nil
	}
	for done := 0; done < n; {
		b, err := s.read(f, s.answer, s.plan.Columns, row+int64(done), n-done)
		if err != nil {
			return 0, err
		}
		hit := s.hit[done : done+b.Len]
		done += b.Len
		if b = s.pick(b, hit); b.Len == 0 {
			continue
		}
		if err := yield(b); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// empty reports whether a row group cannot hold a row that fulfils the filter.
func (s *scan) empty(f *part, group int) bool {
	if s.group != group {
		s.group = group
		s.barren = !possible(s.filter, s.plan, func(column int) parquet.Bounds { return f.Bounds(group, f.columns[column]) })
	}
	return s.barren
}

// read reads a batch and gives it what the file does not know: the number of rows
// in the parts before, zones, and which texts are json.
func (s *scan) read(f *part, c cursor, columns []int, row int64, n int) (*table.Batch, error) {
	b, err := c.Read(row-f.before, n)
	if err != nil {
		return nil, err
	}
	for i, column := range columns {
		v := &b.Columns[i]
		field := s.plan.Field(column)
		v.Type, v.Zone = field.Type, field.Zone
		if column == table.RowColumn && f.before > 0 {
			for j := range v.Int {
				v.Int[j] += f.before
			}
		}
	}
	if len(columns) == 0 {
		b.Columns = nil
	}
	b.Last = nil
	return b, nil
}

// pick returns the rows of b that are hit.
func (s *scan) pick(b *table.Batch, hit []bool) *table.Batch {
	if !slices.Contains(hit, false) {
		return b
	}
	if s.picked.Columns == nil {
		s.picked.Columns = make([]table.Vector, len(b.Columns))
	}
	s.picked.Len = 0
	for _, h := range hit {
		if h {
			s.picked.Len++
		}
	}
	for i := range b.Columns {
		from, to := &b.Columns[i], &s.picked.Columns[i]
		to.Type, to.Precision, to.Scale, to.Zone = from.Type, from.Precision, from.Scale, from.Zone
		to.Null = take(to.Null, from.Null, hit)
		to.Bool = take(to.Bool, from.Bool, hit)
		to.Int = take(to.Int, from.Int, hit)
		to.Num = take(to.Num, from.Num, hit)
		to.Text = take(to.Text, from.Text, hit)
	}
	return &s.picked
}

// take appends the values that are hit to the emptied to; nil where from is.
func take[T any](to, from []T, hit []bool) []T {
	if from == nil {
		return nil
	}
	to = to[:0]
	for i, h := range hit {
		if h {
			to = append(to, from[i])
		}
	}
	return to
}

// Close gives the cursors back; the scan can go on after it.
func (s *scan) Close() {
	s.table.release(s.answer)
	s.table.release(s.first)
	s.answer, s.first, s.file = cursor{}, cursor{}, -1
}

// shorten leaves the first n rows of a batch.
func shorten(b *table.Batch, n int) {
	b.Len = n
	for i := range b.Columns {
		v := &b.Columns[i]
		v.Null, v.Bool, v.Int, v.Num, v.Text = upTo(v.Null, n), upTo(v.Bool, n), upTo(v.Int, n), upTo(v.Num, n), upTo(v.Text, n)
	}
}

func upTo[T any](values []T, n int) []T {
	if values == nil {
		return nil
	}
	return values[:n]
}
