package ducktest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// Edits are how many of a thousand rows of a release the next one changes, lacks and
// has beside them.
type Edits struct {
	Changed, Removed, Added int
	Shuffled                bool // blocks of rows stand elsewhere
}

// Pair writes two releases of a table with the columns of the large one, whose key is
// 编号: rows of the first, and those with some edits of a seed.
func Pair(t testing.TB, seed uint64, rows int, e Edits) (old, new table.Source) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	const step = 2048
	var before, after []*table.Batch
	for from := 0; from < rows; from += step {
		b := batch(r, from, min(step, rows-from))
		before = append(before, b)
		after = append(after, edited(r, b, e))
	}
	if e.Shuffled {
		r.Shuffle(len(after), func(i, j int) { after[i], after[j] = after[j], after[i] })
	}
	dir := t.TempDir()
	return pairSource(t, filepath.Join(dir, "old.parquet"), before), pairSource(t, filepath.Join(dir, "new.parquet"), after)
}

func pairSource(t testing.TB, path string, batches []*table.Batch) table.Source {
	t.Helper()
	s := table.Source{ID: path, Schema: catalog.Schema{Fields: Fields}, Parts: []string{path}}
	for _, b := range batches {
		s.Rows += int64(b.Len)
	}
	if err := write(path, slices.Values(batches)); err != nil {
		t.Fatal(err)
	}
	return s
}

// edited is a batch with edits.
func edited(r *rand.Rand, b *table.Batch, e Edits) *table.Batch {
	out := &table.Batch{Columns: make([]table.Vector, len(b.Columns))}
	for c, f := range Fields {
		out.Columns[c] = table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone}
	}
	put := func(row int) {
		for c := range out.Columns {
			to, from := &out.Columns[c], &b.Columns[c]
			to.Null = append(to.Null, from.IsNull(row))
			switch {
			case from.Int != nil:
				to.Int = append(to.Int, from.Int[row])
			case from.Num != nil:
				to.Num = append(to.Num, from.Num[row])
			case from.Bool != nil:
				to.Bool = append(to.Bool, from.Bool[row])
			default:
				to.Text = append(to.Text, from.Text[row])
			}
		}
		out.Len++
	}
	for row := range b.Len {
		if r.IntN(1000) < e.Removed {
			continue
		}
		put(row)
		v, last := out.Columns, out.Len-1
		if r.IntN(1000) < e.Changed {
			v[5].Int[last] += 1 + r.Int64N(9)
			switch r.IntN(4) {
			case 0:
				v[9].Null[last], v[9].Text[last] = false, fmt.Sprintf("复核%d", r.IntN(1000))
			case 1:
				v[6].Null[last] = !v[6].Null[last]
			case 2:
				v[7].Num[last] += 0.5
			}
		}
		if r.IntN(1000) < e.Added {
			put(row)
			v[0].Int[out.Len-1]++ // between the numbers of others
		}
	}
	return out
}

// WriteBatches writes what give yields as one Parquet file and returns its rows.
func WriteBatches(t testing.TB, path string, fields []catalog.Field, give func(yield func(*table.Batch) error) error) (rows int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	columns := []parquet.Column{}
	for _, field := range fields {
		columns = append(columns, parquet.ColumnOf(field))
	}
	w := parquet.NewWriter(f, columns, parquet.Options{})
	err = give(func(b *table.Batch) error {
		rows += int64(b.Len)
		return w.Write(b)
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
