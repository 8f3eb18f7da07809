// Package memory answers table queries over rows held in Go values, by looking
// at every row for every question. It is the oracle that tabletest holds other
// engines to, and the engine of tests that need no Parquet, so each rule of
// architecture.md §5 stands here in the plainest code: nulls last, ties by _row,
// comparisons with null false, not the complement.
//
// It knows nothing of files, SQL or speed, and must not: an oracle that shares
// code or tricks with what it judges proves nothing.
package memory

import (
	"context"
	"fmt"
	"sync"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Engine opens the tables that were added to it. It ignores Source.Parts.
type Engine struct {
	mu     sync.Mutex
	tables map[string]*Table
}

var _ table.Engine = (*Engine)(nil)

// New returns an engine without tables.
func New() *Engine { return &Engine{tables: map[string]*Table{}} }

// Add makes rows openable under a Source.ID. Rows are as in NewTable.
func (e *Engine) Add(id string, schema catalog.Schema, rows [][]table.Value) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tables[id] = NewTable(schema, rows)
}

// Open returns the table added under s.ID; an error where there is none.
func (e *Engine) Open(_ context.Context, s table.Source) (table.Table, error) {
	t, err := e.table(s.ID)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (e *Engine) table(id string) (*Table, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.tables[id]
	if t == nil {
		return nil, fmt.Errorf("no table was added as %q", id)
	}
	return t, nil
}

// Profile counts the table added under s.ID; see Table.Profile.
func (e *Engine) Profile(ctx context.Context, s table.Source) (*catalog.Profile, error) {
	t, err := e.table(s.ID)
	if err != nil {
		return nil, err
	}
	return t.Profile(ctx)
}
