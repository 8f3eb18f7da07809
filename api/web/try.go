package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// tried is a request of the reader and what the portal answered.
type tried struct {
	Address string // in full, as a program sends it
	Curl    string
	Status  string // 200 OK
	Good    bool
	Headers []header
	Body    string
	Indent  bool // the body is indented for reading
	Cut     bool // there was more of it
}

type header struct{ Name, Value string }

// triedBytes is what is shown of an answer.
const triedBytes = 16 << 10

// try sends a GET of the reader's to the portal itself and keeps the beginning
// of what it answers: the very bytes, status and headers that a program gets. It
// costs the reader's budget like the same request from outside.
func (s *Site) try(c *gin.Context, path string, q url.Values) *tried {
	ctx, cancel := context.WithCancel(c.Request.Context())
	defer cancel()
	r := c.Request.Clone(ctx)
	r.Method, r.URL, r.Body, r.ContentLength = http.MethodGet, &url.URL{Path: path, RawQuery: q.Encode()}, http.NoBody, 0
	r.RequestURI, r.Proto, r.ProtoMajor, r.ProtoMinor = r.URL.RequestURI(), "HTTP/1.1", 1, 1
	r.Header = http.Header{"Accept": {"*/*"}}
	for _, name := range []string{"Cookie", "Authorization", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip"} { // who asks
		if values := c.Request.Header.Values(name); len(values) > 0 {
			r.Header[name] = values
		}
	}
	w := &beginning{header: http.Header{}, full: cancel}
	w.serve(s.Portal, r)
	t := &tried{Address: s.absolute(r.RequestURI), Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), Good: w.status == http.StatusOK, Cut: w.cut, Body: w.text()}
	for name, values := range w.sent {
		for _, v := range values {
			t.Headers = append(t.Headers, header{name, v})
		}
	}
	slices.SortFunc(t.Headers, func(a, b header) int { return strings.Compare(a.Name, b.Name) })
	if kind := w.sent.Get("Content-Type"); !t.Cut && (strings.HasPrefix(path, "/api/") || kind == "application/problem+json") {
		var b bytes.Buffer
		if json.Indent(&b, []byte(t.Body), "", "  ") == nil {
			t.Body, t.Indent = b.String(), true
		}
	}
	return t
}

// beginning is a ResponseWriter that keeps the first bytes and then breaks off,
// as a reader does who closes the connection.
type beginning struct {
	header http.Header
	sent   http.Header
	status int
	body   bytes.Buffer
	cut    bool
	full   context.CancelFunc
}

var errEnough = errors.New("the reader has seen enough")

func (b *beginning) Header() http.Header { return b.header }

func (b *beginning) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
		b.sent = b.header.Clone() // what is set later is a trailer
	}
}

func (b *beginning) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	if room := triedBytes - b.body.Len(); len(p) > room {
		b.body.Write(p[:room])
		b.cut = true
		b.full()
		return room, errEnough
	}
	return b.body.Write(p)
}

// Flush does nothing: the answer is kept, not sent.
func (b *beginning) Flush() {}

// serve lets h answer r. A handler breaks off an answer that failed, or that was
// cut here, by a panic that means just that.
func (b *beginning) serve(h http.Handler, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			b.cut = true
		}
	}()
	h.ServeHTTP(b, r)
	b.WriteHeader(http.StatusOK)
}

// text is what was kept, without half a character at its end.
func (b *beginning) text() string {
	s := b.body.String()
	if b.cut {
		if at := strings.LastIndexByte(s, '\n'); at > 0 {
			return s[:at+1]
		}
	}
	return strings.ToValidUTF8(s, "")
}
