package store

import (
	"context"
	"regexp"
	"strings"

	"taihu/catalog"
)

// DraftEdit is what a steward says about a draft as a whole.
type DraftEdit struct {
	Version  string // label, at most 40 characters
	Notes    catalog.Text
	DataDate string // ISO date, month or year; may be empty
	Corrects int    // number of the release that it corrects; 0: none
	// Like begins a draft like the newest release that stands: with its notes, where
	// none are given, and with its files' way of being read and its table's name. It
	// still begins without data. Only CreateDraft minds it.
	Like bool
}

// DraftFilter narrows a list of drafts.
type DraftFilter struct {
	DatasetID string
	States    []catalog.State // nil: every state of a draft
	Limit     int             // 0: 100; at most 1000
	Skip      int
}

var dataDateForm = regexp.MustCompile(`^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$`)

func (e *DraftEdit) check() error {
	switch {
	case len(e.Version) > 120 || strings.ContainsAny(e.Version, "\n\r\x00"):
		return invalid("version", "版本名过长或含有换行", "the version label is too long or has a line break")
	case e.DataDate != "" && !dataDateForm.MatchString(e.DataDate):
		return invalid("data_date", "数据日期请写作2025-06-30、2025-06或2025", "data_date must be written as 2025-06-30, 2025-06 or 2025")
	}
	return nil
}

// unknownDraft is what unknown drafts and those of others answer alike.
func unknownDraft() error {
	return unknown("unknown_draft", "there is no draft at this address").InChinese("没有这份草稿")
}

// CreateDraft begins a release of a dataset; it is empty. Its stewards may.
func (db *DB) CreateDraft(ctx context.Context, actor catalog.Actor, dataset string, e DraftEdit) (*catalog.Release, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	var r *catalog.Release
	err := db.update(ctx, "create draft", func(t *tx) error {
		d, err := t.datasetForChange(ctx, actor, &catalog.Dataset{Slug: dataset}, catalog.EditDraft)
		if err != nil {
			return err
		}
		e := e // a verb that is tried again begins anew
		like := 0
		if e.Like {
			last, err := t.latest(ctx, d)
			if err != nil {
				return err
			}
			like = last.Number
			if e.Notes.IsZero() {
				e.Notes = last.Notes
			}
		}
		if err := t.checkCorrects(ctx, d, e.Corrects); err != nil {
			return err
		}
		r = &catalog.Release{ID: catalog.NewID(), DatasetID: d.ID, State: catalog.Uploading, Version: e.Version, Notes: e.Notes, DataDate: e.DataDate, LikeNumber: like, Corrects: e.Corrects,
			CreatedBy: actor.ID(), CreatedAt: t.now, RowVersion: 1, Tables: []catalog.Table{}, Files: []catalog.File{}}
		_, err = t.exec(ctx, `
			INSERT INTO releases (id, dataset_id, state, version, notes, data_date, comment, created_by, created_at, submitted_by,
				approved_by, published_by, withdrawn_by, withdrawn_why, row_version, like_number, corrects)
			VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, '', '', '', '', '', 1, ?, ?)`,
			r.ID, r.DatasetID, string(r.State), r.Version, js(r.Notes), r.DataDate, r.CreatedBy, r.CreatedAt, r.LikeNumber, r.Corrects)
		if err != nil {
			return err
		}
		said := facts{}
		if like > 0 {
			said["like"] = like
		}
		return t.event(ctx, d.ID, actor, "draft.created", r.ID, said)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// checkCorrects returns Invalid where there is no release to correct.
func (t *tx) checkCorrects(ctx context.Context, d *datasetRow, number int) error {
	if number == 0 {
		return nil
	}
	if _, err := t.numbered(ctx, d, number, ""); err != nil {
		return invalid("corrects", "没有要更正的这一版", "there is no release %d to correct", number)
	}
	return nil
}

// Draft returns a draft by its id, with tables and files; also after it was
// published. NotFound unknown_draft for all but the members of its organization.
func (db *DB) Draft(ctx context.Context, actor catalog.Actor, id string) (*catalog.Release, error) {
	var r *catalog.Release
	err := db.view(ctx, "read draft", func(c *conn) (err error) {
		if r, _, err = c.draft(ctx, actor, id, catalog.ReadDraft, ""); err != nil {
			return err
		}
		return c.contents(ctx, r, tableColumns)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// draft returns a draft and its dataset where the actor may do action to it. The
// dataset is locked first, then the draft: every verb takes them in this order.
func (c *conn) draft(ctx context.Context, actor catalog.Actor, id string, action catalog.Action, lock string) (*catalog.Release, *datasetRow, error) {
	if actor.Anonymous() {
		return nil, nil, catalog.Can(actor, action, catalog.Object{})
	}
	var datasetID string
	found, err := c.value(ctx, `SELECT dataset_id FROM releases WHERE id = ?`, []any{id}, &datasetID)
	if err != nil {
		return nil, nil, err
	}
	if !found {
		return nil, nil, unknownDraft()
	}
	d, err := c.datasetRow(ctx, datasetID, lock)
	if err != nil {
		return nil, nil, err
	}
	if catalog.Can(actor, catalog.ReadDraft, catalog.ObjectOf(&d.Dataset)) != nil {
		return nil, nil, unknownDraft()
	}
	if err := catalog.Can(actor, action, catalog.ObjectOf(&d.Dataset)); err != nil {
		return nil, nil, err
	}
	r := &catalog.Release{}
	_, err = c.one(ctx, r, `SELECT `+releaseColumns+` FROM releases WHERE id = ?`+lock, id)
	return r, d, err
}

// Drafts lists drafts the actor may see, newest first, with their files and the
// facts of their tables.
func (db *DB) Drafts(ctx context.Context, actor catalog.Actor, f DraftFilter) ([]catalog.Release, error) {
	list := []catalog.Release{}
	if actor.Anonymous() {
		return list, nil
	}
	states := f.States
	if states == nil {
		for _, s := range catalog.States {
			if s.IsDraft() {
				states = append(states, s)
			}
		}
	}
	if len(states) == 0 {
		return list, nil
	}
	conditions, args := "r.state IN ("+marks(len(states))+")", []any{}
	for _, s := range states {
		args = append(args, string(s))
	}
	if f.DatasetID != "" {
		conditions += " AND r.dataset_id = ?"
		args = append(args, f.DatasetID)
	}
	if !actor.IsSiteAdmin() {
		mine := organizationsOf(actor)
		if len(mine) == 0 {
			return list, nil
		}
		conditions += " AND d.organization_id IN (" + marks(len(mine)) + ")"
		for _, id := range mine {
			args = append(args, id)
		}
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	columns := "r." + strings.ReplaceAll(strings.Join(strings.Fields(releaseColumns), " "), ", ", ", r.")
	err := db.view(ctx, "list drafts", func(c *conn) error {
		err := c.all(ctx, &list, `
			SELECT `+columns+` FROM releases r JOIN datasets d ON d.id = r.dataset_id
			WHERE `+conditions+` ORDER BY r.id DESC LIMIT ? OFFSET ?`, append(args, min(limit, maxList), max(f.Skip, 0))...)
		if err != nil {
			return err
		}
		for i := range list {
			if err := c.contents(ctx, &list[i], tableFacts); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// DraftCounts counts the drafts that the actor may see, by state.
func (db *DB) DraftCounts(ctx context.Context, actor catalog.Actor) (map[catalog.State]int, error) {
	counts := map[catalog.State]int{}
	err := db.view(ctx, "count drafts", func(c *conn) error {
		where, args, err := c.datasetWhere(ctx, actor, DatasetFilter{Mine: true})
		if err != nil || actor.Anonymous() {
			return err
		}
		var rows []struct {
			State catalog.State
			N     int
		}
		err = c.all(ctx, &rows, `SELECT r.state, COUNT(*) AS n FROM releases r JOIN datasets d ON d.id = r.dataset_id WHERE r.number IS NULL AND `+where+` GROUP BY r.state`, args...)
		for _, x := range rows {
			counts[x.State] = x.N
		}
		return err
	})
	return counts, err
}

// editable are the states in which a draft's contents may be changed; after
// that it is what the reviewer saw.
var editable = map[catalog.State]bool{
	catalog.Uploading: true, catalog.Checking: true, catalog.Rejected: true, catalog.Ready: true, catalog.Returned: true,
}

// edit runs f on a draft that may still be edited, then lets its state follow
// from its files, counts up row_version and writes the event.
func (db *DB) edit(ctx context.Context, actor catalog.Actor, id string, rowVersion int64, verb string, f func(t *tx, r *catalog.Release, d *datasetRow) (facts, error)) (*catalog.Release, error) {
	var r *catalog.Release
	err := db.update(ctx, verb, func(t *tx) error {
		var d *datasetRow
		var err error
		if r, d, err = t.draft(ctx, actor, id, catalog.EditDraft, t.lock()); err != nil {
			return err
		}
		if err := checkVersion(rowVersion, r.RowVersion); err != nil {
			return err
		}
		if !editable[r.State] {
			return r.State.CheckMove(catalog.Checking)
		}
		said, err := f(t, r, d)
		if err != nil || said == nil {
			return err
		}
		if err := t.settle(ctx, r); err != nil {
			return err
		}
		return t.event(ctx, d.ID, actor, verb, r.ID, said)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// UpdateDraft changes version, notes and data date. A returned draft can be
// submitted again after it.
func (db *DB) UpdateDraft(ctx context.Context, actor catalog.Actor, id string, rowVersion int64, e DraftEdit) (*catalog.Release, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	_, err := db.edit(ctx, actor, id, rowVersion, "draft.changed", func(t *tx, r *catalog.Release, d *datasetRow) (facts, error) {
		if err := t.checkCorrects(ctx, d, e.Corrects); err != nil {
			return nil, err
		}
		_, err := t.exec(ctx, `UPDATE releases SET version = ?, notes = ?, data_date = ?, corrects = ? WHERE id = ?`, e.Version, js(e.Notes), e.DataDate, e.Corrects, r.ID)
		return facts{}, err
	})
	if err != nil {
		return nil, err
	}
	return db.Draft(ctx, actor, id)
}

// settle gives a draft the state that follows from its files: checking while
// one is pending, rejected where one was refused, ready where all were read,
// uploading where there is nothing. It counts up row_version.
func (t *tx) settle(ctx context.Context, r *catalog.Release) error {
	var pending, refused, all int
	_, err := t.value(ctx, `
		SELECT COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN state = 'refused' THEN 1 ELSE 0 END), 0), COUNT(*)
		FROM release_files WHERE release_id = ?`, []any{r.ID}, &pending, &refused, &all)
	if err != nil {
		return err
	}
	next := catalog.Ready
	switch {
	case pending > 0:
		next = catalog.Checking
	case refused > 0:
		next = catalog.Rejected
	case all == 0:
		next = catalog.Uploading
	}
	if err := checkPath(r.State, next); err != nil {
		return err
	}
	r.State = next
	r.RowVersion++
	_, err = t.exec(ctx, `UPDATE releases SET state = ?, row_version = ? WHERE id = ?`, string(r.State), r.RowVersion, r.ID)
	return err
}

// checkPath returns nil where arrows of the state machine lead from one editable
// state to another, by way of editable ones. One change can take several steps
// at once: the last refused file removed, the draft is empty again.
func checkPath(from, to catalog.State) error {
	reached := map[catalog.State]bool{from: true}
	for todo := []catalog.State{from}; len(todo) > 0; todo = todo[1:] {
		for next := range editable {
			if !reached[next] && todo[0].CanBecome(next) {
				reached[next] = true
				todo = append(todo, next)
			}
		}
	}
	if reached[to] {
		return nil
	}
	return from.CheckMove(to)
}
