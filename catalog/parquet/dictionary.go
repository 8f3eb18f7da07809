package parquet

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

const (
	// maxEntries of a dictionary; more hardly pay in a row group of 32,768 rows.
	maxEntries = 1 << 14
	// After probe values a dictionary that holds more than probe×3/4 entries is
	// given up: nearly every value is new.
	probe = 4096
	slots = 2 * maxEntries
)

// dictionary finds the distinct values of a column, numbered in order of their
// first appearance. Hashes differ from process to process and hold out against
// made-up values; the numbering does not depend on them.
type dictionary struct {
	seed   maphash.Seed
	odd    uint64
	table  []uint64 // upper half of the hash, entry number + 1; 0: free
	keys   []uint64
	starts []int // where each entry's text first stands in the column's bytes
	bytes  int   // size of all entries in PLAIN form
}

func (d *dictionary) begin() {
	if d.table == nil {
		d.table = make([]uint64, slots)
		d.seed = maphash.MakeSeed()
		d.odd = maphash.String(d.seed, "odd") | 1
	}
	clear(d.table)
	d.keys, d.starts, d.bytes = d.keys[:0], d.starts[:0], 0
}

// width returns the bits of an index.
func (d *dictionary) width() int {
	return max(1, bits.Len(uint(len(d.keys)+len(d.starts)-1)))
}

// words numbers values into indexes; false where a dictionary cannot pay.
func (d *dictionary) words(values []uint64, indexes *[]uint32) bool {
	d.begin()
	out := (*indexes)[:0]
	defer func() { *indexes = out }()
	for i, v := range values {
		h := (v ^ v>>32) * d.odd
		h ^= h >> 29
		h *= 0x9e3779b97f4a7c15
		at := h >> 49
		for {
			e := d.table[at%slots]
			if e == 0 {
				if len(d.keys) == maxEntries || i < probe && len(d.keys) >= probe*3/4 {
					return false
				}
				d.keys = append(d.keys, v)
				d.table[at%slots] = uint64(len(d.keys))
				out = append(out, uint32(len(d.keys)-1))
				break
			}
			if d.keys[e-1] == v {
				out = append(out, uint32(e-1))
				break
			}
			at++
		}
	}
	return len(values) > 0
}

// texts numbers the count texts of plain (length, bytes) into indexes; false
// where a dictionary cannot pay.
func (d *dictionary) texts(plain []byte, count int, indexes *[]uint32) bool {
	d.begin()
	out := (*indexes)[:0]
	defer func() { *indexes = out }()
	at := 0
	for i := range count {
		n := 4 + int(binary.LittleEndian.Uint32(plain[at:]))
		value := plain[at : at+n]
		h := maphash.Bytes(d.seed, value)
		tag := h &^ (1<<32 - 1)
		slot := h
		for {
			e := d.table[slot%slots]
			if e == 0 {
				if len(d.starts) == maxEntries || d.bytes > maxGroupBytes/8 || i < probe && len(d.starts) >= probe*3/4 {
					return false
				}
				d.starts = append(d.starts, at)
				d.bytes += n
				d.table[slot%slots] = tag | uint64(len(d.starts))
				out = append(out, uint32(len(d.starts)-1))
				break
			}
			if e&^(1<<32-1) == tag {
				index := uint32(e) - 1
				if start := d.starts[index]; len(plain)-start >= n && string(plain[start:start+n]) == string(value) {
					out = append(out, index)
					break
				}
			}
			slot++
		}
		at += n
	}
	return count > 0
}

// appendTexts appends the entries in PLAIN form.
func (d *dictionary) appendTexts(dst, plain []byte) []byte {
	for _, at := range d.starts {
		n := 4 + int(binary.LittleEndian.Uint32(plain[at:]))
		dst = append(dst, plain[at:at+n]...)
	}
	return dst
}
