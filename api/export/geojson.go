package export

import (
	"io"
	"math"
	"strconv"

	"taihu/catalog"
	"taihu/catalog/table"
)

// geoEncoder writes a GeoJSON FeatureCollection (RFC 7946): a feature a line, the
// row's place as a point, every column among its properties as in JSON. A row
// whose coordinates are null or no place of the earth has a null geometry.
type geoEncoder struct {
	json                jsonEncoder // its columns and keys
	longitude, latitude int
}

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

func newGeoJSON(w io.Writer, m Meta) (*geoEncoder, error) {
	longitude, latitude, err := coordinates(m.Fields)
	if err != nil {
		return nil, err
	}
	e := &geoEncoder{json: *newJSON(w, m, false), longitude: longitude, latitude: latitude}
	e.json.out.buf = append(e.json.out.buf, `{"type":"FeatureCollection","features":[`...)
	return e, nil
}

func (e *geoEncoder) Write(b *table.Batch) error {
	j := &e.json
	if j.out.err == nil {
		j.out.err = match(j.columns, b)
	}
	if j.out.err != nil {
		return j.out.err
	}
	for i := range b.Len {
		buf := j.out.buf
		if j.rows {
			buf = append(buf, ',')
		}
		j.rows = true
		buf = append(buf, "\n{\"type\":\"Feature\",\"geometry\":"...)
		buf = e.appendPoint(buf, b, i)
		buf = append(buf, `,"properties":`...)
		for k := range j.columns {
			buf = append(buf, j.keys[k]...)
			buf = j.columns[k].appendJSON(buf, &b.Columns[k], i)
		}
		j.out.buf = append(buf, '}', '}')
		if len(j.out.buf) >= flushBytes {
			if err := j.out.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendPoint appends the place of row i, its coordinates as exact as they are.
func (e *geoEncoder) appendPoint(dst []byte, b *table.Batch, i int) []byte {
	x, y := &b.Columns[e.longitude], &b.Columns[e.latitude]
	if !within(x, i, 180) || !within(y, i, 90) {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"type":"Point","coordinates":[`...)
	dst = e.json.columns[e.longitude].append(dst, x, i)
	dst = append(dst, ',')
	dst = e.json.columns[e.latitude].append(dst, y, i)
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

func (e *geoEncoder) Close() error {
	if o := &e.json.out; o.err == nil {
		if e.json.rows {
			o.buf = append(o.buf, '\n')
		}
		o.buf = append(o.buf, ']', '}', '\n')
	}
	return e.json.Close()
}
