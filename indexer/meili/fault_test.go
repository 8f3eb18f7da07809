package meili

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meilisearch/meilisearch-go"

	"taihu/catalog"
	"taihu/indexer"
	"taihu/indexer/indextest"
)

const secretKey = "a-key-that-must-not-be-seen"

// faulty opens an index on a server that handler plays.
func faulty(t *testing.T, handler http.HandlerFunc) *Index {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	x := Open(Config{URL: server.URL, Key: secretKey, SearchTimeout: 2 * time.Second, ChangeTimeout: 2 * time.Second})
	t.Cleanup(func() { x.Close() })
	return x
}

func noDocuments() iter.Seq2[indexer.Document, error] {
	return func(func(indexer.Document, error) bool) {}
}

// calls are all that an Index can be asked.
func calls(x *Index) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"search":   func(ctx context.Context) error { _, err := x.Search(ctx, indexer.Query{Text: "水"}); return err },
		"put":      func(ctx context.Context) error { return x.Put(ctx, indextest.Documents()[0]) },
		"delete":   func(ctx context.Context) error { return x.Delete(ctx, indextest.ID(0)) },
		"versions": func(ctx context.Context) error { _, err := x.Stamps(ctx); return err },
		"rebuild":  func(ctx context.Context) error { return x.Rebuild(ctx, noDocuments(), nil) },
		"ping":     x.Ping,
		"suggest":  func(ctx context.Context) error { _, err := x.Suggest(ctx, "水", "zh", 5); return err },
		"synonyms": func(ctx context.Context) error { return x.SetSynonyms(ctx, indexer.Synonyms{{"停车场", "泊车"}}) },
		"rollback": x.Rollback,
		"canary":   func(ctx context.Context) error { _, err := x.Canary(ctx); return err },
	}
}

func wantUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	if catalog.KindOf(err) != catalog.Unavailable || catalog.CodeOf(err) != "search_unavailable" {
		t.Errorf("%s: got %v, want search_unavailable", what, err)
	}
	if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), secretKey) {
		t.Errorf("%s: the error shows the key: %v", what, err)
	}
}

func TestServerDown(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	for name, call := range calls(Open(Config{URL: server.URL, Key: secretKey})) {
		wantUnavailable(t, name, call(t.Context()))
	}
}

func TestServerAnswersWithErrors(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"overloaded":   {503, `{"message":"too many","code":"too_many_search_requests","type":"system","link":""}`},
		"wrong key":    {403, `{"message":"The provided API key is invalid.","code":"invalid_api_key","type":"auth","link":""}`},
		"proxy":        {502, `<html>bad gateway</html>`},
		"disk full":    {500, `{"message":"no space","code":"no_space_left_on_device","type":"system","link":""}`},
		"not json":     {200, `<html>another program</html>`},
		"cut short":    {200, `{"results":[`},
		"no such page": {404, `not found`},
	} {
		x := faulty(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(answer.status)
			_, _ = io.WriteString(w, answer.body)
		})
		for call, run := range calls(x) {
			if err := run(t.Context()); err == nil {
				t.Errorf("%s, %s: no error", name, call)
			} else if answer.status >= 500 || answer.status == 403 {
				wantUnavailable(t, name+", "+call, err)
			}
		}
	}
}

func TestMissingIndexIsUnavailable(t *testing.T) {
	x := faulty(t, noIndex)
	_, err := x.Search(t.Context(), indexer.Query{})
	wantUnavailable(t, "search", err)
	wantUnavailable(t, "ping", x.Ping(t.Context()))
	if versions, err := x.Stamps(t.Context()); err != nil || len(versions) != 0 {
		t.Errorf("versions: %v, %v", versions, err)
	}
}

// TestAnIndexBeingMadeIsUnavailable: it is there before its settings are.
func TestAnIndexBeingMadeIsUnavailable(t *testing.T) {
	x := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"message":"Invalid facet distribution: this index does not have configured filterable attributes.","code":"invalid_search_facets","type":"invalid_request","link":""}`)
	})
	_, err := x.Search(t.Context(), indexer.Query{Facets: true})
	wantUnavailable(t, "search", err)
}

func noIndex(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/health":
		_, _ = io.WriteString(w, `{"status":"available"}`)
		return
	case "/version":
		_, _ = io.WriteString(w, newVersion)
		return
	}
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"message":"Index not found.","code":"index_not_found","type":"invalid_request","link":""}`)
}

const newVersion = `{"commitSha":"","commitDate":"","pkgVersion":"1.43.1"}`

// TestOldServer holds that a server with known holes is refused before anything is
// sent to it.
func TestOldServer(t *testing.T) {
	for version, refused := range map[string]bool{"1.43.0": true, "1.9.12": true, "0.30.5": true, "": true, "1.43.1": false, "1.100.0": false, "2.0.0": false} {
		var changes atomic.Int32
		x := faulty(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			switch {
			case r.URL.Path == "/version":
				_, _ = fmt.Fprintf(w, `{"pkgVersion":%q}`, version)
			case r.Method == http.MethodGet:
				_, _ = io.WriteString(w, `{"status":"available","results":[]}`)
			default:
				changes.Add(1)
				w.WriteHeader(http.StatusInternalServerError)
			}
		})
		if !refused {
			if err := x.Ping(t.Context()); err != nil {
				t.Errorf("%s: %v", version, err)
			}
			continue
		}
		all := calls(x)
		for _, name := range []string{"ping", "put", "rebuild", "synonyms", "canary"} {
			err := all[name](t.Context())
			wantUnavailable(t, version+", "+name, err)
			if version != "" && (err == nil || !strings.Contains(err.Error(), version) || !strings.Contains(err.Error(), "1.43.1")) {
				t.Errorf("%s, %s: %v does not give both versions", version, name, err)
			}
		}
		if n := changes.Load(); n > 0 {
			t.Errorf("%s: %d changes were sent", version, n)
		}
	}
}

// TestSlowServer holds that a deadline ends the wait, and who is told what.
func TestSlowServer(t *testing.T) {
	release := make(chan struct{})
	x := faulty(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	for name, call := range calls(x) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		err := call(ctx)
		cancel()
		wantUnavailable(t, name, err)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v does not say that the deadline passed", name, err)
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("%s: waited %v", name, waited)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(30*time.Millisecond, cancel)
	if _, err := x.Search(ctx, indexer.Query{}); !errors.Is(err, context.Canceled) || catalog.KindOf(err) != "" {
		t.Errorf("a caller who gives up: %v", err)
	}
	x.config.SearchTimeout = 50 * time.Millisecond
	_, err := x.Search(t.Context(), indexer.Query{})
	wantUnavailable(t, "without a deadline of the caller's", err)
}

// TestFailedTask answers 202 to every change and then fails the task.
func TestFailedTask(t *testing.T) {
	var never atomic.Bool
	x := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasPrefix(r.URL.Path, "/tasks/") && never.Load():
			_, _ = io.WriteString(w, `{"uid":1,"status":"enqueued"}`)
		case strings.HasPrefix(r.URL.Path, "/tasks/"):
			_, _ = io.WriteString(w, `{"uid":1,"status":"failed","error":{"message":"disk full","code":"no_space_left_on_device","type":"system","link":""}}`)
		case r.URL.Path == "/indexes" && r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"results":[],"total":0}`)
		case strings.HasSuffix(r.URL.Path, "/fetch"):
			_, _ = io.WriteString(w, `{"results":[],"total":0}`)
		case r.URL.Path == "/version":
			_, _ = io.WriteString(w, newVersion)
		case strings.HasSuffix(r.URL.Path, "/synonyms") && r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{}`)
		case strings.HasSuffix(r.URL.Path, "/ranking-rules"):
			_, _ = io.WriteString(w, `["words"]`)
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"uid":"taihu_v1"}`)
		default:
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"taskUid":1,"status":"enqueued"}`)
		}
	})
	all := calls(x)
	for _, name := range []string{"put", "delete", "rebuild", "synonyms", "rollback", "canary"} {
		err := all[name](t.Context())
		wantUnavailable(t, name, err)
		if err == nil || !strings.Contains(err.Error(), "no_space_left_on_device") {
			t.Errorf("%s: %v does not give the task's code", name, err)
		}
	}
	never.Store(true)
	x.config.ChangeTimeout = 50 * time.Millisecond
	wantUnavailable(t, "a task that never ends", all["put"](t.Context()))
}

// TestWipedServer deletes the index under a process that knows it: the next change
// makes it again with our settings and synonyms instead of letting the server make
// a bare one.
func TestWipedServer(t *testing.T) {
	server := liveServer(t)
	config := Config{URL: server.url, Key: server.key, Index: "test_wiped"}
	server.wipe(t, config.Index)
	defer server.wipe(t, config.Index)
	x := Open(config)
	docs := indextest.Documents()
	words := indexer.Synonyms{{"甲乙丙", "城市"}, {"无此词", "感知"}}
	if err := x.SetSynonyms(t.Context(), words); err != nil {
		t.Fatal(err)
	}
	if err := x.Put(t.Context(), docs[0]); err != nil {
		t.Fatal(err)
	}
	server.wipe(t, config.Index)
	wantUnavailable(t, "ping", x.Ping(t.Context()))
	wantUnavailable(t, "suggest", calls(x)["suggest"](t.Context()))
	if versions, err := x.Stamps(t.Context()); err != nil || len(versions) != 0 {
		t.Errorf("stamps: %v, %v", versions, err) // so the drift check rebuilds it
	}
	if err := x.Put(t.Context(), docs[1]); err != nil {
		t.Fatal(err)
	}
	wantOne := func(what string, q indexer.Query) {
		t.Helper()
		q.Filter = map[string][]string{"organization": {"wuxi"}}
		if r, err := x.Search(t.Context(), q); err != nil || r.Total != 1 {
			t.Errorf("%s: %d, %v", what, r.Total, err)
		}
	}
	wantOne("after the wipe", indexer.Query{Sort: "title"})
	wantOne("synonyms after the wipe", indexer.Query{Text: "无此词"})
	server.wipe(t, config.Index)
	if err := x.SetSynonyms(t.Context(), words); err != nil {
		t.Errorf("synonyms of a wiped server: %v", err)
	}
	server.wipe(t, config.Index)
	src := func(yield func(indexer.Document, error) bool) { yield(docs[0], nil) }
	if err := x.Rebuild(t.Context(), src, nil); err != nil {
		t.Fatal(err)
	}
	wantOne("synonyms after a rebuild of a wiped server", indexer.Query{Text: "甲乙丙"})
}

// TestSettingsAreSentOnce holds that a process that opens an index which is there
// sends no settings and no synonyms again: with 100,000 documents the server would
// be busy with each for a minute.
func TestSettingsAreSentOnce(t *testing.T) {
	server := liveServer(t)
	sent := 0
	config := Config{URL: server.url, Key: server.key, Index: "test_settings", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "/settings") && r.Method != http.MethodGet {
			sent++
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
	server.wipe(t, config.Index)
	defer server.wipe(t, config.Index)
	docs := indextest.Documents()
	words := indexer.Synonyms{{"泊车", "停车场", "car park"}}
	var first int
	for range 2 {
		x := Open(config)
		if err := x.SetSynonyms(t.Context(), words); err != nil {
			t.Fatal(err)
		}
		if err := x.Put(t.Context(), docs[0]); err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			first = sent
		}
	}
	if first == 0 || sent != first {
		t.Errorf("settings sent %d times to a new index, then %d times more", first, sent-first)
	}
	x := Open(config)
	if err := x.Rebuild(t.Context(), noDocuments(), nil); err != nil {
		t.Fatal(err)
	}
	sent = 0
	if err := x.Put(t.Context(), docs[1]); err != nil || sent > 0 {
		t.Errorf("after a rebuild: settings sent %d times, %v", sent, err)
	}
}

// TestKilledServer kills a real server while documents are put, wipes it once, and
// runs it again: every put that returned nil is found, every other said that
// search is unavailable and succeeds when it is repeated.
func TestKilledServer(t *testing.T) {
	binary, err := exec.LookPath("meilisearch")
	if err != nil {
		t.Skip("SKIP: no meilisearch on PATH to kill")
	}
	p, err := newProcess(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer p.remove()
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	x := Open(Config{URL: p.url(), Key: p.key, Index: "test_killed", ChangeTimeout: 20 * time.Second})
	docs := indextest.Documents()
	const each = 5
	for round := range 3 {
		killed := make(chan struct{})
		var refused []indexer.Document
		for i, d := range docs[round*each : round*each+each] {
			if i == 1+round { // at another moment of a put each time
				time.AfterFunc(time.Duration(round*15)*time.Millisecond, func() { p.kill(); close(killed) })
			}
			if err := x.Put(t.Context(), d); err != nil {
				wantUnavailable(t, "put to a killed server", err)
				refused = append(refused, d)
			}
		}
		<-killed
		t.Logf("round %d: %d of %d puts refused", round, len(refused), each)
		wantUnavailable(t, "ping", x.Ping(t.Context()))
		wantUnavailable(t, "search", calls(x)["search"](t.Context()))
		if err := p.run(); err != nil {
			t.Fatal(err)
		}
		if err := x.Put(t.Context(), refused...); err != nil {
			t.Fatalf("repeated: %v", err)
		}
		if _, err := x.Canary(t.Context()); err != nil {
			t.Errorf("canary after the restart: %v", err)
		}
		stamps, err := x.Stamps(t.Context())
		if err != nil || len(stamps) != (round+1)*each {
			t.Errorf("round %d: %d documents, %v", round, len(stamps), err)
		}
	}
	p.kill()
	if err := os.RemoveAll(p.database); err != nil {
		t.Fatal(err)
	}
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	src := source{}
	for _, d := range docs {
		src[d.ID] = d
	}
	if report, err := indexer.Drift(t.Context(), x, src); err != nil || report.Missing != len(docs) {
		t.Errorf("drift check of a server that lost its folder: %+v, %v", report, err)
	}
	if stamps, err := x.Stamps(t.Context()); err != nil || len(stamps) != len(docs) {
		t.Errorf("after the drift check: %d, %v", len(stamps), err)
	}
}

// TestSwapFails lets each of the swaps that end a rebuild fail: the present index
// and the one to go back to stay what they were.
func TestSwapFails(t *testing.T) {
	server := liveServer(t)
	swaps, fails := 0, 0
	config := Config{URL: server.url, Key: server.key, Index: "test_swap", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/swap-indexes" {
			if swaps++; swaps == fails {
				return nil, errors.New("cut off")
			}
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
	server.wipe(t, config.Index)
	defer server.wipe(t, config.Index)
	x := Open(config)
	docs := indextest.Documents()
	rebuild := func(d indexer.Document) error {
		return x.Rebuild(t.Context(), func(yield func(indexer.Document, error) bool) { yield(d, nil) }, nil)
	}
	holds := func(what string, want indexer.Document) {
		t.Helper()
		r, err := x.Search(t.Context(), indexer.Query{})
		if err != nil || r.Total != 1 || r.Hits[0].ID != want.ID {
			t.Errorf("%s: %+v, %v", what, r.Hits, err)
		}
	}
	for _, d := range docs[:2] {
		if err := rebuild(d); err != nil {
			t.Fatal(err)
		}
	}
	for fail := 1; fail <= 2; fail++ {
		swaps, fails = 0, fail
		wantUnavailable(t, "rebuild", rebuild(docs[2]))
		fails = 0
		holds("after the failure", docs[1])
		for _, want := range []int{0, 1} {
			if err := x.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			holds("after a rollback", docs[want])
		}
	}
	if list, err := x.server.ListIndexes(&meilisearch.IndexesQuery{Limit: 1000}); err != nil || len(own(list.Results, config.Index)) != 2 {
		t.Errorf("left on the server: %v, %v", own(list.Results, config.Index), err)
	}
}

func own(list []*meilisearch.IndexResult, prefix string) []string {
	var names []string
	for _, index := range list {
		if strings.HasPrefix(index.UID, prefix) {
			names = append(names, index.UID)
		}
	}
	return names
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestFullDisk fills the disk of a real server: TAIHU_SMALL_DISK names a folder on
// a file system of some 50 MB (mount -t tmpfs -o size=50m tmpfs FOLDER). Changes
// are refused with the server's reason, what was there is still found, and once
// there is room again they succeed.
func TestFullDisk(t *testing.T) {
	folder := os.Getenv("TAIHU_SMALL_DISK")
	binary, err := exec.LookPath("meilisearch")
	if err != nil || folder == "" {
		t.Skip("SKIP: needs meilisearch on PATH and TAIHU_SMALL_DISK, a folder on a small file system")
	}
	p, err := newProcess(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer p.remove()
	p.database = filepath.Join(folder, "db")
	defer os.RemoveAll(p.database)
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	x := Open(Config{URL: p.url(), Key: p.key, Index: "test_full", ChangeTimeout: time.Minute})
	docs := indextest.Documents()
	if err := x.Put(t.Context(), docs[0]); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(folder, "filler")
	defer os.Remove(filler)
	fill(t, filler)
	taken := 1
	for _, d := range docs[1:] {
		if err = x.Put(t.Context(), d); err != nil {
			break
		}
		taken++
	}
	wantUnavailable(t, "put to a full disk", err)
	t.Logf("after %d documents: %v", taken, err)
	if r, err := x.Search(t.Context(), indexer.Query{}); err != nil || r.Total != taken {
		t.Errorf("searching with a full disk: %d, %v", r.Total, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := x.Put(t.Context(), docs...); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if stamps, err := x.Stamps(t.Context()); err != nil || len(stamps) != len(docs) {
		t.Errorf("with room again: %d documents, %v", len(stamps), err)
	}
}

// fill writes a file until its file system is full.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for range 1 << 16 { // 256 MB: not a real disk
		if _, err := f.Write(block); err != nil {
			return
		}
	}
	t.Fatal("TAIHU_SMALL_DISK is not small")
}

// source is an indexer.Source over a map.
type source map[string]indexer.Document

func (s source) Document(_ context.Context, id string) (indexer.Document, bool, error) {
	d, ok := s[id]
	return d, ok, nil
}

func (s source) Documents(context.Context) iter.Seq2[indexer.Document, error] {
	return func(yield func(indexer.Document, error) bool) {
		for _, d := range s {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func TestTypos(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"bolards", "bollards"}: 1, {"bollrads", "bollards"}: 1, {"meteorolgical", "meteorological"}: 1, {"kindergaretn", "kindergarten"}: 1,
		{"water", "water"}: 0, {"water", "later"}: 1, {"water", "waterways"}: maxTypos + 1, {"école", "ecole"}: 1, {"abcde", "badce"}: 2,
	} {
		if got := typos(pair[0], pair[1]); got != want {
			t.Errorf("%s: %d, want %d", pair, got, want)
		}
	}
}

func TestCutMarks(t *testing.T) {
	for in, want := range map[string]string{
		"":                               " []",
		"plain":                          "plain []",
		"a\u0001bc\u0002d":               "abcd [{1 3}]",
		"\u0001停\u0002车\u0001场\u0002":    "停车场 [{0 3} {6 9}]",
		"\u0002a\u0001":                  "a []",
		"\u0001\u0002a":                  "a []",
		"\u0001<em>\u0002</em>&amp;":     "<em></em>&amp; [{0 4}]",
		"\u0001\u0001a\u0002\u0002 tail": "a tail [{0 1}]",
	} {
		text, spans := cutMarks(in)
		if got := fmt.Sprint(text, " ", spans); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestSlowEntriesAreLeftOut: whoever is typing is suggested datasets though the rest
// takes long, which is then not asked for again for a while, and learns of it where the
// rest fails.
func TestSlowEntriesAreLeftOut(t *testing.T) {
	var fails atomic.Bool
	x := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case !strings.HasSuffix(r.URL.Path, "/facet-search"):
			_, _ = io.WriteString(w, `{"results":[{"hits":[{"slug":"air","title_zh":"空气质量"}]},{"hits":[],"facetDistribution":{"organization":{},"theme":{}}}]}`)
		case fails.Load():
			w.WriteHeader(http.StatusInternalServerError)
		default:
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		}
	})
	list, err := x.Suggest(t.Context(), "空气", "zh", 5)
	if err != nil || len(list) != 1 || list[0].Slug != "air" {
		t.Errorf("slow: %v, %v", list, err)
	}
	fails.Store(true)
	if list, err := x.Suggest(t.Context(), "空", "zh", 5); err != nil || len(list) != 1 {
		t.Errorf("what came too late is asked for again: %v, %v", list, err)
	}
	_, err = x.Suggest(t.Context(), "空气质", "zh", 5)
	wantUnavailable(t, "failing", err)
}
