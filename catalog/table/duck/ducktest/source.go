package ducktest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// Source writes rows as Parquet parts, cut where cuts says.
func Source(t testing.TB, schema catalog.Schema, rows [][]table.Value, cuts ...int) table.Source {
	t.Helper()
	s := table.Source{ID: t.Name(), Schema: schema, Rows: int64(len(rows))}
	dir := t.TempDir()
	from := 0
	for _, to := range append(cuts, len(rows)) {
		path := filepath.Join(dir, fmt.Sprintf("part %d's.parquet", len(s.Parts)))
		writePart(t, path, schema, rows[from:to], from)
		s.Parts = append(s.Parts, path)
		from = to
	}
	return s
}

func writePart(t testing.TB, path string, schema catalog.Schema, rows [][]table.Value, before int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	columns := []parquet.Column{parquet.RowNumber()}
	b := &table.Batch{Len: len(rows), Columns: []table.Vector{{Type: catalog.Integer}}}
	for i := range rows {
		b.Columns[0].Int = append(b.Columns[0].Int, int64(before+i+1))
	}
	for c, f := range schema.Fields {
		columns = append(columns, parquet.ColumnOf(f))
		b.Columns = append(b.Columns, vectorOf(f, rows, c))
	}
	w := parquet.NewWriter(f, columns, parquet.Options{RowGroup: 64})
	if len(rows) > 0 {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func vectorOf(f catalog.Field, rows [][]table.Value, c int) table.Vector {
	v := table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone, Null: make([]bool, len(rows))}
	for i, row := range rows {
		x := row[c]
		v.Null[i] = x.Null
		switch {
		case f.Type == catalog.Boolean:
			v.Bool = append(v.Bool, x.Bool)
		case f.Type == catalog.Number:
			v.Num = append(v.Num, x.Num)
		case f.Type == catalog.String, f.Type == catalog.JSON, f.Type == catalog.Decimal && table.Wide(f.Precision):
			v.Text = append(v.Text, x.Text)
		default:
			v.Int = append(v.Int, x.Int)
		}
	}
	return v
}
