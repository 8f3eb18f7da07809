package ingest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"taihu/catalog"
)

// jsonSource reads an array of objects, or objects one after another (NDJSON), as
// one table. The array may be the whole text, or lie under a key of it (json_path.go).
// The columns are the keys in the order they first appear; a missing key and null
// are null; objects within are taken apart (json_node.go), arrays stay JSON. A first
// pass finds the columns and checks the whole text, a second gives the rows.
type jsonSource struct {
	in      Input
	file    *os.File
	scan    *jsonScanner
	array   bool
	path    []string // keys that lead to the array
	geo     *geoSource
	root    *jsonNode
	columns []*jsonNode
	nodes   int
	row     int64 // of the object being read: its number in an array, its line in NDJSON
	objects int64
	opened  bool
	ended   bool
}

// openJSON opens the JSON text at in.Path. What is sound JSON but no rows (a single
// object, an array of numbers) is an attachment.
func openJSON(in Input) (Source, error) {
	f, err := os.Open(in.Path)
	if err != nil {
		return nil, fmt.Errorf("open upload: %w", err)
	}
	s := &jsonSource{in: in, file: f, root: &jsonNode{index: map[string]*jsonNode{}}}
	if err := s.survey(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// survey is the first pass.
func (s *jsonSource) survey() error {
	if err := s.locate(); err != nil {
		return err
	}
	if err := s.start(false); err != nil {
		return err
	}
	for {
		err := s.object(s.surveyed)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	s.in.Report.Format = "ndjson"
	if s.array {
		s.in.Report.Format = "json"
	}
	if s.geo != nil {
		s.in.Report.Format = "geojson"
	}
	ext := strings.ToLower(filepath.Ext(s.in.Name))
	if s.objects == 1 && !s.array && ext != ".ndjson" && ext != ".jsonl" {
		return asAttachment("not_flat", "", "")
	}
	s.columns = s.root.leaves(nil, s.geo)
	switch n := len(s.columns) + s.geo.extra(s.columns); {
	case n == 0:
		return refuse("no_tables", "JSON 中没有任何数据行或键。", "The JSON holds no row or no key.")
	case n > s.in.Limits.Columns:
		return refuse("too_many_columns", "有 %d 个不同的键，最多 %d 个。", "There are %d different keys; at most %d are allowed.", n, s.in.Limits.Columns)
	}
	return nil
}

// surveyed looks at a value in the first pass.
func (s *jsonSource) surveyed(n *jsonNode, kind jsonKind) error {
	if s.geo.isGeometry(n) && kind == jsonNested {
		if _, ok := pointOf(s.scan.text); ok {
			s.geo.points++
		} else {
			s.geo.others++
		}
	}
	return nil
}

// start begins a pass.
func (s *jsonSource) start(keep bool) error {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read upload again: %w", err)
	}
	s.scan = newJSONScanner(s.file, s.in.Limits.Cell)
	s.scan.keep = keep
	s.row, s.objects, s.ended = 0, 0, false
	s.root.forget()
	if err := s.enter(); err != nil {
		return err
	}
	if s.array = s.scan.peek() == '['; s.array {
		s.scan.pos++
	}
	return nil
}

// Next opens the one table.
func (s *jsonSource) Next() (*Header, error) {
	if s.opened {
		return nil, io.EOF
	}
	s.opened = true
	s.tellShape()
	if err := s.start(true); err != nil {
		return nil, err
	}
	h := &Header{Why: catalog.Text{Zh: "列名取自 JSON 的键", En: "columns are the keys of the JSON objects"}}
	for i, n := range s.columns {
		n.column = i
		h.Columns = append(h.Columns, n.name)
	}
	h.Columns = append(h.Columns, s.geo.names()...)
	return h, nil
}

// Read gives the following objects.
func (s *jsonSource) Read(c *Chunk) error {
	size := 0
	for !c.Full(size) {
		s.geo.begin()
		err := s.object(func(n *jsonNode, kind jsonKind) error {
			if n.column < 0 { // says nothing
				return nil
			}
			text := s.scan.text
			size += len(text)
			k := &c.Columns[n.column]
			switch kind {
			case jsonNull:
				k.AppendNull()
			case jsonString:
				k.AppendKind(text, Textual)
			case jsonNested:
				k.AppendKind(text, Nested)
				s.geo.take(n, text)
			default:
				k.Append(text)
			}
			return nil
		})
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		s.geo.end(c)
		for i := range c.Columns {
			if k := &c.Columns[i]; len(k.Ends) == c.Len {
				k.AppendNull()
			}
		}
		size += 8
		c.EndRow(s.row)
	}
	if c.Len == 0 {
		return io.EOF
	}
	return nil
}

// object reads the next object and calls cell for each of its values that are no
// objects to be taken apart; io.EOF after the last object, when the text has been
// read to its end.
func (s *jsonSource) object(cell func(n *jsonNode, kind jsonKind) error) error {
	if s.ended {
		return io.EOF
	}
	c, err := s.separator()
	if err != nil {
		return err
	}
	if s.ended {
		return io.EOF
	}
	if c != '{' {
		return s.notObject(c)
	}
	s.objects++
	s.row = s.objects
	if !s.array {
		s.row = s.scan.line
	}
	return s.members(s.root, cell)
}

// separator moves to the first byte of the next object and sets ended at the end.
func (s *jsonSource) separator() (byte, error) {
	c := s.scan.peek()
	if !s.array {
		s.ended = c == 0 && !s.scan.more()
		return c, s.scan.err
	}
	if c == ']' {
		s.scan.pos++
		s.ended = true
		if err := s.leave(); err != nil {
			return 0, err
		}
		if c := s.scan.peek(); c != 0 || s.scan.more() {
			return c, s.scan.unexpected(c, "the end of the file")
		}
		return 0, s.scan.err
	}
	if s.objects == 0 {
		return c, nil
	}
	if c != ',' {
		return c, s.scan.unexpected(c, `"," or "]"`)
	}
	s.scan.pos++
	return s.scan.peek(), nil
}

// notObject is the verdict on an element that is no object. A sound array of
// other things is an attachment; a stray line in NDJSON is a fault.
func (s *jsonSource) notObject(c byte) error {
	if !s.array && s.objects > 0 {
		return s.scan.unexpected(c, `"{"`)
	}
	if c == 0 || c == ']' || c == ',' {
		return s.scan.unexpected(c, `"{"`)
	}
	number, line := s.objects+1, s.scan.line
	keep := s.scan.keep
	s.scan.keep = false
	defer func() { s.scan.keep = keep }()
	// Read the rest, so that broken JSON is not taken for a sound attachment.
	for {
		if _, err := s.scan.value(1); err != nil {
			return err
		}
		s.objects++
		if _, err := s.separator(); err != nil {
			return err
		}
		if s.ended {
			break
		}
	}
	return asAttachmentAt(line, "JSON 的第 %d 个元素不是对象，不作为表格，按附件保存。", "Element %d of the JSON is no object: it is kept as an attachment, not as a table.", number)
}

// asAttachmentAt is asAttachment of not_flat at a line.
func asAttachmentAt(line int64, zh, en string, args ...any) error {
	return &attach{*refuse("not_flat", zh, en, args...).at(line, "", "")}
}

// Close lets go of the file.
func (s *jsonSource) Close() error { return s.file.Close() }
