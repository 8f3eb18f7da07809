package store

import (
	"context"
	"encoding/json"
	"time"

	"taihu/catalog"
	"taihu/catalog/failpoint"
)

// keepDone is how long a finished job's row is kept.
const keepDone = 7 * 24 * time.Hour

const jobColumns = `id, kind, args, state, attempt, max_attempts, fence, worker, run_at, lease_until, error, created_at, done_at`

// enqueue adds a job to the verb's transaction: it exists if and only if the
// change does.
func (t *tx) enqueue(ctx context.Context, kind string, args any) error {
	return t.enqueueAt(ctx, kind, args, t.now)
}

// enqueueAt adds a job that is not begun before a time.
func (t *tx) enqueueAt(ctx context.Context, kind string, args any, at time.Time) error {
	attempts := catalog.JobAttempts[kind]
	if attempts == 0 {
		attempts = 5
	}
	_, err := t.exec(ctx, `INSERT INTO jobs (`+jobColumns+`) VALUES (?, ?, ?, 'queued', 0, ?, 0, '', ?, NULL, '', ?, NULL)`,
		catalog.NewID(), kind, js(args), attempts, at, t.now)
	t.enqueued = true
	return err
}

// enqueueOnce adds a job unless the same one is queued: it does all that is to be done
// when its turn comes, so however much changes while it waits (a search engine may be
// away for hours), it waits once. It is due now, whatever it waited for. One that is
// leased at the same moment is locked by either side first, so it is either seen as
// running here, or sees what this transaction did.
func (t *tx) enqueueOnce(ctx context.Context, kind string, args any) error {
	n, err := t.exec(ctx, `
		UPDATE jobs SET attempt = 0, error = '', run_at = CASE WHEN run_at < ? THEN run_at ELSE ? END
		WHERE state = 'queued' AND args = ? AND kind = ?`, t.now, t.now, js(args), kind)
	if err != nil {
		return err
	}
	if n == 0 {
		return t.enqueue(ctx, kind, args)
	}
	t.enqueued = true
	return nil
}

// Enqueue adds a job by itself, as reindexing commands do.
func (db *DB) Enqueue(ctx context.Context, kind string, args any) error {
	return db.update(ctx, "enqueue "+kind, func(t *tx) error { return t.enqueue(ctx, kind, args) })
}

// Wake signals that a job was enqueued by this process. One runner listens.
func (db *DB) Wake() <-chan struct{} { return db.wake }

func (db *DB) signal() {
	select {
	case db.wake <- struct{}{}:
	default: // somebody was told already and has not looked yet
	}
}

// due is the condition of a job that can be leased now.
const due = `(state = 'queued' AND run_at <= ? OR state = 'running' AND lease_until < ?)`

// Lease takes the job of one of the kinds that is due longest and gives it a
// new fence; nil where none is due. A job whose last lease ran out after its
// last attempt goes to quarantine instead.
func (db *DB) Lease(ctx context.Context, worker string, kinds []string, lease time.Duration) (*catalog.Job, error) {
	if len(kinds) == 0 {
		return nil, nil
	}
	args := []any{db.clock(), db.clock()}
	for _, k := range kinds {
		args = append(args, k)
	}
	where := due + ` AND kind IN (` + marks(len(kinds)) + `)`
	var waiting int
	err := db.view(ctx, "look for jobs", func(c *conn) error { // reading is cheap: an idle runner takes no write lock
		_, err := c.value(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE `+where+` LIMIT 1) w`, args, &waiting)
		return err
	})
	if err != nil || waiting == 0 {
		return nil, err
	}
	skip := ""
	if db.postgres {
		skip = " FOR UPDATE SKIP LOCKED"
	}
	for {
		j := &catalog.Job{}
		var found, spent bool
		err := db.update(ctx, "lease job", func(t *tx) error {
			*j = catalog.Job{}
			found, err = t.one(ctx, j, `SELECT `+jobColumns+` FROM jobs WHERE `+where+` ORDER BY run_at, id LIMIT 1`+skip, args...)
			if err != nil || !found {
				return err
			}
			if spent = j.Attempt >= j.MaxAttempts; spent {
				return t.quarantine(ctx, j, "the process that ran it ended, in every attempt; the last one said: "+j.Error)
			}
			until := t.now.Add(lease)
			j.State, j.Attempt, j.Fence, j.Worker, j.LeaseUntil = catalog.JobRunning, j.Attempt+1, j.Fence+1, worker, &until
			_, err = t.exec(ctx, `UPDATE jobs SET state = 'running', attempt = ?, fence = ?, worker = ?, lease_until = ? WHERE id = ?`,
				j.Attempt, j.Fence, j.Worker, until, j.ID)
			return err
		})
		switch {
		case err != nil:
			return nil, err
		case !found:
			return nil, nil
		case !spent:
			return j, nil
		}
	}
}

// NextDue returns when the next queued job of one of the kinds may be begun; false
// where there is none.
func (db *DB) NextDue(ctx context.Context, kinds []string) (at time.Time, found bool, err error) {
	if len(kinds) == 0 {
		return at, false, nil
	}
	args := []any{}
	for _, k := range kinds {
		args = append(args, k)
	}
	err = db.view(ctx, "look for the next job", func(c *conn) error {
		var next struct{ RunAt time.Time }
		found, err = c.one(ctx, &next, `SELECT run_at FROM jobs WHERE state = 'queued' AND kind IN (`+marks(len(kinds))+`) ORDER BY run_at, id LIMIT 1`, args...)
		at = next.RunAt
		return err
	})
	return at, found, err
}

// held changes a job where its lease is still that of j, else Conflict lease_lost.
func (t *tx) held(ctx context.Context, j *catalog.Job, set string, args ...any) error {
	n, err := t.exec(ctx, `UPDATE jobs SET `+set+` WHERE id = ? AND fence = ? AND state = 'running'`, append(args, j.ID, j.Fence)...)
	if err == nil && n == 0 {
		return catalog.Errorf(catalog.Conflict, "lease_lost", "the job %s was taken over by another worker", j.ID)
	}
	return err
}

// Extend prolongs a lease.
func (db *DB) Extend(ctx context.Context, j *catalog.Job, lease time.Duration) error {
	return db.update(ctx, "extend lease", func(t *tx) error {
		until := t.now.Add(lease)
		j.LeaseUntil = &until
		return t.held(ctx, j, `lease_until = ?`, until)
	})
}

// Finish marks a job done and forgets those done long ago.
func (db *DB) Finish(ctx context.Context, j *catalog.Job) error {
	if err := failpoint.Hit("job.before_finish"); err != nil {
		return err
	}
	err := db.update(ctx, "finish job", func(t *tx) error {
		if err := t.held(ctx, j, `state = 'done', lease_until = NULL, error = '', done_at = ?`, t.now); err != nil {
			return err
		}
		_, err := t.exec(ctx, `DELETE FROM jobs WHERE state = 'done' AND done_at < ?`, t.now.Add(-keepDone))
		return err
	})
	if err != nil {
		return err
	}
	return failpoint.Hit("job.after_finish")
}

// Fail notes why an attempt failed and has the job run again at retryAt, or puts
// it in quarantine where that was the last attempt.
func (db *DB) Fail(ctx context.Context, j *catalog.Job, why string, retryAt time.Time) error {
	return db.update(ctx, "fail job", func(t *tx) error {
		if j.Attempt < j.MaxAttempts {
			t.enqueued = true // for whoever waits for the next one's time
			return t.held(ctx, j, `state = 'queued', lease_until = NULL, error = ?, run_at = ?`, why, retryAt)
		}
		if err := t.held(ctx, j, `error = ?`, why); err != nil {
			return err
		}
		return t.quarantine(ctx, j, why)
	})
}

// HandBack returns a job that was not finished for no fault of its own, as when
// the process stops; the attempt does not count.
func (db *DB) HandBack(ctx context.Context, j *catalog.Job) error {
	return db.update(ctx, "hand back job", func(t *tx) error {
		return t.held(ctx, j, `state = 'queued', lease_until = NULL, attempt = attempt - 1, run_at = ?`, t.now)
	})
}

// quarantine gives a job up. The file of an ingest job is refused with it, and the
// draft of a publication is approved again: neither must wait for ever.
func (t *tx) quarantine(ctx context.Context, j *catalog.Job, why string) error {
	_, err := t.exec(ctx, `UPDATE jobs SET state = 'quarantined', lease_until = NULL, error = ?, done_at = ? WHERE id = ?`, why, t.now, j.ID)
	if err != nil {
		return err
	}
	if j.Kind == catalog.JobIngest {
		var a catalog.IngestArgs
		if err := json.Unmarshal(j.Args, &a); err != nil {
			return err
		}
		if err := t.refuseCrashed(ctx, a.FileID, ""); err != nil {
			return err
		}
	}
	if j.Kind == catalog.JobPublish {
		if err := t.missDue(ctx, j); err != nil {
			return err
		}
	}
	return t.event(ctx, catalog.ChainPortal, catalog.SystemActor, "job.quarantined", j.ID, facts{"kind": j.Kind, "args": j.Args, "attempts": j.Attempt})
}

// QuarantinedJobs lists the jobs that were given up, newest first. Only who
// administers the portal may.
func (db *DB) QuarantinedJobs(ctx context.Context, actor catalog.Actor) ([]catalog.Job, error) {
	if err := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}); err != nil {
		return nil, err
	}
	list := []catalog.Job{}
	err := db.view(ctx, "list quarantined jobs", func(c *conn) error {
		return c.all(ctx, &list, `SELECT `+jobColumns+` FROM jobs WHERE state = 'quarantined' ORDER BY id DESC LIMIT 1000`)
	})
	return list, err
}

// RetryJob has a quarantined job run again from its first attempt.
func (db *DB) RetryJob(ctx context.Context, actor catalog.Actor, id string) error {
	if err := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}); err != nil {
		return err
	}
	return db.update(ctx, "retry job", func(t *tx) error {
		n, err := t.exec(ctx, `UPDATE jobs SET state = 'queued', attempt = 0, run_at = ?, done_at = NULL WHERE id = ? AND state = 'quarantined'`, t.now, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return unknown("unknown_job", "there is no such job in quarantine")
		}
		t.enqueued = true
		return t.event(ctx, catalog.ChainPortal, actor, "job.retried", id, nil)
	})
}

// ResumeJobs has the jobs of a kind run now that failed for want of something that
// is there again: those in quarantine from their first attempt, the others at once
// and not at the end of their pause. It returns how many were in quarantine.
func (db *DB) ResumeJobs(ctx context.Context, kind string) (resumed int, err error) {
	const waiting = `(state = 'quarantined' OR state = 'queued' AND attempt > 0 AND run_at > ?)`
	var found int
	err = db.view(ctx, "look for failed jobs", func(c *conn) error { // as a rule there are none: no write lock
		_, err := c.value(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE kind = ? AND `+waiting+` LIMIT 1) w`, []any{kind, db.clock()}, &found)
		return err
	})
	if err != nil || found == 0 {
		return 0, err
	}
	err = db.update(ctx, "resume jobs", func(t *tx) error {
		var ids []struct{ ID string }
		if err := t.all(ctx, &ids, `SELECT id FROM jobs WHERE kind = ? AND state = 'quarantined' ORDER BY id`, kind); err != nil {
			return err
		}
		resumed = len(ids)
		_, err := t.exec(ctx, `UPDATE jobs SET state = 'queued', attempt = 0, run_at = ?, done_at = NULL WHERE kind = ? AND `+waiting, t.now, kind, t.now)
		if err != nil {
			return err
		}
		t.enqueued = true
		for _, j := range ids {
			if err := t.event(ctx, catalog.ChainPortal, catalog.SystemActor, "job.retried", j.ID, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return resumed, err
}

// Backlog is what waits of one kind of job.
type Backlog struct {
	Waiting int           // queued or running
	Oldest  time.Time     // when the oldest of them was enqueued; zero where none waits
	Failed  []catalog.Job // in quarantine, newest first, at most 100
}

// JobBacklog returns what waits of one kind of job. Only who administers the portal
// may see it.
func (db *DB) JobBacklog(ctx context.Context, actor catalog.Actor, kind string) (b Backlog, err error) {
	if err := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}); err != nil {
		return b, err
	}
	err = db.view(ctx, "look at jobs", func(c *conn) error {
		if _, err := c.value(ctx, `SELECT COUNT(*) FROM jobs WHERE kind = ? AND state IN ('queued', 'running')`, []any{kind}, &b.Waiting); err != nil {
			return err
		}
		var oldest struct{ CreatedAt time.Time }
		if _, err := c.one(ctx, &oldest, `SELECT created_at FROM jobs WHERE kind = ? AND state IN ('queued', 'running') ORDER BY id LIMIT 1`, kind); err != nil {
			return err
		}
		b.Oldest = oldest.CreatedAt
		return c.all(ctx, &b.Failed, `SELECT `+jobColumns+` FROM jobs WHERE kind = ? AND state = 'quarantined' ORDER BY id DESC LIMIT 100`, kind)
	})
	return b, err
}

// PendingJobs counts the jobs that are queued or running, per kind.
func (db *DB) PendingJobs(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	err := db.view(ctx, "count jobs", func(c *conn) error {
		var rows []struct {
			Kind  string
			Total int
		}
		err := c.all(ctx, &rows, `SELECT kind, COUNT(*) AS total FROM jobs WHERE state IN ('queued', 'running') GROUP BY kind`)
		for _, r := range rows {
			counts[r.Kind] = r.Total
		}
		return err
	})
	return counts, err
}
