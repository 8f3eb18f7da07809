package store_test

import (
	"encoding/json"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// personalOutcome is an accepted check that found phones in a column.
func personalOutcome(table, column string) store.IngestOutcome {
	o := storetest.Outcome(table, column, "单位")
	o.Report.Findings = []catalog.Finding{{Severity: catalog.ToSettle, Code: "personal_mobile", Table: table, Column: column, Count: 2, Of: 3,
		Measures: []catalog.Measure{catalog.Mask, catalog.Drop, catalog.Accept}}}
	return o
}

func decide(m catalog.Measure, reason string) []catalog.Settlement {
	return []catalog.Settlement{{Code: "personal_mobile", Table: "people", Column: "电话", Measure: m, Reason: reason, By: "somebody else"}}
}

func TestUnsettledFindingsKeepADraftBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := newDraft(t, w)
		f := put(t, w, r.ID, "people.csv", "x")
		finish(t, w, f, personalOutcome("people", "电话"))
		_, err := db.Submit(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "unsettled_findings")
		if !strings.Contains(err.Error(), "personal_mobile (people.csv, 电话)") {
			t.Errorf("the error names no finding: %v", err)
		}
		_, err = db.SettleFindings(ctx, w.Steward, r.ID, "people.csv", decide(catalog.Accept, " "))
		wantCode(t, err, "invalid_settlement")
		_, err = db.SettleFindings(ctx, w.Steward, r.ID, "people.csv", decide("keep", "x"))
		wantCode(t, err, "invalid_settlement")
		_, err = db.SettleFindings(ctx, w.Stranger, r.ID, "people.csv", decide(catalog.Mask, ""))
		wantCode(t, err, "unknown_draft")
		_, err = db.SettleFindings(ctx, w.Steward, r.ID, "people.csv", decide(catalog.Accept, "对外公布的办公电话"))
		wantCode(t, err, "")
		got := draft(t, w, r.ID)
		if got.State != catalog.Ready || len(got.Tables) != 1 {
			t.Fatalf("accepting had the file read again: %s", got.State)
		}
		s := got.Files[0].Options.Settled
		if len(s) != 1 || s[0].By != w.Steward.ID() || s[0].At == nil {
			t.Fatalf("the decision is %+v", s)
		}
		// Taken back, it keeps the draft back again.
		_, err = db.SettleFindings(ctx, w.Steward, r.ID, "people.csv", decide("", ""))
		wantCode(t, err, "")
		_, err = db.Submit(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "unsettled_findings")
		_, err = db.SettleFindings(ctx, w.Steward, r.ID, "people.csv", decide(catalog.Accept, "对外公布的办公电话"))
		wantCode(t, err, "")
		publish(t, w, r.ID)
		_, release, err := db.Release(ctx, catalog.Actor{}, "water-level", 0)
		wantCode(t, err, "")
		if len(release.Files) != 1 || release.Withheld != 0 {
			t.Errorf("what was accepted is published with its original: %+v", release.Files)
		}
		events, err := db.Events(ctx, w.Dataset.ID)
		wantCode(t, err, "")
		var said []string
		for _, e := range events {
			if e.Verb == "findings.settled" {
				said = append(said, string(e.Facts))
			}
		}
		if len(said) != 3 || !strings.Contains(said[2], "对外公布的办公电话") {
			t.Errorf("the events are %s", said)
		}
	})
}

func publish(t *testing.T, w *storetest.World, draftID string) {
	t.Helper()
	_, err := w.DB.Submit(t.Context(), w.Steward, draftID, 0)
	wantCode(t, err, "")
	_, err = w.DB.Approve(t.Context(), w.Reviewer, draftID, 0)
	wantCode(t, err, "")
	_, err = w.DB.Publish(t.Context(), w.Reviewer, draftID, 0)
	wantCode(t, err, "")
}

func TestOriginalsOfWhatWasMaskedAreWithheld(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := newDraft(t, w)
		f := put(t, w, r.ID, "people.csv", "secret original")
		finish(t, w, f, personalOutcome("people", "电话"))
		f, err := db.SettleFindings(ctx, w.Steward, r.ID, "people.csv", decide(catalog.Mask, ""))
		wantCode(t, err, "")
		if got := draft(t, w, r.ID); got.State != catalog.Checking {
			t.Fatalf("masking must have the file read again; the draft is %s", got.State)
		}
		finish(t, w, f, storetest.Outcome("people", "电话", "单位"))
		// The same bytes under another name are the same secret.
		twin := put(t, w, r.ID, "copy.bin", "secret original")
		finish(t, w, twin, store.IngestOutcome{Report: catalog.Report{Accepted: true}, Attachment: true})
		other := put(t, w, r.ID, "manual.pdf", "manual")
		finish(t, w, other, store.IngestOutcome{Report: catalog.Report{Accepted: true}, Attachment: true})
		publish(t, w, r.ID)

		check := func(where string, r *catalog.Release) {
			t.Helper()
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Files) != 1 || r.Files[0].Name != "manual.pdf" || r.Withheld != 2 || strings.Contains(string(text), f.Blob.SHA256) {
				t.Errorf("%s gives the original away: %s", where, text)
			}
		}
		for _, actor := range []catalog.Actor{catalog.Actor{}, w.Steward, w.Admin, catalog.SystemActor} {
			_, release, err := db.Release(ctx, actor, "water-level", 0)
			wantCode(t, err, "")
			check("Release", release)
			list, err := db.Releases(ctx, actor, "water-level")
			wantCode(t, err, "")
			check("Releases", &list[0])
		}
		_, release, err := db.ReleaseByID(ctx, r.ID)
		wantCode(t, err, "")
		check("ReleaseByID", release)
		entries, err := db.Catalogue(ctx, store.CatalogueFilter{Limit: 10})
		wantCode(t, err, "")
		if e := entries[0].Release; len(e.Files) != 1 || e.Withheld != 2 {
			t.Errorf("the catalogue lists %+v", e.Files)
		}
		events, err := db.Events(ctx, w.Dataset.ID)
		wantCode(t, err, "")
		for _, e := range events {
			if e.Verb == "release.published" && strings.Contains(string(e.Facts), f.Blob.SHA256) {
				t.Errorf("the event of the publication gives the original's hash: %s", e.Facts)
			}
		}

		// The decision is the default of the next release, where the column comes
		// again: in the file of the same name and in another.
		next := newDraft(t, w)
		for name, table := range map[string]string{"people.csv": "people", "people-2026.csv": ""} {
			f := put(t, w, next.ID, name, "next "+name)
			s := f.Options.Settled
			if len(s) != 1 || s[0].Column != "电话" || s[0].Table != table || s[0].Measure != catalog.Mask || s[0].From != 1 || s[0].By != w.Steward.ID() {
				t.Errorf("%s: carried over is %+v", name, s)
			}
		}
		// Told otherwise, it is otherwise; a new upload keeps the draft's own.
		f, err = db.PutFile(ctx, w.Steward, next.ID, store.Upload{Name: "people.csv", Blob: storetest.Blob("y"), Options: catalog.IngestOptions{Settled: decide(catalog.Drop, "")}})
		wantCode(t, err, "")
		f = put(t, w, next.ID, "people.csv", "z")
		if s := f.Options.Settled; len(s) != 1 || s[0].Measure != catalog.Drop || s[0].From != 0 {
			t.Errorf("after another upload: %+v", s)
		}
		f, err = db.SetFileOptions(ctx, w.Steward, next.ID, "people.csv", catalog.IngestOptions{Encoding: "gbk"})
		wantCode(t, err, "")
		if s := f.Options.Settled; len(s) != 1 {
			t.Errorf("reading options wiped the decisions: %+v", s)
		}
		f, err = db.SetFileOptions(ctx, w.Steward, next.ID, "people.csv", catalog.IngestOptions{Settled: []catalog.Settlement{}})
		wantCode(t, err, "")
		if len(f.Options.Settled) != 0 {
			t.Errorf("an empty list takes all back: %+v", f.Options.Settled)
		}
	})
}

func TestTwins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.Published(t, "water-level") // its table is "readings"
		same := storetest.Outcome("readings", "站点", "水位").Tables
		twins := func(f *catalog.File) []catalog.Twin {
			t.Helper()
			list, err := db.Twins(ctx, f, same)
			wantCode(t, err, "")
			return list
		}
		own := newDraft(t, w)
		if got := twins(put(t, w, own.ID, "readings.csv", "x")); len(got) != 0 {
			t.Errorf("the release before is no twin: %+v", got)
		}
		w.NewDataset(t, "copy")
		r, err := db.CreateDraft(ctx, w.Steward, "copy", store.DraftEdit{})
		wantCode(t, err, "")
		f := put(t, w, r.ID, "readings.csv", "x")
		if got := twins(f); len(got) != 1 || got[0].Dataset != "water-level" || got[0].Other != "readings" || got[0].Table != "readings" || got[0].Title.Zh != "河道水位" {
			t.Errorf("twins %+v", got)
		}
		same[0].ContentSHA256 = storetest.Blob("other").SHA256
		if got := twins(f); len(got) != 0 {
			t.Errorf("other content: %+v", got)
		}
		// In the same draft, under another name.
		same = storetest.Outcome("again", "甲").Tables
		g := put(t, w, r.ID, "b.csv", "b")
		finish(t, w, g, storetest.Outcome("again", "甲"))
		if got := twins(f); len(got) != 1 || got[0].Dataset != "copy" {
			t.Errorf("in the same draft: %+v", got)
		}
		// What was withdrawn is none.
		_, err = db.Withdraw(ctx, w.Admin, "water-level", 1, "x")
		wantCode(t, err, "")
		same = storetest.Outcome("readings", "站点", "水位").Tables
		if got := twins(f); len(got) != 0 {
			t.Errorf("withdrawn: %+v", got)
		}
	})
}

func TestWholes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		sketch := func(n int) (s catalog.Sketch) {
			for i := range n {
				s = append(s, uint64(i)*1e15)
			}
			return s
		}
		outcome := func(rows int64, n int) store.IngestOutcome {
			o := storetest.Outcome("readings", "站点", "水位")
			o.Tables[0].Rows, o.Tables[0].Sketch = rows, sketch(n)
			return o
		}
		r := newDraft(t, w)
		finish(t, w, put(t, w, r.ID, "readings.csv", "x"), outcome(100, 100))
		publish(t, w, r.ID)
		// A table that is kept keeps its sample.
		r = newDraft(t, w)
		wantCode(t, db.KeepTable(ctx, w.Steward, r.ID, "readings"), "")
		publish(t, w, r.ID)

		w.NewDataset(t, "part")
		r, err := db.CreateDraft(ctx, w.Steward, "part", store.DraftEdit{})
		wantCode(t, err, "")
		f := put(t, w, r.ID, "readings.csv", "y")
		wholes := func(o store.IngestOutcome) []catalog.Twin {
			t.Helper()
			list, err := db.Wholes(ctx, f, o.Tables)
			wantCode(t, err, "")
			return list
		}
		if got := wholes(outcome(20, 20)); len(got) != 1 || got[0].Dataset != "water-level" || got[0].Other != "readings" {
			t.Errorf("a part: %+v", got)
		}
		if got := wholes(outcome(100, 20)); len(got) != 0 {
			t.Errorf("not smaller: %+v", got)
		}
		other := outcome(20, 20)
		other.Tables[0].Schema.Fields = other.Tables[0].Schema.Fields[:1]
		if got := wholes(other); len(got) != 0 {
			t.Errorf("other columns: %+v", got)
		}
	})
}
