package store

import (
	"context"
	"slices"

	"taihu/catalog"
)

// SettleFindings notes what a steward decided about findings of a draft's file;
// a decision without a measure takes back the one there was. What masks or leaves
// out has the file read again, without a new upload; a reason to accept does not.
func (db *DB) SettleFindings(ctx context.Context, actor catalog.Actor, draftID, name string, decisions []catalog.Settlement) (*catalog.File, error) {
	var f *catalog.File
	_, err := db.edit(ctx, actor, draftID, 0, "findings.settled", func(t *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		var err error
		if f, err = t.fileNamed(ctx, r.ID, name); err != nil {
			return nil, err
		}
		if f == nil {
			return nil, unknownFile(name)
		}
		before := f.Options.Settled
		after := slices.Clone(before)
		for i := range decisions {
			s := &decisions[i]
			after = slices.DeleteFunc(after, func(o catalog.Settlement) bool {
				return o.SamePlace(s) || s.Measure != "" && o.Covers(s.Code, s.Table, s.Column)
			})
			if s.Measure != "" {
				after = append(after, *s)
			}
		}
		if after, err = t.stamp(actor, after, before); err != nil {
			return nil, err
		}
		if sameDecisions(after, before) {
			return nil, nil
		}
		f.Options.Settled = after
		said := facts{"name": name, "settled": after}
		if sameDecisions(applied(after), applied(before)) {
			_, err = t.exec(ctx, `UPDATE release_files SET options = ? WHERE id = ?`, js(f.Options), f.ID)
			return said, err
		}
		return said, t.readAgain(ctx, f)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// applied are the decisions that change what is read.
func applied(list []catalog.Settlement) []catalog.Settlement {
	return slices.DeleteFunc(slices.Clone(list), func(s catalog.Settlement) bool { return s.Measure == catalog.Accept })
}

func sameDecisions(a, b []catalog.Settlement) bool {
	return len(a) == len(b) && (len(a) == 0 || js(a) == js(b))
}

// stamp checks decisions and notes who made them, and when; those that were made
// before keep their maker. Nobody can write another's name under a decision.
func (t *tx) stamp(actor catalog.Actor, list, before []catalog.Settlement) ([]catalog.Settlement, error) {
	out := []catalog.Settlement{}
	for _, s := range list {
		if err := s.Check(); err != nil {
			return nil, err
		}
		at := t.now
		s.By, s.At, s.From = actor.ID(), &at, 0
		for _, o := range before {
			if o.SamePlace(&s) && o.Measure == s.Measure && o.Reason == s.Reason {
				s = o
			}
		}
		out = slices.DeleteFunc(out, func(o catalog.Settlement) bool { return o.SamePlace(&s) })
		out = append(out, s)
	}
	return out, nil
}

// settledFor are the decisions with which a file is read first: those given; else
// those of the file it takes the place of; else those of the release before.
func (t *tx) settledFor(ctx context.Context, actor catalog.Actor, d *datasetRow, name string, given []catalog.Settlement, old *catalog.File) ([]catalog.Settlement, error) {
	var before []catalog.Settlement
	if old != nil {
		before = old.Options.Settled
	}
	if given != nil {
		return t.stamp(actor, given, before)
	}
	if old != nil || d.LatestNumber == 0 {
		return before, nil
	}
	contract, err := t.promised(ctx, d)
	if err != nil {
		return nil, err
	}
	return contract.SettledFor(name), nil
}

// checkSettled loads a draft's files and returns Conflict unsettled_findings
// where one of their findings is not settled.
func (t *tx) checkSettled(ctx context.Context, r *catalog.Release) error {
	if err := t.contents(ctx, r, tableFacts); err != nil {
		return err
	}
	return r.CheckSettled()
}

// checkBase returns Conflict base_changed where rows were added to a table of
// what is no longer the newest release: the rows of that would be lost.
func checkBase(r *catalog.Release, d *datasetRow) error {
	for i := range r.Files {
		f := &r.Files[i]
		if f.Options.Mode == "" || f.Options.Mode == catalog.KeptFile || f.Report == nil || f.Report.Base == d.LatestNumber {
			continue
		}
		return catalog.Errorf(catalog.Conflict, "base_changed", "%s was added to the table of release %d, but release %d is the newest now: check the file again", f.Name, f.Report.Base, d.LatestNumber).
			With("file", f.Name).With("release", f.Report.Base).With("latest", d.LatestNumber).
			InChinese("%s是加在第%d版的表上的，而最新已是第%d版：请重新检查这个文件", f.Name, f.Report.Base, d.LatestNumber)
	}
	return nil
}

// withhold takes the originals of which something was masked or left out from a
// release that has a number, for everybody: no page, archive, index or address
// can give away what it does not know. Files of the same bytes under other names
// go too. So does the hash of the original: with most of its text known, it would
// tell the rest to whoever tries.
func withhold(r *catalog.Release) {
	if r.Number == 0 {
		return
	}
	secret := secretHashes(r.Files)
	if len(secret) == 0 {
		return
	}
	all := len(r.Files)
	r.Files = slices.DeleteFunc(r.Files, func(f catalog.File) bool { return secret[f.Blob.SHA256] })
	r.Withheld = all - len(r.Files)
	for i := range r.Tables {
		if secret[r.Tables[i].SourceSHA256] {
			r.Tables[i].SourceSHA256 = ""
		}
	}
}

// secretHashes are the hashes of originals that must not be published.
func secretHashes(files []catalog.File) map[string]bool {
	secret := map[string]bool{}
	for i := range files {
		if files[i].Withheld() {
			secret[files[i].Blob.SHA256] = true
		}
	}
	return secret
}
