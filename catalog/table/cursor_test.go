package table_test

import (
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
)

func TestCursorKeepsEveryValue(t *testing.T) {
	for _, v := range []table.Value{
		{}, {Null: true}, {Bool: true}, {Int: 1}, {Int: math.MinInt64}, {Int: math.MaxInt64}, {Num: 0.1}, {Num: math.NaN()}, {Num: math.Inf(-1)},
		{Num: math.Copysign(0, -1)}, {Num: math.SmallestNonzeroFloat64}, {Text: "滨湖区"}, {Text: "a\x00b"}, {Text: strings.Repeat("长", 5000)},
	} {
		c := table.Cursor{Release: 3, Query: "0123456789abcdef", Position: table.Position{Keys: []table.Value{v, {Int: 7}}, Row: 4000000}}
		back, err := table.ParseCursor(c.String())
		if err != nil {
			t.Errorf("%#v: %v", v, err)
			continue
		}
		if got, want := fmt.Sprintf("%#v", back), fmt.Sprintf("%#v", c); got != want || math.Float64bits(back.Position.Keys[0].Num) != math.Float64bits(v.Num) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

func TestCursorRefusesWhatItDidNotMake(t *testing.T) {
	good := table.Cursor{Release: 3, Query: "0123456789abcdef", Position: table.Position{Keys: []table.Value{{Int: 5}, {Text: "x"}}, Row: 9}}.String()
	if strings.ContainsAny(good, "+/=& ") {
		t.Errorf("%s is not safe in an address", good)
	}
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for bit := range 8 {
			changed := append([]byte(nil), raw...)
			changed[i] ^= 1 << bit
			if _, err := table.ParseCursor(base64.RawURLEncoding.EncodeToString(changed)); catalog.CodeOf(err) != "bad_cursor" {
				t.Errorf("bit %d of byte %d changed: got %v, want bad_cursor", bit, i, err)
			}
		}
	}
	for _, token := range []string{"", "x", good[:len(good)-1], good + "A", good + "=", " " + good, strings.ToUpper(good), "AAAAAAAAAAAA", "../../etc/passwd", strings.Repeat("A", 2<<20)} {
		if _, err := table.ParseCursor(token); catalog.CodeOf(err) != "bad_cursor" {
			t.Errorf("%.40q: got %v, want bad_cursor", token, err)
		}
	}
}

func TestCursorBelongsToItsQuery(t *testing.T) {
	first, err := check(table.Params{Where: "aqi >= 150", Sort: "-x,at"}, readings)
	if err != nil {
		t.Fatal(err)
	}
	token := first.Next(3, table.Position{Keys: []table.Value{{Num: math.NaN()}, {Int: 1e15}}, Row: 77}).String()
	next, err := check(table.Params{Where: "AQI>=150.0", Sort: "-x, at", Select: "aqi", Limit: 5, Cursor: token}, readings)
	if err != nil {
		t.Fatalf("the same query in other words: %v", err)
	}
	if next.After == nil || next.After.Row != 77 || !math.IsNaN(next.After.Keys[0].Num) {
		t.Errorf("After is %+v", next.After)
	}
	for _, p := range []table.Params{{}, {Where: "aqi >= 151", Sort: "-x,at"}, {Where: "aqi >= 150", Sort: "x,at"}, {Where: "aqi >= 150", Sort: "-x"}} {
		p.Cursor = token
		if _, err := check(p, readings); catalog.CodeOf(err) != "bad_cursor" || !strings.Contains(err.Error(), "another query") {
			t.Errorf("%+v: got %v, want bad_cursor of another query", p, err)
		}
	}
}

// Two tables of the same columns can have the same release number.
func TestCursorBelongsToItsTable(t *testing.T) {
	for _, p := range []table.Params{{}, {Sort: "-aqi"}, {Where: "aqi > 3"}, {Group: "站点", Sort: "-count"}} {
		checkTable := func(id, cursor string) (*table.Plan, error) {
			p := p
			p.Cursor = cursor
			q, err := table.Parse(p)
			if err != nil {
				t.Fatal(err)
			}
			return q.CheckTable(id, readings)
		}
		first, err := checkTable("one", "")
		if err != nil {
			t.Fatal(err)
		}
		token := first.Next(1, table.Position{Keys: make([]table.Value, len(first.Sort)), Row: 1}).String()
		if _, err := checkTable("one", token); err != nil {
			t.Errorf("%+v: on its own table: %v", p, err)
		}
		for _, id := range []string{"two", ""} {
			if _, err := checkTable(id, token); catalog.CodeOf(err) != "bad_cursor" || !strings.Contains(err.Error(), "another table") {
				t.Errorf("%+v: on table %q: got %v, want bad_cursor of another table", p, id, err)
			}
		}
	}
}

// A forged cursor can be whole and still hold what no column can: engines must
// never see it.
func TestCursorRefusesValuesOfOtherTypes(t *testing.T) {
	text, wide := table.Value{Text: "'; --"}, table.Value{Text: "1e5"}
	for sort, bad := range map[string][]table.Value{
		"aqi": {text, {Num: 1}, {Bool: true}, {Null: true, Int: 1}}, "price": {text, {Int: 10000000}}, "big": {wide, {}, {Int: 5}, text, {Text: "1.50"}, {Text: "-0.0000000000"}},
		"x": {text, {Int: 1}}, "day": {{Int: math.MaxInt64}}, "clock": {{Int: -1}, {Int: 86400e6 + 1}}, "at": {{Int: math.MinInt64}}, "open": {{Int: 1}}, "站点": {{Int: 1}}, "-_row": {text},
	} {
		p, err := check(table.Params{Sort: sort}, readings)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range bad {
			token := p.Next(1, table.Position{Keys: []table.Value{v}, Row: 1}).String()
			if _, err := check(table.Params{Sort: sort, Cursor: token}, readings); catalog.CodeOf(err) != "bad_cursor" {
				t.Errorf("%s %+v: got %v, want bad_cursor", sort, v, err)
			}
		}
	}
}
