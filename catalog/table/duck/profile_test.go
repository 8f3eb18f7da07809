package duck

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/duck/ducktest"
	"taihu/catalog/table/memory"
	"taihu/catalog/table/tabletest"
)

// Small tables are profiled exactly, which is to say as the oracle does.
func TestProfileEqualsTheOracle(t *testing.T) {
	for seed := range uint64(80) {
		schema, rows := tabletest.Table(seed)
		got, err := New(Config{}).Profile(t.Context(), ducktest.Source(t, schema, rows))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want, err := memory.NewTable(schema, rows).Profile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range want.Columns {
			g, w := &got.Columns[i], &want.Columns[i]
			if !near(g.Mean, w.Mean) || !near(g.Deviation, w.Deviation) {
				t.Errorf("seed %d, %s: mean %s, deviation %s, want %s, %s", seed, schema.Fields[i].Type, number(g.Mean), number(g.Deviation), number(w.Mean), number(w.Deviation))
			}
			g.Mean, g.Deviation, w.Mean, w.Deviation = nil, nil, nil, nil
			a, _ := json.Marshal(g)
			b, _ := json.Marshal(w)
			if string(a) != string(b) {
				t.Errorf("seed %d, %s:\ngot  %.1500s\nwant %.1500s", seed, schema.Fields[i].Type, a, b)
			}
		}
		if t.Failed() {
			return
		}
	}
}

func number(f *float64) string {
	if f == nil {
		return "none"
	}
	return fmt.Sprint(*f)
}

// near allows what adding doubles in another order can change, and a value that
// left the range of doubles.
func near(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b || a == nil && math.Abs(*b) > 1e300
	}
	return math.Abs(*a-*b) <= 1e-9*max(math.Abs(*a), math.Abs(*b), 1e-300)
}

func TestProfileOfLargeTable(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 5,000,000 rows")
	}
	s := ducktest.Big(t)
	got, err := New(Config{TempDir: t.TempDir()}).Profile(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]catalog.ColumnProfile{}
	for _, c := range got.Columns {
		byName[c.Name] = c
		var total int64
		for _, b := range c.Histogram {
			total += b.Rows
		}
		if len(c.Histogram) > 0 && total != s.Rows-c.Nulls {
			t.Errorf("%s: histogram of %d values, there are %d", c.Name, total, s.Rows-c.Nulls)
		}
	}
	if c := byName["编号"]; c.Exact || c.Distinct < 4_500_000 || c.Distinct > ducktest.Rows || len(c.Top) != 0 || c.Min != "7" || c.Max != "35000000" {
		t.Errorf("编号: %+v", c)
	}
	if c := byName["行政区"]; !c.Exact || c.Distinct != 8 || len(c.Top) != 8 || c.MinLength != 3 || c.MaxLength != 3 {
		t.Errorf("行政区: %+v", c)
	}
	if c := byName["aqi"]; !c.Exact || c.Distinct != 500 || *c.Mean < 249 || *c.Mean > 250 || len(c.Quantiles) != 5 || len(c.Histogram) != 20 {
		t.Errorf("aqi: %+v", c)
	}
	if c := byName["备注"]; c.Exact || c.Nulls < 1_490_000 || c.Nulls > 1_510_000 || c.Distinct < 900_000 || c.Distinct > 1_100_000 {
		t.Errorf("备注: %+v", c)
	}
	for name, want := range map[string][]float64{"aqi": {24, 124, 249, 374, 474}, "编号": {1.75e6, 8.75e6, 17.5e6, 26.25e6, 33.25e6}} {
		for i, q := range byName[name].Quantiles {
			var x float64
			if _, err := fmt.Sscan(q, &x); err != nil || math.Abs(x-want[i]) > 0.01*want[4] {
				t.Errorf("%s: quantile %d is %s, want about %v", name, quantiles[i], q, want[i])
			}
		}
	}
}

func TestSamplePicksOneOfEveryBlock(t *testing.T) {
	s := sampler{every: 7}
	var all []int
	for from := 0; from < 7000; from += 100 {
		for _, i := range s.rows(100) {
			all = append(all, from+i)
		}
	}
	if len(all) != 1000 {
		t.Fatalf("%d rows", len(all))
	}
	offsets := map[int]int{}
	for i, row := range all {
		if row/7 != i {
			t.Fatalf("row %d is the sample's %d", row, i)
		}
		offsets[row%7]++
	}
	for offset, n := range offsets {
		if n < 100 || n > 190 {
			t.Errorf("offset %d is picked %d times of 1000", offset, n)
		}
	}
}

func BenchmarkProfile(b *testing.B) {
	s := ducktest.Big(b)
	e := New(Config{TempDir: b.TempDir()})
	for b.Loop() {
		if _, err := e.Profile(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

var _ table.Engine = New(Config{})
