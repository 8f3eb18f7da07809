// Package web is Taihu's pages: search, datasets, the table explorer, releases,
// publishers, the steward's desk and the user docs, in Chinese at /… and in
// English at /en/…. Everything is rendered on the server, works without
// JavaScript, and is styled by one sheet in static/.
//
// Each page is one view struct and one template; handlers read the store, the
// index and the table pool, fill the struct and return errors. The package
// knows gin and HTML. It knows nothing of SQL, Parquet or the encoders, never
// checks a permission itself (the store does, with catalog.Can), and never shows
// what the search index says without reading it again from the store.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	exports "taihu/api/download"
	"taihu/api/handle"
	"taihu/api/signin"
	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/store"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
	"taihu/catalog/upload"
	"taihu/indexer"
)

// Rows answers queries over a table with rows as text; *pool.Pool does.
type Rows interface {
	Rows(ctx context.Context, t *catalog.Table, params table.Params, o pool.RowsOptions) (*pool.RowsAnswer, error)
	// Overlap counts what two columns share, value by value.
	Overlap(ctx context.Context, t *catalog.Table, column string, other *catalog.Table, otherColumn, client string) (pool.Overlap, error)
}

// Downloads knows what was encoded before, and makes comparisons.
type Downloads interface {
	// Size returns the bytes of the whole table t in format, and whether they are
	// known. publisher is the organization's name, which workbooks cite.
	Size(ctx context.Context, d *catalog.Dataset, r *catalog.Release, t *catalog.Table, publisher catalog.Text, format string) (int64, bool)
	// Page returns a page of a comparison (diff.Page); spend is called before work is
	// done for it.
	Page(ctx context.Context, r *exports.Request, spend func() error) (json.RawMessage, error)
}

// Config is what the pages need.
type Config struct {
	Store *store.DB
	Index indexer.Index
	// IndexHealth is what is known of Index; nil: nothing is.
	IndexHealth func() indexer.Health
	Pool        Rows
	Blobs       blob.Store
	Uploads     *upload.Receiver
	Downloads   Downloads // nil: sizes are never shown, and nothing is compared
	// ReadOrganizations reads a list of organizations from an uploaded file, in a
	// child; nil: none can be imported here.
	ReadOrganizations func(ctx context.Context, name string, r io.Reader) (*catalog.OrganizationList, []catalog.LineProblem, error)
	// OpenID is the provider by which people can sign in; nil: none. OpenIDName is
	// what the button calls it; OpenIDByMail lets a verified mail address that is
	// the login of an account lead to it.
	OpenID       *signin.Provider
	OpenIDName   string
	OpenIDByMail bool
	// Portal answers every address of the portal, for the page on which a reader
	// tries a request; nil: nothing can be tried. api.New sets it to itself.
	Portal http.Handler
	Clock  catalog.Clock
	Log    *slog.Logger
	// BaseURL is the address of the portal without a slash at its end, used in
	// citations, snippets and canonical links.
	BaseURL    string
	PortalName catalog.Text
	// Simulated says on every page that the whole portal shows sample data.
	Simulated bool
	// Budgets are what clients may ask of query children; nil: anything.
	Budgets *handle.Budgets
	// FeedbackBudgets are how many errors clients may report; nil: any number.
	FeedbackBudgets *handle.Budgets
	// Limits are the numbers that the docs name.
	Limits handle.Limits
	// Cells reads the first table of a stranger's small file as text, header first, in a
	// child process; its errors say what is wrong with the file. nil: dictionaries are not
	// taken as files.
	Cells func(ctx context.Context, name string, r io.Reader) ([][]string, error)
	// KeptAnswers is the room for answers of searches, in bytes; 0: none are kept.
	KeptAnswers int64
	// MaxUpload is the most bytes one upload may have; 0 means no limit of ours.
	MaxUpload int64
}

// Site serves the pages.
type Site struct {
	Config
	pages   map[string]map[string]*template.Template // language → page
	assets  *assets
	docs    *docs
	known   atomic.Pointer[knownPublishers]
	counted sums

	answers  *answers // nil: none are kept
	applying sync.Mutex
	synonyms atomic.Int64 // row_version of those the index has; 0: none
}

// New parses the templates and docs. It fails where an embedded file is wrong,
// which a test finds first.
func New(c Config) (*Site, error) {
	if c.Clock == nil {
		c.Clock = catalog.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.PortalName.IsZero() {
		c.PortalName = catalog.Text{Zh: "太湖公共数据开放", En: "Taihu open data"}
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	s := &Site{Config: c}
	if c.KeptAnswers > 0 {
		s.answers = newAnswers(c.KeptAnswers)
	}
	var err error
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = parseTemplates(s.assets); err != nil {
		return nil, err
	}
	if s.docs, err = loadDocs(s.BaseURL, s.Limits); err != nil {
		return nil, err
	}
	return s, nil
}

// frame is what every page shows around its own content. A page's view struct
// embeds it.
type frame struct {
	Lang        string // zh or en
	Title       string
	Description string
	Path        string // of this page without the language, with its query
	Section     string // which entry of the navigation is current
	Search      string // what stands in the search box
	User        string // name of who is signed in
	Portal      string
	Simulated   bool
	Refresh     int // seconds after which the page loads again; 0: never
	Theme, Size string
	Canonical   string
	NoIndex     bool
	Forms       []link // this page as JSON and so on
	Feeds       []link // Atom
	Linked      any    // what the page is about, as JSON-LD; nil: nothing
	BigSearch   bool   // the page has a search box of its own
	Wide        bool   // the page is as wide as the explorer
	RequestID   string
	Said        string // what the last action did
	NoStore     bool   // the page holds a secret: it is kept nowhere
}

func (f frame) unkept() bool { return f.NoStore }

// link is an address with its words.
type link struct {
	Words, Href string
	Note        string
	Current     bool
	Lang        string // of the words, where it is not the page's
	Type        string // media type of another form of the page, where it is not JSON
}

// language returns "en" under /en, else "zh".
func language(c *gin.Context) string {
	if p := c.Request.URL.Path; p == "/en" || strings.HasPrefix(p, "/en/") {
		return "en"
	}
	return "zh"
}

// localPath is the request's path without its language.
func localPath(c *gin.Context) string {
	p := c.Request.URL.Path
	if language(c) == "en" {
		p = strings.TrimPrefix(p, "/en")
	}
	if p == "" {
		p = "/"
	}
	return p
}

// href puts the language before a path.
func href(lang, path string) string {
	if lang != "en" {
		return path
	}
	if path == "/" {
		return "/en"
	}
	return "/en" + path
}

// frame fills what every page shares.
func (s *Site) frame(c *gin.Context, section, title string) frame {
	lang := language(c)
	path := localPath(c)
	q := c.Request.URL.Query()
	q.Del("done")
	full := path
	if len(q) > 0 {
		full += "?" + q.Encode()
	}
	f := frame{
		Lang: lang, Title: title, Section: section, Path: full, Portal: s.PortalName.In(lang), Simulated: s.Simulated,
		RequestID: handle.RequestID(c), Canonical: s.BaseURL + href(lang, path), Said: said(lang, c.Query("done")),
	}
	if u := handle.Actor(c).User; u != nil {
		f.User = u.Name
		if f.User == "" {
			f.User = u.Login
		}
	}
	f.Theme, f.Size = display(c)
	f.Feeds = []link{{Words: phrase(lang, "新发布的版本", "New releases"), Href: href(lang, "/feed.atom")}}
	return f
}

// policy lets a page load nothing but our own files. It has no script or style
// inside a page, so injected markup cannot run.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// render writes a page. The template is executed into memory first, so that a
// failure is an error page, not half a page.
func (s *Site) render(c *gin.Context, status int, page string, view any) error {
	body, err := s.execute(language(c), page, view)
	if err != nil {
		return err
	}
	v, ok := view.(interface{ unkept() bool })
	send(c, status, body, ok && v.unkept())
	return nil
}

// execute writes a page into memory.
func (s *Site) execute(lang, page string, view any) ([]byte, error) {
	t, ok := s.pages[lang][page]
	if !ok {
		return nil, fmt.Errorf("page %q has no template", page)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", view); err != nil {
		return nil, fmt.Errorf("render page %s: %w", page, err)
	}
	return b.Bytes(), nil
}

// send sends a page with the headers that all pages have.
func send(c *gin.Context, status int, body []byte, unkept bool) {
	lang := language(c)
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Language", map[string]string{"zh": "zh-CN", "en": "en"}[lang])
	h.Set("Cache-Control", "private, no-cache")
	if !handle.Actor(c).Anonymous() { // what a known person sees is nobody else's
		h.Set("Cache-Control", "private, no-store")
	}
	if unkept {
		h.Set("Cache-Control", "no-store")
	}
	h.Add("Vary", "Cookie")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Data(status, "text/html; charset=utf-8", body)
}

// seeOther ends a form: the reader's browser gets path of the portal.
func seeOther(c *gin.Context, path string) error {
	c.Redirect(http.StatusSeeOther, href(language(c), path))
	return nil
}

// withQuery puts q behind path.
func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// absolute is the address of a path of the portal, as readers quote it.
func (s *Site) absolute(path string) string { return s.BaseURL + path }
