package table

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold brings text to the form in which contains and starts compare it: Unicode
// compatibility form (NFKC: full width becomes plain width), without case. It is
// idempotent.
func Fold(s string) string {
	if ascii(s) {
		return strings.ToLower(s)
	}
	// Lowering can undo the normal form, so go on until nothing changes; nearly
	// all texts are there after one pass.
	for range 8 {
		folded := strings.Map(foldRune, norm.NFKC.String(s))
		if folded == s {
			break
		}
		s = folded
	}
	return s
}

// foldRune goes through upper case so that the two small sigmas become one. From
// the CJK radicals to the last Yi syllable nothing has case, which spares Chinese
// text two searches a character.
func foldRune(r rune) rune {
	if r >= 0x2e80 && r < 0xa4d0 {
		return r
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
