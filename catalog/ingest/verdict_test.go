package ingest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"taihu/catalog"
)

// verdict is one line of testdata/verdicts.tsv, written from the bytes with a
// second reader (Python's csv and json, openpyxl) before ours ran.
type verdict struct {
	path, verdict, sheet, rows, columns, check, place string
}

// TestVerdicts holds the readers to the verdict on every file of
// shared/data/messy: the same tables with the same cells, or refused with the
// same code at the same place.
func TestVerdicts(t *testing.T) {
	dir := messy(t)
	want, order := loadVerdicts(t)
	for _, path := range order {
		t.Run(path, func(t *testing.T) {
			got := judge(t, filepath.Join(dir, filepath.FromSlash(path)), path)
			if w := strings.Join(want[path], "\n"); got != w {
				t.Errorf("got\n%s\nwant\n%s", got, w)
			}
		})
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if want[filepath.ToSlash(rel)] == nil {
			t.Errorf("no verdict on %s", rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func loadVerdicts(t *testing.T) (lines map[string][]string, order []string) {
	f, err := os.Open(filepath.Join("testdata", "verdicts.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines = map[string][]string{}
	in := bufio.NewScanner(f)
	for in.Scan() {
		if strings.HasPrefix(in.Text(), "#") {
			continue
		}
		c := append(strings.Split(in.Text(), "\t"), make([]string, 8)...)
		v := verdict{path: c[0], verdict: c[1], sheet: c[2], rows: c[3], columns: c[4], check: c[5], place: c[6]}
		if lines[v.path] == nil {
			order = append(order, v.path)
		}
		lines[v.path] = append(lines[v.path], v.String())
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return lines, order
}

func (v verdict) String() string {
	return strings.Join([]string{v.verdict, v.sheet, v.rows, v.columns, v.check, v.place}, "\t")
}

// judge reads a file and words our own verdict.
func judge(t *testing.T, path, name string) string {
	tables, _, err := readFile(t, path, filepath.Base(name), catalog.IngestOptions{}, open)
	if err != nil {
		v := verdict{verdict: "refused", check: codeOf(err)}
		var a *attach
		var r *Refusal
		switch {
		case errors.As(err, &a):
			v.verdict = "attachment"
		case errors.As(err, &r) && r.Finding.Row > 0:
			v.place = fmt.Sprintf("row %d", r.Finding.Row)
		}
		return v.String()
	}
	var out []string
	for i := range tables {
		r := &tables[i]
		out = append(out, verdict{verdict: "accepted", sheet: r.Header.Sheet, rows: strconv.Itoa(len(r.Rows)),
			columns: strconv.Itoa(len(r.Header.Columns)), check: r.checksum()}.String())
	}
	return strings.Join(out, "\n")
}
