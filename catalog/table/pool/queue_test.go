package pool_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

// held is an export that keeps its child, once it has one, until let go.
type held struct {
	client   string
	began    chan struct{}
	letGo    func()
	answered chan error
}

// hold starts an export for a client.
func hold(t *testing.T, p bundle, tab *catalog.Table, client string) *held {
	t.Helper()
	h := &held{client: client, began: make(chan struct{}), answered: make(chan error, 1)}
	gate := make(chan struct{})
	h.letGo = sync.OnceFunc(func() { close(gate) })
	var once sync.Once
	go func() {
		_, err := p.Export(t.Context(), tab, table.Params{}, pool.ExportOptions{Format: "lines", Client: client}, writerFunc(func(b []byte) (int, error) {
			once.Do(func() { close(h.began) })
			<-gate
			return len(b), nil
		}))
		h.answered <- err
	}()
	return h
}

// end lets go and waits for a whole answer.
func (h *held) end(t *testing.T) {
	t.Helper()
	h.letGo()
	if err := <-h.answered; err != nil {
		t.Errorf("%s: %v", h.client, err)
	}
}

// has reports whether the export has a child already.
func (h *held) has() bool {
	select {
	case <-h.began:
		return true
	default:
		return false
	}
}

// queued waits until n requests wait.
func queued(t *testing.T, p bundle, n int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); p.Waiting() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d requests wait, want %d", p.Waiting(), n)
		}
	}
}

// Eight long queries of one reader take half of the children; the light ones of
// others never wait for them.
func TestOneClientHasHalfOfTheChildren(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100)
	p := start(t, dir, func(c *pool.Config) { c.Size, c.Wait = 4, time.Minute })
	var all []*held
	for range 8 {
		all = append(all, hold(t, p, tab, "reader"))
	}
	queued(t, p, 6)
	for i := range 20 {
		_, err := p.Rows(t.Context(), tab, table.Params{Limit: 1}, pool.RowsOptions{Client: fmt.Sprint("other", i)})
		if err != nil {
			t.Fatalf("a light query of another: %v", err)
		}
	}
	// A child that comes free twenty times was not given to who has his share.
	if n := p.Waiting(); n != 6 {
		t.Errorf("%d of the reader's queries wait, want 6", n)
	}
	for _, h := range all {
		h.letGo()
	}
	for _, h := range all {
		h.end(t)
	}
}

// Alone a client may fill the queue; one who comes with less takes its youngest
// place, and beyond a third it gets none while he waits.
func TestQueueIsShared(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100)
	p := start(t, dir, func(c *pool.Config) { c.Size, c.Queue, c.Wait = 3, 6, time.Minute })
	first, other := hold(t, p, tab, "a"), hold(t, p, tab, "b")
	<-first.began
	<-other.began
	var waiting []*held
	for i := range 6 {
		waiting = append(waiting, hold(t, p, tab, "a"))
		queued(t, p, i+1)
	}
	late := hold(t, p, tab, "c")
	if err := <-waiting[5].answered; catalog.CodeOf(err) != "busy" {
		t.Errorf("the youngest place: %v, want busy", err)
	}
	refused := hold(t, p, tab, "a")
	if err := <-refused.answered; catalog.CodeOf(err) != "busy" {
		t.Errorf("more than a third while another waits: %v, want busy", err)
	}
	queued(t, p, 6)

	// b's child goes to c, who came last: a has its share.
	other.end(t)
	<-late.began
	for i, h := range waiting[:5] {
		if h.has() {
			t.Errorf("place %d of a has a second child", i)
		}
	}
	late.end(t)
	first.end(t)
	<-waiting[0].began
	for _, h := range waiting[:5] {
		h.end(t)
	}
}

// A free child goes to the client with fewest at work, however early another
// came.
func TestFreeChildGoesToWhoHasFewest(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100)
	p := start(t, dir, func(c *pool.Config) { c.Size, c.Wait = 5, time.Minute }) // four may do exports, two for one client
	a, b1, b2, c := hold(t, p, tab, "a"), hold(t, p, tab, "b"), hold(t, p, tab, "b"), hold(t, p, tab, "c")
	for _, h := range []*held{a, b1, b2, c} {
		<-h.began
	}
	early := hold(t, p, tab, "a")
	queued(t, p, 1)
	newcomer := hold(t, p, tab, "d")
	queued(t, p, 2)
	c.end(t)
	<-newcomer.began
	if early.has() {
		t.Error("who came first and has a child was served before who has none")
	}
	newcomer.end(t)
	for _, h := range []*held{a, b1, b2, early} {
		h.end(t)
	}
}

// The portal's own work has no share to keep to.
func TestPortalHasNoShare(t *testing.T) {
	dir := t.TempDir()
	tab := town(t, dir, 100)
	p := start(t, dir, func(c *pool.Config) { c.Size, c.Wait = 4, time.Minute })
	var all []*held
	for range 3 {
		h := hold(t, p, tab, "")
		<-h.began
		all = append(all, h)
	}
	for _, h := range all {
		h.end(t)
	}
}
