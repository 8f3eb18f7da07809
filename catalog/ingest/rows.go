package ingest

import (
	"context"
	"errors"
	"io"
	"strings"
)

// Rows are a small table as it stands in a file: a list that the portal itself
// reads, such as one of organizations.
type Rows struct {
	Columns []string `json:"columns"` // the header's cells
	Rows    []Row    `json:"rows"`
	More    bool     `json:"more,omitempty"` // there are more rows than were asked for
}

// Row is one row of text cells, and where it stands as a person counts.
type Row struct {
	Number int64    `json:"number"`
	Cells  []string `json:"cells"` // null is ""
}

// rows reads the first table of the file into the result.
func (r *run) rows(ctx context.Context) error {
	if err := checkOptions(r.req.Options); err != nil {
		return err
	}
	src, err := r.open()
	if err != nil {
		return err
	}
	defer src.Close()
	h, err := src.Next()
	if errors.Is(err, io.EOF) {
		return refuse("no_tables", "", "")
	}
	if err != nil {
		return err
	}
	out := &Rows{Columns: h.Columns, Rows: []Row{}}
	var c Chunk
	for !out.More {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.Reset(len(h.Columns))
		err := src.Read(&c)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for i := range c.Len {
			if out.More = len(out.Rows) == r.req.Rows; out.More {
				break
			}
			row := Row{Number: c.Rows[i], Cells: make([]string, len(c.Columns))}
			for k := range c.Columns {
				row.Cells[k] = strings.ToValidUTF8(string(c.Columns[k].Cell(i)), "\ufffd")
			}
			out.Rows = append(out.Rows, row)
		}
	}
	r.result.Rows = out
	return nil
}
