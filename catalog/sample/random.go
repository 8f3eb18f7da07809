package sample

import (
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
)

// random is a stream of numbers fixed by its name. Only the generator's raw
// output is used, whose sequence is part of its definition (PCG-DXSM).
type random struct{ source *rand.PCG }

// stream starts the stream of that name.
func stream(name string) *random {
	h := fnv.New64a()
	h.Write([]byte(name))
	return &random{rand.NewPCG(h.Sum64(), 0x7461696875)}
}

// below returns a number from 0 up to but not n.
func (r *random) below(n int) int {
	hi, _ := bits.Mul64(r.source.Uint64(), uint64(n))
	return int(hi)
}

// between returns a number from lo up to hi, both included.
func (r *random) between(lo, hi int) int { return lo + r.below(hi-lo+1) }

// chance is true in so many cases of a thousand.
func (r *random) chance(perMille int) bool { return r.below(1000) < perMille }

// noise returns a number around 0 with about the given standard deviation.
func (r *random) noise(sd int) int {
	return r.between(-sd, sd) + r.between(-sd, sd) + r.between(-sd, sd)
}

// weighted returns an index with a chance in proportion to its weight.
func (r *random) weighted(weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	n := r.below(total)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// pick returns one of the list.
func pick[T any](r *random, list []T) T { return list[r.below(len(list))] }

// orEmpty returns v, but an empty cell in so many cases of a thousand.
func (r *random) orEmpty(perMille int, v string) string {
	if r.chance(perMille) {
		return ""
	}
	return v
}
