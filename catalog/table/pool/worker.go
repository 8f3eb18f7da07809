package pool

import (
	"context"
	"encoding/json"
	"fmt"

	"slices"
	"sync"
	"time"

	"taihu/catalog/child"
)

// worker is a place for a child. All but busy, client, used and tables, which the
// pool's lock guards, belongs to the request that has the worker.
type worker struct {
	pool   *Pool
	busy   bool
	client string // for whom it is, or was, busy
	used   time.Time
	tables []string // that the child has open, least recently used first

	proc   *child.Process
	served int
	broken bool // the child may no longer be talked to
	last   uint64
	stdin  sync.Mutex // a request and a cancel must not mix
	buf    []byte
}

// remember mirrors the child's own list of open tables.
func (w *worker) remember(key string) {
	w.tables = touch(w.tables, key)
	if len(w.tables) > warmTables {
		w.tables = slices.Delete(w.tables, 0, 1)
	}
}

// touch moves key to the end of a list, adding it where it is missing.
func touch(list []string, key string) []string {
	if i := slices.Index(list, key); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	return append(list, key)
}

// ready starts a child where there is none or it died while idle.
func (w *worker) ready() error {
	if w.proc != nil {
		select {
		case <-w.proc.Done():
			_ = w.stop(child.Crashed)
			w.forget()
		default:
			return nil
		}
	}
	proc, err := child.Start(w.pool.ctx, w.pool.config.Child)
	if err != nil {
		return fmt.Errorf("start query child: %w", err)
	}
	w.proc, w.served, w.broken = proc, 0, false
	return nil
}

// stop ends the child, if there is one, and waits for its end.
func (w *worker) stop(why child.Reason) error {
	if w.proc == nil {
		return nil
	}
	w.proc.Kill(why)
	err := w.proc.Wait()
	w.proc = nil
	return err
}

// renew ends a child that broke, served long enough or grew too large; the next
// request starts another.
func (w *worker) renew() {
	if w.proc != nil && (w.broken || w.served >= w.pool.config.Recycle || w.proc.RSS() > w.pool.config.RecycleBytes) {
		_ = w.stop(child.Cancelled)
	}
	if w.proc == nil {
		w.forget()
	}
}

// forget empties the list of tables that a child had open which is no more.
func (w *worker) forget() {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.tables = nil
}

// exchange sends a request and reads frames until the end or an error. Where ctx
// ends first or take fails, the child is told to give up, and killed where it
// does not within two seconds. A *child.Death tells that it died.
func (w *worker) exchange(ctx context.Context, r request, take func(kind byte, payload []byte) error) (end, error) {
	if err := w.ready(); err != nil {
		return end{}, err
	}
	proc := w.proc
	w.served++
	w.last++
	r.ID = w.last
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	answered := make(chan struct{})
	gaveUp := make(chan struct{})
	killed := false // valid once gaveUp is closed
	stop := context.AfterFunc(ctx, func() {
		defer close(gaveUp)
		killed = w.giveUp(proc, r.ID, answered)
	})
	e, err := w.talk(r, take, giveUp)
	close(answered)
	if !stop() {
		<-gaveUp
		w.broken = w.broken || killed
	}
	if err == nil {
		return e, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return end{}, cause
	}
	if w.broken {
		// A broken pipe is only how we learn of it: the reason is in its death.
		if death := w.stop(child.Crashed); death != nil {
			return end{}, death
		}
		return end{}, &child.Death{Reason: child.Crashed, Stderr: err.Error()} // it said goodbye too early
	}
	return end{}, err
}

// giveUp tells the child to stop working on a request, then makes it.
func (w *worker) giveUp(proc *child.Process, id uint64, answered <-chan struct{}) (killed bool) {
	timer := time.NewTimer(obey)
	defer timer.Stop()
	go func() { // a child that does not read must not hold us up
		w.stdin.Lock()
		defer w.stdin.Unlock()
		_ = writeFrame(proc.Stdin, frameCancel, id)
	}()
	select {
	case <-answered:
		return false
	case <-timer.C:
		proc.Kill(child.Cancelled)
		return true
	}
}

// talk is one request and its answer. After an error of take it reads on, so
// that the child can come to its end.
func (w *worker) talk(r request, take func(byte, []byte) error, giveUp context.CancelCauseFunc) (end, error) {
	w.stdin.Lock()
	err := writeFrame(w.proc.Stdin, frameRequest, r)
	w.stdin.Unlock()
	if err != nil {
		w.broken = true
		return end{}, fmt.Errorf("ask query child: %w", err)
	}
	var refused error
	for {
		kind, payload, err := readFrame(w.proc.Stdout, &w.buf)
		if err != nil {
			w.broken = true
			return end{}, fmt.Errorf("query child ended its answer early: %w", err)
		}
		switch kind {
		case frameData, frameCells:
			if refused == nil {
				if refused = take(kind, payload); refused != nil {
					giveUp(refused)
				}
			}
		case frameEnd:
			var e end
			if err := json.Unmarshal(payload, &e); err != nil {
				w.broken = true
				return end{}, fmt.Errorf("read end of query child: %w", err)
			}
			return e, refused
		case frameError:
			var e wireError
			if err := json.Unmarshal(payload, &e); err != nil {
				w.broken = true
				return end{}, fmt.Errorf("read error of query child: %w", err)
			}
			return end{}, e.err()
		default:
			w.broken = true
			return end{}, fmt.Errorf("query child sent a frame of unknown kind %q", kind)
		}
	}
}
