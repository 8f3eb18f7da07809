// Package api is the portal's HTTP side: one list of routes, the JSON API v1
// (gin + huma, OpenAPI 3.1, RFC 9457), the download addresses under /data, the
// health checks, and the pages of api/web mounted beside them.
//
// It turns requests into store verbs, searches and exports and their results
// into wire types; rules live in catalog, SQL in catalog/store, table queries in
// query children.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"taihu/api/download"
	"taihu/api/handle"
	"taihu/api/web"
	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/store"
	"taihu/catalog/table/pool"
	"taihu/catalog/upload"
	"taihu/indexer"
)

// Config is what the API works with; every member is required unless said.
type Config struct {
	Store     *store.DB
	Blobs     blob.Store
	Uploads   *upload.Receiver
	Pool      *pool.Pool
	Index     indexer.Index
	Exporter  *download.Exporter
	Site      *web.Site // nil: no pages
	Log       *slog.Logger
	Clock     catalog.Clock
	BaseURL   string // public address without a trailing slash
	Version   string
	MaxUpload int64 // bytes of one file
	// Budgets are what clients may ask of query children; nil: anything. Site has
	// the same.
	Budgets *handle.Budgets
	// FeedbackBudgets are how many errors clients may report; nil: any number. Site has
	// the same.
	FeedbackBudgets *handle.Budgets
	// Uses counts downloads; nil: nothing does.
	Uses *Uses
	// Limits are what /api/v1/limits answers. It changes nothing that it says.
	Limits handle.Limits
	// TrustedProxies are the addresses whose X-Forwarded-* headers count; none by
	// default (gin trusts all unless told).
	TrustedProxies []string
	// Ready reports why the portal is not ready to serve, or nil.
	Ready func(context.Context) error
}

// API serves the portal.
type API struct {
	Config
	engine *gin.Engine
	packed http.Handler // the engine with compressed answers
	huma   huma.API
	// pages has a place for each page of the catalogue that is read now.
	pages   chan struct{}
	counted counted
}

// SessionCookie is the cookie of a signed-in browser; the __Host- form is used
// where the portal is served over https.
const SessionCookie = "taihu"

// New builds the handler with all routes.
func New(cfg Config) (*API, error) {
	gin.SetMode(gin.ReleaseMode)
	a := &API{Config: cfg, engine: gin.New(), pages: make(chan struct{}, pagesAtOnce)}
	a.engine.HandleMethodNotAllowed = true
	a.engine.RedirectTrailingSlash = false
	a.engine.RemoveExtraSlash = false
	a.engine.UseRawPath = true
	a.engine.UnescapePathValues = true
	if err := a.engine.SetTrustedProxies(cfg.TrustedProxies); err != nil {
		return nil, err
	}
	a.engine.Use(handle.Log(cfg.Log, a.render), handle.Secure(), handle.CORS(), handle.SameOrigin(a.render, a.CookieName()), a.authenticate)
	a.routes()
	nothing := a.adapt(func(*gin.Context) error {
		return catalog.Errorf(catalog.NotFound, "not_found", "there is nothing at this address").InChinese("这个地址没有内容")
	})
	a.engine.NoRoute(nothing)
	a.engine.NoMethod(func(c *gin.Context) {
		if c.Writer.Header().Get("Allow") == http.MethodOptions { // the answer to preflights, which stands for every address
			c.Writer.Header().Del("Allow")
			nothing(c)
			return
		}
		p := handle.NewProblem(http.StatusMethodNotAllowed, "method_not_allowed", c.Request.Method+" is not possible here; Allow names what is", "这个地址不接受"+c.Request.Method)
		p.Instance = handle.RequestID(c)
		a.render(c, p)
	})
	var err error
	a.packed, err = compressed(a.engine)
	return a, err
}

// ServeHTTP makes API an http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.RawQuery, ";") {
		// net/url drops a pair that holds a semicolon, and with it a condition;
		// browsers send it bare in 'a;b'. It never separates pairs here.
		u := *r.URL
		u.RawQuery = strings.ReplaceAll(u.RawQuery, ";", "%3B")
		r2 := *r
		r2.URL = &u
		r = &r2
	}
	if ofUploads(r.URL.Path) {
		r = overridden(r)
	}
	if packs(r.URL.Path) {
		a.packed.ServeHTTP(w, r)
		return
	}
	a.engine.ServeHTTP(w, r)
}

// Routes lists every route as METHOD and path in gin's form, for the tests that
// hold the documentation to it.
func (a *API) Routes() gin.RoutesInfo { return a.engine.Routes() }

// OpenAPI returns the description of the JSON API and the download addresses.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// routes is the one list.
func (a *API) routes() {
	a.engine.GET("/healthz", a.healthz)
	a.engine.GET("/readyz", a.adapt(a.readyz))

	a.engine.GET("/data/:slug/:release", a.adapt(a.getArchive))
	a.engine.GET("/data/:slug/:release/:file", a.adapt(a.getTable))
	a.engine.GET("/data/:slug/:release/files/:name", a.adapt(a.getFile))
	a.catalogueRoutes()

	a.huma = humagin.New(a.engine, humaConfig(a.Version))
	a.huma.UseMiddleware(a.showBudget, a.checkParameters, a.carryAsked)
	a.datasetRoutes()
	a.suggestRoutes()
	a.releaseRoutes()
	a.diffRoutes()
	a.tableRoutes()
	a.joinRoutes()
	a.openapiRoutes()
	a.facetRoutes()
	a.feedbackRoutes()
	a.draftRoutes()
	a.eventRoutes()
	a.uploadRoutes()
	a.organizationRoutes()
	a.limitRoutes()
	a.describeData()

	if a.Site != nil {
		a.Site.Portal = a
		for _, r := range a.Site.Routes() {
			a.engine.Handle(r.Method, r.Path, a.adapt(r.Handler))
		}
	}
	// HEAD is GET without the body, everywhere; net/http leaves the body out.
	for _, r := range a.engine.Routes() {
		if r.Method == http.MethodGet {
			a.engine.HEAD(r.Path, r.HandlerFunc)
		}
	}
}

func (a *API) adapt(f handle.Func) gin.HandlerFunc { return handle.Adapt(f, a.render, a.Log) }

// render shows a problem: as JSON under /api and /data and to whoever does not
// ask for HTML, as a page to people.
func (a *API) render(c *gin.Context, p *handle.Problem) {
	path := c.Request.URL.Path
	machine := strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/data/") && !strings.Contains(c.GetHeader("Accept"), "text/html")
	if a.Site == nil || machine || !strings.Contains(c.GetHeader("Accept"), "text/html") {
		handle.WriteProblem(c, p)
		return
	}
	a.Site.RenderError(c, p)
}

// authenticate finds out who asks: a bearer token, else the session cookie. A
// token that is not good is refused; a session that has ended is nobody.
func (a *API) authenticate(c *gin.Context) {
	if header := c.GetHeader("Authorization"); header != "" {
		secret, ok := strings.CutPrefix(header, "Bearer ")
		actor, err := catalog.Actor{}, error(nil)
		if ok {
			actor, err = a.Store.ActorByToken(c.Request.Context(), secret)
		}
		if !ok || err != nil {
			if err == nil || catalog.KindOf(err) == catalog.Unauthenticated {
				err = catalog.Errorf(catalog.Unauthenticated, "bad_token", "the token is unknown, expired or revoked; make one on the account page or with `taihu token create`").InChinese("令牌无效、过期或已吊销")
			}
			a.adapt(func(*gin.Context) error { return err })(c)
			return
		}
		handle.SetActor(c, actor)
		c.Header("Cache-Control", "private, no-store")
		c.Next()
		return
	}
	if strings.HasPrefix(c.Request.URL.Path, "/api/") {
		c.Header("Cache-Control", "public, no-cache")
	}
	if cookie, err := c.Request.Cookie(a.CookieName()); err == nil && cookie.Value != "" {
		actor, err := a.Store.ActorBySession(c.Request.Context(), cookie.Value)
		switch {
		case err == nil:
			handle.SetActor(c, actor)
			// What a known person sees is nobody else's.
			c.Header("Cache-Control", "private, no-store")
		case catalog.KindOf(err) == "":
			a.adapt(func(*gin.Context) error { return err })(c)
			return
		}
	}
	c.Next()
}

// CookieName is the name of the session cookie under the portal's address.
func (a *API) CookieName() string { return CookieName(a.BaseURL) }

// CookieName is the name of the session cookie of a portal at baseURL.
func CookieName(baseURL string) string {
	if strings.HasPrefix(baseURL, "https://") {
		return "__Host-" + SessionCookie
	}
	return SessionCookie
}

func (a *API) healthz(c *gin.Context) { c.String(http.StatusOK, "ok\n") }

func (a *API) readyz(c *gin.Context) error {
	if a.Ready != nil {
		if err := a.Ready(c.Request.Context()); err != nil {
			return err
		}
	}
	c.String(http.StatusOK, "ready\n")
	return nil
}
