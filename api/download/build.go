package download

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/table/pool"
)

// build is one encoding that any number of readers follow. Its bytes go to a
// spool that has no name, so nothing is left of it whatever is killed when;
// readers read it while it grows, and the blob store when it is whole. A slow
// reader therefore holds no query child, and a second one costs no second
// encoding.
type build struct {
	key    string
	spool  *os.File
	cancel context.CancelFunc
	// readers and detached are guarded by Exporter.mu: with the last reader gone an
	// unfinished build is given up. detached: one stays to the end.
	readers  int
	detached bool

	mu     sync.Mutex
	grown  chan struct{} // closed and renewed when size, ended or err changes
	size   int64
	ended  bool // no more bytes come
	err    error
	result pool.Result // valid once ended without err

	done   chan struct{} // closed once stored, or failed
	stored *store.Export // valid after done
	failed error         // valid after done
}

// Write takes the encoder's bytes.
func (b *build) Write(p []byte) (int, error) {
	n, err := b.spool.Write(p)
	b.change(func() { b.size += int64(n) })
	return n, err
}

func (b *build) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	close(b.grown)
	b.grown = make(chan struct{})
}

// wait returns how many bytes are there once there are more than at, or the end:
// io.EOF where all came, else why not.
func (b *build) wait(ctx context.Context, at int64) (int64, error) {
	for {
		b.mu.Lock()
		size, ended, err, grown := b.size, b.ended, b.err, b.grown
		b.mu.Unlock()
		switch {
		case err != nil:
			return 0, err
		case size > at:
			return size, nil
		case ended:
			return 0, io.EOF
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// copyTo gives w everything, as it comes.
func (b *build) copyTo(ctx context.Context, w io.Writer) error {
	buf := make([]byte, 128<<10)
	for at := int64(0); ; {
		size, err := b.wait(ctx, at)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for at < size {
			n, err := b.spool.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
			if err != nil && !(errors.Is(err, io.EOF) && n > 0) {
				return fmt.Errorf("read spool: %w", err)
			}
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
			at += int64(n)
		}
	}
}

// join returns the build of a request that is under way, or begins one.
// leave must be called.
func (e *Exporter) join(ctx context.Context, r *Request) (b *build, leave func(), err error) {
	key := e.Key(r)
	meta, err := json.Marshal(e.meta(r))
	if err != nil {
		return nil, nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if b = e.builds[key]; b == nil {
		spool, err := spoolFile(e.TempDir)
		if err != nil {
			return nil, nil, err
		}
		// The work outlives the reader who began it: others may follow.
		work, cancel := context.WithCancel(context.WithoutCancel(ctx))
		b = &build{key: key, spool: spool, cancel: cancel, grown: make(chan struct{}), done: make(chan struct{})}
		if e.builds == nil {
			e.builds = map[string]*build{}
		}
		e.builds[key] = b
		b.readers = 1 // the build itself keeps its spool open
		e.running.Go(func() { e.run(work, b, r, meta) })
	}
	b.readers++
	return b, func() { e.leave(b) }, nil
}

// leave counts a reader, or the build itself, out. An unfinished build that
// nobody follows is given up; with the last one gone the spool closes.
func (e *Exporter) leave(b *build) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b.readers--
	b.mu.Lock()
	ended := b.ended
	b.mu.Unlock()
	if b.readers == 1 && !ended {
		e.forget(b)
		b.cancel()
	}
	if b.readers == 0 {
		_ = b.spool.Close()
	}
}

// forget lets the next request begin anew. e.mu is held.
func (e *Exporter) forget(b *build) {
	if e.builds[b.key] == b {
		delete(e.builds, b.key)
	}
}

// run encodes, and keeps what was encoded. The readers have all of it before it
// is kept: what the store does is not theirs to wait for.
func (e *Exporter) run(ctx context.Context, b *build, r *Request, meta json.RawMessage) {
	defer e.leave(b)
	defer b.cancel()
	result, err := e.Pool.Export(ctx, r.Table, r.Params, pool.ExportOptions{Format: r.Format, Meta: meta, Client: r.Client}, b)
	if err != nil { // before its readers hear of it: who asks again must not join what has failed
		e.mu.Lock()
		e.forget(b)
		e.mu.Unlock()
	}
	b.change(func() { b.ended, b.err, b.result = true, err, result })
	if err == nil {
		b.stored, err = e.keep(context.WithoutCancel(ctx), b, r)
		if err != nil && catalog.KindOf(err) == "" {
			e.log().WarnContext(ctx, "export is not kept", "table", r.Table.Name, "format", r.Format, "error", err)
		}
	}
	b.failed = err
	e.mu.Lock()
	e.forget(b)
	e.mu.Unlock()
	close(b.done)
}

// keep stores what a build encoded and makes room for it.
func (e *Exporter) keep(ctx context.Context, b *build, r *Request) (*store.Export, error) {
	if b.size > e.MaxBytes {
		return nil, catalog.Errorf(catalog.Unprocessable, "export_too_large", "this export has %d bytes, more than is kept: take it in one piece, without Range, or ask for fewer rows", b.size).
			With("bytes", b.size).InChinese("这份导出有%d字节，超出保存的上限：请不用Range一次下载，或减少行数", b.size)
	}
	stored, err := e.Blobs.Put(ctx, io.NewSectionReader(b.spool, 0, b.size))
	if err != nil {
		return nil, fmt.Errorf("store export of %s: %w", r.Table.Name, err)
	}
	if stored.SHA256 != b.result.SHA256 {
		return nil, fmt.Errorf("export of %s: stored %s, the encoder says %s", r.Table.Name, stored.SHA256, b.result.SHA256)
	}
	x := &store.Export{Key: b.key, Blob: stored, Rows: b.result.Rows, MediaType: MediaType(r.Format)}
	if err := e.Store.PutExport(ctx, x); err != nil {
		return nil, fmt.Errorf("store export of %s: %w", r.Table.Name, err)
	}
	return x, e.tidy(ctx)
}

// spoolFile makes a file without a name.
func spoolFile(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "export-*")
	if err != nil {
		return nil, fmt.Errorf("make spool: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("make spool: %w", err), f.Close())
	}
	return f, nil
}
