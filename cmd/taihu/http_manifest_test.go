package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taihu/api"
	"taihu/api/client"
)

// TestManifests: a download, its trailers or headers, and its manifest agree, for
// whole and filtered exports in every format; content_sha256 is that of the rows.
func TestManifests(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	p.forget()
	contents := map[string]string{}
	for _, query := range []string{"", "?where=泊位数 > 30&select=编号,泊位数", "?group=区县&sort=-count"} {
		for _, format := range exportFormats {
			if format == "geojson" { // the lots have no coordinates
				continue
			}
			address := "/data/open-lots/2/lots." + format + query
			sent, trailer := p.fetchTrailers(t, address)
			sum := sha256.Sum256(sent)
			var m api.Manifest
			_, _, body := p.send(t, scenario{path: "/data/open-lots/2/lots." + format + ".manifest.json" + query})
			if err := json.Unmarshal([]byte(body), &m); err != nil {
				t.Fatalf("%s: %v in %s", address, err, body)
			}
			if m.SHA256 != hex.EncodeToString(sum[:]) || m.Bytes != int64(len(sent)) || m.Release != 2 || m.Format != format || (m.Query == nil) != (query == "") {
				t.Errorf("%s: %d bytes, sha256 %x; the manifest says %s", address, len(sent), sum, body)
			}
			if trailer.Get("Taihu-Sha256") != m.SHA256 || trailer.Get("Taihu-Rows") == "" ||
				trailer.Get("Repr-Digest") != "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":" {
				t.Errorf("%s: trailers %v", address, trailer)
			}
			if c, ok := contents[query]; ok && c != m.ContentSHA256 || m.ContentSHA256 == "" {
				t.Errorf("%s: content_sha256 %s, in another format %s", address, m.ContentSHA256, c)
			}
			contents[query] = m.ContentSHA256
			// Now it is kept: headers say it all, and ranges work.
			eventually(t, address+" is kept", func() bool {
				status, header, part := p.send(t, scenario{path: address, headers: []string{"Range", "bytes=3-9"}})
				return status == 206 && part == string(sent[3:10]) && header.Get("Taihu-Sha256") == m.SHA256
			})
		}
	}
	if len(contents) != 3 || contents[""] == contents["?group=区县&sort=-count"] {
		t.Errorf("contents %v", contents)
	}
}

// fetchTrailers reads an answer that is sent while it is encoded.
func (p *lotPortal) fetchTrailers(t *testing.T, address string) ([]byte, http.Header) {
	t.Helper()
	plain := http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	resp, err := plain.Get(p.URL + encodeQuery(address))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, resp.Status, err)
	}
	if len(resp.Trailer) == 0 { // kept before
		return body, resp.Header
	}
	if rows := resp.Header.Get("Taihu-Rows"); rows != "" { // known beforehand
		resp.Trailer.Set("Taihu-Rows", rows)
	}
	return body, resp.Trailer
}

func longCSV(rows int) string {
	var b strings.Builder
	b.WriteString("序号,数值,说明\n")
	for i := range rows {
		b.WriteString(strings.Join([]string{strconv.Itoa(i), strconv.Itoa(i * 7919 % 100003), "第" + strconv.Itoa(i) + "行的说明文字"}, ",") + "\n")
	}
	return b.String()
}

// TestEstimateAndAsync: how large it would be without encoding it, and a large
// export behind the same address.
func TestEstimateAndAsync(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	p.release("open-lots", "long.csv", longCSV(300_000))
	p.forget()
	var e api.Estimate
	_, _, body := p.send(t, scenario{path: "/data/open-lots/3/long.csv?where=序号 < 200000&estimate=1"})
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.Rows != 200_000 || e.Kept || e.Seconds <= 0 {
		t.Fatalf("estimate: %s %v", body, err)
	}
	if n := len(p.exports()); n != 0 {
		t.Errorf("the estimate encoded %d exports", n)
	}
	async := scenario{path: "/data/open-lots/3/long.xlsx?where=序号 < 200000&sort=-数值", headers: []string{"Prefer", "respond-async"}}
	waited, sent := 0, ""
	eventually(t, "the export is there", func() bool {
		status, header, body := p.send(t, async)
		switch {
		case status == 202 && header.Get("Retry-After") != "" && header.Get("Location") != "" && header.Get("ETag") == "":
			waited++
			return false
		case status == 200:
			sent = body
			return true
		}
		t.Fatalf("%d %v %.300s", status, header, body)
		return true
	})
	t.Logf("answered 202 %d times", waited)
	if !strings.HasPrefix(sent, "PK") {
		t.Errorf("got %.20q", sent)
	}
	_, _, whole := p.send(t, scenario{path: "/data/open-lots/3/long.csv?where=序号 < 200000"})
	if off := float64(e.Bytes) / float64(len(whole)); off < 0.8 || off > 1.2 {
		t.Errorf("estimated %d bytes, it has %d", e.Bytes, len(whole))
	}
	// It was large and had one reader, so it is not kept until its finished file is needed.
	if status, _, _ := p.send(t, scenario{path: "/data/open-lots/3/long.csv?where=序号 < 200000", headers: []string{"Range", "bytes=0-9"}}); status != 206 {
		t.Errorf("range: %d", status)
	}
	eventually(t, "the estimate knows what is kept", func() bool {
		_, _, body := p.send(t, scenario{path: "/data/open-lots/3/long.csv?where=序号 < 200000&estimate=1"})
		return json.Unmarshal([]byte(body), &e) == nil && e.Kept && e.Bytes == int64(len(whole))
	})
	p.play(t, []scenario{
		{name: "estimate is 1", path: "/data/open-lots/3/long.csv?estimate=2", status: 400, parts: []string{"bad_parameter"}},
		{name: "a manifest has no estimate", path: "/data/open-lots/3/long.csv.manifest.json?estimate=1", status: 400, parts: []string{"unknown_parameter"}},
		{name: "a manifest of no format", path: "/data/open-lots/3/long.xls.manifest.json", status: 404, parts: []string{"unknown_format"}},
	})
}

// TestLargeExportOfOneReader: it goes to its reader as it is encoded, and is kept
// when somebody needs the finished file.
func TestLargeExportOfOneReader(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	p.release("open-lots", "long.csv", longCSV(400_000)) // about 15 MB
	p.forget()
	address := "/data/open-lots/3/long.csv?where=序号 >= 7"
	sent, trailer := p.fetchTrailers(t, address)
	if sum := sha256.Sum256(sent); trailer.Get("Taihu-Sha256") != hex.EncodeToString(sum[:]) || trailer.Get("Taihu-Rows") != "399993" || len(sent) < 9<<20 {
		t.Fatalf("%d bytes, trailers %v", len(sent), trailer)
	}
	p.idle()
	if n := len(p.exports()); n != 0 {
		t.Errorf("%d exports are kept", n)
	}
	status, _, part := p.send(t, scenario{path: address, headers: []string{"Range", "bytes=9000000-9000099"}})
	if status != 206 || part != string(sent[9_000_000:9_000_100]) {
		t.Errorf("range: %d, %.200q", status, part)
	}
	if n := len(p.exports()); n != 1 {
		t.Errorf("after a range %d exports are kept", n)
	}
	// Many at once share one encoding, also of a large one.
	p.forget()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			status, _, body := p.send(t, scenario{path: address})
			if status != 200 || body != string(sent) {
				t.Errorf("%d, %d bytes", status, len(body))
			}
		})
	}
	wg.Wait()
	// One who leaves in the middle leaves nothing behind.
	p.forget()
	resp, err := (&http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}).Get(p.URL + encodeQuery(address+"&sort=-数值"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, 1000); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	eventually(t, "another export is answered", func() bool {
		status, _, _ := p.send(t, scenario{path: "/data/open-lots/3/long.csv?where=序号 < 3"})
		return status == 200
	})
}

// TestExportsAreBounded: what was not used for longest goes, and comes back when
// asked for.
func TestExportsAreBounded(t *testing.T) {
	t.Parallel()
	p := startLots(t, "--kept-exports=1")
	p.release("open-lots", "long.csv", longCSV(12_000)) // about 450 kB as CSV
	p.idle()
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		status, _, body := p.send(t, scenario{path: "/data/open-lots/3/long.csv?where=序号 > " + n})
		if status != 200 || len(body) < 300_000 {
			t.Fatalf("%d, %d bytes", status, len(body))
		}
	}
	eventually(t, "the store is within its bounds", func() bool {
		total := int64(0)
		files, _ := filepath.Glob(filepath.Join(p.Data, "exports", "sha256", "*", "*"))
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				total += info.Size()
			}
		}
		return total > 0 && total <= 1<<20
	})
	if status, _, body := p.send(t, scenario{path: "/data/open-lots/3/long.csv?where=序号 > 1"}); status != 200 || len(body) < 300_000 {
		t.Errorf("a forgotten export: %d, %d bytes", status, len(body))
	}
}

// TestGetResumes fetches through a connection that is cut again and again.
func TestGetResumes(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	p.release("open-lots", "long.csv", longCSV(60_000))
	cutter := &cuttingProxy{to: strings.TrimPrefix(p.URL, "http://"), after: 300_000}
	address := cutter.start(t)
	file := filepath.Join(t.TempDir(), "long.csv")
	m, err := client.New("http://"+address, "").Download(t.Context(), client.Download{
		Path: client.DataPath("open-lots", "3", "long.csv", map[string][]string{"where": {"序号 >= 5"}}), File: file})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil || int64(len(got)) != m.Bytes || m.Rows != 59_995 {
		t.Fatalf("%d bytes, %v, manifest %+v", len(got), err, m)
	}
	if cutter.cuts.Load() < 3 {
		t.Errorf("the connection was cut %d times", cutter.cuts.Load())
	}
	if err := client.Verify(file, m); err != nil {
		t.Error(err)
	}
	for what, damaged := range map[string][]byte{"cut": got[:len(got)-1], "changed": append(bytes.Clone(got[:len(got)-1]), 'x'), "longer": append(bytes.Clone(got), '\n')} {
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := client.Verify(file, m); !errors.Is(err, client.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestGetWaitsForItsBudget: a client whose budget is spent asks again when the server
// said, and gets its file.
func TestGetWaitsForItsBudget(t *testing.T) {
	t.Parallel()
	p := startLots(t, "--anonymous-queries=30")
	refused := false
	for i := 0; i < 60 && !refused; i++ {
		status, _, _ := p.send(t, scenario{path: fmt.Sprintf("/api/v1/datasets/open-lots/releases/1/tables/lots/rows?limit=%d", i+1)})
		refused = status == http.StatusTooManyRequests
	}
	if !refused {
		t.Fatal("the budget is not spent")
	}
	file := filepath.Join(t.TempDir(), "lots.csv")
	m, err := client.New(p.URL, "").Download(t.Context(), client.Download{Path: client.DataPath("open-lots", "1", "lots.csv", map[string][]string{"sort": {"-_row"}}), File: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Verify(file, m); err != nil {
		t.Error(err)
	}
}

// cuttingProxy passes bytes on and cuts each connection after so many.
type cuttingProxy struct {
	to    string
	after int64
	cuts  atomic.Int64
}

func (c *cuttingProxy) start(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.DialTimeout("tcp", c.to, 5*time.Second)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in) }()
			if n, _ := io.CopyN(in, out, c.after); n == c.after {
				c.cuts.Add(1)
			}
			_ = in.Close()
			_ = out.Close()
		}
	}()
	return l.Addr().String()
}
