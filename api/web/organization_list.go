package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
)

// organizationListPage is where a list of organizations is given, looked at and
// taken.
type organizationListPage struct {
	frame
	Crumbs   []link
	Form     form
	File     string // name of the list that is looked at; "": none yet
	Ignored  []string
	Problems []problemRow
	Wrong    int // problems, those not listed too
	Rows     []organizationRow
	More     int // changes that are not listed
	Made     int
	Changed  int
	Same     int
	List     string // the list as JSON, to be sent back; "": it cannot be taken
	Digest   string
}

type problemRow struct{ Row, Column, Value, What string }

type organizationRow struct {
	Row    int64
	New    bool
	Slug   string
	Name   catalog.Text
	Parent string
	Fields []string
}

// maxList is the most bytes of a list of organizations, maxListed the most lines
// shown of what it does or of what is wrong with it.
const (
	maxList   = 20 << 20
	maxListed = 1000
)

func (s *Site) organizationListPage(c *gin.Context) *organizationListPage {
	lang := language(c)
	v := &organizationListPage{frame: s.frame(c, "organizations", phrase(lang, "导入机构", "Import organizations")), Form: newForm(nil)}
	v.NoIndex = true
	v.Path = "/steward/organization-list" // where a preview is shown too
	v.Crumbs = []link{{Words: phrase(lang, "机构", "Publishers"), Href: href(lang, "/organizations")}, {Words: v.Title}}
	return v
}

// portalAdmin returns the actor where he administers the portal.
func portalAdmin(c *gin.Context) (catalog.Actor, error) {
	actor, err := signedIn(c)
	if err != nil {
		return actor, err
	}
	return actor, catalog.Can(actor, catalog.AdministerPortal, catalog.Object{})
}

func (s *Site) organizationListForm(c *gin.Context) error {
	if _, err := portalAdmin(c); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "organization-list", s.organizationListPage(c))
}

// previewOrganizations reads the uploaded list and shows what it would do. Nothing
// of it is kept here: the page holds the list as it was read.
func (s *Site) previewOrganizations(c *gin.Context) error {
	actor, err := portalAdmin(c)
	if err != nil {
		return err
	}
	v := s.organizationListPage(c)
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxList)
	file, header, err := c.Request.FormFile("file")
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		v.Form.refuse("file", phrase(v.Lang, "文件超过%s。", "The file is larger than %s.", size(maxList)))
		return s.render(c, http.StatusRequestEntityTooLarge, "organization-list", v)
	case errors.Is(err, http.ErrMissingFile):
		v.Form.refuse("file", phrase(v.Lang, "选一个文件再上传。", "Choose a file first."))
		return s.render(c, http.StatusUnprocessableEntity, "organization-list", v)
	case err != nil:
		return badForm(err)
	}
	defer file.Close()
	if s.ReadOrganizations == nil {
		return catalog.Errorf(catalog.Unavailable, "not_ready", "this portal cannot read lists of organizations")
	}
	v.File = baseName(header.Filename)
	list, problems, err := s.ReadOrganizations(c.Request.Context(), v.File, file)
	if err != nil {
		return err
	}
	plan := &catalog.OrganizationPlan{Problems: problems}
	if len(problems) == 0 {
		if plan, err = s.Store.PlanOrganizations(c.Request.Context(), actor, list); err != nil {
			return err
		}
	}
	return s.showPlan(c, v, list, plan)
}

// takeOrganizations does what the preview showed, or shows it anew where that is
// no longer what would be done.
func (s *Site) takeOrganizations(c *gin.Context) error {
	actor, err := portalAdmin(c)
	if err != nil {
		return err
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxList)
	list := &catalog.OrganizationList{}
	if err := json.Unmarshal([]byte(c.PostForm("list")), list); err != nil {
		return badForm(err)
	}
	v := s.organizationListPage(c)
	v.File = c.PostForm("name")
	digest := c.PostForm("digest")
	if digest == "" {
		return badForm(errors.New("the form has no digest"))
	}
	plan, err := s.Store.ImportOrganizations(c.Request.Context(), actor, list, digest)
	if catalog.KindOf(err) == catalog.PreconditionFailed {
		v.Form.General = sentence(v.Lang, err)
		plan, err = s.Store.PlanOrganizations(c.Request.Context(), actor, list)
	}
	if err != nil {
		return err
	}
	if v.Form.General != "" || len(plan.Problems) > 0 {
		return s.showPlan(c, v, list, plan)
	}
	return seeOther(c, "/organizations?done=organizations-imported")
}

// showPlan renders what a list would do, or what is wrong with it.
func (s *Site) showPlan(c *gin.Context, v *organizationListPage, list *catalog.OrganizationList, plan *catalog.OrganizationPlan) error {
	v.Ignored, v.Wrong, v.Same = list.Ignored, len(plan.Problems), plan.Same
	v.Made, v.Changed = plan.Count()
	for _, p := range plan.Problems[:min(len(plan.Problems), maxListed)] {
		r := problemRow{Column: p.Column, Value: p.Value, What: p.What.In(v.Lang)}
		if p.Row > 0 {
			r.Row = strconv.FormatInt(p.Row, 10)
		}
		v.Problems = append(v.Problems, r)
	}
	for _, ch := range plan.Changes[:min(len(plan.Changes), maxListed)] {
		v.Rows = append(v.Rows, organizationRow{ch.Row, ch.New, ch.After.Slug, ch.After.Name, ch.Parent, ch.Fields})
	}
	v.More = len(plan.Changes) - len(v.Rows)
	status := http.StatusOK
	switch {
	case v.Form.General != "":
		status = handle.Status(catalog.PreconditionFailed)
	case v.Wrong > 0:
		status = http.StatusUnprocessableEntity
	}
	if v.Wrong == 0 && len(plan.Changes) > 0 {
		b, err := json.Marshal(list)
		if err != nil {
			return err
		}
		v.List, v.Digest = string(b), plan.Digest()
	}
	return s.render(c, status, "organization-list", v)
}
