package web

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/indexer"
)

// indexed finishes the index jobs, as the runner does once the index has the change.
func (p *portal) indexed() {
	p.t.Helper()
	for {
		j, err := p.db.Lease(p.t.Context(), "w", []string{catalog.JobIndex}, time.Minute)
		must(p.t, err)
		if j == nil {
			return
		}
		must(p.t, p.db.Finish(p.t.Context(), j))
	}
}

// keeping is a portal that keeps answers, with one dataset, found by every search.
func keeping(t *testing.T) (*portal, *catalog.Dataset) {
	p := newPortal(t)
	p.site.answers = newAnswers(1 << 20)
	must(t, p.site.ApplySynonyms(t.Context()))
	d := p.publish("parking-spaces", catalog.Unconditional)
	p.indexed()
	p.index.hits = []indexer.Hit{{ID: d.ID, Slug: d.Slug}}
	return p, d
}

// searched returns how many searches the index is asked for a page.
func (p *portal) searched(path string) int {
	p.t.Helper()
	before := p.index.searches
	p.get(path, 200)
	return p.index.searches - before
}

func (p *portal) wantSearched(path string, want int, why string) {
	p.t.Helper()
	if got := p.searched(path); got != want {
		p.t.Errorf("%s: %s asked the index %d times, want %d", why, path, got, want)
	}
}

func TestAnswersAreKeptForWhoIsNotSignedIn(t *testing.T) {
	p, _ := keeping(t)
	first := p.get("/datasets?q=停车", 200)
	if again := p.get("/datasets?q=停车", 200); again != first {
		t.Error("the kept answer is another")
	}
	p.wantSearched("/datasets?q=停车", 0, "asked before")
	for _, other := range []string{"/en/datasets?q=停车", "/datasets?q=停车&sort=title", "/datasets?q=停车&theme=transport", "/datasets"} {
		p.wantSearched(other, 1, "another question")
		p.wantSearched(other, 0, "the same again")
	}
	p.actor = p.admin()
	for range 2 {
		p.wantSearched("/datasets?q=停车", 1, "signed in")
	}
	lacks(t, p.get("/datasets?q=停车", 200), "登录</a>")
	p.actor = catalog.Actor{}
	lacks(t, p.get("/datasets?q=停车", 200), "管理员")
	p.site.Clock = func() time.Time { return catalog.Now().Add(2 * answersLive) }
	p.wantSearched("/datasets?q=停车", 1, "too old")
	p.index.fails = catalog.Errorf(catalog.Unavailable, "search_unavailable", "down")
	p.wantSearched("/datasets?q=泊位", 1, "down")
	p.index.fails = nil
	p.wantSearched("/datasets?q=泊位", 1, "what was answered while it was down is not kept")
}

func TestSearchesInVainAreNotedFromKeptAnswersToo(t *testing.T) {
	p, _ := keeping(t)
	for range 3 {
		p.browse("/datasets?q=无人机", browser)
	}
	list, _, err := p.db.EmptySearches(t.Context(), catalog.SystemActor, false, 10)
	must(t, err)
	if len(list) != 1 || list[0].Times != 3 {
		t.Errorf("noted %+v", list)
	}
}

// TestNoKeptAnswerShowsWhatWasWithdrawn: from the commit on, while the index still has
// it, and after the index has caught up.
func TestNoKeptAnswerShowsWhatWasWithdrawn(t *testing.T) {
	p, d := keeping(t)
	const page = "/datasets?q=停车"
	wants(t, p.get(page, 200), "找到1个数据集", "/datasets/parking-spaces")
	_, err := p.db.Withdraw(t.Context(), catalog.SystemActor, d.Slug, 1, "有误")
	must(t, err)
	for range 2 { // the index is behind: the dataset is not shown, though counted, and that is not kept
		p.wantSearched(page, 1, "withdrawn, not yet indexed")
		lacks(t, p.get(page, 200), "/datasets/parking-spaces")
	}
	p.index.hits = nil
	p.indexed()
	lacks(t, p.get(page, 200), "找到1个数据集")
	_, err = p.db.Restore(t.Context(), catalog.SystemActor, d.Slug, 1)
	must(t, err)
	p.index.hits = []indexer.Hit{{ID: d.ID, Slug: d.Slug}}
	p.indexed()
	wants(t, p.get(page, 200), "/datasets/parking-spaces")
	p.wantSearched(page, 0, "kept")
	d.OpenAttribute = catalog.Closed
	d, err = p.db.Dataset(t.Context(), catalog.SystemActor, d.Slug)
	must(t, err)
	d.OpenAttribute = catalog.Closed
	must(t, p.db.UpdateDataset(t.Context(), catalog.SystemActor, d))
	lacks(t, p.get(page, 200), "/datasets/parking-spaces")
}

func TestKeptAnswersEndWithWhatTheySay(t *testing.T) {
	p, d := keeping(t)
	const page = "/datasets?q=停车"
	for _, change := range []struct {
		why   string
		again int // searches after the index has caught up
		do    func() error
	}{
		{"published", 1, func() error { p.publish(d.Slug, catalog.Unconditional); return nil }},
		{"a title changed", 1, func() error {
			d, err := p.db.Dataset(t.Context(), catalog.SystemActor, d.Slug)
			if err != nil {
				return err
			}
			d.Title.Zh = "泊位"
			return p.db.UpdateDataset(t.Context(), catalog.SystemActor, d)
		}},
		{"an organization changed", 1, func() error {
			o, err := p.db.Organization(t.Context(), "cgj")
			if err != nil {
				return err
			}
			o.Name.Zh = "城管局"
			return p.db.UpdateOrganization(t.Context(), catalog.SystemActor, o)
		}},
		{"an organization made", 0, func() error {
			return p.db.CreateOrganization(t.Context(), catalog.SystemActor, &catalog.Organization{Slug: "newer", Name: catalog.Text{Zh: "新"}})
		}},
	} {
		p.get(page, 200)
		p.wantSearched(page, 0, "before it was "+change.why)
		must(t, change.do())
		p.wantSearched(page, 1, change.why)
		p.indexed()
		p.wantSearched(page, change.again, change.why+" and indexed")
	}
	p.get(page, 200)
	_, err := p.db.SetSynonyms(t.Context(), catalog.SystemActor, 0, "停车, 泊车") // by another process
	must(t, err)
	for range 2 {
		p.wantSearched(page, 1, "synonyms that this process does not have yet")
	}
	must(t, p.site.ApplySynonyms(t.Context()))
	p.wantSearched(page, 1, "synonyms applied")
	p.wantSearched(page, 0, "kept again")
	_, err = p.db.CreateDraft(t.Context(), catalog.SystemActor, d.Slug, store.DraftEdit{})
	must(t, err)
	p.wantSearched(page, 0, "a draft, of which nobody knows")
}

// changedMeanwhile withdraws while a search is answered.
type changedMeanwhile struct {
	indexer.Index
	meanwhile func()
}

func (x *changedMeanwhile) Search(ctx context.Context, q indexer.Query) (indexer.Result, error) {
	found, err := x.Index.Search(ctx, q)
	if x.meanwhile != nil {
		x.meanwhile()
		x.meanwhile = nil
	}
	return found, err
}

func TestAnAnswerOvertakenByAWithdrawalIsNotGivenAgain(t *testing.T) {
	p, d := keeping(t)
	p.site.Index = &changedMeanwhile{p.index, func() {
		_, err := p.db.Withdraw(t.Context(), catalog.SystemActor, d.Slug, 1, "有误")
		must(t, err)
		p.indexed()
	}}
	lacks(t, p.get("/datasets?q=停车", 200), "/datasets/parking-spaces")
	p.index.hits = nil
	lacks(t, p.get("/datasets?q=停车", 200), "找到1个数据集") // as the overtaken answer counted
}

func TestAnswersAreBounded(t *testing.T) {
	a := newAnswers(10_000)
	now := time.Now()
	for i := range 1000 {
		a.put(1, fmt.Sprint(i), i, 300, now)
	}
	if a.bytes > 10_000 || a.used.Len() != len(a.byKey) || a.used.Len() < 15 {
		t.Errorf("%d bytes of %d answers", a.bytes, a.used.Len())
	}
	if _, ok := a.get(1, "0", now); ok {
		t.Error("the oldest is still there")
	}
	if v, ok := a.get(1, "999", now); !ok || v != 999 {
		t.Errorf("the last is %v", v)
	}
	a.put(1, "999", "again", 100, now)
	a.put(1, "large", "x", 5000, now)
	a.put(1, strings.Repeat("k", answerKey+1), "x", 1, now)
	if v, _ := a.get(1, "999", now); v != "again" || a.byKey["large"] != nil || a.used.Len() != len(a.byKey) {
		t.Errorf("%v, %d answers", v, a.used.Len())
	}
	a.put(0, "late", "x", 1, now) // made before the change
	if _, ok := a.get(2, "999", now); ok || a.bytes != 0 || a.used.Len() != 0 || len(a.byKey) != 0 {
		t.Error("a new version has answers of the old one")
	}
	a.put(1, "late", "x", 1, now)
	if _, ok := a.get(1, "late", now); ok {
		t.Error("an answer of an old version was kept")
	}
}

// TestNobodySeesWhatWasWithdrawn: readers ask without end while a dataset is withdrawn
// and restored; who asks after the withdrawal has returned never sees it.
func TestNobodySeesWhatWasWithdrawn(t *testing.T) {
	p, d := keeping(t)
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	var gone atomic.Int64 // withdrawals that have returned, odd: it is withdrawn now
	var readers sync.WaitGroup
	stop := make(chan struct{})
	var shown, hidden atomic.Int64
	index := &steadyIndex{hits: p.index.hits}
	p.site.Index = index
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				before := gone.Load()
				page := p.get("/datasets?q=停车", 200)
				there := strings.Contains(page, `href="/datasets/parking-spaces"`)
				if there && before%2 == 1 && gone.Load() == before {
					t.Error("a withdrawn dataset was shown")
				}
				if there {
					shown.Add(1)
				} else {
					hidden.Add(1)
				}
			}
		})
	}
	for range rounds {
		time.Sleep(5 * time.Millisecond)
		_, err := p.db.Withdraw(t.Context(), catalog.SystemActor, d.Slug, 1, "有误")
		must(t, err)
		gone.Add(1)
		time.Sleep(5 * time.Millisecond)
		p.indexed() // the index never forgets it: the store alone decides
		time.Sleep(5 * time.Millisecond)
		gone.Add(1)
		_, err = p.db.Restore(t.Context(), catalog.SystemActor, d.Slug, 1)
		must(t, err)
		p.indexed()
	}
	close(stop)
	readers.Wait()
	if shown.Load() == 0 || hidden.Load() == 0 {
		t.Errorf("it was shown %d times and hidden %d times", shown.Load(), hidden.Load())
	}
	t.Logf("%d withdrawals; shown %d times, hidden %d times, %d searches", rounds, shown.Load(), hidden.Load(), index.searches.Load())
}

// steadyIndex always finds the same; many may ask it.
type steadyIndex struct {
	listIndex
	hits     []indexer.Hit
	searches atomic.Int64
}

func (x *steadyIndex) Search(context.Context, indexer.Query) (indexer.Result, error) {
	x.searches.Add(1)
	return indexer.Result{Total: len(x.hits), Hits: x.hits}, nil
}
