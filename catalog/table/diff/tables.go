package diff

import (
	"slices"

	"taihu/catalog"
)

// Tables is what became of a table from one release to the other.
type Tables struct {
	Name     string
	Change   Change         // Same where both are known to hold the same
	Old, New *catalog.Table // nil where a release has none of the name
}

// Pair pairs the tables of two releases by name, in the order of the new one, then
// those that are gone. No table is read: what holds the same has equal hashes.
func Pair(old, new []catalog.Table) []Tables {
	var out []Tables
	for i := range new {
		p := Tables{Name: new[i].Name, Change: Added, New: &new[i]}
		if at := slices.IndexFunc(old, func(t catalog.Table) bool { return t.Name == p.Name }); at >= 0 {
			p.Old, p.Change = &old[at], Changed
			if equal(p.Old, p.New) {
				p.Change = Same
			}
		}
		out = append(out, p)
	}
	for i := range old {
		if !slices.ContainsFunc(new, func(t catalog.Table) bool { return t.Name == old[i].Name }) {
			out = append(out, Tables{Name: old[i].Name, Change: Removed, Old: &old[i]})
		}
	}
	return out
}

// equal reports whether two tables have the same names, types and rows: content_sha256
// is of these; equal parts hold the same unless the offsets of datetimes, which files
// do not have, differ.
func equal(a, b *catalog.Table) bool {
	if a.ContentSHA256 != "" && a.ContentSHA256 == b.ContentSHA256 {
		return true
	}
	return a.TableSHA256 != "" && a.TableSHA256 == b.TableSHA256 && slices.EqualFunc(a.Schema.Fields, b.Schema.Fields, func(f, g catalog.Field) bool {
		return f.Name == g.Name && f.Type == g.Type && zoneOf(&f) == zoneOf(&g)
	})
}
