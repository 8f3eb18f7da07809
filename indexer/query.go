package indexer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"taihu/catalog"
)

// The limits of a search. Both engines keep them.
const (
	MaxLimit       = 100
	DefaultLimit   = 20
	MaxOffset      = 10000 // of the last hit: Offset + Limit
	MaxFacetValues = 1000  // the most frequent values of a facet
	MaxText        = 1000  // bytes of Query.Text
)

// Normal checks q and returns it with defaults filled in: sort, limit, language.
// Invalid names the part that is wrong and what exists: unknown_facet,
// unknown_sort, bad_limit, bad_offset, query_too_long. A limit of 0 is the
// default; -1 asks for no hits, only counts.
func (q Query) Normal() (Query, error) {
	q.Text = strings.TrimSpace(strings.ToValidUTF8(q.Text, " "))
	if len(q.Text) > MaxText {
		return q, catalog.Errorf(catalog.Invalid, "query_too_long", "the search text has %d bytes; at most %d are taken", len(q.Text), MaxText).
			InChinese("检索词过长：最多%d字节", MaxText)
	}
	for facet := range q.Filter {
		if !slices.Contains(Facets, facet) {
			return q, catalog.Errorf(catalog.Invalid, "unknown_facet", "there is no facet %q; there are %s", facet, strings.Join(Facets, ", ")).
				With("facet", facet).With("facets", Facets).InChinese("没有名为“%s”的筛选项", facet)
		}
	}
	if q.Sort == "" {
		q.Sort = "relevance"
	}
	if !slices.Contains(Sorts, q.Sort) {
		return q, catalog.Errorf(catalog.Invalid, "unknown_sort", "there is no order %q; there are %s", q.Sort, strings.Join(Sorts, ", ")).
			With("sort", q.Sort).With("sorts", Sorts).InChinese("没有名为“%s”的排序", q.Sort)
	}
	if q.Sort == "relevance" && q.Text == "" {
		q.Sort = "-updated"
	}
	switch {
	case q.Limit == 0:
		q.Limit = DefaultLimit
	case q.Limit == -1:
		q.Limit = 0
	case q.Limit < 0 || q.Limit > MaxLimit:
		return q, catalog.Errorf(catalog.Invalid, "bad_limit", "limit is %d; it can be 1 to %d", q.Limit, MaxLimit).InChinese("每页条数须为1至%d", MaxLimit)
	}
	if q.Offset < 0 || q.Offset+q.Limit > MaxOffset {
		return q, catalog.Errorf(catalog.Invalid, "bad_offset", "a search shows its first %d datasets; narrow it to see others", MaxOffset).
			With("max", MaxOffset).InChinese("检索只显示前%d个数据集，请缩小范围", MaxOffset)
	}
	if q.Lang != "en" {
		q.Lang = "zh"
	}
	return q, nil
}

// FacetValues returns d's values of a facet. The organization facet has the
// whole path, so that an organization counts and finds what is below it.
func (d *Document) FacetValues(facet string) []string {
	switch facet {
	case "organization":
		return d.Organizations
	case "theme":
		return d.Themes
	case "format":
		return d.Formats
	case "open":
		return []string{string(d.OpenAttribute)}
	case "frequency":
		return []string{string(d.Frequency)}
	case "year":
		if d.Year != 0 {
			return []string{strconv.Itoa(d.Year)}
		}
	case "updated": // the month, for a histogram
		if !d.Updated.IsZero() {
			return []string{d.Updated.In(chinaTime).Format("2006-01")}
		}
	}
	return nil
}

// SortCounts orders counts as Result.Facets promises and cuts them at
// MaxFacetValues.
func SortCounts(counts []FacetCount) []FacetCount {
	slices.SortFunc(counts, func(a, b FacetCount) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Value, b.Value)
	})
	return counts[:min(len(counts), MaxFacetValues)]
}

// Months are values of the facet updated, with every year put as its months: who
// asks for 2026 or for 2026-03 means both kinds of value.
func Months(values []string) []string {
	var out []string
	for _, v := range values {
		if _, err := strconv.Atoi(v); err != nil || len(v) != len("2026") {
			out = appendNew(out, v)
			continue
		}
		for m := 1; m <= 12; m++ {
			out = appendNew(out, fmt.Sprintf("%s-%02d", v, m))
		}
	}
	return out
}
