package embedded

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/indexer"
	"taihu/indexer/indextest"
)

func open(t *testing.T, folder string) *Index {
	t.Helper()
	x, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func versionsOf(t *testing.T, x *Index) map[string]int64 {
	t.Helper()
	stamps, err := x.Stamps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]int64{}
	for id, s := range stamps {
		versions[id] = s.Version
	}
	return versions
}

func TestReopen(t *testing.T) {
	folder := t.TempDir()
	x := open(t, folder)
	if x.Damage() == "" {
		t.Error("a new folder does not say that it is new")
	}
	docs := indextest.Documents()
	if err := x.Put(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	if err := x.Delete(t.Context(), docs[1].ID); err != nil {
		t.Fatal(err)
	}
	before, err := x.Search(t.Context(), indexer.Query{Text: "数据", Facets: true, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder); err == nil {
		t.Error("a second one opened the same folder")
	}
	x.Close()
	if _, err := x.Search(t.Context(), indexer.Query{}); catalog.KindOf(err) != catalog.Unavailable {
		t.Errorf("search when closed: %v", err)
	}
	if err := x.Put(t.Context(), docs[0]); catalog.KindOf(err) != catalog.Unavailable {
		t.Errorf("put when closed: %v", err)
	}

	y := open(t, folder)
	if y.Damage() != "" {
		t.Errorf("damage: %s", y.Damage())
	}
	after, err := y.Search(t.Context(), indexer.Query{Text: "数据", Facets: true, Limit: 100})
	if err != nil || len(after.Hits) != len(before.Hits) || after.Total != before.Total || len(versionsOf(t, y)) != len(docs)-1 {
		t.Errorf("after opening again: %d hits, want %d; %v", after.Total, before.Total, err)
	}
	stamps, err := y.Stamps(t.Context())
	if want := (indexer.Stamp{Version: 1, Digest: docs[0].Digest()}); err != nil || stamps[docs[0].ID] != want {
		t.Errorf("stamp after opening again: %v, want %v; %v", stamps[docs[0].ID], want, err)
	}
}

// TestCutAnywhere cuts a log at every length near the edge of a record and at
// every 29th else: what was whole before the cut is there, what was cut is not,
// and the index goes on from there.
func TestCutAnywhere(t *testing.T) {
	folder := t.TempDir()
	x := open(t, folder)
	docs := indextest.Documents()[:3]
	var ends []int64 // of each acknowledged change
	for _, d := range docs {
		if err := x.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, x.current.log.size)
	}
	x.Close()
	whole, err := os.ReadFile(filepath.Join(folder, logName))
	if err != nil {
		t.Fatal(err)
	}
	edges := append([]int64{0, int64(len(logHeader))}, ends...)
	for size := range len(whole) {
		near := slices.ContainsFunc(edges, func(e int64) bool { return e-12 < int64(size) && int64(size) < e+12 })
		if !near && size%29 != 0 {
			continue
		}
		cut := t.TempDir()
		if err := os.WriteFile(filepath.Join(cut, logName), whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		checkCut(t, cut, size, ends, docs)
	}
}

func checkCut(t *testing.T, folder string, size int, ends []int64, docs []indexer.Document) {
	t.Helper()
	x, err := Open(folder)
	if err != nil {
		t.Fatalf("cut at %d: %v", size, err)
	}
	defer x.Close()
	want, clean := 0, size == len(logHeader) || size == 0
	for _, end := range ends {
		if int64(size) >= end {
			want++
		}
		clean = clean || int64(size) == end
	}
	if got := len(versionsOf(t, x)); got != want {
		t.Fatalf("cut at %d: %d documents, want %d", size, got, want)
	}
	if (x.Damage() == "") != clean {
		t.Fatalf("cut at %d: damage %q", size, x.Damage())
	}
	if size%87 == 0 { // going on costs an fsync each
		if err := x.Put(t.Context(), docs...); err != nil || len(versionsOf(t, x)) != len(docs) {
			t.Fatalf("cut at %d: cannot go on: %v", size, err)
		}
		x.Close()
		again := open(t, folder)
		if len(versionsOf(t, again)) != len(docs) || again.Damage() != "" {
			t.Fatalf("cut at %d: not there after another start", size)
		}
		again.Close()
	}
}

func TestDamage(t *testing.T) {
	for name, test := range map[string]struct {
		change func(b []byte) []byte
		left   int
	}{
		"flipped bit in the last record":  {func(b []byte) []byte { b[len(b)-5] ^= 1; return b }, 2},
		"flipped bit in the first record": {func(b []byte) []byte { b[len(logHeader)+20] ^= 1; return b }, 0},
		"another form":                    {func(b []byte) []byte { b[0] = 'T'; return b }, 0},
		"garbage":                         {func([]byte) []byte { return []byte(strings.Repeat("\xff", 1000)) }, 0},
		"garbage behind":                  {func(b []byte) []byte { return append(b, strings.Repeat("\x00", 100)...) }, 3},
		"a huge length":                   {func(b []byte) []byte { return append(b, "\xff\xff\xff\xff1234"...) }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			x := open(t, folder)
			docs := indextest.Documents()[:3]
			for _, d := range docs {
				if err := x.Put(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
			x.Close()
			file := filepath.Join(folder, logName)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, test.change(b), 0o600); err != nil {
				t.Fatal(err)
			}
			y := open(t, folder)
			if got := len(versionsOf(t, y)); got != test.left || y.Damage() == "" {
				t.Errorf("%d documents, want %d; damage %q", got, test.left, y.Damage())
			}
			all := func(yield func(indexer.Document, error) bool) {
				for _, d := range docs {
					if !yield(d, nil) {
						return
					}
				}
			}
			if err := y.Rebuild(t.Context(), all, nil); err != nil || y.Damage() != "" || len(versionsOf(t, y)) != 3 {
				t.Errorf("rebuild: %v, damage %q", err, y.Damage())
			}
		})
	}
}

// TestFailedWrite breaks the log's file under the index: the change is refused,
// nothing of it is found, and searching goes on from what is in memory.
func TestFailedWrite(t *testing.T) {
	x := open(t, t.TempDir())
	docs := indextest.Documents()
	if err := x.Put(t.Context(), docs[0]); err != nil {
		t.Fatal(err)
	}
	readOnly, err := os.Open(filepath.Join(x.folder, logName))
	if err != nil {
		t.Fatal(err)
	}
	x.current.log.file.Close()
	x.current.log.file = readOnly
	if err := x.Put(t.Context(), docs[1]); catalog.CodeOf(err) != "search_unavailable" {
		t.Errorf("put: %v", err)
	}
	if r, err := x.Search(t.Context(), indexer.Query{}); err != nil || r.Total != 1 {
		t.Errorf("search: %d, %v", r.Total, err)
	}
}

func TestCompact(t *testing.T) {
	x := open(t, t.TempDir())
	d := indextest.Documents()[0]
	d.Description.Zh = strings.Repeat("太湖水质监测", 50000) // 900 kB
	for version := range int64(60) {
		d.Version = version
		if err := x.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if size := x.current.log.size; size > 3*compactAbove/2 {
		t.Errorf("the log has %d bytes for one document of %d", size, x.current.terms.liveBytes)
	}
	if n := len(x.current.terms.docs); n > 30 {
		t.Errorf("%d documents in memory, one of them alive", n)
	}
	if r, err := x.Search(t.Context(), indexer.Query{Text: "太湖"}); err != nil || r.Total != 1 || versionsOf(t, x)[d.ID] != 59 {
		t.Errorf("after compaction: %d, %v", r.Total, err)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	x := open(t, t.TempDir())
	inside, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- x.Rebuild(context.Background(), func(func(indexer.Document, error) bool) { close(inside); <-leave }, nil)
	}()
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Put(ctx, indextest.Documents()...); !errors.Is(err, context.Canceled) {
		t.Errorf("put during a rebuild: %v", err)
	}
	if _, err := x.Search(ctx, indexer.Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("search: %v", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestReadInTheBackground: an index that is being read answers Unavailable, never
// with less than it holds, and one that is closed meanwhile leaves its log whole.
func TestReadInTheBackground(t *testing.T) {
	folder := t.TempDir()
	x := open(t, folder)
	const documents = 4000
	if err := x.Rebuild(t.Context(), indextest.Generate(documents, 1), nil); err != nil {
		t.Fatal(err)
	}
	x.Close()
	begin := func() *Index {
		x, err := Begin(folder)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	begin().Close()
	x = begin()
	defer x.Close()
	early := 0
	for there := false; !there; {
		there = x.Loaded(cancelled()) == nil
		r, err := x.Search(t.Context(), indexer.Query{})
		switch {
		case err == nil && r.Total != documents:
			t.Fatalf("%d documents are found of %d", r.Total, documents)
		case err == nil:
		case there || catalog.KindOf(err) != catalog.Unavailable:
			t.Fatalf("search: %v", err)
		default:
			early++
			for what, err := range map[string]error{"ping": x.Ping(t.Context()), "delete": x.Delete(t.Context(), "other")} {
				if err != nil && catalog.KindOf(err) != catalog.Unavailable {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
	}
	t.Logf("asked %d times before it was there", early)
	if err := x.Put(t.Context(), indextest.Documents()[0]); err != nil {
		t.Error(err)
	}
}

// cancelled is a context that has ended.
func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
