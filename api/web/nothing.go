package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
	"taihu/catalog/ingest/personal"
	"taihu/indexer"
)

// nothing is what the page of a search that found nothing offers instead.
type nothing struct {
	Meant   *link // the same search spelt otherwise
	How     string
	Results []result
	Total   int
	All     string // the search that finds them all, where an address can say it
	Themes  []themeCount
	Request string // where data are asked for
}

// relaxedResults is how many of what comes near are shown.
const relaxedResults = 10

// comesNear fills in what comes near a search that found nothing, and reports whether
// it is one for the stewards: not one that only its filters keep from finding.
func (s *Site) comesNear(c *gin.Context, v *searchPage, a asked, found indexer.Result, publishers map[string]catalog.Organization) (bool, error) {
	ctx, lang := c.Request.Context(), language(c)
	q := a.query(lang)
	q.Limit = relaxedResults
	near, err := indexer.Relax(ctx, s.Index, q, found)
	if err != nil {
		return false, err
	}
	n := &nothing{Total: near.Total, Request: href(lang, withQuery("/request-data", url.Values{"q": {a.text}}))}
	if a.text == "" {
		n.Request = href(lang, "/request-data")
	}
	if n.Results, err = s.resultsOf(c, near.Hits, publishers); err != nil {
		return false, err
	}
	if near.Spelling != "" {
		n.Meant = &link{Words: near.Spelling, Href: href(lang, a.address(func(b *asked) { b.text, b.filter, b.page = near.Spelling, nil, 1 }))}
	}
	if len(n.Results) > 0 {
		switch near.How {
		case indexer.RelaxedFilters:
			n.How = phrase(lang, "去掉筛选条件就有的", "Without the filters")
			n.All = href(lang, a.address(func(b *asked) { b.filter, b.page = nil, 1 }))
		case indexer.RelaxedSpelling, indexer.RelaxedSound:
			n.How, n.All = phrase(lang, "按“%s”找到的", "Found as “%s”", near.Spelling), n.Meant.Href
		case indexer.RelaxedWords:
			n.How = phrase(lang, "只有其中几个词的", "With some of the words")
		default:
			n.How = phrase(lang, "只有词的一部分的", "With parts of the words")
		}
	}
	for _, t := range near.Themes {
		n.Themes = append(n.Themes, themeCount{Name: catalog.ThemeName(t.Value).In(lang), Href: href(lang, "/datasets?theme="+url.QueryEscape(t.Value)), Count: t.Count, Counted: true})
	}
	v.Nothing = n
	return a.page == 1 && near.How != indexer.RelaxedFilters, nil
}

// noteEmptySearch keeps a person's search that found nothing, and nothing of the person.
func (s *Site) noteEmptySearch(c *gin.Context, text string) {
	text = indexer.Fold(text)
	if text == "" || !byPerson(c.Request) || maybePersonal(text) {
		return
	}
	if err := s.Store.NoteEmptySearch(c.Request.Context(), text, language(c)); err != nil {
		s.Log.WarnContext(c.Request.Context(), "a search that found nothing was not noted", "error", err)
	}
}

var (
	programs = regexp.MustCompile(`(?i)bot\b|bot/|crawl|spider|slurp|preview|monitor`)
	digits   = regexp.MustCompile(`\d(?:[ -]?\d){6}`)
)

// byPerson reports whether a browser asks because somebody looks at the page.
func byPerson(r *http.Request) bool {
	agent := r.UserAgent()
	return strings.HasPrefix(agent, "Mozilla/") && !programs.MatchString(agent) && !strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch")
}

// maybePersonal reports whether a search may be for a person: the number of an identity
// card, phone, account or plate, a mail address, or any seven digits.
func maybePersonal(text string) bool {
	return digits.MatchString(text) || personal.Hide(text) != text
}
