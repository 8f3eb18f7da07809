package embedded

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"taihu/indexer"
)

// match leaves in s.found the living documents that are asked for, and in s.scores
// how well each matches. It returns other spellings of the words that none has, and
// puts them in their places in asked.
func (g *generation) match(asked *indexer.Asked, any bool, s *scratch) (respelt map[string]string, err error) {
	x := g.terms
	copy(s.found, x.alive)
	x.meet(asked, s)
	// Phrases are looked for in the documents' texts, so they come last, when few
	// documents are left.
	for _, phrases := range []bool{false, true} {
		for _, t := range asked.Not {
			if (len(t.Phrase) > 0) != phrases {
				continue
			}
			set := s.take()
			if err := g.clause(t, 0, s, set); err != nil {
				return nil, err
			}
			s.found.andNot(set)
			s.used--
		}
		if any && len(asked.Terms) > 0 {
			continue
		}
		for i, t := range asked.Terms {
			if (len(t.Phrase) > 0) != phrases {
				continue
			}
			set := s.take()
			if other, ok := x.mend(t, s, set); ok {
				respelt = with(respelt, t.Text, other)
				asked.Terms[i].Text = other
			} else if err := g.clause(t, 1, s, set); err != nil {
				return nil, err
			}
			s.found.and(set)
			s.used--
		}
	}
	if any && len(asked.Terms) > 0 {
		return g.matchAny(asked, s)
	}
	return respelt, nil
}

func with(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// matchAny leaves those of s.found that have any of the terms, and counts how many
// each has.
func (g *generation) matchAny(asked *indexer.Asked, s *scratch) (respelt map[string]string, err error) {
	s.hits = cleared(s.hits, s.docs)
	union := s.take()
	for i, t := range asked.Terms {
		set := s.take()
		if other, ok := g.terms.mend(t, s, set); ok {
			respelt = with(respelt, t.Text, other)
			asked.Terms[i].Text = other
		} else if err := g.clause(t, 1, s, set); err != nil {
			return nil, err
		}
		set.and(s.found)
		set.each(func(n uint32) { s.hits[n]++ })
		union.or(set)
		s.used--
	}
	s.found.and(union)
	s.used--
	return respelt, nil
}

// meet takes out of s.found what does not fulfil the conditions.
func (x *inverted) meet(asked *indexer.Asked, s *scratch) {
	if len(asked.Keys) > 0 {
		x.keep(asked.Keys, s.found)
	}
	for _, keys := range asked.NotKeys {
		set := s.take()
		copy(set, s.found)
		x.keep(keys, set)
		s.found.andNot(set)
		s.used--
	}
	if from, to := asked.UpdatedFrom, asked.UpdatedTo; !from.IsZero() || !to.IsZero() {
		s.found.each(func(n uint32) {
			updated := x.docs[n].updated
			if !from.IsZero() && updated < from.UnixMicro() || !to.IsZero() && updated >= to.UnixMicro() {
				s.found.unset(n)
			}
		})
	}
}

// keep takes out of set the documents that lack one of keys.
func (x *inverted) keep(keys []string, set bitset) {
	for _, key := range keys {
		field, text, _ := strings.Cut(key, ":")
		part := x.part(field)
		having := part.having(keyTerm(text))
		set.each(func(n uint32) {
			if !slices.ContainsFunc(part.of(n), having.has) {
				set.unset(n)
			}
		})
	}
}

// part returns the names of a field of indexer.KeyFields.
func (x *inverted) part(field string) *names {
	for i := range indexer.KeyFields {
		if indexer.KeyFields[i].Name == field {
			return x.parts[i]
		}
	}
	panic("no names of " + field)
}

// clause sets in into the documents that have t, or what may stand for it, and adds
// weight times its worth to their scores. Of phrases it tries only those in s.found.
func (g *generation) clause(t indexer.Term, weight float32, s *scratch, into bitset) error {
	if err := g.one(t, weight, s, into); err != nil {
		return err
	}
	for _, alternative := range t.Or {
		all := s.take()
		copy(all, g.terms.alive)
		for _, other := range alternative {
			set := s.take()
			if err := g.one(other, weight/2, s, set); err != nil {
				return err
			}
			all.and(set)
			s.used--
		}
		into.or(all)
		s.used--
	}
	return nil
}

func (g *generation) one(t indexer.Term, weight float32, s *scratch, into bitset) error {
	x := g.terms
	switch {
	case len(t.Phrase) > 0:
		return g.matchPhrase(t.Phrase, weight, s, into)
	case t.Run:
		x.matchRun([]rune(t.Text), weight, s, into)
	default:
		x.matchWord(t, weight, s, into)
	}
	return nil
}

// matchRun finds the documents in which every character of run stands in a pair
// that the run has too: 停车 and 停车场泊位 find 停车场实时空余泊位 though 场泊
// stands nowhere in it.
func (x *inverted) matchRun(run []rune, weight float32, s *scratch, into bitset) {
	if len(run) == 1 {
		x.score(x.gramList(0, run[0]), weight, s, into)
		return
	}
	used := s.used
	defer func() { s.used = used }()
	before, pair, either := s.take(), s.take(), s.take()
	x.score(x.gramList(run[0], run[1]), weight, s, before)
	copy(into, before) // for the first character
	for i := 1; i < len(run)-1; i++ {
		clear(pair)
		x.score(x.gramList(run[i], run[i+1]), weight, s, pair)
		// the character between the two pairs is in one of them
		copy(either, before)
		either.or(pair)
		into.and(either)
		before, pair = pair, before
	}
	into.and(before) // for the last one
}

// matchPhrase finds the documents that have the words and every pair of the runs,
// and tries those in which more must hold, one behind the other, by their texts.
func (g *generation) matchPhrase(phrase []indexer.Term, weight float32, s *scratch, into bitset) error {
	x := g.terms
	used := s.used
	defer func() { s.used = used }()
	copy(into, x.alive)
	set := s.take()
	need := func(lists []uint32) {
		clear(set)
		x.score(lists, weight, s, set)
		into.and(set)
	}
	for _, t := range phrase {
		runes := []rune(t.Text)
		switch {
		case !t.Run:
			need(x.wordList(t.Text))
		case len(runes) == 1:
			need(x.gramList(0, runes[0]))
		}
		for i := 1; t.Run && i < len(runes); i++ {
			need(x.gramList(runes[i-1], runes[i]))
		}
	}
	if t := phrase[0]; len(phrase) == 1 && (!t.Run || utf8.RuneCountInString(t.Text) <= 2) {
		return nil
	}
	into.and(s.found)
	named := x.named(phrase)
	var failed error
	into.each(func(n uint32) {
		info := &x.docs[n]
		if at, _ := indexer.FindPhrase(info.titles, phrase); at >= 0 || failed != nil || named(n) {
			return
		}
		s.text = slices.Grow(s.text[:0], info.textSize)[:info.textSize]
		if failed = g.log.readInto(s.text, info.at+int64(info.size)); failed != nil {
			return
		}
		if at, _ := indexer.FindPhrase(asString(s.text), phrase); at < 0 {
			into.unset(n)
		}
	})
	if failed != nil {
		return unavailable(failed)
	}
	return nil
}

// named returns whether a document has a phrase in a name that is in memory, so that
// its text need not be read: long phrases are mostly names.
func (x *inverted) named(phrase []indexer.Term) func(n uint32) bool {
	parts := append([]*names{x.values}, x.parts...)
	having := make([]bitset, len(parts))
	for i, part := range parts {
		having[i] = part.having(phrase)
	}
	return func(n uint32) bool {
		for i, part := range parts {
			if slices.ContainsFunc(part.of(n), having[i].has) {
				return true
			}
		}
		return false
	}
}

// matchWord finds a word and, where it is the beginning of others, those; and
// titles and keywords that it is the pinyin of.
func (x *inverted) matchWord(t indexer.Term, weight float32, s *scratch, into bitset) {
	lists := x.expand(t)
	sounding := s.take()
	defer func() { s.used-- }()
	x.readings.find(t.Text, len(x.docs), sounding)
	x.score(lists, weight, s, into)
	if sounding.empty() {
		return
	}
	worth := x.rarity(sounding.count()+x.documents(lists)) * weight * indexer.PinyinWeight / (indexer.PinyinWeight + saturation)
	if len(lists) > 0 {
		worth /= 2
	}
	sounding.andNot(into)
	sounding.each(func(n uint32) { s.scores[n] += worth })
	into.or(sounding)
}

func (x *inverted) gramList(a, b rune) []uint32 {
	if id, there := x.grams[gramKey(a, b)]; there {
		return []uint32{id}
	}
	return nil
}

func (x *inverted) wordList(word string) []uint32 {
	if id, there := x.words[cutWord(word)]; there {
		return []uint32{id}
	}
	return nil
}

// maxExpansions bounds how many words one beginning stands for.
const maxExpansions = 500

// expand returns the lists that stand for a word. Any of them will do.
func (x *inverted) expand(t indexer.Term) []uint32 {
	if t.Prefix {
		return x.beginning(cutWord(t.Text), maxExpansions)
	}
	return x.wordList(t.Text)
}

func (x *inverted) documents(lists []uint32) int {
	total := 0
	for _, id := range lists {
		total += int(x.lists[id].count)
	}
	return total
}

// rarity is the worth of a term that df documents have.
func (x *inverted) rarity(df int) float32 {
	n := float64(len(x.docs))
	d := min(float64(df), n)
	return float32(math.Log(1 + (n-d+0.5)/(d+0.5)))
}

// score adds weight times a term's worth to the scores of all documents in any of
// lists, and sets them in into. The first list counts fully, the others, words that
// only begin alike, half.
func (x *inverted) score(lists []uint32, weight float32, s *scratch, into bitset) {
	worth := x.rarity(x.documents(lists)) / 255 * weight
	for i, id := range lists {
		if i == 1 {
			worth /= 2
		}
		doc := uint32(0)
		for data := x.lists[id].data; len(data) > 0; {
			delta, size := uint64(data[0]), 1
			if delta >= utf8.RuneSelf { // more than one byte
				delta, size = binary.Uvarint(data)
			}
			doc += uint32(delta)
			s.scores[doc] += worth * float32(data[size])
			into.set(doc)
			data = data[size+1:]
		}
	}
}
