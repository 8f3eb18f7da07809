package export

import (
	"bytes"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
)

func readArrow(t testing.TB, data []byte, fields []catalog.Field) [][]*string {
	t.Helper()
	r, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !bytes.HasSuffix(data, []byte("\xff\xff\xff\xff\x00\x00\x00\x00")) {
		t.Fatal("the stream has no end")
	}
	for j, f := range r.Schema().Fields() {
		if f.Name != fields[j].Name || !f.Nullable {
			t.Fatalf("field %d is %v", j, f)
		}
	}
	var rows [][]*string
	for r.Next() {
		b := r.RecordBatch()
		for i := range int(b.NumRows()) {
			row := make([]*string, len(fields))
			for j, f := range fields {
				if c := b.Column(j); !c.IsNull(i) {
					s := arrowText(t, c, i, f)
					row[j] = &s
				}
			}
			rows = append(rows, row)
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return rows
}

func arrowText(t testing.TB, c arrow.Array, i int, f catalog.Field) string {
	t.Helper()
	v := parquettest.VectorOf(f)
	switch c := c.(type) {
	case *array.Boolean:
		v.Bool = []bool{c.Value(i)}
	case *array.Int64:
		v.Int = []int64{c.Value(i)}
	case *array.Float64:
		v.Num = []float64{c.Value(i)}
	case *array.Date32:
		v.Int = []int64{int64(c.Value(i))}
	case *array.Time64:
		v.Int = []int64{int64(c.Value(i))}
	case *array.Timestamp:
		zone := c.DataType().(*arrow.TimestampType).TimeZone
		if want := strings.Replace(f.Zone, "Z", "UTC", 1); zone != want {
			t.Fatalf("zone %s, want %s", zone, want)
		}
		v.Int = []int64{int64(c.Value(i))}
		if zone == "+08:00" {
			v.Int[0] += 8 * 3600e6
		}
	case *array.String:
		v.Text = []string{strings.Clone(c.Value(i))}
	case *array.Decimal128:
		typ := c.DataType().(*arrow.Decimal128Type)
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(typ.Scale)), nil)
		return new(big.Rat).SetFrac(c.Value(i).BigInt(), scale).FloatString(f.Scale)
	default:
		t.Fatalf("a column of %s", c.DataType())
	}
	return string(v.AppendText(nil, 0))
}

func TestArrowBatchesAreBounded(t *testing.T) {
	long := parquettest.Random([]catalog.Field{{Name: "a", Type: catalog.String}}, parquettest.Options{Rows: 20})
	for i := range long.Batches[0].Columns[0].Text {
		long.Batches[0].Columns[0].Text[i] = strings.Repeat("长", 100_000)
	}
	short := parquettest.Random([]catalog.Field{{Name: "a", Type: catalog.Integer}}, parquettest.Options{Rows: 20_000})
	for _, test := range []struct {
		table parquettest.Table
		want  []int64
	}{{long, []int64{4, 4, 4, 4, 4}}, {short, []int64{8192, 8192, 3616}}} {
		r, err := ipc.NewReader(bytes.NewReader(encode(t, "arrow", test.table)))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !r.Next() || r.RecordBatch().NumRows() != want {
				t.Errorf("a batch is not of %d rows", want)
			}
		}
		if r.Next() {
			t.Error("one batch more")
		}
		r.Release()
	}
}

func TestArrowOfAnUnknownZone(t *testing.T) {
	if _, err := New("arrow", nil, metaOf([]catalog.Field{{Name: "a", Type: catalog.Datetime, Zone: "Asia/Shanghai"}})); err == nil {
		t.Error("taken")
	}
}
