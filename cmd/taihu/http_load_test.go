package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
)

// queryChildren lists the query children of this process.
func queryChildren(t *testing.T) []int {
	t.Helper()
	var list []int
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		for field := range strings.FieldsSeq(string(b)) {
			line, _ := os.ReadFile("/proc/" + field + "/cmdline")
			if pid, err := strconv.Atoi(field); err == nil && bytes.Contains(line, []byte("query-child")) {
				list = append(list, pid)
			}
		}
	}
	return list
}

// traces are what requests may leave behind.
type traces struct {
	Goroutines int
	Files      int      // open descriptors, but for the database's, which keeps some connections
	Children   int      // query children
	Busy       int      // of these, that use the processor
	Temporary  []string // files, with and without a name
}

// traces counts them in this process, which is the portal's and the clients'.
func (p *lotPortal) traces() (found traces) {
	p.t.Helper()
	children := queryChildren(p.t)
	used := map[int]string{}
	for _, pid := range children {
		used[pid] = processorTime(pid)
	}
	time.Sleep(100 * time.Millisecond)
	for pid, before := range used {
		if processorTime(pid) != before {
			found.Busy++
		}
	}
	found.Children, found.Goroutines = len(children), runtime.NumGoroutine()
	for _, pattern := range []string{"tmp/run-*/export-*", "tmp/run-*/taihu-child-*/*", "blobs/tmp/*", "exports/tmp/*"} {
		list, err := filepath.Glob(filepath.Join(p.Data, pattern))
		if err != nil {
			p.t.Fatal(err)
		}
		found.Temporary = append(found.Temporary, list...)
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if !strings.HasPrefix(target, filepath.Join(p.Data, "taihu.db")) {
			found.Files++
		}
		if strings.HasPrefix(target, p.Data) && strings.HasSuffix(target, " (deleted)") { // a spool
			found.Temporary = append(found.Temporary, target)
		}
	}
	return found
}

// processorTime is what a process has used in user and system mode.
func processorTime(pid int) string {
	line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := bytes.Cut(line, []byte(") "))
	if fields := strings.Fields(string(after)); len(fields) > 12 {
		return fields[11] + "+" + fields[12]
	}
	return "gone"
}

// settles wants at the most the traces of before, and neither work nor temporary
// files, within five seconds.
func (p *lotPortal) settles(before traces) {
	p.t.Helper()
	var now traces
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		now = p.traces()
		if now.Goroutines <= before.Goroutines && now.Files <= before.Files && now.Children <= before.Children && now.Busy == 0 && len(now.Temporary) == 0 {
			p.t.Logf("before %+v, after %+v", before, now)
			return
		}
	}
	stacks := make([]byte, 1<<20)
	if now.Goroutines <= before.Goroutines {
		stacks = nil
	}
	p.t.Errorf("after 5 s: %+v, before %+v\n%s", now, before, stacks[:runtime.Stack(stacks, true)])
}

// tableOf makes a CSV of n rows that take a while to encode.
func tableOf(n int) string {
	var b strings.Builder
	b.WriteString("编号,名称,日期,数值,备注\n")
	for i := range n {
		fmt.Fprintf(&b, "r%07d,停车场第%d号,2024-%02d-%02d,%d.%02d,%x\n", i, i%977, i%12+1, i%28+1, i*31%10007, i%100, sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)}))
	}
	return b.String()
}

// startLarge is a portal with one table of n rows of which no export is kept.
func startLarge(t *testing.T, n int, args ...string) *lotPortal {
	t.Helper()
	p := startLots(t, args...)
	if _, err := p.client.CreateDataset(t.Context(), editOf("large-lots", "cgj")); err != nil {
		t.Fatal(err)
	}
	p.release("large-lots", "large.csv", tableOf(n))
	p.forget()
	return p
}

// worked counts the lines in which the pool says that a query child worked.
func (p *lotPortal) worked() int { return strings.Count(p.Log.String(), `msg="query child worked"`) }

// crowd is many clients, each with an address and a connection of its own, so that
// none takes the turn of another.
type crowd struct {
	p    *lotPortal
	size int
}

// each sends one request for every client, again where the portal says so, and
// gives the answers to take.
func (c crowd) each(address func(i int) string, take func(i int, resp *http.Response) error) {
	t := c.p.t
	t.Helper()
	var wg sync.WaitGroup
	for i := range c.size {
		wg.Go(func() {
			dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+i/200), byte(1+i%200))}}
			transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true}
			for {
				resp, err := transport.RoundTrip(request(t, t.Context(), c.p.URL+encodeQuery(address(i))))
				if err == nil && resp.StatusCode == http.StatusServiceUnavailable {
					resp.Body.Close()
					time.Sleep(200 * time.Millisecond)
					continue
				}
				if err == nil && resp.StatusCode != http.StatusOK {
					err = errors.New(resp.Status)
				}
				if err == nil {
					err = take(i, resp)
					resp.Body.Close()
				}
				if err != nil {
					t.Errorf("client %d: %v", i, err)
				}
				return
			}
		})
	}
	wg.Wait()
}

// TestEqualExportsRunOnce: 500 clients ask at once for an export that is not kept,
// and none reads on before all have their first byte. All get the same bytes, a
// query child works once, one export is kept (reliability D05), and nothing is left.
func TestEqualExportsRunOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: 500 clients; run without -short")
	}
	p := startLarge(t, 60_000, "--log-level=debug")
	for _, address := range []string{"/data/large-lots/1/large.xlsx", "/data/large-lots/1/large.csv?where=数值 > 10&sort=-数值", "/data/large-lots/1/large.xlsx?where=数值 > 10"} {
		t.Run(address, func(t *testing.T) {
			clients := crowd{p, 500}
			var before traces
			for try := 1; ; try++ {
				p.forget()
				worked := p.worked()
				before = p.traces()
				n := serveEqual(t, clients, address, worked)
				// On a busy machine the first of them may have memory full, alone, before the
				// second arrives: it is then served directly, and the others share another.
				if n == 2 && try < 4 {
					t.Logf("the first client was served alone; once more")
					continue
				}
				if n != 1 {
					t.Errorf("query children worked %d times", n)
				}
				break
			}
			eventually(t, "one export is kept", func() bool { return len(p.exports()) == 1 })
			before.Children = max(before.Children, 1) // one may have been started for it
			p.settles(before)
		})
	}
}

// serveEqual has every client read the same export, none more than a byte before all
// have one, and returns how often query children worked for it.
func serveEqual(t *testing.T, clients crowd, address string, worked int) int {
	t.Helper()
	var mu sync.Mutex
	var began sync.WaitGroup
	began.Add(clients.size)
	sums := map[[32]byte]int{}
	start := time.Now()
	clients.each(func(int) string { return address }, func(_ int, resp *http.Response) error {
		h := sha256.New()
		_, err := io.CopyN(h, resp.Body, 1)
		began.Done()
		if err != nil {
			return err
		}
		began.Wait()
		_, err = io.Copy(h, resp.Body)
		mu.Lock()
		defer mu.Unlock()
		sums[[32]byte(h.Sum(nil))]++
		return err
	})
	t.Logf("%d clients served in %v", clients.size, time.Since(start).Round(time.Millisecond))
	if len(sums) != 1 {
		t.Errorf("%d different answers", len(sums))
	}
	clients.p.idle()
	return clients.p.worked() - worked
}

func request(t *testing.T, ctx context.Context, address string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// TestClientsThatVanish: 200 clients go away after a hundredth of an export that is
// not kept, each of its own and all of the same one; nothing of theirs is left and
// the next request works (reliability D03).
func TestClientsThatVanish(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: 200 clients; run without -short")
	}
	const rows, children = 150_000, 2
	p := startLarge(t, rows, "--queries="+strconv.Itoa(children))
	_, _, whole := p.send(t, scenario{path: "/data/large-lots/1/large.csv"})
	p.forget()
	// So that both are there: one has an export while the other has a page.
	crowd{p, 1}.each(func(int) string { return "/data/large-lots/1/large.xml" }, func(_ int, resp *http.Response) error {
		status, _, _ := p.send(t, scenario{path: "/api/v1/datasets/large-lots/releases/1/tables/large/rows"})
		if status != http.StatusOK || len(queryChildren(t)) != children {
			return fmt.Errorf("rows: %d, %d children", status, len(queryChildren(t)))
		}
		return nil
	})
	vanish := func(clients crowd, address func(int) string) {
		clients.each(address, func(i int, resp *http.Response) error {
			_, err := io.CopyN(io.Discard, resp.Body, int64(len(whole)/100))
			return err
		})
	}
	for name, address := range map[string]func(int) string{
		"each its own": func(i int) string {
			return "/data/large-lots/1/large.csv?limit=" + strconv.Itoa(rows-i) + "&sort=" + []string{"_row", "-数值"}[i%2]
		},
		"all the same":       func(int) string { return "/data/large-lots/1/large.csv?sort=-备注&where=编号 != 'r'" },
		"all the same whole": func(int) string { return "/data/large-lots/1/large.xml" },
	} {
		t.Run(name, func(t *testing.T) {
			vanish(crowd{p, 8}, func(i int) string { return address(i + 1000) }) // what a portal keeps warm is there
			before := p.traces()
			for before.Busy > 0 {
				before = p.traces()
			}
			vanish(crowd{p, 200}, address)
			p.settles(before)
			status, _, body := p.send(t, scenario{path: address(0)})
			if status != http.StatusOK || strings.Count(body, "\n") < rows {
				t.Errorf("the next request: %d with %d lines", status, strings.Count(body, "\n"))
			}
		})
	}
}

// TestSlowReaderHoldsNoChild: while one reader takes a large filtered export slowly,
// at its begin or in its middle, the only child that may export serves the next one,
// and he gets his whole file in the end.
func TestSlowReaderHoldsNoChild(t *testing.T) {
	const rows = 300_000
	p := startLarge(t, rows, "--queries=2")
	for name, fast := range map[string]int64{"at the begin": 4 << 10, "in the middle": 12 << 20} {
		t.Run(name, func(t *testing.T) {
			address := func(i int) string { return "/data/large-lots/1/large.csv?limit=" + strconv.Itoa(rows-1-i) }
			_, _, want := p.send(t, scenario{path: address(0)})
			p.forget()
			slow := &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)},
				Control: func(_, _ string, c syscall.RawConn) error {
					return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 64<<10) })
				}}).DialContext}
			resp, err := slow.RoundTrip(request(t, t.Context(), p.URL+address(0)))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			h := sha256.New()
			if _, err := io.CopyN(h, resp.Body, fast); err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			var other sync.WaitGroup
			other.Go(func() {
				defer close(served)
				status, _, body := p.send(t, scenario{path: address(1)})
				if status != http.StatusOK || strings.Count(body, "\n") != rows-1 {
					t.Errorf("the next reader: %d with %d lines: %.200s", status, strings.Count(body, "\n"), body)
				}
			})
			at := fast
			for waiting := true; waiting; { // about 1 MB/s
				select {
				case <-served:
					waiting = false
				case <-time.After(100 * time.Millisecond):
					n, err := io.CopyN(h, resp.Body, 100<<10)
					at += n
					if err != nil {
						t.Fatalf("after %d bytes: %v", at, err)
					}
				}
			}
			other.Wait()
			t.Logf("the next reader was served while the slow one had %d of %d bytes", at, len(want))
			rest, err := io.Copy(h, resp.Body)
			if sum := sha256.Sum256([]byte(want)); err != nil || !bytes.Equal(h.Sum(nil), sum[:]) {
				t.Errorf("%d bytes, %v: not the file of %d bytes", at+rest, err, len(want))
			}
			if got := resp.Trailer.Get("Taihu-Rows"); got != strconv.Itoa(rows-1) {
				t.Errorf("trailers %v", resp.Trailer)
			}
		})
	}
}

// TestChildKilledInTheMiddle: the reader of a half export sees a broken transfer,
// whole and filtered, and the next request works. The workbook takes seconds to
// encode; the filtered CSV waits for its reader.
func TestChildKilledInTheMiddle(t *testing.T) {
	p := startLarge(t, 300_000)
	for _, address := range []string{"/data/large-lots/1/large.xlsx", "/data/large-lots/1/large.csv?limit=299999"} {
		t.Run(address, func(t *testing.T) {
			// A small window, so that the encoder is still at work when it dies.
			dialer := &net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
				return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
			}}
			resp, err := (&http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}).RoundTrip(request(t, t.Context(), p.URL+address))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if _, err := io.CopyN(io.Discard, resp.Body, 4096); err != nil {
				t.Fatal(err)
			}
			children := queryChildren(t)
			if len(children) == 0 {
				t.Fatal("no query child")
			}
			for _, pid := range children {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			n, err := io.Copy(io.Discard, resp.Body)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("after the child's death %d more bytes came and then %v: the file looks complete", n, err)
			}
			status, _, body := p.send(t, scenario{path: address})
			if status != 200 || int64(len(body)) <= n+4096 {
				t.Errorf("the next request: %d with %d bytes, the broken one got %d", status, len(body), n+4096)
			}
		})
	}
}

// TestChildKilledUnderHTTP10: a proxy that speaks HTTP/1.0, as nginx does unless
// told, knows the end of a file from the end of the connection; a half export must
// end with an error.
func TestChildKilledUnderHTTP10(t *testing.T) {
	p := startLarge(t, 300_000)
	for _, address := range []string{"/data/large-lots/1/large.xlsx", "/data/large-lots/1/large.csv?limit=299999"} {
		t.Run(address, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.(*net.TCPConn).SetReadBuffer(4096)
			fmt.Fprintf(conn, "GET %s HTTP/1.0\r\n\r\n", address)
			if _, err := io.CopyN(io.Discard, conn, 4096); err != nil {
				t.Fatal(err)
			}
			for _, pid := range queryChildren(t) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			if n, err := io.Copy(io.Discard, conn); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("after the child's death %d more bytes came and then %v: the file looks complete", n, err)
			}
		})
	}
}

// countingFile counts how its bytes leave.
type countingFile struct {
	*os.File
	read *atomic.Int64
}

func (f countingFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.read.Add(int64(n))
	return n, err
}

func (f countingFile) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{f}) }

// TestFilesLeaveBySendfile: of a stored file only the first bytes pass through
// this process, the rest goes from the kernel to the socket, and the time is that
// of net/http's own file server (100 MB, same run).
func TestFilesLeaveBySendfile(t *testing.T) {
	const size = 100 << 20
	path := filepath.Join(t.TempDir(), "large.bin")
	if err := os.WriteFile(path, bytes.Repeat([]byte("太湖0123456789"), size/16), 0o600); err != nil {
		t.Fatal(err)
	}
	var read atomic.Int64
	logged := &lockedBuffer{}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(handle.Log(textLog(logged), nil))
	engine.GET("/ours", func(c *gin.Context) {
		f, err := os.Open(path)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		c.Header("Content-Type", "application/octet-stream")
		if err := handle.ServeFile(c, countingFile{f, &read}); err != nil {
			t.Error(err)
		}
	})
	ours := httptest.NewServer(engine)
	defer ours.Close()
	plain := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(path))))
	defer plain.Close()
	fetch := func(address string) time.Duration {
		began := time.Now()
		resp, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != size {
			t.Fatalf("%d bytes, %v", n, err)
		}
		return time.Since(began)
	}
	a, b := time.Hour, time.Hour
	for range 5 {
		a, b = min(a, fetch(ours.URL+"/ours")), min(b, fetch(plain.URL+"/large.bin"))
	}
	t.Logf("100 MB: ours %v, http.FileServer %v (best of 5)", a, b)
	if n := read.Load(); n > 5*4096 {
		t.Errorf("%d bytes passed through the process: not sendfile", n)
	}
	if !strings.Contains(logged.String(), fmt.Sprintf("bytes=%d", size)) || !strings.Contains(logged.String(), "status=200") {
		t.Errorf("the log does not tell what was sent: %s", logged.String()[:300])
	}
	if a > 2*b+50*time.Millisecond {
		t.Errorf("ours takes %v, net/http's own file server %v", a, b)
	}
}

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
