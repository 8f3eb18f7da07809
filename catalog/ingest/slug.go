package ingest

import "strings"

// Slug makes a dataset's address from a name in any script: transliterated to
// a-z, 0-9 and -, at most 64 characters; "" where fewer than three are left.
func Slug(name string) string {
	s := strings.Trim(strings.Join(strings.FieldsFunc(tableName(name), func(r rune) bool { return r == '_' || r == '-' }), "-"), "-")
	if len(s) < 3 {
		return ""
	}
	return s
}
