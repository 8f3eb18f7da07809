package ingest

import (
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	stringsInMemory = 96 << 20 // bytes of shared strings kept in memory; more go to a file
	maxStrings      = 1 << 27
)

// sharedStrings is the string table of a workbook: one run of bytes and the ends
// of the strings in it, in memory up to a budget, in a temporary file beyond.
type sharedStrings struct {
	ends  []uint64
	data  []byte   // the first bytes
	spill *os.File // those after them; nil while there are none
	dir   string
	out   []byte // waits to be written to spill
	bytes uint64
	cell  []byte // of the last spilled string
}

// loadStrings reads the shared strings part. maxCell bounds one string.
func loadStrings(zip *archive, part, dir string, maxCell int) (*sharedStrings, error) {
	s := &sharedStrings{dir: dir}
	r, err := zip.open(part)
	if err != nil || r == nil {
		return s, err
	}
	defer r.Close()
	if err := s.read(newXMLTokens(r), part, maxCell); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *sharedStrings) read(tok *xmlTokens, part string, maxCell int) error {
	var cell, scratch []byte
	for {
		kind, err := tok.next()
		if errors.Is(err, io.EOF) {
			return s.flush()
		}
		if err != nil {
			return refusePart(part, err)
		}
		if kind != startTag || string(tok.name) != "si" {
			continue
		}
		cell, scratch, err = richText(tok, cell[:0], scratch, maxCell)
		if err != nil {
			return refusePart(part, err)
		}
		if len(s.ends) >= maxStrings {
			return refuse("archive_too_large", "共享字符串超过 %d 个", "more than %d shared strings", maxStrings)
		}
		if err := s.add(cell); err != nil {
			return err
		}
	}
}

// richText appends the text of an <si> or <is> element whose start tag was just
// read: its runs joined, phonetic readings left out, _xHHHH_ escapes decoded.
func richText(tok *xmlTokens, dst, scratch []byte, maxCell int) ([]byte, []byte, error) {
	scratch = scratch[:0]
	inText := false
	for depth := tok.depth(); ; {
		kind, err := tok.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return dst, scratch, err
		}
		switch kind {
		case startTag:
			switch string(tok.name) {
			case "t":
				inText = true
			case "rPh", "phoneticPr", "rPr":
				if err := tok.skip(); err != nil {
					return dst, scratch, err
				}
			}
		case endTag:
			inText = false
			if tok.depth() < depth {
				return appendUnescaped(dst, scratch), scratch, nil
			}
		case charData:
			if !inText {
				continue
			}
			if scratch, err = appendText(scratch, tok.text, tok.raw); err != nil {
				return dst, scratch, err
			}
			if len(scratch) > maxCell {
				return dst, scratch, refuse("cell_too_long", "单元格超过 %d 字节。", "A cell of more than %d bytes.", maxCell)
			}
		}
	}
}

// add appends a string to the table.
func (s *sharedStrings) add(b []byte) error {
	s.bytes += uint64(len(b))
	s.ends = append(s.ends, s.bytes)
	if s.spill == nil && len(s.data)+len(b) <= stringsInMemory {
		s.data = append(s.data, b...)
		return nil
	}
	if s.spill == nil {
		f, err := os.CreateTemp(s.dir, "strings-")
		if err != nil {
			return fmt.Errorf("spill shared strings: %w", err)
		}
		s.spill = f
	}
	s.out = append(s.out, b...)
	if len(s.out) >= 1<<20 {
		return s.flush()
	}
	return nil
}

func (s *sharedStrings) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	if _, err := s.spill.Write(s.out); err != nil {
		return fmt.Errorf("spill shared strings: %w", err)
	}
	s.out = s.out[:0]
	return nil
}

// get returns string i, valid until the next call; ok is false where there is
// none.
func (s *sharedStrings) get(i int) (_ []byte, ok bool, err error) {
	if i < 0 || i >= len(s.ends) {
		return nil, false, nil
	}
	start, end := uint64(0), s.ends[i]
	if i > 0 {
		start = s.ends[i-1]
	}
	inMemory := uint64(len(s.data))
	if end <= inMemory {
		return s.data[start:end], true, nil
	}
	s.cell = append(s.cell[:0], make([]byte, end-start)...)
	if _, err := s.spill.ReadAt(s.cell, int64(start-inMemory)); err != nil {
		return nil, false, fmt.Errorf("read spilled shared strings: %w", err)
	}
	return s.cell, true, nil
}

func (s *sharedStrings) close() error {
	if s == nil || s.spill == nil {
		return nil
	}
	return errors.Join(s.spill.Close(), os.Remove(s.spill.Name()))
}

// appendUnescaped appends text with the escapes decoded that Excel writes for
// characters XML cannot hold: _x000D_ is a carriage return, _x005F_ an
// underscore. An escape of NUL or of half a surrogate pair stays as written.
func appendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] != '_' {
			dst = append(dst, text[i])
			continue
		}
		r, n := escape(text[i:])
		if n == 0 {
			dst = append(dst, '_')
			continue
		}
		dst = append(dst, string(r)...)
		i += n - 1
	}
	return dst
}

// escape reads one _xHHHH_, or two that are a surrogate pair; n is 0 where there
// is none.
func escape(b []byte) (r rune, n int) {
	hi, ok := escapeUnit(b)
	switch {
	case !ok || hi == 0:
		return 0, 0
	case hi < 0xD800 || hi > 0xDFFF:
		return hi, 7
	case hi > 0xDBFF || len(b) < 14:
		return 0, 0
	}
	lo, ok := escapeUnit(b[7:])
	if !ok || lo < 0xDC00 || lo > 0xDFFF {
		return 0, 0
	}
	return 0x10000 + (hi-0xD800)<<10 + (lo - 0xDC00), 14
}

func escapeUnit(b []byte) (rune, bool) {
	if len(b) < 7 || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		d := hexDigit(c)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | d
	}
	return r, true
}
