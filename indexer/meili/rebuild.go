package meili

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/meilisearch/meilisearch-go"

	"taihu/catalog"
	"taihu/indexer"
)

// inFlight is how many batches the server may have waiting.
const inFlight = 4

// batcher sends documents in bounded batches and awaits every task.
type batcher struct {
	index *Index
	uid   string
	batch []json.RawMessage
	bytes int
	tasks []*meilisearch.TaskInfo
}

func (b *batcher) add(ctx context.Context, d *indexer.Document) error {
	body, err := json.Marshal(newDocument(d))
	if err != nil {
		return fmt.Errorf("index document %s: %w", d.ID, err)
	}
	if len(b.batch) == batchDocuments || b.bytes+len(body) > batchBytes {
		if err := b.send(ctx); err != nil {
			return err
		}
	}
	b.batch = append(b.batch, body)
	b.bytes += len(body)
	return nil
}

func (b *batcher) send(ctx context.Context) error {
	if len(b.batch) == 0 {
		return nil
	}
	task, err := b.index.server.Index(b.uid).AddDocumentsWithContext(ctx, b.batch, nil)
	if err != nil {
		return b.index.failed("add documents", err)
	}
	b.tasks = append(b.tasks, task)
	b.batch, b.bytes = nil, 0
	if len(b.tasks) > inFlight {
		return b.awaitFirst(ctx)
	}
	return nil
}

func (b *batcher) awaitFirst(ctx context.Context) error {
	if err := b.index.await(ctx, b.tasks[0]); err != nil {
		return b.index.failed("add documents", err)
	}
	b.tasks = b.tasks[1:]
	return nil
}

// finish sends the rest and waits for every task.
func (b *batcher) finish(ctx context.Context) error {
	if err := b.send(ctx); err != nil {
		return err
	}
	for len(b.tasks) > 0 {
		if err := b.awaitFirst(ctx); err != nil {
			return err
		}
	}
	return nil
}

// leftoverAge is how old an index of a rebuild or a canary is before it counts as
// forgotten by a process that died.
const leftoverAge = 24 * time.Hour

// The names of indexes beside the present one. previous is the one that the last
// Rebuild replaced.
func (x *Index) previous() string { return x.name + "_previous" }

func (x *Index) beside(purpose string) string {
	return fmt.Sprintf("%s_%s_%d", x.name, purpose, x.config.Clock().UnixMicro())
}

// Rebuild implements indexer.Index: documents go into an index of its own name,
// which is swapped with the present one, and that is kept for Rollback. Puts of
// this process wait; what other processes change meanwhile is repaired by the
// drift check that indexer.Rebuild ends with.
func (x *Index) Rebuild(ctx context.Context, docs iter.Seq2[indexer.Document, error], accept func(context.Context, indexer.Searcher) error) error {
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	if err := x.checkVersion(ctx); err != nil {
		return err
	}
	if err := x.removeLeftovers(ctx); err != nil {
		return err
	}
	next := x.beside("next")
	err := x.build(ctx, next, docs)
	if err == nil && accept != nil {
		err = accept(ctx, searcher{x, next})
	}
	if err == nil {
		err = x.replace(ctx, next)
	}
	if err != nil {
		x.drop(context.WithoutCancel(ctx), next) // else it is a leftover
		return err
	}
	x.ready = true
	return nil
}

func (x *Index) build(ctx context.Context, next string, docs iter.Seq2[indexer.Document, error]) error {
	if err := x.create(ctx, next); err != nil {
		return x.failed("make the new index", err)
	}
	if err := x.copySynonyms(ctx, next); err != nil {
		return err
	}
	return x.fill(ctx, next, docs)
}

// replace puts next in the place of the previous index, then changes that one and
// the present one in one step: whatever fails before leaves the present one as it
// is, and the previous one is always what the last rebuild replaced.
func (x *Index) replace(ctx context.Context, next string) error {
	there, err := x.exists(ctx, x.name)
	if err != nil {
		return x.failed("ask for the index", err)
	}
	if !there {
		return x.swap(ctx, next, x.name, true)
	}
	older, err := x.exists(ctx, x.previous())
	if err != nil {
		return x.failed("ask for the previous index", err)
	}
	if err := x.swap(ctx, next, x.previous(), !older); err != nil {
		return err
	}
	if err := x.swap(ctx, x.name, x.previous(), false); err != nil {
		_ = x.swap(context.WithoutCancel(ctx), x.previous(), next, !older)
		return err
	}
	if older {
		x.drop(ctx, next)
	}
	return nil
}

// Rollback implements indexer.Index.
func (x *Index) Rollback(ctx context.Context) error {
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	for _, uid := range []string{x.name, x.previous()} {
		there, err := x.exists(ctx, uid)
		if err != nil {
			return x.failed("ask for the previous index", err)
		}
		if !there {
			return catalog.Errorf(catalog.Conflict, "no_rollback", "there is no earlier search index to go back to").
				InChinese("没有可以恢复的旧检索索引")
		}
	}
	if err := x.copySynonyms(ctx, x.previous()); err != nil {
		return err
	}
	return x.swap(ctx, x.name, x.previous(), false)
}

func (x *Index) fill(ctx context.Context, uid string, docs iter.Seq2[indexer.Document, error]) error {
	b := batcher{index: x, uid: uid}
	for d, err := range docs {
		if err != nil {
			return err
		}
		if err := b.add(ctx, &d); err != nil {
			return err
		}
	}
	return b.finish(ctx)
}

// swap exchanges two indexes, or gives the first one the second name, which no
// index may have.
func (x *Index) swap(ctx context.Context, a, b string, rename bool) error {
	task, err := x.server.SwapIndexesWithContext(ctx, []*meilisearch.SwapIndexesParams{{Indexes: []string{a, b}, Rename: rename}})
	if err == nil {
		err = x.await(ctx, task)
	}
	if err != nil {
		return x.failed("swap indexes", err)
	}
	return nil
}

// delete deletes an index where there is one.
func (x *Index) delete(ctx context.Context, uid string) error {
	task, err := x.server.DeleteIndexWithContext(ctx, uid)
	if err == nil {
		err = x.await(ctx, task)
	}
	if err != nil && !isNoIndex(err) {
		return x.failed("delete an index", err)
	}
	return nil
}

// drop deletes an index that nobody needs. Where that fails removeLeftovers does
// it later.
func (x *Index) drop(ctx context.Context, uid string) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_ = x.delete(ctx, uid)
}

func (x *Index) removeLeftovers(ctx context.Context) error {
	list, err := x.server.ListIndexesWithContext(ctx, &meilisearch.IndexesQuery{Limit: 1000})
	if err != nil {
		return x.failed("list indexes", err)
	}
	for _, other := range list.Results {
		ours := strings.HasPrefix(other.UID, x.name+"_next_") || strings.HasPrefix(other.UID, x.name+"_canary_")
		if ours && x.config.Clock().Sub(other.UpdatedAt) > leftoverAge {
			x.drop(ctx, other.UID)
		}
	}
	return nil
}
