package ingest

import (
	"strings"
	"unicode/utf8"

	"taihu/catalog"
)

// delimiters are what may part cells, in order of preference.
var delimiters = []byte{',', '\t', ';', '|'}

const dialectRows = 500

// delimiter finds the character that splits the sample's rows most evenly, quotes
// respected. sure tells that the rows agree on at least two columns.
func (s *csvSource) delimiter(ext string) (delimiter byte, sure bool, err error) {
	if d := s.in.Options.Delimiter; d != "" {
		if strings.EqualFold(d, "tab") || d == `\t` {
			d = "\t"
		}
		if len(d) != 1 || d[0] >= utf8.RuneSelf || strings.ContainsAny(d, "\"\r\n") {
			return 0, false, refuse("bad_option", "分隔符“%[1]s”不可用：请给一个ASCII字符或 tab。", "The delimiter %[1]q cannot be used: give one ASCII character or tab.", d)
		}
		return d[0], true, nil
	}
	best, bestScore := byte(','), 0.0
	if ext == ".tsv" || ext == ".tab" {
		best = '\t'
	}
	for _, d := range delimiters {
		score, err := s.evenness(d)
		if err != nil {
			return 0, false, err
		}
		if score > 0 && d == best { // what the extension says
			score += 0.05
		}
		if score > bestScore+1e-9 {
			best, bestScore = d, score
		}
	}
	if bestScore == 0 {
		return s.fallback(best), false, nil
	}
	return best, bestScore >= 0.9, nil
}

// evenness is the share of rows that have the most common width, where that is
// over one, less what the quotes spoil, plus a little for more columns.
func (s *csvSource) evenness(d byte) (float64, error) {
	r := newRecordReader(d, s.in.Limits.Columns+1)
	widths := map[int]int{}
	total, pos := 0, 0
	decimals := d == ','
	buf := s.buf
	for pos < len(buf) && total < dialectRows {
		used, state := r.read(buf[pos:], s.atEOF)
		if state == recordWide {
			if total == 0 && d == ',' {
				return 0, s.tooWide()
			}
			return 0, nil
		}
		if state != recordWhole {
			if state == recordStray || state == recordUnclosed {
				total += 1 + total/10
			}
			break
		}
		if !r.blank(buf[pos:], 2) {
			widths[len(r.fields)]++
			total++
			decimals = decimals && s.onlyDecimalCommas(buf[pos:pos+used], r)
		}
		pos += used
	}
	mode, n := 1, 0
	for w, k := range widths {
		if w > 1 && (k > n || k == n && w > mode) {
			mode, n = w, k
		}
	}
	if n == 0 || widths[1] > n {
		return 0, nil
	}
	score := float64(n) / float64(total)
	if decimals {
		score /= 2 // 1,5;2,5
	}
	return score + 0.0001*float64(min(mode, 100)), nil
}

// onlyDecimalCommas reports whether every comma of the record stands between
// digits and another delimiter parts cells too.
func (s *csvSource) onlyDecimalCommas(record []byte, r *recordReader) bool {
	other := false
	for i, c := range record {
		switch {
		case c == ';' || c == '\t' || c == '|':
			other = true
		case c == ',' && (i == 0 || i+1 == len(record) || record[i-1]-'0' > 9 || record[i+1]-'0' > 9):
			return false
		}
	}
	return other
}

// fallback is the delimiter where none splits the rows evenly: the preferred one
// where it occurs at all, so that the report names the rows that do not fit; a
// file without any delimiter has one column.
func (s *csvSource) fallback(best byte) byte {
	head := string(s.buf[:min(len(s.buf), 64<<10)])
	if strings.IndexByte(head, best) >= 0 {
		return best
	}
	for _, d := range delimiters {
		if strings.IndexByte(head, d) >= 0 && strings.Count(head, string(d)) >= strings.Count(head, "\n")/2 {
			return d
		}
	}
	return best
}

// headerGuess is which of the first rows is the header.
type headerGuess struct {
	Row    int // index; -1 where there is none
	Titles int // rows above it, or above the data, that are titles
	Depth  int // rows it takes
	Why    catalog.Text
}

// headerWords are words of headers in several languages; a first row with one of
// them is a header.
var headerWords = map[string]bool{"id": true, "name": true, "code": true, "date": true, "year": true, "time": true, "type": true, "value": true, "title": true,
	"city": true, "country": true, "address": true, "key": true, "count": true, "description": true, "age": true, "sex": true, "status": true, "url": true,
	"名称": true, "姓名": true, "编号": true, "代码": true, "日期": true, "时间": true, "地址": true, "序号": true, "年份": true, "类型": true, "单位": true, "备注": true}

// guessHeader tells header from data by the first rows as text (blank ones left
// out): a header is a row of words over columns of values. Where nothing speaks
// against it the first row is the header, as in nearly every file.
func guessHeader(rows [][]string) headerGuess {
	g := headerGuess{Depth: 1}
	t := titleRows(rows)
	if n := headOf(rows, t).depth(); n > 1 {
		g.Row, g.Titles, g.Depth = t, t, n
		return g
	}
	if t > 0 {
		if header, data := headerVotes(rows[t:]); header >= 1 && data == 0 {
			g.Row, g.Titles = t, t
			g.Why = catalog.Text{Zh: "上方各行的列数较少，该行是文字而其下是数据。", En: "The rows above have fewer cells; this one holds words and those below values."}
			return g
		}
	}
	header, data := headerVotes(rows)
	switch {
	case data > header:
		g.Row = -1
		g.Why = catalog.Text{Zh: "第一行与下面各行是同样的数据。", En: "The first row holds the same kind of values as the rows below."}
	case header > 0:
		g.Why = catalog.Text{Zh: "第一行是文字，其下是数据。", En: "The first row holds words, the rows below values."}
	default:
		g.Why = catalog.Text{Zh: "没有相反的迹象，第一行按表头处理。", En: "Nothing speaks against the first row being the header."}
	}
	return g
}

// headOf is the first rows from one on, as the shape of a header is looked for in them.
func headOf(rows [][]string, from int) *head {
	rows = rows[from:min(len(rows), from+statedHeaderRows+shapeRows)]
	width := 0
	for _, row := range rows {
		width = max(width, len(row))
	}
	h := &head{}
	for _, row := range rows {
		cells := make([]headCell, width)
		for i, text := range row {
			c, _ := classify([]byte(text))
			cells[i] = headCell{text, c != classText && c != classNullWord}
		}
		h.rows = append(h.rows, cells)
	}
	return h
}

// titleRows counts the rows at the top that are narrower than the table.
func titleRows(rows [][]string) int {
	widths := map[int]int{}
	mode := 0
	for _, row := range rows {
		widths[len(row)]++
		if widths[len(row)] > widths[mode] || widths[len(row)] == widths[mode] && len(row) > mode {
			mode = len(row)
		}
	}
	if mode < 2 || len(rows) < 3 {
		return 0
	}
	for i, row := range rows[:min(len(rows), 20)] {
		filled := 0
		for _, cell := range row {
			if strings.TrimSpace(cell) != "" {
				filled++
			}
		}
		if len(row) == mode && filled >= 2 {
			return i
		}
		if filled > max(1, mode/3) {
			return 0
		}
	}
	return 0
}

// headerVotes weighs the first row against those below, column by column.
func headerVotes(rows [][]string) (header, data float64) {
	first := rows[0]
	seen := map[string]bool{}
	for i, cell := range first {
		cell = strings.TrimSpace(cell)
		c, _ := classify([]byte(cell))
		below := columnLook(rows[1:], i, cell)
		switch {
		case cell == "":
			if below.typed && i > 0 {
				data += 0.25
			}
		case c == classNullWord:
			data++
		case c == classText:
			if headerWords[strings.ToLower(cell)] {
				header++
			}
			if below.typed {
				header++
			}
			if below.values >= 3 && below.repeats > 0 && len(first) > 1 { // of one column nothing can be told
				data += min(1, 0.5+float64(below.repeats)/float64(below.values))
			}
			switch {
			case below.values >= 3 && below.length > 0 && len(cell) != below.length:
				header += 0.5
			case below.values >= 8 && below.length > 0 && below.length <= 4 && len(first) > 1:
				data += 0.5 // one more two-letter code above two-letter codes
			}
		case below.typed && looksYear(cell) && below.years*2 < below.values:
			header += 0.5 // 2019, 2020, 2021 over other numbers
		case below.typed && below.class == c && !looksYear(cell):
			data++
		case below.typed && !looksYear(cell):
			data += 0.5
		case !below.typed && !looksYear(cell):
			data += 0.25
		}
		if cell != "" && seen[cell] {
			data += 0.5
		}
		seen[cell] = true
	}
	if len(rows) == 1 {
		data = 0
	}
	return header, data
}

// look is what the cells below a first row have in common.
type look struct {
	values, repeats int // cells, and cells equal to the first row's
	years           int // cells that could be years
	typed           bool
	class           class
	length          int // bytes, where all have as many
}

func columnLook(rows [][]string, column int, first string) look {
	var l look
	var count [classCount]int
	for _, row := range rows {
		if column >= len(row) {
			continue
		}
		cell := strings.TrimSpace(row[column])
		c, _ := classify([]byte(cell))
		if c == classNullWord {
			continue
		}
		if l.values == 0 {
			l.length = len(cell)
		} else if len(cell) != l.length {
			l.length = 0
		}
		l.values++
		count[c]++
		if cell == first {
			l.repeats++
		}
		if looksYear(cell) {
			l.years++
		}
	}
	for c, n := range count {
		if class(c) != classText && n*10 >= l.values*9 && n > 0 {
			l.typed, l.class = true, class(c)
		}
	}
	if numbers := count[classInteger] + count[classNumber]; !l.typed && numbers*10 >= l.values*9 && numbers > 0 {
		l.typed, l.class = true, classNumber
	}
	return l
}

// looksYear reports whether a header cell is a year: wide tables have them.
func looksYear(cell string) bool {
	return len(cell) == 4 && (strings.HasPrefix(cell, "18") || strings.HasPrefix(cell, "19") || strings.HasPrefix(cell, "20"))
}
