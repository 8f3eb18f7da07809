package web

import (
	"context"
	"sync"
	"time"

	"taihu/catalog/store"
)

// sums are what the first page says of the whole catalogue, at a version of it. With
// 100,000 datasets they take a second to count: so they are counted once for each
// version, by one request for all, and who waits longer than sumsPatience is given
// those of the version before.
type sums struct {
	mu       sync.Mutex
	version  int64
	stats    store.Stats
	known    bool
	counting chan struct{} // closed when the count under way ends; nil: there is none
	failed   error         // of the last count
}

const (
	sumsPatience = 100 * time.Millisecond
	sumsTime     = time.Minute // what one count may take
)

// sums returns the sums of the catalogue, those of the version before where counting
// takes long.
func (s *Site) sums(ctx context.Context) (store.Stats, error) {
	version, err := s.Store.CatalogueVersion(ctx)
	if err != nil {
		return store.Stats{}, err
	}
	k := &s.counted
	k.mu.Lock()
	if k.known && k.version == version {
		defer k.mu.Unlock()
		return k.stats, nil
	}
	if k.counting == nil {
		k.counting = make(chan struct{})
		go s.count(context.WithoutCancel(ctx), version, k.counting)
	}
	counting, known := k.counting, k.known
	k.mu.Unlock()
	var late <-chan time.Time
	if known {
		late = time.After(sumsPatience)
	}
	select {
	case <-counting:
	case <-late:
	case <-ctx.Done():
		return store.Stats{}, ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.known {
		return store.Stats{}, k.failed
	}
	return k.stats, nil
}

func (s *Site) count(ctx context.Context, version int64, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, sumsTime)
	defer cancel()
	stats, err := s.Store.Stats(ctx)
	k := &s.counted
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed = err; err == nil {
		k.version, k.stats, k.known = version, stats, true
	}
	k.counting = nil
	close(done)
}
