package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// TestPackedDownloads: text formats come compressed to those who ask, stored or
// encoded for the request, whole or filtered; each representation has its own tag.
func TestPackedDownloads(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	for _, file := range []string{"lots.csv", "lots.tsv", "lots.json", "lots.ndjson", "lots.xml", "lots.csv?spreadsheet=1", "lots.csv?header=none&null=NA", "lots.json?shape=columns", "lots.csv?where=泊位数 > 100", "lots.csv?where=泊位数 > 9999&header=none"} {
		for _, stored := range []bool{false, true} {
			name := file
			if stored {
				name += " again"
			}
			t.Run(name, func(t *testing.T) {
				address := "/data/open-lots/2/" + file
				_, header, plain := p.send(t, scenario{path: address})
				tag := header.Get("ETag")
				if header.Get("Vary") != "Accept-Encoding" || header.Get("Content-Encoding") != "" {
					t.Errorf("plain: %v", header)
				}
				for _, packing := range []string{"gzip", "zstd"} {
					if !stored {
						p.forget()
					}
					packedTag := strings.TrimSuffix(tag, `"`) + "-" + packing + `"`
					accept := []string{"Accept-Encoding", packing}
					status, header, body := p.send(t, scenario{path: address, headers: accept})
					if status != 200 || header.Get("ETag") != packedTag || header.Get("Content-Encoding") != packing || header.Get("Vary") != "Accept-Encoding" || header.Get("Accept-Ranges") != "" || decompress(t, packing, body) != plain {
						t.Errorf("%s: %d %v", packing, status, header)
					}
					_, _, again := p.send(t, scenario{path: address, headers: accept})
					if again != body {
						t.Errorf("%s: other bytes the second time", packing)
					}
					p.play(t, []scenario{
						{name: "HEAD", method: "HEAD", path: address, headers: accept, status: 200, has: map[string]string{"ETag": packedTag, "Content-Encoding": packing, "Content-Length": "", "Accept-Ranges": ""}},
						{name: "its own tag", path: address, headers: with(accept, "If-None-Match", packedTag), status: 304, has: map[string]string{"ETag": packedTag, "Vary": "Accept-Encoding", "Content-Type": ""}},
						{name: "the plain tag", path: address, headers: with(accept, "If-None-Match", tag), status: 304, has: map[string]string{"ETag": tag, "Vary": "Accept-Encoding"}},
						{name: "both tags", path: address, headers: with(accept, "If-None-Match", tag+`, W/`+packedTag), status: 304, has: map[string]string{"ETag": packedTag}},
						{name: "a packed tag of one who takes plain bytes", path: address, headers: []string{"If-None-Match", packedTag, "Accept-Encoding", "identity"}, status: 200, has: map[string]string{"ETag": tag, "Content-Encoding": ""}, parts: []string{plain}},
						{name: "another tag", path: address, headers: with(accept, "If-None-Match", `"x"`), status: 200, has: map[string]string{"ETag": packedTag}},
						{name: "If-Match of the plain tag", path: address, headers: with(accept, "If-Match", tag), status: 200, has: map[string]string{"ETag": tag, "Content-Encoding": ""}, parts: []string{plain}},
						{name: "If-Match of its own", path: address, headers: with(accept, "If-Match", packedTag), status: 200, has: map[string]string{"ETag": packedTag, "Content-Encoding": packing}},
					})
					if !strings.Contains(file, "where") {
						p.play(t, []scenario{{name: "If-Match of another", path: address, headers: with(accept, "If-Match", `"x"`), status: 412, has: map[string]string{"Content-Type": problemType, "Content-Encoding": ""}}})
					}
				}
			})
		}
	}
	p.play(t, []scenario{
		{name: "zstd where both are taken", path: "/data/open-lots/2/lots.csv", headers: []string{"Accept-Encoding", "gzip, deflate, br, zstd"}, status: 200, has: map[string]string{"Content-Encoding": "zstd"}},
		{name: "a problem is not packed", path: "/data/open-lots/2/lots.csv?where=无 > 1", headers: []string{"Accept-Encoding", "gzip"}, status: 400, has: map[string]string{"Content-Encoding": "", "ETag": "", "Content-Type": problemType}},
	})
	t.Run("a client that unpacks by itself", func(t *testing.T) {
		resp, err := http.Get(p.URL + "/data/open-lots/2/lots.csv")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || !resp.Uncompressed || !strings.HasPrefix(string(body), "编号,名称") {
			t.Errorf("%v: %s", err, body)
		}
	})
}

func decompress(t *testing.T, packing, body string) string {
	t.Helper()
	var r io.Reader
	var err error
	if packing == "gzip" {
		r, err = gzip.NewReader(strings.NewReader(body))
	} else {
		r, err = zstd.NewReader(strings.NewReader(body))
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
