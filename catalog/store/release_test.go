package store_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// wantCode fails unless err has that code; "" means no error.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if code == "" && err != nil || catalog.CodeOf(err) != code {
		t.Fatalf("got %v (code %q), want code %q", err, catalog.CodeOf(err), code)
	}
}

func TestFromDraftToReleaseAndBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		before, err := db.Dataset(ctx, w.Steward, "water-level")
		wantCode(t, err, "")

		r := w.ReadyDraft(t, "water-level")
		if len(r.Tables) != 1 || r.Tables[0].Name != "readings" || r.Tables[0].Schema.Fields[0].ID == "" || r.Files[0].State != catalog.FileAccepted || r.Files[0].Report == nil {
			t.Fatalf("the draft is %+v", r)
		}
		_, err = db.Dataset(ctx, catalog.Actor{}, "water-level")
		wantCode(t, err, "unknown_dataset") // nothing published: nobody outside knows

		_, err = db.Publish(ctx, w.Reviewer, r.ID, 0)
		wantCode(t, err, "wrong_state")
		submitted, err := db.Submit(ctx, w.Steward, r.ID, r.RowVersion)
		wantCode(t, err, "")
		_, err = db.Approve(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "not_allowed")
		_, err = db.Approve(ctx, w.Reviewer, r.ID, r.RowVersion)
		wantCode(t, err, "stale_row_version")
		_, err = db.Approve(ctx, w.Reviewer, r.ID, submitted.RowVersion)
		wantCode(t, err, "")
		published, err := db.Publish(ctx, w.Reviewer, r.ID, 0)
		wantCode(t, err, "")
		if published.Number != 1 || published.State != catalog.Published || published.PublishedAt == nil || len(published.Tables) != 1 {
			t.Fatalf("published %+v", published)
		}

		d, latest, err := db.Release(ctx, catalog.Actor{}, "water-level", 0)
		wantCode(t, err, "")
		if latest.Number != 1 || d.LatestNumber != 1 || latest.Tables[0].Parts[0].Rows != 3 || latest.Tables[0].Profile == nil {
			t.Fatalf("latest is %+v", latest)
		}
		if !d.CatalogueAt.Equal(before.CatalogueAt) {
			t.Error("publishing changed the catalogue date")
		}
		if _, offset := d.CreatedAt.Zone(); offset != 0 {
			t.Errorf("times come back in %v, not in UTC", d.CreatedAt.Location())
		}
		w.Published(t, "water-level")
		list, err := db.Releases(ctx, catalog.Actor{}, "water-level")
		wantCode(t, err, "")
		if len(list) != 2 || list[0].Number != 2 || list[1].Number != 1 || len(list[0].Tables) != 1 || len(list[1].Files) != 1 {
			t.Fatalf("releases are %+v", list)
		}
		if list[0].Tables[0].Schema.Fields[1].ID != list[1].Tables[0].Schema.Fields[1].ID {
			t.Error("the id of a column changed from release to release")
		}

		_, err = db.Withdraw(ctx, w.Reviewer, "water-level", 2, "wrong unit")
		wantCode(t, err, "not_allowed")
		_, err = db.Withdraw(ctx, w.Admin, "water-level", 2, "wrong unit")
		wantCode(t, err, "")
		_, latest, err = db.Release(ctx, catalog.Actor{}, "water-level", 0)
		wantCode(t, err, "")
		if latest.Number != 1 {
			t.Fatalf("latest is %d after release 2 was withdrawn", latest.Number)
		}
		_, stone, err := db.Release(ctx, catalog.Actor{}, "water-level", 2)
		wantCode(t, err, "")
		if stone.State != catalog.Withdrawn || stone.WithdrawnWhy != "wrong unit" || stone.Tables[0].Parts != nil || stone.Files[0].Blob.SHA256 != "" {
			t.Fatalf("the tombstone is %+v", stone)
		}
		_, err = db.Withdraw(ctx, w.Admin, "water-level", 1, "that one too")
		wantCode(t, err, "")
		_, _, err = db.Release(ctx, catalog.Actor{}, "water-level", 0)
		wantCode(t, err, "withdrawn")
		_, err = db.Restore(ctx, w.Admin, "water-level", 1)
		wantCode(t, err, "")
		if r := w.Published(t, "water-level"); r.Number != 3 {
			t.Fatalf("the next number is %d, want 3", r.Number)
		}
		_, _, err = db.Release(ctx, catalog.Actor{}, "water-level", 9)
		wantCode(t, err, "unknown_release")
		wantCode(t, db.CheckEvents(ctx), "")
		if err := db.CheckEvents(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTwoStewardsPublishAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := storetest.NewWorld(t, db)
		r := w.ApprovedDraft(t, "water-level")
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, actor := range []catalog.Actor{w.Reviewer, w.Admin} {
			wg.Go(func() { _, errs[i] = db.Publish(t.Context(), actor, r.ID, r.RowVersion) })
		}
		wg.Wait()
		codes := []string{catalog.CodeOf(errs[0]), catalog.CodeOf(errs[1])}
		slices.Sort(codes)
		if !slices.Equal(codes, []string{"", "wrong_state"}) || errs[0] != nil && errs[1] != nil {
			t.Fatalf("got %v and %v, want one to win and the other to be told", errs[0], errs[1])
		}
	})
}

// TestVersionsTellWhatBreaks: a release without a label gets a computed version; one
// that breaks readers' programs is not submitted without a word about it.
func TestVersionsTellWhatBreaks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		publish := func(label string, columns ...string) string {
			r := newDraft(t, w)
			f := put(t, w, r.ID, "a.csv", strings.Join(columns, ","))
			finish(t, w, f, storetest.Outcome("a", columns...))
			if label != "" {
				_, err := db.UpdateDraft(ctx, w.Steward, r.ID, 0, store.DraftEdit{Version: label})
				wantCode(t, err, "")
			}
			_, err := db.Submit(ctx, w.Steward, r.ID, 0)
			if catalog.CodeOf(err) == "major_change" {
				if draft(t, w, r.ID).State != catalog.Ready {
					t.Error("a refused draft was moved")
				}
				_, err = db.UpdateDraft(ctx, w.Steward, r.ID, 0, store.DraftEdit{Notes: catalog.Text{Zh: "列b不再提供"}})
				wantCode(t, err, "")
				_, err = db.Submit(ctx, w.Steward, r.ID, 0)
			} else if len(columns) == 1 {
				t.Errorf("a column is gone, and nothing was asked: %v", err)
			}
			wantCode(t, err, "")
			_, err = db.Approve(ctx, w.Reviewer, r.ID, 0)
			wantCode(t, err, "")
			got, err := db.Publish(ctx, w.Reviewer, r.ID, 0)
			wantCode(t, err, "")
			return got.Version
		}
		for _, c := range []struct{ label, columns, want string }{
			{"", "a,b", "1.0.0"}, {"", "a,b", "1.0.1"}, {"", "a,b,c", "1.1.0"}, {"2026Q4", "a,b,c", "2026Q4"}, {"", "a", "2.0.0"}, {"", "a,x", "2.1.0"},
		} {
			if got := publish(c.label, strings.Split(c.columns, ",")...); got != c.want {
				t.Errorf("a release of %s is version %q, want %q", c.columns, got, c.want)
			}
		}
	})
}

// TestScheduledIsPublishedOnceAndNotBefore: the job of a time does nothing before
// it, nor where the time was taken back; of several jobs one publishes.
func TestScheduledIsPublishedOnceAndNotBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := w.ApprovedDraft(t, "water-level")
		for _, at := range []time.Time{{}, catalog.Now().Add(-time.Second), catalog.Now().AddDate(6, 0, 0)} {
			_, err := db.Schedule(ctx, w.Reviewer, r.ID, at, 0)
			wantCode(t, err, "bad_publish_at")
		}
		_, err := db.Schedule(ctx, w.Steward, r.ID, catalog.Now().Add(time.Hour), 0)
		wantCode(t, err, "not_allowed")
		later, err := db.Schedule(ctx, w.Reviewer, r.ID, catalog.Now().Add(time.Hour), r.RowVersion)
		wantCode(t, err, "")
		if later.State != catalog.Scheduled || later.PublishAt == nil {
			t.Fatalf("got %+v", later)
		}
		wantCode(t, db.PublishDue(ctx, r.ID), "") // too early
		if got := draft(t, w, r.ID).State; got != catalog.Scheduled {
			t.Fatalf("an hour before its time the draft is %s", got)
		}
		_, err = db.Unschedule(ctx, w.Reviewer, r.ID, 0)
		wantCode(t, err, "")
		wantCode(t, db.PublishDue(ctx, r.ID), "") // of the time that was taken back
		if got := draft(t, w, r.ID); got.State != catalog.Approved || got.PublishAt != nil {
			t.Fatalf("taken back, the draft is %s", got.State)
		}
		at := catalog.Now().Add(1500 * time.Millisecond)
		_, err = db.Schedule(ctx, w.Reviewer, r.ID, at, 0)
		wantCode(t, err, "")
		j, err := db.Lease(ctx, "here", []string{catalog.JobPublish}, time.Minute)
		if err != nil || j != nil {
			t.Fatalf("a job is due before its time: %+v, %v", j, err)
		}
		time.Sleep(time.Until(at) + 10*time.Millisecond)
		if j, err = db.Lease(ctx, "here", []string{catalog.JobPublish}, time.Minute); err != nil || j == nil {
			t.Fatalf("no job is due at its time: %v", err)
		}
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() { wantCode(t, db.PublishDue(ctx, r.ID), "") })
		}
		wait.Wait()
		_, got, err := db.Release(ctx, catalog.Actor{}, "water-level", 1)
		if err != nil || got.State != catalog.Published || got.PublishedAt.Before(at) {
			t.Fatalf("got %+v, %v", got, err)
		}
		wantCode(t, db.CheckEvents(ctx), "")
	})
}

// TestMissedItsTime: what cannot be published when its time comes waits for people
// again, and says why: rows were added to what is no longer the newest release, or
// the job was given up.
func TestMissedItsTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx, system := storetest.NewWorld(t, db), t.Context(), catalog.SystemActor
		w.Published(t, "water-level")
		missed := func(id, code string) {
			t.Helper()
			r := draft(t, w, id)
			if r.State != catalog.Approved || r.PublishAt != nil || r.Comment == "" || r.Number != 0 {
				t.Errorf("%s: the draft is %s, to be published at %v, with the comment %q", code, r.State, r.PublishAt, r.Comment)
			}
			events, err := db.Events(ctx, w.Dataset.ID)
			wantCode(t, err, "")
			last := events[len(events)-1]
			if last.Verb != "draft.unscheduled" || last.Actor != system.ID() || last.Object != id || !strings.Contains(string(last.Facts), `"code":"`+code+`"`) {
				t.Errorf("%s: the last event is %s by %s: %s", code, last.Verb, last.Actor, last.Facts)
			}
		}
		schedule := func(id string) time.Time {
			t.Helper()
			at := catalog.Now().Add(300 * time.Millisecond)
			_, err := db.Schedule(ctx, w.Reviewer, id, at, 0)
			wantCode(t, err, "")
			if r := draft(t, w, id); r.Comment != "" {
				t.Errorf("a new time keeps the comment %q", r.Comment)
			}
			return at
		}

		r := newDraft(t, w)
		f, err := db.PutFile(ctx, w.Steward, r.ID, store.Upload{Name: "more.csv", Blob: storetest.Blob("more"), Options: catalog.IngestOptions{Mode: catalog.Append, Table: "readings"}})
		wantCode(t, err, "")
		grown := storetest.Outcome("readings", "站点", "水位")
		grown.Report.Base = 1
		finish(t, w, f, grown)
		_, err = db.Submit(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "")
		_, err = db.Approve(ctx, w.Reviewer, r.ID, 0)
		wantCode(t, err, "")
		at := schedule(r.ID)
		w.Published(t, "water-level")
		time.Sleep(time.Until(at) + 10*time.Millisecond)
		wantCode(t, db.PublishDue(ctx, r.ID), "")
		missed(r.ID, "base_changed")
		wantCode(t, db.PublishDue(ctx, r.ID), "") // the job ran twice
		missed(r.ID, "base_changed")

		for { // jobs of before
			if j, err := db.Lease(ctx, "here", []string{catalog.JobPublish}, time.Minute); err != nil || j == nil {
				break
			}
		}
		r = w.ApprovedDraft(t, "water-level")
		at = schedule(r.ID)
		time.Sleep(time.Until(at) + 10*time.Millisecond)
		for range catalog.JobAttempts[catalog.JobPublish] {
			j, err := db.Lease(ctx, "here", []string{catalog.JobPublish}, time.Minute)
			if err != nil || j == nil {
				t.Fatalf("no job is due: %v", err)
			}
			wantCode(t, db.Fail(ctx, j, "no room", catalog.Now()), "")
		}
		missed(r.ID, "publishing_failed")
		schedule(r.ID)
		wantCode(t, db.CheckEvents(ctx), "")
	})
}

func TestConcurrentPublishesNumberWithoutGaps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		const n = 12
		ids := make([]string, n)
		for i := range ids {
			ids[i] = w.ApprovedDraft(t, "water-level").ID
		}
		var wg sync.WaitGroup
		for _, id := range ids {
			for range 2 { // each twice: one of them must lose
				wg.Go(func() { _, _ = db.Publish(ctx, w.Reviewer, id, 0) })
			}
		}
		wg.Go(func() { // withdrawing meanwhile takes no number away
			for range 20 {
				_, _ = db.Withdraw(ctx, w.Admin, "water-level", 1, "test")
				_, _ = db.Restore(ctx, w.Admin, "water-level", 1)
			}
		})
		wg.Wait()
		list, err := db.Releases(ctx, w.Steward, "water-level")
		wantCode(t, err, "")
		var got []int
		for _, r := range list {
			got = append(got, r.Number)
		}
		slices.Sort(got)
		want := make([]int, n)
		for i := range want {
			want[i] = i + 1
		}
		if !slices.Equal(got, want) {
			t.Fatalf("numbers are %v, want %v", got, want)
		}
		d, err := db.Dataset(ctx, w.Steward, "water-level")
		wantCode(t, err, "")
		if d.LatestNumber != n {
			t.Errorf("latest is %d, want %d", d.LatestNumber, n)
		}
		if err := db.CheckEvents(ctx); err != nil {
			t.Error(err)
		}
	})
}
