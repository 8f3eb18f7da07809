package web

import (
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
)

var airSchema = catalog.Schema{Fields: []catalog.Field{
	{Name: "站点", Type: catalog.String}, {Name: "PM2.5", Type: catalog.Number}, {Name: "aqi", Type: catalog.Integer}, {Name: "day", Type: catalog.Date}, {Name: "ok", Type: catalog.Boolean},
}}

// What the form sends becomes a condition of the grammar, and that condition
// comes back as the same rows of the form.
func TestFormAndGrammarAgree(t *testing.T) {
	for _, c := range []struct {
		rows []condition
		want string
	}{
		{nil, ""},
		{[]condition{{Field: "", Op: "=", Value: "x"}}, ""},
		{[]condition{{Field: "站点", Op: "=", Value: "it's"}}, "站点 = 'it''s'"},
		{[]condition{{Field: "PM2.5", Op: ">=", Value: "1,035.5"}}, `"PM2.5" >= 1035.5`},
		{[]condition{{Field: "站点", Op: "in", Value: "雪浪，漆塘,东亭"}}, "站点 in ('雪浪', '漆塘', '东亭')"},
		{[]condition{{Field: "站点", Op: "contains", Value: "浪"}, {Field: "aqi", Op: "<", Value: "50"}}, "contains(站点, '浪') and aqi < 50"},
		{[]condition{{Field: "day", Op: ">", Value: "2026-08-01"}, {Field: "ok", Op: "=", Value: "是"}}, "day > '2026-08-01' and ok = true"},
		{[]condition{{Field: "aqi", Op: "null"}, {Field: "day", Op: "notnull"}}, "aqi is null and day is not null"},
		{[]condition{{Field: "_row", Op: "<=", Value: "10"}}, "_row <= 10"},
	} {
		got := whereText(conjoin(c.rows, &airSchema))
		if got != c.want {
			t.Errorf("%+v gives %q, want %q", c.rows, got, c.want)
			continue
		}
		q, err := table.Parse(table.Params{Where: got})
		if err != nil {
			t.Errorf("%q: %v", got, err)
			continue
		}
		if _, err := q.Check(&airSchema); err != nil {
			t.Errorf("%q: %v", got, err)
		}
		rows, ok := conditionsOf(q.Where)
		if !ok {
			t.Errorf("%q cannot be shown as rows", got)
		}
		if again := whereText(conjoin(rows, &airSchema)); again != got {
			t.Errorf("%q came back as %q", got, again)
		}
	}
}

func TestWhatRowsCannotShowStaysText(t *testing.T) {
	for _, where := range []string{"aqi > 1 or aqi is null", "not aqi = 1", "站点 in ('a,b')", "aqi = 1 and (aqi = 2 or aqi = 3)"} {
		q, err := table.Parse(table.Params{Where: where})
		if err != nil {
			t.Fatal(err)
		}
		if rows, ok := conditionsOf(q.Where); ok {
			t.Errorf("%q shown as %+v", where, rows)
		}
	}
}

func TestWrongTypeIsSaidNotGuessed(t *testing.T) {
	where := whereText(conjoin([]condition{{Field: "aqi", Op: "=", Value: "很多"}}, &airSchema))
	q, err := table.Parse(table.Params{Where: where})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Check(&airSchema); catalog.CodeOf(err) != "type_mismatch" {
		t.Errorf("%q: %v, want type_mismatch", where, err)
	}
}
