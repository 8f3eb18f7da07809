package diff_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/diff"
	"taihu/catalog/table/duck/ducktest"
	"taihu/catalog/table/memory"
	"taihu/catalog/table/parts"
	"taihu/catalog/table/tabletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inMemory and inParts open a relation as a side: in one piece, and as Parquet read in
// pieces.
func inMemory(_ testing.TB, r *relation) diff.Side {
	return diff.Side{Table: memory.NewTable(r.schema, r.values), Schema: &r.schema, Rows: int64(len(r.values))}
}

func inParts(t testing.TB, r *relation) diff.Side {
	t.Helper()
	tab, err := parts.New(memory.New()).Open(t.Context(), ducktest.Source(t, r.schema, r.values, len(r.values)/3))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tab.Close() })
	return diff.Side{Table: tab, Schema: &r.schema, Rows: int64(len(r.values))}
}

// listed is the list of changes as lines of the oracle's.
func listed(t testing.TB, r *diff.Result, old, new diff.Side) []string {
	t.Helper()
	type row struct{ head string }
	var order []row
	text := map[row][]string{}
	fields := r.Fields()
	n := len(fields)
	err := r.Lines(t.Context(), old, new, "", func(b *table.Batch) error {
		for i := range b.Len {
			cell := func(c int) *string {
				if b.Columns[c].IsNull(i) {
					return nil
				}
				s := string(b.Columns[c].AppendText(nil, i))
				return &s
			}
			change := *cell(0)
			var at row
			switch diff.Change(change) {
			case diff.Changed:
				at.head = fmt.Sprintf("changed row %s>%s: ", *cell(1), *cell(2))
			case diff.Added:
				at.head = fmt.Sprintf("added row %s: ", *cell(2))
			default:
				at.head = fmt.Sprintf("removed row %s: ", *cell(1))
			}
			if !slices.Contains(order, at) {
				order = append(order, at)
			}
			name := cell(n - 3)
			if name == nil {
				text[at] = nil
				continue
			}
			old, new := shown(cell(n-2)), shown(cell(n-1))
			line := *name + "=" + old + ">" + new
			if change != string(diff.Changed) {
				line = *name + "=" + map[string]string{string(diff.Added): new, string(diff.Removed): old}[change]
			}
			text[at] = append(text[at], line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, at := range order {
		if strings.HasPrefix(at.head, "changed") {
			slices.Sort(text[at])
		}
		lines = append(lines, at.head+strings.Join(text[at], "|"))
	}
	slices.Sort(lines)
	return lines
}

// mutated makes another release of a table: rows gone, new, changed, moved and
// doubled, columns gone, new, moved and of other types.
func mutated(r *rand.Rand, schema catalog.Schema, rows [][]table.Value) (catalog.Schema, [][]table.Value) {
	other, more := tabletest.Table(r.Uint64())
	out := make([][]table.Value, 0, len(rows))
	for _, row := range rows {
		if r.IntN(8) == 0 {
			continue
		}
		row = slices.Clone(row)
		if r.IntN(5) == 0 {
			c := r.IntN(len(row))
			row[c] = rows[r.IntN(len(rows))][c]
		}
		out = append(out, row)
		if r.IntN(20) == 0 {
			out = append(out, slices.Clone(row))
		}
	}
	if r.IntN(2) == 0 {
		r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	changed := catalog.Schema{Fields: slices.Clone(schema.Fields)}
	for i := range changed.Fields {
		f := &changed.Fields[i]
		if r.IntN(4) > 0 {
			continue
		}
		switch f.Type {
		case catalog.Integer: // the same numbers, of another type
			f.Type, f.Precision, f.Scale = catalog.Decimal, 18, 0
			for _, row := range out {
				row[i].Int %= 1e17
			}
		case catalog.Datetime:
			f.Zone = "+09:00"
		case catalog.String:
			f.Type = catalog.JSON
		}
	}
	if r.IntN(3) == 0 && len(other.Fields) > 0 && len(more) > 0 { // a column more
		f := other.Fields[0]
		if !slices.ContainsFunc(changed.Fields, func(g catalog.Field) bool { return strings.EqualFold(f.Name, g.Name) }) {
			changed.Fields = append(changed.Fields, f)
			for i := range out {
				out[i] = append(out[i], more[i%len(more)][0])
			}
		}
	}
	if len(changed.Fields) > 1 && r.IntN(3) == 0 { // one less
		c := r.IntN(len(changed.Fields))
		changed.Fields = slices.Delete(changed.Fields, c, c+1)
		for i := range out {
			out[i] = slices.Delete(out[i], c, c+1)
		}
	}
	if len(changed.Fields) > 1 && r.IntN(3) == 0 { // another order
		f := changed.Fields
		f[0], f[1] = f[1], f[0]
		for i := range out {
			out[i][0], out[i][1] = out[i][1], out[i][0]
		}
	}
	return changed, out
}

// numbered gives a table a first column that tells its rows apart.
func numbered(r *rand.Rand, schema catalog.Schema, rows [][]table.Value) (catalog.Schema, [][]table.Value) {
	schema.Fields = append([]catalog.Field{{Name: "key id", Type: catalog.Integer}}, slices.Clone(schema.Fields)...)
	out := make([][]table.Value, len(rows))
	for i, n := range r.Perm(len(rows)) {
		out[i] = append([]table.Value{{Int: int64(n) * 7}}, rows[i]...)
	}
	return schema, out
}

func TestComparisonsEqualTheOracle(t *testing.T) {
	seeds := 400
	if testing.Short() {
		seeds = 60
	}
	uniques := 0
	for seed := range seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		schema, rows := tabletest.Table(uint64(seed))
		var key []string
		if seed%2 == 0 {
			schema, rows = numbered(r, schema, rows)
			key = []string{"key id"}
			if seed%4 == 0 && len(schema.Fields) > 1 {
				key = append(key, schema.Fields[1].Name)
			}
		}
		newSchema, newRows := mutated(r, schema, rows)
		old, new := relationOf(t, schema, rows), relationOf(t, newSchema, newRows)
		for _, k := range key {
			if newSchema.Index(k) < 0 {
				key = nil
			}
		}
		want, counts, cells, unique := oracle(old, new, key)
		for name, open := range map[string]func(testing.TB, *relation) diff.Side{"memory": inMemory, "parts": inParts} {
			a, b := open(t, &old), open(t, &new)
			// With no memory everything passes through the disk.
			got, err := diff.Compare(t.Context(), a, b, diff.Options{Key: key, Strict: true, Dir: t.TempDir(), Memory: int64(1 + seed%3<<20)})
			if !unique {
				if catalog.CodeOf(err) != "key_not_unique" {
					t.Errorf("seed %d, %s: key %q is not unique, but: %v", seed, name, key, err)
				}
				continue
			}
			uniques++
			if err != nil {
				t.Fatalf("seed %d, %s: %v", seed, name, err)
			}
			if got.Rows != counts || got.Cells != cells {
				t.Errorf("seed %d, %s, key %q: %+v and %d cells, want %+v and %d", seed, name, key, got.Rows, got.Cells, counts, cells)
			}
			// Which of several equal rows stayed means nothing but must not waver: the
			// oracle takes the first, as the rules do.
			if lines := listed(t, got, a, b); !slices.Equal(lines, want) {
				t.Errorf("seed %d, %s, key %q:\n%s\nwant\n%s", seed, name, key, strings.Join(lines, "\n"), strings.Join(want, "\n"))
			}
			if err := got.Close(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				return
			}
		}
	}
	if uniques < seeds/2 {
		t.Errorf("only %d comparisons were made", uniques)
	}
}

// TestLargeTablesEqualTheSmall: records in many blocks and parts, on the disk and in
// memory, give the counts that the tables were made for.
func TestLargeTablesEqualTheSmall(t *testing.T) {
	const n = 60_000
	schema := catalog.Schema{Fields: []catalog.Field{{Name: "id", Type: catalog.Integer}, {Name: "v", Type: catalog.String}, {Name: "same", Type: catalog.String}}}
	var old, new relation
	old.schema, new.schema = schema, schema
	for i := range n {
		v := table.Value{Text: fmt.Sprint("value ", i%100)}
		same := table.Value{Text: "同"}
		old.values = append(old.values, []table.Value{{Int: int64(i)}, v, same})
		switch {
		case i%10 == 3: // gone
		case i%10 == 7:
			new.values = append(new.values, []table.Value{{Int: int64(i)}, {Text: "other"}, same})
		default:
			new.values = append(new.values, []table.Value{{Int: int64(i)}, v, same})
		}
		if i%20 == 0 {
			new.values = append(new.values, []table.Value{{Int: int64(n + i)}, v, same})
		}
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(new.values), func(i, j int) { new.values[i], new.values[j] = new.values[j], new.values[i] })
	for _, memory := range []int64{1, 0} {
		a, b := inParts(t, &old), inParts(t, &new)
		r, err := diff.Compare(t.Context(), a, b, diff.Options{Key: []string{"ID"}, Strict: true, Dir: t.TempDir(), Memory: memory})
		if err != nil {
			t.Fatal(err)
		}
		want := diff.RowCounts{Old: n, New: n - n/10 + n/20, Added: n / 20, Removed: n / 10, Changed: n / 10, Same: n - n/5}
		if r.Rows != want || r.Cells != n/10 || r.Columns[1].Cells != n/10 {
			t.Errorf("memory %d: %+v, %d cells; want %+v", memory, r.Rows, r.Cells, want)
		}
		m, err := diff.Compare(t.Context(), a, b, diff.Options{Dir: t.TempDir(), Memory: memory})
		if err != nil {
			t.Fatal(err)
		}
		want = diff.RowCounts{Old: n, New: want.New, Added: n/20 + n/10, Removed: n / 5, Same: n - n/5}
		if m.Rows != want {
			t.Errorf("memory %d, without a key: %+v, want %+v", memory, m.Rows, want)
		}
		pagesEqualTheList(t, r, a, b)
		_, _ = r.Close(), m.Close()
	}
}

// pagesEqualTheList: every page, at any place, has the rows that the whole list has.
func pagesEqualTheList(t *testing.T, r *diff.Result, old, new diff.Side) {
	t.Helper()
	at := func(change diff.Change, skip, limit int64) diff.Page {
		text, err := r.Page(t.Context(), old, new, change, skip, limit)
		if err != nil {
			t.Fatal(err)
		}
		var p diff.Page
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return p
	}
	var all []diff.RowChange
	for skip := int64(0); ; {
		p := at("", skip, 4000)
		all = append(all, p.Changes...)
		if p.Next == nil {
			break
		}
		skip = *p.Next
	}
	if int64(len(all)) != r.Rows.Of("") {
		t.Fatalf("pages have %d changes, want %d", len(all), r.Rows.Of(""))
	}
	for _, skip := range []int64{0, 1, 5999, 6000, 6001, 8998, 9000, 14999} {
		for i, row := range at("", skip, 3).Changes {
			if want := all[skip+int64(i)]; fmt.Sprint(row) != fmt.Sprint(want) {
				t.Errorf("change %d: %v, want %v", skip+int64(i), row, want)
			}
		}
	}
	if p := at(diff.Removed, 10, 2); len(p.Changes) != 2 || p.Changes[0].Change != diff.Removed || *p.Next != 12 {
		t.Errorf("removed rows: %+v", p)
	}
	if p := at("", 1<<40, 2); len(p.Changes) != 0 || p.Next != nil {
		t.Errorf("behind the end: %+v", p)
	}
}

func TestKeysThatDoNotHold(t *testing.T) {
	old := relation{schema: catalog.Schema{Fields: []catalog.Field{{Name: "id", Type: catalog.Integer}, {Name: "gone", Type: catalog.Integer}}},
		values: [][]table.Value{{{Int: 1}, {Int: 1}}, {{Int: 2}, {Null: true}}, {{Int: 1}, {Int: 3}}}}
	new := relation{schema: catalog.Schema{Fields: []catalog.Field{{Name: "ID", Type: catalog.Integer}, {Name: "more", Type: catalog.Integer}}},
		values: [][]table.Value{{{Int: 1}, {Int: 1}}}}
	for _, test := range []struct {
		key          []string
		code, notice string
	}{
		{[]string{"id"}, "key_not_unique", "key_not_unique"},
		{[]string{"gone"}, "bad_key", "key_missing"},
		{[]string{"id", "Id"}, "bad_key", "key_missing"},
		{[]string{"idd"}, "unknown_column", "key_missing"},
	} {
		a, b := inMemory(t, &old), inMemory(t, &new)
		if _, err := diff.Compare(t.Context(), a, b, diff.Options{Key: test.key, Strict: true}); catalog.CodeOf(err) != test.code {
			t.Errorf("key %q: %v, want %s", test.key, err, test.code)
		}
		r, err := diff.Compare(t.Context(), a, b, diff.Options{Key: test.key})
		if err != nil {
			t.Fatal(err)
		}
		if r.Notice == nil || r.Notice.Code != test.notice || r.Rows.Same != 1 || r.Rows.Removed != 2 || len(r.Key) != 0 {
			t.Errorf("declared key %q: %+v, notice %+v, want %s", test.key, r.Rows, r.Notice, test.notice)
		}
	}
}

func TestColumnsAreMatchedByName(t *testing.T) {
	old := relation{schema: catalog.Schema{Fields: []catalog.Field{
		{Name: "Name", Type: catalog.String}, {Name: "price", Type: catalog.Integer, Unit: "万元"}, {Name: "gone", Type: catalog.Date}, {Name: "area", Type: catalog.Decimal, Precision: 5, Scale: 1}}}}
	new := relation{schema: catalog.Schema{Fields: []catalog.Field{
		{Name: "price", Type: catalog.Number, Unit: "元"}, {Name: "name", Type: catalog.String, Label: catalog.Text{Zh: "名称"}}, {Name: "more", Type: catalog.Date}, {Name: "area", Type: catalog.Decimal, Precision: 5, Scale: 1}}}}
	r, err := diff.Compare(t.Context(), inMemory(t, &old), inMemory(t, &new), diff.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range r.Columns {
		got = append(got, fmt.Sprint(c.Name, " ", c.Change, " ", c.Words))
	}
	want := []string{"price changed []", "name changed [label]", "more added []", "area same []", "gone removed []"}
	if !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
}

func TestCancelledComparisonsEnd(t *testing.T) {
	r := relation{schema: catalog.Schema{Fields: []catalog.Field{{Name: "a", Type: catalog.Integer}}}}
	for i := range 50_000 {
		r.values = append(r.values, []table.Value{{Int: int64(i)}})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := inParts(t, &r)
	if _, err := diff.Compare(ctx, a, a, diff.Options{}); err == nil {
		t.Error("a cancelled comparison came to an end")
	}
}

// TestLongValuesComeFewAtATime: neither a page nor what is read at once grows with
// them, and nothing is left out.
func TestLongValuesComeFewAtATime(t *testing.T) {
	schema := catalog.Schema{Fields: []catalog.Field{{Name: "id", Type: catalog.Integer}, {Name: "v", Type: catalog.String}}}
	old, new := relation{schema: schema}, relation{schema: schema}
	const n = 40
	for i := range n {
		old.values = append(old.values, []table.Value{{Int: int64(i)}, {Text: strings.Repeat("a", 1<<20)}})
		new.values = append(new.values, []table.Value{{Int: int64(n - i)}, {Text: strings.Repeat("b", 1<<20)}})
	}
	a, b := inMemory(t, &old), inMemory(t, &new)
	r, err := diff.Compare(t.Context(), a, b, diff.Options{Key: []string{"id"}, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Rows.Changed != n-1 || r.Cells != n-1 || r.Rows.Added != 1 || r.Rows.Removed != 1 {
		t.Errorf("%+v, %d cells", r.Rows, r.Cells)
	}
	seen, pages := 0, 0
	for skip := int64(0); ; pages++ {
		text, err := r.Page(t.Context(), a, b, "", skip, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 12<<20 {
			t.Errorf("a page has %d bytes", len(text))
		}
		var p diff.Page
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		seen += len(p.Changes)
		if p.Next == nil {
			break
		}
		skip = *p.Next
	}
	if seen != n+1 || pages < 5 {
		t.Errorf("%d changes on %d pages", seen, pages+1)
	}
}
