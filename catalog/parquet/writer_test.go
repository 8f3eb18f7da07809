package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

func columns(fields []catalog.Field) []parquet.Column {
	var cs []parquet.Column
	for _, f := range fields {
		cs = append(cs, parquet.ColumnOf(f))
	}
	return cs
}

func encode(t testing.TB, cs []parquet.Column, batches []*table.Batch, o parquet.Options) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := parquet.NewWriter(&buf, cs, o)
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func same(t *testing.T, got, want [][]*string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d", len(got), len(want))
	}
	for i := range want {
		for j := range want[i] {
			if a, b := shown(got[i][j]), shown(want[i][j]); a != b {
				t.Fatalf("row %d, column %d: got %s, want %s", i, j, a, b)
			}
		}
	}
}

func shown(s *string) string {
	if s == nil {
		return "null"
	}
	return fmt.Sprintf("%q", *s)
}

func TestWriterReadsBack(t *testing.T) {
	for _, test := range []struct {
		name string
		o    parquettest.Options
		rg   int
	}{
		{"no rows", parquettest.Options{}, 0},
		{"one row", parquettest.Options{Rows: 1}, 0},
		{"one null row", parquettest.Options{Rows: 1, Nulls: 1}, 0},
		{"nulls nowhere", parquettest.Options{Rows: 5000}, 0},
		{"nulls everywhere", parquettest.Options{Rows: 5000, Nulls: 1}, 0},
		{"some nulls", parquettest.Options{Rows: 5000, Nulls: 0.3}, 0},
		{"few nulls, plain values", parquettest.Options{Rows: 40_000, Nulls: 0.001, Plain: true}, 0},
		{"many row groups", parquettest.Options{Rows: 10_007, Nulls: 0.1, Batch: 333}, 100},
		{"100,000 rows", parquettest.Options{Rows: 100_000, Nulls: 0.05, Batch: 2048}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := parquettest.Random(parquettest.AllTypes(), test.o)
			data := encode(t, columns(table.Fields), table.Batches, parquet.Options{RowGroup: test.rg})
			same(t, parquettest.Read(t, data, table.Fields), table.Texts())
			if path := os.Getenv("TAIHU_KEEP_PARQUET"); path != "" { // for a look with other readers
				if err := os.WriteFile(path+"/"+strings.ReplaceAll(test.name, " ", "_")+".parquet", data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestWriterBytesDependOnTheRowsAlone(t *testing.T) {
	fields := parquettest.AllTypes()
	whole := parquettest.Random(fields, parquettest.Options{Seed: 7, Rows: 40_000, Batch: 40_000, Nulls: 0.1})
	want := encode(t, columns(fields), whole.Batches, parquet.Options{Workers: 1})
	for _, size := range []int{77, 2048} {
		var parts []*table.Batch
		for from := 0; from < 40_000; from += size {
			parts = append(parts, cut(whole.Batches[0], from, min(size, 40_000-from)))
		}
		for _, procs := range []int{1, 4} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			if got := encode(t, columns(fields), parts, parquet.Options{}); !bytes.Equal(got, want) {
				t.Errorf("batches of %d rows on %d processors give other bytes", size, procs)
			}
		}
	}
}

func cut(b *table.Batch, from, n int) *table.Batch {
	out := &table.Batch{Len: n}
	for _, v := range b.Columns {
		if v.Null != nil {
			v.Null = v.Null[from : from+n]
		}
		if v.Bool != nil {
			v.Bool = v.Bool[from : from+n]
		}
		if v.Int != nil {
			v.Int = v.Int[from : from+n]
		}
		if v.Num != nil {
			v.Num = v.Num[from : from+n]
		}
		if v.Text != nil {
			v.Text = v.Text[from : from+n]
		}
		out.Columns = append(out.Columns, v)
	}
	return out
}

func TestWriterCountsRows(t *testing.T) {
	cs := []parquet.Column{parquet.RowNumber(), {Name: "a", Type: catalog.String}}
	var batches []*table.Batch
	for range 7 {
		batches = append(batches, &table.Batch{Len: 10, Columns: []table.Vector{{Type: catalog.String, Text: make([]string, 10)}}})
	}
	data := encode(t, cs, batches, parquet.Options{RowGroup: 32})
	f, err := pq.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var bounds []string
	for _, g := range f.Metadata().RowGroups {
		s := g.Columns[0].MetaData.Statistics
		bounds = append(bounds, fmt.Sprintf("%d-%d", s.MinValue[0], s.MaxValue[0]))
	}
	if got := fmt.Sprint(bounds); got != "[1-32 33-64 65-70]" {
		t.Errorf("row groups hold %s", got)
	}
}

func TestWriterStatistics(t *testing.T) {
	long := strings.Repeat("x", 65)
	for _, test := range []struct {
		name     string
		v        table.Vector
		low, hig string
		nulls    int64
	}{
		{"integers", table.Vector{Type: catalog.Integer, Int: []int64{3, -1, 2}}, "ffffffffffffffff", "0300000000000000", 0},
		{"booleans", table.Vector{Type: catalog.Boolean, Bool: []bool{true, true}}, "01", "01", 0},
		{"dates", table.Vector{Type: catalog.Date, Int: []int64{1, -1, 9}, Null: []bool{false, false, true}}, "ffffffff", "01000000", 1},
		{"texts", table.Vector{Type: catalog.String, Text: []string{"b", "", "水"}}, "", "e6b0b4", 0},
		{"long texts have no bounds", table.Vector{Type: catalog.String, Text: []string{"b", long}}, "none", "none", 0},
		{"NaN has no bounds", table.Vector{Type: catalog.Number, Num: []float64{1, math.NaN()}}, "none", "none", 0},
		{"zeros", table.Vector{Type: catalog.Number, Num: []float64{0}}, "0000000000000080", "0000000000000000", 0},
		{"wide decimals", table.Vector{Type: catalog.Decimal, Precision: 20, Text: []string{"5", "-2"}}, "fffffffffffffffffffffffffffffffe", "00000000000000000000000000000005", 0},
		{"nulls alone", table.Vector{Type: catalog.Integer, Int: []int64{0}, Null: []bool{true}}, "none", "none", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := max(len(test.v.Int), len(test.v.Bool), len(test.v.Text), len(test.v.Num))
			data := encode(t, []parquet.Column{{Name: "a", Type: test.v.Type, Precision: test.v.Precision}}, []*table.Batch{{Len: n, Columns: []table.Vector{test.v}}}, parquet.Options{})
			f, err := pq.OpenFile(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			s := f.Metadata().RowGroups[0].Columns[0].MetaData.Statistics
			hex := func(b []byte) string {
				if b == nil {
					return "none"
				}
				return fmt.Sprintf("%x", b)
			}
			if hex(s.MinValue) != test.low || hex(s.MaxValue) != test.hig || s.NullCount != test.nulls {
				t.Errorf("got %s … %s, %d nulls; want %s … %s, %d", hex(s.MinValue), hex(s.MaxValue), s.NullCount, test.low, test.hig, test.nulls)
			}
		})
	}
}

func TestWriterKeepsMemoryBoundedByLongTexts(t *testing.T) {
	b := &table.Batch{Len: 256, Columns: []table.Vector{{Type: catalog.String, Text: make([]string, 256), Null: make([]bool, 256)}}}
	for i := range b.Columns[0].Text {
		b.Columns[0].Text[i] = strings.Repeat(string(rune('a'+i%26)), 400_000)
		b.Columns[0].Null[i] = i%7 == 6 || i == 255
	}
	data := encode(t, []parquet.Column{{Name: "a", Type: catalog.String}}, []*table.Batch{b, b, b}, parquet.Options{})
	f, err := pq.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.RowGroups()); n != 3 {
		t.Errorf("%d row groups, want 3: 88 MB each", n)
	}
	got := parquettest.Read(t, data, []catalog.Field{{Type: catalog.String}})
	same(t, got, parquettest.Table{Batches: []*table.Batch{b, b, b}}.Texts())
}

func TestWriterRefuses(t *testing.T) {
	one := func(v table.Vector) *table.Batch { return &table.Batch{Len: 1, Columns: []table.Vector{v}} }
	for _, test := range []struct {
		name string
		c    parquet.Column
		b    *table.Batch
		want string
	}{
		{"another type", parquet.Column{Name: "a", Type: catalog.Integer}, one(table.Vector{Type: catalog.String, Text: []string{""}}), "vector is text"},
		{"another scale", parquet.Column{Name: "a", Type: catalog.Decimal, Precision: 9, Scale: 2}, one(table.Vector{Type: catalog.Decimal, Precision: 9, Scale: 1, Int: []int64{1}}), "vector is decimal"},
		{"more columns", parquet.Column{Name: "a", Type: catalog.Integer}, &table.Batch{Len: 1, Columns: make([]table.Vector, 2)}, "batch has 2 columns"},
		{"a wide decimal of another scale", parquet.Column{Name: "a", Type: catalog.Decimal, Precision: 30, Scale: 2}, one(table.Vector{Type: catalog.Decimal, Precision: 30, Scale: 2, Text: []string{"1.5"}}), "no decimal of scale 2"},
		{"a wide decimal of letters", parquet.Column{Name: "a", Type: catalog.Decimal, Precision: 30}, one(table.Vector{Type: catalog.Decimal, Precision: 30, Text: []string{"1e5"}}), "is no decimal"},
		{"a date out of range", parquet.Column{Name: "a", Type: catalog.Date}, one(table.Vector{Type: catalog.Date, Int: []int64{1 << 40}}), "out of range"},
		{"39 digits", parquet.Column{Name: "a", Type: catalog.Decimal, Precision: 39}, one(table.Vector{}), "cannot be stored"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var buf bytes.Buffer
			w := parquet.NewWriter(&buf, []parquet.Column{test.c}, parquet.Options{})
			err := w.Write(test.b)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if err := w.Close(); err == nil || bytes.HasSuffix(buf.Bytes(), []byte("PAR1")) {
				t.Errorf("Close after a failed Write gave %v and %d bytes", err, buf.Len())
			}
		})
	}
}

// failAfter fails once n bytes are written.
type failAfter struct{ n int }

func (f *failAfter) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestWriterReportsAFailedDisk(t *testing.T) {
	big := parquettest.Random(parquettest.AllTypes(), parquettest.Options{Rows: 20_000})
	for _, n := range []int{0, 4, 5000, 500_000} {
		w := parquet.NewWriter(&failAfter{n}, columns(big.Fields), parquet.Options{RowGroup: 1000})
		for _, b := range big.Batches {
			if w.Write(b) != nil {
				break
			}
		}
		if err := w.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}
