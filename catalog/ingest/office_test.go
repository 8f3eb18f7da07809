package ingest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"taihu/catalog"
)

// office returns LibreOffice's program, or skips.
func office(t testing.TB) string {
	t.Helper()
	path, err := FindOffice("")
	if err != nil || path == "" {
		t.Skipf("LibreOffice is not on PATH (Debian: libreoffice-calc): %v", err)
	}
	return path
}

func ingestOffice(t testing.TB, program, path, name string) Result {
	t.Helper()
	out := t.TempDir()
	r, err := Run(context.Background(), Request{Path: path, Name: name, OutDir: out, Office: program}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(out, "office-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return r
}

// TestOffice: a workbook saved as .xls and .ods is read as the workbook is, with
// titles, merged cells, totals and types.
func TestOffice(t *testing.T) {
	program := office(t)
	book := sheetFile(t, [][]any{{"企业名单"}, {"单位：万元"}, {"区县", "企业", "成立日期", "收入", nil}, {nil, nil, nil, "2020", "2021"}, {"滨湖区", "㛃光公司", nil, 1.5, 2}, {nil, "乙", nil, 3, 4}, {"合计", nil, nil, 4.5, 6}},
		"A1:E1", "A3:A4", "B3:B4", "C3:C4", "D3:E3", "A5:A6")
	f, err := excelize.OpenFile(book)
	if err != nil {
		t.Fatal(err)
	}
	style, _ := f.NewStyle(&excelize.Style{NumFmt: 14})
	for i, cell := range []string{"C5", "C6"} {
		if err := f.SetCellValue("Sheet1", cell, 44538+i); err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellStyle("Sheet1", cell, cell, style); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	want := "区县|企业|成立日期|收入_2020|收入_2021\n滨湖区|㛃光公司|2021-12-08|1.5|2\n滨湖区|乙|2021-12-09|3|4"
	for _, ext := range []string{"xls", "ods"} {
		dir := t.TempDir()
		cmd := exec.Command(program, "-env:UserInstallation=file://"+filepath.Join(dir, "p"), "--headless", "--convert-to", ext, "--outdir", dir, book)
		cmd.Env = append(os.Environ(), "HOME="+dir)
		if cmd.Run() != nil { // the first start in a new profile may want another
			if out, err := exec.Command(program, cmd.Args[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		path := filepath.Join(dir, "book."+ext)
		r := ingestOffice(t, program, path, "表."+ext)
		if got := shown(t, r); got != want {
			t.Errorf("%s: got\n%s\n%s", ext, got, summary(r))
		}
		if r.Report.Format != ext || r.Tables[0].Table.Title.Zh != "企业名单" || r.Tables[0].Table.Schema.Fields[2].Type != catalog.Date || r.Tables[0].Table.Schema.Fields[3].Unit != "万元" {
			t.Errorf("%s: %s, %+v", ext, r.Report.Format, r.Tables[0].Table.Schema.Fields)
		}
		wantCodes(t, r, "converted title_lines header_rows merged_filled totals_left_out units_proposed")
		// Without LibreOffice it is refused, with what to do.
		if r := ingestFile(t, path, "表."+ext, catalog.IngestOptions{}); r.Attachment || r.Report.FirstError() == nil || r.Report.FirstError().Code != "office_missing" || !strings.Contains(r.Report.FirstError().Hint.Zh, "XLSX") {
			t.Errorf("%s: %s", ext, summary(r))
		}
		// It is held to its time.
		r, err := Run(context.Background(), Request{Path: path, Name: "表." + ext, OutDir: t.TempDir(), Office: program, Limits: Limits{Wall: 10 * time.Millisecond}}, nil)
		if err != nil || r.Report.FirstError() == nil || r.Report.FirstError().Code != "conversion_failed" {
			t.Errorf("%s: %v %s", ext, err, summary(r))
		}
	}
	bad := writeFile(t, "a.xls", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 4096)...))
	if r := ingestOffice(t, program, bad, "a.xls"); r.Report.FirstError() == nil || r.Report.FirstError().Code != "conversion_failed" {
		t.Error(summary(r))
	}
}

// TestOfficeReal: the .xls and .ods of the real data are tables, or refused.
func TestOfficeReal(t *testing.T) {
	program, dir := office(t), messy(t)
	for file, want := range map[string]string{"messytables/simple.ods": "", "messytables/unicode_sheet_name.xls": "", "sheetjs-other/biff5/hyperlink_stress_test_2011.xls": "", "sheetjs-other/xlsx-stream-d-date-cell.xls": "", "messytables/multilineods.ods": ""} {
		r := ingestOffice(t, program, filepath.Join(dir, filepath.FromSlash(file)), filepath.Base(file))
		code := ""
		if f := r.Report.FirstError(); f != nil {
			code = f.Code
		}
		if code != want || want == "" && len(r.Tables) == 0 {
			t.Errorf("%s: %s", file, summary(r))
		}
		t.Logf("%s\n%.600s", file, shown(t, r))
	}
}

func TestFindOffice(t *testing.T) {
	if path, err := FindOffice("off"); path != "" || err != nil {
		t.Error(path, err)
	}
	if _, err := FindOffice("/no/such/program"); err == nil {
		t.Error("a program that is not there was found")
	}
}
