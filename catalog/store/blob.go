package store

import (
	"context"
	"fmt"

	"taihu/catalog"
)

// ReferencedBlobs calls f for every blob the catalogue needs and says what for;
// one blob may come several times. Abandoned drafts need none. Exports lie in a
// store of their own, see Exports.
func (db *DB) ReferencedBlobs(ctx context.Context, f func(b catalog.Blob, what string) error) error {
	type fileRow struct {
		catalog.File
		Slug string
	}
	err := pages(ctx, db, "list files", func(c *conn, after string) ([]fileRow, error) {
		var list []fileRow
		err := c.all(ctx, &list, `
			SELECT f.id, f.release_id, f.name, f.blob, d.slug
			FROM release_files f JOIN releases r ON r.id = f.release_id JOIN datasets d ON d.id = r.dataset_id
			WHERE f.id > ? AND r.state <> 'abandoned' ORDER BY f.id LIMIT 500`, after)
		return list, err
	}, func(r fileRow) string { return r.ID }, func(r fileRow) error {
		return f(r.Blob, fmt.Sprintf("file %q of dataset %s, release %s", r.Name, r.Slug, r.ReleaseID))
	})
	if err != nil {
		return err
	}
	type tableRow struct {
		catalog.Table
		Slug string
	}
	return pages(ctx, db, "list tables", func(c *conn, after string) ([]tableRow, error) {
		var list []tableRow
		err := c.all(ctx, &list, `
			SELECT t.id, t.release_id, t.name, t.parts, t.text_blob, d.slug
			FROM release_tables t JOIN releases r ON r.id = t.release_id JOIN datasets d ON d.id = r.dataset_id
			WHERE t.id > ? AND r.state <> 'abandoned' ORDER BY t.id LIMIT 500`, after)
		return list, err
	}, func(r tableRow) string { return r.ID }, func(r tableRow) error {
		what := fmt.Sprintf("table %q of dataset %s, release %s", r.Name, r.Slug, r.ReleaseID)
		for i, p := range r.Parts {
			if err := f(p.Blob, fmt.Sprintf("part %d of %s", i+1, what)); err != nil {
				return err
			}
		}
		if r.TextBlob.SHA256 == "" {
			return nil
		}
		return f(r.TextBlob, "text of "+what)
	})
}
