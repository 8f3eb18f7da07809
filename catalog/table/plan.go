package table

import "taihu/catalog"

// RowColumn is the index of _row in Plan.Columns, Key.Column and the nodes.
const RowColumn = -1

// Plan is a Query checked against a Schema: columns are indexes into
// Schema.Fields, values have the type of their column, texts to match are
// folded. Engines trust it. Comparisons whose literal the column's type cannot
// hold (an integer column and 1.5) are rewritten by Check, so an engine never
// sees one.
type Plan struct {
	// Group, where it is set, makes other rows of the table's: Schema, Columns,
	// Where, Sort and After then speak of the groups. Nil: the table's own rows.
	Group   *Group
	Table   string // table_sha256 of the table whose cursors these are; "": any
	Schema  *catalog.Schema
	Columns []int // of the answer, in order; RowColumn for _row
	Where   Node  // nil: every row
	Find    Find  // what q, bbox and near ask for beside Where
	Sort    []Key // ties are broken by _row, ascending
	Limit   int64 // 0: all
	After   *Position
	// WantLast asks for Batch.Last.
	WantLast bool
}

// Field returns the field of column i; _row is an integer.
func (p *Plan) Field(i int) catalog.Field {
	if i == RowColumn {
		return catalog.Field{Name: catalog.RowNumber, Type: catalog.Integer}
	}
	return p.Schema.Fields[i]
}

// Condition is everything a row must fulfil, Where and Find; nil: nothing.
func (p *Plan) Condition() Node { return both(p.Where, p.Find) }

func both(where Node, f Find) Node {
	switch {
	case len(f.Nodes) == 0:
		return where
	case where == nil && len(f.Nodes) == 1:
		return f.Nodes[0]
	case where == nil:
		return And{f.Nodes}
	}
	return And{append([]Node{where}, f.Nodes...)}
}

// Key is one sort key. Nulls come last in both directions; texts sort by code
// point, numbers with NaN as the greatest.
type Key struct {
	Column     int
	Descending bool
}

// Position is a row's place in a sorted answer: the values of the sort keys and
// its _row. A page goes on after it.
type Position struct {
	Keys []Value
	Row  int64
}

// Value is a typed value; which member counts follows from the column's type as
// in Vector.
type Value struct {
	Null bool    `json:"null,omitempty"`
	Bool bool    `json:"bool,omitempty"`
	Int  int64   `json:"int,omitempty"`
	Num  float64 `json:"-"` // carried in cursors as its bits: JSON has no NaN
	Text string  `json:"text,omitempty"`
}

// Op is a comparison.
type Op string

// The comparisons.
const (
	Equal        Op = "="
	NotEqual     Op = "!="
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
)

// Node is a checked condition. A comparison with null is false, != included;
// Not is the set complement.
type Node interface{ node() }

// The nodes.
type (
	// And is true where all terms are.
	And struct{ Terms []Node }
	// Or is true where one term is.
	Or struct{ Terms []Node }
	// Not is true where Term is false.
	Not struct{ Term Node }
	// Const is true or false for every row.
	Const struct{ True bool }
	// Compare compares a column with a value.
	Compare struct {
		Column int
		Op     Op
		Value  Value
	}
	// In is true where the column equals one of Values.
	In struct {
		Column int
		Values []Value
	}
	// IsNull is true where the column is null (Not: is not null).
	IsNull struct {
		Column int
		Not    bool
	}
	// Within is true where the point of two columns, in degrees, lies at most
	// Metres from a point on a sphere of EarthRadius. Where they hold no point of
	// the earth it is false.
	Within struct {
		Longitude, Latitude int
		Near                Near
	}
	// Match is contains or starts: Text is already folded with Fold, and the
	// column's text is folded the same way. It applies to text and json columns.
	Match struct {
		Column int
		Starts bool
		Text   string
	}
)

func (Within) node()  {}
func (And) node()     {}
func (Or) node()      {}
func (Not) node()     {}
func (Const) node()   {}
func (Compare) node() {}
func (In) node()      {}
func (IsNull) node()  {}
func (Match) node()   {}

// Query writes a plan back as a query: columns under their own names, literals in
// the one spelling of their type, nothing needless. Checking it against the same
// schema gives the same plan (but for WantLast and After).
func (p *Plan) Query() *Query {
	q := &Query{Limit: p.Limit}
	if p.Group != nil {
		p.Group.write(p, q)
	} else {
		p.Find.write(q)
		if p.Where != nil {
			q.Where = p.expr(p.Where)
		}
		whole := len(p.Columns) == len(p.Schema.Fields)
		for i, c := range p.Columns {
			whole = whole && c == i
			q.Select = append(q.Select, Item{Column: Column{Name: p.Field(c).Name}})
		}
		if whole {
			q.Select = nil
		}
	}
	for _, k := range p.Sort {
		q.Sort = append(q.Sort, SortKey{Column: Column{Name: p.Field(k.Column).Name}, Descending: k.Descending})
	}
	return q
}

// Canonical is the canonical form of the checked query without its cursor: equal
// for all spellings of a question over this schema, and so part of the key of an
// export. The zero Params is the whole table.
func (p *Plan) Canonical() Params { return p.Query().Canonical() }

func (p *Plan) expr(n Node) Expr {
	list := func(terms []Node) []Expr {
		written := make([]Expr, len(terms))
		for i, t := range terms {
			written[i] = p.expr(t)
		}
		return written
	}
	name := func(column int) Column { return Column{Name: p.Field(column).Name} }
	switch n := n.(type) {
	case And:
		return Conjunction{list(n.Terms)}
	case Or:
		return Disjunction{list(n.Terms)}
	case Not:
		return Negation{p.expr(n.Term)}
	case Compare:
		return Comparison{Column: name(n.Column), Op: n.Op, Literal: literalOf(p.Field(n.Column), n.Value)}
	case In:
		m := Membership{Column: name(n.Column)}
		for _, v := range n.Values {
			m.Literals = append(m.Literals, literalOf(p.Field(n.Column), v))
		}
		return m
	case IsNull:
		return NullTest{Column: name(n.Column), Not: n.Not}
	case Match:
		return Search{Column: name(n.Column), Starts: n.Starts, Literal: Literal{Kind: TextLiteral, Text: n.Text}}
	}
	// The grammar has no constants; a row always has a number.
	k, _ := n.(Const)
	return NullTest{Column: Column{Name: catalog.RowNumber}, Not: k.True}
}
