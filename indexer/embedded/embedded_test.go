package embedded

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taihu/indexer"
	"taihu/indexer/indextest"
)

func TestConformance(t *testing.T) {
	indextest.Run(t, func(t *testing.T, name string) indexer.Index {
		x, err := Open(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		return x
	})
}

// says is all that an index answers to some questions, but for the order of hits,
// which may know of documents that were replaced.
func says(t *testing.T, x *Index) string {
	t.Helper()
	var b strings.Builder
	for _, text := range []string{
		"", "水", "停车", "water", "tcc", "sz", "column:名称", "org:局", "-数据", "updated:>=2023", `"数据 信息"`, `"基本信息"`, "format:csv", "WX-00000", "statstics", "企业 -管理",
	} {
		q := indexer.Query{Text: text, Facets: true, Limit: 100}
		r, err := x.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var hits []string
		for _, h := range r.Hits {
			hits = append(hits, h.Slug)
		}
		slices.Sort(hits)
		if r.Total > len(hits) {
			hits = nil // which are the first may differ
		}
		fmt.Fprintln(&b, text, r.Total, hits, r.Spelling)
		for _, facet := range indexer.Facets {
			fmt.Fprintln(&b, facet, r.Facets[facet])
		}
	}
	for _, text := range []string{"名", "bm", "局", "office", "信", "街道", "1", "交通", "jiaotong"} {
		list, err := x.Suggest(t.Context(), text, "zh", 20)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s.Kind != "dataset" {
				fmt.Fprintln(&b, text, s.Kind, s.Text, s.Slug, s.Count)
			}
		}
	}
	return b.String()
}

// TestChangedAsBuiltNew puts, replaces and deletes at random: afterwards, and after
// opening it again, the index answers as one that is built of what is left.
func TestChangedAsBuiltNew(t *testing.T) {
	folder := t.TempDir()
	x := open(t, folder)
	random := rand.New(rand.NewPCG(7, 7))
	left := map[string]indexer.Document{}
	version := int64(1)
	for round := range uint64(6) {
		var docs []indexer.Document
		for d := range indextest.Generate(120, round) {
			version++
			d.Version = version
			d.Organizations, d.Organization = d.Organizations[:2], d.Organizations[1] // fewer, so that they are shared
			d.Publisher.Zh, d.PathNames = d.Organization+"局", nil
			left[d.ID] = d
			docs = append(docs, d)
		}
		if err := x.Put(t.Context(), docs...); err != nil {
			t.Fatal(err)
		}
		for id := range left {
			if random.IntN(3) == 0 {
				delete(left, id)
				if err := x.Delete(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	y := open(t, t.TempDir())
	if err := y.Put(t.Context(), slices.Collect(maps.Values(left))...); err != nil {
		t.Fatal(err)
	}
	want := says(t, y)
	same := func(what string, x *Index) {
		t.Helper()
		if got := says(t, x); got != want {
			for i, line := range strings.Split(got, "\n") {
				if other := strings.Split(want, "\n")[i]; line != other {
					t.Fatalf("%s:\n got %s\nwant %s", what, line, other)
				}
			}
		}
	}
	same("changed", x)
	x.Close()
	same("opened again", open(t, folder))
}

// TestPhrases compares phrases with looking for them in every text.
func TestPhrases(t *testing.T) {
	x := open(t, t.TempDir())
	docs := slices.Collect(func(yield func(indexer.Document) bool) {
		for d := range indextest.Generate(300, 5) {
			if !yield(d) {
				return
			}
		}
	})
	if err := x.Put(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		d := docs[random.IntN(len(docs))]
		runes := []rune(d.Description.Zh)
		at := random.IntN(len(runes) - 8)
		text := `"` + string(runes[at:at+1+random.IntN(7)]) + `"`
		asked := indexer.Ask(text)
		if len(asked.Terms) == 0 || len(asked.Terms[0].Phrase) == 0 {
			continue
		}
		want := 0
		for i := range docs {
			found := false
			for _, f := range indexer.Fields {
				for _, s := range f.Texts(&docs[i]) {
					at, _ := indexer.FindPhrase(indexer.Fold(s), asked.Terms[0].Phrase)
					found = found || at >= 0
				}
			}
			if found {
				want++
			}
		}
		if r, err := x.Search(t.Context(), indexer.Query{Text: text}); err != nil || r.Total != want || want == 0 {
			t.Errorf("%s: %d found, want %d; %v", text, r.Total, want, err)
		}
	}
}
