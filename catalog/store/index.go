package store

import (
	"context"

	"taihu/catalog"
)

// IndexEntry is all that a search document is made of.
type IndexEntry struct {
	Dataset *catalog.Dataset
	Path    []catalog.Organization // its publisher last, those above before it
	Release *catalog.Release       // the newest that stands, with the profiles of its tables
	Notes   []catalog.Text         // of all releases that stand, newest first
	// Downloads is how often its data were downloaded so far.
	Downloads int64
	Version   int64 // rises with every change of what the document shows
}

// IndexEntry returns what the index may know of a dataset; false where it must
// know nothing: unknown, closed, never published, or all withdrawn.
func (db *DB) IndexEntry(ctx context.Context, datasetID string) (*IndexEntry, bool, error) {
	var e *IndexEntry
	err := db.view(ctx, "read index entry", func(c *conn) error {
		d, err := c.datasetRow(ctx, datasetID, "")
		if err != nil || d == nil || d.LatestNumber == 0 || d.OpenAttribute == catalog.Closed {
			return err
		}
		list, err := c.indexEntries(ctx, []datasetRow{*d})
		if err == nil {
			e = &list[0]
		}
		return err
	})
	return e, e != nil, err
}

// indexEntries reads what belongs to datasets that have a release, each kind of it
// at once.
func (c *conn) indexEntries(ctx context.Context, rows []datasetRow) ([]IndexEntry, error) {
	list := make([]IndexEntry, len(rows))
	if len(rows) == 0 {
		return list, nil
	}
	datasets, releases := []any{}, []any{}
	byDataset, byRelease := map[string]*IndexEntry{}, map[string]*IndexEntry{}
	paths := map[string][]catalog.Organization{}
	for i := range rows {
		d, e := &rows[i], &list[i]
		path, read := paths[d.OrganizationID]
		if !read {
			var err error
			if path, err = c.path(ctx, d.OrganizationID); err != nil {
				return nil, err
			}
			paths[d.OrganizationID] = path
		}
		*e = IndexEntry{Dataset: &d.Dataset, Path: path, Version: d.ChangeNumber}
		byDataset[d.ID], datasets = e, append(datasets, d.ID)
	}
	of := ` IN (` + marks(len(datasets)) + `)`
	var standing []catalog.Release
	err := c.all(ctx, &standing, `
		SELECT id, dataset_id, number, notes, data_date, published_at FROM releases
		WHERE state = 'published' AND dataset_id`+of+` ORDER BY number DESC`, datasets...)
	if err != nil {
		return nil, err
	}
	for i := range standing {
		r := &standing[i]
		e := byDataset[r.DatasetID]
		if e.Release == nil {
			e.Release, byRelease[r.ID], releases = r, e, append(releases, r.ID)
		}
		e.Notes = append(e.Notes, r.Notes)
	}
	var use []struct {
		DatasetID string
		Downloads int64
	}
	if err := c.all(ctx, &use, `SELECT dataset_id, downloads FROM dataset_use WHERE dataset_id`+of, datasets...); err != nil {
		return nil, err
	}
	for _, u := range use {
		byDataset[u.DatasetID].Downloads = u.Downloads
	}
	of = ` IN (` + marks(len(releases)) + `)`
	var tables []catalog.Table
	err = c.all(ctx, &tables, `SELECT release_id, name, rows, schema, profile FROM release_tables WHERE release_id`+of+` ORDER BY position, id`, releases...)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		r := byRelease[t.ReleaseID].Release
		r.Tables = append(r.Tables, t)
	}
	var files []catalog.File
	err = c.all(ctx, &files, `SELECT release_id, name, role FROM release_files WHERE release_id`+of+` ORDER BY created_at, id`, releases...)
	for _, f := range files {
		r := byRelease[f.ReleaseID].Release
		r.Files = append(r.Files, f)
	}
	return list, err
}

// IndexEntries returns the entries of all datasets the index may know, in order
// of dataset id, behind the id after; fewer than limit means the end.
func (db *DB) IndexEntries(ctx context.Context, after string, limit int) ([]IndexEntry, error) {
	var list []IndexEntry
	err := db.view(ctx, "list index entries", func(c *conn) error {
		var rows []datasetRow
		err := c.all(ctx, &rows, `
			SELECT `+datasetColumns+` FROM datasets d
			WHERE d.id > ? AND d.latest_number > 0 AND d.open_attribute <> 'closed' ORDER BY d.id LIMIT ?`, after, limit)
		if err != nil {
			return err
		}
		list, err = c.indexEntries(ctx, rows)
		return err
	})
	return list, err
}

// Stats are the public figures of the portal. Closed datasets are not counted.
type Stats struct {
	Datasets      int64 `json:"datasets"`      // with a release that stands
	Releases      int64 `json:"releases"`      // that stand
	Rows          int64 `json:"rows"`          // of the latest releases
	Cells         int64 `json:"cells"`         // of the latest releases
	Organizations int64 `json:"organizations"` // with such a dataset
}

// Stats counts what everybody may see.
func (db *DB) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := db.view(ctx, "count", func(c *conn) error {
		_, err := c.value(ctx, `
			SELECT COUNT(*), COUNT(DISTINCT organization_id) FROM datasets d
			WHERE d.latest_number > 0 AND d.open_attribute <> 'closed'`, nil, &s.Datasets, &s.Organizations)
		if err != nil {
			return err
		}
		_, err = c.value(ctx, `
			SELECT (SELECT COUNT(*) FROM releases WHERE state = 'published') - (
				SELECT COUNT(*) FROM datasets d CROSS JOIN releases r
				WHERE r.dataset_id = d.id AND r.state = 'published' AND d.open_attribute = 'closed')`, nil, &s.Releases)
		if err != nil {
			return err
		}
		_, err = c.value(ctx, `
			SELECT COALESCE(CAST(SUM(t.rows) AS BIGINT), 0), COALESCE(CAST(SUM(t.rows * t.columns) AS BIGINT), 0)
			FROM release_tables t JOIN releases r ON r.id = t.release_id
			JOIN datasets d ON d.id = r.dataset_id AND d.latest_number = r.number
			WHERE d.open_attribute <> 'closed'`, nil, &s.Rows, &s.Cells)
		return err
	})
	return s, err
}
