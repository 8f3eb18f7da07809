package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"taihu/catalog"
	"taihu/indexer"
)

// facetView is a facet beside the results: values to choose, or pictures of them.
type facetView struct {
	Name string
	facetLevel
	Charts []histogram
}

// facetLevel is what of a list of values is shown, and what lies folded below it.
type facetLevel struct {
	Values, More []facetValue
}

type facetValue struct {
	Words, Href string
	Count       int
	Chosen      bool
	Below       facetLevel // those that are part of it, where it is opened
}

// histogram is a row of bars, each a link that narrows the search.
type histogram struct {
	Name string
	Bars []histogramBar
}

// histogramBar is drawn in a slot of its own, all in one of histogramWidth.
type histogramBar struct {
	Words, Href         string // Href is empty where there is nothing to find
	Chosen              bool
	Slot, SlotWidth     string
	X, Y, Width, Height string
	Label, LabelX       string
}

// Bounds of what is shown of a facet.
const (
	facetValues = 8
	facetMore   = 200
	facetDepth  = 8

	histogramWidth  = 240
	histogramHeight = 56 // without the labels
	histogramYears  = 40 // the newest
	labelWidth      = 30 // of a year
)

var facetNames = map[string]catalog.Text{
	"organization": {Zh: "发布机构", En: "Publisher"}, "theme": {Zh: "领域", En: "Theme"}, "format": {Zh: "格式", En: "Format"},
	"open": {Zh: "开放属性", En: "Access"}, "frequency": {Zh: "更新频率", En: "Update frequency"}, "year": {Zh: "数据年份", En: "Year of data"},
	"updated": {Zh: "发布时间", En: "Last published"},
}

// facetOrder is the order on the page.
var facetOrder = []string{"theme", "organization", "updated", "open", "format", "frequency", "year"}

// facetWords is a facet value in words.
func facetWords(lang, facet, value string, tree *publisherTree) string {
	switch facet {
	case "organization":
		if o, ok := tree.bySlug[value]; ok {
			return o.Name.In(lang)
		}
	case "theme":
		return catalog.ThemeName(value).In(lang)
	case "open":
		if w := openWords(lang, catalog.OpenAttribute(value)); w != "" {
			return w
		}
	case "frequency":
		if w := frequencyWords(lang, catalog.Frequency(value)); w != "" {
			return w
		}
	case "format":
		if value == "parquet" {
			return "Parquet"
		}
		return strings.ToUpper(value)
	case "year":
		return phrase(lang, "%s年", "%s", value)
	case "updated":
		return proseDate(lang, value)
	}
	return value
}

// publisherTree knows which publishers lie below which.
type publisherTree struct {
	byID, bySlug map[string]catalog.Organization
}

func newPublisherTree(publishers map[string]catalog.Organization) *publisherTree {
	t := &publisherTree{byID: publishers, bySlug: map[string]catalog.Organization{}}
	for _, o := range publishers {
		t.bySlug[o.Slug] = o
	}
	return t
}

// above are the slugs of those above one, nearest first.
func (t *publisherTree) above(slug string) []string {
	var out []string
	for o := t.bySlug[slug]; o.ParentID != "" && len(out) < facetDepth; {
		o = t.byID[o.ParentID]
		out = append(out, o.Slug)
	}
	return out
}

// covers reports whether value whole of a facet counts what has value part: an
// organization those below it, a year its months.
func (t *publisherTree) covers(facet, whole, part string) bool {
	switch facet {
	case "organization":
		return slices.Contains(t.above(part), whole)
	case "updated":
		return strings.HasPrefix(part, whole+"-")
	}
	return false
}

// toggled adds or takes away one value of a facet and goes back to page 1. What the
// value covers, or is covered by, gives way to it: a person who goes down the tree
// narrows, and does not ask for the whole besides.
func (a asked) toggled(facet, value string, tree *publisherTree) string {
	return a.address(func(b *asked) {
		b.page = 1
		if i := slices.Index(b.filter[facet], value); i >= 0 {
			b.filter[facet] = slices.Delete(b.filter[facet], i, i+1)
			return
		}
		rest := slices.DeleteFunc(b.filter[facet], func(other string) bool {
			return tree.covers(facet, other, value) || tree.covers(facet, value, other)
		})
		b.filter[facet] = append(rest, value)
	})
}

func (s *Site) facets(v *searchPage, a asked, counted map[string][]indexer.FacetCount, publishers map[string]catalog.Organization, lang string) {
	tree := newPublisherTree(publishers)
	for _, name := range facetOrder {
		f := facetView{Name: facetNames[name].In(lang)}
		for _, value := range a.filter[name] {
			words := facetWords(lang, name, value, tree)
			v.Chosen = append(v.Chosen, link{Words: f.Name + phrase(lang, "：", ": ") + words, Href: href(lang, a.toggled(name, value, tree))})
		}
		value := func(n indexer.FacetCount) facetValue {
			return facetValue{Words: facetWords(lang, name, n.Value, tree), Href: href(lang, a.toggled(name, n.Value, tree)), Count: n.Count, Chosen: slices.Contains(a.filter[name], n.Value)}
		}
		switch name {
		case "organization":
			f.facetLevel = tree.level(counted[name], a.filter[name], value)
		case "updated":
			f.Charts = histograms(lang, a, counted[name], tree)
		default:
			var all []facetValue
			for _, n := range counted[name] {
				all = append(all, value(n))
			}
			f.facetLevel = levelOf(all)
		}
		if len(f.Values) > 0 || len(f.Charts) > 0 {
			v.Facets = append(v.Facets, f)
		}
	}
	if len(v.Chosen) > 0 {
		v.ClearAll = href(lang, a.address(func(b *asked) { b.filter, b.page = map[string][]string{}, 1 }))
	}
}

// levelOf shows the first values and those that are chosen or opened, and folds the
// rest.
func levelOf(all []facetValue) facetLevel {
	var l facetLevel
	for _, v := range all {
		on := v.Chosen || len(v.Below.Values) > 0
		switch {
		case !on && v.Count == 0:
		case on || len(l.Values) < facetValues:
			l.Values = append(l.Values, v)
		case len(l.More) < facetMore:
			l.More = append(l.More, v)
		}
	}
	return l
}

// level hangs counted organizations below each other. What is chosen and what lies
// above it is opened, and what is alone at its level.
func (t *publisherTree) level(counted []indexer.FacetCount, chosen []string, value func(indexer.FacetCount) facetValue) facetLevel {
	known, opened := map[string]bool{}, map[string]bool{}
	for _, n := range counted {
		if _, ok := t.bySlug[n.Value]; ok { // the index may be a moment behind
			known[n.Value] = true
		}
	}
	for _, slug := range chosen {
		opened[slug] = true
		for _, above := range t.above(slug) {
			opened[above] = true
		}
	}
	below := map[string][]indexer.FacetCount{} // by slug of what is above; empty: nothing
	for _, n := range counted {
		if !known[n.Value] {
			continue
		}
		parent := ""
		for _, above := range t.above(n.Value) {
			if known[above] {
				parent = above
				break
			}
		}
		below[parent] = append(below[parent], n)
	}
	var under func(parent string, depth int) facetLevel
	under = func(parent string, depth int) facetLevel {
		var all []facetValue
		for _, n := range below[parent] {
			v := value(n)
			if depth < facetDepth && (opened[n.Value] || len(below[parent]) == 1) {
				v.Below = under(n.Value, depth+1)
			}
			all = append(all, v)
		}
		return levelOf(all)
	}
	return under("", 0)
}

// histograms draw when datasets were published last: by years where there are
// several, and by the months of the one year that is chosen or alone.
func histograms(lang string, a asked, counted []indexer.FacetCount, tree *publisherTree) []histogram {
	counts := map[string]int{} // of months and of years
	first, last := 0, 0
	for _, n := range counted {
		year, err := strconv.Atoi(n.Value[:min(len(n.Value), 4)])
		if err != nil || n.Count == 0 {
			continue
		}
		counts[n.Value] += n.Count
		counts[strconv.Itoa(year)] += n.Count
		if last == 0 {
			first, last = year, year
		}
		first, last = min(first, year), max(last, year)
	}
	if last == 0 {
		return nil
	}
	var out []histogram
	var years, months []string
	for y := max(first, last-histogramYears+1); y <= last; y++ {
		years = append(years, strconv.Itoa(y))
	}
	if len(years) > 1 {
		out = append(out, draw(lang, phrase(lang, "各年发布的数据集", "Datasets by year of publication"), years, counts, a, tree))
	}
	year := ""
	for _, value := range a.filter["updated"] {
		y := value[:min(len(value), 4)]
		if year != "" && year != y { // months of two years are no picture
			return out
		}
		year = y
	}
	if len(years) == 1 {
		year = years[0]
	}
	if counts[year] == 0 {
		return out
	}
	for m := 1; m <= 12; m++ {
		months = append(months, fmt.Sprintf("%s-%02d", year, m))
	}
	return append(out, draw(lang, phrase(lang, "%s年各月发布的数据集", "Datasets by month, %s", year), months, counts, a, tree))
}

// draw makes a bar of each value, years or months of one year.
func draw(lang, name string, values []string, counts map[string]int, a asked, tree *publisherTree) histogram {
	h := histogram{Name: name}
	most := 1
	for _, v := range values {
		most = max(most, counts[v])
	}
	slot := float64(histogramWidth) / float64(len(values))
	for i, v := range values {
		n := counts[v]
		b := histogramBar{
			Words: proseDate(lang, v) + phrase(lang, "：%s个数据集", plural(n, ": %s dataset", ": %s datasets"), number(n)),
			Slot:  decimals(slot * float64(i)), SlotWidth: decimals(slot), X: decimals(slot*float64(i) + 1), Width: decimals(max(1, slot-2)), LabelX: decimals(slot * (float64(i) + 0.5)),
			Chosen: slices.ContainsFunc(a.filter["updated"], func(c string) bool { return c == v || tree.covers("updated", c, v) || tree.covers("updated", v, c) }),
		}
		if _, month, ok := strings.Cut(v, "-"); ok {
			b.Label = strings.TrimPrefix(month, "0")
		} else if each := int(labelWidth/slot) + 1; i%each == 0 {
			b.Label = v
		}
		if n > 0 {
			height := max(2, histogramHeight*float64(n)/float64(most))
			b.Y, b.Height, b.Href = decimals(histogramHeight-height), decimals(height), href(lang, a.toggled("updated", v, tree))
		}
		h.Bars = append(h.Bars, b)
	}
	return h
}
