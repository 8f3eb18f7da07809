package export

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

func encodeWith(t testing.TB, format string, o Options, table parquettest.Table) string {
	t.Helper()
	var buf bytes.Buffer
	m := metaOf(table.Fields)
	m.Options = o
	e, err := New(format, &buf, m)
	if err != nil {
		t.Fatal(err)
	}
	write(t, e, table.Batches)
	return buf.String()
}

// risky has formulas, marks, empty texts and nulls in texts, and numbers that
// begin like formulas.
func risky() parquettest.Table {
	return parquettest.Table{
		Fields: []catalog.Field{
			{Name: "=名称", Type: catalog.String, Label: catalog.Text{Zh: "名称", En: "Name"}}, {Name: "n", Type: catalog.Number, Label: catalog.Text{Zh: "数"}},
			{Name: "d", Type: catalog.Decimal, Precision: 20, Scale: 1, Label: catalog.Text{Zh: "数"}},
		},
		Batches: []*table.Batch{{Len: 6, Columns: []table.Vector{
			{Type: catalog.String, Text: []string{"=1+1", "NA", "", "x", "a;b\t|c、\"d\"", "line\r\nbreak"}, Null: []bool{false, false, false, true, false, false}},
			{Type: catalog.Number, Num: []float64{-1.5, 0, 0, 1, 2, 3}, Null: []bool{false, true, false, false, false, false}},
			{Type: catalog.Decimal, Precision: 20, Scale: 1, Text: []string{"-12345678901234567890.5", "0.0", "-0.1", "1.0", "2.0", "3.0"}},
		}}},
	}
}

func TestDialects(t *testing.T) {
	for _, test := range []struct {
		name, format string
		o            Options
		want         string
	}{
		{"tsv", "tsv", Options{}, "=名称\tn\td\n=1+1\t-1.5\t-12345678901234567890.5\nNA\t\t0.0\n\"\"\t0\t-0.1\n\t1\t1.0\n\"a;b\t|c、\"\"d\"\"\"\t2\t2.0\n\"line\r\nbreak\"\t3\t3.0\n"},
		{"semicolons", "csv", Options{Delimiter: ";"}, "=名称;n;d\n=1+1;-1.5;-12345678901234567890.5\nNA;;0.0\n\"\";0;-0.1\n;1;1.0\n\"a;b\t|c、\"\"d\"\"\";2;2.0\n\"line\r\nbreak\";3;3.0\n"},
		{"a delimiter of several bytes", "csv", Options{Delimiter: "、", Header: "none"}, "=1+1、-1.5、-12345678901234567890.5\nNA、、0.0\n\"\"、0、-0.1\n、1、1.0\n\"a;b\t|c、\"\"d\"\"\"、2、2.0\n\"line\r\nbreak\"、3、3.0\n"},
		{"a word for null", "csv", Options{Null: "NA", Header: "en"}, "Name,n,d\n=1+1,-1.5,-12345678901234567890.5\n\"NA\",NA,0.0\n\"\",0,-0.1\nNA,1,1.0\n\"a;b\t|c、\"\"d\"\"\",2,2.0\n\"line\r\nbreak\",3,3.0\n"},
		{"labels, the name where two are the same", "csv", Options{Header: "zh", BOM: true, Newline: "crlf"}, "\ufeff名称,n,d\r\n=1+1,-1.5,-12345678901234567890.5\r\nNA,,0.0\r\n\"\",0,-0.1\r\n,1,1.0\r\n\"a;b\t|c、\"\"d\"\"\",2,2.0\r\n\"line\r\nbreak\",3,3.0\r\n"},
		{"for spreadsheets", "csv", Options{Spreadsheet: true}, "\ufeff\"'=名称\",n,d\r\n\"'=1+1\",-1.5,-12345678901234567890.5\r\nNA,,0.0\r\n\"\",0,-0.1\r\n,1,1.0\r\n\"a;b\t|c、\"\"d\"\"\",2,2.0\r\n\"line\r\nbreak\",3,3.0\r\n"},
	} {
		if got := encodeWith(t, test.format, test.o, risky()); got != test.want {
			t.Errorf("%s:\n%q\nwant:\n%q", test.name, got, test.want)
		}
	}
	empty := risky()
	empty.Batches = nil
	if got := encodeWith(t, "csv", Options{Header: "none"}, empty); got != "" {
		t.Errorf("nothing is %q", got)
	}
	one := parquettest.Table{Fields: []catalog.Field{{Name: "a", Type: catalog.String}}, Batches: []*table.Batch{{Len: 3, Columns: []table.Vector{
		{Type: catalog.String, Text: []string{"NA", "", ""}, Null: []bool{false, true, false}},
	}}}}
	if got := encodeWith(t, "tsv", Options{}, one); got != "a\nNA\n\"\"\n\"\"\n" {
		t.Errorf("one column: %q", got)
	}
	if got := encodeWith(t, "tsv", Options{Null: "NA"}, one); got != "a\n\"NA\"\nNA\n\"\"\n" {
		t.Errorf("one column with a word for null: %q", got)
	}
}

// TestDialectsReadBack: whatever the marks, encoding/csv reads the same values,
// and other batches give the same bytes.
func TestDialectsReadBack(t *testing.T) {
	whole := parquettest.Random(parquettest.AllTypes(), parquettest.Options{Seed: 5, Rows: 6000, Nulls: 0.1, Batch: 6000})
	parts := parquettest.Table{Fields: whole.Fields, Batches: cut(whole.Batches[0], 77)}
	for _, delimiter := range []string{"", ";", "|", "\t", "!", "~", "、", "¦"} {
		for _, o := range []Options{{}, {Null: "∅"}, {Newline: "crlf", BOM: true}, {Spreadsheet: true}} {
			o.Delimiter = delimiter
			got := encodeWith(t, "csv", o, whole)
			if encodeWith(t, "csv", o, parts) != got {
				t.Errorf("%+v: other batches give other bytes", o)
			}
			r := csv.NewReader(strings.NewReader(strings.TrimPrefix(got, "\ufeff")))
			r.Comma = []rune(o.delimiter("csv"))[0]
			records, err := r.ReadAll()
			if err != nil {
				t.Fatalf("%+v: %v", o, err)
			}
			for i, row := range whole.Texts() {
				for j, s := range row {
					want := o.Null
					if s != nil {
						want = *s
						if k := kindOf(whole.Fields[j].Type, whole.Fields[j].Precision); o.Spreadsheet && k >= kindText && startsFormula(*s) {
							want = "'" + want
						}
						want = strings.ReplaceAll(want, "\r\n", "\n") // as encoding/csv reads it
					}
					if records[i+1][j] != want {
						t.Fatalf("%+v, row %d, column %d: %q, want %q", o, i, j, records[i+1][j], want)
					}
				}
			}
		}
	}
}

func TestDigestTellsLabelsApart(t *testing.T) {
	m := metaOf(risky().Fields)
	plain := m.Digest("csv")
	m.Options.Header = "en"
	en := m.Digest("csv")
	m.Fields[0].Label.En = "Title"
	if plain != "" || en == "" || m.Digest("csv") == en {
		t.Errorf("%q, %q, %q", plain, en, m.Digest("csv"))
	}
}
