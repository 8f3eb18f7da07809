package embedded

import (
	"container/heap"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"taihu/indexer"
)

// Search implements indexer.Searcher.
func (x *Index) Search(ctx context.Context, q indexer.Query) (indexer.Result, error) {
	if err := ended(ctx); err != nil {
		return indexer.Result{}, err
	}
	if err := x.ready(); err != nil {
		return indexer.Result{}, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return indexer.Result{}, errClosed()
	}
	return x.current.search(ctx, q, x.synonyms)
}

func (g *generation) search(ctx context.Context, q indexer.Query, synonyms *thesaurus) (indexer.Result, error) {
	q, err := q.Normal()
	if err != nil {
		return indexer.Result{}, err
	}
	asked := indexer.Ask(q.Text)
	asked.Terms = synonyms.expand(asked.Terms)
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.reset(len(g.terms.docs))
	var counts [][]int32
	if q.Facets {
		counts = g.terms.emptyCounts()
	}
	result := indexer.Result{Hits: []indexer.Hit{}}
	if q.Text == "" || !asked.Empty() { // a text of signs alone finds nothing
		respelt, err := g.match(&asked, q.Any, s)
		if err != nil {
			return indexer.Result{}, err
		}
		if len(respelt) > 0 {
			result.Spelling = indexer.Respell(norm.NFC.String(q.Text), respelt)
		}
		g.terms.narrow(s.found, g.terms.filters(&q), counts)
	}
	result.Total = s.found.count()
	if q.Facets {
		result.Facets = g.terms.namedCounts(counts)
	}
	matcher := indexer.NewMatcher(asked.Terms)
	for _, n := range g.terms.page(&q, asked.Terms, s) {
		d, err := g.document(n)
		if err != nil {
			return indexer.Result{}, err
		}
		result.Hits = append(result.Hits, matcher.Show(&d, q.Lang, nil))
	}
	return result, ended(ctx)
}

// scratch is the working memory of one search, used again and again.
type scratch struct {
	docs   int
	scores []float32
	found  bitset
	hits   []uint8 // terms that a document has, where Query.Any is asked
	sets   []bitset
	used   int // of sets
	text   []byte
}

var scratches = sync.Pool{New: func() any { return &scratch{} }}

func (s *scratch) reset(docs int) {
	s.docs, s.used = docs, 0
	s.scores = cleared(s.scores, docs)
	s.found = cleared(s.found, (docs+63)/64)
	s.hits = s.hits[:0]
}

// take returns an empty set; it is given back by setting used to what it was.
func (s *scratch) take() bitset {
	if len(s.sets) == s.used {
		s.sets = append(s.sets, nil)
	}
	s.sets[s.used] = cleared(s.sets[s.used], len(s.found))
	s.used++
	return s.sets[s.used-1]
}

func cleared[S ~[]E, E any](list S, n int) S {
	if cap(list) < n {
		return make(S, n, n+n/4)
	}
	list = list[:n]
	clear(list)
	return list
}

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

// page returns the documents q.Offset to q.Offset+q.Limit of s.found in order.
func (x *inverted) page(q *indexer.Query, terms []indexer.Term, s *scratch) []uint32 {
	if q.Limit == 0 {
		return nil
	}
	byRelevance := q.Sort == "relevance" && len(terms) > 0
	limit := q.Offset + q.Limit
	if byRelevance {
		limit = max(limit, looksClosely)
		x.boost(s)
	}
	docs := x.first(limit, x.order(q, s), s)
	if byRelevance {
		x.lookClosely(docs[:min(len(docs), looksClosely)], terms, s)
	}
	docs = docs[:min(len(docs), q.Offset+q.Limit)]
	return docs[min(q.Offset, len(docs)):]
}

// first returns the first limit of s.found in the order of less.
func (x *inverted) first(limit int, less func(a, b uint32) bool, s *scratch) []uint32 {
	top := &topDocs{limit: limit, less: less}
	s.found.each(top.add)
	sortBy(top.docs, less)
	return top.docs
}

func sortBy(docs []uint32, less func(a, b uint32) bool) {
	slices.SortFunc(docs, func(a, b uint32) int {
		if less(a, b) {
			return -1
		}
		return 1
	})
}

// order returns whether a comes before b. Documents that are equal otherwise
// stand in the order of their ids, whichever way the sort goes.
func (x *inverted) order(q *indexer.Query, s *scratch) func(a, b uint32) bool {
	byID := func(a, b uint32) bool { return x.docs[a].id < x.docs[b].id }
	field, descending := strings.CutPrefix(q.Sort, "-")
	number := func(of func(d *docInfo) int64) func(a, b uint32) bool {
		return func(a, b uint32) bool {
			if i, j := of(&x.docs[a]), of(&x.docs[b]); i != j {
				return i < j != descending
			}
			return byID(a, b)
		}
	}
	title := func(d *docInfo) string {
		if q.Lang == "en" {
			return d.title
		}
		return d.titleZh
	}
	switch field {
	case "updated":
		return number(func(d *docInfo) int64 { return d.updated })
	case "rows":
		return number(func(d *docInfo) int64 { return d.rows })
	case "size":
		return number(func(d *docInfo) int64 { return d.cells })
	case "downloads":
		return number(func(d *docInfo) int64 { return d.downloads })
	case "title":
		return func(a, b uint32) bool {
			switch c := strings.Compare(title(&x.docs[a]), title(&x.docs[b])); {
			case c == 0:
				return byID(a, b)
			default:
				return c < 0 != descending
			}
		}
	}
	return x.byRelevance(s)
}

// byRelevance is the order of s.scores; where Query.Any is asked, of terms first.
func (x *inverted) byRelevance(s *scratch) func(a, b uint32) bool {
	return func(a, b uint32) bool {
		if len(s.hits) > 0 && s.hits[a] != s.hits[b] {
			return s.hits[a] > s.hits[b]
		}
		if s.scores[a] != s.scores[b] {
			return s.scores[a] > s.scores[b]
		}
		if i, j := x.docs[a].updated, x.docs[b].updated; i != j {
			return i > j
		}
		return x.docs[a].id < x.docs[b].id
	}
}

// topDocs keeps the first limit documents of an order: a heap with the last of
// them on top.
type topDocs struct {
	limit int
	less  func(a, b uint32) bool
	docs  []uint32
}

func (t *topDocs) Len() int           { return len(t.docs) }
func (t *topDocs) Less(i, j int) bool { return t.less(t.docs[j], t.docs[i]) }
func (t *topDocs) Swap(i, j int)      { t.docs[i], t.docs[j] = t.docs[j], t.docs[i] }
func (t *topDocs) Push(v any)         { t.docs = append(t.docs, v.(uint32)) }
func (t *topDocs) Pop() any {
	last := t.docs[len(t.docs)-1]
	t.docs = t.docs[:len(t.docs)-1]
	return last
}

func (t *topDocs) add(n uint32) {
	if len(t.docs) < t.limit {
		heap.Push(t, n)
		return
	}
	if t.less(n, t.docs[0]) {
		t.docs[0] = n
		heap.Fix(t, 0)
	}
}
