package export

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

// readGeoJSON reads the properties, and holds each geometry to the coordinates
// among them.
func readGeoJSON(t testing.TB, data []byte, fields []catalog.Field) [][]*string {
	t.Helper()
	var collection struct {
		Type     string
		Features []struct {
			Type     string
			Geometry *struct {
				Type        string
				Coordinates []json.Number
			}
			Properties json.RawMessage
		}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&collection); err != nil || collection.Type != "FeatureCollection" || collection.Features == nil {
		t.Fatalf("%v: %s", err, data[:min(len(data), 200)])
	}
	longitude, latitude, err := coordinates(fields)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]*string
	for i, f := range collection.Features {
		row := object(t, json.NewDecoder(bytes.NewReader(f.Properties)), fields)
		rows = append(rows, row)
		if f.Type != "Feature" {
			t.Fatalf("feature %d is a %s", i, f.Type)
		}
		x, y := row[longitude], row[latitude]
		switch placed := onEarth(x, 180) && onEarth(y, 90); {
		case !placed && f.Geometry == nil:
		case placed && f.Geometry != nil && f.Geometry.Type == "Point" && len(f.Geometry.Coordinates) == 2 &&
			f.Geometry.Coordinates[0].String() == *x && f.Geometry.Coordinates[1].String() == *y:
		default:
			t.Fatalf("feature %d: coordinates %v, %v and geometry %v", i, x, y, f.Geometry)
		}
	}
	return rows
}

func onEarth(s *string, most int64) bool {
	if s == nil {
		return false
	}
	x, ok := new(big.Rat).SetString(*s) // not for NaN and infinities
	return ok && x.Abs(x).Cmp(big.NewRat(most, 1)) <= 0
}

func TestGeoJSON(t *testing.T) {
	places := parquettest.Table{
		Fields: []catalog.Field{{Name: "名称", Type: catalog.String}, {Name: "Longitude", Type: catalog.Decimal, Precision: 9, Scale: 6}, {Name: "纬度", Type: catalog.Number}},
		Batches: []*table.Batch{{Len: 6, Columns: []table.Vector{
			{Type: catalog.String, Text: []string{"鼋头渚", "null", "north", "west", "NaN", ""}},
			{Type: catalog.Decimal, Precision: 9, Scale: 6, Int: []int64{120_229_000, 0, 180_000_000, -180_000_001, 0, -1}, Null: []bool{false, true, false, false, false, false}},
			{Type: catalog.Number, Num: []float64{31.5, 1, 90, 0, math.NaN(), math.Copysign(90, -1)}},
		}}},
	}
	const want = `{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Point","coordinates":[120.229000,31.5]},"properties":{"名称":"鼋头渚","Longitude":120.229000,"纬度":31.5}},
{"type":"Feature","geometry":null,"properties":{"名称":"null","Longitude":null,"纬度":1}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[180.000000,90]},"properties":{"名称":"north","Longitude":180.000000,"纬度":90}},
{"type":"Feature","geometry":null,"properties":{"名称":"west","Longitude":-180.000001,"纬度":0}},
{"type":"Feature","geometry":null,"properties":{"名称":"NaN","Longitude":0.000000,"纬度":"NaN"}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[-0.000001,-90]},"properties":{"名称":"","Longitude":-0.000001,"纬度":-90}}
]}
`
	if got := string(encode(t, "geojson", places)); got != want {
		t.Errorf("got %s", got)
	}
	places.Batches = nil
	if got := string(encode(t, "geojson", places)); got != "{\"type\":\"FeatureCollection\",\"features\":[]}\n" {
		t.Errorf("without rows: %s", got)
	}
	for _, fields := range [][]catalog.Field{nil, places.Fields[:2], append(places.Fields, catalog.Field{Name: "lat", Type: catalog.Integer})} {
		if _, err := New("geojson", nil, metaOf(fields)); catalog.CodeOf(err) != "no_coordinates" || catalog.KindOf(err) != catalog.Invalid {
			t.Errorf("%v: %v", fields, err)
		}
	}
}
