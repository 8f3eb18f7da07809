package web

import (
	"net/url"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
)

// TestSettlingOnThePage takes a draft with two findings through the form: nothing
// chosen, a reason missing, accepted, masked, taken back.
func TestSettlingOnThePage(t *testing.T) {
	p := newPortal(t)
	p.actor = p.admin()
	p.publish("parking-spaces", catalog.Unconditional)
	r, err := p.db.CreateDraft(t.Context(), p.actor, "parking-spaces", store.DraftEdit{})
	must(t, err)
	original := catalog.Blob{SHA256: strings.Repeat("ef", 32), Size: 9}
	f, err := p.db.PutFile(t.Context(), p.actor, r.ID, store.Upload{Name: "名单.csv", Blob: original})
	must(t, err)
	finding := func(code, column string) catalog.Finding {
		return catalog.Finding{Severity: catalog.ToSettle, Code: code, Table: "main", Column: column, Count: 2, Of: 4, Message: catalog.Text{Zh: "有" + column}, Measures: catalog.Measures,
			Places: []catalog.Against{{Row: 2, Value: "138****8000"}}}
	}
	outcome := func(findings ...catalog.Finding) store.IngestOutcome {
		tbl := filledTable()
		tbl.Parts, tbl.TextBlob, tbl.SourceSHA256, tbl.ContentSHA256 = []catalog.Part{{Blob: original, Rows: 100}}, original, original.SHA256, strings.Repeat("cd", 32)
		return store.IngestOutcome{Report: catalog.Report{File: f.Name, Format: "csv", Accepted: true, Findings: findings}, Tables: []catalog.Table{*tbl}}
	}
	must(t, p.db.FinishIngest(t.Context(), f.ID, original.SHA256, f.Options, outcome(finding("personal_mobile", "电话"), finding("personal_id", "证件"))))
	draft := "/steward/drafts/" + r.ID
	page := p.get(draft, 200)
	wants(t, page, "还不能提交：有2条发现须先定", "138****8000", "2格，占有值的50%", `<option value="mask">`)
	for _, no := range []string{"提交审核", "提交、批准并发布"} {
		if strings.Contains(page, no) {
			t.Errorf("the page offers %s", no)
		}
	}
	wants(t, p.post(draft+"/submit", url.Values{}, 409), "personal_mobile")
	form := url.Values{"name": {"名单.csv"}, "anchor": {"file-1"}, "code": {"personal_mobile", "personal_id"}, "table": {"main", "main"}, "column": {"电话", "证件"}, "measure": {"", ""}, "reason": {"", "想好再说"}}
	wants(t, p.post(draft+"/settle", form, 422), "还没有作任何决定")
	form["measure"] = []string{"accept", "mask"}
	wants(t, p.post(draft+"/settle", form, 422), `href="#file-1-reason-1"`, `id="file-1-reason-1"`, `<option value="mask" selected>`, "想好再说")
	form["measure"], form["reason"] = []string{"accept", ""}, []string{"办公电话", ""}
	p.post(draft+"/settle", form, 303)
	wants(t, p.get(draft, 200), "有1条发现须先定", "办公电话", "管理员", "取消这个决定")
	p.post(draft+"/settle", url.Values{"name": {"名单.csv"}, "anchor": {"file-1"}, "code": {"personal_id"}, "table": {"main"}, "column": {"证件"}, "measure": {"mask"}, "reason": {""}}, 303)
	wants(t, p.get(draft, 200), "正在检查", "这个文件的原件不公开")
	now, err := p.db.Draft(t.Context(), p.actor, r.ID)
	must(t, err)
	must(t, p.db.FinishIngest(t.Context(), f.ID, original.SHA256, now.Files[0].Options, outcome(finding("personal_mobile", "电话"))))
	wants(t, p.get(draft, 200), "通过检查，可以提交")
	p.post(draft+"/submit", url.Values{}, 303)
	// The reviewer sees the decisions and cannot change them here.
	page = p.get(draft, 200)
	wants(t, page, "办公电话", "已经定的")
	if strings.Contains(page, "取消这个决定") {
		t.Error("decisions can be taken back while in review")
	}
	p.post(draft+"/approve", url.Values{}, 303)
	p.post(draft+"/publish", url.Values{}, 303)
	p.actor = catalog.Actor{}
	page = p.get("/datasets/parking-spaces", 200)
	wants(t, page, `id="withheld"`)
	if strings.Contains(page, original.SHA256) || strings.Contains(page, "名单.csv") {
		i := max(strings.Index(page, original.SHA256), strings.Index(page, "名单.csv"))
		t.Errorf("the dataset's page leads to the original: %s", page[max(0, i-300):min(len(page), i+100)])
	}
}
