package diff

import (
	"hash/maphash"
	"math"
	"math/bits"
	"math/rand/v2"

	"taihu/catalog"
	"taihu/catalog/table"
)

// recordWords are the words of a row's record: the 128 bits that identify it, the
// hash of the rest, and its place in the table.
const recordWords = 4

// hasher makes records of rows. The first key columns identify a row; without a key
// all do. Each goroutine has a copy of its own.
type hasher struct {
	how   []how
	key   int
	seeds [2]maphash.Seed
	keys  [][3]uint64 // of each column: for the two lanes of the identity and that of the rest
	begin [3]uint64
	null  uint64

	lanes [3][]uint64
	value []uint64
	text  []byte
}

func newHasher(matches []pair, key int) *hasher {
	h := &hasher{key: key, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, null: rand.Uint64()}
	for _, m := range matches {
		h.how = append(h.how, m.how)
		h.keys = append(h.keys, [3]uint64{rand.Uint64(), rand.Uint64(), rand.Uint64()})
	}
	h.begin = [3]uint64{rand.Uint64(), rand.Uint64(), rand.Uint64()}
	return h
}

func (h *hasher) clone() *hasher {
	c := *h
	c.lanes, c.value, c.text = [3][]uint64{}, nil, nil
	return &c
}

// add appends the records of a batch, whose columns are the matched ones in order.
// The place is left to whoever knows it.
func (h *hasher) add(dst []uint64, b *table.Batch) []uint64 {
	for l := range h.lanes {
		if cap(h.lanes[l]) < b.Len {
			h.lanes[l] = make([]uint64, b.Len)
		}
		h.lanes[l] = h.lanes[l][:b.Len]
		for i := range h.lanes[l] {
			h.lanes[l][i] = h.begin[l]
		}
	}
	if cap(h.value) < b.Len {
		h.value = make([]uint64, b.Len)
	}
	value := h.value[:b.Len]
	for j := range b.Columns {
		v := &b.Columns[j]
		k := &h.keys[j]
		if h.key > 0 && j >= h.key {
			h.values(value, v, h.how[j], 0)
			mix(h.lanes[2], value, k[2])
			continue
		}
		textual := h.values(value, v, h.how[j], 0)
		mix(h.lanes[0], value, k[0])
		if textual { // 64 bits of a text are too few to tell all rows apart
			h.values(value, v, h.how[j], 1)
		}
		mix(h.lanes[1], value, k[1])
	}
	for i := range b.Len {
		dst = append(dst, h.lanes[0][i], h.lanes[1][i]|1, h.lanes[2][i], 0) // |1: an identity is never 0
	}
	return dst
}

// mix goes on with a hash of many rows.
func mix(lane, value []uint64, k uint64) {
	const odd = 0x9e3779b97f4a7c15
	for i, x := range value[:len(lane)] {
		hi, lo := bits.Mul64(x^k, lane[i]^odd)
		lane[i] = hi ^ lo
	}
}

// values gives each value of a column 64 bits, equal ones the same. It reports
// whether they are a hash of more.
func (h *hasher) values(out []uint64, v *table.Vector, how how, seed int) (textual bool) {
	s := h.seeds[seed]
	switch {
	case how != exactly:
		textual = true
		for i := range out {
			if !v.IsNull(i) {
				h.text = how.appendForm(h.text[:0], v, i)
				out[i] = maphash.Bytes(s, h.text)
			}
		}
	case v.Type == catalog.Boolean:
		for i := range out {
			out[i] = 0
			if v.Bool[i] {
				out[i] = 1
			}
		}
	case v.Type == catalog.Number:
		for i := range out {
			out[i] = numberBits(v.Num[i])
		}
	case isText(v):
		textual = true
		for i := range out {
			out[i] = maphash.String(s, v.Text[i])
		}
	default:
		for i := range out {
			out[i] = uint64(v.Int[i])
		}
	}
	if v.Null != nil {
		for i := range out {
			if v.Null[i] {
				out[i] = h.null
			}
		}
	}
	return textual
}

// isText reports whether a vector's values are in Text.
func isText(v *table.Vector) bool {
	return v.Type == catalog.String || v.Type == catalog.JSON || v.Type == catalog.Decimal && table.Wide(v.Precision)
}

// numberBits are equal for doubles that are written the same.
func numberBits(f float64) uint64 {
	if math.IsNaN(f) {
		f = math.NaN()
	}
	return math.Float64bits(f)
}
