package ingest

import (
	"bytes"
	"compress/gzip"
	"os"
	"testing"

	"taihu/catalog"
)

func gzipped(t testing.TB, name string, members ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, m := range members {
		w := gzip.NewWriter(&out)
		w.Name = name
		if _, err := w.Write([]byte(m)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestGzip(t *testing.T) {
	ndjson := "{\"a\":1}\n{\"a\":2}\n"
	book, err := os.ReadFile(oneSheet(`<row r="1">` + text("A1", "a") + `</row><row r="2"><c r="A2"><v>1</v></c></row><row r="3"><c r="A3"><v>2</v></c></row>`).write(t))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		content    []byte
	}{
		{"NDJSON", "a.ndjson.gz", gzipped(t, "", ndjson)},
		{"several members", "a.NDJSON.GZ", gzipped(t, "", "{\"a\":1}\n", "{\"a\":2}\n")},
		{"a name inside that is not believed", "a.ndjson.gz", gzipped(t, "../../evil.xlsx", ndjson)},
		{"CSV", "a.csv.gz", gzipped(t, "", "a\n1\n2\n")},
		{"XLSX", "a.xlsx.gz", gzipped(t, "", string(book))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tables, _, err := readFile(t, writeFile(t, "f", test.content), test.file, catalog.IngestOptions{}, open)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := tables[0].text(), "a\n1\n2"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestGzipRefused(t *testing.T) {
	whole := gzipped(t, "", "a,b\n1,2\n")
	wrong := bytes.Clone(whole)
	wrong[len(wrong)-5] ^= 1 // of the checksum
	tests := []struct {
		name, file, code string
		content          []byte
	}{
		{"cut off", "a.csv.gz", "cut_archive", whole[:len(whole)-9]},
		{"cut in the header", "a.csv.gz", "cut_archive", whole[:5]},
		{"wrong checksum", "a.csv.gz", "malformed_gzip", wrong},
		{"garbage behind", "a.csv.gz", "malformed_gzip", append(bytes.Clone(whole), "garbage garbage"...)},
		{"gzip in gzip", "a.csv.gz", "nested_archive", gzipped(t, "", string(whole))},
		{"beyond the budget", "a.csv.gz", "archive_too_large", gzipped(t, "", string(make([]byte, 3<<20)))},
		{"not what its name says", "a.xlsx.gz", "wrong_extension", whole},
		{"nothing in it", "a.csv.gz", "empty_file", gzipped(t, "", "")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := writeFile(t, "f", test.content)
			src, err := openGzip(Input{Path: path, Name: test.file, Size: int64(len(test.content)), Limits: Limits{Inflate: 1 << 20}.orDefault(), TempDir: dir, Report: &catalog.Report{}, Findings: &Findings{}})
			if err == nil {
				_, err = readSource(src)
			}
			if codeOf(err) != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("%s was left behind", left[0].Name())
			}
		})
	}
}
