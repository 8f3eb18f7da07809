package ingest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"taihu/catalog"
)

// readAll reads delimited text with our reader: header first, "∅" for null.
func readAll(t testing.TB, content []byte, o catalog.IngestOptions, limits Limits) ([][]string, []int64, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	fs := &Findings{}
	src, err := openCSV(Input{Path: path, Name: "t.csv", Size: int64(len(content)), Options: o, Limits: limits.orDefault(), TempDir: t.TempDir(), Report: &catalog.Report{}, Findings: fs})
	if err != nil {
		return nil, nil, err
	}
	defer src.Close()
	h, err := src.Next()
	if err != nil {
		return nil, nil, err
	}
	rows := [][]string{h.Columns}
	var numbers []int64
	var c Chunk
	for {
		c.Reset(len(h.Columns))
		err := src.Read(&c)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return rows, numbers, err
		}
		for i := range c.Len {
			var row []string
			for j := range c.Columns {
				if k := &c.Columns[j]; k.IsNull(i) {
					row = append(row, "∅")
				} else {
					row = append(row, string(k.Cell(i)))
				}
			}
			rows = append(rows, row)
		}
		numbers = append(numbers, c.Rows...)
	}
	for _, f := range fs.List() {
		if f.Severity == catalog.Fatal {
			return rows, numbers, &Refusal{Finding: f}
		}
	}
	return rows, numbers, nil
}

func TestRowNumbersAreLinesOfTheFile(t *testing.T) {
	content := "a,b\n1,x\n2,\"two\nlines\"\n\n3,y\r\n4,\"z\r\n\r\n\"\n5,w\n"
	_, got, err := readAll(t, []byte(content), catalog.IngestOptions{}, Limits{})
	if want := []int64{2, 3, 6, 7, 10}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
}

func TestNullAndEmptyText(t *testing.T) {
	for content, want := range map[string]string{
		"a,b\n,\"\"\n":       `[[a b] [∅ ]]`,
		"a,b\n\"\",\n":       `[[a b] [ ∅]]`,
		"a\n\"\"\nx\n":       `[[a] [∅] [x]]`, // one column: what our own CSV writes for null
		"a,b\n \"x\" , y \n": `[[a b] [x  y ]]`,
	} {
		got, _, err := readAll(t, []byte(content), catalog.IngestOptions{HeaderRow: 1}, Limits{})
		if fmt.Sprint(got) != want || err != nil {
			t.Errorf("%q: got %v (%v), want %v", content, got, err, want)
		}
	}
}

func TestStatedOptions(t *testing.T) {
	for _, test := range []struct {
		content string
		o       catalog.IngestOptions
		want    string
	}{
		{"1;2\n3;4\n", catalog.IngestOptions{HeaderRow: -1}, "[[ ] [1 2] [3 4]]"},
		{"t\n\na;b\n3;4\n", catalog.IngestOptions{HeaderRow: 3}, "[[a b] [3 4]]"},
		{"a,b;c\n", catalog.IngestOptions{Delimiter: ",", HeaderRow: -1}, "[[ ] [a b;c]]"},
		{"a b\n1 2\n", catalog.IngestOptions{Delimiter: " "}, "[[a b] [1 2]]"},
		{"a\tb\n1\t2\n", catalog.IngestOptions{Delimiter: "tab"}, "[[a b] [1 2]]"},
		{"a,b\n1,2\n", catalog.IngestOptions{HeaderRow: 9}, "header_row_missing"},
		{"a,b\n1,2\n", catalog.IngestOptions{Delimiter: ",,"}, "bad_option"},
		{"a,b\n1,2\n", catalog.IngestOptions{Encoding: "ebcdic"}, "bad_option"},
		{"M\xfcller,Z\xfcrich\n\xc4,\xd6\n", catalog.IngestOptions{Encoding: "windows-1252"}, "[[Müller Zürich] [Ä Ö]]"},
		{"a,b\n\x93x\x94,\x81\n", catalog.IngestOptions{Encoding: "windows-1252"}, "invalid_encoding"},
		{"a,b\n\xfc,1\n", catalog.IngestOptions{Encoding: "latin-1"}, "[[a b] [ü 1]]"},
		{"a,b\n\xb5L,1\n", catalog.IngestOptions{Encoding: "big5"}, "[[a b] [無 1]]"},
		{"a,b\n\x83\x65,1\n", catalog.IngestOptions{Encoding: "shift-jis"}, "[[a b] [テ 1]]"},
		{"a,b\n\xff\xff,1\n", catalog.IngestOptions{Encoding: "gb18030"}, "invalid_encoding"},
		{"a\x00,\x00b\x00\n\x00*Y,\x001\x00\n\x00", catalog.IngestOptions{Encoding: "utf-16le"}, "[[a b] [太 1]]"},
		{"\x00a\x00,\x00b\x00\n\xd8\x00\x00,\x001\x00\n", catalog.IngestOptions{Encoding: "utf-16be"}, "invalid_encoding"},
		{"a,b\n\xff,1\n", catalog.IngestOptions{Encoding: "utf-8"}, "invalid_encoding"},
	} {
		got, _, err := readAll(t, []byte(test.content), test.o, Limits{})
		text := fmt.Sprint(got)
		var r *Refusal
		if errors.As(err, &r) {
			text = r.Finding.Code
		}
		if text != test.want {
			t.Errorf("%q %v: got %s, want %s", test.content, test.o, text, test.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		name    string
		content string
		limits  Limits
		want    string
	}{
		{"one long line", "a,b\n" + strings.Repeat("x", 3<<20), Limits{Record: 1 << 20}, "record_too_long"},
		{"an endless quote", "a,b\n1,\"" + strings.Repeat("x\n", 3<<20), Limits{Record: 1 << 20}, "record_too_long"},
		{"nothing but one long line", strings.Repeat("x", 20<<20), Limits{}, "record_too_long"},
		{"a header longer than the sample", strings.Repeat("x", 2<<20) + ",b\n1,2\n", Limits{}, ""},
		{"wide header", strings.Repeat("a,", 20000) + "\n", Limits{}, "too_many_columns"},
		{"columns at the limit", strings.Repeat("a,", 16383) + "a\n", Limits{}, ""},
	} {
		_, _, err := readAll(t, []byte(test.content), catalog.IngestOptions{}, test.limits)
		got := ""
		var r *Refusal
		if errors.As(err, &r) {
			got = r.Finding.Code
		}
		if got != test.want {
			t.Errorf("%s: got %q (%v), want %q", test.name, got, err, test.want)
		}
	}
	r, err := Run(t.Context(), Request{Path: "testdata/defects/ragged.csv", Name: "a.csv", OutDir: t.TempDir(), Limits: Limits{Rows: 1}}, nil)
	if err != nil || r.Report.FirstError() == nil {
		t.Error(err, summary(r))
	}
}

func TestLateFaultsNameRowAndByte(t *testing.T) {
	long := "名称,值\n" + strings.Repeat("滨湖区,1\n", 300_000)
	for fault, want := range map[string]string{
		"\xff,1\n":    fmt.Sprintf("invalid_encoding row 300002 %d", len(long)),
		"a\x00b,1\n":  fmt.Sprintf("binary_content row 300002 %d", len(long)+1),
		"a,\"b\n1,2":  "unclosed_quote row 300002 0",
		"a,\"b\"c\n":  "stray_quote row 300002 0",
		"a,b,c\n1,2,": "ragged_rows row 300002 0",
	} {
		_, _, err := readAll(t, []byte(long+fault), catalog.IngestOptions{}, Limits{})
		var r *Refusal
		if !errors.As(err, &r) {
			t.Errorf("%q: %v", fault, err)
			continue
		}
		offset := 0
		if r.Finding.Code == "invalid_encoding" || r.Finding.Code == "binary_content" {
			offset = int(number(r.Finding.Message.En))
		}
		if got := fmt.Sprintf("%s row %d %d", r.Finding.Code, r.Finding.Row, offset); got != want {
			t.Errorf("%q: got %s, want %s: %s", fault, got, want, r.Finding.Message.En)
		}
	}
}

// number finds the byte offset in a message: its longest run of digits.
func number(s string) (n int64) {
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		if v, ok := parseInteger([]byte(word)); ok && v > n {
			n = v
		}
	}
	return n
}

func TestRaggedRowsAreListedUpToAHundred(t *testing.T) {
	r := ingestBytes(t, "t.csv", []byte("a,b\n1,2\n3,4\n5,6\n"+strings.Repeat("1,2\n3\n", 500)), catalog.IngestOptions{})
	n := 0
	for _, f := range r.Report.Findings {
		if f.Code == "ragged_rows" {
			n++
		}
	}
	if n != maxListed || r.Report.Accepted || len(r.Tables) != 0 {
		t.Errorf("%d listed, accepted %v", n, r.Report.Accepted)
	}
}

// Where both accept, our records are those of encoding/csv.
func FuzzRecordsAgainstEncodingCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"a\"\"b\",c\n", "a\n\n b", "\"x\ny\",z\n", ",\n,,", "a,\"b\" ,c\n", "\"\"", "a\"b,c"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if !utf8.Valid(content) || bytes.ContainsAny(content, "\r\x00") {
			return
		}
		in := csv.NewReader(bytes.NewReader(content))
		in.FieldsPerRecord = -1
		want, err := in.ReadAll()
		if err != nil {
			return
		}
		r := newRecordReader(',', 1<<20)
		var scratch []byte
		var got [][]string
		for buf := content; len(buf) > 0; {
			n, state := r.read(buf, true)
			if state != recordWhole {
				t.Fatalf("%q: state %d where encoding/csv reads %q", content, state, want)
			}
			if len(r.fields) > 1 || r.fields[0].quoted || r.fields[0].start != r.fields[0].end {
				var row []string
				for i := range r.fields {
					row = append(row, string(r.fields[i].cell(buf[:n], &scratch)))
				}
				got = append(got, row)
			}
			buf = buf[n:]
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %q, want %q", content, got, want)
		}
	})
}

// A record read from a buffer that ends anywhere is either cut or whole with
// the same fields.
func FuzzRecordsInPieces(f *testing.F) {
	f.Add([]byte("a,\"b\"\"\r\nc\" ,d\r\n1"), 5)
	f.Fuzz(func(t *testing.T, content []byte, at int) {
		if at < 0 || at > len(content) {
			return
		}
		whole, part := newRecordReader(',', 1000), newRecordReader(',', 1000)
		n, state := whole.read(content, true)
		m, early := part.read(content[:at], false)
		if early == recordWhole && (state != recordWhole || n != m || !reflect.DeepEqual(whole.fields, part.fields)) {
			t.Fatalf("%q cut at %d: %d %v, whole %d %v state %d", content, at, m, part.fields, n, whole.fields, state)
		}
	})
}

func FuzzIngestCSV(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("testdata", "defects", "*.csv"))
	for _, path := range files {
		if b, err := os.ReadFile(path); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		r := ingestBytes(t, "t.csv", content, catalog.IngestOptions{})
		if !r.Report.Accepted {
			if r.Report.FirstError() == nil {
				t.Fatal("refused without a reason")
			}
			return
		}
		for _, built := range r.Tables {
			if n := len(cells(t, built.TypedPath)); int64(n) != built.Table.Rows {
				t.Fatalf("%d rows, report says %d", n, built.Table.Rows)
			}
		}
	})
}
