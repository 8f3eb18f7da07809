package table

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Deal reads the n pieces of the answer to p on every processor and gives join what
// was made of each, in their order. begin makes the state of one goroutine: add takes
// the batches of a piece, take ends it and returns what was made; spare is one that
// was joined before and may be used again, or zero. Worker w makes the pieces w,
// w+workers, … and is at most one ahead of the joining, which bounds the memory.
func Deal[T any](ctx context.Context, t Splitter, p *Plan, n int,
	begin func() (add func(*Batch) error, take func(spare T) T), join func(T) error) error {
	workers := min(runtime.GOMAXPROCS(0), n)
	group, ctx := errgroup.WithContext(ctx)
	made, free := make([]chan T, workers), make([]chan T, workers)
	for w := range workers {
		made[w], free[w] = make(chan T, 1), make(chan T, 3)
		add, take := begin()
		group.Go(func() error {
			scan := t.Scan(p)
			defer scan.Close()
			for i := w; i < n; i += workers {
				if err := scan.Piece(ctx, i, add); err != nil {
					return err
				}
				var spare T
				select {
				case spare = <-free[w]:
				default:
				}
				select {
				case made[w] <- take(spare):
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		for i := range n {
			select {
			case one := <-made[i%workers]:
				if err := join(one); err != nil {
					return err
				}
				free[i%workers] <- one
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}
