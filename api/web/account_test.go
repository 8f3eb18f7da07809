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

var secretShown = regexp.MustCompile(store.TokenPrefix + `[A-Za-z0-9_-]{20,}`)

// A signed-in person makes a key, sees it once, uses it, revokes it, all without
// scripts.
func TestKeysOfAPerson(t *testing.T) {
	p := newPortal(t)
	if at := p.get("/account", 303); at != "/sign-in?back=%2Faccount" {
		t.Errorf("nobody is led to %s", at)
	}
	if strings.Contains(p.get("/sign-in", 200), `href="/account"`) {
		t.Error("the header shows an account to nobody")
	}
	p.actor = p.admin()
	wants(t, p.get("/en/account", 200), "No key yet", `href="/en/account"`, `value="read" checked`, "Present password")

	post := func(path string, v url.Values, status int) *httptest.ResponseRecorder {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(v.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		p.engine.ServeHTTP(w, r)
		if w.Code != status {
			t.Fatalf("%s: %d, want %d\n%s", path, w.Code, status, w.Body)
		}
		return w
	}
	made := post("/account/keys", url.Values{"name": {"报表" + hostile}, "scope": {"read"}, "days": {"30"}}, 200)
	secret := secretShown.FindString(made.Body.String())
	if secret == "" || made.Header().Get("Cache-Control") != "no-store" || made.Header().Get("Location") != "" {
		t.Fatalf("secret %q, headers %v", secret, made.Header())
	}
	a, err := p.db.ActorByToken(t.Context(), secret)
	must(t, err)
	if a.Scope != catalog.ReadScope || a.User.Login != "root" {
		t.Errorf("the key is %+v", a)
	}
	page := p.get("/account", 200)
	wants(t, page, "报表", "只读", "有效")
	if secretShown.MatchString(page) || strings.Contains(page, hostile) {
		t.Error("the list shows a secret, or a name as it is")
	}

	for field, v := range map[string]url.Values{
		"name":  {"name": {" "}, "scope": {"read"}, "days": {"30"}},
		"scope": {"name": {"x"}, "days": {"30"}},
		"days":  {"name": {"x"}, "scope": {"read"}, "days": {"31"}},
	} {
		wants(t, post("/en/account/keys", v, 422).Body.String(), `href="#`+field+`"`, `action="/en/account/keys"`)
	}

	id := regexp.MustCompile(`/account/keys/([^/]+)/revoke`).FindStringSubmatch(page)[1]
	if at := post("/account/keys/"+id+"/revoke", nil, 303).Header().Get("Location"); at != "/account?done=key-revoked" {
		t.Errorf("revoking leads to %s", at)
	}
	if _, err := p.db.ActorByToken(t.Context(), secret); catalog.KindOf(err) != catalog.Unauthenticated {
		t.Errorf("a revoked key: %v", err)
	}
	wants(t, p.get("/account", 200), "已吊销")
	post("/account/keys/none/revoke", nil, 404)

	// A key is not a person at his desk.
	p.actor.Scope = catalog.FullScope
	post("/account/keys", url.Values{"name": {"more"}, "scope": {"full"}, "days": {"0"}}, 403)
	p.get("/account", 403)
}

func TestChangePasswordOnThePage(t *testing.T) {
	p := newPortal(t)
	p.actor = p.admin()
	const old, fresh = "correct horse battery", "staple of correct horses"
	for field, v := range map[string]url.Values{
		"current":  {"current": {"wrong"}, "password": {fresh}, "again": {fresh}},
		"password": {"current": {old}, "password": {"short"}, "again": {"short"}},
		"again":    {"current": {old}, "password": {fresh}, "again": {fresh + "x"}},
	} {
		page := p.post("/account/password", v, 422)
		wants(t, page, `href="#`+field+`"`)
		if strings.Contains(page, fresh) || strings.Contains(page, old) {
			t.Errorf("%s: the page shows a password", field)
		}
	}
	if at := p.post("/account/password", url.Values{"current": {old}, "password": {fresh}, "again": {fresh}}, 303); at != "/account?done=password-changed" {
		t.Errorf("led to %s", at)
	}
	if _, _, err := p.db.SignIn(t.Context(), "root", fresh); err != nil {
		t.Error(err)
	}
}
