package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"taihu/api"
	"taihu/catalog"
)

// sharedData returns the folder of real data beside the project, or skips.
func sharedData(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{moduleRoot(t), "..", "shared", "data"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED: no real data at ../shared/data/%s", strings.Join(parts, "/"))
	}
	return path
}

var exportFormats = []string{"csv", "json", "ndjson", "xlsx", "parquet", "tsv", "geojson", "arrow", "xml"}

// TestCatalogues imports two real catalogues through the server, exports each
// table in every format and reads it back: all must say the same, and what
// the source said.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	owid, rdatasets := sharedData(t, "catalogues", "owid"), sharedData(t, "catalogues", "rdatasets")
	if testing.Short() {
		t.Skip("SKIPPED: takes minutes; run without -short")
	}
	s := start(t, "serve")
	refused := s.importAll(t, owid, "owid", 136)
	if len(refused) != 17 { // 16 empty CSV files and one package without any
		t.Errorf("OWID: %d refused, want 17", len(refused))
	}
	for _, o := range refused {
		t.Logf("OWID: %s: %s %s", o.Name, o.Code, o.Why)
		if o.Code != "empty_file" && !strings.Contains(o.Why, "no CSV") && !strings.Contains(o.Why, "no data file") {
			t.Errorf("OWID: %s was refused: %s (%s)", o.Name, o.Why, o.Code)
		}
	}
	births := 0 // two lists give dates of birth: of members of Congress, of fish
	for _, o := range s.importAll(t, rdatasets, "rdatasets", 191) {
		if o.State == "unsettled" && o.Code == "personal_birth_date" {
			births++
			continue
		}
		t.Errorf("Rdatasets: %s: %s: %s (%s)", o.Name, o.State, o.Why, o.Code)
	}
	if births != 2 {
		t.Errorf("Rdatasets: %d with dates of birth, want 2", births)
	}
	for cursor := ""; ; {
		var page struct {
			Datasets []api.Dataset
			Next     string
		}
		_, _, body := s.get("/api/v1/datasets?limit=100&sort=title" + cursor)
		if err := json.Unmarshal(body, &page); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		for _, d := range page.Datasets {
			t.Run(d.Slug, func(t *testing.T) { s.compareExports(t, d.Slug) })
		}
		_, cursor, _ = strings.Cut(page.Next, "&cursor=")
		if page.Next == "" {
			break
		}
		if i := strings.Index(page.Next, "cursor="); i >= 0 {
			cursor = "&" + strings.Split(page.Next[i:], "&")[0]
		}
	}
}

// importAll imports a folder and returns what was not published.
func (s *server) importAll(t *testing.T, folder, organization string, want int) []importOutcome {
	t.Helper()
	out, _ := s.command("import", folder, "--server="+s.URL, "--token="+s.token(), "--organization="+organization, "--prefix="+organization+"-", "--fallback-encoding=windows-1252", "--json")
	var result struct{ Outcomes []importOutcome }
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatalf("import %s: %v in %s", folder, err, out)
	}
	if len(result.Outcomes) != want {
		t.Errorf("import %s: found %d datasets, want %d", folder, len(result.Outcomes), want)
	}
	var refused []importOutcome
	for _, o := range result.Outcomes {
		if o.State != "published" {
			refused = append(refused, o)
		}
	}
	return refused
}

// compareExports reads every table of a dataset's latest release back from all
// formats and holds them to each other and to the uploaded source.
func (s *server) compareExports(t *testing.T, slug string) {
	t.Helper()
	_, _, body := s.get("/api/v1/datasets/" + slug + "/releases/latest")
	var r api.Release
	if err := json.Unmarshal(body, &r); err != nil || len(r.Tables) == 0 {
		t.Fatalf("release: %v in %s", err, body)
	}
	for _, table := range r.Tables {
		var first grid
		for i, format := range exportFormats {
			status, _, body := s.get(fmt.Sprintf("/data/%s/%d/%s.%s", slug, r.Number, table.Name, format))
			if format == "geojson" && table.Downloads[format] == "" {
				if !strings.Contains(string(body), "no_coordinates") {
					t.Errorf("%s has no coordinates and gives %d %s", table.Name, status, body)
				}
				continue
			}
			if status != 200 {
				t.Errorf("%s.%s: %d %s", table.Name, format, status, body)
				continue
			}
			g := readBack(t, format, body, table.Columns)
			if int64(len(g.rows)) != table.Rows {
				t.Errorf("%s.%s: %d rows, the release says %d", table.Name, format, len(g.rows), table.Rows)
			}
			if i == 0 {
				first = g
			} else if d := firstDifference(first, g); d != "" {
				t.Errorf("%s: csv and %s differ: %s", table.Name, format, d)
			}
		}
		if len(r.Tables) == 1 && len(r.Files) == 1 && strings.HasSuffix(r.Files[0].Name, ".csv") {
			_, _, source := s.get(strings.TrimPrefix(r.Files[0].URL, s.URL))
			compareSource(t, string(source), first, table.Columns)
		}
	}
}

// compareSource holds a table to its CSV: texts equal, numbers of equal value.
func compareSource(t *testing.T, source string, g grid, columns []api.Column) {
	t.Helper()
	if !utf8.ValidString(source) { // read as --fallback-encoding says
		var err error
		if source, err = charmap.Windows1252.NewDecoder().String(source); err != nil {
			t.Fatal(err)
		}
	}
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(source, "\ufeff")))
	reader.LazyQuotes, reader.FieldsPerRecord = true, -1
	if _, err := reader.Read(); err != nil {
		t.Fatal(err)
	}
	for r := range g.rows {
		row, err := reader.Read()
		if err != nil {
			t.Fatalf("source row %d: %v", r+1, err)
		}
		for c, column := range columns {
			got, want := "", row[c]
			if g.rows[r][c] != nil {
				got = *g.rows[r][c]
			}
			switch column.Type {
			case catalog.Integer, catalog.Decimal, catalog.Number:
				if g.rows[r][c] == nil {
					if want = strings.TrimSpace(want); want != "" && want != "NA" && want != "N/A" && want != "null" && want != `\N` && want != "-" {
						t.Fatalf("row %d, column %s: null, the source says %q", r+1, column.Name, want)
					}
					continue
				}
				x, okX := new(big.Rat).SetString(got)
				y, okY := new(big.Rat).SetString(strings.TrimSpace(want))
				if okX && okY && column.Type == catalog.Number { // a double is the value nearest to the source's
					a, _ := x.Float64()
					b, _ := y.Float64()
					okX = a == b
					y = x
				}
				if !okX || !okY || x.Cmp(y) != 0 {
					t.Fatalf("row %d, column %s (%s): %q, the source says %q", r+1, column.Name, column.Type, got, want)
				}
			case catalog.String:
				if got != want {
					t.Fatalf("row %d, column %s: %q, the source says %q", r+1, column.Name, got, want)
				}
			}
		}
	}
	if row, err := reader.Read(); err != io.EOF {
		t.Errorf("the source has more rows: %v %v", row, err)
	}
}
