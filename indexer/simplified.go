package indexer

import (
	_ "embed"
	"strings"
	"unicode/utf8"
)

//go:embed simplified.txt
var simplifiedText string

// hanFirst to hanLast are the characters that simplified is a plain array of; the
// few beyond them are in simplifiedRare.
const (
	hanFirst = 0x3400
	hanLast  = 0x9fff
)

var simplified, simplifiedRare = readSimplified()

// readSimplified reads the table of simplified.txt: 3,222 characters in 0.1 ms. A
// library that converts texts (OpenCC's ports) decides by the words around a
// character; a search must fold each one on its own, so that a match leads back.
func readSimplified() (table [hanLast - hanFirst + 1]rune, rare map[rune]rune) {
	for i := range table {
		table[i] = hanFirst + rune(i)
	}
	rare = map[rune]rune{}
	for line := range strings.Lines(simplifiedText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, pair := range strings.Fields(line) {
			from, size := utf8.DecodeRuneInString(pair)
			to, _ := utf8.DecodeRuneInString(pair[size:])
			if from >= hanFirst && from <= hanLast {
				table[from-hanFirst] = to
			} else {
				rare[from] = to
			}
		}
	}
	return table, rare
}

// simplify returns the simplified form of a traditional character, and every other
// one as it is.
func simplify(r rune) rune {
	if r >= hanFirst && r <= hanLast {
		return simplified[r-hanFirst]
	}
	if r > 0x1ffff {
		if to, there := simplifiedRare[r]; there {
			return to
		}
	}
	return r
}
