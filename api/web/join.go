package web

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/api/standards"
	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/table/pool"
)

// joinPage shows which columns of other datasets share values with one.
type joinPage struct {
	frame
	Dataset  *catalog.Dataset
	Crumbs   []link
	Column   string
	Type     string
	Compared bool
	Why      string // it is not compared
	Distinct int64
	Rows     []joinRow
	Named    string // finds datasets that have a column of this name
	Failed   string // why no overlap could be counted
}

// joinRow is a column that shares values.
type joinRow struct {
	Title        catalog.Text
	Table        string
	Href         string // of its dataset
	Back         string // what shares values with that column
	Column, Type string
	SameName     bool
	Shared       string // values that both have
	Of, In       joinShare
	Few          bool   // the estimate stands on few values
	Exact        string // address at which it is counted; empty where it was
	Counted      *exactOverlap
	SQL          string
	Key          string // of its code on the page
}

// joinShare is a share of one column's values.
type joinShare struct {
	Words string
	Width string // of its bar, 0 to 100
}

// exactOverlap is what was counted value by value.
type exactOverlap struct {
	Shared, Of, In string
}

// joins shows what a column can be joined with.
func (s *Site) joins(c *gin.Context) error {
	ctx, actor, lang, q := c.Request.Context(), handle.Actor(c), language(c), c.Request.URL.Query()
	if q.Get("column") == "" {
		return seeOther(c, withQuery("/datasets/"+c.Param("slug"), url.Values{"table": {c.Param("table")}})+"#fields")
	}
	j, err := s.Store.Joins(ctx, actor, c.Param("slug"), c.Param("table"), q.Get("column"))
	if err != nil {
		return err
	}
	if j.Dataset.Slug != c.Param("slug") {
		return moved(c, j.Dataset.Slug)
	}
	title := j.Dataset.Title.In(lang)
	v := &joinPage{frame: s.frame(c, "datasets", phrase(lang, "同值的列：%s · %s", "Columns that share values: %s · %s", j.Field.Name, title)), Dataset: j.Dataset,
		Column: j.Field.Name, Type: typeWords[j.Field.Type].In(lang), Compared: j.Compared, Distinct: j.Distinct}
	v.NoIndex = true
	v.Crumbs = []link{{Words: phrase(lang, "数据集", "Datasets"), Href: href(lang, "/datasets")}, {Words: title, Href: href(lang, "/datasets/"+j.Dataset.Slug)}, {Words: phrase(lang, "同值的列", "Shared values")}}
	v.Named = href(lang, columnSearch(j.Field.Name))
	v.Forms = []link{{Words: "JSON", Href: withQuery(apiTablePath(j.Dataset.Slug, j.Release.Number, j.Table.Name, "joins"), url.Values{"column": {j.Field.Name}})}}
	if !j.Compared {
		v.Why = whyNotCompared(lang, j)
	}
	status := http.StatusOK
	var counted *pool.Overlap
	dataset, with, _ := strings.Cut(q.Get("with"), "/")
	if dataset != "" {
		if counted, err = s.countOverlap(c, j, dataset, with, q.Get("other")); err != nil {
			v.Failed, status = sentence(lang, err), handle.Status(catalog.KindOf(err))
		}
	}
	for i := range j.Joins {
		x := &j.Joins[i]
		row := v.row(s, j, x, strconv.Itoa(i+1))
		if counted != nil && x.Slug == dataset && x.Table == with && x.Column == q.Get("other") {
			row.Exact, row.Counted = "", &exactOverlap{number(counted.Shared), shareWords(counted.Of), shareWords(counted.In)}
		}
		v.Rows = append(v.Rows, row)
	}
	return s.render(c, status, "joins", v)
}

// countOverlap counts what a column shares with one of its joins. What is internal
// comes back as unavailable: the page is useful without it.
func (s *Site) countOverlap(c *gin.Context, j *store.JoinColumn, dataset, table, column string) (*pool.Overlap, error) {
	ctx := c.Request.Context()
	s.Budgets.Show(c)
	one, other, err := s.Store.Joined(ctx, handle.Actor(c), j.Dataset.Slug, j.Table.Name, j.Field.Name, dataset, table, column)
	if err != nil {
		return nil, err
	}
	if err := s.Budgets.Spend(c); err != nil {
		return nil, err
	}
	o, err := s.Pool.Overlap(ctx, one.Table, one.Field.Name, other.Table, other.Field.Name, handle.Client(c))
	if err != nil && catalog.KindOf(err) == "" {
		s.Log.WarnContext(ctx, "overlap was not counted", "dataset", j.Dataset.Slug, "column", j.Field.Name, "request_id", handle.RequestID(c), "error", err)
		err = catalog.Errorf(catalog.Unavailable, "query_failed", "this query failed: try again").InChinese("查询失败：请重试")
	}
	return &o, err
}

func (v *joinPage) row(s *Site, j *store.JoinColumn, x *store.Join, key string) joinRow {
	about := phrase(v.Lang, "约", "about ")
	if x.Counted {
		about = ""
	}
	share := func(f float64) joinShare {
		return joinShare{about + shareWords(f), strconv.FormatFloat(math.Round(1000*f)/10, 'f', 1, 64)}
	}
	mine := standards.Column{Slug: j.Dataset.Slug, Number: j.Release.Number, Table: j.Table.Name, Name: j.Field.Name, Type: j.Field.Type}
	row := joinRow{Title: x.Title, Table: x.Table, Href: href(v.Lang, withQuery("/datasets/"+x.Slug, url.Values{"table": {x.Table}})), Back: href(v.Lang, joinsPath(x.Slug, x.Table, x.Column)),
		Column: x.Column, Type: typeWords[x.Type].In(v.Lang), SameName: x.SameName, Shared: about + number(x.Shared), Of: share(x.Of), In: share(x.In), Few: !x.Counted && x.Sampled < fewSampled, Key: key,
		SQL: standards.Portal{BaseURL: s.BaseURL}.Join(mine, standards.Column{Slug: x.Slug, Number: x.Number, Table: x.Table, Name: x.Column, Type: x.Type})}
	if !x.Counted {
		row.Exact = href(v.Lang, withQuery(joinsPath(j.Dataset.Slug, j.Table.Name, j.Field.Name), nil)+"&"+url.Values{"with": {x.Slug + "/" + x.Table}, "other": {x.Column}}.Encode())
	}
	return row
}

// fewSampled is from how many values on an estimate is worth its figure: with fewer
// it can be off by a quarter.
const fewSampled = 32

// joinsPath is the page of what shares values with a column.
func joinsPath(slug, table, column string) string {
	return withQuery("/datasets/"+slug+"/tables/"+url.PathEscape(table)+"/joins", url.Values{"column": {column}})
}

// columnSearch is the search for datasets that have a column of a name.
func columnSearch(name string) string {
	return withQuery("/datasets", url.Values{"q": {`column:"` + strings.ReplaceAll(name, `"`, " ") + `"`}})
}

// shareWords writes a share in per cent.
func shareWords(f float64) string {
	switch {
	case f <= 0:
		return "0%"
	case f < 0.01:
		return "<1%"
	case f > 0.99 && f < 1:
		return ">99%"
	}
	return strconv.Itoa(int(math.Round(100*f))) + "%"
}

func whyNotCompared(lang string, j *store.JoinColumn) string {
	switch {
	case j.Dataset.OpenAttribute != catalog.Unconditional:
		return phrase(lang, "这个数据集不是无条件开放，它的值不与别的数据集比较。", "This dataset is not open to all: its values are not compared with others.")
	case !j.Field.Type.Sketched():
		return phrase(lang, "%s列不比较：测量值相同只是巧合。可以关联的是代码、名称与日期。", "Columns of type %s are not compared: measurements are equal by chance. What joins is codes, names and dates.", typeWords[j.Field.Type].In(lang))
	}
	return phrase(lang, "这一列不比较：不同的值少于三个，含有个人信息，或者刚发布还没有比较过。", "This column is not compared: it has fewer than three different values, holds personal information, or was not looked at yet.")
}
