package ingest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"taihu/catalog"
	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// depth is how many chunks are under way at once.
const depth = 4

// table takes one table through both passes.
func (r *run) table(ctx context.Context, src Source, h *Header, chosen map[string]bool) error {
	name := r.names.take(r.req.Options.Table, h.Sheet, r.result.Report.File)
	r.findings.setTable(name)
	defer r.findings.setTable("")
	told := r.findings
	if !slices.ContainsFunc(h.Columns, func(name string) bool { return name != "" }) {
		told = &Findings{} // without a header no column has a name: that is told once
	}
	fields, err := nameColumns(h.Columns, told)
	if err != nil {
		return err
	}
	sp, err := newSpool(r.req.OutDir)
	if err != nil {
		return err
	}
	defer sp.close()
	n := len(r.result.Tables)
	built := Built{TextPath: r.path(n, "text"), TypedPath: r.path(n, "typed")}
	first := &firstPass{run: r, src: src, fields: fields, plans: planColumns(r.req.Options, name, fields), spool: sp, path: built.TextPath}
	for _, i := range h.LeftOut {
		first.plans[i].drops = append(first.plans[i].drops, "hidden_columns")
	}
	if err := first.keep(); err != nil {
		return err
	}
	grow, err := r.growth(fields, first)
	if err != nil {
		return err
	}
	if err := first.do(ctx); err != nil {
		return err
	}
	if !r.findings.Fatal() {
		first.tell(h)
	}
	r.tellPersonal(fields, first.plans)
	for i, f := range fields {
		chosen[f.Name] = chosen[f.Name] || len(first.plans[i].drops) > 0
	}
	fields, h = only(fields, first.kept), h.only(first.kept)
	types, decisions := r.decide(name, fields, h, only(first.evidence, first.kept), only(first.plans, first.kept), chosen)
	grow.pin(fields, types)
	if err := r.weighTypes(ctx, fields, types, only(first.evidence, first.kept), decisions, sp); err != nil {
		return err
	}
	r.result.Report.Decisions = append(r.result.Report.Decisions, decisions...)
	r.proposeUnits(h, fields)
	tellCoordinates(name, fields, only(first.evidence, first.kept), r.findings)
	tellInitials(fields, r.findings)
	r.result.Report.Tables = append(r.result.Report.Tables, catalog.TableFacts{Name: name, Sheet: h.Sheet, Rows: first.rows, Columns: len(fields), Title: h.Title, Unit: h.Unit, Notes: h.Notes})
	if r.findings.Fatal() {
		return nil // later sheets are still looked at
	}
	built.Table = catalog.Table{Name: name, Title: title(h, r.result.Report.File), Position: n, Schema: catalog.Schema{Fields: fields}, Rows: first.rows}
	promise, err := r.promise(name, fields, types)
	if err != nil {
		return err
	}
	defer promise.close()
	second := &secondPass{run: r, fields: built.Table.Schema.Fields, types: types, spool: sp, path: built.TypedPath, promise: promise, content: table.NewContentHash(fields), sketch: table.NewSketcher(fields, first.ofPersons)}
	if err := grow.begin(ctx, second); err != nil {
		return err
	}
	if err := second.do(ctx); err != nil {
		return err
	}
	if err := promise.tell(ctx, sp); err != nil {
		return err
	}
	built.Table.ContentSHA256 = second.content.Sum()
	built.Table.Sketch = first.sketch.sketch()
	built.TypedRows = first.rows
	parts := []string{built.TypedPath}
	grow.end(&built, &parts)
	if r.profiler != nil && !r.findings.Fatal() {
		s := table.Source{ID: built.Table.ContentSHA256, Schema: built.Table.Schema, Parts: parts, Rows: built.Table.Rows}
		if built.Table.Profile, err = r.profiler.Profile(ctx, s); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	built.Table.ColumnSketches = second.sketch.Sketches(built.Table.Profile.Values)
	r.result.Tables = append(r.result.Tables, built)
	return nil
}

// ofPersons reports whether personal information was found, or masked, in a column.
func (p *firstPass) ofPersons(column string) bool {
	i := slices.IndexFunc(p.fields, func(f catalog.Field) bool { return f.Name == column })
	return len(p.hidden[column]) > 0 || i >= 0 && len(p.plans[i].masks) > 0
}

func (r *run) path(n int, form string) string {
	return filepath.Join(r.req.OutDir, fmt.Sprintf("table-%d.%s.parquet", n, form))
}

// title is the table's own name: what stands above it, else the sheet's, else the
// file's without extension.
func title(h *Header, file string) catalog.Text {
	if h.Title != "" {
		return catalog.Text{Zh: h.Title}
	}
	if h.Sheet != "" {
		return catalog.Text{Zh: h.Sheet}
	}
	base := filepath.Base(file)
	return catalog.Text{Zh: base[:len(base)-len(filepath.Ext(base))]}
}

// decide settles the type of every column and writes it into fields.
func (r *run) decide(name string, fields []catalog.Field, h *Header, evidence []*evidence, plans []columnPlan, chosen map[string]bool) ([]columnType, []catalog.Decision) {
	types := make([]columnType, len(fields))
	decisions := make([]catalog.Decision, len(fields))
	for i, e := range evidence {
		f := &fields[i]
		c := choice{table: name, column: f.Name, zone: r.req.Options.Zone}
		t, ok := r.typeOf(f.Name)
		chosen[f.Name] = chosen[f.Name] || ok
		if len(plans[i].masks) == 0 { // masked values are no longer what they were declared
			c.chosen = t
			if h.Declared != nil {
				c.declared = h.Declared[i]
			}
		}
		types[i], decisions[i] = e.decide(c, r.findings)
		decisions[i].NullWord += plans[i].nulled // counted among the nulls already
		f.Type, f.Precision, f.Scale, f.Zone = types[i].Type, types[i].Precision, types[i].Scale, types[i].Zone
	}
	return types, decisions
}

// typeOf is the type that was chosen for a column, by the steward or by the table
// to which its rows are added.
func (r *run) typeOf(column string) (catalog.Type, bool) {
	if f := r.req.Base.field(column); f != nil {
		return f.Type, true
	}
	t, ok := r.req.Options.Types[column]
	return t, ok
}

// output is a Parquet file being written.
type output struct {
	f *os.File
	b *bufio.Writer
	w *parquet.Writer
}

// create begins a Parquet file; before is how many rows of the table stand before
// its own.
func (r *run) create(path string, columns []parquet.Column, before int64) (*output, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	r.files = append(r.files, path)
	b := bufio.NewWriterSize(f, 1<<20)
	return &output{f, b, parquet.NewWriter(b, columns, parquet.Options{Workers: r.limits.Threads, FirstRow: before})}, nil
}

func (o *output) close() error {
	return errors.Join(o.w.Close(), o.b.Flush(), o.f.Close())
}

// firstPass reads the table once: text Parquet, evidence and spool from the same
// chunks, side by side.
type firstPass struct {
	*run
	src      Source
	fields   []catalog.Field // of the source
	plans    []columnPlan    // what was decided about each
	kept     []int           // those that are not left out; nil: all
	spool    *spool
	path     string
	evidence []*evidence
	sketch   *sketcher
	rows     int64
	empty    int64 // rows without a value
	emptyAt  int64
}

func (p *firstPass) do(ctx context.Context) error {
	columns := []parquet.Column{parquet.RowNumber()}
	for _, f := range p.fields {
		p.evidence = append(p.evidence, newEvidence(len(p.fields)).watch(f.Name))
	}
	for _, f := range only(p.fields, p.kept) {
		columns = append(columns, parquet.Column{Name: f.Name, Type: catalog.String})
	}
	out, err := p.create(p.path, columns, 0)
	if err != nil {
		return err
	}
	text := p.textBatch()
	spooled, written, sampled := p.projection(), p.projection(), p.projection()
	p.sketch = newSketcher(only(p.fields, p.kept))
	uses := []func(*Chunk) error{p.weigh,
		func(c *Chunk) error { p.scan(c); p.sketch.add(sampled(c)); return nil },
		func(c *Chunk) error { return p.spool.write(spooled(c)) },
		func(c *Chunk) error { return out.w.Write(text(written(c))) }}
	err = share(ctx, func() *Chunk { return &Chunk{} }, p.fill, uses)
	return errors.Join(err, out.close())
}

// fill reads the next chunk.
func (p *firstPass) fill(c *Chunk) error {
	c.Reset(len(p.fields))
	if err := p.src.Read(c); err != nil {
		return err
	}
	nullChunk(c, p.plans)
	maskChunk(c, p.plans)
	return p.count(c)
}

// count holds the table to the limits and looks for rows without a value.
func (p *firstPass) count(c *Chunk) error {
	p.rows += int64(c.Len)
	p.cells += int64(c.Len) * int64(len(p.fields))
	switch {
	case p.rows > p.limits.Rows:
		return refuse("too_many_rows", "超过%[1]d行。", "There are more than %[1]d rows.", p.limits.Rows)
	case p.cells > p.limits.Cells:
		return refuse("too_many_cells", "超过%[1]d个单元格。", "There are more than %[1]d cells.", p.limits.Cells)
	}
	for i := range c.Columns {
		if c.Columns[i].Null == nil {
			return nil
		}
	}
rows:
	for row := range c.Len {
		for i := range c.Columns {
			if !c.Columns[i].Null[row] {
				continue rows
			}
		}
		if p.empty == 0 {
			p.emptyAt = c.Rows[row]
		}
		p.empty++
	}
	return nil
}

// weigh adds a chunk to the evidence.
func (p *firstPass) weigh(c *Chunk) error {
	for i := range c.Columns {
		p.evidence[i].add(&c.Columns[i], c.Rows)
	}
	return nil
}

// scan looks for personal information in a chunk.
func (p *firstPass) scan(c *Chunk) {
	for i := range c.Columns {
		if k := &c.Columns[i]; scanning {
			p.plans[i].tally.Scan(k.Data, k.Ends, c.Rows)
		}
	}
}

// keep notes which columns are not left out.
func (p *firstPass) keep() error {
	kept := []int{}
	for i := range p.plans {
		if len(p.plans[i].drops) == 0 {
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 {
		return refuse("bad_option", "按决定所有列都去掉了。", "By the decisions every column is left out.")
	}
	if len(kept) < len(p.plans) {
		p.kept = kept
	}
	return nil
}

// projection makes chunks of the kept columns alone, which share the memory of
// the whole ones.
func (p *firstPass) projection() func(*Chunk) *Chunk {
	if p.kept == nil {
		return func(c *Chunk) *Chunk { return c }
	}
	part := &Chunk{}
	return func(c *Chunk) *Chunk {
		part.Len, part.Rows, part.Columns = c.Len, c.Rows, part.Columns[:0]
		for _, i := range p.kept {
			part.Columns = append(part.Columns, c.Columns[i])
		}
		return part
	}
}

// only returns the kept ones of what there is for each column; all where kept is nil.
func only[T any](all []T, kept []int) []T {
	if kept == nil || all == nil {
		return all
	}
	out := make([]T, len(kept))
	for k, i := range kept {
		out[k] = all[i]
	}
	return out
}

// only returns the header of the kept columns.
func (h *Header) only(kept []int) *Header {
	part := *h
	part.Columns, part.Declared = only(h.Columns, kept), only(h.Declared, kept)
	return &part
}

// textBatch makes batches of text that share the chunks' memory.
func (p *firstPass) textBatch() func(*Chunk) *table.Batch {
	b := &table.Batch{Columns: make([]table.Vector, len(only(p.fields, p.kept)))}
	return func(c *Chunk) *table.Batch {
		b.Len = c.Len
		for i := range c.Columns {
			v := &b.Columns[i]
			v.Type, v.Null, v.Text = catalog.String, c.Columns[i].Null, c.Columns[i].strings(v.Text[:0])
		}
		return b
	}
}

// tell adds what the whole table shows.
func (p *firstPass) tell(h *Header) {
	if p.rows == 0 {
		f := found("header_only", "", "")
		f.Row = h.Row
		p.findings.Add(f)
	}
	if values, cells := p.values(), p.rows*int64(len(p.fields)); scanning && values*10 < cells {
		f := found("nearly_empty", "%[1]d个单元格中只有%[2]d个有值。", "Of %[1]d cells only %[2]d hold a value.", cells, values)
		p.findings.Add(f)
	}
	if p.empty > 0 {
		f := found("empty_rows", "", "")
		f.Row, f.Count = p.emptyAt, p.empty
		p.findings.Add(f)
	}
}

// values counts the cells that are neither null nor empty.
func (p *firstPass) values() int64 {
	n := int64(0)
	for i := range p.plans {
		n += p.plans[i].tally.Values()
	}
	return n
}
