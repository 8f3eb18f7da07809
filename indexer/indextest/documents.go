package indextest

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"taihu/catalog"
	"taihu/indexer"
)

//go:embed documents.txt
var documentsText string

// Documents returns the sample documents of documents.txt, on the subjects of a
// Chinese city's portal. Each has Version 1, and the later one in the file was
// updated a day later.
func Documents() []indexer.Document {
	var docs []indexer.Document
	publishers := map[string]catalog.Text{}
	for _, block := range strings.Split(strings.TrimSpace(documentsText), "\n\n") {
		docs = append(docs, parseDocument(block, len(docs), publishers))
	}
	return docs
}

// ID returns the id of the n-th sample document.
func ID(n int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }

func parseDocument(block string, n int, publishers map[string]catalog.Text) indexer.Document {
	d := indexer.Document{
		ID: ID(n), Version: 1, OpenAttribute: catalog.Unconditional,
		Updated: time.Date(2026, 1, 1+n, 8, 0, 0, 0, time.UTC),
		Formats: slices.Clone(indexer.TableFormats),
	}
	for _, line := range strings.Split(block, "\n") {
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			panic("documents.txt: no key in " + line)
		}
		switch key {
		case "slug":
			d.Slug = value
		case "title":
			d.Title = bilingual(value)
		case "description":
			d.Description = bilingual(value)
		case "organization":
			path, names, named := strings.Cut(value, " ")
			d.Organizations = strings.Split(path, "/")
			d.Organization = d.Organizations[len(d.Organizations)-1]
			if named {
				publishers[d.Organization] = bilingual(names)
			}
			d.Publisher = publishers[d.Organization]
			d.PathNames = []string{"无锡市", d.Publisher.Zh, d.Publisher.En}
		case "themes":
			d.Themes = strings.Split(value, ", ")
			for _, code := range d.Themes {
				name := catalog.ThemeName(code)
				d.ThemeNames = append(d.ThemeNames, name.Zh, name.En)
			}
		case "keywords":
			d.Keywords = strings.Split(value, ", ")
		case "columns":
			d.Columns = strings.Split(value, ", ")
		case "identifiers":
			d.Identifiers = strings.Split(value, ", ")
		case "values":
			d.Values = strings.Split(value, ", ")
		case "notes":
			note := bilingual(value)
			d.Notes = slices.DeleteFunc([]string{note.Zh, note.En}, func(s string) bool { return s == "" })
		case "downloads":
			d.Downloads = int64(number(value))
		case "quality":
			d.Quality = number(value)
		case "formats":
			d.Formats = append(d.Formats, strings.Split(value, ", ")...)
		case "open":
			d.OpenAttribute = catalog.OpenAttribute(value)
		case "frequency":
			d.Frequency = catalog.Frequency(value)
		case "year":
			d.Year = number(value)
		case "rows":
			d.Rows = int64(number(value))
		default:
			panic("documents.txt: unknown key " + key)
		}
	}
	d.Cells = d.Rows * int64(len(d.Columns))
	return d
}

func bilingual(s string) catalog.Text {
	zh, en, _ := strings.Cut(s, " | ")
	return catalog.Text{Zh: zh, En: en}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("documents.txt: " + err.Error())
	}
	return n
}
