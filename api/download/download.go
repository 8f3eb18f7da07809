// Package download gives exports: a table or a query over it in a format, from
// the store of finished exports where it is there, else encoded by a query child
// and, for whole tables, stored on the way.
//
// It knows keys, blobs and the pool, and nothing of HTTP or of what a format
// looks like; whoever calls it has asked catalog.Can.
package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"taihu/api/export"
	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/store"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

// Exporter makes and keeps exports.
type Exporter struct {
	Store   *store.DB
	Blobs   blob.Store
	Pool    *pool.Pool
	BaseURL string       // begins the addresses inside a workbook
	Portal  catalog.Text // the portal's name, for the citation
	TempDir string       // for what is being encoded; "": the system's
	Log     *slog.Logger

	mu      sync.Mutex
	builds  map[string]*build // under way, by key
	running sync.WaitGroup
}

// Request names one export.
type Request struct {
	Dataset *catalog.Dataset
	Release *catalog.Release
	Table   *catalog.Table
	Params  table.Params // canonical; zero for the whole table
	Format  string
	// Publisher is the organization's name, for the citation.
	Publisher catalog.Text
}

// Whole reports whether the request asks for all rows and columns.
func (r *Request) Whole() bool { return r.Params == (table.Params{}) }

// Key is the hash of everything the bytes depend on: equal keys are equal bytes.
// It is the ETag.
func (e *Exporter) Key(r *Request) string {
	b, err := json.Marshal([]any{r.Table.TableSHA256, r.Params, r.Format, export.Version, e.meta(r).Digest(r.Format)})
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
	return export.Meta{
		Dataset: r.Dataset.Slug, Title: r.Dataset.Title, Organization: r.Publisher, Table: r.Table.Name,
		Release: r.Release.Number, Version: r.Release.Version, Licence: licence.Name, LicenceURL: licence.URL,
		Address: address, Query: r.Params.String(),
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
	return x, err
}

// Build encodes a whole table once, however many ask at the same time, stores it
// and returns it.
func (e *Exporter) Build(ctx context.Context, r *Request) (*store.Export, error) {
	if x, err := e.Stored(ctx, e.Key(r)); x != nil || err != nil {
		return x, err
	}
	b, leave, err := e.join(ctx, r)
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

// Stream encodes the request to w. A whole table is encoded once for all who ask
// at the same time, and stored: Stream returns when it is. A filtered one is
// encoded for w alone. An error after the first byte of w means that what w got
// is not complete; that a complete one could not be stored is no error of w's
// reader and is logged.
func (e *Exporter) Stream(ctx context.Context, r *Request, w io.Writer) error {
	if !r.Whole() {
		meta, err := json.Marshal(e.meta(r))
		if err != nil {
			return err
		}
		_, err = e.Pool.Export(ctx, r.Table, r.Params, r.Format, meta, w)
		return err
	}
	b, leave, err := e.join(ctx, r)
	if err != nil {
		return err
	}
	defer leave()
	if err := b.copyTo(ctx, w); err != nil {
		return err
	}
	select {
	case <-b.done:
		if b.failed != nil && e.Log != nil {
			e.Log.WarnContext(ctx, "export was sent but not stored", "table", r.Table.Name, "format", r.Format, "error", b.failed)
		}
	case <-ctx.Done(): // the reader has everything
	}
	return nil
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
