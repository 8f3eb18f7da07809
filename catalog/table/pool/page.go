package pool

import (
	"context"
	"slices"

	"taihu/catalog"
	"taihu/catalog/table"
)

// page is a page of rows while the child writes it.
type page struct {
	plan    *table.Plan // as the engine answers it: with _row and the sort keys behind the columns asked for
	columns int         // asked for
	names   [][]byte    // of these, as JSON with the colon
	options RowsOptions
	limit   int64

	rows  int64
	more  bool
	last  table.Position
	json  []byte
	cells []byte
	text  []byte // scratch
}

// rows answers a page. One row more than asked for is fetched, to know whether
// another page follows.
func (s *server) rows(ctx context.Context, t table.Table, plan *table.Plan, r *request) (*end, error) {
	p := newPage(plan, r.Options)
	if err := t.Rows(ctx, p.plan, p.add); err != nil {
		return nil, err
	}
	e := &end{Columns: fieldsOf(plan), Query: plan.Hash()}
	e.Result.Rows = p.rows
	if p.more {
		e.Next = table.Cursor{Position: p.last}.String()
	}
	if r.Options.Count {
		n, err := t.Count(ctx, plan)
		if err != nil {
			return nil, err
		}
		e.Count = &n
	}
	if !r.Options.NoJSON {
		if err := send(s.out, frameData, p.closeJSON()); err != nil {
			return nil, err
		}
	}
	return e, send(s.out, frameCells, p.cells)
}

func newPage(asked *table.Plan, o RowsOptions) *page {
	plan := *asked
	p := &page{plan: &plan, columns: len(asked.Columns), options: o, limit: asked.Limit}
	plan.Columns = append(slices.Clone(asked.Columns), table.RowColumn)
	for _, k := range asked.Sort {
		plan.Columns = append(plan.Columns, k.Column)
	}
	plan.Limit++
	for _, f := range fieldsOf(asked) {
		p.names = append(p.names, append(catalog.AppendJSONText(nil, f.Name), ':'))
	}
	p.json = append(p.json, '[')
	return p
}

// add takes a batch of the engine.
func (p *page) add(b *table.Batch) error {
	n := b.Len
	if rest := p.limit - p.rows; int64(n) > rest {
		n, p.more = int(rest), true
	}
	for i := range n {
		if !p.options.NoJSON {
			p.addJSON(b, i)
		}
		if !p.options.NoCells {
			p.cells, p.text = appendCells(p.cells, b, p.columns, i, p.text)
		}
		p.rows++
		if len(p.json)+len(p.cells) > pageMost {
			return catalog.Errorf(catalog.Unprocessable, "page_too_large", "these rows are too large for one page: ask for fewer rows or columns, or download the table").
				InChinese("这些行太大，无法放在一页：请减少行数或列数，或下载整表")
		}
	}
	if n > 0 {
		p.last = table.Position{Row: b.Columns[p.columns].Int[n-1]}
		for k := range p.plan.Sort {
			p.last.Keys = append(p.last.Keys, b.Columns[p.columns+1+k].Value(n-1))
		}
	}
	return nil
}

// addJSON writes row i as an object.
func (p *page) addJSON(b *table.Batch, i int) {
	if p.rows > 0 {
		p.json = append(p.json, ',')
	}
	p.json = append(p.json, '{')
	for c, name := range p.names {
		if c > 0 {
			p.json = append(p.json, ',')
		}
		p.json = append(p.json, name...)
		p.json = b.Columns[c].AppendJSON(p.json, i)
	}
	p.json = append(p.json, '}')
}

func (p *page) closeJSON() []byte { return append(p.json, ']') }
