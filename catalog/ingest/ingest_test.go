package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"taihu/catalog"
	"taihu/catalog/table"
)

// ingestBytes checks content under a name with the given options.
func ingestBytes(t testing.TB, name string, content []byte, o catalog.IngestOptions) Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return ingestFile(t, path, name, o)
}

func ingestFile(t testing.TB, path, name string, o catalog.IngestOptions) Result {
	t.Helper()
	result, err := Run(context.Background(), Request{Path: path, Name: name, Options: o, OutDir: t.TempDir()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// cells reads a Parquet file as text: "∅" for null.
func cells(t testing.TB, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := pq.NewGenericReader[any](f)
	defer r.Close()
	var out [][]string
	rows := make([]pq.Row, 64)
	for {
		n, err := r.ReadRows(rows)
		for _, row := range rows[:n] {
			var line []string
			for _, v := range row {
				if v.IsNull() {
					line = append(line, "∅")
				} else {
					line = append(line, v.String())
				}
			}
			out = append(out, line)
		}
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// canonical writes what parquet-go shows of a typed value in the forms of
// architecture.md §6.
func canonical(f catalog.Field, shown string) string {
	if shown == "∅" {
		return shown
	}
	if f.Type == catalog.Decimal && f.Precision > 18 {
		n := new(big.Int).SetBytes([]byte(shown))
		if shown[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(shown))))
		}
		r := new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(f.Scale)), nil))
		return r.FloatString(f.Scale)
	}
	n, err := strconv.ParseInt(shown, 10, 64)
	if err != nil {
		return shown
	}
	switch {
	case f.Type == catalog.Date:
		return string(catalog.AppendDate(nil, n))
	case f.Type == catalog.Time:
		return string(catalog.AppendTime(nil, n))
	case f.Type == catalog.Datetime:
		return string(catalog.AppendDatetime(nil, n, f.Zone))
	case f.Type == catalog.Decimal && f.Precision <= 18:
		return string(catalog.AppendDecimal(nil, n, f.Scale))
	}
	return shown
}

// valueOf reads what parquet-go shows into a value of the engine contract.
func valueOf(t testing.TB, f catalog.Field, shown string) table.Value {
	t.Helper()
	if shown == "∅" {
		return table.Value{Null: true}
	}
	var v table.Value
	var err error
	switch {
	case f.Type == catalog.Boolean:
		v.Bool = shown == "true"
	case f.Type == catalog.Number:
		v.Num, err = strconv.ParseFloat(shown, 64)
	case f.Type == catalog.String, f.Type == catalog.JSON, f.Type == catalog.Decimal && table.Wide(f.Precision):
		v.Text = canonical(f, shown)
	default:
		v.Int, err = strconv.ParseInt(shown, 10, 64)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// summary writes a result in a few lines: verdict, findings, columns.
func summary(r Result) string {
	var b strings.Builder
	for _, f := range r.Report.Findings {
		fmt.Fprintf(&b, "%s %s row=%d col=%q value=%q n=%d: %s\n", f.Severity, f.Code, f.Row, f.Column, f.Value, f.Count, f.Message.En)
	}
	for _, d := range r.Report.Decisions {
		fmt.Fprintf(&b, "%s %s: %s\n", d.Column, d.Type, d.Why.En)
	}
	return b.String()
}
