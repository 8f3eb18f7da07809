package indexer

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"taihu/catalog"
)

var errDown = catalog.Errorf(catalog.Unavailable, "search_unavailable", "down")

// engine is an index that can be down or hang.
type engine struct {
	simple
	hangs  atomic.Bool
	missed bool // its index is gone: it answers, but finds nothing to search
	asked  atomic.Int64
}

func (e *engine) answer(ctx context.Context) error {
	e.asked.Add(1)
	if e.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return e.fail
}

func (e *engine) Search(ctx context.Context, _ Query) (Result, error) {
	if err := e.answer(ctx); err != nil {
		return Result{}, err
	}
	if e.missed {
		return Result{}, errDown
	}
	time.Sleep(time.Duration(e.asked.Load()) * time.Millisecond)
	return Result{Total: 1}, nil
}

func (e *engine) Suggest(ctx context.Context, _, _ string, _ int) ([]Suggestion, error) {
	return nil, e.answer(ctx)
}

func (e *engine) Ping(ctx context.Context) error { return e.answer(ctx) }

func (e *engine) Put(ctx context.Context, docs ...Document) error {
	if err := e.answer(ctx); err != nil {
		return err
	}
	e.missed = false
	return e.simple.Put(ctx, docs...)
}

func (e *engine) Canary(ctx context.Context) (time.Duration, error) {
	return 7 * time.Millisecond, e.answer(ctx)
}

// fakeClock is the bubble's time.
func fakeClock() time.Time { return time.Now() }

func TestAnEngineThatIsAwayIsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{simple: simple{docs: map[string]Document{}, fail: errDown}}
		w := NewWatched(e, "an engine", fakeClock)
		ctx := t.Context()
		for range awayAfter {
			if _, err := w.Search(ctx, Query{}); !errors.Is(err, errDown) {
				t.Fatalf("%v", err)
			}
		}
		h := w.Health()
		if !h.Away || h.Failures != awayAfter || !strings.Contains(h.LastError, "down") || h.Engine != "an engine" || h.Since.IsZero() {
			t.Fatalf("after %d failures: %+v", awayAfter, h)
		}
		for name, call := range map[string]func() error{
			"search":  func() error { _, err := w.Search(ctx, Query{}); return err },
			"suggest": func() error { _, err := w.Suggest(ctx, "a", "zh", 3); return err },
			"put":     func() error { return w.Put(ctx, Document{ID: "a"}) },
			"delete":  func() error { return w.Delete(ctx, "a") },
			"stamps":  func() error { _, err := w.Stamps(ctx); return err },
		} {
			if err := call(); catalog.KindOf(err) != catalog.Unavailable || e.asked.Load() != awayAfter {
				t.Errorf("%s: %v after %d questions", name, err, e.asked.Load())
			}
		}
		time.Sleep(awayFor)
		_, _ = w.Search(ctx, Query{}) // one is let through
		_, _ = w.Search(ctx, Query{})
		if e.asked.Load() != awayAfter+1 {
			t.Errorf("it was asked %d times, want one more than %d", e.asked.Load(), awayAfter)
		}
		select {
		case <-w.Back():
			t.Error("it is back and does not answer")
		default:
		}
		time.Sleep(awayFor)
		e.fail = nil
		if _, err := w.Search(ctx, Query{}); err != nil || w.Health().Away {
			t.Errorf("it answers again: %v, %+v", err, w.Health())
		}
		select {
		case <-w.Back():
		default:
			t.Error("nobody was told that it is back")
		}
	})
}

func TestFailuresFarApartOrOfTheQuestionAreNotOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		w := NewWatched(e, "", fakeClock)
		for _, err := range []error{errDown, catalog.Errorf(catalog.Invalid, "bad_limit", "x"), context.Canceled, errDown, nil, errDown, errDown, errors.New("ours")} {
			e.fail = err
			_, _ = w.Search(t.Context(), Query{})
		}
		if h := w.Health(); h.Away || h.Failures != 4 || h.Searches != 1 {
			t.Errorf("%+v", h)
		}
		time.Sleep(2 * forgetAfter)
		e.fail = errDown
		_, _ = w.Search(t.Context(), Query{})
		if w.Health().Away {
			t.Error("failures minutes apart are taken as in a row")
		}
	})
}

// TestAChangeThatHangsIsBrokenOff: a server that stopped in the middle is noticed by
// Watch, and a job that waits for it ends.
func TestAChangeThatHangsIsBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{simple: simple{docs: map[string]Document{}}}
		e.hangs.Store(true)
		w := NewWatched(e, "", fakeClock)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = w.Watch(ctx) }()
		began := time.Now()
		err := w.Put(ctx, Document{ID: "a"})
		if catalog.KindOf(err) != catalog.Unavailable || !w.Health().Away {
			t.Errorf("the change said %v; %+v", err, w.Health())
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %s", took)
		}
		src := &changing{docs: map[string]Document{"a": {ID: "a", Version: 1}}}
		began = time.Now()
		hung := make(chan error)
		go func() { _, err := w.Drift(ctx, src); hung <- err }() // simple's stamps do not hang, its put does
		if err := <-hung; catalog.KindOf(err) != catalog.Unavailable || time.Since(began) > time.Minute {
			t.Errorf("a check of an engine that hangs: %v after %s", err, time.Since(began))
		}
		e.hangs.Store(false)
		time.Sleep(2 * probeEvery)
		if w.Health().Away {
			t.Error("Watch does not see that it answers again")
		}
		if report, err := w.Drift(ctx, src); err != nil || report.Missing != 1 || w.Health().Drift != report || w.Health().DriftAt.IsZero() {
			t.Errorf("the check after: %+v, %v, %+v", report, err, w.Health())
		}
		cancel()
	})
}

// TestAWipedEngineComesBackByTheCheck: it refuses every search and is away, but the
// check reaches it, and with what it puts there it is back.
func TestAWipedEngineComesBackByTheCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{simple: simple{docs: map[string]Document{}}, missed: true}
		w := NewWatched(e, "", fakeClock)
		for range awayAfter {
			_, _ = w.Search(t.Context(), Query{})
		}
		src := &changing{docs: map[string]Document{"a": {ID: "a", Version: 1}}}
		if !w.Health().Away {
			t.Fatal("it is not away")
		}
		if report, err := w.Drift(t.Context(), src); err != nil || report.Missing != 1 || w.Health().Away {
			t.Errorf("%+v, %v, %+v", report, err, w.Health())
		}
		<-w.Back()
	})
}

func TestHealthFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{simple: simple{docs: map[string]Document{}, versioned: true}}
		w := NewWatched(e, "", fakeClock)
		for range 2 * keptTimes { // the n-th takes n ms: the last 500 take 501 to 1000
			if _, err := w.Search(t.Context(), Query{}); err != nil {
				t.Fatal(err)
			}
		}
		h := w.Health()
		if h.P50 != 751*time.Millisecond || h.P99 != 996*time.Millisecond || h.Searches != 2*keptTimes || !h.Changed.IsZero() {
			t.Errorf("%+v", h)
		}
		if err := w.Put(t.Context(), Document{ID: "a", Version: 2}); err != nil || w.Health().Changed.IsZero() {
			t.Errorf("%v, %+v", err, w.Health())
		}
		if took, err := w.Try(t.Context()); err != nil || w.Health().Canary != took || w.Health().CanaryAt.IsZero() || w.Health().CanaryError != "" {
			t.Errorf("canary: %v, %+v", err, w.Health())
		}
		e.fail = errDown
		if _, err := w.Try(t.Context()); err == nil || w.Health().CanaryError == "" {
			t.Errorf("canary: %v, %+v", err, w.Health())
		}
		if _, err := w.Drift(t.Context(), &changing{}); err == nil || w.Health().DriftError == "" {
			t.Errorf("drift: %v, %+v", err, w.Health())
		}
	})
}
