package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"taihu/api"
	"taihu/api/handle"
	"taihu/catalog"
)

// Uploads larger than Resumable go in pieces and survive what befalls them;
// a smaller file is sent in one request.
const (
	Resumable = 8 << 20
	piece     = 4 << 20
	// patience is how long a server may be away before an upload gives up. What
	// it has is kept for a day.
	patience = 2 * time.Minute
	// pieceTime bounds one piece: slower than 14 kB/s is a connection that hangs.
	pieceTime = 5 * time.Minute
)

// File is what Upload sends.
type File struct {
	Name    string
	Size    int64
	SHA256  string // in hexadecimal; empty: the server does not compare
	Options catalog.IngestOptions
	io.ReaderAt
}

// ErrInterrupted is the error of an upload that can be gone on with: the bytes
// that were acknowledged are kept.
var ErrInterrupted = errors.New("the upload broke off; what came is kept for a day: the same command again goes on from there")

// OwnUploads lists the uploads of the token's user, those that ended too.
func (c *Client) OwnUploads(ctx context.Context) ([]api.Upload, error) {
	var list api.UploadList
	err := c.Do(ctx, http.MethodGet, "/api/v1/uploads", nil, &list)
	return list.Uploads, err
}

// Upload sends a file into a draft in pieces by the tus protocol. It goes on with
// an unfinished upload of the same name, size and hash, and after every break
// from the last byte that was acknowledged; told is called with the bytes that
// are safe. ErrInterrupted where the server stayed away.
func (c *Client) Upload(ctx context.Context, draft string, f *File, told func(int64)) (*api.Draft, error) {
	at, address, err := c.findUpload(ctx, draft, f)
	if err != nil {
		return nil, err
	}
	last := time.Now() // when something was acknowledged
	for tries := 0; address == "" || at < f.Size; {
		told(at)
		var next int64
		switch {
		case address == "":
			next, address, err = c.createUpload(ctx, draft, f)
		default:
			next, err = c.sendPiece(ctx, address, f, at)
		}
		switch {
		case err == nil:
			at, tries, last = next, 0, time.Now()
			continue
		case CodeOf(err) == "unknown_upload" && tries == 0: // it expired meanwhile
			at, address, tries = 0, "", 1
			continue
		case !worthAnother(err):
			return nil, err
		}
		tries++
		if err := pause(ctx, tries); err != nil || time.Since(last) > patience {
			return nil, ErrInterrupted
		}
		if address != "" {
			if offset, err := c.offsetOf(ctx, address); err == nil {
				at = offset
			}
		}
	}
	told(at)
	return c.Draft(ctx, draft)
}

// pause waits before another try: longer each time, up to five seconds.
func pause(ctx context.Context, tries int) error {
	wait := min(100*time.Millisecond<<min(tries, 6), 5*time.Second)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait/2 + rand.N(wait/2)):
		return nil
	}
}

// worthAnother reports whether a break passes: the connection broke, the server
// is away, or the upload stands elsewhere than thought.
func worthAnother(err error) bool {
	var p *handle.Problem
	if !errors.As(err, &p) {
		return true
	}
	switch p.Status {
	case http.StatusConflict:
		return p.Code == "wrong_offset" || p.Code == "upload_busy" || p.Code == "upload_taken_over"
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInternalServerError:
		return true
	}
	return p.Code == "broken_upload" || p.Code == "checksum_mismatch" || p.Code == "not_taihu" && p.Status == http.StatusRequestTimeout
}

// findUpload returns where an unfinished upload of the same file stands.
func (c *Client) findUpload(ctx context.Context, draft string, f *File) (int64, string, error) {
	list, err := c.OwnUploads(ctx)
	if err != nil {
		return 0, "", err
	}
	for _, u := range list {
		if u.Draft == draft && u.State == catalog.UploadOpen && Same(u, f) {
			return u.Received, "/api/v1/drafts/" + draft + "/uploads/" + u.ID, nil
		}
	}
	return 0, "", nil
}

// Same reports whether an upload is of this file. Without a hash that cannot be
// known.
func Same(u api.Upload, f *File) bool {
	return f.SHA256 != "" && u.Source == "" && u.Name == f.Name && u.Size != nil && *u.Size == f.Size && u.SHA256 == f.SHA256 && reflect.DeepEqual(u.Options, f.Options)
}

// optionValues are the words of put-file and create-upload for how a file is read.
func optionValues(o catalog.IngestOptions) url.Values {
	v := url.Values{}
	for name, text := range o.Texts() {
		v.Set(name, text)
	}
	return v
}

// Send gives a file to a draft: in pieces where it is large, else in one request.
func (c *Client) Send(ctx context.Context, draft string, f *File, told func(int64)) (*api.Draft, error) {
	if f.Size > Resumable {
		return c.Upload(ctx, draft, f, told)
	}
	told(0)
	return c.PutFile(ctx, draft, f.Name, optionValues(f.Options), io.NewSectionReader(f, 0, f.Size), f.Size)
}

// Import has the server fetch a file of a draft from an address. It is under way
// when this returns: ask for it with UploadOf.
func (c *Client) Import(ctx context.Context, draft string, ask api.ImportAsk) (*api.Upload, error) {
	var u api.Upload
	return &u, c.Do(ctx, http.MethodPost, "/api/v1/drafts/"+url.PathEscape(draft)+"/imports", ask, &u)
}

// UploadOf reads how far an upload of a draft is.
func (c *Client) UploadOf(ctx context.Context, draft, id string) (*api.Upload, error) {
	var u api.Upload
	return &u, c.Do(ctx, http.MethodGet, "/api/v1/drafts/"+url.PathEscape(draft)+"/uploads/"+url.PathEscape(id), nil, &u)
}

func (c *Client) createUpload(ctx context.Context, draft string, f *File) (int64, string, error) {
	said := optionValues(f.Options)
	said.Set("filename", f.Name)
	if f.SHA256 != "" {
		said.Set("sha256", f.SHA256)
	}
	var pairs []string
	for k := range said {
		pairs = append(pairs, k+" "+base64.StdEncoding.EncodeToString([]byte(said.Get(k))))
	}
	header, err := c.tus(ctx, http.MethodPost, "/api/v1/drafts/"+url.PathEscape(draft)+"/uploads", nil,
		"Upload-Length", strconv.FormatInt(f.Size, 10), "Upload-Metadata", strings.Join(pairs, ","))
	if err != nil {
		return 0, "", err
	}
	return 0, header.Get("Location"), nil
}

func (c *Client) offsetOf(ctx context.Context, address string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	header, err := c.tus(ctx, http.MethodHead, address, nil)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(header.Get("Upload-Offset"), 10, 64)
}

func (c *Client) sendPiece(ctx context.Context, address string, f *File, at int64) (int64, error) {
	b := make([]byte, min(piece, f.Size-at))
	if n, err := f.ReadAt(b, at); n < len(b) {
		return at, &handle.Problem{Status: http.StatusBadRequest, Code: "file_changed", Detail: fmt.Sprintf("%s cannot be read at byte %d: %v", f.Name, at, err)}
	}
	ctx, cancel := context.WithTimeout(ctx, pieceTime)
	defer cancel()
	header, err := c.tus(ctx, http.MethodPatch, address, bytes.NewReader(b), "Upload-Offset", strconv.FormatInt(at, 10), "Content-Type", "application/offset+octet-stream")
	if err != nil {
		return at, err
	}
	return strconv.ParseInt(header.Get("Upload-Offset"), 10, 64)
}

// tus sends a request of the tus protocol; what it is told stands in the headers.
func (c *Client) tus(ctx context.Context, method, path string, body io.Reader, headers ...string) (http.Header, error) {
	address := path
	if !strings.Contains(path, "://") {
		address = c.Server + path
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Accept", "application/json")
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return nil, problem(resp)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.Header, err
}
