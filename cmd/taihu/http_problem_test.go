package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// checkProblem holds an answer to the one shape of errors (RFC 9457).
func checkProblem(t *testing.T, status int, header http.Header, body string) {
	t.Helper()
	var p struct {
		Type, Title, Code, Detail, Instance string
		Status                              int
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("problem: %v\n%s", err, body)
	}
	if p.Status != status || p.Title != http.StatusText(status) && status != 460 || p.Code == "" || p.Detail == "" || p.Type != "/docs/errors/"+p.Code {
		t.Errorf("problem with status %d: %s", status, body)
	}
	if p.Instance == "" || p.Instance != header.Get("X-Request-Id") {
		t.Errorf("instance %q, X-Request-Id %q", p.Instance, header.Get("X-Request-Id"))
	}
	if got := header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a problem's Cache-Control is %q", got)
	}
	for _, name := range []string{"ETag", "Content-Disposition", "Content-Location", "Taihu-Rows"} {
		if got := header.Get(name); got != "" {
			t.Errorf("a problem says %s: %s", name, got)
		}
	}
	needed := map[int]string{401: "WWW-Authenticate", 405: "Allow", 416: "Content-Range", 503: "Retry-After"}
	if name := needed[status]; name != "" && header.Get(name) == "" {
		t.Errorf("status %d without %s", status, name)
	}
}

const problemType = "application/problem+json"

// TestEveryErrorHasOneShape: whatever goes wrong under /api and /data, and
// whoever notices it (router, huma, a handler, net/http), the answer is the same.
func TestEveryErrorHasOneShape(t *testing.T) {
	t.Parallel()
	p := startLots(t, "--max-upload=1")
	problem := map[string]string{"Content-Type": problemType}
	draft := p.draft("open-lots", "lots.csv", lots)
	rows := "/api/v1/datasets/open-lots/releases/2/tables/lots/rows"
	admin, json := bearerOf(p.admin), []string{"Content-Type", "application/json"}
	edit := func(more string) string {
		return `{"slug":"new-lots","organization":"cgj","title":{"zh":"新"},"licence":"CC0-1.0"` + more + `}`
	}
	var list []scenario
	for _, c := range []scenario{
		{name: "unknown dataset names the nearest", path: "/api/v1/datasets/opne-lots", status: 404, parts: []string{`"unknown_dataset"`, `"nearest":["open-lots"]`}},
		{name: "unknown dataset of a download", path: "/data/opne-lots/latest/lots.csv", status: 404, parts: []string{`"nearest":["open-lots"]`}},
		{name: "unknown release names the latest", path: "/data/open-lots/9/lots.csv", status: 404, parts: []string{`"unknown_release"`, `"latest":2`}},
		{name: "release that is no number", path: "/data/open-lots/02/lots.csv", status: 404, parts: []string{`"unknown_release"`}},
		{name: "release below one", path: "/api/v1/datasets/open-lots/releases/0", status: 404, parts: []string{`"unknown_release"`}},
		{name: "unknown table names all and the nearest", path: "/data/open-lots/2/lot.csv", status: 404, parts: []string{`"unknown_table"`, `"tables":["lots"]`, `"nearest":"lots"`}},
		{name: "unknown table of rows", path: "/api/v1/datasets/open-lots/releases/2/tables/lot/rows", status: 404, parts: []string{`"unknown_table"`, `"nearest":"lots"`}},
		{name: "unknown format names all", path: "/data/open-lots/2/lots.xls", status: 404, parts: []string{`"unknown_format"`, `"formats":["csv","json","ndjson","xlsx","parquet","tsv","geojson","arrow","xml"]`, `"nearest":"xlsx"`}},
		{name: "places of a table without", path: "/data/open-lots/2/lots.geojson", status: 400, parts: []string{`"no_coordinates"`, `take json`, `泊位数`}},
		{name: "places of a part without", method: "HEAD", path: "/data/open-lots/2/lots.geojson?select=编号", status: 400},
		{name: "no format", path: "/data/open-lots/2/lots", status: 404, parts: []string{`"unknown_format"`}},
		{name: "unknown file names all", path: "/data/open-lots/2/files/lot.csv", status: 404, parts: []string{`"unknown_file"`, `"lots.csv"`, `"nearest":"lots.csv"`}},
		{name: "unknown column names all and the nearest", path: rows + "?where=泊位 > 3", status: 400, parts: []string{`"unknown_column"`, `泊位数`, `nearest`}},
		{name: "unknown column of a download", path: "/data/open-lots/2/lots.csv?select=名,泊位数", status: 400, parts: []string{`"unknown_column"`, `名称`}},
		{name: "unknown operator names all", path: rows + "?where=泊位数 ~ 3", status: 400, parts: []string{`"bad_where"`, `position`}},
		{name: "text compared with a number", path: rows + "?where=泊位数 = '多'", status: 400},
		{name: "sorting by what is not there", path: "/data/open-lots/2/lots.csv?sort=-泊位", status: 400, parts: []string{`"unknown_column"`}},
		{name: "unknown organization", path: "/api/v1/organizations/cg", status: 404, parts: []string{`"unknown_organization"`}},
		{name: "unknown address of the API", path: "/api/v1/dataset", status: 404, parts: []string{`"not_found"`}},
		{name: "unknown version of the API", path: "/api/v2/datasets", status: 404},
		{name: "unknown address below data", path: "/data/open-lots", status: 404},
		{name: "trailing slash", path: "/api/v1/datasets/", status: 404},
		{name: "wrong method", method: "DELETE", path: "/api/v1/datasets", status: 405, parts: []string{`"method_not_allowed"`}},
		{name: "wrong method of a download", method: "POST", path: "/data/open-lots/2/lots.csv", status: 405},
		{name: "wrong method unheard of", method: "BREW", path: "/api/v1/datasets", status: 405},
		{name: "bad token", path: "/api/v1/datasets", headers: []string{"Authorization", "Bearer nonsense"}, status: 401, parts: []string{`"bad_token"`}},
		{name: "other scheme", path: "/data/open-lots/2/lots.csv", headers: []string{"Authorization", "Basic YTpi"}, status: 401},
		{name: "no token", method: "POST", path: "/api/v1/datasets", headers: json, body: edit(""), status: 401},
		{name: "no token to read a draft", path: "/api/v1/drafts/" + draft.ID, status: 401},
		{name: "not allowed", method: "POST", path: "/api/v1/datasets", headers: with(json, bearerOf(p.other)...), body: edit(""), status: 403},
		{name: "taken slug", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), body: strings.Replace(edit(""), "new-lots", "open-lots", 1), status: 409},
		{name: "reserved slug", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), body: strings.Replace(edit(""), "new-lots", "new", 1), status: 400},
		{name: "bad slug", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), body: strings.Replace(edit(""), "new-lots", "Bad_Slug", 1), status: 400},
		{name: "unknown licence", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), body: strings.Replace(edit(""), "CC0-1.0", "MINE", 1), status: 400},
		{name: "value out of its list", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), body: edit(`,"open_attribute":"secret"`), status: 400},
		{name: "stale row version", method: "PUT", path: "/api/v1/datasets/open-lots", headers: with(json, with(admin, "If-Match", `"v999"`)...), body: strings.Replace(edit(""), `"slug":"new-lots",`, "", 1), status: 412},
		{name: "If-Match that never was", method: "POST", path: "/api/v1/drafts/" + draft.ID + "/submit", headers: with(admin, "If-Match", `"abc"`), status: 412},
		{name: "wrong state", method: "POST", path: "/api/v1/drafts/" + draft.ID + "/publish", headers: admin, status: 409},
		{name: "draft id that is none", path: "/api/v1/drafts/17", headers: admin, status: 400},
		{name: "body that is not JSON", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), body: "{", status: 400, parts: []string{`"invalid_request"`}},
		{name: "no body", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), status: 400},
		{name: "two bodies", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), body: edit("") + edit(""), status: 400},
		{name: "field missing", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), body: `{"slug":"new-lots"}`, status: 400, parts: []string{"organization"}},
		{name: "wrong content type", method: "POST", path: "/api/v1/datasets", headers: with(admin, "Content-Type", "text/plain"), body: edit(""), status: 415, parts: []string{`"unsupported_media_type"`}},
		{name: "form", method: "POST", path: "/api/v1/datasets", headers: with(admin, "Content-Type", "application/x-www-form-urlencoded"), body: "slug=new-lots", status: 415},
		{name: "body over the limit", method: "POST", path: "/api/v1/datasets", headers: with(json, admin...), body: edit(`,"spatial":"` + strings.Repeat("a", 2<<20) + `"`), status: 413, parts: []string{`"too_large"`}},
		{name: "file over the limit", method: "PUT", path: "/api/v1/drafts/" + draft.ID + "/files/big.csv", headers: admin, body: strings.Repeat("a", 1<<20+1), status: 413, parts: []string{`"limit":1048576`}},
		{name: "parameter of the search that is no number", path: "/api/v1/datasets?limit=many", status: 400},
		{name: "limit of the search too high", path: "/api/v1/datasets?limit=101", status: 400},
		{name: "limit of the search too low", path: "/api/v1/datasets?limit=0", status: 400},
		{name: "unknown order of the search", path: "/api/v1/datasets?sort=colour", status: 400, parts: []string{`"bad_sort"`, "-updated"}},
		{name: "cursor of the search made up", path: "/api/v1/datasets?cursor=abc", status: 400, parts: []string{`"bad_cursor"`}},
		{name: "POST query with an unknown field", method: "POST", path: "/api/v1/datasets/open-lots/releases/2/tables/lots/query", headers: json, body: `{"wher":"泊位数 > 3"}`, status: 400, parts: []string{"wher"}},
		{name: "POST query with a high limit", method: "POST", path: "/api/v1/datasets/open-lots/releases/2/tables/lots/query", headers: json, body: `{"limit":10001}`, status: 400},
		{name: "withdrawal without a reason", method: "POST", path: "/api/v1/datasets/open-lots/releases/1/withdraw", headers: with(json, admin...), body: `{}`, status: 400},
		{name: "withdrawal with a blank reason", method: "POST", path: "/api/v1/datasets/open-lots/releases/1/withdraw", headers: with(json, admin...), body: `{"reason":" \t"}`, status: 400},
		{name: "withdrawal of latest", method: "POST", path: "/api/v1/datasets/open-lots/releases/latest/withdraw", headers: with(json, admin...), body: `{"reason":"x"}`, status: 404, parts: []string{"by its number"}},
		{name: "restoration of latest", method: "POST", path: "/api/v1/datasets/open-lots/releases/latest/restore", headers: admin, status: 404, parts: []string{"by its number"}},
		{name: "path with a NUL", raw: "/data/open-lots/2/%00.csv", status: 404},
		{name: "path that climbs", raw: "/data/open-lots/2/files/..%2f..%2ftaihu.db", status: 404},
	} {
		c.has = problem
		list = append(list, c)
	}
	for _, field := range []string{"id", "role", "org_id", "organization_id", "row_version", "published_at", "latest_number", "simulated", "owner", "sha256", "created_at"} {
		list = append(list, scenario{name: "mass assignment of " + field, method: "POST", path: "/api/v1/datasets", headers: with(json, admin...),
			body: edit(`,"` + field + `":1`), status: 400, has: problem, parts: []string{field}})
	}
	p.play(t, list)
}

// TestWrongBodiesAreNotRepeated: what is wrong with a body is said in few words,
// however much is wrong and however large the body is.
func TestWrongBodiesAreNotRepeated(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	var many strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&many, `,"member%d":1`, i)
	}
	for name, body := range map[string]string{
		"many unknown members": `{"where":"泊位数 > 3"` + many.String() + `}`, "one wrong value": `{"limit":"` + strings.Repeat("长", 300_000) + `"}`,
		"a long name": `{"` + strings.Repeat("长", 300_000) + `":1}`, "no object": `[` + strings.Repeat(`1,`, 400_000) + `1]`, "no JSON": strings.Repeat("长", 300_000),
	} {
		t.Run(name, func(t *testing.T) {
			status, header, answer := p.send(t, scenario{method: "POST", raw: "/api/v1/datasets/open-lots/releases/2/tables/lots/query", headers: []string{"Content-Type", "application/json"}, body: body})
			if status != 400 || len(answer) > 10_000 {
				t.Fatalf("%d with %d bytes for %d: %s", status, len(answer), len(body), answer[:min(len(answer), 300)])
			}
			checkProblem(t, status, header, answer)
		})
	}
}

// TestParametersAreStrict: a typo never returns the whole table.
func TestParametersAreStrict(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	for _, at := range []struct{ name, address, known string }{
		{"download", "/data/open-lots/2/lots.csv", "where"},
		{"rows", "/api/v1/datasets/open-lots/releases/2/tables/lots/rows", "where"},
		{"search", "/api/v1/datasets", "theme"},
		{"schema", "/api/v1/datasets/open-lots/releases/2/tables/lots/schema", ""},
		{"release", "/api/v1/datasets/open-lots/releases/2", ""},
		{"original", "/data/open-lots/2/files/lots.csv", ""},
		{"organizations", "/api/v1/organizations", ""},
	} {
		t.Run(at.name, func(t *testing.T) {
			list := []scenario{
				{name: "unknown", raw: at.address + "?wherre=1", status: 400, parts: []string{`"unknown_parameter"`, `"parameter":"wherre"`}},
				{name: "unknown without a value", raw: at.address + "?debug", status: 400, parts: []string{`"unknown_parameter"`}},
				{name: "column as a parameter", path: at.address + "?区县=滨湖区", status: 400, parts: []string{`"unknown_parameter"`}},
				{name: "other case", raw: at.address + "?Limit=5", status: 400},
				{name: "name that is not encoded well", raw: at.address + "?%zz=1", status: 400, parts: []string{`"bad_parameter"`}},
				{name: "semicolon between pairs", raw: at.address + "?x=1;y=2", status: 400},
			}
			if at.known != "" {
				list = append(list,
					scenario{name: "repeated", raw: at.address + "?limit=1&limit=1", status: 400, parts: []string{`"repeated_parameter"`, `"parameter":"limit"`}},
					scenario{name: "repeated in other writing", raw: at.address + "?limit=1&%6cimit=1", status: 400, parts: []string{`"repeated_parameter"`}},
					scenario{name: "value that is not encoded well", raw: at.address + "?" + at.known + "=%zz", status: 400, parts: []string{`"bad_parameter"`}},
					scenario{name: "semicolon after a limit", raw: at.address + "?limit=5;" + at.known + "=x", status: 400},
					scenario{name: "nearest", raw: at.address + "?" + at.known + "x=1", status: 400, parts: []string{`"nearest":"` + at.known + `"`}},
				)
			}
			p.play(t, list)
		})
	}
	for body, code := range map[string]string{
		`{"where":""}`: "bad_parameter", `{"where":" ","limit":1}`: "bad_parameter", `{"select":""}`: "bad_parameter", `{"cursor":""}`: "bad_parameter",
		`{"where":"泊位数 > 100","where":"泊位数 > 0"}`: "repeated_parameter", `{"where":"泊位数 > 100","Where":""}`: "repeated_parameter",
		`{"wherre":"泊位数 > 100"}`: "invalid_request",
	} {
		p.play(t, []scenario{{name: "body " + body, method: "POST", raw: "/api/v1/datasets/open-lots/releases/2/tables/lots/query", headers: []string{"Content-Type", "application/json"},
			body: body, status: 400, parts: []string{`"code":"` + code + `"`}}})
	}
	p.play(t, []scenario{
		{name: "null is not given", method: "POST", raw: "/api/v1/datasets/open-lots/releases/2/tables/lots/query", headers: []string{"Content-Type", "application/json"},
			body: `{"where":"泊位数 > 400","cursor":null}`, status: 200, parts: []string{`"001"`}, lacks: []string{`"002"`}},
		{name: "empty where", raw: "/data/open-lots/2/lots.csv?where=", status: 400, parts: []string{`"bad_parameter"`}},
		{name: "empty where without a sign", raw: "/api/v1/datasets/open-lots/releases/2/tables/lots/rows?where", status: 400},
		{name: "empty limit", raw: "/data/open-lots/2/lots.csv?limit=", status: 400},
		{name: "blank where", raw: "/data/open-lots/2/lots.csv?where=%20", status: 400},
		{name: "empty fields of a search form", raw: "/api/v1/datasets?q=&organization=&theme=&sort=", status: 200},
		{name: "limit below one", raw: "/data/open-lots/2/lots.csv?limit=0", status: 400, parts: []string{`"bad_limit"`}},
		{name: "limit above the cap of rows", raw: "/api/v1/datasets/open-lots/releases/2/tables/lots/rows?limit=10001", status: 400, parts: []string{`"bad_limit"`, "10000"}},
		{name: "limit at the cap", raw: "/api/v1/datasets/open-lots/releases/2/tables/lots/rows?limit=10000", status: 200},
		{name: "limit that overflows", raw: "/data/open-lots/2/lots.csv?limit=99999999999999999999", status: 400},
		{name: "count that is no switch", raw: "/api/v1/datasets/open-lots/releases/2/tables/lots/rows?count=yes", status: 400},
		{name: "group comes later", raw: "/data/open-lots/2/lots.csv?group=x", status: 400},
		{name: "bare semicolon inside a text", raw: "/api/v1/datasets/open-lots/releases/2/tables/lots/rows?select=%E7%BC%96%E5%8F%B7&where=%E5%90%8D%E7%A7%B0%3D%27%E7%94%B2;%E4%B9%99%27",
			status: 200, parts: []string{`"004"`}, lacks: []string{`"001"`}},
		{name: "bare semicolon inside a text of a download", raw: "/data/open-lots/2/lots.csv?where=%E5%90%8D%E7%A7%B0%3D%27%E7%94%B2;%E4%B9%99%27",
			status: 200, parts: []string{"004"}, lacks: []string{"001"}},
		{name: "pages ignore what they do not know", raw: "/datasets?utm_source=x&q=a;b", status: 200},
		{name: "dataset page ignores what it does not know", raw: "/datasets/open-lots?fbclid=x", status: 200},
		{name: "explorer ignores what it does not know", raw: "/datasets/open-lots/tables/lots?fbclid=x", status: 200},
	})
}
