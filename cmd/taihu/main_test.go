package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"taihu/catalog/store/storetest"
)

// TestMain lets the test binary be the program: the server under test starts its
// children from it, and so do tests that need a process of its own to kill.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "ingest-child", "query-child":
			os.Exit(program(os.Args[1:]))
		}
	}
	if filepath.Base(os.Args[0]) == "taihu" { // by the link of the journeys
		os.Exit(program(os.Args[1:]))
	}
	if len(os.Args) > 2 && os.Args[1] == "as-program" {
		os.Exit(program(os.Args[2:]))
	}
	os.Exit(storetest.Main(m))
}

// server is a portal started by run, on a port of its own.
type server struct {
	t    *testing.T
	URL  string
	Data string
	Out  *lockedBuffer
	Log  *lockedBuffer
	// Database is the DSN of the commands, where it is not the embedded one.
	Database string
	stop     func()
}

// lockedBuffer is what the program prints, read while it prints.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a server command until the test ends.
func start(t *testing.T, command string, args ...string) *server {
	t.Helper()
	data := t.TempDir()
	s := &server{t: t, Data: data, Out: &lockedBuffer{}, Log: &lockedBuffer{}}
	s.run(command, args...)
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) run(command string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan string, 1), make(chan error, 1)
	full := append([]string{command, "--listen=127.0.0.1:0", "--data=" + s.Data, "--log-level=warn",
		"--anonymous-queries=0", "--key-queries=0"}, args...) // tests ask thousands of times; those of the budgets set their own
	go func() {
		ended <- run(ctx, full, environment{Getenv: noVariables, In: strings.NewReader(""), Out: s.Out, Err: io.MultiWriter(testWriter{s.t}, s.Log), Started: func(a string) { started <- a }})
	}()
	select {
	case s.URL = <-started:
	case err := <-ended:
		s.t.Fatalf("taihu %s ended at once: %v", command, err)
	case <-time.After(30 * time.Second):
		s.t.Fatalf("taihu %s did not start", command)
	}
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil && !errors.Is(err, context.Canceled) {
					s.t.Errorf("taihu %s: %v", command, err)
				}
			case <-time.After(40 * time.Second):
				s.t.Errorf("taihu %s did not stop", command)
			}
		})
	}
}

func noVariables(string) (string, bool) { return "", false }

// testWriter shows the program's log with the test's own output.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	defer func() { _ = recover() }() // a line after the test's end is nobody's
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// command runs a subcommand on the server's machine and returns what it printed
// and its exit code.
func (s *server) command(args ...string) (string, int) {
	s.t.Helper()
	var out bytes.Buffer
	if args[0] != "publish" && args[0] != "import" && args[0] != "check" {
		args = append(args, "--data="+s.Data)
		if s.Database != "" {
			args = append(args, "--database="+s.Database)
		}
	}
	args = append(args, "--log-level=error")
	err := run(context.Background(), args, environment{Getenv: noVariables, In: strings.NewReader(""), Out: &out, Err: io.Discard})
	var code exitCode
	switch {
	case err == nil:
		return out.String(), 0
	case errors.As(err, &code):
		return out.String(), int(code)
	}
	return out.String() + explain(err), 1
}

// token makes a token for the admin.
func (s *server) token() string {
	s.t.Helper()
	out, code := s.command("token", "create", "--user=admin", "--name=test")
	if code != 0 {
		s.t.Fatalf("token create: %s", out)
	}
	return strings.TrimSpace(out)
}

// publish publishes files as a release and fails the test unless that worked.
func (s *server) publish(dataset string, files ...string) {
	s.t.Helper()
	args := append([]string{"publish", dataset}, files...)
	out, code := s.command(append(args, "--server="+s.URL, "--token="+s.token(), "--organization=cgj", "--title=停车泊位联网信息", "--notes=又一版", "--json")...)
	if code != 0 {
		s.t.Fatalf("publish %s: exit code %d\n%s", dataset, code, out)
	}
}

// get reads an address and returns status, headers and body.
func (s *server) get(path string, headers ...string) (int, http.Header, []byte) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.URL+encodeQuery(path), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	return resp.StatusCode, resp.Header, body
}

// encodeQuery percent-encodes the values of a query written as a person would.
func encodeQuery(path string) string {
	path, query, has := strings.Cut(path, "?")
	if !has {
		return path
	}
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(v); err == nil && strings.Contains(v, "%") {
			v = plain // encoded already
		}
		pairs = append(pairs, url.QueryEscape(k)+"="+url.QueryEscape(v))
	}
	return path + "?" + strings.Join(pairs, "&")
}

// writeFile makes a file to upload.
func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// eventually waits for what happens in the background.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("still not: %s", what)
}
