package indexer

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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

// NewDocument makes the document of a published dataset: path is its
// organization's place in the tree, top first, its own last; r the release that
// stands, with its tables and files. It holds words and names, never values of
// cells, so a conditional dataset's is as public as its page.
func NewDocument(d *catalog.Dataset, path []catalog.Organization, r *catalog.Release, version int64) Document {
	doc := Document{
		ID: d.ID, Slug: d.Slug,
		Title:       catalog.Text{Zh: clean(d.Title.Zh), En: clean(d.Title.En)},
		Description: catalog.Text{Zh: plainText(d.Description.Zh), En: plainText(d.Description.En)},
		Themes:      slices.Clone(d.Themes), Keywords: cleanAll(d.Keywords), Identifiers: cleanAll(d.Identifiers),
		OpenAttribute: d.OpenAttribute, Frequency: d.Frequency, Updated: d.CatalogueAt, Version: version,
	}
	for _, o := range path {
		doc.Organizations = append(doc.Organizations, o.Slug)
		doc.Organization = o.Slug
		doc.Publisher = catalog.Text{Zh: clean(o.Name.Zh), En: clean(o.Name.En)}
	}
	for _, code := range d.Themes {
		name := catalog.ThemeName(code)
		doc.ThemeNames = appendNew(doc.ThemeNames, name.Zh, name.En)
	}
	if r != nil {
		doc.addRelease(r)
	}
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
	count := 0
	for i := range plain {
		if count++; count > maxDescription {
			return plain[:i]
		}
	}
	return plain
}
