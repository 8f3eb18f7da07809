package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a page of headless Chromium that remembers what it complained of: a
// breach of the content policy, an exception, a request that failed.
type tab struct {
	t          *testing.T
	ctx        context.Context
	mu         sync.Mutex
	complaints []string
}

// required reports whether TAIHU_REQUIRE asks for what a test needs.
func required(what string) bool {
	return slices.Contains(strings.Split(os.Getenv("TAIHU_REQUIRE"), ","), what)
}

func openTab(t *testing.T, width, height int64, scripts bool) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if required("chromium") {
			t.Fatal("TAIHU_REQUIRE wants chromium, and there is none on PATH")
		}
		t.Skip("SKIPPED: no chromium on PATH; the pages were not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	b := &tab{t: t}
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.ctx = ctx
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	if !scripts {
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *tab) listen(ev any) {
	complaint := ""
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		complaint = "exception: " + e.ExceptionDetails.Text
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			complaint = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if complaint != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, complaint)
		b.mu.Unlock()
	}
}

// quiet fails the test where the page complained since the last time.
func (b *tab) quiet(where string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("%s: %s", where, c)
	}
	b.complaints = nil
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		where, _ := chromedp.Run(b.ctx, chromedp.Location())
		b.t.Fatalf("at %s: %v", where, err)
	}
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.TextContent(selector))
	if err != nil {
		b.t.Fatalf("text of %s: %v", selector, err)
	}
	return s
}

func (b *tab) number(expression string) float64 {
	b.t.Helper()
	n, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return n
}

const hostile = "id,\"<script>alert(1)</script>\",说明\n1,\"<img src=x onerror=alert(1)>\",\"</script><script>alert(2)</script>\"\n2,=cmd|'/C calc'!A0,很长的文字" +
	"很长的文字很长的文字很长的文字很长的文字很长的文字很长的文字很长的文字很长的文字\n"

// TestPagesInTheBrowser opens every kind of page in both languages, wide and on a
// phone, with and without scripts: no complaint, nothing wider than the window.
func TestPagesInTheBrowser(t *testing.T) {
	t.Parallel()
	s := start(t, "serve")
	s.publish("parking-spaces", writeFile(t, "parking.csv", parking))
	s.publish("parking-spaces", writeFile(t, "parking.csv", parking+"0004,新停车场,新吴区,9,1,2023-01-01,\n"))
	s.publish("hostile", writeFile(t, "hostile.csv", hostile))
	s.publish("hostile", writeFile(t, "hostile.csv", strings.ReplaceAll(hostile, "alert", "alarm")+"3,<b>,"+strings.Repeat("x", 300)+"\n"))
	pages := []string{"/", "/datasets", "/datasets?q=停车", "/datasets?q=没有这种东西", "/datasets/parking-spaces", "/datasets/hostile", "/datasets/parking-spaces/releases/1",
		"/datasets/parking-spaces/tables/parking?where=区县 = '梁溪区'&sort=-泊位数", "/datasets/hostile/tables/hostile", "/datasets/parking-spaces/diff/1...2", "/datasets/hostile/diff/1...2?key=id", "/datasets/hostile/diff/2...1", "/datasets/parking-spaces/tables/parking/api",
		"/datasets/parking-spaces/tables/parking/api?where=泊位数 > 9&format=csv", "/datasets/hostile/tables/hostile/api?where=没有 = 1", "/datasets/parking-spaces/feedback", "/datasets/hostile/feedback?place=hostile/", "/organizations", "/organizations/cgj",
		"/docs", "/docs/api", "/docs/grammar", "/docs/findings", "/docs/errors/unknown_column", "/docs/licence", "/sign-in"}
	for _, view := range []struct {
		name    string
		width   int64
		scripts bool
	}{{"wide", 1280, true}, {"phone", 360, true}, {"phone without scripts", 360, false}} {
		t.Run(view.name, func(t *testing.T) {
			b := openTab(t, view.width, 900, view.scripts)
			for _, page := range pages {
				for _, lang := range []string{"", "/en"} {
					address := lang + page
					if page == "/" && lang == "/en" {
						address = "/en/"
					}
					b.do(chromedp.Navigate(s.URL + encodeQuery(address)))
					if h := b.text("h1"); strings.TrimSpace(h) == "" {
						t.Errorf("%s has no heading", address)
					}
					if view.scripts {
						if wide := b.number("document.documentElement.scrollWidth"); wide > float64(view.width) {
							t.Errorf("%s is %v wide in a window of %d", address, wide, view.width)
						}
						if small := b.number("[...document.querySelectorAll('input:not([type=hidden]),select,textarea')].filter(e => !e.labels.length && !e.ariaLabel).length + document.querySelectorAll('img:not([alt])').length"); small > 0 {
							t.Errorf("%s: %v pictures or fields without a name", address, small)
						}
					}
					b.quiet(address)
				}
			}
			b.do(chromedp.Navigate(s.URL + "/datasets/nothing-here"))
			if body := b.text("main"); !strings.Contains(body, "没有") {
				t.Errorf("the page of an unknown dataset: %.200s", body)
			}
		})
	}
}

var passwordLine = regexp.MustCompile(`password\s+(\S+)`)

// TestStewardInTheBrowser: sign in, make a dataset, upload a broken file, mend
// it, publish, and find it as a reader.
func TestStewardInTheBrowser(t *testing.T) {
	s := start(t, "serve")
	if out, code := s.command("import", writeOrganization(t), "--server="+s.URL, "--token="+s.token(), "--organization=sthj"); code != 0 {
		t.Fatal(out)
	}
	password := passwordLine.FindStringSubmatch(s.Out.String())
	if password == nil {
		t.Fatalf("no password in %q", s.Out.String())
	}
	b := openTab(t, 1280, 1000, true)
	b.do(chromedp.Navigate(s.URL+"/sign-in"),
		chromedp.SendKeys("#login", "admin"), chromedp.SendKeys("#password", "wrong"), chromedp.Click("main form .btn.main"), chromedp.WaitVisible(".alert.bad"))
	if body := b.text("main"); !strings.Contains(body, "密码") {
		t.Errorf("a wrong password: %.200s", body)
	}
	b.mu.Lock()
	b.complaints = nil // Chromium reports the 401 of a wrong password
	b.mu.Unlock()
	b.do(chromedp.Navigate(s.URL+"/sign-in"),
		chromedp.SendKeys("#login", "admin"), chromedp.SendKeys("#password", password[1]), chromedp.Click("main form .btn.main"),
		chromedp.WaitReady("form[action$='/sign-out']"), chromedp.Navigate(s.URL+"/steward/datasets/new"),
		chromedp.SendKeys("#title_zh", "空气质量小时数据"), chromedp.SendKeys("#slug", "air-hourly"), chromedp.SendKeys("#keywords", "空气,环境"),
		chromedp.Click("main form .btn.main"), chromedp.WaitVisible("#file"))
	b.quiet("new dataset")

	broken := writeFile(t, "readings.csv", "站点,时间,AQI\n蠡园,2026-11-01 08:00,52\n旺庄,2026-11-01 08:00,61,多一格\n")
	b.do(chromedp.SetUploadFiles("#file", []string{broken}), chromedp.Click("main form .btn.main"), chromedp.WaitVisible(".findings"))
	if report := b.text("main"); !strings.Contains(report, "3") || !strings.Contains(report, "ragged") {
		t.Errorf("the report of a broken file does not name row 3: %.400s", report)
	}
	mended := writeFile(t, "readings.csv", "站点,时间,AQI\n蠡园,2026-11-01 08:00,52\n旺庄,2026-11-01 08:00,61\n")
	b.do(chromedp.SetUploadFiles("#file", []string{mended}), chromedp.Click("form[data-upload] button[type=submit]"),
		chromedp.WaitVisible(".alert.good"), chromedp.Click("form[action$='/publish-now'] button"))
	eventually(t, "published", func() bool {
		status, _, _ := s.get("/data/air-hourly/1/readings.csv")
		return status == 200
	})
	eventually(t, "found", func() bool {
		_, _, body := s.get("/datasets?q=空气质量")
		return strings.Contains(string(body), "/datasets/air-hourly")
	})
	b.do(chromedp.Navigate(s.URL + "/datasets/air-hourly"))
	if page := b.text("main"); !strings.Contains(page, "空气质量小时数据") || !strings.Contains(page, "旺庄") {
		t.Errorf("the dataset's page lacks title or rows: %.400s", page)
	}
	b.quiet("dataset page")
}

// writeOrganization makes a folder whose import creates an organization.
func writeOrganization(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"datapackage.json": `{"name":"stations","title":"站点","resources":[{"path":"stations.csv"}]}`,
		"stations.csv":     "站点,区县\n蠡园,滨湖区\n",
	} {
		if err := os.WriteFile(fmt.Sprintf("%s/%s", dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
