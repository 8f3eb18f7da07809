package export

import (
	"slices"

	"taihu/catalog/table"
)

// appendRow appends row i of a batch, complete with what stands between rows.
// columns are those of the format's, of which each goroutine has its own.
type appendRow func(dst []byte, columns []column, b *table.Batch, i int) []byte

// rowsEncoder writes a format whose file is a head, its rows one after the other,
// and an end. It is a pool.Piecewise.
type rowsEncoder struct {
	out     output // holds the head
	columns []column
	row     appendRow
	// lead is how many bytes each row begins with that the first of the file does
	// not have: a comma.
	lead  int
	begun bool   // a row has been written
	end   string // of a file with rows
	none  string // end of a file without
}

func (e *rowsEncoder) Write(b *table.Batch) error {
	if e.out.err == nil {
		e.out.err = match(e.columns, b)
	}
	if e.out.err != nil {
		return e.out.err
	}
	buf := e.out.buf
	for i := range b.Len {
		at := len(buf)
		buf = e.row(buf, e.columns, b, i)
		if !e.begun {
			buf = slices.Delete(buf, at, at+e.lead)
			e.begun = true
		}
		if len(buf) >= flushBytes {
			e.out.buf = buf
			if err := e.out.flush(); err != nil {
				return err
			}
			buf = e.out.buf
		}
	}
	e.out.buf = buf
	return nil
}

// Close writes the end, if the format has one.
func (e *rowsEncoder) Close() error {
	if e.begun {
		e.out.buf = append(e.out.buf, e.end...)
	} else {
		e.out.buf = append(e.out.buf, e.none...)
	}
	if err := e.out.flush(); err != nil {
		return err
	}
	e.out.err = errClosed
	return nil
}

// Piece returns an encoder of rows that are joined to the file later: write adds
// rows; take returns what was written since the last take and goes on in buf, whose
// content is lost.
func (e *rowsEncoder) Piece() (write func(*table.Batch) error, take func(buf []byte) []byte) {
	columns := slices.Clone(e.columns)
	for i := range columns {
		columns[i].dayText = nil
	}
	var made []byte
	write = func(b *table.Batch) error {
		if err := match(columns, b); err != nil {
			return err
		}
		for i := range b.Len {
			made = e.row(made, columns, b, i)
		}
		return nil
	}
	take = func(buf []byte) []byte {
		whole := made
		made = buf[:0]
		return whole
	}
	return write, take
}

// Join writes rows that a Piece made.
func (e *rowsEncoder) Join(rows []byte) error {
	if len(rows) == 0 || e.out.err != nil {
		return e.out.err
	}
	if !e.begun {
		rows = rows[e.lead:]
		e.begun = true
	}
	if err := e.out.flush(); err != nil {
		return err
	}
	return e.out.through(rows)
}
