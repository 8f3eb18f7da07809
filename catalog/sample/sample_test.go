package sample

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"taihu/catalog"
)

var update = flag.Bool("update", false, "rewrite testdata/hashes.txt")

func contentOf(t *testing.T, f File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.Bytes()
}

// TestFilesAreTheSameEverywhere holds every file to its hash: published sample
// releases must not change from machine to machine or from version to version.
func TestFilesAreTheSameEverywhere(t *testing.T) {
	var got strings.Builder
	for _, d := range Datasets() {
		for i, r := range d.Releases {
			for _, f := range r.Files {
				content := contentOf(t, f)
				sum := sha256.Sum256(content)
				fmt.Fprintf(&got, "%s/%d/%s %d %s\n", d.Meta.Slug, i+1, f.Name, len(content), hex.EncodeToString(sum[:]))
			}
		}
	}
	const golden = "testdata/hashes.txt"
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got.String(), "\n") {
		if i >= len(lines) || line != lines[i] {
			t.Errorf("line %d: %s\nis not as in %s; where that is meant, run go test -update", i+1, line, golden)
		}
	}
	if n := strings.Count(got.String(), "\n"); n != len(lines)-1 {
		t.Errorf("%d files, %s has %d", n, golden, len(lines)-1)
	}
}

func TestMetadata(t *testing.T) {
	organizations := map[string]bool{}
	for _, o := range Organizations() {
		if err := catalog.CheckSlug(o.Slug); err != nil {
			t.Error(err)
		}
		if o.Parent != "" && !organizations[o.Parent] {
			t.Errorf("%s comes before its parent %s", o.Slug, o.Parent)
		}
		if organizations[o.Slug] || o.Name.Zh == "" || o.Name.En == "" || o.Description.Zh == "" || o.Description.En == "" {
			t.Errorf("organization %s is there twice or lacks words", o.Slug)
		}
		organizations[o.Slug] = true
	}
	slugs, identifiers := map[string]bool{}, map[string]bool{}
	licences, frequencies, attributes := map[string]bool{}, map[catalog.Frequency]bool{}, map[catalog.OpenAttribute]bool{}
	themes, simulated := map[string]bool{}, 0
	for _, d := range Datasets() {
		m := d.Meta
		m.OrganizationID = "set by the loader"
		if err := m.Check(); err != nil {
			t.Errorf("%s: %v", m.Slug, err)
		}
		if slugs[m.Slug] || identifiers[m.Identifiers[0]] {
			t.Errorf("%s: slug or identifier is there twice", m.Slug)
		}
		if !organizations[d.Organization] {
			t.Errorf("%s: no organization %q", m.Slug, d.Organization)
		}
		for what, v := range map[string]string{"title": m.Title.En, "标题": m.Title.Zh, "description": m.Description.En, "简介": m.Description.Zh, "source": m.SourceNote.En, "来源": m.SourceNote.Zh,
			"region": m.Region, "spatial": m.Spatial, "start": m.TemporalStart, "end": m.TemporalEnd, "language": m.Language, "unit": m.Contact.Unit, "phone": m.Contact.Phone, "mail": m.Contact.Mail, "level": m.SecurityLevel} {
			if v == "" {
				t.Errorf("%s: %s is empty", m.Slug, what)
			}
		}
		if len(m.Themes) == 0 || len(m.Keywords) < 2 {
			t.Errorf("%s: no themes or too few keywords", m.Slug)
		}
		if m.Simulated {
			simulated++
			if !strings.Contains(m.Description.Zh, "示例数据") || !strings.Contains(m.Description.En, "simulated") || !strings.Contains(m.SourceNote.Zh, "示例数据") || !strings.Contains(m.SourceNote.En, "Simulated") {
				t.Errorf("%s does not say in words that it is simulated", m.Slug)
			}
		}
		slugs[m.Slug], identifiers[m.Identifiers[0]] = true, true
		licences[m.Licence], frequencies[m.Frequency], attributes[m.OpenAttribute] = true, true, true
		for _, theme := range m.Themes {
			themes[theme] = true
		}
	}
	if len(slugs)-simulated != 1 {
		t.Errorf("%d datasets are real, want 1", len(slugs)-simulated)
	}
	if len(slugs) < 30 || len(licences) != len(catalog.Licences) || len(frequencies) != len(catalog.Frequencies) || len(attributes) != len(catalog.OpenAttributes) || len(themes) != len(catalog.Themes) {
		t.Errorf("%d datasets use %d of %d licences, %d of %d frequencies, %d of %d attributes, %d of %d themes", len(slugs), len(licences), len(catalog.Licences),
			len(frequencies), len(catalog.Frequencies), len(attributes), len(catalog.OpenAttributes), len(themes), len(catalog.Themes))
	}
}

// TestTables reads every CSV and JSON file back and holds it to its words: same
// columns, each with label, description and, where it has them, codes that list
// all its values; coordinates in the region; some but not too many empty cells.
func TestTables(t *testing.T) {
	large := 0
	for _, d := range Datasets() {
		for i, r := range d.Releases {
			if r.Notes.Zh == "" || r.Notes.En == "" || r.DataDate == "" {
				t.Errorf("%s/%d: no notes or data date", d.Meta.Slug, i+1)
			}
			for _, f := range r.Files {
				name := fmt.Sprintf("%s/%d/%s", d.Meta.Slug, i+1, f.Name)
				words, isTable := r.Words[baseName(f.Name)]
				if !isTable {
					continue
				}
				for column, w := range words.Fields {
					if w.Label.Zh == "" || w.Label.En == "" || w.Description.Zh == "" || w.Description.En == "" || w.Type == "" {
						t.Errorf("%s: column %s is not described", name, column)
					}
				}
				header, rows := readTable(t, f.Name, contentOf(t, f))
				if header == nil {
					continue // a workbook: read by the tests of ingest and demo
				}
				if len(rows) >= 200000 {
					large++
				}
				checkTable(t, name, words, header, rows)
				if (d.Meta.OpenAttribute == catalog.Conditional) != (words.Sample != nil) {
					t.Errorf("%s: a sample belongs to conditional datasets, and only to them", name)
				}
				var sample []map[string]any
				if words.Sample != nil && (json.Unmarshal(words.Sample, &sample) != nil || len(sample) == 0 || len(sample) > catalog.SampleRows || len(sample[0]) != len(header)) {
					t.Errorf("%s: bad sample %s", name, words.Sample)
				}
			}
		}
	}
	if large != 2 {
		t.Errorf("%d tables have 200,000 rows, want 2", large)
	}
}

func checkTable(t *testing.T, name string, words TableWords, header []string, rows [][]string) {
	t.Helper()
	if len(header) != len(words.Fields) {
		t.Errorf("%s: %d columns, %d are described", name, len(header), len(words.Fields))
	}
	for c, column := range header {
		w, ok := words.Fields[column]
		if !ok {
			t.Errorf("%s: column %s is not described", name, column)
		}
		empty := 0
		for _, row := range rows {
			v := row[c]
			switch {
			case v == "":
				empty++
			case len(w.Codes) > 0 && !slices.ContainsFunc(w.Codes, func(x catalog.Code) bool { return x.Value == v }):
				t.Fatalf("%s: %s %q is not in its code list", name, column, v)
			case strings.HasSuffix(column, "经度") && (v < "119.5" || v > "120.7"), strings.HasSuffix(column, "纬度") && (v < "31.1" || v > "32.0"):
				t.Fatalf("%s: %s %s lies outside of the region", name, column, v)
			}
		}
		if empty == len(rows) {
			t.Errorf("%s: %s is empty in every row", name, column)
		}
	}
}

// readTable decodes a file with readers that share no code with the writers. It
// returns nil for a workbook.
func readTable(t *testing.T, name string, content []byte) (header []string, rows [][]string) {
	t.Helper()
	comma := ','
	switch {
	case strings.HasSuffix(name, ".xlsx"):
		return nil, nil
	case strings.HasSuffix(name, "json"):
		return readObjects(t, name, content)
	case strings.HasSuffix(name, ".tsv"):
		comma = '\t'
		units := make([]uint16, len(content)/2)
		for i := range units {
			units[i] = uint16(content[2*i]) | uint16(content[2*i+1])<<8
		}
		content = []byte(string(utf16.Decode(units)))
	}
	if !utf8.Valid(content) {
		var err error
		if content, err = simplifiedchinese.GB18030.NewDecoder().Bytes(content); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if bytes.ContainsRune(content, utf8.RuneError) {
		t.Errorf("%s holds replacement characters", name)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff"))))
	r.Comma = comma
	all, err := r.ReadAll()
	if err != nil || len(all) < 2 {
		t.Fatalf("%s: %v", name, err)
	}
	return all[0], all[1:]
}

func readObjects(t *testing.T, name string, content []byte) (header []string, rows [][]string) {
	t.Helper()
	var objects []map[string]any
	if strings.HasSuffix(name, ".ndjson") {
		content = fmt.Appendf(nil, "[%s]", bytes.ReplaceAll(bytes.TrimSpace(content), []byte("\n"), []byte(",")))
	}
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	if err := d.Decode(&objects); err != nil || len(objects) == 0 {
		t.Fatalf("%s: %v", name, err)
	}
	for key := range objects[0] {
		header = append(header, key)
	}
	for _, o := range objects {
		var row []string
		for _, key := range header {
			cell := ""
			if o[key] != nil {
				cell = fmt.Sprint(o[key])
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return header, rows
}

func TestWorkbooksHoldTheirRows(t *testing.T) {
	s := sheet{file: "t.xlsx", form: xlsx, title: catalog.Text{Zh: "甲&乙"}, above: []string{"标题"}, columns: []column{text("名", "", "", ""), whole("数", "", "", "", "")},
		rows: func(put func(...string)) { put("a<b", "12"); put("", "") }}
	var b bytes.Buffer
	if err := s.write(&b); err != nil {
		t.Fatal(err)
	}
	want := `<row r="1"><c r="A1" t="inlineStr"><is><t>标题</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>名</t></is></c><c r="B2" t="inlineStr"><is><t>数</t></is></c></row>` +
		`<row r="3"><c r="A3" t="inlineStr"><is><t>a&lt;b</t></is></c><c r="B3"><v>12</v></c></row><row r="4"></row>`
	if !strings.Contains(b.String(), want) { // parts are stored, not compressed
		t.Errorf("the workbook does not hold %s", want)
	}
}

func TestFixed(t *testing.T) {
	for _, test := range []struct {
		v, d int
		want string
	}{{1234, 2, "12.34"}, {-5, 1, "-0.5"}, {7, 3, "0.007"}, {0, 1, "0.0"}, {-1200, 0, "-1200"}} {
		if got := fixed(test.v, test.d); got != test.want {
			t.Errorf("fixed(%d, %d) = %s, want %s", test.v, test.d, got, test.want)
		}
	}
}

// TestReleasesAgreeOnWhatTheyShare holds each release to the one before: most
// rows stay, and something is new.
func TestReleasesAgreeOnWhatTheyShare(t *testing.T) {
	several := 0
	for _, d := range Datasets() {
		for n := 1; n < len(d.Releases); n++ {
			several++
			for i, f := range d.Releases[n].Files {
				header, after := readTable(t, f.Name, contentOf(t, f))
				old, before := readTable(t, f.Name, contentOf(t, d.Releases[n-1].Files[i]))
				if header == nil {
					continue
				}
				there := map[string]bool{}
				for _, row := range after {
					there[keyed(header, row, old)] = true
				}
				kept := 0
				for _, row := range before {
					if there[keyed(old, row, old)] {
						kept++
					}
				}
				if kept*10 < len(before)*6 || len(after) <= len(before) {
					t.Errorf("%s/%d/%s keeps %d of %d rows and has %d", d.Meta.Slug, n+1, f.Name, kept, len(before), len(after))
				}
			}
		}
	}
	if several < 8 {
		t.Errorf("only %d releases follow another", several)
	}
}

// keyed is a row as text, in the order of some of its columns.
func keyed(header, row, order []string) string {
	var b strings.Builder
	for _, column := range order {
		b.WriteString(row[slices.Index(header, column)] + "\x00")
	}
	return b.String()
}
