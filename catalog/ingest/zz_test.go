package ingest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"taihu/catalog"
)

func TestZZAll(t *testing.T) {
	dir := sharedData(t)
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".csv" {
			return err
		}
		start := time.Now()
		r := ingestFile(t, path, filepath.Base(path), catalog.IngestOptions{})
		t.Logf("#### %s acc=%v att=%v fmt=%s %v\n%v\n%s", path[24:], r.Report.Accepted, r.Attachment, r.Report.Format, time.Since(start).Round(time.Millisecond), r.Report.Tables, summary(r))
		return nil
	})
}
