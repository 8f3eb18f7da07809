package meili

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"taihu/indexer"
	"taihu/indexer/indextest"
)

// BenchmarkIndex measures building, searching and suggesting through a real server
// (see indextest.Bench), then how much of a search is ours, and searches for some
// of many words.
func BenchmarkIndex(b *testing.B) {
	server := liveServer(b)
	b.Logf("Meilisearch %s", server.version)
	meter := &meter{next: newTransport()}
	config := Config{URL: server.url, Key: server.key, Index: "bench", SearchTimeout: 30 * time.Second, Transport: meter}
	server.wipe(b, config.Index)
	defer server.wipe(b, config.Index)
	x := Open(config)
	defer x.Close()
	indextest.Bench(b, x)
	benchOverhead(b, x, meter)
	benchAny(b, x)
}

// meter adds up what the server says its searches took.
type meter struct {
	next http.RoundTripper
	took atomic.Int64 // in milliseconds, since it was last set to 0
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := m.next.RoundTrip(r)
	if err != nil || r.URL.Path != "/multi-search" {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	name := []byte(`"processingTimeMs":`)
	for rest := body; ; {
		at := bytes.Index(rest, name)
		if at < 0 {
			return response, err
		}
		rest = rest[at+len(name):]
		n, _ := strconv.Atoi(string(rest[:max(0, bytes.IndexAny(rest, ",}"))]))
		m.took.Add(int64(n))
	}
}

// benchOverhead reports the median search, the median of what the server says its
// queries took, and the median and 99th percentile of the difference. The server
// rounds down to whole milliseconds for each query of a search: what it takes less
// than that counts as ours here, as does all waiting for a processor on a busy
// machine. So the processor time that a search costs this process is given too.
func benchOverhead(b *testing.B, x *Index, m *meter) {
	var all, theirs, ours []time.Duration
	queries := indextest.BenchmarkQueries()
	before := processorTime()
	for i := range 20 * len(queries) {
		m.took.Store(0)
		start := time.Now()
		if _, err := x.Search(context.Background(), queries[i%len(queries)]); err != nil {
			b.Fatal(err)
		}
		took, server := time.Since(start), time.Duration(m.took.Load())*time.Millisecond
		all, theirs, ours = append(all, took), append(theirs, server), append(ours, took-server)
	}
	b.ReportMetric(float64((processorTime()-before).Microseconds())/1000/float64(len(all)), "ms-processor")
	report(b, all, "search")
	report(b, theirs, "server")
	report(b, ours, "over-server")
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchAny reports searches for some of many words, which are many for the server.
func benchAny(b *testing.B, x *Index) {
	var all []time.Duration
	for i := range 20 {
		text := []string{"停车 场收 费标 准查 查询", "企业 信用 评价 等级 名单 公示 结果 统计", "水质 预算"}[i%3]
		start := time.Now()
		if _, err := x.Search(context.Background(), indexer.Query{Text: text, Any: true, Facets: true}); err != nil {
			b.Fatal(err)
		}
		all = append(all, time.Since(start))
	}
	report(b, all, "any")
}

func report(b *testing.B, times []time.Duration, what string) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-p50-"+what)
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "ms-p99-"+what)
}
