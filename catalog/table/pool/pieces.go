package pool

import (
	"context"

	"taihu/catalog/table"
)

// piece is what was made of one piece of an answer.
type piece struct {
	bytes []byte
	rows  int64
}

// encodePieces gives an encoder the answer in n pieces, which are read and encoded
// on every processor and joined in their order.
func encodePieces(ctx context.Context, t table.Splitter, plan *table.Plan, n int, enc Piecewise) (rows int64, err error) {
	begin := func() (func(*table.Batch) error, func(piece) piece) {
		write, take := enc.Piece()
		var rows int64
		add := func(b *table.Batch) error {
			rows += int64(b.Len)
			return write(b)
		}
		return add, func(spare piece) piece {
			p := piece{take(spare.bytes), rows}
			rows = 0
			return p
		}
	}
	err = table.Deal(ctx, t, plan, n, begin, func(p piece) error {
		rows += p.rows
		return enc.Join(p.bytes)
	})
	return rows, err
}
