package standards

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"time"

	"taihu/catalog"
)

// Feed is releases as a feed reader sees them, newest first.
type Feed struct {
	Portal  Portal
	Lang    string // zh or en
	ID      string // never changes
	Title   string
	Self    string // path of the feed
	Page    string // path of the page it goes with
	Entries []Entry
}

type atomFeed struct {
	XMLName   xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang      string      `xml:"xml:lang,attr"`
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Updated   string      `xml:"updated"`
	Author    atomPerson  `xml:"author"`
	Generator string      `xml:"generator"`
	Links     []atomLink  `xml:"link"`
	Entries   []atomEntry `xml:"entry"`
}

type atomPerson struct {
	Name string `xml:"name"`
	URI  string `xml:"uri,omitempty"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string       `xml:"id"`
	Title     string       `xml:"title"`
	Updated   string       `xml:"updated"`
	Published string       `xml:"published"`
	Author    atomPerson   `xml:"author"`
	Summary   string       `xml:"summary"`
	Category  []atomThemes `xml:"category"`
	Links     []atomLink   `xml:"link"`
}

type atomThemes struct {
	Term  string `xml:"term,attr"`
	Label string `xml:"label,attr"`
}

// Atom writes the feed (RFC 4287). An empty one is dated 1970.
func (f *Feed) Atom() []byte {
	out := atomFeed{Lang: map[string]string{"zh": "zh-CN", "en": "en"}[f.Lang], ID: f.ID, Title: xmlText(f.Title), Updated: time.Unix(0, 0).UTC().Format(time.RFC3339),
		Author: atomPerson{Name: xmlText(f.Portal.Name.In(f.Lang)), URI: f.Portal.BaseURL + "/"}, Generator: "Taihu",
		Links: []atomLink{{"self", "application/atom+xml", f.Portal.page(f.Lang, f.Self)}, {"alternate", "text/html", f.Portal.page(f.Lang, f.Page)}}}
	var newest time.Time
	for i := range f.Entries {
		e := &f.Entries[i]
		at := published(e.Release)
		if at.After(newest) {
			newest = at
			out.Updated = at.Format(time.RFC3339)
		}
		out.Entries = append(out.Entries, f.entry(e, at))
	}
	b, err := xml.MarshalIndent(out, "", " ")
	if err != nil {
		panic("standards: a feed cannot be written as XML: " + err.Error())
	}
	return append(append([]byte(xml.Header), b...), '\n')
}

func (f *Feed) entry(e *Entry, at time.Time) atomEntry {
	d, r := e.Dataset, e.Release
	title := d.Title.In(f.Lang)
	number := " · 第" + strconv.Itoa(r.Number) + "版"
	if f.Lang == "en" {
		number = " · Release " + strconv.Itoa(r.Number)
	}
	if r.Version != "" {
		number += " (" + r.Version + ")"
	}
	summary := r.Notes.In(f.Lang)
	if summary == "" {
		summary = cutText(d.Description.In(f.Lang), 500)
	}
	x := atomEntry{ID: "urn:uuid:" + r.ID, Title: xmlText(title + number), Updated: at.Format(time.RFC3339), Published: at.Format(time.RFC3339),
		Author: atomPerson{Name: xmlText(e.Publisher.Name.In(f.Lang)), URI: f.Portal.page(f.Lang, "/organizations/"+e.Publisher.Slug)}, Summary: xmlText(summary),
		Links: []atomLink{{"alternate", "text/html", f.Portal.page(f.Lang, "/datasets/"+d.Slug+"/releases/"+strconv.Itoa(r.Number))}}}
	for _, t := range d.Themes {
		x.Category = append(x.Category, atomThemes{t, catalog.ThemeName(t).In(f.Lang)})
	}
	if e.open() {
		x.Links = append(x.Links, atomLink{"enclosure", "application/zip", f.Portal.archive(d.Slug, r.Number)})
	}
	return x
}

// xmlText is s without what XML cannot hold; encoding/xml would put U+FFFD there.
func xmlText(s string) string {
	return string(bytes.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, []byte(s)))
}

// cutText is at most n characters of s.
func cutText(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
