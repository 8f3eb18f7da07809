package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
	"taihu/indexer"
)

// chaos is a portal whose stewards publish, withdraw and restore while its processes
// are killed.
type chaos struct {
	t        *testing.T
	p        *process
	c        *client.Client
	engine   *meilisearch // nil: the embedded index, in the server
	work     *worker      // the job runner alone; nil: in the server
	datasets []string     // slugs, whose titles are found by a word of their own
	done     atomic.Int64 // publications, withdrawals and restorations that were acknowledged
}

// worker is a job runner in a process of its own.
type worker struct {
	flags []string
	cmd   *exec.Cmd
}

func (w *worker) start(t *testing.T) {
	t.Helper()
	w.cmd = exec.Command(os.Args[0], append([]string{"as-program", "work", "--log-level=error"}, w.flags...)...)
	w.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (w *worker) kill() {
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
}

// word is what the title of the n-th dataset has and no other: letters only, none a
// beginning of another, and too far from each other for a typing mistake.
func word(n int) string {
	letter := string(rune('a' + n))
	return "q" + strings.Repeat(letter, 5) + "z"
}

const chaosDatasets = 20

func newChaos(t *testing.T, engine *meilisearch) *chaos {
	t.Helper()
	x := &chaos{t: t, engine: engine, p: &process{t: t, Data: t.TempDir(), address: freeAddress(t)}}
	if engine != nil {
		flags := []string{"--meili-url=" + engine.URL, "--meili-key=" + engine.Key}
		x.p.Flags = append(slices.Clone(flags), "--no-jobs")
		x.work = &worker{flags: append(flags, "--data="+x.p.Data)}
	}
	x.p.start()
	t.Cleanup(func() { x.p.kill() })
	if x.work != nil {
		x.work.start(t)
		t.Cleanup(func() { x.work.kill() })
	}
	s := &server{t: t, Data: x.p.Data}
	x.c = client.New(x.p.URL, s.token())
	for n := range chaosDatasets {
		makeDataset(t, x.c, word(n))
		x.datasets = append(x.datasets, word(n))
	}
	return x
}

// step does one thing with a dataset: publishes a release, withdraws the newest one
// that stands, or restores one. It reports whether that was acknowledged.
func (x *chaos) step(ctx context.Context, random *rand.Rand, slug string, n int) bool {
	var list api.ReleaseList
	err := x.c.Do(ctx, http.MethodGet, "/api/v1/datasets/"+slug+"/releases", nil, &list)
	if err != nil {
		return false
	}
	var standing, withdrawn []int
	for _, r := range list.Releases {
		if r.State == catalog.Published {
			standing = append(standing, r.Number)
		} else {
			withdrawn = append(withdrawn, r.Number)
		}
	}
	path := "/api/v1/datasets/" + slug + "/releases/"
	switch choice := random.IntN(10); {
	case len(list.Releases) == 0 || choice == 0:
		_, err = publishOnce(ctx, x.c, slug, numbers(n))
	case len(standing) > 0 && choice < 7:
		err = x.c.Do(ctx, http.MethodPost, fmt.Sprintf("%s%d/withdraw", path, standing[0]), api.Withdrawal{Reason: "by the test"}, nil)
	case len(withdrawn) > 0:
		err = x.c.Do(ctx, http.MethodPost, fmt.Sprintf("%s%d/restore", path, withdrawn[random.IntN(len(withdrawn))]), nil, nil)
	default:
		return false
	}
	return err == nil
}

// victim kills something and starts it again.
func (x *chaos) victim(random *rand.Rand) string {
	if x.engine == nil {
		x.p.kill()
		x.p.start()
		return "server"
	}
	switch random.IntN(3) {
	case 0:
		x.p.kill()
		x.p.start()
		return "server"
	case 1:
		x.work.kill()
		x.work.start(x.t)
		return "runner"
	}
	x.engine.kill()
	x.engine.start()
	return "Meilisearch"
}

// run lets three stewards work until there were so many kills and acknowledged steps.
func (x *chaos) run(kills, steps int) {
	seed := rand.Uint64()
	x.t.Logf("seed %d", seed)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var stewards sync.WaitGroup
	const hands = 4
	for i := range hands {
		stewards.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for n := 10 * (i + 1); ctx.Err() == nil; n += 100 {
				slug := x.datasets[i+hands*random.IntN(len(x.datasets)/hands)] // each steward has his own
				limited, cancel := context.WithTimeout(ctx, 20*time.Second)
				if x.step(limited, random, slug, n) {
					x.done.Add(1)
				} else {
					time.Sleep(10 * time.Millisecond)
				}
				cancel()
			}
		})
	}
	random := rand.New(rand.NewPCG(seed, 99))
	killed := map[string]int{}
	for n := range kills {
		// not before its share of the steps is done, at a moment that differs
		for share := int64(steps * n / kills); x.done.Load() < share; {
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Duration(random.IntN(600)) * time.Millisecond)
		killed[x.victim(random)]++
	}
	for x.done.Load() < int64(steps) {
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	stewards.Wait()
	x.t.Logf("%d kills (%v) during %d publications, withdrawals and restorations", kills, killed, x.done.Load())
}

// check holds the index to the database after everything has come to rest: the same
// set, versions and digests, each title is found and none that was withdrawn is.
func (x *chaos) check() {
	t := x.t
	t.Helper()
	cfg := &Config{Data: x.p.Data, LogLevel: "error"}
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		left := -1
		err := withStore(context.Background(), cfg, discardLog, func(p *portal) error {
			b, err := p.store.JobBacklog(context.Background(), catalog.SystemActor, catalog.JobIndex)
			left = b.Waiting + len(b.Failed)
			return err
		})
		if err == nil && left == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d index jobs are left, %v", left, err)
		}
	}
	there := map[string]bool{}
	err := withStore(context.Background(), cfg, discardLog, func(p *portal) error {
		for d, err := range (documentSource{p.store}).Documents(context.Background()) {
			if err != nil {
				return err
			}
			there[d.Slug] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(there) == 0 || len(there) == len(x.datasets) {
		t.Logf("%d of %d datasets stand: this run says little of withdrawals", len(there), len(x.datasets))
	}
	for _, slug := range x.datasets {
		for _, q := range []string{slug, "数字 " + slug} { // alone, and as the title has it
			_, body := x.p.read("/api/v1/datasets?q=" + url.QueryEscape(q))
			if found := strings.Contains(body, `"slug":"`+slug+`"`); found != there[slug] || strings.Contains(body, `"degraded":true`) {
				t.Errorf("searching %q finds it: %v, it stands: %v; %.200s", q, found, there[slug], body)
			}
		}
	}
	x.p.kill() // the embedded index is one process's own
	if x.engine != nil {
		cfg.MeiliURL, cfg.MeiliKey, cfg.MeiliIndex = x.engine.URL, x.engine.Key, "taihu"
	}
	err = withStore(context.Background(), cfg, discardLog, func(p *portal) error {
		var err error
		if p.index, err = openIndex(t.Context(), cfg, discardLog, 0); err != nil {
			return err
		}
		report, err := indexer.Drift(context.Background(), p.index, documentSource{p.store})
		if report.Repaired() != 0 || report.Checked != len(there) {
			t.Errorf("the index is not the database: %+v", report)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d of %d datasets stand; index and database are the same", len(there), len(x.datasets))
	s := &server{t: t, Data: x.p.Data}
	if out, code := s.command("fsck"); code != 0 {
		t.Errorf("fsck: %s", out)
	}
}

// TestChaos kills the server with its job runner at random moments while datasets are
// published, withdrawn and restored: afterwards the index is the database, exactly.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: takes a minute; run without -short")
	}
	t.Parallel()
	kills, steps := 20, 100
	if soak() {
		kills, steps = 200, 2000
	}
	x := newChaos(t, nil)
	x.run(kills, steps)
	x.check()
}

// TestChaosMeilisearch kills server, job runner and Meilisearch, each a process of
// its own.
func TestChaosMeilisearch(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: takes minutes; run without -short")
	}
	t.Parallel()
	engine := startMeilisearch(t)
	kills, steps := 20, 100
	if soak() {
		kills, steps = 200, 2000
	}
	x := newChaos(t, engine)
	x.run(kills, steps)
	x.check()
}
