package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

func TestDataRequestsAreForStewardsAndForgetTheirSenders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		first := &catalog.DataRequest{Wanted: " 每个泊位的 \x00 价格\r\n", Purpose: "论文", Contact: secretContact, Searched: "泊位价格"}
		wantCode(t, db.SendDataRequest(ctx, catalog.Actor{}, first), "")
		wantCode(t, db.SendDataRequest(ctx, w.Stranger, &catalog.DataRequest{Wanted: "公厕"}), "")
		for field, r := range map[string]catalog.DataRequest{
			"wanted": {Wanted: "\n"}, "purpose": {Wanted: "x", Purpose: strings.Repeat("长", 1001)}, "contact": {Wanted: "x", Contact: strings.Repeat("长", 201)},
		} {
			err := db.SendDataRequest(ctx, catalog.Actor{}, &r)
			if catalog.KindOf(err) != catalog.Invalid || fieldOf(err) != field {
				t.Errorf("%+v: %v names %q, want %s", r, err, fieldOf(err), field)
			}
		}
		for who, code := range map[*catalog.Actor]string{{}: "sign_in_required", {User: &catalog.User{ID: "x"}}: "not_allowed"} {
			_, _, err := db.DataRequests(ctx, *who, 10)
			wantCode(t, err, code)
			_, _, err = db.EmptySearches(ctx, *who, false, 10)
			wantCode(t, err, code)
			wantCode(t, db.CloseDataRequest(ctx, *who, first.ID, 0, "x"), code)
		}
		wantCode(t, db.CloseDataRequest(ctx, w.Steward, "none", 0, "x"), "unknown_request")
		wantCode(t, db.CloseDataRequest(ctx, w.Steward, first.ID, 7, "x"), "stale_row_version")
		wantCode(t, db.CloseDataRequest(ctx, w.Steward, first.ID, 1, "已转城管局"), "")
		list, open, err := db.DataRequests(ctx, w.Steward, 10)
		wantCode(t, err, "")
		if len(list) != 2 || open != 1 || list[0].Wanted != "公厕" || list[0].Sender != w.Stranger.ID() {
			t.Fatalf("%d open of %+v", open, list)
		}
		if r := list[1]; r.Wanted != "每个泊位的  价格" || r.Contact != "" || r.Note != "已转城管局" || r.ClosedBy != w.Steward.ID() || r.ClosedAt == nil || r.Searched != "泊位价格" {
			t.Errorf("closed: %+v", r)
		}
		events, err := db.Events(ctx, catalog.ChainPortal)
		wantCode(t, err, "")
		for _, e := range events {
			if s := string(e.Facts); strings.Contains(s, secretContact) || strings.Contains(s, "价格") {
				t.Errorf("the chain keeps a stranger's words: %s", s)
			}
		}
		wantCode(t, db.CheckEvents(ctx), "")
		for range 499 {
			wantCode(t, db.SendDataRequest(ctx, catalog.Actor{}, &catalog.DataRequest{Wanted: "x"}), "")
		}
		wantCode(t, db.SendDataRequest(ctx, catalog.Actor{}, &catalog.DataRequest{Wanted: "x"}), "requests_full")
	})
}

func TestEmptySearchesAreCountedAndBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		note := func(text, lang string) {
			t.Helper()
			wantCode(t, db.NoteEmptySearch(ctx, text, lang), "")
		}
		for _, text := range []string{"地铁 客流", " 地铁  客流\n", "学位", "地铁 客流"} {
			note(text, "zh")
		}
		note("学位", "en")
		note("", "zh")
		note(strings.Repeat("长", 101), "zh")
		list, total, err := db.EmptySearches(ctx, w.Steward, false, 10)
		wantCode(t, err, "")
		if total != 3 || len(list) != 3 || list[0].Text != "地铁 客流" || list[0].Times != 3 || list[0].LastAt.Before(list[0].FirstAt) {
			t.Fatalf("%d: %+v", total, list)
		}
		note("学位", "en")
		if list, _, err = db.EmptySearches(ctx, w.Steward, true, 1); err != nil || len(list) != 1 || list[0].Lang != "en" || list[0].Times != 2 {
			t.Errorf("of late: %+v, %v", list, err)
		}
		if testing.Short() {
			return
		}
		for i := range 2_000 {
			note(fmt.Sprintf("随机%d", i), "zh")
		}
		list, total, err = db.EmptySearches(ctx, w.Steward, false, 2)
		wantCode(t, err, "")
		if total != 2_000 || list[0].Times != 3 || list[1].Times != 2 {
			t.Errorf("of a flood %d are kept, the most frequent %+v", total, list)
		}
	})
}

func TestSynonymsAreTheAdministrators(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		site := catalog.SystemActor
		before, err := db.SearchState(ctx)
		wantCode(t, err, "")
		catalogue, err := db.CatalogueVersion(ctx)
		wantCode(t, err, "")
		old, err := db.Synonyms(ctx)
		wantCode(t, err, "")
		if old.Text != "" || old.RowVersion != 1 || old.ChangedAt != nil {
			t.Errorf("at first: %+v", old)
		}
		_, err = db.SetSynonyms(ctx, w.Admin, 0, "停车场, 泊车")
		wantCode(t, err, "not_allowed")
		s, err := db.SetSynonyms(ctx, site, 1, "停车场, 泊车\r\n# 说明")
		wantCode(t, err, "")
		_, err = db.SetSynonyms(ctx, site, 1, "x")
		wantCode(t, err, "stale_row_version")
		_, err = db.SetSynonyms(ctx, site, 0, strings.Repeat("长", 30000))
		wantCode(t, err, "invalid_field")
		got, err := db.Synonyms(ctx)
		wantCode(t, err, "")
		if got.Text != "停车场, 泊车\n# 说明" || got.RowVersion != s.RowVersion || got.RowVersion != 2 || got.ChangedAt == nil {
			t.Errorf("now: %+v", got)
		}
		after, err := db.SearchState(ctx)
		wantCode(t, err, "")
		if after.Version != before.Version+1 || after.Synonyms != 2 {
			t.Errorf("state %+v after %+v", after, before)
		}
		if v, err := db.CatalogueVersion(ctx); err != nil || v != catalogue {
			t.Errorf("the catalogue has version %d after %d: %v", v, catalogue, err)
		}
		wantCode(t, db.CheckEvents(ctx), "")
	})
}

// TestSearchStateFollowsWhatReadersSee: every change of what they see makes another
// version at once, and as long as its index job is not done the index is behind.
func TestSearchStateFollowsWhatReadersSee(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		var last store.SearchState
		state := func(what string, moved, indexing bool) {
			t.Helper()
			s, err := db.SearchState(ctx)
			wantCode(t, err, "")
			if (s.Version > last.Version) != moved || s.Indexing != indexing {
				t.Errorf("%s: %+v after %+v", what, s, last)
			}
			last = s
		}
		work := func() {
			t.Helper()
			for {
				j, err := db.Lease(ctx, "w", []string{catalog.JobIndex}, time.Minute)
				wantCode(t, err, "")
				if j == nil {
					return
				}
				state("while it runs", false, true)
				wantCode(t, db.Finish(ctx, j), "")
			}
		}
		state("at first", true, false)
		w.Published(t, "water-level")
		state("published", true, true)
		work()
		state("indexed", false, false)
		w.ReadyDraft(t, "water-level")
		state("a draft", false, false)
		_, err := db.Withdraw(ctx, w.Admin, "water-level", 1, "wrong")
		wantCode(t, err, "")
		state("withdrawn", true, true)
	})
}
