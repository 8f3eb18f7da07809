package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/indexer"
)

// Limits of lists.
const (
	defaultDatasets = 20
	maxDatasets     = 100
	// maxSearchDepth bounds offset paging; the whole catalogue is for the bulk files.
	maxSearchDepth = 10000
)

const searchOperation = "search-datasets"

type searchInput struct {
	Q            string `query:"q" maxLength:"500" doc:"Words to find, Chinese or English, with quotes, minus and conditions: /docs/search" example:"停车 format:xlsx"`
	Organization string `query:"organization" doc:"Slugs, comma separated; those below are included" example:"cgj"`
	Theme        string `query:"theme" doc:"Theme codes, comma separated" example:"transport"`
	Format       string `query:"format" doc:"Formats, comma separated" example:"csv,xlsx"`
	Open         string `query:"open" doc:"Open attributes, comma separated" example:"unconditional"`
	Frequency    string `query:"frequency" doc:"Update frequencies, comma separated" example:"daily"`
	Year         string `query:"year" doc:"Years of the data date, comma separated" example:"2026"`
	Updated      string `query:"updated" doc:"Months or years of the last publication, comma separated" example:"2026-03,2025"`
	Sort         string `query:"sort" doc:"relevance, updated, downloads, size (rows × columns), rows or title; a minus means descending" example:"-downloads"`
	Limit        int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"Datasets in one answer"`
	Cursor       string `query:"cursor" doc:"The next of the answer before"`
}

type searchOutput struct {
	Link string `header:"Link" doc:"The next page, rel=next"`
	Body DatasetList
}

// SplitList splits a comma list of a facet, dropping empty members.
func SplitList(s string) []string {
	var out []string
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// search answers a search, from what was kept where it still holds.
func (a *API) search(ctx context.Context, actor catalog.Actor, in *searchInput) (*searchOutput, error) {
	if a.Site == nil {
		return a.answerSearch(ctx, actor, in)
	}
	kept, err := a.Site.Kept(ctx, actor, fmt.Sprintf("api %#v", *in), func() (any, int64, error) {
		out, err := a.answerSearch(ctx, actor, in)
		if err != nil || out.Body.Degraded {
			return out, 0, err
		}
		written, err := json.Marshal(out.Body) // about what it takes in memory
		return out, int64(len(written)), err
	})
	if err != nil {
		return nil, err
	}
	return kept.(*searchOutput), nil
}

func (a *API) answerSearch(ctx context.Context, actor catalog.Actor, in *searchInput) (*searchOutput, error) {
	offset := 0
	if in.Cursor != "" {
		n, err := strconv.Atoi(in.Cursor)
		if err != nil || n < 1 || n > maxSearchDepth {
			return nil, catalog.Errorf(catalog.Invalid, "bad_cursor", "cursor is not one this list gave: start again without it")
		}
		offset = n
	}
	if in.Sort != "" && !slices.Contains(indexer.Sorts, in.Sort) {
		return nil, catalog.Errorf(catalog.Invalid, "bad_sort", "sort %q is not known: use one of %s", in.Sort, strings.Join(indexer.Sorts, ", ")).With("sorts", indexer.Sorts)
	}
	q := indexer.Query{Text: in.Q, Sort: in.Sort, Offset: offset, Limit: in.Limit, Facets: true, Lang: "zh", Filter: map[string][]string{}}
	given := map[string]string{"organization": in.Organization, "theme": in.Theme, "format": in.Format, "open": in.Open, "frequency": in.Frequency, "year": in.Year, "updated": in.Updated}
	for facet, list := range given {
		if values := SplitList(list); values != nil {
			q.Filter[facet] = values
		}
	}
	if list := q.Filter["updated"]; list != nil {
		q.Filter["updated"] = indexer.Months(list)
	}
	out := &searchOutput{}
	out.Body.Datasets = []Dataset{}
	result, err := a.Index.Search(ctx, q)
	var found []catalog.Dataset
	switch catalog.KindOf(err) {
	case catalog.Unavailable: // browse instead: the portal stays alive
		out.Body.Degraded = true
		filter := store.DatasetFilter{Published: true, Text: in.Q, Limit: in.Limit}
		if len(q.Filter["organization"]) == 1 {
			filter.Organization = q.Filter["organization"][0]
		}
		found, _, out.Body.Total, err = a.Store.Datasets(ctx, actor, filter)
		if err != nil {
			return nil, err
		}
	default:
		if err != nil {
			return nil, err
		}
		out.Body.Total, out.Body.Facets, out.Body.Spelling = result.Total, result.Facets, result.Spelling
		if found, err = a.datasetsOf(ctx, actor, result.Hits); err != nil {
			return nil, err
		}
		if offset+len(result.Hits) < result.Total && len(result.Hits) > 0 && offset+in.Limit <= maxSearchDepth {
			out.Body.Next = a.nextSearch(in, offset+in.Limit)
			out.Link = "<" + out.Body.Next + `>; rel="next"`
		}
	}
	refs := a.references(ctx)
	for i := range found {
		out.Body.Datasets = append(out.Body.Datasets, a.wireDataset(ctx, &found[i], refs))
	}
	return out, nil
}

// datasetsOf reads the hits from the store, in their order: the index never
// grants access, so what the actor may not see is left out.
func (a *API) datasetsOf(ctx context.Context, actor catalog.Actor, hits []indexer.Hit) ([]catalog.Dataset, error) {
	if len(hits) == 0 {
		return nil, nil
	}
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	list, _, _, err := a.Store.Datasets(ctx, actor, store.DatasetFilter{IDs: ids, Published: true, Limit: len(ids)})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(x, y catalog.Dataset) int { return slices.Index(ids, x.ID) - slices.Index(ids, y.ID) })
	return list, nil
}

func (a *API) datasetRoutes() {
	register(a, huma.Operation{OperationID: searchOperation, Method: http.MethodGet, Path: "/api/v1/datasets", Tags: []string{"datasets"},
		Summary: "Find datasets", Description: "Full-text search with facets, each counted under the filters of the others. Values of one facet are alternatives; an organization includes those below it. Without q: all datasets, newest first."}, a.search)

	type output struct {
		Status          int
		Location        string `header:"Location"`
		ETag            string `header:"ETag"`
		ContentLocation string `header:"Content-Location"`
		Body            Dataset
	}
	answer := func(ctx context.Context, d *catalog.Dataset) *output {
		return &output{Status: http.StatusOK, ETag: rowVersionTag(d.RowVersion), Body: a.wireDataset(ctx, d, a.references(ctx))}
	}
	register(a, huma.Operation{OperationID: "get-dataset", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}", Tags: []string{"datasets"},
		Summary: "One dataset", Description: "A dataset that was renamed answers 301 with its new address."},
		func(ctx context.Context, actor catalog.Actor, in *DatasetPath) (*output, error) {
			d, err := a.Store.Dataset(ctx, actor, in.Slug)
			if err != nil {
				return nil, err
			}
			if err := current(ctx, d, in.Slug); err != nil {
				return nil, err
			}
			n, err := a.Store.Downloads(ctx, d.ID)
			if err != nil {
				return nil, err
			}
			out := answer(ctx, d)
			out.Body.DownloadCount = &n
			return out, nil
		})

	register(a, huma.Operation{OperationID: "create-dataset", Method: http.MethodPost, Path: "/api/v1/datasets", Tags: []string{"stewards"},
		DefaultStatus: http.StatusCreated, Summary: "Make a dataset", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct{ Body DatasetEdit }) (*output, error) {
			d := &catalog.Dataset{Slug: in.Body.Slug}
			if err := a.applyEdit(ctx, d, &in.Body); err != nil {
				return nil, err
			}
			if err := a.Store.CreateDataset(ctx, actor, d); err != nil {
				return nil, err
			}
			out := answer(ctx, d)
			out.Status, out.Location = http.StatusCreated, out.Body.URL
			return out, nil
		})

	register(a, huma.Operation{OperationID: "copy-dataset", Method: http.MethodPost, Path: "/api/v1/datasets/{slug}/copy", Tags: []string{"stewards"}, DefaultStatus: http.StatusCreated,
		Summary: "Make a dataset like another", Description: "Its description is copied, but for address and identifiers; its first release takes over the words, codes and keys of the tables. No data are.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DatasetPath
			Body DatasetCopy
		}) (*output, error) {
			original, err := a.Store.Dataset(ctx, actor, in.Slug)
			if err != nil {
				return nil, err
			}
			d := *original
			d.Slug, d.Title, d.Identifiers = in.Body.Slug, in.Body.Title, nil
			if in.Body.Organization != "" {
				o, err := a.Store.Organization(ctx, in.Body.Organization)
				if err != nil {
					return nil, err
				}
				d.OrganizationID = o.ID
			}
			if err := a.Store.CopyDataset(ctx, actor, in.Slug, &d); err != nil {
				return nil, err
			}
			out := answer(ctx, &d)
			out.Status, out.Location = http.StatusCreated, out.Body.URL
			return out, nil
		})

	register(a, huma.Operation{OperationID: "update-dataset", Method: http.MethodPut, Path: "/api/v1/datasets/{slug}", Tags: []string{"stewards"},
		Summary: "Change a dataset's metadata", Description: "If-Match carries the row_version that was read; if somebody changed the dataset since, the answer is 412.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DatasetPath
			IfMatch string `header:"If-Match" doc:"ETag of the dataset as read"`
			Body    DatasetEdit
		}) (*output, error) {
			d, err := a.Store.Dataset(ctx, actor, in.Slug)
			if err != nil {
				return nil, err
			}
			if d.RowVersion, err = parseIfMatch(in.IfMatch, d.RowVersion); err != nil {
				return nil, err
			}
			if err := a.applyEdit(ctx, d, &in.Body); err != nil {
				return nil, err
			}
			if err := a.Store.UpdateDataset(ctx, actor, d); err != nil {
				return nil, err
			}
			return answer(ctx, d), nil
		})
}

// DatasetEdit is what a steward states about a dataset.
type DatasetEdit struct {
	Slug          string                `json:"slug,omitempty" doc:"3 to 80 of a-z, 0-9 and -; fixed once made" example:"parking-spaces"`
	Organization  string                `json:"organization" doc:"The publisher's slug"`
	Title         catalog.Text          `json:"title"`
	Description   catalog.Text          `json:"description,omitempty"`
	Themes        []string              `json:"themes,omitempty"`
	Keywords      []string              `json:"keywords,omitempty"`
	Region        string                `json:"region,omitempty"`
	Licence       string                `json:"licence" example:"CC-BY-4.0"`
	OpenAttribute catalog.OpenAttribute `json:"open_attribute,omitempty" enum:"unconditional,conditional,closed" default:"unconditional"`
	Conditions    catalog.Text          `json:"conditions,omitempty"`
	Frequency     catalog.Frequency     `json:"frequency,omitempty" default:"irregular"`
	Spatial       string                `json:"spatial,omitempty"`
	TemporalStart string                `json:"temporal_start,omitempty"`
	TemporalEnd   string                `json:"temporal_end,omitempty"`
	Language      string                `json:"language,omitempty"`
	Contact       catalog.Contact       `json:"contact,omitempty"`
	SourceNote    catalog.Text          `json:"source_note,omitempty"`
	Identifiers   []string              `json:"identifiers,omitempty"`
	SecurityLevel string                `json:"security_level,omitempty"`
}

// DatasetCopy is what a copy of a dataset has of its own.
type DatasetCopy struct {
	Slug         string       `json:"slug" doc:"3 to 80 of a-z, 0-9 and -" example:"parking-spaces-2"`
	Title        catalog.Text `json:"title"`
	Organization string       `json:"organization,omitempty" doc:"The publisher's slug; by default the same"`
}

func (a *API) applyEdit(ctx context.Context, d *catalog.Dataset, e *DatasetEdit) error {
	o, err := a.Store.Organization(ctx, e.Organization)
	if err != nil {
		return err
	}
	d.OrganizationID = o.ID
	d.Title, d.Description, d.Themes, d.Keywords, d.Region = e.Title, e.Description, e.Themes, e.Keywords, e.Region
	d.Licence, d.OpenAttribute, d.Conditions, d.Frequency = e.Licence, e.OpenAttribute, e.Conditions, e.Frequency
	d.Spatial, d.TemporalStart, d.TemporalEnd, d.Language = e.Spatial, e.TemporalStart, e.TemporalEnd, e.Language
	d.Contact, d.SourceNote, d.Identifiers, d.SecurityLevel = e.Contact, e.SourceNote, e.Identifiers, e.SecurityLevel
	return nil
}

var bearer = []map[string][]string{{"token": {}}}

// rowVersionTag is the ETag of a thing that changes.
func rowVersionTag(v int64) string { return `"v` + strconv.FormatInt(v, 10) + `"` }

// parseIfMatch returns the row_version of an If-Match header; without one the
// present version, so that the change is made to what is there.
func parseIfMatch(header string, present int64) (int64, error) {
	if header == "" || header == "*" {
		return present, nil
	}
	if v, ok := strings.CutPrefix(strings.Trim(header, `"`), "v"); ok {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, catalog.Errorf(catalog.PreconditionFailed, "stale_row_version", "If-Match %s is not an ETag this thing has had: read it again", header)
}

// DatasetPath names a dataset.
type DatasetPath struct {
	Slug string `path:"slug" doc:"The dataset" example:"parking-spaces"`
}
