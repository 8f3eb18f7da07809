package pool

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"unicode/utf8"

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
		p.names = append(p.names, append(appendText(nil, f.Name), ':'))
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
		p.json = p.appendValue(p.json, &b.Columns[c], i)
	}
	p.json = append(p.json, '}')
}

// appendValue writes a cell as JSON: integers and decimals as exact numbers, NaN
// and the infinities as text, json as itself, all else as text.
func (p *page) appendValue(dst []byte, v *table.Vector, i int) []byte {
	if v.IsNull(i) {
		return append(dst, "null"...)
	}
	switch v.Type {
	case catalog.Boolean, catalog.Integer, catalog.Decimal:
		return v.AppendText(dst, i)
	case catalog.Number:
		if f := v.Num[i]; !math.IsNaN(f) && !math.IsInf(f, 0) {
			return v.AppendText(dst, i)
		}
	case catalog.JSON:
		if p.text = append(p.text[:0], v.Text[i]...); json.Valid(p.text) {
			return append(dst, p.text...)
		}
	case catalog.String:
		return appendText(dst, v.Text[i])
	}
	p.text = v.AppendText(p.text[:0], i)
	return appendText(dst, string(p.text))
}

func (p *page) closeJSON() []byte { return append(p.json, ']') }

const hexDigits = "0123456789abcdef"

// appendText appends s as a JSON text. What is not UTF-8 becomes U+FFFD.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x80 {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += n
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
