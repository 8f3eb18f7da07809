package store_test

import (
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

func newDraft(t *testing.T, w *storetest.World) *catalog.Release {
	t.Helper()
	r, err := w.DB.CreateDraft(t.Context(), w.Steward, "water-level", store.DraftEdit{})
	wantCode(t, err, "")
	return r
}

func put(t *testing.T, w *storetest.World, draftID, name, content string) *catalog.File {
	t.Helper()
	f, err := w.DB.PutFile(t.Context(), w.Steward, draftID, store.Upload{Name: name, MediaType: "text/csv", Blob: storetest.Blob(content)})
	wantCode(t, err, "")
	return f
}

func finish(t *testing.T, w *storetest.World, f *catalog.File, o store.IngestOutcome) {
	t.Helper()
	wantCode(t, w.DB.FinishIngest(t.Context(), f.ID, f.Blob.SHA256, f.Options, o), "")
}

func draft(t *testing.T, w *storetest.World, id string) *catalog.Release {
	t.Helper()
	r, err := w.DB.Draft(t.Context(), w.Steward, id)
	wantCode(t, err, "")
	return r
}

var refused = store.IngestOutcome{Report: catalog.Report{Findings: []catalog.Finding{{Severity: catalog.Fatal, Code: "empty_file"}}}}

func TestStateOfADraftFollowsFromItsFiles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := newDraft(t, w)
		want := func(state catalog.State) {
			t.Helper()
			if got := draft(t, w, r.ID).State; got != state {
				t.Fatalf("the draft is %s, want %s", got, state)
			}
		}
		want(catalog.Uploading)
		a, b := put(t, w, r.ID, "a.csv", "a"), put(t, w, r.ID, "b.csv", "b")
		want(catalog.Checking)
		finish(t, w, a, storetest.Outcome("a", "x"))
		want(catalog.Checking)
		finish(t, w, b, refused)
		want(catalog.Rejected)
		_, err := db.Submit(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "wrong_state")
		wantCode(t, db.RemoveFile(ctx, w.Steward, r.ID, "b.csv"), "")
		want(catalog.Ready)
		a, err = db.SetFileOptions(ctx, w.Steward, r.ID, "a.csv", catalog.IngestOptions{Types: map[string]catalog.Type{"x": catalog.Integer}})
		wantCode(t, err, "")
		want(catalog.Checking)
		finish(t, w, a, storetest.Outcome("a", "x"))
		want(catalog.Ready)
		wantCode(t, db.RemoveFile(ctx, w.Steward, r.ID, "a.csv"), "")
		want(catalog.Uploading)
		wantCode(t, db.RemoveFile(ctx, w.Steward, r.ID, "a.csv"), "unknown_file")

		c := put(t, w, r.ID, "c.pdf", "c")
		finish(t, w, c, store.IngestOutcome{Report: catalog.Report{Accepted: true}, Attachment: true})
		want(catalog.Ready)
		if f := draft(t, w, r.ID).Files[0]; f.Role != catalog.Attachment {
			t.Errorf("the attachment is %+v", f)
		}
		_, err = db.Submit(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "")
		_, err = db.PutFile(ctx, w.Steward, r.ID, store.Upload{Name: "late.csv", Blob: storetest.Blob("late")})
		wantCode(t, err, "wrong_state")
		_, err = db.UpdateDraft(ctx, w.Steward, r.ID, 0, store.DraftEdit{Version: "2"})
		wantCode(t, err, "wrong_state")
		_, err = db.TakeBack(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "")
		want(catalog.Ready)
		_, err = db.TakeBack(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "wrong_state")
		_, err = db.Submit(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "")
		_, err = db.Return(ctx, w.Reviewer, r.ID, " ", nil, 0)
		wantCode(t, err, "invalid_field")
		back, err := db.Return(ctx, w.Reviewer, r.ID, "单位写错了", nil, 0)
		wantCode(t, err, "")
		if back.State != catalog.Returned || back.Comment != "单位写错了" {
			t.Fatalf("returned as %+v", back)
		}
		edited, err := db.UpdateDraft(ctx, w.Steward, r.ID, 0, store.DraftEdit{Version: "2", DataDate: "2025-06"})
		wantCode(t, err, "")
		if edited.State != catalog.Ready || edited.Version != "2" || edited.DataDate != "2025-06" {
			t.Fatalf("edited to %+v", edited)
		}
		_, err = db.UpdateDraft(ctx, w.Steward, r.ID, edited.RowVersion-1, store.DraftEdit{})
		wantCode(t, err, "stale_row_version")
		_, err = db.UpdateDraft(ctx, w.Steward, r.ID, 0, store.DraftEdit{DataDate: "June"})
		wantCode(t, err, "invalid_field")
		_, err = db.Abandon(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "")
		_, err = db.Submit(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "wrong_state")
	})
}

func TestFinishIngestIsFencedAndRepeatable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := newDraft(t, w)
		first := put(t, w, r.ID, "a.csv", "one")
		if again := put(t, w, r.ID, "a.csv", "one"); again.ID != first.ID {
			t.Fatal("the same upload repeated made another file")
		}
		second := put(t, w, r.ID, "a.csv", "two")
		if second.ID != first.ID {
			t.Fatal("a file of the same name did not take the place of the first")
		}
		finish(t, w, first, storetest.Outcome("old", "x")) // of bytes that were replaced
		if got := draft(t, w, r.ID); got.State != catalog.Checking || len(got.Tables) != 0 {
			t.Fatalf("an outcome of replaced bytes was taken: %+v", got)
		}
		wantCode(t, db.FinishIngest(ctx, second.ID, second.Blob.SHA256, catalog.IngestOptions{Sheet: "x"}, storetest.Outcome("old", "x")), "")
		if got := draft(t, w, r.ID); got.State != catalog.Checking {
			t.Fatal("an outcome of other options was taken")
		}
		finish(t, w, second, storetest.Outcome("new", "x"))
		finish(t, w, second, refused) // the job ran twice
		got := draft(t, w, r.ID)
		if got.State != catalog.Ready || len(got.Tables) != 1 || got.Tables[0].Name != "new" || got.Tables[0].SourceSHA256 != second.Blob.SHA256 {
			t.Fatalf("got %+v", got)
		}
		wantCode(t, db.FinishIngest(ctx, catalog.NewID(), second.Blob.SHA256, second.Options, refused), "")
		_, _, _, err := db.FileForIngest(ctx, catalog.NewID())
		wantCode(t, err, "unknown_file")
	})
}

func TestTableNamesAreUniqueAndWordsCarriedOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := newDraft(t, w)
		finish(t, w, put(t, w, r.ID, "a.csv", "a"), storetest.Outcome("main", "站点", "水位"))
		finish(t, w, put(t, w, r.ID, "b.csv", "b"), storetest.Outcome("main", "名称"))
		got := draft(t, w, r.ID)
		if len(got.Tables) != 2 || got.Tables[0].Name != "main" || got.Tables[1].Name != "main-2" || got.Tables[0].Position >= got.Tables[1].Position {
			t.Fatalf("tables are %+v", got.Tables)
		}
		words := store.FieldWords{Label: catalog.Text{Zh: "水位", En: "level"}, Unit: "m", Latin: "level", Codes: []catalog.Code{{Value: "0", Label: catalog.Text{Zh: "无"}}}}
		wantCode(t, db.DescribeTable(ctx, w.Steward, r.ID, "main", store.TableWords{Fields: map[string]store.FieldWords{"水位": words}}), "")
		wantCode(t, db.DescribeTable(ctx, w.Steward, r.ID, "main", store.TableWords{Fields: map[string]store.FieldWords{"流量": words}}), "unknown_column")
		wantCode(t, db.DescribeTable(ctx, w.Steward, r.ID, "main", store.TableWords{Fields: map[string]store.FieldWords{"站点": words}}), "invalid_field")
		wantCode(t, db.SetSample(ctx, w.Steward, r.ID, "main", []byte(`[{"站点":"a"}]`)), "")
		wantCode(t, db.SetSample(ctx, w.Steward, r.ID, "main", []byte(`{"站点":"a"}`)), "invalid_field")
		for _, step := range []func() error{
			func() error { _, err := db.Submit(ctx, w.Steward, r.ID, 0); return err },
			func() error { _, err := db.Approve(ctx, w.Reviewer, r.ID, 0); return err },
			func() error { _, err := db.Publish(ctx, w.Reviewer, r.ID, 0); return err },
		} {
			wantCode(t, step(), "")
		}
		_, one, err := db.Release(ctx, catalog.Actor{}, "water-level", 1)
		wantCode(t, err, "")

		next := newDraft(t, w)
		outcome := storetest.Outcome("main", "水位", "日期")
		outcome.Tables[0].Schema.Fields[0].Unit, outcome.Tables[0].Schema.Fields[1].Unit = "cm", "天" // as read from the file
		finish(t, w, put(t, w, next.ID, "a.csv", "a, later"), outcome)
		wantCode(t, db.KeepTable(ctx, w.Steward, next.ID, "main-2"), "")
		wantCode(t, db.KeepTable(ctx, w.Steward, next.ID, "main-2"), "") // kept already
		wantCode(t, db.KeepTable(ctx, w.Steward, next.ID, "main"), "table_exists")
		wantCode(t, db.KeepTable(ctx, w.Steward, next.ID, "main-3"), "unknown_table")
		two := draft(t, w, next.ID)
		if two.State != catalog.Ready || len(two.Tables) != 2 || len(two.Files) != 2 || two.Tables[1].TableSHA256 != one.Tables[1].TableSHA256 || two.Tables[1].ID == one.Tables[1].ID {
			t.Fatalf("the next draft is %+v", two)
		}
		level, date := two.Tables[0].Schema.Fields[0], two.Tables[0].Schema.Fields[1]
		was := one.Tables[0].Schema.Fields[1]
		if level.ID != was.ID || level.Unit != "m" || level.Latin != "level" || level.Label != words.Label || len(level.Codes) != 1 {
			t.Errorf("the column became %+v, was %+v", level, was)
		}
		if date.ID == "" || date.ID == was.ID || date.Unit != "天" {
			t.Errorf("the new column is %+v", date)
		}
	})
}

func TestDraftsAreSeenByTheirOrganizationOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := newDraft(t, w)
		_, err := db.Draft(ctx, w.Stranger, r.ID)
		wantCode(t, err, "unknown_draft")
		_, unknown := db.Draft(ctx, w.Stranger, catalog.NewID())
		if err.Error() != unknown.Error() {
			t.Errorf("%q tells that the draft exists, unknown ones say %q", err, unknown)
		}
		_, err = db.Draft(ctx, catalog.Actor{}, r.ID)
		wantCode(t, err, "sign_in_required")
		_, err = db.CreateDraft(ctx, w.Stranger, "water-level", store.DraftEdit{})
		wantCode(t, err, "unknown_dataset")
		for who, want := range map[*catalog.Actor]int{{}: 0, &w.Stranger: 0, &w.Steward: 1, &w.Reviewer: 1, &catalog.SystemActor: 1} {
			list, err := db.Drafts(ctx, *who, store.DraftFilter{DatasetID: w.Dataset.ID})
			if err != nil || len(list) != want {
				t.Errorf("%s sees %d drafts (%v), want %d", who.ID(), len(list), err, want)
			}
		}
		list, err := db.Drafts(ctx, w.Steward, store.DraftFilter{States: []catalog.State{catalog.InReview}})
		if err != nil || len(list) != 0 {
			t.Errorf("%d drafts in review, %v", len(list), err)
		}
		for _, name := range []string{"", "..", "a/b.csv", "a\\b.csv", "a\x00b", " a", "a\nb"} {
			_, err := db.PutFile(ctx, w.Steward, r.ID, store.Upload{Name: name, Blob: storetest.Blob("x")})
			wantCode(t, err, "invalid_file_name")
		}
	})
}

func TestOwnDraftIsApprovedBySoleReviewerOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		submit := func(actor catalog.Actor) *catalog.Release {
			r := w.ReadyDraft(t, "water-level")
			r, err := db.Submit(ctx, actor, r.ID, 0)
			wantCode(t, err, "")
			return r
		}
		r := submit(w.Reviewer)
		_, err := db.Approve(ctx, w.Reviewer, r.ID, 0)
		wantCode(t, err, "own_draft")
		wantCode(t, db.RemoveMembership(ctx, catalog.SystemActor, "chief", "shuiwu"), "")
		_, err = db.Approve(ctx, w.Reviewer, r.ID, 0)
		wantCode(t, err, "") // now he is the only one
		r = submit(catalog.SystemActor)
		_, err = db.Approve(ctx, catalog.SystemActor, r.ID, 0)
		wantCode(t, err, "")
		events, err := db.Events(ctx, w.Dataset.ID)
		wantCode(t, err, "")
		n := 0
		for _, e := range events {
			if e.Verb == "draft.approved" {
				n++
				if string(e.Facts) != `{"self_approved":true}` {
					t.Errorf("the facts of an own approval are %s", e.Facts)
				}
			}
		}
		if n != 2 {
			t.Errorf("%d approvals", n)
		}
	})
}

func TestTablesStandInTheOrderOfTheFiles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := storetest.NewWorld(t, db)
		r := newDraft(t, w)
		large, small := put(t, w, r.ID, "large.csv", "one"), put(t, w, r.ID, "small.csv", "two")
		names := func() string {
			var all []string
			for _, n := range draft(t, w, r.ID).Tables {
				all = append(all, n.Name)
			}
			return strings.Join(all, " ")
		}
		finish(t, w, small, storetest.Outcome("small", "x"))
		finish(t, w, large, storetest.Outcome("large", "x"))
		if got := names(); got != "large small" {
			t.Errorf("the file checked first comes first: %s", got)
		}
		mended := put(t, w, r.ID, "large.csv", "three")
		finish(t, w, mended, storetest.Outcome("large", "x"))
		if got := names(); got != "large small" {
			t.Errorf("a mended file's table moved: %s", got)
		}
	})
}
