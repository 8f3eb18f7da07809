package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"taihu/api"
	"taihu/catalog"
)

// secretPeople is a list with personal information: 18 digits, a phone, a name
// that stands nowhere else, and the name of a column to be dropped.
const secretPeople = "密级姓名,证件,电话,单位\n诸葛秘密,320299199001010015,13800138000,滨湖区\n欧阳机要,11010519491231002X,13912345678,梁溪区\n上官隐姓,440305198506071235,13812340000,滨湖区\n"

var secretWords = []string{"诸葛秘密", "320299199001010015", "11010519491231002X", "13800138000", "13912345678", "密级姓名"}

// TestNothingOfWhatWasMaskedIsReachable publishes a list of people, one column
// dropped and two masked, and asks every address a reader can find for what was
// taken out, signed in and not: no byte of it comes.
func TestNothingOfWhatWasMaskedIsReachable(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	draft := p.draft("open-lots", "people.csv", secretPeople)
	if draft.State != catalog.Ready || len(draft.Unsettled) != 3 {
		t.Fatalf("the draft is %s with %+v to settle", draft.State, draft.Unsettled)
	}
	// Through the API, the page and the command line alike it cannot be submitted.
	p.play(t, []scenario{{name: "submit", method: http.MethodPost, path: "/api/v1/drafts/" + draft.ID + "/submit", headers: bearerOf(p.admin), status: 409, parts: []string{"unsettled_findings", "personal_id", `"column":"证件"`, "mask"}}})
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(secretPeople), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := p.command("check", file); code != exitUnsettled || !strings.Contains(out, "to settle: personal_id:证件") {
		t.Errorf("check ends with %d: %s", code, out)
	}
	if out, code := p.command("publish", "open-lots", file, "--server="+p.URL, "--token="+p.admin); code != exitUnsettled || !strings.Contains(out, "to settle: personal_id:证件") {
		t.Errorf("publish ends with %d: %s", code, out)
	}

	decisions := []api.FindingDecision{}
	for _, u := range draft.Unsettled {
		d := api.FindingDecision{Code: u.Code, Table: u.Table, Column: u.Column, Measure: "mask"}
		if u.Column == "密级姓名" {
			d.Measure = "drop"
		}
		decisions = append(decisions, d)
	}
	now := p.settle(draft.ID, "people.csv", decisions...)
	for _, verb := range []string{"submit", "approve", "publish"} {
		if _, err := p.client.Act(t.Context(), draft.ID, verb); err != nil {
			t.Fatalf("%s: %v, %+v", verb, err, now.Unsettled)
		}
	}
	p.idle()

	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(secretPeople)))
	// The addresses: pages in both languages, every download of every table, what
	// the answers link to, the catalogue and its feeds.
	seen := map[string]bool{}
	todo := []string{"/", "/en/", "/datasets", "/datasets/open-lots", "/en/datasets/open-lots", "/datasets/open-lots/releases/3", "/datasets/open-lots/tables/people", "/api/v1/datasets/open-lots", "/api/v1/datasets/open-lots/releases",
		"/api/v1/datasets/open-lots/releases/latest", "/data/open-lots/latest.zip", "/data/open-lots/3.zip?format=parquet", "/data/open-lots/latest/files/people.csv", "/catalog.csv", "/catalog.json", "/catalog.ttl", "/catalog.jsonld", "/portal.sql", "/feed.atom", "/sitemap.xml",
		"/datasets?q=%E8%AF%B8%E8%91%9B%E7%A7%98%E5%AF%86", "/data/open-lots/latest/people.csv?where=" + "%E8%AF%81%E4%BB%B6+like+%27320299199001010015%27"}
	for _, format := range []string{"csv", "tsv", "json", "ndjson", "xlsx", "parquet", "arrow", "xml"} {
		todo = append(todo, "/data/open-lots/latest/people."+format, "/data/open-lots/3/people."+format)
	}
	asked := 0
	for len(todo) > 0 && asked < 400 {
		path := todo[0]
		todo = todo[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		for _, headers := range [][]string{nil, bearerOf(p.admin)} {
			asked++
			_, _, body := p.send(t, scenario{method: http.MethodGet, raw: path, headers: headers})
			for _, text := range unpacked([]byte(body)) {
				for _, word := range append(secretWords, sum) {
					if strings.Contains(text, word) && !strings.Contains(path, "?q=") && !strings.Contains(path, "where=") {
						t.Errorf("%s (signed in: %t) gives %q", path, headers != nil, word)
					}
				}
			}
			for _, link := range linksIn(body) {
				link = strings.TrimPrefix(link, p.URL)
				if strings.HasPrefix(link, "/") && strings.Contains(link, "open-lots") && !strings.Contains(link, "/1") && !strings.Contains(link, "/2") {
					todo = append(todo, strings.ReplaceAll(link, "&amp;", "&"))
				}
			}
		}
	}
	t.Logf("%d requests", asked)
	p.play(t, []scenario{
		{name: "masked", path: "/data/open-lots/latest/people.csv", status: 200, parts: []string{"3202**********0015", "138****8000"}},
		{name: "page says so", path: "/datasets/open-lots", status: 200, parts: []string{`id="withheld"`}},
		{name: "original", path: "/data/open-lots/latest/files/people.csv", status: 404, parts: []string{"withheld_files"}},
	})

	// The next release is masked by default.
	next := p.draft("open-lots", "people.csv", secretPeople+"夏侯新人,510104199901011234,13700001111,新吴区\n")
	if len(next.Unsettled) != 0 || !next.Files[0].Withheld {
		t.Errorf("the next release has %+v to settle", next.Unsettled)
	}
}

var linkForm = regexp.MustCompile(`(?:href|src|action)="([^"]+)"|"(https?://[^"]+)"`)

// linksIn lists the addresses in a page or a JSON answer.
func linksIn(body string) []string {
	var list []string
	for _, m := range linkForm.FindAllStringSubmatch(body, -1) {
		list = append(list, m[1]+m[2])
	}
	return list
}

// unpacked gives bytes as they are and, of archives, what is inside.
func unpacked(b []byte) []string {
	texts := []string{string(b)}
	if r, err := zip.NewReader(bytes.NewReader(b), int64(len(b))); err == nil {
		for _, f := range r.File {
			if m, err := f.Open(); err == nil {
				inner, _ := io.ReadAll(m)
				_ = m.Close()
				texts = append(texts, f.Name)
				texts = append(texts, unpacked(inner)...)
			}
		}
	}
	if r, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
		inner, _ := io.ReadAll(r)
		texts = append(texts, string(inner))
	}
	return texts
}
