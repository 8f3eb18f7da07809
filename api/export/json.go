package export

import (
	"io"

	"taihu/catalog"
	"taihu/catalog/table"
)

// newJSON writes objects {name: value, …}, one a line: as an array (json) or bare
// (ndjson). Integers and decimals are exact numbers, NaN and ∞ texts; the value of
// a json column stands as it is.
func newJSON(w io.Writer, m Meta, array bool) *rowsEncoder {
	e := &rowsEncoder{out: output{w: w}, columns: columnsOf(m.Fields)}
	keys, head, tail := jsonKeys(e.columns), "", "}\n"
	if array {
		e.out.buf = append(e.out.buf, '[')
		e.lead, e.end, e.none = 1, "\n]\n", "]\n"
		head, tail = ",\n", "}"
	}
	if len(keys) == 0 {
		head += "{"
	}
	e.row = func(dst []byte, columns []column, b *table.Batch, i int) []byte {
		dst = append(dst, head...)
		for j := range columns {
			dst = append(dst, keys[j]...)
			dst = columns[j].appendJSON(dst, &b.Columns[j], i)
		}
		return append(dst, tail...)
	}
	return e
}

// jsonKeys returns what stands before each value of an object: {"name": or
// ,"name":
func jsonKeys(columns []column) [][]byte {
	keys := make([][]byte, len(columns))
	for i := range columns {
		key := []byte{','}
		if i == 0 {
			key[0] = '{'
		}
		keys[i] = append(catalog.AppendJSONText(key, columns[i].name), ':')
	}
	return keys
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
