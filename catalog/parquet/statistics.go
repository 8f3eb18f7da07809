package parquet

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

// maxBound is how long a text may be to stand as minimum or maximum. Longer ones
// are left out, both: a cut bound needs care in every reader.
const maxBound = 64

// statistics returns null count, minimum and maximum of the gathered values.
func (c *column) statistics() format.Statistics {
	s := format.Statistics{NullCount: int64(c.nulls)}
	if c.nulls == c.rows {
		return s
	}
	switch c.kind {
	case format.Boolean:
		low, high := !slices.Contains(c.bools, false), slices.Contains(c.bools, true)
		s.MinValue, s.MaxValue = appendBits(nil, []bool{low}), appendBits(nil, []bool{high})
	case format.Double:
		s.MinValue, s.MaxValue = doubleBounds(c.words)
	case format.ByteArray:
		s.MinValue, s.MaxValue = textBounds(c.bytes, c.texts)
	case format.FixedLenByteArray:
		s.MinValue, s.MaxValue = wideBounds(c.bytes)
	default:
		low, high := int64(c.words[0]), int64(c.words[0])
		for _, v := range c.words {
			low, high = min(low, int64(v)), max(high, int64(v))
		}
		width := 8
		if c.kind == format.Int32 {
			width = 4
		}
		s.MinValue, s.MaxValue = appendWords(nil, []uint64{uint64(low)}, width), appendWords(nil, []uint64{uint64(high)}, width)
	}
	return s
}

// doubleBounds returns nothing where a NaN is among the values: it has no place
// in their order, and a reader that prunes by bounds would lose it.
func doubleBounds(words []uint64) (low, high []byte) {
	a, b := math.Inf(1), math.Inf(-1)
	for _, w := range words {
		v := math.Float64frombits(w)
		if v != v {
			return nil, nil
		}
		a, b = min(a, v), max(b, v)
	}
	if a == 0 { // the two zeros are equal to readers: both bounds must cover both
		a = math.Copysign(0, -1)
	}
	if b == 0 {
		b = 0
	}
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(a)), binary.LittleEndian.AppendUint64(nil, math.Float64bits(b))
}

func textBounds(plain []byte, count int) (low, high []byte) {
	at := 0
	for i := range count {
		n := int(binary.LittleEndian.Uint32(plain[at:]))
		value := plain[at+4 : at+4+n]
		at += 4 + n
		if i == 0 {
			low, high = value, value
			continue
		}
		if view(value) < view(low) {
			low = value
		} else if view(value) > view(high) {
			high = value
		}
	}
	if len(low) > maxBound || len(high) > maxBound {
		return nil, nil
	}
	return append([]byte{}, low...), append([]byte{}, high...)
}

func wideBounds(values []byte) (low, high []byte) {
	for v := range slices.Chunk(values, wideBytes) {
		if low == nil {
			low, high = v, v
			continue
		}
		if lessWide(v, low) {
			low = v
		} else if lessWide(high, v) {
			high = v
		}
	}
	return slices.Clone(low), slices.Clone(high)
}

// lessWide compares two big-endian two's complement numbers.
func lessWide(a, b []byte) bool {
	ah, bh := int64(binary.BigEndian.Uint64(a)), int64(binary.BigEndian.Uint64(b))
	if ah != bh {
		return ah < bh
	}
	return binary.BigEndian.Uint64(a[8:]) < binary.BigEndian.Uint64(b[8:])
}
