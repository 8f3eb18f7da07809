package ingest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"taihu/catalog"
)

// benchBook writes a workbook of that many rows and ten columns: whole numbers,
// decimals, dates, Chinese text of few and of many values, booleans, gaps.
func benchBook(b *testing.B, rows int) string {
	b.Helper()
	f := excelize.NewFile()
	defer f.Close()
	date, err := f.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		b.Fatal(err)
	}
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	header := []any{"编号", "名称", "区", "日期", "数量", "金额", "比率", "有效", "备注", "代码"}
	if err := w.SetRow("A1", header); err != nil {
		b.Fatal(err)
	}
	districts := []string{"滨湖区", "梁溪区", "新吴区", "惠山区", "锡山区"}
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		row := []any{i + 1, fmt.Sprintf("监测点 %d 号", i), districts[i%5], excelize.Cell{StyleID: date, Value: day.AddDate(0, 0, i%900)},
			i * 7 % 10000, float64(i%100000) / 100, float64(i) / 3, i%2 == 0, nil, fmt.Sprintf("%06d", i)}
		if i%3 == 0 {
			row[8] = "说明 & 备注"
		}
		cell, _ := excelize.CoordinatesToCellName(1, i+2)
		if err := w.SetRow(cell, row); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "bench.xlsx")
	if err := f.SaveAs(path); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkXLSX reads 200,000 rows of ten columns with our reader (weighing,
// measuring and typed text included) and with excelize's Rows, which gives bare
// strings.
func BenchmarkXLSX(b *testing.B) {
	const rows = 200_000
	path := benchBook(b, rows)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("taihu", func(b *testing.B) {
		defer reportCPU(b)()
		for b.Loop() {
			if got := countRows(b, path, info.Size()); got != rows {
				b.Fatalf("%d rows", got)
			}
		}
	})
	b.Run("excelize", func(b *testing.B) {
		defer reportCPU(b)()
		for b.Loop() {
			if got := countExcelize(b, path); got != rows+1 {
				b.Fatalf("%d rows", got)
			}
		}
	})
}

// reportCPU adds processor time, which a busy machine does not stretch.
func reportCPU(b *testing.B) func() {
	b.ReportAllocs()
	before := cpuTime()
	return func() { b.ReportMetric(float64((cpuTime()-before).Milliseconds())/float64(b.N), "cpu-ms/op") }
}

func countRows(b *testing.B, path string, size int64) int {
	in := Input{Path: path, Name: "bench.xlsx", Size: size, Limits: Limits{}.orDefault(), TempDir: b.TempDir(), Report: &catalog.Report{}, Findings: &Findings{}}
	src, err := open(in)
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	h, err := src.Next()
	if err != nil {
		b.Fatal(err)
	}
	var c Chunk
	n := 0
	for {
		c.Reset(len(h.Columns))
		err := src.Read(&c)
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			b.Fatal(err)
		}
		n += c.Len
	}
}

func countExcelize(b *testing.B, path string) int {
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	rows, err := f.Rows("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		if _, err := rows.Columns(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	return n
}
