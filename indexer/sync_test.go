package indexer

import (
	"context"
	"errors"
	"iter"
	"maps"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"taihu/catalog"
)

// simple is the plainest Index: a map. versioned takes the look at versions away,
// as if two processes of an engine without it raced.
type simple struct {
	Index
	mu        sync.Mutex
	docs      map[string]Document
	versioned bool
	rebuilt   int
	fail      error
}

func (x *simple) Put(_ context.Context, docs ...Document) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, d := range docs {
		if old, there := x.docs[d.ID]; !there || !x.versioned || old.Version <= d.Version {
			x.docs[d.ID] = d
		}
	}
	return x.fail
}

func (x *simple) Delete(_ context.Context, ids ...string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range ids {
		delete(x.docs, id)
	}
	return x.fail
}

func (x *simple) Stamps(context.Context) (map[string]Stamp, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	stamps := map[string]Stamp{}
	for id, d := range x.docs {
		stamps[id] = Stamp{d.Version, d.Digest()}
	}
	return stamps, x.fail
}

// changing is a Source that others change.
type changing struct {
	mu   sync.Mutex
	docs map[string]Document
	next int64
}

func (s *changing) Document(_ context.Context, id string) (Document, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.docs[id]
	return d, ok, nil
}

func (s *changing) Documents(context.Context) iter.Seq2[Document, error] {
	s.mu.Lock()
	docs := maps.Clone(s.docs)
	s.mu.Unlock()
	return func(yield func(Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// change publishes a new version or withdraws.
func (s *changing) change(id string, withdraw bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	if withdraw {
		delete(s.docs, id)
	} else {
		s.docs[id] = Document{ID: id, Version: s.next}
	}
}

// TestSyncRaces lets several workers publish, withdraw and sync the same few
// datasets: afterwards the index is what the source is, with and without an
// engine that compares versions.
func TestSyncRaces(t *testing.T) {
	for _, versioned := range []bool{true, false} {
		for seed := range uint64(20) {
			idx := &simple{docs: map[string]Document{}, versioned: versioned}
			src := &changing{docs: map[string]Document{}}
			var group sync.WaitGroup
			for worker := range uint64(4) {
				group.Go(func() {
					random := rand.New(rand.NewPCG(seed, worker))
					for range 200 {
						id := string(rune('a' + random.IntN(3)))
						src.change(id, random.IntN(3) == 0)
						for Sync(context.Background(), idx, src, id) != nil { // a job is tried again
						}
					}
				})
			}
			group.Wait()
			want := map[string]Stamp{}
			for id, d := range src.docs {
				want[id] = Stamp{d.Version, d.Digest()}
			}
			if got, _ := idx.Stamps(context.Background()); !maps.Equal(got, want) {
				t.Fatalf("seed %d, versioned %v: index %v, source %v", seed, versioned, got, want)
			}
		}
	}
}

func TestSyncAndDriftPassErrorsOn(t *testing.T) {
	down := catalog.Errorf(catalog.Unavailable, "search_unavailable", "down")
	idx := &simple{docs: map[string]Document{}, fail: down}
	src := &changing{docs: map[string]Document{"a": {ID: "a", Version: 1}}}
	if err := Sync(context.Background(), idx, src, "a"); !errors.Is(err, down) {
		t.Errorf("sync: %v", err)
	}
	if _, err := Drift(context.Background(), idx, src); !errors.Is(err, down) {
		t.Errorf("drift: %v", err)
	}
}

// Rebuild counts how often it is called.
func (x *simple) Rebuild(_ context.Context, docs iter.Seq2[Document, error], _ func(context.Context, Searcher) error) error {
	fresh := map[string]Document{}
	for d, err := range docs {
		if err != nil {
			return err
		}
		fresh[d.ID] = d
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.docs = fresh
	x.rebuilt++
	return nil
}

func TestDriftRebuildsWhereMuchDiffers(t *testing.T) {
	for _, test := range []struct{ documents, missing, rebuilt int }{
		{rebuildAbove, rebuildAbove, 0}, {rebuildAbove + 1, rebuildAbove + 1, 1}, {2000, 200, 0}, {2000, 201, 1},
	} {
		idx := &simple{docs: map[string]Document{}, versioned: true}
		src := &changing{docs: map[string]Document{}}
		for i := range test.documents {
			d := Document{ID: strconv.Itoa(i), Version: 1}
			src.docs[d.ID] = d
			if i >= test.missing {
				idx.docs[d.ID] = d
			}
		}
		report, err := Drift(context.Background(), idx, src)
		want := Report{Checked: test.documents, Missing: test.missing, Rebuilt: test.rebuilt > 0}
		if err != nil || report != want || idx.rebuilt != test.rebuilt || len(idx.docs) != test.documents {
			t.Errorf("%+v: got %+v, %d rebuilds, %d documents, %v", test, report, idx.rebuilt, len(idx.docs), err)
		}
	}
}
