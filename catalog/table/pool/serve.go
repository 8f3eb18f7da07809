package pool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"taihu/catalog"
	"taihu/catalog/table"
)

// warmTables is how many tables a child keeps open.
const warmTables = 4

// Encoder writes batches in a format; api/export has them.
type Encoder interface {
	Write(*table.Batch) error
	Close() error
}

// Columnwise is an encoder whose file has one column after the other. It is given
// the answer once for each, with that column alone, and Next before each.
type Columnwise interface {
	Encoder
	Next() error
}

// Piecewise is an encoder whose file is a head, its rows one after the other and
// an end, so that pieces of it can be encoded at the same time.
type Piecewise interface {
	Encoder
	// Piece returns an encoder of rows alone, for one goroutine: write adds rows; take
	// returns what was written since the last take and goes on in buf, whose content
	// is lost.
	Piece() (write func(*table.Batch) error, take func(buf []byte) []byte)
	// Join writes what a take gave as the next of the file.
	Join([]byte) error
}

// Encode makes an encoder for an answer of these fields. meta is what the parent
// was given; an unknown format is an error for the user.
type Encode func(format string, w io.Writer, meta json.RawMessage, fields []catalog.Field) (Encoder, error)

// Serve is the loop of a query child: it reads requests from in and answers them
// on out, one at a time, until in ends. It returns an error where the talk with
// the parent breaks, not where a query fails.
func Serve(ctx context.Context, in io.Reader, out io.Writer, engine table.Engine, encode Encode) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{out: out, engine: engine, encode: encode, open: map[string]table.Table{}}
	defer s.closeTables()
	defer func() { s.compared.forget() }()
	requests := make(chan request)
	go func() {
		defer close(requests)
		defer cancel() // without a parent nobody wants the answer
		s.readErr = s.read(ctx, in, requests)
	}()
	for r := range requests {
		if err := s.answer(ctx, r); err != nil {
			return err
		}
	}
	if !errors.Is(s.readErr, io.EOF) {
		return fmt.Errorf("read request: %w", s.readErr)
	}
	return nil
}

// server is a child's state.
type server struct {
	out    io.Writer
	engine table.Engine
	encode Encode

	open     map[string]table.Table
	order    []string // least recently used first
	compared compared

	mu      sync.Mutex
	current uint64 // the request being answered
	cancel  context.CancelFunc
	revoked uint64 // the last one cancelled, maybe before it began
	readErr error  // of read, once requests is closed
}

// read hears requests and cancels.
func (s *server) read(ctx context.Context, in io.Reader, requests chan<- request) error {
	var buf []byte
	for {
		kind, payload, err := readFrame(in, &buf)
		if err != nil {
			return err
		}
		switch kind {
		case frameRequest:
			var r request
			if err := json.Unmarshal(payload, &r); err != nil {
				return err
			}
			select {
			case requests <- r:
			case <-ctx.Done():
				return ctx.Err()
			}
		case frameCancel:
			var id uint64
			if err := json.Unmarshal(payload, &id); err != nil {
				return err
			}
			s.mu.Lock()
			s.revoked = id
			if s.current == id {
				s.cancel()
			}
			s.mu.Unlock()
		default:
			return fmt.Errorf("frame of unknown kind %q", kind)
		}
	}
}

// answer answers one request with frames, the last of which is an end or an
// error.
func (s *server) answer(ctx context.Context, r request) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.current, s.cancel = r.ID, cancel
	if s.revoked == r.ID {
		cancel()
	}
	s.mu.Unlock()
	e, err := s.handle(ctx, &r)
	if err != nil {
		if catalog.KindOf(err) == "" && ctx.Err() == nil {
			s.forget(keyOf(r.Source)) // DuckDB may have given up the instance
		}
		return writeFrame(s.out, frameError, toWire(err))
	}
	return writeFrame(s.out, frameEnd, e)
}

func (s *server) handle(ctx context.Context, r *request) (*end, error) {
	if r.Diff != nil {
		return s.diff(ctx, r)
	}
	if r.Join != nil {
		return s.join(ctx, r)
	}
	q, err := table.Parse(r.Params)
	if err != nil {
		return nil, err
	}
	plan, err := q.CheckTable(r.Source.ID, &r.Source.Schema)
	if err != nil {
		return nil, err
	}
	t, err := s.table(ctx, r.Source)
	if err != nil {
		return nil, err
	}
	if r.Export {
		return s.export(ctx, t, plan, r)
	}
	return s.rows(ctx, t, plan, r)
}

// export streams the encoded answer.
func (s *server) export(ctx context.Context, t table.Table, plan *table.Plan, r *request) (*end, error) {
	out := newStream(s.out, frameData)
	closed := false
	defer func() {
		if !closed {
			_, _, _ = out.close()
		}
	}()
	enc, err := s.encode(r.Format, out, r.Meta, fieldsOf(plan))
	if err != nil {
		return nil, err
	}
	var e end
	if e.Result.Rows, err = encodeRows(ctx, t, plan, enc); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	closed = true
	e.Result.Bytes, e.Result.SHA256, err = out.close()
	return &e, err
}

// encodeRows gives an encoder the answer and returns how many rows it has. The
// same plan gives the same rows in the same order, so columns asked for one by one
// fit each other.
func encodeRows(ctx context.Context, t table.Table, plan *table.Plan, enc Encoder) (rows int64, err error) {
	write := func(b *table.Batch) error {
		rows += int64(b.Len)
		return enc.Write(b)
	}
	if s, ok := t.(table.Splitter); ok {
		if p, ok := enc.(Piecewise); ok {
			if n := s.Split(plan); n > 1 {
				return encodePieces(ctx, s, plan, n, p)
			}
		}
	}
	columnwise, ok := enc.(Columnwise)
	if !ok {
		err = t.Rows(ctx, plan, write)
		return rows, err
	}
	var first int64
	for i := range plan.Columns {
		if err := columnwise.Next(); err != nil {
			return rows, err
		}
		one := *plan
		one.Columns = plan.Columns[i : i+1]
		rows = 0
		if err := t.Rows(ctx, &one, write); err != nil {
			return rows, err
		}
		if i == 0 {
			first = rows
		}
		if rows != first {
			return rows, fmt.Errorf("column %d has %d rows, the first %d", i+1, rows, first)
		}
	}
	return rows, nil
}

func fieldsOf(p *table.Plan) []catalog.Field {
	fields := make([]catalog.Field, len(p.Columns))
	for i, c := range p.Columns {
		fields[i] = p.Field(c)
	}
	return fields
}

// table returns the opened table, opening it and closing another where needed.
func (s *server) table(ctx context.Context, source table.Source) (table.Table, error) {
	key := keyOf(source)
	t, ok := s.open[key]
	if !ok {
		if len(s.order) >= warmTables {
			s.forget(s.order[0])
		}
		var err error
		if t, err = s.engine.Open(ctx, source); err != nil {
			return nil, err
		}
		s.open[key] = t
	}
	s.order = touch(s.order, key)
	return t, nil
}

func (s *server) forget(key string) {
	if t, ok := s.open[key]; ok {
		_ = t.Close()
		delete(s.open, key)
		for i, k := range s.order {
			if k == key {
				s.order = append(s.order[:i], s.order[i+1:]...)
				break
			}
		}
	}
}

func (s *server) closeTables() {
	for _, t := range s.open {
		_ = t.Close()
	}
}
