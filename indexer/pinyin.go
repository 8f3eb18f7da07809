package indexer

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// Bounds of what is written out of a run of characters for pinyin: from each
// character on, so many syllables and so many initials.
const (
	pinyinSyllables = 5
	pinyinInitials  = 8
	pinyinOthers    = 3 // characters whose other readings are written out too
)

var syllables sync.Map // rune → []string, most usual reading first

// Syllables returns the readings of a character without tones, at most two, the
// usual one first; none where it has none.
func Syllables(r rune) []string {
	if v, ok := syllables.Load(r); ok {
		return v.([]string)
	}
	list := []string{}
	// the dictionary itself: the library looks for tones by regular expressions
	for s := range strings.SplitSeq(pinyin.PinyinDict[int(r)], ",") {
		list = appendNew(list, strings.Map(withoutTone, s))
	}
	list = list[:min(len(list), 2)]
	syllables.Store(r, list)
	return list
}

// plainLetters are the letters of pinyin with their tones taken off.
var plainLetters = func() map[rune]rune {
	letters := map[rune]rune{}
	for plain, marked := range map[rune]string{'a': "āáǎà", 'e': "ēéěèêếề", 'i': "īíǐì", 'o': "ōóǒò", 'u': "ūúǔù", 'v': "üǖǘǚǜ", 'n': "ńňǹ", 'm': "ḿ"} {
		for _, r := range marked {
			letters[r] = plain
		}
	}
	return letters
}()

func withoutTone(r rune) rune {
	if r < utf8.RuneSelf {
		return r
	}
	if plain, there := plainLetters[r]; there {
		return plain
	}
	return -1 // a tone that stands behind its letter
}

// PinyinTexts are the texts of d that are found by their pinyin.
func PinyinTexts(d *Document) []string {
	return append([]string{d.Title.Zh}, d.Keywords...)
}

// eachReading calls add with the syllables and the initials of a stretch of
// characters: by the usual readings, and with the other one of each of the first
// few. Two unusual ones at once are not written out.
func eachReading(runes []rune, add func(string)) {
	var readings [][]string
	for _, r := range runes {
		s := Syllables(r)
		if len(s) == 0 {
			break
		}
		readings = append(readings, s)
	}
	write := func(other, syllables int) {
		var whole, initials strings.Builder
		for n, s := range readings {
			reading := s[0]
			if n == other {
				reading = s[1]
			}
			initials.WriteByte(reading[0])
			if n < syllables {
				whole.WriteString(reading)
			}
		}
		add(whole.String())
		add(initials.String())
	}
	write(-1, pinyinSyllables)
	for n, s := range readings[:min(len(readings), pinyinOthers)] {
		if len(s) > 1 {
			write(n, pinyinOthers)
		}
	}
}

// PinyinWords are the words by whose beginnings a text is found in pinyin: for
// each character of a run the syllables from it on (tingchechang) and their
// initials (tcc). Each is given once.
func PinyinWords(texts []string) []string {
	var words []string
	seen := map[string]bool{}
	add := func(w string) {
		if len(w) > 1 && !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	for _, text := range texts {
		Tokens(Fold(text), func(t Token) {
			if !t.Run {
				return
			}
			runes := []rune(t.Text)
			for i := range runes {
				eachReading(runes[i:min(i+pinyinInitials, len(runes))], add)
			}
		})
	}
	return words
}

// FindPinyin returns the first stretch of a run of characters whose pinyin begins
// with word, written out or by initials; -1 where there is none. Words of one
// letter are no pinyin.
func FindPinyin(run, word string) (start, end int) {
	if len(word) < 2 {
		return -1, -1
	}
	for i := range run {
		if n := spelt(run[i:], word, false); n > 0 {
			return i, i + n
		}
		if n := spelt(run[i:], word, true); n > 0 {
			return i, i + n
		}
	}
	return -1, -1
}

// spelt returns how many bytes of run word is the pinyin of, by either reading of
// each character; 0 where it is not.
func spelt(run, word string, initials bool) int {
	r, size := utf8.DecodeRuneInString(run)
	for _, syllable := range Syllables(r) {
		if initials {
			syllable = syllable[:1]
		}
		if strings.HasPrefix(syllable, word) {
			return size
		}
		if rest, ok := strings.CutPrefix(word, syllable); ok {
			if n := spelt(run[size:], rest, initials); n > 0 {
				return size + n
			}
		}
	}
	return 0
}
