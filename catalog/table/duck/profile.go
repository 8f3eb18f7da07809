package duck

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

const (
	// exactRows is up to how many rows distinct values are counted whatever
	// their number; in larger tables only where there are about exactDistinct.
	exactRows     = 500_000
	exactDistinct = 100_000
	// groupColumns is how many columns one statement looks at: it bounds memory.
	groupColumns = 16
	// A statement over thousands of columns costs tens of milliseconds before it
	// reads a row, so groups of a wide table are copied out first, where they are
	// small: up to so many cells and columns at a time.
	wideColumns = 64
	groupCells  = 2_000_000
	groupMost   = 256
)

// Profile counts what every column holds, over all rows:
//
//   - nulls, empty texts, least and greatest value (NaN is the greatest, -0 is
//     0), lengths, mean, deviation and histogram are exact;
//   - distinct and top values are exact in tables up to 500,000 rows, and in
//     columns of about 100,000 different values or fewer; else Distinct is an
//     estimate, Exact is false, and Top holds those values, counted, that a
//     sample shows to be frequent;
//   - quantiles are those of all rows up to 262,144 of them, else of so many,
//     spread evenly.
//
// The same bytes always give the same profile. Values and bins are as
// table/memory gives them.
func (e *Engine) Profile(ctx context.Context, s table.Source) (*catalog.Profile, error) {
	t, err := e.open(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("open table to profile: %w", err)
	}
	defer func() { _ = t.Close() }()
	p := &catalog.Profile{Rows: s.Rows, Columns: make([]catalog.ColumnProfile, len(s.Schema.Fields))}
	relation, size := "part", groupColumns
	if len(p.Columns) > wideColumns && s.Rows <= exactRows {
		relation, size = "copied", int(max(groupColumns, min(groupMost, groupCells/max(s.Rows, 1))))
	}
	for from := 0; from < len(p.Columns); from += size {
		group := make([]*columnFacts, 0, size)
		for i := from; i < min(from+size, len(p.Columns)); i++ {
			p.Columns[i].Name = s.Schema.Fields[i].Name
			group = append(group, &columnFacts{field: s.Schema.Fields[i], out: &p.Columns[i], relation: relation})
		}
		if err := t.profileGroup(ctx, group); err != nil {
			return nil, fmt.Errorf("profile columns from %d: %w", from+1, err)
		}
	}
	return p, nil
}

// copyOut copies the columns of a group out of the parts, in their order.
func (t *duckTable) copyOut(ctx context.Context, group []*columnFacts) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	names := make([]string, len(group))
	for i, c := range group {
		names[i] = quoteName(c.field.Name)
	}
	return t.exec("CREATE OR REPLACE TEMP TABLE copied AS SELECT " + strings.Join(names, ", ") + " FROM part")
}

// columnFacts is a column on its way to a ColumnProfile.
type columnFacts struct {
	field     catalog.Field
	out       *catalog.ColumnProfile
	relation  string // where it is read from
	values    int64  // not null
	low, high table.Value
	// of a number: the least and greatest finite ones, both null where none is
	finiteLow, finiteHigh table.Value
}

func (t *duckTable) profileGroup(ctx context.Context, group []*columnFacts) error {
	if group[0].relation == "copied" {
		if err := t.copyOut(ctx, group); err != nil {
			return err
		}
	}
	if err := t.extremes(ctx, group); err != nil {
		return err
	}
	if err := t.spread(ctx, group); err != nil {
		return err
	}
	for _, c := range group {
		if c.values == 0 {
			c.out.Exact = true
			continue
		}
		if err := t.frequent(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// value is the column in SQL, its negative zeros made plain.
func (c *columnFacts) value() string {
	if c.field.Type == catalog.Number {
		return "(" + quoteName(c.field.Name) + " + 0::DOUBLE)"
	}
	return quoteName(c.field.Name)
}

func (c *columnFacts) text() bool {
	return c.field.Type == catalog.String || c.field.Type == catalog.JSON
}

// ordered reports whether the column gets quantiles and a histogram.
func (c *columnFacts) ordered() bool { return !c.text() && c.field.Type != catalog.Boolean }

// extremes fills what one aggregate over all rows tells.
func (t *duckTable) extremes(ctx context.Context, group []*columnFacts) error {
	var terms []string
	var fields []catalog.Field
	ask := func(f catalog.Field, sql string) {
		terms, fields = append(terms, sql), append(fields, f)
	}
	whole := catalog.Field{Type: catalog.Integer}
	for _, c := range group {
		x := c.value()
		ask(whole, "count("+x+")")
		ask(c.field, "min("+x+")")
		ask(c.field, "max("+x+")")
		ask(whole, "approx_count_distinct("+x+")")
		if c.text() {
			ask(whole, "min(length("+x+"))")
			ask(whole, "max(length("+x+"))")
			ask(whole, "count(*) FILTER ("+x+" = '')")
		}
	}
	err := t.query(ctx, statement{text: "SELECT " + strings.Join(terms, ", ") + " FROM " + group[0].relation}, fields, func(b *table.Batch) error {
		at := 0
		next := func() *table.Vector { at++; return &b.Columns[at-1] }
		for _, c := range group {
			c.take(next, t.source.Rows)
		}
		return nil
	})
	for _, c := range group {
		if err == nil && c.field.Type == catalog.Number {
			err = t.finite(ctx, c)
		}
	}
	return err
}

// finite finds the least and greatest finite number of a column, which are
// nearly always those of all.
func (t *duckTable) finite(ctx context.Context, c *columnFacts) error {
	c.finiteLow, c.finiteHigh = c.low, c.high
	if c.values == 0 || !math.IsInf(c.low.Num, 0) && !math.IsInf(c.high.Num, 0) && !math.IsNaN(c.high.Num) {
		return nil
	}
	x := c.value()
	sql := "SELECT min(" + x + "), max(" + x + ") FROM " + c.relation + " WHERE isfinite(" + x + ")"
	return t.query(ctx, statement{text: sql}, []catalog.Field{c.field, c.field}, func(b *table.Batch) error {
		c.finiteLow, c.finiteHigh = b.Columns[0].Value(0), b.Columns[1].Value(0)
		return nil
	})
}

// take reads one column's part of the aggregate.
func (c *columnFacts) take(next func() *table.Vector, rows int64) {
	c.values = next().Int[0]
	c.out.Nulls = rows - c.values
	low, high := next(), next()
	c.low, c.high = low.Value(0), high.Value(0)
	c.out.Min, c.out.Max = string(low.AppendText(nil, 0)), string(high.AppendText(nil, 0))
	c.out.Distinct = next().Int[0]
	if c.text() {
		c.out.MinLength, c.out.MaxLength, c.out.Empty = next().Value(0).Int, next().Value(0).Int, next().Value(0).Int
	}
}

// frequent counts the distinct values and finds the most frequent ones.
func (t *duckTable) frequent(ctx context.Context, c *columnFacts) error {
	if t.source.Rows <= exactRows || c.out.Distinct <= exactDistinct {
		err := t.countAll(ctx, c)
		if catalog.CodeOf(err) != "query_too_expensive" {
			return err
		}
		// Long texts can need more memory than there is: then as in large tables.
	}
	return t.countSample(ctx, c)
}

func (t *duckTable) countAll(ctx context.Context, c *columnFacts) error {
	fields := []catalog.Field{c.field, {Type: catalog.Integer}, {Type: catalog.Integer}}
	x := c.value()
	sql := "WITH g AS (SELECT " + x + " AS v, count(*) AS n FROM " + c.relation + " WHERE " + x + " IS NOT NULL GROUP BY 1)" +
		" SELECT v, n, (SELECT count(*) FROM g) FROM g ORDER BY n DESC, v LIMIT ?"
	var top []catalog.Count
	err := t.query(ctx, statement{sql, []argument{integer(catalog.FrequentValues)}}, fields, func(b *table.Batch) error {
		for i := range b.Len {
			top = append(top, catalog.Count{Value: string(b.Columns[0].AppendText(nil, i)), Rows: b.Columns[1].Int[i]})
			c.out.Distinct = b.Columns[2].Int[i]
		}
		return nil
	})
	if err == nil {
		c.out.SetFrequent(top, c.field.Type == catalog.String)
		c.out.Exact = true
	}
	return err
}

// estimate counts the different values whose hash falls into one of so many
// equal parts, and multiplies: with 30,000 of them or more it is off by about
// half a per cent, where DuckDB's approx_count_distinct is off by up to 30.
func (t *duckTable) estimate(ctx context.Context, c *columnFacts) error {
	parts := int64(1)
	for parts*exactDistinct/2 < max(c.out.Distinct, 1) {
		parts *= 2
	}
	x := c.value()
	sql := "SELECT count(DISTINCT " + x + ") FROM part WHERE hash(" + x + ") % ?::UBIGINT = 0"
	return t.query(ctx, statement{sql, []argument{integer(parts)}}, []catalog.Field{{Type: catalog.Integer}}, func(b *table.Batch) error {
		c.out.Distinct = min(b.Columns[0].Int[0]*parts, c.values)
		return nil
	})
}

// countSample estimates the distinct values and counts exactly those values that
// come three times or more in a sample of the rows; a column of nearly unique
// values has none.
func (t *duckTable) countSample(ctx context.Context, c *columnFacts) error {
	if err := t.estimate(ctx, c); err != nil {
		return err
	}
	every := t.source.Rows/sampleRows + 1
	x := c.value()
	sql := "SELECT v, count(*) FROM (SELECT " + x + " AS v FROM part WHERE " + x + " IN" +
		" (SELECT " + x + " FROM part WHERE _row % ? = 0 AND " + x + " IS NOT NULL GROUP BY 1 HAVING count(*) >= 3 ORDER BY count(*) DESC, 1 LIMIT ?))" +
		" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"
	args := []argument{integer(every), integer(4 * catalog.TopValues), integer(catalog.TopValues)}
	err := t.query(ctx, statement{sql, args}, []catalog.Field{c.field, {Type: catalog.Integer}}, func(b *table.Batch) error {
		for i := range b.Len {
			c.out.Top = append(c.out.Top, catalog.Count{Value: string(b.Columns[0].AppendText(nil, i)), Rows: b.Columns[1].Int[i]})
		}
		return nil
	})
	if catalog.CodeOf(err) == "query_too_expensive" && !errors.Is(err, context.Canceled) {
		c.out.Top = nil // frequent values of huge texts are worth no failure
		return nil
	}
	return err
}
