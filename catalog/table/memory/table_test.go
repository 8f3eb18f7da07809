package memory_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/memory"
)

var null = table.Value{Null: true}

// five rows in which every rule of architecture.md §5 shows.
var (
	schema = catalog.Schema{Fields: []catalog.Field{
		{Name: "n", Type: catalog.Integer}, {Name: "x", Type: catalog.Number}, {Name: "名", Type: catalog.String},
		{Name: "d", Type: catalog.Decimal, Precision: 38, Scale: 2}, {Name: "b", Type: catalog.Boolean},
	}}
	rows = [][]table.Value{
		{{Int: 1}, {Num: math.NaN()}, {Text: "ａｂ湖"}, {Text: "9.00"}, {Bool: true}},
		{{Int: 2}, {Num: math.Inf(1)}, {Text: ""}, {Text: "10.00"}, {Bool: false}},
		{null, {Num: -1}, null, {Text: "-10.00"}, null},
		{{Int: 2}, null, {Text: "\uff21"}, {Text: "-9.50"}, {Bool: true}},
		{{Int: 3}, {Num: 0}, {Text: "😀"}, null, {Bool: false}},
	}
)

// numbers returns the _row of each row of the answer.
func numbers(t *testing.T, params table.Params) ([]int64, *table.Plan) {
	t.Helper()
	q, err := table.Parse(params)
	if err != nil {
		t.Fatal(err)
	}
	p, err := q.Check(&schema)
	if err != nil {
		t.Fatal(err)
	}
	p.Columns = []int{table.RowColumn}
	var got []int64
	if err := memory.NewTable(schema, rows).Rows(t.Context(), p, func(b *table.Batch) error {
		got = append(got, b.Columns[0].Int...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got, p
}

func TestWhere(t *testing.T) {
	for where, want := range map[string][]int64{
		"":                              {1, 2, 3, 4, 5},
		"n = 2":                         {2, 4},
		"n != 2":                        {1, 5},    // null is neither equal nor unequal
		"not n = 2":                     {1, 3, 5}, // not is the complement, null included
		"not n != 2":                    {2, 3, 4},
		"n < 3":                         {1, 2, 4},
		"not n < 3":                     {3, 5},
		"n >= 1.5":                      {2, 4, 5},
		"n in (1, 3, 7)":                {1, 5},
		"not n in (1, 3)":               {2, 3, 4},
		"n is null":                     {3},
		"n is not null":                 {1, 2, 4, 5},
		"n < 1e30":                      {1, 2, 4, 5},
		"not n < 1e30":                  {3},
		"n = 1.5":                       nil,
		"not n = 1.5":                   {1, 2, 3, 4, 5},
		"x > 0":                         {1, 2}, // NaN is the greatest
		"x = 'NaN'":                     {1},
		"x != 'NaN'":                    {2, 3, 5},
		"x >= 'Infinity'":               {1, 2},
		"x = -0":                        {5},
		"名 = ''":                        {2},
		"名 is null":                     {3},
		"contains(名, 'AB')":             {1}, // full width a and b
		"starts(名, '湖')":                nil,
		"contains(名, '湖')":              {1},
		"not contains(名, 'a')":          {2, 3, 5},
		"contains(名, '')":               {1, 2, 4, 5},
		"名 = 'a'":                       nil, // = does not fold
		"名 > '\uff21'":                  {1, 5},
		"d > 9":                         {2},
		"d < -9.5":                      {3},
		"d >= -9.501":                   {1, 2, 4},
		"b = true":                      {1, 4},
		"b < true":                      {2, 5},
		"not b = true":                  {2, 3, 5},
		"_row > 3":                      {4, 5},
		"_row in (5, 1)":                {1, 5},
		"n = 2 or x < 0":                {2, 3, 4},
		"n = 2 and 名 = '' or n = 1":     {1, 2},
		"n = 2 and (名 = '' or n = 1)":   {2},
		"not (n = 2 or x < 0)":          {1, 5},
		"not (n is null and 名 is null)": {1, 2, 4, 5},
	} {
		got, p := numbers(t, table.Params{Where: where})
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", where, got, want)
		}
		if n, err := memory.NewTable(schema, rows).Count(t.Context(), p); err != nil || n != int64(len(want)) {
			t.Errorf("%s: count %d, %v", where, n, err)
		}
	}
}

func TestSort(t *testing.T) {
	for sort, want := range map[string][]int64{
		"":        {1, 2, 3, 4, 5},
		"-_row":   {5, 4, 3, 2, 1},
		"n":       {1, 2, 4, 5, 3}, // nulls last, ties by _row
		"-n":      {5, 2, 4, 1, 3}, // nulls last here too, ties still ascending
		"n,-x":    {1, 2, 4, 5, 3},
		"n,-_row": {1, 4, 2, 5, 3},
		"x":       {3, 5, 2, 1, 4},
		"-x":      {1, 2, 5, 3, 4},
		"名":       {2, 4, 1, 5, 3}, // by code point: U+FF21, U+FF41, U+1F600
		"d":       {3, 4, 1, 2, 5}, // by value, not by text
		"b":       {2, 5, 1, 4, 3},
	} {
		if got, _ := numbers(t, table.Params{Sort: sort}); !slices.Equal(got, want) {
			t.Errorf("sort %s: got %v, want %v", sort, got, want)
		}
	}
	if got, _ := numbers(t, table.Params{Sort: "-n", Limit: 2}); !slices.Equal(got, []int64{5, 2}) {
		t.Errorf("limit 2: got %v", got)
	}
}

func TestAfterGoesOnBehindARow(t *testing.T) {
	for _, test := range []struct {
		sort string
		key  table.Value
		row  int64
		want []int64
	}{
		{"-n", table.Value{Int: 2}, 2, []int64{4, 1, 3}},
		{"-n", null, 3, nil},
		{"x", table.Value{Num: math.NaN()}, 1, []int64{4}},
		{"x", null, 1, []int64{4}},
		{"d", table.Value{Text: "9.00"}, 1, []int64{2, 5}},
		{"n", table.Value{Int: 2}, 3, []int64{4, 5, 3}}, // a place where no row stands
	} {
		_, p := numbers(t, table.Params{Sort: test.sort})
		token := p.Next(1, table.Position{Keys: []table.Value{test.key}, Row: test.row}).String()
		if got, _ := numbers(t, table.Params{Sort: test.sort, Cursor: token}); !slices.Equal(got, test.want) {
			t.Errorf("%s after %+v row %d: got %v, want %v", test.sort, test.key, test.row, got, test.want)
		}
	}
}

func TestEngineOpensWhatWasAdded(t *testing.T) {
	e := memory.New()
	e.Add("abc", schema, rows)
	opened, err := e.Open(t.Context(), table.Source{ID: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := opened.Count(t.Context(), &table.Plan{Schema: &schema}); n != 5 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
	if _, err := e.Open(t.Context(), table.Source{ID: "x"}); err == nil {
		t.Error("a table that was never added opens")
	}
}

func TestProfile(t *testing.T) {
	e := memory.New()
	e.Add("abc", schema, rows)
	p, err := e.Profile(t.Context(), table.Source{ID: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"nulls 1 distinct 3 min 1 max 3 mean 2 deviation 0.816496580927726 quantiles 1 1 2 2 3 top 2×2 1×1 3×1 bins [1,2)1 [2,3)2 [3,3]1",
		"nulls 1 distinct 4 min -1 max NaN mean -0.5 deviation 0.7071067811865476 quantiles -1 -1 0 Infinity NaN top -1×1 0×1 Infinity×1 NaN×1 bins 20",
		"nulls 1 empty 1 length 0–3 distinct 4 min  max 😀 top ×1 Ａ×1 ａｂ湖×1 😀×1",
		"nulls 1 distinct 4 min -10.00 max 10.00 mean -0.125 deviation 11.123361302532013 quantiles -10.00 -10.00 -9.50 9.00 10.00 top -10.00×1 -9.50×1 9.00×1 10.00×1 bins 20",
		"nulls 1 distinct 2 min false max true top false×2 true×2",
	} {
		if got := describe(p.Columns[i]); got != want {
			t.Errorf("column %s\n got %s\nwant %s", p.Columns[i].Name, got, want)
		}
	}
}

func TestHistogramHoldsEveryValueOnce(t *testing.T) {
	for _, f := range []catalog.Field{{Name: "v", Type: catalog.Integer}, {Name: "v", Type: catalog.Number}, {Name: "v", Type: catalog.Date}, {Name: "v", Type: catalog.Decimal, Precision: 38, Scale: 1}} {
		for _, numbers := range [][]float64{{5}, {1, 1000}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}, {-7, 3, 3, 19, 400}} {
			var rows [][]table.Value
			for _, n := range numbers {
				rows = append(rows, []table.Value{{Int: int64(n), Num: n, Text: fmt.Sprintf("%.1f", n)}})
			}
			p, err := memory.NewTable(catalog.Schema{Fields: []catalog.Field{f}}, rows).Profile(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c, sum := p.Columns[0], int64(0)
			for i, b := range c.Histogram {
				sum += b.Rows
				if i > 0 && c.Histogram[i-1].To != b.From {
					t.Errorf("%s %v: bin %d begins at %s, the one before ends at %s", f.Type, numbers, i, b.From, c.Histogram[i-1].To)
				}
			}
			if n := len(c.Histogram); sum != int64(len(numbers)) || n > 20 || c.Histogram[0].From != c.Min || c.Histogram[n-1].To != c.Max {
				t.Errorf("%s %v: %+v", f.Type, numbers, c.Histogram)
			}
		}
	}
	extremes := [][]table.Value{{{Num: -math.MaxFloat64}}, {{Num: math.MaxFloat64}}, {{Num: math.SmallestNonzeroFloat64}}}
	p, err := memory.NewTable(catalog.Schema{Fields: []catalog.Field{{Name: "v", Type: catalog.Number}}}, extremes).Profile(t.Context())
	if err != nil || len(p.Columns[0].Histogram) != 20 {
		t.Errorf("extremes: %v, %+v", err, p.Columns[0])
	}
}

// describe writes a profile in one line, leaving out what is not there.
func describe(c catalog.ColumnProfile) string {
	words := []string{fmt.Sprintf("nulls %d", c.Nulls)}
	if c.Empty > 0 {
		words = append(words, fmt.Sprintf("empty %d", c.Empty))
	}
	if c.MaxLength > 0 {
		words = append(words, fmt.Sprintf("length %d–%d", c.MinLength, c.MaxLength))
	}
	words = append(words, fmt.Sprintf("distinct %d min %s max %s", c.Distinct, c.Min, c.Max))
	if c.Mean != nil {
		words = append(words, fmt.Sprintf("mean %v deviation %v", *c.Mean, *c.Deviation))
	}
	if c.Quantiles != nil {
		words = append(words, "quantiles", strings.Join(c.Quantiles, " "))
	}
	words = append(words, "top")
	for _, v := range c.Top {
		words = append(words, fmt.Sprintf("%s×%d", v.Value, v.Rows))
	}
	if n := len(c.Histogram); n > 3 {
		words = append(words, fmt.Sprintf("bins %d", n))
	} else if n > 0 {
		words = append(words, "bins")
		for i, b := range c.Histogram {
			end := ")"
			if i == n-1 {
				end = "]"
			}
			words = append(words, fmt.Sprintf("[%s,%s%s%d", b.From, b.To, end, b.Rows))
		}
	}
	return strings.Join(words, " ")
}
