package embedded

import (
	"flag"
	"testing"

	"taihu/indexer/indextest"
)

var update = flag.Bool("update", false, "write testdata/golden-portal.txt anew")

func TestGolden(t *testing.T) {
	x, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	indextest.Golden(t, x, "testdata/golden-portal.txt", *update)
}
