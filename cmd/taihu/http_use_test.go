package main

import (
	"database/sql"
	"encoding/json"
	"strings"
	"testing"
)

// TestDownloadsAreCounted: what readers download is counted, over a restart too; the
// dataset's ETag does not change with it.
func TestDownloadsAreCounted(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	count := func() (n int64, tag string) {
		t.Helper()
		status, header, body := p.get("/api/v1/datasets/open-lots")
		var d struct {
			DownloadCount *int64 `json:"download_count"`
		}
		if err := json.Unmarshal(body, &d); err != nil || status != 200 || d.DownloadCount == nil {
			t.Fatalf("%d %s %v", status, body, err)
		}
		return *d.DownloadCount, header.Get("ETag")
	}
	n, tag := count()
	if n != 0 {
		t.Errorf("%d downloads at the start", n)
	}
	reader := []string{"User-Agent", "a reader"}
	p.play(t, []scenario{
		{name: "a table", path: "/data/open-lots/2/lots.csv", headers: reader, status: 200},
		{name: "of the latest, filtered", path: "/data/open-lots/latest/lots.json?where=区县 = '滨湖区'", headers: reader, status: 200},
		{name: "a file", path: "/data/open-lots/1/files/lots.csv", headers: reader, status: 200},
		{name: "a release", path: "/data/open-lots/2.zip", headers: reader, status: 200},
		{name: "its first bytes", path: "/data/open-lots/2/lots.csv", headers: append(reader, "Range", "bytes=0-9"), status: 206},
		{name: "its other bytes", path: "/data/open-lots/2/lots.csv", headers: append(reader, "Range", "bytes=10-"), status: 206},
		{name: "only asked about", method: "HEAD", path: "/data/open-lots/2/lots.csv", headers: reader, status: 200},
		{name: "its manifest", path: "/data/open-lots/2/lots.csv.manifest.json", headers: reader, status: 200},
		{name: "by a robot", path: "/data/open-lots/2/lots.csv", headers: []string{"User-Agent", "Somebot/1.0"}, status: 200},
		{name: "not there", path: "/data/open-lots/2/lot.csv", headers: reader, status: 404},
		{name: "not for him", path: "/data/conditional-lots/1/lots.csv", headers: reader, status: 403},
	})
	p.stop()
	p.run("serve")
	if now, same := count(); now != 5 || same != tag {
		t.Errorf("%d downloads, want 5; the ETag was %s and is %s", now, tag, same)
	}
	for path, want := range map[string]string{"/datasets/open-lots": `<dd id="downloads">5<small>`, "/datasets/conditional-lots": `<dd id="downloads">0<small>`} {
		if _, _, page := p.get(path, "Accept", "text/html"); !strings.Contains(string(page), want) {
			t.Errorf("%s does not show %s", path, want)
		}
	}
}

// TestOlderTablesAreSketched: tables that were published before there were sketches
// get theirs when the server starts.
func TestOlderTablesAreSketched(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	const joins = "/api/v1/datasets/open-lots/releases/latest/tables/lots/joins?column=%E7%BC%96%E5%8F%B7"
	compared := func() bool {
		_, _, body := p.get(joins)
		return strings.Contains(string(body), `"compared":true`)
	}
	if !compared() {
		t.Fatal("what is published now has no sketches")
	}
	p.stop()
	db, err := sql.Open("sqlite", p.Data+"/taihu.db")
	if err != nil {
		t.Fatal(err)
	}
	for _, forget := range []string{"DELETE FROM column_hashes", "DELETE FROM column_sketches", "UPDATE release_tables SET sketched = FALSE"} {
		if _, err := db.ExecContext(t.Context(), forget); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p.run("serve")
	eventually(t, "older tables are sketched", compared)
}
