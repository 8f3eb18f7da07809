package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

func TestDatasetKeepsEveryField(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		d := &catalog.Dataset{Slug: "parking", OrganizationID: w.Organization.ID, Title: catalog.Text{Zh: "停车场", En: "Car parks"},
			Description: catalog.Text{Zh: "**全市**\n“停车场”", En: "it's"}, Themes: []string{"transport", "living"}, Keywords: []string{"停车", "泊位 '?' $1"},
			Region: "无锡市", Licence: "ODbL-1.0", OpenAttribute: catalog.Conditional, Conditions: catalog.Text{Zh: "来函"}, Frequency: "monthly",
			Spatial: "滨湖区", TemporalStart: "2020", TemporalEnd: "2025-06", Language: "zh", Contact: catalog.Contact{Unit: "城管局", Phone: "0510", Mail: "a@b"},
			SourceNote: catalog.Text{Zh: "来源"}, Identifiers: []string{"3202/01"}, SecurityLevel: "L1", Simulated: true}
		want := *d
		wantCode(t, db.CreateDataset(ctx, w.Steward, d), "")
		got, err := db.Dataset(ctx, w.Steward, "parking")
		wantCode(t, err, "")
		want.ID, want.RowVersion, want.CreatedAt, want.CatalogueAt = d.ID, 1, d.CreatedAt, d.CatalogueAt
		if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", want) {
			t.Fatalf("got  %+v\nwant %+v", *got, want)
		}
		got.Title.En, got.Themes = "Parking", nil
		wantCode(t, db.UpdateDataset(ctx, w.Steward, got), "")
		if got.RowVersion != 2 || got.CatalogueAt.Before(want.CatalogueAt) {
			t.Errorf("after the change %+v", got)
		}
		old := want
		wantCode(t, db.UpdateDataset(ctx, w.Steward, &old), "stale_row_version")
		again, err := db.DatasetByID(ctx, w.Steward, d.ID)
		wantCode(t, err, "")
		if again.Title.En != "Parking" || again.Themes == nil || len(again.Themes) != 0 {
			t.Errorf("read back %+v", again)
		}
		moved := *again
		moved.OrganizationID = w.Other.ID
		wantCode(t, db.UpdateDataset(ctx, w.Steward, &moved), "not_allowed")
		bad := *again
		bad.Licence = "mine"
		wantCode(t, db.UpdateDataset(ctx, w.Steward, &bad), "invalid_field")
		wantCode(t, db.CreateDataset(ctx, w.Stranger, &want), "not_allowed")
		wantCode(t, db.CreateDataset(ctx, w.Steward, &want), "slug_taken")
	})
}

func TestOldSlugsLeadToTheDatasetForEver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.Published(t, "water-level")
		renamed, err := db.RenameDataset(ctx, w.Steward, "water-level", "river-level")
		wantCode(t, err, "")
		for _, slug := range []string{"water-level", "river-level"} {
			d, err := db.Dataset(ctx, catalog.Actor{}, slug)
			wantCode(t, err, "")
			if d.Slug != "river-level" || d.ID != renamed.ID {
				t.Fatalf("%s leads to %+v", slug, d)
			}
		}
		other := w.NewDataset(t, "other-level")
		_, err = db.RenameDataset(ctx, w.Steward, other.Slug, "water-level")
		wantCode(t, err, "slug_taken") // given once, never again
		_, err = db.RenameDataset(ctx, w.Steward, "river-level", "water-level")
		wantCode(t, err, "") // but its own dataset may have it back
		_, err = db.RenameDataset(ctx, w.Steward, "river-level", "new")
		wantCode(t, err, "reserved_slug")
	})
}

func TestClosedDatasetsAreInvisibleToOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.Published(t, "water-level")
		if _, ok, err := db.IndexEntry(ctx, w.Dataset.ID); err != nil || !ok {
			t.Fatalf("no index entry, %v", err)
		}
		d, err := db.Dataset(ctx, w.Steward, "water-level")
		wantCode(t, err, "")
		d.OpenAttribute = catalog.Closed
		wantCode(t, db.UpdateDataset(ctx, w.Steward, d), "")
		for _, who := range []catalog.Actor{{}, w.Stranger} {
			_, hidden := db.Dataset(ctx, who, "water-level")
			_, none := db.Dataset(ctx, who, "water-bevel")
			if catalog.KindOf(hidden) != catalog.NotFound || strings.Replace(hidden.Error(), "level", "bevel", 1) != none.Error() {
				t.Errorf("a closed dataset says %q, none at all %q", hidden, none)
			}
			for _, err := range []error{
				func() error { _, _, err := db.Release(ctx, who, "water-level", 1); return err }(),
				func() error { _, err := db.Releases(ctx, who, "water-level"); return err }(),
				func() error { _, err := db.DatasetByID(ctx, who, d.ID); return err }(),
				db.UpdateDataset(ctx, who, &catalog.Dataset{Slug: "water-level"}),
			} {
				wantCode(t, err, "unknown_dataset")
			}
			list, _, total, err := db.Datasets(ctx, who, store.DatasetFilter{})
			if err != nil || len(list) != 0 || total != 0 {
				t.Errorf("the list shows %v, %v", list, err)
			}
		}
		_, _, total, err := db.Datasets(ctx, w.Reviewer, store.DatasetFilter{Mine: true, Published: true})
		if err != nil || total != 1 {
			t.Errorf("its own organization sees %d, %v", total, err)
		}
		if _, ok, err := db.IndexEntry(ctx, d.ID); ok || err != nil {
			t.Errorf("the index may know of it: %v, %v", ok, err)
		}
		s, err := db.Stats(ctx)
		if err != nil || s != (store.Stats{}) {
			t.Errorf("the public figures are %+v, %v", s, err)
		}
	})
}

func TestConditionalDataDoNotLeaveTheStore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.Published(t, "water-level")
		d, err := db.Dataset(ctx, w.Steward, "water-level")
		wantCode(t, err, "")
		d.OpenAttribute, d.Conditions = catalog.Conditional, catalog.Text{Zh: "来函申请"}
		wantCode(t, db.UpdateDataset(ctx, w.Steward, d), "")
		for who, want := range map[*catalog.Actor]bool{{}: false, &w.Stranger: false, &w.Steward: true} {
			_, r, err := db.Release(ctx, *who, "water-level", 0)
			wantCode(t, err, "")
			table, file := r.Tables[0], r.Files[0]
			if got := table.Profile != nil && len(table.Parts) == 1 && table.TextBlob.SHA256 != "" && file.Blob.SHA256 != "" && file.Report != nil; got != want {
				t.Errorf("%q is given the way to the bytes: %v, want %v", who.ID(), got, want)
			}
			if len(table.Schema.Fields) != 2 || table.Rows != 3 {
				t.Errorf("%q does not see the schema: %+v", who.ID(), table)
			}
		}
	})
}

func TestListOfDatasets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		station := &catalog.Organization{Slug: "station", ParentID: w.Organization.ID, Name: catalog.Text{Zh: "水文站"}}
		wantCode(t, db.CreateOrganization(ctx, w.Admin, station), "")
		var slugs []string
		for i := range 7 {
			d := &catalog.Dataset{Slug: fmt.Sprintf("set-%d", i), OrganizationID: station.ID, Title: catalog.Text{Zh: fmt.Sprintf("100%%_水%d", 9-i)},
				Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional, Frequency: "daily"}
			wantCode(t, db.CreateDataset(ctx, catalog.SystemActor, d), "")
			w.Dataset = d
			slugs = append(slugs, d.Slug)
		}
		admin := catalog.SystemActor
		sorted := func(actor catalog.Actor, f store.DatasetFilter, want []string) {
			t.Helper()
			var got []string
			for {
				list, next, total, err := db.Datasets(ctx, actor, f)
				wantCode(t, err, "")
				if total != len(want) {
					t.Fatalf("total is %d", total)
				}
				for _, d := range list {
					got = append(got, d.Slug)
				}
				if f.After = next; next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("sorted by %q: got %v, want %v", f.Sort, got, want)
			}
		}
		for sort, want := range map[string][]string{
			"slug": slugs, "updated": slugs,
			"":      {"set-6", "set-5", "set-4", "set-3", "set-2", "set-1", "set-0"},
			"title": {"set-6", "set-5", "set-4", "set-3", "set-2", "set-1", "set-0"},
		} {
			sorted(admin, store.DatasetFilter{Organization: "station", Sort: sort, Limit: 3}, want)
			reset := store.SetCrowd(3)
			sorted(admin, store.DatasetFilter{Organization: "station", Sort: sort, Limit: 3}, want)
			reset()
		}
		mine := store.DatasetFilter{Mine: true, Sort: "slug", Limit: 3}
		sorted(w.Admin, mine, []string{"water-level"})
		reset := store.SetCrowd(0)
		sorted(w.Admin, mine, []string{"water-level"})
		reset()
		count := func(actor catalog.Actor, f store.DatasetFilter) int {
			t.Helper()
			list, _, total, err := db.Datasets(ctx, actor, f)
			wantCode(t, err, "")
			if len(list) != min(total, 20) {
				t.Errorf("%d listed of %d", len(list), total)
			}
			return total
		}
		if n := count(admin, store.DatasetFilter{Organization: "shuiwu"}); n != 8 {
			t.Errorf("%d in the organization and below, want 8", n)
		}
		if n := count(admin, store.DatasetFilter{Text: "%_水3"}); n != 1 {
			t.Errorf("%d with %%_水3 in the title, want 1", n)
		}
		if n := count(admin, store.DatasetFilter{Text: "SET-"}); n != 7 {
			t.Errorf("%d with SET- in the slug, want 7", n)
		}
		if n := count(admin, store.DatasetFilter{IDs: []string{w.Dataset.ID, "x"}}); n != 1 {
			t.Errorf("%d with the ids, want 1", n)
		}
		if n := count(admin, store.DatasetFilter{IDs: []string{}}); n != 0 {
			t.Errorf("%d with no ids, want 0", n)
		}
		if n := count(catalog.Actor{}, store.DatasetFilter{}); n != 0 {
			t.Errorf("%d seen by nobody, want 0", n)
		}
		w.Published(t, "water-level")
		if n := count(catalog.Actor{}, store.DatasetFilter{}); n != 1 {
			t.Errorf("%d seen by nobody, want 1", n)
		}
		_, _, _, err := db.Datasets(ctx, admin, store.DatasetFilter{Sort: "colour"})
		wantCode(t, err, "bad_sort")
		for _, after := range []string{"x", "e30", "eyJzIjoiIiwiayI6Im5vdyIsImkiOiJ4In0"} {
			_, _, _, err := db.Datasets(ctx, admin, store.DatasetFilter{After: after})
			wantCode(t, err, "bad_cursor")
		}
	})
}

func TestUnknownDatasetNamesTheNearest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.Published(t, "water-level")
		_, err := db.Dataset(ctx, catalog.Actor{}, "water-levels")
		wantCode(t, err, "unknown_dataset")
		if !strings.Contains(err.Error(), "did you mean water-level?") {
			t.Errorf("got %v", err)
		}
		for _, slug := range []string{"", "x", "water' OR 1=1 --", "水", strings.Repeat("a", 100000)} {
			_, err := db.Dataset(ctx, catalog.Actor{}, slug)
			wantCode(t, err, "unknown_dataset")
		}
		_, err = db.Dataset(ctx, catalog.Actor{}, "a\x00b")
		if k := catalog.KindOf(err); k != catalog.NotFound && k != catalog.Invalid {
			t.Errorf("a NUL in the slug: %v", err)
		}
	})
}

func TestLateDatasetsAreFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		for i, f := range catalog.Frequencies {
			d := w.NewDataset(t, fmt.Sprintf("set-%d", i))
			d.Frequency = f
			wantCode(t, db.UpdateDataset(ctx, w.Steward, d), "")
			w.Published(t, d.Slug)
		}
		list := func(who catalog.Actor, f store.DatasetFilter) (slugs []string) {
			t.Helper()
			f.Sort, f.Limit = "slug", 100
			found, _, total, err := db.Datasets(ctx, who, f)
			wantCode(t, err, "")
			for _, d := range found {
				slugs = append(slugs, string(d.Frequency))
				if f.DueBefore != "" && (d.NextDue() == "" || d.NextDue() >= f.DueBefore) {
					t.Errorf("%s is due on %q, not before %s", d.Slug, d.NextDue(), f.DueBefore)
				}
			}
			slices.Sort(slugs)
			if len(found) != total {
				t.Errorf("%d of %d", len(found), total)
			}
			return slugs
		}
		today := time.Now()
		for days, want := range map[int][]string{1: nil, 2: {"daily", "hourly", "minutely", "realtime"}, 9: {"daily", "hourly", "minutely", "realtime", "weekly"}, 40: {"daily", "hourly", "minutely", "monthly", "realtime", "weekly"}} {
			if got := list(w.Steward, store.DatasetFilter{Mine: true, DueBefore: catalog.DayOf(today.AddDate(0, 0, days))}); !slices.Equal(got, want) {
				t.Errorf("due before %d days from now: %v, want %v", days, got, want)
			}
		}
		if got := list(w.Steward, store.DatasetFilter{Mine: true, Promised: true}); len(got) != 10 {
			t.Errorf("promised are %v", got)
		}
		if got := list(w.Steward, store.DatasetFilter{Mine: true, Unpublished: true}); len(got) != 1 {
			t.Errorf("never published are %v", got)
		}
		w.ReadyDraft(t, "set-1")
		w.ReadyDraft(t, "set-2")
		newDraft(t, w)
		for name, who := range map[string]catalog.Actor{"steward": w.Steward, "stranger": w.Stranger, "nobody": {}} {
			counts, err := db.DraftCounts(ctx, who)
			wantCode(t, err, "")
			if mine := name == "steward"; mine != (counts[catalog.Ready] == 2) || mine != (counts[catalog.Uploading] == 1) || !mine && len(counts) > 0 {
				t.Errorf("%s counts %v", name, counts)
			}
		}
	})
}
