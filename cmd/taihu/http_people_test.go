package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPeopleInTheBrowser: the site admin imports publishers, makes one more, and
// invites; who was invited joins on a phone without scripts. Pictures are kept where
// TAIHU_SHOTS names a folder.
func TestPeopleInTheBrowser(t *testing.T) {
	t.Parallel()
	p := startLots(t, "--log-level=debug")
	book := cityBook(t)
	for _, width := range []int64{1280, 390} {
		t.Run(strconv.FormatInt(width, 10), func(t *testing.T) {
			name := func(s string) string { return s + "-" + strconv.FormatInt(width, 10) }
			b := signedInTab(t, p.server, p.URL, width)
			look := func(what string) {
				t.Helper()
				if wide := b.number("document.documentElement.scrollWidth"); wide > float64(width) {
					t.Errorf("%s is %v wide in a window of %d", what, wide, width)
				}
				b.shoot(name(what))
				b.mu.Lock()
				b.complaints = slices.DeleteFunc(b.complaints, func(s string) bool { return strings.Contains(s, "status of 422") }) // as a refused form is answered
				b.mu.Unlock()
				b.quiet(what)
			}
			faults := writeFile(t, "名单.csv", "机构编码,机构名称,上级机构,备注\n城管,城管局,没有的局,x\nbinhu,滨湖区,binhu-a,\nbinhu-a,蠡湖街道,binhu,\n")
			b.do(chromedp.Navigate(p.URL+"/organizations"), chromedp.Click("a[href='/steward/organization-list']"), chromedp.WaitReady("#file"))
			look("organization-list")
			b.do(chromedp.SetUploadFiles("#file", []string{faults}), chromedp.Click("main form .btn.main"), chromedp.WaitReady("#preview"))
			look("organization-list-problems")
			b.do(chromedp.SetUploadFiles("#file", []string{book}), chromedp.Click("main .split form .btn.main"), chromedp.WaitReady("#preview dl"))
			look("organization-list-preview")
			if width == 1280 {
				b.do(chromedp.Click("#preview form .btn.main"), chromedp.WaitReady(".alert.good.said"))
			}
			b.do(chromedp.Navigate(p.URL + "/en/organizations"))
			look("organizations")
			slug := "office-" + strconv.FormatInt(width, 10)
			b.do(chromedp.Navigate(p.URL+"/en/steward/organizations/new?parent=street-40"), chromedp.SendKeys("#name_en", "Data office"), chromedp.SendKeys("#slug", slug))
			look("organization-form")
			b.do(chromedp.Click("main form .btn.main"), chromedp.WaitReady(".alert.good.said"))
			look("organization")
			b.do(chromedp.Click("a[href$='/members']"), chromedp.WaitReady("#note"), chromedp.SendKeys("#note", "Wang"), chromedp.Click("form[action$='/invitations'] .btn.main"), chromedp.WaitReady("#link"))
			look("members-link")
			link := b.text("#link")

			guest := openTab(t, 390, 900, false)
			guest.do(chromedp.Navigate(link), chromedp.WaitReady("#login"))
			guest.shoot(name("invitation"))
			guest.do(chromedp.SendKeys("#login", "wang"+slug), chromedp.SendKeys("#name", "Wang Li"), chromedp.SendKeys("#password", "a good password"), chromedp.SendKeys("#again", "a good password"),
				chromedp.Click("main form .btn.main"), chromedp.WaitReady(".alert.good.said"))
			if page := guest.text("main"); !strings.Contains(page, "Welcome") || !strings.Contains(guest.text(".tools"), "Sign out") {
				t.Errorf("after joining: %.300s", page)
			}
			guest.do(chromedp.Navigate(p.URL + "/en/steward/organizations/" + slug + "/members"))
			if page := guest.text("main"); !strings.Contains(page, "Wang Li") || strings.Contains(page, "Invite") {
				t.Errorf("his members page is %.300s", page)
			}
			guest.quiet("the guest's pages")
			b.do(chromedp.Navigate(p.URL + "/steward/organizations/" + slug + "/members"))
			look("members")
		})
	}
	out, code := p.command("user", "invite", "cgj", "steward", "--note=李", "--base-url="+p.URL)
	if code != 0 {
		t.Fatal(out)
	}
	p.play(t, []scenario{
		{name: "a link of the command", path: strings.TrimPrefix(strings.TrimSpace(out), p.URL), headers: []string{"Accept", "text/html"}, status: 200, has: map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}, parts: []string{"城管局", "数据员"}},
		{name: "a key that acts for an admin invites nobody", method: "POST", path: "/steward/organizations/cgj/invitations", headers: with(bearerOf(p.admin), "Content-Type", "application/x-www-form-urlencoded"), body: "role=admin&days=7", status: 403, parts: []string{`"session_needed"`}},
	})
	if log := p.Log.String(); strings.Contains(log, "thi_") || !strings.Contains(log, "path=/invitation") {
		t.Error("the log holds the secret of an invitation, or no request for one")
	}
}
