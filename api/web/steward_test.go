package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
)

// TestADeskOfFiftyDatasets: whoever looks after many datasets sees counts and what is
// most urgent, not all of it, and gets to the rest by links.
func TestADeskOfFiftyDatasets(t *testing.T) {
	p := newPortal(t)
	ctx, system := t.Context(), catalog.SystemActor
	for i := range 50 {
		slug := fmt.Sprintf("set-%02d", i)
		d := &catalog.Dataset{Slug: slug, OrganizationID: p.org.ID, Title: catalog.Text{Zh: fmt.Sprintf("第%02d号数据", i)}, Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional, Frequency: "daily"}
		if i >= 30 {
			d.Frequency = "never"
		}
		must(t, p.db.CreateDataset(ctx, system, d))
		if i < 40 {
			p.publish(slug, catalog.Unconditional)
		}
		if i < 12 {
			must(t, p.db.SendFeedback(ctx, catalog.Actor{}, slug, &catalog.Feedback{Message: fmt.Sprintf("第%d处不对", i)}))
		}
		if i >= 40 {
			_, err := p.db.CreateDraft(ctx, system, slug, store.DraftEdit{})
			must(t, err)
		}
	}
	_, err := p.db.CreateUser(ctx, system, store.NewUser{Login: "li", Name: "李"})
	must(t, err)
	must(t, p.db.SetMembership(ctx, system, "li", "cgj", catalog.Steward))
	u, err := p.db.UserByLogin(ctx, "li")
	must(t, err)
	p.actor, err = p.db.ActorOf(ctx, u.ID)
	must(t, err)

	page := p.get("/steward", 200)
	wants(t, page, "100%", "承诺了频率的30个里，0个晚了", ">12</dd>", "第1条：整个数据集", `href="/steward?show=feedback"`, `href="/steward?show=begun"`, `href="/steward?show=datasets"`)
	if n := strings.Count(page, "第1条：整个数据集"); n != deskShort {
		t.Errorf("%d reports stand on the short desk, want %d", n, deskShort)
	}
	if n := strings.Count(page, "<tr"); n != deskShort+1 {
		t.Errorf("%d rows of datasets stand on the short desk", n-1)
	}
	// Three days on, thirty are late.
	p.site.Clock = func() time.Time { return catalog.Now().AddDate(0, 0, 3) }
	page = p.get("/steward", 200)
	wants(t, page, "承诺了频率的30个里，30个晚了", "0%", "晚2天", `href="/steward?show=due"`)
	page = p.get("/en/steward?show=due", 200)
	if n := strings.Count(page, "2 days late"); n != 30 {
		t.Errorf("%d of 30 late datasets are listed", n)
	}
	if strings.Contains(page, "<table") {
		t.Error("one section alone brings others along")
	}
	wants(t, p.get("/datasets/set-03", 200), "晚2天", "最迟应于")
	wants(t, p.get("/en/datasets/set-03", 200), "2 days late")
	if page := p.get("/datasets/set-33", 200); strings.Contains(page, "晚2天") {
		t.Error("what promises nothing is late")
	}
	wants(t, p.get("/steward?show=begun", 200), "第45号数据", "接着做，或放弃")
	wants(t, p.get("/steward?show=datasets&only=empty", 200), "第45号数据", "还没有")
	wants(t, p.get("/steward?text=第07", 200), "第07号数据", `value="第07"`)
	wants(t, p.get("/steward?show=nonsense", 200), `id="datasets"`)
	wants(t, p.get("/steward?show=feedback&page=9", 200), `href="/steward?page=8&amp;show=feedback"`)
	if page := p.get("/steward?show=datasets", 200); strings.Count(page, "<tr") != 51 {
		t.Errorf("%d rows of 50", strings.Count(page, "<tr")-1)
	}

	// Who belongs to no organization sees none of it.
	_, err = p.db.CreateUser(ctx, system, store.NewUser{Login: "guest", Name: "客"})
	must(t, err)
	u, err = p.db.UserByLogin(ctx, "guest")
	must(t, err)
	p.actor, err = p.db.ActorOf(ctx, u.ID)
	must(t, err)
	if page := p.get("/steward", 200); strings.Contains(page, "号数据") || !strings.Contains(page, "还没有可管的机构") {
		t.Error("a stranger's desk is not empty")
	}
	p.actor = catalog.Actor{}
	w := httptest.NewRecorder()
	p.engine.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/steward", nil))
	if w.Code != 303 {
		t.Errorf("nobody's desk: %d", w.Code)
	}
}

// TestMissedTimeIsOnTheDesk: a draft that could not be published at its time stands
// among what waits, with the reason.
func TestMissedTimeIsOnTheDesk(t *testing.T) {
	p := newPortal(t)
	ctx, system := t.Context(), catalog.SystemActor
	p.publish("lots", catalog.Unconditional)
	draft, err := p.db.CreateDraft(ctx, system, "lots", store.DraftEdit{})
	must(t, err)
	must(t, p.db.KeepTable(ctx, system, draft.ID, "main"))
	_, err = p.db.Submit(ctx, system, draft.ID, 0)
	must(t, err)
	_, err = p.db.Approve(ctx, system, draft.ID, 0)
	must(t, err)
	at := catalog.Now().Add(100 * time.Millisecond)
	_, err = p.db.Schedule(ctx, system, draft.ID, at, 0)
	must(t, err)
	time.Sleep(time.Until(at))
	for range catalog.JobAttempts[catalog.JobPublish] { // every attempt fails
		j, err := p.db.Lease(ctx, "here", []string{catalog.JobPublish}, time.Minute)
		must(t, err)
		must(t, p.db.Fail(ctx, j, "no room", at))
	}
	p.actor = p.admin()
	wants(t, p.get("/steward", 200), "到了定时没有发布", "多次出错")
	wants(t, p.get("/en/steward?show=review", 200), "was not published at its time")
	wants(t, p.get("/en/steward/drafts/"+draft.ID, 200), "Not published at its time", "tell its administrator")
}
