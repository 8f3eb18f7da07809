package indexer

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"taihu/catalog"
)

// TableFormats are the formats every table can be taken in.
var TableFormats = []string{"csv", "json", "ndjson", "xlsx", "parquet"}

// maxDescription bounds the indexed part of a description, in characters.
const maxDescription = 10000

var extensionForm = regexp.MustCompile(`^[a-z0-9]{1,10}$`)

// chinaTime decides the year of a publication.
var chinaTime = time.FixedZone("+08:00", 8*3600)

// Entry is what a document is made of.
type Entry struct {
	Dataset   *catalog.Dataset
	Path      []catalog.Organization // its organization's place in the tree, top first, its own last
	Release   *catalog.Release       // that stands, with tables, their profiles and files; nil: none
	Notes     []catalog.Text         // of all releases that stand, newest first
	Downloads int64
	Version   int64
}

// NewDocument makes the document of a published dataset. Of a conditional dataset
// it holds words and names, never values of cells: it is as public as the page.
func NewDocument(e Entry) Document {
	d, r := e.Dataset, e.Release
	doc := Document{
		ID: d.ID, Slug: d.Slug,
		Title:       catalog.Text{Zh: clean(d.Title.Zh), En: clean(d.Title.En)},
		Description: catalog.Text{Zh: plainText(d.Description.Zh), En: plainText(d.Description.En)},
		Themes:      slices.Clone(d.Themes), Keywords: cleanAll(d.Keywords), Identifiers: cleanAll(d.Identifiers),
		OpenAttribute: d.OpenAttribute, Frequency: d.Frequency, Updated: d.CatalogueAt, Version: e.Version,
		Downloads: roughly(e.Downloads),
	}
	for _, o := range e.Path {
		doc.Organizations = append(doc.Organizations, o.Slug)
		doc.Organization = o.Slug
		doc.Publisher = catalog.Text{Zh: clean(o.Name.Zh), En: clean(o.Name.En)}
		doc.PathNames = appendNew(doc.PathNames, doc.Publisher.Zh, doc.Publisher.En, clean(o.Code))
	}
	for _, code := range d.Themes {
		name := catalog.ThemeName(code)
		doc.ThemeNames = appendNew(doc.ThemeNames, name.Zh, name.En)
	}
	if r != nil {
		doc.addRelease(r)
		if d.OpenAttribute == catalog.Unconditional {
			doc.addValues(r)
		}
	}
	for _, n := range e.Notes {
		if len(doc.Notes) < maxNotes {
			doc.Notes = appendNew(doc.Notes, cut(plainText(n.Zh), maxNote), cut(plainText(n.En), maxNote))
		}
	}
	doc.Quality = quality(d, r)
	return doc
}

func (doc *Document) addRelease(r *catalog.Release) {
	if r.PublishedAt != nil {
		doc.Updated = *r.PublishedAt
	}
	doc.Year = yearOf(r.DataDate)
	if doc.Year == 0 {
		doc.Year = doc.Updated.In(chinaTime).Year()
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		doc.Rows += t.Rows
		doc.Cells += t.Rows * int64(len(t.Schema.Fields))
		for _, f := range t.Schema.Fields {
			doc.Columns = appendNew(doc.Columns, clean(f.Name), clean(f.Label.Zh), clean(f.Label.En), clean(f.Latin))
		}
	}
	if len(r.Tables) > 0 {
		doc.Formats = slices.Clone(TableFormats)
	}
	for _, f := range r.Files {
		ext := strings.ToLower(strings.TrimPrefix(path.Ext(f.Name), "."))
		if f.Role == catalog.Attachment && extensionForm.MatchString(ext) {
			doc.Formats = appendNew(doc.Formats, ext)
		}
	}
}

// Bounds of what a document holds of values and of notes.
const (
	maxValues = 200 // of all columns
	maxNotes  = 20
	maxNote   = 500 // characters
)

// addValues takes the frequent values of text columns: of each column in turn, so
// that one of many values leaves room for the others.
func (doc *Document) addValues(r *catalog.Release) {
	var columns []*catalog.ColumnProfile
	for i := range r.Tables {
		t := &r.Tables[i]
		if t.Profile == nil {
			continue
		}
		for j := range t.Profile.Columns {
			c := &t.Profile.Columns[j]
			if f := t.Schema.Index(c.Name); f >= 0 && t.Schema.Fields[f].Type == catalog.String {
				columns = append(columns, c)
			}
		}
	}
	seen := map[string]bool{}
	for place, more := 0, true; more; place++ {
		more = false
		for _, c := range columns {
			value, there := frequent(c, place)
			if !there {
				continue
			}
			more = true
			if v := clean(value); v != "" && !seen[v] && utf8.RuneCountInString(v) <= catalog.LongestName {
				seen[v] = true
				if doc.Values = append(doc.Values, v); len(doc.Values) == maxValues {
					return
				}
			}
		}
	}
}

// frequent is the value of a column that is so many places behind the most frequent one.
func frequent(c *catalog.ColumnProfile, place int) (value string, there bool) {
	if place < len(c.Top) {
		return c.Top[place].Value, true
	}
	if place -= len(c.Top); place < len(c.More) {
		return c.More[place], true
	}
	return "", false
}

// quality is how completely a dataset is described, in points of 100.
func quality(d *catalog.Dataset, r *catalog.Release) int {
	points := 0
	add := func(n int, has bool) {
		if has {
			points += n
		}
	}
	add(15, utf8.RuneCountInString(d.Description.Zh+d.Description.En) >= 30)
	add(10, d.Title.Zh != "" && d.Title.En != "")
	add(10, len(d.Keywords) > 0)
	add(5, len(d.Themes) > 0)
	add(10, d.Contact.Phone != "" || d.Contact.Mail != "")
	add(5, d.TemporalStart != "" || d.TemporalEnd != "")
	add(5, d.Licence != "")
	add(5, d.Frequency != "")
	if r == nil || len(r.Tables) == 0 {
		return points
	}
	add(15, true) // machine-readable
	described, fields := 0, 0
	for i := range r.Tables {
		for _, f := range r.Tables[i].Schema.Fields {
			fields++
			if f.Label.Zh != "" || f.Label.En != "" || f.Description.Zh != "" || f.Description.En != "" {
				described++
			}
		}
	}
	if fields > 0 {
		points += 20 * described / fields
	}
	return points
}

// roughly rounds a count down to two digits: enough to order and weigh by, and a
// document does not change with every download.
func roughly(n int64) int64 {
	step := int64(1)
	for n/step >= 100 {
		step *= 10
	}
	return n / step * step
}

func cut(s string, characters int) string {
	for i := range s {
		if characters--; characters < 0 {
			return s[:i]
		}
	}
	return s
}

// formVersion is part of every digest: raise it where NewDocument makes another
// document of the same facts, and every index is built anew.
const formVersion = 2

// Digest tells documents of different content or form apart.
func (d *Document) Digest() string {
	body, err := json.Marshal(d)
	if err != nil {
		return "" // no field of it can fail
	}
	return DigestOf(body)
}

// DigestOf is the Digest of a document whose JSON is body.
func DigestOf(body []byte) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d ", formVersion)
	_, _ = h.Write(body)
	return strconv.FormatUint(h.Sum64(), 16)
}

// yearOf reads the year of an ISO date, month or year; 0 where there is none.
func yearOf(date string) int {
	if len(date) < 4 {
		return 0
	}
	year, err := strconv.Atoi(date[:4])
	if err != nil {
		return 0
	}
	return year
}

func cleanAll(list []string) []string {
	var out []string
	for _, s := range list {
		out = appendNew(out, clean(s))
	}
	return out
}

// appendNew appends the words that are not empty and not there yet.
func appendNew(list []string, words ...string) []string {
	for _, w := range words {
		if w != "" && !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// literal is the text of n as shown: escapes and entities resolved, but in code.
func literal(n *ast.Text, source []byte) []byte {
	value := n.Segment.Value(source)
	if _, code := n.Parent().(*ast.CodeSpan); code || n.IsRaw() {
		return value
	}
	return util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(value)))
}

var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()

// plainText takes Markdown apart and keeps what a reader reads: no marks, no
// HTML, no addresses of links.
func plainText(source string) string {
	source = strings.ToValidUTF8(source, "\ufffd")
	bytes := []byte(source)
	var b strings.Builder
	_ = ast.Walk(markdown.Parse(text.NewReader(bytes)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.HTMLBlock, *ast.RawHTML:
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			if entering {
				b.Write(literal(n, bytes))
				if n.SoftLineBreak() || n.HardLineBreak() {
					b.WriteByte('\n')
				}
			}
		case *ast.String:
			if entering {
				b.Write(n.Value)
			}
		case *ast.AutoLink:
			if entering {
				b.Write(n.Label(bytes))
			}
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			if entering {
				for i := range n.Lines().Len() {
					line := n.Lines().At(i)
					b.Write(line.Value(bytes))
				}
			}
		}
		if _, cell := n.(*extast.TableCell); !entering && (n.Type() == ast.TypeBlock || cell) {
			b.WriteByte('\n')
		}
		return ast.WalkContinue, nil
	})
	plain := clean(b.String())
	return cut(plain, maxDescription)
}
