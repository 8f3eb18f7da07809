package blob_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/failpoint"
)

const crashFolder = "TAIHU_TEST_CRASH"

// TestCrash is run by TestKilledBetweenDurableSteps in a process of its own.
func TestCrash(t *testing.T) {
	folder := os.Getenv(crashFolder)
	if folder == "" {
		t.Skip("only a child of TestKilledBetweenDurableSteps")
	}
	d := openDirectory(t, folder)
	if path := os.Getenv(crashFolder + "_FILE"); path != "" {
		_, _ = d.PutFile(t.Context(), path)
		return
	}
	_, _ = d.Put(t.Context(), strings.NewReader("whole"))
}

func TestKilledBetweenDurableSteps(t *testing.T) {
	for _, point := range failpoint.Names {
		if !strings.HasPrefix(point, "blob.") {
			continue
		}
		for _, byFile := range []bool{false, true} {
			folder := t.TempDir()
			env := append(os.Environ(), crashFolder+"="+folder, "TAIHU_FAILPOINT="+point+"=kill")
			if byFile {
				path := filepath.Join(folder, "upload")
				if err := os.WriteFile(path, []byte("whole"), 0o600); err != nil {
					t.Fatal(err)
				}
				env = append(env, crashFolder+"_FILE="+path)
			}
			child := exec.Command(os.Args[0], "-test.run=^TestCrash$")
			child.Env = env
			var exit *exec.ExitError
			if out, err := child.CombinedOutput(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("%s: the child ended with %v, want SIGKILL:\n%s", point, err, out)
			}
			d := openDirectory(t, folder)
			n := 0
			err := d.List(t.Context(), func(b catalog.Blob) error { n++; return d.Check(t.Context(), b.SHA256) })
			if err != nil {
				t.Errorf("%s: %v", point, err)
			}
			if want := map[bool]int{true: 1}[point == "blob.after_rename"]; n != want {
				t.Errorf("%s: %d blobs are there, want %d", point, n, want)
			}
			if b, err := d.Put(t.Context(), strings.NewReader("whole")); err != nil || d.Check(t.Context(), b.SHA256) != nil {
				t.Errorf("%s: the bytes cannot be put again: %v", point, err)
			}
		}
	}
}

var _ blob.Store = (*blob.Directory)(nil)
