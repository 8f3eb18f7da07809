package table_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/tabletest"
)

// readings has a column of every type.
var readings = &catalog.Schema{Fields: []catalog.Field{
	{Name: "站点", Latin: "station", Type: catalog.String},
	{Name: "aqi", Type: catalog.Integer},
	{Name: "price", Type: catalog.Decimal, Precision: 7, Scale: 2},
	{Name: "big", Type: catalog.Decimal, Precision: 38, Scale: 10},
	{Name: "x", Type: catalog.Number},
	{Name: "day", Type: catalog.Date},
	{Name: "clock", Type: catalog.Time},
	{Name: "at", Type: catalog.Datetime, Zone: "+08:00"},
	{Name: "open", Type: catalog.Boolean},
	{Name: "doc", Type: catalog.JSON},
	{Name: "PM2.5", Type: catalog.Number},
}}

func check(p table.Params, s *catalog.Schema) (*table.Plan, error) {
	q, err := table.Parse(p)
	if err != nil {
		return nil, err
	}
	return q.Check(s)
}

func TestCheckBringsLiteralsToTheirColumns(t *testing.T) {
	const no, all = "_row is null", ""
	for _, test := range []struct{ where, want string }{
		{"station = 'x' and 站点 != 'y' and AQI = 1", "站点 = 'x' and 站点 != 'y' and aqi = 1"},
		// integers: exact, whatever the literal
		{"aqi = 1.0 or aqi = 1e2", "aqi = 1 or aqi = 100"},
		{"aqi = 1.5", no}, {"aqi != 1.5", "aqi is not null"},
		{"aqi < 1.5", "aqi <= 1"}, {"aqi <= 1.5", "aqi <= 1"}, {"aqi > 1.5", "aqi >= 2"}, {"aqi >= 1.5", "aqi >= 2"},
		{"aqi > -1.5", "aqi >= -1"}, {"aqi < -1.5", "aqi <= -2"}, {"aqi > -0.5", "aqi >= 0"}, {"aqi < -1e-999", "aqi <= -1"},
		{"aqi = 9223372036854775807", "aqi = 9223372036854775807"}, {"aqi = 9007199254740993", "aqi = 9007199254740993"},
		{"aqi = 9223372036854775808", no}, {"aqi < 1e30", "aqi is not null"}, {"aqi > 1e30", no}, {"aqi >= -1e30", "aqi is not null"}, {"aqi < -1e999999999", no},
		{"aqi > 9223372036854775807.5", no}, {"aqi < -9223372036854775808.5", no}, {"aqi <= 9223372036854775807.5", "aqi <= 9223372036854775807"},
		{"aqi in (1, 1.0, 2.5, 3)", "aqi in (1, 3)"}, {"aqi in (1.5, 2.5)", no}, {"aqi in (4, 4)", "aqi = 4"},
		// not is the complement, so a comparison that is never true is negated to all
		{"not aqi = 1.5", all}, {"not aqi < 1e30", "aqi is null"}, {"aqi = 1.5 or aqi = 2", "aqi = 2"}, {"aqi = 1.5 and aqi = 2", no},
		{"not (aqi = 1.5 and x = 1)", all}, {"(aqi = 1 or (aqi = 1.5 and x > 0)) and (x = 1 or x = 2)", "aqi = 1 and (x = 1 or x = 2)"},
		// decimals
		{"price = 12.5", "price = 12.5"}, {"price > 12.345", "price >= 12.35"}, {"price < 12.345", "price <= 12.34"}, {"price = 12.345", no},
		{"price <= 99999.99", "price <= 99999.99"}, {"price < 100000", "price is not null"}, {"price > 99999.995", no},
		{"big = 1234567890123456789012345678.0123456789", "big = 1234567890123456789012345678.0123456789"}, {"big > 0.00000000001", "big >= 0.0000000001"},
		{"big < 1e28", "big is not null"}, {"big >= -0.1", "big >= -0.1"},
		// doubles
		{"x = 0.10", "x = 0.1"}, {"x = -0", "x = 0"}, {"x < 1e999", "x < 'Infinity'"}, {"x > 1e-999", "x > 0"}, {"x = 1e21 or x = 1e-7", "x = 1000000000000000000000 or x = 0.0000001"},
		{"x = 'NaN' or x = '-Infinity' or x in ('Infinity', 1)", "x = 'NaN' or x = '-Infinity' or x in ('Infinity', 1)"}, {"x = 9007199254740993", "x = 9007199254740992"},
		// dates and times
		{"day >= '2021-12-08'", "day >= '2021-12-08'"}, {"day = '2000-02-29'", "day = '2000-02-29'"},
		{"clock < '08:30'", "clock < '08:30:00'"}, {"clock = '23:59:59.500000000'", "clock = '23:59:59.5'"},
		{"at >= '2026-01-01'", "at >= '2026-01-01T00:00:00'"}, {"at = '2026-01-01 08:00'", "at = '2026-01-01T08:00:00'"},
		{"at = '2026-01-01T00:00:00Z'", "at = '2026-01-01T08:00:00'"}, {"at = '2026-01-01T08:00:00.25+08:00'", "at = '2026-01-01T08:00:00.25'"},
		{"at = '2026-01-01T08:00:00 08:00'", "at = '2026-01-01T08:00:00'"}, {"at = '2026-01-01T00:00:00-0530'", "at = '2026-01-01T13:30:00'"},
		// booleans, texts, rows
		{"open = TRUE or open in (false, true)", "open = true or open in (false, true)"},
		{"contains(站点, 'ＡＢＣ湖') and starts(doc, 'Ω')", "contains(站点, 'abc湖') and starts(doc, 'ω')"},
		{"_row > 1.5 and _ROW < 10", "_row >= 2 and _row < 10"}, {"_row is null", no}, {"_row is not null", all}, {"_row < 1e40", all},
		{"not (not (aqi = 1 and x = 2))", "aqi = 1 and x = 2"}, {`"PM2.5" > 35 and 站点 > ''`, `"PM2.5" > 35 and 站点 > ''`},
	} {
		p, err := check(table.Params{Where: test.where}, readings)
		if err != nil {
			t.Errorf("%s: %v", test.where, err)
			continue
		}
		if got := p.Canonical().Where; got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.where, got, test.want)
		}
		if test.want == all && p.Where != nil {
			t.Errorf("%s: Where is %#v, want nil", test.where, p.Where)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, test := range []struct {
		params table.Params
		want   string
	}{
		{table.Params{Where: "aqy > 1"}, `unknown_column: there is no column "aqy": did you mean aqi? The columns are 站点, aqi, price, big, x, day, clock, at, open, doc, "PM2.5"`},
		{table.Params{Where: "pm25 > 1"}, `unknown_column: there is no column "pm25": did you mean "PM2.5"?`},
		{table.Params{Select: "完全不同"}, `unknown_column: there is no column "完全不同". The columns are`},
		{table.Params{Sort: "-statoin"}, `unknown_column: there is no column "statoin": did you mean station?`},
		{table.Params{Where: "aqi = '1'"}, "type_mismatch: column aqi is integer and takes a number, such as 150; found '1' (where, character 7)"},
		{table.Params{Where: "站点 = 110000"}, "type_mismatch: column 站点 is text and takes a text in single quotes, such as '110000'; found 110000 (where, character 6)"},
		{table.Params{Where: "x = 'nan'"}, "type_mismatch: column x is number"},
		{table.Params{Where: "day = '2021-02-29'"}, "type_mismatch: column day is date and takes a date in single quotes, such as '2021-12-08'; found '2021-02-29'"},
		{table.Params{Where: "day = '2021-12-08T00:00:00'"}, "type_mismatch"},
		{table.Params{Where: "day = 20211208"}, "type_mismatch"},
		{table.Params{Where: "day = '0000-01-01'"}, "type_mismatch"},
		{table.Params{Where: "clock = '24:00'"}, "type_mismatch"},
		{table.Params{Where: "clock = '08:00:00.0000001'"}, "type_mismatch"},
		{table.Params{Where: "at = '2021-12-08T25:00:00'"}, "type_mismatch"},
		{table.Params{Where: "at = '0001-01-01T00:00:00+14:00'"}, "type_mismatch"},
		{table.Params{Where: "at = '2021-12-08T08:00:00+8'"}, "type_mismatch"},
		{table.Params{Where: "open = 'true'"}, "type_mismatch: column open is boolean and takes true or false, such as true"},
		{table.Params{Where: "_row = 'x'"}, "type_mismatch: column _row is integer"},
		{table.Params{Where: "contains(aqi, '1')"}, "type_mismatch: contains and starts take a text column, but aqi is integer"},
		{table.Params{Where: "contains(站点, 1)"}, "type_mismatch: column 站点 is text"},
		{table.Params{Select: "aqi,x,AQI"}, `bad_select: select names the column "AQI" twice, at character 7`},
		{table.Params{Sort: "站点,-station"}, `bad_sort: sort names the column "station" twice, at character 5`},
	} {
		_, err := check(test.params, readings)
		if got := catalog.CodeOf(err) + ": " + fmt.Sprint(err); catalog.KindOf(err) != catalog.Invalid || !strings.HasPrefix(got, test.want) {
			t.Errorf("%+v\n got %s\nwant %s", test.params, got, test.want)
		}
	}
	_, err := check(table.Params{Where: "x = 1 and aqy > 1"}, readings)
	var e *catalog.Error
	if !errors.As(err, &e) || e.Fields["nearest"] != "aqi" || e.Fields["position"] != 11 || !slices.Equal(e.Fields["columns"].([]string), readings.Names()) {
		t.Errorf("the facts of unknown_column are %v", err)
	}
}

func TestCheckDropsWhatChangesNothing(t *testing.T) {
	all := `站点,aqi,price,big,x,day,clock,at,open,doc,"PM2.5"`
	for _, test := range []struct{ from, want table.Params }{
		{table.Params{Select: all}, table.Params{}},
		{table.Params{Select: all + ",_row"}, table.Params{Select: all + ",_row"}},
		{table.Params{Sort: "_row"}, table.Params{}},
		{table.Params{Sort: "-aqi,_row,x"}, table.Params{Sort: "-aqi"}},
		{table.Params{Sort: "-_row,x"}, table.Params{Sort: "-_row"}},
	} {
		p, err := check(test.from, readings)
		if err != nil {
			t.Errorf("%+v: %v", test.from, err)
			continue
		}
		if got := p.Canonical(); got != test.want {
			t.Errorf("%+v\n got %+v\nwant %+v", test.from, got, test.want)
		}
	}
}

// shape writes all that a plan says. %#v writes NaN as NaN and −0 as −0.
func shape(p *table.Plan) string {
	plan, group := *p, table.Group{}
	fields, box, near := p.Schema.Fields, table.Box{}, table.Near{}
	find := &plan.Find
	if p.Group != nil {
		group = *p.Group
		find = &group.Find
		group.Schema = nil
	}
	if find.Box != nil {
		box = *find.Box
	}
	if find.Near != nil {
		near = *find.Near
	}
	find.Box, find.Near, plan.Group, plan.Schema = nil, nil, nil, nil
	return fmt.Sprintf("%#v %#v %#v %#v %#v", plan, group, fields, box, near)
}

// The canonical form asks the same question, and is its own canonical form; so
// it can be the key of an export.
func TestCanonicalFormIsTheSamePlan(t *testing.T) {
	for seed := range uint64(600) {
		schema, rows := tabletest.Table(seed)
		r := rand.New(rand.NewPCG(seed, 2))
		for range 10 {
			params := tabletest.Query(r, schema, rows)
			q, err := table.Parse(params)
			if err != nil {
				t.Fatalf("seed %d, %+v: %v", seed, params, err)
			}
			p, err := q.Check(&schema)
			if err != nil {
				t.Fatalf("seed %d, %+v: %v", seed, params, err)
			}
			for name, c := range map[string]table.Params{"query": q.Canonical(), "plan": p.Canonical()} {
				again, err := check(c, &schema)
				if err != nil {
					t.Fatalf("seed %d, canonical form of the %s: %v\n%+v", seed, name, err, c)
				}
				if got, want := shape(again), shape(p); got != want {
					t.Fatalf("seed %d, %s\n from %+v\n   by %+v\n got %s\nwant %s", seed, name, params, c, got, want)
				}
				if again.Canonical() != p.Canonical() || again.Hash() != p.Hash() {
					t.Fatalf("seed %d: canonical form changes: %+v then %+v", seed, p.Canonical(), again.Canonical())
				}
			}
		}
	}
}
