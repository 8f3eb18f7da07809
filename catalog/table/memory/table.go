package memory

import (
	"context"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// batchRows is small and odd, so that every test of a reader crosses batches.
const batchRows = 7

// Table is rows of typed values.
type Table struct {
	schema catalog.Schema
	rows   [][]table.Value
}

var _ table.Table = (*Table)(nil)

// NewTable makes a table of rows, each with one value for every field; which
// member of a value counts follows from the field's type as in table.Vector. The
// row at index i has _row i+1. The rows are not copied.
func NewTable(schema catalog.Schema, rows [][]table.Value) *Table {
	return &Table{schema: schema, rows: rows}
}

// Close does nothing: the table can be asked again.
func (t *Table) Close() error { return nil }

// Rows gives the answer in batches of a few rows; none where nothing is selected.
func (t *Table) Rows(ctx context.Context, p *table.Plan, yield func(*table.Batch) error) error {
	t, p = t.grouped(p)
	chosen := t.choose(p)
	slices.SortFunc(chosen, func(a, b int64) int { return t.order(p, t.position(p, a), t.position(p, b)) })
	if p.After != nil {
		chosen = slices.DeleteFunc(chosen, func(row int64) bool { return t.order(p, t.position(p, row), *p.After) <= 0 })
	}
	if p.Limit > 0 && int64(len(chosen)) > p.Limit {
		chosen = chosen[:p.Limit]
	}
	for part := range slices.Chunk(chosen, batchRows) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(t.batch(p, part)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Count counts the rows for which the condition is true.
func (t *Table) Count(ctx context.Context, p *table.Plan) (int64, error) {
	t, p = t.grouped(p)
	return int64(len(t.choose(p))), ctx.Err()
}

// choose returns the numbers of the rows for which the condition is true.
func (t *Table) choose(p *table.Plan) []int64 {
	var chosen []int64
	condition := p.Condition()
	for i := range t.rows {
		row := int64(i + 1)
		if condition == nil || t.holds(p, condition, row) {
			chosen = append(chosen, row)
		}
	}
	return chosen
}

// cell returns the value of a row in a column, _row included.
func (t *Table) cell(row int64, column int) table.Value {
	if column == table.RowColumn {
		return table.Value{Int: row}
	}
	return t.rows[row-1][column]
}

func (t *Table) holds(p *table.Plan, n table.Node, row int64) bool {
	switch n := n.(type) {
	case table.And:
		for _, term := range n.Terms {
			if !t.holds(p, term, row) {
				return false
			}
		}
		return true
	case table.Or:
		for _, term := range n.Terms {
			if t.holds(p, term, row) {
				return true
			}
		}
		return false
	case table.Not:
		return !t.holds(p, n.Term, row)
	case table.Const:
		return n.True
	case table.IsNull:
		return t.cell(row, n.Column).Null != n.Not
	case table.Compare:
		v := t.cell(row, n.Column)
		return !v.Null && compares(n.Op, Compare(p.Field(n.Column), v, n.Value))
	case table.In:
		v := t.cell(row, n.Column)
		return !v.Null && slices.ContainsFunc(n.Values, func(w table.Value) bool { return Compare(p.Field(n.Column), v, w) == 0 })
	case table.Within:
		x, y := t.cell(row, n.Longitude), t.cell(row, n.Latitude)
		return !x.Null && !y.Null && n.Near.Holds(number(p.Field(n.Longitude), x), number(p.Field(n.Latitude), y))
	case table.Match:
		v := t.cell(row, n.Column)
		if n.Starts {
			return !v.Null && strings.HasPrefix(table.Fold(v.Text), n.Text)
		}
		return !v.Null && strings.Contains(table.Fold(v.Text), n.Text)
	}
	panic("unknown node")
}

func compares(op table.Op, order int) bool {
	switch op {
	case table.Equal:
		return order == 0
	case table.NotEqual:
		return order != 0
	case table.Less:
		return order < 0
	case table.LessEqual:
		return order <= 0
	case table.Greater:
		return order > 0
	case table.GreaterEqual:
		return order >= 0
	}
	panic("unknown op")
}

// position is where a row stands in the sorted answer.
func (t *Table) position(p *table.Plan, row int64) table.Position {
	at := table.Position{Row: row}
	for _, k := range p.Sort {
		at.Keys = append(at.Keys, t.cell(row, k.Column))
	}
	return at
}

// order compares two places of a sorted answer: key after key, nulls last in
// both directions, then by _row.
func (t *Table) order(p *table.Plan, a, b table.Position) int {
	for i, k := range p.Sort {
		x, y := a.Keys[i], b.Keys[i]
		switch {
		case x.Null && y.Null:
			continue
		case x.Null:
			return 1
		case y.Null:
			return -1
		}
		if c := Compare(p.Field(k.Column), x, y); c != 0 {
			if k.Descending {
				return -c
			}
			return c
		}
	}
	switch {
	case a.Row < b.Row:
		return -1
	case a.Row > b.Row:
		return 1
	}
	return 0
}

func (t *Table) batch(p *table.Plan, rows []int64) *table.Batch {
	b := &table.Batch{Len: len(rows), Columns: make([]table.Vector, len(p.Columns))}
	for i, c := range p.Columns {
		b.Columns[i] = vector(p.Field(c), len(rows), func(j int) table.Value { return t.cell(rows[j], c) })
	}
	if p.WantLast {
		last := t.position(p, rows[len(rows)-1])
		b.Last = &last
	}
	return b
}

// vector collects n values of a field.
func vector(f catalog.Field, n int, at func(i int) table.Value) table.Vector {
	v := table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone}
	for i := range n {
		x := at(i)
		if x.Null && v.Null == nil {
			v.Null = make([]bool, n)
		}
		if x.Null {
			v.Null[i] = true
		}
		switch {
		case f.Type == catalog.Boolean:
			v.Bool = append(v.Bool, x.Bool)
		case f.Type == catalog.Number:
			v.Num = append(v.Num, x.Num)
		case isText(f):
			v.Text = append(v.Text, x.Text)
		default:
			v.Int = append(v.Int, x.Int)
		}
	}
	return v
}

// isText reports whether values of the field are kept as text.
func isText(f catalog.Field) bool {
	return f.Type == catalog.String || f.Type == catalog.JSON || f.Type == catalog.Decimal && table.Wide(f.Precision)
}
