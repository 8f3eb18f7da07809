package blob_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taihu/catalog/blob"
	"taihu/catalog/blob/blobtest"
)

func openDirectory(t *testing.T, folder string) *blob.Directory {
	t.Helper()
	d, err := blob.OpenDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestDirectory(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return openDirectory(t, filepath.Join(t.TempDir(), "a", "blobs")) })
}

func TestDirectorySweepsOldLeftoversOnly(t *testing.T) {
	folder := t.TempDir()
	openDirectory(t, folder)
	old, fresh := filepath.Join(folder, "tmp", "old"), filepath.Join(folder, "tmp", "fresh")
	for _, p := range []string{old, fresh} {
		if err := os.WriteFile(p, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hoursAgo := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(old, hoursAgo, hoursAgo); err != nil {
		t.Fatal(err)
	}
	openDirectory(t, folder)
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old leftover is still there (%v)", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("the fresh temp file is gone: %v", err)
	}
}

// A slow upload may be hours old; as long as its writer lives it stays.
func TestDirectoryLeavesWhatIsBeingWritten(t *testing.T) {
	folder := t.TempDir()
	d := openDirectory(t, folder)
	r, w := io.Pipe()
	put := make(chan error, 1)
	go func() {
		_, err := d.Put(t.Context(), r)
		put <- err
	}()
	if _, err := w.Write([]byte("the first half, ")); err != nil {
		t.Fatal(err)
	}
	hoursAgo := time.Now().Add(-2 * time.Hour)
	entries, err := os.ReadDir(filepath.Join(folder, "tmp"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("tmp holds %v, %v", entries, err)
	}
	if err := os.Chtimes(filepath.Join(folder, "tmp", entries[0].Name()), hoursAgo, hoursAgo); err != nil {
		t.Fatal(err)
	}
	openDirectory(t, folder)
	if _, err := w.Write([]byte("and the second")); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	if err := <-put; err != nil {
		t.Errorf("the write whose temp file was old failed: %v", err)
	}
}

func TestDirectoryLeavesNoTempFile(t *testing.T) {
	folder := t.TempDir()
	d := openDirectory(t, folder)
	if _, err := d.Put(t.Context(), strings.NewReader("whole")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(folder, "tmp"))
	if err != nil || len(entries) != 0 {
		t.Fatalf("tmp holds %v, %v", entries, err)
	}
}

func TestDirectoryDoesNotFollowSymlinks(t *testing.T) {
	folder := t.TempDir()
	d := openDirectory(t, folder)
	hash := strings.Repeat("ab", 32)
	if err := os.Symlink("/etc/passwd", filepath.Join(folder, "sha256", "ab", hash)); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Open(t.Context(), hash); err == nil {
		_ = r.Close()
		t.Error("Open followed a symbolic link out of the store")
	}
	if _, _, err := d.Local(t.Context(), hash); err == nil {
		t.Error("Local gave a symbolic link out of the store")
	}
}
