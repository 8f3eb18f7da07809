package standards

import (
	"encoding/xml"
	"strconv"
	"strings"
	"time"
)

// SitemapDatasets is how many datasets one page of the sitemap holds: with two
// languages each 20,000 addresses, of the 50,000 and 50 MB that are allowed.
const SitemapDatasets = 10_000

// SitemapIndex names the pages of the sitemap of that many datasets.
func SitemapIndex(p Portal, datasets int) []byte {
	var s strings.Builder
	s.WriteString(xml.Header + `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + "\n")
	for page := 1; page == 1 || (page-1)*SitemapDatasets < datasets; page++ {
		s.WriteString("<sitemap><loc>" + escaped(p.BaseURL+"/sitemap.xml?page="+strconv.Itoa(page)) + "</loc></sitemap>\n")
	}
	s.WriteString("</sitemapindex>\n")
	return []byte(s.String())
}

// SitemapHead begins a page of the sitemap, SitemapEnd ends it.
func SitemapHead() []byte {
	return []byte(xml.Header + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">` + "\n")
}

// SitemapEnd ends a page of the sitemap.
func SitemapEnd() []byte { return []byte("</urlset>\n") }

// SitemapPath is a page of the portal in both languages; at is when it changed,
// zero where that is not known.
func SitemapPath(p Portal, path string, at time.Time) []byte {
	zh, en := escaped(p.page("zh", path)), escaped(p.page("en", strings.TrimSuffix(path, "/")))
	alternates := `<xhtml:link rel="alternate" hreflang="zh-CN" href="` + zh + `"/><xhtml:link rel="alternate" hreflang="en" href="` + en + `"/>`
	changed := ""
	if !at.IsZero() {
		changed = "<lastmod>" + at.In(zone).Format(time.RFC3339) + "</lastmod>"
	}
	return []byte("<url><loc>" + zh + "</loc>" + changed + alternates + "</url>\n<url><loc>" + en + "</loc>" + changed + alternates + "</url>\n")
}

// SitemapEntry is a dataset's page, dated by its release.
func SitemapEntry(p Portal, e *Entry) []byte {
	return SitemapPath(p, "/datasets/"+e.Dataset.Slug, published(e.Release))
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder never fails
	return b.String()
}

// Robots tells crawlers what is not for them, and where everything can be had at
// once instead. Addresses with parameters are kept off by /*? alone: simple
// readers of robots.txt know no * and pass over it, but take /datasets? for all
// that begins with /datasets.
func Robots(p Portal) []byte {
	return []byte(`# ` + oneLine(p.Name.In("zh")+" / "+p.Name.In("en")) + `
# 要取全部数据，不必逐页抓取 / Everything at once, without crawling:
#   ` + p.BaseURL + `/catalog.csv (.json .ndjson .xlsx .parquet)   每行一个数据集 / one dataset a row
#   ` + p.BaseURL + `/catalog.jsonld, /catalog.ttl   DCAT-AP
#   ` + p.BaseURL + `/portal.sql   DuckDB
#   ` + p.BaseURL + `/data/<dataset>/latest.zip   整版 / a whole release
#   ` + p.BaseURL + `/feed.atom   新发布的版本 / new releases

User-agent: *
Disallow: /steward
Disallow: /en/steward
Disallow: /sign-in
Disallow: /en/sign-in
Disallow: /*?
Allow: /sitemap.xml?page=

Sitemap: ` + p.BaseURL + `/sitemap.xml
`)
}
