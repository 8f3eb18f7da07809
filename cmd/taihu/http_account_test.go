package main

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"taihu/catalog"
)

// TestReadKeys: a person makes a key in the browser's way; it reads what he may
// and changes nothing, and another site can make none in his name.
func TestReadKeys(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	session := p.signIn(t)
	cookie := []string{"Cookie", session.Name + "=" + session.Value, "Content-Type", "application/x-www-form-urlencoded"}
	form := url.Values{"name": {"script"}, "scope": {"read"}, "days": {"30"}}.Encode()
	p.play(t, []scenario{
		{name: "another site", method: "POST", path: "/account/keys", headers: with(cookie, "Sec-Fetch-Site", "cross-site"), body: form, status: 403},
		{name: "nothing said", method: "POST", path: "/account/keys", headers: cookie, body: form, status: 403},
		{name: "another site, a password", method: "POST", path: "/account/password", headers: with(cookie, "Origin", "https://other.example"), body: "current=a", status: 403},
		{name: "nobody", method: "POST", path: "/account/keys", headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: form, status: 401},
		{name: "a token makes no token", method: "POST", path: "/account/keys", headers: with(bearerOf(p.admin), "Content-Type", "application/x-www-form-urlencoded"), body: form, status: 403},
	})
	status, header, body := p.send(t, scenario{method: "POST", path: "/en/account/keys", headers: with(cookie, "Origin", p.URL), body: form})
	key := regexp.MustCompile(`tht_[\w-]{20,}`).FindString(body)
	if status != 200 || key == "" || header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v\n%s", status, header, body)
	}
	draft := p.draft("open-lots").ID
	reads := with(bearerOf(key), "Content-Type", "application/json")
	p.play(t, []scenario{
		{name: "reads a draft of its user", path: "/api/v1/drafts/" + draft, headers: reads, status: 200},
		{name: "and rows", path: lotRows, headers: reads, status: 200},
		{name: "also by a long query", method: "POST", path: strings.TrimSuffix(lotRows, "rows") + "query", headers: reads, body: `{"limit":1}`, status: 200},
		{name: "makes no draft", method: "POST", path: "/api/v1/datasets/open-lots/releases", headers: reads, body: `{}`, status: 403, parts: []string{`"read_only_key"`}},
		{name: "uploads nothing", method: "PUT", path: "/api/v1/drafts/" + draft + "/files/a.csv", headers: bearerOf(key), body: "a\n1\n", status: 403, parts: []string{`"read_only_key"`}},
		{name: "abandons nothing", method: "POST", path: "/api/v1/drafts/" + draft + "/abandon", headers: reads, body: `{}`, status: 403, parts: []string{`"read_only_key"`}},
		{name: "withdraws nothing", method: "POST", path: "/api/v1/datasets/open-lots/releases/1/withdraw", headers: reads, body: `{"reason":"x"}`, status: 403, parts: []string{`"read_only_key"`}},
		{name: "sees no keys", path: "/account", headers: with(bearerOf(key), "Accept", "text/html"), status: 403},
	})
	if _, code := p.command("token", "create", "--user=admin", "--name=x", "--scope=write"); code == 0 {
		t.Error("a scope that is none was taken")
	}
	out, _ := p.command("token", "list", "--user=admin")
	if !strings.Contains(out, "\tscript\t"+string(catalog.ReadScope)+"\t") || strings.Contains(out, key) {
		t.Errorf("the list is %s", out)
	}
}

// TestAccountInTheBrowser: on a phone and without scripts a key is made, shown
// once and revoked.
func TestAccountInTheBrowser(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	password := passwordLine.FindStringSubmatch(p.Out.String())
	if password == nil {
		t.Fatalf("no password in %q", p.Out.String())
	}
	for name, scripts := range map[string]bool{"with scripts": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			b := openTab(t, 360, 900, scripts)
			b.do(chromedp.Navigate(p.URL+"/en/sign-in"), chromedp.SendKeys("#login", "admin"), chromedp.SendKeys("#password", password[1]), chromedp.Click("main form .btn.main"),
				chromedp.WaitReady("form[action$='/sign-out']"), chromedp.Click(".tools a[href='/en/account']"), chromedp.WaitReady("#name"),
				chromedp.SendKeys("#name", "report script"), chromedp.Click("main form .btn.main"), chromedp.WaitReady("#secret"))
			if scripts {
				if wide := b.number("document.documentElement.scrollWidth"); wide > 360 {
					t.Errorf("the page is %v wide in a window of 360", wide)
				}
			}
			key := b.text("#secret")
			if status, _, _ := p.send(t, scenario{path: lotRows, headers: bearerOf(key)}); status != 200 {
				t.Errorf("the key %q is answered %d", key, status)
			}
			b.do(chromedp.Click("form[action$='/revoke'] button"), chromedp.WaitReady(".alert.good.said"))
			if page := b.text("main"); strings.Contains(page, key) || !strings.Contains(page, "revoked") {
				t.Errorf("after revoking: %.400s", page)
			}
			if status, _, _ := p.send(t, scenario{path: lotRows, headers: bearerOf(key)}); status != 401 {
				t.Errorf("a revoked key is answered %d", status)
			}
			b.quiet("account")
		})
	}
}
