package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
)

// oracleSample is what is published where there is no time for all of it.
var oracleSample = []string{"tables/vega/disasters.csv", "tables/vega/airports.csv", "tables/vega/seattle-weather.csv", "tables/nycflights13/airports.csv",
	"tables/china-divisions/streets.gb18030.csv", "tables/country-codes/data/country-codes.csv", "messy/csv-spectrum", "messy/sheetjs/Attendance.xlsx"}

// TestOtherReaders publishes real files and has programs that share nothing with the
// portal read every table in every format (testdata/oracle): a sample, with make soak
// everything in the folder of real data.
func TestOtherReaders(t *testing.T) {
	folder := sharedData(t)
	if testing.Short() {
		t.Skip("SKIPPED: takes a minute; run without -short")
	}
	interpreter := python()
	if missing := lacksModules("geopandas", "numpy", "openpyxl", "pyarrow")(); missing != "" {
		if required("python") {
			t.Fatalf("TAIHU_REQUIRE wants %s, as testdata/oracle/requirements.txt says", missing)
		}
		t.Skipf("SKIPPED: no %s; no other program has read the exports", missing)
	}
	p := startLots(t)
	args := []string{filepath.Join("testdata", "oracle", "oracle.py"), p.URL}
	if _, err := exec.LookPath("soffice"); err == nil {
		args = append(args, "--sheets="+map[bool]string{true: "60", false: "4"}[soak()])
	} else {
		t.Log("no soffice on PATH: LibreOffice reads no workbook")
	}
	tried, refused := 0, map[string]int{}
	wanted := oracleSample
	if soak() {
		wanted = []string{"tables", "messy"}
		for _, catalogue := range []string{"owid", "rdatasets"} {
			p.importAll(t, filepath.Join(folder, "catalogues", catalogue), catalogue, map[string]int{"owid": 136, "rdatasets": 191}[catalogue])
		}
	}
	for _, path := range wanted {
		err := filepath.WalkDir(filepath.Join(folder, path), func(file string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(file, ".md") {
				return err
			}
			tried++
			if code := p.publishReal(file, "real-"+strconv.Itoa(tried)); code != "" {
				refused[code]++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("of %d files by themselves not published: %v", tried, refused)
	p.idle()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	out, err := exec.CommandContext(ctx, interpreter, args...).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("%v: other readers see something else", err)
	}
}

// publishReal publishes a file as a dataset of its own and returns why not.
func (p *lotPortal) publishReal(file, slug string) (refused string) {
	p.t.Helper()
	name := filepath.Base(file)
	switch filepath.Ext(name) {
	case ".dat": // CSV by another name
		name = strings.TrimSuffix(name, ".dat") + ".csv"
	case ".csv", ".json", ".xlsx":
	default:
		return "no format of tables"
	}
	content, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.client.CreateDataset(p.t.Context(), editOf(slug, "cgj")); err != nil {
		p.t.Fatal(err)
	}
	draft := p.draft(slug, name, string(content))
	if draft.State != catalog.Ready {
		for _, f := range draft.Files {
			if f.Report != nil && len(f.Report.Findings) > 0 {
				return f.Report.Findings[0].Code
			}
		}
		return string(draft.State)
	}
	for _, verb := range []string{"submit", "approve", "publish"} {
		if _, err := p.client.Act(p.t.Context(), draft.ID, verb); err != nil {
			p.t.Fatalf("%s %s: %v", verb, file, err)
		}
	}
	return ""
}
