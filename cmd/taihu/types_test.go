package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/ingest"
)

// typeTools are the programs whose decisions lie in testdata/types (detect.py), with
// our types for theirs.
var typeTools = map[string]map[string][]catalog.Type{
	"csv-detective": {"int": {catalog.Integer}, "float": {catalog.Number, catalog.Decimal}, "bool": {catalog.Boolean}, "date": {catalog.Date},
		"datetime": {catalog.Datetime}, "string": {catalog.String}, "json": {catalog.JSON}},
	"duckdb": {"BIGINT": {catalog.Integer}, "DOUBLE": {catalog.Number}, "VARCHAR": {catalog.String}, "BOOLEAN": {catalog.Boolean}, "DATE": {catalog.Date},
		"JSON": {catalog.JSON}, "STRUCT": {catalog.JSON}, "STRUCT[]": {catalog.JSON}, "JSON[][]": {catalog.JSON}, "DOUBLE[][]": {catalog.JSON}, "HUGEINT[][][][]": {catalog.JSON}},
}

// typeDifference is a column of which another program thinks otherwise. A file that
// it cuts into other columns is one difference, with the column "".
type typeDifference struct{ tool, file, column, theirs, ours, why string }

func (d *typeDifference) String() string {
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t(%s)", d.tool, d.file, d.column, d.theirs, d.ours, d.why)
}

// differenceRule is a line of differences.tsv: which differences it covers, how many
// they are, and the reason.
type differenceRule struct {
	tool, file, column, theirs, ours, why string // * is any; why is a part of our reason
	count                                 int
	reason                                string
	line                                  int
}

func (r *differenceRule) covers(d *typeDifference) bool {
	is := func(pattern, s string) bool { return pattern == "*" || pattern == s }
	return is(r.tool, d.tool) && is(r.file, d.file) && is(r.column, d.column) && is(r.theirs, d.theirs) && is(r.ours, d.ours) && (r.why == "*" || strings.Contains(d.why, r.why))
}

// tabLines reads a TSV file without its comments.
func tabLines(t *testing.T, path string, cells int) (lines [][]string, numbers []int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for n := 1; in.Scan(); n++ {
		if in.Text() == "" || strings.HasPrefix(in.Text(), "#") {
			continue
		}
		line := strings.Split(in.Text(), "\t")
		if len(line) != cells {
			t.Fatalf("%s:%d has %d cells, want %d", path, n, len(line), cells)
		}
		lines, numbers = append(lines, line), append(numbers, n)
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return lines, numbers
}

// theirColumns are the decisions of a program about one file.
type theirColumns struct {
	file         string
	names, types []string
}

func theirDecisions(t *testing.T, tool string) (files []theirColumns) {
	t.Helper()
	plain := strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\r`, "\r")
	lines, _ := tabLines(t, filepath.Join("testdata", "types", tool+".tsv"), 3)
	for _, l := range lines {
		if len(files) == 0 || files[len(files)-1].file != l[0] {
			files = append(files, theirColumns{file: l[0]})
		}
		f := &files[len(files)-1]
		f.names, f.types = append(f.names, plain.Replace(l[1])), append(f.types, l[2])
	}
	return files
}

// TestTypes holds the types of every column of the real data to those that two other
// programs give it: each difference is explained by a line of differences.tsv, and
// each line stands for as many differences as it says.
func TestTypes(t *testing.T) {
	t.Parallel()
	data := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(data); err != nil {
		t.Skipf("%s is not there: the real data lie beside the project, not in it", data)
	}
	lines, numbers := tabLines(t, filepath.Join("testdata", "types", "differences.tsv"), 8)
	var rules []differenceRule
	for i, l := range lines {
		count, err := strconv.Atoi(l[6])
		if err != nil || count < 1 || l[7] == "" {
			t.Fatalf("differences.tsv:%d: count %q, reason %q", numbers[i], l[6], l[7])
		}
		rules = append(rules, differenceRule{l[0], l[1], l[2], l[3], l[4], l[5], count, l[7], numbers[i]})
	}
	covered := make([]int, len(rules))
	compared, refused, columns := 0, 0, 0
	for _, tool := range []string{"csv-detective", "duckdb"} {
		for _, f := range theirDecisions(t, tool) {
			ours, ok := ourDecisions(t, filepath.Join(data, f.file))
			if !ok {
				refused++
				continue
			}
			compared++
			columns += len(ours)
			for _, d := range compareTypes(tool, f, ours) {
				i := slices.IndexFunc(rules, func(r differenceRule) bool { return r.covers(&d) })
				if i < 0 {
					t.Errorf("no line of differences.tsv explains\n%s", &d)
					continue
				}
				covered[i]++
			}
		}
	}
	for i, r := range rules {
		if covered[i] != r.count {
			t.Errorf("differences.tsv:%d stands for %d differences, there are %d", r.line, r.count, covered[i])
		}
	}
	if compared < 300 {
		t.Errorf("only %d files were compared", compared)
	}
	differ := 0
	for _, n := range covered {
		differ += n
	}
	t.Logf("%d columns of %d files compared, %d differences explained by %d lines; %d files that we refuse or keep as they are", columns, compared, differ, len(rules), refused)
}

// ourDecisions reads the file as taihu check does; not ok where it makes no table.
func ourDecisions(t *testing.T, path string) ([]catalog.Decision, bool) {
	t.Helper()
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	r, err := ingest.Run(context.Background(), ingest.Request{Path: path, Name: filepath.Base(path), OutDir: dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Report.Accepted || len(r.Report.Tables) == 0 {
		return nil, false
	}
	first := r.Report.Tables[0].Name // the other program reads the first sheet
	return slices.DeleteFunc(r.Report.Decisions, func(d catalog.Decision) bool { return d.Table != first }), true
}

// compareTypes lists the columns of a file whose types differ. Columns are paired by
// name, and the others, whose names the programs make themselves, in their order.
func compareTypes(tool string, f theirColumns, ours []catalog.Decision) (list []typeDifference) {
	if len(ours) != len(f.names) {
		return []typeDifference{{tool: tool, file: f.file, theirs: strconv.Itoa(len(f.names)) + " columns", ours: strconv.Itoa(len(ours)) + " columns"}}
	}
	pair := make([]int, len(ours)) // 1 + the index of ours
	taken := make([]bool, len(ours))
	for i, name := range f.names {
		for j := range ours {
			if !taken[j] && pair[i] == 0 && ours[j].Column == name {
				pair[i], taken[j] = j+1, true
			}
		}
	}
	for i := range f.names {
		if j := slices.Index(taken, false); pair[i] == 0 {
			pair[i], taken[j] = j+1, true
		}
	}
	for i, theirs := range f.types {
		o := &ours[pair[i]-1]
		if !slices.Contains(typeTools[tool][theirs], o.Type) {
			list = append(list, typeDifference{tool, f.file, o.Column, theirs, string(o.Type), o.Why.En})
		}
	}
	return list
}
