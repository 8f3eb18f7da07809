package table

import (
	"slices"
	"unsafe"

	"taihu/catalog"
)

// sketchedColumns is how many columns of a table get a sketch, the first that can:
// survey tables of thousands of columns would fill the catalogue with them.
const sketchedColumns = 200

// Sketcher makes the sketches of a table's columns from its rows as they pass.
type Sketcher struct {
	columns []columnSketcher
}

// NewSketcher begins the sketches of a table with these fields, but for those that
// skip names: columns of personal information are compared with nothing.
func NewSketcher(fields []catalog.Field, skip func(column string) bool) *Sketcher {
	s := &Sketcher{}
	for i, f := range fields {
		if f.Type.Sketched() && !skip(f.Name) && len(s.columns) < sketchedColumns {
			s.columns = append(s.columns, columnSketcher{at: i, field: f, most: ^uint64(0)})
		}
	}
	return s
}

// Add takes the next rows. Columns of the batch are those of the fields.
func (s *Sketcher) Add(b *Batch) error {
	for i := range s.columns {
		c := &s.columns[i]
		c.add(&b.Columns[c.at], b.Len)
	}
	return nil
}

// Sketches returns the sketches of the columns that have enough different values.
// distinct returns how many different values a column has that are no null, where it
// is known.
func (s *Sketcher) Sketches(distinct func(column string) (n int64, known bool)) []catalog.ColumnSketch {
	out := []catalog.ColumnSketch{}
	for i := range s.columns {
		c := &s.columns[i]
		c.cut()
		if len(c.kept) < catalog.FewestValues {
			continue
		}
		k := catalog.ColumnSketch{Column: c.field.Name, Type: c.field.Type, Distinct: int64(len(c.kept)), Hashes: c.kept}
		if !k.Whole() {
			n, known := distinct(c.field.Name)
			if !known {
				n = int64(float64(len(c.kept)-1) / (float64(c.most) / (1 << 64)))
			}
			k.Distinct = max(n, k.Distinct)
		}
		if k.Type == catalog.Integer {
			k.Dense = uint64(k.Distinct) >= (uint64(c.high)-uint64(c.low))/2
		}
		out = append(out, k)
	}
	return out
}

// keptMost is how many hashes are kept before those that are not the smallest are
// thrown away; slots is the size of the set that knows them. Powers of two.
const (
	keptMost = 2 * catalog.SketchValues
	slots    = 2 * keptMost
)

type columnSketcher struct {
	at        int
	field     catalog.Field
	kept      []uint64 // the smallest so far, each once, in no order
	set       []uint64 // those of kept at their places, or behind; 0 is a free slot
	most      uint64   // a hash above it is not among the smallest
	low, high int64    // of integers
	any       bool
	text      []byte
}

func (c *columnSketcher) add(v *Vector, rows int) {
	if c.set == nil {
		c.set = make([]uint64, slots)
	}
	if v.Type == catalog.String {
		for i, s := range v.Text[:rows] {
			if s != "" && !v.IsNull(i) {
				c.take(Hash(0, unsafe.Slice(unsafe.StringData(s), len(s))))
			}
		}
		return
	}
	last, first := int64(0), true
	for i, n := range v.Int[:rows] {
		if v.IsNull(i) || n == last && !first { // neighbours are often equal
			continue
		}
		last, first = n, false
		if !c.any {
			c.any, c.low, c.high = true, n, n
		}
		c.low, c.high = min(c.low, n), max(c.high, n)
		c.text = v.AppendText(c.text[:0], i)
		c.take(Hash(0, c.text))
	}
}

// take keeps a hash where it is among the smallest.
func (c *columnSketcher) take(h uint64) {
	h = Mix(h, 0x9e3779b97f4a7c15) // spread evenly: the smallest are to be a fair sample
	if h > c.most || h == 0 {
		return
	}
	if !c.remember(h) {
		return
	}
	if c.kept = append(c.kept, h); len(c.kept) >= keptMost {
		c.cut()
		clear(c.set)
		for _, h := range c.kept {
			c.remember(h)
		}
	}
}

// remember adds a hash to the set and reports whether it is new.
func (c *columnSketcher) remember(h uint64) bool {
	for at := h % slots; ; at = (at + 1) % slots {
		switch c.set[at] {
		case 0:
			c.set[at] = h
			return true
		case h:
			return false
		}
	}
}

// cut keeps the smallest.
func (c *columnSketcher) cut() {
	slices.Sort(c.kept)
	if len(c.kept) >= catalog.SketchValues {
		c.kept = c.kept[:catalog.SketchValues]
		c.most = c.kept[catalog.SketchValues-1]
	}
}
