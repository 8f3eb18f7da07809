package ingest

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/memory"
)

// sharedData returns a folder of shared/data beside the project, or skips.
func sharedData(t testing.TB, parts ...string) string {
	t.Helper()
	dir := filepath.Join(append([]string{"..", "..", "..", "shared", "data"}, parts...)...)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("%s is not there: the real data lie beside the project, not in it", dir)
	}
	return dir
}

// disagree are the two files of csv-spectrum whose JSON is not what the CSV
// says (SOURCES.md).
var disagree = map[string]bool{"location_coordinates": true, "newlines_crlf": true}

func TestSpectrumTextTablesEqualTheirJSON(t *testing.T) {
	dir := sharedData(t, "messy", "csv-spectrum")
	files, err := filepath.Glob(filepath.Join(dir, "csvs", "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".csv")
		r := ingestFile(t, path, filepath.Base(path), catalog.IngestOptions{})
		if !r.Report.Accepted || len(r.Tables) != 1 {
			t.Errorf("%s: %s", name, summary(r))
			continue
		}
		if disagree[name] {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, "json", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var want []map[string]string
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		rows := cells(t, r.Tables[0].TextPath)
		if len(rows) != len(want) {
			t.Errorf("%s: %d rows, want %d", name, len(rows), len(want))
			continue
		}
		for i, row := range rows {
			for j, f := range r.Tables[0].Table.Schema.Fields {
				if got := strings.TrimPrefix(row[j+1], "∅"); got != want[i][f.Name] {
					t.Errorf("%s row %d %s: got %q, want %q", name, i+1, f.Name, got, want[i][f.Name])
				}
			}
		}
	}
}

func TestGB18030TwinHasTheSameContent(t *testing.T) {
	dir := sharedData(t, "tables", "china-divisions")
	a := ingestFile(t, filepath.Join(dir, "streets.csv"), "streets.csv", catalog.IngestOptions{})
	b := ingestFile(t, filepath.Join(dir, "streets.gb18030.csv"), "streets.gb18030.csv", catalog.IngestOptions{})
	if !a.Report.Accepted || !b.Report.Accepted {
		t.Fatal(summary(a), summary(b))
	}
	if a.Report.Encoding != "utf-8" || b.Report.Encoding != "gb18030" {
		t.Errorf("encodings %s and %s", a.Report.Encoding, b.Report.Encoding)
	}
	if x, y := a.Tables[0].Table.ContentSHA256, b.Tables[0].Table.ContentSHA256; x != y || x == "" {
		t.Errorf("content_sha256 %s and %s", x, y)
	}
	for _, f := range a.Tables[0].Table.Schema.Fields {
		if f.Type != catalog.String {
			t.Errorf("%s is %s: codes stay text", f.Name, f.Type)
		}
	}
}

// memoryProfiler profiles with the oracle engine what the typed Parquet holds.
type memoryProfiler struct{ t *testing.T }

func (p memoryProfiler) Profile(ctx context.Context, s table.Source) (*catalog.Profile, error) {
	if s.Rows*int64(len(s.Schema.Fields)) > 50_000 {
		return &catalog.Profile{Rows: s.Rows}, nil // the oracle is slow on purpose
	}
	engine := memory.New()
	rows := cells(p.t, s.Parts[0])
	values := make([][]table.Value, len(rows))
	for i, row := range rows {
		for j, f := range s.Schema.Fields {
			values[i] = append(values[i], valueOf(p.t, f, row[j+1]))
		}
	}
	engine.Add(s.ID, s.Schema, values)
	return engine.Profile(ctx, s)
}

// TestCatalogues ingests every CSV of the two catalogues: all accepted but for
// the empty ones and three in another encoding than UTF-8, and every value equal
// to the text of the source, read by encoding/csv.
func TestCatalogues(t *testing.T) {
	dir := sharedData(t, "catalogues")
	verdicts := map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".csv" {
			return err
		}
		out := t.TempDir()
		r, err := Run(context.Background(), Request{Path: path, Name: filepath.Base(path), OutDir: out}, memoryProfiler{t})
		if err != nil {
			t.Fatal(path, err)
		}
		verdict := "accepted"
		if f := r.Report.FirstError(); f != nil {
			verdict = f.Code
		}
		verdicts[verdict]++
		if verdict == "accepted" {
			compareWithSource(t, path, r)
			if p := r.Tables[0].Table.Profile; p == nil || p.Rows != r.Tables[0].Table.Rows {
				t.Errorf("%s: profile %+v", path, p)
			}
		}
		return os.RemoveAll(out)
	})
	if err != nil {
		t.Fatal(err)
	}
	if verdicts["empty_file"] != 16 || verdicts["encoding_ambiguous"] != 3 || len(verdicts) != 3 {
		t.Errorf("verdicts %v", verdicts)
	}
}

// compareWithSource holds the text table to the source cell by cell, and the
// typed one to its numbers.
func compareWithSource(t *testing.T, path string, r Result) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	in.LazyQuotes = true
	want, err := in.ReadAll()
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	want = want[1:]
	text, typed := cells(t, r.Tables[0].TextPath), typedRows(t, r.Tables[0])
	if len(text) != len(want) || len(typed) != len(want) {
		t.Errorf("%s: %d and %d rows, source has %d", path, len(text), len(typed), len(want))
		return
	}
	for i, row := range want {
		for j, f := range r.Tables[0].Table.Schema.Fields {
			source := row[j]
			got := strings.ReplaceAll(strings.TrimPrefix(text[i][j+1], "∅"), "\r\n", "\n")
			if got != source {
				t.Errorf("%s row %d %s: text %q, source %q", path, i, f.Name, got, source)
				return
			}
			if !sameValue(f, typed[i][j], source) {
				t.Errorf("%s row %d %s %s: typed %q, source %q", path, i, f.Name, f.Type, typed[i][j], source)
				return
			}
		}
	}
}

// sameValue compares numbers as numbers and texts as texts; dates are compared
// elsewhere.
func sameValue(f catalog.Field, typed, source string) bool {
	switch f.Type {
	case catalog.Integer, catalog.Decimal:
		if typed == "∅" {
			return isNullWord(trimSpaces([]byte(source)))
		}
		a, ok1 := new(big.Rat).SetString(typed)
		b, ok2 := new(big.Rat).SetString(strings.TrimSpace(source))
		return ok1 && ok2 && a.Cmp(b) == 0
	case catalog.Number:
		if typed == "∅" {
			return isNullWord(trimSpaces([]byte(source)))
		}
		a, err1 := strconv.ParseFloat(typed, 64)
		b, err2 := strconv.ParseFloat(strings.TrimSpace(source), 64)
		return err1 == nil && err2 == nil && (a == b || a != a && b != b)
	case catalog.String:
		return strings.ReplaceAll(strings.TrimPrefix(typed, "∅"), "\r\n", "\n") == source
	}
	return true
}
