package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
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

	"github.com/chromedp/chromedp"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
	"taihu/catalog/failpoint"
	"taihu/catalog/store"
	"taihu/catalog/upload"
)

func sha(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }

// tus begins an upload by hand and returns its address.
func (p *lotPortal) tus(t *testing.T, draft, token string, size int, metadata ...string) string {
	t.Helper()
	var pairs []string
	for i := 0; i+1 < len(metadata); i += 2 {
		pairs = append(pairs, metadata[i]+" "+base64.StdEncoding.EncodeToString([]byte(metadata[i+1])))
	}
	status, header, body := p.send(t, scenario{method: http.MethodPost, path: "/api/v1/drafts/" + draft + "/uploads",
		headers: with(bearerOf(token), "Tus-Resumable", "1.0.0", "Upload-Length", strconv.Itoa(size), "Upload-Metadata", strings.Join(pairs, ","))})
	if status != http.StatusCreated {
		t.Fatalf("begin an upload: %d %s", status, body)
	}
	return header.Get("Location")
}

func pieceAt(offset int, more ...string) []string {
	return append([]string{"Tus-Resumable", "1.0.0", "Content-Type", "application/offset+octet-stream", "Upload-Offset", strconv.Itoa(offset)}, more...)
}

// TestTusProtocol plays the protocol as its text says it: every header and
// status, in the order a sender meets them.
func TestTusProtocol(t *testing.T) {
	t.Parallel()
	p := startLots(t, "--max-upload=8")
	draft, err := p.client.CreateDraft(t.Context(), "open-lots", api.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	own := client.New(p.URL, p.own)
	all := "/api/v1/drafts/" + draft.ID + "/uploads"
	tusHeaders := bearerOf(p.own)
	tusHeaders = with(tusHeaders, "Tus-Resumable", "1.0.0")
	name := "filename " + base64.StdEncoding.EncodeToString([]byte("more.csv"))
	p.play(t, []scenario{
		{name: "discovery", method: "OPTIONS", path: all, status: 204, has: map[string]string{"Tus-Resumable": "1.0.0", "Tus-Version": "1.0.0", "Tus-Extension": "creation,checksum,expiration,termination", "Tus-Max-Size": "8388608", "Tus-Checksum-Algorithm": "sha256,sha1"}},
		{name: "another version", method: "POST", path: all, headers: with(bearerOf(p.own), "Tus-Resumable", "0.2.2", "Upload-Length", "5", "Upload-Metadata", name), status: 412, parts: []string{"tus_version"}},
		{name: "no length", method: "POST", path: all, headers: with(tusHeaders, "Upload-Metadata", name), status: 400, parts: []string{"Upload-Length"}},
		{name: "no name", method: "POST", path: all, headers: with(tusHeaders, "Upload-Length", "5"), status: 400, parts: []string{"invalid_file_name"}},
		{name: "a name with a path", method: "POST", path: all, headers: with(tusHeaders, "Upload-Length", "5", "Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString([]byte("../../etc/passwd"))), status: 400, parts: []string{"invalid_file_name"}},
		{name: "metadata that is none", method: "POST", path: all, headers: with(tusHeaders, "Upload-Length", "5", "Upload-Metadata", "filename %%%"), status: 400, parts: []string{"Upload-Metadata"}},
		{name: "too large, before a byte", method: "POST", path: all, headers: with(tusHeaders, "Upload-Length", "8388609", "Upload-Metadata", name), status: 413, parts: []string{"too_large"}},
		{name: "a stranger", method: "POST", path: all, headers: with(bearerOf(p.other), "Tus-Resumable", "1.0.0", "Upload-Length", "5", "Upload-Metadata", name), status: 404},
		{name: "nobody", method: "POST", path: all, headers: []string{"Tus-Resumable", "1.0.0", "Upload-Length", "5", "Upload-Metadata", name}, status: 401},
	})

	content := lots + "007,后来的,滨湖区,7\n"
	half := len(content) / 2
	a := p.tus(t, draft.ID, p.own, len(content), "filename", "more.csv", "sha256", sha([]byte(content)))
	sum := func(s string) string {
		h := sha1.Sum([]byte(s))
		return "sha1 " + base64.StdEncoding.EncodeToString(h[:])
	}
	p.play(t, []scenario{
		{name: "begun", method: "HEAD", path: a, headers: tusHeaders, status: 200, has: map[string]string{"Upload-Offset": "0", "Upload-Length": strconv.Itoa(len(content)), "Upload-Expires": "*", "Tus-Resumable": "1.0.0", "Cache-Control": "private, no-store"}},
		{name: "another of the organization's people", method: "HEAD", path: a, headers: with(bearerOf(p.admin), "Tus-Resumable", "1.0.0"), status: 404},
		{name: "a stranger's look", method: "HEAD", path: a, headers: with(bearerOf(p.other), "Tus-Resumable", "1.0.0"), status: 404},
		{name: "a stranger's piece", method: "PATCH", path: a, headers: with(bearerOf(p.other), pieceAt(0)...), body: "x", status: 404},
		{name: "a stranger's delete", method: "DELETE", path: a, headers: with(bearerOf(p.other), "Tus-Resumable", "1.0.0"), status: 404},
		{name: "no id", method: "HEAD", path: all + "/%2e%2e%2f", headers: tusHeaders, status: 400},
		{name: "an unknown one", method: "HEAD", path: all + "/00000000-0000-0000-0000-000000000000", headers: tusHeaders, status: 404},
		{name: "another media type", method: "PATCH", path: a, headers: with(bearerOf(p.own), "Tus-Resumable", "1.0.0", "Upload-Offset", "0", "Content-Type", "text/csv"), body: content, status: 415},
		{name: "no offset", method: "PATCH", path: a, headers: with(bearerOf(p.own), "Tus-Resumable", "1.0.0", "Content-Type", "application/offset+octet-stream"), body: content, status: 400},
		{name: "a wrong offset", method: "PATCH", path: a, headers: with(bearerOf(p.own), pieceAt(3)...), body: content, status: 409, parts: []string{"wrong_offset", `"offset":0`}},
		{name: "more than announced", method: "PATCH", path: a, headers: with(bearerOf(p.own), pieceAt(0)...), body: content + "x", status: 413, parts: []string{"too_many_bytes"}},
		{name: "a wrong checksum", method: "PATCH", path: a, headers: with(bearerOf(p.own), pieceAt(0, "Upload-Checksum", sum("other"))...), body: content[:half], status: 460, parts: []string{"checksum_mismatch"}},
		{name: "an unknown checksum", method: "PATCH", path: a, headers: with(bearerOf(p.own), pieceAt(0, "Upload-Checksum", "crc32 AAAA")...), body: content[:half], status: 400},
		{name: "nothing of these was kept", method: "HEAD", path: a, headers: tusHeaders, status: 200, has: map[string]string{"Upload-Offset": "0"}},
		{name: "half of it", method: "PATCH", path: a, headers: with(bearerOf(p.own), pieceAt(0, "Upload-Checksum", sum(content[:half]))...), body: content[:half], status: 204, has: map[string]string{"Upload-Offset": strconv.Itoa(half), "Upload-Expires": "*"}},
		{name: "it says so", path: a, headers: tusHeaders, status: 200, parts: []string{`"state":"open"`, fmt.Sprintf(`"received":%d`, half)}},
		{name: "and nobody else sees it", path: "/api/v1/drafts/" + draft.ID, headers: bearerOf(p.admin), status: 200, lacks: []string{"more.csv"}},
		{name: "nor in a list", path: all, headers: bearerOf(p.admin), status: 200, lacks: []string{"more.csv"}},
		{name: "the rest, as POST", method: "POST", path: a, headers: with(bearerOf(p.own), pieceAt(half, "X-HTTP-Method-Override", "PATCH")...), body: content[half:], status: 204, has: map[string]string{"Upload-Offset": strconv.Itoa(len(content))}},
		{name: "done", path: a, headers: tusHeaders, status: 200, parts: []string{`"state":"done"`, sha([]byte(content))}},
		{name: "the last piece again, empty", method: "PATCH", path: a, headers: with(bearerOf(p.own), pieceAt(len(content))...), status: 204},
	})
	draft, err = checked(t.Context(), own, mustDraft(t, own, draft.ID))
	if err != nil || draft.State != catalog.Ready || draft.Files[0].SHA256 != sha([]byte(content)) || draft.Tables[0].Rows != 6 {
		t.Fatalf("the draft: %v %+v", err, draft)
	}

	b := p.tus(t, draft.ID, p.own, 5, "filename", "gone.csv")
	wrong := p.tus(t, draft.ID, p.own, 5, "filename", "wrong.csv", "sha256", sha([]byte("other")))
	p.tus(t, draft.ID, p.own, 0, "filename", "empty.bin")
	p.play(t, []scenario{
		{name: "part of it", method: "PATCH", path: b, headers: with(bearerOf(p.own), pieceAt(0)...), body: "ab", status: 204},
		{name: "deleted", method: "DELETE", path: b, headers: tusHeaders, status: 204},
		{name: "gone", method: "HEAD", path: b, headers: tusHeaders, status: 404},
		{name: "not what was announced", method: "PATCH", path: wrong, headers: with(bearerOf(p.own), pieceAt(0)...), body: "abcde", status: 410, parts: []string{"upload_failed", "wrong_sha256"}},
		{name: "it failed", path: wrong, headers: tusHeaders, status: 200, parts: []string{`"state":"failed"`}},
	})
	if left, err := os.ReadDir(filepath.Join(p.Data, "uploads")); err != nil || len(left) != 0 {
		t.Errorf("bytes of uploads that ended are left: %v %v", left, err)
	}
	if d := mustDraft(t, own, draft.ID); len(d.Files) != 2 {
		t.Errorf("files: %+v", d.Files)
	}
}

func mustDraft(t *testing.T, c *client.Client, id string) *api.Draft {
	t.Helper()
	d, err := c.Draft(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestPiecesFromTwoSenders: the later one takes over, also from a connection that
// hangs; bytes are neither lost nor mixed.
func TestPiecesFromTwoSenders(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	own := client.New(p.URL, p.own)
	draft, err := own.CreateDraft(t.Context(), "open-lots", api.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	a := p.tus(t, draft.ID, p.own, len(content), "filename", "two.bin")
	address := strings.TrimPrefix(p.URL, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: %d\r\n\r\n", a, address, p.own, len(content))
	const sent = 3_000_003
	if _, err := conn.Write(content[:sent]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a step of the connection, which hangs now, is noted", func() bool {
		list, err := own.OwnUploads(t.Context())
		return err == nil && list[0].Received >= upload.Step
	})
	// Who asks ends that connection, and what it sent beyond the step counts too.
	_, header, _ := p.send(t, scenario{method: http.MethodHead, path: a, headers: with(bearerOf(p.own), "Tus-Resumable", "1.0.0")})
	at, _ := strconv.Atoi(header.Get("Upload-Offset"))
	if at < upload.Step || at > sent {
		t.Fatalf("the upload stands at %d of %d bytes sent", at, sent)
	}
	var both sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		both.Go(func() {
			statuses[i], _, _ = p.send(t, scenario{method: http.MethodPatch, path: a, headers: with(bearerOf(p.own), pieceAt(at)...), body: string(content[at:])})
		})
	}
	both.Wait()
	good := 0
	for _, s := range statuses {
		if s == http.StatusNoContent {
			good++
		} else if s != http.StatusConflict {
			t.Errorf("statuses: %v", statuses)
		}
	}
	_, header, _ = p.send(t, scenario{method: http.MethodHead, path: a, headers: with(bearerOf(p.own), "Tus-Resumable", "1.0.0")})
	if at, _ = strconv.Atoi(header.Get("Upload-Offset")); good == 0 { // each took over from the one before
		p.send(t, scenario{method: http.MethodPatch, path: a, headers: with(bearerOf(p.own), pieceAt(at)...), body: string(content[at:])})
	} else if good > 1 {
		t.Errorf("%d senders were told that the same bytes are theirs", good)
	}
	if d := mustDraft(t, own, draft.ID); len(d.Files) != 1 || d.Files[0].SHA256 != sha(content) {
		t.Errorf("the file: %+v, want %s", d.Files, sha(content))
	}
}

// cutter is a proxy that breaks connections when so many bytes have passed, and
// says which break it was.
type cutter struct {
	net.Listener
	to     string
	mu     sync.Mutex
	passed int64
	cuts   []int64       // ascending
	wait   time.Duration // before each 32 KiB
	made   chan int
	conns  map[net.Conn]bool
}

func newCutter(t *testing.T, to string, cuts []int64) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, to: to, cuts: cuts, made: make(chan int, len(cuts)), conns: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(in)
		}
	}()
	return c
}

func (c *cutter) serve(in net.Conn) {
	out, err := net.Dial("tcp", c.to)
	if err != nil { // the server is dead just now
		in.Close()
		return
	}
	c.mu.Lock()
	c.conns[in], c.conns[out] = true, true
	c.mu.Unlock()
	end := func() {
		in.Close()
		out.Close()
		c.mu.Lock()
		delete(c.conns, in)
		delete(c.conns, out)
		c.mu.Unlock()
	}
	go func() {
		defer end()
		_, _ = io.Copy(in, out)
	}()
	defer end()
	buffer := make([]byte, 32<<10)
	for {
		n, err := in.Read(buffer)
		c.mu.Lock()
		cut := len(c.cuts) > 0 && c.passed+int64(n) >= c.cuts[0]
		if cut { // to the byte
			n = int(max(0, c.cuts[0]-c.passed))
			c.cuts = c.cuts[1:]
		}
		c.passed += int64(n)
		pause, made := c.wait, c.made
		c.mu.Unlock()
		time.Sleep(pause)
		if _, werr := out.Write(buffer[:n]); werr != nil || err != nil {
			return
		}
		if cut {
			if tcp, ok := in.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			made <- 1
			return
		}
	}
}

// sender counts what a client sends again: bytes of pieces that begin before the
// end of what was sent already.
type sender struct {
	mu             sync.Mutex
	end            int64
	again, longest int64
}

func (s *sender) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch {
		at, _ := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
		s.mu.Lock()
		if twice := s.end - at; twice > 0 {
			s.again += twice
			s.longest = max(s.longest, twice)
		}
		s.end = at
		s.mu.Unlock()
		r = r.Clone(r.Context())
		r.Body = &countedBody{r.Body, s}
		r.GetBody = nil // net/http would send a piece again by itself
	}
	return http.DefaultTransport.RoundTrip(r)
}

type countedBody struct {
	io.ReadCloser
	s *sender
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.s.mu.Lock()
	b.s.end += int64(n)
	b.s.mu.Unlock()
	return n, err
}

// randomFile writes size bytes that no compression shortens and returns its path
// and hash.
func randomFile(t *testing.T, name string, size int64, seed uint64) (string, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	h := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, h), rand.NewChaCha8(key), size); err != nil {
		t.Fatal(err)
	}
	return path, hex.EncodeToString(h.Sum(nil))
}

// uploadSizes are how much is sent and how often it is cut: little in CI, all of
// it with make soak.
func uploadSizes() (size int64, cuts int) {
	if soak() {
		return 1 << 30, 100
	}
	return 40 << 20, 12
}

// TestUploadSurvivesCuts sends a file while its connection is cut at random
// bytes, the sender begins anew from nothing (as a page that is reloaded), and
// the server is killed with -9. It completes from the last acknowledged byte.
func TestUploadSurvivesCuts(t *testing.T) {
	size, n := uploadSizes()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 5))
	t.Logf("seed %d", seed)
	p := &process{t: t, Data: t.TempDir(), address: freeAddress(t)}
	p.start()
	defer func() { p.kill() }()
	token := (&server{t: t, Data: p.Data}).token()
	direct := client.New(p.URL, token)
	makeDataset(t, direct, "cuts")
	draft, err := direct.CreateDraft(t.Context(), "cuts", api.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	path, hash := randomFile(t, "large.bin", size, seed)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	points := make([]int64, n)
	for i := range points {
		points[i] = 2000 + random.Int64N(size-4000)
	}
	slices.Sort(points)
	proxy := newCutter(t, p.address, slices.Clone(points))
	count := &sender{}
	kinds := map[string]int{}
	ctx, reload := context.WithCancel(t.Context())
	var life sync.Mutex // guards ctx and reload
	done := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-proxy.made:
			}
			switch random.IntN(3) {
			case 0:
				kinds["cut"]++
			case 1:
				kinds["reload"]++
				life.Lock()
				reload()
				life.Unlock()
			case 2:
				kinds["kill"]++
				p.kill()
				p.start()
			}
		}
	})
	began := time.Now()
	for {
		c := client.New("http://"+proxy.Addr().String(), token)
		c.HTTP = &http.Client{Transport: count}
		life.Lock()
		now := ctx
		life.Unlock()
		_, err := c.Upload(now, draft.ID, &client.File{Name: "large.bin", Size: size, SHA256: hash, ReaderAt: f}, func(int64) {})
		if err == nil {
			break
		}
		if now.Err() == nil && !errors.Is(err, client.ErrInterrupted) && client.CodeOf(err) != "" {
			t.Fatal(err)
		}
		if now.Err() != nil {
			life.Lock()
			ctx, reload = context.WithCancel(t.Context())
			life.Unlock()
		}
	}
	close(done)
	watcher.Wait()
	reload()
	d := mustDraft(t, direct, draft.ID)
	if len(d.Files) != 1 || d.Files[0].SHA256 != hash || d.Files[0].Bytes != size {
		t.Errorf("the file: %+v, want %s", d.Files, hash)
	}
	if got := fileHash(t, filepath.Join(p.Data, "blobs", "sha256", hash[:2], hash)); got != hash {
		t.Errorf("the bytes on the disk have %s", got)
	}
	if left, err := os.ReadDir(filepath.Join(p.Data, "uploads")); err != nil || len(left) != 0 {
		t.Errorf("bytes are left: %v %v", left, err)
	}
	if count.longest > 4<<20 {
		t.Errorf("%d bytes were sent again after one cut, more than 4 MiB", count.longest)
	}
	if total := kinds["cut"] + kinds["reload"] + kinds["kill"]; total < n-1 { // one at the very end may be past the last byte
		t.Errorf("only %d of %d cuts were made", total, n)
	}
	t.Logf("%d bytes, %v: at most %d sent again after one, %d in all, %.1f s", size, kinds, count.longest, count.again, time.Since(began).Seconds())
}

func fileHash(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestUploadKilledAtEachFailpoint kills the portal between every two durable
// steps of an upload: the sender goes on, and one file comes of it.
func TestUploadKilledAtEachFailpoint(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: takes half a minute; run without -short")
	}
	path, hash := randomFile(t, "killed.bin", 9<<20, 1)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range failpoint.Names {
		if !strings.HasPrefix(name, "upload.") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := &process{t: t, Data: t.TempDir(), address: freeAddress(t)}
			p.start()
			defer func() { p.kill() }()
			c := client.New(p.URL, (&server{t: t, Data: p.Data}).token())
			makeDataset(t, c, "killed")
			draft, err := c.CreateDraft(t.Context(), "killed", api.DraftEdit{})
			if err != nil {
				t.Fatal(err)
			}
			p.kill()
			p.start("TAIHU_FAILPOINT=" + name + "=kill")
			sent := make(chan error, 1)
			go func() {
				_, err := c.Upload(t.Context(), draft.ID, &client.File{Name: "killed.bin", Size: 9 << 20, SHA256: hash, ReaderAt: f}, func(int64) {})
				sent <- err
			}()
			select {
			case <-p.dead:
			case <-time.After(30 * time.Second):
				t.Fatal("the failpoint was never hit")
			}
			p.start()
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
			if draft, err = checked(t.Context(), c, mustDraft(t, c, draft.ID)); err != nil || draft.State != catalog.Ready || len(draft.Files) != 1 || draft.Files[0].SHA256 != hash {
				t.Errorf("the draft: %v %+v", err, draft)
			}
			eventually(t, "the bytes are dropped, at the latest by the sweep of a start", func() bool {
				left, err := os.ReadDir(filepath.Join(p.Data, "uploads"))
				return err == nil && len(left) == 0
			})
			if got := fileHash(t, filepath.Join(p.Data, "blobs", "sha256", hash[:2], hash)); got != hash {
				t.Errorf("the bytes on the disk have %s", got)
			}
		})
	}
}

// TestImportByAddress: a job fetches the file; what goes wrong is told, and takes
// nothing away (H08, H09 and the whole way of the rest).
func TestImportByAddress(t *testing.T) {
	t.Parallel()
	var asked []string
	var mu sync.Mutex
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	body, status := lots+"008,取来的,滨湖区,8\n", http.StatusOK
	source := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})}}
	source.Start()
	defer source.Close()
	answer := func(s int, text string) {
		mu.Lock()
		defer mu.Unlock()
		status, body, asked = s, text, nil
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	p := startLots(t, "--import-networks=127.0.0.1/32", "--import-ports=80,443,"+port)
	own := client.New(p.URL, p.own)
	draft, err := own.CreateDraft(t.Context(), "open-lots", api.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(address string) api.Upload {
		t.Helper()
		var u api.Upload
		if err := own.Do(t.Context(), http.MethodPost, "/api/v1/drafts/"+draft.ID+"/imports", api.ImportAsk{URL: address}, &u); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the import ends", func() bool {
			if err := own.Do(t.Context(), http.MethodGet, "/api/v1/drafts/"+draft.ID+"/uploads/"+u.ID, nil, &u); err != nil {
				t.Fatal(err)
			}
			return u.State != catalog.UploadOpen
		})
		return u
	}
	good := sha([]byte(body))
	if u := ask(strings.Replace(source.URL, "http://", "http://user:secret@", 1) + "/lots.csv#x"); u.State != catalog.UploadDone || u.SHA256 != good || u.Source != source.URL+"/lots.csv" {
		t.Fatalf("the import: %+v %+v", u, u.Failure)
	}
	if draft, err = checked(t.Context(), own, mustDraft(t, own, draft.ID)); err != nil || draft.State != catalog.Ready || draft.Files[0].SHA256 != good || draft.Files[0].Name != "lots.csv" || !strings.HasPrefix(draft.Files[0].MediaType, "text/csv") {
		t.Fatalf("the draft: %v %+v", err, draft)
	}
	for name, c := range map[string]struct {
		address string
		status  int
		body    string
		code    string
	}{
		"inside":              {"http://127.0.0.2:" + port + "/lots.csv", 200, "secret", "address_unreachable"},
		"the portal itself":   {p.URL + "/lots.csv", 200, "", "address_unreachable"},
		"metadata of a cloud": {"http://169.254.169.254/lots.csv", 200, "", "address_unreachable"},
		"not found":           {source.URL + "/lots.csv", 404, "no", "import_failed"},
		"empty once":          {source.URL + "/lots.csv", 200, "", "import_failed"},
		"500 and 500 again":   {source.URL + "/lots.csv", 500, "oh", "import_failed"},
	} {
		answer(c.status, c.body)
		u := ask(c.address)
		if u.State != catalog.UploadFailed || u.Failure == nil || u.Failure.Code != c.code || u.Failure.Message.Zh == "" {
			t.Errorf("%s: %+v %+v", name, u, u.Failure)
		}
		if d := mustDraft(t, own, draft.ID); len(d.Files) != 1 || d.Files[0].SHA256 != good {
			t.Errorf("%s changed the draft: %+v", name, d.Files)
		}
	}
	answer(200, `<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "`+source.URL+`/entity">]><r xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x `+source.URL+`/schema">&x;</r>`)
	if u := ask(source.URL + "/feed.xml"); u.State != catalog.UploadDone {
		t.Errorf("the XML: %+v", u.Failure)
	}
	if draft, err = checked(t.Context(), own, mustDraft(t, own, draft.ID)); err != nil || len(draft.Files) != 2 {
		t.Errorf("the draft: %v %+v", err, draft)
	}
	mu.Lock()
	if len(asked) != 1 {
		t.Errorf("asked for the XML and more: %v", asked)
	}
	mu.Unlock()
	p.play(t, []scenario{
		{name: "no address", method: "POST", path: "/api/v1/drafts/" + draft.ID + "/imports", headers: with(bearerOf(p.own), "Content-Type", "application/json"), body: `{"url":"file:///etc/passwd"}`, status: 400, parts: []string{"invalid_address"}},
		{name: "a stranger", method: "POST", path: "/api/v1/drafts/" + draft.ID + "/imports", headers: with(bearerOf(p.other), "Content-Type", "application/json"), body: `{"url":"http://example.org/x.csv"}`, status: 404},
	})
	if strings.Contains(p.Log.String(), "secret") {
		t.Error("the credentials of the address are in the log")
	}
}

// TestPublishGoesOn: the command is killed in the middle of a large file; the
// same command again sends only the rest, into the same draft.
func TestPublishGoesOn(t *testing.T) {
	t.Parallel()
	const size = 40 << 20
	p := &process{t: t, Data: t.TempDir(), address: freeAddress(t)}
	p.start()
	defer func() { p.kill() }()
	s := &server{t: t, Data: p.Data}
	token := s.token()
	c := client.New(p.URL, token)
	makeDataset(t, c, "goes-on")
	small := writeFile(t, "small.csv", lots)
	path, hash := randomFile(t, "large.bin", size, 7)
	proxy := newCutter(t, p.address, []int64{size / 2})
	args := []string{"publish", "goes-on", small, path, "--server=http://" + proxy.Addr().String(), "--token=" + token}
	cmd := exec.Command(os.Args[0], append([]string{"as-program"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-proxy.made
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	uploads, err := c.OwnUploads(t.Context())
	if err != nil || len(uploads) != 1 || uploads[0].State != catalog.UploadOpen {
		t.Fatalf("after the kill: %v %+v", err, uploads)
	}
	out, code := s.command(args...)
	if code != 0 || !strings.Contains(out, "published release 1") {
		t.Fatalf("the second run: %d\n%s", code, out)
	}
	d := mustDraft(t, c, uploads[0].Draft)
	if len(d.Files) != 2 || d.State != catalog.Published || !slices.ContainsFunc(d.Files, func(f api.DraftFile) bool { return f.SHA256 == hash }) {
		t.Errorf("the draft: %+v", d)
	}
	proxy.mu.Lock()
	defer proxy.mu.Unlock()
	if most := int64(size + 4<<20 + 1<<20); proxy.passed > most { // the piece that was cut, and what else is said
		t.Errorf("%d bytes went to the server for %d", proxy.passed, size)
	}
}

// TestCurlPuts: the plain command keeps working, and what it is told when there
// is too much.
func TestCurlPuts(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		if required("curl") {
			t.Fatal("TAIHU_REQUIRE wants curl, and there is none on PATH")
		}
		t.Skip("SKIPPED: no curl on PATH; uploads by it were not tried")
	}
	p := startLots(t, "--max-upload=1")
	draft, err := p.client.CreateDraft(t.Context(), "open-lots", api.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(path string) string {
		out, err := exec.Command("curl", "-sS", "-T", path, "-H", "Authorization: Bearer "+p.own, "-w", "\n%{http_code} %{size_upload}", p.URL+"/api/v1/drafts/"+draft.ID+"/files/").CombinedOutput()
		if err != nil {
			t.Logf("curl: %v", err)
		}
		return string(out)
	}
	if out := put(writeFile(t, "put.csv", lots)); !strings.Contains(out, "\n202 ") || !strings.Contains(out, sha([]byte(lots))) {
		t.Errorf("a small file: %s", out)
	}
	large, _ := randomFile(t, "large.bin", 3<<20, 2)
	if out := put(large); !strings.Contains(out, "\n413 0") || !strings.Contains(out, "too_large") {
		t.Errorf("a large file: %s", out)
	}
}

// signedInTab is a browser where the admin is signed in at an address.
func signedInTab(t *testing.T, s *server, address string, width int64) *tab {
	t.Helper()
	password, code := s.command("user", "password", "admin")
	if code != 0 {
		t.Fatal(password)
	}
	b := openTab(t, width, 1000, true)
	b.do(chromedp.Navigate(address+"/sign-in"), chromedp.SendKeys("#login", "admin"), chromedp.SendKeys("#password", strings.TrimSpace(password)),
		chromedp.Click("main form .btn.main"), chromedp.WaitReady("form[action$='/sign-out']"))
	return b
}

// shoot keeps a picture of the page where TAIHU_SHOTS names a folder, to be looked at.
func (b *tab) shoot(name string) {
	b.t.Helper()
	folder := os.Getenv("TAIHU_SHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(90))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// TestUploadInTheBrowser: two files, the connection cut, a pause, the page loaded
// again in the middle and the same file chosen again: one draft with both.
func TestUploadInTheBrowser(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	const size = 24 << 20
	path, hash := randomFile(t, "large.bin", size, 11)
	small := writeFile(t, "small.csv", lots)
	proxy := newCutter(t, strings.TrimPrefix(p.URL, "http://"), nil)
	address := "http://" + proxy.Addr().String()
	b := signedInTab(t, p.server, address, 1280)
	b.do(chromedp.Navigate(address+"/steward/datasets/open-lots/upload"), chromedp.SendKeys("#notes_zh", "断点续传"), chromedp.SetUploadFiles("#file", []string{path}), chromedp.WaitVisible(".up-row"))
	proxy.mu.Lock()
	proxy.cuts, proxy.wait = []int64{proxy.passed + 7<<20}, 3*time.Millisecond
	proxy.made = make(chan int, 1)
	made := proxy.made
	proxy.mu.Unlock()
	b.do(chromedp.Click("form[data-upload] .btn.main"))
	<-made
	received := func() int64 {
		list, err := p.client.OwnUploads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return 0
		}
		return list[0].Received
	}
	eventually(t, "it goes on by itself after the cut", func() bool { return received() > 9<<20 })
	b.shoot("upload-sending")
	b.do(chromedp.Click(".up-row button")) // pause
	eventually(t, "nothing comes while it is paused", func() bool {
		before := received()
		time.Sleep(300 * time.Millisecond)
		return received() == before
	})
	if words := b.text(".up-row .say"); !strings.Contains(words, "已暂停") {
		t.Errorf("while it is paused the row says %q", words)
	}
	b.shoot("upload-paused")
	b.do(chromedp.Reload(), chromedp.WaitVisible("#file"))
	if words := b.text("[data-say]"); !strings.Contains(words, "large.bin") || !strings.Contains(words, "%") {
		t.Errorf("after the reload the page says %q", words)
	}
	b.shoot("upload-reloaded")
	proxy.mu.Lock()
	proxy.wait = 0
	before := proxy.passed
	proxy.mu.Unlock()
	at := received()
	b.do(chromedp.SetUploadFiles("#file", []string{path, small}), chromedp.Click("form[data-upload] .btn.main"), chromedp.WaitVisible("#file-2"))
	proxy.mu.Lock()
	if sent := proxy.passed - before; sent > size-at+5<<20 {
		t.Errorf("after the reload %d bytes were sent, %d were missing", sent, size-at)
	}
	proxy.mu.Unlock()
	where, err := chromedp.Run(b.ctx, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimPrefix(strings.Split(where, "?")[0], address+"/steward/drafts/")
	d := mustDraft(t, p.client, id)
	if len(d.Files) != 2 || d.Notes.Zh != "断点续传" || !slices.ContainsFunc(d.Files, func(f api.DraftFile) bool { return f.SHA256 == hash }) {
		t.Errorf("the draft: %+v", d)
	}
	if left := b.number("Object.keys(localStorage).length"); left != 0 {
		t.Errorf("%v entries are left in the browser's memory", left)
	}
	drafts := 0
	err = withStore(t.Context(), &Config{Data: p.Data, LogLevel: "error"}, discardLog, func(q *portal) error {
		list, err := q.store.Drafts(t.Context(), catalog.SystemActor, store.DraftFilter{})
		drafts = len(list)
		return err
	})
	if err != nil || drafts != 1 {
		t.Errorf("%d drafts, want one: %v", drafts, err)
	}
}

// TestImportInTheBrowser: the form without scripts, what it says on the way and
// when it fails, on a phone.
func TestImportInTheBrowser(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	draft := p.draft("open-lots", "lots.csv", lots)
	p.tus(t, draft.ID, p.admin, 1000, "filename", "half.csv")
	b := signedInTab(t, p.server, p.URL, 390)
	page := p.URL + "/steward/drafts/" + draft.ID
	b.do(chromedp.Navigate(page), chromedp.SendKeys("#url", "http://169.254.169.254/latest/meta-data/keys.csv"), chromedp.Click("form[action$='/import'] button"), chromedp.WaitVisible("#arriving .badge.bad"))
	if body := b.text("#arriving"); !strings.Contains(body, "keys.csv") || !strings.Contains(body, "取不到") || !strings.Contains(body, "half.csv") {
		t.Errorf("the page says %q", body)
	}
	if wide := b.number("document.documentElement.scrollWidth"); wide > 390 {
		t.Errorf("the page is %v wide on a phone", wide)
	}
	b.shoot("import-phone")
	b.do(chromedp.Navigate(strings.Replace(page, "/steward", "/en/steward", 1)), chromedp.Click("#arriving li:last-child button"), chromedp.WaitNotPresent("#arriving .badge.bad"))
	b.shoot("import-english")
	if rows := b.number(`(() => { const d = new DataTransfer(); d.items.add(new File(["a,b\n1,2\n"], "dropped.csv")); d.items.add(new File(["x"], "second.txt"));
		document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer: d, bubbles: true, cancelable: true }));
		return document.querySelectorAll("[data-list] .up-row").length })()`); rows != 2 {
		t.Errorf("two files dropped gave %v rows", rows)
	}
	b.do(chromedp.Click("[data-list] .up-row:last-child button:not([hidden])"), chromedp.Click("form[data-upload] button[type=submit]"), chromedp.WaitVisible("#file-2"))
	if d := mustDraft(t, p.client, draft.ID); len(d.Files) != 2 || !slices.ContainsFunc(d.Files, func(f api.DraftFile) bool { return f.Name == "dropped.csv" }) {
		t.Errorf("the draft: %+v", d.Files)
	}
	b.quiet("the draft's page")
}

// tusScript sends a file with tus-js-client and goes on with an upload that an
// earlier run of it left.
const tusScript = `
const tus = require("tus-js-client");
const fs = require("fs");
const [endpoint, token, path, memory] = process.argv.slice(2);
const upload = new tus.Upload(fs.createReadStream(path), {
  endpoint, chunkSize: 4 << 20, uploadSize: fs.statSync(path).size, retryDelays: Array(60).fill(250),
  headers: { Authorization: "Bearer " + token }, metadata: { filename: "js.bin", filetype: "application/octet-stream" },
  urlStorage: new tus.FileUrlStorage(memory), storeFingerprintForResuming: true, fingerprint: () => Promise.resolve("fingerprint of " + path),
  onError: (e) => { console.error(String(e)); process.exit(1); },
  onSuccess: () => { console.log("sent", upload.url); },
});
upload.findPreviousUploads().then((earlier) => {
  if (earlier.length) { console.log("resumes"); upload.resumeFromPreviousUpload(earlier[0]); }
  upload.start();
});
`

// TestTusJSClient holds the portal to the protocol's own client, which is fetched
// for this run: through cuts, a kill of the server and a kill of the client.
func TestTusJSClient(t *testing.T) {
	t.Parallel()
	missing := func(why string) {
		if required("tus-js-client") {
			t.Fatal("TAIHU_REQUIRE wants tus-js-client: " + why)
		}
		t.Skip("SKIPPED: " + why + "; uploads were not tried with tus-js-client")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing("no " + tool + " on PATH")
		}
	}
	folder := t.TempDir()
	limited, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	install := exec.CommandContext(limited, "npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "tus-js-client@4.3.1")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		missing(fmt.Sprintf("npm could not fetch it: %v %.200s", err, out))
	}
	if err := os.WriteFile(filepath.Join(folder, "send.js"), []byte(tusScript), 0o600); err != nil {
		t.Fatal(err)
	}

	const size = 40 << 20
	path, hash := randomFile(t, "js.bin", size, 3)
	p := &process{t: t, Data: t.TempDir(), address: freeAddress(t)}
	p.start()
	defer func() { p.kill() }()
	token := (&server{t: t, Data: p.Data}).token()
	c := client.New(p.URL, token)
	makeDataset(t, c, "tus-js")
	draft, err := c.CreateDraft(t.Context(), "tus-js", api.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	proxy := newCutter(t, p.address, []int64{5_000_001, 13_000_007, 21_000_013, 30_000_001})
	node := func() (*exec.Cmd, *lockedBuffer) {
		out := &lockedBuffer{}
		cmd := exec.CommandContext(t.Context(), "node", "send.js", "http://"+proxy.Addr().String()+"/api/v1/drafts/"+draft.ID+"/uploads", token, path, filepath.Join(folder, "memory.json"))
		cmd.Dir, cmd.Stdout, cmd.Stderr = folder, out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, out
	}
	first, _ := node()
	<-proxy.made // the connection alone
	<-proxy.made
	p.kill()
	p.start()
	<-proxy.made
	_ = first.Process.Kill()
	_ = first.Wait()
	second, out := node()
	if err := second.Wait(); err != nil || !strings.Contains(out.String(), "resumes") || !strings.Contains(out.String(), "sent ") {
		t.Fatalf("the second run: %v %s", err, out)
	}
	if d := mustDraft(t, c, draft.ID); len(d.Files) != 1 || d.Files[0].Name != "js.bin" || d.Files[0].SHA256 != hash {
		t.Errorf("the draft: %+v, want %s", d.Files, hash)
	}
	proxy.mu.Lock()
	defer proxy.mu.Unlock()
	if most := int64(size + 4*(4<<20) + 1<<20); proxy.passed > most {
		t.Errorf("%d bytes went to the server for %d, with four cuts", proxy.passed, size)
	}
}
