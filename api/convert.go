package api

import (
	"context"
	"net/url"
	"strconv"

	"taihu/api/export"
	"taihu/catalog"
)

// references are the organizations by id, read once for a list.
func (a *API) references(ctx context.Context) map[string]OrganizationRef {
	refs := map[string]OrganizationRef{}
	rows, err := a.Store.Organizations(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "organizations could not be read", "error", err)
		return refs
	}
	for _, r := range rows {
		refs[r.ID] = OrganizationRef{Slug: r.Slug, Name: r.Name}
	}
	return refs
}

func (a *API) wireDataset(_ context.Context, d *catalog.Dataset, refs map[string]OrganizationRef) Dataset {
	licence, _ := catalog.LicenceOf(d.Licence)
	w := Dataset{
		Slug: d.Slug, Title: d.Title, Description: d.Description, Organization: refs[d.OrganizationID],
		Themes: []NamedCode{}, Keywords: notNil(d.Keywords), Region: d.Region,
		Licence:       NamedCode{Code: d.Licence, Name: licence.Name, URL: licence.URL},
		OpenAttribute: d.OpenAttribute, Frequency: d.Frequency, CatalogueDate: d.CatalogueAt,
		Spatial: d.Spatial, TemporalStart: d.TemporalStart, TemporalEnd: d.TemporalEnd, Language: d.Language,
		Contact: d.Contact, Identifiers: notNil(d.Identifiers), SecurityLevel: d.SecurityLevel, Simulated: d.Simulated,
		PublishedAt: d.PublishedAt, NextDue: d.NextDue(), DaysLate: d.DaysLate(a.Clock()),
		RowVersion: d.RowVersion, URL: a.BaseURL + "/datasets/" + d.Slug,
	}
	for _, t := range d.Themes {
		w.Themes = append(w.Themes, NamedCode{Code: t, Name: catalog.ThemeName(t)})
	}
	if !d.Conditions.IsZero() {
		w.Conditions = &d.Conditions
	}
	if !d.SourceNote.IsZero() {
		w.SourceNote = &d.SourceNote
	}
	if d.LatestNumber > 0 {
		w.Latest = &ReleaseRef{Number: d.LatestNumber, URL: a.releaseURL(d.Slug, d.LatestNumber)}
	}
	return w
}

func (a *API) releaseURL(slug string, number int) string {
	return a.BaseURL + "/datasets/" + slug + "/releases/" + strconv.Itoa(number)
}

func (a *API) dataURL(slug string, number int, file string) string {
	return a.BaseURL + "/data/" + slug + "/" + strconv.Itoa(number) + "/" + url.PathEscape(file)
}

// wireRelease shows a release; what serves bytes is named only where it stands
// and the actor may have them.
func (a *API) wireRelease(d *catalog.Dataset, r *catalog.Release, bytes bool) Release {
	w := Release{
		Number: r.Number, State: r.State, Version: r.Version, Notes: r.Notes, DataDate: r.DataDate, PublishedAt: r.PublishedAt, Corrects: r.Corrects, CorrectedBy: r.CorrectedBy,
		WithdrawnAt: r.WithdrawnAt, WithdrawnWhy: r.WithdrawnWhy, Tables: []Table{}, Files: []File{}, URL: a.releaseURL(d.Slug, r.Number),
	}
	if r.State != catalog.Published {
		return w
	}
	for i := range r.Tables {
		t := wireTable(&r.Tables[i])
		if bytes {
			t.Downloads = map[string]string{}
			for _, f := range export.Formats {
				if export.Check(f.Name, export.Options{}, r.Tables[i].Schema.Fields) != nil {
					continue
				}
				t.Downloads[f.Name] = a.dataURL(d.Slug, r.Number, t.Name+"."+f.Ext)
			}
		} else {
			t.SourceSHA256, t.TableSHA256, t.ContentSHA256 = "", "", ""
		}
		w.Tables = append(w.Tables, t)
	}
	if bytes {
		for i := range r.Files {
			f := wireFile(&r.Files[i])
			f.URL = a.dataURL(d.Slug, r.Number, "files") + "/" + url.PathEscape(f.Name)
			w.Files = append(w.Files, f)
		}
		w.Withheld = r.Withheld
	}
	return w
}

func wireTable(t *catalog.Table) Table {
	return Table{Name: t.Name, Title: t.Title, Rows: t.Rows, Columns: wireColumns(t.Schema.Fields), Key: t.Schema.Key,
		SourceSHA256: t.SourceSHA256, TableSHA256: t.TableSHA256, ContentSHA256: t.ContentSHA256}
}

func wireColumns(fields []catalog.Field) []Column {
	w := make([]Column, len(fields))
	for i, f := range fields {
		w[i] = Column{Name: f.Name, Header: f.Header, Latin: f.Latin, Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone,
			Label: f.Label, Unit: f.Unit, Description: f.Description, Codes: f.Codes, Rules: f.Rules}
	}
	return w
}

func wireFile(f *catalog.File) File {
	return File{Name: f.Name, Role: f.Role, MediaType: f.MediaType, Bytes: f.Blob.Size, SHA256: f.Blob.SHA256}
}

func (a *API) wireDraft(slug string, r *catalog.Release) Draft {
	w := Draft{ID: r.ID, Dataset: slug, State: r.State, Number: r.Number, Version: r.Version, Notes: r.Notes, DataDate: r.DataDate, Comment: r.Comment, Remarks: r.Remarks, Corrects: r.Corrects, PublishAt: r.PublishAt,
		Tables: []Table{}, Files: []DraftFile{}, Unsettled: r.Unsettled(), RowVersion: r.RowVersion, URL: a.BaseURL + "/steward/drafts/" + r.ID}
	for i := range r.Tables {
		w.Tables = append(w.Tables, wireTable(&r.Tables[i]))
	}
	for i := range r.Files {
		f := &r.Files[i]
		w.Files = append(w.Files, DraftFile{File: wireFile(f), State: f.State, Withheld: f.Withheld(), Options: f.Options, Report: f.Report})
	}
	return w
}

// nextSearch is the address of the next page of a search.
func (a *API) nextSearch(in *searchInput, offset int) string {
	q := url.Values{}
	set := func(k, v string) {
		if v != "" {
			q.Set(k, v)
		}
	}
	set("q", in.Q)
	set("organization", in.Organization)
	set("theme", in.Theme)
	set("format", in.Format)
	set("open", in.Open)
	set("frequency", in.Frequency)
	set("year", in.Year)
	set("updated", in.Updated)
	set("sort", in.Sort)
	if in.Limit != defaultDatasets {
		set("limit", strconv.Itoa(in.Limit))
	}
	set("cursor", strconv.Itoa(offset))
	return a.BaseURL + "/api/v1/datasets?" + q.Encode()
}

func notNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
