package ingest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rawBook is a workbook written by hand, part by part, for what no library
// would write.
type rawBook struct {
	sheets  []rawSheet
	formats []string          // custom number formats; style i+1 uses formats[i]
	strings string            // content of <sst>
	pr      string            // attributes of <workbookPr>
	parts   map[string]string // more parts, or other content for the usual ones
}

type rawSheet struct {
	name, state string
	data        string // content of <sheetData>
	before      string // between <worksheet> and <sheetData>
	after       string
}

const (
	mainSpace = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	relSpace  = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
)

// oneSheet is a workbook of one sheet with these rows.
func oneSheet(data string) rawBook { return rawBook{sheets: []rawSheet{{name: "Sheet1", data: data}}} }

// entries gives the parts of the workbook.
func (b rawBook) entries() map[string]string {
	var sheets, rels strings.Builder
	parts := map[string]string{
		"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"_rels/.rels":         `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + relSpace + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
	}
	for i, s := range b.sheets {
		state := ""
		if s.state != "" {
			state = ` state="` + s.state + `"`
		}
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d" r:id="rId%d"%s/>`, s.name, i+1, i+1, state)
		fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>`, i+1, relSpace, i+1)
		parts[fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1)] = `<worksheet ` + mainSpace + `>` + s.before + `<sheetData>` + s.data + `</sheetData>` + s.after + `</worksheet>`
	}
	if b.strings != "" {
		parts["xl/sharedStrings.xml"] = `<sst ` + mainSpace + `>` + b.strings + `</sst>`
		fmt.Fprintf(&rels, `<Relationship Id="rIdS" Type="%s/sharedStrings" Target="sharedStrings.xml"/>`, relSpace)
	}
	var formats, xfs strings.Builder
	xfs.WriteString(`<xf numFmtId="0"/>`)
	for i, f := range b.formats {
		fmt.Fprintf(&formats, `<numFmt numFmtId="%d" formatCode="%s"/>`, 164+i, strings.NewReplacer(`&`, `&amp;`, `"`, `&quot;`, `<`, `&lt;`).Replace(f))
		fmt.Fprintf(&xfs, `<xf numFmtId="%d"/>`, 164+i)
	}
	parts["xl/styles.xml"] = `<styleSheet ` + mainSpace + `><numFmts count="` + fmt.Sprint(len(b.formats)) + `">` + formats.String() + `</numFmts><cellXfs>` + xfs.String() + `</cellXfs></styleSheet>`
	fmt.Fprintf(&rels, `<Relationship Id="rIdT" Type="%s/styles" Target="styles.xml"/>`, relSpace)
	parts["xl/workbook.xml"] = `<workbook ` + mainSpace + ` xmlns:r="` + relSpace + `"><workbookPr ` + b.pr + `/><sheets>` + sheets.String() + `</sheets></workbook>`
	parts["xl/_rels/workbook.xml.rels"] = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` + rels.String() + `</Relationships>`
	for name, body := range b.parts {
		parts[name] = body
	}
	return parts
}

// write writes the workbook to a file.
func (b rawBook) write(t testing.TB) string {
	t.Helper()
	return writeFile(t, "book.xlsx", zipParts(t, b.entries()))
}

func zipParts(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, body := range parts {
		e, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func writeFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
