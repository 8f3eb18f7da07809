package table

import (
	"math/big"
	"slices"
	"strings"

	"taihu/catalog"
)

// Check resolves the names of a query against a schema and brings its literals to
// the types of their columns. Errors are Invalid: unknown_column with the nearest
// name and all that exist, type_mismatch with the literal the column wants,
// bad_select and bad_sort for a column named twice, bad_cursor for a cursor that
// was made for another query.
func (q *Query) Check(s *catalog.Schema) (*Plan, error) { return q.CheckTable("", s) }

// CheckTable is Check for the table of that table_sha256: it takes cursors of its
// pages alone, though another table may have the same columns and release number.
func (q *Query) CheckTable(id string, s *catalog.Schema) (*Plan, error) {
	c := checker{schema: s, source: q.source, parameter: "where", condition: q.source.Where}
	p := &Plan{Table: id, Schema: s, Limit: q.Limit}
	var err error
	if p.Where, err = c.where(q.Where); err != nil {
		return nil, err
	}
	if p.Find, err = c.find(q); err != nil {
		return nil, err
	}
	if q.grouped() {
		if err := c.group(q, p); err != nil {
			return nil, err
		}
		c = checker{schema: p.Schema, source: q.source, parameter: "having", condition: q.source.Having}
		if p.Where, err = c.where(q.Having); err != nil {
			return nil, err
		}
	} else {
		if q.Having != nil {
			return nil, catalog.Errorf(catalog.Invalid, "bad_having", "having chooses among groups, and this query has none: give group, or write the condition in where").
				With("parameter", "having").InChinese("having用于筛选分组，而这个查询没有分组：请写group，或把条件写在where中")
		}
		if p.Columns, err = c.columns(q.Select); err != nil {
			return nil, err
		}
	}
	if p.Sort, err = c.sort(q.Sort); err != nil {
		return nil, err
	}
	if err := p.Query().checkLength(); err != nil {
		return nil, err
	}
	if q.Cursor != nil {
		if err := p.checkCursor(q.Cursor); err != nil {
			return nil, err
		}
		p.After = &q.Cursor.Position
	}
	return p, nil
}

// checker resolves names against one schema: the table's, or that of its groups.
type checker struct {
	schema    *catalog.Schema
	source    Params
	parameter string // of the condition: where or having
	condition string // its text
}

// where checks a condition; nil where every row fulfils it.
func (c *checker) where(e Expr) (Node, error) {
	if e == nil {
		return nil, nil
	}
	n, err := c.node(e)
	if k, ok := n.(Const); ok && k.True {
		return nil, err
	}
	return n, err
}

// resolve returns the index of a column named in a parameter.
func (c *checker) resolve(parameter, source string, column Column) (int, error) {
	if column.Name == catalog.RowNumber {
		return RowColumn, nil
	}
	if i := c.schema.Index(column.Name); i >= 0 {
		return i, nil
	}
	if strings.EqualFold(column.Name, catalog.RowNumber) {
		return RowColumn, nil
	}
	return 0, UnknownColumn(c.schema, column.Name).
		With("parameter", parameter).With("position", position(source, column.At))
}

// UnknownColumn is the error for a name that is no column of the schema.
func UnknownColumn(s *catalog.Schema, name string) *catalog.Error {
	names := s.Names()
	known := names
	for _, f := range s.Fields {
		if f.Latin != "" {
			known = append(known, f.Latin)
		}
	}
	near := Nearest(name, append(known, catalog.RowNumber))
	e := catalog.Errorf(catalog.Invalid, "unknown_column", "there is no column %q", name).
		InChinese("没有名为“%s”的列", name).With("column", name).With("columns", names)
	if near != "" {
		e = e.With("nearest", near)
		e.Message += ": did you mean " + quoteName(near) + "?"
		e.Zh += "，是否指" + quoteName(near) + "？"
	}
	const most = 30 // names listed in the sentence; all are in columns
	shown := make([]string, 0, most)
	for _, n := range names[:min(most, len(names))] {
		shown = append(shown, quoteName(n))
	}
	more, moreZh := "", ""
	if len(names) > most {
		more, moreZh = ", …", "……"
	}
	if near == "" {
		e.Message += "."
		e.Zh += "。"
	}
	e.Message += " The columns are " + strings.Join(shown, ", ") + more
	e.Zh += "现有的列：" + strings.Join(shown, "、") + moreZh
	return e
}

func (c *checker) columns(selected []Item) ([]int, error) {
	if len(selected) == 0 {
		all := make([]int, len(c.schema.Fields))
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	columns := make([]int, 0, len(selected))
	seen := map[int]bool{}
	for _, s := range selected {
		i, err := c.resolve("select", c.source.Select, s.Column)
		if err != nil {
			return nil, err
		}
		if seen[i] {
			return nil, twice("select", c.source.Select, s.Column)
		}
		if s.As != "" {
			n := position(c.source.Select, s.At)
			return nil, catalog.Errorf(catalog.Invalid, "bad_select", "as names groups and aggregates; a column of plain rows keeps its name (select, character %d): leave out as %s", n, quoteName(s.As)).
				With("parameter", "select").With("position", n).With("column", s.Name).
				InChinese("as用于给分组和聚合命名，普通行的列保持原名（select第%d个字符）：请去掉as %s", n, quoteName(s.As))
		}
		seen[i] = true
		columns = append(columns, i)
	}
	return columns, nil
}

// sort drops what changes nothing: keys after _row, and _row ascending at the
// end, which breaks ties anyway.
func (c *checker) sort(keys []SortKey) ([]Key, error) {
	var checked []Key
	seen := map[int]bool{}
	for _, k := range keys {
		i, err := c.resolve("sort", c.source.Sort, k.Column)
		if err != nil {
			return nil, err
		}
		if seen[i] {
			return nil, twice("sort", c.source.Sort, k.Column)
		}
		if !seen[RowColumn] && (i != RowColumn || k.Descending) {
			checked = append(checked, Key{Column: i, Descending: k.Descending})
		}
		seen[i] = true
	}
	return checked, nil
}

func twice(parameter, source string, c Column) error {
	n := position(source, c.At)
	return catalog.Errorf(catalog.Invalid, "bad_"+parameter, "%s names the column %q twice, at character %d: name it once", parameter, c.Name, n).
		With("parameter", parameter).With("position", n).With("column", c.Name).
		InChinese("%s第%d个字符处重复了列“%s”：只写一次即可", parameter, n, c.Name)
}

func (c *checker) node(e Expr) (Node, error) {
	switch e := e.(type) {
	case Conjunction:
		return c.list(e.Terms, false)
	case Disjunction:
		return c.list(e.Terms, true)
	case Negation:
		n, err := c.node(e.Term)
		if err != nil {
			return nil, err
		}
		return complement(n), nil
	case NullTest:
		i, err := c.resolve(c.parameter, c.condition, e.Column)
		if err != nil {
			return nil, err
		}
		if i == RowColumn {
			return Const{e.Not}, nil
		}
		return IsNull{Column: i, Not: e.Not}, nil
	case Comparison:
		i, err := c.resolve(c.parameter, c.condition, e.Column)
		if err != nil {
			return nil, err
		}
		return c.compare(i, e.Op, e.Literal)
	case Membership:
		return c.in(e)
	case Search:
		return c.match(e)
	}
	return Const{true}, nil
}

// list checks the terms of and (all must be true) or or (any), drops constants
// that change nothing and keeps lists flat.
func (c *checker) list(terms []Expr, either bool) (Node, error) {
	var kept []Node
	decided := false
	for _, t := range terms {
		n, err := c.node(t)
		if err != nil {
			return nil, err
		}
		switch n := n.(type) {
		case Const:
			decided = decided || n.True == either
			continue
		case And:
			if !either {
				kept = append(kept, n.Terms...)
				continue
			}
		case Or:
			if either {
				kept = append(kept, n.Terms...)
				continue
			}
		}
		kept = append(kept, n)
	}
	switch {
	case decided:
		return Const{either}, nil
	case len(kept) == 0:
		return Const{!either}, nil
	case len(kept) == 1:
		return kept[0], nil
	case either:
		return Or{kept}, nil
	}
	return And{kept}, nil
}

func complement(n Node) Node {
	switch n := n.(type) {
	case Const:
		return Const{!n.True}
	case Not:
		return n.Term
	case IsNull:
		return IsNull{Column: n.Column, Not: !n.Not}
	}
	return Not{n}
}

func (c *checker) compare(column int, op Op, l Literal) (Node, error) {
	f := (&Plan{Schema: c.schema}).Field(column)
	if f.Type != catalog.Integer && f.Type != catalog.Decimal {
		v, ok := valueOf(f, l)
		if !ok {
			return nil, c.mismatch(f, l)
		}
		return Compare{Column: column, Op: op, Value: v}, nil
	}
	if l.Kind != NumberLiteral {
		return nil, c.mismatch(f, l)
	}
	return exactCompare(column, f, op, parseExact(l.Text)), nil
}

// exactCompare compares an integer or decimal column with any number: where the
// column cannot hold the number, the comparison becomes the equal one it can.
func exactCompare(column int, f catalog.Field, op Op, x exact) Node {
	units, whole := x.floor(f.Scale)
	low, high := bounds(f)
	if !whole {
		switch op {
		case Less:
			op = LessEqual
		case Greater, GreaterEqual:
			units, op = new(big.Int).Add(units, big.NewInt(1)), GreaterEqual
		case Equal:
			return Const{false}
		case NotEqual:
			return present(column)
		}
	}
	// Beyond what the column holds, the comparison is true for every value or none.
	below, above := units.Cmp(low) < 0, units.Cmp(high) > 0
	switch {
	case !below && !above:
		return Compare{Column: column, Op: op, Value: unitsOf(f, units)}
	case op == NotEqual, below && (op == Greater || op == GreaterEqual), above && (op == Less || op == LessEqual):
		return present(column)
	}
	return Const{false}
}

// present is true where the column is not null.
func present(column int) Node {
	if column == RowColumn {
		return Const{true}
	}
	return IsNull{Column: column, Not: true}
}

func (c *checker) in(e Membership) (Node, error) {
	column, err := c.resolve(c.parameter, c.condition, e.Column)
	if err != nil {
		return nil, err
	}
	f := (&Plan{Schema: c.schema}).Field(column)
	seen := map[Literal]bool{}
	var values []Value
	for _, l := range e.Literals {
		n, err := c.compare(column, Equal, l)
		if err != nil {
			return nil, err
		}
		equal, ok := n.(Compare)
		if !ok {
			continue // no value of the column equals it
		}
		if spelled := literalOf(f, equal.Value); !seen[spelled] {
			seen[spelled] = true
			values = append(values, equal.Value)
		}
	}
	switch len(values) {
	case 0:
		return Const{false}, nil
	case 1:
		return Compare{Column: column, Op: Equal, Value: values[0]}, nil
	}
	return In{Column: column, Values: slices.Clip(values)}, nil
}

func (c *checker) match(e Search) (Node, error) {
	column, err := c.resolve(c.parameter, c.condition, e.Column)
	if err != nil {
		return nil, err
	}
	f := (&Plan{Schema: c.schema}).Field(column)
	if f.Type != catalog.String && f.Type != catalog.JSON {
		n := position(c.condition, e.Column.At)
		return nil, catalog.Errorf(catalog.Invalid, "type_mismatch", "contains and starts take a text column, but %s is %s (%s, character %d): compare it with %s", quoteName(f.Name), f.Type, c.parameter, n, "= < > or in, such as "+quoteName(f.Name)+" >= "+examples[f.Type]).
			With("parameter", c.parameter).With("position", n).With("column", f.Name).With("type", f.Type).
			InChinese("contains和starts只用于文本列，而%s的类型是%s（%s第%d个字符）：请用= < >或in比较，例如%s", quoteName(f.Name), f.Type, c.parameter, n, quoteName(f.Name)+" >= "+examples[f.Type])
	}
	if e.Literal.Kind != TextLiteral {
		return nil, c.mismatch(f, e.Literal)
	}
	return Match{Column: column, Starts: e.Starts, Text: Fold(e.Literal.Text)}, nil
}

// mismatch says what the column wants instead of the literal.
func (c *checker) mismatch(f catalog.Field, l Literal) error {
	var b strings.Builder
	writeLiteral(&b, l)
	found, example := b.String(), examples[f.Type]
	if r := []rune(found); len(r) > 60 {
		found = string(r[:60]) + "…"
	}
	if (f.Type == catalog.String || f.Type == catalog.JSON) && l.Kind != TextLiteral {
		example = "'" + l.Text + "'"
	}
	n, w := position(c.condition, l.At), wanted[f.Type]
	return catalog.Errorf(catalog.Invalid, "type_mismatch", "column %s is %s and takes %s, such as %s; found %s (%s, character %d)", quoteName(f.Name), f.Type, w.en, example, found, c.parameter, n).
		With("parameter", c.parameter).With("position", n).With("column", f.Name).With("type", f.Type).With("found", found).With("example", example).
		InChinese("列%s的类型是%s，应写%s，例如%s；此处是%s（%s第%d个字符）", quoteName(f.Name), f.Type, w.zh, example, found, c.parameter, n)
}
