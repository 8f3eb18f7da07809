package export

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

// xmlSheet is a data sheet as encoding/xml sees it.
type xmlSheet struct {
	Rows []struct {
		R     int `xml:"r,attr"`
		Cells []struct {
			R      string  `xml:"r,attr"`
			T      string  `xml:"t,attr"`
			S      int     `xml:"s,attr"`
			V      *string `xml:"v"`
			F      *string `xml:"f"`
			Inline *string `xml:"is>t"`
		} `xml:"c"`
	} `xml:"sheetData>row"`
}

func sheetOf(t testing.TB, data []byte, n int) xmlSheet {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Open(sheetPart(n))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	var s xmlSheet
	if err := xml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

var escapedUnit = regexp.MustCompile(`_x([0-9A-F]{4})_`)

func unescape(s string) string {
	return escapedUnit.ReplaceAllStringFunc(s, func(m string) string {
		u, _ := strconv.ParseUint(m[2:6], 16, 16)
		return string(utf16.Decode([]uint16{uint16(u)}))
	})
}

// readXLSX reads the data sheets: the XML for types and texts, and excelize for
// the texts, which must be equal.
func readXLSX(t testing.TB, data []byte, fields []catalog.Field) [][]*string {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	sheets := book.GetSheetList()
	if got := sheets[len(sheets)-1]; got != dictionarySheet {
		t.Fatalf("the last sheet is %s", got)
	}
	var rows [][]*string
	for n, name := range sheets[:len(sheets)-1] {
		raw, err := book.GetRows(name, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range sheetOf(t, data, n+1).Rows {
			if r.R != i+1 {
				t.Fatalf("row %d is numbered %d", i+1, r.R)
			}
			row := make([]*string, len(fields))
			column := 0
			for _, c := range r.Cells {
				column++ // a cell without a reference stands beside the one before it
				if c.R != "" {
					at, line, err := excelize.CellNameToCoordinates(c.R)
					if err != nil || line != r.R || at < column {
						t.Fatalf("cell %s in row %d: %v", c.R, r.R, err)
					}
					column = at
				}
				if c.F != nil {
					t.Fatalf("cell %d in row %d has the formula %v", column, r.R, c.F)
				}
				s := cellText(t, c.T, c.V, c.Inline, fields[column-1], i == 0)
				row[column-1] = &s
				other := "" // excelize leaves out empty cells and rows at the end
				if i < len(raw) && column <= len(raw[i]) {
					other = raw[i][column-1]
				}
				if c.T == "inlineStr" && other != *c.Inline && other != unescape(*c.Inline) || (c.T == "" || c.T == "str") && other != *c.V {
					t.Fatalf("row %d, cell %d: excelize reads %q, XML has %v %v", r.R, column, other, c.V, c.Inline)
				}
			}
			if i > 0 {
				rows = append(rows, row)
				continue
			}
			for j, f := range fields {
				if *row[j] != f.Name {
					t.Fatalf("header %d is %q", j, *row[j])
				}
			}
		}
	}
	return rows
}

// cellText gives the canonical text of a cell, and fails where it should have
// been a number or must not be one.
func cellText(t testing.TB, kind string, v, inline *string, f catalog.Field, header bool) string {
	t.Helper()
	if kind == "inlineStr" {
		return unescape(*inline)
	}
	if kind == "str" {
		if *v == "" || unescape(*v) != *v || strings.Trim(*v, " \t\r\n") != *v {
			t.Fatalf("%q needs an inline string", *v)
		}
		return *v
	}
	if header || f.Type == catalog.String || f.Type == catalog.JSON {
		t.Fatalf("%s is no text", f.Name)
	}
	if kind == "b" {
		return map[string]string{"1": "true", "0": "false"}[*v]
	}
	x, err := strconv.ParseFloat(*v, 64)
	if err != nil {
		t.Fatal(err)
	}
	one := parquettest.VectorOf(f)
	day, fraction := math.Modf(x)
	millis := int64(math.Round(fraction * 86400e3))
	switch f.Type {
	case catalog.Integer, catalog.Decimal: // what a double of 15 digits gives back
		if n, err := strconv.ParseFloat(*v, 64); err != nil || strconv.FormatFloat(n, 'f', f.Scale, 64) != *v && *v != "-0" {
			t.Fatalf("%s loses digits as a number: %s", f.Name, *v)
		}
		return *v
	case catalog.Number:
		one.Num = []float64{x}
	case catalog.Date:
		one.Int = []int64{int64(day) - dayZero}
	case catalog.Time:
		one.Int = []int64{millis * 1000}
	case catalog.Datetime:
		one.Int = []int64{(int64(day)-dayZero)*86400e6 + millis*1000}
	}
	return string(one.AppendText(nil, 0))
}

func cells(f catalog.Field, v table.Vector, n int) parquettest.Table {
	v.Type, v.Precision, v.Scale, v.Zone = f.Type, f.Precision, f.Scale, f.Zone
	return parquettest.Table{Fields: []catalog.Field{f}, Batches: []*table.Batch{{Len: n, Columns: []table.Vector{v}}}}
}

func TestXLSXTakesNumbersOnlyWhereExact(t *testing.T) {
	day := catalog.DaysOf(1900, 3, 1)
	for _, test := range []struct {
		name string
		f    catalog.Field
		v    table.Vector
		want []string // t=value
	}{
		{"integer", catalog.Field{Type: catalog.Integer}, table.Vector{Int: []int64{999999999999999, 1000000000000000, -999999999999999, -1000000000000000}},
			[]string{"=999999999999999", "inlineStr=1000000000000000", "=-999999999999999", "inlineStr=-1000000000000000"}},
		{"decimal", catalog.Field{Type: catalog.Decimal, Precision: 18, Scale: 2}, table.Vector{Int: []int64{123456789012345, 1234567890123456, -5}},
			[]string{"=1234567890123.45", "inlineStr=12345678901234.56", "=-0.05"}},
		{"wide decimal", catalog.Field{Type: catalog.Decimal, Precision: 38, Scale: 3}, table.Vector{Text: []string{"123456789012.345", "1234567890123.450", "0.001"}},
			[]string{"=123456789012.345", "inlineStr=1234567890123.450", "=0.001"}},
		{"number", catalog.Field{Type: catalog.Number}, table.Vector{Num: []float64{0.1, math.NaN(), math.Inf(1), math.Inf(-1), 1e21}},
			[]string{"=0.1", "inlineStr=NaN", "inlineStr=Infinity", "inlineStr=-Infinity", "=1e+21"}},
		{"date", catalog.Field{Type: catalog.Date}, table.Vector{Int: []int64{day, day - 1, 0, catalog.DaysOf(9999, 12, 31)}},
			[]string{"=61", "inlineStr=1900-02-28", "=25569", "=2958465"}},
		{"time", catalog.Field{Type: catalog.Time}, table.Vector{Int: []int64{43200e6, 1000, 1}},
			[]string{"=0.5", "=1.1574074074074074e-8", "inlineStr=00:00:00.000001"}},
		{"datetime", catalog.Field{Type: catalog.Datetime}, table.Vector{Int: []int64{43200e6, day*86400e6 - 1000, 1, 8 * 3600e6}},
			[]string{"=25569.5", "inlineStr=1900-02-28T23:59:59.999+08:00", "inlineStr=1970-01-01T00:00:00.000001+08:00", "=25569.3333333333333"}},
		{"boolean", catalog.Field{Type: catalog.Boolean}, table.Vector{Bool: []bool{true, false}}, []string{"b=1", "b=0"}},
		{"text", catalog.Field{Type: catalog.String}, table.Vector{Text: []string{"00123", "", "a\x00\r_x0041_\ufffe"}},
			[]string{"str=00123", "inlineStr=", "inlineStr=a_x0000__x000D__x005F_x0041__xFFFE_"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.f.Name = "a"
			var got []string
			for _, r := range sheetOf(t, encode(t, "xlsx", cells(test.f, test.v, len(test.want))), 1).Rows[1:] {
				c := r.Cells[0]
				if c.V != nil {
					got = append(got, c.T+"="+*c.V)
				} else {
					got = append(got, c.T+"="+*c.Inline)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// D08 of design/reliability.md.
func TestXLSXTextIsNeverAFormula(t *testing.T) {
	texts := []string{"=cmd|'/C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1", `=HYPERLINK("http://x")`}
	data := encode(t, "xlsx", cells(catalog.Field{Name: "=name", Type: catalog.String}, table.Vector{Text: texts}, len(texts)))
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range texts {
		cell := fmt.Sprintf("A%d", i+2)
		formula, err := book.GetCellFormula(dataSheet, cell)
		if err != nil || formula != "" {
			t.Errorf("%s has the formula %q, %v", cell, formula, err)
		}
		if got, err := book.GetCellValue(dataSheet, cell); err != nil || unescape(got) != want {
			t.Errorf("%s is %q, want %q: %v", cell, got, want, err)
		}
		style, err := book.GetCellStyle(dataSheet, cell)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := book.GetStyle(style); err != nil || (s.NumFmt != 49 && (s.CustomNumFmt == nil || *s.CustomNumFmt != "@")) {
			t.Errorf("%s would become a formula when edited: style %+v, %v", cell, s, err)
		}
	}
}

// D06 of design/reliability.md: never cut.
func TestXLSXLimits(t *testing.T) {
	text := catalog.Field{Name: "a", Type: catalog.String}
	long := strings.Repeat("字", cellUnits)
	data := encode(t, "xlsx", cells(text, table.Vector{Text: []string{long, strings.Repeat("😀", cellUnits/2)}}, 2))
	if got := readXLSX(t, data, []catalog.Field{text}); *got[0][0] != long {
		t.Error("a text of 32,767 characters does not read back")
	}
	for _, s := range []string{long + "x", strings.Repeat("😀", cellUnits/2+1)} {
		var buf bytes.Buffer
		e, err := New("xlsx", &buf, metaOf([]catalog.Field{text}))
		if err != nil {
			t.Fatal(err)
		}
		err = e.Write(cells(text, table.Vector{Text: []string{s}}, 1).Batches[0])
		if catalog.CodeOf(err) != "xlsx_limit" || catalog.KindOf(err) != catalog.Unprocessable || !strings.Contains(err.Error(), "CSV or Parquet") {
			t.Errorf("a longer text gives %v", err)
		}
		if e.Close() == nil || buf.Len() > 0 {
			t.Error("a file was written nevertheless")
		}
	}
	fields := make([]catalog.Field, sheetColumns+1)
	for i := range fields {
		fields[i] = catalog.Field{Name: fmt.Sprint("c", i), Type: catalog.Integer}
	}
	if _, err := New("xlsx", io.Discard, metaOf(fields)); catalog.CodeOf(err) != "xlsx_limit" {
		t.Errorf("16,385 columns give %v", err)
	}
	if _, err := New("xlsx", io.Discard, metaOf(fields[1:])); err != nil {
		t.Errorf("16,384 columns give %v", err)
	}
	wordy := metaOf([]catalog.Field{{Name: "a", Type: catalog.Integer, Description: catalog.Text{Zh: long + "长"}}})
	if _, err := New("xlsx", io.Discard, wordy); catalog.CodeOf(err) != "xlsx_limit" {
		t.Errorf("a long description gives %v", err)
	}
}

func TestXLSXGoesOnInTheNextSheet(t *testing.T) {
	random := parquettest.Random(parquettest.AllTypes(), parquettest.Options{Rows: 2500, Nulls: 0.1, Batch: 300})
	for limit, want := range map[int]string{1000: "数据 Data,数据 Data 2,数据 Data 3", 2501: "数据 Data", 2500: "数据 Data,数据 Data 2", 501: "数据 Data,数据 Data 2,数据 Data 3,数据 Data 4,数据 Data 5"} {
		var buf bytes.Buffer
		e, err := newXLSX(&buf, metaOf(random.Fields))
		if err != nil {
			t.Fatal(err)
		}
		e.limit = limit
		write(t, e, random.Batches)
		book, err := excelize.OpenReader(bytes.NewReader(buf.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(book.GetSheetList(), ","); got != want+","+dictionarySheet {
			t.Errorf("limit %d: sheets %s", limit, got)
		}
		same(t, readXLSX(t, buf.Bytes(), random.Fields), random.Texts())
	}
}

func TestXLSXWorkbook(t *testing.T) {
	fields := parquettest.AllTypes()
	fields[1].Codes = []catalog.Code{{Value: "1", Label: catalog.Text{Zh: "一", En: "one"}}}
	fields[1].Description = catalog.Text{Zh: "每小时一次"}
	data := encode(t, "xlsx", parquettest.Random(fields, parquettest.Options{Rows: 5, Plain: true}))
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows(dictionarySheet)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range rows {
		all = append(all, strings.Join(r, "|"))
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"数据集 Dataset|空气质量小时报|Hourly air quality", "发布序号 Release|3|2026-11", "许可 Licence|知识共享 署名4.0|CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/",
		"引用格式 Cite as|生态环境局：空气质量小时报，第3版", "integer|整数|Integer|整数 integer||每小时一次", "decimal 9,2|||定点小数 decimal(9,2)|元", "datetime|||日期时间 datetime +08:00", "integer|1|一|one",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the dictionary lacks %s:\n%s", want, text)
		}
	}
	panes, err := book.GetPanes(dataSheet)
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes %+v, %v", panes, err)
	}
	id, err := book.GetCellStyle(dataSheet, "A1")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := book.GetStyle(id); err != nil || s.Font == nil || !s.Font.Bold {
		t.Errorf("the header is not bold: %+v, %v", s, err)
	}
	for cell, want := range map[string]string{"H2": "yyyy-mm-dd", "I2": "hh:mm:ss", "J2": "yyyy-mm-dd hh:mm:ss", "C2": "0.00"} {
		id, err := book.GetCellStyle(dataSheet, cell)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := book.GetStyle(id); err != nil || s.CustomNumFmt == nil || *s.CustomNumFmt != want {
			t.Errorf("%s has style %+v, want %s", cell, s, want)
		}
	}
	if props, err := book.GetDocProps(); err != nil || props.Title != "空气质量小时报" || props.Created != "2000-01-01T00:00:00Z" {
		t.Errorf("properties %+v, %v", props, err)
	}
	if width, err := book.GetColWidth(dataSheet, "J"); err != nil || width < 20 {
		t.Errorf("column J is %v wide, %v", width, err)
	}
}

func TestSerialIsTheNearestDouble(t *testing.T) {
	for millis := int64(0); millis < 86400e3; millis += 7919 {
		for _, day := range []int64{firstDay, 0, 20000, lastDay} {
			got, err := strconv.ParseFloat(string(appendSerial(nil, day, millis)), 64)
			if err != nil {
				t.Fatal(err)
			}
			want := float64(day+dayZero) + float64(millis)/86400e3
			if math.Abs(got-want) > 1e-11 || int64(math.Round((got-math.Floor(got))*86400e3))%86400e3 != millis {
				t.Fatalf("day %d, %d ms: got %v, want %v", day, millis, got, want)
			}
		}
	}
}

func TestXLSXFirstByteComesEarly(t *testing.T) {
	var buf bytes.Buffer
	e, err := New("xlsx", &buf, metaOf(parquettest.MixedFields()))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for i := range 3 {
		if err := e.Write(parquettest.Mixed(i*2048, 2048)); err != nil {
			t.Fatal(err)
		}
	}
	if buf.Len() == 0 {
		t.Errorf("no byte after 6,144 rows, %v", time.Since(start))
	}
}

func TestXLSXGoldenSheet(t *testing.T) {
	data := encode(t, "xlsx", golden())
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
	}
	if got := strings.Join(names[:3], " "); got != "_rels/.rels docProps/app.xml xl/worksheets/sheet1.xml" {
		t.Errorf("the file begins with %s", got)
	}
	f, err := r.Open(sheetPart(1))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	want := sheetHead + ` tabSelected="1"` + sheetPane +
		`<col min="1" max="1" width="10" customWidth="1"/><col min="2" max="2" width="9" customWidth="1"/><col min="3" max="3" width="9" customWidth="1"/>` +
		`<col min="4" max="4" width="21" customWidth="1"/><col min="5" max="5" width="9" customWidth="1"/><col min="6" max="6" width="14" customWidth="1"/></cols><sheetData>` +
		`<row r="1"><c r="A1" s="1" t="inlineStr"><is><t>站点</t></is></c><c r="B1" s="1" t="inlineStr"><is><t>a,b</t></is></c><c r="C1" s="1" t="inlineStr"><is><t>n</t></is></c>` +
		`<c r="D1" s="1" t="inlineStr"><is><t>时间</t></is></c><c r="E1" s="1" t="inlineStr"><is><t>on</t></is></c><c r="F1" s="1" t="inlineStr"><is><t>j</t></is></c></row>` +
		`<row r="2"><c s="2" t="str"><v>滨湖,"水"</v></c><c s="5"><v>12.50</v></c><c s="0"><v>0.1</v></c><c s="6"><v>25569</v></c><c t="b"><v>1</v></c>` +
		`<c s="2" t="inlineStr"><is><t xml:space="preserve">{"a":` + "\n" + `[1, 2]}</t></is></c></row>` +
		`<row r="3"><c s="2" t="inlineStr"><is><t></t></is></c><c s="5"><v>-0.05</v></c><c s="0"><v>1e+21</v></c><c s="4"><v>25569.0000173611111</v></c><c t="b"><v>0</v></c>` +
		`<c s="2" t="str"><v>"x"</v></c></row>` +
		`<row r="4"><c r="B4" s="5"><v>0.00</v></c><c r="D4" s="6"><v>25569</v></c><c r="E4" t="b"><v>1</v></c><c r="F4" s="2" t="str"><v>[]</v></c></row>` +
		`</sheetData><autoFilter ref="A1:F4"/></worksheet>`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

// The archive sets sizes and checksum in a header that archive/zip already has:
// what it writes behind the data must be them.
func TestArchiveDescriptorsTellTheSizes(t *testing.T) {
	data := encode(t, "xlsx", golden())
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		offset, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		d := data[offset+int64(f.CompressedSize64):]
		want := []byte("PK\x07\x08")
		want = binary.LittleEndian.AppendUint32(want, f.CRC32)
		want = binary.LittleEndian.AppendUint32(want, uint32(f.CompressedSize64))
		want = binary.LittleEndian.AppendUint32(want, uint32(f.UncompressedSize64))
		if !bytes.HasPrefix(d, want) || f.UncompressedSize64 == 0 {
			t.Errorf("%s: the descriptor is %x, want %x", f.Name, d[:16], want)
		}
	}
}
