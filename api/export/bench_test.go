package export

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/xuri/excelize/v2"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

// sink counts bytes and notes when the first one came.
type sink struct {
	n     int64
	begun time.Time
	first time.Duration
}

func (s *sink) Write(p []byte) (int, error) {
	if s.n == 0 {
		s.first = time.Since(s.begun)
	}
	s.n += int64(len(p))
	return len(p), nil
}

// BenchmarkEncoder encodes the mixed table of 1,000,000 × 10 in every format.
func BenchmarkEncoder(b *testing.B) {
	batches := parquettest.MixedBatches(1_000_000, 2048)
	fields := parquettest.MixedFields()
	fields[5].Name, fields[6].Name = "经度", "纬度" // for GeoJSON; some are places of the earth
	for _, f := range Formats {
		b.Run(f.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out := &sink{begun: time.Now()}
				e, err := New(f.Name, out, metaOf(fields))
				if err != nil {
					b.Fatal(err)
				}
				write(b, e, batches)
				b.SetBytes(out.n)
				b.ReportMetric(float64(out.first.Microseconds())/1e3, "ms-to-first-byte")
			}
		})
	}
}

// BenchmarkXLSXAgainstExcelize writes the same 200,000 rows with both writers;
// the ratio is what counts.
func BenchmarkXLSXAgainstExcelize(b *testing.B) {
	batches := parquettest.MixedBatches(200_000, 2048)
	b.Run("taihu", func(b *testing.B) {
		for b.Loop() {
			out := new(sink)
			e, err := New("xlsx", out, metaOf(parquettest.MixedFields()))
			if err != nil {
				b.Fatal(err)
			}
			write(b, e, batches)
			b.ReportMetric(float64(out.n)/1e6, "MB")
		}
	})
	b.Run("excelize", func(b *testing.B) {
		for b.Loop() {
			out := new(sink)
			writeExcelize(b, out, batches)
			b.ReportMetric(float64(out.n)/1e6, "MB")
		}
	})
}

func writeExcelize(b *testing.B, out io.Writer, batches []*table.Batch) {
	b.Helper()
	book := excelize.NewFile()
	style, err := newStyles(book, parquettest.MixedFields())
	if err != nil {
		b.Fatal(err)
	}
	s, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	row := make([]any, len(parquettest.MixedFields()))
	line := 1
	for _, batch := range batches {
		for i := range batch.Len {
			for j := range batch.Columns {
				row[j] = excelize.Cell{StyleID: style.columns[j], Value: cellValue(&batch.Columns[j], i)}
			}
			if err := s.SetRow(fmt.Sprintf("A%d", line), row); err != nil {
				b.Fatal(err)
			}
			line++
		}
	}
	if err := s.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := book.Write(out); err != nil {
		b.Fatal(err)
	}
}

func cellValue(v *table.Vector, i int) any {
	if v.IsNull(i) {
		return nil
	}
	switch v.Type {
	case catalog.String:
		return v.Text[i]
	case catalog.Number:
		return v.Num[i]
	case catalog.Boolean:
		return v.Bool[i]
	case catalog.Decimal:
		return float64(v.Int[i]) / 100
	case catalog.Date:
		return v.Int[i] + dayZero
	case catalog.Datetime:
		return float64(v.Int[i])/86400e6 + dayZero
	}
	return v.Int[i]
}

// BenchmarkDeflate compares compressors on the XML of a sheet.
func BenchmarkDeflate(b *testing.B) {
	e, err := newXLSX(io.Discard, metaOf(parquettest.MixedFields()))
	if err != nil {
		b.Fatal(err)
	}
	e.begun = true
	for _, batch := range parquettest.MixedBatches(10_000, 2048) {
		for i := range batch.Len {
			if err := e.appendRow(batch, i); err != nil {
				b.Fatal(err)
			}
		}
	}
	run := func(name string, w func(io.Writer) io.WriteCloser) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(e.buf)))
			for b.Loop() {
				var out bytes.Buffer
				z := w(&out)
				if _, err := z.Write(e.buf); err != nil {
					b.Fatal(err)
				}
				if err := z.Close(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(out.Len())/float64(len(e.buf))*100, "%size")
			}
		})
	}
	for level := 1; level <= 4; level++ {
		run(fmt.Sprintf("klauspost %d", level), func(w io.Writer) io.WriteCloser {
			z, err := flate.NewWriter(w, level)
			if err != nil {
				b.Fatal(err)
			}
			return z
		})
	}
	for _, level := range []int{1, 3} {
		run(fmt.Sprintf("standard %d", level), func(w io.Writer) io.WriteCloser {
			z, err := stdflate.NewWriter(w, level)
			if err != nil {
				b.Fatal(err)
			}
			return z
		})
	}
}
