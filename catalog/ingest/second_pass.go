package ingest

import (
	"context"
	"errors"

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
	uses := []func(*typed) error{
		func(t *typed) error { return out.w.Write(&t.batch) },
		func(t *typed) error { return p.content.Add(&t.batch) },
		func(t *typed) error { return p.sketch.Add(&t.batch) },
	}
	if p.promise != nil {
		uses = append(uses, func(t *typed) error { return p.promise.check(&t.batch, t.Rows) })
	}
	in, err := p.spool.reader()
	if err == nil {
		err = share(ctx, p.newTyped, func(t *typed) error { return p.fill(in, t) }, uses)
	}
	return errors.Join(err, out.close())
}

func (p *secondPass) newTyped() *typed {
	t := &typed{converters: make([]converter, len(p.types))}
	t.batch.Columns = make([]table.Vector, len(p.types))
	for i := range p.types {
		t.converters[i] = converter{columnType: p.types[i], name: p.fields[i].Name}
	}
	return t
}

// fill reads the next chunk and converts it.
func (p *secondPass) fill(in *spoolReader, t *typed) error {
	t.Reset(len(p.types))
	if err := in.read(&t.Chunk); err != nil {
		return err
	}
	p.convert(t, func(column, row int, cell []byte) { p.mismatch(t, column, row, cell) })
	return nil
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
