package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// EveryColumn stands for each column of a file in IngestOptions.NullWords.
const EveryColumn = "*"

// Limits of null words.
const (
	maxNullWords = 100 // of a file
	maxNullWord  = 100 // characters
)

// ParseNullWords reads null words as the command line and an upload's address
// write them: WORD in every column, COLUMN=WORD in one. Nil where there are none.
func ParseNullWords(list []string) (map[string][]string, error) {
	words := map[string][]string{}
	n := 0
	for _, text := range list {
		column, word := EveryColumn, strings.TrimSpace(text)
		if i := strings.LastIndexByte(word, '='); i > 0 {
			column, word = strings.TrimSpace(word[:i]), strings.TrimSpace(word[i+1:])
		}
		n++
		if word == "" || utf8.RuneCountInString(word) > maxNullWord || n > maxNullWords {
			return nil, Errorf(Invalid, "invalid_null_word", "%q is no null word: write WORD or COLUMN=WORD, at most %d of at most %d characters", text, maxNullWords, maxNullWord).
				With("field", "null_words").InChinese("“%s”读不懂：请写作 词 或 列名=词，最多%d个，每个最多%d字", text, maxNullWords, maxNullWord)
		}
		if !slices.Contains(words[column], word) {
			words[column] = append(words[column], word)
		}
	}
	if n == 0 {
		return nil, nil
	}
	return words, nil
}

// NullWordLines is the inverse of ParseNullWords, in a fixed order.
func (o *IngestOptions) NullWordLines() []string {
	var lines []string
	for _, column := range slices.Sorted(maps.Keys(o.NullWords)) {
		for _, w := range o.NullWords[column] {
			if column != EveryColumn {
				w = column + "=" + w
			}
			lines = append(lines, w)
		}
	}
	return lines
}

// Or returns the options with what they do not state taken from others, but for
// decisions about findings.
func (o IngestOptions) Or(from IngestOptions) IngestOptions {
	taken := []bool{
		take(&o.Sheet, from.Sheet), take(&o.HeaderRow, from.HeaderRow), take(&o.HeaderRows, from.HeaderRows), take(&o.Totals, from.Totals), take(&o.Merged, from.Merged), take(&o.Path, from.Path),
		take(&o.Delimiter, from.Delimiter), take(&o.Encoding, from.Encoding), take(&o.Table, from.Table), take(&o.Zone, from.Zone),
		o.Types == nil && from.Types != nil, o.NullWords == nil && from.NullWords != nil,
	}
	if o.Types == nil {
		o.Types = from.Types
	}
	if o.NullWords == nil {
		o.NullWords = from.NullWords
	}
	if slices.Contains(taken, true) {
		o.From = from.From
	}
	return o
}

// take gives a value that is not stated that of another, and reports whether it did.
func take[T comparable](to *T, from T) bool {
	var unstated T
	if *to != unstated || from == unstated {
		return false
	}
	*to = from
	return true
}

// Check returns Invalid where a steward cannot state the mode.
func (m Mode) Check() error {
	switch m {
	case "", Append, Upsert:
		return nil
	}
	return Errorf(Invalid, "invalid_mode", "there is no mode %q: append adds the rows, upsert replaces rows by the key, and without a mode the file is all of the table", m).
		With("field", "mode").InChinese("没有“%s”这种方式：append追加，upsert按主键更新，不写就是整张表", m)
}

// ReadOptions reads options given as text by name, as an upload's address, its
// metadata and forms give them. Of types, null_words and settle each line is one.
func ReadOptions(get func(name string) string) (o IngestOptions, err error) {
	o = IngestOptions{Sheet: strings.TrimSpace(get("sheet")), Totals: get("totals"), Merged: get("merged"), Path: strings.TrimSpace(get("path")), Delimiter: get("delimiter"), Encoding: get("encoding"), Table: strings.TrimSpace(get("table")), Zone: strings.TrimSpace(get("zone"))}
	if o.HeaderRow, err = readRow("header_row", get("header_row"), -1); err != nil {
		return o, err
	}
	if o.HeaderRows, err = readRow("header_rows", get("header_rows"), 0); err != nil {
		return o, err
	}
	if o.Types, err = ParseTypes(linesOf(get("types"))); err != nil {
		return o, err
	}
	if o.NullWords, err = ParseNullWords(linesOf(get("null_words"))); err != nil {
		return o, err
	}
	o.Mode = Mode(strings.TrimSpace(get("mode")))
	if err = o.Mode.Check(); err != nil {
		return o, err
	}
	o.Settled, err = ParseSettlements(get("settle"))
	return o, err
}

// Texts is the inverse of ReadOptions: what is stated, by name.
func (o *IngestOptions) Texts() map[string]string {
	texts := map[string]string{"sheet": o.Sheet, "totals": o.Totals, "merged": o.Merged, "path": o.Path, "delimiter": o.Delimiter, "encoding": o.Encoding, "table": o.Table, "zone": o.Zone, "mode": string(o.Mode), "null_words": strings.Join(o.NullWordLines(), "\n")}
	if o.HeaderRow != 0 {
		texts["header_row"] = strconv.Itoa(o.HeaderRow)
	}
	if o.HeaderRows != 0 {
		texts["header_rows"] = strconv.Itoa(o.HeaderRows)
	}
	var lines []string
	for _, column := range slices.Sorted(maps.Keys(o.Types)) {
		lines = append(lines, column+"="+string(o.Types[column]))
	}
	texts["types"] = strings.Join(lines, "\n")
	lines = nil
	for _, s := range o.Settled {
		lines = append(lines, s.String())
	}
	texts["settle"] = strings.Join(lines, "\n")
	maps.DeleteFunc(texts, func(_, text string) bool { return text == "" })
	return texts
}

// readRow reads a number of rows or a 1-based row, or -1 for none where that is the
// least; 0 where text is empty.
func readRow(name, text string, least int) (int, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, Errorf(Invalid, "invalid_field", "%s %q is no row: give 1, 2, …, or -1 where there is none", name, text).With("field", name).InChinese("“%s”不是行号：请填1、2……，没有表头填-1", text)
	}
	return n, nil
}

// linesOf returns the lines that are not blank.
func linesOf(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// ParseTypes reads types of columns written as COLUMN=TYPE. Nil where there are
// none.
func ParseTypes(list []string) (map[string]Type, error) {
	var types map[string]Type
	for _, text := range list {
		i := strings.LastIndexByte(text, '=')
		if i < 1 || !slices.Contains(Types, Type(text[i+1:])) {
			var names []string
			for _, t := range Types {
				names = append(names, string(t))
			}
			return nil, Errorf(Invalid, "invalid_type", "%q gives no column a type: write COLUMN=TYPE, where TYPE is one of %s", text, strings.Join(names, ", ")).
				With("field", "types").InChinese("“%s”读不懂：请写作 列名=类型，类型有 %s", text, strings.Join(names, "、"))
		}
		if types == nil {
			types = map[string]Type{}
		}
		types[text[:i]] = Type(text[i+1:])
	}
	return types, nil
}
