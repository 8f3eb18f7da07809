package child

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func isolate(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// offline gives the child an empty network, by a namespace of users of its own,
// which needs no rights where the kernel has it.
func offline(c *exec.Cmd) bool {
	uid, gid := os.Getuid(), os.Getgid()
	c.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWNET
	c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	return true
}

// limit sets the child's limits from outside, before it was given any work.
func limit(pid int, s Spec) {
	set := func(resource int, n int64) {
		if n > 0 {
			// It may be dead already; then there is nothing to limit.
			_ = unix.Prlimit(pid, resource, &unix.Rlimit{Cur: uint64(n), Max: uint64(n)}, nil)
		}
	}
	set(unix.RLIMIT_FSIZE, s.FileBytes)
	set(unix.RLIMIT_NOFILE, s.OpenFiles)
	set(unix.RLIMIT_CPU, wholeSeconds(s.CPU))
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
}

func wholeSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// reap waits for the child's end, kills what it may have started itself, calls
// last and takes the exit status. Until the status is taken the pid and the
// group are still the child's own; after last nobody may signal them.
func reap(c *exec.Cmd, last func()) error {
	for {
		err := unix.Waitid(unix.P_PID, c.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	killGroup(c.Process.Pid)
	last()
	return c.Wait()
}

func residentSet(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

func signalOf(e *exec.ExitError) string {
	if ws, ok := e.Sys().(syscall.WaitStatus); ok && ws.Signal() > 0 {
		return ws.Signal().String()
	}
	return ""
}

// widen gives the pipe the largest buffer an unprivileged process may have:
// fewer switches between child and parent.
func widen(f *os.File) {
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 1<<20) })
	}
}
