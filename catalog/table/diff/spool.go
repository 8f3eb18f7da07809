package diff

import (
	"fmt"
	"os"
	"unsafe"
)

// spool holds records of a few words, dealt to parts, in the order in which they
// came. What its budget of memory has no room for lies in a file without a name.
type spool struct {
	width  int // words of a record
	parts  []spoolPart
	budget *int64 // bytes of memory left, shared with other spools
	dir    string
	file   *os.File
	size   int64
}

type spoolPart struct {
	blocks []spoolBlock
	tail   []uint64
	count  int64 // of records
}

// spoolBlock is a full block: in memory, or in the file.
type spoolBlock struct {
	words []uint64
	at    int64
}

// blockWords is a multiple of every width.
const blockWords = 4096

func newSpool(width, parts int, budget *int64, dir string) *spool {
	return &spool{width: width, parts: make([]spoolPart, parts), budget: budget, dir: dir}
}

// add adds a record to a part.
func (s *spool) add(part int, record ...uint64) error {
	p := &s.parts[part]
	p.tail = append(p.tail, record...)
	p.count++
	if len(p.tail) < blockWords {
		return nil
	}
	return s.shelve(p)
}

// shelve puts a full tail away.
func (s *spool) shelve(p *spoolPart) error {
	const bytes = blockWords * 8
	if *s.budget >= bytes {
		*s.budget -= bytes
		p.blocks = append(p.blocks, spoolBlock{words: p.tail})
		p.tail = make([]uint64, 0, blockWords)
		return nil
	}
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "diff-*")
		if err != nil {
			return fmt.Errorf("make spool: %w", err)
		}
		s.file = f
		if err := os.Remove(f.Name()); err != nil {
			return fmt.Errorf("make spool: %w", err)
		}
	}
	if _, err := s.file.WriteAt(bytesOf(p.tail), s.size); err != nil {
		return fmt.Errorf("write spool: %w", err)
	}
	p.blocks = append(p.blocks, spoolBlock{at: s.size})
	s.size += bytes
	p.tail = p.tail[:0]
	return nil
}

// each calls yield with the records of a part, many at a time. buf is scratch of the
// caller's: several may read at once.
func (s *spool) each(part int, buf *[]uint64, yield func(words []uint64)) error {
	p := &s.parts[part]
	for _, b := range p.blocks {
		words := b.words
		if words == nil {
			if cap(*buf) < blockWords {
				*buf = make([]uint64, blockWords)
			}
			words = (*buf)[:blockWords]
			if _, err := s.file.ReadAt(bytesOf(words), b.at); err != nil {
				return fmt.Errorf("read spool: %w", err)
			}
		}
		yield(words)
	}
	if len(p.tail) > 0 {
		yield(p.tail)
	}
	return nil
}

// drop forgets a part and gives its memory back.
func (s *spool) drop(part int) { s.parts[part] = spoolPart{} }

func (s *spool) close() error {
	s.parts = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// bytesOf is the memory of words: what is written is read by the same process.
func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)
}
