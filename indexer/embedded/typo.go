package embedded

import (
	"slices"

	"taihu/indexer"
)

// From how many letters on a word may have one letter wrong, and two.
const (
	oneTypo  = 5
	twoTypos = 9
	// mostSpellings bounds how many spellings one word stands for.
	mostSpellings = 50
)

// mend finds the documents for a word that none has by the words it is likely a
// misspelling of, and returns the nearest of them, of those the most frequent. ok
// is false, and into empty, where the word has documents or no such words.
func (x *inverted) mend(t indexer.Term, s *scratch, into bitset) (word string, ok bool) {
	if t.Run || len(t.Phrase) > 0 || len(t.Or) > 0 || len(t.Text) < oneTypo || len(t.Text) > maxWord || !isLetters(t.Text) {
		return "", false
	}
	if x.anyLiving(x.expand(t)) {
		return "", false
	}
	sounding := s.take()
	x.readings.find(t.Text, len(x.docs), sounding)
	found := sounding.meets(x.alive)
	s.used--
	if found {
		return "", false
	}
	spellings := x.near(t)
	if len(spellings) == 0 {
		return "", false
	}
	lists := make([]uint32, len(spellings))
	for i, c := range spellings {
		lists[i] = x.words[c.word]
	}
	x.score(lists, 1, s, into)
	return spellings[0].word, true
}

// spelling is a word that another one may have meant.
type spelling struct {
	word           string
	distance, docs int
}

// near returns the words near t, the nearest and most frequent one first.
func (x *inverted) near(t indexer.Term) []spelling {
	most := 1
	if len(t.Text) >= twoTypos {
		most = 2
	}
	var all []spelling
	try := func(word string) {
		if word[0] != t.Text[0] || !isLetters(word) || len(word) < len(t.Text)-most || !t.Prefix && len(word) > len(t.Text)+most {
			return
		}
		d := distance(t.Text, word, most, t.Prefix)
		if d > most {
			return
		}
		docs := x.living(x.words[word])
		if docs == 0 {
			return
		}
		at := len(all)
		for at > 0 && (all[at-1].distance > d || all[at-1].distance == d && all[at-1].docs < docs) {
			at--
		}
		if at == mostSpellings {
			return
		}
		all = slices.Insert(all, at, spelling{word, d, docs})
		all = all[:min(len(all), mostSpellings)]
	}
	start, _ := slices.BinarySearch(x.sorted, t.Text[:1])
	for _, word := range x.sorted[start:] {
		if word[0] != t.Text[0] {
			break
		}
		try(word)
	}
	for _, word := range x.fresh {
		try(word)
	}
	return all
}

// living is how many living documents a list has.
func (x *inverted) living(id uint32) int {
	n := 0
	x.lists[id].each(func(doc uint32) bool {
		if x.alive.has(doc) {
			n++
		}
		return true
	})
	return n
}

func (x *inverted) anyLiving(lists []uint32) bool {
	found := false
	for _, id := range lists {
		x.lists[id].each(func(doc uint32) bool {
			found = x.alive.has(doc)
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

// distance is how many letters must be put in, left out, replaced or swapped with
// the next one to make b of a; more than most where it is more. With prefix, to
// make a beginning of b.
func distance(a, b string, most int, prefix bool) int {
	if len(b) > len(a)+most {
		b = b[:len(a)+most]
		if !prefix {
			return most + 1
		}
	}
	var rows [3][maxWord + 3]int
	before, above, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > most {
			return most + 1
		}
		before, above, row = above, row, before
	}
	if !prefix {
		return above[len(b)]
	}
	least := above[len(b)]
	for j := max(len(a)-most, 0); j <= len(b); j++ {
		least = min(least, above[j])
	}
	return least
}
