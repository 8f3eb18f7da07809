package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"taihu/catalog"
)

// The pitfalls of design/wuxi.md §3.5, one test each and by their numbers. Three of
// them are not about reading: 2, CSV for Excel, is TestShapedDownloads (cmd/taihu);
// 16, formulas in exports, TestStartsFormula and TestXLSXTextIsNeverAFormula
// (api/export); 17, part-words in the search, indextest, which both engines pass.

// pitfallFields lists name, type and unit of the columns of the first table.
func pitfallFields(t testing.TB, r Result) string {
	t.Helper()
	if len(r.Tables) == 0 {
		t.Fatal(summary(r))
	}
	var list []string
	for _, f := range r.Tables[0].Table.Schema.Fields {
		list = append(list, strings.TrimRight(f.Name+" "+string(f.Type)+" "+f.Unit, " "))
	}
	return strings.Join(list, ", ")
}

func want(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant\n%s", what, got, want)
	}
}

func TestPitfall01Encodings(t *testing.T) {
	text := "名称,数量\n" + strings.Repeat("无锡市滨湖区蠡湖街道,1\n", 20)
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	le, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for encoding, content := range map[string]string{"utf-8": text, "utf-8 with a mark": "\xef\xbb\xbf" + text, "gb18030": gb, "utf-16le": le} {
		r := ingestBytes(t, "a.csv", []byte(content), catalog.IngestOptions{})
		want(t, encoding, shown(t, r), strings.TrimSuffix(strings.ReplaceAll(text, ",", "|"), "\n"))
		if name, _, _ := strings.Cut(encoding, " "); r.Report.Encoding != name {
			t.Errorf("%s was read as %s", encoding, r.Report.Encoding)
		}
	}
}

func TestPitfall03TitlesUnitsAndLevels(t *testing.T) {
	r := ingestFile(t, sheetFile(t, [][]any{{"无锡市财政预算执行情况"}, {nil, nil, nil, nil, "单位：万元"}, {"科目", "预算", nil, "执行", nil}, {nil, "基本支出", "项目支出", "基本支出", "项目支出"}, {"教育", 1.5, 2, 3, 4}, {"卫生", 5, 6, 7, 8}},
		"A1:E1", "A3:A4", "B3:C3", "D3:E3"), "预算.xlsx", catalog.IngestOptions{})
	want(t, "fields", pitfallFields(t, r), "科目 text, 预算_基本支出 number 万元, 预算_项目支出 integer 万元, 执行_基本支出 integer 万元, 执行_项目支出 integer 万元")
	want(t, "title", r.Tables[0].Table.Title.Zh, "无锡市财政预算执行情况")
	wantCodes(t, r, "title_lines header_rows units_proposed !merged_cells")
}

func TestPitfall04MergedBody(t *testing.T) {
	r := ingestFile(t, sheetFile(t, [][]any{{"区县", "街道"}, {"滨湖区", "河埒"}, {nil, "荣巷"}, {"梁溪区", "崇安"}, {nil, "通江"}}, "A2:A3", "A4:A5"), "街道.xlsx", catalog.IngestOptions{})
	want(t, "rows", shown(t, r), "区县|街道\n滨湖区|河埒\n滨湖区|荣巷\n梁溪区|崇安\n梁溪区|通江")
	wantCodes(t, r, "merged_filled")
}

func TestPitfall05TotalsAndNotes(t *testing.T) {
	rows := [][]any{{"区县", "泊位数"}, {"滨湖区", 120}, {"梁溪区", 417}, {"合计", 537}, {"备注：截至2021年末"}}
	for name, r := range map[string]Result{"XLSX": ingestFile(t, sheetFile(t, rows, "A5:B5"), "a.xlsx", catalog.IngestOptions{}),
		"CSV": ingestBytes(t, "a.csv", []byte("区县,泊位数\n滨湖区,120\n梁溪区,417\n合计,537\n备注：截至2021年末\n"), catalog.IngestOptions{})} {
		want(t, name, shown(t, r), "区县|泊位数\n滨湖区|120\n梁溪区|417")
		total, note := findingOf(r, "totals_left_out"), findingOf(r, "notes_left_out")
		if total == nil || total.Row != 4 || total.Value != "合计 | 537" || note == nil || note.Row != 5 || !slices.Equal(r.Report.Tables[0].Notes, []string{"备注：截至2021年末"}) {
			t.Errorf("%s: %s", name, summary(r))
		}
	}
}

func TestPitfall06Codes(t *testing.T) {
	r := ingestBytes(t, "a.csv", []byte("区划代码,区号,信用代码,数量\n320205,0510,913202001234567890,7\n320206,0510,913202001234567891,8\n"), catalog.IngestOptions{})
	want(t, "fields", pitfallFields(t, r), "区划代码 text, 区号 text, 信用代码 text, 数量 integer")
	want(t, "rows", shown(t, r), "区划代码|区号|信用代码|数量\n320205|0510|913202001234567890|7\n320206|0510|913202001234567891|8")
	r = ingestFile(t, oneSheet(`<row r="1">`+text("A1", "证件编号")+`</row><row r="2"><c r="A2"><v>3.20205199001011E+17</v></c></row>`).write(t), "a.xlsx", catalog.IngestOptions{})
	wantCodes(t, r, "digits_lost")
}

func TestPitfall07Width(t *testing.T) {
	r := ingestBytes(t, "a.csv", []byte("楼,数量\nＡ座　,１２３\nB座\u00a0,４５\n"), catalog.IngestOptions{})
	want(t, "kept as it is", shown(t, r), "楼|数量\nＡ座　|１２３\nB座\u00a0|４５")
	wantCodes(t, r, "full_width_digits")
	r = ingestBytes(t, "a.csv", []byte("楼,数量\nＡ座,１２３\nB座,４５\u200b\n"), catalog.IngestOptions{Types: map[string]catalog.Type{"数量": catalog.Integer}})
	want(t, "as the type chosen", fmt.Sprint(typedRows(t, r.Tables[0])), "[[Ａ座 123] [B座 45]]")
}

func TestPitfall08Dates(t *testing.T) {
	r := ingestBytes(t, "a.csv", []byte("成立日期,登记日期,注销日期,月份,季度,核准日期\n2021年12月8日,2021.12.8,20211208,2021-12,2021年四季度,44538\n2022年1月9日,2022.1.9,20220109,2022-01,2022年一季度,44570\n"), catalog.IngestOptions{})
	want(t, "fields", pitfallFields(t, r), "成立日期 date, 登记日期 date, 注销日期 integer, 月份 text, 季度 text, 核准日期 integer")
	want(t, "dates", fmt.Sprint(typedRows(t, r.Tables[0])[0][:2]), "[2021-12-08 2021-12-08]")
	wantCodes(t, r, "compact_dates partial_dates serial_dates")
	book := oneSheet(`<row r="1">` + text("A1", "日期") + `</row><row r="2"><c r="A2" s="1"><v>44538</v></c></row>`)
	book.formats = []string{"yyyy-mm-dd"}
	want(t, "a serial number", shown(t, ingestFile(t, book.write(t), "a.xlsx", catalog.IngestOptions{})), "日期\n2021-12-08")
	book.pr = `date1904="1"`
	want(t, "from 1904 on", shown(t, ingestFile(t, book.write(t), "a.xlsx", catalog.IngestOptions{})), "日期\n2025-12-09")
}

func TestPitfall09UnitsAndWords(t *testing.T) {
	r := ingestBytes(t, "a.csv", []byte("企业,收入（万元）,占比,产值,人口,年龄段,数量,面积\n甲,\"1,234\",30%,12.5万,22万多,10-20,5,5亩\n乙,\"5,678\",12%,3万,约5万,20-30,暂无,6亩\n丙,\"9,012\",58%,2亿,7,30-40,…,7亩\n"), catalog.IngestOptions{})
	want(t, "fields", pitfallFields(t, r), "企业 text, 收入（万元） text, 占比 text, 产值 text, 人口 text, 年龄段 text, 数量 text, 面积 text")
	wantCodes(t, r, "thousands_separators percent_signs units_in_cells approximate_values ranges_in_cells null_words_suggested")
	if f := findingOf(r, "null_words_suggested"); f == nil || f.Value != "… ×1, 暂无 ×1" {
		t.Errorf("%+v", f)
	}
	r = ingestBytes(t, "a.csv", []byte("企业,收入（万元）,占比,产值\n甲,\"1,234\",30%,12.5万\n乙,-,NULL,3万\n"), catalog.IngestOptions{Types: map[string]catalog.Type{"收入（万元）": catalog.Integer, "占比": catalog.Number, "产值": catalog.Integer}})
	want(t, "chosen", fmt.Sprint(typedRows(t, r.Tables[0])), "[[甲 1234 0.3 125000] [乙 ∅ ∅ 30000]]")
	want(t, "unit", pitfallFields(t, r), "企业 text, 收入（万元） integer 万元, 占比 number, 产值 integer")
}

func TestPitfall10Divisions(t *testing.T) {
	r := ingestBytes(t, "a.csv", []byte("区划,板块,数量\n320205,锡山区,1\n320206,惠山区,2\n320211,滨湖区,3\n320213,梁溪区,4\n320214,新吴区,5\n320281,江阴市,6\n320282,宜兴市,7\n,经开区,8\n"), catalog.IngestOptions{})
	want(t, "fields", pitfallFields(t, r), "区划 text, 板块 text, 数量 integer")
}

func TestPitfall11Coordinates(t *testing.T) {
	wantCodes(t, ingestBytes(t, "a.csv", []byte("名称,经度,纬度\na,31.49,120.31\n"), catalog.IngestOptions{}), "coordinates_swapped")
	wantCodes(t, ingestBytes(t, "a.csv", []byte("名称,经度,纬度\na,40512345.6,3491234.5\n"), catalog.IngestOptions{}), "coordinates_out_of_range")
	wantCodes(t, ingestBytes(t, "a.csv", []byte("名称,经度,纬度\na,120°18′36″,31°29′24″\n"), catalog.IngestOptions{}), "degrees_minutes")
}

func TestPitfall12Zones(t *testing.T) {
	r := ingestBytes(t, "a.csv", []byte("时间,数量\n2021-12-08 08:30,1\n"), catalog.IngestOptions{})
	wantCodes(t, r, "assumed_zone")
	want(t, "zone", r.Tables[0].Table.Schema.Fields[0].Zone, "+08:00")
}

func TestPitfall13Initials(t *testing.T) {
	r := ingestBytes(t, "a.csv", []byte("BJQSBMMC,BJBH,SJ\n无锡市城管局,7,2021-12-08\n"), catalog.IngestOptions{})
	want(t, "fields", pitfallFields(t, r), "BJQSBMMC text, BJBH integer, SJ date")
	wantCodes(t, r, "initials_as_headers")
}

func TestPitfall14OtherFiles(t *testing.T) {
	ole := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 4096)...)
	for name, c := range map[string]struct {
		content []byte
		code    string
	}{
		"a.xls":  {ole, "office_missing"}, // with LibreOffice: TestOffice
		"b.xls":  {[]byte("<html><table><tr><td>1</td></tr></table></html>"), "wrong_extension"},
		"c.xlsx": {ole, "wrong_extension"},
	} {
		r := ingestBytes(t, name, c.content, catalog.IngestOptions{})
		if f := r.Report.FirstError(); f == nil || f.Code != c.code || !strings.Contains(f.Hint.Zh, "另存为") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	book := rawBook{sheets: []rawSheet{{name: "一", data: `<row r="1">` + text("A1", "甲") + `</row><row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>`}, {name: "二", data: `<row r="1">` + text("A1", "乙") + text("B1", "丁") + `</row><row r="2"><c r="A2"><f>1+1</f></c><c r="B2"><v>1</v></c></row>`}, {name: "密", state: "hidden", data: `<row r="1">` + text("A1", "丙") + `</row>`}}}
	r := ingestFile(t, book.write(t), "a.xlsx", catalog.IngestOptions{})
	want(t, "sheets", shown(t, r), "甲\n2\n=\n乙|丁\n∅|1")
	wantCodes(t, r, "hidden_sheet formula_without_value")
	if r := ingestFile(t, oneSheet(`<row r="1048577"/>`).write(t), "a.xlsx", catalog.IngestOptions{}); r.Report.FirstError() == nil || r.Report.FirstError().Code != "malformed_xlsx" {
		t.Error(summary(r))
	}
}

func TestPitfall15RareCharacters(t *testing.T) {
	content := "姓氏,字\n㛃,𣲗\n\ue815,龦\n"
	r := ingestBytes(t, "a.csv", []byte(content), catalog.IngestOptions{})
	want(t, "UTF-8", shown(t, r), "姓氏|字\n㛃|𣲗\n\ue815|龦")
	gb, err := simplifiedchinese.GB18030.NewEncoder().String("名称,字\n" + strings.Repeat("无锡市滨湖区,湖\n", 50) + "无锡,㛃𣲗\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := shown(t, ingestBytes(t, "a.csv", []byte(gb), catalog.IngestOptions{})); !strings.HasSuffix(got, "无锡|㛃𣲗") {
		t.Errorf("GB 18030: %s", got)
	}
}
