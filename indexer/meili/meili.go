// Package meili is the search index kept by a Meilisearch server.
//
// The server's index is a disposable copy: its name carries the version of our
// document form and settings (settings.go), so a new form begins a new index,
// which is built and swapped in, never migrated. Every change waits for its task
// to succeed. Matching is Meilisearch's own, helped by a field of characters and
// pairs of neighbours so that a part of a Chinese word is found; what a hit shows
// is cut into Segments here, so no mark of the server is ever taken for text.
//
// It knows nothing of the store, of HTTP handlers, or of who may see what.
package meili

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/meilisearch/meilisearch-go"

	"taihu/indexer"
)

// Config says where the server is.
type Config struct {
	URL string // such as http://127.0.0.1:7700
	// Key is the master key or one that may do everything with the indexes named
	// below. It is sent to the server and never logged.
	Key string
	// Index begins the names of our indexes on the server; empty is "taihu".
	Index string
	// SearchTimeout ends a search that takes too long; 0 is 3 s.
	SearchTimeout time.Duration
	// EntryTimeout is what organizations, columns and values have to be among the
	// suggestions for what is being typed; what comes later is left out. 0 is 40 ms.
	EntryTimeout time.Duration
	// ChangeTimeout ends the wait for one task; 0 is 5 min. A rebuild has many.
	ChangeTimeout time.Duration
	// Transport replaces the HTTP transport, in tests.
	Transport http.RoundTripper
	// Clock names the index of a rebuild; nil is time.Now.
	Clock func() time.Time
}

// Index implements indexer.Index. Any number of goroutines and processes may use
// one server's index.
//
// An older document never overwrites a newer one: within a process one change
// runs at a time and looks at the versions first. Two processes that look at the
// same time could still put theirs in the wrong order; indexer.Sync reads the
// source again after every put and mends that before it ends.
type Index struct {
	server meilisearch.ServiceManager
	name   string
	config Config
	writer chan struct{}
	slow   slowEntries
	// Guarded by writer:
	ready    bool                // the index exists with our settings
	synonyms map[string][]string // as last set here; nil where they never were
}

var _ indexer.Index = (*Index)(nil)

// Open makes the client of an index. It sends nothing: a server that is down is
// noticed by the first call.
func Open(c Config) *Index {
	if c.Index == "" {
		c.Index = "taihu"
	}
	if c.EntryTimeout == 0 {
		c.EntryTimeout = 40 * time.Millisecond
	}
	if c.SearchTimeout == 0 {
		c.SearchTimeout = 3 * time.Second
	}
	if c.ChangeTimeout == 0 {
		c.ChangeTimeout = 5 * time.Minute
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	server := meilisearch.New(c.URL, meilisearch.WithAPIKey(c.Key), meilisearch.DisableRetries(),
		meilisearch.WithCustomJsonUnmarshaler(readAnswer),
		meilisearch.WithCustomClient(&http.Client{Transport: c.Transport}))
	return &Index{server: server, name: c.Index + formVersion, config: c, writer: make(chan struct{}, 1)}
}

// readAnswer reads the answers to searches, which are long, by a faster library; it is
// stricter than the client's other types are made for.
func readAnswer(body []byte, into any) error {
	if answer, is := into.(*meilisearch.MultiSearchResponse); is {
		return jsonv2.Unmarshal(body, answer)
	}
	return json.Unmarshal(body, into)
}

func newTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.Proxy = nil
	// The server writes a compressed answer in two packets and holds the second
	// back until the first is acknowledged, 40 ms later.
	t.DisableCompression = true
	return t
}

func (x *Index) lockWriter(ctx context.Context) error {
	select {
	case x.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return x.failed("wait for another change", ctx.Err())
	}
}

func (x *Index) unlockWriter() { <-x.writer }

// Bounds of what one request carries.
const (
	batchDocuments = 1000
	batchBytes     = 8 << 20
	idsAtOnce      = 500
	versionsAtOnce = 5000
)

// Put implements indexer.Index.
func (x *Index) Put(ctx context.Context, docs ...indexer.Document) error {
	if len(docs) == 0 {
		return nil
	}
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	if err := x.ensure(ctx); err != nil {
		return err
	}
	versions, err := x.versionsOf(ctx, docs)
	if isNoIndex(err) { // wiped since we looked: adding would make one without settings
		x.ready = false
		if err := x.ensure(ctx); err != nil {
			return err
		}
		versions, err = x.versionsOf(ctx, docs)
	}
	if err != nil {
		return x.failed("look at versions", err)
	}
	newest := map[string]int{}
	for i, d := range docs {
		if version, there := versions[d.ID]; there && d.Version < version.Version {
			continue
		}
		versions[d.ID] = indexer.Stamp{Version: d.Version}
		newest[d.ID] = i
	}
	b := batcher{index: x, uid: x.name}
	for i := range docs {
		if n, taken := newest[docs[i].ID]; taken && n == i {
			if err := b.add(ctx, &docs[i]); err != nil {
				return err
			}
		}
	}
	return b.finish(ctx)
}

// versionsOf asks for the versions of docs that are there. Its errors are the
// client's own.
func (x *Index) versionsOf(ctx context.Context, docs []indexer.Document) (map[string]indexer.Stamp, error) {
	versions := map[string]indexer.Stamp{}
	for start := 0; start < len(docs); start += idsAtOnce {
		var ids []string
		for _, d := range docs[start:min(start+idsAtOnce, len(docs))] {
			ids = append(ids, d.ID)
		}
		var page meilisearch.DocumentsResult
		query := &meilisearch.DocumentsQuery{Ids: ids, Fields: []string{"id", "version", "digest"}, Limit: int64(len(ids))}
		if err := x.server.Index(x.name).GetDocumentsWithContext(ctx, query, &page); err != nil {
			return nil, err
		}
		if err := addVersions(versions, page.Results); err != nil {
			return nil, err
		}
	}
	return versions, nil
}

func addVersions(versions map[string]indexer.Stamp, hits meilisearch.Hits) error {
	for _, h := range hits {
		var d struct {
			ID      string `json:"id"`
			Version int64  `json:"version"`
			Digest  string `json:"digest"`
		}
		if err := h.DecodeInto(&d); err != nil {
			return fmt.Errorf("read a version: %w", err)
		}
		versions[d.ID] = indexer.Stamp{Version: d.Version, Digest: d.Digest}
	}
	return nil
}

// Delete implements indexer.Index.
func (x *Index) Delete(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	for start := 0; start < len(ids); start += idsAtOnce {
		task, err := x.server.Index(x.name).DeleteDocumentsWithContext(ctx, ids[start:min(start+idsAtOnce, len(ids))], nil)
		if err == nil {
			err = x.await(ctx, task)
		}
		if isNoIndex(err) {
			return nil
		}
		if err != nil {
			return x.failed("delete documents", err)
		}
	}
	return nil
}

// Stamps implements indexer.Index. It reads the whole index page by page; a
// document that moves between pages meanwhile is seen as missing or twice, which
// makes a drift check sync it once too often.
func (x *Index) Stamps(ctx context.Context) (map[string]indexer.Stamp, error) {
	versions := map[string]indexer.Stamp{}
	for offset := int64(0); ; offset += versionsAtOnce {
		var page meilisearch.DocumentsResult
		query := &meilisearch.DocumentsQuery{Fields: []string{"id", "version", "digest"}, Offset: offset, Limit: versionsAtOnce}
		err := x.server.Index(x.name).GetDocumentsWithContext(ctx, query, &page)
		if isNoIndex(err) {
			return versions, nil
		}
		if err != nil {
			return nil, x.failed("read versions", err)
		}
		if err := addVersions(versions, page.Results); err != nil {
			return nil, err
		}
		if offset+versionsAtOnce >= page.Total {
			return versions, nil
		}
	}
}

// Ping implements indexer.Index: nil where the server is healthy, new enough and
// has our index.
func (x *Index) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, x.config.SearchTimeout)
	defer cancel()
	if _, err := x.server.HealthWithContext(ctx); err != nil {
		return x.failed("ask for health", err)
	}
	if err := x.checkVersion(ctx); err != nil {
		return err
	}
	if _, err := x.server.GetIndexWithContext(ctx, x.name); err != nil {
		return x.failed("ask for the index", err)
	}
	return nil
}

// Close implements indexer.Index. It leaves the server alone.
func (x *Index) Close() error {
	x.server.Close()
	return nil
}

// taskError is a task that ended otherwise than succeeded: nothing was changed.
type taskError struct {
	status, code, message string
}

func (e *taskError) Error() string {
	return fmt.Sprintf("the task %s: %s (%s)", e.status, e.message, e.code)
}

// await waits until a task has succeeded. Its errors are a *taskError or the
// client's own.
func (x *Index) await(ctx context.Context, info *meilisearch.TaskInfo) error {
	ctx, cancel := context.WithTimeout(ctx, x.config.ChangeTimeout)
	defer cancel()
	task, err := x.server.WaitForTaskWithContext(ctx, info.TaskUID, 10*time.Millisecond)
	if err != nil {
		return err
	}
	if task.Status != meilisearch.TaskStatusSucceeded {
		return &taskError{string(task.Status), task.Error.Code, task.Error.Message}
	}
	return nil
}

// isNoIndex reports whether the server has no index of that name.
func isNoIndex(err error) bool {
	var api *meilisearch.Error
	if errors.As(err, &api) {
		return api.MeilisearchApiError.Code == "index_not_found"
	}
	var task *taskError
	return errors.As(err, &task) && task.code == "index_not_found"
}
