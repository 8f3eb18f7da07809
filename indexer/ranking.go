package indexer

import (
	"math"
	"slices"
	"time"
)

// This file is the one place where relevance is weighed: how much a match in a
// part of a dataset counts (Fields, PinyinWeight), how much a title or name that
// answers the whole query adds (CoveredPart and what follows), and how much what is
// known of the dataset itself (Boost).

// Field is one part of a document that is searched. Weight says how much a match
// there counts. The embedded engine multiplies by the weights; Meilisearch takes
// the order.
type Field struct {
	Name   string
	Weight float32
	Length float32 // words or characters of an ordinary one: longer ones count less per match
	Texts  func(d *Document) []string
}

// Fields lists what is searched, the most telling first.
var Fields = []Field{
	{"title", 10, 14, func(d *Document) []string { return []string{d.Title.Zh, d.Title.En} }},
	{"identifiers", 8, 4, func(d *Document) []string { return append(slices.Clone(d.Identifiers), d.Slug) }},
	{"keywords", 6, 10, func(d *Document) []string { return d.Keywords }},
	{"columns", 3, 60, func(d *Document) []string { return d.Columns }},
	{"publisher", 2, 8, func(d *Document) []string { return []string{d.Publisher.Zh, d.Publisher.En} }},
	{"themes", 2, 8, func(d *Document) []string { return d.ThemeNames }},
	{"values", 1.5, 120, func(d *Document) []string { return d.Values }},
	{"description", 1, 120, func(d *Document) []string { return []string{d.Description.Zh, d.Description.En} }},
	{"path", 0.5, 16, func(d *Document) []string { return d.PathNames }},
	{"notes", 0.5, 60, func(d *Document) []string { return d.Notes }},
}

// PinyinWeight is the weight of a match by pinyin or initials of a title or keyword.
const PinyinWeight = 4

// By which part the score of one of the best documents rises in the embedded engine,
// together at most doubled twice.
const (
	CoveredPart   = 0.5  // times the part of a title that the query covers
	TogetherPart  = 0.3  // all terms are in the title
	InOrderPart   = 0.3  // and one behind the other
	BeginningPart = 0.2  // and at its beginning
	ExactPart     = 0.7  // and nothing else is in it
	KeywordPart   = 0.3  // a keyword is the query
	NameExact     = 0.25 // the name of a column or organization is the query
	NamePart      = 0.1  // all terms are in one such name
)

// The parts of Boost. Together they reorder datasets that match about equally
// well, never a match in a description before one in a title.
const (
	qualityBoost  = 0.15 // for a dataset described completely
	useBoost      = 0.05 // for each tenfold of downloads, up to 100,000
	freshBoost    = 0.02 // for each year published later, since 2016
	freshBoostMax = 0.30
)

// Boost is by which part a dataset's score rises for its quality, use and
// freshness: 0 to about 0.7. It does not depend on today's date, so a document
// never has to be indexed again because time went by.
func (d *Document) Boost() float64 {
	years := d.Updated.Sub(time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)).Hours() / 24 / 365.25
	return qualityBoost*float64(d.Quality)/100 +
		useBoost*min(math.Log10(1+float64(max(d.Downloads, 0))), 5) +
		min(max(freshBoost*years, 0), freshBoostMax)
}
