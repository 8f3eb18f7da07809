package store_test

import (
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// TestCatalogueIsWhatAnybodyMaySee: not closed, not a draft, not withdrawn, no
// hash of conditional data; in pages, and with a version that rises.
func TestCatalogueIsWhatAnybodyMaySee(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		version := int64(-1)
		slugs := func(f store.CatalogueFilter) string {
			t.Helper()
			list, err := db.Catalogue(ctx, f)
			wantCode(t, err, "")
			s := ""
			for _, e := range list {
				s += e.Dataset.Slug + " "
				if e.Release == nil || e.Publisher == nil || e.Release.Number != e.Dataset.LatestNumber || len(e.Release.Tables) != 1 || e.Columns != int64(2) || e.Release.Tables[0].Rows != 3 {
					t.Errorf("%s: %+v, release %+v, %d columns", e.Dataset.Slug, e.Publisher, e.Release, e.Columns)
				}
				if open := e.Dataset.OpenAttribute == catalog.Unconditional; open != (len(e.Release.Files) > 0) || e.Release.Tables[0].TableSHA256 != "" {
					t.Errorf("%s shows files or hashes: %+v", e.Dataset.Slug, e.Release)
				}
			}
			return s
		}
		state := func(datasets int) {
			t.Helper()
			n, err := db.CatalogueSize(ctx)
			wantCode(t, err, "")
			v, err := db.CatalogueVersion(ctx)
			wantCode(t, err, "")
			if n != datasets || v <= version {
				t.Errorf("%d datasets at version %d after %d, want %d", n, v, version, datasets)
			}
			version = v
		}
		all := store.CatalogueFilter{Limit: 10}
		if got := slugs(all); got != "" {
			t.Errorf("nothing is published, but there is %s", got)
		}
		w.Published(t, "water-level")
		w.NewDataset(t, "second")
		w.Published(t, "second")
		w.NewDataset(t, "only-a-draft")
		w.ReadyDraft(t, "only-a-draft")
		state(2)
		second := w.ApprovedDraft(t, "water-level")
		_, err := db.Schedule(ctx, w.Reviewer, second.ID, catalog.Now().Add(time.Hour), 0)
		wantCode(t, err, "")
		w.NewDataset(t, "not-yet")
		if v, err := db.CatalogueVersion(ctx); err != nil || v != version {
			t.Errorf("a release that waits for its time made version %d of %d: %v", v, version, err)
		}
		_, err = db.Publish(ctx, w.Reviewer, second.ID, 0)
		wantCode(t, err, "")
		state(2)
		w.Organization.Name.En = "Waters"
		wantCode(t, db.UpdateOrganization(ctx, w.Admin, w.Organization), "")
		state(2)
		for filter, want := range map[*store.CatalogueFilter]string{
			&all:                                    "water-level second ",
			{Limit: 1}:                              "water-level ",
			{Limit: 1, Skip: 1}:                     "second ",
			{Limit: 1, Skip: 2}:                     "",
			{Limit: 9, After: w.Dataset.ID}:         "second ",
			{Limit: 9, Newest: true}:                "water-level second ",
			{Limit: 9, Slugs: []string{"second"}}:   "second ",
			{Limit: 9, Slugs: []string{}}:           "",
			{Limit: 9, IDs: []string{w.Dataset.ID}}: "water-level ",
			{Limit: 9, IDs: []string{w.Dataset.ID}, Slugs: []string{"second"}}: "",
			{Limit: 9, IDs: []string{}}:                                        "",
			{Limit: 9, Slugs: []string{"no", "x"}}:                             "",
		} {
			if got := slugs(*filter); got != want {
				t.Errorf("%+v: %q, want %q", *filter, got, want)
			}
		}
		bare, err := db.Catalogue(ctx, store.CatalogueFilter{Limit: 9, Bare: true})
		wantCode(t, err, "")
		if len(bare) != 2 || bare[0].Release.PublishedAt == nil || bare[0].Publisher.Slug != "shuiwu" || len(bare[0].Release.Tables) != 0 {
			t.Errorf("without contents: %+v", bare)
		}
		open := func(slug string, a catalog.OpenAttribute) {
			t.Helper()
			d, err := db.Dataset(ctx, w.Steward, slug)
			wantCode(t, err, "")
			d.OpenAttribute, d.Conditions = a, catalog.Text{Zh: "申请"}
			wantCode(t, db.UpdateDataset(ctx, w.Steward, d), "")
		}
		open("second", catalog.Conditional)
		if got := slugs(all); got != "water-level second " {
			t.Errorf("conditional ones are described: %q", got)
		}
		open("second", catalog.Closed)
		state(1)
		for _, n := range []int{2, 1} {
			if got := slugs(all); got != "water-level " {
				t.Errorf("before withdrawing %d: %q", n, got)
			}
			_, err := db.Withdraw(ctx, w.Admin, "water-level", n, "wrong")
			wantCode(t, err, "")
		}
		if got := slugs(all); got != "" {
			t.Errorf("all are withdrawn or closed, but there is %q", got)
		}
		state(0)
	})
}
