package diff

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Result is a comparison: its summary, and which rows changed. It holds no row;
// who lists them gives the tables again. Close it.
type Result struct {
	Summary
	matches              []pair // the key's first
	key                  int
	oldSchema, newSchema *catalog.Schema
	removed, added       rowSet
	pairs                *spool // of changed rows: new row, old row in the lower half
	shift                int    // of a new row, to the part of pairs that it is in
}

// Close gives back what the result holds.
func (r *Result) Close() error {
	if r.pairs == nil {
		return nil
	}
	return r.pairs.close()
}

const (
	// chunkRows is how many rows are in memory at once, from each table.
	chunkRows = 1 << 15
	// chunkBytes is how much text they may have; rows with more come fewer at a time.
	chunkBytes = 24 << 20
)

// List is some rows that went through the same change. It is valid until yield
// returns.
type List struct {
	Change Change
	Len    int
	// OldRow and NewRow are the rows' places, counted from 0; nil where they are not
	// in that table.
	OldRow, NewRow []uint32
	// Old and New have, of changed rows, a column for each pair that both tables have,
	// the key's first; of others, the columns of their table.
	Old, New []table.Vector
	// Differs tells of changed rows, by pair and row, which cells do.
	Differs [][]bool
}

// Each calls yield with the rows that went through a change ("": any), in the order
// of Changes, from the one after skip on, at most limit of them (0: all).
func (r *Result) Each(ctx context.Context, old, new Side, change Change, skip, limit int64, yield func(*List) error) error {
	left := limit
	for _, c := range Changes {
		n := r.Rows.Of(c)
		if change != "" && c != change {
			continue
		}
		if skip >= n {
			skip -= n
			continue
		}
		give := func(l *List) error {
			if left -= int64(l.Len); limit > 0 && left <= 0 {
				l.shorten(l.Len + int(left))
				if err := yield(l); err != nil {
					return err
				}
				return errEnough
			}
			return yield(l)
		}
		size := chunkRows
		if limit > 0 {
			size = int(min(left, chunkRows))
		}
		var err error
		switch c {
		case Changed:
			err = r.eachPair(ctx, old, new, skip, size, give)
		case Added:
			err = r.eachRow(ctx, new, r.added, Added, skip, size, give)
		default:
			err = r.eachRow(ctx, old, r.removed, Removed, skip, size, give)
		}
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
		skip = 0
	}
	return ctx.Err()
}

var errEnough = errors.New("the limit is reached")

// shorten leaves the first n rows; the vectors may be longer.
func (l *List) shorten(n int) { l.Len = n }

// eachRow lists rows that one table alone has.
func (r *Result) eachRow(ctx context.Context, s Side, set rowSet, change Change, skip int64, size int, yield func(*List) error) (err error) {
	columns := make([]int, len(s.Schema.Fields))
	for i := range columns {
		columns[i] = i
	}
	set.each(skip, size, func(rows []uint32) bool {
		err = inChunks(rows, func(rows []uint32, most int) error {
			vectors, err := gather(ctx, s, columns, rows, most)
			if err != nil {
				return err
			}
			l := &List{Change: change, Len: len(rows)}
			if change == Added {
				l.NewRow, l.New = rows, vectors
			} else {
				l.OldRow, l.Old = rows, vectors
			}
			return yield(l)
		})
		return err == nil
	})
	return err
}

// inChunks calls do with some of what is listed, fewer where that is too much.
func inChunks[T any](list []T, do func(some []T, most int) error) error {
	most := chunkBytes
	if len(list) == 1 {
		most = 0
	}
	err := do(list, most)
	if !errors.Is(err, errTooMuch) {
		return err
	}
	half := len(list) / 2
	if err := inChunks(list[:half], do); err != nil {
		return err
	}
	return inChunks(list[half:], do)
}

// eachPair lists changed rows in the order of the new table.
func (r *Result) eachPair(ctx context.Context, old, new Side, skip int64, size int, yield func(*List) error) error {
	for part := range r.pairs.parts {
		if n := r.pairs.parts[part].count; skip >= n {
			skip -= n
			continue
		}
		if err := r.eachPairOf(ctx, part, old, new, skip, size, yield); err != nil {
			return err
		}
		skip = 0
	}
	return nil
}

func (r *Result) eachPairOf(ctx context.Context, part int, old, new Side, skip int64, size int, yield func(*List) error) error {
	var pairs, buf []uint64
	if err := r.pairs.each(part, &buf, func(words []uint64) { pairs = append(pairs, words...) }); err != nil {
		return err
	}
	slices.Sort(pairs)
	for some := range slices.Chunk(pairs[skip:], size) {
		err := inChunks(some, func(some []uint64, most int) error {
			l, err := r.listPairs(ctx, old, new, some, most)
			if err != nil {
				return err
			}
			return yield(l)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// listPairs reads both rows of pairs, which are sorted by the new one.
func (r *Result) listPairs(ctx context.Context, old, new Side, pairs []uint64, most int) (*List, error) {
	l := &List{Change: Changed, Len: len(pairs), OldRow: make([]uint32, len(pairs)), NewRow: make([]uint32, len(pairs))}
	byOld := make([]uint64, len(pairs)) // the old row, then the place in the list
	for i, p := range pairs {
		l.NewRow[i], l.OldRow[i] = uint32(p>>32), uint32(p)
		byOld[i] = p<<32 | uint64(i)
	}
	slices.Sort(byOld)
	oldRows, place := make([]uint32, len(pairs)), make([]int, len(pairs))
	for i, w := range byOld {
		oldRows[i], place[uint32(w)] = uint32(w>>32), i
	}
	oldColumns, newColumns := make([]int, len(r.matches)), make([]int, len(r.matches))
	for i, m := range r.matches {
		oldColumns[i], newColumns[i] = m.old, m.new
	}
	var err error
	if l.Old, err = gather(ctx, old, oldColumns, oldRows, most); err != nil {
		return nil, err
	}
	if l.New, err = gather(ctx, new, newColumns, l.NewRow, most); err != nil {
		return nil, err
	}
	var wanted []int
	if !slices.IsSorted(place) {
		wanted = place
	}
	l.Differs = make([][]bool, len(r.matches))
	for i, m := range r.matches {
		if wanted != nil {
			c := copied{Vector: table.Vector{Type: l.Old[i].Type, Precision: l.Old[i].Precision, Scale: l.Old[i].Scale, Zone: l.Old[i].Zone}}
			c.add(&l.Old[i], wanted)
			l.Old[i] = c.done()
		}
		if i >= r.key {
			l.Differs[i] = make([]bool, len(pairs))
			m.how.compare(l.Differs[i], &l.Old[i], &l.New[i])
		}
	}
	return l, nil
}

// compare notes in which rows two vectors differ.
func (h how) compare(differs []bool, a, b *table.Vector) {
	switch {
	case h != exactly:
		var x, y []byte
		for i := range differs {
			if a.IsNull(i) || b.IsNull(i) {
				continue
			}
			x, y = h.appendForm(x[:0], a, i), h.appendForm(y[:0], b, i)
			differs[i] = string(x) != string(y)
		}
	case isText(a):
		unequal(differs, a.Text, b.Text)
	case a.Type == catalog.Boolean:
		unequal(differs, a.Bool, b.Bool)
	case a.Type == catalog.Number:
		for i := range differs {
			differs[i] = numberBits(a.Num[i]) != numberBits(b.Num[i])
		}
	default:
		unequal(differs, a.Int, b.Int)
	}
	if a.Null == nil && b.Null == nil {
		return
	}
	for i := range differs {
		if x, y := a.IsNull(i), b.IsNull(i); x || y {
			differs[i] = x != y
		}
	}
}

func unequal[T comparable](differs []bool, a, b []T) {
	for i := range differs {
		differs[i] = a[i] != b[i]
	}
}

// countCells reads the changed rows and counts in which columns they differ.
func (r *Result) countCells(ctx context.Context, old, new Side) error {
	if r.Rows.Changed == 0 {
		return nil
	}
	workers := runtime.GOMAXPROCS(0)
	for _, s := range []Side{old, new} {
		if _, ok := s.Table.(table.Splitter); !ok {
			workers = 1
		}
	}
	counts := make([]int64, len(r.matches))
	var mu sync.Mutex
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(workers, len(r.pairs.parts)) {
		group.Go(func() error {
			for {
				part := int(next.Add(1)) - 1
				if part >= len(r.pairs.parts) {
					return nil
				}
				err := r.eachPairOf(ctx, part, old, new, 0, chunkRows, func(l *List) error {
					mu.Lock()
					defer mu.Unlock()
					for i, differs := range l.Differs {
						for _, d := range differs {
							if d {
								counts[i]++
							}
						}
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, m := range r.matches {
		r.Columns[m.new].Cells = counts[i] // columns come in the order of the new table first
		r.Cells += counts[i]
	}
	return nil
}
