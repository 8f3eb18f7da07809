package catalog

import "testing"

func TestBumpOf(t *testing.T) {
	table := func(name string, rows int64, fields ...Field) Table {
		return Table{Name: name, Rows: rows, Schema: Schema{Fields: fields}}
	}
	id, day := Field{Name: "id", Type: Integer}, Field{Name: "日期", Type: Date}
	before := []Table{table("a", 100, id, day)}
	for name, c := range map[string]struct {
		after []Table
		want  Bump
	}{
		"the same":          {before, Patch},
		"fewer rows":        {[]Table{table("a", 1, id, day)}, Patch},
		"another order":     {[]Table{table("a", 100, day, id)}, Patch},
		"a column more":     {[]Table{table("a", 100, id, day, Field{Name: "x", Type: String})}, Minor},
		"a table more":      {[]Table{table("a", 100, id, day), table("b", 1, id)}, Minor},
		"a wider number":    {[]Table{table("a", 100, Field{Name: "id", Type: Decimal, Precision: 9, Scale: 2}, day)}, Minor},
		"a narrower number": {[]Table{table("a", 100, id, Field{Name: "日期", Type: Integer})}, Major},
		"text of a number":  {[]Table{table("a", 100, Field{Name: "id", Type: String}, day)}, Major},
		"a column gone":     {[]Table{table("a", 100, id)}, Major},
		"a table gone":      {[]Table{table("b", 100, id, day)}, Major},
		"one gone, one new": {[]Table{table("a", 100, id, Field{Name: "x", Type: Date})}, Major},
	} {
		if got := BumpOf(before, c.after); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestNextVersion(t *testing.T) {
	for _, c := range []struct {
		labels []string
		bump   Bump
		want   string
	}{
		{nil, Patch, "1.0.0"}, {nil, Major, "1.0.0"},
		{[]string{"1.0.0"}, Patch, "1.0.1"}, {[]string{"1.0.9"}, Minor, "1.1.0"}, {[]string{"1.7.9"}, Major, "2.0.0"},
		{[]string{"2026Q3", "", "1.2.3"}, Patch, "1.2.4"}, {[]string{"2026Q3"}, Minor, "1.0.0"}, {[]string{"v1.2.3"}, Minor, "1.0.0"},
	} {
		if got := NextVersion(c.labels, c.bump); got != c.want {
			t.Errorf("%q, %d: %s, want %s", c.labels, c.bump, got, c.want)
		}
	}
}
