package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// errNoPostgres means that there is no PostgreSQL to test against.
var errNoPostgres = errors.New("no PostgreSQL: set TAIHU_POSTGRES to an address, or install postgres (looked on PATH and in /usr/lib/postgresql)")

// Postgres returns the address of an empty schema of its own on a real
// PostgreSQL: the one that TAIHU_POSTGRES names, else a throw-away cluster that
// lives as long as the test binary. Without either the test is skipped, or fails
// where TAIHU_REQUIRE contains postgres.
func Postgres(t testing.TB) string {
	t.Helper()
	base, err := server()
	if errors.Is(err, errNoPostgres) && !slices.Contains(strings.Split(os.Getenv("TAIHU_REQUIRE"), ","), "postgres") {
		t.Skip("SKIPPED, NOT TESTED ON POSTGRESQL: " + err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	schema := fmt.Sprintf("taihu_test_%d_%d_%d", os.Getpid(), time.Now().UnixNano(), schemas.Add(1))
	administer(t, base, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { administer(t, base, "DROP SCHEMA "+schema+" CASCADE") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("TAIHU_POSTGRES cannot be read as an address")
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

var schemas atomic.Int64

func administer(t testing.TB, address, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err == nil {
		_, err = db.ExecContext(context.Background(), statement)
		_ = db.Close()
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// server starts the cluster of this test binary once.
var server = sync.OnceValues(func() (string, error) {
	if address := os.Getenv("TAIHU_POSTGRES"); address != "" {
		return address, nil
	}
	bin := binaries()
	if bin == "" {
		return "", errNoPostgres
	}
	return startCluster(bin)
})

// binaries returns the folder with initdb and postgres, or "".
func binaries() string {
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			return filepath.Dir(p)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	version := func(p string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(p))))
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[0])
}

var cluster struct {
	folder string
	cmd    *exec.Cmd
	ended  chan struct{}
}

// startCluster makes a cluster in a temp folder, reached by a socket there, with
// durability off.
func startCluster(bin string) (string, error) {
	folder, err := os.MkdirTemp("/tmp", "taihu-pg-") // short: a socket's path holds 107 bytes
	if err != nil {
		return "", err
	}
	cluster.folder = folder
	owner, err := ownerOf(folder)
	if err != nil {
		return "", err
	}
	data := filepath.Join(folder, "data")
	initialise := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	initialise.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	initialise.Dir = folder
	if out, err := initialise.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=300", "-c", "timezone=Asia/Shanghai")
	cmd.Dir = folder
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGINT}
	started, ended := make(chan error), make(chan struct{})
	cluster.cmd, cluster.ended = cmd, ended
	go func() {
		runtime.LockOSThread() // the death signal comes when this thread ends
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return "", fmt.Errorf("start postgres: %w", err)
	}
	address := "postgres:///postgres?" + url.Values{"host": {folder}, "user": {"postgres"}, "sslmode": {"disable"}}.Encode()
	for deadline := time.Now().Add(30 * time.Second); ; {
		db, err := sql.Open("pgx", address)
		if err == nil {
			err = db.Ping()
			_ = db.Close()
		}
		if err == nil {
			return address, nil
		}
		select {
		case <-ended:
			return "", fmt.Errorf("postgres ended at once:\n%s", log.String())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("postgres does not answer: %w", err)
		}
	}
}

// ownerOf gives the folder to the user that the server runs as: PostgreSQL
// refuses to be root.
func ownerOf(folder string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(folder, uid, gid)
}

func stopCluster() {
	if cluster.cmd != nil && cluster.cmd.Process != nil {
		_ = cluster.cmd.Process.Signal(syscall.SIGINT)
		select {
		case <-cluster.ended:
		case <-time.After(15 * time.Second):
			_ = cluster.cmd.Process.Kill()
		}
	}
	if cluster.folder != "" {
		_ = os.RemoveAll(cluster.folder)
	}
}
