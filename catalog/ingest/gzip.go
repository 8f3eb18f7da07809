package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// gzipSource is the source of an inflated file, which goes with it.
type gzipSource struct {
	Source
	path string
}

// openGzip inflates the file to a temporary one and opens that as whatever it is
// under its name without .gz; the name inside the gzip header is not believed.
// Several members follow one another as one file.
func openGzip(in Input) (Source, error) {
	path, size, err := inflateGzip(in)
	if err != nil {
		return nil, err
	}
	in.Path, in.Size = path, size
	if n := len(in.Name) - len(".gz"); n > 0 && strings.EqualFold(in.Name[n:], ".gz") {
		in.Name = in.Name[:n]
	}
	src, err := open(in)
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return &gzipSource{src, path}, nil
}

// Close closes the source and removes the inflated file.
func (s *gzipSource) Close() error { return errors.Join(s.Source.Close(), os.Remove(s.path)) }

// inflateGzip writes the content to a temporary file, within the budget.
func inflateGzip(in Input) (path string, size int64, err error) {
	src, err := os.Open(in.Path)
	if err != nil {
		return "", 0, fmt.Errorf("open upload: %w", err)
	}
	defer src.Close()
	out, err := os.CreateTemp(in.TempDir, "inflated-")
	if err != nil {
		return "", 0, fmt.Errorf("inflate upload: %w", err)
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	size, err = copyGzip(out, src, in.Limits.Inflate)
	return out.Name(), size, err
}

func copyGzip(out io.Writer, src io.Reader, budget int64) (int64, error) {
	z, err := gzip.NewReader(src)
	if err != nil {
		return 0, refuseGzip(0, err)
	}
	buf := make([]byte, 256<<10)
	var size int64
	for {
		n, err := z.Read(buf)
		if size == 0 && bytes.HasPrefix(buf[:n], []byte("\x1f\x8b")) {
			return 0, refuse("nested_archive", "", "")
		}
		size += int64(n)
		if size > budget {
			return 0, refuse("archive_too_large", "解压后超过 %d 字节。", "Inflated, the file has more than %d bytes.", budget)
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return 0, fmt.Errorf("inflate upload: %w", err)
		}
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return 0, refuseGzip(size, err)
		}
	}
}

// refuseGzip tells a cut file from a damaged one, and both from trouble with the
// disk.
func refuseGzip(size int64, err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return refuse("cut_archive", "gzip 文件不完整：解压 %d 字节后中断。", "The gzip file is cut off: it ends after %d inflated bytes.", size)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return refuse("malformed_gzip", "gzip 文件在解压 %d 字节后损坏。", "The gzip file is damaged after %d inflated bytes.", size)
	}
	return fmt.Errorf("inflate upload: %w", err)
}
