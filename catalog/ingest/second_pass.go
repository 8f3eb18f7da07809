package ingest

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// secondPass turns the spooled text into typed Parquet and the content hash.
type secondPass struct {
	*run
	fields  []catalog.Field
	types   []columnType
	spool   *spool
	path    string
	before  int64 // rows of the table that stand before these
	content *table.ContentHash
	sketch  *table.Sketcher
	promise *promise
}

// typed is a chunk with its values, which share its memory.
type typed struct {
	Chunk
	batch      table.Batch
	converters []converter
	users      atomic.Int32
}

func (p *secondPass) do(ctx context.Context) error {
	columns := []parquet.Column{parquet.RowNumber()}
	for _, f := range p.fields {
		columns = append(columns, parquet.ColumnOf(f))
	}
	out, err := p.create(p.path, columns, p.before)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	free := make(chan *typed, depth)
	for range depth {
		free <- p.newTyped()
	}
	uses := []func(*typed) error{
		func(t *typed) error { return out.w.Write(&t.batch) },
		func(t *typed) error { return p.content.Add(&t.batch) },
		func(t *typed) error { return p.sketch.Add(&t.batch) },
	}
	if p.promise != nil {
		uses = append(uses, func(t *typed) error { return p.promise.check(&t.batch, t.Rows) })
	}
	queues := make([]chan *typed, len(uses))
	for i, use := range uses {
		queues[i] = make(chan *typed, depth)
		g.Go(func() error {
			for t := range queues[i] {
				if err := use(t); err != nil {
					return err
				}
				if t.users.Add(-1) == 0 {
					free <- t
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer func() {
			for _, q := range queues {
				close(q)
			}
		}()
		return p.read(ctx, free, queues)
	})
	return errors.Join(g.Wait(), out.close())
}

func (p *secondPass) newTyped() *typed {
	t := &typed{converters: make([]converter, len(p.types))}
	t.batch.Columns = make([]table.Vector, len(p.types))
	for i := range p.types {
		t.converters[i] = converter{columnType: p.types[i], name: p.fields[i].Name}
	}
	return t
}

// read converts chunk after chunk and hands each to every queue.
func (p *secondPass) read(ctx context.Context, free chan *typed, queues []chan *typed) error {
	in, err := p.spool.reader()
	if err != nil {
		return err
	}
	for {
		var t *typed
		select {
		case t = <-free:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		t.Reset(len(p.types))
		if err := in.read(&t.Chunk); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		p.convert(t, func(column, row int, cell []byte) { p.mismatch(t, column, row, cell) })
		t.users.Store(int32(len(queues)))
		for _, q := range queues {
			select {
			case q <- t:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// convert reads the values of a chunk; what does not fit its type is handed to bad.
func (p *secondPass) convert(t *typed, bad func(column, row int, cell []byte)) {
	t.batch.Len = t.Len
	for i := range t.converters {
		t.converters[i].convert(&t.Columns[i], &t.batch.Columns[i], func(row int, cell []byte) { bad(i, row, cell) })
	}
}

// mismatch reports a cell that does not fit the type chosen for its column.
func (p *secondPass) mismatch(t *typed, column, row int, cell []byte) {
	c := &t.converters[column]
	f := found("type_mismatch", "该值不是%[2]s。", "The value is not of the type %[1]s.", string(c.Type), typeNames[c.Type])
	f.Row, f.Column, f.Value = t.Rows[row], c.name, string(cell)
	p.findings.Add(f)
}
