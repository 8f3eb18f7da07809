package api

import (
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"taihu/api/web"
	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
	"taihu/indexer"
	"taihu/indexer/embedded"
	"taihu/indexer/golden"
	"taihu/indexer/indextest"
)

// BenchmarkSearchPage asks for search pages over HTTP, by 16 clients in the same process
// on the same processors, in a Zipf mix (s = 1.1) of the golden queries of both sets, at
// 100,000 datasets: with answers kept, each query asked once before; with answers kept
// and a dataset published every second; and with none kept. Machines are shared: the
// processor time of a request, that of its client included, says more than how many
// there were. It is one measurement of ten seconds each:
//
//	go test ./api -run '^$' -bench SearchPage -benchtime 1x
func BenchmarkSearchPage(b *testing.B) {
	const datasets = 100_000
	engine, err := embedded.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	path := filepath.Join(b.TempDir(), "taihu.db")
	db := storetest.Open(b, "sqlite:"+path, store.Options{})
	w := storetest.NewWorld(b, db)
	w.Published(b, "water-level")
	copies := make([]storetest.Copy, 0, datasets)
	err = engine.Rebuild(b.Context(), func(yield func(indexer.Document, error) bool) {
		for d := range indextest.Generate(datasets, 1) {
			copies = append(copies, storetest.Copy{ID: d.ID, Slug: d.Slug, Title: d.Title})
			if !yield(d, nil) {
				return
			}
		}
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	storetest.Copies(b, path, "water-level", copies)
	indexed(b, db)
	var addresses []string
	for _, name := range []string{golden.Portal, golden.Catalogues} {
		set, err := golden.Load(name)
		if err != nil {
			b.Fatal(err)
		}
		for _, q := range set.Queries {
			addresses = append(addresses, "/datasets?q="+url.QueryEscape(q.Text))
		}
	}
	random := rand.New(rand.NewPCG(6, 1))
	random.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	for _, run := range []struct {
		name    string
		kept    int64
		publish time.Duration
	}{{"kept", 64 << 20, 0}, {"kept, published every second", 64 << 20, time.Second}, {"none kept", 0, 0}} {

		b.Run(run.name, func(b *testing.B) {
			site, err := web.New(web.Config{Store: db, Index: engine, KeptAnswers: run.kept, BaseURL: "http://portal.example"})
			if err != nil {
				b.Fatal(err)
			}
			if err := site.ApplySynonyms(b.Context()); err != nil {
				b.Fatal(err)
			}
			a, err := New(Config{Store: db, Index: engine, Site: site, Log: slog.New(slog.DiscardHandler), Clock: catalog.Now, BaseURL: "http://portal.example"})
			if err != nil {
				b.Fatal(err)
			}
			server := httptest.NewServer(a)
			defer server.Close()
			if run.kept > 0 && run.publish == 0 {
				for _, address := range addresses {
					a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, address, nil))
				}
			}
			for b.Loop() {
				stop := make(chan struct{})
				var publishing sync.WaitGroup
				if run.publish > 0 {
					publishing.Go(func() {
						for {
							select {
							case <-stop:
								return
							case <-time.After(run.publish):
								w.Published(b, "water-level")
								indexed(b, db)
							}
						}
					})
				}
				before := processor(b)
				took := load(b, server.URL, addresses, 16, 10*time.Second)
				used := processor(b) - before
				close(stop)
				publishing.Wait()
				b.ReportMetric(float64(len(took))/10, "requests/s")
				b.ReportMetric(float64(used.Microseconds())/1000/float64(len(took)), "cpu-ms/request")
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			}
		})
	}
}

// processor is the processor time of this process so far.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// load asks as many clients for that long and returns how long each answer took.
func load(b *testing.B, base string, addresses []string, clients int, long time.Duration) []time.Duration {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var all []time.Duration
	var wrong atomic.Int64
	end := time.Now().Add(long)
	var running sync.WaitGroup
	for n := range clients {
		running.Go(func() {
			zipf := rand.NewZipf(rand.New(rand.NewPCG(uint64(n), 7)), 1.1, 1, uint64(len(addresses)-1))
			var took []time.Duration
			for time.Now().Before(end) {
				began := time.Now()
				resp, err := client.Get(base + addresses[zipf.Uint64()])
				if err != nil {
					wrong.Add(1)
					continue
				}
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					wrong.Add(1)
				}
				took = append(took, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	running.Wait()
	if wrong.Load() > 0 || len(all) == 0 {
		b.Fatalf("%d of %d answers were wrong", wrong.Load(), len(all))
	}
	slices.Sort(all)
	return all
}
