package standards

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"taihu/api/export"
	"taihu/catalog"
)

// The catalogue in the words of DCAT-AP 3.0.1. What the European vocabularies
// have a word for is said with it; themes are the portal's own.

// authority is where the vocabularies of the EU Publications Office lie.
const authority = "http://publications.europa.eu/resource/authority/"

// CataloguePage is one page of the catalogue as a graph.
type CataloguePage struct {
	Portal   Portal
	Path     string // of the catalogue in this writing: /catalog.ttl
	Number   int    // from 1
	Size     int    // datasets on a page
	Datasets int    // on all pages
	Entries  []Entry
}

// last is the number of the last page.
func (c *CataloguePage) last() int { return max(1, (c.Datasets+c.Size-1)/c.Size) }

// Link is the page before or after, absolute, or "" where there is none.
func (c *CataloguePage) Link(number int) string {
	if number < 1 || number > c.last() {
		return ""
	}
	return c.Portal.BaseURL + c.Path + "?page=" + strconv.Itoa(number)
}

// Graph describes the catalogue, the datasets of the page, and the way to the
// other pages in Hydra's words, old and new, as harvesters know either.
func (c *CataloguePage) Graph() *Graph {
	g := &Graph{}
	p := c.Portal
	catalogue := p.catalogue()
	g.add(catalogue, "rdf:type", term("dcat:Catalog"))
	g.add(catalogue, "dct:title", texts(p.Name)...)
	g.add(catalogue, "dct:description", literal{text: p.Name.In("zh") + "的数据目录：全部公开的数据集及其最新一版。", lang: "zh"},
		literal{text: "The catalogue of " + p.Name.In("en") + ": every public dataset with its latest release.", lang: "en"})
	g.add(catalogue, "dct:publisher", address(p.BaseURL+"/#publisher"))
	g.add(catalogue, "foaf:homepage", address(p.BaseURL+"/"))
	g.add(catalogue, "dct:language", g.word(authority+"language/ZHO", "dct:LinguisticSystem"), g.word(authority+"language/ENG", "dct:LinguisticSystem"))
	g.add(catalogue, "dcat:themeTaxonomy", address(p.BaseURL+"/#themes"))
	for i := range c.Entries {
		g.add(catalogue, "dcat:dataset", p.datasetIRI(c.Entries[i].Dataset.Slug))
	}
	g.add(address(p.BaseURL+"/#publisher"), "rdf:type", term("foaf:Agent"))
	g.add(address(p.BaseURL+"/#publisher"), "foaf:name", texts(p.Name)...)
	g.add(address(p.BaseURL+"/"), "rdf:type", term("foaf:Document"))
	g.add(address(p.BaseURL+"/#themes"), "rdf:type", term("skos:ConceptScheme"))
	g.add(address(p.BaseURL+"/#themes"), "dct:title", literal{text: "数据领域", lang: "zh"}, literal{text: "Themes", lang: "en"})
	page := address(c.Link(c.Number))
	g.add(page, "rdf:type", term("hydra:PagedCollection"), term("hydra:PartialCollectionView"))
	g.add(page, "hydra:totalItems", literal{text: strconv.Itoa(c.Datasets), datatype: "xsd:integer"})
	g.add(page, "hydra:itemsPerPage", literal{text: strconv.Itoa(c.Size), datatype: "xsd:integer"})
	for _, x := range []struct {
		old, now string
		number   int
	}{{"hydra:firstPage", "hydra:first", 1}, {"hydra:previousPage", "hydra:previous", c.Number - 1}, {"hydra:nextPage", "hydra:next", c.Number + 1}, {"hydra:lastPage", "hydra:last", c.last()}} {
		if to := c.Link(x.number); to != "" {
			g.add(page, x.old, address(to))
			g.add(page, x.now, address(to))
		}
	}
	for i := range c.Entries {
		g.describe(p, &c.Entries[i])
	}
	return g
}

// DatasetGraph describes one dataset.
func DatasetGraph(p Portal, e *Entry) *Graph {
	g := &Graph{}
	g.describe(p, e)
	return g
}

func (p Portal) catalogue() iri { return address(p.BaseURL + "/#catalog") }

// datasetIRI is the dataset itself, which its page is about.
func (p Portal) datasetIRI(slug string) iri { return address(p.dataset(slug) + "#dataset") }

func (g *Graph) describe(p Portal, e *Entry) {
	d, r := e.Dataset, e.Release
	of := p.datasetIRI(d.Slug)
	part := func(name, class string) iri {
		x := address(p.dataset(d.Slug) + "#" + name)
		g.add(x, "rdf:type", term(class))
		return x
	}
	g.add(of, "rdf:type", term("dcat:Dataset"))
	g.add(of, "dct:title", texts(d.Title)...)
	g.add(of, "dct:description", texts(described(p, e))...)
	g.add(of, "dct:identifier", literal{text: d.Slug})
	for _, x := range d.Identifiers {
		g.add(of, "adms:identifier", g.identifier(p, d, x))
	}
	g.add(of, "dct:publisher", g.agent(p, e.Publisher))
	for _, k := range d.Keywords {
		g.add(of, "dcat:keyword", literal{text: k})
	}
	for _, t := range d.Themes {
		g.add(of, "dcat:theme", g.theme(p, t))
	}
	if at := published(r); !at.IsZero() {
		g.add(of, "dct:issued", literal{text: at.Format(time.RFC3339), datatype: "xsd:dateTime"})
	}
	g.add(of, "dct:modified", literal{text: e.changed().Format(time.RFC3339), datatype: "xsd:dateTime"})
	if f, ok := frequencies[d.Frequency]; ok {
		g.add(of, "dct:accrualPeriodicity", g.word(authority+"frequency/"+f, "dct:Frequency"))
	}
	if code, ok := map[string]string{"zh": "ZHO", "en": "ENG"}[strings.ToLower(strings.SplitN(d.Language, "-", 2)[0])]; ok {
		g.add(of, "dct:language", g.word(authority+"language/"+code, "dct:LinguisticSystem"))
	}
	g.add(of, "dcat:landingPage", address(p.dataset(d.Slug)))
	g.add(address(p.dataset(d.Slug)), "rdf:type", term("foaf:Document"))
	version := strconv.Itoa(r.Number)
	if r.Version != "" {
		version += " (" + r.Version + ")"
	}
	g.add(of, "dcat:version", literal{text: version})
	g.add(of, "adms:versionNotes", texts(r.Notes)...)
	if d.Spatial != "" {
		x := part("spatial", "dct:Location")
		g.add(of, "dct:spatial", x)
		g.add(x, "skos:prefLabel", literal{text: d.Spatial})
	}
	if d.TemporalStart != "" || d.TemporalEnd != "" {
		x := part("temporal", "dct:PeriodOfTime")
		g.add(of, "dct:temporal", x)
		g.add(x, "dcat:startDate", dates(d.TemporalStart)...)
		g.add(x, "dcat:endDate", dates(d.TemporalEnd)...)
	}
	if !d.SourceNote.IsZero() {
		x := part("source", "dct:ProvenanceStatement")
		g.add(of, "dct:provenance", x)
		g.add(x, "rdfs:label", texts(d.SourceNote)...)
	}
	if c := d.Contact; c != (catalog.Contact{}) {
		x := part("contact", "vcard:Kind")
		g.add(of, "dcat:contactPoint", x)
		name := c.Unit
		if name == "" {
			name = e.Publisher.Name.In("zh")
		}
		g.add(x, "vcard:fn", literal{text: name})
		if c.Mail != "" {
			g.add(x, "vcard:hasEmail", address("mailto:"+c.Mail))
		}
		if c.Phone != "" {
			g.add(x, "vcard:hasTelephone", address("tel:"+strings.ReplaceAll(c.Phone, " ", "")))
		}
	}
	if !e.open() {
		g.add(of, "dct:accessRights", g.word(authority+"access-right/RESTRICTED", "dct:RightsStatement"))
		if !d.Conditions.IsZero() {
			x := part("conditions", "dct:RightsStatement")
			g.add(of, "dct:rights", x)
			g.add(x, "rdfs:label", texts(d.Conditions)...)
		}
		return
	}
	g.add(of, "dct:accessRights", g.word(authority+"access-right/PUBLIC", "dct:RightsStatement"))
	g.distributions(p, e, of)
}

// mediaTypes and fileTypes are the IANA and EU names of our formats that are
// registered there.
var (
	mediaTypes = map[string]string{"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet", "zip": "application/zip",
		"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
	fileTypes = map[string]string{"csv": "CSV", "json": "JSON", "xlsx": "XLSX", "parquet": "PARQUET", "zip": "ZIP"}
)

func (g *Graph) distributions(p Portal, e *Entry, of iri) {
	d, r := e.Dataset, e.Release
	licence := address(p.licence(d.Licence))
	add := func(download, format string, title catalog.Text) {
		x := address(download + "#distribution")
		g.add(of, "dcat:distribution", x)
		g.add(x, "rdf:type", term("dcat:Distribution"))
		g.add(x, "dct:title", texts(title)...)
		g.add(x, "dcat:accessURL", address(p.release(d.Slug, r.Number)))
		g.add(x, "dcat:downloadURL", address(download))
		if t := mediaTypes[format]; t != "" {
			g.add(x, "dcat:mediaType", g.word("https://www.iana.org/assignments/media-types/"+t, "dct:MediaType"))
		}
		if t := fileTypes[format]; t != "" {
			g.add(x, "dct:format", g.word(authority+"file-type/"+t, "dct:MediaTypeOrExtent"))
		}
		g.add(x, "dct:license", licence)
		if at := published(r); !at.IsZero() {
			g.add(x, "dct:issued", literal{text: at.Format(time.RFC3339), datatype: "xsd:dateTime"})
		}
	}
	l, _ := catalog.LicenceOf(d.Licence)
	g.add(licence, "rdf:type", term("dct:LicenseDocument"))
	g.add(licence, "dct:title", texts(l.Name)...)
	for i := range r.Tables {
		t := &r.Tables[i]
		for _, f := range export.Usual {
			suffix := "（" + strings.ToUpper(f.Name) + "）"
			title := catalog.Text{Zh: t.Name + suffix, En: t.Name + " (" + strings.ToUpper(f.Name) + ")"}
			if !t.Title.IsZero() {
				title.Zh = t.Title.In("zh") + suffix
			}
			add(p.table(d.Slug, r.Number, t.Name, f), f.Name, title)
		}
	}
	add(p.archive(d.Slug, r.Number), "zip", catalog.Text{Zh: "整版（ZIP）", En: "The whole release (ZIP)"})
}

// word is one of somebody else's vocabulary. Its class and its list are said too: who
// checks the graph against the shapes of DCAT-AP has not always read the vocabularies.
func (g *Graph) word(name, class string) iri {
	x := iri(name)
	g.add(x, "rdf:type", term(class))
	if list, _, ok := strings.Cut(strings.TrimPrefix(name, authority), "/"); ok && strings.HasPrefix(name, authority) {
		g.add(x, "skos:inScheme", iri(authority+list))
	}
	return x
}

func (g *Graph) agent(p Portal, o *catalog.Organization) iri {
	x := address(p.BaseURL + "/organizations/" + o.Slug + "#organization")
	if !g.has(x) {
		g.add(x, "rdf:type", term("foaf:Agent"))
		g.add(x, "foaf:name", texts(o.Name)...)
		g.add(x, "foaf:page", address(p.BaseURL+"/organizations/"+o.Slug))
	}
	return x
}

func (g *Graph) theme(p Portal, code string) iri {
	x := address(p.BaseURL + "/#theme-" + code)
	if !g.has(x) {
		g.add(x, "rdf:type", term("skos:Concept"))
		g.add(x, "skos:prefLabel", texts(catalog.ThemeName(code))...)
		g.add(x, "skos:inScheme", address(p.BaseURL+"/#themes"))
	}
	return x
}

func (g *Graph) identifier(p Portal, d *catalog.Dataset, code string) iri {
	x := address(p.dataset(d.Slug) + "#identifier-" + strings.ReplaceAll(code, "#", "%23"))
	g.add(x, "rdf:type", term("adms:Identifier"))
	g.add(x, "skos:notation", literal{text: code})
	return x
}

// texts are the words of a text, each in its language.
func texts(t catalog.Text) []any {
	var list []any
	if t.Zh != "" {
		list = append(list, literal{text: t.Zh, lang: "zh"})
	}
	if t.En != "" {
		list = append(list, literal{text: t.En, lang: "en"})
	}
	return list
}

// described is the dataset's description, never empty, as DCAT-AP wants one.
func described(p Portal, e *Entry) catalog.Text {
	t := e.Dataset.Description
	if !t.IsZero() {
		return t
	}
	return catalog.Text{Zh: summaryOf(p, e, "zh"), En: summaryOf(p, e, "en")}
}

var dateForms = []struct {
	form     *regexp.Regexp
	datatype string
}{
	{regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`), "xsd:date"}, {regexp.MustCompile(`^\d{4}-\d{2}$`), "xsd:gYearMonth"}, {regexp.MustCompile(`^\d{4}$`), "xsd:gYear"},
}

// dates is an ISO date, month or year with its type; nothing for "", and for
// what is none of them a plain text.
func dates(s string) []any {
	if s == "" {
		return nil
	}
	for _, f := range dateForms {
		if f.form.MatchString(s) {
			return []any{literal{text: s, datatype: f.datatype}}
		}
	}
	return []any{literal{text: s}}
}

// frequencies are the EU's words for ours.
var frequencies = map[catalog.Frequency]string{
	"realtime": "UPDATE_CONT", "minutely": "UPDATE_CONT", "hourly": "HOURLY", "daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY", "quarterly": "QUARTERLY",
	"semiannual": "ANNUAL_2", "annual": "ANNUAL", "biennial": "BIENNIAL", "irregular": "IRREG", "never": "NEVER",
}
