package embedded

import (
	"testing"

	"taihu/indexer/indextest"
)

// BenchmarkIndex measures building and searching; see indextest.Bench.
func BenchmarkIndex(b *testing.B) {
	x, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	indextest.Bench(b, x)
}
