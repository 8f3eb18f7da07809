// Package duck answers table queries with DuckDB over Parquet parts. It is the
// only package that speaks to DuckDB, and it is linked in but only ever run in
// child processes: a fault in it must cost one query, not the portal.
//
// Every table is opened in an in-memory instance of its own, which is locked
// before the first query: no extensions, no file but the table's parts, no
// setting can change. Queries are compiled from a checked table.Plan: names are
// quoted, every value is bound, no text of a stranger becomes SQL.
//
// Answers stream: DuckDB's chunks are handed on as batches whose slices point
// into DuckDB's own memory, without a call per cell.
//
// It knows nothing of formats, HTTP or where parts come from.
package duck

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Config bounds each opened table.
type Config struct {
	Threads  int    // 0: 2
	MemoryMB int    // DuckDB's memory_limit; 0: 256. The process needs about 150 MB more
	TempDir  string // where large sorts spill; empty: none may
	SpillMB  int    // at most this much there; 0: 4096
}

// Engine opens tables with DuckDB.
type Engine struct{ config Config }

// New returns an engine; nothing is started until a table is opened.
func New(c Config) *Engine {
	if c.Threads <= 0 {
		c.Threads = 2
	}
	if c.MemoryMB <= 0 {
		c.MemoryMB = 256
	}
	if c.SpillMB <= 0 {
		c.SpillMB = 4096
	}
	return &Engine{config: c}
}

var _ table.Engine = (*Engine)(nil)

// Open opens the parts of s in a locked instance of their own and checks that
// they hold the columns and the number of rows that s says. An error is
// internal: published parts are ours.
func (e *Engine) Open(ctx context.Context, s table.Source) (table.Table, error) {
	t, err := e.open(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("open table %.12s: %w", s.ID, err)
	}
	return t, nil
}

func (e *Engine) open(ctx context.Context, s table.Source) (*duckTable, error) {
	if len(s.Parts) == 0 {
		return nil, fmt.Errorf("it has no parts")
	}
	t := &duckTable{source: s}
	if err := t.start(); err != nil {
		return nil, err
	}
	for _, setting := range e.settings(s) {
		if err := t.exec(setting); err != nil {
			_ = t.Close()
			return nil, err
		}
	}
	if err := t.check(ctx); err != nil {
		_ = t.Close()
		return nil, err
	}
	return t, nil
}

// settings lists the statements that prepare and lock an instance. The order
// matters: the temp folder cannot change once external access is off, and after
// the last one nothing can.
func (e *Engine) settings(s table.Source) []string {
	parts := make([]string, len(s.Parts))
	for i, p := range s.Parts {
		parts[i] = quoteText(p)
	}
	list := "[" + strings.Join(parts, ", ") + "]"
	set := []string{
		"SET threads = " + strconv.Itoa(e.config.Threads),
		"SET memory_limit = '" + strconv.Itoa(e.config.MemoryMB) + "MiB'",
		"SET temp_directory = " + quoteText(e.config.TempDir),
		"SET max_temp_directory_size = '" + strconv.Itoa(e.config.SpillMB) + "MiB'",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET preserve_insertion_order = true",
		"SET parquet_metadata_cache = true", // parts never change: no need to read a footer twice
		"SET enable_external_file_cache = false",
		"SET streaming_buffer_size = '8MiB'",
		"CREATE TEMP VIEW part AS SELECT * FROM read_parquet(" + list + ")",
		"SET allowed_paths = " + list,
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	}
	return set
}

// quoteText writes s as a SQL text. Only our own settings and paths pass here.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// quoteName writes s as a SQL identifier.
func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// start opens an empty instance and registers our functions in it.
func (t *duckTable) start() error {
	var message string
	if bindings.OpenExt(":memory:", &t.db, bindings.Config{}, &message) == bindings.StateError {
		return fmt.Errorf("start duckdb: %s", message)
	}
	if bindings.Connect(t.db, &t.conn) == bindings.StateError {
		bindings.Close(&t.db)
		return fmt.Errorf("connect to duckdb")
	}
	if err := registerMatch(t.conn); err != nil {
		_ = t.Close()
		return err
	}
	return nil
}

// exec runs a statement without parameters or answer.
func (t *duckTable) exec(sql string) error {
	var res bindings.Result
	defer bindings.DestroyResult(&res)
	if bindings.Query(t.conn, sql, &res) == bindings.StateError {
		return fmt.Errorf("%s: %s", firstWords(sql), bindings.ResultError(&res))
	}
	return nil
}

func firstWords(sql string) string {
	if len(sql) > 60 {
		return sql[:60] + "…"
	}
	return sql
}

// check compares what the parts hold with what the source says: a part that was
// damaged or exchanged must not give wrong numbers silently.
func (t *duckTable) check(ctx context.Context) error {
	for _, p := range t.source.Parts {
		if _, err := os.Stat(p); err != nil {
			return err
		}
	}
	var rows int64
	err := t.query(ctx, statement{text: "SELECT count(*), coalesce(max(_row), 0) FROM part"},
		[]catalog.Field{{Type: catalog.Integer}, {Type: catalog.Integer}}, func(b *table.Batch) error {
			rows = b.Columns[0].Int[0]
			if last := b.Columns[1].Int[0]; last != rows {
				return fmt.Errorf("its parts hold %d rows, the last of them numbered %d", rows, last)
			}
			return nil
		})
	if err != nil {
		return err
	}
	if rows != t.source.Rows {
		return fmt.Errorf("its parts hold %d rows, not %d", rows, t.source.Rows)
	}
	return t.checkTypes()
}

// checkTypes holds every column of the parts to the field that describes it, so
// that reading a chunk's memory never guesses.
func (t *duckTable) checkTypes() error {
	st := selectOf(&table.Plan{Schema: &t.source.Schema, Columns: allColumns(&t.source.Schema)})
	p, err := t.prepare(st)
	if err != nil {
		return err
	}
	defer bindings.DestroyPrepare(&p)
	for i, f := range t.source.Schema.Fields {
		got := bindings.PreparedStatementColumnType(p, bindings.IdxT(i))
		if got != storedAs(f.Type) {
			return fmt.Errorf("column %d is stored as duckdb type %d, not as %s", i+1, got, f.Type)
		}
		if f.Type != catalog.Decimal {
			continue
		}
		lt := bindings.PreparedStatementColumnLogicalType(p, bindings.IdxT(i))
		width, scale := int(bindings.DecimalWidth(lt)), int(bindings.DecimalScale(lt))
		bindings.DestroyLogicalType(&lt)
		if width != f.Precision || scale != f.Scale {
			return fmt.Errorf("column %d is stored as decimal(%d,%d), not as decimal(%d,%d)", i+1, width, scale, f.Precision, f.Scale)
		}
	}
	return nil
}

func allColumns(s *catalog.Schema) []int {
	columns := make([]int, len(s.Fields))
	for i := range columns {
		columns[i] = i
	}
	return columns
}

// storedAs is the DuckDB type of a field's column in a typed Parquet.
func storedAs(t catalog.Type) bindings.Type {
	switch t {
	case catalog.Boolean:
		return bindings.TypeBoolean
	case catalog.Integer:
		return bindings.TypeBigInt
	case catalog.Decimal:
		return bindings.TypeDecimal
	case catalog.Number:
		return bindings.TypeDouble
	case catalog.Date:
		return bindings.TypeDate
	case catalog.Time:
		return bindings.TypeTime
	case catalog.Datetime:
		return bindings.TypeTimestamp
	}
	return bindings.TypeVarchar
}
