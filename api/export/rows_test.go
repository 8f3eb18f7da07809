package export

import (
	"bytes"
	"testing"

	"taihu/catalog/parquet/parquettest"
)

// TestPiecesMakeTheSameFile: rows encoded apart and joined are the file that was
// written in one go, also where pieces or the whole are empty.
func TestPiecesMakeTheSameFile(t *testing.T) {
	made := parquettest.Random(parquettest.AllTypes(), parquettest.Options{Seed: 3, Rows: 5000, Batch: 700, Nulls: 0.1})
	for _, f := range []struct {
		format string
		o      Options
	}{{"csv", Options{}}, {"csv", Options{Spreadsheet: true, Null: "NA"}}, {"tsv", Options{}}, {"json", Options{}}, {"json", Options{Shape: "arrays"}}, {"ndjson", Options{}}, {"xml", Options{}}} {
		for _, rows := range []int{0, 1, len(made.Batches)} {
			meta := metaOf(made.Fields)
			meta.Options = f.o
			var whole, joined bytes.Buffer
			e, err := New(f.format, &whole, meta)
			if err != nil {
				t.Fatal(err)
			}
			write(t, e, made.Batches[:rows])
			if e, err = New(f.format, &joined, meta); err != nil {
				t.Fatal(err)
			}
			p := e.(*rowsEncoder)
			put, take := p.Piece()
			var buf []byte
			for _, b := range made.Batches[:rows] {
				empty := take(nil)
				if err := p.Join(empty); err != nil || len(empty) > 0 {
					t.Fatal(err, len(empty))
				}
				if err := put(b); err != nil {
					t.Fatal(err)
				}
				buf = take(buf)
				if err := p.Join(buf); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(whole.Bytes(), joined.Bytes()) {
				t.Errorf("%s %+v of %d batches: joined pieces make %d bytes, not the %d of the whole", f.format, f.o, rows, joined.Len(), whole.Len())
			}
		}
	}
}
