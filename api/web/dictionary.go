package web

import "taihu/catalog"

// dictionaryRow describes one column.
type dictionaryRow struct {
	Name, Sub   string
	Kind        columnKind
	Type, Unit  string
	Description catalog.Text
	Example     string
	Rule        string
	Report      string // address at which an error in the column is reported
	Joins       string // address of what shares its values; empty where it is not compared
}

const dictionaryRows = 400

// dictionary describes each column with an example from the first rows.
func (v *datasetPage) dictionary() {
	t := v.Table
	for i, f := range t.Schema.Fields {
		if i == dictionaryRows {
			v.MoreFields = len(t.Schema.Fields) - i
			break
		}
		var p *catalog.ColumnProfile
		if t.Profile != nil && i < len(t.Profile.Columns) {
			p = &t.Profile.Columns[i]
		}
		row := dictionaryRow{Name: f.Name, Sub: subName(v.Lang, f), Kind: kindOf(f, p, t.Rows), Type: typeWords[f.Type].In(v.Lang), Unit: f.Unit, Description: f.Description,
			Report: feedbackFormPath(v.Lang, v.Dataset.Slug, v.Release.Number, t.Name, f.Name, 0, "")}
		if f.Type == catalog.Decimal {
			row.Type += phrase(v.Lang, "（%d位，小数%d位）", " (%d digits, %d after the point)", f.Precision, f.Scale)
		}
		if f.Type == catalog.Datetime && f.Zone != "" {
			row.Type += phrase(v.Lang, "（时区%s）", " (offset %s)", f.Zone)
		}
		for _, r := range v.Grid.Rows {
			if i < len(r.Cells) && !r.Cells[i].Null && !r.Cells[i].Empty {
				row.Example = cut(r.Cells[i].Text, 40)
				break
			}
		}
		if v.Readable && p != nil && t.Rows > 0 {
			row.Rule = ruleOf(v.Lang, f.Type, p, t.Rows)
		}
		if len(f.Codes) > 0 {
			row.Rule = codeWords(v.Lang, f.Codes)
		}
		if v.Latest && f.Type.Sketched() && v.Dataset.OpenAttribute == catalog.Unconditional {
			row.Joins = href(v.Lang, joinsPath(v.Dataset.Slug, t.Name, f.Name))
		}
		v.Dictionary = append(v.Dictionary, row)
	}
}

// ruleOf says what the profile shows of a column's values.
func ruleOf(lang string, kind catalog.Type, p *catalog.ColumnProfile, rows int64) string {
	s := phrase(lang, "无空值", "no nulls")
	if p.Nulls > 0 {
		s = phrase(lang, "空%s", "null %s", percent(p.Nulls, rows))
	}
	switch {
	case p.Exact && p.Distinct == rows && rows > 1:
		s += phrase(lang, "，各不相同", ", all different")
	case kind == catalog.Boolean:
	case kind == catalog.String || kind == catalog.JSON:
		if p.Distinct > 0 {
			s += phrase(lang, "，%s个不同值", ", %s different", number(p.Distinct))
		}
	case p.Min != "" && p.Max != "":
		s += phrase(lang, "，%s至%s", ", %s to %s", shortValue(p.Min), shortValue(p.Max))
	}
	return s
}

func codeWords(lang string, codes []catalog.Code) string {
	s := ""
	for i, c := range codes {
		if i == 6 {
			return s + phrase(lang, "……共%d个", " … %d in all", len(codes))
		}
		if i > 0 {
			s += phrase(lang, "；", "; ")
		}
		s += c.Value
		if l := c.Label.In(lang); l != "" && l != c.Value {
			s += " " + l
		}
	}
	return s
}
