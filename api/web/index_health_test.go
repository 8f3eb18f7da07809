package web

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/indexer"
)

func TestIndexPage(t *testing.T) {
	p := newPortal(t)
	p.publish("lots", catalog.Unconditional)
	p.index.hits = []indexer.Hit{{Slug: "lots"}}
	noon := time.Date(2026, 11, 26, 4, 0, 0, 0, time.UTC)
	health := indexer.Health{Engine: "Meilisearch", Searches: 1234, P50: 2500 * time.Microsecond, P99: 48 * time.Millisecond, Drift: indexer.Report{Checked: 7, Missing: 2},
		DriftAt: noon, Canary: 12 * time.Millisecond, CanaryAt: noon, Changed: noon}
	p.site.IndexHealth = func() indexer.Health { return health }

	p.get("/steward/index", 303)
	p.actor = p.admin()
	wants(t, p.get("/en/steward", 200), `href="/en/steward/index"`)
	page := p.get("/en/steward/index", 200)
	wants(t, page, "Meilisearch", "2.5 ms", "99 % within 48.0 ms; 1,234 in all", "7 datasets; missing 2, stale 0, too many 0: mended", "written, found and removed in 12.0 ms", "2026-11-26 12:00", "1 changes wait", "None.")
	if strings.Contains(page, `class="alert`) {
		t.Error("a healthy index has an alert")
	}
	p.site.Clock = func() time.Time { return catalog.Now().Add(3 * time.Minute) }
	wants(t, p.get("/steward/index", 200), "搜索落后3m")

	// down, with a job that was given up
	p.index.fails = catalog.Errorf(catalog.Unavailable, "search_unavailable", "down")
	health.Away, health.Since, health.LastError, health.CanaryError, health.DriftError = true, noon, "connection <refused>", "no canary", "no drift"
	for range catalog.JobAttempts[catalog.JobIndex] {
		j, err := p.db.Lease(t.Context(), "w", []string{catalog.JobIndex}, time.Minute)
		must(t, err)
		must(t, p.db.Fail(t.Context(), j, "the server is <away>", time.Now().Add(-time.Hour)))
	}
	page = p.get("/steward/index", 200)
	wants(t, page, "搜索引擎没有应答，自2026-11-26 12:00起", "connection &lt;refused&gt;", "no canary", "no drift", "the server is &lt;away&gt;", `href="/datasets/lots"`, "不明")
	job := regexp.MustCompile(`name="job" value="([^"]+)"`).FindStringSubmatch(page)[1]
	wants(t, p.post("/steward/index/retry", url.Values{"job": {"none"}}, 404), "404")
	if to := p.post("/steward/index/retry", url.Values{"job": {job}}, 303); to != "/steward/index?done=job-retried" {
		t.Errorf("it leads to %s", to)
	}
	wants(t, p.get("/steward/index?done=job-retried", 200), "已让它再做一次", "没有。")
	j, err := p.db.Lease(t.Context(), "w", []string{catalog.JobIndex}, time.Minute)
	if must(t, err); j == nil || j.ID != job {
		t.Errorf("the job does not run again: %+v", j)
	}

	newSteward := store.NewUser{Login: "li", Name: "李"}
	_, err = p.db.CreateUser(t.Context(), catalog.SystemActor, newSteward)
	must(t, err)
	must(t, p.db.SetMembership(t.Context(), catalog.SystemActor, newSteward.Login, "cgj", catalog.Admin))
	u, err := p.db.UserByLogin(t.Context(), newSteward.Login)
	must(t, err)
	p.actor, err = p.db.ActorOf(t.Context(), u.ID)
	must(t, err)
	p.get("/steward/index", 403)
	p.post("/steward/index/retry", url.Values{"job": {job}}, 403)
	if strings.Contains(p.get("/steward", 200), "/steward/index") {
		t.Error("the desk of an organization links to the portal's index")
	}
}
