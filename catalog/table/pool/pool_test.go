package pool_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/child"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
	"taihu/catalog/table/duck"
	"taihu/catalog/table/parts"
	"taihu/catalog/table/pool"

	"go.uber.org/goleak"
)

// The test binary is its own query child, with DuckDB and the plainest encoder.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "query-child" {
		engine := parts.New(duck.New(duck.Config{TempDir: os.TempDir()}))
		if err := pool.Serve(context.Background(), os.Stdin, os.Stdout, engine, encode); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) == 4 && os.Args[1] == "duck-copy" {
		duckCopy(os.Args[2], os.Args[3])
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// encode knows "lines", cells joined by bars; "pieces", the same in pieces; "columns", the same column after
// column; "slow", which takes 50 ms for each batch; and "crash", which ends the process in the middle.
func encode(format string, w io.Writer, meta json.RawMessage, fields []catalog.Field) (pool.Encoder, error) {
	if !slices.Contains([]string{"lines", "pieces", "columns", "slow", "crash", "deaf"}, format) {
		return nil, catalog.Errorf(catalog.Invalid, "unknown_format", "no format %q", format).With("nearest", "lines")
	}
	_, err := fmt.Fprintf(w, "%s %s\n", meta, fields[0].Name)
	if format == "columns" {
		return &columnLines{lines: lines{w: w, format: format}, fields: fields}, err
	}
	if format == "pieces" {
		return &pieceLines{lines{w: w, format: format}}, err
	}
	return &lines{w: w, format: format}, err
}

// pieceLines can be encoded in pieces.
type pieceLines struct{ lines }

func (l *pieceLines) Piece() (func(*table.Batch) error, func([]byte) []byte) {
	one := &lines{}
	var made bytes.Buffer
	one.w = &made
	return one.Write, func(buf []byte) []byte {
		buf = append(buf[:0], made.Bytes()...)
		made.Reset()
		return buf
	}
}

func (l *pieceLines) Join(b []byte) error {
	_, err := l.w.Write(b)
	return err
}

// columnLines writes the name of each column before its cells.
type columnLines struct {
	lines
	fields []catalog.Field
	at     int
}

func (l *columnLines) Next() error {
	l.at++
	_, err := fmt.Fprintf(l.w, "%s:\n", l.fields[l.at-1].Name)
	return err
}

type lines struct {
	w      io.Writer
	format string
	buf    []byte
	batch  int
}

func (l *lines) Write(b *table.Batch) error {
	l.batch++
	switch {
	case l.format == "slow":
		time.Sleep(50 * time.Millisecond)
	case l.format == "deaf":
		time.Sleep(time.Minute)
	case l.format == "crash" && l.batch == 20:
		fmt.Fprintln(os.Stderr, "ouch")
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	l.buf = l.buf[:0]
	for i := range b.Len {
		for c := range b.Columns {
			l.buf = append(b.Columns[c].AppendText(l.buf, i), '|')
		}
		l.buf = append(l.buf, '\n')
	}
	_, err := l.w.Write(l.buf)
	return err
}

func (l *lines) Close() error { return nil }

// files serves parts from a folder by their name.
type files struct {
	dir  string
	mu   sync.Mutex
	held int
}

func (f *files) Local(_ context.Context, sha string) (string, func(), error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held++
	return filepath.Join(f.dir, sha), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.held--
	}, nil
}

type bundle struct {
	*pool.Pool
	files *files
}

func start(t testing.TB, dir string, change func(*pool.Config)) bundle {
	t.Helper()
	f := &files{dir: dir}
	c := pool.Config{Files: f, Child: child.Spec{Args: []string{"query-child"}, TempRoot: t.TempDir(), MemoryBytes: 1 << 30}}
	if change != nil {
		change(&c)
	}
	p := pool.New(c)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if f.held != 0 {
			t.Errorf("%d parts are still held", f.held)
		}
		if n := children(t); n != 0 {
			t.Errorf("%d children are left", n)
		}
	})
	return bundle{p, f}
}

// rss is the most memory that a child of this process has had resident.
func rss(t testing.TB) (most int64) {
	t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, path := range all {
		status, _ := os.ReadFile(path)
		var parent, peak int64
		for line := range strings.SplitSeq(string(status), "\n") {
			_, _ = fmt.Sscanf(line, "PPid: %d", &parent)
			_, _ = fmt.Sscanf(line, "VmHWM: %d kB", &peak)
		}
		if parent == int64(os.Getpid()) {
			most = max(most, peak<<10)
		}
	}
	return most
}

// children counts the processes whose parent is this one.
func children(t testing.TB) (n int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
			n++
		}
	}
	return n
}

var townFields = []catalog.Field{
	{Name: "区", Type: catalog.String},
	{Name: "n", Type: catalog.Integer},
	{Name: "x", Type: catalog.Number},
	{Name: "钱", Type: catalog.Decimal, Precision: 9, Scale: 2},
	{Name: "信息", Type: catalog.JSON},
}

// town writes a table of n rows.
func town(t testing.TB, dir string, n int) *catalog.Table {
	t.Helper()
	columns := []parquet.Column{parquet.RowNumber()}
	for _, f := range townFields {
		columns = append(columns, parquet.ColumnOf(f))
	}
	name := "town" + strconv.Itoa(n)
	out, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := parquet.NewWriter(out, columns, parquet.Options{})
	for from := 0; from < n; from += 2048 {
		b := townBatch(from, min(2048, n-from))
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &catalog.Table{TableSHA256: name, Schema: catalog.Schema{Fields: townFields}, Rows: int64(n),
		Parts: []catalog.Part{{Blob: catalog.Blob{SHA256: name}, Rows: int64(n)}}}
}

var districts = []string{"梁溪区", "滨湖区", "新吴区", ""}

func townBatch(from, n int) *table.Batch {
	b := &table.Batch{Len: n, Columns: []table.Vector{
		{Type: catalog.Integer}, {Type: catalog.String, Null: make([]bool, n)}, {Type: catalog.Integer},
		{Type: catalog.Number}, {Type: catalog.Decimal, Precision: 9, Scale: 2}, {Type: catalog.JSON},
	}}
	for i := range n {
		row := from + i + 1
		b.Columns[0].Int = append(b.Columns[0].Int, int64(row))
		b.Columns[1].Text = append(b.Columns[1].Text, districts[row%4])
		b.Columns[1].Null[i] = row%5 == 0
		b.Columns[2].Int = append(b.Columns[2].Int, int64(row*7%1000))
		b.Columns[3].Num = append(b.Columns[3].Num, float64(row)/8)
		b.Columns[4].Int = append(b.Columns[4].Int, int64(row))
		b.Columns[5].Text = append(b.Columns[5].Text, fmt.Sprintf(`{"row":%d}`, row))
	}
	return b
}

func TestRows(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 10_000)
	p := start(t, dir, nil)

	got, err := p.Rows(t.Context(), tab, table.Params{Limit: 2, Where: "n >= 7"}, pool.RowsOptions{Count: true})
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"区":"滨湖区","n":7,"x":0.125,"钱":0.01,"信息":{"row":1}},{"区":"新吴区","n":14,"x":0.25,"钱":0.02,"信息":{"row":2}}]`
	if string(got.JSON) != want {
		t.Errorf("got  %s\nwant %s", got.JSON, want)
	}
	if cells := show(got); cells != "1: 滨湖区 7 0.125 0.01 {\"row\":1}\n2: 新吴区 14 0.25 0.02 {\"row\":2}\n" {
		t.Errorf("got cells %q", cells)
	}
	if got.Next == nil || got.Next.Row != 2 || got.Count == nil || *got.Count != 9930 || len(got.Columns) != 5 {
		t.Errorf("got next %v, count %v, columns %v", got.Next, got.Count, got.Columns)
	}
}

func show(a *pool.RowsAnswer) string {
	var b strings.Builder
	for i, row := range a.Rows {
		fmt.Fprintf(&b, "%d:", a.Row[i])
		for _, c := range row {
			if c == nil {
				b.WriteString(" null")
			} else {
				b.WriteString(" " + *c)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Paging through a sorted answer gives every row once, in the order of one
// whole answer.
func TestPagesMakeTheWhole(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 3000)
	p := start(t, dir, nil)
	for _, params := range []table.Params{{}, {Sort: "-区,x"}, {Sort: "n", Where: "区 != '滨湖区'"}, {Select: "区,_row", Sort: "区"}} {
		params.Limit = table.MaxRows
		whole, err := p.Rows(t.Context(), tab, params, pool.RowsOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if whole.Next != nil {
			t.Errorf("%+v: more after the end", params)
		}
		params.Limit = 777
		var pages string
		for {
			page, err := p.Rows(t.Context(), tab, params, pool.RowsOptions{NoJSON: true})
			if err != nil {
				t.Fatal(err)
			}
			pages += show(page)
			if page.Next == nil {
				break
			}
			params.Cursor = table.Cursor{Release: 1, Query: page.Query, Position: *page.Next}.String()
		}
		if pages != show(whole) {
			t.Errorf("%+v: pages differ from the whole", params)
		}
	}
}

// TestColumnwise: column after column gives the rows of one whole answer.
func TestColumnwise(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 10_000)
	p := start(t, dir, nil)
	for _, params := range []table.Params{
		{}, {Where: "n > 500", Sort: "-区,x", Select: "n,_row,区", Limit: 3000}, {Where: "n < 0"}, {Group: "区", Select: "区,sum(x) as s,count(*) as c", Sort: "-s", Having: "c > 10"}, {Select: "count(*) as c,avg(x) as a"},
	} {
		var rows, columns bytes.Buffer
		want, err := p.Export(t.Context(), tab, params, pool.ExportOptions{Format: "lines", Meta: json.RawMessage(`{}`)}, &rows)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Export(t.Context(), tab, params, pool.ExportOptions{Format: "columns", Meta: json.RawMessage(`{}`)}, &columns)
		if err != nil || got.Rows != want.Rows {
			t.Fatalf("%+v: %d rows, want %d: %v", params, got.Rows, want.Rows, err)
		}
		lines := strings.Split(strings.TrimSuffix(rows.String(), "\n"), "\n")[1:]
		_, rest, _ := strings.Cut(columns.String(), "\n")
		cells := strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
		each := len(lines) + 1
		for i, line := range lines {
			made := ""
			for j := each; j <= len(cells); j += each {
				made += cells[j-each+1+i]
			}
			if made != line {
				t.Fatalf("%+v, row %d: %s, want %s", params, i, made, line)
			}
		}
		if len(cells)%each != 0 {
			t.Errorf("%+v: %d lines", params, len(cells))
		}
	}
}

// TestPieces: an export in pieces is the one in one go, with the same rows and sum.
func TestPieces(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100_000)
	p := start(t, dir, nil)
	for _, params := range []table.Params{
		{}, {Limit: 50_000}, {Limit: 1_000_000}, {Where: "n > 500"}, {Where: "n > 500", Limit: 20_000}, {Where: "n < 0"}, {Where: "_row > 99999"},
		{Where: "区 = '滨湖区' or _row in (1, 70000)", Select: "_row,x"}, {Sort: "-x"},
	} {
		var whole, joined bytes.Buffer
		want, err := p.Export(t.Context(), tab, params, pool.ExportOptions{Format: "lines", Meta: json.RawMessage(`{}`)}, &whole)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Export(t.Context(), tab, params, pool.ExportOptions{Format: "pieces", Meta: json.RawMessage(`{}`)}, &joined)
		if err != nil || got != want || !bytes.Equal(joined.Bytes(), whole.Bytes()) {
			t.Errorf("%+v: %+v, want %+v; %v", params, got, want, err)
		}
	}
}

func TestExport(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100_000)
	p := start(t, dir, nil)
	var out bytes.Buffer
	got, err := p.Export(t.Context(), tab, table.Params{Select: "区,n"}, pool.ExportOptions{Format: "lines", Meta: json.RawMessage(`{"a":1}`)}, &out)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(out.Bytes())
	want := pool.Result{Rows: 100_000, Bytes: int64(out.Len()), SHA256: hex.EncodeToString(sum[:])}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !strings.HasPrefix(out.String(), "{\"a\":1} 区\n滨湖区|7|\n新吴区|14|\n") || bytes.Count(out.Bytes(), []byte("\n")) != 100_001 {
		t.Errorf("got %.100s", out.String())
	}
}

func TestErrorsReachTheUser(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100)
	p := start(t, dir, nil)
	for _, test := range []struct {
		params table.Params
		format string
		kind   catalog.Kind
		code   string
	}{
		{table.Params{Where: "nn = 1"}, "", catalog.Invalid, "unknown_column"},
		{table.Params{Where: "n = "}, "", catalog.Invalid, "bad_where"},
		{table.Params{Limit: 10001}, "", catalog.Invalid, "bad_limit"},
		{table.Params{}, "docx", catalog.Invalid, "unknown_format"},
	} {
		var err error
		if test.format == "" {
			_, err = p.Rows(t.Context(), tab, test.params, pool.RowsOptions{})
		} else {
			_, err = p.Export(t.Context(), tab, test.params, pool.ExportOptions{Format: test.format}, io.Discard)
		}
		if catalog.KindOf(err) != test.kind || catalog.CodeOf(err) != test.code {
			t.Errorf("%+v: got %v", test.params, err)
		}
		var e *catalog.Error
		if errors.As(err, &e); len(e.Fields) == 0 {
			t.Errorf("%+v: the error lost its facts", test.params)
		}
	}
	if _, err := p.Rows(t.Context(), tab, table.Params{}, pool.RowsOptions{}); err != nil {
		t.Errorf("after errors: %v", err)
	}
}

func TestDamagedPartIsNoAnswer(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100)
	p := start(t, dir, nil)
	tab.Rows = 101
	if _, err := p.Rows(t.Context(), tab, table.Params{}, pool.RowsOptions{}); err == nil || catalog.KindOf(err) != "" {
		t.Errorf("got %v", err)
	}
}

// The child dies in the middle: the export fails, and the next query works.
func TestDeathCostsOneRequest(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 200_000)
	p := start(t, dir, func(c *pool.Config) { c.Size = 1 })
	for range 3 {
		_, err := p.Export(t.Context(), tab, table.Params{}, pool.ExportOptions{Format: "crash"}, io.Discard)
		if catalog.KindOf(err) != catalog.Unavailable || catalog.CodeOf(err) != "query_failed" {
			t.Fatalf("got %v", err)
		}
		began := time.Now()
		if _, err := p.Rows(t.Context(), tab, table.Params{}, pool.RowsOptions{}); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("the next query took %v", d)
		}
	}
}

func TestClientLeaves(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 200_000)
	p := start(t, dir, func(c *pool.Config) { c.Size = 1 })
	gone := errors.New("client is gone")
	for name, test := range map[string]struct {
		format string
		run    func(ctx context.Context, cancel func(), format string) error
		want   error
		most   time.Duration
	}{
		"context cancelled": {"slow", func(ctx context.Context, cancel func(), format string) error {
			time.AfterFunc(100*time.Millisecond, cancel)
			_, err := p.Export(ctx, tab, table.Params{}, pool.ExportOptions{Format: format}, io.Discard)
			return err
		}, context.Canceled, time.Second},
		"write fails": {"lines", func(ctx context.Context, _ func(), format string) error {
			_, err := p.Export(ctx, tab, table.Params{}, pool.ExportOptions{Format: format}, brokenWriter{gone})
			return err
		}, gone, time.Second},
		"write fails in pieces": {"pieces", func(ctx context.Context, _ func(), format string) error {
			_, err := p.Export(ctx, tab, table.Params{}, pool.ExportOptions{Format: format}, brokenWriter{gone})
			return err
		}, gone, time.Second},
		"child does not obey": {"deaf", func(ctx context.Context, cancel func(), format string) error {
			time.AfterFunc(100*time.Millisecond, cancel)
			_, err := p.Export(ctx, tab, table.Params{}, pool.ExportOptions{Format: format}, io.Discard)
			return err
		}, context.Canceled, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			began := time.Now()
			if err := test.run(ctx, cancel, test.format); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if d := time.Since(began); d > test.most {
				t.Errorf("took %v", d)
			}
			if _, err := p.Rows(t.Context(), tab, table.Params{}, pool.RowsOptions{}); err != nil {
				t.Errorf("the next query: %v", err)
			}
		})
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestTimeIsLimited(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 200_000)
	p := start(t, dir, func(c *pool.Config) { c.ExportTimeout = 200 * time.Millisecond })
	_, err := p.Export(t.Context(), tab, table.Params{}, pool.ExportOptions{Format: "slow"}, io.Discard)
	if catalog.CodeOf(err) != "query_too_expensive" {
		t.Errorf("got %v", err)
	}
}

// What would cost too much is refused before it takes a child; an export may
// cost more than a page.
func TestCostIsLimited(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 1000)
	p := start(t, dir, func(c *pool.Config) { c.MaxCost = 25_000 })
	dear := table.Params{Where: "contains(区, '溪') or contains(区, '湖')"}
	_, err := p.Rows(t.Context(), tab, dear, pool.RowsOptions{})
	var e *catalog.Error
	if !errors.As(err, &e) || e.Kind != catalog.Unprocessable || e.Code != "query_too_expensive" || e.Fields["cost"] != int64(40_000) || e.Zh == "" {
		t.Errorf("got %v", err)
	}
	if n := children(t); n != 0 {
		t.Errorf("%d children were started for it", n)
	}
	if _, err := p.Export(t.Context(), tab, dear, pool.ExportOptions{Format: "lines"}, io.Discard); err != nil {
		t.Errorf("the export: %v", err)
	}
	if _, err := p.Rows(t.Context(), tab, table.Params{Where: "contains(区, '溪') and n > 5"}, pool.RowsOptions{}); err != nil {
		t.Errorf("a cheaper page: %v", err)
	}
}

func TestQueueIsBounded(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 20_000)
	p := start(t, dir, func(c *pool.Config) { c.Size, c.Queue, c.Wait = 1, 2, time.Minute })
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes := map[string]int{}
	for range 10 {
		wg.Go(func() {
			_, err := p.Export(t.Context(), tab, table.Params{}, pool.ExportOptions{Format: "slow"}, io.Discard)
			mu.Lock()
			defer mu.Unlock()
			codes[catalog.CodeOf(err)]++
			var e *catalog.Error
			if errors.As(err, &e) && e.Fields["retry_after"] == nil {
				t.Error("busy does not say when to come again")
			}
		})
	}
	wg.Wait()
	if codes[""] != 3 || codes["busy"] != 7 {
		t.Errorf("got %v, want 3 answers and 7 busy", codes)
	}
}

// What is useful without its rows does not wait for them as long as the pool
// allows.
func TestWaitIsTheCallers(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 20_000)
	p := start(t, dir, func(c *pool.Config) { c.Size, c.Wait = 1, time.Minute })
	began, done := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		var once sync.Once
		_, _ = p.Export(ctx, tab, table.Params{}, pool.ExportOptions{Format: "slow"}, writerFunc(func(b []byte) (int, error) {
			once.Do(func() { close(began) })
			<-ctx.Done()
			return len(b), nil
		}))
	}()
	<-began
	from := time.Now()
	_, err := p.Rows(t.Context(), tab, table.Params{}, pool.RowsOptions{Wait: 50 * time.Millisecond})
	if took := time.Since(from); catalog.CodeOf(err) != "busy" || took > 10*time.Second {
		t.Errorf("%v after %v, want busy at once", err, took)
	}
	cancel()
	<-done
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// Exports leave one child to pages.
func TestPageDoesNotWaitBehindExports(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100_000)
	p := start(t, dir, func(c *pool.Config) { c.Size = 2 })
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { _, _ = p.Export(ctx, tab, table.Params{}, pool.ExportOptions{Format: "slow"}, io.Discard) })
	}
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	if _, err := p.Rows(t.Context(), tab, table.Params{}, pool.RowsOptions{}); err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d > time.Second {
		t.Errorf("the page took %v", d)
	}
	cancel()
	wg.Wait()
}

func TestCloseInTheMiddle(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100_000)
	p := start(t, dir, nil)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			_, err := p.Export(t.Context(), tab, table.Params{}, pool.ExportOptions{Format: "slow"}, io.Discard)
			if catalog.KindOf(err) != catalog.Unavailable {
				t.Errorf("got %v", err)
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := p.Rows(t.Context(), tab, table.Params{}, pool.RowsOptions{}); catalog.KindOf(err) != catalog.Unavailable {
		t.Errorf("after Close: %v", err)
	}
}

// Five hundred requests at once, some of which are cancelled or crash their
// child: every other one gets its own right answer.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	var tables []*catalog.Table
	for i := range 6 {
		tables = append(tables, town(t, dir, 1000*(i+1)))
	}
	p := start(t, dir, func(c *pool.Config) { c.Size, c.Queue, c.Wait, c.Recycle = 3, 1000, time.Minute, 40 })
	var wg sync.WaitGroup
	for i := range 500 {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		wg.Go(func() { oneOfMany(t, p, tables[r.IntN(len(tables))], r) })
	}
	wg.Wait()
}

func oneOfMany(t *testing.T, p bundle, tab *catalog.Table, r *rand.Rand) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	switch r.IntN(10) {
	case 0:
		time.AfterFunc(time.Duration(r.IntN(50))*time.Millisecond, cancel)
		_, _ = p.Export(ctx, tab, table.Params{}, pool.ExportOptions{Format: "slow"}, io.Discard)
	case 1:
		_, _ = p.Export(ctx, tab, table.Params{}, pool.ExportOptions{Format: "crash"}, io.Discard)
	case 2, 3, 4:
		got, err := p.Export(ctx, tab, table.Params{Where: "n < 500"}, pool.ExportOptions{Format: "lines"}, io.Discard)
		if err != nil || got.Rows != tab.Rows/2 {
			t.Errorf("export of %d rows: %+v, %v", tab.Rows, got, err)
		}
	default:
		first := r.Int64N(tab.Rows) + 1
		a, err := p.Rows(ctx, tab, table.Params{Where: fmt.Sprintf("_row >= %d", first), Limit: 3}, pool.RowsOptions{})
		if err != nil || len(a.Row) == 0 || a.Row[0] != first || int64(len(a.Row)) != min(3, tab.Rows-first+1) {
			t.Errorf("rows from %d of %d: %v", first, tab.Rows, err)
		}
	}
}
