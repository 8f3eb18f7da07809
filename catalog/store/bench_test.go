package store_test

import (
	"fmt"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// eachBench runs f on both databases. The throw-away PostgreSQL has durability
// off; SQLite syncs each commit.
func eachBench(b *testing.B, f func(b *testing.B, db *store.DB)) {
	b.Run("sqlite", func(b *testing.B) { f(b, storetest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { f(b, storetest.Open(b, storetest.Postgres(b), store.Options{})) })
}

// BenchmarkPublish is a whole life: draft, file, check, submit, approve, publish.
func BenchmarkPublish(b *testing.B) {
	eachBench(b, func(b *testing.B, db *store.DB) {
		w := storetest.NewWorld(b, db)
		for b.Loop() {
			w.Published(b, "water-level")
		}
	})
}

// BenchmarkReadLatest is what each page and download begins with.
func BenchmarkReadLatest(b *testing.B) {
	eachBench(b, func(b *testing.B, db *store.DB) {
		w := storetest.NewWorld(b, db)
		w.Published(b, "water-level")
		for b.Loop() {
			if _, _, err := db.Release(b.Context(), catalog.Actor{}, "water-level", 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkListDatasets reads one page of 20 among 20,000.
func BenchmarkListDatasets(b *testing.B) {
	eachBench(b, func(b *testing.B, db *store.DB) {
		w := storetest.NewWorld(b, db)
		for i := range 20_000 {
			d := *w.Dataset
			d.Slug = fmt.Sprintf("set-%d", i)
			if err := db.CreateDataset(b.Context(), catalog.SystemActor, &d); err != nil {
				b.Fatal(err)
			}
		}
		for b.Loop() {
			if _, _, total, err := db.Datasets(b.Context(), w.Steward, store.DatasetFilter{Text: "set-1999"}); err != nil || total != 11 {
				b.Fatal(total, err)
			}
		}
	})
}
