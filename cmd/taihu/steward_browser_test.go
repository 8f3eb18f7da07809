package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestFeedbackInTheBrowser: without scripts and on a phone a reader follows a row's
// number, says what is wrong and sees his report; the steward answers it from his desk.
func TestFeedbackInTheBrowser(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	b := openTab(t, 390, 900, false)
	b.do(chromedp.Navigate(p.URL+"/en/datasets/open-lots/tables/lots"), chromedp.Click("td.no a[href*='row=2']"), chromedp.WaitReady("#message"),
		chromedp.SendKeys("#message", "It has 60 spaces, not 6."), chromedp.Click("#send .btn.main"), chromedp.WaitReady(".feedback.one"))
	if page := b.text("main"); !strings.Contains(page, "table lots, row 2") || !strings.Contains(page, "It has arrived") || strings.Contains(page, "60 spaces") {
		t.Errorf("after sending: %.600s", page)
	}
	b.quiet("report of an error")

	s := signedInTab(t, p.server, p.URL, 390)
	for _, path := range []string{"/steward", "/en/steward?show=datasets", "/steward/bulk?dataset=open-lots&dataset=conditional-lots", "/datasets/open-lots/feedback", "/en/datasets/open-lots/feedback/1", "/datasets/open-lots",
		"/steward/datasets/open-lots/upload?like=latest", "/steward/datasets/new?from=open-lots", "/en/steward/drafts/" + p.draft("open-lots", "lots.csv", lots).ID + "/tables/lots"} {
		s.do(chromedp.Navigate(p.URL+path), chromedp.WaitReady("main"))
		if wide := s.number("document.documentElement.scrollWidth"); wide > 390 {
			t.Errorf("%s is %v wide in a window of 390", path, wide)
		}
		s.quiet(path)
	}
	s.do(chromedp.Navigate(p.URL+"/en/steward?show=feedback"), chromedp.Click(".todo .btn"), chromedp.WaitReady("#reply"),
		chromedp.Click("input[name=state][value=rejected]"), chromedp.SendKeys("#reply", "Counted on site: 6."), chromedp.Click("form[action$='/answer'] .btn.main"), chromedp.WaitReady(".reply"))
	if page := s.text("main"); !strings.Contains(page, "Not a mistake") || !strings.Contains(page, "Counted on site: 6.") || !strings.Contains(page, "60 spaces") {
		t.Errorf("after answering: %.600s", page)
	}
	s.quiet("answer")
}
