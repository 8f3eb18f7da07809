//go:build !linux

package child

import (
	"os"
	"os/exec"
)

// Other systems than Linux are for development: the child is killed by its own
// pid, and its memory is not watched.

func isolate(*exec.Cmd) {}

func offline(*exec.Cmd) bool { return false }

func limit(int, Spec) {}

func killGroup(int) {}

func reap(c *exec.Cmd, last func()) error {
	defer last()
	return c.Wait()
}

func residentSet(int) int64 { return 0 }

func signalOf(e *exec.ExitError) string { return "" }

func widen(*os.File) {}
