package duck

import (
	"fmt"
	"math/big"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// argument is a value for a question mark, with the field that gives its type.
type argument struct {
	field catalog.Field
	value table.Value
}

func integer(n int64) argument {
	return argument{catalog.Field{Type: catalog.Integer}, table.Value{Int: n}}
}

// bind gives the value to parameter i (from 1) with exactly the type that the
// column is stored as, so that DuckDB compares without a cast.
func (a argument) bind(p bindings.PreparedStatement, i bindings.IdxT) error {
	v := a.value
	var state bindings.State
	switch a.field.Type {
	case catalog.Boolean:
		state = bindings.BindBoolean(p, i, v.Bool)
	case catalog.Integer:
		state = bindings.BindInt64(p, i, v.Int)
	case catalog.Decimal:
		unscaled := big.NewInt(v.Int)
		if table.Wide(a.field.Precision) {
			if _, ok := unscaled.SetString(strings.Replace(v.Text, ".", "", 1), 10); !ok {
				return fmt.Errorf("bind decimal %q", v.Text)
			}
		}
		state = bindings.BindDecimal(p, i, bindings.NewDecimal(uint8(a.field.Precision), uint8(a.field.Scale), hugeInt(unscaled)))
	case catalog.Number:
		state = bindings.BindDouble(p, i, v.Num)
	case catalog.Date:
		state = bindings.BindDate(p, i, bindings.NewDate(int32(v.Int)))
	case catalog.Time:
		state = bindings.BindTime(p, i, bindings.NewTime(v.Int))
	case catalog.Datetime:
		state = bindings.BindTimestamp(p, i, bindings.NewTimestamp(v.Int))
	default:
		state = bindings.BindVarchar(p, i, v.Text)
	}
	if state == bindings.StateError {
		return fmt.Errorf("bind parameter %d: %s", i, bindings.PrepareError(p))
	}
	return nil
}

// hugeInt writes n, which has at most 127 bits, as two halves of two's complement.
func hugeInt(n *big.Int) bindings.HugeInt {
	low := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0)))
	return bindings.NewHugeInt(low.Uint64(), new(big.Int).Rsh(n, 64).Int64())
}
