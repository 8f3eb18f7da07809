package child_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"taihu/catalog/child"

	"go.uber.org/goleak"
)

// The test binary is its own child: with a first argument it plays that part.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if part, ok := parts[os.Args[1]]; ok {
			part()
			os.Exit(0)
		}
	}
	goleak.VerifyTestMain(m)
}

var parts = map[string]func(){
	"echo": func() { _, _ = io.Copy(os.Stdout, os.Stdin) },
	"hog": func() {
		for kept := [][]byte{}; ; time.Sleep(10 * time.Millisecond) {
			b := make([]byte, 16<<20)
			for i := range b {
				b[i] = 1
			}
			kept = append(kept, b)
		}
	},
	"sleeper": func() { time.Sleep(time.Hour) },
	"parent": func() { // starts a grandchild, names it, and goes on or ends
		c := exec.Command(os.Args[0], "sleeper")
		if err := c.Start(); err != nil {
			panic(err)
		}
		fmt.Println(c.Process.Pid)
		if len(os.Args) > 2 {
			os.Exit(0)
		}
		time.Sleep(time.Hour)
	},
	"panic": func() { go func() { panic("broken in a library's own goroutine") }(); time.Sleep(time.Minute) },
	"exit":  func() { fmt.Fprint(os.Stderr, strings.Repeat("x", 20000)+"last words"); os.Exit(7) },
	"segv":  func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); time.Sleep(time.Minute) },
	"env":   func() { fmt.Print(strings.Join(os.Environ(), "\n")) },
	"connect": func() {
		if _, err := net.DialTimeout("tcp", os.Args[2], 5*time.Second); err != nil {
			fmt.Print("unreachable")
			return
		}
		fmt.Print("reached")
	},
	"chatter": func() { fmt.Print(strings.Repeat("x", 1<<20)) },
	"temp": func() {
		if err := os.WriteFile("scratch", nil, 0o600); err != nil {
			panic(err)
		}
		wd, _ := os.Getwd()
		fmt.Print(wd, "\n", os.TempDir())
	},
	"bigfile": func() {
		f, err := os.Create("big")
		if err != nil {
			panic(err)
		}
		for range 100 {
			if _, err := f.Write(make([]byte, 1<<20)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	},
	"spin": func() {
		for {
			_ = strconv.Itoa(1)
		}
	},
	// starts a child of its own as the server does, then dies without goodbye
	"server": func() {
		p, err := child.Start(context.Background(), child.Spec{Args: []string{"sleeper"}})
		if err != nil {
			panic(err)
		}
		fmt.Println(p.Pid())
		time.Sleep(time.Hour)
	},
}

func TestRunAnswers(t *testing.T) {
	got, err := child.Run(t.Context(), child.Spec{Args: []string{"echo"}}, []byte("太湖"), 100)
	if err != nil || string(got) != "太湖" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestDeathTellsItsReason(t *testing.T) {
	for name, test := range map[string]struct {
		spec child.Spec
		want child.Death
	}{
		"memory hog":      {child.Spec{Args: []string{"hog"}, MemoryBytes: 200 << 20}, child.Death{Reason: child.Memory, ExitCode: -1, Signal: "killed"}},
		"sleeper":         {child.Spec{Args: []string{"sleeper"}, Wall: 200 * time.Millisecond}, child.Death{Reason: child.Time, ExitCode: -1, Signal: "killed"}},
		"panic":           {child.Spec{Args: []string{"panic"}}, child.Death{Reason: child.Crashed, ExitCode: 2}},
		"exit code":       {child.Spec{Args: []string{"exit"}}, child.Death{Reason: child.Crashed, ExitCode: 7}},
		"signal":          {child.Spec{Args: []string{"segv"}}, child.Death{Reason: child.Crashed, ExitCode: -1, Signal: "killed"}},
		"file too large":  {child.Spec{Args: []string{"bigfile"}, FileBytes: 2 << 20}, child.Death{Reason: child.FileSize, ExitCode: 1}},
		"processor hours": {child.Spec{Args: []string{"spin"}, CPU: time.Second, Wall: 20 * time.Second}, child.Death{Reason: child.Time, ExitCode: -1, Signal: "killed"}},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := child.Run(t.Context(), test.spec, nil, 1000)
			var got *child.Death
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if got.Reason != test.want.Reason {
				t.Errorf("reason %q, want %q (%v; %s)", got.Reason, test.want.Reason, got, got.Stderr)
			}
			if got.Reason == child.Crashed && (got.ExitCode != test.want.ExitCode || got.Signal != test.want.Signal) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if d := time.Since(began); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

// TestOffline: a child without network reaches nothing, not even this machine.
func TestOffline(t *testing.T) {
	if exec.Command("unshare", "-U", "-r", "-n", "true").Run() != nil {
		t.Skip("this kernel gives no network of its own to a process without rights")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for offline, want := range map[bool]string{false: "reached", true: "unreachable"} {
		got, err := child.Run(t.Context(), child.Spec{Args: []string{"connect", l.Addr().String()}, Offline: offline, Wall: 20 * time.Second}, nil, 1000)
		if err != nil || string(got) != want {
			t.Errorf("offline %v: %q (%v), want %s", offline, got, err, want)
		}
	}
}

func TestStderrKeepsLastWords(t *testing.T) {
	_, err := child.Run(t.Context(), child.Spec{Args: []string{"exit"}}, nil, 1000)
	var death *child.Death
	if !errors.As(err, &death) || len(death.Stderr) != 8<<10 || !strings.HasSuffix(death.Stderr, "last words") {
		t.Fatalf("got %v", err)
	}
}

func TestGrandchildDiesWithGroup(t *testing.T) {
	for name, args := range map[string][]string{"parent killed": {"parent"}, "parent ends": {"parent", "ends"}} {
		t.Run(name, func(t *testing.T) {
			p, err := child.Start(t.Context(), child.Spec{Args: args})
			if err != nil {
				t.Fatal(err)
			}
			pid := readPid(t, p.Stdout)
			if len(args) == 1 {
				p.Kill(child.Cancelled)
			}
			_ = p.Wait()
			waitGone(t, pid)
		})
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
	p, err := child.Start(t.Context(), child.Spec{Args: []string{"server"}})
	if err != nil {
		t.Fatal(err)
	}
	pid := readPid(t, p.Stdout)
	_ = syscall.Kill(p.Pid(), syscall.SIGKILL)
	_ = p.Wait()
	waitGone(t, pid)
}

func TestCancelKills(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := child.Start(ctx, child.Spec{Args: []string{"sleeper"}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	var death *child.Death
	if err := p.Wait(); !errors.As(err, &death) || death.Reason != child.Cancelled {
		t.Fatalf("got %v", err)
	}
	p.Kill(child.Time) // harmless afterwards
}

func TestEnvironmentIsScrubbed(t *testing.T) {
	t.Setenv("TAIHU_DATABASE", "postgres://secret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("TZ", "Asia/Shanghai")
	got, err := child.Run(t.Context(), child.Spec{Args: []string{"env"}, Env: []string{"EXTRA=1"}, GoBytes: 1 << 30, Procs: 2}, nil, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{}
	for _, n := range strings.Fields("PATH TZ LANG LC_ALL HOME TMPDIR TMP TEMP GOMEMLIMIT GOMAXPROCS EXTRA PWD") {
		allowed[n] = true
	}
	for line := range strings.SplitSeq(string(got), "\n") {
		if name, _, _ := strings.Cut(line, "="); !allowed[name] {
			t.Errorf("the child knows %s", name)
		}
	}
	for _, want := range []string{"EXTRA=1", "GOMEMLIMIT=1073741824", "GOMAXPROCS=2", "TZ=Asia/Shanghai"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestTempFolderIsOwnAndRemoved(t *testing.T) {
	root := t.TempDir()
	got, err := child.Run(t.Context(), child.Spec{Args: []string{"temp"}, TempRoot: root}, nil, 1000)
	if err != nil {
		t.Fatal(err)
	}
	wd, temp, _ := strings.Cut(string(got), "\n")
	if wd != temp || !strings.HasPrefix(wd, root) {
		t.Errorf("worked in %q with temp %q under %q", wd, temp, root)
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLongAnswerIsRefused(t *testing.T) {
	if _, err := child.Run(t.Context(), child.Spec{Args: []string{"chatter"}}, nil, 1000); !errors.Is(err, child.ErrAnswerTooLong) {
		t.Fatalf("got %v", err)
	}
}

func TestStartOfNothingFails(t *testing.T) {
	root := t.TempDir()
	if _, err := child.Start(t.Context(), child.Spec{Executable: "/does/not/exist", TempRoot: root}); err == nil {
		t.Fatal("started")
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func readPid(t *testing.T, r io.Reader) int {
	t.Helper()
	var pid int
	if _, err := fmt.Fscanln(r, &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// waitGone waits until no process has this id; a zombie, whose parent is init,
// counts as gone.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %d is still there", pid)
}
