package embedded

import (
	"container/heap"
	"slices"
	"strings"

	"taihu/indexer"
)

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
