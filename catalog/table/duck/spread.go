package duck

import (
	"cmp"
	"context"
	"math"
	"math/big"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

const (
	histBins   = 20
	sampleRows = 1 << 18 // values that quantiles are taken from
)

// quantiles in per cent.
var quantiles = []int{5, 25, 50, 75, 95}

// spread reads the ordered columns of a group once, batch after batch, and fills
// mean, deviation, histogram and quantiles. Values are counted in whole units: of
// the decimal's scale, days, microseconds; doubles as they are.
func (t *duckTable) spread(ctx context.Context, group []*columnFacts) error {
	var names []string
	var fields []catalog.Field
	var meters []meter
	for _, c := range group {
		if !c.ordered() || c.values == 0 {
			continue
		}
		names = append(names, quoteName(c.field.Name))
		fields = append(fields, c.field)
		meters = append(meters, newMeter(c))
	}
	if len(meters) == 0 {
		return nil
	}
	pick := sampler{every: (t.source.Rows + sampleRows - 1) / sampleRows}
	all := statement{text: "SELECT " + strings.Join(names, ", ") + " FROM " + group[0].relation}
	err := t.query(ctx, all, fields, func(b *table.Batch) error {
		rows := pick.rows(b.Len)
		for i, m := range meters {
			m.add(&b.Columns[i], b.Len, rows)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, m := range meters {
		m.finish()
	}
	return nil
}

// meter measures one column.
type meter interface {
	add(v *table.Vector, n int, sample []int)
	finish()
}

func newMeter(c *columnFacts) meter {
	switch {
	case c.field.Type == catalog.Number:
		return newNumberMeter(c)
	case c.field.Type == catalog.Decimal && table.Wide(c.field.Precision):
		return newWideMeter(c)
	}
	return newWholeMeter(c)
}

// sampler picks one row of every block of so many, at a place in the block that
// looks random and is always the same: data with a period must not fool it.
type sampler struct {
	every, seen int64
	picked      []int
}

// rows returns which rows of the next n are in the sample.
func (s *sampler) rows(n int) []int {
	s.picked = s.picked[:0]
	end := s.seen + int64(n)
	for block := s.seen / s.every; block*s.every < end; block++ {
		x := uint64(block) * 0x9E3779B97F4A7C15
		x = (x ^ x>>29) * 0xBF58476D1CE4E5B9
		if at := block*s.every + int64((x>>32)%uint64(s.every)); at >= s.seen && at < end {
			s.picked = append(s.picked, int(at-s.seen))
		}
	}
	s.seen = end
	return s.picked
}

// quantilesOf returns the value at ⌈n·q⌉, counted from 1, for each quantile.
func quantilesOf[T any](sorted []T, text func(T) string) []string {
	var out []string
	for _, q := range quantiles {
		if n := len(sorted); n > 0 {
			out = append(out, text(sorted[max(1, (n*q+99)/100)-1]))
		}
	}
	return out
}

// moments gathers mean and deviation batch after batch (Chan, Golub, LeVeque:
// "Updating Formulae", 1979): first the mean of a batch, then the squares of
// the distances from it, then both join the rest.
type moments struct {
	n       float64
	mean    float64 // less shift, so that columns of one value come out exact
	squares float64
	shift   float64
}

func (m *moments) add(values []float64) {
	if len(values) == 0 {
		return
	}
	n, sum := float64(len(values)), 0.0
	for _, x := range values {
		sum += x
	}
	mean, squares := sum/n, 0.0
	for _, x := range values {
		squares += (x - mean) * (x - mean)
	}
	distance := mean - m.mean
	all := m.n + n
	m.mean += distance * n / all
	m.squares += squares + distance*distance*m.n*n/all
	m.n = all
}

// result gives mean and sample deviation, multiplied by factor; nil is what
// cannot be told, or not in a double.
func (m *moments) result(factor float64) (mean, deviation *float64) {
	finite := func(x float64) *float64 {
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return nil
		}
		return &x
	}
	if m.n > 0 {
		mean = finite((m.mean + m.shift) * factor)
	}
	if m.n > 1 {
		deviation = finite(math.Sqrt(m.squares/(m.n-1)) * factor)
	}
	return mean, deviation
}

// vectorText is the canonical text of one value of a field.
func vectorText(f catalog.Field, v table.Value) string {
	x := table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone,
		Int: []int64{v.Int}, Num: []float64{v.Num}, Text: []string{v.Text}}
	return string(x.AppendText(nil, 0))
}

// wholeMeter measures what is kept as 64-bit units.
type wholeMeter struct {
	c          *columnFacts
	low, width uint64 // the span of two int64 fits a uint64
	bins       [histBins]int64
	moments
	floats []float64
	sample []int64
}

func newWholeMeter(c *columnFacts) *wholeMeter {
	span := uint64(c.high.Int) - uint64(c.low.Int)
	return &wholeMeter{c: c, low: uint64(c.low.Int), width: span/histBins + 1, moments: moments{shift: float64(c.low.Int)}}
}

func (m *wholeMeter) add(v *table.Vector, n int, sample []int) {
	m.floats = m.floats[:0]
	for i, x := range v.Int[:n] {
		if v.Null != nil && v.Null[i] {
			continue
		}
		above := uint64(x) - m.low
		m.bins[above/m.width]++
		m.floats = append(m.floats, float64(above))
	}
	if numeric(m.c.field) {
		m.moments.add(m.floats)
	}
	for _, i := range sample {
		if !v.IsNull(i) {
			m.sample = append(m.sample, v.Int[i])
		}
	}
}

// numeric reports whether a field has a mean.
func numeric(f catalog.Field) bool {
	return f.Type == catalog.Integer || f.Type == catalog.Decimal || f.Type == catalog.Number
}

func (m *wholeMeter) finish() {
	text := func(x int64) string { return vectorText(m.c.field, table.Value{Int: x}) }
	slices.Sort(m.sample)
	m.c.out.Quantiles = quantilesOf(m.sample, text)
	if numeric(m.c.field) {
		m.c.out.Mean, m.c.out.Deviation = m.result(math.Pow10(-m.c.field.Scale))
	}
	last := int((uint64(m.c.high.Int) - m.low) / m.width)
	for i := range last + 1 {
		bin := catalog.HistBin{From: text(int64(m.low + uint64(i)*m.width)), To: m.c.out.Max, Rows: m.bins[i]}
		if i < last {
			bin.To = text(int64(m.low + uint64(i+1)*m.width))
		}
		m.c.out.Histogram = append(m.c.out.Histogram, bin)
	}
}

// numberMeter measures doubles. NaN and the infinities count in quantiles only.
type numberMeter struct {
	c     *columnFacts
	edges []float64 // where the bins begin
	bins  []int64
	per   float64 // bins in 1
	scale float64 // values are divided by it for the moments
	moments
	floats []float64
	sample []float64
}

func newNumberMeter(c *columnFacts) *numberMeter {
	m := &numberMeter{c: c, scale: 1}
	if c.finiteLow.Null {
		return m
	}
	low, high := c.finiteLow.Num, c.finiteHigh.Num
	m.edges = numberEdges(low, high)
	m.bins = make([]int64, len(m.edges))
	m.per = histBins / (high - low)
	// Squares of very large or small values leave the range of doubles.
	if most := max(math.Abs(low), math.Abs(high)); most > 1e100 || most < 1e-100 && most > 0 {
		_, exponent := math.Frexp(most)
		m.scale = math.Ldexp(1, min(max(exponent, -1022), 1023))
	}
	m.shift = low / m.scale
	return m
}

// numberEdges divides the span of finite doubles in histBins; edges that fall
// together are one.
func numberEdges(low, high float64) []float64 {
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
	return edges
}

func (m *numberMeter) add(v *table.Vector, n int, sample []int) {
	m.floats = m.floats[:0]
	for i, x := range v.Num[:n] {
		if v.Null != nil && v.Null[i] || math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		m.bins[m.bin(x)]++
		m.floats = append(m.floats, x/m.scale-m.shift)
	}
	m.moments.add(m.floats)
	for _, i := range sample {
		if !v.IsNull(i) {
			m.sample = append(m.sample, v.Num[i]+0)
		}
	}
}

// bin guesses by division and moves to where the edges say.
func (m *numberMeter) bin(x float64) int {
	i := 0
	if guess := (x - m.edges[0]) * m.per; guess > 0 && guess < histBins {
		i = min(int(guess), len(m.edges)-1)
	}
	for i > 0 && x < m.edges[i] {
		i--
	}
	for i+1 < len(m.edges) && x >= m.edges[i+1] {
		i++
	}
	return i
}

func (m *numberMeter) finish() {
	text := func(x float64) string { return vectorText(m.c.field, table.Value{Num: x}) }
	slices.SortFunc(m.sample, func(a, b float64) int { // NaN is the greatest
		switch {
		case math.IsNaN(a) || math.IsNaN(b):
			return cmp.Compare(b2i(math.IsNaN(a)), b2i(math.IsNaN(b)))
		}
		return cmp.Compare(a, b)
	})
	m.c.out.Quantiles = quantilesOf(m.sample, text)
	m.c.out.Mean, m.c.out.Deviation = m.result(m.scale)
	for i, e := range m.edges {
		bin := catalog.HistBin{From: text(e), To: text(m.c.finiteHigh.Num), Rows: m.bins[i]}
		if i+1 < len(m.edges) {
			bin.To = text(m.edges[i+1])
		}
		m.c.out.Histogram = append(m.c.out.Histogram, bin)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// wideMeter measures decimals of more than 18 digits. It is slow, and they are
// rare.
type wideMeter struct {
	c          *columnFacts
	low, width *big.Int
	bins       [histBins]int64
	moments
	floats []float64
	sample []*big.Int
}

func newWideMeter(c *columnFacts) *wideMeter {
	m := &wideMeter{c: c, low: unitsOf(c.low.Text)}
	m.shift, _ = new(big.Float).SetInt(m.low).Float64()
	m.width = new(big.Int).Sub(unitsOf(c.high.Text), m.low)
	m.width.Quo(m.width, big.NewInt(histBins)).Add(m.width, big.NewInt(1))
	return m
}

// unitsOf reads canonical digits as a whole number of units.
func unitsOf(text string) *big.Int {
	n, _ := new(big.Int).SetString(strings.Replace(text, ".", "", 1), 10)
	return n
}

func (m *wideMeter) bin(x *big.Int) int {
	d := new(big.Int).Sub(x, m.low)
	return int(d.Quo(d, m.width).Int64())
}

func (m *wideMeter) add(v *table.Vector, n int, sample []int) {
	m.floats = m.floats[:0]
	for i, text := range v.Text[:n] {
		if v.IsNull(i) {
			continue
		}
		x := unitsOf(text)
		m.bins[m.bin(x)]++
		f, _ := new(big.Float).SetInt(x.Sub(x, m.low)).Float64()
		m.floats = append(m.floats, f)
	}
	m.moments.add(m.floats)
	for _, i := range sample {
		if !v.IsNull(i) {
			m.sample = append(m.sample, unitsOf(v.Text[i]))
		}
	}
}

func (m *wideMeter) finish() {
	text := func(x *big.Int) string { return string(appendScaled(nil, x, m.c.field.Scale)) }
	slices.SortFunc(m.sample, (*big.Int).Cmp)
	m.c.out.Quantiles = quantilesOf(m.sample, text)
	m.c.out.Mean, m.c.out.Deviation = m.result(math.Pow10(-m.c.field.Scale))
	last := m.bin(unitsOf(m.c.high.Text))
	edge := func(i int) string {
		e := new(big.Int).Mul(m.width, big.NewInt(int64(i)))
		return text(e.Add(e, m.low))
	}
	for i := range last + 1 {
		bin := catalog.HistBin{From: edge(i), To: m.c.out.Max, Rows: m.bins[i]}
		if i < last {
			bin.To = edge(i + 1)
		}
		m.c.out.Histogram = append(m.c.out.Histogram, bin)
	}
}
