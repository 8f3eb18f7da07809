package web

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"taihu/catalog"
)

// linkedIn finds the JSON-LD of a page as a browser's parser sees it.
func linkedIn(t *testing.T, page string) map[string]any {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var found map[string]any
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "script" {
			continue
		}
		for _, a := range n.Attr {
			if a.Key == "type" && a.Val == "application/ld+json" {
				if found != nil {
					t.Error("the page has two descriptions")
				}
				if err := json.Unmarshal([]byte(n.FirstChild.Data), &found); err != nil {
					t.Errorf("%v in %s", err, n.FirstChild.Data)
				}
			}
		}
	}
	return found
}

// TestLinkedData: the page of a dataset describes it to search engines, whatever
// stands in its title; without bytes where they are not open, and nothing on
// pages of what is not the newest.
func TestLinkedData(t *testing.T) {
	p := newPortal(t)
	p.publish("parking-spaces", catalog.Unconditional)
	p.publish("parking-spaces", catalog.Unconditional)
	p.publish("secret-lots", catalog.Conditional)
	for _, path := range []string{"/datasets/parking-spaces", "/en/datasets/parking-spaces", "/datasets/parking-spaces/releases/2"} {
		page := p.get(path, 200)
		x := linkedIn(t, page)
		if x["@type"] != "Dataset" || x["name"] != "停车"+hostile || x["version"] != "1.0.1" || x["license"] != "http://portal.example/docs/licence" || x["isAccessibleForFree"] != true {
			t.Errorf("%s: %v", path, x)
		}
		if n := len([]rune(x["description"].(string))); n < 50 || n > 5000 {
			t.Errorf("%s: the description has %d characters", path, n)
		}
		files, _ := x["distribution"].([]any)
		first, _ := files[0].(map[string]any)
		if len(files) != 6 || first["contentUrl"] != "http://portal.example/data/parking-spaces/2/main.csv" || first["encodingFormat"] != "text/csv" {
			t.Errorf("%s: distribution %v", path, files)
		}
		if fields, _ := x["variableMeasured"].([]any); len(fields) != 4 {
			t.Errorf("%s: variables %v", path, fields)
		}
		wants(t, page, `<link rel="alternate" type="application/atom+xml"`, `/datasets/parking-spaces/feed.atom"`, `type="text/turtle" href="/datasets/parking-spaces/dcat.ttl"`)
	}
	if x := linkedIn(t, p.get("/datasets/parking-spaces/releases/1", 200)); x != nil {
		t.Errorf("an old release is described as the dataset: %v", x)
	}
	x := linkedIn(t, p.get("/datasets/secret-lots", 200))
	if x["distribution"] != nil || x["isAccessibleForFree"] != false || x["conditionsOfAccess"] != "向科室申请" {
		t.Errorf("a conditional dataset: %v", x)
	}
	p.publish("closed-lots", catalog.Closed)
	p.actor = p.admin()
	page := p.get("/datasets/closed-lots", 200)
	if linkedIn(t, page) != nil || strings.Contains(page, "closed-lots/feed.atom") || strings.Contains(page, "dcat.ttl") {
		t.Error("the page of a closed dataset names what nobody can read")
	}
}
