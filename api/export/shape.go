package export

import (
	"fmt"
	"io"

	"taihu/catalog"
	"taihu/catalog/table"
)

// newJSONArrays writes rows as arrays, the names once:
//
//	{"columns":["站点","AQI"],
//	"rows":[
//	["雪浪",84]
//	]}
func newJSONArrays(w io.Writer, m Meta) *rowsEncoder {
	e := &rowsEncoder{out: output{w: w}, columns: columnsOf(m.Fields), lead: 1, end: "\n]}\n", none: "]}\n"}
	buf := []byte(`{"columns":[`)
	for i := range e.columns {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = catalog.AppendJSONText(buf, e.columns[i].name)
	}
	e.out.buf = append(buf, "],\n\"rows\":["...)
	e.row = func(dst []byte, columns []column, b *table.Batch, i int) []byte {
		dst = append(dst, ",\n["...)
		for j := range columns {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = columns[j].appendJSON(dst, &b.Columns[j], i)
		}
		return append(dst, ']')
	}
	return e
}

// columnsEncoder writes one array for each column:
//
//	{
//	"站点":["雪浪"],
//	"AQI":[84]
//	}
//
// A file in which a column's last value stands before the next one's first cannot
// be written in one pass over rows without keeping them, so the encoder is given
// the answer once for each column, with that column alone.
type columnsEncoder struct {
	out     output
	columns []column
	at      int // the column being written; -1: none yet
	values  bool
}

func newJSONColumns(w io.Writer, m Meta) *columnsEncoder {
	return &columnsEncoder{out: output{w: w, buf: []byte{'{'}}, columns: columnsOf(m.Fields), at: -1}
}

// Next begins the next column; what is written until the next call is its values.
func (e *columnsEncoder) Next() error {
	if e.out.err == nil && e.at+1 >= len(e.columns) {
		e.out.err = fmt.Errorf("export: a column more than the file's %d", len(e.columns))
	}
	if e.out.err != nil {
		return e.out.err
	}
	buf := e.out.buf
	if e.at >= 0 {
		buf = append(buf, ']', ',')
	}
	e.at++
	e.values = false
	e.out.buf = append(catalog.AppendJSONText(append(buf, '\n'), e.columns[e.at].name), ':', '[')
	return nil
}

// Write adds values of the column being written.
func (e *columnsEncoder) Write(b *table.Batch) error {
	if e.out.err == nil && e.at < 0 {
		e.out.err = fmt.Errorf("export: values before their column")
	}
	if e.out.err == nil {
		e.out.err = match(e.columns[e.at:e.at+1], b)
	}
	if e.out.err != nil {
		return e.out.err
	}
	for i := range b.Len {
		if e.values {
			e.out.buf = append(e.out.buf, ',')
		}
		e.values = true
		e.out.buf = e.columns[e.at].appendJSON(e.out.buf, &b.Columns[0], i)
		if len(e.out.buf) >= flushBytes {
			if err := e.out.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *columnsEncoder) Close() error {
	if e.out.err == nil && e.at+1 < len(e.columns) {
		e.out.err = fmt.Errorf("export: the file ends before column %q", e.columns[e.at+1].name)
	}
	if e.out.err == nil {
		if e.at >= 0 {
			e.out.buf = append(e.out.buf, ']', '\n')
		}
		e.out.buf = append(e.out.buf, '}', '\n')
	}
	if err := e.out.flush(); err != nil {
		return err
	}
	e.out.err = errClosed
	return nil
}
