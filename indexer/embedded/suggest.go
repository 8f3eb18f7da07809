package embedded

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/indexer"
)

// maxSuggestions bounds how many suggestions of one kind can be asked for.
const maxSuggestions = 50

// Suggest implements indexer.Searcher.
func (x *Index) Suggest(ctx context.Context, text, lang string, limit int) ([]indexer.Suggestion, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	unlock, err := x.lockReader()
	if err != nil {
		return nil, err
	}
	defer unlock()
	return x.current.suggest(text, lang, limit, x.synonyms)
}

func (g *generation) suggest(text, lang string, limit int, synonyms *thesaurus) ([]indexer.Suggestion, error) {
	q, err := indexer.Query{Text: text, Lang: lang}.Normal()
	if err != nil {
		return nil, err
	}
	limit = min(limit, maxSuggestions)
	asked := indexer.Ask(q.Text)
	if len(asked.Terms) == 0 || limit <= 0 {
		return nil, nil
	}
	terms := indexer.Flat(asked.Terms)
	matcher := indexer.NewMatcher(beginnings(terms))
	asked.Terms = synonyms.expand(asked.Terms)
	all, err := g.suggestDatasets(&asked, q.Lang, limit)
	if err != nil {
		return nil, err
	}
	x := g.terms
	all = append(all, x.suggestOrganizations(terms, matcher, q.Lang, limit)...)
	all = append(all, x.suggestThemes(terms, matcher, q.Lang, limit)...)
	for _, of := range []struct {
		kind  string
		names *names
	}{{"column", x.part("column")}, {"value", x.values}} {
		for _, code := range of.names.find(terms, limit) {
			name := of.names.column.names[code]
			all = append(all, indexer.Suggestion{
				Kind: of.kind, Text: indexer.Segments(name, matcher.SpansAlsoByPinyin(name)), Count: int(of.names.living[code]),
			})
		}
	}
	return all, nil
}

// beginnings makes every word one that may be a beginning.
func beginnings(terms []indexer.Term) []indexer.Term {
	terms = slices.Clone(terms)
	for i := range terms {
		terms[i].Prefix = !terms[i].Run
	}
	return terms
}

// suggestDatasets returns the best datasets whose title has what was typed.
func (g *generation) suggestDatasets(asked *indexer.Asked, lang string, limit int) ([]indexer.Suggestion, error) {
	x := g.terms
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.reset(len(x.docs))
	if _, err := g.match(asked, false, s); err != nil {
		return nil, err
	}
	x.boost(s)
	terms := indexer.Flat(asked.Terms)
	best := x.first(looksClosely, x.byRelevance(s), s)
	x.lookClosely(best, asked.Terms, s)
	var docs []uint32
	for _, n := range best {
		if len(docs) < limit && inTitle(x.docs[n].titles, terms) {
			docs = append(docs, n)
		}
	}
	if len(docs) < limit && len(best) == looksClosely { // there may be more behind
		s.found.each(func(n uint32) {
			if !inTitle(x.docs[n].titles, terms) {
				s.found.unset(n)
			}
		})
		docs = x.first(limit, x.byRelevance(s), s)
	}
	matcher := indexer.NewMatcher(asked.Terms)
	var all []indexer.Suggestion
	for _, n := range docs {
		d, err := g.document(n)
		if err != nil {
			return nil, err
		}
		title := d.Title.In(lang)
		all = append(all, indexer.Suggestion{Kind: "dataset", Text: indexer.Segments(title, matcher.SpansAlsoByPinyin(title)), Slug: d.Slug})
	}
	return all, nil
}

// inTitle reports whether every term is in a document's titles, in one of the ways
// in which it is searched.
func inTitle(titles string, terms []indexer.Term) bool {
	for _, t := range terms {
		found := t.Run && coveredBy(titles, t) >= len(t.Text) || !t.Run && (coveredBy(titles, t) > 0 || sounds(titles, t.Text))
		for _, alternative := range t.Or {
			found = found || inTitle(titles, alternative)
		}
		if !found {
			return false
		}
	}
	return true
}

// sounds reports whether a run of a folded text has word as its pinyin.
func sounds(folded, word string) bool {
	if len(word) < 2 || !isLetters(word) {
		return false
	}
	found := false
	indexer.Tokens(folded, func(t indexer.Token) {
		if t.Run && !found {
			at, _ := indexer.FindPinyin(t.Text, word)
			found = at >= 0
		}
	})
	return found
}

// like reports whether what was typed may mean a short folded text.
func like(folded string, terms []indexer.Term) bool {
	return matches(folded, terms) || len(terms) == 1 && !terms[0].Run && sounds(folded, terms[0].Text)
}

// suggestOrganizations looks through all organizations: they are few.
func (x *inverted) suggestOrganizations(terms []indexer.Term, matcher *indexer.Matcher, lang string, limit int) []indexer.Suggestion {
	facet := &x.facets[slices.Index(indexer.Facets, "organization")]
	var all []indexer.Suggestion
	for code, slug := range facet.names {
		b := x.bureaus[slug]
		if facet.living[code] == 0 || b == nil || !slices.ContainsFunc(b.folded, func(folded string) bool { return like(folded, terms) }) {
			continue
		}
		name := b.name.In(lang)
		if name == "" {
			name = slug
		}
		all = append(all, indexer.Suggestion{
			Kind: "organization", Text: indexer.Segments(name, matcher.SpansAlsoByPinyin(name)), Slug: slug, Count: int(facet.living[code]),
		})
	}
	return mostFrequent(all, limit)
}

func (x *inverted) suggestThemes(terms []indexer.Term, matcher *indexer.Matcher, lang string, limit int) []indexer.Suggestion {
	facet := &x.facets[slices.Index(indexer.Facets, "theme")]
	var all []indexer.Suggestion
	for code, theme := range facet.names {
		name := catalog.ThemeName(theme)
		if facet.living[code] == 0 || !like(indexer.Fold(name.Zh), terms) && !like(indexer.Fold(name.En), terms) {
			continue
		}
		shown := name.In(lang)
		all = append(all, indexer.Suggestion{
			Kind: "theme", Text: indexer.Segments(shown, matcher.SpansAlsoByPinyin(shown)), Slug: theme, Count: int(facet.living[code]),
		})
	}
	return mostFrequent(all, limit)
}

func mostFrequent(all []indexer.Suggestion, limit int) []indexer.Suggestion {
	slices.SortFunc(all, func(a, b indexer.Suggestion) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Slug, b.Slug))
	})
	return all[:min(len(all), limit)]
}
