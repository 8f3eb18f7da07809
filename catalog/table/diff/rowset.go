package diff

import "math/bits"

// rowSet is a set of rows, counted from 0.
type rowSet []uint64

func newRowSet(rows int64) rowSet { return make(rowSet, (rows+63)/64) }

func (s rowSet) add(row uint32) { s[row>>6] |= 1 << (row & 63) }

func (s rowSet) fill(rows int64) {
	for i := range rows {
		s.add(uint32(i))
	}
}

func (s rowSet) count() int64 {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return int64(n)
}

// each calls yield with the rows in order, at most size at a time, after skip of
// them, until it returns false.
func (s rowSet) each(skip int64, size int, yield func(rows []uint32) bool) {
	rows := make([]uint32, 0, min(size, 1<<12))
	for i, w := range s {
		if n := int64(bits.OnesCount64(w)); skip >= n {
			skip -= n
			continue
		}
		for ; w != 0; w &= w - 1 {
			if skip > 0 {
				skip--
				continue
			}
			rows = append(rows, uint32(i<<6+bits.TrailingZeros64(w)))
			if len(rows) == size {
				if !yield(rows) {
					return
				}
				rows = rows[:0]
			}
		}
	}
	if len(rows) > 0 {
		yield(rows)
	}
}
