package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
)

// grow reads content as rows that are added to a table that was read before.
func growTable(t *testing.T, base Result, key []string, content string, mode catalog.Mode) Result {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "upload")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &Base{Release: 1, Table: base.Tables[0].Table, Paths: partsOf(base.Tables[0])}
	b.Table.Schema.Key = key
	contract := &catalog.Contract{Tables: []catalog.ContractTable{{Name: "t", Schema: catalog.Schema{Key: key}}}}
	r, err := Run(context.Background(), Request{Path: path, Name: "more.csv", Options: catalog.IngestOptions{Table: "t", Mode: mode}, OutDir: dir, Base: b, Contract: contract}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Tables) > 0 && r.Tables[0].Keeps {
		keptParts[r.Tables[0].TypedPath] = b.Paths
	}
	return r
}

// keptParts are the paths of the parts that a table keeps, by its own.
var keptParts = map[string][]string{}

func partsOf(b Built) []string {
	paths := slices.Clone(keptParts[b.TypedPath])
	if b.RestPath != "" {
		paths = append(paths, b.RestPath)
	}
	if b.TypedRows > 0 {
		paths = append(paths, b.TypedPath)
	}
	return paths
}

// whole reads a file as a table.
func whole(t *testing.T, content string) Result {
	t.Helper()
	r := ingestUnder(t, content, catalog.IngestOptions{}, catalog.Schema{})
	if len(r.Tables) != 1 {
		t.Fatalf("%s", summary(r))
	}
	return r
}

// TestGrowth adds rows to random tables again and again. The table is each time
// the one that a file of all the rows would give: the same content hash, rows that
// count on from part to part.
func TestGrowth(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 26))
	const header = "k,名称,n,x,d,t\n"
	row := func(k int) string {
		cell := func(text string) string {
			if rnd.IntN(9) == 0 {
				return ""
			}
			return text
		}
		return fmt.Sprintf("%d,%s,%s,%s,%s,%s\n", k, cell("站"+fmt.Sprint(rnd.IntN(50))), cell(fmt.Sprint(rnd.IntN(1000))), cell(fmt.Sprintf("%d.5", rnd.IntN(100))),
			cell(fmt.Sprintf("2026-0%d-11", 1+rnd.IntN(9))), cell(fmt.Sprintf("2026-01-01 0%d:00:00", rnd.IntN(9))))
	}
	for round := range 12 {
		next := 3 + rnd.IntN(9000)
		var keys []int
		rows := map[int]string{}
		for k := range next {
			keys = append(keys, k)
			rows[k] = row(k)
		}
		all := func() string {
			var b strings.Builder
			b.WriteString(header)
			for _, k := range keys {
				b.WriteString(rows[k])
			}
			return b.String()
		}
		now := whole(t, all())
		for step := range 4 {
			mode := catalog.Append
			if rnd.IntN(2) == 0 {
				mode = catalog.Upsert
			}
			var b strings.Builder
			b.WriteString(header)
			for n := rnd.IntN(300); n >= 0; n-- {
				k := next
				next++
				if mode == catalog.Upsert && rnd.IntN(2) == 0 { // an earlier one, once in a file
					i := rnd.IntN(len(keys))
					if k = keys[i]; strings.Contains(b.String(), fmt.Sprintf("\n%d,", k)) {
						continue
					}
					keys = slices.Delete(keys, i, i+1)
				}
				keys = append(keys, k)
				rows[k] = row(k)
				b.WriteString(rows[k])
			}
			if strings.Count(b.String(), "\n") == 1 {
				continue
			}
			now = growTable(t, now, []string{"k"}, b.String(), mode)
			if !now.Report.Accepted || len(told(now)) > 0 {
				t.Fatalf("round %d step %d, %s: %s", round, step, mode, summary(now))
			}
			want := whole(t, all()).Tables[0].Table
			got := now.Tables[0].Table
			if got.Rows != want.Rows || got.ContentSHA256 != want.ContentSHA256 {
				t.Fatalf("round %d step %d, %s: %d rows, %s; a file of all has %d, %s", round, step, mode, got.Rows, got.ContentSHA256, want.Rows, want.ContentSHA256)
			}
			at := 0
			for _, path := range partsOf(now.Tables[0]) {
				for _, cells := range cells(t, path) {
					if at++; cells[0] != fmt.Sprint(at) {
						t.Fatalf("round %d step %d, %s: _row %s, want %d", round, step, mode, cells[0], at)
					}
				}
			}
		}
	}
}

func TestGrowthRefused(t *testing.T) {
	base := whole(t, "k,n,d\n1,10,2026-01-01\n2,20,2026-01-02\n")
	for _, c := range []struct {
		name, content string
		mode          catalog.Mode
		key           []string
		want          string
	}{
		{"another order of columns is none", "d,k,n\n2026-02-01,3,30\n", catalog.Append, nil, ""},
		{"a column more", "k,n,d,e\n3,30,2026-02-01,x\n", catalog.Append, nil, "other_columns"},
		{"a column less", "k,n\n3,30\n", catalog.Append, nil, "other_columns"},
		{"a value of another type", "k,n,d\n3,a,2026-02-01\n", catalog.Append, nil, "type_mismatch"},
		{"all null", "k,n,d\n3,,\n", catalog.Append, nil, ""},
		{"no key", "k,n,d\n3,30,2026-02-01\n", catalog.Upsert, nil, "no_key"},
		{"a key twice", "k,n,d\n3,30,2026-02-01\n3,31,2026-02-01\n", catalog.Upsert, []string{"k"}, "upsert_key"},
		{"a null in the key", "k,n,d\n3,30,2026-02-01\n,31,2026-02-01\n", catalog.Upsert, []string{"k"}, "upsert_key"},
	} {
		r := growTable(t, base, c.key, c.content, c.mode)
		got := ""
		if f := r.Report.FirstError(); f != nil {
			got = f.Code
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q\n%s", c.name, got, c.want, summary(r))
		}
	}
	// A key that the table has already is found, with the row there.
	r := growTable(t, base, []string{"k"}, "k,n,d\n3,30,2026-02-01\n2,21,2026-02-01\n", catalog.Append)
	if f := findingOf(r, "contract_key"); f == nil || f.Row != 3 || f.Value != "2" || !strings.Contains(f.Message.En, "row 3 that of its row 2") {
		t.Errorf("%s", summary(r))
	}
	r, err := Run(context.Background(), Request{Path: writeTemp(t, "k\n1\n"), Name: "x.csv", Options: catalog.IngestOptions{Mode: catalog.Append}, OutDir: t.TempDir()}, nil)
	if f := r.Report.FirstError(); err != nil || f == nil || f.Code != "no_base_table" {
		t.Errorf("%v %s", err, summary(r))
	}
}

func writeTemp(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
