package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"taihu/catalog"
	"taihu/catalog/job"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// start runs a runner until stop is called.
func start(t *testing.T, r *job.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// soon fails unless ok becomes true within ten seconds.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("this did not come about: " + what)
		}
	}
}

func pending(t *testing.T, db *store.DB) int {
	t.Helper()
	counts, err := db.PendingJobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

func TestRunnerBeginsAtOnceAndFinishes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		got := make(chan string, 1)
		start(t, &job.Runner{Queue: db, Poll: time.Hour, Handlers: map[string]job.Handler{catalog.JobIndex: func(_ context.Context, j *job.Job) error {
			var a catalog.IndexArgs
			err := json.Unmarshal(j.Args, &a)
			got <- a.DatasetID
			return err
		}}})
		time.Sleep(100 * time.Millisecond) // let it fall asleep: only the wake-up can make it look
		if err := db.Enqueue(t.Context(), catalog.JobIndex, catalog.IndexArgs{DatasetID: "d1"}); err != nil {
			t.Fatal(err)
		}
		select {
		case id := <-got:
			if id != "d1" {
				t.Fatalf("got %q", id)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the job was not begun")
		}
		soon(t, "no job pending", func() bool { return pending(t, db) == 0 })
	})
}

// TestRunnerBeginsAtTheTime: a job of a time to come is begun then, not when the
// runner happens to look again.
func TestRunnerBeginsAtTheTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var tries atomic.Int64
		start(t, &job.Runner{Queue: db, Poll: time.Hour, Backoff: 400 * time.Millisecond, Handlers: map[string]job.Handler{catalog.JobIndex: func(context.Context, *job.Job) error {
			if tries.Add(1) == 1 {
				return errors.New("not yet") // again after the pause
			}
			return nil
		}}})
		if err := db.Enqueue(t.Context(), catalog.JobIndex, catalog.IndexArgs{DatasetID: "d1"}); err != nil {
			t.Fatal(err)
		}
		soon(t, "no job pending", func() bool { return pending(t, db) == 0 })
		if tries.Load() != 2 {
			t.Errorf("%d tries", tries.Load())
		}
	})
}

func TestRunnerRetriesThenQuarantines(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var tries atomic.Int64
		start(t, &job.Runner{Queue: db, Poll: 10 * time.Millisecond, Backoff: time.Millisecond, Handlers: map[string]job.Handler{catalog.JobWarm: func(context.Context, *job.Job) error {
			if tries.Add(1)%2 == 0 {
				panic("boom")
			}
			return errors.New("no room")
		}}})
		if err := db.Enqueue(t.Context(), catalog.JobWarm, catalog.WarmArgs{ReleaseID: "r1"}); err != nil {
			t.Fatal(err)
		}
		var dead []catalog.Job
		soon(t, "the job in quarantine", func() bool {
			var err error
			if dead, err = db.QuarantinedJobs(t.Context(), catalog.SystemActor); err != nil {
				t.Fatal(err)
			}
			return len(dead) == 1
		})
		if want := catalog.JobAttempts[catalog.JobWarm]; tries.Load() != int64(want) || dead[0].Attempt != want || dead[0].Error != "no room" {
			t.Fatalf("%d tries, job %+v", tries.Load(), dead[0])
		}
		if err := db.RetryJob(t.Context(), catalog.SystemActor, dead[0].ID); err != nil {
			t.Fatal(err)
		}
		soon(t, "another try", func() bool { return tries.Load() > int64(catalog.JobAttempts[catalog.JobWarm]) })
	})
}

func TestRunnerStopsGracefully(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		began := make(chan struct{}, 2)
		finish := make(chan struct{})
		stop := start(t, &job.Runner{Queue: db, Grace: 300 * time.Millisecond, Handlers: map[string]job.Handler{
			catalog.JobIndex: func(context.Context, *job.Job) error { began <- struct{}{}; <-finish; return nil },
			catalog.JobWarm:  func(ctx context.Context, _ *job.Job) error { began <- struct{}{}; <-ctx.Done(); return ctx.Err() },
		}})
		for _, kind := range []string{catalog.JobIndex, catalog.JobWarm} {
			if err := db.Enqueue(t.Context(), kind, struct{}{}); err != nil {
				t.Fatal(err)
			}
		}
		<-began
		<-began
		go func() { time.Sleep(50 * time.Millisecond); close(finish) }()
		stop()
		counts, err := db.PendingJobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if counts[catalog.JobIndex] != 0 || counts[catalog.JobWarm] != 1 {
			t.Fatalf("left %v, want the one that does not end to be handed back", counts)
		}
		j, err := db.Lease(t.Context(), "next", []string{catalog.JobWarm}, time.Minute)
		if err != nil || j == nil || j.Attempt != 1 {
			t.Fatalf("the job handed back comes as %+v, %v", j, err)
		}
	})
}

// slowQueue lets the store's clock go on by most of a lease with every
// extension, so that a job is long without the test being so.
type slowQueue struct {
	*store.DB
	clock      *atomic.Int64 // nanoseconds
	extensions *atomic.Int64
}

func (q slowQueue) Extend(ctx context.Context, j *job.Job, lease time.Duration) error {
	err := q.DB.Extend(ctx, j, lease)
	if err == nil {
		q.extensions.Add(1)
		q.clock.Add(int64(lease) * 9 / 10)
	}
	return err
}

func TestRunnerKeepsLongJobsAndLeavesLostOnes(t *testing.T) {
	for name, dsn := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "t.db") },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			var clock, extensions, runs atomic.Int64
			clock.Store(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC).UnixNano())
			db := storetest.Open(t, dsn(t), store.Options{Clock: func() time.Time { return time.Unix(0, clock.Load()).UTC() }})
			finish, began, lost := make(chan struct{}), make(chan struct{}, 9), make(chan error, 9)
			handlers := map[string]job.Handler{
				catalog.JobIndex: func(ctx context.Context, _ *job.Job) error {
					runs.Add(1)
					select {
					case <-finish:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				},
				catalog.JobWarm: func(ctx context.Context, _ *job.Job) error {
					began <- struct{}{}
					<-ctx.Done()
					lost <- ctx.Err()
					return ctx.Err()
				},
			}
			q := slowQueue{DB: db, clock: &clock, extensions: &extensions}
			runner := func() *job.Runner {
				return &job.Runner{Queue: q, Lease: 150 * time.Millisecond, Poll: 10 * time.Millisecond, Handlers: handlers}
			}
			stop1, stop2 := start(t, runner()), start(t, runner())
			if err := db.Enqueue(t.Context(), catalog.JobIndex, struct{}{}); err != nil {
				t.Fatal(err)
			}
			soon(t, "four leases pass", func() bool { return extensions.Load() >= 5 })
			close(finish)
			soon(t, "the job done", func() bool { return pending(t, db) == 0 })
			if runs.Load() != 1 {
				t.Fatalf("the job ran %d times though its lease was extended", runs.Load())
			}

			stop1()
			stop2()

			// Now the lease runs out under a running job, and another worker takes it.
			start(t, &job.Runner{Queue: q, Workers: 1, Lease: 150 * time.Millisecond, Poll: 10 * time.Millisecond, Handlers: handlers})
			if err := db.Enqueue(t.Context(), catalog.JobWarm, struct{}{}); err != nil {
				t.Fatal(err)
			}
			<-began
			var thief *catalog.Job
			soon(t, "the job taken over", func() bool {
				clock.Add(int64(time.Hour))
				var err error
				if thief, err = db.Lease(t.Context(), "thief", []string{catalog.JobWarm}, 100000*time.Hour); err != nil {
					t.Fatal(err)
				}
				return thief != nil
			})
			select {
			case <-lost:
			case <-time.After(10 * time.Second):
				t.Fatal("the handler was not told that the lease is lost")
			}
			if err := db.Finish(t.Context(), thief); err != nil {
				t.Fatalf("the new holder was disturbed: %v", err)
			}
		})
	}
}

func TestManyRunnersRunEachJobOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const n = 60
		var mu sync.Mutex
		var ran []string
		for range 4 {
			start(t, &job.Runner{Queue: db, Workers: 3, Poll: 10 * time.Millisecond, Handlers: map[string]job.Handler{catalog.JobIndex: func(_ context.Context, j *job.Job) error {
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, j.ID)
				return nil
			}}})
		}
		for range n {
			if err := db.Enqueue(t.Context(), catalog.JobIndex, struct{}{}); err != nil {
				t.Fatal(err)
			}
		}
		soon(t, "all jobs done", func() bool { return pending(t, db) == 0 })
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(ran)
		if len(ran) != n || len(slices.Compact(ran)) != n {
			t.Fatalf("%d runs of %d jobs", len(ran), n)
		}
	})
}

func TestRunnerLeavesNoGoroutine(t *testing.T) {
	db := storetest.SQLite(t)
	before := goleak.IgnoreCurrent()
	stop := start(t, &job.Runner{Queue: db, Handlers: map[string]job.Handler{catalog.JobIndex: func(context.Context, *job.Job) error { return nil }}})
	if err := db.Enqueue(t.Context(), catalog.JobIndex, struct{}{}); err != nil {
		t.Fatal(err)
	}
	soon(t, "the job done", func() bool { return pending(t, db) == 0 })
	stop()
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("database/sql.(*DB).connectionOpener"), goleak.IgnoreTopFunction("database/sql.(*Tx).awaitDone"))
}
