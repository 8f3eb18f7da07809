package parquet

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
)

// group is a row group being filled or encoded.
type group struct {
	columns []column
	rows    int
	done    chan struct{} // closed when every column is encoded
}

func newGroup(columns []Column) *group {
	g := &group{columns: make([]column, len(columns))}
	for i, c := range columns {
		g.columns[i].spec, g.columns[i].kind = c, physical(c)
	}
	return g
}

func (g *group) reset() {
	g.rows = 0
	for i := range g.columns {
		g.columns[i].reset()
	}
}

func (g *group) size() int {
	n := 0
	for i := range g.columns {
		n += g.columns[i].size()
	}
	return n
}

// encode encodes the columns, largest first, one worker per scratch, and closes
// done. What a column becomes depends on that column alone.
func (g *group) encode(workers []*scratch) {
	defer close(g.done)
	order := make([]*column, len(g.columns))
	for i := range order {
		order[i] = &g.columns[i]
	}
	slices.SortStableFunc(order, func(a, b *column) int { return cmp.Compare(b.size(), a.size()) })
	var next atomic.Int64
	var wait sync.WaitGroup
	for _, s := range workers {
		wait.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(order); i = next.Add(1) - 1 {
				order[i].encode(s)
			}
		})
	}
	wait.Wait()
}

// scratch is what a worker reuses from column to column.
type scratch struct {
	zstd    *zstd.Encoder
	page    []byte // a page before compression
	packed  []byte // a page after compression
	delta   []byte // delta form of a column
	ends    []int  // of its pages in delta
	levels  []byte
	indexes []uint32
	dict    dictionary
}

func (w *Writer) workers() []*scratch {
	if w.scratch == nil {
		n := w.options.Workers
		if n <= 0 {
			n = runtime.GOMAXPROCS(0)
		}
		for range min(n, len(w.columns)) {
			// NewWriter fails on bad options only.
			z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level), zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
			if err != nil {
				panic(err)
			}
			w.scratch = append(w.scratch, &scratch{zstd: z})
		}
	}
	return w.scratch
}
