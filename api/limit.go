package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"taihu/api/handle"
	"taihu/catalog"
)

// limitRoutes publish what the portal allows.
func (a *API) limitRoutes() {
	type limitsOutput struct{ Body handle.Limits }
	register(a, huma.Operation{OperationID: "get-limits", Method: http.MethodGet, Path: "/api/v1/limits", Tags: []string{"limits"},
		Summary: "What one may ask for, in numbers", Description: "The settings in force. 0 is no limit."},
		func(context.Context, catalog.Actor, *struct{}) (*limitsOutput, error) {
			return &limitsOutput{Body: a.Limits}, nil
		})
}

// describeLimits adds to the answers of an operation that costs queries what its
// client meets: the budget's headers, and the refusals.
func (a *API) describeLimits(answers map[string]*huma.Response) {
	text := func(doc, example string) *huma.Header {
		return &huma.Header{Description: doc, Schema: &huma.Schema{Type: huma.TypeString, Examples: []any{example}}}
	}
	budget := map[string]*huma.Header{
		"RateLimit-Policy": text("The budget: q requests in w seconds (draft-ietf-httpapi-ratelimit-headers-11). Missing where there is none", `"anon";q=600;w=60`),
		"RateLimit":        text("What is left of it: r more requests in the next t seconds", `"anon";r=599;t=60`),
	}
	after := &huma.Header{Description: "Seconds after which to ask again", Schema: &huma.Schema{Type: huma.TypeInteger}}
	if ok := answers["200"]; ok != nil {
		ok.Headers = budget
	}
	problem := map[string]*huma.MediaType{"application/problem+json": {Schema: huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, problemType)}}
	answers["429"] = &huma.Response{Description: "The budget is spent: rate_limited", Content: problem,
		Headers: map[string]*huma.Header{"RateLimit-Policy": budget["RateLimit-Policy"], "RateLimit": budget["RateLimit"], "Retry-After": after}}
	answers["503"] = &huma.Response{Description: "Too many queries are running, of all clients or of this one: busy", Content: problem,
		Headers: map[string]*huma.Header{"Retry-After": after}}
}
