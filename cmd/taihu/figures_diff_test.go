package main

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
)

// BenchmarkFiguresOfComparison measures what changed between two releases of
// 1,000,000 × 10, over HTTP, beside one full scan of
// both by DuckDB and its joins, alternating: make bench, or this alone.
func BenchmarkFiguresOfComparison(b *testing.B) {
	const rows = 1_000_000
	f := &figures{b: b, dir: filepath.Join(os.TempDir(), "taihu-bench"), duck: openDuck(b)}
	if err := os.MkdirAll(f.dir, 0o750); err != nil {
		b.Fatal(err)
	}
	t := &testing.T{}
	f.p = &process{t: t, Data: filepath.Join(f.dir, "portal-diff"), address: "127.0.0.1:18479"}
	os.RemoveAll(f.p.Data)
	f.p.start("TAIHU_ANONYMOUS_QUERIES=0")
	b.Cleanup(f.p.kill)
	f.client = client.New(f.p.URL, (&server{t: t, Data: f.p.Data}).token())
	makeDataset(t, f.client, "bench")
	var parts []any
	for release, change := range []bool{false, true} {
		f.publish(f.edited(rows, change))
		part := filepath.Join(f.dir, fmt.Sprintf("diff-%d.parquet", release+1))
		f.copy(fmt.Sprintf("%s/data/bench/%d/rows.parquet", f.p.URL, release+1), part)
		parts = append(parts, part)
	}
	f.watch = watchMemory(f.p.cmd.Process.Pid)
	b.Cleanup(f.watch.stop)
	scan := fmt.Sprintf(`SELECT count(*), bit_xor(hash(id, 日期, 区县, 编码, 金额, 数量, 链接, 说明, 时间, 有效)) FROM read_parquet(['%s', '%s'])`, parts...)
	join := fmt.Sprintf(`SELECT count(*), count(*) FILTER (WHERE a.金额 IS DISTINCT FROM b.金额) FROM '%s' a FULL JOIN '%s' b USING (id)`, parts...)
	var scans, joins, cold, warm, deep, list []time.Duration
	for i, more := range []string{"", ",编码", ",数量", ",日期", ",时间", ",区县", ",有效"} {
		scans = append(scans, f.ask(scan))
		joins = append(joins, f.ask(join))
		key := "key=" + url.QueryEscape("id"+more) // with another key nothing of before is of use
		base := "/api/v1/datasets/bench/diff?" + key
		first, _, _ := f.fetch(base)
		cold = append(cold, first)
		again, _, _ := f.fetch(base)
		warm = append(warm, again)
		other, _, _ := f.fetch(base + "&cursor=9000")
		deep = append(deep, other)
		whole, _, n := f.fetch("/data/bench/1...2/rows.csv?" + key)
		list = append(list, whole)
		if i == 0 {
			f.say("list of all changes: %d MB", n>>20)
		}
	}
	f.say("comparison of two releases of %d × 10, 2 %% of the rows touched: %v; one scan of both by DuckDB %v; ratio %.2f (wanted ≤ 3); DuckDB's join for one column of ten: %v",
		rows, median(cold), median(scans), float64(median(cold))/float64(median(scans)), median(joins))
	f.say("the same page again %v, another page %v, the whole list as CSV %v", median(warm), median(deep), median(list))
	f.watch.say(f, "comparisons")
}

// edited writes the rows of the bench table; with change 1 of 100 has another amount,
// 1 of 200 is gone and as many are new.
func (f *figures) edited(rows int, change bool) string {
	path := filepath.Join(f.dir, fmt.Sprintf("edited-%d-%t.csv", rows, change))
	out, err := os.Create(path)
	if err != nil {
		f.b.Fatal(err)
	}
	defer out.Close()
	w := bufio.NewWriterSize(out, 1<<20)
	fmt.Fprintln(w, "id,日期,区县,编码,金额,数量,链接,说明,时间,有效")
	for i := range rows {
		row := benchRow(i)
		switch {
		case change && i%200 == 7:
			continue
		case change && i%100 == 3:
			row = fmt.Appendf(nil, "%d,%s", i+1, benchRow(i + 1)[len(fmt.Sprint(i+2))+1:])
		}
		w.Write(row)
		if change && i%200 == 9 {
			w.Write(benchRow(rows + i))
		}
	}
	if err := w.Flush(); err != nil {
		f.b.Fatal(err)
	}
	return path
}

// publish makes a file the next release of the bench dataset.
func (f *figures) publish(path string) {
	ctx := context.Background()
	draft, err := f.client.CreateDraft(ctx, "bench", api.DraftEdit{})
	if err != nil {
		f.b.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		f.b.Fatal(err)
	}
	defer file.Close()
	info, _ := file.Stat()
	if draft, err = f.client.PutFile(ctx, draft.ID, "rows.csv", nil, file, info.Size()); err != nil {
		f.b.Fatal(err)
	}
	for draft.State == catalog.Checking {
		time.Sleep(200 * time.Millisecond)
		if draft, err = f.client.Draft(ctx, draft.ID); err != nil {
			f.b.Fatal(err)
		}
	}
	for _, verb := range []string{"submit", "approve", "publish"} {
		if _, err := f.client.Act(ctx, draft.ID, verb); err != nil {
			f.b.Fatal(err)
		}
	}
	for f.p.pendingJobs() > 0 {
		time.Sleep(200 * time.Millisecond)
	}
}

// ask runs a query of DuckDB's to its end.
func (f *figures) ask(query string) time.Duration {
	start := time.Now()
	var a, b uint64
	if err := f.duck.QueryRow(query).Scan(&a, &b); err != nil {
		f.b.Fatal(err)
	}
	return time.Since(start)
}
