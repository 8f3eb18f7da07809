package duck

import (
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// statement is SQL text with a bound value for each question mark in it.
type statement struct {
	text string
	args []argument
}

// builder writes a statement for one plan.
type builder struct {
	strings.Builder
	plan *table.Plan
	args []argument
}

// selectOf compiles a plan to a SELECT. Behind the plan's columns stand, where
// it wants the last position, its sort keys and _row.
func selectOf(p *table.Plan) statement {
	b := &builder{plan: p}
	b.WriteString("SELECT ")
	columns := p.Columns
	if p.WantLast {
		columns = append([]int(nil), columns...)
		for _, k := range p.Sort {
			columns = append(columns, k.Column)
		}
		columns = append(columns, table.RowColumn)
	}
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(b.name(c))
	}
	if len(columns) == 0 {
		b.WriteString("_row") // a row without columns is still a row
	}
	b.from()
	limit := p.Limit
	terms := 0
	and := func() {
		if terms++; terms == 1 {
			b.WriteString(" WHERE ")
		} else {
			b.WriteString(" AND ")
		}
	}
	condition := p.Condition()
	if len(p.Sort) == 0 && p.Group == nil {
		limit = b.filePage(p, limit, and)
	} else if p.After != nil {
		and()
		b.after(p.Sort, p.After.Keys, p.After.Row)
	}
	if condition != nil {
		and()
		b.node(condition, true)
	}
	b.order(p.Sort)
	if limit > 0 {
		b.WriteString(" LIMIT ?")
		b.args = append(b.args, integer(limit))
	}
	return statement{b.String(), b.args}
}

// filePage bounds an answer in file order by _row, whose minimum and maximum
// stand in every row group: what lies before the page is not read, and without a
// filter neither is what lies behind it. It returns the limit still needed.
func (b *builder) filePage(p *table.Plan, limit int64, and func()) int64 {
	var first int64
	if p.After != nil {
		first = p.After.Row
		and()
		b.WriteString("_row > ?")
		b.args = append(b.args, integer(first))
	}
	if p.Condition() == nil && limit > 0 && first+limit > first {
		and()
		b.WriteString("_row <= ?")
		b.args = append(b.args, integer(first+limit))
		return 0 // _row counts without gaps
	}
	return limit
}

// countOf compiles a plan to the count of the rows that its condition selects.
func countOf(p *table.Plan) statement {
	b := &builder{plan: p}
	b.WriteString("SELECT count(*)")
	b.from()
	if condition := p.Condition(); condition != nil {
		b.WriteString(" WHERE ")
		b.node(condition, true)
	}
	return statement{b.String(), b.args}
}

func (b *builder) name(column int) string {
	if column == table.RowColumn {
		return "_row"
	}
	if b.plan.Group != nil {
		return groupColumn(column)
	}
	return quoteName(b.plan.Schema.Fields[column].Name)
}

func (b *builder) arg(column int, v table.Value) {
	b.WriteByte('?')
	b.args = append(b.args, argument{b.plan.Field(column), v})
}

// order writes ORDER BY; without keys the table's rows come in file order by
// themselves.
func (b *builder) order(keys []table.Key) {
	if len(keys) == 0 && b.plan.Group == nil {
		return
	}
	b.WriteString(" ORDER BY ")
	for _, k := range keys {
		b.WriteString(b.key(k.Column))
		if k.Descending {
			b.WriteString(" DESC")
		}
		b.WriteString(" NULLS LAST, ")
	}
	b.WriteString("_row")
}

// key is a column as ORDER BY names it. A column that is itself the key comes
// back from DuckDB as the key it was sorted by, in which -0 has become 0; as part
// of an expression it comes back as it is.
func (b *builder) key(column int) string {
	if b.plan.Field(column).Type == catalog.Number {
		return "(" + b.name(column) + " + 0::DOUBLE)"
	}
	return b.name(column)
}

// after writes the condition that a row comes behind a position: greater in the
// first key, or equal in it and behind in the rest; at last by _row.
func (b *builder) after(keys []table.Key, values []table.Value, row int64) {
	if len(keys) == 0 {
		b.WriteString("_row > ?")
		b.args = append(b.args, integer(row))
		return
	}
	name, v := b.name(keys[0].Column), values[0]
	if v.Null { // nothing is behind null but other nulls
		b.WriteString("(" + name + " IS NULL AND ")
		b.after(keys[1:], values[1:], row)
		b.WriteByte(')')
		return
	}
	op := " > "
	if keys[0].Descending {
		op = " < "
	}
	b.WriteString("(" + name + op)
	b.arg(keys[0].Column, v)
	b.WriteString(" OR " + name + " IS NULL OR (" + name + " = ")
	b.arg(keys[0].Column, v)
	b.WriteString(" AND ")
	b.after(keys[1:], values[1:], row)
	b.WriteString("))")
}

// node writes a condition. Where plain is true, null may stand for false,
// because only And and Or lie between here and WHERE; then DuckDB can use the
// condition to skip row groups. Under a Not, null must become false first.
func (b *builder) node(n table.Node, plain bool) {
	switch n := n.(type) {
	case table.And:
		b.terms(n.Terms, " AND ", "TRUE", plain)
	case table.Or:
		b.terms(n.Terms, " OR ", "FALSE", plain)
	case table.Not:
		b.WriteString("(NOT ")
		b.node(n.Term, false)
		b.WriteByte(')')
	case table.Const:
		if n.True {
			b.WriteString("TRUE")
		} else {
			b.WriteString("FALSE")
		}
	case table.IsNull:
		b.WriteString("(" + b.name(n.Column) + " IS ")
		if n.Not {
			b.WriteString("NOT ")
		}
		b.WriteString("NULL)")
	case table.Compare:
		b.certain(plain, func() {
			b.WriteString(b.name(n.Column) + " " + string(n.Op) + " ")
			b.arg(n.Column, n.Value)
		})
	case table.In:
		b.in(n, plain)
	case table.Within:
		b.within(n)
	case table.Match:
		b.certain(plain, func() {
			function := containsFunction
			if n.Starts {
				function = startsFunction
			}
			b.WriteString(function + "(" + b.name(n.Column) + ", ")
			b.args = append(b.args, argument{catalog.Field{Type: catalog.String}, table.Value{Text: n.Text}})
			b.WriteString("?)")
		})
	default:
		panic("duck: unknown node") // a new node without SQL is our own mistake
	}
}

func (b *builder) terms(terms []table.Node, joint, none string, plain bool) {
	if len(terms) == 0 {
		b.WriteString(none)
		return
	}
	b.WriteByte('(')
	for i, t := range terms {
		if i > 0 {
			b.WriteString(joint)
		}
		b.node(t, plain)
	}
	b.WriteByte(')')
}

func (b *builder) in(n table.In, plain bool) {
	if len(n.Values) == 0 {
		b.WriteString("FALSE")
		return
	}
	b.certain(plain, func() {
		b.WriteString(b.name(n.Column) + " IN (")
		for i, v := range n.Values {
			if i > 0 {
				b.WriteString(", ")
			}
			b.arg(n.Column, v)
		}
		b.WriteByte(')')
	})
}

// certain writes a comparison that is never null, but where plain allows it.
func (b *builder) certain(plain bool, write func()) {
	if plain {
		b.WriteByte('(')
		write()
		b.WriteByte(')')
		return
	}
	b.WriteString("coalesce(")
	write()
	b.WriteString(", FALSE)")
}
