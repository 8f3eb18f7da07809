package indexer

import "strings"

// Synonyms are groups of words that stand for each other: 停车场, 泊车, car park.
type Synonyms [][]string

// Expand gives each term that is a word of a group, and each stretch of terms
// that is one of several words, what the group has beside it.
func (s Synonyms) Expand(terms []Term) []Term {
	for _, group := range s {
		for i, word := range group {
			found := Ask(word).Terms
			if len(found) == 0 {
				continue
			}
			for at := 0; at+len(found) <= len(terms); at++ {
				if !sameTerms(terms[at:at+len(found)], found) {
					continue
				}
				for j, other := range group {
					if alternative := Ask(other).Terms; j != i && len(alternative) > 0 {
						for k := range alternative {
							alternative[k].Prefix = false
						}
						for k := range found { // each of its words may be missing then
							terms[at+k].Or = append(terms[at+k].Or, alternative)
						}
					}
				}
			}
		}
	}
	return terms
}

func sameTerms(a, b []Term) bool {
	for i := range a {
		if a[i].Text != b[i].Text || len(a[i].Phrase) > 0 || len(b[i].Phrase) > 0 {
			return false
		}
	}
	return true
}

// ReadSynonyms reads one group a line, words separated by commas of either width;
// lines that begin with # and groups of one word are passed over.
func ReadSynonyms(text string) Synonyms {
	var s Synonyms
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		var group []string
		for _, w := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == '，' || r == '、' || r == '\n' || r == '\r' }) {
			group = appendNew(group, clean(w))
		}
		if len(group) > 1 {
			s = append(s, group)
		}
	}
	return s
}
