package indextest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"taihu/catalog"
	"taihu/indexer"
)

func runChange(t *testing.T, open Opener) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, indexer.Index)
	}{
		{"put", testPut}, {"delete", testDelete}, {"rebuild", testRebuild}, {"accept", testAccept}, {"rollback", testRollback}, {"canary", testCanary}, {"sync", testSync}, {"drift", testDrift},
	} {
		t.Run(test.name, func(t *testing.T) {
			idx := open(t, test.name)
			defer idx.Close()
			test.run(t, idx)
		})
	}
}

func versioned(d indexer.Document, version int64, title string) indexer.Document {
	d.Version = version
	d.Title.Zh = title
	return d
}

func testPut(t *testing.T, idx indexer.Index) {
	a, b := bySlug("budget"), bySlug("schools")
	put(t, idx)
	put(t, idx, a, b)
	equal(t, "found", found(t, idx, "预算"), []string{"budget"})

	put(t, idx, versioned(a, 2, "甲乙丙"))
	put(t, idx, versioned(a, 3, "丁戊己"))
	equal(t, "replaced", found(t, idx, "丁戊己"), []string{"budget"})
	equal(t, "old words are gone", found(t, idx, "甲乙丙"), []string{})
	equal(t, "no second copy", search(t, idx, indexer.Query{}).Total, 2)

	put(t, idx, versioned(a, 2, "旧的标题"), versioned(b, 2, "学校名录"))
	equal(t, "older one passed over", found(t, idx, "旧的标题"), []string{})
	equal(t, "newer one beside it taken", found(t, idx, "学校名录"), []string{"schools"})

	put(t, idx, versioned(a, 3, "同一版本"))
	equal(t, "same version replaces", found(t, idx, "同一版本"), []string{"budget"})

	put(t, idx, versioned(b, 6, "六"), versioned(b, 5, "五"))
	stamps, err := idx.Stamps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, b = versioned(a, 3, "同一版本"), versioned(b, 6, "六")
	equal(t, "stamps", stamps, map[string]indexer.Stamp{a.ID: {Version: 3, Digest: a.Digest()}, b.ID: {Version: 6, Digest: b.Digest()}})
	if err := idx.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

func testDelete(t *testing.T, idx indexer.Index) {
	docs := Documents()[:5]
	put(t, idx, docs...)
	if err := idx.Delete(t.Context(), docs[0].ID, docs[3].ID, ID(777)); err != nil {
		t.Fatal(err)
	}
	if err := idx.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := search(t, idx, indexer.Query{Facets: true})
	equal(t, "left", slugs(r), []string{docs[4].Slug, docs[2].Slug, docs[1].Slug})
	equal(t, "facets", r.Facets, countFacets([]indexer.Document{docs[1], docs[2], docs[4]}, nil))
	equal(t, "not found", found(t, idx, "城市运行监测点"), []string{})

	put(t, idx, docs[0]) // after a delete any version is new
	equal(t, "found again", found(t, idx, "城市运行监测点"), []string{docs[0].Slug})
}

func testRebuild(t *testing.T, idx indexer.Index) {
	docs := Documents()
	old, next := docs[:3], docs[2:6]
	put(t, idx, old...)
	during := func(yield func(indexer.Document, error) bool) {
		for i, d := range next {
			if i == 2 {
				equal(t, "searching meanwhile", search(t, idx, indexer.Query{}).Total, 3)
			}
			if !yield(d, nil) {
				return
			}
		}
	}
	if err := idx.Rebuild(t.Context(), during, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "new ones", slugs(search(t, idx, indexer.Query{})), []string{docs[5].Slug, docs[4].Slug, docs[3].Slug, docs[2].Slug})

	err := idx.Rebuild(t.Context(), sequence(docs[:1], errPlanned), nil)
	if !errors.Is(err, errPlanned) {
		t.Errorf("a failing source: got %v", err)
	}
	equal(t, "nothing changed", search(t, idx, indexer.Query{}).Total, 4)

	rebuild(t, idx)
	equal(t, "empty", search(t, idx, indexer.Query{Facets: true}).Total, 0)
	put(t, idx, old...)
	equal(t, "usable afterwards", search(t, idx, indexer.Query{}).Total, 3)
}

// testAccept: what is built is shown before it takes its place, and does not take
// it where it is refused.
func testAccept(t *testing.T, idx indexer.Index) {
	docs := Documents()
	rebuild(t, idx, docs[:2]...)
	err := idx.Rebuild(t.Context(), sequence(docs[2:5], nil), func(ctx context.Context, next indexer.Searcher) error {
		r, err := next.Search(ctx, indexer.Query{})
		if err != nil {
			return err
		}
		equal(t, "shown", slugs(r), []string{docs[4].Slug, docs[3].Slug, docs[2].Slug})
		equal(t, "still there", search(t, idx, indexer.Query{}).Total, 2)
		return errPlanned
	})
	if !errors.Is(err, errPlanned) {
		t.Errorf("refused: got %v", err)
	}
	equal(t, "nothing changed", slugs(search(t, idx, indexer.Query{})), []string{docs[1].Slug, docs[0].Slug})
	err = idx.Rebuild(t.Context(), sequence(docs[2:5], nil), func(context.Context, indexer.Searcher) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "accepted", search(t, idx, indexer.Query{}).Total, 3)
}

func testRollback(t *testing.T, idx indexer.Index) {
	docs := Documents()
	put(t, idx, docs[0])
	wantKind(t, "nothing to go back to", idx.Rollback(t.Context()), catalog.Conflict, "no_rollback")
	rebuild(t, idx, docs[1], docs[2])
	rebuild(t, idx, docs[3])
	put(t, idx, docs[4])
	for i, want := range [][]string{{docs[2].Slug, docs[1].Slug}, {docs[4].Slug, docs[3].Slug}} {
		if err := idx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("after rollback %d", i+1), slugs(search(t, idx, indexer.Query{})), want)
	}
	put(t, idx, docs[5])
	equal(t, "usable afterwards", search(t, idx, indexer.Query{}).Total, 3)
}

// testCanary: the canary comes and goes unseen.
func testCanary(t *testing.T, idx indexer.Index) {
	docs := Documents()[:3]
	put(t, idx, docs...)
	for range 2 {
		took, err := idx.Canary(t.Context())
		if err != nil || took <= 0 {
			t.Fatalf("canary: %v, %v", took, err)
		}
	}
	equal(t, "total", search(t, idx, indexer.Query{}).Total, 3)
	equal(t, "facets", search(t, idx, indexer.Query{Facets: true}).Facets, countFacets(docs, nil))
	equal(t, "by name", found(t, idx, "canary"), []string{})
	stamps, err := idx.Stamps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "stamps", len(stamps), 3)
}

func testSync(t *testing.T, idx indexer.Index) {
	d := bySlug("budget")
	src := source{d.ID: d}
	sync := func() {
		t.Helper()
		if err := indexer.Sync(t.Context(), idx, src, d.ID); err != nil {
			t.Fatal(err)
		}
	}
	sync()
	equal(t, "put", found(t, idx, "预算"), []string{"budget"})
	src[d.ID] = versioned(d, 2, "支出")
	sync()
	equal(t, "replaced", found(t, idx, "支出"), []string{"budget"})
	delete(src, d.ID)
	sync()
	equal(t, "withdrawn", search(t, idx, indexer.Query{}).Total, 0)
}

func testDrift(t *testing.T, idx indexer.Index) {
	docs := Documents()[:6]
	src := source{}
	for _, d := range docs {
		src[d.ID] = d
	}
	check := func(want indexer.Report) {
		t.Helper()
		got, err := indexer.Drift(t.Context(), idx, src)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "report", got, want)
	}
	if report, err := indexer.Rebuild(t.Context(), idx, src, nil); err != nil || report.Repaired() != 0 {
		t.Fatalf("rebuild: %v, %v", report, err)
	}
	check(indexer.Report{Checked: 6})

	if err := idx.Delete(t.Context(), docs[0].ID); err != nil {
		t.Fatal(err)
	}
	src[docs[1].ID] = versioned(docs[1], 2, "新的标题")
	delete(src, docs[2].ID)
	put(t, idx, versioned(docs[3], 9, "来自别处"))
	check(indexer.Report{Checked: 5, Missing: 1, Stale: 2, Extra: 1})
	check(indexer.Report{Checked: 5})
	equal(t, "repaired", found(t, idx, "新的标题"), []string{docs[1].Slug})
	equal(t, "not from elsewhere", found(t, idx, "来自别处"), []string{})
}
