package catalog

import "time"

// period is how much time a promised frequency gives the next release; ok is false
// where nothing is promised. Releases are reviewed by people, so that what is promised
// by the minute or hour is due within a day.
func (f Frequency) period() (months, days int, ok bool) {
	switch f {
	case "realtime", "minutely", "hourly", "daily":
		return 0, 1, true
	case "weekly":
		return 0, 7, true
	case "monthly":
		return 1, 0, true
	case "quarterly":
		return 3, 0, true
	case "semiannual":
		return 6, 0, true
	case "annual":
		return 12, 0, true
	case "biennial":
		return 24, 0, true
	}
	return 0, 0, false
}

// Promises reports whether a frequency says by when the next release is due.
func (f Frequency) Promises() bool {
	_, _, ok := f.period()
	return ok
}

// due is the last day for the release after one published on a day. A month on from
// the 31st is the last day of a month that is shorter.
func (f Frequency) due(published time.Time) time.Time {
	months, days, _ := f.period()
	first := time.Date(published.Year(), published.Month(), 1, 0, 0, 0, 0, Zone).AddDate(0, months, 0)
	last := first.AddDate(0, 1, -1).Day()
	return time.Date(first.Year(), first.Month(), min(published.Day(), last), 0, 0, 0, 0, Zone).AddDate(0, 0, days)
}

// PublishedBefore returns the time before which a release was published where the
// one after it is due before a day (ISO date); ok is false where nothing is promised.
func (f Frequency) PublishedBefore(day string) (t time.Time, ok bool) {
	months, days, ok := f.period()
	limit, err := time.ParseInLocation(time.DateOnly, day, Zone)
	if !ok || err != nil {
		return time.Time{}, false
	}
	t = limit.AddDate(0, -months, -days-4) // short months move it by three days at the most
	for f.due(t).Before(limit) {
		t = t.AddDate(0, 0, 1)
	}
	return t, true
}

// NextDue is the last day (ISO date) on which the next release is in time, by the
// promised frequency and the last publication; empty where nothing is promised or
// nothing was published yet.
func (d *Dataset) NextDue() string {
	if !d.Frequency.Promises() || d.PublishedAt == nil {
		return ""
	}
	return d.Frequency.due(d.PublishedAt.In(Zone)).Format(time.DateOnly)
}

// DaysLate is by how many days the next release is late at a time; 0: it is not.
func (d *Dataset) DaysLate(now time.Time) int {
	due, err := time.Parse(time.DateOnly, d.NextDue())
	if err != nil {
		return 0
	}
	today, _ := time.Parse(time.DateOnly, DayOf(now))
	return max(0, int(today.Sub(due).Hours()/24))
}
