package table

import (
	"strconv"
	"unicode/utf8"

	"taihu/catalog"
)

// Rows of one page of /rows.
const (
	DefaultRows = 100
	MaxRows     = 10000
)

// Bounds of one query, so that a stranger's text costs little.
const (
	MaxText  = 16 << 10 // bytes of where, select and sort, each, also in canonical form
	MaxDepth = 64       // parentheses inside parentheses
	MaxTerms = 1000     // comparisons in where
)

// Params is a query as it stands in an address, each member one parameter of
// architecture.md §5. It is what travels to a query child, which parses and
// checks it again.
type Params struct {
	Where  string `json:"where,omitempty"`
	Q      string `json:"q,omitempty"`    // words to find in any text column
	Bbox   string `json:"bbox,omitempty"` // west,south,east,north
	Near   string `json:"near,omitempty"` // longitude,latitude,metres
	Group  string `json:"group,omitempty"`
	Select string `json:"select,omitempty"`
	Having string `json:"having,omitempty"`
	Sort   string `json:"sort,omitempty"`
	Limit  int64  `json:"limit,omitempty"`  // 0: none given
	Cursor string `json:"cursor,omitempty"` // opaque; made by Cursor.String
}

// Parameters lists the parameters of a query over rows, in the order of their
// canonical form. Cursor is not among them: it names a page, not a question.
var Parameters = []string{"where", "q", "bbox", "near", "group", "select", "having", "sort", "limit"}

// ParamsOf takes a query's texts from the parameters of an address; limit and
// cursor are for the caller, whose bounds differ.
func ParamsOf(get func(name string) string) Params {
	return Params{Where: get("where"), Q: get("q"), Bbox: get("bbox"), Near: get("near"), Group: get("group"),
		Select: get("select"), Having: get("having"), Sort: get("sort")}
}

// Query is a parsed question, not yet checked against a schema: names may not
// exist and literals may not fit their columns.
type Query struct {
	Where  Expr     // nil: every row
	Words  []string // of q, folded
	Box    *Box
	Near   *Near
	Group  []Item // none, and no aggregate in Select: the answer's rows are the table's
	Select []Item // none: every column, or the groups and how many rows each has
	Having Expr   // over the groups; nil: every group
	Sort   []SortKey
	Limit  int64 // 0: none given
	Cursor *Cursor

	source Params // for the positions in errors of Check
}

// Column is a name as the query spells it, without its quotes.
type Column struct {
	Name string
	At   int // byte offset in its parameter
}

// SortKey is one member of sort.
type SortKey struct {
	Column     Column
	Descending bool
}

// LiteralKind is how a literal is written.
type LiteralKind string

// The kinds of literal.
const (
	NumberLiteral  LiteralKind = "number"
	TextLiteral    LiteralKind = "text"
	BooleanLiteral LiteralKind = "boolean"
)

// Literal is a value as written: digits, sign, point and exponent of a number, a
// text without its quotes, true or false.
type Literal struct {
	Kind LiteralKind
	Text string
	At   int // byte offset in where
}

// Expr is a condition as written. Conjunctions hold no conjunctions directly,
// disjunctions no disjunctions, negations no negations.
type Expr interface{ expr() }

// The conditions.
type (
	// Conjunction is terms joined by and.
	Conjunction struct{ Terms []Expr }
	// Disjunction is terms joined by or.
	Disjunction struct{ Terms []Expr }
	// Negation is not before a comparison or a parenthesis.
	Negation struct{ Term Expr }
	// Comparison is column op literal.
	Comparison struct {
		Column  Column
		Op      Op
		Literal Literal
	}
	// Membership is column in (literal, …).
	Membership struct {
		Column   Column
		Literals []Literal
	}
	// NullTest is column is null, or is not null.
	NullTest struct {
		Column Column
		Not    bool
	}
	// Search is contains(column, literal), or starts(…).
	Search struct {
		Column  Column
		Starts  bool
		Literal Literal
	}
)

func (Conjunction) expr() {}
func (Disjunction) expr() {}
func (Negation) expr()    {}
func (Comparison) expr()  {}
func (Membership) expr()  {}
func (NullTest) expr()    {}
func (Search) expr()      {}

// Parse reads the parameters of a query. Its errors are Invalid: bad_where,
// bad_select, bad_group, bad_having, bad_sort, bad_q, bad_bbox, bad_near, bad_limit
// and bad_cursor, with the parameter, the 1-based character, what stands there and
// what was expected.
func Parse(p Params) (*Query, error) {
	q := &Query{Limit: p.Limit, source: p}
	var err error
	if q.Where, err = parseCondition("where", p.Where); err != nil {
		return nil, err
	}
	if q.Words, err = parseWords(p.Q); err != nil {
		return nil, err
	}
	if q.Box, err = parseBox(p.Bbox); err != nil {
		return nil, err
	}
	if q.Near, err = parseNear(p.Near); err != nil {
		return nil, err
	}
	if q.Group, err = parseItems("group", p.Group); err != nil {
		return nil, err
	}
	if q.Select, err = parseItems("select", p.Select); err != nil {
		return nil, err
	}
	if q.Having, err = parseCondition("having", p.Having); err != nil {
		return nil, err
	}
	if q.Sort, err = parseSort(p.Sort); err != nil {
		return nil, err
	}
	if p.Limit < 0 {
		return nil, badLimit(strconv.FormatInt(p.Limit, 10))
	}
	if p.Cursor != "" {
		c, err := ParseCursor(p.Cursor)
		if err != nil {
			return nil, err
		}
		q.Cursor = &c
	}
	return q, q.checkLength()
}

// ParseLimit reads the parameter limit: a whole number from 1 on, else Invalid
// bad_limit. How many rows are allowed is for the caller to say.
func ParseLimit(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || text[0] == '+' {
		return 0, badLimit(text)
	}
	return n, nil
}

func badLimit(text string) error {
	return catalog.Errorf(catalog.Invalid, "bad_limit", "limit %q is wrong: expected a whole number from 1 on, such as limit=100", text).
		With("parameter", "limit").With("found", text).
		InChinese("limit“%s”有误：应为不小于1的整数，例如limit=100", text)
}

// checkLength holds the canonical form to the bounds of a written one, so that
// every canonical form can be parsed again.
func (q *Query) checkLength() error {
	c := q.Canonical()
	for _, p := range []struct{ name, text string }{{"where", c.Where}, {"q", c.Q}, {"group", c.Group}, {"select", c.Select}, {"having", c.Having}, {"sort", c.Sort}} {
		if err := checkText(p.name, p.text); err != nil {
			return err
		}
	}
	return nil
}

// checkText refuses what is too long or not UTF-8.
func checkText(parameter, text string) error {
	if len(text) > MaxText {
		return catalog.Errorf(catalog.Invalid, "bad_"+parameter, "%s is too long: at most %d bytes", parameter, MaxText).
			With("parameter", parameter).With("bytes", len(text)).
			InChinese("%s过长：最多%d字节", parameter, MaxText)
	}
	if !utf8.ValidString(text) {
		n := position(text, firstInvalid(text))
		return catalog.Errorf(catalog.Invalid, "bad_"+parameter, "%s is not UTF-8 at character %d: write it in UTF-8 and percent-encode it", parameter, n).
			With("parameter", parameter).With("position", n).
			InChinese("%s第%d个字符不是UTF-8：请用UTF-8编码", parameter, n)
	}
	return nil
}

// firstInvalid is the offset of the first byte that is no UTF-8.
func firstInvalid(text string) int {
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// position turns a byte offset into a 1-based character.
func position(text string, at int) int {
	return utf8.RuneCountInString(text[:max(0, min(at, len(text)))]) + 1
}
