package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// tokenKind says what xmlTokens.next found.
type tokenKind uint8

const (
	startTag tokenKind = iota
	endTag
	charData
)

const (
	maxXMLDepth = 256      // sheets nest about eight deep
	maxXMLTag   = 1 << 20  // bytes of one tag with its attributes
	xmlWindow   = 64 << 10 // first size of the read buffer
)

// errDoctype is returned at a document type declaration, which no workbook
// needs and which is how entity bombs begin.
var errDoctype = errors.New("document type declaration")

// syntaxError is a fault of the XML text itself.
type syntaxError struct{ what string }

func (e *syntaxError) Error() string { return e.what }

func syntaxf(format string, args ...any) error { return &syntaxError{fmt.Sprintf(format, args...)} }

// xmlTokens splits the XML of workbook parts into tags and texts. It knows just
// what such parts use (elements, attributes, the five entities and character
// references, CDATA) and is about ten times as fast as encoding/xml because it
// neither resolves namespaces nor allocates. End tags must match and the document
// must end; document types are refused. Its memory is one window, however long
// the part: a text longer than the window comes in several pieces.
type xmlTokens struct {
	r        io.Reader
	buf      []byte
	pos, end int
	eof      bool
	started  bool

	// What next found, valid until the call after.
	name  []byte // of a tag, without its prefix
	attrs []byte // of a start tag, as written
	text  []byte // of charData, references not yet resolved unless raw
	raw   bool   // charData came from CDATA

	closing bool   // a self-closing tag's end is due
	open    []byte // names of the open elements, one after the other
	marks   []int  // where each begins in open
	seen    bool   // the root element was seen
}

func newXMLTokens(r io.Reader) *xmlTokens {
	return &xmlTokens{r: r, buf: make([]byte, xmlWindow)}
}

// fill makes room and reads more. It returns io.EOF once nothing more comes.
func (t *xmlTokens) fill() error {
	if t.eof {
		return io.EOF
	}
	if t.pos > 0 {
		t.end = copy(t.buf, t.buf[t.pos:t.end])
		t.pos = 0
	}
	if t.end == len(t.buf) {
		if len(t.buf) >= 2*maxXMLTag {
			return syntaxf("a tag of more than %d bytes", maxXMLTag)
		}
		t.buf = append(t.buf, make([]byte, len(t.buf))...)
	}
	for range 100 {
		n, err := t.r.Read(t.buf[t.end:])
		t.end += n
		if err == io.EOF {
			t.eof = true
			if n == 0 {
				return io.EOF
			}
			return nil
		}
		if err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
	}
	return io.ErrNoProgress
}

// start looks at the first bytes: UTF-16 is turned into UTF-8, a byte order mark
// is skipped, another declared encoding is refused.
func (t *xmlTokens) start() error {
	t.started = true
	for t.end < 4 {
		if err := t.fill(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	head := t.buf[:t.end]
	switch {
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		t.pos = 3
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}),
		bytes.HasPrefix(head, []byte{'<', 0, '?', 0}), bytes.HasPrefix(head, []byte{0, '<', 0, '?'}):
		order := unicode.LittleEndian
		if head[0] == 0xFE || head[0] == 0 {
			order = unicode.BigEndian
		}
		rest := io.MultiReader(bytes.NewReader(bytes.Clone(head)), t.r)
		t.r = transform.NewReader(rest, unicode.UTF16(order, unicode.UseBOM).NewDecoder())
		if head[0] == '<' || head[0] == 0 {
			t.r = transform.NewReader(rest, unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder())
		}
		t.pos, t.end, t.eof = 0, 0, false
	}
	return nil
}

// next moves to the next tag or text. It returns io.EOF after the root element.
func (t *xmlTokens) next() (tokenKind, error) {
	if !t.started {
		if err := t.start(); err != nil {
			return 0, err
		}
	}
	if t.closing {
		t.closing = false
		return endTag, t.pop(t.name)
	}
	for {
		if t.pos == t.end {
			if err := t.fill(); errors.Is(err, io.EOF) {
				return 0, t.finish()
			} else if err != nil {
				return 0, err
			}
			continue
		}
		if t.buf[t.pos] != '<' {
			done, err := t.chars()
			if err != nil || done {
				return charData, err
			}
			continue
		}
		kind, done, err := t.markup()
		if err != nil || done {
			return kind, err
		}
	}
}

// finish checks that the document is whole.
func (t *xmlTokens) finish() error {
	if len(t.marks) > 0 {
		return syntaxf("the part ends inside <%s>", t.open[t.marks[len(t.marks)-1]:])
	}
	if !t.seen {
		return syntaxf("the part has no element")
	}
	return io.EOF
}

// chars takes text up to the next '<' or, where that is far, a piece of it that
// does not cut a reference or a character.
func (t *xmlTokens) chars() (bool, error) {
	n := bytes.IndexByte(t.buf[t.pos:t.end], '<')
	if n < 0 {
		if t.end-t.pos < xmlWindow/2 {
			switch err := t.fill(); {
			case err == nil:
				return false, nil
			case !errors.Is(err, io.EOF):
				return false, err
			}
		}
		n = t.end - t.pos
		if !t.eof {
			n = wholeText(t.buf[t.pos:t.end])
		}
	}
	t.text, t.raw = t.buf[t.pos:t.pos+n], false
	t.pos += n
	if len(t.marks) > 0 {
		return true, nil
	}
	if len(bytes.TrimLeft(t.text, " \t\r\n")) > 0 {
		return false, syntaxf("text outside the root element")
	}
	return false, nil
}

// markup takes what begins with '<'. done is false where it was nothing to tell.
func (t *xmlTokens) markup() (kind tokenKind, done bool, err error) {
	for t.end-t.pos < 2 {
		if err := t.fill(); err != nil {
			return 0, false, cutXML(err)
		}
	}
	switch t.buf[t.pos+1] {
	case '?':
		_, err := t.until("?>", 2)
		return 0, false, err
	case '!':
		return t.declaration()
	case '/':
		body, err := t.endTag()
		if err != nil {
			return 0, false, err
		}
		t.name = localName(trimXMLSpace(body))
		return endTag, true, t.pop(t.name)
	}
	body, err := t.tag()
	if err != nil {
		return 0, false, err
	}
	if n := len(body); n > 0 && body[n-1] == '/' {
		t.closing = true
		body = body[:n-1]
	}
	n := 0
	for n < len(body) && !isXMLSpace(body[n]) {
		n++
	}
	if n == 0 {
		return 0, false, syntaxf("a tag without a name")
	}
	t.name, t.attrs = localName(body[:n]), body[n:]
	return startTag, true, t.push(t.name)
}

// declaration takes a comment or CDATA and refuses the rest.
func (t *xmlTokens) declaration() (tokenKind, bool, error) {
	for t.end-t.pos < 9 {
		if err := t.fill(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, false, err
		}
	}
	head := t.buf[t.pos:t.end]
	switch {
	case bytes.HasPrefix(head, []byte("<!--")):
		_, err := t.until("-->", 4)
		return 0, false, err
	case bytes.HasPrefix(head, []byte("<![CDATA[")):
		body, err := t.until("]]>", 9)
		t.text, t.raw = body, true
		return charData, len(t.marks) > 0, err
	}
	return 0, false, errDoctype
}

// tag returns what stands between '<' and the '>' that is not inside quotes.
func (t *xmlTokens) tag() ([]byte, error) {
	i, quote := 1, byte(0)
	for {
		b := t.buf[t.pos:t.end]
		for ; i < len(b); i++ {
			switch c := b[i]; {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '>':
				t.pos += i + 1
				return b[1:i], nil
			case c == '<':
				return nil, syntaxf("'<' inside a tag")
			}
		}
		if i > maxXMLTag {
			return nil, syntaxf("a tag of more than %d bytes", maxXMLTag)
		}
		if err := t.fill(); err != nil {
			return nil, cutXML(err)
		}
	}
}

// simple takes what most cells hold in one step: open, plain text and close, with
// which the element that was just opened ends. Where the window does not begin
// so, or the text has references, nothing is taken.
func (t *xmlTokens) simple(open, close string) (text []byte, ok bool) {
	b := t.buf[t.pos:t.end]
	if t.closing || len(b) < len(open) || string(b[:len(open)]) != open {
		return nil, false
	}
	b = b[len(open):]
	n := bytes.IndexByte(b, '<')
	if n < 0 || len(b)-n < len(close) || string(b[n:n+len(close)]) != close {
		return nil, false
	}
	text = b[:n]
	for _, c := range text {
		if c == '&' || c == '\r' {
			return nil, false
		}
	}
	t.pos += len(open) + n + len(close)
	last := len(t.marks) - 1
	t.open, t.marks = t.open[:t.marks[last]], t.marks[:last]
	return text, true
}

// endTag returns what stands between "</" and '>'.
func (t *xmlTokens) endTag() ([]byte, error) {
	b := t.buf[t.pos:min(t.end, t.pos+32)]
	for i := 2; i < len(b); i++ {
		if b[i] == '>' {
			t.pos += i + 1
			return b[2:i], nil
		}
	}
	return t.until(">", 2)
}

// until returns the bytes after the first skip ones and before mark, and moves
// behind it.
func (t *xmlTokens) until(mark string, skip int) ([]byte, error) {
	from := skip
	for {
		b := t.buf[t.pos:t.end]
		if from < len(b) {
			if i := bytes.Index(b[from:], []byte(mark)); i >= 0 {
				t.pos += from + i + len(mark)
				return b[skip : from+i], nil
			}
			from = max(skip, len(b)-len(mark)+1)
		}
		if err := t.fill(); err != nil {
			return nil, cutXML(err)
		}
	}
}

func cutXML(err error) error {
	if errors.Is(err, io.EOF) {
		return syntaxf("the part ends inside a tag")
	}
	return err
}

func (t *xmlTokens) push(name []byte) error {
	if len(t.marks) >= maxXMLDepth {
		return syntaxf("elements nested more than %d deep", maxXMLDepth)
	}
	if len(t.marks) == 0 && t.seen {
		return syntaxf("a second root element <%s>", name)
	}
	t.seen = true
	t.marks = append(t.marks, len(t.open))
	t.open = append(t.open, name...)
	return nil
}

func (t *xmlTokens) pop(name []byte) error {
	if len(t.marks) == 0 {
		return syntaxf("</%s> closes nothing", name)
	}
	from := t.marks[len(t.marks)-1]
	if !bytes.Equal(t.open[from:], name) {
		return syntaxf("</%s> closes <%s>", name, t.open[from:])
	}
	t.open, t.marks = t.open[:from], t.marks[:len(t.marks)-1]
	return nil
}

// depth is the number of open elements.
func (t *xmlTokens) depth() int { return len(t.marks) }

// skip moves behind the end of the element whose start tag was just read.
func (t *xmlTokens) skip() error {
	for depth := t.depth(); t.depth() >= depth; {
		if _, err := t.next(); err != nil {
			return err
		}
	}
	return nil
}
