package table

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Ops lists the comparisons, the longer spellings first as the parser tries them.
var Ops = []Op{NotEqual, LessEqual, GreaterEqual, Equal, Less, Greater}

// Functions lists the functions of where.
var Functions = []string{"contains", "starts"}

// foreign maps what people bring from other languages to what is written here.
var foreign = []struct{ theirs, ours string }{
	{"==", "="}, {"<>", "!="}, {"≠", "!="}, {"≥", ">="}, {"≤", "<="}, {"＝", "="}, {"！＝", "!="}, {"＞", ">"}, {"＜", "<"},
	{"&&", "and"}, {"||", "or"}, {"（", "("}, {"）", ")"}, {"，", ","}, {"‘", "'"}, {"’", "'"}, {"“", `"`}, {"”", `"`}, {"~", "contains"}, {"!", "not"},
	{"like", "contains"}, {"ilike", "contains"}, {"between", ">= … and … <="}, {"startswith", "starts"},
}

// parser reads conditions and lists by the grammar of architecture.md §5, one
// method a rule.
type parser struct {
	scanner
	depth, terms int
}

// parseCondition reads where or having; nil for an empty one: every row.
func parseCondition(parameter, text string) (Expr, error) {
	if err := checkText(parameter, text); err != nil {
		return nil, err
	}
	p := &parser{scanner: scanner{parameter: parameter, src: text}}
	if p.end() {
		return nil, nil
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.end() {
		return nil, p.unexpected(p.pos, phrase{"and, or, or the end", "and、or或结尾"})
	}
	return e, nil
}

func (p *parser) or() (Expr, error) {
	e, err := p.and()
	for err == nil && p.takeWord("or") {
		var right Expr
		if right, err = p.and(); err == nil {
			e = disjunction(e, right)
		}
	}
	return e, err
}

func (p *parser) and() (Expr, error) {
	e, err := p.not()
	for err == nil && p.takeWord("and") {
		var right Expr
		if right, err = p.not(); err == nil {
			e = conjunction(e, right)
		}
	}
	return e, err
}

func (p *parser) not() (Expr, error) {
	not := p.takeWord("not")
	e, err := p.primary(not)
	if err == nil && not {
		e = negation(e)
	}
	return e, err
}

func (p *parser) primary(afterNot bool) (Expr, error) {
	if !p.sees("(") {
		return p.comparison(afterNot)
	}
	if p.depth++; p.depth > MaxDepth {
		return nil, p.fail(p.pos, phrase{fmt.Sprintf("at most %d parentheses inside each other", MaxDepth), fmt.Sprintf("最多%d层括号", MaxDepth)})
	}
	p.take("(")
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, p.unexpected(p.pos, phrase{"and, or, or )", "and、or或)"})
	}
	p.depth--
	return e, nil
}

func (p *parser) comparison(afterNot bool) (Expr, error) {
	p.space()
	if p.terms++; p.terms > MaxTerms {
		return nil, p.fail(p.pos, phrase{fmt.Sprintf("at most %d comparisons", MaxTerms), fmt.Sprintf("最多%d个比较", MaxTerms)})
	}
	if e, is, err := p.function(); is {
		return e, err
	}
	expected := phrase{"a column name, not, contains(, starts( or (", "列名、not、contains(、starts(或("}
	if afterNot {
		expected = phrase{"a column name, contains(, starts( or (", "列名、contains(、starts(或("}
	}
	if p.peekWord() == "" && !p.sees(`"`) {
		return nil, p.unexpected(p.pos, expected)
	}
	c, err := p.column(true, expected)
	if err != nil {
		return nil, err
	}
	switch {
	case p.takeWord("in"):
		return p.membership(c)
	case p.takeWord("is"):
		not := p.takeWord("not")
		if p.takeWord("null") {
			return NullTest{Column: c, Not: not}, nil
		}
		if not {
			return nil, p.fail(p.pos, phrase{"null", "null"})
		}
		return nil, p.fail(p.pos, phrase{"null or not null", "null或not null"})
	}
	op, err := p.operator(c)
	if err != nil {
		return nil, err
	}
	l, err := p.literal()
	return Comparison{Column: c, Op: op, Literal: l}, err
}

func (p *parser) operator(c Column) (Op, error) {
	p.space()
	at := p.pos
	for _, f := range foreign[:2] { // == and <> begin with an operator of ours
		if strings.HasPrefix(p.src[at:], f.theirs) {
			return "", p.unexpected(at, phrase{f.ours, f.ours})
		}
	}
	for _, op := range Ops {
		if p.take(string(op)) {
			return op, nil
		}
	}
	if strings.EqualFold(p.peekWord(), "not") {
		return "", p.fail(at, phrase{"an operator (not stands before the column: not " + quoteName(c.Name) + " in (…))", "运算符（not写在列名之前：not " + quoteName(c.Name) + " in (…)）"})
	}
	return "", p.unexpected(at, phrase{"=, !=, <, <=, >, >=, in, is null or is not null", "=、!=、<、<=、>、>=、in、is null或is not null"})
}

func (p *parser) membership(c Column) (Expr, error) {
	if !p.take("(") {
		return nil, p.unexpected(p.pos, phrase{"( and a list of values", "(和值的列表"})
	}
	m := Membership{Column: c}
	for {
		l, err := p.literal()
		if err != nil {
			return nil, err
		}
		m.Literals = append(m.Literals, l)
		if p.take(")") {
			return m, nil
		}
		if !p.take(",") {
			return nil, p.unexpected(p.pos, phrase{", or )", ",或)"})
		}
	}
}

// function reads contains(column, text) and starts(column, text); is tells
// whether a function stands here at all.
func (p *parser) function() (e Expr, is bool, err error) {
	at := p.pos
	name := p.peekWord()
	p.pos += len(name)
	if name == "" || !p.sees("(") || isKeyword(name) && !strings.EqualFold(name, "contains") && !strings.EqualFold(name, "starts") {
		p.pos = at
		return nil, false, nil
	}
	starts := strings.EqualFold(name, "starts")
	if !starts && !strings.EqualFold(name, "contains") {
		near := Nearest(name, Functions)
		hint := phrase{"one of the functions contains and starts", "函数contains或starts"}
		if near != "" {
			hint = phrase{near + "(column, 'text')", near + "(列名, '文本')"}
		}
		return nil, true, p.fail(at, hint)
	}
	p.take("(")
	c, err := p.column(true, phrase{"a column name", "列名"})
	if err != nil {
		return nil, true, err
	}
	if !p.take(",") {
		return nil, true, p.unexpected(p.pos, phrase{",", ","})
	}
	l, err := p.literal()
	if err != nil {
		return nil, true, err
	}
	if !p.take(")") {
		return nil, true, p.unexpected(p.pos, phrase{")", ")"})
	}
	return Search{Column: c, Starts: starts, Literal: l}, true, nil
}

func (p *parser) literal() (Literal, error) {
	p.space()
	at := p.pos
	expected := phrase{"a number, a 'text' in single quotes, true or false", "数字、单引号中的'文本'、true或false"}
	if p.sees("'") {
		text, ok := p.quoted('\'')
		if !ok {
			return Literal{}, p.fail(at, phrase{"a closing ' after the text (a ' inside is written '')", "文本后的右单引号'（文本中的'写作''）"})
		}
		return Literal{Kind: TextLiteral, Text: text, At: at}, nil
	}
	if n := numberLength(p.src[at:]); n > 0 {
		p.pos = at + n
		if r, _ := utf8.DecodeRuneInString(p.src[p.pos:]); p.pos < len(p.src) && (isWordRune(r) || strings.ContainsRune("-/:.+", r)) {
			return Literal{}, p.fail(at, phrase{"a number, or single quotes around a date or text, such as '2021-12-08'", "数字；日期和文本须加单引号，例如'2021-12-08'"})
		}
		return Literal{Kind: NumberLiteral, Text: p.src[at:p.pos], At: at}, nil
	}
	w := p.peekWord()
	switch {
	case strings.EqualFold(w, "true"), strings.EqualFold(w, "false"):
		p.pos += len(w)
		return Literal{Kind: BooleanLiteral, Text: strings.ToLower(w), At: at}, nil
	case strings.EqualFold(w, "null"):
		return Literal{}, p.fail(at, phrase{expected.en + "; null is asked for with is null", expected.zh + "；空值用is null"})
	case p.sees(`"`):
		return Literal{}, p.fail(at, phrase{expected.en + "; double quotes are for column names", expected.zh + "；双引号只用于列名"})
	case w != "":
		return Literal{}, p.fail(at, phrase{expected.en + "; text needs single quotes: '" + w + "'", expected.zh + "；文本须加单引号：'" + w + "'"})
	}
	return Literal{}, p.unexpected(at, expected)
}

// unexpected is fail with a hint where the sign is known from elsewhere.
func (p *parser) unexpected(at int, expected phrase) error {
	f := p.foreign(at)
	if f == "" {
		return p.fail(at, expected)
	}
	for _, x := range foreign {
		if x.theirs == f {
			expected = phrase{expected.en + fmt.Sprintf(" (here %s is written %s)", x.theirs, x.ours), expected.zh + fmt.Sprintf("（%s在此写作%s）", x.theirs, x.ours)}
		}
	}
	return p.fail(at, expected)
}

// foreign returns the sign or word of another language that stands at an offset.
func (p *parser) foreign(at int) string {
	rest := p.src[at:]
	word := (&scanner{src: rest}).peekWord()
	for _, f := range foreign {
		r, _ := utf8.DecodeRuneInString(f.theirs)
		if isWordRune(r) && strings.EqualFold(word, f.theirs) || !isWordRune(r) && strings.HasPrefix(rest, f.theirs) && !strings.HasPrefix(rest, "!=") {
			return f.theirs
		}
	}
	return ""
}

// conjunction, disjunction and negation keep an Expr flat.
func conjunction(a, b Expr) Expr {
	if c, ok := a.(Conjunction); ok {
		if d, ok := b.(Conjunction); ok {
			return Conjunction{append(c.Terms, d.Terms...)}
		}
		return Conjunction{append(c.Terms, b)}
	}
	if d, ok := b.(Conjunction); ok {
		return Conjunction{append([]Expr{a}, d.Terms...)}
	}
	return Conjunction{[]Expr{a, b}}
}

func disjunction(a, b Expr) Expr {
	if c, ok := a.(Disjunction); ok {
		if d, ok := b.(Disjunction); ok {
			return Disjunction{append(c.Terms, d.Terms...)}
		}
		return Disjunction{append(c.Terms, b)}
	}
	if d, ok := b.(Disjunction); ok {
		return Disjunction{append([]Expr{a}, d.Terms...)}
	}
	return Disjunction{[]Expr{a, b}}
}

func negation(e Expr) Expr {
	switch e := e.(type) {
	case Negation:
		return e.Term
	case NullTest:
		return NullTest{Column: e.Column, Not: !e.Not}
	}
	return Negation{e}
}
