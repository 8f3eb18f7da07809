package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const sampleBytes = 1 << 20 // text looked at to find delimiter and header

// csvSource reads one table from delimited text.
type csvSource struct {
	in     Input
	stream *textStream
	buf    []byte
	pos    int
	atEOF  bool
	broken *badText // what ends the text early
	line   int64    // of the record at pos, 1-based
	reader *recordReader
	header *Header
	begun  bool

	scratch  []byte
	blanks   int64 // blank lines since the last row
	skipped  int64 // blank lines between rows
	firstGap int64
	ragged   int
	trailing int64 // rows with empty extra cells
	trailAt  int64
	bare     int64
	bareAt   int64
	bareText string
	below    []lineBelow // short rows that are notes, if nothing but such follows
	damaged  bool        // U+FFFD was seen
	done     bool
}

// openCSV reads delimited text: the encoding first, then delimiter and header
// from the first megabyte.
func openCSV(in Input) (Source, error) {
	f, err := os.Open(in.Path)
	if err != nil {
		return nil, fmt.Errorf("open upload: %w", err)
	}
	encoding, err := fileEncoding(&in, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	in.Report.Encoding = encoding.name
	s := &csvSource{in: in, stream: streamText(f, encoding), line: 1}
	if err := s.prepare(); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *csvSource) Close() error {
	s.stream.close()
	return nil
}

// prepare settles the dialect on a sample and moves behind the header.
func (s *csvSource) prepare() error {
	for len(s.buf) < sampleBytes && !s.atEOF {
		if err := s.fill(); err != nil {
			return err
		}
	}
	if len(bytes.TrimSpace(s.buf)) == 0 {
		if s.broken != nil {
			return s.refuseBroken()
		}
		return refuse("empty_file", "", "")
	}
	ext := strings.ToLower(filepath.Ext(s.in.Name))
	delimiter, sure, err := s.delimiter(ext)
	if err != nil {
		return err
	}
	if !sure && (ext == ".txt" || ext == ".dat") {
		if s.broken != nil {
			return asAttachment("attachment", "内容不是文本表格，按附件保存。", "The content is no table in text: kept as an attachment.")
		}
		return asAttachment("attachment", "文本中没有一致的列，按附件保存。", "The text has no regular columns: kept as an attachment.")
	}
	s.in.Report.Format = "csv"
	if delimiter == '\t' {
		s.in.Report.Format = "tsv"
	}
	s.in.Report.Delimiter, s.in.Report.Quote = string(delimiter), `"`
	s.reader = newRecordReader(delimiter, s.in.Limits.Columns+1)
	return s.findHeader()
}

// fill appends the next block to buf, dropping what was consumed.
func (s *csvSource) fill() error {
	if s.pos > 0 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.pos:])]
		s.pos = 0
	}
	b := s.stream.next()
	if !s.damaged && bytes.Contains(b.text, replacement) {
		s.damaged = true
		s.in.Findings.Add(found("replacement_character", "", ""))
	}
	s.buf = append(s.buf, b.text...)
	s.stream.release(b.text)
	var bad *badText
	switch {
	case b.err == nil:
	case errors.Is(b.err, io.EOF):
		s.atEOF = true
	case errors.As(b.err, &bad):
		s.broken, s.atEOF = bad, true
	default:
		return b.err
	}
	return nil
}

// refuseBroken is the verdict on text that cannot be read on; every whole record
// before the place has been read, so line is where it lies or begins.
func (s *csvSource) refuseBroken() error {
	line := s.line + int64(countLines(s.buf[s.pos:]))
	if s.broken.code == "binary_content" {
		return refuseNUL(s.broken.offset, line)
	}
	return refuse("invalid_encoding", "第%[1]d字节起的 % [2]X 不是有效的%[3]s。", "The bytes % [2]X from byte %[1]d on are not valid %[3]s.", s.broken.offset, s.broken.bytes, s.in.Report.Encoding).
		at(line, "", "")
}

// Next opens the one table.
func (s *csvSource) Next() (*Header, error) {
	if s.begun {
		return nil, io.EOF
	}
	s.begun = true
	return s.header, nil
}

// Read fills c with the next rows.
func (s *csvSource) Read(c *Chunk) error {
	width := len(s.header.Columns)
	bytes := 0
	for !c.Full(bytes) && !s.done {
		used, state := s.reader.read(s.buf[s.pos:], s.atEOF && s.broken == nil)
		if state != recordWhole || used == 0 {
			if s.pos < len(s.buf) && (state != recordCut || s.atEOF) {
				return s.cutRecord()
			}
			if err := s.more(); err != nil {
				return err
			}
			continue
		}
		record := s.buf[s.pos : s.pos+used]
		line := s.line
		s.pos += used
		s.line += int64(s.reader.lines)
		if used > s.in.Limits.Record {
			return s.tooLong(line)
		}
		if s.reader.blank(record, width) {
			s.blank(line)
			continue
		}
		if s.mayBeBelow(record, width, line) {
			continue
		}
		if err := s.notBelow(width); err != nil {
			return err
		}
		s.gap()
		if n := len(s.reader.fields); n != width && !s.tolerated(width, line) {
			if err := s.raggedRow(record, n, width, line); err != nil {
				return err
			}
			continue
		}
		s.appendRow(c, record, width, line)
		bytes += used
	}
	if c.Len == 0 {
		return io.EOF
	}
	return nil
}

// more reads on, or ends the table.
func (s *csvSource) more() error {
	if s.atEOF {
		if s.broken != nil {
			return s.refuseBroken()
		}
		s.done = true
		s.endBelow()
		s.close()
		return nil
	}
	if len(s.buf)-s.pos > s.in.Limits.Record {
		return s.tooLong(s.line)
	}
	return s.fill()
}

func (s *csvSource) tooLong(line int64) error {
	return refuse("record_too_long", "从第%[1]d行开始的一条记录超过%[2]d字节。", "The record that begins at line %[1]d is longer than %[2]d bytes.", line, s.in.Limits.Record).at(line, "", "")
}

// appendRow copies the fields just read into the chunk.
func (s *csvSource) appendRow(c *Chunk, record []byte, width int, line int64) {
	columns := c.Columns[:width]
	fields := s.reader.fields
	for i := range columns {
		k := &columns[i]
		if i >= len(fields) {
			k.AppendNull()
			continue
		}
		f := &fields[i]
		if f.start == f.end && (!f.quoted || width == 1) {
			k.AppendNull()
			continue
		}
		if f.bare {
			s.bareQuote(f, record, line)
		}
		if f.doubled {
			k.Append(f.cell(record, &s.scratch))
			continue
		}
		k.Append(record[f.start:f.end])
	}
	c.EndRow(line)
}

func (s *csvSource) bareQuote(f *field, record []byte, line int64) {
	if s.bare == 0 {
		s.bareAt, s.bareText = line, string(record[f.start:f.end])
	}
	s.bare++
}

// tolerated reports whether the record just read is right but for empty cells
// at its end.
func (s *csvSource) tolerated(width int, line int64) bool {
	fields := s.reader.fields
	if len(fields) < width {
		return false
	}
	for _, f := range fields[width:] {
		if f.quoted || f.start != f.end {
			return false
		}
	}
	if s.trailing == 0 {
		s.trailAt = line
	}
	s.trailing++
	return true
}

// raggedRow lists a row of the wrong width; the hundredth ends the reading.
func (s *csvSource) raggedRow(record []byte, n, width int, line int64) error {
	r := refuse("ragged_rows", "第%[1]d行有%[2]d个单元格，表头有%[3]d个。", "Line %[1]d has %[2]d cells, the header has %[3]d.", line, n, width).
		at(line, "", string(bytes.TrimRight(record, "\r\n")))
	s.ragged++
	if s.ragged >= maxListed {
		return r
	}
	s.in.Findings.Add(r.Finding)
	return nil
}

// lineBelow is a row of another width than the table's that may be a note below it.
type lineBelow struct {
	record string
	texts  []string
	fields int
	line   int64
}

// mayBeBelow keeps a row of another width that looks like a note until it is known
// whether rows of data follow.
func (s *csvSource) mayBeBelow(record []byte, width int, line int64) bool {
	fields := s.reader.fields
	if len(fields) == width || s.in.Options.Totals == totalsKeep || len(s.below) == tailRows {
		return false
	}
	var texts []string
	for i := range fields {
		if text := strings.TrimSpace(string(fields[i].cell(record, &s.scratch))); text != "" {
			texts = append(texts, text)
		}
		if i == totalColumns*2 && len(texts) > totalColumns {
			break
		}
	}
	if len(texts) == 0 || !isNote(texts) && (len(s.below) == 0 || len(texts) > 1) {
		return false
	}
	s.below = append(s.below, lineBelow{string(bytes.TrimRight(record, "\r\n")), texts, len(fields), line})
	return true
}

// notBelow is called at a row of data: what was kept is no note but a row of the
// wrong width.
func (s *csvSource) notBelow(width int) error {
	for _, b := range s.below {
		s.gap()
		if err := s.raggedRow([]byte(b.record), b.fields, width, b.line); err != nil {
			return err
		}
	}
	s.below = nil
	return nil
}

// endBelow tells, at the end of the file, the notes that were left out.
func (s *csvSource) endBelow() {
	for _, b := range s.below {
		f := found("notes_left_out", "", "")
		f.Row, f.Value = b.line, strings.Join(b.texts, " ")
		s.in.Findings.Add(f)
		s.header.Notes = append(s.header.Notes, f.Value)
	}
}

// cutRecord words why the record at pos cannot be read.
func (s *csvSource) cutRecord() error {
	r := s.reader
	rest := s.buf[s.pos:]
	_, state := r.read(rest, true)
	opened := s.line + int64(r.quoteAt)
	switch {
	case state == recordWide:
		return s.tooWide()
	case state == recordStray && r.lines == r.quoteAt:
		end, _ := r.read(rest, true)
		from := max(0, end-20)
		return refuse("stray_quote", "第%[1]d行：闭合引号后还有别的字符。", "Line %[1]d: text follows a closing quote.", opened).at(opened, "", string(rest[from:min(end+20, len(rest))]))
	case s.broken != nil && state != recordStray:
		return s.refuseBroken()
	case state == recordUnclosed && len(rest) > s.in.Limits.Record:
		return s.tooLong(s.line)
	case state == recordStray, state == recordUnclosed:
		line := rest
		for range r.quoteAt {
			if i := bytes.IndexByte(line, '\n'); i >= 0 {
				line = line[i+1:]
			}
		}
		line, _, _ = bytes.Cut(line, []byte("\n"))
		return refuse("unclosed_quote", "第%[1]d行打开的引号没有闭合。", "The quote opened on line %[1]d is never closed.", opened).at(opened, "", string(line))
	}
	return refuse("ragged_rows", "", "").at(s.line, "", "")
}

// blank counts an empty line; those at the end of the file do not matter.
func (s *csvSource) blank(line int64) {
	if s.blanks == 0 && s.skipped == 0 {
		s.firstGap = line
	}
	s.blanks++
}

// gap is called at a row: the blank lines before it stood between rows.
func (s *csvSource) gap() {
	s.skipped += s.blanks
	s.blanks = 0
}

// close tells what was tolerated.
func (s *csvSource) close() {
	tell := func(code string, n, row int64, value string) {
		if n > 0 {
			f := found(code, "", "")
			f.Row, f.Count, f.Value = row, n, value
			s.in.Findings.Add(f)
		}
	}
	tell("blank_lines", s.skipped, s.firstGap, "")
	tell("trailing_delimiters", s.trailing, s.trailAt, "")
	tell("quote_in_value", s.bare, s.bareAt, s.bareText)
}
