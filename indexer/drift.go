package indexer

import (
	"context"
	"fmt"
)

// Report is what a drift check found. Every dataset that differed was synced.
type Report struct {
	Checked int `json:"checked"` // documents of the source
	Missing int `json:"missing"` // not in the index
	Stale   int `json:"stale"`   // there with another version
	Extra   int `json:"extra"`   // in the index only
}

// Repaired is how many datasets differed.
func (r Report) Repaired() int { return r.Missing + r.Stale + r.Extra }

// Drift compares the version of every document in the index with the source and
// syncs those that differ. A dataset that changes during the check is at worst
// synced once more than needed.
func Drift(ctx context.Context, idx Index, src Source) (Report, error) {
	var report Report
	versions, err := idx.Versions(ctx)
	if err != nil {
		return report, fmt.Errorf("drift check: %w", err)
	}
	var differing []string
	for doc, err := range src.Documents(ctx) {
		if err != nil {
			return report, fmt.Errorf("drift check: %w", err)
		}
		report.Checked++
		version, there := versions[doc.ID]
		switch {
		case !there:
			report.Missing++
		case version != doc.Version:
			report.Stale++
			// A version above the source's can only come from another database:
			// it would refuse every put, so it goes first.
			if version > doc.Version {
				if err := idx.Delete(ctx, doc.ID); err != nil {
					return report, fmt.Errorf("drift check: %w", err)
				}
			}
		}
		if !there || version != doc.Version {
			differing = append(differing, doc.ID)
		}
		delete(versions, doc.ID)
	}
	for id := range versions {
		report.Extra++
		differing = append(differing, id)
	}
	for _, id := range differing {
		if err := Sync(ctx, idx, src, id); err != nil {
			return report, err
		}
	}
	return report, nil
}
