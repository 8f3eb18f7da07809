// Package table asks questions of tables: the Query grammar of the download API
// (select, where, sort, limit, cursor, count), its check against a Schema, and
// the Engine contract that answers a checked query in batches of columns.
//
// It knows nothing of SQL, files, HTTP or formats. Two engines answer it:
// table/duck (DuckDB over Parquet) and table/memory (the oracle); tabletest
// holds both to the same answers.
package table

import (
	"context"

	"taihu/catalog"
)

// Source is a table as an engine opens it.
type Source struct {
	ID     string         // table_sha256: equal IDs are equal bytes
	Schema catalog.Schema // columns of the table, without _row
	Parts  []string       // local paths of the Parquet parts, in order
	Rows   int64
}

// Engine opens tables.
type Engine interface {
	Open(ctx context.Context, s Source) (Table, error)
}

// Table answers checked queries. It is used by one goroutine at a time.
type Table interface {
	// Rows calls yield with the answer in order, batch after batch. A batch and
	// everything in it is valid only until yield returns. An error of yield ends
	// the query and is returned.
	Rows(ctx context.Context, p *Plan, yield func(*Batch) error) error
	// Count returns how many rows p.Where selects, whatever its limit and cursor.
	Count(ctx context.Context, p *Plan) (int64, error)
	Close() error
}

// Splitter is a Table whose answers to some plans can be read in pieces that
// follow each other, several at the same time.
type Splitter interface {
	// Split returns how many pieces the answer to p has; 0 where it is one whole.
	Split(p *Plan) int
	// Scan returns a reader of the pieces of p. Each goroutine has its own.
	Scan(p *Plan) Scan
}

// Scan reads pieces of an answer, in any order.
type Scan interface {
	// Piece calls yield with piece i, counted from 0, as Table.Rows does.
	Piece(ctx context.Context, i int, yield func(*Batch) error) error
	Close()
}

// Batch is some rows of an answer, column by column.
type Batch struct {
	Len     int
	Columns []Vector // one for each of Plan.Columns
	// Last is the position of the batch's last row, for the cursor; nil where the
	// plan did not ask for one (Plan.WantLast).
	Last *Position
}

// Vector is one column of a batch. Which slice is filled follows from Type:
//
//	boolean            Bool
//	integer, _row      Int
//	decimal            Int (unscaled) where Precision ≤ 18, else Text (canonical digits)
//	number             Num
//	date               Int (days since 1970-01-01)
//	time               Int (microseconds since midnight)
//	datetime           Int (local microseconds since 1970-01-01T00:00:00)
//	text, json         Text
type Vector struct {
	Type      catalog.Type
	Precision int
	Scale     int
	Zone      string
	Null      []bool // nil: no nulls
	Bool      []bool
	Int       []int64
	Num       []float64
	Text      []string
}

// IsNull reports whether row i is null.
func (v *Vector) IsNull(i int) bool { return v.Null != nil && v.Null[i] }

// Wide reports whether a decimal of this precision is kept as Text.
func Wide(precision int) bool { return precision > 18 }

// AppendText appends the canonical text of row i (architecture.md §6) without
// quotes; nothing for null.
func (v *Vector) AppendText(dst []byte, i int) []byte {
	if v.IsNull(i) {
		return dst
	}
	switch v.Type {
	case catalog.Boolean:
		if v.Bool[i] {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case catalog.Integer:
		return catalog.AppendDecimal(dst, v.Int[i], 0)
	case catalog.Decimal:
		if Wide(v.Precision) {
			return append(dst, v.Text[i]...)
		}
		return catalog.AppendDecimal(dst, v.Int[i], v.Scale)
	case catalog.Number:
		return catalog.AppendNumber(dst, v.Num[i])
	case catalog.Date:
		return catalog.AppendDate(dst, v.Int[i])
	case catalog.Time:
		return catalog.AppendTime(dst, v.Int[i])
	case catalog.Datetime:
		return catalog.AppendDatetime(dst, v.Int[i], v.Zone)
	}
	return append(dst, v.Text[i]...)
}
