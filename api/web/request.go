package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
)

// requestPage is the form by which a reader asks for data that the portal does not have.
type requestPage struct {
	frame
	Crumbs []link
	Form   form
	Action string
}

func (s *Site) requestForm(c *gin.Context) error {
	return s.showRequestForm(c, http.StatusOK, newForm(url.Values{"wanted": {c.Query("q")}, "searched": {c.Query("q")}}))
}

func (s *Site) showRequestForm(c *gin.Context, status int, f form) error {
	lang := language(c)
	v := &requestPage{frame: s.frame(c, "datasets", phrase(lang, "提数据需求", "Request data")), Form: f, Action: href(lang, "/request-data")}
	v.NoIndex = true
	v.Crumbs = []link{{Words: phrase(lang, "数据集", "Datasets"), Href: href(lang, "/datasets")}, {Words: v.Title}}
	return s.render(c, status, "request", v)
}

// sendRequest takes the form. Nothing typed is lost where it is refused.
func (s *Site) sendRequest(c *gin.Context) error {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 64<<10)
	f, err := postedForm(c)
	if err != nil {
		return err
	}
	const sent = "/request-data?done=request-sent"
	if f.Get("website") != "" { // a field that people do not see: programs fill in everything
		return seeOther(c, sent)
	}
	r := &catalog.DataRequest{Wanted: f.Get("wanted"), Purpose: f.Get("purpose"), Contact: f.Get("contact"), Searched: f.Get("searched")}
	err = r.Clean() // what is not sent costs nothing
	if err == nil {
		err = s.FeedbackBudgets.Spend(c)
	}
	if err == nil {
		err = s.Store.SendDataRequest(c.Request.Context(), handle.Actor(c), r)
	}
	switch kind := catalog.KindOf(err); {
	case err == nil:
		return seeOther(c, sent)
	case kind == catalog.Invalid || kind == catalog.RateLimited:
		if field := wrongFieldOf(err); field != "" {
			f.refuse(field, sentence(language(c), err))
		} else {
			f.General = sentence(language(c), err)
		}
		return s.showRequestForm(c, handle.Status(kind), f)
	}
	return err
}

// searchDeskPage is what stewards see of searches: what readers ask for, and what they
// searched for in vain.
type searchDeskPage struct {
	frame
	Crumbs   []link
	Requests []requestView
	Open     int
	Orders   []link
	Empty    []emptySearchView
	Total    int
	Form     form

	Synonyms string
	Groups   int
	Version  int64
	CanEdit  bool
}

type requestView struct {
	catalog.DataRequest
	Lines, PurposeLines []string
	Sent, Closed        string
	Note                string
	Action              string
}

type emptySearchView struct {
	catalog.EmptySearch
	Href, First, Last string
}

// Rows of the page.
const (
	requestRows     = 200
	emptySearchRows = 200
)

func (s *Site) searchDesk(c *gin.Context) error {
	if _, err := signedIn(c); err != nil {
		return err
	}
	return s.showSearchDesk(c, http.StatusOK, newForm(nil))
}

func (s *Site) showSearchDesk(c *gin.Context, status int, f form) error {
	ctx, actor, lang := c.Request.Context(), handle.Actor(c), language(c)
	v := &searchDeskPage{frame: s.frame(c, "steward", phrase(lang, "搜索与需求", "Searches and requests")), Form: f}
	v.NoIndex = true
	v.Path = "/steward/search" // where a refused form is shown too
	v.Crumbs = []link{{Words: phrase(lang, "数据员工作台", "Steward's desk"), Href: href(lang, "/steward")}, {Words: v.Title}}
	requests, open, err := s.Store.DataRequests(ctx, actor, requestRows)
	if err != nil {
		return err
	}
	v.Open = open
	for _, r := range requests {
		w := requestView{DataRequest: r, Lines: strings.Split(r.Wanted, "\n"), Sent: isoDay(r.CreatedAt), Action: href(lang, "/steward/search/requests/"+r.ID+"/close"), Note: r.Note}
		if r.Purpose != "" {
			w.PurposeLines = strings.Split(r.Purpose, "\n")
		}
		if r.ClosedAt != nil {
			w.Closed = isoDay(*r.ClosedAt)
		}
		v.Requests = append(v.Requests, w)
	}
	late := c.Query("show") == "late"
	v.Orders = []link{{Words: phrase(lang, "次数最多", "Most frequent"), Href: href(lang, "/steward/search#empty"), Current: !late}, {Words: phrase(lang, "最近", "Of late"), Href: href(lang, "/steward/search?show=late#empty"), Current: late}}
	var empty []catalog.EmptySearch
	if empty, v.Total, err = s.Store.EmptySearches(ctx, actor, late, emptySearchRows); err != nil {
		return err
	}
	for _, e := range empty {
		v.Empty = append(v.Empty, emptySearchView{e, href(lang, "/datasets?q="+url.QueryEscape(e.Text)), isoDay(e.FirstAt), isoDay(e.LastAt)})
	}
	if err := s.synonymForm(c, v, actor); err != nil {
		return err
	}
	return s.render(c, status, "search-desk", v)
}

func (s *Site) closeRequest(c *gin.Context) error {
	actor, f, err := signedForm(c)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(f.Get("row_version"), 10, 64)
	if err := s.Store.CloseDataRequest(c.Request.Context(), actor, c.Param("id"), version, f.Get("note")); err != nil {
		return s.searchDeskAgain(c, f, err)
	}
	return seeOther(c, "/steward/search?done=request-closed")
}

// searchDeskAgain shows the page with what is wrong with a form of it.
func (s *Site) searchDeskAgain(c *gin.Context, f form, err error) error {
	lang := language(c)
	switch kind := catalog.KindOf(err); {
	case kind == catalog.PreconditionFailed:
		f.General = phrase(lang, "你打开这一页之后，别人改过。下面是现在的内容。", "Somebody changed this after you opened the page. Below is what is there now.")
	case kind == catalog.Invalid:
		f.General = sentence(lang, err)
	default:
		return err
	}
	return s.showSearchDesk(c, handle.Status(catalog.KindOf(err)), f)
}
