package catalog

import (
	"strings"
	"testing"
	"time"
)

func TestWorkingDays(t *testing.T) {
	c, err := NewCalendar("")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, from string // RFC 3339
		days       int
		want       string
	}{
		{"an ordinary week", "2026-11-26T09:00:00+08:00", 5, "2026-12-03"},
		{"late in the evening in UTC is the next day here", "2026-11-26T17:00:00Z", 5, "2026-12-04"},
		{"spring festival, both Saturdays worked", "2026-02-12T09:00:00+08:00", 5, "2026-02-26"},
		{"to a worked Saturday", "2026-02-24T09:00:00+08:00", 4, "2026-02-28"},
		{"national day of 2025, with a worked Sunday before it", "2025-09-26T09:00:00+08:00", 4, "2025-10-09"},
		{"given on a holiday", "2026-10-03T09:00:00+08:00", 1, "2026-10-08"},
		{"of a year that is not known the weekends are", "2029-10-01T09:00:00+08:00", 5, "2029-10-08"},
		{"no days", "2026-11-28T09:00:00+08:00", 0, "2026-11-28"},
	} {
		from, err := time.Parse(time.RFC3339, test.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.After(from, test.days); got != test.want {
			t.Errorf("%s: %d working days after %s is %s, want %s", test.name, test.days, test.from, got, test.want)
		}
	}
	if !c.Knows(2025) || !c.Knows(2026) || c.Knows(2027) {
		t.Error("the years that are known are 2025 and 2026")
	}
}

func TestCalendarOfAPortal(t *testing.T) {
	c, err := NewCalendar("\ufeff# ours\r\nyear\t2027\tannounced\r\noff\t2026-11-27\t2026-11-27\tmoving house\r\non\t2026-11-28\t2026-11-29\tinstead")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)
	if got := c.After(from, 3); got != "2026-11-30" || !c.Knows(2027) {
		t.Errorf("three working days later is %s", got)
	}
	for line, want := range map[string]string{
		"off 2026-11-27":              "parted by tabs",
		"off\t2026-11-27":             "no last day",
		"free\t2026-11-27\t2026":      "neither on, off nor year",
		"off\t2026-13-01\t2026-13-02": "is not a day",
		"off\t2026-11-28\t2026-11-27": "no stretch",
		"off\t2026-01-01\t2027-01-01": "no stretch",
		"year\tnext":                  "is not a year",
	} {
		if _, err := NewCalendar("\n" + line); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 2 ") {
			t.Errorf("%q gives %v, want %q", line, err, want)
		}
	}
}
