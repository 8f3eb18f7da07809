package table

import (
	"strings"

	"taihu/catalog"
)

// Value copies row i out of the vector; it outlives the batch.
func (v *Vector) Value(i int) Value {
	if v.IsNull(i) {
		return Value{Null: true}
	}
	switch v.Type {
	case catalog.Boolean:
		return Value{Bool: v.Bool[i]}
	case catalog.Number:
		return Value{Num: v.Num[i]}
	case catalog.String, catalog.JSON:
		return Value{Text: strings.Clone(v.Text[i])}
	case catalog.Decimal:
		if Wide(v.Precision) {
			return Value{Text: strings.Clone(v.Text[i])}
		}
	}
	return Value{Int: v.Int[i]}
}
