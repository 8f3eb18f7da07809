package embedded

import (
	"path/filepath"
	"testing"

	"taihu/indexer"
	"taihu/indexer/indextest"
)

func TestConformance(t *testing.T) {
	indextest.Run(t, func(t *testing.T, name string) indexer.Index {
		x, err := Open(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		return x
	})
}
