package catalog

import (
	"slices"
	"strings"
)

// Contract is what a dataset has promised of its tables, and how its files were
// read: each release is checked against it, on the server and, as taihu check
// --contract, anywhere.
type Contract struct {
	Dataset string          `json:"dataset"`
	Release int             `json:"release,omitempty"` // whose it is; 0: a draft's own
	Tables  []ContractTable `json:"tables"`
	Files   []ContractFile  `json:"files,omitempty"`
}

// ContractTable is what is promised of one table.
type ContractTable struct {
	Name   string `json:"name"`
	Schema Schema `json:"schema"`
}

// ContractFile is how a file of the release was read.
type ContractFile struct {
	Name    string        `json:"name"`
	Tables  []string      `json:"tables"`
	Options IngestOptions `json:"options"`
}

// EveryTable stands for each table that the contract does not name: that of a
// copied dataset holds whatever the table is called.
const EveryTable = "*"

// Table returns what is promised of the table called name; nil where nothing is.
func (c *Contract) Table(name string) *ContractTable {
	if c == nil {
		return nil
	}
	i := slices.IndexFunc(c.Tables, func(t ContractTable) bool { return t.Name == name })
	if i < 0 {
		i = slices.IndexFunc(c.Tables, func(t ContractTable) bool { return t.Name == EveryTable })
	}
	if i < 0 {
		return nil
	}
	return &c.Tables[i]
}

// Asked returns what of the schema a table's rows are checked for: the key, and
// the columns with rules.
func (t ContractTable) Asked() Schema {
	asked := Schema{Key: t.Schema.Key}
	for _, f := range t.Schema.Fields {
		if f.Rules.IsZero() {
			continue
		}
		part := Field{Name: f.Name, Rules: f.Rules}
		if f.Rules.Listed {
			part.Codes = f.Codes
		}
		asked.Fields = append(asked.Fields, part)
	}
	return asked
}

// Promises returns the contract that the tables of a release amount to. Of a
// file's options those stay that say how to read the next one.
func (r *Release) Promises(dataset string) *Contract {
	c := &Contract{Dataset: dataset, Release: r.Number, Tables: []ContractTable{}}
	for _, t := range r.Tables {
		c.Tables = append(c.Tables, ContractTable{t.Name, t.Schema})
	}
	for _, f := range r.Files {
		cf := ContractFile{Name: f.Name, Tables: []string{}, Options: f.Options}
		for _, t := range r.Tables {
			if t.FileID == f.ID {
				cf.Tables = append(cf.Tables, t.Name)
			}
		}
		c.Files = append(c.Files, cf)
	}
	return c
}

// OptionsFor returns the options with which a file called name is read where
// nothing else was stated: those of the file of that name; else those of the one
// file that differs from it in digits only (air-2024.csv, air-2025.csv), together
// with the name of its table, so that the table's address stays; else none.
func (c *Contract) OptionsFor(name string) IngestOptions {
	if c == nil {
		return IngestOptions{}
	}
	form := withoutDigits(name)
	var alike []*ContractFile
	for i := range c.Files {
		f := &c.Files[i]
		if f.Name == name {
			return c.carried(f)
		}
		if form != name && withoutDigits(f.Name) == form {
			alike = append(alike, f)
		}
	}
	if len(alike) != 1 {
		return IngestOptions{}
	}
	return c.sameTable(alike[0])
}

// OnlyOptions returns how the only file with tables was read, for a file that takes
// its place under another name.
func (c *Contract) OnlyOptions() IngestOptions {
	var only *ContractFile
	for i := range c.Files {
		if len(c.Files[i].Tables) == 0 {
			continue
		}
		if only != nil {
			return IngestOptions{}
		}
		only = &c.Files[i]
	}
	if only == nil {
		return IngestOptions{}
	}
	return c.sameTable(only)
}

// carried are the options of a file as they hold for the next release.
func (c *Contract) carried(f *ContractFile) IngestOptions {
	o := f.Options
	o.Settled = nil // which follow rules of their own: SettledFor
	o.Mode, o.From = "", c.Release
	return o
}

// sameTable is carried for a file of another name, whose table keeps its name.
func (c *Contract) sameTable(f *ContractFile) IngestOptions {
	o := c.carried(f)
	if len(f.Tables) == 1 {
		o.Table = f.Tables[0]
	}
	return o
}

// withoutDigits writes # for every run of digits.
func withoutDigits(name string) string {
	var b strings.Builder
	digit := false
	for _, r := range name {
		is := r >= '0' && r <= '9'
		if is && !digit {
			b.WriteByte('#')
		}
		if !is {
			b.WriteRune(r)
		}
		digit = is
	}
	return b.String()
}

// SettledFor returns the decisions about findings that hold for a file called
// name: all that mask or leave out in the file of the same name, and those about
// columns, in whatever file the column is now. That something hidden was accepted
// once says nothing of what is hidden in another file.
func (c *Contract) SettledFor(name string) []Settlement {
	var list []Settlement
	same := slices.ContainsFunc(c.Files, func(f ContractFile) bool { return f.Name == name })
	for _, f := range c.Files {
		if same && f.Name != name {
			continue
		}
		for _, s := range f.Options.Settled {
			if s.Column == "" && (!same || s.Measure == Accept) {
				continue
			}
			if !same {
				s.Table = ""
			}
			if s.From == 0 {
				s.From = c.Release
			}
			if !slices.ContainsFunc(list, func(o Settlement) bool { return o.SamePlace(&s) }) {
				list = append(list, s)
			}
		}
	}
	return list
}
