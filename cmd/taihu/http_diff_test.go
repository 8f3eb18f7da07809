package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"taihu/api"
	"taihu/catalog"
)

// edited is a draft of open-lots that drops 002, renames 003, empties its district and
// adds 007; the column 泊位数 holds fractions and 备注 is new.
const edited = "编号,名称,区县,泊位数,备注\n001,三阳广场,梁溪区,417.0,\n003,蠡湖中央公园,,120.5,改名\n004,\"甲;乙\",滨湖区,33.0,\n005,太湖广场,梁溪区,6.0,\n006,新的,滨湖区,1.0,\n007,秘密车场,滨湖区,1.0,\n"

// TestComparisons: between releases, and between a draft and a release for those who
// may see the draft.
func TestComparisons(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	draft := p.draft("open-lots", "lots.csv", edited)
	const base = "/api/v1/datasets/open-lots/diff"
	own, other := bearerOf(p.own), bearerOf(p.other)
	toDraft := "?from=2&to=" + draft.ID
	file := "/data/open-lots/2..." + draft.ID + "/lots.csv"
	p.play(t, []scenario{
		{name: "the latest with the one before", path: base, status: 200, has: map[string]string{"Content-Type": "application/json", "Cache-Control": "public, no-cache"},
			parts: []string{`"from":{"number":1,`, `"to":{"number":2,`, `"added":1,"removed":0,"changed":0,"same":5`, `"column":"名称","new":"新的"`, `"next":null`, "/data/open-lots/1...2/lots.csv"}},
		{name: "by a key", path: base + "?key=编号", status: 200, parts: []string{`"key":["编号"]`, `"key":{"编号":"006"}`}},
		{name: "the other way round", path: base + "?from=2&to=1&key=编号", status: 200, parts: []string{`"removed":1`, `{"change":"removed","old_row":6,"key":{"编号":"006"}`}},
		{name: "with itself", path: base + "?from=2&to=latest", status: 200, parts: []string{`"change":"same"`, `"same":6`, `"changes":[]`}},
		{name: "a key that is not unique", path: base + "?key=区县", status: 422, parts: []string{`"key_not_unique"`, `"rows":[1,2]`}},
		{name: "an unknown key", path: base + "?key=编码", status: 400, parts: []string{`"unknown_column"`, `"nearest":"编号"`}},
		{name: "a key that is no list of columns", path: base + "?key=a b", status: 400, parts: []string{`"bad_key"`}},
		{name: "an unknown change", path: base + "?change=new", status: 400, parts: []string{`"bad_parameter"`}},
		{name: "an unknown table", path: base + "?table=lot", status: 404, parts: []string{`"unknown_table"`}},
		{name: "an unknown release", path: base + "?from=7", status: 404, parts: []string{`"unknown_release"`}},
		{name: "nothing before the first", path: base + "?to=1", status: 404, parts: []string{`"unknown_release"`}},
		{name: "too much at once", path: base + "?limit=1001", status: 400, parts: []string{`"bad_limit"`}},
		{name: "an unknown parameter", path: base + "?form=1", status: 400, parts: []string{`"nearest":"from"`}},
		{name: "no page before the first", path: base + "?cursor=x", status: 400, parts: []string{`"bad_cursor"`}},
		{name: "a draft for its steward", path: base + toDraft + "&key=编号", headers: own, status: 200, has: map[string]string{"Cache-Control": "private, no-store"},
			parts: []string{`"added":1,"removed":1,"changed":1,"same":4`, `"cells":3`, `{"column":"区县","old":"滨湖区","new":null}`, `"change":"added","new":{"name":"备注"`, `"draft":"` + draft.ID}},
		{name: "only what changed", path: base + toDraft + "&key=编号&change=changed", headers: own, status: 200, parts: []string{"蠡湖中央公园"}, lacks: []string{"秘密车场"}},
		{name: "one at a time", path: base + toDraft + "&key=编号&limit=1", headers: own, status: 200, parts: []string{"蠡湖中央公园", `"next":"1"`}, lacks: []string{"秘密车场"}},
		{name: "the next", path: base + toDraft + "&key=编号&limit=1&cursor=1", headers: own, status: 200, parts: []string{"秘密车场", `"next":"2"`}, lacks: []string{"蠡湖中央公园"}},
		{name: "a draft for nobody", path: base + toDraft, status: 401, lacks: []string{"秘密车场"}},
		{name: "a draft for others", path: base + toDraft, headers: other, status: 404, parts: []string{`"unknown_draft"`}, lacks: []string{"秘密车场"}},
		{name: "a draft that never was", path: base + "?from=2&to=" + catalog.NewID(), headers: other, status: 404, parts: []string{`"unknown_draft"`}},
		{name: "a draft of another dataset", path: strings.Replace(base, "open", "conditional", 1) + "?from=1&to=" + draft.ID, headers: own, status: 404, parts: []string{`"unknown_draft"`}},
		{name: "the whole list", path: file + "?key=编号", headers: own, status: 200, has: map[string]string{"Content-Type": "text/csv; charset=utf-8", "Cache-Control": "private, no-store", "ETag": "*"},
			parts: []string{"change,old_row,new_row,编号,column,old,new\n" +
				"changed,3,2,003,名称,蠡湖公园,蠡湖中央公园\nchanged,3,2,003,区县,滨湖区,\nchanged,3,2,003,泊位数,120,120.5\n" +
				"added,,6,007,名称,,秘密车场\nadded,,6,007,区县,,滨湖区\nadded,,6,007,泊位数,,1\nadded,,6,007,备注,,\n" +
				"removed,2,,002,名称,崇安寺,\nremoved,2,,002,区县,梁溪区,\nremoved,2,,002,泊位数,6,\n"}},
		{name: "the list for nobody", path: file, status: 401, lacks: []string{"秘密车场"}},
		{name: "the list for others", path: file, headers: other, status: 404, has: map[string]string{"ETag": ""}, lacks: []string{"秘密车场"}},
		{name: "the list as NDJSON", path: "/data/open-lots/1...2/lots.ndjson?key=编号&change=added", status: 200, has: map[string]string{"Cache-Control": "public, no-cache"},
			parts: []string{`{"change":"added","old_row":null,"new_row":6,"编号":"006","column":"名称","old":null,"new":"新的"}`}},
		{name: "the list as a workbook", path: "/data/open-lots/1...2/lots.xlsx", status: 200, parts: []string{"PK"}},
		{name: "the list with a parameter it has not", path: "/data/open-lots/1...2/lots.csv?where=a=1", status: 400, parts: []string{`"unknown_parameter"`}},
		{name: "the list of what is not", path: "/data/open-lots/1...3/lots.csv", status: 404},
		{name: "half a comparison", path: "/data/open-lots/1.../lots.csv", status: 404, parts: []string{`"unknown_release"`}},
		{name: "its length", method: http.MethodHead, path: "/data/open-lots/1...2/lots.csv", status: 200, has: map[string]string{"ETag": "*"}},
	})
	sameTag(t, p, "/data/open-lots/1...2/lots.csv?key=编号")
	p.draftPage(t, draft)

	// Declared, the key needs no asking; it goes on to the releases that follow.
	if err := p.client.Do(t.Context(), "PUT", "/api/v1/drafts/"+draft.ID+"/tables/lots", map[string]any{"key": []string{"编号"}}, nil); err != nil {
		t.Fatal(err)
	}
	p.checked(t, draft.ID) // all rows are held to it
	for _, verb := range []string{"submit", "approve", "publish"} {
		if _, err := p.client.Act(t.Context(), draft.ID, verb); err != nil {
			t.Fatal(err)
		}
	}
	p.release("open-lots", "lots.csv", edited+"007,又一个,梁溪区,2,\n", hostileName, "an attachment")
	p.play(t, []scenario{
		{name: "the declared key", path: base + "?from=2&to=3", status: 200, parts: []string{`"key":["编号"]`, `"changed":1`}},
		{name: "whole rows all the same", path: base + "?from=2&to=3&key=*", status: 200, parts: []string{`"key":[]`, `"changed":0`}},
		{name: "the declared key that does not hold", path: base, status: 200, parts: []string{`"number":4`, `"notice":{"code":"key_not_unique"`, `"key":[]`}},
		{name: "that key by name", path: base + "?key=编号", status: 422, parts: []string{`"key_not_unique"`, `"rows":[6,7]`}},
		{name: "the schema has it", path: "/api/v1/datasets/open-lots/releases/4/tables/lots/schema", status: 200, parts: []string{`"key":["编号"]`}},
	})
	if out, code := p.command("fsck"); code != 0 {
		t.Error(out)
	}
	if err := p.client.Do(t.Context(), "POST", "/api/v1/datasets/open-lots/releases/2/withdraw", api.Withdrawal{Reason: "有误"}, nil); err != nil {
		t.Fatal(err)
	}
	p.play(t, []scenario{
		{name: "withdrawn", path: base + "?from=2&to=3", status: 410, parts: []string{`"withdrawn"`, "有误"}},
		{name: "withdrawn the other way", path: base + "?from=1&to=2", status: 410, lacks: []string{"新的"}},
		{name: "its list", path: "/data/open-lots/1...2/lots.csv", status: 410, has: map[string]string{"ETag": ""}},
		{name: "its page", path: "/datasets/open-lots/diff/1...2", headers: []string{"Accept", "text/html"}, status: 410},
		{name: "the one before it stands", path: base + "?to=3", status: 200, parts: []string{`"from":{"number":1,`}},
	})
}

// sameTag: who has the list asks in vain for another, and it stays the same.
func sameTag(t *testing.T, p *lotPortal, path string) {
	t.Helper()
	_, header, body := p.send(t, scenario{path: path})
	status, _, _ := p.send(t, scenario{path: path, headers: []string{"If-None-Match", header.Get("ETag")}})
	_, again, same := p.send(t, scenario{path: path})
	if status != http.StatusNotModified || again.Get("ETag") != header.Get("ETag") || body != same {
		t.Errorf("%s: %d, tags %s and %s", path, status, header.Get("ETag"), again.Get("ETag"))
	}
}

// draftPage: the comparison as a page, for the draft's steward and nobody else.
func (p *lotPortal) draftPage(t *testing.T, draft *api.Draft) {
	t.Helper()
	html := []string{"Accept", "text/html"}
	page := "/datasets/open-lots/diff/2..." + draft.ID + "?key=编号"
	p.play(t, []scenario{
		{name: "page of a draft", path: page, headers: slices.Concat(html, bearerOf(p.own)), status: 200, parts: []string{"蠡湖中央公园", "秘密车场", "备注", "崇安寺"}},
		{name: "page of a draft in English", path: "/en" + page, headers: slices.Concat(html, bearerOf(p.own)), status: 200, parts: []string{"What changed", "秘密车场"}},
		{name: "page of a draft for nobody", path: page, headers: html, status: 303, lacks: []string{"秘密车场"}}, // to the sign-in
		{name: "page of a draft for others", path: page, headers: slices.Concat(html, bearerOf(p.other)), status: 404, lacks: []string{"秘密车场"}},
		{name: "page of releases", path: "/datasets/open-lots/diff/1...2", headers: html, status: 200, parts: []string{"新的", "/data/open-lots/1...2/lots.csv", "?key=%E7%BC%96%E5%8F%B7&amp;table=lots"}},
		{name: "a key that is not unique is said on the page", path: "/datasets/open-lots/diff/1...2?key=区县", headers: html, status: 422, parts: []string{"区县", "比较"}},
		{name: "the form leads to the address", path: "/datasets/open-lots/diff?from=1&to=2&key=&table=&change=", headers: html, status: 303, has: map[string]string{"Location": "/datasets/open-lots/diff/1...2"}},
		{name: "linked from the releases", path: "/datasets/open-lots", headers: html, status: 200, parts: []string{"/datasets/open-lots/diff/1...2"}},
		{name: "linked from the draft", path: "/steward/drafts/" + draft.ID, headers: slices.Concat(html, bearerOf(p.own)), status: 200, parts: []string{"/datasets/open-lots/diff/2..." + draft.ID}},
	})
}

// TestComparedPagesAreTheList: followed to their end, pages have every change once.
func TestComparedPagesAreTheList(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	var rows strings.Builder
	rows.WriteString("编号,值\n")
	for i := range 250 {
		rows.WriteString("n" + strings.Repeat("0", i%3) + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + ",1\n")
	}
	if _, err := p.client.CreateDataset(t.Context(), editOf("many", "cgj")); err != nil {
		t.Fatal(err)
	}
	p.release("many", "many.csv", rows.String())
	p.release("many", "many.csv", strings.ReplaceAll(rows.String(), ",1\n", ",2\n"))
	seen := 0
	for cursor := ""; ; {
		path := "/api/v1/datasets/many/diff?key=编号&limit=60"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		_, _, body := p.send(t, scenario{path: path})
		var a api.DiffAnswer
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		if a.Summary.Rows.Changed != 250 || a.Summary.Cells != 250 {
			t.Fatalf("summary: %+v", a.Summary)
		}
		for _, c := range a.Changes {
			if seen++; c.NewRow != int64(seen) {
				t.Fatalf("change %d is row %d", seen, c.NewRow)
			}
		}
		if a.Next == nil {
			break
		}
		cursor = *a.Next
	}
	if seen != 250 {
		t.Errorf("pages have %d changes, want 250", seen)
	}
}
