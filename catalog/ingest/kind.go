package ingest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"

	"taihu/catalog"
)

// attach is the error of a file that is sound but holds no table: it becomes a
// plain attachment, with Finding as the reason.
type attach struct{ Refusal }

func (a *attach) Error() string { return "attachment: " + a.Finding.Message.En }

// asAttachment says that a file is to be kept as it is.
func asAttachment(code, zh, en string, args ...any) error {
	return &attach{*refuse(code, zh, en, args...)}
}

// The kinds of content. Those that can hold tables are in readerOf.
const (
	kindText    = "text"
	kindJSON    = "json"
	kindXLSX    = "xlsx"
	kindParquet = "parquet"
	kindGzip    = "gzip"
	kindHTML    = "html"
	kindXML     = "xml"
	kindPDF     = "pdf"
	kindOLE     = "ole" // xls, doc, and encrypted xlsx
	kindODS     = "ods"
	kindXLSB    = "xlsb"
	kindZip     = "zip"
	kindImage   = "image"
	kindBinary  = "binary"
)

// extensions says what content each known extension promises.
var extensions = map[string][]string{
	".csv": {kindText}, ".tsv": {kindText}, ".tab": {kindText}, ".psv": {kindText}, ".txt": {kindText, kindJSON, kindHTML, kindXML}, ".dat": {kindText, kindBinary},
	".json": {kindJSON}, ".ndjson": {kindJSON}, ".jsonl": {kindJSON}, ".geojson": {kindJSON}, ".topojson": {kindJSON},
	".xlsx": {kindXLSX}, ".xlsm": {kindXLSX}, ".parquet": {kindParquet}, ".pq": {kindParquet}, ".gz": {kindGzip},
	".xls": {kindOLE}, ".xlsb": {kindXLSB}, ".ods": {kindODS}, ".pdf": {kindPDF}, ".html": {kindHTML, kindText}, ".htm": {kindHTML, kindText},
	".xml": {kindXML}, ".svg": {kindXML, kindHTML}, ".png": {kindImage}, ".jpg": {kindImage}, ".jpeg": {kindImage}, ".gif": {kindImage}, ".webp": {kindImage},
	".zip": {kindZip}, ".doc": {kindOLE}, ".docx": {kindZip}, ".ppt": {kindOLE}, ".pptx": {kindZip},
}

// readerOf returns what opens a kind that can hold tables, or nil.
func readerOf(kind string) func(Input) (Source, error) {
	switch kind {
	case kindText:
		return openCSV
	case kindXLSX:
		return openXLSX
	case kindJSON:
		return openJSON
	case kindParquet:
		return openParquet
	case kindGzip:
		return openGzip
	}
	return nil
}

// open finds out what the file is and opens it. A *Refusal or *attach is the
// verdict on a file that is no table.
func open(in Input) (Source, error) {
	if in.Size == 0 {
		return nil, refuse("empty_file", "", "")
	}
	kind, err := contentKind(in.Path)
	if err != nil {
		return nil, err
	}
	ext := strings.ToLower(filepath.Ext(in.Name))
	want, known := extensions[ext]
	if kind == kindBinary && known && want[0] == kindText && (ext != ".dat" || in.Options.Encoding != "") {
		kind = kindText // UTF-16 without a mark, or a refusal that names the byte
	}
	if kind == kindText && known && want[0] == kindJSON && opensJSON(in.Path) {
		kind = kindJSON // with a fault near its beginning: reading it names the place
	}
	if known && !slices.Contains(want, kind) {
		return nil, mislabelled(in, ext, kind)
	}
	if isOffice(kind, ext) {
		src, err := openOffice(in, ext)
		if err == nil {
			src = &tailSource{Source: src, in: in}
		}
		return src, err
	}
	reader := readerOf(kind)
	if reader == nil || !known || kind == kindText && (ext == ".html" || ext == ".htm") {
		return nil, attachmentOf(kind, ext)
	}
	src, err := reader(in)
	if err == nil && (kind == kindText || kind == kindXLSX) {
		src = &tailSource{Source: src, in: in}
	}
	return src, err
}

// mislabelled is the verdict on content that is not what the extension promises.
func mislabelled(in Input, ext, kind string) error {
	switch {
	case kind == kindOLE && (ext == ".xlsx" || ext == ".xlsm") && fileContains(in.Path, utf16Bytes("EncryptedPackage")):
		return refuse("encrypted", "", "")
	case kind == kindText && extensions[ext][0] == kindJSON:
		return refuse("malformed_json", "扩展名是 %[1]s，但内容不是JSON。", "The extension is %[1]s, but the content is not JSON.", ext)
	}
	words := kindWords[kind]
	r := refuse("wrong_extension", "扩展名是 %[1]s，但内容是%[2]s。", "The extension is %[1]s, but the content is %[3]s.", ext, words.Zh, words.En)
	if kind == kindXLSB { // renamed, it would be an attachment without a table
		r.Finding.Hint = findingCode("attachment_spreadsheet").Hint
	}
	return r
}

// kindWords names each kind in a sentence.
var kindWords = map[string]catalog.Text{
	kindText: {Zh: "纯文本", En: "plain text"}, kindJSON: {Zh: "JSON", En: "JSON"}, kindXLSX: {Zh: "XLSX工作簿", En: "an XLSX workbook"}, kindParquet: {Zh: "Parquet", En: "Parquet"},
	kindGzip: {Zh: "gzip压缩文件", En: "gzip"}, kindHTML: {Zh: "HTML网页", En: "an HTML page"}, kindXML: {Zh: "XML", En: "XML"}, kindPDF: {Zh: "PDF", En: "PDF"},
	kindOLE: {Zh: "旧版Office文件（如XLS）", En: "an old Office file (such as XLS)"}, kindODS: {Zh: "ODS表格", En: "an ODS spreadsheet"}, kindXLSB: {Zh: "XLSB工作簿", En: "an XLSB workbook"},
	kindZip: {Zh: "ZIP压缩文件", En: "a ZIP archive"}, kindImage: {Zh: "图片", En: "an image"}, kindBinary: {Zh: "二进制数据", En: "binary data"},
}

// attachmentOf words why a file is kept as it is.
func attachmentOf(kind, ext string) error {
	switch {
	case kind == kindXLSB:
		return asAttachment("attachment_spreadsheet", "", "")
	case ext == "":
		return asAttachment("attachment", "文件没有扩展名，按附件保存。", "The file has no extension: kept as an attachment.")
	}
	return asAttachment("attachment", "%[1]s 文件不作为表格读取，按附件保存。", "A %[1]s file is not read as a table: kept as an attachment.", ext)
}

// magics tells content by its first bytes.
var magics = []struct{ prefix, kind string }{
	{"PAR1", kindParquet}, {"PARE", kindParquet}, {"\x1f\x8b\x08", kindGzip}, {"PK\x03\x04", kindZip}, {"PK\x05\x06", kindZip}, {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", kindOLE},
	{"%PDF-", kindPDF}, {"\x89PNG\r\n\x1a\n", kindImage}, {"\xff\xd8\xff", kindImage}, {"GIF87a", kindImage}, {"GIF89a", kindImage},
	{"7z\xbc\xaf\x27\x1c", kindBinary}, {"Rar!\x1a\x07", kindBinary}, {"\x28\xb5\x2f\xfd", kindBinary}, {"\xfd7zXZ\x00", kindBinary}, {"\x7fELF", kindBinary}, {"SQLite format 3\x00", kindBinary},
}

// contentKind looks at the bytes of the file alone.
func contentKind(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open upload: %w", err)
	}
	defer f.Close()
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("read upload: %w", err)
	}
	head = head[:n]
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.prefix)) {
			if m.kind == kindZip {
				return zipKind(path), nil
			}
			return m.kind, nil
		}
	}
	if len(head) > 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP" {
		return kindImage, nil
	}
	return textKind(head), nil
}

// textKind tells apart what can be text.
func textKind(head []byte) string {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return kindText // UTF-16
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return kindBinary
	}
	s := afterBlanks(head)
	low := bytes.ToLower(s[:min(len(s), 256)])
	switch {
	case len(s) == 0:
		return kindText
	case bytes.HasPrefix(low, []byte("<!doctype html")), bytes.HasPrefix(low, []byte("<html")), bytes.HasPrefix(low, []byte("<table")), bytes.HasPrefix(low, []byte("<head")):
		return kindHTML
	case bytes.HasPrefix(low, []byte("<?xml")), bytes.HasPrefix(low, []byte("<svg")):
		return kindXML
	case (s[0] == '{' || s[0] == '[') && looksJSON(s):
		return kindJSON
	}
	return kindText
}

// afterBlanks drops a byte order mark and white space at the front.
func afterBlanks(head []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// opensJSON reports whether the first sign of the file opens an array or object.
func opensJSON(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4<<10)
	n, _ := io.ReadFull(f, head)
	s := afterBlanks(head[:n])
	return len(s) > 0 && (s[0] == '{' || s[0] == '[')
}

// looksJSON reports whether the text begins as JSON for a few tokens, so that a
// CSV whose first cell opens with a brace stays CSV.
func looksJSON(s []byte) bool {
	d := json.NewDecoder(bytes.NewReader(s))
	for i := range 8 {
		_, err := d.Token()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return true
		case err != nil:
			return i > 3 // broken later: JSON with a fault
		}
	}
	return true
}

// zipKind tells the kinds of ZIP apart by the names inside.
func zipKind(path string) string {
	z, err := zip.OpenReader(path)
	if err != nil { // cut or crafted: its reader words what is wrong
		for _, part := range []string{"xl/workbook.xml", "[Content_Types].xml", "xl/worksheets/", "_rels/.rels"} { // writers begin with any of them
			if fileContains(path, []byte(part)) {
				return kindXLSX
			}
		}
		return kindZip
	}
	defer z.Close()
	has := func(name string) bool {
		return slices.ContainsFunc(z.File, func(f *zip.File) bool { return strings.EqualFold(strings.TrimPrefix(f.Name, "/"), name) })
	}
	switch {
	case has("xl/workbook.bin"):
		return kindXLSB
	case has("word/document.xml"), has("ppt/presentation.xml"):
		return kindZip
	case has("xl/workbook.xml"), has("[Content_Types].xml"):
		return kindXLSX
	case has("mimetype") && has("content.xml"):
		return kindODS
	}
	return kindZip
}

func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// fileContains searches the first 64 MiB.
func fileContains(path string, what []byte) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	keep := 0
	for read := 0; read < 64<<20; {
		n, err := f.Read(buf[keep:])
		read += n
		if bytes.Contains(buf[:keep+n], what) {
			return true
		}
		if err != nil {
			return false
		}
		end := keep + n
		keep = min(len(what)-1, end)
		copy(buf, buf[end-keep:end])
	}
	return false
}
