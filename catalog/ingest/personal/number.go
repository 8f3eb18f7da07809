package personal

import (
	"bytes"
	"time"
)

// hit is a place in a cell that has the shape of a kind; pass says whether all
// rules of the kind hold there.
type hit struct {
	kind     Kind
	from, to int
	digits   int
	pass     bool
}

// group is a run of digits in a cell.
type group struct{ from, to int }

// find appends every hit in a folded cell: numbers with blanks or hyphens between
// their groups, mail addresses, and a number plate that is the whole cell.
func find(dst []hit, b []byte) []hit {
	if bytes.IndexByte(b, '@') > 0 {
		dst = findMail(dst, b)
	}
	if from, to, ok := plate(b); ok {
		dst = append(dst, hit{kind: Plate, from: from, to: to, pass: true})
	}
	var chain [12]group
	for i := 0; i < len(b); {
		if b[i]-'0' > 9 {
			i++
			continue
		}
		n := 0
		for n < len(chain) {
			g := group{from: i}
			for i < len(b) && b[i]-'0' <= 9 {
				i++
			}
			g.to = i
			chain[n] = g
			n++
			if i+1 >= len(b) || b[i] != ' ' && b[i] != '-' || b[i+1]-'0' > 9 {
				break
			}
			i++
		}
		dst = findNumbers(dst, b, chain[:n])
	}
	return dst
}

// standsAlone reports whether what is around some digits lets them be a number
// of its own: no letter, no point and no star belongs to it. An X may end
// an identity number.
func standsAlone(b []byte, from, to int) bool {
	if from > 0 {
		c := b[from-1]
		if isLetter(c) && !saysNumber(b[:from]) || c == '*' || c == '.' && from > 1 && b[from-2]-'0' <= 9 {
			return false
		}
	}
	if to < len(b) {
		c := b[to]
		if c == '*' || c == '.' && to+1 < len(b) && b[to+1]-'0' <= 9 {
			return false
		}
		if isLetter(c) && (c != 'X' && c != 'x' || to+1 < len(b) && (isLetter(b[to+1]) || b[to+1]-'0' <= 9)) {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// saysNumber reports whether the letters before a number only announce it.
func saysNumber(b []byte) bool {
	i := len(b)
	for i > 0 && isLetter(b[i-1]) {
		i--
	}
	switch string(bytes.ToLower(b[i:])) {
	case "tel", "t", "m", "p", "mob", "mobile", "phone", "id", "sfz", "no":
		return true
	}
	return false
}

// findNumbers looks at each run of neighbouring groups. Where several are one
// number, each has three to eight digits. Hits do not overlap.
func findNumbers(dst []hit, b []byte, chain []group) []hit {
	for first := 0; first < len(chain); first++ {
		var digits [20]byte
		n := 0
		var best hit
		last := -1
		for k := first; k < len(chain); k++ {
			g := chain[k]
			size := g.to - g.from
			if n+size > 19 || k > first && (size < 3 || size > 8) || k == first+1 && (n < 2 || n > 8) {
				break
			}
			n += copy(digits[n:], b[g.from:g.to])
			x := k == len(chain)-1 && g.to < len(b) && b[g.to]|0x20 == 'x'
			if h, ok := judge(digits[:n], x); ok && (last < 0 || h.pass && !best.pass) && standsAlone(b, chain[first].from, g.to) {
				h.from, h.to = chain[first].from, g.to
				if x && h.digits == 18 {
					h.to++
				}
				best, last = h, k
			}
		}
		if last >= 0 {
			dst = append(dst, best)
			first = last
		}
	}
	return dst
}

// judge says which kind a number has the shape of. x: an X follows it.
func judge(d []byte, x bool) (hit, bool) {
	if x {
		if len(d) == 17 && provinces[number(d[:2])] && isDate(d[6:14]) {
			return hit{kind: IDNumber, digits: 18, pass: idCheck(d) == 'X'}, true
		}
		return hit{}, false
	}
	switch len(d) {
	case 11:
		return hit{kind: Mobile, digits: 11, pass: isMobile(d)}, true
	case 13:
		if d[0] == '8' && d[1] == '6' && isMobile(d[2:]) {
			return hit{kind: Mobile, digits: 13, pass: true}, true
		}
	case 15:
		if string(d[:4]) == "0086" && isMobile(d[4:]) {
			return hit{kind: Mobile, digits: 15, pass: true}, true
		}
		if isCard(d) && luhn(d) {
			return hit{kind: BankCard, digits: 15, pass: true}, true
		}
		if provinces[number(d[:2])] && isDate([]byte{'1', '9', d[6], d[7], d[8], d[9], d[10], d[11]}) {
			return hit{kind: IDNumber, digits: 15, pass: true}, true
		}
	case 18:
		if provinces[number(d[:2])] && isDate(d[6:14]) {
			if idCheck(d[:17]) == d[17] || !isCard(d) || !luhn(d) {
				return hit{kind: IDNumber, digits: 18, pass: idCheck(d[:17]) == d[17]}, true
			}
		}
	}
	if len(d) >= 13 && len(d) <= 19 && isCard(d) {
		return hit{kind: BankCard, digits: len(d), pass: luhn(d)}, true
	}
	return hit{}, false
}

// provinces are the first two digits of division codes.
var provinces = func() (p [100]bool) {
	for _, r := range [][2]int{{11, 15}, {21, 23}, {31, 37}, {41, 46}, {50, 54}, {61, 65}, {71, 71}, {81, 83}, {91, 91}} {
		for n := r[0]; n <= r[1]; n++ {
			p[n] = true
		}
	}
	return p
}()

func number(d []byte) int {
	n := 0
	for _, c := range d {
		n = n*10 + int(c-'0')
	}
	return n
}

// numberOf is the number of the digits of a text.
func numberOf(b []byte) int64 {
	n := int64(0)
	for _, c := range b {
		if c-'0' <= 9 {
			n = n*10 + int64(c-'0')
		}
	}
	return n
}

var thisYear = time.Now().Year()

// isDate reports whether eight digits are a date on which a living person, or one
// of the last century, can have been born.
func isDate(d []byte) bool {
	y, m, day := number(d[:4]), number(d[4:6]), number(d[6:8])
	if y < 1880 || y > thisYear || m < 1 || m > 12 || day < 1 {
		return false
	}
	days := [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
	if m == 2 && y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		days++
	}
	return day <= days
}

// idCheck is the check character of 17 digits (GB 11643, ISO 7064 MOD 11-2).
func idCheck(d []byte) byte {
	sum := 0
	for i, w := range idWeights {
		sum += w * int(d[i]-'0')
	}
	return "10X98765432"[sum%11]
}

var idWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

func isMobile(d []byte) bool { return len(d) == 11 && d[0] == '1' && d[1] >= '3' }

// isCard knows the first digits of bank cards: UnionPay, Visa, Mastercard, JCB,
// Diners and American Express.
func isCard(d []byte) bool {
	switch d[0] {
	case '6':
		return d[1] == '2'
	case '4':
		return true
	case '5':
		return d[1] >= '1' && d[1] <= '5'
	case '3':
		return d[1] == '5' || d[1] == '6' || d[1] == '8' || (d[1] == '4' || d[1] == '7') && len(d) == 15
	}
	return false
}

// luhn is the test of ISO/IEC 7812.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// creditDigits are the values, plus one, of the characters of a unified social
// credit code: letters without I, O, S, V and Z.
var creditDigits = func() (v [256]byte) {
	for i, c := range []byte("0123456789ABCDEFGHJKLMNPQRTUWXY") {
		v[c] = byte(i + 1)
	}
	return v
}()

// isCreditCode checks 18 characters by GB 32100: Σ cᵢ·3ⁱ mod 31.
func isCreditCode(b []byte) bool {
	sum := 0
	for i, w := range creditWeights {
		v := int(creditDigits[b[i]]) - 1
		if v < 0 {
			return false
		}
		sum += v * w
	}
	return int(creditDigits[b[17]])-1 == (31-sum%31)%31
}

// creditWeights are the powers of 3 modulo 31.
var creditWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}

// findMail finds the addresses of persons.
func findMail(dst []hit, b []byte) []hit {
	for i := 0; i < len(b); i++ {
		if b[i] != '@' {
			continue
		}
		from, to, dot := i, i+1, 0
		for from > 0 && isMailByte(b[from-1]) {
			from--
		}
		for to < len(b) && (isLetter(b[to]) || b[to]-'0' <= 9 || b[to] == '-' || b[to] == '.') {
			if b[to] == '.' {
				dot = to
			}
			to++
		}
		if from == i || dot == 0 || to-dot < 3 || from > 0 && b[from-1] == '*' {
			continue
		}
		if !isOffice(string(bytes.ToLower(b[from:i])), string(bytes.ToLower(b[i+1:to]))) {
			dst = append(dst, hit{kind: Mail, from: from, to: to, pass: true})
		}
	}
	return dst
}

func isMailByte(c byte) bool {
	return isLetter(c) || c-'0' <= 9 || c == '.' || c == '_' || c == '-' || c == '+' || c == '%'
}

// isOffice tells an office's address by its name or its domain.
func isOffice(local, domain string) bool {
	switch local {
	case "info", "office", "service", "services", "contact", "admin", "webmaster", "support", "mail", "postmaster", "hr", "press", "news", "help", "kefu", "bgs", "public", "opendata", "data":
		return true
	}
	return domain == "gov.cn" || bytes.HasSuffix([]byte(domain), []byte(".gov.cn"))
}

// plateProvinces begin number plates.
const plateProvinces = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

// plate reports whether a cell is a number plate, such as 苏B12345, 苏B·12345 or
// 苏BD12345.
func plate(b []byte) (from, to int, ok bool) {
	body := trim(b)
	if !mayBePlate(body) || !bytes.Contains([]byte(plateProvinces), body[:3]) {
		return 0, 0, false
	}
	rest := body[4:]
	switch {
	case bytes.HasPrefix(rest, []byte("·")):
		rest = rest[2:]
	case rest[0] == '-' || rest[0] == ' ':
		rest = rest[1:]
	}
	for _, last := range []string{"学", "警", "挂", "港", "澳"} {
		if bytes.HasSuffix(rest, []byte(last)) {
			rest = append(bytes.Clone(rest[:len(rest)-3]), '0')
		}
	}
	if len(rest) != 5 && len(rest) != 6 {
		return 0, 0, false
	}
	digits := 0
	for _, c := range rest {
		switch {
		case c-'0' <= 9:
			digits++
		case c-'A' >= 26:
			return 0, 0, false
		}
	}
	from = bytes.Index(b, body)
	return from, from + len(body), digits >= 3
}
