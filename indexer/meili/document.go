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
	Columns       []string `json:"columns"`
	PublisherZh   string   `json:"publisher_zh"`
	PublisherEn   string   `json:"publisher_en"`
	ThemeNames    []string `json:"theme_names"`
	Grams         []string `json:"grams"`

	Organization []string `json:"organization"`
	Theme        []string `json:"theme"`
	Format       []string `json:"format"`
	Open         []string `json:"open"`
	Month        []string `json:"updated"`
	Frequency    []string `json:"frequency"`
	Year         []string `json:"year"`

	Updated int64  `json:"updated_at"` // microseconds since 1970
	Rows    int64  `json:"rows"`
	SortZh  string `json:"sort_zh"`
	SortEn  string `json:"sort_en"`
	Version int64  `json:"version"`
	Digest  string `json:"digest"`
}

func newDocument(d *indexer.Document) document {
	return document{
		ID: d.ID, Slug: d.Slug,
		TitleZh: unmarked(d.Title.Zh), TitleEn: unmarked(d.Title.En),
		DescriptionZh: unmarked(d.Description.Zh), DescriptionEn: unmarked(d.Description.En),
		Identifiers: append(unmarkedAll(d.Identifiers), d.Slug), Keywords: unmarkedAll(d.Keywords), Columns: unmarkedAll(d.Columns),
		PublisherZh: unmarked(d.Publisher.Zh), PublisherEn: unmarked(d.Publisher.En), ThemeNames: unmarkedAll(d.ThemeNames),
		Grams:        grams(d),
		Organization: d.FacetValues("organization"), Theme: d.FacetValues("theme"), Format: d.FacetValues("format"),
		Open: d.FacetValues("open"), Frequency: d.FacetValues("frequency"), Year: d.FacetValues("year"),
		Updated: d.Updated.UnixMicro(), Rows: d.Rows, Version: d.Version, Digest: d.Digest(), Month: d.FacetValues("updated"),
		SortZh: hex.EncodeToString([]byte(indexer.SortKey(d.Title.In("zh")))),
		SortEn: hex.EncodeToString([]byte(indexer.SortKey(d.Title.In("en")))),
	}
}

// maxGram is the longest part of a word that is written out.
const maxGram = 3

// grams writes out every character and every two and three neighbours of the
// Chinese texts, each once. The server cuts Chinese by a dictionary and finds
// whole words only; here it finds their parts. Words whose folded form is another
// (full width) are here too: the server does not cut ＡＢＣ—Ｄ１２３ where we do.
// They are a list, whose parts the server holds far apart: as one text it would
// keep the distance of every two of them, which takes ten times as long.
func grams(d *indexer.Document) []string {
	out := []string{}
	seen := map[string]bool{}
	add := func(gram string) {
		if !seen[gram] {
			seen[gram] = true
			out = append(out, gram)
		}
	}
	for _, f := range indexer.Fields {
		for _, text := range f.Texts(d) {
			folded := indexer.Fold(text)
			refolded := folded != strings.ToLower(text)
			indexer.Tokens(folded, func(t indexer.Token) {
				if t.Run {
					addRun(t.Text, add)
				} else if refolded {
					add(t.Text)
				}
			})
		}
	}
	return out
}

func addRun(run string, add func(string)) {
	runes := []rune(run)
	for i := range runes {
		for n := 1; n <= maxGram && i+n <= len(runes); n++ {
			add(string(runes[i : i+n]))
		}
	}
}

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
