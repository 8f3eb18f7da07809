// Package golden measures relevance: sets of queries, each with the datasets that
// a person who read them would want found and how much, and the figures of a
// search that is held to them.
//
// A set is a text file, and so is the report of a run, so that a change of ranking
// is a readable difference. The expected datasets were judged by reading titles,
// descriptions and columns, before any engine was asked; they are never changed to
// please one. The package knows the search contract and no engine: the tests of
// both engines and the gate of taihu reindex run the same sets.
package golden

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"taihu/indexer"
)

//go:embed *.txt
var files embed.FS

// Set is a list of queries over one catalogue.
type Set struct {
	Name    string
	Queries []Query
}

// Query is a search text and what it should find.
type Query struct {
	Category string // the kind of query, such as "column"
	Text     string
	Want     []Want // best first
}

// Want is a dataset that should be found: 3 is what was meant, 2 answers in part,
// 1 is of some use.
type Want struct {
	Slug  string
	Grade int
}

// Names of the sets that come with the program: Portal is over the sample portal,
// Catalogues over the catalogues of Our World in Data and Rdatasets as imported with
// the prefixes owid- and rdatasets-.
const (
	Portal     = "portal"
	Catalogues = "catalogues"
)

// Load returns a set that comes with the program.
func Load(name string) (Set, error) {
	body, err := files.ReadFile(name + ".txt")
	if err != nil {
		return Set{}, fmt.Errorf("golden queries: %w", err)
	}
	return Parse(name, string(body))
}

// Parse reads a set. A line is a query, " = ", and the slugs expected, best first,
// each with a colon and its grade of 1 to 3; a line in brackets begins a category;
// what begins with # is a remark.
func Parse(name, text string) (Set, error) {
	set := Set{Name: name}
	category, seen := "", map[string]bool{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			category = line[1 : len(line)-1]
			continue
		}
		q, err := parseQuery(line)
		if err != nil {
			return set, fmt.Errorf("%s, line %d: %w", name, number, err)
		}
		if seen[q.Text] {
			return set, fmt.Errorf("%s, line %d: the query %q is there twice", name, number, q.Text)
		}
		seen[q.Text] = true
		q.Category = category
		set.Queries = append(set.Queries, q)
	}
	return set, nil
}

func parseQuery(line string) (q Query, err error) {
	at := strings.LastIndex(line, " = ")
	if at < 0 {
		return q, fmt.Errorf("%q is not a query, \" = \" and the datasets expected", line)
	}
	q.Text = strings.TrimSpace(line[:at])
	for _, part := range strings.Fields(line[at+3:]) {
		slug, grade, _ := strings.Cut(part, ":")
		n, err := strconv.Atoi(grade)
		if err != nil || n < 1 || n > 3 || slug == "" {
			return q, fmt.Errorf("%q is not a slug, a colon and a grade of 1 to 3", part)
		}
		if slices.ContainsFunc(q.Want, func(w Want) bool { return w.Slug == slug }) {
			return q, fmt.Errorf("%q is expected twice", slug)
		}
		q.Want = append(q.Want, Want{slug, n})
	}
	if len(q.Want) == 0 {
		return q, fmt.Errorf("%q has no dataset expected", q.Text)
	}
	if !slices.IsSortedFunc(q.Want, func(a, b Want) int { return b.Grade - a.Grade }) {
		return q, fmt.Errorf("%q: the datasets expected are not in the order of their grades", q.Text)
	}
	return q, nil
}

// Within returns the queries of s whose expected datasets are all there.
func (s Set) Within(there map[string]bool) Set {
	out := Set{Name: s.Name}
	for _, q := range s.Queries {
		if !slices.ContainsFunc(q.Want, func(w Want) bool { return !there[w.Slug] }) {
			out.Queries = append(out.Queries, q)
		}
	}
	return out
}

// Share is how much of the catalogue that s is about is there: the part of the
// datasets expected by any query. A few slugs that happen to be the same are not
// that catalogue.
func (s Set) Share(there map[string]bool) float64 {
	all, found := map[string]bool{}, 0
	for _, q := range s.Queries {
		for _, w := range q.Want {
			if !all[w.Slug] && there[w.Slug] {
				found++
			}
			all[w.Slug] = true
		}
	}
	return float64(found) / float64(max(len(all), 1))
}

// Depth is how many hits of a search count.
const Depth = 10

// NDCG is the normalized discounted cumulative gain of the first Depth of got: the
// sum of (2^grade - 1) / log2(place + 1), divided by that of the best order there
// is (Järvelin and Kekäläinen, ACM TOIS 20(4), 2002, doi:10.1145/582415.582418; the
// gain 2^grade - 1 is that of Burges et al., ICML 2005, doi:10.1145/1102351.1102363).
// Two hits that are the same dataset count once.
func NDCG(got []string, want []Want) float64 {
	gain := func(grade, place int) float64 { return (math.Exp2(float64(grade)) - 1) / math.Log2(float64(place)+1) }
	sum, best := 0.0, 0.0
	for i, w := range want {
		if i < Depth {
			best += gain(w.Grade, i+1)
		}
		if at := slices.Index(got[:min(len(got), Depth)], w.Slug); at >= 0 {
			sum += gain(w.Grade, at+1)
		}
	}
	if best == 0 {
		return 0
	}
	return sum / best
}

// ReciprocalRank is 1 / the place of the first right answer among the first Depth
// of got, 0 where there is none (Voorhees, TREC-8 Question Answering Track, 1999).
// Right is what has the highest grade that the query gives; its mean over queries
// is the MRR.
func ReciprocalRank(got []string, want []Want) float64 {
	for i, slug := range got[:min(len(got), Depth)] {
		for _, w := range want {
			if w.Slug == slug && w.Grade == want[0].Grade {
				return 1 / float64(i+1)
			}
		}
	}
	return 0
}

// Report is the outcome of a run.
type Report struct {
	Set     string
	Answers []Answer
}

// Answer is what one query found.
type Answer struct {
	Query
	Got   []string // slugs of the first Depth hits
	Total int
	// Relaxed is how indexer.Relax found Got, where nothing has all of the query: the
	// page shows that too. Empty where it was not needed.
	Relaxed string
	NDCG    float64
	RR      float64
}

// Run asks every query of a set.
func Run(ctx context.Context, s indexer.Searcher, set Set) (Report, error) {
	report := Report{Set: set.Name}
	for _, q := range set.Queries {
		a := Answer{Query: q}
		asked := indexer.Query{Text: q.Text, Limit: Depth}
		found, err := s.Search(ctx, asked)
		if err == nil && found.Total == 0 {
			var near indexer.Relaxed
			near, err = indexer.Relax(ctx, s, asked, found)
			found, a.Relaxed = near.Result, near.How
		}
		if err != nil {
			return report, fmt.Errorf("golden query %q: %w", q.Text, err)
		}
		for _, h := range found.Hits {
			a.Got = append(a.Got, h.Slug)
		}
		a.Total, a.NDCG, a.RR = found.Total, NDCG(a.Got, q.Want), ReciprocalRank(a.Got, q.Want)
		report.Answers = append(report.Answers, a)
	}
	return report, nil
}

// NDCG is the mean over the queries, 1 where there are none.
func (r *Report) NDCG() float64 { return mean(r.Answers, func(a *Answer) float64 { return a.NDCG }) }

// MRR is the mean reciprocal rank, 1 where there are no queries.
func (r *Report) MRR() float64 { return mean(r.Answers, func(a *Answer) float64 { return a.RR }) }

func mean(answers []Answer, of func(*Answer) float64) float64 {
	if len(answers) == 0 {
		return 1
	}
	sum := 0.0
	for i := range answers {
		sum += of(&answers[i])
	}
	return sum / float64(len(answers))
}

// Text writes the report: the figures of all, those of each category, and a line
// for each query, with the place of every dataset expected (- where it is not
// among the first Depth) and, where something else stands before the best one, what.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d queries, nDCG@%d %.3f, MRR %.3f\n\n", r.Set, len(r.Answers), Depth, r.NDCG(), r.MRR())
	var categories []string
	by := map[string][]Answer{}
	for _, a := range r.Answers {
		if by[a.Category] == nil {
			categories = append(categories, a.Category)
		}
		by[a.Category] = append(by[a.Category], a)
	}
	for _, c := range categories {
		part := Report{Answers: by[c]}
		fmt.Fprintf(&b, "%-14s %3d queries, nDCG@%d %.3f, MRR %.3f\n", c, len(part.Answers), Depth, part.NDCG(), part.MRR())
	}
	for _, c := range categories {
		fmt.Fprintf(&b, "\n[%s]\n", c)
		for i := range by[c] {
			b.WriteString(by[c][i].line())
		}
	}
	return b.String()
}

func (a *Answer) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%.3f  %s =", a.NDCG, a.Text)
	for _, w := range a.Want {
		place := "-"
		if at := slices.Index(a.Got, w.Slug); at >= 0 {
			place = strconv.Itoa(at + 1)
		}
		fmt.Fprintf(&b, " %s:%d@%s", w.Slug, w.Grade, place)
	}
	var before []string
	for _, slug := range a.Got {
		if slices.ContainsFunc(a.Want, func(w Want) bool { return w.Slug == slug && w.Grade == a.Want[0].Grade }) {
			break
		}
		before = append(before, slug)
	}
	switch {
	case len(a.Got) == 0:
		b.WriteString("   finds nothing")
	case len(before) > 0:
		fmt.Fprintf(&b, "   after %s", strings.Join(before[:min(len(before), 3)], " "))
		if len(before) > 3 {
			b.WriteString(" …")
		}
	}
	if a.Relaxed != "" {
		fmt.Fprintf(&b, "   (relaxed: %s)", a.Relaxed)
	}
	b.WriteByte('\n')
	return b.String()
}

// Worse lists the queries of r that find less than in before, as lines of both
// reports, the largest loss first. Both are runs of one set.
func (r *Report) Worse(before *Report) string {
	type loss struct {
		by   float64
		text string
	}
	var losses []loss
	for i := range r.Answers {
		now := &r.Answers[i]
		if was := &before.Answers[i]; now.NDCG < was.NDCG {
			losses = append(losses, loss{was.NDCG - now.NDCG, "- " + was.line() + "+ " + now.line()})
		}
	}
	slices.SortStableFunc(losses, func(a, b loss) int { return cmp.Compare(b.by, a.by) })
	var b strings.Builder
	for _, l := range losses {
		b.WriteString(l.text)
	}
	return b.String()
}
