package export

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Options shape a file beyond what rows and columns it has. The zero value is a
// format's plain form, and every choice has one spelling here, so that equal
// Options are equal bytes. They travel to the query child inside Meta.
type Options struct {
	Shape       string `json:"shape,omitempty"`     // of json: arrays or columns; "": objects
	Delimiter   string `json:"delimiter,omitempty"` // of csv and tsv, as all that follow; "": the format's own
	Header      string `json:"header,omitempty"`    // zh, en or none; "": names
	BOM         bool   `json:"bom,omitempty"`
	Newline     string `json:"newline,omitempty"`     // crlf; "": lf
	Null        string `json:"null,omitempty"`        // the word for null; "": nothing
	Spreadsheet bool   `json:"spreadsheet,omitempty"` // for spreadsheets: no formulas, BOM, CRLF
}

// maxColumnwise is how many columns an answer may have that is written column
// after column: the question is asked once for each.
const maxColumnwise = 100

// maxNull is how many characters the word for null may have.
const maxNull = 32

// choices are the words that an option can have, the first being the default.
// delimiter and null take words of the reader's own.
var choices = map[string][]string{
	"shape": {"objects", "columns", "arrays"}, "header": {"name", "zh", "en", "none"}, "bom": {"0", "1"}, "newline": {"lf", "crlf"}, "spreadsheet": {"0", "1"},
}

var csvParameters = []string{"delimiter", "header", "bom", "newline", "null", "spreadsheet"}

// Parameters returns the parameters that shape a format, in the order of their
// canonical form.
func Parameters(format string) []string {
	switch format {
	case "csv", "tsv":
		return csvParameters
	case "json":
		return []string{"shape"}
	}
	return nil
}

// FormatsOf returns the formats that a parameter shapes.
func FormatsOf(parameter string) []string {
	var formats []string
	for _, f := range Formats {
		if slices.Contains(Parameters(f.Name), parameter) {
			formats = append(formats, f.Name)
		}
	}
	return formats
}

// ParseOptions reads the options of a format; get returns a parameter's text, ""
// where it is not given. Errors: Invalid bad_option with the parameter, what was
// found and the words there are.
func ParseOptions(format string, get func(parameter string) string) (Options, error) {
	word := map[string]string{}
	for _, name := range Parameters(format) {
		text := get(name)
		if known := choices[name]; text != "" && known != nil {
			if !slices.Contains(known, text) {
				return Options{}, badChoice(name, text, known)
			}
			if text == known[0] {
				text = ""
			}
		}
		word[name] = text
	}
	o := Options{Shape: word["shape"], Header: word["header"], BOM: word["bom"] != "", Newline: word["newline"], Null: word["null"], Spreadsheet: word["spreadsheet"] != ""}
	var err error
	if o.Delimiter, err = parseDelimiter(format, word["delimiter"]); err != nil {
		return o, err
	}
	if err := checkNull(o.Null, o.delimiter(format)); err != nil {
		return o, err
	}
	if o.Spreadsheet {
		if get("bom") == "0" || get("newline") == "lf" {
			return o, badOption("spreadsheet", "1", "it has a BOM and CRLF, which spreadsheets expect: leave bom and newline out", "它带BOM、用CRLF，电子表格要求如此：请去掉bom与newline")
		}
		o.BOM, o.Newline = false, "" // one spelling: it says both
	}
	return o, nil
}

// String writes the options as the query part of an address, in a fixed order; ""
// for the plain form.
func (o Options) String() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+url.QueryEscape(value))
		}
	}
	flag := map[bool]string{true: "1"}
	add("shape", o.Shape)
	if o.Delimiter == "\t" {
		add("delimiter", "tab")
	} else {
		add("delimiter", o.Delimiter)
	}
	add("header", o.Header)
	add("bom", flag[o.BOM])
	add("newline", o.Newline)
	add("null", o.Null)
	add("spreadsheet", flag[o.Spreadsheet])
	return strings.Join(parts, "&")
}

// delimiter is the mark between values.
func (o Options) delimiter(format string) string {
	switch {
	case o.Delimiter != "":
		return o.Delimiter
	case format == "tsv":
		return "\t"
	}
	return ","
}

// parseDelimiter takes one character that no number, date, word or quoting is
// written with: those stand without quotes.
func parseDelimiter(format, text string) (string, error) {
	if text == "tab" {
		text = "\t"
	}
	if text == "" || text == (Options{}).delimiter(format) {
		return "", nil
	}
	r, size := utf8.DecodeRuneInString(text)
	switch {
	case size != len(text) || r == utf8.RuneError:
		return "", badOption("delimiter", text, "it is one character, such as ; or |, or the word tab", "须是一个字符，例如;或|，或写tab")
	case r != '\t' && !unicode.IsGraphic(r), unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), r != '\t' && unicode.IsSpace(r), strings.ContainsRune(`"'+-.:_=@`, r):
		return "", badOption("delimiter", text, "values are written with it: take one such as , ; | or tab", "值里要用到它：请用,、;、|或tab之类")
	}
	return text, nil
}

// checkNull refuses words that a value is written as without quotes; a text that
// equals the word is quoted.
func checkNull(word, delimiter string) error {
	if word == "" {
		return nil
	}
	refuse := func(message, zh string) error { return badOption("null", word, message, zh) }
	number := strings.TrimLeft(word, "+-.")
	switch {
	case !utf8.ValidString(word) || utf8.RuneCountInString(word) > maxNull:
		return refuse("it has at most 32 characters", "最多32个字符")
	case strings.Contains(word, delimiter) || strings.ContainsFunc(word, func(r rune) bool { return r == '"' || !unicode.IsGraphic(r) }) || strings.TrimSpace(word) != word:
		return refuse("it holds no delimiter, quote, control character or space at its ends", "不能含分隔符、引号、控制字符，首尾不能是空格")
	case slices.Contains([]string{"true", "false", "nan", "infinity", "inf"}, strings.ToLower(number)), number != "" && number[0] >= '0' && number[0] <= '9':
		return refuse("a value is written like this, so a reader could not tell it from null: take a word such as NA", "这样的写法是一个值，与空值分不开：请用NA之类的词")
	case word != "-" && startsFormula(word):
		return refuse("a spreadsheet would take it for a formula", "电子表格会把它当作公式")
	}
	return nil
}

func badChoice(parameter, found string, known []string) error {
	list := strings.Join(known, ", ")
	e := catalog.Errorf(catalog.Invalid, "bad_option", "%s %q is not known: it is one of %s", parameter, found, list).
		With("parameter", parameter).With("found", found).With("values", known).
		InChinese("%s没有“%s”这种写法：可用%s", parameter, found, list)
	if near := table.Nearest(found, known); near != "" {
		e = e.With("nearest", near)
		e.Message += "; did you mean " + near + "?"
	}
	return e
}

func badOption(parameter, found, message, zh string) error {
	return catalog.Errorf(catalog.Invalid, "bad_option", "%s %q cannot be used: %s", parameter, found, message).
		With("parameter", parameter).With("found", found).
		InChinese("%s不能用“%s”：%s", parameter, found, zh)
}

// formulaMarks begin what a spreadsheet may run, the full-width ones where it
// takes them for the others.
const formulaMarks = "=+-@\t\r\n＝＋－＠"

// startsFormula reports whether a spreadsheet may take a text for a formula;
// some look past spaces.
func startsFormula(s string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " "))
	return strings.ContainsRune(formulaMarks, r)
}
