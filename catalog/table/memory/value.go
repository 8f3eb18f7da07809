package memory

import (
	"cmp"
	"math"
	"math/big"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Compare orders two values of a field that are not null: texts by code point,
// false before true, NaN after every number and equal to itself, −0 equal to 0.
func Compare(f catalog.Field, a, b table.Value) int {
	switch {
	case f.Type == catalog.Boolean && a.Bool == b.Bool:
		return 0
	case f.Type == catalog.Boolean && b.Bool:
		return -1
	case f.Type == catalog.Boolean:
		return 1
	case f.Type == catalog.Number:
		return compareNumbers(a.Num, b.Num)
	case f.Type == catalog.Decimal && table.Wide(f.Precision):
		return units(a.Text).Cmp(units(b.Text))
	case isText(f):
		return strings.Compare(a.Text, b.Text) // UTF-8 bytes sort as code points do
	}
	return cmp.Compare(a.Int, b.Int)
}

func compareNumbers(a, b float64) int {
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	case math.IsNaN(b):
		return -1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// units reads the digits of a wide decimal; all of a column have one scale.
func units(text string) *big.Int {
	n, ok := new(big.Int).SetString(strings.Replace(text, ".", "", 1), 10)
	if !ok {
		panic("not a decimal: " + text)
	}
	return n
}
