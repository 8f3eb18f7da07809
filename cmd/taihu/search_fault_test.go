package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/sample"
	"taihu/indexer"
)

// interrupted is a real index in front of which the way can be cut.
type interrupted struct {
	indexer.Index
	cut atomic.Bool
}

func (x *interrupted) way() error {
	if x.cut.Load() {
		return catalog.Errorf(catalog.Unavailable, "search_unavailable", "cut by the test")
	}
	return nil
}

func (x *interrupted) Search(ctx context.Context, q indexer.Query) (indexer.Result, error) {
	if err := x.way(); err != nil {
		return indexer.Result{}, err
	}
	return x.Index.Search(ctx, q)
}

func (x *interrupted) Put(ctx context.Context, docs ...indexer.Document) error {
	if err := x.way(); err != nil {
		return err
	}
	return x.Index.Put(ctx, docs...)
}

func (x *interrupted) Delete(ctx context.Context, ids ...string) error {
	if err := x.way(); err != nil {
		return err
	}
	return x.Index.Delete(ctx, ids...)
}

func (x *interrupted) Stamps(ctx context.Context) (map[string]indexer.Stamp, error) {
	if err := x.way(); err != nil {
		return nil, err
	}
	return x.Index.Stamps(ctx)
}

func (x *interrupted) Ping(ctx context.Context) error {
	if err := x.way(); err != nil {
		return err
	}
	return x.Index.Ping(ctx)
}

// TestIndexJobsOutliveALongOutage: an index job that used up its attempts while the
// engine was away is in quarantine for somebody to see, and comes back by itself.
func TestIndexJobsOutliveALongOutage(t *testing.T) {
	t.Parallel()
	var cli commands // with the defaults of every setting
	parser, err := newParser(&cli, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"work", "--data=" + t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	p, err := openPortal(t.Context(), &cli.Config, discardLog)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if err := p.migrated(t.Context()); err != nil {
		t.Fatal(err)
	}
	engine := &interrupted{Index: p.watched.Index}
	p.watched = indexer.NewWatched(engine, "embedded", catalog.Now)
	p.index = p.watched
	engine.cut.Store(true)

	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	runner := p.runner()
	runner.Backoff = time.Millisecond // hours, made short
	running.Go(func() { _ = runner.Run(ctx) })

	if err := p.loadOrganizations(ctx); err != nil {
		t.Fatal(err)
	}
	article := sample.Datasets()[0]
	if _, err := p.loadDataset(ctx, article); err != nil {
		t.Fatal(err)
	}
	backlog := func() (waiting, failed int) {
		b, err := p.store.JobBacklog(ctx, catalog.SystemActor, catalog.JobIndex)
		if err != nil {
			t.Fatal(err)
		}
		return b.Waiting, len(b.Failed)
	}
	eventually(t, "the job is given up", func() bool { _, failed := backlog(); return failed == 1 })
	if !p.watched.Health().Away {
		t.Error("the engine is not known to be away")
	}
	engine.cut.Store(false)
	running.Go(func() { _ = p.keepIndex(ctx) })
	eventually(t, "the job has run and the dataset is found", func() bool {
		waiting, failed := backlog()
		found, err := p.index.Search(ctx, indexer.Query{Text: article.Meta.Title.Zh})
		return waiting == 0 && failed == 0 && err == nil && found.Total == 1
	})
	eventually(t, "a canary was seen", func() bool { h := p.watched.Health(); return !h.CanaryAt.IsZero() && h.CanaryError == "" })
}

// TestMeilisearchFaults kills a real server, stops it in the middle and wipes it:
// pages and the API go on from the database and say so, and afterwards everything is
// found without anybody doing anything.
func TestMeilisearchFaults(t *testing.T) {
	t.Parallel()
	engine := startMeilisearch(t)
	s := start(t, "serve", "--meili-url="+engine.URL, "--meili-key="+engine.Key)
	file := filepath.Join(t.TempDir(), "lots.csv")
	publish := func(slug string) {
		t.Helper()
		if err := os.WriteFile(file, fmt.Appendf(nil, "编号,名称\n1,%s\n2,西\n", slug), 0o600); err != nil {
			t.Fatal(err)
		}
		s.publish(slug, file)
	}
	publish("lots-one")
	finds := func(want int) func() bool {
		return func() bool {
			_, _, body := s.get("/api/v1/datasets?q=停车泊位")
			return strings.Contains(string(body), fmt.Sprintf(`"total":%d,`, want)) && !strings.Contains(string(body), `"degraded":true`)
		}
	}
	eventually(t, "the first is found", finds(1))

	// degraded holds the answers to what they must be while the engine is away.
	degraded := func(what string, want ...string) {
		t.Helper()
		var took []time.Duration
		for range 8 {
			began := time.Now()
			status, _, page := s.get("/datasets?q=停车泊位")
			took = append(took, time.Since(began).Round(time.Millisecond))
			if status != 200 || !strings.Contains(string(page), "搜索暂时停用") {
				t.Errorf("%s: the page answers %d without a notice", what, status)
			}
			for _, slug := range want {
				if !strings.Contains(string(page), `"/datasets/`+slug+`"`) {
					t.Errorf("%s: the page does not list %s", what, slug)
				}
			}
			status, _, body := s.get("/api/v1/datasets?q=停车泊位")
			if status != 200 || !strings.Contains(string(body), `"degraded":true`) {
				t.Errorf("%s: the API answers %d %s", what, status, body)
			}
		}
		t.Logf("%s: pages took %v", what, took)
	}
	// again measures how long it takes until all is found after the engine is back.
	again := func(what string, want int) {
		t.Helper()
		began := time.Now()
		eventually(t, "after it was "+what+" everything is found", finds(want))
		t.Logf("after it was %s everything is found in %s", what, time.Since(began).Round(time.Millisecond))
	}

	engine.kill()
	degraded("killed", "lots-one")
	publish("lots-two") // while it is away
	degraded("killed", "lots-one", "lots-two")
	engine.start()
	again("killed", 2)

	engine.signal(syscall.SIGSTOP)
	publish("lots-three")
	degraded("stopped", "lots-one", "lots-two", "lots-three")
	engine.signal(syscall.SIGCONT)
	again("stopped", 3)

	engine.kill()
	engine.wipe()
	engine.start()
	again("wiped", 3)
	eventually(t, "no job is left", func() bool {
		var left int
		err := withStore(t.Context(), &Config{Data: s.Data}, discardLog, func(p *portal) error {
			b, err := p.store.JobBacklog(t.Context(), catalog.SystemActor, catalog.JobIndex)
			left = b.Waiting + len(b.Failed)
			return err
		})
		return err == nil && left == 0
	})
	var slugs []string
	err := withStore(t.Context(), &Config{Data: s.Data, MeiliURL: engine.URL, MeiliKey: engine.Key, MeiliIndex: "taihu"}, discardLog, func(p *portal) error {
		idx, err := openIndex(t.Context(), p.cfg, p.log, 0)
		if err != nil {
			return err
		}
		report, err := indexer.Drift(t.Context(), idx, documentSource{p.store})
		if report.Repaired() != 0 {
			t.Errorf("afterwards the index differs: %+v", report)
		}
		for d := range (documentSource{p.store}).Documents(t.Context()) {
			slugs = append(slugs, d.Slug)
		}
		return err
	})
	if slices.Sort(slugs); err != nil || strings.Join(slugs, " ") != "lots-one lots-three lots-two" {
		t.Errorf("%v %v", slugs, err)
	}
}
