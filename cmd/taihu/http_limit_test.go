package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

const lotRows = "/api/v1/datasets/open-lots/releases/2/tables/lots/rows"

// refused asks what costs a query until the budget refuses it; what filled up in
// the meantime is spent so. ask gets the number of the try, to ask for something
// new each time.
func (p *lotPortal) refused(t *testing.T, name string, ask func(try int) scenario) (http.Header, string) {
	t.Helper()
	for try := range 30 {
		status, header, body := p.send(t, ask(try))
		switch status {
		case http.StatusTooManyRequests:
			return header, body
		case http.StatusOK:
		default:
			t.Fatalf("%s: %d\n%s", name, status, body)
		}
	}
	t.Fatalf("%s is never refused", name)
	return nil, ""
}

// TestBudgets: what costs a query child is counted, told in headers and refused
// when it is too much; what costs none never is.
func TestBudgets(t *testing.T) {
	p := startLots(t, "--anonymous-queries=10", "--key-queries=50")
	kept := "/data/open-lots/2/lots.csv?where=泊位数 > 30"
	p.play(t, []scenario{
		{name: "a page of rows", path: lotRows, status: 200, has: map[string]string{"RateLimit-Policy": `"anon";q=10;w=60`, "RateLimit": `"anon";r=9;t=60`}},
		{name: "wrong parameters tell it too", path: lotRows + "?wher=x", status: 400, has: map[string]string{"RateLimit-Policy": `"anon";q=10;w=60`, "RateLimit": "*", "Access-Control-Expose-Headers": "*"}},
		{name: "a filtered export", path: kept, status: 200, has: map[string]string{"RateLimit": "*"}},
		{name: "the explorer", path: "/datasets/open-lots/tables/lots", headers: []string{"Accept", "text/html"}, status: 200, has: map[string]string{"RateLimit": "*"}},
		{name: "a whole table", path: "/data/open-lots/2/lots.csv", status: 200, has: map[string]string{"RateLimit": "", "RateLimit-Policy": ""}},
		{name: "what costs nothing", path: "/api/v1/datasets/open-lots", status: 200, has: map[string]string{"RateLimit": ""}},
	})
	eventually(t, "the filtered export is kept", func() bool {
		status, _, _ := p.send(t, scenario{path: kept, method: http.MethodHead})
		_, header, _ := p.send(t, scenario{path: kept, headers: []string{"Range", "bytes=0-1"}})
		return status == 200 && header.Get("Taihu-Sha256") != ""
	})

	costly := []struct {
		name string
		ask  func(try int) scenario
	}{
		{"rows", func(int) scenario { return scenario{path: lotRows} }},
		{"a query in a body", func(int) scenario {
			return scenario{method: http.MethodPost, path: strings.TrimSuffix(lotRows, "rows") + "query", headers: []string{"Content-Type", "application/json"}, body: `{"limit":1}`}
		}},
		{"a filtered export", func(try int) scenario { return scenario{path: fmt.Sprint("/data/open-lots/2/lots.csv?limit=", try+1)} }},
		{"a part of one", func(try int) scenario {
			return scenario{path: fmt.Sprint("/data/open-lots/2/lots.json?limit=", try+1), headers: []string{"Prefer", "respond-async"}}
		}},
		{"an estimate", func(try int) scenario {
			return scenario{path: fmt.Sprintf("/data/open-lots/2/lots.csv?estimate=1&where=泊位数 > %d", try+100)}
		}},
		{"a manifest of what is not kept", func(try int) scenario {
			return scenario{path: fmt.Sprintf("/data/open-lots/2/lots.csv.manifest.json?where=泊位数 > %d", try+100)}
		}},
		{"the explorer", func(int) scenario {
			return scenario{path: "/datasets/open-lots/tables/lots", headers: []string{"Accept", "text/html"}}
		}},
	}
	for _, c := range costly {
		header, body := p.refused(t, c.name, c.ask)
		if n, err := strconv.Atoi(header.Get("Retry-After")); err != nil || n < 1 || n > 6 || !strings.HasPrefix(header.Get("RateLimit"), `"anon";r=0;t=`) {
			t.Errorf("%s: Retry-After %q, RateLimit %q", c.name, header.Get("Retry-After"), header.Get("RateLimit"))
		}
		if !strings.Contains(body, "rate_limited") && c.name != "the explorer" || header.Get("ETag") != "" {
			t.Errorf("%s: ETag %q\n%s", c.name, header.Get("ETag"), body)
		}
	}
	_, header, _ := p.send(t, scenario{path: kept})
	tag := header.Get("ETag")
	forged := []string{"X-Forwarded-For", "198.51.100.1"}
	if header, _ := p.refused(t, "an address made up", func(int) scenario { return scenario{path: lotRows, headers: forged} }); header.Get("RateLimit") == "" {
		t.Error("a made-up address has a budget of its own")
	}
	p.play(t, []scenario{ // all of it while the budget is empty
		{name: "whole table", path: "/data/open-lots/2/lots.csv", status: 200},
		{name: "whole table, another format", path: "/data/open-lots/2/lots.ndjson", status: 200},
		{name: "part of it", path: "/data/open-lots/2/lots.csv", headers: []string{"Range", "bytes=0-3"}, status: 206},
		{name: "original", path: "/data/open-lots/2/files/lots.csv", status: 200, has: map[string]string{"RateLimit": ""}},
		{name: "kept export", path: kept, status: 200, has: map[string]string{"RateLimit-Policy": "*"}},
		{name: "part of a kept export", path: kept, headers: []string{"Range", "bytes=0-3"}, status: 206},
		{name: "its head", method: http.MethodHead, path: kept, status: 200},
		{name: "unchanged", path: kept, headers: []string{"If-None-Match", tag}, status: 304},
		{name: "estimate of what is kept", path: kept + "&estimate=1", status: 200},
		{name: "manifest of a whole table that is kept", path: "/data/open-lots/2/lots.csv.manifest.json", status: 200},
		{name: "head of what is not kept", method: http.MethodHead, path: "/data/open-lots/2/lots.csv?limit=4&sort=名称", status: 200},
		{name: "a dataset's page", path: "/datasets/open-lots", headers: []string{"Accept", "text/html"}, status: 200},
		{name: "a key has its own", path: lotRows, headers: []string{"Authorization", "Bearer " + p.admin}, status: 200, has: map[string]string{"RateLimit-Policy": `"key";q=50;w=60`}},
	})
}

// TestTrustedProxyNamesTheClient: behind a proxy we know, each reader has a budget
// of his own.
func TestTrustedProxyNamesTheClient(t *testing.T) {
	p := startLots(t, "--anonymous-queries=1", "--trusted-proxies=127.0.0.1")
	from := func(address string) func(int) scenario {
		return func(int) scenario {
			return scenario{path: lotRows, headers: []string{"X-Forwarded-For", address}}
		}
	}
	p.refused(t, "one reader", from("198.51.100.1"))
	p.refused(t, "one household", from("2001:db8:1:2::7"))
	status, _, _ := p.send(t, from("198.51.100.2")(0))
	again, _, _ := p.send(t, from("2001:db8:1:3::7")(0))
	if status != 200 || again != 200 {
		t.Errorf("others are answered %d and %d", status, again)
	}
}

// TestLimitsArePublished: the numbers in force, as JSON and in the docs.
func TestLimitsArePublished(t *testing.T) {
	p := start(t, "serve", "--anonymous-queries=1234", "--key-queries=0", "--queries=6", "--query-cost=777")
	p.play(t, []scenario{
		{name: "JSON", path: "/api/v1/limits", status: 200, parts: []string{`"queries_per_minute":{"anonymous":1234,"key":0}`, `"running":6,"running_per_client":3`, `"page_cost_millions":777,"export_cost_millions":7770`, `"page_seconds":20`}},
		{name: "docs", path: "/en/docs/api", status: 200, parts: []string{"<td>1,234</td>", "<td>no limit</td>", "<td>6; 3</td>", "<td>777; 7,770</td>"}, lacks: []string{"{limits"}},
		{name: "docs in Chinese", path: "/docs/api", status: 200, parts: []string{"<td>1,234</td>", "<td>不限</td>", "<td>6；3</td>"}, lacks: []string{"{limits"}},
	})
}
