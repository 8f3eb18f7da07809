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
// datasets have one; of conditional ones it holds no values.
type Document struct {
	ID            string                `json:"id"` // dataset id
	Slug          string                `json:"slug"`
	Title         catalog.Text          `json:"title"`
	Description   catalog.Text          `json:"description"`   // plain text, Markdown removed
	Organization  string                `json:"organization"`  // slug
	Organizations []string              `json:"organizations"` // slugs from the top of the tree down, its own included
	Publisher     catalog.Text          `json:"publisher"`     // the organization's name
	Themes        []string              `json:"themes"`        // codes
	ThemeNames    []string              `json:"theme_names"`   // words in both languages
	Keywords      []string              `json:"keywords"`
	Columns       []string              `json:"columns"` // names and labels of all columns, both languages
	Identifiers   []string              `json:"identifiers"`
	Formats       []string              `json:"formats"` // csv, json, xlsx, …: what can be downloaded
	OpenAttribute catalog.OpenAttribute `json:"open_attribute"`
	Frequency     catalog.Frequency     `json:"frequency"`
	Year          int                   `json:"year"`    // of the data date, else of publication
	Updated       time.Time             `json:"updated"` // last publication
	Rows          int64                 `json:"rows"`
	Cells         int64                 `json:"cells"`
	// Version rises with every change of the dataset; an older document never
	// overwrites a newer one.
	Version int64 `json:"version"`
}

// Facets are the fields a search can be narrowed by and counted over.
var Facets = []string{"organization", "theme", "format", "open", "frequency", "year"}

// Sorts are the orders of a search: relevance, and ±updated, ±rows, ±title
// (a minus means descending).
var Sorts = []string{"relevance", "-updated", "updated", "-rows", "rows", "title", "-title"}

// Query is one search.
type Query struct {
	Text   string              // empty: everything
	Filter map[string][]string // facet → values, any of which; facets are combined with and. organization includes those below it.
	Sort   string              // one of Sorts; empty: relevance where Text is given, else -updated
	Offset int
	Limit  int // at most MaxLimit; 0 is DefaultLimit, -1 asks for counts without hits
	// Facets asks for counts. Each facet is counted under the filters of the
	// other facets.
	Facets bool
	Lang   string // "zh" or "en": which of title and description are highlighted first
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
}

// Index is a full-text index. A change is durable and searchable when the call
// returns nil. An engine that cannot answer now returns catalog.Unavailable.
type Index interface {
	// Put adds or replaces documents; one older than what is there (Version) is
	// passed over.
	Put(ctx context.Context, docs ...Document) error
	Delete(ctx context.Context, ids ...string) error
	Search(ctx context.Context, q Query) (Result, error)
	// Versions returns the version of every document, for the drift check.
	Versions(ctx context.Context) (map[string]int64, error)
	// Rebuild makes a new index of docs beside the present one and puts it in its
	// place in one step. Searches go on meanwhile; on an error nothing changes.
	Rebuild(ctx context.Context, docs iter.Seq2[Document, error]) error
	// Ping returns nil where the engine can answer.
	Ping(ctx context.Context) error
	Close() error
}
