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
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/singleflight"

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
	BaseURL string // begins the addresses inside a workbook

	flight singleflight.Group
	mu     sync.Mutex
	busy   map[string]bool // keys being stored by a reader's own request
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
	return export.Meta{
		Dataset: r.Dataset.Slug, Title: r.Dataset.Title, Organization: r.Publisher, Table: r.Table.Name,
		Release: r.Release.Number, Version: r.Release.Version, Licence: licence.Name, LicenceURL: licence.URL,
		Address: fmt.Sprintf("%s/datasets/%s/releases/%d", e.BaseURL, r.Dataset.Slug, r.Release.Number), Query: r.Params.String(),
		Citation: Citation(r.Dataset, r.Release, r.Publisher, e.BaseURL), Fields: r.Table.Schema.Fields,
	}
}

// Citation is how a release is cited, in both languages: publisher, title,
// release, date, address.
func Citation(d *catalog.Dataset, r *catalog.Release, publisher catalog.Text, baseURL string) catalog.Text {
	date := ""
	if r.PublishedAt != nil {
		date = r.PublishedAt.Format("2006-01-02")
	}
	address := fmt.Sprintf("%s/datasets/%s/releases/%d", baseURL, d.Slug, r.Number)
	simulated := catalog.Text{}
	if d.Simulated {
		simulated = catalog.Text{Zh: "（示例数据）", En: " (simulated sample data)"}
	}
	return catalog.Text{
		Zh: fmt.Sprintf("%s. %s%s，第%d版[DB/OL]. %s. %s", publisher.In("zh"), d.Title.In("zh"), simulated.Zh, r.Number, date, address),
		En: fmt.Sprintf("%s. %s%s, release %d [dataset]. %s. %s", publisher.In("en"), d.Title.In("en"), simulated.En, r.Number, date, address),
	}
}

// Stored returns the finished export, or nil where there is none.
func (e *Exporter) Stored(ctx context.Context, key string) (*store.Export, error) {
	x, err := e.Store.Export(ctx, key)
	if catalog.KindOf(err) == catalog.NotFound {
		return nil, nil
	}
	return x, err
}

// Build encodes a whole table once, however many ask at the same time, stores it
// and returns it.
func (e *Exporter) Build(ctx context.Context, r *Request) (*store.Export, error) {
	key := e.Key(r)
	if x, err := e.Stored(ctx, key); x != nil || err != nil {
		return x, err
	}
	// The work outlives the reader who began it: the others wait for it.
	ch := e.flight.DoChan(key, func() (any, error) {
		return e.Stream(context.WithoutCancel(ctx), r, io.Discard)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case done := <-ch:
		if done.Err != nil {
			return nil, done.Err
		}
		return done.Val.(*store.Export), nil
	}
}

// Stream encodes the request to w. A whole table is stored on the way, unless
// another request is storing it already; the stored export is returned, nil
// where nothing was stored. An error after the first byte of w means that what w
// got is not complete.
func (e *Exporter) Stream(ctx context.Context, r *Request, w io.Writer) (*store.Export, error) {
	meta, err := json.Marshal(e.meta(r))
	if err != nil {
		return nil, err
	}
	key := e.Key(r)
	if !r.Whole() || !e.claim(key) {
		_, err := e.Pool.Export(ctx, r.Table, r.Params, r.Format, meta, w)
		return nil, err
	}
	defer e.release(key)

	pr, pw := io.Pipe()
	type put struct {
		blob catalog.Blob
		err  error
	}
	stored := make(chan put, 1)
	go func() {
		b, err := e.Blobs.Put(ctx, pr)
		// A store that fails must not stop the reader's download.
		_, _ = io.Copy(io.Discard, pr)
		stored <- put{b, err}
	}()
	result, err := e.Pool.Export(ctx, r.Table, r.Params, r.Format, meta, io.MultiWriter(w, pw))
	if err != nil {
		pw.CloseWithError(errors.Join(errCut, err))
		<-stored
		return nil, err
	}
	pw.Close()
	done := <-stored
	if done.err != nil {
		return nil, fmt.Errorf("store export of %s: %w", r.Table.Name, done.err)
	}
	if done.blob.SHA256 != result.SHA256 {
		return nil, fmt.Errorf("export of %s: stored %s, the encoder says %s", r.Table.Name, done.blob.SHA256, result.SHA256)
	}
	x := &store.Export{Key: key, Blob: done.blob, Rows: result.Rows, MediaType: MediaType(r.Format)}
	if err := e.Store.PutExport(ctx, x); err != nil {
		return nil, fmt.Errorf("store export of %s: %w", r.Table.Name, err)
	}
	return x, nil
}

var errCut = errors.New("export was cut")

func (e *Exporter) claim(key string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.busy == nil {
		e.busy = map[string]bool{}
	}
	if e.busy[key] {
		return false
	}
	e.busy[key] = true
	return true
}

func (e *Exporter) release(key string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.busy, key)
}

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
