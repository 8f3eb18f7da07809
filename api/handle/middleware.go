package handle

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

const requestKey = "taihu.request_id"

// sentKey counts bytes that went past gin's writer, by sendfile.
const sentKey = "taihu.sent"

// RequestID returns the id of the request, which logs and problems carry.
func RequestID(c *gin.Context) string { return c.GetString(requestKey) }

// Log gives each request an id, logs it when done, and turns a panic into a
// logged 500, or into a broken connection where bytes have left already.
func Log(log *slog.Logger, render Renderer) gin.HandlerFunc {
	return func(c *gin.Context) {
		id := catalog.NewID()
		c.Set(requestKey, id)
		c.Header("X-Request-Id", id)
		start := time.Now()
		defer func() {
			r := recover()
			level := slog.LevelInfo
			if c.Request.URL.Path == "/healthz" || c.Request.URL.Path == "/readyz" {
				level = slog.LevelDebug
			}
			aborted := false
			if r != nil {
				if err, ok := r.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					aborted = true
				} else {
					log.Error("handler panicked", "request_id", id, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
					aborted = c.Writer.Written()
					if !aborted {
						p := ProblemOf(fmt.Errorf("panic: %v", r))
						p.Instance = id
						render(c, p)
						c.Abort()
					}
				}
			}
			log.LogAttrs(c.Request.Context(), level, "request", slog.String("request_id", id), slog.String("method", c.Request.Method),
				slog.String("path", c.Request.URL.Path), slog.Int("status", c.Writer.Status()), slog.Int64("bytes", int64(max(c.Writer.Size(), 0))+c.GetInt64(sentKey)),
				slog.Duration("took", time.Since(start)), slog.Bool("aborted", aborted))
			if aborted {
				panic(http.ErrAbortHandler)
			}
		}()
		c.Next()
	}
}

// Secure sets the headers every answer carries. Pages set their own stricter
// policy over this one, which suits data: nothing in it is ever run.
func Secure() gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		c.Next()
	}
}

// exposed are the headers a program in a browser may read across origins.
const exposed = "ETag, Link, Location, Content-Location, Content-Range, Content-Disposition, Accept-Ranges, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Repr-Digest, Preference-Applied, Taihu-Rows, Taihu-Sha256, Taihu-Content-Sha256"

// forPrograms are the beginnings of the addresses that any origin may read.
var forPrograms = []string{"/api/", "/data/", "/openapi", "/catalog.", "/portal.sql"}

// ForPrograms reports whether a path answers programs, not people: the API, the
// downloads, the catalogue as a whole, feeds.
func ForPrograms(path string) bool {
	return slices.ContainsFunc(forPrograms, func(p string) bool { return strings.HasPrefix(path, p) }) ||
		strings.HasSuffix(path, "/feed.atom") || strings.HasSuffix(path, "/dcat.ttl") || strings.HasSuffix(path, "/dcat.jsonld")
}

// CORS lets any origin read the answers for programs, problems included. It never allows credentials, so a session cookie is worth nothing
// across origins, and it covers reading alone.
func CORS() gin.HandlerFunc {
	return func(c *gin.Context) {
		if !ForPrograms(c.Request.URL.Path) {
			c.Next()
			return
		}
		h := c.Writer.Header()
		switch {
		case onlyReads(c.Request):
			h.Set("Access-Control-Allow-Origin", "*")
			h.Set("Access-Control-Expose-Headers", exposed)
		case c.Request.Method == http.MethodOptions:
			h.Set("Access-Control-Allow-Origin", "*")
			methods := "GET, HEAD"
			if isQuery(c.Request.URL.Path) {
				methods = http.MethodPost
			}
			h.Set("Access-Control-Allow-Methods", methods)
			h.Set("Access-Control-Allow-Headers", "Range, If-None-Match, If-Range, If-Modified-Since, Accept, Content-Type, Prefer")
			h.Set("Access-Control-Max-Age", "86400")
			if c.FullPath() != "" { // the address has an answer of its own
				break
			}
			c.AbortWithStatus(http.StatusNoContent)
			return
		}
		c.Next()
	}
}

// onlyReads reports whether a request changes nothing: it is GET, HEAD, or a query
// of a table, which is posted because conditions can be long.
func onlyReads(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodPost && isQuery(r.URL.Path)
}

func isQuery(path string) bool {
	return strings.HasPrefix(path, "/api/v1/datasets/") && strings.HasSuffix(path, "/query")
}

// SameOrigin refuses requests that change something and come from another site,
// and, where they carry the session cookie, those that do not say where they
// come from: every browser does. Requests with a token are not a browser's and
// pass.
func SameOrigin(render Renderer, cookie string) gin.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c *gin.Context) {
		if c.GetHeader("Authorization") == "" && !onlyReads(c.Request) {
			if err := protection.Check(c.Request); err != nil || unsaid(c.Request, cookie) {
				p := ProblemOf(catalog.Errorf(catalog.Forbidden, "cross_site", "this request comes from another site and is refused").InChinese("这个请求来自别的网站，已拒绝"))
				p.Instance = RequestID(c)
				render(c, p)
				c.Abort()
				return
			}
		}
		c.Next()
	}
}

// unsaid reports a changing request with a session that names no origin of ours.
func unsaid(r *http.Request, cookie string) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	if _, err := r.Cookie(cookie); err != nil || r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "" {
		return false
	}
	from, err := url.Parse(r.Referer())
	return err != nil || from.Host != r.Host
}
