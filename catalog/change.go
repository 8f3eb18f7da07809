package catalog

import (
	"slices"
	"strings"
)

// ChangeKind says in what a table differs from the release before.
type ChangeKind string

// The kinds of changes that break a reader's program, or hint at a slip.
const (
	TableGone   ChangeKind = "table_gone"
	ColumnGone  ChangeKind = "column_gone"
	TypeChanged ChangeKind = "type_changed"
	RowsHalved  ChangeKind = "rows_halved"
	KeyChanged  ChangeKind = "key_changed" // other columns, or none
	KeyBroken   ChangeKind = "key_broken"  // the same, but it does not tell the rows apart
)

// Change is one way in which the tables of a release differ from those before
// it that its readers would notice.
type Change struct {
	Kind   ChangeKind
	Table  string
	Column string    // of ColumnGone and TypeChanged; of a key, its columns before
	Types  [2]Type   // of TypeChanged: before, after
	Rows   [2]int64  // of RowsHalved and TableGone: before, after
	Zones  [2]string // of TypeChanged: offsets of datetimes
}

// Changes compares the tables of a release with those of the one before. New
// tables, columns and rows break nothing and are not listed.
func Changes(before, after []Table) []Change {
	var out []Change
	for i := range before {
		b := &before[i]
		at := slices.IndexFunc(after, func(t Table) bool { return t.Name == b.Name })
		if at < 0 {
			out = append(out, Change{Kind: TableGone, Table: b.Name, Rows: [2]int64{b.Rows, 0}})
			continue
		}
		a := &after[at]
		for _, f := range b.Schema.Fields {
			k := slices.IndexFunc(a.Schema.Fields, func(g Field) bool { return strings.EqualFold(g.Name, f.Name) })
			if k < 0 {
				out = append(out, Change{Kind: ColumnGone, Table: b.Name, Column: f.Name})
				continue
			}
			if g := a.Schema.Fields[k]; g.Type != f.Type || g.Zone != f.Zone {
				out = append(out, Change{Kind: TypeChanged, Table: b.Name, Column: f.Name, Types: [2]Type{f.Type, g.Type}, Zones: [2]string{f.Zone, g.Zone}})
			}
		}
		if len(b.Schema.Key) > 0 && !sameNames(b.Schema.Key, a.Schema.Key) {
			out = append(out, Change{Kind: KeyChanged, Table: b.Name, Column: strings.Join(b.Schema.Key, ", ")})
		}
		if a.Rows*2 < b.Rows {
			out = append(out, Change{Kind: RowsHalved, Table: b.Name, Rows: [2]int64{b.Rows, a.Rows}})
		}
	}
	return out
}

// sameNames reports whether two lists have the same names, in whatever order.
func sameNames(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(name string) bool { return !slices.Contains(b, name) })
}

// ChangesFrom is what readers of the release before would miss: what its tables
// lack, and keys that a steward accepted as broken.
func (r *Release) ChangesFrom(before *Release) []Change {
	out := Changes(before.Tables, r.Tables)
	for i := range r.Files {
		report := r.Files[i].Report
		if report == nil {
			continue
		}
		for _, x := range report.Findings {
			at := slices.IndexFunc(before.Tables, func(t Table) bool { return t.Name == x.Table })
			if x.Code != "contract_key" || at < 0 || len(before.Tables[at].Schema.Key) == 0 {
				continue
			}
			c := Change{Kind: KeyBroken, Table: x.Table, Column: strings.Join(before.Tables[at].Schema.Key, ", ")}
			if !slices.ContainsFunc(out, func(o Change) bool { return o.Table == c.Table && (o.Kind == KeyBroken || o.Kind == KeyChanged) }) {
				out = append(out, c)
			}
		}
	}
	return out
}
