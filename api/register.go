package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"taihu/api/handle"
	"taihu/catalog"
)

func init() {
	// huma's own errors (a body that does not fit its schema) take the one shape.
	huma.NewError = newError
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := newError(status, msg, errs...)
		if p, ok := p.(*handle.Problem); ok {
			c := humagin.Unwrap(ctx)
			p.Instance = handle.RequestID(c)
			p.SetHeaders(c.Writer.Header())
		}
		return p
	}
}

func newError(status int, msg string, errs ...error) huma.StatusError {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	code := "invalid_request"
	switch status {
	case http.StatusRequestEntityTooLarge:
		code = "too_large"
	case http.StatusUnsupportedMediaType:
		code, msg = "unsupported_media_type", "the body must be application/json"
	case http.StatusInternalServerError:
		return handle.ProblemOf(context.Canceled) // says nothing of itself
	}
	p := handle.NewProblem(status, code, msg, "")
	for i, err := range errs {
		if err == nil {
			continue
		}
		var known *handle.Problem
		if errors.As(err, &known) {
			return known
		}
		if i >= mostErrors {
			continue
		}
		if p.Facts == nil {
			p.Facts = map[string]any{}
		}
		if d, ok := err.(huma.ErrorDetailer); ok {
			detail := short(d.ErrorDetail())
			list, _ := p.Facts["errors"].([]*huma.ErrorDetail)
			p.Facts["errors"], err = append(list, detail), detail
		}
		if i == 0 {
			p.Detail += ": " + err.Error()
		}
	}
	return p
}

// Each of huma's errors repeats the object it is about: with many in one large
// body the answer would grow with their product.
const (
	mostErrors   = 10  // told of one body
	longestValue = 200 // characters of what was found, and of the words about it
)

// short is an error that repeats no more than a few words of a body.
func short(d *huma.ErrorDetail) *huma.ErrorDetail {
	s := &huma.ErrorDetail{Message: cut(d.Message), Location: cut(d.Location), Value: d.Value}
	switch v := d.Value.(type) {
	case nil, bool, float64, int, int64:
	case string:
		s.Value = cut(v)
	default: // an object or a list: the location says which
		s.Value = nil
	}
	return s
}

func cut(text string) string {
	if r := []rune(text); len(r) > longestValue {
		return string(r[:longestValue]) + "…"
	}
	return text
}

func humaConfig(version string) huma.Config {
	c := huma.DefaultConfig("Taihu", version)
	c.Info.Description = "Open public data: find datasets, read their schemas and profiles, query and download their tables. What is published never changes: a release's addresses answer the same bytes for ever."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.OpenAPIPath = "/openapi"
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil // no $schema fields and links in answers
	c.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	c.Transformers = append(c.Transformers, keepTagged)
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A key made on the account page or with `taihu token create`; scope read changes nothing"},
	}
	c.Tags = []*huma.Tag{{Name: "datasets"}, {Name: "releases"}, {Name: "tables"}, {Name: "downloads"}, {Name: "catalogue"}, {Name: "feedback"}, {Name: "stewards"}, {Name: "organizations"}, {Name: "limits"}}
	return c
}

type askedKey struct{}

// asked is what register's handlers know of their request.
type asked struct {
	actor  catalog.Actor
	client string
	spend  func() error // takes the request from the client's budget
	sends  func() error // the same of the budget for reports of errors
	id     string
	url    url.URL
	reads  bool        // GET or HEAD
	header http.Header // of the answer
}

// carryAsked hands the request's actor and id to register's handlers.
func (a *API) carryAsked(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	next(huma.WithValue(ctx, askedKey{}, &asked{
		actor: handle.Actor(c), client: handle.Client(c), spend: func() error { return a.Budgets.Spend(c) },
		sends: func() error { return a.FeedbackBudgets.Spend(c) }, id: handle.RequestID(c), url: ctx.URL(), header: c.Writer.Header(),
		reads: c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead,
	}))
}

// queries marks the operations that cost a query child (huma.Operation.Metadata).
const queries = "queries"

// showBudget tells on every answer of such an operation what its client may still
// ask, also where parameters are wrong.
func (a *API) showBudget(ctx huma.Context, next func(huma.Context)) {
	if ctx.Operation().Metadata[queries] == true {
		a.Budgets.Show(humagin.Unwrap(ctx))
	}
	next(ctx)
}

// spend takes a request that carryAsked saw from its client's budget.
func spend(ctx context.Context) error {
	if q, ok := ctx.Value(askedKey{}).(*asked); ok {
		return q.spend()
	}
	return nil
}

// sendFeedback is spend for a report of an error.
func sendFeedback(ctx context.Context) error {
	if q, ok := ctx.Value(askedKey{}).(*asked); ok {
		return q.sends()
	}
	return nil
}

// clientOf is the client of a request that carryAsked saw.
func clientOf(ctx context.Context) string {
	if q, ok := ctx.Value(askedKey{}).(*asked); ok {
		return q.client
	}
	return ""
}

// renamed is the way out of a handler that was asked for a dataset by an old name.
type renamed struct{ slug string }

func (renamed) Error() string { return "the dataset has another name now" }

// current leads readers from an old name of a dataset to its present one for
// ever (301); who changes something is served under either.
func current(ctx context.Context, d *catalog.Dataset, slug string) error {
	if q, ok := ctx.Value(askedKey{}).(*asked); ok && q.reads && d.Slug != slug {
		return renamed{d.Slug}
	}
	return nil
}

// problem turns an error of a handler into its answer, with its headers.
func (a *API) problem(ctx context.Context, operation string, err error) *handle.Problem {
	q, ok := ctx.Value(askedKey{}).(*asked)
	if !ok {
		q = &asked{header: http.Header{}}
	}
	var p *handle.Problem
	var moved renamed
	if errors.As(err, &moved) {
		const datasets = "/api/v1/datasets/"
		_, rest, deeper := strings.Cut(strings.TrimPrefix(q.url.EscapedPath(), datasets), "/")
		location := datasets + moved.slug
		if deeper {
			location += "/" + rest
		}
		if q.url.RawQuery != "" {
			location += "?" + q.url.RawQuery
		}
		q.header.Set("Location", location)
		p = handle.NewProblem(http.StatusMovedPermanently, "renamed", "this dataset is called "+moved.slug+" now", "这个数据集现名"+moved.slug)
	} else {
		p = handle.ProblemOf(err)
	}
	p.Instance = q.id
	p.SetHeaders(q.header)
	if p.Status == http.StatusInternalServerError && ctx.Err() == nil {
		a.Log.ErrorContext(ctx, "request failed", "request_id", q.id, "operation", operation, "error", err)
	}
	return p
}

// checkParameters refuses unknown, repeated and unparsable query parameters of
// every operation, before huma parses what is left.
func (a *API) checkParameters(ctx huma.Context, next func(huma.Context)) {
	var known []string
	for _, p := range ctx.Operation().Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	u := ctx.URL()
	values, err := handle.CheckQuery(u.RawQuery, known...)
	if err == nil && ctx.Operation().OperationID != searchOperation { // a search form sends all its fields
		err = handle.RefuseEmpty(values)
	}
	if err != nil {
		c := humagin.Unwrap(ctx)
		p := handle.ProblemOf(err)
		p.Instance = handle.RequestID(c)
		handle.WriteProblem(c, p)
		return
	}
	next(ctx)
}

// register adds an operation whose handler gets the actor and returns catalog
// errors. Internal ones are logged here and hidden.
func register[I, O any](a *API, op huma.Operation, f func(ctx context.Context, actor catalog.Actor, in *I) (*O, error)) {
	op.Errors = nil
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{Description: "A problem (RFC 9457)", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, problemType)},
	}}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		q, _ := ctx.Value(askedKey{}).(*asked)
		out, err := f(ctx, q.actor, in)
		if err == nil {
			return out, nil
		}
		return nil, a.problem(ctx, op.OperationID, err)
	})
}
