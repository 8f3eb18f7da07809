package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

// TablePath names a table.
type TablePath struct {
	ReleasePath
	Table string `path:"table" doc:"The table" example:"readings"`
}

type rowsInput struct {
	TablePath
	Where  string `query:"where" doc:"Condition; see /docs/grammar" example:"aqi >= 150 and district in ('滨湖区','梁溪区')"`
	Q      string `query:"q" doc:"Words that stand in any text column" example:"公园 停车"`
	Bbox   string `query:"bbox" doc:"Only places in a rectangle: west,south,east,north" example:"120.1,31.4,120.5,31.7"`
	Near   string `query:"near" doc:"Only places around a point: longitude,latitude,metres" example:"120.30,31.57,1000"`
	Group  string `query:"group" doc:"Columns, trunc(column, 'month') or bin(column, 10): one row for each group" example:"district"`
	Select string `query:"select" doc:"Columns and aggregates, comma separated; without it all columns" example:"district,avg(aqi) as mean"`
	Having string `query:"having" doc:"Condition on the groups" example:"mean > 100"`
	Sort   string `query:"sort" doc:"Columns to sort by, a minus before one means descending" example:"-aqi,time"`
	Limit  string `query:"limit" doc:"Rows in one answer: 1 to 10000, 100 unless told" example:"100"`
	Cursor string `query:"cursor" doc:"The next of the answer before"`
	Count  string `query:"count" doc:"1: also count what where selects" example:"1"`
}

// text returns a parameter by its name.
func (in *rowsInput) text(name string) string {
	return map[string]string{"where": in.Where, "q": in.Q, "bbox": in.Bbox, "near": in.Near, "group": in.Group, "select": in.Select,
		"having": in.Having, "sort": in.Sort, "limit": in.Limit}[name]
}

// RowsAnswer documents the answer of /rows; it is written from the query child's
// bytes without decoding them.
type RowsAnswer struct {
	Rows  []map[string]any `json:"rows"`
	Next  *string          `json:"next" doc:"The cursor of the next page; null at the end"`
	Count *int64           `json:"count,omitempty" doc:"How many rows where selects; only with count=1"`
}

func (a *API) findTable(ctx context.Context, actor catalog.Actor, in *TablePath, read readRelease) (*catalog.Dataset, *catalog.Release, *catalog.Table, error) {
	d, r, err := a.standingAs(ctx, actor, in.Slug, in.Release, read)
	if err != nil {
		return nil, nil, nil, err
	}
	t, err := tableOf(r, in.Table)
	return d, r, t, err
}

// findSchema finds a table for those who want to know of its columns, which are
// open where the data are not.
func (a *API) findSchema(ctx context.Context, actor catalog.Actor, in *TablePath) (*catalog.Dataset, *catalog.Release, *catalog.Table, error) {
	n, err := catalog.ReleaseNumber(in.Release)
	if err != nil {
		return nil, nil, nil, err
	}
	d, r, err := a.Store.Release(ctx, actor, in.Slug, n)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := current(ctx, d, in.Slug); err != nil {
		return nil, nil, nil, err
	}
	if err := r.CheckStands(); err != nil {
		return nil, nil, nil, err
	}
	t, err := tableOf(r, in.Table)
	return d, r, t, err
}

func (a *API) rows(ctx context.Context, actor catalog.Actor, in *rowsInput) (*huma.StreamResponse, error) {
	latest := in.Release == "latest"
	if in.Cursor != "" {
		// A cursor stays on the release it began with, whatever latest is by now.
		cursor, err := table.ParseCursor(in.Cursor)
		if err != nil {
			return nil, err
		}
		if latest {
			in.Release = strconv.Itoa(cursor.Release)
		} else if in.Release != strconv.Itoa(cursor.Release) {
			return nil, catalog.Errorf(catalog.Invalid, "bad_cursor", "this cursor belongs to release %d: use it there, or start again without it", cursor.Release)
		}
	}
	d, r, t, err := a.findTable(ctx, actor, &in.TablePath, a.Store.ReleaseFacts)
	if err != nil {
		return nil, err
	}
	params := table.ParamsOf(in.text)
	params.Cursor, params.Limit = in.Cursor, table.DefaultRows
	if in.Limit != "" {
		n, err := strconv.ParseInt(in.Limit, 10, 64)
		if err != nil || n < 1 || n > table.MaxRows {
			return nil, catalog.Errorf(catalog.Invalid, "bad_limit", "limit is 1 to %d, not %q; for more rows follow next, or take the whole file under /data", table.MaxRows, in.Limit).
				With("parameter", "limit").InChinese("limit须为1至%d；更多的行请沿next翻页，或从/data下载整个文件", table.MaxRows)
		}
		params.Limit = n
	}
	if in.Count != "" && in.Count != "1" && in.Count != "0" {
		return nil, catalog.Errorf(catalog.Invalid, "bad_parameter", "count is 1 or 0, not %q", in.Count).With("parameter", "count")
	}
	query, err := table.Parse(params)
	if err != nil {
		return nil, err
	}
	plan, err := query.CheckTable(t.TableSHA256, &t.Schema)
	if err != nil {
		return nil, err
	}
	if err := spend(ctx); err != nil {
		return nil, err
	}
	answer, err := a.Pool.Rows(ctx, t, params, pool.RowsOptions{Count: in.Count == "1", NoCells: true, Client: clientOf(ctx)})
	if err != nil {
		return nil, err
	}
	next := ""
	if answer.Next != nil {
		next = plan.Next(r.Number, *answer.Next).String()
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "application/json")
		h.SetHeader("Cache-Control", cacheControl(d))
		base := a.BaseURL + "/api/v1/datasets/" + d.Slug + "/releases/" + strconv.Itoa(r.Number) + "/tables/" + url.PathEscape(t.Name) + "/rows"
		if latest {
			h.SetHeader("Content-Location", base+rawQuery(h))
		}
		if address := base + nextRows(in, next); next != "" && len(address) <= longestLink {
			h.SetHeader("Link", "<"+address+`>; rel="next"`)
		}
		w := h.BodyWriter()
		buf := append([]byte(`{"rows":`), answer.JSON...)
		buf = append(buf, `,"next":`...)
		if next == "" {
			buf = append(buf, "null"...)
		} else {
			buf = strconv.AppendQuote(buf, next)
		}
		if answer.Count != nil {
			buf = append(buf, `,"count":`...)
			buf = strconv.AppendInt(buf, *answer.Count, 10)
		}
		_, _ = w.Write(append(buf, '}', '\n'))
	}}, nil
}

// longestLink is the longest address in a Link header: a cursor holds the sort
// keys of its row, and programs and proxies refuse answers whose headers are
// longer than a few KB. next in the body has it always.
const longestLink = 2048

func rawQuery(h huma.Context) string {
	u := h.URL()
	if u.RawQuery == "" {
		return ""
	}
	return "?" + u.RawQuery
}

func nextRows(in *rowsInput, cursor string) string {
	q := url.Values{"cursor": {cursor}}
	for _, name := range table.Parameters {
		if v := in.text(name); v != "" {
			q.Set(name, v)
		}
	}
	return "?" + q.Encode()
}

// cacheControl of data: shared caches may keep what everybody may have, but must
// ask before each use, so that a withdrawal works at once.
func cacheControl(d *catalog.Dataset) string {
	if d.OpenAttribute == catalog.Unconditional {
		return "public, no-cache"
	}
	return "private, no-store"
}

func (a *API) tableRoutes() {
	rowsSchema := huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, rowsType)
	answers := map[string]*huma.Response{"200": {Description: "Rows", Content: map[string]*huma.MediaType{"application/json": {Schema: rowsSchema}}}}
	a.describeLimits(answers)
	register(a, huma.Operation{OperationID: "get-rows", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/releases/{release}/tables/{table}/rows", Tags: []string{"tables"},
		Summary: "Rows of a table", Description: "A page of rows, filtered, sorted, some columns. Depth costs nothing: follow next.", Responses: answers, Metadata: map[string]any{queries: true}}, a.rows)

	type queryInput struct {
		TablePath
		RawBody []byte
		Body    TableQuery
	}
	register(a, huma.Operation{OperationID: "query-table", Method: http.MethodPost, Path: "/api/v1/datasets/{slug}/releases/{release}/tables/{table}/query", Tags: []string{"tables"},
		Summary: "Rows of a table, for long queries", Description: "The same as rows, with the parameters in a JSON body.", Responses: answers, Metadata: map[string]any{queries: true}},
		func(ctx context.Context, actor catalog.Actor, in *queryInput) (*huma.StreamResponse, error) {
			if err := handle.CheckMembers(in.RawBody); err != nil {
				return nil, err
			}
			rows := &rowsInput{TablePath: in.TablePath, Where: in.Body.Where, Q: in.Body.Q, Bbox: in.Body.Bbox, Near: in.Body.Near, Group: in.Body.Group,
				Select: in.Body.Select, Having: in.Body.Having, Sort: in.Body.Sort, Cursor: in.Body.Cursor}
			if in.Body.Limit > 0 {
				rows.Limit = strconv.Itoa(in.Body.Limit)
			}
			if in.Body.Count {
				rows.Count = "1"
			}
			return a.rows(ctx, actor, rows)
		})

	type schemaOutput struct {
		Body Table
	}
	register(a, huma.Operation{OperationID: "get-schema", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/releases/{release}/tables/{table}/schema", Tags: []string{"tables"},
		Summary: "A table's columns", Description: "Open for conditional datasets too."},
		func(ctx context.Context, actor catalog.Actor, in *TablePath) (*schemaOutput, error) {
			d, _, t, err := a.findSchema(ctx, actor, in)
			if err != nil {
				return nil, err
			}
			out := &schemaOutput{Body: wireTable(t)}
			if catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(d)) != nil {
				out.Body.SourceSHA256, out.Body.TableSHA256, out.Body.ContentSHA256 = "", "", ""
			}
			return out, nil
		})

	type profileOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         catalog.Profile
	}
	register(a, huma.Operation{OperationID: "get-profile", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/releases/{release}/tables/{table}/profile", Tags: []string{"tables"},
		Summary: "Statistics of each column, over all rows"},
		func(ctx context.Context, actor catalog.Actor, in *TablePath) (*profileOutput, error) {
			d, _, t, err := a.findTable(ctx, actor, in, a.Store.Release)
			if err != nil {
				return nil, err
			}
			out := &profileOutput{CacheControl: cacheControl(d), Body: catalog.Profile{Rows: t.Rows, Columns: []catalog.ColumnProfile{}}}
			if t.Profile != nil {
				out.Body = *t.Profile
			}
			return out, nil
		})
}
