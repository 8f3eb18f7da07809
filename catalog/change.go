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
)

// Change is one way in which the tables of a release differ from those before
// it that its readers would notice.
type Change struct {
	Kind   ChangeKind
	Table  string
	Column string    // of ColumnGone and TypeChanged
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
		if a.Rows*2 < b.Rows {
			out = append(out, Change{Kind: RowsHalved, Table: b.Name, Rows: [2]int64{b.Rows, a.Rows}})
		}
	}
	return out
}
