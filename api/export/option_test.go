package export

import (
	"reflect"
	"strings"
	"testing"

	"taihu/catalog"
)

func optionsOf(t *testing.T, format, query string) (Options, error) {
	t.Helper()
	given := map[string]string{}
	for pair := range strings.SplitSeq(query, " ") {
		name, value, _ := strings.Cut(pair, "=")
		given[name] = strings.ReplaceAll(value, "␣", " ")
	}
	return ParseOptions(format, func(name string) string { return given[name] })
}

func TestParseOptions(t *testing.T) {
	for _, test := range []struct {
		format, query string
		want          Options
		canonical     string
	}{
		{"csv", "", Options{}, ""},
		{"csv", "delimiter=, header=name bom=0 newline=lf spreadsheet=0", Options{}, ""},
		{"tsv", "delimiter=tab", Options{}, ""},
		{"tsv", "delimiter=,", Options{Delimiter: ","}, "delimiter=%2C"},
		{"csv", "delimiter=tab", Options{Delimiter: "\t"}, "delimiter=tab"},
		{"csv", "delimiter=\t", Options{Delimiter: "\t"}, "delimiter=tab"},
		{"csv", "delimiter=、 null=缺失 header=zh bom=1 newline=crlf", Options{Delimiter: "、", Header: "zh", BOM: true, Newline: "crlf", Null: "缺失"}, "delimiter=%E3%80%81&header=zh&bom=1&newline=crlf&null=%E7%BC%BA%E5%A4%B1"},
		{"csv", "spreadsheet=1", Options{Spreadsheet: true}, "spreadsheet=1"},
		{"csv", "newline=crlf spreadsheet=1 bom=1", Options{Spreadsheet: true}, "spreadsheet=1"},
		{"csv", `null=\N`, Options{Null: `\N`}, "null=%5CN"},
		{"csv", "null=-", Options{Null: "-"}, "null=-"},
		{"csv", "null=n/a␣!", Options{Null: "n/a !"}, "null=n%2Fa+%21"},
		{"json", "shape=objects", Options{}, ""},
		{"json", "shape=columns", Options{Shape: "columns"}, "shape=columns"},
		{"json", "header=zh", Options{}, ""}, // not a parameter of json: refused before
		{"xlsx", "shape=arrays", Options{}, ""},
	} {
		got, err := optionsOf(t, test.format, test.query)
		if err != nil || got != test.want || got.String() != test.canonical {
			t.Errorf("%s %s: %+v, %q, %v", test.format, test.query, got, got.String(), err)
		}
	}
	for _, test := range []struct{ query, says string }{
		{"delimiter=ab", "one character"}, {"delimiter=a", "written with it"}, {"delimiter=1", "written with it"}, {`delimiter="`, "written with it"},
		{"delimiter=-", "written with it"}, {"delimiter=.", ""}, {"delimiter=:", ""}, {"delimiter=+", ""}, {"delimiter=␣", ""}, {"delimiter=\r", ""}, {"delimiter=\x00", ""},
		{"delimiter=字", ""}, {"delimiter=\xff", "one character"}, {"delimiter=\u3000", ""}, {"delimiter==", ""}, {"delimiter='", ""},
		{"header=nme", "did you mean name?"}, {"header=Zh", "zh"}, {"bom=yes", "one of 0, 1"}, {"newline=cr", "lf, crlf"}, {"spreadsheet=2", ""},
		{"spreadsheet=1 bom=0", "leave bom"}, {"spreadsheet=1 newline=lf", ""},
		{"null=true", "a word such as NA"}, {"null=NaN", ""}, {"null=-Infinity", ""}, {"null=0", ""}, {"null=-1", ""}, {"null=2021-01-01", ""}, {"null=.5", ""}, {"null=FALSE", ""},
		{"null=a,b", "no delimiter"}, {"null=a␣", ""}, {`null="`, ""}, {"null=a\nb", ""}, {"null==1+1", "formula"}, {"null=@x", "formula"}, {"null=" + strings.Repeat("字", 33), "32"},
		{"delimiter=| null=a|b", "delimiter"},
	} {
		_, err := optionsOf(t, "csv", test.query)
		if catalog.CodeOf(err) != "bad_option" || catalog.KindOf(err) != catalog.Invalid || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.query, err)
		}
	}
	if got := FormatsOf("header"); !reflect.DeepEqual(got, []string{"csv", "tsv"}) {
		t.Error(got)
	}
	if got := FormatsOf("where"); got != nil {
		t.Error(got)
	}
}

func TestStartsFormula(t *testing.T) {
	for s, want := range map[string]bool{
		"": false, " ": false, "a=1": false, "'=1": false, "=1": true, "+1": true, "-1": true, "@a": true, "\ta": true, "\ra": true, "\n=1": true, "  =1": true, "＝1": true, "－": true, "1-1": false, "水": false,
	} {
		if startsFormula(s) != want {
			t.Errorf("%q: %t", s, !want)
		}
	}
}
