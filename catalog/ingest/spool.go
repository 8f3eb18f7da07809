package ingest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"
)

// spool keeps the text chunks of a table on disk between the two passes, in the
// form they have in memory: reading them back costs a copy, where reading the
// text Parquet would cost decompressing and decoding it.
type spool struct {
	f       *os.File
	w       *bufio.Writer
	n       int64 // chunks
	columns int
}

// newSpool makes a spool in dir. It has no name there: it goes with its process.
func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("spool: %w", err)
	}
	return &spool{f: f, w: bufio.NewWriterSize(f, 256<<10)}, nil
}

func (s *spool) close() { s.f.Close() }

// raw gives the memory of numbers or flags as bytes. The spool never leaves its
// process, so byte order does not matter.
func raw[T uint32 | int64 | bool | Kind](v []T) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(v[0])))
}

// write appends a chunk.
func (s *spool) write(c *Chunk) error {
	s.n++
	s.columns = len(c.Columns)
	head := binary.LittleEndian.AppendUint64(nil, uint64(c.Len))
	parts := [][]byte{head, raw(c.Rows)}
	for i := range c.Columns {
		k := &c.Columns[i]
		flags := uint64(0)
		if k.Null != nil {
			flags |= 1
		}
		if k.Kinds != nil {
			flags |= 2
		}
		parts = append(parts, binary.LittleEndian.AppendUint64(nil, uint64(len(k.Data))<<2|flags), raw(k.Ends), raw(k.Null), raw(k.Kinds), k.Data)
	}
	for _, p := range parts {
		if _, err := s.w.Write(p); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	return nil
}

// reader starts over at the first chunk.
func (s *spool) reader() (*spoolReader, error) {
	if err := s.w.Flush(); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	return &spoolReader{r: bufio.NewReaderSize(s.f, 256<<10), left: s.n}, nil
}

type spoolReader struct {
	r    *bufio.Reader
	left int64
}

// read fills c, already reset; io.EOF after the last chunk.
func (s *spoolReader) read(c *Chunk) error {
	if s.left == 0 {
		return io.EOF
	}
	s.left--
	var head [8]byte
	err := fill(s.r, head[:])
	c.Len = int(binary.LittleEndian.Uint64(head[:]))
	c.Rows = grow(c.Rows, c.Len)
	err = errors.Join(err, fill(s.r, raw(c.Rows)))
	for i := range c.Columns {
		if err != nil {
			return err
		}
		k := &c.Columns[i]
		err = fill(s.r, head[:])
		size := binary.LittleEndian.Uint64(head[:])
		k.Ends = grow(k.Ends, c.Len)
		err = errors.Join(err, fill(s.r, raw(k.Ends)))
		if size&1 != 0 {
			k.Null = grow(k.nulls, c.Len)
			err = errors.Join(err, fill(s.r, raw(k.Null)))
		}
		if size&2 != 0 {
			k.Kinds = grow(k.Kinds, c.Len)
			err = errors.Join(err, fill(s.r, raw(k.Kinds)))
		}
		k.Data = grow(k.Data, int(size>>2))
		err = errors.Join(err, fill(s.r, k.Data))
	}
	return err
}

func fill(r io.Reader, b []byte) error {
	if _, err := io.ReadFull(r, b); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
