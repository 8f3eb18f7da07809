package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
)

// organizationFormPage is the form for what an organization says of itself.
type organizationFormPage struct {
	frame
	Crumbs       []link
	Form         form
	New          bool
	Organization *catalog.Organization // nil where it is new
	Action       string
	Parents      []choice
	RowVersion   string
}

// organizationFormFor fills the choices; o is nil for a new one.
func (s *Site) organizationFormFor(c *gin.Context, actor catalog.Actor, f form, o *catalog.Organization) (*organizationFormPage, error) {
	lang := language(c)
	v := &organizationFormPage{frame: s.frame(c, "organizations", phrase(lang, "新建机构", "New organization")), Form: f, New: o == nil, Organization: o, Action: href(lang, "/steward/organizations/new"), RowVersion: f.Get("row_version")}
	v.NoIndex = true
	v.Crumbs = []link{{Words: phrase(lang, "机构", "Publishers"), Href: href(lang, "/organizations")}}
	own := ""
	if o != nil {
		own = o.ID
		v.Title = phrase(lang, "修改机构：%s", "Edit: %s", o.Name.In(lang))
		v.Action = href(lang, "/steward/organizations/"+o.Slug)
		v.Crumbs = append(v.Crumbs, link{Words: o.Name.In(lang), Href: href(lang, "/organizations/"+o.Slug)})
	}
	v.Crumbs = append(v.Crumbs, link{Words: v.Title})
	chosen := f.Get("parent")
	if catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}) == nil || o != nil && o.ParentID == "" {
		v.Parents = append(v.Parents, choice{"", phrase(lang, "没有，在最上层", "none: at the top"), chosen == ""})
	}
	rows, err := s.Store.CountedOrganizations(c.Request.Context())
	if err != nil {
		return nil, err
	}
	var walk func(nodes []organizationNode, indent string)
	walk = func(nodes []organizationNode, indent string) {
		for _, n := range nodes {
			if n.ID == own {
				continue // nothing lies below itself
			}
			if n.ID == chosen || catalog.Can(actor, catalog.EditOrganization, catalog.Object{OrganizationID: n.ID}) == nil {
				v.Parents = append(v.Parents, choice{n.ID, indent + n.Name.In(lang), n.ID == chosen})
			}
			walk(n.Below, indent+"　")
		}
	}
	walk(tree(rows, "", lang, 0), "")
	return v, nil
}

func (s *Site) newOrganizationForm(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	f := newForm(nil)
	if slug := c.Query("parent"); slug != "" {
		parent, err := s.Store.Organization(c.Request.Context(), slug)
		if err != nil {
			return err
		}
		f.Values.Set("parent", parent.ID)
	}
	v, err := s.organizationFormFor(c, actor, f, nil)
	if err != nil {
		return err
	}
	if id := f.Get("parent"); id != "" {
		err = catalog.Can(actor, catalog.EditOrganization, catalog.Object{OrganizationID: id})
	} else if len(v.Parents) == 0 {
		err = catalog.Can(actor, catalog.AdministerPortal, catalog.Object{})
	}
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "organization-form", v)
}

func (s *Site) newOrganization(c *gin.Context) error {
	actor, f, err := signedForm(c)
	if err != nil {
		return err
	}
	o := &catalog.Organization{Slug: strings.ToLower(strings.TrimSpace(f.Get("slug")))}
	readOrganization(f, o)
	if err = s.Store.CreateOrganization(c.Request.Context(), actor, o); err == nil {
		return seeOther(c, "/organizations/"+o.Slug+"?done=organization-made")
	}
	return s.organizationFormAgain(c, actor, f, nil, err)
}

// ownOrganization reads the organization of the address and asks whether the actor
// may do that to it.
func (s *Site) ownOrganization(c *gin.Context, action catalog.Action) (catalog.Actor, *catalog.Organization, error) {
	actor, err := signedIn(c)
	if err != nil {
		return actor, nil, err
	}
	o, err := s.Store.Organization(c.Request.Context(), c.Param("slug"))
	if err != nil {
		return actor, nil, err
	}
	return actor, o, catalog.Can(actor, action, catalog.Object{OrganizationID: o.ID})
}

func (s *Site) editOrganizationForm(c *gin.Context) error {
	actor, o, err := s.ownOrganization(c, catalog.EditOrganization)
	if err != nil {
		return err
	}
	v, err := s.organizationFormFor(c, actor, writeOrganization(o), o)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "organization-form", v)
}

func (s *Site) editOrganization(c *gin.Context) error {
	actor, o, err := s.ownOrganization(c, catalog.EditOrganization)
	if err != nil {
		return err
	}
	f, err := postedForm(c)
	if err != nil {
		return err
	}
	changed := *o
	readOrganization(f, &changed)
	if changed.RowVersion, err = strconv.ParseInt(f.Get("row_version"), 10, 64); err != nil {
		changed.RowVersion = o.RowVersion
	}
	if err = s.Store.UpdateOrganization(c.Request.Context(), actor, &changed); err == nil {
		return seeOther(c, "/organizations/"+o.Slug+"?done=saved")
	}
	return s.organizationFormAgain(c, actor, f, o, err)
}

// organizationFormAgain shows the form as typed with what is wrong.
func (s *Site) organizationFormAgain(c *gin.Context, actor catalog.Actor, f form, o *catalog.Organization, err error) error {
	lang := language(c)
	kind := catalog.KindOf(err)
	switch kind {
	case catalog.Invalid, catalog.Conflict:
		switch field := wrongFieldOf(err); field {
		case "":
			f.General = sentence(lang, err)
		case "name":
			f.refuse("name_zh", sentence(lang, err))
		case "description":
			f.refuse("description_zh", sentence(lang, err))
		case "parent_id":
			f.refuse("parent", sentence(lang, err))
		default:
			f.refuse(field, sentence(lang, err))
		}
	case catalog.PreconditionFailed:
		f.General = phrase(lang, "你打开这一页之后，别人改过这个机构。下面是你填的；先在另一个窗口看看现在的内容，再保存一次就以你的为准。", "Somebody changed this organization after you opened this page. What you typed is below; look at it in another window, then save again to keep yours.")
		f.Values.Set("row_version", strconv.FormatInt(o.RowVersion, 10))
	default:
		return err
	}
	v, err := s.organizationFormFor(c, actor, f, o)
	if err != nil {
		return err
	}
	return s.render(c, handle.Status(kind), "organization-form", v)
}

// readOrganization takes what was typed; the address stays.
func readOrganization(f form, o *catalog.Organization) {
	text := func(name string) string { return strings.TrimSpace(strings.ReplaceAll(f.Get(name), "\r\n", "\n")) }
	o.ParentID = f.Get("parent")
	o.Name = catalog.Text{Zh: text("name_zh"), En: text("name_en")}
	o.Description = catalog.Text{Zh: text("description_zh"), En: text("description_en")}
	o.Category, o.Code, o.Region, o.Phone, o.Mail = text("category"), text("code"), text("region"), text("phone"), text("mail")
	o.TwoPersons = f.Get("two_persons") != ""
}

// writeOrganization is the inverse of readOrganization.
func writeOrganization(o *catalog.Organization) form {
	v := url.Values{}
	for name, value := range map[string]string{
		"slug": o.Slug, "parent": o.ParentID, "name_zh": o.Name.Zh, "name_en": o.Name.En, "description_zh": o.Description.Zh, "description_en": o.Description.En,
		"category": o.Category, "code": o.Code, "region": o.Region, "phone": o.Phone, "mail": o.Mail, "row_version": strconv.FormatInt(o.RowVersion, 10),
	} {
		v.Set(name, value)
	}
	if o.TwoPersons {
		v.Set("two_persons", "yes")
	}
	return newForm(v)
}
