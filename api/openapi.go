package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"taihu/api/export"
	"taihu/api/web"
	"taihu/catalog"
	"taihu/catalog/table"
)

// The description of one table: what the portal's own OpenAPI document says of
// all tables, with this one's addresses, columns and examples.

const openapiType = "application/openapi+json"

func (a *API) openapiRoutes() {
	answers := map[string]*huma.Response{"200": {Description: "An OpenAPI 3.1 document", Content: map[string]*huma.MediaType{openapiType: {Schema: &huma.Schema{Type: huma.TypeObject}}}}}
	register(a, huma.Operation{OperationID: "get-table-openapi", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/releases/{release}/tables/{table}/openapi.json", Tags: []string{"tables"},
		Summary: "OpenAPI 3.1 of one table", Description: "Rows with the types, units and labels of its columns, parameters with examples, every format. Open for conditional datasets too, without examples.", Responses: answers},
		func(ctx context.Context, actor catalog.Actor, in *TablePath) (*huma.StreamResponse, error) {
			d, r, t, err := a.findSchema(ctx, actor, in)
			if err != nil {
				return nil, err
			}
			readable := catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(d)) == nil
			document, err := json.Marshal(a.tableOpenAPI(d, r, t, readable))
			if err != nil {
				return nil, fmt.Errorf("write the description of table %s: %w", t.Name, err)
			}
			return &huma.StreamResponse{Body: func(h huma.Context) {
				h.SetHeader("Content-Type", openapiType)
				if in.Release == "latest" {
					h.SetHeader("Content-Location", a.BaseURL+tableBase(d, r, t)+"/openapi.json")
				}
				_, _ = h.BodyWriter().Write(append(document, '\n'))
			}}, nil
		})
}

func tableBase(d *catalog.Dataset, r *catalog.Release, t *catalog.Table) string {
	return fmt.Sprintf("/api/v1/datasets/%s/releases/%d/tables/%s", d.Slug, r.Number, url.PathEscape(t.Name))
}

// tableOpenAPI writes the document. What tells of values (examples, which columns
// have nulls) is in it only where they are readable.
func (a *API) tableOpenAPI(d *catalog.Dataset, r *catalog.Release, t *catalog.Table, readable bool) *huma.OpenAPI {
	portal := a.huma.OpenAPI()
	doc := &huma.OpenAPI{OpenAPI: portal.OpenAPI, Servers: []*huma.Server{{URL: a.BaseURL}}, Paths: map[string]*huma.PathItem{},
		ExternalDocs: &huma.ExternalDocs{Description: "The whole portal", URL: a.BaseURL + "/openapi.json"}}
	doc.Info = &huma.Info{Title: bothLanguages(d.Title) + " · " + t.Name, Version: fmt.Sprint(r.Number),
		Description: fmt.Sprintf("%s\n\nTable `%s` of release %d: %d rows, %d columns. A release never changes; this document is of this release.", paragraphs(d.Description.Zh, d.Description.En), t.Name, r.Number, t.Rows, len(t.Schema.Fields))}
	if licence, ok := catalog.LicenceOf(d.Licence); ok {
		doc.Info.License = &huma.License{Name: bothLanguages(licence.Name), URL: licence.URL}
	}
	doc.Components = &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)}
	problem := doc.Components.Schemas.Schema(problemType, true, "")
	row := rowSchema(t, readable)
	doc.Components.Schemas.Map()["Row"] = row
	if d.OpenAttribute != catalog.Unconditional {
		doc.Components.SecuritySchemes = portal.Components.SecuritySchemes
		doc.Security = []map[string][]string{{"token": {}}}
	}
	example := url.Values{}
	if readable {
		example = web.ExampleQuery(t)
	}
	_, _, located := table.Coordinates(&t.Schema)
	get := func(like, path, id string, more ...*huma.Param) *huma.Operation {
		op := *portal.Paths[like].Get
		op.OperationID, op.Tags, op.Metadata = id, nil, nil
		op.Parameters = more
		for _, p := range portal.Paths[like].Get.Parameters {
			if p.In != "query" || !located && (p.Name == "bbox" || p.Name == "near") {
				continue
			}
			mine := *p
			mine.Example, mine.Examples = nil, nil
			if text := example.Get(p.Name); text != "" {
				mine.Example = text
			}
			if mine.Schema != nil { // the portal's examples speak of other tables
				s := *mine.Schema
				s.Examples = nil
				mine.Schema = &s
			}
			op.Parameters = append(op.Parameters, &mine)
		}
		op.Responses = maps.Clone(op.Responses)
		for status, answer := range op.Responses {
			if answer.Content["application/problem+json"] != nil {
				mine := *answer
				mine.Content = map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}
				op.Responses[status] = &mine
			}
		}
		doc.Paths[path] = &huma.PathItem{Get: &op}
		return &op
	}

	var exts []any
	content := map[string]*huma.MediaType{}
	for _, f := range export.Formats {
		if export.Check(f.Name, export.Options{}, t.Schema.Fields) != nil {
			continue
		}
		exts = append(exts, f.Ext)
		content[f.MediaType] = &huma.MediaType{}
		switch {
		case f.Name == "json":
			content[f.MediaType].Schema = &huma.Schema{Description: "By the parameter shape: objects, which are rows; arrays or columns", OneOf: []*huma.Schema{
				{Type: huma.TypeArray, Items: &huma.Schema{Ref: "#/components/schemas/Row"}}, {Type: huma.TypeObject}}}
		case f.Name == "geojson":
			content[f.MediaType].Schema = &huma.Schema{Type: huma.TypeObject}
		case f.Packs: // texts; bytes have no schema
			content[f.MediaType].Schema = &huma.Schema{Type: huma.TypeString}
		}
	}
	format := &huma.Param{Name: "format", In: "path", Required: true, Description: "The format of the file", Schema: &huma.Schema{Type: huma.TypeString, Enum: exts}, Example: "csv"}
	file := fmt.Sprintf("/data/%s/%d/%s.{format}", d.Slug, r.Number, url.PathEscape(t.Name))
	const download = "/data/{slug}/{release}/{file}"
	op := get(download, file, "download", format)
	op.Summary, op.Description = "The table as a file, whole or filtered", fmt.Sprintf("Whole: %d rows. With a length, ranges and a strong ETag; text formats come in zstd or gzip where Accept-Encoding asks for it.", t.Rows)
	ok := *op.Responses["200"]
	ok.Content = content
	op.Responses["200"] = &ok
	manifest := get(download+manifestSuffix, file+manifestSuffix, "get-manifest", format)
	answer := *manifest.Responses["200"]
	answer.Content = map[string]*huma.MediaType{"application/json": {Schema: doc.Components.Schemas.Schema(reflect.TypeFor[Manifest](), true, "")}}
	manifest.Responses["200"] = &answer

	rows := get("/api/v1/datasets/{slug}/releases/{release}/tables/{table}/rows", tableBase(d, r, t)+"/rows", "get-rows")
	page := *rows.Responses["200"]
	page.Content = map[string]*huma.MediaType{"application/json": {Schema: pageSchema(doc.Components.Schemas)}}
	if readable {
		page.Content["application/json"].Example = map[string]any{"rows": []any{exampleRow(t)}, "next": nil}
	}
	rows.Responses["200"] = &page
	return doc
}

// pageSchema is the answer of /rows, of rows of this table.
func pageSchema(schemas huma.Registry) *huma.Schema {
	s := huma.SchemaFromType(schemas, rowsType)
	s.Properties["rows"] = &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Ref: "#/components/schemas/Row"}}
	return s
}

// rowSchema is a row as JSON writes it. No member is required: select leaves
// columns out.
func rowSchema(t *catalog.Table, readable bool) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: true,
		Description: "A row. With select only the columns named; groups have the names of their keys and aggregates instead.",
		Extensions:  map[string]any{"x-columns": t.Schema.Names()}}
	for i, f := range t.Schema.Fields {
		var p *catalog.ColumnProfile
		if readable && t.Profile != nil && i < len(t.Profile.Columns) {
			p = &t.Profile.Columns[i]
		}
		s.Properties[f.Name] = columnSchema(f, p)
	}
	return s
}

// columnSchema is a column's values as JSON writes them.
func columnSchema(f catalog.Field, p *catalog.ColumnProfile) *huma.Schema {
	s := &huma.Schema{Title: bothLanguages(f.Label), Description: bothLanguages(f.Description), Nullable: p == nil || p.Nulls > 0, Extensions: map[string]any{"x-type": f.Type}}
	switch f.Type {
	case catalog.Boolean:
		s.Type = huma.TypeBoolean
	case catalog.Integer:
		s.Type, s.Format = huma.TypeInteger, "int64"
	case catalog.Decimal:
		s.Type, s.Format = huma.TypeNumber, "decimal"
		s.Extensions["x-precision"], s.Extensions["x-scale"] = f.Precision, f.Scale
	case catalog.Number:
		s.Type, s.Format = huma.TypeNumber, "double"
		if p == nil || notFinite(p.Min) || notFinite(p.Max) {
			s.AnyOf = []*huma.Schema{{Type: huma.TypeNumber, Format: "double", Nullable: s.Nullable}, {Type: huma.TypeString, Enum: []any{"NaN", "Infinity", "-Infinity"}}}
			s.Type, s.Format, s.Nullable = "", "", false
		}
	case catalog.Date:
		s.Type, s.Format = huma.TypeString, "date"
	case catalog.Time:
		s.Type, s.Format = huma.TypeString, "time-local"
	case catalog.Datetime:
		s.Type, s.Format = huma.TypeString, "date-time"
	case catalog.JSON: // whatever it holds
		s.Nullable = false
	default:
		s.Type = huma.TypeString
	}
	if f.Unit != "" {
		s.Extensions["x-unit"] = f.Unit
		s.Description = paragraphs(s.Description, "Unit: "+f.Unit)
	}
	if len(f.Codes) > 0 {
		s.Extensions["x-codes"] = f.Codes
	}
	if p != nil && p.Example() != "" {
		s.Examples = []any{exampleValue(f, p.Example())}
	}
	return s
}

// notFinite reports whether a number is written as a text in JSON.
func notFinite(s string) bool { return s == "NaN" || strings.HasSuffix(s, "Infinity") }

// exampleValue is a value of a profile as JSON writes it.
func exampleValue(f catalog.Field, text string) any {
	literal := slices.Contains([]catalog.Type{catalog.Boolean, catalog.Integer, catalog.Decimal, catalog.Number, catalog.JSON}, f.Type)
	if literal && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}

// exampleRow is a row of values that the columns have, not together in one row.
func exampleRow(t *catalog.Table) map[string]any {
	row := map[string]any{}
	for i, f := range t.Schema.Fields {
		row[f.Name] = nil
		if t.Profile != nil && i < len(t.Profile.Columns) && t.Profile.Columns[i].Example() != "" {
			row[f.Name] = exampleValue(f, t.Profile.Columns[i].Example())
		}
	}
	return row
}

// bothLanguages are the words of a text, Chinese first.
func bothLanguages(t catalog.Text) string {
	if t.Zh == "" || t.En == "" || t.Zh == t.En {
		return t.In("zh")
	}
	return t.Zh + " / " + t.En
}

// paragraphs joins what is not empty.
func paragraphs(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "\n\n")
}
