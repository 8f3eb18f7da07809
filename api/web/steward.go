package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
	"taihu/catalog/store"
)

// stewardPage is the desk: what waits, what is under way, which datasets.
type stewardPage struct {
	frame
	Waiting  []todo // for this person
	Drafts   []draftRow
	Datasets []ownDataset
	Total    int
	More     string
	CanMake  bool
	Text     string
}

// todo is one thing that waits for the reader.
type todo struct {
	SealClass, SealZh, SealEn, TitleZh, TitleEn string
	Title                                       catalog.Text
	Href, What, Act                             string
	Note                                        string
}

type draftRow struct {
	Title catalog.Text
	Href  string
	State catalog.State
	Badge string
	When  string
}

type ownDataset struct {
	Title     catalog.Text
	Href      string
	Edit      string
	Upload    string
	Latest    int
	Frequency string
	Open      string
}

const deskDatasets = 50

var draftStates = []catalog.State{catalog.Uploading, catalog.Checking, catalog.Rejected, catalog.Ready, catalog.InReview, catalog.Returned, catalog.Approved, catalog.Scheduled}

func (s *Site) steward(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	ctx, lang := c.Request.Context(), language(c)
	v := stewardPage{frame: s.frame(c, "steward", phrase(lang, "数据员工作台", "Steward's desk")), Text: c.Query("text")}
	v.NoIndex = true
	v.CanMake = actor.IsSiteAdmin() || len(actor.Roles) > 0
	drafts, err := s.Store.Drafts(ctx, actor, store.DraftFilter{States: draftStates, Limit: 100})
	if err != nil {
		return err
	}
	datasets := map[string]*catalog.Dataset{}
	for i := range drafts {
		r := &drafts[i]
		d, err := s.datasetOf(ctx, actor, datasets, r.DatasetID)
		if err != nil {
			continue // no longer this reader's
		}
		at := href(lang, "/steward/drafts/"+r.ID)
		v.Drafts = append(v.Drafts, draftRow{Title: d.Title, Href: at, State: r.State, Badge: stateBadge[r.State], When: minute(r.CreatedAt)})
		if t, ok := waitsFor(lang, actor, d, r); ok {
			t.Title, t.Href = d.Title, at
			v.Waiting = append(v.Waiting, t)
		}
	}
	list, next, total, err := s.Store.Datasets(ctx, actor, store.DatasetFilter{Mine: true, Text: v.Text, Limit: deskDatasets, Sort: "-updated", After: c.Query("after")})
	if err != nil {
		return err
	}
	v.Total = total
	for i := range list {
		d := &list[i]
		v.Datasets = append(v.Datasets, ownDataset{
			Title: d.Title, Href: href(lang, "/datasets/"+d.Slug), Edit: href(lang, "/steward/datasets/"+d.Slug), Upload: href(lang, "/steward/datasets/"+d.Slug+"/upload"),
			Latest: d.LatestNumber, Frequency: frequencyWords(lang, d.Frequency), Open: openWords(lang, d.OpenAttribute),
		})
	}
	if next != "" {
		v.More = href(lang, "/steward?after="+next)
	}
	return s.render(c, http.StatusOK, "steward", v)
}

// datasetOf reads each dataset once.
func (s *Site) datasetOf(ctx context.Context, actor catalog.Actor, known map[string]*catalog.Dataset, id string) (*catalog.Dataset, error) {
	if d := known[id]; d != nil {
		return d, nil
	}
	d, err := s.Store.DatasetByID(ctx, actor, id)
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", id, err)
	}
	known[id] = d
	return d, nil
}

// waitsFor says what of a draft waits for this actor.
func waitsFor(lang string, actor catalog.Actor, d *catalog.Dataset, r *catalog.Release) (todo, bool) {
	can := func(a catalog.Action) bool { return catalog.Can(actor, a, catalog.ObjectOf(d)) == nil }
	switch r.State {
	case catalog.Rejected:
		return todo{SealClass: "err", SealZh: "错", SealEn: "Err", TitleZh: "未通过检查", TitleEn: "Rejected", What: phrase(lang, "没有通过检查：看报告里错在哪里", "did not pass the check: the report says where"), Act: phrase(lang, "看报告", "See the report")}, true
	case catalog.Returned:
		return todo{SealClass: "del", SealZh: "退", SealEn: "Ret", TitleZh: "退回", TitleEn: "Returned", What: phrase(lang, "被退回", "was returned"), Note: r.Comment, Act: phrase(lang, "按意见修改", "Mend it")}, true
	case catalog.Ready:
		if n := len(r.Unsettled()); n > 0 {
			return todo{SealClass: "warn", SealZh: "定", SealEn: "Set", TitleZh: "须定", TitleEn: "To settle", What: phrase(lang, "有%d条发现须先定，才能提交", "has %d findings to settle before it can be submitted", n), Act: phrase(lang, "去处理", "Settle them")}, true
		}
		return todo{SealClass: "pass", SealZh: "过", SealEn: "OK", TitleZh: "通过检查", TitleEn: "Passed", What: phrase(lang, "通过检查，可以提交", "passed the check and can be submitted"), Act: phrase(lang, "看报告，提交", "Report, submit")}, true
	case catalog.InReview:
		if can(catalog.ReviewDraft) {
			return todo{SealClass: "warn", SealZh: "审", SealEn: "Rev", TitleZh: "待审", TitleEn: "In review", What: phrase(lang, "等你审核", "waits for your review"), Act: phrase(lang, "审核", "Review")}, true
		}
	case catalog.Approved:
		if can(catalog.ReviewDraft) {
			return todo{SealClass: "pass", SealZh: "批", SealEn: "App", TitleZh: "已批准", TitleEn: "Approved", What: phrase(lang, "已批准，可以发布", "is approved and can be published"), Act: phrase(lang, "发布", "Publish")}, true
		}
	}
	return todo{}, false
}
