package store_test

import (
	"strings"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// cityList is City as it is read from a file.
func cityList(t *testing.T, rows [][]string) *catalog.OrganizationList {
	t.Helper()
	l, fields, problems := catalog.NewOrganizationList(storetest.CityHeaders)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for i, row := range rows {
		l.Add(int64(i+2), fields, row)
	}
	return l
}

// TestImportOrganizations: 511 publishers in four levels come in one transaction;
// once more, they change nothing; what is wrong leaves all as it was.
func TestImportOrganizations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, system := t.Context(), catalog.SystemActor
		w := storetest.NewWorld(t, db)
		_, err := db.PlanOrganizations(ctx, w.Admin, cityList(t, storetest.City()))
		wantCode(t, err, "not_allowed")
		_, err = db.ImportOrganizations(ctx, w.Admin, cityList(t, storetest.City()), "")
		wantCode(t, err, "not_allowed")

		broken := storetest.City()
		broken[510] = []string{"shi-99", "多出的局", "", "没有的局", ""}
		plan, err := db.ImportOrganizations(ctx, system, cityList(t, broken), "")
		wantCode(t, err, "")
		if len(plan.Problems) != 1 || plan.Problems[0].Row != 512 || plan.Problems[0].Column != "上级机构" || plan.Problems[0].Value != "没有的局" {
			t.Fatalf("problems are %+v", plan.Problems)
		}
		if all, err := db.Organizations(ctx); err != nil || len(all) != 2 {
			t.Fatalf("a list with a problem left %d organizations, %v", len(all), err)
		}

		shown, err := db.PlanOrganizations(ctx, system, cityList(t, storetest.City()))
		wantCode(t, err, "")
		_, err = db.ImportOrganizations(ctx, system, cityList(t, storetest.City()[:510]), shown.Digest())
		wantCode(t, err, "plan_changed")
		began := time.Now()
		plan, err = db.ImportOrganizations(ctx, system, cityList(t, storetest.City()), shown.Digest())
		wantCode(t, err, "")
		t.Logf("511 organizations in %v", time.Since(began).Round(time.Millisecond))
		if made, changed := plan.Count(); made != 511 || changed != 0 || len(plan.Problems) > 0 {
			t.Fatalf("%d made, %d changed, %v", made, changed, plan.Problems)
		}
		all, err := db.Organizations(ctx)
		if err != nil || len(all) != 513 {
			t.Fatalf("%d organizations, %v", len(all), err)
		}
		slugs := map[string]string{}
		for _, o := range all {
			slugs[o.Slug] = o.ID
		}
		path, err := db.OrganizationPath(ctx, slugs["community-122"])
		wantCode(t, err, "")
		var way []string
		for _, o := range path {
			way = append(way, o.Slug)
		}
		if got := strings.Join(way, " < "); got != "shi < qu-0 < street-40 < community-122" || path[3].Category != "社区" {
			t.Errorf("the path is %s, the last %+v", got, path[3])
		}

		before, err := db.Events(ctx, catalog.ChainPortal)
		wantCode(t, err, "")
		plan, err = db.ImportOrganizations(ctx, system, cityList(t, storetest.City()), "")
		wantCode(t, err, "")
		after, err := db.Events(ctx, catalog.ChainPortal)
		wantCode(t, err, "")
		if plan.Same != 511 || len(plan.Changes) != 0 || len(after) != len(before) {
			t.Errorf("once more: %d the same, %d changes, %d events", plan.Same, len(plan.Changes), len(after)-len(before))
		}
		wantCode(t, db.CheckEvents(ctx), "")
	})
}

// TestImportedNamesReachTheSearch: what an import renames or moves is indexed anew,
// each dataset once.
func TestImportedNamesReachTheSearch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		w := storetest.NewWorld(t, db)
		w.Published(t, "water-level")
		indexJobs := func() (n int) {
			for {
				j, err := db.Lease(ctx, "test", []string{catalog.JobIndex, catalog.JobWarm, catalog.JobIngest}, time.Minute)
				wantCode(t, err, "")
				if j == nil {
					return n
				}
				if j.Kind == catalog.JobIndex {
					n++
				}
				wantCode(t, db.Finish(ctx, j), "")
			}
		}
		indexJobs()
		l, fields, _ := catalog.NewOrganizationList([]string{"code", "name", "parent"})
		l.Add(2, fields, []string{"city", "市政府", ""})
		l.Add(3, fields, []string{"shuiwu", "水利局", "city"})
		_, err := db.ImportOrganizations(ctx, catalog.SystemActor, l, "")
		wantCode(t, err, "")
		if n := indexJobs(); n != 1 {
			t.Errorf("%d index jobs, want 1", n)
		}
		o, err := db.Organization(ctx, "shuiwu")
		wantCode(t, err, "")
		if o.Name != (catalog.Text{Zh: "水利局", En: "Water Bureau"}) || o.ParentID == "" || o.RowVersion != 2 {
			t.Errorf("the organization is %+v", o)
		}
	})
}
