package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"taihu/api"
	"taihu/catalog"
)

var versionField = regexp.MustCompile(`name="(version-[a-z0-9-]+)" value="(\d+)"`)

// TestCopyAndLike: a copy of a dataset has its description and, once a file is there, its
// dictionary; a draft like the latest release reads a file of another name as it was read.
func TestCopyAndLike(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	html := []string{"Accept", "text/html"}
	jsonOf := func(token string) []string { return with(bearerOf(token), "Content-Type", "application/json") }
	draft := p.draft("open-lots", "lots.csv", lots)
	p.play(t, []scenario{{name: "described", method: "PUT", path: "/api/v1/drafts/" + draft.ID + "/tables/lots", headers: jsonOf(p.own), body: `{"key":["编号"],"fields":{"泊位数":{"label":{"en":"Spaces"},"unit":"个"}}}`, status: 200},
		{name: "read otherwise", method: "PUT", path: "/api/v1/drafts/" + draft.ID + "/files/lots.csv/options", headers: jsonOf(p.own), body: `{"types":{"泊位数":"text"}}`, status: 200}})
	eventually(t, "it is read", func() bool {
		d, err := p.client.Draft(t.Context(), draft.ID)
		return err == nil && d.State == catalog.Ready
	})
	for _, verb := range []string{"submit", "approve", "publish"} {
		if _, err := p.client.Act(t.Context(), draft.ID, verb); err != nil {
			t.Fatal(verb, err)
		}
	}
	p.play(t, []scenario{
		{name: "the form is filled", path: "/steward/datasets/new?from=open-lots", headers: with(html, bearerOf(p.own)...), status: 200, parts: []string{`value="停车场 open-lots"`, `name="from" value="open-lots"`, `name="slug" value=""`}},
		{name: "not for who belongs to nobody", path: "/steward/datasets/new?from=closed-lots", headers: with(html, bearerOf(p.other)...), status: 404},
		{name: "copied on the page", method: "POST", path: "/steward/datasets/new", headers: p.formOf(bearerOf(p.own)...), body: url.Values{"from": {"open-lots"}, "slug": {"paper-lots"}, "title_zh": {"纸面"}, "licence": {"CC0-1.0"}, "frequency": {"daily"}, "open_attribute": {"unconditional"}, "organization": {p.organizationID(t, "cgj")}}.Encode(), status: 303},
		{name: "of what is not there", method: "POST", path: "/api/v1/datasets/none-lots/copy", headers: jsonOf(p.own), body: `{"slug":"more-lots","title":{"zh":"又一个"}}`, status: 404},
		{name: "another steward copies into his own", method: "POST", path: "/api/v1/datasets/open-lots/copy", headers: jsonOf(p.other), body: `{"slug":"other-lots","title":{"zh":"他的"},"organization":"sthj"}`, status: 201, parts: []string{`"slug":"sthj"`, `"latest":null`}},
		{name: "not into this one", method: "POST", path: "/api/v1/datasets/open-lots/copy", headers: jsonOf(p.other), body: `{"slug":"own-lots","title":{"zh":"他的"}}`, status: 403},
		{name: "copied", method: "POST", path: "/api/v1/datasets/open-lots/copy", headers: jsonOf(p.own), body: `{"slug":"more-lots","title":{"zh":"又一个"}}`, status: 201, has: map[string]string{"Location": p.URL + "/datasets/more-lots"}, parts: []string{"CC0-1.0"}},
		{name: "no data of it", path: "/api/v1/datasets/more-lots/releases/latest", headers: bearerOf(p.own), status: 404},
	})
	for _, slug := range []string{"more-lots", "paper-lots"} {
		d := p.draft(slug, "totally-different.csv", lots)
		column := d.Tables[0].Columns[3]
		if column.Label.En != "Spaces" || column.Unit != "个" || len(d.Tables[0].Key) != 1 {
			t.Errorf("%s: the copied column is %+v, key %v", slug, column, d.Tables[0].Key)
		}
		if column.Type != catalog.Integer {
			t.Errorf("%s: the copy is read like the original: %s", slug, column.Type)
		}
	}

	// The open dataset's latest release has one source file and one attachment.
	p.play(t, []scenario{
		{name: "offered", path: "/steward/datasets/open-lots/upload", headers: with(html, bearerOf(p.own)...), status: 200, parts: []string{`href="?like=latest"`}},
		{name: "the notes are there", path: "/en/steward/datasets/open-lots/upload?like=latest", headers: with(html, bearerOf(p.own)...), status: 200, parts: []string{`name="like" value="latest"`, "又一版", "Like release 3"}},
	})
	var like api.Draft
	if err := p.client.Do(t.Context(), http.MethodPost, "/api/v1/datasets/open-lots/releases", map[string]any{"like_latest": true}, &like); err != nil {
		t.Fatal(err)
	}
	if like.Notes.Zh != "又一版" || len(like.Tables) > 0 {
		t.Errorf("it begins as %+v", like)
	}
	now, err := p.client.PutFile(t.Context(), like.ID, "lots-2026-12.csv", url.Values{}, strings.NewReader(lots), int64(len(lots)))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is read", func() bool {
		now, err = p.client.Draft(t.Context(), like.ID)
		return err == nil && now.State == catalog.Ready
	})
	if table := now.Tables[0]; table.Name != "lots" || table.Columns[3].Type != catalog.String || table.Columns[3].Unit != "个" {
		t.Errorf("the table is %s with %+v", table.Name, table.Columns[3])
	}
}

// organizationID is the id that the form's list of publishers has.
func (p *lotPortal) organizationID(t *testing.T, slug string) string {
	t.Helper()
	var id string
	err := withStore(t.Context(), &Config{Data: p.Data, LogLevel: "error"}, discardLog, func(q *portal) error {
		o, err := q.store.Organization(t.Context(), slug)
		if err == nil {
			id = o.ID
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestBulkEdit: several datasets, a preview, and all of it or nothing.
func TestBulkEdit(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	own, form := with([]string{"Accept", "text/html"}, bearerOf(p.own)...), p.formOf(bearerOf(p.own)...)
	both := "dataset=open-lots&dataset=conditional-lots"
	typed := both + "&change=licence&licence=CC-BY-4.0&change=contact&contact_unit=数据科&contact_phone=0510&frequency=daily"
	p.play(t, []scenario{
		{name: "chosen on the desk", path: "/steward?show=datasets&all=1", headers: own, status: 200, parts: []string{`action="/steward/bulk"`, `name="dataset" value="open-lots" checked`}},
		{name: "the form", path: "/steward/bulk?" + both, headers: own, status: 200, parts: []string{`name="change" value="licence"`, "停车场 conditional-lots"}},
		{name: "none chosen", path: "/en/steward/bulk", headers: own, status: 400},
		{name: "nothing ticked", method: "POST", path: "/steward/bulk", headers: form, body: both + "&licence=CC-BY-4.0&step=preview", status: 400, parts: []string{`href="#change"`}},
		{name: "not another's", path: "/steward/bulk?" + both, headers: with([]string{"Accept", "text/html"}, bearerOf(p.other)...), status: 403},
		{name: "a secret one of another", path: "/steward/bulk?dataset=closed-lots", headers: with([]string{"Accept", "text/html"}, bearerOf(p.other)...), status: 404},
		{name: "nobody's", path: "/steward/bulk?" + both, headers: []string{"Accept", "text/html"}, status: 303},
		{name: "a licence that is none", method: "POST", path: "/steward/bulk", headers: form, body: both + "&change=licence&licence=mine&step=apply&version-open-lots=1&version-conditional-lots=1", status: 400, parts: []string{`id="wrong"`, "一个也没有改"}},
		{name: "without a preview", method: "POST", path: "/steward/bulk", headers: form, body: typed + "&step=apply", status: 412},
	})
	status, _, preview := p.send(t, scenario{method: "POST", path: "/steward/bulk", headers: form, body: typed + "&step=preview"})
	if status != 200 || strings.Count(preview, "知识共享 署名4.0</ins>") != 2 || !strings.Contains(preview, "数据科 0510</ins>") || strings.Contains(preview, "每日") {
		t.Fatalf("%d\n%s", status, preview)
	}
	versions := ""
	for _, m := range versionField.FindAllStringSubmatch(preview, -1) {
		versions += "&" + m[1] + "=" + m[2]
	}
	// Another tab changes one of them.
	var d api.Dataset
	e := editOf("conditional-lots", "cgj")
	e.OpenAttribute, e.Conditions = catalog.Conditional, catalog.Text{Zh: "来函"}
	if err := p.client.Do(t.Context(), http.MethodPut, "/api/v1/datasets/conditional-lots", e, &d); err != nil {
		t.Fatal(err)
	}
	status, _, again := p.send(t, scenario{method: "POST", path: "/steward/bulk", headers: form, body: typed + "&step=apply" + versions})
	if status != 412 || strings.Count(again, "别人改过</span>") != 1 || !strings.Contains(again, "一个也没有改") {
		t.Fatalf("%d\n%s", status, again)
	}
	p.play(t, []scenario{{name: "nothing was changed", path: "/api/v1/datasets/open-lots", status: 200, parts: []string{"CC0-1.0"}, lacks: []string{"数据科"}}})
	versions = ""
	for _, m := range versionField.FindAllStringSubmatch(again, -1) {
		versions += "&" + m[1] + "=" + m[2]
	}
	p.play(t, []scenario{
		{name: "confirmed again", method: "POST", path: "/steward/bulk", headers: form, body: typed + "&step=apply" + versions, status: 303},
		{name: "one", path: "/api/v1/datasets/open-lots", status: 200, parts: []string{"CC-BY-4.0", "数据科", `"frequency":"irregular"`}},
		{name: "the other keeps the rest", path: "/api/v1/datasets/conditional-lots", status: 200, parts: []string{"CC-BY-4.0", "数据科", "来函"}},
	})
}
