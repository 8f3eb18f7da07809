package ingest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"taihu/catalog"
)

// sheetFile writes a workbook of one sheet: its rows from A1 on (nil: no cell) and
// the ranges that are merged.
func sheetFile(t testing.TB, rows [][]any, merged ...string) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range merged {
		from, to, _ := strings.Cut(m, ":")
		if err := f.MergeCell("Sheet1", from, to); err != nil {
			t.Fatal(err)
		}
	}
	path := t.TempDir() + "/book.xlsx"
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// shown writes the tables of a result, a line for each row, null as ∅.
func shown(t testing.TB, r Result) string {
	t.Helper()
	var b strings.Builder
	for i, x := range r.Tables {
		if i > 0 {
			b.WriteString("\n=\n")
		}
		b.WriteString(strings.Join(x.Table.Schema.Names(), "|"))
		for _, row := range cells(t, x.TextPath) {
			b.WriteString("\n" + strings.Join(row[1:], "|"))
		}
	}
	return b.String()
}

// TestHeaders reads headers of several rows: merged, with titles above, and in CSV.
func TestHeaders(t *testing.T) {
	for _, c := range []struct {
		name   string
		rows   [][]any
		merged string
		o      catalog.IngestOptions
		want   string
		codes  string // that there must be, with ! those that must not
	}{
		{"two levels", [][]any{{"地区", "预算", nil, "执行", nil}, {nil, "基本支出", "项目支出", "基本支出", "项目支出"}, {"滨湖区", 1, 2, 3, 4}}, "A1:A2 B1:C1 D1:E1", catalog.IngestOptions{},
			"地区|预算_基本支出|预算_项目支出|执行_基本支出|执行_项目支出\n滨湖区|1|2|3|4", "header_rows !merged_cells"},
		{"three levels under title and unit", [][]any{{"2021年预算执行情况"}, {nil, nil, nil, nil, "单位：万元"}, {"地区", "2021年"}, {nil, "预算", nil, "执行"}, {nil, "基本", "项目", "基本", "项目"}, {"滨湖区", 1, 2, 3, 4}},
			"A1:E1 A3:A5 B3:E3 B4:C4 D4:E4", catalog.IngestOptions{}, "地区|2021年_预算_基本|2021年_预算_项目|2021年_执行_基本|2021年_执行_项目\n滨湖区|1|2|3|4", "header_rows title_lines units_proposed"},
		{"years as parts", [][]any{{"指标", "产量", nil}, {nil, 2020, 2021}, {"粮食", 5, 6}}, "A1:A2 B1:C1", catalog.IngestOptions{}, "指标|产量_2020|产量_2021\n粮食|5|6", "header_rows"},
		{"merged without parts", [][]any{{"名称", "联系方式", nil}, {"甲", "电话", "0510"}, {"乙", "电话", "0511"}}, "B1:C1", catalog.IngestOptions{}, "名称|联系方式|联系方式_2\n甲|电话|0510\n乙|电话|0511", "!header_rows duplicate_header"},
		{"all columns parts, words below", [][]any{{"学校", nil, "医院", nil}, {"名称", "地址", "名称", "地址"}, {"一中", "湖滨路", "人民医院", "清扬路"}}, "A1:B1 C1:D1", catalog.IngestOptions{HeaderRows: 2},
			"学校_名称|学校_地址|医院_名称|医院_地址\n一中|湖滨路|人民医院|清扬路", "header_rows"},
		{"no merged cells", [][]any{{"地区", "预算", nil, "执行", nil}, {nil, "基本", "项目", "基本", "项目"}, {"滨湖区", 1, 2, 3, 4}, {"梁溪区", 5, 6, 7, 8}}, "", catalog.IngestOptions{},
			"地区|预算_基本|预算_项目|执行_基本|执行_项目\n滨湖区|1|2|3|4\n梁溪区|5|6|7|8", "header_rows"},
		{"names over names are data", [][]any{{"地区", "街道", "数量"}, {"滨湖区", "河埒", 3}, {"滨湖区", "荣巷", 4}}, "", catalog.IngestOptions{}, "地区|街道|数量\n滨湖区|河埒|3\n滨湖区|荣巷|4", "!header_rows"},
		{"a stated number of rows", [][]any{{"地区", "街道"}, {"district", "street"}, {"滨湖区", "河埒"}}, "", catalog.IngestOptions{HeaderRows: 2}, "地区_district|街道_street\n滨湖区|河埒", "header_rows"},
		{"one row is stated", [][]any{{"地区", "预算", nil}, {nil, "基本", "项目"}, {"滨湖区", 1, 2}}, "", catalog.IngestOptions{HeaderRows: 1}, "地区|预算|column_3\n∅|基本|项目\n滨湖区|1|2", "!header_rows"},
		{"stated place", [][]any{{"说明文字"}, {"另一行"}, {"地区", "预算", nil}, {nil, "基本", "项目"}, {"滨湖区", 1, 2}, {"梁溪区", 3, 4}}, "A3:A4 B3:C3", catalog.IngestOptions{HeaderRow: 3}, "地区|预算_基本|预算_项目\n滨湖区|1|2\n梁溪区|3|4", "header_rows"},
		{"an office is no unit", [][]any{{"单位：无锡市财政局"}, {"科目", "预算数"}, {"教育", 1}, {"卫生", 2}}, "", catalog.IngestOptions{}, "科目|预算数\n教育|1\n卫生|2", "title_lines !units_proposed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ingestFile(t, sheetFile(t, c.rows, strings.Fields(c.merged)...), "表.xlsx", c.o)
			if got := shown(t, r); got != c.want {
				t.Errorf("got\n%s\nwant\n%s\n%s", got, c.want, summary(r))
			}
			wantCodes(t, r, c.codes)
		})
	}
}

// wantCodes holds the codes of the findings to those named; ! before one forbids it.
func wantCodes(t testing.TB, r Result, codes string) {
	t.Helper()
	there := codesOf(r.Report.Findings)
	for code := range strings.FieldsSeq(codes) {
		if name, not := strings.CutPrefix(code, "!"); not == (there[name] > 0) {
			t.Errorf("%s: %s", code, summary(r))
		}
	}
}

// TestHeadersOfText: CSV files have the same shapes.
func TestHeadersOfText(t *testing.T) {
	for _, c := range []struct {
		content string
		o       catalog.IngestOptions
		want    string
		codes   string
	}{
		{"地区,预算,,执行,\n,基本,项目,基本,项目\n滨湖区,1,2,3,4\n梁溪区,5,6,7,8\n", catalog.IngestOptions{}, "地区|预算_基本|预算_项目|执行_基本|执行_项目\n滨湖区|1|2|3|4\n梁溪区|5|6|7|8", "header_rows"},
		{"财政预算,,,,\n单位：万元,,,,\n地区,预算,,执行,\n,基本,项目,基本,项目\n滨湖区,1,2,3,4\n梁溪区,5,6,7,8\n", catalog.IngestOptions{}, "地区|预算_基本|预算_项目|执行_基本|执行_项目\n滨湖区|1|2|3|4\n梁溪区|5|6|7|8", "header_rows title_lines units_proposed"},
		{"地区,street\ndistrict,街道\n滨湖区,河埒\n", catalog.IngestOptions{HeaderRows: 2}, "地区_district|street_街道\n滨湖区|河埒", "header_rows"},
		{"a,b\n1,2\n", catalog.IngestOptions{HeaderRows: 3}, "", "header_row_missing"},
		{"a,b\n1,2\n", catalog.IngestOptions{HeaderRows: 2, HeaderRow: -1}, "", "bad_option"},
	} {
		r := ingestBytes(t, "a.csv", []byte(c.content), c.o)
		if got := shown(t, r); got != c.want {
			t.Errorf("%q\n%s\nwant\n%s\n%s", c.content, got, c.want, summary(r))
		}
		wantCodes(t, r, c.codes)
	}
}

// TestUnits: the unit comes from the line above the table or from the header.
func TestUnits(t *testing.T) {
	r := ingestFile(t, sheetFile(t, [][]any{{"附件1"}, {"2021年企业收入"}, {nil, nil, "单位：万元"}, {"序号", "企业", "收入", "利润（亿元）", "增长率", "备注（元）"}, {1, "甲", 5, 6, 1.5, "无"}, {2, "乙", 7, 8, 2.5, "有"}}), "表.xlsx", catalog.IngestOptions{})
	if len(r.Tables) != 1 {
		t.Fatal(summary(r))
	}
	var units []string
	for _, f := range r.Tables[0].Table.Schema.Fields {
		units = append(units, f.Name+"="+f.Unit)
	}
	if got, want := strings.Join(units, " "), "序号= 企业= 收入=万元 利润（亿元）=亿元 增长率= 备注（元）="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if x := r.Tables[0].Table.Title.Zh; x != "2021年企业收入" {
		t.Errorf("title %q", x)
	}
	if f := r.Report.Tables[0]; f.Title != "2021年企业收入" || f.Unit != "万元" {
		t.Errorf("facts %+v", f)
	}
	if f := findingOf(r, "units_proposed"); f == nil || f.Value != "万元: 收入; 亿元: 利润（亿元）" || f.Count != 2 {
		t.Errorf("%+v", f)
	}
}
