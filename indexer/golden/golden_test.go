package golden

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"taihu/indexer"
)

func TestLoad(t *testing.T) {
	total := 0
	for _, name := range []string{Portal, Catalogues} {
		set, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range set.Queries {
			if q.Category == "" {
				t.Errorf("%s: %q has no category", name, q.Text)
			}
		}
		total += len(set.Queries)
	}
	if total < 120 {
		t.Errorf("%d golden queries, at least 120 are promised", total)
	}
	if _, err := Load("none"); err == nil {
		t.Error("a set that is not there was loaded")
	}
}

func TestParse(t *testing.T) {
	set, err := Parse("x", "# remark\n\n[words]\n停车 场 = a:3 b:1\n[signs]\na = b = c:2\n")
	if err != nil || len(set.Queries) != 2 || set.Queries[0].Text != "停车 场" || set.Queries[0].Category != "words" ||
		set.Queries[0].Want[1] != (Want{"b", 1}) || set.Queries[1].Text != "a = b" || set.Queries[1].Category != "signs" {
		t.Errorf("%+v, %v", set, err)
	}
	for text, want := range map[string]string{
		"no sign":           "is not a query",
		"q = a":             "grade of 1 to 3",
		"q = a:4":           "grade of 1 to 3",
		"q = :2":            "grade of 1 to 3",
		"q = a:3 a:2":       "expected twice",
		"q = a:2 b:3":       "order of their grades",
		"q = a:1\nq = a:1":  "x, line 2: the query \"q\" is there twice",
		"q =  ":             "is not a query", // its end is cut off with the line's blanks
		"# one\n\nq = a:zz": "x, line 3",
	} {
		if _, err := Parse("x", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestNDCG holds the figure to ones computed by hand: with grades 3, 2, 0 and 1 at
// the places 1 to 4, DCG = 7/1 + 3/log2(3) + 1/log2(5) and the best is
// 7/1 + 3/log2(3) + 1/log2(4).
func TestNDCG(t *testing.T) {
	want := []Want{{"a", 3}, {"b", 2}, {"c", 1}}
	for _, test := range []struct {
		got  string
		ndcg float64
		rr   float64
	}{
		{"a b c", 1, 1},
		{"a b x c", (7 + 3/1.584962500721156 + 1/2.321928094887362) / (7 + 3/1.584962500721156 + 0.5), 1},
		{"x a", 7 / 1.584962500721156 / (7 + 3/1.584962500721156 + 0.5), 0.5},
		{"b", 3 / (7 + 3/1.584962500721156 + 0.5), 0},
		{"1 2 3 4 5 6 7 8 9 10 a b c", 0, 0},
		{"1 2 3 4 5 6 7 8 9 a", 7 / math.Log2(11) / (7 + 3/1.584962500721156 + 0.5), 0.1},
		{"", 0, 0},
	} {
		got := strings.Fields(test.got)
		if ndcg, rr := NDCG(got, want), ReciprocalRank(got, want); math.Abs(ndcg-test.ndcg) > 1e-12 || rr != test.rr {
			t.Errorf("%q: nDCG %v, RR %v, want %v, %v", test.got, ndcg, rr, test.ndcg, test.rr)
		}
	}
	many := make([]Want, 12) // more than Depth: the best order cannot have all
	names := make([]string, 12)
	for i := range many {
		names[i] = string(rune('a' + i))
		many[i] = Want{names[i], 3}
	}
	if n := NDCG(names, many); n != 1 {
		t.Errorf("twelve of one grade in order: %v", n)
	}
}

// answers is a Searcher of fixed answers.
type answers map[string]string

func (a answers) Search(_ context.Context, q indexer.Query) (indexer.Result, error) {
	var r indexer.Result
	if a[q.Text] == "fails" {
		return r, errors.New("planned by the test")
	}
	text := q.Text
	if q.Any {
		text = "any " + text
	}
	for _, slug := range strings.Fields(a[text]) {
		r.Hits = append(r.Hits, indexer.Hit{Slug: slug})
		r.Total++
	}
	return r, nil
}

func (answers) Suggest(context.Context, string, string, int) ([]indexer.Suggestion, error) {
	return nil, nil
}

func TestRunAndText(t *testing.T) {
	set, err := Parse("small", "[words]\none = a:3 b:2\ntwo = a:3\n[others]\nthree four = a:1\nfive = a:1\n")
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), answers{"one": "a b", "two": "x y a", "any three four": "a"}, set)
	if err != nil {
		t.Fatal(err)
	}
	want := `small: 4 queries, nDCG@10 0.625, MRR 0.583

words            2 queries, nDCG@10 0.750, MRR 0.667
others           2 queries, nDCG@10 0.500, MRR 0.500

[words]
1.000  one = a:3@1 b:2@2
0.500  two = a:3@3   after x y

[others]
1.000  three four = a:1@1   (relaxed: words)
0.000  five = a:1@-   finds nothing
`
	text := report.Text()
	if text != want {
		t.Errorf("got\n%s", text)
	}
	if _, err := Run(t.Context(), answers{"one": "fails"}, set); err == nil {
		t.Error("an error of the engine was passed over")
	}
	if empty := (&Report{}); empty.NDCG() != 1 || empty.MRR() != 1 {
		t.Error("no queries are no fault")
	}
}

func TestWithin(t *testing.T) {
	set, err := Parse("x", "one = a:3 b:2\ntwo = c:3\nthree = d:1\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		there, want string
		share       float64
	}{{"a b c d", "one two three", 1}, {"a c e", "two", 0.5}, {"a b", "one", 0.5}, {"d", "three", 0.25}, {"", "", 0}} {
		there := map[string]bool{}
		for _, slug := range strings.Fields(test.there) {
			there[slug] = true
		}
		var got []string
		for _, q := range set.Within(there).Queries {
			got = append(got, q.Text)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s there: %v, want %s", test.there, got, test.want)
		}
		if got := set.Share(there); got != test.share {
			t.Errorf("%s there: a share of %v, want %v", test.there, got, test.share)
		}
	}
}

func TestWorse(t *testing.T) {
	set, err := Parse("x", "one = a:3\ntwo = b:3\nthree = c:3\n")
	if err != nil {
		t.Fatal(err)
	}
	before, err := Run(t.Context(), answers{"one": "a", "two": "b", "three": "x c"}, set)
	if err != nil {
		t.Fatal(err)
	}
	now, err := Run(t.Context(), answers{"one": "x a", "two": "x", "three": "c"}, set)
	if err != nil {
		t.Fatal(err)
	}
	want := `- 1.000  two = b:3@1
+ 0.000  two = b:3@-   after x
- 1.000  one = a:3@1
+ 0.631  one = a:3@2   after x
`
	if got := now.Worse(&before); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
