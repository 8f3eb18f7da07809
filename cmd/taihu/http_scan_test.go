package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
)

// eicar is the test file of the European Institute for Computer Antivirus Research
// (eicar.org), which harms nothing. It stands here in two halves, so that scanners
// leave this file alone.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-` + `ANTIVIRUS-TEST-FILE!$H+H*`

// TestScanner runs a scanner on uploads: what it finds is refused, in tables and
// attachments alike; while it is down or too slow nothing is accepted, and the
// file is accepted without a new upload once it is back (F22).
func TestScanner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "scan")
	write := func(body string) {
		t.Helper()
		if err := os.WriteFile(script, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const works = `if grep -q 'EICAR-STANDARD' "$1"; then echo "$1: Eicar-Test-Signature FOUND"; exit 1; fi`
	write(works)
	p := startLots(t, "--scan-command="+script)
	first := func(id, name string) (catalog.FileState, string) {
		d := p.checked(t, id)
		for _, f := range d.Files {
			if f.Name == name && f.Report != nil {
				if x := f.Report.FirstError(); x != nil {
					return f.State, x.Code + " " + x.Value
				}
				return f.State, ""
			}
		}
		t.Fatalf("%s is not in %+v", name, d.Files)
		return "", ""
	}
	d := p.draft("open-lots", "bad.csv", "a,b\n1,"+eicar+"\n", "bad.bin", eicar, "good.csv", "a\n1\n")
	for name, want := range map[string]string{"bad.csv": "malware Eicar-Test-Signature FOUND", "bad.bin": "malware Eicar-Test-Signature FOUND", "good.csv": ""} {
		if _, got := first(d.ID, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	p.play(t, []scenario{{name: "it cannot be handed in", method: http.MethodPost, path: "/api/v1/drafts/" + d.ID + "/submit", headers: bearerOf(p.admin), status: 409}})
	path := filepath.Join(dir, "bad.csv")
	if err := os.WriteFile(path, []byte("a,b\n1,"+eicar+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := p.command("check", path, "--scan-command="+script); code != exitRefused || !strings.Contains(out, "malware") {
		t.Errorf("check ends with %d: %s", code, out)
	}

	write("exit 2")
	start := time.Now()
	d = p.draft("open-lots", "late.csv", "a\n1\n")
	if state, got := first(d.ID, "late.csv"); state != catalog.FileRefused || got != "scan_failed " {
		t.Errorf("without a scanner: %s %q after %s", state, got, time.Since(start))
	}
	if out, code := p.command("check", path, "--scan-command="+script); code == 0 || code == exitRefused {
		t.Errorf("check without a scanner ends with %d: %s", code, out)
	}
	write("sleep 1\n" + works)
	if err := p.client.Do(t.Context(), http.MethodPut, "/api/v1/drafts/"+d.ID+"/files/late.csv/options", catalog.IngestOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if state, got := first(d.ID, "late.csv"); state != catalog.FileAccepted {
		t.Errorf("with the scanner back: %s %q", state, got)
	}
}
