package ingest

import (
	"bytes"
	"unicode/utf8"
)

// wholeText returns how much of b can be taken without cutting a reference, a
// character or a carriage return from its line feed.
func wholeText(b []byte) int {
	n := len(b)
	if i := bytes.LastIndexByte(b[max(0, n-12):], '&'); i >= 0 {
		n = max(0, n-12) + i
	}
	for back := 1; back <= utf8.UTFMax && back <= n; back++ {
		if utf8.RuneStart(b[n-back]) {
			if !utf8.FullRune(b[n-back : n]) {
				n -= back
			}
			break
		}
	}
	if n > 1 && b[n-1] == '\r' {
		n--
	}
	if n == 0 {
		return len(b)
	}
	return n
}

// attr returns the value of the attribute called name (without prefix), as
// written.
func (t *xmlTokens) attr(name string) ([]byte, bool) {
	for rest := t.attrs; ; {
		key, value, more := nextAttr(&rest)
		if !more {
			return nil, false
		}
		if string(key) == name {
			return value, true
		}
	}
}

// nextAttr takes one attribute from the front of b. Values that break the syntax
// end the list.
func nextAttr(b *[]byte) (key, value []byte, ok bool) {
	s := *b
	i := 0
	for i < len(s) && isXMLSpace(s[i]) {
		i++
	}
	from, colon := i, -1
	for i < len(s) && s[i] != '=' {
		if s[i] == ':' {
			colon = i
		}
		i++
	}
	if i == from || i == len(s) {
		return nil, nil, false
	}
	key = trimXMLSpace(s[max(from, colon+1):i])
	i++
	for i < len(s) && isXMLSpace(s[i]) {
		i++
	}
	if i == len(s) || s[i] != '"' && s[i] != '\'' {
		return nil, nil, false
	}
	quote := s[i]
	i++
	start := i
	for i < len(s) && s[i] != quote {
		i++
	}
	if i == len(s) {
		return nil, nil, false
	}
	*b = s[i+1:]
	return key, s[start:i], true
}

func isXMLSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// trimXMLSpace drops white space at the end.
func trimXMLSpace(b []byte) []byte {
	for len(b) > 0 && isXMLSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func localName(name []byte) []byte {
	for i, c := range name { // short, so a call of IndexByte costs more
		if c == ':' {
			return name[i+1:]
		}
	}
	return name
}

// appendText appends the text of a charData token with references resolved and
// line ends made LF, as XML wants. Text that is not UTF-8 is an error.
func appendText(dst, text []byte, raw bool) ([]byte, error) {
	if bytes.IndexByte(text, '&') < 0 && bytes.IndexByte(text, '\r') < 0 || raw {
		if !utf8.Valid(text) {
			return dst, syntaxf("text that is not UTF-8")
		}
		return append(dst, text...), nil
	}
	start := len(dst)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\r':
			if i+1 < len(text) && text[i+1] == '\n' {
				continue
			}
			dst = append(dst, '\n')
		case '&':
			n := bytes.IndexByte(text[i:min(len(text), i+12)], ';')
			if n < 0 {
				return dst, syntaxf("'&' without ';'")
			}
			var err error
			if dst, err = appendReference(dst, text[i+1:i+n]); err != nil {
				return dst, err
			}
			i += n
		default:
			dst = append(dst, c)
		}
	}
	if !utf8.Valid(dst[start:]) {
		return dst, syntaxf("text that is not UTF-8")
	}
	return dst, nil
}

func appendReference(dst, name []byte) ([]byte, error) {
	switch string(name) {
	case "amp":
		return append(dst, '&'), nil
	case "lt":
		return append(dst, '<'), nil
	case "gt":
		return append(dst, '>'), nil
	case "quot":
		return append(dst, '"'), nil
	case "apos":
		return append(dst, '\''), nil
	}
	if len(name) < 2 || name[0] != '#' {
		return dst, syntaxf("unknown entity &%s;", name)
	}
	digits, base := name[1:], rune(10)
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	r := rune(0)
	for _, c := range digits {
		d := hexDigit(c)
		if d < 0 || d >= base || r > utf8.MaxRune {
			return dst, syntaxf("bad character reference &%s;", name)
		}
		r = r*base + d
	}
	if len(digits) == 0 || !utf8.ValidRune(r) || r == 0 {
		return dst, syntaxf("bad character reference &%s;", name)
	}
	return utf8.AppendRune(dst, r), nil
}

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}
