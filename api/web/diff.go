package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	exports "taihu/api/download"
	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/diff"
)

// diffPage is what changed between two releases, one table at a time.
type diffPage struct {
	frame
	Dataset    *catalog.Dataset
	Crumbs     []link
	Heading    string
	Old, New   string // the releases in words
	Draft      string // address of the draft, where the new one is one
	Olds, News []choice
	Action     string // address of the form
	Tables     []diffTab
	Table      string
	Whole      string // what is to be said of a table that one release alone has
	Form       form
	Summary    *diff.Summary
	More       string // how many rows more or fewer, in words
	Notice     string
	Keys       []link       // columns that tell all rows apart, to compare by
	Columns    []diffColumn // that are not the same
	Kept       int          // columns that are
	Ranking    []diffRank
	Rest       [2]int    // columns beyond those shown, in either list
	Kinds      []diffTab // all, changed, added, removed
	Rows       []diffRow
	Files      []link
	First      string
	Next       string
}

// diffTab is a table or a kind of change to choose.
type diffTab struct {
	Words, Href string
	Count       int64
	Counted     bool
	Current     bool
}

// diffColumn is a column of which something changed.
type diffColumn struct {
	Change   diff.Change
	Name     string
	Old, New string // type, offset and unit; empty where it is not there
	What     string
}

// diffRank is how many cells of a column changed.
type diffRank struct {
	Name  string
	Cells int64
	Width string
}

// diffRow is a row that changed.
type diffRow struct {
	Change diff.Change
	Place  string // its number in either release
	Key    []diffCell
	Cells  []diffCell
	Rest   int // cells that are not shown
}

type diffCell struct {
	Column         string
	Old, New       cell
	HasOld, HasNew bool
}

const (
	diffRows    = 50  // changed rows on a page
	diffCells   = 12  // of one of them
	diffColumns = 100 // columns in each list
)

// diffForm leads from the form to the address of what was chosen.
func (s *Site) diffForm(c *gin.Context) error {
	q := c.Request.URL.Query()
	to := url.Values{}
	for _, name := range []string{"table", "key", "change"} {
		if v := strings.TrimSpace(q.Get(name)); v != "" {
			to.Set(name, v)
		}
	}
	d, old, now, err := s.Store.Compared(c.Request.Context(), handle.Actor(c), c.Param("slug"), q.Get("from"), q.Get("to"))
	if err != nil {
		return err
	}
	return seeOther(c, withQuery(diffPath(d.Slug, exports.Ref(old), exports.Ref(now)), to))
}

// diffPath is the page that compares two releases.
func diffPath(slug, old, now string) string {
	return "/datasets/" + slug + "/diff/" + old + "..." + now
}

// diff shows what changed between two releases.
func (s *Site) diff(c *gin.Context) error {
	s.Budgets.Show(c)
	ctx, actor, lang := c.Request.Context(), handle.Actor(c), language(c)
	from, to, two := strings.Cut(c.Param("range"), "...")
	if !two || from == "" || to == "" {
		return catalog.Errorf(catalog.NotFound, "unknown_release", "two releases are written 3...4").InChinese("两版之间写作3...4")
	}
	d, old, now, err := s.Store.Compared(ctx, actor, c.Param("slug"), from, to)
	if err != nil {
		return err
	}
	if d.Slug != c.Param("slug") || from != exports.Ref(old) || to != exports.Ref(now) {
		c.Redirect(map[bool]int{true: http.StatusMovedPermanently, false: http.StatusFound}[d.Slug != c.Param("slug")],
			href(lang, withQuery(diffPath(d.Slug, exports.Ref(old), exports.Ref(now)), c.Request.URL.Query())))
		return nil
	}
	q := c.Request.URL.Query()
	v := &diffPage{frame: s.frame(c, "datasets", ""), Dataset: d, Form: newForm(q), Action: "/datasets/" + d.Slug + "/diff"}
	v.NoIndex = true
	v.Old, v.New = releaseWords(lang, old), releaseWords(lang, now)
	v.Heading = phrase(lang, "%s到%s，改了什么", "What changed from %s to %s", lowerFirst(v.Old, lang), lowerFirst(v.New, lang))
	v.Title = phrase(lang, "%s：%s", "%s: %s", d.Title.In(lang), lowerFirst(v.Heading, lang))
	v.Crumbs = []link{{Words: phrase(lang, "数据集", "Datasets"), Href: href(lang, "/datasets")}, {Words: d.Title.In(lang), Href: href(lang, "/datasets/"+d.Slug)},
		{Words: phrase(lang, "版本", "Releases"), Href: href(lang, "/datasets/"+d.Slug) + "#releases"}, {Words: v.Old + " → " + v.New}}
	if now.Number == 0 {
		v.Draft = href(lang, "/steward/drafts/"+now.ID)
	}
	releases, err := s.Store.Releases(ctx, actor, d.Slug)
	if err != nil {
		return err
	}
	v.choices(releases, old, now)
	pairs, req, err := exports.Compare(d, old, now, exports.CompareParams{Table: q.Get("table"), Key: q.Get("key"), Change: q.Get("change")})
	status := http.StatusOK
	if err == nil {
		v.chooseTable(pairs, req, q)
		err = s.compareTable(c, v, req, q)
	}
	if err != nil {
		if !aboutKey(err) {
			return err
		}
		status = handle.Status(catalog.KindOf(err)) // the page says what is wrong, and can be mended
		v.Form.refuse("key", sentence(lang, err))
	}
	return s.render(c, status, "diff", v)
}

// aboutKey reports whether an error is about what a reader typed as the key.
func aboutKey(err error) bool {
	switch catalog.CodeOf(err) {
	case "bad_key", "key_not_unique", "unknown_column":
		return true
	}
	return false
}

func releaseWords(lang string, r *catalog.Release) string {
	if r.Number == 0 {
		return phrase(lang, "草稿", "The draft")
	}
	return phrase(lang, "第%d版", "Release %d", r.Number)
}

// lowerFirst makes a phrase go on in a sentence.
func lowerFirst(s, lang string) string {
	if lang == "en" && s != "" && s[0] >= 'A' && s[0] <= 'Z' {
		return string(s[0]-'A'+'a') + s[1:]
	}
	return s
}

// choices fills the form's two lists: releases that stand, and the draft.
func (v *diffPage) choices(releases []catalog.Release, old, now *catalog.Release) {
	for i := range releases {
		r := &releases[i]
		if r.State != catalog.Published {
			continue
		}
		words := releaseWords(v.Lang, r)
		if r.PublishedAt != nil {
			words += " · " + isoDay(*r.PublishedAt)
		}
		n := strconv.Itoa(r.Number)
		v.Olds = append(v.Olds, choice{n, words, r.Number == old.Number})
		v.News = append(v.News, choice{n, words, r.Number == now.Number})
	}
	if now.Number == 0 {
		v.News = append([]choice{{now.ID, v.New, true}}, v.News...)
	}
}

// address is that of this comparison with other parameters.
func (v *diffPage) address(r string, q url.Values) string {
	return href(v.Lang, withQuery("/datasets/"+v.Dataset.Slug+"/diff/"+r, q))
}

func (v *diffPage) chooseTable(pairs []diff.Tables, req *exports.Request, q url.Values) {
	r := lastSegment(v.Path)
	v.Table = q.Get("table")
	if req != nil {
		v.Table = req.Table.Name
	}
	for _, p := range pairs {
		words := p.Name
		switch p.Change {
		case diff.Same:
			words += phrase(v.Lang, "：未变", ": same")
		case diff.Added:
			words += phrase(v.Lang, "：新增", ": added")
		case diff.Removed:
			words += phrase(v.Lang, "：删去", ": removed")
		}
		v.Tables = append(v.Tables, diffTab{Words: words, Href: v.address(r, url.Values{"table": {p.Name}}), Current: p.Name == v.Table})
		if p.Name != v.Table || req != nil {
			continue
		}
		if p.New != nil {
			v.Whole = phrase(v.Lang, "%s才有这张表：%s行，%d个字段。", "Only %s has this table: %s rows, %d columns.", v.New, number(p.New.Rows), len(p.New.Schema.Fields))
		} else {
			v.Whole = phrase(v.Lang, "%s没有这张表了：原有%s行，%d个字段。", "%s has not got this table: it had %s rows, %d columns.", v.New, number(p.Old.Rows), len(p.Old.Schema.Fields))
		}
	}
	if req == nil && v.Whole == "" {
		v.Whole = phrase(v.Lang, "没有两版都有的表。", "No table is in both.")
	}
}

// compareTable fills what the comparison came to.
func (s *Site) compareTable(c *gin.Context, v *diffPage, req *exports.Request, q url.Values) error {
	if req == nil {
		return nil
	}
	if s.Downloads == nil {
		return catalog.Errorf(catalog.Unavailable, "query_failed", "this portal compares nothing now: try again later").InChinese("暂时不能比较：请稍后再试")
	}
	skip, _ := strconv.ParseInt(q.Get("cursor"), 10, 64)
	req.Client, req.Diff.Skip, req.Diff.Limit = handle.Client(c), max(0, skip), diffRows
	text, err := s.Downloads.Page(c.Request.Context(), req, func() error { return s.Budgets.Spend(c) })
	if err != nil {
		return err
	}
	var page diff.Page
	if err := json.Unmarshal(text, &page); err != nil {
		return fmt.Errorf("read comparison: %w", err)
	}
	v.Summary = &page.Summary
	if n := page.Summary.Notice; n != nil {
		v.Notice = n.Message.In(v.Lang)
	}
	if len(page.Summary.Key) == 0 {
		for _, name := range distinctColumns(req.Diff.Table, req.Table) {
			v.Keys = append(v.Keys, link{Words: name, Href: v.address(req.Range(), url.Values{"table": {req.Table.Name}, "key": {table.FormatNames([]string{name})}})})
		}
	}
	v.More = v.moreWords(page.Summary.Rows)
	v.fillColumns(page.Summary.Columns)
	params := req.DiffQuery()
	params.Set("table", req.Table.Name)
	r := req.Range()
	for _, change := range append([]diff.Change{""}, diff.Changes...) {
		q := withValue(params, "change", string(change))
		v.Kinds = append(v.Kinds, diffTab{Words: changeNames[change].In(v.Lang), Href: v.address(r, q) + "#rows", Count: page.Summary.Rows.Of(change), Counted: true, Current: change == req.Diff.Change})
	}
	for _, row := range page.Changes {
		v.Rows = append(v.Rows, v.row(row, page.Summary.Key))
	}
	if skip > 0 {
		v.First = v.address(r, params) + "#rows"
	}
	if page.Next != nil {
		v.Next = v.address(r, withValue(params, "cursor", strconv.FormatInt(*page.Next, 10))) + "#rows"
	}
	file := req.DiffQuery()
	for _, f := range formats {
		v.Files = append(v.Files, link{Words: facetWords(v.Lang, "format", f, nil), Href: withQuery("/data/"+v.Dataset.Slug+"/"+r+"/"+url.PathEscape(req.Table.Name+"."+f), file)})
	}
	api := withValue(withValue(params, "from", exports.Ref(req.Diff.Release)), "to", exports.Ref(req.Release))
	v.Forms = []link{{Words: "JSON", Href: withQuery("/api/v1/datasets/"+v.Dataset.Slug+"/diff", api)}}
	return nil
}

// distinctColumns are the columns of which, as was counted when the tables were
// checked, every value of either is another.
func distinctColumns(old, now *catalog.Table) []string {
	of := func(t *catalog.Table) []string {
		var names []string
		if t.Profile == nil || t.Rows == 0 {
			return nil
		}
		for _, c := range t.Profile.Columns {
			if c.Exact && c.Nulls == 0 && c.Distinct == t.Rows {
				names = append(names, c.Name)
			}
		}
		return names
	}
	before := of(old)
	return slices.DeleteFunc(of(now), func(name string) bool { return !slices.Contains(before, name) })
}

// withValue is q with another value; "" takes the name out.
func withValue(q url.Values, name, value string) url.Values {
	out := url.Values{}
	for k, v := range q {
		out[k] = v
	}
	out.Del(name)
	if value != "" {
		out.Set(name, value)
	}
	return out
}

// changeNames are the words of changes of rows; "" is all.
var changeNames = map[diff.Change]catalog.Text{
	"": {Zh: "全部", En: "All"}, diff.Changed: {Zh: "改动", En: "Changed"}, diff.Added: {Zh: "新增", En: "Added"}, diff.Removed: {Zh: "删去", En: "Removed"},
}

func (v *diffPage) moreWords(r diff.RowCounts) string {
	switch {
	case r.Old == r.New:
		return phrase(v.Lang, "与原来一样多", "as many as before")
	case r.New > r.Old:
		return phrase(v.Lang, "原%s，多%s", "was %s, %s more", number(r.Old), number(r.New-r.Old))
	}
	return phrase(v.Lang, "原%s，少%s", "was %s, %s fewer", number(r.Old), number(r.Old-r.New))
}

func (v *diffPage) fillColumns(columns []diff.ColumnChange) {
	most := int64(1)
	for _, c := range columns {
		if c.Cells > 0 {
			v.Ranking = append(v.Ranking, diffRank{Name: c.Name, Cells: c.Cells})
			most = max(most, c.Cells)
		}
		if c.Change == diff.Same && len(c.Words) == 0 {
			v.Kept++
			continue
		}
		v.Columns = append(v.Columns, diffColumn{Change: c.Change, Name: c.Name, Old: v.formWords(c.Old), New: v.formWords(c.New), What: v.columnWords(c)})
	}
	slices.SortStableFunc(v.Ranking, func(a, b diffRank) int { return cmp.Compare(b.Cells, a.Cells) })
	v.Rest = [2]int{max(0, len(v.Columns)-diffColumns), max(0, len(v.Ranking)-diffColumns)}
	v.Columns, v.Ranking = v.Columns[:len(v.Columns)-v.Rest[0]], v.Ranking[:len(v.Ranking)-v.Rest[1]]
	for i := range v.Ranking { // by the root, so that few are seen beside many
		v.Ranking[i].Width = decimals(100 * math.Sqrt(float64(v.Ranking[i].Cells)/float64(most)))
	}
}

func (v *diffPage) formWords(f *diff.ColumnForm) string {
	if f == nil {
		return ""
	}
	s := typeWords[f.Type].In(v.Lang)
	if f.Type == catalog.Decimal {
		s += fmt.Sprintf(" (%d,%d)", f.Precision, f.Scale)
	}
	for _, more := range []string{f.Zone, f.Unit} {
		if more != "" {
			s += " · " + more
		}
	}
	return s
}

// columnWords says what of a column changed.
func (v *diffPage) columnWords(c diff.ColumnChange) string {
	switch c.Change {
	case diff.Added:
		return phrase(v.Lang, "新字段，不算作行的改动", "new; no row counts as changed for it")
	case diff.Removed:
		return phrase(v.Lang, "没有了，用到它的程序会受影响", "gone; programs that use it will notice")
	}
	var what []string
	add := func(differs bool, zh, en string) {
		if differs {
			what = append(what, phrase(v.Lang, zh, en))
		}
	}
	add(c.Old.Type != c.New.Type || c.Old.Precision != c.New.Precision || c.Old.Scale != c.New.Scale, "类型", "type")
	add(c.Old.Zone != c.New.Zone, "时区", "offset")
	add(c.Old.Unit != c.New.Unit, "单位", "unit")
	add(c.Old.Name != c.New.Name, "名称的写法", "spelling of the name")
	add(slices.Contains(c.Words, "label"), "标签", "label")
	add(slices.Contains(c.Words, "description"), "说明", "description")
	add(slices.Contains(c.Words, "codes"), "代码表", "codes")
	return strings.Join(what, phrase(v.Lang, "、", ", "))
}

func (v *diffPage) row(r diff.RowChange, key []string) diffRow {
	out := diffRow{Change: r.Change}
	switch r.Change {
	case diff.Added:
		out.Place = number(r.NewRow)
	case diff.Removed:
		out.Place = number(r.OldRow)
	default:
		out.Place = number(r.NewRow)
		if r.OldRow != r.NewRow {
			out.Place = number(r.OldRow) + "→" + out.Place
		}
	}
	for _, k := range key {
		out.Key = append(out.Key, diffCell{Column: k, New: jsonCell(r.Key[k])})
	}
	for i, c := range r.Cells {
		if i == diffCells {
			out.Rest = len(r.Cells) - i
			break
		}
		out.Cells = append(out.Cells, diffCell{Column: c.Column, Old: jsonCell(c.Old), New: jsonCell(c.New), HasOld: c.Old != nil, HasNew: c.New != nil})
	}
	return out
}

// jsonCell is a value of JSON as a cell.
func jsonCell(raw json.RawMessage) cell {
	if raw == nil || string(raw) == "null" {
		return cell{Null: true}
	}
	text := string(raw)
	var s string
	if json.Unmarshal(raw, &s) == nil {
		text = s
	}
	return cellOf(&text, column{})
}
