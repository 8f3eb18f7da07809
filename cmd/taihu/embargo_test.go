package main

import (
	"archive/zip"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
	"taihu/catalog/store"
)

// embargoCases are the cases E01 to E12 of the design's reliability page: what of a
// release that waits for its time must not be had before it. A case without a test
// says why there is none.
var embargoCases = []struct {
	id, what string
	try      func(e *embargo, t *testing.T)
	why      string
}{
	{"E01", "guessed addresses", (*embargo).guessed, ""},
	{"E02", "search, counts, lists, feeds, statistics, graphs", (*embargo).crawled, ""},
	{"E03", "what the index holds", (*embargo).stores, ""},
	// E02 holds every answer to it: status, headers and body, for slugs, numbers, ids and
	// hashes. Time is not measured, as it never fails a test.
	{"E04", "what is secret answers as what is not there, to who has its bytes too", (*embargo).sameBytes, ""},
	{"E05", "names alone", nil, "E02 looks for names, notes and labels as for cells. That an address is taken is told to stewards who want it for a dataset of their own, as no address is given twice. The portal sends no webhooks and no mail, and has no badges and no pictures of its own"},
	{"E06", "exports and dumps", (*embargo).exportsKept, ""},
	{"E08", "clocks that differ", nil, "one node has one clock: the store's decides"},
	{"E09", "kept refusals", (*embargo).notKept, ""},
	{"E10", "taken back, put off or killed at its time", (*embargo).raced, ""},
	{"E11", "drafts behind a shared proxy", (*embargo).private, ""},
	{"E07", "published at its time", (*embargo).atItsTime, ""}, // after those that want it unpublished
	{"E12", "old releases stay", (*embargo).oldStays, ""},
}

// TestEmbargo: nothing of what is to come is had before its time by any way, and all
// of it after. It plants words in every place that a draft has, on a running portal,
// and looks for them.
func TestEmbargo(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: takes a minute; run without -short")
	}
	e := newEmbargo(t)
	for _, c := range embargoCases {
		if (c.try == nil) == (c.why == "") {
			t.Errorf("%s is neither tried nor explained", c.id)
		}
		if c.try == nil {
			t.Logf("%s %s: %s", c.id, c.what, c.why)
			continue
		}
		t.Run(c.id+" "+c.what, func(t *testing.T) { c.try(e, t) })
	}
}

// secret is a word that stands in one place of what is to come and nowhere else.
type secret struct {
	place, word string
	public      bool // once it is published
}

// downloadCount is what readers of public data add to while the questions are asked.
var downloadCount = regexp.MustCompile(`("download_count":|<dd id="downloads">)[0-9,]+`)

// secretWord is what all secrets look like.
var secretWord = regexp.MustCompile(`kanarie[0-9]{2}x`)

// coming is what a stranger may guess of a release to come, or of what never was.
type coming struct {
	slug, table, attachment string
	draft, first, upload    string   // of the second release of open-lots, the first of slug
	hashes                  []string // of files and tables
}

// embargo is a portal on which a dataset with releases will have another, and a
// dataset that nobody knows its first.
type embargo struct {
	*lotPortal
	q        *portal // its store
	routes   gin.RoutesInfo
	askers   map[string]string // who cannot know → token
	never    coming            // what never was
	real     coming
	secrets  []secret
	before   map[string]answer // of the crawl before there was anything
	old      string            // a table of the release before
	organize string            // id of the organization
}

const (
	waiting = "open-lots" // the dataset that has releases
	newest  = "2"         // the last of them
	oldPath = "/data/" + waiting + "/" + newest + "/lots.csv"
)

func newEmbargo(t *testing.T) *embargo {
	t.Helper()
	e := &embargo{lotPortal: startLots(t)}
	ctx := t.Context()
	var err error
	if e.q, err = openStore(ctx, &Config{Data: e.Data}, discardLog); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.q.close() })
	for _, args := range [][]string{{"user", "add", "reader"}} {
		if out, code := e.command(args...); code != 0 {
			t.Fatal(out)
		}
	}
	out, code := e.command("token", "create", "--user=reader", "--name=test")
	if code != 0 {
		t.Fatal(out)
	}
	e.askers = map[string]string{"nobody": "", "a reader": strings.TrimSpace(out), "another's steward": e.other}
	e.routes = routesOf(t)
	o, err := e.q.store.Organization(ctx, "cgj")
	if err != nil {
		t.Fatal(err)
	}
	e.organize = o.ID
	// Names that are as far from those there are, so that the same ones are near.
	hash := func() string { return fmt.Sprintf("%064x", rand.Uint64()) }
	e.never = coming{slug: "open-lotsz9", table: "lotsz9", attachment: "planz9.txt", draft: catalog.NewID(), first: catalog.NewID(), upload: catalog.NewID(), hashes: []string{hash(), hash(), hash(), hash()}}
	e.before = e.crawl(t, &e.never)
	_, _, e.old = e.send(t, scenario{path: oldPath})
	e.plant(t)
	return e
}

// routesOf is the route table, as a portal of its own has it.
func routesOf(t *testing.T) gin.RoutesInfo {
	t.Helper()
	p, err := openPortal(t.Context(), &Config{Data: t.TempDir(), Queries: 1, QueryMemory: 256, QuerySeconds: 60, IngestMemory: 256, IngestSeconds: 60, MaxUpload: 16, KeptExports: 64}, discardLog)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.close() }()
	h, err := p.handler(isolationBase)
	if err != nil {
		t.Fatal(err)
	}
	return h.(*api.API).Routes()
}

// word makes a secret for a place.
func (e *embargo) word(place string, public bool) string {
	w := fmt.Sprintf("kanarie%02dx", len(e.secrets)+10)
	e.secrets = append(e.secrets, secret{place, w, public})
	return w
}

// plant makes both drafts, with secrets wherever there is a place for a word, and
// gives them a time that is far off.
func (e *embargo) plant(t *testing.T) {
	t.Helper()
	ctx, db, system := t.Context(), e.q.store, catalog.SystemActor
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e.real = coming{slug: "open-lotsq7", table: "lotsq7", attachment: "planq7.txt"}
	both := func(place string) catalog.Text {
		return catalog.Text{Zh: e.word(place+" zh", true), En: e.word(place+" en", true)}
	}
	d := api.DatasetEdit{Slug: e.real.slug, Organization: "cgj", Title: both("title"), Description: both("description"), Keywords: []string{e.word("keyword", true)}, Themes: []string{"transport"},
		Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional, Frequency: "daily", Spatial: e.word("spatial", true), SourceNote: both("source note"), Contact: catalog.Contact{Unit: e.word("contact", true)}, Identifiers: []string{e.word("identifier", true)}}
	_, err := e.client.CreateDataset(ctx, d)
	must(err)

	scheduled := func(slug, kind string) string {
		draft, err := db.CreateDraft(ctx, system, slug, store.DraftEdit{Version: e.word(kind+" version", true), Notes: both(kind + " notes")})
		must(err)
		column := e.word(kind+" column", true)
		rows := fmt.Sprintf("编号,%s,手机\n001,%s,13800138000\n002,%s,13900139000\n", column, e.word(kind+" cell", true), e.word(kind+" other cell", true))
		for name, content := range map[string]string{e.real.table + ".csv": rows, e.real.attachment: e.word(kind+" attachment", true)} {
			_, err = e.client.PutFile(ctx, draft.ID, name, url.Values{}, strings.NewReader(content), int64(len(content)))
			must(err)
		}
		if slug == waiting {
			_, err = db.KeepTables(ctx, system, draft.ID)
			must(err)
		}
		e.checked(t, draft.ID)
		for _, u := range e.checked(t, draft.ID).Unsettled() {
			_, err = db.SettleFindings(ctx, system, draft.ID, u.File, []catalog.Settlement{{Code: u.Code, Table: u.Table, Column: u.Column, Measure: catalog.Accept, Reason: e.word(kind+" reason", false)}})
			must(err)
		}
		title := both(kind + " table title")
		words := store.TableWords{Title: &title, Key: &[]string{"编号"}, Fields: map[string]store.FieldWords{column: {Label: both(kind + " label"), Description: both(kind + " column description"), Unit: e.word(kind+" unit", true),
			Codes: []catalog.Code{{Value: e.word(kind+" code", true), Label: both(kind + " code label")}}, Rules: &catalog.Rules{Required: true, Pattern: "(?:" + e.word(kind+" pattern", true) + ")?.*"}}}}
		must(db.DescribeTable(ctx, system, draft.ID, e.real.table, words))
		e.checked(t, draft.ID)
		_, err = db.Submit(ctx, system, draft.ID, 0)
		must(err)
		comment := e.word(kind+" comment", false)
		_, err = db.Return(ctx, system, draft.ID, comment, []catalog.Remark{{Table: e.real.table, Text: comment}}, 0)
		must(err)
		_, err = db.UpdateDraft(ctx, system, draft.ID, 0, store.DraftEdit{Version: draft.Version, Notes: draft.Notes})
		must(err)
		_, err = db.Submit(ctx, system, draft.ID, 0)
		must(err)
		_, err = db.Approve(ctx, system, draft.ID, 0)
		must(err)
		_, err = db.Schedule(ctx, system, draft.ID, catalog.Now().Add(time.Hour), 0)
		must(err)
		return draft.ID
	}
	e.real.draft, e.real.first = scheduled(waiting, "next"), scheduled(e.real.slug, "first")
	for _, id := range []string{e.real.draft, e.real.first} {
		r, err := db.Draft(ctx, system, id)
		must(err)
		for _, f := range r.Files {
			if f.Name == e.real.table+".csv" {
				e.real.hashes = append(e.real.hashes, f.Blob.SHA256)
			}
		}
		for _, n := range r.Tables {
			if n.Name == e.real.table {
				e.real.hashes = append(e.real.hashes, n.TableSHA256)
			}
		}
	}
	// An upload on its way, into a third draft, as an approved one takes none.
	more, err := db.CreateDraft(ctx, system, e.real.slug, store.DraftEdit{})
	must(err)
	metadata := "filename " + base64.StdEncoding.EncodeToString([]byte(e.word("upload", false)+".csv"))
	_, header, body := e.send(t, scenario{method: http.MethodPost, path: "/api/v1/drafts/" + more.ID + "/uploads", headers: with(bearerOf(e.admin), "Tus-Resumable", "1.0.0", "Upload-Length", "5", "Upload-Metadata", metadata)})
	if e.real.upload = header.Get("Location")[strings.LastIndex(header.Get("Location"), "/")+1:]; len(e.real.upload) != len(e.never.upload) {
		t.Fatalf("no upload: %v %s", header, body)
	}
	e.send(t, scenario{method: http.MethodPost, path: "/api/v1/datasets/" + e.real.slug + "/feedback", headers: append(bearerOf(e.own), "Content-Type", "application/json"), body: `{"message":"` + e.word("feedback", false) + `"}`})
	if len(e.real.hashes) != len(e.never.hashes) {
		t.Fatalf("%d hashes", len(e.real.hashes))
	}
}

// checked waits until a draft's files are read, and wants them accepted.
func (e *embargo) checked(t *testing.T, id string) *catalog.Release {
	t.Helper()
	var r *catalog.Release
	eventually(t, "the files are read", func() bool {
		var err error
		if r, err = e.q.store.Draft(t.Context(), catalog.SystemActor, id); err != nil {
			t.Fatal(err)
		}
		return r.State != catalog.Checking
	})
	if r.State != catalog.Ready {
		t.Fatalf("the draft is %s: %+v", r.State, r.Files[0].Report)
	}
	return r
}

// stranger is what somebody who knows g fills addresses and bodies with.
func (e *embargo) stranger(g *coming) *tenant {
	n := &tenant{o: catalog.Organization{ID: e.organize, Slug: "cgj"}, dataset: &catalog.Dataset{Slug: g.slug}, draft: g.draft, upload: g.upload, canary: g.slug, token: g.first, invited: g.draft}
	n.steward.User = &catalog.User{Login: "own"}
	n.guesses = func(param, before string) []string {
		switch param {
		case ":slug":
			if !strings.Contains(before, "/organizations/") {
				return []string{g.slug, waiting}
			}
		case ":release":
			return []string{"1", newest, "3", "4", "latest", g.draft}
		case ":number":
			if !strings.Contains(before, "/feedback/") {
				return []string{newest, "3", "4", g.draft}
			}
		case ":table":
			return []string{"lots", g.table}
		case ":file":
			list := []string{"lots.csv", g.table + ".csv.manifest.json", g.attachment, g.hashes[0] + ".csv", g.hashes[1] + ".parquet"}
			for _, f := range []string{"csv", "json", "ndjson", "xlsx", "parquet", "tsv", "arrow", "xml", "geojson"} {
				list = append(list, g.table+"."+f)
			}
			return list
		case ":name":
			return []string{"lots.csv", g.table + ".csv", g.attachment, g.hashes[0], g.hashes[2]}
		case ":range":
			return []string{"2...3", "1...3", "2..." + g.draft, "2...draft", "3...4"}
		case ":id":
			if strings.Contains(before, "drafts/") {
				return []string{g.draft, g.first}
			}
		}
		return nil
	}
	return n
}

// more are addresses that no pattern of a route leads to.
func (e *embargo) more(g *coming) []string {
	list := []string{
		"/docs/api", "/docs/steward", "/docs/errors", "/openapi.json", "/openapi.yaml", "/catalog.ttl?page=1", "/catalog.ttl?page=2", "/sitemap.xml?page=1", "/sitemap.xml?page=2", "/api/v1/datasets?limit=100",
		"/api/v1/datasets?organization=cgj", "/api/v1/datasets?theme=transport", "/api/v1/datasets?frequency=daily", "/datasets?organization=cgj", "/en/datasets?theme=transport&sort=-updated",
		"/data/" + waiting + "/3.zip", "/data/" + waiting + "/latest.zip", "/data/" + g.slug + "/1.zip", "/data/" + g.slug + "/latest.zip", "/data/" + waiting + "/latest/lots.csv?where=编号 = 001",
		"/data/" + waiting + "/latest/lots.csv.sha256", "/data/" + g.hashes[0], "/data/blobs/" + g.hashes[0], "/blobs/" + g.hashes[0], "/exports/" + g.hashes[1], "/files/" + g.hashes[2], "/uploads/" + g.upload, "/static/" + g.hashes[0],
		"/api/v1/drafts", "/api/v1/events", "/metrics", "/debug/vars", "/data", "/data/", "/backup", "/blobs/", "/index/documents.log", "/taihu.db",
		"/portal.sql?dataset=" + g.slug, "/portal.sql?dataset=" + waiting, "/datasets/open-lotsq", "/api/v1/datasets/open-lotsq", "/datasets/" + g.slug + "?done=published", "/datasets/" + waiting + "?release=3",
		"/api/v1/datasets/" + waiting + "/diff?from=2&to=3", "/api/v1/datasets/" + waiting + "/diff?from=2&to=" + g.draft, "/api/v1/datasets/" + waiting + "/diff", "/datasets/" + waiting + "/feedback?release=3", "/datasets/" + g.slug + "/feedback",
	}
	for i := range 60 {
		list = append(list, fmt.Sprintf("/api/v1/datasets?q=kanarie%02dx", i+10), fmt.Sprintf("/api/v1/suggest?q=kanarie%02dx", i+10))
		if i%6 == 0 {
			list = append(list, fmt.Sprintf("/datasets?q=kanarie%02dx", i+10), fmt.Sprintf("/en/datasets?q=kanarie%02dx", i+10))
		}
	}
	return append(list, "/api/v1/datasets?q=kanarie", "/api/v1/datasets?q=kan", "/api/v1/suggest?q=kan", "/datasets?q="+waiting)
}

// answer is what came back, without what differs from request to request, the names
// asked for replaced by what they stand for.
type answer struct {
	status       int
	header, body string
	raw          string
}

// crawl asks every route of the portal, and more, in both languages, as everybody who
// may know nothing, with addresses that name g. What is found is kept by what was
// asked for and by whom.
func (e *embargo) crawl(t *testing.T, g *coming) map[string]answer {
	t.Helper()
	n, names := e.stranger(g), g.names()
	found := map[string]answer{}
	keep := func(who string, req *http.Request) {
		key := names.Replace(who + " " + req.Method + " " + req.URL.RequestURI())
		found[key] = e.ask(t, req, e.askers[who], names)
	}
	seen := map[string]bool{}
	for _, lang := range []string{"", "en"} {
		for _, r := range walked(e.routes, lang) {
			if seen[r.Method+r.Path] {
				continue
			}
			seen[r.Method+r.Path] = true
			for _, address := range n.fill(t, r) {
				if slices.Contains(anybodys, r.Method+" "+strings.TrimPrefix(r.Path, "/en")) && strings.Contains(address, "/"+waiting+"/") {
					continue // it would be taken
				}
				for who := range e.askers {
					keep(who, n.request(t, r, address, ""))
				}
			}
		}
	}
	for _, address := range e.more(g) {
		for _, accept := range []string{"text/html", "application/json"} {
			req, err := http.NewRequest(http.MethodGet, isolationBase+encodeQuery(address), nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept", accept)
			keep("nobody", req)
		}
	}
	return found
}

// names replaces what was guessed by what it stands for.
func (g *coming) names() *strings.Replacer {
	spaced := func(id string) string { return strings.ReplaceAll(id, "-", " ") } // as error pages offer it for a search
	list := []string{spaced(g.draft), "«draft»", spaced(g.first), "«first»", spaced(g.upload), "«upload»", g.slug, "«slug»", g.attachment, "«attachment»", g.table, "«table»", g.draft, "«draft»", g.first, "«first»", g.upload, "«upload»", spaced(g.slug), "«words»"}
	for i, h := range g.hashes {
		list = append(list, h, fmt.Sprintf("«hash%d»", i))
	}
	return strings.NewReplacer(list...)
}

var embargoClient = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 300},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask sends a request made for the tests' own address to the portal.
func (e *embargo) ask(t *testing.T, req *http.Request, token string, names *strings.Replacer) answer {
	t.Helper()
	u, err := url.Parse(e.URL)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Scheme, req.URL.Host, req.Host, req.RequestURI = u.Scheme, u.Host, u.Host, ""
	if req.Header.Get("Origin") != "" {
		req.Header.Set("Origin", e.URL)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := embargoClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	id := resp.Header.Get("X-Request-Id")
	if id == "" {
		t.Errorf("%s %s: no request id", req.Method, req.URL)
		id = "«none»"
	}
	var header strings.Builder
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		if name != "Date" && name != "X-Request-Id" && !strings.HasPrefix(name, "Ratelimit") { // what the asker may still ask
			fmt.Fprintf(&header, "%s: %s\n", name, strings.Join(resp.Header[name], ", "))
		}
	}
	clean := func(s string) string {
		return names.Replace(strings.ReplaceAll(downloadCount.ReplaceAllString(s, "$1«count»"), id, "«request»"))
	}
	return answer{resp.StatusCode, clean(header.String()), clean(string(body)), inside(string(body)) + header.String()}
}

// inside is a body with what is in it, where it is a ZIP, such as a workbook.
func inside(body string) string {
	if !strings.HasPrefix(body, "PK") {
		return body
	}
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		return body
	}
	for _, f := range z.File {
		if r, err := f.Open(); err == nil {
			b, _ := io.ReadAll(r)
			body += f.Name + string(b)
			_ = r.Close()
		}
	}
	return body
}

// crawled: every answer is what it was before there was anything to hide, for the
// same question about what never was; and no answer has a secret.
func (e *embargo) crawled(t *testing.T) {
	after := e.crawl(t, &e.real)
	statuses, wrong := map[int]int{}, 0
	for _, key := range slices.Sorted(maps.Keys(after)) {
		a, b := after[key], e.before[key]
		statuses[a.status]++
		for _, w := range secretWord.FindAllString(a.raw, -1) {
			if !strings.Contains(key, w) { // it was asked for
				t.Errorf("%s: the %s is told: %d", key, e.place(w), a.status)
				break
			}
		}
		if (a.status != b.status || a.header != b.header || a.body != b.body) && wrong < 20 {
			wrong++
			t.Errorf("%s differs from what never was: %d, was %d\n%s%s", key, a.status, b.status, difference(b.header, a.header), difference(b.body, a.body))
		}
		if a.status >= 500 {
			t.Errorf("%s: %d", key, a.status)
		}
	}
	if len(after) != len(e.before) {
		t.Errorf("%d questions, before %d", len(after), len(e.before))
	}
	t.Logf("%d questions, each of what is to come and before of what never was: %v", len(after), statuses)
}

func (e *embargo) place(word string) string {
	for _, s := range e.secrets {
		if s.word == word {
			return s.place
		}
	}
	return word
}

// difference shows where two texts part.
func difference(a, b string) string {
	if a == b {
		return ""
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from := max(0, i-100)
	return fmt.Sprintf("was …%.300q\nis  …%.300q\n", a[from:], b[from:])
}

// guessed tries addresses by the thousand: slugs, numbers, ids and names that a
// program would make up from what it knows.
func (e *embargo) guessed(t *testing.T) {
	tries := 2000
	if soak() {
		tries = 50_000
	}
	random := rand.New(rand.NewPCG(7, 11))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	var unlike int
	for range tries {
		slug := pick(e.real.slug, e.real.slug, waiting)
		release := pick("3", "4", fmt.Sprint(random.IntN(100)+3), e.real.draft, e.real.first, "next", "draft", "preview", "embargo", "2026-11-26")
		if slug == e.real.slug {
			release = pick("1", "2", "latest", release)
		}
		name := pick("lots", e.real.table, "readings", e.real.hashes[random.IntN(4)], "kanarie10x", "v"+release)
		address := pick("/data/"+slug+"/"+release+"/"+name+"."+pick("csv", "json", "parquet", "xlsx", "zip", "csv.gz"), "/data/"+slug+"/"+release+".zip", "/data/"+slug+"/"+release+"/files/"+pick(name, name+".csv", e.real.attachment),
			"/api/v1/datasets/"+slug+"/releases/"+release, "/api/v1/datasets/"+slug+"/releases/"+release+"/tables/"+name+"/"+pick("rows", "schema", "profile", "openapi.json"), "/datasets/"+slug+"/releases/"+release, "/en/datasets/"+slug+"/tables/"+e.real.table+"?release="+release)
		req, err := http.NewRequest(pick(http.MethodGet, http.MethodGet, http.MethodHead), isolationBase+encodeQuery(address), nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := e.ask(t, req, "", e.real.names()); a.status != http.StatusNotFound && a.status != http.StatusBadRequest && !(a.status == http.StatusSeeOther && strings.HasSuffix(address, "/latest")) || secretWord.MatchString(strings.ReplaceAll(a.raw, "kanarie10x", "")) {
			if unlike++; unlike < 10 {
				t.Errorf("%s %s: %d\n%.300s", req.Method, address, a.status, a.raw)
			}
		}
	}
}

// sameBytes: another's steward who gives a dataset of his own the very same file is not
// told that somebody has it already, as he would be of what is published.
func (e *embargo) sameBytes(t *testing.T) {
	ctx := t.Context()
	other := &lotPortal{server: e.server, client: client.New(e.URL, e.other)}
	if _, err := other.client.CreateDataset(ctx, editOf("others-lots", "sthj")); err != nil {
		t.Fatal(err)
	}
	r, err := e.q.store.Draft(ctx, catalog.SystemActor, e.real.first)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Files, func(f catalog.File) bool { return f.Name == e.real.table+".csv" })
	b, err := os.ReadFile(filepath.Join(e.Data, "blobs", "sha256", r.Files[i].Blob.SHA256[:2], r.Files[i].Blob.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	for content, known := range map[string]bool{string(b): false, lots + "006,新的,滨湖区,1\n": true} {
		told := false
		for _, f := range other.draft("others-lots", "mine.csv", content).Files {
			for _, x := range f.Report.Findings {
				told = told || x.Code == "duplicate_content"
			}
		}
		if told != known {
			t.Errorf("told that the same content is there: %v, want %v", told, known)
		}
	}
}

// stores: the index holds nothing of what is to come. Meilisearch is given the same
// documents (indexer.NewDocument of store.IndexEntry), so it knows no more.
func (e *embargo) stores(t *testing.T) {
	if e.holds(t, "index") {
		t.Error("the index has a secret")
	}
}

// exportsKept: nothing of it was encoded, and nothing lies where something is served
// from without asking who may have it.
func (e *embargo) exportsKept(t *testing.T) {
	if e.holds(t, "exports") {
		t.Error("an export has a secret")
	}
}

// holds reports whether a file in a folder of the portal has a secret.
func (e *embargo) holds(t *testing.T, folder string) bool {
	t.Helper()
	files, with := 0, 0
	err := filepath.WalkDir(filepath.Join(e.Data, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		if secretWord.MatchString(inside(string(b))) {
			with++
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files below %s: %v", files, folder, err)
	}
	return with > 0
}

// notKept: nobody on the way keeps that something is not there, as it will be.
func (e *embargo) notKept(t *testing.T) {
	for _, path := range []string{"/datasets/" + e.real.slug, "/en/datasets/" + e.real.slug, "/datasets/" + waiting + "/releases/3", "/data/" + waiting + "/3/lots.csv", "/data/" + waiting + "/3.zip", "/data/" + e.real.slug + "/latest/" + e.real.table + ".csv",
		"/api/v1/datasets/" + e.real.slug, "/api/v1/datasets/" + waiting + "/releases/3", "/api/v1/datasets/" + waiting + "/releases/3/tables/lots/rows", "/datasets/" + e.real.slug + "/feed.atom", "/datasets/" + e.real.slug + "/dcat.ttl"} {
		for _, accept := range []string{"text/html", "*/*"} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				status, header, _ := e.send(t, scenario{method: method, path: path, headers: []string{"Accept", accept}})
				if status != http.StatusNotFound || header.Get("Cache-Control") != "no-store" || header.Get("Last-Modified")+header.Get("Expires") != "" {
					t.Errorf("%s %s for %s: %d, Cache-Control %q", method, path, accept, status, header.Get("Cache-Control"))
				}
			}
		}
	}
}

// private: its own people see it, and nothing on their way keeps it.
func (e *embargo) private(t *testing.T) {
	ctx := t.Context()
	if err := e.q.store.SetPassword(ctx, catalog.SystemActor, "own", "a good password"); err != nil {
		t.Fatal(err)
	}
	session, _, err := e.q.store.SignIn(ctx, "own", "a good password")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, path := range []string{"/steward/drafts/" + e.real.draft, "/en/steward/drafts/" + e.real.first, "/api/v1/drafts/" + e.real.draft, "/steward?show=scheduled", "/steward/drafts/" + e.real.draft + "/contract/" + e.real.table,
		"/datasets/" + e.real.slug, "/api/v1/datasets/" + e.real.slug, "/datasets/" + waiting + "/diff/2..." + e.real.draft, "/api/v1/datasets/" + waiting + "/diff?from=2&to=" + e.real.draft, "/steward/datasets/" + e.real.slug, "/api/v1/drafts/" + e.real.draft + "/uploads"} {
		for name, headers := range map[string][]string{"session": {"Cookie", api.SessionCookie + "=" + session}, "token": bearerOf(e.own)} {
			status, header, body := e.send(t, scenario{path: path, headers: with(headers, "Accept", "text/html")})
			if status != http.StatusOK || header.Get("Cache-Control") != "private, no-store" || name == "session" && strings.HasPrefix(header.Get("Content-Type"), "text/html") && !strings.Contains(strings.Join(header.Values("Vary"), ","), "Cookie") {
				t.Errorf("%s with a %s: %d, Cache-Control %q, Vary %q\n%.200s", path, name, status, header.Get("Cache-Control"), header.Values("Vary"), body)
			}
			if secretWord.MatchString(body) {
				shown++
			}
		}
	}
	if shown < 12 {
		t.Errorf("only %d answers show its own people what is to come: the secrets say nothing", shown)
	}
}

// surfaces are where a publication shows, with a word of it.
func (e *embargo) surfaces() map[string]string {
	of := func(place string) string {
		return e.secrets[slices.IndexFunc(e.secrets, func(s secret) bool { return s.place == place })].word
	}
	return map[string]string{
		"/": of("title zh"), "/en": of("title en"), "/datasets?q=" + of("title zh"): e.real.slug, "/api/v1/datasets?q=" + of("next column"): `"slug":"` + waiting + `"`, "/feed.atom": of("title zh"), "/en/feed.atom": of("title en"),
		"/datasets/" + e.real.slug: of("description zh"), "/api/v1/datasets/" + e.real.slug: of("keyword"), "/api/v1/datasets/" + waiting + "/releases/3": of("next notes zh"), "/datasets/" + waiting + "/releases/3": of("next notes zh"),
		"/data/" + e.real.slug + "/latest/" + e.real.table + ".csv": of("first cell"), "/data/" + waiting + "/3/" + e.real.table + ".csv": of("next cell"), "/data/" + waiting + "/3.zip": of("next cell"), "/data/" + waiting + "/latest/files/" + e.real.attachment: of("next attachment"),
		"/sitemap.xml?page=1": "/datasets/" + e.real.slug + "<", "/catalog.csv": of("title zh"), "/catalog.xlsx": of("title zh"), "/catalog.ttl": of("title en"), "/catalog.jsonld": of("title en"), "/portal.sql": e.real.slug, "/datasets/" + e.real.slug + "/dcat.ttl": of("source note en"),
		"/datasets/" + waiting + "/feed.atom": of("next notes zh"), "/api/v1/datasets?limit=100": of("title zh"),
	}
}

// atItsTime: many clients ask for it from a second before on. Nobody has it before
// its time by the portal's clock, and then everybody everywhere.
func (e *embargo) atItsTime(t *testing.T) {
	ctx, db, system := t.Context(), e.q.store, catalog.SystemActor
	surfaces := e.surfaces()
	at := catalog.Now().Add(4 * time.Second)
	for _, id := range []string{e.real.draft, e.real.first} {
		if _, err := db.Unschedule(ctx, system, id, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Schedule(ctx, system, id, at, 0); err != nil {
			t.Fatal(err)
		}
	}
	paths := slices.Sorted(maps.Keys(surfaces))
	first := make([]atomic.Int64, len(paths)) // when each surface showed it first, in ns after the time
	var early, asked atomic.Int64
	var stop atomic.Bool
	var clients sync.WaitGroup
	time.Sleep(time.Until(at.Add(-time.Second)))
	for client := range 200 {
		clients.Go(func() {
			for i := client; !stop.Load(); i++ {
				n := i % len(paths)
				resp, err := embargoClient.Get(e.URL + encodeQuery(paths[n]))
				if err != nil {
					continue // asked again
				}
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				done := catalog.Now()
				asked.Add(1)
				if resp.StatusCode == http.StatusOK && strings.Contains(inside(string(body)), surfaces[paths[n]]) {
					if done.Before(at) {
						early.Add(1)
					}
					first[n].CompareAndSwap(0, max(1, int64(done.Sub(at))))
				}
				time.Sleep(500 * time.Millisecond)
			}
		})
	}
	eventually(t, "it is published", func() bool {
		r, err := db.Draft(ctx, system, e.real.first)
		if err != nil {
			t.Fatal(err)
		}
		o, err := db.Draft(ctx, system, e.real.draft)
		if err != nil {
			t.Fatal(err)
		}
		return r.State == catalog.Published && o.State == catalog.Published
	})
	for n, path := range paths {
		eventually(t, path+" shows it", func() bool { return first[n].Load() > 0 })
	}
	stop.Store(true)
	clients.Wait()
	if early.Load() > 0 {
		t.Errorf("%d answers had it before its time", early.Load())
	}
	for _, id := range []string{e.real.draft, e.real.first} {
		r, err := db.Draft(ctx, system, id)
		if err != nil || r.PublishedAt.Before(at) {
			t.Errorf("published at %v, its time is %v: %v", r.PublishedAt, at, err)
		}
	}
	slowest, where := int64(0), ""
	for n := range paths {
		if first[n].Load() > slowest {
			slowest, where = first[n].Load(), paths[n]
		}
	}
	t.Logf("%d answers to 200 clients, none too early; the last surface showed it %v after its time: %s", asked.Load(), time.Duration(slowest).Round(time.Millisecond), where)

	// All that was planted is there now, so that it was looked for in the right places.
	for _, folder := range []string{"index", "exports"} {
		eventually(t, folder+" has what is published", func() bool { return e.holds(t, folder) })
	}
	var all strings.Builder
	for _, a := range e.crawl(t, &e.real) {
		all.WriteString(a.raw)
	}
	for _, s := range e.secrets {
		if s.public != strings.Contains(strings.ReplaceAll(all.String(), "?q="+s.word, ""), s.word) {
			t.Errorf("published: the %s is public: %v, want %v", s.place, !s.public, s.public)
		}
	}
}

// raced: of what is done to a draft when its time comes one thing happens, and the
// events tell it.
func (e *embargo) raced(t *testing.T) {
	ctx, db, system := t.Context(), e.q.store, catalog.SystemActor
	const rounds = 12
	outcomes := map[string]int{}
	if _, err := e.client.CreateDataset(ctx, editOf("raced-lots", "cgj")); err != nil {
		t.Fatal(err)
	}
	e.release("raced-lots", "lots.csv", lots)
	for round := range rounds {
		id, at := e.kept(t, "raced-lots", 700*time.Millisecond)
		rival, verb := func() error { _, err := db.Unschedule(ctx, system, id, 0); return err }, "draft.unscheduled"
		switch round % 3 {
		case 1:
			rival, verb = func() error { _, err := db.Abandon(ctx, system, id, 0); return err }, "draft.abandoned"
		case 2: // put off
			rival = func() error {
				if _, err := db.Unschedule(ctx, system, id, 0); err != nil {
					return err
				}
				_, err := db.Schedule(ctx, system, id, at.Add(time.Hour), 0)
				return err
			}
		}
		errs := make(chan error, 3)
		for range 2 { // as two runners would
			go func() {
				time.Sleep(time.Until(at))
				errs <- db.PublishDue(ctx, id)
			}()
		}
		time.Sleep(time.Until(at.Add(time.Duration(round-rounds/2) * 12 * time.Millisecond)))
		err := rival()
		for range 2 {
			if err := <-errs; err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if err != nil && catalog.CodeOf(err) != "wrong_state" {
			t.Errorf("round %d: the rival was told %v", round, err)
		}
		r, readErr := db.Draft(ctx, system, id)
		if readErr != nil {
			t.Fatal(readErr)
		}
		verbs := e.verbsSince(t, r, "draft.scheduled")
		outcomes[string(r.State)]++
		switch {
		case err == nil && (r.State == catalog.Published || verbs[0] != verb || round%3 != 2 && len(verbs) != 1):
			t.Errorf("round %d: the rival won, the draft is %s, then happened %v", round, r.State, verbs)
		case err != nil && (r.State != catalog.Published || len(verbs) != 1 || verbs[0] != "release.published" || r.PublishedAt.Before(at)):
			t.Errorf("round %d: the rival lost, the draft is %s, then happened %v", round, r.State, verbs)
		}
		if r.State == catalog.Scheduled { // not to be published in the tests that follow
			if _, err := db.Abandon(ctx, system, id, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.CheckEvents(ctx); err != nil {
		t.Error(err)
	}
	t.Logf("%d races: %v", rounds, outcomes)
}

// kept makes an approved draft of the tables that there are and schedules it.
func (e *embargo) kept(t *testing.T, slug string, after time.Duration) (id string, at time.Time) {
	t.Helper()
	return scheduleKept(t, e.q.store, slug, after)
}

// scheduleKept schedules a draft that keeps the tables of the newest release.
func scheduleKept(t *testing.T, db *store.DB, slug string, after time.Duration) (id string, at time.Time) {
	t.Helper()
	ctx, system := t.Context(), catalog.SystemActor
	r, err := db.CreateDraft(ctx, system, slug, store.DraftEdit{})
	if err == nil {
		_, err = db.KeepTables(ctx, system, r.ID)
	}
	if err == nil {
		_, err = db.Submit(ctx, system, r.ID, 0)
	}
	if err == nil {
		_, err = db.Approve(ctx, system, r.ID, 0)
	}
	at = catalog.Now().Add(after)
	if err == nil {
		_, err = db.Schedule(ctx, system, r.ID, at, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r.ID, at
}

// verbsSince are the events of a draft behind the first of a verb.
func (e *embargo) verbsSince(t *testing.T, r *catalog.Release, verb string) []string {
	t.Helper()
	return verbsSince(t, e.q.store, r, verb)
}

func verbsSince(t *testing.T, db *store.DB, r *catalog.Release, verb string) []string {
	t.Helper()
	events, err := db.Events(t.Context(), r.DatasetID)
	if err != nil {
		t.Fatal(err)
	}
	verbs, begun := []string{}, false
	for _, x := range events {
		if x.Object == r.ID && begun {
			verbs = append(verbs, x.Verb)
		}
		begun = begun || x.Object == r.ID && x.Verb == verb
	}
	return verbs
}

// oldStays: the release before answers the bytes it answered before the new one came,
// and one that is withdrawn says so, and why, where it was.
func (e *embargo) oldStays(t *testing.T) {
	if status, _, body := e.send(t, scenario{path: oldPath}); status != http.StatusOK || body != e.old || !strings.Contains(body, "三阳广场") {
		t.Errorf("%s: %d\n%s, was\n%s", oldPath, status, body, e.old)
	}
	if _, err := e.q.store.Withdraw(t.Context(), catalog.SystemActor, waiting, 3, "下架的理由"); err != nil {
		t.Fatal(err)
	}
	e.play(t, []scenario{
		{name: "withdrawn", path: "/data/" + waiting + "/3/" + e.real.table + ".csv", status: http.StatusGone, parts: []string{"下架的理由"}},
		{name: "its page", path: "/api/v1/datasets/" + waiting + "/releases/3", status: http.StatusOK, parts: []string{"下架的理由"}},
		{name: "latest", path: "/api/v1/datasets/" + waiting + "/releases/latest", status: http.StatusOK, parts: []string{`"number":2`}},
		{name: "what it was", path: oldPath, status: http.StatusOK},
	})
}

// TestKilledAtItsTime kills the portal around the time of a release, or between the
// steps of its publication: it is published once, and by the next start at the latest.
func TestKilledAtItsTime(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: takes a minute; run without -short")
	}
	var h history
	p, c := newProcess(t, &h, "due-lots")
	ctx, system := t.Context(), catalog.SystemActor
	q, err := openStore(ctx, &Config{Data: p.Data}, discardLog)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.close() })
	number := 1
	for _, round := range []struct {
		kill      time.Duration // after its time
		failpoint string
	}{{kill: -50 * time.Millisecond}, {kill: 0}, {kill: 50 * time.Millisecond}, {kill: 1500 * time.Millisecond}, {failpoint: "publish.before_commit"}, {failpoint: "publish.after_commit"}} {
		after := 1200 * time.Millisecond
		if round.failpoint != "" {
			p.kill()
			p.start("TAIHU_FAILPOINT=" + round.failpoint + "=kill")
		}
		id, at := scheduleKept(t, q.store, "due-lots", after)
		if round.failpoint != "" {
			select {
			case <-p.dead:
			case <-time.After(30 * time.Second):
				t.Fatalf("%s was never hit", round.failpoint)
			}
		} else {
			time.Sleep(time.Until(at.Add(round.kill)))
			p.kill()
		}
		r, err := q.store.Draft(ctx, system, id)
		if err != nil || r.State != catalog.Scheduled && r.State != catalog.Published || r.State == catalog.Published && r.PublishedAt.Before(at) {
			t.Fatalf("%+v: killed, the draft is %s, published at %v, its time %v: %v", round, r.State, r.PublishedAt, at, err)
		}
		p.start()
		eventually(t, "it is published after the restart", func() bool {
			if r, err = q.store.Draft(ctx, system, id); err != nil {
				t.Fatal(err)
			}
			return r.State == catalog.Published
		})
		number++
		if verbs := verbsSince(t, q.store, r, "draft.scheduled"); r.Number != number || r.PublishedAt.Before(at) || !slices.Equal(verbs, []string{"release.published"}) {
			t.Errorf("%+v: release %d, want %d, published at %v, its time %v, after the schedule happened %v", round, r.Number, number, r.PublishedAt, at, verbs)
		}
		h.acknowledge("due-lots", number, numbers(0))
	}
	if err := q.store.CheckEvents(ctx); err != nil {
		t.Error(err)
	}
	p.checkInvariants(c, &h, []string{"due-lots"})
}
