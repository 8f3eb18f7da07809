package table

import (
	"net/url"
	"strconv"
	"strings"
)

// Canonical writes the query in one spelling: keywords in lower case, one space
// between words, names quoted only where they must be, no needless parentheses,
// numbers in one form. Parsing it gives the same query, and its own canonical
// form is itself. Plan.Canonical goes further, as it knows the columns.
func (q *Query) Canonical() Params {
	p := Params{Limit: q.Limit, Where: writeCondition(q.Where), Q: strings.Join(q.Words, " "), Bbox: q.Box.String(), Near: q.Near.String(),
		Group: writeItems(q.Group), Select: writeItems(q.Select), Having: writeCondition(q.Having)}
	names := make([]string, len(q.Sort))
	for i, k := range q.Sort {
		names[i] = quoteName(k.Column.Name)
		if k.Descending {
			names[i] = "-" + names[i]
		}
	}
	p.Sort = strings.Join(names, ",")
	if q.Cursor != nil {
		p.Cursor = q.Cursor.String()
	}
	return p
}

// String is the canonical form as the query part of an address, parameters in a
// fixed order.
func (q *Query) String() string { return q.Canonical().String() }

// String writes the parameters as the query part of an address, percent-encoded
// and in a fixed order; "" where there are none.
func (p Params) String() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+url.QueryEscape(value))
		}
	}
	add("where", p.Where)
	add("q", p.Q)
	add("bbox", p.Bbox)
	add("near", p.Near)
	add("group", p.Group)
	add("select", p.Select)
	add("having", p.Having)
	add("sort", p.Sort)
	if p.Limit != 0 {
		add("limit", strconv.FormatInt(p.Limit, 10))
	}
	add("cursor", p.Cursor)
	return strings.Join(parts, "&")
}

func writeCondition(e Expr) string {
	if e == nil {
		return ""
	}
	var b strings.Builder
	writeExpr(&b, e, false)
	return b.String()
}

func writeItems(items []Item) string {
	texts := make([]string, len(items))
	for i, item := range items {
		var b strings.Builder
		switch {
		case item.Star:
			b.WriteString(string(item.Func) + "(*)")
		case item.Func == "":
			b.WriteString(quoteName(item.Name))
		default:
			b.WriteString(string(item.Func) + "(" + quoteName(item.Name))
			if item.Arg != nil {
				b.WriteString(", ")
				writeLiteral(&b, *item.Arg)
			}
			b.WriteByte(')')
		}
		if item.As != "" {
			b.WriteString(" as " + quoteName(item.As))
		}
		texts[i] = b.String()
	}
	return strings.Join(texts, ",")
}

// writeExpr writes a condition; tight says that it stands beside a stronger word
// and needs parentheses if it is a list of terms.
func writeExpr(b *strings.Builder, e Expr, tight bool) {
	switch e := e.(type) {
	case Disjunction:
		writeTerms(b, e.Terms, " or ", tight)
	case Conjunction:
		writeTerms(b, e.Terms, " and ", tight)
	case Negation:
		b.WriteString("not ")
		writeExpr(b, e.Term, true)
	case Comparison:
		b.WriteString(quoteName(e.Column.Name) + " " + string(e.Op) + " ")
		writeLiteral(b, e.Literal)
	case Membership:
		b.WriteString(quoteName(e.Column.Name) + " in (")
		for i, l := range e.Literals {
			if i > 0 {
				b.WriteString(", ")
			}
			writeLiteral(b, l)
		}
		b.WriteByte(')')
	case NullTest:
		b.WriteString(quoteName(e.Column.Name) + " is ")
		if e.Not {
			b.WriteString("not ")
		}
		b.WriteString("null")
	case Search:
		name := Functions[0]
		if e.Starts {
			name = Functions[1]
		}
		b.WriteString(name + "(" + quoteName(e.Column.Name) + ", ")
		writeLiteral(b, e.Literal)
		b.WriteByte(')')
	}
}

// writeTerms needs parentheses around an or inside an and, and around either
// after not; an and inside an or needs none.
func writeTerms(b *strings.Builder, terms []Expr, joint string, tight bool) {
	if tight {
		b.WriteByte('(')
	}
	for i, t := range terms {
		if i > 0 {
			b.WriteString(joint)
		}
		_, weak := t.(Disjunction)
		writeExpr(b, t, weak)
	}
	if tight {
		b.WriteByte(')')
	}
}

func writeLiteral(b *strings.Builder, l Literal) {
	switch l.Kind {
	case NumberLiteral:
		b.WriteString(parseExact(l.Text).String())
	case BooleanLiteral:
		b.WriteString(l.Text)
	default:
		b.WriteString("'" + strings.ReplaceAll(l.Text, "'", "''") + "'")
	}
}

// quoteName writes a column name as the grammar reads it back.
func quoteName(name string) string {
	for _, r := range name {
		if !isWordRune(r) {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	if name == "" || isKeyword(name) {
		return `"` + name + `"`
	}
	return name
}
