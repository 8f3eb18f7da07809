package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"taihu/catalog"
)

// Organization is a publisher.
type Organization struct {
	Slug        string       `json:"slug"`
	Parent      string       `json:"parent,omitempty" doc:"Slug of the one above"`
	Name        catalog.Text `json:"name"`
	Description catalog.Text `json:"description"`
	Category    string       `json:"category,omitempty" doc:"What kind of body it is, in the publishers' words"`
	Code        string       `json:"code,omitempty"`
	Region      string       `json:"region,omitempty"`
	Phone       string       `json:"phone,omitempty"`
	Mail        string       `json:"mail,omitempty"`
	TwoPersons  bool         `json:"two_persons,omitempty" doc:"Here and below, who submitted a draft never approves it"`
	Datasets    int          `json:"datasets" doc:"Published, without those below"`
	URL         string       `json:"url"`
}

// OrganizationEdit is what an admin states about an organization.
type OrganizationEdit struct {
	Slug        string       `json:"slug"`
	Parent      string       `json:"parent,omitempty"`
	Name        catalog.Text `json:"name"`
	Description catalog.Text `json:"description,omitempty"`
	Category    string       `json:"category,omitempty" doc:"What kind of body it is, in the publishers' words"`
	Code        string       `json:"code,omitempty"`
	Region      string       `json:"region,omitempty"`
	Phone       string       `json:"phone,omitempty"`
	Mail        string       `json:"mail,omitempty"`
	TwoPersons  bool         `json:"two_persons,omitempty" doc:"Here and below, who submitted a draft never approves it"`
}

func (a *API) organizationRoutes() {
	type listOutput struct{ Body OrganizationList }
	list := func(ctx context.Context) ([]Organization, error) {
		rows, err := a.Store.CountedOrganizations(ctx)
		if err != nil {
			return nil, err
		}
		slugs := map[string]string{}
		for _, r := range rows {
			slugs[r.ID] = r.Slug
		}
		out := []Organization{}
		for _, r := range rows {
			out = append(out, Organization{Slug: r.Slug, Parent: slugs[r.ParentID], Name: r.Name, Description: r.Description, Category: r.Category, Code: r.Code,
				Region: r.Region, Phone: r.Phone, Mail: r.Mail, TwoPersons: r.TwoPersons, Datasets: r.Datasets, URL: a.BaseURL + "/organizations/" + r.Slug})
		}
		return out, nil
	}
	register(a, huma.Operation{OperationID: "list-organizations", Method: http.MethodGet, Path: "/api/v1/organizations", Tags: []string{"organizations"}, Summary: "All publishers"},
		func(ctx context.Context, _ catalog.Actor, _ *struct{}) (*listOutput, error) {
			out := &listOutput{}
			var err error
			out.Body.Organizations, err = list(ctx)
			return out, err
		})

	type output struct {
		Status int
		Body   Organization
	}
	one := func(ctx context.Context, status int, slug string) (*output, error) {
		if _, err := a.Store.Organization(ctx, slug); err != nil {
			return nil, err
		}
		all, err := list(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			if o.Slug == slug {
				return &output{Status: status, Body: o}, nil
			}
		}
		return nil, catalog.Errorf(catalog.NotFound, "unknown_organization", "there is no organization %q", slug)
	}
	register(a, huma.Operation{OperationID: "get-organization", Method: http.MethodGet, Path: "/api/v1/organizations/{slug}", Tags: []string{"organizations"}, Summary: "One publisher"},
		func(ctx context.Context, _ catalog.Actor, in *struct {
			Slug string `path:"slug" doc:"The organization" example:"cgj"`
		}) (*output, error) {
			return one(ctx, http.StatusOK, in.Slug)
		})
	register(a, huma.Operation{OperationID: "create-organization", Method: http.MethodPost, Path: "/api/v1/organizations", Tags: []string{"stewards"},
		DefaultStatus: http.StatusCreated, Summary: "Make an organization", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct{ Body OrganizationEdit }) (*output, error) {
			o := &catalog.Organization{Slug: in.Body.Slug, Name: in.Body.Name, Description: in.Body.Description, Category: in.Body.Category, Code: in.Body.Code,
				Region: in.Body.Region, Phone: in.Body.Phone, Mail: in.Body.Mail, TwoPersons: in.Body.TwoPersons}
			if in.Body.Parent != "" {
				parent, err := a.Store.Organization(ctx, in.Body.Parent)
				if err != nil {
					return nil, err
				}
				o.ParentID = parent.ID
			}
			if err := a.Store.CreateOrganization(ctx, actor, o); err != nil {
				return nil, err
			}
			return one(ctx, http.StatusCreated, o.Slug)
		})
}
