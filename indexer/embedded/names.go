package embedded

import (
	"slices"
	"strings"
	"unicode/utf8"

	"taihu/indexer"
)

// names is the distinct texts of one part of all documents, such as the names of
// columns: what conditions ask (column:溶解氧) and what is suggested.
type names struct {
	column
	folded []string            // of the column's names
	grams  map[uint64][]uint32 // a character, or the first one or two letters of a word → names that have it
	// readings find names by pinyin; nil where that is not wanted.
	readings *readings
	most     int // distinct texts that are kept; more are left out
}

func newNames(pinyin bool, most int) *names {
	n := &names{column: newColumn(), grams: map[uint64][]uint32{}, most: most}
	if pinyin {
		n.readings = &readings{}
	}
	return n
}

// add gives the next document its texts.
func (c *names) add(texts []string) {
	if len(c.column.names) >= c.most {
		texts = slices.DeleteFunc(slices.Clone(texts), func(t string) bool { _, there := c.codes[t]; return !there })
	}
	known := len(c.column.names)
	c.column.add(texts)
	for code := known; code < len(c.column.names); code++ {
		c.learn(uint32(code))
	}
}

func (c *names) learn(code uint32) {
	text := c.column.names[code]
	folded := indexer.Fold(text)
	if folded == text {
		folded = text // one string in memory
	}
	c.folded = append(c.folded, folded)
	indexer.Tokens(folded, func(t indexer.Token) {
		if !t.Run {
			one, two := firstLetters(t.Text)
			c.enter(one, code)
			if two != 0 {
				c.enter(two, code)
			}
			return
		}
		for _, r := range t.Text {
			c.enter(gramKey(0, r), code)
		}
	})
	if c.readings != nil {
		c.readings.add(code, keysOf([]string{text}))
		c.readings.settle(false)
	}
}

func (c *names) enter(key uint64, code uint32) {
	list := c.grams[key]
	if n := len(list); n == 0 || list[n-1] != code {
		c.grams[key] = append(list, code)
	}
}

// firstLetters returns the keys of a word's first letter and of its first two; two
// is 0 where it has one.
func firstLetters(word string) (one, two uint64) {
	a, size := utf8.DecodeRuneInString(word)
	b, _ := utf8.DecodeRuneInString(word[size:])
	if len(word) == size {
		return gramKey(0, a), 0
	}
	return gramKey(0, a), gramKey(a, b)
}

// candidates returns the shortest list of names that has all with every one of
// terms, and more.
func (c *names) candidates(terms []indexer.Term) []uint32 {
	var shortest []uint32
	begun := false
	try := func(key uint64) {
		if list := c.grams[key]; !begun || len(list) < len(shortest) {
			shortest, begun = list, true
		}
	}
	for _, t := range terms {
		if t.Run {
			for _, r := range t.Text {
				try(gramKey(0, r))
			}
			continue
		}
		one, two := firstLetters(t.Text)
		if two == 0 {
			two = one
		}
		try(two)
	}
	return shortest
}

// having returns the set of names in which phrase stands.
func (c *names) having(phrase []indexer.Term) bitset {
	set := newBitset(len(c.folded))
	if len(phrase) == 0 {
		return set
	}
	for _, code := range c.candidates(phrase) {
		if at, _ := indexer.FindPhrase(c.folded[code], phrase); at >= 0 {
			set.set(code)
		}
	}
	return set
}

// keyTerm reads what a key has behind its field: a word, or a part of a run.
func keyTerm(text string) []indexer.Term {
	var term []indexer.Term
	indexer.Tokens(text, func(t indexer.Token) { term = []indexer.Term{{Text: t.Text, Run: t.Run}} })
	return term
}

// matches reports whether every term is in a folded text: a run anywhere, a word
// as the beginning of one.
func matches(folded string, terms []indexer.Term) bool {
	for _, t := range terms {
		if t.Run && !strings.Contains(folded, t.Text) || !t.Run && !hasBeginning(folded, t.Text) {
			return false
		}
	}
	return true
}

// hasBeginning reports whether a word of folded begins with word.
func hasBeginning(folded, word string) bool {
	for at := 0; ; {
		i := strings.Index(folded[at:], word)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(folded[:at+i])
		if at+i == 0 || !indexer.InWord(before) {
			return true
		}
		at += i + 1
		for at < len(folded) && !utf8.RuneStart(folded[at]) {
			at++
		}
	}
}

// named is a name that was found.
type named struct {
	code  uint32
	place int // 0: exactly what was typed, 1: begins with it, 2: has it, 3: by pinyin
}

// find returns at most limit names of living documents that match what was typed,
// best first.
func (c *names) find(terms []indexer.Term, limit int) []uint32 {
	if len(terms) == 0 {
		return nil
	}
	var found []named
	better := func(a, b named) bool {
		switch {
		case (a.place == 0) != (b.place == 0):
			return a.place == 0
		case c.living[a.code] != c.living[b.code]:
			return c.living[a.code] > c.living[b.code]
		case a.place != b.place:
			return a.place < b.place
		default:
			return c.column.names[a.code] < c.column.names[b.code]
		}
	}
	take := func(n named) {
		if c.living[n.code] <= 0 || len(found) == limit && !better(n, found[limit-1]) {
			return
		}
		at := 0
		for at < len(found) && better(found[at], n) {
			at++
		}
		found = slices.Insert(found, at, n)
		found = found[:min(len(found), limit)]
	}
	whole := terms[0].Text
	exact, there := c.codes[whole]
	if there = there && len(terms) == 1; there {
		take(named{exact, 0})
	}
	for _, code := range c.candidates(terms) {
		if len(found) == limit && c.living[code] < c.living[found[limit-1].code] || there && code == exact || !matches(c.folded[code], terms) {
			continue
		}
		place := 2
		if strings.HasPrefix(c.folded[code], whole) {
			place = 1
		}
		take(named{code, place})
	}
	if c.readings != nil && len(terms) == 1 && !terms[0].Run && len(found) < limit {
		set := newBitset(len(c.folded))
		c.readings.find(whole, len(c.folded), set)
		for _, n := range found {
			set.unset(n.code)
		}
		set.each(func(code uint32) { take(named{code, 3}) })
	}
	codes := make([]uint32, len(found))
	for i, n := range found {
		codes[i] = n.code
	}
	return codes
}
