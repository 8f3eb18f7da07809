// Package indexer makes datasets findable: the Document that a search index
// knows about a dataset, the Query and Result of a search, the Index contract,
// and keeping an index in step with the catalog (Sync one dataset, Rebuild all).
//
// An index is a disposable copy: it never grants access, and whoever shows hits
// reads the datasets again from the store. It knows nothing of HTTP. Two engines
// stand behind the contract: indexer/embedded and indexer/meili; indextest holds
// both to the same behaviour.
package indexer

import (
	"context"
	"iter"
	"time"

	"taihu/catalog"
)

// Document is what the index knows about a dataset. Only published, not closed
// datasets have one; of conditional ones it holds no values. With every change of
// this form formVersion rises.
type Document struct {
	ID            string                `json:"id"` // dataset id
	Slug          string                `json:"slug"`
	Title         catalog.Text          `json:"title"`
	Description   catalog.Text          `json:"description"`   // plain text, Markdown removed
	Organization  string                `json:"organization"`  // slug
	Organizations []string              `json:"organizations"` // slugs from the top of the tree down, its own included
	Publisher     catalog.Text          `json:"publisher"`     // the organization's name
	PathNames     []string              `json:"path_names"`    // names and codes of all organizations of the path, both languages
	Themes        []string              `json:"themes"`        // codes
	ThemeNames    []string              `json:"theme_names"`   // words in both languages
	Keywords      []string              `json:"keywords"`
	Columns       []string              `json:"columns"` // names and labels of all columns, both languages
	Identifiers   []string              `json:"identifiers"`
	Values        []string              `json:"values"`  // frequent values of text columns; none of a conditional dataset
	Notes         []string              `json:"notes"`   // of its releases, newest first
	Formats       []string              `json:"formats"` // csv, json, xlsx, …: what can be downloaded
	OpenAttribute catalog.OpenAttribute `json:"open_attribute"`
	Frequency     catalog.Frequency     `json:"frequency"`
	Year          int                   `json:"year"`    // of the data date, else of publication
	Updated       time.Time             `json:"updated"` // last publication
	Rows          int64                 `json:"rows"`
	Cells         int64                 `json:"cells"`
	Downloads     int64                 `json:"downloads"` // as counted when the document was made
	Quality       int                   `json:"quality"`   // 0 to 100, see quality
	// Version rises with every change of the dataset; an older document never
	// overwrites a newer one.
	Version int64 `json:"version"`
}

// Stamp says what a document in an index is: its version, and its Digest, which
// tells two contents or two forms of one version apart.
type Stamp struct {
	Version int64
	Digest  string
}

// Facets are the fields a search can be narrowed by and counted over.
var Facets = []string{"organization", "theme", "format", "open", "frequency", "year", "updated"}

// Sorts are the orders of a search: relevance, and ±updated, ±rows, ±size (rows ×
// columns), ±downloads, ±title (a minus means descending).
var Sorts = []string{"relevance", "-updated", "updated", "-rows", "rows", "-size", "size", "-downloads", "downloads", "title", "-title"}

// Query is one search.
type Query struct {
	Text   string              // as Ask reads it; empty: everything
	Filter map[string][]string // facet → values, any of which; facets are combined with and. organization includes those below it.
	Sort   string              // one of Sorts; empty: relevance where Text is given, else -updated
	Offset int
	Limit  int // at most MaxLimit; 0 is DefaultLimit, -1 asks for counts without hits
	// Facets asks for counts. Each facet is counted under the filters of the
	// other facets.
	Facets bool
	// Any asks for documents that have some of the terms, those with most of them
	// first: what is shown where nothing has all.
	Any  bool
	Lang string // "zh" or "en": which of title and description are highlighted first
}

// Segment is a piece of text; Hit marks what matched. Segments are plain text,
// never HTML.
type Segment struct {
	Text string `json:"text"`
	Hit  bool   `json:"hit,omitempty"`
}

// Hit is one dataset found.
type Hit struct {
	ID          string    `json:"id"`
	Slug        string    `json:"slug"`
	Title       []Segment `json:"title"`
	Description []Segment `json:"description"`       // a passage around the match, at most 160 characters
	Columns     []string  `json:"columns,omitempty"` // column names that matched
	Values      []string  `json:"values,omitempty"`  // values that matched
}

// FacetCount is one value of a facet and how many datasets have it.
type FacetCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Result is the answer to a Query.
type Result struct {
	Total  int                     `json:"total"`
	Hits   []Hit                   `json:"hits"`
	Facets map[string][]FacetCount `json:"facets,omitempty"` // most frequent first, then by value
	// Spelling is Query.Text with what no document has put right, where the engine
	// found by another spelling; empty where it did not.
	Spelling string `json:"spelling,omitempty"`
}

// Suggestion is one thing a person may mean who is still typing.
type Suggestion struct {
	Kind  string    `json:"kind"`            // dataset, organization, theme, column or value
	Text  []Segment `json:"text"`            // its name; Hit marks what was typed, where it stands there
	Slug  string    `json:"slug,omitempty"`  // of a dataset or organization, code of a theme
	Count int       `json:"count,omitempty"` // datasets that have it, of all but a dataset
}

// SuggestionKinds are the kinds of suggestions, in the order in which they are shown.
var SuggestionKinds = []string{"dataset", "organization", "theme", "column", "value"}

// Searcher is what can be asked of an index, also of one that is built and not yet
// in its place.
type Searcher interface {
	Search(ctx context.Context, q Query) (Result, error)
	// Suggest returns at most limit suggestions of each kind for what was typed so
	// far, kinds in order, best first. Datasets are found as Search finds words of
	// titles; the others by a word that begins so, in Chinese by any part, or by
	// pinyin. Where an engine finds fewer of them, indextest says so.
	Suggest(ctx context.Context, text, lang string, limit int) ([]Suggestion, error)
}

// Index is a full-text index. A change is durable and searchable when the call
// returns nil. An engine that cannot answer now returns catalog.Unavailable.
type Index interface {
	Searcher
	// Put adds or replaces documents; one older than what is there (Version) is
	// passed over.
	Put(ctx context.Context, docs ...Document) error
	Delete(ctx context.Context, ids ...string) error
	// Stamps returns version and digest of every document, for the drift check.
	Stamps(ctx context.Context) (map[string]Stamp, error)
	// Rebuild makes a new index of docs beside the present one, shows it to accept,
	// which may be nil, and puts it in its place in one step. Searches go on
	// meanwhile; on an error, accept's too, nothing changes. The index that was
	// there is kept for Rollback.
	Rebuild(ctx context.Context, docs iter.Seq2[Document, error], accept func(ctx context.Context, next Searcher) error) error
	// Rollback puts the index that the last Rebuild replaced back in its place, and
	// that one in the other's; no_rollback (Conflict) where there is none. What
	// changed in between is then mended by Drift.
	Rollback(ctx context.Context) error
	// SetSynonyms replaces the groups of words that stand for each other. It holds
	// from the next search on, without a rebuild, until the index is closed or,
	// with a server, replaced.
	SetSynonyms(ctx context.Context, s Synonyms) error
	// Canary puts a document that no search shows, finds it and takes it out again:
	// it returns how long that took, or why it failed.
	Canary(ctx context.Context) (time.Duration, error)
	// Ping returns nil where the engine can answer.
	Ping(ctx context.Context) error
	Close() error
}
