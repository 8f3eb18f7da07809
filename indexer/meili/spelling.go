package meili

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/meilisearch/meilisearch-go"

	"taihu/indexer"
)

// The server forgives letters that are wrong but does not say which word it took
// instead; only its marks in a hit do.

// leastTypoWord is the shortest word in which the server forgives a letter, and
// maxTypos how many it forgives in a long one (settings.go).
const (
	leastTypoWord = 5
	maxTypos      = 2
)

// spelling is text with each word put right that no document has. Hits with the
// word as it was typed come first, so it is enough to look at the first page.
func (s searcher) spelling(ctx context.Context, text string, terms []indexer.Term, found []foundDocument) (string, error) {
	right := text
	for _, t := range terms {
		if t.Run || len(t.Phrase) > 0 || utf8.RuneCountInString(t.Text) < leastTypoWord {
			continue
		}
		other := otherSpelling(t, found)
		if other == "" {
			continue
		}
		there, err := s.has(ctx, t.Text)
		if err != nil {
			return "", err
		}
		if !there {
			right = putRight(right, t.Text, other)
		}
	}
	if right == text {
		return "", nil
	}
	return right, nil
}

// has reports whether a document has the word as it is.
func (s searcher) has(ctx context.Context, word string) (bool, error) {
	answer, err := s.x.server.MultiSearchWithContext(ctx, &meilisearch.MultiSearchRequest{Queries: []*meilisearch.SearchRequest{
		{IndexUID: s.uid, Filter: is(wordKey(word)), AttributesToRetrieve: []string{"id"}, Limit: 1},
	}})
	if err != nil {
		return false, s.x.failed("look for a word", err)
	}
	return len(answer.Results) == 1 && answer.Results[0].EstimatedTotalHits > 0, nil
}

// otherSpelling is the word nearest to t among those marked; empty where a hit has
// t itself.
func otherSpelling(t indexer.Term, found []foundDocument) string {
	best, least := "", maxTypos+1
	for i := range found {
		for text, spans := range found[i].marks {
			indexer.Tokens(indexer.Fold(text), func(word indexer.Token) {
				if word.Run || !marked(spans, word) {
					return
				}
				d := typos(t.Text, word.Text)
				if t.Prefix && strings.HasPrefix(word.Text, t.Text) {
					d = 0
				}
				if d < least || d == least && word.Text < best {
					best, least = word.Text, d
				}
			})
		}
	}
	if least == 0 {
		return ""
	}
	return best
}

// marked reports whether a word begins in a marked stretch. Folding can move it by
// some bytes; a word beside the marked one is too unlike to be taken for it.
func marked(spans []indexer.Span, word indexer.Token) bool {
	for _, s := range spans {
		if word.Start >= s.Start && word.Start < s.End {
			return true
		}
	}
	return false
}

var unspaced = regexp.MustCompile(`\S+`)

// putRight replaces a folded word in text, and leaves the rest as it was typed.
func putRight(text, word, other string) string {
	return unspaced.ReplaceAllStringFunc(text, func(part string) string {
		folded := indexer.Fold(part)
		if !strings.Contains(folded, word) {
			return part
		}
		return strings.ReplaceAll(folded, word, other)
	})
}

// typos is how many letters are wrong, missing, too many or exchanged with their
// neighbour between two words, as the server counts them.
func typos(a, b string) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d > maxTypos || -d > maxTypos {
		return maxTypos + 1
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			wrong := 1
			if x[i-1] == y[j-1] {
				wrong = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+wrong)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
