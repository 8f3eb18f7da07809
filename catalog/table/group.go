package table

import (
	"fmt"
	"slices"
	"strings"

	"taihu/catalog"
)

// Func is a function of select and group.
type Func string

// The functions. Trunc and Bin make groups, the others tell something of each.
const (
	Count    Func = "count"    // count(*): rows; count(c): values that are not null
	Distinct Func = "distinct" // different values that are not null
	Sum      Func = "sum"
	Avg      Func = "avg"
	Min      Func = "min"
	Max      Func = "max"
	Median   Func = "median"
	Quantile Func = "quantile" // quantile(c, 0.9), between two values interpolated
	Trunc    Func = "trunc"    // trunc(c, 'month'): the beginning of the month
	Bin      Func = "bin"      // bin(c, 10): the multiple of 10 at or below
)

// aggregates says what each aggregate takes.
var aggregates = map[Func]struct{ numbers, second bool }{
	Count: {}, Distinct: {}, Min: {}, Max: {},
	Sum: {numbers: true}, Avg: {numbers: true}, Median: {numbers: true}, Quantile: {numbers: true, second: true},
}

// FuncNames lists the functions of select and group.
func FuncNames() []string {
	return []string{string(Count), string(Distinct), string(Sum), string(Avg), string(Min), string(Max), string(Median), string(Quantile), string(Trunc), string(Bin)}
}

// Units lists what trunc cuts to, the finest first. A week begins on Monday.
var Units = []string{"minute", "hour", "day", "week", "month", "quarter", "year"}

// Item is a member of select or group as written: a column, or a function of one.
type Item struct {
	Column          // At is where the item begins
	Star   bool     // count(*)
	Func   Func     // "": the column itself
	Arg    *Literal // the second argument
	As     string   // new name
}

// AllRows is Term.Column of count(*).
const AllRows = -2

// Group makes one row of all rows of a table that agree in every key: the keys,
// then the aggregates. Rows come in the order of the keys, nulls last, and are
// numbered so. Without keys there is exactly one row, also where no row was
// selected.
type Group struct {
	Schema     *catalog.Schema // of the table
	Where      Node            // over its rows; nil: every row
	Find       Find
	Keys       []Term
	Aggregates []Term
}

// Condition is everything a row of the table must fulfil; nil: nothing.
func (g *Group) Condition() Node { return both(g.Where, g.Find) }

// Term is one column of the groups.
//
//	key        Func "", Trunc (Unit) or Bin (Width)
//	aggregate  the rest; Quantile has Fraction
//
// Sums of integers and of decimals up to 28 digits are exact, a decimal of 38
// digits with the column's scale, and so are bins of whole width of integers.
// Sums and bins of anything else, averages, medians and quantiles are doubles. A
// double is added in the order of the rows. Trunc to a day or more gives a date.
type Term struct {
	Func     Func
	Column   int // of the table; RowColumn, or AllRows
	Unit     string
	Width    int64   // of a Bin that is exact
	Step     float64 // of a Bin of doubles
	Digits   int     // decimals of Step, to which the bin is rounded
	Fraction float64
	Arg      Literal // the second argument in canonical form; Kind "": none
	Field    catalog.Field
}

// exactSum is the widest decimal whose sum cannot exceed 38 digits: a table of
// ten thousand million rows is not to be expected.
const exactSum = 28

// grouped reports whether the answer's rows are groups.
func (q *Query) grouped() bool {
	return len(q.Group) > 0 || slices.ContainsFunc(q.Select, func(i Item) bool { _, ok := aggregates[i.Func]; return ok })
}

// group checks group and select and turns the plan's rows into groups. The
// checker's schema is the table's.
func (c *checker) group(q *Query, p *Plan) error {
	g := &Group{Schema: p.Schema, Where: p.Where, Find: p.Find}
	for _, item := range q.Group {
		t, err := c.key(q, item)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(g.Keys, t.same) {
			return twice("group", c.source.Group, Column{Name: t.Field.Name, At: item.At})
		}
		g.Keys = append(g.Keys, t)
	}
	chosen := q.Select
	if len(chosen) == 0 {
		for i := range g.Keys {
			p.Columns = append(p.Columns, i)
		}
		chosen = []Item{{Func: Count, Star: true}}
	}
	for _, item := range chosen {
		i, err := c.chosen(g, item)
		if err != nil {
			return err
		}
		if slices.Contains(p.Columns, i) {
			return twice("select", c.source.Select, item.Column)
		}
		p.Columns = append(p.Columns, i)
	}
	fields := make([]catalog.Field, 0, len(g.Keys)+len(g.Aggregates))
	for _, t := range append(slices.Clone(g.Keys), g.Aggregates...) {
		name := t.Field.Name
		taken := func(f catalog.Field) bool { return strings.EqualFold(f.Name, name) }
		if slices.ContainsFunc(fields, taken) || strings.EqualFold(name, catalog.RowNumber) {
			return catalog.Errorf(catalog.Invalid, "bad_select", "two columns of the answer would be called %q, or that name is reserved: give one another with as", name).
				With("parameter", "select").With("column", name).
				InChinese("答案中会有两列叫“%s”，或者该名称是保留的：请用as另取名称", name)
		}
		fields = append(fields, t.Field)
	}
	p.Group, p.Schema, p.Where, p.Find = g, &catalog.Schema{Fields: fields}, nil, Find{}
	return nil
}

// key checks a member of group. It may be the name that select gives to a column
// or to a function that makes groups.
func (c *checker) key(q *Query, item Item) (Term, error) {
	if item.Func == "" && c.schema.Index(item.Name) < 0 {
		for _, s := range q.Select {
			if _, aggregate := aggregates[s.Func]; !aggregate && s.As != "" && strings.EqualFold(s.As, item.Name) {
				s.At = item.At
				return c.term("group", c.source.Group, s)
			}
		}
	}
	if _, aggregate := aggregates[item.Func]; aggregate {
		n := position(c.source.Group, item.At)
		return Term{}, catalog.Errorf(catalog.Invalid, "bad_group", "%s makes no groups (group, character %d): group takes columns, trunc(column, 'month') and bin(column, 10); write %s in select", item.Func, n, item.Func).
			With("parameter", "group").With("position", n).
			InChinese("%s不能用来分组（group第%d个字符）：group接受列名、trunc(列, 'month')与bin(列, 10)；%s请写在select中", item.Func, n, item.Func)
	}
	return c.term("group", c.source.Group, item)
}

// chosen finds a member of select among the keys, or adds an aggregate, and
// returns its column in the groups.
func (c *checker) chosen(g *Group, item Item) (int, error) {
	if _, aggregate := aggregates[item.Func]; aggregate {
		t, err := c.term("select", c.source.Select, item)
		if err != nil {
			return 0, err
		}
		g.Aggregates = append(g.Aggregates, t)
		return len(g.Keys) + len(g.Aggregates) - 1, nil
	}
	if item.Func == "" {
		for i, k := range g.Keys {
			if strings.EqualFold(k.Field.Name, item.Name) {
				if item.As != "" {
					g.Keys[i].Field.Name = item.As
				}
				return i, nil
			}
		}
	}
	t, err := c.term("select", c.source.Select, item)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(g.Keys, t.same)
	if i < 0 {
		n := position(c.source.Select, item.At)
		text := writeItems([]Item{{Column: item.Column, Func: item.Func, Arg: item.Arg}})
		return 0, catalog.Errorf(catalog.Invalid, "bad_select", "select names %s (character %d), which differs within a group: add it to group, or take an aggregate such as min or count", text, n).
			With("parameter", "select").With("position", n).
			InChinese("select第%d个字符处的%s在一组之内不止一个值：请把它加进group，或用min、count等聚合", n, text)
	}
	if item.As != "" {
		g.Keys[i].Field.Name = item.As
	}
	return i, nil
}

// same reports whether two terms say the same of the same column.
func (t Term) same(u Term) bool {
	return t.Func == u.Func && t.Column == u.Column && t.Unit == u.Unit && t.Width == u.Width && t.Step == u.Step && t.Fraction == u.Fraction
}

// term checks a column or a function of one.
func (c *checker) term(parameter, source string, item Item) (Term, error) {
	t := Term{Func: item.Func, Column: AllRows}
	f := catalog.Field{Type: catalog.Integer}
	if !item.Star {
		var err error
		if t.Column, err = c.resolve(parameter, source, item.Column); err != nil {
			return t, err
		}
		f = (&Plan{Schema: c.schema}).Field(t.Column)
	}
	refuse := func(en, zh string) error {
		n := position(source, item.At)
		return catalog.Errorf(catalog.Invalid, "bad_"+parameter, "%s is wrong at character %d: %s", parameter, n, en).
			With("parameter", parameter).With("position", n).With("function", string(item.Func)).
			InChinese("%s第%d个字符处有误：%s", parameter, n, zh)
	}
	isNumber := f.Type == catalog.Integer || f.Type == catalog.Decimal || f.Type == catalog.Number
	what := aggregates[item.Func]
	switch second := what.second || item.Func == Trunc || item.Func == Bin; {
	case second && item.Arg == nil:
		return t, refuse(string(item.Func)+" takes two arguments, such as "+exampleOf(item.Func), string(item.Func)+"有两个参数，例如"+exampleOf(item.Func))
	case !second && item.Arg != nil:
		return t, refuse(string(item.Func)+" takes one argument", string(item.Func)+"只有一个参数")
	case (what.numbers || item.Func == Bin) && !isNumber:
		return t, refuse(fmt.Sprintf("%s takes a column of numbers, but %s is %s", item.Func, quoteName(f.Name), f.Type),
			fmt.Sprintf("%s用于数字列，而%s的类型是%s", item.Func, quoteName(f.Name), f.Type))
	}
	switch item.Func {
	case "":
		t.Field = f
	case Trunc:
		if err := t.trunc(f, item.Arg); err != "" {
			return t, refuse(err, "trunc按时间单位截断日期或日期时间列，例如"+exampleOf(Trunc)+"；单位："+strings.Join(Units, "、")+"（日期列从day起）")
		}
	case Bin:
		if !t.bin(f, item.Arg) {
			return t, refuse("the width of bin is a number above 0 with at most 15 digits, such as "+exampleOf(Bin), "bin的宽度是大于0、不超过15位的数字，例如"+exampleOf(Bin))
		}
	case Quantile:
		if !t.quantile(item.Arg) {
			return t, refuse("the second argument of quantile is 0 to 1, such as "+exampleOf(Quantile), "quantile的第二个参数在0与1之间，例如"+exampleOf(Quantile))
		}
	case Count, Distinct:
		t.Field = catalog.Field{Type: catalog.Integer}
	case Min, Max:
		t.Field = catalog.Field{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone, Unit: f.Unit}
	case Sum:
		t.Field = catalog.Field{Type: catalog.Number, Unit: f.Unit}
		if f.Type == catalog.Integer || f.Type == catalog.Decimal && f.Precision <= exactSum {
			t.Field.Type, t.Field.Precision, t.Field.Scale = catalog.Decimal, 38, f.Scale
		}
	default: // avg, median
		t.Field = catalog.Field{Type: catalog.Number, Unit: f.Unit}
	}
	t.Field.Name = item.As
	if item.As == "" {
		t.Field.Name = c.nameOf(t)
	}
	return t, nil
}

// nameOf is the name of a term that is given none: the function and the column.
func (c *checker) nameOf(t Term) string {
	column := ""
	if t.Column != AllRows {
		column = (&Plan{Schema: c.schema}).Field(t.Column).Name
	}
	switch {
	case t.Func == "":
		return column
	case t.Column == AllRows:
		return string(t.Func)
	case t.Func == Trunc:
		return t.Unit + "_" + column
	}
	return string(t.Func) + "_" + column
}

func exampleOf(f Func) string {
	switch f {
	case Trunc:
		return "trunc(日期, 'month')"
	case Bin:
		return "bin(AQI, 50)"
	}
	return "quantile(AQI, 0.9)"
}

// trunc sets the unit; the text is what is wrong.
func (t *Term) trunc(f catalog.Field, l *Literal) string {
	if f.Type != catalog.Date && f.Type != catalog.Datetime {
		return fmt.Sprintf("trunc takes a column of dates, but %s is %s", quoteName(f.Name), f.Type)
	}
	units := Units
	if f.Type == catalog.Date {
		units = Units[slices.Index(Units, "day"):]
	}
	unit := strings.ToLower(l.Text)
	if l.Kind != TextLiteral || !slices.Contains(units, unit) {
		return fmt.Sprintf("trunc of %s cuts to one of '%s'", quoteName(f.Name), strings.Join(units, "', '"))
	}
	t.Unit, t.Arg = unit, Literal{Kind: TextLiteral, Text: unit}
	t.Field = catalog.Field{Type: catalog.Date}
	if unit == "minute" || unit == "hour" {
		t.Field = catalog.Field{Type: catalog.Datetime, Zone: f.Zone}
	}
	return ""
}

// bin sets the width.
func (t *Term) bin(f catalog.Field, l *Literal) bool {
	if l.Kind != NumberLiteral {
		return false
	}
	text := parseExact(l.Text).String()
	if text[0] == '-' || strings.ContainsAny(text, "eE") || len(strings.ReplaceAll(text, ".", "")) > 15 {
		return false
	}
	width := parseExact(text).float()
	if width <= 0 {
		return false
	}
	t.Arg = Literal{Kind: NumberLiteral, Text: text}
	_, decimals, fraction := strings.Cut(text, ".")
	if f.Type == catalog.Integer && !fraction {
		t.Width = int64(width)
		t.Field = catalog.Field{Type: catalog.Decimal, Precision: 38, Unit: f.Unit}
		return true
	}
	t.Step, t.Digits = width, len(decimals)
	t.Field = catalog.Field{Type: catalog.Number, Unit: f.Unit}
	return true
}

// quantile sets the fraction.
func (t *Term) quantile(l *Literal) bool {
	if l.Kind != NumberLiteral {
		return false
	}
	exact := parseExact(l.Text)
	t.Fraction = exact.float()
	t.Arg = Literal{Kind: NumberLiteral, Text: exact.String()}
	t.Field = catalog.Field{Type: catalog.Number}
	return t.Fraction >= 0 && t.Fraction <= 1
}

// write gives the query its groups back: Select always in full, names where they
// are not those that the terms have by themselves.
func (g *Group) write(p *Plan, q *Query) {
	table := &Plan{Schema: g.Schema}
	g.Find.write(q)
	if g.Where != nil {
		q.Where = table.expr(g.Where)
	}
	c := checker{schema: g.Schema}
	item := func(t Term) Item {
		i := Item{Func: t.Func, Star: t.Column == AllRows}
		if t.Arg.Kind != "" {
			i.Arg = &t.Arg
		}
		if !i.Star {
			i.Name = table.Field(t.Column).Name
		}
		if t.Field.Name != c.nameOf(t) {
			i.As = t.Field.Name
		}
		return i
	}
	for _, k := range g.Keys {
		q.Group = append(q.Group, item(k))
	}
	for _, i := range p.Columns {
		if i < len(g.Keys) {
			q.Select = append(q.Select, Item{Column: Column{Name: g.Keys[i].Field.Name}})
		} else {
			q.Select = append(q.Select, item(g.Aggregates[i-len(g.Keys)]))
		}
	}
	if p.Where != nil {
		q.Having = p.expr(p.Where)
	}
}
