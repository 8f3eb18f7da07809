package export

import (
	"encoding/binary"
	"io"
	"unsafe"

	"taihu/catalog/table"
)

// csvEncoder writes RFC 4180 with LF: a header row of the names, values quoted
// only where they must be. Null is nothing between separators and empty text "";
// in a one-column table null is "" too, as a blank line would be lost.
type csvEncoder struct {
	out     output
	columns []column
	null    string
}

func newCSV(w io.Writer, m Meta) *csvEncoder {
	e := &csvEncoder{out: output{w: w}, columns: columnsOf(m.Fields)}
	if len(e.columns) == 1 {
		e.null = `""`
	}
	for i := range e.columns {
		if i > 0 {
			e.out.buf = append(e.out.buf, ',')
		}
		e.out.buf = appendCSV(e.out.buf, e.columns[i].name)
	}
	e.out.buf = append(e.out.buf, '\n')
	return e
}

func (e *csvEncoder) Write(b *table.Batch) error {
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
				buf = append(buf, ',')
			}
			switch {
			case v.Null != nil && v.Null[i]:
				buf = append(buf, e.null...)
			case c.kind >= kindText:
				buf = appendCSV(buf, v.Text[i])
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

// Close writes what is left. A CSV has no end mark: that it is complete is told
// by the length and the hash the server sends.
func (e *csvEncoder) Close() error {
	if err := e.out.flush(); err != nil {
		return err
	}
	e.out.err = errClosed
	return nil
}

// csvSpecial marks the bytes that make a value be quoted.
var csvSpecial = [256]bool{'"': true, ',': true, '\r': true, '\n': true}

// appendCSV appends a text, in quotes where it is empty or holds a quote, a comma
// or a line break.
func appendCSV(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, '"', '"')
	}
	at := csvPlain(s, &csvSpecial)
	if at == len(s) {
		return append(dst, s...)
	}
	return appendQuoted(dst, s, at)
}

// appendQuoted appends a text in quotes; at is where its first quote may be.
func appendQuoted(dst []byte, s string, at int) []byte {
	dst = append(dst, '"')
	done := 0
	for ; at < len(s); at++ {
		if s[at] == '"' {
			dst = append(dst, s[done:at+1]...)
			dst = append(dst, '"')
			done = at + 1
		}
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

// csvPlain returns the place of the first special byte of s, or len(s). All of
// them must be below '-': eight bytes are looked at together for such ones.
func csvPlain(s string, special *[256]bool) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for i := 0; i < len(b); {
		if i+8 <= len(b) {
			if x := binary.LittleEndian.Uint64(b[i:]); (x-ones*'-')&^x&highs == 0 {
				i += 8
				continue
			}
		}
		for end := min(i+8, len(b)); i < end; i++ {
			if special[b[i]] {
				return i
			}
		}
	}
	return len(b)
}
