package download

import (
	"strings"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// TestSweep: what a killed process left goes; what another process names a moment
// later stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	blobs, err := blob.OpenDirectory(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e := &Exporter{Store: storetest.SQLite(t), Blobs: blobs, MaxBytes: 1 << 20}
	put := func(content string) catalog.Blob {
		b, err := blobs.Put(ctx, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	name := func(b catalog.Blob) error {
		return e.Store.PutExport(ctx, &store.Export{Key: b.SHA256, Blob: b, MediaType: "text/csv"})
	}
	kept, left, late := put("kept"), put("left"), put("late")
	if err := name(kept); err != nil {
		t.Fatal(err)
	}
	named := make(chan error, 1)
	time.AfterFunc(50*time.Millisecond, func() { named <- name(late) })
	if err := e.Sweep(ctx, time.Second); err != nil {
		t.Fatal(err)
	}
	if err := <-named; err != nil {
		t.Fatal(err)
	}
	for what, b := range map[string]catalog.Blob{"kept": kept, "late": late} {
		if _, err := blobs.Stat(ctx, b.SHA256); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := blobs.Stat(ctx, left.SHA256); err == nil {
		t.Error("what nobody names stays")
	}
}
