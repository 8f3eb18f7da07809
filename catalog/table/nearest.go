package table

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the known name a person most likely meant by name: one that
// differs only in case or width, else the one with the fewest letters changed,
// else one that contains it or is contained in it. "" where none is near.
func Nearest(name string, known []string) string {
	const longest = 200 // characters compared; a longer name has no near one
	folded := Fold(name)
	letters := []rune(folded)
	if len(letters) == 0 || len(letters) > longest {
		return ""
	}
	best, bestCost := "", len(letters)/2+1
	if bestCost > 4 {
		bestCost = 4
	}
	for _, k := range known {
		f := Fold(k)
		if utf8.RuneCountInString(f) > longest {
			continue
		}
		if cost := distance(letters, []rune(f), bestCost); cost < bestCost {
			best, bestCost = k, cost
		}
	}
	if best != "" {
		return best
	}
	for _, k := range known {
		f := Fold(k)
		if f != "" && (strings.Contains(f, folded) || strings.Contains(folded, f)) && (best == "" || len(k) < len(best)) {
			best = k
		}
	}
	return best
}

// distance counts the letters to insert, remove, change or swap with their
// neighbour to turn a into b, or returns limit where it is not less.
func distance(a, b []rune, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > limit { // a swap can still save one
			return limit
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}
