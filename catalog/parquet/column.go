package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"taihu/catalog"
	"taihu/catalog/table"
)

// wideBytes is the width of decimals of more than 18 digits: 38 digits fit into
// 127 bits.
const wideBytes = 16

// element returns a column's place in the file's schema.
func element(c Column) format.SchemaElement {
	e := format.SchemaElement{Name: c.Name, Type: thrift.New(physical(c)), RepetitionType: thrift.New(format.Optional)}
	micros := format.TimeUnit{Value: new(format.MicroSeconds)}
	switch c.Type {
	case catalog.Decimal:
		e.ConvertedType = thrift.New(deprecated.Decimal)
		e.Precision, e.Scale = thrift.New(int32(c.Precision)), thrift.New(int32(c.Scale))
		e.LogicalType.Value = &format.DecimalType{Precision: int32(c.Precision), Scale: int32(c.Scale)}
		if table.Wide(c.Precision) {
			e.TypeLength = thrift.New(int32(wideBytes))
		}
	case catalog.Date:
		e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.Date), new(format.DateType)
	case catalog.Time: // the converted types of time and timestamp would mean UTC
		e.LogicalType.Value = &format.TimeType{Unit: micros}
	case catalog.Datetime:
		e.LogicalType.Value = &format.TimestampType{Unit: micros}
	case catalog.String, catalog.JSON:
		e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.UTF8), new(format.StringType)
	}
	return e
}

func physical(c Column) format.Type {
	switch c.Type {
	case catalog.Boolean:
		return format.Boolean
	case catalog.Number:
		return format.Double
	case catalog.Date:
		return format.Int32
	case catalog.Decimal:
		if table.Wide(c.Precision) {
			return format.FixedLenByteArray
		}
	case catalog.String, catalog.JSON:
		return format.ByteArray
	}
	return format.Int64
}

// column gathers one column of a row group: the values that are not null, dense,
// and where the nulls are. Then it holds the encoded chunk.
type column struct {
	spec Column
	kind format.Type

	rows  int
	nulls int
	null  []bool   // by row; kept only from the first null on
	words []uint64 // int32, int64 and double: the values' bits
	bools []bool
	bytes []byte // texts in PLAIN form (length, bytes); wide decimals
	texts int    // how many texts bytes holds

	out   []byte // the encoded pages
	chunk chunk
	err   error
}

func (c *column) reset() {
	c.rows, c.nulls, c.texts, c.err = 0, 0, 0, nil
	c.null, c.words, c.bools, c.out = c.null[:0], c.words[:0], c.bools[:0], c.out[:0]
	if cap(c.bytes) > maxGroupBytes { // one long text must not be kept for ever
		c.bytes = nil
	}
	c.bytes = c.bytes[:0]
}

func (c *column) size() int { return 8*len(c.words) + len(c.bytes) + len(c.bools) }

// count appends n numbers from first on.
func (c *column) count(first int64, n int) {
	for i := range n {
		c.words = append(c.words, uint64(first+int64(i)))
	}
	if c.nulls > 0 {
		c.null = append(c.null, make([]bool, n)...)
	}
	c.rows += n
}

// append copies rows from … from+n of v.
func (c *column) append(v *table.Vector, from, n int) error {
	if v.Type != c.spec.Type || v.Type == catalog.Decimal && (table.Wide(v.Precision) != table.Wide(c.spec.Precision) || v.Scale != c.spec.Scale) {
		return fmt.Errorf("vector is %s(%d,%d), column %s(%d,%d)", v.Type, v.Precision, v.Scale, c.spec.Type, c.spec.Precision, c.spec.Scale)
	}
	null := c.appendNulls(v.Null, from, n)
	c.rows += n
	switch c.kind {
	case format.Boolean:
		for i, x := range v.Bool[from : from+n] {
			if null == nil || !null[i] {
				c.bools = append(c.bools, x)
			}
		}
	case format.Double:
		for i, x := range v.Num[from : from+n] {
			if null == nil || !null[i] {
				c.words = append(c.words, math.Float64bits(x))
			}
		}
	case format.Int32, format.Int64:
		for i, x := range v.Int[from : from+n] {
			if null == nil || !null[i] {
				if c.kind == format.Int32 && int64(int32(x)) != x {
					return fmt.Errorf("date %d is out of range", x)
				}
				c.words = append(c.words, uint64(x))
			}
		}
	case format.ByteArray:
		return c.appendTexts(v.Text[from:from+n], null)
	case format.FixedLenByteArray:
		for i, s := range v.Text[from : from+n] {
			if null != nil && null[i] {
				continue
			}
			var err error
			if c.bytes, err = appendWide(c.bytes, s, c.spec.Scale); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendNulls notes which of n rows are null and returns that, nil for none.
func (c *column) appendNulls(null []bool, from, n int) []bool {
	count := 0
	if null != nil {
		null = null[from : from+n]
		for _, is := range null {
			if is {
				count++
			}
		}
	}
	if count == 0 {
		if c.nulls > 0 {
			c.null = append(c.null, make([]bool, n)...)
		}
		return nil
	}
	if c.nulls == 0 {
		c.null = append(c.null[:0], make([]bool, c.rows)...)
	}
	c.null = append(c.null, null...)
	c.nulls += count
	return null
}

func (c *column) appendTexts(texts []string, null []bool) error {
	buf := c.bytes
	for i, s := range texts {
		if null != nil && null[i] {
			continue
		}
		if len(s) > math.MaxInt32/2 {
			return fmt.Errorf("a text of %d bytes cannot be stored", len(s))
		}
		buf = binary.LittleEndian.AppendUint32(buf, uint32(len(s)))
		buf = append(buf, s...)
		c.texts++
	}
	c.bytes = buf
	return nil
}

// appendWide appends a decimal given in canonical text (an optional -, digits,
// exactly scale of them after the point) as 16 bytes, big-endian two's
// complement.
func appendWide(dst []byte, s string, scale int) ([]byte, error) {
	var hi, lo uint64
	point, digits := -1, 0
	negative := len(s) > 0 && s[0] == '-'
	for i := range len(s) {
		d := s[i] - '0'
		switch {
		case d <= 9:
			var carry uint64
			h, l := bits.Mul64(lo, 10)
			l, carry = bits.Add64(l, uint64(d), 0)
			hi, lo = hi*10+h+carry, l
			if digits > 0 || d > 0 {
				digits++
			}
		case s[i] == '.' && point < 0 && scale > 0 && i > 0 && s[i-1] != '-':
			point = i
		case i == 0 && negative:
		default:
			return dst, fmt.Errorf("%.60q is no decimal", s)
		}
	}
	after := 0
	if point >= 0 {
		after = len(s) - point - 1
	}
	if after != scale || digits > 38 || len(s) == 0 || negative && len(s) == 1 {
		return dst, fmt.Errorf("%.60q is no decimal of scale %d", s, scale)
	}
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	dst = binary.BigEndian.AppendUint64(dst, hi)
	return binary.BigEndian.AppendUint64(dst, lo), nil
}
