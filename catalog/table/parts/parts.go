// Package parts answers what asks for rows of a table as they are: pages of it in
// file order or sorted, counts, whole and filtered exports. It reads them straight
// from the pages of the table's Parquet parts, in pieces that can be read at the
// same time. What needs more (groups, sorted exports, distances) it hands to the
// engine behind it, which is opened only then.
//
// Two reasons: a page of 100 rows takes DuckDB 10 ms, as it reads whole row groups,
// and less than 1 ms here; and an answer that DuckDB streams comes from one thread.
//
// It knows how conditions are to be understood, and nothing of SQL, formats or
// HTTP. tabletest holds it to the oracle's answers.
package parts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// Engine opens tables.
type Engine struct {
	behind table.Engine
	piece  int64
}

// New returns an engine that hands on to behind what it does not answer itself.
func New(behind table.Engine) *Engine { return &Engine{behind, pieceRows} }

var _ table.Engine = (*Engine)(nil)

// Open opens the parts of s and checks that they hold the columns and the number
// of rows that s says. An error is internal: published parts are ours.
func (e *Engine) Open(ctx context.Context, s table.Source) (table.Table, error) {
	t := &partsTable{source: s, engine: e.behind, piece: e.piece}
	err := t.open()
	if errors.Is(err, parquet.ErrNoIndex) { // of before 2026-11-26: DuckDB reads all
		_ = t.Close()
		return e.behind.Open(ctx, s)
	}
	if err != nil {
		_ = t.Close()
		return nil, fmt.Errorf("open table %.12s: %w", s.ID, err)
	}
	return t, nil
}

// partsTable is an opened table.
type partsTable struct {
	source table.Source
	files  []part
	piece  int64
	engine table.Engine
	behind table.Table // nil until it is needed

	mu   sync.Mutex // of what follows: scans are in several goroutines
	idle []cursor
}

// cursor is a reader of some columns of a part that can be used again: most pages
// of a table ask for the same ones, and its buffers are most of what a page costs.
type cursor struct {
	*parquet.Cursor
	file    int
	columns []int // of the file
}

// maxIdle is how many cursors a table keeps.
const maxIdle = 4

func (t *partsTable) cursor(file int, columns []int) cursor {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, c := range t.idle {
		if c.file == file && slices.Equal(c.columns, columns) {
			t.idle = slices.Delete(t.idle, i, i+1)
			return c
		}
	}
	return cursor{t.files[file].Cursor(columns), file, columns}
}

// release takes a cursor back; the zero cursor is none.
func (t *partsTable) release(c cursor) {
	if c.Cursor == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle) == maxIdle {
		t.idle[0].Close()
		t.idle = slices.Delete(t.idle, 0, 1)
	}
	t.idle = append(t.idle, c)
}

// part is one of a table's files.
type part struct {
	*parquet.Reader
	before  int64 // rows in the parts before it
	columns []int // of the file, for each field of the schema
}

var (
	_ table.Table    = (*partsTable)(nil)
	_ table.Splitter = (*partsTable)(nil)
)

func (t *partsTable) open() error {
	if len(t.source.Parts) == 0 {
		return errors.New("it has no parts")
	}
	var rows int64
	for _, path := range t.source.Parts {
		r, err := parquet.Open(path)
		if err != nil {
			return err
		}
		p := part{Reader: r, before: rows}
		t.files = append(t.files, p)
		if err := t.files[len(t.files)-1].match(&t.source.Schema); err != nil {
			return err
		}
		rows += r.Rows()
	}
	if rows != t.source.Rows {
		return fmt.Errorf("its parts hold %d rows, not %d", rows, t.source.Rows)
	}
	return nil
}

// match finds the columns of the schema in the file and holds them to their types.
func (p *part) match(s *catalog.Schema) error {
	index := map[string]int{}
	for i, c := range p.Columns() {
		index[c.Name] = i
	}
	for i := range s.Fields {
		f := &s.Fields[i]
		at, ok := index[f.Name]
		if !ok {
			return fmt.Errorf("column %d is missing in a part", i+1)
		}
		c, want := p.Columns()[at], f.Type
		if want == catalog.JSON {
			want = catalog.String // a file does not tell them apart
		}
		if c.Type != want || want == catalog.Decimal && (c.Precision != f.Precision || c.Scale != f.Scale) {
			return fmt.Errorf("column %d is stored as %s(%d,%d), not as %s(%d,%d)", i+1, c.Type, c.Precision, c.Scale, f.Type, f.Precision, f.Scale)
		}
		p.columns = append(p.columns, at)
	}
	return nil
}

// Close closes the parts, and the table behind where it was opened.
func (t *partsTable) Close() error {
	for _, c := range t.idle {
		c.Close()
	}
	t.idle = nil
	var err error
	for _, f := range t.files {
		err = errors.Join(err, f.Close())
	}
	if t.behind != nil {
		err = errors.Join(err, t.behind.Close())
	}
	return err
}

// other returns the table behind.
func (t *partsTable) other(ctx context.Context) (table.Table, error) {
	if t.behind == nil {
		b, err := t.engine.Open(ctx, t.source)
		if err != nil {
			return nil, err
		}
		t.behind = b
	}
	return t.behind, nil
}

// Rows implements table.Table.
func (t *partsTable) Rows(ctx context.Context, p *table.Plan, yield func(*table.Batch) error) error {
	if topped(p) {
		return t.top(ctx, p, yield)
	}
	if !direct(p) {
		b, err := t.other(ctx)
		if err != nil {
			return err
		}
		return b.Rows(ctx, p, yield)
	}
	if p.WantLast { // the number of the row rides along
		plan := *p
		plan.WantLast = false
		plan.Columns = append(slices.Clone(p.Columns), table.RowColumn)
		ask := yield
		p, yield = &plan, func(b *table.Batch) error {
			n := len(b.Columns) - 1
			b.Last = &table.Position{Row: b.Columns[n].Int[b.Len-1]}
			row := b.Columns[n]
			b.Columns = b.Columns[:n]
			err := ask(b)
			b.Columns = append(b.Columns, row)
			return err
		}
	}
	left := p.Limit
	give := func(b *table.Batch) error {
		if p.Limit > 0 {
			if left -= int64(b.Len); left < 0 {
				shorten(b, b.Len+int(left))
			}
		}
		if err := yield(b); err != nil {
			return err
		}
		if p.Limit > 0 && left <= 0 {
			return errEnough
		}
		return nil
	}
	s := t.scan(p)
	defer s.Close()
	for i := range s.pieces() {
		if err := s.Piece(ctx, i, give); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
	}
	return ctx.Err()
}

var errEnough = errors.New("the limit is reached")

// Count implements table.Table.
func (t *partsTable) Count(ctx context.Context, p *table.Plan) (int64, error) {
	if p.Group == nil && p.Condition() == nil {
		return t.source.Rows, nil
	}
	if p.Group == nil && simple(p, p.Condition()) {
		return t.count(ctx, p)
	}
	b, err := t.other(ctx)
	if err != nil {
		return 0, err
	}
	return b.Count(ctx, p)
}

// Split implements table.Splitter.
func (t *partsTable) Split(p *table.Plan) int {
	if !direct(p) || p.WantLast {
		return 0
	}
	s := t.scan(p)
	defer s.Close()
	if p.Limit > 0 && (s.filter != nil || s.end-s.begin > p.Limit) {
		return 0
	}
	return s.pieces()
}

// Scan implements table.Splitter.
func (t *partsTable) Scan(p *table.Plan) table.Scan { return t.scan(p) }

// direct reports whether the plan is answered here.
func direct(p *table.Plan) bool {
	return p.Group == nil && len(p.Sort) == 0 && simple(p, p.Condition())
}
