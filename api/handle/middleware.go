package handle

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

const requestKey = "taihu.request_id"

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
				slog.String("path", c.Request.URL.Path), slog.Int("status", c.Writer.Status()), slog.Int("bytes", max(c.Writer.Size(), 0)),
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
const exposed = "ETag, Link, Location, Content-Location, Content-Range, Content-Disposition, Accept-Ranges, Retry-After, X-Request-Id, Taihu-Rows, Taihu-Content-Sha256"

// CORS lets any origin read public answers. It never allows credentials, so a
// session cookie is worth nothing across origins.
func CORS() gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", exposed)
		if c.Request.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Range, If-None-Match, If-Range, If-Modified-Since, Accept, Content-Type")
			h.Set("Access-Control-Max-Age", "86400")
			c.AbortWithStatus(http.StatusNoContent)
			return
		}
		c.Next()
	}
}

// SameOrigin refuses requests that change something, carry a session cookie and
// come from another site. Requests with a token are not a browser's and pass.
func SameOrigin(render Renderer) gin.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c *gin.Context) {
		if c.GetHeader("Authorization") == "" {
			if err := protection.Check(c.Request); err != nil {
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
