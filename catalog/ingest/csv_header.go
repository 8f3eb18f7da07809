package ingest

import "strings"

// findHeader reads the sample's records, decides on the header and sets pos and
// line to the first row of data.
func (s *csvSource) findHeader() error {
	rows, places, err := s.sample(s.reader, 1000)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		if _, state := s.reader.read(s.buf, false); s.atEOF || state != recordCut {
			return s.cutRecord()
		}
		if len(s.buf) > s.in.Limits.Record {
			return s.tooLong(s.line)
		}
		if err := s.fill(); err != nil { // the first record is longer than the sample
			return err
		}
		return s.findHeader()
	}
	guess := headerGuess{Row: 0, Depth: 1}
	switch at := s.in.Options.HeaderRow; {
	case at < 0:
		guess.Row = -1
	case at > 0:
		guess.Row = -2
		for i, p := range places {
			if p.line == int64(at) {
				guess.Row = i
			}
		}
		if guess.Row == -2 {
			return refuse("header_row_missing", "第%[1]d行不是一行数据的开头，不能作表头。", "No row begins at line %[1]d, so it cannot be the header.", at)
		}
		guess.Titles, guess.Depth = guess.Row, headOf(rows, guess.Row).depth()
	default:
		guess = guessHeader(rows)
	}
	if n := s.in.Options.HeaderRows; n > 0 && guess.Row >= 0 {
		if guess.Depth = n; guess.Row+n > len(rows) {
			return refuse("header_row_missing", "指定表头占%[1]d行，但从第%[2]d行起没有这么多行。", "The header was stated to take %[1]d rows, but there are not so many from line %[2]d on.", n, places[guess.Row].line)
		}
	}
	h := &Header{Why: guess.Why}
	if guess.Row < 0 {
		h.Columns = make([]string, len(rows[guess.Titles]))
		s.pos, s.line = places[guess.Titles].start, places[guess.Titles].line
	} else {
		h.Row = places[guess.Row].line
		last := guess.Row + guess.Depth - 1
		if guess.Depth > 1 {
			h.Depth = guess.Depth
			h.Why = whyHeader(h.Row, places[last].line)
			rows[last] = headOf(rows, guess.Row).names(guess.Depth)
		}
		h.Columns = trimHeader(rows, last)
		s.pos, s.line = places[last].end, places[last].after
	}
	s.reportHeader(guess, rows, h)
	if len(h.Columns) > s.in.Limits.Columns {
		return s.tooWide()
	}
	s.header = h
	s.in.Report.HeaderRow, s.in.Report.HeaderRows = int(h.Row), h.Depth
	if h.Depth > 1 {
		tellHeader(s.in.Findings, "", h.Row, places[guess.Row+guess.Depth-1].line, h)
	}
	return nil
}

// reportHeader tells what was found out rather than stated, and takes the words
// above the table.
func (s *csvSource) reportHeader(guess headerGuess, rows [][]string, h *Header) {
	stated := s.in.Options.HeaderRow != 0
	if guess.Row < 0 && !stated {
		f := found("no_header", "", "")
		f.Row, f.Value = s.line, strings.Join(rows[guess.Titles], string(s.reader.delimiter))
		f.Message.Zh += guess.Why.Zh
		f.Message.En += " " + guess.Why.En
		s.in.Findings.Add(f)
	}
	if guess.Titles > 0 {
		var said above
		var lines []string
		for _, row := range rows[:guess.Titles] {
			var cells []string
			for _, cell := range row {
				if cell = strings.TrimSpace(cell); cell != "" {
					cells = append(cells, cell)
				}
			}
			said.add(cells)
			lines = append(lines, strings.Join(cells, " "))
		}
		h.Title, h.Unit = said.title, said.unit
		if stated {
			return
		}
		f := found("title_lines", "", "")
		f.Row, f.Value, f.Count = 1, strings.Join(lines, " / "), int64(guess.Titles)
		s.in.Findings.Add(f)
	}
}

// place is where a sampled record stands.
type place struct {
	start, end  int
	line, after int64
}

// sample splits the head of the buffer into at most n records, blank lines left
// out; a record cut off by the end of the sample is not among them.
func (s *csvSource) sample(r *recordReader, n int) ([][]string, []place, error) {
	var rows [][]string
	var places []place
	pos, line := s.pos, s.line
	for pos < len(s.buf) && len(rows) < n {
		used, state := r.read(s.buf[pos:], s.atEOF && s.broken == nil)
		if state == recordWide {
			return nil, nil, s.tooWide()
		}
		if state != recordWhole {
			break
		}
		if !r.blank(s.buf[pos:], 2) {
			row := make([]string, len(r.fields))
			for i := range r.fields {
				row[i] = string(r.fields[i].cell(s.buf[pos:pos+used], &s.scratch))
			}
			rows = append(rows, row)
			places = append(places, place{pos, pos + used, line, line + int64(r.lines)})
		}
		pos += used
		line += int64(r.lines)
	}
	return rows, places, nil
}

func (s *csvSource) tooWide() error {
	return refuse("too_many_columns", "第%[1]d行超过%[2]d列。", "Line %[1]d has more than %[2]d columns.", s.line, s.in.Limits.Columns).at(s.line, "", "")
}

// trimHeader returns the header without empty cells at its end that no row of
// the sample fills or has.
func trimHeader(rows [][]string, at int) []string {
	header := rows[at]
	need := 0
	for _, row := range rows[at+1:] {
		need = max(need, len(row))
	}
	n := len(header)
	for n > 1 && n > need && strings.TrimSpace(header[n-1]) == "" && len(rows) > at+1 {
		n--
	}
	return header[:n]
}
