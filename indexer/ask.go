package indexer

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Asked is a search text taken apart, as both engines read it:
//
//	停车场 泊位        both must be there
//	"停车 场"          exactly so, one behind the other
//	-医院              must not be there
//	org:交通           conditions on a part of the dataset: KeyFields
//	updated:>=2026-03  on when it was published last: <, <=, >, >=, or within
//
// What is no condition is searched as it stands, so that no text is an error.
type Asked struct {
	Terms []Term // every one must be in a document
	Not   []Term // none may be
	Keys  []string
	// NotKeys are conditions turned round. Each entry is a list: a document that
	// has all keys of one is left out.
	NotKeys [][]string
	// UpdatedFrom ≤ Document.Updated < UpdatedTo; zero where there is no bound.
	UpdatedFrom, UpdatedTo time.Time
}

// Empty reports whether nothing is asked for that a document could have or lack.
func (a *Asked) Empty() bool {
	return len(a.Terms) == 0 && len(a.Not) == 0 && len(a.Keys) == 0 && len(a.NotKeys) == 0 && a.UpdatedFrom.IsZero() && a.UpdatedTo.IsZero()
}

// KeyFields are the parts that a condition can name, each with what else it is
// called, and the values a document has there.
var KeyFields = []struct {
	Name  string
	Alias []string
	Texts func(d *Document) []string
}{
	{"org", []string{"organization", "机构", "部门"}, func(d *Document) []string { return append(slices.Clone(d.Organizations), d.PathNames...) }},
	{"column", []string{"columns", "列", "字段"}, func(d *Document) []string { return d.Columns }},
	{"format", []string{"格式"}, func(d *Document) []string { return d.Formats }},
	{"theme", []string{"领域", "主题"}, func(d *Document) []string { return append(slices.Clone(d.Themes), d.ThemeNames...) }},
	{"keyword", []string{"tag", "关键词", "标签"}, func(d *Document) []string { return d.Keywords }},
	{"year", []string{"年份"}, func(d *Document) []string { return d.FacetValues("year") }},
}

var updatedNames = []string{"updated", "更新"}

// Ask takes a search text apart.
func Ask(text string) Asked {
	var a Asked
	items := cutItems(norm.NFC.String(text))
	for i, item := range items {
		a.take(item, i == len(items)-1)
	}
	if kept := slices.DeleteFunc(slices.Clone(a.Terms), isFiller); len(kept) > 0 {
		a.Terms = kept
	}
	return a
}

// fillers are English words that say nothing alone: where others stand beside them
// no document has to have them. A phrase keeps them.
var fillers = strings.Fields("a an the of in on at by for from to and or with is are was were how much many does do what which who where when")

func isFiller(t Term) bool { return !t.Run && len(t.Phrase) == 0 && slices.Contains(fillers, t.Text) }

// item is one stretch of a search text between spaces.
type item struct {
	not, quoted bool
	field       string // a name of KeyFields, "updated", or empty
	text        string
}

func (a *Asked) take(it item, last bool) {
	switch {
	case it.field == "updated":
		if from, to, ok := readRange(it.text); ok && !it.not {
			a.UpdatedFrom, a.UpdatedTo = later(a.UpdatedFrom, from), earlier(a.UpdatedTo, to)
			return
		}
		it.text = "updated " + it.text
	case it.field != "":
		keys := askedKeys(it.field, it.text)
		if it.not && len(keys) > 0 {
			a.NotKeys = append(a.NotKeys, keys)
		} else {
			a.Keys = appendNew(a.Keys, keys...)
		}
		return
	}
	var terms []Term
	Tokens(Fold(it.text), func(t Token) { terms = append(terms, Term{Text: t.Text, Run: t.Run}) })
	if it.quoted && len(terms) > 0 {
		terms = []Term{{Phrase: terms}}
	} else if n := len(terms); last && !it.not && n > 0 && !terms[n-1].Run {
		terms[n-1].Prefix = true
	}
	if it.not {
		if len(terms) > 1 { // one thing, not each of its parts
			terms = []Term{{Phrase: terms}}
		}
		a.Not = append(a.Not, terms...)
		a.Not = a.Not[:min(len(a.Not), MaxTerms)]
		return
	}
	for _, t := range terms {
		same := slices.IndexFunc(a.Terms, func(o Term) bool { return len(o.Phrase) == 0 && len(t.Phrase) == 0 && o.Text == t.Text })
		switch {
		case same >= 0:
			a.Terms[same].Prefix = a.Terms[same].Prefix || t.Prefix
		case len(a.Terms) < MaxTerms:
			a.Terms = append(a.Terms, t)
		}
	}
}

var quotes = map[rune]rune{'"': '"', '“': '”', '”': '”', '＂': '＂', '「': '」', '《': '》'}

// cutItems cuts a text at its spaces, but not within quotes.
func cutItems(text string) []item {
	var items []item
	for {
		text = strings.TrimLeftFunc(text, isSpace)
		if text == "" {
			return items
		}
		var it item
		if rest, ok := strings.CutPrefix(text, "-"); ok {
			if r, _ := utf8.DecodeRuneInString(rest); rest != "" && !isSpace(r) && r != '-' {
				it.not, text = true, rest
			}
		}
		it.field, text = cutField(text)
		r, size := utf8.DecodeRuneInString(text)
		if closing, ok := quotes[r]; ok {
			if end := strings.IndexRune(text[size:], closing); end > 0 {
				it.text, it.quoted = text[size:size+end], true
				text = text[size+end+utf8.RuneLen(closing):]
				items = append(items, it)
				continue
			}
		}
		end := strings.IndexFunc(text, isSpace)
		if end < 0 {
			end = len(text)
		}
		it.text, text = text[:end], text[end:]
		items = append(items, it)
	}
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// cutField takes a known name and a colon from the beginning of text.
func cutField(text string) (field, rest string) {
	at := strings.IndexAny(text, ":：")
	if at <= 0 {
		return "", text
	}
	name := Fold(text[:at])
	_, size := utf8.DecodeRuneInString(text[at:])
	rest = text[at+size:]
	if r, _ := utf8.DecodeRuneInString(rest); rest == "" || isSpace(r) {
		return "", text
	}
	if slices.Contains(updatedNames, name) {
		return "updated", rest
	}
	for _, f := range KeyFields {
		if f.Name == name || slices.Contains(f.Alias, name) {
			return f.Name, rest
		}
	}
	return "", text
}

// keyGram is the longest part of a run of characters that is a key.
const keyGram = 3

// DocumentKeys are the keys of d, each once: field, colon and a word or one to
// three neighbouring characters of what stands there.
func DocumentKeys(d *Document) []string {
	var keys []string
	seen := map[string]bool{}
	for _, f := range KeyFields {
		for _, text := range f.Texts(d) {
			Tokens(Fold(text), func(t Token) {
				if !t.Run {
					addKey(&keys, seen, f.Name+":"+cutKey(t.Text))
					return
				}
				EachGram(t.Text, 1, keyGram, func(gram string) { addKey(&keys, seen, f.Name+":"+gram) })
			})
		}
	}
	return keys
}

func addKey(keys *[]string, seen map[string]bool, key string) {
	if !seen[key] {
		seen[key] = true
		*keys = append(*keys, key)
	}
}

// askedKeys are the keys a document must have to fulfil a condition.
func askedKeys(field, text string) []string {
	var keys []string
	Tokens(Fold(text), func(t Token) {
		switch n := utf8.RuneCountInString(t.Text); {
		case !t.Run:
			keys = appendNew(keys, field+":"+cutKey(t.Text))
		case n <= keyGram:
			keys = appendNew(keys, field+":"+t.Text)
		default:
			EachGram(t.Text, keyGram, keyGram, func(gram string) { keys = appendNew(keys, field+":"+gram) })
		}
	})
	return keys[:min(len(keys), 4*MaxTerms)]
}

// cutKey bounds a key, in bytes.
func cutKey(word string) string {
	if len(word) > 64 {
		word = strings.ToValidUTF8(word[:64], "")
	}
	return word
}

// EachGram calls f with every from to to neighbouring characters of a run.
func EachGram(run string, from, to int, f func(gram string)) {
	var few [64]int
	starts := few[:0]
	for i := range run {
		starts = append(starts, i)
	}
	n := len(starts)
	starts = append(starts, len(run))
	for i := range n {
		for length := from; length <= to && i+length <= n; length++ {
			f(run[starts[i]:starts[i+length]])
		}
	}
}

// readRange reads what follows updated: as a range of time, in +08:00.
func readRange(text string) (from, to time.Time, ok bool) {
	text = Fold(text)
	sign := text[:len(text)-len(strings.TrimLeft(text, "<>="))]
	day := text[len(sign):]
	var start, end time.Time
	for _, form := range []struct {
		layout     string
		y, m, d, n int
	}{{"2006", 1, 0, 0, 4}, {"2006-01", 0, 1, 0, 7}, {"2006-01-02", 0, 0, 1, 10}} {
		if t, err := time.ParseInLocation(form.layout, day, chinaTime); err == nil && len(day) == form.n {
			start, end, ok = t, t.AddDate(form.y, form.m, form.d), true
		}
	}
	if !ok {
		return from, to, false
	}
	switch sign {
	case "", "=":
		return start, end, true
	case ">":
		return end, to, true
	case ">=":
		return start, to, true
	case "<":
		return from, start, true
	case "<=":
		return from, end, true
	}
	return from, to, false
}

func later(a, b time.Time) time.Time {
	if a.IsZero() || b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
