package export

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

func readXML(t testing.TB, data []byte, fields []catalog.Field) [][]*string {
	t.Helper()
	var file struct {
		XMLName xml.Name `xml:"table"`
		Rows    []struct {
			Columns []struct {
				Name     string `xml:"name,attr"`
				Packed   string `xml:"base64-name,attr"`
				Null     bool   `xml:"null,attr"`
				Encoding string `xml:"encoding,attr"`
				Text     string `xml:",chardata"`
			} `xml:"column"`
		} `xml:"row"`
	}
	if err := xml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	unpack := func(s string) string {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var rows [][]*string
	for _, r := range file.Rows {
		row := make([]*string, len(fields))
		for j, c := range r.Columns {
			if c.Packed != "" {
				c.Name = unpack(c.Packed)
			}
			if c.Name != fields[j].Name {
				t.Fatalf("column %d is %q, want %q", j, c.Name, fields[j].Name)
			}
			if c.Encoding == "base64" {
				c.Text = unpack(c.Text)
			}
			if !c.Null {
				row[j] = &c.Text
			} else if c.Text != "" {
				t.Fatalf("null with text %q", c.Text)
			}
		}
		if len(r.Columns) != len(fields) {
			t.Fatalf("a row of %d columns", len(r.Columns))
		}
		rows = append(rows, row)
	}
	return rows
}

func TestXML(t *testing.T) {
	odd := parquettest.Table{
		Fields: []catalog.Field{{Name: "a <\"b\">\t&\n", Type: catalog.String}, {Name: "\x01", Type: catalog.JSON}, {Name: "n", Type: catalog.Number}},
		Batches: []*table.Batch{{Len: 5, Columns: []table.Vector{
			{Type: catalog.String, Text: []string{"", "", " 水 <&>\"']]>", "\r\n\t", "\uffff"}, Null: []bool{true, false, false, false, false}},
			{Type: catalog.JSON, Text: []string{`{"a":1}`, "null", "\"\x7f\u0085\u2028\"", "1", "2"}},
			{Type: catalog.Number, Num: []float64{1.5, 0, -1e21, 2, 3}},
		}}},
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<table>
<row><column name="a &lt;&quot;b&quot;&gt;&#9;&amp;&#10;" null="true"/><column base64-name="AQ==">{&quot;a&quot;:1}</column><column name="n">1.5</column></row>
<row><column name="a &lt;&quot;b&quot;&gt;&#9;&amp;&#10;"></column><column base64-name="AQ==">null</column><column name="n">0</column></row>
<row><column name="a &lt;&quot;b&quot;&gt;&#9;&amp;&#10;"> 水 &lt;&amp;&gt;&quot;']]&gt;</column><column base64-name="AQ==">&quot;` + "\x7f\u0085\u2028" + `&quot;</column><column name="n">-1e+21</column></row>
<row><column name="a &lt;&quot;b&quot;&gt;&#9;&amp;&#10;">&#13;&#10;&#9;</column><column base64-name="AQ==">1</column><column name="n">2</column></row>
<row><column name="a &lt;&quot;b&quot;&gt;&#9;&amp;&#10;" encoding="base64">77+/</column><column base64-name="AQ==">2</column><column name="n">3</column></row>
</table>
`
	got := encode(t, "xml", odd)
	if string(got) != want {
		t.Errorf("got %s", got)
	}
	same(t, readXML(t, got, odd.Fields), odd.Texts())
	for s, holds := range map[string]bool{"": true, "\x00": false, "a\x1fb": false, "\t\r\n": true, "\ufffe": false, "\ufffd": true, "，\uff5e": true, "\xff": false, "\xef": false} {
		if xmlHolds(s) != holds {
			t.Errorf("%q: %t", s, !holds)
		}
	}
}

// TestWithoutColumns: no answer is without columns, but a file of such rows would
// still be one of its format.
func TestWithoutColumns(t *testing.T) {
	none := parquettest.Table{Batches: []*table.Batch{{Len: 2}}}
	for format, want := range map[string]string{
		"json": "[\n{},\n{}\n]\n", "ndjson": "{}\n{}\n", "xml": xml.Header + "<table>\n<row></row>\n<row></row>\n</table>\n",
	} {
		if got := encode(t, format, none); !bytes.Equal(got, []byte(want)) {
			t.Errorf("%s: %q", format, got)
		}
	}
}
