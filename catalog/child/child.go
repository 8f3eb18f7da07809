// Package child starts children of the same binary and makes sure that nothing
// of them is left: own process group, killed with its parent, an environment of
// a few harmless variables, an own temp folder, limits, a watch on memory from
// outside and on the clock. It tells why a child died, because the reader of
// that is somebody's file report or query.
//
// Run asks a child one question (ingest); Start keeps one to talk to (the query
// pool). The package knows nothing of what children do.
package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Reason is why a child died.
type Reason string

// The reasons.
const (
	Memory    Reason = "memory"    // resident set over Spec.MemoryBytes
	Time      Reason = "time"      // wall clock or CPU time used up
	FileSize  Reason = "file_size" // wrote a file over Spec.FileBytes
	Cancelled Reason = "cancelled" // the caller asked
	Crashed   Reason = "crashed"   // exited with a code or died of a signal
)

// Death is how a child ended where it did not end well.
type Death struct {
	Reason   Reason
	ExitCode int    // -1 where a signal ended it
	Signal   string // of Crashed
	Stderr   string // the last 8 KB, for the log, never for users
}

func (d *Death) Error() string {
	switch {
	case d.Reason != Crashed:
		return "child killed: " + string(d.Reason)
	case d.Signal != "":
		return "child crashed: " + d.Signal
	}
	return "child exited with code " + strconv.Itoa(d.ExitCode)
}

// Spec says what to start and within which limits. A limit of 0 is none.
type Spec struct {
	Executable string   // empty: the running binary
	Args       []string // after the program's name
	Env        []string // NAME=value, beyond the few that every child has
	TempRoot   string   // where the child's temp folder is made; empty: os.TempDir()

	MemoryBytes int64         // resident set, looked at from outside every 100 ms
	GoBytes     int64         // GOMEMLIMIT
	Procs       int           // GOMAXPROCS
	Wall        time.Duration // from start to end
	CPU         time.Duration // RLIMIT_CPU, whole seconds
	FileBytes   int64         // RLIMIT_FSIZE
	OpenFiles   int64         // RLIMIT_NOFILE
	Offline     bool          // in a network of its own with nothing in it, where the kernel lets us
}

// kept are the variables a child inherits. Anything else, such as the database
// address or a token, stays outside.
var kept = []string{"PATH", "TZ", "LANG", "LC_ALL", "SYSTEMROOT"}

const (
	stderrKept  = 8 << 10
	watchEvery  = 100 * time.Millisecond
	drainAtMost = time.Second // for stderr after death, should a stranger hold it open
)

// Process is a running child. Its methods may be called by several goroutines.
type Process struct {
	Stdin  *os.File // closing it tells the child that nothing more comes
	Stdout *os.File
	Temp   string // its temp folder, removed after its death

	cmd    *exec.Cmd
	reason atomic.Pointer[Reason]
	stderr tail
	done   chan struct{}
	death  error // valid once done is closed
	ended  sync.Mutex
	gone   bool // guarded by ended: the pid may belong to somebody else
}

// Start starts a child. It lives until it ends, is killed, or ctx is done; Wait
// or Kill must be called. Errors are those of the operating system.
func Start(ctx context.Context, s Spec) (*Process, error) {
	p := &Process{done: make(chan struct{})}
	if err := p.prepare(s); err != nil {
		return nil, err
	}
	stdinR, stdinW, err := os.Pipe()
	if err != nil {
		return nil, p.abandon(err)
	}
	stdoutR, stdoutW, err := os.Pipe()
	if err != nil {
		return nil, p.abandon(err, stdinR, stdinW)
	}
	stderrR, stderrW, err := os.Pipe()
	if err != nil {
		return nil, p.abandon(err, stdinR, stdinW, stdoutR, stdoutW)
	}
	widen(stdoutR)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdinR, stdoutW, stderrW
	p.Stdin, p.Stdout = stdinW, stdoutR

	started := make(chan error)
	go p.live(ctx, s, stderrR, started)
	err = <-started
	for _, f := range []*os.File{stdinR, stdoutW, stderrW} {
		_ = f.Close()
	}
	if err != nil {
		return nil, p.abandon(fmt.Errorf("start child %v: %w", s.Args, err), stdinW, stdoutR, stderrR)
	}
	return p, nil
}

// prepare makes the temp folder and the command.
func (p *Process) prepare(s Spec) error {
	exe := s.Executable
	if exe == "" {
		var err error
		if exe, err = os.Executable(); err != nil {
			return fmt.Errorf("find own binary: %w", err)
		}
	}
	temp, err := os.MkdirTemp(s.TempRoot, "taihu-child-")
	if err != nil {
		return fmt.Errorf("make temp folder of child: %w", err)
	}
	p.Temp = temp
	p.cmd = exec.Command(exe, s.Args...)
	p.cmd.Dir = temp
	p.cmd.Env = environment(s, temp)
	isolate(p.cmd)
	return nil
}

func (p *Process) abandon(err error, files ...*os.File) error {
	for _, f := range files {
		_ = f.Close()
	}
	_ = os.RemoveAll(p.Temp)
	return err
}

func environment(s Spec, temp string) []string {
	env := []string{"HOME=" + temp, "TMPDIR=" + temp, "TMP=" + temp, "TEMP=" + temp}
	for _, name := range kept {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	if s.GoBytes > 0 {
		env = append(env, "GOMEMLIMIT="+strconv.FormatInt(s.GoBytes, 10))
	}
	if s.Procs > 0 {
		env = append(env, "GOMAXPROCS="+strconv.Itoa(s.Procs))
	}
	return append(env, s.Env...)
}

// live starts the child and stays with it until it is reaped. It keeps its
// thread, because the kernel sends the parent-death signal when the thread that
// started the child ends, not when the process does.
func (p *Process) live(ctx context.Context, s Spec, stderr *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.start(s)
	if err != nil {
		started <- err
		return
	}
	limit(p.cmd.Process.Pid, s)
	started <- nil

	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(&p.stderr, stderr)
	}()
	stop := context.AfterFunc(ctx, func() { p.Kill(Cancelled) })
	go p.watch(s)

	err = reap(p.cmd, func() {
		p.ended.Lock()
		p.gone = true
		p.ended.Unlock()
	})
	stop()
	select {
	case <-drained:
	case <-time.After(drainAtMost):
	}
	_ = stderr.Close()
	<-drained
	_ = os.RemoveAll(p.Temp)
	p.death = p.verdict(s, err)
	close(p.done)
}

// start starts the command, offline where that is wanted and possible.
func (p *Process) start(s Spec) error {
	if !s.Offline || !offline(p.cmd) {
		return p.cmd.Start()
	}
	if p.cmd.Start() == nil {
		return nil
	}
	again := exec.Command(p.cmd.Path, p.cmd.Args[1:]...) // a command cannot be started twice
	again.Dir, again.Env, again.Stdin, again.Stdout, again.Stderr = p.cmd.Dir, p.cmd.Env, p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr
	isolate(again)
	p.cmd = again
	return p.cmd.Start()
}

// verdict tells how the child ended from what Wait says and who killed it.
func (p *Process) verdict(s Spec, err error) error {
	if err == nil {
		return nil
	}
	d := &Death{Reason: Crashed, ExitCode: -1, Stderr: p.stderr.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		d.ExitCode, d.Signal = exit.ExitCode(), signalOf(exit)
	}
	used := p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	switch {
	case p.reason.Load() != nil:
		d.Reason = *p.reason.Load()
	case s.CPU > 0 && d.Signal != "" && used >= s.CPU*9/10: // the kernel kills, without a word
		d.Reason = Time
	case s.FileBytes > 0 && strings.Contains(d.Stderr, syscall.EFBIG.Error()): // Go makes an error of SIGXFSZ
		d.Reason = FileSize
	}
	return d
}

// watch kills the child when it is too large or too old.
func (p *Process) watch(s Spec) {
	var wall <-chan time.Time
	if s.Wall > 0 {
		t := time.NewTimer(s.Wall)
		defer t.Stop()
		wall = t.C
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-wall:
			p.Kill(Time)
			return
		case <-tick.C:
			if s.MemoryBytes > 0 && p.RSS() > s.MemoryBytes {
				p.Kill(Memory)
				return
			}
		}
	}
}

// Pid returns the child's process id, which is also its group's.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// RSS returns the child's resident set in bytes, 0 where it is not known.
func (p *Process) RSS() int64 { return residentSet(p.cmd.Process.Pid) }

// Kill ends the child and its group at once. The first reason given is the one
// that Wait tells. It does not wait.
func (p *Process) Kill(why Reason) {
	p.reason.CompareAndSwap(nil, &why)
	p.ended.Lock()
	defer p.ended.Unlock()
	if !p.gone {
		killGroup(p.cmd.Process.Pid)
		_ = p.cmd.Process.Kill()
	}
}

// Done is closed when the child is reaped and its temp folder removed.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the child's end, closes the pipes and returns nil or a *Death.
// Read what is wanted from Stdout first.
func (p *Process) Wait() error {
	<-p.done
	_ = p.Stdin.Close()
	_ = p.Stdout.Close()
	return p.death
}

// ErrAnswerTooLong is returned by Run where the child says more than asked for.
var ErrAnswerTooLong = errors.New("child's answer is too long")

// Run starts a child, writes request to its stdin and returns what it writes to
// stdout, at most maxAnswer bytes. The error is a *Death where the child did not
// end well.
func Run(ctx context.Context, s Spec, request []byte, maxAnswer int64) ([]byte, error) {
	p, err := Start(ctx, s)
	if err != nil {
		return nil, err
	}
	go func() { // a child that does not read must not hold us up
		_, _ = p.Stdin.Write(request)
		_ = p.Stdin.Close()
	}()
	// A grandchild could hold stdout open, so death closes it too.
	var answer bytes.Buffer
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(&answer, io.LimitReader(p.Stdout, maxAnswer+1))
		read <- err
	}()
	select {
	case err = <-read:
		if err == nil && int64(answer.Len()) > maxAnswer {
			p.Kill(Cancelled)
			_ = p.Wait()
			return nil, ErrAnswerTooLong
		}
	case <-p.Done():
		_ = p.Stdout.SetReadDeadline(time.Now().Add(drainAtMost))
		err = <-read
	}
	if death := p.Wait(); death != nil {
		return nil, death
	}
	if err != nil {
		return nil, fmt.Errorf("read child's answer: %w", err)
	}
	return answer.Bytes(), nil
}

// tail keeps the last bytes written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(b)
	if n > stderrKept {
		b = b[n-stderrKept:]
	}
	if over := len(t.buf) + len(b) - stderrKept; over > 0 {
		t.buf = slices.Delete(t.buf, 0, over)
	}
	t.buf = append(t.buf, b...)
	return n, nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
