package export

import (
	"io"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// dialect writes what newCSV does with the marks that Options name; TSV is one. It
// stands beside that, whose loop is the busiest of the portal, so that a plain CSV
// does not pay for choices it does not make.
type dialect struct {
	delimiter string
	newline   string
	special   [256]bool // bytes that make a value be quoted
	low       bool      // all of them are below '-', as csvPlain needs
	null      string
	word      string // a text that is quoted, as it is the word for null
	guard     bool   // texts that look like formulas get an apostrophe
}

func newDialect(format string, w io.Writer, m Meta) *rowsEncoder {
	o := m.Options
	e := &rowsEncoder{out: output{w: w}, columns: columnsOf(m.Fields)}
	d := &dialect{
		delimiter: o.delimiter(format), newline: "\n", special: [256]bool{'"': true, '\r': true, '\n': true},
		null: o.Null, word: o.Null, guard: o.Spreadsheet,
	}
	e.row = d.row
	if len(d.delimiter) == 1 {
		d.special[d.delimiter[0]] = true
		d.low = d.delimiter[0] < '-'
	}
	if d.null == "" && len(e.columns) == 1 {
		d.null = `""`
	}
	if o.Newline == "crlf" || o.Spreadsheet {
		d.newline = "\r\n"
	}
	if o.BOM || o.Spreadsheet {
		e.out.buf = append(e.out.buf, "\ufeff"...)
	}
	if o.Header == "none" {
		return e
	}
	for i, name := range headerOf(m.Fields, o.Header) {
		if i > 0 {
			e.out.buf = append(e.out.buf, d.delimiter...)
		}
		e.out.buf = d.appendText(e.out.buf, name)
	}
	e.out.buf = append(e.out.buf, d.newline...)
	return e
}

// headerOf returns what stands over the columns: their names, or their labels in
// a language where they have one that no other column has.
func headerOf(fields []catalog.Field, header string) []string {
	names, seen := make([]string, len(fields)), map[string]int{}
	for i, f := range fields {
		switch header {
		case "zh":
			names[i] = f.Label.Zh
		case "en":
			names[i] = f.Label.En
		}
		seen[names[i]]++
	}
	for i, f := range fields {
		if names[i] == "" || seen[names[i]] > 1 {
			names[i] = f.Name
		}
	}
	return names
}

func (d *dialect) row(dst []byte, columns []column, b *table.Batch, i int) []byte {
	for j := range columns {
		c, v := &columns[j], &b.Columns[j]
		if j > 0 {
			dst = append(dst, d.delimiter...)
		}
		switch {
		case v.Null != nil && v.Null[i]:
			dst = append(dst, d.null...)
		case c.kind >= kindText:
			dst = d.appendText(dst, v.Text[i])
		default:
			dst = c.append(dst, v, i)
		}
	}
	return append(dst, d.newline...)
}

// appendText appends a text, in quotes where it must be.
func (d *dialect) appendText(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, '"', '"')
	}
	if d.guard && startsFormula(s) {
		n := len(dst)
		dst = appendQuoted(dst, s, 0)
		return slices.Insert(dst, n+1, '\'')
	}
	at := d.plain(s)
	if at == len(s) && s != d.word {
		return append(dst, s...)
	}
	return appendQuoted(dst, s, at)
}

// plain returns the place of the first mark in s, or len(s).
func (d *dialect) plain(s string) int {
	if d.low {
		return csvPlain(s, &d.special)
	}
	at := len(s)
	for i := range len(s) {
		if d.special[s[i]] {
			at = i
			break
		}
	}
	if len(d.delimiter) > 1 {
		if i := strings.Index(s[:at], d.delimiter); i >= 0 {
			return i
		}
	}
	return at
}
