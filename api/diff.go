package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"taihu/api/download"
	"taihu/api/export"
	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table/diff"
)

const (
	defaultChanges = 100
	maxChanges     = 1000
)

type diffInput struct {
	Slug   string `path:"slug" doc:"The dataset" example:"parking-spaces"`
	From   string `query:"from" doc:"The old release: its number or latest; without it the one before to, or before a draft the latest" example:"1"`
	To     string `query:"to" doc:"The new release: its number, latest, or the id of a draft for those who may see it; without it the latest" example:"2"`
	Table  string `query:"table" doc:"Which table; without it the first one that changed" example:"readings"`
	Key    string `query:"key" doc:"Columns that tell rows apart, comma separated; * compares whole rows. Without it the declared key, else whole rows" example:"id"`
	Change string `query:"change" doc:"Only rows that were changed, added or removed" example:"changed"`
	Limit  string `query:"limit" doc:"Changed rows in one answer: 1 to 1000, 100 unless told" example:"100"`
	Cursor string `query:"cursor" doc:"The next of the answer before"`
}

// DiffSide is one of the two releases of a comparison.
type DiffSide struct {
	Number int           `json:"number,omitempty"`
	Draft  string        `json:"draft,omitempty" doc:"Id of the draft"`
	State  catalog.State `json:"state"`
	URL    string        `json:"url"`
}

// DiffTable is what became of a table.
type DiffTable struct {
	Name    string      `json:"name"`
	Change  diff.Change `json:"change" enum:"same,changed,added,removed" doc:"same: known to hold the same, by its hashes"`
	OldRows *int64      `json:"old_rows,omitempty"`
	NewRows *int64      `json:"new_rows,omitempty"`
}

// DiffAnswer says what changed from one release to another.
type DiffAnswer struct {
	Dataset   string            `json:"dataset"`
	From      DiffSide          `json:"from"`
	To        DiffSide          `json:"to"`
	Tables    []DiffTable       `json:"tables"`
	Table     string            `json:"table,omitempty" doc:"The one that summary and changes are about; missing where no table is in both"`
	Summary   *diff.Summary     `json:"summary,omitempty" doc:"Counts over all rows"`
	Changes   []diff.RowChange  `json:"changes" doc:"Changed rows and then added ones in the order of the new release, then removed ones in that of the old"`
	Next      *string           `json:"next" doc:"The cursor of the next page; null at the end"`
	Downloads map[string]string `json:"downloads,omitempty" doc:"The list of all changes, by format"`
}

func (a *API) diffRoutes() {
	schema := huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, reflect.TypeFor[DiffAnswer]())
	answers := map[string]*huma.Response{"200": {Description: "What changed", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
	a.describeLimits(answers)
	register(a, huma.Operation{OperationID: "compare-releases", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/diff", Tags: []string{"releases"},
		Summary: "What changed between two releases", Responses: answers, Metadata: map[string]any{queries: true},
		Description: "Columns, and rows that were added, removed or changed, with old and new of each cell. Counts are of all rows; the changes come in pages. The whole list is a download: /data/{slug}/{from}...{to}/{table}.csv."}, a.compare)
}

func (a *API) compare(ctx context.Context, actor catalog.Actor, in *diffInput) (*huma.StreamResponse, error) {
	limit, skip := int64(defaultChanges), int64(0)
	if in.Limit != "" {
		n, err := strconv.ParseInt(in.Limit, 10, 64)
		if err != nil || n < 1 || n > maxChanges {
			return nil, catalog.Errorf(catalog.Invalid, "bad_limit", "limit is 1 to %d, not %q; for more follow next, or take the whole list under /data", maxChanges, in.Limit).
				With("parameter", "limit").InChinese("limit须为1至%d；更多请沿next翻页，或从/data下载完整清单", maxChanges)
		}
		limit = n
	}
	if in.Cursor != "" {
		n, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil || n < 1 {
			return nil, catalog.Errorf(catalog.Invalid, "bad_cursor", "this is not the next of an answer: begin again without cursor").With("parameter", "cursor").InChinese("这不是上一次回答里的next：请去掉cursor重新取")
		}
		skip = n
	}
	d, old, now, err := a.Store.Compared(ctx, actor, in.Slug, in.From, in.To)
	if err != nil {
		return nil, err
	}
	if err := current(ctx, d, in.Slug); err != nil {
		return nil, err
	}
	pairs, req, err := download.Compare(d, old, now, download.CompareParams{Table: in.Table, Key: in.Key, Change: in.Change})
	if err != nil {
		return nil, err
	}
	out := diffBody{DiffAnswer: DiffAnswer{Dataset: d.Slug, From: a.diffSide(d, old), To: a.diffSide(d, now), Tables: diffTables(pairs)}, Changes: json.RawMessage("[]")}
	if req != nil {
		req.Client, req.Diff.Skip, req.Diff.Limit = clientOf(ctx), skip, limit
		page, err := a.Exporter.Page(ctx, req, func() error { return spend(ctx) })
		if err != nil {
			return nil, err
		}
		if err := out.take(page); err != nil {
			return nil, err
		}
		out.Table = req.Table.Name
		out.Downloads = map[string]string{}
		for _, f := range export.Usual {
			out.Downloads[f.Name] = a.BaseURL + diffPath(req, f.Ext)
		}
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "application/json")
		h.SetHeader("Cache-Control", diffCacheControl(d, now))
		_, _ = h.BodyWriter().Write(append(body, '\n'))
	}}, nil
}

// diffCacheControl: a draft is for those who may see it.
func diffCacheControl(d *catalog.Dataset, now *catalog.Release) string {
	if now.State != catalog.Published {
		return "private, no-store"
	}
	return cacheControl(d)
}

func (a *API) diffSide(d *catalog.Dataset, r *catalog.Release) DiffSide {
	if r.Number == 0 {
		return DiffSide{Draft: r.ID, State: r.State, URL: a.BaseURL + "/steward/drafts/" + r.ID}
	}
	return DiffSide{Number: r.Number, State: r.State, URL: a.releaseURL(d.Slug, r.Number)}
}

func diffTables(pairs []diff.Tables) []DiffTable {
	out := make([]DiffTable, len(pairs))
	for i, p := range pairs {
		out[i] = DiffTable{Name: p.Name, Change: p.Change}
		if p.Old != nil {
			out[i].OldRows = &p.Old.Rows
		}
		if p.New != nil {
			out[i].NewRows = &p.New.Rows
		}
	}
	return out
}

// diffPath is the numbered address of the list of changes as a file.
func diffPath(r *download.Request, ext string) string {
	p := "/data/" + r.Dataset.Slug + "/" + r.Range() + "/" + url.PathEscape(r.Table.Name+"."+ext)
	q := r.DiffQuery().Encode()
	if o := r.Options.String(); o != "" {
		q = strings.Trim(q+"&"+o, "&")
	}
	if q != "" {
		p += "?" + q
	}
	return p
}

// getDiff serves /data/{slug}/{old}...{new}/{table.ext}: the list of all changes, one
// line for each cell.
func (a *API) getDiff(c *gin.Context, from, to string) error {
	a.Budgets.Show(c)
	ctx := c.Request.Context()
	name, format, err := splitFile(c.Param("file"))
	if err != nil {
		return err
	}
	shaping := slices.DeleteFunc(slices.Clone(export.Parameters(format)), func(p string) bool { return p == "shape" })
	values, err := handle.CheckQuery(c.Request.URL.RawQuery, append([]string{"key", "change"}, shaping...)...)
	if err == nil {
		err = handle.RefuseEmpty(values)
	}
	if err != nil {
		return err
	}
	options, err := export.ParseOptions(format, values.Get)
	if err != nil {
		return err
	}
	if from == "" || to == "" {
		return catalog.Errorf(catalog.NotFound, "unknown_release", "two releases are written 3...4").InChinese("两版之间写作3...4")
	}
	d, old, now, err := a.Store.Compared(ctx, handle.Actor(c), c.Param("slug"), from, to)
	if err != nil {
		return err
	}
	_, req, err := download.Compare(d, old, now, download.CompareParams{Table: name, Key: values.Get("key"), Change: values.Get("change")})
	if err == nil && req == nil {
		err = catalog.Errorf(catalog.NotFound, "unknown_table", "the table %q is in one of the two releases only: download it whole", name).
			With("table", name).InChinese("表“%s”只在其中一版有：请下载整表", name)
	}
	if err != nil {
		return err
	}
	if d.Slug != c.Param("slug") || from != download.Ref(old) || to != download.Ref(now) {
		if d.Slug != c.Param("slug") {
			c.Redirect(http.StatusMovedPermanently, a.dataPath(d.Slug, c.Param("release"), c.Param("file"), c.Request.URL.RawQuery))
			return nil
		}
		c.Header("Content-Location", a.dataPath(d.Slug, req.Range(), c.Param("file"), c.Request.URL.RawQuery))
	}
	req.Format, req.Options, req.Client = format, options, handle.Client(c)
	req.Publisher = a.references(ctx)[d.OrganizationID].Name
	h := c.Writer.Header()
	key := a.Exporter.Key(req)
	h.Set("Cache-Control", diffCacheControl(d, now))
	h.Set("Content-Disposition", disposition(d.Slug+"-"+req.Range()+"-"+name+path.Ext(c.Param("file"))))
	return a.sendFormat(c, req, key)
}

// diffBody is a DiffAnswer with the child's summary and changes, which are not decoded.
type diffBody struct {
	DiffAnswer
	Summary json.RawMessage `json:"summary,omitempty"`
	Changes json.RawMessage `json:"changes"`
}

func (b *diffBody) take(page []byte) error {
	var p struct {
		Summary, Changes json.RawMessage
		Next             *int64
	}
	if err := json.Unmarshal(page, &p); err != nil {
		return fmt.Errorf("read comparison of query child: %w", err)
	}
	b.Summary, b.Changes = p.Summary, p.Changes
	if p.Next != nil {
		next := strconv.FormatInt(*p.Next, 10)
		b.Next = &next
	}
	return nil
}
