package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// Which verb works in which state: y or - (Conflict wrong_state). The states:
// uploading, checking, rejected, ready, in review, returned, approved, scheduled,
// published, withdrawn, abandoned.
const verbStates = `
              up ch rj rd rv rt ap sc pb wd ab
put file      y  y  y  y  -  y  -  -  -  -  -
set options   n  y  y  y  -  y  -  -  -  -  -
remove file   n  y  y  y  -  y  -  -  -  -  -
change draft  y  y  y  y  -  y  -  -  -  -  -
submit        -  -  -  y  -  -  -  -  -  -  -
take back     -  -  -  -  y  -  -  -  -  -  -
approve       -  -  -  -  y  -  -  -  -  -  -
return        -  -  -  -  y  -  y  -  -  -  -
publish       -  -  -  -  -  -  y  y  -  -  -
schedule      -  -  -  -  -  -  y  -  -  -  -
unschedule    -  -  -  -  -  -  -  y  -  -  -
abandon       y  y  y  y  y  y  y  y  -  -  -
`

var stateCodes = map[string]catalog.State{"up": catalog.Uploading, "ch": catalog.Checking, "rj": catalog.Rejected, "rd": catalog.Ready, "rv": catalog.InReview,
	"rt": catalog.Returned, "ap": catalog.Approved, "sc": catalog.Scheduled, "pb": catalog.Published, "wd": catalog.Withdrawn, "ab": catalog.Abandoned}

// inState makes a draft, or release, in a state.
func inState(t *testing.T, w *storetest.World, s catalog.State) string {
	t.Helper()
	ctx, system := t.Context(), catalog.SystemActor
	var r *catalog.Release
	var err error
	switch s {
	case catalog.Uploading:
		r = newDraft(t, w)
	case catalog.Checking:
		r = newDraft(t, w)
		put(t, w, r.ID, "readings.csv", "x")
	case catalog.Rejected:
		r = newDraft(t, w)
		finish(t, w, put(t, w, r.ID, "readings.csv", "x"), refused)
	case catalog.Ready:
		r = w.ReadyDraft(t, "water-level")
	case catalog.InReview:
		r = submitted(w, t, "water-level")
	case catalog.Returned:
		r, err = w.DB.Return(ctx, system, submitted(w, t, "water-level").ID, "why", nil, 0)
	case catalog.Approved:
		r = w.ApprovedDraft(t, "water-level")
	case catalog.Scheduled:
		r, err = w.DB.Schedule(ctx, system, w.ApprovedDraft(t, "water-level").ID, catalog.Now().Add(time.Hour), 0)
	case catalog.Published:
		r = w.Published(t, "water-level")
	case catalog.Withdrawn:
		r, err = w.DB.Withdraw(ctx, system, "water-level", w.Published(t, "water-level").Number, "why")
	case catalog.Abandoned:
		r, err = w.DB.Abandon(ctx, system, newDraft(t, w).ID, 0)
	}
	wantCode(t, err, "")
	if got := draft(t, w, r.ID).State; got != s {
		t.Fatalf("the draft is %s, want %s", got, s)
	}
	return r.ID
}

// verbsOnDrafts are the verbs of the table, each as the actor, on the draft of that id.
var verbsOnDrafts = map[string]func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error{
	"put file": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.PutFile(ctx, a, id, store.Upload{Name: "more.csv", Blob: storetest.Blob("more")}))
	},
	"set options": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.SetFileOptions(ctx, a, id, "readings.csv", catalog.IngestOptions{HeaderRow: 2}))
	},
	"remove file": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return db.RemoveFile(ctx, a, id, "readings.csv")
	},
	"change draft": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.UpdateDraft(ctx, a, id, 0, store.DraftEdit{}))
	},
	"submit": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.Submit(ctx, a, id, 0))
	},
	"take back": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.TakeBack(ctx, a, id, 0))
	},
	"approve": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.Approve(ctx, a, id, 0))
	},
	"return": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.Return(ctx, a, id, "why", nil, 0))
	},
	"publish": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.Publish(ctx, a, id, 0))
	},
	"schedule": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.Schedule(ctx, a, id, catalog.Now().Add(time.Hour), 0))
	},
	"unschedule": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.Unschedule(ctx, a, id, 0))
	},
	"abandon": func(ctx context.Context, db *store.DB, a catalog.Actor, id string) error {
		return second(db.Abandon(ctx, a, id, 0))
	},
}

func TestVerbsInEveryState(t *testing.T) {
	ctx, a, run := t.Context(), catalog.SystemActor, verbsOnDrafts
	answers := map[string]string{"": "y", "wrong_state": "-", "unknown_file": "n"}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := storetest.NewWorld(t, db)
		lines := strings.Split(strings.TrimSpace(verbStates), "\n")
		states := strings.Fields(lines[0])
		if len(lines)-1 != len(run) {
			t.Fatalf("the table has %d verbs of %d", len(lines)-1, len(run))
		}
		for _, line := range lines[1:] {
			cells := strings.Fields(line)
			name := strings.Join(cells[:len(cells)-len(states)], " ")
			for i, code := range states {
				id := inState(t, w, stateCodes[code])
				err := run[name](ctx, db, a, id)
				got := answers[catalog.CodeOf(err)]
				if err != nil && catalog.KindOf(err) == "" {
					got = "internal"
				}
				if want := cells[len(cells)-len(states)+i]; got != want {
					t.Errorf("%s of a release that is %s: got %s (%v), want %s", name, stateCodes[code], got, err, want)
				}
			}
		}
	})
}
