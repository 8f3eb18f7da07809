// Package download gives exports: a table or a query over it in a format, from
// the store of finished exports where it is there, else encoded by a query child,
// once for all who ask at the same time, and kept for those who ask later. The
// store is bounded: what was not used for longest goes.
//
// What changed between two tables is asked for, kept and given in the same way.
//
// It knows keys, blobs and the pool, and nothing of HTTP or of what a format
// looks like; whoever calls it has asked catalog.Can.
package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"
	"time"

	"taihu/api/export"
	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/store"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

// Exporter makes and keeps exports.
type Exporter struct {
	Store    *store.DB
	Blobs    blob.Store // of exports alone, so that a forgotten one is nobody else's bytes
	Files    blob.Store // uploaded files, which archives hold too
	Pool     *pool.Pool
	BaseURL  string       // begins the addresses inside a workbook
	Portal   catalog.Text // the portal's name, for the citation
	TempDir  string       // for what is being encoded; "": the system's
	MaxBytes int64        // of all kept exports; 0: none is kept
	Log      *slog.Logger // [slog.Default()]

	mu      sync.Mutex
	builds  map[string]*build // under way, by key
	used    map[string]time.Time
	failed  map[string]failure       // of work that nobody waited for
	packs   map[string]chan struct{} // under way, by key; closed when done
	running sync.WaitGroup
	tidying sync.Mutex
}

// Request names one export.
type Request struct {
	Dataset *catalog.Dataset
	Release *catalog.Release
	Table   *catalog.Table
	Params  table.Params // canonical; zero for the whole table
	Format  string
	Options export.Options // of the format; zero for its plain form
	Diff    *Comparison    // nil: the table itself
	// Publisher is the organization's name, for the citation.
	Publisher catalog.Text
	// Client is who asks, as the pool counts him; no part of the key. Work that
	// others join counts as his who began it.
	Client string
}

// Whole reports whether the request asks for all rows and columns.
func (r *Request) Whole() bool { return r.Diff == nil && r.Params == (table.Params{}) }

// Key is the hash of everything the bytes depend on: equal keys are equal bytes.
// It is the ETag.
func (e *Exporter) Key(r *Request) string {
	parts := []any{r.Table.TableSHA256, r.Params, r.Format, export.Version, e.meta(r).Digest(r.Format)}
	if r.Options != (export.Options{}) { // plain forms keep the keys they had before there were options
		parts = append(parts, r.Options)
	}
	if r.Diff != nil {
		parts = append(parts, r.Diff.keyParts(r.Table)...)
	}
	b, err := json.Marshal(parts)
	if err != nil { // texts and numbers only: cannot be
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// meta is what a file says of itself. It holds nothing that changes after
// publishing but the dataset's words, which are part of the key.
func (e *Exporter) meta(r *Request) export.Meta {
	licence, _ := catalog.LicenceOf(r.Dataset.Licence)
	address := fmt.Sprintf("%s/datasets/%s/releases/%d", e.BaseURL, r.Dataset.Slug, r.Release.Number)
	query := r.Params.String()
	if r.Diff != nil {
		address = e.BaseURL + "/datasets/" + r.Dataset.Slug + "/diff/" + r.Range()
		query = r.DiffQuery().Encode()
	}
	return export.Meta{
		Dataset: r.Dataset.Slug, Title: r.Dataset.Title, Organization: r.Publisher, Table: r.Table.Name,
		Release: r.Release.Number, Version: r.Release.Version, Licence: licence.Name, LicenceURL: licence.URL,
		Address: address, Query: query, Options: r.Options,
		Citation: catalog.Citation(r.Dataset, r.Release, r.Publisher, e.Portal, address), Fields: r.Table.Schema.Fields,
	}
}

// Stored returns the finished export, or nil where there is none. One whose bytes
// are gone is forgotten, to be made again.
func (e *Exporter) Stored(ctx context.Context, key string) (*store.Export, error) {
	x, err := e.Store.Export(ctx, key)
	if err == nil {
		if _, err = e.Blobs.Stat(ctx, x.Blob.SHA256); catalog.KindOf(err) == catalog.NotFound {
			return nil, e.Store.DeleteExport(ctx, key)
		}
	}
	if catalog.KindOf(err) == catalog.NotFound {
		return nil, nil
	}
	if err == nil {
		e.use(ctx, key)
	}
	return x, err
}

// useEvery is how exactly the time of an export's last use is kept: each note of
// it is a write.
const useEvery = time.Minute

// use notes that an export was asked for. That it could not is logged alone.
func (e *Exporter) use(ctx context.Context, key string) {
	now := time.Now()
	e.mu.Lock()
	if e.used == nil {
		e.used = map[string]time.Time{}
	}
	due := now.Sub(e.used[key]) > useEvery
	if due {
		maps.DeleteFunc(e.used, func(_ string, at time.Time) bool { return now.Sub(at) > useEvery })
		e.used[key] = now
	}
	e.mu.Unlock()
	if due {
		if err := e.Store.UseExport(ctx, key); err != nil && ctx.Err() == nil {
			e.log().WarnContext(ctx, "use of an export was not noted", "error", err)
		}
	}
}

func (e *Exporter) log() *slog.Logger {
	if e.Log == nil {
		return slog.Default()
	}
	return e.Log
}

// Build encodes a request once, however many ask at the same time, keeps it and
// returns it. Unprocessable export_too_large where the store cannot hold it.
func (e *Exporter) Build(ctx context.Context, r *Request) (*store.Export, error) {
	if x, err := e.Stored(ctx, e.Key(r)); x != nil || err != nil {
		return x, err
	}
	b, leave, err := e.join(ctx, r, true)
	if err != nil {
		return nil, err
	}
	defer leave()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-b.done:
		return b.stored, b.failed
	}
}

// UnderWay reports whether the export of a key is being encoded: who asks for it
// now joins and costs nothing.
func (e *Exporter) UnderWay(key string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.builds[key] != nil
}

// Progress is how far an export is that nobody waits for.
type Progress struct {
	Bytes int64 // encoded so far
}

// Begin encodes a request in the background and returns once it is kept, with
// the export, or after patience, with how far it is: asking again goes on waiting
// for the same work. What made the work fail is told to the next who asks.
func (e *Exporter) Begin(ctx context.Context, r *Request, patience time.Duration) (*store.Export, Progress, error) {
	key := e.Key(r)
	if x, err := e.Stored(ctx, key); x != nil || err != nil {
		return x, Progress{}, err
	}
	if err := e.failure(key); err != nil {
		return nil, Progress{}, err
	}
	b, leave, err := e.join(ctx, r, true)
	if err != nil {
		return nil, Progress{}, err
	}
	e.mu.Lock()
	alone := !b.detached
	b.detached = true
	e.mu.Unlock()
	if alone { // somebody must stay to the end
		e.running.Go(func() {
			defer leave()
			<-b.done
			if b.failed != nil {
				e.remember(key, b.failed)
			}
		})
	} else {
		defer leave()
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-b.done:
		return b.stored, Progress{}, b.failed
	case <-ctx.Done():
		return nil, Progress{}, context.Cause(ctx)
	case <-timer.C:
		b.mu.Lock()
		defer b.mu.Unlock()
		return nil, Progress{Bytes: b.size}, nil
	}
}

// failure is why work that nobody waited for came to nothing.
type failure struct {
	err error
	at  time.Time
}

// failureLife is how long it is told instead of trying again.
const failureLife = time.Minute

func (e *Exporter) remember(key string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failed == nil {
		e.failed = map[string]failure{}
	}
	maps.DeleteFunc(e.failed, func(_ string, f failure) bool { return time.Since(f.at) > failureLife })
	e.failed[key] = failure{err, time.Now()}
}

// failure returns and forgets.
func (e *Exporter) failure(key string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	f, ok := e.failed[key]
	delete(e.failed, key)
	if !ok || time.Since(f.at) > failureLife {
		return nil
	}
	return f.err
}

// Stream encodes the request to w, once for all who ask at the same time, and
// keeps it afterwards, but for a large filtered one that w's reader alone asks
// for. It returns what the encoder counted and hashed. An error
// after the first byte of w means that what w got is not complete.
func (e *Exporter) Stream(ctx context.Context, r *Request, w io.Writer) (pool.Result, error) {
	b, leave, err := e.join(ctx, r, r.Whole())
	if err != nil {
		return pool.Result{}, err
	}
	defer leave()
	if err := b.copyTo(ctx, w); err != nil {
		return pool.Result{}, err
	}
	return b.result, nil
}

// Measure encodes a request for nobody and returns what it came to; for samples
// of a few rows.
func (e *Exporter) Measure(ctx context.Context, r *Request) (pool.Result, error) {
	meta, err := json.Marshal(e.meta(r))
	if err != nil {
		return pool.Result{}, err
	}
	return e.Pool.Export(ctx, r.Table, r.Params, pool.ExportOptions{Format: r.Format, Meta: meta, Client: r.Client}, io.Discard)
}

// ContentSHA256 is the hash of what a request's rows say, independent of formats
// (table.ContentHash). Of a whole table it is known; else the query runs for it
// once.
func (e *Exporter) ContentSHA256(ctx context.Context, r *Request) (string, error) {
	if r.Whole() {
		return r.Table.ContentSHA256, nil
	}
	hashed := *r
	hashed.Format, hashed.Options = export.ContentHash, export.Options{}
	x, err := e.Build(ctx, &hashed)
	if err != nil {
		return "", err
	}
	f, err := e.Blobs.Open(ctx, x.Blob.SHA256)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum, err := io.ReadAll(io.LimitReader(f, 2*sha256.Size))
	return string(sum), err
}

// tidy forgets what the store has no room for.
func (e *Exporter) tidy(ctx context.Context) error {
	e.tidying.Lock()
	defer e.tidying.Unlock()
	unused, err := e.Store.ForgetOldExports(ctx, e.MaxBytes)
	if err != nil {
		return err
	}
	for _, sha256 := range unused {
		if err := e.Blobs.Delete(ctx, sha256); err != nil {
			return fmt.Errorf("remove forgotten export: %w", err)
		}
	}
	return nil
}

// Sweep removes what a killed process left behind: bytes that no export names, neither
// now nor after grace, for another process may be about to name them.
func (e *Exporter) Sweep(ctx context.Context, grace time.Duration) error {
	left := map[string]bool{}
	err := e.Blobs.List(ctx, func(b catalog.Blob) error { left[b.SHA256] = true; return nil })
	if err != nil {
		return err
	}
	if err := e.strikeNamed(ctx, left); err != nil {
		return err
	}
	if len(left) > 0 {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		if err := e.strikeNamed(ctx, left); err != nil {
			return err
		}
	}
	for sha256 := range left {
		err = errors.Join(err, e.Blobs.Delete(ctx, sha256))
	}
	return errors.Join(err, e.tidy(ctx))
}

// strikeNamed takes out of hashes those that an export names.
func (e *Exporter) strikeNamed(ctx context.Context, hashes map[string]bool) error {
	return e.Store.Exports(ctx, func(x store.Export) error { delete(hashes, x.Blob.SHA256); return nil })
}

// Close waits until no build is under way. The pool must be closed before, which
// ends them.
func (e *Exporter) Close() { e.running.Wait() }

// MediaType is the media type of a format.
func MediaType(format string) string {
	f, _ := export.FormatByName(format)
	return f.MediaType
}

// Size returns the bytes of a whole-table export that is stored already.
func (e *Exporter) Size(ctx context.Context, d *catalog.Dataset, r *catalog.Release, t *catalog.Table, publisher catalog.Text, format string) (int64, bool) {
	x, err := e.Stored(ctx, e.Key(&Request{Dataset: d, Release: r, Table: t, Format: format, Publisher: publisher}))
	if err != nil || x == nil {
		return 0, false
	}
	return x.Blob.Size, true
}
