package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const blockBytes = 512 << 10

// block is a piece of a file as UTF-8, always whole characters. err comes with
// the last one: io.EOF, or what stopped the decoding after text.
type block struct {
	text []byte
	err  error
}

// badText says where a text file cannot be read on; the parser knows the row.
type badText struct {
	code   string // invalid_encoding or binary_content
	offset int64
	bytes  []byte
}

func (b *badText) Error() string { return fmt.Sprintf("%s at byte %d", b.code, b.offset) }

// textStream reads and decodes a file in a goroutine of its own, a few blocks
// ahead of the parser.
type textStream struct {
	blocks chan block
	free   chan []byte
	stop   chan struct{}
}

// streamText starts reading f from the end of the encoding's byte order mark.
// The stream closes f when it ends or is closed.
func streamText(f *os.File, e textEncoding) *textStream {
	s := &textStream{blocks: make(chan block, 3), free: make(chan []byte, 4), stop: make(chan struct{})}
	go s.run(f, e)
	return s
}

func (s *textStream) run(f *os.File, e textEncoding) {
	defer f.Close()
	raw := make([]byte, blockBytes)
	offset := int64(e.bom)
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		s.send(block{err: fmt.Errorf("read upload: %w", err)})
		return
	}
	kept := 0
	for {
		n, err := io.ReadFull(f, raw[kept:])
		atEOF := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !atEOF {
			s.send(block{err: fmt.Errorf("read upload: %w", err)})
			return
		}
		src := raw[:kept+n]
		text, used, err := e.decode(s.buffer(), src, atEOF)
		b := block{text: text}
		var bad *badBytes
		if errors.As(err, &bad) {
			b.err = &badText{"invalid_encoding", offset + int64(bad.at), bad.bytes}
		} else if atEOF {
			b.err = io.EOF
		}
		if i := bytes.IndexByte(text, 0); i >= 0 {
			at := max(bytes.IndexByte(src, 0), 0)
			if strings.HasPrefix(e.name, "utf-16") { // there half of each ASCII character is zero
				for at = 0; at+1 < len(src) && (src[at] != 0 || src[at+1] != 0); at += 2 {
				}
			}
			b = block{text[:i], &badText{"binary_content", offset + int64(at), []byte{0}}}
		}
		if !s.send(b) || b.err != nil {
			return
		}
		offset += int64(used)
		kept = copy(raw, src[used:])
	}
}

func (s *textStream) buffer() []byte {
	select {
	case b := <-s.free:
		return b[:0]
	default:
		return make([]byte, 0, blockBytes+blockBytes/8)
	}
}

func (s *textStream) send(b block) bool {
	select {
	case s.blocks <- b:
		return true
	case <-s.stop:
		return false
	}
}

// next returns the next block; give its text back with release.
func (s *textStream) next() block { return <-s.blocks }

func (s *textStream) release(text []byte) {
	select {
	case s.free <- text:
	default:
	}
}

// close ends the goroutine; the stream must not be read afterwards.
func (s *textStream) close() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
}
