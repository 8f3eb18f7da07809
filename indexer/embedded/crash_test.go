package embedded

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/indexer/indextest"
)

// crashFolder names the folder in which a child of TestKilled works, rollbackFolder
// the one of a child of TestKilledGoingBack.
const (
	crashFolder    = "TAIHU_TEST_CRASH_FOLDER"
	rollbackFolder = "TAIHU_TEST_ROLLBACK_FOLDER"
)

// TestMain lets the test binary be the child that the tests kill.
func TestMain(m *testing.M) {
	for name, run := range map[string]func(string) error{crashFolder: crash, rollbackFolder: goBack} {
		folder := os.Getenv(name)
		if folder == "" {
			continue
		}
		if err := run(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// crash puts ever later versions of five documents, rebuilds now and then, and
// says each version that was acknowledged.
func crash(folder string) error {
	x, err := Open(folder)
	if err != nil {
		return err
	}
	versions, err := x.Stamps(context.Background())
	if err != nil {
		return err
	}
	next := int64(0)
	for _, v := range versions {
		next = max(next, v.Version)
	}
	for {
		next++
		d := indextest.Documents()[next%5]
		d.Version = next
		if err := x.Put(context.Background(), d); err != nil {
			return err
		}
		fmt.Println(next)
		if next%9 == 0 {
			if err := x.Rebuild(context.Background(), x.documents(context.Background()), nil); err != nil {
				return err
			}
		}
	}
}

// goBack makes indexes of five documents of one version each, sends canaries, and
// goes back to the one before.
func goBack(folder string) error {
	x, err := Open(folder)
	if err != nil {
		return err
	}
	for version := int64(1); ; version++ {
		docs := indextest.Documents()[:5]
		for i := range docs {
			docs[i].Version = version
		}
		if err := x.Rebuild(context.Background(), all(docs), nil); err != nil {
			return err
		}
		for range 2 {
			if _, err := x.Canary(context.Background()); err != nil {
				return err
			}
			if err := x.Rollback(context.Background()); err != nil && version > 1 {
				return err
			}
		}
		fmt.Println(version)
	}
}

// TestKilledGoingBack kills the process while it rebuilds, sends canaries and goes
// back: afterwards one of the indexes is there, whole, and nothing else.
func TestKilledGoingBack(t *testing.T) {
	folder := t.TempDir()
	random := rand.New(rand.NewPCG(3, 3))
	for round := range 15 {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), rollbackFolder+"="+folder)
		command.Stderr = os.Stderr
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatal("the child did not begin")
		}
		time.AfterFunc(time.Duration(random.IntN(40_000))*time.Microsecond, func() { _ = command.Process.Kill() })
		for lines.Scan() {
		}
		_ = command.Wait() // killed
		x, err := Open(folder)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for range 2 {
			versions := versionsOf(t, x)
			for id, v := range versions {
				if v != versions[indextest.ID(0)] || id == "canary" {
					t.Errorf("round %d: versions %v", round, versions)
				}
			}
			if len(versions) != 5 || x.Damage() != "" {
				t.Errorf("round %d: %d documents, damage %q", round, len(versions), x.Damage())
			}
			if err := x.Rollback(t.Context()); err != nil && catalog.CodeOf(err) != "no_rollback" {
				t.Errorf("round %d: %v", round, err)
			}
		}
		x.Close()
	}
}

// TestKilled kills the process at random while it puts and rebuilds: what was
// acknowledged is there after the next start.
func TestKilled(t *testing.T) {
	folder := t.TempDir()
	random := rand.New(rand.NewPCG(1, 1))
	for round := range 15 {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), crashFolder+"="+folder)
		command.Stderr = os.Stderr
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		acknowledged := int64(0)
		if lines.Scan() { // it has begun
			acknowledged, _ = strconv.ParseInt(lines.Text(), 10, 64)
			time.AfterFunc(time.Duration(random.IntN(60_000))*time.Microsecond, func() { _ = command.Process.Kill() })
		}
		for lines.Scan() {
			acknowledged, _ = strconv.ParseInt(lines.Text(), 10, 64)
		}
		_ = command.Wait() // killed
		x, err := Open(folder)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		newest := int64(0)
		versions := versionsOf(t, x)
		for _, v := range versions {
			newest = max(newest, v)
		}
		if newest < acknowledged || acknowledged == 0 {
			t.Errorf("round %d: version %d was acknowledged, %d is there", round, acknowledged, newest)
		}
		if want := min(5, int(newest)); len(versions) != want {
			t.Errorf("round %d: %d documents, want %d", round, len(versions), want)
		}
		x.Close()
	}
}
