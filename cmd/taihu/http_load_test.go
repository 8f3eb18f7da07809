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

// held counts what a request may leave behind: goroutines and open files.
func held(t *testing.T) (goroutines, files int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return runtime.NumGoroutine(), len(entries)
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
func startLarge(t *testing.T, n int) *lotPortal {
	t.Helper()
	p := startLots(t)
	if _, err := p.client.CreateDataset(t.Context(), editOf("large-lots", "cgj")); err != nil {
		t.Fatal(err)
	}
	p.release("large-lots", "large.csv", tableOf(n))
	p.forget()
	return p
}

// TestOneEncodingForMany: 500 clients ask at once for a workbook that is not kept;
// all get the same bytes from one encoding (reliability D05), and nothing leaks.
func TestOneEncodingForMany(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: 500 clients; run without -short")
	}
	p := startLarge(t, 60_000)
	goroutines, files := held(t)
	before := len(p.exports())
	const clients = 500
	transport := &http.Transport{DisableKeepAlives: true}
	var wg sync.WaitGroup
	var mu sync.Mutex
	sums, failed := map[[32]byte]int{}, map[string]int{}
	began := time.Now()
	for range clients {
		wg.Go(func() {
			resp, err := transport.RoundTrip(request(t, t.Context(), p.URL+"/data/large-lots/1/large.xlsx"))
			if err != nil {
				mu.Lock()
				failed[err.Error()]++
				mu.Unlock()
				return
			}
			defer resp.Body.Close()
			h := sha256.New()
			_, err = io.Copy(h, resp.Body)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || resp.StatusCode != http.StatusOK {
				failed[fmt.Sprint(resp.StatusCode, err)]++
				return
			}
			sums[[32]byte(h.Sum(nil))]++
		})
	}
	wg.Wait()
	if len(sums) != 1 || len(failed) != 0 {
		t.Errorf("%d different answers, failures %v", len(sums), failed)
	}
	t.Logf("%d clients served in %v", clients, time.Since(began).Round(time.Millisecond))
	if got := len(p.exports()) - before; got != 1 {
		t.Errorf("%d exports were kept", got)
	}
	if n := len(queryChildren(t)); n > 2 {
		t.Errorf("%d query children: more than one encoded", n)
	}
	p.settles(goroutines, files)
}

// settles waits until goroutines and files are as before, but for what the pool
// and the database keep warm, and the temporary folder is empty.
func (p *lotPortal) settles(goroutines, files int) {
	p.t.Helper()
	const slack = 25
	var g, f, left int
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		g, f = held(p.t)
		list, _ := filepath.Glob(filepath.Join(p.Data, "tmp", "run-*", "export-*"))
		more, _ := filepath.Glob(filepath.Join(p.Data, "blobs", "tmp", "*"))
		left = len(list) + len(more)
		if g <= goroutines+slack && f <= files+slack && left == 0 {
			return
		}
	}
	p.t.Errorf("after 5 s: goroutines %d (before %d), files %d (before %d), temporary files %d", g, goroutines, f, files, left)
}

func request(t *testing.T, ctx context.Context, address string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// TestClientsThatVanish: 200 clients go away after the first bytes of an export,
// whole and filtered; nothing of theirs is left and the next request works
// (reliability D03).
func TestClientsThatVanish(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: 200 clients; run without -short")
	}
	p := startLarge(t, 150_000)
	goroutines, files := held(t)
	transport := &http.Transport{DisableKeepAlives: true}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			address := p.URL + "/data/large-lots/1/large.csv"
			if i%2 == 1 {
				address += "?limit=" + strconv.Itoa(140_000+i)
			}
			resp, err := transport.RoundTrip(request(t, ctx, address))
			if err != nil {
				return
			}
			defer resp.Body.Close()
			_, _ = io.CopyN(io.Discard, resp.Body, 100_000)
		})
	}
	wg.Wait()
	p.settles(goroutines, files)
	status, _, body := p.send(t, scenario{path: "/data/large-lots/1/large.csv"})
	if status != 200 || strings.Count(body, "\n") != 150_001 {
		t.Errorf("the next request: %d with %d lines", status, strings.Count(body, "\n"))
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
