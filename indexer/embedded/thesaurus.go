package embedded

import (
	"context"
	"slices"

	"taihu/indexer"
)

// thesaurus finds the groups of synonyms that a query needs, so that a long list
// takes no time of every search.
type thesaurus struct {
	groups indexer.Synonyms
	byTerm map[string][]int // the first term of a word → groups it is in
}

// SetSynonyms implements indexer.Index.
func (x *Index) SetSynonyms(_ context.Context, s indexer.Synonyms) error {
	t := &thesaurus{groups: s, byTerm: map[string][]int{}}
	for i, group := range s {
		for _, word := range group {
			if terms := indexer.Ask(word).Terms; len(terms) > 0 {
				t.byTerm[terms[0].Text] = append(t.byTerm[terms[0].Text], i)
			}
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.synonyms = t
	return nil
}

// expand gives terms what may stand for them.
func (t *thesaurus) expand(terms []indexer.Term) []indexer.Term {
	if t == nil {
		return terms
	}
	var places []int
	for _, term := range terms {
		places = append(places, t.byTerm[term.Text]...)
	}
	slices.Sort(places)
	var groups indexer.Synonyms
	for _, i := range slices.Compact(places) {
		groups = append(groups, t.groups[i])
	}
	return groups.Expand(terms)
}
