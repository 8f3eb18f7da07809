package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// SketchRows is how many row hashes a sketch holds.
const SketchRows = 256

// fewestShared is how many rows of a sketch must be found in another before one
// table is called a part of the other.
const fewestShared = 8

// Sketch is a sample of a table's rows: the smallest of their hashes, in order.
// The hashes of equal rows under the same column names are equal, so the sketches
// of a table and of a part of it can be compared.
type Sketch []uint64

// PartOf reports whether, as far as the two samples show, every row of a table
// is in a larger one. Where the larger one has too many rows for its sample to
// meet enough of the smaller one's, it says no.
func (s Sketch) PartOf(whole Sketch) bool {
	met := s
	if len(whole) >= SketchRows { // beyond its last hash the sample says nothing
		last := whole[len(whole)-1]
		n, _ := slices.BinarySearch(s, last+1)
		met = s[:n]
	}
	if len(met) < fewestShared {
		return false
	}
	for _, h := range met {
		if _, there := slices.BinarySearch(whole, h); !there {
			return false
		}
	}
	return true
}

// And returns the sketch of two tables together.
func (s Sketch) And(o Sketch) Sketch {
	all := slices.Concat(s, o)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), SketchRows)]
}

// ColumnsKey is equal for tables with the same column names, in whatever order.
func ColumnsKey(s *Schema) string {
	names := s.Names()
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(names, "\n")))
	return hex.EncodeToString(sum[:16])
}
