package store

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// AddDownloads adds to how often the data of datasets were downloaded, by their ids.
// It is no change of the catalogue: no version rises, no event is written.
func (db *DB) AddDownloads(ctx context.Context, count map[string]int64) error {
	ids := slices.Sorted(maps.Keys(count)) // in one order everywhere, so that two of them never wait for each other
	return db.update(ctx, "count downloads", func(t *tx) error {
		for part := range slices.Chunk(ids, 500) {
			args := make([]any, 0, 2*len(part))
			for _, id := range part {
				args = append(args, id, count[id])
			}
			_, err := t.exec(ctx, `
				INSERT INTO dataset_use (dataset_id, downloads) VALUES `+strings.TrimSuffix(strings.Repeat(`(?, ?), `, len(part)), `, `)+`
				ON CONFLICT (dataset_id) DO UPDATE SET downloads = dataset_use.downloads + excluded.downloads`, args...)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Downloads returns how often the data of a dataset were downloaded, as last written
// down.
func (db *DB) Downloads(ctx context.Context, datasetID string) (n int64, err error) {
	err = db.view(ctx, "read downloads", func(c *conn) error {
		_, err := c.value(ctx, `SELECT downloads FROM dataset_use WHERE dataset_id = ?`, []any{datasetID}, &n)
		return err
	})
	return n, err
}
