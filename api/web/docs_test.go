package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"taihu/api/export"
	"taihu/api/handle"
	"taihu/catalog/table"
	"taihu/indexer"
)

// Codes are made with catalog.Errorf, or with a helper that takes the code first.
var (
	madeCode   = regexp.MustCompile(`Errorf\((?:catalog\.)?(?:Invalid|Unauthenticated|Forbidden|NotFound|Conflict|Gone|PreconditionFailed|TooLarge|Unprocessable|RateLimited|Unavailable|Full),\s*"([a-z_]+)"[^+]`)
	helperCode = regexp.MustCompile(`\b(?:unknown|unavailable)\("([a-z_]+)"`)
)

func TestEveryErrorCodeIsDocumented(t *testing.T) {
	d, err := loadDocs("", handle.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, e := range d.errors {
		if known[e.Code] {
			t.Errorf("%s stands twice in docs/errors.tsv", e.Code)
		}
		known[e.Code] = true
		if e.Kind != "internal" && statusOf(e.Kind) == 500 {
			t.Errorf("%s: %q is not a kind", e.Code, e.Kind)
		}
		if e.What.Zh == "" || e.What.En == "" {
			t.Errorf("%s lacks words in one language", e.Code)
		}
	}
	root := "../.."
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && e.Name() == ".git" {
			return filepath.SkipDir
		}
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		codes := madeCode.FindAllStringSubmatch(string(b), -1)
		if strings.Contains(path, "catalog/store") || strings.Contains(path, "table/pool") {
			codes = append(codes, helperCode.FindAllStringSubmatch(string(b), -1)...)
		}
		for _, m := range codes {
			if !known[m[1]] {
				t.Errorf("%s: error code %s is not in api/web/docs/errors.tsv", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryParameterIsInTheAPIGuide(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		b, err := docFiles.ReadFile("docs/api." + lang + ".md")
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range append([]string{"cursor", "count", "format", "organization", "theme", "open", "frequency", "year", "updated", "downloads", "q="}, table.Parameters...) {
			if !strings.Contains(string(b), word) {
				t.Errorf("docs/api.%s.md does not name %s", lang, word)
			}
		}
		for _, f := range export.Formats {
			for _, word := range append([]string{f.Name}, export.Parameters(f.Name)...) {
				if !strings.Contains(string(b), "`"+word+"`") {
					t.Errorf("docs/api.%s.md does not name %s", lang, word)
				}
			}
		}
	}
}

// TestWhatCanBeSearchedForIsInTheDocs holds docs/search to the search text's grammar,
// the facets and the orders.
func TestWhatCanBeSearchedForIsInTheDocs(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		b, err := docFiles.ReadFile("docs/search." + lang + ".md")
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, f := range indexer.KeyFields {
			for _, name := range append([]string{f.Name}, f.Alias...) {
				words = append(words, "`"+name+":`")
			}
		}
		for _, sort := range indexer.Sorts {
			words = append(words, "`"+sort+"`")
		}
		for _, word := range append(words, "`updated:`", "`更新:`", "`updated:>2025`") {
			if !strings.Contains(string(b), word) {
				t.Errorf("docs/search.%s.md does not name %s", lang, word)
			}
		}
		for _, example := range regexp.MustCompile("`([a-z]+:[^`]+)`").FindAllStringSubmatch(string(b), -1) {
			if asked := indexer.Ask(example[1]); len(asked.Terms) > 0 {
				t.Errorf("docs/search.%s.md: %s is no condition: %+v", lang, example[1], asked)
			}
		}
	}
	for _, f := range indexer.Facets {
		if !slices.Contains(facetOrder, f) || facetNames[f].En == "" {
			t.Errorf("the facet %s is not on the page", f)
		}
	}
}

func TestDocLinksLeadSomewhere(t *testing.T) {
	d, err := loadDocs("", handle.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"errors": true, "findings": true}
	for _, o := range docOrder {
		known[o.page] = true
	}
	target := regexp.MustCompile(`href="(/en)?/docs/([a-z]+)`)
	for lang, pages := range d.pages {
		for name, p := range pages {
			if p.Title == "" {
				t.Errorf("docs/%s in %s has no top heading", name, lang)
			}
			for _, m := range target.FindAllStringSubmatch(string(p.Body), -1) {
				if !known[m[2]] {
					t.Errorf("docs/%s in %s links to %s, which is not there", name, lang, m[0])
				}
				if (m[1] == "/en") != (lang == "en") {
					t.Errorf("docs/%s in %s links to the other language: %s", name, lang, m[0])
				}
			}
		}
	}
}

func TestTopSection(t *testing.T) {
	b := []byte("# 一\n\n```\n# not a heading\n```\n\n# Two\n\ntext\n")
	if got := string(topSection(b, 1)); got != "# Two\n\ntext\n" {
		t.Errorf("got %q", got)
	}
	if got := string(topSection(b, 0)); !strings.Contains(got, "not a heading") {
		t.Errorf("got %q", got)
	}
}
