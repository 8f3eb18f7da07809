package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taihu/catalog"
)

// TestJSONShapes: nested objects, arrays under a key, GeoJSON.
func TestJSONShapes(t *testing.T) {
	wide := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":%d`, i, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	feature := func(properties, geometry string) string {
		return `{"type":"Feature","id":7,"geometry":` + geometry + `,"properties":` + properties + `}`
	}
	collection := func(features ...string) string {
		return `{"type":"FeatureCollection","crs":null,"features":[` + strings.Join(features, ",") + `],"bbox":[1,2,3,4]}`
	}
	point, line := `{"coordinates":[120.30,31.50,4],"type":"Point"}`, `{"type":"LineString","coordinates":[[1,2],[3,4]]}`
	for _, c := range []struct {
		name, file, content string
		o                   catalog.IngestOptions
		want, codes         string // codes alone: a refusal or attachment
	}{
		{"objects are taken apart", "a.json", `[{"id":1,"p":{"x":1,"q":{"y":"甲"}},"n":5},{"id":2,"p":null},{"p":{"z":[1]},"id":3}]`, catalog.IngestOptions{},
			"id|p.x|p.q.y|p.z|n\n1|1|甲|∅|5\n2|∅|∅|∅|∅\n3|∅|∅|[1]|∅", "flattened nested_values"},
		{"not where there is anything else", "a.json", `[{"p":{"x":1}},{"p":[2]},{"p":null}]`, catalog.IngestOptions{}, "p\n{\"x\":1}\n[2]\n∅", "!flattened nested_values"},
		{"not where they are empty", "a.json", `[{"p":{}},{"p":{}}]`, catalog.IngestOptions{}, "p\n{}\n{}", "!flattened"},
		{"down to four keys", "a.ndjson", `{"a":{"b":{"c":{"d":{"e":1},"f":2}}}}`, catalog.IngestOptions{}, "a.b.c.d|a.b.c.f\n{\"e\":1}|2", "flattened nested_values"},
		{"a map is kept", "a.ndjson", `{"id":1,"p":` + wide(maxFlatKeys+1) + `}`, catalog.IngestOptions{}, "id|p\n1|" + wide(maxFlatKeys+1), "!flattened nested_values"},
		{"a key that looks like two", "a.ndjson", `{"a.b":1,"a":{"b":2}}`, catalog.IngestOptions{}, "a.b|a.b_2\n1|2", "duplicate_header"},
		{"under a key", "a.json", `{"code":0,"data":[{"a":1},{"a":2}],"total":2}`, catalog.IngestOptions{}, "a\n1\n2", "records_found"},
		{"under two keys, beside fields", "a.json", `{"success":true,"result":{"fields":[{"id":"a"}],"records":[{"a":1}],"x":{"y":[]}},"help":""}`, catalog.IngestOptions{}, "a\n1", "records_found"},
		{"where it is stated", "a.json", `{"x":{"a":[{"n":1}],"b":[{"n":2}]}}`, catalog.IngestOptions{Path: "x.b"}, "n\n2", "records_found"},
		{"stated wrongly", "a.json", `{"x":{"a":[{"n":1}],"b":[{"n":2}]}}`, catalog.IngestOptions{Path: "x.c"}, "", "unknown_path"},
		{"stated of an array", "a.json", `[{"n":1}]`, catalog.IngestOptions{Path: "x"}, "", "unknown_path"},
		{"several", "a.json", `{"x":{"a":[{"n":1}],"b":[{"n":2}]}}`, catalog.IngestOptions{}, "", "not_flat"},
		{"one object", "a.json", `{"x":{"a":[1,2]}}`, catalog.IngestOptions{}, "", "not_flat"},
		{"an array of a record", "a.ndjson", `{"x":[{"n":1}]}`, catalog.IngestOptions{}, "x\n[{\"n\":1}]", "nested_values !records_found"},
		{"objects after one another", "a.json", "{\"x\":[{\"n\":1}]}\n{\"x\":[]}", catalog.IngestOptions{}, "x\n[{\"n\":1}]\n[]", "!records_found"},
		{"a key twice within", "a.json", `[{"a":{"b":1,"b":2}}]`, catalog.IngestOptions{}, "", "duplicate_key"},
		{"a key twice in a map", "a.json", `[{"p":` + strings.Replace(wide(maxFlatKeys+50), `"k240":240`, `"k1":1`, 1) + `}]`, catalog.IngestOptions{}, "", "duplicate_key"},
		{"points", "a.geojson", collection(feature(`{"名称":"a","p":{"x":1}}`, point), feature(`{"名称":"b"}`, "null"), feature("null", point)), catalog.IngestOptions{},
			"名称|p.x|id|geometry|longitude|latitude\na|1|7|{\"coordinates\":[120.30,31.50,4],\"type\":\"Point\"}|120.30|31.50\nb|∅|7|∅|∅|∅\n∅|∅|7|{\"coordinates\":[120.30,31.50,4],\"type\":\"Point\"}|120.30|31.50", "geojson_read flattened !nested_values"},
		{"points and lines", "a.json", collection(feature(`{"n":1}`, line), feature(`{"n":2}`, point)), catalog.IngestOptions{},
			"n|id|geometry|longitude|latitude\n1|7|{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}|∅|∅\n2|7|{\"coordinates\":[120.30,31.50,4],\"type\":\"Point\"}|120.30|31.50", "geojson_read"},
		{"lines", "a.geojson", collection(feature(`{"n":1}`, line)), catalog.IngestOptions{}, "n|id|geometry\n1|7|{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}", "geojson_read"},
		{"the names are taken", "a.geojson", collection(feature(`{"Longitude":1}`, point)), catalog.IngestOptions{}, "Longitude|id|geometry\n1|7|{\"coordinates\":[120.30,31.50,4],\"type\":\"Point\"}", "geojson_read"},
		{"a property called geometry", "a.geojson", collection(feature(`{"geometry":"x","id":8}`, line)), catalog.IngestOptions{}, "geometry|id|id_2|geometry_2\nx|8|7|{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}", "duplicate_header"},
		{"gzip", "a.geojson.gz", "", catalog.IngestOptions{}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.content == "" {
				c.content, c.want, c.codes = string(gzipped(t, "a", collection(feature(`{"n":1}`, line)))), "n|id|geometry\n1|7|{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}", "geojson_read"
			}
			r := ingestBytes(t, c.file, []byte(c.content), c.o)
			if got := shown(t, r); got != c.want {
				t.Errorf("got\n%s\nwant\n%s\n%s", got, c.want, summary(r))
			}
			wantCodes(t, r, c.codes)
		})
	}
}

// TestGeoJSONReal reads a real collection of points: every feature a row, its
// coordinates those of the point.
func TestGeoJSONReal(t *testing.T) {
	path := filepath.Join(sharedData(t, "tables", "vega"), "earthquakes.json")
	r := ingestFile(t, path, "earthquakes.json", catalog.IngestOptions{})
	if len(r.Tables) != 1 {
		t.Fatal(summary(r))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fields := r.Tables[0].Table.Schema.Fields
	last := len(fields) - 1
	if n := strings.Count(string(text), `"type":"Feature"`); int64(n) != r.Tables[0].Table.Rows || fields[last].Name != "latitude" || fields[last].Type != catalog.Number {
		t.Fatalf("%d features, %d rows, %s %s", n, r.Tables[0].Table.Rows, fields[last].Name, fields[last].Type)
	}
	at := r.Tables[0].Table.Schema.Index("geometry")
	for _, row := range cells(t, r.Tables[0].TextPath) {
		if geometry, want := row[at+1], `{"type":"Point","coordinates":[`+row[last]+","+row[last+1]+","; !strings.HasPrefix(geometry, want) {
			t.Fatalf("%s, want %s", geometry, want)
		}
	}
}
