package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

// readCSV reads with a small reader of its own, which knows a quoted empty value
// from none, and checks that encoding/csv sees the same values.
func readCSV(t testing.TB, data []byte, fields []catalog.Field) [][]*string {
	t.Helper()
	return readDelimited(t, data, fields, ',')
}

func readTSV(t testing.TB, data []byte, fields []catalog.Field) [][]*string {
	t.Helper()
	return readDelimited(t, data, fields, '\t')
}

func readDelimited(t testing.TB, data []byte, fields []catalog.Field, comma byte) [][]*string {
	t.Helper()
	var rows [][]*string
	var row []*string
	for i := 0; i < len(data); {
		var value *string
		if data[i] == '"' {
			var b strings.Builder
			for i++; ; i++ {
				if data[i] == '"' {
					if i++; data[i] != '"' {
						break
					}
				}
				b.WriteByte(data[i])
			}
			s := b.String()
			value = &s
		} else {
			from := i
			for data[i] != comma && data[i] != '\n' {
				i++
			}
			if i > from {
				s := string(data[from:i])
				value = &s
			}
		}
		row = append(row, value)
		if data[i] == '\n' {
			rows = append(rows, row)
			row = nil
		}
		i++
	}
	reader := csv.NewReader(bytes.NewReader(data))
	reader.Comma = rune(comma)
	std, err := reader.ReadAll()
	if err != nil || len(std) != len(rows) {
		t.Fatalf("encoding/csv reads %d records, own reader %d: %v", len(std), len(rows), err)
	}
	for i, record := range std {
		for j, s := range record {
			mine := ""
			if rows[i][j] != nil { // encoding/csv makes LF of CR LF in a value
				mine = strings.ReplaceAll(*rows[i][j], "\r\n", "\n")
			}
			if s != mine {
				t.Fatalf("record %d, field %d: encoding/csv reads %q, own reader %q", i, j, s, mine)
			}
		}
	}
	for j, f := range fields {
		if *rows[0][j] != f.Name {
			t.Fatalf("header %d is %q", j, *rows[0][j])
		}
	}
	return rows[1:]
}

func readNDJSON(t testing.TB, data []byte, fields []catalog.Field) [][]*string {
	t.Helper()
	var rows [][]*string
	for line := range bytes.Lines(data) {
		if line[len(line)-1] != '\n' {
			t.Fatal("the last line is cut")
		}
		rows = append(rows, object(t, json.NewDecoder(bytes.NewReader(line)), fields))
	}
	return rows
}

func readJSON(t testing.TB, data []byte, fields []catalog.Field) [][]*string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var rows [][]*string
	for d.More() {
		rows = append(rows, object(t, d, fields))
	}
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("something follows the array: %v", err)
	}
	return rows
}

// object reads one object and checks its keys and the JSON types of its values.
func object(t testing.TB, d *json.Decoder, fields []catalog.Field) []*string {
	t.Helper()
	d.UseNumber()
	if token, err := d.Token(); token != json.Delim('{') {
		t.Fatalf("%v, %v", token, err)
	}
	row := make([]*string, len(fields))
	for j, f := range fields {
		if key, err := d.Token(); key != f.Name {
			t.Fatalf("key %v, want %s: %v", key, f.Name, err)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		var s string
		switch {
		case string(raw) == "null":
			continue
		case f.Type == catalog.JSON:
			s = string(raw)
		case raw[0] == '"':
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			if notText := f.Type == catalog.Integer || f.Type == catalog.Decimal || f.Type == catalog.Boolean; notText {
				t.Fatalf("%s is a string: %s", f.Name, raw)
			}
		default:
			s = string(raw)
		}
		row[j] = &s
	}
	if token, err := d.Token(); token != json.Delim('}') {
		t.Fatalf("%v, %v", token, err)
	}
	return row
}

func golden() parquettest.Table {
	return parquettest.Table{
		Fields: []catalog.Field{
			{Name: "站点", Type: catalog.String}, {Name: "a,b", Type: catalog.Decimal, Precision: 9, Scale: 2}, {Name: "n", Type: catalog.Number},
			{Name: "时间", Type: catalog.Datetime, Zone: "+08:00"}, {Name: "on", Type: catalog.Boolean}, {Name: "j", Type: catalog.JSON},
		},
		Batches: []*table.Batch{{Len: 3, Columns: []table.Vector{
			{Type: catalog.String, Text: []string{"滨湖,\"水\"", "", ""}, Null: []bool{false, false, true}},
			{Type: catalog.Decimal, Precision: 9, Scale: 2, Int: []int64{1250, -5, 0}},
			{Type: catalog.Number, Num: []float64{0.1, 1e+21, 0}, Null: []bool{false, false, true}},
			{Type: catalog.Datetime, Zone: "+08:00", Int: []int64{0, 1_500_000, 0}},
			{Type: catalog.Boolean, Bool: []bool{true, false, true}},
			{Type: catalog.JSON, Text: []string{"{\"a\":\n[1, 2]}", "\"x\"", "[]"}},
		}}},
	}
}

func TestGoldenTexts(t *testing.T) {
	for format, want := range map[string]string{
		"csv": `站点,"a,b",n,时间,on,j
"滨湖,""水""",12.50,0.1,1970-01-01T00:00:00+08:00,true,"{""a"":
[1, 2]}"
"",-0.05,1e+21,1970-01-01T00:00:01.5+08:00,false,"""x"""
,0.00,,1970-01-01T00:00:00+08:00,true,[]
`,
		"ndjson": `{"站点":"滨湖,\"水\"","a,b":12.50,"n":0.1,"时间":"1970-01-01T00:00:00+08:00","on":true,"j":{"a":[1, 2]}}
{"站点":"","a,b":-0.05,"n":1e+21,"时间":"1970-01-01T00:00:01.5+08:00","on":false,"j":"x"}
{"站点":null,"a,b":0.00,"n":null,"时间":"1970-01-01T00:00:00+08:00","on":true,"j":[]}
`,
		"json": `[
{"站点":"滨湖,\"水\"","a,b":12.50,"n":0.1,"时间":"1970-01-01T00:00:00+08:00","on":true,"j":{"a":[1, 2]}},
{"站点":"","a,b":-0.05,"n":1e+21,"时间":"1970-01-01T00:00:01.5+08:00","on":false,"j":"x"},
{"站点":null,"a,b":0.00,"n":null,"时间":"1970-01-01T00:00:00+08:00","on":true,"j":[]}
]
`,
	} {
		if got := string(encode(t, format, golden())); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", format, got, want)
		}
	}
	empty := golden()
	empty.Batches = nil
	for format, want := range map[string]string{"csv": "站点,\"a,b\",n,时间,on,j\n", "json": "[]\n", "ndjson": ""} {
		if got := string(encode(t, format, empty)); got != want {
			t.Errorf("%s without rows: %q", format, got)
		}
	}
}

func TestCSVOfOneColumnHasNoBlankLine(t *testing.T) {
	one := parquettest.Table{Fields: []catalog.Field{{Name: "a", Type: catalog.String}}, Batches: []*table.Batch{{Len: 3, Columns: []table.Vector{
		{Type: catalog.String, Text: []string{"x", "", ""}, Null: []bool{false, true, false}},
	}}}}
	if got := string(encode(t, "csv", one)); got != "a\nx\n\"\"\n\"\"\n" {
		t.Errorf("got %q", got)
	}
}

func TestCSVQuotesOnlyWhatMustBe(t *testing.T) {
	for s, want := range map[string]string{
		"": `""`, " a ": " a ", "a\tb": "a\tb", "=1+1": "=1+1", "a b!#%": "a b!#%", "12345678,": `"12345678,"`, "12345678\r": "\"12345678\r\"",
		`"`: `""""`, `a"b"c`: `"a""b""c"`, "滨湖区，水": "滨湖区，水", "1234567\n": "\"1234567\n\"",
	} {
		if got := string(appendCSV(nil, s)); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}
