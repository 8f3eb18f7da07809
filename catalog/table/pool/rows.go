package pool

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"taihu/catalog"
	"taihu/catalog/table"
)

// RowsOptions says what a page should carry beside its rows. Left out is what is
// not needed, as both forms cost about the same.
type RowsOptions struct {
	Count   bool `json:"count,omitempty"`    // how many rows the condition selects in all
	NoJSON  bool `json:"no_json,omitempty"`  // RowsAnswer.JSON stays empty
	NoCells bool `json:"no_cells,omitempty"` // RowsAnswer.Rows stays empty
	// Wait is how long to wait for a child at the most, where all are at work; 0:
	// as long as others. A page that is useful without its rows waits less.
	Wait time.Duration `json:"-"`
	// Client names who asks, so that no client holds up the others: the id of an
	// actor, else an address. Empty is the portal itself, which has no share to
	// keep to.
	Client string `json:"-"`
}

// RowsAnswer is a page of rows.
type RowsAnswer struct {
	JSON    []byte          // the array of row objects of /rows
	Columns []catalog.Field // of the answer, in order
	Rows    [][]*string     // canonical texts (architecture.md §6); nil is null
	Row     []int64         // the _row of each
	Next    *table.Position // of the last row, where more follow
	Query   string          // Plan.Hash: with Next and a release it makes a table.Cursor
	Count   *int64          // where asked for
}

// pageMost is the most bytes of JSON or of cells that a page may have.
const pageMost = 64 << 20

// Rows returns a page: the rows behind params.Cursor, or the first, at most
// params.Limit (0: table.DefaultRows; more than table.MaxRows is Invalid
// bad_limit). Errors are those of Export, and Unprocessable page_too_large.
func (p *Pool) Rows(ctx context.Context, t *catalog.Table, params table.Params, opt RowsOptions) (*RowsAnswer, error) {
	if params.Limit == 0 {
		params.Limit = table.DefaultRows
	}
	if params.Limit > table.MaxRows {
		return nil, catalog.Errorf(catalog.Invalid, "bad_limit", "limit is at most %d: take the rest with cursor, or download the table", table.MaxRows).
			With("parameter", "limit").With("most", table.MaxRows).
			InChinese("limit最大为%d：其余用cursor翻页，或下载整表", table.MaxRows)
	}
	a := &RowsAnswer{}
	var cells []byte
	e, err := p.ask(ctx, t, request{Params: params, Options: opt, client: opt.Client}, func(kind byte, b []byte) error {
		if kind == frameCells {
			cells = append(cells, b...)
		} else {
			a.JSON = append(a.JSON, b...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.Columns, a.Query, a.Count = e.Columns, e.Query, e.Count
	if e.Next != "" {
		c, err := table.ParseCursor(e.Next)
		if err != nil {
			return nil, fmt.Errorf("read position of query child: %w", err)
		}
		a.Next = &c.Position
	}
	if opt.NoCells {
		return a, nil
	}
	return a, a.readCells(cells, int(e.Result.Rows))
}

// A row travels as its _row, then for each column the length of its text plus
// one, 0 for null, and the text.

func appendCells(dst []byte, b *table.Batch, columns, i int, text []byte) ([]byte, []byte) {
	dst = binary.AppendUvarint(dst, uint64(b.Columns[columns].Int[i]))
	for c := range columns {
		v := &b.Columns[c]
		if v.IsNull(i) {
			dst = append(dst, 0)
			continue
		}
		text = v.AppendText(text[:0], i)
		dst = binary.AppendUvarint(dst, uint64(len(text))+1)
		dst = append(dst, text...)
	}
	return dst, text
}

// readCells is the inverse of appendCells for all rows of a page.
func (a *RowsAnswer) readCells(b []byte, rows int) error {
	all, at := string(b), 0 // the cells share one text
	next := func() uint64 {
		v, n := binary.Uvarint(b[min(at, len(b)):])
		at += max(n, 0)
		if n <= 0 {
			at = len(b) + 1
		}
		return v
	}
	texts := make([]string, rows*len(a.Columns))
	a.Rows, a.Row = make([][]*string, rows), make([]int64, rows)
	for i := range rows {
		a.Row[i] = int64(next())
		a.Rows[i] = make([]*string, len(a.Columns))
		for c := range a.Columns {
			n := next()
			if n == 0 {
				continue
			}
			if n--; at > len(b) || n > uint64(len(b)-at) {
				return fmt.Errorf("cells of query child end early")
			}
			text := &texts[i*len(a.Columns)+c]
			*text = all[at : at+int(n)]
			at += int(n)
			a.Rows[i][c] = text
		}
	}
	if at != len(b) {
		return fmt.Errorf("cells of query child do not match its columns")
	}
	return nil
}
