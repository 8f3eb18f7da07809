package ingest

import (
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth bounds arrays and objects within each other.
const maxJSONDepth = 200

// jsonKind says what a JSON value is.
type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonWord          // true, false or a number, as written
	jsonString
	jsonNested // an array or object, compact
)

// jsonScanner reads JSON text piece by piece in bounded memory: numbers keep
// their digits, duplicate keys, NaN, lone surrogates and anything else outside
// RFC 8259 are refused with the line and the byte.
type jsonScanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	base     int64 // offset of buf[0] in the file
	line     int64 // 1-based
	eof      bool
	err      error
	maxCell  int

	text []byte // of the value just read
	keep bool   // whether text is wanted; strings are checked in any case
}

func newJSONScanner(r io.Reader, maxCell int) *jsonScanner {
	s := &jsonScanner{r: r, buf: make([]byte, 128<<10), line: 1, maxCell: maxCell}
	if s.more() && s.end >= 3 && string(s.buf[:3]) == "\xef\xbb\xbf" {
		s.pos = 3
	}
	return s
}

// more reads on once the window is used up.
func (s *jsonScanner) more() bool {
	if s.pos < s.end {
		return true
	}
	if s.eof {
		return false
	}
	s.base += int64(s.end)
	s.pos, s.end = 0, 0
	n, err := io.ReadAtLeast(s.r, s.buf, 4)
	s.end = n
	if err != nil {
		s.eof = true
		if err != io.EOF && err != io.ErrUnexpectedEOF {
			s.err = err
		}
	}
	return n > 0
}

// peek returns the next byte that is no white space, 0 at the end.
func (s *jsonScanner) peek() byte {
	for s.more() {
		for ; s.pos < s.end; s.pos++ {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\r':
			case '\n':
				s.line++
			default:
				return c
			}
		}
	}
	return 0
}

// bad refuses the file at the present place.
func (s *jsonScanner) bad(zh, en string, args ...any) error {
	if s.err != nil {
		return s.err
	}
	return s.refuse("malformed_json", zh, en, args...)
}

func (s *jsonScanner) refuse(code, zh, en string, args ...any) error {
	r := refuse(code, zh, en, args...)
	at := s.base + int64(s.pos) + 1
	r.Finding.Message.Zh += fmt.Sprintf("（第 %d 行，第 %d 个字节）", s.line, at)
	r.Finding.Message.En += fmt.Sprintf(" (line %d, byte %d of the file)", s.line, at)
	return r.at(s.line, "", "")
}

// expect takes the byte c.
func (s *jsonScanner) expect(c byte) error {
	if got := s.peek(); got != c {
		return s.unexpected(got, string(c))
	}
	s.pos++
	return nil
}

// unexpected words what stands where something else should.
func (s *jsonScanner) unexpected(got byte, want string) error {
	if got == 0 && !s.more() {
		return s.bad("文件在此中断，缺少 %[1]s", "the file ends here; %[1]s was expected", want)
	}
	return s.bad("此处应为 %[1]s，却是 %[2]q", "%[1]s was expected, not %[2]q", want, string(rune(got)))
}

// value reads one value of any kind. Its text is in s.text where keep is set.
func (s *jsonScanner) value(depth int) (jsonKind, error) {
	s.text = s.text[:0]
	switch c := s.peek(); c {
	case '"':
		return jsonString, s.str(false)
	case '{', '[':
		return jsonNested, s.nested(depth)
	default:
		return s.word(c)
	}
}

// word reads true, false, null or a number.
func (s *jsonScanner) word(first byte) (jsonKind, error) {
	var w [64]byte
	n := 0
	long := s.text
	for s.more() {
		c := s.buf[s.pos]
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '+' || c == '-' || c == '.') {
			break
		}
		if n < len(w) {
			w[n] = c
		} else {
			if n == len(w) {
				long = append(long, w[:]...)
			}
			long = append(long, c)
		}
		n++
		s.pos++
		if n > s.maxCell {
			return 0, s.refuse("cell_too_long", "数字超过 %[1]d 字节", "a number of more than %[1]d bytes", s.maxCell)
		}
	}
	if n == 0 {
		return 0, s.unexpected(first, "a value")
	}
	word := w[:min(n, len(w))]
	if n > len(w) {
		word = long[len(s.text):]
	}
	switch string(word) {
	case "null":
		return s.keepWord("null", jsonNull)
	case "true", "false":
		return s.keepWord(string(word), jsonWord)
	case "NaN", "nan", "Infinity", "-Infinity", "inf", "-inf":
		return 0, s.bad("%[1]s 不是 JSON 的值；没有数值时请写 null", "%[1]s is no JSON value; write null where there is no number", string(word))
	}
	if !jsonNumber(word) {
		return 0, s.bad("%[1]q 不是 JSON 的值", "%[1]q is no JSON value", shorten(string(word)))
	}
	if s.keep {
		s.text = append(s.text, word...)
	}
	return jsonWord, nil
}

func (s *jsonScanner) keepWord(w string, k jsonKind) (jsonKind, error) {
	if s.keep {
		s.text = append(s.text, w...)
	}
	return k, nil
}

// jsonNumber reports whether b is a number as RFC 8259 has it.
func jsonNumber(b []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			n++
		}
		b = b[n:]
		return n > 0
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == '0' && b[1] >= '0' && b[1] <= '9' || !digits() {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b = b[1:]; !digits() {
			return false
		}
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(b) == 0
}

// str reads a string and appends it to s.text: decoded, or as written with its
// quotes where raw is set.
func (s *jsonScanner) str(raw bool) error {
	start := len(s.text)
	s.pos++ // the quote
	if raw {
		s.text = append(s.text, '"')
	}
	for s.more() {
		from := s.pos
		for s.pos < s.end && s.buf[s.pos] >= 0x20 && s.buf[s.pos] != '"' && s.buf[s.pos] != '\\' {
			s.pos++
		}
		s.text = append(s.text, s.buf[from:s.pos]...)
		if len(s.text)-start > s.maxCell {
			return s.refuse("cell_too_long", "文字超过 %[1]d 字节", "a text of more than %[1]d bytes", s.maxCell)
		}
		if s.pos == s.end {
			continue
		}
		switch c := s.buf[s.pos]; {
		case c == '"':
			s.pos++
			if !utf8.Valid(s.text[start:]) {
				return s.refuse("invalid_encoding", "文字不是 UTF-8", "a text is not UTF-8")
			}
			if raw {
				s.text = append(s.text, '"')
			}
			return nil
		case c == '\\':
			if err := s.escaped(raw); err != nil {
				return err
			}
		default:
			return s.bad("文字中有未转义的控制字符 0x%02[1]x", "a control character 0x%02[1]x stands unescaped in a text", c)
		}
	}
	return s.bad("文字没有以引号结束", "a text is not closed by a quote")
}

// escaped reads an escape sequence.
func (s *jsonScanner) escaped(raw bool) error {
	from := len(s.text)
	s.pos++
	if !s.more() {
		return s.bad("文字没有以引号结束", "a text is not closed by a quote")
	}
	c := s.buf[s.pos]
	s.pos++
	var r rune
	switch c {
	case '"', '\\', '/':
		r = rune(c)
	case 'b':
		r = '\b'
	case 'f':
		r = '\f'
	case 'n':
		r = '\n'
	case 'r':
		r = '\r'
	case 't':
		r = '\t'
	case 'u':
		var err error
		if r, err = s.unicode(); err != nil {
			return err
		}
	default:
		return s.bad("转义 \\%[1]s 不存在", "there is no escape \\%[1]s", string(rune(c)))
	}
	if !raw {
		s.text = utf8.AppendRune(s.text, r)
		return nil
	}
	s.text = appendJSONRune(s.text[:from], r)
	return nil
}

// appendJSONRune writes a character within a JSON text, escaped only where JSON
// asks for it.
func appendJSONRune(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	if r < 0x20 {
		const hex = "0123456789abcdef"
		return append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
	}
	return utf8.AppendRune(dst, r)
}

// unicode reads what follows \u, with the second half of a surrogate pair.
func (s *jsonScanner) unicode() (rune, error) {
	r, err := s.hex4()
	if err != nil {
		return 0, err
	}
	if r == 0 {
		return 0, s.bad("文字中有 NUL 字符", "a text holds a NUL character")
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	for _, want := range `\u` {
		if !s.more() || rune(s.buf[s.pos]) != want {
			return 0, s.bad("代理对不完整", "half of a surrogate pair stands alone")
		}
		s.pos++
	}
	low, err := s.hex4()
	if err != nil {
		return 0, err
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, s.bad("代理对不完整", "half of a surrogate pair stands alone")
	}
	return r, nil
}

func (s *jsonScanner) hex4() (rune, error) {
	var r rune
	for range 4 {
		if !s.more() {
			return 0, s.bad("文字没有以引号结束", "a text is not closed by a quote")
		}
		d := hexDigit(s.buf[s.pos])
		if d < 0 {
			return 0, s.bad("\\u 之后应有四位十六进制数", "four hexadecimal digits must follow \\u")
		}
		r = r<<4 | d
		s.pos++
	}
	return r, nil
}

// nested reads an array or object and appends it to s.text without white space.
func (s *jsonScanner) nested(depth int) error {
	if depth > maxJSONDepth {
		return s.refuse("json_too_deep", "嵌套超过 %[1]d 层", "more than %[1]d arrays and objects within each other", maxJSONDepth)
	}
	open := s.buf[s.pos]
	s.pos++
	s.add(open)
	closing := open + 2 // ] and } follow [ and { by two
	seen := map[string]bool(nil)
	for n := 0; ; n++ {
		switch c := s.peek(); {
		case c == closing && n == 0:
			s.pos++
			s.add(closing)
			return nil
		case n > 0 && c == closing:
			s.pos++
			s.add(closing)
			return s.room()
		case n > 0 && c != ',':
			return s.unexpected(c, `"," or "`+string(closing)+`"`)
		case n > 0:
			s.pos++
			s.add(',')
		}
		if open == '{' {
			if seen == nil {
				seen = map[string]bool{}
			}
			if err := s.nestedKey(seen); err != nil {
				return err
			}
		}
		if err := s.nestedValue(depth); err != nil {
			return err
		}
	}
}

func (s *jsonScanner) nestedKey(seen map[string]bool) error {
	if c := s.peek(); c != '"' {
		return s.unexpected(c, "a key")
	}
	start := len(s.text)
	if err := s.str(true); err != nil {
		return err
	}
	key := string(s.text[start:])
	if seen[key] {
		return s.refuse("duplicate_key", "键 %[1]s 重复", "the key %[1]s appears twice", shorten(key))
	}
	seen[key] = true
	if err := s.expect(':'); err != nil {
		return err
	}
	s.add(':')
	if !s.keep {
		s.text = s.text[:0]
	}
	return nil
}

func (s *jsonScanner) nestedValue(depth int) error {
	switch c := s.peek(); c {
	case '"':
		if err := s.str(true); err != nil {
			return err
		}
	case '{', '[':
		if err := s.nested(depth + 1); err != nil {
			return err
		}
	default:
		if _, err := s.word(c); err != nil {
			return err
		}
	}
	if !s.keep {
		s.text = s.text[:0]
	}
	return s.room()
}

func (s *jsonScanner) add(c byte) {
	if s.keep {
		s.text = append(s.text, c)
	}
}

// room checks the size of a value that is being put together.
func (s *jsonScanner) room() error {
	if len(s.text) > s.maxCell {
		return s.refuse("cell_too_long", "值超过 %[1]d 字节", "a value of more than %[1]d bytes", s.maxCell)
	}
	return nil
}
