package embedded

import (
	"slices"

	"taihu/indexer"
)

// column is the values of one facet or part, document by document, as numbers.
type column struct {
	codes  map[string]uint32
	names  []string
	living []int32  // documents that have it, by code
	starts []uint32 // document n has values[starts[n]:starts[n+1]]
	values []uint32
}

func newColumns() []column {
	columns := make([]column, len(indexer.Facets))
	for i := range columns {
		columns[i] = newColumn()
	}
	return columns
}

func newColumn() column { return column{codes: map[string]uint32{}, starts: []uint32{0}} }

func (c *column) add(values []string) {
	from := len(c.values)
	for _, v := range values {
		if v == "" {
			continue
		}
		code, there := c.codes[v]
		if !there {
			code = uint32(len(c.names))
			c.codes[v] = code
			c.names = append(c.names, v)
			c.living = append(c.living, 0)
		}
		if !slices.Contains(c.values[from:], code) {
			c.values = append(c.values, code)
			c.living[code]++
		}
	}
	c.starts = append(c.starts, uint32(len(c.values)))
}

// bury takes document n out of the counts.
func (c *column) bury(n uint32) {
	for _, code := range c.of(n) {
		c.living[code]--
	}
}

func (c *column) of(n uint32) []uint32 { return c.values[c.starts[n]:c.starts[n+1]] }

// filter is the chosen values of one facet: a document passes with any of them.
type filter struct {
	facet  int
	chosen []bool // by code
}

// filters makes the filters of a query; a facet without values chosen is none.
func (x *inverted) filters(q *indexer.Query) []filter {
	var all []filter
	for i, facet := range indexer.Facets {
		if len(q.Filter[facet]) == 0 {
			continue
		}
		f := filter{facet: i, chosen: make([]bool, len(x.facets[i].names))}
		for _, v := range q.Filter[facet] {
			if code, there := x.facets[i].codes[v]; there {
				f.chosen[code] = true
			}
		}
		all = append(all, f)
	}
	return all
}

// narrow takes out of found what does not pass every filter, and counts: a
// document that fails only one filter still counts for that filter's own facet.
// counts is nil where nobody asks for them.
func (x *inverted) narrow(found bitset, filters []filter, counts [][]int32) {
	if len(filters) == 0 {
		if counts != nil {
			x.countAll(found, counts)
		}
		return
	}
	found.each(func(n uint32) {
		failed := -1
		for i := range filters {
			f := &filters[i]
			if !f.passes(x.facets[f.facet].of(n)) {
				if failed >= 0 { // two filters: it counts nowhere
					found.unset(n)
					return
				}
				failed = f.facet
			}
		}
		if failed >= 0 {
			found.unset(n)
			if counts != nil {
				x.countOne(n, failed, counts)
			}
			return
		}
		if counts != nil {
			for i := range x.facets {
				x.countOne(n, i, counts)
			}
		}
	})
}

// countAll counts all of found; where that is most of what is there, what is not
// found is taken off the counts that are known.
func (x *inverted) countAll(found bitset, counts [][]int32) {
	rest, add := found, int32(1)
	if 2*found.count() > x.live {
		rest, add = slices.Clone(x.alive), -1
		rest.andNot(found)
		for i := range counts {
			copy(counts[i], x.facets[i].living)
		}
	}
	rest.each(func(n uint32) {
		for i := range x.facets {
			for _, code := range x.facets[i].of(n) {
				counts[i][code] += add
			}
		}
	})
}

func (f *filter) passes(codes []uint32) bool {
	for _, c := range codes {
		if f.chosen[c] {
			return true
		}
	}
	return false
}

func (x *inverted) countOne(n uint32, facet int, counts [][]int32) {
	for _, c := range x.facets[facet].of(n) {
		counts[facet][c]++
	}
}

func (x *inverted) emptyCounts() [][]int32 {
	counts := make([][]int32, len(x.facets))
	for i := range counts {
		counts[i] = make([]int32, len(x.facets[i].names))
	}
	return counts
}

func (x *inverted) namedCounts(counts [][]int32) map[string][]indexer.FacetCount {
	named := make(map[string][]indexer.FacetCount, len(counts))
	for i, facet := range indexer.Facets {
		list := []indexer.FacetCount{}
		for code, n := range counts[i] {
			if n > 0 {
				list = append(list, indexer.FacetCount{Value: x.facets[i].names[code], Count: int(n)})
			}
		}
		named[facet] = indexer.SortCounts(list)
	}
	return named
}
