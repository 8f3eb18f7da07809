// Package blobtest holds every blob.Store to the contract of package blob: the
// same bytes under the same hash, all or nothing, whatever the reader does.
//
// It knows the contract only, and nothing of where a store keeps its bytes; what
// is particular to one store is tested beside that store.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"taihu/catalog"
	"taihu/catalog/blob"
)

// Run runs the suite. open returns a fresh, empty store each time.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for name, f := range map[string]func(t *testing.T, s blob.Store){
		"put and read":          putAndRead,
		"put file":              putFile,
		"same bytes at once":    sameBytesAtOnce,
		"failing reader":        failingReader,
		"cancelled":             cancelled,
		"unknown":               unknownBlob,
		"seek and read at":      seekAndReadAt,
		"list and delete":       listAndDelete,
		"check":                 check,
		"local":                 local,
		"reader outlives a put": readerOutlivesPut,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// some returns n bytes that follow from seed.
func some(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func mustPut(t *testing.T, s blob.Store, b []byte) catalog.Blob {
	t.Helper()
	got, err := s.Put(t.Context(), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func read(t *testing.T, s blob.Store, hash string) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if r.Size() != int64(len(b)) {
		t.Errorf("Size is %d, %d bytes were read", r.Size(), len(b))
	}
	return b
}

func all(t *testing.T, s blob.Store) []catalog.Blob {
	t.Helper()
	var list []catalog.Blob
	if err := s.List(t.Context(), func(b catalog.Blob) error { list = append(list, b); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func putAndRead(t *testing.T, s blob.Store) {
	for _, b := range [][]byte{{}, []byte("a"), []byte("站点,水温\n望虞河,18.4\n"), some(1, 1<<20+7)} {
		want := catalog.Blob{SHA256: hashOf(b), Size: int64(len(b))}
		// Short reads, and data together with the end, are what io.Reader allows.
		for _, r := range []io.Reader{bytes.NewReader(b), iotest.HalfReader(bytes.NewReader(b)), iotest.DataErrReader(bytes.NewReader(b))} {
			if got, err := s.Put(t.Context(), r); err != nil || got != want {
				t.Fatalf("Put gives %v, %v, want %v", got, err, want)
			}
		}
		if got := read(t, s, want.SHA256); !bytes.Equal(got, b) {
			t.Fatalf("%d bytes read back, %d put", len(got), len(b))
		}
		if got, err := s.Stat(t.Context(), want.SHA256); err != nil || got != want {
			t.Fatalf("Stat gives %v, %v, want %v", got, err, want)
		}
	}
}

func putFile(t *testing.T, s blob.Store) {
	b := some(2, 300_000)
	path := filepath.Join(t.TempDir(), "upload")
	for range 2 {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.PutFile(t.Context(), path); err != nil || got.SHA256 != hashOf(b) || got.Size != int64(len(b)) {
			t.Fatalf("PutFile gives %v, %v", got, err)
		}
	}
	if !bytes.Equal(read(t, s, hashOf(b)), b) {
		t.Fatal("other bytes read back")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/etc/passwd", link); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutFile(t.Context(), link); err == nil {
		t.Error("PutFile followed a symbolic link")
	}
	if _, err := s.PutFile(t.Context(), path+"-missing"); err == nil {
		t.Error("PutFile of a missing file gives no error")
	}
}

func sameBytesAtOnce(t *testing.T, s blob.Store) {
	b := some(3, 200_000)
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() {
			got, err := s.Put(context.Background(), iotest.HalfReader(bytes.NewReader(b)))
			if err == nil && got.SHA256 != hashOf(b) {
				err = errors.New("another hash")
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, s, hashOf(b)), b) || len(all(t, s)) != 1 {
		t.Fatal("not exactly one blob with the bytes")
	}
}

func failingReader(t *testing.T, s blob.Store) {
	broken := errors.New("cable cut")
	b := some(4, 100_000)
	_, err := s.Put(t.Context(), io.MultiReader(bytes.NewReader(b), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Fatalf("got %v, want the reader's error", err)
	}
	if list := all(t, s); len(list) != 0 {
		t.Fatalf("a broken upload left %v", list)
	}
	if _, err := s.Stat(t.Context(), hashOf(b)); catalog.KindOf(err) != catalog.NotFound {
		t.Fatalf("got %v, want NotFound", err)
	}
}

func cancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(ctx, strings.NewReader("late")); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	if list := all(t, s); len(list) != 0 {
		t.Fatalf("a cancelled upload left %v", list)
	}
}

func unknownBlob(t *testing.T, s blob.Store) {
	mustPut(t, s, []byte("here"))
	for _, name := range []string{hashOf([]byte("nowhere")), "", "ab", "../../etc/passwd", strings.ToUpper(hashOf([]byte("here"))), strings.Repeat("/", 64), hashOf([]byte("here")) + "\x00"} {
		if _, err := s.Open(t.Context(), name); catalog.KindOf(err) != catalog.NotFound {
			t.Errorf("Open(%q): got %v, want NotFound", name, err)
		}
		if _, err := s.Stat(t.Context(), name); catalog.KindOf(err) != catalog.NotFound {
			t.Errorf("Stat(%q): got %v, want NotFound", name, err)
		}
		if _, _, err := s.Local(t.Context(), name); catalog.KindOf(err) != catalog.NotFound {
			t.Errorf("Local(%q): got %v, want NotFound", name, err)
		}
		if err := s.Check(t.Context(), name); catalog.KindOf(err) != catalog.NotFound {
			t.Errorf("Check(%q): got %v, want NotFound", name, err)
		}
		if err := s.Delete(t.Context(), name); err != nil {
			t.Errorf("Delete(%q): got %v, want nil", name, err)
		}
	}
	if len(all(t, s)) != 1 {
		t.Error("a blob that is there was deleted under another name")
	}
}

func seekAndReadAt(t *testing.T, s blob.Store) {
	b := some(5, 70_000)
	r, err := s.Open(t.Context(), mustPut(t, s, b).SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if end, err := r.Seek(0, io.SeekEnd); err != nil || end != int64(len(b)) {
		t.Fatalf("Seek to the end gives %d, %v", end, err)
	}
	if _, err := r.Seek(60_000, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(r); err != nil || !bytes.Equal(rest, b[60_000:]) {
		t.Fatalf("reading on from 60000 gives %d bytes, %v", len(rest), err)
	}
	part := make([]byte, 100)
	if _, err := r.ReadAt(part, 12_345); err != nil || !bytes.Equal(part, b[12_345:12_445]) {
		t.Fatalf("ReadAt gives other bytes, %v", err)
	}
	if n, err := r.ReadAt(part, int64(len(b))-10); n != 10 || !errors.Is(err, io.EOF) {
		t.Fatalf("ReadAt over the end gives %d, %v, want 10, EOF", n, err)
	}
}

func listAndDelete(t *testing.T, s blob.Store) {
	var want []catalog.Blob
	for i := range 40 {
		want = append(want, mustPut(t, s, some(uint64(100+i), i)))
	}
	slices.SortFunc(want, func(a, b catalog.Blob) int { return strings.Compare(a.SHA256, b.SHA256) })
	if got := all(t, s); !slices.Equal(got, want) {
		t.Fatalf("List gives %v, want %v", got, want)
	}
	stop := errors.New("enough")
	if err := s.List(t.Context(), func(catalog.Blob) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("List gives %v, want the callback's error", err)
	}
	for range 2 { // the second one is unknown, which is no error
		if err := s.Delete(t.Context(), want[0].SHA256); err != nil {
			t.Fatal(err)
		}
	}
	if got := all(t, s); !slices.Equal(got, want[1:]) {
		t.Fatalf("List gives %v after a deletion, want %v", got, want[1:])
	}
}

func check(t *testing.T, s blob.Store) {
	b := some(6, 50_000)
	put := mustPut(t, s, b)
	if err := s.Check(t.Context(), put.SHA256); err != nil {
		t.Fatalf("Check of whole bytes: %v", err)
	}
	path, release, err := s.Local(t.Context(), put.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if _, ok := s.(*blob.Directory); !ok {
		return // only there the local file is the blob itself
	}
	flipped := slices.Clone(b)
	flipped[30_000] ^= 4
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, flipped, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context(), put.SHA256); err == nil {
		t.Fatal("Check did not see a flipped bit")
	}
	mustPut(t, s, b)
	if err := s.Check(t.Context(), put.SHA256); err != nil {
		t.Fatalf("putting the bytes again did not mend the blob: %v", err)
	}
}

func local(t *testing.T, s blob.Store) {
	b := some(7, 10_000)
	path, release, err := s.Local(t.Context(), mustPut(t, s, b).SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, b) {
		t.Fatalf("the local file has %d bytes, %v", len(got), err)
	}
}

func readerOutlivesPut(t *testing.T, s blob.Store) {
	b := some(8, 90_000)
	hash := mustPut(t, s, b).SHA256
	r, err := s.Open(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	first := make([]byte, 1000)
	if _, err := io.ReadFull(r, first); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, b)
	rest, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(append(first, rest...), b) {
		t.Fatalf("a reader opened before a second Put got other bytes, %v", err)
	}
}
