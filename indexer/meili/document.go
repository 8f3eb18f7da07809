package meili

import (
	"encoding/hex"
	"strings"

	"taihu/indexer"
)

// document is the form in which the server keeps an indexer.Document: flat, with
// the facets under the names of indexer.Facets.
type document struct {
	ID            string   `json:"id"`
	Slug          string   `json:"slug"`
	TitleZh       string   `json:"title_zh"`
	TitleEn       string   `json:"title_en"`
	DescriptionZh string   `json:"description_zh"`
	DescriptionEn string   `json:"description_en"`
	Identifiers   []string `json:"identifiers"`
	Keywords      []string `json:"keywords"`
	Pinyin        []string `json:"pinyin"`
	Columns       []string `json:"columns"`
	PublisherZh   string   `json:"publisher_zh"`
	PublisherEn   string   `json:"publisher_en"`
	ThemeNames    []string `json:"theme_names"`
	Values        []string `json:"values"`
	PathNames     []string `json:"path_names"`
	Notes         []string `json:"notes"`
	TitleGrams    []string `json:"title_grams"`
	Grams         []string `json:"grams"`
	Keys          []string `json:"keys"`

	Organization []string `json:"organization"`
	Theme        []string `json:"theme"`
	Format       []string `json:"format"`
	Open         []string `json:"open"`
	Month        []string `json:"updated"`
	Frequency    []string `json:"frequency"`
	Year         []string `json:"year"`

	SuggestOrganization []string `json:"suggest_organization"`
	SuggestColumn       []string `json:"suggest_column"`
	SuggestValue        []string `json:"suggest_value"`

	Updated   int64   `json:"updated_at"` // microseconds since 1970
	Rows      int64   `json:"rows"`
	Size      int64   `json:"size"`
	Downloads int64   `json:"downloads"`
	Boost     float64 `json:"boost"`
	SortZh    string  `json:"sort_zh"`
	SortEn    string  `json:"sort_en"`
	Version   int64   `json:"version"`
	Digest    string  `json:"digest"`
}

func newDocument(d *indexer.Document) document {
	titles := []string{d.Title.Zh, d.Title.En}
	return document{
		ID: d.ID, Slug: d.Slug,
		TitleZh: unmarked(d.Title.Zh), TitleEn: unmarked(d.Title.En),
		DescriptionZh: unmarked(d.Description.Zh), DescriptionEn: unmarked(d.Description.En),
		Identifiers: append(unmarkedAll(d.Identifiers), d.Slug), Keywords: unmarkedAll(d.Keywords), Columns: unmarkedAll(d.Columns),
		PublisherZh: unmarked(d.Publisher.Zh), PublisherEn: unmarked(d.Publisher.En), ThemeNames: unmarkedAll(d.ThemeNames),
		Values: unmarkedAll(d.Values), PathNames: unmarkedAll(d.PathNames), Notes: unmarkedAll(d.Notes),
		Pinyin: indexer.PinyinWords(indexer.PinyinTexts(d)), TitleGrams: grams(titles), Grams: grams(allTexts(d)), Keys: keys(d),
		Organization: d.FacetValues("organization"), Theme: d.FacetValues("theme"), Format: d.FacetValues("format"),
		Open: d.FacetValues("open"), Frequency: d.FacetValues("frequency"), Year: d.FacetValues("year"), Month: d.FacetValues("updated"),
		SuggestOrganization: organizationEntries(d), SuggestColumn: entries(d.Columns, beginnings), SuggestValue: entries(d.Values, valueBeginnings),
		Updated: d.Updated.UnixMicro(), Rows: d.Rows, Size: d.Cells, Downloads: d.Downloads, Boost: d.Boost(),
		Version: d.Version, Digest: d.Digest(),
		SortZh: hex.EncodeToString([]byte(indexer.SortKey(d.Title.In("zh")))),
		SortEn: hex.EncodeToString([]byte(indexer.SortKey(d.Title.In("en")))),
	}
}

func allTexts(d *indexer.Document) []string {
	var texts []string
	for _, f := range indexer.Fields {
		texts = append(texts, f.Texts(d)...)
	}
	return texts
}

// maxGram is the longest part of a word that is written out.
const maxGram = 3

// set is a list of strings, each once.
type set struct {
	list []string
	seen map[string]bool
}

func newSet() *set { return &set{[]string{}, map[string]bool{}} }

func (s *set) add(v string) {
	if !s.seen[v] {
		s.seen[v] = true
		s.list = append(s.list, v)
	}
}

// grams writes out every character and every two and three neighbours of the
// Chinese texts, each once. The server cuts Chinese by a dictionary and finds
// whole words only; here it finds their parts. Words that the server cuts where
// we do not (full width ＡＢＣ—Ｄ１２３, camelCase) are here too.
// They are a list, whose parts the server holds far apart: as one text it would
// keep the distance of every two of them, which takes ten times as long.
func grams(texts []string) []string {
	out := newSet()
	for _, text := range texts {
		folded, lower := indexer.Fold(text), strings.ToLower(text)
		odd := folded != lower || mixedCase(text)
		indexer.Tokens(folded, func(t indexer.Token) {
			if t.Run {
				indexer.EachGram(t.Text, 1, maxGram, out.add)
			} else if odd {
				out.add(t.Text)
			}
		})
	}
	return out.list
}

// mixedCase reports whether a capital follows a small letter somewhere.
func mixedCase(s string) bool {
	for i := 1; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' && s[i-1] >= 'a' && s[i-1] <= 'z' {
			return true
		}
	}
	return false
}

// keys are what a document can be filtered by exactly: the conditions it fulfils
// (indexer.DocumentKeys, which have a colon), the words it has, and which two of
// its words or characters stand one behind the other with a sign between
// (joints, which have a space).
func keys(d *indexer.Document) []string {
	out := newSet()
	for _, key := range indexer.DocumentKeys(d) {
		out.add(key)
	}
	for _, text := range allTexts(d) {
		var before *indexer.Token
		indexer.Tokens(indexer.Fold(text), func(t indexer.Token) {
			if !t.Run {
				out.add(wordKey(t.Text))
			}
			if before != nil {
				out.add(joint(before.Text, before.Run, t.Text, t.Run))
			}
			before = &t
		})
	}
	return out.list
}

// wordKey bounds a word, in bytes: the server cuts off longer keys.
func wordKey(word string) string {
	if len(word) > 64 {
		word = strings.ToValidUTF8(word[:64], "")
	}
	return word
}

func joint(a string, aRun bool, b string, bRun bool) string {
	if aRun {
		a = lastCharacter(a)
	}
	if bRun {
		b = firstCharacter(b)
	}
	return wordKey(a) + " " + wordKey(b)
}

func firstCharacter(s string) string { return string([]rune(s)[0]) }

func lastCharacter(s string) string { r := []rune(s); return string(r[len(r)-1]) }

// The server's marks around a match: control characters, which no document has.
const (
	markStart = "\u0001"
	markEnd   = "\u0002"
)

var noMarks = strings.NewReplacer(markStart, " ", markEnd, " ")

func unmarked(s string) string { return noMarks.Replace(s) }

func unmarkedAll(list []string) []string {
	out := make([]string, 0, len(list)+1)
	for _, s := range list {
		out = append(out, unmarked(s))
	}
	return out
}

// cutMarks takes the marks out of a text and returns where they stood.
func cutMarks(marked string) (string, []indexer.Span) {
	if !strings.Contains(marked, markStart) {
		return strings.ReplaceAll(marked, markEnd, ""), nil
	}
	var b strings.Builder
	var spans []indexer.Span
	start := -1
	for _, r := range marked {
		switch string(r) {
		case markStart:
			start = b.Len()
		case markEnd:
			if start >= 0 && start < b.Len() {
				spans = append(spans, indexer.Span{Start: start, End: b.Len()})
			}
			start = -1
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), spans
}
