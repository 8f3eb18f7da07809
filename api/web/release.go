package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
)

// lastSegment is the last part of a path, its query left out.
func lastSegment(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// withdraw takes a release back, with a reason that readers see.
func (s *Site) withdraw(c *gin.Context) error {
	reason := strings.TrimSpace(c.PostForm("reason"))
	slug, lang := c.Param("slug"), language(c)
	n, _ := strconv.Atoi(c.Param("number"))
	if reason == "" {
		return s.withdrawAgain(c, n, phrase(lang, "写一两句缘由再撤回。", "Write a sentence on why before withdrawing."))
	}
	if _, err := s.Store.Withdraw(c.Request.Context(), handle.Actor(c), slug, n, reason); err != nil {
		return err
	}
	return seeOther(c, releasePath(slug, n)+"?done=withdrawn")
}

// withdrawAgain shows the release with the form open and what is missing.
func (s *Site) withdrawAgain(c *gin.Context, number int, why string) error {
	ctx, actor := c.Request.Context(), handle.Actor(c)
	d, r, err := s.Store.Release(ctx, actor, c.Param("slug"), number)
	if err != nil {
		return err
	}
	releases, err := s.Store.Releases(ctx, actor, d.Slug)
	if err != nil {
		return err
	}
	v := &datasetPage{frame: s.frame(c, "datasets", d.Title.In(language(c))), Dataset: d, Release: r, Pinned: true, Form: newForm(c.Request.PostForm)}
	v.Path = releasePath(d.Slug, number)
	v.Form.refuse("reason", why)
	if err := s.describe(ctx, v, actor, releases); err != nil {
		return err
	}
	s.fillTables(c, v)
	return s.render(c, http.StatusUnprocessableEntity, "dataset", v)
}

// restore puts a withdrawn release back.
func (s *Site) restore(c *gin.Context) error {
	slug := c.Param("slug")
	n, err := strconv.Atoi(c.Param("number"))
	if err != nil {
		return catalog.Errorf(catalog.NotFound, "unknown_release", "there is no release %q", c.Param("number")).InChinese("没有“%s”这一版", c.Param("number"))
	}
	if _, err := s.Store.Restore(c.Request.Context(), handle.Actor(c), slug, n); err != nil {
		return err
	}
	return seeOther(c, releasePath(slug, n)+"?done=restored")
}
