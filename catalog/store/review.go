package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"taihu/catalog"
	"taihu/catalog/failpoint"
)

// step is one verb on a draft: which arrows of the state machine it walks, and
// what else belongs to it.
type step struct {
	verb   string
	action catalog.Action
	from   []catalog.State // where the verb begins; nil: wherever an arrow leads to next
	next   catalog.State
	also   func(t *tx, r *catalog.Release, d *datasetRow) (facts, error) // nil: nothing
}

// check returns Conflict wrong_state where the step does not begin in state s.
// An arrow is not enough: withdrawn to published is a restoration, and no verb
// on drafts may walk it.
func (s step) check(state catalog.State) error {
	if err := state.CheckMove(s.next); err != nil {
		return err
	}
	if s.from != nil && !slices.Contains(s.from, state) {
		return catalog.Errorf(catalog.Conflict, "wrong_state", "the release is %s: this can only be done to one that is %s", state, s.from[0]).
			With("state", string(state)).InChinese("这一版现在是%s，只有%s的才能这样做", state.Words().Zh, s.from[0].Words().Zh)
	}
	return nil
}

// move does a step: it asks catalog.Can, checks the state, compares rowVersion
// (0: any), does what belongs to the step, writes the release and the event.
func (db *DB) move(ctx context.Context, actor catalog.Actor, id string, rowVersion int64, s step) (*catalog.Release, error) {
	var r *catalog.Release
	err := db.update(ctx, s.verb, func(t *tx) (err error) {
		r, err = t.move(ctx, actor, id, rowVersion, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (t *tx) move(ctx context.Context, actor catalog.Actor, id string, rowVersion int64, s step) (*catalog.Release, error) {
	r, d, err := t.draft(ctx, actor, id, s.action, t.lock())
	if err != nil {
		return nil, err
	}
	// The state first: who is late learns what happened, not only that something did.
	if err := s.check(r.State); err != nil {
		return nil, err
	}
	if err := checkVersion(rowVersion, r.RowVersion); err != nil {
		return nil, err
	}
	from := r.State
	var said facts
	if s.also != nil {
		if said, err = s.also(t, r, d); err != nil {
			return nil, err
		}
	}
	r.State = s.next
	r.RowVersion++
	n, err := t.exec(ctx, `
		UPDATE releases SET state = ?, number = ?, version = ?, comment = ?, remarks = ?, submitted_by = ?, approved_by = ?, published_by = ?, published_at = ?, publish_at = ?, row_version = ?
		WHERE id = ? AND state = ?`,
		string(r.State), numberOrNull(r.Number), r.Version, r.Comment, js(slices.Concat([]catalog.Remark{}, r.Remarks)), r.SubmittedBy, r.ApprovedBy, r.PublishedBy, r.PublishedAt, r.PublishAt, r.RowVersion, r.ID, string(from))
	if err != nil {
		return nil, err
	}
	if n != 1 {
		return nil, stale(r.RowVersion)
	}
	if err := t.event(ctx, d.ID, actor, s.verb, r.ID, said); err != nil {
		return nil, err
	}
	if err := t.contents(ctx, r, tableColumns); err != nil {
		return nil, err
	}
	if s.next == catalog.Published {
		return r, failpoint.Hit("publish.before_commit")
	}
	return r, nil
}

func numberOrNull(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// bump compares a draft with the newest release that stands; where there is none
// it is a patch.
func (t *tx) bump(ctx context.Context, r *catalog.Release, d *datasetRow) (catalog.Bump, []catalog.Change, error) {
	if d.LatestNumber == 0 {
		return catalog.Patch, nil, nil
	}
	latest, err := t.latest(ctx, d)
	if err != nil {
		return 0, nil, err
	}
	if err := t.contents(ctx, r, tableFacts); err != nil {
		return 0, nil, err
	}
	changes := r.ChangesFrom(latest)
	return catalog.BumpOf(latest.Tables, r.Tables, changes), changes, nil
}

// explained refuses a draft that breaks programs which read the newest release,
// where its notes say nothing (Unprocessable major_change).
func (t *tx) explained(ctx context.Context, r *catalog.Release, d *datasetRow) error {
	bump, changes, err := t.bump(ctx, r, d)
	if err != nil || bump < catalog.Major || !r.Notes.IsZero() {
		return err
	}
	var gone []string
	for _, c := range changes {
		if c.Kind != catalog.RowsHalved {
			what := strings.TrimSuffix(c.Table+"."+c.Column, ".")
			if c.Kind == catalog.KeyChanged || c.Kind == catalog.KeyBroken {
				what = c.Table + " (" + c.Column + ")"
			}
			gone = append(gone, what)
		}
	}
	return catalog.Errorf(catalog.Unprocessable, "major_change", "programs that read release %d will break, as it had %s: say in the notes what changed, and readers are told", d.LatestNumber, strings.Join(gone, ", ")).
		With("changed", gone).With("field", "notes_zh").InChinese("读第%d版的程序会出错，因为其中的%s没有了、变了类型，或不再是主键：请在版本说明里写明变了什么，读者会看到", d.LatestNumber, strings.Join(gone, "、"))
}

// nextVersion is the computed version of a draft that is published without a label
// of its own.
func (t *tx) nextVersion(ctx context.Context, r *catalog.Release, d *datasetRow) (string, error) {
	bump, _, err := t.bump(ctx, r, d)
	if err != nil {
		return "", err
	}
	var before []catalog.Release
	if err := t.all(ctx, &before, `SELECT `+releaseColumns+` FROM releases WHERE dataset_id = ? AND number IS NOT NULL ORDER BY number DESC`, d.ID); err != nil {
		return "", err
	}
	labels := make([]string, len(before))
	for i := range before {
		labels[i] = before[i].Version
	}
	return catalog.NextVersion(labels, bump), nil
}

// Submit hands a ready draft to the reviewers. Its stewards may, once every
// finding is settled (Conflict unsettled_findings). One that breaks readers'
// programs needs notes (Unprocessable major_change).
func (db *DB) Submit(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, step{verb: "draft.submitted", action: catalog.EditDraft, from: []catalog.State{catalog.Ready}, next: catalog.InReview, also: func(t *tx, r *catalog.Release, d *datasetRow) (facts, error) {
		if err := t.checkSettled(ctx, r); err != nil {
			return nil, err
		}
		if err := checkBase(r, d); err != nil {
			return nil, err
		}
		r.SubmittedBy, r.Comment, r.Remarks = actor.ID(), "", nil
		return nil, t.explained(ctx, r, d)
	}})
}

// TakeBack makes a submitted draft ready again. Its stewards may.
func (db *DB) TakeBack(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, step{verb: "draft.taken_back", action: catalog.EditDraft, from: []catalog.State{catalog.InReview}, next: catalog.Ready, also: func(_ *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		r.SubmittedBy = ""
		return nil, nil
	}})
}

// Approve approves a submitted draft. Reviewers may, but not who submitted it
// (Forbidden own_draft), unless no other member may approve in the organization
// or the actor administers the portal: then the event says self_approved. Where
// the organization, or one above it, asks for two persons, nobody is excepted.
func (db *DB) Approve(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, step{verb: "draft.approved", action: catalog.ReviewDraft, from: []catalog.State{catalog.InReview}, next: catalog.Approved, also: func(t *tx, r *catalog.Release, d *datasetRow) (facts, error) {
		said := facts{}
		if actor.ID() == r.SubmittedBy {
			path, err := t.path(ctx, d.OrganizationID)
			if err != nil {
				return nil, err
			}
			if i := slices.IndexFunc(path, func(o catalog.Organization) bool { return o.TwoPersons }); i >= 0 {
				return nil, catalog.Errorf(catalog.Forbidden, "own_draft", "you submitted this draft yourself, and %s asks for two persons: another reviewer must approve it", path[i].Slug).
					With("two_persons", path[i].Slug).InChinese("这份草稿由你提交，而%s要求两个人：须由另一位审核人批准", path[i].Name.In("zh"))
			}
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
	}})
}

// Return gives a submitted draft, or an approved one that cannot be published as it
// is, back to its stewards with a comment that says what to change, and remarks
// about single tables and columns. Reviewers may.
func (db *DB) Return(ctx context.Context, actor catalog.Actor, draftID, comment string, remarks []catalog.Remark, rowVersion int64) (*catalog.Release, error) {
	if comment = strings.TrimSpace(comment); comment == "" {
		return nil, invalid("comment", "请写明退回原因", "say what has to be changed")
	}
	return db.move(ctx, actor, draftID, rowVersion, step{verb: "draft.returned", action: catalog.ReviewDraft, from: []catalog.State{catalog.InReview, catalog.Approved}, next: catalog.Returned, also: func(t *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		if err := t.contents(ctx, r, tableFacts); err != nil {
			return nil, err
		}
		var err error
		if r.Remarks, err = r.CheckRemarks(remarks); err != nil {
			return nil, err
		}
		r.Comment, r.ApprovedBy = comment, ""
		said := facts{"comment": comment}
		if len(r.Remarks) > 0 {
			said["remarks"] = r.Remarks
		}
		return said, nil
	}})
}

// Abandon ends a draft for good. Its stewards may.
func (db *DB) Abandon(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, step{verb: "draft.abandoned", action: catalog.EditDraft, next: catalog.Abandoned})
}

// Publish makes an approved draft the next release: in one transaction it gets
// the number after the highest there is, becomes the latest, and the jobs that
// index it and encode its usual exports are enqueued. Reviewers may. Of two at
// once one wins and the other is told (Conflict wrong_state).
func (db *DB) Publish(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	r, err := db.move(ctx, actor, draftID, rowVersion, step{verb: "release.published", action: catalog.ReviewDraft, from: []catalog.State{catalog.Approved, catalog.Scheduled}, next: catalog.Published, also: func(t *tx, r *catalog.Release, d *datasetRow) (facts, error) {
		if err := t.checkSettled(ctx, r); err != nil {
			return nil, err
		}
		if err := checkBase(r, d); err != nil {
			return nil, err
		}
		var highest int
		if _, err := t.value(ctx, `SELECT COALESCE(MAX(number), 0) FROM releases WHERE dataset_id = ?`, []any{d.ID}, &highest); err != nil {
			return nil, err
		}
		if r.Version == "" {
			var err error
			if r.Version, err = t.nextVersion(ctx, r, d); err != nil {
				return nil, err
			}
		}
		r.Number, r.PublishedBy, r.PublishedAt, r.Comment = highest+1, actor.ID(), &t.now, ""
		_, err := t.exec(ctx, `UPDATE datasets SET latest_number = ?, last_number = ?, published_at = ? WHERE id = ?`, r.Number, r.Number, t.now, d.ID)
		if err != nil {
			return nil, err
		}
		if err := t.reindex(ctx, d.ID); err != nil {
			return nil, err
		}
		if err := t.relink(ctx, d.ID, r.ID); err != nil {
			return nil, err
		}
		if err := t.enqueue(ctx, catalog.JobWarm, catalog.WarmArgs{ReleaseID: r.ID}); err != nil {
			return nil, err
		}
		return t.publication(ctx, r)
	}})
	if err != nil {
		return nil, err
	}
	return r, failpoint.Hit("publish.after_commit")
}

// furthest is how far ahead a publication can be scheduled.
const furthest = 5 * 365 * 24 * time.Hour

// Schedule has an approved draft published at a time to come (Invalid
// bad_publish_at), by the portal's clock and not before it. Until then nothing of
// it can be seen that could not be seen of any draft. Reviewers may.
func (db *DB) Schedule(ctx context.Context, actor catalog.Actor, draftID string, at time.Time, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, step{verb: "draft.scheduled", action: catalog.ReviewDraft, from: []catalog.State{catalog.Approved}, next: catalog.Scheduled, also: func(t *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		at = at.UTC().Truncate(time.Microsecond)
		if !at.After(t.now) || at.Sub(t.now) > furthest {
			return nil, catalog.Errorf(catalog.Invalid, "bad_publish_at", "publish_at must be a time to come, at most five years ahead; it is %s now", t.now.Format(time.RFC3339)).
				With("field", "publish_at").InChinese("定时发布的时间须在现在之后、五年之内")
		}
		r.PublishAt, r.Comment = &at, ""
		return facts{"publish_at": at}, t.enqueueAt(ctx, catalog.JobPublish, catalog.PublishArgs{ReleaseID: r.ID}, at)
	}})
}

// Unschedule takes the time back: the draft is approved as before. Reviewers may.
func (db *DB) Unschedule(ctx context.Context, actor catalog.Actor, draftID string, rowVersion int64) (*catalog.Release, error) {
	return db.move(ctx, actor, draftID, rowVersion, step{verb: "draft.unscheduled", action: catalog.ReviewDraft, from: []catalog.State{catalog.Scheduled}, next: catalog.Approved, also: func(_ *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		r.PublishAt = nil
		return nil, nil
	}})
}

// PublishDue publishes a scheduled draft whose time has come. It does nothing to
// one that was published, abandoned, taken back or put off meanwhile. One that
// cannot be published as it is goes back to approved, with the reason.
func (db *DB) PublishDue(ctx context.Context, draftID string) error {
	r, err := db.Draft(ctx, catalog.SystemActor, draftID)
	if catalog.KindOf(err) == catalog.NotFound {
		return nil
	}
	if err != nil || r.State != catalog.Scheduled || r.PublishAt == nil || r.PublishAt.After(db.clock()) {
		return err
	}
	_, err = db.Publish(ctx, catalog.SystemActor, draftID, r.RowVersion)
	switch kind := catalog.KindOf(err); {
	case err == nil:
		return nil
	case kind == "" || kind == catalog.Unavailable:
		return err // to be tried again
	case !faster(err):
		if _, err = db.move(ctx, catalog.SystemActor, draftID, r.RowVersion, missed(err)); err == nil || !faster(err) {
			return err
		}
	}
	return nil
}

// faster reports whether an error says that somebody changed the draft before.
func faster(err error) bool {
	return catalog.CodeOf(err) == "wrong_state" || catalog.KindOf(err) == catalog.PreconditionFailed
}

// missed is the step by which a scheduled draft that could not be published at its
// time is approved again. The comment says why, so that its people see it.
func missed(why error) step {
	zh, en, code := "发布程序多次出错，请联系本站管理员", "the portal failed to publish it, several times: tell its administrator", "publishing_failed"
	var e *catalog.Error
	if errors.As(why, &e) {
		zh, en, code = cmp.Or(e.Zh, e.Message), e.Message, e.Code
	}
	return step{verb: "draft.unscheduled", action: catalog.ReviewDraft, from: []catalog.State{catalog.Scheduled}, next: catalog.Approved, also: func(_ *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		said := facts{"publish_at": r.PublishAt, "code": code, "reason": en}
		r.PublishAt, r.Comment = nil, zh+" · "+en
		return said, nil
	}}
}

// missDue has the draft of a publication that was given up approved again, unless
// it waits for another time by now.
func (t *tx) missDue(ctx context.Context, j *catalog.Job) error {
	var a catalog.PublishArgs
	if err := json.Unmarshal(j.Args, &a); err != nil {
		return err
	}
	r, _, err := t.draft(ctx, catalog.SystemActor, a.ReleaseID, catalog.ReviewDraft, t.lock())
	if catalog.KindOf(err) == catalog.NotFound {
		return nil
	}
	if err != nil || r.State != catalog.Scheduled || r.PublishAt.After(t.now) {
		return err
	}
	_, err = t.move(ctx, catalog.SystemActor, r.ID, 0, missed(nil))
	return err
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
	secret := secretHashes(r.Files)
	for _, x := range r.Files {
		files[x.Name] = x.Blob.SHA256
		if secret[x.Blob.SHA256] {
			files[x.Name] = "withheld"
		}
	}
	return facts{"number": r.Number, "approved_by": r.ApprovedBy, "tables": tables, "files": files}, nil
}
