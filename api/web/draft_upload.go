package web

import (
	"strconv"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

// arriving is an upload of the reader's own that is no file of the draft yet.
type arriving struct {
	ID, Name, Source string
	Said             string // how much is here, or why it failed
	Share            string // of the bar, per cent; empty: its size is not known
	Failed           bool
}

// arriving lists what is on its way into the draft, and what failed within a day.
// The page loads again while the portal fetches something.
func (s *Site) arriving(c *gin.Context, actor catalog.Actor, v *draftPage) ([]arriving, error) {
	list, err := s.Store.Uploads(c.Request.Context(), actor, v.Draft.ID)
	if err != nil {
		return nil, err
	}
	var out []arriving
	for i := range list {
		u := &list[i]
		if u.State == catalog.UploadDone || u.State == catalog.UploadFailed && u.Source == "" {
			continue
		}
		a := arriving{ID: u.ID, Name: u.Name, Source: u.Source, Failed: u.State == catalog.UploadFailed}
		switch {
		case a.Failed:
			a.Said = u.Failure.Message.In(v.Lang)
		case u.Size > 0:
			a.Said, a.Share = size(u.Received)+" / "+size(u.Size), strconv.FormatInt(100*u.Received/u.Size, 10)
		default:
			a.Said = size(u.Received)
		}
		if !a.Failed && u.Source != "" {
			v.Refresh = 3
		}
		out = append(out, a)
	}
	return out, nil
}
