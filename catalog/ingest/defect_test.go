package ingest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taihu/catalog"
)

var update = flag.Bool("update", false, "write the reports of testdata/defects anew")

// TestDefects holds the report on each small broken or odd file to the one kept
// beside it: what was found, why each column has its type, and the typed rows.
func TestDefects(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "defects", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, ".report") {
			continue
		}
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			got := describe(t, ingestFile(t, path, name, catalog.IngestOptions{}))
			golden := path + ".report"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// describe writes a result so that a person can judge it.
func describe(t testing.TB, r Result) string {
	t.Helper()
	var b strings.Builder
	verdict := "refused"
	switch {
	case r.Attachment:
		verdict = "attachment"
	case r.Report.Accepted:
		verdict = "accepted"
	}
	p := r.Report
	fmt.Fprintf(&b, "%s %s %s delimiter=%q header=%d\n", verdict, p.Format, p.Encoding, p.Delimiter, p.HeaderRow)
	for _, f := range p.Findings {
		fmt.Fprintf(&b, "%s %s", f.Severity, f.Code)
		if f.Row > 0 {
			fmt.Fprintf(&b, " row %d", f.Row)
		}
		if f.Column != "" {
			fmt.Fprintf(&b, " column %q", f.Column)
		}
		if f.Value != "" {
			fmt.Fprintf(&b, " value %q", f.Value)
		}
		if f.Count > 0 {
			fmt.Fprintf(&b, " ×%d", f.Count)
		}
		fmt.Fprintf(&b, "\n    %s\n    %s\n", f.Message.Zh, f.Message.En)
	}
	for _, d := range p.Decisions {
		fmt.Fprintf(&b, "%q %s, %d null (%d words): %s %s\n", d.Column, d.Type, d.Nulls, d.NullWord, d.Why.Zh, d.Why.En)
	}
	for _, built := range r.Tables {
		fmt.Fprintf(&b, "table %s, %d rows\n", built.Table.Name, built.Table.Rows)
		for _, f := range built.Table.Schema.Fields {
			if f.Header != "" || f.Precision > 0 || f.Zone != "" {
				fmt.Fprintf(&b, "%q header=%q decimal(%d,%d) zone=%q\n", f.Name, f.Header, f.Precision, f.Scale, f.Zone)
			}
		}
		rows := typedRows(t, built)
		for _, row := range rows[:min(len(rows), 5)] {
			fmt.Fprintf(&b, "    %s\n", strings.Join(row, " | "))
		}
	}
	return b.String()
}

// typedRows reads a table's typed Parquet in the canonical text of its types,
// ∅ for null, without _row.
func typedRows(t testing.TB, built Built) [][]string {
	t.Helper()
	rows := cells(t, built.TypedPath)
	for i, row := range rows {
		for j, f := range built.Table.Schema.Fields {
			row[j+1] = canonical(f, row[j+1])
		}
		rows[i] = row[1:]
	}
	return rows
}
