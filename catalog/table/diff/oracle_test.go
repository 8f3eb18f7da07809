package diff_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/diff"
	"taihu/catalog/table/memory"
)

// relation is a table as the oracle sees it: texts, with nil for null.
type relation struct {
	schema catalog.Schema
	values [][]table.Value
	cells  [][]*string
}

func relationOf(t *testing.T, schema catalog.Schema, values [][]table.Value) relation {
	t.Helper()
	r := relation{schema: schema, values: values}
	plan := &table.Plan{Schema: &schema}
	for i := range schema.Fields {
		plan.Columns = append(plan.Columns, i)
	}
	err := memory.NewTable(schema, values).Rows(t.Context(), plan, func(b *table.Batch) error {
		for i := range b.Len {
			row := make([]*string, len(b.Columns))
			for c := range b.Columns {
				if !b.Columns[c].IsNull(i) {
					text := string(b.Columns[c].AppendText(nil, i))
					row[c] = &text
				}
			}
			r.cells = append(r.cells, row)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func isNumber(t catalog.Type) bool {
	return t == catalog.Integer || t == catalog.Decimal || t == catalog.Number
}

// said is what a value is compared by: its text, or, where both columns are numbers of
// unlike types, its value as a fraction.
func said(cell *string, own, other catalog.Field) string {
	alike := own.Type == other.Type && own.Scale == other.Scale
	switch {
	case cell == nil:
		return "null"
	case isNumber(own.Type) && isNumber(other.Type) && !alike:
		if r, ok := new(big.Rat).SetString(*cell); ok {
			return "=" + r.RatString()
		}
	}
	return "=" + *cell
}

// oracle compares two relations by the rules, looking at everything again and again.
// Its answer is the list of changes as lines, sorted, and the counts; no answer where
// the key is not unique.
func oracle(old, new relation, key []string) (lines []string, rows diff.RowCounts, cells int64, unique bool) {
	var common [][2]int
	for i, f := range new.schema.Fields {
		for j, g := range old.schema.Fields {
			if strings.EqualFold(f.Name, g.Name) {
				common = append(common, [2]int{j, i})
			}
		}
	}
	identity := func(r relation, side, row int) string {
		var parts []string
		for _, c := range common {
			if len(key) > 0 && !slices.Contains(key, new.schema.Fields[c[1]].Name) {
				continue
			}
			parts = append(parts, fmt.Sprintf("%q", said(r.cells[row][c[side]], [2]relation{old, new}[side].schema.Fields[c[side]], [2]relation{old, new}[1-side].schema.Fields[c[1-side]])))
		}
		return strings.Join(parts, ",")
	}
	whole := func(change diff.Change, r relation, row int) {
		var text []string
		for c, f := range r.schema.Fields {
			isKey := slices.ContainsFunc(common, func(m [2]int) bool {
				return slices.Contains(key, new.schema.Fields[m[1]].Name) && m[map[diff.Change]int{diff.Removed: 0, diff.Added: 1}[change]] == c
			})
			if !isKey {
				text = append(text, f.Name+"="+shown(r.cells[row][c]))
			}
		}
		lines = append(lines, fmt.Sprintf("%s row %d: %s", change, row+1, strings.Join(text, "|")))
	}
	rows.Old, rows.New = int64(len(old.cells)), int64(len(new.cells))
	matched := make([]int, len(new.cells))
	gone := make([]bool, len(old.cells))
	for i := range matched {
		matched[i] = -1
	}
	if len(common) > 0 {
		if len(key) > 0 {
			for side, r := range []relation{old, new} {
				seen := map[string]bool{}
				for row := range r.cells {
					id := identity(r, side, row)
					if seen[id] {
						return nil, rows, 0, false
					}
					seen[id] = true
				}
			}
		}
		free := map[string][]int{}
		for row := range old.cells {
			id := identity(old, 0, row)
			free[id] = append(free[id], row)
		}
		for row := range new.cells {
			id := identity(new, 1, row)
			if list := free[id]; len(list) > 0 {
				matched[row], free[id] = list[0], list[1:]
			}
		}
	}
	for i := range gone {
		gone[i] = !slices.Contains(matched, i)
	}
	for row, was := range matched {
		if was < 0 {
			rows.Added++
			whole(diff.Added, new, row)
			continue
		}
		var text []string
		for _, c := range common {
			a, b := old.cells[was][c[0]], new.cells[row][c[1]]
			f, g := old.schema.Fields[c[0]], new.schema.Fields[c[1]]
			if said(a, f, g) != said(b, g, f) {
				cells++
				text = append(text, g.Name+"="+shown(a)+">"+shown(b))
			}
		}
		if len(text) == 0 {
			rows.Same++
			continue
		}
		rows.Changed++
		slices.Sort(text)
		lines = append(lines, fmt.Sprintf("changed row %d>%d: %s", was+1, row+1, strings.Join(text, "|")))
	}
	for row, g := range gone {
		if g {
			rows.Removed++
			whole(diff.Removed, old, row)
		}
	}
	slices.Sort(lines)
	return lines, rows, cells, true
}

func shown(cell *string) string {
	if cell == nil {
		return "null"
	}
	return fmt.Sprintf("%q", *cell)
}
