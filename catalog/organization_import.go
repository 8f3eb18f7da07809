package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Bounds of a list of organizations.
const (
	MaxOrganizationLines = 5000
	maxOrganizationDepth = 8 // levels of the tree, the top one included
)

// organizationFields are what a list of organizations can say, with the headers
// by which each is known, in lower case and without blanks.
var organizationFields = []struct {
	name    string
	words   Text
	headers []string
}{
	{"slug", Text{Zh: "机构编码", En: "code"}, []string{"机构编码", "机构标识", "机构代号", "编码", "地址名", "code", "slug", "id"}},
	{"name", Text{Zh: "机构名称", En: "name"}, []string{"机构名称", "名称", "单位名称", "机构全称", "中文名", "中文名称", "name", "name_zh"}},
	{"name_en", Text{Zh: "英文名", En: "name_en"}, []string{"英文名", "英文名称", "name_en", "englishname"}},
	{"parent", Text{Zh: "上级机构", En: "parent"}, []string{"上级机构", "上级机构编码", "上级编码", "上级单位", "上级", "隶属", "parent", "parent_code", "parent_slug"}},
	{"category", Text{Zh: "类别", En: "category"}, []string{"类别", "机构类别", "机构类型", "类型", "category", "kind", "type"}},
	{"code", Text{Zh: "统一社会信用代码", En: "credit_code"}, []string{"统一社会信用代码", "信用代码", "机构代码", "credit_code", "uscc", "organization_code"}},
	{"region", Text{Zh: "地区", En: "region"}, []string{"地区", "所属地区", "行政区划", "行政区划代码", "区划代码", "region", "region_code"}},
	{"phone", Text{Zh: "电话", En: "phone"}, []string{"电话", "联系电话", "办公电话", "phone", "tel"}},
	{"mail", Text{Zh: "邮箱", En: "mail"}, []string{"邮箱", "电子邮箱", "邮件", "mail", "email"}},
	{"description", Text{Zh: "简介", En: "description"}, []string{"简介", "说明", "职能", "description", "description_zh"}},
	{"description_en", Text{Zh: "英文简介", En: "description_en"}, []string{"英文简介", "description_en"}},
}

// OrganizationLine is one row of a list: the cells of the columns that the list
// has, by field. What it has no column for stays as it is.
type OrganizationLine struct {
	Row   int64             `json:"row"` // of the file, as a person counts
	Cells map[string]string `json:"cells"`
}

// OrganizationList is a list of organizations as it was read from a file.
type OrganizationList struct {
	Headers map[string]string  `json:"headers"` // field → the header as it stands
	Ignored []string           `json:"ignored,omitempty"`
	Lines   []OrganizationLine `json:"lines"`
}

// LineProblem is why a list of organizations cannot be taken as it is, and where.
type LineProblem struct {
	Row    int64  `json:"row,omitempty"` // 0: the whole list
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	What   Text   `json:"what"`
}

// OrganizationChange is one organization that a list makes or changes.
type OrganizationChange struct {
	Row    int64        `json:"row"`
	New    bool         `json:"new"`
	After  Organization `json:"after"`  // without the id of a parent that is itself new
	Parent string       `json:"parent"` // slug; "": at the top
	Fields []string     `json:"fields"` // headers of what changes
}

// OrganizationPlan is what taking a list would do.
type OrganizationPlan struct {
	Changes  []OrganizationChange `json:"changes"` // those above before those below
	Same     int                  `json:"same"`    // lines that change nothing
	Problems []LineProblem        `json:"problems"`
}

// Digest tells plans apart, so that what is done is what was shown.
func (p *OrganizationPlan) Digest() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("catalog: a plan cannot be written as JSON: %v", err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Count returns how many organizations would be made and how many changed.
func (p *OrganizationPlan) Count() (made, changed int) {
	for _, c := range p.Changes {
		if c.New {
			made++
		} else {
			changed++
		}
	}
	return made, changed
}

// NewOrganizationList understands the headers of a table. The problems are those of
// the headers; lines are added with Add.
func NewOrganizationList(headers []string) (l *OrganizationList, fields []string, problems []LineProblem) {
	l = &OrganizationList{Headers: map[string]string{}}
	fields = make([]string, len(headers)) // of each column; "": ignored
	for i, h := range headers {
		h = strings.TrimSpace(h)
		field := organizationField(h)
		switch {
		case field == "" && h != "":
			l.Ignored = append(l.Ignored, h)
		case field == "":
		case l.Headers[field] != "":
			problems = append(problems, LineProblem{Column: h, What: Text{
				Zh: fmt.Sprintf("“%s”和“%s”说的是同一项：留下一列。", l.Headers[field], h), En: fmt.Sprintf("%q and %q say the same: leave one of them.", l.Headers[field], h)}})
		default:
			l.Headers[field], fields[i] = h, field
		}
	}
	for _, f := range organizationFields[:2] {
		if l.Headers[f.name] == "" && (f.name != "name" || l.Headers["name_en"] == "") {
			problems = append(problems, LineProblem{What: Text{
				Zh: fmt.Sprintf("缺少“%s”一列（也可写作%s）。", f.words.Zh, f.words.En), En: fmt.Sprintf("There is no column %s (or %s).", f.words.En, f.words.Zh)}})
		}
	}
	return l, fields, problems
}

func organizationField(header string) string {
	h := strings.ToLower(strings.Join(strings.Fields(header), ""))
	h = strings.ReplaceAll(h, "-", "_")
	for _, f := range organizationFields {
		if slices.Contains(f.headers, h) {
			return f.name
		}
	}
	return ""
}

// Add takes one row of the table; one without a value is left out.
func (l *OrganizationList) Add(row int64, fields, cells []string) {
	line := OrganizationLine{Row: row, Cells: map[string]string{}}
	filled := false
	for i, f := range fields {
		if f == "" || i >= len(cells) {
			continue
		}
		v := strings.TrimSpace(cells[i])
		if f == "slug" {
			v = strings.ToLower(v)
		}
		line.Cells[f] = v
		filled = filled || v != ""
	}
	if filled {
		l.Lines = append(l.Lines, line)
	}
}

// Plan says what taking the list would do to the organizations that exist. It
// changes nothing where a problem is found anywhere.
func (l *OrganizationList) Plan(existing []Organization) *OrganizationPlan {
	p := &planner{list: l, plan: &OrganizationPlan{Changes: []OrganizationChange{}, Problems: []LineProblem{}}, known: map[string]*Organization{}, slugs: map[string]string{}, line: map[string]int{}, parents: map[string]string{}, names: map[string][]string{}}
	for i := range existing {
		p.known[existing[i].Slug], p.slugs[existing[i].ID] = &existing[i], existing[i].Slug
	}
	if len(l.Lines) > MaxOrganizationLines {
		p.plan.Problems = append(p.plan.Problems, LineProblem{What: Text{
			Zh: fmt.Sprintf("有%d行，一次最多%d行。", len(l.Lines), MaxOrganizationLines), En: fmt.Sprintf("There are %d lines; at most %d are taken at a time.", len(l.Lines), MaxOrganizationLines)}})
		return p.plan
	}
	p.read()
	p.hang()
	if len(p.plan.Problems) == 0 {
		p.compare()
	}
	slices.SortStableFunc(p.plan.Problems, func(a, b LineProblem) int { return cmp.Compare(a.Row, b.Row) })
	return p.plan
}

// planner is the state of one Plan.
type planner struct {
	list    *OrganizationList
	plan    *OrganizationPlan
	known   map[string]*Organization // by slug
	slugs   map[string]string        // of those that exist, by id
	line    map[string]int           // of each slug of the list
	parents map[string]string        // slug → slug of the one above, after the list
	names   map[string][]string      // name → slugs, after the list
}

func (p *planner) problem(l *OrganizationLine, field, zh, en string, args ...any) {
	p.plan.Problems = append(p.plan.Problems, LineProblem{Row: l.Row, Column: p.list.Headers[field], Value: l.Cells[field],
		What: Text{Zh: fmt.Sprintf(zh, args...), En: fmt.Sprintf(en, args...)}})
}

// read looks at each line alone, and for two of one code.
func (p *planner) read() {
	if len(p.list.Lines) == 0 {
		p.plan.Problems = append(p.plan.Problems, LineProblem{What: Text{Zh: "表头下面没有机构。", En: "There is no organization below the header."}})
	}
	for i := range p.list.Lines {
		l := &p.list.Lines[i]
		slug := l.Cells["slug"]
		if first, twice := p.line[slug]; twice && slug != "" {
			p.problem(l, "slug", "编码“%s”在第%d行已经用过。", "The code %q stands in row %d already.", slug, p.list.Lines[first].Row)
			continue
		}
		o := p.after(l)
		if err := o.Check(); err != nil {
			var e *Error
			errors.As(err, &e)
			field, _ := e.Fields["field"].(string)
			if field == "" {
				field = "slug"
			}
			p.plan.Problems = append(p.plan.Problems, LineProblem{Row: l.Row, Column: p.header(field), Value: l.Cells[field], What: Text{Zh: e.Zh + "。", En: strings.ToUpper(e.Message[:1]) + e.Message[1:] + "."}})
		}
		p.line[slug] = i
	}
}

// header is what a field is called in this list.
func (p *planner) header(field string) string {
	if h := p.list.Headers[field]; h != "" {
		return h
	}
	for _, f := range organizationFields {
		if f.name == field {
			return f.words.Zh
		}
	}
	return field
}

// after is the organization of a line as the list leaves it, its parent aside.
func (p *planner) after(l *OrganizationLine) Organization {
	o := Organization{Slug: l.Cells["slug"]}
	if old := p.known[o.Slug]; old != nil {
		o = *old
	}
	for field, v := range l.Cells {
		if to := o.said(field); to != nil {
			*to = v
		}
	}
	return o
}

// hang finds the parent of each line, and circles and depths of what comes out.
func (p *planner) hang() {
	for slug, o := range p.known {
		p.parents[slug] = p.slugs[o.ParentID]
		if _, changes := p.line[slug]; !changes {
			p.name(o.Name, slug)
		}
	}
	for i := range p.list.Lines {
		l := &p.list.Lines[i]
		p.name(p.after(l).Name, l.Cells["slug"])
	}
	for i := range p.list.Lines {
		l := &p.list.Lines[i]
		if said, ok := l.Cells["parent"]; ok {
			p.parents[l.Cells["slug"]] = p.parent(l, said)
		} else if _, there := p.parents[l.Cells["slug"]]; !there {
			p.parents[l.Cells["slug"]] = ""
		}
	}
	told := map[string]bool{}
	for i := range p.list.Lines {
		l := &p.list.Lines[i]
		way := p.way(l.Cells["slug"])
		last := way[len(way)-1]
		switch above := p.parents[last]; {
		case above != "": // the way ended before the top: it has come round
			ring := way[slices.Index(way, above):]
			if slices.Contains(ring, l.Cells["slug"]) && !told[l.Cells["slug"]] {
				for _, s := range ring {
					told[s] = true
				}
				p.problem(l, "parent", "隶属成了圈：%s。", "This makes a circle: %s.", strings.Join(append(slices.Clone(ring), above), " → "))
			}
		case len(way) > maxOrganizationDepth:
			p.problem(l, "parent", "层次太深：第%d层，最多%d层。", "This lies too deep: level %d of at most %d.", len(way), maxOrganizationDepth)
		}
	}
}

func (p *planner) name(t Text, slug string) {
	for _, n := range []string{t.Zh, t.En} {
		if n != "" && !slices.Contains(p.names[n], slug) {
			p.names[n] = append(p.names[n], slug)
		}
	}
}

// parent finds who is meant by a code or by a name that only one has.
func (p *planner) parent(l *OrganizationLine, said string) string {
	if said == "" {
		return ""
	}
	slug := strings.ToLower(said)
	_, listed := p.line[slug]
	switch named := p.names[said]; {
	case listed || p.known[slug] != nil:
	case len(named) == 1:
		slug = named[0]
	case len(named) > 1:
		slices.Sort(named)
		p.problem(l, "parent", "叫“%s”的机构有%d个（%s）：请写编码。", "%[1]q is the name of %[2]d organizations (%[3]s): give the code.", said, len(named), strings.Join(named, "、"))
		return ""
	default:
		p.problem(l, "parent", "没有机构“%s”：表里没有这个编码或名称，本站也没有。", "There is no organization %q, neither in the list nor on the portal.", said)
		return ""
	}
	if slug == l.Cells["slug"] {
		p.problem(l, "parent", "机构不能是自己的上级。", "An organization cannot lie below itself.")
		return ""
	}
	return slug
}

// way is the slugs from one up to the top, or up to where it comes round.
func (p *planner) way(slug string) []string {
	way := []string{slug}
	for above := p.parents[slug]; above != "" && !slices.Contains(way, above); above = p.parents[above] {
		way = append(way, above)
	}
	return way
}

// compare lists what changes, those above first.
func (p *planner) compare() {
	depth := map[string]int{}
	for i := range p.list.Lines {
		l := &p.list.Lines[i]
		c := OrganizationChange{Row: l.Row, After: p.after(l), Parent: p.parents[l.Cells["slug"]]}
		depth[c.After.Slug] = len(p.way(c.After.Slug))
		old := p.known[c.After.Slug]
		c.New = old == nil
		c.After.ParentID = ""
		if above := p.known[c.Parent]; above != nil {
			c.After.ParentID = above.ID
		}
		for _, f := range organizationFields[1:] {
			v, said := l.Cells[f.name]
			if !said || c.New && v == "" {
				continue
			}
			if c.New || f.name == "parent" && c.Parent != p.slugs[old.ParentID] || f.name != "parent" && v != *old.said(f.name) {
				c.Fields = append(c.Fields, p.list.Headers[f.name])
			}
		}
		if !c.New && len(c.Fields) == 0 {
			p.plan.Same++
			continue
		}
		p.plan.Changes = append(p.plan.Changes, c)
	}
	slices.SortStableFunc(p.plan.Changes, func(a, b OrganizationChange) int { return depth[a.After.Slug] - depth[b.After.Slug] })
}

// said points to what an organization says in a field of a list; nil where the
// field is none of its words.
func (o *Organization) said(field string) *string {
	switch field {
	case "name":
		return &o.Name.Zh
	case "name_en":
		return &o.Name.En
	case "category":
		return &o.Category
	case "code":
		return &o.Code
	case "region":
		return &o.Region
	case "phone":
		return &o.Phone
	case "mail":
		return &o.Mail
	case "description":
		return &o.Description.Zh
	case "description_en":
		return &o.Description.En
	}
	return nil
}
