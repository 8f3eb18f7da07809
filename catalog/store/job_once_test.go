package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// TestIndexJobsWaitOnce: however often a dataset changes while its index job waits,
// one waits, at once and with all its attempts; a change while it runs has its own.
func TestIndexJobsWaitOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.Published(t, "water-level")
		index := []string{catalog.JobIndex}
		change := func() {
			t.Helper()
			d, err := db.Dataset(ctx, w.Steward, "water-level")
			wantCode(t, err, "")
			wantCode(t, db.UpdateDataset(ctx, w.Steward, d), "")
		}
		waiting := func(want int) {
			t.Helper()
			if counts, err := db.PendingJobs(ctx); err != nil || counts[catalog.JobIndex] != want {
				t.Fatalf("%v is pending, want %d index jobs; %v", counts, want, err)
			}
		}
		lease := func() *catalog.Job {
			t.Helper()
			j, err := db.Lease(ctx, "w", index, time.Minute)
			if err != nil || j == nil {
				t.Fatalf("leased %v, %v", j, err)
			}
			return j
		}
		change()
		change()
		waiting(1)
		running := lease()
		change()
		waiting(2)
		change()
		waiting(2)
		wantCode(t, db.Fail(ctx, running, "away", time.Now().Add(time.Hour)), "")
		second := lease()
		wantCode(t, db.Fail(ctx, second, "away", time.Now().Add(time.Hour)), "")
		if j, err := db.Lease(ctx, "w", index, time.Minute); j != nil || err != nil {
			t.Fatalf("leased %v before its time, %v", j, err)
		}
		change() // brings both forward
		waiting(2)
		if j := lease(); j.Attempt != 1 {
			t.Errorf("attempt %d, want the first", j.Attempt)
		}
	})
}

// TestNoChangeIsMissed: jobs are leased while the dataset changes; the last one to run
// has seen the last change.
func TestNoChangeIsMissed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.Published(t, "water-level")
		var seen atomic.Int64
		work := func() bool {
			j, err := db.Lease(ctx, "w", []string{catalog.JobIndex}, time.Minute)
			if err != nil {
				t.Error(err)
			}
			if j == nil {
				return false
			}
			e, _, err := db.IndexEntry(ctx, w.Dataset.ID)
			if err != nil {
				t.Error(err)
			}
			for old := seen.Load(); e.Version > old && !seen.CompareAndSwap(old, e.Version); old = seen.Load() {
			}
			if err := db.Finish(ctx, j); err != nil {
				t.Error(err)
			}
			return true
		}
		stop := make(chan struct{})
		var workers, writers sync.WaitGroup
		for range 2 {
			workers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						work()
					}
				}
			})
		}
		for range 3 {
			writers.Go(func() {
				for range 60 {
					d, err := db.Dataset(ctx, w.Steward, "water-level")
					if err == nil {
						err = db.UpdateDataset(ctx, w.Steward, d)
					}
					if err != nil && catalog.CodeOf(err) != "stale_row_version" {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		close(stop)
		workers.Wait()
		for work() {
		}
		if e, _, err := db.IndexEntry(ctx, w.Dataset.ID); err != nil || e.Version != seen.Load() {
			t.Errorf("the dataset has version %d, the last job saw %d; %v", e.Version, seen.Load(), err)
		}
	})
}
