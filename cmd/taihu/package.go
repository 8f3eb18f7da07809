package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"taihu/api"
	"taihu/catalog"
	"taihu/catalog/ingest"
)

// dataPackage is what is read of a Frictionless descriptor
// (datapackage.org/standard/data-package).
type dataPackage struct {
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Keywords    []string `json:"keywords"`
	Licenses    []struct {
		Name string `json:"name"`
		Path string `json:"path"`
	} `json:"licenses"`
	Sources   []map[string]any `json:"sources"`
	Resources []struct {
		Name   string `json:"name"`
		Path   any    `json:"path"` // a text, or a list of texts
		Schema any    `json:"schema"`
	} `json:"resources"`
}

// findItems lists what a folder offers: every Data Package in it or below, else
// the rows of its index CSV.
func findItems(folder, index, prefix string) ([]importItem, error) {
	var items []importItem
	err := filepath.WalkDir(folder, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch d.Name() {
		case "datapackage.json", "datapackage.yml", "datapackage.yaml":
			items = append(items, packageItem(p))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if index != "" || len(items) == 0 {
		if items, err = indexItems(folder, index); err != nil {
			return nil, err
		}
	}
	slugs := map[string]int{}
	for i := range items {
		it := &items[i]
		slug := ingest.Slug(prefix + it.Name)
		if slug == "" {
			slug = ingest.Slug(fmt.Sprintf("%sdataset-%d", prefix, i+1))
		}
		if slugs[slug]++; slugs[slug] > 1 {
			slug = fmt.Sprintf("%.60s-%d", slug, slugs[slug])
		}
		it.Edit.Slug = slug
	}
	return items, nil
}

func packageItem(descriptor string) importItem {
	dir := filepath.Dir(descriptor)
	it := importItem{Name: filepath.Base(dir)}
	b, err := os.ReadFile(descriptor)
	if err != nil {
		it.Wrong = err.Error()
		return it
	}
	var p dataPackage
	if filepath.Ext(descriptor) == ".json" {
		err = json.Unmarshal(b, &p)
	} else {
		var any map[string]any
		if err = yaml.Unmarshal(b, &any); err == nil {
			if b, err = json.Marshal(any); err == nil {
				err = json.Unmarshal(b, &p)
			}
		}
	}
	if err != nil {
		it.Wrong = filepath.Base(descriptor) + " cannot be read: " + err.Error()
		return it
	}
	if p.Name != "" && p.Name != "." {
		it.Name = p.Name
	}
	it.Edit = api.DatasetEdit{Title: titleOf(p.Title, it.Name), Description: catalog.Text{En: p.Description}, Keywords: p.Keywords,
		OpenAttribute: catalog.Unconditional, Frequency: "irregular", SourceNote: catalog.Text{En: sourceNote(p.Sources)}, Language: "en"}
	if len(p.Licenses) > 0 {
		it.Edit.Licence = licenceOf(p.Licenses[0].Name)
	}
	it.files(dir, &p)
	return it
}

// files finds the package's files. A path that is not there is mended where the
// folder has just one table: then it is that one.
func (it *importItem) files(dir string, p *dataPackage) {
	var wrong []string
	for _, r := range p.Resources {
		var paths []string
		switch v := r.Path.(type) {
		case string:
			paths = []string{v}
		case []any:
			for _, x := range v {
				if s, ok := x.(string); ok {
					paths = append(paths, s)
				}
			}
		}
		for _, name := range paths {
			full, err := within(dir, name)
			if err == nil {
				_, err = os.Stat(full)
			}
			if err != nil {
				wrong = append(wrong, name)
				continue
			}
			it.Files = append(it.Files, full)
		}
	}
	if len(it.Files) == 0 {
		tables, _ := filepath.Glob(filepath.Join(escapeGlob(dir), "*.csv"))
		if len(tables) == 1 {
			it.Files = tables
			it.Remark = fmt.Sprintf("the descriptor names %q, which is not there; took the folder's only CSV", strings.Join(wrong, ", "))
		}
	}
	switch {
	case len(it.Files) == 0 && len(wrong) > 0:
		it.Wrong = fmt.Sprintf("the descriptor names %q, which is not there, and the folder has no CSV", strings.Join(wrong, ", "))
	case len(it.Files) == 0:
		it.Wrong = "the package has no data file"
	}
	if len(p.Resources) == 1 {
		it.Words = fieldWords(p.Resources[0].Schema)
	}
}

// within joins a descriptor's path below dir and refuses one that leads out.
func within(dir, name string) (string, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", errors.New("path leads out of the package")
	}
	return filepath.Join(dir, filepath.FromSlash(name)), nil
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

func fieldWords(schema any) api.TableEdit {
	edit := api.TableEdit{Fields: map[string]api.FieldEdit{}}
	m, _ := schema.(map[string]any)
	fields, _ := m["fields"].([]any)
	for _, f := range fields {
		field, _ := f.(map[string]any)
		name, _ := field["name"].(string)
		text := func(key string) string { s, _ := field[key].(string); return strings.TrimSpace(s) }
		words := api.FieldEdit{Label: catalog.Text{En: text("title")}, Unit: text("unit"), Description: catalog.Text{En: text("description")}}
		if name != "" && (!words.Label.IsZero() || words.Unit != "" || !words.Description.IsZero()) {
			edit.Fields[name] = words
		}
	}
	return edit
}

func sourceNote(sources []map[string]any) string {
	var parts []string
	for _, s := range sources {
		name := ""
		for _, key := range []string{"title", "name"} {
			if v, ok := s[key].(string); ok && name == "" {
				name = v
			}
		}
		for _, key := range []string{"path", "link", "web"} {
			if v, ok := s[key].(string); ok && v != "" {
				name = strings.TrimSpace(name + " " + v)
				break
			}
		}
		if name != "" {
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, "\n")
}

// licenceOf maps the licence names of Open Definition and SPDX to ours.
func licenceOf(name string) string {
	switch strings.ToUpper(name) {
	case "ODC-PDDL-1.0", "PDDL-1.0", "PDDL":
		return "PDDL-1.0"
	case "ODC-BY-1.0":
		return "ODC-By-1.0"
	case "ODBL-1.0", "ODC-ODBL-1.0":
		return "ODbL-1.0"
	case "CC-BY-4.0":
		return "CC-BY-4.0"
	case "CC-BY-SA-4.0":
		return "CC-BY-SA-4.0"
	case "CC0-1.0":
		return "CC0-1.0"
	}
	return ""
}

// titleOf puts a title where its script belongs, cut to what a title may have.
func titleOf(title, name string) catalog.Text {
	if title == "" {
		title = name
	}
	r := []rune(title)
	if slices.ContainsFunc(r, func(c rune) bool { return c >= 0x4e00 && c <= 0x9fff }) {
		return catalog.Text{Zh: string(r[:min(len(r), 200)])}
	}
	return catalog.Text{En: string(r[:min(len(r), 300)])}
}

// indexItems reads an index CSV: a column that names the file (csv, path, file
// or url; of an address its end counts), and beside it title, package and item,
// or name. Rows whose file is not in the folder are left out.
func indexItems(folder, index string) ([]importItem, error) {
	if index == "" {
		found, _ := filepath.Glob(filepath.Join(escapeGlob(folder), "*.csv"))
		if len(found) != 1 {
			return nil, fmt.Errorf("%s has no datapackage.json and %d CSV files at the top: name the index with --index", folder, len(found))
		}
		index = filepath.Base(found[0])
	}
	f, err := os.Open(filepath.Join(folder, index))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("index %s: %w", index, err)
	}
	column := func(names ...string) int {
		return slices.IndexFunc(header, func(h string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(h))) })
	}
	file, title, pkg, item, doc := column("csv", "path", "file", "url"), column("title"), column("package"), column("item", "name", "id"), column("doc", "documentation")
	if file < 0 {
		return nil, fmt.Errorf("index %s has no column that names the file: call it csv, path, file or url", index)
	}
	var items []importItem
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("index %s: %w", index, err)
		}
		cell := func(i int) string {
			if i < 0 {
				return ""
			}
			return strings.TrimSpace(row[i])
		}
		full := locate(folder, cell(file))
		if full == "" {
			continue
		}
		name := strings.Trim(cell(pkg)+"-"+cell(item), "-")
		if name == "" {
			name = strings.TrimSuffix(filepath.Base(full), filepath.Ext(full))
		}
		items = append(items, importItem{Name: name, Files: []string{full}, Edit: api.DatasetEdit{Title: titleOf(cell(title), name), Language: "en",
			SourceNote: catalog.Text{En: cell(doc)}, OpenAttribute: catalog.Unconditional, Frequency: "irregular"}})
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("index %s names no file that is in the folder", index)
	}
	return items, nil
}

// locate finds the file an index names: its path below the folder, or the
// longest end of an address that is there.
func locate(folder, name string) string {
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		name = u.Path
	}
	parts := strings.Split(strings.Trim(path.Clean("/"+name), "/"), "/")
	for i := range parts {
		full, err := within(folder, path.Join(parts[i:]...))
		if err != nil {
			continue
		}
		if info, err := os.Stat(full); err == nil && info.Mode().IsRegular() {
			return full
		}
	}
	return ""
}
