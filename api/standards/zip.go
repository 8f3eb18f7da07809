package standards

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"time"
	"unicode/utf8"
)

// Member is one file of an archive; its bytes lie elsewhere.
type Member struct {
	Name  string // with / between folders
	Size  int64
	CRC32 uint32 // IEEE
}

// Layout is where everything of a ZIP archive lies. Its members are stored, not
// compressed, so that every place is known before the first byte is written and
// any range can be read without what stands before it. ZIP64 is used where a
// length or a place needs more than 32 bits, and only there. The same members and
// time give the same bytes.
type Layout struct {
	Size     int64
	segments []segment
}

// segment is a stretch of the archive: bytes of its own, or a member's.
type segment struct {
	at, size int64
	bytes    []byte
	member   int // valid where bytes is nil
}

// Numbers of the ZIP format (PKWARE APPNOTE 6.3).
const (
	zipLocal, zipCentral            = 0x04034b50, 0x02014b50
	zipEnd, zipEnd64, zipFind       = 0x06054b50, 0x06064b50, 0x07064b50
	zipPlain, zip64                 = 20, 45 // version needed to extract
	zipUnix                         = 3 << 8 // made on Unix: the mode below counts
	zipMode                         = 0o100644 << 16
	zipUTF8                         = 0x800
	max16, max32              int64 = 1<<16 - 1, 1<<32 - 1
)

// NewLayout lays members out in their order, all with the time at.
func NewLayout(members []Member, at time.Time) *Layout {
	l := &Layout{}
	date, clock := dosTime(at)
	le := binary.LittleEndian
	var directory []byte
	for i, m := range members {
		offset, needs := l.Size, uint16(zipPlain)
		size := uint32(min(m.Size, max32))
		var local, central []byte // ZIP64 fields
		if m.Size >= max32 {
			local = le.AppendUint64(le.AppendUint64(local, uint64(m.Size)), uint64(m.Size))
			central = append(central, local...)
		}
		if offset >= max32 {
			central = le.AppendUint64(central, uint64(offset))
		}
		if local != nil || central != nil {
			needs = zip64
		}
		local, central = extra(local), extra(central)
		common := func(b []byte, needs uint16, extra int) []byte {
			b = le.AppendUint16(le.AppendUint16(b, needs), flags(m.Name))
			b = le.AppendUint16(b, 0) // stored
			b = le.AppendUint16(le.AppendUint16(b, clock), date)
			b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, m.CRC32), size), size)
			return le.AppendUint16(le.AppendUint16(b, uint16(len(m.Name))), uint16(extra))
		}
		head := common(le.AppendUint32(nil, zipLocal), needs, len(local))
		l.add(append(append(head, m.Name...), local...))
		if m.Size > 0 {
			l.segments = append(l.segments, segment{at: l.Size, size: m.Size, member: i})
			l.Size += m.Size
		}
		directory = le.AppendUint16(le.AppendUint32(directory, zipCentral), zipUnix|zip64)
		directory = common(directory, needs, len(central))
		directory = append(directory, 0, 0, 0, 0, 0, 0) // no comment, first disk, binary
		directory = le.AppendUint32(le.AppendUint32(directory, zipMode), uint32(min(offset, max32)))
		directory = append(append(directory, m.Name...), central...)
	}
	l.add(zipTail(directory, int64(len(members)), l.Size))
	return l
}

// zipTail is the directory with what ends the archive.
func zipTail(directory []byte, count, at int64) []byte {
	le := binary.LittleEndian
	size := int64(len(directory))
	if end := at + size; count >= max16 || size >= max32 || at >= max32 {
		b := le.AppendUint64(le.AppendUint32(directory, zipEnd64), 44) // bytes that follow of this record
		b = le.AppendUint16(le.AppendUint16(b, zipUnix|zip64), zip64)
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // one disk
		for _, n := range []int64{count, count, size, at} {
			b = le.AppendUint64(b, uint64(n))
		}
		b = le.AppendUint32(le.AppendUint32(b, zipFind), 0)
		directory = le.AppendUint32(le.AppendUint64(b, uint64(end)), 1)
	}
	b := append(le.AppendUint32(directory, zipEnd), 0, 0, 0, 0)
	n := uint16(min(count, max16))
	b = le.AppendUint16(le.AppendUint16(b, n), n)
	b = le.AppendUint32(le.AppendUint32(b, uint32(min(size, max32))), uint32(min(at, max32)))
	return append(b, 0, 0) // no comment
}

// extra is the ZIP64 field around its numbers; nothing where there are none.
func extra(numbers []byte) []byte {
	if numbers == nil {
		return nil
	}
	le := binary.LittleEndian
	return append(le.AppendUint16(le.AppendUint16(nil, 1), uint16(len(numbers))), numbers...)
}

// flags says that a name is UTF-8, where it is more than ASCII.
func flags(name string) uint16 {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return zipUTF8
		}
	}
	return 0
}

// dosTime is a time as ZIP keeps it: local, in steps of two seconds, from 1980.
func dosTime(t time.Time) (date, clock uint16) {
	t = t.In(zone)
	if t.Year() < 1980 || t.Year() > 2107 {
		return 1<<5 | 1, 0
	}
	return uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()), uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
}

func (l *Layout) add(b []byte) {
	l.segments = append(l.segments, segment{at: l.Size, size: int64(len(b)), bytes: b, member: -1})
	l.Size += int64(len(b))
}

// Bytes of one member.
type Bytes interface {
	io.ReaderAt
	io.Closer
}

// Reader reads the archive from any place. open gives a member's bytes by its
// number; one member is open at a time.
func (l *Layout) Reader(open func(member int) (Bytes, error)) io.ReadSeekCloser {
	return &layoutReader{layout: l, open: open, current: -1}
}

type layoutReader struct {
	layout  *Layout
	open    func(int) (Bytes, error)
	at      int64
	current int // member that is open, or -1
	bytes   Bytes
}

func (r *layoutReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.layout.Size
	}
	if offset < 0 {
		return 0, errors.New("seek before the archive")
	}
	r.at = offset
	return offset, nil
}

func (r *layoutReader) Read(p []byte) (int, error) {
	if r.at >= r.layout.Size {
		return 0, io.EOF
	}
	list := r.layout.segments
	s := &list[sort.Search(len(list), func(i int) bool { return list[i].at > r.at })-1]
	within := r.at - s.at
	if s.bytes != nil {
		n := copy(p, s.bytes[within:])
		r.at += int64(n)
		return n, nil
	}
	if r.current != s.member {
		if err := r.Close(); err != nil {
			return 0, err
		}
		b, err := r.open(s.member)
		if err != nil {
			return 0, err
		}
		r.bytes, r.current = b, s.member
	}
	n, err := r.bytes.ReadAt(p[:min(int64(len(p)), s.size-within)], within)
	r.at += int64(n)
	if n > 0 {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = fmt.Errorf("member %d of the archive is shorter than its length: %w", s.member, io.ErrUnexpectedEOF)
	}
	return 0, err
}

// Close closes the member that is open; the reader can be used again.
func (r *layoutReader) Close() error {
	if r.current < 0 {
		return nil
	}
	r.current = -1
	return r.bytes.Close()
}
