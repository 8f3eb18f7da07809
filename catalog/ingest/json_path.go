package ingest

import (
	"path/filepath"
	"slices"
	"strings"
)

// maxPathDepth is how many keys may lead to the array of records.
const maxPathDepth = 5

// recordKeys are the keys under which interfaces put their rows, where several
// arrays of objects are in one text.
var recordKeys = []string{"records", "data", "rows", "items", "list", "result", "results", "features", "datalist", "resultlist", "value"}

// probe is what the first object of a text holds.
type probe struct {
	kind string     // of its type, where it has one
	list [][]string // keys that lead to arrays of objects
}

// locate finds where the records are: in the array that is the text, in an array
// under a key of the one object that it is, or one after another.
func (s *jsonSource) locate() error {
	stated := s.in.Options.Path
	if ext := strings.ToLower(filepath.Ext(s.in.Name)); stated == "" && (ext == ".ndjson" || ext == ".jsonl") {
		return nil
	}
	s.scan = newJSONScanner(s.file, s.in.Limits.Cell)
	if s.scan.peek() != '{' {
		if stated != "" {
			return s.noPath(nil)
		}
		return nil
	}
	var p probe
	if err := s.look(&p, nil); err != nil {
		if s.scan.err != nil {
			return s.scan.err
		}
		return nil // the survey words it
	}
	if s.scan.peek() != 0 || s.scan.more() { // another object: one after the other
		if stated != "" {
			return s.noPath(nil)
		}
		return nil
	}
	if stated != "" {
		at := slices.IndexFunc(p.list, func(path []string) bool { return strings.Join(path, ".") == stated })
		if at < 0 {
			return s.noPath(p.list)
		}
		s.path = p.list[at]
		return nil
	}
	features := []string{"features"}
	switch {
	case p.kind == "Topology":
		return asAttachment("not_flat", "这是 TopoJSON，不作为表格读取，按附件保存；请转换成 GeoJSON。", "This is TopoJSON, which is not read as a table: it is kept as an attachment. Convert it to GeoJSON.")
	case p.kind == "FeatureCollection" && slices.ContainsFunc(p.list, func(path []string) bool { return slices.Equal(path, features) }):
		s.path, s.geo = features, &geoSource{}
		s.geo.attach(s.root)
		return nil
	case len(p.list) == 1:
		s.path = p.list[0]
		return nil
	case len(p.list) == 0:
		return nil
	}
	var usual [][]string
	for _, path := range p.list {
		if slices.Contains(recordKeys, strings.ToLower(path[len(path)-1])) {
			usual = append(usual, path)
		}
	}
	if len(usual) != 1 {
		return asAttachment("not_flat", "JSON 中有几个对象数组（%[1]s），看不出哪个是数据，按附件保存；请写明数据所在的键。", "The JSON holds several arrays of objects (%[1]s): which one is the table cannot be told, so it is kept as an attachment. State the key of the rows.", paths(p.list))
	}
	s.path = usual[0]
	return nil
}

func paths(list [][]string) string {
	var names []string
	for _, path := range list {
		names = append(names, strings.Join(path, "."))
	}
	return strings.Join(names, ", ")
}

func (s *jsonSource) noPath(list [][]string) error {
	if len(list) == 0 {
		return refuse("unknown_path", "“%[1]s”之下没有对象数组；这个文件里没有放在键下面的对象数组。", "There is no array of objects under %[1]q, nor under any other key of this file.", s.in.Options.Path)
	}
	return refuse("unknown_path", "“%[1]s”之下没有对象数组；现有 %[2]s。", "There is no array of objects under %[1]q; there is %[2]s.", s.in.Options.Path, paths(list))
}

// look passes over the object at the scanner and notes the arrays of objects in it.
func (s *jsonSource) look(p *probe, path []string) error {
	s.scan.pos++
	for i := 0; ; i++ {
		c := s.scan.peek()
		switch {
		case c == '}':
			s.scan.pos++
			return nil
		case i > 0 && c != ',':
			return s.scan.unexpected(c, `"," or "}"`)
		case i > 0:
			s.scan.pos++
		}
		key, err := s.pathKey()
		if err != nil {
			return err
		}
		at := append(slices.Clone(path), key)
		switch c := s.scan.peek(); {
		case c == '{' && len(at) < maxPathDepth:
			err = s.look(p, at)
		case c == '[' && len(p.list) < 20:
			err = s.lookArray(p, at)
		default:
			s.scan.keep = len(at) == 1 && key == "type"
			var kind jsonKind
			if kind, err = s.scan.value(len(at)); s.scan.keep && kind == jsonString && len(s.scan.text) < 32 {
				p.kind = string(s.scan.text)
			}
			s.scan.keep = false
		}
		if err != nil {
			return err
		}
	}
}

// lookArray notes the array at the scanner where its first element is an object.
func (s *jsonSource) lookArray(p *probe, path []string) error {
	s.scan.pos++
	c := s.scan.peek()
	if c == '{' {
		p.list = append(p.list, path)
	}
	for i := 0; ; i++ {
		if c = s.scan.peek(); c == ']' {
			s.scan.pos++
			return nil
		}
		if i > 0 {
			if err := s.scan.expect(','); err != nil {
				return err
			}
		}
		if _, err := s.scan.value(len(path) + 1); err != nil {
			return err
		}
	}
}

// pathKey reads a key and its colon.
func (s *jsonSource) pathKey() (string, error) {
	if c := s.scan.peek(); c != '"' {
		return "", s.scan.unexpected(c, "a key")
	}
	s.scan.text = s.scan.text[:0]
	if err := s.scan.str(false); err != nil {
		return "", err
	}
	key := string(s.scan.text)
	return key, s.scan.expect(':')
}

// enter moves to the array of records.
func (s *jsonSource) enter() error {
	for _, want := range s.path {
		if err := s.scan.expect('{'); err != nil {
			return err
		}
		for i := 0; ; i++ {
			if i > 0 {
				if err := s.scan.expect(','); err != nil {
					return err
				}
			}
			key, err := s.pathKey()
			if err != nil {
				return err
			}
			if key == want {
				break
			}
			if err := s.skip(); err != nil {
				return err
			}
		}
	}
	return nil
}

// leave passes over what follows the array of records.
func (s *jsonSource) leave() error {
	for range s.path {
		for {
			c := s.scan.peek()
			if c == '}' {
				s.scan.pos++
				break
			}
			if c != ',' {
				return s.scan.unexpected(c, `"," or "}"`)
			}
			s.scan.pos++
			if _, err := s.pathKey(); err != nil {
				return err
			}
			if err := s.skip(); err != nil {
				return err
			}
		}
	}
	return nil
}

// skip passes over a value without keeping it.
func (s *jsonSource) skip() error {
	keep := s.scan.keep
	s.scan.keep = false
	_, err := s.scan.value(1)
	s.scan.keep = keep
	return err
}
