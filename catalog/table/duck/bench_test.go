package duck

import (
	"fmt"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/duck/ducktest"
)

func openBig(t testing.TB, c Config) table.Table {
	t.Helper()
	s := ducktest.Big(t)
	tab, err := New(c).Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tab.Close() })
	return tab
}

func BenchmarkOpen(b *testing.B) {
	s := ducktest.Big(b)
	for b.Loop() {
		tab, err := New(Config{}).Open(b.Context(), s)
		if err != nil {
			b.Fatal(err)
		}
		_ = tab.Close()
	}
}

func BenchmarkScan(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint("threads=", threads), func(b *testing.B) {
			tab := openBig(b, Config{Threads: threads})
			schema := catalog.Schema{Fields: ducktest.Fields}
			for b.Loop() {
				rows := 0
				err := tab.Rows(b.Context(), &table.Plan{Schema: &schema, Columns: allColumns(&schema)}, func(x *table.Batch) error {
					rows += x.Len
					return nil
				})
				if err != nil || rows != ducktest.Rows {
					b.Fatal(rows, err)
				}
			}
		})
	}
}

func BenchmarkPage(b *testing.B) {
	tab := openBig(b, Config{})
	schema := catalog.Schema{Fields: ducktest.Fields}
	district := table.Compare{Column: 3, Op: table.Equal, Value: table.Value{Text: "滨湖区"}}
	note := table.Match{Column: 9, Text: "note 77"}
	for name, plan := range map[string]table.Plan{
		"row 10":              {After: &table.Position{Row: 9}},
		"row 4000000":         {After: &table.Position{Row: 3_999_999}},
		"filtered row 10":     {After: &table.Position{Row: 9}, Where: district},
		"filtered 4000000":    {After: &table.Position{Row: 3_999_999}, Where: district},
		"contains row 10":     {After: &table.Position{Row: 9}, Where: note},
		"sorted":              {Sort: []table.Key{{Column: 5, Descending: true}}},
		"sorted after middle": {Sort: []table.Key{{Column: 5, Descending: true}}, After: &table.Position{Keys: []table.Value{{Int: 250}}, Row: 2_000_000}},
	} {
		plan.Schema, plan.Columns, plan.Limit = &schema, allColumns(&schema), 100
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rows := 0
				err := tab.Rows(b.Context(), &plan, func(x *table.Batch) error { rows += x.Len; return nil })
				if err != nil || rows != 100 {
					b.Fatal(rows, err)
				}
			}
		})
	}
	b.Run("count contains", func(b *testing.B) {
		for b.Loop() {
			n, err := tab.Count(b.Context(), &table.Plan{Schema: &schema, Where: note})
			if err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
	})
}
