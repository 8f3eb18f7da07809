package catalog

import (
	"encoding/binary"
	"unicode/utf8"
	"unsafe"
)

// jsonEscapes says how a byte stands in a JSON string: 0 as itself, else escaped.
var jsonEscapes = func() (t [256]byte) {
	for c := range 0x20 {
		t[c] = 'u'
	}
	t['"'], t['\\'], t['\n'], t['\r'], t['\t'], t['\b'], t['\f'] = '"', '\\', 'n', 'r', 't', 'b', 'f'
	return t
}()

// AppendJSONText appends s as a JSON string, escaping what JSON requires and
// nothing else: ", \ and the control characters (as \n, \r, \t, \b, \f or
// \u00xx, in lower case). Bytes that are not UTF-8 become U+FFFD.
func AppendJSONText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	const hex = "0123456789abcdef"
	done := 0
	for i := jsonPlain(s, 0); i < len(s); i = jsonPlain(s, i+1) {
		c := s[i]
		dst = append(dst, s[done:i]...)
		if e := jsonEscapes[c]; e == 'u' {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, '\\', e)
		}
		done = i + 1
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

// jsonPlain returns the place of the first byte of s from i on that is escaped,
// or len(s). Eight bytes are looked at together: the usual trick for "has a byte
// below n" and "has a byte equal to n" (Sean Anderson, Bit Twiddling Hacks).
func jsonPlain(s string, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^ones*'"', x^ones*'\\'
		if ((x-ones*0x20)&^x|(quote-ones)&^quote|(slash-ones)&^slash)&highs != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if jsonEscapes[b[i]] != 0 {
			return i
		}
	}
	return len(b)
}
