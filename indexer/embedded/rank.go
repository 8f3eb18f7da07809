package embedded

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"taihu/indexer"
)

// looksClosely is how many of the best documents are ordered by how their titles
// and names answer the whole query, which the lists do not know. Those behind keep
// the order of their lists, so pages fit together.
const looksClosely = 400

func (x *inverted) boost(s *scratch) {
	s.found.each(func(n uint32) { s.scores[n] *= x.docs[n].boost })
}

// lookClosely orders docs, the best ones, anew.
func (x *inverted) lookClosely(docs []uint32, terms []indexer.Term, s *scratch) {
	phrase := indexer.Flat(terms)
	keywords, columns, organizations := x.part("keyword"), x.part("column"), x.part("org")
	for _, n := range docs {
		part := float32(0)
		for title := range strings.SplitSeq(x.docs[n].titles, textEnd) {
			part = max(part, titlePart(title, phrase))
		}
		part += max(indexer.KeywordPart*nameFits(keywords, n, phrase, 0), nameFits(columns, n, phrase, indexer.NamePart/indexer.NameExact)*indexer.NameExact,
			nameFits(organizations, n, phrase, indexer.NamePart/indexer.NameExact)*indexer.NameExact)
		s.scores[n] *= 1 + part
	}
	sortBy(docs, x.byRelevance(s))
}

// titlePart is how well one title answers the query.
func titlePart(title string, phrase []indexer.Term) float32 {
	if title == "" {
		return 0
	}
	covered, all := 0, true
	for _, t := range phrase {
		n := coveredBy(title, t)
		for _, alternative := range t.Or {
			other := 0
			for _, o := range alternative {
				other += coveredBy(title, o) / 2
			}
			n = max(n, other)
		}
		covered += n
		all = all && n > 0
	}
	if covered == 0 {
		return 0
	}
	length := 0
	indexer.Tokens(title, func(t indexer.Token) { length += len(t.Text) })
	part := indexer.CoveredPart * min(float32(covered)/float32(length), 1)
	if !all {
		return part * 0.5
	}
	part += indexer.TogetherPart
	at, end := indexer.FindPhrase(title, phrase)
	if at < 0 {
		return part
	}
	part += indexer.InOrderPart
	if at == 0 {
		part += indexer.BeginningPart
		if end == len(title) {
			part += indexer.ExactPart
		}
	}
	return part
}

// coveredBy is how many bytes of title a term accounts for.
func coveredBy(title string, t indexer.Term) int {
	if !t.Run {
		switch at, _ := indexer.FindPhrase(title, []indexer.Term{t}); {
		case at >= 0:
			return len(t.Text)
		case t.Prefix && hasBeginning(title, t.Text):
			return len(t.Text) / 2
		}
		return 0
	}
	if strings.Contains(title, t.Text) {
		return len(t.Text)
	}
	// the pairs of it that the title has
	covered, end := 0, 0
	for i, r := range t.Text {
		_, next := utf8.DecodeRuneInString(t.Text[i+utf8.RuneLen(r):])
		if next == 0 {
			break
		}
		to := i + utf8.RuneLen(r) + next
		if strings.Contains(title, t.Text[i:to]) {
			covered += to - max(i, end)
			end = to
		}
	}
	return covered
}

// nameFits is 1 where one of document n's names is the query, inside where one has
// all of it.
func nameFits(c *names, n uint32, phrase []indexer.Term, inside float32) float32 {
	best := float32(0)
	for _, code := range c.of(n) {
		name := c.folded[code]
		if !matches(name, phrase) {
			continue
		}
		best = max(best, inside)
		if at, end := indexer.FindPhrase(name, phrase); at == 0 && end == len(name) {
			return 1
		}
	}
	return best
}

// asString is b without a copy; it must not be kept.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
