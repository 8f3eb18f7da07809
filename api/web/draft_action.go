package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

// changeDraft does what a button of the draft's page asks. The permission and
// the state are the store's to judge.
func (s *Site) changeDraft(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	id, action := c.Param("id"), c.Param("action")
	if action == "upload" {
		return s.uploadToDraft(c, actor, id)
	}
	f, err := postedForm(c)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(f.Get("row_version"), 10, 64) // 0 where absent: any
	ctx := c.Request.Context()
	back := "/steward/drafts/" + id
	switch action {
	case "submit":
		_, err = s.Store.Submit(ctx, actor, id, version)
	case "take-back":
		_, err = s.Store.TakeBack(ctx, actor, id, version)
	case "approve":
		_, err = s.Store.Approve(ctx, actor, id, version)
	case "return":
		return s.returnDraft(c, actor, id, f, version)
	case "abandon":
		if _, err = s.Store.Abandon(ctx, actor, id, version); err == nil {
			return seeOther(c, "/steward?done=abandon")
		}
	case "publish":
		return s.publishDraft(c, actor, id, version)
	case "schedule":
		return s.scheduleDraft(c, actor, id, f, version)
	case "unschedule":
		_, err = s.Store.Unschedule(ctx, actor, id, version)
	case "publish-now":
		return s.publishNow(c, actor, id, version)
	case "settle":
		return s.settle(c, actor, id, f)
	case "options":
		action, err = "rechecked", s.setOptions(ctx, actor, id, f)
	case "null-words":
		action, err = "rechecked", s.addNullWords(ctx, actor, id, f)
	case "remove":
		action, err = "removed", s.Store.RemoveFile(ctx, actor, id, f.Get("name"))
	case "import":
		var o catalog.IngestOptions
		if o, err = optionsOf(f, o); err == nil {
			_, err = s.Uploads.Import(ctx, actor, id, f.Get("url"), strings.TrimSpace(f.Get("name")), o)
		}
		action = "importing"
	case "forget":
		action, err = "forgotten", s.Uploads.Delete(ctx, actor, id, f.Get("upload"))
	case "keep-all":
		action = "kept-all"
		_, err = s.Store.KeepTables(ctx, actor, id)
	case "keep":
		action, err = "kept", s.Store.KeepTable(ctx, actor, id, f.Get("table"))
	case "details":
		action = "saved"
		_, err = s.Store.UpdateDraft(ctx, actor, id, version, draftEdit(f))
	case "sample":
		action, err = "saved", s.takeSample(ctx, actor, id, f)
	default:
		return catalog.Errorf(catalog.NotFound, "not_found", "there is no action %q", action).InChinese("没有“%s”这个操作", action)
	}
	if err == nil {
		return seeOther(c, back+"?done="+action)
	}
	return s.draftAgain(c, actor, err, func(v *draftPage) {
		if action == "saved" && f.Values.Has("data_date") {
			v.Form.Values = f.Values
		}
		if action == "importing" {
			v.Upload.Values = f.Values
		}
	})
}

// anchor lets only the names of our own anchors into an address.
func anchor(s string) string {
	if strings.HasPrefix(s, "table-") || strings.HasPrefix(s, "file-") {
		return strings.Map(func(r rune) rune {
			if r == '-' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, s)
	}
	return "main"
}

// draftAgain shows the draft with what did not work on top.
func (s *Site) draftAgain(c *gin.Context, actor catalog.Actor, err error, change func(*draftPage)) error {
	kind := catalog.KindOf(err)
	switch kind {
	case catalog.Invalid, catalog.Conflict, catalog.PreconditionFailed, catalog.Unprocessable, catalog.TooLarge:
	default:
		return err
	}
	return s.showDraft(c, actor, handle.Status(kind), func(v *draftPage) {
		if change != nil {
			change(v)
		}
		if field := wrongFieldOf(err); field != "" && field != "file" {
			v.Form.refuse(field, sentence(v.Lang, err))
		} else {
			v.Form.General = sentence(v.Lang, err)
		}
	})
}

// remarksOf reads remarks about columns: table, column and text come repeated and
// in order; most are empty.
func remarksOf(f form) []catalog.Remark {
	var list []catalog.Remark
	tables, columns := f.Values["remark_table"], f.Values["remark_column"]
	for i, text := range f.Values["remark"] {
		if i < len(tables) && i < len(columns) && strings.TrimSpace(text) != "" {
			list = append(list, catalog.Remark{Table: tables[i], Column: columns[i], Text: strings.TrimSpace(text)})
		}
	}
	return list
}

func (s *Site) returnDraft(c *gin.Context, actor catalog.Actor, id string, f form, version int64) error {
	comment := strings.TrimSpace(f.Get("comment"))
	if comment == "" {
		return s.showDraft(c, actor, http.StatusUnprocessableEntity, func(v *draftPage) {
			v.typeRemarks(remarksOf(f))
			v.Form.refuse("comment", phrase(v.Lang, "写明要改什么，再退回。", "Say what is to be changed before returning it."))
		})
	}
	if _, err := s.Store.Return(c.Request.Context(), actor, id, comment, remarksOf(f), version); err != nil {
		return s.draftAgain(c, actor, err, func(v *draftPage) {
			v.Form.Values.Set("comment", comment)
			v.typeRemarks(remarksOf(f))
		})
	}
	return seeOther(c, "/steward/drafts/"+id+"?done=return")
}

// scheduleDraft takes the time as a datetime field sends it, in the portal's zone.
func (s *Site) scheduleDraft(c *gin.Context, actor catalog.Actor, id string, f form, version int64) error {
	text := strings.TrimSpace(f.Get("publish_at"))
	at, err := time.ParseInLocation("2006-01-02T15:04", strings.Replace(text, " ", "T", 1), zone)
	if err != nil {
		return s.showDraft(c, actor, http.StatusUnprocessableEntity, func(v *draftPage) {
			v.Form.Values.Set("publish_at", text)
			v.Form.refuse("publish_at", phrase(v.Lang, "写成2027-01-15 09:00这样的时间。", "Write a time such as 2027-01-15 09:00."))
		})
	}
	if _, err := s.Store.Schedule(c.Request.Context(), actor, id, at, version); err != nil {
		return s.draftAgain(c, actor, err, func(v *draftPage) { v.Form.Values.Set("publish_at", text) })
	}
	return seeOther(c, "/steward/drafts/"+id+"?done=schedule")
}

func (s *Site) publishDraft(c *gin.Context, actor catalog.Actor, id string, version int64) error {
	r, err := s.Store.Publish(c.Request.Context(), actor, id, version)
	if err != nil {
		return s.draftAgain(c, actor, err, nil)
	}
	d, err := s.Store.DatasetByID(c.Request.Context(), actor, r.DatasetID)
	if err != nil {
		return err
	}
	return seeOther(c, "/datasets/"+d.Slug+"?done=published")
}

// publishNow submits, approves and publishes in one go, for those who may do
// all three. Each step is its own transaction: where one fails the draft stands
// where the page then says.
func (s *Site) publishNow(c *gin.Context, actor catalog.Actor, id string, version int64) error {
	ctx := c.Request.Context()
	if _, err := s.Store.Submit(ctx, actor, id, version); err != nil {
		return s.draftAgain(c, actor, err, nil)
	}
	if _, err := s.Store.Approve(ctx, actor, id, 0); err != nil {
		if catalog.CodeOf(err) == "own_draft" { // submitted all the same
			return seeOther(c, "/steward/drafts/"+id+"?done=own-draft")
		}
		return s.draftAgain(c, actor, err, nil)
	}
	return s.publishDraft(c, actor, id, 0)
}

// setOptions changes how a file is read and has it checked again.
func (s *Site) setOptions(ctx context.Context, actor catalog.Actor, id string, f form) error {
	r, err := s.Store.Draft(ctx, actor, id)
	if err != nil {
		return err
	}
	var before catalog.IngestOptions
	for i := range r.Files {
		if r.Files[i].Name == f.Get("name") {
			before = r.Files[i].Options
		}
	}
	o, err := optionsOf(f, before)
	if err != nil {
		return err
	}
	_, err = s.Store.SetFileOptions(ctx, actor, id, f.Get("name"), o)
	return err
}

// addNullWords states words as null, beside those that are stated, and has the
// file checked again.
func (s *Site) addNullWords(ctx context.Context, actor catalog.Actor, id string, f form) error {
	r, err := s.Store.Draft(ctx, actor, id)
	if err != nil {
		return err
	}
	for i := range r.Files {
		if r.Files[i].Name != f.Get("name") {
			continue
		}
		o := r.Files[i].Options
		if o.NullWords, err = catalog.ParseNullWords(append(o.NullWordLines(), strings.Split(f.Get("words"), "\n")...)); err != nil {
			return err
		}
		_, err = s.Store.SetFileOptions(ctx, actor, id, f.Get("name"), o)
		return err
	}
	return catalog.Errorf(catalog.NotFound, "unknown_file", "there is no file %q in this draft", f.Get("name")).InChinese("草稿中没有文件“%s”", f.Get("name"))
}

// takeSample makes the first rows of a table its public sample.
func (s *Site) takeSample(ctx context.Context, actor catalog.Actor, id string, f form) error {
	n, err := strconv.Atoi(strings.TrimSpace(f.Get("rows")))
	if err != nil || n < 0 || n > catalog.SampleRows {
		return catalog.Errorf(catalog.Invalid, "invalid_field", "a sample has 0 to %d rows", catalog.SampleRows).With("field", "rows").InChinese("样例可有0至%d行", catalog.SampleRows)
	}
	r, err := s.Store.Draft(ctx, actor, id)
	if err != nil {
		return err
	}
	t, err := r.Table(f.Get("table"))
	if err != nil {
		return err
	}
	var rows []byte // none: the sample is removed
	if n > 0 {
		answer, err := s.Pool.Rows(ctx, t, table.Params{Limit: int64(n)}, pool.RowsOptions{NoCells: true})
		if err != nil {
			return err
		}
		rows = answer.JSON
	}
	return s.Store.SetSample(ctx, actor, id, t.Name, rows)
}

// uploadToDraft adds files to a draft that exists.
func (s *Site) uploadToDraft(c *gin.Context, actor catalog.Actor, id string) error {
	// Asked before the bytes are read, so that a stranger's are not kept.
	r, err := s.Store.Draft(c.Request.Context(), actor, id)
	if err != nil {
		return err
	}
	files := 0
	f, err := s.receive(c, actor, func(form) (string, error) { files++; return r.ID, nil })
	if err != nil {
		return s.draftAgain(c, actor, err, func(v *draftPage) { v.Upload.Values = f.Values })
	}
	if files == 0 {
		return s.showDraft(c, actor, http.StatusUnprocessableEntity, func(v *draftPage) {
			v.Form.refuse("file", phrase(v.Lang, "选一个文件再上传。", "Choose a file first."))
		})
	}
	return seeOther(c, "/steward/drafts/"+id+"?done=uploaded")
}
