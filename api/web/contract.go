package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/store"
)

// contractPage is what a draft's table is asked to be, from this release on.
type contractPage struct {
	frame
	Dataset *catalog.Dataset
	Draft   *catalog.Release
	Table   *catalog.Table
	Back    string // the draft's page
	Columns []contractColumn
	More    int // columns that are not shown
	Edit    bool
	Form    form
}

// contractColumn is one row of the form.
type contractColumn struct {
	Name, Type                string
	Key                       bool
	Rules                     catalog.Rules
	Codes                     string // a line each: VALUE=标签|label
	Ordered, Textual          bool
	Least, Greatest, Frequent string // what the data show
	Wrong                     string
}

func (s *Site) contract(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	return s.showContract(c, actor, http.StatusOK, nil)
}

func (s *Site) showContract(c *gin.Context, actor catalog.Actor, status int, change func(*contractPage)) error {
	lang := language(c)
	d, r, t, err := s.draftTableAsked(c, actor)
	if err != nil {
		return err
	}
	v := &contractPage{frame: s.frame(c, "steward", phrase(lang, "约定：%s", "Contract: %s", t.Name)), Dataset: d, Draft: r, Table: t, Back: "/steward/drafts/" + r.ID}
	v.NoIndex = true
	v.Path = v.Back + "/contract/" + t.Name
	_, v.Edit = possible(actor, d, r)
	v.Form = newForm(nil)
	for i, f := range t.Schema.Fields {
		if i == dictionaryRows {
			v.More = len(t.Schema.Fields) - i
			break
		}
		row := contractColumn{Name: f.Name, Type: typeWords[f.Type].In(lang), Key: slices.Contains(t.Schema.Key, f.Name), Rules: f.Rules, Codes: codeLines(f.Codes),
			Ordered: catalog.Ordered(f.Type), Textual: f.Type == catalog.String}
		if t.Profile != nil && i < len(t.Profile.Columns) {
			p := &t.Profile.Columns[i]
			if row.Ordered {
				row.Least, row.Greatest = p.Min, p.Max
			}
			if p.Exact && p.Distinct <= int64(len(p.Top)) {
				var values []string
				for _, x := range p.Top {
					values = append(values, x.Value)
				}
				row.Frequent = strings.Join(values, phrase(lang, "、", ", "))
			}
		}
		v.Columns = append(v.Columns, row)
	}
	if change != nil {
		change(v)
	}
	return s.render(c, status, "contract", v)
}

// codeLines writes a code list as the form has it.
func codeLines(codes []catalog.Code) string {
	var lines []string
	for _, c := range codes {
		line := c.Value
		if c.Label.Zh != "" || c.Label.En != "" {
			line += "=" + c.Label.Zh
		}
		if c.Label.En != "" {
			line += "|" + c.Label.En
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// codesOfLines is its inverse.
func codesOfLines(text string) []catalog.Code {
	var codes []catalog.Code
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		value, label, _ := strings.Cut(line, "=")
		zh, en, _ := strings.Cut(label, "|")
		codes = append(codes, catalog.Code{Value: strings.TrimSpace(value), Label: catalog.Text{Zh: strings.TrimSpace(zh), En: strings.TrimSpace(en)}})
	}
	return codes
}

// changeContract keeps what the form says; the file is held to it at once.
func (s *Site) changeContract(c *gin.Context) error {
	actor, f, err := signedForm(c)
	if err != nil {
		return err
	}
	id, table := c.Param("id"), c.Param("table")
	err = s.setContract(c.Request.Context(), actor, id, table, f)
	if err == nil {
		return seeOther(c, "/steward/drafts/"+id+"?done=contract")
	}
	kind := catalog.KindOf(err)
	if kind != catalog.Invalid && kind != catalog.Conflict {
		return err
	}
	// Nothing that was typed is lost.
	return s.showContract(c, actor, handle.Status(kind), func(v *contractPage) {
		v.Form.General = sentence(v.Lang, err)
		typed := contractOf(f)
		for i := range v.Columns {
			row := &v.Columns[i]
			if w, ok := typed.Fields[row.Name]; ok {
				row.Rules, row.Codes, row.Key = *w.Rules, codeLines(w.Codes), slices.Contains(*typed.Key, row.Name)
			}
			if wrongColumnOf(err) == row.Name {
				row.Wrong = sentence(v.Lang, err)
			}
		}
	})
}

// wrongColumnOf is the column an error is about, or "".
func wrongColumnOf(err error) string {
	var e *catalog.Error
	if !errors.As(err, &e) {
		return ""
	}
	column, _ := e.Fields["column"].(string)
	return column
}

// contractOf reads the form: column and what is asked of it come repeated and in
// order; boxes that are ticked hold the column's name.
func contractOf(f form) store.TableWords {
	key := slices.Clone(f.Values["key"])
	w := store.TableWords{Key: &key, Fields: map[string]store.FieldWords{}}
	at := func(name string, i int) string {
		if v := f.Values[name]; i < len(v) {
			return strings.TrimSpace(strings.ReplaceAll(v[i], "\r\n", "\n"))
		}
		return ""
	}
	for i, name := range f.Values["column"] {
		ticked := func(box string) bool { return slices.Contains(f.Values[box], name) }
		w.Fields[name] = store.FieldWords{Codes: codesOfLines(at("codes", i)), Rules: &catalog.Rules{
			Required: ticked("required"), Unique: ticked("unique"), Minimum: at("minimum", i), Maximum: at("maximum", i), Pattern: at("pattern", i), Listed: ticked("listed"),
		}}
	}
	return w
}

func (s *Site) setContract(ctx context.Context, actor catalog.Actor, id, table string, f form) error {
	r, err := s.Store.Draft(ctx, actor, id)
	if err != nil {
		return err
	}
	t, err := r.Table(table)
	if err != nil {
		return err
	}
	w := contractOf(f)
	for i := range t.Schema.Fields {
		field := &t.Schema.Fields[i]
		if words, ok := w.Fields[field.Name]; ok {
			words.Label, words.Unit, words.Description, words.Latin = field.Label, field.Unit, field.Description, field.Latin
			w.Fields[field.Name] = words
		} else if slices.Contains(t.Schema.Key, field.Name) { // of a column that the form does not show
			*w.Key = append(*w.Key, field.Name)
		}
	}
	return s.Store.DescribeTable(ctx, actor, id, t.Name, w)
}
