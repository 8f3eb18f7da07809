package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
	"taihu/catalog/store"
)

// stewardPage is the desk: what is due, what came back, what readers reported, what
// is under way, which datasets. Each is a few lines and a link to all of it.
type stewardPage struct {
	frame
	Sums     []deskSum
	Sections []deskSection
	Only     string // the section that is shown alone; empty: all in short
	CanMake  bool
	Admin    bool // looks after the portal: the search index too
}

// deskSum is a figure at the top of the desk.
type deskSum struct {
	Words, Figure, Hint, Href string
	Current                   bool
}

// deskSection is one kind of thing on the desk.
type deskSection struct {
	Key, Title, Hint, Empty string
	Total                   int
	All                     string // where the whole list is; empty: this is it
	Previous, Next          string
	Todos                   []todo
	Datasets                []ownDataset
	Table                   bool // it is the table of datasets, with its search
	Text                    string
	Filters                 []link
	Choose                  bool   // rows can be chosen, to be changed together
	Chosen                  bool   // all rows are
	ChooseAll               string // the same page with all rows chosen
}

// todo is one thing that waits for somebody.
type todo struct {
	SealClass, SealZh, SealEn, TitleZh, TitleEn string
	Title                                       catalog.Text
	Href, What, Act                             string
	Note                                        string
	Badge, BadgeWords                           string
}

type draftRow struct {
	Href  string
	State catalog.State
	Badge string
	When  string
}

type ownDataset struct {
	Title     catalog.Text
	Slug      string
	Href      string
	Copy      string
	Edit      string
	Upload    string
	Latest    int
	Frequency string
	Due       string
	Late      string // by how much it is late, in words; empty: it is not
	Open      string
}

// Rows of the desk: of each section in short, and on a page of one alone.
const (
	deskShort = 5
	deskPage  = 50
	// dueSoon is how many days before it is due a dataset comes up on the desk.
	dueSoon = 7
)

var draftStates = []catalog.State{catalog.Uploading, catalog.Checking, catalog.Rejected, catalog.Ready, catalog.InReview, catalog.Returned, catalog.Approved, catalog.Scheduled}

// desk is what one request for the desk works with.
type desk struct {
	*Site
	ctx      context.Context
	actor    catalog.Actor
	lang     string
	now      time.Time
	only     string
	page     int
	datasets map[string]*catalog.Dataset
	drafts   map[catalog.State]int
	query    url.Values
}

// steward shows the desk, or with ?show= one of its sections, page by page.
func (s *Site) steward(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	q := c.Request.URL.Query()
	k := &desk{Site: s, ctx: c.Request.Context(), actor: actor, lang: language(c), now: s.Clock(), only: q.Get("show"), datasets: map[string]*catalog.Dataset{}, query: q}
	k.page, _ = strconv.Atoi(q.Get("page"))
	k.page = max(1, k.page)
	if q.Get("text") != "" {
		k.only = "datasets"
	}
	if _, known := draftSections[k.only]; !known && k.only != "due" && k.only != "feedback" && k.only != "datasets" {
		k.only = ""
	}
	v := stewardPage{frame: s.frame(c, "steward", phrase(k.lang, "数据员工作台", "Steward's desk"))}
	v.NoIndex = true
	v.CanMake = actor.IsSiteAdmin() || len(actor.Roles) > 0
	v.Admin = catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}) == nil
	if k.drafts, err = s.Store.DraftCounts(k.ctx, actor); err != nil {
		return err
	}
	if v.Sums, err = k.sums(); err != nil {
		return err
	}
	for _, section := range []func() (deskSection, error){
		k.due, k.draftSection("returned", catalog.Returned, catalog.Rejected), k.draftSection("ready", catalog.Ready), k.draftSection("review", catalog.InReview, catalog.Approved),
		k.feedback, k.draftSection("scheduled", catalog.Scheduled), k.draftSection("begun", catalog.Uploading, catalog.Checking), k.own,
	} {
		x, err := section()
		if err != nil {
			return err
		}
		switch {
		case x.Key == k.only:
			v.Only, v.Sections = k.only, []deskSection{x}
		case v.Only == "" && (x.Total > 0 || x.Table):
			v.Sections = append(v.Sections, x)
		}
	}
	return s.render(c, http.StatusOK, "steward", v)
}

func (k *desk) say(zh, en string, args ...any) string { return phrase(k.lang, zh, en, args...) }

func (k *desk) at(show string, more ...string) string {
	q := url.Values{"show": {show}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return href(k.lang, withQuery("/steward", q))
}

// sums are the figures: counts alone, so that a desk of thousands is as fast as one of ten.
func (k *desk) sums() ([]deskSum, error) {
	count := func(f store.DatasetFilter) (int, error) {
		f.Mine, f.Limit = true, 1
		_, _, n, err := k.Store.Datasets(k.ctx, k.actor, f)
		return n, err
	}
	today := catalog.DayOf(k.now)
	late, err := count(store.DatasetFilter{DueBefore: today})
	if err != nil {
		return nil, err
	}
	promised, err := count(store.DatasetFilter{Promised: true})
	if err != nil {
		return nil, err
	}
	_, open, err := k.Store.FeedbackList(k.ctx, k.actor, store.FeedbackFilter{Mine: true, States: []catalog.FeedbackState{catalog.FeedbackOpen}, Limit: 1})
	if err != nil {
		return nil, err
	}
	_, overdue, err := k.Store.FeedbackList(k.ctx, k.actor, store.FeedbackFilter{Mine: true, Overdue: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	list := []deskSum{
		{Words: k.say("按时更新", "Updated in time"), Figure: percent(int64(promised-late), int64(promised)), Hint: k.say("承诺了频率的%s个里，%s个晚了", "of %s with a promise, %s are late", number(promised), number(late)), Href: k.at("due")},
		{Words: k.say("退回与未通过", "Returned or rejected"), Figure: number(k.drafts[catalog.Returned] + k.drafts[catalog.Rejected]), Href: k.at("returned")},
		{Words: k.say("可以提交", "Ready to submit"), Figure: number(k.drafts[catalog.Ready]), Href: k.at("ready")},
		{Words: k.say("待审与待发布", "In review or approved"), Figure: number(k.drafts[catalog.InReview] + k.drafts[catalog.Approved]), Href: k.at("review")},
		{Words: k.say("待答复的纠错", "Error reports to answer"), Figure: number(open), Href: k.at("feedback")},
		{Words: k.say("定时发布", "Scheduled"), Figure: number(k.drafts[catalog.Scheduled]), Href: k.at("scheduled")},
	}
	if promised == 0 {
		list[0].Figure, list[0].Hint = "—", k.say("没有承诺了频率的数据集", "no dataset with a promise")
	}
	if overdue > 0 {
		list[4].Hint = k.say("其中%s条逾期", "%s of them overdue", number(overdue))
	}
	for i, show := range []string{"due", "returned", "ready", "review", "feedback", "scheduled"} {
		list[i].Current = k.only == show
	}
	return list, nil
}

// bounds are how many rows of a section are read, and from which on.
func (k *desk) bounds(key string) (limit, skip int) {
	switch k.only {
	case "":
		return deskShort, 0
	case key:
		return deskPage, (k.page - 1) * deskPage
	}
	return 0, 0 // another one is shown
}

// pages links a section to its whole list, or to the pages around this one.
func (k *desk) pages(x *deskSection, shown int, more ...string) {
	if k.only != x.Key {
		if shown < x.Total {
			x.All = k.at(x.Key, more...)
		}
		return
	}
	if k.page > 1 {
		x.Previous = k.at(x.Key, append(more, "page", strconv.Itoa(k.page-1))...)
	}
	if (k.page-1)*deskPage+shown < x.Total && shown > 0 {
		x.Next = k.at(x.Key, append(more, "page", strconv.Itoa(k.page+1))...)
	}
}

// due are the datasets whose next release is late or soon due, the latest ones first.
func (k *desk) due() (deskSection, error) {
	x := deskSection{Key: "due", Title: k.say("该更新的", "Due"), Empty: k.say("没有到期的。", "Nothing is due.")}
	limit, skip := k.bounds(x.Key)
	if limit == 0 {
		return x, nil
	}
	soon := catalog.DayOf(k.now.AddDate(0, 0, dueSoon+1))
	list, _, total, err := k.Store.Datasets(k.ctx, k.actor, store.DatasetFilter{Mine: true, DueBefore: soon, Sort: "updated", Limit: 1000})
	if err != nil {
		return x, err
	}
	slices.SortStableFunc(list, func(a, b catalog.Dataset) int { return strings.Compare(a.NextDue(), b.NextDue()) })
	x.Total, x.Hint = total, k.say("已到期，或%d天内到期", "late, or due within %d days", dueSoon)
	for i := min(skip, len(list)); i < min(skip+limit, len(list)); i++ {
		d := &list[i]
		t := todo{SealClass: "warn", SealZh: "期", SealEn: "Due", TitleZh: "该更新", TitleEn: "Due", Title: d.Title, Href: href(k.lang, "/datasets/"+d.Slug), Act: k.say("上传新版", "Upload")}
		t.Href = href(k.lang, "/steward/datasets/"+d.Slug+"/upload")
		late, today := d.DaysLate(k.now), catalog.DayOf(k.now)
		switch {
		case late > 0:
			t.SealClass, t.Badge, t.BadgeWords = "err", "bad", lateWords(k.lang, late)
		case d.NextDue() == today:
			t.Badge, t.BadgeWords = "due", k.say("今天到期", "due today")
		default:
			t.BadgeWords = k.say("%s到期", "due %s", d.NextDue())
		}
		t.Note = k.say("%s更新；上一版%s，最迟应于%s更新。", "%s; last release %s, next due by %s.", frequencyWords(k.lang, d.Frequency), isoDay(*d.PublishedAt), d.NextDue())
		x.Todos = append(x.Todos, t)
	}
	k.pages(&x, len(x.Todos))
	return x, nil
}

// lateWords say by how many days something is late.
func lateWords(lang string, days int) string {
	if days == 1 {
		return phrase(lang, "晚1天", "1 day late")
	}
	return phrase(lang, "晚%s天", "%s days late", number(days))
}

var draftSections = map[string]struct{ title, empty catalog.Text }{
	"returned":  {catalog.Text{Zh: "退回与未通过", En: "Returned or rejected"}, catalog.Text{Zh: "没有退回的。", En: "Nothing came back."}},
	"ready":     {catalog.Text{Zh: "可以提交", En: "Ready to submit"}, catalog.Text{Zh: "没有等着提交的。", En: "Nothing waits to be submitted."}},
	"review":    {catalog.Text{Zh: "待审与待发布", En: "In review or approved"}, catalog.Text{Zh: "没有待审的。", En: "Nothing is in review."}},
	"scheduled": {catalog.Text{Zh: "定时发布", En: "Scheduled"}, catalog.Text{Zh: "没有定时发布的。", En: "Nothing is scheduled."}},
	"begun":     {catalog.Text{Zh: "没传完的草稿", En: "Drafts just begun"}, catalog.Text{Zh: "没有别的草稿。", En: "There is no other draft."}},
}

// draftSection is the drafts in some states.
func (k *desk) draftSection(key string, states ...catalog.State) func() (deskSection, error) {
	return func() (deskSection, error) {
		words := draftSections[key]
		x := deskSection{Key: key, Title: words.title.In(k.lang), Empty: words.empty.In(k.lang)}
		for _, s := range states {
			x.Total += k.drafts[s]
		}
		limit, skip := k.bounds(key)
		if limit == 0 || x.Total == 0 {
			return x, nil
		}
		drafts, err := k.Store.Drafts(k.ctx, k.actor, store.DraftFilter{States: states, Limit: limit, Skip: skip})
		if err != nil {
			return x, err
		}
		for i := range drafts {
			d, err := k.datasetOf(k.ctx, k.actor, k.datasets, drafts[i].DatasetID)
			if err != nil {
				continue // no longer this reader's
			}
			t := waitsFor(k.lang, k.actor, d, &drafts[i])
			t.Title, t.Href = d.Title, href(k.lang, "/steward/drafts/"+drafts[i].ID)
			x.Todos = append(x.Todos, t)
		}
		k.pages(&x, len(drafts))
		return x, nil
	}
}

// feedback is what readers reported and nobody answered, what is due first coming first.
func (k *desk) feedback() (deskSection, error) {
	x := deskSection{Key: "feedback", Title: k.say("读者纠错", "Error reports"), Hint: k.say("按答复期限排列", "what is due first comes first"), Empty: k.say("没有等着答复的。", "Nothing waits for an answer.")}
	limit, skip := k.bounds(x.Key)
	if limit == 0 {
		return x, nil
	}
	list, total, err := k.Store.FeedbackList(k.ctx, k.actor, store.FeedbackFilter{Mine: true, States: []catalog.FeedbackState{catalog.FeedbackOpen}, Due: true, Limit: limit, Skip: skip})
	if err != nil {
		return x, err
	}
	x.Total = total
	for i := range list {
		f := &list[i]
		v := feedbackViewOf(k.lang, f.Slug, &f.Feedback, k.now)
		t := todo{SealClass: "warn", SealZh: "纠", SealEn: "Rep", TitleZh: "读者纠错", TitleEn: "Error report", Title: f.Title, Href: v.Href, What: k.say("第%d条：%s", "no. %d: %s", f.Number, v.Place), Note: cut(f.Message, 120), Act: k.say("答复", "Answer"), BadgeWords: k.say("最迟%s答复", "answer by %s", f.DueOn)}
		switch {
		case v.Late:
			t.SealClass, t.Badge, t.BadgeWords = "err", "bad", k.say("最迟应于%s答复，已逾期", "was to be answered by %s", f.DueOn)
		case f.DueOn == catalog.DayOf(k.now):
			t.Badge, t.BadgeWords = "due", k.say("今天到期", "due today")
		}
		x.Todos = append(x.Todos, t)
	}
	k.pages(&x, len(list))
	return x, nil
}

// own is the table of datasets, with its search and filters.
func (k *desk) own() (deskSection, error) {
	x := deskSection{Key: "datasets", Title: k.say("我的数据集", "My datasets"), Empty: k.say("没有这样的数据集。", "There is no such dataset."), Table: true, Text: k.query.Get("text")}
	limit, _ := k.bounds(x.Key)
	if limit == 0 {
		return x, nil
	}
	only := k.query.Get("only")
	f := store.DatasetFilter{Mine: true, Text: x.Text, Limit: limit, Sort: "-updated", After: k.query.Get("after")}
	switch only {
	case "late":
		f.DueBefore, f.Sort = catalog.DayOf(k.now), "updated"
	case "empty":
		f.Unpublished = true
	default:
		only = ""
	}
	list, next, total, err := k.Store.Datasets(k.ctx, k.actor, f)
	if err != nil {
		return x, err
	}
	x.Total = total
	for i := range list {
		d := &list[i]
		o := ownDataset{
			Title: d.Title, Slug: d.Slug, Href: href(k.lang, "/datasets/"+d.Slug), Copy: href(k.lang, "/steward/datasets/new?from="+d.Slug), Edit: href(k.lang, "/steward/datasets/"+d.Slug), Upload: href(k.lang, "/steward/datasets/"+d.Slug+"/upload"),
			Latest: d.LatestNumber, Frequency: frequencyWords(k.lang, d.Frequency), Due: d.NextDue(), Open: openWords(k.lang, d.OpenAttribute),
		}
		if n := d.DaysLate(k.now); n > 0 {
			o.Late = lateWords(k.lang, n)
		}
		x.Datasets = append(x.Datasets, o)
	}
	keep := []string{}
	if x.Text != "" {
		keep = append(keep, "text", x.Text)
	}
	if only != "" {
		keep = append(keep, "only", only)
	}
	x.Choose = k.only == x.Key
	if !x.Choose {
		x.All = k.at(x.Key)
	} else {
		if next != "" {
			x.Next = k.at(x.Key, append(slices.Clone(keep), "after", next)...)
		}
		x.Chosen = k.query.Get("all") == "1"
		x.ChooseAll = k.at(x.Key, append(slices.Clone(keep), "after", k.query.Get("after"), "all", "1")...)
	}
	for _, w := range []struct{ only, words string }{{"", k.say("全部", "All")}, {"late", k.say("晚了的", "Late")}, {"empty", k.say("还没有发布的", "Not published yet")}} {
		at := k.at(x.Key)
		if w.only != "" {
			at = k.at(x.Key, "only", w.only)
		}
		x.Filters = append(x.Filters, link{Words: w.words, Href: at, Current: k.only == x.Key && w.only == only && x.Text == ""})
	}
	return x, nil
}

// datasetOf reads each dataset once.
func (s *Site) datasetOf(ctx context.Context, actor catalog.Actor, known map[string]*catalog.Dataset, id string) (*catalog.Dataset, error) {
	if d := known[id]; d != nil {
		return d, nil
	}
	d, err := s.Store.DatasetByID(ctx, actor, id)
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", id, err)
	}
	known[id] = d
	return d, nil
}

// waitsFor says what of a draft waits, and for whom: this actor or somebody else.
func waitsFor(lang string, actor catalog.Actor, d *catalog.Dataset, r *catalog.Release) todo {
	may := catalog.Can(actor, catalog.ReviewDraft, catalog.ObjectOf(d)) == nil
	t := todo{BadgeWords: r.State.Words().In(lang), Badge: stateBadge[r.State], Act: phrase(lang, "打开", "Open")}
	seal := func(class, zh, en, titleZh, titleEn string) {
		t.SealClass, t.SealZh, t.SealEn, t.TitleZh, t.TitleEn = class, zh, en, titleZh, titleEn
	}
	begun := phrase(lang, "建于%s", "begun %s", minute(r.CreatedAt))
	switch r.State {
	case catalog.Rejected:
		seal("err", "错", "Err", "未通过检查", "Rejected")
		t.What, t.Act = phrase(lang, "没有通过检查：看报告里错在哪里", "did not pass the check: the report says where"), phrase(lang, "看报告", "See the report")
	case catalog.Returned:
		seal("del", "退", "Ret", "退回", "Returned")
		t.What, t.Act = phrase(lang, "被退回", "was returned"), phrase(lang, "按意见修改", "Mend it")
		if r.Comment != "" {
			t.Note = phrase(lang, "审核意见：%s", "Comment: %s", r.Comment)
		}
	case catalog.Ready:
		if n := len(r.Unsettled()); n > 0 {
			seal("warn", "定", "Set", "须定", "To settle")
			t.What, t.Act = phrase(lang, "有%d条发现须先定，才能提交", "has %d findings to settle before it can be submitted", n), phrase(lang, "去处理", "Settle them")
			break
		}
		seal("pass", "过", "OK", "通过检查", "Passed")
		t.What, t.Act = phrase(lang, "通过检查，可以提交", "passed the check and can be submitted"), phrase(lang, "看报告，提交", "Report, submit")
	case catalog.InReview:
		seal("warn", "审", "Rev", "待审", "In review")
		t.What, t.Note = phrase(lang, "等审核员审核", "waits for a reviewer"), begun
		if may {
			t.What, t.Act = phrase(lang, "等你审核", "waits for your review"), phrase(lang, "审核", "Review")
		}
	case catalog.Approved:
		seal("pass", "批", "App", "已批准", "Approved")
		t.What = phrase(lang, "已批准，等审核员发布", "is approved; a reviewer will publish it")
		if may {
			t.What, t.Act = phrase(lang, "已批准，可以发布", "is approved and can be published"), phrase(lang, "发布", "Publish")
		}
		if r.Comment != "" { // only one that missed its time has any
			seal("err", "误", "Miss", "到时没有发布", "Not published at its time")
			t.What, t.Note, t.Act = phrase(lang, "到了定时没有发布", "was not published at its time"), r.Comment, phrase(lang, "看原因", "See why")
		}
	case catalog.Scheduled:
		seal("pass", "时", "At", "定时", "Scheduled")
		if r.PublishAt != nil {
			t.What = phrase(lang, "定于%s发布", "is to be published at %s", minute(*r.PublishAt))
		}
	case catalog.Checking:
		seal("", "查", "Chk", "检查中", "Checking")
		t.What, t.Note = phrase(lang, "正在检查", "is being checked"), begun
	default:
		seal("", "传", "Up", "上传中", "Uploading")
		t.What, t.Note, t.Act = phrase(lang, "还没有文件", "has no file yet"), begun, phrase(lang, "接着做，或放弃", "Go on, or abandon")
	}
	return t
}
