package embedded

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"taihu/indexer"
)

// readings finds things, documents or names, by pinyin. For each character of
// their texts it keeps two numbers: the syllables from there on, and their
// initials, each with the thing's number behind it. Sorted, what begins with some
// syllables is one stretch. This takes 16 bytes a character, where a dictionary of
// the words written out takes ten times as much.
type readings struct {
	sorted, fresh [2][]uint64 // fresh ones are not sorted yet
}

const (
	bySyllables = iota
	byInitials
)

// A key is syllableCount syllables of syllableBits bits, or initialCount letters of
// initialBits, 0 where the text ends, and idBits of the thing's number.
const (
	idBits        = 28
	syllableBits  = 9
	syllableCount = 4
	initialBits   = 5
	initialCount  = 7
	// maxPinyin bounds a word that is read as pinyin, in letters.
	maxPinyin = 40
	// maxSpellings bounds the ways in which a word is cut into syllables.
	maxSpellings = 64
)

// syllabary numbers all syllables in alphabetical order, from 1 on.
type syllabary struct {
	names  []string // names[0] is empty
	byRune map[rune]uint16
}

// The characters whose readings are known beforehand; of rarer ones it is looked up.
const (
	firstRead = 0x3007
	lastRead  = 0x9fff
)

// number returns the number of a character's usual reading; 0 where it has none.
func (s *syllabary) number(r rune) uint16 {
	if r <= lastRead {
		return s.byRune[r]
	}
	if list := indexer.Syllables(r); len(list) > 0 {
		if n, there := slices.BinarySearch(s.names, list[0]); there {
			return uint16(n)
		}
	}
	return 0
}

var syllables = sync.OnceValue(func() *syllabary {
	s := &syllabary{byRune: make(map[rune]uint16, 24000)}
	known := map[string]bool{}
	for r := rune(firstRead); r <= lastRead; r++ {
		if list := indexer.Syllables(r); len(list) > 0 && isLetters(list[0]) {
			known[list[0]] = true
		}
	}
	for name := range known {
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
	s.names = slices.Insert(s.names, 0, "")
	for r := rune(firstRead); r <= lastRead; r++ {
		if list := indexer.Syllables(r); len(list) > 0 && known[list[0]] {
			n, _ := slices.BinarySearch(s.names, list[0])
			s.byRune[r] = uint16(n)
		}
	}
	return s
})

func isLetters(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < 'a' || r > 'z' }) < 0
}

// keysOf returns the keys of texts, without a number of a thing, each once.
func keysOf(texts []string) (keys [2][]uint64) {
	table := syllables()
	var numbers []uint16
	for _, text := range texts {
		indexer.Tokens(indexer.Fold(text), func(t indexer.Token) {
			if !t.Run {
				return
			}
			numbers = numbers[:0]
			for _, r := range t.Text {
				numbers = append(numbers, table.number(r))
			}
			for i, n := range numbers {
				if n == 0 {
					continue
				}
				rest := numbers[i:]
				if end := slices.Index(rest, 0); end >= 0 {
					rest = rest[:end]
				}
				keys[bySyllables] = append(keys[bySyllables], packSyllables(rest))
				letters := make([]byte, 0, initialCount)
				for _, m := range rest[:min(len(rest), initialCount)] {
					letters = append(letters, table.names[m][0])
				}
				keys[byInitials] = append(keys[byInitials], packInitials(letters))
			}
		})
	}
	for kind := range keys {
		slices.Sort(keys[kind])
		keys[kind] = slices.Compact(keys[kind])
	}
	return keys
}

func packSyllables(numbers []uint16) uint64 {
	key := uint64(0)
	for i := range syllableCount {
		key <<= syllableBits
		if i < len(numbers) {
			key |= uint64(numbers[i])
		}
	}
	return key << idBits
}

func packInitials(letters []byte) uint64 {
	key := uint64(0)
	for i := range initialCount {
		key <<= initialBits
		if i < len(letters) {
			key |= uint64(letters[i] - 'a' + 1)
		}
	}
	return key << idBits
}

// add gives thing id the keys of keysOf. What is added before settle or
// settleSome need not be found fast.
func (r *readings) add(id uint32, keys [2][]uint64) {
	for kind := range keys {
		for _, k := range keys[kind] {
			r.fresh[kind] = append(r.fresh[kind], k|uint64(id))
		}
	}
}

// settle sorts in what is fresh, where it is much or all is asked for.
func (r *readings) settle(all bool) {
	for kind := range r.fresh {
		if all || len(r.fresh[kind]) > 10000+len(r.sorted[kind])/8 {
			slices.Sort(r.fresh[kind])
			r.sorted[kind] = merge(r.sorted[kind], r.fresh[kind])
			r.fresh[kind] = nil
		}
	}
}

// merge makes one sorted list of two.
func merge[E interface{ ~uint64 | ~string }](a, b []E) []E {
	if len(a) == 0 {
		return b
	}
	merged := make([]E, 0, len(a)+len(b)+len(b)/2)
	for len(a) > 0 && len(b) > 0 {
		if a[0] <= b[0] {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	return append(append(merged, a...), b...)
}

// stretch is a range of keys, both ends included.
type stretch struct {
	kind   int
	lo, hi uint64
}

// each calls f with the number of every thing in a stretch; one may come twice.
func (r *readings) each(s stretch, f func(id uint32)) {
	const ids = 1<<idBits - 1
	list := r.sorted[s.kind]
	start := sort.Search(len(list), func(i int) bool { return list[i] >= s.lo })
	for _, k := range list[start:] {
		if k > s.hi {
			break
		}
		f(uint32(k & ids))
	}
	for _, k := range r.fresh[s.kind] {
		if k >= s.lo && k <= s.hi {
			f(uint32(k & ids))
		}
	}
}

// find sets in into the things, at most n, that have a stretch of characters whose
// pinyin begins with word.
func (r *readings) find(word string, n int, into bitset) {
	var all, part bitset
	for _, way := range spellings(word) {
		if len(way) == 1 {
			r.each(way[0], into.set)
			continue
		}
		// Longer than a key: every part of it must be there.
		all = cleared(all, (n+63)/64)
		r.each(way[0], all.set)
		for _, s := range way[1:] {
			if all.empty() {
				break
			}
			part = cleared(part, len(all))
			r.each(s, part.set)
			all.and(part)
		}
		into.or(all)
	}
}

// spellings returns the ways to read a word as pinyin: for each the stretches in
// all of which a thing must be.
func spellings(word string) [][]stretch {
	if len(word) < 2 || len(word) > maxPinyin || !isLetters(word) {
		return nil
	}
	ways := [][]stretch{initialsOf(word)}
	table := syllables()
	// beginnings returns the syllables that begin with rest; last ≥ first if any
	beginnings := func(rest string) (first, last int) {
		first, _ = slices.BinarySearch(table.names, rest)
		last = first - 1
		for last+1 < len(table.names) && strings.HasPrefix(table.names[last+1], rest) {
			last++
		}
		return first, last
	}
	longest := func(rest string) int { return min(len(rest)-1, 6) }
	// ends[i]: from letter i on there are syllables to the end, the last one perhaps
	// begun only. Without it words that end otherwise would be cut in vain 2ⁿ times.
	ends := make([]bool, len(word))
	for i := len(word) - 1; i >= 0; i-- {
		first, last := beginnings(word[i:])
		ends[i] = last >= first
		for size := 1; size <= longest(word[i:]) && !ends[i]; size++ {
			_, there := slices.BinarySearch(table.names, word[i:i+size])
			ends[i] = there && ends[i+size]
		}
	}
	var numbers []uint16
	var cut func(at int)
	cut = func(at int) {
		if !ends[at] || len(ways) > maxSpellings {
			return
		}
		rest := word[at:]
		if first, last := beginnings(rest); last >= first {
			ways = append(ways, syllablesOf(numbers, uint16(first), uint16(last)))
		}
		for size := 1; size <= longest(rest); size++ {
			if n, there := slices.BinarySearch(table.names, rest[:size]); there {
				numbers = append(numbers, uint16(n))
				cut(at + size)
				numbers = numbers[:len(numbers)-1]
			}
		}
	}
	cut(0)
	return ways
}

// initialsOf returns the stretches of a word read as initials.
func initialsOf(word string) []stretch {
	if len(word) <= initialCount {
		lo := packInitials([]byte(word))
		return []stretch{{byInitials, lo, lo | (1<<(initialBits*(initialCount-len(word))+idBits) - 1)}}
	}
	var all []stretch
	for i := 0; i+initialCount <= len(word); i++ {
		lo := packInitials([]byte(word[i : i+initialCount]))
		all = append(all, stretch{byInitials, lo, lo | (1<<idBits - 1)})
	}
	return all
}

// syllablesOf returns the stretches of some syllables and one of first to last
// behind them.
func syllablesOf(numbers []uint16, first, last uint16) []stretch {
	var all []stretch
	at := 0
	for ; len(numbers)-at >= syllableCount; at++ {
		lo := packSyllables(numbers[at:])
		all = append(all, stretch{bySyllables, lo, lo | (1<<idBits - 1)})
	}
	if len(numbers) < syllableCount {
		at = 0
	}
	rest := numbers[at:]
	open := uint64(1)<<(syllableBits*(syllableCount-len(rest)-1)+idBits) - 1
	lo := packSyllables(append(slices.Clone(rest), first))
	hi := packSyllables(append(slices.Clone(rest), last))
	return append(all, stretch{bySyllables, lo, hi | open})
}
