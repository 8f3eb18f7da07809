package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Every process that runs children keeps what they write in a folder of its own
// under <data>/tmp, locked while it lives: the system drops the lock with the
// process, so the next start knows what a killed one left behind. An upload that
// was being checked leaves gigabytes.
const (
	runFolder = "run-"
	runLock   = "lock"
	// oldTemp is when an entry without a lock, such as an earlier version's, goes.
	oldTemp = 24 * time.Hour
)

// tempFolder is a process's own folder for its children. It lies beside the
// blobs, so that what they write can be moved there.
type tempFolder struct {
	path string
	lock *os.File
}

// openTemp makes the folder, and removes those of processes that died.
func openTemp(data string) (*tempFolder, error) {
	all := filepath.Join(data, "tmp")
	if err := os.MkdirAll(all, 0o750); err != nil {
		return nil, fmt.Errorf("temp folder: %w", err)
	}
	if err := sweepTemp(all, time.Now().Add(-oldTemp)); err != nil {
		return nil, fmt.Errorf("temp folder: %w", err)
	}
	path, err := os.MkdirTemp(all, runFolder)
	if err != nil {
		return nil, fmt.Errorf("temp folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, runLock), os.O_RDWR|os.O_CREATE, 0o640)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock temp folder: %w", err), lock.Close(), os.RemoveAll(path))
	}
	return &tempFolder{path: path, lock: lock}, nil
}

// sweepTemp removes the folders of processes that are gone, and whatever else
// was last changed before then. What cannot be removed waits for the next start.
func sweepTemp(all string, before time.Time) error {
	entries, err := os.ReadDir(all)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(all, e.Name())
		info, err := e.Info()
		if err != nil {
			continue // gone meanwhile
		}
		if info.ModTime().Before(before) && !strings.HasPrefix(e.Name(), runFolder) || strings.HasPrefix(e.Name(), runFolder) && abandoned(path, info) {
			_ = os.RemoveAll(path)
		}
	}
	return nil
}

// abandoned reports whether the process that made a folder is gone: nobody holds
// its lock. One that has no lock yet is being made, or was never finished.
func abandoned(path string, info fs.FileInfo) bool {
	f, err := os.OpenFile(filepath.Join(path, runLock), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return info.ModTime().Before(time.Now().Add(-oldTemp))
	}
	defer func() { _ = f.Close() }()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// close removes the folder.
func (f *tempFolder) close() error { return errors.Join(os.RemoveAll(f.path), f.lock.Close()) }
