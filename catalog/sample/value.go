package sample

import (
	"strconv"
	"strings"
	"time"
)

// fixed writes v with the last d digits behind the point: fixed(1234, 2) is 12.34.
func fixed(v, d int) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	s := strconv.Itoa(v)
	if d == 0 {
		return sign + s
	}
	for len(s) <= d {
		s = "0" + s
	}
	return sign + s[:len(s)-d] + "." + s[len(s)-d:]
}

func itoa(n int) string { return strconv.Itoa(n) }

// padded writes n with at least so many digits.
func padded(n, digits int) string {
	s := strconv.Itoa(n)
	if len(s) < digits {
		s = strings.Repeat("0", digits-len(s)) + s
	}
	return s
}

// day is midnight of a date. Times are local wall clocks written without zone.
func day(year, month, d int) time.Time {
	return time.Date(year, time.Month(month), d, 0, 0, 0, 0, time.UTC)
}

const (
	isoDate   = "2006-01-02"
	isoMinute = "2006-01-02 15:04"
	isoSecond = "2006-01-02 15:04:05"
)

// seasonal interpolates twelve mid-month values for a day of the year.
func seasonal(t time.Time, months *[12]int) int {
	d := t.YearDay() - 1
	at := d*24 + t.Hour() - 15*24 // hours since the middle of January
	const month = 365 * 2         // hours of a month
	if at < 0 {
		at += 12 * month
	}
	i, part := at/month%12, at%month
	a, b := months[i], months[(i+1)%12]
	return a + (b-a)*part/month
}

// clamp keeps v within lo and hi.
func clamp(v, lo, hi int) int { return max(lo, min(hi, v)) }

// quarter is a quarter of an hour.
const quarter = 15 * time.Minute

// resting reports whether a day of 2025 is a weekend or a public holiday
// as the state council set them; days worked to make up for them count as weekends all the same.
func resting(t time.Time) bool {
	if w := t.Weekday(); w == time.Saturday || w == time.Sunday {
		return true
	}
	for _, h := range [][2]string{{"01-01", "01-01"}, {"01-28", "02-04"}, {"04-04", "04-06"}, {"05-01", "05-05"}, {"05-31", "06-02"}, {"10-01", "10-08"}} {
		if d := t.Format("01-02"); d >= h[0] && d <= h[1] {
			return true
		}
	}
	return false
}
