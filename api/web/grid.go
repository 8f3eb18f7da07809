package web

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"taihu/catalog"
)

// Bounds of what a page shows of a table; downloads have none.
const (
	previewRows    = 12
	pageRows       = 50
	previewColumns = 60  // more are in the dictionary and the downloads
	cellText       = 160 // characters of a cell
	cellFull       = 800 // characters under the pointer
)

// previewWait is how long a page waits for its preview where all queries are
// taken; it tells the reader and shows the rest.
const previewWait = 500 * time.Millisecond

// grid is rows of a table under their column heads.
type grid struct {
	Label    string
	Columns  []column
	Rows     []gridRow
	Profiled bool
	Hidden   int // columns that are not shown
}

type gridRow struct {
	No     int64
	Cells  []cell
	Report string // address at which an error in it is reported; empty: none
}

// cell is one value. Cut texts keep a longer piece under the pointer.
type cell struct {
	Text, Full  string
	Null, Empty bool
	Class       string
}

// column is a column's head.
type column struct {
	Name, Sub string // as written; label or Latin name
	Kind      columnKind
	Class     string // of its cells
	Zone      string // of a datetime: stands in the head once, not in every cell
	TypeTitle string
	Href      string // sorts by it, or opens the explorer
	Sorted    string // ascending, descending or empty
	Filtered  bool
	Profile   *profile
}

// columnKind is the seal of a column.
type columnKind struct {
	Class    string
	Zh, En   string
	TitleZh  string
	TitleEn  string
	Category bool
}

var codeName = regexp.MustCompile(`(?i)代码|编码|编号|邮编|证号|条码|\bcode\b|_code$|\bzip\b`)

// kindOf chooses the seal from the type, the profile and the header.
func kindOf(f catalog.Field, p *catalog.ColumnProfile, rows int64) columnKind {
	switch f.Type {
	case catalog.Boolean:
		return columnKind{Zh: "是", En: "T/F", TitleZh: "是或否", TitleEn: "Boolean"}
	case catalog.Integer, catalog.Decimal, catalog.Number:
		return columnKind{Class: "num", Zh: "数", En: "Num", TitleZh: typeWords[f.Type].Zh, TitleEn: typeWords[f.Type].En}
	case catalog.Date, catalog.Time, catalog.Datetime:
		return columnKind{Class: "nowrap", Zh: "时", En: "Date", TitleZh: typeWords[f.Type].Zh, TitleEn: typeWords[f.Type].En}
	case catalog.JSON:
		return columnKind{Class: "mono", Zh: "构", En: "JSON", TitleZh: "JSON", TitleEn: "JSON"}
	}
	if codeName.MatchString(f.Name) {
		return columnKind{Class: "mono", Zh: "码", En: "Code", TitleZh: "编码（按文本保存）", TitleEn: "Code, kept as text"}
	}
	if len(f.Codes) > 0 || p != nil && p.Distinct > 0 && p.Distinct <= 40 && rows >= 5*p.Distinct {
		return columnKind{Zh: "类", En: "Cat", TitleZh: "分类", TitleEn: "Category", Category: true}
	}
	return columnKind{Zh: "文", En: "Txt", TitleZh: "文本", TitleEn: "Text"}
}

// profile is what stands between a column's head and its first row.
type profile struct {
	Bars      []bar
	From, To  string
	Aria      string
	Tops      []top
	Lines     []string
	Nulls     string  // in words
	Full      float64 // per cent that is not null
	Empty     float64 // per cent that is
	EmptyText string
}

// bar is one bin of a histogram in a box of 100 × 38.
type bar struct{ X, Y, W, H string }

// top is one frequent value.
type top struct {
	Text, Share string
	Width       int
	Blank       bool
	Href        string
}

func decimals(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

// profileOf draws a column's statistics. explorer is the address of the table's
// explorer, or empty where values may not be followed.
func profileOf(lang string, f catalog.Field, kind columnKind, p *catalog.ColumnProfile, rows int64, explorer string) *profile {
	if p == nil || rows == 0 {
		return nil
	}
	v := &profile{Full: 100 * float64(rows-p.Nulls) / float64(rows)}
	v.Empty = 100 - v.Full
	v.Nulls = phrase(lang, "无空值", "no nulls")
	if p.Nulls > 0 {
		v.Nulls = phrase(lang, "空 %s", "null %s", percent(p.Nulls, rows))
	}
	distinct := number(p.Distinct)
	if !p.Exact && p.Distinct > 0 {
		distinct = phrase(lang, "约", "about ") + distinct
	}
	switch {
	case p.Nulls == rows:
		v.Lines = []string{phrase(lang, "全为空", "all null")}
	case len(p.Histogram) > 1 && (kind.Class == "num" || kind.Class == "nowrap"):
		v.histogram(lang, f, p)
	case len(p.Top) > 0 && (kind.Category || f.Type == catalog.Boolean || p.Distinct <= 12):
		v.tops(f, p, rows, explorer)
	case p.Distinct == rows-p.Nulls && p.Exact:
		v.Lines = []string{phrase(lang, "各不相同", "all different"), phrase(lang, "%s个值", "%s values", distinct)}
	case p.Min != "" && kind.Class != "" && kind.Class != "mono":
		v.Lines = []string{phrase(lang, "%s个不同值", "%s values", distinct), shortValue(p.Min) + phrase(lang, " 至 ", " to ") + shortValue(p.Max)}
	default:
		v.Lines = []string{phrase(lang, "%s个不同值", "%s different", distinct)}
		if p.MaxLength > 0 {
			length := number(p.MinLength) + "–" + number(p.MaxLength)
			if p.MinLength == p.MaxLength {
				length = number(p.MaxLength)
			}
			v.Lines = append(v.Lines, phrase(lang, "长%s字", "%s characters", length))
		}
	}
	return v
}

func (v *profile) histogram(lang string, f catalog.Field, p *catalog.ColumnProfile) {
	most, peak := int64(1), 0
	for i, b := range p.Histogram {
		if b.Rows > most {
			most, peak = b.Rows, i
		}
	}
	n := float64(len(p.Histogram))
	for i, b := range p.Histogram {
		h := 34 * float64(b.Rows) / float64(most)
		if b.Rows > 0 && h < .8 {
			h = .8 // a bin that holds something is seen
		}
		v.Bars = append(v.Bars, bar{decimals(100*float64(i)/n + .4), decimals(36 - h), decimals(100/n - .8), decimals(h)})
	}
	v.From, v.To = shortValue(p.Min), shortValue(p.Max)
	b := p.Histogram[peak]
	v.Aria = phrase(lang, "%s的分布：从%s到%s，%s至%s之间最多", "Distribution of %s: from %s to %s, most between %s and %s", f.Name, shortValue(p.Min), shortValue(p.Max), shortValue(b.From), shortValue(b.To))
}

func (v *profile) tops(f catalog.Field, p *catalog.ColumnProfile, rows int64, explorer string) {
	for _, c := range p.Top[:min(3, len(p.Top))] {
		t := top{Text: cut(c.Value, 12), Share: percent(c.Rows, rows), Width: int(math.Round(100 * float64(c.Rows) / float64(rows))), Blank: c.Value == ""}
		if explorer != "" {
			t.Href = withQuery(explorer, url.Values{"where": {equalTo(f, c.Value)}})
		}
		v.Tops = append(v.Tops, t)
	}
}

// shortValue makes a minimum or maximum fit under a histogram.
func shortValue(s string) string {
	if len(s) > 10 && s[4] == '-' && strings.Contains(s, "T") {
		return s[:10]
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && len(s) > 9 {
		return strconv.FormatFloat(f, 'g', 5, 64)
	}
	return cut(s, 12)
}

// columnsOf makes the heads of the fields that a page shows.
func columnsOf(lang string, t *catalog.Table, fields []catalog.Field, profiles bool, explorer string) []column {
	out := make([]column, 0, len(fields))
	for _, f := range fields {
		var p *catalog.ColumnProfile
		var rows int64
		if t.Profile != nil {
			rows = t.Profile.Rows
			for i := range t.Profile.Columns {
				if t.Profile.Columns[i].Name == f.Name {
					p = &t.Profile.Columns[i]
				}
			}
		}
		kind := kindOf(f, p, rows)
		if !profiles {
			p = nil
		}
		c := column{Name: f.Name, Sub: subName(lang, f), Kind: kind, Class: kind.Class, Zone: zoneOf(f), TypeTitle: phrase(lang, kind.TitleZh, kind.TitleEn)}
		if explorer != "" {
			c.Href = withQuery(explorer, url.Values{"sort": {sortText(f.Name, false)}})
		}
		c.Profile = profileOf(lang, f, kind, p, rows, explorer)
		out = append(out, c)
	}
	return out
}

// subName is what stands small under a column's name: its label in the page's
// language or its Latin name, with the unit.
func subName(lang string, f catalog.Field) string {
	sub := f.Label.In(lang)
	if sub == "" || sub == f.Name {
		sub = f.Latin
	}
	for _, more := range []string{f.Unit, zoneOf(f)} {
		if more != "" && sub != "" {
			sub += " · "
		}
		sub += more
	}
	return sub
}

// zoneOf is the offset of a datetime column.
func zoneOf(f catalog.Field) string {
	if f.Type != catalog.Datetime {
		return ""
	}
	if f.Zone == "" {
		return catalog.DefaultZone
	}
	return f.Zone
}

// cellOf shows one value of a column; nil is null. A datetime is shown local, as
// 2026-11-22 08:00:00, with its whole form under the pointer.
func cellOf(v *string, c column) cell {
	class := c.Class
	if v != nil && c.Zone != "" {
		if local, ok := strings.CutSuffix(*v, c.Zone); ok {
			return cell{Text: strings.Replace(local, "T", " ", 1), Full: *v, Class: class}
		}
	}
	switch {
	case v == nil:
		return cell{Null: true, Class: class}
	case *v == "":
		return cell{Empty: true, Class: class}
	case utf8.RuneCountInString(*v) > cellText:
		return cell{Text: cut(*v, cellText), Full: cut(*v, cellFull), Class: class}
	case utf8.RuneCountInString(*v) > 24:
		return cell{Text: *v, Full: *v, Class: class}
	}
	return cell{Text: *v, Class: class}
}

// equation is the capacity of a table: rows × columns = cells.
type equation struct{ Rows, Columns, Cells int64 }

func capacity(tables []catalog.Table) equation {
	var e equation
	for i := range tables {
		e.Rows += tables[i].Rows
		e.Columns += int64(len(tables[i].Schema.Fields))
		e.Cells += tables[i].Rows * int64(len(tables[i].Schema.Fields))
	}
	return e
}

// Words is the equation as one short text.
func (e equation) Words(lang string) string {
	return fmt.Sprintf(phrase(lang, "%s条 × %s字段", "%s rows × %s columns"), number(e.Rows), number(e.Columns))
}
