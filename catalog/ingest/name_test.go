package ingest

import (
	"strings"
	"testing"

	"taihu/catalog"
)

func TestColumnNames(t *testing.T) {
	for headers, want := range map[string]string{
		"a|b":            "a b",
		" a |b\t":        "a b",
		"A|a|a":          "A a_2 a_3",
		"a|a_2|a":        "a a_2 a_3",
		"|x|":            "column_1 x column_3",
		"column_2|":      "column_2 column_2_2",
		"_row|_ROW":      "_row_2 _ROW_3",
		"e\u0301|\u00e9": "\u00e9 \u00e9_2", // NFD and NFC of é
		"\ufeffid|__proto__|a\"; DROP TABLE x;--": "id __proto__ a\"; DROP TABLE x;--",
	} {
		fields, err := nameColumns(strings.Split(headers, "|"), &Findings{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join((&catalog.Schema{Fields: fields}).Names(), " "); got != want {
			t.Errorf("%q: got %q, want %q", headers, got, want)
		}
	}
	if _, err := nameColumns([]string{strings.Repeat("长", 1001)}, &Findings{}); err == nil {
		t.Error("a name of 1,001 characters is accepted")
	}
}

func TestTableNames(t *testing.T) {
	names := tableNames{}
	for _, test := range []struct{ stated, sheet, file, want string }{
		{"", "", "停车场 2021.csv", "ting-che-chang-2021"},
		{"", "", "停车场 2021.csv", "ting-che-chang-2021-2"},
		{"", "Sheet1", "x.xlsx", "x"},
		{"", "工作表2", "x.xlsx", "x-2"},
		{"", "人口", "x.xlsx", "ren-kou"},
		{"", "", "🚀.csv", "main"},
		{"", "", "！？.csv", "main-2"},
		{"", "", "Air_Quality-v1.CSV", "air_quality-v1"},
		{"", "", "café.csv", "cafe"},
		{"", "", strings.Repeat("长", 40) + ".csv", strings.Repeat("zhang-", 10)[:59]},
		{"readings", "Sheet1", "x.xlsx", "readings"},
	} {
		got := names.take(test.stated, test.sheet, test.file)
		if got != test.want && !strings.HasPrefix(test.file, "长") || catalog.CheckTableName(got) != nil {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}

func TestCodeWords(t *testing.T) {
	for header, want := range map[string]bool{"行政区划代码": true, "设备编号": true, "邮编": true, "联系电话": true, "zip": true, "ZIP Code": true, "cityCode": true,
		"area_code": true, "ISO4217-currency_code": true, "encode": false, "decoder": false, "id": false, "序号": false, "数量": false, "zipper": false, "Codec": false} {
		if got := codeWord(header) != ""; got != want {
			t.Errorf("%s: %v", header, got)
		}
	}
}

func TestFindingsKeepAHundredOfACode(t *testing.T) {
	fs := &Findings{}
	for i := range 250 {
		f := found("error_cells", "", "")
		f.Row = int64(i + 1)
		fs.Add(f)
	}
	fs.Add(found("merged_cells", "", ""))
	list := fs.List()
	if len(list) != 101 || list[99].Count != 151 || list[99].Row != 100 || fs.Fatal() {
		t.Error(len(list), list[99])
	}
	if got := shorten(strings.Repeat("湖", 300) + "\xff"); got != strings.Repeat("湖", 200)+"…" {
		t.Error(got)
	}
	if got := shorten("a\xffb"); got != `a\xFFb` {
		t.Error(got)
	}
}
