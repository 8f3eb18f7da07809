package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
)

// TestHints: what a cell is that is nearly a value.
func TestHints(t *testing.T) {
	for h, cells := range map[hint]string{
		hintNone:      "滨湖区|12号|3楼|A12|2021年12月8日左近|第3批|abc|约翰|无锡|无锡市|大桥|近郊|空军|未央区|东林路12号|不锈钢|-|10-20-30|3栋2单元|v1.2|1,2,3|13800138000@x",
		hintPart:      "2021年|2021年度|2021年四季度|2021年第四季度|2021Q4|2021-Q4|2021年上半年|2021-12|2021/1|2021年12月|2021年3月份|2021年3月上旬",
		hintInvisible: "12\u00a0|\u200b3.5|\u30002021-12-08",
		hintFullWidth: "２０２１－１２－０８|２０２１年１２月８日|１２：３０",
		hintUnit:      "12.5万|3亿|120元|1,234 万元|30 km|5人|35℃|-3.5‰|12 ㎡",
		hintAbout:     "约300|大约3万|超过20|近5000|逾3万|22万多|300余人|100以上|>5|≥3|~12|50左右|12+",
		hintRange:     "10-20|10~20|10～20|1.5—2.5|3至5|10-20元",
		hintDegrees:   "120°18′E|31°36'37.8\"N|120度18分|东经120°18′30″",
		hintNull:      "无|暂无|—|……|/|…|#N/A|none|缺测|不详|\u00a0无",
	} {
		for cell := range strings.SplitSeq(cells, "|") {
			if c, _ := classify([]byte(cell)); c != classText && h != hintNone {
				t.Errorf("%q has the class %d, not that of text", cell, c)
			}
			got, _ := hintOf([]byte(cell))
			if got != h {
				t.Errorf("%q: %d, want %d", cell, got, h)
			}
		}
	}
}

// TestLooseValues: a chosen type reads what can be read without doubt, exactly, and
// nothing else.
func TestLooseValues(t *testing.T) {
	for _, c := range []struct {
		chosen catalog.Type
		cells  string
		want   string // typed; ! is a mismatch
	}{
		{catalog.Integer, "1,234|１２３|12\u00a0|\u200b5|3万|1.5亿|−7|12.5万|1,23|约3|12元|12.5|3%|无", "1234|123|12|5|30000|150000000|-7|125000|!|!|!|!|!|!"},
		{catalog.Number, "30%|12.5%|5‰|-3%|1,234.5|１２．５|0.1万|100 %|１，２３４", "0.3|0.125|0.005|-0.03|1234.5|12.5|1000|1|1234"},
		{catalog.Decimal, "30.25%|1,234.5|0.1|12.34567万|１２３", "0.3025|1234.5000|0.1000|123456.7000|123.0000"},
		{catalog.Date, "20211208|２０２１－１２－０８|2021年12月8日|2021.12.8|20211308|2021-12|2021年四季度|44538", "2021-12-08|2021-12-08|2021-12-08|2021-12-08|!|!|!|!"},
		{catalog.Datetime, "20211208|2021年12月8日 8:30", "2021-12-08T00:00:00+08:00|2021-12-08T08:30:00+08:00"},
		{catalog.Boolean, "ｔｒｕｅ|是", "true|!"},
	} {
		for i, cell := range strings.Split(c.cells, "|") {
			want := strings.Split(c.want, "|")[i]
			content := "n,v\na,\"" + cell + "\"\n"
			if c.chosen == catalog.Decimal { // all cells give the scale
				content = "n,v\n"
				for one := range strings.SplitSeq(c.cells, "|") {
					content += "a,\"" + one + "\"\n"
				}
			}
			r := ingestBytes(t, "a.csv", []byte(content), catalog.IngestOptions{Types: map[string]catalog.Type{"v": c.chosen}, Zone: "+08:00"})
			got := "!"
			if len(r.Tables) == 1 {
				row := 0
				if c.chosen == catalog.Decimal {
					row = i
				}
				got = typedRows(t, r.Tables[0])[row][1]
			} else if f := findingOf(r, "type_mismatch"); f == nil || f.Value != cell {
				t.Errorf("%q: %s", cell, summary(r))
			}
			if got != want {
				t.Errorf("%s %q is %s, want %s", c.chosen, cell, got, want)
			}
		}
	}
}

// TestNearlyValues: the findings of columns, counted over all rows.
func TestNearlyValues(t *testing.T) {
	many := func(cells ...string) []byte {
		var b strings.Builder
		b.WriteString("名称,%s\n")
		for i := range 100 {
			fmt.Fprintf(&b, "n%d,\"%s\"\n", i, cells[i%len(cells)])
		}
		return []byte(b.String())
	}
	for _, c := range []struct {
		header string
		cells  []string
		want   string // code×count=value, of the hints
		typed  catalog.Type
	}{
		{"数量", []string{"12", "无", "5", "暂无"}, "null_words_suggested×50=无 ×25, 暂无 ×25", catalog.String},
		{"情况", []string{"良好", "无", "一般", "暂无"}, "", catalog.String},
		{"情况", []string{"无", "暂无"}, "", catalog.String},
		{"金额", []string{"12.5万", "3万", "200元", "7"}, "units_in_cells×75=万 ×50, 元 ×25", catalog.String},
		{"人口", []string{"约300", "22万多", "5", "6"}, "approximate_values×50=约300", catalog.String},
		{"年龄", []string{"10-20", "20-30", "30-40", "50以上"}, "approximate_values×25=50以上 ranges_in_cells×75=10-20", catalog.String},
		{"时期", []string{"2021年一季度", "2021年二季度"}, "partial_dates×100=2021年一季度", catalog.String},
		{"日期", []string{"2021-11", "2021-12"}, "partial_dates×100=2021-11", catalog.String},
		{"日期", []string{"20211208", "20220101"}, "compact_dates×100=20211208", catalog.Integer},
		{"数量", []string{"20211208", "20220101"}, "", catalog.Integer},
		{"日期", []string{"20211208", "20221301"}, "", catalog.Integer},
		{"成立日期", []string{"44538", "44539"}, "serial_dates×100=44538", catalog.Integer},
		{"日期", []string{"2021年12月8日", "2022年1月9日"}, "", catalog.Date},
		{"日期", []string{"2021.12.8", "2022.1.9"}, "", catalog.Date},
		{"数量", []string{"１２", "３４"}, "full_width_digits×100=１２", catalog.String},
		{"日期", []string{"２０２１－１２－０８", "2021-12-09"}, "full_width_digits×50=２０２１－１２－０８", catalog.String},
		{"数量", []string{"12\u00a0", "\u200b5"}, "invisible_characters×100=12\u00a0", catalog.String},
		{"坐标", []string{"120°18′E", "120°19′E"}, "degrees_minutes×100=120°18′E", catalog.String},
		{"地址", []string{"湖滨路12号", "东林路3号", "无", "太湖大道"}, "", catalog.String},
		{"区划", []string{"320205", "320206"}, "", catalog.String},
		{"证照编号", []string{"3.20205E+17", "320206"}, "digits_lost×0=3.20205E+17", catalog.String},
	} {
		content := strings.Replace(string(many(c.cells...)), "%s", c.header, 1)
		r := ingestBytes(t, "a.csv", []byte(content), catalog.IngestOptions{})
		var got []string
		for _, f := range r.Report.Findings {
			if slices.Contains(hintCodes[:], f.Code) || slices.Contains([]string{"compact_dates", "serial_dates", "almost_typed", "digits_lost"}, f.Code) {
				got = append(got, fmt.Sprintf("%s×%d=%s", f.Code, f.Count, f.Value))
			}
		}
		slices.Sort(got)
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s %q: %s, want %s", c.header, c.cells, g, c.want)
		}
		if got := r.Tables[0].Table.Schema.Fields[1].Type; got != c.typed {
			t.Errorf("%s %q: %s, want %s", c.header, c.cells, got, c.typed)
		}
	}
}

// TestCoordinates that cannot be right are told.
func TestCoordinates(t *testing.T) {
	for content, codes := range map[string]string{
		"名称,经度,纬度\na,120.31,31.49\nb,120.29,31.57\n":     "!coordinates_swapped !coordinates_out_of_range",
		"名称,经度,纬度\na,31.49,120.31\nb,31.57,120.29\n":     "coordinates_swapped !coordinates_out_of_range",
		"name,lng,lat\na,31.49,120.31\nb,31.57,120.29\n": "coordinates_swapped",
		"name,lng,lat\na,120.3,31\nb,12029,31\n":         "coordinates_out_of_range !coordinates_swapped",
		"name,lon,lat\na,31.4,30.2\nb,31.2,30.0\n":       "!coordinates_swapped !coordinates_out_of_range", // Cairo
		"name,plat,along\na,500,600\n":                   "!coordinates_swapped !coordinates_out_of_range",
	} {
		wantCodes(t, ingestBytes(t, "a.csv", []byte(content), catalog.IngestOptions{}), codes)
	}
	if f := findingOf(ingestBytes(t, "a.csv", []byte("name,lng,lat\na,120.3,31\nb,12029,31\n"), catalog.IngestOptions{}), "coordinates_out_of_range"); f == nil || f.Row != 3 || f.Column != "lng" || f.Value != "12029" {
		t.Errorf("%+v", f)
	}
	wantCodes(t, ingestBytes(t, "a.csv", []byte("BJQSBMMC,BJBH,JD,SHIJIAN\n1,2,3,4\n"), catalog.IngestOptions{}), "initials_as_headers")
	wantCodes(t, ingestBytes(t, "a.csv", []byte("PM10,PM25,SO2,NO2\n1,2,3,4\n"), catalog.IngestOptions{}), "!initials_as_headers")
}

// TestHanText: what is passed over as text is nothing that a chosen type reads.
func TestHanText(t *testing.T) {
	for cell, want := range map[string]bool{"无锡": true, "12号": true, "2021年四季度": true, "a无": true, "2021年12月8日 8时30分15秒": false, "12.5万": false, "3亿": false,
		"１２": false, "abc": false, "": false, "\u00a05": false, "①": false, "\xe4\xb8": false} {
		if got := isHanText([]byte(cell)); got != want {
			t.Errorf("%q: %v", cell, got)
		}
	}
	for _, kind := range cellKinds {
		for cell := range strings.SplitSeq(kind, "|") {
			for _, typ := range []catalog.Type{catalog.Boolean, catalog.Integer, catalog.Number, catalog.Decimal, catalog.Date, catalog.Time, catalog.Datetime} {
				var k Column
				k.Append([]byte(cell + "号"))
				ct := columnType{Type: typ, Precision: 38, Scale: 10}
				if b, ok := loosely([]byte(cell+"号"), typ); ok {
					k = Column{}
					k.Append(b)
					if text, ok := typedText(ct, &k); ok {
						t.Errorf("%q is read as %s %q", cell+"号", typ, text)
					}
				}
			}
		}
	}
}
