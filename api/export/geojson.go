package export

import (
	"io"
	"math"
	"strconv"

	"taihu/catalog"
	"taihu/catalog/table"
)

// coordinates finds the columns of a place, or says what to take instead.
func coordinates(fields []catalog.Field) (longitude, latitude int, err error) {
	s := catalog.Schema{Fields: fields}
	longitude, latitude, ok := table.Coordinates(&s)
	if !ok {
		err = catalog.Errorf(catalog.Invalid, "no_coordinates", "GeoJSON needs a pair of columns with longitude and latitude, and this answer has none, or several: take json, or select one such pair").
			With("format", "geojson").With("columns", s.Names()).
			InChinese("GeoJSON要求结果中有一对经纬度列，而这里没有，或不止一对：请改用json，或用select只选一对")
	}
	return longitude, latitude, err
}

// newGeoJSON writes a FeatureCollection (RFC 7946): a feature a line, the row's
// place as a point, every column among its properties as in JSON. A row whose
// coordinates are null or no place of the earth has a null geometry.
func newGeoJSON(w io.Writer, m Meta) (*rowsEncoder, error) {
	longitude, latitude, err := coordinates(m.Fields)
	if err != nil {
		return nil, err
	}
	e := &rowsEncoder{out: output{w: w}, columns: columnsOf(m.Fields), lead: 1, end: "\n]}\n", none: "]}\n"}
	e.out.buf = append(e.out.buf, `{"type":"FeatureCollection","features":[`...)
	keys := jsonKeys(e.columns)
	e.row = func(dst []byte, columns []column, b *table.Batch, i int) []byte {
		dst = append(dst, ",\n{\"type\":\"Feature\",\"geometry\":"...)
		dst = appendPoint(dst, columns, b, longitude, latitude, i)
		dst = append(dst, `,"properties":`...)
		for j := range columns {
			dst = append(dst, keys[j]...)
			dst = columns[j].appendJSON(dst, &b.Columns[j], i)
		}
		return append(dst, "}}"...)
	}
	return e, nil
}

// appendPoint appends the place of row i, its coordinates as exact as they are.
func appendPoint(dst []byte, columns []column, b *table.Batch, longitude, latitude, i int) []byte {
	x, y := &b.Columns[longitude], &b.Columns[latitude]
	if !within(x, i, 180) || !within(y, i, 90) {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"type":"Point","coordinates":[`...)
	dst = columns[longitude].append(dst, x, i)
	dst = append(dst, ',')
	dst = columns[latitude].append(dst, y, i)
	return append(dst, ']', '}')
}

// within reports whether row i of a column of numbers is one from -most to most.
func within(v *table.Vector, i int, most float64) bool {
	if v.IsNull(i) {
		return false
	}
	var x float64
	switch {
	case v.Type == catalog.Number:
		x = v.Num[i]
	case v.Type == catalog.Decimal && table.Wide(v.Precision):
		var err error
		if x, err = strconv.ParseFloat(v.Text[i], 64); err != nil {
			return false
		}
	default:
		x = float64(v.Int[i]) / math.Pow10(v.Scale)
	}
	return math.Abs(x) <= most // false for NaN
}
