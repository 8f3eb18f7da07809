package parts

import (
	"cmp"
	"container/heap"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"taihu/catalog"
	"taihu/catalog/table"
)

// maxTop is the longest sorted answer that is found here, the longest page and one
// row more; DuckDB sorts whole tables better.
const maxTop = table.MaxRows + 1

// maxWorkers bounds the goroutines of one question.
const maxWorkers = 4

// topped reports whether the plan is a page of a sorted answer that can be found by
// looking at the keys alone.
func topped(p *table.Plan) bool {
	return p.Group == nil && len(p.Sort) > 0 && p.Limit > 0 && p.Limit <= maxTop && simple(p, p.Condition()) &&
		!slices.ContainsFunc(p.Sort, func(k table.Key) bool { return wide(p, k.Column) })
}

// top gives the first rows of a sorted answer. It reads the columns of keys and
// condition of every row group that can hold one of them, then the rows themselves.
func (t *partsTable) top(ctx context.Context, p *table.Plan, yield func(*table.Batch) error) error {
	found, err := t.findTop(ctx, p)
	if err != nil || len(found) == 0 {
		return err
	}
	b, err := t.take(ctx, p, found)
	if err != nil {
		return err
	}
	if p.WantLast {
		b.Last = &found[len(found)-1]
	}
	return yield(b)
}

// worker is one of the goroutines of each.
type worker struct {
	add  func(*table.Batch) error
	skip func(f *part, group int) bool // may be nil
}

// each gives every row that fulfils the plan's condition to one of several workers,
// each of which is given its own in the order of the file.
func (t *partsTable) each(ctx context.Context, p *table.Plan, columns []int, begin func() worker) error {
	keys := *p
	keys.Columns, keys.Sort, keys.After, keys.Limit, keys.WantLast = columns, nil, nil, 0, false
	n := t.scan(&keys).pieces()
	workers := min(runtime.GOMAXPROCS(0), maxWorkers, n)
	group, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		worker := begin()
		group.Go(func() error {
			s := t.scan(&keys)
			s.hopeless = worker.skip
			defer s.Close()
			for i := w; i < n; i += workers {
				if err := s.Piece(ctx, i, worker.add); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// findTop returns the places of the first rows of the answer, in order.
func (t *partsTable) findTop(ctx context.Context, p *table.Plan) ([]table.Position, error) {
	columns := make([]int, 0, len(p.Sort)+1)
	for _, k := range p.Sort {
		columns = append(columns, k.Column)
	}
	columns = append(columns, table.RowColumn)
	var tops []*places
	err := t.each(ctx, p, columns, func() worker {
		best := &places{plan: p}
		tops = append(tops, best)
		return worker{best.add, best.hopeless}
	})
	if err != nil {
		return nil, err
	}
	all := &places{plan: p}
	for _, best := range tops {
		all.list = append(all.list, best.list...)
	}
	slices.SortFunc(all.list, all.compare)
	return all.list[:min(int64(len(all.list)), p.Limit)], nil
}

// count counts the rows that fulfil the plan's condition.
func (t *partsTable) count(ctx context.Context, p *table.Plan) (int64, error) {
	var n atomic.Int64
	err := t.each(ctx, p, nil, func() worker {
		return worker{add: func(b *table.Batch) error { n.Add(int64(b.Len)); return nil }}
	})
	return n.Load(), err
}

// places is a heap of the best places found so far, the last of them on top.
type places struct {
	plan *table.Plan
	list []table.Position
}

func (h *places) Len() int           { return len(h.list) }
func (h *places) Less(i, j int) bool { return h.compare(h.list[i], h.list[j]) > 0 }
func (h *places) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *places) Push(x any)         { h.list = append(h.list, x.(table.Position)) }
func (h *places) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}

// compare orders two places: key after key, nulls last in both directions, then by
// _row.
func (h *places) compare(a, b table.Position) int {
	for i, k := range h.plan.Sort {
		if c := compareKeys(h.plan.Field(k.Column).Type, k.Descending, a.Keys[i], b.Keys[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(a.Row, b.Row)
}

func compareKeys(t catalog.Type, descending bool, a, b table.Value) int {
	switch {
	case a.Null && b.Null:
		return 0
	case a.Null:
		return 1
	case b.Null:
		return -1
	}
	var c int
	switch t {
	case catalog.Boolean:
		c = order(a.Bool, b.Bool)
	case catalog.Number:
		c = orderNumbers(a.Num, b.Num)
	case catalog.String, catalog.JSON:
		c = strings.Compare(a.Text, b.Text)
	default:
		c = cmp.Compare(a.Int, b.Int)
	}
	if descending {
		return -c
	}
	return c
}

// add takes a batch of keys, _row last. Most rows fall out at their first key, so
// that is looked at before a place is made of them.
func (h *places) add(b *table.Batch) error {
	rows := b.Columns[len(b.Columns)-1].Int
	first, k := &b.Columns[0], h.plan.Sort[0]
	keys := make([]table.Value, len(h.plan.Sort))
	for i := range b.Len {
		full := int64(len(h.list)) == h.plan.Limit
		keys[0] = peek(first, i)
		if full && compareKeys(first.Type, k.Descending, keys[0], h.list[0].Keys[0]) > 0 {
			continue
		}
		for j := 1; j < len(keys); j++ {
			keys[j] = peek(&b.Columns[j], i)
		}
		at := table.Position{Row: rows[i], Keys: keys}
		if h.plan.After != nil && h.compare(at, *h.plan.After) <= 0 || full && h.compare(at, h.list[0]) > 0 {
			continue
		}
		at.Keys = slices.Clone(keys)
		for j := range at.Keys {
			at.Keys[j].Text = strings.Clone(at.Keys[j].Text)
		}
		if full {
			h.list[0] = at
			heap.Fix(h, 0)
		} else {
			heap.Push(h, at)
		}
	}
	return nil
}

// peek is Vector.Value without a copy of its text.
func peek(v *table.Vector, i int) table.Value {
	switch {
	case v.IsNull(i):
		return table.Value{Null: true}
	case v.Bool != nil:
		return table.Value{Bool: v.Bool[i]}
	case v.Num != nil:
		return table.Value{Num: v.Num[i]}
	case v.Text != nil:
		return table.Value{Text: v.Text[i]}
	}
	return table.Value{Int: v.Int[i]}
}

// hopeless reports whether no row of a row group can come before those found, all
// of which stand before it in the file.
func (h *places) hopeless(f *part, group int) bool {
	k := h.plan.Sort[0]
	if int64(len(h.list)) < h.plan.Limit || k.Column == table.RowColumn {
		return false
	}
	last := h.list[0].Keys[0]
	if last.Null {
		return false
	}
	op := table.Less // what a better key is to the last
	switch {
	case k.Descending && len(h.plan.Sort) == 1:
		op = table.Greater
	case k.Descending:
		op = table.GreaterEqual
	case len(h.plan.Sort) > 1:
		op = table.LessEqual
	}
	return !within(f.Bounds(group, f.columns[k.Column]), op, last)
}

// take reads the rows at places, in their order, as one batch.
func (t *partsTable) take(ctx context.Context, p *table.Plan, places []table.Position) (*table.Batch, error) {
	b := &table.Batch{Len: len(places), Columns: make([]table.Vector, len(p.Columns))}
	for i, c := range p.Columns {
		f := p.Field(c)
		b.Columns[i] = emptyVector(f, len(places))
	}
	order := make([]int, len(places)) // by _row, so that rows of a page come together
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(places[a].Row, places[b].Row) })
	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	group, ctx := errgroup.WithContext(ctx)
	whole := table.Plan{Schema: p.Schema, Columns: p.Columns}
	for part := range slices.Chunk(order, (len(order)+workers-1)/workers) {
		group.Go(func() error {
			s := t.scan(&whole)
			defer s.Close()
			for _, i := range part {
				if err := ctx.Err(); err != nil {
					return err
				}
				row := places[i].Row - 1
				f, err := s.at(row)
				if err != nil {
					return err
				}
				one, err := s.read(f, s.answer, p.Columns, row, 1)
				if err != nil {
					return err
				}
				for c := range b.Columns {
					set(&b.Columns[c], i, &one.Columns[c])
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i := range b.Columns {
		if v := &b.Columns[i]; !slices.Contains(v.Null, true) {
			v.Null = nil
		}
	}
	return b, nil
}

func emptyVector(f catalog.Field, n int) table.Vector {
	v := table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone, Null: make([]bool, n)}
	switch {
	case f.Type == catalog.Boolean:
		v.Bool = make([]bool, n)
	case f.Type == catalog.Number:
		v.Num = make([]float64, n)
	case f.Type == catalog.String, f.Type == catalog.JSON, f.Type == catalog.Decimal && table.Wide(f.Precision):
		v.Text = make([]string, n)
	default:
		v.Int = make([]int64, n)
	}
	return v
}

// set copies the one value of from to row i.
func set(v *table.Vector, i int, from *table.Vector) {
	v.Null[i] = from.IsNull(0)
	switch {
	case v.Bool != nil:
		v.Bool[i] = from.Bool[0]
	case v.Num != nil:
		v.Num[i] = from.Num[0]
	case v.Text != nil:
		v.Text[i] = strings.Clone(from.Text[0])
	default:
		v.Int[i] = from.Int[0]
	}
}
