package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// TestJourneys plays testdata/journeys: what a person does on the command line,
// from end to end, with real processes. Beside testscript's own commands the
// scripts have:
//
//	[!] taihu ARGS…         run taihu; with ! it must end with exit code 1
//	exits N taihu ARGS…     run taihu, which must end with exit code N
//	serve ARGS…             start a server at $TAIHU_SERVER on $TAIHU_DATA; what it prints is in serve.out, serve.err
//	terminate [during ADDRESS]   SIGTERM to the server, which must end with exit code 0; the slow download under way must end whole
//	keep NAME [PATH]        put what was printed last, or a value of that JSON (files.0.sha256), into a variable
//	get [STATUS] ADDRESS    read an address of the server
//	post [STATUS] ADDRESS   post to it, with $TAIHU_TOKEN
//	until ADDRESS           wait until it answers 200
//	gb18030 FILE FROM       write FROM in GB18030;  book FILE FROM…  write CSV files as the sheets of a workbook
//	rows N FILE             write a CSV of N rows
//	blob flip|cut|remove SHA256   damage a stored blob
func TestJourneys(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/journeys",
		Setup: setupJourney,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"taihu": func(ts *testscript.TestScript, neg bool, args []string) {
				want := 0
				if neg {
					want = 1
				}
				runTaihu(ts, want, args)
			},
			"exits":     exitsCommand,
			"serve":     serveInBackground,
			"terminate": stopServer,
			"keep":      keep,
			"get":       func(ts *testscript.TestScript, _ bool, args []string) { ask(ts, http.MethodGet, args) },
			"post":      func(ts *testscript.TestScript, _ bool, args []string) { ask(ts, http.MethodPost, args) },
			"until":     until,
			"gb18030":   writeGB18030,
			"book":      writeBook,
			"rows":      writeRows,
			"blob":      damageBlob,
		},
	})
}

// setupJourney gives each script a data folder, an address and taihu on its PATH.
func setupJourney(env *testscript.Env) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bin := filepath.Join(env.WorkDir, ".bin")
	if err := os.Mkdir(bin, 0o750); err != nil {
		return err
	}
	if err := os.Symlink(self, filepath.Join(bin, "taihu")); err != nil {
		return err
	}
	address := freeAddress(env.T().(testing.TB))
	env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
	env.Setenv("TAIHU_DATA", filepath.Join(env.WorkDir, "data"))
	env.Setenv("TAIHU_LISTEN", address)
	env.Setenv("TAIHU_SERVER", "http://"+address)
	env.Setenv("TAIHU_LOG_LEVEL", "warn")
	env.Values["server"] = &background{}
	return nil
}

// background is the server of a script.
type background struct {
	cmd  *exec.Cmd
	dead chan struct{}
}

func runTaihu(ts *testscript.TestScript, want int, args []string) {
	err := ts.Exec("taihu", args...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("taihu: %v", err)
	}
	if code != want {
		ts.Fatalf("taihu %s: exit code %d, want %d", strings.Join(args, " "), code, want)
	}
	if text := ts.ReadFile("stderr"); strings.Contains(text, "goroutine ") || strings.Contains(text, "panic:") {
		ts.Fatalf("taihu printed a stack")
	} else if strings.Contains(text, "\r") || strings.Contains(text, "\x1b") {
		ts.Fatalf("taihu drew on what is no terminal: %q", text)
	}
}

func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || args[1] != "taihu" {
		ts.Fatalf("usage: exits N taihu ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	runTaihu(ts, want, args[2:])
}

func serveInBackground(ts *testscript.TestScript, _ bool, args []string) {
	self, err := os.Executable()
	ts.Check(err)
	out, err := os.Create(ts.MkAbs("serve.out"))
	ts.Check(err)
	defer out.Close()
	log, err := os.Create(ts.MkAbs("serve.err"))
	ts.Check(err)
	defer log.Close()
	cmd := exec.Command(self, append([]string{"as-program", "serve"}, args...)...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, log, ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
	for _, name := range []string{"TAIHU_DATA", "TAIHU_LISTEN", "TAIHU_LOG_LEVEL"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(cmd.Start())
	s := ts.Value("server").(*background)
	s.cmd, s.dead = cmd, make(chan struct{})
	go func(dead chan struct{}) {
		_ = cmd.Wait()
		close(dead)
	}(s.dead)
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		<-s.dead
	})
	until(ts, false, []string{"/readyz"})
}

func stopServer(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value("server").(*background)
	if len(args) == 2 && args[0] == "during" {
		stopDuring(ts, s, args[1])
	} else {
		ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	}
	select {
	case <-s.dead:
	case <-time.After(30 * time.Second):
		ts.Fatalf("the server does not stop")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("the server ended with exit code %d: %s", code, ts.ReadFile("serve.err"))
	}
}

// stopDuring sends the signal in the middle of a download, which must end whole.
func stopDuring(ts *testscript.TestScript, s *background, address string) {
	plain := http.Client{Transport: &http.Transport{DisableCompression: true}} // compressed it would fit into the socket's buffers
	resp, err := plain.Get(ts.Getenv("TAIHU_SERVER") + encodeQuery(address))
	ts.Check(err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("GET %s: %s", address, resp.Status)
	}
	n, err := io.CopyN(io.Discard, resp.Body, 64<<10)
	ts.Check(err)
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	time.Sleep(300 * time.Millisecond)
	if _, err := http.Get(ts.Getenv("TAIHU_SERVER") + "/healthz"); err == nil {
		ts.Fatalf("the server takes new requests while it stops")
	}
	select {
	case <-s.dead:
		ts.Fatalf("the server ended before the download did")
	default:
	}
	rest, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.ContentLength >= 0 && n+rest != resp.ContentLength {
		ts.Fatalf("the download was cut after %d of %d bytes: %v", n+rest, resp.ContentLength, err)
	}
	fmt.Fprintf(ts.Stdout(), "%d bytes\n", n+rest)
}

func keep(ts *testscript.TestScript, _ bool, args []string) {
	printed := ts.ReadFile("stdout")
	if len(args) == 1 {
		ts.Setenv(args[0], strings.TrimSpace(printed))
		return
	}
	var value any
	ts.Check(json.Unmarshal([]byte(printed), &value))
	for step := range strings.SplitSeq(args[1], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			value = v[i]
		}
	}
	if value == nil {
		ts.Fatalf("there is no %s in what was printed", args[1])
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

// ask sends a request and prints the answer.
func ask(ts *testscript.TestScript, method string, args []string) {
	want := http.StatusOK
	if len(args) == 2 {
		var err error
		want, err = strconv.Atoi(args[0])
		ts.Check(err)
		args = args[1:]
	}
	req, err := http.NewRequest(method, ts.Getenv("TAIHU_SERVER")+encodeQuery(args[0]), nil)
	ts.Check(err)
	if method != http.MethodGet {
		req.Header.Set("Authorization", "Bearer "+ts.Getenv("TAIHU_TOKEN"))
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, err = ts.Stdout().Write(body)
	ts.Check(err)
	if resp.StatusCode != want {
		ts.Fatalf("%s %s: %s\n%s", method, args[0], resp.Status, body)
	}
}

func until(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(ts.Getenv("TAIHU_SERVER") + encodeQuery(args[0]))
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	ts.Fatalf("%s does not answer 200", args[0])
}

func writeGB18030(ts *testscript.TestScript, _ bool, args []string) {
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

func writeBook(ts *testscript.TestScript, _ bool, args []string) {
	x := excelize.NewFile()
	defer x.Close()
	for i, name := range args[1:] {
		sheet := strings.TrimSuffix(name, filepath.Ext(name))
		if i == 0 {
			ts.Check(x.SetSheetName("Sheet1", sheet))
		} else {
			_, err := x.NewSheet(sheet)
			ts.Check(err)
		}
		rows, err := csv.NewReader(strings.NewReader(ts.ReadFile(name))).ReadAll()
		ts.Check(err)
		for j, row := range rows {
			ts.Check(x.SetSheetRow(sheet, "A"+strconv.Itoa(j+1), &row))
		}
	}
	ts.Check(x.SaveAs(ts.MkAbs(args[0])))
}

func writeRows(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var b bytes.Buffer
	b.WriteString("编号,数值,说明\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,%d,第%d行的说明文字\n", i, i*7919%100003, i)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o600))
}

func damageBlob(ts *testscript.TestScript, _ bool, args []string) {
	path := filepath.Join(ts.Getenv("TAIHU_DATA"), "blobs", "sha256", args[1][:2], args[1])
	b, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.Remove(path))
	switch args[0] {
	case "flip":
		b[len(b)/2] ^= 1
	case "cut":
		b = b[:len(b)-1]
	case "remove":
		return
	}
	ts.Check(os.WriteFile(path, b, 0o400))
}
