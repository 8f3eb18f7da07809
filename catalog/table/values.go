package table

import (
	"hash/maphash"
	"slices"

	"taihu/catalog"
)

// MostValues is how many different values a column may have that is compared value
// by value: they are in memory, eight bytes each.
const MostValues = 8_000_000

// Values collects the different values of a column, by 64 bits of a hash of their
// texts with a seed of this process: of eight million, two are taken for one in one
// run of half a million.
type Values struct {
	seed   maphash.Seed
	hashes []uint64
	sorted int      // of them, at the begin, are in order and each there once
	recent []uint64 // met last, at places by their low bits
	text   []byte
}

// NewValues returns two empty collections that can be compared.
func NewValues() (a, b *Values) {
	seed := maphash.MakeSeed()
	return &Values{seed: seed, recent: make([]uint64, 1<<13)}, &Values{seed: seed, recent: make([]uint64, 1<<13)}
}

// Add takes the values of a vector of so many rows but for nulls and empty texts.
// Unprocessable query_too_expensive where there are more than MostValues.
func (s *Values) Add(v *Vector, rows int) error {
	for i := range rows {
		if v.IsNull(i) {
			continue
		}
		var h uint64
		if v.Type == catalog.String {
			if v.Text[i] == "" {
				continue
			}
			h = maphash.String(s.seed, v.Text[i])
		} else {
			s.text = v.AppendText(s.text[:0], i)
			h = maphash.Bytes(s.seed, s.text)
		}
		if at := h % uint64(len(s.recent)); s.recent[at] != h {
			s.recent[at] = h
			s.hashes = append(s.hashes, h)
		}
	}
	if len(s.hashes) > 2*s.sorted+1<<20 {
		s.settle()
	}
	if s.sorted > MostValues {
		return catalog.Errorf(catalog.Unprocessable, "query_too_expensive", "a column with more than %d different values is not compared value by value: take the estimate, or join the files yourself", MostValues).
			InChinese("不同的值超过%d个的列不逐个比较：请用估计值，或下载后自行关联", MostValues)
	}
	return nil
}

func (s *Values) settle() {
	slices.Sort(s.hashes)
	s.hashes = slices.Compact(s.hashes)
	s.sorted = len(s.hashes)
}

// Len returns how many different values there are.
func (s *Values) Len() int64 {
	s.settle()
	return int64(len(s.hashes))
}

// Overlap counts what two collections share.
func (s *Values) Overlap(o *Values) catalog.Overlap {
	n, m := s.Len(), o.Len()
	shared := int64(0)
	for i, k := 0, 0; i < len(s.hashes) && k < len(o.hashes); {
		switch {
		case s.hashes[i] < o.hashes[k]:
			i++
		case s.hashes[i] > o.hashes[k]:
			k++
		default:
			shared, i, k = shared+1, i+1, k+1
		}
	}
	return catalog.Overlap{Shared: shared, Of: float64(shared) / float64(max(n, 1)), In: float64(shared) / float64(max(m, 1))}
}
