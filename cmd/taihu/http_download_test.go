package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"path"
	"strings"
	"testing"
)

// TestAddresses walks the addresses of architecture.md §5: GET and HEAD of each
// answer 200 with the same headers, for a person without an account.
func TestAddresses(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	const release = "/api/v1/datasets/open-lots/releases/"
	list := []string{
		"/", "/en", "/datasets", "/en/datasets", "/datasets?q=停车&organization=cgj&format=csv&sort=-updated", "/datasets/open-lots", "/en/datasets/open-lots",
		"/datasets/open-lots/releases/1", "/datasets/open-lots/tables/lots", "/datasets/open-lots/tables/lots?where=泊位数 > 100", "/organizations", "/organizations/cgj", "/en/organizations/cgj",
		"/docs", "/en/docs", "/docs/errors/unknown_column", "/docs/errors/renamed", "/sign-in",
		"/data/open-lots/latest/lots.csv", "/data/open-lots/1/lots.csv", "/data/open-lots/2/lots.json", "/data/open-lots/2/lots.ndjson", "/data/open-lots/2/lots.xlsx", "/data/open-lots/2/lots.parquet",
		"/data/open-lots/2/lots.tsv", "/data/open-lots/2/lots.arrow", "/data/open-lots/2/lots.xml", "/data/open-lots/2/lots.geojson?group=泊位数&select=泊位数,min(泊位数) as lon,max(泊位数) as lat",
		"/data/open-lots/2/lots.xlsx?where=泊位数 >= 33 and 区县 in ('滨湖区','梁溪区')&select=编号,泊位数&sort=-泊位数", "/data/open-lots/latest/files/lots.csv", "/data/open-lots/1/files/lots.csv",
		"/data/open-lots/latest.zip", "/data/open-lots/2.zip", "/data/open-lots/1.zip?format=ndjson",
		"/api/v1/datasets", "/api/v1/datasets?q=停车场&limit=20", "/api/v1/datasets?format=csv,xlsx&open=unconditional", "/api/v1/datasets/open-lots", "/api/v1/datasets/open-lots/releases",
		release + "latest", release + "1", release + "latest/tables/lots/schema", release + "2/tables/lots/profile", release + "2/tables/lots/rows",
		release + "latest/tables/lots/rows?where=泊位数 > 100&select=编号&sort=-泊位数&limit=1&count=1",
		"/api/v1/organizations", "/api/v1/organizations/cgj", "/openapi.json", "/openapi.yaml", "/healthz", "/readyz",
		"/catalog.csv", "/catalog.json", "/catalog.ndjson", "/catalog.xlsx", "/catalog.parquet", "/catalog.ttl", "/catalog.jsonld", "/portal.sql", "/feed.atom", "/en/feed.atom", "/datasets/open-lots/feed.atom",
		"/datasets/open-lots/dcat.ttl", "/datasets/open-lots/dcat.jsonld", "/sitemap.xml", "/sitemap.xml?page=1", "/robots.txt",
	}
	for _, address := range list {
		t.Run(address, func(t *testing.T) {
			status, header, body := p.send(t, scenario{path: address})
			headStatus, headHeader, headBody := p.send(t, scenario{method: http.MethodHead, path: address})
			if status != 200 || headStatus != 200 || headBody != "" {
				t.Fatalf("GET %d, HEAD %d with %d bytes\n%s", status, headStatus, len(headBody), body[:min(len(body), 300)])
			}
			for _, name := range []string{"Content-Type", "ETag", "Cache-Control", "Content-Disposition", "Content-Location", "Link", "Vary", "Access-Control-Allow-Origin", "Taihu-Rows", "Content-Security-Policy"} {
				if name == "Taihu-Rows" && header.Get(name) == "" {
					continue // GET told it in a trailer, and what it encoded is kept now
				}
				if got, want := strings.Join(headHeader.Values(name), "; "), strings.Join(header.Values(name), "; "); got != want {
					t.Errorf("%s: HEAD says %q, GET %q", name, got, want)
				}
			}
			if got := headHeader.Get("Content-Length"); got != "" && got != fmt.Sprint(len(body)) {
				t.Errorf("HEAD says %s bytes, GET gives %d", got, len(body))
			}
			if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Security-Policy") == "" || header.Get("Referrer-Policy") == "" || header.Get("X-Request-Id") == "" {
				t.Errorf("security headers are missing: %v", header)
			}
			public := strings.HasPrefix(address, "/api/") || strings.HasPrefix(address, "/data/") || strings.HasPrefix(address, "/openapi") || strings.HasPrefix(address, "/catalog.") ||
				address == "/portal.sql" || strings.HasSuffix(address, "/feed.atom") || strings.Contains(address, "/dcat.")
			if got := header.Get("Access-Control-Allow-Origin"); (got == "*") != public {
				t.Errorf("Access-Control-Allow-Origin %q", got)
			}
			if header.Get("Access-Control-Allow-Credentials") != "" || header.Get("Set-Cookie") != "" {
				t.Errorf("credentials across origins: %v", header)
			}
		})
	}
	p.play(t, []scenario{
		{name: "the manifest beside a download", path: "/data/open-lots/2/lots.csv.manifest.json", status: 200, has: map[string]string{"Content-Type": "application/json"}, parts: []string{`"content_sha256"`}},
		{name: "latest says which release it is", path: "/data/open-lots/latest/lots.csv?limit=1", status: 200, has: map[string]string{"Content-Location": "/data/open-lots/2/lots.csv?limit=1"}},
		{name: "latest of a file", path: "/data/open-lots/latest/files/lots.csv", status: 200, has: map[string]string{"Content-Location": "/data/open-lots/2/files/lots.csv"}},
		{name: "latest of the API", path: release + "latest", status: 200, has: map[string]string{"Content-Location": p.URL + release + "2"}},
		{name: "latest of rows", path: release + "latest/tables/lots/rows?limit=1", status: 200, has: map[string]string{"Content-Location": p.URL + release + "2/tables/lots/rows?limit=1"}},
		{name: "a numbered one needs none", path: "/data/open-lots/2/lots.csv", status: 200, has: map[string]string{"Content-Location": ""}},
		{name: "preflight", method: "OPTIONS", path: "/data/open-lots/2/lots.csv", headers: []string{"Origin", "https://other.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "range"},
			status: 204, has: map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "*", "Access-Control-Allow-Credentials": ""}},
		{name: "preflight of a page", method: "OPTIONS", path: "/datasets", headers: []string{"Origin", "https://other.example"}, status: 405, has: map[string]string{"Access-Control-Allow-Origin": ""}},
		{name: "changing is not for other origins", method: "POST", path: "/api/v1/datasets", headers: with(bearerOf(p.admin), "Origin", "https://other.example"), status: 400, has: map[string]string{"Access-Control-Allow-Origin": ""}},
		{name: "problems are readable across origins", path: "/api/v1/nothing", status: 404, has: map[string]string{"Access-Control-Allow-Origin": "*"}},
		{name: "open data may be kept but is asked for", path: "/data/open-lots/2/lots.csv", status: 200, has: map[string]string{"Cache-Control": "public, no-cache"}},
		{name: "lists too", path: "/api/v1/datasets", status: 200, has: map[string]string{"Cache-Control": "public, no-cache"}},
		{name: "what a token sees is private", path: "/api/v1/datasets", headers: bearerOf(p.own), status: 200, has: map[string]string{"Cache-Control": "private, no-store"}},
		{name: "conditional data are private", path: "/data/conditional-lots/1/lots.csv", headers: bearerOf(p.own), status: 200, has: map[string]string{"Cache-Control": "private, no-store"}},
		{name: "conditional files are private", path: "/data/conditional-lots/1/files/lots.csv", headers: bearerOf(p.own), status: 200, has: map[string]string{"Cache-Control": "private, no-store"}},
		{name: "conditional rows are private", path: "/api/v1/datasets/conditional-lots/releases/1/tables/lots/rows", headers: bearerOf(p.own), status: 200, has: map[string]string{"Cache-Control": "private, no-store"}},
		{name: "conditional profiles are private", path: "/api/v1/datasets/conditional-lots/releases/1/tables/lots/profile", headers: bearerOf(p.own), status: 200, has: map[string]string{"Cache-Control": "private, no-store"}},
	})
	p.rename("open-lots", "city-lots")
	var moved []scenario
	for _, address := range list {
		if to := strings.Replace(encodeQuery(address), "/open-lots", "/city-lots", 1); to != encodeQuery(address) && !strings.HasPrefix(address, "/en/") {
			for _, method := range []string{"GET", "HEAD"} {
				moved = append(moved, scenario{name: "renamed " + method + " " + address, method: method, path: address, status: 301, has: map[string]string{"Location": to}})
			}
		}
	}
	moved = append(moved, scenario{name: "a changing request is served under the old name", method: "POST", path: release + "2/tables/lots/query", headers: []string{"Content-Type", "application/json"}, body: `{"limit":1}`, status: 200})
	p.play(t, moved)
}

// TestStoredAndUnstored holds ETags, conditional requests and ranges to RFC 9110,
// both when the export is encoded for the request and when it is a file already.
func TestStoredAndUnstored(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	for _, ext := range []string{"csv", "json", "ndjson", "xlsx", "parquet", "tsv", "arrow", "xml"} {
		for _, stored := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s stored %t", ext, stored), func(t *testing.T) {
				address := "/data/open-lots/2/lots." + ext
				_, header, whole := p.send(t, scenario{path: address})
				tag := header.Get("ETag")
				if len(tag) != 66 || tag[0] != '"' {
					t.Fatalf("ETag %s is not strong", tag)
				}
				n := len(whole)
				for _, c := range rangeScenarios(address, tag, whole) {
					if !stored {
						p.forget()
					}
					p.play(t, []scenario{c})
				}
				if !stored {
					p.forget()
				}
				_, header, body := p.send(t, scenario{path: "/data/open-lots/latest/lots." + ext})
				if body != whole || header.Get("ETag") != tag {
					t.Errorf("latest gives %d bytes and %s, the number %d and %s", len(body), header.Get("ETag"), n, tag)
				}
			})
		}
	}
	t.Run("original", func(t *testing.T) {
		address := "/data/open-lots/1/files/lots.csv"
		_, header, whole := p.send(t, scenario{path: address})
		sum := sha256.Sum256([]byte(lots))
		if whole != lots || header.Get("ETag") != `"`+hex.EncodeToString(sum[:])+`"` || header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("original: %v\n%s", header, whole)
		}
		p.play(t, rangeScenarios(address, header.Get("ETag"), whole))
	})
	t.Run("filtered", func(t *testing.T) {
		spellings := []string{"?where=泊位数>100&sort=-泊位数", "?where=  泊位数  >  100 &sort= -泊位数", "?sort=-泊位数&where=(泊位数 > 100)"}
		_, header, first := p.send(t, scenario{path: "/data/open-lots/2/lots.csv" + spellings[0]})
		tag := header.Get("ETag")
		if first != "编号,名称,区县,泊位数\n001,三阳广场,梁溪区,417\n003,蠡湖公园,滨湖区,120\n" || header.Get("Taihu-Rows") != "" {
			t.Errorf("filtered: %v\n%s", header, first)
		}
		for _, spelling := range spellings {
			p.play(t, []scenario{
				{name: "same tag " + spelling, path: "/data/open-lots/2/lots.csv" + spelling, status: 200, has: map[string]string{"ETag": tag}, parts: []string{first}},
				{name: "not modified " + spelling, path: "/data/open-lots/latest/lots.csv" + spelling, headers: []string{"If-None-Match", tag}, status: 304, has: map[string]string{"ETag": tag, "Content-Type": ""}},
			})
		}
		p.play(t, []scenario{
			{name: "other query, other tag", path: "/data/open-lots/2/lots.csv?where=泊位数 > 101&sort=-泊位数", headers: []string{"If-None-Match", tag}, status: 200},
			{name: "range", path: "/data/open-lots/2/lots.csv" + spellings[0], headers: []string{"Range", "bytes=0-3"}, status: 206, parts: []string{first[:4]}},
			{name: "If-Match", path: "/data/open-lots/2/lots.csv" + spellings[0], headers: []string{"If-Match", `"x", ` + tag}, status: 200, parts: []string{first}},
			{name: "If-Match other", path: "/data/open-lots/2/lots.csv" + spellings[0], headers: []string{"If-Match", `"x"`}, status: 412, has: map[string]string{"Content-Type": problemType, "ETag": ""}},
			{name: "If-Match weak HEAD", method: "HEAD", path: "/data/open-lots/2/lots.csv" + spellings[0], headers: []string{"If-Match", "W/" + tag}, status: 412},
			{name: "If-Match and If-None-Match", path: "/data/open-lots/2/lots.csv" + spellings[0], headers: []string{"If-Match", tag, "If-None-Match", tag}, status: 304},
			{name: "HEAD checks the query", method: "HEAD", path: "/data/open-lots/2/lots.csv?where=无 > 1", status: 400},
			{name: "nothing fits", path: "/data/open-lots/2/lots.json?where=泊位数 > 9999", status: 200, parts: []string{"[", "]"}},
		})
	})
}

func rangeScenarios(address, tag, whole string) []scenario {
	n := len(whole)
	full := map[string]string{"ETag": tag}
	part := func(from, to int) map[string]string {
		return map[string]string{"ETag": tag, "Content-Range": fmt.Sprintf("bytes %d-%d/%d", from, to, n), "Content-Length": fmt.Sprint(to - from + 1)}
	}
	ranged := func(r string, more ...string) []string { return append([]string{"Range", r}, more...) }
	list := []scenario{
		{name: "whole", path: address, status: 200, has: full, parts: []string{whole}},
		{name: "HEAD", method: "HEAD", path: address, status: 200, has: map[string]string{"ETag": tag, "Content-Length": fmt.Sprint(n), "Accept-Ranges": "bytes"}},
		{name: "If-None-Match", path: address, headers: []string{"If-None-Match", tag}, status: 304, has: full},
		{name: "If-None-Match weak", path: address, headers: []string{"If-None-Match", `"x", W/` + tag}, status: 304, has: full},
		{name: "If-None-Match any", path: address, headers: []string{"If-None-Match", "*"}, status: 304, has: full},
		{name: "If-None-Match HEAD", method: "HEAD", path: address, headers: []string{"If-None-Match", tag}, status: 304, has: full},
		{name: "If-None-Match other", path: address, headers: []string{"If-None-Match", `"x"`}, status: 200, has: full, parts: []string{whole}},
		{name: "If-Match", path: address, headers: []string{"If-Match", tag}, status: 200, has: full, parts: []string{whole}},
		{name: "If-Match other", path: address, headers: []string{"If-Match", `"x"`}, status: 412, has: map[string]string{"Content-Type": problemType, "Content-Disposition": ""}},
		{name: "range", path: address, headers: ranged("bytes=3-9"), status: 206, has: part(3, 9), parts: []string{whole[3:10]}},
		{name: "suffix", path: address, headers: ranged("bytes=-4"), status: 206, has: part(n-4, n-1), parts: []string{whole[n-4:]}},
		{name: "suffix longer than the file", path: address, headers: ranged(fmt.Sprintf("bytes=-%d", n+99)), status: 206, has: part(0, n-1), parts: []string{whole}},
		{name: "open end", path: address, headers: ranged("bytes=5-"), status: 206, has: part(5, n-1), parts: []string{whole[5:]}},
		{name: "over the end", path: address, headers: ranged(fmt.Sprintf("bytes=5-%d", n+99)), status: 206, has: part(5, n-1)},
		{name: "beyond the end", path: address, headers: ranged(fmt.Sprintf("bytes=%d-", n)), status: 416, has: map[string]string{"Content-Range": fmt.Sprintf("bytes */%d", n), "Content-Type": problemType, "ETag": ""}},
		{name: "range that cannot be read", path: address, headers: ranged("bytes=9-3"), status: 416},
		{name: "the last 0 bytes", path: address, headers: ranged("bytes=-0"), status: 416, has: map[string]string{"Content-Range": fmt.Sprintf("bytes */%d", n), "Content-Type": problemType}},
		{name: "the last 0 bytes beside a range", path: address, headers: ranged("bytes=3-9, -00"), status: 206, has: part(3, 9)},
		{name: "unit in other case", path: address, headers: ranged("Bytes=3-9"), status: 206, has: part(3, 9)},
		{name: "another unit", path: address, headers: ranged("items=3-9"), status: 200, has: full, parts: []string{whole}},
		{name: "range HEAD", method: "HEAD", path: address, headers: ranged("bytes=3-9"), status: 206, has: part(3, 9)},
		{name: "If-Range good", path: address, headers: ranged("bytes=3-9", "If-Range", tag), status: 206, has: part(3, 9)},
		{name: "If-Range stale", path: address, headers: ranged("bytes=3-9", "If-Range", `"x"`), status: 200, has: full, parts: []string{whole}},
		{name: "If-Range weak", path: address, headers: ranged("bytes=3-9", "If-Range", "W/"+tag), status: 200, has: full},
		{name: "too many ranges", path: address, headers: ranged("bytes=" + strings.Repeat("0-0,", 10000) + "1-1"), status: 200, has: full, parts: []string{whole}},
		{name: "overlapping ranges", path: address, headers: ranged("bytes=0-,0-,0-"), status: 200, has: full},
		{name: "a range is never compressed", path: address, headers: ranged("bytes=3-9", "Accept-Encoding", "gzip, zstd, br"), status: 206, has: part(3, 9), parts: []string{whole[3:10]}},
		{name: "an If-Range of what was compressed", path: address, headers: ranged("bytes=3-9", "Accept-Encoding", "gzip", "If-Range", strings.TrimSuffix(tag, `"`)+`-gzip"`), status: 200, has: full, parts: []string{whole}},
	}
	if ext := path.Ext(strings.Split(address, "?")[0]); strings.Contains(address, "/files/") || ext == ".xlsx" || ext == ".parquet" || ext == ".arrow" {
		list = append(list, scenario{name: "never compressed", path: address, headers: []string{"Accept-Encoding", "gzip, zstd, br"}, status: 200, has: map[string]string{"Content-Encoding": "", "Vary": "", "ETag": tag}, parts: []string{whole}})
	}
	return list
}

// TestManyRanges: two ranges come as multipart/byteranges with the right bytes.
func TestManyRanges(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	status, header, body := p.send(t, scenario{path: "/data/open-lots/1/files/lots.csv", headers: []string{"Range", "bytes=0-5,-3"}})
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if status != 206 || err != nil || kind != "multipart/byteranges" {
		t.Fatalf("%d %v", status, header)
	}
	r := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for _, want := range []string{lots[:6], lots[len(lots)-3:]} {
		part, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(part); string(got) != want {
			t.Errorf("part %q, want %q", got, want)
		}
	}
}

// TestDownloadNames: a hostile or Chinese name stays one header line in both
// forms of RFC 6266 (reliability D01).
func TestDownloadNames(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	address := "/data/open-lots/1/files/%E8%AF%B4%E6%98%8E%20a%22%3Bx%3D.html"
	status, header, body := p.send(t, scenario{raw: address})
	if status != 200 || body != "an attachment" {
		t.Fatalf("%d %s", status, body)
	}
	const want = `attachment; filename="__ a__x=.html"; filename*=UTF-8''%E8%AF%B4%E6%98%8E%20a%22%3Bx%3D.html`
	got := header.Values("Content-Disposition")
	if len(got) != 1 || got[0] != want {
		t.Errorf("Content-Disposition %q, want %q", got, want)
	}
	if header.Get("Content-Type") != "application/octet-stream" || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a stranger's HTML is shown: %v", header)
	}
	p.play(t, []scenario{{name: "table", path: "/data/open-lots/latest/lots.xlsx", status: 200, has: map[string]string{"Content-Disposition": `attachment; filename=open-lots-2-lots.xlsx`}}})

	// Spoken to without a client's help: header lines stay lines.
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /data/open-lots/2/files/a%%0d%%0aSet-Cookie:%%20x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

// TestCompression: lists and pages are compressed for those who can read it; what
// has an ETag is not.
func TestCompression(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	packed := []string{"Accept-Encoding", "gzip"}
	p.play(t, []scenario{
		{name: "rows in gzip", path: "/api/v1/datasets/open-lots/releases/2", headers: packed, status: 200, has: map[string]string{"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}},
		{name: "rows in zstd", path: "/api/v1/datasets/open-lots/releases/2", headers: []string{"Accept-Encoding", "gzip;q=0.5, zstd"}, status: 200, has: map[string]string{"Content-Encoding": "zstd", "Vary": "Accept-Encoding"}},
		{name: "rows plain", path: "/api/v1/datasets/open-lots/releases/2", headers: []string{"Accept-Encoding", "identity"}, status: 200, has: map[string]string{"Content-Encoding": "", "Vary": "Accept-Encoding"}},
		{name: "page", path: "/datasets/open-lots", headers: packed, status: 200, has: map[string]string{"Content-Encoding": "gzip", "Vary": "Accept-Encoding; Cookie"}},
		{name: "small", path: "/healthz", headers: packed, status: 200, has: map[string]string{"Content-Encoding": ""}, parts: []string{"ok"}},
		{name: "with an ETag", path: "/api/v1/datasets/open-lots", headers: packed, status: 200, has: map[string]string{"Content-Encoding": "", "ETag": "*"}, parts: []string{`"slug":"open-lots"`}},
		{name: "download", path: "/data/open-lots/2/lots.csv", headers: packed, status: 200, has: map[string]string{"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}},
	})
}
