package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
)

// TestTail: totals and notes below the data are left out and told; what recurs
// within, or is the data, stays.
func TestTail(t *testing.T) {
	for _, c := range []struct {
		name, content string
		o             catalog.IngestOptions
		want          string   // code of the refusal
		rows          int      // of data
		told          []string // code@row=text
	}{
		{"a total and notes", "地区,街道,数量\n滨湖区,河埒,3\n梁溪区,崇安,4\n合计,,7\n注：数据来源于年报,,\n", catalog.IngestOptions{}, "", 2, []string{"totals_left_out@4=合计 | 7", "notes_left_out@5=注：数据来源于年报"}},
		{"kept", "地区,街道,数量\n滨湖区,河埒,3\n合计,,3\n", catalog.IngestOptions{Totals: "keep"}, "", 2, nil},
		{"subtotals within stay", "地区,街道,数量\n滨湖区,河埒,3\n,小计,3\n梁溪区,崇安,4\n,小计,4\n总计,,7\n", catalog.IngestOptions{}, "", 4, []string{"totals_left_out@6=总计 | 7", "totals_within@3=小计 | 3"}},
		{"subtotals dropped", "地区,街道,数量\n滨湖区,河埒,3\n,小计,3\n梁溪区,崇安,4\n,小计,4\n总计,,7\n", catalog.IngestOptions{Totals: "drop"}, "", 2, []string{"totals_left_out@3=小计 | 3", "totals_left_out@5=小计 | 4", "totals_left_out@6=总计 | 7"}},
		{"named totals", "地区,数量\n滨湖区,3\n梁溪区,4\n全市合计：,7\n", catalog.IngestOptions{}, "", 2, []string{"totals_left_out@4=全市合计： | 7"}},
		{"spaced, with a unit", "地区,数量\n滨湖区,3\n梁溪区,4\n合　 计（万元）,7\n", catalog.IngestOptions{}, "", 2, []string{"totals_left_out@4=合　 计（万元） | 7"}},
		{"a category", "sex,class,n\nmale,Total,3\nmale,first,1\nfemale,first,2\nfemale,Total,4\n", catalog.IngestOptions{}, "", 4, []string{"totals_within@2=male | Total | 3"}},
		{"a glossary", "词,释义\n小计,部分之和\n合计,全部之和\n", catalog.IngestOptions{}, "", 2, nil},
		{"a word with 计", "项目,数量\n设计,3\n统计,4\n审计合计费用,5\n", catalog.IngestOptions{}, "", 3, nil},
		{"nothing but a total", "地区,数量\n合计,7\n", catalog.IngestOptions{}, "", 1, []string{"totals_within@2=合计 | 7"}},
		{"short lines below", "地区,街道,数量\n滨湖区,河埒,3\n梁溪区,崇安,4\n\n注：1. 截至年末。\n2. 不含外来人口。\n数据来源：统计局,2021\n制表：张三\n", catalog.IngestOptions{}, "", 2,
			[]string{"notes_left_out@5=注：1. 截至年末。", "notes_left_out@6=2. 不含外来人口。", "notes_left_out@7=数据来源：统计局 2021", "notes_left_out@8=制表：张三"}},
		{"short lines within", "地区,街道,数量\n滨湖区,河埒,3\n注：中间\n梁溪区,崇安,4\n", catalog.IngestOptions{}, "ragged_rows", 0, nil},
		{"a short line that is no note", "地区,街道,数量\n滨湖区,河埒,3\n梁溪区\n", catalog.IngestOptions{}, "ragged_rows", 0, nil},
		{"words below a total", "地区,街道,数量\n滨湖区,河埒,3\n总计,,3\n本表由系统导出,,\n", catalog.IngestOptions{}, "", 1, []string{"totals_left_out@3=总计 | 3", "notes_left_out@4=本表由系统导出"}},
		{"a last row of one word", "地区,街道,数量\n滨湖区,河埒,3\n梁溪区,,\n", catalog.IngestOptions{}, "", 2, nil},
		{"one column", "备注\n注：甲\n合计\n", catalog.IngestOptions{}, "", 2, nil},
		{"no such way", "a,b\n1,2\n", catalog.IngestOptions{Totals: "all"}, "bad_option", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ingestBytes(t, "a.csv", []byte(c.content), c.o)
			if c.want != "" {
				if f := r.Report.FirstError(); f == nil || f.Code != c.want {
					t.Errorf("%s", summary(r))
				}
				return
			}
			if len(r.Tables) != 1 || int(r.Tables[0].Table.Rows) != c.rows {
				t.Fatalf("want %d rows\n%s\n%s", c.rows, shown(t, r), summary(r))
			}
			var told []string
			for _, f := range r.Report.Findings {
				if strings.HasPrefix(f.Code, "totals_") || strings.HasPrefix(f.Code, "notes_") {
					told = append(told, fmt.Sprintf("%s@%d=%s", f.Code, f.Row, f.Value))
				}
			}
			if !slices.Equal(told, c.told) {
				t.Errorf("told %q, want %q", told, c.told)
			}
		})
	}
}

// TestTailOfManyRows: the end of a table may lie in several chunks, and the rows
// left out are those in the middle of none.
func TestTailOfManyRows(t *testing.T) {
	for _, rows := range []int{chunkRows - 2, chunkRows - 1, chunkRows, chunkRows + 1, 3*chunkRows - 1} {
		var b strings.Builder
		b.WriteString("地区,数量,说明\n")
		for i := range rows {
			fmt.Fprintf(&b, "地区%d,%d,\n", i, i)
		}
		b.WriteString("合计,9,\n,,\n备注：甲,,\n乙,,\n")
		r := ingestBytes(t, "a.csv", []byte(b.String()), catalog.IngestOptions{})
		if len(r.Tables) != 1 || int(r.Tables[0].Table.Rows) != rows || len(r.Report.Tables[0].Notes) != 2 {
			t.Fatalf("%d rows: %s", rows, summary(r))
		}
		got := cells(t, r.Tables[0].TextPath)
		for i, row := range got {
			if row[1] != fmt.Sprintf("地区%d", i) || row[2] != fmt.Sprint(i) {
				t.Fatalf("%d rows: row %d is %q", rows, i, row)
			}
		}
	}
}

// TestMergedCells of the data are filled downwards, or left empty.
func TestMergedCells(t *testing.T) {
	rows := [][]any{{"区县", "街道", "数量"}, {"滨湖区", "河埒", 1}, {nil, "荣巷", 2}, {nil, "蠡湖", 3}, {"梁溪区", "崇安", 4}, {nil, "通江", 5}, {"合计", nil, 15}}
	path := sheetFile(t, rows, "A2:A4", "A5:A6", "A7:B7")
	r := ingestFile(t, path, "表.xlsx", catalog.IngestOptions{})
	if got, want := shown(t, r), "区县|街道|数量\n滨湖区|河埒|1\n滨湖区|荣巷|2\n滨湖区|蠡湖|3\n梁溪区|崇安|4\n梁溪区|通江|5"; got != want {
		t.Errorf("got\n%s\n%s", got, summary(r))
	}
	if f := findingOf(r, "merged_filled"); f == nil || f.Count != 3 || f.Row != 2 || f.Value != "A2:A4" {
		t.Errorf("%+v", f)
	}
	r = ingestFile(t, path, "表.xlsx", catalog.IngestOptions{Merged: "empty"})
	if got := shown(t, r); !strings.Contains(got, "\n∅|荣巷|2\n") {
		t.Errorf("got\n%s", got)
	}
	wantCodes(t, r, "merged_cells !merged_filled")
	// In a sheet too large to be held: the merged cells are known before its rows.
	rows = [][]any{{"区县", "编号"}}
	for i := range smallRows + 100 {
		rows = append(rows, []any{nil, i})
		if i%3 == 0 {
			rows[i+1][0] = fmt.Sprintf("区%d", i/3)
		}
	}
	var merged []string
	for i := 0; i+3 <= smallRows+100; i += 3 {
		merged = append(merged, fmt.Sprintf("A%d:A%d", i+2, i+4))
	}
	r = ingestFile(t, sheetFile(t, rows, merged...), "表.xlsx", catalog.IngestOptions{})
	for i, row := range cells(t, r.Tables[0].TextPath) {
		if want := fmt.Sprintf("区%d", i/3); row[1] != want {
			t.Fatalf("row %d is %q, want %s", i, row, want)
		}
	}
}

// TestSeveralTables of one sheet are told apart where that is certain.
func TestSeveralTables(t *testing.T) {
	for _, c := range []struct {
		name   string
		rows   [][]any
		merged string
		o      catalog.IngestOptions
		want   string
		codes  string
	}{
		{"one below the other", [][]any{{"区县", "数量"}, {"滨湖区", 1}, nil, {"行业", "企业", "收入"}, {"制造", 3, 4.5}, {"建筑", 5, 6.5}}, "", catalog.IngestOptions{},
			"区县|数量\n滨湖区|1\n=\n行业|企业|收入\n制造|3|4.5\n建筑|5|6.5", "tables_divided"},
		{"with titles and a note", [][]any{{"一、分区"}, {"区县", "数量"}, {"滨湖区", 1}, {"梁溪区", 2}, nil, {"注：年末数"}, nil, {"二、分行业"}, {"区县", "数量"}, {"制造", 3}}, "A1:B1", catalog.IngestOptions{},
			"区县|数量\n滨湖区|1\n梁溪区|2\n=\n区县|数量\n制造|3", "tables_divided title_lines notes_left_out"},
		{"beside each other", [][]any{{"区县", "数量", nil, "行业", "数量"}, {"滨湖区", 1, nil, "制造", 3}, {"梁溪区", 2}}, "", catalog.IngestOptions{},
			"区县|数量\n滨湖区|1\n梁溪区|2\n=\n行业|数量\n制造|3", "tables_divided"},
		{"an empty column within", [][]any{{"区县", "数量", nil, "面积", "人口"}, {"滨湖区", 1, nil, 5, 3}, {"梁溪区", 2, nil, 6, 4}}, "", catalog.IngestOptions{},
			"区县|数量|column_3|面积|人口\n滨湖区|1|∅|5|3\n梁溪区|2|∅|6|4", "!tables_divided several_tables"},
		{"a gap within", [][]any{{"区县", "数量"}, {"滨湖区", 1}, nil, {"梁溪区", 2}, {"新吴区", 3}}, "", catalog.IngestOptions{}, "区县|数量\n滨湖区|1\n∅|∅\n梁溪区|2\n新吴区|3", "!tables_divided !several_tables empty_rows"},
		{"words alone", [][]any{{"姓名", "单位"}, {"甲", "一中"}, nil, {"职务", "部门", "电话"}, {"主任", "办公室", "无"}}, "", catalog.IngestOptions{}, "姓名|单位|column_3\n甲|一中|∅\n∅|∅|∅\n职务|部门|电话\n主任|办公室|无", "several_tables !tables_divided"},
		{"the header is stated", [][]any{{"区县", "数量"}, {"滨湖区", 1}, nil, {"行业", "企业"}, {"制造", 3}}, "", catalog.IngestOptions{HeaderRow: 1}, "区县|数量\n滨湖区|1\n∅|∅\n行业|企业\n制造|3", "!tables_divided"},
		{"totals before a gap", [][]any{{"区县", "数量"}, {"滨湖区", 1}, {"合计", 1}, nil, {"备注：年末数"}}, "", catalog.IngestOptions{}, "区县|数量\n滨湖区|1", "totals_left_out notes_left_out !tables_divided"},
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
