package parquet

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// appendBits appends booleans in PLAIN form: bits, least significant first.
func appendBits(dst []byte, values []bool) []byte {
	for len(values) > 0 {
		var b byte
		for i, v := range values[:min(8, len(values))] {
			if v {
				b |= 1 << i
			}
		}
		dst = append(dst, b)
		values = values[min(8, len(values)):]
	}
	return dst
}

// appendRun appends n times v as an RLE run of the hybrid encoding.
func appendRun(dst []byte, v uint32, n, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for ; width > 0; width -= 8 {
		dst = append(dst, byte(v))
		v >>= 8
	}
	return dst
}

// appendHybrid appends values of width bits (1 … 32) in the RLE/bit-packing
// hybrid encoding: runs of at least 16 equal values as runs, the rest packed in
// groups of 8.
func appendHybrid[T byte | uint32](dst []byte, values []T, width int) []byte {
	packed := 0 // values[packed:i] wait to be bit-packed; a multiple of 8
	for i := 0; i < len(values); {
		run := 1
		for i+run < len(values) && values[i+run] == values[i] {
			run++
		}
		if run < 16 {
			i += 8
			continue
		}
		dst = appendPacked(dst, values[packed:i], width)
		dst = appendRun(dst, uint32(values[i]), run, width)
		i += run
		packed = i
	}
	return appendPacked(dst, values[packed:], width)
}

// appendPacked appends one bit-packed run, the last group filled with zeros.
func appendPacked[T byte | uint32](dst []byte, values []T, width int) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	var acc uint64
	filled := 0
	for _, v := range values {
		acc |= uint64(v) << filled
		filled += width
		for filled >= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
			filled -= 8
		}
	}
	for rest := groups*width - len(values)*width/8; rest > 0; rest-- {
		dst = append(dst, byte(acc))
		acc = 0
	}
	return dst
}

const (
	deltaBlock = 128 // values in a block
	deltaMini  = 32  // values in a miniblock
)

// appendDelta appends values as DELTA_BINARY_PACKED.
func appendDelta(dst []byte, values []uint64) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, deltaBlock/deltaMini)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return binary.AppendVarint(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(values[0]))
	last := values[0]
	for i := 1; i < len(values); i += deltaBlock {
		part := values[i:min(i+deltaBlock, len(values))]
		var deltas [deltaBlock]uint64
		least := int64(part[0] - last)
		for j, v := range part {
			deltas[j] = v - last
			last = v
			least = min(least, int64(deltas[j]))
		}
		for j := range part {
			deltas[j] -= uint64(least)
		}
		dst = binary.AppendVarint(dst, least)
		dst = appendMinis(dst, &deltas, len(part))
	}
	return dst
}

// appendMinis appends the bit widths and the miniblocks of one block with n
// values; miniblocks behind the last value have width 0 and no bytes.
func appendMinis(dst []byte, deltas *[deltaBlock]uint64, n int) []byte {
	widths := len(dst)
	dst = append(dst, make([]byte, deltaBlock/deltaMini)...)
	for m := 0; m*deltaMini < n; m++ {
		mini := (*[deltaMini]uint64)(deltas[m*deltaMini:])
		var or uint64
		for _, v := range mini {
			or |= v
		}
		width := bits.Len64(or)
		dst[widths+m] = byte(width)
		dst = appendMini(dst, mini, width)
	}
	return dst
}

// appendMini packs 32 values of width bits: width × 4 bytes.
func appendMini(dst []byte, mini *[deltaMini]uint64, width int) []byte {
	if width == 0 {
		return dst
	}
	var acc uint64
	filled := 0
	for _, v := range mini {
		acc |= v << filled
		filled += width
		if filled >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, acc)
			filled -= 64
			acc = v >> (width - filled) // 0 where nothing is left: Go shifts by 64 give 0
		}
	}
	for ; filled > 0; filled -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst
}

// view returns the bytes as a string without copying; it is used only while they
// do not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
