package export

import (
	"io"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// dialectEncoder writes what csvEncoder writes with the marks that Options name;
// TSV is one. It stands beside csvEncoder, whose loop is the busiest of the
// portal, so that a plain CSV does not pay for choices it does not make.
type dialectEncoder struct {
	out       output
	columns   []column
	delimiter string
	newline   string
	special   [256]bool // bytes that make a value be quoted
	low       bool      // all of them are below '-', as csvPlain needs
	null      string
	word      string // a text that is quoted, as it is the word for null
	guard     bool   // texts that look like formulas get an apostrophe
}

func newDialect(format string, w io.Writer, m Meta) *dialectEncoder {
	o := m.Options
	e := &dialectEncoder{
		out: output{w: w}, columns: columnsOf(m.Fields), delimiter: o.delimiter(format), newline: "\n", special: [256]bool{'"': true, '\r': true, '\n': true},
		null: o.Null, word: o.Null, guard: o.Spreadsheet,
	}
	if len(e.delimiter) == 1 {
		e.special[e.delimiter[0]] = true
		e.low = e.delimiter[0] < '-'
	}
	if e.null == "" && len(e.columns) == 1 {
		e.null = `""`
	}
	if o.Newline == "crlf" || o.Spreadsheet {
		e.newline = "\r\n"
	}
	if o.BOM || o.Spreadsheet {
		e.out.buf = append(e.out.buf, "\ufeff"...)
	}
	if o.Header == "none" {
		return e
	}
	for i, name := range headerOf(m.Fields, o.Header) {
		if i > 0 {
			e.out.buf = append(e.out.buf, e.delimiter...)
		}
		e.out.buf = e.appendText(e.out.buf, name)
	}
	e.out.buf = append(e.out.buf, e.newline...)
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
		buf = append(buf, e.newline...)
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
	if e.guard && startsFormula(s) {
		n := len(dst)
		dst = appendQuoted(dst, s, 0)
		return slices.Insert(dst, n+1, '\'')
	}
	at := e.plain(s)
	if at == len(s) && s != e.word {
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
