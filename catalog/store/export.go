package store

import (
	"context"
	"time"

	"taihu/catalog"
)

// Export is an encoded answer that is kept as a blob. Its key says all that its
// bytes depend on, so it never changes.
type Export struct {
	Key       string
	Blob      catalog.Blob
	Rows      int64
	MediaType string
	CreatedAt time.Time
	UsedAt    time.Time
}

const exportColumns = `key, blob, rows, media_type, created_at, used_at`

// Export returns a kept export or NotFound unknown_export. Who may read the data
// is asked before.
func (db *DB) Export(ctx context.Context, key string) (*Export, error) {
	e := &Export{}
	err := db.view(ctx, "read export", func(c *conn) error {
		found, err := c.one(ctx, e, `SELECT `+exportColumns+` FROM exports WHERE key = ?`, key)
		if err == nil && !found {
			return unknown("unknown_export", "this export is not kept")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// PutExport keeps an export; where the key is kept already, the first stays.
func (db *DB) PutExport(ctx context.Context, e *Export) error {
	return db.update(ctx, "keep export", func(t *tx) error {
		e.CreatedAt, e.UsedAt = t.now, t.now
		_, err := t.exec(ctx, `INSERT INTO exports (`+exportColumns+`, sha256, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
			e.Key, js(e.Blob), e.Rows, e.MediaType, e.CreatedAt, e.UsedAt, e.Blob.SHA256, e.Blob.Size)
		return err
	})
}

// UseExport notes that an export was asked for now.
func (db *DB) UseExport(ctx context.Context, key string) error {
	return db.update(ctx, "note use of export", func(t *tx) error {
		_, err := t.exec(ctx, `UPDATE exports SET used_at = ? WHERE key = ?`, t.now, key)
		return err
	})
}

// ForgetOldExports forgets the exports that were not used for longest until the
// rest has at most most bytes, and returns the hashes that no export has any more.
func (db *DB) ForgetOldExports(ctx context.Context, most int64) (unused []string, err error) {
	err = db.update(ctx, "forget old exports", func(t *tx) error {
		unused = nil
		var total struct{ Bytes int64 }
		if _, err := t.one(ctx, &total, `SELECT CAST(coalesce(sum(size), 0) AS BIGINT) AS bytes FROM exports`); err != nil {
			return err
		}
		for total.Bytes > most {
			var list []Export
			if err := t.all(ctx, &list, `SELECT `+exportColumns+` FROM exports ORDER BY used_at, key LIMIT 100`); err != nil || len(list) == 0 {
				return err
			}
			for i := 0; i < len(list) && total.Bytes > most; i++ {
				total.Bytes -= list[i].Blob.Size
				if _, err := t.exec(ctx, `DELETE FROM exports WHERE key = ?`, list[i].Key); err != nil {
					return err
				}
				var left struct{ Keys int64 }
				if _, err := t.one(ctx, &left, `SELECT count(*) AS keys FROM exports WHERE sha256 = ?`, list[i].Blob.SHA256); err != nil {
					return err
				}
				if left.Keys == 0 {
					unused = append(unused, list[i].Blob.SHA256)
				}
			}
		}
		return nil
	})
	return unused, err
}

// DeleteExport forgets an export, as when its blob is gone: it will be encoded anew.
func (db *DB) DeleteExport(ctx context.Context, key string) error {
	return db.update(ctx, "forget export", func(t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM exports WHERE key = ?`, key)
		return err
	})
}

// Exports calls f for every kept export in order of key.
func (db *DB) Exports(ctx context.Context, f func(Export) error) error {
	return pages(ctx, db, "list exports", func(c *conn, after string) ([]Export, error) {
		var list []Export
		err := c.all(ctx, &list, `SELECT `+exportColumns+` FROM exports WHERE key > ? ORDER BY key LIMIT 500`, after)
		return list, err
	}, func(e Export) string { return e.Key }, f)
}

// pages reads a long list page by page, each in a transaction of its own, so
// that no long one holds back the database, and calls f outside of them.
func pages[T any](ctx context.Context, db *DB, what string, read func(c *conn, after string) ([]T, error), key func(T) string, f func(T) error) error {
	for after := ""; ; {
		var list []T
		err := db.view(ctx, what, func(c *conn) (err error) {
			list, err = read(c, after)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, x := range list {
			if err := f(x); err != nil {
				return err
			}
		}
		after = key(list[len(list)-1])
	}
}
