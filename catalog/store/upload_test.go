package store_test

import (
	"fmt"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

func begin(t *testing.T, w *storetest.World, draftID, name string, size int64) *catalog.Upload {
	t.Helper()
	u, err := w.DB.CreateUpload(t.Context(), w.Steward, draftID, catalog.Upload{Name: name, MediaType: "text/csv", Size: size, Options: catalog.IngestOptions{Encoding: "gbk"}})
	wantCode(t, err, "")
	return u
}

// TestUploadIsItsBeginnersAlone: not of the reviewer, the organization's admin or
// a stranger, nor under another draft, nor of one who lost his role.
func TestUploadIsItsBeginnersAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r, other := newDraft(t, w), newDraft(t, w)
		u := begin(t, w, r.ID, "a.csv", 10)
		got, err := db.Upload(ctx, w.Steward, r.ID, u.ID)
		wantCode(t, err, "")
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", u) || got.Options.Encoding != "gbk" || got.State != catalog.UploadOpen {
			t.Errorf("read back: %+v, made was %+v", got, u)
		}
		for name, c := range map[string]struct {
			actor catalog.Actor
			draft string
			code  string
		}{
			"reviewer": {w.Reviewer, r.ID, "unknown_upload"}, "admin": {w.Admin, r.ID, "unknown_upload"}, "the portal": {catalog.SystemActor, r.ID, "unknown_upload"},
			"stranger": {w.Stranger, r.ID, "unknown_draft"}, "nobody": {catalog.Actor{}, r.ID, "sign_in_required"}, "another draft": {w.Steward, other.ID, "unknown_upload"},
		} {
			_, err := db.Upload(ctx, c.actor, c.draft, u.ID)
			wantCode(t, err, c.code)
			wantCode(t, db.DeleteUpload(ctx, c.actor, c.draft, u.ID), c.code)
			if c.actor.User != nil && name != "another draft" {
				if list, err := db.Uploads(ctx, c.actor, ""); err != nil || len(list) != 0 {
					t.Errorf("%s sees %v (%v)", name, list, err)
				}
			}
		}
		reads := w.Steward
		reads.Scope = catalog.ReadScope
		_, err = db.CreateUpload(ctx, reads, r.ID, catalog.Upload{Name: "b.csv"})
		wantCode(t, err, "read_only_key")
		if list, err := db.Uploads(ctx, w.Steward, r.ID); err != nil || len(list) != 1 {
			t.Errorf("own uploads: %v %v", list, err)
		}
		wantCode(t, db.RemoveMembership(ctx, catalog.SystemActor, "steward", "shuiwu"), "")
		dismissed, err := db.ActorOf(ctx, w.Steward.ID())
		wantCode(t, err, "")
		_, err = db.Upload(ctx, dismissed, r.ID, u.ID)
		wantCode(t, err, "unknown_draft")
		wantCode(t, db.FinishUpload(ctx, dismissed, u, storetest.Blob("0123456789")), "unknown_draft")
	})
}

// TestUploadBecomesAFileAsPutDoes: the same row, the same event, the same job;
// finished twice, it is one.
func TestUploadBecomesAFileAsPutDoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r, like := newDraft(t, w), newDraft(t, w)
		blob := storetest.Blob("0123456789")
		u := begin(t, w, r.ID, "a.csv", 10)
		wantCode(t, db.Received(ctx, u, 10), "")
		if got := draft(t, w, r.ID); got.State != catalog.Uploading || len(got.Files) != 0 {
			t.Errorf("before its end the draft shows it: %+v", got)
		}
		wantCode(t, db.FinishUpload(ctx, w.Steward, u, blob), "")
		wantCode(t, db.FinishUpload(ctx, w.Steward, u, blob), "")
		_, err := db.PutFile(ctx, w.Steward, like.ID, store.Upload{Name: "a.csv", MediaType: "text/csv", Blob: blob, Options: catalog.IngestOptions{Encoding: "gbk"}})
		wantCode(t, err, "")
		got, want := draft(t, w, r.ID), draft(t, w, like.ID)
		a, b := got.Files[0], want.Files[0]
		b.ID, b.ReleaseID, b.CreatedAt = a.ID, a.ReleaseID, a.CreatedAt
		if fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) || got.State != want.State || got.RowVersion != want.RowVersion {
			t.Errorf("by upload %+v\nby put %+v", got, want)
		}
		events, err := db.Events(ctx, w.Dataset.ID)
		wantCode(t, err, "")
		said := map[string]string{}
		for _, e := range events {
			if e.Verb == "file.put" {
				said[e.Object] += string(e.Facts)
			}
		}
		if said[r.ID] == "" || said[r.ID] != said[like.ID] {
			t.Errorf("events: %v", said)
		}
		if jobs, err := db.PendingJobs(ctx); err != nil || jobs[catalog.JobIngest] != 2 {
			t.Errorf("jobs: %v %v", jobs, err)
		}
		wantCode(t, db.CheckEvents(ctx), "")

		late := begin(t, w, like.ID, "late.csv", 10)
		finish(t, w, &want.Files[0], storetest.Outcome("a", "x"))
		_, err = db.Submit(ctx, w.Steward, like.ID, 0)
		wantCode(t, err, "")
		wantCode(t, db.FinishUpload(ctx, w.Steward, late, blob), "wrong_state")
		_, err = db.CreateUpload(ctx, w.Steward, like.ID, catalog.Upload{Name: "later.csv", Size: 1})
		wantCode(t, err, "wrong_state")
	})
}

// TestUploadsAreBounded: in number for each user, and in time.
func TestUploadsAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	for name, dsn := range map[string]func(*testing.T) string{"sqlite": func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/taihu.db" }, "postgres": func(t *testing.T) string { return storetest.Postgres(t) }} {
		t.Run(name, func(t *testing.T) {
			clock := now
			db := storetest.Open(t, dsn(t), store.Options{Clock: func() time.Time { return clock }})
			w, ctx := storetest.NewWorld(t, db), t.Context()
			r := newDraft(t, w)
			live := begin(t, w, r.ID, "live.csv", 1000)
			dead := begin(t, w, r.ID, "dead.csv", 1000)
			if due, err := db.UploadsDue(ctx); err != nil || due != 2000 {
				t.Errorf("%d bytes are due: %v", due, err)
			}
			clock = now.Add(20 * time.Hour)
			wantCode(t, db.Received(ctx, live, 400), "")
			if due, err := db.UploadsDue(ctx); err != nil || due != 1600 {
				t.Errorf("%d bytes are due: %v", due, err)
			}
			clock = now.Add(25 * time.Hour)
			_, err := db.Upload(ctx, w.Steward, r.ID, dead.ID)
			wantCode(t, err, "unknown_upload") // also before anybody sweeps
			keep, err := db.ExpireUploads(ctx)
			if err != nil || len(keep) != 1 || keep[0] != live.ID {
				t.Errorf("kept: %v %v", keep, err)
			}
			wantCode(t, db.Received(ctx, dead, 1), "unknown_upload")
			wantCode(t, db.FailUpload(ctx, live, catalog.Failure{Code: "x", Message: catalog.Text{En: "because"}}), "")
			wantCode(t, db.Received(ctx, live, 500), "unknown_upload")
			if u, err := db.Upload(ctx, w.Steward, r.ID, live.ID); err != nil || u.Failure.Message.En != "because" || u.Received != 400 {
				t.Errorf("failed: %+v %v", u, err)
			}
			for i := range 200 {
				begin(t, w, r.ID, fmt.Sprintf("%d.csv", i), 1)
			}
			_, err = db.CreateUpload(ctx, w.Steward, r.ID, catalog.Upload{Name: "one.csv", Size: 1})
			wantCode(t, err, "too_many_uploads")
			_, err = db.Abandon(ctx, w.Steward, r.ID, 0)
			wantCode(t, err, "")
			if keep, err := db.ExpireUploads(ctx); err != nil || len(keep) != 0 {
				t.Errorf("of an abandoned draft are kept: %v %v", keep, err)
			}
		})
	}
}
