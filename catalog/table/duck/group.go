package duck

import (
	"strconv"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// from writes where the rows come from: the parts, or the groups made of them.
// Groups are numbered in the order of their keys, which is total, so that paging
// through them is like paging through a table.
func (b *builder) from() {
	g := b.plan.Group
	if g == nil {
		b.WriteString(" FROM part")
		return
	}
	b.WriteString(" FROM (SELECT row_number() OVER (ORDER BY ")
	for i := range g.Keys {
		b.WriteString(groupColumn(i) + " NULLS LAST, ")
	}
	b.WriteString("1) AS _row, * FROM (SELECT ")
	inner := &builder{plan: &table.Plan{Schema: g.Schema}}
	var columns []string
	for _, t := range g.Keys {
		columns = append(columns, inner.keyOf(t)+" AS "+groupColumn(len(columns)))
	}
	for _, t := range g.Aggregates {
		columns = append(columns, inner.aggregateOf(t)+" AS "+groupColumn(len(columns)))
	}
	inner.WriteString(strings.Join(columns, ", ") + " FROM part")
	if c := g.Condition(); c != nil {
		inner.WriteString(" WHERE ")
		inner.node(c, true)
	}
	for i := range g.Keys {
		if i == 0 {
			inner.WriteString(" GROUP BY 1")
		} else {
			inner.WriteString(", " + strconv.Itoa(i+1))
		}
	}
	b.WriteString(inner.String())
	b.args = append(b.args, inner.args...)
	b.WriteString("))")
}

// groupColumn is the name of a column of the groups inside a statement; their own
// names are strangers' texts.
func groupColumn(i int) string { return "c" + strconv.Itoa(i) }

// double writes a column of numbers as DOUBLE, minus zero as zero.
func (b *builder) double(column int) string {
	return "(" + b.name(column) + "::DOUBLE + 0::DOUBLE)"
}

func (b *builder) keyOf(t table.Term) string {
	name := b.name(t.Column)
	f := b.plan.Field(t.Column)
	switch {
	case t.Func == table.Trunc && t.Field.Type == catalog.Date:
		return "CAST(date_trunc('" + t.Unit + "', " + name + ") AS DATE)"
	case t.Func == table.Trunc:
		return "date_trunc('" + t.Unit + "', " + name + ")"
	case t.Func == table.Bin && t.Width > 0:
		x, w := name+"::HUGEINT", strconv.FormatInt(t.Width, 10)+"::HUGEINT"
		return "CAST(" + x + " - ((" + x + " % " + w + ") + " + w + ") % " + w + " AS DECIMAL(38, 0))"
	case t.Func == table.Bin:
		step := strconv.FormatFloat(t.Step, 'g', -1, 64) + "::DOUBLE"
		bin := "floor(" + b.double(t.Column) + " / " + step + ") * " + step
		if t.Digits > 0 {
			bin = "round(" + bin + ", " + strconv.Itoa(t.Digits) + ")"
		}
		return "(" + bin + " + 0::DOUBLE)"
	case f.Type == catalog.Number:
		return b.double(t.Column)
	}
	return name
}

func (b *builder) aggregateOf(t table.Term) string {
	if t.Column == table.AllRows {
		return "count(*)"
	}
	name := b.name(t.Column)
	f := b.plan.Field(t.Column)
	// Doubles are added in the order of the rows, whatever the threads do, so that
	// the same query gives the same bytes.
	inOrder := " ORDER BY _row)"
	switch t.Func {
	case table.Count:
		return "count(" + name + ")"
	case table.Distinct:
		if f.Type == catalog.Number {
			name = b.double(t.Column)
		}
		return "count(DISTINCT " + name + ")"
	case table.Sum:
		switch {
		case t.Field.Type == catalog.Number:
			return "sum(" + name + "::DOUBLE" + inOrder
		case f.Type == catalog.Integer:
			return "CAST(sum(" + name + ") AS DECIMAL(38, 0))"
		}
		return "sum(" + name + ")"
	case table.Avg:
		if f.Type == catalog.Number {
			return "avg(" + name + inOrder
		}
		return "avg(" + name + ")"
	case table.Median:
		return "quantile_cont(" + b.double(t.Column) + ", 0.5)"
	case table.Quantile:
		return "quantile_cont(" + b.double(t.Column) + ", " + strconv.FormatFloat(t.Fraction, 'g', -1, 64) + ")"
	}
	return string(t.Func) + "(" + name + ")" // min and max
}

// within writes the haversine formula of table.Metres. Points that are none of
// the earth are left out before a function could refuse them.
func (b *builder) within(n table.Within) {
	number := func(x float64) {
		b.WriteString("?")
		b.args = append(b.args, argument{catalog.Field{Type: catalog.Number}, table.Value{Num: x}})
	}
	x, y := b.name(n.Longitude)+"::DOUBLE", b.name(n.Latitude)+"::DOUBLE"
	const half = " * (pi() / 180) / 2"
	b.WriteString("coalesce(CASE WHEN abs(" + x + ") <= 180 AND abs(" + y + ") <= 90 THEN 2 * " + strconv.FormatFloat(table.EarthRadius, 'g', -1, 64) +
		"::DOUBLE * asin(least(1::DOUBLE, sqrt(pow(sin((" + y + " - ")
	number(n.Near.Latitude)
	b.WriteString(")" + half + "), 2) + cos(")
	number(n.Near.Latitude)
	b.WriteString(" * (pi() / 180)) * cos(" + y + " * (pi() / 180)) * pow(sin((" + x + " - ")
	number(n.Near.Longitude)
	b.WriteString(")" + half + "), 2)))) <= ")
	number(n.Near.Metres)
	b.WriteString(" ELSE FALSE END, FALSE)")
}
