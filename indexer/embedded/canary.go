package embedded

import (
	"context"
	"errors"
	"time"

	"taihu/catalog"
	"taihu/indexer"
)

// Canary implements indexer.Index. The document is written to the log and read back
// as at every change, but indexed apart: no search can meet it. Its record is cut
// off again; one of a process that was killed in between is passed over.
func (x *Index) Canary(ctx context.Context) (time.Duration, error) {
	if err := x.lockWriter(ctx); err != nil {
		return 0, err
	}
	defer x.unlockWriter()
	start := time.Now()
	d := indexer.Document{ID: "canary", Slug: "canary", Title: catalog.Text{Zh: "金丝雀", En: "canary"}, Updated: start, Version: 1}
	l := x.current.log
	size := l.size
	entries := []entry{{prepared: &prepared{doc: &d}, op: opCanary}}
	if _, err := prepare(entries); err != nil {
		return 0, err
	}
	if err := l.append(entries, true); err != nil {
		return 0, unavailable(err)
	}
	found, err := findCanary(ctx, l, entries[0])
	if cut := l.takeBack(size); cut != nil {
		return 0, unavailable(cut)
	}
	if err == nil && !found {
		err = unavailable(errors.New("the canary was put and is not found"))
	}
	return time.Since(start), err
}

// findCanary indexes what the log has of e, alone, and searches it.
func findCanary(ctx context.Context, l *log, e entry) (bool, error) {
	body, err := l.read(e.at, len(e.body))
	if err != nil {
		return false, unavailable(err)
	}
	b, err := prepare([]entry{{prepared: &prepared{body: body, text: e.text}, at: e.at}})
	if err != nil {
		return false, unavailable(err)
	}
	g := &generation{log: l, terms: newInverted()}
	g.terms.put(b)
	g.terms.settle(true)
	r, err := g.search(ctx, indexer.Query{Text: "金丝雀 canary"}, nil)
	return r.Total == 1 && r.Hits[0].ID == e.info.id, err
}
