// Package export encodes tables for download: CSV, TSV, JSON, NDJSON, GeoJSON,
// XML, XLSX, Parquet and Arrow, batches in, io.Writer out, under the rules of
// architecture.md §6.
//
// Encoders stream: they hold a bounded buffer, never the table, and the same
// batches give the same bytes whatever the machine. What ends a file (the closing
// bracket, the ZIP directory, the footer) is written by a successful Close alone,
// so a file that was broken off never looks complete. Nothing is ever cut: what a
// format cannot hold is an error of kind Unprocessable.
//
// The package knows the nouns and batches; it knows nothing of HTTP, storage or
// DuckDB. It runs in the query child. README.md tells how to add a format.
package export

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Version is part of every export's key: it grows when an encoder gives other
// bytes for the same table.
const Version = 1

// Format is one format of the download API.
type Format struct {
	Name      string // in addresses and facets
	Ext       string // file name extension without the dot
	MediaType string
	// Packs says that the bytes shrink when compressed; the others are
	// compressed in themselves, or read in place by programs that map them.
	Packs bool
}

// Formats lists every format: first the five that every table has on its page
// and, within bounds, encoded when it is published.
var Formats = []Format{
	{Name: "csv", Ext: "csv", MediaType: "text/csv; charset=utf-8", Packs: true},
	{Name: "json", Ext: "json", MediaType: "application/json", Packs: true},
	{Name: "ndjson", Ext: "ndjson", MediaType: "application/x-ndjson", Packs: true},
	{Name: "xlsx", Ext: "xlsx", MediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{Name: "parquet", Ext: "parquet", MediaType: "application/vnd.apache.parquet"},
	{Name: "tsv", Ext: "tsv", MediaType: "text/tab-separated-values; charset=utf-8", Packs: true},
	{Name: "geojson", Ext: "geojson", MediaType: "application/geo+json", Packs: true},
	{Name: "arrow", Ext: "arrow", MediaType: "application/vnd.apache.arrow.stream"},
	{Name: "xml", Ext: "xml", MediaType: "application/xml", Packs: true},
}

// Usual are the formats that every table is offered in; the others are there for
// those who ask for them.
var Usual = Formats[:5]

// FormatByName returns the format called name.
func FormatByName(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// FormatByExt returns the format of a file name extension without the dot, in
// lower case.
func FormatByExt(ext string) (Format, bool) {
	for _, f := range Formats {
		if f.Ext == ext {
			return f, true
		}
	}
	return Format{}, false
}

// FormatNames returns the names of all formats.
func FormatNames() []string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}

// Meta is what a file says about itself beside its rows. XLSX has it all in its
// dictionary sheet, Parquet in its key/value metadata; the other formats use the
// fields only. It travels to the query child as JSON.
type Meta struct {
	Dataset      string          `json:"dataset,omitempty"` // slug
	Title        catalog.Text    `json:"title"`
	Organization catalog.Text    `json:"organization"`
	Table        string          `json:"table,omitempty"`
	Release      int             `json:"release,omitempty"`
	Version      string          `json:"version,omitempty"` // label of the release
	Licence      catalog.Text    `json:"licence"`
	LicenceURL   string          `json:"licence_url,omitempty"`
	Citation     catalog.Text    `json:"citation"`
	Address      string          `json:"address,omitempty"` // of the dataset's page
	Query        string          `json:"query,omitempty"`   // canonical; empty: the whole table
	Lang         string          `json:"lang,omitempty"`    // zh (default) or en: which label comes first
	Options      Options         `json:"options,omitzero"`
	Fields       []catalog.Field `json:"fields"` // of the answer, in order, _row included where selected
}

// Digest tells two Metas apart where they give different bytes in a format: it
// belongs into the key of a stored export, beside table_sha256, query, format,
// Options and Version. It is empty where nothing but names and rows is written.
func (m Meta) Digest(format string) string {
	var told any = m
	switch {
	case m.Options.Header == "zh" || m.Options.Header == "en": // labels can be mended
		told = headerOf(m.Fields, m.Options.Header)
	case format != "xlsx" && format != "parquet":
		return ""
	}
	text, err := json.Marshal(told)
	if err != nil { // strings and numbers only: cannot be
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Encoder writes one file.
type Encoder interface {
	// Write adds rows. After an error the file is broken and stays so.
	Write(*table.Batch) error
	// Close completes the file; it does not close the underlying writer.
	Close() error
}

// Check tells before the first byte whether a format takes these columns in this
// form. Errors: Invalid no_coordinates for geojson without a pair of coordinates;
// Unprocessable shape_limit where there are too many to be written one by one.
func Check(format string, o Options, fields []catalog.Field) error {
	switch {
	case format == "geojson":
		_, _, err := coordinates(fields)
		return err
	case o.Shape == "columns" && len(fields) > maxColumnwise:
		return catalog.Errorf(catalog.Unprocessable, "shape_limit", "shape=columns takes at most %d columns, and this answer has %d: name fewer in select, or take shape=arrays", maxColumnwise, len(fields)).
			With("parameter", "shape").With("columns", len(fields)).With("limit", maxColumnwise).
			InChinese("shape=columns最多%d列，而结果有%d列：请用select少取几列，或用shape=arrays", maxColumnwise, len(fields))
	}
	return nil
}

// New returns the encoder of a format. Errors: Invalid unknown_format and those
// of Check; Unprocessable xlsx_limit where a sheet cannot hold the columns.
func New(format string, w io.Writer, m Meta) (Encoder, error) {
	if err := Check(format, m.Options, m.Fields); err != nil {
		return nil, err
	}
	switch format {
	case "csv", "tsv":
		if format == "csv" && m.Options == (Options{}) {
			return newCSV(w, m), nil
		}
		return newDialect(format, w, m), nil
	case "geojson":
		return newGeoJSON(w, m)
	case "arrow":
		return newArrow(w, m)
	case "xml":
		return newXML(w, m), nil
	case "json":
		switch m.Options.Shape {
		case "arrays":
			return newJSONArrays(w, m), nil
		case "columns":
			return newJSONColumns(w, m), nil
		}
		return newJSON(w, m, true), nil
	case "ndjson":
		return newJSON(w, m, false), nil
	case "xlsx":
		return newXLSX(w, m)
	case "parquet":
		return newParquet(w, m)
	case ContentHash:
		return &contentEncoder{w, table.NewContentHash(m.Fields)}, nil
	}
	names := strings.Join(FormatNames(), ", ")
	return nil, catalog.Errorf(catalog.Invalid, "unknown_format", "There is no format %q; there are %s.", format, names).
		InChinese("没有“%s”这种格式；可用格式：%s。", format, names).With("formats", FormatNames())
}

// flushBytes is how much an encoder gathers before it writes.
const flushBytes = 64 << 10

// output gathers bytes for a writer and remembers its first failure.
type output struct {
	w   io.Writer
	buf []byte
	err error
}

// flush writes what is gathered.
func (o *output) flush() error {
	if o.err == nil && len(o.buf) > 0 {
		_ = o.through(o.buf)
		o.buf = o.buf[:0]
	}
	return o.err
}

// closed is what an encoder's output fails with after Close.
var errClosed = fmt.Errorf("export: encoder is closed")

// through writes bytes past buf, which is empty.
func (o *output) through(p []byte) error {
	if o.err == nil {
		if _, err := o.w.Write(p); err != nil {
			o.err = fmt.Errorf("export: write: %w", err)
		}
	}
	return o.err
}

// Write makes an output the writer of a library.
func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	if o.buf = append(o.buf, p...); len(o.buf) >= flushBytes {
		if err := o.flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
