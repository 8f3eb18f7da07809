package store

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"taihu/catalog"
)

// maxFiles is how many files one release may hold.
const maxFiles = 1000

// Upload is a file given to a draft; its bytes are in the blob store already.
type Upload struct {
	Name      string // as /files/<name> shows it
	MediaType string
	Blob      catalog.Blob
	Options   catalog.IngestOptions
}

// checkFileName returns Invalid where a name cannot stand in an address or a
// folder.
func checkFileName(name string) error {
	bad := name == "" || name == "." || name == ".." || !utf8.ValidString(name) || utf8.RuneCountInString(name) > 200 || strings.TrimSpace(name) != name
	bad = bad || strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == '\\' || !unicode.IsPrint(r) })
	if bad {
		return catalog.Errorf(catalog.Invalid, "invalid_file_name", "%q cannot name a file: use 1 to 200 printable characters without / and \\", name).
			InChinese("文件名“%s”不可用：请用1至200个可见字符，不含 / 和 \\", name)
	}
	return nil
}

// PutFile gives a file to a draft, in the place of the one of the same name, and
// enqueues its check. Giving the same bytes with the same options again changes
// nothing, so an upload can be repeated.
func (db *DB) PutFile(ctx context.Context, actor catalog.Actor, draftID string, u Upload) (*catalog.File, error) {
	if err := checkFileName(u.Name); err != nil {
		return nil, err
	}
	if len(u.Blob.SHA256) != 64 {
		return nil, invalid("sha256", "", "the file has no hash: store its bytes first")
	}
	var f *catalog.File
	_, err := db.edit(ctx, actor, draftID, 0, "file.put", func(t *tx, r *catalog.Release, d *datasetRow) (said facts, err error) {
		f, said, err = t.putFile(ctx, actor, d, r, u)
		return said, err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// putFile gives a file to a draft and says what the event of it says; nil where
// nothing changed.
func (t *tx) putFile(ctx context.Context, actor catalog.Actor, d *datasetRow, r *catalog.Release, u Upload) (*catalog.File, facts, error) {
	old, err := t.fileNamed(ctx, r.ID, u.Name)
	if err != nil {
		return nil, nil, err
	}
	o, err := t.optionsFor(ctx, d, r, u.Name, u.Options, old)
	if err != nil {
		return nil, nil, err
	}
	if o.Settled, err = t.settledFor(ctx, actor, d, u.Name, u.Options.Settled, old); err != nil {
		return nil, nil, err
	}
	if err := t.checkMode(ctx, r, u.Name, &o); err != nil {
		return nil, nil, err
	}
	if old != nil && old.Blob == u.Blob && js(old.Options) == js(o) && old.State != catalog.FileRefused {
		return old, nil, nil
	}
	f := &catalog.File{ID: catalog.NewID(), ReleaseID: r.ID, Name: u.Name, Role: catalog.Source, State: catalog.FilePending,
		MediaType: u.MediaType, Blob: u.Blob, Options: o, CreatedAt: t.now}
	if old != nil {
		f.ID, f.CreatedAt = old.ID, old.CreatedAt
		_, err = t.exec(ctx, `UPDATE release_files SET state = ?, role = ?, media_type = ?, blob = ?, options = ?, report = NULL WHERE id = ?`,
			string(f.State), string(f.Role), f.MediaType, js(f.Blob), js(f.Options), f.ID)
	} else {
		err = t.insertFile(ctx, f)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := t.enqueue(ctx, catalog.JobIngest, catalog.IngestArgs{FileID: f.ID}); err != nil {
		return nil, nil, err
	}
	return f, facts{"name": f.Name, "sha256": f.Blob.SHA256, "bytes": f.Blob.Size, "options": f.Options}, nil
}

func (t *tx) insertFile(ctx context.Context, f *catalog.File) error {
	var n int
	if _, err := t.value(ctx, `SELECT COUNT(*) FROM release_files WHERE release_id = ?`, []any{f.ReleaseID}, &n); err != nil {
		return err
	}
	if n >= maxFiles {
		return catalog.Errorf(catalog.TooLarge, "too_many_files", "a release holds at most %d files", maxFiles).InChinese("一版最多%d个文件", maxFiles)
	}
	var report any
	if f.Report != nil {
		report = js(f.Report)
	}
	_, err := t.exec(ctx, `INSERT INTO release_files (`+fileColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		f.ID, f.ReleaseID, f.Name, string(f.Role), string(f.State), f.MediaType, js(f.Blob), js(f.Options), report, f.CreatedAt)
	return err
}

// fileNamed returns a release's file by name or nil.
func (c *conn) fileNamed(ctx context.Context, releaseID, name string) (*catalog.File, error) {
	f := &catalog.File{}
	found, err := c.one(ctx, f, `SELECT `+fileColumns+` FROM release_files WHERE release_id = ? AND name = ?`, releaseID, name)
	if err != nil || !found {
		return nil, err
	}
	return f, nil
}

func unknownFile(name string) error {
	return unknown("unknown_file", "there is no file %q in this draft", name).With("file", name).InChinese("草稿中没有文件“%s”", name)
}

// RemoveFile takes a file and its tables out of a draft.
func (db *DB) RemoveFile(ctx context.Context, actor catalog.Actor, draftID, name string) error {
	_, err := db.edit(ctx, actor, draftID, 0, "file.removed", func(t *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		f, err := t.fileNamed(ctx, r.ID, name)
		if err != nil {
			return nil, err
		}
		if f == nil {
			return nil, unknownFile(name)
		}
		if err := t.deleteTables(ctx, f.ID); err != nil {
			return nil, err
		}
		_, err = t.exec(ctx, `DELETE FROM release_files WHERE id = ?`, f.ID)
		return facts{"name": name}, err
	})
	return err
}

// SetFileOptions states how a file is to be read and has it checked again. Where
// it says nothing of decisions about findings, those there are stay.
func (db *DB) SetFileOptions(ctx context.Context, actor catalog.Actor, draftID, name string, o catalog.IngestOptions) (*catalog.File, error) {
	var f *catalog.File
	_, err := db.edit(ctx, actor, draftID, 0, "file.options_set", func(t *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		var err error
		if f, err = t.fileNamed(ctx, r.ID, name); err != nil {
			return nil, err
		}
		if f == nil {
			return nil, unknownFile(name)
		}
		if f.Options.Mode == catalog.KeptFile {
			return nil, keptFile(f)
		}
		if err := t.checkMode(ctx, r, name, &o); err != nil {
			return nil, err
		}
		before := f.Options.Settled
		f.Options = o
		f.Options.Settled, f.Options.From = before, 0
		if o.Settled != nil {
			if f.Options.Settled, err = t.stamp(actor, o.Settled, before); err != nil {
				return nil, err
			}
		}
		return facts{"name": name, "options": f.Options}, t.readAgain(ctx, f)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// readAgain has a file read with its options.
func (t *tx) readAgain(ctx context.Context, f *catalog.File) error {
	if f.Options.Mode == catalog.KeptFile {
		return keptFile(f)
	}
	f.State, f.Report = catalog.FilePending, nil
	if _, err := t.exec(ctx, `UPDATE release_files SET state = ?, options = ?, report = NULL WHERE id = ?`, string(f.State), js(f.Options), f.ID); err != nil {
		return err
	}
	return t.enqueue(ctx, catalog.JobIngest, catalog.IngestArgs{FileID: f.ID})
}

// FileForIngest returns a file, its draft (without contents) and its dataset for
// the ingest job. NotFound unknown_file where it is gone: then nothing is to do.
func (db *DB) FileForIngest(ctx context.Context, fileID string) (*catalog.File, *catalog.Release, *catalog.Dataset, error) {
	var f *catalog.File
	var r *catalog.Release
	var d *datasetRow
	err := db.view(ctx, "read file", func(c *conn) (err error) {
		f, r, d, err = c.fileByID(ctx, fileID)
		return err
	})
	if err != nil {
		return nil, nil, nil, err
	}
	return f, r, &d.Dataset, nil
}

// fileByID returns a file with its release (without contents) and its dataset;
// NotFound unknown_file.
func (c *conn) fileByID(ctx context.Context, id string) (*catalog.File, *catalog.Release, *datasetRow, error) {
	f, r := &catalog.File{}, &catalog.Release{}
	found, err := c.one(ctx, f, `SELECT `+fileColumns+` FROM release_files WHERE id = ?`, id)
	if err != nil {
		return nil, nil, nil, err
	}
	if !found {
		return nil, nil, nil, unknownFile(id)
	}
	if _, err := c.one(ctx, r, `SELECT `+releaseColumns+` FROM releases WHERE id = ?`, f.ReleaseID); err != nil {
		return nil, nil, nil, err
	}
	d, err := c.datasetRow(ctx, r.DatasetID, "")
	return f, r, d, err
}
