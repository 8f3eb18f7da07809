package table

import (
	"encoding/binary"
	"math/bits"
)

// Hash is a quick hash of 64 bits, eight bytes at a time. Its values are stored: it
// must not change.
func Hash(seed uint64, b []byte) uint64 {
	h := seed ^ uint64(len(b))*0xa0761d6478bd642f
	for ; len(b) >= 8; b = b[8:] {
		h = Mix(h^binary.LittleEndian.Uint64(b), 0xe7037ed1a0b428db)
	}
	last := uint64(0)
	for i, c := range b {
		last |= uint64(c) << (8 * i)
	}
	return Mix(h^last, 0x8ebc6af09c88c6e3)
}

// Mix makes one hash of two numbers. It must not change.
func Mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x589965cc75374cc3, b)
	return hi ^ lo
}
