package catalog

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Zone is the clock of the people the portal is for: their days begin and end by it.
var Zone = time.FixedZone(DefaultZone, 8*3600)

// DayOf is the day of a time in Zone, as an ISO date.
func DayOf(t time.Time) string { return t.In(Zone).Format(time.DateOnly) }

// Calendar tells working days, by which deadlines are counted. It is data: which
// weekdays are free and which weekends are worked is announced year by year.
type Calendar struct {
	days  map[string]bool // ISO date → worked
	years map[int]bool    // whose days are known, not only their weekends
}

//go:embed calendar.tsv
var calendarFile string

// NewCalendar makes the calendar that the portal comes with, with the lines of more
// over it. A line has fields parted by tabs: "off" or "on", first day, last day, a
// name; or "year", a year whose days are all known, a note. Lines that begin with #
// are comments. The error names the first line that cannot be read.
func NewCalendar(more string) (*Calendar, error) {
	c := &Calendar{days: map[string]bool{}, years: map[int]bool{}}
	for _, file := range []string{calendarFile, more} {
		for i, line := range strings.Split(strings.ReplaceAll(file, "\r\n", "\n"), "\n") {
			if err := c.line(line); err != nil {
				return nil, fmt.Errorf("line %d of the calendar: %w", i+1, err)
			}
		}
	}
	return c, nil
}

// mostDays is how long one line may reach; a longer one is a slip of the pen.
const mostDays = 60

func (c *Calendar) line(line string) error {
	line = strings.TrimRight(strings.TrimPrefix(line, "\ufeff"), " \t")
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	f := strings.Split(line, "\t")
	if len(f) < 2 {
		return fmt.Errorf("%q is not fields parted by tabs", line)
	}
	if f[0] == "year" {
		year, err := strconv.Atoi(f[1])
		if err != nil {
			return fmt.Errorf("%q is not a year", f[1])
		}
		c.years[year] = true
		return nil
	}
	if f[0] != "on" && f[0] != "off" || len(f) < 3 {
		return fmt.Errorf("%q begins with neither on, off nor year, or has no last day", line)
	}
	first, err := time.Parse(time.DateOnly, f[1])
	if err != nil {
		return fmt.Errorf("%q is not a day", f[1])
	}
	last, err := time.Parse(time.DateOnly, f[2])
	if err != nil {
		return fmt.Errorf("%q is not a day", f[2])
	}
	if last.Before(first) || last.Sub(first) > mostDays*24*time.Hour {
		return fmt.Errorf("%s to %s is no stretch of at most %d days", f[1], f[2], mostDays)
	}
	for d := first; !d.After(last); d = d.AddDate(0, 0, 1) {
		c.days[d.Format(time.DateOnly)] = f[0] == "on"
	}
	return nil
}

// Works reports whether the day of t is a working day.
func (c *Calendar) Works(t time.Time) bool {
	t = t.In(Zone)
	if works, told := c.days[t.Format(time.DateOnly)]; told {
		return works
	}
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday
}

// Knows reports whether the holidays of a year are known; of other years only the
// weekends are.
func (c *Calendar) Knows(year int) bool { return c.years[year] }

// After is the day by which n working days have passed since the day of t, which
// itself does not count.
func (c *Calendar) After(t time.Time, n int) string {
	day := t.In(Zone)
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if c.Works(day) {
			n--
		}
	}
	return day.Format(time.DateOnly)
}
