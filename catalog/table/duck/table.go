package duck

import (
	"context"
	"errors"
	"fmt"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// duckTable is an opened table: an instance and its one connection.
type duckTable struct {
	source table.Source
	db     bindings.Database
	conn   bindings.Connection
}

// Close frees the instance.
func (t *duckTable) Close() error {
	bindings.Disconnect(&t.conn)
	bindings.Close(&t.db)
	return nil
}

// Rows implements table.Table.
func (t *duckTable) Rows(ctx context.Context, p *table.Plan, yield func(*table.Batch) error) error {
	fields := make([]catalog.Field, 0, len(p.Columns)+len(p.Sort)+1)
	for _, c := range p.Columns {
		fields = append(fields, p.Field(c))
	}
	if !p.WantLast {
		return t.query(ctx, selectOf(p), fields, yield)
	}
	// The keys and the position ride along behind the columns asked for.
	for _, k := range p.Sort {
		fields = append(fields, p.Field(k.Column))
	}
	fields = append(fields, p.Field(table.RowColumn))
	return t.query(ctx, selectOf(p), fields, func(b *table.Batch) error {
		n, last := len(p.Columns), b.Len-1
		pos := table.Position{Row: b.Columns[len(b.Columns)-1].Int[last]}
		for i := range p.Sort {
			pos.Keys = append(pos.Keys, b.Columns[n+i].Value(last))
		}
		b.Last = &pos
		b.Columns = b.Columns[:n]
		return yield(b)
	})
}

// Count implements table.Table.
func (t *duckTable) Count(ctx context.Context, p *table.Plan) (n int64, err error) {
	if p.Group == nil && p.Condition() == nil {
		return t.source.Rows, nil
	}
	err = t.query(ctx, countOf(p), []catalog.Field{{Type: catalog.Integer}}, func(b *table.Batch) error {
		n = b.Columns[0].Int[0]
		return nil
	})
	return n, err
}

// prepare compiles a statement; its parameters are not yet bound.
func (t *duckTable) prepare(st statement) (bindings.PreparedStatement, error) {
	var p bindings.PreparedStatement
	if bindings.Prepare(t.conn, st.text, &p) == bindings.StateError {
		err := errors.New(bindings.PrepareError(p))
		bindings.DestroyPrepare(&p)
		return p, fmt.Errorf("prepare: %w", err)
	}
	return p, nil
}

// ahead is how many chunks may wait for the reader while DuckDB goes on.
const ahead = 8

// query runs a statement and hands its answer on in batches. DuckDB works on
// while yield does: a second goroutine fetches.
func (t *duckTable) query(ctx context.Context, st statement, fields []catalog.Field, yield func(*table.Batch) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := t.prepare(st)
	if err != nil {
		return err
	}
	defer bindings.DestroyPrepare(&p)
	for i, v := range st.args {
		if err := v.bind(p, bindings.IdxT(i+1)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	finished := make(chan struct{})
	interrupting := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupting)
		t.interrupt(finished)
	})
	defer func() {
		if !stop() {
			<-interrupting // the connection may be closed after us
		}
	}()

	chunks := make(chan bindings.DataChunk, ahead)
	var failed error // set before chunks is closed
	go func() {
		defer close(chunks)
		failed = fetch(ctx, p, chunks)
		close(finished)
	}()
	var batch reader
	for chunk := range chunks {
		if err == nil {
			if err = batch.read(chunk, fields); err == nil {
				err = yield(&batch.Batch)
			}
			if err != nil {
				cancel() // and empty the channel
			}
		}
		bindings.DestroyDataChunk(&chunk)
	}
	if err != nil {
		return err
	}
	return failed
}

// interrupt stops what the connection does. An interrupt that comes between two
// steps of DuckDB is forgotten by the next, so it is repeated until heard.
func (t *duckTable) interrupt(finished <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		bindings.Interrupt(t.conn)
		select {
		case <-finished:
			return
		case <-tick.C:
		}
	}
}

// fetch runs the prepared statement and sends its chunks until the last.
func fetch(ctx context.Context, p bindings.PreparedStatement, chunks chan<- bindings.DataChunk) error {
	var res bindings.Result
	defer bindings.DestroyResult(&res)
	if bindings.ExecutePreparedStreaming(p, &res) == bindings.StateError {
		return failure(ctx, &res)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk := bindings.FetchChunk(res)
		if chunk.Ptr == nil {
			return failure(ctx, &res)
		}
		if bindings.DataChunkGetSize(chunk) == 0 {
			bindings.DestroyDataChunk(&chunk)
			continue
		}
		select {
		case chunks <- chunk:
		case <-ctx.Done():
			bindings.DestroyDataChunk(&chunk)
			return ctx.Err()
		}
	}
}

// failure turns a result's error into ours, nil where it has none. What DuckDB
// says stays a cause: it can name paths.
func failure(ctx context.Context, res *bindings.Result) error {
	message := bindings.ResultError(res)
	if message == "" {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := errors.New(message)
	if bindings.ResultErrorType(res) == bindings.ErrorTypeOutOfMemory {
		return catalog.Errorf(catalog.Unprocessable, "query_too_expensive",
			"this query needs more memory than it may have: sort by fewer columns, filter first, or download the table").
			InChinese("查询所需内存超出限额：请减少排序列、先筛选，或下载整表").Because(err)
	}
	return fmt.Errorf("duckdb: %w", err)
}
