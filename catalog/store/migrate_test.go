package store_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// columns lists "table.column null-ness" of every table, sorted.
func columns(t *testing.T, driver, dsn, query string) []string {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// The position of a column counts too: both dialects list them in one order.
const (
	sqliteColumns = `
		SELECT m.name || '.' || c.name || ' ' || (c.cid + 1) || CASE WHEN c."notnull" OR c.pk THEN ' not null' ELSE '' END
		FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`
	postgresColumns = `
		SELECT table_name || '.' || column_name || ' ' || ordinal_position || CASE WHEN is_nullable = 'NO' THEN ' not null' ELSE '' END
		FROM information_schema.columns WHERE table_schema = current_schema()`
	sqliteIndexes   = `SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`
	postgresIndexes = `SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_key'`
)

// upDownUp migrates and returns tables and indexes after the first way up.
func upDownUp(t *testing.T, dsn, driver, address, columnQuery, indexQuery string) []string {
	t.Helper()
	db, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if pending, err := db.Pending(t.Context()); err != nil || len(pending) == 0 {
		t.Fatalf("before the first migration %v is pending, %v", pending, err)
	}
	look := func() []string {
		return append(columns(t, driver, address, columnQuery), columns(t, driver, address, indexQuery)...)
	}
	up := func() []string {
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if pending, err := db.Pending(t.Context()); err != nil || len(pending) != 0 {
			t.Fatalf("after migrating %v is pending, %v", pending, err)
		}
		return look()
	}
	first := up()
	if err := db.MigrateDown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, left := range look() {
		if !strings.HasPrefix(left, "schema_migrations.") {
			t.Errorf("%s is left after migrating down", left)
		}
	}
	if second := up(); !slices.Equal(first, second) {
		t.Fatalf("up, down, up gives another database:\n%v\n%v", first, second)
	}
	return first
}

func TestMigrationsAreAlikeOnBothDatabases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	sqlite := upDownUp(t, "sqlite:"+path, "sqlite", path, sqliteColumns, sqliteIndexes)
	address := storetest.Postgres(t)
	postgres := upDownUp(t, address, "pgx", address, postgresColumns, postgresIndexes)
	for _, c := range sqlite {
		if !slices.Contains(postgres, c) {
			t.Errorf("only in SQLite: %s", c)
		}
	}
	for _, c := range postgres {
		if !slices.Contains(sqlite, c) {
			t.Errorf("only in PostgreSQL: %s", c)
		}
	}
	if len(sqlite) < 100 {
		t.Errorf("only %d columns and indexes were compared", len(sqlite))
	}
}

func TestMigrateTwiceAtOnce(t *testing.T) {
	for name, dsn := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "b.db") },
		"postgres": func() string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			address := dsn()
			errs := make([]error, 4)
			var wg sync.WaitGroup
			for i := range errs {
				wg.Go(func() {
					db, err := store.Open(t.Context(), address, store.Options{})
					if err == nil {
						err = db.Migrate(t.Context())
						_ = db.Close()
					}
					errs[i] = err
				})
			}
			wg.Wait()
			for _, err := range errs {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestOpenRefusesWhatItCannotUse(t *testing.T) {
	for _, dsn := range []string{"", "taihu.db", "mysql://x", "postgres://localhost/x?default_query_exec_mode=simple_protocol", "sqlite:/no/such/folder/x.db", "postgres://nobody:secret-word@127.0.0.1:1/x"} {
		db, err := store.Open(t.Context(), dsn, store.Options{})
		if err == nil {
			_ = db.Close()
			t.Errorf("%q was opened", dsn)
			continue
		}
		if strings.Contains(err.Error(), "secret-word") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
