package meili

import (
	"context"
	"fmt"

	"github.com/meilisearch/meilisearch-go"

	"taihu/indexer"
)

// formVersion ends the index's name. Raise it with every change of the document
// form or the settings below: the new index is then missing, and gets built.
const formVersion = "_v2"

// settings are the index settings as code.
func settings() *meilisearch.Settings {
	return &meilisearch.Settings{
		// In this order a match counts: as indexer.Fields, grams last.
		SearchableAttributes: []string{
			"title_zh", "title_en", "identifiers", "keywords", "columns",
			"publisher_zh", "publisher_en", "theme_names", "description_zh", "description_en", "grams",
		},
		FilterableAttributes: indexer.Facets,
		SortableAttributes:   []string{"updated", "rows", "sort_zh", "sort_en", "id"},
		// sort first: a sort that is asked for decides alone. The last two order
		// what is equal, so that pages are stable.
		RankingRules: []string{"sort", "words", "typo", "attribute", "proximity", "exactness", "updated:desc", "id:asc"},
		LocalizedAttributes: []*meilisearch.LocalizedAttributes{
			{AttributePatterns: []string{"*_en"}, Locales: []string{"eng"}},
			{AttributePatterns: []string{"*_zh", "keywords", "columns", "theme_names", "grams"}, Locales: []string{"cmn", "eng"}},
		},
		TypoTolerance: &meilisearch.TypoTolerance{
			Enabled:             true,
			MinWordSizeForTypos: meilisearch.MinWordSizeForTypos{OneTypo: 5, TwoTypos: 9},
			DisableOnWords:      []string{},
			DisableOnAttributes: []string{"identifiers", "grams"}, // a code is right or wrong
			DisableOnNumbers:    true,
		},
		Pagination: &meilisearch.Pagination{MaxTotalHits: indexer.MaxOffset},
		Faceting: &meilisearch.Faceting{
			MaxValuesPerFacet: indexer.MaxFacetValues,
			SortFacetValuesBy: map[string]meilisearch.SortFacetType{"*": meilisearch.SortFacetTypeCount},
		},
	}
}

// ensure makes the index with our settings where it is missing. The caller holds
// writer.
func (x *Index) ensure(ctx context.Context) error {
	if x.ready {
		return nil
	}
	_, err := x.server.GetIndexWithContext(ctx, x.name)
	if isNoIndex(err) {
		err = x.create(ctx, x.name)
	} else if err == nil {
		// Made by us, but perhaps stopped before its settings were.
		err = x.configure(ctx, x.name)
	}
	if err != nil {
		return x.failed("make the index", err)
	}
	x.ready = true
	return nil
}

func (x *Index) create(ctx context.Context, uid string) error {
	task, err := x.server.CreateIndexWithContext(ctx, &meilisearch.IndexConfig{Uid: uid, PrimaryKey: "id"})
	if err != nil {
		return err
	}
	if err := x.await(ctx, task); err != nil {
		return fmt.Errorf("create %s: %w", uid, err)
	}
	return x.configure(ctx, uid)
}

func (x *Index) configure(ctx context.Context, uid string) error {
	task, err := x.server.Index(uid).UpdateSettingsWithContext(ctx, settings())
	if err != nil {
		return err
	}
	if err := x.await(ctx, task); err != nil {
		return fmt.Errorf("settings of %s: %w", uid, err)
	}
	return nil
}
