package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"taihu/api/export"
	"taihu/api/handle"
	"taihu/catalog/table"
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
		for _, word := range append([]string{"cursor", "count", "format", "organization", "theme", "open", "frequency", "year", "q="}, table.Parameters...) {
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
