package parquet

import (
	"encoding/binary"
	"errors"
)

// The inverse of pack.go. Every source is followed by spare bytes that may be
// read, never used, so that values can be loaded by whole words.

const spare = 8

var errShort = errors.New("a page ends early")

// unpackBits reads n PLAIN booleans.
func unpackBits(dst []bool, src []byte) error {
	if len(src) < (len(dst)+7)/8 {
		return errShort
	}
	for i := range dst {
		dst[i] = src[i/8]>>(i%8)&1 != 0
	}
	return nil
}

// unpackHybrid reads values of width bits (1 … 32) in the RLE/bit-packing hybrid
// encoding.
func unpackHybrid[T byte | uint32](dst []T, src []byte, width int) error {
	for len(dst) > 0 {
		head, n := binary.Uvarint(src)
		if n <= 0 || head>>1 == 0 {
			return errShort
		}
		src = src[n:]
		if head&1 == 1 {
			count := min(head>>1*8, uint64(len(dst))) // the last group may be filled up
			size := int(head>>1) * width
			if head>>1 > uint64(len(src)) || size > len(src) {
				return errShort
			}
			unpackWords(dst[:count], src, width)
			dst, src = dst[count:], src[size:]
			continue
		}
		size := (width + 7) / 8
		if size > len(src) || head>>1 > uint64(len(dst)) {
			return errShort
		}
		var v uint32
		for i := range size {
			v |= uint32(src[i]) << (8 * i)
		}
		run := dst[:head>>1]
		for i := range run {
			run[i] = T(v)
		}
		dst, src = dst[head>>1:], src[size:]
	}
	return nil
}

// unpackWords reads values of at most 32 bits, packed one after the other.
func unpackWords[T byte | uint32](dst []T, src []byte, width int) {
	src = src[:len(src)+spare]
	mask := uint64(1)<<width - 1
	for i := range dst {
		bit := i * width
		dst[i] = T(binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7) & mask)
	}
}

// unpackDelta reads DELTA_BINARY_PACKED values of which there are exactly len(dst).
func unpackDelta(dst []int64, src []byte) error {
	var head [3]uint64
	for i := range head {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			return errShort
		}
		head[i], src = v, src[n:]
	}
	first, n := binary.Varint(src)
	if n <= 0 || head != [3]uint64{deltaBlock, deltaBlock / deltaMini, uint64(len(dst))} {
		return errors.New("a page of differences is not in the writer's form")
	}
	src = src[n:]
	if len(dst) == 0 {
		return nil
	}
	last := uint64(first)
	dst[0] = first
	dst = dst[1:]
	for len(dst) > 0 {
		least, n := binary.Varint(src)
		if n <= 0 || len(src) < n+deltaBlock/deltaMini {
			return errShort
		}
		widths := src[n : n+deltaBlock/deltaMini]
		src = src[n+deltaBlock/deltaMini:]
		for _, w := range widths {
			width := int(w)
			if len(dst) == 0 {
				break
			}
			if width > 64 || len(src) < width*deltaMini/8 {
				return errShort
			}
			part := dst[:min(deltaMini, len(dst))]
			last = unpackMini(part, src, width, uint64(least), last)
			dst, src = dst[len(part):], src[width*deltaMini/8:]
		}
	}
	return nil
}

// unpackMini adds up one miniblock and returns its last value.
func unpackMini(dst []int64, src []byte, width int, least, last uint64) uint64 {
	src = src[:len(src)+spare]
	mask := uint64(1)<<width - 1 // of 64 bits: all ones, as 1<<64 is 0
	for i := range dst {
		bit := i * width
		v := binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7)
		if over := bit&7 + width - 64; over > 0 {
			v |= uint64(src[bit>>3+8]) << (width - over)
		}
		last += v&mask + least
		dst[i] = int64(last)
	}
	return last
}
