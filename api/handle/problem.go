package handle

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

// statuses is the one table from kind to HTTP status.
var statuses = map[catalog.Kind]int{
	catalog.Invalid:            http.StatusBadRequest,
	catalog.Unauthenticated:    http.StatusUnauthorized,
	catalog.Forbidden:          http.StatusForbidden,
	catalog.NotFound:           http.StatusNotFound,
	catalog.Conflict:           http.StatusConflict,
	catalog.Gone:               http.StatusGone,
	catalog.PreconditionFailed: http.StatusPreconditionFailed,
	catalog.TooLarge:           http.StatusRequestEntityTooLarge,
	catalog.Unprocessable:      http.StatusUnprocessableEntity,
	catalog.RateLimited:        http.StatusTooManyRequests,
	catalog.Unavailable:        http.StatusServiceUnavailable,
	catalog.Full:               http.StatusInsufficientStorage,
}

// Status returns the HTTP status of a kind; 500 for "".
func Status(k catalog.Kind) int {
	if s, ok := statuses[k]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// Problem is the one error shape (RFC 9457). It is also what huma writes.
type Problem struct {
	Type     string         `json:"type" doc:"Address of a page about this code" example:"/docs/errors/unknown_column"`
	Title    string         `json:"title" doc:"The status in words"`
	Status   int            `json:"status" doc:"HTTP status"`
	Code     string         `json:"code" doc:"Stable word for programs" example:"unknown_column"`
	Detail   string         `json:"detail" doc:"What is so and what to do"`
	DetailZh string         `json:"detail_zh,omitempty" doc:"The same in Chinese"`
	Instance string         `json:"instance,omitempty" doc:"Id of the request, to be quoted when asking the operator"`
	Facts    map[string]any `json:"facts,omitempty" doc:"Facts for programs: the parameter, the nearest known name, what exists"`
}

// Error makes a Problem an error, GetStatus one that huma writes as it is.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is what huma announces for a Problem.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// ProblemOf turns any error into the one shape. What is not a catalog.Error is
// internal and says nothing of itself.
func ProblemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var e *catalog.Error
	if !errors.As(err, &e) {
		return &Problem{
			Type: "/docs/errors/internal", Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError, Code: "internal",
			Detail: "something went wrong on our side; the operator can find it by the request id", DetailZh: "本站出了问题，运维人员可凭请求编号查到原因",
		}
	}
	status := Status(e.Kind)
	return &Problem{
		Type: "/docs/errors/" + e.Code, Title: http.StatusText(status), Status: status, Code: e.Code,
		Detail: e.Message, DetailZh: e.Zh, Facts: maps.Clone(e.Fields),
	}
}

// SetHeaders sets the headers that go with p: nothing about an error is kept, and
// who is asked to wait or to identify himself is told how.
func (p *Problem) SetHeaders(h http.Header) {
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		after := 2
		if n, ok := p.Facts["retry_after"].(int); ok {
			after = n
		}
		h.Set("Retry-After", strconv.Itoa(after))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="taihu"`)
	}
	h.Set("Cache-Control", "no-store")
}

// NewProblem makes a problem that is no catalog.Error, because only HTTP knows
// its status.
func NewProblem(status int, code, detail, zh string) *Problem {
	return &Problem{Type: "/docs/errors/" + code, Title: http.StatusText(status), Status: status, Code: code, Detail: detail, DetailZh: zh}
}

// WriteProblem renders p as application/problem+json.
func WriteProblem(c *gin.Context, p *Problem) {
	p.SetHeaders(c.Writer.Header())
	c.Header("Content-Type", "application/problem+json")
	c.Status(p.Status)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	enc := json.NewEncoder(c.Writer)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(p) // the reader is gone if this fails
}
