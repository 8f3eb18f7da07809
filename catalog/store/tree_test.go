package store_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

var update = flag.Bool("update", false, "write testdata/rights.txt anew")

const rightsFile = "testdata/rights.txt"

const rightsHead = `# What each verb answers each role on a draft in each state, by where the role is held: in the
# draft's own organization, above it, below it, beside it under the same parent, elsewhere.
# y done, - the state does not allow it, f forbidden, n not found (whether hidden or not there:
# uploading and checking drafts have no file of that name to change), u sign in.
# Written anew by: go test ./catalog/store -run TestRightsInTheTree -update
`

// TestRightsInTheTree holds every role × place × verb × state to the table in
// testdata, and the table to its rule: above counts as own, everything else as
// nothing at all.
func TestRightsInTheTree(t *testing.T) {
	var lines []string
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if got := rightsInTheTree(t, db); lines == nil {
			lines = got
		} else if strings.Join(got, "\n") != strings.Join(lines, "\n") {
			t.Error("the databases differ")
		}
	})
	got := rightsHead + strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(rightsFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(rightsFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		for i, line := range strings.Split(string(want), "\n") {
			if have := strings.Split(got, "\n"); i >= len(have) || have[i] != line {
				t.Fatalf("line %d of %s differs: want\n%s\ngot\n%s", i+1, rightsFile, line, have[min(i, len(have)-1)])
			}
		}
	}
	checkRights(t, lines)
}

// rightsInTheTree runs every verb and returns the table's lines.
func rightsInTheTree(t *testing.T, db *store.DB) []string {
	w, ctx, system := storetest.NewWorld(t, db), t.Context(), catalog.SystemActor
	city := &catalog.Organization{Slug: "city", Name: catalog.Text{Zh: "市政府"}}
	wantCode(t, db.CreateOrganization(ctx, system, city), "")
	w.Organization.ParentID = city.ID
	wantCode(t, db.UpdateOrganization(ctx, system, w.Organization), "")
	for slug, parent := range map[string]string{"station": w.Organization.ID, "slj": city.ID} {
		wantCode(t, db.CreateOrganization(ctx, system, &catalog.Organization{Slug: slug, ParentID: parent, Name: catalog.Text{Zh: slug}}), "")
	}
	type who struct {
		name  string
		actor catalog.Actor
	}
	actors := []who{{"nobody", catalog.Actor{}}}
	for _, place := range []struct{ name, slug string }{{"own", "shuiwu"}, {"above", "city"}, {"below", "station"}, {"beside", "slj"}, {"elsewhere", "cgj"}} {
		for _, role := range catalog.Roles {
			actors = append(actors, who{place.name + " " + string(role), w.Member(t, place.name+"."+string(role), place.slug, role)})
		}
	}
	letters := map[catalog.Kind]string{"": "y", catalog.Conflict: "-", catalog.Forbidden: "f", catalog.NotFound: "n", catalog.Unauthenticated: "u"}
	table := strings.Split(strings.TrimSpace(verbStates), "\n")
	codes := strings.Fields(table[0])
	lines := []string{fmt.Sprintf("%-13s%-20s%s", "", "", strings.Join(codes, " "))}
	ready := map[string]string{} // a draft in each state, made when the last one was changed
	for _, line := range table[1:] {
		cells := strings.Fields(line)
		verb := strings.Join(cells[:len(cells)-len(codes)], " ")
		for _, a := range actors {
			out := fmt.Sprintf("%-13s%-20s", verb, a.name)
			for _, code := range codes {
				if ready[code] == "" {
					ready[code] = inState(t, w, stateCodes[code])
				}
				id := ready[code]
				before := draft(t, w, id)
				err := verbsOnDrafts[verb](ctx, db, a.actor, id)
				letter, known := letters[catalog.KindOf(err)]
				if !known || err != nil && catalog.KindOf(err) == "" || letter == "-" && catalog.CodeOf(err) != "wrong_state" {
					t.Fatalf("%s by %s on a draft that is %s: %v", verb, a.name, stateCodes[code], err)
				}
				if after := draft(t, w, id); err != nil && (after.RowVersion != before.RowVersion || after.State != before.State) {
					t.Errorf("%s by %s was refused and changed the draft that is %s", verb, a.name, stateCodes[code])
				}
				if err == nil {
					ready[code] = ""
				}
				out += letter + "  "
			}
			lines = append(lines, strings.TrimRight(out, " "))
		}
	}
	wantCode(t, db.CheckEvents(ctx), "")
	return lines
}

// checkRights holds the lines to the rule by which roles are inherited.
func checkRights(t *testing.T, lines []string) {
	rights := map[string]string{} // verb and who → the cells
	for _, line := range lines[1:] {
		rights[strings.TrimSpace(line[:13])+"/"+strings.TrimSpace(line[13:33])] = line[33:]
	}
	for verb := range verbsOnDrafts {
		for _, role := range catalog.Roles {
			own, above := rights[verb+"/own "+string(role)], rights[verb+"/above "+string(role)]
			if own != above || own == "" {
				t.Errorf("%s: a %s above has %q, of its own %q", verb, role, above, own)
			}
			for _, place := range []string{"below", "beside", "elsewhere"} {
				if cells := rights[verb+"/"+place+" "+string(role)]; strings.Trim(cells, "n ") != "" || cells == "" {
					t.Errorf("%s: a %s %s is answered %q", verb, role, place, cells)
				}
			}
		}
		if cells := rights[verb+"/nobody"]; strings.Trim(cells, "u ") != "" || cells == "" {
			t.Errorf("%s: nobody is answered %q", verb, cells)
		}
	}
}
