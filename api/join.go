package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"taihu/api/standards"
	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/table/pool"
)

type joinsInput struct {
	TablePath
	Column string `query:"column" required:"true" doc:"The column, by its name" example:"区县"`
	With   string `query:"with" doc:"Only this table of another dataset, beside whose estimate the overlap is counted value by value" example:"schools/main"`
	Other  string `query:"other" doc:"The column of that table" example:"区县"`
}

// JoinColumn is a column of another dataset that shares values with one.
type JoinColumn struct {
	Dataset  string       `json:"dataset"`
	Title    catalog.Text `json:"title"`
	Release  int          `json:"release" doc:"The newest that stands"`
	Table    string       `json:"table"`
	Rows     int64        `json:"rows"`
	Column   string       `json:"column"`
	Type     catalog.Type `json:"type" enum:"integer,date,datetime,text"`
	Distinct int64        `json:"distinct" doc:"Different values of the column; estimated where there are very many"`
	SameName bool         `json:"same_name" doc:"Whether the names are the same but for case and signs"`
	catalog.Estimate
	Exact *pool.Overlap `json:"exact,omitempty" doc:"Counted value by value; only where the other column was named"`
	SQL   string        `json:"sql" doc:"The join in DuckDB, over both Parquet files"`
	URL   string        `json:"url" doc:"The same question about that column"`
}

// JoinList is what shares values with a column.
type JoinList struct {
	Dataset  string       `json:"dataset"`
	Release  int          `json:"release"`
	Table    string       `json:"table"`
	Column   string       `json:"column"`
	Type     catalog.Type `json:"type"`
	Compared bool         `json:"compared" doc:"Whether the values of this column are compared at all"`
	Distinct int64        `json:"distinct" doc:"Different values, but for nulls and empty texts"`
	Joins    []JoinColumn `json:"joins" doc:"At most 20, the most promising first"`
}

func (a *API) joins(ctx context.Context, actor catalog.Actor, in *joinsInput) (*JoinList, string, error) {
	n, err := catalog.ReleaseNumber(in.Release)
	if err != nil {
		return nil, "", err
	}
	var j, other *store.JoinColumn
	if in.With == "" && in.Other == "" {
		j, err = a.Store.Joins(ctx, actor, in.Slug, in.Table, in.Column)
	} else {
		dataset, table, _ := strings.Cut(in.With, "/")
		j, other, err = a.Store.Joined(ctx, actor, in.Slug, in.Table, in.Column, dataset, table, in.Other)
	}
	if err != nil {
		return nil, "", err
	}
	if err := current(ctx, j.Dataset, in.Slug); err != nil {
		return nil, "", err
	}
	if n != 0 && n != j.Release.Number {
		return nil, "", catalog.Errorf(catalog.Unprocessable, "not_compared", "only the newest release is compared with other datasets, which is %d", j.Release.Number).
			InChinese("只比较最新一版，即第%d版", j.Release.Number)
	}
	out := &JoinList{Dataset: j.Dataset.Slug, Release: j.Release.Number, Table: j.Table.Name, Column: j.Field.Name, Type: j.Field.Type, Compared: j.Compared, Distinct: j.Distinct, Joins: []JoinColumn{}}
	mine := standards.Column{Slug: out.Dataset, Number: out.Release, Table: out.Table, Name: out.Column, Type: out.Type}
	for _, x := range j.Joins {
		out.Joins = append(out.Joins, JoinColumn{Dataset: x.Slug, Title: x.Title, Release: x.Number, Table: x.Table, Rows: x.Rows, Column: x.Column, Type: x.Type, Distinct: x.Distinct,
			SameName: x.SameName, Estimate: x.Estimate, SQL: a.portal().Join(mine, standards.Column{Slug: x.Slug, Number: x.Number, Table: x.Table, Name: x.Column, Type: x.Type}),
			URL: a.joinsURL(x.Slug, x.Table, x.Column)})
	}
	if other != nil {
		if err := spend(ctx); err != nil {
			return nil, "", err
		}
		exact, err := a.Pool.Overlap(ctx, j.Table, j.Field.Name, other.Table, other.Field.Name, clientOf(ctx))
		if err != nil {
			return nil, "", err
		}
		out.Joins[0].Exact = &exact
	}
	return out, cacheControl(j.Dataset), nil
}

// joinsURL is the address at which a column's joins are asked for.
func (a *API) joinsURL(slug, table, column string) string {
	return a.BaseURL + "/api/v1/datasets/" + slug + "/releases/latest/tables/" + url.PathEscape(table) + "/joins?" + url.Values{"column": {column}}.Encode()
}

func (a *API) joinRoutes() {
	type output struct {
		CacheControl string `header:"Cache-Control"`
		Body         *JoinList
	}
	register(a, huma.Operation{OperationID: "find-joins", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/releases/{release}/tables/{table}/joins", Tags: []string{"tables"},
		Summary: "Columns of other datasets that share values with one of this table", Metadata: map[string]any{queries: true},
		Description: "For joining tables. Of the newest releases of open datasets; estimated from samples, counted where both columns have fewer than 1024 values. Name the other column to have the overlap counted value by value."},
		func(ctx context.Context, actor catalog.Actor, in *joinsInput) (*output, error) {
			list, cache, err := a.joins(ctx, actor, in)
			if err != nil {
				return nil, err
			}
			return &output{CacheControl: cache, Body: list}, nil
		})
}
