package catalog

import (
	"slices"
	"testing"
)

// Another key is a major change, and so is one that a steward accepted as broken;
// to declare the first is none.
func TestKeyChanges(t *testing.T) {
	keyed := func(key ...string) *Release {
		return &Release{Tables: []Table{{Name: "t", Rows: 3, Schema: Schema{Fields: []Field{{Name: "a", Type: Integer}, {Name: "b", Type: Integer}}, Key: key}}}}
	}
	broken := keyed("a")
	broken.Files = []File{{Report: &Report{Findings: []Finding{{Severity: ToSettle, Code: "contract_key", Table: "t"}, {Severity: ToSettle, Code: "contract_key", Table: "t"}}}}}
	for _, c := range []struct {
		before, after *Release
		kinds         []ChangeKind
		bump          Bump
	}{
		{keyed("a"), keyed("a"), nil, Patch},
		{keyed("a", "b"), keyed("b", "a"), nil, Patch},
		{keyed(), keyed("a"), nil, Patch},
		{keyed("a"), keyed("b"), []ChangeKind{KeyChanged}, Major},
		{keyed("a"), keyed(), []ChangeKind{KeyChanged}, Major},
		{keyed("a"), broken, []ChangeKind{KeyBroken}, Major},
		{keyed(), broken, nil, Patch},
	} {
		changes := c.after.ChangesFrom(c.before)
		var kinds []ChangeKind
		for _, x := range changes {
			kinds = append(kinds, x.Kind)
		}
		if got := BumpOf(c.before.Tables, c.after.Tables, changes); got != c.bump || !slices.Equal(kinds, c.kinds) {
			t.Errorf("%v → %v: %v %v, want %v %v", c.before.Tables[0].Schema.Key, c.after.Tables[0].Schema.Key, kinds, got, c.kinds, c.bump)
		}
	}
}

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
		if got := BumpOf(before, c.after, Changes(before, c.after)); got != c.want {
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
