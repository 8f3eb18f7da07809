package table

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"taihu/catalog"
)

// keywords are the words that name a column only in double quotes. contains and
// starts are among them although only a parenthesis makes them functions.
var keywords = []string{"and", "or", "not", "in", "is", "null", "true", "false", "contains", "starts"}

func isKeyword(word string) bool {
	for _, k := range keywords {
		if strings.EqualFold(k, word) {
			return true
		}
	}
	return false
}

// scanner reads one parameter from left to right. What a run of characters is
// depends on where it stands (2020 is a column before an operator and a number
// after it), so there is no separate list of tokens.
type scanner struct {
	parameter string // where, select or sort
	src       string
	pos       int // byte offset
}

func (s *scanner) space() {
	for s.pos < len(s.src) {
		r, n := utf8.DecodeRuneInString(s.src[s.pos:])
		if !unicode.IsSpace(r) {
			return
		}
		s.pos += n
	}
}

// end reports whether only space is left.
func (s *scanner) end() bool {
	s.space()
	return s.pos == len(s.src)
}

// take skips space and then the given symbol, if it stands there.
func (s *scanner) take(symbol string) bool {
	s.space()
	if !strings.HasPrefix(s.src[s.pos:], symbol) {
		return false
	}
	s.pos += len(symbol)
	return true
}

// sees reports whether the symbol follows, after space.
func (s *scanner) sees(symbol string) bool {
	s.space()
	return strings.HasPrefix(s.src[s.pos:], symbol)
}

func isWordRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// peekWord returns the word that follows, after space; "" where none does.
func (s *scanner) peekWord() string {
	s.space()
	for i, r := range s.src[s.pos:] {
		if !isWordRune(r) {
			return s.src[s.pos : s.pos+i]
		}
	}
	return s.src[s.pos:]
}

// takeWord skips the given keyword, in any case, if it is the word that follows.
func (s *scanner) takeWord(keyword string) bool {
	w := s.peekWord()
	if !strings.EqualFold(w, keyword) {
		return false
	}
	s.pos += len(w)
	return true
}

// quoted reads what stands between two quote characters, a doubled one being the
// character itself. The first one is known to stand at pos. false: never closed.
func (s *scanner) quoted(quote byte) (string, bool) {
	var b strings.Builder
	for i := s.pos + 1; i < len(s.src); i++ {
		if s.src[i] != quote {
			b.WriteByte(s.src[i])
			continue
		}
		if i+1 < len(s.src) && s.src[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		s.pos = i + 1
		return b.String(), true
	}
	return "", false
}

// column reads a column name. reserved says whether a bare keyword is refused.
func (s *scanner) column(reserved bool, expected phrase) (Column, error) {
	s.space()
	at := s.pos
	if s.sees(`"`) {
		name, ok := s.quoted('"')
		if !ok {
			return Column{}, s.fail(at, phrase{`a closing " after the column name`, `列名后的右双引号"`})
		}
		if name == "" {
			return Column{}, s.fail(at, phrase{"a name between the double quotes", "双引号之间的列名"})
		}
		return Column{Name: name, At: at}, nil
	}
	w := s.peekWord()
	if w == "" {
		return Column{}, s.fail(at, expected)
	}
	if reserved && isKeyword(w) && !strings.EqualFold(w, "contains") && !strings.EqualFold(w, "starts") {
		return Column{}, s.fail(at, phrase{expected.en + ` (a column called so is written "` + w + `")`, expected.zh + `（若列名就是它，请写"` + w + `"）`})
	}
	s.pos += len(w)
	return Column{Name: w, At: at}, nil
}

// phrase is a piece of an error message in both languages.
type phrase struct{ en, zh string }

// fail makes the error of this parameter: where, what was found, what was expected.
func (s *scanner) fail(at int, expected phrase) error {
	found, foundZh := s.found(at)
	n := position(s.src, at)
	return catalog.Errorf(catalog.Invalid, "bad_"+s.parameter, "%s is wrong at character %d: found %s, expected %s", s.parameter, n, found, expected.en).
		With("parameter", s.parameter).With("position", n).With("found", strings.Trim(found, "`")).With("expected", expected.en).
		InChinese("%s第%d个字符有误：此处是%s，应为%s", s.parameter, n, foundZh, expected.zh)
}

// found names what stands at an offset: a word, a quoted piece, or one character.
func (s *scanner) found(at int) (en, zh string) {
	const most = 24 // characters, enough to recognise the place
	rest := s.src[at:]
	if rest == "" {
		return "the end", "结尾"
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return !isWordRune(r) })
	switch {
	case end < 0:
		end = len(rest)
	case end == 0:
		r, n := utf8.DecodeRuneInString(rest)
		end = n
		for _, two := range []string{"==", "<>", "!=", "<=", ">=", "=<", "=>", "&&", "||"} {
			if strings.HasPrefix(rest, two) {
				end = len(two)
			}
		}
		if r == '\'' || r == '"' {
			if i := strings.IndexRune(rest[n:], r); i >= 0 {
				end = n + i + 1
			} else {
				end = len(rest)
			}
		}
	}
	piece := []rune(rest[:end])
	text := string(piece)
	if len(piece) > most {
		text = string(piece[:most]) + "…"
	}
	return "`" + text + "`", "“" + text + "”"
}
