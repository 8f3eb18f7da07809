package diff

import (
	"context"
	"errors"
	"slices"
	"unsafe"

	"taihu/catalog"
	"taihu/catalog/table"
)

// nearRows is how far apart wanted rows may lie to be read together.
const nearRows = 4096

// errTooMuch: the rows have more text than may be in memory at once.
var errTooMuch = errors.New("diff: rows are too large")

// gather copies rows of some columns, which are counted from 0 and ascend. most bounds
// the bytes of their texts; 0: anything.
func gather(ctx context.Context, s Side, columns []int, rows []uint32, most int) ([]table.Vector, error) {
	copies := make([]copied, len(columns))
	for i, c := range columns {
		f := s.Schema.Fields[c]
		copies[i].Type, copies[i].Precision, copies[i].Scale, copies[i].Zone = f.Type, f.Precision, f.Scale, f.Zone
	}
	var wanted []int
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n]-rows[n-1] <= nearRows {
			n++
		}
		span := rows[:n]
		rows = rows[n:]
		at := int64(span[0])
		take := func(b *table.Batch) error {
			wanted = wanted[:0]
			for len(span) > 0 && int64(span[0]) < at+int64(b.Len) {
				wanted = append(wanted, int(int64(span[0])-at))
				span = span[1:]
			}
			at += int64(b.Len)
			if len(wanted) == 0 {
				return nil
			}
			bytes := 0
			for i := range copies {
				copies[i].add(&b.Columns[i], wanted)
				bytes += len(copies[i].text)
			}
			if most > 0 && bytes > most {
				return errTooMuch
			}
			return nil
		}
		if err := read(ctx, s, columns, int64(span[0]), int64(span[n-1]), take); err != nil {
			return nil, err
		}
		if len(span) > 0 {
			return nil, errors.New("diff: a table has fewer rows than it had")
		}
	}
	out := make([]table.Vector, len(copies))
	for i := range copies {
		out[i] = copies[i].done()
	}
	return out, nil
}

// read calls yield with the rows first … last.
func read(ctx context.Context, s Side, columns []int, first, last int64, yield func(*table.Batch) error) error {
	plan := &table.Plan{Schema: s.Schema, Columns: columns, Where: table.And{Terms: []table.Node{
		table.Compare{Column: table.RowColumn, Op: table.GreaterEqual, Value: table.Value{Int: first + 1}},
		table.Compare{Column: table.RowColumn, Op: table.LessEqual, Value: table.Value{Int: last + 1}},
	}}}
	splitter, ok := s.Table.(table.Splitter)
	pieces := 0
	if ok {
		pieces = splitter.Split(plan)
	}
	if pieces == 0 {
		return s.Table.Rows(ctx, plan, yield)
	}
	scan := splitter.Scan(plan)
	defer scan.Close()
	for i := range pieces {
		if err := scan.Piece(ctx, i, yield); err != nil {
			return err
		}
	}
	return nil
}

// copied is a column of chosen rows. Texts lie one after the other in text.
type copied struct {
	table.Vector
	rows int
	text []byte
	ends []int
}

func (c *copied) add(v *table.Vector, rows []int) {
	if v.Null != nil || c.Null != nil {
		c.Null = append(c.Null, make([]bool, c.rows-len(c.Null)+len(rows))...)
		for i, row := range rows {
			c.Null[c.rows+i] = v.IsNull(row)
		}
	}
	c.rows += len(rows)
	switch {
	case isText(v):
		for _, row := range rows {
			if !v.IsNull(row) {
				c.text = append(c.text, v.Text[row]...)
			}
			c.ends = append(c.ends, len(c.text))
		}
	case v.Type == catalog.Boolean:
		c.Bool = pick(c.Bool, v.Bool, rows)
	case v.Type == catalog.Number:
		c.Num = pick(c.Num, v.Num, rows)
	default:
		c.Int = pick(c.Int, v.Int, rows)
	}
}

func pick[T any](to, from []T, rows []int) []T {
	to = slices.Grow(to, len(rows))
	for _, row := range rows {
		to = append(to, from[row])
	}
	return to
}

func (c *copied) done() table.Vector {
	if c.ends != nil {
		c.Text = textsOf(c.text, c.ends)
	}
	return c.Vector
}

// textsOf cuts texts out of bytes that do not change any more.
func textsOf(text []byte, ends []int) []string {
	all := unsafe.String(unsafe.SliceData(text), len(text))
	out := make([]string, len(ends))
	from := 0
	for i, end := range ends {
		out[i] = all[from:end]
		from = end
	}
	return out
}
