// Package parquettest makes tables as batches of columns for the tests and
// benchmarks of writers: random ones of every type with nulls, empty texts and
// extreme values, and the mixed table that figures are measured with.
//
// It is used by tests only and depends on nothing but the table contract.
package parquettest

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Table is a table in memory.
type Table struct {
	Fields  []catalog.Field
	Batches []*table.Batch
}

// Rows counts the rows of all batches.
func (t Table) Rows() int {
	n := 0
	for _, b := range t.Batches {
		n += b.Len
	}
	return n
}

// Texts returns the canonical texts row by row, nil for null.
func (t Table) Texts() [][]*string {
	var rows [][]*string
	for _, b := range t.Batches {
		for i := range b.Len {
			row := make([]*string, len(b.Columns))
			for j := range b.Columns {
				if v := &b.Columns[j]; !v.IsNull(i) {
					s := string(v.AppendText(nil, i))
					row[j] = &s
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// AllTypes are fields of every type, decimals narrow and wide.
func AllTypes() []catalog.Field {
	return []catalog.Field{
		{Name: "是否", Type: catalog.Boolean},
		{Name: "integer", Type: catalog.Integer, Label: catalog.Text{Zh: "整数", En: "Integer"}},
		{Name: "decimal 9,2", Type: catalog.Decimal, Precision: 9, Scale: 2, Unit: "元"},
		{Name: "decimal 18,0", Type: catalog.Decimal, Precision: 18},
		{Name: "decimal 38,10", Type: catalog.Decimal, Precision: 38, Scale: 10},
		{Name: "decimal 38,38", Type: catalog.Decimal, Precision: 38, Scale: 38},
		{Name: "number", Type: catalog.Number},
		{Name: "日期", Type: catalog.Date},
		{Name: "time", Type: catalog.Time},
		{Name: "datetime", Type: catalog.Datetime, Zone: "+08:00"},
		{Name: "datetime, \"UTC\"", Type: catalog.Datetime, Zone: "Z"},
		{Name: "文本", Type: catalog.String},
		{Name: "json", Type: catalog.JSON},
	}
}

// Options shape a random table.
type Options struct {
	Seed  uint64
	Rows  int
	Batch int     // rows of a batch; 0: 1,000
	Nulls float64 // how many of the values are null, from 0 to 1
	Plain bool    // no extreme values: values as they come in life
}

// Random makes a table of these fields.
func Random(fields []catalog.Field, o Options) Table {
	r := rand.New(rand.NewPCG(o.Seed, 1))
	if o.Batch == 0 {
		o.Batch = 1000
	}
	t := Table{Fields: fields}
	for left := o.Rows; left > 0; left -= o.Batch {
		b := &table.Batch{Len: min(left, o.Batch)}
		for _, f := range fields {
			b.Columns = append(b.Columns, vector(r, f, b.Len, o))
		}
		t.Batches = append(t.Batches, b)
	}
	return t
}

// VectorOf returns an empty vector for values of f.
func VectorOf(f catalog.Field) table.Vector {
	return table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone}
}

func vector(r *rand.Rand, f catalog.Field, n int, o Options) table.Vector {
	v := VectorOf(f)
	for i := range n {
		if null := r.Float64() < o.Nulls; null || v.Null != nil {
			if v.Null == nil {
				v.Null = make([]bool, n)
			}
			v.Null[i] = null
		}
		odd := !o.Plain && r.IntN(4) == 0
		switch f.Type {
		case catalog.Boolean:
			v.Bool = append(v.Bool, r.IntN(2) == 0)
		case catalog.Number:
			v.Num = append(v.Num, number(r, odd))
		case catalog.String:
			v.Text = append(v.Text, text(r, odd))
		case catalog.JSON:
			v.Text = append(v.Text, pick(r, `{"a":[1,2.50,null],"b":"<水>"}`, `null`, `""`, `12345678901234567890`, `[]`, fmt.Sprint(r.IntN(1000))))
		case catalog.Decimal:
			if table.Wide(f.Precision) {
				v.Text = append(v.Text, wide(r, f, odd))
				continue
			}
			limit := int64(math.Pow10(f.Precision))
			v.Int = append(v.Int, choose(r, odd, r.Int64N(200000)-100000, limit-1, 1-limit, 0))
		default:
			v.Int = append(v.Int, integer(r, f.Type, odd))
		}
	}
	return v
}

func choose(r *rand.Rand, odd bool, plain int64, extremes ...int64) int64 {
	if odd {
		return pick(r, extremes...)
	}
	return plain
}

func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

func integer(r *rand.Rand, t catalog.Type, odd bool) int64 {
	switch t {
	case catalog.Date:
		return choose(r, odd, 18000+r.Int64N(3000), catalog.DaysOf(1, 1, 1), catalog.DaysOf(9999, 12, 31), catalog.DaysOf(1900, 2, 28), catalog.DaysOf(1900, 3, 1), 0, -1)
	case catalog.Time:
		return choose(r, odd, r.Int64N(86400)*1e6, 0, 86400e6-1, 86399e6, 1, 1500)
	case catalog.Datetime:
		return choose(r, odd, (1.6e9+r.Int64N(1e8))*1e6, catalog.DaysOf(1, 1, 1)*86400e6, catalog.DaysOf(9999, 12, 31)*86400e6+86400e6-1, -1, 0, 1e6, 1500, 123456789, catalog.DaysOf(1900, 2, 28)*86400e6, 1.7e15+250000)
	}
	return choose(r, odd, r.Int64N(100000), math.MaxInt64, math.MinInt64, 0, -1, 999999999999999, 1000000000000000, -999999999999999)
}

func number(r *rand.Rand, odd bool) float64 {
	if odd {
		return pick(r, math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1, 1e21, 1e-7, 1<<53)
	}
	return pick(r, math.Round(r.NormFloat64()*1e4)/100, r.NormFloat64(), float64(r.IntN(500)))
}

func text(r *rand.Rand, odd bool) string {
	if odd {
		return pick(r, "", " ", "\"", "a\"b,c", "line\nbreak", "cr\r\nlf", "\t", "=cmd|'/C calc'!A0", "+1", "-1+1", "@SUM(A1)", "＝1", "NULL", "null", "a\x00b", "\x1f", "_x0041_", "_x005F_", "&lt;<>&'", "\u2028", "😀𠮷", "\ufffe", "00123", " 前后 ", "true", "1e5", strings.Repeat("长", 300))
	}
	return pick(r, "滨湖区", "梁溪区", "新吴区", "惠山区", "锡山区", fmt.Sprintf("太湖大道%d号", r.IntN(1000)), fmt.Sprintf("row %d", r.Uint32()))
}

func wide(r *rand.Rand, f catalog.Field, odd bool) string {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(f.Precision)), nil)
	n := new(big.Int)
	if odd {
		n.Sub(limit, big.NewInt(1))
	} else {
		n.SetUint64(r.Uint64())
		n.Mul(n, n).Mod(n, limit)
	}
	if r.IntN(2) == 0 {
		n.Neg(n)
	}
	sign, digits := "", n.String()
	if n.Sign() < 0 {
		sign, digits = "-", digits[1:]
	}
	if len(digits) <= f.Scale {
		digits = strings.Repeat("0", f.Scale+1-len(digits)) + digits
	}
	if f.Scale == 0 {
		return sign + digits
	}
	return sign + digits[:len(digits)-f.Scale] + "." + digits[len(digits)-f.Scale:]
}
