package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"taihu/catalog"
)

// byteAddresses are all addresses that give values or bytes of a release.
func byteAddresses(slug, release string) []string {
	base := "/api/v1/datasets/" + slug + "/releases/" + release + "/tables/lots/"
	data := "/data/" + slug + "/" + release + "/"
	return []string{
		data + "lots.csv", data + "lots.json", data + "lots.ndjson", data + "lots.xlsx", data + "lots.parquet",
		data + "lots.csv?where=泊位数 > 100", data + "files/lots.csv", base + "rows", base + "rows?count=1&where=泊位数 > 100", base + "profile",
		"/api/v1/datasets/" + slug + "/diff?from=" + release + "&to=" + release, "/data/" + slug + "/" + release + "..." + release + "/lots.csv",
		"/data/" + slug + "/" + release + ".zip", "/data/" + slug + "/" + release + ".zip?format=parquet",
	}
}

// canary is a value that stands in the tables of all three datasets.
const canary = "三阳广场"

// TestConditionalData: page and schema are open to all, values and bytes to the
// dataset's own organization alone.
func TestConditionalData(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	const schema = "/api/v1/datasets/conditional-lots/releases/latest/tables/lots/schema"
	list := []scenario{
		{name: "schema", path: schema, status: 200, parts: []string{"泊位数"}, lacks: []string{canary, "sha256"}},
		{name: "dataset", path: "/api/v1/datasets/conditional-lots", status: 200, parts: []string{"向城管局申请"}, lacks: []string{canary}},
		{name: "release", path: "/api/v1/datasets/conditional-lots/releases/1", status: 200, lacks: []string{canary, "sha256", "/data/"}},
		{name: "releases", path: "/api/v1/datasets/conditional-lots/releases", status: 200, lacks: []string{canary, "sha256", "/data/"}},
		{name: "page", path: "/datasets/conditional-lots", status: 200, parts: []string{"向城管局申请"}, lacks: []string{canary}},
		{name: "found by its title", path: "/api/v1/datasets?q=停车场", status: 200, parts: []string{"conditional-lots"}, lacks: []string{"closed-lots"}},
		{name: "not found by its values", path: "/api/v1/datasets?q=" + canary, status: 200, lacks: []string{"conditional-lots"}},
	}
	for _, address := range byteAddresses("conditional-lots", "latest") {
		for who, headers := range map[string][]string{"nobody": nil, "another steward": bearerOf(p.other)} {
			list = append(list, scenario{name: "values for " + who + " " + address, path: address, headers: headers, status: 403,
				has: map[string]string{"Content-Type": problemType}, parts: []string{`"conditional_data"`}, lacks: []string{canary}})
		}
		list = append(list, scenario{name: "values for the own steward " + address, path: address, headers: bearerOf(p.own), status: 200},
			scenario{name: "values by HEAD " + address, method: http.MethodHead, path: address, status: 403, has: map[string]string{"ETag": "", "Content-Disposition": ""}},
			scenario{name: "values for who names a tag " + address, path: address, headers: []string{"If-None-Match", "*"}, status: 403},
			scenario{name: "values by range " + address, path: address, headers: []string{"Range", "bytes=0-9"}, status: 403})
	}
	list = append(list, scenario{name: "query", method: "POST", path: strings.Replace(schema, "schema", "query", 1), headers: []string{"Content-Type", "application/json"}, body: `{}`, status: 403, lacks: []string{canary}})
	p.play(t, list)
}

var requestIDs = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// TestClosedIsLikeUnknown: to others a closed dataset answers as one that does
// not exist, byte for byte but the request's id (reliability E04).
func TestClosedIsLikeUnknown(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	const unknown = "nobody-lots" // as long as closed-lots, so that lengths must agree too
	addresses := append(byteAddresses("closed-lots", "latest"), byteAddresses("closed-lots", "1")...)
	addresses = append(addresses, byteAddresses("closed-lots", "7")...)
	addresses = append(addresses, "/datasets/closed-lots", "/en/datasets/closed-lots", "/datasets/closed-lots/releases/1", "/datasets/closed-lots/tables/lots", "/datasets/closed-lots/diff/1...1", "/en/datasets/closed-lots/diff?from=1&to=1",
		"/datasets/closed-lots/feed.atom", "/en/datasets/closed-lots/feed.atom", "/datasets/closed-lots/dcat.ttl", "/datasets/closed-lots/dcat.jsonld", "/portal.sql?dataset=closed-lots",
		"/api/v1/datasets/closed-lots", "/api/v1/datasets/closed-lots/releases", "/api/v1/datasets/closed-lots/releases/latest", "/api/v1/datasets/closed-lots/releases/1/tables/lots/schema",
		"/data/closed-lots/1/no.csv", "/data/closed-lots/1/lots.nothing", "/data/closed-lots/1/lots.csv?where=无 > 1", "/data/closed-lots/1/lots.csv?wher=1")
	for who, headers := range map[string][]string{"nobody": nil, "another steward": bearerOf(p.other)} {
		for _, address := range addresses {
			for _, method := range []string{"GET", "HEAD"} {
				headers := with(headers, "If-None-Match", "*", "Accept", "text/html")
				answer := func(address string) (int, string, string) {
					status, header, body := p.send(t, scenario{method: method, path: address, headers: headers})
					header.Del("Date")
					var lines strings.Builder
					_ = header.Write(&lines)
					clean := func(s string) string {
						return strings.ReplaceAll(requestIDs.ReplaceAllString(s, "id"), unknown, "closed-lots")
					}
					return status, clean(lines.String()), strings.ReplaceAll(clean(body), strings.ReplaceAll(unknown, "-", " "), "closed lots")
				}
				status, header, body := answer(address)
				wantStatus, wantHeader, wantBody := answer(strings.Replace(address, "closed-lots", unknown, 1))
				if status != wantStatus || header != wantHeader || body != wantBody || status < 400 {
					t.Errorf("%s %s for %s: %d, an unknown one %d\n%s\nunknown:\n%s", method, address, who, status, wantStatus, header+body, wantHeader+wantBody)
				}
			}
		}
	}
	p.play(t, []scenario{
		{name: "own steward", path: "/data/closed-lots/latest/lots.csv", headers: bearerOf(p.own), status: 200, has: map[string]string{"Cache-Control": "private, no-store"}, parts: []string{canary}},
		{name: "not in the search", path: "/api/v1/datasets?q=closed", status: 200, lacks: []string{"closed-lots"}},
		{name: "not near a typo", path: "/api/v1/datasets/closed-lot", status: 404, lacks: []string{`"closed-lots"`}},
		{name: "not counted", path: "/api/v1/organizations/cgj", status: 200, parts: []string{`"datasets":2`}},
		{name: "no draft in it for others", method: "POST", path: "/api/v1/datasets/closed-lots/releases", headers: with(bearerOf(p.other), "Content-Type", "application/json"), body: `{}`, status: 404, parts: []string{`"unknown_dataset"`}},
	})
}

// TestDraftsAreInvisible: to others a draft's id is like one that never was, for
// every verb.
func TestDraftsAreInvisible(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	draft := p.draft("open-lots", "lots.csv", lots+"777,秘密车场,滨湖区,1\n")
	var list []scenario
	for _, id := range []string{draft.ID, catalog.NewID()} {
		base := "/api/v1/drafts/" + id
		asJSON := with(bearerOf(p.other), "Content-Type", "application/json")
		for _, c := range []scenario{
			{path: base},
			{method: "PUT", path: base + "/files/lots.csv", body: "a\n1\n"},
			{method: "DELETE", path: base + "/files/lots.csv"},
			{method: "PUT", path: base + "/files/lots.csv/options", body: `{}`},
			{method: "PUT", path: base + "/tables/lots", body: `{}`},
			{method: "POST", path: base + "/keep/lots"},
			{method: "POST", path: base + "/submit"}, {method: "POST", path: base + "/take-back"}, {method: "POST", path: base + "/approve"},
			{method: "POST", path: base + "/schedule", body: `{"publish_at":"2099-01-01T00:00:00Z"}`}, {method: "POST", path: base + "/unschedule"},
			{method: "POST", path: base + "/publish"}, {method: "POST", path: base + "/abandon"}, {method: "POST", path: base + "/return", body: `{"comment":"x"}`},
		} {
			anonymous := c
			c.name, c.headers, c.status, c.parts, c.lacks = c.method+" "+c.path, asJSON, 404, []string{`"unknown_draft"`}, []string{"秘密"}
			anonymous.name, anonymous.headers, anonymous.status, anonymous.lacks = "anonymous "+c.name, []string{"Content-Type", "application/json"}, 401, []string{"秘密"}
			list = append(list, c, anonymous)
		}
	}
	list = append(list,
		scenario{name: "the next number", path: "/data/open-lots/3/lots.csv", status: 404, parts: []string{`"unknown_release"`}},
		scenario{name: "the draft's id as a release", path: "/data/open-lots/" + draft.ID + "/lots.csv", status: 404},
		scenario{name: "releases", path: "/api/v1/datasets/open-lots/releases", status: 200, lacks: []string{draft.ID}},
		scenario{name: "search", path: "/api/v1/datasets?q=秘密车场", status: 200, parts: []string{`"total":0`}},
		scenario{name: "own steward", path: "/api/v1/drafts/" + draft.ID, headers: bearerOf(p.own), status: 200},
		scenario{name: "own steward may not approve", method: "POST", path: "/api/v1/drafts/" + draft.ID + "/approve", headers: bearerOf(p.own), status: 403},
	)
	p.play(t, list)
}

// TestWithdrawalWorksAtOnce: on every layer, stored exports included, and what is
// restored are the same bytes.
func TestWithdrawalWorksAtOnce(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	before := map[string]string{}
	tags := map[string]string{}
	for _, address := range byteAddresses("open-lots", "2") {
		_, header, body := p.send(t, scenario{path: address})
		before[address], tags[address] = body, header.Get("ETag")
	}
	body := `{"reason":"坐标有误"}`
	asJSON := with(bearerOf(p.admin), "Content-Type", "application/json")
	p.play(t, []scenario{
		{name: "not by a steward", method: "POST", path: "/api/v1/datasets/open-lots/releases/2/withdraw", headers: with(bearerOf(p.own), "Content-Type", "application/json"), body: body, status: 403},
		{name: "withdraw", method: "POST", path: "/api/v1/datasets/open-lots/releases/2/withdraw", headers: asJSON, body: body, status: 200},
	})
	var list []scenario
	for address := range before {
		for _, headers := range [][]string{nil, {"If-None-Match", tags[address]}, {"Range", "bytes=0-9"}, bearerOf(p.admin)} {
			list = append(list, scenario{name: "gone " + address + " " + strings.Join(headers, " "), path: address, headers: headers, status: 410,
				has: map[string]string{"Content-Type": problemType}, parts: []string{`"withdrawn"`, "坐标有误"}, lacks: []string{canary}})
		}
	}
	list = append(list,
		scenario{name: "schema", path: "/api/v1/datasets/open-lots/releases/2/tables/lots/schema", status: 410, parts: []string{"坐标有误"}},
		scenario{name: "tombstone", path: "/api/v1/datasets/open-lots/releases/2", status: 200, parts: []string{`"state":"withdrawn"`, "坐标有误", `"tables":[]`, `"files":[]`}},
		scenario{name: "page", path: "/datasets/open-lots/releases/2", headers: []string{"Accept", "text/html"}, status: 410, parts: []string{"坐标有误"}, lacks: []string{canary}},
		scenario{name: "latest is the one that stands", path: "/data/open-lots/latest/lots.csv", status: 200, has: map[string]string{"Content-Location": "/data/open-lots/1/lots.csv"}, lacks: []string{"新的"}},
		scenario{name: "twice", method: "POST", path: "/api/v1/datasets/open-lots/releases/2/withdraw", headers: asJSON, body: body, status: 409},
		scenario{name: "the other too", method: "POST", path: "/api/v1/datasets/open-lots/releases/1/withdraw", headers: asJSON, body: body, status: 200},
		scenario{name: "no latest", path: "/data/open-lots/latest/lots.csv", status: 410},
		scenario{name: "no latest of the API", path: "/api/v1/datasets/open-lots/releases/latest", status: 410},
		scenario{name: "the dataset's page stays and says why", path: "/datasets/open-lots", headers: []string{"Accept", "text/html"}, status: 410, parts: []string{"停车场 open-lots", "坐标有误"}},
		scenario{name: "the dataset stays", path: "/api/v1/datasets/open-lots", status: 200, parts: []string{`"latest":null`}},
		scenario{name: "restore", method: "POST", path: "/api/v1/datasets/open-lots/releases/2/restore", headers: bearerOf(p.admin), status: 200},
	)
	p.play(t, list)
	for address, want := range before {
		_, header, body := p.send(t, scenario{path: address})
		if body != want || header.Get("ETag") != tags[address] {
			t.Errorf("%s: other bytes after it was restored", address)
		}
	}
}

// signIn signs the admin in as a browser would and returns the session cookie.
func (p *lotPortal) signIn(t *testing.T) *http.Cookie {
	t.Helper()
	m := regexp.MustCompile(`with the password\s+(\S+)`).FindStringSubmatch(p.Out.String())
	if m == nil {
		t.Fatal("the password was not printed")
	}
	form := url.Values{"login": {"admin"}, "password": {m[1]}}.Encode()
	_, header, body := p.send(t, scenario{method: "POST", path: "/sign-in", headers: []string{"Content-Type", "application/x-www-form-urlencoded", "Origin", p.URL}, body: form})
	resp := http.Response{Header: header}
	for _, c := range resp.Cookies() {
		if strings.HasSuffix(c.Name, "taihu") {
			return c
		}
	}
	t.Fatalf("no session: %v\n%s", header, body)
	return nil
}

// TestSessionCookieFlags (reliability S05).
func TestSessionCookieFlags(t *testing.T) {
	t.Parallel()
	plain := startLots(t).signIn(t)
	if plain.Name != "taihu" || !plain.HttpOnly || plain.SameSite != http.SameSiteLaxMode || plain.Path != "/" || plain.Domain != "" || plain.Secure {
		t.Errorf("over http: %+v", plain)
	}
	address := freeAddress(t)
	p := &lotPortal{server: start(t, "serve", "--base-url=https://data.example.org", "--listen="+address)}
	p.URL = "http://" + address // as the proxy before it reaches it
	m := regexp.MustCompile(`with the password\s+(\S+)`).FindStringSubmatch(p.Out.String())
	_, header, _ := p.send(t, scenario{method: "POST", path: "/sign-in", headers: []string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"},
		body: url.Values{"login": {"admin"}, "password": {m[1]}}.Encode()})
	cookie := header.Get("Set-Cookie")
	for _, want := range []string{"__Host-taihu=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("over https the cookie lacks %q: %s", want, cookie)
		}
	}
	if strings.Contains(cookie, "Domain") {
		t.Errorf("the cookie names a domain: %s", cookie)
	}
}

// TestCrossSiteRequests: a session is worth nothing to another site, before and
// after anonymous and token traffic (reliability S06), and reading changes nothing.
func TestCrossSiteRequests(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	session := p.signIn(t)
	cookie := []string{"Cookie", session.Name + "=" + session.Value}
	const withdraw = "/api/v1/datasets/open-lots/releases/1/withdraw"
	body := `{"reason":"fälschlich"}`
	attacks := []scenario{
		{name: "other site", method: "POST", path: withdraw, headers: with(cookie, "Content-Type", "application/json", "Sec-Fetch-Site", "cross-site"), body: body, status: 403},
		{name: "neighbour on the same domain", method: "POST", path: withdraw, headers: with(cookie, "Content-Type", "application/json", "Sec-Fetch-Site", "same-site"), body: body, status: 403},
		{name: "other origin", method: "POST", path: withdraw, headers: with(cookie, "Content-Type", "application/json", "Origin", "https://other.example"), body: body, status: 403},
		{name: "origin null", method: "POST", path: withdraw, headers: with(cookie, "Content-Type", "application/json", "Origin", "null"), body: body, status: 403},
		{name: "nothing said", method: "POST", path: withdraw, headers: with(cookie, "Content-Type", "application/json"), body: body, status: 403},
		{name: "other referer", method: "POST", path: withdraw, headers: with(cookie, "Content-Type", "application/json", "Referer", "https://other.example/"), body: body, status: 403},
		{name: "text/plain", method: "POST", path: withdraw, headers: with(cookie, "Content-Type", "text/plain", "Sec-Fetch-Site", "cross-site"), body: body, status: 403},
		{name: "form of a page", method: "POST", path: "/datasets/open-lots/releases/1/withdraw", headers: with(cookie, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"), body: "reason=x", status: 403},
		{name: "sign-out", method: "POST", path: "/sign-out", headers: with(cookie, "Sec-Fetch-Site", "cross-site"), status: 403},
		{name: "sign-in from elsewhere", method: "POST", path: "/sign-in", headers: []string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"}, body: "login=a&password=b", status: 403},
		{name: "DELETE", method: "DELETE", path: "/api/v1/drafts/" + catalog.NewID() + "/files/a.csv", headers: with(cookie, "Sec-Fetch-Site", "cross-site"), status: 403},
		{name: "method override by header", path: withdraw, headers: with(cookie, "X-HTTP-Method-Override", "POST"), status: 405},
		{name: "method override by parameter", raw: "/api/v1/datasets?_method=POST", headers: cookie, status: 400},
		{name: "GET of a verb", path: "/api/v1/datasets/open-lots/releases/1/restore", headers: cookie, status: 405},
		{name: "GET of a page's verb", path: "/datasets/open-lots/releases/1/withdraw", headers: with(cookie, "Accept", "text/html"), status: 405},
		{name: "GET of sign-out", path: "/sign-out", headers: cookie, status: 405},
	}
	p.play(t, attacks)
	p.play(t, []scenario{
		{name: "a posted query of another site's script", method: "POST", path: "/api/v1/datasets/open-lots/releases/1/tables/lots/query", headers: []string{"Content-Type", "application/json", "Sec-Fetch-Site", "cross-site", "Origin", "https://other.example"}, body: `{}`, status: 200, has: map[string]string{"Access-Control-Allow-Origin": "*"}},
		{name: "its preflight", method: "OPTIONS", path: "/api/v1/datasets/open-lots/releases/1/tables/lots/query", headers: []string{"Origin", "https://other.example", "Access-Control-Request-Method", "POST"}, status: 204, has: map[string]string{"Access-Control-Allow-Methods": "POST"}},
		{name: "preflight of a verb", method: "OPTIONS", path: withdraw, headers: []string{"Origin", "https://other.example", "Access-Control-Request-Method", "POST"}, status: 204, has: map[string]string{"Access-Control-Allow-Methods": "GET, HEAD"}},
		{name: "anonymous traffic", path: "/data/open-lots/1/lots.csv", status: 200},
		{name: "token traffic", method: "POST", path: "/api/v1/datasets/open-lots/releases", headers: with(bearerOf(p.admin), "Content-Type", "application/json", "Sec-Fetch-Site", "cross-site"), body: `{}`, status: 201},
	})
	p.play(t, attacks)

	// Every address that can be read is read; the portal is as before.
	state := func() string {
		var b strings.Builder
		for _, path := range []string{"/api/v1/datasets/open-lots", "/api/v1/datasets/open-lots/releases", "/api/v1/organizations"} {
			_, _, body := p.send(t, scenario{path: path, headers: bearerOf(p.admin)})
			b.WriteString(body)
		}
		return b.String()
	}
	before := state()
	for _, path := range []string{"/", "/steward", "/steward/datasets/new", "/steward/datasets/open-lots", "/steward/datasets/open-lots/upload", "/sign-in", "/datasets/open-lots", "/api/v1/datasets/open-lots"} {
		for _, method := range []string{"GET", "HEAD"} {
			if status, _, body := p.send(t, scenario{method: method, path: path, headers: with(cookie, "Sec-Fetch-Site", "cross-site")}); status >= 400 {
				t.Errorf("%s %s: %d %s", method, path, status, body)
			}
		}
	}
	if after := state(); after != before {
		t.Errorf("reading changed the portal:\n%s\n%s", before, after)
	}
	p.play(t, []scenario{
		{name: "own page may", method: "POST", path: withdraw, headers: with(cookie, "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin"), body: body, status: 200},
		{name: "own page of an old browser may", method: "POST", path: "/api/v1/datasets/open-lots/releases/1/restore", headers: with(cookie, "Origin", p.URL), status: 200},
		{name: "signed-in answers are private", path: "/api/v1/datasets", headers: cookie, status: 200, has: map[string]string{"Cache-Control": "private, no-store", "Access-Control-Allow-Credentials": ""}},
	})
}

// TestRowsWalk pages through a table with where and sort and gets each row once,
// in order, while a new release is published under it.
func TestRowsWalk(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	var many strings.Builder
	many.WriteString("编号,组,值\n")
	for i := range 997 {
		many.WriteString(fmt.Sprintf("r000%d,%d,%d\n", i, i%7, i*7919%101))
	}
	if _, err := p.client.CreateDataset(t.Context(), editOf("walk-lots", "cgj")); err != nil {
		t.Fatal(err)
	}
	p.release("walk-lots", "lots.csv", many.String())
	type page struct {
		Rows  []map[string]any
		Next  *string
		Count *int64
	}
	read := func(address string) page {
		t.Helper()
		status, _, body := p.send(t, scenario{path: address})
		var got page
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
			t.Fatalf("%s: %d %v %s", address, status, err, body)
		}
		return got
	}
	const rows = "/api/v1/datasets/walk-lots/releases/latest/tables/lots/rows?where=组 != 3&sort=-值,组&select=编号,值,组,_row"
	all := read(rows + "&limit=10000&count=1")
	if all.Next != nil || all.Count == nil || int(*all.Count) != len(all.Rows) || len(all.Rows) != 997-142 {
		t.Fatalf("%d rows, count %v, next %v", len(all.Rows), all.Count, all.Next)
	}
	var walked []map[string]any
	cursor, first := "", ""
	for n := 0; ; n++ {
		address := rows + "&limit=100"
		if cursor != "" {
			address += "&cursor=" + cursor
		}
		got := read(address)
		walked = append(walked, got.Rows...)
		if n == 2 {
			p.release("walk-lots", "lots.csv", "编号,组,值\nnew,1,1\n")
		}
		if got.Next == nil {
			break
		}
		if cursor = *got.Next; first == "" {
			first = cursor
		}
	}
	if _, err := p.client.CreateDataset(t.Context(), editOf("long-lots", "cgj")); err != nil {
		t.Fatal(err)
	}
	// The same columns under the same number, as a table of another dataset and of its own.
	if _, err := p.client.CreateDataset(t.Context(), editOf("twin-lots", "cgj")); err != nil {
		t.Fatal(err)
	}
	p.release("twin-lots", "lots.csv", strings.Replace(many.String(), "r0000", "twin", 1), "others.csv", strings.Replace(many.String(), "r0000", "other", 1))
	p.release("long-lots", "lots.csv", "编号,说明\n1,"+strings.Repeat("长", 30_000)+"\n2,长\n")
	const long = "/api/v1/datasets/long-lots/releases/1/tables/lots/"
	p.play(t, []scenario{
		{name: "a short next stands in Link", path: long + "rows?sort=说明&limit=1&select=编号", status: 200, has: map[string]string{"Link": "*"}},
		{name: "a long one only in the body", path: long + "rows?sort=-说明&limit=1&select=编号", status: 200, has: map[string]string{"Link": ""}},
	})
	next := read(long + "rows?sort=-说明&limit=1&select=编号").Next
	if next == nil || len(*next) < 90_000 {
		t.Fatalf("next %v", next)
	}
	p.play(t, []scenario{{name: "and goes on in a body", method: "POST", raw: long + "query", headers: []string{"Content-Type", "application/json"},
		body: `{"sort":"-说明","select":"编号","cursor":"` + *next + `"}`, status: 200, parts: []string{`{"rows":[{"编号":"2"}],"next":null}`}}})
	want, _ := json.Marshal(all.Rows)
	got, _ := json.Marshal(walked)
	if string(got) != string(want) {
		t.Errorf("walked %d rows, want %d in the same order", len(walked), len(all.Rows))
	}
	changed := []byte(first)
	changed[len(changed)/2] ^= 1
	other := strings.Replace(rows, "组 != 3", "组 != 4", 1)
	twin := strings.NewReplacer("walk-lots", "twin-lots", "latest", "1").Replace(rows)
	view := strings.NewReplacer("/api/v1", "", "/releases/latest", "", "/rows", "", ",_row", "").Replace(rows)
	ofTwin := read(twin + "&limit=1").Next
	p.play(t, []scenario{
		{name: "a cursor stays on its release", path: rows + "&limit=1&cursor=" + first, status: 200, has: map[string]string{"Content-Location": "*"}, parts: []string{`"r000`}, lacks: []string{"new"}},
		{name: "without one latest is new", path: "/api/v1/datasets/walk-lots/releases/latest/tables/lots/rows", status: 200, parts: []string{"new"}},
		{name: "on another release", path: strings.Replace(rows, "latest", "2", 1) + "&cursor=" + first, status: 400, parts: []string{`"bad_cursor"`}},
		{name: "with another query", path: other + "&cursor=" + first, status: 400, parts: []string{`"bad_cursor"`}},
		{name: "with another dataset's table of the same columns", path: twin + "&cursor=" + first, status: 400, parts: []string{`"bad_cursor"`, "another table"}},
		{name: "with another table of the release", path: strings.Replace(twin, "/lots/", "/others/", 1) + "&cursor=" + *ofTwin, status: 400, parts: []string{`"bad_cursor"`, "another table"}},
		{name: "on its own page", path: "/en" + view + "&cursor=" + first, status: 200, lacks: []string{"another table"}},
		{name: "on another table's page", path: "/en" + strings.Replace(view, "walk-lots", "twin-lots", 1) + "&cursor=" + first, status: 400, parts: []string{"another table"}},
		{name: "changed", path: rows + "&cursor=" + string(changed), status: 400, parts: []string{`"bad_cursor"`}},
		{name: "cut", path: rows + "&cursor=" + first[:len(first)-2], status: 400, parts: []string{`"bad_cursor"`}},
		{name: "made up", path: rows + "&cursor=1", status: 400, parts: []string{`"bad_cursor"`}},
		{name: "of a dataset without that release", path: strings.Replace(rows, "walk-lots", "conditional-lots", 1) + "&cursor=" + first, status: 403},
		{name: "POST query", method: "POST", path: "/api/v1/datasets/walk-lots/releases/1/tables/lots/query", headers: []string{"Content-Type", "application/json"},
			body: `{"where":"组 = 3","sort":"值","limit":2,"count":true,"select":"组"}`, status: 200, parts: []string{`{"rows":[{"组":3},{"组":3}],"next":"`, `"count":142}`}},
	})
}
