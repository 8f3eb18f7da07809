package ingest

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
)

const (
	maxArchiveEntries = 10_000   // parts of a workbook; the fullest seen has some hundreds
	maxSmallPart      = 64 << 20 // inflated bytes of a part that is read whole (workbook, styles, rels)
)

// oleMagic begins the compound files that hold .xls workbooks and
// password-protected .xlsx ones.
var oleMagic = []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}

// archive is a ZIP file whose entries have been weighed: each was inflated once
// to the end, against an absolute budget, before any of it is believed.
type archive struct {
	file    *os.File
	parts   map[string]*zip.File // by lower-case name
	inflate int64                // bytes of all entries
	nested  []string             // entries that are archives themselves; never opened
	merging map[string]bool      // by lower-case name: parts that speak of merged cells
}

// openArchive opens and weighs the ZIP file at in.Path. A *Refusal tells what is
// wrong with it: encrypted, unsupported, cut_archive, malformed_xlsx or
// archive_too_large.
func openArchive(in *Input) (*archive, error) {
	f, err := os.Open(in.Path)
	if err != nil {
		return nil, err
	}
	a := &archive{file: f, parts: map[string]*zip.File{}, merging: map[string]bool{}}
	if err := a.weigh(in.Limits.Inflate); err != nil {
		f.Close()
		return nil, err
	}
	return a, nil
}

func (a *archive) close() error { return a.file.Close() }

func (a *archive) weigh(budget int64) error {
	info, err := a.file.Stat()
	if err != nil {
		return err
	}
	head := make([]byte, 8)
	n, err := a.file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if bytes.HasPrefix(head[:n], oleMagic) {
		return refuseOLE(a.file, info.Size())
	}
	zr, err := zip.NewReader(a.file, info.Size())
	switch {
	case errors.Is(err, zip.ErrFormat) && bytes.HasPrefix(head[:n], []byte("PK")):
		return refuse("cut_archive", "文件不完整：压缩包末尾的目录缺失（文件共 %d 字节）",
			"the file is cut off: the directory at the end of the archive is missing (the file has %d bytes)", info.Size())
	case errors.Is(err, zip.ErrInsecurePath):
		return refuse("malformed_xlsx", "压缩包内有不安全的路径", "the archive holds an unsafe path")
	case err != nil:
		return refuse("malformed_xlsx", "压缩包无法读取：%[1]v", "the archive cannot be read: %[1]v", err)
	}
	zr.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser { return flate.NewReader(r) })
	if len(zr.File) > maxArchiveEntries {
		return refuse("archive_too_large", "压缩包内有 %d 个文件，最多允许 %d 个",
			"the archive has %d entries; at most %d are allowed", len(zr.File), maxArchiveEntries)
	}
	if err := a.list(zr.File, info.Size()); err != nil {
		return err
	}
	return a.inflateAll(zr.File, budget)
}

// list checks the directory: names, encryption, methods, and that no two entries
// share bytes (which is how a small file claims many large ones).
func (a *archive) list(files []*zip.File, size int64) error {
	type span struct{ from, to int64 }
	var spans []span
	for _, f := range files {
		name := strings.ReplaceAll(f.Name, `\`, "/")
		switch {
		case unsafePath(name):
			return refuse("malformed_xlsx", "压缩包内有不安全的路径 %q", "the archive holds the unsafe path %q", shorten(f.Name))
		case f.Flags&1 != 0:
			return refuse("encrypted", "压缩包内的 %q 已加密", "%q in the archive is encrypted", shorten(f.Name))
		case strings.HasSuffix(name, "/"):
			continue
		case f.Method != zip.Store && f.Method != zip.Deflate:
			return refuse("malformed_xlsx", "压缩包内的 %q 使用了不支持的压缩方法 %d",
				"%q in the archive uses compression method %d, which is not supported", shorten(f.Name), f.Method)
		}
		key := strings.ToLower(strings.TrimPrefix(name, "/"))
		if a.parts[key] != nil {
			return refuse("malformed_xlsx", "压缩包内有两个 %q", "the archive holds %q twice", shorten(f.Name))
		}
		a.parts[key] = f
		from, err := f.DataOffset()
		to := from + int64(f.CompressedSize64)
		if err != nil || to < from || to > size {
			return refuse("malformed_xlsx", "压缩包目录中 %q 的位置不对", "the archive's directory gives a wrong place for %q", shorten(f.Name))
		}
		if to > from {
			spans = append(spans, span{from, to})
		}
	}
	slices.SortFunc(spans, func(x, y span) int {
		if x.from < y.from {
			return -1
		}
		return 1
	})
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return refuse("malformed_xlsx", "压缩包内的文件相互重叠", "entries of the archive overlap")
		}
	}
	return nil
}

// unsafePath reports whether a part's name could reach outside a folder.
func unsafePath(name string) bool {
	clean := path.Clean("/" + name)
	return strings.ContainsRune(name, 0) || len(name) > 1024 || strings.Contains(name, "../") ||
		strings.HasSuffix(name, "/..") || len(name) > 1 && name[1] == ':' || clean == "/"
}

// inflateAll reads every entry to its end, counting real bytes, checking sums
// and looking for document types in XML.
func (a *archive) inflateAll(files []*zip.File, budget int64) error {
	left := budget
	buf := make([]byte, 128<<10)
	for _, f := range files {
		if strings.HasSuffix(f.Name, "/") || strings.HasSuffix(f.Name, `\`) {
			continue
		}
		n, err := a.inflateOne(f, buf, left)
		if err != nil {
			return err
		}
		left -= n
	}
	a.inflate = budget - left
	return nil
}

func (a *archive) inflateOne(f *zip.File, buf []byte, left int64) (int64, error) {
	r, err := f.Open()
	if err != nil {
		return 0, refuseEntry(f, err)
	}
	defer r.Close()
	var total int64
	const tail = 32 // enough for "<!DOCTYPE" in UTF-16
	xml := isXMLPart(f.Name)
	merging := !xml
	keep := 0
	for {
		n, err := r.Read(buf[keep:])
		total += int64(n)
		if total > left {
			return 0, refuse("archive_too_large", "解压到 %q 时超过了允许的总量", "the limit of inflated bytes was reached at %q", shorten(f.Name))
		}
		piece := buf[:keep+n]
		if total == int64(n) && bytes.HasPrefix(piece, []byte("PK\x03\x04")) {
			a.nested = append(a.nested, f.Name)
		}
		if xml && hasDoctype(piece) {
			return 0, refuse("malformed_xlsx", "%q 含有 DOCTYPE 声明，表格文件不应有", "%q holds a DOCTYPE declaration, which no workbook needs", shorten(f.Name))
		}
		if !merging && bytes.Contains(piece, mergeTag) {
			a.merging[strings.ToLower(strings.TrimPrefix(f.Name, "/"))], merging = true, true
		}
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return 0, refuseEntry(f, err)
		}
		keep = min(tail, len(piece))
		copy(buf, piece[len(piece)-keep:])
	}
}

func isXMLPart(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels")
}

// mergeTag stands in a worksheet behind its rows, so that a reader of rows knows
// too late of merged cells.
var mergeTag = []byte("mergeCell ")

var (
	doctype   = []byte("<!DOCTYPE")
	doctypeLE = []byte("<\x00!\x00D\x00O\x00C\x00T\x00Y\x00P\x00E\x00")
	doctypeBE = []byte("\x00<\x00!\x00D\x00O\x00C\x00T\x00Y\x00P\x00E")
)

// hasDoctype looks for "<!DOCTYPE" in the two encodings XML parts come in.
func hasDoctype(b []byte) bool {
	for rest := b; ; {
		i := bytes.IndexByte(rest, '!')
		if i < 0 {
			return false
		}
		if i >= 1 && rest[i-1] == '<' && bytes.HasPrefix(rest[i-1:], doctype) {
			return true
		}
		if i >= 2 && (bytes.HasPrefix(rest[i-2:], doctypeLE) || i >= 3 && bytes.HasPrefix(rest[i-3:], doctypeBE)) {
			return true
		}
		rest = rest[i+1:]
		if len(rest) < 8 {
			return false
		}
	}
}

func refuseEntry(f *zip.File, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse("cut_archive", "压缩包内的 %q 不完整", "%q in the archive is cut off", shorten(f.Name))
	}
	return refuse("malformed_xlsx", "压缩包内的 %q 已损坏：%v", "%q in the archive is damaged: %v", shorten(f.Name), err)
}

// open returns the entry called name (without regard to case) for reading; nil
// where there is none.
func (a *archive) open(name string) (io.ReadCloser, error) {
	f := a.parts[strings.ToLower(strings.TrimPrefix(name, "/"))]
	if f == nil {
		return nil, nil
	}
	r, err := f.Open()
	if err != nil {
		return nil, refuseEntry(f, err)
	}
	return r, nil
}

// bytes returns an entry whole; nil where there is none.
func (a *archive) bytes(name string) ([]byte, error) {
	r, err := a.open(name)
	if r == nil || err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxSmallPart+1))
	if err != nil {
		return nil, refuse("malformed_xlsx", "压缩包内的 %q 已损坏：%v", "%q in the archive is damaged: %v", shorten(name), err)
	}
	if len(b) > maxSmallPart {
		return nil, refuse("archive_too_large", "%q 解压后超过 %d 字节", "%q inflates to more than %d bytes", shorten(name), maxSmallPart)
	}
	return b, nil
}

// refuseOLE tells the two uses of compound files apart: a workbook under a
// password has a stream called EncryptedPackage, anything else is a .xls (or a
// Word file, which gets the same advice).
func refuseOLE(r io.ReaderAt, size int64) *Refusal {
	buf := make([]byte, min(size, 4<<20))
	n, _ := r.ReadAt(buf, 0)
	name := []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")
	if bytes.Contains(buf[:n], name) || int64(n) < size && containsFrom(r, size, name) {
		return refuse("encrypted", "工作簿设有密码", "the workbook is protected with a password")
	}
	return refuse("unsupported", "这是旧式 Excel 工作簿（.xls）", "this is an old Excel workbook (.xls)")
}

// containsFrom looks for mark in the last 4 MiB, where large compound files
// often keep their directory.
func containsFrom(r io.ReaderAt, size int64, mark []byte) bool {
	buf := make([]byte, min(size, 4<<20))
	n, _ := r.ReadAt(buf, size-int64(len(buf)))
	return bytes.Contains(buf[:n], mark)
}
