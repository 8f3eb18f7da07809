package table

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math"
	"strings"

	"taihu/catalog"
)

// ContentHash computes content_sha256: what a table says, independent of labels,
// files and encoders. The hash is SHA-256 over lines of UTF-8, each ended by one
// LF:
//
//	[["站点","text"],["浓度","decimal(9,2)"],["时间","datetime"]]
//	["滨湖",12.50,"2026-11-22T08:00:00+08:00"]
//
// The first line is one JSON array with [name, type] of every column in order,
// _row not among them; a decimal's type is decimal(precision,scale). Each row
// follows as one JSON array without spaces, in the order of the table: null,
// true, false; integer, decimal and number as JSON numbers in their canonical
// text (architecture.md §6), NaN, Infinity and -Infinity as strings; date, time
// and datetime (with offset) as strings; text as a string; json as a string
// holding the value's text byte for byte. Strings escape ", \ and control
// characters only, the latter as \b \t \n \f \r or \u00xx in lower case.
type ContentHash struct {
	hash   hash.Hash
	buf    []byte
	fields []catalog.Field
}

// NewContentHash begins the hash of a table with these fields.
func NewContentHash(fields []catalog.Field) *ContentHash {
	h := &ContentHash{hash: sha256.New(), fields: fields}
	h.buf = append(h.buf, '[')
	for i, f := range fields {
		if i > 0 {
			h.buf = append(h.buf, ',')
		}
		h.buf = append(h.buf, '[')
		h.buf = catalog.AppendJSONText(h.buf, f.Name)
		h.buf = append(h.buf, ',')
		name := string(f.Type)
		if f.Type == catalog.Decimal {
			name = fmt.Sprintf("decimal(%d,%d)", f.Precision, f.Scale)
		}
		h.buf = catalog.AppendJSONText(h.buf, name)
		h.buf = append(h.buf, ']')
	}
	h.buf = append(h.buf, ']', '\n')
	return h
}

// Add hashes the rows of b, whose Columns are the fields in order.
func (h *ContentHash) Add(b *Batch) error {
	if len(b.Columns) != len(h.fields) {
		return fmt.Errorf("content hash: batch has %d columns, table has %d", len(b.Columns), len(h.fields))
	}
	for i := range b.Len {
		for j := range b.Columns {
			if j == 0 {
				h.buf = append(h.buf, '[')
			} else {
				h.buf = append(h.buf, ',')
			}
			v := &b.Columns[j]
			if v.Type == catalog.JSON && !v.IsNull(i) {
				h.buf = catalog.AppendJSONText(h.buf, v.Text[i])
			} else {
				h.buf = v.AppendJSON(h.buf, i)
			}
		}
		h.buf = append(h.buf, ']', '\n')
		if len(h.buf) >= 1<<16 {
			h.hash.Write(h.buf) // a hash never fails
			h.buf = h.buf[:0]
		}
	}
	return nil
}

// Sum returns the hash of everything added so far, in lower-case hex.
func (h *ContentHash) Sum() string {
	h.hash.Write(h.buf)
	h.buf = h.buf[:0]
	return hex.EncodeToString(h.hash.Sum(nil))
}

// AppendJSON appends row i as a JSON value: what /rows, the JSON and NDJSON
// downloads hold. A json column's value stands as it is, with line breaks between
// its tokens left out; one that is not valid becomes a string.
func (v *Vector) AppendJSON(dst []byte, i int) []byte {
	if v.IsNull(i) {
		return append(dst, "null"...)
	}
	switch v.Type {
	case catalog.Boolean, catalog.Integer, catalog.Decimal:
		return v.AppendText(dst, i)
	case catalog.Number:
		if f := v.Num[i]; math.IsNaN(f) || math.IsInf(f, 0) {
			break
		}
		return v.AppendText(dst, i)
	case catalog.String:
		return catalog.AppendJSONText(dst, v.Text[i])
	case catalog.JSON:
		return appendEmbedded(dst, v.Text[i])
	}
	dst = append(dst, '"')
	dst = v.AppendText(dst, i)
	return append(dst, '"')
}

func appendEmbedded(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, s...)
	if !json.Valid(dst[start:]) {
		return catalog.AppendJSONText(dst[:start], s)
	}
	if strings.ContainsAny(s, "\r\n") { // in valid JSON these stand between tokens only
		kept := dst[:start]
		for _, c := range dst[start:] {
			if c != '\n' && c != '\r' {
				kept = append(kept, c)
			}
		}
		dst = kept
	}
	return dst
}
