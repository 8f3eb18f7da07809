package ingest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
)

// findingOf returns the first finding of a code, or nil.
func findingOf(r Result, code string) *catalog.Finding {
	i := slices.IndexFunc(r.Report.Findings, func(f catalog.Finding) bool { return f.Code == code })
	if i < 0 {
		return nil
	}
	return &r.Report.Findings[i]
}

const people = "姓名,身份证号,联系电话,单位\n张三,320299199001010015,13800138000,滨湖区\n李四,11010519491231002X,0510-82723456,梁溪区\n王五,110105194912310021,13912345678,新吴区\n"

func settled(list ...catalog.Settlement) catalog.IngestOptions {
	return catalog.IngestOptions{Settled: list}
}

// Each kind is a finding to settle, with the share of the column and the places.
func TestPersonalFindings(t *testing.T) {
	r := ingestBytes(t, "名单.csv", []byte(people), catalog.IngestOptions{})
	for code, want := range map[string]string{"personal_name": "姓名 3/3", "personal_id": "身份证号 2/3", "personal_mobile": "联系电话 2/3"} {
		f := findingOf(r, code)
		if f == nil || f.Severity != catalog.ToSettle || len(f.Measures) != 3 || len(f.Places) != int(f.Count) {
			t.Fatalf("%s: %+v\n%s", code, f, summary(r))
		}
		if got := fmt.Sprintf("%s %d/%d", f.Column, f.Count, f.Of); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
	// The report itself gives nothing away.
	text := fmt.Sprintf("%+v", r.Report)
	for _, secret := range []string{"320299199001010015", "11010519491231002X", "13800138000", "张三"} {
		if strings.Contains(text, secret) {
			t.Errorf("the report shows %s", secret)
		}
	}
}

// What is masked is masked in every file the check leaves, also where a check
// digit is wrong, and passes the scan; what is dropped is in none of them.
func TestSettled(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "upload")
	if err := os.WriteFile(path, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	o := settled(
		catalog.Settlement{Code: "personal_id", Column: "身份证号", Measure: catalog.Mask},
		catalog.Settlement{Code: "personal_mobile", Column: "联系电话", Measure: catalog.Mask},
		catalog.Settlement{Code: "personal_name", Column: "姓名", Measure: catalog.Drop},
		catalog.Settlement{Code: "personal_mail", Column: "单位", Measure: catalog.Mask})
	o.Types = map[string]catalog.Type{"姓名": catalog.String, "身份证号": catalog.String}
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o700); err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), Request{Path: path, Name: "名单.csv", Options: o, OutDir: out}, nil)
	if err != nil || !r.Report.Accepted {
		t.Fatal(err, summary(r))
	}
	for _, form := range []string{r.Tables[0].TextPath, r.Tables[0].TypedPath} {
		got := fmt.Sprint(cells(t, form))
		want := "[[1 3202**********0015 138****8000 滨湖区] [2 1101**********002X 0510-82723456 梁溪区] [3 1101**********0021 139****5678 新吴区]]"
		if got != want {
			t.Errorf("%s holds %s, want %s", filepath.Base(form), got, want)
		}
	}
	if names := r.Tables[0].Table.Schema.Names(); !slices.Equal(names, []string{"身份证号", "联系电话", "单位"}) {
		t.Errorf("columns %v", names)
	}
	for _, f := range r.Report.Findings {
		if f.Severity == catalog.ToSettle {
			t.Errorf("still to settle: %s %s", f.Code, f.Column)
		}
	}
	for code, column := range map[string]string{"values_masked": "身份证号", "column_dropped": "姓名", "decision_idle": "单位"} {
		if f := findingOf(r, code); f == nil || f.Column != column {
			t.Errorf("%s: %+v", code, f)
		}
	}
	// No file of the check holds the values, compressed or not: Parquet is asked by
	// its reader above, and the spool has no name.
	err = filepath.WalkDir(out, func(path string, _ os.DirEntry, _ error) error {
		if b, err := os.ReadFile(path); err == nil && (bytes.Contains(b, []byte("13800138000")) || bytes.Contains(b, []byte("张三"))) {
			t.Errorf("%s holds what was masked or dropped", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Masked JSON stays JSON.
func TestMaskedNestedCells(t *testing.T) {
	r := ingestBytes(t, "a.json", []byte(`[{"人":[{"电话":"13800138000"}]},{"人":[{"电话":13800138000}]}]`), settled(catalog.Settlement{Code: "personal_mobile", Column: "人", Measure: catalog.Mask}))
	if got := fmt.Sprint(cells(t, r.Tables[0].TypedPath)); got != `[[1 [{"电话":"138****8000"}]] [2 ∅]]` && got != `[[1 [{"电话":"138****8000"}]] [2 null]]` {
		t.Errorf("got %s\n%s", got, summary(r))
	}
}

// Decisions that cannot be carried out refuse the file.
func TestBadSettlements(t *testing.T) {
	refused := func(csv string, list ...catalog.Settlement) *catalog.Finding {
		r := ingestBytes(t, "a.csv", []byte(csv), settled(list...))
		return r.Report.FirstError()
	}
	for _, s := range []catalog.Settlement{
		{Code: "no_such", Measure: catalog.Accept, Reason: "x"}, {Code: "personal_id", Measure: catalog.Mask},
		{Code: "personal_in_names", Measure: catalog.Drop}, {Code: "values_masked", Measure: catalog.Accept},
	} {
		if f := refused("a,b\n1,2\n", s); f == nil || f.Code != "bad_option" {
			t.Errorf("%+v: %+v", s, f)
		}
	}
	var drops []catalog.Settlement
	for _, c := range []string{"姓名", "身份证号", "联系电话", "单位"} {
		drops = append(drops, catalog.Settlement{Code: "personal_name", Column: c, Measure: catalog.Drop})
	}
	if f := refused(people, drops...); f == nil || f.Code != "bad_option" {
		t.Errorf("every column dropped: %+v", f)
	}
}

func TestPersonalInNames(t *testing.T) {
	if f := findingOf(ingestBytes(t, "张三13800138000.csv", []byte("a,b\n1,2\n"), catalog.IngestOptions{}), "personal_in_names"); f == nil || f.Value != "张三138****8000.csv" {
		t.Errorf("file name: %+v", f)
	}
	if f := findingOf(ingestBytes(t, "a.csv", []byte("a,320299199001010015\n1,2\n"), catalog.IngestOptions{}), "personal_in_names"); f == nil || f.Value != "3202**********0015" {
		t.Errorf("column name: %+v", f)
	}
}

// An attachment that is text is looked at, and so are the lines above a header.
func TestPersonalBesideTables(t *testing.T) {
	r := ingestBytes(t, "notes.json", []byte("{\n \"经办\": {\"电话\": \"13800138000\"}\n}\n"), catalog.IngestOptions{})
	if f := findingOf(r, "personal_in_attachment"); !r.Attachment || f == nil || f.Row != 2 || strings.Contains(f.Value, "13800138000") || len(f.Measures) != 1 {
		t.Errorf("attachment: %+v\n%s", f, summary(r))
	}
	r = ingestBytes(t, "a.pdf", []byte("%PDF-1.4\n\x00 13800138000"), catalog.IngestOptions{})
	if f := findingOf(r, "personal_in_attachment"); f != nil {
		t.Errorf("not text: %+v", f)
	}
	r = ingestBook(t, oneSheet(`<row r="1">`+text("A1", "联系13800138000")+`</row><row r="2">`+text("A2", "a")+text("B2", "b")+text("C2", "c")+`</row><row r="3">`+text("A3", "x")+text("B3", "y")+text("C3", "z")+`</row>`), catalog.IngestOptions{})
	if f := findingOf(r, "personal_in_names"); f == nil || f.Value != "联系138****8000" {
		t.Errorf("title: %+v\n%s", f, summary(r))
	}
}

// BenchmarkScanCost checks the same file with the scan and without, in turn, and
// reports what the scan adds to the time and to the work of all cores: a file
// without personal information, and a list of people, three columns in ten.
func BenchmarkScanCost(b *testing.B) {
	b.Run("facilities", func(b *testing.B) { scanCost(b, benchCSV(b, benchRows())) })
	b.Run("people", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "people.csv")
		var text strings.Builder
		text.WriteString("编号,姓名,身份证号,手机,登记日期,区域,金额,数量,说明,有效\n")
		for i := range benchRows() {
			id := fmt.Sprintf("320211%04d%02d%02d%03d", 1940+i%70, 1+i%12, 1+i%28, i%1000)
			p := 0
			for _, c := range id {
				p = (p + int(c-'0')) * 2 % 11
			}
			fmt.Fprintf(&text, "%d,张三%c,%s%c,138%08d,2021-%02d-%02d,滨湖区,%d.25,%d,第%d号窗口受理后转交,true\n", i, rune(0x4e00+i%5000), id, "0123456789X"[(12-p)%11], i*7919%100000000, 1+i%12, 1+i%28, i%9999, i%77, i%31)
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
		scanCost(b, path)
	})
}

func scanCost(b *testing.B, path string) {
	var wall, cpu [2]time.Duration
	defer func() { scanning = true }()
	check := func(on int) {
		scanning = on == 1
		dir := b.TempDir()
		start, before := time.Now(), cpuTime()
		r, err := Run(context.Background(), Request{Path: path, Name: "bench.csv", OutDir: dir}, nil)
		if err != nil || !r.Report.Accepted {
			b.Fatal(err, summary(r))
		}
		wall[on] += time.Since(start)
		cpu[on] += cpuTime() - before
		os.RemoveAll(dir)
	}
	check(0) // the file is in memory
	wall, cpu = [2]time.Duration{}, [2]time.Duration{}
	for b.Loop() {
		check(0)
		check(1)
		check(1)
		check(0)
	}
	b.ReportMetric(100*(wall[1].Seconds()/wall[0].Seconds()-1), "%wall")
	b.ReportMetric(100*(cpu[1].Seconds()/cpu[0].Seconds()-1), "%cpu")
}
