package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/parquet-go/parquet-go"

	"taihu/api"
	"taihu/catalog"
)

// grid is a table as text: canonical forms (architecture.md §6), nil is null.
type grid struct {
	names []string
	rows  [][]*string
}

func text(s string) *string { return &s }

// readBack reads an export of any format with readers that share no code with
// the encoders.
func readBack(t *testing.T, format string, body []byte, columns []api.Column) grid {
	t.Helper()
	switch format {
	case "csv":
		return readCSV(t, body, ',', len(columns))
	case "tsv":
		return readCSV(t, body, '\t', len(columns))
	case "geojson":
		return readGeoJSON(t, body, columns)
	case "arrow":
		return readArrow(t, body, columns)
	case "xml":
		return readXML(t, body)
	case "json", "ndjson":
		return readJSON(t, body, format == "json", columns)
	case "xlsx":
		return readXLSX(t, body, columns)
	case "parquet":
		return readParquet(t, body, columns)
	}
	t.Fatalf("no reader for %s", format)
	return grid{}
}

// readCSV tells null (nothing) from empty text (""), which encoding/csv does not.
func readCSV(t *testing.T, body []byte, comma byte, columns int) grid {
	t.Helper()
	var all [][]*string
	var row []*string
	for i := 0; i < len(body); {
		var cell *string
		if body[i] == '"' {
			var b strings.Builder
			for i++; ; i++ {
				if body[i] != '"' {
					b.WriteByte(body[i])
				} else if i+1 < len(body) && body[i+1] == '"' {
					b.WriteByte('"')
					i++
				} else {
					break
				}
			}
			i++
			cell = text(b.String())
			if columns == 1 && *cell == "" {
				cell = nil // the one-column rule
			}
		} else {
			n := bytes.IndexAny(body[i:], string(comma)+"\n")
			if n > 0 {
				cell = text(string(body[i : i+n]))
			}
			i += n
		}
		row = append(row, cell)
		if body[i] == '\n' {
			all, row = append(all, row), nil
		}
		i++
	}
	g := grid{rows: all[1:]}
	for _, c := range all[0] {
		g.names = append(g.names, *c)
	}
	return g
}

func readJSON(t *testing.T, body []byte, array bool, columns []api.Column) grid {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var g grid
	if array {
		if _, err := dec.Token(); err != nil {
			t.Fatal(err)
		}
	}
	for dec.More() {
		var object map[string]any
		if err := dec.Decode(&object); err != nil {
			t.Fatalf("JSON row %d: %v", len(g.rows)+1, err)
		}
		if len(object) != len(columns) {
			t.Fatalf("JSON row %d has %d members, want %d", len(g.rows)+1, len(object), len(columns))
		}
		row := make([]*string, len(columns))
		for i, c := range columns {
			switch v := object[c.Name].(type) {
			case nil:
			case string:
				row[i] = text(v)
			case json.Number:
				row[i] = text(v.String())
			case bool:
				row[i] = text(strconv.FormatBool(v))
			default:
				b, _ := json.Marshal(v)
				row[i] = text(string(b))
			}
		}
		g.rows = append(g.rows, row)
	}
	for _, c := range columns {
		g.names = append(g.names, c.Name)
	}
	return g
}

// readGeoJSON reads the properties.
func readGeoJSON(t *testing.T, body []byte, columns []api.Column) grid {
	t.Helper()
	var collection struct {
		Features []struct{ Properties json.RawMessage }
	}
	if err := json.Unmarshal(body, &collection); err != nil {
		t.Fatalf("GeoJSON: %v", err)
	}
	var lines []byte
	for _, f := range collection.Features {
		lines = append(lines, f.Properties...)
	}
	return readJSON(t, lines, false, columns)
}

func readXML(t *testing.T, body []byte) grid {
	t.Helper()
	unpack := func(s string) string {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatalf("XML: %v", err)
		}
		return string(b)
	}
	var file struct {
		Rows []struct {
			Columns []struct {
				Name     string `xml:"name,attr"`
				Packed   string `xml:"base64-name,attr"`
				Null     bool   `xml:"null,attr"`
				Encoding string `xml:"encoding,attr"`
				Text     string `xml:",chardata"`
			} `xml:"column"`
		} `xml:"row"`
	}
	if err := xml.Unmarshal(body, &file); err != nil {
		t.Fatalf("XML: %v", err)
	}
	var g grid
	for i, r := range file.Rows {
		row := make([]*string, len(r.Columns))
		for j, c := range r.Columns {
			if c.Encoding == "base64" {
				c.Text = unpack(c.Text)
			}
			if !c.Null {
				row[j] = &c.Text
			}
			if i == 0 {
				g.names = append(g.names, c.Name+unpack(c.Packed))
			}
		}
		g.rows = append(g.rows, row)
	}
	return g
}

func readArrow(t *testing.T, body []byte, columns []api.Column) grid {
	t.Helper()
	r, err := ipc.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("Arrow: %v", err)
	}
	defer r.Release()
	var g grid
	for _, f := range r.Schema().Fields() {
		g.names = append(g.names, f.Name)
	}
	for r.Next() {
		b := r.RecordBatch()
		for i := range int(b.NumRows()) {
			row := make([]*string, len(columns))
			for j := range columns {
				if c := b.Column(j); !c.IsNull(i) {
					row[j] = text(arrowText(c, i, columns[j]))
				}
			}
			g.rows = append(g.rows, row)
		}
	}
	if r.Err() != nil {
		t.Fatalf("Arrow: %v", r.Err())
	}
	return g
}

func arrowText(column arrow.Array, i int, c api.Column) string {
	switch v := column.(type) {
	case *array.Float64:
		return string(catalog.AppendNumber(nil, v.Value(i)))
	case *array.Date32:
		return string(catalog.AppendDate(nil, int64(v.Value(i))))
	case *array.Time64:
		return string(catalog.AppendTime(nil, int64(v.Value(i))))
	case *array.Timestamp:
		zone, _ := time.Parse("Z07:00", c.Zone)
		_, offset := zone.Zone()
		return string(catalog.AppendDatetime(nil, int64(v.Value(i))+int64(offset)*1e6, c.Zone))
	case *array.Decimal128:
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.Scale)), nil)
		return new(big.Rat).SetFrac(v.Value(i).BigInt(), scale).FloatString(c.Scale)
	}
	return column.ValueStr(i)
}

var excelEscape = regexp.MustCompile(`_x([0-9A-Fa-f]{4})_`)

func unescapeExcel(s string) string {
	return excelEscape.ReplaceAllStringFunc(s, func(m string) string {
		n, _ := strconv.ParseUint(m[2:6], 16, 32)
		return string(rune(n))
	})
}

// readXLSX reads the sheets' XML itself, so that a missing cell and an empty
// text can be told apart.
func readXLSX(t *testing.T, body []byte, columns []api.Column) grid {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatalf("XLSX: %v", err)
	}
	f, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatalf("XLSX: %v", err)
	}
	defer f.Close()
	type cell struct {
		Ref    string   `xml:"r,attr"`
		Type   string   `xml:"t,attr"`
		Value  *string  `xml:"v"`
		Inline []string `xml:"is>t"`
	}
	var g grid
	dec := xml.NewDecoder(f)
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("XLSX: %v", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "row" {
			continue
		}
		var r struct {
			Cells []cell `xml:"c"`
		}
		if err := dec.DecodeElement(&r, &start); err != nil {
			t.Fatalf("XLSX: %v", err)
		}
		row := make([]*string, len(columns))
		for i, c := range r.Cells {
			at := i
			if c.Ref != "" {
				at = columnIndex(c.Ref)
			}
			switch {
			case c.Type == "inlineStr":
				row[at] = text(unescapeExcel(strings.Join(c.Inline, "")))
			case c.Type == "str":
				row[at] = text(unescapeExcel(*c.Value))
			case c.Type == "b":
				row[at] = text(strconv.FormatBool(*c.Value == "1"))
			case len(g.names) == 0:
				t.Fatalf("XLSX header cell of type %q", c.Type)
			default:
				row[at] = text(fromSerial(t, *c.Value, columns[at]))
			}
		}
		if g.names == nil {
			for _, c := range row {
				g.names = append(g.names, *c)
			}
			continue
		}
		g.rows = append(g.rows, row)
	}
	return g
}

func columnIndex(ref string) int {
	n := 0
	for _, r := range ref {
		if r < 'A' {
			break
		}
		n = n*26 + int(r-'A') + 1
	}
	return n - 1
}

// fromSerial turns a number of a sheet into the canonical text of its column.
func fromSerial(t *testing.T, v string, c api.Column) string {
	t.Helper()
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		t.Fatalf("XLSX number %q: %v", v, err)
	}
	epoch := catalog.DaysOf(1899, 12, 30)
	switch c.Type {
	case catalog.Date:
		return string(catalog.AppendDate(nil, epoch+int64(f)))
	case catalog.Datetime:
		return string(catalog.AppendDatetime(nil, epoch*86400e6+int64(math.Round(f*86400e3))*1000, c.Zone))
	case catalog.Time:
		return string(catalog.AppendTime(nil, int64(math.Round(f*86400e3))*1000))
	case catalog.Number:
		return string(catalog.AppendNumber(nil, f))
	case catalog.Decimal:
		return new(big.Rat).SetFloat64(f).FloatString(c.Scale)
	}
	return v
}

func readParquet(t *testing.T, body []byte, columns []api.Column) grid {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatalf("Parquet: %v", err)
	}
	var g grid
	for _, field := range f.Schema().Fields() {
		g.names = append(g.names, field.Name())
	}
	reader := parquet.NewReader(f)
	defer reader.Close()
	rows := make([]parquet.Row, 1000)
	for {
		n, err := reader.ReadRows(rows)
		for _, r := range rows[:n] {
			row := make([]*string, len(columns))
			for _, v := range r {
				if !v.IsNull() {
					row[v.Column()] = text(parquetText(v, columns[v.Column()]))
				}
			}
			g.rows = append(g.rows, row)
		}
		if errors.Is(err, io.EOF) {
			return g
		}
		if err != nil {
			t.Fatalf("Parquet: %v", err)
		}
	}
}

func parquetText(v parquet.Value, c api.Column) string {
	switch c.Type {
	case catalog.Boolean:
		return strconv.FormatBool(v.Boolean())
	case catalog.Integer:
		return strconv.FormatInt(v.Int64(), 10)
	case catalog.Number:
		return string(catalog.AppendNumber(nil, v.Double()))
	case catalog.Date:
		return string(catalog.AppendDate(nil, int64(v.Int32())))
	case catalog.Time:
		return string(catalog.AppendTime(nil, v.Int64()))
	case catalog.Datetime:
		return string(catalog.AppendDatetime(nil, v.Int64(), c.Zone))
	case catalog.Decimal:
		unscaled := big.NewInt(0)
		if v.Kind() == parquet.Int64 {
			unscaled.SetInt64(v.Int64())
		} else {
			b := v.ByteArray()
			unscaled.SetBytes(b)
			if len(b) > 0 && b[0] >= 0x80 {
				unscaled.Sub(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
			}
		}
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.Scale)), nil)
		return new(big.Rat).SetFrac(unscaled, scale).FloatString(c.Scale)
	}
	return string(v.ByteArray())
}

// firstDifference names the first cell in which two grids differ, or "".
func firstDifference(a, b grid) string {
	if fmt.Sprint(a.names) != fmt.Sprint(b.names) {
		return fmt.Sprintf("columns %q and %q", a.names, b.names)
	}
	if len(a.rows) != len(b.rows) {
		return fmt.Sprintf("%d and %d rows", len(a.rows), len(b.rows))
	}
	show := func(s *string) string {
		if s == nil {
			return "null"
		}
		return strconv.Quote(*s)
	}
	for r := range a.rows {
		for c := range a.names {
			if x, y := show(a.rows[r][c]), show(b.rows[r][c]); x != y {
				return fmt.Sprintf("row %d, column %s: %s and %s", r+1, a.names[c], x, y)
			}
		}
	}
	return ""
}
