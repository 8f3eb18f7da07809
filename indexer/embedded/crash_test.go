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

	"taihu/indexer/indextest"
)

// crashFolder names the folder in which a child of TestKilled works.
const crashFolder = "TAIHU_TEST_CRASH_FOLDER"

// TestMain lets the test binary be the child that TestKilled kills.
func TestMain(m *testing.M) {
	if folder := os.Getenv(crashFolder); folder != "" {
		if err := crash(folder); err != nil {
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
