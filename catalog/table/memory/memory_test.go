package memory_test

import (
	"math/rand/v2"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/memory"
	"taihu/catalog/table/tabletest"
)

// The oracle against itself tests the generator and the contract: every random
// query parses, checks, and survives its page walk through cursors.
func TestRandomTables(t *testing.T) {
	tabletest.Run(t, 500, func(_ *testing.T, schema catalog.Schema, rows [][]table.Value) table.Table {
		return memory.NewTable(schema, rows)
	})
}

// not is the set complement: a condition and its negation share out the rows.
func TestNotIsTheComplement(t *testing.T) {
	for seed := range uint64(500) {
		schema, rows := tabletest.Table(seed)
		r := rand.New(rand.NewPCG(seed, 3))
		for range 10 {
			where := tabletest.Query(r, schema, rows).Where
			if where == "" {
				continue
			}
			var sum int64
			for _, w := range []string{where, "not (" + where + ")"} {
				q, err := table.Parse(table.Params{Where: w})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				p, err := q.Check(&schema)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				n, err := memory.NewTable(schema, rows).Count(t.Context(), p)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				sum += n
			}
			if sum != int64(len(rows)) {
				t.Fatalf("seed %d: %s and its negation select %d of %d rows", seed, where, sum, len(rows))
			}
		}
	}
}
