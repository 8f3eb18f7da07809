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
		e, err = c.indexEntry(ctx, d)
		return err
	})
	return e, e != nil, err
}

func (c *conn) indexEntry(ctx context.Context, d *datasetRow) (*IndexEntry, error) {
	path, err := c.path(ctx, d.OrganizationID)
	if err != nil {
		return nil, err
	}
	r, err := c.numbered(ctx, d, d.LatestNumber, "")
	if err != nil {
		return nil, err
	}
	if err := c.contents(ctx, r, tableColumns); err != nil {
		return nil, err
	}
	e := &IndexEntry{Dataset: &d.Dataset, Path: path, Release: r, Version: d.ChangeNumber}
	var notes []struct{ Notes catalog.Text }
	err = c.all(ctx, &notes, `
		SELECT notes FROM releases WHERE dataset_id = ? AND state = 'published' ORDER BY number DESC`, d.ID)
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		e.Notes = append(e.Notes, n.Notes)
	}
	_, err = c.value(ctx, `SELECT downloads FROM dataset_use WHERE dataset_id = ?`, []any{d.ID}, &e.Downloads)
	return e, err
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
		list = make([]IndexEntry, 0, len(rows))
		for i := range rows {
			e, err := c.indexEntry(ctx, &rows[i])
			if err != nil {
				return err
			}
			list = append(list, *e)
		}
		return nil
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
			SELECT COUNT(*) FROM releases r JOIN datasets d ON d.id = r.dataset_id
			WHERE r.state = 'published' AND d.open_attribute <> 'closed'`, nil, &s.Releases)
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
