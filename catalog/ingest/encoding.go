package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/transform"
)

// textEncoding turns a file's bytes into UTF-8, strictly: a byte that has no
// meaning in it is an error, never a replacement character.
type textEncoding struct {
	name string
	bom  int // bytes of a byte order mark to skip
	// decode appends the text of src to dst and returns how much of src it used:
	// all of it, but for an unfinished character at its end. A *badBytes names
	// the first byte that cannot be read.
	decode func(dst, src []byte, atEOF bool) ([]byte, int, error)
}

// badBytes says where decoding stopped, counted from the start of src.
type badBytes struct {
	at    int
	bytes []byte
}

func (b *badBytes) Error() string { return fmt.Sprintf("invalid bytes % x", b.bytes) }

// encodingOf returns the encoding a steward may state by name.
func encodingOf(name string) (textEncoding, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	make := func(t func() transform.Transformer) (textEncoding, bool) {
		return textEncoding{name: name, decode: transforming(t())}, true
	}
	switch name {
	case "utf-8", "utf8":
		return textEncoding{name: "utf-8", decode: decodeUTF8}, true
	case "utf-16le":
		return textEncoding{name: name, decode: decodeUTF16(false)}, true
	case "utf-16be":
		return textEncoding{name: name, decode: decodeUTF16(true)}, true
	case "gb18030":
		return make(func() transform.Transformer { return simplifiedchinese.GB18030.NewDecoder() })
	case "gbk":
		return make(func() transform.Transformer { return simplifiedchinese.GBK.NewDecoder() })
	case "big5":
		return make(func() transform.Transformer { return traditionalchinese.Big5.NewDecoder() })
	case "shift-jis", "shift_jis", "sjis":
		name = "shift-jis"
		return make(func() transform.Transformer { return japanese.ShiftJIS.NewDecoder() })
	case "latin-1", "latin1", "iso-8859-1":
		name = "latin-1"
		return make(func() transform.Transformer { return charmap.ISO8859_1.NewDecoder() })
	case "windows-1252", "cp1252":
		name = "windows-1252"
		return make(func() transform.Transformer { return charmap.Windows1252.NewDecoder() })
	}
	return textEncoding{}, false
}

// Encodings lists the names a steward may state.
var Encodings = []string{"utf-8", "gb18030", "gbk", "big5", "utf-16le", "utf-16be", "latin-1", "windows-1252", "shift-jis"}

const encodingWindow = 1 << 20 // bytes looked at to tell the encoding

// fileEncoding is the encoding of a file. One that is taken over from the release
// before decides only where the bytes do not: what was GB18030 may be UTF-8 now.
func fileEncoding(in *Input, f *os.File) (textEncoding, error) {
	if in.Options.From == 0 || in.Options.Encoding == "" {
		return detectEncoding(f, in.Size, in.Options.Encoding)
	}
	e, err := detectEncoding(f, in.Size, "")
	var refused *Refusal
	if errors.As(err, &refused) && refused.Finding.Code == "encoding_ambiguous" {
		return detectEncoding(f, in.Size, in.Options.Encoding)
	}
	return e, err
}

// detectEncoding follows architecture.md §6: what is stated; a byte order mark;
// strict UTF-8; GB18030 where it is valid and its Chinese characters are mostly
// common ones; else encoding_ambiguous.
func detectEncoding(f *os.File, size int64, stated string) (textEncoding, error) {
	head := make([]byte, min(size, encodingWindow))
	if _, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return textEncoding{}, fmt.Errorf("read upload: %w", err)
	}
	if utf32(head) {
		return textEncoding{}, refuse("encoding_ambiguous", "文件像是UTF-32编码，不支持。", "The file looks like UTF-32, which is not read.")
	}
	marked, found := byMark(head)
	if stated == "" && !found || stated != "" && !strings.HasPrefix(strings.ToLower(stated), "utf-16") {
		// Text has no NUL; looked for first, as no guess about the encoding of
		// something binary is worth making.
		if i := bytes.IndexByte(head, 0); i >= 0 && !(found && strings.HasPrefix(marked.name, "utf-16")) {
			return textEncoding{}, refuseNUL(int64(i), int64(countLines(head[:i]))+1)
		}
	}
	if stated != "" {
		e, ok := encodingOf(stated)
		if !ok {
			return e, refuse("bad_option", "不认识编码“%[1]s”；可用：%[2]s。", "The encoding %[1]q is not known; use one of %[2]s.", stated, strings.Join(Encodings, ", "))
		}
		if found && marked.name == e.name {
			e.bom = marked.bom
		}
		return e, nil
	}
	if found {
		return marked, nil
	}
	window, lines, err := firstNonASCII(f, head, size)
	if err != nil {
		return textEncoding{}, err
	}
	return byContent(window, lines)
}

// utf32 recognises the byte order marks of UTF-32.
func utf32(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")) || bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00"))
}

// refuseNUL is the verdict on a NUL byte in a text.
func refuseNUL(offset, line int64) *Refusal {
	return refuse("binary_content", "第%[1]d字节处是NUL，不是文本。", "Byte %[1]d is NUL: this is not text.", offset).at(line, "", "")
}

// byMark recognises a byte order mark.
func byMark(head []byte) (textEncoding, bool) {
	for _, m := range []struct{ mark, name string }{{"\xef\xbb\xbf", "utf-8"}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"}} {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			e, _ := encodingOf(m.name)
			e.bom = len(m.mark)
			return e, true
		}
	}
	return textEncoding{}, false
}

// firstNonASCII returns a window of the file that begins at its first byte over
// 0x7F, or nil where it is all ASCII, and the lines before it. Up to there every
// encoding in question reads the same, so the window begins at a character.
func firstNonASCII(f *os.File, head []byte, size int64) (window []byte, lines int64, err error) {
	buf := head
	for off := int64(0); ; {
		if i := nonASCII(buf); i >= 0 {
			window := make([]byte, encodingWindow)
			n, err := f.ReadAt(window, off+int64(i))
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, 0, fmt.Errorf("read upload: %w", err)
			}
			return window[:n], lines + int64(countLines(buf[:i])), nil
		}
		lines += int64(countLines(buf))
		off += int64(len(buf))
		if off >= size {
			return nil, 0, nil
		}
		buf = buf[:cap(buf)]
		n, err := f.ReadAt(buf, off)
		if n == 0 {
			if errors.Is(err, io.EOF) {
				return nil, 0, nil
			}
			return nil, 0, fmt.Errorf("read upload: %w", err)
		}
		buf = buf[:n]
	}
}

// nonASCII returns the index of the first byte over 0x7F, or -1.
func nonASCII(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if le64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}

func le64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// byContent tells UTF-8 from GB18030 by a window of the file that begins after
// so many lines.
func byContent(window []byte, lines int64) (textEncoding, error) {
	utf8Encoding, _ := encodingOf("utf-8")
	if whole := window[:wholeRunes(window)]; utf8.Valid(whole) && (len(window) == encodingWindow || len(whole) == len(window)) {
		return utf8Encoding, nil
	}
	good, bad := utf8Runs(window)
	if good >= 8 && good >= 4*bad {
		return utf8Encoding, nil // UTF-8 with a fault in it: reading names the place
	}
	common, rare, valid := chineseIn(window)
	if !valid || common == 0 || common < 9*rare {
		return textEncoding{}, refuse("encoding_ambiguous", "文件不是UTF-8，也不能确定是GB18030（如西欧、繁体或日文编码）。", "The file is not UTF-8 and cannot be told to be GB18030 (it may be a Western, Big5 or Japanese encoding).").
			at(lines+int64(countLines(window[:firstInvalid(window)]))+1, "", "")
	}
	gb, _ := encodingOf("gb18030")
	return gb, nil
}

// utf8Runs counts valid multi-byte characters and bytes that belong to none.
func utf8Runs(b []byte) (good, bad int) {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			good++
		}
		i += n
	}
	return good, bad
}

// chineseIn reads b as GB18030 and counts Chinese characters of GB 2312 (levels
// 1 and 2) and all others; symbols of GB 2312 count as neither.
func chineseIn(b []byte) (common, rare int, valid bool) {
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c < 0x80:
			i++
		case c == 0x80 || c == 0xff:
			return 0, 0, false
		case i+1 >= len(b):
			return common, rare, len(b) == encodingWindow
		case b[i+1] >= 0x30 && b[i+1] <= 0x39:
			if i+3 >= len(b) {
				return common, rare, len(b) == encodingWindow
			}
			if b[i+2] < 0x81 || b[i+2] == 0xff || b[i+3] < 0x30 || b[i+3] > 0x39 {
				return 0, 0, false
			}
			rare++
			i += 4
		case b[i+1] < 0x40 || b[i+1] == 0x7f || b[i+1] == 0xff:
			return 0, 0, false
		default:
			switch second := b[i+1]; {
			case c >= 0xb0 && c <= 0xf7 && second >= 0xa1:
				common++
			case c >= 0xa1 && c <= 0xa3 && second >= 0xa1: // punctuation, full-width forms
			default:
				rare++
			}
			i += 2
		}
	}
	return common, rare, true
}

// wholeRunes returns the length of b without an unfinished UTF-8 character at
// its end.
func wholeRunes(b []byte) int {
	for k := len(b) - 1; k >= 0 && k >= len(b)-utf8.UTFMax+1; k-- {
		if utf8.RuneStart(b[k]) {
			if !utf8.FullRune(b[k:]) {
				return k
			}
			break
		}
	}
	return len(b)
}

func decodeUTF8(dst, src []byte, atEOF bool) ([]byte, int, error) {
	n := len(src)
	if !atEOF {
		n = wholeRunes(src)
	}
	if utf8.Valid(src[:n]) {
		return append(dst, src[:n]...), n, nil
	}
	at := firstInvalid(src[:n])
	return append(dst, src[:at]...), at, &badBytes{at: at, bytes: bytes.Clone(src[at:min(at+4, len(src))])}
}

// firstInvalid returns where b stops being UTF-8, or its length.
func firstInvalid(b []byte) int {
	for at := 0; at < len(b); {
		r, size := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return len(b)
}

func decodeUTF16(big bool) func(dst, src []byte, atEOF bool) ([]byte, int, error) {
	unit := func(b []byte) rune {
		if big {
			return rune(b[0])<<8 | rune(b[1])
		}
		return rune(b[1])<<8 | rune(b[0])
	}
	return func(dst, src []byte, atEOF bool) ([]byte, int, error) {
		i := 0
		for i+1 < len(src) {
			r, n := unit(src[i:]), 2
			if utf16.IsSurrogate(r) {
				if i+3 >= len(src) && !atEOF {
					return dst, i, nil
				}
				second := rune(0)
				if i+3 < len(src) {
					second = unit(src[i+2:])
				}
				full := utf16.DecodeRune(r, second)
				if full == utf8.RuneError {
					return dst, i, &badBytes{at: i, bytes: bytes.Clone(src[i:min(i+4, len(src))])}
				}
				r, n = full, 4
			}
			dst = utf8.AppendRune(dst, r)
			i += n
		}
		if atEOF && i < len(src) {
			return dst, i, &badBytes{at: i, bytes: bytes.Clone(src[i:])}
		}
		return dst, i, nil
	}
}

var replacement = []byte("\uFFFD")

// transforming makes a strict decoder of one from x/text, which writes U+FFFD
// for what it cannot read: the first that it writes ends the decoding, and the
// byte is found by decoding again up to there.
func transforming(t transform.Transformer) func(dst, src []byte, atEOF bool) ([]byte, int, error) {
	return func(dst, src []byte, atEOF bool) ([]byte, int, error) {
		start := len(dst)
		used := 0
		for {
			if cap(dst)-len(dst) < 1024 {
				dst = append(dst, make([]byte, len(src)-used+len(src)/2+1024)...)[:len(dst)]
			}
			t.Reset()
			nDst, nSrc, err := t.Transform(dst[len(dst):cap(dst)], src[used:], atEOF)
			dst, used = dst[:len(dst)+nDst], used+nSrc
			if errors.Is(err, transform.ErrShortDst) {
				continue
			}
			break
		}
		k := bytes.Index(dst[start:], replacement)
		if k < 0 {
			return dst, used, nil
		}
		t.Reset()
		_, at, _ := t.Transform(make([]byte, k), src, atEOF)
		return dst[:start+k], at, &badBytes{at: at, bytes: bytes.Clone(src[at:min(at+4, len(src))])}
	}
}
