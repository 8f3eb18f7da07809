package export

import (
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"taihu/catalog/table"
)

const (
	// arrowRows and arrowBytes end a record batch: so many rows, or so much text.
	// Both count rows alone, never the batches they came in.
	arrowRows  = 8192
	arrowBytes = 1 << 20
)

// arrowEncoder writes an Arrow IPC stream: decimals as decimal128, dates as
// date32, times and datetimes in microseconds, json as text with the metadata
// type=json. A datetime is the instant, its column's offset the zone.
type arrowEncoder struct {
	out     output
	columns []column
	offsets []int64 // microseconds from UTC, of datetimes
	build   *array.RecordBuilder
	w       *ipc.Writer
	rows    int
	bytes   int // of text in the batch being built
}

func newArrow(w io.Writer, m Meta) (*arrowEncoder, error) {
	e := &arrowEncoder{out: output{w: w}, columns: columnsOf(m.Fields), offsets: make([]int64, len(m.Fields))}
	fields := make([]arrow.Field, len(m.Fields))
	for i, f := range m.Fields {
		fields[i] = arrow.Field{Name: f.Name, Type: arrowType(&e.columns[i], f.Precision), Nullable: true}
		switch e.columns[i].kind {
		case kindJSON:
			fields[i].Metadata = arrow.NewMetadata([]string{"type"}, []string{"json"})
		case kindDatetime:
			var err error
			if e.offsets[i], err = zoneOffset(e.columns[i].zone); err != nil {
				return nil, fmt.Errorf("export: column %q: %w", f.Name, err)
			}
		}
	}
	schema := arrow.NewSchema(fields, nil)
	e.build = array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	e.w = ipc.NewWriter(&e.out, ipc.WithSchema(schema))
	return e, nil
}

// zoneOffset is how many microseconds a zone, ±hh:mm or Z, is ahead of UTC.
func zoneOffset(zone string) (int64, error) {
	if zone == "Z" {
		return 0, nil
	}
	at, err := time.Parse("-07:00", zone)
	if err != nil {
		return 0, fmt.Errorf("%q is no zone", zone)
	}
	_, seconds := at.Zone()
	return int64(seconds) * 1e6, nil
}

func arrowType(c *column, precision int) arrow.DataType {
	switch c.kind {
	case kindBoolean:
		return arrow.FixedWidthTypes.Boolean
	case kindInteger:
		return arrow.PrimitiveTypes.Int64
	case kindDecimal, kindWide:
		return &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(c.scale)}
	case kindNumber:
		return arrow.PrimitiveTypes.Float64
	case kindDate:
		return arrow.FixedWidthTypes.Date32
	case kindTime:
		return arrow.FixedWidthTypes.Time64us
	case kindDatetime:
		zone := c.zone
		if zone == "Z" {
			zone = "UTC"
		}
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: zone}
	}
	return arrow.BinaryTypes.String
}

func (e *arrowEncoder) Write(b *table.Batch) error {
	if e.out.err == nil {
		e.out.err = match(e.columns, b)
	}
	for i := 0; i < b.Len && e.out.err == nil; {
		to := e.fits(b, i)
		for j := range e.columns {
			if err := e.append(j, &b.Columns[j], i, to); err != nil {
				e.out.err = err
				return err
			}
		}
		e.rows += to - i
		i = to
		if e.rows >= arrowRows || e.bytes >= arrowBytes {
			e.emit()
		}
	}
	return e.out.err
}

// fits returns up to which row of b, from row i on, the record batch takes, and
// counts their texts.
func (e *arrowEncoder) fits(b *table.Batch, i int) int {
	most := min(b.Len, i+arrowRows-e.rows)
	for ; i < most && e.bytes < arrowBytes; i++ {
		for j := range e.columns {
			if v := &b.Columns[j]; e.columns[j].kind >= kindText && !v.IsNull(i) {
				e.bytes += len(v.Text[i])
			}
		}
	}
	return i
}

// append adds the rows from i to before to of a column.
func (e *arrowEncoder) append(j int, v *table.Vector, i, to int) error {
	c, field := &e.columns[j], e.build.Field(j)
	field.Reserve(to - i)
	for ; i < to; i++ {
		if v.Null != nil && v.Null[i] {
			field.AppendNull()
			continue
		}
		switch f := field.(type) {
		case *array.BooleanBuilder:
			f.UnsafeAppend(v.Bool[i])
		case *array.Int64Builder:
			f.UnsafeAppend(v.Int[i])
		case *array.Float64Builder:
			f.UnsafeAppend(v.Num[i])
		case *array.Date32Builder:
			f.UnsafeAppend(arrow.Date32(v.Int[i]))
		case *array.Time64Builder:
			f.UnsafeAppend(arrow.Time64(v.Int[i]))
		case *array.TimestampBuilder:
			f.UnsafeAppend(arrow.Timestamp(v.Int[i] - e.offsets[j]))
		case *array.StringBuilder:
			f.Append(v.Text[i])
		case *array.Decimal128Builder:
			if c.kind == kindDecimal {
				f.UnsafeAppend(decimal128.FromI64(v.Int[i]))
				continue
			}
			n, ok := new(big.Int).SetString(strings.Replace(v.Text[i], ".", "", 1), 10)
			if !ok {
				return fmt.Errorf("export: column %q: %q is no decimal", c.name, v.Text[i])
			}
			f.UnsafeAppend(decimal128.FromBigInt(n))
		}
	}
	return nil
}

// emit writes the record batch.
func (e *arrowEncoder) emit() {
	record := e.build.NewRecordBatch()
	defer record.Release()
	e.rows, e.bytes = 0, 0
	if err := e.w.Write(record); err != nil && e.out.err == nil {
		e.out.err = fmt.Errorf("export: arrow: %w", err)
	}
}

// Close writes the last batch and the mark that ends a stream. A stream without
// rows still has its schema.
func (e *arrowEncoder) Close() error {
	if e.out.err == nil && e.rows > 0 {
		e.emit()
	}
	if e.out.err != nil {
		return e.out.err
	}
	if err := e.w.Close(); err != nil {
		return fmt.Errorf("export: arrow: %w", err)
	}
	if err := e.out.flush(); err != nil {
		return err
	}
	e.out.err = errClosed
	return nil
}
