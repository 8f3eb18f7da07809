package upload_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
	"taihu/catalog/upload"
)

// place is a receiver in a folder of its own.
type place struct {
	*upload.Receiver
	w      *storetest.World
	folder string
	blobs  *blob.Directory
	draft  string
}

func open(t *testing.T, folder string, most int64) *place {
	t.Helper()
	w := storetest.NewWorld(t, storetest.SQLite(t))
	p := &place{w: w, folder: filepath.Join(folder, "uploads")}
	var err error
	if p.blobs, err = blob.OpenDirectory(filepath.Join(folder, "blobs")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.blobs.Close() })
	if p.Receiver, err = upload.Open(p.folder, w.DB, p.blobs, most, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	r, err := w.DB.CreateDraft(t.Context(), w.Steward, "water-level", store.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	p.draft = r.ID
	return p
}

func (p *place) begin(t *testing.T, size int64) *catalog.Upload {
	t.Helper()
	u, err := p.Create(t.Context(), p.w.Steward, p.draft, catalog.Upload{Name: "a.bin", Size: size})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (p *place) send(id string, at int64, body io.Reader, sum upload.Sum) (*catalog.Upload, error) {
	return p.Append(context.Background(), p.w.Steward, p.draft, id, upload.Piece{Offset: at, Length: -1, Sum: sum, Body: body, Stop: func() {}})
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := catalog.CodeOf(err); got != code || code == "" && err != nil {
		t.Errorf("%q (%v), want %q", got, err, code)
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

// TestWhatCameIsKept: a body that breaks off loses nothing; a piece with a
// checksum is kept whole or not at all; the file is moved, not copied.
func TestWhatCameIsKept(t *testing.T) {
	p := open(t, t.TempDir(), 1<<30)
	content := random(5<<20 + 123)
	u := p.begin(t, int64(len(content)))
	broken := errors.New("reset by peer")
	got, err := p.send(u.ID, 0, io.MultiReader(bytes.NewReader(content[:3<<20+7]), iotest.ErrReader(broken)), upload.Sum{})
	wantCode(t, err, "broken_upload")
	if got.Received != 3<<20+7 {
		t.Fatalf("kept %d bytes", got.Received)
	}
	at := got.Received
	half := content[at : at+1<<20]
	good := sha256.Sum256(half)
	sum := upload.Sum{Algorithm: "sha256", Value: good[:]}
	for name, body := range map[string]io.Reader{"cut": io.MultiReader(bytes.NewReader(half[:99]), iotest.ErrReader(broken)), "short": bytes.NewReader(half[:99]), "changed": bytes.NewReader(content[:1<<20])} {
		got, err := p.send(u.ID, at, body, sum)
		if err == nil || got.Received != at {
			t.Errorf("%s: %v, kept up to %d", name, err, got.Received)
		}
	}
	got, err = p.send(u.ID, at, bytes.NewReader(half), sum)
	wantCode(t, err, "")
	at = got.Received

	// As after a crash between writing and noting: the end of the file does not count.
	path := filepath.Join(p.folder, u.ID)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write(make([]byte, 777))
	f.Close()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err = p.send(u.ID, at, bytes.NewReader(content[at:]), upload.Sum{})
	wantCode(t, err, "")
	want := sha256.Sum256(content)
	b, err := p.blobs.Stat(t.Context(), storetest.Blob(string(content)).SHA256)
	if err != nil || b.Size != int64(len(content)) || got.State != catalog.UploadDone || got.SHA256 != b.SHA256 {
		t.Fatalf("%x: %+v %+v %v", want, b, got, err)
	}
	wantCode(t, p.blobs.Check(t.Context(), b.SHA256), "")
	local, _, _ := p.blobs.Local(t.Context(), b.SHA256)
	after, err := os.Stat(local)
	if err != nil || before.Sys().(*syscall.Stat_t).Ino != after.Sys().(*syscall.Stat_t).Ino || after.Sys().(*syscall.Stat_t).Nlink != 1 {
		t.Errorf("the bytes were copied, or have another name left: %v %v", after, err)
	}

	// The same bytes again, under a blob that is there.
	again := p.begin(t, int64(len(content)))
	_, err = p.send(again.ID, 0, bytes.NewReader(content), upload.Sum{})
	wantCode(t, err, "")
	for _, folder := range []string{p.folder, filepath.Join(filepath.Dir(p.folder), "blobs", "tmp")} {
		if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
			t.Errorf("%s: %v %v", folder, left, err)
		}
	}

	lost := p.begin(t, 100)
	_, err = p.send(lost.ID, 0, bytes.NewReader(content[:50]), upload.Sum{})
	wantCode(t, err, "")
	if err := os.Truncate(filepath.Join(p.folder, lost.ID), 10); err != nil {
		t.Fatal(err)
	}
	_, err = p.send(lost.ID, 50, bytes.NewReader(content[50:100]), upload.Sum{})
	wantCode(t, err, "upload_failed")
	_, err = p.send(p.begin(t, 10).ID, 0, bytes.NewReader(content[:11]), upload.Sum{})
	wantCode(t, err, "too_many_bytes")
}

// TestRefusedBeforeAByte: too large for the portal, and for its disk.
func TestRefusedBeforeAByte(t *testing.T) {
	p := open(t, t.TempDir(), 1<<60)
	_, err := p.Create(t.Context(), p.w.Steward, p.draft, catalog.Upload{Name: "a.bin", Size: 1<<60 + 1})
	wantCode(t, err, "too_large")
	_, err = p.Create(t.Context(), p.w.Steward, p.draft, catalog.Upload{Name: "a.bin", Size: 1 << 59})
	wantCode(t, err, "storage_full")
	if catalog.KindOf(err) != catalog.Full {
		t.Errorf("its kind is %q", catalog.KindOf(err))
	}
	if list, err := p.w.DB.Uploads(t.Context(), p.w.Steward, ""); err != nil || len(list) != 0 {
		t.Errorf("begun: %v %v", list, err)
	}
}

// TestDiskFillsUp in the middle of a piece (R03): 507, what was noted stays, and
// when there is room again it goes on without anybody's help.
func TestDiskFillsUp(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=80m"); err != nil {
		t.Skipf("SKIPPED: no small disk can be mounted here (%v); a full disk was not tried", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
	p := open(t, folder, 1<<30)
	content := random(10 << 20)
	u := p.begin(t, int64(len(content)))
	hog := filepath.Join(folder, "hog")
	if err := os.WriteFile(hog, make([]byte, 75<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := p.send(u.ID, 0, bytes.NewReader(content), upload.Sum{})
	wantCode(t, err, "storage_full")
	if got.Received != 2*upload.Step {
		t.Errorf("kept %d bytes", got.Received)
	}
	if err := os.Remove(hog); err != nil {
		t.Fatal(err)
	}
	got, err = p.send(u.ID, got.Received, bytes.NewReader(content[got.Received:]), upload.Sum{})
	wantCode(t, err, "")
	if got.SHA256 != storetest.Blob(string(content)).SHA256 {
		t.Errorf("the file: %+v", got)
	}
}

// TestSweep removes what belongs to nobody, and nothing else.
func TestSweep(t *testing.T) {
	p := open(t, t.TempDir(), 1<<30)
	live := p.begin(t, 100)
	_, err := p.send(live.ID, 0, bytes.NewReader(make([]byte, 50)), upload.Sum{})
	wantCode(t, err, "")
	for _, name := range []string{catalog.NewID(), catalog.NewID() + ".whole", live.ID + ".whole", "README"} {
		if err := os.WriteFile(filepath.Join(p.folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, p.Sweep(t.Context()), "")
	entries, err := os.ReadDir(p.folder)
	if err != nil || len(entries) != 3 { // the live one with its link, and what is not ours
		t.Errorf("left: %v %v", entries, err)
	}
	got, err := p.send(live.ID, 50, bytes.NewReader(make([]byte, 50)), upload.Sum{})
	wantCode(t, err, "")
	if got.State != catalog.UploadDone {
		t.Errorf("the live one: %+v", got)
	}
	if _, err := p.w.DB.Abandon(t.Context(), p.w.Steward, p.draft, 0); err != nil {
		t.Fatal(err)
	}
}

// TestDeleteStopsItsSender, who is told so.
func TestDeleteStopsItsSender(t *testing.T) {
	p := open(t, t.TempDir(), 1<<30)
	u := p.begin(t, 100)
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := p.Append(context.Background(), p.w.Steward, p.draft, u.ID, upload.Piece{Length: -1, Body: r, Stop: func() { _ = w.CloseWithError(os.ErrDeadlineExceeded) }})
		ended <- err
	}()
	if _, err := w.Write(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, p.Delete(t.Context(), p.w.Steward, p.draft, u.ID), "")
	select {
	case err := <-ended:
		wantCode(t, err, "upload_taken_over")
	case <-time.After(10 * time.Second):
		t.Fatal("the sender was not stopped")
	}
	_, err := p.Status(t.Context(), p.w.Steward, p.draft, u.ID)
	wantCode(t, err, "unknown_upload")
	if left, err := os.ReadDir(p.folder); err != nil || len(left) != 0 {
		t.Errorf("left: %v %v", left, err)
	}
}
