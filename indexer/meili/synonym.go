package meili

import (
	"context"
	"maps"
	"slices"

	"taihu/indexer"
)

// SetSynonyms implements indexer.Index: they are a setting of the server's index. A
// rebuild and a rollback hand them on. A change of them makes the server go
// through all documents, although none changes: about a minute for 100,000, in
// which searches go on and puts wait.
func (x *Index) SetSynonyms(ctx context.Context, s indexer.Synonyms) error {
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	x.synonyms = synonyms(s)
	if x.ready { // wiped since we looked: setting them would make an index without settings
		there, err := x.exists(ctx, x.name)
		if err != nil {
			return x.failed("ask for the index", err)
		}
		x.ready = there
	}
	if !x.ready {
		return x.ensure(ctx) // which sets them
	}
	if err := x.giveSynonyms(ctx, x.name, x.synonyms); err != nil {
		return x.failed("set synonyms", err)
	}
	return nil
}

// synonyms gives each word of a group all others of it.
func synonyms(groups indexer.Synonyms) map[string][]string {
	all := map[string]map[string]bool{}
	for _, group := range groups {
		for _, word := range group {
			for _, other := range group {
				word, other := typed(word), typed(other)
				if word == "" || other == "" || word == other {
					continue
				}
				if all[word] == nil {
					all[word] = map[string]bool{}
				}
				all[word][other] = true
			}
		}
	}
	out := map[string][]string{}
	for word, others := range all {
		out[word] = slices.Sorted(maps.Keys(others))
	}
	return out
}

// giveSynonyms sets the synonyms of one index where they are others. Its errors are
// the client's own.
func (x *Index) giveSynonyms(ctx context.Context, uid string, words map[string][]string) error {
	present, err := x.server.Index(uid).GetSynonymsWithContext(ctx)
	if err != nil {
		return err
	}
	if maps.EqualFunc(*present, words, sameWords) {
		return nil
	}
	task, err := x.server.Index(uid).UpdateSynonymsWithContext(ctx, &words)
	if err != nil {
		return err
	}
	return x.await(ctx, task)
}

func sameWords(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// copySynonyms gives another index those of the present one, or where there is
// none those last set here.
func (x *Index) copySynonyms(ctx context.Context, uid string) error {
	words := x.synonyms
	present, err := x.server.Index(x.name).GetSynonymsWithContext(ctx)
	switch {
	case err == nil:
		words = *present
	case !isNoIndex(err):
		return x.failed("read synonyms", err)
	}
	if err := x.giveSynonyms(ctx, uid, words); err != nil {
		return x.failed("set synonyms", err)
	}
	return nil
}
