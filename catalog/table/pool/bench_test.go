package pool_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"taihu/catalog"
	"taihu/catalog/child"
	"taihu/catalog/table"
	"taihu/catalog/table/duck/ducktest"
	"taihu/catalog/table/pool"
)

func bigTable(b *testing.B) (dir string, t *catalog.Table) {
	s := ducktest.Big(b)
	name := filepath.Base(s.Parts[0])
	return filepath.Dir(s.Parts[0]), &catalog.Table{TableSHA256: "big", Schema: s.Schema, Rows: s.Rows,
		Parts: []catalog.Part{{Blob: catalog.Blob{SHA256: name}, Rows: s.Rows}}}
}

// BenchmarkPage is a page of 100 rows from a warm child, median.
func BenchmarkPage(b *testing.B) {
	dir, tab := bigTable(b)
	p := start(b, dir, nil)
	for _, row := range []int64{10, 4_000_000} {
		b.Run(fmt.Sprint("row=", row), func(b *testing.B) {
			params := table.Params{Cursor: table.Cursor{Release: 1, Query: hash(b, tab), Position: table.Position{Row: row - 1}}.String()}
			var times []time.Duration
			for b.Loop() {
				began := time.Now()
				a, err := p.Rows(b.Context(), tab, params, pool.RowsOptions{NoCells: true})
				if err != nil || len(a.JSON) < 1000 {
					b.Fatal(err)
				}
				times = append(times, time.Since(began))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "median-ms")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

func hash(b *testing.B, t *catalog.Table) string {
	q, err := table.Parse(table.Params{})
	if err != nil {
		b.Fatal(err)
	}
	plan, err := q.CheckTable(t.TableSHA256, &t.Schema)
	if err != nil {
		b.Fatal(err)
	}
	return plan.Hash()
}

// BenchmarkExport is the whole table as text through a child, in file order and
// sorted, and how much memory the child had at most.
func BenchmarkExport(b *testing.B) {
	dir, tab := bigTable(b)
	for name, params := range map[string]table.Params{"whole": {}, "filtered": {Where: "行政区 = '滨湖区'"}, "sorted": {Sort: "-aqi,站点"}} {
		b.Run(name, func(b *testing.B) {
			p := start(b, dir, nil)
			for b.Loop() {
				got, err := p.Export(b.Context(), tab, params, pool.ExportOptions{Format: "lines"}, io.Discard)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(got.Bytes)
			}
			b.ReportMetric(float64(rss(b)>>20), "child-MB")
		})
	}
}

// BenchmarkDuckCopy is what BenchmarkExport is held against: DuckDB's own CSV
// writer into a pipe that cat empties.
func BenchmarkDuckCopy(b *testing.B) {
	dir, tab := bigTable(b)
	for b.Loop() {
		pipe := filepath.Join(b.TempDir(), "pipe")
		if out, err := exec.Command("mkfifo", pipe).CombinedOutput(); err != nil {
			b.Fatal(string(out))
		}
		cat := exec.Command("sh", "-c", "cat '"+pipe+"' > /dev/null")
		if err := cat.Start(); err != nil {
			b.Fatal(err)
		}
		_, err := child.Run(context.Background(), child.Spec{Args: []string{"duck-copy", filepath.Join(dir, tab.Parts[0].Blob.SHA256), pipe}}, nil, 1000)
		if err != nil {
			b.Fatal(err)
		}
		_ = cat.Wait()
		_ = os.Remove(pipe)
	}
}

// duckCopy is the child of BenchmarkDuckCopy.
func duckCopy(from, to string) {
	var db bindings.Database
	var conn bindings.Connection
	var message string
	bindings.OpenExt(":memory:", &db, bindings.Config{}, &message)
	bindings.Connect(db, &conn)
	for _, sql := range []string{"SET threads = 2", "COPY (SELECT * EXCLUDE (_row) FROM read_parquet('" + from + "')) TO '" + to + "' (FORMAT csv, HEADER)"} {
		var res bindings.Result
		if bindings.Query(conn, sql, &res) == bindings.StateError {
			fmt.Fprintln(os.Stderr, bindings.ResultError(&res))
			os.Exit(1)
		}
		bindings.DestroyResult(&res)
	}
}
