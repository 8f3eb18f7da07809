package store_test

import (
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// describe gives a draft's table words, a code list and a key.
func describe(t *testing.T, w *storetest.World, draft string) {
	t.Helper()
	wantCode(t, w.DB.DescribeTable(t.Context(), w.Steward, draft, "readings", store.TableWords{Title: &catalog.Text{Zh: "水位读数", En: "Readings"}, Key: &[]string{"站点"}, Fields: map[string]store.FieldWords{
		"水位": {Label: catalog.Text{Zh: "水位", En: "Level"}, Unit: "m", Description: catalog.Text{Zh: "吴淞高程"}, Codes: []catalog.Code{{Value: "-1", Label: catalog.Text{Zh: "停测"}}}}}}), "")
	r, err := w.DB.Draft(t.Context(), w.Steward, draft) // a key has the file read again
	wantCode(t, err, "")
	finish(t, w, &r.Files[0], storetest.Outcome("readings", "站点", "水位"))
}

func TestACopyHasTheDictionaryAndNoData(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := w.ReadyDraft(t, "water-level")
		describe(t, w, r.ID)
		publish(t, w, r.ID)
		_, original, err := db.Release(ctx, w.Steward, "water-level", 1)
		wantCode(t, err, "")

		d := *w.Dataset
		d.Slug, d.Title = "lake-level", catalog.Text{Zh: "湖泊水位"}
		wantCode(t, db.CopyDataset(ctx, w.Steward, "nothing-here", &d), "unknown_dataset")
		wantCode(t, db.CopyDataset(ctx, w.Stranger, "water-level", &d), "not_allowed")
		wantCode(t, db.CopyDataset(ctx, w.Steward, "water-level", &d), "")
		if d.ID == w.Dataset.ID || d.LatestNumber != 0 || d.RowVersion != 1 {
			t.Fatalf("the copy is %+v", d)
		}
		draft, err := db.CreateDraft(ctx, w.Steward, "lake-level", store.DraftEdit{})
		wantCode(t, err, "")
		if len(draft.Tables)+len(draft.Files) > 0 {
			t.Fatalf("the copy begins with data: %+v", draft)
		}
		// The file is called differently; there is but one table, so it is that one.
		f := put(t, w, draft.ID, "lakes.csv", "x")
		finish(t, w, f, storetest.Outcome("lakes", "水位", "站点", "湖名"))
		draft, err = db.Draft(ctx, w.Steward, draft.ID)
		wantCode(t, err, "")
		got, was := draft.Tables[0].Schema.Fields[0], original.Tables[0].Schema.Fields[1]
		if got.Label.En != "Level" || got.Unit != "m" || got.Description.Zh != "吴淞高程" || len(got.Codes) != 1 || len(draft.Tables[0].Schema.Key) != 1 {
			t.Errorf("the column came with %+v, key %v", got, draft.Tables[0].Schema.Key)
		}
		if got.ID == was.ID || got.ID == "" {
			t.Error("the copy's column is the other dataset's")
		}

		// Who could see the original when he copied it gets nothing of it once it is closed.
		far := d
		far.Slug, far.OrganizationID = "far-level", w.Other.ID
		wantCode(t, db.CopyDataset(ctx, w.Stranger, "water-level", &far), "")
		open, err := db.Dataset(ctx, w.Steward, "water-level")
		wantCode(t, err, "")
		open.OpenAttribute = catalog.Closed
		wantCode(t, db.UpdateDataset(ctx, w.Steward, open), "")
		r, err = db.CreateDraft(ctx, w.Stranger, "far-level", store.DraftEdit{})
		wantCode(t, err, "")
		f, err = db.PutFile(ctx, w.Stranger, r.ID, store.Upload{Name: "readings.csv", MediaType: "text/csv", Blob: storetest.Blob("y")})
		wantCode(t, err, "")
		wantCode(t, db.FinishIngest(ctx, f.ID, f.Blob.SHA256, f.Options, storetest.Outcome("readings", "站点", "水位")), "")
		r, err = db.Draft(ctx, w.Stranger, r.ID)
		wantCode(t, err, "")
		if got := r.Tables[0].Schema.Fields[1]; !got.Label.IsZero() || got.Unit != "" {
			t.Errorf("a closed dataset gave away %+v", got)
		}
	})
}

func TestADraftLikeTheLastRelease(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		_, err := db.CreateDraft(ctx, w.Steward, "water-level", store.DraftEdit{Like: true})
		wantCode(t, err, "no_release")
		first, err := db.CreateDraft(ctx, w.Steward, "water-level", store.DraftEdit{Notes: catalog.Text{Zh: "本月数据"}})
		wantCode(t, err, "")
		o := catalog.IngestOptions{Encoding: "gb18030", HeaderRow: 3, Types: map[string]catalog.Type{"水位": catalog.Number}}
		f, err := db.PutFile(ctx, w.Steward, first.ID, store.Upload{Name: "2026-10.csv", MediaType: "text/csv", Blob: storetest.Blob("october"), Options: o})
		wantCode(t, err, "")
		finish(t, w, f, storetest.Outcome("readings", "站点", "水位"))
		describe(t, w, first.ID)
		publish(t, w, first.ID)

		next, err := db.CreateDraft(ctx, w.Steward, "water-level", store.DraftEdit{Like: true})
		wantCode(t, err, "")
		if next.LikeNumber != 1 || next.Notes.Zh != "本月数据" || len(next.Files) > 0 {
			t.Fatalf("it begins as %+v", next)
		}
		f = put(t, w, next.ID, "2026-11.csv", "november")
		if f.Options.Encoding != "gb18030" || f.Options.HeaderRow != 3 || f.Options.Types["水位"] != catalog.Number || f.Options.Table != "readings" {
			t.Errorf("the file is read with %s", f.Options)
		}
		finish(t, w, f, storetest.Outcome(f.Options.Table, "站点", "水位"))
		got := draft(t, w, next.ID)
		if got.Tables[0].Name != "readings" || got.Tables[0].Schema.Fields[1].Unit != "m" || got.Tables[0].Title.En != "Readings" || got.LikeNumber != 1 {
			t.Errorf("the table is %+v", got.Tables[0])
		}
		// A second file is none of the release's, and what is stated counts.
		if f = put(t, w, next.ID, "stations.csv", "s"); f.Options.Table != "" || f.Options.Encoding != "" {
			t.Errorf("another file is read with %s", f.Options)
		}
		own, err := db.CreateDraft(ctx, w.Steward, "water-level", store.DraftEdit{Like: true, Notes: catalog.Text{Zh: "自己写的"}})
		wantCode(t, err, "")
		f, err = db.PutFile(ctx, w.Steward, own.ID, store.Upload{Name: "x.csv", MediaType: "text/csv", Blob: storetest.Blob("x"), Options: catalog.IngestOptions{Delimiter: ";"}})
		wantCode(t, err, "")
		if f.Options.Encoding != "gb18030" || f.Options.Delimiter != ";" || own.Notes.Zh != "自己写的" {
			t.Errorf("what was stated is lost: %s, %v", f.Options, own.Notes)
		}
		// Without the word a draft is as empty as ever, and reads a file of another name as it is.
		plain, err := db.CreateDraft(ctx, w.Steward, "water-level", store.DraftEdit{})
		wantCode(t, err, "")
		if f = put(t, w, plain.ID, "november.csv", "november"); f.Options.Encoding != "" || !plain.Notes.IsZero() {
			t.Errorf("a plain draft begins with %s, %v", f.Options, plain.Notes)
		}
	})
}

func TestManyDatasetsChangeTogetherOrNotAtAll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		list := []*catalog.Dataset{w.NewDataset(t, "a-set"), w.NewDataset(t, "b-set"), w.NewDataset(t, "c-set")}
		read := func() (licences string) {
			t.Helper()
			for _, d := range list {
				now, err := db.Dataset(ctx, w.Steward, d.Slug)
				wantCode(t, err, "")
				licences += now.Licence + " "
			}
			return licences
		}
		before := read()
		for _, d := range list {
			d.Licence = "CC0-1.0"
		}
		list[1].Frequency = "often"
		wantCode(t, db.UpdateDatasets(ctx, w.Steward, list), "invalid_field")
		list[1].Frequency = "daily"
		other := *list[2]
		other.Keywords, other.Licence = []string{"x"}, "CC-BY-4.0"
		wantCode(t, db.UpdateDataset(ctx, w.Steward, &other), "") // another tab
		err := db.UpdateDatasets(ctx, w.Steward, list)
		wantCode(t, err, "stale_row_version")
		wantCode(t, db.UpdateDatasets(ctx, w.Stranger, list), "unknown_dataset")
		if got := read(); got != before {
			t.Errorf("a part of it was done: %s", got)
		}
		list[2].RowVersion = other.RowVersion
		wantCode(t, db.UpdateDatasets(ctx, w.Steward, list), "")
		if got := read(); got != "CC0-1.0 CC0-1.0 CC0-1.0 " {
			t.Errorf("now they are %s", got)
		}
		if err := db.CheckEvents(ctx); err != nil {
			t.Error(err)
		}
		wantCode(t, db.UpdateDatasets(ctx, w.Steward, make([]*catalog.Dataset, store.MostDatasets+1)), "too_many_datasets")
	})
}
