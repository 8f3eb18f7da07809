// Package standards maps the catalogue's nouns to what the world reads: a whole
// release as a ZIP archive with a Data Package inside, the catalogue as a table,
// DuckDB views, DCAT as Turtle and JSON-LD, schema.org, Atom, sitemaps.
//
// Each mapping is a pure function from nouns to bytes, rows or structs: the same
// nouns give the same bytes. The package knows the nouns, the addresses of
// architecture.md §5 and the formats' own rules of writing and escaping. It knows
// nothing of HTTP, SQL or where bytes lie, and decides nothing about access:
// whoever calls it hands over only what an anonymous reader may see. What it does
// hold to itself is that a conditional dataset is described without any address
// or hash of its bytes.
package standards

import (
	"net/url"
	"strconv"
	"time"

	"taihu/api/export"
	"taihu/catalog"
)

// Version is part of every tag of what this package writes: it grows when the
// same nouns give other bytes.
const Version = 1

// Portal is whose catalogue is described.
type Portal struct {
	BaseURL string // without a slash at its end
	Name    catalog.Text
}

// Entry is a dataset as the catalogue shows it.
type Entry struct {
	Dataset   *catalog.Dataset
	Publisher *catalog.Organization
	Release   *catalog.Release // the newest that stands; its tables may lack their schemas
	Columns   int64            // of all its tables
}

// open reports whether everybody gets the bytes.
func (e *Entry) open() bool { return e.Dataset.OpenAttribute == catalog.Unconditional }

// Addresses of the portal. lang "en" gives the English page.
func (p Portal) page(lang, path string) string {
	if lang == "en" {
		return p.BaseURL + "/en" + path
	}
	return p.BaseURL + path
}

func (p Portal) dataset(slug string) string { return p.BaseURL + "/datasets/" + slug }

func (p Portal) release(slug string, number int) string {
	return p.dataset(slug) + "/releases/" + strconv.Itoa(number)
}

func (p Portal) data(slug string, number int) string {
	return p.BaseURL + "/data/" + slug + "/" + strconv.Itoa(number)
}

func (p Portal) table(slug string, number int, table string, f export.Format) string {
	return p.data(slug, number) + "/" + url.PathEscape(table) + "." + f.Ext
}

// archive is the whole release as one file.
func (p Portal) archive(slug string, number int) string { return p.data(slug, number) + ".zip" }

func (p Portal) licence(code string) string {
	if l, ok := catalog.LicenceOf(code); ok && l.URL != "" {
		return l.URL
	}
	return p.BaseURL + "/docs/licence"
}

// zone is the clock dates are written in, the portal's own.
var zone = time.FixedZone(catalog.DefaultZone, 8*3600)

// published is when a release appeared, or the zero time.
func published(r *catalog.Release) time.Time {
	if r == nil || r.PublishedAt == nil {
		return time.Time{}
	}
	return r.PublishedAt.In(zone)
}

// changed is when what is said of a dataset last changed: its release or its words.
func (e *Entry) changed() time.Time {
	at := published(e.Release)
	if e.Dataset.CatalogueAt.After(at) {
		return e.Dataset.CatalogueAt.In(zone)
	}
	return at
}

func (e *Entry) rows() (rows int64) {
	for i := range e.Release.Tables {
		rows += e.Release.Tables[i].Rows
	}
	return rows
}
