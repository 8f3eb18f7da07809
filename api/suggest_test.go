package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store/storetest"
	"taihu/indexer"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// typedIndex suggests what it is told to.
type typedIndex struct {
	indexer.Index
	found []indexer.Suggestion
	fails error
	asked string
}

func (x *typedIndex) Suggest(_ context.Context, text, lang string, _ int) ([]indexer.Suggestion, error) {
	x.asked = lang + " " + text
	return x.found, x.fails
}

// TestSuggestionsLeadSomewhere: each kind to its place, in the reader's language; a
// dataset only where the store shows it to anybody, under the title it has there.
func TestSuggestionsLeadSomewhere(t *testing.T) {
	db := storetest.SQLite(t)
	w := storetest.NewWorld(t, db)
	w.Published(t, "water-level")
	w.NewDataset(t, "only-a-draft")
	x := &typedIndex{found: []indexer.Suggestion{
		{Kind: "dataset", Text: []indexer.Segment{{Text: "从前的题目"}}, Slug: "water-level"},
		{Kind: "dataset", Text: []indexer.Segment{{Text: "秘密"}}, Slug: "only-a-draft"},
		{Kind: "organization", Text: []indexer.Segment{{Text: "水", Hit: true}, {Text: "务局"}}, Slug: "shuiwu", Count: 3},
		{Kind: "theme", Text: []indexer.Segment{{Text: "水利"}}, Slug: "resources", Count: 2},
		{Kind: "column", Text: []indexer.Segment{{Text: `水位"米`}}, Count: 2},
		{Kind: "value", Text: []indexer.Segment{{Text: "水秀街"}}, Count: 1},
	}}
	a, err := New(Config{Store: db, Index: x, Log: slog.New(slog.DiscardHandler), Clock: catalog.Now, BaseURL: "http://portal.example"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(query string, status int) (list []Suggestion, h http.Header) {
		t.Helper()
		rec := httptest.NewRecorder()
		a.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/v1/suggest?"+query, nil))
		if rec.Code != status {
			t.Fatalf("%s: %d %s", query, rec.Code, rec.Body)
		}
		var body struct{ Suggestions []Suggestion }
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil && status == http.StatusOK {
			t.Fatal(err)
		}
		return body.Suggestions, rec.Header()
	}
	if list, _ := ask("q="+url.QueryEscape("水"), 200); len(list) != 3 {
		t.Errorf("while the index is behind, columns and values may be of what was withdrawn: %+v", list)
	}
	indexed(t, db)
	list, h := ask("lang=en&q="+url.QueryEscape("水"), 200)
	if x.asked != "en 水" || h.Get("Cache-Control") != "public, max-age=30" {
		t.Errorf("asked for %q, Cache-Control %q", x.asked, h.Get("Cache-Control"))
	}
	d, err := db.Dataset(t.Context(), catalog.Actor{}, "water-level")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 || indexer.Plain(list[0].Text) != d.Title.In("en") {
		t.Errorf("the dataset is called %+v", list)
	}
	var hrefs []string
	for _, s := range list {
		hrefs = append(hrefs, s.Href)
	}
	want := []string{"/en/datasets/water-level", "/en/datasets?organization=shuiwu", "/en/datasets?theme=resources",
		"/en/datasets?q=" + url.QueryEscape(`column:"水位 米"`), "/en/datasets?q=" + url.QueryEscape(`"水秀街"`)}
	if !slices.Equal(hrefs, want) {
		t.Errorf("led to %q\nwant   %q", hrefs, want)
	}
	if list, _ := ask("lang=zh", 200); list == nil || len(list) != 0 {
		t.Errorf("nothing typed: %v", list)
	}
	x.fails = catalog.Errorf(catalog.Unavailable, "search_unavailable", "down")
	if list, h := ask("q=x", 200); list == nil || len(list) != 0 || h.Get("Cache-Control") != "no-store" {
		t.Errorf("with the engine down: %v %v", list, h)
	}
	x.fails = catalog.Errorf(catalog.Invalid, "query_too_long", "too long")
	ask("q=x", 400)
	ask("q=x&lang=fr", 400)
	ask("q=x&limit=3", 400)
}

// TestSuggestedTitlesFollowAWithdrawal: what is withdrawn is suggested no longer, though
// the index still has it.
func TestSuggestedTitlesFollowAWithdrawal(t *testing.T) {
	db := storetest.SQLite(t)
	w := storetest.NewWorld(t, db)
	w.Published(t, "water-level")
	a := &API{Config: Config{Store: db, Index: &typedIndex{found: []indexer.Suggestion{{Kind: "dataset", Text: []indexer.Segment{{Text: "水位"}}, Slug: "water-level"}}}}}
	for _, want := range []int{1, 0} {
		out, err := a.suggest(t.Context(), catalog.Actor{}, &suggestInput{Q: "水", Lang: "zh"})
		if err != nil || len(out.Body.Suggestions) != want {
			t.Fatalf("%v, %v; want %d", out, err, want)
		}
		if want == 1 {
			if _, err := db.Withdraw(t.Context(), w.Admin, "water-level", 1, "wrong"); err != nil {
				t.Fatal(err)
			}
		}
	}
}
