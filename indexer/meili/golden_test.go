package meili

import (
	"flag"
	"testing"

	"taihu/indexer/indextest"
)

var update = flag.Bool("update", false, "write testdata/golden-portal.txt anew")

// TestGolden needs a real server: its 200 answers are not recorded, the report of
// them is.
func TestGolden(t *testing.T) {
	server := liveServer(t)
	config := testConfig("golden")
	config.URL, config.Key = server.url, server.key
	server.wipe(t, config.Index)
	t.Cleanup(func() { server.wipe(t, config.Index) })
	indextest.Golden(t, Open(config), "testdata/golden-portal.txt", *update)
}
