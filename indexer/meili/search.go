package meili

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/meilisearch/meilisearch-go"

	"taihu/catalog"
	"taihu/indexer"
)

// shown are the fields of a hit. They come back in _formatted, with marks.
var shown = []string{"title_zh", "title_en", "description_zh", "description_en", "columns", "values"}

// Search implements indexer.Index. A caller whose deadline passes, or a server
// slower than Config.SearchTimeout, gives Unavailable.
func (x *Index) Search(ctx context.Context, q indexer.Query) (indexer.Result, error) {
	return searcher{x, x.name}.Search(ctx, q)
}

// searcher asks one index of the server: the present one, or one that is built.
type searcher struct {
	x   *Index
	uid string
}

// Search implements indexer.Searcher.
func (s searcher) Search(ctx context.Context, q indexer.Query) (indexer.Result, error) {
	q, err := q.Normal()
	if err != nil {
		return indexer.Result{}, err
	}
	asked := indexer.Ask(q.Text)
	if q.Text != "" && asked.Empty() { // a text of signs alone finds nothing
		return emptyResult(&q), nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.x.config.SearchTimeout)
	defer cancel()
	answers, counted, err := s.ask(ctx, &q, &asked)
	if err != nil {
		return indexer.Result{}, err
	}
	result := emptyResult(&q)
	result.Total = int(answers[0].EstimatedTotalHits)
	if q.Limit > 0 {
		matcher := indexer.NewMatcher(asked.Terms)
		found, err := readHits(answers[0].Hits, matcher)
		if err != nil {
			return indexer.Result{}, err
		}
		for i := range found {
			result.Hits = append(result.Hits, matcher.Show(&found[i].document, q.Lang, func(text string) []indexer.Span { return found[i].marks[text] }))
		}
		if q.Offset == 0 && q.Sort == "relevance" && !q.Any {
			if result.Spelling, err = s.spelling(ctx, q.Text, asked.Terms, found); err != nil {
				return indexer.Result{}, err
			}
		}
	}
	for i, facets := range counted {
		if err := addCounts(result.Facets, facets, answers[i].FacetDistribution); err != nil {
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

// ask sends the search and, for each facet that is filtered, one more without
// that filter, which counts it. counted names the facets each of them counts.
func (s searcher) ask(ctx context.Context, q *indexer.Query, asked *indexer.Asked) (answers []meilisearch.SearchResponse, counted [][]string, err error) {
	queries, counted := s.queries(q, asked)
	if q.Any && len(asked.Terms) > 1 {
		for _, one := range queries {
			answer, err := s.askAny(ctx, one, asked)
			if err != nil {
				return nil, nil, err
			}
			answers = append(answers, answer)
		}
		return answers, counted, nil
	}
	answer, err := s.x.server.MultiSearchWithContext(ctx, &meilisearch.MultiSearchRequest{Queries: queries})
	if err != nil {
		return nil, nil, s.x.failed("search", err)
	}
	if len(answer.Results) != len(queries) {
		return nil, nil, fmt.Errorf("meilisearch: %d answers to %d searches", len(answer.Results), len(queries))
	}
	return answer.Results, counted, nil
}

func (s searcher) queries(q *indexer.Query, asked *indexer.Asked) (queries []*meilisearch.SearchRequest, counted [][]string) {
	words, exact := wording(asked.Terms)
	if q.Any && len(asked.Terms) > 1 {
		exact = nil // each combination has its own
	}
	conditions := append(conditions(asked), exact...)
	request := func(without string) *meilisearch.SearchRequest {
		return &meilisearch.SearchRequest{
			IndexUID: s.uid, Query: minus(asked) + words, MatchingStrategy: meilisearch.All,
			Filter: filter(q.Filter, without, conditions), AttributesToRetrieve: []string{"id"}, Limit: 1, // 0 would be left out
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

// askAny asks for documents that have some of the terms: one query for each
// combination of them, which the server merges by score, each document once. Its
// own ways to leave words out end with one word that every document must have.
func (s searcher) askAny(ctx context.Context, query *meilisearch.SearchRequest, asked *indexer.Asked) (meilisearch.SearchResponse, error) {
	request := &meilisearch.MultiSearchRequest{Federation: &meilisearch.MultiSearchFederation{
		Offset: query.Offset, Limit: query.Limit,
		MergeFacets: &meilisearch.MultiSearchFederationMergeFacets{MaxValuesPerFacet: indexer.MaxFacetValues},
	}}
	if len(query.Facets) > 0 {
		request.Federation.FacetsByIndex = map[string][]string{s.uid: query.Facets}
	}
	for _, terms := range combinations(asked.Terms) {
		one := *query
		one.Offset, one.Limit, one.Facets = 0, 0, nil
		words, exact := wording(terms)
		one.Query, one.FederationOptions = minus(asked)+words, weight(len(terms))
		for _, f := range exact {
			one.Filter = append(slices.Clone(one.Filter.([][]string)), []string{f})
		}
		request.Queries = append(request.Queries, &one)
	}
	answer, err := s.x.server.MultiSearchWithContext(ctx, request)
	if err != nil {
		return meilisearch.SearchResponse{}, s.x.failed("search for some of the words", err)
	}
	distribution, err := jsonv2.Marshal(answer.FacetDistribution)
	if err != nil {
		return meilisearch.SearchResponse{}, fmt.Errorf("meilisearch: read facets: %w", err)
	}
	return meilisearch.SearchResponse{
		Hits: answer.Hits, EstimatedTotalHits: answer.EstimatedTotalHits, FacetDistribution: distribution, ProcessingTimeMs: answer.ProcessingTimeMs,
	}, nil
}

func order(q *indexer.Query) []string {
	field, descending := strings.CutPrefix(q.Sort, "-")
	switch field {
	case "relevance":
		return nil
	case "title":
		field = "sort_" + q.Lang
	case "updated":
		field = "updated_at" // "updated" is the facet
	}
	if descending {
		return []string{field + ":desc", "id:asc"}
	}
	return []string{field + ":asc", "id:asc"}
}

// filter writes the chosen values and what else must hold in the server's
// grammar: all of (any of).
func filter(chosen map[string][]string, without string, conditions []string) [][]string {
	all := [][]string{}
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
	for _, c := range conditions {
		all = append(all, []string{c})
	}
	return all
}

func addCounts(into map[string][]indexer.FacetCount, facets []string, distribution []byte) error {
	if len(facets) == 0 {
		return nil
	}
	var counts map[string]map[string]int
	if err := jsonv2.Unmarshal(distribution, &counts); err != nil {
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

// foundDocument is what a hit says of a document, and where the server marked it.
type foundDocument struct {
	document indexer.Document
	marks    map[string][]indexer.Span
}

// formatted are the shown fields of a hit. Most columns and values do not match and
// are not read at all.
type formatted struct {
	TitleZh       string         `json:"title_zh"`
	TitleEn       string         `json:"title_en"`
	DescriptionZh string         `json:"description_zh"`
	DescriptionEn string         `json:"description_en"`
	Columns       jsontext.Value `json:"columns"`
	Values        jsontext.Value `json:"values"`
}

func readHits(found meilisearch.Hits, matcher *indexer.Matcher) ([]foundDocument, error) {
	list := make([]foundDocument, 0, len(found))
	for _, h := range found {
		f := foundDocument{marks: map[string][]indexer.Span{}}
		d := &f.document
		var shown formatted
		err := cmp.Or(jsonv2.Unmarshal(h["id"], &d.ID), jsonv2.Unmarshal(h["slug"], &d.Slug), jsonv2.Unmarshal(h["_formatted"], &shown))
		if err == nil {
			d.Columns, err = f.matching(shown.Columns, matcher)
		}
		if err == nil {
			d.Values, err = f.matching(shown.Values, matcher)
		}
		if err != nil {
			return nil, fmt.Errorf("meilisearch: read a hit: %w", err)
		}
		d.Title = catalog.Text{Zh: f.cut(shown.TitleZh), En: f.cut(shown.TitleEn)}
		d.Description = catalog.Text{Zh: f.cut(shown.DescriptionZh), En: f.cut(shown.DescriptionEn)}
		list = append(list, f)
	}
	return list, nil
}

// matching reads a list of texts in which something matches, and nothing of another:
// in JSON that has no escapes there are no marks, and words stand as they are.
func (f *foundDocument) matching(list jsontext.Value, matcher *indexer.Matcher) ([]string, error) {
	if !bytes.ContainsRune(list, '\\') && !matcher.Matches(string(list)) {
		return nil, nil
	}
	var texts []string
	if err := jsonv2.Unmarshal(list, &texts); err != nil {
		return nil, err
	}
	for i := range texts {
		texts[i] = f.cut(texts[i])
	}
	return texts, nil
}

// cut takes the marks out of a text and keeps where they stood.
func (f *foundDocument) cut(marked string) string {
	text, spans := cutMarks(marked)
	if len(spans) > 0 {
		f.marks[text] = spans
	}
	return text
}
