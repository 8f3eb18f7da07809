package store_test

import (
	"testing"

	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// Downloads add up; the catalogue's version does not change with them.
func TestAddDownloads(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.Published(t, "water-level")
		other := w.NewDataset(t, "other")
		version, err := db.CatalogueVersion(ctx)
		wantCode(t, err, "")
		for range 3 {
			wantCode(t, db.AddDownloads(ctx, map[string]int64{w.Dataset.ID: 2, other.ID: 1}), "")
		}
		wantCode(t, db.AddDownloads(ctx, nil), "")
		for id, want := range map[string]int64{w.Dataset.ID: 6, other.ID: 3, "unknown": 0} {
			if n, err := db.Downloads(ctx, id); err != nil || n != want {
				t.Errorf("%s: %d downloads, want %d; %v", id, n, want, err)
			}
		}
		e, _, err := db.IndexEntry(ctx, w.Dataset.ID)
		wantCode(t, err, "")
		if e.Downloads != 6 {
			t.Errorf("the index learns of %d", e.Downloads)
		}
		if now, err := db.CatalogueVersion(ctx); err != nil || now != version {
			t.Errorf("the version went from %d to %d; %v", version, now, err)
		}
	})
}
