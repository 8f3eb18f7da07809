package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
	"taihu/catalog/store"
)

// dictionaryPage is the dictionary of a draft's table as a grid to fill in, a page of
// columns at a time, and as a file to download, edit and upload.
type dictionaryPage struct {
	frame
	Dataset      *catalog.Dataset
	Table        *catalog.Table
	Crumbs       []link
	Draft        string // address of the draft
	Action       string
	Base         string // the words that the form began with (wordsVersion)
	Edit         bool
	Form         form
	TitleZh      dictionaryCell
	TitleEn      dictionaryCell
	Rows         []dictionaryFormRow
	First, Last  int // columns shown, from 1
	Pages        []link
	Conflict     bool
	Uploaded     string // name of the file whose words are shown and not saved yet
	Differs      int    // words that are not as they are saved
	Files        []link
	UploadAction string
}

// dictionaryFormRow is one column.
type dictionaryFormRow struct {
	Name, Type, Example string
	Kind                columnKind
	Key                 bool
	KeyNow              string // whether it belongs to the saved key, in words, where that differs
	Cells               []dictionaryCell
}

// dictionaryCell is one word in the form, and what is saved where that differs.
type dictionaryCell struct {
	Name, Label, Lang, Class string
	Short                    string // the label without its column
	Value                    string
	Now                      string
	Differs                  bool
	Area                     bool // it may have several lines
}

// wordsVersion tells whether the words of a table were changed: it is theirs alone, so
// that a file checked meanwhile, or a draft's notes, stop nobody who describes columns.
func wordsVersion(t *catalog.Table) string {
	type words struct {
		Name, Latin, Unit  string
		Label, Description catalog.Text
		Codes              []catalog.Code
	}
	said := []any{t.Title, t.Schema.Key}
	for _, f := range t.Schema.Fields {
		said = append(said, words{f.Name, f.Latin, f.Unit, f.Label, f.Description, f.Codes})
	}
	b, err := json.Marshal(said)
	if err != nil {
		panic("web: words cannot be written as JSON: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// columnWords are the words of a column that the grid and files hold; nil ones are not
// spoken of.
type columnWords struct {
	LabelZh, LabelEn, Unit, AboutZh, AboutEn *string
	Key                                      *bool
}

// tableWords are those of a table.
type tableWords struct {
	TitleZh, TitleEn *string
	Columns          map[string]columnWords
}

// wordNames are the inputs of a column in the order of the grid.
var wordNames = []struct{ name, zh, en, lang, class string }{
	{"label_zh", "标签", "label in Chinese", "zh-CN", ""}, {"label_en", "英文标签", "label in English", "en", ""}, {"unit", "单位", "unit", "", "unit"},
	{"about_zh", "说明", "description in Chinese", "zh-CN", ""}, {"about_en", "英文说明", "description in English", "en", ""},
}

func (w columnWords) list() []*string {
	return []*string{w.LabelZh, w.LabelEn, w.Unit, w.AboutZh, w.AboutEn}
}

func wordsOf(f *catalog.Field) []string {
	return []string{f.Label.Zh, f.Label.En, f.Unit, f.Description.Zh, f.Description.En}
}

// over lays words over a table's own.
func (w tableWords) over(t *catalog.Table) store.TableWords {
	title := t.Title
	if w.TitleZh != nil {
		title.Zh = catalog.PlainText(*w.TitleZh)
	}
	if w.TitleEn != nil {
		title.En = catalog.PlainText(*w.TitleEn)
	}
	out := store.TableWords{Title: &title, Fields: map[string]store.FieldWords{}}
	var key []string
	for i := range t.Schema.Fields {
		f := &t.Schema.Fields[i]
		said := w.Columns[f.Name]
		now := wordsOf(f)
		for k, v := range said.list() {
			if v != nil {
				now[k] = *v
			}
		}
		inKey := slices.Contains(t.Schema.Key, f.Name)
		if said.Key != nil {
			inKey = *said.Key
		}
		if inKey {
			key = append(key, f.Name)
		}
		out.Fields[f.Name] = store.FieldWords{Label: catalog.Text{Zh: now[0], En: now[1]}, Unit: now[2], Description: catalog.Text{Zh: now[3], En: now[4]}, Codes: f.Codes, Latin: f.Latin}
	}
	if key == nil {
		key = []string{}
	}
	out.Key = &key
	return out
}

// draftTableAsked finds the table of the address.
func (s *Site) draftTableAsked(c *gin.Context, actor catalog.Actor) (*catalog.Dataset, *catalog.Release, *catalog.Table, error) {
	r, err := s.Store.Draft(c.Request.Context(), actor, c.Param("id"))
	if err != nil {
		return nil, nil, nil, err
	}
	d, err := s.Store.DatasetByID(c.Request.Context(), actor, r.DatasetID)
	if err != nil {
		return nil, nil, nil, err
	}
	t, err := r.Table(c.Param("table"))
	return d, r, t, err
}

func dictionaryPath(draft, table string) string {
	return "/steward/drafts/" + draft + "/tables/" + url.PathEscape(table)
}

// dictionaryForm shows the grid with what is saved.
func (s *Site) dictionaryForm(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	d, r, t, err := s.draftTableAsked(c, actor)
	if err != nil {
		return err
	}
	from, _ := strconv.Atoi(c.Query("from"))
	v := s.dictionaryView(c, actor, d, r, t, from, tableWords{})
	return s.render(c, http.StatusOK, "dictionary", v)
}

// dictionaryView makes the page: the columns from the one at from (counted from 1) on,
// with what was typed over what is saved.
func (s *Site) dictionaryView(c *gin.Context, actor catalog.Actor, d *catalog.Dataset, r *catalog.Release, t *catalog.Table, from int, typed tableWords) *dictionaryPage {
	lang := language(c)
	path := dictionaryPath(r.ID, t.Name)
	v := &dictionaryPage{frame: s.frame(c, "steward", phrase(lang, "字段表：%s", "Dictionary: %s", t.Name)), Dataset: d, Table: t, Draft: href(lang, "/steward/drafts/"+r.ID), Action: href(lang, path), Base: wordsVersion(t), Form: newForm(nil)}
	v.NoIndex = true
	v.Path = path
	v.Crumbs = []link{{Words: phrase(lang, "数据员工作台", "Steward's desk"), Href: href(lang, "/steward")}, {Words: d.Title.In(lang), Href: v.Draft}, {Words: phrase(lang, "字段表", "Dictionary")}}
	_, v.Edit = possible(actor, d, r)
	v.Files = []link{{Words: "XLSX", Href: path + "/dictionary.xlsx?lang=" + lang}, {Words: "CSV", Href: path + "/dictionary.csv?lang=" + lang}}
	if s.Cells != nil {
		v.UploadAction = href(lang, path+"/upload")
	}
	cell := func(name, label, wordsLang, class, saved string, typed *string) dictionaryCell {
		x := dictionaryCell{Name: name, Label: label, Lang: wordsLang, Class: class, Value: saved, Now: saved}
		if typed != nil {
			if x.Value = *typed; catalog.PlainText(x.Value) != saved {
				x.Differs = true
				v.Differs++
			}
		}
		x.Area = strings.HasPrefix(name, "about_")
		return x
	}
	v.TitleZh = cell("title_zh", phrase(lang, "表的中文名", "Title in Chinese"), "zh-CN", "", t.Title.Zh, typed.TitleZh)
	v.TitleEn = cell("title_en", phrase(lang, "表的英文名", "Title in English"), "en", "", t.Title.En, typed.TitleEn)
	fields := t.Schema.Fields
	first := max(0, min(from-1, len(fields)-1)) / dictionaryRows * dictionaryRows
	last := min(first+dictionaryRows, len(fields))
	v.First, v.Last = first+1, last
	for at := 0; at < len(fields) && len(fields) > dictionaryRows; at += dictionaryRows {
		v.Pages = append(v.Pages, link{Words: fmt.Sprintf("%d–%d", at+1, min(at+dictionaryRows, len(fields))), Href: href(lang, path+"?from="+strconv.Itoa(at+1)), Current: at == first})
	}
	for i := first; i < last; i++ {
		f := &fields[i]
		row := dictionaryFormRow{Name: f.Name, Type: typeWords[f.Type].In(lang), Key: slices.Contains(t.Schema.Key, f.Name)}
		var p *catalog.ColumnProfile
		if t.Profile != nil && i < len(t.Profile.Columns) {
			p = &t.Profile.Columns[i]
			row.Example = cut(p.Example(), 40)
		}
		row.Kind = kindOf(*f, p, t.Rows)
		said := typed.Columns[f.Name]
		saved := wordsOf(f)
		for k, n := range wordNames {
			x := cell(n.name, f.Name+phrase(lang, "：", ": ")+phrase(lang, n.zh, n.en), n.lang, n.class, saved[k], said.list()[k])
			x.Short = phrase(lang, n.zh, n.en)
			row.Cells = append(row.Cells, x)
		}
		if said.Key != nil && *said.Key != row.Key {
			row.KeyNow = phrase(lang, "不是", "no")
			if row.Key {
				row.KeyNow = phrase(lang, "是", "yes")
			}
			row.Key = *said.Key
			v.Differs++
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// typedWords reads the grid: column and its words come repeated and in order.
func typedWords(f form) tableWords {
	w := tableWords{Columns: map[string]columnWords{}}
	one := func(name string, i int) *string {
		if v := f.Values[name]; i < len(v) {
			return &v[i]
		}
		return nil
	}
	w.TitleZh, w.TitleEn = one("title_zh", 0), one("title_en", 0)
	for i, name := range f.Values["column"] {
		key := f.Has("key", name)
		w.Columns[name] = columnWords{one("label_zh", i), one("label_en", i), one("unit", i), one("about_zh", i), one("about_en", i), &key}
	}
	return w
}

// saveDictionary saves the grid. Where somebody changed the words since it was opened it
// is 409: the page shows both, and nothing that was typed is lost.
func (s *Site) saveDictionary(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 32<<20)
	f, err := postedForm(c)
	if err != nil {
		return err
	}
	from, _ := strconv.Atoi(f.Get("from"))
	return s.keepWords(c, actor, typedWords(f), f.Get("base"), from)
}

// wordTries is how often words are written where the draft changes meanwhile, but not
// they.
const wordTries = 5

// keepWords writes words where those they were made of still stand.
func (s *Site) keepWords(c *gin.Context, actor catalog.Actor, w tableWords, base string, from int) error {
	for try := 1; ; try++ {
		d, r, t, err := s.draftTableAsked(c, actor)
		if err != nil {
			return err
		}
		words := w.over(t)
		words.RowVersion = r.RowVersion
		v := s.dictionaryView(c, actor, d, r, t, from, w)
		if base != v.Base && v.Differs > 0 {
			v.Conflict = true
			v.Form.General = phrase(v.Lang, "还没有保存：你打开这一页之后，别人改过这张表的字段说明。不同的地方把两种都列出来了：格子里是你填的，下面是现在存着的。改好再保存，就以格子里的为准。",
				"Not saved: somebody changed this dictionary after you opened it. Where they differ both are shown: yours in the field, what is saved now below it. Save again to keep what the fields hold.")
			return s.render(c, http.StatusConflict, "dictionary", v)
		}
		err = s.Store.DescribeTable(c.Request.Context(), actor, r.ID, t.Name, words)
		switch kind := catalog.KindOf(err); {
		case err == nil:
			return seeOther(c, dictionaryPath(r.ID, t.Name)+"?from="+strconv.Itoa(v.First)+"&done=saved")
		case kind == catalog.PreconditionFailed && try < wordTries:
			continue // something else of the draft
		case kind == catalog.Invalid || kind == catalog.Conflict:
			v.Form.General = sentence(v.Lang, err)
			status := http.StatusBadRequest
			if kind == catalog.Conflict {
				status = http.StatusConflict
			}
			return s.render(c, status, "dictionary", v)
		}
		return err
	}
}
