package export

import (
	"encoding/binary"
	"io"
	"unsafe"

	"taihu/catalog/table"
)

// newCSV writes RFC 4180 with LF: a header row of the names, values quoted only
// where they must be. Null is nothing between separators and empty text ""; in a
// one-column table null is "" too, as a blank line would be lost. A CSV has no end
// mark: that it is complete is told by the length and the hash the server sends.
func newCSV(w io.Writer, m Meta) *rowsEncoder {
	e := &rowsEncoder{out: output{w: w}, columns: columnsOf(m.Fields)}
	null := ""
	if len(e.columns) == 1 {
		null = `""`
	}
	for i := range e.columns {
		if i > 0 {
			e.out.buf = append(e.out.buf, ',')
		}
		e.out.buf = appendCSV(e.out.buf, e.columns[i].name)
	}
	e.out.buf = append(e.out.buf, '\n')
	e.row = func(dst []byte, columns []column, b *table.Batch, i int) []byte {
		for j := range columns {
			c, v := &columns[j], &b.Columns[j]
			if j > 0 {
				dst = append(dst, ',')
			}
			switch {
			case v.Null != nil && v.Null[i]:
				dst = append(dst, null...)
			case c.kind >= kindText:
				dst = appendCSV(dst, v.Text[i])
			default:
				dst = c.append(dst, v, i)
			}
		}
		return append(dst, '\n')
	}
	return e
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
