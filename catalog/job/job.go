// Package job runs background work: it leases jobs from a queue, runs the
// handler of their kind, extends the lease while it runs, retries what failed
// and stops gracefully.
//
// It knows nothing of databases nor of what the jobs do: the queue (catalog/store
// has it) and the handlers are given to it. Every job may run twice, so handlers
// must be repeatable; a lease that was lost is fenced off by the queue.
package job

import (
	"context"
	"time"

	"taihu/catalog"
)

// Job is one piece of work.
type Job = catalog.Job

// Handler does one job. An error means: try again later, until the kind's
// attempts are used up. Its context ends when the lease is lost or the runner
// has stopped waiting.
type Handler func(ctx context.Context, j *Job) error

// Queue is where jobs come from.
type Queue interface {
	// Lease takes the job of one of the kinds that is due longest, or returns nil.
	Lease(ctx context.Context, worker string, kinds []string, lease time.Duration) (*Job, error)
	// Extend, Finish, Fail and HandBack are catalog.Conflict where the lease was lost.
	Extend(ctx context.Context, j *Job, lease time.Duration) error
	Finish(ctx context.Context, j *Job) error
	// Fail has the job run again at retryAt, or gives it up after its last attempt.
	Fail(ctx context.Context, j *Job, why string, retryAt time.Time) error
	// HandBack returns an unfinished job without counting the attempt.
	HandBack(ctx context.Context, j *Job) error
	// NextDue returns when the next queued job of one of the kinds may be begun; false
	// where there is none.
	NextDue(ctx context.Context, kinds []string) (time.Time, bool, error)
	// Wake signals that a job was enqueued in this process.
	Wake() <-chan struct{}
}
