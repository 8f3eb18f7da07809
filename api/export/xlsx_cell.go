package export

import (
	"strconv"

	"taihu/catalog"
	"taihu/catalog/table"
)

const (
	// maxExact is the greatest integer of 15 digits: beyond it a spreadsheet's
	// numbers lose digits.
	maxExact = 999_999_999_999_999
	// The serial number of a day counts from 1899-12-30, and is right from
	// 1900-03-01 on: Excel believes in a 29 February 1900.
	dayZero  = 25569  // serial of 1970-01-01
	firstDay = -25508 // 1900-03-01
	lastDay  = 2932896
)

// appendCell appends a cell from behind its row number on, for a value that is
// not null.
func (c *sheetColumn) appendCell(dst []byte, v *table.Vector, i int) []byte {
	switch c.kind {
	case kindText, kindJSON:
		return c.appendTextCell(dst, v.Text[i])
	case kindBoolean:
		dst = append(dst, c.number...)
		if v.Bool[i] {
			return append(dst, "1</v></c>"...)
		}
		return append(dst, "0</v></c>"...)
	case kindInteger, kindDecimal:
		if n := v.Int[i]; n >= -maxExact && n <= maxExact {
			dst = append(dst, c.number...)
			dst = catalog.AppendDecimal(dst, n, c.scale)
			return append(dst, "</v></c>"...)
		}
	case kindWide:
		if significant(v.Text[i]) <= 15 {
			dst = append(dst, c.number...)
			dst = append(dst, v.Text[i]...)
			return append(dst, "</v></c>"...)
		}
	case kindNumber:
		if f := v.Num[i]; f-f == 0 { // neither NaN nor infinite
			dst = append(dst, c.number...)
			dst = catalog.AppendNumber(dst, f)
			return append(dst, "</v></c>"...)
		}
	case kindDate:
		if day := v.Int[i]; day >= firstDay && day <= lastDay {
			dst = append(dst, c.number...)
			dst = strconv.AppendInt(dst, day+dayZero, 10)
			return append(dst, "</v></c>"...)
		}
	case kindTime:
		if micros := v.Int[i]; micros%1000 == 0 {
			dst = c.appendOpen(dst, micros)
			dst = catalog.AppendNumber(dst, float64(micros)/86400e6)
			return append(dst, "</v></c>"...)
		}
	case kindDatetime:
		day, micros := split(v.Int[i])
		if micros%1000 == 0 && day >= firstDay && day <= lastDay {
			dst = c.appendOpen(dst, micros)
			dst = appendSerial(dst, day, micros/1000)
			return append(dst, "</v></c>"...)
		}
	}
	dst = append(append(dst, c.text...), '>') // no character of these needs escaping
	dst = c.append(dst, v, i)
	return append(dst, "</t></is></c>"...)
}

// appendOpen takes the style with milliseconds where there are some.
func (c *sheetColumn) appendOpen(dst []byte, micros int64) []byte {
	if micros%1e6 != 0 {
		return append(dst, c.exact...)
	}
	return append(dst, c.number...)
}

// appendSerial appends a day and the milliseconds since its midnight as days and
// a fraction of 13 digits: as exact as a double near it can be.
func appendSerial(dst []byte, day, millis int64) []byte {
	dst = strconv.AppendInt(dst, day+dayZero, 10)
	if millis == 0 {
		return dst
	}
	fraction := uint64(millis*1e8+432) / 864 // millis × 10^13 / 86,400,000, rounded
	var digits [14]byte
	for i := len(digits) - 1; i > 0; i-- {
		digits[i] = byte('0' + fraction%10)
		fraction /= 10
	}
	digits[0] = '.'
	end := len(digits)
	for digits[end-1] == '0' {
		end--
	}
	return append(dst, digits[:end]...)
}

// significant counts the digits of a decimal from the first that is not zero on.
func significant(s string) int {
	n := 0
	for i := range len(s) {
		if d := s[i] - '0'; d <= 9 && (n > 0 || d > 0) {
			n++
		}
	}
	return n
}

func (c *sheetColumn) appendTextCell(dst []byte, s string) []byte {
	if plain, ok := appendPlainXML(append(dst, c.plain...), s); ok {
		return append(plain, "</v></c>"...)
	}
	dst = append(dst, c.text...)
	dst = appendXMLText(dst, s)
	return append(dst, "</t></is></c>"...)
}

// appendPlainXML appends a text as XML; false where it needs more than the five
// signs of XML escaped, or is empty: that takes an inline string.
func appendPlainXML(dst []byte, s string) ([]byte, bool) {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' {
		return dst, false
	}
	done := 0
	for i := 0; i < len(s); i++ {
		var escaped string
		switch xmlClass[s[i]] {
		case xmlPlain:
			continue
		case xmlSpace:
			if s[i] == ' ' {
				continue
			}
			return dst, false
		case xmlAmp:
			escaped = "&amp;"
		case xmlLess:
			escaped = "&lt;"
		case xmlGreater:
			escaped = "&gt;"
		case xmlUnder:
			if looksEscaped(s[i:]) {
				return dst, false
			}
			continue
		case xmlControl:
			return dst, false
		case xmlEF:
			if len(s)-i >= 3 && s[i+1] == 0xbf && s[i+2] >= 0xbe {
				return dst, false
			}
			continue
		}
		dst = append(dst, s[done:i]...)
		dst = append(dst, escaped...)
		done = i + 1
	}
	return append(dst, s[done:]...), true
}

// appendXMLText appends the rest of a <t> tag and the text: white space at the
// ends or line breaks are marked to be kept, characters XML cannot hold are
// written _xHHHH_ as Excel does, and so is the _ of a text that looks like that.
func appendXMLText(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, '>')
	}
	if xmlClass[s[0]] == xmlSpace || xmlClass[s[len(s)-1]] == xmlSpace || hasBreak(s) {
		dst = append(dst, ` xml:space="preserve"`...)
	}
	dst = append(dst, '>')
	done := 0
	for i := 0; i < len(s); i++ {
		var escaped string
		switch xmlClass[s[i]] {
		case xmlPlain, xmlSpace:
			continue
		case xmlAmp:
			escaped = "&amp;"
		case xmlLess:
			escaped = "&lt;"
		case xmlGreater:
			escaped = "&gt;"
		case xmlUnder:
			if !looksEscaped(s[i:]) {
				continue
			}
			escaped = "_x005F_"
		case xmlControl:
			dst = append(dst, s[done:i]...)
			dst = appendUnit(dst, uint16(s[i]))
			done = i + 1
			continue
		case xmlEF: // U+FFFE and U+FFFF are EF BF BE and EF BF BF
			if len(s)-i < 3 || s[i+1] != 0xbf || s[i+2] < 0xbe {
				continue
			}
			dst = append(dst, s[done:i]...)
			dst = appendUnit(dst, 0xff00|uint16(s[i+2]+0x40))
			i += 2
			done = i + 1
			continue
		}
		dst = append(dst, s[done:i]...)
		dst = append(dst, escaped...)
		done = i + 1
	}
	return append(dst, s[done:]...)
}

// What a byte needs in XML text.
const (
	xmlPlain = iota
	xmlSpace
	xmlAmp
	xmlLess
	xmlGreater
	xmlUnder
	xmlControl
	xmlEF
)

var xmlClass = func() (t [256]byte) {
	for c := range 0x20 {
		t[c] = xmlControl
	}
	t[' '], t['\t'], t['\n'] = xmlSpace, xmlSpace, xmlSpace
	t['&'], t['<'], t['>'], t['_'] = xmlAmp, xmlLess, xmlGreater, xmlUnder
	t[0xef] = xmlEF
	return t
}()

func hasBreak(s string) bool {
	for i := range len(s) {
		if s[i] <= '\n' && s[i] >= '\t' {
			return true
		}
	}
	return false
}

// looksEscaped reports whether s begins with _xHHHH_.
func looksEscaped(s string) bool {
	if len(s) < 7 || s[1] != 'x' || s[6] != '_' {
		return false
	}
	for _, c := range []byte(s[2:6]) {
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

// appendUnit appends a UTF-16 unit as _xHHHH_.
func appendUnit(dst []byte, u uint16) []byte {
	const hex = "0123456789ABCDEF"
	return append(dst, '_', 'x', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15], '_')
}
