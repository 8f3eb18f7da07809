package download

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/table/pool"
)

// memorySpool is how many bytes of an export are kept in memory: about what a
// socket takes in at once, so that slow readers do not hold much of it.
const memorySpool = 2 << 20

// build is one encoding that any number of readers follow. Its bytes stay in
// memory as long as they are few. Then they go to a spool that has no name, so
// nothing is left of it whatever is killed when; readers read it while it grows,
// and the blob store when it is whole: a slow reader holds no query child, and a
// second one costs no second encoding. A large export that one reader alone asks
// for, and of which nobody needs the finished file, goes to that reader directly,
// and is not kept: writing it to the disk twice would take longer than making it. Where
// he turns out to be slower than the encoder, what is left goes through a spool after
// all: a query child must not wait for him.
type build struct {
	e      *Exporter
	key    string
	ctx    context.Context // of the work
	cancel context.CancelFunc
	// readers, detached and whole are guarded by Exporter.mu: with the last reader
	// gone an unfinished build is given up. detached: one stays to the end. whole:
	// somebody needs the finished file.
	readers  int
	detached bool
	whole    bool

	mu     sync.Mutex
	grown  chan struct{} // closed and renewed when anything below changes
	head   []byte        // the bytes, while they are few
	spool  *os.File      // else; the encoder writes to it
	source source        // has all bytes from base on: the spool, or what was kept already
	base   int64         // the bytes before went to the one reader directly
	direct bool          // what follows goes to the one reader at once
	sink   io.Writer     // direct: his, once he has taken what came before; he waits
	size   int64
	ended  bool // no more bytes come
	err    error
	result pool.Result // valid once ended without err

	// Of a direct build, for the encoder's own use.
	since  time.Time     // it goes on directly
	waited time.Duration // for the reader, since then
	passed int64         // bytes that went to him

	done   chan struct{} // closed once stored, or failed
	stored *store.Export // valid after done; nil: not kept
	failed error         // valid after done
}

// source is a file that readers follow.
type source interface {
	io.ReaderAt
	io.Closer
}

// Write takes the encoder's bytes.
func (b *build) Write(p []byte) (int, error) {
	if b.spool == nil && !b.direct && len(b.head)+len(p) > memorySpool { // only Write changes these
		if err := b.outgrow(); err != nil {
			return 0, err
		}
	}
	switch {
	case b.direct:
		return b.writeDirect(p)
	case b.spool != nil:
		n, err := b.spool.Write(p)
		b.change(func() { b.size += int64(n) })
		return n, err
	}
	b.change(func() { b.head, b.size = append(b.head, p...), b.size+int64(len(p)) })
	return len(p), nil
}

// directPatience is how long a reader may be the slower one before what is left is
// spooled for him.
const directPatience = 2 * time.Second

// writeDirect gives the one reader his bytes.
func (b *build) writeDirect(p []byte) (int, error) {
	began := time.Now()
	if b.since.IsZero() {
		b.since = began
	}
	sink, err := b.waitSink()
	if err != nil {
		return 0, err
	}
	if sink == nil {
		if err := b.toSpool(b.head, 0); err != nil {
			return 0, err
		}
		return b.Write(p)
	}
	n, err := sink.Write(p)
	b.passed += int64(n)
	b.waited += time.Since(began)
	if took := time.Since(b.since); err == nil && took > directPatience && b.waited > took/2 {
		err = b.toSpool(nil, b.size+b.passed)
	}
	return n, err
}

// outgrow decides where the bytes go that memory has no room for.
func (b *build) outgrow() error {
	if b.e.handOver(b) {
		return nil
	}
	return b.toSpool(b.head, 0)
}

// toSpool goes on in a spool, which has the bytes from base on.
func (b *build) toSpool(begin []byte, base int64) error {
	spool, err := spoolFile(b.e.TempDir)
	if err != nil {
		return err
	}
	if _, err := spool.Write(begin); err != nil {
		return errors.Join(fmt.Errorf("write spool: %w", err), spool.Close())
	}
	b.change(func() {
		b.spool, b.source, b.base, b.size = spool, spool, base, base+int64(len(begin))
		b.head, b.direct, b.sink = nil, false, nil
	})
	return nil
}

// handOver gives what follows to the one reader, if there is only one and nobody
// needs the finished file. Who asks from now on begins anew.
func (e *Exporter) handOver(b *build) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if b.whole || b.readers != 2 { // the build itself is one
		return false
	}
	e.forget(b)
	b.change(func() { b.direct = true })
	return true
}

func (b *build) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	close(b.grown)
	b.grown = make(chan struct{})
}

// waitSink returns the writer of the one reader once he has taken all before, or nil
// where he is slow in that.
func (b *build) waitSink() (io.Writer, error) {
	late := time.NewTimer(directPatience)
	defer late.Stop()
	for {
		b.mu.Lock()
		sink, grown := b.sink, b.grown
		b.mu.Unlock()
		if sink != nil {
			return sink, nil
		}
		select {
		case <-grown:
		case <-b.ctx.Done():
			return nil, context.Cause(b.ctx)
		case <-late.C:
			return nil, nil
		}
	}
}

// errDirect: the reader has all that came before, the rest is written for him.
var errDirect = errors.New("goes on directly")

// next returns bytes from at on once there are any, in buf or in memory of the
// build, or the end: io.EOF where all came, errDirect, else why not.
func (b *build) next(ctx context.Context, at int64, buf []byte) ([]byte, error) {
	for {
		b.mu.Lock()
		head, source, base, direct := b.head, b.source, b.base, b.direct
		size, ended, err, grown := b.size, b.ended, b.err, b.grown
		b.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case source != nil && at < size:
			n, err := source.ReadAt(buf[:min(int64(len(buf)), size-at)], at-base)
			if err != nil && !(errors.Is(err, io.EOF) && n > 0) {
				return nil, fmt.Errorf("read spool: %w", err)
			}
			return buf[:n], nil
		case at < int64(len(head)):
			rest := head[at:]
			return rest[:min(len(rest), len(buf))], nil
		case direct:
			return nil, errDirect
		case ended:
			return nil, io.EOF
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// copyTo gives w everything, as it comes.
func (b *build) copyTo(ctx context.Context, w io.Writer) error {
	buf := make([]byte, 128<<10)
	for at := int64(0); ; {
		data, err := b.next(ctx, at, buf)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errDirect):
			whole, err := b.lend(ctx, w)
			if whole || err != nil {
				return err
			}
			at = max(at, b.base)
			continue
		case err != nil:
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		at += int64(len(data))
	}
}

// lend lets the encoder write to w, so that no piece has to pass from one goroutine
// to another, until the end, or until it is taken back for being slow. Nobody else may
// use w meanwhile, so one who leaves waits until the work is given up.
func (b *build) lend(ctx context.Context, w io.Writer) (whole bool, err error) {
	b.change(func() { b.sink = w })
	gone := ctx.Done()
	for {
		b.mu.Lock()
		direct, ended, err, grown := b.direct, b.ended, b.err, b.grown
		b.mu.Unlock()
		if ended || !direct {
			return direct, err
		}
		select {
		case <-grown:
		case <-gone:
			b.cancel()
			gone = nil
		}
	}
}

// join returns the build of a request that is under way, or begins one; whole says
// that the finished file is needed, which is then kept. leave must be called.
func (e *Exporter) join(ctx context.Context, r *Request, whole bool) (b *build, leave func(), err error) {
	key := e.Key(r)
	meta, err := json.Marshal(e.meta(r))
	if err != nil {
		return nil, nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if b = e.builds[key]; b == nil {
		// The work outlives the reader who began it: others may follow.
		work, cancel := context.WithCancel(context.WithoutCancel(ctx))
		b = &build{e: e, key: key, ctx: work, cancel: cancel, grown: make(chan struct{}), done: make(chan struct{})}
		if e.builds == nil {
			e.builds = map[string]*build{}
		}
		e.builds[key] = b
		b.readers = 1 // the build itself keeps its spool open
		e.running.Go(func() { e.run(b, r, meta) })
	}
	b.readers++
	b.whole = b.whole || whole
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
	if b.readers == 0 && b.source != nil {
		_ = b.source.Close()
	}
}

// forget lets the next request begin anew. e.mu is held.
func (e *Exporter) forget(b *build) {
	if e.builds[b.key] == b {
		delete(e.builds, b.key)
	}
}

// run gives the readers what is kept, or encodes it. Who found no export in the store
// may come after another build has put one there; as no other one of this key is under
// way now, what the store says holds.
func (e *Exporter) run(b *build, r *Request, meta json.RawMessage) {
	defer e.leave(b)
	defer b.cancel()
	if !e.follow(b) {
		e.encode(b, r, meta)
	}
	e.mu.Lock()
	e.forget(b)
	e.mu.Unlock()
	close(b.done)
}

// encode has a query child make the bytes, and keeps them. The readers have all of
// them before they are kept: what the store does is not theirs to wait for.
func (e *Exporter) encode(b *build, r *Request, meta json.RawMessage) {
	result, err := e.work(b.ctx, r, meta, b)
	if err != nil { // before its readers hear of it: who asks again must not join what has failed
		e.mu.Lock()
		e.forget(b)
		e.mu.Unlock()
	}
	b.change(func() { b.ended, b.err, b.result = true, err, result })
	if err == nil && !b.direct && b.base == 0 {
		b.stored, err = e.keep(context.WithoutCancel(b.ctx), b, r)
		if err != nil && catalog.KindOf(err) == "" {
			e.log().WarnContext(b.ctx, "export is not kept", "table", r.Table.Name, "format", r.Format, "error", err)
		}
	}
	b.failed = err
}

// follow gives the readers what is kept already, where it is; else they need the
// encoder.
func (e *Exporter) follow(b *build) bool {
	x, err := e.Stored(b.ctx, b.key)
	if x == nil || err != nil {
		return false // what is wrong with the store is told by keep
	}
	kept, err := e.Blobs.Open(b.ctx, x.Blob.SHA256)
	if err != nil {
		return false
	}
	b.stored = x
	b.change(func() {
		b.source, b.size, b.ended = kept, x.Blob.Size, true
		b.result = pool.Result{Rows: x.Rows, Bytes: x.Blob.Size, SHA256: x.Blob.SHA256}
	})
	return true
}

// keep stores what a build encoded and makes room for it.
func (e *Exporter) keep(ctx context.Context, b *build, r *Request) (*store.Export, error) {
	if b.size > e.MaxBytes {
		return nil, catalog.Errorf(catalog.Unprocessable, "export_too_large", "this export has %d bytes, more than is kept: take it in one piece, without Range, or ask for fewer rows", b.size).
			With("bytes", b.size).InChinese("这份导出有%d字节，超出保存的上限：请不用Range一次下载，或减少行数", b.size)
	}
	var bytesOf io.Reader = bytes.NewReader(b.head)
	if b.source != nil {
		bytesOf = io.NewSectionReader(b.source, 0, b.size)
	}
	stored, err := e.Blobs.Put(ctx, bytesOf)
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
