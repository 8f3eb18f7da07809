package export

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"

	"github.com/klauspost/compress/flate"
)

const (
	// chunkBytes is about how much of a part is deflated as one piece. Pieces
	// share no window, which at this size costs next to nothing.
	chunkBytes = 512 << 10
	// deflateLevel 1 was measured against 2, 3 and the standard library on sheet
	// XML (BenchmarkDeflate): several times faster for a tenth more bytes.
	deflateLevel = 1
)

// archive streams a ZIP file. A part is given in chunks; these are deflated in
// parallel, each to a byte boundary, and written in order, so the bytes do not
// depend on the number of cores. Sizes and checksums follow the data
// (descriptors), times are zero, and archive/zip turns to ZIP64 where a part
// needs it.
type archive struct {
	zip     *zip.Writer
	head    *zip.FileHeader // of the part being written
	part    io.Writer
	pending []*piece // being deflated, oldest first
	spare   []*piece
	workers int
}

// piece is a chunk on its way.
type piece struct {
	raw     []byte
	out     bytes.Buffer
	deflate *flate.Writer
	err     error
	done    chan struct{}
}

func newArchive(w io.Writer) *archive {
	return &archive{zip: zip.NewWriter(w), workers: runtime.GOMAXPROCS(0)}
}

// begin starts a part; the one before must be ended.
func (a *archive) begin(name string) error {
	a.head = &zip.FileHeader{Name: name, Method: zip.Deflate, Flags: 0x8 | 0x800, CreatorVersion: 20, ReaderVersion: 20} // sizes follow, names are UTF-8, deflate needs 2.0
	part, err := a.zip.CreateRaw(a.head)
	if err != nil {
		return fmt.Errorf("export: begin %s: %w", name, err)
	}
	a.part = part
	return nil
}

// add takes a chunk of the part and returns an empty buffer to fill next; the
// chunk belongs to the archive from now on.
func (a *archive) add(chunk []byte) ([]byte, error) {
	a.head.CRC32 = crc32.Update(a.head.CRC32, crc32.IEEETable, chunk)
	a.head.UncompressedSize64 += uint64(len(chunk))
	if err := a.drain(a.workers); err != nil {
		return nil, err
	}
	var p *piece
	if n := len(a.spare); n > 0 {
		p, a.spare = a.spare[n-1], a.spare[:n-1]
	} else {
		p = new(piece)
	}
	next := p.raw[:0]
	p.raw, p.done = chunk, make(chan struct{})
	a.pending = append(a.pending, p)
	go p.run()
	return next, nil
}

// run deflates the piece so that another can follow it.
func (p *piece) run() {
	defer close(p.done)
	p.out.Reset()
	if p.deflate == nil {
		if p.deflate, p.err = flate.NewWriter(&p.out, deflateLevel); p.err != nil {
			return
		}
	}
	p.deflate.Reset(&p.out)
	if _, p.err = p.deflate.Write(p.raw); p.err == nil {
		p.err = p.deflate.Flush()
	}
}

// drain writes pieces in order: those that are ready, and as many more as leave
// at most keep of them.
func (a *archive) drain(keep int) error {
	wrote := false
	for len(a.pending) > 0 {
		p := a.pending[0]
		if len(a.pending) <= keep {
			select {
			case <-p.done:
			default:
				return a.flush(wrote)
			}
		}
		<-p.done
		if p.err != nil {
			return fmt.Errorf("export: deflate: %w", p.err)
		}
		if err := a.write(p.out.Bytes()); err != nil {
			return err
		}
		wrote = true
		a.pending = append(a.pending[:0], a.pending[1:]...)
		a.spare = append(a.spare, p)
	}
	return a.flush(wrote)
}

// flush hands on what archive/zip has buffered.
func (a *archive) flush(wrote bool) error {
	if !wrote {
		return nil
	}
	if err := a.zip.Flush(); err != nil {
		return fmt.Errorf("export: write: %w", err)
	}
	return nil
}

func (a *archive) write(b []byte) error {
	n, err := a.part.Write(b)
	a.head.CompressedSize64 += uint64(n)
	if err != nil {
		return fmt.Errorf("export: write: %w", err)
	}
	return nil
}

// end completes the part: an empty last block, then the sizes, which archive/zip
// takes from the header when the next part begins.
func (a *archive) end() error {
	if err := a.drain(0); err != nil {
		return err
	}
	if err := a.write([]byte{1, 0, 0, 0xff, 0xff}); err != nil {
		return err
	}
	a.head.CompressedSize = uint32(min(a.head.CompressedSize64, 1<<32-1))     //nolint:staticcheck // what archive/zip writes into the descriptor
	a.head.UncompressedSize = uint32(min(a.head.UncompressedSize64, 1<<32-1)) //nolint:staticcheck // likewise
	return nil
}

// whole writes a small part.
func (a *archive) whole(name string, content []byte) error {
	if err := a.begin(name); err != nil {
		return err
	}
	if _, err := a.add(content); err != nil {
		return err
	}
	return a.end()
}

// close writes the directory, without which the file is no ZIP.
func (a *archive) close() error {
	if err := a.zip.Close(); err != nil {
		return fmt.Errorf("export: write: %w", err)
	}
	return nil
}
