package web

import (
	"go/format"
	"net/url"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
)

// TestWhatSuitsATypeIsPossible: every operator and function that the page names
// beside a column can be asked of it.
func TestWhatSuitsATypeIsPossible(t *testing.T) {
	literals := map[catalog.Type]string{catalog.Boolean: "true", catalog.Integer: "1", catalog.Decimal: "1.5", catalog.Number: "2e3", catalog.Date: "'2026-11-01'",
		catalog.Time: "'08:30'", catalog.Datetime: "'2026-11-01T08:30:00'", catalog.String: "'x'", catalog.JSON: "'x'"}
	arguments := map[string]string{"quantile": ", 0.5", "bin": ", 10", "trunc": ", 'month'"}
	for _, kind := range catalog.Types {
		s := &catalog.Schema{Fields: []catalog.Field{{Name: "c", Type: kind, Precision: 10, Scale: 2}}}
		check := func(p table.Params) {
			q, err := table.Parse(p)
			if err == nil {
				_, err = q.Check(s)
			}
			if err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		ops, functions := suits(kind)
		for _, op := range ops {
			switch op {
			case "in":
				check(table.Params{Where: "c in (" + literals[kind] + ")"})
			case "is null":
				check(table.Params{Where: "c is null"})
			case "contains", "starts":
				check(table.Params{Where: op + "(c, 'x')"})
			default:
				check(table.Params{Where: "c " + op + " " + literals[kind]})
			}
		}
		for _, f := range functions {
			if f == "bin" || f == "trunc" {
				check(table.Params{Group: f + "(c" + arguments[f] + ") as k"})
			} else {
				check(table.Params{Select: f + "(c" + arguments[f] + ")"})
			}
		}
	}
}

// TestExampleQueries: each example on the page is a query of its table.
func TestExampleQueries(t *testing.T) {
	tbl := filledTable()
	tbl.Schema.Fields = append(tbl.Schema.Fields, catalog.Field{Name: "经度", Type: catalog.Number}, catalog.Field{Name: "纬度", Type: catalog.Number})
	for _, name := range []string{"经度", "纬度"} {
		tbl.Profile.Columns = append(tbl.Profile.Columns, catalog.ColumnProfile{Name: name, Quantiles: []string{"31", "31.2", "31.5", "31.7", "32"}})
	}
	example := ExampleQuery(tbl)
	for _, name := range []string{"where", "select", "sort", "group", "q", "bbox", "near"} {
		if !example.Has(name) {
			t.Errorf("no example of %s", name)
		}
	}
	v := &tableAPIPage{frame: frame{Lang: "en"}, Table: tbl, Dataset: &catalog.Dataset{}, Release: &catalog.Release{}, Located: true, Action: "/datasets/x/tables/t/api"}
	v.parameters()
	tried := 0
	for _, p := range v.Parameters {
		if p.Href == "" {
			continue
		}
		u, err := url.Parse(p.Href)
		if err != nil {
			t.Fatal(err)
		}
		params := table.ParamsOf(u.Query().Get)
		if _, err := whole("en", "", &catalog.Dataset{}, 1, tbl).part(params); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		tried++
	}
	if tried < 8 {
		t.Errorf("%d parameters have an example", tried)
	}
}

// hostileQuestion asks a table whose names and values every language quotes in
// another way.
func hostileQuestion(t *testing.T) question {
	t.Helper()
	tbl := filledTable()
	tbl.Schema.Fields = append(tbl.Schema.Fields, catalog.Field{Name: "#(lf)\t\"a\"\\'`", Type: catalog.Datetime, Zone: "+08:00"}, catalog.Field{Name: "n", Type: catalog.Integer}, catalog.Field{Name: "开", Type: catalog.Boolean})
	q, err := whole("zh", "https://p.example", &catalog.Dataset{Slug: "a-b", OpenAttribute: catalog.Conditional}, 3, tbl).part(table.Params{Where: `区县 = '#(lf) "x" \ ''y''' or n > 1`, Sort: "-n"})
	must(t, err)
	return q
}

// TestPowerQueryIsWellFormed stands for an interpreter of M, which there is none
// of: texts end, brackets match, every let binding is used by the next, and each
// column is named once with its type.
func TestPowerQueryIsWellFormed(t *testing.T) {
	q := hostileQuestion(t)
	for _, q := range []question{q, {lang: q.lang, base: q.base, slug: q.slug, number: q.number, table: q.table, fields: q.fields}} {
		code := q.powerQuery()
		texts, rest := readM(t, code)
		for _, f := range q.fields {
			if n := count(texts, f.Name); n != 1 {
				t.Errorf("%q is named %d times", f.Name, n)
			}
		}
		for _, want := range append([]string{"https://p.example", "data/a-b/3/main.csv", ",", "en-US"}, q.params.Where, q.params.Sort) {
			if want != "" && count(texts, want) != 1 {
				t.Errorf("%q stands %d times among %q", want, count(texts, want), texts)
			}
		}
		for _, want := range []string{"Encoding = 65001", "Columns = 7", "type datetimezone", "Int64.Type", "type logical", "type date}", "{§, type text}"} {
			if !strings.Contains(rest, want) {
				t.Errorf("the code lacks %s:\n%s", want, code)
			}
		}
		if !strings.HasPrefix(rest, "let\n") || !strings.HasSuffix(rest, "\nin\n    Typed") || strings.Contains(rest, "Query = ") != q.filtered() {
			t.Errorf("the code is no let expression of this question:\n%s", code)
		}
		if lines := strings.Split(rest, "\n"); strings.HasSuffix(lines[len(lines)-3], ",") {
			t.Errorf("a comma before in:\n%s", code)
		}
	}
}

// readM takes the texts out of M, as its grammar reads them, and leaves § in
// their places; brackets must match.
func readM(t *testing.T, code string) (texts []string, rest string) {
	t.Helper()
	var b strings.Builder
	var open []byte
	pairs := map[byte]byte{')': '(', ']': '[', '}': '{'}
	for i := 0; i < len(code); i++ {
		c := code[i]
		switch {
		case c == '"':
			text := ""
			for i++; ; i++ {
				if i >= len(code) || code[i] == '\n' {
					t.Fatalf("a text does not end:\n%s", code)
				}
				if code[i] == '"' {
					if i+1 < len(code) && code[i+1] == '"' {
						i++
						text += `"`
						continue
					}
					break
				}
				if strings.HasPrefix(code[i:], "#(") {
					end := strings.IndexByte(code[i:], ')')
					value, known := map[string]string{"#": "#", "lf": "\n", "cr": "\r", "tab": "\t"}[code[i+2:i+end]]
					if !known {
						t.Fatalf("unknown escape %s", code[i:i+end+1])
					}
					text += value
					i += end
					continue
				}
				text += code[i : i+1]
			}
			texts = append(texts, text)
			b.WriteString("§")
			continue
		case strings.IndexByte("([{", c) >= 0:
			open = append(open, c)
		case pairs[c] != 0:
			if len(open) == 0 || open[len(open)-1] != pairs[c] {
				t.Fatalf("%c closes nothing:\n%s", c, code)
			}
			open = open[:len(open)-1]
		}
		b.WriteByte(c)
	}
	if len(open) > 0 {
		t.Fatalf("%s is not closed:\n%s", open, code)
	}
	return texts, b.String()
}

func count(list []string, s string) int {
	n := 0
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

// TestGoSnippetsAreFormatted, with members where names can be tags and as maps
// where one cannot; a column that may hold NaN is any.
func TestGoSnippetsAreFormatted(t *testing.T) {
	q := hostileQuestion(t)
	plain := q
	plain.fields = slices.DeleteFunc(slices.Clone(q.fields), func(f catalog.Field) bool { return !jsonTag.MatchString(f.Name) })
	plain.fields = append(plain.fields, catalog.Field{Name: "ratio_2", Type: catalog.Number, Unit: "µg/m³\n*/"}, catalog.Field{Name: "Ratio2", Type: catalog.Decimal})
	tbl := *q.table
	profile := *tbl.Profile
	profile.Columns = append(slices.Clone(profile.Columns), catalog.ColumnProfile{Name: "ratio_2", Max: "NaN"})
	tbl.Profile = &profile
	plain.table = &tbl
	one := whole("en", "https://p.example", &catalog.Dataset{Slug: "a"}, 1, q.table)
	sums, err := one.part(table.Params{Select: "max(编号) as 区县"}) // named like a column without nulls
	must(t, err)
	for code, wants := range map[string][]string{
		one.golang():   {"type Row map[string]any"},
		sums.golang():  {"*string `json:\"区县\"`"},
		q.golang():     {"type Row map[string]any", "lines.UseNumber()"},
		plain.golang(): {"Ratio2", "any ", "Ratio2_", "*Date", `json:"日期"`, "// µg/m³ */", "*json.Number"},
	} {
		formatted, err := format.Source([]byte(code + "\n"))
		if err != nil || string(formatted) != code+"\n" {
			t.Errorf("%v: not formatted:\n%s", err, code)
		}
		for _, want := range wants {
			if !strings.Contains(code, want) {
				t.Errorf("the program lacks %s:\n%s", want, code)
			}
		}
	}
}
