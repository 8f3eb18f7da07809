package web

import (
	"fmt"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// citation is how to name a release in a paper.
type citation struct {
	Text, BibTeX string
}

// cite writes the citation of the release shown, as text and as BibTeX.
func cite(s *Site, v *datasetPage) citation {
	d, r, lang := v.Dataset, v.Release, v.Lang
	address := s.absolute(releasePath(d.Slug, r.Number))
	c := citation{Text: catalog.Citation(d, r, v.publisher, s.PortalName, address).In(lang)}
	title, portal, year := d.Title.In(lang), s.PortalName.In(lang), ""
	if r.PublishedAt != nil {
		year = isoDay(*r.PublishedAt)[:4]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "@misc{%s_%d,\n", strings.ReplaceAll(d.Slug, "-", "_"), r.Number)
	fmt.Fprintf(&b, "  title     = {%s},\n  author    = {{%s}},\n  year      = {%s},\n  version   = {%d},\n  publisher = {%s},\n  url       = {%s}", bibtex(title), bibtex(v.Publisher.Words), year, r.Number, bibtex(portal), address)
	if v.Table != nil && v.Table.ContentSHA256 != "" {
		fmt.Fprintf(&b, ",\n  note      = {content sha256 %s}", v.Table.ContentSHA256)
	}
	b.WriteString("\n}")
	c.BibTeX = b.String()
	return c
}

var bibtex = strings.NewReplacer("{", "", "}", "", "\\", "", "&", `\&`, "%", `\%`, "#", `\#`, "$", `\$`, "_", `\_`).Replace

// exampleWhere is a condition that holds for some rows of t, taken from its
// profile; empty where none suggests itself.
func exampleWhere(t *catalog.Table) string {
	if t.Profile == nil {
		return ""
	}
	for i := range t.Profile.Columns {
		p := &t.Profile.Columns[i]
		at := t.Schema.Index(p.Name)
		if at < 0 {
			continue
		}
		f := t.Schema.Fields[at]
		if kindOf(f, p, t.Rows).Category && len(p.Top) > 1 && p.Top[0].Value != "" && len(p.Top[0].Value) < 40 && p.Top[0].Rows < t.Rows {
			return equalTo(f, p.Top[0].Value)
		}
	}
	for i := range t.Profile.Columns {
		p := &t.Profile.Columns[i]
		at := t.Schema.Index(p.Name)
		if at >= 0 && len(p.Quantiles) == 5 && (t.Schema.Fields[at].Type == catalog.Number || t.Schema.Fields[at].Type == catalog.Integer || t.Schema.Fields[at].Type == catalog.Decimal) {
			return whereText(table.Comparison{Column: table.Column{Name: p.Name}, Op: table.GreaterEqual, Literal: literalOf(t.Schema.Fields[at], p.Quantiles[3])})
		}
	}
	return ""
}
