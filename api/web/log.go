package web

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

// logPage is the record of a dataset, newest first.
type logPage struct {
	frame
	Dataset      *catalog.Dataset
	Rows         []logRow
	Total        int
	Broken       string // what breaks the chain, if anything does
	Head         string
	Newer, Older string // addresses of the pages before and after
}

type logRow struct {
	Number int64
	At     time.Time
	What   string
	Verb   string
	Who    string
	Draft  string // address of the draft or release it is about
	Facts  []logFact
}

type logFact struct{ Name, Value string }

const logRows = 100

// verbWords says what was done, by the verb of its event.
var verbWords = map[string]catalog.Text{
	"dataset.created": {Zh: "建数据集", En: "Dataset made"}, "dataset.changed": {Zh: "改数据集说明", En: "Description changed"}, "dataset.renamed": {Zh: "换地址", En: "Address changed"},
	"draft.created": {Zh: "开始一版", En: "Draft begun"}, "draft.changed": {Zh: "改版本说明", En: "Notes changed"}, "draft.submitted": {Zh: "提交审核", En: "Submitted"},
	"draft.taken_back": {Zh: "取回", En: "Taken back"}, "draft.returned": {Zh: "退回", En: "Returned"}, "draft.approved": {Zh: "批准", En: "Approved"},
	"draft.scheduled": {Zh: "定时", En: "Scheduled"}, "draft.unscheduled": {Zh: "取消定时", En: "Time taken back"}, "draft.abandoned": {Zh: "放弃", En: "Abandoned"},
	"file.put": {Zh: "给文件", En: "File given"}, "file.checked": {Zh: "检查完", En: "File checked"}, "file.options_set": {Zh: "改读法", En: "Options changed"}, "file.removed": {Zh: "去掉文件", En: "File removed"},
	"findings.settled": {Zh: "处理发现", En: "Findings settled"}, "table.described": {Zh: "写字段说明、约定", En: "Columns described"}, "table.kept": {Zh: "沿用表", En: "Table kept"}, "table.sample_set": {Zh: "设样例", En: "Sample set"},
	"release.published": {Zh: "发布", En: "Published"}, "release.withdrawn": {Zh: "撤回", En: "Withdrawn"}, "release.restored": {Zh: "恢复", En: "Restored"},
	"feedback.sent": {Zh: "读者纠错", En: "Error reported"}, "feedback.looked_at": {Zh: "看过纠错", En: "Report looked at"}, "feedback.answered": {Zh: "答复纠错", En: "Report answered"},
}

// record shows what was done to a dataset and its drafts, for its organization.
func (s *Site) record(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	ctx, lang := c.Request.Context(), language(c)
	d, events, err := s.Store.DatasetEvents(ctx, actor, c.Param("slug"))
	if err != nil {
		return err
	}
	v := &logPage{frame: s.frame(c, "steward", phrase(lang, "记录：%s", "Record: %s", d.Title.In(lang))), Dataset: d, Total: len(events)}
	v.NoIndex = true
	v.Path = "/steward/datasets/" + d.Slug + "/record"
	if err := catalog.CheckChain(events); err != nil {
		v.Broken = err.Error()
	}
	if len(events) > 0 {
		v.Head = events[len(events)-1].Hash
	}
	slices.Reverse(events)
	from, _ := strconv.Atoi(c.Query("from"))
	from = max(0, min(from, len(events)))
	page := events[from:min(len(events), from+logRows)]
	at := func(n int) string {
		return href(lang, withQuery(v.Path, url.Values{"from": {strconv.Itoa(n)}}))
	}
	if from > 0 {
		v.Newer = at(max(0, from-logRows))
	}
	if from+logRows < len(events) {
		v.Older = at(from + logRows)
	}
	var ids []string
	for _, e := range page {
		if !slices.Contains(ids, e.Actor) {
			ids = append(ids, e.Actor)
		}
	}
	names, err := s.Store.UserNames(ctx, ids...)
	if err != nil {
		return err
	}
	for _, e := range page {
		row := logRow{Number: e.Sequence, At: e.At, Verb: e.Verb, What: e.Verb, Who: names[e.Actor], Facts: factsOf(e.Facts)}
		if w, ok := verbWords[e.Verb]; ok {
			row.What = w.In(lang)
		}
		switch {
		case e.Actor == catalog.SystemActor.ID():
			row.Who = phrase(lang, "系统", "the portal")
		case row.Who == "":
			row.Who = e.Actor
		}
		if kind, _, _ := strings.Cut(e.Verb, "."); kind != "dataset" && kind != "feedback" {
			row.Draft = href(lang, "/steward/drafts/"+e.Object)
		}
		v.Rows = append(v.Rows, row)
	}
	return s.render(c, http.StatusOK, "log", v)
}

// factsOf lists what an event says, without what is empty.
func factsOf(raw json.RawMessage) []logFact {
	var facts map[string]json.RawMessage
	if json.Unmarshal(raw, &facts) != nil {
		return []logFact{{Name: "", Value: string(raw)}}
	}
	var list []logFact
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		value := facts[name]
		var text string
		if json.Unmarshal(value, &text) != nil {
			var b bytes.Buffer
			if json.Compact(&b, value) == nil {
				text = b.String()
			}
		}
		if text == "" || text == "{}" || text == "[]" || text == "null" {
			continue
		}
		list = append(list, logFact{name, cut(text, 200)})
	}
	return list
}
