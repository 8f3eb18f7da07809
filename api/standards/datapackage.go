package standards

import (
	"bytes"
	"encoding/json"
	"mime"
	"strconv"
	"strings"
	"time"

	"taihu/catalog"
)

// dataPackage describes the archive in the form of Data Package v2: each table
// is a tabular resource with a Table Schema, each attachment a plain one. The
// uploaded originals of tables are its sources: as resources, readers would take
// them for tables of their own, in whatever encoding they came.
type dataPackage struct {
	Schema       string        `json:"$schema"`
	Name         string        `json:"name"`
	ID           string        `json:"id"`
	Title        string        `json:"title"`
	Description  string        `json:"description,omitempty"`
	Homepage     string        `json:"homepage"`
	Version      string        `json:"version"`
	Created      string        `json:"created,omitempty"`
	Keywords     []string      `json:"keywords,omitempty"`
	Licences     []dpLicence   `json:"licenses"`
	Contributors []contributor `json:"contributors"`
	Sources      []dpSource    `json:"sources,omitempty"`
	Resources    []resource    `json:"resources,omitempty"`
	Citation     catalog.Text  `json:"citation"`
	Titles       catalog.Text  `json:"titles"`
	Descriptions catalog.Text  `json:"descriptions"`
	Conditions   *catalog.Text `json:"conditions,omitempty"`
	Simulated    bool          `json:"simulated,omitempty"`
}

type dpLicence struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Title string `json:"title"`
}

type contributor struct {
	Title string   `json:"title"`
	Path  string   `json:"path,omitempty"`
	Roles []string `json:"roles"`
}

type dpSource struct {
	Title string `json:"title"`
	Path  string `json:"path,omitempty"`
	Bytes *int64 `json:"bytes,omitempty"`
	Hash  string `json:"hash,omitempty"`
}

type resource struct {
	Name      string       `json:"name"`
	Type      string       `json:"type,omitempty"`
	Path      string       `json:"path"`
	Title     string       `json:"title,omitempty"`
	Format    string       `json:"format,omitempty"`
	MediaType string       `json:"mediatype,omitempty"`
	Encoding  string       `json:"encoding,omitempty"`
	Bytes     int64        `json:"bytes"`
	Hash      string       `json:"hash"`
	Rows      *int64       `json:"rows,omitempty"`
	Content   string       `json:"content_sha256,omitempty"`
	Schema    *tableSchema `json:"schema,omitempty"`
}

type tableSchema struct {
	Schema        string        `json:"$schema"`
	Fields        []schemaField `json:"fields"`
	MissingValues []string      `json:"missingValues"`
	PrimaryKey    []string      `json:"primaryKey,omitempty"`
}

type schemaField struct {
	Name         string         `json:"name"`
	Type         string         `json:"type"`
	Title        string         `json:"title,omitempty"`
	Description  string         `json:"description,omitempty"`
	Unit         string         `json:"unit,omitempty"`
	Labels       *catalog.Text  `json:"labels,omitempty"`
	Descriptions *catalog.Text  `json:"descriptions,omitempty"`
	Codes        []catalog.Code `json:"codes,omitempty"`
	TaihuType    catalog.Type   `json:"taihu_type"`
	Constraints  *constraints   `json:"constraints,omitempty"`
}

// constraints are those of Table Schema (specs.frictionlessdata.io/table-schema).
type constraints struct {
	Required bool     `json:"required,omitempty"`
	Unique   bool     `json:"unique,omitempty"`
	Minimum  any      `json:"minimum,omitempty"`
	Maximum  any      `json:"maximum,omitempty"`
	Pattern  string   `json:"pattern,omitempty"`
	Enum     []string `json:"enum,omitempty"`
}

const (
	packageProfile = "https://datapackage.org/profiles/2.0/datapackage.json"
	schemaProfile  = "https://datapackage.org/profiles/2.0/tableschema.json"
)

func (b *Bundle) dataPackage(kept []Kept) []byte {
	d, r := b.Dataset, b.Release
	licence, _ := catalog.LicenceOf(d.Licence)
	p := dataPackage{
		Schema: packageProfile, Name: d.Slug, ID: b.Portal.release(d.Slug, r.Number), Title: d.Title.In("zh"), Description: d.Description.In("zh"),
		Homepage: b.Portal.dataset(d.Slug), Version: strconv.Itoa(r.Number), Keywords: d.Keywords,
		Licences:     []dpLicence{{licence.Code, b.Portal.licence(d.Licence), licence.Name.In("zh")}},
		Contributors: []contributor{{b.Publisher.Name.In("zh"), b.Portal.BaseURL + "/organizations/" + b.Publisher.Slug, []string{"publisher"}}},
		Citation:     b.citation(), Titles: d.Title, Descriptions: d.Description, Simulated: d.Simulated,
	}
	if at := published(r); !at.IsZero() {
		p.Created = at.Format(time.RFC3339)
	}
	if note := d.SourceNote.In("zh"); note != "" {
		p.Sources = []dpSource{{Title: note}}
	}
	if !d.Conditions.IsZero() {
		p.Conditions = &d.Conditions
	}
	mediaType, _, _ := strings.Cut(b.Format.MediaType, ";")
	for i := range r.Tables {
		t := &r.Tables[i]
		x := resource{Name: t.Name, Type: "table", Path: kept[i].Name, Title: t.Title.In("zh"), Format: b.Format.Ext, MediaType: mediaType,
			Bytes: kept[i].Blob.Size, Hash: "sha256:" + kept[i].Blob.SHA256, Rows: &t.Rows, Content: t.ContentSHA256, Schema: schemaOf(&t.Schema)}
		if b.Format.Name != "xlsx" && b.Format.Name != "parquet" {
			x.Encoding = "utf-8"
		}
		p.Resources = append(p.Resources, x)
	}
	for i := range r.Files {
		f, k := &r.Files[i], kept[len(r.Tables)+i]
		if f.Role == catalog.Source {
			p.Sources = append(p.Sources, dpSource{Title: f.Name, Path: k.Name, Bytes: &k.Blob.Size, Hash: "sha256:" + k.Blob.SHA256})
			continue
		}
		x := resource{Name: "file-" + strconv.Itoa(i+1), Path: k.Name, Title: f.Name, Bytes: k.Blob.Size, Hash: "sha256:" + k.Blob.SHA256}
		if m, _, err := mime.ParseMediaType(f.MediaType); err == nil {
			x.MediaType = m
		}
		p.Resources = append(p.Resources, x)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		panic("standards: a data package cannot be written as JSON: " + err.Error())
	}
	return out.Bytes()
}

func schemaOf(s *catalog.Schema) *tableSchema {
	out := &tableSchema{Schema: schemaProfile, MissingValues: []string{""}, PrimaryKey: s.Key}
	for _, f := range s.Fields {
		x := schemaField{Name: f.Name, Type: schemaTypes[f.Type], Title: f.Label.In("zh"), Description: f.Description.In("zh"), Unit: f.Unit, Codes: f.Codes, TaihuType: f.Type}
		if !f.Label.IsZero() {
			x.Labels = &f.Label
		}
		if !f.Description.IsZero() {
			x.Descriptions = &f.Description
		}
		x.Constraints = constraintsOf(&f)
		out.Fields = append(out.Fields, x)
	}
	return out
}

// constraintsOf returns what the contract asks of a column; nil where it asks
// nothing. Bounds of numbers are JSON numbers, digit for digit.
func constraintsOf(f *catalog.Field) *constraints {
	if f.Rules.IsZero() {
		return nil
	}
	bound := func(text string) any {
		switch {
		case text == "":
			return nil
		case f.Type == catalog.Date || f.Type == catalog.Time:
			return text
		case f.Type == catalog.Datetime:
			return text + f.Zone
		}
		return json.Number(text)
	}
	c := &constraints{Required: f.Rules.Required, Unique: f.Rules.Unique, Minimum: bound(f.Rules.Minimum), Maximum: bound(f.Rules.Maximum), Pattern: f.Rules.Pattern}
	if f.Rules.Listed {
		for _, code := range f.Codes {
			c.Enum = append(c.Enum, code.Value)
		}
	}
	return c
}

// schemaTypes are Table Schema's names of our types. Its readers take an object
// for a JSON column, which may hold any JSON: that one is any.
var schemaTypes = map[catalog.Type]string{
	catalog.Boolean: "boolean", catalog.Integer: "integer", catalog.Decimal: "number", catalog.Number: "number", catalog.Date: "date",
	catalog.Time: "time", catalog.Datetime: "datetime", catalog.String: "string", catalog.JSON: "any",
}
