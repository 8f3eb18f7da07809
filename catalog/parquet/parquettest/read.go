package parquettest

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Read returns the canonical texts of a file, row by row, through parquet-go.
func Read(t testing.TB, data []byte, fields []catalog.Field) [][]*string {
	t.Helper()
	f, err := pq.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]*string
	for _, g := range f.RowGroups() {
		r := g.Rows()
		buf := make([]pq.Row, 512)
		for {
			n, err := r.ReadRows(buf)
			for _, row := range buf[:n] {
				out := make([]*string, len(fields))
				for _, v := range row {
					if !v.IsNull() {
						s := valueText(v, fields[v.Column()])
						out[v.Column()] = &s
					}
				}
				rows = append(rows, out)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

func valueText(v pq.Value, f catalog.Field) string {
	one := VectorOf(f)
	switch {
	case f.Type == catalog.Boolean:
		one.Bool = []bool{v.Boolean()}
	case f.Type == catalog.Number:
		one.Num = []float64{v.Double()}
	case f.Type == catalog.Date:
		one.Int = []int64{int64(v.Int32())}
	case f.Type == catalog.String || f.Type == catalog.JSON:
		one.Text = []string{string(v.ByteArray())}
	case f.Type == catalog.Decimal && table.Wide(f.Precision):
		one.Text = []string{wideText(v.ByteArray(), f.Scale)}
	default:
		one.Int = []int64{v.Int64()}
	}
	return string(one.AppendText(nil, 0))
}

func wideText(b []byte, scale int) string {
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	sign, digits := "", n.String()
	if n.Sign() < 0 {
		sign, digits = "-", digits[1:]
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	if scale == 0 {
		return sign + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}
