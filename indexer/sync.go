package indexer

import (
	"context"
	"fmt"
	"iter"

	"taihu/catalog"
)

// Source is where documents come from: the store, through NewDocument.
type Source interface {
	// Document returns the document of a dataset as it is now; false where the
	// dataset must not be found: unknown, not published, withdrawn, closed.
	Document(ctx context.Context, datasetID string) (Document, bool, error)
	// Documents yields the document of every dataset that can be found. After an
	// error it ends.
	Documents(ctx context.Context) iter.Seq2[Document, error]
}

// syncTries bounds how often Sync starts over because the dataset changed again.
const syncTries = 20

// Sync brings one dataset's document in step with the source: it is put, or
// deleted where it must not be found. It ends only when the source says after
// the change what it said before, so of two that run at the same time, on one
// machine or on two, the later state stays: a document of a withdrawn dataset
// that was read before the withdrawal is taken out again.
// It may be repeated; on an error repeat it.
func Sync(ctx context.Context, idx Index, src Source, datasetID string) error {
	doc, found, err := src.Document(ctx, datasetID)
	if err != nil {
		return fmt.Errorf("index dataset %s: %w", datasetID, err)
	}
	for range syncTries {
		if found {
			err = idx.Put(ctx, doc)
		} else {
			err = idx.Delete(ctx, datasetID)
		}
		if err != nil {
			return fmt.Errorf("index dataset %s: %w", datasetID, err)
		}
		now, foundNow, err := src.Document(ctx, datasetID)
		if err != nil {
			return fmt.Errorf("index dataset %s: %w", datasetID, err)
		}
		if foundNow == found && (!found || now.Version == doc.Version) {
			return nil
		}
		doc, found = now, foundNow
	}
	return catalog.Errorf(catalog.Unavailable, "search_unavailable", "dataset %s changes faster than it can be indexed", datasetID)
}

// Rebuild makes the whole index anew from the source, puts it in the place of the
// old one if accept, which may be nil, agrees, then repairs what changed meanwhile.
func Rebuild(ctx context.Context, idx Index, src Source, accept func(ctx context.Context, next Searcher) error) (Report, error) {
	if err := idx.Rebuild(ctx, src.Documents(ctx), accept); err != nil {
		return Report{}, fmt.Errorf("rebuild the search index: %w", err)
	}
	return Drift(ctx, idx, src)
}
