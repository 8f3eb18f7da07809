// Package handle is what every HTTP handler of the portal shares: handlers that
// return errors, the one table from error kind to status, the one error shape
// (RFC 9457), the actor of a request, the strict check of raw query parameters,
// security and CORS headers.
//
// It knows gin and catalog, and nothing of stores, tables, pages or formats.
package handle

import (
	"log/slog"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

// Func is a handler that returns its error. After an error nothing else is
// written: the adapter renders it, or breaks the connection where bytes have
// left already.
type Func func(c *gin.Context) error

// Renderer shows an error to its reader, in the shape the route's readers want.
type Renderer func(c *gin.Context, p *Problem)

// Adapt turns a Func into gin's form. Internal errors are logged once, with the
// request id, and hidden from the reader.
func Adapt(f Func, render Renderer, log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		err := f(c)
		if err == nil {
			return
		}
		p := ProblemOf(err)
		p.Instance = RequestID(c)
		if p.Status == http.StatusInternalServerError && c.Request.Context().Err() == nil {
			log.ErrorContext(c.Request.Context(), "request failed", "request_id", p.Instance, "method", c.Request.Method, "path", c.Request.URL.Path, "error", err)
		}
		if c.Writer.Written() {
			// A short answer must never look complete: no last chunk, no length.
			reset(c)
			panic(http.ErrAbortHandler)
		}
		render(c, p)
		c.Abort()
	}
}

// reset ends the connection of an HTTP/1.0 reader, as many proxies are, with an
// error: there the mere end of the connection is the end of the file.
func reset(c *gin.Context) {
	w, ok := c.Writer.(interface{ Unwrap() http.ResponseWriter })
	if !ok || c.Request.ProtoAtLeast(1, 1) {
		return
	}
	conn, _, err := http.NewResponseController(w.Unwrap()).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

const actorKey = "taihu.actor"

// SetActor keeps who asks; the authenticating middleware calls it.
func SetActor(c *gin.Context, a catalog.Actor) { c.Set(actorKey, a) }

// Actor returns who asks; the zero Actor is anonymous.
func Actor(c *gin.Context) catalog.Actor {
	a, _ := c.Get(actorKey)
	actor, _ := a.(catalog.Actor)
	return actor
}
