package store

import (
	"context"

	"taihu/catalog"
)

// leasesForgiven bounds how often a job may be taken back from a process that
// died without the attempt counting: a job that brings its runner down each time
// must end in quarantine too.
const leasesForgiven = 10

// TakeBackLeases makes the jobs of processes that have died due at once, so that
// work goes on after a crash without waiting for leases to run out. dead tells
// it of a worker by its name. It returns how many jobs there were.
func (db *DB) TakeBackLeases(ctx context.Context, dead func(worker string) bool) (int, error) {
	n := 0
	err := db.update(ctx, "take back leases", func(t *tx) error {
		n = 0
		var jobs []catalog.Job
		if err := t.all(ctx, &jobs, `SELECT `+jobColumns+` FROM jobs WHERE state = 'running' ORDER BY id`); err != nil {
			return err
		}
		for _, j := range jobs {
			if !dead(j.Worker) {
				continue
			}
			attempt := j.Attempt
			if j.Fence < leasesForgiven {
				attempt--
			}
			if _, err := t.exec(ctx, `UPDATE jobs SET state = 'queued', lease_until = NULL, attempt = ?, run_at = ? WHERE id = ? AND fence = ? AND state = 'running'`,
				attempt, t.now, j.ID, j.Fence); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
