package web

import (
	"context"
	"fmt"
	"strconv"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
	"taihu/indexer"
)

// ApplySynonyms gives the index the administrator's synonyms where they are not those it
// was given last. It is called at the start and from time to time, as another process
// may have changed them.
func (s *Site) ApplySynonyms(ctx context.Context) error {
	kept, err := s.Store.Synonyms(ctx)
	if err != nil {
		return err
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	if kept.RowVersion <= s.synonyms.Load() {
		return nil
	}
	if err := s.Index.SetSynonyms(ctx, indexer.ReadSynonyms(kept.Text)); err != nil {
		return fmt.Errorf("apply synonyms: %w", err)
	}
	s.synonyms.Store(kept.RowVersion)
	return nil
}

// setSynonyms takes the administrator's form. They hold from the next search on.
func (s *Site) setSynonyms(c *gin.Context) error {
	actor, f, err := signedForm(c)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(f.Get("row_version"), 10, 64)
	if _, err := s.Store.SetSynonyms(c.Request.Context(), actor, version, f.Get("synonyms")); err != nil {
		return s.searchDeskAgain(c, f, err)
	}
	if err := s.ApplySynonyms(c.Request.Context()); err != nil { // kept they are, and applied they will be
		s.Log.WarnContext(c.Request.Context(), "synonyms could not be applied", "error", err)
		if catalog.KindOf(err) != catalog.Unavailable {
			return err
		}
		return seeOther(c, "/steward/search?done=synonyms-kept")
	}
	return seeOther(c, "/steward/search?done=synonyms-saved")
}

// synonymForm fills in the part of the page that is about synonyms. What was typed into
// a refused form stays, to be saved over what is there now.
func (s *Site) synonymForm(c *gin.Context, v *searchDeskPage, actor catalog.Actor) error {
	kept, err := s.Store.Synonyms(c.Request.Context())
	if err != nil {
		return err
	}
	v.Groups, v.Synonyms, v.Version = len(indexer.ReadSynonyms(kept.Text)), kept.Text, kept.RowVersion
	v.CanEdit = catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}) == nil
	if _, typed := v.Form.Values["synonyms"]; !typed {
		v.Form.Values.Set("synonyms", kept.Text)
	}
	return nil
}
