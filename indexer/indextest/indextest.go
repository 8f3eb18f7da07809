// Package indextest holds the behaviour every indexer.Index must show: Run is
// the conformance suite, Documents the sample documents it searches, and
// relevance.txt the results that must come first. What one engine cannot do is
// stated in a test's name or comment here, so that pages stay honest.
//
// It knows the contract and no engine. Every engine's own tests call Run.
package indextest

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/indexer"
)

//go:embed relevance.txt
var relevanceText string

// Opener returns an empty index for one test; name is its own within the suite
// and the same in every run. The test closes it.
type Opener func(t *testing.T, name string) indexer.Index

// Run holds an engine to the contract. Every search and change comes after the
// one before has ended, so that exchanges with a server can be recorded.
func Run(t *testing.T, open Opener) {
	t.Run("search", func(t *testing.T) { runSearch(t, open(t, "search")) })
	t.Run("asked", func(t *testing.T) { runAsked(t, open) })
	t.Run("change", func(t *testing.T) { runChange(t, open) })
}

// sequence yields docs, then err if it is not nil.
func sequence(docs []indexer.Document, err error) iter.Seq2[indexer.Document, error] {
	return func(yield func(indexer.Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
		if err != nil {
			yield(indexer.Document{}, err)
		}
	}
}

func rebuild(t *testing.T, idx indexer.Index, docs ...indexer.Document) {
	t.Helper()
	if err := idx.Rebuild(t.Context(), sequence(docs, nil), nil); err != nil {
		t.Fatalf("rebuild: %v", err)
	}
}

func put(t *testing.T, idx indexer.Index, docs ...indexer.Document) {
	t.Helper()
	if err := idx.Put(t.Context(), docs...); err != nil {
		t.Fatalf("put: %v", err)
	}
}

func search(t *testing.T, idx indexer.Index, q indexer.Query) indexer.Result {
	t.Helper()
	result, err := idx.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("search %+v: %v", q, err)
	}
	return result
}

func slugs(r indexer.Result) []string {
	list := make([]string, len(r.Hits))
	for i, h := range r.Hits {
		list[i] = h.Slug
	}
	return list
}

// found searches text and returns the slugs in alphabetical order.
func found(t *testing.T, idx indexer.Index, text string) []string {
	t.Helper()
	r := search(t, idx, indexer.Query{Text: text, Limit: 100})
	list := slugs(r)
	if r.Total != len(list) {
		t.Errorf("%q: total %d, but %d hits", text, r.Total, len(list))
	}
	slices.Sort(list)
	return list
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// marked writes segments with [ ] around the hits.
func marked(segments []indexer.Segment) string {
	var b strings.Builder
	for _, s := range segments {
		if s.Hit {
			b.WriteString("[" + s.Text + "]")
		} else {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

func wantKind(t *testing.T, what string, err error, kind catalog.Kind, code string) {
	t.Helper()
	if catalog.KindOf(err) != kind || catalog.CodeOf(err) != code {
		t.Errorf("%s: got %v (%s, %s), want %s, %s", what, err, catalog.KindOf(err), catalog.CodeOf(err), kind, code)
	}
}

// bySlug picks sample documents.
func bySlug(slug string) indexer.Document {
	for _, d := range Documents() {
		if d.Slug == slug {
			return d
		}
	}
	panic("no sample document " + slug)
}

// sorted returns the slugs of docs in the order of compare, then of ids.
func sorted(docs []indexer.Document, compare func(a, b indexer.Document) int) []string {
	slices.SortFunc(docs, func(a, b indexer.Document) int { return cmp.Or(compare(a, b), strings.Compare(a.ID, b.ID)) })
	list := make([]string, len(docs))
	for i, d := range docs {
		list[i] = d.Slug
	}
	return list
}

var errPlanned = errors.New("planned by the test")

// source is an indexer.Source over a map, for tests of Sync, Rebuild and Drift.
type source map[string]indexer.Document

func (s source) Document(_ context.Context, id string) (indexer.Document, bool, error) {
	d, ok := s[id]
	return d, ok, nil
}

func (s source) Documents(context.Context) iter.Seq2[indexer.Document, error] {
	docs := make([]indexer.Document, 0, len(s))
	for _, d := range s {
		docs = append(docs, d)
	}
	slices.SortFunc(docs, func(a, b indexer.Document) int { return strings.Compare(a.ID, b.ID) })
	return sequence(docs, nil)
}
