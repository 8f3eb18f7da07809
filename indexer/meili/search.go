package meili

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/meilisearch/meilisearch-go"

	"taihu/catalog"
	"taihu/indexer"
)

// shown are the fields of a hit. They come back in _formatted, with marks.
var shown = []string{"title_zh", "title_en", "description_zh", "description_en", "columns"}

// Search implements indexer.Index. A caller whose deadline passes, or a server
// slower than Config.SearchTimeout, gives Unavailable.
func (x *Index) Search(ctx context.Context, q indexer.Query) (indexer.Result, error) {
	q, err := q.Normal()
	if err != nil {
		return indexer.Result{}, err
	}
	terms := indexer.Ask(q.Text).Terms
	if q.Text != "" && len(terms) == 0 { // a text of signs alone finds nothing
		return emptyResult(&q), nil
	}
	ctx, cancel := context.WithTimeout(ctx, x.config.SearchTimeout)
	defer cancel()
	queries, counted := x.queries(&q, terms)
	answer, err := x.server.MultiSearchWithContext(ctx, &meilisearch.MultiSearchRequest{Queries: queries})
	if err != nil {
		return indexer.Result{}, x.failed("search", err)
	}
	if len(answer.Results) != len(queries) {
		return indexer.Result{}, fmt.Errorf("meilisearch: %d answers to %d searches", len(answer.Results), len(queries))
	}
	result := emptyResult(&q)
	result.Total = int(answer.Results[0].EstimatedTotalHits)
	if q.Limit > 0 {
		if result.Hits, err = hits(answer.Results[0].Hits, indexer.NewMatcher(terms), q.Lang); err != nil {
			return indexer.Result{}, err
		}
	}
	for i, facets := range counted {
		if err := addCounts(result.Facets, facets, answer.Results[i].FacetDistribution); err != nil {
			return indexer.Result{}, err
		}
	}
	return result, nil
}

func emptyResult(q *indexer.Query) indexer.Result {
	r := indexer.Result{Hits: []indexer.Hit{}}
	if q.Facets {
		r.Facets = map[string][]indexer.FacetCount{}
		for _, facet := range indexer.Facets {
			r.Facets[facet] = []indexer.FacetCount{}
		}
	}
	return r
}

// queries makes the search and, for each facet that is filtered, one more without
// that filter, which counts it. counted names the facets each of them counts.
func (x *Index) queries(q *indexer.Query, terms []indexer.Term) (queries []*meilisearch.SearchRequest, counted [][]string) {
	words := make([]string, len(terms))
	for i, t := range terms {
		words[i] = t.Text
	}
	request := func(without string) *meilisearch.SearchRequest {
		return &meilisearch.SearchRequest{
			IndexUID: x.name, Query: strings.Join(words, " "), MatchingStrategy: meilisearch.All,
			Filter: filter(q.Filter, without), AttributesToRetrieve: []string{"id"}, Limit: 1, // 0 would be left out
		}
	}
	main := request("")
	main.Sort = order(q)
	if q.Limit > 0 {
		main.Offset, main.Limit = int64(q.Offset), int64(q.Limit)
		main.AttributesToRetrieve = []string{"id", "slug"}
		main.AttributesToHighlight = shown
		main.HighlightPreTag, main.HighlightPostTag = markStart, markEnd
	}
	queries, counted = append(queries, main), append(counted, nil)
	if !q.Facets {
		return queries, counted
	}
	for _, facet := range indexer.Facets {
		if len(q.Filter[facet]) == 0 {
			main.Facets = append(main.Facets, facet)
			continue
		}
		other := request(facet)
		other.Facets = []string{facet}
		queries, counted = append(queries, other), append(counted, other.Facets)
	}
	counted[0] = main.Facets
	return queries, counted
}

func order(q *indexer.Query) []string {
	field, descending := strings.CutPrefix(q.Sort, "-")
	switch field {
	case "relevance":
		return nil
	case "title":
		field = "sort_" + q.Lang
	}
	if descending {
		return []string{field + ":desc", "id:asc"}
	}
	return []string{field + ":asc", "id:asc"}
}

// filter writes the chosen values in the server's grammar: all of (any of).
func filter(chosen map[string][]string, without string) [][]string {
	var all [][]string
	for _, facet := range indexer.Facets {
		if facet == without || len(chosen[facet]) == 0 {
			continue
		}
		any := []string{}
		for _, v := range chosen[facet] {
			// Values are codes and slugs: one with a quote can only be none of ours.
			if !strings.ContainsAny(v, "\"\\") {
				any = append(any, facet+" = "+strconv.Quote(v))
			}
		}
		if len(any) == 0 {
			any = append(any, facet+` = "?"`)
		}
		all = append(all, any)
	}
	return all
}

func addCounts(into map[string][]indexer.FacetCount, facets []string, distribution json.RawMessage) error {
	if len(facets) == 0 {
		return nil
	}
	var counts map[string]map[string]int
	if err := json.Unmarshal(distribution, &counts); err != nil {
		return fmt.Errorf("meilisearch: read facets: %w", err)
	}
	for _, facet := range facets {
		list := []indexer.FacetCount{}
		for v, n := range counts[facet] {
			if n > 0 {
				list = append(list, indexer.FacetCount{Value: v, Count: n})
			}
		}
		into[facet] = indexer.SortCounts(list)
	}
	return nil
}

func hits(found meilisearch.Hits, matcher *indexer.Matcher, lang string) ([]indexer.Hit, error) {
	list := make([]indexer.Hit, 0, len(found))
	for _, h := range found {
		var d struct {
			ID        string   `json:"id"`
			Slug      string   `json:"slug"`
			Formatted document `json:"_formatted"`
		}
		if err := h.DecodeInto(&d); err != nil {
			return nil, fmt.Errorf("meilisearch: read a hit: %w", err)
		}
		marks := map[string][]indexer.Span{}
		cut := func(marked string) string {
			text, spans := cutMarks(marked)
			if len(spans) > 0 {
				marks[text] = spans
			}
			return text
		}
		f := &d.Formatted
		doc := indexer.Document{
			ID: d.ID, Slug: d.Slug,
			Title:       catalog.Text{Zh: cut(f.TitleZh), En: cut(f.TitleEn)},
			Description: catalog.Text{Zh: cut(f.DescriptionZh), En: cut(f.DescriptionEn)},
		}
		for _, c := range f.Columns {
			doc.Columns = append(doc.Columns, cut(c))
		}
		list = append(list, matcher.Show(&doc, lang, func(text string) []indexer.Span { return marks[text] }))
	}
	return list, nil
}
