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
	folder, err := os.MkdirTemp("", "taihu-meili-")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	listener.Close()
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	s.url, s.key = "http://"+address, hex.EncodeToString(key)
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return err
	}
	command := exec.Command(binary, "--no-analytics", "--http-addr", address, "--db-path", filepath.Join(folder, "db"), "--env", "production")
	command.Env = append(os.Environ(), "MEILI_MASTER_KEY="+s.key)
	command.Dir, command.Stdout, command.Stderr = folder, log, log
	if err := command.Start(); err != nil {
		return err
	}
	started.stop = func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		log.Close()
		os.RemoveAll(folder)
	}
	for range 300 {
		if response, err := http.Get(s.url + "/health"); err == nil {
			response.Body.Close()
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	return fmt.Errorf("it does not answer after 15 s:\n%.2000s", text)
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
