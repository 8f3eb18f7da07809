package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"taihu/catalog"
)

// mismatches runs the file again with a type chosen for a column and returns what
// the converter refused.
func mismatches(t *testing.T, path, column string, typ catalog.Type) (n int64, first []catalog.Against) {
	t.Helper()
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	r, err := Run(context.Background(), Request{Path: path, Name: filepath.Base(path), OutDir: dir, Options: catalog.IngestOptions{Types: map[string]catalog.Type{column: typ}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Report.Findings {
		if f.Code != "type_mismatch" || f.Column != column {
			continue
		}
		if n += max(f.Count, 1); len(first) < maxAgainst {
			first = append(first, catalog.Against{Row: f.Row, Value: f.Value})
		}
	}
	// The decision about the chosen type says the same.
	for _, d := range r.Report.Decisions {
		if d.Column != column {
			continue
		}
		if len(d.Evidence) == 0 || d.Evidence[0].Type != typ || d.Evidence[0].Disagree != n || !sameAgainst(d.Evidence[0].Against, first) {
			t.Errorf("%s %s chosen as %s: the decision says %+v, %d were refused", path, column, typ, d.Evidence, n)
		}
	}
	return n, first
}

func sameAgainst(a, b []catalog.Against) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

// holdAlternatives chooses each type that a decision lists beside the column's own.
func holdAlternatives(t *testing.T, path string, d catalog.Decision) (tried int) {
	t.Helper()
	for _, e := range d.Evidence {
		if e.Type == d.Type {
			continue
		}
		tried++
		n, first := mismatches(t, path, d.Column, e.Type)
		if n != e.Disagree || !sameAgainst(first, e.Against) {
			t.Errorf("%s %q as %s: chosen, it refuses %d %+v; the report says %d %+v", path, d.Column, e.Type, n, first, e.Disagree, e.Against)
		}
	}
	return tried
}

// kinds of cells of which random columns are mixed, few kinds in each column.
var cellKinds = []string{
	"1|42|-7|0", "-0|5.", "007|000001|-09", "1234567890123456|320211199001011234|99999999999999999999|9007199254740992", "1.5|-0.25|.5|0.1", "12345678901234567.5|0.12345678901234567890",
	"1e3|1E5|-2e10", "1.5e3|1e-7", "NaN|Inf|-Inf", "true|FALSE|ｔｒｕｅ", "2021-12-08|2021/1/2|2021年12月8日|2021.12.8", "01/02/2021|3/4/2021", "13/02/2021|31.12.1999", "02/13/2021|12-31-1999",
	"08:30|23:59:59|１２：３０", "2021-12-08 08:30|2021-12-08T08:30:15", "2021-12-08T08:30:15Z|2021-12-08 08:30Z", "2021-12-08T08:30:15+08:00", "0001-01-01 00:00+08:00|9999-12-31 23:00-08:00",
	"01/02/2021 8:30", "13/02/2021 08:30:00", "2/13/2021 8:30", "1,234|-1,234.50|999,999", "30%|12.5%|300%|-3%", "5‰|１００％", "１２３|−7|12\u00a0|\u200b5", "12.5万|3亿|.5万|007万|1.23456789万",
	"12元|约300|10-20", "20211208|19000101|30001231", "00010101", "２０２１－１２－０８", "00.5|-00.5", "abc|无锡|1a", "NA|-|null|\\N", "|", " 42 | 1.5", "1.5e400|1,2345|2021-13-01",
}

// TestAlternativesAreWhatChoosingDoes: of random columns, each type that the report
// lists refuses, once it is chosen, the cells that the report says, and no other.
func TestAlternativesAreWhatChoosingDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	columns, tried := 0, 0
	for i := range 600 {
		var kinds []string
		for range 1 + random.IntN(3) {
			kinds = append(kinds, cellKinds[random.IntN(len(cellKinds))])
		}
		var cells []string
		for range 1 + random.IntN(40) {
			list := strings.Split(kinds[random.IntN(len(kinds))], "|")
			cells = append(cells, list[random.IntN(len(list))])
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.csv", i))
		content := []byte("列,n\n")
		if i%3 == 0 { // JSON says of a cell whether it is text, and may nest
			path, content = filepath.Join(dir, fmt.Sprintf("%d.ndjson", i)), nil
			for n, c := range cells {
				var v any = c
				if json.Valid([]byte(c)) && random.IntN(2) == 0 {
					v = json.RawMessage(c)
				} else if random.IntN(30) == 0 {
					v = []int{1}
				}
				line, err := json.Marshal(map[string]any{"列": v, "n": n})
				if err != nil {
					t.Fatal(err)
				}
				content = append(append(content, line...), '\n')
			}
		} else {
			for n, c := range cells {
				content = fmt.Appendf(content, "\"%s\",%d\n", c, n)
			}
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		out := t.TempDir()
		r, err := Run(context.Background(), Request{Path: path, Name: filepath.Base(path), OutDir: out}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range r.Report.Decisions {
			if d.Column == "列" {
				columns++
				tried += holdAlternatives(t, path, d)
			}
		}
		if t.Failed() {
			t.Logf("%s:\n%s", path, content)
			return
		}
		os.RemoveAll(out)
	}
	if columns < 500 || tried < 300 {
		t.Errorf("only %d columns with %d alternatives were tried", columns, tried)
	}
	t.Logf("%d columns, %d alternatives chosen", columns, tried)
}

// TestRealAlternatives: the same of every text column of the real data.
func TestRealAlternatives(t *testing.T) {
	dir := sharedData(t)
	columns, tried := 0, 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, ".md") {
			return err
		}
		out := t.TempDir()
		defer os.RemoveAll(out)
		r, err := Run(context.Background(), Request{Path: path, Name: filepath.Base(path), OutDir: out}, nil)
		if err != nil {
			return err
		}
		if !r.Report.Accepted || len(r.Report.Tables) != 1 { // a type is chosen for the columns of every table
			return nil
		}
		for _, d := range r.Report.Decisions {
			if d.Type != catalog.String {
				continue
			}
			if n := holdAlternatives(t, path, d); n > 0 {
				columns, tried = columns+1, tried+n
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if columns < 20 {
		t.Errorf("only %d text columns have alternatives", columns)
	}
	t.Logf("%d text columns, %d alternatives chosen", columns, tried)
}

// TestAlternativeWords: what a type changes in the cells it reads is said, and what
// the numbers say is what choosing gives.
func TestAlternativeWords(t *testing.T) {
	for _, c := range []struct {
		cells string
		want  string // type agree/disagree loss; …
	}{
		{"007|12", "integer 2/0 1 values lose the zeros in front"},
		{"007|12|x", "integer 2/1 1 values lose the zeros in front"},
		{"1234567890123456|1", "integer 2/0"},
		{"12345678901234567890|1", "number 2/0 1 values have too many digits and are rounded; integer 1/1"},
		{"9007199254740992.5|x", "number 1/1 1 values have too many digits and are rounded; decimal 1/1"},
		{"1,234|5", "integer 2/0 1 values lose their thousands commas (1,234 → 1234)"},
		{"30%|0.5", "number 2/0 1 values in per cent or per mille become fractions (30% → 0.3)"},
		{"300%|0.5", "number 2/0 1 values in per cent or per mille become fractions (30% → 0.3); integer 1/1 1 values in per cent or per mille become fractions (30% → 0.3)"},
		{"12.5万|3", "integer 2/0 1 values are multiplied by their 万 or 亿 (12.5万 → 125000)"},
		{"１２|3", "integer 2/0 1 values lose full-width or invisible characters (１２ → 12)"},
		{"20211208|20220101", "date 2/0 2 values of eight digits are read as dates (20211208 → 2021-12-08)"},
		{"20211208|1", ""},
		{"2021-01-01|2021-01-01 08:00", "datetime 2/0 1 dates become midnight of that day; date 1/1"},
		{"01/02/2021|03/04/2021", "date 2/0 2 dates whose day and month cannot be told apart are read day first"},
		{"2021-01-01 08:00+09:00|2021-01-01 08:00Z|x", "datetime 2/1 2 times are converted to UTC"},
		{"1|NA|x", "integer 1/1 1 blanks or words such as NA or - become null"},
		{"12345678901234567.5|0.12345678901234567890|1.5e3", "number 3/0 2 values have too many digits and are rounded; decimal 2/1"},
		{"12345678901234567890123456789012345.5|0.12345678901234567890|0.1", "number 3/0 2 values have too many digits and are rounded; decimal 2/1"},
		{"1|2.5|-0", "integer 2/1 1 values -0 become 0"},
		{"a|b", ""},
	} {
		path := filepath.Join(t.TempDir(), "t.csv")
		if err := os.WriteFile(path, []byte("n,_\n\""+strings.ReplaceAll(c.cells, "|", "\",\n\"")+"\",\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := ingestFile(t, path, "t.csv", catalog.IngestOptions{})
		var got []string
		d := r.Report.Decisions[0]
		holdAlternatives(t, path, d)
		for _, e := range d.Evidence {
			if e.Type != d.Type {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %d/%d %s", e.Type, e.Agree, e.Disagree, e.Loss.En)))
			}
		}
		if g := strings.Join(got, "; "); g != c.want {
			t.Errorf("%s: %s\nwant %s", c.cells, g, c.want)
		}
	}
}
