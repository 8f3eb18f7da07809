// Package tabletest holds every table.Engine to the same answers: it throws
// seeded random tables and queries at an engine and at table/memory and wants
// equal rows, counts, positions and page walks. The tables are made to hurt: all
// types with their extremes, nulls and empty texts, names that are SQL or signs,
// texts that differ only in width, case or normal form.
//
// It knows only the contracts of package table and the oracle. An engine's own
// test calls Run; a failure prints the seed, the schema, the query and the first
// difference. TAIHU_TABLETEST_SEED repeats that one table, TAIHU_TABLETEST_TABLES
// asks more tables than the test does by itself.
package tabletest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/memory"
)

// Queries is how many queries each random table is asked.
const Queries = 12

// Open makes an engine's table of rows, as memory.NewTable takes them. Run closes
// it.
type Open func(t *testing.T, schema catalog.Schema, rows [][]table.Value) table.Table

// Run asks n random tables Queries random queries each and compares the engine
// with the oracle; then it tests the rest of the contract.
func Run(t *testing.T, n int, open Open) {
	t.Run("random tables", func(t *testing.T) {
		if more := os.Getenv("TAIHU_TABLETEST_TABLES"); more != "" {
			tables, err := strconv.Atoi(more)
			if err != nil {
				t.Fatalf("TAIHU_TABLETEST_TABLES: %v", err)
			}
			n = tables
		}
		first, last := uint64(0), uint64(n)
		if only := os.Getenv("TAIHU_TABLETEST_SEED"); only != "" {
			seed, err := strconv.ParseUint(only, 10, 64)
			if err != nil {
				t.Fatalf("TAIHU_TABLETEST_SEED: %v", err)
			}
			first, last = seed, seed+1
		}
		for seed := first; seed < last && !t.Failed(); seed++ {
			runSeed(t, seed, open)
		}
	})
	t.Run("places and doubles", func(t *testing.T) { fixedQueries(t, open) })
	t.Run("an error of yield ends the query and comes back", func(t *testing.T) { yieldError(t, open) })
	t.Run("a cancelled query ends with an error", func(t *testing.T) { cancelled(t, open) })
}

func runSeed(t *testing.T, seed uint64, open Open) {
	t.Helper()
	schema, rows := Table(seed)
	engine := open(t, schema, rows)
	defer func() {
		if err := engine.Close(); err != nil {
			t.Errorf("seed %d: close: %v", seed, err)
		}
	}()
	r := rand.New(rand.NewPCG(seed, 1))
	for range Queries {
		params := Query(r, schema, rows)
		c := comparison{schema: schema, params: params, engine: engine, oracle: memory.NewTable(schema, rows)}
		if err := c.run(r, len(rows)); err != nil {
			shape, _ := json.Marshal(schema.Fields)
			asked, _ := json.Marshal(params)
			t.Errorf("TAIHU_TABLETEST_SEED=%d: %v\nquery: %s\nrows: %d\nschema: %s", seed, err, asked, len(rows), shape)
			return
		}
	}
}

// comparison is one query put to both.
type comparison struct {
	schema         catalog.Schema
	params         table.Params
	engine, oracle table.Table
}

func (c *comparison) plan(params table.Params) (*table.Plan, error) {
	q, err := table.Parse(params)
	if err != nil {
		return nil, err
	}
	p, err := q.Check(&c.schema)
	if err != nil {
		return nil, err
	}
	p.WantLast = true
	return p, nil
}

func (c *comparison) run(r *rand.Rand, rows int) error {
	ctx := context.Background()
	p, err := c.plan(c.params)
	if err != nil {
		return fmt.Errorf("the random query is refused: %w", err)
	}
	want, err := collect(ctx, c.oracle, p)
	if err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	got, err := collect(ctx, c.engine, p)
	if err != nil {
		return err
	}
	if err := c.same(p, got, want); err != nil {
		return err
	}
	if err := c.pieces(ctx, r, want); err != nil {
		return err
	}
	wantCount, err := c.oracle.Count(ctx, p)
	if err != nil {
		return fmt.Errorf("oracle count: %w", err)
	}
	n, err := c.engine.Count(ctx, p)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if n != wantCount {
		return fmt.Errorf("count is %d, want %d", n, wantCount)
	}
	if rows > 0 {
		return c.walk(ctx, r, rows)
	}
	return nil
}

// pieces reads the answer of an engine that can split it in pieces, in a random
// order, and wants what the oracle gave.
func (c *comparison) pieces(ctx context.Context, r *rand.Rand, want *answer) error {
	s, ok := c.engine.(table.Splitter)
	if !ok {
		return nil
	}
	p, err := c.plan(c.params)
	if err != nil {
		return err
	}
	p.WantLast = false
	n := s.Split(p)
	scan := s.Scan(p)
	defer scan.Close()
	pieces := make([][][]string, n)
	for _, i := range r.Perm(n) {
		err := scan.Piece(ctx, i, func(b *table.Batch) error {
			if err := wellFormed(p, b); err != nil {
				return err
			}
			for row := range b.Len {
				cells := make([]string, len(b.Columns))
				for j := range b.Columns {
					cells[j] = cell(&b.Columns[j], row)
				}
				pieces[i] = append(pieces[i], cells)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("piece %d: %w", i, err)
		}
	}
	if got := slices.Concat(pieces...); n > 0 {
		if diff := firstDifference(p, got, want.rows); diff != "" {
			return fmt.Errorf("in %d pieces, %s", n, diff)
		}
	}
	return nil
}

// walk reads the whole answer page by page through cursors, as a program would,
// and wants every row once and in order.
func (c *comparison) walk(ctx context.Context, r *rand.Rand, rows int) error {
	params := c.params
	params.Limit = 0
	p, err := c.plan(params)
	if err != nil {
		return err
	}
	whole, err := collect(ctx, c.oracle, p)
	if err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	params.Limit = int64(1 + rows/30 + r.IntN(rows+1)) // some thirty pages at the most
	var walked answer
	for pages := 0; ; pages++ {
		if pages > rows+1 {
			return fmt.Errorf("page walk of %d does not end", params.Limit)
		}
		page, err := c.plan(params)
		if err != nil {
			return fmt.Errorf("page %d: %w", pages+1, err)
		}
		got, err := collect(ctx, c.engine, page)
		if err != nil {
			return fmt.Errorf("page %d: %w", pages+1, err)
		}
		walked.rows = append(walked.rows, got.rows...)
		if int64(len(got.rows)) < params.Limit {
			break
		}
		params.Cursor = page.Next(1, *got.last).String()
	}
	if diff := firstDifference(p, walked.rows, whole.rows); diff != "" {
		return fmt.Errorf("walked in pages of %d, %s", params.Limit, diff)
	}
	return nil
}

// same compares rows, and the positions of the batches with those of the oracle.
func (c *comparison) same(p *table.Plan, got, want *answer) error {
	if diff := firstDifference(p, got.rows, want.rows); diff != "" {
		return errors.New(diff)
	}
	keys := *p
	keys.Columns = nil
	for _, k := range p.Sort {
		keys.Columns = append(keys.Columns, k.Column)
	}
	keys.Columns = append(keys.Columns, table.RowColumn)
	places, err := collect(context.Background(), c.oracle, &keys)
	if err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	for end, at := range got.lasts {
		if place := strings.Join(places.rows[end-1], " "); place != at {
			return fmt.Errorf("Last after row %d is %s, want %s", end, at, place)
		}
	}
	return nil
}

// answer is rows of canonical cells; null is written ∅, text in Go's quotes.
type answer struct {
	rows  [][]string
	last  *table.Position
	lasts map[int]string // rows so far → Last of the batch that ended there
}

func collect(ctx context.Context, t table.Table, p *table.Plan) (*answer, error) {
	a := &answer{lasts: map[int]string{}}
	err := t.Rows(ctx, p, func(b *table.Batch) error {
		if err := wellFormed(p, b); err != nil {
			return err
		}
		for i := range b.Len {
			row := make([]string, len(b.Columns))
			for j := range b.Columns {
				row[j] = cell(&b.Columns[j], i)
			}
			a.rows = append(a.rows, row)
		}
		if b.Last == nil {
			return fmt.Errorf("a batch without Last, though the plan wants it")
		}
		last := table.Position{Row: b.Last.Row, Keys: append([]table.Value(nil), b.Last.Keys...)}
		for i := range last.Keys {
			last.Keys[i].Text = strings.Clone(last.Keys[i].Text)
		}
		a.last = &last
		a.lasts[len(a.rows)] = place(p, last)
		return nil
	})
	return a, err
}

// wellFormed holds a batch to the shape its doc comment promises.
func wellFormed(p *table.Plan, b *table.Batch) error {
	if b.Len < 1 || len(b.Columns) != len(p.Columns) {
		return fmt.Errorf("a batch of %d rows and %d columns, want at least one row and %d columns", b.Len, len(b.Columns), len(p.Columns))
	}
	if b.Last != nil && len(b.Last.Keys) != len(p.Sort) {
		return fmt.Errorf("Last holds %d keys, want %d", len(b.Last.Keys), len(p.Sort))
	}
	for i := range b.Columns {
		v, f := &b.Columns[i], p.Field(p.Columns[i])
		if v.Type != f.Type || v.Precision != f.Precision || v.Scale != f.Scale || v.Zone != f.Zone {
			return fmt.Errorf("column %q is %s(%d,%d)%s, want %s(%d,%d)%s", f.Name, v.Type, v.Precision, v.Scale, v.Zone, f.Type, f.Precision, f.Scale, f.Zone)
		}
		if v.Null != nil && len(v.Null) < b.Len || len(v.Bool)+len(v.Int)+len(v.Num)+len(v.Text) < b.Len {
			return fmt.Errorf("column %q has fewer values than the batch has rows", f.Name)
		}
	}
	return nil
}

func cell(v *table.Vector, i int) string {
	switch {
	case v.IsNull(i):
		return "∅"
	case v.Type == catalog.String || v.Type == catalog.JSON:
		return strconv.Quote(string(v.AppendText(nil, i)))
	}
	return string(v.AppendText(nil, i))
}

// place writes a position as same does its columns.
func place(p *table.Plan, at table.Position) string {
	var words []string
	for i, k := range p.Sort {
		f, v := p.Field(k.Column), at.Keys[i]
		one := table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone,
			Null: []bool{v.Null}, Bool: []bool{v.Bool}, Int: []int64{v.Int}, Num: []float64{v.Num}, Text: []string{v.Text}}
		words = append(words, cell(&one, 0))
	}
	return strings.Join(append(words, strconv.FormatInt(at.Row, 10)), " ")
}

func firstDifference(p *table.Plan, got, want [][]string) string {
	for i := range min(len(got), len(want)) {
		for j, c := range p.Columns {
			if got[i][j] != want[i][j] {
				return fmt.Sprintf("row %d of the answer, column %q: got %s, want %s\ngot row:  %s\nwant row: %s",
					i+1, p.Field(c).Name, got[i][j], want[i][j], strings.Join(got[i], " "), strings.Join(want[i], " "))
			}
		}
	}
	if len(got) != len(want) {
		more := append(got[:len(got):len(got)], want...)[min(len(got), len(want))]
		if len(want) > len(got) {
			more = want[len(got)]
		}
		return fmt.Sprintf("got %d rows, want %d; the first too many or missing: %s", len(got), len(want), strings.Join(more, " "))
	}
	return ""
}

// small is a table of a few hundred rows for the tests of the contract.
func small() (catalog.Schema, [][]table.Value) {
	schema := catalog.Schema{Fields: []catalog.Field{{Name: "n", Type: catalog.Integer}}}
	var rows [][]table.Value
	for i := range 300 {
		rows = append(rows, []table.Value{{Int: int64(i)}})
	}
	return schema, rows
}

func yieldError(t *testing.T, open Open) {
	schema, rows := small()
	engine := open(t, schema, rows)
	defer func() { _ = engine.Close() }()
	stop := errors.New("enough")
	p := &table.Plan{Schema: &schema, Columns: []int{0}}
	if err := engine.Rows(t.Context(), p, func(*table.Batch) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the error of yield", err)
	}
	if n, err := engine.Count(t.Context(), p); err != nil || n != 300 {
		t.Errorf("the table is unusable after an error of yield: count %d, %v", n, err)
	}
}

func cancelled(t *testing.T, open Open) {
	schema, rows := small()
	engine := open(t, schema, rows)
	defer func() { _ = engine.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &table.Plan{Schema: &schema, Columns: []int{0}}
	if err := engine.Rows(ctx, p, func(*table.Batch) error { return nil }); err == nil {
		t.Error("Rows of a cancelled context gave no error")
	}
}
