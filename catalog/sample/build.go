package sample

import (
	"io"
	"slices"

	"taihu/catalog"
)

// column is a column of a generated table: its header, words and type.
type column struct {
	name  string
	words FieldWords
}

func newColumn(t catalog.Type, name, en, unit, zhAbout, enAbout string) column {
	return column{name, FieldWords{Type: t, Unit: unit, Label: catalog.Text{Zh: name, En: en}, Description: catalog.Text{Zh: zhAbout, En: enAbout}}}
}

func text(name, en, zhAbout, enAbout string) column {
	return newColumn(catalog.String, name, en, "", zhAbout, enAbout)
}

func whole(name, en, unit, zhAbout, enAbout string) column {
	return newColumn(catalog.Integer, name, en, unit, zhAbout, enAbout)
}

func fraction(name, en, unit, zhAbout, enAbout string) column {
	return newColumn(catalog.Number, name, en, unit, zhAbout, enAbout)
}

func date(name, en, zhAbout, enAbout string) column {
	return newColumn(catalog.Date, name, en, "", zhAbout, enAbout)
}

func datetime(name, en, zhAbout, enAbout string) column {
	return newColumn(catalog.Datetime, name, en, "", zhAbout, enAbout)
}

// coded returns the column with a code list.
func (c column) coded(codes ...catalog.Code) column {
	c.words.Codes = codes
	return c
}

// code is an entry of a code list.
func code(value, zh, en string) catalog.Code {
	return catalog.Code{Value: value, Label: catalog.Text{Zh: zh, En: en}}
}

// words makes entries of a code list whose values are the Chinese words
// themselves: value, English, value, English …
func words(pairs ...string) []catalog.Code {
	var list []catalog.Code
	for p := range slices.Chunk(pairs, 2) {
		list = append(list, code(p[0], p[0], p[1]))
	}
	return list
}

// rows makes a table's rows: it calls put once a row, a cell for each column;
// an empty cell is null.
type rows func(put func(cells ...string))

// sheet is a generated table and the file it is uploaded as.
type sheet struct {
	file    string // name of the file; its base names the table
	form    form
	title   catalog.Text
	columns []column
	rows    rows
	// above are lines over the header, as offices like them (XLSX only).
	above []string
	// sample makes the first ten rows public where the dataset is conditional.
	sample bool
}

// release puts sheets and notes together.
func release(dataDate, zh, en string, sheets ...sheet) Release {
	r := Release{Notes: catalog.Text{Zh: zh, En: en}, DataDate: dataDate, Words: map[string]TableWords{}}
	for _, s := range sheets {
		name := baseName(s.file)
		w := TableWords{Title: s.title, Fields: map[string]FieldWords{}}
		for _, c := range s.columns {
			w.Fields[c.name] = c.words
		}
		if s.sample {
			w.Sample = sampleOf(s)
		}
		r.Words[name] = w
		o := catalog.IngestOptions{}
		if s.form == xlsx {
			o.Table = name // else the sheet's name names it
		}
		if len(s.above) > 0 {
			o.HeaderRow = len(s.above) + 1
		}
		r.Files = append(r.Files, File{Name: s.file, Options: o, Write: func(w io.Writer) error { return s.write(w) }})
	}
	return r
}

// with adds an attachment to a release.
func (r Release) with(name, content string) Release {
	r.Files = append(r.Files, File{Name: name, Write: func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	}})
	return r
}

// simulated completes the metadata of a simulated dataset: the label, a sentence
// that says so, the source note and the publisher's contact.
func simulated(organization string, m catalog.Dataset, releases ...Release) Dataset {
	m.Simulated = true
	m.Description.Zh += "\n\n**这是示例数据**：由程序按固定种子模拟生成，用来展示平台功能，不反映任何真实情况。"
	m.Description.En += "\n\n**These are simulated data**, made by a program from fixed seeds to show what the portal does. They describe nothing real."
	m.SourceNote = catalog.Text{Zh: "示例数据，由太湖平台的示例程序模拟生成，不得当作真实数据引用。", En: "Simulated sample data made by Taihu's sample program; not to be cited as real data."}
	if m.Spatial == "" {
		m.Spatial = "无锡市域（模拟）"
	}
	if m.SecurityLevel == "" {
		m.SecurityLevel = "L1"
	}
	m.Region, m.Language = "320200", "zh-CN"
	for _, o := range Organizations() {
		if o.Slug == organization {
			m.Contact = catalog.Contact{Unit: o.Name.Zh + "数据管理岗（示例）", Phone: o.Phone, Mail: o.Mail}
		}
	}
	return Dataset{Meta: m, Organization: organization, Releases: releases}
}
