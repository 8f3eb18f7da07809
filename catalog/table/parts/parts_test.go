package parts

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/duck"
	"taihu/catalog/table/duck/ducktest"
	"taihu/catalog/table/tabletest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, s table.Source, piece int64) table.Table {
	t.Helper()
	e := New(duck.New(duck.Config{TempDir: t.TempDir()}))
	e.piece = piece
	tab, err := e.Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestAnswersEqualTheOracle(t *testing.T) {
	n := 120
	if testing.Short() {
		n = 10
	}
	tabletest.Run(t, n, func(t *testing.T, schema catalog.Schema, rows [][]table.Value) table.Table {
		var cuts []int // some tables in two or three parts
		if n := len(rows); n > 2 && n%3 != 0 {
			cuts = append(cuts, n/3)
			if n%3 == 2 {
				cuts = append(cuts, n/2)
			}
		}
		return open(t, ducktest.Source(t, schema, rows, cuts...), 50)
	})
}

// TestFileOrderNeedsNoDatabase: pages and filtered exports are answered without
// opening the engine behind.
func TestFileOrderNeedsNoDatabase(t *testing.T) {
	schema := catalog.Schema{Fields: []catalog.Field{{Name: "n", Type: catalog.Integer}, {Name: "区", Type: catalog.String}}}
	var rows [][]table.Value
	for i := range 1000 {
		rows = append(rows, []table.Value{{Int: int64(i)}, {Text: []string{"梁溪区", "滨湖区"}[i%2]}})
	}
	tab := open(t, ducktest.Source(t, schema, rows), pieceRows).(*partsTable)
	defer tab.Close()
	for _, test := range []struct {
		params table.Params
		rows   int
		behind bool
	}{
		{table.Params{Limit: 100}, 100, false},
		{table.Params{Where: "_row > 500"}, 500, false},
		{table.Params{Where: "_row >= 500 and _row < 600 and 区 = '滨湖区'"}, 50, false},
		{table.Params{Where: "n in (3, 5, 2000) or not contains(区, '湖')", Limit: 700}, 502, false},
		{table.Params{Sort: "-n", Limit: 3}, 3, false},
		{table.Params{Sort: "-n"}, 1000, true},
	} {
		q, err := table.Parse(test.params)
		if err != nil {
			t.Fatal(err)
		}
		p, err := q.Check(&schema)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := tab.Rows(t.Context(), p, func(b *table.Batch) error { n += b.Len; return nil }); err != nil || n != test.rows {
			t.Errorf("%+v: %d rows, want %d; %v", test.params, n, test.rows, err)
		}
		if got := tab.behind != nil; got != test.behind {
			t.Errorf("%+v: the engine behind is open: %t", test.params, got)
		}
	}
}

func TestOpenHoldsPartsToTheSource(t *testing.T) {
	schema := catalog.Schema{Fields: []catalog.Field{{Name: "n", Type: catalog.Integer}}}
	good := ducktest.Source(t, schema, [][]table.Value{{{Int: 1}}, {{Int: 2}}})
	other := good
	other.Rows = 3
	missing := good
	missing.Parts = []string{good.Parts[0] + "x"}
	typed := good
	typed.Schema = catalog.Schema{Fields: []catalog.Field{{Name: "n", Type: catalog.Date}}}
	named := good
	named.Schema = catalog.Schema{Fields: []catalog.Field{{Name: "m", Type: catalog.Integer}}}
	cut := good
	data, err := os.ReadFile(good.Parts[0])
	if err != nil {
		t.Fatal(err)
	}
	cut.Parts = []string{t.TempDir() + "/cut"}
	if err := os.WriteFile(cut.Parts[0], data[:len(data)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	none := good
	none.Parts = nil
	for want, s := range map[string]table.Source{"hold 2 rows, not 3": other, "no such file": missing, "stored as integer": typed, "is missing": named, "no footer": cut, "no parts": none} {
		if _, err := New(nil).Open(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	s := ducktest.Big(b)
	tab := open(b, s, pieceRows)
	defer tab.Close()
	all := make([]int, len(s.Schema.Fields))
	for i := range all {
		all[i] = i
	}
	district := table.Compare{Column: 3, Op: table.Equal, Value: table.Value{Text: "滨湖区"}}
	for name, plan := range map[string]table.Plan{
		"random depth":    {},
		"filtered":        {Where: district},
		"contains":        {Where: table.Match{Column: 9, Text: "note 77"}},
		"sorted":          {Sort: []table.Key{{Column: 5, Descending: true}}},
		"sorted by text":  {Sort: []table.Key{{Column: 4}, {Column: 6}}},
		"sorted decimal":  {Sort: []table.Key{{Column: 6, Descending: true}}},
		"nothing to find": {Where: table.Compare{Column: 5, Op: table.Equal, Value: table.Value{Int: -5}}},
	} {
		plan.Schema, plan.Columns, plan.Limit = &s.Schema, all, 100
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if plan.Sort == nil {
					plan.After = &table.Position{Row: rand.Int64N(ducktest.Rows - 1_000_000)}
				}
				if err := tab.Rows(b.Context(), &plan, func(*table.Batch) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			tab, err := New(nil).Open(b.Context(), s)
			if err != nil {
				b.Fatal(err)
			}
			_ = tab.Close()
		}
	})
}
