package main

import (
	"context"
)

// sketchOld makes the sketches of tables that were published before there were any,
// one after the other, and ends. One that fails is tried again at the next start.
func (p *portal) sketchOld(ctx context.Context) error {
	const page = 50
	made, after := 0, ""
	for {
		list, err := p.store.UnsketchedTables(ctx, after, page)
		if err != nil {
			if ctx.Err() == nil {
				p.log.Warn("tables without sketches could not be listed", "error", err)
			}
			return nil //nolint:nilerr // told; the portal serves without them
		}
		for _, u := range list {
			after = u.Table.ID
			sketches, err := p.pool.Sketches(ctx, &u.Table, u.Personal)
			if err == nil {
				err = p.store.SaveSketches(ctx, u.Table.ID, sketches)
			}
			switch {
			case ctx.Err() != nil:
				return nil //nolint:nilerr // the portal stops; the next start goes on
			case err != nil:
				p.log.Warn("a table could not be sketched: its columns are not found by their values", "table_id", u.Table.ID, "table", u.Table.Name, "error", err)
			default:
				made++
			}
		}
		if len(list) < page {
			break
		}
	}
	if made > 0 {
		p.log.Info("columns of older tables can be found by their values now", "tables", made)
	}
	return nil
}
