package web

import (
	"fmt"
	"net/url"
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

// snippet is a few lines that read the release in one tool.
type snippet struct {
	Tool, Key, Code string
}

// snippets are pinned to the release, so that a script reads the same next year.
func snippets(lang, base, slug string, number int, t *catalog.Table) []snippet {
	at := func(format string) string { return base + dataPath(slug, number, t.Name, format) }
	rows := base + apiTablePath(slug, number, t.Name, "rows")
	where, some := exampleWhere(t), phrase(lang, "只取一部分行", "only some of the rows")
	curl := fmt.Sprintf("curl -fL -C - -O \"%s\"", at("csv"))
	python := fmt.Sprintf("import pandas as pd\n\ndf = pd.read_parquet(\"%s\")", at("parquet"))
	if where != "" {
		curl += fmt.Sprintf("\n\n# %s\ncurl -fG \"%s\" -o part.csv \\\n  --data-urlencode %s", some, at("csv"), shellQuote("where="+where))
		python += fmt.Sprintf("\n\n# %s\npart = pd.read_csv(\"%s?where=%s\")", some, at("csv"), url.QueryEscape(where))
	}
	return []snippet{
		{"curl", "1", curl},
		{"Python", "2", python},
		{"R", "3", fmt.Sprintf("library(arrow)\n\ndf <- read_parquet(\"%s\")", at("parquet"))},
		{"DuckDB", "4", fmt.Sprintf("SELECT *\nFROM '%s'\nLIMIT 10;", at("parquet"))},
		{"JSON", "5", fmt.Sprintf("curl -f \"%s?limit=100\"", rows)},
	}
}

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

// shellQuote quotes for a POSIX shell: in double quotes where that is plain to
// read, else in single ones.
func shellQuote(s string) string {
	if !strings.ContainsAny(s, "\"$`\\!") {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
