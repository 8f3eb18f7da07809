package parquet_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"taihu/catalog/parquet"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

func open(t testing.TB, data []byte) *parquet.Reader {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := parquet.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestReaderReadsAnyRange(t *testing.T) {
	for i, o := range []parquettest.Options{
		{}, {Rows: 1}, {Rows: 1, Nulls: 1}, {Rows: 5000, Nulls: 1}, {Rows: 5000}, {Rows: 9000, Nulls: 0.3},
		{Rows: 40_000, Nulls: 0.001, Plain: true}, {Rows: 70_000, Nulls: 0.1},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			t.Parallel()
			fields := parquettest.AllTypes()
			want := parquettest.Random(fields, o)
			texts := want.Texts()
			r := open(t, encode(t, columns(fields), want.Batches, parquet.Options{}))
			if r.Rows() != int64(o.Rows) {
				t.Fatalf("%d rows of %d", r.Rows(), o.Rows)
			}
			all := []int{}
			for i := range fields {
				all = append(all, i)
			}
			c := r.Cursor(append(all, table.RowColumn))
			defer c.Close()
			check := func(from int64, n int) int {
				b, err := c.Read(from, n)
				if err != nil || b.Len < 1 || b.Len > n {
					t.Fatal(from, n, err)
				}
				for i := range b.Len {
					for j, f := range fields {
						v := b.Columns[j]
						v.Zone = f.Zone
						got, want := string(v.AppendText(nil, i)), texts[from+int64(i)][j]
						if v.IsNull(i) != (want == nil) || want != nil && got != *want {
							t.Fatalf("row %d, %s: %q, want %s", from+int64(i)+1, f.Name, got, shown(want))
						}
					}
					if b.Columns[len(fields)].Int[i] != from+int64(i)+1 {
						t.Fatal("row number", from, i)
					}
				}
				return b.Len
			}
			for from := int64(0); from < r.Rows(); {
				from += int64(check(from, 5000))
			}
			random := rand.New(rand.NewPCG(uint64(i), 3))
			for range min(o.Rows, 300) {
				check(random.Int64N(r.Rows()), 1+random.IntN(120))
			}
			for _, at := range []int64{-1, r.Rows()} {
				if _, err := c.Read(at, 1); err == nil {
					t.Errorf("row %d was read", at)
				}
			}
		})
	}
}

// TestReaderRefusesDamage: a wrong byte gives an error or other values, never a
// fault of the program.
func TestReaderRefusesDamage(t *testing.T) {
	fields := parquettest.AllTypes()
	made := parquettest.Random(fields, parquettest.Options{Seed: 5, Rows: 3000, Nulls: 0.2})
	data := encode(t, columns(fields), made.Batches, parquet.Options{})
	random := rand.New(rand.NewPCG(1, 2))
	refused, dir := 0, t.TempDir()
	all := []int{}
	for i := range fields {
		all = append(all, i)
	}
	for range 600 {
		bad := bytes.Clone(data)
		for range 1 + random.IntN(3) {
			bad[random.IntN(len(bad))] ^= byte(1 + random.IntN(255))
		}
		if random.IntN(10) == 0 {
			bad = bad[:random.IntN(len(bad))]
		}
		path := filepath.Join(dir, "x")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := parquet.Open(path)
		if err != nil {
			refused++
			continue
		}
		c := r.Cursor(all[:min(len(all), len(r.Columns()))])
		for from := int64(0); from < min(r.Rows(), 3000); {
			b, err := c.Read(from, 1000)
			if err != nil {
				refused++
				break
			}
			from += int64(b.Len)
		}
		c.Close()
		_ = r.Close()
	}
	if refused < 150 {
		t.Errorf("of 600 damaged files only %d were refused", refused)
	}
}

// TestOffsetIndexIsRead: another reader's seek, which goes by the index, comes to
// the same rows.
func TestOffsetIndexIsRead(t *testing.T) {
	fields := parquettest.MixedFields()
	data := encode(t, columns(fields), parquettest.MixedBatches(40_000, 2048), parquet.Options{})
	f, err := pq.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	index, err := f.RowGroups()[0].ColumnChunks()[0].OffsetIndex()
	if err != nil || index.NumPages() != 8 || index.FirstRowIndex(3) != 3*4096 {
		t.Fatal(index, err)
	}
	rows := f.RowGroups()[1].Rows()
	defer rows.Close()
	if err := rows.SeekToRow(5000); err != nil {
		t.Fatal(err)
	}
	buf := make([]pq.Row, 1)
	if _, err := rows.ReadRows(buf); err != nil || buf[0][0].Int64() != 32768+5001 {
		t.Fatal(buf, err)
	}
}

func BenchmarkReader(b *testing.B) {
	fields := parquettest.MixedFields()
	data := encode(b, columns(fields), parquettest.MixedBatches(1_000_000, 2048), parquet.Options{})
	r := open(b, data)
	all := []int{}
	for i := range fields {
		all = append(all, i)
	}
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			c := r.Cursor(all)
			for from := int64(0); from < r.Rows(); {
				got, err := c.Read(from, 1<<20)
				if err != nil {
					b.Fatal(err)
				}
				from += int64(got.Len)
			}
			c.Close()
		}
		b.ReportMetric(float64(len(data))/1e6, "MB")
	})
	b.Run("page", func(b *testing.B) {
		c := r.Cursor(all)
		defer c.Close()
		for b.Loop() {
			if _, err := c.Read(rand.Int64N(r.Rows()-100), 100); err != nil {
				b.Fatal(err)
			}
		}
	})
}
