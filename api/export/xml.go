package export

import (
	"encoding/base64"
	"io"
	"unicode/utf8"

	"taihu/catalog/table"
)

// newXML writes
//
//	<table>
//	<row><column name="站点">雪浪</column><column name="AQI" null="true"/></row>
//	</table>
//
// with the values as in CSV. Names stand in an attribute, as few of them are
// names of XML. A text with characters that XML 1.0 has no way to hold (most
// control characters, U+FFFE and U+FFFF) is the base64 of its UTF-8, and says so:
// encoding="base64", for a column's name base64-name.
func newXML(w io.Writer, m Meta) *rowsEncoder {
	e := &rowsEncoder{out: output{w: w}, columns: columnsOf(m.Fields), end: "</table>\n", none: "</table>\n"}
	heads := make([][]byte, len(e.columns)) // <column name="…" without the end of the tag
	for i := range e.columns {
		head, name := []byte(`<column name="`), e.columns[i].name
		if !xmlHolds(name) {
			head = []byte(`<column base64-name="`)
			name = base64.StdEncoding.EncodeToString([]byte(name))
		}
		heads[i] = append(appendXML(head, name), '"')
	}
	e.out.buf = append(e.out.buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<table>\n"...)
	e.row = func(dst []byte, columns []column, b *table.Batch, i int) []byte {
		dst = append(dst, "<row>"...)
		for j := range columns {
			dst = append(dst, heads[j]...)
			dst = appendXMLValue(dst, &columns[j], &b.Columns[j], i)
		}
		return append(dst, "</row>\n"...)
	}
	return e
}

// appendXMLValue ends the tag and appends what it holds.
func appendXMLValue(dst []byte, c *column, v *table.Vector, i int) []byte {
	switch {
	case v.Null != nil && v.Null[i]:
		return append(dst, ` null="true"/>`...)
	case c.kind < kindText:
		dst = c.append(append(dst, '>'), v, i)
	case xmlHolds(v.Text[i]):
		dst = appendXML(append(dst, '>'), v.Text[i])
	default:
		dst = append(dst, ` encoding="base64">`...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.Text[i]))
	}
	return append(dst, "</column>"...)
}

// xmlSpecial are the bytes to look at twice: control characters, marks, and the
// first byte of U+FFFE and U+FFFF.
var xmlSpecial = func() (special [256]bool) {
	for i := range 0x20 {
		special[i] = true
	}
	for _, b := range []byte{'<', '>', '&', '"', 0xef} {
		special[b] = true
	}
	return special
}()

// xmlHolds reports whether XML 1.0 can hold s.
func xmlHolds(s string) bool {
	for i := range len(s) {
		switch b := s[i]; {
		case !xmlSpecial[b]:
		case b < 0x20 && b != '\t' && b != '\n' && b != '\r', b == 0xef && len(s) >= i+3 && s[i+1] == 0xbf && s[i+2] >= 0xbe:
			return false
		}
	}
	return utf8.ValidString(s)
}

// appendXML appends s, which XML can hold, with its marks escaped. Tabs and line
// breaks too: readers make a space of them in attributes, and LF of a CR.
func appendXML(dst []byte, s string) []byte {
	done := 0
	for i := range len(s) {
		if !xmlSpecial[s[i]] {
			continue
		}
		var escape string
		switch s[i] {
		case '<':
			escape = "&lt;"
		case '>':
			escape = "&gt;"
		case '&':
			escape = "&amp;"
		case '"':
			escape = "&quot;"
		case '\t':
			escape = "&#9;"
		case '\n':
			escape = "&#10;"
		case '\r':
			escape = "&#13;"
		default:
			continue
		}
		dst = append(append(dst, s[done:i]...), escape...)
		done = i + 1
	}
	return append(dst, s[done:]...)
}
