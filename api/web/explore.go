package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

// explorePage is a table under conditions, page by page.
type explorePage struct {
	frame
	Dataset    *catalog.Dataset
	Release    *catalog.Release
	Table      *catalog.Table
	Crumbs     []link
	Publisher  string
	Latest     bool
	Action     string // address of the form
	Pin        string // release number the form keeps, where it is not the latest
	Conditions []condition
	Clause     string // the condition as text, where rows cannot show it
	Columns    []choice
	Shown      int
	Sorts      []choice
	Filtered   bool
	Clear      string
	Grid       grid
	Count      int64
	Counted    bool
	Share      string
	Files      []link
	RowsHref   string
	APIHref    string // this view on the page of the table's API
	Next       string
	First      string
	Form       form
	Where      string
}

const sortedColumns = 200 // columns offered in the menus

// explore shows rows of a table, or turns what its form sends into the canonical
// address of the same view.
func (s *Site) explore(c *gin.Context) error {
	s.Budgets.Show(c)
	lang := language(c)
	q := c.Request.URL.Query()
	d, r, t, err := s.tableAsked(c)
	if t == nil {
		return err
	}
	title := d.Title.In(lang)
	v := &explorePage{frame: s.frame(c, "datasets", title), Dataset: d, Release: r, Table: t, Latest: r.Number == d.LatestNumber, Form: newForm(q)}
	v.NoIndex, v.Wide = true, true
	v.Crumbs = []link{{Words: phrase(lang, "数据集", "Datasets"), Href: href(lang, "/datasets")}, {Words: title, Href: href(lang, "/datasets/"+d.Slug)}, {Words: phrase(lang, "探索", "Explore")}}
	v.Publisher = s.publisherName(c.Request.Context(), lang, d)
	v.Action = "/datasets/" + d.Slug + "/tables/" + url.PathEscape(t.Name)
	if !v.Latest {
		v.Pin = strconv.Itoa(r.Number)
	}
	v.Clear = href(lang, v.address(url.Values{}))
	if q.Has("field") || q.Has("clause") || q.Has("column") {
		return s.redirectToView(c, v, q)
	}
	return s.showView(c, v, table.Params{Where: q.Get("where"), Select: q.Get("select"), Sort: q.Get("sort"), Cursor: q.Get("cursor")}, nil)
}

// tableAsked finds the table of an address for its reader. It is nil where the
// answer is given already (an old slug leads to the new one, a withdrawn release
// to its page), or an error comes back.
func (s *Site) tableAsked(c *gin.Context) (*catalog.Dataset, *catalog.Release, *catalog.Table, error) {
	ctx, actor := c.Request.Context(), handle.Actor(c)
	number, err := releaseAsked(c.Request.URL.Query())
	if err != nil {
		return nil, nil, nil, err
	}
	d, r, err := s.Store.Release(ctx, actor, c.Param("slug"), number)
	if err != nil {
		return nil, nil, nil, err
	}
	if d.Slug != c.Param("slug") {
		return nil, nil, nil, moved(c, d.Slug)
	}
	if r.State == catalog.Withdrawn {
		return nil, nil, nil, seeOther(c, releasePath(d.Slug, r.Number))
	}
	if err := catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(d)); err != nil {
		return nil, nil, nil, err
	}
	t, err := r.Table(c.Param("table"))
	return d, r, t, err
}

// publisherName is the name of the dataset's organization; empty where it cannot
// be read, which the page can do without.
func (s *Site) publisherName(ctx context.Context, lang string, d *catalog.Dataset) string {
	path, err := s.Store.OrganizationPath(ctx, d.OrganizationID)
	if err != nil || len(path) == 0 {
		return ""
	}
	return path[len(path)-1].Name.In(lang)
}

// releaseAsked is the release of the view: as the address says, as its cursor
// says (a cursor stays on the release it began with), else the latest: 0.
func releaseAsked(q url.Values) (int, error) {
	if n := q.Get("release"); n != "" {
		number, err := strconv.Atoi(n)
		if err != nil || number < 1 {
			return 0, catalog.Errorf(catalog.NotFound, "unknown_release", "there is no release %q", n).InChinese("没有“%s”这一版", n)
		}
		return number, nil
	}
	if token := q.Get("cursor"); token != "" {
		if cursor, err := table.ParseCursor(token); err == nil {
			return cursor.Release, nil
		}
	}
	return 0, nil
}

// address is the view's own path with some parameters.
func (v *explorePage) address(q url.Values) string {
	return withPin(v.Action, q, v.Pin)
}

// withPin puts q behind path, and the release where it is not the latest.
func withPin(path string, q url.Values, pin string) string {
	if pin != "" {
		q = maps.Clone(q)
		q.Set("release", pin)
	}
	return withQuery(path, q)
}

// redirectToView answers the form: 303 to the canonical where, sort and select,
// or the page again with what was typed and what is wrong.
func (s *Site) redirectToView(c *gin.Context, v *explorePage, q url.Values) error {
	typed := formConditions(q)
	where := conjoin(typed, &v.Table.Schema)
	params := table.Params{Where: whereText(where), Sort: q.Get("sort")}
	if clause := strings.TrimSpace(q.Get("clause")); clause != "" {
		written, err := table.Parse(table.Params{Where: clause})
		if err != nil {
			v.Clause = clause
			return s.showWrong(c, v, typed, "clause", err)
		}
		if where == nil {
			params.Where = whereText(written.Where)
		} else {
			params.Where = whereText(table.Conjunction{Terms: []table.Expr{where, written.Where}})
		}
	}
	if columns := q["column"]; len(columns) > 0 && len(columns) < min(len(v.Table.Schema.Fields), sortedColumns) {
		params.Select = selectText(columns)
	}
	query, err := table.Parse(params)
	if err == nil {
		_, err = query.Check(&v.Table.Schema)
	}
	if err != nil {
		v.Clause = q.Get("clause")
		return s.showWrong(c, v, typed, "conditions", err)
	}
	canonical := query.Canonical()
	out := url.Values{}
	for name, value := range map[string]string{"where": canonical.Where, "sort": canonical.Sort, "select": canonical.Select} {
		if value != "" {
			out.Set(name, value)
		}
	}
	return seeOther(c, v.address(out))
}

// showWrong shows the whole table under the form as it was typed.
func (s *Site) showWrong(c *gin.Context, v *explorePage, typed []condition, field string, err error) error {
	if catalog.KindOf(err) != catalog.Invalid {
		return err
	}
	v.Form.refuse(field, sentence(v.Lang, err))
	v.Conditions = typed
	return s.showView(c, v, table.Params{}, typed)
}

// showView reads one page of rows. A where, select or sort that cannot be is
// said on top of the form, not on an error page, so that it can be mended.
func (s *Site) showView(c *gin.Context, v *explorePage, p table.Params, typed []condition) error {
	ctx, t := c.Request.Context(), v.Table
	p.Limit = pageRows
	query, err := table.Parse(p)
	if err == nil {
		_, err = query.CheckTable(t.TableSHA256, &t.Schema)
	}
	if err != nil {
		if catalog.KindOf(err) != catalog.Invalid {
			return err
		}
		v.Form.refuse("conditions", sentence(v.Lang, err))
		v.Clause = p.Where
		p = table.Params{Limit: pageRows}
		query, _ = table.Parse(p)
	}
	v.fillForm(query, typed)
	if err := s.Budgets.Spend(c); err != nil {
		return err
	}
	answer, err := s.Pool.Rows(ctx, t, p, pool.RowsOptions{Count: true, NoJSON: true, Client: handle.Client(c)})
	if err != nil {
		return err
	}
	v.fillGrid(query, answer)
	v.fillLinks(query, answer)
	status := http.StatusOK
	if v.Form.Refused() {
		status = http.StatusBadRequest
	}
	return s.render(c, status, "explore", v)
}

// fillForm shows the query as rows of the form, with one empty row at the end.
func (v *explorePage) fillForm(query *table.Query, typed []condition) {
	canonical := query.Canonical()
	v.Where = canonical.Where
	v.Filtered = canonical.Where != ""
	if typed == nil {
		rows, ok := conditionsOf(query.Where)
		if ok {
			v.Conditions = rows
		} else if v.Clause == "" {
			v.Clause = canonical.Where
		}
	}
	fields := v.Table.Schema.Fields
	for i := range v.Conditions {
		c := &v.Conditions[i]
		var kind catalog.Type
		if at := v.Table.Schema.Index(c.Field); at >= 0 {
			kind = fields[at].Type
		}
		c.Label = c.Field
		c.NoValue = c.Op == "null" || c.Op == "notnull"
		c.Ops = opsFor(v.Lang, kind, c.Op)
		rest := slices.Delete(slices.Clone(v.Conditions), i, i+1)
		q := url.Values{}
		if w := whereText(conjoin(rest, &v.Table.Schema)); w != "" {
			q.Set("where", w)
		}
		if canonical.Sort != "" {
			q.Set("sort", canonical.Sort)
		}
		if canonical.Select != "" {
			q.Set("select", canonical.Select)
		}
		c.Drop = href(v.Lang, v.address(q))
	}
	v.Sorts = []choice{{Words: phrase(v.Lang, "原来的顺序", "as in the file"), Chosen: canonical.Sort == ""}}
	known := canonical.Sort == ""
	for _, f := range fields[:min(len(fields), sortedColumns)] {
		up, down := sortText(f.Name, false), sortText(f.Name, true)
		known = known || canonical.Sort == up || canonical.Sort == down
		v.Sorts = append(v.Sorts, choice{up, phrase(v.Lang, "%s，从小到大", "%s, ascending", f.Name), canonical.Sort == up},
			choice{down, phrase(v.Lang, "%s，从大到小", "%s, descending", f.Name), canonical.Sort == down})
	}
	if !known {
		v.Sorts = append(v.Sorts, choice{canonical.Sort, canonical.Sort, true})
	}
	chosen := func(name string) bool {
		return len(query.Select) == 0 || slices.ContainsFunc(query.Select, func(c table.Item) bool { return c.Name == name })
	}
	for _, f := range fields[:min(len(fields), sortedColumns)] {
		v.Columns = append(v.Columns, choice{f.Name, f.Name, chosen(f.Name)})
	}
}

// fillGrid makes the grid, with the whole table's profiles only where the whole
// table is shown.
func (v *explorePage) fillGrid(query *table.Query, a *pool.RowsAnswer) {
	fields := a.Columns
	v.Shown = len(fields)
	if len(fields) > previewColumns {
		v.Grid.Hidden = len(fields) - previewColumns
		fields = fields[:previewColumns]
	}
	v.Grid.Profiled = !v.Filtered && v.Table.Profile != nil && v.Table.Rows > 0
	v.Grid.Columns = columnsOf(v.Lang, v.Table, fields, v.Grid.Profiled, href(v.Lang, v.address(url.Values{})))
	filtered := map[string]bool{}
	for _, c := range v.Conditions {
		filtered[c.Field] = true
	}
	for i := range v.Grid.Columns {
		col := &v.Grid.Columns[i]
		col.Filtered = filtered[col.Name]
		q := v.parameters(query)
		q.Set("sort", sortText(col.Name, false))
		if len(query.Sort) > 0 && query.Sort[0].Column.Name == col.Name {
			col.Sorted = "ascending"
			if query.Sort[0].Descending {
				col.Sorted = "descending"
			} else {
				q.Set("sort", sortText(col.Name, true))
			}
		}
		col.Href = href(v.Lang, v.address(q))
	}
	v.Grid.Rows = gridRows(a, v.Grid.Columns, 0)
	v.Grid.reportable(v.Lang, v.Dataset.Slug, v.Release.Number, v.Table)
	v.Grid.Label = phrase(v.Lang, "%s，%d行", "%s, %d rows", v.Title, len(v.Grid.Rows))
	if a.Count != nil {
		v.Count, v.Counted = *a.Count, true
		v.Share = percent(v.Count, v.Table.Rows)
	}
}

// parameters are where, sort and select of the view.
func (v *explorePage) parameters(query *table.Query) url.Values {
	p := query.Canonical()
	q := url.Values{}
	for name, value := range map[string]string{"where": p.Where, "sort": p.Sort, "select": p.Select} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

func (v *explorePage) fillLinks(query *table.Query, a *pool.RowsAnswer) {
	q := v.parameters(query)
	for _, f := range formats {
		v.Files = append(v.Files, link{Words: facetWords(v.Lang, "format", f, nil), Note: formatWords[f].In(v.Lang), Href: withQuery(dataPath(v.Dataset.Slug, v.Release.Number, v.Table.Name, f), q)})
	}
	v.RowsHref = withQuery(apiTablePath(v.Dataset.Slug, v.Release.Number, v.Table.Name, "rows"), q)
	v.APIHref = href(v.Lang, withPin(v.Action+"/api", q, v.Pin))
	v.Forms = []link{{Words: "JSON", Href: v.RowsHref}}
	if query.Cursor != nil {
		v.First = href(v.Lang, v.address(v.parameters(query)))
	}
	if a.Next != nil {
		next := v.parameters(query)
		next.Set("cursor", table.Cursor{Release: v.Release.Number, Query: a.Query, Position: *a.Next}.String())
		v.Next = href(v.Lang, withQuery(v.Action, next))
	}
}
