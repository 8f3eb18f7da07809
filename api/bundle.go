package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"taihu/api/download"
	"taihu/api/export"
	"taihu/api/handle"
	"taihu/api/standards"
	"taihu/api/web"
	"taihu/catalog"
	"taihu/catalog/blob"
)

// getArchive serves /data/{slug}/{release}.zip: a whole release as one file. The
// name stands where tables and files have a segment more, so it can never be
// that of a table.
func (a *API) getArchive(c *gin.Context) error {
	release, ok := strings.CutSuffix(c.Param("release"), ".zip")
	if !ok {
		return catalog.Errorf(catalog.NotFound, "not_found", "there is nothing at this address: a whole release is at /data/%s/%s.zip", c.Param("slug"), c.Param("release")).
			InChinese("这个地址没有内容；整版下载的地址以.zip结尾")
	}
	values, err := handle.CheckQuery(c.Request.URL.RawQuery, "format")
	if err == nil {
		err = handle.RefuseEmpty(values)
	}
	if err != nil {
		return err
	}
	format, _ := export.FormatByName("csv")
	if name := values.Get("format"); name != "" {
		var known bool
		if format, known = export.FormatByName(name); !known {
			return nearest(catalog.Errorf(catalog.Invalid, "bad_parameter", "there is no format %q: use one of %s", name, strings.Join(export.FormatNames(), ", ")).
				With("parameter", "format").With("formats", export.FormatNames()).
				InChinese("没有“%s”这种格式；可用的有：%s", name, strings.Join(export.FormatNames(), "、")), name, export.FormatNames())
		}
	}
	ctx := c.Request.Context()
	d, r, err := a.standing(ctx, handle.Actor(c), c.Param("slug"), release)
	if err != nil {
		return err
	}
	at := func(slug, release string) string {
		path := "/data/" + slug + "/" + release + ".zip"
		if c.Request.URL.RawQuery != "" {
			path += "?" + c.Request.URL.RawQuery
		}
		return path
	}
	if d.Slug != c.Param("slug") { // renamed: the old address leads here for ever
		c.Redirect(http.StatusMovedPermanently, at(d.Slug, release))
		return nil
	}
	path, err := a.Store.OrganizationPath(ctx, d.OrganizationID)
	if err != nil {
		return err
	}
	b := &standards.Bundle{Portal: a.portal(), Dataset: d, Publisher: &path[len(path)-1], Release: r, Format: format, Terms: web.Terms()}
	kept, pieces, key, err := a.bundleKey(b)
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("ETag", `"`+key+`"`)
	h.Set("Cache-Control", cacheControl(d))
	if c.Request.Header.Get("If-Match") == "" && notModified(c.Request, packedTag(key, identity)) {
		return sendNotModified(c)
	}
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", disposition(d.Slug+"-"+strconv.Itoa(r.Number)+".zip"))
	if release == "latest" {
		h.Set("Content-Location", at(d.Slug, strconv.Itoa(r.Number)))
	}
	if err = a.sendBundle(c, b, key, kept, pieces); err != nil && !c.Writer.Written() {
		dropBodyHeaders(c)
	}
	a.used(c, d, err)
	return err
}

// bundleKey names the large files of an archive, and hashes all that its bytes
// depend on: the documents without the hashes of what is not encoded yet, the
// keys of the exports, the hashes of the files.
func (a *API) bundleKey(b *standards.Bundle) (kept []standards.Kept, pieces []download.Piece, key string, err error) {
	depends := []any{standards.Version, b.Time()}
	for i := range b.Release.Tables {
		t := &b.Release.Tables[i]
		req := &download.Request{Dataset: b.Dataset, Release: b.Release, Table: t, Format: b.Format.Name, Publisher: b.Publisher.Name}
		pieces = append(pieces, download.Piece{Export: req})
		kept = append(kept, standards.Kept{Name: b.TableName(t)})
		depends = append(depends, a.Exporter.Key(req))
	}
	for i := range b.Release.Files {
		f := &b.Release.Files[i]
		pieces = append(pieces, download.Piece{Blob: f.Blob})
		kept = append(kept, standards.Kept{Name: b.FileName(f), Blob: f.Blob})
	}
	for _, doc := range b.Documents(kept) {
		depends = append(depends, doc.Name, string(doc.Bytes))
	}
	text, err := json.Marshal(depends)
	if err != nil {
		return nil, nil, "", err
	}
	sum := sha256.Sum256(text)
	return kept, pieces, hex.EncodeToString(sum[:]), nil
}

// sendBundle lays the archive out and serves it like a file: no part of it is
// ever kept twice.
func (a *API) sendBundle(c *gin.Context, b *standards.Bundle, key string, kept []standards.Kept, pieces []download.Piece) error {
	ctx := c.Request.Context()
	packed, err := a.Exporter.Pack(ctx, key, pieces)
	if err != nil {
		return err
	}
	for i := range kept {
		kept[i].Blob = packed[i].Blob
	}
	docs := b.Documents(kept)
	members := make([]standards.Member, 0, len(docs)+len(kept))
	for _, doc := range docs {
		members = append(members, standards.Member{Name: doc.Name, Size: int64(len(doc.Bytes)), CRC32: crc32.ChecksumIEEE(doc.Bytes)})
	}
	for i, k := range kept {
		members = append(members, standards.Member{Name: k.Name, Size: k.Blob.Size, CRC32: packed[i].CRC32})
	}
	r := standards.NewLayout(members, b.Time()).Reader(func(i int) (standards.Bytes, error) {
		if i < len(docs) {
			return inMemory{bytes.NewReader(docs[i].Bytes)}, nil
		}
		return a.openStored(ctx, a.Exporter.Of(pieces[i-len(docs)]), packed[i-len(docs)].Blob)
	})
	defer r.Close()
	if strings.Count(c.Request.Header.Get("Range"), ",") >= maxRanges {
		c.Request.Header.Del("Range") // many ranges cost more than the whole
	}
	return handle.ServeFile(c, r)
}

func (a *API) openStored(ctx context.Context, blobs blob.Store, b catalog.Blob) (standards.Bytes, error) {
	f, err := blobs.Open(ctx, b.SHA256)
	if err != nil {
		// Bytes that are promised and gone are our fault, not an unknown address.
		err = fmt.Errorf("open stored bytes %s: %s", b.SHA256, err.Error())
		a.Log.ErrorContext(ctx, "archive broke off", "error", err) // net/http drops what a body's reader says
		return nil, err
	}
	return f, nil
}

// inMemory is a document as a member of an archive.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// portal is whose catalogue the standards describe.
func (a *API) portal() standards.Portal {
	return standards.Portal{BaseURL: a.BaseURL, Name: a.Exporter.Portal}
}

// describeBundle adds the archive to the OpenAPI description.
func (a *API) describeBundle(problem *huma.Response) {
	text := &huma.Schema{Type: "string"}
	formats := &huma.Schema{Type: "string", Default: "csv"}
	for _, f := range export.FormatNames() {
		formats.Enum = append(formats.Enum, f)
	}
	a.huma.OpenAPI().Paths["/data/{slug}/{release}"] = &huma.PathItem{Get: &huma.Operation{
		OperationID: "download-release", Tags: []string{"downloads"}, Summary: "A whole release as one ZIP archive",
		Description: "All tables in one format, all files, README, licence, Data Package v2, dictionary and hashes. Stored without compression: its length is known and any range can be read, so a broken download is resumed.",
		Parameters: []*huma.Param{
			{Name: "slug", In: "path", Required: true, Description: "The dataset", Schema: text},
			{Name: "release", In: "path", Required: true, Description: "Number, or latest, and .zip: 3.zip, latest.zip", Schema: text, Example: "latest.zip"},
			{Name: "format", In: "query", Description: "Format of the tables", Schema: formats}},
		Responses: map[string]*huma.Response{"200": {Description: "The archive", Content: map[string]*huma.MediaType{"application/zip": {}}},
			"206": {Description: "A range of it"}, "304": {Description: "Unchanged"}, "default": problem},
	}}
}
