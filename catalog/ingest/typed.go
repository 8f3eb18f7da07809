package ingest

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unsafe"

	"taihu/catalog"
	"taihu/catalog/table"
)

// converter turns the text cells of one column into values of its type.
type converter struct {
	columnType
	name string
	text []byte // memory of the canonical digits of wide decimals
	ends []int
}

// convert fills v with the column's cells. Cells that do not fit their type are
// handed to bad and read as null; that happens only where the type was chosen or
// declared, as decided types fit every cell.
func (t *converter) convert(k *Column, v *table.Vector, bad func(i int, cell []byte)) {
	n := len(k.Ends)
	v.Type, v.Precision, v.Scale, v.Zone = t.Type, t.Precision, t.Scale, t.Zone
	if t.Type == catalog.String || t.Type == catalog.JSON {
		v.Null = k.Null
		v.Text = k.strings(v.Text[:0])
		if t.Type == catalog.JSON {
			t.checkJSON(k, v, bad)
		}
		return
	}
	null := v.Null[:0:cap(v.Null)]
	if cap(null) < n {
		null = make([]bool, 0, n+n/8)
	}
	null = null[:n]
	anyNull := false
	start := uint32(0)
	t.reset(v, n)
	for i, end := range k.Ends {
		cell := k.Data[start:end]
		start = end
		null[i] = false
		if k.Null != nil && k.Null[i] || !t.declared && isNullWord(trimSpaces(cell)) {
			null[i], anyNull = true, true
			continue
		}
		if !t.value(v, i, cell) && !t.looseValue(v, i, cell) {
			bad(i, cell)
			null[i], anyNull = true, true
		}
	}
	v.Null = null
	if !anyNull {
		v.Null = nil
	}
	t.finishWide(v, n)
}

// reset gives the vector n zero values.
func (t *converter) reset(v *table.Vector, n int) {
	switch {
	case t.Type == catalog.Boolean:
		v.Bool = zeros(v.Bool, n)
	case t.Type == catalog.Number:
		v.Num = zeros(v.Num, n)
	case t.Type == catalog.Decimal && table.Wide(t.Precision):
		t.text, t.ends = t.text[:0], zeros(t.ends, n)
		v.Text = zeros(v.Text, n)
	default:
		v.Int = zeros(v.Int, n)
	}
}

func zeros[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/8)
	}
	s = s[:n]
	clear(s)
	return s
}

// looseValue reads a cell of a chosen type that is not written as the type has it.
func (t *converter) looseValue(v *table.Vector, i int, cell []byte) bool {
	if !t.loose || isHanText(cell) {
		return false
	}
	b, ok := loosely(cell, t.Type)
	return ok && t.value(v, i, b)
}

// value reads one cell into row i.
func (t *converter) value(v *table.Vector, i int, cell []byte) (ok bool) {
	cell = trimSpaces(cell)
	switch t.Type {
	case catalog.Boolean:
		v.Bool[i] = equalFold(cell, "true")
		return v.Bool[i] || equalFold(cell, "false")
	case catalog.Integer:
		v.Int[i], ok = parseInteger(cell)
	case catalog.Number:
		v.Num[i], ok = parseDouble(cell)
	case catalog.Decimal:
		return t.decimal(v, i, cell)
	case catalog.Date:
		v.Int[i], ok = t.date(cell)
	case catalog.Time:
		v.Int[i], ok = parseTime(cell)
	case catalog.Datetime:
		v.Int[i], ok = t.datetime(cell)
	}
	return ok
}

// parseInteger reads an optional sign and digits of 64 bits.
func parseInteger(b []byte) (n int64, ok bool) {
	i := 0
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		i = 1
	}
	if len(b)-i > 18 || len(b) == i {
		if len(b) == i {
			return 0, false
		}
		n, err := strconv.ParseInt(string(b), 10, 64)
		return n, err == nil
	}
	for ; i < len(b); i++ {
		d := b[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	if negative {
		n = -n
	}
	return n, true
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseDouble reads a double. Up to 15 digits without exponent both mantissa and
// power of ten are exact, so one division rounds correctly (Clinger's fast path).
func parseDouble(b []byte) (float64, bool) {
	m, scale, digits := uint64(0), -1, 0
	i := 0
	if len(b) > 0 && b[0] == '-' {
		i = 1
	}
	for ; i < len(b) && digits <= 15; i++ {
		c := b[i]
		if c == '.' && scale < 0 {
			scale = digits
			continue
		}
		if c-'0' > 9 {
			break
		}
		m = m*10 + uint64(c-'0')
		digits++
	}
	if i == len(b) && digits > 0 && digits <= 15 {
		f := float64(m)
		if scale >= 0 {
			f /= powers[digits-scale]
		}
		if b[0] == '-' {
			f = -f
		}
		return f, true
	}
	return parseSlowNumber(b)
}

func parseSlowNumber(b []byte) (float64, bool) {
	switch c, _ := classify(b); c {
	case classSpecial:
		switch {
		case equalFold(b, "nan"):
			return math.NaN(), true
		case b[0] == '-':
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	case classText, classThousands, classPercent, classFullWidth:
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil
}

// decimal reads digits with at most Scale of them after the point.
func (t *converter) decimal(v *table.Vector, i int, cell []byte) bool {
	whole, fraction, _ := strings.Cut(string(cell), ".")
	negative := strings.HasPrefix(whole, "-")
	whole = strings.TrimLeft(strings.TrimPrefix(whole, "-"), "0")
	for len(fraction) > t.Scale && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if len(fraction) > t.Scale || len(whole) > t.Precision-t.Scale || !allDigits(whole) || !allDigits(fraction) || len(cell) == 0 || string(cell) == "." || string(cell) == "-." {
		return false
	}
	fraction += strings.Repeat("0", t.Scale-len(fraction))
	if !table.Wide(t.Precision) {
		n, ok := parseInteger([]byte("0" + whole + fraction))
		if negative {
			n = -n
		}
		v.Int[i] = n
		return ok
	}
	start := len(t.text)
	if negative && strings.Trim(whole+fraction, "0") != "" {
		t.text = append(t.text, '-')
	}
	if whole == "" {
		t.text = append(t.text, '0')
	}
	t.text = append(t.text, whole...)
	if t.Scale > 0 {
		t.text = append(t.text, '.')
		t.text = append(t.text, fraction...)
	}
	t.ends[i] = len(t.text) - start
	return true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// finishWide points the texts of wide decimals into t.text, which grew meanwhile.
func (t *converter) finishWide(v *table.Vector, n int) {
	if t.Type != catalog.Decimal || !table.Wide(t.Precision) {
		return
	}
	at := 0
	for i := range n {
		if k := t.ends[i]; k > 0 {
			v.Text[i] = unsafe.String(&t.text[at], k)
			at += k
		}
	}
}

// date reads days since 1970-01-01.
func (t *converter) date(cell []byte) (int64, bool) {
	if t.as == asDayFirst || t.as == asMonthFirst {
		micros, timed, ok := parseDayMonth(cell, t.as == asDayFirst)
		return micros / dayMicros, ok && !timed
	}
	micros, form, _, ok := parseYearFirst(cell)
	return micros / dayMicros, ok && form == formDate
}

// datetime reads local microseconds. A chosen datetime column may hold dates: midnight.
func (t *converter) datetime(cell []byte) (int64, bool) {
	if t.as == asDayFirstT || t.as == asMonthFirstT {
		micros, _, ok := parseDayMonth(cell, t.as == asDayFirstT)
		return micros, ok
	}
	micros, form, offset, ok := parseYearFirst(cell)
	switch {
	case !ok:
		return 0, false
	case form != formOffset: // among times with offsets its own is not known
		return micros, t.as != asOffset
	case t.toUTC:
		micros -= int64(offset) * 60_000_000
		return micros, micros >= firstDay*dayMicros && micros < (lastDay+1)*dayMicros
	}
	return micros, t.declared || t.as == asOffset && zoneText(offset) == t.Zone
}

// checkJSON hands cells that are no JSON to bad.
func (t *converter) checkJSON(k *Column, v *table.Vector, bad func(i int, cell []byte)) {
	for i := range k.Ends {
		if cell := k.Cell(i); !k.IsNull(i) && k.kind(i) != Nested && !json.Valid(cell) {
			bad(i, cell)
		}
	}
}
