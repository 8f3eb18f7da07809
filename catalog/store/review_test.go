package store_test

import (
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// What a reviewer says about columns comes with the returned draft, and goes when
// it is handed in again; it is about what there is.
func TestRemarks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := w.ReadyDraft(t, "water-level")
		_, err := db.Submit(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "")
		_, err = db.Return(ctx, w.Reviewer, r.ID, "改", []catalog.Remark{{Table: "nothing", Text: "x"}}, 0)
		wantCode(t, err, "unknown_table")
		_, err = db.Return(ctx, w.Reviewer, r.ID, "改", []catalog.Remark{{Table: "readings", Column: "nothing", Text: "x"}}, 0)
		wantCode(t, err, "unknown_column")
		_, err = db.Return(ctx, w.Reviewer, r.ID, "改", []catalog.Remark{{Table: "readings", Column: "水位", Text: " 应是米 "}, {Table: "readings", Text: " "}}, 0)
		wantCode(t, err, "")
		if now := draft(t, w, r.ID); len(now.Remarks) != 1 || now.Remarks[0] != (catalog.Remark{Table: "readings", Column: "水位", Text: "应是米"}) {
			t.Errorf("%+v", now.Remarks)
		}
		_, err = db.UpdateDraft(ctx, w.Steward, r.ID, 0, store.DraftEdit{})
		wantCode(t, err, "")
		_, err = db.Submit(ctx, w.Steward, r.ID, 0)
		wantCode(t, err, "")
		if now := draft(t, w, r.ID); len(now.Remarks) != 0 || now.Comment != "" {
			t.Errorf("handed in again with %+v", now.Remarks)
		}
		// What is approved and cannot be published as it is goes back as well.
		_, err = db.Approve(ctx, w.Reviewer, r.ID, 0)
		wantCode(t, err, "")
		_, err = db.Return(ctx, w.Reviewer, r.ID, "又出了新版", nil, 0)
		wantCode(t, err, "")
		if now := draft(t, w, r.ID); now.State != catalog.Returned || now.ApprovedBy != "" {
			t.Errorf("%s, approved by %q", now.State, now.ApprovedBy)
		}
	})
}

// Where an organization, or one above it, asks for two persons, nobody approves
// what he submitted, and nobody whom the rule binds lifts it.
func TestTwoPersons(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		site, err := db.CreateUser(ctx, catalog.SystemActor, store.NewUser{Login: "root", SiteAdmin: true})
		wantCode(t, err, "")
		root, err := db.ActorOf(ctx, site.ID)
		wantCode(t, err, "")
		below := &catalog.Organization{Slug: "hexi", ParentID: w.Organization.ID, Name: catalog.Text{Zh: "河西站"}}
		wantCode(t, db.CreateOrganization(ctx, w.Admin, below), "")
		w.Admin, err = db.ActorOf(ctx, w.Admin.ID()) // whose rights reach there now
		wantCode(t, err, "")

		submitted := func(by catalog.Actor) string {
			r := w.ReadyDraft(t, "water-level")
			_, err := db.Submit(ctx, by, r.ID, 0)
			wantCode(t, err, "")
			return r.ID
		}
		_, err = db.Approve(ctx, root, submitted(root), 0) // as ever
		wantCode(t, err, "")

		o, err := db.Organization(ctx, "shuiwu")
		wantCode(t, err, "")
		o.TwoPersons = true
		wantCode(t, db.UpdateOrganization(ctx, w.Admin, o), "not_allowed")
		wantCode(t, db.UpdateOrganization(ctx, root, o), "")
		id := submitted(root)
		_, err = db.Approve(ctx, root, id, 0)
		wantCode(t, err, "own_draft")
		_, err = db.Approve(ctx, w.Reviewer, id, 0)
		wantCode(t, err, "")
		o, err = db.Organization(ctx, "shuiwu")
		wantCode(t, err, "")
		if !o.TwoPersons {
			t.Fatal("the rule is gone")
		}
		o.TwoPersons = false
		wantCode(t, db.UpdateOrganization(ctx, w.Admin, o), "not_allowed")

		// It holds below, too.
		d := *w.Dataset
		d.Slug, d.OrganizationID = "hexi-level", below.ID
		wantCode(t, db.CreateDataset(ctx, w.Admin, &d), "")
		r, err := db.CreateDraft(ctx, w.Admin, "hexi-level", store.DraftEdit{})
		wantCode(t, err, "")
		f, err := db.PutFile(ctx, w.Admin, r.ID, store.Upload{Name: "x.csv", MediaType: "text/csv", Blob: storetest.Blob("x")})
		wantCode(t, err, "")
		finish(t, w, f, storetest.Outcome("x", "a"))
		_, err = db.Submit(ctx, w.Admin, r.ID, 0)
		wantCode(t, err, "")
		_, err = db.Approve(ctx, w.Admin, r.ID, 0)
		wantCode(t, err, "own_draft")
	})
}

// A correction names the release it corrects; that one says so from then on, and
// stays what it was.
func TestCorrections(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		publish(t, w, w.ReadyDraft(t, "water-level").ID)
		_, err := db.CreateDraft(ctx, w.Steward, "water-level", store.DraftEdit{Corrects: 2})
		wantCode(t, err, "invalid_field")
		r := w.ReadyDraft(t, "water-level")
		_, err = db.UpdateDraft(ctx, w.Steward, r.ID, 0, store.DraftEdit{Corrects: 7})
		wantCode(t, err, "invalid_field")
		_, err = db.UpdateDraft(ctx, w.Steward, r.ID, 0, store.DraftEdit{Corrects: 1})
		wantCode(t, err, "")
		_, first, err := db.Release(ctx, catalog.Actor{}, "water-level", 1)
		wantCode(t, err, "")
		if first.CorrectedBy != 0 {
			t.Errorf("a draft shows: %d", first.CorrectedBy)
		}
		publish(t, w, r.ID)
		_, now, err := db.Release(ctx, catalog.Actor{}, "water-level", 1)
		wantCode(t, err, "")
		_, second, err := db.Release(ctx, catalog.Actor{}, "water-level", 2)
		wantCode(t, err, "")
		list, err := db.Releases(ctx, catalog.Actor{}, "water-level")
		wantCode(t, err, "")
		if now.CorrectedBy != 2 || second.Corrects != 1 || second.CorrectedBy != 0 || list[0].Corrects != 1 || list[1].CorrectedBy != 2 {
			t.Errorf("%d %d %d; %d %d", now.CorrectedBy, second.Corrects, second.CorrectedBy, list[0].Corrects, list[1].CorrectedBy)
		}
	})
}
