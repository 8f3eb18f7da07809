package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTempOfTheDeadIsSwept: what a killed process left goes at the next start,
// what a living one works with stays.
func TestTempOfTheDeadIsSwept(t *testing.T) {
	data := t.TempDir()
	open := func() *tempFolder {
		t.Helper()
		f, err := openTemp(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.path, "table.parquet"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	there := func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}
	living, dead := open(), open()
	if err := dead.lock.Close(); err != nil { // as the system does for a process that dies
		t.Fatal(err)
	}
	made, unlocked, earlier := filepath.Join(data, "tmp", "ingest-1"), filepath.Join(data, "tmp", "run-1"), filepath.Join(data, "tmp", "ingest-2")
	for _, folder := range []string{made, unlocked, earlier} {
		if err := os.Mkdir(folder, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(earlier, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	own := open()
	for path, want := range map[string]bool{living.path: true, own.path: true, dead.path: false, made: true, unlocked: true, earlier: false} {
		if there(path) != want {
			t.Errorf("%s is there: %t, want %t", filepath.Base(path), !want, want)
		}
	}
	for _, f := range []*tempFolder{living, own} {
		if err := f.close(); err != nil || there(f.path) {
			t.Errorf("closed: %v, still there: %t", err, there(f.path))
		}
	}
}
