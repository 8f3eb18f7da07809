package ingest

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	tailRows     = 64 // rows at the end of a table that may be totals and notes
	totalColumns = 3  // columns at the left in which 合计 is looked for
)

// tailSource leaves out of a table what people write below its data: totals and
// notes. Each row that is left out is told with its text. It keeps the last
// chunks back until it knows that more follows, and copies nothing.
type tailSource struct {
	Source
	in      Input
	header  *Header
	waiting []Chunk
	spare   []Chunk
	ended   bool
	given   int64
	within  map[totalKey]*totalSeen
	order   []totalKey // of within, as first seen
}

// totalKey is a word for a total in a column.
type totalKey struct {
	column int
	word   string
}

// totalSeen is how often it stands at the head of a row, and where first.
type totalSeen struct {
	count int64
	row   int64
	text  string
}

func (t *tailSource) Next() (*Header, error) {
	h, err := t.Source.Next()
	t.header, t.waiting, t.ended, t.given, t.within, t.order = h, nil, false, 0, map[totalKey]*totalSeen{}, nil
	return h, err
}

// Read gives the chunk that came before those kept back.
func (t *tailSource) Read(c *Chunk) error {
	if len(t.header.Columns) < 2 || t.in.Options.Totals == totalsKeep {
		return t.Source.Read(c)
	}
	for !t.ended && !t.enough() {
		var k Chunk
		if n := len(t.spare); n > 0 {
			k, t.spare = t.spare[n-1], t.spare[:n-1]
		}
		k.Reset(len(t.header.Columns))
		err := t.Source.Read(&k)
		if errors.Is(err, io.EOF) {
			t.ended = true
			t.cut()
			break
		}
		if err != nil {
			return err
		}
		t.look(&k)
		if k.Len > 0 {
			t.waiting = append(t.waiting, k)
		}
	}
	if len(t.waiting) == 0 {
		return io.EOF
	}
	t.spare = append(t.spare, *c)
	*c = t.waiting[0]
	t.given += int64(c.Len)
	t.waiting = append(t.waiting[:0], t.waiting[1:]...)
	return nil
}

// enough reports whether the first chunk cannot reach into the end of the table.
func (t *tailSource) enough() bool {
	n := 0
	for i := 1; i < len(t.waiting); i++ {
		n += t.waiting[i].Len
	}
	return n >= tailRows
}

// look counts the rows of totals in a chunk, and takes them out where that is
// stated.
func (t *tailSource) look(c *Chunk) {
	var out []bool
	for col := range min(totalColumns, len(c.Columns)) {
		k := &c.Columns[col]
		for _, mark := range totalMarks {
			for at := 0; ; {
				i := bytes.Index(k.Data[at:], mark)
				if i < 0 {
					break
				}
				row, _ := slices.BinarySearch(k.Ends, uint32(at+i)+1)
				at = int(k.Ends[row])
				word := t.total(c, row, col)
				if word == "" {
					continue
				}
				if t.in.Options.Totals == totalsDrop {
					if out == nil {
						out = make([]bool, c.Len)
					}
					out[row] = true
					continue
				}
				key := totalKey{col, word}
				seen := t.within[key]
				if seen == nil {
					seen = &totalSeen{row: c.Rows[row], text: strings.Join(c.texts(row), " | ")}
					t.within[key], t.order = seen, append(t.order, key)
				}
				seen.count++
			}
		}
	}
	if out == nil {
		return
	}
	for row := range out {
		if out[row] {
			t.tell("totals_left_out", c, row)
		}
	}
	c.remove(out)
}

// total returns the word for a total with which a row begins in a column: there
// are only words before it, and a number after it or nothing.
func (t *tailSource) total(c *Chunk, row, col int) string {
	word := totalWord(c.Columns[col].Cell(row))
	if word == "" {
		return ""
	}
	filled, numbers := 0, 0
	for i := range c.Columns {
		cell := c.Columns[i].Cell(row)
		if i == col || len(trimSpaces(cell)) == 0 {
			continue
		}
		class, _ := classify(cell)
		number := class != classText && class != classNullWord
		if i < col && number {
			return ""
		}
		if i > col && class != classNullWord {
			filled++
			if number {
				numbers++
			}
		}
	}
	if filled > 0 && numbers == 0 {
		return ""
	}
	return word
}

// tailRow is one of the last rows of a table, counted from its end up.
type tailRow struct {
	chunk, row int
	kind       tailKind
	key        totalKey
}

type tailKind uint8

const (
	tailBlank tailKind = iota
	tailWords          // words alone: a note where one is above them
	tailNote
	tailTotal
)

// cut ends the table: it takes totals and notes off its end, and tells what of
// totals stands within it.
func (t *tailSource) cut() {
	rows := t.tail()
	for n := -1; n != len(rows); {
		n = len(rows)
		rows = rows[:t.whole(rows)]
	}
	for n := len(rows); n > 0 && (rows[n-1].kind == tailBlank || rows[n-1].kind == tailWords); n = len(rows) {
		rows = rows[:n-1]
	}
	all := t.given
	for i := range t.waiting {
		all += int64(t.waiting[i].Len)
	}
	if int64(len(rows)) == all { // nothing but totals: they are the data
		rows = nil
	}
	if len(rows) > 0 { // with the empty rows above them
		last := rows[len(rows)-1]
		for i, row := last.chunk, last.row-1; i >= 0; i-- {
			for ; row >= 0 && len(t.waiting[i].texts(row)) == 0; row-- {
				rows = append(rows, tailRow{chunk: i, row: row})
			}
			if row >= 0 || i == 0 {
				break
			}
			row = t.waiting[i-1].Len - 1
		}
	}
	t.leaveOut(rows)
	for _, key := range t.order {
		if seen := t.within[key]; seen.count > 0 {
			f := found("totals_within", "", "")
			f.Row, f.Column, f.Value, f.Count = seen.row, t.header.Columns[key.column], seen.text, seen.count
			t.in.Findings.Add(f)
		}
	}
}

// tail lists the rows from the last up to the first that is data.
func (t *tailSource) tail() []tailRow {
	var rows []tailRow
	for i := len(t.waiting) - 1; i >= 0; i-- {
		c := &t.waiting[i]
		for row := c.Len - 1; row >= 0; row-- {
			if len(rows) == tailRows {
				return rows
			}
			r := tailRow{chunk: i, row: row}
			texts := c.texts(row)
			switch key, ok := t.keyOf(c, row); {
			case len(texts) == 0:
			case ok:
				r.kind, r.key = tailTotal, key
			case isNote(texts):
				r.kind = tailNote
			case len(texts) == 1 && len(c.Columns) > 2 && onlyWords(texts[0]):
				r.kind = tailWords
			default:
				return rows
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// whole returns how many of the rows from the end up hold no word for a total that
// is also above them: one that recurs (小计, or a category) is left where it is.
func (t *tailSource) whole(rows []tailRow) int {
	count := map[totalKey]int64{}
	for _, r := range rows {
		if r.kind == tailTotal {
			count[r.key]++
		}
	}
	for i, r := range rows {
		if r.kind == tailTotal && count[r.key] < t.within[r.key].count {
			return i
		}
	}
	return len(rows)
}

// leaveOut takes rows of the tail out and tells each that is not empty.
func (t *tailSource) leaveOut(rows []tailRow) {
	out := make([][]bool, len(t.waiting))
	for _, r := range slices.Backward(rows) {
		c := &t.waiting[r.chunk]
		if out[r.chunk] == nil {
			out[r.chunk] = make([]bool, c.Len)
		}
		out[r.chunk][r.row] = true
		switch r.kind {
		case tailTotal:
			t.within[r.key].count--
			t.tell("totals_left_out", c, r.row)
		case tailNote, tailWords:
			t.tell("notes_left_out", c, r.row)
			t.header.Notes = append(t.header.Notes, strings.Join(c.texts(r.row), " "))
		}
	}
	for i := range out {
		if out[i] != nil {
			t.waiting[i].remove(out[i])
		}
	}
	t.waiting = slices.DeleteFunc(t.waiting, func(c Chunk) bool { return c.Len == 0 })
}

func (t *tailSource) tell(code string, c *Chunk, row int) {
	f := found(code, "", "")
	f.Row, f.Value = c.Rows[row], strings.Join(c.texts(row), " | ")
	t.in.Findings.Add(f)
}

// keyOf returns the word for a total with which a row begins.
func (t *tailSource) keyOf(c *Chunk, row int) (totalKey, bool) {
	for col := range min(totalColumns, len(c.Columns)) {
		if word := t.total(c, row, col); word != "" {
			return totalKey{col, word}, true
		}
	}
	return totalKey{}, false
}

// texts lists the cells of a row that are not blank.
func (c *Chunk) texts(row int) []string {
	var list []string
	for i := range c.Columns {
		if text := strings.TrimSpace(string(c.Columns[i].Cell(row))); text != "" {
			list = append(list, text)
		}
	}
	return list
}

// remove takes rows out of the chunk.
func (c *Chunk) remove(out []bool) {
	rows := c.Rows[:0]
	for i, row := range c.Rows {
		if !out[i] {
			rows = append(rows, row)
		}
	}
	for i := range c.Columns {
		k := &c.Columns[i]
		start, n, size := uint32(0), 0, uint32(0)
		for row, end := range k.Ends {
			if !out[row] {
				size += uint32(copy(k.Data[size:], k.Data[start:end]))
				k.Ends[n] = size
				if k.Null != nil {
					k.Null[n] = k.Null[row]
				}
				if k.Kinds != nil {
					k.Kinds[n] = k.Kinds[row]
				}
				n++
			}
			start = end
		}
		k.Data, k.Ends = k.Data[:size], k.Ends[:n]
		if k.Null != nil {
			k.Null = k.Null[:n]
		}
		if k.Kinds != nil {
			k.Kinds = k.Kinds[:n]
		}
	}
	c.Rows, c.Len = rows, len(rows)
}

// totalMarks are in every word for a total, so that a column without one is soon
// passed.
var totalMarks = [][]byte{[]byte("计"), []byte("otal"), []byte("OTAL")}

var totalWords = map[string]bool{"合计": true, "总计": true, "小计": true, "共计": true, "总合计": true, "本页合计": true, "本页小计": true,
	"total": true, "totals": true, "grandtotal": true, "subtotal": true, "sub-total": true, "subtotals": true}

// totalWord returns the word for a total that a cell holds: one of its own (合 计)
// or after a name (滨湖区小计); "" where there is none.
func totalWord(cell []byte) string {
	if len(cell) > 64 {
		return ""
	}
	text := bracketed.ReplaceAllString(strings.TrimSpace(string(cell)), "")
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || isInvisible(r) {
			return -1
		}
		return r
	}, norm.NFKC.String(text))
	text = strings.ToLower(strings.TrimRight(text, ":："))
	if totalWords[text] {
		return text
	}
	for _, w := range []string{"合计", "总计", "小计"} {
		if name, ok := strings.CutSuffix(text, w); ok && len([]rune(name)) <= 10 && onlyWords(name) {
			return w
		}
	}
	return ""
}

// isInvisible tells characters that are seen as nothing or as a blank.
func isInvisible(r rune) bool {
	switch r {
	case '\u00a0', '\u200b', '\u200c', '\u200d', '\u2060', '\u3000', '\ufeff':
		return true
	}
	return false
}

// onlyWords reports whether a cell is no number, date or the like.
func onlyWords(text string) bool {
	class, _ := classify([]byte(text))
	return class == classText
}

var (
	noteWords = regexp.MustCompile(`^[（(\[【]?\s*(?:备\s*注|附\s*注|注\s*释?|说\s*明|数据说明|资料来源|数据来源|来源|数据提供|填表说明|指标解释|统计口径|口径|(?i:notes?|sources?|remarks?))\s*[0-9０-９一二三四五六七八九十]{0,2}\s*[：:．.、]`)
	noteStar  = regexp.MustCompile(`^[*＊※]\s*\p{Han}`)
	signWords = regexp.MustCompile(`^(?:制表|填表|审核|复核|填报|编制|单位负责人|负责人|统计负责人|联系人|联系电话|联系方式|报出日期|打印日期|报送日期)[^：:]{0,6}[：:]`)
)

// isNote reports whether a row below a table is a note: it begins as one, or all
// its cells say who made the table and when.
func isNote(texts []string) bool {
	if noteWords.MatchString(texts[0]) || noteStar.MatchString(texts[0]) {
		return len(texts) == 1 || len([]rune(texts[0])) > 3
	}
	for _, text := range texts {
		if !signWords.MatchString(text) {
			return false
		}
	}
	return true
}
