package ingest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"taihu/catalog"
)

// Known is what the portal knows that bears on the tables of a file.
type Known struct {
	Title  catalog.Text   // of the dataset
	Twins  []catalog.Twin // tables of the same content elsewhere
	Wholes []catalog.Twin // tables elsewhere of which one seems to be a part
}

// findings are the problems that a table has beside others, or with its title.
// They are found in the job that reads the file: check, offline, knows no portal.
func (k Known) findings(tables []catalog.Table) []catalog.Finding {
	var list []catalog.Finding
	told := map[string]bool{}
	for _, t := range k.Twins {
		if told[t.Table] {
			continue
		}
		told[t.Table] = true
		f := found("duplicate_content", "与数据集“%[1]s”的表%[2]s内容完全相同。", "The table has the same content as %[2]s of the dataset %[3]s.", t.Title.In("zh"), t.Other, t.Dataset)
		f.Table, f.Value = t.Table, t.Dataset+"/"+t.Other
		list = append(list, f)
	}
	for _, t := range k.Wholes {
		if told[t.Table] {
			continue
		}
		told[t.Table] = true
		f := found("fragment", "从行的抽样看，是数据集“%[1]s”的表%[2]s的一部分。", "As far as a sample of rows shows, the table is a part of %[2]s of the dataset %[3]s.", t.Title.In("zh"), t.Other, t.Dataset)
		f.Table, f.Value = t.Table, t.Dataset+"/"+t.Other
		list = append(list, f)
	}
	for i := range tables {
		for _, title := range []catalog.Text{k.Title, tables[i].Title} {
			if f := titleAtOdds(title, &tables[i]); f != nil {
				list = append(list, *f)
				break
			}
		}
	}
	return list
}

// yearOfTitle is a year as the title of the data of that year has it; with the
// characters around it, which may say that it is one end of a time.
var yearOfTitle = regexp.MustCompile(`(^|[^0-9])((?:19|20)[0-9]{2})年(.?)`)

// inBrackets is what titles say of their source, such as (Eisner, 2014).
var inBrackets = regexp.MustCompile(`[（(][^（）()]*[）)]`)

// titleAtOdds compares the one year that a title names (2023年…) with the years of
// the table's dates: where every column with dates or years lies before it, or
// after it, one of the two is wrong. A title with several years, with a year in
// brackets or one from or until which it counts, or a table without dates, says
// nothing.
func titleAtOdds(title catalog.Text, t *catalog.Table) *catalog.Finding {
	var years []int
	for _, m := range yearOfTitle.FindAllStringSubmatch(inBrackets.ReplaceAllString(title.Zh, ""), -1) {
		if m[1] != "" && strings.Contains("至到—–-~", m[1]) || m[3] != "" && strings.Contains("以前后至到起末底—–-~", m[3]) {
			return nil
		}
		if y := yearOf(m[2]); !slices.Contains(years, y) {
			years = append(years, y)
		}
	}
	if len(years) != 1 || t.Profile == nil {
		return nil
	}
	var column string
	var span [2]int
	for i, f := range t.Schema.Fields {
		if i >= len(t.Profile.Columns) || !datesOf(f) {
			continue
		}
		first, last := yearOf(t.Profile.Columns[i].Min), yearOf(t.Profile.Columns[i].Max)
		switch {
		case first == 0 || last == 0:
			continue
		case first <= years[0] && years[0] <= last:
			return nil
		case column == "":
			column, span = f.Name, [2]int{first, last}
		}
	}
	if column == "" {
		return nil
	}
	f := found("title_at_odds", "标题写的是%[1]d年，而“%[2]s”列在%[3]d年至%[4]d年之间。", "The title says %[1]d, but the column %[2]q runs from %[3]d to %[4]d.", years[0], column, span[0], span[1])
	f.Table, f.Value = t.Name, title.In("zh")
	return &f
}

// datesOf reports whether a column holds dates, or years by its name.
func datesOf(f catalog.Field) bool {
	name := strings.ToLower(f.Name)
	return f.Type == catalog.Date || f.Type == catalog.Datetime ||
		f.Type == catalog.Integer && (strings.Contains(name, "年份") || strings.Contains(name, "年度") || name == "年" || name == "year")
}

// yearOf reads the year with which a date or number begins; 0 where it is none.
func yearOf(s string) int {
	if len(s) < 4 || len(s) > 4 && s[4] != '-' {
		return 0
	}
	y, err := strconv.Atoi(s[:4])
	if err != nil {
		return 0
	}
	return y
}
