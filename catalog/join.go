package catalog

import (
	"slices"
	"strings"
	"unicode"
)

// SketchValues is how many hashes of its values a column's sketch holds. Columns
// with fewer different values are held whole, and what two of them share is counted;
// of larger ones it is estimated (Overlap).
const SketchValues = 1024

// FewestValues is how many different values a column must have for a sketch: fewer
// are shared with half the portal by chance.
const FewestValues = 3

// ColumnSketch is a sample of a column's different values: the smallest of the
// hashes of their texts (architecture.md §6), in order. Equal texts have equal hashes
// whatever the column's type, so that a code written with digits is found in a column
// of integers too.
type ColumnSketch struct {
	Column   string `json:"column"`
	Type     Type   `json:"type"`
	Distinct int64  `json:"distinct"` // different values; counted up to SketchValues, beyond that the profile's
	// Dense integers fill at least half of their range, as years and counters do. They
	// meet those of any other such column by chance, so that only the column's name says
	// whether they mean the same.
	Dense  bool     `json:"dense,omitempty"`
	Hashes []uint64 `json:"hashes"`
}

// Sketched reports whether columns of a type have sketches: those whose values name
// things. Measurements are equal by chance alone, and the times of sensors nearly so.
func (t Type) Sketched() bool {
	return t == String || t == Integer || t == Date || t == Datetime
}

// Joins reports whether values of the two types can be equal by their texts.
func (t Type) Joins(o Type) bool {
	return t == o || t == String && (o == Integer || o == Date) || o == String && (t == Integer || t == Date)
}

// Whole reports whether the sketch holds every value.
func (s *ColumnSketch) Whole() bool { return len(s.Hashes) < SketchValues }

// Overlap is what two columns have in common. Nulls and empty texts count nowhere.
type Overlap struct {
	Shared int64   `json:"shared" doc:"Different values that both have"`
	Of     float64 `json:"of" doc:"Shared as a share of the different values of the column asked about"`
	In     float64 `json:"in" doc:"Shared as a share of the different values of the other column"`
}

// Estimate is an Overlap as two sketches show it.
type Estimate struct {
	Overlap
	// Counted says that both columns have so few values that nothing was estimated.
	Counted bool `json:"counted" doc:"Both columns have so few values that they were counted, not estimated"`
	// Sampled is how many values of either column, the fewer, the estimate stands on.
	Sampled int `json:"sampled" doc:"How many values of either column, the fewer, the estimate stands on; few say little"`
}

// Overlap estimates what two columns share. Both sketches hold every value whose hash
// is at most the smaller of their last ones, which is a fair sample of each column.
func (s *ColumnSketch) Overlap(o *ColumnSketch) Estimate {
	mine, theirs := s.Hashes, o.Hashes
	limit := ^uint64(0)
	for _, x := range []*ColumnSketch{s, o} {
		if !x.Whole() {
			limit = min(limit, x.Hashes[len(x.Hashes)-1])
		}
	}
	mine, theirs = upTo(mine, limit), upTo(theirs, limit)
	both := 0
	for i, k := 0, 0; i < len(mine) && k < len(theirs); {
		switch {
		case mine[i] < theirs[k]:
			i++
		case mine[i] > theirs[k]:
			k++
		default:
			both, i, k = both+1, i+1, k+1
		}
	}
	e := Estimate{Counted: s.Whole() && o.Whole(), Sampled: min(len(mine), len(theirs))}
	if both == 0 {
		return e
	}
	e.Of, e.In = float64(both)/float64(len(mine)), float64(both)/float64(len(theirs))
	// The larger of the two shares is the better known.
	if e.Of >= e.In {
		e.Shared = int64(e.Of*float64(s.Distinct) + 0.5)
	} else {
		e.Shared = int64(e.In*float64(o.Distinct) + 0.5)
	}
	e.Shared = max(1, min(e.Shared, s.Distinct, o.Distinct))
	return e
}

func upTo(hashes []uint64, limit uint64) []uint64 {
	n, found := slices.BinarySearch(hashes, limit)
	if found {
		n++
	}
	return hashes[:n]
}

// ColumnKey is equal for names that differ in case, spaces and signs alone, as
// Country Code, country_code and CountryCode do.
func ColumnKey(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
