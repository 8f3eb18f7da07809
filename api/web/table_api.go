package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/export"
	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table"
)

// tableAPIPage tells programmers all about one table: addresses, columns,
// parameters, a form to try them, the code of a dozen lines in each tool.
type tableAPIPage struct {
	frame
	Dataset     *catalog.Dataset
	Release     *catalog.Release
	Table       *catalog.Table
	Crumbs      []link
	Publisher   string
	Latest      bool
	Conditional bool
	Tables      []link // of the release, where it has several
	Action      string
	Pin         string // release number the form keeps, where it is not the latest
	Explorer    string // the same view there
	OpenAPI     string
	Files       []apiFile
	Rows        string
	Others      []apiFile
	Columns     []apiColumn
	MoreColumns int
	Schema      string
	Parameters  []apiParameter
	Query       url.Values
	Formats     []choice
	Located     bool
	Wrong       string // what keeps the query from being one
	Tried       *tried
	Filter      string // what the filtered snippets select
	Own         bool   // it is the reader's
	Snippets    []snippet
	Limits      handle.Limits
	Problem     string
	ProblemHref string
}

// apiFile is one address of the table.
type apiFile struct{ Name, Hint, Address, Href string }

// apiColumn is a column as a query sees it.
type apiColumn struct {
	Name           string // as a query spells it
	Zh, En         string
	Kind           columnKind
	Type, Wire     string
	Unit, Example  string
	Ops, Functions []string
}

// apiParameter is a parameter with an example that works on this table.
type apiParameter struct {
	Name, What, Example, Href string
}

// triedRows are the rows of a tried request: unless told, and at most.
const (
	triedRows     = 10
	triedRowsMost = 100
)

// triedFormats are the answers that can be looked at; rows is the page of rows.
var triedFormats = []string{"rows", "csv", "json", "ndjson", "tsv", "geojson", "xml"}

// tableAPI shows the page of a table's API.
func (s *Site) tableAPI(c *gin.Context) error {
	s.Budgets.Show(c)
	lang := language(c)
	d, r, t, err := s.tableAsked(c)
	if t == nil {
		return err
	}
	title := d.Title.In(lang)
	v := &tableAPIPage{frame: s.frame(c, "datasets", phrase(lang, "接口：%s", "API: %s", title)), Dataset: d, Release: r, Table: t, Latest: r.Number == d.LatestNumber,
		Conditional: d.OpenAttribute != catalog.Unconditional, Query: c.Request.URL.Query(), Limits: s.Limits}
	v.NoIndex = len(v.Query) > 0
	v.Crumbs = []link{{Words: phrase(lang, "数据集", "Datasets"), Href: href(lang, "/datasets")}, {Words: title, Href: href(lang, "/datasets/"+d.Slug)}, {Words: phrase(lang, "接口", "API")}}
	v.Publisher = s.publisherName(c.Request.Context(), lang, d)
	v.Action = tableAPIPath(d.Slug, t.Name, 0, 0)
	if !v.Latest {
		v.Pin = strconv.Itoa(r.Number)
	}
	if len(r.Tables) > 1 {
		for i := range r.Tables {
			o := &r.Tables[i]
			v.Tables = append(v.Tables, link{Words: o.Name, Href: href(lang, tableAPIPath(d.Slug, o.Name, r.Number, d.LatestNumber)), Current: o.Name == t.Name})
		}
	}
	_, _, v.Located = table.Coordinates(&t.Schema)
	v.addresses(s.absolute(""))
	v.columns()
	v.parameters()
	v.problem()
	s.tryQuery(c, v)
	return s.render(c, http.StatusOK, "table-api", v)
}

// addresses lists where the table is.
func (v *tableAPIPage) addresses(base string) {
	slug, number, name := v.Dataset.Slug, v.Release.Number, v.Table.Name
	add := func(list *[]apiFile, name, hint, path string) {
		*list = append(*list, apiFile{name, hint, base + path, path})
	}
	for _, f := range export.Formats {
		if export.Check(f.Name, export.Options{}, v.Table.Schema.Fields) != nil {
			continue
		}
		words := strings.ToUpper(f.Name)
		for _, m := range moreFormats {
			if m.format == f.Name {
				words = m.name
			}
		}
		if slices.Contains(formats, f.Name) {
			words = facetWords(v.Lang, "format", f.Name, nil)
		}
		add(&v.Files, words, formatWords[f.Name].In(v.Lang), dataPath(slug, number, name, f.Name))
	}
	v.Rows = base + apiTablePath(slug, number, name, "rows")
	v.OpenAPI, v.Schema = apiTablePath(slug, number, name, "openapi.json"), apiTablePath(slug, number, name, "schema")
	add(&v.Others, phrase(v.Lang, "分页的行", "Pages of rows"), phrase(v.Lang, "JSON，带游标", "JSON with cursors"), apiTablePath(slug, number, name, "rows"))
	add(&v.Others, phrase(v.Lang, "字段表", "Dictionary"), "JSON", v.Schema)
	add(&v.Others, phrase(v.Lang, "各列统计", "Statistics"), "JSON", apiTablePath(slug, number, name, "profile"))
	add(&v.Others, phrase(v.Lang, "清单", "Manifest"), phrase(v.Lang, "行数、字节数、散列", "rows, bytes, hashes"), dataPath(slug, number, name, "csv")+".manifest.json")
	add(&v.Others, "OpenAPI 3.1", phrase(v.Lang, "这张表的机读描述", "this table, for machines"), v.OpenAPI)
	v.Forms = []link{{Words: "OpenAPI", Href: v.OpenAPI, Type: "application/openapi+json"}, {Words: phrase(v.Lang, "字段表（JSON）", "Dictionary (JSON)"), Href: v.Schema}}
}

// suits lists the operators and functions that make sense for a type.
func suits(t catalog.Type) (ops, functions []string) {
	equal, ordered := []string{"=", "!=", "in"}, []string{"<", "<=", ">", ">="}
	switch t {
	case catalog.Integer, catalog.Decimal, catalog.Number:
		return slices.Concat(equal, ordered, []string{"is null"}), []string{"count", "distinct", "sum", "avg", "min", "max", "median", "quantile", "bin"}
	case catalog.Date, catalog.Datetime:
		return slices.Concat(equal, ordered, []string{"is null"}), []string{"count", "distinct", "min", "max", "trunc"}
	case catalog.Time:
		return slices.Concat(equal, ordered, []string{"is null"}), []string{"count", "distinct", "min", "max"}
	case catalog.Boolean:
		return []string{"=", "!=", "is null"}, []string{"count"}
	case catalog.JSON:
		return []string{"contains", "is null"}, []string{"count"}
	}
	return slices.Concat(equal, []string{"contains", "starts", "is null"}), []string{"count", "distinct", "min", "max"}
}

// wire says how JSON writes a type.
func wire(lang string, t catalog.Type) string {
	switch t {
	case catalog.Boolean:
		return "true / false"
	case catalog.Integer, catalog.Decimal, catalog.Number:
		return phrase(lang, "数字", "number")
	case catalog.Date:
		return `"2026-11-22"`
	case catalog.Time:
		return `"08:30:00"`
	case catalog.Datetime:
		return `"2026-11-22T08:00:00+08:00"`
	case catalog.JSON:
		return phrase(lang, "任意JSON", "any JSON")
	}
	return phrase(lang, "字符串", "string")
}

func (v *tableAPIPage) columns() {
	for i, f := range v.Table.Schema.Fields {
		if i == dictionaryRows {
			v.MoreColumns = len(v.Table.Schema.Fields) - i
			return
		}
		var p *catalog.ColumnProfile
		if v.Table.Profile != nil && i < len(v.Table.Profile.Columns) {
			p = &v.Table.Profile.Columns[i]
		}
		c := apiColumn{Name: selectText([]string{f.Name}), Zh: f.Label.Zh, En: f.Label.En, Kind: kindOf(f, p, v.Table.Rows), Type: typeWords[f.Type].In(v.Lang), Wire: wire(v.Lang, f.Type), Unit: f.Unit}
		if p != nil {
			c.Example = cut(p.Example(), 40)
		}
		c.Ops, c.Functions = suits(f.Type)
		v.Columns = append(v.Columns, c)
	}
}

// parameters describes each parameter with an example of this table.
func (v *tableAPIPage) parameters() {
	example := ExampleQuery(v.Table)
	add := func(name, zh, en string, q url.Values) {
		p := apiParameter{Name: name, What: phrase(v.Lang, zh, en)}
		if text := q.Get(name); text != "" {
			p.Example = text
			p.Href = href(v.Lang, withPin(v.Action, q, v.Pin)) + "#try"
		}
		v.Parameters = append(v.Parameters, p)
	}
	one := func(name string) url.Values { return url.Values{name: {example.Get(name)}} }
	add("where", "只取满足条件的行", "only rows for which the condition is true", one("where"))
	add("select", "只取这些列，按所写的顺序；可写聚合", "only these columns, in this order; aggregates too", one("select"))
	add("sort", "排序；列名前的 - 表示降序", "order; - before a column is descending", one("sort"))
	add("limit", "最多多少行", "at most so many rows", url.Values{"limit": {"5"}})
	add("group", "分组：每组一行", "one row for each group", one("group"))
	having := url.Values{}
	if example.Has("group") {
		having = url.Values{"group": {example.Get("group")}, "having": {"count > 1"}, "sort": {"-count"}}
	}
	add("having", "只取满足条件的组", "only groups for which the condition is true", having)
	add("q", "只取文本列中含有这些词的行", "only rows whose text columns hold these words", one("q"))
	if v.Located {
		add("bbox", "只取矩形内的点：西,南,东,北（度）", "only places in a rectangle: west,south,east,north", one("bbox"))
		add("near", "只取一点周围的点：经度,纬度,米", "only places around a point: longitude,latitude,metres", one("near"))
	}
	add("cursor", "只用于rows：原样填入上一页的next", "of rows alone: the next of the page before, as it is", nil)
	add("count", "只用于rows：count=1时同时给出总行数", "of rows alone: with count=1 also how many there are", nil)
}

// ExampleQuery are examples of parameters that work on t, from its profile, and so
// they tell of its values; what does not suggest itself is missing.
func ExampleQuery(t *catalog.Table) url.Values {
	q := url.Values{}
	set := func(name, text string) {
		if text != "" {
			q.Set(name, text)
		}
	}
	set("where", exampleWhere(t))
	var names []string
	middle, grouped := map[int][]string{}, false
	for i, f := range t.Schema.Fields {
		if len(names) < 3 {
			names = append(names, f.Name)
		}
		if t.Profile == nil || i >= len(t.Profile.Columns) {
			continue
		}
		p := &t.Profile.Columns[i]
		kind := kindOf(f, p, t.Rows)
		if len(p.Quantiles) == 5 {
			middle[i] = p.Quantiles
			if !q.Has("sort") {
				set("sort", sortText(f.Name, true))
			}
		}
		// Categories make the best groups; failing these, any text will do.
		if kind.Category && !grouped || f.Type == catalog.String && !q.Has("group") {
			grouped = kind.Category
			set("group", selectText([]string{f.Name}))
			if words := strings.Fields(p.Example()); len(words) > 0 {
				set("q", words[0])
			}
		}
	}
	set("select", selectText(names))
	if x, y, ok := table.Coordinates(&t.Schema); ok && middle[x] != nil && middle[y] != nil {
		set("bbox", strings.Join([]string{middle[x][1], middle[y][1], middle[x][3], middle[y][3]}, ","))
		set("near", strings.Join([]string{middle[x][2], middle[y][2], "2000"}, ","))
	}
	return q
}

// problem shows what an error looks like: the real one of a slip in this table.
func (v *tableAPIPage) problem() {
	p := handle.ProblemOf(table.UnknownColumn(&v.Table.Schema, "no_such_column"))
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(p) == nil {
		v.Problem = b.String()
	}
	v.ProblemHref = href(v.Lang, p.Type)
}

// tryQuery reads the form, asks what it asks, and writes the snippets.
func (s *Site) tryQuery(c *gin.Context, v *tableAPIPage) {
	q, t := v.Query, v.Table
	format := q.Get("format")
	if !slices.Contains(triedFormats, format) {
		format = triedFormats[0]
	}
	for _, f := range triedFormats {
		if f == "geojson" && !v.Located {
			continue
		}
		words := f
		if f == "rows" {
			words = phrase(v.Lang, "rows（分页的JSON）", "rows (JSON, in pages)")
		}
		v.Formats = append(v.Formats, choice{f, words, f == format})
	}
	params := table.ParamsOf(q.Get)
	asked := url.Values{}
	for _, name := range table.Parameters {
		if text := q.Get(name); text != "" {
			asked.Set(name, text)
		}
	}
	v.Own = len(asked) > 0
	if v.Own || q.Has("format") {
		s.show(c, v, format, asked)
	}
	plain := whole(v.Lang, s.BaseURL, v.Dataset, v.Release.Number, t)
	part := plain
	var err error
	if v.Own {
		if asked.Has("limit") {
			params.Limit, err = table.ParseLimit(asked.Get("limit"))
		}
		if err == nil {
			part, err = plain.part(params)
		}
		if err != nil {
			v.Wrong = sentence(v.Lang, err)
			v.Own = false
		}
	}
	if !v.Own {
		if where := exampleWhere(t); where != "" {
			part, _ = plain.part(table.Params{Where: where})
		}
	}
	for _, p := range part.pairs() {
		if v.Filter != "" {
			v.Filter += " & "
		}
		v.Filter += p[0] + "=" + p[1]
	}
	v.Snippets = snippets(plain, part)
	v.Explorer = href(v.Lang, withPin("/datasets/"+v.Dataset.Slug+"/tables/"+url.PathEscape(t.Name), only(asked, "where", "select", "sort"), v.Pin))
}

// show asks the portal what the form asks, for a few rows.
func (s *Site) show(c *gin.Context, v *tableAPIPage, format string, asked url.Values) {
	if s.Portal == nil {
		return
	}
	sent := only(asked, table.Parameters...)
	if n, err := strconv.Atoi(asked.Get("limit")); !asked.Has("limit") || err == nil && n > triedRowsMost {
		sent.Set("limit", strconv.Itoa(min(max(n, triedRows), triedRowsMost)))
	}
	path := dataPath(v.Dataset.Slug, v.Release.Number, v.Table.Name, format)
	if format == "rows" {
		path = apiTablePath(v.Dataset.Slug, v.Release.Number, v.Table.Name, "rows")
	}
	v.Tried = s.try(c, path, sent)
	key := ""
	if v.Conditional {
		key = ` -H "Authorization: Bearer $TAIHU_TOKEN"`
	}
	v.Tried.Curl = fmt.Sprintf("curl -iG%s \"%s\"", key, s.absolute(path))
	for _, name := range table.Parameters {
		if sent.Has(name) {
			v.Tried.Curl += " \\\n  --data-urlencode " + shellQuote(name+"="+sent.Get(name))
		}
	}
}

// only are the values of some names.
func only(q url.Values, names ...string) url.Values {
	out := url.Values{}
	for _, n := range names {
		if q.Has(n) {
			out[n] = q[n]
		}
	}
	return out
}
