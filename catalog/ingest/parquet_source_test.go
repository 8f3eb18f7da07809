package ingest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/format"

	"taihu/catalog"
)

// parquetRow has one column of each type that parquet-go writes from Go.
type parquetRow struct {
	Bool    bool      `parquet:"bool"`
	Int8    int32     `parquet:"int8,optional"`
	Int64   int64     `parquet:"int64"`
	Uint32  uint32    `parquet:"uint32"`
	Uint64  uint64    `parquet:"uint64"`
	Float   float32   `parquet:"float"`
	Double  float64   `parquet:"double"`
	Text    *string   `parquet:"文字,optional"`
	Low     string    `parquet:"low,dict"`
	Enum    string    `parquet:"enum,enum"`
	JSON    string    `parquet:"json,json"`
	UUID    [16]byte  `parquet:"uuid,uuid"`
	Date    int32     `parquet:"date,date"`
	Clock   int64     `parquet:"clock,time(microsecond)"`
	Stamp   time.Time `parquet:"stamp,timestamp(millisecond:local)"`
	Instant time.Time `parquet:"instant,timestamp(microsecond:utc)"`
	Nanos   time.Time `parquet:"nanos,timestamp(nanosecond)"`
	Money   int64     `parquet:"money,decimal(2:18)"`
	Wide    [16]byte  `parquet:"wide,decimal(5:38)"`
}

func sampleRow() parquetRow {
	s := "太湖"
	at := time.Date(2024, 2, 29, 1, 2, 3, 4_000_000, time.UTC)
	r := parquetRow{Bool: true, Int8: -5, Int64: math.MinInt64, Uint32: math.MaxUint32, Uint64: math.MaxUint64, Float: 0.1, Double: 0.1, Text: &s,
		Low: "a", Enum: "e", JSON: `{"a": 1}`, UUID: [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}, Date: 19782, Clock: 3_723_000_001,
		Stamp: at, Instant: at, Nanos: at.Add(5), Money: -105}
	for i := range r.Wide {
		r.Wide[i] = 0xff
	}
	return r
}

func writeParquet[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewGenericWriter[T](&out, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestParquetTypes(t *testing.T) {
	empty := sampleRow()
	empty.Text, empty.Int8, empty.Double, empty.Float, empty.Date = nil, 0, math.Inf(-1), float32(math.NaN()), -719162
	content := writeParquet(t, []parquetRow{sampleRow(), empty})
	tables, _, err := readFile(t, writeFile(t, "a.parquet", content), "a.parquet", catalog.IngestOptions{}, openParquet)
	if err != nil {
		t.Fatal(err)
	}
	got := tables[0]
	want := []struct {
		name     string
		declared Declared
		first    string
	}{
		{"bool", Declared{Type: catalog.Boolean}, "true"},
		{"int8", Declared{Type: catalog.Integer}, "-5"},
		{"int64", Declared{Type: catalog.Integer}, "-9223372036854775808"},
		{"uint32", Declared{Type: catalog.Integer}, "4294967295"},
		{"uint64", Declared{Type: catalog.Decimal, Precision: 20}, "18446744073709551615"},
		{"float", Declared{Type: catalog.Number}, "0.1"},
		{"double", Declared{Type: catalog.Number}, "0.1"},
		{"文字", Declared{Type: catalog.String}, "太湖"},
		{"low", Declared{Type: catalog.String}, "a"},
		{"enum", Declared{Type: catalog.String}, "e"},
		{"json", Declared{Type: catalog.JSON}, `{"a": 1}`},
		{"uuid", Declared{Type: catalog.String}, "00010203-0405-0607-0809-0a0b0c0d0eff"},
		{"date", Declared{Type: catalog.Date}, "2024-02-29"},
		{"clock", Declared{Type: catalog.Time}, "01:02:03.000001"},
		{"stamp", Declared{Type: catalog.Datetime}, "2024-02-29T01:02:03.004"},
		{"instant", Declared{Type: catalog.Datetime, Zone: "Z"}, "2024-02-29T01:02:03.004Z"},
		{"nanos", Declared{}, "2024-02-29T01:02:03.004000005Z"},
		{"money", Declared{Type: catalog.Decimal, Precision: 18, Scale: 2}, "-1.05"},
		{"wide", Declared{Type: catalog.Decimal, Precision: 38, Scale: 5}, "-0.00001"},
	}
	if len(got.Header.Columns) != len(want) || len(got.Rows) != 2 {
		t.Fatalf("%d columns, %d rows", len(got.Header.Columns), len(got.Rows))
	}
	for i, w := range want {
		if got.Header.Columns[i] != w.name || got.Header.Declared[i] != w.declared || show(got.Rows[0][i]) != w.first {
			t.Errorf("%s %+v %q, want %s %+v %q", got.Header.Columns[i], got.Header.Declared[i], show(got.Rows[0][i]), w.name, w.declared, w.first)
		}
	}
	for name, w := range map[string]string{"文字": "∅", "int8": "∅", "double": "-Infinity", "float": "NaN", "date": "0001-01-01"} {
		for i := range want {
			if want[i].name == name && show(got.Rows[1][i]) != w {
				t.Errorf("second row, %s: %q, want %q", name, show(got.Rows[1][i]), w)
			}
		}
	}
}

// TestParquetGroups reads many rows over row groups and pages in every codec.
func TestParquetGroups(t *testing.T) {
	type row struct {
		N int64   `parquet:"n"`
		S *string `parquet:"s,optional,dict"`
	}
	rows := make([]row, 20_000)
	for i := range rows {
		rows[i].N = int64(i)
		if i%3 > 0 {
			s := fmt.Sprint("值", i%7)
			rows[i].S = &s
		}
	}
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
		content := writeParquet(t, rows, parquet.Compression(codec), parquet.MaxRowsPerRowGroup(7000), parquet.PageBufferSize(4096))
		tables, _, err := readFile(t, writeFile(t, "a.parquet", content), "a.parquet", catalog.IngestOptions{}, openParquet)
		if err != nil {
			t.Fatal(codec, err)
		}
		if len(tables[0].Rows) != len(rows) {
			t.Fatalf("%v: %d rows", codec, len(tables[0].Rows))
		}
		for i, r := range tables[0].Rows {
			want := "∅"
			if rows[i].S != nil {
				want = *rows[i].S
			}
			if show(r[0]) != fmt.Sprint(i) || show(r[1]) != want || tables[0].At[i] != int64(i+1) {
				t.Fatalf("%v row %d: %s %s", codec, i, show(r[0]), show(r[1]))
			}
		}
	}
}

func TestParquetRefused(t *testing.T) {
	type flat struct {
		A int64  `parquet:"a"`
		B string `parquet:"b"`
	}
	type nested struct {
		A []int64 `parquet:"a,list"`
	}
	type group struct {
		A struct{ B int64 } `parquet:"a"`
	}
	type raw struct {
		A []byte `parquet:"a"`
	}
	type broken struct {
		A string `parquet:"a,json"`
	}
	type flag struct {
		B bool `parquet:"b"`
	}
	runs := parquet.NewSchema("flag", parquet.Group{"b": parquet.Encoded(parquet.Leaf(parquet.BooleanType), &parquet.RLE)})
	good := writeParquet(t, []flat{{1, "x"}, {2, "y"}})
	patch := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		if at < 0 {
			at += len(c)
		}
		copy(c[at:], b)
		return c
	}
	footer := make([]byte, 4)
	binary.LittleEndian.PutUint32(footer, 1<<31)
	tests := []struct {
		name, code string
		content    []byte
	}{
		{"no leading PAR1", "malformed_parquet", patch(0, 'X')},
		{"cut off", "cut_archive", good[:len(good)-20]},
		{"only magic", "malformed_parquet", []byte("PAR1PAR1")},
		{"footer of 2^31 bytes", "malformed_parquet", patch(-8, footer...)},
		{"footer of no bytes", "malformed_parquet", patch(-8, 0, 0, 0, 0)},
		{"footer of nonsense", "malformed_parquet", append(append([]byte("PAR1"), bytes.Repeat([]byte{0xff}, 425)...), "\xa9\x01\x00\x00PAR1"...)},
		{"encrypted", "encrypted", append(append([]byte("PARE"), make([]byte, 100)...), "\x08\x00\x00\x00PARE"...)},
		{"encrypted footer alone", "encrypted", append(bytes.Clone(good[:len(good)-4]), "PARE"...)},
		{"Brotli", "unsupported_parquet", writeParquet(t, []flat{{1, "x"}}, parquet.Compression(&parquet.Brotli))},
		{"LZ4", "unsupported_parquet", writeParquet(t, []flat{{1, "x"}}, parquet.Compression(&parquet.Lz4Raw))},
		{"booleans in runs", "unsupported_parquet", writeParquet(t, []flag{{true}, {false}}, runs)},
		{"a list", "unsupported_parquet", writeParquet(t, []nested{{[]int64{1}}})},
		{"a struct", "unsupported_parquet", writeParquet(t, []group{{}})},
		{"bytes that are no text", "unsupported_parquet", writeParquet(t, []raw{{[]byte{0xff, 0xfe}}})},
		{"JSON that is none", "unsupported_parquet", writeParquet(t, []broken{{"{"}})},
		{"a date beyond the calendar", "unsupported_parquet", writeParquet(t, []struct {
			D int32 `parquet:"d,date"`
		}{{math.MaxInt32}})},
		{"a damaged page", "malformed_parquet", patch(30, 0xff, 0xff, 0xff, 0xff)},
		{"beyond the budget", "archive_too_large", writeParquet(t, []flat{{1, strings.Repeat("x", 1<<20)}})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, "a.parquet", test.content)
			src, err := openParquet(Input{Path: path, Name: "a.parquet", Size: int64(len(test.content)), Limits: Limits{Inflate: 1 << 20}.orDefault(), Report: &catalog.Report{}, Findings: &Findings{}})
			if err == nil {
				_, err = readSource(src)
				if cerr := src.Close(); cerr != nil {
					t.Error(cerr)
				}
			}
			if codeOf(err) != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
}

// TestParquetWideDeltas holds 32-bit columns in deltas to what the decoder reads
// rightly: those of a writer not known to keep deltas within 32 bits only where
// the statistics bound them.
func TestParquetWideDeltas(t *testing.T) {
	type row struct {
		A int32 `parquet:"a,delta"`
	}
	for _, test := range []struct {
		writer string
		values []row
		code   string
	}{
		{"DuckDB", []row{{math.MinInt32}, {math.MaxInt32}, {0}}, "unsupported_parquet"},
		{"DuckDB", []row{{-5}, {1 << 30}, {0}}, ""},
		{"parquet-mr", []row{{math.MinInt32}, {math.MaxInt32}, {0}}, ""},
	} {
		content := writeParquet(t, test.values, parquet.CreatedBy(test.writer, "1", "x"))
		tables, _, err := readFile(t, writeFile(t, "a.parquet", content), "a.parquet", catalog.IngestOptions{}, openParquet)
		if codeOf(err) != test.code {
			t.Errorf("%s %v: got %v, want %q", test.writer, test.values, err, test.code)
			continue
		}
		for i, want := range test.values {
			if err == nil && show(tables[0].Rows[i][0]) != fmt.Sprint(want.A) {
				t.Errorf("%s row %d: %s, want %d", test.writer, i, show(tables[0].Rows[i][0]), want.A)
			}
		}
	}
	m := format.ColumnMetaData{Type: format.Int32, NumValues: 3, Encoding: []format.Encoding{format.DeltaBinaryPacked}}
	if !wideDeltas(&m, "") {
		t.Error("without statistics nothing bounds the deltas")
	}
	m.Statistics = format.Statistics{MinValue: []byte{0, 0, 0, 0}, MaxValue: []byte{0xff, 0xff, 0xff, 0xff}} // of unsigned numbers
	if !wideDeltas(&m, "") {
		t.Error("0 and 2^32-1 are 2^31 apart")
	}
}

// TestParquetEmptyBooleans takes a row group of no rows, as pyarrow writes it for
// an empty table: its booleans state no encoding.
func TestParquetEmptyBooleans(t *testing.T) {
	m := format.ColumnMetaData{Type: format.Boolean, DataPageOffset: 4}
	if err := checkChunk(&m, "b", 0, 100); err != nil {
		t.Error(err)
	}
	m.NumValues = 3
	if err := checkChunk(&m, "b", 3, 100); codeOf(err) != "unsupported_parquet" {
		t.Error(err)
	}
}

// FuzzParquetFooter puts any bytes where the footer of a sound file stands.
func FuzzParquetFooter(f *testing.F) {
	type row struct {
		A int64   `parquet:"a"`
		B *string `parquet:"b,optional,dict"`
	}
	s := "x"
	good := writeParquet(f, []row{{1, nil}, {2, &s}})
	size := binary.LittleEndian.Uint32(good[len(good)-8:])
	body := good[:len(good)-8-int(size)]
	f.Add(good[len(body) : len(good)-8])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, footer []byte) {
		content := append(bytes.Clone(body), footer...)
		content = binary.LittleEndian.AppendUint32(content, uint32(len(footer)))
		content = append(content, "PAR1"...)
		path := writeFile(t, "a.parquet", content)
		src, err := openParquet(Input{Path: path, Name: "a.parquet", Size: int64(len(content)), Limits: Limits{Inflate: 1 << 20}.orDefault(), Report: &catalog.Report{}, Findings: &Findings{}})
		if err == nil {
			_, err = readSource(src)
			if cerr := src.Close(); cerr != nil {
				t.Error(cerr)
			}
		}
		if err != nil && asRefusal(err) == nil {
			t.Fatal(err)
		}
	})
}
