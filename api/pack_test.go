package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func TestAcceptedPackings(t *testing.T) {
	for header, want := range map[string][]string{
		"": {""}, "identity": {""}, "br": {""}, "gzip": {"gzip", ""}, "x-gzip": {"gzip", ""}, "gzip, deflate, br, zstd": {"zstd", "gzip", ""}, "GZIP;Q=1": {"gzip", ""},
		"gzip, zstd;q=0.5": {"gzip", "zstd", ""}, "gzip;q=0.5, zstd;q=0": {"gzip", ""}, "gzip;q=0": {""}, "*": {"zstd", "gzip", ""}, "*;q=0": {""}, "gzip, *;q=0": {"gzip"},
		"gzip;q=0.5, identity": {"", "gzip"}, "identity;q=0.5, gzip;q=0.5": {"gzip", ""}, "identity;q=0, gzip": {"gzip"}, "identity;q=0": {""}, "gzip;q=x": {""}, "gzip;q=2": {""}, " gzip ; q=0.1 ,": {"gzip", ""},
	} {
		if got := acceptedPackings(header); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func TestRepresent(t *testing.T) {
	for _, c := range []struct {
		headers []string
		packing string
		has     bool
	}{
		{nil, "", false},
		{[]string{"Accept-Encoding", "gzip, zstd"}, "zstd", false},
		{[]string{"Accept-Encoding", "gzip", "Range", "bytes=0-3"}, "", false},
		{[]string{"Accept-Encoding", "gzip", "If-None-Match", `"k-gzip"`}, "gzip", true},
		{[]string{"Accept-Encoding", "gzip, zstd", "If-None-Match", `W/"k-gzip", "x"`}, "gzip", true},
		{[]string{"Accept-Encoding", "gzip", "If-None-Match", `"k"`}, "", true},
		{[]string{"If-None-Match", `"k-gzip"`}, "", false},
		{[]string{"Accept-Encoding", "gzip", "If-None-Match", `"k-zstd"`}, "gzip", false},
		{[]string{"Accept-Encoding", "gzip", "If-None-Match", `*`}, "gzip", true},
		{[]string{"Accept-Encoding", "gzip", "Range", "bytes=0-3", "If-None-Match", `"k-gzip"`}, "", false},
		{[]string{"Accept-Encoding", "gzip, zstd", "If-Match", `"k"`}, "", false},
		{[]string{"Accept-Encoding", "gzip, zstd", "If-Match", `"k-gzip"`}, "gzip", false},
		{[]string{"Accept-Encoding", "gzip, zstd", "If-Match", `W/"k-gzip"`}, "", false},
		{[]string{"Accept-Encoding", "gzip, zstd", "If-Match", `"x"`}, "", false},
	} {
		r := &http.Request{Header: http.Header{}}
		for i := 0; i < len(c.headers); i += 2 {
			r.Header.Set(c.headers[i], c.headers[i+1])
		}
		if packing, has := represent(r, "k"); packing != c.packing || has != c.has {
			t.Errorf("%q: %q, %t", c.headers, packing, has)
		}
	}
}

// TestPacker: what is packed unpacks to the same, an unfinished stream is an error
// to its reader, nothing is written for a stream that never began, and a compressor
// that was broken off serves the next.
func TestPacker(t *testing.T) {
	unpack := func(packing string, r io.Reader) (string, error) {
		if packing == "gzip" {
			z, err := gzip.NewReader(r)
			if err != nil {
				return "", err
			}
			b, err := io.ReadAll(z)
			return string(b), err
		}
		z, err := zstd.NewReader(r)
		if err != nil {
			return "", err
		}
		defer z.Close()
		b, err := io.ReadAll(z)
		return string(b), err
	}
	text := strings.Repeat("滨湖区,120\n", 100_000)
	for _, packing := range packings {
		for _, content := range []string{"", "x", text, text} {
			var out bytes.Buffer
			broken := &packer{to: &out, packing: packing}
			broken.release()
			if out.Len() > 0 {
				t.Errorf("%s: a stream that never began has bytes", packing)
			}
			if _, err := io.WriteString(broken, text[:50_000]); err != nil {
				t.Fatal(err)
			}
			if out.Len() == 0 {
				t.Errorf("%s: the first bytes wait", packing)
			}
			broken.release()
			if _, err := unpack(packing, &out); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: a broken stream reads with %v", packing, err)
			}
			out.Reset()
			p := &packer{to: &out, packing: packing}
			for rest := content; rest != ""; {
				n := min(len(rest), 1000)
				if _, err := io.WriteString(p, rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			p.release()
			if len(content) > 10_000 && out.Len() > len(content)/10 {
				t.Errorf("%s: %d of %d bytes", packing, out.Len(), len(content))
			}
			if got, err := unpack(packing, &out); err != nil || got != content {
				t.Errorf("%s: %d bytes, want %d: %v", packing, len(got), len(content), err)
			}
		}
	}
}
