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

// jsonSource reads an array of objects, or objects one after another (NDJSON),
// as one table. The columns are the keys in the order they first appear; a
// missing key and null are null. A first pass finds the columns and checks the
// whole text, a second gives the rows.
type jsonSource struct {
	in      Input
	file    *os.File
	scan    *jsonScanner
	array   bool
	columns []string
	index   map[string]int
	last    []int64 // by column: the row that had it last
	nested  []int64 // by column: how many values were arrays or objects
	row     int64   // of the object being read: its number in an array, its line in NDJSON
	objects int64
	opened  bool
	ended   bool
}

// openJSON opens the JSON text at in.Path. What is sound JSON but no rows
// (GeoJSON, a single object, an array of numbers) is an attachment.
func openJSON(in Input) (Source, error) {
	f, err := os.Open(in.Path)
	if err != nil {
		return nil, fmt.Errorf("open upload: %w", err)
	}
	s := &jsonSource{in: in, file: f, index: map[string]int{}}
	if err := s.survey(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// survey is the first pass.
func (s *jsonSource) survey() error {
	s.start(false)
	geo := ""
	for {
		err := s.object(func(col int, kind jsonKind) error {
			if kind == jsonNested {
				s.nested[col]++
			}
			// A "type" of the first object tells GeoJSON and TopoJSON.
			if s.objects == 1 && kind == jsonString && s.columns[col] == "type" && len(s.scan.text) < 32 {
				geo = string(s.scan.text)
			}
			return nil
		})
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
	ext := strings.ToLower(filepath.Ext(s.in.Name))
	switch {
	case s.objects == 1 && !s.array && (geo == "FeatureCollection" || geo == "Topology"):
		return asAttachment("not_flat", "这是 GeoJSON 或 TopoJSON，暂不作为表格读取，按附件保存。", "This is GeoJSON or TopoJSON, which is not read as a table yet: it is kept as an attachment.")
	case s.objects == 1 && !s.array && ext != ".ndjson" && ext != ".jsonl":
		return asAttachment("not_flat", "", "")
	case len(s.columns) == 0:
		return refuse("no_tables", "JSON 中没有任何数据行或键。", "The JSON holds no row or no key.")
	case len(s.columns) > s.in.Limits.Columns:
		return refuse("too_many_columns", "有 %d 个不同的键，最多 %d 个。", "There are %d different keys; at most %d are allowed.", len(s.columns), s.in.Limits.Columns)
	}
	return nil
}

// start begins a pass.
func (s *jsonSource) start(keep bool) {
	s.scan = newJSONScanner(s.file, s.in.Limits.Cell)
	s.scan.keep = keep
	s.row, s.objects, s.ended = 0, 0, false
	clear(s.last)
	if s.array = s.scan.peek() == '['; s.array {
		s.scan.pos++
	}
}

// Next opens the one table.
func (s *jsonSource) Next() (*Header, error) {
	if s.opened {
		return nil, io.EOF
	}
	s.opened = true
	for i, n := range s.nested {
		if n > 0 {
			f := found("nested_values", "", "")
			f.Column, f.Count = s.columns[i], n
			s.in.Findings.Add(f)
		}
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read upload again: %w", err)
	}
	s.start(true)
	return &Header{Columns: s.columns, Why: catalog.Text{Zh: "列名取自 JSON 的键", En: "columns are the keys of the JSON objects"}}, nil
}

// Read gives the following objects.
func (s *jsonSource) Read(c *Chunk) error {
	size := 0
	for !c.Full(size) {
		err := s.object(func(col int, kind jsonKind) error {
			text := s.scan.text
			size += len(text)
			k := &c.Columns[col]
			switch kind {
			case jsonNull:
				k.AppendNull()
			case jsonString:
				k.AppendKind(text, Textual)
			case jsonNested:
				k.AppendKind(text, Nested)
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

// object reads the next object and calls cell for each of its values; io.EOF
// after the last object, when the text has been read to its end.
func (s *jsonSource) object(cell func(col int, kind jsonKind) error) error {
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
	s.scan.pos++
	for n := 0; ; n++ {
		switch c := s.scan.peek(); {
		case c == '}':
			s.scan.pos++
			return nil
		case n > 0 && c != ',':
			return s.scan.unexpected(c, `"," or "}"`)
		case n > 0:
			s.scan.pos++
		}
		col, err := s.key()
		if err != nil {
			return err
		}
		kind, err := s.scan.value(2)
		if err != nil {
			return s.named(err, col)
		}
		if err := cell(col, kind); err != nil {
			return err
		}
	}
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

// key reads a key and its colon and returns the column.
func (s *jsonSource) key() (int, error) {
	if c := s.scan.peek(); c != '"' {
		return 0, s.scan.unexpected(c, "a key")
	}
	s.scan.text = s.scan.text[:0]
	if err := s.scan.str(false); err != nil {
		return 0, err
	}
	col, ok := s.index[string(s.scan.text)]
	if !ok {
		if len(s.columns) > s.in.Limits.Columns {
			return 0, s.scan.refuse("too_many_columns", "不同的键超过 %[1]d 个", "more than %[1]d different keys", s.in.Limits.Columns)
		}
		col = len(s.columns)
		name := string(s.scan.text)
		s.index[name] = col
		s.columns, s.last, s.nested = append(s.columns, name), append(s.last, 0), append(s.nested, 0)
	}
	if s.last[col] == s.objects {
		return 0, s.named(s.scan.refuse("duplicate_key", "键 %[1]q 重复", "the key %[1]q appears twice", shorten(s.columns[col])), col)
	}
	s.last[col] = s.objects
	return col, s.scan.expect(':')
}

// named adds the column to a refusal.
func (s *jsonSource) named(err error, col int) error {
	var r *Refusal
	if errors.As(err, &r) {
		r.Finding.Column = s.columns[col]
	}
	return err
}

// Close lets go of the file.
func (s *jsonSource) Close() error { return s.file.Close() }
