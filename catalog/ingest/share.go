package ingest

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// share has every one of uses see each thing that fill makes, in order and side by
// side, each use in a goroutine of its own. There are depth things, made by fresh:
// one is filled again when all have used it. fill ends with io.EOF.
func share[T any](ctx context.Context, fresh func() T, fill func(T) error, uses []func(T) error) error {
	type thing struct {
		value T
		users atomic.Int32 // who have not used it yet
	}
	g, ctx := errgroup.WithContext(ctx)
	free := make(chan *thing, depth)
	for range depth {
		free <- &thing{value: fresh()}
	}
	queues := make([]chan *thing, len(uses))
	for i, use := range uses {
		queues[i] = make(chan *thing, depth)
		g.Go(func() error {
			for t := range queues[i] {
				if err := use(t.value); err != nil {
					return err
				}
				if t.users.Add(-1) == 0 {
					free <- t
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer func() {
			for _, q := range queues {
				close(q)
			}
		}()
		for {
			var t *thing
			select {
			case t = <-free:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if err := fill(t.value); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			t.users.Store(int32(len(queues)))
			for _, q := range queues {
				select {
				case q <- t:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
		}
	})
	return g.Wait()
}
