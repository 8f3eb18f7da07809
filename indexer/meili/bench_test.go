package meili

import (
	"testing"

	"taihu/indexer/indextest"
)

// BenchmarkIndex measures building and searching through a real server; see
// indextest.Bench.
func BenchmarkIndex(b *testing.B) {
	server := liveServer(b)
	config := Config{URL: server.url, Key: server.key, Index: "bench"}
	server.wipe(b, config.Index)
	defer server.wipe(b, config.Index)
	x := Open(config)
	defer x.Close()
	indextest.Bench(b, x)
}
