package table

import (
	"strings"

	"taihu/catalog"
)

// parseSelect reads a comma list of columns; nothing for every column.
func parseSelect(text string) ([]Column, error) {
	if err := checkText("select", text); err != nil {
		return nil, err
	}
	s := &scanner{parameter: "select", src: text}
	var columns []Column
	for first := true; ; first = false {
		if first && s.end() {
			return nil, nil
		}
		c, err := s.column(false, phrase{"a column name", "列名"})
		if err != nil {
			return nil, err
		}
		if s.sees("(") || strings.EqualFold(s.peekWord(), "as") {
			return nil, catalog.Errorf(catalog.Invalid, "not_supported_yet", "select takes column names only so far: aggregates such as avg(aqi) and new names with as are not offered yet").
				With("parameter", "select").With("position", position(text, s.pos)).
				InChinese("select目前只接受列名：暂不支持avg(aqi)一类的聚合和用as改名")
		}
		columns = append(columns, c)
		if s.end() {
			return columns, nil
		}
		if !s.take(",") {
			return nil, s.fail(s.pos, phrase{`, or the end (names with other signs than letters, digits and _ need double quotes)`, `,或结尾（列名含字母、数字、_以外的字符时须加双引号）`})
		}
	}
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
