// Package sample is the sample portal: about thirty datasets of an imagined city
// administration on Lake Taihu, generated deterministically, plainly labelled as
// simulated, and one real small one.
//
// It gives content only: organizations, metadata and the files that a steward
// would upload. Demo, tests and documentation load them by the normal way in. It
// knows no store, no server and no formats beyond the files it writes. Every byte
// comes from seeds and integer arithmetic: no clock, no floating point, so that
// all machines make the same files.
package sample

import (
	"io"

	"taihu/catalog"
)

// Dataset is a sample dataset with the releases to publish, oldest first.
type Dataset struct {
	// Meta lacks ids; Organization is the publisher's slug.
	Meta         catalog.Dataset
	Organization string
	Releases     []Release
}

// Release is what a steward would upload for one release.
type Release struct {
	Notes    catalog.Text
	DataDate string
	Files    []File
	// Words are labels, units and descriptions by table and column name.
	Words map[string]TableWords
}

// TableWords describes a table.
type TableWords struct {
	Title  catalog.Text
	Fields map[string]FieldWords
	// Sample is the steward's sample of a conditional dataset: a JSON array of at
	// most catalog.SampleRows row objects; nil otherwise.
	Sample []byte
}

// FieldWords describes a column.
type FieldWords struct {
	Label       catalog.Text
	Unit        string
	Description catalog.Text
	Codes       []catalog.Code
	// Type is the type that ingest finds by itself; tests hold it to that.
	Type catalog.Type
}

// File is one file to upload. Write writes the same bytes each time.
type File struct {
	Name    string
	Options catalog.IngestOptions
	Write   func(w io.Writer) error
}

// Organization is a publisher with the slug of the one above it.
type Organization struct {
	catalog.Organization
	Parent string
}

// Datasets lists the sample datasets, the real one first.
func Datasets() []Dataset {
	var all []Dataset
	for _, subject := range []func() []Dataset{
		article, parking, transport, air, water, weather, city, society, services, market, economy, district,
	} {
		all = append(all, subject()...)
	}
	return all
}
