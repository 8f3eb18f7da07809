package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taihu/api"
	"taihu/catalog"
)

// publishDraft takes a ready draft to its release.
func (p *lotPortal) publishDraft(id string) *api.Draft {
	p.t.Helper()
	var d *api.Draft
	for _, verb := range []string{"submit", "approve", "publish"} {
		var err error
		if d, err = p.client.Act(p.t.Context(), id, verb); err != nil {
			p.t.Fatalf("%s: %v", verb, err)
		}
	}
	return d
}

// TestTablesGrow publishes a dataset of three tables and then releases of which a
// file only adds rows, or replaces some by the key, while the other tables are
// kept. Each release reads as if all of it had been uploaded, and the earlier ones
// stay what they were.
func TestTablesGrow(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	e := api.DatasetEdit{Slug: "river", Organization: "cgj", Title: catalog.Text{Zh: "水位"}, Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional}
	if _, err := p.client.CreateDataset(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	d := p.draft("river", "readings.csv", "站,日期,水位\nA,2026-01-01,3.1\nB,2026-01-01,2.9\n", "stations.csv", "站,名\nA,甲\nB,乙\n", "units.csv", "单位\n米\n")
	key := []string{"站", "日期"}
	d = p.describe(d.ID, "readings", api.TableEdit{Key: &key, Fields: map[string]api.FieldEdit{"水位": {Unit: "m", Rules: &catalog.Rules{Required: true}}}})
	p.publishDraft(d.ID)

	csv := func(release, table string) string {
		status, _, body := p.send(t, scenario{method: http.MethodGet, path: "/data/river/" + release + "/" + table + ".csv"})
		if status != 200 {
			t.Fatalf("%s/%s: %d %s", release, table, status, body)
		}
		return body
	}
	// By the command line: rows appended, the other tables kept.
	file := filepath.Join(t.TempDir(), "2026-02.csv")
	if err := os.WriteFile(file, []byte("日期,站,水位\n2026-02-01,A,3.2\n2026-02-01,B,3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := p.command("publish", "river", file, "--mode=append", "--table=readings", "--keep", "--notes=二月", "--server="+p.URL, "--token="+p.admin); code != 0 {
		t.Fatalf("%d: %s", code, out)
	}
	first := "站,日期,水位\nA,2026-01-01,3.1\nB,2026-01-01,2.9\n"
	second := first + "A,2026-02-01,3.2\nB,2026-02-01,3\n"
	if got := csv("2", "readings"); got != second {
		t.Errorf("release 2: %s", got)
	}
	if got := csv("2", "stations"); got != csv("1", "stations") {
		t.Errorf("stations: %s", got)
	}
	var release api.Release
	if err := p.client.Do(t.Context(), http.MethodGet, "/api/v1/datasets/river/releases/2", nil, &release); err != nil {
		t.Fatal(err)
	}
	if len(release.Tables) != 3 || release.Version != "1.0.1" {
		t.Fatalf("%+v", release)
	}
	for _, n := range release.Tables {
		if n.Name == "readings" && (!slices.Equal(n.Key, key) || n.Columns[2].Unit != "m" || !n.Columns[2].Rules.Required || n.Rows != 4) {
			t.Errorf("%+v", n)
		}
	}

	// Through the API: rows replaced by the key. The kept file of release 2 cannot be read alone.
	next, err := p.client.CreateDraft(t.Context(), "river", api.DraftEdit{Notes: catalog.Text{Zh: "更正"}})
	if err != nil {
		t.Fatal(err)
	}
	d = p.put(next.ID, "corrections.csv", "站,日期,水位\nB,2026-01-01,2.8\nC,2026-01-01,1\n", url.Values{"mode": {"upsert"}, "table": {"readings"}})
	if d.State != catalog.Ready || d.Files[0].Report.Base != 2 {
		t.Fatalf("%s %+v", d.State, d.Files[0].Report)
	}
	var kept api.Draft
	if err := p.client.Do(t.Context(), http.MethodPost, "/api/v1/drafts/"+next.ID+"/keep", nil, &kept); err != nil || len(kept.Tables) != 3 {
		t.Fatalf("%v %+v", err, kept)
	}
	json := append(bearerOf(p.admin), "Content-Type", "application/json")
	p.play(t, []scenario{
		{name: "the table is there", method: http.MethodPost, path: "/api/v1/drafts/" + next.ID + "/keep/readings", headers: bearerOf(p.admin), status: 409, parts: []string{"table_exists"}},
		{name: "a mode that is none", method: http.MethodPut, path: "/api/v1/drafts/" + next.ID + "/files/x.csv?mode=replace", headers: bearerOf(p.admin), body: "a\n1\n", status: 400, parts: []string{"query.mode"}},
		{name: "kept is not for stewards", method: http.MethodPut, path: "/api/v1/drafts/" + next.ID + "/files/corrections.csv/options", headers: json, body: `{"mode":"kept","table":"readings"}`, status: 400, parts: []string{"invalid_mode"}},
		{name: "a second file for the table", method: http.MethodPut, path: "/api/v1/drafts/" + next.ID + "/files/x.csv?mode=append&table=readings", headers: bearerOf(p.admin), body: "站,日期,水位\n", status: 409, parts: []string{"table_exists"}},
		{name: "no table", method: http.MethodPut, path: "/api/v1/drafts/" + next.ID + "/files/x.csv?mode=append", headers: bearerOf(p.admin), body: "a\n1\n", status: 400, parts: []string{"no_table"}},
	})

	// Another release comes between: what was added to release 2 must not undo it.
	between, err := p.client.CreateDraft(t.Context(), "river", api.DraftEdit{Notes: catalog.Text{Zh: "三月"}})
	if err != nil {
		t.Fatal(err)
	}
	p.put(between.ID, "2026-03.csv", "站,日期,水位\nA,2026-03-01,4\n", url.Values{"mode": {"append"}, "table": {"readings"}})
	if err := p.client.Do(t.Context(), http.MethodPost, "/api/v1/drafts/"+between.ID+"/keep", nil, nil); err != nil {
		t.Fatal(err)
	}
	p.publishDraft(between.ID)
	p.play(t, []scenario{{name: "the base changed", method: http.MethodPost, path: "/api/v1/drafts/" + next.ID + "/submit", headers: bearerOf(p.admin), status: 409, parts: []string{"base_changed", "corrections.csv", `"latest":3`}}})
	var again api.Draft
	if err := p.client.Do(t.Context(), http.MethodPut, "/api/v1/drafts/"+next.ID+"/files/corrections.csv/options", catalog.IngestOptions{Mode: catalog.Upsert, Table: "readings"}, &again); err != nil {
		t.Fatal(err)
	}
	if d = p.checked(t, next.ID); d.State != catalog.Ready || d.Files[0].Report.Base != 3 {
		t.Fatalf("%s %+v", d.State, d.Files[0].Report)
	}
	p.publishDraft(next.ID)
	want := "站,日期,水位\nA,2026-01-01,3.1\nA,2026-02-01,3.2\nB,2026-02-01,3\nA,2026-03-01,4\nB,2026-01-01,2.8\nC,2026-01-01,1\n"
	if got := csv("4", "readings"); got != want {
		t.Errorf("release 4: %s", got)
	}
	if csv("1", "readings") != first || csv("2", "readings") != second {
		t.Error("an earlier release changed")
	}
	// Rows of the grown table are found in every part, and the comparison knows them.
	p.play(t, []scenario{
		{name: "a filter over the parts", method: http.MethodGet, path: "/data/river/3/readings.csv?where=站 = 'A'&select=_row,水位", status: 200, parts: []string{"1,3.1\n3,3.2\n5,4\n"}},
		{name: "compared by the key", method: http.MethodGet, path: "/api/v1/datasets/river/diff?from=3&to=4&table=readings", status: 200, parts: []string{`"changed":1`, `"added":1`, `"removed":0`}},
	})
	// A release that keeps the grown table keeps its parts; its file is not read again.
	last, err := p.client.CreateDraft(t.Context(), "river", api.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.client.Do(t.Context(), http.MethodPost, "/api/v1/drafts/"+last.ID+"/keep", nil, &kept); err != nil || kept.State != catalog.Ready {
		t.Fatalf("%v %+v", err, kept)
	}
	p.play(t, []scenario{
		{name: "read alone", method: http.MethodPut, path: "/api/v1/drafts/" + last.ID + "/files/corrections.csv/options", headers: json, body: `{}`, status: 409, parts: []string{"kept_file"}},
		{name: "asked for more", method: http.MethodPut, path: "/api/v1/drafts/" + last.ID + "/tables/readings", headers: json, body: `{"fields":{"站":{"rules":{"required":true}}}}`, status: 409, parts: []string{"kept_file"}},
	})
	p.publishDraft(last.ID)
	if got := csv("5", "readings"); got != want {
		t.Errorf("release 5: %s", got)
	}
	if out, code := p.command("fsck"); code != 0 || strings.Contains(out, "missing") {
		t.Errorf("fsck %d: %s", code, out)
	}
}
