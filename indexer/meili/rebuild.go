package meili

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/meilisearch/meilisearch-go"

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

// leftoverAge is how old an index of a rebuild is before it counts as forgotten
// by a process that died.
const leftoverAge = 24 * time.Hour

// Rebuild implements indexer.Index: documents go into an index of their own name,
// which is swapped with the present one and then deleted. Puts of this process
// wait; what other processes change meanwhile is repaired by the drift check that
// indexer.Rebuild ends with.
func (x *Index) Rebuild(ctx context.Context, docs iter.Seq2[indexer.Document, error], accept func(context.Context, indexer.Searcher) error) error {
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	if err := x.removeLeftovers(ctx); err != nil {
		return err
	}
	next := fmt.Sprintf("%s_next_%d", x.name, x.config.Clock().UnixMicro())
	if err := x.create(ctx, next); err != nil {
		return x.failed("make the new index", err)
	}
	if err := x.fill(ctx, next, docs); err != nil {
		x.drop(context.WithoutCancel(ctx), next) // else it is a leftover
		return err
	}
	// Swapping needs both to exist.
	if err := x.ensure(ctx); err != nil {
		return err
	}
	if err := x.swap(ctx, next); err != nil {
		return err
	}
	x.drop(ctx, next)
	return nil
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

func (x *Index) swap(ctx context.Context, next string) error {
	task, err := x.server.SwapIndexesWithContext(ctx, []*meilisearch.SwapIndexesParams{{Indexes: []string{x.name, next}}})
	if err == nil {
		err = x.await(ctx, task)
	}
	if err != nil {
		return x.failed("swap indexes", err)
	}
	return nil
}

// drop deletes an index of a rebuild. Where that fails a later rebuild does it.
func (x *Index) drop(ctx context.Context, uid string) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if task, err := x.server.DeleteIndexWithContext(ctx, uid); err == nil {
		_ = x.await(ctx, task)
	}
}

func (x *Index) removeLeftovers(ctx context.Context) error {
	list, err := x.server.ListIndexesWithContext(ctx, &meilisearch.IndexesQuery{Limit: 1000})
	if err != nil {
		return x.failed("list indexes", err)
	}
	for _, other := range list.Results {
		if strings.HasPrefix(other.UID, x.name+"_next_") && x.config.Clock().Sub(other.UpdatedAt) > leftoverAge {
			x.drop(ctx, other.UID)
		}
	}
	return nil
}
