package standards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"taihu/catalog"
)

// Graph is RDF: subjects in the order they were first spoken of, each with its
// properties in order. Both writings below say the same triples. No node is
// blank, so that two readings of a graph can be compared as sets.
type Graph struct {
	subjects []*subject
	byIRI    map[string]*subject
}

type subject struct {
	iri        string
	properties []property
}

type property struct {
	name   string // prefixed: dct:title
	values []any  // of iri, term or literal
}

type (
	iri     string // in full
	term    string // of one of our vocabularies, prefixed: dcat:Dataset
	literal struct{ text, lang, datatype string }
)

// vocabularies are the prefixes, in the order they are written.
var vocabularies = []struct{ prefix, iri string }{
	{"adms", "http://www.w3.org/ns/adms#"}, {"dcat", "http://www.w3.org/ns/dcat#"}, {"dct", "http://purl.org/dc/terms/"}, {"foaf", "http://xmlns.com/foaf/0.1/"},
	{"hydra", "http://www.w3.org/ns/hydra/core#"}, {"rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"}, {"rdfs", "http://www.w3.org/2000/01/rdf-schema#"},
	{"skos", "http://www.w3.org/2004/02/skos/core#"}, {"vcard", "http://www.w3.org/2006/vcard/ns#"}, {"xsd", "http://www.w3.org/2001/XMLSchema#"},
}

// address makes an IRI of an address: what may not stand in one is
// percent-encoded.
func address(s string) iri {
	var b strings.Builder
	for _, r := range s {
		if r <= 0x20 || r == 0x7f || strings.ContainsRune("<>\"{}|\\^`", r) || r == utf8.RuneError {
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
			continue
		}
		b.WriteRune(r)
	}
	return iri(b.String())
}

// add says that a subject has a property with these values; none says nothing.
// What was said before is not said again.
func (g *Graph) add(of iri, name string, values ...any) {
	if len(values) == 0 {
		return
	}
	s := g.byIRI[string(of)]
	if s == nil {
		if g.byIRI == nil {
			g.byIRI = map[string]*subject{}
		}
		s = &subject{iri: string(of)}
		g.byIRI[s.iri] = s
		g.subjects = append(g.subjects, s)
	}
	i := 0
	for i < len(s.properties) && s.properties[i].name != name {
		i++
	}
	if i == len(s.properties) {
		s.properties = append(s.properties, property{name: name})
	}
	p := &s.properties[i]
next:
	for _, v := range values {
		if len(p.values) <= 16 { // longer lists hold different values
			for _, old := range p.values {
				if old == v {
					continue next
				}
			}
		}
		p.values = append(p.values, v)
	}
}

// has reports whether the subject was spoken of.
func (g *Graph) has(of iri) bool { return g.byIRI[string(of)] != nil }

// Turtle writes the graph in Turtle 1.1.
func (g *Graph) Turtle() []byte {
	var b bytes.Buffer
	for _, v := range vocabularies {
		fmt.Fprintf(&b, "@prefix %s: <%s> .\n", v.prefix, v.iri)
	}
	for _, s := range g.subjects {
		fmt.Fprintf(&b, "\n<%s>", s.iri)
		for i, p := range s.properties {
			if i > 0 {
				b.WriteString(" ;")
			}
			name := p.name
			if name == "rdf:type" {
				name = "a"
			}
			b.WriteString("\n    " + name)
			for j, v := range p.values {
				if j > 0 {
					b.WriteByte(',')
				}
				b.WriteByte(' ')
				turtleValue(&b, v)
			}
		}
		b.WriteString(" .\n")
	}
	return b.Bytes()
}

func turtleValue(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case iri:
		b.WriteString("<" + string(v) + ">")
	case term:
		b.WriteString(string(v))
	case literal:
		turtleText(b, v.text)
		switch {
		case v.lang != "":
			b.WriteString("@" + v.lang)
		case v.datatype != "":
			b.WriteString("^^" + v.datatype)
		}
	default:
		panic(fmt.Sprintf("standards: %T is no RDF value", v))
	}
}

// turtleText writes a quoted string: quotes, backslashes and control characters
// are escaped, everything else stands as it is, in UTF-8.
func turtleText(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

// JSONLD writes the graph in JSON-LD 1.1, flat: each subject once, with its own
// context, so that no reader fetches one.
func (g *Graph) JSONLD() []byte {
	context := ordered{}
	for _, v := range vocabularies {
		context = append(context, member{v.prefix, v.iri})
	}
	nodes := make([]ordered, 0, len(g.subjects))
	for _, s := range g.subjects {
		node := ordered{{"@id", s.iri}}
		for _, p := range s.properties {
			if p.name == "rdf:type" {
				types := make([]string, 0, len(p.values))
				for _, v := range p.values {
					t, _ := v.(term)
					types = append(types, string(t))
				}
				node = append(node, member{"@type", types})
				continue
			}
			values := make([]ordered, 0, len(p.values))
			for _, v := range p.values {
				values = append(values, jsonldValue(v))
			}
			node = append(node, member{p.name, values})
		}
		nodes = append(nodes, node)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(ordered{{"@context", context}, {"@graph", nodes}}); err != nil {
		panic("standards: a graph cannot be written as JSON: " + err.Error())
	}
	return b.Bytes()
}

func jsonldValue(v any) ordered {
	switch v := v.(type) {
	case iri:
		return ordered{{"@id", string(v)}}
	case term:
		return ordered{{"@id", string(v)}}
	case literal:
		o := ordered{{"@value", v.text}}
		if v.lang != "" {
			o = append(o, member{"@language", v.lang})
		} else if v.datatype != "" {
			o = append(o, member{"@type", v.datatype})
		}
		return o
	}
	panic(fmt.Sprintf("standards: %T is no RDF value", v))
}

// ordered is a JSON object whose members keep their order.
type ordered []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(catalog.AppendJSONText(b, m.name), ':')
		b = append(b, plainJSON(m.value)...)
	}
	return append(b, '}'), nil
}
