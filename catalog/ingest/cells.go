package ingest

import (
	"errors"
	"io"
)

// readCells reads the first table of a file as it stands, header first, without deciding
// types and without writing anything: for small files that say something about data,
// such as a dictionary. It refuses more rows than asked for.
func (r *run) readCells(src Source) error {
	h, err := src.Next()
	if errors.Is(err, io.EOF) {
		return refuse("no_tables", "", "")
	}
	if err != nil {
		return err
	}
	grid := [][]string{h.Columns}
	var c Chunk
	for {
		c.Reset(len(h.Columns))
		err := src.Read(&c)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(grid)-1+c.Len > r.req.Cells {
			return refuse("too_many_rows", "行数超过%[1]d。", "There are more than %[1]d rows.", r.req.Cells)
		}
		for i := range c.Len {
			row := make([]string, len(c.Columns))
			for j := range c.Columns {
				row[j] = string(c.Columns[j].Cell(i))
			}
			grid = append(grid, row)
		}
	}
	r.result.Cells = grid
	return nil
}
