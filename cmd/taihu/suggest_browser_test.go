package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestSuggestionsInTheBrowser: the search box opens a list while somebody types, goes
// through it by keyboard, asks nothing while Chinese is being composed, and stays a
// search box without it.
func TestSuggestionsInTheBrowser(t *testing.T) {
	t.Parallel()
	s := start(t, "serve")
	s.publish("parking-spaces", writeFile(t, "parking.csv", parking))
	eventually(t, "suggested", func() bool {
		_, _, body := s.get("/api/v1/suggest?q=%E5%8C%BA") // 区: a column
		return strings.Contains(string(body), `"kind":"column"`)
	})
	b := openTab(t, 1280, 900, true)
	wait := func(what, expression string) {
		t.Helper()
		eventually(t, what, func() bool { return b.number("+("+expression+")") == 1 })
	}
	const count = `window.asked = 0; window.fetch = ((f) => (...a) => { asked++; return f(...a); })(window.fetch); document.querySelector("#q").focus(); 1`
	b.do(chromedp.Navigate(s.URL + "/en/datasets"))
	b.number(count)
	b.do(chromedp.SendKeys("#q", "区"))
	wait("a list", `document.querySelector("#q").ariaExpanded === "true" && document.querySelectorAll("#q-list [role=option]").length > 0`)
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	wait("the first is chosen", `document.getElementById(document.querySelector("#q").getAttribute("aria-activedescendant"))?.ariaSelected === "true"`)
	b.do(chromedp.KeyEvent(kb.ArrowUp))
	wait("the text again", `!document.querySelector("#q").hasAttribute("aria-activedescendant")`)
	b.do(chromedp.KeyEvent(kb.Escape))
	wait("closed, the text stays", `document.querySelector("#q-list").hidden && document.querySelector("#q").value === "区"`)
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	wait("open again", `!document.querySelector("#q-list").hidden`)
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	wait("where it leads", `location.pathname.startsWith("/en/datasets") && (location.search !== "" || location.pathname !== "/en/datasets")`)

	b.do(chromedp.Navigate(s.URL + "/datasets"))
	b.number(count)
	compose := func(event string) string {
		return `(() => { const q = document.querySelector("#q"); ` + event + `; return 1; })()`
	}
	b.number(compose(`q.dispatchEvent(new CompositionEvent("compositionstart")); q.value = "qu"; q.dispatchEvent(new InputEvent("input", { isComposing: true }))`))
	time.Sleep(500 * time.Millisecond) // longer than the box waits
	if n := b.number("asked"); n != 0 {
		t.Errorf("%v questions while Chinese was being composed", n)
	}
	b.number(compose(`q.value = "区"; q.dispatchEvent(new CompositionEvent("compositionend"))`))
	wait("asked once it was composed", "asked === 1")
	b.do(chromedp.KeyEvent(kb.Enter))
	wait("a normal search", `location.search === "?q=%E5%8C%BA"`)
	b.quiet("search box")

	plain := openTab(t, 360, 800, false)
	plain.do(chromedp.Navigate(s.URL+"/"), chromedp.SendKeys("#query", "区"), chromedp.Submit("#query"), chromedp.WaitReady(".found"))
	if page := plain.text("main"); !strings.Contains(page, "“区”找到") {
		t.Errorf("without scripts: %.200s", page)
	}
}
