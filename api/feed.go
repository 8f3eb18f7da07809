package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/api/standards"
	"taihu/catalog"
	"taihu/catalog/store"
)

// feedEntries is how many releases a feed names.
const feedEntries = 50

const (
	atomType = "application/atom+xml; charset=utf-8"
	xmlType  = "application/xml; charset=utf-8"
)

// feedRoutes are feeds, the sitemap and robots.txt.
func (a *API) feedRoutes() {
	for lang, prefix := range map[string]string{"zh": "", "en": "/en"} {
		a.engine.GET(prefix+"/feed.atom", a.adapt(a.portalFeed(lang)))
		a.engine.GET(prefix+"/datasets/:slug/feed.atom", a.adapt(a.datasetFeed(lang)))
	}
	a.engine.GET("/sitemap.xml", a.adapt(a.getSitemap))
	a.engine.GET("/robots.txt", a.adapt(a.getRobots))
}

// portalFeed serves the newest releases: of each of the datasets that were
// published last, its latest.
func (a *API) portalFeed(lang string) handle.Func {
	return func(c *gin.Context) error {
		if _, err := handle.CheckQuery(c.Request.URL.RawQuery); err != nil {
			return err
		}
		if done, err := a.publicAnswer(c, atomType); done || err != nil {
			return err
		}
		page, err := a.Store.Catalogue(c.Request.Context(), store.CatalogueFilter{Newest: true, Limit: feedEntries})
		if err != nil {
			return err
		}
		p := a.portal()
		title := catalog.Text{Zh: p.Name.In("zh") + "：新发布的版本", En: p.Name.In("en") + ": new releases"}
		f := standards.Feed{Portal: p, Lang: lang, ID: p.BaseURL + "/feed.atom", Title: title.In(lang), Self: "/feed.atom", Page: "/datasets", Entries: entries(page)}
		c.Data(http.StatusOK, atomType, f.Atom())
		return nil
	}
}

// datasetFeed serves the standing releases of a dataset that anybody may see.
func (a *API) datasetFeed(lang string) handle.Func {
	return func(c *gin.Context) error {
		if _, err := handle.CheckQuery(c.Request.URL.RawQuery); err != nil {
			return err
		}
		e, err := a.entryOf(c)
		if e == nil || err != nil {
			return err
		}
		if done, err := a.publicAnswer(c, atomType); done || err != nil {
			return err
		}
		releases, err := a.Store.Releases(c.Request.Context(), catalog.Actor{}, e.Dataset.Slug)
		if err != nil {
			return err
		}
		p := a.portal()
		f := standards.Feed{Portal: p, Lang: lang, ID: "urn:uuid:" + e.Dataset.ID, Title: e.Dataset.Title.In(lang), Self: "/datasets/" + e.Dataset.Slug + "/feed.atom", Page: "/datasets/" + e.Dataset.Slug}
		for i := range releases {
			if releases[i].State == catalog.Published && len(f.Entries) < feedEntries {
				f.Entries = append(f.Entries, standards.Entry{Dataset: e.Dataset, Publisher: e.Publisher, Release: &releases[i]})
			}
		}
		c.Data(http.StatusOK, atomType, f.Atom())
		return nil
	}
}

// entryOf finds the dataset of the address as anybody may see it. It is nil where
// the reader was sent to the dataset's present name. Errors: NotFound; Gone where
// no release stands.
func (a *API) entryOf(c *gin.Context) (*standards.Entry, error) {
	ctx, slug := c.Request.Context(), c.Param("slug")
	d, r, err := a.Store.Release(ctx, catalog.Actor{}, slug, 0)
	if err != nil {
		return nil, err
	}
	if d.Slug != slug { // renamed: the old address leads here for ever
		c.Redirect(http.StatusMovedPermanently, strings.Replace(c.FullPath(), ":slug", d.Slug, 1))
		return nil, nil
	}
	path, err := a.Store.OrganizationPath(ctx, d.OrganizationID)
	if err != nil {
		return nil, err
	}
	e := &standards.Entry{Dataset: d, Publisher: &path[len(path)-1], Release: r}
	for i := range r.Tables {
		e.Columns += int64(len(r.Tables[i].Schema.Fields))
	}
	return e, nil
}

// pageNumber reads the page of a list that is cut into numbered pages; 0 where
// none is asked for.
func pageNumber(raw string, datasets, size int) (int, error) {
	values, err := handle.CheckQuery(raw, "page")
	if err == nil {
		err = handle.RefuseEmpty(values)
	}
	if err != nil || values.Get("page") == "" {
		return 0, err
	}
	last := max(1, (datasets+size-1)/size)
	n, err := strconv.Atoi(values.Get("page"))
	if err != nil || n < 1 || n > last {
		return 0, catalog.Errorf(catalog.Invalid, "bad_parameter", "page is a whole number from 1 to %d, not %q", last, values.Get("page")).With("parameter", "page").
			InChinese("page须是1至%d的整数", last)
	}
	return n, nil
}

// getSitemap serves the index of the sitemap, and with ?page= its pages. They
// share a path because a sitemap speaks only of what lies beside or below it.
func (a *API) getSitemap(c *gin.Context) error {
	ctx := c.Request.Context()
	datasets, err := a.catalogueSize(ctx)
	if err != nil {
		return err
	}
	n, err := pageNumber(c.Request.URL.RawQuery, datasets, standards.SitemapDatasets)
	if err != nil {
		return err
	}
	if done, err := a.publicAnswer(c, xmlType); done || err != nil {
		return err
	}
	p := a.portal()
	if n == 0 {
		c.Data(http.StatusOK, xmlType, standards.SitemapIndex(p, datasets))
		return nil
	}
	return a.stream(c, func(w io.Writer) error { return a.writeSitemap(ctx, w, p, n) })
}

func (a *API) writeSitemap(ctx context.Context, w io.Writer, p standards.Portal, n int) error {
	if _, err := w.Write(standards.SitemapHead()); err != nil {
		return err
	}
	if n == 1 {
		if err := a.writeSitemapPages(ctx, w, p); err != nil {
			return err
		}
	}
	left := standards.SitemapDatasets
	err := a.eachPage(ctx, store.CatalogueFilter{Skip: (n - 1) * standards.SitemapDatasets, Bare: true}, func(page []standards.Entry) error {
		for i := range page {
			if left == 0 {
				return io.EOF
			}
			left--
			if _, err := w.Write(standards.SitemapEntry(p, &page[i])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	_, err = w.Write(standards.SitemapEnd())
	return err
}

// writeSitemapPages writes what is no dataset: the portal's own pages and its
// publishers.
func (a *API) writeSitemapPages(ctx context.Context, w io.Writer, p standards.Portal) error {
	paths := []string{"/", "/datasets", "/organizations", "/docs", "/docs/guide", "/docs/api", "/docs/grammar", "/docs/licence"}
	rows, err := a.Store.Organizations(ctx)
	if err != nil {
		return err
	}
	for _, o := range rows {
		paths = append(paths, "/organizations/"+o.Slug)
	}
	for _, path := range paths {
		if _, err := w.Write(standards.SitemapPath(p, path, time.Time{})); err != nil {
			return err
		}
	}
	return nil
}

// getRobots serves /robots.txt.
func (a *API) getRobots(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=3600")
	c.Data(http.StatusOK, "text/plain; charset=utf-8", standards.Robots(a.portal()))
	return nil
}

// describeFeeds adds feeds, sitemap and robots.txt to the OpenAPI description.
func (a *API) describeFeeds(problem *huma.Response) {
	slug := &huma.Param{Name: "slug", In: "path", Required: true, Description: "The dataset", Schema: &huma.Schema{Type: "string"}}
	for lang, prefix := range map[string]string{"zh": "", "en": "/en"} {
		a.describePublic(problem, prefix+"/feed.atom", "portal-feed-"+lang, "The newest releases as an Atom feed", "Of each dataset that was published last, its latest release.", atomType)
		a.describePublic(problem, prefix+"/datasets/{slug}/feed.atom", "dataset-feed-"+lang, "A dataset's releases as an Atom feed", "Releases that stand, newest first.", atomType, slug)
	}
	a.describePublic(problem, "/sitemap.xml", "sitemap", "The sitemap", "Without page its index, with it one page: pages in both languages, dated by their release.", xmlType,
		&huma.Param{Name: "page", In: "query", Description: "Page of the sitemap, from 1", Schema: &huma.Schema{Type: "integer"}})
	a.describePublic(problem, "/robots.txt", "robots", "What crawlers leave out, and where everything is at once", "", "text/plain")
}
