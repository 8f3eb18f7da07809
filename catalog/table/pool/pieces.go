package pool

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"taihu/catalog/table"
)

// piece is what a worker made of one piece of an answer.
type piece struct {
	bytes []byte
	rows  int64
}

// encodePieces gives an encoder the answer in n pieces, which are read and encoded
// on every processor and joined in their order. Worker w makes the pieces w,
// w+workers, … and is at most one ahead of the joining, which bounds the memory.
func encodePieces(ctx context.Context, t table.Splitter, plan *table.Plan, n int, enc Piecewise) (rows int64, err error) {
	workers := min(runtime.GOMAXPROCS(0), n)
	group, ctx := errgroup.WithContext(ctx)
	made := make([]chan piece, workers)
	free := make([]chan []byte, workers)
	for w := range workers {
		made[w], free[w] = make(chan piece, 1), make(chan []byte, 3)
		group.Go(func() error {
			scan := t.Scan(plan)
			defer scan.Close()
			write, take := enc.Piece()
			for i := w; i < n; i += workers {
				var p piece
				err := scan.Piece(ctx, i, func(b *table.Batch) error {
					p.rows += int64(b.Len)
					return write(b)
				})
				if err != nil {
					return err
				}
				var buf []byte
				select {
				case buf = <-free[w]:
				default:
				}
				p.bytes = take(buf)
				select {
				case made[w] <- p:
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
			case p := <-made[i%workers]:
				rows += p.rows
				if err := enc.Join(p.bytes); err != nil {
					return err
				}
				free[i%workers] <- p.bytes
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	err = group.Wait()
	return rows, err
}
