package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/upload"
)

// Resumable uploads by the tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload):
// core, creation, checksum, expiration, termination.

const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,checksum,expiration,termination"
	tusMedia      = "application/offset+octet-stream"
	// stall is how long a sender may send nothing before his connection is given
	// up; he goes on from there when he comes back.
	stall = time.Minute
	// statusChecksum is of the tus protocol alone.
	statusChecksum = 460
)

// Upload is a file on its way into a draft.
type Upload struct {
	ID        string                `json:"id"`
	Draft     string                `json:"draft" doc:"The draft it becomes a file of"`
	Name      string                `json:"name"`
	Size      *int64                `json:"size" doc:"Bytes; null where not known yet"`
	Received  int64                 `json:"received" doc:"Bytes that are kept, whatever happens"`
	SHA256    string                `json:"sha256,omitempty" doc:"Of the whole file: as announced, or, once done, as it is"`
	Source    string                `json:"source,omitempty" doc:"The address it is fetched from"`
	Options   catalog.IngestOptions `json:"options" doc:"How it is to be read"`
	State     catalog.UploadState   `json:"state" enum:"open,done,failed"`
	Failure   *catalog.Failure      `json:"failure,omitempty" doc:"Why it failed"`
	CreatedAt time.Time             `json:"created_at"`
	ExpiresAt time.Time             `json:"expires_at" doc:"When it is forgotten unless bytes come"`
}

// UploadList lists uploads, oldest first.
type UploadList struct {
	Uploads []Upload `json:"uploads"`
}

func wireUpload(u *catalog.Upload) Upload {
	w := Upload{ID: u.ID, Draft: u.ReleaseID, Name: u.Name, Received: u.Received, SHA256: u.SHA256, Source: u.Source, Options: u.Options, State: u.State, CreatedAt: u.CreatedAt, ExpiresAt: u.ExpiresAt}
	if u.Size >= 0 {
		w.Size = &u.Size
	}
	if u.State == catalog.UploadFailed {
		w.Failure = &u.Failure
	}
	return w
}

func wireUploads(list []catalog.Upload) UploadList {
	out := UploadList{Uploads: []Upload{}}
	for i := range list {
		out.Uploads = append(out.Uploads, wireUpload(&list[i]))
	}
	return out
}

func uploadPath(u *catalog.Upload) string {
	return "/api/v1/drafts/" + u.ReleaseID + "/uploads/" + u.ID
}

// UploadPath names an upload. It is exported because huma reads embedded
// parameters of exported types only.
type UploadPath struct {
	DraftPath
	Upload string `path:"upload" format:"uuid" doc:"The upload"`
}

// TusHeader is the version of the protocol that a sender speaks.
type TusHeader struct {
	Tus string `header:"Tus-Resumable" doc:"1.0.0; without it the request is not of the protocol"`
}

func (h TusHeader) check() error {
	if h.Tus == tusVersion {
		return nil
	}
	return handle.NewProblem(http.StatusPreconditionFailed, "tus_version", "this address speaks the tus protocol 1.0.0: send Tus-Resumable: 1.0.0", "这个地址用tus协议1.0.0：请带上Tus-Resumable: 1.0.0")
}

// UploadHeaders are what the protocol tells of an upload. It is exported because
// huma reads embedded headers of exported types only.
type UploadHeaders struct {
	Tus     string `header:"Tus-Resumable"`
	Offset  int64  `header:"Upload-Offset"`
	Length  string `header:"Upload-Length"`
	Expires string `header:"Upload-Expires"`
}

func headersOf(u *catalog.Upload) UploadHeaders {
	h := UploadHeaders{Tus: tusVersion, Offset: u.Received, Expires: u.ExpiresAt.UTC().Format(http.TimeFormat)}
	if u.Size >= 0 {
		h.Length = strconv.FormatInt(u.Size, 10)
	}
	return h
}

type createUploadOutput struct {
	Location string `header:"Location"`
	UploadHeaders
}

type uploadOutput struct {
	UploadHeaders
	Body Upload
}

func (a *API) uploadRoutes() {
	a.engine.OPTIONS("/api/v1/drafts/:id/uploads", a.tusOptions)
	a.engine.OPTIONS("/api/v1/drafts/:id/uploads/:upload", a.tusOptions)

	register(a, huma.Operation{OperationID: "create-upload", Method: http.MethodPost, Path: "/api/v1/drafts/{id}/uploads", Tags: []string{"stewards"}, DefaultStatus: http.StatusCreated,
		Summary:     "Begin a resumable upload (tus 1.0.0, creation)",
		Description: "Upload-Metadata names the file: filename; and, all optional, filetype, sha256 (hexadecimal, of the whole file, checked at its end) and the words of put-file: sheet, header_row, header_rows, totals, merged, path, delimiter, encoding, table, zone, settle. A file too large for the portal, or for its disk, is refused before a byte is sent. Unfinished uploads are seen by nobody else and forgotten after 24 hours without a byte.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DraftPath
			TusHeader
			Length   string `header:"Upload-Length" doc:"Bytes of the whole file"`
			Metadata string `header:"Upload-Metadata" doc:"Pairs of a name and a value in Base64, separated by commas"`
		}) (*createUploadOutput, error) {
			if err := in.check(); err != nil {
				return nil, err
			}
			u, err := uploadOf(in.Length, in.Metadata)
			if err != nil {
				return nil, err
			}
			made, err := a.Uploads.Create(ctx, actor, in.ID, u)
			if err != nil {
				return nil, err
			}
			return &createUploadOutput{Location: uploadPath(made), UploadHeaders: headersOf(made)}, nil // a path: it holds behind any proxy
		})

	register(a, huma.Operation{OperationID: "import-file", Method: http.MethodPost, Path: "/api/v1/drafts/{id}/imports", Tags: []string{"stewards"}, DefaultStatus: http.StatusAccepted,
		Summary:     "Have a file fetched from an address",
		Description: "In the background: poll the upload in Location. The address is http or https and public; credentials in it are left out. It is fetched once more where its server is away.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DraftPath
			Body ImportAsk
		}) (*importOutput, error) {
			u, err := a.Uploads.Import(ctx, actor, in.ID, in.Body.URL, in.Body.Name, in.Body.Options)
			if err != nil {
				return nil, err
			}
			return &importOutput{a.BaseURL + uploadPath(u), wireUpload(u)}, nil
		})

	register(a, huma.Operation{OperationID: "list-uploads", Method: http.MethodGet, Path: "/api/v1/drafts/{id}/uploads", Tags: []string{"stewards"},
		Summary: "Your own uploads into a draft", Description: "Those under way and those that ended within a day, imports among them.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *DraftPath) (*struct{ Body UploadList }, error) {
			list, err := a.Store.Uploads(ctx, actor, in.ID)
			return &struct{ Body UploadList }{wireUploads(list)}, err
		})
	register(a, huma.Operation{OperationID: "list-own-uploads", Method: http.MethodGet, Path: "/api/v1/uploads", Tags: []string{"stewards"},
		Summary: "Your own uploads into any draft", Description: "By their names, sizes and hashes a sender finds what he left unfinished.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, _ *struct{}) (*struct{ Body UploadList }, error) {
			list, err := a.Store.Uploads(ctx, actor, "")
			return &struct{ Body UploadList }{wireUploads(list)}, err
		})

	register(a, huma.Operation{OperationID: "get-upload", Method: http.MethodGet, Path: "/api/v1/drafts/{id}/uploads/{upload}", Tags: []string{"stewards"},
		Summary: "How far an upload is", Description: "HEAD is what the tus protocol asks with: Upload-Offset is where to go on. A connection that still sends to it is ended.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *UploadPath) (*uploadOutput, error) {
			u, err := a.Uploads.Status(ctx, actor, in.ID, in.Upload)
			if err != nil {
				return nil, err
			}
			return &uploadOutput{headersOf(u), wireUpload(u)}, nil
		})

	register(a, huma.Operation{OperationID: "append-to-upload", Method: http.MethodPatch, Path: "/api/v1/drafts/{id}/uploads/{upload}", Tags: []string{"stewards"}, DefaultStatus: http.StatusNoContent,
		Summary: "Send the next bytes of an upload (tus 1.0.0)", Description: "What is acknowledged survives a crash of the portal. The last byte makes it a file of the draft, which is checked in the background: poll the draft. Pieces of up to 4 MiB waste least when connections break.", Security: bearer,
		MaxBodyBytes: -1, BodyReadTimeout: -1,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{tusMedia: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}},
		a.appendToUpload)

	register(a, huma.Operation{OperationID: "delete-upload", Method: http.MethodDelete, Path: "/api/v1/drafts/{id}/uploads/{upload}", Tags: []string{"stewards"}, DefaultStatus: http.StatusNoContent,
		Summary: "Forget an upload and its bytes", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *UploadPath) (*struct {
			Tus string `header:"Tus-Resumable"`
		}, error) {
			return &struct {
				Tus string `header:"Tus-Resumable"`
			}{tusVersion}, a.Uploads.Delete(ctx, actor, in.ID, in.Upload)
		})
}

// ImportAsk names a file to be fetched.
type ImportAsk struct {
	URL     string                `json:"url" maxLength:"4000" doc:"http or https, public" example:"https://example.org/readings.csv"`
	Name    string                `json:"name,omitempty" maxLength:"255" doc:"As readers will see it; without it from the address"`
	Options catalog.IngestOptions `json:"options,omitzero" doc:"How it is read"`
}

type importOutput struct {
	Location string `header:"Location"`
	Body     Upload
}

// tusOptions says what is spoken here.
func (a *API) tusOptions(c *gin.Context) {
	c.Header("Tus-Resumable", tusVersion)
	c.Header("Tus-Version", tusVersion)
	c.Header("Tus-Extension", tusExtensions)
	c.Header("Tus-Max-Size", strconv.FormatInt(a.MaxUpload, 10))
	c.Header("Tus-Checksum-Algorithm", strings.Join(upload.Algorithms, ","))
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
}

func badHeader(name, why string) error {
	return catalog.Errorf(catalog.Invalid, "invalid_header", "the header %s %s", name, why).With("header", name).InChinese("请求头%s不对", name)
}

// uploadOf reads what the creation of an upload says.
func uploadOf(length, metadata string) (u catalog.Upload, err error) {
	if u.Size, err = strconv.ParseInt(length, 10, 64); err != nil || u.Size < 0 {
		return u, badHeader("Upload-Length", "must be the number of bytes of the file, which is known before it is sent")
	}
	said := map[string]string{}
	for pair := range strings.SplitSeq(metadata, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		b, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return u, badHeader("Upload-Metadata", "must be names, each with a value in Base64, separated by commas")
		}
		said[name] = string(b)
	}
	u.Name, u.MediaType, u.SHA256 = said["filename"], upload.MediaType(said["filetype"], said["filename"]), strings.ToLower(said["sha256"])
	if u.SHA256 != "" && (len(u.SHA256) != 64 || strings.Trim(u.SHA256, "0123456789abcdef") != "") {
		return u, badHeader("Upload-Metadata", "has a sha256 that is not 64 hexadecimal digits")
	}
	u.Options, err = catalog.ReadOptions(func(name string) string { return said[name] })
	return u, err
}

type appendInput struct {
	UploadPath
	TusHeader
	Offset   string `header:"Upload-Offset" doc:"Where these bytes begin: what the upload has"`
	Checksum string `header:"Upload-Checksum" doc:"sha256 or sha1, a space, and the checksum of these bytes in Base64. They are kept only when all of them are here and have it"`
	Type     string `header:"Content-Type" hidden:"true"`

	body   *slowReader
	length int64
}

// Resolve keeps the body for streaming: huma would read it whole.
func (in *appendInput) Resolve(ctx huma.Context) []error {
	in.length = -1
	if n, err := strconv.ParseInt(ctx.Header("Content-Length"), 10, 64); err == nil {
		in.length = n
	}
	in.body = &slowReader{r: ctx.BodyReader(), control: http.NewResponseController(humagin.Unwrap(ctx).Writer)}
	return nil
}

func (a *API) appendToUpload(ctx context.Context, actor catalog.Actor, in *appendInput) (*struct{ UploadHeaders }, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if media, _, _ := mime.ParseMediaType(in.Type); media != tusMedia {
		return nil, handle.NewProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "the bytes of an upload are sent as "+tusMedia, "上传的内容类型须是"+tusMedia)
	}
	offset, err := strconv.ParseInt(in.Offset, 10, 64)
	if err != nil || offset < 0 {
		return nil, badHeader("Upload-Offset", "must be the number of bytes the upload has")
	}
	p := upload.Piece{Offset: offset, Length: in.length, Body: in.body, Stop: in.body.stop}
	if in.Checksum != "" {
		algorithm, value, _ := strings.Cut(in.Checksum, " ")
		sum, err := base64.StdEncoding.DecodeString(value)
		if err != nil || !slices.Contains(upload.Algorithms, algorithm) {
			return nil, badHeader("Upload-Checksum", fmt.Sprintf("must be one of %s, a space, and the checksum in Base64", strings.Join(upload.Algorithms, ", ")))
		}
		p.Sum = upload.Sum{Algorithm: algorithm, Value: sum}
	}
	u, err := a.Uploads.Append(ctx, actor, in.ID, in.Upload, p)
	if errors.Is(err, upload.ErrChecksum) {
		p := handle.NewProblem(statusChecksum, "checksum_mismatch", "the bytes were changed on their way: they do not have their checksum, and none was kept", "数据在途中变了：与校验值不符，没有保留")
		p.Title = "Checksum Mismatch"
		return nil, p
	}
	if err != nil {
		return nil, err
	}
	return &struct{ UploadHeaders }{headersOf(u)}, nil
}

// slowReader gives up a body of which nothing comes for long, or when it is told
// to stop.
type slowReader struct {
	r       io.Reader
	control *http.ResponseController
	mu      sync.Mutex
	stopped bool
}

func (s *slowReader) Read(p []byte) (int, error) {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return 0, os.ErrDeadlineExceeded
	}
	_ = s.control.SetReadDeadline(time.Now().Add(stall)) // a connection without deadlines waits for the kernel's
	s.mu.Unlock()
	n, err := s.r.Read(p)
	if errors.Is(err, io.EOF) { // net/http goes on reading, for the next request
		_ = s.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// stop ends a Read that waits, and those to come.
func (s *slowReader) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	_ = s.control.SetReadDeadline(time.Now().Add(-time.Second))
}

// ofUploads reports whether a path is of the tus protocol.
func ofUploads(path string) bool {
	rest, ok := strings.CutPrefix(path, "/api/v1/drafts/")
	_, rest, found := strings.Cut(rest, "/")
	return ok && found && (rest == "uploads" || strings.HasPrefix(rest, "uploads/"))
}

// overridden is a request under the method that a sender behind a narrow proxy
// names in a header, as the tus protocol wants it.
func overridden(r *http.Request) *http.Request {
	method := r.Header.Get("X-HTTP-Method-Override")
	if r.Method != http.MethodPost || method != http.MethodPatch && method != http.MethodDelete {
		return r
	}
	r2 := *r
	r2.Method = method
	return &r2
}
