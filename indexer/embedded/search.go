package embedded

import (
	"context"
	"sync"

	"golang.org/x/text/unicode/norm"

	"taihu/indexer"
)

// Search implements indexer.Searcher.
func (x *Index) Search(ctx context.Context, q indexer.Query) (indexer.Result, error) {
	if err := ended(ctx); err != nil {
		return indexer.Result{}, err
	}
	unlock, err := x.lockReader()
	if err != nil {
		return indexer.Result{}, err
	}
	defer unlock()
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
