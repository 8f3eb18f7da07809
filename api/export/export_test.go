package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

func metaOf(fields []catalog.Field) Meta {
	return Meta{
		Dataset: "air-hourly", Title: catalog.Text{Zh: "空气质量小时报", En: "Hourly air quality"}, Organization: catalog.Text{Zh: "生态环境局"},
		Table: "readings", Release: 3, Version: "2026-11", Licence: catalog.Text{Zh: "知识共享 署名4.0", En: "CC BY 4.0"},
		LicenceURL: "https://creativecommons.org/licenses/by/4.0/", Citation: catalog.Text{Zh: "生态环境局：空气质量小时报，第3版"},
		Address: "http://localhost/datasets/air-hourly", Fields: fields,
	}
}

func encode(t testing.TB, format string, table parquettest.Table) []byte {
	t.Helper()
	var buf bytes.Buffer
	e, err := New(format, &buf, metaOf(table.Fields))
	if err != nil {
		t.Fatal(err)
	}
	write(t, e, table.Batches)
	return buf.Bytes()
}

func write(t testing.TB, e Encoder, batches []*table.Batch) {
	t.Helper()
	for _, b := range batches {
		if err := e.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// readers give back the canonical texts of a file in each format.
var readers = map[string]func(testing.TB, []byte, []catalog.Field) [][]*string{
	"csv": readCSV, "json": readJSON, "ndjson": readNDJSON, "xlsx": readXLSX, "parquet": parquettest.Read,
	"tsv": readTSV, "geojson": readGeoJSON, "arrow": readArrow, "xml": readXML,
}

// allTypes are fields of every type, and a pair of coordinates, without which
// there is no GeoJSON.
func allTypes() []catalog.Field {
	return append(parquettest.AllTypes(), catalog.Field{Name: "经度", Type: catalog.Number}, catalog.Field{Name: "Lat", Type: catalog.Decimal, Precision: 20, Scale: 6})
}

func TestEveryFormatHasAReader(t *testing.T) {
	for _, f := range Formats {
		if readers[f.Name] == nil {
			t.Errorf("no test reads %s back", f.Name)
		}
		if got, ok := FormatByExt(f.Ext); !ok || got != f {
			t.Errorf("FormatByExt(%q) is %v", f.Ext, got)
		}
	}
	_, err := New("xls", io.Discard, Meta{})
	if catalog.CodeOf(err) != "unknown_format" || !strings.Contains(err.Error(), "csv, json, ndjson, xlsx, parquet, tsv, geojson, arrow, xml") {
		t.Errorf("unknown format: %v", err)
	}
}

func TestEveryFormatReadsBackTheSame(t *testing.T) {
	one := []catalog.Field{{Name: "只有一列", Type: catalog.String}}
	for _, test := range []struct {
		name   string
		fields []catalog.Field
		o      parquettest.Options
	}{
		{"no rows", allTypes(), parquettest.Options{}},
		{"one row", allTypes(), parquettest.Options{Rows: 1}},
		{"nulls everywhere", allTypes(), parquettest.Options{Rows: 50, Nulls: 1}},
		{"random", allTypes(), parquettest.Options{Rows: 4000, Nulls: 0.2, Batch: 333}},
		{"random without nulls", allTypes(), parquettest.Options{Seed: 2, Rows: 3000}},
		{"ordinary values", parquettest.AllTypes(), parquettest.Options{Seed: 3, Rows: 3000, Nulls: 0.05, Plain: true}},
		{"one column", one, parquettest.Options{Rows: 2000, Nulls: 0.3}},
		{"mixed", parquettest.MixedFields(), parquettest.Options{Rows: 2000, Nulls: 0.1}},
	} {
		random := parquettest.Random(test.fields, test.o)
		want := random.Texts()
		for _, f := range Formats {
			if Check(f.Name, Options{}, test.fields) != nil {
				continue
			}
			t.Run(f.Name+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				want := want
				got := readers[f.Name](t, encode(t, f.Name, random), test.fields)
				if (f.Name == "csv" || f.Name == "tsv") && len(test.fields) == 1 { // the one place where a null and "" are one
					want = nullsEmpty(want)
				}
				if strings.HasSuffix(f.Name, "json") {
					want = compacted(want, test.fields)
				}
				same(t, got, want)
			})
		}
	}
}

// nullsEmpty returns rows with nulls as empty texts.
func nullsEmpty(rows [][]*string) [][]*string {
	out := make([][]*string, len(rows))
	for i, row := range rows {
		if row[0] == nil {
			row = []*string{new(string)}
		}
		out[i] = row
	}
	return out
}

// compacted returns rows with the json value null as a null: JSON cannot tell
// them apart.
func compacted(rows [][]*string, fields []catalog.Field) [][]*string {
	out := make([][]*string, len(rows))
	for i, row := range rows {
		out[i] = append([]*string(nil), row...)
		for j, f := range fields {
			if f.Type == catalog.JSON && row[j] != nil && *row[j] == "null" {
				out[i][j] = nil
			}
		}
	}
	return out
}

func same(t *testing.T, got, want [][]*string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d", len(got), len(want))
	}
	shown := func(s *string) string {
		if s == nil {
			return "null"
		}
		return fmt.Sprintf("%q", *s)
	}
	for i := range want {
		for j := range want[i] {
			if a, b := shown(got[i][j]), shown(want[i][j]); a != b {
				t.Fatalf("row %d, column %d: got %s, want %s", i, j, a, b)
			}
		}
	}
}

func TestSameRowsGiveTheSameBytes(t *testing.T) {
	whole := parquettest.Random(allTypes(), parquettest.Options{Seed: 9, Rows: 30_000, Nulls: 0.1, Batch: 30_000})
	parts := parquettest.Table{Fields: whole.Fields, Batches: cut(whole.Batches[0], 777)}
	for _, f := range Formats {
		want := encode(t, f.Name, whole)
		for _, procs := range []int{1, 4} {
			old := runtime.GOMAXPROCS(procs)
			got := encode(t, f.Name, parts)
			runtime.GOMAXPROCS(old)
			if !bytes.Equal(got, want) {
				t.Errorf("%s: other batches on %d processors give other bytes", f.Name, procs)
			}
		}
	}
}

func cut(b *table.Batch, size int) []*table.Batch {
	var parts []*table.Batch
	for from := 0; from < b.Len; from += size {
		to := min(from+size, b.Len)
		part := &table.Batch{Len: to - from}
		for _, v := range b.Columns {
			v.Null, v.Bool, v.Int, v.Num, v.Text = slice(v.Null, from, to), slice(v.Bool, from, to), slice(v.Int, from, to), slice(v.Num, from, to), slice(v.Text, from, to)
			part.Columns = append(part.Columns, v)
		}
		parts = append(parts, part)
	}
	return parts
}

func slice[T any](s []T, from, to int) []T {
	if s == nil {
		return nil
	}
	return s[from:to]
}

// brokenPipe fails after n bytes.
type brokenPipe struct{ n int }

func (p *brokenPipe) Write(b []byte) (int, error) {
	if p.n -= len(b); p.n < 0 {
		return 0, errors.New("broken pipe")
	}
	return len(b), nil
}

func TestAFailedFileIsNeverCompleted(t *testing.T) {
	fields := []catalog.Field{{Name: "lon", Type: catalog.Integer}, {Name: "lat", Type: catalog.Integer}}
	good := &table.Batch{Len: 2, Columns: []table.Vector{{Type: catalog.Integer, Int: []int64{1, 2}}, {Type: catalog.Integer, Int: []int64{1, 2}}}}
	bad := &table.Batch{Len: 1, Columns: []table.Vector{{Type: catalog.Integer, Int: []int64{1}}, {Type: catalog.String, Text: []string{""}}}}
	large := parquettest.Random(allTypes(), parquettest.Options{Rows: 40_000})
	for _, f := range Formats {
		t.Run(f.Name, func(t *testing.T) {
			var buf bytes.Buffer
			e, err := New(f.Name, &buf, metaOf(fields))
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Write(good); err != nil {
				t.Fatal(err)
			}
			if err := e.Write(bad); err == nil {
				t.Fatal("a batch of another type was taken")
			}
			if e.Write(good) == nil || e.Close() == nil {
				t.Error("goes on after an error")
			}
			if tail := buf.String(); strings.HasSuffix(tail, "]\n") || strings.HasSuffix(tail, "]}\n") || strings.HasSuffix(tail, "</table>\n") || strings.HasSuffix(tail, "\xff\xff\xff\xff\x00\x00\x00\x00") || strings.HasSuffix(tail, "PAR1") || strings.Contains(tail, "PK\x05\x06") {
				t.Errorf("looks complete: %q", tail)
			}
			e, err = New(f.Name, &brokenPipe{100_000}, metaOf(large.Fields))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range large.Batches {
				if err = e.Write(b); err != nil {
					break
				}
			}
			if err := e.Close(); err == nil || !strings.Contains(err.Error(), "broken pipe") {
				t.Errorf("a broken pipe gives %v", err)
			}
		})
	}
}

func TestCloseTwice(t *testing.T) {
	for _, f := range Formats {
		var buf bytes.Buffer
		e, err := New(f.Name, &buf, metaOf(allTypes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		n := buf.Len()
		if err := e.Close(); err == nil || buf.Len() != n {
			t.Errorf("%s: second Close gives %v and %d bytes more", f.Name, err, buf.Len()-n)
		}
	}
}

func TestDigestTellsMetasApart(t *testing.T) {
	a, b := metaOf(nil), metaOf(nil)
	b.Licence.En = "other"
	if a.Digest("csv") != "" || a.Digest("xlsx") == "" || a.Digest("xlsx") == b.Digest("xlsx") || a.Digest("parquet") != metaOf(nil).Digest("parquet") {
		t.Error("Digest")
	}
}
