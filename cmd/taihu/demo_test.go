package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"taihu/api"
	"taihu/catalog"
	"taihu/catalog/sample"
	"taihu/catalog/store"
)

// waitForDemo waits until the sample portal says its address and returns how
// long that took. The promise is 60 s on a quiet machine.
func waitForDemo(t *testing.T, s *server, starts int) time.Duration {
	t.Helper()
	begun := time.Now()
	for strings.Count(s.Out.String(), "stop it with Ctrl-C") < starts {
		if time.Since(begun) > 4*time.Minute {
			t.Fatalf("the sample portal is not complete:\n%s", s.Out)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return time.Since(begun)
}

// TestDemo starts the sample portal as a new user does and holds what is in it
// to the sample's own words. A start broken off is completed by the next one,
// and the one after that finds everything there.
func TestDemo(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: loads 900,000 rows; run without -short")
	}
	s := start(t, "demo")
	eventually(t, "some datasets are loaded", func() bool { return strings.Contains(s.Out.String(), "  4/") })
	s.stop() // on the way: the next start goes on from there
	s.run("demo")
	t.Logf("the rest was published in %s", waitForDemo(t, s, 1).Round(100*time.Millisecond))

	for _, d := range sample.Datasets() {
		if d.Meta.OpenAttribute == catalog.Closed {
			if status, _, _ := s.get("/api/v1/datasets/" + d.Meta.Slug); status != 404 {
				t.Errorf("%s is closed but answers %d to anybody", d.Meta.Slug, status)
			}
			continue
		}
		for n := range d.Releases {
			t.Run(fmt.Sprintf("%s/%d", d.Meta.Slug, n+1), func(t *testing.T) { s.checkSampleRelease(t, d, n) })
		}
	}
	eventually(t, "every open dataset is found", func() bool { return s.total("/api/v1/datasets") == len(sample.Datasets())-1 })
	for query, slug := range map[string]string{"停车": "parking-spaces", "臭氧": "air-hourly", "首要污染物": "air-hourly", "shared bike": "shared-bike-trips", "厕": "public-toilets", "灵锡": "wuxi-smart-city-figures-2022"} {
		if _, _, body := s.get("/api/v1/datasets?q=" + query); !bytes.Contains(body, []byte(`"slug":"`+slug+`"`)) {
			t.Errorf("searching %s does not find %s: %s", query, slug, body)
		}
	}

	s.stop()
	s.run("demo")
	waitForDemo(t, s, 2)
	if n := strings.Count(s.Out.String(), "sample releases in"); n != 1 {
		t.Errorf("a complete portal published again:\n%s", s.Out)
	}
	s.stop()
	p, err := openStore(t.Context(), &Config{Data: s.Data}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if drafts, err := p.store.Drafts(t.Context(), catalog.SystemActor, store.DraftFilter{}); err != nil || len(drafts) > 0 {
		t.Errorf("%d drafts are left over, %v", len(drafts), err)
	}
	p.checkSampleDocuments(t)
}

func (s *server) total(path string) int {
	var found struct{ Total int }
	_, _, body := s.get(path)
	_ = json.Unmarshal(body, &found)
	return found.Total
}

// checkSampleRelease holds a published release to its words: every column there,
// typed as expected and described; the CSV has as many rows as the release says,
// or is kept back with a reason.
func (s *server) checkSampleRelease(t *testing.T, d sample.Dataset, n int) {
	var got api.Release
	_, _, body := s.get(fmt.Sprintf("/api/v1/datasets/%s/releases/%d", d.Meta.Slug, n+1))
	files := len(d.Releases[n].Files)
	if d.Meta.OpenAttribute == catalog.Conditional {
		files = 0 // their names and hashes are for those who applied
	}
	if err := json.Unmarshal(body, &got); err != nil || len(got.Tables) != len(d.Releases[n].Words) || len(got.Files) != files {
		t.Fatalf("%v in %s", err, body)
	}
	if got.Notes != d.Releases[n].Notes || got.DataDate != d.Releases[n].DataDate {
		t.Errorf("notes %v and data date %q", got.Notes, got.DataDate)
	}
	for _, table := range got.Tables {
		words := d.Releases[n].Words[table.Name]
		if table.Title != words.Title || len(table.Columns) != len(words.Fields) {
			t.Errorf("%s is called %v and has %d columns, want %v and %d", table.Name, table.Title, len(table.Columns), words.Title, len(words.Fields))
		}
		for _, c := range table.Columns {
			want := words.Fields[c.Name]
			if c.Type != want.Type || c.Label != want.Label || c.Unit != want.Unit || c.Description != want.Description || len(c.Codes) != len(want.Codes) {
				t.Errorf("%s.%s is %s %v %q %v with %d codes, want %s %v %q %v with %d", table.Name, c.Name, c.Type, c.Label, c.Unit, c.Description, len(c.Codes), want.Type, want.Label, want.Unit, want.Description, len(want.Codes))
			}
		}
		number := fmt.Sprint(n + 1)
		address := fmt.Sprintf("/data/%s/%s/%s.csv", d.Meta.Slug, number, table.Name)
		if n == len(d.Releases)-1 {
			number = "latest"
		}
		status, header, content := s.get(fmt.Sprintf("/data/%s/%s/%s.csv", d.Meta.Slug, number, table.Name))
		if d.Meta.OpenAttribute == catalog.Conditional {
			if status != 403 {
				t.Errorf("%s: conditional bytes answer %d", table.Name, status)
			}
			continue
		}
		rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
		if status != 200 || err != nil || int64(len(rows)-1) != table.Rows || len(rows[0]) != len(table.Columns) {
			t.Errorf("%s.csv: %d, %v, %d rows; the release says %d", table.Name, status, err, len(rows)-1, table.Rows)
		}
		if at := header.Get("Content-Location"); number == "latest" && at != address {
			t.Errorf("the latest %s.csv is at %q, want %q", table.Name, at, address)
		}
	}
}
