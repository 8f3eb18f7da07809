// Package parquet writes tables as Parquet, batch after batch: the typed and the
// text form of every release (catalog/ingest) and the Parquet download
// (api/export).
//
// Rows are gathered into row groups of 32,768. A full group is encoded in the
// background, its columns in parallel, while the next one fills, so memory is
// bounded by two row groups. Bytes depend on the columns and the rows alone: not
// on how the rows were cut into batches, nor on the number of cores.
//
// The column encoders are our own, because parquet-go's row and value oriented
// writers are several times slower on batches of columns (BenchmarkWriter); the
// metadata structures and their thrift form are parquet-go's. The package knows
// nothing of DuckDB or HTTP.
package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"taihu/catalog"
	"taihu/catalog/table"
)

// RowGroup is how many rows a row group holds unless Options say otherwise
// (architecture.md §8, decision 12).
const RowGroup = 32768

const (
	// maxGroupBytes ends a row group early where its texts are long, to keep
	// memory bounded; it is looked at every step rows, so that the cut does not
	// depend on the batches.
	maxGroupBytes = 64 << 20
	step          = 256
	magic         = "PAR1"
	createdBy     = "taihu version 1 (build 1)"
)

// Column is one column of the file. All columns are optional ones.
type Column struct {
	Name      string
	Type      catalog.Type
	Precision int // of a decimal: at most 38
	Scale     int
	Zone      string // of a datetime; values are local and carry no zone in the file
	// RowNumber marks _row: where a batch has no vector for it, the writer
	// counts it from 1.
	RowNumber bool
}

// RowNumber returns the column _row.
func RowNumber() Column {
	return Column{Name: catalog.RowNumber, Type: catalog.Integer, RowNumber: true}
}

// ColumnOf returns the column that holds a field.
func ColumnOf(f catalog.Field) Column {
	return Column{Name: f.Name, Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone}
}

// Options of a Writer. The zero value is the form of published tables.
type Options struct {
	RowGroup int               // rows in a row group; 0: RowGroup
	Metadata map[string]string // key/value pairs of the footer, written in key order
	FirstRow int64             // how many rows of the table stand before the file's
	Workers  int               // columns encoded at a time; 0: GOMAXPROCS. The bytes do not depend on it.
}

// Writer writes one Parquet file. It is used by one goroutine at a time.
type Writer struct {
	w       io.Writer
	columns []Column
	options Options
	counted bool // a column is RowNumber

	offset  int64
	rows    int64 // handed in so far
	filling *group
	pending *group // being encoded in the background; nil: none
	spare   *group
	scratch []*scratch // one for each worker
	meta    []format.RowGroup
	indexes []byte // the offset indexes of all chunks, encoded
	err     error  // the first failure: everything after it fails too
}

// NewWriter returns a Writer of a file with these columns. Nothing is written
// before the first row group is full or the Writer closed.
func NewWriter(w io.Writer, columns []Column, o Options) *Writer {
	if o.RowGroup <= 0 {
		o.RowGroup = RowGroup
	}
	pw := &Writer{w: w, columns: columns, options: o}
	pw.counted = slices.ContainsFunc(columns, func(c Column) bool { return c.RowNumber })
	pw.err = check(columns)
	pw.filling, pw.spare = newGroup(columns), newGroup(columns)
	return pw
}

func check(columns []Column) error {
	if len(columns) == 0 {
		return fmt.Errorf("parquet: no columns")
	}
	for _, c := range columns {
		if c.Type == catalog.Decimal && (c.Precision < 1 || c.Precision > 38 || c.Scale < 0 || c.Scale > c.Precision) {
			return fmt.Errorf("parquet: column %q: decimal(%d,%d) cannot be stored", c.Name, c.Precision, c.Scale)
		}
		if !slices.Contains(catalog.Types, c.Type) {
			return fmt.Errorf("parquet: column %q: unknown type %q", c.Name, c.Type)
		}
	}
	return nil
}

// Write adds the rows of b, whose Columns match the file's in order; it keeps
// nothing of b. A column marked RowNumber may be left out of b. After an error
// the file stays without footer whatever is called next.
func (w *Writer) Write(b *table.Batch) error {
	if w.err == nil {
		w.err = w.write(b)
	}
	return w.err
}

func (w *Writer) write(b *table.Batch) error {
	missing := w.counted && len(b.Columns) == len(w.columns)-1
	if !missing && len(b.Columns) != len(w.columns) {
		return fmt.Errorf("parquet: batch has %d columns, file has %d", len(b.Columns), len(w.columns))
	}
	for from := 0; from < b.Len; {
		g := w.filling
		n := min(b.Len-from, w.options.RowGroup-g.rows, step-g.rows%step)
		next := 0
		for i := range g.columns {
			c := &g.columns[i]
			if missing && c.spec.RowNumber {
				c.count(w.options.FirstRow+w.rows+1, n)
				continue
			}
			if err := c.append(&b.Columns[next], from, n); err != nil {
				return fmt.Errorf("parquet: column %q: %w", c.spec.Name, err)
			}
			next++
		}
		g.rows += n
		w.rows += int64(n)
		from += n
		if g.rows == w.options.RowGroup || g.rows%step == 0 && g.size() >= maxGroupBytes {
			if err := w.seal(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close writes the rows left and the footer; it does not close the underlying
// writer. A file without a successful Close is not a Parquet file.
func (w *Writer) Close() error {
	if w.err == nil {
		w.err = w.close()
		if w.err == nil {
			w.err = errClosed
			return nil
		}
	}
	if w.pending != nil { // an earlier failure: let the workers end
		<-w.pending.done
		w.pending = nil
	}
	return w.err
}

var errClosed = fmt.Errorf("parquet: writer is closed")

func (w *Writer) close() error {
	if w.filling.rows > 0 {
		if err := w.seal(); err != nil {
			return err
		}
	}
	if err := w.drain(); err != nil {
		return err
	}
	if err := w.start(); err != nil {
		return err
	}
	for i := range w.meta {
		for j := range w.meta[i].Columns {
			w.meta[i].Columns[j].OffsetIndexOffset += w.offset
		}
	}
	if err := w.emit(w.indexes); err != nil {
		return err
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), w.footer())
	if err != nil {
		return fmt.Errorf("parquet: encode footer: %w", err)
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return w.emit(append(footer, magic...))
}

// seal hands the filling row group to the workers, after the one before it is
// written.
func (w *Writer) seal() error {
	if err := w.drain(); err != nil {
		return err
	}
	workers := w.workers()
	g := w.filling
	w.pending, w.filling, w.spare = g, w.spare, nil
	g.done = make(chan struct{})
	go g.encode(workers)
	return nil
}

// drain waits for the row group being encoded and writes it.
func (w *Writer) drain() error {
	g := w.pending
	if g == nil {
		return nil
	}
	<-g.done
	w.pending = nil
	if err := w.start(); err != nil {
		return err
	}
	rg := format.RowGroup{NumRows: int64(g.rows), Ordinal: int16(min(len(w.meta), 1<<15-1)), Columns: make([]format.ColumnChunk, len(g.columns))}
	for i := range g.columns {
		c := &g.columns[i]
		if c.err != nil {
			return fmt.Errorf("parquet: column %q: %w", c.spec.Name, c.err)
		}
		m := c.meta(w.offset)
		if i == 0 {
			rg.FileOffset = w.offset
		}
		rg.TotalByteSize += m.TotalUncompressedSize
		rg.TotalCompressedSize += m.TotalCompressedSize
		rg.Columns[i].MetaData = m
		index, err := thrift.Marshal(new(thrift.CompactProtocol), c.chunk.index(w.offset))
		if err != nil {
			return fmt.Errorf("encode offset index: %w", err)
		}
		// Counted from the first index, until it is known where that will stand.
		rg.Columns[i].OffsetIndexOffset, rg.Columns[i].OffsetIndexLength = int64(len(w.indexes)), int32(len(index))
		w.indexes = append(w.indexes, index...)
		if err := w.emit(c.out); err != nil {
			return err
		}
	}
	w.meta = append(w.meta, rg)
	g.reset()
	w.spare = g
	return nil
}

// start writes the magic number the file begins with, once.
func (w *Writer) start() error {
	if w.offset > 0 {
		return nil
	}
	return w.emit([]byte(magic))
}

func (w *Writer) emit(b []byte) error {
	n, err := w.w.Write(b)
	w.offset += int64(n)
	if err != nil {
		return fmt.Errorf("parquet: write: %w", err)
	}
	return nil
}

func (w *Writer) footer() *format.FileMetaData {
	m := &format.FileMetaData{Version: 2, NumRows: w.rows, RowGroups: w.meta, CreatedBy: createdBy}
	if m.RowGroups == nil {
		m.RowGroups = []format.RowGroup{}
	}
	m.Schema = append(m.Schema, format.SchemaElement{Name: "schema", NumChildren: thrift.New(int32(len(w.columns)))})
	for _, c := range w.columns {
		m.Schema = append(m.Schema, element(c))
		m.ColumnOrders = append(m.ColumnOrders, format.ColumnOrder{Value: new(format.TypeDefinedOrder)})
	}
	for _, k := range slices.Sorted(maps.Keys(w.options.Metadata)) {
		m.KeyValueMetadata = append(m.KeyValueMetadata, format.KeyValue{Key: k, Value: w.options.Metadata[k]})
	}
	return m
}
