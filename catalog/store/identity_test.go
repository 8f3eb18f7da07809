package store_test

import (
	"strings"
	"sync"
	"testing"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// TestSignInWithAnIdentity: issuer and subject together are the person; a mail
// address alone is nobody, unless that is asked for.
func TestSignInWithAnIdentity(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		signIn := func(i catalog.Identity, byMail bool) *catalog.User {
			t.Helper()
			secret, u, err := db.SignInWith(ctx, &i, byMail)
			wantCode(t, err, "")
			a, err := db.ActorBySession(ctx, secret)
			if err != nil || a.User.ID != u.ID {
				t.Fatalf("the session is of %+v, %v", a.User, err)
			}
			return u
		}
		wang := catalog.Identity{Issuer: "https://id.example", Subject: "1", Login: "Wang Li", Name: "王丽", Mail: "steward@example.org", MailVerified: true}
		u := signIn(wang, false)
		if u.Login != "wangli" || u.Name != "王丽" || u.SiteAdmin || u.PasswordHash != "" {
			t.Errorf("the new account is %+v", u)
		}
		if a, err := db.ActorOf(ctx, u.ID); err != nil || len(a.Roles) != 0 {
			t.Errorf("he has %v, %v", a.Roles, err)
		}
		_, _, err := db.SignIn(ctx, u.Login, "")
		wantCode(t, err, "wrong_password")
		wang.Login, wang.Name, wang.Mail = "another", "x", "y@z"
		if again := signIn(wang, false); again.ID != u.ID || again.Name != "王丽" {
			t.Errorf("the same subject is %+v now", again)
		}
		other := wang
		other.Issuer = "https://other.example"
		if o := signIn(other, false); o.ID == u.ID {
			t.Error("the same subject of another issuer is the same person")
		}
		for _, name := range []string{"steward", "steward", "STEWARD", "..steward"} {
			i := catalog.Identity{Issuer: "https://id.example", Subject: "s" + name + string(rune('0'+len(name))), Login: name}
			if name == "steward" {
				i.Subject = catalog.NewID()
			}
			if o := signIn(i, false); o.ID == w.Steward.ID() || !strings.HasPrefix(o.Login, "steward-") {
				t.Errorf("%s of the provider is %q here", name, o.Login)
			}
		}
		for login, want := range map[string]string{"张三": "zhang", "": "zhang", strings.Repeat("x", 90): strings.Repeat("x", 58)} {
			if o := signIn(catalog.Identity{Issuer: "i", Subject: "n" + login, Login: login, Mail: "zhang@example.org"}, false); !strings.HasPrefix(o.Login, want) {
				t.Errorf("%q is called %q", login, o.Login)
			}
		}
		_, _, err = db.SignInWith(ctx, &catalog.Identity{Issuer: "i"}, true)
		wantCode(t, err, "sign_in_required")

		// By mail: only where asked for, verified, and never to who administers all.
		for _, n := range []store.NewUser{{Login: "li@example.org", Password: goodPassword}, {Login: "root@example.org", SiteAdmin: true}} {
			_, err := db.CreateUser(ctx, catalog.SystemActor, n)
			wantCode(t, err, "")
		}
		li, err := db.UserByLogin(ctx, "li@example.org")
		wantCode(t, err, "")
		for _, c := range []struct {
			subject, mail  string
			verified, asks bool
			known          bool
		}{
			{"a", "li@example.org", true, false, false}, {"b", "li@example.org", false, true, false}, {"c", "root@example.org", true, true, false},
			{"d", "LI@example.org", true, true, true}, {"e", "li@example.org", true, true, false}, // it has an identity by now
		} {
			o := signIn(catalog.Identity{Issuer: "https://id.example", Subject: c.subject, Mail: c.mail, MailVerified: c.verified}, c.asks)
			if known := o.ID == li.ID; known != c.known || o.SiteAdmin {
				t.Errorf("%+v leads to %s", c, o.Login)
			}
		}

		// Adding and taking off.
		wantCode(t, db.LinkIdentity(ctx, w.Steward, &wang), "identity_taken")
		mine := catalog.Identity{Issuer: "https://id.example", Subject: "mine"}
		key := w.Steward
		key.Scope = catalog.FullScope
		wantCode(t, db.LinkIdentity(ctx, key, &mine), "session_needed")
		wantCode(t, db.LinkIdentity(ctx, catalog.Actor{}, &mine), "sign_in_required")
		wantCode(t, db.LinkIdentity(ctx, w.Steward, &mine), "")
		wantCode(t, db.LinkIdentity(ctx, w.Steward, &mine), "")
		if o := signIn(mine, false); o.ID != w.Steward.ID() {
			t.Errorf("the added identity is %+v", o)
		}
		_, err = db.Identities(ctx, w.Admin, "steward")
		wantCode(t, err, "not_allowed")
		list, err := db.Identities(ctx, w.Steward, "steward")
		if err != nil || len(list) != 1 || list[0].Subject != "mine" {
			t.Errorf("identities are %+v, %v", list, err)
		}
		wantCode(t, db.UnlinkIdentity(ctx, w.Admin, "steward", mine.Issuer, mine.Subject), "not_allowed")
		wantCode(t, db.UnlinkIdentity(ctx, w.Steward, "steward", mine.Issuer, mine.Subject), "last_sign_in") // he has no password
		wantCode(t, db.SetPassword(ctx, catalog.SystemActor, "steward", goodPassword), "")
		wantCode(t, db.UnlinkIdentity(ctx, w.Steward, "steward", mine.Issuer, mine.Subject), "")
		if o := signIn(mine, false); o.ID == w.Steward.ID() {
			t.Error("an identity that was taken off still leads there")
		}

		wantCode(t, db.SetUser(ctx, catalog.SystemActor, &catalog.User{Login: u.Login, Name: u.Name, Disabled: true}), "")
		_, _, err = db.SignInWith(ctx, &wang, false)
		wantCode(t, err, "account_disabled")
		wantCode(t, db.CheckEvents(ctx), "")
	})
}

// TestFirstSignInsAtOnce: one person in many tabs is one account; many of one name
// are many.
func TestFirstSignInsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		var wg sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			wg.Go(func() {
				subject := "same"
				if i >= 4 {
					subject = catalog.NewID()
				}
				_, u, err := db.SignInWith(ctx, &catalog.Identity{Issuer: "i", Subject: subject, Login: "wang"}, false)
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = u.ID
			})
		}
		wg.Wait()
		different := map[string]bool{}
		for _, id := range ids {
			different[id] = true
		}
		if n, err := db.CountUsers(ctx); err != nil || n != 5 || len(different) != 5 || ids[0] != ids[3] {
			t.Errorf("%d accounts for %v, %v", n, ids, err)
		}
	})
}
