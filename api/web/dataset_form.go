package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
)

// datasetFormPage is the form for a dataset's description.
type datasetFormPage struct {
	frame
	Form          form
	New           bool
	Dataset       *catalog.Dataset
	Action        string
	Organizations []choice
	Licences      []choice
	Frequencies   []choice
	Themes        []choice
	Opens         []choice
	Levels        []choice
	RowVersion    string
	From          *catalog.Dataset // of which this is to be a copy; nil: of none
}

// datasetFormFor fills the choices from what was typed.
func (s *Site) datasetFormFor(c *gin.Context, actor catalog.Actor, f form, d *catalog.Dataset) (*datasetFormPage, error) {
	lang := language(c)
	v := &datasetFormPage{frame: s.frame(c, "steward", phrase(lang, "新建数据集", "New dataset")), Form: f, New: d == nil, Dataset: d, Action: href(lang, "/steward/datasets/new"), RowVersion: f.Get("row_version")}
	v.NoIndex = true
	if d != nil {
		v.Title = phrase(lang, "修改说明：%s", "Edit: %s", d.Title.In(lang))
		v.Action = href(lang, "/steward/datasets/"+d.Slug)
	}
	if from := f.Get("from"); from != "" && d == nil {
		var err error
		if v.From, err = s.Store.Dataset(c.Request.Context(), actor, from); err != nil {
			return nil, err
		}
		v.Title = phrase(lang, "复制数据集：%s", "Copy: %s", v.From.Title.In(lang))
	}
	rows, err := s.Store.Organizations(c.Request.Context())
	if err != nil {
		return nil, err
	}
	for _, o := range rows {
		if catalog.Can(actor, catalog.CreateDataset, catalog.Object{OrganizationID: o.ID}) == nil {
			v.Organizations = append(v.Organizations, choice{o.ID, o.Name.In(lang), f.Get("organization") == o.ID})
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
	for _, o := range catalog.OpenAttributes {
		v.Opens = append(v.Opens, choice{string(o), openWords(lang, o), f.Get("open_attribute") == string(o)})
	}
	for _, l := range []string{"", "L1", "L2", "L3", "L4"} {
		words := l
		if l == "" {
			words = phrase(lang, "未定", "not set")
		}
		v.Levels = append(v.Levels, choice{l, words, f.Get("security_level") == l})
	}
	return v, nil
}

func (s *Site) newDatasetForm(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	f := newForm(url.Values{"licence": {catalog.Licences[0].Code}, "open_attribute": {string(catalog.Unconditional)}, "frequency": {"irregular"}, "organization": {c.Query("organization")}})
	if from := c.Query("from"); from != "" {
		d, err := s.Store.Dataset(c.Request.Context(), actor, from)
		if err != nil {
			return err
		}
		f = writeDataset(d)
		f.Values.Set("from", d.Slug)
		for _, name := range []string{"slug", "identifiers", "row_version"} { // what belongs to the one alone
			f.Values.Del(name)
		}
	}
	v, err := s.datasetFormFor(c, actor, f, nil)
	if err != nil {
		return err
	}
	if len(v.Organizations) == 0 {
		return catalog.Errorf(catalog.Forbidden, "not_allowed", "you are a steward of no organization: ask an administrator to add you").InChinese("你还不是任何机构的数据员：请机构管理员把你加进来")
	}
	return s.render(c, http.StatusOK, "dataset-form", v)
}

func (s *Site) newDataset(c *gin.Context) error {
	actor, f, err := signedForm(c)
	if err != nil {
		return err
	}
	d := &catalog.Dataset{}
	readDataset(f, d)
	d.Slug = strings.ToLower(strings.TrimSpace(f.Get("slug")))
	d.OrganizationID = f.Get("organization")
	create := s.Store.CreateDataset
	if from := f.Get("from"); from != "" {
		original, err := s.Store.Dataset(c.Request.Context(), actor, from)
		if err != nil {
			return err
		}
		d.Simulated = original.Simulated
		create = func(ctx context.Context, actor catalog.Actor, d *catalog.Dataset) error {
			return s.Store.CopyDataset(ctx, actor, from, d)
		}
	}
	if err = create(c.Request.Context(), actor, d); err == nil {
		return seeOther(c, "/steward/datasets/"+d.Slug+"/upload?done=created")
	}
	return s.datasetFormAgain(c, actor, f, nil, err)
}

func (s *Site) editDatasetForm(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	d, err := s.editable(c, actor)
	if err != nil {
		return err
	}
	v, err := s.datasetFormFor(c, actor, writeDataset(d), d)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "dataset-form", v)
}

func (s *Site) editDataset(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	if err := c.Request.ParseForm(); err != nil {
		return badForm(err)
	}
	d, err := s.editable(c, actor)
	if err != nil {
		return err
	}
	f := newForm(c.Request.PostForm)
	changed := *d
	readDataset(f, &changed)
	if changed.RowVersion, err = strconv.ParseInt(f.Get("row_version"), 10, 64); err != nil {
		changed.RowVersion = d.RowVersion
	}
	if err = s.Store.UpdateDataset(c.Request.Context(), actor, &changed); err == nil {
		return seeOther(c, "/datasets/"+changed.Slug+"?done=saved")
	}
	return s.datasetFormAgain(c, actor, f, d, err)
}

// editable reads the dataset of the address and asks whether the actor may edit it.
func (s *Site) editable(c *gin.Context, actor catalog.Actor) (*catalog.Dataset, error) {
	d, err := s.Store.Dataset(c.Request.Context(), actor, c.Param("slug"))
	if err != nil {
		return nil, err
	}
	return d, catalog.Can(actor, catalog.EditDataset, catalog.ObjectOf(d))
}

// datasetFormAgain shows the form as typed with what is wrong; other errors
// than the form's go to the error page.
func (s *Site) datasetFormAgain(c *gin.Context, actor catalog.Actor, f form, d *catalog.Dataset, err error) error {
	lang := language(c)
	kind := catalog.KindOf(err)
	switch kind {
	case catalog.Invalid, catalog.Conflict, catalog.Unprocessable:
		if strings.TrimSpace(f.Get("title_zh")+f.Get("title_en")) == "" { // the store names one fault at a time; an empty form has two
			f.refuse("title_zh", phrase(lang, "缺少标题：请填中文、英文或两者。", "Title is missing: give it in Chinese, English or both."))
		}
		if field := wrongFieldOf(err); field != "" {
			f.refuse(field, sentence(lang, err))
		} else {
			f.General = sentence(lang, err)
		}
	case catalog.PreconditionFailed:
		f.General = phrase(lang, "你打开这一页之后，别人改过这个数据集。下面是你填的；先在另一个窗口看看现在的说明，再保存一次就以你的为准。", "Somebody changed this dataset after you opened this page. What you typed is below; look at the present description in another window, then save again to keep yours.")
		f.Values.Set("row_version", strconv.FormatInt(d.RowVersion, 10))
	default:
		return err
	}
	v, err := s.datasetFormFor(c, actor, f, d)
	if err != nil {
		return err
	}
	return s.render(c, handle.Status(kind), "dataset-form", v)
}

// wrongFieldOf finds the input that an error is about.
func wrongFieldOf(err error) string {
	var e *catalog.Error
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Code {
	case "invalid_slug", "reserved_slug", "slug_taken":
		return "slug"
	}
	field, _ := e.Fields["field"].(string)
	switch field {
	case "title":
		return "title_zh"
	case "conditions":
		return "conditions_zh"
	case "themes":
		return "theme"
	}
	return field
}

// signedForm is the form that a signed-in person has sent.
func signedForm(c *gin.Context) (catalog.Actor, form, error) {
	actor, err := signedIn(c)
	if err != nil {
		return actor, form{}, err
	}
	f, err := postedForm(c)
	return actor, f, err
}

// postedForm is the form that was sent.
func postedForm(c *gin.Context) (form, error) {
	if err := c.Request.ParseForm(); err != nil {
		return form{}, badForm(err)
	}
	return newForm(c.Request.PostForm), nil
}

func badForm(err error) error {
	return catalog.Errorf(catalog.Invalid, "bad_form", "the form could not be read: send it again").InChinese("表单没有读懂：请再提交一次").Because(err)
}

// readDataset takes the description from the form. The address and the publisher
// of an existing dataset do not change here.
func readDataset(f form, d *catalog.Dataset) {
	text := func(name string) string { return strings.TrimSpace(strings.ReplaceAll(f.Get(name), "\r\n", "\n")) }
	both := func(name string) catalog.Text { return catalog.Text{Zh: text(name + "_zh"), En: text(name + "_en")} }
	d.Title, d.Description, d.Conditions, d.SourceNote = both("title"), both("description"), both("conditions"), both("source_note")
	d.Themes = slices.Clone(f.Values["theme"])
	d.Keywords, d.Identifiers = words(text("keywords")), words(text("identifiers"))
	d.Region, d.Licence, d.OpenAttribute, d.Frequency = text("region"), f.Get("licence"), catalog.OpenAttribute(f.Get("open_attribute")), catalog.Frequency(f.Get("frequency"))
	d.Spatial, d.TemporalStart, d.TemporalEnd, d.Language = text("spatial"), text("temporal_start"), text("temporal_end"), text("language")
	d.Contact = catalog.Contact{Unit: text("contact_unit"), Phone: text("contact_phone"), Mail: text("contact_mail")}
	d.SecurityLevel = text("security_level")
}

// writeDataset is the inverse of readDataset.
func writeDataset(d *catalog.Dataset) form {
	v := url.Values{"theme": d.Themes}
	both := func(name string, t catalog.Text) { v.Set(name+"_zh", t.Zh); v.Set(name+"_en", t.En) }
	both("title", d.Title)
	both("description", d.Description)
	both("conditions", d.Conditions)
	both("source_note", d.SourceNote)
	for name, value := range map[string]string{
		"slug": d.Slug, "organization": d.OrganizationID, "keywords": strings.Join(d.Keywords, "，"), "identifiers": strings.Join(d.Identifiers, "，"), "region": d.Region,
		"licence": d.Licence, "open_attribute": string(d.OpenAttribute), "frequency": string(d.Frequency), "spatial": d.Spatial, "temporal_start": d.TemporalStart, "temporal_end": d.TemporalEnd,
		"language": d.Language, "contact_unit": d.Contact.Unit, "contact_phone": d.Contact.Phone, "contact_mail": d.Contact.Mail, "security_level": d.SecurityLevel, "row_version": strconv.FormatInt(d.RowVersion, 10),
	} {
		v.Set(name, value)
	}
	return newForm(v)
}

// words splits a list typed by a person, with commas of either script.
func words(s string) []string {
	out := []string{}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '，' || r == '、' || r == ';' || r == '；' || r == '\n' }) {
		if w = strings.TrimSpace(w); w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}
