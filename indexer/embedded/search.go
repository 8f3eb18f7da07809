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

	"taihu/indexer"
)

// Search implements indexer.Index.
func (x *Index) Search(ctx context.Context, q indexer.Query) (indexer.Result, error) {
	q, err := q.Normal()
	if err != nil {
		return indexer.Result{}, err
	}
	terms := indexer.Ask(q.Text).Terms
	if err := ended(ctx); err != nil {
		return indexer.Result{}, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return indexer.Result{}, errClosed()
	}
	g := x.current
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.reset(len(g.terms.docs))
	var counts [][]int32
	if q.Facets {
		counts = g.terms.emptyCounts()
	}
	if q.Text == "" || len(terms) > 0 { // a text of signs alone finds nothing
		g.terms.match(terms, s)
		g.terms.narrow(s.found, g.terms.filters(&q), counts)
	}
	result := indexer.Result{Total: s.found.count(), Hits: []indexer.Hit{}}
	if q.Facets {
		result.Facets = g.terms.namedCounts(counts)
	}
	matcher := indexer.NewMatcher(terms)
	for _, n := range g.terms.page(&q, s) {
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
	scores                []float32
	found, clause, either bitset
	grams                 []bitset
}

var scratches = sync.Pool{New: func() any { return &scratch{} }}

func (s *scratch) reset(docs int) {
	words := (docs + 63) / 64
	s.scores = cleared(s.scores, docs)
	s.found = cleared(s.found, words)
	s.clause = cleared(s.clause, words)
	s.either = cleared(s.either, words)
}

// gram returns the i-th spare bitset, empty.
func (s *scratch) gram(i int) bitset {
	for len(s.grams) <= i {
		s.grams = append(s.grams, nil)
	}
	s.grams[i] = cleared(s.grams[i], len(s.found))
	return s.grams[i]
}

func cleared[S ~[]E, E any](list S, n int) S {
	if cap(list) < n {
		return make(S, n, n+n/4)
	}
	list = list[:n]
	clear(list)
	return list
}

// match leaves in s.found the living documents that have every term, and in
// s.scores how well each matches.
func (x *inverted) match(terms []indexer.Term, s *scratch) {
	copy(s.found, x.alive)
	for _, t := range terms {
		clear(s.clause)
		if t.Run {
			x.matchRun([]rune(t.Text), s)
		} else {
			x.score(x.expand(t), s, s.clause)
		}
		s.found.and(s.clause)
	}
}

// matchRun finds the documents in which every character of run stands in a pair
// that the run has too: 停车 and 停车场泊位 find 停车场实时空余泊位 though 场泊
// stands nowhere in it.
func (x *inverted) matchRun(run []rune, s *scratch) {
	if len(run) == 1 {
		x.score(x.gramList(0, run[0]), s, s.clause)
		return
	}
	before := s.gram(0)
	x.score(x.gramList(run[0], run[1]), s, before)
	copy(s.clause, before) // for the first character
	for i := 1; i < len(run)-1; i++ {
		pair := s.gram(1 + i%2)
		x.score(x.gramList(run[i], run[i+1]), s, pair)
		// the character between the two pairs is in one of them
		copy(s.either, before)
		s.either.or(pair)
		s.clause.and(s.either)
		before = pair
	}
	s.clause.and(before) // for the last one
}

func (x *inverted) gramList(a, b rune) []uint32 {
	if id, there := x.grams[gramKey(a, b)]; there {
		return []uint32{id}
	}
	return nil
}

// maxExpansions bounds how many words one beginning stands for.
const maxExpansions = 500

// expand returns the lists that stand for a word. Any of them will do.
func (x *inverted) expand(t indexer.Term) []uint32 {
	word := cutWord(t.Text)
	if t.Prefix {
		return x.beginning(word, maxExpansions)
	}
	if id, there := x.words[word]; there {
		return []uint32{id}
	}
	return nil
}

// score adds to the scores of all documents in any of lists, and sets them in into.
// The first list counts fully, the others, words that only begin alike, half.
func (x *inverted) score(lists []uint32, s *scratch, into bitset) {
	total := 0
	for _, id := range lists {
		total += int(x.lists[id].count)
	}
	df, n := float64(min(total, len(x.docs))), float64(len(x.docs))
	rarity := float32(math.Log(1+(n-df+0.5)/(df+0.5))) / 255
	for i, id := range lists {
		if i == 1 {
			rarity /= 2
		}
		doc := uint32(0)
		for data := x.lists[id].data; len(data) > 0; {
			delta, size := uint64(data[0]), 1
			if delta >= utf8.RuneSelf { // more than one byte
				delta, size = binary.Uvarint(data)
			}
			doc += uint32(delta)
			s.scores[doc] += rarity * float32(data[size])
			into.set(doc)
			data = data[size+1:]
		}
	}
}

// page returns the documents q.Offset to q.Offset+q.Limit of s.found in order.
func (x *inverted) page(q *indexer.Query, s *scratch) []uint32 {
	if q.Limit == 0 {
		return nil
	}
	top := &topDocs{limit: q.Offset + q.Limit, less: x.order(q, s.scores)}
	s.found.each(top.add)
	docs := top.docs
	slices.SortFunc(docs, func(a, b uint32) int {
		if top.less(a, b) {
			return -1
		}
		return 1
	})
	return docs[min(q.Offset, len(docs)):]
}

// order returns whether a comes before b. Documents that are equal otherwise
// stand in the order of their ids, whichever way the sort goes.
func (x *inverted) order(q *indexer.Query, scores []float32) func(a, b uint32) bool {
	byID := func(a, b uint32) bool { return x.docs[a].id < x.docs[b].id }
	number := func(sign int64, of func(d *docInfo) int64) func(a, b uint32) bool {
		return func(a, b uint32) bool {
			if i, j := of(&x.docs[a]), of(&x.docs[b]); i != j {
				return i*sign < j*sign
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
	newest := number(-1, func(d *docInfo) int64 { return d.updated })
	switch field, descending := strings.CutPrefix(q.Sort, "-"); {
	case field == "updated" && descending:
		return newest
	case field == "updated":
		return number(1, func(d *docInfo) int64 { return d.updated })
	case field == "rows" && descending:
		return number(-1, func(d *docInfo) int64 { return d.rows })
	case field == "rows":
		return number(1, func(d *docInfo) int64 { return d.rows })
	case field == "title":
		return func(a, b uint32) bool {
			switch c := strings.Compare(title(&x.docs[a]), title(&x.docs[b])); {
			case c == 0:
				return byID(a, b)
			default:
				return c < 0 != descending
			}
		}
	}
	return func(a, b uint32) bool {
		if scores[a] != scores[b] {
			return scores[a] > scores[b]
		}
		return newest(a, b)
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
