package table

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"taihu/catalog"
)

const (
	microsOfDay = 86400e6
	minYear     = 1
	maxYear     = 9999
)

var (
	minDay = catalog.DaysOf(minYear, 1, 1)
	maxDay = catalog.DaysOf(maxYear, 12, 31)
)

// examples shows how a literal of each type is written.
var examples = map[catalog.Type]string{
	catalog.Boolean: "true", catalog.Integer: "150", catalog.Decimal: "12.5", catalog.Number: "0.35",
	catalog.Date: "'2021-12-08'", catalog.Time: "'08:30:00'", catalog.Datetime: "'2021-12-08T08:30:00'",
	catalog.String: "'滨湖区'", catalog.JSON: "'滨湖区'",
}

// wanted says in words what literal each type takes.
var wanted = map[catalog.Type]phrase{
	catalog.Boolean: {"true or false", "true或false"}, catalog.Integer: {"a number", "数字"}, catalog.Decimal: {"a number", "数字"}, catalog.Number: {"a number", "数字"},
	catalog.Date:     {"a date in single quotes", "单引号中的日期"},
	catalog.Time:     {"a time in single quotes", "单引号中的时刻"},
	catalog.Datetime: {"a date and time in single quotes", "单引号中的日期时间"},
	catalog.String:   {"a text in single quotes", "单引号中的文本"}, catalog.JSON: {"a text in single quotes", "单引号中的文本"},
}

// valueOf turns a literal into a value of a field whose every literal has one;
// integer and decimal columns are compared through exact instead. false: the
// literal is not of the type.
func valueOf(f catalog.Field, l Literal) (Value, bool) {
	switch f.Type {
	case catalog.Boolean:
		return Value{Bool: l.Text == "true"}, l.Kind == BooleanLiteral
	case catalog.Number:
		if l.Kind == NumberLiteral {
			return Value{Num: parseExact(l.Text).float()}, true
		}
		// What has no number in JSON is written as the answer writes it.
		switch l.Text {
		case "NaN":
			return Value{Num: math.NaN()}, l.Kind == TextLiteral
		case "Infinity":
			return Value{Num: math.Inf(1)}, l.Kind == TextLiteral
		case "-Infinity":
			return Value{Num: math.Inf(-1)}, l.Kind == TextLiteral
		}
		return Value{}, false
	}
	if l.Kind != TextLiteral {
		return Value{}, false
	}
	switch f.Type {
	case catalog.Date:
		days, rest, ok := parseDate(l.Text)
		return Value{Int: days}, ok && rest == ""
	case catalog.Time:
		micros, rest, ok := parseTime(l.Text)
		return Value{Int: micros}, ok && rest == ""
	case catalog.Datetime:
		micros, ok := parseDatetime(l.Text, f.Zone)
		return Value{Int: micros}, ok
	case catalog.String, catalog.JSON:
		return Value{Text: l.Text}, true
	}
	return Value{}, false
}

// literalOf is the canonical literal of a value: the inverse of valueOf.
func literalOf(f catalog.Field, v Value) Literal {
	switch f.Type {
	case catalog.Boolean:
		return Literal{Kind: BooleanLiteral, Text: strconv.FormatBool(v.Bool)}
	case catalog.Integer:
		return Literal{Kind: NumberLiteral, Text: strconv.FormatInt(v.Int, 10)}
	case catalog.Decimal:
		text := v.Text
		if !Wide(f.Precision) {
			text = string(catalog.AppendDecimal(nil, v.Int, f.Scale))
		}
		return Literal{Kind: NumberLiteral, Text: parseExact(text).String()}
	case catalog.Number:
		text := string(catalog.AppendNumber(nil, v.Num))
		if math.IsNaN(v.Num) || math.IsInf(v.Num, 0) {
			return Literal{Kind: TextLiteral, Text: text}
		}
		return Literal{Kind: NumberLiteral, Text: parseExact(text).String()}
	case catalog.Date:
		return Literal{Kind: TextLiteral, Text: string(catalog.AppendDate(nil, v.Int))}
	case catalog.Time:
		return Literal{Kind: TextLiteral, Text: string(catalog.AppendTime(nil, v.Int))}
	case catalog.Datetime:
		text := string(catalog.AppendDatetime(nil, v.Int, "Z"))
		return Literal{Kind: TextLiteral, Text: strings.TrimSuffix(text, "Z")}
	}
	return Literal{Kind: TextLiteral, Text: v.Text}
}

// unitsOf is the value of whole units of 10^-scale in an integer or decimal column.
func unitsOf(f catalog.Field, units *big.Int) Value {
	if f.Type == catalog.Decimal && Wide(f.Precision) {
		return Value{Text: wideText(units, f.Scale)}
	}
	return Value{Int: units.Int64()}
}

// wideText writes units × 10^-scale with exactly scale digits after the point.
func wideText(units *big.Int, scale int) string {
	digits := new(big.Int).Abs(units).String()
	if n := scale + 1 - len(digits); n > 0 {
		digits = strings.Repeat("0", n) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if units.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// bounds returns the least and the greatest units an integer or decimal column
// can hold.
func bounds(f catalog.Field) (low, high *big.Int) {
	if f.Type == catalog.Integer {
		return big.NewInt(math.MinInt64), big.NewInt(math.MaxInt64)
	}
	high = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(f.Precision)), nil)
	high.Sub(high, big.NewInt(1))
	return new(big.Int).Neg(high), high
}

// cutDigits takes exactly n digits from the front of s.
func cutDigits(s string, n int) (value int, rest string, ok bool) {
	if len(s) < n {
		return 0, s, false
	}
	for i := range n {
		if s[i] < '0' || s[i] > '9' {
			return 0, s, false
		}
		value = value*10 + int(s[i]-'0')
	}
	return value, s[n:], true
}

// parseDate reads yyyy-mm-dd, a day that exists, from the front of s.
func parseDate(s string) (days int64, rest string, ok bool) {
	y, rest, ok := cutDigits(s, 4)
	if !ok || !strings.HasPrefix(rest, "-") {
		return 0, s, false
	}
	m, rest, ok := cutDigits(rest[1:], 2)
	if !ok || !strings.HasPrefix(rest, "-") {
		return 0, s, false
	}
	d, rest, ok := cutDigits(rest[1:], 2)
	if !ok || y < minYear || m < 1 || m > 12 || d < 1 {
		return 0, s, false
	}
	days = catalog.DaysOf(y, m, d)
	next := catalog.DaysOf(y+m/12, m%12+1, 1)
	return days, rest, days < next
}

// parseTime reads hh:mm, hh:mm:ss or hh:mm:ss.ffffff from the front of s.
func parseTime(s string) (micros int64, rest string, ok bool) {
	h, rest, ok := cutDigits(s, 2)
	if !ok || h > 23 || !strings.HasPrefix(rest, ":") {
		return 0, s, false
	}
	m, rest, ok := cutDigits(rest[1:], 2)
	if !ok || m > 59 {
		return 0, s, false
	}
	micros = int64(h*60+m) * 60e6
	if !strings.HasPrefix(rest, ":") {
		return micros, rest, true
	}
	sec, rest, ok := cutDigits(rest[1:], 2)
	if !ok || sec > 59 {
		return 0, s, false
	}
	micros += int64(sec) * 1e6
	if !strings.HasPrefix(rest, ".") {
		return micros, rest, true
	}
	rest = rest[1:]
	n := 0
	for unit := int64(1e5); n < len(rest) && rest[n] >= '0' && rest[n] <= '9'; n++ {
		if unit == 0 && rest[n] != '0' {
			return 0, s, false // finer than a microsecond
		}
		micros += int64(rest[n]-'0') * unit
		unit /= 10
	}
	return micros, rest[n:], n > 0
}

// parseDatetime reads a date, or a date and a time with T or a space between
// them, and brings it to the wall clock of zone if it states an offset.
func parseDatetime(s, zone string) (micros int64, ok bool) {
	days, rest, ok := parseDate(s)
	if !ok {
		return 0, false
	}
	micros = days * microsOfDay
	if rest == "" {
		return micros, true
	}
	if rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ' {
		return 0, false
	}
	time, rest, ok := parseTime(rest[1:])
	if !ok {
		return 0, false
	}
	micros += time
	if rest == "" {
		return micros, true
	}
	stated, ok := parseOffset(rest)
	if !ok {
		return 0, false
	}
	if zone == "" {
		zone = catalog.DefaultZone
	}
	own, ok := parseOffset(zone)
	micros += own - stated
	return micros, ok && micros >= minDay*microsOfDay && micros < (maxDay+1)*microsOfDay
}

// parseOffset reads Z, ±hh:mm, ±hhmm or ±hh in microseconds. A space counts as +,
// because that is what an address makes of a plus that was not encoded.
func parseOffset(s string) (micros int64, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) > 1 && s[0] == ' ' && (s[1] == '+' || s[1] == '-' || s[1] == 'Z') {
		s = s[1:]
		if s == "Z" {
			return 0, true
		}
	}
	if s == "" || s[0] != '+' && s[0] != '-' && s[0] != ' ' {
		return 0, false
	}
	h, rest, ok := cutDigits(s[1:], 2)
	if !ok || h > 23 {
		return 0, false
	}
	m := 0
	if rest != "" {
		if m, rest, ok = cutDigits(strings.TrimPrefix(rest, ":"), 2); !ok || m > 59 || rest != "" {
			return 0, false
		}
	}
	micros = int64(h*60+m) * 60e6
	if s[0] == '-' {
		micros = -micros
	}
	return micros, true
}
