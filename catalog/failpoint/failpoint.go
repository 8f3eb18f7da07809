// Package failpoint lets a test break the program between two durable steps: at
// a named point it ends the process as kill -9 would, returns an error, or
// waits. The environment variable TAIHU_FAILPOINT=name=kill|err|sleep:2s chooses
// one; without it Hit costs a comparison. Every name stands in Names, so that a
// test can try them all.
//
// It knows nothing of what lies around the points.
package failpoint

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Names lists every failpoint in the program.
var Names = []string{
	"blob.before_sync",      // bytes written to the temp file, not synced
	"blob.before_rename",    // bytes durable under a temporary name
	"blob.after_rename",     // under its own name, folder not synced
	"ingest.before_commit",  // outcome of a check written, not committed
	"ingest.after_commit",   // outcome committed, job not finished
	"publish.before_commit", // release numbered, not committed
	"publish.after_commit",  // release published, nobody told
	"job.before_finish",     // work done, job still leased
	"job.after_finish",      // job done
	"upload.before_note",    // bytes of an upload durable, not acknowledged
	"upload.before_link",    // every byte acknowledged, none in the blob store
	"upload.before_finish",  // in the blob store, not yet a file of its draft
	"upload.after_finish",   // a file of its draft, its bytes not yet dropped
}

// chosen reads the environment once.
var chosen = sync.OnceValues(func() (name, action string) {
	name, action, _ = strings.Cut(os.Getenv("TAIHU_FAILPOINT"), "=")
	if name != "" && !slices.Contains(Names, name) {
		panic("TAIHU_FAILPOINT names no failpoint: " + name)
	}
	return name, action
})

// Hit does what the environment asks for at this point: nothing and nil, unless
// it was chosen.
func Hit(name string) error {
	at, action := chosen()
	if at != name || at == "" {
		return nil
	}
	switch {
	case action == "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	case action == "err":
		return fmt.Errorf("failpoint %s", name)
	}
	wait, ok := strings.CutPrefix(action, "sleep:")
	d, err := time.ParseDuration(wait)
	if !ok || err != nil {
		panic("TAIHU_FAILPOINT has an unknown action: " + action)
	}
	time.Sleep(d)
	return nil
}
