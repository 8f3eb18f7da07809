package ingest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taihu/catalog/child"
)

// The test binary is its own child: the variable says what it should do.
const childVariable = "TAIHU_INGEST_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "ingest":
		if err := Main(os.Stdin, os.Stdout, nil); err != nil {
			panic(err)
		}
	case "panic":
		go panic("a library's own goroutine")
		time.Sleep(time.Minute)
	case "hang":
		time.Sleep(time.Minute)
	case "eat":
		var all [][]byte
		for range 200 {
			b := make([]byte, 10<<20)
			for i := range b {
				b[i] = 1
			}
			all = append(all, b)
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		_ = all
	}
	os.Exit(0)
}

func TestChild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("a,b\n1,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := func(does string) child.Spec {
		return child.Spec{Args: []string{"-test.run=^$"}, Env: []string{childVariable + "=" + does}}
	}
	req := Request{Path: path, Name: "a.csv", OutDir: t.TempDir()}
	r, err := Child(t.Context(), spec("ingest"), req)
	if err != nil || !r.Report.Accepted || len(r.Tables) != 1 || r.Tables[0].Table.Rows != 1 {
		t.Fatal(err, summary(r))
	}
	missing := req
	missing.Path = "/nowhere"
	if _, err := Child(t.Context(), spec("ingest"), missing); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a missing file is trouble, not a verdict: %v", err)
	}
	for does, want := range map[string]string{"panic": "ingest_crashed", "hang": "ingest_killed", "eat": "ingest_killed"} {
		s := spec(does)
		s.Wall, s.MemoryBytes = 20*time.Second, 300<<20
		if does == "hang" {
			s.Wall = 300 * time.Millisecond
		}
		_, err := Child(t.Context(), s, req)
		var death *child.Death
		if !errors.As(err, &death) {
			t.Errorf("%s: %v", does, err)
			continue
		}
		if report := DeathReport("a.csv", death); report.Accepted || report.FirstError().Code != want {
			t.Errorf("%s: %+v (%v)", does, report, death)
		}
	}
}
