package ingest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taihu/catalog"
)

func TestJSON(t *testing.T) {
	tests := []struct{ name, file, content, want string }{
		{"array", "a.json", `[{"a":1,"b":"x"},{"b":null,"c":true}]`, "a|b|c\n1|x|∅\n∅|∅|true"},
		{"NDJSON", "a.ndjson", "{\"a\":1}\n{\"a\":2}\n", "a\n1\n2"},
		{"NDJSON with CRLF and blank lines", "a.jsonl", "{\"a\":1}\r\n\r\n{\"a\":2}", "a\n1\n2"},
		{"NDJSON of one line", "a.ndjson", `{"a":1}`, "a\n1"},
		{"objects written over lines", "a.json", "{\n\"a\": 1\n}\n{\n\"a\": 2\n}", "a\n1\n2"},
		{"byte order mark", "a.json", "\xef\xbb\xbf[{\"a\":1}]", "a\n1"},
		{"numbers as written", "a.json", `[{"a":1.50},{"a":1E400},{"a":-0},{"a":12345678901234567890123},{"a":0.1e-7}]`, "a\n1.50\n1E400\n-0\n12345678901234567890123\n0.1e-7"},
		{"a long number", "a.json", `[{"a":` + strings.Repeat("1", 100) + `}]`, "a\n" + strings.Repeat("1", 100)},
		{"empty text and null", "a.json", `[{"a":""},{"a":null},{}]`, "a\n\n∅\n∅"},
		{"escapes", "a.json", `[{"a":"\"\\\/\b\f\n\r\t\u592a\ud83d\ude00"}]`, "a\n\"\\/\b\f\n\r\t太😀"},
		{"nested", "a.json", `[{"a":[1, {"b" : "x\u000a\u4e2d"} ]},{"a":{ }},{"a":[]}]`, "a\n[1,{\"b\":\"x\\n中\"}]\n{}\n[]"},
		{"Chinese keys", "a.json", `[{"\u533a":"滨湖区"}]`, "区\n滨湖区"},
		{"empty object among others", "a.json", `[{},{"a":1}]`, "a\n∅\n1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tables, _, err := readFile(t, writeFile(t, test.file, []byte(test.content)), test.file, catalog.IngestOptions{}, openJSON)
			if err != nil {
				t.Fatal(err)
			}
			if got := tables[0].text(); len(tables) != 1 || got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestJSONKinds(t *testing.T) {
	tables, findings, err := readFile(t, writeFile(t, "a.json", []byte(`[{"a":1},{"a":"1"},{"a":[1]},{"a":false}]`)), "a.json", catalog.IngestOptions{}, openJSON)
	if err != nil {
		t.Fatal(err)
	}
	want := []Kind{Plain, Textual, Nested, Plain}
	for i, k := range tables[0].Kinds {
		if k[0] != want[i] {
			t.Errorf("row %d: kind %d, want %d", i, k[0], want[i])
		}
	}
	if len(findings) != 1 || findings[0].Code != "nested_values" || findings[0].Column != "a" || findings[0].Count != 1 {
		t.Errorf("findings %+v", findings)
	}
}

func TestJSONRefused(t *testing.T) {
	tests := []struct {
		name, code, content string
		row                 int64
	}{
		{"a bad line", "malformed_json", "{\"a\":1}\n{\"a\":2}\n{\"a\":oops}\n{\"a\":4}\n", 3},
		{"a line that is no object", "malformed_json", "{\"a\":1}\n7\n", 2},
		{"cut off", "malformed_json", `[{"a":1},{"a":`, 1},
		{"cut off in a text", "malformed_json", `[{"a":"x`, 1},
		{"trailing comma", "malformed_json", "[{\"a\":1},\n]", 2},
		{"trailing comma in an object", "malformed_json", `[{"a":1,}]`, 1},
		{"no comma", "malformed_json", `[{"a":1}{"a":2}]`, 1},
		{"text after the end", "malformed_json", `[{"a":1}] x`, 1},
		{"NaN", "malformed_json", `[{"a":NaN}]`, 1},
		{"leading zero", "malformed_json", `[{"a":01}]`, 1},
		{"plus sign", "malformed_json", `[{"a":+1}]`, 1},
		{"single quotes", "malformed_json", `[{'a':1}]`, 1},
		{"bare word", "malformed_json", `[{"a":True}]`, 1},
		{"control character", "malformed_json", "[{\"a\":\"x\ny\"}]", 1},
		{"unknown escape", "malformed_json", `[{"a":"\x41"}]`, 1},
		{"half a surrogate pair", "malformed_json", `[{"a":"\ud83d"}]`, 1},
		{"wrong surrogate pair", "malformed_json", `[{"a":"\ud83d\u0041"}]`, 1},
		{"NUL", "malformed_json", `[{"a":"\u0000"}]`, 1},
		{"not UTF-8", "invalid_encoding", "[{\"a\":\"\xff\"}]", 1},
		{"a key twice", "duplicate_key", "[{\"a\":1},\n{\"b\":1,\"b\":2}]", 2},
		{"a key twice, written differently", "duplicate_key", `[{"a":1,"\u0061":2}]`, 1},
		{"a key twice inside", "duplicate_key", `[{"a":{"b":1,"b":2}}]`, 1},
		{"100,000 deep", "json_too_deep", `[{"a":` + strings.Repeat("[", 100_000), 1},
		{"a text beyond the limit", "cell_too_long", `[{"a":"` + strings.Repeat("x", 2<<20) + `"}]`, 1},
		{"a value beyond the limit", "cell_too_long", `[{"a":[` + strings.Repeat(`"xxxxxxxxxxxxxxx",`, 1<<17) + `1]}]`, 1},
		{"no rows", "no_tables", `[]`, 0},
		{"no keys", "no_tables", `[{},{}]`, 0},
		{"an object", "not_flat", `{"a":1}`, 0},
		{"GeoJSON without a property", "no_tables", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{}}]}`, 0},
		{"TopoJSON", "not_flat", `{"type":"Topology","objects":{},"arcs":[]}`, 0},
		{"several arrays", "not_flat", `{"a":[{"x":1}],"b":[{"x":1}]}`, 0},
		{"a fault behind the records", "malformed_json", "{\"data\":[{\"a\":1}],\n\"n\":}", 2},
		{"a fault before the records", "malformed_json", `{"n":,"data":[{"a":1}]}`, 1},
		{"something behind the object", "malformed_json", `{"data":[{"a":1}]} 5`, 1},
		{"an array of numbers", "not_flat", `[1,2,3]`, 1},
		{"an array of arrays", "not_flat", `[["a"],["b"]]`, 1},
		{"a number among objects", "not_flat", "[{\"a\":1},\n5]", 2},
		{"a broken array of numbers", "malformed_json", "[1,2,", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, "a.json", []byte(test.content))
			in := Input{Path: path, Name: "a.json", Limits: Limits{Cell: 1 << 20}.orDefault(), Report: &catalog.Report{}, Findings: &Findings{}}
			src, err := openJSON(in)
			if err == nil { // what only the second pass measures
				_, err = readSource(src)
			}
			if codeOf(err) != test.code {
				t.Fatalf("got %v, want %s", err, test.code)
			}
			if row := rowOf(err); row != test.row {
				t.Errorf("row %d, want %d: %v", row, test.row, err)
			}
		})
	}
}

// rowOf returns the place of a refusal or attachment.
func rowOf(err error) int64 {
	if a := asRefusal(err); a != nil {
		return a.Finding.Row
	}
	return -1
}

// TestJSONReal reads the JSON of shared/data and compares every value with
// encoding/json's.
func TestJSONReal(t *testing.T) {
	dir := filepath.Join(messy(t), "..", "tables")
	for file, want := range map[string]string{
		"vega/movies.json": "", "vega/gapminder.json": "", "china-divisions/pca-code.json": "",
		"vega/world-110m.json": "not_flat", "china-divisions/HK-MO-TW.json": "not_flat",
	} {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join(dir, filepath.FromSlash(file))
			tables, _, err := readFile(t, path, filepath.Base(path), catalog.IngestOptions{}, openJSON)
			if codeOf(err) != want {
				t.Fatalf("got %v, want %q", err, want)
			}
			if want != "" {
				return
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			compareJSON(t, content, &tables[0])
		})
	}
}

func compareJSON(t *testing.T, content []byte, table *readTable) {
	t.Helper()
	var objects []map[string]json.RawMessage
	if err := json.Unmarshal(content, &objects); err != nil {
		t.Fatal(err)
	}
	if len(objects) != len(table.Rows) {
		t.Fatalf("%d rows, want %d", len(table.Rows), len(objects))
	}
	for i, o := range objects {
		for j, column := range table.Header.Columns {
			if got, want := show(table.Rows[i][j]), rawText(t, o[column]); got != want {
				t.Fatalf("row %d, %s: %q, want %q", i, column, got, want)
			}
		}
	}
}

func show(cell *string) string {
	if cell == nil {
		return "∅"
	}
	return *cell
}

// rawText is what our reader should make of a raw JSON value.
func rawText(t *testing.T, raw json.RawMessage) string {
	switch {
	case raw == nil || string(raw) == "null":
		return "∅"
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		return s
	case raw[0] == '[' || raw[0] == '{':
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(raw); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(b.String())
	}
	return string(raw)
}

// FuzzJSON reads any bytes; what encoding/json takes as rows we take with equal
// values, but for what is refused on purpose.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`[{"a":1,"b":"x"},{"b":null}]`, "{\"a\":1}\n{\"a\":[1,{\"b\":2}]}", `[{"a":"\ud83d\ude00\n"}]`, `[{"a":-1.5e+3}]`, `{"type":"Topology"}`, `[[1],2]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		tables, _, err := readFile(t, writeFile(t, "a.json", content), "a.json", catalog.IngestOptions{}, openJSON)
		if err != nil {
			if asRefusal(err) == nil {
				t.Fatal(err)
			}
			return
		}
		if content[0] != '[' {
			return
		}
		if !json.Valid(content) {
			t.Fatalf("taken, but no JSON: %q", content)
		}
		compareJSON(t, content, &tables[0])
	})
}

func BenchmarkJSON(b *testing.B) {
	var s strings.Builder
	s.WriteByte('[')
	for i := range 200_000 {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `{"编号":%d,"名称":"监测点 %d 号","区":"滨湖区","数量":%d,"金额":%d.25,"有效":true,"备注":null}`, i, i, i*7, i)
	}
	s.WriteByte(']')
	path := writeFile(b, "a.json", []byte(s.String()))
	b.SetBytes(int64(s.Len()))
	defer reportCPU(b)()
	for b.Loop() {
		src, err := openJSON(Input{Path: path, Name: "a.json", Limits: Limits{}.orDefault(), Report: &catalog.Report{}, Findings: &Findings{}})
		if err != nil {
			b.Fatal(err)
		}
		h, _ := src.Next()
		var c Chunk
		for {
			c.Reset(len(h.Columns))
			if src.Read(&c) != nil {
				break
			}
		}
		src.Close()
	}
}
