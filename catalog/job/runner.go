package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"taihu/catalog"
)

// Runner runs jobs until its context ends. Set Queue and Handlers; the other
// fields have defaults.
type Runner struct {
	Queue    Queue
	Handlers map[string]Handler // kind → what to do
	Workers  int                // jobs at a time; 0: 2
	Poll     time.Duration      // how often to look without being woken; 0: 2 s
	Lease    time.Duration      // 0: 60 s; extended three times as often
	Grace    time.Duration      // how long running jobs may take to finish after the stop; 0: 20 s
	Backoff  time.Duration      // wait after the first failure, doubled each time, at most 10 minutes; 0: 2 s
	Name     string             // of this worker in the queue; empty: host and process
	Clock    catalog.Clock
	Log      *slog.Logger
}

const (
	longestBackoff = 10 * time.Minute
	// queueTime bounds a call of the queue after the runner was stopped.
	queueTime = 10 * time.Second
	// longestReason is how much of an error the queue keeps.
	longestReason = 2000
)

// errStopped and errLeaseLost are why the context of a job can end.
var (
	errStopped   = errors.New("the runner stops")
	errLeaseLost = errors.New("the lease was lost")
)

func (r *Runner) defaults() {
	set := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	set(&r.Poll, 2*time.Second)
	set(&r.Lease, time.Minute)
	set(&r.Grace, 20*time.Second)
	set(&r.Backoff, 2*time.Second)
	if r.Workers <= 0 {
		r.Workers = 2
	}
	if r.Clock == nil {
		r.Clock = catalog.Now
	}
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	if r.Name == "" {
		host, _ := os.Hostname()
		r.Name = fmt.Sprintf("%s:%d", host, os.Getpid())
	}
}

// Run works until ctx ends. Then it takes no more jobs, gives the running ones
// Grace to finish, cancels and hands back the rest, and returns nil; an error
// where a handler does not even then return.
func (r *Runner) Run(ctx context.Context) error {
	r.defaults()
	if len(r.Handlers) == 0 {
		return errors.New("run jobs: there are no handlers")
	}
	kinds := slices.Sorted(maps.Keys(r.Handlers))
	jobs, stopJobs := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopJobs(errStopped)
	seats := make(chan struct{}, r.Workers)
	var running sync.WaitGroup
	for r.seat(ctx, seats) {
		j, err := r.Queue.Lease(ctx, r.Name, kinds, r.Lease)
		if err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "no job could be leased", "error", err)
		}
		if j == nil {
			<-seats
			r.wait(ctx, kinds)
			continue
		}
		running.Go(func() {
			defer func() { <-seats }()
			r.run(jobs, j)
		})
	}
	idle := make(chan struct{})
	go func() { running.Wait(); close(idle) }()
	select {
	case <-idle:
		return nil
	case <-time.After(r.Grace):
		stopJobs(errStopped)
	}
	select {
	case <-idle:
		return nil
	case <-time.After(r.Grace + queueTime): // their leases run out and the jobs come again
		return errors.New("run jobs: some did not stop when told to")
	}
}

// seat waits until a job may be begun; false where the runner stops.
func (r *Runner) seat(ctx context.Context, seats chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case seats <- struct{}{}:
		if ctx.Err() != nil { // both were ready
			<-seats
			return false
		}
		return true
	}
}

// wait returns when a job may be due: woken, at the time of the next one, or after
// about Poll.
func (r *Runner) wait(ctx context.Context, kinds []string) {
	pause := r.Poll*3/4 + rand.N(r.Poll/2+1)
	at, known, err := r.Queue.NextDue(ctx, kinds)
	if err != nil && ctx.Err() == nil {
		r.Log.ErrorContext(ctx, "it could not be seen when the next job is due", "error", err)
	}
	if until := at.Sub(r.Clock()); known && until > 0 { // one of before is another runner's
		pause = min(pause, until+time.Millisecond)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-r.Queue.Wake():
	case <-timer.C:
	}
}

// run does one job and tells the queue how it ended.
func (r *Runner) run(ctx context.Context, j *Job) {
	log := r.Log.With("job_id", j.ID, "kind", j.Kind, "attempt", j.Attempt)
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var keeper sync.WaitGroup
	keeper.Go(func() { r.keep(work, cancel, j, log) })
	began := time.Now()
	err := r.handle(work, j)
	cause := context.Cause(work)
	cancel(nil)
	keeper.Wait()

	tell, done := context.WithTimeout(context.WithoutCancel(ctx), queueTime)
	defer done()
	took := slog.Duration("duration", time.Since(began))
	switch {
	case errors.Is(cause, errLeaseLost):
		log.WarnContext(tell, "another worker took the job over", took)
		return
	case err == nil:
		err = r.Queue.Finish(tell, j)
		log.InfoContext(tell, "job done", took)
	case errors.Is(cause, errStopped):
		log.InfoContext(tell, "job handed back at the stop", took)
		err = r.Queue.HandBack(tell, j)
	default:
		level := slog.LevelWarn
		if j.Attempt >= j.MaxAttempts {
			level = slog.LevelError
		}
		log.Log(tell, level, "job failed", "error", err, took)
		err = r.Queue.Fail(tell, j, reason(err), r.Clock().Add(r.backoff(j.Attempt)))
	}
	if err != nil { // the lease runs out and the job comes again
		log.ErrorContext(tell, "the end of the job could not be noted", "error", err)
	}
}

// handle calls the handler; a panic is an error of the job, not of the process.
func (r *Runner) handle(ctx context.Context, j *Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return r.Handlers[j.Kind](ctx, j)
}

// keep extends the lease while the job runs and cancels it where the lease is
// lost. An extension that fails otherwise is tried again before the lease ends.
func (r *Runner) keep(ctx context.Context, cancel context.CancelCauseFunc, j *Job, log *slog.Logger) {
	ticker := time.NewTicker(r.Lease / 3)
	defer ticker.Stop()
	// A copy: the handler may read j meanwhile, and Extend writes.
	own := *j
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := r.Queue.Extend(ctx, &own, r.Lease)
		switch {
		case err == nil || ctx.Err() != nil:
		case catalog.KindOf(err) == catalog.Conflict:
			cancel(errLeaseLost)
			return
		default:
			log.WarnContext(ctx, "the lease could not be extended", "error", err)
		}
	}
}

// backoff is how long to wait after a failed attempt: doubled each time, with up
// to half of it at random, so that many failures do not come back together.
func (r *Runner) backoff(attempt int) time.Duration {
	d := longestBackoff
	if shift := attempt - 1; shift < 20 && r.Backoff<<shift < longestBackoff {
		d = r.Backoff << shift
	}
	return d/2 + rand.N(d/2+1)
}

// reason is the text of an error as every database can keep it: cut, in valid
// UTF-8 and without NUL.
func reason(err error) string {
	s := err.Error()
	return strings.ReplaceAll(strings.ToValidUTF8(s[:min(len(s), longestReason)], ""), "\x00", "")
}
