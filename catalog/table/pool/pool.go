// Package pool keeps the children that answer table queries, and holds both
// ends of the talk with them: Pool is the parent's side, Serve the child's loop.
// The parent never touches a table's bytes: it sends a request, and relays the
// frames that come back. No end frame, no complete answer.
//
// A child serves one request at a time and keeps the last few tables open, so a
// request goes to the child that knows its table. Children start when first
// needed, are renewed after a while or when grown, and are killed when they do
// not obey. A child's death costs the one request it was serving.
//
// The package knows no DuckDB and no formats: the engine and the encoders are
// given to Serve by cmd.
package pool

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"taihu/catalog"
	"taihu/catalog/child"
	"taihu/catalog/table"
)

// Files gives the parts of a table as local files; blob.Store does.
type Files interface {
	Local(ctx context.Context, sha256 string) (path string, release func(), err error)
}

// Config says how many children there are and how long they may take. Zero
// values are the defaults in brackets.
type Config struct {
	Files Files
	Child child.Spec // how to start one: its arguments must lead to Serve
	Size  int        // children [2]; all but one may be busy with exports, half of them (at least one) with one client

	Queue int           // requests that may wait for a child [64]; one client has a third of it while others wait
	Wait  time.Duration // how long each [10 s]

	RowsTimeout   time.Duration // of a page [20 s]
	ExportTimeout time.Duration // of an export [1 h]
	// MaxCost is the most a page's conditions may cost (table.Plan.Cost); exports,
	// which have more time, may cost ExportCosts times as much. 0: anything.
	MaxCost      int64
	Recycle      int   // requests after which a child is renewed [2000]
	RecycleBytes int64 // resident set above which it is [384 MiB]

	Log *slog.Logger // [slog.Default()]
}

// ExportCosts is how many times the cost of a page an export may have.
const ExportCosts = 10

// obey is how long a child may take to give up a cancelled request.
const obey = 2 * time.Second

// Pool answers queries through children. It is safe for concurrent use.
type Pool struct {
	config Config
	ctx    context.Context // ends with the pool
	cancel context.CancelFunc

	mu      sync.Mutex
	workers []*worker
	waiting []*waiter
	exports int // workers busy with one
	closed  bool
	running sync.WaitGroup // requests
}

// waiter is a request that waits for a worker.
type waiter struct {
	key    string
	also   string // the other table of a comparison
	client string
	export bool
	ready  chan *worker // nil: its place went to another client
}

// New returns a pool; its children start with the first requests.
func New(c Config) *Pool {
	or := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	or(&c.Wait, 10*time.Second)
	or(&c.RowsTimeout, 20*time.Second)
	or(&c.ExportTimeout, time.Hour)
	if c.Size <= 0 {
		c.Size = 2
	}
	if c.Queue <= 0 {
		c.Queue = 64
	}
	if c.Recycle <= 0 {
		c.Recycle = 2000
	}
	if c.RecycleBytes <= 0 {
		c.RecycleBytes = 384 << 20
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	p := &Pool{config: c}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for range c.Size {
		p.workers = append(p.workers, &worker{pool: p})
	}
	return p
}

// Config returns the settings in force, defaults filled in.
func (p *Pool) Config() Config { return p.config }

// Close ends every child, also in the middle of a request, and waits until none
// is left. Requests afterwards are Unavailable.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.running.Wait()
	for _, w := range p.workers {
		_ = w.stop(child.Cancelled)
	}
	return nil
}

// Result is what the child counted and hashed of an export.
type Result struct {
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ExportOptions says in what form an export is wanted, and by whom.
type ExportOptions struct {
	Format string
	Meta   json.RawMessage // given to the encoder in the child as it is
	Client string          // as in RowsOptions
}

// Export writes the answer to params in a format to w, as it comes, whole or
// with an error: what was written before an error is not a file, and the caller
// must make that visible. params.Limit 0 is every row.
//
// Errors: those of table.Parse and Query.Check and of the encoder; Unavailable
// busy (with retry_after in seconds) and query_failed; Unprocessable
// query_too_expensive; of w and of ctx as they are.
func (p *Pool) Export(ctx context.Context, t *catalog.Table, params table.Params, opt ExportOptions, w io.Writer) (Result, error) {
	r := request{Export: true, Params: params, Format: opt.Format, Meta: opt.Meta, client: opt.Client}
	e, err := p.ask(ctx, t, r, func(kind byte, b []byte) error {
		_, err := w.Write(b)
		return err
	})
	return e.Result, err
}

// ask sends a request about t to a child, gives each data and cells frame to
// take, and returns the end.
func (p *Pool) ask(ctx context.Context, t *catalog.Table, r request, take func(kind byte, payload []byte) error) (end, error) {
	if err := p.afford(t, &r); err != nil {
		return end{}, err
	}
	source, release, err := p.source(ctx, t)
	if err != nil {
		return end{}, err
	}
	defer release()
	r.Source = source
	me := &waiter{key: keyOf(source), client: r.client, export: r.Export, ready: make(chan *worker, 1)}
	if r.Diff != nil {
		old, release, err := p.source(ctx, r.Diff.table)
		if err != nil {
			return end{}, err
		}
		defer release()
		r.Diff.Source, me.also = old, keyOf(old)
	}
	if r.Join != nil && r.Join.table != nil {
		other, release, err := p.source(ctx, r.Join.table)
		if err != nil {
			return end{}, err
		}
		defer release()
		r.Join.Source, me.also = other, keyOf(other)
	}
	w, err := p.acquire(ctx, me, r.Options.Wait)
	if err != nil {
		return end{}, err
	}
	defer p.release(w, r.Export)

	timeout := p.config.RowsTimeout
	if r.Export {
		timeout = p.config.ExportTimeout
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, errTooLong)
	defer cancel()
	began := time.Now()
	e, err := w.exchange(limited, r, take)
	// One line for each time a child works: where one answer serves many, it is one.
	p.config.Log.DebugContext(ctx, "query child worked", "table", source.ID, "export", r.Export, "format", r.Format, "rows", e.Result.Rows, "bytes", e.Result.Bytes,
		"took", time.Since(began), "whole", err == nil)
	return e, p.explain(ctx, err, source.ID)
}

// afford refuses a query whose conditions cost too much, before it takes a
// child's time.
func (p *Pool) afford(t *catalog.Table, r *request) error {
	most := p.config.MaxCost
	if r.Export {
		most *= ExportCosts
	}
	if most <= 0 || r.Params.Where == "" && r.Params.Q == "" && r.Params.Bbox == "" && r.Params.Near == "" && r.Params.Having == "" {
		return nil
	}
	q, err := table.Parse(r.Params)
	if err != nil {
		return err
	}
	plan, err := q.CheckTable(t.TableSHA256, &t.Schema)
	if err != nil {
		return err
	}
	cost := plan.Cost(t.Rows)
	if cost <= most {
		return nil
	}
	const million = 1_000_000
	return catalog.Errorf(catalog.Unprocessable, "query_too_expensive",
		"this condition comes to some %d million comparisons over %d rows, where contains, starts and each word of q count twenty; one query may make %d million: use fewer terms, = or in instead of contains, or download the table",
		cost/million, t.Rows, most/million).
		InChinese("这个条件对%[2]d行约需%[1]d百万次比较（contains、starts与q的每个词按二十次计），一次查询最多%[3]d百万次：请减少条件，用=或in代替contains，或下载整表", cost/million, t.Rows, most/million).
		With("cost", cost).With("most", most).With("rows", t.Rows)
}

// errTooLong is the cause of a request that used up its time.
var errTooLong = errors.New("query took too long")

// explain turns the ways in which a request can fail into errors for users.
func (p *Pool) explain(ctx context.Context, err error, id string) error {
	var death *child.Death
	switch {
	case err == nil || catalog.KindOf(err) != "":
		return err
	case p.ctx.Err() != nil:
		return unavailable("query_failed", "the portal is stopping: try again in a minute", "系统正在停止：请稍后再试").Because(err)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, errTooLong):
		return tooExpensive(err)
	case errors.As(err, &death):
		p.config.Log.Warn("query child died", "reason", string(death.Reason), "error", death.Error(), "table", id, "stderr", death.Stderr)
		if death.Reason == child.Memory || death.Reason == child.Time {
			return tooExpensive(err)
		}
		return unavailable("query_failed", "this query failed: try again", "查询失败：请重试").Because(err)
	}
	return err
}

func tooExpensive(err error) error {
	return catalog.Errorf(catalog.Unprocessable, "query_too_expensive",
		"this query needs more time or memory than it may have: filter first, sort by fewer columns, or download the table").
		InChinese("查询所需时间或内存超出限额：请先筛选、减少排序列，或下载整表").Because(err)
}

func unavailable(code, message, zh string) *catalog.Error {
	return catalog.Errorf(catalog.Unavailable, code, "%s", message).InChinese("%s", zh).With("retry_after", 2)
}

// source makes t's parts local. release gives them back.
func (p *Pool) source(ctx context.Context, t *catalog.Table) (s table.Source, release func(), err error) {
	s = table.Source{ID: t.TableSHA256, Schema: t.Schema, Rows: t.Rows}
	var releases []func()
	release = func() {
		for _, r := range releases {
			r()
		}
	}
	for _, part := range t.Parts {
		path, done, err := p.config.Files.Local(ctx, part.Blob.SHA256)
		if err != nil {
			release()
			return s, nil, err
		}
		releases = append(releases, done)
		s.Parts = append(s.Parts, path)
	}
	return s, release, nil
}

// keyOf names an opened table: the same bytes at other paths are opened anew.
func keyOf(s table.Source) string { return s.ID + "\x00" + strings.Join(s.Parts, "\x00") }

// acquire returns a worker for one request, waiting in the queue for it: wait, or
// where that is 0 as long as the pool allows.
func (p *Pool) acquire(ctx context.Context, me *waiter, wait time.Duration) (*worker, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, unavailable("query_failed", "the portal is stopping: try again in a minute", "系统正在停止：请稍后再试")
	}
	if w := p.pick(me); w != nil {
		p.mu.Unlock()
		return w, nil
	}
	if !p.enqueue(me) {
		p.mu.Unlock()
		return nil, busy()
	}
	p.mu.Unlock()

	if wait <= 0 || wait > p.config.Wait {
		wait = p.config.Wait
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var err error
	select {
	case w := <-me.ready:
		if w == nil {
			return nil, busy()
		}
		return w, nil
	case <-timer.C:
		err = busy()
	case <-p.ctx.Done():
		err = unavailable("query_failed", "the portal is stopping: try again in a minute", "系统正在停止：请稍后再试")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.mu.Lock()
	i := slices.Index(p.waiting, me)
	if i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 { // answered in the same moment
		if w := <-me.ready; w != nil {
			p.release(w, me.export)
		}
	}
	return nil, err
}

func busy() error {
	return unavailable("busy", "too many queries are running: try again in a few seconds", "查询过多：请几秒后再试")
}

// pick takes an idle worker: one that has the table open, else one with room for
// it, else a new one, else the one unused for longest; nil where there is none, or
// none for this request. p.mu is held.
func (p *Pool) pick(q *waiter) *worker {
	if q.export && p.exports >= max(1, p.config.Size-1) {
		return nil // a page must not wait behind downloads of many minutes
	}
	if share, _ := p.config.Shares(); q.client != "" && p.held(q.client) >= share {
		return nil
	}
	var best *worker
	rank := 0
	for _, w := range p.workers {
		if w.busy {
			continue
		}
		r := 1
		switch {
		case slices.Contains(w.tables, q.key) && (q.also == "" || slices.Contains(w.tables, q.also)):
			r = 4
		case len(w.tables) > 0 && len(w.tables) < warmTables:
			r = 3
		case len(w.tables) == 0:
			r = 2
		}
		if r > rank || r == rank && w.used.Before(best.used) {
			best, rank = w, r
		}
	}
	if best == nil {
		return nil
	}
	best.busy, best.client, best.used = true, q.client, time.Now()
	if q.also != "" {
		best.remember(q.also)
	}
	best.remember(q.key)
	if q.export {
		p.exports++
	}
	p.running.Add(1)
	return best
}

// release gives a worker back and on to who waits.
func (p *Pool) release(w *worker, export bool) {
	w.renew()
	p.mu.Lock()
	defer p.mu.Unlock()
	w.busy = false
	if export {
		p.exports--
	}
	p.running.Done()
	if p.closed {
		return
	}
	for p.next() {
	}
}
