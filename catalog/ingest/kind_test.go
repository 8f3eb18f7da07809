package ingest

import (
	"archive/zip"
	"bytes"
	"testing"

	"taihu/catalog"
)

func zipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestContentDecidesAndTheExtensionMustAgree(t *testing.T) {
	ole := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600)...)
	encrypted := append(bytes.Clone(ole), utf16Bytes("EncryptedPackage")...)
	for _, test := range []struct {
		name    string
		content []byte
		want    string // attachment, a finding's code, or ok
	}{
		{"a.csv", []byte("a,b\n1,2\n"), "ok"},
		{"a.CSV", []byte("a,b\n1,2\n"), "ok"},
		{"a.csv", []byte("{x},b\n1,2\n"), "ok"},
		{"a.csv", []byte("[1],b\n1,2\n"), "ok"},
		{"a.csv", zipOf(t, "xl/workbook.xml"), "wrong_extension"},
		{"a.csv", zipOf(t, "x.csv"), "wrong_extension"},
		{"a.csv", []byte("<html><table>"), "wrong_extension"},
		{"a.csv", []byte("\x1f\x8b\x08\x00"), "wrong_extension"},
		{"a.csv", []byte("PAR1....PAR1"), "wrong_extension"},
		{"a.xlsx", ole, "wrong_extension"},
		{"a.xlsx", encrypted, "encrypted"},
		{"a.xlsx", []byte("a,b\n"), "wrong_extension"},
		{"a.xls", []byte("<html><table>"), "wrong_extension"},
		{"a.xls", ole, "office_missing"},
		{"a.ods", zipOf(t, "mimetype", "content.xml"), "office_missing"},
		{"a.docx", zipOf(t, "[Content_Types].xml", "word/document.xml"), "attachment"},
		{"a.zip", zipOf(t, "x.csv"), "attachment"},
		{"a.json", []byte("a,b\n1,2\n"), "malformed_json"},
		{"a.parquet", []byte("not parquet"), "wrong_extension"},
		{"a.pdf", []byte("%PDF-1.7"), "attachment"},
		{"a.pdf", []byte("\x89PNG\r\n\x1a\n"), "wrong_extension"},
		{"a.png", []byte("\x89PNG\r\n\x1a\n"), "attachment"},
		{"README.md", []byte("# words, and words\n"), "attachment"},
		{"data", []byte("a,b\n1,2\n"), "attachment"},
		{"a.dat", []byte("\x00\x01\x02"), "attachment"},
		{"a.txt", []byte("a\tb\n1\t2\n"), "ok"},
		{"a.txt", []byte("words\n"), "attachment"},
		{"a.csv", nil, "empty_file"},
		{"a.unknown", nil, "empty_file"},
	} {
		r := ingestBytes(t, test.name, test.content, catalog.IngestOptions{})
		got := "ok"
		switch f := r.Report.FirstError(); {
		case f != nil:
			got = f.Code
		case r.Attachment:
			got = "attachment"
		}
		if got != test.want {
			t.Errorf("%s %.20q: got %s, want %s", test.name, test.content, got, test.want)
		}
	}
}

// A file called .json that opens as JSON is read as JSON, however early its
// fault: the place is told.
func TestFaultAtTheBeginningOfJSON(t *testing.T) {
	for _, test := range []struct {
		name, content, message, column string
		row                            int64
	}{
		{"a.json", "[\n{\"a\":NaN}]", "NaN is no JSON value; write null where there is no number (line 2, byte 11 of the file)", "a", 2},
		{"a.json", `[{'a':1}]`, `a key was expected, not "'" (line 1, byte 3 of the file)`, "", 1},
		{"a.ndjson", "{\"a\":True}\n", `"True" is no JSON value (line 1, byte 10 of the file)`, "a", 1},
	} {
		r := ingestBytes(t, test.name, []byte(test.content), catalog.IngestOptions{})
		f := r.Report.FirstError()
		if f == nil || f.Code != "malformed_json" || f.Row != test.row || f.Column != test.column || f.Message.En != test.message {
			t.Errorf("%s: got %+v", test.content, f)
		}
	}
}
