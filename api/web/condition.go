package web

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// condition is one row of the explorer's form: a column, a relation, a value.
type condition struct {
	Field, Op, Value string
	Label            string
	Drop             string // address without it
	Ops              []choice
	NoValue          bool
}

// choice is an option of a select.
type choice struct {
	Value, Words string
	Chosen       bool
}

// relations are what the form offers, in order. The words of the ordering ones
// differ for dates.
var relations = []struct {
	op          string
	words, date catalog.Text
	ordered     bool // needs a type with an order people think of
	text        bool // for text columns only
}{
	{op: "=", words: catalog.Text{Zh: "等于", En: "is"}},
	{op: "!=", words: catalog.Text{Zh: "不等于", En: "is not"}},
	{op: "in", words: catalog.Text{Zh: "是其中之一", En: "is one of"}},
	{op: "contains", words: catalog.Text{Zh: "包含", En: "contains"}, text: true},
	{op: "starts", words: catalog.Text{Zh: "开头是", En: "starts with"}, text: true},
	{op: ">=", words: catalog.Text{Zh: "不小于", En: "at least"}, date: catalog.Text{Zh: "不早于", En: "from"}, ordered: true},
	{op: "<=", words: catalog.Text{Zh: "不大于", En: "at most"}, date: catalog.Text{Zh: "不晚于", En: "until"}, ordered: true},
	{op: ">", words: catalog.Text{Zh: "大于", En: "more than"}, date: catalog.Text{Zh: "晚于", En: "after"}, ordered: true},
	{op: "<", words: catalog.Text{Zh: "小于", En: "less than"}, date: catalog.Text{Zh: "早于", En: "before"}, ordered: true},
	{op: "null", words: catalog.Text{Zh: "为空", En: "is null"}},
	{op: "notnull", words: catalog.Text{Zh: "不为空", En: "is not null"}},
}

// opsFor lists the relations that make sense for a type; for "" all of them.
func opsFor(lang string, t catalog.Type, chosen string) []choice {
	text := t == catalog.String || t == catalog.JSON
	date := t == catalog.Date || t == catalog.Time || t == catalog.Datetime
	var out []choice
	for _, r := range relations {
		if t != "" && r.op != chosen && (r.text && !text || r.ordered && (t == catalog.Boolean || t == catalog.JSON)) {
			continue
		}
		words := r.words
		if date && !r.date.IsZero() {
			words = r.date
		}
		out = append(out, choice{Value: r.op, Words: words.In(lang), Chosen: r.op == chosen})
	}
	return out
}

var plainNumber = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$`)

// literalOf reads what a person typed as a literal for a column of f's type.
// What does not look like the type stays a text, and the check of the query
// says what is wrong with it.
func literalOf(f catalog.Field, v string) table.Literal {
	switch f.Type {
	case catalog.Integer, catalog.Decimal, catalog.Number:
		if s := strings.ReplaceAll(strings.TrimSpace(v), ",", ""); plainNumber.MatchString(s) {
			return table.Literal{Kind: table.NumberLiteral, Text: strings.TrimPrefix(s, "+")}
		}
	case catalog.Boolean:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "是":
			return table.Literal{Kind: table.BooleanLiteral, Text: "true"}
		case "false", "否":
			return table.Literal{Kind: table.BooleanLiteral, Text: "false"}
		}
	}
	return table.Literal{Kind: table.TextLiteral, Text: v}
}

// expr turns a row of the form into a condition of the grammar; nil where no
// column is chosen.
func (c condition) expr(s *catalog.Schema) table.Expr {
	if c.Field == "" {
		return nil
	}
	f := catalog.Field{Name: c.Field, Type: catalog.String}
	if c.Field == catalog.RowNumber {
		f.Type = catalog.Integer
	} else if i := s.Index(c.Field); i >= 0 {
		f = s.Fields[i]
	}
	column := table.Column{Name: f.Name}
	switch c.Op {
	case "null", "notnull":
		return table.NullTest{Column: column, Not: c.Op == "notnull"}
	case "contains", "starts":
		return table.Search{Column: column, Starts: c.Op == "starts", Literal: table.Literal{Kind: table.TextLiteral, Text: c.Value}}
	case "in":
		in := table.Membership{Column: column}
		for _, v := range strings.FieldsFunc(c.Value, func(r rune) bool { return r == ',' || r == '，' || r == '、' || r == ';' || r == '；' }) {
			in.Literals = append(in.Literals, literalOf(f, strings.TrimSpace(v)))
		}
		if len(in.Literals) == 0 {
			in.Literals = []table.Literal{literalOf(f, "")}
		}
		return in
	}
	if !slices.Contains(table.Ops, table.Op(c.Op)) {
		c.Op = string(table.Equal)
	}
	return table.Comparison{Column: column, Op: table.Op(c.Op), Literal: literalOf(f, c.Value)}
}

// conditionsOf takes a condition of the grammar apart into rows of the form. It
// fails where the form cannot show it: or, not, or a value that holds a comma.
func conditionsOf(e table.Expr) ([]condition, bool) {
	switch e := e.(type) {
	case nil:
		return nil, true
	case table.Conjunction:
		var out []condition
		for _, t := range e.Terms {
			one, ok := conditionsOf(t)
			if !ok {
				return nil, false
			}
			out = append(out, one...)
		}
		return out, true
	case table.Comparison:
		return []condition{{Field: e.Column.Name, Op: string(e.Op), Value: e.Literal.Text}}, true
	case table.NullTest:
		if e.Not {
			return []condition{{Field: e.Column.Name, Op: "notnull"}}, true
		}
		return []condition{{Field: e.Column.Name, Op: "null"}}, true
	case table.Search:
		op := "contains"
		if e.Starts {
			op = "starts"
		}
		return []condition{{Field: e.Column.Name, Op: op, Value: e.Literal.Text}}, true
	case table.Membership:
		var values []string
		for _, l := range e.Literals {
			if l.Text == "" || strings.ContainsAny(l.Text, ",，、;；") || strings.TrimSpace(l.Text) != l.Text {
				return nil, false
			}
			values = append(values, l.Text)
		}
		return []condition{{Field: e.Column.Name, Op: "in", Value: strings.Join(values, ",")}}, true
	}
	return nil, false
}

// conjoin joins what the form's rows say.
func conjoin(conditions []condition, s *catalog.Schema) table.Expr {
	var terms []table.Expr
	for _, c := range conditions {
		if e := c.expr(s); e != nil {
			terms = append(terms, e)
		}
	}
	switch len(terms) {
	case 0:
		return nil
	case 1:
		return terms[0]
	}
	return table.Conjunction{Terms: terms}
}

// whereText writes a condition as the parameter where takes it.
func whereText(e table.Expr) string {
	if e == nil {
		return ""
	}
	return (&table.Query{Where: e}).Canonical().Where
}

// equalTo is the condition that a column has one value.
func equalTo(f catalog.Field, v string) string {
	return whereText(table.Comparison{Column: table.Column{Name: f.Name}, Op: table.Equal, Literal: literalOf(f, v)})
}

// sortText writes a sort key as the parameter sort takes it.
func sortText(name string, descending bool) string {
	return (&table.Query{Sort: []table.SortKey{{Column: table.Column{Name: name}, Descending: descending}}}).Canonical().Sort
}

// selectText writes a list of columns as the parameter select takes it.
func selectText(names []string) string {
	q := table.Query{}
	for _, n := range names {
		q.Select = append(q.Select, table.Item{Column: table.Column{Name: n}})
	}
	return q.Canonical().Select
}

// formConditions reads the rows of the form: field, op and value repeated, in order.
func formConditions(q url.Values) []condition {
	var out []condition
	for i, f := range q["field"] {
		c := condition{Field: f, Op: "="}
		if i < len(q["op"]) {
			c.Op = q["op"][i]
		}
		if i < len(q["value"]) {
			c.Value = q["value"][i]
		}
		out = append(out, c)
	}
	return out
}
