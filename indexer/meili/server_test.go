package meili

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/meilisearch/meilisearch-go"
)

// testServer is a real server: the one MEILI_URL names (with MEILI_KEY), or a
// meilisearch binary on PATH, started on a free loopback port with a random
// master key. It is nil where there is neither.
type testServer struct {
	url, key, version string
}

var started struct {
	once   sync.Once
	server *testServer
	err    error
	stop   func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if started.stop != nil {
		started.stop()
	}
	os.Exit(code)
}

// liveServer returns the real server or skips the test.
func liveServer(t testing.TB) *testServer {
	t.Helper()
	started.once.Do(func() { started.server, started.err = findServer() })
	if started.err != nil {
		t.Fatalf("meilisearch: %v", started.err)
	}
	if started.server == nil && *record {
		t.Fatal("-record needs a Meilisearch server: set MEILI_URL and MEILI_KEY or put meilisearch on PATH")
	}
	if started.server == nil {
		t.Skip("SKIP: no Meilisearch server: set MEILI_URL and MEILI_KEY or put meilisearch on PATH; the recorded exchanges are replayed instead")
	}
	return started.server
}

func findServer() (*testServer, error) {
	s := &testServer{url: os.Getenv("MEILI_URL"), key: os.Getenv("MEILI_KEY")}
	if s.url == "" {
		binary, err := exec.LookPath("meilisearch")
		if err != nil {
			return nil, nil //nolint:nilerr // no server is no error here
		}
		if err := s.start(binary); err != nil {
			return nil, err
		}
	}
	version, err := meilisearch.New(s.url, meilisearch.WithAPIKey(s.key)).Version()
	if err != nil {
		return nil, err
	}
	s.version = version.PkgVersion
	return s, nil
}

func (s *testServer) start(binary string) error {
	p, err := newProcess(binary)
	if err != nil {
		return err
	}
	started.stop = p.remove
	s.url, s.key = p.url(), p.key
	return p.run()
}

// process is a server of our own, which can be killed and run again.
type process struct {
	binary, folder, address, key string
	database                     string
	command                      *exec.Cmd
}

func newProcess(binary string) (*process, error) {
	folder, err := os.MkdirTemp("", "taihu-meili-")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	return &process{binary: binary, folder: folder, address: listener.Addr().String(), key: hex.EncodeToString(key), database: filepath.Join(folder, "db")}, nil
}

func (p *process) url() string { return "http://" + p.address }

// run starts the server and waits until it answers.
func (p *process) run() error {
	log, err := os.OpenFile(filepath.Join(p.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	// It sets aside all the memory that it may use for indexing at every change:
	// with its default, most of the machine's, the smallest one takes a second.
	p.command = exec.Command(p.binary, "--no-analytics", "--http-addr", p.address, "--db-path", p.database,
		"--env", "production", "--max-indexing-memory", "256MiB")
	p.command.Env = append(os.Environ(), "MEILI_MASTER_KEY="+p.key)
	p.command.Dir, p.command.Stdout, p.command.Stderr = p.folder, log, log
	if err := p.command.Start(); err != nil {
		return err
	}
	for range 300 {
		if response, err := http.Get(p.url() + "/health"); err == nil {
			response.Body.Close()
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	return fmt.Errorf("it does not answer after 15 s:\n%.2000s", text)
}

func (p *process) kill() {
	if p.command != nil && p.command.Process != nil {
		_ = p.command.Process.Kill()
		_ = p.command.Wait()
	}
}

func (p *process) remove() {
	p.kill()
	os.RemoveAll(p.folder)
}

// wipe deletes every index whose name begins with prefix.
func (s *testServer) wipe(t testing.TB, prefix string) {
	t.Helper()
	client := meilisearch.New(s.url, meilisearch.WithAPIKey(s.key))
	list, err := client.ListIndexes(&meilisearch.IndexesQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range list.Results {
		if len(index.UID) >= len(prefix) && index.UID[:len(prefix)] == prefix {
			task, err := client.DeleteIndex(index.UID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.WaitForTask(task.TaskUID, 10*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
	}
}
