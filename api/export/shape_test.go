package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

// encodeColumns gives a columnwise encoder a table as the query child does.
func encodeColumns(t testing.TB, x parquettest.Table) string {
	t.Helper()
	var buf bytes.Buffer
	m := metaOf(x.Fields)
	m.Options.Shape = "columns"
	e, err := New("json", &buf, m)
	if err != nil {
		t.Fatal(err)
	}
	for j := range x.Fields {
		if err := e.(*columnsEncoder).Next(); err != nil {
			t.Fatal(err)
		}
		for _, b := range x.Batches {
			if err := e.Write(&table.Batch{Len: b.Len, Columns: b.Columns[j : j+1]}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestShapes(t *testing.T) {
	arrays := Options{Shape: "arrays"}
	if got, want := encodeWith(t, "json", arrays, golden()), `{"columns":["站点","a,b","n","时间","on","j"],
"rows":[
["滨湖,\"水\"",12.50,0.1,"1970-01-01T00:00:00+08:00",true,{"a":[1, 2]}],
["",-0.05,1e+21,"1970-01-01T00:00:01.5+08:00",false,"x"],
[null,0.00,null,"1970-01-01T00:00:00+08:00",true,[]]
]}
`; got != want {
		t.Errorf("arrays: %s", got)
	}
	if got, want := encodeColumns(t, golden()), `{
"站点":["滨湖,\"水\"","",null],
"a,b":[12.50,-0.05,0.00],
"n":[0.1,1e+21,null],
"时间":["1970-01-01T00:00:00+08:00","1970-01-01T00:00:01.5+08:00","1970-01-01T00:00:00+08:00"],
"on":[true,false,true],
"j":[{"a":[1, 2]},"x",[]]
}
`; got != want {
		t.Errorf("columns: %s", got)
	}
	empty := parquettest.Table{Fields: golden().Fields[:1]}
	if got := encodeWith(t, "json", arrays, empty); got != "{\"columns\":[\"站点\"],\n\"rows\":[]}\n" {
		t.Errorf("arrays without rows: %s", got)
	}
	if got := encodeColumns(t, empty); got != "{\n\"站点\":[]\n}\n" {
		t.Errorf("columns without rows: %s", got)
	}
	if got := encodeWith(t, "json", arrays, parquettest.Table{}); got != "{\"columns\":[],\n\"rows\":[]}\n" {
		t.Errorf("arrays without columns: %s", got)
	}
	if got := encodeColumns(t, parquettest.Table{}); got != "{\n}\n" && got != "{}\n" {
		t.Errorf("columns without columns: %q", got)
	}
}

// TestShapesSayTheSame: the three shapes of a random table hold the same values.
func TestShapesSayTheSame(t *testing.T) {
	whole := parquettest.Random(parquettest.AllTypes(), parquettest.Options{Seed: 6, Rows: 3000, Nulls: 0.1, Batch: 3000})
	parts := parquettest.Table{Fields: whole.Fields, Batches: cut(whole.Batches[0], 71)}
	decode := func(text string, v any) {
		t.Helper()
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(v); err != nil {
			t.Fatal(err)
		}
	}
	var objects []map[string]any
	var arrays struct {
		Columns []string
		Rows    [][]any
	}
	var columns map[string][]any
	decode(string(encode(t, "json", whole)), &objects)
	a, c := encodeWith(t, "json", Options{Shape: "arrays"}, whole), encodeColumns(t, whole)
	if encodeWith(t, "json", Options{Shape: "arrays"}, parts) != a || encodeColumns(t, parts) != c {
		t.Error("other batches give other bytes")
	}
	decode(a, &arrays)
	decode(c, &columns)
	for i, o := range objects {
		for j, f := range whole.Fields {
			want := fmt.Sprint(o[f.Name])
			if x, y := fmt.Sprint(arrays.Rows[i][j]), fmt.Sprint(columns[f.Name][i]); x != want || y != want || arrays.Columns[j] != f.Name {
				t.Fatalf("row %d, %s: objects %s, arrays %s, columns %s", i, f.Name, want, x, y)
			}
		}
	}
}

func TestColumnsAreHeldToTheirOrder(t *testing.T) {
	fields := []catalog.Field{{Name: "a", Type: catalog.Integer}, {Name: "b", Type: catalog.String}}
	one := &table.Batch{Len: 1, Columns: []table.Vector{{Type: catalog.Integer, Int: []int64{1}}}}
	for name, f := range map[string]func(*columnsEncoder) error{
		"values first":  func(e *columnsEncoder) error { return e.Write(one) },
		"another type":  func(e *columnsEncoder) error { _, _ = e.Next(), e.Next(); return e.Write(one) },
		"ends early":    func(e *columnsEncoder) error { _ = e.Next(); return e.Close() },
		"one too many":  func(e *columnsEncoder) error { _, _ = e.Next(), e.Next(); return e.Next() },
		"a broken pipe": func(e *columnsEncoder) error { e.out.w = &brokenPipe{}; _, _ = e.Next(), e.Next(); return e.Close() },
	} {
		e := newJSONColumns(io.Discard, metaOf(fields))
		if f(e) == nil || e.Close() == nil || e.Next() == nil {
			t.Errorf("%s: goes on", name)
		}
	}
	many := make([]catalog.Field, maxColumnwise+1)
	if err := Check("json", Options{Shape: "columns"}, many); catalog.CodeOf(err) != "shape_limit" || catalog.KindOf(err) != catalog.Unprocessable {
		t.Error(err)
	}
	if err := Check("json", Options{Shape: "columns"}, many[1:]); err != nil {
		t.Error(err)
	}
}
