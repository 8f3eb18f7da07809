package table

import (
	"cmp"
	"strings"
)

// parseItems reads the comma list of select or group; nothing for an empty one.
func parseItems(parameter, text string) ([]Item, error) {
	if err := checkText(parameter, text); err != nil {
		return nil, err
	}
	p := &parser{scanner: scanner{parameter: parameter, src: text}}
	var items []Item
	for first := true; ; first = false {
		if first && p.end() {
			return nil, nil
		}
		item, err := p.item()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		if p.end() {
			return items, nil
		}
		if !p.take(",") {
			return nil, p.fail(p.pos, phrase{`, or as, or the end (names with other signs than letters, digits and _ need double quotes)`, `,、as或结尾（列名含字母、数字、_以外的字符时须加双引号）`})
		}
	}
}

// item reads a column or a function of one, with as and a name behind it.
func (p *parser) item() (Item, error) {
	p.space()
	item := Item{Column: Column{At: p.pos}}
	name := p.peekWord()
	p.pos += len(name)
	called := name != "" && p.sees("(")
	p.pos = item.At
	if called {
		if err := p.call(&item); err != nil {
			return item, err
		}
	} else {
		c, err := p.column(false, phrase{"a column name", "列名"})
		if err != nil {
			return item, err
		}
		item.Column = c
	}
	if !p.takeWord("as") {
		return item, nil
	}
	as, err := p.column(false, phrase{"a name after as", "as后面的名称"})
	item.As = as.Name
	return item, err
}

// foreignFuncs maps what functions are called elsewhere to what they are called here.
var foreignFuncs = map[Func]Func{"mean": Avg, "average": Avg, "percentile": Quantile, "percentile_cont": Quantile, "quantile_cont": Quantile,
	"date_trunc": Trunc, "count_distinct": Distinct, "nunique": Distinct, "len": Count, "floor": Bin, "width_bucket": Bin, "total": Sum}

// call reads name(column), name(column, literal) or count(*).
func (p *parser) call(item *Item) error {
	at := item.At
	name := p.peekWord()
	item.Func = Func(strings.ToLower(name))
	if _, ok := aggregates[item.Func]; !ok && item.Func != Trunc && item.Func != Bin {
		list := strings.Join(FuncNames(), ", ")
		hint := phrase{"one of the functions " + list, "函数" + strings.ReplaceAll(list, ", ", "、")}
		near := cmp.Or(string(foreignFuncs[item.Func]), Nearest(name, FuncNames()))
		if near != "" {
			hint = phrase{near + "(…)", near + "(…)"}
		}
		return p.fail(at, hint)
	}
	p.pos += len(name)
	p.take("(")
	if item.Func == Count && p.take("*") {
		item.Star = true
	} else {
		c, err := p.column(false, phrase{"a column name", "列名"})
		if err != nil {
			return err
		}
		item.Column = c
	}
	if p.take(",") {
		l, err := p.literal()
		if err != nil {
			return err
		}
		item.Arg = &l
	}
	if !p.take(")") {
		return p.fail(p.pos, phrase{")", ")"})
	}
	return nil
}

// parseSort reads a comma list of columns, each with - before it for descending.
func parseSort(text string) ([]SortKey, error) {
	if err := checkText("sort", text); err != nil {
		return nil, err
	}
	s := &scanner{parameter: "sort", src: text}
	var keys []SortKey
	for first := true; ; first = false {
		if first && s.end() {
			return nil, nil
		}
		descending := s.take("-")
		expected := phrase{"a column name, with - before it for descending", "列名，降序时前面加-"}
		if descending {
			expected = phrase{"a column name after -", "-后面的列名"}
		}
		c, err := s.column(false, expected)
		if err != nil {
			return nil, err
		}
		keys = append(keys, SortKey{Column: c, Descending: descending})
		if s.end() {
			return keys, nil
		}
		if !s.take(",") {
			hint := phrase{", or the end", ",或结尾"}
			if w := s.peekWord(); strings.EqualFold(w, "desc") || strings.EqualFold(w, "asc") {
				hint = phrase{", or the end (descending is written -" + quoteName(c.Name) + ")", ",或结尾（降序写作-" + quoteName(c.Name) + "）"}
			}
			return nil, s.fail(s.pos, hint)
		}
	}
}

// ParseNames reads a comma list of columns, in double quotes where select needs them.
// Invalid bad_<parameter> else.
func ParseNames(parameter, text string) ([]string, error) {
	items, err := parseItems(parameter, text)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(items))
	for i, item := range items {
		if item.Func != "" || item.As != "" {
			p := &parser{scanner: scanner{parameter: parameter, src: text}}
			return nil, p.fail(item.At, phrase{"a column name and nothing else", "列名，不带别的"})
		}
		names[i] = item.Name
	}
	return names, nil
}

// FormatNames is the inverse of ParseNames.
func FormatNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteName(name)
	}
	return strings.Join(quoted, ",")
}
