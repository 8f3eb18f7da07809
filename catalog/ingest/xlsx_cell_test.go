package ingest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"taihu/catalog"
)

// TestXLSXCells reads one cell of each kind below a header.
func TestXLSXCells(t *testing.T) {
	formats := []string{"yyyy-mm-dd", `yyyy"年"m"月"d"日"`, "h:mm:ss", "[h]:mm", "yyyy/m/d h:mm", `[$-804]aaaa;@`, `0.00E+00`, `#,##0.00"元";[Red]-#,##0.00`, "m月d日", `上午/下午h"时"mm"分"`, `"day "0`, "mm:ss.0", "General"}
	tests := []struct{ name, cell, want string }{
		{"whole number", `<c r="A2"><v>42</v></c>`, "42"},
		{"whole number with a point", `<c r="A2"><v>42.0</v></c>`, "42"},
		{"exponent", `<c r="A2"><v>1E5</v></c>`, "100000"},
		{"negative zero", `<c r="A2"><v>-0</v></c>`, "0"},
		{"seventeen digits", `<c r="A2"><v>0.10000000000000001</v></c>`, "0.1"},
		{"sum of doubles", `<c r="A2"><v>0.30000000000000004</v></c>`, "0.30000000000000004"},
		{"small", `<c r="A2"><v>0.0000001</v></c>`, "1e-7"},
		{"large", `<c r="A2"><v>1E+21</v></c>`, "1e+21"},
		{"sixteen digits", `<c r="A2"><v>1234567890123456</v></c>`, "1234567890123456"},
		{"leading zeros", `<c r="A2"><v>007</v></c>`, "7"},
		{"trailing zeros", `<c r="A2"><v>1.50</v></c>`, "1.5"},
		{"spaces", `<c r="A2"><v> 5 </v></c>`, "5"},
		{"no value", `<c r="A2"/>`, "∅"},
		{"empty value", `<c r="A2"><v></v></c>`, "∅"},
		{"shared string", `<c r="A2" t="s"><v>1</v></c>`, "滨湖区"},
		{"rich text without its reading", `<c r="A2" t="s"><v>2</v></c>`, "北京市"},
		{"shared empty text", `<c r="A2" t="s"><v>3</v></c>`, ""},
		{"inline text", `<c r="A2" t="inlineStr"><is><t xml:space="preserve"> a &amp; b </t></is></c>`, " a & b "},
		{"inline text in one step", `<c r="A2" t="inlineStr"><is><t>a_x000D_b_x005F_c_xD83D__xDE00_</t></is></c>`, "a\rb_c😀"},
		{"escape of half a pair", `<c r="A2" t="inlineStr"><is><t>_xD83D_ _x0000_ _x00</t></is></c>`, "_xD83D_ _x0000_ _x00"},
		{"inline runs", `<c r="A2" t="inlineStr"><is><r><rPr><b/></rPr><t>a</t></r><r><t>b</t></r></is></c>`, "ab"},
		{"inline empty", `<c r="A2" t="inlineStr"><is><t></t></is></c>`, ""},
		{"CDATA", `<c r="A2" t="inlineStr"><is><t><![CDATA[<&>]]></t></is></c>`, "<&>"},
		{"references", `<c r="A2" t="str"><v>&lt;&#65;&#x4e2d;&gt;</v></c>`, "<A中>"},
		{"formula text", `<c r="A2" t="str"><f>A1</f><v>x</v></c>`, "x"},
		{"formula number", `<c r="A2"><f>1+1</f><v>2</v></c>`, "2"},
		{"text of digits", `<c r="A2" t="inlineStr"><is><t>00123</t></is></c>`, "00123"},
		{"true", `<c r="A2" t="b"><v>1</v></c>`, "true"},
		{"false", `<c r="A2" t="b"><v>0</v></c>`, "false"},
		{"error", `<c r="A2" t="e"><v>#N/A</v></c>`, "#N/A"},
		{"ISO date", `<c r="A2" t="d"><v>2024-02-29T12:00:00</v></c>`, "2024-02-29T12:00:00"},
		{"date", `<c r="A2" s="1"><v>45351</v></c>`, "2024-02-29"},
		{"Chinese date", `<c r="A2" s="2"><v>45351</v></c>`, "2024-02-29"},
		{"date with a time of day", `<c r="A2" s="1"><v>45351.5</v></c>`, "2024-02-29T12:00:00"},
		{"time", `<c r="A2" s="3"><v>0.75</v></c>`, "18:00:00"},
		{"time to the millisecond", `<c r="A2" s="12"><v>0.00001157407</v></c>`, "00:00:01"},
		{"end of a day", `<c r="A2" s="5"><v>4018.99999998843</v></c>`, "1910-12-31T23:59:59.999"},
		{"elapsed beyond a day", `<c r="A2" s="4"><v>1.5</v></c>`, "36:00:00"},
		{"elapsed within a day", `<c r="A2" s="4"><v>0.5</v></c>`, "12:00:00"},
		{"datetime", `<c r="A2" s="5"><v>45351.25</v></c>`, "2024-02-29T06:00:00"},
		{"datetime at midnight", `<c r="A2" s="5"><v>45351</v></c>`, "2024-02-29T00:00:00"},
		{"day of the week", `<c r="A2" s="6"><v>45351</v></c>`, "2024-02-29"},
		{"scientific", `<c r="A2" s="7"><v>45351</v></c>`, "45351"},
		{"money", `<c r="A2" s="8"><v>12.5</v></c>`, "12.5"},
		{"month and day", `<c r="A2" s="9"><v>45351</v></c>`, "2024-02-29"},
		{"Chinese half days", `<c r="A2" s="10"><v>0.5</v></c>`, "12:00:00"},
		{"quoted letters", `<c r="A2" s="11"><v>3</v></c>`, "3"},
		{"General", `<c r="A2" s="13"><v>45351</v></c>`, "45351"},
		{"1 March 1900", `<c r="A2" s="1"><v>61</v></c>`, "1900-03-01"},
		{"28 February 1900", `<c r="A2" s="1"><v>59</v></c>`, "1900-02-28"},
		{"the day that never was", `<c r="A2" s="1"><v>60</v></c>`, "60"},
		{"before the calendar", `<c r="A2" s="1"><v>-1.5</v></c>`, "-1.5"},
		{"after the calendar", `<c r="A2" s="1"><v>2958466</v></c>`, "2958466"},
		{"last day", `<c r="A2" s="1"><v>2958465</v></c>`, "9999-12-31"},
		{"no reference", `<c><v>9</v></c>`, "9"},
		{"prefixes", `<c r="A2" t="n"><x:v xmlns:x="y">8</x:v></c>`, "8"},
		{"comment inside", `<c r="A2"><!-- <v>7</v> --><v>6</v></c>`, "6"},
		{"extension", `<c r="A2"><v>5</v><extLst><ext><v>4</v></ext></extLst></c>`, "5"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := oneSheet(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>0</v></c></row><row r="2">` + test.cell + `<c r="B2"><v>1</v></c></row>`)
			b.formats = formats
			b.strings = `<si><t>h</t></si><si><t>滨湖区</t></si><si><r><t>北京</t></r><r><t>市</t></r><rPh sb="0" eb="2"><t>ペキン</t></rPh><phoneticPr fontId="1"/></si><si><t/></si>`
			tables, _, err := readFile(t, b.write(t), "book.xlsx", catalog.IngestOptions{}, openXLSX)
			if err != nil {
				t.Fatal(err)
			}
			if want := "h|h\n" + test.want + "|1"; tables[0].text() != want {
				t.Errorf("got %q, want %q", tables[0].text(), want)
			}
		})
	}
}

func TestXLSX1904(t *testing.T) {
	b := oneSheet(`<row r="1"><c r="A1" t="inlineStr"><is><t>d</t></is></c></row><row r="2"><c r="A2" s="1"><v>0</v></c></row><row r="3"><c r="A3" s="1"><v>60</v></c></row><row r="4"><c r="A4" s="1"><v>43889</v></c></row>`)
	b.formats, b.pr = []string{"yyyy-mm-dd"}, `date1904="1"`
	tables, _, err := readFile(t, b.write(t), "book.xlsx", catalog.IngestOptions{}, openXLSX)
	if err != nil {
		t.Fatal(err)
	}
	if want := "d\n1904-01-01\n1904-03-01\n2024-02-29"; tables[0].text() != want {
		t.Errorf("got %q, want %q", tables[0].text(), want)
	}
}

func text(cell, s string) string {
	return `<c r="` + cell + `" t="inlineStr"><is><t>` + s + `</t></is></c>`
}

// TestXLSXShape is about where tables begin and end.
func TestXLSXShape(t *testing.T) {
	table := `<row r="5">` + text("B5", "甲") + text("C5", "乙") + text("D5", "丙") + `</row><row r="6"><c r="B6"><v>1</v></c><c r="D6"><v>2</v></c></row>`
	tests := []struct {
		name    string
		book    rawBook
		options catalog.IngestOptions
		want    string // the tables, separated by a line of =
		codes   string
	}{
		{"blank rows and columns around", oneSheet(table + `<row r="7"><c r="E7" s="0"/></row>`), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2", ""},
		{"blank rows between", oneSheet(table + `<row r="9"><c r="C9"><v>3</v></c></row>`), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2\n∅|∅|∅\n∅|∅|∅\n∅|3|∅", ""},
		{"title above", oneSheet(`<row r="1">` + text("B1", "无锡市统计表") + `</row>` + table), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2", "title_lines"},
		{"stated header", oneSheet(`<row r="1">` + text("B1", "无锡市统计表") + `</row>` + table), catalog.IngestOptions{HeaderRow: 1}, "无锡市统计表||\n∅|∅|∅\n∅|∅|∅\n∅|∅|∅\n甲|乙|丙\n1|∅|2", ""},
		{"stated blank header", oneSheet(table), catalog.IngestOptions{HeaderRow: 4}, "||\n甲|乙|丙\n1|∅|2", ""},
		{"stated no header", oneSheet(table), catalog.IngestOptions{HeaderRow: -1}, "||\n甲|乙|丙\n1|∅|2", ""},
		{"no text in the first row", oneSheet(`<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>`), catalog.IngestOptions{}, "\n1\n2", "no_header"},
		{"header only", oneSheet(`<row r="1">` + text("A1", "甲") + `</row>`), catalog.IngestOptions{}, "甲", ""},
		{"formulas filled down", oneSheet(table + `<row r="7"><c r="B7" t="str"><f>1</f><v></v></c></row>`), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2", ""},
		{"empty text kept within", oneSheet(table + `<row r="7"><c r="B7" t="str"><f>1</f><v></v></c></row><row r="8">` + text("C8", "") + `</row>`), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2\n|∅|∅\n∅||∅", ""},
		{"formula without value", oneSheet(table + `<row r="7"><c r="B7"><f>1</f></c><c r="C7"><v>1</v></c></row>`), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2\n∅|1|∅", "formula_without_value"},
		{"error cell", oneSheet(table + `<row r="7"><c r="B7" t="e"><v>#DIV/0!</v></c></row>`), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2\n#DIV/0!|∅|∅", "error_cells"},
		{"no date", func() rawBook {
			b := oneSheet(table + `<row r="7"><c r="B7" s="1"><v>-3</v></c></row>`)
			b.formats = []string{"d/m/yy"}
			return b
		}(), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2\n-3|∅|∅", "date_out_of_range"},
		{"more digits than a spreadsheet keeps", oneSheet(table + `<row r="7"><c r="B7"><v>3.20205199001011E+17</v></c><c r="C7"><v>999999999999999</v></c></row>`), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2\n320205199001011000|999999999999999|∅", "digits_lost"},
		{"a measure of many digits", oneSheet(table + `<row r="7"><c r="B7"><v>1E+21</v></c><c r="C7"><v>0.12345678901234566</v></c></row>`), catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2\n1e+21|0.12345678901234566|∅", ""},
		{"rows without numbers", oneSheet(`<row>` + `<c t="inlineStr"><is><t>a</t></is></c></row><row><c><v>1</v></c></row>`), catalog.IngestOptions{}, "a\n1", ""},
		{"several sheets", rawBook{sheets: []rawSheet{{name: "一", data: table}, {name: "空"}, {name: "二", data: table}}}, catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2\n=\n甲|乙|丙\n1|∅|2", "empty_sheet"},
		{"hidden sheet", rawBook{sheets: []rawSheet{{name: "一", data: table}, {name: "密", data: table, state: "veryHidden"}}}, catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2", "hidden_sheet"},
		{"hidden sheet asked for", rawBook{sheets: []rawSheet{{name: "一", data: table}, {name: "密", data: `<row r="1">` + text("A1", "x") + `</row>`, state: "hidden"}}}, catalog.IngestOptions{Sheet: "密"}, "x", "hidden_sheet unread_sheet"},
		{"chosen sheet", rawBook{sheets: []rawSheet{{name: "一", data: table}, {name: "二", data: `<row r="1">` + text("A1", "x") + `</row>`}}}, catalog.IngestOptions{Sheet: "二"}, "x", "unread_sheet"},
		{"hidden rows and columns", rawBook{sheets: []rawSheet{{name: "一", before: `<cols><col min="3" max="3" hidden="1"/><col min="9" max="16384" hidden="1"/></cols>`, data: strings.Replace(table, `<row r="6"`, `<row r="6" hidden="1"`, 1)}}}, catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2", "hidden_columns hidden_rows"},
		{"merged cells", rawBook{sheets: []rawSheet{{name: "一", data: table, after: `<mergeCells count="1"><mergeCell ref="B5:C5"/></mergeCells>`}}}, catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2", ""},
		{"macros and links", rawBook{sheets: []rawSheet{{name: "一", data: table}}, parts: map[string]string{"xl/vbaProject.bin": "x", "xl/externalLinks/externalLink1.xml": "<a/>"}}, catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2", "hidden_content"},
		{"a part in UTF-16", rawBook{sheets: []rawSheet{{name: "一", data: "x"}}, parts: map[string]string{"xl/worksheets/sheet1.xml": utf16Part(`<worksheet><sheetData>` + table + `</sheetData></worksheet>`)}}, catalog.IngestOptions{}, "甲|乙|丙\n1|∅|2", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tables, findings, err := readFile(t, test.book.write(t), "book.xlsx", test.options, openXLSX)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range tables {
				got = append(got, tables[i].text())
			}
			if g := strings.Join(got, "\n=\n"); g != test.want {
				t.Errorf("got\n%s\nwant\n%s", g, test.want)
			}
			if g := strings.Join(slices.Sorted(maps.Keys(codesOf(findings))), " "); g != test.codes {
				t.Errorf("findings %q, want %q", g, test.codes)
			}
		})
	}
}

func utf16Part(s string) string { return "\xff\xfe" + string(utf16Bytes(s)) }

// TestXLSXLong crosses chunks, gaps, the header's look-ahead and pending rows,
// with a stated range, without one, and with one that is wrong.
func TestXLSXLong(t *testing.T) {
	var data strings.Builder
	data.WriteString(`<row r="1">` + text("A1", "n") + text("B1", "s") + `</row>`)
	want := []string{"n|s"}
	for r := 2; r <= 30_000; r++ {
		switch {
		case r%1000 == 7: // a gap
			want = append(want, "∅|∅")
		case r%1000 == 8: // only a filled-down formula
			fmt.Fprintf(&data, `<row r="%d"><c r="B%d" t="str"><f>x</f><v></v></c></row>`, r, r)
			want = append(want, "∅|")
		default:
			fmt.Fprintf(&data, `<row r="%d"><c r="A%d"><v>%d</v></c>%s</row>`, r, r, r, text(fmt.Sprintf("B%d", r), "值"))
			want = append(want, fmt.Sprintf("%d|值", r))
		}
	}
	for r := 30_001; r <= 130_100; r++ { // more than are kept
		fmt.Fprintf(&data, `<row r="%d"><c r="B%d" t="str"><f>x</f><v></v></c></row>`, r, r)
	}
	for _, before := range []string{"", `<dimension ref="A1:B130100"/>`, `<dimension ref="A1"/>`} {
		b := rawBook{sheets: []rawSheet{{name: "Sheet1", data: data.String(), before: before}}}
		tables, _, err := readFile(t, b.write(t), "book.xlsx", catalog.IngestOptions{}, openXLSX)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(tables[0].text(), "\n"); !slices.Equal(got, want) {
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("%q row %d: %q, want %q", before, i, got[i], want[i])
				}
			}
			t.Fatalf("%q: %d rows, want %d", before, len(got), len(want))
		}
		for i, at := range tables[0].At {
			if at != int64(i+2) {
				t.Fatalf("row %d is numbered %d", i, at)
			}
		}
	}
}

// TestXLSXStrings spills a large string table and reads it back.
func TestXLSXStrings(t *testing.T) {
	s := &sharedStrings{dir: t.TempDir()}
	big := strings.Repeat("太湖", 1<<18) // 1.5 MiB
	const n = 70
	for i := range n {
		if err := s.add([]byte(strconv.Itoa(i) + big)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	if s.spill == nil {
		t.Fatal("nothing was spilled")
	}
	for _, i := range []int{0, 1, n - 1, n - 2, 40} {
		got, ok, err := s.get(i)
		if err != nil || !ok || string(got) != strconv.Itoa(i)+big {
			t.Fatalf("string %d: %v %v, %d bytes", i, ok, err, len(got))
		}
	}
	if _, ok, _ := s.get(n); ok {
		t.Error("there is a string too many")
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(s.dir); len(left) > 0 {
		t.Errorf("%s was left behind", left[0].Name())
	}
}

// TestShortestNumber holds the quick check to the slow way.
func TestShortestNumber(t *testing.T) {
	for _, s := range []string{"0", "-0", "1", "10", "-7", "0.5", "0.50", "1.", ".5", "00", "01", "0.000001", "0.0000001", "0.0000012", "123456789012345", "1234567890123456",
		"0.1234567890123", "12345678.1234567", "1e5", "", "-", "1.5.2", "999999999999999", "0.100000000000001", "-0.000001", "0.0", "100.01"} {
		if !shortestNumber([]byte(s)) {
			continue
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || string(catalog.AppendNumber(nil, f)) != s {
			t.Errorf("%q is not the shortest text of %v", s, f)
		}
	}
	for _, s := range []string{"0", "12", "-3.25", "0.5", "45351", "0.000001"} {
		if !shortestNumber([]byte(s)) {
			t.Errorf("%q takes the slow way", s)
		}
	}
	if f, ok := parseNumber([]byte("-0")); !ok || math.Signbit(f) {
		t.Error("-0 keeps its sign")
	}
}

// TestFormOf tells number formats apart.
func TestFormOf(t *testing.T) {
	tests := map[string]cellForm{
		"General": showsNumber, "0.00": showsNumber, "0.00E+00": showsNumber, "##0.0E+0": showsNumber, `"年"0`: showsNumber, `[Red]0`: showsNumber, `[$¥-804]#,##0.00`: showsNumber,
		`0_d`: showsNumber, `\d0`: showsNumber, "@": showsNumber, "0;d": showsNumber, `_ * #,##0_ ;`: showsNumber,
		"yyyy": showsDate, "m/d/yyyy": showsDate, `[$-411]ggge"年"m"月"d"日"`: showsDate, "mmm": showsDate, "aaa": showsDate, "[DBNum1]yyyy年m月": showsDate,
		"h:mm": showsTime, "h:mm AM/PM": showsTime, "mm:ss": showsTime, "s.000": showsTime, "hh时": showsTime,
		"yyyy-mm-dd hh:mm": showsDatetime, `yyyy\-mm\-dd\Thh:mm:ss.000`: showsDatetime,
		"[h]:mm:ss": showsElapsed, "[mm]:ss": showsElapsed, "[SS]": showsElapsed,
	}
	for code, want := range tests {
		if got := formOf(code); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
}

// refusalOf returns the finding of a refused file.
func refusalOf(t *testing.T, err error) catalog.Finding {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("not refused: %v", err)
	}
	return r.Finding
}
