package main

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport is the whole map: which packages of the project each may import.
// Imports go down only; store, table, blob and indexer do not know each other;
// cmd alone names the engines.
var mayImport = map[string][]string{
	"catalog":                 {},
	"catalog/failpoint":       {},
	"catalog/blob":            {"catalog", "catalog/failpoint"},
	"catalog/blob/blobtest":   {"catalog", "catalog/blob"},
	"catalog/child":           {},
	"catalog/job":             {"catalog", "catalog/failpoint"},
	"catalog/store":           {"catalog", "catalog/failpoint", "migrations"},
	"catalog/store/storetest": {"catalog", "catalog/store"},
	"catalog/table":           {"catalog"},
	"catalog/table/memory":    {"catalog", "catalog/table"},
	"catalog/table/duck":      {"catalog", "catalog/table"},
	"catalog/table/parts":     {"catalog", "catalog/table", "catalog/parquet"},
	"catalog/table/diff":      {"catalog", "catalog/table"},
	"catalog/table/pool":      {"catalog", "catalog/table", "catalog/table/diff", "catalog/child"},
	"catalog/table/tabletest": {"catalog", "catalog/table", "catalog/table/memory"},
	"catalog/parquet":         {"catalog", "catalog/table"},
	"catalog/fetch":           {"catalog"},
	"catalog/upload":          {"catalog", "catalog/blob", "catalog/failpoint", "catalog/fetch", "catalog/store"},
	"catalog/ingest":          {"catalog", "catalog/ingest/personal", "catalog/table", "catalog/parquet", "catalog/child"},
	"catalog/ingest/personal": {},
	"catalog/sample":          {"catalog"},
	"indexer":                 {"catalog"},
	"indexer/embedded":        {"catalog", "indexer"},
	"indexer/meili":           {"catalog", "indexer"},
	"indexer/golden":          {"indexer"},
	"indexer/indextest":       {"catalog", "indexer", "indexer/golden"},
	"api/handle":              {"catalog", "catalog/table"},
	"api/export":              {"catalog", "catalog/table", "catalog/parquet"},
	"api/download":            {"catalog", "catalog/blob", "catalog/store", "catalog/table", "catalog/table/diff", "catalog/table/pool", "api/export"},
	"api/signin":              {"catalog"},
	"api/standards":           {"catalog", "catalog/table", "api/export"},
	"api/web":                 {"catalog", "catalog/blob", "catalog/store", "catalog/table", "catalog/table/diff", "catalog/table/pool", "catalog/ingest", "catalog/ingest/personal", "catalog/upload", "indexer", "api/handle", "api/export", "api/download", "api/signin", "api/standards"},
	"api":                     {"catalog", "catalog/blob", "catalog/store", "catalog/table", "catalog/table/diff", "catalog/table/pool", "catalog/upload", "indexer", "api/handle", "api/export", "api/download", "api/standards", "api/web"},
	"api/client":              {"catalog", "api", "api/handle"},
	"migrations":              {},
	"cmd/taihu":               nil, // wires everything
}

// heavy are libraries fenced into one package each.
var heavy = map[string][]string{
	"github.com/duckdb":                    {"catalog/table/duck"},
	"github.com/uptrace/bun":               {"catalog/store"},
	"modernc.org/sqlite":                   {"catalog/store"},
	"github.com/jackc/pgx":                 {"catalog/store", "catalog/store/storetest"},
	"github.com/meilisearch":               {"indexer/meili"},
	"github.com/gin-gonic/gin":             {"api", "api/handle", "api/web"},
	"github.com/danielgtaylor/huma":        {"api"},
	"github.com/xuri/excelize":             {"catalog/ingest", "api/export"},
	"github.com/parquet-go/parquet-go":     {"catalog/ingest", "catalog/parquet"},
	"github.com/alecthomas/kong":           {"cmd/taihu"},
	"github.com/yuin/goldmark":             {"api/web", "indexer"},
	"github.com/alexedwards/argon2id":      {"catalog/store"},
	"github.com/coreos/go-oidc":            {"api/signin"},
	"golang.org/x/oauth2":                  {"api/signin"},
	"github.com/zitadel/oidc":              {}, // a provider for the tests
	"github.com/mozillazg/go-pinyin":       {"catalog/ingest", "indexer"},
	"github.com/goccy/go-yaml":             {"cmd/taihu"},
	"github.com/microcosm-cc/bluemonday":   {"api/web"},
	"github.com/blevesearch":               {},
	"github.com/apache/arrow-go":           {"api/export"},
	"github.com/duckdb/duckdb-go-bindings": {"catalog/table/duck"},
}

type goPackage struct {
	ImportPath string
	Dir        string
	Name       string
	Imports    []string
	GoFiles    []string
	CgoFiles   []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Imports,GoFiles,CgoFiles", "./...")
	cmd.Dir = moduleRoot(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, "taihu"), "/")
		if strings.HasPrefix(name, "cmd/") || strings.HasSuffix(name, "test") && len(p.GoFiles) > 0 && mayImport[name] == nil {
			continue
		}
		allowed, known := mayImport[name]
		if !known {
			t.Errorf("package %s is not on the map: add it to mayImport and to ARCHITECTURE.md", name)
			continue
		}
		for _, imported := range p.Imports {
			if inner, ok := strings.CutPrefix(imported, "taihu/"); ok && !slices.Contains(allowed, inner) {
				t.Errorf("%s may not import %s", name, inner)
			}
			for library, users := range heavy {
				if (imported == library || strings.HasPrefix(imported, library+"/")) && !slices.Contains(users, name) {
					t.Errorf("%s may not import %s: it is fenced into %v", name, imported, users)
				}
			}
			if name == "catalog" && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("catalog imports %s; it may use the standard library only", imported)
			}
		}
	}
}

func TestPackagesSayWhatTheyKnow(t *testing.T) {
	for _, p := range listPackages(t) {
		longest := ""
		for _, file := range append(p.GoFiles, p.CgoFiles...) {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil && len(f.Doc.Text()) > len(longest) {
				longest = f.Doc.Text()
			}
		}
		if len(p.GoFiles)+len(p.CgoFiles) > 0 && strings.Count(longest, "\n") < 3 {
			t.Errorf("%s: its comment should say in 4 to 15 lines what it knows and what it must not know", p.ImportPath)
		}
	}
}
