package diff

import (
	"context"
	"strconv"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// The columns of a list of changes beside the key's.
const (
	changeColumn = "change"
	oldRowColumn = "old_row"
	newRowColumn = "new_row"
	nameColumn   = "column"
	oldColumn    = "old"
	newColumn    = "new"
)

// Fields are the columns of the list of all changes, one line for each cell: change,
// old_row, new_row, the key's, column, old, new. A key's column that has one of those
// names gets _2 behind it.
func (r *Result) Fields() []catalog.Field {
	fields := []catalog.Field{
		{Name: changeColumn, Type: catalog.String, Label: catalog.Text{Zh: "变化", En: "Change"}},
		{Name: oldRowColumn, Type: catalog.Integer, Label: catalog.Text{Zh: "旧行号", En: "Row in the old table"}},
		{Name: newRowColumn, Type: catalog.Integer, Label: catalog.Text{Zh: "新行号", En: "Row in the new table"}},
	}
	tail := []catalog.Field{
		{Name: nameColumn, Type: catalog.String, Label: catalog.Text{Zh: "字段", En: "Column"}},
		{Name: oldColumn, Type: catalog.String, Label: catalog.Text{Zh: "旧值", En: "Old value"}},
		{Name: newColumn, Type: catalog.String, Label: catalog.Text{Zh: "新值", En: "New value"}},
	}
	taken := map[string]bool{}
	for _, f := range append(append([]catalog.Field{}, fields...), tail...) {
		taken[f.Name] = true
	}
	for _, m := range r.matches[:r.key] {
		f := r.newSchema.Fields[m.new]
		if m.how != exactly {
			f.Type, f.Precision, f.Scale, f.Zone = catalog.String, 0, 0, ""
		}
		name := f.Name
		for n := 2; taken[strings.ToLower(f.Name)]; n++ {
			f.Name = name + "_" + strconv.Itoa(n)
		}
		taken[strings.ToLower(f.Name)] = true
		fields = append(fields, f)
	}
	return append(fields, tail...)
}

// cell is one line of the list: a cell of row i.
type cell struct {
	name     string
	old, new *table.Vector // nil where the row is not in that table
}

// cells calls yield with the cells of row i that belong into the list: those that
// differ, or of a row that was added or removed all but the key's. A row that has none
// is one line without a column.
func (r *Result) cells(l *List, i int, yield func(cell)) {
	if l.Change == Changed {
		for c, m := range r.matches {
			if l.Differs[c] != nil && l.Differs[c][i] {
				yield(cell{r.newSchema.Fields[m.new].Name, &l.Old[c], &l.New[c]})
			}
		}
		return
	}
	s, vectors := r.newSchema, l.New
	if l.Change == Removed {
		s, vectors = r.oldSchema, l.Old
	}
	none := true
	for c := range s.Fields {
		if r.inKey(l.Change, c) {
			continue
		}
		none = false
		if l.Change == Added {
			yield(cell{s.Fields[c].Name, nil, &vectors[c]})
		} else {
			yield(cell{s.Fields[c].Name, &vectors[c], nil})
		}
	}
	if none {
		yield(cell{})
	}
}

// inKey reports whether a column of the new table (of the old, for removed rows)
// belongs to the key.
func (r *Result) inKey(change Change, column int) bool {
	for _, m := range r.matches[:r.key] {
		if change == Removed && m.old == column || change != Removed && m.new == column {
			return true
		}
	}
	return false
}

// keyVector is the column that has the values of the key's column k.
func (r *Result) keyVector(l *List, k int) *table.Vector {
	switch l.Change {
	case Changed:
		return &l.New[k]
	case Added:
		return &l.New[r.matches[k].new]
	}
	return &l.Old[r.matches[k].old]
}

// linesBatch is about how many lines a batch of the list has.
const linesBatch = 2048

// Lines calls yield with the list of changes, whose columns are Fields, in batches.
// They are valid until yield returns.
func (r *Result) Lines(ctx context.Context, old, new Side, change Change, yield func(*table.Batch) error) error {
	w := &lines{result: r, fields: r.Fields(), yield: yield}
	w.reset()
	err := r.Each(ctx, old, new, change, 0, 0, func(l *List) error {
		for i := range l.Len {
			r.cells(l, i, func(c cell) { w.add(l, i, c) })
			if w.len >= linesBatch {
				if err := w.flush(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil && w.len > 0 {
		err = w.flush()
	}
	return err
}

// lines gathers lines of the list.
type lines struct {
	result  *Result
	fields  []catalog.Field
	yield   func(*table.Batch) error
	len     int
	columns []copied
	text    []byte
	one     [1]int
}

func (w *lines) reset() {
	w.len = 0
	w.columns = make([]copied, len(w.fields))
	for i, f := range w.fields {
		c := &w.columns[i]
		c.Type, c.Precision, c.Scale, c.Zone = f.Type, f.Precision, f.Scale, f.Zone
	}
}

func (w *lines) add(l *List, i int, c cell) {
	w.len++
	w.columns[0].addText(string(l.Change), false)
	w.columns[1].addRow(l.OldRow, i)
	w.columns[2].addRow(l.NewRow, i)
	for k := range w.result.key {
		to, v := &w.columns[3+k], w.result.keyVector(l, k)
		if w.result.matches[k].how == exactly {
			w.one[0] = i
			to.add(v, w.one[:])
		} else {
			w.addWritten(to, v, i)
		}
	}
	at := 3 + w.result.key
	w.columns[at].addText(c.name, c.old == nil && c.new == nil)
	w.addWritten(&w.columns[at+1], c.old, i)
	w.addWritten(&w.columns[at+2], c.new, i)
}

func (w *lines) addWritten(to *copied, v *table.Vector, i int) {
	if v == nil || v.IsNull(i) {
		to.addText("", true)
		return
	}
	if isText(v) {
		to.addText(v.Text[i], false)
		return
	}
	w.text = v.AppendText(w.text[:0], i)
	to.addText(string(w.text), false)
}

func (c *copied) addText(s string, null bool) {
	if null || c.Null != nil {
		c.Null = append(append(c.Null, make([]bool, c.rows-len(c.Null))...), null)
	}
	c.rows++
	c.text = append(c.text, s...)
	c.ends = append(c.ends, len(c.text))
}

func (c *copied) addRow(rows []uint32, i int) {
	var n int64
	if rows != nil {
		n = int64(rows[i]) + 1
	}
	if rows == nil || c.Null != nil {
		c.Null = append(append(c.Null, make([]bool, c.rows-len(c.Null))...), rows == nil)
	}
	c.rows++
	c.Int = append(c.Int, n)
}

func (w *lines) flush() error {
	b := &table.Batch{Len: w.len}
	for i := range w.columns {
		b.Columns = append(b.Columns, w.columns[i].done())
	}
	w.reset()
	return w.yield(b)
}
