package ingest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"taihu/catalog"
)

func detect(t testing.TB, content []byte, stated string) (textEncoding, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return detectEncoding(f, int64(len(content)), stated)
}

func gb(t testing.TB, s string) []byte {
	t.Helper()
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDetectEncoding(t *testing.T) {
	ascii := strings.Repeat("a,b\n", 600_000)
	for _, test := range []struct {
		name    string
		content []byte
		want    string // encoding, or the finding
	}{
		{"ASCII", []byte("a,b"), "utf-8"},
		{"UTF-8", []byte("太湖"), "utf-8"},
		{"UTF-8 after 2 MB of ASCII", []byte(ascii + "太湖"), "utf-8"},
		{"GB18030", gb(t, "太湖,滨湖区"), "gb18030"},
		{"GB18030 after 2 MB of ASCII", append([]byte(ascii), gb(t, "太湖,滨湖区")...), "gb18030"},
		{"GB18030 with one rare character", gb(t, "太湖,滨湖区,梁溪区,新吴区,锡山区,惠山区,㐀"), "gb18030"},
		{"GB18030 of rare characters", gb(t, "㐀㐁"), "encoding_ambiguous"},
		{"Latin-1 that is valid GB18030", []byte("M\xfcller;Z\xfcrich\n"), "encoding_ambiguous"},
		{"Latin-1 that is not", []byte("caf\xe9\n"), "encoding_ambiguous"},
		{"Shift-JIS", []byte("\x83\x65\x83\x58\x83\x67"), "encoding_ambiguous"},
		{"Windows-1252 quotes", []byte("\x93quoted\x94"), "encoding_ambiguous"},
		{"UTF-8 with a fault", []byte("太湖滨湖区梁溪区\xff"), "utf-8"},
		{"NUL", []byte("a\x00b"), "binary_content"},
		{"UTF-32", []byte("\xff\xfe\x00\x00a\x00\x00\x00"), "encoding_ambiguous"},
	} {
		e, err := detect(t, test.content, "")
		got := e.name
		var r *Refusal
		if errors.As(err, &r) {
			got = r.Finding.Code
		}
		if got != test.want {
			t.Errorf("%s: got %s (%v), want %s", test.name, got, err, test.want)
		}
	}
}

func TestUTF8MayEndInsideACharacterOfTheWindow(t *testing.T) {
	for pad := range 4 {
		content := []byte(strings.Repeat("x", pad) + strings.Repeat("太湖", encodingWindow/6+100))
		if e, err := detect(t, content, ""); err != nil || e.name != "utf-8" {
			t.Errorf("pad %d: %v %v", pad, e.name, err)
		}
	}
}

func TestLongGB18030IsReadWhole(t *testing.T) {
	want := "名称,值\n" + strings.Repeat("滨湖区,1\nx,2\n", 200_000)
	got, _, err := readAll(t, gb(t, want), catalog.IngestOptions{}, Limits{})
	if err != nil || len(got) != 400_001 {
		t.Fatal(len(got), err)
	}
	for i, row := range got[1:] {
		if name := []string{"滨湖区", "x"}[i%2]; row[0] != name {
			t.Fatalf("row %d: %q", i, row)
		}
	}
}

// The byte of a NUL in UTF-16 is that of the character, not of the zero half of
// another one.
func TestPlaceOfNULInUTF16(t *testing.T) {
	_, _, err := readAll(t, append([]byte("\xff\xfe"), utf16Bytes("a,b\n1,\x00\n")...), catalog.IngestOptions{}, Limits{})
	var r *Refusal
	if !errors.As(err, &r) || r.Finding.Code != "binary_content" || r.Finding.Row != 2 || !strings.Contains(r.Finding.Message.En, "Byte 14 ") {
		t.Error(err)
	}
}

// However its bytes are cut into blocks, a text decodes to the same, or fails at
// the same byte; what decodes is UTF-8 and what fails has no U+FFFD put in.
func FuzzDecodeInPieces(f *testing.F) {
	f.Add([]byte("太湖\xff"), 3, 0)
	f.Add([]byte("\xcc\xab\xba\xfe\x81\x30\x81\x30"), 1, 1)
	f.Add([]byte("\x3d\xd8\x00\xde"), 2, 4)
	f.Fuzz(func(t *testing.T, content []byte, cut, which int) {
		if cut < 0 || cut > len(content) || which < 0 {
			return
		}
		e, _ := encodingOf(Encodings[which%len(Encodings)])
		whole, used, err := e.decode(nil, content, true)
		if !utf8.Valid(whole) {
			t.Fatalf("%s: %q decodes to %q", e.name, content, whole)
		}
		if err == nil && used != len(content) {
			t.Fatalf("%s: %q: used %d of %d", e.name, content, used, len(content))
		}
		first, n, err1 := e.decode(nil, content[:cut], false)
		if err1 != nil {
			if err == nil {
				t.Fatalf("%s: %q fails when cut at %d: %v", e.name, content, cut, err1)
			}
			return
		}
		both, _, err2 := e.decode(first, content[n:], true)
		if (err == nil) != (err2 == nil) || !bytes.Equal(both, whole) {
			t.Fatalf("%s: %q cut at %d: %q (%v), whole %q (%v)", e.name, content, cut, both, err2, whole, err)
		}
	})
}
