package ingest

import (
	"fmt"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
)

func TestClassify(t *testing.T) {
	classes := map[class]string{
		classText:      "a|1a|a1|+5|1e|e5|1.2.3|.|--1|- 1|1 2|0x10|1_000|yes|T|na|Na|n.a.|2021-13-01|2021-02-29|2021-1|2021/12-08|2021-12-08 25:00|2021-12-08 08:30:15.1234567|8:3|24:00|12:60|1/2/21|32/1/2021|13/13/2021|2021年12月|1,23|12,34,567|1,2345|00.5|1,5|2021-12-08T|2021-12-08x|12:30pm|1e400|1e-400|二〇二一年",
		classNullWord:  "|NA|N/A|n/a|null|NULL|Null|\\N|-| NA ",
		classBoolean:   "true|false|TRUE|False",
		classInteger:   "0|7|-7| 42 |999999999999999|20211208",
		classLong:      "1234567890123456|-1234567890123456|320211199001011234",
		classZeros:     "007|-007|00|000001",
		classNumber:    "1.5|-1.5|.5|5.|-0|0.0|-0.0|1e-7|1E+05|1.5e3|0.1|0.10000000000000001|123456789.123456|0.30000000000000004|1.7976931348623157e308|4.9e-324|0.000|5.684341886080802e-14|6.518515124270356e+91",
		classDecimal:   "0.12345678901234567890|12345678901234567.5|0.100000000000000001",
		classExponent:  "1e3|1E5|-2e10",
		classSpecial:   "NaN|nan|Inf|-Inf|Infinity|-infinity",
		classDate:      "2021-12-08|2021/12/8|2021.12.8|2021年12月8日|2020-02-29|0001-01-01|9999-12-31",
		classDayMonth:  "01/02/2021|1-2-2021|1.2.2021",
		classDayFirst:  "13/02/2021|31.12.1999",
		classMonthDay:  "02/13/2021|12-31-1999",
		classTime:      "08:30|23:59:59|00:00:00.000001|08:30:15.1234560",
		classDatetime:  "2021-12-08 08:30|2021-12-08T08:30:15|2021/12/8 8:30:15.25|2021年12月8日 08:30|2021年12月8日8时30分|2021-12-08  08:30",
		classOffset:    "2021-12-08T08:30:15Z|2021-12-08T08:30:15+08:00|2021-12-08 08:30-0500|2021-12-08T08:30:15.5+08|2021-12-08 08:30:00 +0800",
		classDayMonthT: "01/02/2021 8:30",
		classDayFirstT: "13/02/2021 08:30:00",
		classMonthDayT: "2/13/2021 8:30",
		classThousands: "1,234|-1,234,567.89|999,999",
		classPercent:   "5%|12.5%|-3%",
		classFullWidth: "１２３|－５",
	}
	for want, list := range classes {
		for _, cell := range strings.Split(list, "|") {
			if want == classFullWidth && cell == "－５" {
				continue // U+FF0D is a minus
			}
			if got, _ := classify([]byte(cell)); got != want {
				t.Errorf("%q: class %d, want %d", cell, got, want)
			}
		}
	}
}

// column makes a CSV of one column with the given cells.
func column(header string, cells ...string) []byte {
	return []byte(header + ",_\n" + strings.Join(cells, ",\n") + ",\n")
}

func TestDecidedTypes(t *testing.T) {
	for _, test := range []struct {
		header, cells, want string
	}{
		{"n", "1|2|3", "integer"},
		{"n", "1|2.5|NaN", "number"},
		{"n", "1|NaN", "number"},
		{"n", "NaN|Inf", "text"},
		{"n", "1|1E5", "text"},
		{"n", "1.5|1e5", "number"},
		{"n", "1.5|007", "text"},
		{"n", "1.5|1234567890123456", "text"},
		{"n", "1|5.684341886080802e-14", "number"}, // 2^-44
		{"n", "0.12345678901234567890|3", "decimal(21,20)"},
		{"n", "12345678901234567.5|-0.25", "decimal(19,2)"},
		{"n", "0.12345678901234567890|1e-3", "text"},
		{"b", "true|NA|false", "boolean"},
		{"b", "true|1", "text"},
		{"d", "2021-01-01|-|2021/1/2", "date"},
		{"d", "2021-01-01|2021-01-01 08:00", "text"},
		{"d", "01/02/2021|03/04/2021", "text"},
		{"d", "01/02/2021|13/04/2021", "date"},
		{"d", "01/02/2021|04/13/2021", "date"},
		{"d", "13/02/2021|04/13/2021", "text"},
		{"t", "08:00|09:30:15", "time"},
		{"t", "2021-01-01 08:00|2021-01-01T09:30:15.5", "datetime +08:00"},
		{"t", "2021-01-01 08:00Z|2021-01-01T09:30:15.5Z", "datetime Z"},
		{"t", "2021-01-01 08:00+09:00|2021-01-01T09:30:15.5+0900", "datetime +09:00"},
		{"t", "2021-01-01 08:00+09:00|2021-01-01T09:30:15.5Z", "datetime Z"},
		{"t", "2021-01-01 08:00+09:00|2021-01-01T09:30:15.5", "text"},
		{"t", "0001-01-01 00:00+08:00|2021-01-01T09:30Z", "text"}, // in UTC before the year 1
		{"t", "9999-12-31 23:00-08:00|2021-01-01T09:30Z", "text"},
		{"t", "0001-01-01 00:00+08:00|2021-01-01T09:30+08:00", "datetime +08:00"},
		{"邮编", "214000|214001", "text"},
		{"区划代码", "214000|214001", "text"},
		{"ICD code", "1.1|1.2", "text"},
		{"postCode", "1|2", "text"},
		{"每百户移动电话拥有量", "235.6|241", "number"}, // a measure of telephones, not their numbers
		{"Non-road mobile sources", "2.2|91.8", "number"},
		{"电话", "110|119", "text"},
		{"电话", "13800138000.0|85012345.0", "text"},
		{"mobile", "1.38e10|2.5", "text"},
		{"证照编号", "1.1|2.3", "text"},
		{"decode", "1|2", "integer"},
		{"code date", "2021-01-01|2021-01-02", "date"},
		{"id", "1|2", "integer"},
		{"x", "-|NA", "text"},
		{"x", "|", "text"},
	} {
		r := ingestBytes(t, "t.csv", column(test.header, strings.Split(test.cells, "|")...), catalog.IngestOptions{HeaderRow: 1})
		if !r.Report.Accepted {
			t.Errorf("%s %s: %s", test.header, test.cells, summary(r))
			continue
		}
		f := r.Tables[0].Table.Schema.Fields[0]
		got := string(f.Type)
		if f.Type == catalog.Decimal {
			got = fmt.Sprintf("decimal(%d,%d)", f.Precision, f.Scale)
		}
		if f.Zone != "" {
			got += " " + f.Zone
		}
		if got != test.want {
			t.Errorf("%s: %s: %s, want %s", test.header, test.cells, got, test.want)
		}
	}
}

func TestChosenTypes(t *testing.T) {
	for _, test := range []struct {
		cells string
		as    catalog.Type
		want  string // typed cells, or the finding
	}{
		{"007|008", catalog.Integer, "7 8"},
		{"1|2", catalog.String, "1 2"},
		{"1234567890123456789|2", catalog.Integer, "1234567890123456789 2"},
		{"99999999999999999999|2", catalog.Integer, `type_mismatch row 2 "n" "99999999999999999999"`},
		{"1|x|3", catalog.Integer, `type_mismatch row 3 "n" "x"`},
		{"1|2.50|NA", catalog.Decimal, "1.00 2.50 ∅"},
		{"1|2.50", catalog.Number, "1 2.5"},
		{"01/02/2021|03/04/2021", catalog.Date, "2021-02-01 2021-04-03"},
		{"2021-01-01|2021-01-02 08:00", catalog.Datetime, "2021-01-01T00:00:00+08:00 2021-01-02T08:00:00+08:00"},
		{"2021-01-01|x", catalog.Date, `type_mismatch row 3 "n" "x"`},
		{"2021-01-01T08:00Z|9999-12-31 23:00-08:00", catalog.Datetime, `type_mismatch row 3 "n" "9999-12-31 23:00-08:00"`},
		{"2021-01-01 08:00Z|2021-01-01 08:00|2021-01-01 09:00Z", catalog.Datetime, `type_mismatch row 3 "n" "2021-01-01 08:00"`},
		{"yes|no", catalog.Boolean, `type_mismatch row 2 "n" "yes"`},
		{"1|2", catalog.JSON, "1 2"},
		{"1|{", catalog.JSON, `type_mismatch row 3 "n" "{"`},
	} {
		r := ingestBytes(t, "t.csv", column("n", strings.Split(test.cells, "|")...), catalog.IngestOptions{Types: map[string]catalog.Type{"n": test.as}})
		got := ""
		if f := r.Report.FirstError(); f != nil {
			got = fmt.Sprintf("%s row %d %q %q", f.Code, f.Row, f.Column, f.Value)
		} else {
			for i, row := range typedRows(t, r.Tables[0]) {
				if i > 0 {
					got += " "
				}
				got += row[0]
			}
		}
		if got != test.want {
			t.Errorf("%s as %s: got %s, want %s", test.cells, test.as, got, test.want)
		}
	}
	r := ingestBytes(t, "t.csv", column("n", "1"), catalog.IngestOptions{Types: map[string]catalog.Type{"m": catalog.Integer}})
	if f := r.Report.FirstError(); f == nil || f.Code != "unknown_column" {
		t.Errorf("a type for no column: %s", summary(r))
	}
}

// A text that a type accepts and prints must be accepted by the type again with
// the same value: what is exported can be uploaded.
func FuzzTypedTextReadsBack(f *testing.F) {
	for _, s := range []string{"1", "-0", "1.50", "1e3", "0.30000000000000004", "2021/1/2", "2021年1月2日 8:30", "13/02/2021", "08:30", "2021-01-01T08:00:00-05:00", "NaN", "true", "0.12345678901234567890", "-.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		e := newEvidence(1)
		var k Column
		k.Append([]byte(cell))
		e.add(&k, []int64{2})
		ct, _ := e.decide(choice{column: "x"}, &Findings{})
		if ct.Type == catalog.String {
			return
		}
		text, ok := typedText(ct, &k)
		if !ok {
			t.Fatalf("%q is decided to be %s but does not convert", cell, ct.Type)
		}
		var again Column
		again.Append([]byte(text))
		second := columnType{Type: ct.Type, Precision: ct.Precision, Scale: ct.Scale, Zone: ct.Zone, declared: true}
		if back, ok := typedText(second, &again); !ok || back != text {
			t.Fatalf("%q as %s prints %q, which reads back as %q (%v)", cell, ct.Type, text, back, ok)
		}
	})
}

func typedText(ct columnType, k *Column) (string, bool) {
	c := converter{columnType: ct}
	var v table.Vector
	ok := true
	c.convert(k, &v, func(int, []byte) { ok = false })
	return string(v.AppendText(nil, 0)), ok
}
