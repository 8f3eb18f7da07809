package embedded

import "math/bits"

// bitset is a set of document numbers.
type bitset []uint64

func (b bitset) has(n uint32) bool { return b[n>>6]&(1<<(n&63)) != 0 }
func (b bitset) set(n uint32)      { b[n>>6] |= 1 << (n & 63) }
func (b bitset) unset(n uint32)    { b[n>>6] &^= 1 << (n & 63) }

func (b bitset) and(other bitset) {
	for i, w := range other {
		b[i] &= w
	}
}

func (b bitset) or(other bitset) {
	for i, w := range other {
		b[i] |= w
	}
}

func (b bitset) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// each calls f with every member, in order.
func (b bitset) each(f func(n uint32)) {
	for i, w := range b {
		for w != 0 {
			f(uint32(i<<6 + bits.TrailingZeros64(w)))
			w &= w - 1
		}
	}
}

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) andNot(other bitset) {
	for i, w := range other {
		b[i] &^= w
	}
}

func (b bitset) empty() bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

// meets reports whether a and b have a member in common.
func (b bitset) meets(other bitset) bool {
	for i, w := range other {
		if b[i]&w != 0 {
			return true
		}
	}
	return false
}
