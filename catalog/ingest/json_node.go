package ingest

import (
	"errors"
	"strings"
)

const (
	maxFlatDepth = 4   // keys in the name of a column: a.b.c.d
	maxFlatKeys  = 200 // of one object within a record; one with more is rather a map
)

// jsonNode is a key of the records. Where every value of it is an object or null,
// its parts are columns (a.b); else it is a column itself.
type jsonNode struct {
	key      string
	name     string // of the column: the keys that lead to it
	at       int    // among the parts of its parent
	next     int    // the part that may come next
	depth    int    // of the key, 1 in the record itself
	children []*jsonNode
	index    map[string]*jsonNode
	last     int64 // the record that had it last
	objects  int64 // values that are objects
	others   int64 // values that are neither objects nor null
	nested   int64 // values kept as JSON
	whole    bool  // never taken apart
	flat     bool
	column   int // -1: none
}

// forget makes the nodes ready for another pass over the records.
func (n *jsonNode) forget() {
	n.last = 0
	for _, c := range n.children {
		c.forget()
	}
}

// size counts the nodes below.
func (n *jsonNode) size() int {
	k := len(n.children)
	for _, c := range n.children {
		k += c.size()
	}
	return k
}

// leaves settles which nodes are taken apart and appends those that are columns.
func (n *jsonNode) leaves(list []*jsonNode, geo *geoSource) []*jsonNode {
	for _, c := range n.children {
		if c.flat = c.objects > 0 && c.others == 0 && !c.whole && len(c.children) > 0; c.flat {
			list = c.leaves(list, geo)
			continue
		}
		c.nested += c.objects
		if geo.isColumn(c) {
			list = append(list, c)
		}
	}
	return list
}

// members reads the object at the scanner and calls cell for its values. In the
// survey every object is looked into, as far as columns may come of it.
func (s *jsonSource) members(n *jsonNode, cell func(n *jsonNode, kind jsonKind) error) error {
	s.scan.pos++
	n.next = 0
	for i := 0; ; i++ {
		switch c := s.scan.peek(); {
		case c == '}':
			s.scan.pos++
			return nil
		case i > 0 && c != ',':
			return s.scan.unexpected(c, `"," or "}"`)
		case i > 0:
			s.scan.pos++
		}
		child, err := s.key(n)
		if err != nil {
			return err
		}
		if s.scan.peek() == '{' && (child.flat || !s.opened && !child.whole && child.depth < maxFlatDepth+s.geo.levels()) {
			child.objects++
			if err := s.members(child, cell); err != nil {
				return err
			}
			continue
		}
		keep := s.scan.keep
		s.scan.keep = keep || !s.opened && s.geo.isGeometry(child)
		kind, err := s.scan.value(child.depth + 1)
		s.scan.keep = keep
		if err != nil {
			return named(err, child.name)
		}
		if !s.opened {
			child.count(kind)
		}
		if cell != nil {
			if err := cell(child, kind); err != nil {
				return err
			}
		}
	}
}

func (n *jsonNode) count(kind jsonKind) {
	switch kind {
	case jsonNull:
	case jsonNested:
		n.others++
		n.nested++
	default:
		n.others++
	}
}

// key reads a key and its colon and returns its node.
func (s *jsonSource) key(n *jsonNode) (*jsonNode, error) {
	if c := s.scan.peek(); c != '"' {
		return nil, s.scan.unexpected(c, "a key")
	}
	s.scan.text = s.scan.text[:0]
	if err := s.scan.str(false); err != nil {
		return nil, err
	}
	var child *jsonNode
	if n.next < len(n.children) && n.children[n.next].key == string(s.scan.text) { // in the order of the record before
		child = n.children[n.next]
	} else if child = n.index[string(s.scan.text)]; child == nil {
		if s.nodes > s.in.Limits.Columns && !n.whole {
			return nil, s.scan.refuse("too_many_columns", "不同的键超过 %[1]d 个", "more than %[1]d different keys", s.in.Limits.Columns)
		}
		key := string(s.scan.text)
		child = &jsonNode{key: key, at: len(n.children), name: s.geo.nameOf(n, key), depth: n.depth + 1, column: -1, index: map[string]*jsonNode{}}
		child.whole = s.geo.keeps(n, key)
		n.index[key] = child
		if !n.whole {
			s.nodes++
			n.children = append(n.children, child)
		}
		if len(n.children) > maxFlatKeys && n.depth > s.geo.levels() {
			n.whole = true // its keys are forgotten, but for telling one that stands twice
			s.nodes -= n.size()
			n.children = nil
		}
	}
	n.next = child.at + 1
	if child.last == s.objects {
		return nil, named(s.scan.refuse("duplicate_key", "键 %[1]q 重复", "the key %[1]q appears twice", shorten(child.name)), child.name)
	}
	child.last = s.objects
	return child, s.scan.expect(':')
}

// named adds the column to a refusal.
func named(err error, column string) error {
	var r *Refusal
	if errors.As(err, &r) && r.Finding.Column == "" {
		r.Finding.Column = column
	}
	return err
}

// tellShape reports what of the records was taken apart, and what is kept as JSON.
func (s *jsonSource) tellShape() {
	for _, n := range s.columns {
		if n.nested > 0 && !s.geo.isGeometry(n) {
			f := found("nested_values", "", "")
			f.Column, f.Count = n.name, n.nested
			s.in.Findings.Add(f)
		}
	}
	var parts []string
	for _, n := range s.columns {
		if n.depth > 1+s.geo.levels() {
			parts = append(parts, n.name)
		}
	}
	if len(parts) > 0 {
		f := found("flattened", "", "")
		f.Column, f.Count, f.Value = parts[0], int64(len(parts)), strings.Join(parts, ", ")
		s.in.Findings.Add(f)
	}
	if len(s.path) > 0 && s.geo == nil {
		f := found("records_found", "数据行取自 %[1]s；文件的其余部分没有读入。", "The rows are those of %[1]s; the rest of the file was not read.", strings.Join(s.path, "."))
		f.Value = strings.Join(s.path, ".")
		s.in.Findings.Add(f)
	}
	s.geo.tell(s.in.Findings)
}
