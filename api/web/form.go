package web

import (
	"net/url"
	"strings"
)

// form is what was typed and what is wrong with it, by field name.
type form struct {
	Values  url.Values
	Wrong   map[string]string // field → sentence
	General string            // what is wrong with no single field
	order   []string
}

func newForm(v url.Values) form {
	if v == nil {
		v = url.Values{}
	}
	return form{Values: v, Wrong: map[string]string{}}
}

// refuse notes what is wrong with a field; the first word on a field stands.
func (f *form) refuse(name, why string) {
	if f.Wrong == nil {
		f.Wrong = map[string]string{}
	}
	if _, there := f.Wrong[name]; !there {
		f.Wrong[name] = why
		f.order = append(f.order, name)
	}
}

// Refused reports whether anything is wrong.
func (f form) Refused() bool { return f.General != "" || len(f.Wrong) > 0 }

// Count is how many things are wrong.
func (f form) Count() int {
	n := len(f.Wrong)
	if f.General != "" {
		n++
	}
	return n
}

// wrongField is one line of the summary on top of a form.
type wrongField struct{ Name, Why string }

// Summary lists what is wrong in the order it was found.
func (f form) Summary() []wrongField {
	out := make([]wrongField, 0, len(f.order))
	for _, n := range f.order {
		out = append(out, wrongField{n, f.Wrong[n]})
	}
	return out
}

// Get is what was typed into a field.
func (f form) Get(name string) string { return f.Values.Get(name) }

// Has reports whether one of the values of name is v.
func (f form) Has(name, v string) bool {
	for _, x := range f.Values[name] {
		if x == v {
			return true
		}
	}
	return false
}

// fieldView is one labelled input.
type fieldView struct {
	Name, Label, Hint, Value, Wrong string
	Short, Area, Required           bool
	Type, Lang                      string
	DescribedBy                     string
}

// field makes the view of an input; more holds words such as short, area,
// required, password and lang=en.
func (f form) field(name, label, hint string, more ...string) fieldView {
	v := fieldView{Name: name, Label: label, Hint: hint, Value: f.Get(name), Wrong: f.Wrong[name], Type: "text"}
	for _, m := range more {
		switch {
		case m == "short":
			v.Short = true
		case m == "area":
			v.Area = true
		case m == "required":
			v.Required = true
		case strings.HasPrefix(m, "lang="):
			v.Lang = m[5:]
		default:
			v.Type = m
		}
	}
	var by []string
	if hint != "" {
		by = append(by, name+"-h")
	}
	if v.Wrong != "" {
		by = append(by, name+"-e")
	}
	v.DescribedBy = strings.Join(by, " ")
	return v
}
