package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/api/download"
	"taihu/api/export"
	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

// manifestSuffix behind the address of a download is that of its manifest.
const manifestSuffix = ".manifest.json"

// Manifest says what a download must be. Equal keys are equal bytes, for ever.
type Manifest struct {
	Dataset       string          `json:"dataset"`
	Release       int             `json:"release"`
	Version       string          `json:"version,omitempty"`
	Table         string          `json:"table"`
	Format        string          `json:"format"`
	Encoder       int             `json:"encoder" doc:"Version of the encoder"`
	Options       *export.Options `json:"options,omitempty" doc:"Of the format, where they are not its own"`
	Query         *table.Params   `json:"query,omitempty" doc:"In its canonical form; left out for the whole table"`
	Address       string          `json:"address" doc:"Numbered, so that it gives these bytes for ever"`
	Columns       []Column        `json:"columns"`
	Rows          int64           `json:"rows"`
	Bytes         int64           `json:"bytes"`
	SHA256        string          `json:"sha256" doc:"Of the file"`
	ContentSHA256 string          `json:"content_sha256" doc:"Of what the rows say, equal in all formats"`
	Key           string          `json:"key" doc:"The ETag of the file"`
}

// Estimate says what a download would be.
type Estimate struct {
	Rows    int64   `json:"rows" doc:"Exact"`
	Bytes   int64   `json:"bytes" doc:"Exact where the export is kept; else from a sample of its first rows"`
	Seconds float64 `json:"seconds" doc:"Until it is encoded, on a quiet machine; 0 where it is kept"`
	Kept    bool    `json:"kept" doc:"The export was encoded before and is sent at once"`
}

// exportPath is the numbered address of an export in canonical form.
func exportPath(r *download.Request, suffix string) string {
	f, _ := export.FormatByName(r.Format)
	if r.Diff != nil {
		return diffPath(r, f.Ext)
	}
	p := "/data/" + r.Dataset.Slug + "/" + strconv.Itoa(r.Release.Number) + "/" + url.PathEscape(r.Table.Name+"."+f.Ext+suffix)
	if q := strings.Trim(r.Params.String()+"&"+r.Options.String(), "&"); q != "" {
		p += "?" + q
	}
	return p
}

// sendExport answers with the bytes, compressed on their way where packing says so:
// from the store where they are kept, else as they are encoded.
func (a *API) sendExport(c *gin.Context, req *download.Request, key, packing string) error {
	ctx := c.Request.Context()
	stored, err := a.Exporter.Stored(ctx, key)
	if err != nil {
		return err
	}
	r := c.Request
	if stored == nil || packing != identity { // the tag is the key's: conditions need no file
		tag := packedTag(key, packing)
		if !matches(r, tag) {
			return handle.StaleTag()
		}
		if notModified(r, tag) {
			return sendNotModified(c)
		}
	}
	if stored == nil && !req.Whole() && r.Method == http.MethodGet && !a.Exporter.UnderWay(key) {
		if err := a.Budgets.Spend(c); err != nil {
			return err
		}
	}
	if stored == nil && r.Method == http.MethodGet && prefersAsync(r.Header) {
		var progress download.Progress
		if stored, progress, err = a.Exporter.Begin(ctx, req, patience); err != nil {
			return err
		}
		if stored == nil {
			return accepted(c, req, progress)
		}
		c.Header("Preference-Applied", "respond-async")
	}
	// What a GET of a whole table would fail with, HEAD says too.
	whole := req.Whole() && r.Method == http.MethodHead
	if stored == nil && (whole || packing == identity && r.Method == http.MethodGet && r.Header.Get("Range") != "") {
		// Length and ranges need the finished file.
		if stored, err = a.Exporter.Build(ctx, req); err != nil {
			return err
		}
	}
	if r.Method == http.MethodHead && (stored == nil || packing != identity) {
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
		return nil
	}
	if stored != nil {
		f, err := a.Exporter.Blobs.Open(ctx, stored.Blob.SHA256)
		switch {
		case err == nil && packing == identity:
			digest(c.Writer.Header(), stored.Blob.SHA256, stored.Rows, packing)
			return a.sendFile(c, f)
		case err == nil:
			defer f.Close()
			digest(c.Writer.Header(), stored.Blob.SHA256, stored.Rows, packing)
			return streamed(c, packing, func(w io.Writer) error {
				_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{f}, make([]byte, 128<<10))
				return err
			})
		case catalog.KindOf(err) != catalog.NotFound:
			return err
		} // else forgotten between the two: encode it again
	}
	return a.streamExport(c, req, packing)
}

// streamExport sends an export while it is encoded. What it came to follows as
// trailers; an error breaks the transfer, so that a short file never looks whole.
func (a *API) streamExport(c *gin.Context, req *download.Request, packing string) error {
	h := c.Writer.Header()
	h.Set("Trailer", "Taihu-Sha256")
	if packing == identity {
		h.Add("Trailer", "Repr-Digest")
	}
	if !req.Whole() { // of a whole table they stand in the head
		h.Add("Trailer", "Taihu-Rows")
	}
	var result pool.Result
	err := streamed(c, packing, func(w io.Writer) (err error) {
		result, err = a.Exporter.Stream(c.Request.Context(), req, w)
		return err
	})
	if err == nil {
		digest(h, result.SHA256, result.Rows, packing)
	}
	return err
}

// streamed sends what send writes, whose length is not known.
func streamed(c *gin.Context, packing string, send func(io.Writer) error) error {
	c.Status(http.StatusOK)
	w := &flushed{w: c.Writer, control: http.NewResponseController(c.Writer)}
	defer w.end()
	if packing == identity {
		return send(w)
	}
	p := &packer{to: w, packing: packing}
	defer p.release()
	if err := send(p); err != nil {
		return err
	}
	return p.Close()
}

// digest states the hash and the rows of a whole file. Repr-Digest (RFC 9530) is of
// the bytes that are sent, which compressed are others; Taihu-Sha256 is always of
// the plain ones.
func digest(h http.Header, sum string, rows int64, packing string) {
	b, err := hex.DecodeString(sum)
	if err != nil {
		return
	}
	if packing == identity {
		h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(b)+":")
	}
	h.Set("Taihu-Sha256", sum)
	h.Set("Taihu-Rows", strconv.FormatInt(rows, 10))
}

// patience is how long one who takes 202 for an answer waits for the file.
const patience = time.Second

// prefersAsync reports the preference respond-async (RFC 7240).
func prefersAsync(h http.Header) bool {
	for _, line := range h.Values("Prefer") {
		for p := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(p, ";")
			if strings.EqualFold(strings.TrimSpace(name), "respond-async") {
				return true
			}
		}
	}
	return false
}

// accepted says that the export is being encoded behind the same address.
func accepted(c *gin.Context, req *download.Request, p download.Progress) error {
	dropBodyHeaders(c)
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Location", exportPath(req, ""))
	h.Set("Retry-After", "2")
	h.Set("Preference-Applied", "respond-async")
	c.JSON(http.StatusAccepted, map[string]any{"status": "encoding", "bytes": p.Bytes, "address": exportPath(req, ""), "retry_after": 2})
	return nil
}

// sendManifest answers with the manifest of an export, which is encoded for it
// where it is not kept.
func (a *API) sendManifest(c *gin.Context, req *download.Request) error {
	ctx := c.Request.Context()
	kept, err := a.manifestKept(ctx, req)
	if err == nil && !kept {
		err = a.Budgets.Spend(c)
	}
	if err != nil {
		return err
	}
	x, err := a.Exporter.Build(ctx, req)
	if err != nil {
		return err
	}
	content, err := a.Exporter.ContentSHA256(ctx, req)
	if err != nil {
		return err
	}
	fields, err := answerFields(req)
	if err != nil {
		return err
	}
	m := Manifest{
		Dataset: req.Dataset.Slug, Release: req.Release.Number, Version: req.Release.Version, Table: req.Table.Name, Format: req.Format,
		Encoder: export.Version, Address: a.BaseURL + exportPath(req, ""), Columns: wireColumns(fields), Rows: x.Rows, Bytes: x.Blob.Size,
		SHA256: x.Blob.SHA256, ContentSHA256: content, Key: x.Key,
	}
	if !req.Whole() {
		m.Query = &req.Params
	}
	if req.Options != (export.Options{}) {
		m.Options = &req.Options
	}
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return sendJSON(c, req, append(body, '\n'))
}

// manifestKept reports whether nothing need be encoded for the manifest.
func (a *API) manifestKept(ctx context.Context, req *download.Request) (bool, error) {
	hashed := *req
	hashed.Format = export.ContentHash
	keys := []string{a.Exporter.Key(req), a.Exporter.Key(&hashed)}
	if req.Whole() { // its content hash is known
		keys = keys[:1]
	}
	for _, key := range keys {
		if x, err := a.Exporter.Stored(ctx, key); x == nil || err != nil {
			return false, err
		}
	}
	return true, nil
}

// sendJSON answers with a small document about an export.
func sendJSON(c *gin.Context, req *download.Request, body []byte) error {
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:])
	h := c.Writer.Header()
	h.Set("ETag", `"`+tag+`"`)
	h.Set("Cache-Control", cacheControl(req.Dataset))
	if notModified(c.Request, packedTag(tag, identity)) {
		return sendNotModified(c)
	}
	c.Data(http.StatusOK, "application/json", body)
	return nil
}

// answerFields are the columns of an export.
func answerFields(req *download.Request) ([]catalog.Field, error) {
	plan, err := planOf(req)
	if err != nil {
		return nil, err
	}
	fields := make([]catalog.Field, len(plan.Columns))
	for i, column := range plan.Columns {
		fields[i] = plan.Field(column)
	}
	return fields, nil
}

func planOf(req *download.Request) (*table.Plan, error) {
	q, err := table.Parse(req.Params)
	if err != nil {
		return nil, err
	}
	return q.Check(&req.Table.Schema)
}

// sampleRows is from how many rows the size of an export is estimated.
const sampleRows = 1000

// cellsPerSecond is how fast each format is encoded on two cores (make bench);
// what is not named is about as fast as CSV.
var cellsPerSecond = map[string]float64{"csv": 15e6, "xlsx": 4.5e6, "parquet": 5e6}

// sendEstimate answers how large an export would be, without encoding it.
func (a *API) sendEstimate(c *gin.Context, req *download.Request) error {
	ctx := c.Request.Context()
	key := a.Exporter.Key(req)
	stored, err := a.Exporter.Stored(ctx, key)
	if err != nil {
		return err
	}
	e := Estimate{}
	if stored != nil {
		e = Estimate{Rows: stored.Rows, Bytes: stored.Blob.Size, Kept: true}
	} else {
		if err := a.Budgets.Spend(c); err != nil {
			return err
		}
		if err := a.estimate(c, req, &e); err != nil {
			return err
		}
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return sendJSON(c, req, append(body, '\n'))
}

func (a *API) estimate(c *gin.Context, req *download.Request, e *Estimate) error {
	plan, err := planOf(req)
	if err != nil {
		return err
	}
	e.Rows = req.Table.Rows
	if plan.Group != nil || plan.Condition() != nil {
		one := req.Params
		one.Limit = 1
		answer, err := a.Pool.Rows(c.Request.Context(), req.Table, one, pool.RowsOptions{Count: true, NoJSON: true, NoCells: true, Client: req.Client})
		if err != nil {
			return err
		}
		e.Rows = *answer.Count
	}
	if n := req.Params.Limit; n > 0 {
		e.Rows = min(e.Rows, n)
	}
	sample := *req
	sample.Params.Sort = "" // the first rows are as long as any others, and need no sorting
	sample.Params.Limit = 1
	few, err := a.Exporter.Measure(c.Request.Context(), &sample)
	if err != nil {
		return err
	}
	sample.Params.Limit = min(sampleRows, max(e.Rows, 1))
	many, err := a.Exporter.Measure(c.Request.Context(), &sample)
	if err != nil {
		return err
	}
	e.Bytes = many.Bytes
	if many.Rows > few.Rows && e.Rows > many.Rows {
		e.Bytes = many.Bytes + int64(float64(many.Bytes-few.Bytes)/float64(many.Rows-few.Rows)*float64(e.Rows-many.Rows))
	}
	speed := cellsPerSecond[req.Format]
	if speed == 0 {
		speed = cellsPerSecond["csv"]
	}
	e.Seconds = math.Ceil(float64(e.Rows)*float64(len(plan.Columns))/speed*10) / 10
	return nil
}
