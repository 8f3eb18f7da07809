package ingest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"taihu/catalog/child"
)

func rowsOf(t *testing.T, name string, content []byte, most int) Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	r, err := Run(context.Background(), Request{Path: path, Name: name, OutDir: out, Rows: most}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(out); err != nil || len(left) > 0 || len(r.Tables) > 0 {
		t.Errorf("reading rows left %v, %v and %d tables", left, err, len(r.Tables))
	}
	return r
}

// TestRowsAsTheyStand: a list is read by the readers of uploads, without types.
func TestRowsAsTheyStand(t *testing.T) {
	book := excelize.NewFile()
	for i, row := range [][]any{{"机构编码", "机构名称", "电话"}, {"007", "城管局", "0510"}, {320205, "锡山区", nil}} {
		if err := book.SetSheetRow("Sheet1", "A"+string(rune('1'+i)), &row); err != nil {
			t.Fatal(err)
		}
	}
	b, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	gbk := []byte("\xb1\xe0\xc2\xeb,\xc3\xfb\xb3\xc6\n007,\xb3\xc7\xb9\xdc\xbe\xd6\n") // 编码,名称 007,城管局
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"a.xlsx": {b.Bytes(), "机构编码,机构名称,电话;2:007,城管局,0510;3:320205,锡山区,"},
		"a.csv":  {[]byte("a,b\n\"x\ny\",1\nz,2\n"), "a,b;2:x\ny,1;4:z,2"},
		"g.csv":  {gbk, "编码,名称;2:007,城管局"},
	} {
		r := rowsOf(t, name, c.content, 9)
		if r.Rows == nil || r.Rows.More {
			t.Errorf("%s: %+v %+v", name, r.Rows, r.Report)
			continue
		}
		parts := []string{strings.Join(r.Rows.Columns, ",")}
		for _, row := range r.Rows.Rows {
			parts = append(parts, string(rune('0'+row.Number))+":"+strings.Join(row.Cells, ","))
		}
		if got := strings.Join(parts, ";"); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if r := rowsOf(t, "a.csv", []byte("a,b\n1,2\n3,4\n"), 1); len(r.Rows.Rows) != 1 || !r.Rows.More {
		t.Errorf("of two rows one was wanted: %+v", r.Rows)
	}
	for name, content := range map[string]string{"a.csv": "", "a.xlsx": "PK\x03\x04broken", "a.pdf": "%PDF-1.7"} {
		r := rowsOf(t, name, []byte(content), 9)
		if _, problems := OrganizationsOf(&r); r.Rows != nil || len(problems) == 0 || problems[0].What.Zh == "" || problems[0].What.En == "" {
			t.Errorf("%s: %+v, problems %v", name, r, problems)
		}
	}
}

// TestADeadReaderIsToldOfTheFile: a child that dies over a list is a problem of the
// list, not an outage.
func TestADeadReaderIsToldOfTheFile(t *testing.T) {
	spec := child.Spec{Executable: "/bin/false"}
	list, problems, err := ReadOrganizations(t.Context(), spec, Limits{}, "/nowhere", "a.csv", t.TempDir())
	if err != nil || len(list.Lines) > 0 || len(problems) != 1 {
		t.Errorf("%v, %v, %v", list, problems, err)
	}
}
