package api_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"taihu/api"
	"taihu/catalog"
)

func newAPI(t *testing.T) *api.API {
	t.Helper()
	a, err := api.New(api.Config{Log: slog.New(slog.DiscardHandler), Clock: catalog.Now, BaseURL: "http://example.org"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestEveryOperationIsDescribed: summary, tags of the list, an id, words for each
// parameter, a problem as the default answer, a token where something changes.
func TestEveryOperationIsDescribed(t *testing.T) {
	description := newAPI(t).OpenAPI()
	tags := map[string]bool{}
	for _, tag := range description.Tags {
		tags[tag.Name] = true
	}
	ids := map[string]bool{}
	for path, item := range description.Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete, "PATCH": item.Patch} {
			if op == nil {
				continue
			}
			name := method + " " + path
			if op.Summary == "" || op.OperationID == "" || ids[op.OperationID] {
				t.Errorf("%s: summary %q, operation id %q", name, op.Summary, op.OperationID)
			}
			ids[op.OperationID] = true
			if len(op.Tags) == 0 {
				t.Errorf("%s has no tag", name)
			}
			for _, tag := range op.Tags {
				if !tags[tag] {
					t.Errorf("%s has the unknown tag %q", name, tag)
				}
			}
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s: the parameter %s has no description", name, p.Name)
				}
				if in := strings.Contains(path, "{"+p.Name+"}"); in != (p.In == "path") {
					t.Errorf("%s: the parameter %s stands in %s", name, p.Name, p.In)
				}
			}
			if strings.Count(path, "{") != countPath(op) {
				t.Errorf("%s: not every part of the path is a parameter", name)
			}
			fallback := op.Responses["default"]
			if fallback == nil || fallback.Content["application/problem+json"] == nil {
				t.Errorf("%s has no default problem answer", name)
			}
			if secret := op.Tags[0] == "stewards"; secret != (len(op.Security) > 0) || !secret && method != "GET" && op.OperationID != "query-table" && op.OperationID != "send-feedback" {
				t.Errorf("%s: for stewards %t, asks for a token %t", name, secret, len(op.Security) > 0)
			}
			for status, r := range op.Responses {
				if r.Description == "" {
					t.Errorf("%s: the answer %s has no description", name, status)
				}
			}
		}
	}
	if len(ids) < 20 {
		t.Errorf("only %d operations are described", len(ids))
	}
}

func countPath(op *huma.Operation) int {
	n := 0
	for _, p := range op.Parameters {
		if p.In == "path" {
			n++
		}
	}
	return n
}

// TestOpenAPIIsServed in both forms, to any origin, as version 3.1.
func TestOpenAPIIsServed(t *testing.T) {
	a := newAPI(t)
	for path, want := range map[string]string{"/openapi.json": `"openapi":"3.1.0"`, "/openapi.yaml": "openapi: 3.1.0"} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v %.100s", path, w.Code, w.Header(), w.Body)
		}
	}
}

// TestHeadFollowsGet: every address that can be read has both methods.
func TestHeadFollowsGet(t *testing.T) {
	methods := map[string]string{}
	for _, r := range newAPI(t).Routes() {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			methods[r.Path] += r.Method
		}
	}
	for path, m := range methods {
		if len(m) != len("GETHEAD") {
			t.Errorf("%s has %s alone", path, m)
		}
	}
}
