package table_test

import (
	"math"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
)

// FuzzWhere wants of any text: no panic, an error of the right kind, and else a
// canonical form that parses to itself, unchecked and checked.
func FuzzWhere(f *testing.F) {
	for _, s := range []string{
		"aqi >= 150 and 站点 in ('滨湖区','梁溪区')", "not (a = 1 or contains(站点, 'x'))", `"a""b" is not null`, "x = -1.5e-300", "at > '2026-01-01T00:00:00Z'",
		"aqi < 1e999999999999", "_row != 5", "open = TRUE", "price <= 12.345", "day = '2000-02-29'", "clock<'08:30'", "starts(doc, 'ＡΣ')", "((((aqi=1))))", "2 = 2", "'", "\xff", "a==1",
	} {
		f.Add(s, "aqi,x", "-at,_row", "", "", "")
	}
	f.Add("", "月,avg(aqi) as mean,count(*)", "-mean", "trunc(at, 'month') as 月", "mean > 3", "Ａ b")
	f.Add("aqi > 1", "bin(x, 0.25) as b,quantile(price, 0.9)", "b", "b", "not b is null", "")
	f.Fuzz(func(t *testing.T, where, sel, sort, group, having, words string) {
		q, err := table.Parse(table.Params{Where: where, Select: sel, Sort: sort, Group: group, Having: having, Q: words})
		if err != nil {
			if catalog.KindOf(err) != catalog.Invalid {
				t.Fatalf("not an Invalid: %v", err)
			}
			return
		}
		c := q.Canonical()
		again, err := table.Parse(c)
		if err != nil {
			t.Fatalf("canonical form %q is refused: %v", c, err)
		}
		if again.Canonical() != c {
			t.Fatalf("canonical form %q becomes %q", c, again.Canonical())
		}
		p, err := q.Check(readings)
		if err != nil {
			if catalog.KindOf(err) != catalog.Invalid {
				t.Fatalf("not an Invalid: %v", err)
			}
			return
		}
		checked, err := check(p.Canonical(), readings)
		if err != nil {
			t.Fatalf("canonical plan %q is refused: %v", p.Canonical(), err)
		}
		if checked.Canonical() != p.Canonical() {
			t.Fatalf("canonical plan %q becomes %q", p.Canonical(), checked.Canonical())
		}
	})
}

// FuzzCursor wants of any token: no panic, and if it is taken, that it is the one
// token of its place. Tokens without the right check sum stop early, so the fuzzer
// also gets to choose the members.
func FuzzCursor(f *testing.F) {
	f.Add("", 1, "0123456789abcdef", int64(1), int64(5), 0.5, "x", true)
	f.Add(table.Cursor{Release: 2, Query: "q", Position: table.Position{Row: 3}}.String(), 3, "", int64(1<<62), int64(-1), math.Copysign(0, -1), "", false)
	f.Fuzz(func(t *testing.T, token string, release int, query string, row, n int64, x float64, text string, null bool) {
		if c, err := table.ParseCursor(token); err == nil && c.String() != token {
			t.Fatalf("%q is taken, but written %q", token, c.String())
		} else if err != nil && catalog.CodeOf(err) != "bad_cursor" {
			t.Fatalf("not bad_cursor: %v", err)
		}
		made := table.Cursor{Release: release, Query: query, Position: table.Position{Row: row, Keys: []table.Value{{Int: n, Null: null}, {Num: x}, {Text: text}}}}
		c, err := table.ParseCursor(made.String())
		if err == nil && c.String() != made.String() {
			t.Fatalf("%+v comes back as %+v", made, c)
		}
		for _, sort := range []string{"", "aqi", "big", "aqi,x,站点", "at,x,doc", "day,price,-big"} {
			p, err := check(table.Params{Sort: sort}, readings)
			if err != nil {
				t.Fatal(err)
			}
			made.Query = p.Hash()
			if _, err := check(table.Params{Sort: sort, Cursor: made.String()}, readings); err != nil && catalog.CodeOf(err) != "bad_cursor" {
				t.Fatalf("not bad_cursor: %v", err)
			}
		}
	})
}
