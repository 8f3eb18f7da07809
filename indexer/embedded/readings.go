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
	byRune map[rune]reading
}

// reading is the number of a character's usual syllable and of its other one; 0
// where it has none. Which of them is meant only the word tells (长 in 长江 and in
// 局长), so a text is found by either.
type reading struct{ usual, other uint16 }

// The characters whose readings are known beforehand; of rarer ones it is looked up.
const (
	firstRead = 0x3007
	lastRead  = 0x9fff
)

func (s *syllabary) of(r rune) reading {
	if r <= lastRead {
		return s.byRune[r]
	}
	return s.look(r)
}

var syllables = sync.OnceValue(func() *syllabary {
	s := &syllabary{byRune: make(map[rune]reading, 28000)}
	known := map[string]bool{}
	for r := rune(firstRead); r <= lastRead; r++ {
		for _, name := range indexer.Syllables(r) {
			if isLetters(name) {
				known[name] = true
			}
		}
	}
	for name := range known {
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
	s.names = slices.Insert(s.names, 0, "")
	for r := rune(firstRead); r <= lastRead; r++ {
		if n := s.look(r); n.usual != 0 {
			s.byRune[r] = n
		}
	}
	return s
})

// look reads a character in indexer.Syllables.
func (s *syllabary) look(r rune) reading {
	var numbers [2]uint16
	for i, name := range indexer.Syllables(r) {
		if n, there := slices.BinarySearch(s.names, name); there {
			numbers[i] = uint16(n)
		}
	}
	return reading{numbers[0], numbers[1]}
}

func isLetters(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < 'a' || r > 'z' }) < 0
}

// keysOf returns the keys of texts, without a number of a thing, each once: with all
// characters read as usual, and with each of those that have two readings, one at a
// time, read otherwise.
func keysOf(texts []string) (keys [2][]uint64) {
	table := syllables()
	var run []reading
	for _, text := range texts {
		indexer.Tokens(indexer.Fold(text), func(t indexer.Token) {
			if !t.Run {
				return
			}
			run = run[:0]
			for _, r := range t.Text {
				run = append(run, table.of(r))
			}
			for i := range run {
				rest := run[i:]
				if end := slices.IndexFunc(rest, func(r reading) bool { return r.usual == 0 }); end >= 0 {
					rest = rest[:end]
				}
				if len(rest) > 0 {
					table.addKeys(&keys, rest)
				}
			}
		})
	}
	for kind := range keys {
		slices.Sort(keys[kind])
		keys[kind] = slices.Compact(keys[kind])
	}
	return keys
}

// addKeys adds the keys of one place in a run, from there on.
func (s *syllabary) addKeys(keys *[2][]uint64, rest []reading) {
	var numbers [syllableCount]uint16
	var letters [initialCount]byte
	count, lettered := min(len(rest), syllableCount), min(len(rest), initialCount)
	for i, r := range rest[:lettered] {
		if i < count {
			numbers[i] = r.usual
		}
		letters[i] = s.names[r.usual][0]
	}
	add := func() {
		keys[bySyllables] = append(keys[bySyllables], packSyllables(numbers[:count]))
		keys[byInitials] = append(keys[byInitials], packInitials(letters[:lettered]))
	}
	add()
	for i, r := range rest[:count] {
		if r.other == 0 {
			continue
		}
		numbers[i], letters[i] = r.other, s.names[r.other][0]
		add()
		numbers[i], letters[i] = r.usual, s.names[r.usual][0]
	}
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
