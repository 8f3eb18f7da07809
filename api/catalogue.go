package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"taihu/api/export"
	"taihu/api/handle"
	"taihu/api/standards"
	"taihu/catalog"
	"taihu/catalog/store"
)

// cataloguePage is how many datasets are in memory at once while the whole
// catalogue is written.
const cataloguePage = 200

// publicAnswer begins an answer about the catalogue that is the same for
// everybody: it sets the tag and reports whether the reader has the answer
// already. The tag is weak: a long answer is read page by page, and what changes
// in between may show in its later part.
func (a *API) publicAnswer(c *gin.Context, mediaType string) (done bool, err error) {
	version, err := a.Store.CatalogueVersion(c.Request.Context())
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s %s %s %v %d", standards.Version, export.Version, a.Version, a.BaseURL, c.Request.URL.RequestURI(), a.Exporter.Portal, version))
	tag := hex.EncodeToString(sum[:16])
	h := c.Writer.Header()
	h.Set("ETag", `W/"`+tag+`"`)
	h.Set("Cache-Control", "public, no-cache")
	if notModified(c.Request, packedTag(tag, identity)) {
		return true, sendNotModified(c)
	}
	h.Set("Content-Type", mediaType)
	if c.Request.Method == http.MethodHead {
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
		return true, nil
	}
	return false, nil
}

// counted is how many datasets the catalogue had at a version of it.
type counted struct {
	mu                sync.Mutex
	version, datasets int64
	known             bool
}

// catalogueSize is how many datasets the catalogue has, counted once for each
// version of it.
func (a *API) catalogueSize(ctx context.Context) (int, error) {
	version, err := a.Store.CatalogueVersion(ctx)
	if err != nil {
		return 0, err
	}
	k := &a.counted
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.known || k.version != version {
		n, err := a.Store.CatalogueSize(ctx)
		if err != nil {
			return 0, err
		}
		k.version, k.datasets, k.known = version, int64(n), true
	}
	return int(k.datasets), nil
}

// pagesAtOnce is how many pages of the catalogue are read at the same time: the
// whole of 100,000 datasets takes tens of seconds of a processor, and other
// readers must not wait for it. Who takes an answer slowly keeps nobody waiting.
const pagesAtOnce = 2

// eachPage gives f what anybody may see of the whole catalogue, a page at a time.
func (a *API) eachPage(ctx context.Context, filter store.CatalogueFilter, f func([]standards.Entry) error) error {
	filter.Limit = cataloguePage
	for {
		select {
		case a.pages <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		page, err := a.Store.Catalogue(ctx, filter)
		<-a.pages
		if err != nil || len(page) == 0 {
			return err
		}
		if err := f(entries(page)); err != nil {
			return err
		}
		filter.After, filter.Skip = page[len(page)-1].Dataset.ID, 0
	}
}

func entries(page []store.CatalogueEntry) []standards.Entry {
	list := make([]standards.Entry, len(page))
	for i, e := range page {
		list[i] = standards.Entry(e)
	}
	return list
}

// getCatalogue serves /catalog.{csv,json,ndjson,xlsx,parquet}: every dataset that
// anybody may see, one a row.
func (a *API) getCatalogue(format export.Format) handle.Func {
	return func(c *gin.Context) error {
		if _, err := handle.CheckQuery(c.Request.URL.RawQuery); err != nil {
			return err
		}
		c.Header("Content-Disposition", disposition("catalog."+format.Ext))
		if done, err := a.publicAnswer(c, format.MediaType); done || err != nil {
			return err
		}
		return a.stream(c, func(w io.Writer) error {
			portal := a.portal()
			enc, err := export.New(format.Name, w, standards.CatalogueMeta(portal))
			if err != nil {
				return err
			}
			err = a.eachPage(c.Request.Context(), store.CatalogueFilter{}, func(page []standards.Entry) error {
				return enc.Write(standards.CatalogueRows(portal, page, format.Name == "xlsx"))
			})
			if err != nil {
				return err
			}
			return enc.Close()
		})
	}
}

// stream writes an answer as it is made; a reader that takes nothing is broken
// off, and so is an answer that cannot be finished.
func (a *API) stream(c *gin.Context, f func(w io.Writer) error) error {
	c.Status(http.StatusOK)
	w := &flushed{w: c.Writer, control: http.NewResponseController(c.Writer)}
	defer w.end()
	err := f(w)
	if err != nil && !c.Writer.Written() {
		dropBodyHeaders(c)
	}
	return err
}

// catalogueRoutes are the addresses that speak of the catalogue as a whole.
func (a *API) catalogueRoutes() {
	for _, f := range export.Usual {
		a.engine.GET("/catalog."+f.Ext, a.adapt(a.getCatalogue(f)))
	}
	a.engine.GET("/portal.sql", a.adapt(a.getViews))
	for _, w := range graphs {
		a.engine.GET("/catalog."+w.ext, a.adapt(a.getCatalogueGraph(w)))
		a.engine.GET("/datasets/:slug/dcat."+w.ext, a.adapt(a.getDatasetGraph(w)))
	}
	a.feedRoutes()
}

// viewsNamed is how many datasets one request for views may name.
const viewsNamed = 50

const sqlType = "application/sql; charset=utf-8"

// getViews serves /portal.sql: a DuckDB view over each table of the latest
// releases, of all datasets or of those named.
func (a *API) getViews(c *gin.Context) error {
	values, err := handle.CheckQuery(c.Request.URL.RawQuery, "dataset")
	if err == nil {
		err = handle.RefuseEmpty(values)
	}
	if err != nil {
		return err
	}
	filter := store.CatalogueFilter{}
	if names := values.Get("dataset"); names != "" {
		if filter.Slugs = strings.Split(names, ","); len(filter.Slugs) > viewsNamed {
			return catalog.Errorf(catalog.Invalid, "bad_parameter", "dataset names at most %d datasets; leave it out for all", viewsNamed).With("parameter", "dataset").
				InChinese("dataset最多写%d个数据集；要全部就不写", viewsNamed)
		}
		for i, slug := range filter.Slugs {
			d, _, err := a.Store.Release(c.Request.Context(), catalog.Actor{}, slug, 0)
			if err != nil {
				return err // a slip must not give an empty file
			}
			filter.Slugs[i] = d.Slug
		}
	}
	c.Header("Content-Disposition", disposition("portal.sql"))
	if done, err := a.publicAnswer(c, sqlType); done || err != nil {
		return err
	}
	return a.stream(c, func(w io.Writer) error {
		p := a.portal()
		if _, err := w.Write(standards.ViewsHead(p)); err != nil {
			return err
		}
		return a.eachPage(c.Request.Context(), filter, func(page []standards.Entry) error {
			for i := range page {
				if _, err := w.Write(standards.Views(p, &page[i])); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// describeCatalogue adds them to the OpenAPI description.
func (a *API) describeCatalogue(problem *huma.Response) {
	for _, f := range export.Usual {
		a.describePublic(problem, "/catalog."+f.Ext, "catalogue-"+f.Name, "The whole catalogue as "+strings.ToUpper(f.Name),
			"Every dataset that anybody may see, one a row, with all its metadata, its latest release, sizes and addresses. Conditional datasets have their conditions and no download address.", f.MediaType)
	}
}

// describeViews adds /portal.sql to the OpenAPI description.
func (a *API) describeViews(problem *huma.Response) {
	a.describePublic(problem, "/portal.sql", "duckdb-views", "DuckDB views over the tables of the latest releases",
		"CREATE SCHEMA and CREATE VIEW statements over the Parquet addresses, one schema for each open dataset.", sqlType,
		&huma.Param{Name: "dataset", In: "query", Description: "Only these datasets, comma separated", Schema: &huma.Schema{Type: "string"}})
}

// graph is one of the two writings of RDF.
type graph struct {
	ext, mediaType string
	write          func(*standards.Graph) []byte
}

var graphs = []graph{
	{"ttl", "text/turtle; charset=utf-8", (*standards.Graph).Turtle},
	{"jsonld", "application/ld+json", (*standards.Graph).JSONLD},
}

// graphPage is how many datasets one page of the catalogue as a graph describes.
const graphPage = 100

// getCatalogueGraph serves /catalog.ttl and /catalog.jsonld, a page at a time; the
// next one stands in the graph, in Hydra's words, and in Link.
func (a *API) getCatalogueGraph(w graph) handle.Func {
	return func(c *gin.Context) error {
		ctx := c.Request.Context()
		datasets, err := a.catalogueSize(ctx)
		if err != nil {
			return err
		}
		n, err := pageNumber(c.Request.URL.RawQuery, datasets, graphPage)
		if err != nil {
			return err
		}
		page := standards.CataloguePage{Portal: a.portal(), Path: "/catalog." + w.ext, Number: max(n, 1), Size: graphPage, Datasets: datasets}
		for rel, number := range map[string]int{"prev": page.Number - 1, "next": page.Number + 1} {
			if to := page.Link(number); to != "" {
				c.Writer.Header().Add("Link", `<`+to+`>; rel="`+rel+`"`)
			}
		}
		if done, err := a.publicAnswer(c, w.mediaType); done || err != nil {
			return err
		}
		list, err := a.Store.Catalogue(ctx, store.CatalogueFilter{Skip: (page.Number - 1) * graphPage, Limit: graphPage})
		if err != nil {
			return err
		}
		page.Entries = entries(list)
		c.Data(http.StatusOK, w.mediaType, w.write(page.Graph()))
		return nil
	}
}

// getDatasetGraph serves /datasets/{slug}/dcat.ttl and .jsonld.
func (a *API) getDatasetGraph(w graph) handle.Func {
	return func(c *gin.Context) error {
		if _, err := handle.CheckQuery(c.Request.URL.RawQuery); err != nil {
			return err
		}
		e, err := a.entryOf(c)
		if e == nil || err != nil {
			return err
		}
		if done, err := a.publicAnswer(c, w.mediaType); done || err != nil {
			return err
		}
		c.Data(http.StatusOK, w.mediaType, w.write(standards.DatasetGraph(a.portal(), e)))
		return nil
	}
}

// describeGraphs adds the DCAT addresses to the OpenAPI description.
func (a *API) describeGraphs(problem *huma.Response) {
	slug := &huma.Param{Name: "slug", In: "path", Required: true, Description: "The dataset", Schema: &huma.Schema{Type: "string"}}
	for _, w := range graphs {
		a.describePublic(problem, "/catalog."+w.ext, "dcat-catalogue-"+w.ext, "The catalogue in DCAT-AP 3, paged", "100 datasets a page; the next one is named in Hydra's words and in Link.", w.mediaType,
			&huma.Param{Name: "page", In: "query", Description: "Page, from 1", Schema: &huma.Schema{Type: "integer"}})
		a.describePublic(problem, "/datasets/{slug}/dcat."+w.ext, "dcat-dataset-"+w.ext, "A dataset in DCAT-AP 3", "", w.mediaType, slug)
	}
}

// describePublic describes one address that answers everybody alike.
func (a *API) describePublic(problem *huma.Response, path, id, summary, description, mediaType string, parameters ...*huma.Param) {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	a.huma.OpenAPI().Paths[path] = &huma.PathItem{Get: &huma.Operation{
		OperationID: id, Tags: []string{"catalogue"}, Summary: summary, Description: description, Parameters: parameters,
		Responses: map[string]*huma.Response{"200": {Description: "The answer", Content: map[string]*huma.MediaType{mediaType: {}}}, "304": {Description: "Unchanged"}, "default": problem},
	}}
}
