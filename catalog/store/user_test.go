package store_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

const goodPassword = "correct horse 马"

func TestFirstStartMakesOneAdmin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		var mu sync.Mutex
		var passwords []string
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				password, created, err := db.EnsureAdmin(ctx)
				if err != nil {
					t.Error(err)
				}
				if created {
					mu.Lock()
					defer mu.Unlock()
					passwords = append(passwords, password)
				}
			})
		}
		wg.Wait()
		if len(passwords) != 1 {
			t.Fatalf("%d passwords were shown", len(passwords))
		}
		secret, u, err := db.SignIn(ctx, "admin", passwords[0])
		wantCode(t, err, "")
		if !u.SiteAdmin {
			t.Error("the first user is no administrator")
		}
		a, err := db.ActorBySession(ctx, secret)
		wantCode(t, err, "")
		wantCode(t, catalog.Can(a, catalog.AdministerPortal, catalog.Object{}), "")
	})
}

func TestSignInAndOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		_, err := db.CreateUser(ctx, catalog.SystemActor, store.NewUser{Login: "wang", Name: "王", Password: goodPassword})
		wantCode(t, err, "")
		_, err = db.CreateUser(ctx, catalog.SystemActor, store.NewUser{Login: "robot"})
		wantCode(t, err, "")
		for _, wrong := range [][2]string{{"wang", "correct horse"}, {"wang", ""}, {"nobody", goodPassword}, {"robot", ""}, {"robot", "nobody has this"}, {"wang", strings.Repeat("x", 1<<20)}, {"wa\x00ng", goodPassword}} {
			_, _, err := db.SignIn(ctx, wrong[0], wrong[1])
			if catalog.KindOf(err) != catalog.Unauthenticated && catalog.CodeOf(err) != "invalid_text" {
				t.Errorf("signing in as %q: got %v", wrong[0], err)
			}
		}
		one, _, err := db.SignIn(ctx, "wang", goodPassword)
		wantCode(t, err, "")
		two, _, err := db.SignIn(ctx, "wang", goodPassword)
		wantCode(t, err, "")
		a, err := db.ActorBySession(ctx, one)
		wantCode(t, err, "")
		if a.User.Login != "wang" || a.User.Name != "王" || len(one) < 40 {
			t.Fatalf("signed in as %+v with %q", a.User, one)
		}
		wantCode(t, db.SignOut(ctx, one), "")
		_, err = db.ActorBySession(ctx, one)
		wantCode(t, err, "sign_in_required")
		wantCode(t, db.SetPassword(ctx, a, "wang", "a new password"), "")
		_, err = db.ActorBySession(ctx, two)
		wantCode(t, err, "sign_in_required") // a new password ends every session
		_, _, err = db.SignIn(ctx, "wang", goodPassword)
		wantCode(t, err, "wrong_password")
		wantCode(t, db.SetPassword(ctx, a, "robot", goodPassword), "not_allowed")
		three, _, err := db.SignIn(ctx, "wang", "a new password")
		wantCode(t, err, "")
		wantCode(t, db.SetUser(ctx, catalog.SystemActor, &catalog.User{Login: "wang", Name: "王", Disabled: true}), "")
		_, err = db.ActorBySession(ctx, three)
		wantCode(t, err, "sign_in_required")
		_, _, err = db.SignIn(ctx, "wang", "a new password")
		wantCode(t, err, "wrong_password")
	})
}

func TestAccountsAreChecked(t *testing.T) {
	db := storetest.SQLite(t)
	for _, n := range []store.NewUser{{Login: ""}, {Login: "Wang"}, {Login: "王"}, {Login: strings.Repeat("a", 65)}, {Login: "a", Password: "short"},
		{Login: "a", Password: strings.Repeat("x", 1<<20)}} {
		_, err := db.CreateUser(t.Context(), catalog.SystemActor, n)
		wantCode(t, err, "invalid_field")
	}
	_, err := db.CreateUser(t.Context(), catalog.SystemActor, store.NewUser{Login: "a"})
	wantCode(t, err, "")
	_, err = db.CreateUser(t.Context(), catalog.SystemActor, store.NewUser{Login: "a"})
	wantCode(t, err, "login_taken")
	_, err = db.CreateUser(t.Context(), catalog.Actor{}, store.NewUser{Login: "b"})
	wantCode(t, err, "sign_in_required")
	list, err := db.Users(t.Context(), catalog.SystemActor)
	if err != nil || len(list) != 1 {
		t.Fatalf("users are %v, %v", list, err)
	}
}

func TestTokens(t *testing.T) {
	clock := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	open := func(t *testing.T, dsn string) *store.DB {
		return storetest.Open(t, dsn, store.Options{Clock: func() time.Time { return clock }})
	}
	for name, dsn := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "t.db") },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, dsn(t))
			w, ctx := storetest.NewWorld(t, db), t.Context()
			later := clock.Add(time.Hour)
			secret, k, err := db.CreateToken(ctx, w.Steward, "steward", store.NewToken{Name: "laptop", Scope: catalog.FullScope, Expires: &later})
			wantCode(t, err, "")
			if !strings.HasPrefix(secret, store.TokenPrefix) || len(secret) < 45 || strings.Contains(k.Hash, secret) {
				t.Fatalf("the secret is %q, the hash %q", secret, k.Hash)
			}
			a, err := db.ActorByToken(ctx, secret)
			wantCode(t, err, "")
			if a.Roles[w.Organization.ID] != catalog.Steward {
				t.Errorf("the token's roles are %v", a.Roles)
			}
			used := func() *time.Time {
				list, err := db.Tokens(ctx, w.Steward, "steward")
				if err != nil || len(list) != 1 {
					t.Fatalf("tokens are %v, %v", list, err)
				}
				return list[0].LastUsedAt
			}
			first := *used()
			clock = clock.Add(30 * time.Second)
			_, err = db.ActorByToken(ctx, secret)
			wantCode(t, err, "")
			if !used().Equal(first) {
				t.Error("the last use was noted twice within a minute")
			}
			clock = clock.Add(31 * time.Second)
			_, err = db.ActorByToken(ctx, secret)
			wantCode(t, err, "")
			if !used().Equal(clock) {
				t.Errorf("the last use is %v, want %v", used(), clock)
			}
			for _, wrong := range []string{"", store.TokenPrefix, secret[:len(secret)-1], strings.TrimPrefix(secret, store.TokenPrefix)} {
				_, err := db.ActorByToken(ctx, wrong)
				wantCode(t, err, "sign_in_required")
			}
			_, _, err = db.CreateToken(ctx, w.Steward, "reviewer", store.NewToken{Name: "not mine", Scope: catalog.FullScope})
			wantCode(t, err, "not_allowed")
			_, err = db.Tokens(ctx, w.Steward, "reviewer")
			wantCode(t, err, "not_allowed")
			wantCode(t, db.RevokeToken(ctx, w.Reviewer, k.ID), "unknown_token")
			clock = clock.Add(time.Hour)
			_, err = db.ActorByToken(ctx, secret)
			wantCode(t, err, "sign_in_required") // expired
			clock = clock.Add(-time.Hour)
			wantCode(t, db.RevokeToken(ctx, w.Steward, k.ID), "")
			wantCode(t, db.RevokeToken(ctx, w.Steward, k.ID), "")
			_, err = db.ActorByToken(ctx, secret)
			wantCode(t, err, "sign_in_required")
			for _, wrong := range []store.NewToken{{Name: "late", Scope: catalog.FullScope, Expires: &first}, {Name: " ", Scope: catalog.FullScope}, {Name: "x"}, {Name: "x", Scope: "write"}, {Name: strings.Repeat("长", 101), Scope: catalog.ReadScope}} {
				_, _, err = db.CreateToken(ctx, w.Steward, "steward", wrong)
				wantCode(t, err, "invalid_field")
			}
		})
	}
}

func TestRolesAreInheritedDownwards(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		station := &catalog.Organization{Slug: "station", ParentID: w.Organization.ID, Name: catalog.Text{Zh: "水文站"}}
		wantCode(t, db.CreateOrganization(ctx, w.Admin, station), "")
		pump := &catalog.Organization{Slug: "pump", ParentID: station.ID, Name: catalog.Text{Zh: "泵站"}}
		wantCode(t, db.CreateOrganization(ctx, w.Admin, pump), "not_allowed") // this actor was loaded before
		chief, err := db.ActorOf(ctx, w.Admin.ID())
		wantCode(t, err, "")
		wantCode(t, db.CreateOrganization(ctx, chief, pump), "")
		chief, err = db.ActorOf(ctx, w.Admin.ID())
		wantCode(t, err, "")
		wantCode(t, db.SetMembership(ctx, chief, "steward", "pump", catalog.Reviewer), "")
		wantCode(t, db.SetMembership(ctx, w.Stranger, "steward", "pump", catalog.Admin), "not_allowed")
		wantCode(t, db.SetMembership(ctx, w.Admin, "steward", "pump", "king"), "invalid_field")
		a, err := db.ActorOf(ctx, w.Steward.ID())
		wantCode(t, err, "")
		if a.Roles[w.Organization.ID] != catalog.Steward || a.Roles[station.ID] != catalog.Steward || a.Roles[pump.ID] != catalog.Reviewer || len(a.Roles) != 3 {
			t.Fatalf("roles are %v", a.Roles)
		}
		members, err := db.Memberships(ctx, a, "pump")
		if err != nil || len(members) != 1 || members[0].Login != "steward" || members[0].Role != catalog.Reviewer {
			t.Fatalf("members are %+v, %v", members, err)
		}
		_, err = db.Memberships(ctx, w.Stranger, "pump")
		wantCode(t, err, "not_allowed")
		path, err := db.OrganizationPath(ctx, pump.ID)
		if err != nil || len(path) != 3 || path[0].Slug != "shuiwu" || path[2].Slug != "pump" {
			t.Fatalf("the path is %+v, %v", path, err)
		}
		loop := *w.Organization
		loop.ParentID = pump.ID
		wantCode(t, db.UpdateOrganization(ctx, catalog.SystemActor, &loop), "invalid_field")
		twin := &catalog.Organization{Slug: "pump", Name: catalog.Text{Zh: "泵站"}}
		wantCode(t, db.CreateOrganization(ctx, catalog.SystemActor, twin), "slug_taken")
		pump.Phone, pump.RowVersion = "0510", 1
		wantCode(t, db.UpdateOrganization(ctx, chief, pump), "")
		pump.RowVersion = 1
		wantCode(t, db.UpdateOrganization(ctx, chief, pump), "stale_row_version")
		_, err = db.Organization(ctx, "nowhere")
		wantCode(t, err, "unknown_organization")
	})
}

// A token reads or does what its user may; none touches his account.
func TestTokenScopes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		draft := w.ReadyDraft(t, "water-level")
		actors := map[catalog.Scope]catalog.Actor{}
		for _, scope := range catalog.Scopes {
			secret, k, err := db.CreateToken(ctx, w.Steward, "steward", store.NewToken{Name: string(scope), Scope: scope})
			wantCode(t, err, "")
			a, err := db.ActorByToken(ctx, secret)
			wantCode(t, err, "")
			if a.Scope != scope || k.Scope != scope {
				t.Errorf("%s: the actor has %q, the token %q", scope, a.Scope, k.Scope)
			}
			actors[scope] = a
			_, err = db.Draft(ctx, a, draft.ID)
			wantCode(t, err, "")
		}
		list, err := db.Tokens(ctx, w.Steward, "steward")
		if err != nil || len(list) != 2 || list[0].Scope != catalog.FullScope || list[1].Scope != catalog.ReadScope {
			t.Errorf("tokens are %+v, %v", list, err)
		}
		for scope, want := range map[catalog.Scope]string{catalog.ReadScope: "read_only_key", catalog.FullScope: "session_needed"} {
			_, _, err := db.CreateToken(ctx, actors[scope], "steward", store.NewToken{Name: "more", Scope: catalog.FullScope})
			wantCode(t, err, want)
			wantCode(t, db.RevokeToken(ctx, actors[scope], list[0].ID), want)
			wantCode(t, db.SetPassword(ctx, actors[scope], "steward", goodPassword), want)
			wantCode(t, db.ChangePassword(ctx, actors[scope], goodPassword, goodPassword), want)
		}
		_, err = db.UpdateDraft(ctx, actors[catalog.ReadScope], draft.ID, 0, store.DraftEdit{Version: "2"})
		wantCode(t, err, "read_only_key")
		_, err = db.UpdateDraft(ctx, actors[catalog.FullScope], draft.ID, 0, store.DraftEdit{Version: "2"})
		wantCode(t, err, "")
	})
}

func TestChangePassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		u, err := db.CreateUser(ctx, catalog.SystemActor, store.NewUser{Login: "wang", Password: goodPassword})
		wantCode(t, err, "")
		a, err := db.ActorOf(ctx, u.ID)
		wantCode(t, err, "")
		wantCode(t, db.ChangePassword(ctx, a, "not "+goodPassword, "another password"), "invalid_field")
		wantCode(t, db.ChangePassword(ctx, a, goodPassword, "short"), "invalid_field")
		wantCode(t, db.ChangePassword(ctx, catalog.Actor{}, goodPassword, "another password"), "sign_in_required")
		wantCode(t, db.ChangePassword(ctx, a, goodPassword, "another password"), "")
		_, _, err = db.SignIn(ctx, "wang", goodPassword)
		wantCode(t, err, "wrong_password")
		_, _, err = db.SignIn(ctx, "wang", "another password")
		wantCode(t, err, "")
	})
}
