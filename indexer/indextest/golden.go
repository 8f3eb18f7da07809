package indextest

import (
	"os"
	"testing"

	"taihu/indexer"
	"taihu/indexer/golden"
)

// Golden runs the golden queries of the sample portal on an engine and holds the
// report to the file at path, so that a change of ranking is a readable
// difference; with update it writes that file.
func Golden(t *testing.T, idx indexer.Index, path string, update bool) {
	t.Helper()
	defer idx.Close()
	set, err := golden.Load(golden.Portal)
	if err != nil {
		t.Fatal(err)
	}
	rebuild(t, idx, Portal()...)
	HoldReport(t, idx, set, path, update)
}

// Relevant is the least mean nDCG of a set on any engine.
const Relevant = 0.90

// HoldReport runs a set on an index and holds the report to the file at path.
func HoldReport(t *testing.T, idx indexer.Index, set golden.Set, path string, update bool) {
	t.Helper()
	report, err := golden.Run(t.Context(), idx, set)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: nDCG@%d %.3f, MRR %.3f over %d queries", set.Name, golden.Depth, report.NDCG(), report.MRR(), len(set.Queries))
	if report.NDCG() < Relevant {
		t.Errorf("nDCG@%d is %.3f, want at least %.2f", golden.Depth, report.NDCG(), Relevant)
	}
	text := report.Text()
	if update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != text {
		t.Errorf("the ranking changed (%v): write %s anew with -update and read the difference", err, path)
	}
}
