package meili

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"taihu/indexer"
)

// What is suggested beside datasets is kept in documents as entries, which the
// server counts. An entry of a column or value begins with the key by which it is
// found: one for each word and each character at which typing may begin, in hex,
// since the server changes characters in entries and in what is typed unlike.
const (
	suggestOrganization = "suggest_organization"
	suggestColumn       = "suggest_column"
	suggestValue        = "suggest_value"

	entryCut     = "\u001f" // stands between the parts of an entry
	maxEntryKey  = 8        // characters of a key
	maxEntryText = 60       // characters of a column or value that is suggested
)

// organizationEntry is slug and names of d's organization.
func organizationEntry(d *indexer.Document) string {
	if d.Organization == "" {
		return ""
	}
	return d.Organization + entryCut + d.Publisher.Zh + entryCut + d.Publisher.En
}

// entries are the entries of texts, a key before each.
func entries(texts []string) []string {
	out := newSet()
	for _, text := range texts {
		if utf8.RuneCountInString(text) > maxEntryText {
			continue
		}
		for _, begin := range beginnings(text) {
			out.add(entryKey(begin) + entryCut + text)
		}
	}
	return out.list
}

func entryKey(typed string) string {
	if runes := []rune(typed); len(runes) > maxEntryKey {
		typed = string(runes[:maxEntryKey])
	}
	return hex.EncodeToString([]byte(typed))
}

// beginnings are the ends of a text, as typed reads one, from each word and each
// character of a run on.
func beginnings(text string) []string {
	whole := typed(text)
	var list []string
	indexer.Tokens(whole, func(t indexer.Token) {
		if !t.Run {
			list = append(list, whole[t.Start:])
			return
		}
		for i := range t.Text {
			list = append(list, whole[t.Start+i:])
		}
	})
	return list
}

// typed is the form in which what is typed and what is suggested meet: words and
// runs with one space between, no signs.
func typed(text string) string {
	var list []string
	indexer.Tokens(indexer.Fold(text), func(t indexer.Token) { list = append(list, t.Text) })
	return strings.Join(list, " ")
}
