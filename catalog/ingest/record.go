package ingest

import "bytes"

// field is one cell of a record, as a range of the parser's buffer.
type field struct {
	start, end int
	quoted     bool
	doubled    bool // holds "" that stand for one quote
	bare       bool // unquoted, with a quote inside
}

// recordState says how the reading of a record ended.
type recordState uint8

const (
	recordWhole recordState = iota
	recordCut               // the buffer ends within it
	recordUnclosed
	recordStray // text after a closing quote
	recordWide  // more fields than allowed
)

// recordReader splits UTF-8 text into records of delimited fields. Rows end at
// LF, CRLF or a bare CR; a quoted field may hold any of them; "" inside quotes
// is a quote; blanks around a quoted field are ignored; a quote inside an
// unquoted field is itself.
type recordReader struct {
	delimiter byte
	maxFields int
	fields    []field
	lines     int // line ends within the record and at its end
	quoteAt   int // line, counted from the record's first, where the last quote was opened
	special   [256]bool
}

func newRecordReader(delimiter byte, maxFields int) *recordReader {
	r := &recordReader{delimiter: delimiter, maxFields: maxFields}
	for _, c := range []byte{delimiter, '\n', '\r', '"'} {
		r.special[c] = true
	}
	return r
}

// read splits the record at the start of buf into r.fields and returns how many
// bytes it takes with its line end. atEOF tells that nothing follows buf.
func (r *recordReader) read(buf []byte, atEOF bool) (int, recordState) {
	r.fields = r.fields[:0]
	r.lines = 0
	i := 0
	for {
		if len(r.fields) == r.maxFields {
			return i, recordWide
		}
		if q := skipBlanks(buf, i, r.delimiter); q < len(buf) && buf[q] == '"' {
			end, state := r.quoted(buf, q, atEOF)
			if state != recordWhole {
				return end, state
			}
			i = end
		} else {
			i = r.plain(buf, i)
		}
		if i == len(buf) {
			if !atEOF {
				return 0, recordCut
			}
			return i, recordWhole
		}
		switch buf[i] {
		case '\n':
			r.lines++
			return i + 1, recordWhole
		case '\r':
			if i+1 == len(buf) && !atEOF {
				return 0, recordCut
			}
			r.lines++
			if i+1 < len(buf) && buf[i+1] == '\n' {
				i++
			}
			return i + 1, recordWhole
		}
		i++ // the delimiter
	}
}

// plain reads an unquoted field from i and returns where it ends.
func (r *recordReader) plain(buf []byte, i int) int {
	start := i
	bare := false
	special := &r.special
	for {
		for i < len(buf) && !special[buf[i]] {
			i++
		}
		if i < len(buf) && buf[i] == '"' {
			bare = true
			i++
			continue
		}
		r.fields = append(r.fields, field{start: start, end: i, bare: bare})
		return i
	}
}

// quoted reads a quoted field whose quote stands at q and returns where the
// delimiter or line end after it stands.
func (r *recordReader) quoted(buf []byte, q int, atEOF bool) (int, recordState) {
	f := field{start: q + 1, quoted: true}
	r.quoteAt = r.lines
	i := q + 1
	for {
		k := bytes.IndexByte(buf[i:], '"')
		if k < 0 {
			if atEOF {
				return len(buf), recordUnclosed
			}
			return 0, recordCut
		}
		r.lines += countLines(buf[i : i+k])
		i += k + 1
		if i == len(buf) && !atEOF {
			return 0, recordCut
		}
		if i < len(buf) && buf[i] == '"' {
			f.doubled = true
			i++
			continue
		}
		f.end = i - 1
		break
	}
	i = skipBlanks(buf, i, r.delimiter)
	switch {
	case i == len(buf) && !atEOF:
		return 0, recordCut
	case i < len(buf) && buf[i] != r.delimiter && buf[i] != '\n' && buf[i] != '\r':
		return i, recordStray
	}
	r.fields = append(r.fields, f)
	return i, recordWhole
}

// skipBlanks returns the first position from i on that holds no space.
func skipBlanks(buf []byte, i int, delimiter byte) int {
	if delimiter == ' ' {
		return i
	}
	for i < len(buf) && buf[i] == ' ' {
		i++
	}
	return i
}

// countLines counts line ends: LF, CRLF, and CR alone.
func countLines(b []byte) int {
	n := bytes.Count(b, []byte{'\n'})
	for i := bytes.IndexByte(b, '\r'); i >= 0; {
		if i+1 == len(b) || b[i+1] != '\n' {
			n++
		}
		k := bytes.IndexByte(b[i+1:], '\r')
		if k < 0 {
			break
		}
		i += 1 + k
	}
	return n
}

// blank reports whether the record just read is an empty line: nothing, or
// spaces where the table has several columns.
func (r *recordReader) blank(buf []byte, width int) bool {
	if len(r.fields) != 1 || r.fields[0].quoted {
		return false
	}
	f := r.fields[0]
	return f.start == f.end || width > 1 && len(bytes.TrimSpace(buf[f.start:f.end])) == 0
}

// cell returns the text of a field; scratch is used where quotes are undoubled.
func (f *field) cell(buf []byte, scratch *[]byte) []byte {
	b := buf[f.start:f.end]
	if !f.doubled {
		return b
	}
	out := (*scratch)[:0]
	for {
		k := bytes.IndexByte(b, '"')
		if k < 0 {
			break
		}
		out = append(out, b[:k+1]...)
		b = b[k+2:]
	}
	out = append(out, b...)
	*scratch = out
	return out
}
