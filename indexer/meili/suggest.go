package meili

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/meilisearch/meilisearch-go"

	"taihu/catalog"
	"taihu/indexer"
)

// What is suggested beside datasets is kept in documents as entries, which the
// server counts. An entry begins with the key by which it is found: one for each
// word at which typing may begin, and in names and columns, of which a document
// has fewer than values, for each character; in hex, since the server changes
// characters in entries and in what is typed unlike. The server walks over every
// different entry that begins with a key, at 5 µs each: so values have fewer keys,
// and those with numbers of three digits none (addresses, codes, dates, most of all
// that are different, and seldom two datasets'): “号” took 1.9 s at 100,000 datasets.
const (
	suggestOrganization = "suggest_organization"
	suggestColumn       = "suggest_column"
	suggestValue        = "suggest_value"

	entryCut     = "\u001f" // stands between the parts of an entry
	maxEntryKey  = 8        // characters of a key
	maxEntryText = 60       // characters of a column or value that is suggested
	maxDigits    = 2        // one behind the other in a value that is suggested
)

// organizationEntries are slug and names of d's organization, keys before them:
// those of both names, and the pinyin of the whole Chinese one.
func organizationEntries(d *indexer.Document) []string {
	out := newSet()
	if d.Organization == "" {
		return out.list
	}
	rest := entryCut + d.Organization + entryCut + d.Publisher.Zh + entryCut + d.Publisher.En
	for _, name := range []string{d.Publisher.Zh, d.Publisher.En} {
		for _, begin := range beginnings(name) {
			out.add(entryKey(begin) + rest)
		}
	}
	spelt := indexer.PinyinWords([]string{d.Publisher.Zh})
	for _, word := range spelt[:min(len(spelt), 2)] { // syllables and initials from the first character on
		out.add(entryKey(word) + rest)
	}
	return out.list
}

// entries are the entries of texts, a key before each: one for each of what keys
// returns.
func entries(texts []string, keys func(text string) []string) []string {
	out := newSet()
	for _, text := range texts {
		if utf8.RuneCountInString(text) > maxEntryText {
			continue
		}
		for _, begin := range keys(text) {
			out.add(entryKey(begin) + entryCut + text)
		}
	}
	return out.list
}

func entryKey(typed string) string {
	if runes := []rune(typed); len(runes) > maxEntryKey {
		typed = string(runes[:maxEntryKey])
	}
	return hex.EncodeToString([]byte(typed))
}

// beginnings are the ends of a text, as typed reads one, from each word and each
// character of a run on.
func beginnings(text string) []string {
	whole := typed(text)
	var list []string
	indexer.Tokens(whole, func(t indexer.Token) {
		if !t.Run {
			list = append(list, whole[t.Start:])
			return
		}
		for i := range t.Text {
			list = append(list, whole[t.Start+i:])
		}
	})
	return list
}

// valueBeginnings are those of a value that is suggested: from its start and from
// behind each sign.
func valueBeginnings(text string) []string {
	digits := 0
	for _, r := range text {
		if digits++; !unicode.IsDigit(r) {
			digits = 0
		}
		if digits > maxDigits {
			return nil
		}
	}
	whole := typed(text)
	var list []string
	at, end := 0, -1 // in whole, and in the folded text
	indexer.Tokens(indexer.Fold(text), func(t indexer.Token) {
		if t.Start != end {
			list = append(list, whole[at:])
		}
		at, end = at+len(t.Text)+len(" "), t.End
	})
	return list
}

// typed is the form in which what is typed and what is suggested meet: words and
// runs with one space between, no signs.
func typed(text string) string {
	var list []string
	indexer.Tokens(indexer.Fold(text), func(t indexer.Token) { list = append(list, t.Text) })
	return strings.Join(list, " ")
}

// Suggest implements indexer.Searcher.
func (x *Index) Suggest(ctx context.Context, text, lang string, limit int) ([]indexer.Suggestion, error) {
	return searcher{x, x.name}.Suggest(ctx, text, lang, limit)
}

// Suggest implements indexer.Searcher with one search for datasets and counts, and
// beside it three of the server's facet searches, for organizations, columns and
// values.
func (s searcher) Suggest(ctx context.Context, text, lang string, limit int) ([]indexer.Suggestion, error) {
	asked := indexer.Ask(text)
	if len(asked.Terms) == 0 || len(text) > indexer.MaxText || limit <= 0 {
		return nil, nil
	}
	if lang != "en" {
		lang = "zh"
	}
	ctx, cancel := context.WithTimeout(ctx, s.x.config.SearchTimeout)
	defer cancel()
	q := suggestQuery{typed: typed(indexer.WordsOf(asked.Terms)), lang: lang, limit: limit, matcher: indexer.NewMatcher(asked.Terms)}
	fields := []string{suggestOrganization, suggestColumn, suggestValue}
	found := make([][]indexer.FacetCount, len(fields))
	errs := make([]error, len(fields)+1)
	var group sync.WaitGroup
	soon, cancelSoon := context.WithTimeout(ctx, s.x.config.EntryTimeout)
	defer cancelSoon()
	for i, field := range fields {
		group.Go(func() {
			if s.x.slow.has(field, q.typed) {
				return
			}
			found[i], errs[i] = s.findEntries(soon, q.typed, field)
			if errs[i] != nil && soon.Err() != nil && ctx.Err() == nil { // too late for who is typing
				found[i], errs[i] = nil, nil
				s.x.slow.add(field, q.typed)
			}
		})
	}
	list, counts, err := s.suggestDatasets(ctx, q, &asked)
	group.Wait()
	errs[len(fields)] = err
	for _, err := range errs {
		if err != nil {
			return nil, s.x.failed("suggest", err)
		}
	}
	list = append(list, q.organizations(found[0], counts["organization"])...)
	list = append(list, q.themes(counts["theme"])...)
	list = append(list, q.entries("column", found[1])...)
	return append(list, q.entries("value", found[2])...), nil
}

// slowEntries are the entries that were asked for lately and came too late. The server
// goes on looking for them after nobody waits any more, so they, and whatever begins
// with less of the same text, are not asked for again for a while.
type slowEntries struct {
	mu    sync.Mutex
	until map[[2]string]time.Time // field and text typed
}

const (
	slowFor  = time.Minute
	mostSlow = 200
)

func (s *slowEntries) add(field, typed string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(s.until, func(_ [2]string, until time.Time) bool { return !now.Before(until) })
	if s.until == nil {
		s.until = map[[2]string]time.Time{}
	}
	if len(s.until) < mostSlow {
		s.until[[2]string{field, typed}] = now.Add(slowFor)
	}
}

func (s *slowEntries) has(field, typed string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.until) == 0 {
		return false
	}
	now := time.Now()
	for key, until := range s.until {
		if key[0] == field && strings.HasPrefix(key[1], typed) && now.Before(until) {
			return true
		}
	}
	return false
}

// suggestQuery is what was typed, in the form in which it is compared.
type suggestQuery struct {
	typed, lang string
	limit       int
	matcher     *indexer.Matcher
}

func (q *suggestQuery) show(text string) []indexer.Segment {
	return indexer.Segments(text, q.matcher.Spans(text))
}

// fits reports whether a name is found by what was typed: at the beginning of a
// word, in Chinese anywhere, or by pinyin.
func (q *suggestQuery) fits(name string) bool {
	begins := func(s string) bool { return strings.HasPrefix(s, q.typed) }
	return slices.ContainsFunc(beginnings(name), begins) || slices.ContainsFunc(indexer.PinyinWords([]string{name}), begins)
}

// suggestDatasets suggests datasets, and counts what organizations and themes have
// in all. Its errors are the client's own.
func (s searcher) suggestDatasets(ctx context.Context, q suggestQuery, asked *indexer.Asked) ([]indexer.Suggestion, map[string]map[string]int, error) {
	words, exact := wording(asked.Terms)
	answer, err := s.x.server.MultiSearchWithContext(ctx, &meilisearch.MultiSearchRequest{Queries: []*meilisearch.SearchRequest{
		{
			IndexUID: s.uid, Query: minus(asked) + strings.TrimRight(words, " "), MatchingStrategy: meilisearch.All, Limit: int64(q.limit),
			Filter:               filter(nil, "", append(conditions(asked), exact...)),
			AttributesToSearchOn: []string{"title_zh", "title_en", "title_grams", "pinyin"},
			AttributesToRetrieve: []string{"slug", "title_zh", "title_en"},
		},
		{IndexUID: s.uid, Limit: 1, AttributesToRetrieve: []string{"id"}, Facets: []string{"organization", "theme"}},
	}})
	if err != nil {
		return nil, nil, err
	}
	if len(answer.Results) != 2 {
		return nil, nil, fmt.Errorf("%d answers to 2 searches", len(answer.Results))
	}
	var list []indexer.Suggestion
	for _, h := range answer.Results[0].Hits {
		var d document
		if err := h.DecodeInto(&d); err != nil {
			return nil, nil, fmt.Errorf("read a hit: %w", err)
		}
		title := catalog.Text{Zh: d.TitleZh, En: d.TitleEn}.In(q.lang)
		list = append(list, indexer.Suggestion{Kind: "dataset", Text: q.show(title), Slug: d.Slug})
	}
	var counts map[string]map[string]int
	if err := json.Unmarshal(answer.Results[1].FacetDistribution, &counts); err != nil {
		return nil, nil, fmt.Errorf("read facets: %w", err)
	}
	return list, counts, nil
}

// findEntries returns the entries whose key begins with what was typed, and how
// many documents have each. Its errors are the client's own.
func (s searcher) findEntries(ctx context.Context, typed, field string) ([]indexer.FacetCount, error) {
	body, err := s.x.server.Index(s.uid).FacetSearchWithContext(ctx, &meilisearch.FacetSearchRequest{FacetName: field, FacetQuery: entryKey(typed)})
	if err != nil {
		return nil, err
	}
	var answer struct {
		FacetHits []indexer.FacetCount `json:"facetHits"`
	}
	if err := json.Unmarshal(*body, &answer); err != nil {
		return nil, fmt.Errorf("read a facet search: %w", err)
	}
	return answer.FacetHits, nil
}

// organizations suggests those that published something themselves; one counts
// what is below it.
func (q *suggestQuery) organizations(found []indexer.FacetCount, counts map[string]int) []indexer.Suggestion {
	var list []indexer.Suggestion
	seen := map[string]bool{}
	for _, f := range found {
		part := strings.Split(f.Value, entryCut)
		if len(part) != 4 || seen[part[1]] || !q.fits(part[2]) && !q.fits(part[3]) {
			continue
		}
		seen[part[1]] = true
		name := catalog.Text{Zh: part[2], En: part[3]}.In(q.lang)
		list = append(list, indexer.Suggestion{Kind: "organization", Text: q.show(name), Slug: part[1], Count: max(f.Count, counts[part[1]])})
	}
	return q.best(list)
}

// entries suggests columns or values.
func (q *suggestQuery) entries(kind string, found []indexer.FacetCount) []indexer.Suggestion {
	var list []indexer.Suggestion
	seen := map[string]bool{}
	for _, f := range found {
		_, text, _ := strings.Cut(f.Value, entryCut)
		if len(list) < q.limit && !seen[text] && q.fits(text) { // a long text has more than its key
			seen[text] = true
			list = append(list, indexer.Suggestion{Kind: kind, Text: q.show(text), Count: f.Count})
		}
	}
	return q.best(list)
}

func (q *suggestQuery) themes(counts map[string]int) []indexer.Suggestion {
	var list []indexer.Suggestion
	for _, t := range catalog.Themes {
		if name := catalog.ThemeName(t.Code); counts[t.Code] > 0 && (q.fits(name.Zh) || q.fits(name.En)) {
			list = append(list, indexer.Suggestion{Kind: "theme", Text: q.show(name.In(q.lang)), Slug: t.Code, Count: counts[t.Code]})
		}
	}
	return q.best(list)
}

// best returns those that most datasets have, then in the order of their names.
func (q *suggestQuery) best(list []indexer.Suggestion) []indexer.Suggestion {
	slices.SortFunc(list, func(a, b indexer.Suggestion) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(indexer.Plain(a.Text), indexer.Plain(b.Text)))
	})
	return list[:min(len(list), q.limit)]
}
