package memory

import (
	"math"
	"math/big"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// grouped makes the groups of a plan a table of their own, and the plan one over
// its rows.
func (t *Table) grouped(p *table.Plan) (*Table, *table.Plan) {
	if p.Group == nil {
		return t, p
	}
	g := p.Group
	source := &table.Plan{Schema: g.Schema}
	type group struct {
		keys []table.Value
		rows []int64
	}
	var groups []*group
	for row := int64(1); row <= int64(len(t.rows)); row++ {
		if c := g.Condition(); c != nil && !t.holds(source, c, row) {
			continue
		}
		keys := make([]table.Value, len(g.Keys))
		for i, k := range g.Keys {
			keys[i] = t.key(source, k, row)
		}
		i := slices.IndexFunc(groups, func(other *group) bool { return orderKeys(g.Keys, other.keys, keys) == 0 })
		if i < 0 {
			groups = append(groups, &group{keys: keys})
			i = len(groups) - 1
		}
		groups[i].rows = append(groups[i].rows, row)
	}
	if len(g.Keys) == 0 && len(groups) == 0 {
		groups = append(groups, &group{})
	}
	slices.SortFunc(groups, func(a, b *group) int { return orderKeys(g.Keys, a.keys, b.keys) })
	var rows [][]table.Value
	for _, group := range groups {
		row := group.keys
		for _, a := range g.Aggregates {
			row = append(row, t.aggregate(source, a, group.rows))
		}
		rows = append(rows, row)
	}
	plain := *p
	plain.Group = nil
	return NewTable(*p.Schema, rows), &plain
}

// orderKeys compares the keys of two groups, nulls last.
func orderKeys(terms []table.Term, a, b []table.Value) int {
	for i, t := range terms {
		switch {
		case a[i].Null && b[i].Null:
			continue
		case a[i].Null:
			return 1
		case b[i].Null:
			return -1
		}
		if c := Compare(t.Field, a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

func (t *Table) key(source *table.Plan, k table.Term, row int64) table.Value {
	v := t.cell(row, k.Column)
	if v.Null {
		return v
	}
	f := source.Field(k.Column)
	switch {
	case k.Func == table.Trunc:
		return table.Value{Int: trunc(f, k, v.Int)}
	case k.Func == table.Bin && k.Width > 0:
		x, width := big.NewInt(v.Int), big.NewInt(k.Width)
		rest := new(big.Int).Mod(x, width) // Euclidean: never negative
		return table.Value{Text: x.Sub(x, rest).String()}
	case k.Func == table.Bin:
		return table.Value{Num: round(math.Floor(number(f, v)/k.Step)*k.Step, k.Digits)}
	case f.Type == catalog.Number:
		return table.Value{Num: v.Num + 0} // minus zero is zero
	}
	return v
}

// round rounds half away from zero, where that can be told.
func round(x float64, digits int) float64 {
	if digits == 0 {
		return x + 0
	}
	factor := math.Pow(10, float64(digits))
	if r := math.Round(x*factor) / factor; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r + 0
	}
	return x
}

const minute = 60_000_000 // microseconds

// trunc cuts a date or datetime to the beginning of the unit.
func trunc(f catalog.Field, k table.Term, at int64) int64 {
	floor := func(x, unit int64) int64 { return x - ((x%unit)+unit)%unit }
	switch k.Unit {
	case "minute":
		return floor(at, minute)
	case "hour":
		return floor(at, 60*minute)
	}
	days := at
	if f.Type == catalog.Datetime {
		days = floor(at, 1440*minute) / (1440 * minute)
	}
	year, month, _ := catalog.DateOf(days)
	switch k.Unit {
	case "week":
		return floor(days+3, 7) - 3 // 1970-01-01 was a Thursday
	case "month":
		return catalog.DaysOf(year, month, 1)
	case "quarter":
		return catalog.DaysOf(year, (month-1)/3*3+1, 1)
	case "year":
		return catalog.DaysOf(year, 1, 1)
	}
	return days
}

// number is a value of a column of numbers as a double.
func number(f catalog.Field, v table.Value) float64 {
	switch {
	case f.Type == catalog.Number:
		return v.Num
	case f.Type == catalog.Decimal:
		x, _ := new(big.Rat).SetFrac(unscaled(f, v), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(f.Scale)), nil)).Float64()
		return x
	}
	return float64(v.Int)
}

func unscaled(f catalog.Field, v table.Value) *big.Int {
	if f.Type == catalog.Decimal && table.Wide(f.Precision) {
		return units(v.Text)
	}
	return big.NewInt(v.Int)
}

func (t *Table) aggregate(source *table.Plan, a table.Term, rows []int64) table.Value {
	if a.Column == table.AllRows {
		return table.Value{Int: int64(len(rows))}
	}
	f := source.Field(a.Column)
	var values []table.Value
	for _, row := range rows {
		if v := t.cell(row, a.Column); !v.Null {
			values = append(values, v)
		}
	}
	switch a.Func {
	case table.Count:
		return table.Value{Int: int64(len(values))}
	case table.Distinct:
		slices.SortFunc(values, func(x, y table.Value) int { return Compare(f, x, y) })
		return table.Value{Int: int64(len(slices.CompactFunc(values, func(x, y table.Value) bool { return Compare(f, x, y) == 0 })))}
	}
	if len(values) == 0 {
		return table.Value{Null: true}
	}
	switch a.Func {
	case table.Min:
		return slices.MinFunc(values, func(x, y table.Value) int { return Compare(f, x, y) })
	case table.Max:
		return slices.MaxFunc(values, func(x, y table.Value) int { return Compare(f, x, y) })
	case table.Sum:
		return sum(f, a.Field, values)
	case table.Avg:
		if f.Type == catalog.Number {
			return table.Value{Num: sum(f, f, values).Num / float64(len(values))}
		}
		total := new(big.Int)
		for _, v := range values {
			total.Add(total, unscaled(f, v))
		}
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(f.Scale)), nil)
		x, _ := new(big.Rat).SetFrac(total, scale.Mul(scale, big.NewInt(int64(len(values))))).Float64()
		return table.Value{Num: x}
	case table.Median:
		return table.Value{Num: quantile(f, values, 0.5)}
	case table.Quantile:
		return table.Value{Num: quantile(f, values, a.Fraction)}
	}
	panic("unknown aggregate")
}

// sum adds exactly where the answer is a decimal, else doubles in their order.
func sum(f, answer catalog.Field, values []table.Value) table.Value {
	if answer.Type == catalog.Number {
		total := 0.0
		for _, v := range values {
			total += number(f, v)
		}
		return table.Value{Num: total}
	}
	total := new(big.Int)
	for _, v := range values {
		total.Add(total, unscaled(f, v))
	}
	return table.Value{Text: decimalText(total, answer.Scale)}
}

func decimalText(n *big.Int, scale int) string {
	digits := new(big.Int).Abs(n).String()
	if short := scale + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// quantile interpolates between the two values around the place.
func quantile(f catalog.Field, values []table.Value, fraction float64) float64 {
	numbers := make([]float64, len(values))
	for i, v := range values {
		numbers[i] = number(f, v)
	}
	slices.SortFunc(numbers, compareNumbers)
	at := float64(len(numbers)-1) * fraction
	low, high := int(math.Floor(at)), int(math.Ceil(at))
	if low == high {
		return numbers[low]
	}
	return numbers[low] + (numbers[high]-numbers[low])*(at-float64(low))
}
