package embedded

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"taihu/catalog"
)

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func (x *Index) path(name string) string { return filepath.Join(x.folder, name) }

// recoverNames puts the files in their places where a process was killed between
// two renames of replace or Rollback: what was not finished is taken back, and
// what only needed its last step is finished.
func (x *Index) recoverNames() error {
	move := func(from, to string) error { return os.Rename(x.path(from), x.path(to)) }
	var err error
	switch there := exists(x.path(logName)); {
	case there && exists(x.path(swapName)):
		err = move(swapName, oldName)
	case there:
	case exists(x.path(swapName)):
		err = move(swapName, logName)
	case exists(x.path(oldName)):
		err = move(oldName, logName)
	}
	if err != nil {
		return err
	}
	if err := os.Remove(x.path(nextName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replace puts the log of next in the place of the present one, which is kept for
// Rollback where keep is set. One that never held anything is not worth keeping.
func (x *Index) replace(next *log, keep bool) error {
	keep = keep && (x.current.terms.live > 0 || exists(x.path(oldName)))
	if keep {
		if err := os.Rename(x.path(logName), x.path(oldName)); err != nil {
			return err
		}
	}
	if err := next.rename(x.path(logName)); err != nil {
		if keep {
			_ = os.Rename(x.path(oldName), x.path(logName)) // else the next Open does it
		}
		return err
	}
	return nil
}

// Rollback implements indexer.Index. The old log is read as at a start, so it takes
// as long; searches go on meanwhile.
func (x *Index) Rollback(ctx context.Context) error {
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	if !ours(x.path(oldName)) {
		return catalog.Errorf(catalog.Conflict, "no_rollback", "there is no earlier search index to go back to").
			InChinese("没有可以退回的旧检索索引")
	}
	terms := newInverted()
	old, damage, err := openLog(ctx, x.path(oldName), terms)
	if err != nil {
		return cmp.Or(ended(ctx), unavailable(err))
	}
	if err := x.swap(); err != nil {
		old.close()
		return unavailable(err)
	}
	x.mu.Lock()
	before := x.current
	x.current, x.damage = &generation{log: old, terms: terms}, damage
	x.mu.Unlock()
	before.log.close()
	return nil
}

// swap exchanges the names of the present log and the old one.
func (x *Index) swap() error {
	for _, step := range [][2]string{{logName, swapName}, {oldName, logName}, {swapName, oldName}} {
		if err := os.Rename(x.path(step[0]), x.path(step[1])); err != nil {
			_ = x.recoverNames() // else the next Open does it
			return err
		}
	}
	return syncFolder(x.folder)
}

// ours reports whether a file is a log of this form.
func ours(name string) bool {
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	header := make([]byte, len(logHeader))
	_, err = file.Read(header)
	return err == nil && string(header) == logHeader
}
