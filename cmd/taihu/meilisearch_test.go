package main

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// meilisearch is a real server in a process of its own, which can be killed,
// stopped and started again with what it has on the disk.
type meilisearch struct {
	t       testing.TB
	binary  string
	folder  string
	address string
	URL     string
	Key     string
	cmd     *exec.Cmd
}

// startMeilisearch starts the binary on PATH on a free loopback port, or skips.
func startMeilisearch(t testing.TB) *meilisearch {
	t.Helper()
	binary, err := exec.LookPath("meilisearch")
	if err != nil {
		t.Skip("SKIPPED: no meilisearch on PATH")
	}
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	m := &meilisearch{t: t, binary: binary, folder: t.TempDir(), address: freeAddress(t), Key: hex.EncodeToString(key)}
	m.URL = "http://" + m.address
	m.start()
	t.Cleanup(m.kill)
	return m
}

func (m *meilisearch) start() {
	m.t.Helper()
	m.cmd = exec.Command(m.binary, "--no-analytics", "--http-addr", m.address, "--db-path", filepath.Join(m.folder, "db"), "--env", "production", "--max-indexing-memory", "256MiB")
	m.cmd.Env = append(os.Environ(), "MEILI_MASTER_KEY="+m.Key)
	m.cmd.Dir = m.folder
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if response, err := http.Get(m.URL + "/health"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			m.t.Fatal("Meilisearch does not answer after 30 s")
		}
	}
}

// signal sends a signal, such as SIGSTOP and SIGCONT.
func (m *meilisearch) signal(s syscall.Signal) {
	m.t.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		m.t.Fatal(err)
	}
}

func (m *meilisearch) kill() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}

// wipe removes everything it has on the disk; it must not run.
func (m *meilisearch) wipe() {
	m.t.Helper()
	if err := os.RemoveAll(filepath.Join(m.folder, "db")); err != nil {
		m.t.Fatal(err)
	}
}
