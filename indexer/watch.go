package indexer

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"taihu/catalog"
)

// Watched is an Index that is looked after: how fast and how often it answers, and
// what the last checks found. While the engine does not answer it is not asked:
// after a few failures in a row calls are answered Unavailable at once, so that no
// page waits for a server that is gone and no job stands in the others' way, until
// it answers again. Changes that were under way when it was given up are broken
// off. Ping, Rebuild, Rollback, SetSynonyms and Canary always reach the engine.
type Watched struct {
	Index
	clock catalog.Clock
	back  chan struct{}

	mu      sync.Mutex
	health  Health
	inARow  int       // failures since the last success
	closed  time.Time // until when nothing is asked, while Away
	trying  bool      // one call is on its way to see whether it answers again
	took    []time.Duration
	next    int
	changes context.Context // ends when the engine is seen to hang
	giveUp  context.CancelFunc
}

// Health is what is known of an index in this process.
type Health struct {
	Engine      string
	Away        bool // it is not asked now
	Since       time.Time
	Searches    int64 // answered since the start
	Failures    int64
	LastFailure time.Time
	LastError   string
	P50, P99    time.Duration // of the last answered searches and suggestions
	Changed     time.Time     // last put or deletion

	Drift      Report // the last check that came to its end
	DriftAt    time.Time
	DriftError string // of the last check; empty where it came to its end

	Canary      time.Duration
	CanaryAt    time.Time
	CanaryError string
}

const (
	awayAfter   = 3                // failures in a row
	awayFor     = 5 * time.Second  // before one call is let through again
	forgetAfter = time.Minute      // failures farther apart are not in a row
	probeEvery  = 5 * time.Second  // of Watch
	probeTime   = 3 * time.Second  // what it gives the engine
	keptTimes   = 500              // searches that P50 and P99 are of
	shortError  = 300              // bytes of an error that Health keeps
	canaryTime  = 30 * time.Second // what a canary may take
)

// NewWatched wraps an engine of that name.
func NewWatched(x Index, engine string, clock catalog.Clock) *Watched {
	w := &Watched{Index: x, clock: clock, back: make(chan struct{}, 1), health: Health{Engine: engine}}
	w.changes, w.giveUp = context.WithCancel(context.Background())
	return w
}

// Back receives when the engine answers again after it was away: what it missed is
// then due.
func (w *Watched) Back() <-chan struct{} { return w.back }

// Health returns what is known now.
func (w *Watched) Health() Health {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.health
	if n := len(w.took); n > 0 {
		sorted := slices.Sorted(slices.Values(w.took))
		h.P50, h.P99 = sorted[n/2], sorted[n*99/100]
	}
	return h
}

// begin asks whether the engine may be asked.
func (w *Watched) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.health.Away {
		return nil
	}
	if w.trying || w.clock().Before(w.closed) {
		return catalog.Errorf(catalog.Unavailable, "search_unavailable", "search is not available now").InChinese("检索服务暂时不可用").
			Because(errors.New("the engine does not answer and is not asked for a moment: " + w.health.LastError))
	}
	w.trying = true
	return nil
}

// end notes how a call ended. An error that is not the engine's (of the question, or
// of a caller who gave up) says nothing about it.
func (w *Watched) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.inARow, w.trying = 0, false
		if w.health.Away {
			w.health.Away, w.health.Since = false, w.clock()
			select {
			case w.back <- struct{}{}:
			default:
			}
		}
	case catalog.KindOf(err) == catalog.Unavailable:
		now := w.clock()
		if now.Sub(w.health.LastFailure) > forgetAfter {
			w.inARow = 0
		}
		w.inARow++
		w.trying = false
		w.health.Failures++
		w.health.LastFailure, w.health.LastError = now, brief(err)
		if !w.health.Away && w.inARow >= awayAfter {
			w.health.Away, w.health.Since = true, now
		}
		if w.health.Away {
			w.closed = now.Add(awayFor)
		}
	default:
		w.trying = false
	}
}

// breakOff ends the changes that wait for an engine that is away and hangs.
func (w *Watched) breakOff() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.health.Away {
		w.giveUp()
		w.changes, w.giveUp = context.WithCancel(context.Background())
	}
}

func brief(err error) string {
	s := err.Error()
	return s[:min(len(s), shortError)]
}

func (w *Watched) ask(f func() error) error {
	if err := w.begin(); err != nil {
		return err
	}
	began := time.Now()
	err := f()
	w.end(err)
	if err == nil {
		w.mu.Lock()
		w.health.Searches++
		if took := time.Since(began); len(w.took) < keptTimes {
			w.took = append(w.took, took)
		} else {
			w.took[w.next] = took
			w.next = (w.next + 1) % keptTimes
		}
		w.mu.Unlock()
	}
	return err
}

// Search implements Searcher.
func (w *Watched) Search(ctx context.Context, q Query) (result Result, err error) {
	err = w.ask(func() error { result, err = w.Index.Search(ctx, q); return err })
	return result, err
}

// Suggest implements Searcher.
func (w *Watched) Suggest(ctx context.Context, text, lang string, limit int) (list []Suggestion, err error) {
	err = w.ask(func() error { list, err = w.Index.Suggest(ctx, text, lang, limit); return err })
	return list, err
}

// whileThere runs f with a context that also ends when the engine is seen to hang; its
// error is then Unavailable.
func (w *Watched) whileThere(ctx context.Context, f func(context.Context) error) error {
	w.mu.Lock()
	changes := w.changes
	w.mu.Unlock()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(changes, cancel)()
	err := f(inner)
	if err != nil && ctx.Err() == nil && changes.Err() != nil && errors.Is(err, context.Canceled) {
		return catalog.Errorf(catalog.Unavailable, "search_unavailable", "search is not available now").InChinese("检索服务暂时不可用").Because(err)
	}
	return err
}

func (w *Watched) change(ctx context.Context, f func(context.Context) error) error {
	if err := w.begin(); err != nil {
		return err
	}
	err := w.whileThere(ctx, f)
	w.end(err)
	if err == nil {
		w.mu.Lock()
		w.health.Changed = w.clock()
		w.mu.Unlock()
	}
	return err
}

// Put implements Index.
func (w *Watched) Put(ctx context.Context, docs ...Document) error {
	return w.change(ctx, func(ctx context.Context) error { return w.Index.Put(ctx, docs...) })
}

// Delete implements Index.
func (w *Watched) Delete(ctx context.Context, ids ...string) error {
	return w.change(ctx, func(ctx context.Context) error { return w.Index.Delete(ctx, ids...) })
}

// Stamps implements Index.
func (w *Watched) Stamps(ctx context.Context) (stamps map[string]Stamp, err error) {
	if err := w.begin(); err != nil {
		return nil, err
	}
	stamps, err = w.Index.Stamps(ctx)
	w.end(err)
	return stamps, err
}

// Rebuild implements Index.
func (w *Watched) Rebuild(ctx context.Context, docs iter.Seq2[Document, error], accept func(ctx context.Context, next Searcher) error) error {
	return w.whileThere(ctx, func(ctx context.Context) error { return w.Index.Rebuild(ctx, docs, accept) })
}

// Drift checks the index and notes what was found. It reaches an engine that is
// away too: one that was wiped refuses every search, and comes back by this.
func (w *Watched) Drift(ctx context.Context, src Source) (report Report, err error) {
	err = w.whileThere(ctx, func(ctx context.Context) error { report, err = Drift(ctx, w.Index, src); return err })
	if err != nil {
		w.end(err)
	} else if w.Health().Away { // mended, or slow still
		w.probe(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			w.health.DriftError = brief(err)
		}
		return report, err
	}
	w.health.Drift, w.health.DriftAt, w.health.DriftError = report, w.clock(), ""
	return report, nil
}

// Try runs a canary through the engine and notes how long it took, or why it
// failed.
func (w *Watched) Try(ctx context.Context) (time.Duration, error) {
	limited, cancel := context.WithTimeout(ctx, canaryTime)
	defer cancel()
	took, err := w.Index.Canary(limited)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.health.Canary, w.health.CanaryAt, w.health.CanaryError = took, w.clock(), ""
	case ctx.Err() == nil:
		w.health.CanaryAt, w.health.CanaryError = w.clock(), brief(err)
	}
	return took, err
}

// Watch sees every few seconds whether the engine answers, until ctx ends, so that
// one that stopped answering, or answers again, is noticed without a search.
func (w *Watched) Watch(ctx context.Context) error {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		w.probe(ctx)
	}
}

func (w *Watched) probe(ctx context.Context) {
	w.mu.Lock()
	away := w.health.Away
	w.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	var err error
	if away { // only a search shows that it searches again
		_, err = w.Index.Search(limited, Query{Limit: 1})
	} else {
		err = w.Ping(limited)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		if errors.Is(err, context.DeadlineExceeded) || limited.Err() != nil {
			w.end(catalog.Errorf(catalog.Unavailable, "search_unavailable", "the engine does not answer within %s", probeTime).Because(err))
			w.breakOff() // one that refuses may be on its way back: a rebuild goes on
			return
		}
		w.end(err)
	case away:
		w.end(nil)
	}
}
