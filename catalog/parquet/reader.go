package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"taihu/catalog"
)

// ErrNoIndex is the error of Open for a file without an offset index: it was not
// written by this Writer.
var ErrNoIndex = errors.New("parquet: file has no offset index")

// Reader is an opened file of Writer's. It may be used by many Cursors at once.
type Reader struct {
	file    *os.File
	columns []Column // Zone, which files do not carry, is empty
	groups  []format.RowGroup
	starts  []int64 // the first row of each group, counted from 0; then the number of rows
}

// maxFooter bounds what a damaged length can make Open read: 16 million chunks
// would fit.
const maxFooter = 1 << 31

// Open opens a file and reads its footer. Close it after the last Cursor's use.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{file: f}
	if err := r.readFooter(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return r, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// Rows returns how many rows the file has.
func (r *Reader) Rows() int64 { return r.starts[len(r.groups)] }

// Columns returns the file's columns, _row included, without their zones.
func (r *Reader) Columns() []Column { return r.columns }

func (r *Reader) readFooter() error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	var tail [8]byte
	if info.Size() < int64(len(magic)+len(tail)) {
		return errors.New("parquet: file is too short")
	}
	if _, err := r.file.ReadAt(tail[:], info.Size()-8); err != nil {
		return err
	}
	size := int64(binary.LittleEndian.Uint32(tail[:]))
	if string(tail[4:]) != magic || size > info.Size()-12 || size > maxFooter {
		return errors.New("parquet: file has no footer")
	}
	footer := make([]byte, size)
	if _, err := r.file.ReadAt(footer, info.Size()-8-size); err != nil {
		return err
	}
	var meta format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, &meta); err != nil {
		return fmt.Errorf("parquet: read footer: %w", err)
	}
	for _, e := range meta.Schema[1:] {
		c, err := columnOf(&e)
		if err != nil {
			return err
		}
		r.columns = append(r.columns, c)
	}
	r.groups = meta.RowGroups
	r.starts = make([]int64, len(r.groups)+1)
	for i := range r.groups {
		g := &r.groups[i]
		if len(g.Columns) != len(r.columns) {
			return fmt.Errorf("parquet: row group %d has %d columns, not %d", i, len(g.Columns), len(r.columns))
		}
		for j := range g.Columns {
			if g.Columns[j].OffsetIndexOffset == 0 {
				return ErrNoIndex
			}
		}
		r.starts[i+1] = r.starts[i] + g.NumRows
	}
	return nil
}

// columnOf is the inverse of element.
func columnOf(e *format.SchemaElement) (Column, error) {
	c := Column{Name: e.Name}
	kind := format.Type(-1)
	if e.Type.Valid {
		kind = e.Type.V
	}
	switch t := e.LogicalType.Value.(type) {
	case *format.DecimalType:
		c.Type, c.Precision, c.Scale = catalog.Decimal, int(t.Precision), int(t.Scale)
	case *format.DateType:
		c.Type = catalog.Date
	case *format.TimeType:
		c.Type = catalog.Time
	case *format.TimestampType:
		c.Type = catalog.Datetime
	case *format.StringType:
		c.Type = catalog.String
	default:
		switch kind {
		case format.Boolean:
			c.Type = catalog.Boolean
		case format.Double:
			c.Type = catalog.Number
		case format.Int64:
			c.Type = catalog.Integer
		}
	}
	c.RowNumber = e.Name == catalog.RowNumber
	if c.Type == "" || physical(c) != kind {
		return c, fmt.Errorf("parquet: column %q is in no form of the writer's", e.Name)
	}
	return c, nil
}

// Group returns the row group that holds a row, and the row behind it; rows are
// counted from 0.
func (r *Reader) Group(row int64) (group int, end int64) {
	group = r.group(row)
	return group, r.starts[group+1]
}

// Bounds is what a row group says of a column. Where neither Ints nor Texts is set,
// of its values nothing is known but how many are null.
type Bounds struct {
	Rows, Nulls     int64
	Ints            bool // LowInt and HighInt bound integers, decimals up to 18 digits, dates and times
	LowInt, HighInt int64
	Texts           bool // Low and High bound texts
	Low, High       []byte
}

// Bounds returns what a row group says of a column of the file.
func (r *Reader) Bounds(group, column int) Bounds {
	g := &r.groups[group]
	s := &g.Columns[column].MetaData.Statistics
	b := Bounds{Rows: g.NumRows, Nulls: s.NullCount}
	switch low, high := s.MinValue, s.MaxValue; physical(r.columns[column]) {
	case format.Int32:
		if b.Ints = len(low) == 4 && len(high) == 4; b.Ints {
			b.LowInt, b.HighInt = int64(int32(binary.LittleEndian.Uint32(low))), int64(int32(binary.LittleEndian.Uint32(high)))
		}
	case format.Int64:
		if b.Ints = len(low) == 8 && len(high) == 8; b.Ints {
			b.LowInt, b.HighInt = int64(binary.LittleEndian.Uint64(low)), int64(binary.LittleEndian.Uint64(high))
		}
	case format.ByteArray: // an empty text cannot be told from no bound, which loses little
		if b.Texts = len(low) > 0 && len(high) > 0; b.Texts {
			b.Low, b.High = low, high
		}
	}
	return b
}

// group returns the row group that holds a row, counted from 0.
func (r *Reader) group(row int64) int {
	i, found := slices.BinarySearch(r.starts, row)
	if !found {
		i--
	}
	return i
}

// read reads length bytes into buf and leaves spare ones behind them.
func (r *Reader) read(buf []byte, offset int64, length int) ([]byte, error) {
	buf = slices.Grow(buf[:0], length+spare)[:length]
	if _, err := r.file.ReadAt(buf, offset); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return buf, nil
}
