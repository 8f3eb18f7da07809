package catalog

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

func TestAppendNumberReadsBackAndIsJSON(t *testing.T) {
	for i := range 200000 {
		f := rand.NormFloat64()
		if i%3 == 0 {
			f *= 1e20
		}
		if i%5 == 0 {
			f *= 1e-12
		}
		if i%7 == 0 {
			f = float64(int64(f))
		}
		got := string(AppendNumber(nil, f))
		if back, err := strconv.ParseFloat(got, 64); err != nil || back != f {
			t.Fatalf("%v written as %s", f, got)
		}
		if want, _ := json.Marshal(f); got != string(want) {
			t.Fatalf("%v: got %s, encoding/json %s", f, got, want)
		}
	}
}

func TestAppendDateAgreesWithTime(t *testing.T) {
	for days := DaysOf(1, 1, 1); days < DaysOf(9999, 12, 31); days += 1 + days&7 {
		want := time.Unix(days*86400, 0).UTC()
		if got := string(AppendDate(nil, days)); got != want.Format(time.DateOnly) {
			t.Fatalf("day %d: got %s, want %s", days, got, want.Format(time.DateOnly))
		}
		if back := DaysOf(want.Year(), int(want.Month()), want.Day()); back != days {
			t.Fatalf("%s: DaysOf gives %d, want %d", want.Format(time.DateOnly), back, days)
		}
	}
}

func TestValueForms(t *testing.T) {
	for want, got := range map[string][]byte{
		"0.05": AppendDecimal(nil, 5, 2), "-12.50": AppendDecimal(nil, -1250, 2), "7": AppendDecimal(nil, 7, 0), "-9223372036854775808": AppendDecimal(nil, -1<<63, 0),
		"0.000": AppendDecimal(nil, 0, 3), "08:30:00": AppendTime(nil, 30600e6), "23:59:59.05": AppendTime(nil, 86399e6+50000),
		"2026-11-22T08:00:00+08:00": AppendDatetime(nil, DaysOf(2026, 11, 22)*86400e6+8*3600e6, ""),
		"1969-12-31T23:59:59.5Z":    AppendDatetime(nil, -500000, "Z"),
	} {
		if string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestAppendNumberIsTheShortest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 2_000_000 {
		f := r.NormFloat64() * math.Pow10(r.IntN(14)-6)
		if digits := i % 9; digits < 8 { // as people write them
			f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'f', digits, 64), 64)
		}
		if i%10 == 9 {
			f = math.Nextafter(f, 0)
		}
		if f == 0 {
			continue
		}
		format := byte('f')
		if abs := math.Abs(f); abs < 1e-6 || abs >= 1e21 {
			continue
		}
		if got, want := string(AppendNumber(nil, f)), strconv.FormatFloat(f, format, -1, 64); got != want {
			t.Fatalf("%x: got %s, want %s", f, got, want)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	buf := make([]byte, 0, 64)
	numbers := make([]float64, 1024)
	for i := range numbers {
		numbers[i] = math.Round(rand.ExpFloat64()*3500) / 100
	}
	b.Run("number", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			buf = AppendNumber(buf[:0], numbers[i&1023])
		}
	})
	b.Run("number with 17 digits", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			buf = AppendNumber(buf[:0], numbers[i&1023]/3)
		}
	})
	b.Run("decimal", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			buf = AppendDecimal(buf[:0], int64(i)*7919, 2)
		}
	})
	b.Run("date", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			buf = AppendDate(buf[:0], 18000+int64(i)&4095)
		}
	})
	b.Run("datetime", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			buf = AppendDatetime(buf[:0], 1.6e15+int64(i)*1e6, DefaultZone)
		}
	})
}
