package embedded

import (
	"fmt"
	"sync"
	"testing"

	"taihu/indexer"
	"taihu/indexer/indextest"
)

// TestAtOnce searches, puts, deletes and rebuilds at the same time. Every search
// sees whole documents; afterwards what was acknowledged is there.
func TestAtOnce(t *testing.T) {
	folder := t.TempDir()
	x := open(t, folder)
	docs := indextest.Documents()
	if err := x.Put(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				r, err := x.Search(t.Context(), indexer.Query{Text: "数", Facets: true, Limit: 5})
				if err != nil || r.Total == 0 {
					t.Errorf("search: %d, %v", r.Total, err)
					return
				}
			}
		})
	}
	for writer := range 3 {
		writers.Go(func() {
			for i := range 60 {
				d := docs[writer]
				d.ID, d.Version = fmt.Sprintf("new-%d-%d", writer, i%10), int64(i)
				if err := x.Put(t.Context(), d); err != nil {
					t.Error(err)
				}
				if i%7 == 0 {
					if err := x.Delete(t.Context(), d.ID); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	writers.Go(func() {
		for range 20 {
			if _, err := x.Canary(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	writers.Go(func() {
		for range 5 {
			// of its own documents: none is lost while puts wait
			if err := x.Rebuild(t.Context(), x.documents(t.Context()), nil); err != nil {
				t.Error(err)
			}
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
	want := versionsOf(t, x)
	if len(want) < len(docs)+20 {
		t.Errorf("%d documents are left", len(want))
	}
	x.Close()
	if got := versionsOf(t, open(t, folder)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("after opening again: %v, want %v", got, want)
	}
}
