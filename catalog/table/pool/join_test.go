package pool_test

import (
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// station writes a table whose codes are every step-th number from … to, as texts
// or as integers, each in several rows.
func station(t *testing.T, dir, name string, typ catalog.Type, from, to, step int) *catalog.Table {
	t.Helper()
	field := catalog.Field{Name: "站号 'a\"", Type: typ}
	out, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := parquet.NewWriter(out, []parquet.Column{parquet.RowNumber(), parquet.ColumnOf(field)}, parquet.Options{})
	b := &table.Batch{Columns: []table.Vector{{Type: catalog.Integer}, {Type: typ}}}
	v := &b.Columns[1]
	add := func(n int, null bool) {
		b.Len++
		b.Columns[0].Int = append(b.Columns[0].Int, int64(b.Len))
		v.Null = append(v.Null, null)
		if typ == catalog.String {
			v.Text = append(v.Text, fmt.Sprint(n))
		} else {
			v.Int = append(v.Int, int64(n))
		}
	}
	for i := from; i < to; i += step {
		for range 1 + i%3 {
			add(i, false)
		}
		if i%11 == 0 {
			add(0, true)
		}
	}
	if typ == catalog.String {
		add(0, false)
		v.Text[b.Len-1] = "" // an empty text is no value
	}
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &catalog.Table{TableSHA256: name, Schema: catalog.Schema{Fields: []catalog.Field{field}}, Rows: int64(b.Len),
		Parts: []catalog.Part{{Blob: catalog.Blob{SHA256: name}, Rows: int64(b.Len)}}}
}

// What two columns share is what DuckDB's own SQL counts, and the estimate of their
// sketches is near it.
func TestOverlap(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, nil)
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for i, c := range []struct {
		a, b             catalog.Type
		from, to, step   int
		from2, to2, two2 int
	}{
		{catalog.String, catalog.String, 0, 900, 1, 600, 1200, 1},
		{catalog.String, catalog.Integer, 0, 30_000, 3, 0, 20_000, 1},
		{catalog.Integer, catalog.Integer, 100, 60_000, 7, 50, 90_000, 2},
		{catalog.Integer, catalog.String, 0, 50, 1, 0, 40_000, 1},
		{catalog.String, catalog.String, 0, 20_000, 1, 20_000, 40_000, 1},
	} {
		one, other := station(t, dir, fmt.Sprint("a", i), c.a, c.from, c.to, c.step), station(t, dir, fmt.Sprint("b", i), c.b, c.from2, c.to2, c.two2)
		column := one.Schema.Fields[0].Name
		got, err := p.Overlap(t.Context(), one, column, other, column, "")
		if err != nil {
			t.Fatal(err)
		}
		values := func(name string) string {
			return fmt.Sprintf(`(SELECT DISTINCT "站号 'a""" :: VARCHAR AS v FROM read_parquet('%s') WHERE v <> '')`, filepath.Join(dir, name))
		}
		var shared, distinct, others int64
		q := "SELECT (SELECT count(*) FROM " + values(one.TableSHA256) + " JOIN " + values(other.TableSHA256) + " USING (v)), (SELECT count(*) FROM " + values(one.TableSHA256) + "), (SELECT count(*) FROM " + values(other.TableSHA256) + ")"
		if err := db.QueryRowContext(t.Context(), q).Scan(&shared, &distinct, &others); err != nil {
			t.Fatal(err)
		}
		if got.Shared != shared || got.Distinct != distinct || got.OtherDistinct != others || got.Of != float64(shared)/float64(distinct) || got.In != float64(shared)/float64(others) {
			t.Errorf("%d: %+v; SQL counts %d of %d and %d", i, got, shared, distinct, others)
		}
		var sketches [2]catalog.ColumnSketch
		for k, tab := range []*catalog.Table{one, other} {
			list, err := p.Sketches(t.Context(), tab, nil)
			if err != nil || len(list) != 1 {
				t.Fatalf("%d sketches, %v", len(list), err)
			}
			sketches[k] = list[0]
		}
		e := sketches[0].Overlap(&sketches[1])
		if off := math.Abs(e.Of - got.Of); e.Sampled >= 32 && off > 0.07 || e.Counted && e.Overlap != got.Overlap {
			t.Errorf("%d: estimated %+v, exact %+v", i, e, got)
		}
	}
	if list, err := p.Sketches(t.Context(), station(t, dir, "c", catalog.String, 0, 50, 1), []string{"站号 'a\""}); err != nil || len(list) != 0 {
		t.Errorf("a column left out has a sketch: %v, %v", list, err)
	}
}
