package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/indexer"
)

// indexPage shows who administers the portal how the search index is: whether it
// answers, how far it is behind, what failed.
type indexPage struct {
	frame
	State  string
	Alerts []indexAlert
	Sums   []deskSum
	Checks []deskSum
	Failed []failedJob
}

type indexAlert struct{ Class, Title, Words string }

type failedJob struct {
	ID       string
	Dataset  string // id, where it is no longer there
	Title    catalog.Text
	Href     string
	At       time.Time
	Attempts int
	Why      string
}

// lagWarning is how long an index job may wait before the page calls it late.
const lagWarning = time.Minute

func (s *Site) indexHealth(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	ctx, lang := c.Request.Context(), language(c)
	backlog, err := s.Store.JobBacklog(ctx, actor, catalog.JobIndex)
	if err != nil {
		return err
	}
	stats, err := s.Store.Stats(ctx)
	if err != nil {
		return err
	}
	v := indexPage{frame: s.frame(c, "steward", phrase(lang, "搜索索引", "Search index"))}
	v.NoIndex = true
	documents := int64(-1)
	if found, err := s.Index.Search(ctx, indexer.Query{Limit: -1}); err == nil {
		documents = int64(found.Total)
	}
	var h indexer.Health // after the search, which may be what shows that it does not answer
	if s.IndexHealth != nil {
		h = s.IndexHealth()
	}
	v.describe(lang, &h, documents, stats.Datasets, backlog, s.Clock())
	if v.Failed, err = s.failedJobs(c, actor, backlog.Failed); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "index-health", v)
}

// describe writes the figures of the page.
func (v *indexPage) describe(lang string, h *indexer.Health, documents, datasets int64, backlog store.Backlog, now time.Time) {
	say := func(zh, en string, args ...any) string { return phrase(lang, zh, en, args...) }
	at := func(t time.Time) string {
		if t.IsZero() {
			return say("还没有", "not yet")
		}
		return minute(t)
	}
	milliseconds := func(d time.Duration) string { return say("%.1f毫秒", "%.1f ms", float64(d.Microseconds())/1000) }
	v.State = say("搜索引擎：%s。它是目录的副本，坏了可以重建，数据不受影响。", "Search engine: %s. It is a copy of the catalogue: it can be made anew, and no data depend on it.", engineWords(lang, h.Engine))
	if h.Away || documents < 0 {
		since := ""
		if h.Away {
			since = say("，自%s起", ", since %s", minute(h.Since))
		}
		v.Alerts = append(v.Alerts, indexAlert{"bad", say("搜索引擎没有应答%s", "The search engine does not answer%s", since),
			say("页面和接口改从数据库列出数据集，并说明搜索暂停。它一恢复，缺的会自动补上。", "Pages and the API list datasets from the database meanwhile and say so. What it misses is made up for as soon as it answers again.") + " " + h.LastError})
	}
	lag := time.Duration(0)
	if !backlog.Oldest.IsZero() {
		lag = max(now.Sub(backlog.Oldest), 0).Round(time.Second)
	}
	if lag > lagWarning {
		v.Alerts = append(v.Alerts, indexAlert{"warn", say("搜索落后%s", "Search is %s behind", lag), say("最早的一项改动已等了这么久。", "The oldest change has waited that long.")})
	}
	if h.DriftError != "" {
		v.Alerts = append(v.Alerts, indexAlert{"warn", say("最近一次核对没有做完", "The last check did not come to its end"), h.DriftError})
	}
	if h.CanaryError != "" {
		v.Alerts = append(v.Alerts, indexAlert{"warn", say("试写试搜失败", "A document written as a trial was not found"), h.CanaryError})
	}
	count := say("不明", "unknown")
	if documents >= 0 {
		count = number(documents)
	}
	v.Sums = []deskSum{
		{Words: say("索引里的数据集", "Datasets in the index"), Figure: count, Hint: say("目录里%s个", "%s in the catalogue", number(datasets))},
		{Words: say("落后", "Behind"), Figure: lag.String(), Hint: say("%d项改动在等", "%d changes wait", backlog.Waiting)},
		{Words: say("失败的任务", "Failed jobs"), Figure: number(int64(len(backlog.Failed)))},
		{Words: say("搜索用时", "Time of a search"), Figure: milliseconds(h.P50), Hint: say("99%%的在%s内；共%s次", "99 %% within %s; %s in all", milliseconds(h.P99), number(h.Searches))},
	}
	drift := say("目录%s个，缺%d、旧%d、多%d，已修好", "%s datasets; missing %d, stale %d, too many %d: mended", number(int64(h.Drift.Checked)), h.Drift.Missing, h.Drift.Stale, h.Drift.Extra)
	if h.DriftAt.IsZero() {
		drift = ""
	} else if h.Drift.Repaired() == 0 {
		drift = say("目录%s个，全部一致", "%s datasets, all the same", number(int64(h.Drift.Checked)))
	}
	canary := ""
	if h.Canary > 0 {
		canary = say("写入、搜到、删去用了%s", "written, found and removed in %s", milliseconds(h.Canary))
	}
	v.Checks = []deskSum{
		{Words: say("与目录核对", "Compared with the catalogue"), Figure: at(h.DriftAt), Hint: drift},
		{Words: say("试写试搜", "Trial document"), Figure: at(h.CanaryAt), Hint: canary},
		{Words: say("最近的改动", "Last change"), Figure: at(h.Changed)},
		{Words: say("没有应答", "Not answered"), Figure: say("%s次", "%s times", number(h.Failures)), Hint: h.LastError},
	}
}

func engineWords(lang, engine string) string {
	if engine == "embedded" {
		return phrase(lang, "内嵌", "embedded")
	}
	return engine
}

func (s *Site) failedJobs(c *gin.Context, actor catalog.Actor, jobs []catalog.Job) ([]failedJob, error) {
	var list []failedJob
	for _, j := range jobs {
		var args catalog.IndexArgs
		if err := json.Unmarshal(j.Args, &args); err != nil {
			return nil, err
		}
		f := failedJob{ID: j.ID, Dataset: args.DatasetID, At: j.CreatedAt, Attempts: j.Attempt, Why: j.Error}
		if j.DoneAt != nil {
			f.At = *j.DoneAt
		}
		found, _, _, err := s.Store.Datasets(c.Request.Context(), actor, store.DatasetFilter{IDs: []string{args.DatasetID}, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(found) == 1 {
			f.Title, f.Href = found[0].Title, href(language(c), "/datasets/"+found[0].Slug)
		}
		list = append(list, f)
	}
	return list, nil
}

// retryIndexJob has a failed job run again.
func (s *Site) retryIndexJob(c *gin.Context) error {
	actor, f, err := signedForm(c)
	if err != nil {
		return err
	}
	if err := s.Store.RetryJob(c.Request.Context(), actor, f.Get("job")); err != nil {
		return err
	}
	return seeOther(c, "/steward/index?done=job-retried")
}
