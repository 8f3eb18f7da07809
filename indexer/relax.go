package indexer

import (
	"context"
	"strings"
)

// The ways in which Relax found something, the least far from the question first.
const (
	RelaxedFilters  = "filters"  // without the chosen filters
	RelaxedSpelling = "spelling" // spelt otherwise: Relaxed.Spelling
	RelaxedSound    = "sound"    // other characters of the same sound: 停车厂 for 停车场
	RelaxedWords    = "words"    // some of the words
	RelaxedParts    = "parts"    // parts of the words
)

// nearestThemes bounds Relaxed.Themes.
const nearestThemes = 6

// Relaxed is what can be shown to whoever found nothing.
type Relaxed struct {
	Result        // hits and total of the first way that found something
	How    string // that way; empty where none did
	// Spelling is the text to search instead; empty where none is known.
	Spelling string
	// Themes are those of what was found, else the portal's largest ones.
	Themes []FacetCount
}

// Relax looks for what comes near a query that found nothing. result is what that
// query gave. It makes at most six searches.
func Relax(ctx context.Context, s Searcher, q Query, result Result) (Relaxed, error) {
	q.Offset, q.Facets = 0, true
	asked := Ask(q.Text)
	spelling := result.Spelling
	type way struct {
		how string
		q   Query
	}
	var ways []way
	try := func(how string, change func(*Query)) {
		next := q
		change(&next)
		ways = append(ways, way{how, next})
	}
	if len(q.Filter) > 0 {
		try(RelaxedFilters, func(n *Query) { n.Filter = nil })
		q.Filter = nil // farther ways do not keep what already found nothing alone
	}
	if spelling != "" {
		try(RelaxedSpelling, func(n *Query) { n.Text = spelling })
	}
	if sound := soundOf(asked.Terms); sound != "" {
		try(RelaxedSound, func(n *Query) { n.Text = sound })
	}
	if len(asked.Terms) > 1 || len(asked.Keys) > 0 {
		try(RelaxedWords, func(n *Query) { n.Text, n.Any = WordsOf(asked.Terms), true })
	}
	if parts := partsOf(asked.Terms); parts != "" {
		try(RelaxedParts, func(n *Query) { n.Text, n.Any = parts, true })
	}
	for _, w := range ways {
		found, err := s.Search(ctx, w.q)
		if err != nil {
			return Relaxed{}, err
		}
		if found.Total == 0 {
			continue
		}
		if w.how == RelaxedSound {
			if spelling = heard(asked.Terms, found.Hits); spelling == "" {
				continue // it began so, but says something else
			}
		}
		return Relaxed{Result: found, How: w.how, Spelling: spelling, Themes: firstCounts(found.Facets["theme"])}, nil
	}
	all, err := s.Search(ctx, Query{Limit: -1, Facets: true, Lang: q.Lang})
	return Relaxed{Result: Result{Hits: []Hit{}}, Spelling: spelling, Themes: firstCounts(all.Facets["theme"])}, err
}

func firstCounts(list []FacetCount) []FacetCount { return list[:min(len(list), nearestThemes)] }

// soundOf is the pinyin of a query of one run of two to five characters; empty for
// every other query.
func soundOf(terms []Term) string {
	flat := Flat(terms)
	if len(flat) != 1 || !flat[0].Run {
		return ""
	}
	runes := []rune(flat[0].Text)
	if len(runes) < 2 || len(runes) > pinyinSyllables {
		return ""
	}
	var b strings.Builder
	for _, r := range runes {
		s := Syllables(r)
		if len(s) == 0 {
			return ""
		}
		b.WriteString(s[0])
	}
	return b.String()
}

// heard returns the stretch of a hit's title that sounds like the query's run.
func heard(terms []Term, hits []Hit) string {
	asked := []rune(Flat(terms)[0].Text)
	for _, h := range hits {
		runes := []rune(Fold(Plain(h.Title)))
		for i := 0; i+len(asked) <= len(runes); i++ {
			if soundAlike(asked, runes[i:i+len(asked)]) {
				return string(runes[i : i+len(asked)])
			}
		}
	}
	return ""
}

func soundAlike(a, b []rune) bool {
	for i := range a {
		x, y := Syllables(a[i]), Syllables(b[i])
		if len(x) == 0 || len(y) == 0 || x[0] != y[0] {
			return false
		}
	}
	return true
}

// partsOf cuts runs of three characters and more into pairs; empty where there is
// none.
func partsOf(terms []Term) string {
	var parts []string
	cut := false
	for _, t := range Flat(terms) {
		runes := []rune(t.Text)
		if !t.Run || len(runes) < 3 {
			parts = append(parts, t.Text)
			continue
		}
		cut = true
		for i := 0; i+2 <= len(runes); i += 2 {
			parts = append(parts, string(runes[i:i+2]))
		}
		if len(runes)%2 == 1 {
			parts = append(parts, string(runes[len(runes)-2:]))
		}
	}
	if !cut {
		return ""
	}
	return strings.Join(parts, " ")
}
