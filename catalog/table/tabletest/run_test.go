package tabletest

import (
	"context"
	"math/rand/v2"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/memory"
)

// mutant is the oracle with one fault.
type mutant struct {
	table.Table
	plan  func(p *table.Plan)  // what it misunderstands of a query
	batch func(b *table.Batch) // what it garbles of an answer
	count int64                // how far it miscounts
}

func (m *mutant) Rows(ctx context.Context, p *table.Plan, yield func(*table.Batch) error) error {
	q := *p
	if m.plan != nil {
		m.plan(&q)
	}
	return m.Table.Rows(ctx, &q, func(b *table.Batch) error {
		if m.batch != nil {
			m.batch(b)
		}
		return yield(b)
	})
}

func (m *mutant) Count(ctx context.Context, p *table.Plan) (int64, error) {
	n, err := m.Table.Count(ctx, p)
	return n + m.count, err
}

// rewrite changes every node of a condition from the leaves up.
func rewrite(n table.Node, change func(table.Node) table.Node) table.Node {
	list := func(terms []table.Node) []table.Node {
		out := make([]table.Node, len(terms))
		for i, t := range terms {
			out[i] = rewrite(t, change)
		}
		return out
	}
	switch x := n.(type) {
	case table.And:
		n = table.And{Terms: list(x.Terms)}
	case table.Or:
		n = table.Or{Terms: list(x.Terms)}
	case table.Not:
		n = table.Not{Term: rewrite(x.Term, change)}
	case nil:
		return nil
	}
	return change(n)
}

func where(change func(table.Node) table.Node) func(*table.Plan) {
	return func(p *table.Plan) { p.Where = rewrite(p.Where, change) }
}

// vectors changes the columns of one type.
func vectors(t catalog.Type, change func(v *table.Vector)) func(*table.Batch) {
	return func(b *table.Batch) {
		for i := range b.Columns {
			if b.Columns[i].Type == t {
				change(&b.Columns[i])
			}
		}
	}
}

// A suite that finds nothing proves something only if it would have.
func TestSuiteFindsFaults(t *testing.T) {
	for name, m := range map[string]mutant{
		"miscounts": {count: 1},
		"sorts up": {plan: func(p *table.Plan) {
			p.Sort = append([]table.Key(nil), p.Sort...)
			for i := range p.Sort {
				p.Sort[i].Descending = false
			}
		}},
		"no limit":  {plan: func(p *table.Plan) { p.Limit = 0 }},
		"no cursor": {plan: func(p *table.Plan) { p.After = nil }},
		"first row twice": {plan: func(p *table.Plan) {
			if p.After != nil && len(p.Sort) == 0 {
				p.After = &table.Position{Row: p.After.Row - 1}
			}
		}},
		"ties by the last row": {plan: func(p *table.Plan) {
			p.Sort = append(p.Sort[:len(p.Sort):len(p.Sort)], table.Key{Column: table.RowColumn, Descending: true})
			if p.After != nil {
				p.After = &table.Position{Row: p.After.Row, Keys: append(p.After.Keys[:len(p.After.Keys):len(p.After.Keys)], table.Value{Int: p.After.Row})}
			}
		}, batch: func(b *table.Batch) { b.Last.Keys = b.Last.Keys[:len(b.Last.Keys)-1] }},
		"wrong position": {batch: func(b *table.Batch) { b.Last.Row++ }},
		"not leaves nulls out": {plan: where(func(n table.Node) table.Node {
			if x, ok := n.(table.Not); ok {
				if c, ok := x.Term.(table.Compare); ok {
					return table.And{Terms: []table.Node{n, table.IsNull{Column: c.Column, Not: true}}}
				}
			}
			return n
		})},
		"null is unequal": {plan: where(func(n table.Node) table.Node {
			if c, ok := n.(table.Compare); ok && c.Op == table.NotEqual {
				return table.Or{Terms: []table.Node{n, table.IsNull{Column: c.Column}}}
			}
			return n
		})},
		"less is less or equal": {plan: where(func(n table.Node) table.Node {
			if c, ok := n.(table.Compare); ok && c.Op == table.Less {
				c.Op = table.LessEqual
				return c
			}
			return n
		})},
		"in takes the first only": {plan: where(func(n table.Node) table.Node {
			if in, ok := n.(table.In); ok {
				in.Values = in.Values[:1]
				return in
			}
			return n
		})},
		"starts is contains": {plan: where(func(n table.Node) table.Node {
			if m, ok := n.(table.Match); ok {
				m.Starts = false
				return m
			}
			return n
		})},
		"empty text is null": {batch: vectors(catalog.String, func(v *table.Vector) {
			v.Null = make([]bool, len(v.Text))
			for i, s := range v.Text {
				v.Null[i] = s == ""
			}
		})},
		"integers pass doubles": {batch: vectors(catalog.Integer, func(v *table.Vector) {
			for i := range v.Int {
				v.Int[i] = int64(float64(v.Int[i])/2) * 2
			}
		})},
		"minus zero is zero": {batch: vectors(catalog.Number, func(v *table.Vector) {
			for i := range v.Num {
				v.Num[i] += 0
			}
		})},
		"no zone": {batch: vectors(catalog.Datetime, func(v *table.Vector) { v.Zone = "" })},
	} {
		if !found(m) {
			t.Errorf("an engine with the fault %q passes", name)
		}
	}
}

// found reports whether the suite notices a fault within 200 random tables.
func found(m mutant) bool {
	for seed := range uint64(200) {
		schema, rows := Table(seed)
		r := rand.New(rand.NewPCG(seed, 1))
		oracle := memory.NewTable(schema, rows)
		faulty := m
		faulty.Table = oracle
		for range Queries {
			c := comparison{schema: schema, params: Query(r, schema, rows), engine: &faulty, oracle: oracle}
			if c.run(r, len(rows)) != nil {
				return true
			}
		}
	}
	return false
}

// Random queries are worth asking only if they select some rows and not all.
func TestQueriesDivideTheirTables(t *testing.T) {
	none, some, all := 0, 0, 0
	for seed := range uint64(500) {
		schema, rows := Table(seed)
		r := rand.New(rand.NewPCG(seed, 1))
		for range Queries {
			c := comparison{schema: schema, params: Query(r, schema, rows)}
			p, err := c.plan(c.params)
			if err != nil {
				t.Fatal(err)
			}
			n, err := memory.NewTable(schema, rows).Count(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case n == 0:
				none++
			case n == int64(len(rows)):
				all++
			default:
				some++
			}
		}
	}
	t.Logf("queries that select no row: %d, some: %d, all: %d", none, some, all)
	if some*3 < none+some+all {
		t.Errorf("only %d of %d queries divide their table", some, none+some+all)
	}
}
