// Package diff compares two tables, as two releases of one: which columns came and
// went, which rows were added and removed, and in which cells the others differ.
//
// The rules. Columns belong together by name, without regard to case. With a key,
// rows belong together that have the same key, and those that differ in another
// column are changed. Without one, tables are multisets of rows over the columns
// they share: of n equal rows before and m after, the last m-n were added, or n-m
// removed, and none is changed. Where rows and columns stand means nothing. Two
// values are the same where they are written the same (architecture.md §6); null is
// no text; where a column changed from one type of number to another, numbers of
// equal value are the same. A column that one of the tables lacks changes no row.
//
// It reads tables twice at the most, in bounded memory, and knows nothing of files,
// SQL or HTTP. Hashes have seeds of their own in each run: nobody can make rows that
// collide, and no answer depends on them.
package diff

import (
	"context"
	"fmt"
	"math"
	"slices"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Version is part of the key of every kept comparison: it grows when the same
// tables give another answer.
const Version = 1

// Change is what happened to a row, a column or a table.
type Change string

// The changes.
const (
	Same    Change = "same"
	Changed Change = "changed"
	Added   Change = "added"
	Removed Change = "removed"
)

// Changes lists what rows can have gone through, in the order of a list of changes:
// changed and added rows as they stand in the new table, then removed ones as they
// stood in the old.
var Changes = []Change{Changed, Added, Removed}

// Side is one of the two tables.
type Side struct {
	Table  table.Table
	Schema *catalog.Schema
	Rows   int64
}

// Options say how two tables are compared.
type Options struct {
	Key []string // columns; none: as multisets
	// Strict says that the key must do: without it, a key that does not hold gives
	// way to the comparison of multisets, with a notice.
	Strict bool
	// Equal says that the tables are known to hold the same: no row is read.
	Equal  bool
	Dir    string // for what memory has no room for; "": the system's
	Memory int64  // bytes of hashes kept in memory [96 MiB]
}

// Summary is what a comparison came to.
type Summary struct {
	Key     []string       `json:"key" doc:"Columns by which rows were matched, as the new table names them; empty: as multisets of rows"`
	Notice  *Notice        `json:"notice,omitempty" doc:"Why the declared key was not used"`
	Rows    RowCounts      `json:"rows"`
	Cells   int64          `json:"cells" doc:"Cells that differ, in changed rows"`
	Columns []ColumnChange `json:"columns" doc:"In the order of the new table, then those that are gone"`
}

// RowCounts counts rows.
type RowCounts struct {
	Old     int64 `json:"old"`
	New     int64 `json:"new"`
	Added   int64 `json:"added"`
	Removed int64 `json:"removed"`
	Changed int64 `json:"changed"`
	Same    int64 `json:"same"`
}

// Of returns how many rows went through a change; "": any.
func (r RowCounts) Of(c Change) int64 {
	switch c {
	case Added:
		return r.Added
	case Removed:
		return r.Removed
	case Changed:
		return r.Changed
	case Same:
		return r.Same
	}
	return r.Added + r.Removed + r.Changed
}

// Notice says in words and by a code why a comparison is not what was declared.
type Notice struct {
	Code    string       `json:"code"`
	Message catalog.Text `json:"message"`
}

// maxRows is how many rows a table may have here: they are counted in 32 bits.
const maxRows = math.MaxUint32

// Compare compares two tables. Errors: Invalid unknown_column and bad_key where the
// key names what is not in both; Unprocessable key_not_unique where two rows of a
// table have the same key.
func Compare(ctx context.Context, old, new Side, o Options) (*Result, error) {
	if old.Rows > maxRows || new.Rows > maxRows {
		return nil, catalog.Errorf(catalog.Unprocessable, "diff_too_large", "tables of more than %d rows are not compared", int64(maxRows)).
			InChinese("超过%d行的表不能比较", int64(maxRows))
	}
	if o.Memory <= 0 {
		o.Memory = 96 << 20
	}
	matches := match(old.Schema, new.Schema)
	key, err := keyOf(o.Key, matches, old.Schema, new.Schema)
	if err == nil {
		var r *Result
		if r, err = compare(ctx, old, new, arrange(matches, key), len(key), o); err == nil {
			return r, nil
		}
	}
	if o.Strict || len(o.Key) == 0 || catalog.KindOf(err) == "" {
		return nil, err
	}
	why := noticeOf(err)
	r, err := compare(ctx, old, new, matches, 0, o)
	if err != nil {
		return nil, err
	}
	r.Notice = why
	return r, nil
}

// arrange puts the key's columns first.
func arrange(matches []pair, key []int) []pair {
	out := make([]pair, 0, len(matches))
	for _, k := range key {
		out = append(out, matches[k])
	}
	for i, m := range matches {
		if !slices.Contains(key, i) {
			out = append(out, m)
		}
	}
	return out
}

func compare(ctx context.Context, old, new Side, matches []pair, key int, o Options) (*Result, error) {
	r := &Result{matches: matches, key: key, oldSchema: old.Schema, newSchema: new.Schema}
	r.Key = []string{}
	for _, m := range matches[:key] {
		r.Key = append(r.Key, new.Schema.Fields[m.new].Name)
	}
	r.Rows.Old, r.Rows.New = old.Rows, new.Rows
	r.Columns = columnsOf(old.Schema, new.Schema)
	r.removed, r.added = newRowSet(old.Rows), newRowSet(new.Rows)
	if o.Equal {
		r.Rows.Same = old.Rows
		return r, nil
	}
	if len(matches) == 0 { // nothing in common: no row can be the same
		r.removed.fill(old.Rows)
		r.added.fill(new.Rows)
	} else if err := r.matchRows(ctx, old, new, o); err != nil {
		return nil, err
	}
	r.Rows.Removed, r.Rows.Added = r.removed.count(), r.added.count()
	r.Rows.Same = old.Rows - r.Rows.Removed - r.Rows.Changed
	if err := r.countCells(ctx, old, new); err != nil {
		return nil, fmt.Errorf("count changed cells: %w", err)
	}
	return r, nil
}

// noticeOf says of an error about a key that it was not used.
func noticeOf(err error) *Notice {
	n := &Notice{Code: catalog.CodeOf(err), Message: catalog.Text{
		Zh: "声明的主键不适用，改按整行比较。", En: "The declared key does not hold, so whole rows were compared."}}
	if n.Code != "key_not_unique" {
		n.Code = "key_missing"
		n.Message = catalog.Text{Zh: "声明的主键列并非两版都有，改按整行比较。", En: "The columns of the declared key are not in both, so whole rows were compared."}
	}
	return n
}
