package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/failpoint"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// crashDSN makes TestCrash the child that dies.
const crashDSN = "TAIHU_TEST_CRASH"

// TestCrash is run by TestKilledBetweenDurableSteps in a process of its own: it
// takes an ingest job, finishes it, and publishes what waits for it.
func TestCrash(t *testing.T) {
	dsn := os.Getenv(crashDSN)
	if dsn == "" {
		t.Skip("only a child of TestKilledBetweenDurableSteps")
	}
	db, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := work(t.Context(), db); err != nil {
		t.Fatal(err)
	}
}

// work does everything that is waiting: checks, then approved drafts. It can be
// repeated.
func work(ctx context.Context, db *store.DB) error {
	for {
		j, err := db.Lease(ctx, fmt.Sprint(os.Getpid()), []string{catalog.JobIngest}, time.Millisecond)
		if err != nil {
			return err
		}
		if j == nil {
			break
		}
		id := strings.Split(string(j.Args), `"`)[3]
		f, _, _, err := db.FileForIngest(ctx, id)
		if err != nil {
			return err
		}
		if err := db.FinishIngest(ctx, f.ID, f.Blob.SHA256, f.Options, storetest.Outcome("readings", "a")); err != nil {
			return err
		}
		if err := db.Finish(ctx, j); err != nil && catalog.KindOf(err) != catalog.Conflict {
			return err
		}
	}
	for {
		list, err := db.Drafts(ctx, catalog.SystemActor, store.DraftFilter{States: []catalog.State{catalog.Ready, catalog.InReview, catalog.Approved}})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, r := range list {
			switch r.State {
			case catalog.Ready:
				_, err = db.Submit(ctx, catalog.SystemActor, r.ID, 0)
			case catalog.InReview:
				_, err = db.Approve(ctx, catalog.SystemActor, r.ID, 0)
			default:
				_, err = db.Publish(ctx, catalog.SystemActor, r.ID, 0)
			}
			if err != nil {
				return err
			}
		}
	}
}

func TestKilledBetweenDurableSteps(t *testing.T) {
	for _, point := range failpoint.Names {
		if strings.HasPrefix(point, "blob.") || strings.HasPrefix(point, "upload.") {
			continue // blob tries its own; those of uploads are tried with a server
		}
		t.Run(point, func(t *testing.T) {
			for name, dsn := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "taihu.db"), "postgres": ""} {
				if name == "postgres" {
					dsn = storetest.Postgres(t)
				}
				killAt(t, point, dsn)
			}
		})
	}
}

func killAt(t *testing.T, point, dsn string) {
	t.Helper()
	ctx := t.Context()
	db := storetest.Open(t, dsn, store.Options{})
	w := storetest.NewWorld(t, db)
	w.Published(t, "water-level")
	// The job of the first release's file is left over: its work is done already.
	r := newDraft(t, w)
	put(t, w, r.ID, "a.csv", "a")
	_, err := db.UpdateDraft(ctx, w.Steward, r.ID, 0, store.DraftEdit{Notes: catalog.Text{En: "another table"}})
	wantCode(t, err, "")

	child := exec.Command(os.Args[0], "-test.run=^TestCrash$")
	child.Env = append(os.Environ(), crashDSN+"="+dsn, "TAIHU_FAILPOINT="+point+"=kill")
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("%s: the child ended with %v, want SIGKILL:\n%s", point, err, out)
	}
	time.Sleep(5 * time.Millisecond) // its lease runs out

	published := draft(t, w, r.ID).State == catalog.Published
	if want := point == "publish.after_commit"; published != want {
		t.Errorf("%s: published is %v after the kill, want %v", point, published, want)
	}
	if err := work(ctx, db); err != nil {
		t.Fatalf("%s: work did not go on: %v", point, err)
	}
	list, err := db.Releases(ctx, w.Steward, "water-level")
	wantCode(t, err, "")
	if len(list) != 2 || list[0].Number != 2 || list[0].ID != r.ID || len(list[0].Tables) != 1 {
		t.Errorf("%s: in the end the releases are %+v", point, list)
	}
	if counts, err := db.PendingJobs(ctx); err != nil || counts[catalog.JobIngest] != 0 || counts[catalog.JobWarm] != 2 {
		t.Errorf("%s: in the end %v is pending, %v", point, counts, err)
	}
	if err := db.CheckEvents(ctx); err != nil {
		t.Errorf("%s: %v", point, err)
	}
}
