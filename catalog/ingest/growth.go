package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// Base is a table of the newest release, as the rows of a file are added to it.
type Base struct {
	Release int           `json:"release"`
	Table   catalog.Table `json:"table"` // with its parts and its sketch
	Paths   []string      `json:"paths"` // of the parts
}

// field returns a column of the base by name, or nil.
func (b *Base) field(name string) *catalog.Field {
	if b == nil {
		return nil
	}
	i := slices.IndexFunc(b.Table.Schema.Fields, func(f catalog.Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &b.Table.Schema.Fields[i]
}

const (
	// maxUpsert is how many rows a file that replaces others may have: the hashes
	// of their keys are held in memory, 16 bytes each.
	maxUpsert = 10_000_000
	// maxBaseParts is how many parts a table may have before they are written as
	// one: a page of a table reads one part, but a scan opens them all.
	maxBaseParts = 64
)

// growth adds the rows of a file to a table of the newest release. A nil growth
// adds to nothing: the file is the table.
type growth struct {
	*run
	base     *Base
	keys     [][2]uint64 // of the file's rows, sorted; nil: nothing is replaced
	hash     *apart      // how keys are hashed
	out      *output     // what is left of the base; nil: it stays as it is
	rest     string      // path of out
	left     int64       // rows of the base that stay
	replaced int64
}

// growth sees that the file has the columns of the base, and has them read in
// the base's order.
func (r *run) growth(fields []catalog.Field, first *firstPass) (*growth, error) {
	if r.req.Options.Mode == "" {
		return nil, nil
	}
	if r.req.Base == nil {
		return nil, refuse("no_base_table", "", "")
	}
	if len(r.result.Tables) > 0 {
		return nil, refuse("bad_option", "追加或更新的文件只能有一张表：请写明读哪张工作表。", "A file that adds rows has one table: state which sheet is read.")
	}
	g := &growth{run: r, base: r.req.Base}
	schema := &g.base.Table.Schema
	at := map[string]int{}
	for i, f := range fields {
		if first.kept == nil || slices.Contains(first.kept, i) {
			at[f.Name] = i
		}
	}
	var order []int
	var missing []string
	for _, f := range schema.Fields {
		i, ok := at[f.Name]
		if !ok {
			missing = append(missing, f.Name)
			continue
		}
		order = append(order, i)
		delete(at, f.Name)
	}
	var extra []string
	for _, f := range fields {
		if _, there := at[f.Name]; there {
			extra = append(extra, f.Name)
		}
	}
	if len(missing)+len(extra) > 0 {
		return nil, refuse("other_columns", "追加或更新的文件须与第%[1]d版的表列名相同：缺少%[2]s；多出%[3]s。", "To add rows, the file must have the columns of the table in release %[1]d: it lacks %[2]s and has %[3]s beside them.",
			g.base.Release, orNone(missing), orNone(extra))
	}
	first.kept = order
	if r.req.Options.Mode == catalog.Upsert && len(schema.Key) == 0 {
		return nil, refuse("no_key", "", "")
	}
	return g, nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

// pin gives the columns the exact types of the base.
func (g *growth) pin(fields []catalog.Field, types []columnType) {
	if g == nil {
		return
	}
	for i := range fields {
		f, t, b := &fields[i], &types[i], g.base.field(fields[i].Name)
		if t.Type == catalog.Datetime && t.Zone != b.Zone {
			t.toUTC = b.Zone == "Z" && t.as == asOffset
		}
		t.Precision, t.Scale, t.Zone = b.Precision, b.Scale, b.Zone
		f.Precision, f.Scale, f.Zone = b.Precision, b.Scale, b.Zone
	}
}

// begin reads the base, so that the rows of the file can follow: what of it stays
// goes into the content hash, and into a file of its own where some does not stay.
func (g *growth) begin(ctx context.Context, second *secondPass) error {
	if g == nil {
		return nil
	}
	g.result.Report.Base = g.base.Release
	schema := &g.base.Table.Schema
	if g.req.Options.Mode == catalog.Upsert {
		var key []int
		for _, name := range schema.Key {
			key = append(key, schema.Index(name))
		}
		g.hash = newApart(g.req.OutDir, "contract_key", key, schema.Key)
		if err := g.collect(ctx, second); err != nil || g.findings.Fatal() {
			return err
		}
	}
	if g.keys != nil || len(g.base.Paths) >= maxBaseParts {
		columns := []parquet.Column{parquet.RowNumber()}
		for _, f := range schema.Fields {
			columns = append(columns, parquet.ColumnOf(f))
		}
		g.rest = g.path(0, "rest")
		var err error
		if g.out, err = g.create(g.rest, columns, 0); err != nil {
			return err
		}
	}
	err := g.scan(ctx, second)
	if g.out != nil {
		err = errors.Join(err, g.out.close())
	}
	second.before = g.left
	return err
}

// collect hashes the keys of the file's rows. Two rows of one key, or a null in
// it, refuse the file: which row is meant could not be said.
func (g *growth) collect(ctx context.Context, second *secondPass) error {
	in, err := second.spool.reader()
	if err != nil {
		return err
	}
	t := second.newTyped()
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		t.Reset(len(second.types))
		if err := in.read(&t.Chunk); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		second.convert(t, func(int, int, []byte) {}) // what does not fit is told when it is written
		before := g.hash.nulls.cells
		if err := g.hash.add(&t.batch, t.Rows); err != nil {
			return err
		}
		if g.hash.nulls.cells > before && before == 0 {
			return refuse("upsert_key", "更新的文件里主键（%[1]s）有空值。", "The key (%[1]s) is null in a row of the file.", strings.Join(g.hash.names, ", ")).at(g.hash.nulls.places[0].Row, g.hash.names[0], "")
		}
		if g.hash.files != nil && g.hash.count > maxUpsert {
			return refuse("too_many_rows", "按主键更新的文件最多%[1]d行；请上传整张表。", "A file that replaces rows has at most %[1]d: upload the whole table.", maxUpsert)
		}
	}
	_, list, err := g.hash.repeated(ctx)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return refuse("upsert_key", "更新的文件里第%[1]d行与第%[2]d行主键（%[3]s）相同。", "Rows %[1]d and %[2]d of the file have the same key (%[3]s).", list[0].row, list[0].first, strings.Join(g.hash.names, ", ")).at(list[0].row, g.hash.names[0], "")
	}
	g.keys = make([][2]uint64, 0, g.hash.count)
	err = g.hash.each(func(r record) { g.keys = append(g.keys, r.hash) })
	g.hash.close()
	slices.SortFunc(g.keys, compareHashes)
	return err
}

func compareHashes(a, b [2]uint64) int {
	return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
}

// scan reads the base row by row, in runs of rows that stay.
func (g *growth) scan(ctx context.Context, second *secondPass) error {
	seen := int64(0)
	part := &table.Batch{Columns: make([]table.Vector, len(g.base.Table.Schema.Fields))}
	take := func(b *table.Batch) error {
		from := 0
		run := func(to int) error {
			if to == from {
				return nil
			}
			slice(part, b, from, to)
			g.left += int64(part.Len)
			if err := second.content.Add(part); err != nil {
				return err
			}
			if err := second.sketch.Add(part); err != nil {
				return err
			}
			if err := second.promise.before(part, seen+int64(from)); err != nil {
				return err
			}
			if g.out == nil {
				return nil
			}
			return g.out.w.Write(part)
		}
		for i := range b.Len {
			if g.keys == nil || !g.replaces(b, i) {
				continue
			}
			if err := run(i); err != nil {
				return err
			}
			from = i + 1
			g.replaced++
		}
		err := run(b.Len)
		seen += int64(b.Len)
		return err
	}
	for _, path := range g.base.Paths {
		if err := g.readPart(ctx, path, take); err != nil {
			return fmt.Errorf("read table %s of release %d: %w", g.base.Table.Name, g.base.Release, err)
		}
	}
	if seen != g.base.Table.Rows {
		return fmt.Errorf("table %s of release %d has %d rows, not %d", g.base.Table.Name, g.base.Release, seen, g.base.Table.Rows)
	}
	return nil
}

// readPart yields the rows of a part of the base, batch after batch.
func (g *growth) readPart(ctx context.Context, path string, yield func(*table.Batch) error) error {
	f, err := parquet.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was read only
	fields := g.base.Table.Schema.Fields
	columns := make([]int, len(fields))
	for i := range fields {
		columns[i] = i + 1 // behind _row
	}
	c := f.Cursor(columns)
	defer c.Close()
	for from := int64(0); from < f.Rows(); {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		b, err := c.Read(from, int(min(chunkRows, f.Rows()-from)))
		if err != nil {
			return err
		}
		for i := range fields { // which files do not carry
			b.Columns[i].Zone = fields[i].Zone
		}
		if err := yield(b); err != nil {
			return err
		}
		from += int64(b.Len)
	}
	return nil
}

// replaces reports whether the file has a row with the key of row i.
func (g *growth) replaces(b *table.Batch, i int) bool {
	hash, ok := g.hash.of(b, i)
	if !ok {
		return false
	}
	_, found := slices.BinarySearchFunc(g.keys, hash, compareHashes)
	return found
}

// slice makes part the rows from … to of b, which share its memory.
func slice(part, b *table.Batch, from, to int) {
	part.Len = to - from
	for i := range b.Columns {
		v, w := &b.Columns[i], &part.Columns[i]
		*w = table.Vector{Type: v.Type, Precision: v.Precision, Scale: v.Scale, Zone: v.Zone}
		w.Null, w.Bool, w.Int, w.Num, w.Text = cut(v.Null, from, to), cut(v.Bool, from, to), cut(v.Int, from, to), cut(v.Num, from, to), cut(v.Text, from, to)
	}
}

func cut[T any](s []T, from, to int) []T {
	if len(s) == 0 {
		return nil
	}
	return s[from:to]
}

// end notes in the table what it consists of, and tells what was done. parts are
// the paths of its parts, to which those of the base are added.
func (g *growth) end(b *Built, parts *[]string) {
	if g == nil {
		return
	}
	added := b.TypedRows
	b.Table.Rows = g.left + added
	b.Table.Sketch = b.Table.Sketch.And(g.base.Table.Sketch)
	b.Table.Schema.Key = g.base.Table.Schema.Key
	b.Table.Title = g.base.Table.Title
	switch {
	case g.out == nil || g.replaced == 0 && len(g.base.Paths) < maxBaseParts:
		b.Keeps = true
		*parts = append(slices.Clone(g.base.Paths), *parts...)
	case g.left > 0:
		b.RestPath = g.rest
		*parts = append([]string{g.rest}, *parts...)
	}
	if added == 0 && len(*parts) > 1 { // a part without rows is none
		*parts = (*parts)[:len(*parts)-1]
	}
	if g.req.Options.Mode == catalog.Upsert {
		f := found("rows_upserted", "按主键更新第%[1]d版的表：替换%[2]d行，新增%[3]d行，共%[4]d行。", "By the key, of the table of release %[1]d %[2]d rows are replaced and %[3]d added: it has %[4]d.", g.base.Release, g.replaced, added-g.replaced, b.Table.Rows)
		g.findings.Add(f)
		return
	}
	f := found("rows_appended", "在第%[1]d版的%[2]d行之后追加%[3]d行，共%[4]d行。", "%[3]d rows are added after the %[2]d of release %[1]d: the table has %[4]d.", g.base.Release, g.left, added, b.Table.Rows)
	g.findings.Add(f)
}
