package store

import (
	"context"
	"encoding/json"
	"fmt"

	"taihu/catalog"
)

// facts are what an event says beside who, what and when.
type facts map[string]any

// event appends to a chain. The chain's head row is locked until the end of the
// transaction, so the events of one chain have one order.
func (t *tx) event(ctx context.Context, chain string, actor catalog.Actor, verb, object string, f facts) error {
	if f == nil {
		f = facts{}
	}
	e := catalog.Event{Chain: chain, At: t.now, Actor: actor.ID(), Verb: verb, Object: object, Facts: json.RawMessage(js(f))}
	if _, err := t.exec(ctx, `INSERT INTO chains (chain, sequence, hash) VALUES (?, 0, '') ON CONFLICT (chain) DO NOTHING`, chain); err != nil {
		return err
	}
	_, err := t.value(ctx, `UPDATE chains SET sequence = sequence + 1 WHERE chain = ? RETURNING sequence, hash`, []any{chain}, &e.Sequence, &e.Previous)
	if err != nil {
		return err
	}
	e.Seal()
	if _, err := t.exec(ctx, `UPDATE chains SET hash = ? WHERE chain = ?`, e.Hash, chain); err != nil {
		return err
	}
	_, err = t.exec(ctx, `
		INSERT INTO events (chain, sequence, at, actor, verb, object, facts, previous, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Chain, e.Sequence, e.At, e.Actor, e.Verb, e.Object, string(e.Facts), e.Previous, e.Hash)
	return err
}

// Events returns a chain in order: that of a dataset (its id) or of the portal
// (catalog.ChainPortal). The caller decides who may read it.
func (db *DB) Events(ctx context.Context, chain string) ([]catalog.Event, error) {
	var list []catalog.Event
	err := db.view(ctx, "read events", func(c *conn) (err error) {
		list, err = c.events(ctx, chain)
		return err
	})
	return list, err
}

func (c *conn) events(ctx context.Context, chain string) ([]catalog.Event, error) {
	list := []catalog.Event{}
	err := c.all(ctx, &list, `
		SELECT chain, sequence, at, actor, verb, object, facts, previous, hash
		FROM events WHERE chain = ? ORDER BY sequence`, chain)
	return list, err
}

// CheckEvents returns an error naming the first event that was altered, removed
// or put in, in any chain; removed last events are found by the chain's head.
func (db *DB) CheckEvents(ctx context.Context) error {
	return db.view(ctx, "check events", func(c *conn) error {
		var heads []struct {
			Chain    string
			Sequence int64
			Hash     string
		}
		if err := c.all(ctx, &heads, `SELECT chain, sequence, hash FROM chains ORDER BY chain`); err != nil {
			return err
		}
		known := 0
		for _, h := range heads {
			list, err := c.events(ctx, h.Chain)
			if err != nil {
				return err
			}
			if err := catalog.CheckChain(list); err != nil {
				return err
			}
			if len(list) == 0 || list[len(list)-1].Hash != h.Hash || list[len(list)-1].Sequence != h.Sequence {
				return fmt.Errorf("chain %s: events after number %d are missing", h.Chain, len(list))
			}
			known += len(list)
		}
		var total int
		if _, err := c.value(ctx, `SELECT COUNT(*) FROM events`, nil, &total); err != nil {
			return err
		}
		if total != known {
			return fmt.Errorf("%d events belong to no chain", total-known)
		}
		return nil
	})
}

// DatasetEvents returns a dataset and its chain, first to last, for those who may
// see its drafts: the chain tells of every step of them.
func (db *DB) DatasetEvents(ctx context.Context, actor catalog.Actor, dataset string) (*catalog.Dataset, []catalog.Event, error) {
	var d *datasetRow
	var list []catalog.Event
	err := db.view(ctx, "read events", func(c *conn) (err error) {
		if d, err = c.datasetFor(ctx, actor, dataset); err != nil {
			return err
		}
		if err := catalog.Can(actor, catalog.ReadDraft, catalog.ObjectOf(&d.Dataset)); err != nil {
			return err
		}
		list, err = c.events(ctx, d.ID)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return &d.Dataset, list, nil
}
