package store

import (
	"context"
	"strings"

	"taihu/catalog"
	"taihu/catalog/failpoint"
)

// move runs one step of the state machine on a draft: it asks catalog.Can,
// compares rowVersion (0: any), checks the arrow, lets f do what belongs to the
// step, writes the release and the event f's facts tell.
func (db *DB) move(ctx context.Context, actor catalog.Actor, id string, rowVersion int64, action catalog.Action, next catalog.State, verb string,
	f func(t *tx, r *catalog.Release, d *datasetRow) (facts, error)) (*catalog.Release, error) {
	var r *catalog.Release
	err := db.update(ctx, verb, func(t *tx) error {
		var d *datasetRow
		var err error
		if r, d, err = t.draft(ctx, actor, id, action, t.lock()); err != nil {
			return err
		}
		// The state first: who is late learns what happened, not only that something did.
		if err := r.State.CheckMove(next); err != nil {
			return err
		}
		if err := checkVersion(rowVersion, r.RowVersion); err != nil {
			return err
		}
		from := r.State
		said, err := f(t, r, d)
		if err != nil {
			return err
		}
		r.State = next
		r.RowVersion++
		n, err := t.exec(ctx, `
			UPDATE releases SET state = ?, number = ?, comment = ?, submitted_by = ?, approved_by = ?, published_by = ?, published_at = ?, row_version = ?
			WHERE id = ? AND state = ?`,
			string(r.State), numberOrNull(r.Number), r.Comment, r.SubmittedBy, r.ApprovedBy, r.PublishedBy, r.PublishedAt, r.RowVersion, r.ID, string(from))
		if err != nil {
			return err
		}
		if n != 1 {
			return stale(r.RowVersion)
		}
		if err := t.event(ctx, d.ID, actor, verb, r.ID, said); err != nil {
			return err
		}
		if err := t.contents(ctx, r, tableColumns); err != nil {
			return err
		}
		if next == catalog.Published {
			return failpoint.Hit("publish.before_commit")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func numberOrNull(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// Submit hands a ready draft to the reviewers. Its stewards may.
func (db *DB) Submit(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, catalog.EditDraft, catalog.InReview, "draft.submitted", func(_ *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		r.SubmittedBy, r.Comment = actor.ID(), ""
		return nil, nil
	})
}

// TakeBack makes a submitted draft ready again. Its stewards may.
func (db *DB) TakeBack(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, catalog.EditDraft, catalog.Ready, "draft.taken_back", func(_ *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		if r.State != catalog.InReview { // the other arrow to ready belongs to the check
			return nil, r.State.CheckMove(catalog.InReview)
		}
		r.SubmittedBy = ""
		return nil, nil
	})
}

// Approve approves a submitted draft. Reviewers may, but not who submitted it
// (Forbidden own_draft), unless no other member may approve in the organization
// or the actor administers the portal: then the event says self_approved.
func (db *DB) Approve(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, catalog.ReviewDraft, catalog.Approved, "draft.approved", func(t *tx, r *catalog.Release, d *datasetRow) (facts, error) {
		said := facts{}
		if actor.ID() == r.SubmittedBy {
			if !actor.IsSiteAdmin() {
				others, err := t.approvers(ctx, d.OrganizationID, actor.ID())
				if err != nil {
					return nil, err
				}
				if others > 0 {
					return nil, catalog.Errorf(catalog.Forbidden, "own_draft", "you submitted this draft yourself: another reviewer must approve it").
						InChinese("这份草稿由你提交，须由另一位审核人批准")
				}
			}
			said["self_approved"] = true
		}
		r.ApprovedBy = actor.ID()
		return said, nil
	})
}

// Return gives a submitted draft back to its stewards with a comment that says
// what to change. Reviewers may.
func (db *DB) Return(ctx context.Context, actor catalog.Actor, draftID, comment string, rowVersion int64) (*catalog.Release, error) {
	if comment = strings.TrimSpace(comment); comment == "" {
		return nil, invalid("comment", "请写明退回原因", "say what has to be changed")
	}
	return db.move(ctx, actor, draftID, rowVersion, catalog.ReviewDraft, catalog.Returned, "draft.returned", func(_ *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		r.Comment = comment
		return facts{"comment": comment}, nil
	})
}

// Abandon ends a draft for good. Its stewards may.
func (db *DB) Abandon(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, catalog.EditDraft, catalog.Abandoned, "draft.abandoned", func(*tx, *catalog.Release, *datasetRow) (facts, error) {
		return nil, nil
	})
}

// Publish makes an approved draft the next release: in one transaction it gets
// the number after the highest there is, becomes the latest, and the jobs that
// index it and encode its usual exports are enqueued. Reviewers may. Of two at
// once one wins and the other is told (Conflict wrong_state).
func (db *DB) Publish(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	r, err := db.move(ctx, actor, draftID, rowVersion, catalog.ReviewDraft, catalog.Published, "release.published", func(t *tx, r *catalog.Release, d *datasetRow) (facts, error) {
		var highest int
		if _, err := t.value(ctx, `SELECT COALESCE(MAX(number), 0) FROM releases WHERE dataset_id = ?`, []any{d.ID}, &highest); err != nil {
			return nil, err
		}
		r.Number, r.PublishedBy, r.PublishedAt = highest+1, actor.ID(), &t.now
		_, err := t.exec(ctx, `UPDATE datasets SET latest_number = ?, last_number = ?, published_at = ? WHERE id = ?`, r.Number, r.Number, t.now, d.ID)
		if err != nil {
			return nil, err
		}
		if err := t.reindex(ctx, d.ID); err != nil {
			return nil, err
		}
		if err := t.enqueue(ctx, catalog.JobWarm, catalog.WarmArgs{ReleaseID: r.ID}); err != nil {
			return nil, err
		}
		return t.publication(ctx, r)
	})
	if err != nil {
		return nil, err
	}
	return r, failpoint.Hit("publish.after_commit")
}

// publication is what the event of a publication says: the hashes of all that
// was published, so that the chain vouches for the bytes.
func (t *tx) publication(ctx context.Context, r *catalog.Release) (facts, error) {
	if err := t.contents(ctx, r, tableFacts); err != nil {
		return nil, err
	}
	tables, files := map[string]string{}, map[string]string{}
	for _, x := range r.Tables {
		tables[x.Name] = x.TableSHA256
	}
	for _, x := range r.Files {
		files[x.Name] = x.Blob.SHA256
	}
	return facts{"number": r.Number, "approved_by": r.ApprovedBy, "tables": tables, "files": files}, nil
}
