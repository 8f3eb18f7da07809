package duck_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"taihu/catalog/table"
	"taihu/catalog/table/diff"
	"taihu/catalog/table/duck"
	"taihu/catalog/table/duck/ducktest"
	"taihu/catalog/table/parts"
)

// connect gives DuckDB without our engine around it: what judges the comparison of
// releases shares nothing with it.
func connect(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("SET threads = 2"); err != nil {
		t.Fatal(err)
	}
	return db
}

func side(t testing.TB, s table.Source) diff.Side {
	t.Helper()
	tab, err := parts.New(duck.New(duck.Config{TempDir: t.TempDir()})).Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tab.Close() })
	return diff.Side{Table: tab, Schema: &s.Schema, Rows: s.Rows}
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// sqlCounts compares two files by joins.
func sqlCounts(t testing.TB, db *sql.DB, old, new string) (rows diff.RowCounts, cells int64, columns map[string]int64) {
	t.Helper()
	a, b := "read_parquet("+quoted(old)+")", "read_parquet("+quoted(new)+")"
	columns = map[string]int64{}
	var differ, sums []string
	for _, f := range ducktest.Fields[1:] {
		d := fmt.Sprintf("(a.%q IS DISTINCT FROM b.%q)", f.Name, f.Name)
		differ = append(differ, d)
		sums = append(sums, "coalesce(sum("+d+"::int), 0)")
	}
	either := strings.Join(differ, " OR ")
	q := fmt.Sprintf(`SELECT count(*), count(*) FILTER (WHERE %s), %s FROM %s a JOIN %s b USING ("编号")`, either, strings.Join(sums, ", "), a, b)
	counts := make([]int64, len(sums))
	var both int64
	into := []any{&both, &rows.Changed}
	for i := range counts {
		into = append(into, &counts[i])
	}
	if err := db.QueryRow(q).Scan(into...); err != nil {
		t.Fatal(err)
	}
	for i, n := range counts {
		columns[ducktest.Fields[i+1].Name] = n
		cells += n
	}
	err := db.QueryRow(fmt.Sprintf(`SELECT (SELECT count(*) FROM %s), (SELECT count(*) FROM %s),
		(SELECT count(*) FROM %s b ANTI JOIN %s a USING ("编号")), (SELECT count(*) FROM %s a ANTI JOIN %s b USING ("编号"))`, a, b, b, a, a, b)).
		Scan(&rows.Old, &rows.New, &rows.Added, &rows.Removed)
	if err != nil {
		t.Fatal(err)
	}
	rows.Same = both - rows.Changed
	return rows, cells, columns
}

// sqlList is the list of changes by joins: the same lines in any order.
func sqlList(old, new string) string {
	a, b := "read_parquet("+quoted(old)+")", "read_parquet("+quoted(new)+")"
	var selects []string
	for _, f := range ducktest.Fields[1:] {
		n := fmt.Sprintf("%q", f.Name)
		selects = append(selects,
			fmt.Sprintf(`SELECT 'changed' c, a._row r, b._row s, a."编号" k, %s n, a.%s::text o, b.%s::text w FROM %s a JOIN %s b USING ("编号") WHERE a.%s IS DISTINCT FROM b.%s`, quoted(f.Name), n, n, a, b, n, n),
			fmt.Sprintf(`SELECT 'added', NULL, b._row, b."编号", %s, NULL, b.%s::text FROM %s b ANTI JOIN %s a USING ("编号")`, quoted(f.Name), n, b, a),
			fmt.Sprintf(`SELECT 'removed', a._row, NULL, a."编号", %s, a.%s::text, NULL FROM %s a ANTI JOIN %s b USING ("编号")`, quoted(f.Name), n, a, b))
	}
	return strings.Join(selects, " UNION ALL ")
}

// TestComparisonsEqualSQL: random pairs of releases, compared by their key and as
// multisets, beside DuckDB's own joins: every count, every line.
func TestComparisonsEqualSQL(t *testing.T) {
	pairs, rows := 10, 50_000
	if testing.Short() {
		pairs, rows = 2, 5000
	}
	for seed := range pairs {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		e := ducktest.Edits{Changed: r.IntN(200), Removed: r.IntN(100), Added: r.IntN(100), Shuffled: seed%2 == 1}
		old, new := ducktest.Pair(t, uint64(seed), rows+r.IntN(rows), e)
		a, b := side(t, old), side(t, new)
		res, err := diff.Compare(t.Context(), a, b, diff.Options{Key: []string{"编号"}, Strict: true, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		db := connect(t)
		counts, cells, columns := sqlCounts(t, db, old.Parts[0], new.Parts[0])
		if res.Rows != counts || res.Cells != cells {
			t.Errorf("pair %d, %+v: %+v and %d cells; DuckDB has %+v and %d", seed, e, res.Rows, res.Cells, counts, cells)
		}
		for _, c := range res.Columns[1:] {
			if c.Cells != columns[c.Name] {
				t.Errorf("pair %d: %d cells of %s, DuckDB has %d", seed, c.Cells, c.Name, columns[c.Name])
			}
		}
		listEqualsSQL(t, db, res, a, b, old.Parts[0], new.Parts[0])
		multisetEqualsSQL(t, db, a, b, old.Parts[0], new.Parts[0])
		if err := res.Close(); err != nil {
			t.Error(err)
		}
	}
}

// listEqualsSQL writes the list as a table of DuckDB's and asks it for the difference.
func listEqualsSQL(t *testing.T, db *sql.DB, res *diff.Result, a, b diff.Side, old, new string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list.parquet")
	n := ducktest.WriteBatches(t, path, res.Fields(), func(yield func(*table.Batch) error) error {
		return res.Lines(t.Context(), a, b, "", yield)
	})
	// Datetimes and doubles are written by us with an offset and in the shortest form.
	ours := `SELECT change, old_row, new_row, "编号", "column", replace(replace("old", 'T', ' '), '+08:00', '') o, replace(replace("new", 'T', ' '), '+08:00', '') w FROM read_parquet(` + quoted(path) + `)`
	number := func(q, c string) string {
		return `CASE WHEN n = '气温' THEN CAST(CAST(` + c + ` AS double) AS text) ELSE ` + c + ` END`
	}
	ours = `SELECT change c, old_row r, new_row s, "编号" k, "column" n, ` + number("", "o") + ` o, ` + number("", "w") + ` w FROM (` + strings.Replace(ours, `"column",`, `"column", "column" n,`, 1) + `)`
	theirs := sqlList(old, new)
	var lines, missing, extra int64
	err := db.QueryRow(`WITH ours AS (`+ours+`), theirs AS (`+theirs+`)
		SELECT (SELECT count(*) FROM ours), (SELECT count(*) FROM (SELECT * FROM theirs EXCEPT ALL SELECT * FROM ours)), (SELECT count(*) FROM (SELECT * FROM ours EXCEPT ALL SELECT * FROM theirs))`).
		Scan(&lines, &missing, &extra)
	if err != nil {
		t.Fatal(err)
	}
	if lines != n || missing > 0 || extra > 0 {
		t.Errorf("list of %d lines (%d written): %d of DuckDB's are missing, %d are not in it", lines, n, missing, extra)
	}
}

func multisetEqualsSQL(t *testing.T, db *sql.DB, a, b diff.Side, old, new string) {
	t.Helper()
	res, err := diff.Compare(t.Context(), a, b, diff.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	rows := func(path string) string { return "SELECT * EXCLUDE (_row) FROM read_parquet(" + quoted(path) + ")" }
	var added, removed int64
	err = db.QueryRow(`SELECT (SELECT count(*) FROM (`+rows(new)+` EXCEPT ALL `+rows(old)+`)), (SELECT count(*) FROM (`+rows(old)+` EXCEPT ALL `+rows(new)+`))`).Scan(&added, &removed)
	if err != nil {
		t.Fatal(err)
	}
	if res.Rows.Added != added || res.Rows.Removed != removed || res.Rows.Changed != 0 {
		t.Errorf("as multisets: %+v, DuckDB has %d added and %d removed", res.Rows, added, removed)
	}
}

// cpuTime is what this process has used of the processors: on a shared machine the
// fairer of the two times.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCompare compares two releases of 1,000,000 × 10 beside one full scan of
// both, and the joins, by DuckDB.
func BenchmarkCompare(b *testing.B) {
	for _, e := range []struct {
		name string
		ducktest.Edits
	}{
		{"2 per cent", ducktest.Edits{Changed: 10, Removed: 5, Added: 5}},
		{"2 per cent, shuffled", ducktest.Edits{Changed: 10, Removed: 5, Added: 5, Shuffled: true}},
		{"all", ducktest.Edits{Changed: 1000}},
	} {
		old, new := ducktest.Pair(b, 1, 1_000_000, e.Edits)
		x, y := side(b, old), side(b, new)
		db := connect(b)
		run := func(name string, f func(b *testing.B)) {
			b.Run(e.name+"/"+name, func(b *testing.B) {
				before := cpuTime()
				f(b)
				b.ReportMetric(float64((cpuTime()-before).Milliseconds())/float64(b.N), "cpu-ms/op")
			})
		}
		run("scan by DuckDB", func(b *testing.B) {
			var names []string
			for _, f := range ducktest.Fields {
				names = append(names, fmt.Sprintf("%q", f.Name))
			}
			q := fmt.Sprintf("SELECT count(*), bit_xor(hash(%s)) FROM read_parquet([%s, %s])", strings.Join(names, ", "), quoted(old.Parts[0]), quoted(new.Parts[0]))
			for b.Loop() {
				var n, h uint64
				if err := db.QueryRow(q).Scan(&n, &h); err != nil || int64(n) != old.Rows+new.Rows {
					b.Fatal(n, err)
				}
			}
		})
		run("joins by DuckDB", func(b *testing.B) {
			for b.Loop() {
				sqlCounts(b, db, old.Parts[0], new.Parts[0])
			}
		})
		for name, key := range map[string][]string{"key": {"编号"}, "multiset": nil} {
			run(name, func(b *testing.B) {
				for b.Loop() {
					r, err := diff.Compare(b.Context(), x, y, diff.Options{Key: key, Strict: true, Dir: b.TempDir()})
					if err != nil {
						b.Fatal(err)
					}
					_ = r.Close()
				}
			})
		}
	}
}
