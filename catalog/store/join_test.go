package store_test

import (
	"fmt"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// ofValues is the sketch of a column whose values are the numbers from … to.
func ofValues(column string, t catalog.Type, from, to int) catalog.ColumnSketch {
	k := catalog.ColumnSketch{Column: column, Type: t, Distinct: int64(to - from)}
	for i := from; i < to && len(k.Hashes) < catalog.SketchValues; i++ {
		k.Hashes = append(k.Hashes, uint64(i+1)*1e15)
	}
	return k
}

func sketched(table string, sketches ...catalog.ColumnSketch) store.IngestOutcome {
	var names []string
	for _, k := range sketches {
		names = append(names, k.Column)
	}
	o := storetest.Outcome(table, names...)
	for i, k := range sketches {
		o.Tables[0].Schema.Fields[i].Type = k.Type
	}
	o.Tables[0].ColumnSketches = sketches
	return o
}

// released publishes a table as the next release of a dataset.
func released(t *testing.T, w *storetest.World, slug string, o store.IngestOutcome) {
	t.Helper()
	r, err := w.DB.CreateDraft(t.Context(), w.Steward, slug, store.DraftEdit{Notes: catalog.Text{Zh: "改"}})
	wantCode(t, err, "")
	finish(t, w, put(t, w, r.ID, "t.csv", fmt.Sprintf("%s %+v", slug, o.Tables[0].ColumnSketches)), o)
	publish(t, w, r.ID)
}

func TestJoins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		for _, slug := range []string{"streets", "schools", "secret", "draft-only"} {
			w.NewDataset(t, slug)
		}
		released(t, w, "water-level", sketched("t", ofValues("区县代码", catalog.String, 0, 40), ofValues("站点", catalog.String, 5000, 5010), ofValues("年份", catalog.Integer, 100, 110)))
		released(t, w, "streets", sketched("t", ofValues("code", catalog.Integer, 0, 80), ofValues("日期", catalog.Date, 9000, 9040)))
		released(t, w, "schools", sketched("t", ofValues("区县 代码", catalog.String, 30, 60), ofValues("year", catalog.Integer, 100, 110)))
		released(t, w, "secret", sketched("t", ofValues("区县代码", catalog.String, 0, 40)))
		r, err := db.CreateDraft(ctx, w.Steward, "draft-only", store.DraftEdit{})
		wantCode(t, err, "")
		finish(t, w, put(t, w, r.ID, "t.csv", "x"), sketched("t", ofValues("区县代码", catalog.String, 0, 40)))

		shown := func(column string) string {
			t.Helper()
			j, err := db.Joins(ctx, catalog.Actor{}, "water-level", "t", column)
			wantCode(t, err, "")
			s := fmt.Sprintf("%v %d:", j.Compared, j.Distinct)
			for _, x := range j.Joins {
				s += fmt.Sprintf(" %s/%s.%s@%d %s %d %.2f %.2f %v", x.Slug, x.Table, x.Column, x.Number, x.Type, x.Shared, x.Of, x.In, x.SameName)
			}
			return s
		}
		want := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s:\n got %s\nwant %s", what, got, want)
			}
		}
		secret, streets, schools := " secret/t.区县代码@1 text 40 1.00 1.00 true", " streets/t.code@1 integer 40 1.00 0.50 false", " schools/t.区县 代码@1 text 10 0.25 0.33 true"
		want("all open", shown("区县代码"), "true 40:"+secret+streets+schools)
		want("nobody shares it", shown("站点"), "true 10:")

		// Who is not open to all takes no part, on either side.
		d, err := db.Dataset(ctx, w.Steward, "secret")
		wantCode(t, err, "")
		d.OpenAttribute, d.Conditions = catalog.Conditional, catalog.Text{Zh: "申请"}
		wantCode(t, db.UpdateDataset(ctx, w.Steward, d), "")
		want("one is conditional now", shown("区县代码"), "true 40:"+streets+schools)
		j, err := db.Joins(ctx, w.Steward, "secret", "t", "区县代码")
		wantCode(t, err, "")
		if j.Compared || len(j.Joins) > 0 {
			t.Errorf("of a conditional one: %+v", j)
		}
		_, err = db.Joins(ctx, catalog.Actor{}, "secret", "t", "区县代码")
		if err == nil {
			t.Error("strangers may ask about a conditional dataset")
		}
		_, _, err = db.Joined(ctx, w.Steward, "water-level", "t", "区县代码", "secret", "t", "区县代码")
		wantCode(t, err, "not_compared")

		// A new release takes the place of the one before; withdrawn, it gives it back.
		released(t, w, "streets", sketched("t", ofValues("code", catalog.Integer, 0, 10), ofValues("日期", catalog.Date, 9000, 9040)))
		want("a new release", shown("区县代码"), "true 40: streets/t.code@2 integer 10 0.25 1.00 false"+schools)
		_, err = db.Withdraw(ctx, w.Admin, "streets", 2, "x")
		wantCode(t, err, "")
		want("withdrawn", shown("区县代码"), "true 40:"+streets+schools)
		_, err = db.Withdraw(ctx, w.Admin, "streets", 1, "x")
		wantCode(t, err, "")
		want("all withdrawn", shown("区县代码"), "true 40:"+schools)
		_, err = db.Restore(ctx, w.Admin, "streets", 2)
		wantCode(t, err, "")
		want("restored", shown("区县代码"), "true 40: streets/t.code@2 integer 10 0.25 1.00 false"+schools)
		// A table that is kept keeps its sketches.
		r, err = db.CreateDraft(ctx, w.Steward, "schools", store.DraftEdit{})
		wantCode(t, err, "")
		wantCode(t, db.KeepTable(ctx, w.Steward, r.ID, "t"), "")
		publish(t, w, r.ID)
		want("kept", shown("区县代码"), "true 40: streets/t.code@2 integer 10 0.25 1.00 false schools/t.区县 代码@2 text 10 0.25 0.33 true")

		_, err = db.Joins(ctx, catalog.Actor{}, "water-level", "t", "区")
		wantCode(t, err, "unknown_column")
		_, err = db.Joins(ctx, catalog.Actor{}, "draft-only", "t", "区县代码")
		wantCode(t, err, "unknown_dataset")
		one, other, err := db.Joined(ctx, catalog.Actor{}, "water-level", "t", "区县代码", "streets", "t", "CODE")
		wantCode(t, err, "")
		if one.Field.Name != "区县代码" || other.Field.Name != "code" || other.Release.Number != 2 {
			t.Errorf("joined %s with %s of %d", one.Field.Name, other.Field.Name, other.Release.Number)
		}
		_, _, err = db.Joined(ctx, catalog.Actor{}, "water-level", "t", "年份", "streets", "t", "日期")
		wantCode(t, err, "not_compared")
	})
}

// Integers that fill their range meet others by chance: they are found by name alone.
func TestDenseColumnsJoinByName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := storetest.NewWorld(t, db)
		dense := func(name string) catalog.ColumnSketch {
			k := ofValues(name, catalog.Integer, 0, 30)
			k.Dense = true
			return k
		}
		for _, slug := range []string{"a-years", "b-counter"} {
			w.NewDataset(t, slug)
		}
		released(t, w, "water-level", sketched("t", dense("year")))
		released(t, w, "a-years", sketched("t", dense("Year")))
		released(t, w, "b-counter", sketched("t", dense("id")))
		j, err := db.Joins(t.Context(), catalog.Actor{}, "water-level", "t", "year")
		wantCode(t, err, "")
		if len(j.Joins) != 1 || j.Joins[0].Slug != "a-years" || j.Joins[0].Of != 1 {
			t.Errorf("joins: %+v", j.Joins)
		}
	})
}

// Tables that were published before there were sketches get them later, but for
// columns of personal information.
func TestSketchesMadeLater(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.NewDataset(t, "streets")
		released(t, w, "streets", sketched("t", ofValues("code", catalog.String, 0, 40)))
		o := sketched("t", ofValues("code", catalog.String, 0, 40))
		sketches := o.Tables[0].ColumnSketches
		o.Tables[0].ColumnSketches = nil
		o.Report.Findings = []catalog.Finding{{Severity: catalog.Note, Code: "personal_mail", Column: "邮箱"}}
		released(t, w, "water-level", o)
		list, err := db.UnsketchedTables(ctx, "", 10)
		wantCode(t, err, "")
		if len(list) != 1 || len(list[0].Table.Parts) == 0 || fmt.Sprint(list[0].Personal) != "[邮箱]" {
			t.Fatalf("unsketched: %+v", list)
		}
		joins := func() int {
			j, err := db.Joins(ctx, catalog.Actor{}, "streets", "t", "code")
			wantCode(t, err, "")
			return len(j.Joins)
		}
		if n := joins(); n != 0 {
			t.Errorf("%d joins before", n)
		}
		for range 2 { // it may come twice
			wantCode(t, db.SaveSketches(ctx, list[0].Table.ID, sketches), "")
		}
		if n := joins(); n != 1 {
			t.Errorf("%d joins after", n)
		}
		if list, err = db.UnsketchedTables(ctx, "", 10); err != nil || len(list) != 0 {
			t.Errorf("still unsketched: %+v, %v", list, err)
		}
	})
}
