package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"taihu/api/download"
	"taihu/api/export"
	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/table"
)

// getTable serves /data/{slug}/{release}/{table.ext}: a table, whole or
// filtered, in a format; and beside each such address its manifest.
func (a *API) getTable(c *gin.Context) error {
	if from, to, two := strings.Cut(c.Param("release"), "..."); two {
		return a.getDiff(c, from, to)
	}
	file, manifest := strings.CutSuffix(c.Param("file"), manifestSuffix)
	if manifest || c.Request.URL.RawQuery != "" { // whole tables have no budget to tell of
		a.Budgets.Show(c)
	}
	name, format, err := splitFile(file)
	if err != nil {
		return err
	}
	var more []string
	if !manifest {
		more = []string{"estimate"}
	}
	values, options, err := checkData(c.Request.URL.RawQuery, format, more...)
	if err != nil {
		return err
	}
	estimate := values.Get("estimate")
	if estimate != "" && estimate != "1" {
		return catalog.Errorf(catalog.Invalid, "bad_parameter", "estimate is 1, or left out, not %q", estimate).With("parameter", "estimate").InChinese("estimate只能是1，或不写")
	}
	actor := handle.Actor(c)
	d, r, err := a.standing(c.Request.Context(), actor, c.Param("slug"), c.Param("release"))
	if err != nil {
		return err
	}
	if d.Slug != c.Param("slug") { // renamed: the old address leads here for ever
		c.Redirect(http.StatusMovedPermanently, a.dataPath(d.Slug, c.Param("release"), c.Param("file"), c.Request.URL.RawQuery))
		return nil
	}
	t, err := tableOf(r, name)
	if err != nil {
		return err
	}
	params, fields, err := canonicalParams(values, &t.Schema)
	if err == nil {
		err = export.Check(format, options, fields)
	}
	if err != nil {
		return err
	}
	publisher := a.references(c.Request.Context())[d.OrganizationID].Name
	req := &download.Request{Dataset: d, Release: r, Table: t, Params: params, Format: format, Options: options, Publisher: publisher, Client: handle.Client(c)}
	if manifest {
		return a.sendManifest(c, req)
	}
	if estimate != "" {
		return a.sendEstimate(c, req)
	}
	key := a.Exporter.Key(req)
	h := c.Writer.Header()
	h.Set("Cache-Control", cacheControl(d))
	h.Set("Content-Disposition", disposition(d.Slug+"-"+strconv.Itoa(r.Number)+"-"+t.Name+"."+path.Ext(c.Param("file"))[1:]))
	h.Set("Link", `<`+a.BaseURL+`/api/v1/datasets/`+d.Slug+`/releases/`+strconv.Itoa(r.Number)+`/tables/`+t.Name+`/schema>; rel="describedby", <`+
		a.BaseURL+exportPath(req, manifestSuffix)+`>; rel="describedby"; type="application/json"`)
	if req.Whole() {
		h.Set("Taihu-Rows", strconv.FormatInt(t.Rows, 10))
		h.Set("Taihu-Content-Sha256", t.ContentSHA256)
	}
	if c.Param("release") == "latest" {
		h.Set("Content-Location", a.dataPath(d.Slug, strconv.Itoa(r.Number), c.Param("file"), c.Request.URL.RawQuery))
	}
	err = a.sendFormat(c, req, key)
	a.used(c, d, err)
	return err
}

// sendFormat answers with an export in the encoding that the reader takes, or with
// 304 where he has it; the headers that tell of the request are set by the caller.
func (a *API) sendFormat(c *gin.Context, req *download.Request, key string) error {
	h := c.Writer.Header()
	h.Set("ETag", `"`+key+`"`)
	h.Set("Content-Type", download.MediaType(req.Format))
	packing := identity
	if f, _ := export.FormatByName(req.Format); f.Packs {
		h.Add("Vary", "Accept-Encoding")
		var has bool
		packing, has = represent(c.Request, key)
		h.Set("ETag", packedTag(key, packing))
		if has {
			return sendNotModified(c)
		}
	}
	if packing != identity {
		h.Set("Content-Encoding", packing)
	}
	err := a.sendExport(c, req, key, packing)
	if err != nil && !c.Writer.Written() {
		dropBodyHeaders(c)
	}
	return err
}

func sendNotModified(c *gin.Context) error {
	c.Status(http.StatusNotModified)
	for _, name := range []string{"Content-Type", "Content-Encoding"} { // of bytes that do not come
		c.Writer.Header().Del(name)
	}
	c.Writer.WriteHeaderNow()
	return nil
}

// sendBlob serves the bytes of a release's file.
func (a *API) sendBlob(c *gin.Context, b catalog.Blob) error {
	f, err := a.Blobs.Open(c.Request.Context(), b.SHA256)
	if err != nil {
		// Bytes that are promised and gone are our fault, not an unknown address.
		return fmt.Errorf("open stored bytes %s: %s", b.SHA256, err.Error())
	}
	return a.sendFile(c, f)
}

// sendFile serves stored bytes and closes them: conditional requests, ranges,
// HEAD, sendfile.
func (a *API) sendFile(c *gin.Context, f blob.Reader) error {
	defer f.Close()
	return serve(c, f)
}

// serve answers with the bytes of f, or a range of them.
func serve(c *gin.Context, f io.ReadSeeker) error {
	if strings.Count(c.Request.Header.Get("Range"), ",") >= maxRanges {
		c.Request.Header.Del("Range") // many ranges cost more than the whole
	}
	return handle.ServeFile(c, f)
}

// maxRanges is how many ranges of a file one request may name; with more it gets
// the whole.
const maxRanges = 8

// getFile serves /data/{slug}/{release}/files/{name}: an uploaded original or an
// attachment, byte for byte.
func (a *API) getFile(c *gin.Context) error {
	if _, err := handle.CheckQuery(c.Request.URL.RawQuery); err != nil {
		return err
	}
	d, r, err := a.standing(c.Request.Context(), handle.Actor(c), c.Param("slug"), c.Param("release"))
	if err != nil {
		return err
	}
	names := make([]string, len(r.Files))
	for i := range r.Files {
		f := &r.Files[i]
		names[i] = f.Name
		if f.Name != c.Param("name") {
			continue
		}
		if d.Slug != c.Param("slug") {
			c.Redirect(http.StatusMovedPermanently, filePath(d.Slug, c.Param("release"), f.Name))
			return nil
		}
		h := c.Writer.Header()
		h.Set("ETag", `"`+f.Blob.SHA256+`"`)
		h.Set("Cache-Control", cacheControl(d))
		h.Set("Content-Type", "application/octet-stream") // strangers' bytes are never shown inline
		h.Set("Content-Disposition", disposition(f.Name))
		if c.Param("release") == "latest" {
			h.Set("Content-Location", filePath(d.Slug, strconv.Itoa(r.Number), f.Name))
		}
		if err = a.sendBlob(c, f.Blob); err != nil && !c.Writer.Written() {
			dropBodyHeaders(c)
		}
		a.used(c, d, err)
		return err
	}
	name := c.Param("name")
	if r.Withheld > 0 && !slices.Contains(names, name) {
		return catalog.Errorf(catalog.NotFound, "unknown_file", "there is no file %q in this release; originals of which something was masked or left out (%d) are not published, the tables made of them are", name, r.Withheld).
			With("file", name).With("files", names).With("withheld_files", r.Withheld).InChinese("这一版没有文件“%s”；有%d个原件因内容已遮盖或去掉而不公开，由它们处理成的表可以下载", name, r.Withheld)
	}
	return nearest(catalog.Errorf(catalog.NotFound, "unknown_file", "there is no file %q in this release; it has %s", name, strings.Join(names, ", ")).
		With("file", name).With("files", names).InChinese("这一版没有文件“%s”；有：%s", name, strings.Join(names, "、")), name, names)
}

// checkData checks the parameters of a download of a format: those of a query,
// those that shape its file, and more.
func checkData(raw, format string, more ...string) (url.Values, export.Options, error) {
	known := slices.Concat(table.Parameters, export.Parameters(format), more)
	values, err := handle.CheckQuery(raw, known...)
	if err != nil {
		return nil, export.Options{}, otherFormat(err, format)
	}
	if values.Get("delimiter") == "\t" { // as it is, not only by its name
		values.Set("delimiter", "tab")
	}
	if err := handle.RefuseEmpty(values); err != nil {
		return nil, export.Options{}, err
	}
	options, err := export.ParseOptions(format, values.Get)
	return values, options, err
}

// otherFormat says of a parameter that is not known whether other formats have it.
func otherFormat(err error, format string) error {
	var e *catalog.Error
	if !errors.As(err, &e) || e.Code != "unknown_parameter" {
		return err
	}
	name, _ := e.Fields["parameter"].(string)
	formats := export.FormatsOf(name)
	if len(formats) == 0 {
		return err
	}
	shapes := strings.Join(export.Parameters(format), ", ")
	if shapes == "" {
		shapes = "none"
	}
	return catalog.Errorf(catalog.Invalid, "unknown_parameter", "the parameter %s shapes %s; what shapes %s: %s", name, strings.Join(formats, " and "), format, shapes).
		With("parameter", name).With("formats", formats).With("parameters", e.Fields["parameters"]).
		InChinese("参数%s只用于%s；%s可用的：%s", name, strings.Join(formats, "、"), format, strings.Replace(shapes, "none", "无", 1))
}

// splitFile splits readings.csv into the table's name and the format. The whole
// last segment is one parameter, as routers cannot split it.
func splitFile(file string) (name, format string, err error) {
	ext := strings.TrimPrefix(path.Ext(file), ".")
	if f, ok := export.FormatByExt(ext); ok {
		return strings.TrimSuffix(file, "."+ext), f.Name, nil
	}
	known := make([]string, len(export.Formats))
	for i, f := range export.Formats {
		known[i] = f.Ext
	}
	return "", "", nearest(catalog.Errorf(catalog.NotFound, "unknown_format", "there is no format %q: end the address in one of .%s", ext, strings.Join(known, ", .")).
		With("format", ext).With("formats", known).
		InChinese("没有“%s”这种格式：地址请以.%s之一结尾", ext, strings.Join(known, "、.")), ext, known)
}

// canonicalParams parses and checks a query and returns its canonical form,
// which is what keys and ETags are made of, and the columns of its answer.
func canonicalParams(v url.Values, s *catalog.Schema) (table.Params, []catalog.Field, error) {
	p := table.ParamsOf(v.Get)
	if limit := v.Get("limit"); limit != "" {
		n, err := strconv.ParseInt(limit, 10, 64)
		if err != nil || n < 1 {
			return p, nil, catalog.Errorf(catalog.Invalid, "bad_limit", "limit is a whole number from 1, not %q", limit).With("parameter", "limit")
		}
		p.Limit = n
	}
	if p == (table.Params{}) {
		return p, s.Fields, nil
	}
	q, err := table.Parse(p)
	if err != nil {
		return p, nil, err
	}
	plan, err := q.Check(s)
	if err != nil {
		return p, nil, err
	}
	fields := make([]catalog.Field, len(plan.Columns))
	for i, c := range plan.Columns {
		fields[i] = plan.Field(c)
	}
	return plan.Canonical(), fields, nil
}

func (a *API) dataPath(slug, release, file, query string) string {
	p := "/data/" + slug + "/" + release + "/" + url.PathEscape(file)
	if query != "" {
		p += "?" + query
	}
	return p
}

func filePath(slug, release, name string) string {
	return "/data/" + slug + "/" + release + "/files/" + url.PathEscape(name)
}

// disposition names a download in both forms of RFC 6266; what a header cannot
// hold is replaced in the first.
func disposition(name string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || strings.ContainsRune(`"\/;%`, r) {
			return '_'
		}
		return r
	}, name)
	d := mime.FormatMediaType("attachment", map[string]string{"filename": ascii})
	if ascii != name {
		d += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return d
}

// matches reports whether If-Match, where there is one, names the tag; a weak tag
// never does.
func matches(r *http.Request, tag string) bool {
	lines := r.Header.Values("If-Match")
	return len(lines) == 0 || hasTag(lines, tag, false)
}

// notModified reports whether If-None-Match names the tag.
func notModified(r *http.Request, tag string) bool {
	return hasTag(r.Header.Values("If-None-Match"), tag, true)
}

// dropBodyHeaders undoes what was said of bytes that will not come.
func dropBodyHeaders(c *gin.Context) {
	for _, name := range []string{"ETag", "Content-Disposition", "Content-Location", "Link", "Taihu-Rows", "Taihu-Content-Sha256", "Taihu-Sha256", "Repr-Digest", "Trailer", "Content-Encoding", "Content-Length"} {
		c.Writer.Header().Del(name)
	}
}

// flushed sends the first bytes at once, and breaks off readers that take
// nothing: they hold a query child.
type flushed struct {
	w       gin.ResponseWriter
	control *http.ResponseController
	began   bool
}

// stallTimeout is how long one write to a reader may take.
const stallTimeout = time.Minute

func (f *flushed) Write(p []byte) (int, error) {
	_ = f.control.SetWriteDeadline(time.Now().Add(stallTimeout)) // where the connection has none, the kernel's own limits hold
	n, err := f.w.Write(p)
	if !f.began {
		f.began = true
		f.w.Flush()
	}
	return n, err
}

// end lets the connection serve its next request without the deadline.
func (f *flushed) end() { _ = f.control.SetWriteDeadline(time.Time{}) }

// describeData adds the download addresses to the OpenAPI description; gin
// serves them, as huma cannot route {name}.{ext} nor ranges.
func (a *API) describeData() {
	text := &huma.Schema{Type: "string"}
	query := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: text}
	}
	choice := func(name, doc string, words ...any) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: "string", Enum: words}}
	}
	in := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "path", Required: true, Description: doc, Schema: text}
	}
	content := map[string]*huma.MediaType{}
	for _, f := range export.Formats {
		content[f.MediaType] = &huma.MediaType{} // bytes have no JSON schema
		if f.Name == "json" {
			content[f.MediaType].Schema = &huma.Schema{OneOf: []*huma.Schema{ // by shape
				{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject}}, {Type: huma.TypeObject},
			}}
		}
	}
	problem := &huma.Response{Description: "A problem (RFC 9457)", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, problemType)}}}
	paths := a.huma.OpenAPI().Paths
	paths["/data/{slug}/{release}/{file}"] = &huma.PathItem{Get: &huma.Operation{
		OperationID: "download-table", Tags: []string{"downloads"}, Summary: "A table as a file, whole or filtered",
		Description: "The file is the table's name and a format: readings.csv, .json, .ndjson, .xlsx, .parquet, .tsv, .geojson (where the answer has a pair of coordinates), .arrow (an IPC stream), .xml. Whole tables have a length, ranges and a strong ETag. Text formats come in zstd or gzip where Accept-Encoding asks for it, with an ETag of their own; ranges are of the plain bytes.",
		Parameters: []*huma.Param{in("slug", "The dataset"), in("release", "Number, or latest; or two, such as 3...4, for the list of what changed, one line for each cell"), in("file", "Table name and format, such as readings.csv"),
			query("key", "Of two releases: columns that tell rows apart, or * for whole rows; without it the declared key"),
			choice("change", "Of two releases: only rows that were changed, added or removed", "changed", "added", "removed"),
			query("where", "Condition; see /docs/grammar"), query("q", "Words that stand in any text column"), query("bbox", "Only places in a rectangle: west,south,east,north"),
			query("near", "Only places around a point: longitude,latitude,metres"), query("group", "Columns, trunc(column, 'month') or bin(column, 10): one row for each group"),
			query("select", "Columns and aggregates, comma separated"), query("having", "Condition on the groups"), query("sort", "Columns, a minus before one means descending"), query("limit", "At most so many rows"),
			query("estimate", "1: only how many rows, bytes and seconds it would be"),
			choice("shape", "json: objects, or the names once and arrays of rows, or an array for each column (at most 100)", "objects", "arrays", "columns"),
			query("delimiter", "csv and tsv: one character, or tab"), choice("header", "csv and tsv: names, labels where columns have them, or no header", "name", "zh", "en", "none"),
			choice("bom", "csv and tsv: begin with a byte order mark", "0", "1"), choice("newline", "csv and tsv", "lf", "crlf"),
			query("null", "csv and tsv: the word for null; a text that equals it is quoted"),
			choice("spreadsheet", "csv and tsv: an apostrophe before texts that look like formulas, byte order mark, CRLF", "0", "1")},
		Responses: map[string]*huma.Response{"200": {Description: "The file", Content: content}, "206": {Description: "A range of it"}, "202": {Description: "Being encoded; only with Prefer: respond-async. Ask again after Retry-After"}, "304": {Description: "Unchanged"}, "default": problem},
	}}
	paths["/data/{slug}/{release}/{file}"+manifestSuffix] = &huma.PathItem{Get: &huma.Operation{
		OperationID: "get-manifest", Tags: []string{"downloads"}, Summary: "What a download must be: rows, bytes, hashes",
		Description: "Beside every address of a table, with the same parameters. It waits until the export is encoded.",
		Parameters:  []*huma.Param{in("slug", "The dataset"), in("release", "Number, or latest"), in("file", "Table name and format, such as readings.csv")},
		Responses: map[string]*huma.Response{"200": {Description: "The manifest", Content: map[string]*huma.MediaType{
			"application/json": {Schema: huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, reflect.TypeFor[Manifest]())}}}, "default": problem},
	}}
	for _, suffix := range []string{"", manifestSuffix} {
		a.describeLimits(paths["/data/{slug}/{release}/{file}"+suffix].Get.Responses)
	}
	paths["/data/{slug}/{release}/files/{name}"] = &huma.PathItem{Get: &huma.Operation{
		OperationID: "download-file", Tags: []string{"downloads"}, Summary: "An uploaded original or attachment, byte for byte",
		Parameters: []*huma.Param{in("slug", "The dataset"), in("release", "Number, or latest"), in("name", "Name of the file")},
		Responses:  map[string]*huma.Response{"200": {Description: "The file"}, "206": {Description: "A range of it"}, "304": {Description: "Unchanged"}, "default": problem},
	}}
	a.describeBundle(problem)
	a.describeCatalogue(problem)
	a.describeViews(problem)
	a.describeGraphs(problem)
	a.describeFeeds(problem)
}
