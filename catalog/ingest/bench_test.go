package ingest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"taihu/catalog"
)

// GenerateCSV writes the benchmark's table, 10 columns of everyday kinds with 5
// per cent nulls: 5,000,000 rows are about 600 MB. The same seedless arithmetic
// gives the same bytes everywhere.
func GenerateCSV(path string, rows int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	words := []string{"滨湖区", "梁溪区", "新吴区", "锡山区", "惠山区", "江阴市", "宜兴市", "经开区", "太湖街道", "蠡湖街道", "华庄街道", "雪浪街道"}
	kinds := []string{"道路照明", "停车场", "公共自行车", "空气质量监测点", "公交站台", "垃圾分类投放点", "社区卫生服务中心"}
	fmt.Fprint(w, "id,日期,区域,设施编码,数值,数量,链接,说明,更新时间,有效\n")
	var b []byte
	x := uint64(88172645463325252)
	next := func() uint64 { x ^= x << 13; x ^= x >> 7; x ^= x << 17; return x }
	day := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		r := next()
		b = b[:0]
		b = strconv.AppendInt(b, int64(i+1), 10)
		b = append(b, ',')
		b = day.AddDate(0, 0, int(r%4000)).AppendFormat(b, "2006-01-02")
		b = append(b, ',')
		b = append(b, words[r>>12%uint64(len(words))%uint64(len(words))]...)
		b = append(b, ',')
		b = fmt.Appendf(b, "%09d", 320200000+r>>20%99999)
		b = append(b, ',')
		if r>>24%20 != 0 {
			b = strconv.AppendFloat(b, float64(r>>30%10000000)/1000, 'f', 3, 64)
		}
		b = append(b, ',')
		if r>>26%20 != 0 {
			b = strconv.AppendUint(b, r>>40%100000, 10)
		}
		b = append(b, ",https://data.example.cn/facility/"...)
		b = strconv.AppendUint(b, r>>28%1000000, 16)
		b = append(b, ',')
		switch {
		case r>>33%20 == 0:
		case r>>35%10 == 0:
			b = append(b, `"位于`...)
			b = append(b, kinds[r>>37%uint64(len(kinds))]...)
			b = append(b, `旁, ""西侧"""`...)
		default:
			b = append(b, kinds[r>>37%uint64(len(kinds))]...)
			b = append(b, "第"...)
			b = strconv.AppendUint(b, r>>41%5000, 10)
			b = append(b, "号"...)
		}
		b = append(b, ',')
		b = day.Add(time.Duration(r>>22%300000000)*time.Second).AppendFormat(b, "2006-01-02 15:04:05")
		b = append(b, ',')
		b = strconv.AppendBool(b, r>>50&1 == 1)
		b = append(b, '\n')
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// benchCSV gives the path of a generated file, kept between runs in TAIHU_BENCH_DIR.
func benchCSV(b *testing.B, rows int) string {
	dir := os.Getenv("TAIHU_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	path := filepath.Join(dir, fmt.Sprintf("bench-%d.csv", rows))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := GenerateCSV(path, rows); err != nil {
		b.Fatal(err)
	}
	return path
}

func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("TAIHU_BENCH_ROWS")); err == nil {
		return n
	}
	return 500_000
}

// BenchmarkIngest is the whole pipeline without the profile. read-s is the first
// pass (reading, evidence, text Parquet, spool), typed-s the second, cpu-s what
// both took of all cores, which stays comparable on a busy machine.
func BenchmarkIngest(b *testing.B) {
	path := benchCSV(b, benchRows())
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	var read, typed, cpu time.Duration
	for b.Loop() {
		dir := b.TempDir()
		start, before := time.Now(), cpuTime()
		r, err := Run(context.Background(), Request{Path: path, Name: "bench.csv", OutDir: dir}, nil)
		if err != nil || !r.Report.Accepted {
			b.Fatal(err, summary(r))
		}
		text, err := os.Stat(r.Tables[0].TextPath)
		if err != nil {
			b.Fatal(err)
		}
		read += text.ModTime().Sub(start)
		typed += time.Since(text.ModTime())
		cpu += cpuTime() - before
		os.RemoveAll(dir)
	}
	n := float64(b.N)
	b.ReportMetric(read.Seconds()/n, "read-s/op")
	b.ReportMetric(typed.Seconds()/n, "typed-s/op")
	b.ReportMetric(cpu.Seconds()/n, "cpu-s/op")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRead is decoding and parsing alone.
func BenchmarkRead(b *testing.B) {
	path := benchCSV(b, benchRows())
	info, _ := os.Stat(path)
	b.SetBytes(info.Size())
	for b.Loop() {
		src, h := openBench(b, path, info.Size())
		var c Chunk
		for c.Reset(len(h.Columns)); src.Read(&c) == nil; c.Reset(len(h.Columns)) {
		}
		src.Close()
	}
}

func openBench(b *testing.B, path string, size int64) (Source, *Header) {
	src, err := open(Input{Path: path, Name: "bench.csv", Size: size, Limits: Limits{}.orDefault(), TempDir: b.TempDir(), Report: &catalog.Report{}, Findings: &Findings{}})
	if err != nil {
		b.Fatal(err)
	}
	h, err := src.Next()
	if err != nil {
		b.Fatal(err)
	}
	return src, h
}

// BenchmarkEvidence weighs every cell of the table; ns/cell is the figure to watch.
func BenchmarkEvidence(b *testing.B) {
	path := benchCSV(b, benchRows())
	info, _ := os.Stat(path)
	src, h := openBench(b, path, info.Size())
	defer src.Close()
	var chunks []*Chunk
	cells := 0
	for {
		c := &Chunk{}
		c.Reset(len(h.Columns))
		if src.Read(c) != nil || len(chunks) == 40 {
			break
		}
		chunks = append(chunks, c)
		cells += c.Len * len(h.Columns)
	}
	for b.Loop() {
		for i := range h.Columns {
			e := newEvidence(1)
			for _, c := range chunks {
				e.add(&c.Columns[i], c.Rows)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(cells), "ns/cell")
}
