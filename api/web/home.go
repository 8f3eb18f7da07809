package web

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/indexer"
)

// homePage is the first page.
type homePage struct {
	frame
	Sums    store.Stats
	Try     []link
	Themes  []themeCount
	Newest  []newRelease
	Largest []result
	Chart   *chart
	Curl    string // one line that works, over the newest table
}

type themeCount struct {
	Name, Href string
	Count      int
	Counted    bool
}

// newRelease is one line of what was published last.
type newRelease struct {
	Title     catalog.Text
	Href      string
	Number    int
	Publisher catalog.Text
	Date      string // ISO
	Capacity  string
	Notes     string
	Simulated bool
}

const (
	newestCount  = 7
	largestCount = 6
)

func (s *Site) home(c *gin.Context) error {
	ctx, actor := c.Request.Context(), catalog.Actor{} // the first page is the same for all
	lang := language(c)
	v := homePage{frame: s.frame(c, "home", "")}
	v.BigSearch = true
	v.Description = phrase(lang, "按全文搜索公共数据，先看数据再下载。", "Search public data in full text and look at them before you download.")
	var err error
	if v.Sums, err = s.sums(ctx); err != nil {
		return err
	}
	publishers, err := s.publishers(ctx)
	if err != nil {
		return err
	}
	newest, _, _, err := s.Store.Datasets(ctx, actor, store.DatasetFilter{Published: true, Sort: "-updated", Limit: newestCount})
	if err != nil {
		return err
	}
	for i := range newest {
		d := &newest[i]
		if d.OpenAttribute == catalog.Closed {
			continue
		}
		_, r, err := s.Store.Release(ctx, actor, d.Slug, 0)
		if err != nil {
			continue // withdrawn a moment ago
		}
		n := newRelease{Title: d.Title, Href: href(lang, "/datasets/"+d.Slug), Number: r.Number, Publisher: publishers[d.OrganizationID].Name, Capacity: capacity(r.Tables).Words(lang), Notes: cut(r.Notes.In(lang), 60), Simulated: d.Simulated}
		if r.PublishedAt != nil {
			n.Date = isoDay(*r.PublishedAt)
		}
		v.Newest = append(v.Newest, n)
		if d.OpenAttribute != catalog.Unconditional {
			continue
		}
		// A picture of a few bars tells less; it is taken where there is no better.
		if v.Chart == nil || len(v.Chart.Bars) < 5 {
			if better := chartOf(lang, d, r); better != nil && (v.Chart == nil || len(better.Bars) > len(v.Chart.Bars)) {
				v.Chart = better
			}
		}
		if v.Curl == "" && len(r.Tables) > 0 {
			v.Curl = s.absolute(dataPath(d.Slug, r.Number, r.Tables[0].Name, "csv"))
		}
	}
	if v.Largest, err = s.largest(c, publishers); err != nil {
		return err
	}
	v.Themes = s.themes(ctx, lang)
	v.Try = tryWords(lang, newest)
	return s.render(c, http.StatusOK, "home", v)
}

// themes lists the 22 domains with their counts, where the index can say them.
func (s *Site) themes(ctx context.Context, lang string) []themeCount {
	result, err := s.Index.Search(ctx, indexer.Query{Facets: true, Limit: 1, Lang: lang})
	counts := map[string]int{}
	if err == nil {
		for _, f := range result.Facets["theme"] {
			counts[f.Value] = f.Count
		}
	}
	out := make([]themeCount, 0, len(catalog.Themes))
	for _, t := range catalog.Themes {
		out = append(out, themeCount{Name: t.Name.In(lang), Href: href(lang, "/datasets?theme="+t.Code), Count: counts[t.Code], Counted: err == nil})
	}
	return out
}

// largest are the datasets with most rows, which the index knows; none while it
// is down.
func (s *Site) largest(c *gin.Context, publishers map[string]catalog.Organization) ([]result, error) {
	found, err := s.Index.Search(c.Request.Context(), indexer.Query{Sort: "-rows", Limit: largestCount, Lang: language(c)})
	if err != nil {
		return nil, nil //nolint:nilerr // the page is whole without it, and search itself says that it is down
	}
	return s.resultsOf(c, found.Hits, publishers)
}

// tryWords are searches that find something: keywords of what is newest.
func tryWords(lang string, newest []catalog.Dataset) []link {
	var out []link
	seen := map[string]bool{}
	for i := range newest {
		for _, k := range newest[i].Keywords {
			if len(out) < 7 && !seen[k] && newest[i].OpenAttribute != catalog.Closed {
				seen[k] = true
				out = append(out, link{Words: k, Href: href(lang, "/datasets?q="+url.QueryEscape(k))})
			}
		}
	}
	return out
}

// publishers returns every organization by id; nobody changes the map. There are
// hundreds, not millions, and a page names a dozen of them: they are read again where
// the catalogue has another version.
func (s *Site) publishers(ctx context.Context) (map[string]catalog.Organization, error) {
	version, err := s.Store.CatalogueVersion(ctx) // before they are read
	if err != nil {
		return nil, err
	}
	if known := s.known.Load(); known != nil && known.version == version {
		return known.byID, nil
	}
	rows, err := s.Store.Organizations(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]catalog.Organization, len(rows))
	for _, o := range rows {
		out[o.ID] = o
	}
	s.known.Store(&knownPublishers{version, out})
	return out, nil
}

// knownPublishers are the organizations at a version of the catalogue.
type knownPublishers struct {
	version int64
	byID    map[string]catalog.Organization
}

// chart is one picture drawn from a column profile: bars of the most frequent
// values, with the finding as its title.
type chart struct {
	Finding, Sub, Aria string
	Bars               []chartBar
	Height             int
	Source             catalog.Text
	SourceHref         string
	Number             int
	CSV                string
	Simulated          bool
}

type chartBar struct {
	Name, Value          string
	Y, TextY             int
	Wide, Narrow         string
	WideText, NarrowText int
}

// chartOf draws the first category column of a release whose values tell
// something: several of them, not all equally frequent, and no single one that
// leaves the others next to nothing.
func chartOf(lang string, d *catalog.Dataset, r *catalog.Release) *chart {
	for i := range r.Tables {
		t := &r.Tables[i]
		if t.Profile == nil || t.Rows < 20 {
			continue
		}
		for k := range t.Profile.Columns {
			p := &t.Profile.Columns[k]
			at := t.Schema.Index(p.Name)
			if at < 0 || !kindOf(t.Schema.Fields[at], p, t.Rows).Category || len(p.Top) < 3 || p.Distinct > 12 || p.Top[0].Rows == p.Top[len(p.Top)-1].Rows || p.Top[0].Rows*5 > t.Rows*4 {
				continue
			}
			column := t.Schema.Fields[at].Label.In(lang)
			if column == "" {
				column = p.Name
			}
			return drawBars(lang, d, r, t, p, column)
		}
	}
	return nil
}

func drawBars(lang string, d *catalog.Dataset, r *catalog.Release, t *catalog.Table, p *catalog.ColumnProfile, column string) *chart {
	first := p.Top[0]
	title := d.Title.In(lang)
	c := &chart{
		Finding: phrase(lang, "%s：“%s”里%s最多，占%s", "%s: of “%s”, %s leads with %s", title, column, cut(first.Value, 20), percent(first.Rows, t.Rows)),
		Sub:     phrase(lang, "单位：行；全表%s行", "In rows; %s rows in all", number(t.Rows)),
		Source:  d.Title, SourceHref: href(lang, "/datasets/"+d.Slug), Number: r.Number, Simulated: d.Simulated,
		CSV: dataPath(d.Slug, r.Number, t.Name, "csv"),
	}
	var said []string
	const step = 30
	for i, v := range p.Top[:min(8, len(p.Top))] {
		share := float64(v.Rows) / float64(first.Rows)
		b := chartBar{Name: cut(v.Value, 9), Value: number(v.Rows), Y: 6 + i*step, TextY: 6 + i*step + 13}
		wide, narrow := 300*share, 150*share
		b.Wide, b.Narrow = decimals(math.Max(wide, 1)), decimals(math.Max(narrow, 1))
		b.WideText, b.NarrowText = 112+int(wide)+8, 104+int(narrow)+6
		c.Bars = append(c.Bars, b)
		said = append(said, v.Value+" "+number(v.Rows))
	}
	c.Height = 6 + len(c.Bars)*step + 4
	c.Aria = phrase(lang, "条形图：", "Bar chart: ") + strings.Join(said, phrase(lang, "，", ", "))
	return c
}
