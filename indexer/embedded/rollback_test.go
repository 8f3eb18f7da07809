package embedded

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"taihu/catalog"
	"taihu/indexer"
	"taihu/indexer/indextest"
)

func all(docs []indexer.Document) func(func(indexer.Document, error) bool) {
	return func(yield func(indexer.Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func total(t *testing.T, x *Index) int {
	t.Helper()
	r, err := x.Search(t.Context(), indexer.Query{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Total
}

// TestRollbackAfterARestart: the old index is a file of its own, and what was put
// after either rebuild is in it.
func TestRollbackAfterARestart(t *testing.T) {
	folder := t.TempDir()
	docs := indextest.Documents()
	x := open(t, folder)
	for _, change := range []func() error{
		func() error { return x.Rebuild(t.Context(), all(docs[:2]), nil) },
		func() error { return x.Put(t.Context(), docs[2]) },
		func() error { return x.Rebuild(t.Context(), all(docs[5:9]), nil) },
		func() error { return x.Put(t.Context(), docs[9]) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{3, 5, 3} {
		x.Close()
		x = open(t, folder)
		if err := x.Rollback(t.Context()); err != nil || total(t, x) != want || x.Damage() != "" {
			t.Fatalf("%d documents, want %d; %v; damage %q", total(t, x), want, err, x.Damage())
		}
	}
}

// TestNoRollbackToNothing: the empty index of a new portal is none to go back to.
func TestNoRollbackToNothing(t *testing.T) {
	x := open(t, t.TempDir())
	if err := x.Rebuild(t.Context(), all(indextest.Documents()[:2]), nil); err != nil {
		t.Fatal(err)
	}
	if err := x.Rollback(t.Context()); catalog.CodeOf(err) != "no_rollback" || total(t, x) != 2 {
		t.Errorf("rollback: %v, %d documents", err, total(t, x))
	}
}

// TestKilledBetweenRenames opens a folder as it is left at every step of Rollback
// and of a rebuild.
func TestKilledBetweenRenames(t *testing.T) {
	docs := indextest.Documents()
	for name, test := range map[string]struct {
		files map[string]int // name → documents in it
		want  int
		back  int // documents after Rollback; 0: there is none
	}{
		"nothing moved":         {map[string]int{logName: 1, oldName: 2}, 1, 2},
		"rollback, first step":  {map[string]int{swapName: 1, oldName: 2}, 1, 2},
		"rollback, second step": {map[string]int{swapName: 1, logName: 2}, 2, 1},
		"rebuild, first step":   {map[string]int{oldName: 1, nextName: 2}, 1, 0},
		"building":              {map[string]int{logName: 1, nextName: 2}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for file, n := range test.files {
				made := t.TempDir()
				x := open(t, made)
				if err := x.Put(t.Context(), docs[:n]...); err != nil {
					t.Fatal(err)
				}
				x.Close()
				if err := os.Rename(filepath.Join(made, logName), filepath.Join(folder, file)); err != nil {
					t.Fatal(err)
				}
			}
			x := open(t, folder)
			if got := total(t, x); got != test.want || x.Damage() != "" {
				t.Errorf("%d documents, want %d; damage %q", got, test.want, x.Damage())
			}
			err := x.Rollback(t.Context())
			if test.back == 0 {
				if catalog.CodeOf(err) != "no_rollback" || total(t, x) != test.want {
					t.Errorf("rollback: %v", err)
				}
			} else if err != nil || total(t, x) != test.back {
				t.Errorf("rollback: %v, %d documents, want %d", err, total(t, x), test.back)
			}
		})
	}
}

// TestOlderForm: a log of an older form is noticed, not read, and no index to go
// back to.
func TestOlderForm(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{logName, oldName} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("taihu search log 1\n\x05\x00\x00\x00abcdefghi"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x := open(t, folder)
	if x.Damage() == "" || total(t, x) != 0 {
		t.Errorf("damage %q, %d documents", x.Damage(), total(t, x))
	}
	if err := x.Rollback(t.Context()); catalog.CodeOf(err) != "no_rollback" {
		t.Errorf("rollback: %v", err)
	}
}

// TestCompactionKeepsTheOldIndex: writing the log anew is no rebuild.
func TestCompactionKeepsTheOldIndex(t *testing.T) {
	x := open(t, t.TempDir())
	docs := indextest.Documents()
	if err := x.Rebuild(t.Context(), all(docs[:2]), nil); err != nil {
		t.Fatal(err)
	}
	if err := x.Rebuild(t.Context(), all(docs[:3]), nil); err != nil {
		t.Fatal(err)
	}
	none := func(*generation) error { return nil }
	if err := x.rebuild(t.Context(), x.documents(t.Context()), none, false); err != nil {
		t.Fatal(err)
	}
	if err := x.Rollback(t.Context()); err != nil || total(t, x) != 2 {
		t.Errorf("%d documents, want 2; %v", total(t, x), err)
	}
}

// TestCanaryLeavesNothing looks at the log and at a process killed in between.
func TestCanaryLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	x := open(t, folder)
	docs := indextest.Documents()[:3]
	if err := x.Put(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	size := x.current.log.size
	if _, err := x.Canary(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(folder, logName)); err != nil || info.Size() != size || x.current.log.size != size {
		t.Errorf("the log has %d bytes, before %d; %v", info.Size(), size, err)
	}
	d := docs[0]
	d.ID = "canary"
	killed := []entry{{prepared: &prepared{doc: &d}, op: opCanary}}
	if _, err := prepare(killed); err != nil {
		t.Fatal(err)
	}
	if err := x.current.log.append(killed, true); err != nil {
		t.Fatal(err)
	}
	x.Close()
	x = open(t, folder)
	if total(t, x) != 3 || x.Damage() != "" || len(versionsOf(t, x)) != 3 {
		t.Errorf("%d documents after a canary that was killed; damage %q", total(t, x), x.Damage())
	}
	if err := x.Put(t.Context(), indextest.Documents()[3]); err != nil || total(t, x) != 4 {
		t.Errorf("cannot go on: %v", err)
	}

	x.current.log.file.Close() // a disk that fails
	if _, err := x.Canary(t.Context()); catalog.KindOf(err) != catalog.Unavailable {
		t.Errorf("canary without a disk: %v", err)
	}
}

// TestRollbackAtOnce goes back and forth between two indexes while others search,
// suggest, change synonyms and send canaries: each sees one of the two, whole.
func TestRollbackAtOnce(t *testing.T) {
	x := open(t, t.TempDir())
	docs := indextest.Documents()
	for _, some := range [][]indexer.Document{docs[:5], docs[:9]} {
		if err := x.Rebuild(t.Context(), all(some), nil); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	var others sync.WaitGroup
	again := func(f func() error) {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	again(func() error {
		if n := total(t, x); n != 5 && n != 9 {
			t.Errorf("%d documents", n)
		}
		return nil
	})
	again(func() error { _, err := x.Suggest(t.Context(), "数", "zh", 5); return err })
	again(func() error { return x.SetSynonyms(t.Context(), indexer.Synonyms{{"数", "水"}}) })
	again(func() error { _, err := x.Canary(t.Context()); return err })
	for range 20 {
		if err := x.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	others.Wait()
	if n := total(t, x); n != 9 {
		t.Errorf("%d documents after going back and forth", n)
	}
}
