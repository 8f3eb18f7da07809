package store_test

import (
	"strings"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// What each verb answers each actor, on a draft or dataset in the state it
// needs: y, or the first letter of the kind: f(orbidden), u(nauthenticated),
// n(ot found). The verbs are run from the least to the most powerful actor, each
// on an object of its own; reader is the admin by a token of scope read. Datasets are published, so that strangers may see them.
const verbPermissions = `
                     nobody stranger steward reviewer reader admin
create organization  u      f        f       f        f      f
change organization  u      f        f       f        f      y
create dataset       u      f        y       y        f      y
change dataset       u      f        y       y        f      y
rename dataset       u      f        y       y        f      y
create draft         u      f        y       y        f      y
read draft           u      n        y       y        y      y
change draft         u      n        y       y        f      y
put file             u      n        y       y        f      y
set options          u      n        y       y        f      y
remove file          u      n        y       y        f      y
describe table       u      n        y       y        f      y
set sample           u      n        y       y        f      y
keep table           u      n        y       y        f      y
submit               u      n        y       y        f      y
take back            u      n        y       y        f      y
approve              u      n        f       y        f      y
return               u      n        f       y        f      y
publish              u      n        f       y        f      y
abandon              u      n        y       y        f      y
withdraw             u      f        f       f        f      y
restore              u      f        f       f        f      y
set membership       u      f        f       f        f      y
invite               u      f        f       f        f      y
list invitations     u      f        f       f        f      y
revoke invitation    u      f        f       f        f      y
create user          u      f        f       f        f      f
list users           u      f        f       f        f      f
create token         u      f        f       f        f      f
`

// verb runs one verb as an actor on something fresh.
type verb func(t *testing.T, w *storetest.World, a catalog.Actor) error

// onDraft makes a verb of one that needs a draft in some state.
func onDraft(ready func(*storetest.World, testing.TB, string) *catalog.Release, f func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error) verb {
	return func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		return f(w, t, a, ready(w, t, "water-level").ID)
	}
}

func submitted(w *storetest.World, t testing.TB, slug string) *catalog.Release {
	t.Helper()
	r, err := w.DB.Submit(t.Context(), w.Steward, w.ReadyDraft(t, slug).ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func second[T any](_ T, err error) error { return err }

var verbs = map[string]verb{
	"create organization": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		return w.DB.CreateOrganization(t.Context(), a, &catalog.Organization{Slug: "fresh", Name: catalog.Text{Zh: "新"}})
	},
	"change organization": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		o := *w.Organization
		o.RowVersion = 0
		return w.DB.UpdateOrganization(t.Context(), a, &o)
	},
	"create dataset": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		d := *w.Dataset
		d.Slug = "fresh-" + a.ID() + "x"
		return w.DB.CreateDataset(t.Context(), a, &d)
	},
	"change dataset": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		d := *w.Dataset
		d.RowVersion = 0
		return w.DB.UpdateDataset(t.Context(), a, &d)
	},
	"rename dataset": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		return second(w.DB.RenameDataset(t.Context(), a, "water-level", "water-level"))
	},
	"create draft": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		return second(w.DB.CreateDraft(t.Context(), a, "water-level", store.DraftEdit{}))
	},
	"read draft": onDraft((*storetest.World).ReadyDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.Draft(t.Context(), a, id))
	}),
	"change draft": onDraft((*storetest.World).ReadyDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.UpdateDraft(t.Context(), a, id, 0, store.DraftEdit{Version: "2"}))
	}),
	"put file": onDraft((*storetest.World).ReadyDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.PutFile(t.Context(), a, id, store.Upload{Name: "b.csv", Blob: storetest.Blob("b")}))
	}),
	"set options": onDraft((*storetest.World).ReadyDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.SetFileOptions(t.Context(), a, id, "readings.csv", catalog.IngestOptions{HeaderRow: 1}))
	}),
	"remove file": onDraft((*storetest.World).ReadyDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return w.DB.RemoveFile(t.Context(), a, id, "readings.csv")
	}),
	"describe table": onDraft((*storetest.World).ReadyDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return w.DB.DescribeTable(t.Context(), a, id, "readings", store.TableWords{})
	}),
	"set sample": onDraft((*storetest.World).ReadyDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return w.DB.SetSample(t.Context(), a, id, "readings", nil)
	}),
	"keep table": onDraft((*storetest.World).ReadyDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return w.DB.KeepTable(t.Context(), a, id, "readings")
	}),
	"submit": onDraft((*storetest.World).ReadyDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.Submit(t.Context(), a, id, 0))
	}),
	"take back": onDraft(submitted, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.TakeBack(t.Context(), a, id, 0))
	}),
	"approve": onDraft(submitted, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.Approve(t.Context(), a, id, 0))
	}),
	"return": onDraft(submitted, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.Return(t.Context(), a, id, "why", nil, 0))
	}),
	"publish": onDraft((*storetest.World).ApprovedDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.Publish(t.Context(), a, id, 0))
	}),
	"abandon": onDraft((*storetest.World).ApprovedDraft, func(w *storetest.World, t *testing.T, a catalog.Actor, id string) error {
		return second(w.DB.Abandon(t.Context(), a, id, 0))
	}),
	"withdraw": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		return second(w.DB.Withdraw(t.Context(), a, "water-level", w.Published(t, "water-level").Number, "why"))
	},
	"restore": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		r := w.Published(t, "water-level")
		if _, err := w.DB.Withdraw(t.Context(), catalog.SystemActor, "water-level", r.Number, "why"); err != nil {
			t.Fatal(err)
		}
		return second(w.DB.Restore(t.Context(), a, "water-level", r.Number))
	},
	"set membership": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		return w.DB.SetMembership(t.Context(), a, "stranger", "shuiwu", catalog.Steward)
	},
	"invite": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		_, _, err := w.DB.Invite(t.Context(), a, "shuiwu", store.NewInvitation{Role: catalog.Steward, Life: time.Hour})
		return err
	},
	"list invitations": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		return second(w.DB.Invitations(t.Context(), a, "shuiwu"))
	},
	"revoke invitation": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		_, i, err := w.DB.Invite(t.Context(), catalog.SystemActor, "shuiwu", store.NewInvitation{Role: catalog.Steward, Life: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return w.DB.RevokeInvitation(t.Context(), a, "shuiwu", i.ID)
	},
	"create user": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		return second(w.DB.CreateUser(t.Context(), a, store.NewUser{Login: "fresh"}))
	},
	"list users": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		return second(w.DB.Users(t.Context(), a))
	},
	"create token": func(t *testing.T, w *storetest.World, a catalog.Actor) error {
		_, _, err := w.DB.CreateToken(t.Context(), a, "robot", store.NewToken{Name: "for another", Scope: catalog.FullScope})
		return err
	},
}

func TestPermissionsOfVerbs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := storetest.NewWorld(t, db)
		w.Published(t, "water-level")
		reader := w.Admin
		reader.Scope = catalog.ReadScope
		actors := map[string]catalog.Actor{"nobody": {}, "reader": reader, "stranger": w.Stranger, "steward": w.Steward, "reviewer": w.Reviewer, "admin": w.Admin}
		letters := map[catalog.Kind]string{"": "y", catalog.Forbidden: "f", catalog.Unauthenticated: "u", catalog.NotFound: "n"}
		lines := strings.Split(strings.TrimSpace(verbPermissions), "\n")
		names := strings.Fields(lines[0])
		tried := 0
		for _, line := range lines[1:] {
			cells := strings.Fields(line)
			want := cells[len(cells)-len(names):]
			name := strings.Join(cells[:len(cells)-len(names)], " ")
			run, ok := verbs[name]
			if !ok {
				t.Fatalf("there is no verb %q", name)
			}
			tried++
			for i, who := range names {
				err := run(t, w, actors[who])
				got := letters[catalog.KindOf(err)]
				if err != nil && catalog.KindOf(err) == "" {
					got = "internal"
				}
				if got != want[i] {
					t.Errorf("%s by %s: got %s (%v), want %s", name, who, got, err, want[i])
				}
			}
		}
		if tried != len(verbs) {
			t.Errorf("the table has %d verbs of %d", tried, len(verbs))
		}
		if err := db.CheckEvents(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
