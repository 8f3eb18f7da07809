package store

import (
	"context"
	"fmt"

	"taihu/migrations"
)

// migrationLock is the advisory lock two starting processes meet at (PostgreSQL).
const migrationLock = 7_481_920_331

// Migrate brings the tables up to date. Each migration and the row saying that
// it ran are one transaction, so a kill leaves nothing half done, and processes
// that start at once wait for each other.
func (db *DB) Migrate(ctx context.Context) error {
	list, err := db.migrations()
	if err != nil {
		return err
	}
	for _, m := range list {
		err := db.update(ctx, "migrate up "+m.Name, func(t *tx) error {
			applied, err := t.applied(ctx)
			if err != nil || applied[m.Name] {
				return err
			}
			if _, err := t.sql.ExecContext(ctx, m.Up); err != nil {
				return err
			}
			_, err = t.exec(ctx, `INSERT INTO schema_migrations (name, applied_at) VALUES (?, ?)`, m.Name, t.now)
			return err
		})
		if err != nil {
			return err
		}
	}
	return db.refuseNewer(ctx, list)
}

// refuseNewer returns an error where the database knows migrations this program
// does not: it was used by a newer version.
func (db *DB) refuseNewer(ctx context.Context, list []migrations.Migration) error {
	known := map[string]bool{}
	for _, m := range list {
		known[m.Name] = true
	}
	return db.update(ctx, "read migrations", func(t *tx) error {
		applied, err := t.applied(ctx)
		for name := range applied {
			if !known[name] {
				return fmt.Errorf("the database was migrated by a newer version of Taihu (%s)", name)
			}
		}
		return err
	})
}

// MigrateDown takes every migration back, newest first. All data are lost.
func (db *DB) MigrateDown(ctx context.Context) error {
	list, err := db.migrations()
	if err != nil {
		return err
	}
	for i := len(list) - 1; i >= 0; i-- {
		m := list[i]
		err := db.update(ctx, "migrate down "+m.Name, func(t *tx) error {
			applied, err := t.applied(ctx)
			if err != nil || !applied[m.Name] {
				return err
			}
			if _, err := t.sql.ExecContext(ctx, m.Down); err != nil {
				return err
			}
			_, err = t.exec(ctx, `DELETE FROM schema_migrations WHERE name = ?`, m.Name)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Pending returns the names of the migrations that have not run yet.
func (db *DB) Pending(ctx context.Context) ([]string, error) {
	list, err := db.migrations()
	if err != nil {
		return nil, err
	}
	var pending []string
	err = db.update(ctx, "read migrations", func(t *tx) error {
		applied, err := t.applied(ctx)
		pending = nil
		for _, m := range list {
			if !applied[m.Name] {
				pending = append(pending, m.Name)
			}
		}
		return err
	})
	return pending, err
}

func (db *DB) migrations() ([]migrations.Migration, error) {
	if db.postgres {
		return migrations.Of("postgres")
	}
	return migrations.Of("sqlite")
}

// applied takes the lock of migrations and returns the names of those that ran.
func (t *tx) applied(ctx context.Context) (map[string]bool, error) {
	at := "TEXT"
	if t.postgres {
		at = "TIMESTAMPTZ"
		if _, err := t.exec(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(migrationLock)); err != nil {
			return nil, err
		}
	}
	if _, err := t.exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied_at `+at+` NOT NULL)`); err != nil {
		return nil, err
	}
	var names []struct{ Name string }
	if err := t.all(ctx, &names, `SELECT name FROM schema_migrations`); err != nil {
		return nil, err
	}
	applied := map[string]bool{}
	for _, n := range names {
		applied[n.Name] = true
	}
	return applied, nil
}
