package indexer

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Report is what a drift check found. Every dataset that differed was repaired.
type Report struct {
	Checked int `json:"checked"` // documents of the source
	Missing int `json:"missing"` // not in the index
	Stale   int `json:"stale"`   // there with another version or another digest
	Extra   int `json:"extra"`   // in the index only
	// Rebuilt says that so many differed that the whole index was made anew.
	Rebuilt bool `json:"rebuilt,omitempty"`
}

// Repaired is how many datasets differed.
func (r Report) Repaired() int { return r.Missing + r.Stale + r.Extra }

// rebuildAbove is from how many differing datasets on, if they are also more than
// a tenth of all, a rebuild is faster than a sync of each.
const rebuildAbove = 50

// Drift compares version and digest of every document in the index with the source and
// repairs those that differ: one by one, or all at once where they are many, as
// in an index that is new or was wiped. A dataset that changes during the check
// is at worst synced once more than needed.
func Drift(ctx context.Context, idx Index, src Source) (Report, error) {
	report, differing, err := compare(ctx, idx, src)
	if err != nil {
		return report, err
	}
	if n := len(differing); n > rebuildAbove && n > max(report.Checked, n)/10 {
		if err := idx.Rebuild(ctx, src.Documents(ctx), nil); err != nil {
			return report, fmt.Errorf("drift check: rebuild: %w", err)
		}
		report.Rebuilt = true
		if _, differing, err = compare(ctx, idx, src); err != nil {
			return report, err
		}
	}
	for _, d := range differing {
		// A version above the source's can only come from another database: it
		// would refuse every put, so it goes first.
		if d.ahead {
			if err := idx.Delete(ctx, d.id); err != nil {
				return report, fmt.Errorf("drift check: %w", err)
			}
		}
		if err := Sync(ctx, idx, src, d.id); err != nil {
			return report, err
		}
	}
	return report, nil
}

// difference is a dataset whose document is not what the source says.
type difference struct {
	id    string
	ahead bool // the index has a later version than the source
}

func compare(ctx context.Context, idx Index, src Source) (Report, []difference, error) {
	var report Report
	// The index first: what is changed from here on can only look older than it is.
	stamps, err := idx.Stamps(ctx)
	if err != nil {
		return report, nil, fmt.Errorf("drift check: %w", err)
	}
	var differing []difference
	for doc, err := range src.Documents(ctx) {
		if err != nil {
			return report, nil, fmt.Errorf("drift check: %w", err)
		}
		report.Checked++
		stamp, there := stamps[doc.ID]
		delete(stamps, doc.ID)
		switch {
		case !there:
			report.Missing++
		case stamp.Version != doc.Version, stamp.Digest != doc.Digest():
			report.Stale++
		default:
			continue
		}
		differing = append(differing, difference{doc.ID, there && stamp.Version > doc.Version})
	}
	for _, id := range slices.Sorted(maps.Keys(stamps)) {
		report.Extra++
		differing = append(differing, difference{id: id})
	}
	return report, differing, nil
}
