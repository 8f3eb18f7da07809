package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unpack reads an archive with the standard library, which checks every CRC.
func unpack(t *testing.T, archive string) map[string]string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		contents[f.Name] = string(b)
	}
	return contents
}

// TestWholeRelease: the archive holds the same bytes as the single downloads,
// names and hashes them, and other programs read it.
func TestWholeRelease(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	for _, ext := range []string{"csv", "json", "ndjson", "xlsx", "parquet"} {
		address := "/data/open-lots/2.zip?format=" + ext
		status, _, archive := p.send(t, scenario{path: address})
		if status != 200 {
			t.Fatalf("%s: %d %s", ext, status, archive)
		}
		got := unpack(t, archive)
		_, _, single := p.send(t, scenario{path: "/data/open-lots/2/lots." + ext})
		if got["data/lots."+ext] != single || got["files/"+hostileName] != "an attachment" || got["files/lots.csv"] != lots+"006,新的,滨湖区,1\n" {
			t.Errorf("%s: the archive holds other bytes than the downloads", ext)
		}
		hashed := func(name string) (int64, string) {
			sum := sha256.Sum256([]byte(got[name]))
			return int64(len(got[name])), hex.EncodeToString(sum[:])
		}
		rows, err := csv.NewReader(strings.NewReader(got["MANIFEST.csv"])).ReadAll()
		if err != nil || len(rows)-1 != len(got)-2 {
			t.Errorf("the manifest has %d rows for %d entries: %v", len(rows), len(got), err)
		}
		for _, row := range rows[1:] {
			if n, sum := hashed(row[0]); fmt.Sprint(n) != row[1] || sum != row[2] {
				t.Errorf("the manifest is wrong about %s", row[0])
			}
		}
		var described struct {
			Resources, Sources []struct {
				Path, Hash string
				Bytes      int64
			}
		}
		if err := json.Unmarshal([]byte(got["datapackage.json"]), &described); err != nil || len(described.Resources) != 2 || len(described.Sources) != 1 {
			t.Fatalf("datapackage.json: %v\n%s", err, got["datapackage.json"])
		}
		for _, r := range append(described.Resources, described.Sources...) {
			if n, sum := hashed(r.Path); n != r.Bytes || "sha256:"+sum != r.Hash {
				t.Errorf("datapackage.json is wrong about %s", r.Path)
			}
		}
		for name, part := range map[string]string{"README.md": "停车场 open-lots", "LICENSE.txt": "CC0-1.0", "dictionary.csv": "lots,4,泊位数,"} {
			if !strings.Contains(got[name], part) {
				t.Errorf("%s lacks %q:\n%s", name, part, got[name])
			}
		}
		readByOthers(t, archive)
	}
}

// readByOthers tests an archive with the programs that are at hand.
func readByOthers(t *testing.T, archive string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "release.zip")
	if err := os.WriteFile(file, []byte(archive), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"unzip", "-tqq", file}, {"python3", "-c", "import sys, zipfile; sys.exit(zipfile.ZipFile(sys.argv[1]).testzip() or 0)", file}} {
		path, err := exec.LookPath(command[0])
		if err != nil {
			t.Logf("%s is not at hand", command[0])
			continue
		}
		if out, err := exec.Command(path, command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command[0], err, out)
		}
	}
}

// TestArchiveRanges holds the archive to the rules of stored files, both when its
// tables must be encoded first and when they lie ready, and puts a broken
// download together again.
func TestArchiveRanges(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	const address = "/data/open-lots/2.zip"
	p.forget()
	_, header, whole := p.send(t, scenario{path: address})
	tag := header.Get("ETag")
	if header.Get("Content-Type") != "application/zip" || header.Get("Content-Disposition") != "attachment; filename=open-lots-2.zip" || header.Get("Content-Length") != fmt.Sprint(len(whole)) {
		t.Errorf("headers: %v", header)
	}
	p.play(t, rangeScenarios(address, tag, whole))
	for _, c := range rangeScenarios(address, tag, whole)[:9] {
		p.forget()
		p.play(t, []scenario{c})
	}
	var resumed bytes.Buffer
	for resumed.Len() < len(whole) {
		_, _, part := p.send(t, scenario{path: address, headers: []string{"Range", fmt.Sprintf("bytes=%d-%d", resumed.Len(), resumed.Len()+996), "If-Range", tag}})
		resumed.WriteString(part)
	}
	if resumed.String() != whole {
		t.Error("the parts are not the whole")
	}
	_, header, latest := p.send(t, scenario{path: "/data/open-lots/latest.zip"})
	if latest != whole || header.Get("ETag") != tag || header.Get("Content-Location") != address {
		t.Errorf("latest differs: %v", header)
	}
	p.play(t, []scenario{
		{name: "another format is another file", path: address + "?format=json", headers: []string{"If-None-Match", tag}, status: 200, has: map[string]string{"Content-Disposition": "attachment; filename=open-lots-2.zip"}},
		{name: "csv is the default", path: address + "?format=csv", headers: []string{"If-None-Match", tag}, status: 304, has: map[string]string{"ETag": tag, "Content-Type": ""}},
		{name: "unknown format", path: address + "?format=cvs", status: 400, parts: []string{`"nearest":"csv"`}},
		{name: "empty format", path: address + "?format=", status: 400},
		{name: "unknown parameter", path: address + "?where=1", status: 400, parts: []string{`"unknown_parameter"`}},
		{name: "unknown release", path: "/data/open-lots/9.zip", status: 404, parts: []string{`"unknown_release"`}},
		{name: "no release", path: "/data/open-lots/a.zip", status: 404, parts: []string{`"unknown_release"`}},
		{name: "without .zip", path: "/data/open-lots/2", status: 404, parts: []string{"2.zip"}},
		{name: "unknown dataset", path: "/data/no-lots/2.zip", status: 404, parts: []string{`"unknown_dataset"`}},
		{name: "conditional", path: "/data/conditional-lots/1.zip", status: 403, has: map[string]string{"ETag": "", "Content-Disposition": ""}, parts: []string{`"conditional_data"`}},
		{name: "for its own organization", path: "/data/conditional-lots/1.zip", headers: bearerOf(p.own), status: 200, has: map[string]string{"Cache-Control": "private, no-store"}, parts: []string{canary}},
	})
	p.play(t, []scenario{
		{name: "withdraw", method: "POST", path: "/api/v1/datasets/open-lots/releases/2/withdraw", headers: with(bearerOf(p.admin), "Content-Type", "application/json"), body: `{"reason":"wrong"}`, status: 200},
		{name: "withdrawn", path: address, status: 410, has: map[string]string{"ETag": ""}, parts: []string{`"withdrawn"`}},
		{name: "withdrawn, with its tag", path: address, headers: []string{"If-None-Match", tag}, status: 410},
		{name: "withdrawn, a range", path: address, headers: []string{"Range", "bytes=0-9"}, status: 410},
		{name: "latest is the one before", path: "/data/open-lots/latest.zip", status: 200, has: map[string]string{"Content-Location": "/data/open-lots/1.zip"}},
	})
}
