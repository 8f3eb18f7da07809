package web

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/indexer"
)

// searchPage is the list of datasets: found, narrowed or simply all.
type searchPage struct {
	frame
	Text     string
	Total    int
	Results  []result
	Facets   []facetView
	Chosen   []link // chips; each takes its own condition away
	ClearAll string
	Sorts    []link
	Pages    []link
	Down     bool     // the search engine does not answer
	Nothing  *nothing // nothing was found; nil: something, or the engine is down
	Spelling string   // as which the words were found, where nothing has them as they are
}

// result is one dataset found, with what the store knows of it.
type result struct {
	Title, Summary []indexer.Segment
	TitleLang      string
	Href           string
	Publisher      catalog.Text
	PublisherHref  string
	Themes         []string
	Open           string
	Conditional    bool
	Columns        []string
	Values         []string
	Capacity       equation
	HasData        bool
	DataDate       string
	Frequency      string
	Formats        string
	Simulated      bool
}

const (
	resultsPerPage = 20
	lastPage       = indexer.MaxOffset / resultsPerPage
)

var sortWords = map[string]catalog.Text{
	"relevance": {Zh: "相关", En: "Relevance"}, "-updated": {Zh: "最近更新", En: "Newest"}, "-downloads": {Zh: "下载最多", En: "Most downloads"}, "-size": {Zh: "数据最多", En: "Largest"}, "title": {Zh: "标题", En: "Title"},
}

// asked is what a search address says. Pages ignore keys and values they do not
// know, so that old addresses go on working.
type asked struct {
	text   string
	filter map[string][]string
	sort   string
	page   int
}

func readSearch(q url.Values) asked {
	a := asked{text: strings.TrimSpace(q.Get("q")), filter: map[string][]string{}, page: 1}
	for _, f := range indexer.Facets {
		for _, v := range strings.Split(strings.Join(q[f], ","), ",") {
			if v = strings.TrimSpace(v); v != "" && !slices.Contains(a.filter[f], v) {
				a.filter[f] = append(a.filter[f], v)
			}
		}
	}
	if s := q.Get("sort"); slices.Contains(indexer.Sorts, s) {
		a.sort = s
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		a.page = min(n, lastPage)
	}
	if len([]rune(a.text)) > 200 {
		a.text = string([]rune(a.text)[:200])
	}
	return a
}

// query is what the index is asked.
func (a asked) query(lang string) indexer.Query {
	filter := maps.Clone(a.filter)
	if list := filter["updated"]; list != nil {
		filter["updated"] = indexer.Months(list)
	}
	return indexer.Query{Text: a.text, Filter: filter, Sort: a.sort, Offset: (a.page - 1) * resultsPerPage, Limit: resultsPerPage, Facets: true, Lang: lang}
}

// address is the search with some change made to it.
func (a asked) address(change func(*asked)) string {
	b := a
	b.filter = map[string][]string{}
	for k, v := range a.filter {
		b.filter[k] = slices.Clone(v)
	}
	change(&b)
	q := url.Values{}
	if b.text != "" {
		q.Set("q", b.text)
	}
	for k, v := range b.filter {
		if len(v) > 0 {
			q.Set(k, strings.Join(v, ","))
		}
	}
	if b.sort != "" {
		q.Set("sort", b.sort)
	}
	if b.page > 1 {
		q.Set("page", strconv.Itoa(b.page))
	}
	return withQuery("/datasets", q)
}

// searchAnswer is what the page of a search comes to.
type searchAnswer struct {
	body     []byte
	to       string // another address: that page is not there
	inVain   bool   // a search that found nothing
	unstable bool   // nothing to be kept
}

func (s *Site) search(c *gin.Context) error {
	theme, size := display(c)
	key := strings.Join([]string{"page", c.Request.URL.Path, c.Request.URL.RawQuery, theme, size}, "\x00")
	kept, err := s.Kept(c.Request.Context(), handle.Actor(c), key, func() (any, int64, error) {
		answer, err := s.answerSearch(c)
		if err != nil || answer.unstable {
			return answer, 0, err
		}
		return answer, int64(len(answer.body)), nil
	})
	if err != nil {
		return err
	}
	answer := kept.(*searchAnswer)
	if answer.to != "" {
		return seeOther(c, answer.to)
	}
	if answer.inVain {
		s.noteEmptySearch(c, readSearch(c.Request.URL.Query()).text)
	}
	send(c, http.StatusOK, answer.body, false)
	return nil
}

func (s *Site) answerSearch(c *gin.Context) (*searchAnswer, error) {
	ctx, lang := c.Request.Context(), language(c)
	a := readSearch(c.Request.URL.Query())
	v := searchPage{frame: s.frame(c, "datasets", phrase(lang, "数据集", "Datasets")), Text: a.text}
	v.Search = a.text
	if a.text != "" {
		v.Title = phrase(lang, "搜索“%s”", "Search for “%s”", a.text)
		v.NoIndex = true
	}
	v.Forms = []link{{Words: "JSON", Href: "/api/v1" + a.address(func(b *asked) { b.page = 1 })}}
	publishers, err := s.publishers(ctx)
	if err != nil {
		return nil, err
	}
	answer := &searchAnswer{}
	found, err := s.Index.Search(ctx, a.query(lang))
	if err == nil {
		if last := lastOf(found.Total); a.page > last { // the list grew shorter: not "no dataset fits"
			return &searchAnswer{to: a.address(func(b *asked) { b.page = last }), unstable: true}, nil
		}
		err = s.fillSearch(c, &v, answer, a, found, publishers)
	}
	if catalog.KindOf(err) == catalog.Unavailable {
		answer.unstable = true
		err = s.searchWithout(c, a, &v, publishers)
	}
	if err != nil {
		return nil, err
	}
	answer.body, err = s.execute(lang, "search", v)
	return answer, err
}

// fillSearch fills the page with what was found, or with what comes near.
func (s *Site) fillSearch(c *gin.Context, v *searchPage, answer *searchAnswer, a asked, found indexer.Result, publishers map[string]catalog.Organization) (err error) {
	lang := language(c)
	v.Total, v.Spelling = found.Total, found.Spelling
	if v.Results, err = s.resultsOf(c, found.Hits, publishers); err != nil {
		return err
	}
	s.facets(v, a, found.Facets, publishers, lang)
	if found.Total > 0 {
		v.Sorts = sorts(a, lang)
	}
	v.Pages = pages(a, found.Total, lang)
	if found.Total == 0 {
		answer.inVain, err = s.comesNear(c, v, a, found, publishers)
	}
	return err
}

// searchWithout lists datasets by the store alone while the engine is down:
// title and address are matched, newest first, without counts.
func (s *Site) searchWithout(c *gin.Context, a asked, v *searchPage, publishers map[string]catalog.Organization) error {
	lang := language(c)
	v.Down, v.Facets = true, nil
	f := store.DatasetFilter{Published: true, Text: a.text, Limit: resultsPerPage, Sort: "-updated", After: c.Query("after")}
	if len(a.filter["organization"]) > 0 {
		f.Organization = a.filter["organization"][0]
	}
	list, next, total, err := s.Store.Datasets(c.Request.Context(), handle.Actor(c), f)
	if err != nil {
		return err
	}
	v.Total = total
	for i := range list {
		d := &list[i]
		v.Results = append(v.Results, s.result(c, d, publishers, lang))
	}
	if next != "" {
		q := url.Values{"after": {next}}
		if a.text != "" {
			q.Set("q", a.text)
		}
		v.Pages = []link{{Words: phrase(lang, "后面的", "Next"), Href: href(lang, withQuery("/datasets", q))}}
	}
	return nil
}

// resultsOf reads the hits again from the store, all at once: what is not everybody's to
// see, or is gone, is left out whatever the index says.
func (s *Site) resultsOf(c *gin.Context, hits []indexer.Hit, publishers map[string]catalog.Organization) ([]result, error) {
	if len(hits) == 0 {
		return nil, nil
	}
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	list, err := s.Store.Catalogue(c.Request.Context(), store.CatalogueFilter{IDs: ids, Limit: len(ids)})
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*store.CatalogueEntry, len(list))
	for i := range list {
		byID[list[i].Dataset.ID] = &list[i]
	}
	var out []result
	for i := range hits {
		e := byID[hits[i].ID]
		if e == nil || e.Release == nil {
			continue
		}
		r := describe(language(c), e.Dataset, &hits[i], publishers)
		sum := equation{Columns: e.Columns}
		for k := range e.Release.Tables {
			sum.Rows += e.Release.Tables[k].Rows
		}
		r.addRelease(language(c), e.Dataset, e.Release, sum)
		out = append(out, r)
	}
	return out, nil
}

// result is a dataset with its newest release, where nothing was searched for.
func (s *Site) result(c *gin.Context, d *catalog.Dataset, publishers map[string]catalog.Organization, lang string) result {
	r := describe(lang, d, nil, publishers)
	if _, release, err := s.Store.Release(c.Request.Context(), handle.Actor(c), d.Slug, 0); err == nil {
		r.addRelease(lang, d, release, capacity(release.Tables))
	}
	return r
}

// describe joins a hit, nil where there is none, with its dataset.
func describe(lang string, d *catalog.Dataset, h *indexer.Hit, publishers map[string]catalog.Organization) result {
	o := publishers[d.OrganizationID]
	r := result{
		Title: []indexer.Segment{{Text: d.Title.In(lang)}}, Summary: []indexer.Segment{{Text: plainText(d.Description.In(lang), 140)}},
		Href: href(lang, "/datasets/"+d.Slug), Publisher: o.Name, PublisherHref: href(lang, "/organizations/"+o.Slug), Open: openWords(lang, d.OpenAttribute),
		Conditional: d.OpenAttribute != catalog.Unconditional, Frequency: frequencyWords(lang, d.Frequency), Simulated: d.Simulated,
	}
	if shown := shownLang(lang, d.Title); shown != lang {
		r.TitleLang = htmlLang(shown)
	}
	for _, t := range d.Themes {
		r.Themes = append(r.Themes, catalog.ThemeName(t).In(lang))
	}
	if h != nil {
		if indexer.Plain(h.Title) == d.Title.In(lang) { // the index may be a moment behind
			r.Title = h.Title
		}
		if len(h.Description) > 0 {
			r.Summary = passage(h.Description, d.Description)
		}
		r.Columns = h.Columns
		if d.OpenAttribute == catalog.Unconditional { // whatever the index still says
			r.Values = h.Values
		}
	}
	return r
}

// addRelease says what the newest release has.
func (r *result) addRelease(lang string, d *catalog.Dataset, release *catalog.Release, sum equation) {
	r.Capacity, r.HasData, r.DataDate = sum, len(release.Tables) > 0, release.DataDate
	switch {
	case d.OpenAttribute != catalog.Unconditional:
		r.Formats = phrase(lang, "申请后提供", "on application")
	case r.HasData:
		r.Formats = "CSV XLSX JSON Parquet"
	default:
		r.Formats = phrase(lang, "%d个文件", "%d files", len(release.Files))
	}
}

// passage is a hit's part of a description, with an ellipsis where the
// description goes on and without half a Latin word at its end. The part may be
// in either language; where it is in neither (the index is a moment behind) it
// stays as it is.
func passage(segments []indexer.Segment, description catalog.Text) []indexer.Segment {
	part := strings.Join(strings.Fields(indexer.Plain(segments)), " ")
	for _, text := range []string{description.Zh, description.En} {
		whole := plainText(text, math.MaxInt)
		at := strings.Index(whole, part)
		if part == "" || at < 0 {
			continue
		}
		out := slices.Clone(segments)
		if rest := whole[at+len(part):]; rest != "" {
			last := &out[len(out)-1]
			if space := strings.LastIndexByte(last.Text, ' '); space > 0 && !last.Hit && isLatin(rest[0]) && isLatin(last.Text[len(last.Text)-1]) {
				last.Text = last.Text[:space]
			}
			if !last.Hit {
				last.Text = strings.TrimRight(last.Text, " ，、,;；")
			}
			out = append(out, indexer.Segment{Text: "…"})
		}
		if at > 0 {
			out = slices.Insert(out, 0, indexer.Segment{Text: "…"})
		}
		return out
	}
	return segments
}

func isLatin(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' || '0' <= b && b <= '9' }

func sorts(a asked, lang string) []link {
	current := a.sort
	if current == "" {
		current = "-updated"
		if a.text != "" {
			current = "relevance"
		}
	}
	var out []link
	for _, s := range []string{"relevance", "-updated", "-downloads", "-size", "title"} {
		if s == "relevance" && a.text == "" {
			continue
		}
		out = append(out, link{Words: sortWords[s].In(lang), Current: s == current, Href: href(lang, a.address(func(b *asked) { b.sort, b.page = s, 1 }))})
	}
	return out
}

// lastOf is the last page of a list of total datasets; an empty list has one.
func lastOf(total int) int {
	return max(1, min((total+resultsPerPage-1)/resultsPerPage, lastPage))
}

// pages lists the pages around the current one.
func pages(a asked, total int, lang string) []link {
	last := lastOf(total)
	if last < 2 {
		return nil
	}
	to := func(n int) string { return href(lang, a.address(func(b *asked) { b.page = n })) }
	var out []link
	if a.page > 1 {
		out = append(out, link{Words: phrase(lang, "前一页", "Previous"), Href: to(a.page - 1)})
	}
	for n := max(1, a.page-3); n <= min(last, a.page+3); n++ {
		out = append(out, link{Words: fmt.Sprint(n), Href: to(n), Current: n == a.page})
	}
	if a.page < last {
		out = append(out, link{Words: phrase(lang, "后一页", "Next"), Href: to(a.page + 1)})
	}
	return out
}
