package store

import (
	"context"
	"strings"

	"taihu/catalog"
)

const releaseColumns = `id, dataset_id, number, state, version, notes, data_date, comment, created_by, created_at, submitted_by,
	approved_by, published_by, published_at, publish_at, withdrawn_by, withdrawn_at, withdrawn_why, row_version, like_number, remarks, corrects`

const fileColumns = `id, release_id, name, role, state, media_type, blob, options, report, created_at`

// fileFacts are the columns of a file without its report, which is most of its bytes.
const fileFacts = `id, release_id, name, role, state, media_type, blob, options, NULL AS report, created_at`

const tableFacts = `id, release_id, name, title, position, schema, rows, parts, text_blob, file_id, source_sha256, table_sha256, content_sha256, created_at`

const tableColumns = tableFacts + `, profile, sample`

// Release returns a release with its tables and files; number 0 is the newest
// that stands. NotFound: unknown_dataset, unknown_release; Gone withdrawn where
// every release was taken back. A withdrawn release comes as a tombstone, and
// one whose data the actor may not read (catalog.ReadData) without them: then
// tables have no parts and no profile, and no blob has a hash.
func (db *DB) Release(ctx context.Context, actor catalog.Actor, dataset string, number int) (*catalog.Dataset, *catalog.Release, error) {
	return db.release(ctx, actor, dataset, number, tableColumns, fileColumns)
}

// ReleaseFacts is Release without what describes it to people, which is most of its
// bytes: tables have no profiles and samples, files no reports.
func (db *DB) ReleaseFacts(ctx context.Context, actor catalog.Actor, dataset string, number int) (*catalog.Dataset, *catalog.Release, error) {
	return db.release(ctx, actor, dataset, number, tableFacts, fileFacts)
}

func (db *DB) release(ctx context.Context, actor catalog.Actor, dataset string, number int, tables, files string) (*catalog.Dataset, *catalog.Release, error) {
	var d *datasetRow
	var r *catalog.Release
	err := db.view(ctx, "read release", func(c *conn) (err error) {
		if d, err = c.datasetFor(ctx, actor, dataset); err != nil {
			return err
		}
		if number == 0 {
			number = d.LatestNumber
		}
		if number == 0 {
			return noLatest(d)
		}
		if r, err = c.numbered(ctx, d, number, ""); err != nil {
			return err
		}
		if err := c.contentsAs(ctx, r, tables, files); err != nil {
			return err
		}
		redact(actor, d, r)
		if r.Number < d.LatestNumber {
			_, err = c.value(ctx, `SELECT COALESCE(MAX(number), 0) FROM releases WHERE dataset_id = ? AND corrects = ? AND state = 'published'`, []any{d.ID, r.Number}, &r.CorrectedBy)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return &d.Dataset, r, nil
}

func noLatest(d *datasetRow) error {
	if d.LastNumber > 0 {
		return catalog.Errorf(catalog.Gone, "withdrawn", "every release of %q was withdrawn: its page says why", d.Slug).InChinese("该数据集的各版均已撤回，原因见其页面")
	}
	return unknown("no_release", "nothing of %q has been published yet", d.Slug).InChinese("该数据集尚未发布")
}

// latest returns the newest release that stands, with its contents; its errors are
// those of noLatest.
func (c *conn) latest(ctx context.Context, d *datasetRow) (*catalog.Release, error) {
	if d.LatestNumber == 0 {
		return nil, noLatest(d)
	}
	r, err := c.numbered(ctx, d, d.LatestNumber, "")
	if err != nil {
		return nil, err
	}
	return r, c.contents(ctx, r, tableFacts)
}

// numbered returns a published or withdrawn release, without its contents.
func (c *conn) numbered(ctx context.Context, d *datasetRow, number int, lock string) (*catalog.Release, error) {
	r := &catalog.Release{}
	found, err := c.one(ctx, r, `SELECT `+releaseColumns+` FROM releases WHERE dataset_id = ? AND number = ?`+lock, d.ID, number)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, unknown("unknown_release", "there is no release %d of %q; the newest is %d", number, d.Slug, d.LastNumber).
			With("release", number).With("latest", d.LatestNumber).InChinese("没有第%d版；最新为第%d版", number, d.LastNumber)
	}
	return r, nil
}

// Releases lists the published and withdrawn releases, newest first, with their
// files and the facts of their tables but no profiles.
func (db *DB) Releases(ctx context.Context, actor catalog.Actor, dataset string) ([]catalog.Release, error) {
	list := []catalog.Release{}
	err := db.view(ctx, "list releases", func(c *conn) error {
		d, err := c.datasetFor(ctx, actor, dataset)
		if err != nil {
			return err
		}
		err = c.all(ctx, &list, `SELECT `+releaseColumns+` FROM releases WHERE dataset_id = ? AND number IS NOT NULL ORDER BY number DESC`, d.ID)
		if err != nil {
			return err
		}
		if err := c.contentsOf(ctx, d.ID, list); err != nil {
			return err
		}
		for i := range list {
			redact(actor, d, &list[i])
			list[i].CorrectedBy = correctorOf(list, list[i].Number)
		}
		return nil
	})
	return list, err
}

// correctorOf is the newest published release of a list, newest first, that
// corrects the one of that number; 0: none.
func correctorOf(list []catalog.Release, number int) int {
	for i := range list {
		if list[i].Corrects == number && list[i].State == catalog.Published {
			return list[i].Number
		}
	}
	return 0
}

// ReleaseByID returns a release in any state with everything, for jobs.
func (db *DB) ReleaseByID(ctx context.Context, id string) (*catalog.Dataset, *catalog.Release, error) {
	var d *datasetRow
	r := &catalog.Release{}
	err := db.view(ctx, "read release", func(c *conn) error {
		found, err := c.one(ctx, r, `SELECT `+releaseColumns+` FROM releases WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if !found {
			return unknownDraft()
		}
		if d, err = c.datasetRow(ctx, r.DatasetID, ""); err != nil {
			return err
		}
		if err := c.contents(ctx, r, tableColumns); err != nil {
			return err
		}
		withhold(r)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return &d.Dataset, r, nil
}

// contents loads a release's tables, with the given columns, and files.
func (c *conn) contents(ctx context.Context, r *catalog.Release, columns string) error {
	return c.contentsAs(ctx, r, columns, fileColumns)
}

// contentsAs loads of tables and files the columns named.
func (c *conn) contentsAs(ctx context.Context, r *catalog.Release, tables, files string) error {
	r.Tables, r.Files = []catalog.Table{}, []catalog.File{}
	if err := c.all(ctx, &r.Tables, `SELECT `+tables+` FROM release_tables WHERE release_id = ? ORDER BY position, id`, r.ID); err != nil {
		return err
	}
	return c.all(ctx, &r.Files, `SELECT `+files+` FROM release_files WHERE release_id = ? ORDER BY created_at, id`, r.ID)
}

// contentsOf loads the contents of many releases of one dataset at once.
func (c *conn) contentsOf(ctx context.Context, datasetID string, list []catalog.Release) error {
	byID := map[string]*catalog.Release{}
	for i := range list {
		list[i].Tables, list[i].Files = []catalog.Table{}, []catalog.File{}
		byID[list[i].ID] = &list[i]
	}
	const ofDataset = ` WHERE release_id IN (SELECT id FROM releases WHERE dataset_id = ?) ORDER BY `
	var tables []catalog.Table
	if err := c.all(ctx, &tables, `SELECT `+tableFacts+` FROM release_tables`+ofDataset+`position, id`, datasetID); err != nil {
		return err
	}
	for _, t := range tables {
		if r := byID[t.ReleaseID]; r != nil {
			r.Tables = append(r.Tables, t)
		}
	}
	var files []catalog.File
	if err := c.all(ctx, &files, `SELECT `+fileColumns+` FROM release_files`+ofDataset+`created_at, id`, datasetID); err != nil {
		return err
	}
	for _, f := range files {
		if r := byID[f.ReleaseID]; r != nil {
			r.Files = append(r.Files, f)
		}
	}
	return nil
}

// redact takes out of a release what leads to bytes that are not published, and
// to all where it is withdrawn or the actor may not read the data, so that no
// caller can give them away.
func redact(actor catalog.Actor, d *datasetRow, r *catalog.Release) {
	withhold(r)
	if r.State != catalog.Withdrawn && catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(&d.Dataset)) == nil {
		return
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		t.Parts, t.Profile, t.TextBlob = nil, nil, catalog.Blob{}
		t.SourceSHA256, t.TableSHA256, t.ContentSHA256 = "", "", ""
		if r.State == catalog.Withdrawn {
			t.Sample = nil
		}
	}
	for i := range r.Files {
		r.Files[i].Report = nil
		r.Files[i].Blob.SHA256 = ""
	}
}

// Withdraw takes a published release back: its page stays and says why, its
// bytes are served no more, and latest is the newest release that still stands.
func (db *DB) Withdraw(ctx context.Context, actor catalog.Actor, dataset string, number int, reason string) (*catalog.Release, error) {
	if reason = strings.TrimSpace(reason); reason == "" {
		return nil, invalid("reason", "请写明撤回原因", "say why the release is withdrawn: its page will show it")
	}
	return db.stand(ctx, actor, dataset, number, catalog.Withdrawn, reason)
}

// Restore makes a withdrawn release stand again.
func (db *DB) Restore(ctx context.Context, actor catalog.Actor, dataset string, number int) (*catalog.Release, error) {
	return db.stand(ctx, actor, dataset, number, catalog.Published, "")
}

// stand moves a numbered release between published and withdrawn.
func (db *DB) stand(ctx context.Context, actor catalog.Actor, dataset string, number int, next catalog.State, reason string) (*catalog.Release, error) {
	var r *catalog.Release
	err := db.update(ctx, "withdraw or restore release", func(t *tx) error {
		d, err := t.datasetForChange(ctx, actor, &catalog.Dataset{Slug: dataset}, catalog.WithdrawRelease)
		if err != nil {
			return err
		}
		if r, err = t.numbered(ctx, d, number, t.lock()); err != nil {
			return err
		}
		if err := r.State.CheckMove(next); err != nil {
			return err
		}
		r.State, r.WithdrawnBy, r.WithdrawnAt, r.WithdrawnWhy = next, "", nil, reason
		verb := "release.restored"
		if next == catalog.Withdrawn {
			verb = "release.withdrawn"
			r.WithdrawnBy, r.WithdrawnAt = actor.ID(), &t.now
		}
		r.RowVersion++
		_, err = t.exec(ctx, `UPDATE releases SET state = ?, withdrawn_by = ?, withdrawn_at = ?, withdrawn_why = ?, row_version = ? WHERE id = ?`,
			string(r.State), r.WithdrawnBy, r.WithdrawnAt, r.WithdrawnWhy, r.RowVersion, r.ID)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `
			UPDATE datasets SET latest_number = (
				SELECT COALESCE(MAX(number), 0) FROM releases WHERE dataset_id = ? AND state = 'published')
			WHERE id = ?`, d.ID, d.ID)
		if err != nil {
			return err
		}
		if err := t.reindex(ctx, d.ID); err != nil {
			return err
		}
		var latest string
		if _, err := t.value(ctx, `SELECT r.id FROM releases r JOIN datasets d ON d.id = r.dataset_id AND d.latest_number = r.number WHERE d.id = ?`, []any{d.ID}, &latest); err != nil {
			return err
		}
		if err := t.relink(ctx, d.ID, latest); err != nil {
			return err
		}
		if err := t.event(ctx, d.ID, actor, verb, r.ID, facts{"number": number, "reason": reason}); err != nil {
			return err
		}
		return t.contents(ctx, r, tableColumns)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}
