package ingest

import (
	"slices"

	"taihu/catalog"
	"taihu/catalog/table"
)

// sketcher takes the sample of a table's rows (catalog.Sketch) as they pass.
type sketcher struct {
	seeds []uint64 // by column
	rows  []uint64 // hashes of the rows of a chunk
	kept  []uint64 // the smallest so far, in no order
	most  uint64   // a hash above it is not among the smallest
}

func newSketcher(fields []catalog.Field) *sketcher {
	s := &sketcher{most: ^uint64(0)}
	for _, f := range fields {
		s.seeds = append(s.seeds, table.Hash(0, []byte(f.Name)))
	}
	return s
}

// add hashes the rows of a chunk: the sum over its cells, each hashed with its
// column's name, so that the order of columns does not matter.
func (s *sketcher) add(c *Chunk) {
	s.rows = grow(s.rows, c.Len)
	clear(s.rows)
	for i := range c.Columns {
		k := &c.Columns[i]
		start := uint32(0)
		for row, end := range k.Ends {
			if !k.IsNull(row) {
				s.rows[row] += table.Hash(s.seeds[i], k.Data[start:end])
			}
			start = end
		}
	}
	for _, h := range s.rows {
		if h = table.Mix(h, 0x9e3779b97f4a7c15); h <= s.most {
			if s.kept = append(s.kept, h); len(s.kept) >= 8*catalog.SketchRows {
				s.cut()
			}
		}
	}
}

// cut keeps the smallest, each once.
func (s *sketcher) cut() {
	slices.Sort(s.kept)
	s.kept = slices.Compact(s.kept)
	if len(s.kept) >= catalog.SketchRows {
		s.kept = s.kept[:catalog.SketchRows]
		s.most = s.kept[catalog.SketchRows-1]
	}
}

func (s *sketcher) sketch() catalog.Sketch {
	s.cut()
	return s.kept
}
