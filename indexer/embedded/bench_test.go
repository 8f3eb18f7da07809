package embedded

import (
	"fmt"
	"testing"
	"time"

	"taihu/indexer/indextest"
)

// BenchmarkIndex measures building and searching; see indextest.Bench.
func BenchmarkIndex(b *testing.B) {
	folder := b.TempDir()
	x, err := Open(folder)
	if err != nil {
		b.Fatal(err)
	}
	indextest.Bench(b, x)
	b.ReportMetric(float64(x.current.log.size)/1e6, "disk-MB")
	x.Close()
	start := time.Now()
	if x, err = Open(folder); err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	b.ReportMetric(time.Since(start).Seconds(), "s-reopen")
}

// BenchmarkQueries measures each query alone, over 100,000 documents.
func BenchmarkQueries(b *testing.B) {
	x, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	if err := x.Rebuild(b.Context(), indextest.Generate(indextest.BenchmarkSize(), 1), nil); err != nil {
		b.Fatal(err)
	}
	for i, q := range indextest.BenchmarkQueries() {
		b.Run(fmt.Sprintf("%02d %s", i, q.Text), func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Search(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, text := range indextest.BenchmarkTyping() {
		b.Run("typing "+text, func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Suggest(b.Context(), text, "zh", 5); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
