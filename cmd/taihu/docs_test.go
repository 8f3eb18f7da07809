package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"taihu/api"
	"taihu/catalog"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(moduleRoot(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestEveryCommandAndFlagIsDocumented holds docs/cli to the command line, in
// both languages.
func TestEveryCommandAndFlagIsDocumented(t *testing.T) {
	var cli commands
	parser, err := kong.New(&cli, kong.Name("taihu"), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"zh", "en"} {
		doc := readDoc(t, "api/web/docs/cli."+lang+".md")
		var walk func(n *kong.Node, path string)
		walk = func(n *kong.Node, path string) {
			if n.Hidden {
				return
			}
			if path != "" && !strings.Contains(doc, "taihu "+path) {
				t.Errorf("cli.%s.md lacks taihu %s", lang, path)
			}
			for _, f := range n.Flags {
				if f.Name != "help" && !strings.Contains(doc, "`--"+f.Name+"`") && !strings.Contains(doc, "--"+f.Name+" ") {
					t.Errorf("cli.%s.md lacks --%s of taihu %s", lang, f.Name, path)
				}
				for _, v := range f.Envs {
					if !strings.Contains(doc, "`"+v+"`") {
						t.Errorf("cli.%s.md lacks the variable %s", lang, v)
					}
				}
			}
			for _, child := range n.Children {
				walk(child, strings.TrimSpace(path+" "+child.Name))
			}
		}
		walk(parser.Model.Node, "")
	}
}

// TestEveryRouteIsDescribed holds the OpenAPI description to the router.
func TestEveryRouteIsDescribed(t *testing.T) {
	a, err := api.New(api.Config{Log: discardLog, Clock: catalog.Now, BaseURL: "http://example.org"})
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, item := range a.OpenAPI().Paths {
		path = strings.NewReplacer("{", ":", "}", "").Replace(path)
		for method, op := range map[string]any{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete, "PATCH": item.Patch} {
			if fmt.Sprint(op) != "<nil>" {
				described[method+" "+path] = true
			}
		}
	}
	for _, r := range a.Routes() {
		name := r.Method + " " + r.Path
		switch {
		case r.Method == http.MethodOptions, r.Method == http.MethodHead, strings.HasPrefix(r.Path, "/openapi"), r.Path == "/healthz", r.Path == "/readyz":
		case !described[name]:
			t.Errorf("%s is not in the OpenAPI description", name)
		}
	}
	guide := readDoc(t, "api/web/docs/api.en.md") + readDoc(t, "api/web/docs/api.zh.md")
	for path, item := range a.OpenAPI().Paths {
		if item.Get != nil && !strings.Contains(guide, strings.Split(path, "{")[0]) {
			t.Errorf("the API guide does not name %s", path)
		}
	}
}

// TestReadmeIsShort: useful within 40 lines, and it names the two commands.
func TestReadmeIsShort(t *testing.T) {
	readme := readDoc(t, "README.md")
	head := strings.Join(strings.Split(readme, "\n")[:min(40, strings.Count(readme, "\n"))], "\n")
	for _, want := range []string{"make run", "make test", "taihu publish", "Go 1.26"} {
		if !strings.Contains(head, want) {
			t.Errorf("the first 40 lines of README.md lack %q", want)
		}
	}
	if !strings.Contains(readDoc(t, ".ci/run"), "make test") {
		t.Error(".ci/run does not call the README's test command")
	}
	architecture := readDoc(t, "ARCHITECTURE.md")
	for name := range mayImport {
		if !strings.Contains(architecture, name) && !strings.HasSuffix(name, "test") && !strings.Contains(architecture, "`/"+name[strings.LastIndexByte(name, '/')+1:]+"`") {
			t.Errorf("ARCHITECTURE.md does not name the package %s", name)
		}
	}
}
