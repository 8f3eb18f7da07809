package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/store"
)

// organizationsPage is the tree of publishers.
type organizationsPage struct {
	frame
	Tree      []organizationNode
	Total     int
	CanImport bool
}

// organizationNode is one publisher with those below it.
type organizationNode struct {
	ID       string
	Name     catalog.Text
	Href     string
	Datasets int // published, of those below it too
	Region   string
	Below    []organizationNode
}

// organizationPage is one publisher.
type organizationPage struct {
	frame
	Organization *catalog.Organization
	Crumbs       []link
	About        string
	Below        []organizationNode
	Results      []result
	Total        int
	All          string
	CanEdit      bool
	CanSee       bool // its members
}

const organizationDatasets = 30

func (s *Site) organizations(c *gin.Context) error {
	lang := language(c)
	rows, err := s.Store.CountedOrganizations(c.Request.Context())
	if err != nil {
		return err
	}
	v := organizationsPage{frame: s.frame(c, "organizations", phrase(lang, "发布机构", "Publishers")), Tree: tree(rows, "", lang, 0), Total: len(rows)}
	v.CanImport = catalog.Can(handle.Actor(c), catalog.AdministerPortal, catalog.Object{}) == nil
	v.Forms = []link{{Words: "JSON", Href: "/api/v1/organizations"}}
	return s.render(c, http.StatusOK, "organizations", v)
}

// tree hangs organizations below their parents. The depth is bounded, so that a
// circle in the data cannot hang the page.
func tree(rows []store.OrganizationRow, parent, lang string, depth int) []organizationNode {
	if depth > 8 {
		return nil
	}
	var out []organizationNode
	for _, r := range rows {
		if r.ParentID == parent {
			n := organizationNode{ID: r.ID, Name: r.Name, Href: href(lang, "/organizations/"+r.Slug), Datasets: r.Datasets, Region: r.Region, Below: tree(rows, r.ID, lang, depth+1)}
			for _, b := range n.Below {
				n.Datasets += b.Datasets
			}
			out = append(out, n)
		}
	}
	return out
}

func (s *Site) organization(c *gin.Context) error {
	ctx, lang := c.Request.Context(), language(c)
	o, err := s.Store.Organization(ctx, c.Param("slug"))
	if err != nil {
		return err
	}
	if o.Slug != c.Param("slug") {
		c.Redirect(http.StatusMovedPermanently, href(lang, "/organizations/"+o.Slug))
		return nil
	}
	v := organizationPage{frame: s.frame(c, "organizations", o.Name.In(lang)), Organization: o, About: o.Description.In(lang), All: href(lang, "/datasets?organization="+o.Slug)}
	v.Description = plainText(v.About, 160)
	path, err := s.Store.OrganizationPath(ctx, o.ID)
	if err != nil {
		return err
	}
	v.Crumbs = []link{{Words: phrase(lang, "机构", "Publishers"), Href: href(lang, "/organizations")}}
	for _, p := range path {
		v.Crumbs = append(v.Crumbs, link{Words: p.Name.In(lang), Href: href(lang, "/organizations/"+p.Slug)})
	}
	v.Crumbs[len(v.Crumbs)-1].Href = ""
	rows, err := s.Store.CountedOrganizations(ctx)
	if err != nil {
		return err
	}
	v.Below = tree(rows, o.ID, lang, 0)
	publishers := map[string]catalog.Organization{}
	for _, r := range rows {
		publishers[r.ID] = r.Organization
	}
	list, _, total, err := s.Store.Datasets(ctx, handle.Actor(c), store.DatasetFilter{Organization: o.Slug, Published: true, Sort: "-updated", Limit: organizationDatasets})
	if err != nil {
		return err
	}
	v.Total = total
	for i := range list {
		v.Results = append(v.Results, s.result(c, &list[i], publishers, lang))
	}
	actor := handle.Actor(c)
	v.CanEdit = catalog.Can(actor, catalog.EditOrganization, catalog.Object{OrganizationID: o.ID}) == nil
	_, member := actor.Roles[o.ID]
	v.CanSee = v.CanEdit || member
	v.Forms = []link{{Words: "JSON", Href: "/api/v1/organizations/" + o.Slug}}
	return s.render(c, http.StatusOK, "organization", v)
}
