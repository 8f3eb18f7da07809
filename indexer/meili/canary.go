package meili

import (
	"context"
	"fmt"
	"time"

	"taihu/catalog"
	"taihu/indexer"
)

// Canary implements indexer.Index. It lives in an index of its own, so no search
// can show it: the server must make the index, take a document into it by the same
// queue as all others, find it and delete the index again.
func (x *Index) Canary(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	if err := x.checkVersion(ctx); err != nil {
		return 0, err
	}
	if err := x.removeLeftovers(ctx); err != nil {
		return 0, err
	}
	uid := x.beside("canary")
	took, err := x.sing(ctx, uid, start)
	if deleted := x.delete(context.WithoutCancel(ctx), uid); err == nil {
		err = deleted
	}
	return took, err
}

func (x *Index) sing(ctx context.Context, uid string, start time.Time) (time.Duration, error) {
	if err := x.create(ctx, uid); err != nil {
		return 0, x.failed("make the canary's index", err)
	}
	b := batcher{index: x, uid: uid}
	d := indexer.Document{ID: "00000000-0000-7000-8000-000000000000", Slug: "canary", Title: catalog.Text{Zh: "金丝雀", En: "Canary"}, Version: 1}
	if err := b.add(ctx, &d); err != nil {
		return 0, err
	}
	if err := b.finish(ctx); err != nil {
		return 0, err
	}
	for _, text := range []string{"金丝雀", "canary"} {
		found, err := searcher{x, uid}.Search(ctx, indexer.Query{Text: text})
		if err != nil {
			return 0, err
		}
		if len(found.Hits) != 1 {
			return 0, unavailable("look for the canary", fmt.Errorf("it is not found by %s after its task succeeded", text))
		}
	}
	return time.Since(start), nil
}
