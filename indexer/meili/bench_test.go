package meili

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"taihu/indexer/indextest"
)

// BenchmarkIndex measures building and searching through a real server (see
// indextest.Bench), then how much of a search is ours, and suggestions.
func BenchmarkIndex(b *testing.B) {
	server := liveServer(b)
	b.Logf("Meilisearch %s", server.version)
	meter := &meter{next: http.DefaultTransport}
	config := Config{URL: server.url, Key: server.key, Index: "bench", SearchTimeout: 30 * time.Second, Transport: meter}
	server.wipe(b, config.Index)
	defer server.wipe(b, config.Index)
	x := Open(config)
	defer x.Close()
	indextest.Bench(b, x)
	benchOverhead(b, x, meter)
	benchSuggest(b, x)
}

// meter adds up what the server says its searches took.
type meter struct {
	next http.RoundTripper
	took time.Duration // since it was last set to 0; not for several clients at once
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := m.next.RoundTrip(r)
	if err != nil || r.URL.Path != "/multi-search" {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		Results []struct{ ProcessingTimeMs int64 }
	}
	if err == nil && json.Unmarshal(body, &answer) == nil {
		for _, r := range answer.Results {
			m.took += time.Duration(r.ProcessingTimeMs) * time.Millisecond
		}
	}
	return response, err
}

// benchOverhead reports the median search, the median of what the server says its
// queries took, and the median and 99th percentile of the difference. The server
// rounds down to whole milliseconds for each of its queries, and cuts and marks
// the texts of hits after its clock has stopped: both count as ours here.
func benchOverhead(b *testing.B, x *Index, m *meter) {
	var all, theirs, ours []time.Duration
	queries := indextest.BenchmarkQueries()
	for i := range 50 * len(queries) {
		m.took = 0
		start := time.Now()
		if _, err := x.Search(context.Background(), queries[i%len(queries)]); err != nil {
			b.Fatal(err)
		}
		took := time.Since(start)
		all, theirs, ours = append(all, took), append(theirs, m.took), append(ours, took-m.took)
	}
	report(b, all, "search")
	report(b, theirs, "server")
	report(b, ours, "over-server")
}

func benchSuggest(b *testing.B, x *Index) {
	texts := []string{"停", "停车", "停车场", "数据", "江溪", "水", "tcc", "shuju", "wat", "water q", "企业", "名称", "统一社会", "学", "公共厕所", "s", "环境", "bureau"}
	var all []time.Duration
	for i := range 50 * len(texts) {
		start := time.Now()
		if _, err := x.Suggest(context.Background(), texts[i%len(texts)], "zh", 5); err != nil {
			b.Fatal(err)
		}
		all = append(all, time.Since(start))
	}
	report(b, all, "suggest")
	var slowest string
	var most time.Duration
	for _, text := range texts {
		start := time.Now()
		_, _ = x.Suggest(context.Background(), text, "zh", 5)
		if took := time.Since(start); took > most {
			slowest, most = text, took
		}
	}
	b.Logf("slowest suggestion: %s, %v", slowest, most)
}

func report(b *testing.B, times []time.Duration, what string) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-p50-"+what)
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "ms-p99-"+what)
}
