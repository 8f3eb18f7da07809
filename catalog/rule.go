package catalog

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Rules is what the contract of a dataset asks of a column's values, beside their
// type. They are those of Frictionless Table Schema under its names: required,
// unique, minimum, maximum, pattern, enum (specs.frictionlessdata.io/table-schema).
type Rules struct {
	Required bool `json:"required,omitempty"` // no cell is null
	Unique   bool `json:"unique,omitempty"`   // no two cells hold the same value; nulls do not count
	// Minimum and Maximum are values of the column, in the forms of architecture.md
	// §6 (a datetime without its offset); both belong to the range.
	Minimum string `json:"minimum,omitempty"`
	Maximum string `json:"maximum,omitempty"`
	Pattern string `json:"pattern,omitempty"` // RE2; the whole text of the cell must match
	Listed  bool   `json:"listed,omitempty"`  // each value is one of Field.Codes
}

// IsZero reports whether nothing is asked.
func (r Rules) IsZero() bool { return r == Rules{} }

// maxPattern is the longest pattern, in bytes.
const maxPattern = 1000

// Check returns Invalid bad_rule where the rules cannot be held against a column
// of that type.
func (r Rules) Check(f *Field) error {
	bad := func(rule, zh, en string, args ...any) error {
		return Errorf(Invalid, "bad_rule", en, args...).With("column", f.Name).With("rule", rule).With("field", rule).InChinese(zh, args...)
	}
	for _, bound := range []struct{ rule, text string }{{"minimum", r.Minimum}, {"maximum", r.Maximum}} {
		switch {
		case bound.text == "":
		case !Ordered(f.Type):
			return bad(bound.rule, "列“%[1]s”的类型是%[2]s，不能定最小、最大值", "column %[1]q is %[2]s, for which there is no least or greatest value: only numbers, dates and times have one", f.Name, f.Type)
		case !validBound(f.Type, bound.text):
			return bad(bound.rule, "列“%[1]s”：“%[2]s”不是%[3]s的值", "column %[1]q: %[2]q is no value of type %[3]s", f.Name, bound.text, f.Type)
		}
	}
	if r.Pattern != "" {
		if f.Type != String {
			return bad("pattern", "列“%[1]s”的类型是%[2]s，只有文本列可以定格式", "column %[1]q is %[2]s: only text can have a pattern", f.Name, f.Type)
		}
		if len(r.Pattern) > maxPattern {
			return bad("pattern", "列“%[1]s”的格式超过%[2]d字节", "column %[1]q: the pattern is longer than %[2]d bytes", f.Name, maxPattern)
		}
		if _, err := regexp.Compile(r.Pattern); err != nil {
			return bad("pattern", "列“%[1]s”的格式“%[2]s”不是正则表达式（RE2）", "column %[1]q: the pattern %[2]q is no regular expression (RE2): "+strings.ReplaceAll(err.Error(), "%", "%%"), f.Name, r.Pattern)
		}
	}
	if r.Listed && len(f.Codes) == 0 {
		return bad("listed", "列“%[1]s”还没有代码表，不能要求取值在代码表里", "column %[1]q has no code list that its values could be in", f.Name)
	}
	return nil
}

// Ordered reports whether values of a type have a least and a greatest.
func Ordered(t Type) bool {
	return slices.Contains([]Type{Integer, Decimal, Number, Date, Time, Datetime}, t)
}

// boundForm is how a number is written as a bound: as JSON has it, without exponent.
var boundForm = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,37})(\.[0-9]{1,37})?$`)

func validBound(t Type, text string) bool {
	layout := map[Type]string{Date: "2006-01-02", Time: "15:04:05", Datetime: "2006-01-02T15:04:05"}[t]
	if layout != "" {
		_, err := time.Parse(layout, text)
		return err == nil
	}
	if !boundForm.MatchString(text) {
		return false
	}
	n, ok := new(big.Rat).SetString(text)
	return ok && (t != Integer || n.IsInt() && n.Num().IsInt64() && !strings.Contains(text, "."))
}
