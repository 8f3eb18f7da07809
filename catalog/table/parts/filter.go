package parts

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// simple reports whether a condition can be tested here: no distances, and no
// comparison of decimals too wide for an integer.
func simple(p *table.Plan, n table.Node) bool {
	switch n := n.(type) {
	case nil, table.Const, table.IsNull, table.Match:
		return true
	case table.And:
		return !slices.ContainsFunc(n.Terms, func(t table.Node) bool { return !simple(p, t) })
	case table.Or:
		return !slices.ContainsFunc(n.Terms, func(t table.Node) bool { return !simple(p, t) })
	case table.Not:
		return simple(p, n.Term)
	case table.Compare:
		return !wide(p, n.Column)
	case table.In:
		return !wide(p, n.Column)
	}
	return false
}

func wide(p *table.Plan, column int) bool {
	f := p.Field(column)
	return f.Type == catalog.Decimal && table.Wide(f.Precision)
}

// columnsOf appends the columns that a condition looks at, each once.
func columnsOf(columns []int, n table.Node) []int {
	add := func(column int) []int {
		if slices.Contains(columns, column) {
			return columns
		}
		return append(columns, column)
	}
	switch n := n.(type) {
	case table.And:
		for _, t := range n.Terms {
			columns = columnsOf(columns, t)
		}
	case table.Or:
		for _, t := range n.Terms {
			columns = columnsOf(columns, t)
		}
	case table.Not:
		columns = columnsOf(columns, n.Term)
	case table.IsNull:
		columns = add(n.Column)
	case table.Compare:
		columns = add(n.Column)
	case table.In:
		columns = add(n.Column)
	case table.Match:
		columns = add(n.Column)
	}
	return columns
}

// tester tests a condition on blocks of rows, column by column.
type tester struct {
	columns []int // of the schema, as they stand in a batch
	spare   [][]bool
	folded  map[table.Match]map[string]bool // texts seen lately, and whether they match
}

// maxFolded bounds how many texts a tester remembers for each Match.
const maxFolded = 4096

// test sets hit[i] where the condition is true for row i of b.
func (t *tester) test(n table.Node, b *table.Batch, hit []bool) {
	switch n := n.(type) {
	case table.And:
		t.join(n.Terms, b, hit, true)
	case table.Or:
		t.join(n.Terms, b, hit, false)
	case table.Not:
		t.test(n.Term, b, hit)
		for i := range hit {
			hit[i] = !hit[i]
		}
	case table.Const:
		fill(hit, n.True)
	case table.IsNull:
		v := t.vector(b, n.Column)
		for i := range hit {
			hit[i] = v.IsNull(i) != n.Not
		}
	case table.Compare:
		v := t.vector(b, n.Column)
		compare(v, n.Op, n.Value, hit)
		clearNulls(v, hit)
	case table.In:
		v := t.vector(b, n.Column)
		in(v, n.Values, hit)
		clearNulls(v, hit)
	case table.Match:
		v := t.vector(b, n.Column)
		t.matches(v, n, hit)
		clearNulls(v, hit)
	}
}

// join is And (all) or Or.
func (t *tester) join(terms []table.Node, b *table.Batch, hit []bool, all bool) {
	fill(hit, all)
	var one []bool
	if n := len(t.spare); n > 0 {
		one, t.spare = t.spare[n-1], t.spare[:n-1]
	}
	one = slices.Grow(one[:0], len(hit))[:len(hit)]
	for _, term := range terms {
		t.test(term, b, one)
		for i, h := range one {
			if all {
				hit[i] = hit[i] && h
			} else {
				hit[i] = hit[i] || h
			}
		}
	}
	t.spare = append(t.spare, one)
}

func (t *tester) vector(b *table.Batch, column int) *table.Vector {
	return &b.Columns[slices.Index(t.columns, column)]
}

func fill(hit []bool, v bool) {
	for i := range hit {
		hit[i] = v
	}
}

func clearNulls(v *table.Vector, hit []bool) {
	for i, null := range v.Null {
		hit[i] = hit[i] && !null
	}
}

// compare tests every row, null or not.
func compare(v *table.Vector, op table.Op, w table.Value, hit []bool) {
	switch v.Type {
	case catalog.Boolean:
		each(v.Bool, op, hit, func(x bool) int { return order(x, w.Bool) })
	case catalog.Number:
		each(v.Num, op, hit, func(x float64) int { return orderNumbers(x, w.Num) })
	case catalog.String, catalog.JSON:
		each(v.Text, op, hit, func(x string) int { return strings.Compare(x, w.Text) }) // UTF-8 sorts by code point
	default:
		each(v.Int, op, hit, func(x int64) int { return cmp.Compare(x, w.Int) })
	}
}

func each[T any](values []T, op table.Op, hit []bool, order func(T) int) {
	switch op {
	case table.Equal:
		for i, x := range values {
			hit[i] = order(x) == 0
		}
	case table.NotEqual:
		for i, x := range values {
			hit[i] = order(x) != 0
		}
	case table.Less:
		for i, x := range values {
			hit[i] = order(x) < 0
		}
	case table.LessEqual:
		for i, x := range values {
			hit[i] = order(x) <= 0
		}
	case table.Greater:
		for i, x := range values {
			hit[i] = order(x) > 0
		}
	case table.GreaterEqual:
		for i, x := range values {
			hit[i] = order(x) >= 0
		}
	}
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// orderNumbers has NaN behind every number and equal to itself, −0 equal to 0.
func orderNumbers(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return order(math.IsNaN(a), math.IsNaN(b))
}

func in(v *table.Vector, values []table.Value, hit []bool) {
	switch v.Type {
	case catalog.Boolean, catalog.Number: // few values, and equal is not identical
		one := make([]bool, len(hit))
		fill(hit, false)
		for _, w := range values {
			compare(v, table.Equal, w, one)
			for i, h := range one {
				hit[i] = hit[i] || h
			}
		}
	case catalog.String, catalog.JSON:
		among(v.Text, values, hit, func(w table.Value) string { return w.Text })
	default:
		among(v.Int, values, hit, func(w table.Value) int64 { return w.Int })
	}
}

func among[T comparable](rows []T, values []table.Value, hit []bool, of func(table.Value) T) {
	set := make(map[T]bool, len(values))
	for _, w := range values {
		set[of(w)] = true
	}
	for i, x := range rows {
		hit[i] = set[x]
	}
}

// matches remembers the texts it has folded: neighbours are often equal, and
// folding is what a search costs.
func (t *tester) matches(v *table.Vector, n table.Match, hit []bool) {
	seen := t.folded[n]
	if seen == nil || len(seen) >= maxFolded {
		if t.folded == nil {
			t.folded = map[table.Match]map[string]bool{}
		}
		seen = map[string]bool{}
		t.folded[n] = seen
	}
	for i, text := range v.Text {
		fits, known := seen[text]
		if !known {
			folded := table.Fold(text)
			if n.Starts {
				fits = strings.HasPrefix(folded, n.Text)
			} else {
				fits = strings.Contains(folded, n.Text)
			}
			if len(seen) < maxFolded {
				seen[strings.Clone(text)] = fits
			}
		}
		hit[i] = fits
	}
}

// possible reports whether a row group can hold a row for which the condition is
// true, by what the file says of its columns. column turns a column of the schema
// into one of the file.
func possible(n table.Node, p *table.Plan, bounds func(column int) parquet.Bounds) bool {
	switch n := n.(type) {
	case table.And:
		return !slices.ContainsFunc(n.Terms, func(t table.Node) bool { return !possible(t, p, bounds) })
	case table.Or:
		return slices.ContainsFunc(n.Terms, func(t table.Node) bool { return possible(t, p, bounds) })
	case table.Const:
		return n.True
	case table.IsNull:
		if n.Column == table.RowColumn {
			return n.Not
		}
		b := bounds(n.Column)
		return n.Not && b.Nulls < b.Rows || !n.Not && b.Nulls > 0
	case table.Compare:
		return n.Column == table.RowColumn || within(bounds(n.Column), n.Op, n.Value)
	case table.In:
		return n.Column == table.RowColumn || slices.ContainsFunc(n.Values, func(w table.Value) bool { return within(bounds(n.Column), table.Equal, w) })
	}
	return true
}

// within reports whether a value between the bounds can stand so to w.
func within(b parquet.Bounds, op table.Op, w table.Value) bool {
	var low, high int // order of the bounds to w
	switch {
	case b.Nulls == b.Rows:
		return false
	case b.Texts:
		low, high = bytes.Compare(b.Low, []byte(w.Text)), bytes.Compare(b.High, []byte(w.Text))
	case b.Ints:
		low, high = cmp.Compare(b.LowInt, w.Int), cmp.Compare(b.HighInt, w.Int)
	default:
		return true
	}
	switch op {
	case table.Equal:
		return low <= 0 && high >= 0
	case table.NotEqual:
		return low != 0 || high != 0
	case table.Less:
		return low < 0
	case table.LessEqual:
		return low <= 0
	case table.Greater:
		return high > 0
	case table.GreaterEqual:
		return high >= 0
	}
	return true
}
