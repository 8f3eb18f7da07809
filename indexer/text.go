package indexer

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// MaxTerms is how many terms of a query are looked at; the rest is passed over.
const MaxTerms = 10

// Token is one stretch of a folded text: a word of letters and digits, or a run
// of characters of a script that writes without spaces (Chinese, Japanese,
// Korean), which is matched by its single characters and pairs of neighbours.
type Token struct {
	Text       string
	Start, End int // bytes in the folded text
	Run        bool
}

// Term is one thing a query asks for.
type Term struct {
	Text   string // folded; empty for a phrase
	Run    bool   // as Token.Run
	Prefix bool   // the last word of the query also matches words that begin with it
	// Phrase are words and runs that stand one behind the other in one text, with
	// nothing but signs between them, in this order and as they are.
	Phrase []Term
	// Or are what may stand for the term: synonyms. All terms of one must be there.
	Or [][]Term
}

// Flat are the words and runs of terms, those of phrases too.
func Flat(terms []Term) []Term {
	var flat []Term
	for _, t := range terms {
		if len(t.Phrase) > 0 {
			flat = append(flat, t.Phrase...)
		} else {
			flat = append(flat, t)
		}
	}
	return flat
}

// WordsOf are the words and runs of terms, with spaces between.
func WordsOf(terms []Term) string {
	var words []string
	for _, t := range Flat(terms) {
		words = append(words, t.Text)
	}
	return strings.Join(words, " ")
}

// Fold gives s the form in which texts and queries meet: compatibility forms
// taken apart (full width, ligatures, ㎡), no accents on letters, lower case, simplified
// characters. Every character is folded on its own, so that a match leads back to where it
// stood.
func Fold(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') && s[i] >= ' ' {
		i++
	}
	if i == len(s) {
		return s
	}
	b := make([]byte, 0, len(s)+8)
	b = append(b, s[:i]...)
	for _, r := range s[i:] {
		b = appendFolded(b, r)
	}
	return string(b)
}

func appendFolded(b []byte, r rune) []byte {
	switch {
	case r < ' ' || r == 0x7f:
		return append(b, ' ')
	case r < utf8.RuneSelf:
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(b, byte(r))
	case r >= hanFirst && r <= hanLast:
		return utf8.AppendRune(b, simplify(r))
	case r >= 0x300 && r <= 0x36f, r == 0x200b, r == 0x200c, r == 0x200d, r == 0xfeff, r == 0xad, r == 0x2060:
		return b // accents standing alone, characters without width
	}
	for i := range signs {
		if at := r - signs[i].first; at >= 0 && int(at) < len(signs[i].folded) {
			return append(b, signs[i].folded[at]...)
		}
	}
	return appendDecomposed(b, r)
}

// signs are characters that Chinese texts are full of, folded beforehand: general
// and Chinese punctuation, and what has full width.
var signs = []struct {
	first  rune
	folded []string
}{{0x2000, foldAll(0x2000, 0x206f)}, {0x3000, foldAll(0x3000, 0x303f)}, {0xff00, foldAll(0xff00, 0xffef)}}

func foldAll(first, last rune) []string {
	var all []string
	for r := first; r <= last; r++ {
		all = append(all, string(appendDecomposed(nil, r)))
	}
	return all
}

// appendDecomposed is the slow path: anything but ASCII and Han of the first plane.
func appendDecomposed(b []byte, r rune) []byte {
	var kept []rune
	for _, d := range norm.NFKD.String(string(r)) {
		if d >= 0x300 && d <= 0x36f {
			continue
		}
		kept = append(kept, simplify(unicode.ToLower(d)))
	}
	return norm.NFKC.AppendString(b, string(kept))
}

type class uint8

const (
	separator class = iota
	letter
	gram
)

func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return letter
		}
		return separator
	case r >= 0x4e00 && r <= 0x9fff:
		return gram
	case r >= 0x2000 && r <= 0x2fff:
		return separator
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo), r == 'ー':
		return gram
	case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r):
		return letter
	}
	return separator
}

// InWord reports whether a folded character is one of a word of letters.
func InWord(r rune) bool { return classOf(r) == letter }

// Tokens cuts a folded text and hands each token to yield, in order.
func Tokens(folded string, yield func(Token)) {
	start, current := 0, separator
	for i, r := range folded {
		c := classOf(r)
		if c == current {
			continue
		}
		if current != separator {
			yield(Token{Text: folded[start:i], Start: start, End: i, Run: current == gram})
		}
		start, current = i, c
	}
	if current != separator {
		yield(Token{Text: folded[start:], Start: start, End: len(folded), Run: current == gram})
	}
}

// clean makes one line of a text: spaces for control characters and line ends,
// runs of spaces as one, valid UTF-8, NFC.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}

var collators = sync.Pool{New: func() any { return collate.New(language.Chinese, collate.Loose) }}

// sortKeyBytes bounds a sort key; titles equal so far are ordered by their id.
const sortKeyBytes = 96

// SortKey returns bytes that order titles as a Chinese reader expects: digits,
// Latin letters, then characters by their pinyin, without regard to case and width.
func SortKey(title string) string {
	c := collators.Get().(*collate.Collator)
	defer collators.Put(c)
	var buffer collate.Buffer
	key := c.KeyFromString(&buffer, Fold(title))
	return string(key[:min(len(key), sortKeyBytes)])
}
