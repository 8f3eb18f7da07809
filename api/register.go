package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"taihu/api/handle"
	"taihu/catalog"
)

func init() {
	// huma's own errors (a body that does not fit its schema) take the one shape.
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		if status == http.StatusUnprocessableEntity {
			status = http.StatusBadRequest
		}
		code := "invalid_request"
		switch status {
		case http.StatusRequestEntityTooLarge:
			code = "too_large"
		case http.StatusUnsupportedMediaType:
			code = "unsupported_media_type"
		case http.StatusInternalServerError:
			return handle.ProblemOf(context.Canceled) // says nothing of itself
		}
		p := &handle.Problem{Type: "/docs/errors/" + code, Title: http.StatusText(status), Status: status, Code: code, Detail: msg}
		for i, err := range errs {
			if err == nil {
				continue
			}
			if known, ok := err.(*handle.Problem); ok {
				return known
			}
			if i == 0 {
				p.Detail += ": " + err.Error()
			}
			if p.Facts == nil {
				p.Facts = map[string]any{}
			}
			if d, ok := err.(huma.ErrorDetailer); ok {
				list, _ := p.Facts["errors"].([]*huma.ErrorDetail)
				p.Facts["errors"] = append(list, d.ErrorDetail())
			}
		}
		return p
	}
}

func humaConfig(version string) huma.Config {
	c := huma.DefaultConfig("Taihu", version)
	c.Info.Description = "Open public data: find datasets, read their schemas and profiles, query and download their tables. What is published never changes: a release's addresses answer the same bytes for ever."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.OpenAPIPath = "/openapi"
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil // no $schema fields and links in answers
	c.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A token made with `taihu token create`"},
	}
	c.Tags = []*huma.Tag{{Name: "datasets"}, {Name: "releases"}, {Name: "tables"}, {Name: "downloads"}, {Name: "stewards"}, {Name: "organizations"}}
	return c
}

type actorKey struct{}

// carryActor hands the request's actor to register's handlers.
func (a *API) carryActor(ctx huma.Context, next func(huma.Context)) {
	next(huma.WithValue(ctx, actorKey{}, handle.Actor(humagin.Unwrap(ctx))))
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
	if _, err := handle.CheckQuery(u.RawQuery, known...); err != nil {
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
		actor, _ := ctx.Value(actorKey{}).(catalog.Actor)
		out, err := f(ctx, actor, in)
		if err == nil {
			return out, nil
		}
		p := handle.ProblemOf(err)
		if p.Status == http.StatusInternalServerError && ctx.Err() == nil {
			a.Log.ErrorContext(ctx, "request failed", "operation", op.OperationID, "error", err)
		}
		return nil, p
	})
}
