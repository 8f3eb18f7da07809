package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
	"taihu/catalog/fetch"
)

// publishFile is one file that publish gives to a draft.
type publishFile struct {
	from string // its path or address
	client.File
	file *os.File // nil: it has an address
}

func isAddress(from string) bool {
	return strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://")
}

// nameOf is a file's name in the release.
func nameOf(from string) string {
	if isAddress(from) {
		return fetch.Name(from)
	}
	return filepath.Base(from)
}

// checkFiles refuses what is no file, and two files of one name.
func (p *publishCommand) checkFiles() error {
	for _, from := range p.Files {
		if isAddress(from) {
			continue
		}
		if info, err := os.Stat(from); err != nil {
			return err
		} else if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a file", from)
		}
	}
	return distinctNames(p.Files)
}

// open opens the files. Large ones are hashed, so that an upload of the same
// bytes can be gone on with.
func (p *publishCommand) open(show *progress) ([]*publishFile, error) {
	options, err := p.ingest()
	if err != nil {
		return nil, err
	}
	var files []*publishFile
	for _, from := range p.Files {
		f := &publishFile{from: from, File: client.File{Name: nameOf(from), Options: options}}
		files = append(files, f)
		if isAddress(from) {
			continue
		}
		if err := f.open(show); err != nil {
			closeAll(files)
			return nil, err
		}
	}
	return files, nil
}

func (f *publishFile) open(show *progress) error {
	var err error
	if f.file, err = os.Open(f.from); err != nil {
		return err
	}
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	f.Size, f.ReaderAt = info.Size(), f.file
	if f.Size <= client.Resumable {
		return nil
	}
	show.now("reading %s …", f.Name)
	f.SHA256, err = hashFile(f.from)
	return err
}

func closeAll(files []*publishFile) {
	for _, f := range files {
		if f.file != nil {
			_ = f.file.Close()
		}
	}
}

// begin goes on with the draft of an earlier run that was cut while it sent one of
// the files, or makes a new one.
func (p *publishCommand) begin(ctx context.Context, c *client.Client, files []*publishFile, show *progress) (*api.Draft, error) {
	ours := func(name string) bool {
		return slices.ContainsFunc(files, func(f *publishFile) bool { return f.Name == name })
	}
	list := []api.Upload{}
	if slices.ContainsFunc(files, func(f *publishFile) bool { return f.SHA256 != "" }) {
		var err error
		if list, err = c.OwnUploads(ctx); err != nil {
			return nil, err
		}
	}
	for _, u := range list {
		if u.State == catalog.UploadFailed || !slices.ContainsFunc(files, func(f *publishFile) bool { return client.Same(u, &f.File) }) {
			continue
		}
		draft, err := c.Draft(ctx, u.Draft)
		if err != nil || draft.Dataset != p.Dataset || draft.Notes.Zh != p.Notes || draft.DataDate != p.DataDate {
			continue // gone, or another release
		}
		unfinished := draft.State == catalog.Uploading || draft.State == catalog.Checking || draft.State == catalog.Ready
		if unfinished && !slices.ContainsFunc(draft.Files, func(f api.DraftFile) bool { return !ours(f.Name) }) {
			show.done("going on with the draft of an earlier run")
			return draft, nil
		}
	}
	return c.CreateDraft(ctx, p.Dataset, api.DraftEdit{Notes: catalog.Text{Zh: p.Notes}, DataDate: p.DataDate})
}

// send gives a file to the draft, unless an earlier run has done so.
func (p *publishCommand) send(ctx context.Context, c *client.Client, draft *api.Draft, f *publishFile, show *progress) (*api.Draft, error) {
	if f.file == nil {
		return fetched(ctx, c, draft, f, show)
	}
	if slices.ContainsFunc(draft.Files, func(d api.DraftFile) bool { return f.SHA256 != "" && d.Name == f.Name && d.SHA256 == f.SHA256 }) {
		show.done("%s was uploaded before", f.Name)
		return draft, nil
	}
	tell := show.bytes(f.Name)
	began := int64(-1)
	d, err := c.Send(ctx, draft.ID, &f.File, func(done int64) {
		if began < 0 && done > 0 {
			show.done("%s: going on after %s", f.Name, inBytes(done))
		}
		began = max(began, 0)
		tell(done, f.Size)
	})
	if err == nil {
		show.done("uploaded %s, %s", f.Name, inBytes(f.Size))
	}
	return d, err
}

// fetched has the server fetch a file and waits for it.
func fetched(ctx context.Context, c *client.Client, draft *api.Draft, f *publishFile, show *progress) (*api.Draft, error) {
	u, err := c.Import(ctx, draft.ID, api.ImportAsk{URL: f.from, Options: f.Options})
	tell := show.bytes(f.Name)
	for err == nil && u.State == catalog.UploadOpen {
		select {
		case <-ctx.Done():
			return nil, errors.New("stopped")
		case <-time.After(300 * time.Millisecond):
		}
		size := int64(-1)
		if u.Size != nil {
			size = *u.Size
		}
		tell(u.Received, size)
		u, err = c.UploadOf(ctx, draft.ID, u.ID)
	}
	if err != nil {
		return nil, err
	}
	if u.Failure != nil {
		return nil, errors.New(u.Failure.Message.In("en"))
	}
	show.done("fetched %s, %s", u.Name, inBytes(u.Received))
	return c.Draft(ctx, draft.ID)
}
