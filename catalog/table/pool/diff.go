package pool

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/diff"
)

// DiffOptions say how two tables are compared and what of it is wanted.
type DiffOptions struct {
	Key    []string    // columns; none: as multisets of rows
	Strict bool        // the key must do (diff.Options.Strict)
	Equal  bool        // the tables are known to hold the same
	Change diff.Change // only rows that went through it; "": all
	// Format is that of the list of all changes, one line for each cell, which Meta is
	// for. Empty is a diff.Page as JSON: Limit changes after Skip of them.
	Format      string
	Meta        json.RawMessage
	Skip, Limit int64
	Client      string // as in RowsOptions
}

// diffRequest is what a child is asked beside request.Source, the new table.
type diffRequest struct {
	Source table.Source `json:"source"` // the old one
	Key    []string     `json:"key,omitempty"`
	Strict bool         `json:"strict,omitempty"`
	Equal  bool         `json:"equal,omitempty"`
	Change diff.Change  `json:"change,omitempty"`
	Skip   int64        `json:"skip,omitempty"`
	Limit  int64        `json:"limit,omitempty"`

	table *catalog.Table // from which the parent makes Source
}

// Diff compares two tables and writes what is wanted of it to w, under the rules of
// Export, whose child and time it takes. Result.Rows is how many changes there are in
// the list, 0 for a page. Errors: those of Export and of diff.Compare.
func (p *Pool) Diff(ctx context.Context, old, new *catalog.Table, opt DiffOptions, w io.Writer) (Result, error) {
	r := request{Export: true, Format: opt.Format, Meta: opt.Meta, client: opt.Client, Diff: &diffRequest{
		table: old, Key: opt.Key, Strict: opt.Strict, Equal: opt.Equal, Change: opt.Change, Skip: opt.Skip, Limit: opt.Limit}}
	e, err := p.ask(ctx, new, r, func(_ byte, b []byte) error {
		_, err := w.Write(b)
		return err
	})
	return e.Result, err
}

// compared is the comparison that a child made last: who turns its pages asks for the
// same one again.
type compared struct {
	key    string
	result *diff.Result
}

func (c *compared) forget() {
	if c.result != nil {
		_ = c.result.Close()
	}
	*c = compared{}
}

// diff answers a comparison.
func (s *server) diff(ctx context.Context, r *request) (*end, error) {
	d := r.Diff
	old, err := s.side(ctx, &d.Source)
	if err != nil {
		return nil, err
	}
	now, err := s.side(ctx, &r.Source)
	if err != nil {
		return nil, err
	}
	key, err := json.Marshal([]any{d.Source, r.Source, d.Key, d.Strict, d.Equal})
	if err != nil {
		return nil, err
	}
	if s.compared.key != string(key) {
		s.compared.forget()
		result, err := diff.Compare(ctx, old, now, diff.Options{Key: d.Key, Strict: d.Strict, Equal: d.Equal, Dir: os.TempDir()})
		if err != nil {
			return nil, err
		}
		s.compared = compared{string(key), result}
	}
	return s.writeDiff(ctx, r, old, now)
}

func (s *server) side(ctx context.Context, source *table.Source) (diff.Side, error) {
	t, err := s.table(ctx, *source)
	return diff.Side{Table: t, Schema: &source.Schema, Rows: source.Rows}, err
}

func (s *server) writeDiff(ctx context.Context, r *request, old, now diff.Side) (*end, error) {
	result := s.compared.result
	out := newStream(s.out, frameData)
	closed := false
	defer func() {
		if !closed {
			_, _, _ = out.close()
		}
	}()
	var e end
	if r.Format == "" {
		page, err := result.Page(ctx, old, now, r.Diff.Change, r.Diff.Skip, r.Diff.Limit)
		if err != nil {
			return nil, err
		}
		if _, err := out.Write(page); err != nil {
			return nil, err
		}
	} else {
		enc, err := s.encode(r.Format, out, r.Meta, result.Fields())
		if err != nil {
			return nil, err
		}
		if _, ok := enc.(Columnwise); ok {
			return nil, fmt.Errorf("a list of changes cannot be written column by column")
		}
		err = result.Lines(ctx, old, now, r.Diff.Change, func(b *table.Batch) error {
			e.Result.Rows += int64(b.Len)
			return enc.Write(b)
		})
		if err != nil {
			return nil, err
		}
		if err := enc.Close(); err != nil {
			return nil, err
		}
	}
	closed = true
	var err error
	e.Result.Bytes, e.Result.SHA256, err = out.close()
	return &e, err
}
