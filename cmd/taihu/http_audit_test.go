package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"taihu/api"
	"taihu/catalog"
)

// TestRecordOfADataset reads the record in the three ways, verifies it without a
// server, and finds what was altered, removed, or put in.
func TestRecordOfADataset(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	path := "/api/v1/datasets/open-lots/events"
	p.play(t, []scenario{
		{name: "a stranger", method: http.MethodGet, path: path, status: 401, parts: []string{"sign_in_required"}},
		{name: "another organization", method: http.MethodGet, path: path, headers: bearerOf(p.other), status: 404},
		{name: "its steward", method: http.MethodGet, path: path, headers: bearerOf(p.own), status: 200, parts: []string{`"verb":"release.published"`, `"whole":true`}},
	})
	status, _, body := p.send(t, scenario{method: http.MethodGet, path: path, headers: bearerOf(p.own)})
	var record api.EventList
	if err := json.Unmarshal([]byte(body), &record); err != nil || status != 200 {
		t.Fatalf("%d %v", status, err)
	}
	save := func(change func(*api.EventList)) string {
		copied := record
		copied.Events = append([]catalog.Event{}, record.Events...)
		change(&copied)
		b, err := json.Marshal(copied)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "record.json")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, c := range []struct {
		name   string
		args   []string
		change func(*api.EventList)
		code   int
		said   string
	}{
		{"as it came", nil, func(*api.EventList) {}, 0, "whole; the last one's hash is " + record.Head},
		{"with its head", []string{"--head=" + record.Head}, func(*api.EventList) {}, 0, "whole"},
		{"with another head", []string{"--head=abc"}, func(*api.EventList) {}, 1, "no event has the hash abc"},
		{"one altered", nil, func(r *api.EventList) { r.Events[2].Actor = "somebody" }, 1, "event 3 was altered"},
		{"one removed", nil, func(r *api.EventList) { r.Events = append(r.Events[:1], r.Events[2:]...) }, 1, "event 2 is missing"},
		{"the last removed", []string{"--head=" + record.Head}, func(r *api.EventList) { r.Events = r.Events[:len(r.Events)-1] }, 1, "no event has the hash"},
		{"one altered and sealed anew", nil, func(r *api.EventList) { r.Events[2].Actor = "somebody"; r.Events[2].Seal() }, 1, "event 4 does not follow"},
	} {
		out, code := p.command(append([]string{"audit", "--verify=" + save(c.change)}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.said) {
			t.Errorf("%s: %d, want %d and %q:\n%s", c.name, code, c.code, c.said, out)
		}
	}
	if out, code := p.command("audit"); code != 0 || !strings.Contains(out, "every chain is whole") {
		t.Errorf("audit: %d %s", code, out)
	}
	if out, code := p.command("audit", "open-lots"); code != 0 || !strings.Contains(out, "release.published") || !strings.Contains(out, record.Head) {
		t.Errorf("audit open-lots: %d %s", code, out)
	}
	cookie := p.signIn(t)
	signed := []string{"Cookie", cookie.Name + "=" + cookie.Value}
	p.play(t, []scenario{
		{name: "page", method: http.MethodGet, path: "/steward/datasets/open-lots/record", headers: signed, status: 200, parts: []string{"记录完整", record.Head, "发布", "release.published"}},
		{name: "page in English", method: http.MethodGet, path: "/en/steward/datasets/open-lots/record", headers: signed, status: 200, parts: []string{"The record is whole", "Published"}},
	})
}

// TestEveryVerbHasWords holds the words of the record to the verbs that the store
// writes into the chains of datasets.
func TestEveryVerbHasWords(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(moduleRoot(t), "catalog", "store", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	words, err := os.ReadFile(filepath.Join(moduleRoot(t), "api", "web", "log.go"))
	if err != nil {
		t.Fatal(err)
	}
	verb := regexp.MustCompile(`"(dataset|draft|release|file|findings|table|feedback)\.[a-z_]+"`)
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range verb.FindAllString(string(b), -1) {
			if seen++; !strings.Contains(string(words), v+":") {
				t.Errorf("%s: the record has no words for %s", filepath.Base(name), v)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d verbs were found", seen)
	}
}
