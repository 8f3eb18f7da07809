package pool

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"taihu/catalog"
	"taihu/catalog/table"
)

// joinRequest asks what two columns share, or for the sketches of a table's columns.
type joinRequest struct {
	Column string       `json:"column,omitempty"` // of request.Source
	Source table.Source `json:"source,omitzero"`  // of the other column
	Other  string       `json:"other,omitempty"`

	Sketch bool     `json:"sketch,omitempty"`
	Skip   []string `json:"skip,omitempty"` // columns that get no sketch

	table *catalog.Table // from which the parent makes Source; nil: there is none
}

// Overlap is what two columns share, counted value by value.
type Overlap struct {
	catalog.Overlap
	Distinct      int64 `json:"distinct" doc:"Different values of the column asked about"`
	OtherDistinct int64 `json:"other_distinct" doc:"Different values of the other column"`
}

// Overlap compares two columns of tables value by value, under the rules and in the
// time of Rows. Errors: those of Rows, and Unprocessable query_too_expensive where a
// column has more than table.MostValues.
func (p *Pool) Overlap(ctx context.Context, t *catalog.Table, column string, other *catalog.Table, otherColumn, client string) (o Overlap, err error) {
	r := request{client: client, Join: &joinRequest{Column: column, Other: otherColumn, table: other}}
	return o, p.askJSON(ctx, t, r, &o)
}

// Sketches makes the sketches of a table's columns but for those of skip, as an
// export does its work.
func (p *Pool) Sketches(ctx context.Context, t *catalog.Table, skip []string) (list []catalog.ColumnSketch, err error) {
	r := request{Export: true, Join: &joinRequest{Sketch: true, Skip: skip}}
	return list, p.askJSON(ctx, t, r, &list)
}

// askJSON reads an answer that is JSON.
func (p *Pool) askJSON(ctx context.Context, t *catalog.Table, r request, answer any) error {
	var body []byte
	_, err := p.ask(ctx, t, r, func(_ byte, b []byte) error {
		body = append(body, b...)
		return nil
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("read answer of query child: %w", err)
	}
	return nil
}

// join answers a joinRequest.
func (s *server) join(ctx context.Context, r *request) (*end, error) {
	var answer any
	var err error
	if r.Join.Sketch {
		answer, err = s.sketches(ctx, r)
	} else {
		answer, err = s.overlap(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	out := newStream(s.out, frameData)
	var e end
	err = json.NewEncoder(out).Encode(answer)
	var closing error
	e.Result.Bytes, e.Result.SHA256, closing = out.close()
	if err == nil {
		err = closing
	}
	return &e, err
}

// scan yields every row of a table; only: of one column, "": of all.
func (s *server) scan(ctx context.Context, source table.Source, only string, yield func(*table.Batch) error) error {
	plan := &table.Plan{Table: source.ID, Schema: &source.Schema}
	for i, f := range source.Schema.Fields {
		if only == "" || f.Name == only {
			plan.Columns = append(plan.Columns, i)
		}
	}
	if len(plan.Columns) == 0 {
		return fmt.Errorf("the table has no column %q", only)
	}
	t, err := s.table(ctx, source)
	if err != nil {
		return err
	}
	return t.Rows(ctx, plan, yield)
}

func (s *server) overlap(ctx context.Context, r *request) (o Overlap, err error) {
	a, b := table.NewValues()
	if err := s.scan(ctx, r.Join.Source, r.Join.Other, func(x *table.Batch) error { return b.Add(&x.Columns[0], x.Len) }); err != nil {
		return o, err
	}
	if err := s.scan(ctx, r.Source, r.Join.Column, func(x *table.Batch) error { return a.Add(&x.Columns[0], x.Len) }); err != nil {
		return o, err
	}
	return Overlap{Overlap: a.Overlap(b), Distinct: a.Len(), OtherDistinct: b.Len()}, nil
}

func (s *server) sketches(ctx context.Context, r *request) ([]catalog.ColumnSketch, error) {
	k := table.NewSketcher(r.Source.Schema.Fields, func(column string) bool { return slices.Contains(r.Join.Skip, column) })
	if err := s.scan(ctx, r.Source, "", k.Add); err != nil {
		return nil, err
	}
	return k.Sketches(func(string) (int64, bool) { return 0, false }), nil
}
