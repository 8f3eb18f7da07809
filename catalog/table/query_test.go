package table_test

import (
	"errors"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
)

func TestParseGivesOneSpelling(t *testing.T) {
	for _, test := range []struct{ where, want string }{
		{"", ""},
		{" \t\u3000", ""},
		{"aqi>=150", "aqi >= 150"},
		{"AQI >= 150 AND district IN ('滨湖区','梁溪区')", "AQI >= 150 and district in ('滨湖区', '梁溪区')"},
		{"((a = 1))", "a = 1"},
		{"(a=1 and b=2) and (c=3)", "a = 1 and b = 2 and c = 3"},
		{"(a=1 and b=2) or c=3", "a = 1 and b = 2 or c = 3"},
		{"a=1 and (b=2 or c=3)", "a = 1 and (b = 2 or c = 3)"},
		{"a=1 or (b=2 or c=3)", "a = 1 or b = 2 or c = 3"},
		{"not (a=1)", "not a = 1"},
		{"NOT(a=1 or b=2)", "not (a = 1 or b = 2)"},
		{"not (not (a=1))", "a = 1"},
		{"not (not (a=1 and b=2)) and c=3", "a = 1 and b = 2 and c = 3"},
		{"not a is null", "a is not null"},
		{"a IS NOT NULL", "a is not null"},
		{"contains ( name , '湖' ) and Starts(name,'a''b')", "contains(name, '湖') and starts(name, 'a''b')"},
		{`"a b"=1`, `"a b" = 1`},
		{`"aqi"=1`, "aqi = 1"},
		{`"a""b" = 'x'`, `"a""b" = 'x'`},
		{`"not" = TRUE and "in"=False`, `"not" = true and "in" = false`},
		{"contains = 1 and starts < 2", `"contains" = 1 and "starts" < 2`},
		{"2020年 > 5 and 1 = 2", "2020年 > 5 and 1 = 2"},
		{"เวลา = 1", "เวลา = 1"},
		{"a = -0.50 or a = .5 or a = 1E3 or a = 007", "a = -0.5 or a = 0.5 or a = 1000 or a = 7"},
		{"a = 1e100 or a = 12.5e-60 or a = -0", "a = 1e100 or a = 1.25e-59 or a = 0"},
		{"a = 1e99999999999999999999 or a = 0.0e999", "a = 1e400 or a = 0"},
		{"_row <= 10", "_row <= 10"},
		{"a = 'line\nbreak'", "a = 'line\nbreak'"},
	} {
		q, err := table.Parse(table.Params{Where: test.where})
		if err != nil {
			t.Errorf("%s: %v", test.where, err)
			continue
		}
		if got := q.Canonical().Where; got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.where, got, test.want)
		}
	}
}

func TestParseNamesPlaceAndExpectation(t *testing.T) {
	for _, test := range []struct{ where, want string }{
		{"aqi", "where is wrong at character 4: found the end, expected =, !=, <, <=, >, >=, in, is null or is not null"},
		{"aqi >", "where is wrong at character 6: found the end, expected a number, a 'text' in single quotes, true or false"},
		{"aqi > 150 aqi", "where is wrong at character 11: found `aqi`, expected and, or, or the end"},
		{"区 == 1", "where is wrong at character 3: found `==`, expected = (here == is written =)"},
		{"区 <> 1", "where is wrong at character 3: found `<>`, expected != (here <> is written !=)"},
		{"a ≥ 1", "where is wrong at character 3: found `≥`, expected =, !=, <, <=, >, >=, in, is null or is not null (here ≥ is written >=)"},
		{"a like 'x%'", "where is wrong at character 3: found `like`, expected =, !=, <, <=, >, >=, in, is null or is not null (here like is written contains)"},
		{"a = b", "where is wrong at character 5: found `b`, expected a number, a 'text' in single quotes, true or false; text needs single quotes: 'b'"},
		{`a = "b"`, "where is wrong at character 5: found `\"b\"`, expected a number, a 'text' in single quotes, true or false; double quotes are for column names"},
		{"a = null", "where is wrong at character 5: found `null`, expected a number, a 'text' in single quotes, true or false; null is asked for with is null"},
		{"a > 2021-12-08", "where is wrong at character 5: found `2021`, expected a number, or single quotes around a date or text, such as '2021-12-08'"},
		{"a = 5km", "where is wrong at character 5: found `5km`, expected a number, or single quotes"},
		{"a = 'x", "where is wrong at character 5: found `'x`, expected a closing ' after the text"},
		{`"a = 1`, "where is wrong at character 1: found `\"a = 1`, expected a closing \" after the column name"},
		{`"" = 1`, "where is wrong at character 1: found `\"\"`, expected a name between the double quotes"},
		{"(a = 1", "where is wrong at character 7: found the end, expected and, or, or )"},
		{"a = 1)", "where is wrong at character 6: found `)`, expected and, or, or the end"},
		{"a in 1", "where is wrong at character 6: found `1`, expected ( and a list of values"},
		{"a in ()", "where is wrong at character 7: found `)`, expected a number"},
		{"a in (1 2)", "where is wrong at character 9: found `2`, expected , or )"},
		{"a in (1，2)", "where is wrong at character 8: found `，`, expected , or ) (here ， is written ,)"},
		{"a not in (1)", "where is wrong at character 3: found `not`, expected an operator (not stands before the column: not a in (…))"},
		{"a is 5", "where is wrong at character 6: found `5`, expected null or not null"},
		{"a is not 5", "where is wrong at character 10: found `5`, expected null"},
		{"not not a = 1", "where is wrong at character 5: found `not`, expected a column name, contains(, starts( or ("},
		{"and a = 1", "where is wrong at character 1: found `and`, expected a column name"},
		{"'a' = 1", "where is wrong at character 1: found `'a'`, expected a column name"},
		{"contain(a, 'x')", "where is wrong at character 1: found `contain`, expected contains(column, 'text')"},
		{"sqrt(a) = 1", "where is wrong at character 1: found `sqrt`, expected one of the functions contains and starts"},
		{"contains(a 'x')", "where is wrong at character 12: found `'x'`, expected ,"},
		{"a = 1; drop table x", "where is wrong at character 6: found `;`, expected and, or, or the end"},
		{"a = 1 -- x", "where is wrong at character 7: found `-`"},
		{"a = \xff", "where is not UTF-8 at character 5"},
		{"区 = '\ufffd\xff'", "where is not UTF-8 at character 7"},
		{strings.Repeat("(", 65) + "a=1" + strings.Repeat(")", 65), "where is wrong at character 65: found `(`, expected at most 64 parentheses inside each other"},
		{strings.Repeat("a=1 or ", 1000) + "a=1", "expected at most 1000 comparisons"},
		{"a = '" + strings.Repeat("x", table.MaxText) + "'", "where is too long: at most 16384 bytes"},
		{"b='" + strings.Repeat("'", table.MaxText-4) + "'", "where is too long: at most 16384 bytes"}, // only in canonical form
	} {
		_, err := table.Parse(table.Params{Where: test.where})
		if catalog.KindOf(err) != catalog.Invalid || catalog.CodeOf(err) != "bad_where" {
			t.Errorf("%.60s: got %v, want bad_where", test.where, err)
			continue
		}
		if !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60s\n got %v\nwant %s", test.where, err, test.want)
		}
		var e *catalog.Error
		if errors.As(err, &e) && (e.Zh == "" || e.Fields["parameter"] != "where") {
			t.Errorf("%.60s: no Chinese or no parameter: %+v", test.where, e)
		}
	}
	if _, err := table.Parse(table.Params{Where: strings.Repeat("(", 64) + "a=1" + strings.Repeat(")", 64)}); err != nil {
		t.Errorf("64 parentheses: %v", err)
	}
}

func TestParseSelectAndSort(t *testing.T) {
	for _, test := range []struct {
		params table.Params
		want   string // canonical select | sort, or the error
	}{
		{table.Params{Select: ` time , "district",_row `, Sort: ` -aqi , "a ""b" `}, `time,district,_row|-aqi,"a ""b"`},
		{table.Params{Select: `"not",and`, Sort: `- or`}, `"not","and"|-"or"`},
		{table.Params{Select: "a,"}, "bad_select: select is wrong at character 3: found the end, expected a column name"},
		{table.Params{Select: "a b"}, "bad_select: select is wrong at character 3: found `b`, expected , or as, or the end"},
		{table.Params{Select: "PM2.5"}, "bad_select: select is wrong at character 4: found `.`, expected , or as, or the end (names with other signs than letters, digits and _ need double quotes)"},
		{table.Params{Select: "AVG( aqi ) as mean, count ( * ),quantile(x, 0.90)"}, "avg(aqi) as mean,count(*),quantile(x, 0.9)|"},
		{table.Params{Select: "mean(aqi)"}, "bad_select: select is wrong at character 1: found `mean`, expected "},
		{table.Params{Select: "avg(aqi"}, "bad_select: select is wrong at character 8: found the end, expected )"},
		{table.Params{Select: "sum(*)"}, "bad_select: select is wrong at character 5: found `*`, expected a column name"},
		{table.Params{Select: "a as"}, "bad_select: select is wrong at character 5: found the end, expected a name after as"},
		{table.Params{Select: "*"}, "bad_select: select is wrong at character 1: found `*`, expected a column name"},
		{table.Params{Sort: "a desc"}, "bad_sort: sort is wrong at character 3: found `desc`, expected , or the end (descending is written -a)"},
		{table.Params{Sort: "--a"}, "bad_sort: sort is wrong at character 2: found `-`, expected a column name after -"},
		{table.Params{Limit: -1}, `bad_limit: limit "-1" is wrong: expected a whole number from 1 on, such as limit=100`},
	} {
		q, err := table.Parse(test.params)
		if err != nil {
			if got := catalog.CodeOf(err) + ": " + err.Error(); !strings.HasPrefix(got, test.want) {
				t.Errorf("%+v\n got %s\nwant %s", test.params, got, test.want)
			}
			continue
		}
		if c := q.Canonical(); c.Select+"|"+c.Sort != test.want {
			t.Errorf("%+v\n got %s|%s\nwant %s", test.params, c.Select, c.Sort, test.want)
		}
	}
	for _, text := range []string{"", "0", "-5", "+5", "5.0", "x", "99999999999999999999", " 5"} {
		if n, err := table.ParseLimit(text); catalog.CodeOf(err) != "bad_limit" {
			t.Errorf("limit %q: got %d, %v, want bad_limit", text, n, err)
		}
	}
	if n, err := table.ParseLimit("100"); n != 100 || err != nil {
		t.Errorf("limit 100: got %d, %v", n, err)
	}
}

func TestStringIsAnAddress(t *testing.T) {
	q, err := table.Parse(table.Params{Where: "区='a&b' AND t>='2026-01-01T08:00:00+08:00'", Select: "区", Sort: "-t", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	want := "where=%E5%8C%BA+%3D+%27a%26b%27+and+t+%3E%3D+%272026-01-01T08%3A00%3A00%2B08%3A00%27&select=%E5%8C%BA&sort=-t&limit=10"
	if got := q.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
