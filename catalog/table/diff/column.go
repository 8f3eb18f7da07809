package diff

import (
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// ColumnChange is a column of either table, or of both.
type ColumnChange struct {
	Name   string      `json:"name" doc:"In the new table, or in the old where it is gone"`
	Change Change      `json:"change" enum:"same,added,removed,changed" doc:"changed: another type, offset, unit or spelling of the name"`
	Old    *ColumnForm `json:"old,omitempty"`
	New    *ColumnForm `json:"new,omitempty"`
	Words  []string    `json:"words,omitempty" doc:"Which of label, description and codes differ"`
	Cells  int64       `json:"cells" doc:"How many cells of it differ in changed rows"`
}

// ColumnForm is what a column is in one table.
type ColumnForm struct {
	Name      string       `json:"name"`
	Position  int          `json:"position" doc:"1 for the first column"`
	Type      catalog.Type `json:"type"`
	Precision int          `json:"precision,omitempty"`
	Scale     int          `json:"scale,omitempty"`
	Zone      string       `json:"zone,omitempty"`
	Unit      string       `json:"unit,omitempty"`
}

// columnsOf compares the columns of two tables.
func columnsOf(old, new *catalog.Schema) []ColumnChange {
	matches := match(old, new)
	byNew, kept := map[int]int{}, map[int]bool{}
	for _, m := range matches {
		byNew[m.new], kept[m.old] = m.old, true
	}
	out := make([]ColumnChange, 0, len(new.Fields))
	for i := range new.Fields {
		c := ColumnChange{Name: new.Fields[i].Name, New: formOf(new, i), Change: Added}
		if j, ok := byNew[i]; ok {
			c.Old, c.Change = formOf(old, j), Same
			c.Words = wordsChanged(&old.Fields[j], &new.Fields[i])
			was := *c.Old
			was.Position = c.New.Position // where a column stands means nothing
			if was != *c.New {
				c.Change = Changed
			}
		}
		out = append(out, c)
	}
	for j := range old.Fields {
		if !kept[j] {
			out = append(out, ColumnChange{Name: old.Fields[j].Name, Old: formOf(old, j), Change: Removed})
		}
	}
	return out
}

func formOf(s *catalog.Schema, i int) *ColumnForm {
	f := &s.Fields[i]
	return &ColumnForm{Name: f.Name, Position: i + 1, Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: zoneOf(f), Unit: f.Unit}
}

func zoneOf(f *catalog.Field) string {
	if f.Type == catalog.Datetime && f.Zone == "" {
		return catalog.DefaultZone
	}
	return f.Zone
}

func wordsChanged(old, new *catalog.Field) []string {
	var out []string
	if old.Label != new.Label {
		out = append(out, "label")
	}
	if old.Description != new.Description {
		out = append(out, "description")
	}
	if !slices.Equal(old.Codes, new.Codes) {
		out = append(out, "codes")
	}
	return out
}

// pair is a column that both tables have.
type pair struct {
	old, new int // indexes of fields
	how      how
}

// how the values of a pair are compared.
type how int

const (
	exactly   how = iota // stored alike: as they are
	asNumbers            // two types of number: by value
	asWritten            // as texts
)

// match pairs the columns of two tables by name, in the order of the new one.
// Names are unique without regard to case in each.
func match(old, new *catalog.Schema) []pair {
	var out []pair
	for i := range new.Fields {
		f := &new.Fields[i]
		j := slices.IndexFunc(old.Fields, func(g catalog.Field) bool { return strings.EqualFold(g.Name, f.Name) })
		if j >= 0 {
			out = append(out, pair{old: j, new: i, how: howOf(&old.Fields[j], f)})
		}
	}
	return out
}

func howOf(a, b *catalog.Field) how {
	texts := func(f *catalog.Field) bool { return f.Type == catalog.String || f.Type == catalog.JSON }
	numbers := func(f *catalog.Field) bool {
		return f.Type == catalog.Integer || f.Type == catalog.Decimal || f.Type == catalog.Number
	}
	switch {
	case texts(a) && texts(b):
		return exactly
	case a.Type == catalog.Decimal && b.Type == catalog.Decimal && a.Scale == b.Scale && table.Wide(a.Precision) == table.Wide(b.Precision):
		return exactly
	case a.Type == b.Type && a.Type != catalog.Decimal && zoneOf(a) == zoneOf(b):
		return exactly
	case numbers(a) && numbers(b):
		return asNumbers
	}
	return asWritten
}

// appendForm appends what a value of a pair is compared by.
func (h how) appendForm(dst []byte, v *table.Vector, i int) []byte {
	if h == asNumbers {
		return table.AppendNumberForm(dst, string(v.AppendText(nil, i)))
	}
	return v.AppendText(dst, i)
}

// keyOf finds the columns of a key among the pairs.
func keyOf(names []string, matches []pair, old, new *catalog.Schema) ([]int, error) {
	var key []int
	for _, name := range names {
		at := new.Index(name)
		if at < 0 && old.Index(name) < 0 {
			return nil, table.UnknownColumn(new, name).With("parameter", "key")
		}
		i := slices.IndexFunc(matches, func(m pair) bool { return m.new == at })
		if i < 0 {
			return nil, catalog.Errorf(catalog.Invalid, "bad_key", "the column %q is in one of the two tables only, so it cannot be the key: name columns that both have", name).
				With("parameter", "key").With("column", name).InChinese("列“%s”只在其中一版有，不能作主键：请用两版都有的列", name)
		}
		if slices.Contains(key, i) {
			return nil, catalog.Errorf(catalog.Invalid, "bad_key", "the key names the column %q twice: name it once", name).
				With("parameter", "key").With("column", name).InChinese("主键里列“%s”写了两次：只写一次", name)
		}
		key = append(key, i)
	}
	return key, nil
}
