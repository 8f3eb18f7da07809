package store_test

import (
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

var ingest = []string{catalog.JobIngest}

func lease(t *testing.T, db *store.DB, worker string, d time.Duration) *catalog.Job {
	t.Helper()
	j, err := db.Lease(t.Context(), worker, ingest, d)
	wantCode(t, err, "")
	return j
}

func TestLateWorkerIsFencedOff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		put(t, w, newDraft(t, w).ID, "a.csv", "a")
		first := lease(t, db, "one", time.Millisecond)
		if first == nil || first.Attempt != 1 || first.Worker != "one" {
			t.Fatalf("leased %+v", first)
		}
		time.Sleep(20 * time.Millisecond) // paused past its lease
		second := lease(t, db, "two", time.Minute)
		if second == nil || second.ID != first.ID || second.Fence <= first.Fence || second.Attempt != 2 {
			t.Fatalf("leased %+v after %+v", second, first)
		}
		wantCode(t, db.Extend(ctx, first, time.Minute), "lease_lost")
		wantCode(t, db.Finish(ctx, first), "lease_lost")
		wantCode(t, db.Fail(ctx, first, "late", time.Now()), "lease_lost")
		wantCode(t, db.HandBack(ctx, first), "lease_lost")
		wantCode(t, db.Extend(ctx, second, time.Minute), "")
		wantCode(t, db.Finish(ctx, second), "")
		wantCode(t, db.Finish(ctx, second), "lease_lost")
		if j := lease(t, db, "three", time.Minute); j != nil {
			t.Fatalf("a finished job was leased: %+v", j)
		}
	})
}

// A file that brings down the process that reads it, twice, is refused: the
// steward sees a report, and no third process dies of it.
func TestPoisonFileIsRefusedAfterTwoTries(t *testing.T) {
	for name, crash := range map[string]func(t *testing.T, db *store.DB, j *catalog.Job){
		"process killed": func(*testing.T, *store.DB, *catalog.Job) { time.Sleep(10 * time.Millisecond) },
		"child killed": func(t *testing.T, db *store.DB, j *catalog.Job) {
			t.Helper()
			wantCode(t, db.Fail(t.Context(), j, "signal: killed", time.Now().UTC().Add(-time.Second)), "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w, ctx := storetest.NewWorld(t, db), t.Context()
				r := newDraft(t, w)
				put(t, w, r.ID, "a.csv", "a")
				for range 2 {
					j := lease(t, db, "one", time.Millisecond)
					if j == nil {
						t.Fatal("no job")
					}
					crash(t, db, j)
				}
				if j := lease(t, db, "one", time.Minute); j != nil {
					t.Fatalf("a third try: %+v", j)
				}
				dead, err := db.QuarantinedJobs(ctx, catalog.SystemActor)
				if err != nil || len(dead) != 1 {
					t.Fatalf("in quarantine: %+v, %v", dead, err)
				}
				_, err = db.QuarantinedJobs(ctx, w.Admin)
				wantCode(t, err, "not_allowed")
				got := draft(t, w, r.ID)
				if got.State != catalog.Rejected || got.Files[0].State != catalog.FileRefused || got.Files[0].Report.FirstError().Code != "check_failed" {
					t.Fatalf("the draft is %+v", got)
				}
				put(t, w, r.ID, "a.csv", "mended")
				if j := lease(t, db, "one", time.Minute); j == nil || j.Attempt != 1 {
					t.Fatalf("the mended file's job is %+v", j)
				}
			})
		})
	}
}

func TestJobsExistIfAndOnlyIfTheChangeDoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := w.ApprovedDraft(t, "water-level")
		pending := func() map[string]int {
			counts, err := db.PendingJobs(ctx)
			wantCode(t, err, "")
			return counts
		}
		before := pending()
		_, err := db.Publish(ctx, w.Stranger, r.ID, 0)
		wantCode(t, err, "unknown_draft")
		_, err = db.Publish(ctx, w.Reviewer, r.ID, r.RowVersion+7)
		wantCode(t, err, "stale_row_version")
		if after := pending(); after[catalog.JobIndex] != before[catalog.JobIndex] {
			t.Fatal("a refused publication left a job")
		}
		_, err = db.Publish(ctx, w.Reviewer, r.ID, 0)
		wantCode(t, err, "")
		if after := pending(); after[catalog.JobIndex] != before[catalog.JobIndex]+1 || after[catalog.JobWarm] != 1 {
			t.Fatalf("after publishing %v is pending", after)
		}
		select {
		case <-db.Wake():
		default:
			t.Error("nobody was woken")
		}
	})
}

func TestIndexEntries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		if _, ok, err := db.IndexEntry(ctx, w.Dataset.ID); ok || err != nil {
			t.Fatalf("an unpublished dataset has an entry, %v", err)
		}
		if _, ok, err := db.IndexEntry(ctx, "unknown"); ok || err != nil {
			t.Fatalf("an unknown dataset has an entry, %v", err)
		}
		w.Published(t, "water-level")
		e, ok, err := db.IndexEntry(ctx, w.Dataset.ID)
		if err != nil || !ok || e.Release.Number != 1 || len(e.Release.Tables) != 1 || len(e.Path) != 1 || e.Path[0].Slug != "shuiwu" {
			t.Fatalf("the entry is %+v, %v", e, err)
		}
		version := e.Version
		for what, change := range map[string]func() error{
			"dataset": func() error {
				d, err := db.Dataset(ctx, w.Steward, "water-level")
				if err != nil {
					return err
				}
				return db.UpdateDataset(ctx, w.Steward, d)
			},
			"organization": func() error { return db.UpdateOrganization(ctx, w.Admin, w.Organization) },
			"withdrawal and restoration": func() error {
				if _, err := db.Withdraw(ctx, w.Admin, "water-level", 1, "x"); err != nil {
					return err
				}
				_, err := db.Restore(ctx, w.Admin, "water-level", 1)
				return err
			},
		} {
			wantCode(t, change(), "")
			e, _, err := db.IndexEntry(ctx, w.Dataset.ID)
			if err != nil || e.Version <= version {
				t.Errorf("%s: the version went from %d to %d, %v", what, version, e.Version, err)
			}
			version = e.Version
		}
		for i := range 4 {
			slug := "more-" + string(rune('a'+i))
			w.NewDataset(t, slug)
			w.Published(t, slug)
		}
		var ids []string
		for after := ""; ; after = ids[len(ids)-1] {
			list, err := db.IndexEntries(ctx, after, 2)
			wantCode(t, err, "")
			for _, e := range list {
				ids = append(ids, e.Dataset.ID)
			}
			if len(list) < 2 {
				break
			}
		}
		if len(ids) != 5 {
			t.Errorf("%d entries, want 5", len(ids))
		}
		s, err := db.Stats(ctx)
		if want := (store.Stats{Datasets: 5, Releases: 5, Rows: 15, Cells: 30, Organizations: 1}); err != nil || s != want {
			t.Errorf("the figures are %+v, %v, want %+v", s, err, want)
		}
	})
}

func TestExportsAndReferencedBlobs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := w.Published(t, "water-level")
		_, err := db.Export(ctx, "k")
		wantCode(t, err, "unknown_export")
		e := &store.Export{Key: "k", Blob: storetest.Blob("export"), Rows: 3, MediaType: "text/csv"}
		wantCode(t, db.PutExport(ctx, e), "")
		wantCode(t, db.PutExport(ctx, &store.Export{Key: "k", Blob: storetest.Blob("another"), Rows: 9}), "")
		got, err := db.Export(ctx, "k")
		if err != nil || got.Blob != e.Blob || got.Rows != 3 || got.MediaType != "text/csv" {
			t.Fatalf("the export is %+v, %v", got, err)
		}
		needed := map[string]string{}
		err = db.ReferencedBlobs(ctx, func(b catalog.Blob, what string) error { needed[b.SHA256] = what; return nil })
		wantCode(t, err, "")
		for _, b := range []catalog.Blob{r.Files[0].Blob, r.Tables[0].Parts[0].Blob, r.Tables[0].TextBlob} {
			if needed[b.SHA256] == "" {
				t.Errorf("%v is not among %v", b, needed)
			}
		}
		if len(needed) != 3 { // exports lie in a store of their own
			t.Errorf("%d blobs are needed, want 3: %v", len(needed), needed)
		}
		gone := newDraft(t, w)
		put(t, w, gone.ID, "gone.csv", "gone")
		_, err = db.Abandon(ctx, w.Steward, gone.ID, 0)
		wantCode(t, err, "")
		n := 0
		err = db.ReferencedBlobs(ctx, func(catalog.Blob, string) error { n++; return nil })
		if err != nil || n != 3 {
			t.Errorf("%d blobs with an abandoned draft, %v", n, err)
		}
		wantCode(t, db.DeleteExport(ctx, "k"), "")
		_, err = db.Export(ctx, "k")
		wantCode(t, err, "unknown_export")
	})
}

func TestForgetOldExports(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		for _, key := range []string{"old", "used", "twin", "new"} {
			b := catalog.Blob{SHA256: storetest.Blob(key).SHA256, Size: 100}
			if key == "twin" { // the same bytes under another key
				b.SHA256 = storetest.Blob("old").SHA256
			}
			wantCode(t, db.PutExport(ctx, &store.Export{Key: key, Blob: b, MediaType: "text/csv"}), "")
			time.Sleep(2 * time.Millisecond)
		}
		wantCode(t, db.UseExport(ctx, "used"), "")
		unused, err := db.ForgetOldExports(ctx, 400)
		if err != nil || len(unused) != 0 {
			t.Errorf("within bounds: %v, %v", unused, err)
		}
		unused, err = db.ForgetOldExports(ctx, 399)
		if err != nil || len(unused) != 0 { // old is gone, its bytes are the twin's too
			t.Errorf("one must go: %v, %v", unused, err)
		}
		_, err = db.Export(ctx, "old")
		wantCode(t, err, "unknown_export")
		unused, err = db.ForgetOldExports(ctx, 150)
		if err != nil || len(unused) != 2 {
			t.Errorf("two must go: %v, %v", unused, err)
		}
		_, err = db.Export(ctx, "used")
		wantCode(t, err, "")
	})
}

// TestFailedJobsComeBack: index jobs that were given up, or wait long, while the
// engine was away are run when it is there again, and only they.
func TestFailedJobsComeBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		index := []string{catalog.JobIndex}
		if n, err := db.ResumeJobs(ctx, catalog.JobIndex); n != 0 || err != nil {
			t.Fatalf("resumed %d, %v", n, err)
		}
		must := func(err error) {
			t.Helper()
			wantCode(t, err, "")
		}
		for _, id := range []string{"one", "two", "three"} {
			must(db.Enqueue(ctx, catalog.JobIndex, catalog.IndexArgs{DatasetID: id}))
		}
		must(db.Enqueue(ctx, catalog.JobWarm, catalog.WarmArgs{ReleaseID: "r"}))
		fail := func(kinds []string, after time.Duration) {
			t.Helper()
			j, err := db.Lease(ctx, "w", kinds, time.Minute)
			must(err)
			must(db.Fail(ctx, j, "down", time.Now().Add(after)))
		}
		for range catalog.JobAttempts[catalog.JobIndex] { // the first one fails until it is given up
			fail(index, -time.Hour)
		}
		fail(index, time.Hour)
		fail([]string{catalog.JobWarm}, time.Hour)
		b, err := db.JobBacklog(ctx, catalog.SystemActor, catalog.JobIndex)
		must(err)
		if b.Waiting != 2 || len(b.Failed) != 1 || b.Failed[0].Error != "down" || time.Since(b.Oldest) > time.Minute || b.Oldest.IsZero() {
			t.Errorf("the backlog is %+v", b)
		}
		_, err = db.JobBacklog(ctx, w.Admin, catalog.JobIndex)
		wantCode(t, err, "not_allowed")
		n, err := db.ResumeJobs(ctx, catalog.JobIndex)
		must(err)
		if n != 1 {
			t.Errorf("%d were begun again, want 1", n)
		}
		for range 3 {
			j, err := db.Lease(ctx, "w", index, time.Minute)
			must(err)
			if j == nil {
				t.Fatal("a job waits on")
			}
			must(db.Finish(ctx, j))
		}
		if j, err := db.Lease(ctx, "w", []string{catalog.JobWarm}, time.Minute); j != nil || err != nil {
			t.Errorf("a job of another kind was begun too: %+v, %v", j, err)
		}
		b, err = db.JobBacklog(ctx, catalog.SystemActor, catalog.JobIndex)
		must(err)
		if b.Waiting != 0 || len(b.Failed) != 0 || !b.Oldest.IsZero() {
			t.Errorf("the backlog is %+v", b)
		}
		must(db.CheckEvents(ctx))
	})
}
