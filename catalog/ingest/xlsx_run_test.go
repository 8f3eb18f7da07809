package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"taihu/catalog"
)

// TestReadersRun takes a workbook, JSON and Parquet through the whole of ingest:
// the types that come out are those the file's cells speak for.
func TestReadersRun(t *testing.T) {
	book := oneSheet(`<row r="1">` + text("A1", "日期") + text("B1", "数量") + text("C1", "编号") + text("D1", "有效") + text("E1", "比率") + `</row>` +
		`<row r="2"><c r="A2" s="1"><v>45351</v></c><c r="B2"><v>3</v></c>` + text("C2", "007") + `<c r="D2" t="b"><v>1</v></c><c r="E2"><v>0.25</v></c></row>` +
		`<row r="3"><c r="A3" s="1"><v>45352</v></c><c r="B3"><v>4</v></c>` + text("C3", "12") + `<c r="D3" t="b"><v>0</v></c><c r="E3"><v>1.5</v></c></row>`)
	book.formats = []string{`yyyy"年"m"月"d"日"`}
	type row struct {
		N int64   `parquet:"n"`
		S *string `parquet:"s,optional"`
		D int32   `parquet:"d,date"`
		M int64   `parquet:"m,decimal(2:10)"`
	}
	null := "null"
	tests := []struct{ name, path, want string }{
		{"a.xlsx", book.write(t), "日期 date, 数量 integer, 编号 text, 有效 boolean, 比率 number; 2 rows"},
		{"a.json", writeFile(t, "a.json", []byte(`[{"n":1,"s":"1","o":{"a":1}},{"n":2,"s":"2","o":[1]}]`)), "n integer, s text, o json; 2 rows"},
		{"a.parquet", writeFile(t, "a.parquet", writeParquet(t, []row{{1, &null, 19782, 150}, {2, nil, 19783, 25}})), "n integer, s text, d date, m decimal(10,2); 2 rows"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := Run(context.Background(), Request{Path: test.path, Name: test.name, OutDir: t.TempDir()}, memoryProfiler{t})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Report.Accepted || len(r.Tables) != 1 {
				t.Fatalf("refused: %+v", r.Report.Findings)
			}
			var columns []string
			for _, f := range r.Tables[0].Table.Schema.Fields {
				c := f.Name + " " + string(f.Type)
				if f.Type == catalog.Decimal {
					c += fmt.Sprintf("(%d,%d)", f.Precision, f.Scale)
				}
				columns = append(columns, c)
			}
			if got := fmt.Sprintf("%s; %d rows", strings.Join(columns, ", "), r.Tables[0].Table.Rows); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
