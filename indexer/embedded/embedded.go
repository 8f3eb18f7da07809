// Package embedded is the search index that lives inside the portal's process:
// an inverted index in memory over a log of documents in a folder of its own.
//
// Chinese is matched by single characters and pairs of neighbours, so a word, a
// part of a word and one character are all found without a dictionary; words of
// letters are matched whole, the last one of a query also as a beginning. Facets
// are counted over columns of numbers beside the text. The folder holds one log
// (log.go) and is disposable: where it is missing or damaged the index starts
// with what can be read and Damage says that a rebuild is due.
//
// It knows nothing of the store, of HTTP, or of who may see what.
package embedded

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"taihu/catalog"
	"taihu/indexer"
)

const (
	logName      = "documents.log"
	nextName     = "documents.next" // a log being built; worthless after a crash
	oldName      = "documents.old"  // the log that the last Rebuild replaced
	swapName     = "documents.swap" // only between two renames of Rollback
	batchSize    = 500              // documents of one record during a rebuild
	applyAtOnce  = 64               // documents put into memory under one lock, so that searches wait little
	compactAbove = 16 << 20         // bytes of replaced documents worth a new log
)

// Index implements indexer.Index. Any number of goroutines may use it; one
// process may have a folder open.
type Index struct {
	folder string
	unlock func()
	// writer is held by whoever changes the index; a channel, so that waiting for
	// it ends with the context.
	writer chan struct{}
	damage string
	// loaded is closed when the log has been read, or could not be: then broken says
	// why. stop ends the reading.
	loaded chan struct{}
	broken error
	stop   context.CancelFunc

	mu       sync.RWMutex // guards current and its contents: searches read
	current  *generation  // nil until the log has been read
	synonyms *thesaurus
	closed   bool
}

var _ indexer.Index = (*Index)(nil)

// generation is one log and what is in memory of it.
type generation struct {
	log   *log
	terms *inverted
}

// ErrLocked is Open's answer where another process has the folder.
var ErrLocked = errors.New("another process, such as a running portal, has it open")

// Open opens the index in folder, which is made where it is missing, and waits until
// it has been read. It fails where another process has it open.
func Open(folder string) (*Index, error) {
	x, err := Begin(folder)
	if err != nil {
		return nil, err
	}
	if err := x.Loaded(context.Background()); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// Begin opens the index as Open does and lets its log be read in the background: 11 s
// for 100,000 datasets on two cores. Until that has ended the index answers
// Unavailable.
func Begin(folder string) (*Index, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("open search index: %w", err)
	}
	unlock, err := lockFolder(filepath.Join(folder, "lock"))
	if err != nil {
		return nil, fmt.Errorf("open search index %s: %w", folder, err)
	}
	x := &Index{folder: folder, unlock: unlock, writer: make(chan struct{}, 1), loaded: make(chan struct{})}
	if err := x.recoverNames(); err != nil {
		unlock()
		return nil, fmt.Errorf("open search index: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	go func() {
		defer close(x.loaded)
		if err := x.load(ctx); err != nil {
			x.broken = fmt.Errorf("open search index: %w", err)
		}
	}()
	return x, nil
}

// Loaded waits until the log has been read, and returns why it could not be; or the
// error of ctx where that ends before.
func (x *Index) Loaded(ctx context.Context) error {
	select {
	case <-x.loaded:
		return x.broken
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ready returns nil once the index can be asked and changed, and Unavailable before.
func (x *Index) ready() error {
	select {
	case <-x.loaded:
		if x.broken != nil {
			return unavailable(x.broken)
		}
		return nil
	default:
		return catalog.Errorf(catalog.Unavailable, "search_unavailable", "the search index is still being read from the disk").
			InChinese("检索索引正在从磁盘载入")
	}
}

// Damage says why what is in the index may be less than what was put there and a
// rebuild is due: the folder was new, or its log could not be read to the end.
// It is empty where all is well, after a rebuild, and before the log has been read.
func (x *Index) Damage() string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.damage
}

func (x *Index) load(ctx context.Context) error {
	name := filepath.Join(x.folder, logName)
	isNew := ""
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		isNew = "the search index is new"
	}
	terms := newInverted()
	l, damage, err := openLog(ctx, name, terms)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.current, x.damage = &generation{log: l, terms: terms}, cmp.Or(damage, isNew)
	return nil
}

// errClosed is what a closed index answers.
func errClosed() error {
	return catalog.Errorf(catalog.Unavailable, "search_unavailable", "the search index is closed").InChinese("检索服务已停止")
}

// lockReader takes the right to read what is in memory, which unlock gives back.
func (x *Index) lockReader() (unlock func(), err error) {
	if err := x.ready(); err != nil {
		return nil, err
	}
	x.mu.RLock()
	if x.closed {
		x.mu.RUnlock()
		return nil, errClosed()
	}
	return x.mu.RUnlock, nil
}

// lockWriter takes the right to change the index.
func (x *Index) lockWriter(ctx context.Context) error {
	if err := x.ready(); err != nil {
		return err
	}
	select {
	case x.writer <- struct{}{}:
	case <-ctx.Done():
		return ended(ctx)
	}
	if x.closed { // written only by Close, which holds writer
		<-x.writer
		return errClosed()
	}
	return nil
}

func (x *Index) unlockWriter() { <-x.writer }

// Put implements indexer.Index. All documents of one call become durable and
// searchable together or, on an error, none.
func (x *Index) Put(ctx context.Context, docs ...indexer.Document) error {
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	g := x.current // only the writer replaces it
	entries := make([]entry, 0, len(docs))
	newest := map[string]int64{}
	for i := range docs {
		d := &docs[i]
		version, there := newest[d.ID]
		if !there {
			version, there = g.terms.version(d.ID)
		}
		if there && d.Version < version {
			continue
		}
		newest[d.ID] = d.Version
		entries = append(entries, entry{prepared: &prepared{doc: d}})
	}
	if len(entries) == 0 {
		return nil
	}
	var batches []*batch
	for some := range slices.Chunk(entries, applyAtOnce) {
		b, err := prepare(some)
		if err != nil {
			return err
		}
		batches = append(batches, b)
	}
	if err := g.log.append(entries, true); err != nil {
		return unavailable(err)
	}
	for _, b := range batches {
		x.mu.Lock()
		g.terms.put(b)
		g.terms.settle(false)
		x.mu.Unlock()
	}
	return x.compact(ctx)
}

// Delete implements indexer.Index.
func (x *Index) Delete(ctx context.Context, ids ...string) error {
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	g := x.current
	var entries []entry
	for _, id := range ids {
		if _, there := g.terms.version(id); there {
			entries = append(entries, entry{deleted: id})
		}
	}
	if len(entries) == 0 {
		return nil
	}
	if err := g.log.append(entries, true); err != nil {
		return unavailable(err)
	}
	x.mu.Lock()
	for _, e := range entries {
		g.terms.delete(e.deleted)
	}
	x.mu.Unlock()
	return x.compact(ctx)
}

// Stamps implements indexer.Index.
func (x *Index) Stamps(context.Context) (map[string]indexer.Stamp, error) {
	unlock, err := x.lockReader()
	if err != nil {
		return nil, err
	}
	defer unlock()
	return x.current.terms.stamps(), nil
}

// Rebuild implements indexer.Index. Puts and deletes wait for its end; searches
// do not.
func (x *Index) Rebuild(ctx context.Context, docs iter.Seq2[indexer.Document, error], accept func(context.Context, indexer.Searcher) error) error {
	if err := x.lockWriter(ctx); err != nil {
		return err
	}
	defer x.unlockWriter()
	return x.rebuild(ctx, docs, func(g *generation) error {
		if accept == nil {
			return nil
		}
		x.mu.RLock()
		next := candidate{g, x.synonyms}
		x.mu.RUnlock()
		return accept(ctx, next)
	}, true)
}

// candidate lets an index be searched that is built and not yet in its place.
type candidate struct {
	*generation
	synonyms *thesaurus
}

func (c candidate) Search(ctx context.Context, q indexer.Query) (indexer.Result, error) {
	return c.search(ctx, q, c.synonyms)
}

func (c candidate) Suggest(_ context.Context, text, lang string, limit int) ([]indexer.Suggestion, error) {
	return c.suggest(text, lang, limit, c.synonyms)
}

// rebuild makes a new log of docs and puts it in the place of the present one, which
// it keeps for Rollback where keep is set.
func (x *Index) rebuild(ctx context.Context, docs iter.Seq2[indexer.Document, error], accept func(*generation) error, keep bool) error {
	next := x.path(nextName)
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err)
	}
	terms := newInverted()
	l, _, err := openLog(ctx, next, terms)
	if err != nil {
		return unavailable(err)
	}
	g := &generation{log: l, terms: terms}
	err = g.fill(ctx, docs)
	if err == nil {
		err = accept(g)
	}
	if err != nil {
		l.close()
		_ = os.Remove(next) // also removed by the next Open
		return err
	}
	if err := x.replace(l, keep); err != nil {
		l.close()
		return unavailable(err)
	}
	x.mu.Lock()
	old := x.current
	x.current, x.damage = g, ""
	x.mu.Unlock()
	old.log.close()
	return nil
}

// fill puts docs into a generation that nobody searches yet, and syncs its log. One
// batch is cut up while the one before is written and put.
func (g *generation) fill(ctx context.Context, docs iter.Seq2[indexer.Document, error]) error {
	var work preparer
	put := func(b *batch) error {
		if err := b.err(); err != nil {
			return err
		}
		if err := g.log.append(b.entries, false); err != nil {
			return unavailable(err)
		}
		g.terms.put(b)
		return nil
	}
	defer work.end()
	var entries []entry
	for d, err := range docs {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		entries = append(entries, entry{prepared: &prepared{doc: &d}})
		if len(entries) == batchSize {
			if err := work.next(entries, put); err != nil {
				return err
			}
			entries = nil
		}
	}
	for _, last := range [][]entry{entries, nil} {
		if err := work.next(last, put); err != nil {
			return err
		}
	}
	g.terms.settle(true)
	if err := g.log.sync(); err != nil {
		return unavailable(err)
	}
	return nil
}

// compact writes a new log where more than half of the present one is replaced
// documents. The caller holds writer.
func (x *Index) compact(ctx context.Context) error {
	live := x.current.terms.liveBytes
	if dead := x.current.log.size - live; dead < compactAbove || dead < live {
		return nil
	}
	damage := x.damage
	if err := x.rebuild(ctx, x.documents(ctx), func(*generation) error { return nil }, false); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the change itself is done; the next one compacts
		}
		return err
	}
	x.mu.Lock()
	x.damage = damage // its documents are no more complete than before
	x.mu.Unlock()
	return nil
}

// documents reads every document back from the log.
func (x *Index) documents(ctx context.Context) iter.Seq2[indexer.Document, error] {
	return func(yield func(indexer.Document, error) bool) {
		g := x.current
		for n := range g.terms.docs {
			if !g.terms.alive.has(uint32(n)) {
				continue
			}
			d, err := g.document(uint32(n))
			if err == nil {
				err = ctx.Err()
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

func (g *generation) document(n uint32) (indexer.Document, error) {
	var d indexer.Document
	info := &g.terms.docs[n]
	body, err := g.log.read(info.at, info.size)
	if err != nil {
		return d, unavailable(err)
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return d, unavailable(err)
	}
	return d, nil
}

// Ping implements indexer.Index.
func (x *Index) Ping(context.Context) error {
	unlock, err := x.lockReader()
	if err != nil {
		return err
	}
	unlock()
	return nil
}

// Close implements indexer.Index. It waits for a change that is under way.
func (x *Index) Close() error {
	x.stop()
	<-x.loaded
	x.writer <- struct{}{}
	defer x.unlockWriter()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	if x.current != nil {
		x.current.log.close()
	}
	x.unlock()
	return nil
}

// ended returns nil while ctx lasts, Unavailable when its deadline passed, and
// the context's error where the caller gave up.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error {
	return catalog.Errorf(catalog.Unavailable, "search_unavailable", "the search index cannot be read or written now").
		InChinese("检索服务暂时不可用").Because(err)
}
