package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
	"taihu/catalog/failpoint"
)

var discardLog = slog.New(slog.DiscardHandler)

// process is a portal in a process of its own, so that it can be killed.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	URL     string
	Data    string
	address string
	dead    chan struct{}
	Flags   []string // besides those of start
}

// freeAddress finds a port, which the process keeps over its lives.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *process) start(variables ...string) {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0], append([]string{"as-program", "serve", "--listen=" + p.address, "--data=" + p.Data, "--log-level=warn"}, p.Flags...)...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, variables...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := p.cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.dead = make(chan struct{})
	go func(cmd *exec.Cmd, dead chan struct{}) {
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), "level=ERROR") {
				testWriter{p.t}.Write(lines.Bytes())
			}
		}
		_ = cmd.Wait()
		close(dead)
	}(p.cmd, p.dead)
	p.URL = "http://" + p.address
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get(p.URL + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-p.dead:
			if len(variables) > 0 {
				return // the failpoint was on the way to readiness
			}
			p.t.Fatal("the portal died while starting")
		default:
		}
		if time.Now().After(deadline) {
			p.t.Fatal("the portal is not ready after 30 s")
		}
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.dead
}

// history is what clients were told, kept outside the process that dies.
type history struct {
	mu        sync.Mutex
	published map[string]map[int]string // dataset → release → the CSV
}

func (h *history) acknowledge(dataset string, number int, csv string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.published == nil {
		h.published = map[string]map[int]string{}
	}
	if h.published[dataset] == nil {
		h.published[dataset] = map[int]string{}
	}
	h.published[dataset][number] = csv
}

// publishOnce takes a small table through upload, check, review and publishing
// and returns the release's number. Any step may fail: the server may be dead.
func publishOnce(ctx context.Context, c *client.Client, dataset, csv string) (int, error) {
	draft, err := c.CreateDraft(ctx, dataset, api.DraftEdit{Notes: catalog.Text{Zh: "又一版"}})
	if err != nil {
		return 0, err
	}
	// The stewards publish the same numbers: that is found, and meant.
	meant := url.Values{"settle": {"duplicate_content=accept,a test\nfragment=accept,a test"}}
	if draft, err = c.PutFile(ctx, draft.ID, "numbers.csv", meant, strings.NewReader(csv), int64(len(csv))); err != nil {
		return 0, err
	}
	for draft.State == catalog.Checking {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if draft, err = c.Draft(ctx, draft.ID); err != nil {
			return 0, err
		}
	}
	for _, verb := range []string{"submit", "approve", "publish"} {
		if draft, err = c.Act(ctx, draft.ID, verb); err != nil {
			return 0, err
		}
	}
	return draft.Number, nil
}

func makeDataset(t *testing.T, c *client.Client, slug string) {
	t.Helper()
	ctx := context.Background()
	if err := c.CreateOrganization(ctx, api.OrganizationEdit{Slug: "cgj", Name: catalog.Text{Zh: "城管局"}}); err != nil && client.CodeOf(err) == "" {
		t.Fatal(err)
	}
	_, err := c.CreateDataset(ctx, api.DatasetEdit{Slug: slug, Organization: "cgj", Title: catalog.Text{Zh: "数字 " + slug}, Licence: "CC0-1.0",
		OpenAttribute: catalog.Unconditional, Frequency: "irregular"})
	if err != nil {
		t.Fatal(err)
	}
}

func numbers(n int) string { return fmt.Sprintf("编号,数值\n1,%d\n2,%d\n", n, n+1) }

// checkInvariants holds a portal that was killed to its promises: every
// acknowledged release is there with its bytes, numbers have no gap, each release
// is whole, fsck is clean, jobs go on, the index follows.
func (p *process) checkInvariants(c *client.Client, h *history, datasets []string) {
	t := p.t
	t.Helper()
	ctx := context.Background()
	for _, slug := range datasets {
		var list api.ReleaseList
		if err := c.Do(ctx, http.MethodGet, "/api/v1/datasets/"+slug+"/releases", nil, &list); err != nil {
			t.Fatal(err)
		}
		there := map[int]bool{}
		for i, r := range list.Releases {
			if want := len(list.Releases) - i; r.Number != want {
				t.Errorf("%s: release %d stands where %d should", slug, r.Number, want)
			}
			if len(r.Tables) != 1 || len(r.Files) != 1 || r.Tables[0].Rows != 2 {
				t.Errorf("%s: release %d is not whole: %+v", slug, r.Number, r)
				continue
			}
			there[r.Number] = true
			status, body := p.read(fmt.Sprintf("/data/%s/%d/numbers.csv", slug, r.Number))
			if status != 200 {
				t.Errorf("%s: release %d answers %d: %s", slug, r.Number, status, body)
			}
			if want, ok := h.published[slug][r.Number]; ok && body != want {
				t.Errorf("%s: release %d is %q, acknowledged was %q", slug, r.Number, body, want)
			}
		}
		for n := range h.published[slug] {
			if !there[n] {
				t.Errorf("%s: release %d was acknowledged and is lost", slug, n)
			}
		}
	}
	if runs, err := filepath.Glob(filepath.Join(p.Data, "tmp", "*")); err != nil || len(runs) != 1 {
		t.Errorf("temp folders of processes that died are left: %v %v", runs, err)
	}
	eventually(t, "no job waits", func() bool { return p.pendingJobs() == 0 })
	for _, slug := range datasets {
		if len(h.published[slug]) == 0 {
			continue
		}
		eventually(t, slug+" is found", func() bool {
			_, body := p.read("/api/v1/datasets?q=" + slug)
			return strings.Contains(body, `"slug":"`+slug+`"`)
		})
	}
	s := &server{t: t, Data: p.Data}
	if out, code := s.command("fsck"); code != 0 {
		t.Errorf("fsck: %s", out)
	}
}

func (p *process) read(path string) (int, string) {
	s := &server{t: p.t, URL: p.URL}
	status, _, body := s.get(path)
	return status, string(body)
}

func (p *process) pendingJobs() int {
	ctx := context.Background()
	cfg := &Config{Data: p.Data, LogLevel: "error"}
	n := -1
	_ = withStore(ctx, cfg, discardLog, func(q *portal) error {
		pending, err := q.store.PendingJobs(ctx)
		n = 0
		for _, jobs := range pending {
			n += jobs
		}
		return err
	})
	return n
}

// newProcess starts a portal with one published release to build on.
func newProcess(t *testing.T, h *history, datasets ...string) (*process, *client.Client) {
	t.Helper()
	p := &process{t: t, Data: t.TempDir(), address: freeAddress(t)}
	p.start()
	t.Cleanup(func() { p.kill() })
	s := &server{t: t, Data: p.Data}
	c := client.New(p.URL, s.token())
	for _, slug := range datasets {
		makeDataset(t, c, slug)
		n, err := publishOnce(context.Background(), c, slug, numbers(0))
		if err != nil || n != 1 {
			t.Fatalf("publish %s: release %d, %v", slug, n, err)
		}
		h.acknowledge(slug, n, numbers(0))
	}
	return p, c
}

// TestKilledAtEachFailpoint kills the portal between every two durable steps of
// a publication.
func TestKilledAtEachFailpoint(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: takes a minute; run without -short")
	}
	for _, name := range failpoint.Names {
		if strings.HasPrefix(name, "upload.") { // TestUploadKilledAtEachFailpoint
			continue
		}
		t.Run(name, func(t *testing.T) {
			var h history
			p, c := newProcess(t, &h, "killed")
			p.kill()
			p.start("TAIHU_FAILPOINT=" + name + "=kill")
			ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
			n, err := publishOnce(ctx, c, "killed", numbers(7))
			cancel()
			if err == nil {
				h.acknowledge("killed", n, numbers(7))
			}
			select {
			case <-p.dead:
			case <-time.After(10 * time.Second):
				t.Fatalf("the failpoint was never hit (publish said %v)", err)
			}
			p.start()
			if n, err = publishOnce(context.Background(), c, "killed", numbers(9)); err != nil {
				t.Fatalf("publishing after the restart: %v", err)
			}
			h.acknowledge("killed", n, numbers(9))
			p.checkInvariants(c, &h, []string{"killed"})
		})
	}
}

// TestKilledAtRandom kills the portal 50 times while three stewards publish.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: takes a minute; run without -short")
	}
	const kills = 50
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	var h history
	datasets := []string{"one-steward", "two-stewards", "three-stewards"}
	p, c := newProcess(t, &h, datasets...)

	ctx, stop := context.WithCancel(context.Background())
	var stewards sync.WaitGroup
	for i, slug := range datasets {
		stewards.Go(func() {
			for n := 10 * (i + 1); ctx.Err() == nil; n += 2 {
				if number, err := publishOnce(ctx, c, slug, numbers(n)); err == nil {
					h.acknowledge(slug, number, numbers(n))
				} else {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	for range kills {
		time.Sleep(time.Duration(150+random.IntN(750)) * time.Millisecond)
		p.kill()
		p.start()
	}
	stop()
	stewards.Wait()
	p.checkInvariants(c, &h, datasets)
	acknowledged := 0
	for _, releases := range h.published {
		acknowledged += len(releases)
	}
	t.Logf("%d kills, %d releases acknowledged, none lost", kills, acknowledged)
}

// TestTwoStewardsPublishAtOnce: one wins, the other is told.
func TestTwoStewardsPublishAtOnce(t *testing.T) {
	s := start(t, "serve")
	c := client.New(s.URL, s.token())
	makeDataset(t, c, "contested")
	ctx := context.Background()
	draft, err := c.CreateDraft(ctx, "contested", api.DraftEdit{Notes: catalog.Text{Zh: "又一版"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.PutFile(ctx, draft.ID, "numbers.csv", nil, strings.NewReader(numbers(1)), int64(len(numbers(1)))); err != nil {
		t.Fatal(err)
	}
	eventually(t, "checked", func() bool {
		d, err := c.Draft(ctx, draft.ID)
		return err == nil && d.State == catalog.Ready
	})
	for _, verb := range []string{"submit", "approve"} {
		if _, err := c.Act(ctx, draft.ID, verb); err != nil {
			t.Fatal(err)
		}
	}
	const both = 8
	outcomes := make(chan string, both)
	for range both {
		go func() {
			_, err := c.Act(ctx, draft.ID, "publish")
			outcomes <- client.CodeOf(err)
		}()
	}
	won := 0
	for range both {
		switch code := <-outcomes; code {
		case "":
			won++
		case "wrong_state", "stale_row_version":
		default:
			t.Errorf("the loser was told %q", code)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
	var list api.ReleaseList
	if err := c.Do(ctx, http.MethodGet, "/api/v1/datasets/contested/releases", nil, &list); err != nil || len(list.Releases) != 1 {
		b, _ := json.Marshal(list)
		t.Errorf("releases: %v %s", err, b)
	}
}
