package meili

import (
	"testing"
	"time"

	"taihu/indexer/indextest"
)

func TestZZ(t *testing.T) {
	server := liveServer(t)
	c := Config{URL: server.url, Key: server.key, Index: "zz"}
	server.wipe(t, "zz")
	x := Open(c)
	start := time.Now()
	if err := x.Rebuild(t.Context(), indextest.Generate(6000, 1)); err != nil {
		t.Fatal(err)
	}
	t.Log(6000/time.Since(start).Seconds())
	server.wipe(t, "zz")
}
