package parquet_test

import (
	"io"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

const benchRows = 1_000_000

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

// BenchmarkWriter writes the mixed table of 1,000,000 × 10.
func BenchmarkWriter(b *testing.B) {
	batches := parquettest.MixedBatches(benchRows, 2048)
	for b.Loop() {
		out := new(counter)
		w := parquet.NewWriter(out, columns(parquettest.MixedFields()), parquet.Options{})
		for _, batch := range batches {
			if err := w.Write(batch); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(out.n)/1e6, "MB")
	}
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

// BenchmarkParquetGo writes the same table with parquet-go's column writers, the
// fastest way in that it offers, with the same choice of dictionaries.
func BenchmarkParquetGo(b *testing.B) {
	batches := parquettest.MixedBatches(benchRows, 2048)
	for b.Loop() {
		out := new(counter)
		writeParquetGo(b, out, batches)
		b.ReportMetric(float64(out.n)/1e6, "MB")
	}
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func writeParquetGo(b *testing.B, out io.Writer, batches []*table.Batch) {
	b.Helper()
	group := pq.Group{}
	names := "abcdefghij" // a Group sorts its columns by name
	for i, f := range parquettest.MixedFields() {
		var n pq.Node
		switch f.Type {
		case catalog.Boolean:
			n = pq.Leaf(pq.BooleanType)
		case catalog.Number:
			n = pq.Leaf(pq.DoubleType)
		case catalog.Date:
			n = pq.Date()
		case catalog.String:
			n = pq.Encoded(pq.String(), &pq.RLEDictionary)
		case catalog.Decimal:
			n = pq.Decimal(f.Scale, f.Precision, pq.Int64Type)
		default:
			n = pq.Encoded(pq.Leaf(pq.Int64Type), &pq.DeltaBinaryPacked)
		}
		group[names[i:i+1]] = pq.Optional(n)
	}
	w := pq.NewGenericWriter[any](out, pq.NewSchema("schema", group), pq.Compression(&zstd.Codec{Level: zstd.SpeedFastest}))
	writers := w.ColumnWriters()
	var values []pq.Value
	rows := 0
	for _, batch := range batches {
		for j := range batch.Columns {
			values = values[:0]
			v := &batch.Columns[j]
			for i := range batch.Len {
				values = append(values, value(v, i, j))
			}
			if _, err := writers[j].WriteRowValues(values); err != nil {
				b.Fatal(err)
			}
		}
		if rows += batch.Len; rows >= parquet.RowGroup {
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
			rows = 0
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

func value(v *table.Vector, i, column int) pq.Value {
	if v.IsNull(i) {
		return pq.NullValue().Level(0, 0, column)
	}
	switch v.Type {
	case catalog.Boolean:
		return pq.BooleanValue(v.Bool[i]).Level(0, 1, column)
	case catalog.Number:
		return pq.DoubleValue(v.Num[i]).Level(0, 1, column)
	case catalog.String:
		return pq.ByteArrayValue([]byte(v.Text[i])).Level(0, 1, column)
	case catalog.Date:
		return pq.Int32Value(int32(v.Int[i])).Level(0, 1, column)
	}
	return pq.Int64Value(v.Int[i]).Level(0, 1, column)
}
