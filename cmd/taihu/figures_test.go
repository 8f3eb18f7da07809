package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/xuri/excelize/v2"

	"taihu/api/client"
	"taihu/catalog/ingest"
)

// BenchmarkFigures measures the figures of the main path, each beside its
// yardstick in the same run, alternating: make bench. It is one measurement, not
// a loop, and prints medians and ratios; machines are shared, so a lone time
// means little.
func BenchmarkFigures(b *testing.B) {
	f := &figures{b: b, dir: filepath.Join(os.TempDir(), "taihu-bench"), rows: 5_000_000}
	if n, err := strconv.Atoi(os.Getenv("TAIHU_BENCH_ROWS")); err == nil {
		f.rows = n
	}
	if err := os.MkdirAll(f.dir, 0o750); err != nil {
		b.Fatal(err)
	}
	f.duck = openDuck(b)
	f.generate()
	f.ingest()
	f.serve()
	f.files()
	f.exports()
	f.pages()
	f.depths()
	f.sorted()
	f.firstTouch()
	f.xlsx()
	f.memory()
}

// BenchmarkLarge is what a table of 50,000,000 rows costs: make bench-large. It
// needs 30 GB of disk and a quarter of an hour.
func BenchmarkLarge(b *testing.B) {
	f := &figures{b: b, dir: filepath.Join(os.TempDir(), "taihu-bench"), rows: 50_000_000}
	if n, err := strconv.Atoi(os.Getenv("TAIHU_BENCH_ROWS")); err == nil {
		f.rows = n
	}
	if err := os.MkdirAll(f.dir, 0o750); err != nil {
		b.Fatal(err)
	}
	f.generate()
	f.serve()
	for _, query := range []string{"csv?where=" + url.QueryEscape(fmt.Sprintf("_row < %d", f.rows+1)), "csv?where=" + url.QueryEscape("数量 < 2500"), "json?where=" + url.QueryEscape("数量 = 77")} {
		whole, first, n := f.fetch("/data/bench/1/rows." + query)
		name, _ := url.QueryUnescape(query)
		f.say("unstored %s, %d MB: %v, first byte %v", name, n>>20, whole, first)
		f.watch.say(f, "it")
	}
	f.pages()
	f.depths()
	var times []time.Duration
	for range 5 {
		took, _, _ := f.fetch("/api/v1/datasets/bench/releases/1/tables/rows/rows?limit=100&sort=-" + url.QueryEscape("金额"))
		times = append(times, took)
	}
	f.say("page of 100 rows sorted by 金额: %v", median(times))
	f.firstTouch()
	f.memory()
}

type figures struct {
	b      *testing.B
	dir    string
	rows   int
	duck   *sql.DB
	source string // the CSV
	part   string // typed Parquet made by ingest
	p      *process
	client *client.Client
	watch  *memoryWatch
}

func (f *figures) say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func openDuck(b *testing.B) *sql.DB {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, q := range []string{"SET threads = 2", "SET preserve_insertion_order = true"} {
		if _, err := db.Exec(q); err != nil {
			b.Fatal(err)
		}
	}
	return db
}

// generate writes the table: id, date, Chinese words, code, decimal, integer,
// URL, text with 5 % nulls, timestamp, boolean; about 120 bytes a row.
func (f *figures) generate() {
	f.source = filepath.Join(f.dir, fmt.Sprintf("rows-%d.csv", f.rows))
	if _, err := os.Stat(f.source); err == nil {
		return
	}
	out, err := os.Create(f.source + ".part")
	if err != nil {
		f.b.Fatal(err)
	}
	w := bufio.NewWriterSize(out, 1<<20)
	fmt.Fprintln(w, "id,日期,区县,编码,金额,数量,链接,说明,时间,有效")
	for i := range f.rows {
		w.Write(benchRow(i))
	}
	if err := w.Flush(); err != nil {
		f.b.Fatal(err)
	}
	out.Close()
	if err := os.Rename(out.Name(), f.source); err != nil {
		f.b.Fatal(err)
	}
}

var benchDistricts = []string{"梁溪区", "滨湖区", "新吴区", "锡山区", "惠山区", "江阴市", "宜兴市", "经开区"}

// benchRow is row i, the same on every machine.
func benchRow(i int) []byte {
	x := uint64(i)*6364136223846793005 + 1442695040888963407
	x ^= x >> 29
	note := fmt.Sprintf("第%d号检查，结果正常，编号%x", x%977, x&0xffff)
	if x%20 == 0 {
		note = ""
	}
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(x%189_000_000) * time.Second)
	return fmt.Appendf(nil, "%d,%s,%s,%06d,%d.%02d,%d,https://example.org/d/%d/%x,%s,%s,%t\n",
		i+1, at.Format("2006-01-02"), benchDistricts[x%8], x%1_000_000, x%100_000, (x>>8)%100, (x>>16)%5000, x%5000, x&0xffffff, note, at.Format("2006-01-02 15:04:05"), x%3 == 0)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// ingest: the whole check of the file beside DuckDB's own CSV → Parquet.
func (f *figures) ingest() {
	var ours, theirs []time.Duration
	peak := int64(0)
	for range 3 {
		start := time.Now()
		target := filepath.Join(f.dir, "duck.parquet")
		if _, err := f.duck.Exec(fmt.Sprintf("COPY (SELECT * FROM read_csv('%s')) TO '%s' (FORMAT parquet, COMPRESSION zstd)", f.source, target)); err != nil {
			f.b.Fatal(err)
		}
		theirs = append(theirs, time.Since(start))

		out := filepath.Join(f.dir, "out")
		os.RemoveAll(out)
		if err := os.MkdirAll(out, 0o750); err != nil {
			f.b.Fatal(err)
		}
		cfg := &Config{IngestMemory: 512, IngestSeconds: 600, Data: f.dir}
		request, _ := json.Marshal(ingest.Request{Path: f.source, Name: "rows.csv", OutDir: out, Limits: ingestLimits(cfg)})
		cmd := exec.Command(os.Args[0], "ingest-child")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + f.dir, "TAIHU_INGEST_MEMORY=512", "GOMAXPROCS=2", fmt.Sprintf("GOMEMLIMIT=%d", ingestLimits(cfg).Memory*3/4)}
		cmd.Stdin = bytes.NewReader(request)
		var answer bytes.Buffer
		cmd.Stdout, cmd.Stderr = &answer, os.Stderr
		start = time.Now()
		if err := cmd.Start(); err != nil {
			f.b.Fatal(err)
		}
		// Not getrusage: its peak begins with the size of the process that forked.
		watch := watchMemory(cmd.Process.Pid)
		err := cmd.Wait()
		ours = append(ours, time.Since(start))
		watch.stop()
		if err != nil {
			f.b.Fatal(err)
		}
		peak = max(peak, watch.most)
		var result struct{ Result ingest.Result }
		if err := json.Unmarshal(answer.Bytes(), &result); err != nil || len(result.Result.Tables) != 1 || result.Result.Tables[0].Table.Rows != int64(f.rows) {
			f.b.Fatalf("ingest: %v %.300s", err, answer.String())
		}
		f.part = result.Result.Tables[0].TypedPath
	}
	f.say("ingest %d rows: %v; DuckDB CSV → Parquet: %v; ratio %.2f (wanted ≤ 4); child's peak %d MB (wanted ≤ 512)",
		f.rows, median(ours), median(theirs), float64(median(ours))/float64(median(theirs)), peak>>20)
}

// serve starts a portal in its own process with the table published.
func (f *figures) serve() {
	t := &testing.T{}
	f.p = &process{t: t, Data: filepath.Join(f.dir, "portal"), address: "127.0.0.1:18477"}
	os.RemoveAll(f.p.Data)
	f.p.start("TAIHU_ANONYMOUS_QUERIES=0", "TAIHU_MAX_UPLOAD=16000", "TAIHU_INGEST_SECONDS=3600")
	f.b.Cleanup(f.p.kill)
	s := &server{t: t, Data: f.p.Data}
	f.client = client.New(f.p.URL, s.token())
	time.Sleep(500 * time.Millisecond)
	f.watch = watchMemory(f.p.cmd.Process.Pid)
	f.b.Cleanup(f.watch.stop)
	makeDataset(t, f.client, "bench")
	f.publish(f.source)
	f.watch.say(f, "upload, check, publish and warm")
}

// plainClient asks for the plain bytes: Go's own would have them compressed.
var plainClient = &http.Client{Transport: &http.Transport{DisableCompression: true}}

// fetch reads an address to the end and returns the time, that of the first
// byte, and the bytes.
func (f *figures) fetch(path string) (whole, first time.Duration, n int64) {
	return f.get(f.p.URL + path)
}

func (f *figures) get(path string) (whole, first time.Duration, n int64) {
	start := time.Now()
	resp, err := plainClient.Get(path)
	if err != nil {
		f.b.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		f.b.Fatalf("%s: %s %s", path, resp.Status, body)
	}
	one := make([]byte, 1)
	if _, err := io.ReadFull(resp.Body, one); err != nil {
		f.b.Fatal(err)
	}
	first = time.Since(start)
	n, err = io.CopyBuffer(io.Discard, struct{ io.Reader }{resp.Body}, make([]byte, 256<<10))
	if err != nil {
		f.b.Fatal(err)
	}
	return time.Since(start), first, n + 1
}

// files: stored files of two sizes, beside nginx with sendfile on the same bytes.
func (f *figures) files() {
	path, err := exec.LookPath("nginx")
	if err != nil {
		f.say("whole files: no nginx to be held against; install it for this figure")
		return
	}
	root := filepath.Join(f.dir, "nginx")
	if err := os.MkdirAll(root, 0o750); err != nil {
		f.b.Fatal(err)
	}
	conf := filepath.Join(root, "nginx.conf")
	text := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;\nevents {}\nhttp { access_log off; sendfile on; tcp_nopush on; server { listen 127.0.0.1:18478; root %[1]s; } }\n", root)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		f.b.Fatal(err)
	}
	nginx := exec.Command(path, "-c", conf)
	nginx.Stderr = os.Stderr
	if err := nginx.Start(); err != nil {
		f.b.Fatal(err)
	}
	defer func() { _ = nginx.Process.Kill(); _ = nginx.Wait() }()
	for _, name := range []string{"rows.parquet", "rows.csv"} {
		ours := f.p.URL + "/data/bench/1/" + name
		f.copy(ours, filepath.Join(root, name))
		var we, they []time.Duration
		var n int64
		for range 7 {
			nginx, _, _ := f.get("http://127.0.0.1:18478/" + name)
			they = append(they, nginx)
			whole, _, bytes := f.get(ours)
			we, n = append(we, whole), bytes
		}
		f.say("whole file %s, %d MB: %v; nginx with sendfile: %v; ratio %.2f× (wanted ≥ 0.95)",
			name, n>>20, median(we), median(they), float64(median(they))/float64(median(we)))
	}
	f.watch.say(f, "whole files")
}

// copy keeps what an address gives as a file.
func (f *figures) copy(address, path string) {
	resp, err := plainClient.Get(address)
	if err != nil {
		f.b.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := os.Create(path)
	if err != nil {
		f.b.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, resp.Body); err != nil {
		f.b.Fatal(err)
	}
}

// exports: text that is not stored, whole and filtered, beside DuckDB's COPY into a
// pipe.
func (f *figures) exports() {
	pipe := filepath.Join(f.dir, "pipe")
	os.Remove(pipe)
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		f.b.Fatal(err)
	}
	options := map[string]string{"csv": "FORMAT csv, HEADER", "json": "FORMAT json, ARRAY true", "ndjson": "FORMAT json"}
	for _, e := range []struct{ format, where, what string }{
		{"csv", "", "whole"}, {"csv", "区县 in ('梁溪区', '滨湖区', '新吴区', '锡山区')", "half of it"}, {"csv", "数量 = 77", "0.02 % of it"},
		{"json", "", "whole"}, {"ndjson", "", "whole"},
	} {
		var ours, theirs, first []time.Duration
		var bytes int64
		for i := range 5 {
			condition := ""
			if e.where != "" {
				condition = " WHERE " + e.where
			}
			cat := exec.Command("sh", "-c", "cat "+pipe+" >/dev/null")
			if err := cat.Start(); err != nil {
				f.b.Fatal(err)
			}
			start := time.Now()
			if _, err := f.duck.Exec(fmt.Sprintf("COPY (SELECT * EXCLUDE (_row) FROM read_parquet('%s')%s) TO '%s' (%s)", f.part, condition, pipe, options[e.format])); err != nil {
				f.b.Fatal(err)
			}
			_ = cat.Wait()
			theirs = append(theirs, time.Since(start))
			// Another query each time, so that none is kept.
			query := url.Values{"where": {fmt.Sprintf("_row < %d", f.rows+1+i)}}
			if e.where != "" {
				query.Set("where", e.where+" and "+query.Get("where"))
			}
			whole, one, n := f.fetch("/data/bench/1/rows." + e.format + "?" + query.Encode())
			ours, first, bytes = append(ours, whole), append(first, one), n
		}
		f.say("unstored %s, %s, %.1f MB: %v, first byte %v; DuckDB COPY to a pipe: %v; ratio %.2f× (wanted ≥ 1.0)",
			e.format, e.what, float64(bytes)/(1<<20), median(ours), median(first), median(theirs), float64(median(theirs))/float64(median(ours)))
	}
	f.watch.say(f, "CSV and JSON exports")
}

// pages: 100 rows at the beginning and deep in the table.
func (f *figures) pages() {
	deep := f.rows * 4 / 5
	path := func(row int) string {
		return "/api/v1/datasets/bench/releases/1/tables/rows/rows?limit=100&where=" + url.QueryEscape(fmt.Sprintf("_row > %d", row))
	}
	var shallow, far []time.Duration
	for i := range 120 {
		a, _, _ := f.fetch(path(10))
		b, _, _ := f.fetch(path(deep))
		if i >= 20 {
			shallow, far = append(shallow, a), append(far, b)
		}
	}
	s, d := median(shallow), median(far)
	f.say("page of 100 rows: at row 10 %v, at row %d %v (wanted ≤ 40 ms each); ratio %.2f (wanted ≤ 1.5)", s, deep, d, float64(max(s, d))/float64(min(s, d)))
	f.watch.say(f, "pages")
}

// depths: pages at random depths, by one client and by eight at once.
func (f *figures) depths() {
	for _, clients := range []int{1, 8} {
		var wait sync.WaitGroup
		times := make([][]time.Duration, clients)
		const pages = 1200
		start := time.Now()
		for c := range clients {
			wait.Go(func() {
				r := rand.New(rand.NewPCG(uint64(c), 7))
				for range pages / clients {
					took, _, _ := f.fetch("/api/v1/datasets/bench/releases/1/tables/rows/rows?limit=100&where=" + url.QueryEscape(fmt.Sprintf("_row > %d", r.IntN(f.rows*98/100))))
					times[c] = append(times[c], took)
				}
			})
		}
		wait.Wait()
		all := slices.Concat(times...)
		f.say("pages of 100 rows at random depths, %d clients: median %v, %.0f pages/s (wanted ≤ 8 ms by one, ≥ 500/s)", clients, median(all), pages/time.Since(start).Seconds())
	}
	f.watch.say(f, "pages at random depths")
}

// sorted: the first 100 rows in another order, beside DuckDB's own top-N.
func (f *figures) sorted() {
	for _, column := range []string{"数量", "金额", "说明"} {
		var ours, theirs []time.Duration
		for range 5 {
			theirs = append(theirs, f.topByDuck(column))
			took, _, _ := f.fetch("/api/v1/datasets/bench/releases/1/tables/rows/rows?limit=100&sort=-" + url.QueryEscape(column))
			ours = append(ours, took)
		}
		f.say("page of 100 rows sorted by %s: %v; DuckDB's top-N %v; ratio %.2f (wanted ≤ 1.3)", column, median(ours), median(theirs), float64(median(ours))/float64(median(theirs)))
	}
	f.watch.say(f, "sorted pages")
}

// topByDuck reads the first 100 rows in the order of a column.
func (f *figures) topByDuck(column string) time.Duration {
	start := time.Now()
	rows, err := f.duck.Query(fmt.Sprintf(`SELECT * EXCLUDE (_row) FROM read_parquet('%s') ORDER BY "%s" DESC NULLS LAST LIMIT 100`, f.part, column))
	if err != nil {
		f.b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		f.b.Fatal(err)
	}
	return time.Since(start)
}

// firstTouch: a page of a table that no child has open, as there is no child at all.
func (f *figures) firstTouch() {
	var times []time.Duration
	for range 5 {
		for _, c := range childrenOf(f.p.cmd.Process.Pid) {
			_ = syscall.Kill(c, syscall.SIGKILL)
		}
		time.Sleep(300 * time.Millisecond)
		took, _, _ := f.fetch("/api/v1/datasets/bench/releases/1/tables/rows/rows?limit=100&where=" + url.QueryEscape(fmt.Sprintf("_row > %d", f.rows/2)))
		times = append(times, took)
	}
	f.say("first touch of the table, a child started for it: %v (wanted ≤ 40 ms)", median(times))
}

// xlsx: one million rows, beside excelize's StreamWriter with the same values.
func (f *figures) xlsx() {
	rows := min(f.rows, 1_000_000)
	var ours, theirs, first []time.Duration
	for i := range 3 {
		theirs = append(theirs, excelizeStream(f.b, rows))
		whole, one, _ := f.fetch(fmt.Sprintf("/data/bench/1/rows.xlsx?limit=%d", rows-i))
		ours, first = append(ours, whole), append(first, one)
	}
	f.say("XLSX of %d × 10: %v, first byte %v; excelize StreamWriter: %v; %.1f× faster (wanted ≥ 8)",
		rows, median(ours), median(first), median(theirs), float64(median(theirs))/float64(median(ours)))
	f.watch.say(f, "XLSX exports")
}

func excelizeStream(b *testing.B, rows int) time.Duration {
	values := make([][]any, 1000)
	for i := range values {
		cells := strings.Split(strings.TrimRight(string(benchRow(i)), "\n"), ",")
		row := make([]any, len(cells))
		for j, c := range cells {
			row[j] = c
		}
		n, _ := strconv.Atoi(cells[0])
		row[0] = n
		day, _ := time.Parse(time.DateOnly, cells[1])
		row[1] = day
		amount, _ := strconv.ParseFloat(cells[4], 64)
		row[4] = amount
		count, _ := strconv.Atoi(cells[5])
		row[5] = count
		at, _ := time.Parse(time.DateTime, cells[8])
		row[8], row[9] = at, cells[9] == "true"
		values[i] = row
	}
	start := time.Now()
	book := excelize.NewFile()
	defer book.Close()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for i := range rows {
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := w.SetRow(cell, values[i%len(values)]); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := book.Write(io.Discard); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func (f *figures) memory() {
	f.say("serve grew by %d MB at the most over %d MB when idle (wanted ≤ 64); its largest child had %d MB (wanted ≤ 256 for exports, 512 for checks)",
		(f.watch.most-f.watch.base)>>20, f.watch.base>>20, f.watch.child>>20)
}

// memoryWatch samples the resident sets of a process and of its children.
type memoryWatch struct {
	pid               int
	mu                sync.Mutex
	base, most, child int64
	mostNow, childNow int64 // since the last say
	ended             chan struct{}
	once              sync.Once
}

func watchMemory(pid int) *memoryWatch {
	w := &memoryWatch{pid: pid, base: residentSet(pid), ended: make(chan struct{})}
	go func() {
		for {
			select {
			case <-w.ended:
				return
			case <-time.After(50 * time.Millisecond):
			}
			own, children := residentSet(pid), int64(0)
			for _, c := range childrenOf(pid) {
				children = max(children, residentSet(c))
			}
			w.mu.Lock()
			w.most, w.child = max(w.most, own), max(w.child, children)
			w.mostNow, w.childNow = max(w.mostNow, own), max(w.childNow, children)
			w.mu.Unlock()
		}
	}()
	return w
}

func (w *memoryWatch) stop() { w.once.Do(func() { close(w.ended) }) }

func (w *memoryWatch) say(f *figures, during string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f.say("  memory during %s: serve +%d MB, largest child %d MB", during, (w.mostNow-w.base)>>20, w.childNow>>20)
	w.mostNow, w.childNow = 0, 0
}

func residentSet(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

func childrenOf(pid int) []int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var out []int
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		for _, s := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(s); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}
