package ingest

import (
	"math"
	"strings"

	"taihu/catalog"
)

// cellForm is what a cell's number format makes of its number.
type cellForm uint8

const (
	showsNumber cellForm = iota
	showsDate
	showsTime
	showsDatetime
	showsElapsed // [h]:mm and the like: a length of time
)

// builtinForms are the built-in number formats (ECMA-376 part 1, 18.8.30) that
// tell dates and times, with those of the Chinese, Japanese and Korean editions.
var builtinForms = map[int]cellForm{
	14: showsDate, 15: showsDate, 16: showsDate, 17: showsDate,
	18: showsTime, 19: showsTime, 20: showsTime, 21: showsTime, 22: showsDatetime,
	27: showsDate, 28: showsDate, 29: showsDate, 30: showsDate, 31: showsDate,
	32: showsTime, 33: showsTime, 34: showsTime, 35: showsTime, 36: showsDate,
	45: showsTime, 46: showsElapsed, 47: showsTime,
	50: showsDate, 51: showsDate, 52: showsDate, 53: showsDate, 54: showsDate,
	55: showsTime, 56: showsTime, 57: showsDate, 58: showsDate,
	71: showsDate, 72: showsDate, 73: showsDate, 74: showsDate, 75: showsTime,
	76: showsTime, 77: showsTime, 78: showsDatetime, 79: showsTime, 80: showsElapsed, 81: showsTime,
}

// formOf reads a number format such as yyyy"年"m"月"d"日" or [h]:mm;@ and says
// what it shows. Only the first section counts: the others are for negative
// numbers, zero and text.
func formOf(code string) cellForm {
	var date, clock, elapsed, minuteOrMonth bool
	for i := 0; i < len(code); {
		c := code[i]
		switch c {
		case '\\', '_', '*': // the next character is shown, spaced or repeated
			i += 2
			continue
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				i = len(code)
				continue
			}
			i += end + 2
			continue
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				i++
				continue
			}
			if in := strings.ToLower(code[i+1 : i+end]); in != "" && strings.Trim(in, string(in[0])) == "" && strings.ContainsRune("hms", rune(in[0])) {
				elapsed = true
			}
			i += end + 1
			continue
		case ';':
			i = len(code)
			continue
		}
		lower := c | 0x20
		switch {
		case lower == 'g' && len(code) >= i+7 && strings.EqualFold(code[i:i+7], "general"):
			i += 7
			continue
		case lower == 'a' && len(code) >= i+5 && (strings.EqualFold(code[i:i+5], "am/pm")):
			clock = true
			i += 5
			continue
		case lower == 'a' && len(code) >= i+3 && strings.EqualFold(code[i:i+3], "a/p"):
			clock = true
			i += 3
			continue
		case lower == 'y', lower == 'd', lower == 'e' && !scientific(code, i), lower == 'a' && len(code) >= i+3 && strings.EqualFold(code[i:i+3], "aaa"):
			date = true
		case lower == 'h', lower == 's':
			clock = true
		case lower == 'm':
			minuteOrMonth = true
		case strings.HasPrefix(code[i:], "上午/下午"):
			clock = true
			i += len("上午/下午")
			continue
		}
		i++
	}
	switch {
	case elapsed:
		return showsElapsed
	case date && clock:
		return showsDatetime
	case clock:
		return showsTime
	case date || minuteOrMonth: // m alone is a month
		return showsDate
	}
	return showsNumber
}

// scientific reports whether the e at i is that of an exponent (0.00E+00), not of
// a year of an era.
func scientific(code string, i int) bool {
	return i+1 < len(code) && (code[i+1] == '+' || code[i+1] == '-') || i > 0 && strings.IndexByte("0#?.", code[i-1]) >= 0
}

const dayMillis = 86400_000

// lastSerial is the serial number of 9999-12-31 in the 1900 system.
const lastSerial = 2958465

// appendSerial appends the ISO text of a serial number shown in the given form,
// exact to the millisecond. ok is false where the number is no date of the
// calendar (negative, beyond 9999, or the 29 February 1900 that never was): then
// the number itself is what the cell holds.
//
// A cell formatted as a date that has a time of day gives a datetime, and one
// formatted as a datetime without one keeps its T00:00:00.
func appendSerial(dst []byte, serial float64, form cellForm, date1904 bool) (_ []byte, ok bool) {
	if !(serial >= 0) || serial >= lastSerial+1 {
		return dst, false
	}
	millis := int64(math.Round(serial * dayMillis))
	days, rest := millis/dayMillis, millis%dayMillis
	if form == showsElapsed {
		return appendElapsed(dst, millis), true
	}
	if form == showsTime && days == 0 {
		return catalog.AppendTime(dst, rest*1000), true
	}
	var epoch int64 // day number of 1970-01-01's count at serial 0
	switch {
	case date1904:
		epoch = catalog.DaysOf(1904, 1, 1)
	case days == 60:
		return dst, false // 29 February 1900
	case days == 0:
		return dst, false // 0 January 1900
	case days < 60:
		epoch = catalog.DaysOf(1899, 12, 31)
	default:
		epoch = catalog.DaysOf(1899, 12, 30)
	}
	days += epoch
	if days > catalog.DaysOf(9999, 12, 31) {
		return dst, false
	}
	dst = catalog.AppendDate(dst, days)
	if form == showsDate && rest == 0 {
		return dst, true
	}
	return catalog.AppendTime(append(dst, 'T'), rest*1000), true
}

// appendElapsed writes a length of time as h:mm:ss[.mmm], hours beyond 24
// counted on. Under a day it is a time of day as well.
func appendElapsed(dst []byte, millis int64) []byte {
	hours, rest := millis/3600_000, millis%3600_000
	if hours < 24 {
		return catalog.AppendTime(dst, millis*1000)
	}
	dst = catalog.AppendDecimal(dst, hours, 0)
	clock := catalog.AppendTime(nil, rest*1000) // 00:mm:ss
	return append(dst, clock[2:]...)
}
