package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/ingest/personal"
	"taihu/catalog/store"
)

// feedbackListPage is what readers say is wrong in a dataset, and the form to say so.
type feedbackListPage struct {
	frame
	Dataset *catalog.Dataset
	Crumbs  []link
	Filters []link
	Rows    []feedbackView
	Total   int
	Next    string
	Action  string
	Form    form
	Release int // that the form is about; 0: none
	Places  []placeGroup
	Many    bool // there are too many columns to choose from
	Days    int
}

// placeGroup is a table to choose, and its columns.
type placeGroup struct {
	Name    string
	Choices []choice
}

// feedbackPage is one of them; for the dataset's stewards with the forms to answer.
type feedbackPage struct {
	frame
	Dataset  *catalog.Dataset
	Crumbs   []link
	Item     feedbackView
	Contact  string
	Personal bool // the words seem to hold personal information
	Answer   bool // this reader may
	Action   string
	Form     form
	States   []choice
	Releases []choice
	Version  int64
}

// feedbackView is a feedback as readers see it.
type feedbackView struct {
	*catalog.Feedback
	Dataset      catalog.Text // where a list is of several
	Href         string
	Place        string
	PlaceHref    string
	Badge        string
	StateWords   string
	Due          string // when it is due, or how it was answered in time
	Late         bool
	Sent         string
	Lines, Reply []string
	MendedHref   string
}

const (
	feedbackPageRows = 20
	feedbackOnPage   = 3   // of them on the dataset's page
	placeColumns     = 400 // columns offered in the form
)

var feedbackBadge = map[catalog.FeedbackState]string{catalog.FeedbackOpen: "due", catalog.FeedbackAnswered: "lake", catalog.FeedbackMended: "ok", catalog.FeedbackRejected: ""}

func feedbackPath(slug string, number int) string {
	return "/datasets/" + slug + "/feedback/" + strconv.Itoa(number)
}

// feedbackFormPath is the form about a place; what is empty is left out.
func feedbackFormPath(lang, slug string, release int, table, column string, row int64, key string) string {
	q := url.Values{}
	if table != "" {
		q.Set("place", table+"/"+column)
	}
	if release > 0 {
		q.Set("release", strconv.Itoa(release))
	}
	if row > 0 {
		q.Set("row", strconv.FormatInt(row, 10))
	}
	if key != "" {
		q.Set("row_key", key)
	}
	return href(lang, withQuery("/datasets/"+slug+"/feedback", q)) + "#send"
}

func feedbackViewOf(lang string, slug string, f *catalog.Feedback, now time.Time) feedbackView {
	v := feedbackView{Feedback: f, Href: href(lang, feedbackPath(slug, f.Number)), Badge: feedbackBadge[f.State], StateWords: f.State.Words().In(lang), Sent: isoDay(f.CreatedAt),
		Lines: strings.Split(f.Message, "\n"), Late: f.Overdue(now)}
	if f.Reply != "" {
		v.Reply = strings.Split(f.Reply, "\n")
	}
	var place []string
	if f.TableName != "" {
		place = append(place, phrase(lang, "表%s", "table %s", f.TableName))
		v.PlaceHref = href(lang, withQuery("/datasets/"+slug+"/tables/"+url.PathEscape(f.TableName), url.Values{"release": {strconv.Itoa(f.ReleaseNumber)}}))
	}
	if f.ColumnName != "" {
		place = append(place, phrase(lang, "列“%s”", "column “%s”", f.ColumnName))
	}
	if f.RowNumber > 0 {
		place = append(place, phrase(lang, "第%s行", "row %s", number(f.RowNumber)))
		v.PlaceHref = href(lang, withQuery("/datasets/"+slug+"/tables/"+url.PathEscape(f.TableName), url.Values{"release": {strconv.Itoa(f.ReleaseNumber)}, "where": {fmt.Sprintf("%s = %d", catalog.RowNumber, f.RowNumber)}}))
	}
	if place == nil {
		place = []string{phrase(lang, "整个数据集", "the dataset as a whole")}
	}
	v.Place = strings.Join(place, phrase(lang, "，", ", "))
	switch {
	case v.Late:
		v.Due = phrase(lang, "最迟应于%s答复，已逾期", "was to be answered by %s", f.DueOn)
	case f.State == catalog.FeedbackOpen:
		v.Due = phrase(lang, "最迟%s答复", "to be answered by %s", f.DueOn)
	case f.ClosedAt != nil && f.InTime():
		v.Due = phrase(lang, "%s答复，按时", "answered %s, in time", isoDay(*f.ClosedAt))
	case f.ClosedAt != nil:
		v.Due = phrase(lang, "%s答复，期限是%s", "answered %s, due %s", isoDay(*f.ClosedAt), f.DueOn)
	}
	if f.MendedBy > 0 {
		v.MendedHref = href(lang, releasePath(slug, f.MendedBy))
	}
	return v
}

// feedbackList shows the list and the form, filled as the address says.
func (s *Site) feedbackList(c *gin.Context) error {
	q := c.Request.URL.Query()
	return s.showFeedbackList(c, http.StatusOK, newForm(url.Values{"place": q["place"], "row": q["row"], "row_key": q["row_key"], "release": q["release"]}))
}

func (s *Site) showFeedbackList(c *gin.Context, status int, f form) error {
	ctx, actor, lang := c.Request.Context(), handle.Actor(c), language(c)
	d, err := s.Store.Dataset(ctx, actor, c.Param("slug"))
	if err != nil {
		return err
	}
	if d.Slug != c.Param("slug") {
		c.Redirect(http.StatusMovedPermanently, href(lang, withQuery("/datasets/"+d.Slug+"/feedback", c.Request.URL.Query())))
		return nil
	}
	base := "/datasets/" + d.Slug + "/feedback"
	v := &feedbackListPage{frame: s.frame(c, "datasets", phrase(lang, "纠错：%s", "Error reports: %s", d.Title.In(lang))), Dataset: d, Action: href(lang, base), Form: f, Days: s.Limits.Feedback.AnswerDays}
	v.NoIndex = true // what strangers write is no way up in a search engine
	v.Forms = []link{{Words: "JSON", Href: "/api/v1" + base}}
	v.Crumbs = []link{{Words: d.Title.In(lang), Href: href(lang, "/datasets/"+d.Slug)}, {Words: phrase(lang, "纠错", "Error reports")}}
	filter := store.FeedbackFilter{Dataset: d.Slug, Limit: feedbackPageRows}
	state := catalog.FeedbackState(c.Query("state"))
	if slices.Contains(catalog.FeedbackStates, state) {
		filter.States = []catalog.FeedbackState{state}
	} else {
		state = ""
	}
	page, _ := strconv.Atoi(c.Query("page"))
	page = max(1, page)
	filter.Skip = (page - 1) * feedbackPageRows
	list, total, err := s.Store.FeedbackList(ctx, actor, filter)
	if err != nil {
		return err
	}
	now := s.Clock()
	for i := range list {
		v.Rows = append(v.Rows, feedbackViewOf(lang, d.Slug, &list[i].Feedback, now))
	}
	v.Total = total
	v.Filters = []link{{Words: phrase(lang, "全部", "All"), Href: href(lang, base), Current: state == ""}}
	for _, x := range catalog.FeedbackStates {
		v.Filters = append(v.Filters, link{Words: x.Words().In(lang), Href: href(lang, base+"?state="+string(x)), Current: state == x})
	}
	if filter.Skip+len(list) < total && len(list) > 0 {
		next := url.Values{"page": {strconv.Itoa(page + 1)}}
		if state != "" {
			next.Set("state", string(state))
		}
		v.Next = href(lang, withQuery(base, next))
	}
	if err := s.feedbackPlaces(c, v); err != nil {
		return err
	}
	return s.render(c, status, "feedback-list", v)
}

// feedbackPlaces offers the tables and columns of the release the form is about.
func (s *Site) feedbackPlaces(c *gin.Context, v *feedbackListPage) error {
	asked, _ := strconv.Atoi(v.Form.Get("release"))
	_, r, err := s.Store.ReleaseFacts(c.Request.Context(), handle.Actor(c), v.Dataset.Slug, max(0, asked))
	if kind := catalog.KindOf(err); kind == catalog.NotFound || kind == catalog.Gone {
		return nil // nothing stands: the form is about the dataset
	}
	if err != nil {
		return err
	}
	v.Release = r.Number
	chosen, columns := v.Form.Get("place"), 0
	for _, t := range r.Tables {
		words := t.Name
		if title := t.Title.In(v.Lang); title != "" && title != t.Name {
			words = title + " (" + t.Name + ")"
		}
		g := placeGroup{Name: words, Choices: []choice{{t.Name + "/", phrase(v.Lang, "整张表%s", "the whole table %s", t.Name), chosen == t.Name+"/"}}}
		for _, f := range t.Schema.Fields {
			value := t.Name + "/" + f.Name
			if columns++; columns > placeColumns && value != chosen {
				v.Many = true
				continue
			}
			g.Choices = append(g.Choices, choice{value, f.Name, value == chosen})
		}
		v.Places = append(v.Places, g)
	}
	return nil
}

// sendFeedback takes the form. Nothing typed is lost where it is refused.
func (s *Site) sendFeedback(c *gin.Context) error {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 64<<10)
	f, err := postedForm(c)
	if err != nil {
		return err
	}
	slug, lang := c.Param("slug"), language(c)
	if f.Get("website") != "" { // a field that people do not see: programs fill in everything
		return seeOther(c, "/datasets/"+url.PathEscape(slug)+"/feedback?done=feedback-sent")
	}
	item := &catalog.Feedback{Message: f.Get("message"), Contact: f.Get("contact"), RowKey: f.Get("row_key")}
	item.TableName, item.ColumnName, _ = strings.Cut(f.Get("place"), "/")
	item.ReleaseNumber, _ = strconv.Atoi(f.Get("release"))
	if row := strings.ReplaceAll(strings.TrimSpace(f.Get("row")), ",", ""); row != "" {
		if item.RowNumber, err = strconv.ParseInt(row, 10, 64); err != nil {
			f.refuse("row", phrase(lang, "行号写成数字，如1284；或者在下一格写出能认出这一行的值。", "Write the row as a number, such as 1284, or what tells it apart in the next field."))
			return s.showFeedbackList(c, http.StatusBadRequest, f)
		}
	}
	err = item.Clean() // what is not sent costs nothing
	if err == nil {
		err = s.FeedbackBudgets.Spend(c)
	}
	if err == nil {
		err = s.Store.SendFeedback(c.Request.Context(), handle.Actor(c), slug, item)
	}
	switch kind := catalog.KindOf(err); {
	case err == nil:
		return seeOther(c, feedbackPath(slug, item.Number)+"?done=feedback-sent")
	case kind == catalog.Invalid || kind == catalog.RateLimited:
		switch field := wrongFieldOf(err); field {
		case "":
			f.General = sentence(lang, err)
		case "table", "column":
			f.refuse("place", sentence(lang, err))
		default:
			f.refuse(field, sentence(lang, err))
		}
		return s.showFeedbackList(c, handle.Status(kind), f)
	}
	return err
}

// feedback shows one report.
func (s *Site) feedback(c *gin.Context) error {
	return s.showFeedback(c, http.StatusOK, nil, nil)
}

// showFeedback shows a report; typed is what a steward typed and err what is wrong
// with it.
func (s *Site) showFeedback(c *gin.Context, status int, typed url.Values, wrong error) error {
	ctx, actor, lang := c.Request.Context(), handle.Actor(c), language(c)
	n, err := strconv.Atoi(c.Param("number"))
	if err != nil || n < 1 {
		return catalog.Errorf(catalog.NotFound, "unknown_feedback", "reports are numbered 1, 2, …; there is no report %q", c.Param("number")).InChinese("纠错按1、2……编号，没有“%s”这一条", c.Param("number"))
	}
	d, f, err := s.Store.Feedback(ctx, actor, c.Param("slug"), n)
	if err != nil {
		return err
	}
	if d.Slug != c.Param("slug") {
		c.Redirect(http.StatusMovedPermanently, href(lang, feedbackPath(d.Slug, n)))
		return nil
	}
	base := "/datasets/" + d.Slug + "/feedback"
	v := &feedbackPage{frame: s.frame(c, "datasets", phrase(lang, "纠错第%d条：%s", "Error report %d: %s", n, d.Title.In(lang))), Dataset: d, Item: feedbackViewOf(lang, d.Slug, f, s.Clock()),
		Contact: f.Contact, Action: href(lang, feedbackPath(d.Slug, n)), Version: f.RowVersion, Personal: personal.Hide(f.Message+"\n"+f.RowKey) != f.Message+"\n"+f.RowKey}
	v.NoIndex = true
	v.Path = feedbackPath(d.Slug, n) // where a refused answer is shown too
	v.Forms = []link{{Words: "JSON", Href: "/api/v1" + feedbackPath(d.Slug, n)}}
	v.Crumbs = []link{{Words: d.Title.In(lang), Href: href(lang, "/datasets/"+d.Slug)}, {Words: phrase(lang, "纠错", "Error reports"), Href: href(lang, base)}, {Words: phrase(lang, "第%d条", "No. %d", n)}}
	if v.Answer = catalog.Can(actor, catalog.AnswerFeedback, catalog.ObjectOf(d)) == nil; v.Answer {
		if typed == nil {
			typed = url.Values{"state": {string(f.State)}, "reply": {f.Reply}, "release": {strconv.Itoa(f.MendedBy)}, "withhold": {f.WordsWhy}}
		}
		v.Form = newForm(typed)
		if err := s.answerChoices(c, v, f); err != nil {
			return err
		}
	}
	if wrong != nil {
		field := wrongFieldOf(wrong)
		switch {
		case catalog.CodeOf(wrong) == "stale_row_version":
			v.Form.General = phrase(lang, "你打开这一页之后，别人答复过它。现在的答复在上面，你填的在下面；再保存一次就以你的为准。", "Somebody answered this after you opened the page. The present answer is above, what you typed below; save again to keep yours.")
		case field == "":
			v.Form.General = sentence(lang, wrong)
		default:
			v.Form.refuse(field, sentence(lang, wrong))
		}
	}
	return s.render(c, status, "feedback", v)
}

// answerChoices are the outcomes, and the releases that may have mended it.
func (s *Site) answerChoices(c *gin.Context, v *feedbackPage, f *catalog.Feedback) error {
	hints := map[catalog.FeedbackState]string{
		catalog.FeedbackAnswered: phrase(v.Lang, "作了说明，或将在以后的版本更正", "explained, or to be mended in a release to come"),
		catalog.FeedbackMended:   phrase(v.Lang, "已发布的一版里改好了", "a published release has it right"),
		catalog.FeedbackRejected: phrase(v.Lang, "数据本来就是对的；在答复里写明依据", "the data are right as they are; say in the reply why"),
	}
	for _, x := range catalog.FeedbackStates[1:] {
		v.States = append(v.States, choice{string(x), x.Words().In(v.Lang) + phrase(v.Lang, "：", ": ") + hints[x], v.Form.Get("state") == string(x)})
	}
	releases, err := s.Store.Releases(c.Request.Context(), handle.Actor(c), v.Dataset.Slug)
	if err != nil {
		return err
	}
	for i := range releases {
		if r := &releases[i]; r.State == catalog.Published && r.Number >= f.ReleaseNumber {
			n := strconv.Itoa(r.Number)
			v.Releases = append(v.Releases, choice{n, phrase(v.Lang, "第%s版", "Release %s", n) + " · " + isoDay(*r.PublishedAt), v.Form.Get("release") == n})
		}
	}
	return nil
}

// changeFeedback answers a report, or shows or withholds its words.
func (s *Site) changeFeedback(c *gin.Context) error {
	actor, f, err := signedForm(c)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(c.Param("number"))
	version, _ := strconv.ParseInt(f.Get("row_version"), 10, 64)
	slug, said := c.Param("slug"), "answered"
	switch c.Param("action") {
	case "answer":
		a := catalog.FeedbackAnswer{State: catalog.FeedbackState(f.Get("state")), Reply: f.Get("reply"), Withhold: f.Get("withhold")}
		a.MendedBy, _ = strconv.Atoi(f.Get("release"))
		_, err = s.Store.AnswerFeedback(c.Request.Context(), actor, slug, n, version, a)
	case "show":
		said = "looked-at"
		_, err = s.Store.ShowFeedback(c.Request.Context(), actor, slug, n, version, f.Get("withhold"))
	default:
		return catalog.Errorf(catalog.NotFound, "not_found", "there is no action %q", c.Param("action")).InChinese("没有“%s”这个操作", c.Param("action"))
	}
	switch kind := catalog.KindOf(err); {
	case err == nil:
		return seeOther(c, feedbackPath(slug, n)+"?done="+said)
	case kind == catalog.Invalid || kind == catalog.PreconditionFailed:
		return s.showFeedback(c, handle.Status(kind), f.Values, err)
	}
	return err
}

// latestFeedback puts the newest reports on the dataset's page.
func (s *Site) latestFeedback(c *gin.Context, v *datasetPage) error {
	list, total, err := s.Store.FeedbackList(c.Request.Context(), handle.Actor(c), store.FeedbackFilter{Dataset: v.Dataset.Slug, Limit: feedbackOnPage})
	if err != nil {
		return err
	}
	now := s.Clock()
	for i := range list {
		v.Feedback = append(v.Feedback, feedbackViewOf(v.Lang, v.Dataset.Slug, &list[i].Feedback, now))
	}
	v.FeedbackTotal = total
	v.FeedbackHref = href(v.Lang, "/datasets/"+v.Dataset.Slug+"/feedback")
	return nil
}

// reportable gives each row of a grid the address at which an error in it is
// reported, with the row's key in words where the table has one.
func (g *grid) reportable(lang, slug string, release int, t *catalog.Table) {
	for i := range g.Rows {
		row := &g.Rows[i]
		var key []string
		for _, name := range t.Schema.Key {
			if k := slices.IndexFunc(g.Columns, func(c column) bool { return c.Name == name }); k >= 0 && k < len(row.Cells) && !row.Cells[k].Null {
				key = append(key, name+"="+row.Cells[k].Text)
			}
		}
		words := ""
		if len(key) == len(t.Schema.Key) {
			words = cut(strings.Join(key, phrase(lang, "，", ", ")), catalog.FeedbackRowKey)
		}
		row.Report = feedbackFormPath(lang, slug, release, t.Name, "", row.No, words)
	}
}
