package meili

import (
	"strconv"
	"strings"

	"github.com/meilisearch/meilisearch-go"

	"taihu/indexer"
)

// What a search text asks for is put to the server in two parts. Words go into its
// query, where they rank and typos are forgiven; so do the runs of characters of
// phrases and minus, cut into grams and in quotes, for only the field of grams
// (document.go) does not follow the server's own cutting of Chinese. Letters that
// must or must not be there exactly, and conditions, are filters on keys: in its
// own grammar a minus would also take pinyin for a word, and a phrase end at a
// full stop.

// conditions are the filters that hold for every query of a text: keys, minus of
// words, and the range of publication.
func conditions(a *indexer.Asked) []string {
	var all []string
	for _, k := range a.Keys {
		all = append(all, is(k))
	}
	for _, list := range a.NotKeys {
		all = append(all, none(list))
	}
	for _, t := range a.Not {
		if keys, runs := exactly(t); len(runs) == 0 {
			all = append(all, none(keys))
		}
	}
	if !a.UpdatedFrom.IsZero() {
		all = append(all, "updated_at >= "+strconv.FormatInt(a.UpdatedFrom.UnixMicro(), 10))
	}
	if !a.UpdatedTo.IsZero() {
		all = append(all, "updated_at < "+strconv.FormatInt(a.UpdatedTo.UnixMicro(), 10))
	}
	return all
}

// minus are the runs that must not be there, in the server's grammar. Of more than
// three characters, or beside letters, it goes by the server's cutting.
func minus(a *indexer.Asked) string {
	var b strings.Builder
	for _, t := range a.Not {
		if _, runs := exactly(t); len(runs) > 0 {
			b.WriteString(`-"` + indexer.WordsOf([]indexer.Term{t}) + `" `)
		}
	}
	return b.String()
}

// exactly is what a term consists of: keys of its words and of the joints between
// its parts, and its runs. Two runs with a sign between are one: "停车 场" is 停车场.
func exactly(t indexer.Term) (keys, runs []string) {
	var before indexer.Term
	for i, p := range parts(t) {
		if i > 0 && p.Run && before.Run {
			runs[len(runs)-1] += p.Text
			before = p
			continue
		}
		if p.Run {
			runs = append(runs, p.Text)
		} else {
			keys = append(keys, wordKey(p.Text))
		}
		if i > 0 {
			keys = append(keys, joint(before.Text, before.Run, p.Text, p.Run))
		}
		before = p
	}
	return keys, runs
}

// parts are the words and runs of a term, more than one where it is a phrase.
func parts(t indexer.Term) []indexer.Term {
	if len(t.Phrase) > 0 {
		return t.Phrase
	}
	return []indexer.Term{t}
}

func is(key string) string {
	// Keys are words of a folded text, which have no quotes.
	return `keys = "` + strings.Map(func(r rune) rune {
		if r == '"' || r == '\\' {
			return ' '
		}
		return r
	}, key) + `"`
}

func none(keys []string) string {
	var each []string
	for _, k := range keys {
		each = append(each, is(k))
	}
	return "NOT (" + strings.Join(each, " AND ") + ")"
}

// wording is the query for terms, and the filters for the phrases among them. The
// server reads its last word as the beginning of one, unless a space follows.
func wording(terms []indexer.Term) (words string, filters []string) {
	if len(terms) == 0 {
		return "", nil
	}
	var list []string
	beginning := ""
	for _, t := range terms {
		switch {
		case len(t.Phrase) > 0:
			keys, runs := exactly(t)
			for _, k := range keys {
				filters = append(filters, is(k))
			}
			for _, p := range t.Phrase {
				if !p.Run {
					list = append(list, p.Text)
				}
			}
			for _, r := range runs {
				list = append(list, quoted(r)...)
			}
		case t.Prefix:
			beginning = t.Text
		default:
			list = append(list, t.Text)
		}
	}
	return strings.Join(append(list, beginning), " "), filters
}

// quoted are the grams of a run, each overlapping the next by one character, since
// the server takes ten of them at most.
func quoted(run string) []string {
	runes := []rune(run)
	var list []string
	for at := 0; ; at += maxGram - 1 {
		end := min(at+maxGram, len(runes))
		list = append(list, `"`+string(runes[max(0, end-maxGram):end])+`"`)
		if end == len(runes) {
			return list
		}
	}
}

// combinations are the selections of terms that are tried where some of them are
// enough, those with most terms first. From six terms on only all, all but one,
// each two and each alone are.
func combinations(terms []indexer.Term) [][]indexer.Term {
	n := len(terms)
	var all [][]indexer.Term
	for size := n; size > 0; size-- {
		if n > 5 && size < n-1 && size > 2 {
			continue
		}
		for chosen := range 1 << n {
			var list []indexer.Term
			for i, t := range terms {
				if chosen>>i&1 == 1 {
					list = append(list, t)
				}
			}
			if len(list) == size {
				all = append(all, list)
			}
		}
	}
	return all
}

// perTerm is by how much a hit with one more term is worth more. The server's own
// scores lie between 0 and 1.
const perTerm = 1000

func weight(terms int) *meilisearch.SearchFederationOptions {
	w := 1.0
	for range terms - 1 {
		w *= perTerm
	}
	return &meilisearch.SearchFederationOptions{Weight: w}
}
