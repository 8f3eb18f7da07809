package ingest

import (
	"math"
	"strconv"
)

// class is what one cell looks like on its own. Each cell has exactly one;
// types are decided from how many cells a column has of each.
type class uint8

const (
	classText     class = iota
	classNullWord       // NA, N/A, null, \N, - or nothing
	classBoolean
	classInteger   // at most 15 digits
	classLong      // whole number of more than 15 digits
	classZeros     // digits with a leading zero
	classNumber    // fraction that a double gives back
	classDecimal   // fraction with more digits than a double gives back
	classExponent  // 1e3: a number where the column has fractions, else it may be a code
	classSpecial   // NaN and the infinities
	classDate      // year first
	classDayMonth  // date that can be read both ways
	classDayFirst  // date that can only be read day first
	classMonthDay  // date that can only be read month first
	classTime      // of day
	classDatetime  // year first, no offset
	classOffset    // year first, with an offset
	classDayMonthT // the three orders again, with a time
	classDayFirstT
	classMonthDayT
	classThousands // number with thousands separators
	classPercent
	classFullWidth // number in full-width digits
	classCount
)

// trimSpaces drops the ASCII blanks around a cell, which typed values ignore.
func trimSpaces(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// shape carries what the decision needs of a number beyond its class.
type shape struct {
	whole, scale int  // digits before and after the point
	exponent     bool // written with one
}

// classify looks at one cell.
func classify(b []byte) (class, shape) {
	if len(b) > 0 && (b[0] <= ' ' || b[len(b)-1] <= ' ') {
		b = trimSpaces(b)
	}
	if len(b) == 0 {
		return classNullWord, shape{}
	}
	if len(b) > 64 {
		return classText, shape{}
	}
	switch c := b[0]; {
	case c >= '0' && c <= '9':
		return classifyDigits(b)
	case c == '-' || c == '.':
		if len(b) == 1 && c == '-' {
			return classNullWord, shape{}
		}
		if equalFold(b, "-infinity") || equalFold(b, "-inf") {
			return classSpecial, shape{}
		}
		return classifyNumber(b)
	case c >= 0x80:
		if isFullWidthNumber(b) {
			return classFullWidth, shape{}
		}
		return classText, shape{}
	}
	return classifyWord(b), shape{}
}

// classifyWord knows the words that are values.
func classifyWord(b []byte) class {
	if len(b) > 8 {
		return classText
	}
	switch b[0] | 0x20 {
	case 't':
		if equalFold(b, "true") {
			return classBoolean
		}
	case 'f':
		if equalFold(b, "false") {
			return classBoolean
		}
	case 'n':
		if isNullWord(b) {
			return classNullWord
		}
		if equalFold(b, "nan") {
			return classSpecial
		}
	case 'i':
		if equalFold(b, "inf") || equalFold(b, "infinity") {
			return classSpecial
		}
	case '\\' | 0x20:
		if string(b) == `\N` {
			return classNullWord
		}
	}
	return classText
}

// NullWords are what reads as null in a typed column; null and N/A in any case.
var NullWords = []string{"NA", "N/A", "null", `\N`, "-"}

func isNullWord(b []byte) bool {
	switch len(b) {
	case 0:
		return true
	case 1:
		return b[0] == '-'
	case 2:
		return string(b) == "NA" || string(b) == `\N`
	case 3:
		return equalFold(b, "n/a")
	case 4:
		return equalFold(b, "null")
	}
	return false
}

// equalFold compares with a lower-case ASCII word.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i := range b {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// classifyDigits knows what begins with a digit: numbers, dates and times.
func classifyDigits(b []byte) (class, shape) {
	n := 1
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	if n == len(b) {
		return wholeClass(b), shape{whole: n}
	}
	switch c := b[n]; {
	case c == '.' || c == 'e' || c == 'E':
		if cl, s := classifyNumber(b); cl != classText {
			return cl, s
		}
		if c == '.' {
			return classifyDate(b, n), shape{}
		}
		return classText, shape{}
	case c == ',':
		if isThousands(b) {
			return classThousands, shape{}
		}
		return classText, shape{}
	case c == '%':
		if n+1 == len(b) {
			return classPercent, shape{}
		}
		return classText, shape{}
	case c == ':':
		if _, ok := parseTime(b); ok {
			return classTime, shape{}
		}
		return classText, shape{}
	case c == '-' || c == '/' || c >= 0x80:
		return classifyDate(b, n), shape{}
	}
	return classText, shape{}
}

// classifyDate knows dates and datetimes; n is how many digits come first.
func classifyDate(b []byte, n int) class {
	if n == 4 {
		micros, form, _, ok := parseYearFirst(b)
		_ = micros
		switch {
		case !ok:
			return classText
		case form == formDate:
			return classDate
		case form == formOffset:
			return classOffset
		}
		return classDatetime
	}
	if n > 2 {
		return classText
	}
	day, month, timed := dayMonthOrders(b)
	switch {
	case day && month && !timed:
		return classDayMonth
	case day && month:
		return classDayMonthT
	case day && !timed:
		return classDayFirst
	case day:
		return classDayFirstT
	case month && !timed:
		return classMonthDay
	case month:
		return classMonthDayT
	}
	return classText
}

// wholeClass is the class of unsigned digits.
func wholeClass(b []byte) class {
	switch {
	case len(b) > 1 && b[0] == '0':
		return classZeros
	case len(b) > 15:
		return classLong
	}
	return classInteger
}

// classifyNumber knows signed numbers and fractions: [-] digits [. digits] [e[±]digits].
func classifyNumber(b []byte) (class, shape) {
	i := 0
	if b[0] == '-' {
		i++
	}
	whole := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	s := shape{whole: i - whole}
	if i == len(b) {
		switch cl := wholeClass(b[whole:]); {
		case s.whole == 0:
			return classText, s
		case cl == classInteger && whole == 1 && s.whole == 1 && b[1] == '0':
			return classNumber, s // -0: an integer would lose the sign
		default:
			return cl, s
		}
	}
	if s.whole > 1 && b[whole] == '0' {
		return classNotNumber(b, i)
	}
	point := false
	if b[i] == '.' {
		point = true
		i++
		for i < len(b) && b[i]-'0' <= 9 {
			i++
			s.scale++
		}
	}
	if s.whole+s.scale == 0 {
		return classText, s
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		signed := i < len(b) && (b[i] == '-' || b[i] == '+')
		if signed {
			i++
		}
		digits := i
		for i < len(b) && b[i]-'0' <= 9 {
			i++
		}
		if i == digits {
			return classText, s
		}
		s.exponent = true
		if c := fractionClass(b, s); i == len(b) && !signed && !point && c == classNumber {
			return classExponent, s
		}
	}
	if i != len(b) {
		return classNotNumber(b, i)
	}
	return fractionClass(b, s), s
}

// classNotNumber says what stands where a number breaks off at i.
func classNotNumber(b []byte, i int) (class, shape) {
	switch {
	case i == len(b)-1 && b[i] == '%':
		return classPercent, shape{}
	case i < len(b) && b[i] == ',' && isThousands(b):
		return classThousands, shape{}
	}
	return classText, shape{}
}

// fractionClass applies the rule of architecture.md §6: number where the text
// has at most 17 significant digits and the double printed with as many gives it
// back. With 15 digits and a small exponent that always holds.
func fractionClass(b []byte, s shape) class {
	if s.whole+s.scale <= 15 && !s.exponent {
		return classNumber
	}
	digits, sig := significant(b)
	if sig <= 17 {
		f, err := strconv.ParseFloat(string(b), 64)
		if err == nil && !math.IsInf(f, 0) && (f != 0 || digits == "") && sameDigits(f, digits, sig) {
			return classNumber
		}
	}
	if s.exponent || s.whole+s.scale > 38 || s.scale == 0 {
		return classText
	}
	return classDecimal
}

// significant returns the significant digits of a number's mantissa, without
// leading zeros; sig counts them with the zeros at the end. A zero has none.
func significant(b []byte) (digits string, sig int) {
	d := make([]byte, 0, 40)
	for _, c := range b {
		if c == 'e' || c == 'E' {
			break
		}
		if c >= '0' && c <= '9' && (len(d) > 0 || c != '0') {
			d = append(d, c)
		}
	}
	return string(d), len(d)
}

// sameDigits reports whether f prints as these significant digits: with as many
// of them or, at a power of two, in its shortest form, which there need not be
// the nearest text of its length (2^-44 is 5.684341886080802e-14 to every program).
func sameDigits(f float64, digits string, sig int) bool {
	if sig == 0 {
		return f == 0
	}
	var b [32]byte
	f = math.Abs(f)
	return digitsAre(strconv.AppendFloat(b[:0], f, 'e', sig-1, 64), digits) || digitsAre(strconv.AppendFloat(b[:0], f, 'e', -1, 64), digits)
}

// digitsAre compares the digits of a number in exponent form.
func digitsAre(number []byte, digits string) bool {
	k := 0
	for _, c := range number {
		if c == 'e' {
			break
		}
		if c == '.' {
			continue
		}
		if k >= len(digits) || digits[k] != c {
			return false
		}
		k++
	}
	return k == len(digits)
}

// isThousands reports whether b is a number with separators every three digits.
func isThousands(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	n := 0
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	if n == 0 || n > 3 || n == len(b) || b[n] != ',' {
		return false
	}
	for n < len(b) && b[n] == ',' {
		if n+4 > len(b) || b[n+1]-'0' > 9 || b[n+2]-'0' > 9 || b[n+3]-'0' > 9 {
			return false
		}
		n += 4
	}
	if n < len(b) && b[n] == '.' {
		for n++; n < len(b) && b[n]-'0' <= 9; n++ {
		}
	}
	return n == len(b)
}

// isFullWidthNumber reports whether b holds only full-width digits, point and comma
// (U+FF0B…U+FF19), after a sign or none.
func isFullWidthNumber(b []byte) bool {
	digits := 0
	for i := 0; i < len(b); i += 3 {
		if i+3 > len(b) || b[i] != 0xef || b[i+1] != 0xbc || b[i+2] < 0x8b || b[i+2] > 0x99 {
			return false
		}
		if b[i+2] == 0x8f || i > 0 && (b[i+2] == 0x8b || b[i+2] == 0x8d) { // dates and ranges
			return false
		}
		if b[i+2] >= 0x90 {
			digits++
		}
	}
	return digits > 0
}
