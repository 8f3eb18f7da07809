package export

import (
	"io"

	"taihu/catalog"
	"taihu/catalog/table"
)

// jsonEncoder writes objects {name: value, …}, one a line: as an array (json) or
// bare (ndjson). Integers and decimals are exact numbers, NaN and ∞ texts; the
// value of a json column stands as it is.
type jsonEncoder struct {
	out     output
	columns []column
	keys    [][]byte // what stands before each value: {"name": or ,"name":
	array   bool
	rows    bool // one has been written
}

func newJSON(w io.Writer, m Meta, array bool) *jsonEncoder {
	e := &jsonEncoder{out: output{w: w}, columns: columnsOf(m.Fields), array: array}
	for i := range e.columns {
		key := []byte{','}
		if i == 0 {
			key[0] = '{'
		}
		e.keys = append(e.keys, append(catalog.AppendJSONText(key, e.columns[i].name), ':'))
	}
	if array {
		e.out.buf = append(e.out.buf, '[')
	}
	return e
}

func (e *jsonEncoder) Write(b *table.Batch) error {
	if e.out.err == nil {
		e.out.err = match(e.columns, b)
	}
	if e.out.err != nil {
		return e.out.err
	}
	buf := e.out.buf
	for i := range b.Len {
		if e.array {
			if e.rows {
				buf = append(buf, ',')
			}
			buf = append(buf, '\n')
		}
		e.rows = true
		if len(e.columns) == 0 {
			buf = append(buf, '{')
		}
		for j := range e.columns {
			buf = append(buf, e.keys[j]...)
			buf = e.columns[j].appendJSON(buf, &b.Columns[j], i)
		}
		buf = append(buf, '}')
		if !e.array {
			buf = append(buf, '\n')
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

// appendJSON appends row i as a JSON value, as Vector.AppendJSON does.
func (c *column) appendJSON(dst []byte, v *table.Vector, i int) []byte {
	if v.Null != nil && v.Null[i] {
		return append(dst, "null"...)
	}
	switch c.kind {
	case kindText:
		return catalog.AppendJSONText(dst, v.Text[i])
	case kindJSON:
		return v.AppendJSON(dst, i)
	case kindNumber:
		if f := v.Num[i]; f-f == 0 {
			return catalog.AppendNumber(dst, f)
		}
	case kindBoolean, kindInteger, kindDecimal, kindWide:
		return c.append(dst, v, i)
	}
	dst = append(dst, '"')
	dst = c.append(dst, v, i)
	return append(dst, '"')
}

func (e *jsonEncoder) Close() error {
	if e.out.err == nil && e.array {
		if e.rows {
			e.out.buf = append(e.out.buf, '\n')
		}
		e.out.buf = append(e.out.buf, ']', '\n')
	}
	if err := e.out.flush(); err != nil {
		return err
	}
	e.out.err = errClosed
	return nil
}
