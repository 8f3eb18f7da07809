package indexer

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// PassageLength is how many characters of a description a hit shows.
const PassageLength = 160

// MaxHitColumns is how many matching columns a hit names.
const MaxHitColumns = 10

// MaxHitValues is how many matching values a hit names.
const MaxHitValues = 3

// Span is a stretch of a text, in bytes.
type Span struct{ Start, End int }

// Matcher finds where the terms of a query stand in a text. Both engines show
// their hits with it, so a part of a word is marked even where an engine's own
// cutting knows only the whole word. One goroutine may use it at a time.
type Matcher struct {
	words    map[string]bool
	prefixes []string
	singles  map[rune]bool
	pairs    map[[2]rune]bool
	phrases  [][]Term
	begins   runeSet // what any of these begins with
	// A text folded, and where each byte of it comes from: kept for the next text.
	folded []byte
	origin []int
}

// NewMatcher makes the Matcher of terms and of what may stand for them.
func NewMatcher(terms []Term) *Matcher {
	m := &Matcher{words: map[string]bool{}, singles: map[rune]bool{}, pairs: map[[2]rune]bool{}}
	m.add(terms)
	return m
}

func (m *Matcher) add(terms []Term) {
	for _, t := range terms {
		for _, alternative := range t.Or {
			m.add(alternative)
		}
		switch {
		case len(t.Phrase) > 0:
			m.phrases = append(m.phrases, t.Phrase)
			m.begins.add(first(t.Phrase[0].Text))
			continue
		case !t.Run:
			m.words[t.Text] = true
			m.begins.add(first(t.Text))
			if t.Prefix {
				m.prefixes = append(m.prefixes, t.Text)
			}
			continue
		}
		runes := []rune(t.Text)
		if len(runes) == 1 {
			m.singles[runes[0]] = true
			m.begins.add(runes[0])
		}
		for i := 1; i < len(runes); i++ {
			m.pairs[[2]rune{runes[i-1], runes[i]}] = true
			m.begins.add(runes[i-1])
		}
	}
}

// runeSet holds characters by their lowest bits: it says of some that are not in it
// that they may be.
type runeSet [16]uint64

func (s *runeSet) add(r rune) { s[r>>6&15] |= 1 << (r & 63) }

func (s *runeSet) may(r rune) bool { return s[r>>6&15]>>(r&63)&1 != 0 }

// mayAny reports whether a text may have one of the characters.
func (s *runeSet) mayAny(text string) bool {
	for _, r := range text {
		if s.may(r) {
			return true
		}
	}
	return false
}

func first(text string) rune {
	r, _ := utf8.DecodeRuneInString(text)
	return r
}

// Spans returns where text matches, in order, touching ones joined.
func (m *Matcher) Spans(text string) []Span {
	folded, origin := m.fold(text)
	if !m.begins.mayAny(folded) {
		return nil
	}
	var spans []Span
	mark := func(start, end int) {
		s := Span{origin[start], originEnd(text, origin, end)}
		if n := len(spans); n > 0 && s.Start <= spans[n-1].End {
			spans[n-1].End = max(spans[n-1].End, s.End)
			return
		}
		spans = append(spans, s)
	}
	for _, p := range m.phrases {
		var own []Span
		for at := 0; ; {
			start, end := FindPhrase(folded[at:], p)
			if start < 0 {
				break
			}
			own = append(own, Span{origin[at+start], originEnd(text, origin, at+end)})
			at += end
		}
		spans = Join(spans, own)
	}
	joined := spans
	spans = nil
	Tokens(folded, func(t Token) { m.markToken(t, mark) })
	return Join(joined, spans)
}

// markToken calls mark with each stretch of a token that matches.
func (m *Matcher) markToken(t Token, mark func(start, end int)) {
	if t.Run {
		m.markRun(t, mark)
		return
	}
	if m.words[t.Text] {
		mark(t.Start, t.End)
		return
	}
	for _, p := range m.prefixes {
		if strings.HasPrefix(t.Text, p) {
			mark(t.Start, t.Start+len(p))
			return
		}
	}
}

// Matches reports whether Spans(text) has any, at less cost.
func (m *Matcher) Matches(text string) bool {
	folded, found := Fold(text), false
	if !m.begins.mayAny(folded) {
		return false
	}
	for _, p := range m.phrases {
		if start, _ := FindPhrase(folded, p); start >= 0 {
			return true
		}
	}
	mark := func(int, int) { found = true }
	Tokens(folded, func(t Token) {
		if !found {
			m.markToken(t, mark)
		}
	})
	return found
}

// SpansAlsoByPinyin returns Spans(text) or, where there are none, the first stretch
// of characters that a word is the pinyin of, whole, begun or by initials.
func (m *Matcher) SpansAlsoByPinyin(text string) []Span {
	spans := m.Spans(text)
	if len(spans) > 0 || len(m.words) == 0 {
		return spans
	}
	folded, origin := m.fold(text)
	for word := range m.words {
		Tokens(folded, func(t Token) {
			if !t.Run || len(spans) > 0 {
				return
			}
			if start, end := FindPinyin(t.Text, word); start >= 0 {
				spans = []Span{{origin[t.Start+start], originEnd(text, origin, t.Start+end)}}
			}
		})
		if len(spans) > 0 {
			break
		}
	}
	return spans
}

func (m *Matcher) markRun(t Token, mark func(start, end int)) {
	before, beforeAt := rune(-1), 0
	for i, r := range t.Text {
		at, end := t.Start+i, t.Start+i+utf8.RuneLen(r)
		if before >= 0 && m.begins.may(before) && m.pairs[[2]rune{before, r}] {
			mark(beforeAt, end)
		}
		if m.begins.may(r) && m.singles[r] {
			mark(at, end)
		}
		before, beforeAt = r, at
	}
}

// FindPhrase returns the first place of a phrase in a folded text, whose parts stand
// one behind the other with nothing but signs between them; -1 where it is not. A
// line end in text is the end of what a phrase can stand in.
func FindPhrase(text string, phrase []Term) (start, end int) {
	for from := 0; ; {
		at := strings.Index(text[from:], phrase[0].Text)
		if at < 0 {
			return -1, -1
		}
		start = from + at
		if end = phraseEnd(text, start, phrase); end >= 0 {
			return start, end
		}
		_, size := utf8.DecodeRuneInString(text[start:])
		from = start + size
	}
}

// phraseEnd returns where the phrase that begins at at ends; -1 where it does not.
func phraseEnd(text string, at int, phrase []Term) int {
	for i, part := range phrase {
		if i > 0 {
			gap := strings.IndexFunc(text[at:], func(r rune) bool { return classOf(r) != separator || r == '\n' })
			if gap < 0 {
				return -1
			}
			at += gap
		}
		if !strings.HasPrefix(text[at:], part.Text) {
			return -1
		}
		end := at + len(part.Text)
		if !part.Run { // a word as a whole
			before, _ := utf8.DecodeLastRuneInString(text[:at])
			after, _ := utf8.DecodeRuneInString(text[end:])
			if at > 0 && classOf(before) == letter || end < len(text) && classOf(after) == letter {
				return -1
			}
		}
		at = end
	}
	return at
}

// Respell puts other words in the place of those of text; everything else stays as
// it is. words are folded.
func Respell(text string, words map[string]string) string {
	var m Matcher
	folded, origin := m.fold(text)
	var b strings.Builder
	at := 0
	Tokens(folded, func(t Token) {
		if other, ok := words[t.Text]; ok {
			b.WriteString(text[at:origin[t.Start]])
			b.WriteString(other)
			at = originEnd(text, origin, t.End)
		}
	})
	return b.String() + text[at:]
}

// fold folds text and tells for each byte of the result, and for its end, where the
// character it comes from begins; that is good until the next text.
func (m *Matcher) fold(text string) (string, []int) {
	m.folded, m.origin = m.folded[:0], m.origin[:0]
	for i, r := range text {
		m.folded = appendFolded(m.folded, r)
		for len(m.origin) < len(m.folded) {
			m.origin = append(m.origin, i)
		}
	}
	m.origin = append(m.origin, len(text))
	return string(m.folded), m.origin
}

func originEnd(text string, origin []int, end int) int {
	_, size := utf8.DecodeRuneInString(text[origin[end-1]:])
	return max(origin[end], origin[end-1]+size)
}

// Join merges two ordered lists of spans into one.
func Join(a, b []Span) []Span {
	if len(b) == 0 {
		return a
	}
	all := append(slices.Clone(a), b...)
	slices.SortFunc(all, func(x, y Span) int { return x.Start - y.Start })
	joined := all[:1]
	for _, s := range all[1:] {
		if last := &joined[len(joined)-1]; s.Start <= last.End {
			last.End = max(last.End, s.End)
		} else {
			joined = append(joined, s)
		}
	}
	return joined
}

// Segments cuts text at the spans. Joined they give text again; an empty text
// has none.
func Segments(text string, spans []Span) []Segment {
	var out []Segment
	at := 0
	for _, s := range spans {
		if s.Start > at {
			out = append(out, Segment{Text: text[at:s.Start]})
		}
		out = append(out, Segment{Text: text[s.Start:s.End], Hit: true})
		at = s.End
	}
	if at < len(text) {
		out = append(out, Segment{Text: text[at:]})
	}
	return out
}

// Plain is the text that segments are of.
func Plain(segments []Segment) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Passage returns the part of text, at most PassageLength characters, that holds
// the most matches, beginning at a sentence or word where one begins nearby.
func Passage(text string, spans []Span) []Segment {
	// starts of the characters, so that lengths are counted in them
	starts := make([]int, 0, len(text)/2)
	for i := range text {
		starts = append(starts, i)
	}
	if len(starts) <= PassageLength {
		return Segments(text, spans)
	}
	starts = append(starts, len(text))
	index := func(offset int) int { i, _ := slices.BinarySearch(starts, offset); return i }
	best, bestMarked := 0, -1
	for i, s := range spans {
		from := min(passageStart(text, starts, index(s.Start)), len(starts)-1-PassageLength)
		end, marked := starts[from+PassageLength], 0
		for _, t := range spans[i:] {
			if t.End > end {
				break
			}
			marked += t.End - t.Start
		}
		if marked > bestMarked {
			best, bestMarked = from, marked
		}
	}
	start, end := starts[best], starts[best+PassageLength]
	var inside []Span
	for _, s := range spans {
		if s.End > start && s.Start < end {
			inside = append(inside, Span{max(s.Start, start) - start, min(s.End, end) - start})
		}
	}
	return Segments(text[start:end], inside)
}

// passageStart steps back from the match, at most 40 characters, to the end of a
// sentence, else to a space, else 20 characters.
func passageStart(text string, starts []int, hit int) int {
	space := -1
	for i := hit; i > 0 && i > hit-40; i-- {
		r, _ := utf8.DecodeRuneInString(text[starts[i-1]:])
		switch r {
		case '。', '！', '？', '；', '\n':
			return i
		case ' ':
			if before, _ := utf8.DecodeLastRuneInString(text[:starts[i-1]]); before == '.' || before == '!' || before == '?' {
				return i
			}
			if i <= hit-10 && space < 0 {
				space = i
			}
		}
	}
	switch {
	case hit <= 40:
		return 0
	case space >= 0:
		return space
	}
	return hit - 20
}

// Show fills in what a hit shows of d: title and passage in lang, or the passage
// in the other language where only that one matches. extra, which may be nil,
// adds an engine's own marks of a text.
func (m *Matcher) Show(d *Document, lang string, extra func(text string) []Span) Hit {
	spans := func(text string) []Span {
		found := m.Spans(text)
		if extra != nil {
			found = Join(found, extra(text))
		}
		return found
	}
	has := func(text string) bool { return extra != nil && len(extra(text)) > 0 || m.Matches(text) }
	title := d.Title.In(lang)
	titleMarks := spans(title)
	if len(titleMarks) == 0 {
		titleMarks = m.SpansAlsoByPinyin(title)
	}
	description := d.Description.In(lang)
	marks := spans(description)
	if other := d.Description.In(otherLang(lang)); len(marks) == 0 && other != description {
		if otherMarks := spans(other); len(otherMarks) > 0 {
			description, marks = other, otherMarks
		}
	}
	hit := Hit{ID: d.ID, Slug: d.Slug, Title: Segments(title, titleMarks), Description: Passage(description, marks)}
	for _, c := range d.Columns {
		if len(hit.Columns) < MaxHitColumns && has(c) {
			hit.Columns = append(hit.Columns, c)
		}
	}
	for _, v := range d.Values {
		if len(hit.Values) < MaxHitValues && has(v) {
			hit.Values = append(hit.Values, v)
		}
	}
	return hit
}

func otherLang(lang string) string {
	if lang == "en" {
		return "zh"
	}
	return "en"
}
