package diff

import (
	"context"
	"fmt"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"taihu/catalog"
	"taihu/catalog/table"
)

// maxParts bounds how many parts the records are dealt to. Of 200 million rows each
// has some 25 MB then.
const maxParts = 256

// matchRows finds which rows belong together: records of all rows are dealt to parts
// by their identity, and each part is joined alone.
func (r *Result) matchRows(ctx context.Context, old, new Side, o Options) error {
	parts := 1
	for parts < maxParts && int64(parts)*4096 < old.Rows+new.Rows {
		parts *= 2
	}
	budget := o.Memory
	h := newHasher(r.matches, r.key)
	var spools [2]*spool
	for i, side := range []Side{old, new} {
		s := newSpool(recordWords, parts, &budget, o.Dir)
		defer func() { _ = s.close() }() // it has no name: nothing is lost
		spools[i] = s
		columns := make([]int, len(r.matches))
		for j, m := range r.matches {
			columns[j] = [2]int{m.old, m.new}[i]
		}
		if err := deal(ctx, side, columns, h, s); err != nil {
			return fmt.Errorf("read the %s table: %w", [2]string{"old", "new"}[i], err)
		}
	}
	// Pairs lie together by the place of their new row, so that they can be sorted.
	for r.shift = 16; new.Rows>>r.shift > maxParts; r.shift++ {
	}
	pairMemory := o.Memory / 2
	r.pairs = newSpool(1, int(new.Rows>>r.shift)+1, &pairMemory, o.Dir)
	j := &join{result: r, old: spools[0], new: spools[1]}
	if err := j.run(ctx, parts); err != nil {
		return err
	}
	return j.duplicate(old.Schema, new.Schema)
}

// deal makes the records of a table, on every processor, and deals them in the order
// of its rows.
func deal(ctx context.Context, s Side, columns []int, h *hasher, to *spool) error {
	shift := 64 - bits.TrailingZeros(uint(len(to.parts)))
	row := uint64(0)
	take := func(records []uint64) error {
		for i := 0; i < len(records); i += recordWords {
			part := 0
			if shift < 64 {
				part = int(records[i] >> shift)
			}
			if err := to.add(part, records[i], records[i+1], records[i+2], row); err != nil {
				return err
			}
			row++
		}
		return nil
	}
	plan := &table.Plan{Schema: s.Schema, Columns: columns}
	splitter, ok := s.Table.(table.Splitter)
	pieces := 0
	if ok {
		pieces = splitter.Split(plan)
	}
	var err error
	if pieces < 2 {
		h = h.clone()
		var records []uint64
		err = s.Table.Rows(ctx, plan, func(b *table.Batch) error {
			records = h.add(records[:0], b)
			return take(records)
		})
	} else {
		err = table.Deal(ctx, splitter, plan, pieces, func() (func(*table.Batch) error, func([]uint64) []uint64) {
			h := h.clone()
			var records []uint64
			add := func(b *table.Batch) error {
				records = h.add(records, b)
				return nil
			}
			return add, func(spare []uint64) []uint64 {
				made := records
				records = spare[:0]
				return made
			}
		}, take)
	}
	if err == nil && int64(row) != s.Rows {
		err = fmt.Errorf("it has %d rows, not %d", row, s.Rows)
	}
	return err
}

// join joins the parts of two spools.
type join struct {
	result   *Result
	old, new *spool

	mu    sync.Mutex  // of the result's rows, and of:
	twice [2][2]int64 // of each table two rows with one key, the earliest second one, counted from 1; 0: none
}

func (j *join) run(ctx context.Context, parts int) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), parts) {
		group.Go(func() error {
			w := &joiner{join: j}
			for {
				part := int(next.Add(1)) - 1
				if part >= parts {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := w.part(part); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// joiner joins one part after the other.
type joiner struct {
	*join
	seen index
	buf  []uint64

	removed, added []uint32
	pairs          []uint64 // new row, then old row in the lower half
}

func (w *joiner) part(part int) error {
	w.removed, w.added, w.pairs = w.removed[:0], w.added[:0], w.pairs[:0]
	w.seen.reset(w.old.parts[part].count)
	find := w.byKey
	if w.result.key == 0 {
		find = w.asMultisets
	}
	if err := find(part); err != nil {
		return err
	}
	w.old.drop(part)
	w.new.drop(part)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, row := range w.removed {
		w.result.removed.add(row)
	}
	for _, row := range w.added {
		w.result.added.add(row)
	}
	for _, p := range w.pairs {
		if err := w.result.pairs.add(int(p>>32>>w.result.shift), p); err != nil {
			return err
		}
	}
	w.result.Rows.Changed += int64(len(w.pairs))
	return nil
}

// byKey joins rows whose keys are unique.
func (w *joiner) byKey(part int) error {
	const fromNew = 1
	err := w.old.each(part, &w.buf, func(words []uint64) {
		for i := 0; i < len(words); i += recordWords {
			e, found := w.seen.find(words[i], words[i+1])
			if found {
				w.noteTwice(0, e.row, words[i+3])
				continue
			}
			e.rest, e.row, e.count[fromNew] = words[i+2], words[i+3], 0
		}
	})
	if err != nil {
		return err
	}
	err = w.new.each(part, &w.buf, func(words []uint64) {
		for i := 0; i < len(words); i += recordWords {
			e, found := w.seen.find(words[i], words[i+1])
			row := words[i+3]
			switch {
			case !found:
				w.added = append(w.added, uint32(row))
				e.count[0] = 1 // in the new table alone
			case e.count[fromNew] > 0:
				w.noteTwice(1, e.other, row)
				continue
			case e.rest != words[i+2]:
				w.pairs = append(w.pairs, row<<32|e.row)
			}
			e.count[fromNew], e.other = 1, row
		}
	})
	if err != nil {
		return err
	}
	for i := range w.seen.entries {
		if e := &w.seen.entries[i]; e.lo != 0 && e.count[fromNew] == 0 {
			w.removed = append(w.removed, uint32(e.row))
		}
	}
	return nil
}

// asMultisets counts equal rows. Those beyond what the other table has are the last.
func (w *joiner) asMultisets(part int) error {
	spools := [2]*spool{w.old, w.new}
	for side, s := range spools {
		err := s.each(part, &w.buf, func(words []uint64) {
			for i := 0; i < len(words); i += recordWords {
				e, _ := w.seen.find(words[i], words[i+1])
				e.count[side]++
			}
		})
		if err != nil {
			return err
		}
	}
	var more [2]bool
	for i := range w.seen.entries {
		e := &w.seen.entries[i]
		e.rest, e.other = 0, 0 // how many were met again
		more[0] = more[0] || e.count[0] > e.count[1]
		more[1] = more[1] || e.count[1] > e.count[0]
	}
	for side, s := range spools {
		if !more[side] {
			continue
		}
		rows := [2]*[]uint32{&w.removed, &w.added}[side]
		err := s.each(part, &w.buf, func(words []uint64) {
			for i := 0; i < len(words); i += recordWords {
				e, _ := w.seen.find(words[i], words[i+1])
				met := [2]*uint64{&e.rest, &e.other}[side]
				if *met++; *met > uint64(e.count[1-side]) {
					*rows = append(*rows, uint32(words[i+3]))
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// noteTwice notes that two rows of a table have one key.
func (w *joiner) noteTwice(side int, first, second uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := &w.twice[side]; t[1] == 0 || int64(second)+1 < t[1] {
		*t = [2]int64{int64(first) + 1, int64(second) + 1}
	}
}

// duplicate is the error of a key that is not unique.
func (j *join) duplicate(old, new *catalog.Schema) error {
	for side, t := range j.twice {
		if t[1] == 0 {
			continue
		}
		names := catalog.Schema{}
		for _, m := range j.result.matches[:j.result.key] {
			names.Fields = append(names.Fields, [2]catalog.Field{old.Fields[m.old], new.Fields[m.new]}[side])
		}
		which, zh := [2]string{"old", "new"}[side], [2]string{"旧", "新"}[side]
		return catalog.Errorf(catalog.Unprocessable, "key_not_unique",
			"rows %d and %d of the %s table have the same key %q: name columns that tell all rows apart, or no key, to compare whole rows", t[0], t[1], which, names.Names()).
			With("columns", names.Names()).With("table", which).With("rows", t).
			InChinese("%s表的第%d行与第%d行主键%q相同：请另选能区分每一行的列，或不写主键，按整行比较", zh, t[0], t[1], names.Names())
	}
	return nil
}

// index finds entries by identity, by open addressing.
type index struct {
	entries []entry
	used    int
}

type entry struct {
	hi, lo uint64 // lo is never 0 where the entry is in use
	rest   uint64
	row    uint64
	other  uint64
	count  [2]uint32
}

func (x *index) reset(expected int64) {
	size := 64
	for size < 1<<16 && int64(size) < 2*expected {
		size *= 2
	}
	if len(x.entries) == size {
		clear(x.entries)
	} else {
		x.entries = make([]entry, size)
	}
	x.used = 0
}

// find returns the entry of an identity, a new one where it is not found. It is valid
// until the next find.
func (x *index) find(hi, lo uint64) (e *entry, found bool) {
	mask := uint64(len(x.entries) - 1)
	for i := (lo >> 1) & mask; ; i = (i + 1) & mask {
		e = &x.entries[i]
		if e.lo == lo && e.hi == hi {
			return e, true
		}
		if e.lo == 0 {
			break
		}
	}
	if x.used*2 >= len(x.entries) {
		x.grow()
		return x.find(hi, lo)
	}
	x.used++
	e.hi, e.lo = hi, lo
	return e, false
}

func (x *index) grow() {
	entries := x.entries
	x.entries = make([]entry, 2*len(entries))
	mask := uint64(len(x.entries) - 1)
	for i := range entries {
		if entries[i].lo == 0 {
			continue
		}
		at := (entries[i].lo >> 1) & mask
		for x.entries[at].lo != 0 {
			at = (at + 1) & mask
		}
		x.entries[at] = entries[i]
	}
}
