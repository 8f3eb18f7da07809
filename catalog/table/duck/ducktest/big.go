// Package ducktest writes tables as the Parquet parts of a release: small ones from
// rows, and the large one that benchmarks and figures are about,
// 5,000,000 rows × 10 columns as a city publishes of its stations, with Chinese
// text, decimals, dates and nulls, about 500 MB as CSV. It is written with
// catalog/parquet, as a published part is, once for all packages.
//
// It knows no engine; it is named after the first that it was made for.
package ducktest

import (
	"bufio"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// Rows of the large table.
const Rows = 5_000_000

// Fields are its columns.
var Fields = []catalog.Field{
	{Name: "编号", Type: catalog.Integer},
	{Name: "时间", Type: catalog.Datetime, Zone: "+08:00"},
	{Name: "日期", Type: catalog.Date},
	{Name: "行政区", Type: catalog.String},
	{Name: "站点", Type: catalog.String},
	{Name: "aqi", Type: catalog.Integer},
	{Name: "pm25", Type: catalog.Decimal, Precision: 9, Scale: 2},
	{Name: "气温", Type: catalog.Number},
	{Name: "正常", Type: catalog.Boolean},
	{Name: "备注", Type: catalog.String},
}

var districts = []string{"梁溪区", "滨湖区", "新吴区", "锡山区", "惠山区", "经开区", "江阴市", "宜兴市"}

// Big returns the large table, making it under the system's temp folder where it
// is not there yet.
func Big(t testing.TB) table.Source {
	t.Helper()
	path := filepath.Join(os.TempDir(), "taihu-bench-5m10-v2.parquet")
	if _, err := os.Stat(path); err != nil {
		temp := fmt.Sprintf("%s.%d", path, os.Getpid())
		if err := write(temp, bigBatches); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temp, path); err != nil {
			t.Fatal(err)
		}
	}
	return table.Source{ID: "big", Schema: catalog.Schema{Fields: Fields}, Parts: []string{path}, Rows: Rows}
}

// bigBatches are the rows of the large table.
func bigBatches(yield func(*table.Batch) bool) {
	r := rand.New(rand.NewPCG(1, 1))
	const step = 2048
	for from := 0; from < Rows; from += step {
		if !yield(batch(r, from, min(step, Rows-from))) {
			return
		}
	}
}

// write writes batches of the large table's columns as a part.
func write(path string, batches iter.Seq[*table.Batch]) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	columns := []parquet.Column{parquet.RowNumber()}
	for _, field := range Fields {
		columns = append(columns, parquet.ColumnOf(field))
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := parquet.NewWriter(buffered, columns, parquet.Options{})
	for b := range batches {
		if b.Len == 0 {
			continue
		}
		if err := w.Write(b); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

func batch(r *rand.Rand, from, n int) *table.Batch {
	b := &table.Batch{Len: n, Columns: make([]table.Vector, len(Fields))}
	for c, f := range Fields {
		b.Columns[c] = table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone}
	}
	v := b.Columns
	v[6].Null, v[9].Null = make([]bool, n), make([]bool, n)
	began := catalog.DaysOf(2020, 1, 1)
	for i := range n {
		row := int64(from + i + 1)
		v[0].Int = append(v[0].Int, row*7)
		v[1].Int = append(v[1].Int, began*86400e6+row*13e6)
		v[2].Int = append(v[2].Int, began+row/5000)
		v[3].Text = append(v[3].Text, districts[r.IntN(len(districts))])
		v[4].Text = append(v[4].Text, fmt.Sprintf("监测站第%d号（%d）", r.IntN(4000), row%97))
		v[5].Int = append(v[5].Int, r.Int64N(500))
		v[6].Null[i] = r.IntN(20) == 0
		v[6].Int = append(v[6].Int, r.Int64N(30000))
		v[7].Num = append(v[7].Num, float64(r.IntN(100000))/1000-20)
		v[8].Bool = append(v[8].Bool, r.IntN(50) > 0)
		v[9].Null[i] = r.IntN(10) < 3
		v[9].Text = append(v[9].Text, fmt.Sprintf("note %d 巡检记录", r.IntN(1000000)))
	}
	return b
}
