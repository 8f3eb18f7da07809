package meili

import (
	"flag"
	"testing"

	"taihu/indexer/indextest"
)

var update = flag.Bool("update", false, "write testdata/golden-portal.txt anew")

const (
	goldenName   = "golden"
	goldenReport = "testdata/golden-portal.txt"
)

// TestGolden asks a real server the golden queries of the sample portal.
func TestGolden(t *testing.T) {
	indextest.Golden(t, openRecorded(t, goldenName), goldenReport, *update)
}

// TestReplayGolden holds the same report to the recorded answers: it fails where a
// query is put to the server otherwise, or what it answered is read otherwise.
func TestReplayGolden(t *testing.T) {
	indextest.Golden(t, openReplayed(t, goldenName), goldenReport, false)
}
