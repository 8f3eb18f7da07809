package store_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// tamper runs a statement behind the store's back.
func tamper(t *testing.T, driver, address, statement string) {
	t.Helper()
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	r, err := db.ExecContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := r.RowsAffected(); n == 0 {
		t.Fatalf("%s met no row", statement)
	}
}

func TestTamperingWithEventsIsFound(t *testing.T) {
	statements := map[string]string{
		"actor":            `UPDATE events SET actor = 'somebody else' WHERE sequence = 2 AND verb LIKE 'draft%'`,
		"time":             `UPDATE events SET at = (SELECT MAX(at) FROM events e WHERE e.chain <> events.chain) WHERE sequence = 1 AND verb LIKE 'dataset%'`,
		"facts":            `UPDATE events SET facts = '{}' WHERE verb = 'release.published'`,
		"one removed":      `DELETE FROM events WHERE verb = 'file.put'`,
		"the last removed": `DELETE FROM events WHERE verb = 'release.published'`,
		"a whole chain":    `DELETE FROM events WHERE chain = 'portal'`,
		"one put in":       `INSERT INTO events SELECT 'another', sequence, at, actor, verb, object, facts, previous, hash FROM events WHERE sequence = 1 AND chain = 'portal'`,
	}
	for name, statement := range statements {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "taihu.db")
			for driver, address := range map[string]string{"sqlite": path, "pgx": ""} {
				dsn := "sqlite:" + path
				if driver == "pgx" {
					address = storetest.Postgres(t)
					dsn = address
				}
				db := storetest.Open(t, dsn, store.Options{})
				w := storetest.NewWorld(t, db)
				w.Published(t, "water-level")
				if err := db.CheckEvents(t.Context()); err != nil {
					t.Fatalf("%s: before tampering: %v", driver, err)
				}
				tamper(t, driver, address, statement)
				if err := db.CheckEvents(t.Context()); err == nil {
					t.Errorf("%s: nobody noticed", driver)
				}
			}
		})
	}
}

func TestEveryChangeWritesOneEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		r := w.Published(t, "water-level")
		_, err := db.Withdraw(ctx, w.Admin, "water-level", r.Number, "wrong")
		wantCode(t, err, "")
		events, err := db.Events(ctx, w.Dataset.ID)
		wantCode(t, err, "")
		var verbs []string
		for _, e := range events {
			verbs = append(verbs, e.Verb)
		}
		want := "dataset.created draft.created file.put file.checked draft.submitted draft.approved release.published release.withdrawn"
		if got := strings.Join(verbs, " "); got != want {
			t.Fatalf("got %s\nwant %s", got, want)
		}
		if e := events[6]; e.Actor != w.Reviewer.ID() || !strings.Contains(string(e.Facts), r.Tables[0].TableSHA256) || e.Object != r.ID {
			t.Errorf("the event of the publication is %+v", e)
		}
		if err := catalog.CheckChain(events); err != nil {
			t.Error(err)
		}
	})
}
