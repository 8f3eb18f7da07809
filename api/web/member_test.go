package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
)

// person makes a user, in a role where one is given, and returns him as an actor.
func (p *portal) person(login, organization string, role catalog.Role) catalog.Actor {
	p.t.Helper()
	u, err := p.db.CreateUser(p.t.Context(), catalog.SystemActor, store.NewUser{Login: login, Name: "人" + login})
	must(p.t, err)
	if organization != "" {
		must(p.t, p.db.SetMembership(p.t.Context(), catalog.SystemActor, login, organization, role))
	}
	a, err := p.db.ActorOf(p.t.Context(), u.ID)
	must(p.t, err)
	return a
}

func TestOrganizationForm(t *testing.T) {
	p := newPortal(t)
	chief, steward := p.person("chief", "cgj", catalog.Admin), p.person("steward", "cgj", catalog.Steward)
	for who, actor := range map[string]catalog.Actor{"a steward": steward, "a stranger": p.person("stranger", "", "")} {
		p.actor = actor
		p.get("/steward/organizations/new", 403)
		p.get("/steward/organizations/new?parent=cgj", 403)
		p.get("/steward/organizations/cgj", 403)
		p.post("/steward/organizations/cgj", url.Values{"name_zh": {"坏"}}, 403)
		p.post("/steward/organizations/new", url.Values{"slug": {"bad"}, "name_zh": {"坏"}, "parent": {p.org.ID}}, 403)
		if strings.Contains(p.get("/organizations/cgj", 200), `href="/steward/organizations/cgj"`) {
			t.Errorf("%s is shown the form", who)
		}
	}
	p.actor = chief
	wants(t, p.get("/organizations/cgj", 200), `href="/steward/organizations/cgj"`, `href="/steward/organizations/cgj/members"`, "new?parent=cgj")
	p.post("/steward/organizations/new", url.Values{"slug": {"top"}, "name_zh": {"顶"}}, 403) // the top is the portal's
	page := p.get("/en/steward/organizations/new?parent=cgj", 200)
	wants(t, page, `value="`+p.org.ID+`" selected`)
	if strings.Contains(page, "at the top") {
		t.Error("an organization's admin is offered the top")
	}
	form := url.Values{"slug": {"园林"}, "name_zh": {""}, "parent": {p.org.ID}, "phone": {strings.Repeat("1", 300)}}
	wants(t, p.post("/steward/organizations/new", form, 400), `href="#slug"`)
	form.Set("slug", "Parks")
	wants(t, p.post("/steward/organizations/new", form, 400), `href="#name_zh"`)
	form.Set("name_zh", "园林处"+hostile)
	wants(t, p.post("/steward/organizations/new", form, 400), `href="#phone"`)
	form.Set("phone", "0510")
	if at := p.post("/steward/organizations/new", form, 303); at != "/organizations/parks?done=organization-made" {
		t.Fatalf("led to %s", at)
	}
	wants(t, p.post("/steward/organizations/new", form, 409), `href="#slug"`)
	var err error
	p.actor, err = p.db.ActorOf(t.Context(), chief.User.ID) // as the next request knows him
	must(t, err)
	page = p.get("/steward/organizations/parks", 200)
	version := regexp.MustCompile(`name="row_version" value="(\d+)"`).FindStringSubmatch(page)[1]
	form.Set("row_version", version)
	form.Set("category", "事业单位")
	if at := p.post("/en/steward/organizations/parks", form, 303); at != "/en/organizations/parks?done=saved" {
		t.Errorf("led to %s", at)
	}
	wants(t, p.post("/steward/organizations/parks", form, 412), "别人改过")
	wants(t, p.get("/organizations/parks", 200), "事业单位")
	p.actor = p.admin()
	parks, err := p.db.Organization(t.Context(), "parks")
	must(t, err)
	wants(t, p.post("/steward/organizations/cgj", url.Values{"name_zh": {"城管局"}, "parent": {parks.ID}}, 400), `href="#parent"`)
	p.get("/steward/organizations/nowhere", 404)
}

func TestMembersPage(t *testing.T) {
	p := newPortal(t)
	must(t, p.db.CreateOrganization(t.Context(), catalog.SystemActor, &catalog.Organization{Slug: "parks", ParentID: p.org.ID, Name: catalog.Text{Zh: "园林处"}}))
	chief, steward, stranger := p.person("chief", "cgj", catalog.Admin), p.person("steward", "cgj", catalog.Steward), p.person("stranger", "", "")
	const at = "/steward/organizations/cgj/members"
	p.actor = catalog.Actor{}
	if to := p.get(at, 303); !strings.HasPrefix(to, "/sign-in?back=") {
		t.Errorf("nobody is led to %s", to)
	}
	for _, a := range []catalog.Actor{steward, stranger} {
		p.actor = a
		p.post(at, url.Values{"login": {"stranger"}, "role": {"admin"}}, 403)
		p.post(at+"/remove", url.Values{"login": {"chief"}}, 403)
		p.post("/steward/organizations/cgj/invitations", url.Values{"role": {"steward"}, "days": {"7"}}, 403)
		p.post("/steward/organizations/cgj/invitations/x/revoke", nil, 403)
	}
	p.get(at, 403)
	p.actor = steward
	if page := p.get(at, 200); !strings.Contains(page, "chief") || strings.Contains(page, "<select") || strings.Contains(page, "/remove") {
		t.Error("a member sees another page than the list alone")
	}
	p.actor = chief
	wants(t, p.post(at, url.Values{"login": {"nobody"}, "role": {"admin"}}, 422), `href="#login"`, "nobody")
	wants(t, p.post(at, url.Values{"login": {"stranger"}, "role": {"king"}}, 422), `href="#role"`)
	if to := p.post("/en"+at, url.Values{"login": {" Stranger "}, "role": {"reviewer"}}, 303); to != "/en"+at+"?done=member-set" {
		t.Errorf("led to %s", to)
	}
	wants(t, p.get(at, 200), "人stranger", `value="reviewer" selected`)
	wants(t, p.get("/steward/organizations/parks/members", 200), "没有自己的成员", "人stranger", "城市管理局", "审核员")
	p.post(at+"/remove", url.Values{"login": {"stranger"}}, 303)
	if strings.Contains(p.get(at, 200), "人stranger") {
		t.Error("a removed member is listed")
	}
	if to := p.post(at+"/remove", url.Values{"login": {"chief"}}, 303); to != "/organizations/cgj?done=member-removed" {
		t.Errorf("who removed himself is led to %s", to)
	}
}

// TestInvitationByLink: an admin makes a link, sees it once, and somebody without an
// account joins by it, all without scripts.
func TestInvitationByLink(t *testing.T) {
	p := newPortal(t)
	chief := p.person("chief", "cgj", catalog.Admin)
	const at = "/steward/organizations/cgj/invitations"
	link := regexp.MustCompile(`http://portal\.example(/[^<]*key=thi_[\w-]{40,})<`)
	invite := func(v url.Values) string {
		t.Helper()
		p.actor = chief
		w := p.raw(http.MethodPost, at, v)
		m := link.FindStringSubmatch(w.Body.String())
		if w.Code != 200 || m == nil || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Location") != "" {
			t.Fatalf("%d %v\n%s", w.Code, w.Header(), w.Body)
		}
		p.actor = catalog.Actor{}
		return m[1]
	}
	p.actor = chief
	for _, wrong := range []url.Values{{"role": {"king"}, "days": {"7"}}, {"role": {"steward"}, "days": {"90"}}, {"role": {"steward"}}, {"role": {"steward"}, "days": {"7"}, "note": {strings.Repeat("长", 101)}}} {
		wants(t, p.post(at, wrong, 422), `role="alert"`)
	}
	path := invite(url.Values{"role": {"reviewer"}, "days": {"7"}, "note": {"老王" + hostile}})
	p.actor = chief
	page := p.get("/steward/organizations/cgj/members", 200)
	wants(t, page, "老王", "等待接受", "审核员")
	if strings.Contains(page, "thi_") || strings.Contains(page, hostile) {
		t.Error("the page shows the link again, or a note as it is")
	}

	p.actor = catalog.Actor{}
	w := p.raw(http.MethodGet, path, nil)
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the invitation's headers are %v", w.Header())
	}
	wants(t, w.Body.String(), "城市管理局", "审核员", "人chief", "建一个账号", `href="/sign-in?back=%2Finvitation%3Fkey%3Dthi_`)
	key := path[strings.Index(path, "thi_"):]
	form := url.Values{"key": {key}, "login": {"wang"}, "name": {"王"}, "password": {"a good password"}, "again": {"a good password"}}
	for field, v := range map[string]url.Values{
		"login":    {"key": {key}, "login": {"wang li"}, "password": {"a good password"}, "again": {"a good password"}},
		"password": {"key": {key}, "login": {"wang"}, "password": {"short"}, "again": {"short"}},
		"again":    {"key": {key}, "login": {"wang"}, "password": {"a good password"}, "again": {"another password"}},
	} {
		page := p.post("/en/invitation", v, 422)
		wants(t, page, `href="#`+field+`"`, "Make an account")
		if strings.Contains(page, "good password") {
			t.Error("the page shows a password")
		}
	}
	wants(t, p.post("/invitation", url.Values{"key": {key}, "login": {"chief"}, "password": {"a good password"}, "again": {"a good password"}}, 422), `href="#login"`)
	w = p.raw(http.MethodPost, "/invitation", form)
	if w.Code != 303 || w.Header().Get("Location") != "/steward?done=joined" || len(w.Result().Cookies()) != 1 {
		t.Fatalf("joined: %d %v", w.Code, w.Header())
	}
	a, err := p.db.ActorBySession(t.Context(), w.Result().Cookies()[0].Value)
	if err != nil || a.User.Login != "wang" || a.Roles[p.org.ID] != catalog.Reviewer || a.User.SiteAdmin {
		t.Errorf("he is %+v, %v", a, err)
	}
	form.Set("login", "li")
	p.post("/invitation", form, 410)
	wants(t, p.get(path, 410), "已经用过")
	p.get("/invitation?key=thi_none", 404)

	path = invite(url.Values{"role": {"admin"}, "days": {"1"}})
	p.actor = a
	wants(t, p.get(path, 200), "你已登录为王", "接受")
	if to := p.post("/invitation", url.Values{"key": {path[strings.Index(path, "thi_"):]}}, 303); to != "/steward?done=joined" {
		t.Errorf("led to %s", to)
	}
	if a, err = p.db.ActorOf(t.Context(), a.User.ID); err != nil || a.Roles[p.org.ID] != catalog.Admin {
		t.Errorf("he is %+v, %v", a, err)
	}
	path = invite(url.Values{"role": {"steward"}, "days": {"1"}})
	p.actor = a
	wants(t, p.post("/invitation", url.Values{"key": {path[strings.Index(path, "thi_"):]}}, 409), "已有这个角色")
	page = p.get("/steward/organizations/cgj/members", 200)
	wants(t, page, "已接受：王")
	id := regexp.MustCompile(`/invitations/([^/]+)/revoke`).FindStringSubmatch(page)[1]
	p.post(at+"/"+id+"/revoke", nil, 303)
	p.actor = catalog.Actor{}
	p.get(path, 410)
}

// raw sends a request and returns the whole answer.
func (p *portal) raw(method, path string, form url.Values) *httptest.ResponseRecorder {
	p.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	p.engine.ServeHTTP(w, r)
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		checkPage(p.t, path, w.Body.String())
	}
	return w
}
