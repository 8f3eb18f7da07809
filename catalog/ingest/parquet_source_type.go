package ingest

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"taihu/catalog"
)

// parquetColumn is how a column's values become text.
type parquetColumn struct {
	name     string
	declared Declared
	// text appends a value in the canonical text of declared; ok is false for a
	// value that type cannot hold (no UTF-8, a year beyond 9999).
	text func(dst []byte, v *parquet.Value) (_ []byte, ok bool)
}

// parquetColumnOf maps a leaf of the schema; ok is false where it has no
// counterpart here.
func parquetColumnOf(e *format.SchemaElement) (c parquetColumn, ok bool) {
	c.name = e.Name
	if !e.Type.Valid {
		return c, false
	}
	switch logical := logicalOf(e).(type) {
	case *format.StringType, *format.EnumType:
		c.declared.Type, c.text = catalog.String, textValue
		return c, e.Type.V == format.ByteArray || e.Type.V == format.FixedLenByteArray
	case *format.JsonType:
		c.declared.Type, c.text = catalog.JSON, jsonValue
		return c, e.Type.V == format.ByteArray
	case *format.UUIDType:
		c.declared.Type, c.text = catalog.String, uuidValue
		return c, e.Type.V == format.FixedLenByteArray && e.TypeLength.V == 16
	case *format.DecimalType:
		return decimalColumn(c, e, logical)
	case *format.DateType:
		c.declared.Type, c.text = catalog.Date, dateValue
		return c, e.Type.V == format.Int32
	case *format.TimeType:
		unit := nanosOf(logical.Unit)
		c.text = timeValue(unit)
		if unit > 1 {
			c.declared.Type = catalog.Time
		}
		return c, e.Type.V == format.Int32 || e.Type.V == format.Int64
	case *format.TimestampType:
		return timestampColumn(c, nanosOf(logical.Unit), logical.IsAdjustedToUTC), e.Type.V == format.Int64
	case *format.IntType:
		return integerColumn(c, e.Type.V, logical.IsSigned)
	case *format.NullType:
		c.declared.Type, c.text = catalog.String, textValue
		return c, true
	case nil:
		return plainColumn(c, e)
	}
	return c, false
}

// logicalOf returns the logical type, taken from the older converted type where
// only that is given; nil where there is neither.
func logicalOf(e *format.SchemaElement) any {
	if e.LogicalType.Value != nil {
		return e.LogicalType.Value
	}
	if !e.ConvertedType.Valid {
		return nil
	}
	millis, micros := format.TimeUnit{Value: &format.MilliSeconds{}}, format.TimeUnit{Value: &format.MicroSeconds{}}
	switch e.ConvertedType.V {
	case deprecated.UTF8:
		return &format.StringType{}
	case deprecated.Enum:
		return &format.EnumType{}
	case deprecated.Decimal:
		return &format.DecimalType{Scale: e.Scale.V, Precision: e.Precision.V}
	case deprecated.Date:
		return &format.DateType{}
	case deprecated.TimeMillis:
		return &format.TimeType{Unit: millis}
	case deprecated.TimeMicros:
		return &format.TimeType{Unit: micros}
	case deprecated.TimestampMillis: // always instants in UTC
		return &format.TimestampType{Unit: millis, IsAdjustedToUTC: true}
	case deprecated.TimestampMicros:
		return &format.TimestampType{Unit: micros, IsAdjustedToUTC: true}
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return &format.IntType{}
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return &format.IntType{IsSigned: true}
	case deprecated.Json:
		return &format.JsonType{}
	}
	return e.ConvertedType.V // BSON, interval, maps and lists: no counterpart
}

func plainColumn(c parquetColumn, e *format.SchemaElement) (parquetColumn, bool) {
	switch e.Type.V {
	case format.Boolean:
		c.declared.Type = catalog.Boolean
		c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) { return strconv.AppendBool(dst, v.Boolean()), true }
	case format.Int32, format.Int64:
		return integerColumn(c, e.Type.V, true)
	case format.Int96:
		c.text = int96Value
	case format.Float:
		c.declared.Type, c.text = catalog.Number, floatValue
	case format.Double:
		c.declared.Type = catalog.Number
		c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) { return catalog.AppendNumber(dst, v.Double()), true }
	case format.ByteArray: // text, where it is UTF-8
		c.declared.Type, c.text = catalog.String, textValue
	default:
		return c, false
	}
	return c, true
}

func integerColumn(c parquetColumn, physical format.Type, signed bool) (parquetColumn, bool) {
	c.declared.Type = catalog.Integer
	switch {
	case physical == format.Int32 && signed:
		c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) {
			return strconv.AppendInt(dst, int64(v.Int32()), 10), true
		}
	case physical == format.Int32:
		c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) {
			return strconv.AppendUint(dst, uint64(v.Uint32()), 10), true
		}
	case physical == format.Int64 && signed:
		c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) { return strconv.AppendInt(dst, v.Int64(), 10), true }
	case physical == format.Int64: // up to 2^64: a decimal of 20 digits
		c.declared = Declared{Type: catalog.Decimal, Precision: 20}
		c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) {
			return strconv.AppendUint(dst, v.Uint64(), 10), true
		}
	default:
		return c, false
	}
	return c, true
}

func decimalColumn(c parquetColumn, e *format.SchemaElement, d *format.DecimalType) (parquetColumn, bool) {
	if d.Precision < 1 || d.Precision > 38 || d.Scale < 0 || d.Scale > d.Precision {
		return c, false
	}
	scale := int(d.Scale)
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Precision)), nil)
	c.declared = Declared{Type: catalog.Decimal, Precision: int(d.Precision), Scale: scale}
	switch e.Type.V {
	case format.Int32:
		c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) {
			return catalog.AppendDecimal(dst, int64(v.Int32()), scale), true
		}
	case format.Int64:
		c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) {
			return catalog.AppendDecimal(dst, v.Int64(), scale), true
		}
	case format.ByteArray, format.FixedLenByteArray:
		c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) {
			n := bigEndian(v.ByteArray())
			if n.CmpAbs(limit) >= 0 {
				return dst, false
			}
			return appendBigDecimal(dst, n, scale), true
		}
	default:
		return c, false
	}
	return c, true
}

// bigEndian reads a two's complement number.
func bigEndian(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// appendBigDecimal is catalog.AppendDecimal for numbers beyond 64 bits.
func appendBigDecimal(dst []byte, n *big.Int, scale int) []byte {
	digits := new(big.Int).Abs(n).String()
	if n.Sign() < 0 {
		dst = append(dst, '-')
	}
	if pad := scale + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	if scale > 0 {
		dst = append(append(dst, '.'), digits[len(digits)-scale:]...)
	}
	return dst
}

// timestampColumn maps timestamps. Instants are written in UTC, local times
// without an offset. Nanoseconds are left to the evidence, as Taihu's datetime
// has microseconds and must not cut digits.
func timestampColumn(c parquetColumn, unit int64, utc bool) parquetColumn {
	if unit > 1 {
		c.declared.Type = catalog.Datetime
	}
	suffix := ""
	if utc {
		suffix, c.declared.Zone = "Z", "Z"
	}
	if c.declared.Type == "" {
		c.declared.Zone = ""
	}
	perDay := int64(86400e9) / unit
	c.text = func(dst []byte, v *parquet.Value) ([]byte, bool) {
		days, rest := floorDiv(v.Int64(), perDay)
		dst, ok := appendMoment(dst, days, rest*unit)
		return append(dst, suffix...), ok
	}
	return c
}

func floorDiv(n, by int64) (quotient, rest int64) {
	quotient, rest = n/by, n%by
	if rest < 0 {
		quotient, rest = quotient-1, rest+by
	}
	return quotient, rest
}

var (
	firstDay = catalog.DaysOf(1, 1, 1)
	lastDay  = catalog.DaysOf(9999, 12, 31)
)

// appendMoment writes days since 1970-01-01 and nanoseconds of the day; ok is
// false outside the years 1 to 9999.
func appendMoment(dst []byte, days, nanos int64) ([]byte, bool) {
	if days < firstDay || days > lastDay || nanos < 0 || nanos >= 86400e9 {
		return dst, false
	}
	dst = catalog.AppendDate(dst, days)
	return appendClock(append(dst, 'T'), nanos), true
}

// appendClock writes nanoseconds of the day, with as many decimals as they need.
func appendClock(dst []byte, nanos int64) []byte {
	if nanos%1000 == 0 {
		return catalog.AppendTime(dst, nanos/1000)
	}
	return time.Unix(0, nanos).UTC().AppendFormat(dst, "15:04:05.000000000")
}

func nanosOf(u format.TimeUnit) int64 {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return 1e6
	case *format.MicroSeconds:
		return 1e3
	}
	return 1
}

func timeValue(unit int64) func([]byte, *parquet.Value) ([]byte, bool) {
	return func(dst []byte, v *parquet.Value) ([]byte, bool) {
		n := v.Int64()
		if v.Kind() == parquet.Int32 {
			n = int64(v.Int32())
		}
		if n < 0 || n >= int64(86400e9)/unit {
			return dst, false
		}
		return appendClock(dst, n*unit), true
	}
}

func dateValue(dst []byte, v *parquet.Value) ([]byte, bool) {
	days := int64(v.Int32())
	if days < firstDay || days > lastDay {
		return dst, false
	}
	return catalog.AppendDate(dst, days), true
}

// floatValue writes a 32-bit float in the digits it was made from: 0.1, not
// 0.10000000149011612.
func floatValue(dst []byte, v *parquet.Value) ([]byte, bool) {
	f := v.Float()
	if f != f || math.IsInf(float64(f), 0) {
		return catalog.AppendNumber(dst, float64(f)), true
	}
	var b [32]byte
	d, err := strconv.ParseFloat(string(strconv.AppendFloat(b[:0], float64(f), 'g', -1, 32)), 64)
	return catalog.AppendNumber(dst, d), err == nil
}

// int96Value writes the old timestamps: nanoseconds of the day and a Julian day,
// local time without an offset.
func int96Value(dst []byte, v *parquet.Value) ([]byte, bool) {
	t := v.Int96()
	nanos := int64(uint64(t[1])<<32 | uint64(t[0]))
	return appendMoment(dst, int64(t[2])-2440588, nanos)
}

func textValue(dst []byte, v *parquet.Value) ([]byte, bool) {
	b := v.ByteArray()
	return append(dst, b...), utf8.Valid(b)
}

func jsonValue(dst []byte, v *parquet.Value) ([]byte, bool) {
	b := v.ByteArray()
	return append(dst, b...), utf8.Valid(b) && json.Valid(b)
}

func uuidValue(dst []byte, v *parquet.Value) ([]byte, bool) {
	b := v.ByteArray()
	if len(b) != 16 {
		return dst, false
	}
	hex := strconv.AppendUint(nil, binary.BigEndian.Uint64(b[:8]), 16)
	hex = append(make([]byte, 0, 32), strings.Repeat("0", 16-len(hex))+string(hex)...)
	low := strconv.FormatUint(binary.BigEndian.Uint64(b[8:]), 16)
	hex = append(hex, strings.Repeat("0", 16-len(low))+low...)
	for i, c := range hex {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			dst = append(dst, '-')
		}
		dst = append(dst, c)
	}
	return dst, true
}
