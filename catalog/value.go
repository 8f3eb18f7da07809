package catalog

import (
	"math"
	"strconv"
	"time"
)

// The forms below are the text of each type everywhere: CSV, JSON, XLSX texts,
// profiles, cursors and content_sha256 (architecture.md §6).

// AppendNumber appends f in the shortest form that reads back, written as
// ECMAScript and encoding/json do (1e+21, 1e-7, 0.1, -0 as 0 is not: the sign is
// kept), and NaN, Infinity and -Infinity for what JSON has no number.
func AppendNumber(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	abs := math.Abs(f)
	if abs < 1e15 && abs == math.Trunc(abs) && !(f == 0 && math.Signbit(f)) {
		return strconv.AppendInt(dst, int64(f), 10)
	}
	if abs >= 1e-6 && abs < 1e9 {
		if out, ok := appendShortFraction(dst, f); ok {
			return out
		}
	}
	format := byte('f')
	if abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if format == 'e' { // e-09 to e-9
		if n := len(dst); n >= 4 && dst[n-4] == 'e' && (dst[n-3] == '-' || dst[n-3] == '+') && dst[n-2] == '0' {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
	}
	return dst
}

// tens are the powers of ten that a double holds and short fractions need.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6}

// appendShortFraction appends f where at most six digits after the point give it
// back, much faster than strconv. |f| is below 1e9, so the digits are at most 15:
// then no shorter or other text of 15 digits reads back as f, since two decimals
// of up to 15 digits never share a double, and the text is the shortest one.
func appendShortFraction(dst []byte, f float64) ([]byte, bool) {
	for scale := 1; scale < len(tens); scale++ {
		product := f * tens[scale]
		whole := math.Round(product)
		if math.Abs(product-whole) <= math.Abs(product)*1e-15 && whole/tens[scale] == f {
			return AppendDecimal(dst, int64(whole), scale), true
		}
	}
	return dst, false
}

// AppendDecimal appends unscaled × 10^-scale with exactly scale digits after the
// point.
func AppendDecimal(dst []byte, unscaled int64, scale int) []byte {
	if scale <= 0 {
		return strconv.AppendInt(dst, unscaled, 10)
	}
	u := uint64(unscaled)
	if unscaled < 0 {
		dst = append(dst, '-')
		u = -u
	}
	var digits [64]byte // from the right: the fraction, the point, the whole
	at := len(digits)
	for range min(scale, 40) {
		at--
		digits[at] = byte('0' + u%10)
		u /= 10
	}
	at--
	digits[at] = '.'
	if u < 10 {
		at--
		digits[at] = byte('0' + u)
		return append(dst, digits[at:]...)
	}
	dst = strconv.AppendUint(dst, u, 10)
	return append(dst, digits[at:]...)
}

// AppendDate appends the date that lies days after 1970-01-01 as yyyy-mm-dd.
func AppendDate(dst []byte, days int64) []byte {
	y, m, d := civil(days)
	if y < 0 || y > 9999 {
		return time.Unix(days*86400, 0).UTC().AppendFormat(dst, "2006-01-02")
	}
	return append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

// AppendTime appends microseconds since midnight as hh:mm:ss, with a fraction
// only where there is one.
func AppendTime(dst []byte, micros int64) []byte {
	s, frac := uint64(micros)/1e6, uint64(micros)%1e6
	m := s / 60
	h := m / 60
	s, m = s-m*60, m-h*60
	dst = append(dst, byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10))
	if frac != 0 {
		dst = append(dst, '.')
		for div := uint64(100000); frac > 0; div /= 10 {
			dst = append(dst, byte('0'+frac/div))
			frac %= div
		}
	}
	return dst
}

// AppendDatetime appends local microseconds since 1970-01-01T00:00:00 as ISO 8601
// with the offset zone (±hh:mm or Z); an empty zone is DefaultZone.
func AppendDatetime(dst []byte, micros int64, zone string) []byte {
	days := micros / 86400e6
	if micros%86400e6 < 0 {
		days--
	}
	dst = AppendDate(dst, days)
	dst = append(dst, 'T')
	dst = AppendTime(dst, micros-days*86400e6)
	if zone == "" {
		zone = DefaultZone
	}
	return append(dst, zone...)
}

// civil turns days since 1970-01-01 into year, month, day (Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
func civil(days int64) (y, m, d int64) {
	z := days + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	y = yoe + era*400
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	if mp >= 10 {
		m = mp - 9
	}
	if m <= 2 {
		y++
	}
	return y, m, d
}

// DateOf is the year, month and day of days since 1970-01-01.
func DateOf(days int64) (y, m, d int) {
	year, month, day := civil(days)
	return int(year), int(month), int(day)
}

// DaysOf is the inverse of AppendDate: days since 1970-01-01 of a valid date.
func DaysOf(y, m, d int) int64 {
	yy, mm := int64(y), int64(m)
	if mm <= 2 {
		yy--
	}
	era := yy / 400
	if yy < 0 {
		era = (yy - 399) / 400
	}
	yoe := yy - era*400
	mp := mm - 3
	if mm <= 2 {
		mp = mm + 9
	}
	doy := (153*mp+2)/5 + int64(d) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}
