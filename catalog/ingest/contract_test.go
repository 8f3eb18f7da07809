package ingest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
)

// ingestUnder reads a file under a contract of one table, "t".
func ingestUnder(t *testing.T, content string, o catalog.IngestOptions, s catalog.Schema) Result {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "upload")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Table = "t"
	r, err := Run(context.Background(), Request{Path: path, Name: "t.csv", Options: o, OutDir: dir,
		Contract: &catalog.Contract{Tables: []catalog.ContractTable{{Name: "t", Schema: s}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// told writes the contract's findings as code column count row=value….
func told(r Result) []string {
	var list []string
	for _, f := range r.Report.Findings {
		if !strings.HasPrefix(f.Code, "contract_") {
			continue
		}
		s := fmt.Sprintf("%s %s %d", strings.TrimPrefix(f.Code, "contract_"), f.Column, f.Count)
		for _, p := range f.Places {
			s += fmt.Sprintf(" %d=%s", p.Row, p.Value)
		}
		list = append(list, s)
		if f.Severity != catalog.ToSettle || !slices.Equal(f.Measures, ofWhole) {
			list = append(list, "not to be settled")
		}
	}
	return list
}

func TestContract(t *testing.T) {
	field := func(name string, r catalog.Rules, codes ...string) catalog.Field {
		f := catalog.Field{Name: name, Rules: r}
		for _, c := range codes {
			f.Codes = append(f.Codes, catalog.Code{Value: c})
		}
		return f
	}
	for _, c := range []struct {
		name, content string
		fields        []catalog.Field
		key           []string
		want          []string
	}{
		{"nothing is asked", "a,b\n1,2\n", nil, nil, nil},
		{"all is as promised", "a,b\n1,x\n2,y\n", []catalog.Field{field("a", catalog.Rules{Required: true, Unique: true, Minimum: "1", Maximum: "2"}), field("b", catalog.Rules{Pattern: "[xy]"})}, []string{"a"}, nil},
		{"required", "a,b\n1,2\n,3\nNA,4\n", []catalog.Field{field("a", catalog.Rules{Required: true})}, nil, []string{"required a 2 3= 4="}},
		{"unique", "a,b\nx,1\ny,2\nx,3\n,4\n,5\nx,6\n", []catalog.Field{field("a", catalog.Rules{Unique: true})}, nil, []string{"unique a 2 4=x 7=x"}},
		{"unique numbers are equal by value", "a,b\n1.0,1\n1,2\n1.5,3\n", []catalog.Field{field("a", catalog.Rules{Unique: true})}, nil, []string{"unique a 1 3=1"}},
		{"integers out of range", "a,b\n-1,0\n0,0\n100,0\n101,0\n", []catalog.Field{field("a", catalog.Rules{Minimum: "0", Maximum: "100"})}, nil, []string{"range a 2 2=-1 5=101"}},
		{"numbers out of range", "a,b\n0.5,0\n1.25,0\n", []catalog.Field{field("a", catalog.Rules{Maximum: "1.2"})}, nil, []string{"range a 1 3=1.25"}},
		{"decimals out of range", "a,b\n-12345678901234567890.5,0\n12345678901234567890.55,0\n12345678901234567890.6,0\n", []catalog.Field{field("a", catalog.Rules{Maximum: "12345678901234567890.551", Minimum: "-12345678901234567890"})}, nil,
			[]string{"range a 2 2=-12345678901234567890.50 4=12345678901234567890.60"}},
		{"dates out of range", "a,b\n2024-12-31,0\n2025-01-01,0\n", []catalog.Field{field("a", catalog.Rules{Minimum: "2025-01-01"})}, nil, []string{"range a 1 2=2024-12-31"}},
		{"datetimes out of range", "a,b\n2025-01-01 08:00,0\n2025-01-01 09:30:00,0\n", []catalog.Field{field("a", catalog.Rules{Maximum: "2025-01-01T09:00:00"})}, nil, []string{"range a 1 3=2025-01-01T09:30:00+08:00"}},
		{"times out of range", "a,b\n08:00,0\n09:30,0\n", []catalog.Field{field("a", catalog.Rules{Maximum: "09:00:00"})}, nil, []string{"range a 1 3=09:30:00"}},
		{"pattern is of the whole cell", "a,b\n320205,0\n3202056,0\nx320205,0\n", []catalog.Field{field("a", catalog.Rules{Pattern: `\d{6}`})}, nil, []string{"pattern a 2 3=3202056 4=x320205"}},
		{"codes", "a,b\nG,0\nR,0\nX,0\n", []catalog.Field{field("a", catalog.Rules{Listed: true}, "G", "R")}, nil, []string{"codes a 1 4=X"}},
		{"a key of two columns", "a,b\n1,1\n1,2\n1,1\n11,\n", nil, []string{"a", "b"}, []string{"key a 1 5=", "key a 1 4=1, 1"}},
		{"what is asked of is gone", "b,c\n1,2\n", []catalog.Field{field("a", catalog.Rules{Required: true})}, []string{"k"}, []string{"column a 0", "column k 0"}},
		{"another type", "a,b\nx,1\n", []catalog.Field{field("a", catalog.Rules{Required: true, Minimum: "1"})}, nil, []string{"type a 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ingestUnder(t, c.content, catalog.IngestOptions{}, catalog.Schema{Fields: c.fields, Key: c.key})
			if got := told(r); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q\n%s", got, c.want, summary(r))
			}
		})
	}
}

// Rows that repeat others are found also where their hashes went to disk, and
// named in the order of the file.
func TestApartOnDisk(t *testing.T) {
	defer func(n int) { apartMemory = n }(apartMemory)
	apartMemory = 1000
	var b strings.Builder
	b.WriteString("k,v\n")
	var want []string
	for i := range 20_000 {
		k := i
		if i%701 == 700 {
			k = i - 333
			if want = append(want, fmt.Sprintf("%d=%d", i+2, k)); len(want) > maxPlaces {
				want = want[:maxPlaces]
			}
		}
		fmt.Fprintf(&b, "%d,x\n", k)
	}
	r := ingestUnder(t, b.String(), catalog.IngestOptions{}, catalog.Schema{Key: []string{"k"}})
	got := told(r)
	if w := "key k 28 " + strings.Join(want, " "); len(got) != 1 || got[0] != w {
		t.Errorf("%q\nwant %q", got, w)
	}
}

// What a finding of the contract shows of a column with personal information is
// masked.
func TestContractHides(t *testing.T) {
	r := ingestUnder(t, people+"赵六,320299199001010015,13800138000,滨湖区\n", catalog.IngestOptions{}, catalog.Schema{
		Fields: []catalog.Field{{Name: "联系电话", Rules: catalog.Rules{Pattern: `\d{3}-\d+`}}}, Key: []string{"单位", "身份证号"}})
	if got := told(r); len(got) != 2 {
		t.Errorf("%q\n%s", got, summary(r))
	}
	text := fmt.Sprintf("%+v", r.Report)
	for _, secret := range []string{"320299199001010015", "13800138000"} {
		if strings.Contains(text, secret) {
			t.Errorf("the report shows %s", secret)
		}
	}
}

// Null words are stated for every column or for one; they are no evidence, and
// null in text columns too.
func TestNullWords(t *testing.T) {
	words, err := catalog.ParseNullWords([]string{"暂无", "pm25=-999", " 无 "})
	if err != nil {
		t.Fatal(err)
	}
	o := catalog.IngestOptions{NullWords: words}
	if got := o.NullWordLines(); !slices.Equal(got, []string{"暂无", "无", "pm25=-999"}) {
		t.Errorf("%q", got)
	}
	r := ingestUnder(t, "站点,pm25,t\n甲,12,-999\n暂无,-999,3\n乙, 暂无 ,4\n无锡,7,无\n", o, catalog.Schema{Fields: []catalog.Field{
		{Name: "站点", Rules: catalog.Rules{Required: true}}, {Name: "pm25", Rules: catalog.Rules{Minimum: "0"}}}})
	var got []string
	for _, d := range r.Report.Decisions {
		got = append(got, fmt.Sprintf("%s %s nulls %d, words %d", d.Column, d.Type, d.Nulls, d.NullWord))
	}
	want := []string{"站点 text nulls 1, words 1", "pm25 integer nulls 2, words 2", "t integer nulls 1, words 1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := told(r); !slices.Equal(got, []string{"required 站点 1 3="}) {
		t.Errorf("%q", got)
	}
}

// Types that are taken over from the release before do not refuse a file that
// lacks the column; stated ones do.
func TestCarriedTypes(t *testing.T) {
	types := map[string]catalog.Type{"gone": catalog.Integer, "a": catalog.String}
	r := ingestUnder(t, "a,b\n1,2\n", catalog.IngestOptions{Types: types}, catalog.Schema{})
	if f := findingOf(r, "unknown_column"); r.Report.Accepted || f == nil {
		t.Errorf("%s", summary(r))
	}
	r = ingestUnder(t, "a,b\n1,2\n", catalog.IngestOptions{Types: types, From: 3}, catalog.Schema{})
	if f := findingOf(r, "option_idle"); !r.Report.Accepted || f == nil || f.Column != "gone" || r.Tables[0].Table.Schema.Fields[0].Type != catalog.String {
		t.Errorf("%s", summary(r))
	}
}

// An encoding taken over decides only where the bytes do not.
func TestCarriedEncoding(t *testing.T) {
	read := func(content string) string {
		r := ingestUnder(t, content, catalog.IngestOptions{Encoding: "latin-1", From: 1}, catalog.Schema{})
		return r.Report.Encoding
	}
	if got := read("名称,值\n无锡,1\n"); got != "utf-8" {
		t.Errorf("UTF-8 was read as %s", got)
	}
	if got := read("Name;Ort\nM\xfcller;Z\xfcrich\n"); got != "latin-1" {
		t.Errorf("ambiguous bytes were read as %s", got)
	}
}
