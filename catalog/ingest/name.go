package ingest

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
	"golang.org/x/text/unicode/norm"

	"taihu/catalog"
)

const maxHeader = 1000 // characters of a column name

// nameColumns makes the names of columns from their header cells: trimmed, NFC,
// unique without regard to case. An empty one becomes column_N, a second one
// name_2. A *Refusal where a name is too long.
func nameColumns(headers []string, fs *Findings) ([]catalog.Field, error) {
	fields := make([]catalog.Field, len(headers))
	taken := map[string]bool{}
	for _, h := range headers { // a free name must not take one that comes later
		if name := cleanHeader(h); name != "" {
			taken[fold(name)] = true
		}
	}
	seen := map[string]bool{}
	for i, h := range headers {
		name := cleanHeader(h)
		if utf8.RuneCountInString(name) > maxHeader {
			return nil, refuse("long_header", "第%[1]d列的列名有%[2]d个字符，过长。", "The name of column %[1]d has %[2]d characters, which is too long.", i+1, utf8.RuneCountInString(name)).at(0, shorten(name), "")
		}
		code := ""
		switch {
		case name == "":
			name, code = free(fmt.Sprintf("column_%d", i+1), taken, seen), "empty_header"
		case fold(name) == catalog.RowNumber:
			name, code = free(name, taken, seen), "reserved_header"
		case seen[fold(name)]:
			name, code = free(name, taken, seen), "duplicate_header"
		}
		seen[fold(name)] = true
		if code != "" {
			f := found(code, "", "")
			f.Column, f.Value = name, h
			fs.Add(f)
		}
		fields[i] = catalog.Field{ID: catalog.NewID(), Name: name}
		if h != name {
			fields[i].Header = h
		}
	}
	return fields, nil
}

// free returns name, or the first of name_2, name_3 … that nobody has.
func free(name string, taken, seen map[string]bool) string {
	if f := fold(name); !taken[f] && !seen[f] && f != catalog.RowNumber {
		return name
	}
	for n := 2; ; n++ {
		if try := fmt.Sprintf("%s_%d", name, n); !taken[fold(try)] && !seen[fold(try)] {
			return try
		}
	}
}

func fold(name string) string { return strings.ToLower(name) }

// cleanHeader trims, composes (NFC) and turns each line end or other control
// into a blank, so that a name fits one line.
func cleanHeader(h string) string {
	h = norm.NFC.String(strings.ToValidUTF8(h, ""))
	h = strings.Map(func(r rune) rune {
		switch {
		case r == '\ufeff':
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, h)
	return strings.TrimSpace(h)
}

// tableName makes the name of a table from a file's or sheet's own name:
// transliterated to [a-z0-9_-]{1,64}; "" where nothing is left of it.
func tableName(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-':
			b.WriteRune(r)
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r + 32)
		case unicode.Is(unicode.Han, r):
			if p := pinyin.SinglePinyin(r, pinyin.NewArgs()); len(p) > 0 {
				b.WriteByte('-')
				b.WriteString(p[0])
				b.WriteByte('-')
			}
		case unicode.Is(unicode.Mn, r):
		default:
			b.WriteByte('-')
		}
	}
	s := strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == '-' }), "-")
	if len(s) > 64 {
		s = s[:64]
		if i := strings.LastIndexByte(s, '-'); i > 32 {
			s = s[:i]
		}
	}
	return strings.Trim(s, "-")
}

// tableNames hands out names that differ from each other.
type tableNames map[string]bool

// genericSheet are the names that programs give sheets: they say nothing.
var genericSheet = regexp.MustCompile(`(?i)^(sheet|工作表|表|feuil|tabelle|hoja)\s*\d*$`)

// take returns the name for a table: stated, or from the sheet's or file's name,
// else main; with -2, -3 … where it is taken.
func (t tableNames) take(stated, sheet, file string) string {
	base := stated
	if base == "" && !genericSheet.MatchString(sheet) {
		base = tableName(sheet)
	}
	if base == "" {
		base = tableName(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
	}
	if base == "" {
		base = "main"
	}
	name := base
	for n := 2; t[name]; n++ {
		suffix := fmt.Sprintf("-%d", n)
		name = strings.TrimRight(base[:min(len(base), 64-len(suffix))], "-") + suffix
	}
	t[name] = true
	return name
}
