// Package store keeps the catalogue in SQLite or PostgreSQL. It holds all SQL of
// the portal and every change as a verb: one method, one transaction, which asks
// catalog.Can about the actor it is given, moves releases only along
// catalog.State, writes one hash-chained event, and enqueues the jobs that the
// change makes necessary.
//
// A change that names a row_version is refused (PreconditionFailed,
// stale_row_version) where somebody else was faster; 0 means any. What an actor
// may not even know of is NotFound, word for word as if it did not exist.
//
// It knows nothing of HTTP, of files' contents, nor of the search index. Driver
// errors stop here: they are recognised by code and come out as catalog errors.
package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"taihu/catalog"
)

// Options configure Open.
type Options struct {
	Clock   catalog.Clock // nil: catalog.Now
	Log     *slog.Logger  // nil: discarded
	Readers int           // connections for reading at most; 0: 8

	Calendar   *catalog.Calendar // by which deadlines are counted; nil: the one the portal comes with
	AnswerDays int               // working days in which feedback is answered; 0: catalog.FeedbackDays
}

// DB is the catalogue in one database. It may be used by many goroutines.
type DB struct {
	write, read *bun.DB // the same pool on PostgreSQL; on SQLite one writer beside many readers
	postgres    bool
	clock       catalog.Clock
	log         *slog.Logger
	calendar    *catalog.Calendar
	answerDays  int
	wake        chan struct{}
	hashing     chan struct{} // a seat for each password hash that may be computed at once
}

// oldestSQLite is the first version without the WAL-reset race, which could
// lose commits (design/reliability.md §0).
const oldestSQLite = "3.51.3"

// Open opens the database that dsn names: "sqlite:PATH" (the file is made where
// missing) or "postgres://…". It does not migrate.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	db := &DB{clock: o.Clock, log: o.Log, calendar: o.Calendar, answerDays: o.AnswerDays, wake: make(chan struct{}, 1), hashing: make(chan struct{}, parallelHashes)}
	if db.clock == nil {
		db.clock = catalog.Now
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if o.Readers <= 0 {
		o.Readers = 8
	}
	if db.answerDays <= 0 {
		db.answerDays = catalog.FeedbackDays
	}
	var err error
	if db.calendar == nil {
		if db.calendar, err = catalog.NewCalendar(""); err != nil {
			return nil, err
		}
	}
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "sqlite":
		err = db.openSQLite(ctx, rest, o.Readers)
	case "postgres", "postgresql":
		err = db.openPostgres(dsn, o.Readers)
	default:
		return nil, catalog.Errorf(catalog.Invalid, "bad_database", "the database must be named as sqlite:PATH or postgres://…")
	}
	if err == nil {
		err = db.Ping(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

func (db *DB) openSQLite(ctx context.Context, path string, readers int) error {
	address := func(extra ...string) string {
		q := url.Values{"_pragma": append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, extra...)}
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
	}
	w, err := sql.Open("sqlite", address()+"&_txlock=immediate")
	if err != nil {
		return err
	}
	w.SetMaxOpenConns(1)
	db.write = bun.NewDB(w, sqlitedialect.New())
	var version string
	// Making a new file's journal a WAL does not wait for another process that
	// does the same: SQLite answers BUSY at once.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := w.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version)
		if err == nil {
			break
		}
		if _, code := driverCode(err); code&0xff != sqlite3.SQLITE_BUSY || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
	}
	if olderThan(version, oldestSQLite) {
		return fmt.Errorf("SQLite %s is linked in, at least %s is needed", version, oldestSQLite)
	}
	r, err := sql.Open("sqlite", address("query_only(1)"))
	if err != nil {
		return err
	}
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	db.read = bun.NewDB(r, sqlitedialect.New())
	return nil
}

func (db *DB) openPostgres(dsn string, readers int) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return errors.New("the postgres address cannot be read") // the cause may quote the password
	}
	if config.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return errors.New("the simple protocol is not used: remove default_query_exec_mode from the address")
	}
	db.postgres = true
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(_ context.Context, c *pgx.Conn) error {
		c.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}})
		return nil
	}))
	pool.SetMaxOpenConns(readers + 4)
	pool.SetMaxIdleConns(readers + 4)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db.write = bun.NewDB(pool, pgdialect.New())
	db.read = db.write
	return nil
}

// olderThan compares dotted versions number by number.
func olderThan(version, least string) bool {
	v, l := strings.Split(version, "."), strings.Split(least, ".")
	for i := range l {
		if i >= len(v) {
			return true
		}
		a, _ := strconv.Atoi(v[i])
		b, _ := strconv.Atoi(l[i])
		if a != b {
			return a < b
		}
	}
	return false
}

// Close closes all connections.
func (db *DB) Close() error {
	var errs []error
	if db.read != nil && db.read != db.write {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	return errors.Join(errs...)
}

// Ping returns nil where the database answers, else Unavailable.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.read.PingContext(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}

// conn runs SQL in a transaction. Queries are written with ? and reach the
// driver with their arguments apart, never pasted into the text.
type conn struct {
	*DB
	sql *sql.Tx
	bun *bun.DB // scans rows into structs by the names of their columns
}

// tx is the transaction of one verb.
type tx struct {
	conn
	now       time.Time
	enqueued  bool
	catalogue bool // what readers see of the catalogue changed: it gets a new version
}

// attempts is how often a verb is run where the database itself asks for it to
// be tried again (serialization failure, deadlock).
const attempts = 6

// update runs f as one transaction; what names the verb in internal errors.
func (db *DB) update(ctx context.Context, what string, f func(t *tx) error) error {
	for attempt := 1; ; attempt++ {
		err := db.updateOnce(ctx, f)
		switch {
		case err == nil:
			return nil
		case attempt < attempts && isRetryable(err):
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(rand.IntN(1<<attempt*5)+1) * time.Millisecond):
			}
			continue
		}
		return named(what, err)
	}
}

func (db *DB) updateOnce(ctx context.Context, f func(t *tx) error) error {
	s, err := db.write.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Rollback() }() // does nothing after the commit
	t := &tx{conn: conn{DB: db, sql: s, bun: db.write}, now: db.clock()}
	if err := f(t); err != nil {
		return err
	}
	if t.catalogue { // last, as two that change it wait for each other here
		if _, err := t.exec(ctx, `UPDATE catalogue_state SET version = version + 1`); err != nil {
			return err
		}
	}
	if err := s.Commit(); err != nil {
		return err
	}
	if t.enqueued {
		db.signal()
	}
	return nil
}

// view runs f in one read transaction, so that what it reads belongs together.
func (db *DB) view(ctx context.Context, what string, f func(c *conn) error) error {
	var o *sql.TxOptions
	if db.postgres {
		o = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	s, err := db.read.DB.BeginTx(ctx, o)
	if err != nil {
		return named(what, err)
	}
	defer func() { _ = s.Rollback() }()
	return named(what, f(&conn{DB: db, sql: s, bun: db.read}))
}

// all scans every row of the answer into dest, a pointer to a slice.
func (c *conn) all(ctx context.Context, dest any, query string, args ...any) error {
	rows, err := c.sql.QueryContext(ctx, c.rebind(query), c.values(args)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	if err := c.bun.ScanRows(ctx, rows, dest); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return rows.Err()
}

// one scans the first row of the answer into dest, a pointer to a struct, and
// reports whether there was one.
func (c *conn) one(ctx context.Context, dest any, query string, args ...any) (bool, error) {
	rows, err := c.sql.QueryContext(ctx, c.rebind(query), c.values(args)...)
	if err != nil {
		return false, err
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		return false, rows.Err()
	}
	return true, c.bun.ScanRow(ctx, rows, dest)
}

// value scans the one row of the answer into plain variables and reports
// whether there was one.
func (c *conn) value(ctx context.Context, query string, args []any, dest ...any) (bool, error) {
	err := c.sql.QueryRowContext(ctx, c.rebind(query), c.values(args)...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// exec runs a change and returns how many rows it met.
func (c *conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := c.sql.ExecContext(ctx, c.rebind(query), c.values(args)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// rebind writes ? as $1, $2, … for PostgreSQL. No query of this package has a
// question mark of another meaning.
func (c *conn) rebind(query string) string {
	if !c.postgres {
		return query
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// sqliteTime is the text of a time in SQLite: fixed width, so that it sorts.
const sqliteTime = "2006-01-02T15:04:05.000000Z"

// values turns arguments into what the driver keeps.
func (c *conn) values(args []any) []any {
	if c.postgres {
		return args
	}
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case time.Time:
			out[i] = v.UTC().Format(sqliteTime)
		case *time.Time:
			if v != nil {
				out[i] = v.UTC().Format(sqliteTime)
			}
		default:
			out[i] = a
		}
	}
	return out
}

// lock is what a SELECT ends in so that the rows it found stay as they are until
// the transaction ends. SQLite has one writer at a time and needs no word for it.
func (c *conn) lock() string {
	if c.postgres {
		return " FOR UPDATE"
	}
	return ""
}

// js is v as JSON text for a column. Nouns of the catalog always encode.
func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: %T cannot be written as JSON: %v", v, err))
	}
	return string(b)
}

// orNull is nil for an empty text.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// marks is n question marks with commas between them.
func marks(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}
