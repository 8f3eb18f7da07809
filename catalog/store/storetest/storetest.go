// Package storetest gives tests a real store: SQLite in a temp folder, and
// PostgreSQL from TAIHU_POSTGRES or a throw-away cluster of installed binaries.
// Never a fake one: what a test shows of the store holds for both databases.
//
// It also has a World, an organization with people and a dataset, that most
// tests begin with.
package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
)

// Main runs the tests and stops the PostgreSQL they started. A package that
// uses PostgreSQL calls it in its TestMain: os.Exit(storetest.Main(m)).
func Main(m *testing.M) int {
	defer stopCluster()
	return m.Run()
}

// Each runs f as a subtest on a migrated SQLite and on a migrated PostgreSQL.
func Each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Open(t, Postgres(t), store.Options{})) })
}

// SQLite returns a migrated store in a temp folder.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, "sqlite:"+filepath.Join(t.TempDir(), "taihu.db"), store.Options{})
}

// Open opens and migrates a store and closes it at the test's end.
func Open(t testing.TB, dsn string, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// World is an organization with people and a dataset.
type World struct {
	DB           *store.DB
	Organization *catalog.Organization
	Other        *catalog.Organization // nobody below belongs to it but Stranger
	Dataset      *catalog.Dataset
	Steward      catalog.Actor
	Reviewer     catalog.Actor
	Admin        catalog.Actor // of the organization
	Stranger     catalog.Actor // admin of Other
}

// NewWorld fills a fresh store.
func NewWorld(t testing.TB, db *store.DB) *World {
	t.Helper()
	w := &World{DB: db,
		Organization: &catalog.Organization{Slug: "shuiwu", Name: catalog.Text{Zh: "水务局", En: "Water Bureau"}},
		Other:        &catalog.Organization{Slug: "cgj", Name: catalog.Text{Zh: "城管局"}},
	}
	for _, o := range []*catalog.Organization{w.Organization, w.Other} {
		if err := db.CreateOrganization(t.Context(), catalog.SystemActor, o); err != nil {
			t.Fatal(err)
		}
	}
	w.Steward = w.Member(t, "steward", "shuiwu", catalog.Steward)
	w.Reviewer = w.Member(t, "reviewer", "shuiwu", catalog.Reviewer)
	w.Admin = w.Member(t, "chief", "shuiwu", catalog.Admin)
	w.Stranger = w.Member(t, "stranger", "cgj", catalog.Admin)
	w.Dataset = w.NewDataset(t, "water-level")
	return w
}

// Member makes a user with a role and returns him as an actor.
func (w *World) Member(t testing.TB, login, organization string, role catalog.Role) catalog.Actor {
	t.Helper()
	u, err := w.DB.CreateUser(t.Context(), catalog.SystemActor, store.NewUser{Login: login})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DB.SetMembership(t.Context(), catalog.SystemActor, login, organization, role); err != nil {
		t.Fatal(err)
	}
	a, err := w.DB.ActorOf(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// NewDataset makes a dataset of the organization.
func (w *World) NewDataset(t testing.TB, slug string) *catalog.Dataset {
	t.Helper()
	d := &catalog.Dataset{Slug: slug, OrganizationID: w.Organization.ID, Title: catalog.Text{Zh: "河道水位", En: "Water level"},
		Licence: "CC-BY-4.0", OpenAttribute: catalog.Unconditional, Frequency: "daily", Themes: []string{"environment"}}
	if err := w.DB.CreateDataset(t.Context(), w.Steward, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Blob names made-up bytes.
func Blob(content string) catalog.Blob {
	sum := sha256.Sum256([]byte(content))
	return catalog.Blob{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
}

// Outcome is an accepted check with one table of the given columns, all text.
func Outcome(table string, columns ...string) store.IngestOutcome {
	var s catalog.Schema
	for _, c := range columns {
		s.Fields = append(s.Fields, catalog.Field{Name: c, Type: catalog.String})
	}
	part := Blob("parquet of " + table + fmt.Sprint(columns))
	return store.IngestOutcome{
		Report: catalog.Report{File: table + ".csv", Format: "csv", Accepted: true},
		Tables: []catalog.Table{{Name: table, Title: catalog.Text{Zh: table}, Schema: s, Rows: 3, Parts: []catalog.Part{{Blob: part, Rows: 3}},
			TextBlob: Blob("text of " + table), TableSHA256: part.SHA256, ContentSHA256: part.SHA256, Profile: &catalog.Profile{Rows: 3}}},
	}
}

var drafts atomic.Int64

// ReadyDraft makes a draft with one checked file.
func (w *World) ReadyDraft(t testing.TB, slug string) *catalog.Release {
	t.Helper()
	r, err := w.DB.CreateDraft(t.Context(), w.Steward, slug, store.DraftEdit{Version: "1.0"})
	if err != nil {
		t.Fatal(err)
	}
	b := Blob(fmt.Sprintf("a,b\n1,%d\n", drafts.Add(1)))
	f, err := w.DB.PutFile(t.Context(), w.Steward, r.ID, store.Upload{Name: "readings.csv", MediaType: "text/csv", Blob: b})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DB.FinishIngest(t.Context(), f.ID, b.SHA256, f.Options, Outcome("readings", "站点", "水位")); err != nil {
		t.Fatal(err)
	}
	if r, err = w.DB.Draft(t.Context(), w.Steward, r.ID); err != nil {
		t.Fatal(err)
	}
	if r.State != catalog.Ready {
		t.Fatalf("the draft is %s, want ready", r.State)
	}
	return r
}

// ApprovedDraft makes a draft that waits to be published.
func (w *World) ApprovedDraft(t testing.TB, slug string) *catalog.Release {
	t.Helper()
	r := w.ReadyDraft(t, slug)
	if _, err := w.DB.Submit(t.Context(), w.Steward, r.ID, 0); err != nil {
		t.Fatal(err)
	}
	r, err := w.DB.Approve(t.Context(), w.Reviewer, r.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Published makes a release.
func (w *World) Published(t testing.TB, slug string) *catalog.Release {
	t.Helper()
	r, err := w.DB.Publish(t.Context(), w.Reviewer, w.ApprovedDraft(t, slug).ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
