package ingest

import (
	"bytes"

	"taihu/catalog"
)

// dateForm is how much a year-first text states.
type dateForm uint8

const (
	formDate dateForm = iota
	formDatetime
	formOffset
)

const dayMicros = 86400 * 1_000_000

var monthDays = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func validDate(y, m, d int) bool {
	if y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31 {
		return false
	}
	return d <= monthDays[m] || m == 2 && d == 29 && y%4 == 0 && (y%100 != 0 || y%400 == 0)
}

// digits reads between low and high digits from i.
func digits(b []byte, i, low, high int) (value, next int, ok bool) {
	start := i
	for i < len(b) && i-start < high && b[i]-'0' <= 9 {
		value = value*10 + int(b[i]-'0')
		i++
	}
	return value, i, i-start >= low
}

// parseYearFirst reads 2021-12-08, 2021/12/8, 2021.12.8 and 2021年12月8日, each
// also with a time after T or blanks and then with an offset. micros is the
// local time since 1970-01-01T00:00:00; offset is in minutes.
func parseYearFirst(b []byte) (micros int64, form dateForm, offset int, ok bool) {
	y, i, ok := digits(b, 0, 4, 4)
	if !ok || i == len(b) {
		return 0, 0, 0, false
	}
	var m, d int
	if sep := b[i]; sep == '-' || sep == '/' || sep == '.' {
		m, i, ok = digits(b, i+1, 1, 2)
		if !ok || i == len(b) || b[i] != sep {
			return 0, 0, 0, false
		}
		d, i, ok = digits(b, i+1, 1, 2)
	} else {
		m, d, i, ok = chineseMonthDay(b, i)
	}
	if !ok || !validDate(y, m, d) {
		return 0, 0, 0, false
	}
	micros = catalog.DaysOf(y, m, d) * dayMicros
	if i == len(b) {
		return micros, formDate, 0, true
	}
	switch {
	case b[i] == 'T' || b[i] == 't':
		i++
	case b[i] == ' ':
		for i < len(b) && b[i] == ' ' {
			i++
		}
	case b[i-1] < 0x80: // only 2021年12月8日8时30分 needs no blank
		return 0, 0, 0, false
	}
	t, i, ok := parseClock(b, i, 1)
	if !ok {
		return 0, 0, 0, false
	}
	micros += t
	if i == len(b) {
		return micros, formDatetime, 0, true
	}
	offset, ok = parseOffset(b, i)
	return micros, formOffset, offset, ok
}

// chineseMonthDay reads 年12月8日 from i.
func chineseMonthDay(b []byte, i int) (m, d, next int, ok bool) {
	if !bytes.HasPrefix(b[i:], []byte("年")) {
		return 0, 0, i, false
	}
	m, i, ok = digits(b, i+len("年"), 1, 2)
	if !ok || !bytes.HasPrefix(b[i:], []byte("月")) {
		return 0, 0, i, false
	}
	d, i, ok = digits(b, i+len("月"), 1, 2)
	if !ok || !bytes.HasPrefix(b[i:], []byte("日")) {
		return 0, 0, i, false
	}
	return m, d, i + len("日"), true
}

// parseClock reads hh:mm[:ss[.ffffff]] or 8时30分[15秒] from i; the hour has at
// least hourDigits digits. Finer than a microsecond is not read: it could not be
// kept.
func parseClock(b []byte, i, hourDigits int) (micros int64, next int, ok bool) {
	h, i, ok := digits(b, i, hourDigits, 2)
	if !ok || h > 23 || i == len(b) {
		return 0, i, false
	}
	if b[i] != ':' {
		return chineseClock(b, i, h)
	}
	m, i, ok := digits(b, i+1, 2, 2)
	if !ok || m > 59 {
		return 0, i, false
	}
	micros = int64(h*60+m) * 60_000_000
	if i == len(b) || b[i] != ':' {
		return micros, i, true
	}
	s, i, ok := digits(b, i+1, 2, 2)
	if !ok || s > 59 {
		return 0, i, false
	}
	micros += int64(s) * 1_000_000
	if i+1 < len(b) && b[i] == '.' && b[i+1]-'0' <= 9 {
		scale := int64(100_000)
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			if scale == 0 && b[i] != '0' {
				return 0, i, false
			}
			micros += int64(b[i]-'0') * scale
			scale /= 10
		}
	}
	return micros, i, true
}

func chineseClock(b []byte, i, h int) (micros int64, next int, ok bool) {
	if !bytes.HasPrefix(b[i:], []byte("时")) {
		return 0, i, false
	}
	m, i, ok := digits(b, i+len("时"), 1, 2)
	if !ok || m > 59 || !bytes.HasPrefix(b[i:], []byte("分")) {
		return 0, i, false
	}
	i += len("分")
	s := 0
	if i < len(b) && b[i]-'0' <= 9 {
		s, i, ok = digits(b, i, 1, 2)
		if !ok || s > 59 || !bytes.HasPrefix(b[i:], []byte("秒")) {
			return 0, i, false
		}
		i += len("秒")
	}
	return int64((h*60+m)*60+s) * 1_000_000, i, true
}

// parseOffset reads Z, ±hh, ±hhmm or ±hh:mm to the end, after an optional blank.
func parseOffset(b []byte, i int) (minutes int, ok bool) {
	if b[i] == ' ' && i+1 < len(b) {
		i++
	}
	if (b[i] == 'Z' || b[i] == 'z') && i+1 == len(b) {
		return 0, true
	}
	sign := 1
	switch b[i] {
	case '+':
	case '-':
		sign = -1
	default:
		return 0, false
	}
	h, i, ok := digits(b, i+1, 2, 2)
	if !ok || h > 18 {
		return 0, false
	}
	m := 0
	if i < len(b) {
		if b[i] == ':' {
			i++
		}
		if m, i, ok = digits(b, i, 2, 2); !ok || m > 59 || i != len(b) {
			return 0, false
		}
	}
	return sign * (h*60 + m), true
}

// parseTime reads hh:mm[:ss[.ffffff]] as the whole of b.
func parseTime(b []byte) (micros int64, ok bool) {
	micros, i, ok := parseClock(b, 0, 2)
	return micros, ok && i == len(b) && len(b) > 2 && b[2] == ':'
}

// splitDayMonth reads 8/12/2021, 8-12-2021 or 8.12.2021 and a time after it.
func splitDayMonth(b []byte) (first, second, year int, clock int64, timed, ok bool) {
	first, i, ok := digits(b, 0, 1, 2)
	if !ok || i == len(b) {
		return
	}
	sep := b[i]
	if sep != '/' && sep != '-' && sep != '.' {
		return first, 0, 0, 0, false, false
	}
	second, i, ok = digits(b, i+1, 1, 2)
	if !ok || i == len(b) || b[i] != sep {
		return first, second, 0, 0, false, false
	}
	year, i, ok = digits(b, i+1, 4, 4)
	if !ok || i == len(b) {
		return first, second, year, 0, false, ok
	}
	if b[i] != ' ' && b[i] != 'T' {
		return first, second, year, 0, false, false
	}
	for i++; i < len(b) && b[i] == ' '; i++ {
	}
	clock, i, ok = parseClock(b, i, 1)
	return first, second, year, clock, true, ok && i == len(b)
}

// dayMonthOrders tells in which orders b is a date: day first, month first.
func dayMonthOrders(b []byte) (dayFirst, monthFirst, timed bool) {
	first, second, year, _, timed, ok := splitDayMonth(b)
	if !ok {
		return false, false, false
	}
	return validDate(year, second, first), validDate(year, first, second), timed
}

// parseDayMonth reads b in the given order.
func parseDayMonth(b []byte, dayFirst bool) (micros int64, timed, ok bool) {
	d, m, y, clock, timed, ok := splitDayMonth(b)
	if !dayFirst {
		d, m = m, d
	}
	if !ok || !validDate(y, m, d) {
		return 0, false, false
	}
	return catalog.DaysOf(y, m, d)*dayMicros + clock, timed, true
}
