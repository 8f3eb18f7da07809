package meili

import (
	"context"
	"fmt"
	"slices"

	"github.com/meilisearch/meilisearch-go"

	"taihu/indexer"
)

// formVersion ends the index's name. Raise it with every change of the document
// form or the settings below: the new index is then missing, and gets built.
const formVersion = "_v3"

// rankingRules: sort is first, for a sort that is asked for decides alone. boost
// orders what matches alike, the last two what is equal, so that pages are stable.
var rankingRules = []string{"sort", "words", "typo", "attribute", "proximity", "exactness", "boost:desc", "updated_at:desc", "id:asc"}

// settings are the index settings as code.
func settings() *meilisearch.Settings {
	return &meilisearch.Settings{
		// In this order a match counts: as the weights of indexer.Fields and
		// indexer.PinyinWeight, parts of words after whole ones.
		SearchableAttributes: []string{
			"title_zh", "title_en", "identifiers", "keywords", "title_grams", "pinyin", "columns",
			"publisher_zh", "publisher_en", "theme_names", "values", "description_zh", "description_en", "path_names", "notes", "grams",
		},
		SortableAttributes: []string{"updated_at", "rows", "size", "downloads", "sort_zh", "sort_en", "id"},
		RankingRules:       rankingRules,
		LocalizedAttributes: []*meilisearch.LocalizedAttributes{
			{AttributePatterns: []string{"*_en", "pinyin"}, Locales: []string{"eng"}},
			{AttributePatterns: []string{"*_zh", "keywords", "columns", "theme_names", "values", "path_names", "notes", "title_grams", "grams"}, Locales: []string{"cmn", "eng"}},
		},
		TypoTolerance: &meilisearch.TypoTolerance{
			Enabled:             true,
			MinWordSizeForTypos: meilisearch.MinWordSizeForTypos{OneTypo: 5, TwoTypos: 9},
			DisableOnWords:      []string{},
			// A code is right or wrong; a letter more or less is another syllable. The
			// suggestions are here for facet searches, which would forgive as well.
			DisableOnAttributes: []string{"identifiers", "pinyin", "title_grams", "grams", suggestOrganization, suggestColumn, suggestValue},
			DisableOnNumbers:    true,
		},
		Pagination: &meilisearch.Pagination{MaxTotalHits: indexer.MaxOffset},
		Faceting: &meilisearch.Faceting{
			MaxValuesPerFacet: indexer.MaxFacetValues,
			SortFacetValuesBy: map[string]meilisearch.SortFacetType{"*": meilisearch.SortFacetTypeCount},
		},
	}
}

// filterable says what can be filtered and counted, and how: only what is needed,
// since the server keeps tables for each.
func filterable() []any {
	rule := func(facetSearch, comparison bool, fields ...string) any {
		return map[string]any{"attributePatterns": fields, "features": map[string]any{
			"facetSearch": facetSearch, "filter": map[string]bool{"equality": !facetSearch && !comparison, "comparison": comparison},
		}}
	}
	return []any{
		rule(false, false, append(slices.Clone(indexer.Facets), "keys")...),
		rule(false, true, "updated_at"),
		rule(true, false, suggestOrganization, suggestColumn, suggestValue),
	}
}

// The oldest server that is asked: before it one who may search could make the
// server fetch what it should not.
var leastVersion = [3]int{1, 43, 1}

// checkVersion refuses a server that is too old.
func (x *Index) checkVersion(ctx context.Context) error {
	version, err := x.server.VersionWithContext(ctx)
	if err != nil {
		return x.failed("ask for the version", err)
	}
	var v [3]int
	if _, err := fmt.Sscanf(version.PkgVersion, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		return unavailable("ask for the version", fmt.Errorf("%q is no version", version.PkgVersion))
	}
	if slices.Compare(v[:], leastVersion[:]) < 0 {
		return unavailable("look at the version", fmt.Errorf("the server is Meilisearch %s; %d.%d.%d or newer is needed",
			version.PkgVersion, leastVersion[0], leastVersion[1], leastVersion[2]))
	}
	return nil
}

// ensure makes the index with our settings where it is missing. The caller holds
// writer.
func (x *Index) ensure(ctx context.Context) error {
	if x.ready {
		return nil
	}
	if err := x.checkVersion(ctx); err != nil {
		return err
	}
	there, err := x.exists(ctx, x.name)
	if err == nil && !there {
		err = x.create(ctx, x.name)
	} else if err == nil {
		err = x.reconfigure(ctx)
	}
	if err == nil && x.synonyms != nil {
		err = x.giveSynonyms(ctx, x.name, x.synonyms)
	}
	if err != nil {
		return x.failed("make the index", err)
	}
	x.ready = true
	return nil
}

// reconfigure gives our index its settings where a process stopped before they
// were there. The same ones sent once more would make the server index all
// documents again: a minute for 100,000.
func (x *Index) reconfigure(ctx context.Context) error {
	rules, err := x.server.Index(x.name).GetRankingRulesWithContext(ctx)
	if err != nil {
		return err
	}
	if slices.Equal(*rules, rankingRules) { // they come with all others, in one task
		return nil
	}
	return x.configure(ctx, x.name)
}

// exists reports whether the server has an index. Its error is the client's own.
func (x *Index) exists(ctx context.Context, uid string) (bool, error) {
	_, err := x.server.GetIndexWithContext(ctx, uid)
	if isNoIndex(err) {
		return false, nil
	}
	return err == nil, err
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
	// Sent apart, for the client's Settings know filterable names only.
	rules := filterable()
	first, err := x.server.Index(uid).UpdateFilterableAttributesWithContext(ctx, &rules)
	if err != nil {
		return err
	}
	second, err := x.server.Index(uid).UpdateSettingsWithContext(ctx, settings())
	if err != nil {
		return err
	}
	for _, task := range []*meilisearch.TaskInfo{first, second} {
		if err := x.await(ctx, task); err != nil {
			return fmt.Errorf("settings of %s: %w", uid, err)
		}
	}
	return nil
}
