package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

const (
	facetColumns = 10   // columns of one request: each is a query
	facetValues  = 10   // values of a column, unless told
	mostValues   = 1000 // at the most
)

type facetsInput struct {
	TablePath
	Columns string `query:"columns" required:"true" doc:"Columns, comma separated, as in select; at most 10" example:"district"`
	Where   string `query:"where" doc:"Condition; see /docs/grammar"`
	Q       string `query:"q" doc:"Words that stand in any text column"`
	Bbox    string `query:"bbox" doc:"Only places in a rectangle: west,south,east,north"`
	Near    string `query:"near" doc:"Only places around a point: longitude,latitude,metres"`
	Limit   string `query:"limit" doc:"Values of each column: 1 to 1000, 10 unless told"`
}

// Facet is the most frequent values of a column.
type Facet struct {
	Column   string       `json:"column"`
	Distinct int64        `json:"distinct" doc:"Different values that are not null"`
	Nulls    int64        `json:"nulls"`
	Values   []FacetValue `json:"values" doc:"The most frequent first; null among them where there are nulls"`
}

// FacetValue is a value and how many rows have it.
type FacetValue struct {
	Value any   `json:"value"`
	Count int64 `json:"count"`
}

// FacetsAnswer is the answer of /facets.
type FacetsAnswer struct {
	Rows   int64   `json:"rows" doc:"How many rows the conditions select"`
	Facets []Facet `json:"facets"`
}

// facets counts the values of columns under the conditions. Each column is two
// questions over groups, so whatever the grammar of groups promises holds here.
func (a *API) facets(ctx context.Context, actor catalog.Actor, in *facetsInput) (*FacetsAnswer, *catalog.Dataset, error) {
	d, _, t, err := a.findTable(ctx, actor, &in.TablePath, a.Store.ReleaseFacts)
	if err != nil {
		return nil, nil, err
	}
	limit := int64(facetValues)
	if in.Limit != "" {
		n, err := strconv.ParseInt(in.Limit, 10, 64)
		if err != nil || n < 1 || n > mostValues {
			return nil, nil, catalog.Errorf(catalog.Invalid, "bad_limit", "limit is 1 to %d, not %q", mostValues, in.Limit).With("parameter", "limit").InChinese("limit须为1至%d", mostValues)
		}
		limit = n
	}
	rows := table.Params{Where: in.Where, Q: in.Q, Bbox: in.Bbox, Near: in.Near}
	names, err := facetNames(t, in.Columns)
	if err != nil {
		return nil, nil, err
	}
	q, err := table.Parse(rows)
	if err == nil {
		_, err = q.Check(&t.Schema)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := spend(ctx); err != nil {
		return nil, nil, err
	}
	answer := &FacetsAnswer{Facets: make([]Facet, len(names))}
	for i, name := range names {
		f := &answer.Facets[i]
		f.Column = name
		if answer.Rows, err = a.facet(ctx, t, rows, limit, f); err != nil {
			return nil, nil, err
		}
	}
	return answer, d, nil
}

// facetNames reads the list of columns.
func facetNames(t *catalog.Table, list string) ([]string, error) {
	q, err := table.Parse(table.Params{Select: list})
	if err != nil {
		return nil, err
	}
	plan, err := q.Check(&t.Schema)
	if err != nil {
		return nil, err
	}
	if n := len(q.Select); n == 0 || n > facetColumns || plan.Group != nil {
		return nil, catalog.Errorf(catalog.Invalid, "bad_parameter", "columns names 1 to %d columns of the table", facetColumns).With("parameter", "columns").
			InChinese("columns须写1至%d个列名", facetColumns)
	}
	names := make([]string, len(plan.Columns))
	for i, c := range plan.Columns {
		names[i] = plan.Field(c).Name
	}
	return names, nil
}

// facet fills one facet and returns how many rows there are.
func (a *API) facet(ctx context.Context, t *catalog.Table, rows table.Params, limit int64, f *Facet) (int64, error) {
	quoted := `"` + strings.ReplaceAll(f.Column, `"`, `""`) + `"`
	ask := func(p table.Params, into any) error {
		p.Where, p.Q, p.Bbox, p.Near = rows.Where, rows.Q, rows.Bbox, rows.Near
		answer, err := a.Pool.Rows(ctx, t, p, pool.RowsOptions{NoCells: true, Client: clientOf(ctx)})
		if err != nil {
			return err
		}
		return json.Unmarshal(answer.JSON, into)
	}
	var sums []struct{ Rows, Present, Distinct int64 }
	err := ask(table.Params{Select: fmt.Sprintf("count(*) as rows,count(%[1]s) as present,distinct(%[1]s) as distinct", quoted)}, &sums)
	if err != nil {
		return 0, err
	}
	if len(sums) != 1 {
		return 0, fmt.Errorf("facet of %s: %d rows", f.Column, len(sums))
	}
	f.Distinct, f.Nulls = sums[0].Distinct, sums[0].Rows-sums[0].Present
	var values []struct {
		Value json.RawMessage
		Count int64
	}
	err = ask(table.Params{Group: quoted + " as value", Select: "value,count(*) as count", Sort: "-count", Limit: limit}, &values)
	if err != nil {
		return 0, err
	}
	f.Values = make([]FacetValue, len(values))
	for i, v := range values {
		f.Values[i] = FacetValue{v.Value, v.Count}
	}
	return sums[0].Rows, nil
}

func (a *API) facetRoutes() {
	type output struct {
		CacheControl string `header:"Cache-Control"`
		Body         FacetsAnswer
	}
	register(a, huma.Operation{OperationID: "get-facets", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/releases/{release}/tables/{table}/facets", Tags: []string{"tables"},
		Summary: "Values of columns and how often they come", Description: "For building filters: the most frequent values of each column under the conditions.", Metadata: map[string]any{queries: true}},
		func(ctx context.Context, actor catalog.Actor, in *facetsInput) (*output, error) {
			answer, d, err := a.facets(ctx, actor, in)
			if err != nil {
				return nil, err
			}
			return &output{cacheControl(d), *answer}, nil
		})
}
