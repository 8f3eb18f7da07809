package store_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// TestInvitations: a link makes one account with the role that the inviter gave,
// once; it ends when used, revoked, expired, or when the inviter may no longer.
func TestInvitations(t *testing.T) {
	for name, dsn := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "taihu.db"), "postgres": storetest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			clock := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
			db := storetest.Open(t, dsn, store.Options{Clock: func() time.Time { return clock }})
			w, ctx := storetest.NewWorld(t, db), t.Context()
			invite := func(by catalog.Actor, role catalog.Role) (string, *catalog.Invitation) {
				t.Helper()
				secret, i, err := db.Invite(ctx, by, "shuiwu", store.NewInvitation{Role: role, Note: "给老王", Life: 24 * time.Hour})
				wantCode(t, err, "")
				return secret, i
			}
			for field, n := range map[string]store.NewInvitation{"role": {Role: "king", Life: time.Hour}, "days": {Role: catalog.Steward, Life: 31 * 24 * time.Hour}, "note": {Role: catalog.Steward, Life: time.Hour, Note: strings.Repeat("长", 101)}} {
				_, _, err := db.Invite(ctx, w.Admin, "shuiwu", n)
				var e *catalog.Error
				if !errors.As(err, &e) || e.Fields["field"] != field {
					t.Errorf("%s: %v", field, err)
				}
			}
			full := w.Admin
			full.Scope = catalog.FullScope
			_, _, err := db.Invite(ctx, full, "shuiwu", store.NewInvitation{Role: catalog.Steward, Life: time.Hour})
			wantCode(t, err, "session_needed")

			secret, i := invite(w.Admin, catalog.Reviewer)
			if i.Hash == secret || strings.Contains(i.Hash, secret) {
				t.Error("the secret itself is kept")
			}
			o, err := db.Invitation(ctx, secret)
			if err != nil || o.Organization.Slug != "shuiwu" || o.Role != catalog.Reviewer || o.Inviter != "chief" || o.Note != "给老王" {
				t.Fatalf("the invitation is %+v, %v", o, err)
			}
			_, err = db.Invitation(ctx, secret+"x")
			wantCode(t, err, "unknown_invitation")
			_, err = db.Join(ctx, secret+"x", store.NewUser{Login: "wang", Password: goodPassword})
			wantCode(t, err, "unknown_invitation")
			_, err = db.Join(ctx, secret, store.NewUser{Login: "wang"})
			wantCode(t, err, "invalid_field")
			_, err = db.Join(ctx, secret, store.NewUser{Login: "steward", Password: goodPassword})
			wantCode(t, err, "login_taken")
			u, err := db.Join(ctx, secret, store.NewUser{Login: "wang", Name: "王", Password: goodPassword, SiteAdmin: true})
			wantCode(t, err, "")
			a, err := db.ActorOf(ctx, u.ID)
			if err != nil || a.IsSiteAdmin() || len(a.Roles) != 1 || a.Roles[w.Organization.ID] != catalog.Reviewer {
				t.Errorf("he is %+v, %v", a, err)
			}
			_, _, err = db.SignIn(ctx, "wang", goodPassword)
			wantCode(t, err, "")
			_, err = db.Join(ctx, secret, store.NewUser{Login: "li", Password: goodPassword})
			wantCode(t, err, "invitation_over")
			wantCode(t, db.AcceptInvitation(ctx, w.Stranger, secret), "invitation_over")

			// Who is signed in takes it as himself; never less than he has.
			secret, _ = invite(w.Admin, catalog.Steward)
			wantCode(t, db.AcceptInvitation(ctx, a, secret), "already_member")
			key := w.Stranger
			key.Scope = catalog.FullScope
			wantCode(t, db.AcceptInvitation(ctx, key, secret), "session_needed")
			wantCode(t, db.AcceptInvitation(ctx, catalog.Actor{}, secret), "sign_in_required")
			wantCode(t, db.AcceptInvitation(ctx, w.Stranger, secret), "")
			secret, _ = invite(w.Admin, catalog.Admin)
			wantCode(t, db.AcceptInvitation(ctx, a, secret), "")
			if a, err = db.ActorOf(ctx, u.ID); err != nil || a.Roles[w.Organization.ID] != catalog.Admin {
				t.Errorf("he is %+v, %v", a, err)
			}

			expired, _ := invite(w.Admin, catalog.Steward)
			revoked, i := invite(w.Admin, catalog.Steward)
			wantCode(t, db.RevokeInvitation(ctx, w.Admin, "cgj", i.ID), "not_allowed")
			wantCode(t, db.RevokeInvitation(ctx, w.Stranger, "cgj", i.ID), "") // another organization's: nothing happens
			_, err = db.Invitation(ctx, revoked)
			wantCode(t, err, "")
			wantCode(t, db.RevokeInvitation(ctx, w.Admin, "shuiwu", i.ID), "")
			_, err = db.Invitation(ctx, revoked)
			wantCode(t, err, "invitation_over")
			orphan, _ := invite(a, catalog.Steward)
			wantCode(t, db.RemoveMembership(ctx, catalog.SystemActor, "wang", "shuiwu"), "")
			_, err = db.Join(ctx, orphan, store.NewUser{Login: "li", Password: goodPassword})
			wantCode(t, err, "invitation_over")
			clock = clock.Add(24 * time.Hour)
			_, err = db.Invitation(ctx, expired)
			wantCode(t, err, "invitation_over")

			list, err := db.Invitations(ctx, w.Admin, "shuiwu")
			if err != nil || len(list) != 6 || list[5].UsedBy != u.ID || list[5].UsedAt == nil || list[1].RevokedAt == nil {
				t.Errorf("invitations are %+v, %v", list, err)
			}
			events, err := db.Events(ctx, catalog.ChainPortal)
			wantCode(t, err, "")
			verbs := map[string]int{}
			for _, e := range events {
				verbs[e.Verb]++
				if strings.Contains(string(e.Facts), "thi_") {
					t.Errorf("the record holds a secret: %s", e.Facts)
				}
			}
			if verbs["invitation.created"] != 6 || verbs["invitation.accepted"] != 3 || verbs["invitation.revoked"] != 1 {
				t.Errorf("events are %v", verbs)
			}
			wantCode(t, db.CheckEvents(ctx), "")
		})
	}
}

// TestOneLinkOneAccount: of many who open a link at once one joins, and the others
// leave no account.
func TestOneLinkOneAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		secret, _, err := db.Invite(ctx, w.Admin, "shuiwu", store.NewInvitation{Role: catalog.Steward, Life: time.Hour})
		wantCode(t, err, "")
		before, err := db.CountUsers(ctx)
		wantCode(t, err, "")
		var wg sync.WaitGroup
		codes := make([]string, 8)
		for i := range codes {
			wg.Go(func() {
				_, err := db.Join(ctx, secret, store.NewUser{Login: "new" + string(rune('a'+i)), Password: goodPassword})
				codes[i] = catalog.CodeOf(err)
			})
		}
		wg.Wait()
		joined := 0
		for _, c := range codes {
			if c == "" {
				joined++
			} else if c != "invitation_over" {
				t.Errorf("one is answered %q", c)
			}
		}
		if after, err := db.CountUsers(ctx); err != nil || joined != 1 || after != before+1 {
			t.Errorf("%d joined, %d accounts more, %v", joined, after-before, err)
		}
	})
}

func TestInheritedMembers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		station := &catalog.Organization{Slug: "station", ParentID: w.Organization.ID, Name: catalog.Text{Zh: "水文站"}}
		wantCode(t, db.CreateOrganization(ctx, w.Admin, station), "")
		watch := w.Member(t, "watch", "station", catalog.Steward)
		list, err := db.InheritedMemberships(ctx, watch, "station")
		var got []string
		for _, m := range list {
			got = append(got, m.Login+" "+string(m.Role)+" of "+m.Slug+" "+m.Organization.Zh)
		}
		if want := "chief admin of shuiwu 水务局, reviewer reviewer of shuiwu 水务局, steward steward of shuiwu 水务局"; err != nil || strings.Join(got, ", ") != want {
			t.Errorf("got %v, %v", got, err)
		}
		_, err = db.InheritedMemberships(ctx, w.Stranger, "station")
		wantCode(t, err, "not_allowed")
	})
}
