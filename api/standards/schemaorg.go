package standards

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"taihu/api/export"
	"taihu/catalog"
)

// What search engines for datasets take of a description, in characters.
const (
	leastDescription = 50
	mostDescription  = 5000
	mostVariables    = 500
)

// LinkedDataset is a dataset in schema.org's words, for the page that shows it.
type LinkedDataset struct {
	Context       string        `json:"@context"`
	Type          string        `json:"@type"`
	ID            string        `json:"@id"`
	Name          string        `json:"name"`
	AlternateName string        `json:"alternateName,omitempty"`
	Description   string        `json:"description"`
	URL           string        `json:"url"`
	Identifier    []string      `json:"identifier"`
	Creator       linkedAgent   `json:"creator"`
	Publisher     linkedAgent   `json:"publisher"`
	Licence       string        `json:"license"`
	Keywords      []string      `json:"keywords,omitempty"`
	Variables     []linkedField `json:"variableMeasured,omitempty"`
	Spatial       string        `json:"spatialCoverage,omitempty"`
	Temporal      string        `json:"temporalCoverage,omitempty"`
	Free          bool          `json:"isAccessibleForFree"`
	Conditions    string        `json:"conditionsOfAccess,omitempty"`
	Version       string        `json:"version"`
	Citation      string        `json:"citation"`
	Published     string        `json:"datePublished,omitempty"`
	Modified      string        `json:"dateModified"`
	Catalogue     linkedCatalog `json:"includedInDataCatalog"`
	Distribution  []linkedFile  `json:"distribution,omitempty"`
}

type linkedAgent struct {
	Type string `json:"@type"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

type linkedCatalog struct {
	Type string `json:"@type"`
	ID   string `json:"@id"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

type linkedField struct {
	Type        string `json:"@type"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Unit        string `json:"unitText,omitempty"`
}

type linkedFile struct {
	Type   string `json:"@type"`
	Name   string `json:"name"`
	URL    string `json:"contentUrl"`
	Format string `json:"encodingFormat"`
}

// Linked describes a dataset with a release whose tables have their schemas, in
// one language.
func Linked(p Portal, e *Entry, lang string) *LinkedDataset {
	d, r := e.Dataset, e.Release
	x := &LinkedDataset{
		Context: "https://schema.org/", Type: "Dataset", ID: string(p.datasetIRI(d.Slug)), Name: d.Title.In(lang), Description: linkedDescription(p, e, lang),
		URL: p.page(lang, "/datasets/"+d.Slug), Identifier: append([]string{p.release(d.Slug, r.Number)}, d.Identifiers...),
		Publisher: linkedAgent{"Organization", e.Publisher.Name.In(lang), p.page(lang, "/organizations/"+e.Publisher.Slug)},
		Licence:   p.licence(d.Licence), Keywords: d.Keywords, Spatial: d.Spatial, Version: strconv.Itoa(r.Number),
		Citation:  catalog.Citation(d, r, e.Publisher.Name, p.Name, p.release(d.Slug, r.Number)).In(lang),
		Modified:  e.changed().Format(time.RFC3339),
		Catalogue: linkedCatalog{"DataCatalog", string(p.catalogue()), p.Name.In(lang), p.page(lang, "/datasets")},
	}
	x.Creator = x.Publisher
	if other := d.Title.In(map[string]string{"zh": "en", "en": "zh"}[lang]); other != x.Name {
		x.AlternateName = other
	}
	if d.Simulated {
		x.Name += map[string]string{"zh": "（示例数据）", "en": " (sample data)"}[lang]
	}
	if r.Version != "" {
		x.Version = r.Version
	}
	if at := published(r); !at.IsZero() {
		x.Published = at.Format(time.RFC3339)
	}
	if d.TemporalStart != "" || d.TemporalEnd != "" {
		from, to := d.TemporalStart, d.TemporalEnd
		if from == "" {
			from = ".."
		}
		if to == "" {
			to = ".."
		}
		x.Temporal = from + "/" + to
	}
	for i := range r.Tables {
		for _, f := range r.Tables[i].Schema.Fields {
			if len(x.Variables) == mostVariables {
				break
			}
			about := f.Description.In(lang)
			if about == "" {
				about = f.Label.In(lang)
			}
			x.Variables = append(x.Variables, linkedField{"PropertyValue", f.Name, about, f.Unit})
		}
	}
	l, _ := catalog.LicenceOf(d.Licence)
	x.Free = l.Free && e.open()
	if !e.open() {
		x.Conditions = d.Conditions.In(lang)
		return x
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		for _, f := range export.Usual {
			mediaType, _, _ := strings.Cut(f.MediaType, ";")
			x.Distribution = append(x.Distribution, linkedFile{"DataDownload", t.Name + "." + f.Ext, p.table(d.Slug, r.Number, t.Name, f), mediaType})
		}
	}
	x.Distribution = append(x.Distribution, linkedFile{"DataDownload", d.Slug + "-" + strconv.Itoa(r.Number) + ".zip", p.archive(d.Slug, r.Number), "application/zip"})
	return x
}

// linkedDescription is the description in the length search engines take: a
// short one is followed by what the catalogue knows, a long one ends in ….
func linkedDescription(p Portal, e *Entry, lang string) string {
	s := strings.TrimSpace(e.Dataset.Description.In(lang))
	if len([]rune(s)) < leastDescription {
		s = strings.TrimSpace(s + " " + summaryOf(p, e, lang))
	}
	return cutText(s, mostDescription)
}

// summaryOf says of a dataset what the catalogue knows, in more than
// leastDescription characters.
func summaryOf(p Portal, e *Entry, lang string) string {
	d := e.Dataset
	if lang == "en" {
		return fmt.Sprintf("“%s”, published by %s on %s: release %d with %d tables and %d rows. Each release stays as it is and can be cited. %s",
			d.Title.In(lang), e.Publisher.Name.In(lang), p.Name.In(lang), e.Release.Number, len(e.Release.Tables), e.rows(), p.dataset(d.Slug))
	}
	return fmt.Sprintf("“%s”由%s在%s发布：第%d版共%d张表、%d行。每一版发布后不再改动，可按版本下载和引用，也可逐行查询、按条件筛选后下载。%s",
		d.Title.In(lang), e.Publisher.Name.In(lang), p.Name.In(lang), e.Release.Number, len(e.Release.Tables), e.rows(), p.dataset(d.Slug))
}
