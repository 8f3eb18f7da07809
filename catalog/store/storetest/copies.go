package storetest

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
)

// Copy is what differs of a copied dataset.
type Copy struct {
	ID, Slug string
	Title    catalog.Text
}

// Copies copies the dataset of a slug, its releases, files and tables within the
// SQLite store at path, where making them one by one would take an hour: 5,000 a
// second. Their events are not copied.
func Copies(t testing.TB, path, slug string, copies []Copy) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	must(err)
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	must(err)
	defer func() { _ = tx.Rollback() }()
	var original string
	must(tx.QueryRowContext(t.Context(), "SELECT id FROM datasets WHERE slug = ?", slug).Scan(&original))
	type step struct {
		statement *sql.Stmt
		arguments int // how many of the copy's it has
	}
	prepare := func(arguments int, table, where string, instead map[string]string) step {
		statement, err := tx.PrepareContext(t.Context(), copyRows(t, tx, table, where, instead))
		must(err)
		return step{statement, arguments}
	}
	// A row below keeps its id with the copy's before it: ids are told apart by it.
	steps := []step{
		prepare(5, "datasets", "id = ?2", map[string]string{"id": "?1", "slug": "?3", "title": "?4", "title_key": "?5"}),
		prepare(3, "dataset_slugs", "slug = (SELECT slug FROM datasets WHERE id = ?2)", map[string]string{"slug": "?3", "dataset_id": "?1"}),
		prepare(2, "releases", "dataset_id = ?2", map[string]string{"id": "?1 || id", "dataset_id": "?1"}),
		prepare(2, "release_files", "release_id IN (SELECT id FROM releases WHERE dataset_id = ?2)", map[string]string{"id": "?1 || id", "release_id": "?1 || release_id"}),
		prepare(2, "release_tables", "release_id IN (SELECT id FROM releases WHERE dataset_id = ?2)", map[string]string{"id": "?1 || id", "release_id": "?1 || release_id", "file_id": "?1 || file_id"}),
	}
	for _, c := range copies {
		title, err := json.Marshal(c.Title)
		must(err)
		args := []any{c.ID, original, c.Slug, string(title), strings.ToLower(c.Title.Zh + "\n" + c.Title.En + "\n" + c.Slug)}
		for _, s := range steps {
			_, err := s.statement.ExecContext(t.Context(), args[:s.arguments]...)
			must(err)
		}
	}
	must(tx.Commit())
}

// copyRows is the statement that copies rows of a table with some columns changed.
func copyRows(t testing.TB, tx *sql.Tx, table, where string, instead map[string]string) string {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), "SELECT name FROM pragma_table_info('"+table+"')")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names, values []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names, values = append(names, name), append(values, name)
	}
	if err := rows.Err(); err != nil || len(names) == 0 {
		t.Fatalf("%s has no columns: %v", table, err)
	}
	for name, value := range instead {
		values[slices.Index(names, name)] = value
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM " + table + " WHERE " + where
}
