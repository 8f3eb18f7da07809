package meili

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meilisearch/meilisearch-go"

	"taihu/indexer"
)

// What a search text asks for is put to the server in two parts. Words go into
// its query, where it ranks and forgives typos. What must hold exactly goes into
// filters on keys and grams (document.go): its own grammar of "phrases" and -minus
// would follow its own cutting of Chinese, where -"公交线" also excludes 公交 线
// or finds nothing of 公交线路, and would let pinyin count as words.

// conditions are the filters that hold for every query of a text: keys, minus,
// and the range of publication.
func conditions(a *indexer.Asked) []string {
	var all []string
	for _, k := range a.Keys {
		all = append(all, is("keys", k))
	}
	for _, list := range a.NotKeys {
		var each []string
		for _, k := range list {
			each = append(each, is("keys", k))
		}
		all = append(all, none(each))
	}
	for _, t := range a.Not {
		all = append(all, none(exactly(parts(t))))
	}
	if !a.UpdatedFrom.IsZero() {
		all = append(all, "updated_at >= "+strconv.FormatInt(a.UpdatedFrom.UnixMicro(), 10))
	}
	if !a.UpdatedTo.IsZero() {
		all = append(all, "updated_at < "+strconv.FormatInt(a.UpdatedTo.UnixMicro(), 10))
	}
	return all
}

// parts are the words and runs of a term, more than one where it is a phrase.
func parts(t indexer.Term) []indexer.Term {
	if len(t.Phrase) > 0 {
		return t.Phrase
	}
	return []indexer.Term{t}
}

// exactly are the filters that a document passes which has parts one behind the
// other. A run of more than three characters is there if all three neighbours of
// it are, a longer phrase if all its joints are.
func exactly(parts []indexer.Term) []string {
	var all []string
	for i, p := range parts {
		switch {
		case !p.Run:
			all = append(all, is("keys", wordKey(p.Text)))
		case utf8.RuneCountInString(p.Text) <= maxGram:
			all = append(all, is("grams", p.Text))
		default:
			eachGram(p.Text, maxGram, func(gram string) { all = append(all, is("grams", gram)) })
		}
		if i == 0 {
			continue
		}
		before := parts[i-1]
		apart := is("keys", joint(before.Text, before.Run, p.Text, p.Run))
		if before.Run && p.Run { // "停车 场" is 停车场 too
			apart = "(" + apart + " OR " + is("grams", lastCharacter(before.Text)+firstCharacter(p.Text)) + ")"
		}
		all = append(all, apart)
	}
	return all
}

func is(field, value string) string {
	// Values are words of a folded text and codes, which have no quotes.
	return field + ` = "` + strings.Map(func(r rune) rune {
		if r == '"' || r == '\\' {
			return ' '
		}
		return r
	}, value) + `"`
}

func none(all []string) string { return "NOT (" + strings.Join(all, " AND ") + ")" }

// wording is the query for terms, and the filters for the phrases among them. The
// server reads its last word as the beginning of one, unless a space follows.
func wording(terms []indexer.Term) (words string, filters []string) {
	var list []string
	beginning := ""
	for _, t := range terms {
		if len(t.Phrase) > 0 {
			filters = append(filters, exactly(t.Phrase)...)
		}
		for _, p := range parts(t) {
			if t.Prefix {
				beginning = p.Text
				continue
			}
			list = append(list, p.Text)
		}
	}
	if len(terms) == 0 {
		return "", nil
	}
	return strings.Join(append(list, beginning), " "), filters
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
