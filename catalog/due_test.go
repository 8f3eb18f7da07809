package catalog

import (
	"testing"
	"time"
)

func TestNextRelease(t *testing.T) {
	at := func(s string) time.Time {
		t.Helper()
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, test := range []struct {
		frequency      Frequency
		published, due string
	}{
		{"hourly", "2026-11-26T09:00:00+08:00", "2026-11-27"},
		{"daily", "2026-11-26T17:00:00Z", "2026-11-28"}, // the 27th here
		{"weekly", "2026-12-28T09:00:00+08:00", "2027-01-04"},
		{"monthly", "2026-01-31T09:00:00+08:00", "2026-02-28"},
		{"monthly", "2026-02-28T09:00:00+08:00", "2026-03-28"},
		{"quarterly", "2026-11-30T09:00:00+08:00", "2027-02-28"},
		{"semiannual", "2026-08-31T09:00:00+08:00", "2027-02-28"},
		{"annual", "2024-02-29T09:00:00+08:00", "2025-02-28"},
		{"biennial", "2024-02-29T09:00:00+08:00", "2026-02-28"},
		{"irregular", "2020-01-01T09:00:00+08:00", ""}, {"never", "2020-01-01T09:00:00+08:00", ""},
	} {
		published := at(test.published)
		d := &Dataset{Frequency: test.frequency, PublishedAt: &published}
		if got := d.NextDue(); got != test.due {
			t.Errorf("%s after %s: due on %q, want %q", test.frequency, test.published, got, test.due)
		}
	}
	last := at("2026-11-14T23:59:00+08:00")
	d := &Dataset{Frequency: "daily", PublishedAt: &last}
	for now, late := range map[string]int{"2026-11-15T23:59:59+08:00": 0, "2026-11-16T00:00:00+08:00": 1, "2026-11-27T12:00:00+08:00": 12} {
		if got := d.DaysLate(at(now)); got != late {
			t.Errorf("at %s it is %d days late, want %d", now, got, late)
		}
	}
	if (&Dataset{Frequency: "daily"}).DaysLate(last) != 0 {
		t.Error("what was never published is late")
	}
}

// TestPublishedBeforeSaysTheSame holds the condition by which the store finds late
// datasets to the rule, day by day.
func TestPublishedBeforeSaysTheSame(t *testing.T) {
	for _, f := range Frequencies {
		for day := time.Date(2026, 1, 1, 12, 0, 0, 0, Zone); day.Year() < 2029; day = day.AddDate(0, 0, 1) {
			before, ok := f.PublishedBefore(DayOf(day))
			if ok != f.Promises() {
				t.Fatalf("%s promises %v", f, ok)
			}
			for _, published := range []time.Time{before.Add(-time.Microsecond), before} {
				d := &Dataset{Frequency: f, PublishedAt: &published}
				if want := published.Before(before); ok && (d.NextDue() < DayOf(day)) != want {
					t.Fatalf("%s, published %s: due on %s, before %s: %v", f, published, d.NextDue(), DayOf(day), want)
				}
			}
		}
	}
}
