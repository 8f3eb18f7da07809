package ingest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Every code that the package writes is listed, and every listed one is written.
func TestFindingCodesAreThoseWritten(t *testing.T) {
	written := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "codes.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					written[s] = true
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			f, ok := call.Fun.(*ast.Ident)
			if !ok || f.Name != "refuse" && f.Name != "found" && f.Name != "asAttachment" {
				return true
			}
			if lit, ok := call.Args[0].(*ast.BasicLit); ok {
				code, _ := strconv.Unquote(lit.Value)
				defer func() {
					if recover() != nil {
						t.Errorf("%s: code %s is not listed", name, code)
					}
				}()
				findingCode(code)
			}
			return true
		})
	}
	seen := map[string]bool{}
	for _, c := range FindingCodes {
		if !written[c.Code] {
			t.Errorf("%s is listed but never written", c.Code)
		}
		if seen[c.Code] || c.What.Zh == "" || c.What.En == "" || c.Hint.Zh == "" || c.Hint.En == "" {
			t.Errorf("%s: listed twice, or words are missing", c.Code)
		}
		seen[c.Code] = true
	}
}
