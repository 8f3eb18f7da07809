package memory

import (
	"context"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"

	"taihu/catalog"
	"taihu/catalog/table"
)

const histBins = 20

// quantiles in per cent.
var quantiles = []int{5, 25, 50, 75, 95}

// Profile counts every column exactly:
//
//   - Distinct, Min, Max, Top over the values that are not null, NaN being one
//     value and the greatest, −0 being 0; Top by rows, then by value;
//   - Quantiles: of n sorted values the one at ⌈n·q⌉, counted from 1;
//   - Mean and Deviation (sample) over the finite numbers, rounded once at the
//     end; none where there are no (for Deviation: not two) such numbers;
//   - Histogram over the finite values, see histogram.
func (t *Table) Profile(ctx context.Context) (*catalog.Profile, error) {
	p := &catalog.Profile{Rows: int64(len(t.rows)), Columns: make([]catalog.ColumnProfile, len(t.schema.Fields))}
	for i, f := range t.schema.Fields {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var values []table.Value
		for _, row := range t.rows {
			v := row[i]
			if v.Null {
				continue
			}
			if v.Num == 0 {
				v.Num = 0 // −0
			}
			values = append(values, v)
		}
		p.Columns[i] = profile(f, values)
		p.Columns[i].Nulls = p.Rows - int64(len(values))
	}
	return p, nil
}

func profile(f catalog.Field, values []table.Value) catalog.ColumnProfile {
	c := catalog.ColumnProfile{Name: f.Name, Exact: true}
	if len(values) == 0 {
		return c
	}
	slices.SortStableFunc(values, func(a, b table.Value) int { return Compare(f, a, b) })
	c.Min, c.Max = text(f, values[0]), text(f, values[len(values)-1])
	var frequent []catalog.Count
	c.Distinct, frequent = count(f, values)
	c.SetFrequent(frequent, f.Type == catalog.String)
	switch f.Type {
	case catalog.String, catalog.JSON:
		lengths(&c, values)
		return c
	case catalog.Boolean:
		return c
	case catalog.Integer, catalog.Decimal, catalog.Number:
		c.Mean, c.Deviation = moments(f, values)
	}
	for _, q := range quantiles {
		c.Quantiles = append(c.Quantiles, text(f, values[max(1, (len(values)*q+99)/100)-1]))
	}
	c.Histogram = histogram(f, values)
	return c
}

// text is the canonical text of a value.
func text(f catalog.Field, v table.Value) string {
	column := vector(f, 1, func(int) table.Value { return v })
	return string(column.AppendText(nil, 0))
}

// count counts the distinct values of a sorted list, the most frequent first.
func count(f catalog.Field, sorted []table.Value) (distinct int64, top []catalog.Count) {
	for i, v := range sorted {
		if i == 0 || Compare(f, sorted[i-1], v) != 0 {
			top = append(top, catalog.Count{Value: text(f, v)})
		}
		top[len(top)-1].Rows++
	}
	distinct = int64(len(top))
	slices.SortStableFunc(top, func(a, b catalog.Count) int { return int(b.Rows - a.Rows) })
	return distinct, top
}

func lengths(c *catalog.ColumnProfile, values []table.Value) {
	for i, v := range values {
		n := int64(utf8.RuneCountInString(v.Text))
		if n == 0 {
			c.Empty++
		}
		if i == 0 || n < c.MinLength {
			c.MinLength = n
		}
		c.MaxLength = max(c.MaxLength, n)
	}
}

// moments adds exactly, in fractions, and rounds at the end.
func moments(f catalog.Field, values []table.Value) (mean, deviation *float64) {
	sum, squares, n := new(big.Rat), new(big.Rat), int64(0)
	for _, v := range values {
		if math.IsNaN(v.Num) || math.IsInf(v.Num, 0) {
			continue
		}
		x, ok := new(big.Rat).SetString(text(f, v))
		if f.Type == catalog.Number {
			x, ok = new(big.Rat).SetFloat64(v.Num), true
		}
		if !ok {
			panic("not a number: " + text(f, v))
		}
		sum.Add(sum, x)
		squares.Add(squares, x.Mul(x, x))
		n++
	}
	if n == 0 {
		return nil, nil
	}
	count := new(big.Rat).SetInt64(n)
	average := new(big.Rat).Quo(sum, count)
	m, _ := average.Float64()
	if n == 1 {
		return &m, nil
	}
	variance := squares.Sub(squares, new(big.Rat).Mul(average, sum))
	variance.Quo(variance, new(big.Rat).SetInt64(n-1))
	root := new(big.Float).SetPrec(200).SetRat(variance)
	d, _ := root.Sqrt(root).Float64()
	return &m, &d
}

// histogram counts the finite values of a sorted list in at most histBins bins of
// equal width. Doubles: the span divided by histBins. All others are whole units
// (of the decimal's scale, days, microseconds): the width is the span in units,
// both ends included, divided by histBins and rounded up, and there are as many
// bins as it takes. The last bin ends at the greatest value.
func histogram(f catalog.Field, sorted []table.Value) []catalog.HistBin {
	if f.Type == catalog.Number {
		var finite []float64
		for _, v := range sorted {
			if !math.IsNaN(v.Num) && !math.IsInf(v.Num, 0) {
				finite = append(finite, v.Num)
			}
		}
		return histogramOfNumbers(finite)
	}
	unit := func(v table.Value) *big.Int {
		if isText(f) {
			return units(v.Text)
		}
		return big.NewInt(v.Int)
	}
	low, high := unit(sorted[0]), unit(sorted[len(sorted)-1])
	width := new(big.Int).Sub(high, low) // span - 1
	width.Quo(width, big.NewInt(histBins)).Add(width, big.NewInt(1))
	bin := func(v table.Value) int {
		n := new(big.Int).Sub(unit(v), low)
		return int(n.Quo(n, width).Int64())
	}
	bins := make([]catalog.HistBin, bin(sorted[len(sorted)-1])+1)
	edge := func(i int) string {
		e := new(big.Int).Mul(width, big.NewInt(int64(i)))
		return textOfUnits(f, e.Add(e, low))
	}
	for i := range bins {
		bins[i].From, bins[i].To = edge(i), text(f, sorted[len(sorted)-1])
		if i+1 < len(bins) {
			bins[i].To = edge(i + 1)
		}
	}
	for _, v := range sorted {
		bins[bin(v)].Rows++
	}
	return bins
}

// textOfUnits is the canonical text of units that lie between two values of the
// field.
func textOfUnits(f catalog.Field, u *big.Int) string {
	if !isText(f) {
		return text(f, table.Value{Int: u.Int64()})
	}
	return new(big.Rat).SetFrac(u, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(f.Scale)), nil)).FloatString(f.Scale)
}

func histogramOfNumbers(finite []float64) []catalog.HistBin {
	if len(finite) == 0 {
		return nil
	}
	f := catalog.Field{Type: catalog.Number}
	low, high := finite[0], finite[len(finite)-1]
	width := high/histBins - low/histBins
	edges := []float64{low}
	for i := 1; i < histBins; i++ {
		e := low + float64(i)*width
		if math.IsInf(float64(i)*width, 0) { // the span is beyond a double, half of it is not
			e = low + float64(i/2)*width + float64(i-i/2)*width
		}
		if e > edges[len(edges)-1] && e < high {
			edges = append(edges, e)
		}
	}
	bins := make([]catalog.HistBin, len(edges))
	for i, e := range edges {
		bins[i].From, bins[i].To = text(f, table.Value{Num: e}), text(f, table.Value{Num: high})
		if i > 0 {
			bins[i-1].To = bins[i].From
		}
	}
	at := 0
	for _, x := range finite {
		for at+1 < len(edges) && x >= edges[at+1] {
			at++
		}
		bins[at].Rows++
	}
	return bins
}
