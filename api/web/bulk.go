package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/store"
)

// bulkPage changes a few things of several datasets at once: what to change, then
// what that means for each, then all of it or nothing.
type bulkPage struct {
	frame
	Form        form
	Datasets    []bulkRow
	Preview     bool
	Changing    int // datasets that differ afterwards
	Kept        []bulkValue
	Licences    []choice
	Frequencies []choice
	Themes      []choice
	Limit       int
}

// bulkRow is one of the datasets, and what changes of it.
type bulkRow struct {
	Slug, Version string
	Title         catalog.Text
	Href          string
	Changes       []bulkChange
	Stale         bool // somebody changed it since the preview
}

type bulkChange struct{ Field, Old, New string }

// bulkValue is one value that the form of the preview carries on.
type bulkValue struct{ Name, Value string }

func (s *Site) bulkForm(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	return s.showBulk(c, actor, http.StatusOK, newForm(c.Request.URL.Query()), false, nil)
}

// bulk takes the form: its preview, or the change itself.
func (s *Site) bulk(c *gin.Context) error {
	actor, f, err := signedForm(c)
	if err != nil {
		return err
	}
	lang := language(c)
	if f.Get("step") == "edit" {
		return s.showBulk(c, actor, http.StatusOK, f, false, nil)
	}
	if len(f.Values["change"]) == 0 {
		f.refuse("change", phrase(lang, "勾选要改的项目。", "Tick what is to be changed."))
		return s.showBulk(c, actor, http.StatusBadRequest, f, false, nil)
	}
	if f.Get("step") != "apply" {
		return s.showBulk(c, actor, http.StatusOK, f, true, nil)
	}
	list, err := s.bulkDatasets(c, actor, f)
	if err != nil {
		return err
	}
	var changed []*catalog.Dataset
	for i := range list {
		d := list[i]
		d.RowVersion = versionOf(f, d.Slug)
		if applyBulk(f, &d); len(bulkChanges(lang, &list[i], &d)) > 0 {
			changed = append(changed, &d)
		}
	}
	err = s.Store.UpdateDatasets(c.Request.Context(), actor, changed)
	switch kind := catalog.KindOf(err); kind {
	case "":
		if err != nil {
			return err
		}
		return seeOther(c, "/steward?show=datasets&done=bulk")
	case catalog.Invalid, catalog.PreconditionFailed:
		return s.showBulk(c, actor, handle.Status(kind), f, true, err)
	}
	return err
}

// versionOf is the row_version that the preview showed of a dataset. Without one the
// change is refused: 0 would mean any.
func versionOf(f form, slug string) int64 {
	v, err := strconv.ParseInt(f.Get("version-"+slug), 10, 64)
	if err != nil || v <= 0 {
		return -1
	}
	return v
}

// bulkDatasets reads the chosen datasets, each once, and asks whether the actor may
// change them.
func (s *Site) bulkDatasets(c *gin.Context, actor catalog.Actor, f form) ([]catalog.Dataset, error) {
	slugs := slices.Compact(slices.Sorted(slices.Values(f.Values["dataset"])))
	if len(slugs) > store.MostDatasets {
		return nil, catalog.Errorf(catalog.TooLarge, "too_many_datasets", "at most %d datasets are changed at once", store.MostDatasets).InChinese("一次最多改%d个数据集", store.MostDatasets)
	}
	var list []catalog.Dataset
	for _, slug := range slugs {
		d, err := s.Store.Dataset(c.Request.Context(), actor, slug)
		if err != nil {
			return nil, err
		}
		if err := catalog.Can(actor, catalog.EditDataset, catalog.ObjectOf(d)); err != nil {
			return nil, err
		}
		list = append(list, *d)
	}
	return list, nil
}

// applyBulk makes the ticked changes to a dataset.
func applyBulk(f form, d *catalog.Dataset) {
	text := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	for _, field := range f.Values["change"] {
		switch field {
		case "themes":
			d.Themes = slices.Clone(f.Values["theme"])
			if d.Themes == nil {
				d.Themes = []string{}
			}
		case "licence":
			d.Licence = text("licence")
		case "frequency":
			d.Frequency = catalog.Frequency(text("frequency"))
		case "contact":
			d.Contact = catalog.Contact{Unit: text("contact_unit"), Phone: text("contact_phone"), Mail: text("contact_mail")}
		}
	}
}

// bulkChanges are the differences in words.
func bulkChanges(lang string, old, now *catalog.Dataset) []bulkChange {
	var list []bulkChange
	add := func(zh, en, was, is string) {
		if was != is {
			list = append(list, bulkChange{phrase(lang, zh, en), was, is})
		}
	}
	themes := func(codes []string) string {
		var words []string
		for _, code := range codes {
			words = append(words, catalog.ThemeName(code).In(lang))
		}
		return strings.Join(words, phrase(lang, "、", ", "))
	}
	licence := func(code string) string {
		if l, ok := catalog.LicenceOf(code); ok {
			return l.Name.In(lang)
		}
		return code
	}
	contact := func(c catalog.Contact) string {
		return strings.Join(slices.DeleteFunc([]string{c.Unit, c.Phone, c.Mail}, func(s string) bool { return s == "" }), " ")
	}
	add("领域", "Themes", themes(old.Themes), themes(now.Themes))
	add("许可", "Licence", licence(old.Licence), licence(now.Licence))
	add("更新频率", "Updated", frequencyWords(lang, old.Frequency), frequencyWords(lang, now.Frequency))
	add("联系", "Contact", contact(old.Contact), contact(now.Contact))
	return list
}

func (s *Site) showBulk(c *gin.Context, actor catalog.Actor, status int, f form, preview bool, wrong error) error {
	lang := language(c)
	list, err := s.bulkDatasets(c, actor, f)
	if err != nil {
		return err
	}
	v := &bulkPage{frame: s.frame(c, "steward", phrase(lang, "一起修改", "Change together")), Form: f, Preview: preview, Limit: store.MostDatasets}
	v.NoIndex = true
	v.Path = withQuery("/steward/bulk", url.Values{"dataset": f.Values["dataset"]})
	for i := range list {
		old, now := &list[i], list[i]
		row := bulkRow{Slug: old.Slug, Title: old.Title, Href: href(lang, "/datasets/"+old.Slug), Version: strconv.FormatInt(old.RowVersion, 10)}
		if preview {
			applyBulk(f, &now)
			if row.Changes = bulkChanges(lang, old, &now); len(row.Changes) > 0 {
				v.Changing++
			}
			row.Stale = catalog.CodeOf(wrong) == "stale_row_version" && versionOf(f, old.Slug) != old.RowVersion
		}
		v.Datasets = append(v.Datasets, row)
	}
	switch {
	case len(list) == 0:
		v.Form.General = phrase(lang, "还没有选数据集：在工作台的“我的数据集”里勾选。", "No dataset is chosen: tick some under “My datasets” on the desk.")
		status = http.StatusBadRequest
	case catalog.CodeOf(wrong) == "stale_row_version":
		v.Form.General = phrase(lang, "一个也没有改：预览之后，别人改过标出的数据集。下面是按现在的内容重新算的，看过再确认。", "Nothing was changed: somebody changed the marked datasets after the preview. Below is what it means now; look, then confirm again.")
	case wrong != nil:
		v.Form.General = sentence(lang, wrong)
		var e *catalog.Error
		if errors.As(wrong, &e) {
			if slug, _ := e.Fields["dataset"].(string); slug != "" {
				v.Form.General += phrase(lang, "（%s；一个也没有改）", " (%s; nothing was changed)", slug)
			}
		}
	}
	for _, l := range catalog.Licences {
		v.Licences = append(v.Licences, choice{l.Code, l.Name.In(lang), f.Get("licence") == l.Code})
	}
	for _, q := range catalog.Frequencies {
		v.Frequencies = append(v.Frequencies, choice{string(q), frequencyWords(lang, q), f.Get("frequency") == string(q)})
	}
	for _, t := range catalog.Themes {
		v.Themes = append(v.Themes, choice{t.Code, t.Name.In(lang), f.Has("theme", t.Code)})
	}
	for _, name := range []string{"dataset", "change", "theme", "licence", "frequency", "contact_unit", "contact_phone", "contact_mail"} {
		for _, value := range f.Values[name] {
			v.Kept = append(v.Kept, bulkValue{name, value})
		}
	}
	return s.render(c, status, "bulk", v)
}

// Changes reports whether a field's box is ticked.
func (v *bulkPage) Changes(field string) bool { return v.Form.Has("change", field) }
