package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"taihu/catalog"
	"taihu/catalog/failpoint"
)

// Directory is a Store in a folder of a local disk:
//
//	sha256/ab/ab12…   the blobs, read-only, by the first two digits of their hash
//	tmp/              what is being written; each file locked by its writer
//
// Bytes are written to tmp, synced, renamed to their hash, and the folder is
// synced; so a name that exists holds all its bytes, whatever was killed when.
type Directory struct {
	folder string
	root   *os.Root // refuses to leave the folder, by .. or symbolic link
}

const (
	hashFolder = "sha256"
	tempFolder = "tmp"
	// tempLife is how old an unlocked file in tmp must be to be taken for a
	// leftover: longer than the moments between making, locking and renaming it.
	tempLife = time.Minute
)

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// OpenDirectory opens the store in folder, which it makes where missing, and
// sweeps leftovers of writes that were cut short.
func OpenDirectory(folder string) (*Directory, error) {
	d, err := openDirectory(folder)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	return d, nil
}

func openDirectory(folder string) (*Directory, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	d := &Directory{folder: folder, root: root}
	if err := d.prepare(); err != nil {
		_ = root.Close()
		return nil, err
	}
	return d, nil
}

// prepare makes all folders once, so that no write has to sync a new parent.
func (d *Directory) prepare() error {
	folders := []string{tempFolder, hashFolder}
	for i := range 256 {
		folders = append(folders, filepath.Join(hashFolder, fmt.Sprintf("%02x", i)))
	}
	for _, f := range folders {
		if err := d.root.Mkdir(f, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	for _, f := range []string{hashFolder, "."} {
		if err := d.syncFolder(f); err != nil {
			return err
		}
	}
	if err := SyncPath(filepath.Dir(d.folder)); err != nil {
		return err
	}
	return d.sweep(time.Now().Add(-tempLife))
}

// sweep removes files in tmp last written before then whose writer is gone: the
// system drops a lock with the process that held it.
func (d *Directory) sweep(before time.Time) error {
	entries, err := fs.ReadDir(d.root.FS(), tempFolder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if info.ModTime().Before(before) && d.abandoned(filepath.Join(tempFolder, e.Name())) {
			if err := d.root.Remove(filepath.Join(tempFolder, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// abandoned reports whether nobody holds the lock of a temp file.
func (d *Directory) abandoned(name string) bool {
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return errors.Is(err, syscall.ELOOP) // a link is not ours: nobody writes it
	}
	defer func() { _ = f.Close() }()
	return lock(f) == nil
}

// lock marks an open temp file as being written.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

func (d *Directory) syncFolder(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// SyncPath makes a file, or the names in a folder, durable.
func SyncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close lets go of the folder.
func (d *Directory) Close() error { return d.root.Close() }

func relative(sha256 string) string { return filepath.Join(hashFolder, sha256[:2], sha256) }

// storing names an error of writing; a full disk is something to wait for.
func storing(err error) error {
	if err == nil || catalog.KindOf(err) != "" {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return catalog.Errorf(catalog.Full, "storage_full", "the portal's disk is full: its operator has to make room").
			InChinese("存储空间已满，请联系管理员").Because(err)
	}
	return fmt.Errorf("store blob: %w", err)
}

func unknown(sha256 string) error {
	return catalog.Errorf(catalog.NotFound, "unknown_blob", "there are no bytes with the hash %.64s", sha256)
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// measure hashes what r gives while writing it to w, until r or ctx ends.
func measure(ctx context.Context, w io.Writer, r io.Reader) (catalog.Blob, error) {
	h := sha256.New()
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	var size int64
	for {
		if err := ctx.Err(); err != nil {
			return catalog.Blob{}, err
		}
		n, err := r.Read(*buffer)
		if n > 0 {
			_, _ = h.Write((*buffer)[:n])
			if _, err := w.Write((*buffer)[:n]); err != nil {
				return catalog.Blob{}, err
			}
			size += int64(n)
		}
		if errors.Is(err, io.EOF) {
			return catalog.Blob{SHA256: hex.EncodeToString(h.Sum(nil)), Size: size}, nil
		}
		if err != nil {
			return catalog.Blob{}, err
		}
	}
}

// Put implements Store.
func (d *Directory) Put(ctx context.Context, r io.Reader) (catalog.Blob, error) {
	temp := filepath.Join(tempFolder, rand.Text())
	f, err := d.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return catalog.Blob{}, storing(err)
	}
	var b catalog.Blob
	if err = lock(f); err == nil {
		b, err = measure(ctx, f, r)
	}
	if err != nil {
		_ = f.Close()
		_ = d.root.Remove(temp)
		return catalog.Blob{}, storing(err)
	}
	return d.settle(temp, f, b)
}

// settle makes the open temp file durable and gives it the name of its hash. It
// replaces a file of that name, which mends one that was damaged on the disk.
func (d *Directory) settle(temp string, f *os.File, b catalog.Blob) (catalog.Blob, error) {
	err := failpoint.Hit("blob.before_sync")
	if err == nil {
		err = f.Chmod(0o444)
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = failpoint.Hit("blob.before_rename")
	}
	if err == nil {
		err = d.root.Rename(temp, relative(b.SHA256))
	}
	if err != nil {
		_ = d.root.Remove(temp)
		return catalog.Blob{}, storing(err)
	}
	_ = d.root.Remove(temp) // still there where both are links to one file: then renaming does nothing
	if err := failpoint.Hit("blob.after_rename"); err != nil {
		return catalog.Blob{}, storing(err)
	}
	if err := d.syncFolder(filepath.Join(hashFolder, b.SHA256[:2])); err != nil {
		return catalog.Blob{}, storing(err)
	}
	return b, nil
}

// PutFile implements Store: a file of the same filesystem is moved, another one
// copied and left.
func (d *Directory) PutFile(ctx context.Context, path string) (catalog.Blob, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return catalog.Blob{}, storing(err)
	}
	if !info.Mode().IsRegular() {
		return catalog.Blob{}, storing(fmt.Errorf("%s is not a regular file", filepath.Base(path)))
	}
	temp := filepath.Join(tempFolder, rand.Text())
	if err := os.Rename(path, filepath.Join(d.folder, temp)); err != nil {
		return d.copyFile(ctx, path)
	}
	f, err := d.root.OpenFile(temp, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return catalog.Blob{}, storing(err)
	}
	var b catalog.Blob
	if err = lock(f); err == nil {
		b, err = measure(ctx, io.Discard, f)
	}
	if err != nil {
		_ = f.Close()
		_ = d.root.Remove(temp)
		return catalog.Blob{}, storing(err)
	}
	return d.settle(temp, f, b)
}

func (d *Directory) copyFile(ctx context.Context, path string) (catalog.Blob, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return catalog.Blob{}, storing(err)
	}
	defer func() { _ = f.Close() }()
	return d.Put(ctx, f)
}

// file is an open blob.
type file struct {
	*os.File
	size int64
}

func (f file) Size() int64 { return f.size }

// Open implements Store.
func (d *Directory) Open(_ context.Context, sha256 string) (Reader, error) {
	f, err := d.open(sha256)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d *Directory) open(sha256 string) (file, error) {
	if !hashForm.MatchString(sha256) {
		return file{}, unknown(sha256)
	}
	f, err := d.root.OpenFile(relative(sha256), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return file{}, unknown(sha256)
	}
	if err != nil {
		return file{}, fmt.Errorf("open blob %s: %w", sha256, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		_ = f.Close()
		return file{}, fmt.Errorf("open blob %s: %w", sha256, err)
	}
	return file{File: f, size: info.Size()}, nil
}

// Stat implements Store.
func (d *Directory) Stat(_ context.Context, sha256 string) (catalog.Blob, error) {
	if !hashForm.MatchString(sha256) {
		return catalog.Blob{}, unknown(sha256)
	}
	info, err := d.root.Lstat(relative(sha256))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return catalog.Blob{}, unknown(sha256)
	}
	if err != nil {
		return catalog.Blob{}, fmt.Errorf("look at blob %s: %w", sha256, err)
	}
	return catalog.Blob{SHA256: sha256, Size: info.Size()}, nil
}

// Local implements Store: the blob itself, which nobody may write to.
func (d *Directory) Local(ctx context.Context, sha256 string) (path string, release func(), err error) {
	if _, err := d.Stat(ctx, sha256); err != nil {
		return "", nil, err
	}
	return filepath.Join(d.folder, relative(sha256)), func() {}, nil
}

// Check implements Store.
func (d *Directory) Check(ctx context.Context, sha256 string) error {
	f, err := d.open(sha256)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	b, err := measure(ctx, io.Discard, f)
	if err != nil {
		return fmt.Errorf("check blob %s: %w", sha256, err)
	}
	if b.SHA256 != sha256 {
		return fmt.Errorf("blob %s is damaged: its %d bytes have the hash %s", sha256, b.Size, b.SHA256)
	}
	return nil
}

// List implements Store.
func (d *Directory) List(ctx context.Context, f func(catalog.Blob) error) error {
	for i := range 256 {
		entries, err := fs.ReadDir(d.root.FS(), hashFolder+"/"+fmt.Sprintf("%02x", i))
		if err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !hashForm.MatchString(e.Name()) || !e.Type().IsRegular() {
				continue
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // deleted meanwhile
			}
			if err != nil {
				return fmt.Errorf("list blobs: %w", err)
			}
			if err := f(catalog.Blob{SHA256: e.Name(), Size: info.Size()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Delete implements Store.
func (d *Directory) Delete(_ context.Context, sha256 string) error {
	if !hashForm.MatchString(sha256) {
		return nil
	}
	err := d.root.Remove(relative(sha256))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = d.syncFolder(filepath.Join(hashFolder, sha256[:2]))
	}
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", sha256, err)
	}
	return nil
}
