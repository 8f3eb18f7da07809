package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
	"taihu/catalog/ingest"
)

// settleView is what of a file is to be settled, and what was decided.
type settleView struct {
	Open     []settleRow
	Made     []madeDecision
	Withheld bool // the original will not be published
	Maskable bool // several findings can be masked
}

// settleRow is a finding with its choices.
type settleRow struct {
	catalog.Finding
	ID      string // of its inputs
	Share   string
	Choices []choice
	Reason  string // as typed
}

// madeDecision is what was decided, by whom, when and why.
type madeDecision struct {
	catalog.Settlement
	What string
	Who  string
	When string
}

var measureWords = map[catalog.Measure]catalog.Text{
	catalog.Mask:   {Zh: "遮盖", En: "Mask the values"},
	catalog.Drop:   {Zh: "去掉", En: "Leave it out"},
	catalog.Accept: {Zh: "照样公开，理由见右", En: "Publish as it is, because"},
}

var madeWords = map[catalog.Measure]catalog.Text{
	catalog.Mask: {Zh: "遮盖", En: "masked"}, catalog.Drop: {Zh: "去掉", En: "left out"}, catalog.Accept: {Zh: "照样公开", En: "accepted"},
}

// settleViewOf makes the view of a file's decisions; names are those of users.
func settleViewOf(lang string, f *catalog.File, anchor string, names map[string]string) settleView {
	v := settleView{Withheld: f.Withheld()}
	maskable := 0
	for i, x := range f.Unsettled() {
		r := settleRow{Finding: x, ID: fmt.Sprintf("%s-reason-%d", anchor, i+1)}
		if x.Of > 0 {
			r.Share = phrase(lang, "%s格，占有值的%s", "%s cells, %s of those with a value", number(x.Count), percent(x.Count, x.Of))
		} else if x.Count > 1 {
			r.Share = phrase(lang, "%s处", "%s places", number(x.Count))
		}
		r.Choices = []choice{{"", phrase(lang, "还没定", "Not decided"), true}}
		for _, m := range x.Measures {
			r.Choices = append(r.Choices, choice{string(m), measureWords[m].In(lang), false})
		}
		if slices.Contains(x.Measures, catalog.Mask) {
			maskable++
		}
		v.Open = append(v.Open, r)
	}
	v.Maskable = maskable > 1
	for _, s := range f.Options.Settled {
		d := madeDecision{Settlement: s, What: madeWords[s.Measure].In(lang), Who: names[s.By]}
		if s.At != nil {
			d.When = minute(*s.At)
		}
		v.Made = append(v.Made, d)
	}
	return v
}

// settle notes the decisions of the form: code, table, column, measure and reason
// come repeated and in order. One without a measure is not decided yet.
func (s *Site) settle(c *gin.Context, actor catalog.Actor, id string, f form) error {
	at := func(name string, i int) string {
		if v := f.Values[name]; i < len(v) {
			return strings.TrimSpace(v[i])
		}
		return ""
	}
	var decisions []catalog.Settlement
	missing := -1
	for i := range f.Values["code"] {
		d := catalog.Settlement{Code: at("code", i), Table: at("table", i), Column: at("column", i), Measure: catalog.Measure(at("measure", i)), Reason: at("reason", i)}
		if d.Measure == "" && f.Get("mask") == "all" && ingest.CanBe(d.Code, catalog.Mask) {
			d.Measure = catalog.Mask
		}
		switch {
		case d.Measure == "":
			continue
		case d.Measure == "none":
			d.Measure = ""
		case d.Measure == catalog.Accept && d.Reason == "" && missing < 0:
			missing = i
		}
		decisions = append(decisions, d)
	}
	typed := func(v *draftPage) {
		for k := range v.Files {
			if v.Files[k].File.Name == f.Get("name") {
				v.Files[k].Settle.retype(f.Values["measure"], f.Values["reason"])
			}
		}
	}
	if missing >= 0 {
		return s.showDraft(c, actor, http.StatusUnprocessableEntity, func(v *draftPage) {
			typed(v)
			v.Form.refuse(fmt.Sprintf("%s-reason-%d", anchor(f.Get("anchor")), missing+1), phrase(v.Lang, "照样公开须写明理由。", "To publish it as it is, give the reason."))
		})
	}
	if len(decisions) == 0 {
		return s.showDraft(c, actor, http.StatusUnprocessableEntity, func(v *draftPage) {
			v.Form.General = phrase(v.Lang, "还没有作任何决定：先为一条发现选一种办法。", "Nothing is decided yet: choose what to do about a finding first.")
		})
	}
	if _, err := s.Store.SettleFindings(c.Request.Context(), actor, id, f.Get("name"), decisions); err != nil {
		return s.draftAgain(c, actor, err, typed)
	}
	return seeOther(c, "/steward/drafts/"+id+"?done=settled#"+anchor(f.Get("anchor")))
}

// retype puts back what was chosen and typed.
func (v *settleView) retype(measures, reasons []string) {
	for i := range v.Open {
		if i < len(measures) {
			for k := range v.Open[i].Choices {
				v.Open[i].Choices[k].Chosen = v.Open[i].Choices[k].Value == measures[i]
			}
		}
		if i < len(reasons) {
			v.Open[i].Reason = reasons[i]
		}
	}
}

// deciders are the names of those who decided about a draft's files.
func (s *Site) deciders(c *gin.Context, files []catalog.File) (map[string]string, error) {
	var ids []string
	for i := range files {
		for _, d := range files[i].Options.Settled {
			if d.By != "" && !slices.Contains(ids, d.By) {
				ids = append(ids, d.By)
			}
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return s.Store.UserNames(c.Request.Context(), ids...)
}
