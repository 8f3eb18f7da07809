package indextest

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"taihu/indexer"
)

// BenchmarkSize is how many documents Bench uses: TAIHU_BENCH_DATASETS, else
// 100,000.
func BenchmarkSize() int {
	if n, err := strconv.Atoi(os.Getenv("TAIHU_BENCH_DATASETS")); err == nil {
		return n
	}
	return 100000
}

// Bench builds an index of BenchmarkSize documents and searches it with facets
// and highlights, one client and then four, 10 s each, and suggests for 5 s. It
// reports documents/s of the build, the median and 99th percentile in milliseconds,
// and searches/s.
func Bench(b *testing.B, idx indexer.Index) {
	for b.Loop() {
	} // the figures below are measured once
	n := BenchmarkSize()
	docs := make([]indexer.Document, 0, n) // generating is not what is measured
	for d := range Generate(n, 1) {
		docs = append(docs, d)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	if err := idx.Rebuild(context.Background(), sequence(docs, nil), nil); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "documents/s")
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/1e6, "heap-MB")
	b.ReportMetric(0, "ns/op")
	queries := BenchmarkQueries()
	search := func(i int) error {
		_, err := idx.Search(context.Background(), queries[i%len(queries)])
		return err
	}
	for _, clients := range []int{1, 4} {
		times, took := load(b, clients, 10*time.Second, search)
		suffix := strconv.Itoa(clients)
		b.ReportMetric(milliseconds(times[len(times)/2]), "ms-p50-"+suffix)
		b.ReportMetric(milliseconds(times[len(times)*99/100]), "ms-p99-"+suffix)
		b.ReportMetric(float64(len(times))/took.Seconds(), "searches/s-"+suffix)
	}
	typing := BenchmarkTyping()
	times, _ := load(b, 1, 5*time.Second, func(i int) error {
		_, err := idx.Suggest(context.Background(), typing[i%len(typing)], "zh", 5)
		return err
	})
	b.ReportMetric(milliseconds(times[len(times)/2]), "ms-p50-suggest")
	b.ReportMetric(milliseconds(times[len(times)*99/100]), "ms-p99-suggest")
	start = time.Now()
	d := docs[0]
	d.Version = 2
	if err := idx.Put(context.Background(), d); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(milliseconds(time.Since(start)), "ms-put")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// load asks from several clients for a while and returns how long each question
// took, the shortest first.
func load(b *testing.B, clients int, during time.Duration, ask func(i int) error) ([]time.Duration, time.Duration) {
	var mu sync.Mutex
	var all []time.Duration
	var group sync.WaitGroup
	begin := time.Now()
	for c := range clients {
		group.Go(func() {
			var own []time.Duration
			for i := c * 7; time.Since(begin) < during; i++ {
				start := time.Now()
				if err := ask(i); err != nil {
					b.Error(err)
					return
				}
				own = append(own, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
		})
	}
	group.Wait()
	slices.Sort(all)
	return all, time.Since(begin)
}
