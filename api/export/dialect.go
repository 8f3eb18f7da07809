package export

import (
	"io"
	"strings"

	"taihu/catalog/table"
)

// dialectEncoder writes what csvEncoder writes with other marks; TSV is one. It
// stands beside csvEncoder, whose loop is the busiest of the portal, so that a
// plain CSV does not pay for choices it does not make.
type dialectEncoder struct {
	out       output
	columns   []column
	delimiter string
	special   [256]bool // bytes that make a value be quoted
	low       bool      // all of them are below '-', as csvPlain needs
	null      string
}

func newDialect(w io.Writer, m Meta, delimiter string) *dialectEncoder {
	e := &dialectEncoder{out: output{w: w}, columns: columnsOf(m.Fields), delimiter: delimiter, special: [256]bool{'"': true, '\r': true, '\n': true}}
	if len(delimiter) == 1 {
		e.special[delimiter[0]] = true
		e.low = delimiter[0] < '-'
	}
	if len(e.columns) == 1 {
		e.null = `""`
	}
	for i := range e.columns {
		if i > 0 {
			e.out.buf = append(e.out.buf, delimiter...)
		}
		e.out.buf = e.appendText(e.out.buf, e.columns[i].name)
	}
	e.out.buf = append(e.out.buf, '\n')
	return e
}

func (e *dialectEncoder) Write(b *table.Batch) error {
	if e.out.err == nil {
		e.out.err = match(e.columns, b)
	}
	if e.out.err != nil {
		return e.out.err
	}
	buf := e.out.buf
	for i := range b.Len {
		for j := range e.columns {
			c, v := &e.columns[j], &b.Columns[j]
			if j > 0 {
				buf = append(buf, e.delimiter...)
			}
			switch {
			case v.Null != nil && v.Null[i]:
				buf = append(buf, e.null...)
			case c.kind >= kindText:
				buf = e.appendText(buf, v.Text[i])
			default:
				buf = c.append(buf, v, i)
			}
		}
		buf = append(buf, '\n')
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

// Close writes what is left, as csvEncoder's does.
func (e *dialectEncoder) Close() error {
	if err := e.out.flush(); err != nil {
		return err
	}
	e.out.err = errClosed
	return nil
}

// appendText appends a text, in quotes where it must be.
func (e *dialectEncoder) appendText(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, '"', '"')
	}
	at := e.plain(s)
	if at == len(s) {
		return append(dst, s...)
	}
	return appendQuoted(dst, s, at)
}

// plain returns the place of the first mark in s, or len(s).
func (e *dialectEncoder) plain(s string) int {
	if e.low {
		return csvPlain(s, &e.special)
	}
	at := len(s)
	for i := range len(s) {
		if e.special[s[i]] {
			at = i
			break
		}
	}
	if len(e.delimiter) > 1 {
		if i := strings.Index(s[:at], e.delimiter); i >= 0 {
			return i
		}
	}
	return at
}
