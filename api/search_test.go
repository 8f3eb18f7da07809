package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"taihu/api/web"
	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
	"taihu/indexer"
)

// countingIndex finds one dataset and counts how often it is asked.
type countingIndex struct {
	indexer.Index
	id    string
	asked []indexer.Query
}

func (x *countingIndex) Search(_ context.Context, q indexer.Query) (indexer.Result, error) {
	x.asked = append(x.asked, q)
	return indexer.Result{Total: 1, Hits: []indexer.Hit{{ID: x.id}}, Spelling: "water"}, nil
}
func (*countingIndex) SetSynonyms(context.Context, indexer.Synonyms) error { return nil }

// TestSearchesAreAnsweredFromMemory: the same search asks the index once, until
// something is withdrawn; months stand for the year that was asked for.
func TestSearchesAreAnsweredFromMemory(t *testing.T) {
	db := storetest.SQLite(t)
	w := storetest.NewWorld(t, db)
	w.Published(t, "water-level")
	indexed(t, db)
	x := &countingIndex{id: w.Dataset.ID}
	site, err := web.New(web.Config{Store: db, Index: x, KeptAnswers: 1 << 20, BaseURL: "http://portal.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := site.ApplySynonyms(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{Store: db, Index: x, Site: site, Log: slog.New(slog.DiscardHandler), Clock: catalog.Now, BaseURL: "http://portal.example"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(query string, datasets, asked int) {
		t.Helper()
		x.asked = nil
		rec := httptest.NewRecorder()
		a.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/v1/datasets?"+query, nil))
		var body DatasetList
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || rec.Code != http.StatusOK {
			t.Fatal(rec.Code, rec.Body, err)
		}
		if len(body.Datasets) != datasets || body.Spelling != "water" || len(x.asked) != asked {
			t.Errorf("%s: %d datasets, %d questions; want %d, %d: %s", query, len(body.Datasets), len(x.asked), datasets, asked, rec.Body)
		}
	}
	ask("q=watr&updated=2026,2025-03&sort=-size", 1, 1)
	if got := x.asked[0].Filter["updated"]; len(got) != 13 || got[0] != "2026-01" || got[12] != "2025-03" {
		t.Errorf("asked for %v", got)
	}
	ask("q=watr&updated=2026,2025-03&sort=-size", 1, 0)
	ask("q=watr&updated=2026&sort=-size", 1, 1)
	ask("q=watr&updated=2026&sort=-downloads", 1, 1)
	if _, err := db.Withdraw(t.Context(), w.Admin, "water-level", 1, "wrong"); err != nil {
		t.Fatal(err)
	}
	ask("q=watr&updated=2026&sort=-size", 0, 1)
	ask("q=watr&updated=2026&sort=-size", 0, 1) // the index is behind
}

// indexed finishes the index jobs, as the runner does once the index has the change.
func indexed(t testing.TB, db *store.DB) {
	t.Helper()
	for {
		j, err := db.Lease(t.Context(), "w", []string{catalog.JobIndex}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if j == nil {
			return
		}
		if err := db.Finish(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
}
