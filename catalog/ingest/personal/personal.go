// Package personal finds personal information in the cells of a column and masks
// it: identity numbers, mobile phones, bank cards, mail addresses, number plates
// by their form; names, home addresses, birth dates, passports and personal
// record numbers by the column's header together with what its cells look like.
//
// It sees every cell once, most of them for a few nanoseconds. What a single cell
// looks like is not enough: one random string of 18 digits in eleven has a right
// check digit, one of 16 in ten passes Luhn's test. So a column is judged by how
// many of its cells that look alike hold, and by its header.
//
// It knows nothing of files, reports or decisions.
package personal

import (
	"bytes"
	"unicode/utf8"
)

// Kind is a kind of personal information.
type Kind int

// The kinds.
const (
	IDNumber  Kind = iota // 公民身份号码, GB 11643, also the old one of 15 digits
	Mobile                // 手机号码
	BankCard              // 银行卡号
	Mail                  // 邮箱 of a person; those of offices are left alone
	Plate                 // 车牌号
	Name                  // 姓名
	Address               // 住址
	BirthDate             // 出生日期
	Passport              // 护照号
	Record                // 社保号、病历号 and the like
	kinds
)

// Kinds lists every kind.
var Kinds = []Kind{IDNumber, Mobile, BankCard, Mail, Plate, Name, Address, BirthDate, Passport, Record}

// MaxPlaces is how many cells of a kind are named.
const MaxPlaces = 20

// Place is a cell with personal information. Its text is masked.
type Place struct {
	Row  int64
	Text string
}

// Found is what a column holds of one kind.
type Found struct {
	Kind   Kind
	Cells  int64 // that hold it
	Values int64 // cells with a value
	Places []Place
}

// Tally counts what the cells of one column look like.
type Tally struct {
	hinted [kinds]bool // the header says so
	byHead Kind        // the kind that is told by the header together with the cells, or -1

	values     int64
	pass       [kinds]int64 // cells in which all rules of the kind hold
	shape      [kinds]int64 // cells of the same shape, whether they hold or not
	oldID      int64        // of pass[IDNumber], cells with the old form of 15 digits
	spoken     int64        // cells that call a number a card or account themselves
	credit     int64        // unified social credit codes with a right check character
	traders    int64        // of these, prefix 92: sole traders
	first      [kinds][]Place
	last       int64 // the last number of 11 digits, to know a counter by
	counted    int64 // how often a number was the last one plus one
	hits       []hit
	wide       bool // the chunk under way may hold full-width characters
	scratch    []byte
	traderRows []Place
}

// New begins the tally of a column with that header.
func New(header string) *Tally {
	t := &Tally{byHead: -1}
	h := headerOf(header)
	for k := range kinds {
		t.hinted[k] = h.says(k)
	}
	for _, k := range []Kind{Name, Address, BirthDate, Passport, Record} {
		if t.hinted[k] {
			t.byHead = k
		}
	}
	return t
}

// Scan looks at the cells of a column: their text one after another, where each
// ends, and their rows. A null has no text.
func (t *Tally) Scan(data []byte, ends []uint32, rows []int64) {
	at := bytes.IndexByte(data, '@') >= 0
	// Full-width digits, no-break and ideographic spaces.
	t.wide = bytes.IndexByte(data, 0xef) >= 0 || bytes.IndexByte(data, 0xc2) >= 0 || bytes.Contains(data, []byte("\u3000"))
	start := uint32(0)
	for i, end := range ends {
		if end == start {
			continue // null or empty
		}
		cell := data[start:end]
		start = end
		t.values++
		if t.byHead >= 0 {
			t.seeByHead(cell, rows[i])
		}
		if len(cell) >= 7 && (mayHoldNumber(cell) || mayBePlate(cell) || at && bytes.IndexByte(cell, '@') > 0 || t.wide && isWide(cell)) {
			t.see(cell, rows[i])
		}
	}
}

// mayHoldNumber reports whether 11 digits, with blanks or hyphens between them,
// may stand in a row: then every eleventh byte shows one of these. A date with a
// time, which does too, is told by its signs.
func mayHoldNumber(b []byte) bool {
	for i := 10; i < len(b); i += 11 {
		if c := b[i]; c-'0' <= 9 || c == ' ' || c == '-' {
			return b[4] != '-' || b[7] != '-' || len(b) < 14 || len(b) > 30 || b[13] != ':'
		}
	}
	return false
}

// mayBePlate: a Chinese character and a capital letter, 9 to 16 bytes in all.
func mayBePlate(b []byte) bool {
	return len(b) >= 9 && len(b) <= 16 && b[0] >= 0xe4 && b[0] <= 0xe9 && b[3]-'A' < 26
}

// see looks closely at a cell.
func (t *Tally) see(cell []byte, row int64) {
	if t.wide {
		cell, t.scratch = fold(cell, t.scratch)
	}
	if h, plain := plainNumber(cell); plain {
		t.hits = append(t.hits[:0], h)
	} else {
		t.hits = find(t.hits[:0], cell)
	}
	passed, shaped := uint16(0), uint16(0) // bits by kind
	for _, h := range t.hits {
		shaped |= 1 << h.kind
		if h.pass {
			passed |= 1 << h.kind
		}
		if h.pass && h.kind == IDNumber && h.digits == 15 {
			t.oldID++
		}
		if h.pass && h.kind == BankCard && saysCard(cell[:h.from]) {
			t.spoken++
		}
		if h.kind == Mobile && h.pass {
			n := numberOf(cell[h.from:h.to])
			if n == t.last+1 {
				t.counted++
			}
			t.last = n
		}
	}
	if code := trim(cell); len(code) == 18 && isCreditCode(code) {
		t.credit++
		if code[0] == '9' && code[1] == '2' {
			if t.traders++; len(t.traderRows) < MaxPlaces {
				t.traderRows = append(t.traderRows, Place{row, string(code)})
			}
		}
	}
	for k := Kind(0); shaped != 0; k, shaped, passed = k+1, shaped>>1, passed>>1 {
		if shaped&1 == 0 || k == t.byHead {
			continue
		}
		t.shape[k]++
		if passed&1 != 0 {
			t.note(k, cell, row)
		}
	}
}

// plainNumber judges a cell that is an identity number or a mobile and nothing
// else, as most cells of such columns are.
func plainNumber(b []byte) (h hit, plain bool) {
	if len(b) != 18 && len(b) != 11 {
		return h, false
	}
	last := len(b) - 1
	for _, c := range b[:last] {
		if c-'0' > 9 {
			return h, false
		}
	}
	x := last == 17 && b[last]|0x20 == 'x'
	switch {
	case x:
		h, plain = judge(b[:last], true)
	case b[last]-'0' <= 9:
		h, plain = judge(b, false)
	}
	h.from, h.to = 0, len(b)
	return h, plain
}

// seeByHead looks at a cell of a column whose header names a kind.
func (t *Tally) seeByHead(cell []byte, row int64) {
	if cell = trim(cell); t.wide {
		cell, t.scratch = fold(cell, t.scratch)
	}
	if len(cell) == 0 || bytes.IndexByte(cell, '*') >= 0 { // masked already
		return
	}
	t.shape[t.byHead]++
	if looksLike(t.byHead, cell) {
		t.note(t.byHead, cell, row)
	}
}

func (t *Tally) note(k Kind, cell []byte, row int64) {
	t.pass[k]++
	if len(t.first[k]) < MaxPlaces {
		t.first[k] = append(t.first[k], Place{row, string(cell)})
	}
}

// Found judges the column.
func (t *Tally) Found() []Found {
	var list []Found
	for _, k := range Kinds {
		if t.pass[k] == 0 || !t.holds(k) {
			continue
		}
		f := Found{Kind: k, Cells: t.pass[k], Values: t.values}
		for _, p := range t.first[k] {
			text := Mask(k, []byte(p.Text))
			f.Places = append(f.Places, Place{p.Row, Hide(string(text))})
		}
		list = append(list, f)
	}
	return list
}

// holds decides whether the cells that pass are of the kind, or look it.
func (t *Tally) holds(k Kind) bool {
	pass, most := t.pass[k], t.pass[k]*2 >= t.shape[k]
	switch k {
	case IDNumber:
		if t.oldID == pass && !t.hinted[k] && pass*20 < t.values { // 15 digits have no check digit
			return false
		}
		return t.hinted[k] || most && t.credit <= pass
	case Mobile:
		return t.hinted[k] || most && t.counted*2 <= pass
	case BankCard:
		return t.spoken > 0 || most && (t.hinted[k] || pass >= 3 && pass*20 >= t.values)
	case Mail:
		return true
	case Plate:
		return t.hinted[k] || pass*20 >= t.values
	}
	return most // by the header
}

// Values returns how many cells hold a value.
func (t *Tally) Values() int64 { return t.values }

// SoleTraders returns how many credit codes are those of sole traders (prefix
// 92), whose name is often a person's, and the first of them.
func (t *Tally) SoleTraders() (int64, []Place) { return t.traders, t.traderRows }

// fold turns full-width digits, letters and the signs of numbers and addresses,
// ideographic and no-break spaces into ASCII. It returns cell itself where there
// are none.
func fold(cell, scratch []byte) (folded, memory []byte) {
	if !isWide(cell) {
		return cell, scratch
	}
	out := scratch[:0]
	for i := 0; i < len(cell); {
		r, n := utf8.DecodeRune(cell[i:])
		switch {
		case r >= '０' && r <= '９' || r >= 'Ａ' && r <= 'Ｚ' || r >= 'ａ' && r <= 'ｚ' || r == '－' || r == '＋' || r == '＠' || r == '．' || r == '＊':
			out = append(out, byte(r-0xff01+'!'))
		case r == 0x3000 || r == 0xa0:
			out = append(out, ' ')
		default:
			out = append(out, cell[i:i+n]...)
		}
		i += n
	}
	return out, out
}

func isWide(b []byte) bool {
	for i := 0; i+1 < len(b); i++ {
		switch b[i] {
		case 0xef:
			if b[i+1] == 0xbc || b[i+1] == 0xbd {
				return true
			}
		case 0xc2:
			if b[i+1] == 0xa0 {
				return true
			}
		case 0xe3:
			if b[i+1] == 0x80 && i+2 < len(b) && b[i+2] == 0x80 {
				return true
			}
		}
	}
	return false
}

func trim(b []byte) []byte {
	if len(b) > 0 && (b[0] <= ' ' || b[len(b)-1] <= ' ') {
		return bytes.Trim(b, " \t\r\n")
	}
	return b
}
