package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// listOf reads a table written as lines of cells with | between them.
func listOf(t *testing.T, table string) (*OrganizationList, []LineProblem) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(table), "\n")
	cells := func(line string) []string {
		parts := strings.Split(line, "|")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		return parts
	}
	l, fields, problems := NewOrganizationList(cells(lines[0]))
	for i, line := range lines[1:] {
		l.Add(int64(i+2), fields, cells(line))
	}
	return l, problems
}

var standing = []Organization{
	{ID: "1", Slug: "city", Name: Text{Zh: "市政府", En: "City"}, Category: "市级机关"},
	{ID: "2", Slug: "cgj", ParentID: "1", Name: Text{Zh: "城管局"}, Phone: "0510"},
	{ID: "3", Slug: "parks", ParentID: "2", Name: Text{Zh: "园林处"}},
}

func TestPlanOrganizations(t *testing.T) {
	l, problems := listOf(t, `
		机构编码 | 机构名称 | 英文名    | 上级机构 | 备注
		parks    | 园林处   | Parks     | 滨湖区   | x
		binhu    | 滨湖区   |           | CITY     |
		         |          |           |          |
		cgj      | 城管局   |           | 市政府   |
		city     | 市政府   | City Hall |          |
	`)
	if len(problems) > 0 || !slices.Equal(l.Ignored, []string{"备注"}) || len(l.Lines) != 4 {
		t.Fatalf("%+v, %v", l, problems)
	}
	p := l.Plan(standing)
	var got []string
	for _, c := range p.Changes {
		got = append(got, fmt.Sprintf("%d %v %s<%s(%s) %v", c.Row, c.New, c.After.Slug, c.Parent, c.After.ParentID, c.Fields))
	}
	want := []string{"6 false city<() [英文名]", "3 true binhu<city(1) [机构名称 上级机构]", "2 false parks<binhu() [英文名 上级机构]"}
	if !slices.Equal(got, want) || p.Same != 1 || len(p.Problems) != 0 {
		t.Errorf("got %q, %d the same, %v", got, p.Same, p.Problems)
	}
	if after := p.Changes[0].After; after.Category != "市级机关" || after.Name != (Text{Zh: "市政府", En: "City Hall"}) {
		t.Errorf("what the list has no column for did not stay: %+v", after)
	}
	if made, changed := p.Count(); made != 1 || changed != 2 {
		t.Errorf("%d made, %d changed", made, changed)
	}
}

func TestProblemsOfOrganizationLists(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"headers in English":             {"code | name | parent\nxxx | X | city", ""},
		"no code":                        {"名称\nX", `0 "" 缺少“机构编码”`},
		"no name":                        {"code | parent\nxxx | city", `0 "" 缺少“机构名称”`},
		"two of a kind":                  {"code | name | 名称\nxxx | X | Y", `0 "名称" “name”和“名称”`},
		"no line":                        {"code | name", `0 "" 表头下面没有机构`},
		"a bad code":                     {"机构编码 | name\nxxx | X\n城管 | Y", `3 "机构编码" “城管”不能用作地址`},
		"a word of the pages":            {"机构编码 | name\nsteward | X", `2 "机构编码" “steward”是本站页面用的词`},
		"a code twice":                   {"code | name\nxxx | X\nyyy | Y\nXXX | Z", `4 "code" 编码“xxx”在第2行已经用过`},
		"no code in a line":              {"code | name\n | X", `2 "code" 还没有写地址`},
		"no name in a line":              {"code | name | phone\nxxx | | 1", `2 "name" 缺少名称`},
		"too long":                       {"code | name | phone\nxxx | X | " + strings.Repeat("1", 201), `2 "phone" 太长`},
		"unknown parent":                 {"code | name | 上级机构\nxxx | X | 没有局", `2 "上级机构" 没有机构“没有局”`},
		"parent by two names":            {"code | name | parent\nxxx | X |\nyyy | X |\nzzz | Z | X", `4 "parent" 叫“X”的机构有2个（xxx、yyy）`},
		"itself":                         {"code | name | parent\nxxx | X | xxx", `2 "parent" 机构不能是自己的上级`},
		"a circle":                       {"code | name | parent\naaa | A | ccc\nbbb | B | aaa\nccc | C | bbb\nddd | D | ccc", `2 "parent" 隶属成了圈：aaa → ccc → bbb → aaa`},
		"a circle with those that stand": {"code | name | parent\ncity | 市政府 | parks", `2 "parent" 隶属成了圈：city → parks → cgj → city`},
		"too deep": {"code | name | parent\n" + func() string {
			lines, above := []string{}, ""
			for i := range 9 {
				lines = append(lines, fmt.Sprintf("lev%d | L | %s", i, above))
				above = fmt.Sprintf("lev%d", i)
			}
			return strings.Join(lines, "\n")
		}(), `10 "parent" 层次太深：第9层`},
	} {
		l, problems := listOf(t, c.table)
		if len(problems) == 0 {
			problems = l.Plan(standing).Problems
		}
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d %q %s", p.Row, p.Column, p.What.Zh))
			if p.What.En == "" || strings.Contains(p.What.En, "%!") || strings.Contains(p.What.Zh, "%!") {
				t.Errorf("%s: %+v", name, p.What)
			}
		}
		if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], c.want)) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if plan := l.Plan(standing); len(plan.Problems) > 0 && len(plan.Changes) > 0 {
			t.Errorf("%s: a list with problems has changes", name)
		}
	}
}
