package table_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
)

// sketchOf is the sketch of a column of texts.
func sketchOf(t *testing.T, values []string) *catalog.ColumnSketch {
	t.Helper()
	s := table.NewSketcher([]catalog.Field{{Name: "a", Type: catalog.String}}, func(string) bool { return false })
	for from := 0; from < len(values); from += 1000 {
		part := values[from:min(len(values), from+1000)]
		if err := s.Add(&table.Batch{Len: len(part), Columns: []table.Vector{{Type: catalog.String, Text: part}}}); err != nil {
			t.Fatal(err)
		}
	}
	list := s.Sketches(func(string) (int64, bool) { return 0, false })
	if len(list) != 1 {
		t.Fatalf("%d sketches of %d values", len(list), len(values))
	}
	return &list[0]
}

func set(values []string) map[string]bool {
	m := map[string]bool{}
	for _, v := range values {
		m[v] = true
	}
	return m
}

// exactOverlap counts what two columns share, value by value.
func exactOverlap(a, b []string) catalog.Overlap {
	x, y := set(a), set(b)
	var o catalog.Overlap
	for v := range x {
		if y[v] {
			o.Shared++
		}
	}
	o.Of, o.In = float64(o.Shared)/float64(len(x)), float64(o.Shared)/float64(len(y))
	return o
}

// Of random sets the estimate is within what a sample of its size allows: five
// standard deviations, and on average half a per cent to two.
func TestOverlapOfRandomSets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var sum, worst float64
	pairs := 0
	for range 40 {
		n, m := 1+r.IntN(20_000), 1+r.IntN(20_000)
		if r.IntN(3) == 0 {
			n, m = 3+r.IntN(1000), 3+r.IntN(1000)
		}
		n, m = max(n, 3), max(m, 3)
		shift := r.IntN(n + 1) // how many of the first the second lacks
		var a, b []string
		for i := range n {
			for range 1 + r.IntN(2) { // some come twice
				a = append(a, fmt.Sprintf("%06d", i*7919))
			}
		}
		for i := range m {
			b = append(b, fmt.Sprintf("%06d", (i+shift)*7919))
		}
		e, exact := sketchOf(t, a).Overlap(sketchOf(t, b)), exactOverlap(a, b)
		if n < catalog.SketchValues && m < catalog.SketchValues {
			if !e.Counted || e.Overlap != exact {
				t.Errorf("%d and %d values: %+v, exact %+v", n, m, e, exact)
			}
			continue
		}
		if e.Counted {
			t.Errorf("%d and %d values cannot have been counted", n, m)
		}
		if e.Sampled < 50 {
			continue // few say little
		}
		for _, x := range [][2]float64{{e.Of, exact.Of}, {e.In, exact.In}} {
			off := math.Abs(x[0] - x[1])
			if most := 5*math.Sqrt(x[1]*(1-x[1])/float64(e.Sampled)) + 0.001; off > most {
				t.Errorf("%d and %d values: share %.3f, exact %.3f, %d sampled", n, m, x[0], x[1], e.Sampled)
			}
			sum, worst, pairs = sum+off, max(worst, off), pairs+1
		}
	}
	mean := sum / float64(pairs)
	t.Logf("%d shares estimated: off by %.4f on average, %.4f at worst", pairs, mean, worst)
	if mean > 0.02 {
		t.Errorf("off by %.4f on average", mean)
	}
}

// Equal texts meet whatever the types; nulls and empty texts count nowhere; types
// whose values name nothing, and columns left out, have no sketch.
func TestSketchesOfTypes(t *testing.T) {
	fields := []catalog.Field{{Name: "code", Type: catalog.String}, {Name: "id", Type: catalog.Integer}, {Name: "day", Type: catalog.Date}, {Name: "iso", Type: catalog.String},
		{Name: "value", Type: catalog.Number}, {Name: "yes", Type: catalog.Boolean}, {Name: "phone", Type: catalog.String}, {Name: "two", Type: catalog.String}, {Name: "far", Type: catalog.Integer}}
	s := table.NewSketcher(fields, func(c string) bool { return c == "phone" })
	b := &table.Batch{Len: 5, Columns: []table.Vector{
		{Type: catalog.String, Text: []string{"3", "1", "2", "", "x"}, Null: []bool{false, false, false, false, true}},
		{Type: catalog.Integer, Int: []int64{1, 2, 3, 4, 5}},
		{Type: catalog.Date, Int: []int64{0, 1, 2, 3, 3}},
		{Type: catalog.String, Text: []string{"1970-01-01", "1970-01-02", "1970-01-03", "1970-01-04", "1970-01-05"}},
		{Type: catalog.Number, Num: []float64{1, 2, 3, 4, 5}},
		{Type: catalog.Boolean, Bool: make([]bool, 5)},
		{Type: catalog.String, Text: []string{"1", "2", "3", "4", "5"}},
		{Type: catalog.String, Text: []string{"甲", "乙", "甲", "乙", "甲"}},
		{Type: catalog.Integer, Int: []int64{320200, 320213, 320214, 320281, 320282}},
	}}
	if err := s.Add(b); err != nil {
		t.Fatal(err)
	}
	by := map[string]*catalog.ColumnSketch{}
	for _, k := range s.Sketches(func(string) (int64, bool) { return 0, false }) {
		by[k.Column] = &k
	}
	if len(by) != 5 || by["code"] == nil || by["id"] == nil || by["day"] == nil || by["iso"] == nil || by["far"] == nil {
		t.Fatalf("sketches of %d columns: %v", len(by), by)
	}
	if got := by["code"].Overlap(by["id"]); got.Overlap != (catalog.Overlap{Shared: 3, Of: 1, In: 0.6}) || !got.Counted {
		t.Errorf("codes in integers: %+v", got)
	}
	if got := by["day"].Overlap(by["iso"]); got.Shared != 4 || got.Of != 1 {
		t.Errorf("dates in texts: %+v", got)
	}
	if got := by["id"].Overlap(by["day"]); got.Shared != 0 {
		t.Errorf("integers in dates: %+v", got)
	}
	if !by["id"].Dense || by["far"].Dense || by["code"].Dense {
		t.Error("a counter is dense, codes are not")
	}
	if !catalog.String.Joins(catalog.Integer) || catalog.Integer.Joins(catalog.Date) || catalog.String.Joins(catalog.Datetime) {
		t.Error("texts can be equal to integers and dates")
	}
}

func TestColumnKey(t *testing.T) {
	for _, name := range []string{"Country Code", "country_code", "CountryCode", "COUNTRY-CODE"} {
		if got := catalog.ColumnKey(name); got != "countrycode" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if a, b := catalog.ColumnKey("区县（代码）"), catalog.ColumnKey("区县代码"); a != b {
		t.Errorf("%s and %s", a, b)
	}
}
